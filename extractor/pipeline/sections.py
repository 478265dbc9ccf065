"""Sections from `extractor.sections` as a component."""

from spacy.language import Language
from spacy.tokens import Doc

from extractor.pipeline.shared import extension, reading
from extractor.sections import SectionReader
from extractor.text import text_of


class Sections:
    """Sets Doc._.facetcode_sections."""

    def __init__(self, reader: SectionReader) -> None:
        self.reader = reader

    def __call__(self, doc: Doc) -> Doc:
        doc._.facetcode_sections = self.reader.read(text_of(doc))
        return doc


@Language.factory("facetcode_sections", default_config={"overlay": None})
def create(nlp: Language, name: str, overlay: str | None) -> Sections:
    """Factory of the section component."""
    extension("facetcode_sections")
    return Sections(SectionReader(reading(overlay).sections, reading(overlay).table.spoken_headers))
