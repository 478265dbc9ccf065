"""Vertebral levels from the grammar of `extractor.levels` as a component."""

from spacy.language import Language
from spacy.tokens import Doc

from extractor.levels import LevelGrammar
from extractor.pipeline.shared import extension, folder, group
from extractor.text import text_of

GROUP = "facetcode_levels"


class Levels:
    """Sets Doc._.facetcode_levels (exact records) and the span group "facetcode_levels" (whole tokens)."""

    def __init__(self, grammar: LevelGrammar) -> None:
        self.grammar = grammar

    def __call__(self, doc: Doc) -> Doc:
        found = self.grammar.find(text_of(doc))
        doc._.facetcode_levels = found
        group(doc, GROUP, ((mention.start, mention.end, "Level") for mention in found))
        return doc


@Language.factory("facetcode_levels", default_config={"overlay": None})
def create(nlp: Language, name: str, overlay: str | None) -> Levels:
    """Factory of the level component."""
    extension("facetcode_levels")
    return Levels(LevelGrammar(folder(overlay)))
