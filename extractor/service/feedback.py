"""`facetcode feedback export`: what reviewers decided, as gold for `facetcode evaluate`.

Accepted, edited and added lines are the lines of the gold, rejected ones are not. Its status follows from them: coded
with lines, no_code without, and review only where the reviewer says that the note stays unsettled. The reviewer is the
author; the reasons become its "why".

Several notes may have come under one id, as "note" is what an id is when none is given. Each is a record: the one whose
last review is the oldest keeps the id, the others get "#2", "#3" and so on behind it, passing over ids that are taken.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Container, Iterator
from dataclasses import replace
from pathlib import Path

from extractor.batch.sinks import check_output
from extractor.batch.sources import printable
from extractor.errors import InputError
from extractor.evaluation.formats import native
from extractor.evaluation.records import Coding, Document, Line
from extractor.service.models import ReviewedNote
from extractor.service.store import last_reviews


def export(store: Path, out: Path, say: Callable[[str], object] = lambda line: None) -> int:
    """Writes one gold record for each note, in the order of their ids, to a file of its owner alone; how many.

    `say` gets a line for people when ids had to be changed. InputError: a file is wrong, or there are no decisions.
    """
    check_output(str(out), [str(store)])
    taken = {review.id for review in last_reviews(store)}
    if not taken:
        raise InputError(f"{printable(str(store))}: no decisions in this store")
    count = changed = 0

    def documents() -> Iterator[Document]:
        nonlocal count, changed
        before = ""
        for review in last_reviews(store):
            document = gold(review)
            if review.id == before:
                document = replace(document, id=_other(review.id, taken))
                taken.add(document.id)
                changed += 1
            before = review.id
            count += 1
            yield document

    native.write(documents(), out, own=True)
    if changed:
        say(f"{changed} notes came under the id of another note with another text: they have #2, #3 ... behind it")
    return count


def _other(id: str, taken: Container[str]) -> str:
    return next(name for number in itertools.count(2) if (name := f"{id}#{number}") not in taken)


def gold(review: ReviewedNote) -> Document:
    """The note with what its reviewer decided."""
    kept = dict.fromkeys(
        Line(line.code, line.side, tuple(line.joints)) for line in review.lines if line.decision != "rejected"
    )
    status = "review" if review.unsettled else "coded" if kept else "no_code"
    why = "; ".join(f"{line.decision} {line.code}: {line.reason}" for line in review.lines if line.reason)
    day = {"date_of_service": review.date_of_service} if review.date_of_service else {}  # it chooses the code book
    coding = Coding(status, tuple(kept), why=why)
    return Document(review.id, review.text, coding=coding, author=review.reviewer, carried=day)
