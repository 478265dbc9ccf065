"""The whole coding of a note as the last component of a spaCy pipeline of one's own: Doc._.facetcode."""

from spacy.language import Language
from spacy.tokens import Doc

from extractor.coder import Coder
from extractor.errors import InputError
from extractor.schema import CodingResult

EXTENSION = "facetcode"
_KEY = "facetcode_result"  # in Doc.user_data, as JSON: so spaCy can store a Doc and send it to another process


class NoteCoder:
    """Codes `doc.text` and sets Doc._.facetcode; nothing else of the Doc is read or changed.

    A note is read in a clean view of its own with tokens of its own (see `Coder`), so it does not matter which
    components, tokens or entities the Doc has, and the offsets of the result are those of `doc.text`.

    Raises InputError for an unknown profile or where Doc._.facetcode is somebody else's, PatternError for a wrong row.
    """

    def __init__(self, profile: str, overlay: str | None) -> None:
        self.profile = profile
        self.overlay = overlay
        self.coder = Coder(profile, overlay)
        _register()

    def __call__(self, doc: Doc) -> Doc:
        doc.user_data[_KEY] = self.coder.code(doc.text).to_json()
        return doc

    def __reduce__(self) -> tuple[type["NoteCoder"], tuple[str, str | None]]:
        """A copy reads the patterns again: a loaded pipeline of ours cannot be pickled."""
        return type(self), (self.profile, self.overlay)


def result_of(doc: Doc) -> CodingResult | None:
    """The result of a Doc, made anew from its JSON at every call; None where no coder has run on the Doc."""
    stored = doc.user_data.get(_KEY)
    return None if stored is None else CodingResult.model_validate_json(stored)


def _register() -> None:
    if not Doc.has_extension(EXTENSION):
        Doc.set_extension(EXTENSION, getter=result_of)
    elif Doc.get_extension(EXTENSION)[2] is not result_of:
        raise InputError(f"Doc._.{EXTENSION} is an extension of another package already")


@Language.factory("facetcode_coder", assigns=["doc._.facetcode"], default_config={"profile": "cpt", "overlay": None})
def create(nlp: Language, name: str, profile: str, overlay: str | None) -> NoteCoder:
    """Factory of the coder component."""
    return NoteCoder(profile, overlay)
