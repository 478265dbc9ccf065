"""The entity layer: which words are a span of a label (cases/entities.jsonl), and its table."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from casefile import cases
from hypothesis import given
from hypothesis import strategies as st

from extractor import Coder
from extractor.entity_table import EntityTable, Taken
from extractor.errors import PatternError
from extractor.patterns import PatternFolder

CORPUS = Path(__file__).parent.parent / "corpus"


@cache
def coder() -> Coder:
    return Coder()


@cache
def table() -> EntityTable:
    return PatternFolder().toml("entities.toml", EntityTable)


@pytest.mark.parametrize("case", cases("entities.jsonl", {"text", "label", "covered"}, {"assertion"}))
def test_case(case: dict[str, Any]) -> None:
    found = [entity for entity in coder().code(case["text"]).entities if entity.label == case["label"]]
    assert [entity.text for entity in found] == case["covered"]
    if "assertion" in case:
        assert {entity.assertion for entity in found} == {case["assertion"]}


def test_the_quick_look_misses_no_words() -> None:
    """`needs` only saves time: wherever the words of a row stand, one of them stands too."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((CORPUS / "annotated").glob("*/*/*.txt"))]
    texts += [case.values[0]["text"] for case in cases("entities.jsonl", {"text", "label", "covered"}, {"assertion"})]
    assert len(texts) > 500
    rows = [row for row in table().word if row.needs]
    missed, fired = [], 0
    for text in texts:
        small = text.lower()
        for row in rows:
            if row.words.search(text):
                fired += 1
                if not any(word in small for word in row.needs):
                    missed.append(row.words.pattern)
    assert missed == []
    assert fired > 100


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 8))),
    st.tuples(st.integers(0, 30), st.integers(1, 8)),
)
def test_taken_meets_what_overlaps(lengths: list[tuple[int, int]], asked: tuple[int, int]) -> None:
    spans = [(start, start + length) for start, length in lengths]
    start, end = asked[0], asked[0] + asked[1]
    assert Taken(spans).meets(start, end) == any(a < end and start < b for a, b in spans)


def test_a_broken_expression_stops_the_load(tmp_path: Any) -> None:
    shipped = (PatternFolder().shipped / "entities.toml").read_text(encoding="utf-8")
    broken = shipped.replace("gap = '''[ -]'''", "gap = '''[ -'''")
    (tmp_path / "entities.toml").write_text(broken, encoding="utf-8")
    with pytest.raises(PatternError, match="no expression"):
        PatternFolder(tmp_path).toml("entities.toml", EntityTable)
