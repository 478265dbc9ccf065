"""Evidence: every quote is the note's own words, and without the sentences that hold it the verdict is another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from casefile import cases

from extractor import Coder
from extractor.pipeline.shared import reading
from extractor.schema import CodingResult, Evidence
from extractor.sentences import SentenceSplitter
from extractor.text import clean

CORPUS = Path(__file__).parent.parent / "corpus"
SPLITTER = SentenceSplitter(reading(None).table.sentences)


def corpus_notes() -> Iterator[tuple[str, str]]:
    """All notes of the corpus: text files, and JSONL records that have a text."""
    for path in sorted(CORPUS.rglob("*.txt")):
        yield path.stem, path.read_text(encoding="utf-8")
    for path in sorted(CORPUS.rglob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
            record = json.loads(line)
            if isinstance(record.get("text"), str):
                yield f"{path.stem}-{record.get('id', number)}", record["text"]


def test_notes() -> Iterator[tuple[str, str]]:
    for parameter in cases("notes.jsonl", {"text", "status", "lines"}, {"asks", "imaging", "injectate", "target"}):
        case = parameter.values[0]
        yield case["id"], case["text"]


NOTES = [pytest.param(text, id=name) for name, text in (*test_notes(), *corpus_notes())]
del test_notes


def quotes(result: CodingResult) -> list[Evidence]:
    found = [item for line in result.lines for item in line.evidence]
    found += [item for query in result.queries for item in query.evidence]
    for procedure in result.procedures:
        found += procedure.evidence
        found += [item for site in (*procedure.joints, *procedure.nerves) for item in site.evidence]
        found += [agent.evidence for agent in procedure.agents]
    return found


def lines_of(result: CodingResult) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(line.code, line.side, tuple(line.joints)) for line in result.lines]


def without(text: str, evidence: list[Evidence]) -> str:
    """The text with every sentence that holds one of the quotes blanked out, of the same length."""
    view = clean(text)
    places = {(item.start, item.end) for item in evidence}
    letters = list(text)
    for start, end in SPLITTER.split(view.text):
        given_start, given_end = view.span(start, end)
        if any(a < given_end and given_start < b for a, b in places):
            letters[given_start:given_end] = " " * (given_end - given_start)
    return "".join(letters)


@pytest.mark.parametrize("text", NOTES)
def test_every_quote_is_the_text_at_its_offsets(text: str, coder: Coder) -> None:
    result = coder.code(text)
    assert [item for item in quotes(result) if text[item.start : item.end] != item.text or not item.text] == []
    assert [item for item in result.entities if text[item.start : item.end] != item.text] == []
    for line in result.lines:
        assert line.evidence, f"{line.code} has no evidence"
        places = [(item.start, item.end) for item in line.evidence]
        assert places == sorted(set(places))


@pytest.mark.parametrize("text", NOTES)
def test_offsets_hold_for_the_text_as_given(text: str, coder: Coder) -> None:
    """The same note with foreign line ends, odd blanks and long dashes: other offsets, the same words and verdict."""
    odd = text.replace("\n", "\r\n").replace(" the ", "\u00a0the\u200b ").replace("-", "\u2013")
    result, plain = coder.code(odd), coder.code(text)
    assert [item for item in quotes(result) if odd[item.start : item.end] != item.text] == []
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
