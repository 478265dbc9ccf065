"""What counts as performed, negated, historical or planned: cases/assertion.jsonl, read from the published entities."""

from __future__ import annotations

from typing import Any

import pytest
from casefile import cases

from extractor import Coder

CASES = cases("assertion.jsonl", {"text", "expect"})
NAMES = {"performed", "negated", "historical", "planned", "hypothetical"}


@pytest.mark.parametrize("case", CASES)
def test_assertion(case: dict[str, Any], coder: Coder) -> None:
    """Each marked mention, in order of the text; the same words twice are the first and the second such mention."""
    found = [(entity.text, entity.assertion) for entity in coder.code(case["text"]).entities]
    wanted = {words for words, _ in case["expect"]}
    assert [list(pair) for pair in found if pair[0] in wanted] == case["expect"]


def test_no_snippet_of_another_day_is_coded(coder: Coder) -> None:
    """A snippet in which nothing is marked as performed gives no line."""
    passing = [case.values[0] for case in CASES if not case.marks]
    silent = [case for case in passing if "performed" not in {name for _, name in case["expect"]}]
    assert len(silent) >= 30
    assert [case["id"] for case in silent if coder.code(case["text"]).lines] == []


def test_the_cases_cover_every_assertion() -> None:
    assert {name for case in CASES for _, name in case.values[0]["expect"]} == NAMES
