"""What the components share: the rows of a patterns folder, and char spans put into span groups."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from spacy.tokens import Doc, Span

from extractor.patterns import PatternFolder
from extractor.rows import ReadingPatterns


@lru_cache(maxsize=8)
def folder(overlay: str | None) -> PatternFolder:
    """The shipped patterns with the user's overlay."""
    return PatternFolder(Path(overlay) if overlay else None)


@lru_cache(maxsize=8)
def reading(overlay: str | None) -> ReadingPatterns:
    """All rows of the folder, loaded once a process."""
    return ReadingPatterns.load(folder(overlay))


def _no_matches(doc: Doc) -> list[Any]:
    return []  # a function of the module, so that a pipeline can be pickled


def drop_empty_matcher(matcher: Any) -> None:
    """Take the token matcher out of a MedspacyMatcher that gets phrases only.

    spaCy warns (W036) at every call of an empty matcher; muting the warning would mute it for the whole process.
    """
    matcher._MedspacyMatcher__matcher = _no_matches


def group(doc: Doc, name: str, spans: Iterable[tuple[int, int, str]]) -> None:
    """Put (start, end, label) char spans into a span group, widened to whole tokens."""
    found = (doc.char_span(start, end, label=label, alignment_mode="expand") for start, end, label in spans)
    doc.spans[name] = [span for span in found if isinstance(span, Span)]


def extension(name: str) -> None:
    """Register a Doc extension once."""
    if not Doc.has_extension(name):
        Doc.set_extension(name, default=())
