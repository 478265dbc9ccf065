"""Sentence starts from `extractor.sentences`, set at C speed by spaCy's own Sentencizer."""

from bisect import bisect_left
from typing import Any

from spacy.language import Language
from spacy.pipeline import Sentencizer
from spacy.tokens import Doc

from extractor.pipeline.shared import extension, reading
from extractor.sentences import SentenceSplitter
from extractor.text import text_of


class LineSentencizer(Sentencizer):  # type: ignore[misc]  # spaCy ships no types for it
    """Sets sentence starts; also Doc._.facetcode_sentences, the exact character spans."""

    def __init__(self, name: str, splitter: SentenceSplitter) -> None:
        super().__init__(name)
        self.splitter = splitter

    def predict(self, docs: list[Doc]) -> list[list[bool]]:
        """One list of sentence-start flags a doc."""
        return [self._starts(doc) for doc in docs]

    def _starts(self, doc: Doc) -> list[bool]:
        if not len(doc):
            return []
        sections = doc._.facetcode_sections if Doc.has_extension("facetcode_sections") else ()
        spans = self.splitter.split(text_of(doc), (section.start for section in sections if section.start))
        doc._.facetcode_sentences = tuple(spans)
        offsets = doc.to_array("IDX").tolist()
        flags = [False] * len(offsets)
        flags[0] = True
        for start, _ in spans:
            index = bisect_left(offsets, start)
            if index < len(flags):
                flags[index] = True
        return flags


@Language.factory("facetcode_sentences", assigns=["token.is_sent_start"], default_config={"overlay": None})
def create(nlp: Language, name: str, overlay: str | None) -> Any:
    """Factory of the sentence component."""
    extension("facetcode_sentences")
    return LineSentencizer(name, SentenceSplitter(reading(overlay).table.sentences))
