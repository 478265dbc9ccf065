"""`facetcode feedback export`: what reviewers decided, as gold for `facetcode evaluate`.

Accepted, edited and added lines are the lines of the gold, rejected ones are not. Its status follows from them: coded
with lines, no_code without, and review only where the reviewer says that the note stays unsettled. The reviewer is the
author; the reasons become its "why".
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from extractor.batch.sinks import check_output
from extractor.batch.sources import printable
from extractor.errors import InputError
from extractor.evaluation.formats import native
from extractor.evaluation.records import Coding, Document, Line
from extractor.service.models import ReviewedNote
from extractor.service.store import last_reviews


def export(store: Path, out: Path) -> int:
    """Writes one gold record for each note, in the order of their ids; how many. InputError: a file is wrong, or there
    are no decisions."""
    check_output(str(out), [str(store)])
    reviews = last_reviews(store)
    first = next(reviews, None)
    if first is None:
        raise InputError(f"{printable(str(store))}: no decisions in this store")
    count = 0

    def documents() -> Iterator[Document]:
        nonlocal count
        for review in (first, *reviews):
            count += 1
            yield gold(review)

    native.write(documents(), out)
    return count


def gold(review: ReviewedNote) -> Document:
    """The note with what its reviewer decided."""
    kept = dict.fromkeys(
        Line(line.code, line.side, tuple(line.joints)) for line in review.lines if line.decision != "rejected"
    )
    status = "review" if review.unsettled else "coded" if kept else "no_code"
    why = "; ".join(f"{line.decision} {line.code}: {line.reason}" for line in review.lines if line.reason)
    return Document(review.id, review.text, coding=Coding(status, tuple(kept), why=why), author=review.reviewer)
