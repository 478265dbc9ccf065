"""Evidence: every quote is the note's own words, and without the sentences that hold it the verdict is another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from casefile import cases
from quoting import lines_of, misquoted, without

from extractor import Coder

SAMPLES = Path(__file__).parent.parent / "corpus" / "samples"


def samples() -> Iterator[tuple[str, str]]:
    for path in sorted(SAMPLES.glob("*.txt")):
        yield path.stem, path.read_text(encoding="utf-8")


def test_notes() -> Iterator[tuple[str, str]]:
    for parameter in cases("notes.jsonl", {"text", "status", "lines"}, {"asks", "imaging", "injectate", "target"}):
        case = parameter.values[0]
        yield case["id"], case["text"]


NOTES = [pytest.param(text, id=name) for name, text in (*test_notes(), *samples())]
del test_notes


@pytest.mark.parametrize("text", NOTES)
def test_every_quote_is_the_text_at_its_offsets(text: str, coder: Coder) -> None:
    result = coder.code(text)
    assert misquoted(text, result) == []
    for line in result.lines:
        assert line.evidence, f"{line.code} has no evidence"
        places = [(item.start, item.end) for item in line.evidence]
        assert places == sorted(set(places))


@pytest.mark.parametrize("text", NOTES)
def test_offsets_hold_for_the_text_as_given(text: str, coder: Coder) -> None:
    """The same note with foreign line ends, odd blanks and long dashes: other offsets, the same words and verdict."""
    odd = text.replace("\n", "\r\n").replace(" the ", "\u00a0the\u200b ").replace("-", "\u2013")
    result, plain = coder.code(odd), coder.code(text)
    assert misquoted(odd, result) == []
    assert lines_of(result) == lines_of(plain)


@pytest.mark.parametrize("text", NOTES)
def test_without_its_evidence_a_note_has_other_lines(text: str, coder: Coder) -> None:
    result = coder.code(text)
    if not result.lines:
        return
    evidence = [item for line in result.lines for item in line.evidence]
    assert lines_of(coder.code(without(text, evidence))) != lines_of(result)


def test_there_are_lines_to_look_at(coder: Coder) -> None:
    kept: list[Any] = [parameter for parameter in NOTES if coder.code(str(parameter.values[0])).lines]
    assert len(kept) >= 80
