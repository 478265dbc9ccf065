"""The whole way of one note, readable in a minute: text -> doc -> reading -> procedures -> lines -> result."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from extractor import __version__
from extractor.boxes import plain_boxes
from extractor.patterns import PatternFolder
from extractor.text import CleanText, clean, unwrapped

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

    from extractor.agents import AgentReader
    from extractor.assembly.procedures import Assembled
    from extractor.coding import CodeBook, CodeBooks
    from extractor.descriptors import Descriptors
    from extractor.entities import EntityReader
    from extractor.hearing import Hearing
    from extractor.rows import AssemblyRows
    from extractor.schema import CodingResult


# spaCy keeps every word that it meets: some 40,000 in the first thousand notes, and names and numbers without end
MOST_STRINGS = 100_000


class Coder:
    """Codes notes one at a time. What is not needed to build one loads with the first note, or with `load`.

    `profile` is the claim profile, a row of patterns/profiles.toml. `patterns` is a folder of your own that is laid
    over the shipped one: rows are added, replaced and disabled, tables are merged (see `extractor.patterns`).
    `descriptors` is a CSV file of your own with the columns code and descriptor; nothing else fills the descriptors of
    a result.

    Raises InputError for an unknown profile and a wrong file of descriptors, PatternError for a wrong pattern row.
    """

    def __init__(
        self, profile: str = "cpt", patterns: str | Path | None = None, descriptors: str | Path | None = None
    ) -> None:
        self.profile = profile
        self.patterns = PatternFolder(Path(patterns) if patterns is not None else None)
        self.book.profile(profile)
        self.descriptors = _descriptors(descriptors)

    @cached_property
    def books(self) -> CodeBooks:
        """The code books of all years; each loads when it is first needed."""
        from extractor.coding import CodeBooks

        return CodeBooks(self.patterns)

    @property
    def book(self) -> CodeBook:
        """Code numbers, labels, rules, queries and profiles, of the year for notes without a date."""
        return self.books.newest

    @cached_property
    def nlp(self) -> Language:
        """The medspaCy pipeline."""
        from extractor.pipeline import build

        return build(str(self.patterns.overlay) if self.patterns.overlay else None)

    @cached_property
    def _agents(self) -> AgentReader:
        from extractor.agents import AgentReader

        return AgentReader(self.patterns)

    @cached_property
    def _hearing(self) -> Hearing:
        from extractor.hearing import Hearing

        return Hearing(self.patterns)

    @cached_property
    def _entities(self) -> EntityReader:
        from extractor.entities import EntityReader

        return EntityReader(self.patterns)

    @cached_property
    def _rows(self) -> AssemblyRows:
        from extractor.rows import AssemblyRows

        return AssemblyRows.load(self.patterns)

    def load(self) -> None:
        """Loads what the first note would. Raises PatternError for a wrong row in any pattern file."""
        for name in ("nlp", "_agents", "_hearing", "_entities", "_rows"):
            getattr(self, name)
        self.books.check()

    def code(
        self, text: str, id: str = "note", profile: str | None = None, date_of_service: str | None = None
    ) -> CodingResult:
        """The coding of one note. Offsets in the result refer to `text` as given, in Unicode code points.

        `date_of_service` (YYYY-MM-DD) chooses the code book; without one it is the newest that came with the package.
        Raises InputError for an unknown profile and for a date that is none.
        """
        from extractor.coding import code_procedures
        from extractor.coding.years import day_of
        from extractor.result import build_result

        chosen = profile or self.profile
        day = None if date_of_service is None else day_of(date_of_service)
        book = self.books.of_day(day)
        profile_row = book.profile(chosen)
        note, doc = self.read(text)
        assembled = self.assemble(doc)
        coding = code_procedures(assembled.procedures, book, chosen, day=day)
        versions = {
            "engine": __version__,
            "patterns": self.patterns.fingerprint,
            "overlay": self.patterns.overlay_fingerprint,
            "codes": book.year,
            "profile": chosen,
            "profile_hash": profile_row.fingerprint,
            "date_of_service": date_of_service,
            "descriptors": self.descriptors.fingerprint if self.descriptors else "",
        }
        known = self.descriptors.texts if self.descriptors else None
        return build_result(id, note, assembled, self._entities.read(assembled), coding, versions, known)

    def read(self, text: str) -> tuple[CleanText, Doc]:
        """The clean view in which a note is read, and what the pipeline read in it."""
        note = self._hearing.heard(clean(text).seen_as(plain_boxes))
        nlp = self.nlp
        doc = nlp.make_doc(unwrapped(note.text))
        doc.user_data["facetcode_text"] = note.text
        doc = nlp(doc)
        if len(nlp.vocab.strings) > MOST_STRINGS:
            self.__dict__.pop("nlp", None)  # built anew for the next note
        return note, doc

    def assemble(self, doc: Doc) -> Assembled:
        """The procedures of a note, from what the pipeline read."""
        from extractor.assembly.procedures import assemble
        from extractor.mentions import collect

        return assemble(collect(doc), self._agents, self._rows)


def _descriptors(path: str | Path | None) -> Descriptors | None:
    if path is None:
        return None
    from extractor.descriptors import Descriptors

    return Descriptors.load(Path(path))
