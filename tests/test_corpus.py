"""The notes of the corpus: what is quoted and released, with known failures in cases/corpus_known.toml (strict)."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from casefile import FOLDER
from quoting import lines_of, misquoted, without

from extractor import Coder
from extractor.schema import CodingResult

CORPUS = Path(__file__).parent.parent / "corpus"
FILES = [*sorted((CORPUS / "notes").glob("*.jsonl")), *sorted((CORPUS / "annotated").glob("*/gold.jsonl"))]
KNOWN: dict[str, dict[str, str]] = tomllib.loads((FOLDER / "corpus_known.toml").read_text(encoding="utf-8"))
GOLD = {"status", "lines", "imaging", "injectate", "target", "queries"}
NO_SIDE = {"20552", "20553", "62320", "62321", "62322", "62323"}  # reported once, whatever the side

Note = dict[str, Any]
Line = tuple[str, str, tuple[str, ...]]
Read = Callable[[Note], CodingResult]


@cache
def notes_of(path: Path) -> list[Note]:
    """The notes of a file; those of an annotated split have their texts in files of their own."""
    notes = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    for note in notes:
        if "text" not in note:
            note["text"] = (path.parent / note["author"] / f"{note['id']}.txt").read_bytes().decode("utf-8")
    return notes


NOTES = [note for path in FILES for note in notes_of(path)]
of_each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(CORPUS).as_posix())


@pytest.fixture(scope="module")
def read(coder: Coder) -> Read:
    """The result of a note, worked out once for all tests."""
    results: dict[str, CodingResult] = {}

    def result_of(note: Note) -> CodingResult:
        if note["id"] not in results:
            results[note["id"]] = coder.code(note["text"])
        return results[note["id"]]

    return result_of


def comparable(lines: list[Note]) -> set[Line]:
    """Lines as they are scored: in no order, and without a side where the code has none."""
    return {
        (line["code"], "unspecified" if line["code"] in NO_SIDE else line["side"], tuple(sorted(line["joints"])))
        for line in lines
    }


# -- the corpus itself ---------------------------------------------------------------------------------------------


def test_the_corpus_has_notes_of_every_verdict() -> None:
    assert {note["gold"]["status"] for note in NOTES} == {"coded", "review", "no_code"}


def test_every_id_stands_once() -> None:
    ids = [note["id"] for note in NOTES]
    assert len(ids) == len(set(ids))


@of_each_file
def test_gold_is_complete_and_agrees_with_itself(path: Path) -> None:
    """A coded note has lines and no question, a note in review asks, a note without code has no line."""
    for note in notes_of(path):
        gold = note["gold"]
        assert note["text"].strip(), note["id"]
        assert note["style"], note["id"]
        assert gold.keys() >= GOLD, note["id"]
        shape = (bool(gold["lines"]), bool(gold["queries"]))
        fits = {"coded": shape == (True, False), "review": shape[1], "no_code": shape == (False, False)}
        assert fits[gold["status"]], note["id"]


def test_known_failures_are_notes_of_the_corpus_and_have_a_reason() -> None:
    ids = {note["id"] for note in NOTES}
    assert KNOWN.keys() == {"released", "unsupported"}
    assert [name for table in KNOWN.values() for name, why in table.items() if name not in ids or not why] == []


# -- evidence ------------------------------------------------------------------------------------------------------


@of_each_file
def test_every_quote_is_the_text_at_its_offsets(path: Path, read: Read) -> None:
    wrong: dict[str, list[str]] = {}
    for note in notes_of(path):
        result = read(note)
        bad = misquoted(note["text"], result) + [line.code for line in result.lines if not line.evidence]
        if bad:
            wrong[note["id"]] = bad
    assert wrong == {}


@of_each_file
def test_offsets_hold_for_the_text_as_given(path: Path, read: Read, coder: Coder) -> None:
    """The same note with foreign line ends, odd blanks and long dashes: other offsets, the same words and lines."""
    wrong = []
    for note in notes_of(path):
        odd = note["text"].replace("\n", "\r\n").replace(" the ", "\u00a0the\u200b ").replace("-", "\u2013")
        result = coder.code(odd)
        if misquoted(odd, result) or lines_of(result) != lines_of(read(note)):
            wrong.append(note["id"])
    assert wrong == []


@of_each_file
def test_without_its_evidence_a_note_has_another_result(path: Path, read: Read, coder: Coder) -> None:
    same = set()
    for note in notes_of(path):
        result = read(note)
        if result.lines:
            rest = coder.code(without(note["text"], [item for line in result.lines for item in line.evidence]))
            if (rest.status, lines_of(rest)) == (result.status, lines_of(result)):
                same.add(note["id"])
    assert same == KNOWN["unsupported"].keys() & {note["id"] for note in notes_of(path)}


# -- verdicts ------------------------------------------------------------------------------------------------------


def test_nothing_is_released_that_gold_does_not_have(read: Read) -> None:
    """No note is `coded` when gold is not, nor with a code, side or joint too many."""
    wrong = set()
    for note in NOTES:
        result = read(note)
        found = comparable([line.model_dump() for line in result.lines])
        released = result.status == "coded"
        if released and (note["gold"]["status"] != "coded" or found - comparable(note["gold"]["lines"])):
            wrong.add(note["id"])
    assert wrong == KNOWN["released"].keys()
