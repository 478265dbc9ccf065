"""What every corpus format is read into, and written from: documents with spans, relations and a coding.

Offsets are 0-based, end-exclusive and in Unicode code points of `Document.text` as given: nothing is normalised, so
that CRLF, tabs and astral characters survive a round trip.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from extractor.coding.lines import ClaimLine
from extractor.errors import InputError

LABELS = ("Level", "Nerve", "BoneSite", "Side", "Imaging", "Agent", "Dose", "Target", "Technique")
ATTRIBUTES = ("assertion", "role", "value")
RELATIONS = ("level-side", "level-target", "agent-site")

Fragment = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Entity:
    """One annotated span. More than one fragment makes it discontinuous; fragments are in order and do not touch."""

    id: str
    label: str
    fragments: tuple[Fragment, ...]
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def start(self) -> int:
        return self.fragments[0][0]

    @property
    def end(self) -> int:
        return self.fragments[-1][1]

    def covered(self, text: str) -> str:
        """The words of the span; fragments are joined by one blank, as brat does."""
        return " ".join(text[start:end] for start, end in self.fragments)


@dataclass(frozen=True, slots=True)
class Relation:
    """A directed link between two entities of one document, by their ids."""

    id: str
    label: str
    head: str
    tail: str


@dataclass(frozen=True, slots=True)
class Line:
    """One code with its side and joints."""

    code: str
    side: str = "unspecified"
    joints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Coding:
    """The document layer: what the note is coded as. `None` means that the layer does not say."""

    status: str
    lines: tuple[Line, ...] = ()
    claim: tuple[ClaimLine, ...] | None = None
    imaging: tuple[str, ...] | None = None
    injectate: tuple[str, ...] | None = None
    target: tuple[str, ...] | None = None
    queries: tuple[str, ...] | None = None  # ids
    why: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One note with its annotations. `author` groups the notes of one hand; `carried` holds unknown keys."""

    id: str
    text: str
    entities: tuple[Entity, ...] = ()
    relations: tuple[Relation, ...] = ()
    coding: Coding | None = None
    author: str = ""
    carried: Mapping[str, Any] = field(default_factory=dict)


def checked(document: Document, where: str, labels: frozenset[str] | None = None) -> Document:
    """The document, or `InputError` naming `where` and what is wrong with its annotations (never words of the note).

    >>> checked(Document("a", "L4-5", (Entity("T1", "Level", ((0, 9),)),)), "a.ann")
    Traceback (most recent call last):
    extractor.errors.InputError: a.ann: T1 reaches beyond the text (0 to 9 of 4)
    """
    ids: set[str] = set()
    for entity in document.entities:
        if entity.id in ids:
            raise InputError(f"{where}: {entity.id} is there twice")
        ids.add(entity.id)
        if not entity.fragments or any(start >= end for start, end in entity.fragments):
            raise InputError(f"{where}: {entity.id} is empty")
        if entity.start < 0 or entity.end > len(document.text):
            size = len(document.text)
            raise InputError(f"{where}: {entity.id} reaches beyond the text ({entity.start} to {entity.end} of {size})")
        if any(a[1] > b[0] for a, b in zip(entity.fragments, entity.fragments[1:], strict=False)):
            raise InputError(f"{where}: the fragments of {entity.id} are not in order")
        if labels is not None and entity.label not in labels:
            raise InputError(f"{where}: {entity.id} has a label that is not known: {entity.label}")
    for relation in document.relations:
        if relation.head not in ids or relation.tail not in ids:
            raise InputError(f"{where}: {relation.id} links to something that is not there")
    return document
