"""Short whole notes, from text to lines: cases/notes.jsonl, all families and rulings."""

from __future__ import annotations

from typing import Any

import pytest
from casefile import cases

from extractor import Coder

REQUIRED = {"text", "status", "lines"}
OPTIONAL = {"asks", "imaging", "injectate", "target"}
NOTES = cases("notes.jsonl", REQUIRED, OPTIONAL)


@pytest.mark.parametrize("case", NOTES)
def test_note(case: dict[str, Any], coder: Coder) -> None:
    """Status and lines are equal; `asks` are among the query ids, and a coded note asks nothing."""
    result = coder.code(case["text"])
    ids = [query.id for query in result.queries]
    got = (result.status, [[line.code, line.side, line.joints] for line in result.lines])
    assert got == (case["status"], case["lines"]), ids
    assert set(case.get("asks", ())) <= set(ids)
    assert bool(ids) == (case["status"] == "review")
    for key in ("imaging", "injectate", "target"):
        if key in case:
            assert getattr(result.summary, key) == case[key], key


def test_every_review_case_says_what_is_asked() -> None:
    assert all(bool(case.get("asks")) == (case["status"] == "review") for case in (param.values[0] for param in NOTES))


def test_the_same_note_gives_the_same_bytes(coder: Coder) -> None:
    text = NOTES[0].values[0]["text"]
    assert coder.code(text).to_json() == Coder().code(text).to_json()
