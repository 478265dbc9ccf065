"""What is heard in dictation: cases/hearing.jsonl, and what hearing must leave alone."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from casefile import cases

from extractor.hearing import Hearing, HearingTable
from extractor.patterns import PatternFolder
from extractor.text import clean

CASES = cases("hearing.jsonl", {"text", "heard"})
NOTES = sorted((Path(__file__).parent.parent / "corpus" / "notes").glob("*.jsonl"))
# a number, a level, a side or a denial that went lost or came in would change a code
KEPT = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|left|right|bilateral|both|no|not|without"
    r"|[clst]\d{0,2}|\d+)\b",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def hearing() -> Hearing:
    return Hearing(PatternFolder())


@pytest.mark.parametrize("case", CASES)
def test_heard(case: dict[str, Any], hearing: Hearing) -> None:
    assert hearing.heard(clean(case["text"])).text == case["heard"]


@pytest.mark.parametrize("case", CASES)
def test_offsets_lead_back_to_the_text_as_given(case: dict[str, Any], hearing: Hearing) -> None:
    """A word that is no part of a term points to itself in the text as given, before and behind the changes."""
    note, given = hearing.heard(clean(case["text"])), case["text"]
    assert note.given == given
    table = PatternFolder().toml("hearing.toml", HearingTable)
    terms = {word for term in (*table.sounds.terms, *table.sounds.drugs) for word in term.split()}
    for word in re.finditer(r"\w+", note.text):
        start, end = note.span(*word.span())
        assert 0 <= start < end <= len(given)
        if len(re.findall(rf"\b{word.group()}\b", given)) == 1 and word.group() not in terms:
            assert given[start:end] == word.group()


def test_heard_text_has_nothing_more_to_hear(hearing: Hearing) -> None:
    again = [case.values[0] for case in CASES if "," not in case.values[0]["heard"]]
    assert len(again) >= 15
    assert [c["id"] for c in again if hearing.heard(clean(c["heard"])).text != c["heard"]] == []


@pytest.mark.parametrize("path", NOTES, ids=lambda path: path.stem)
def test_numbers_levels_sides_and_denials_are_never_touched(path: Path, hearing: Hearing) -> None:
    changed = []
    for line in path.read_text(encoding="utf-8").splitlines():
        note = json.loads(line)
        given = clean(note["text"]).text.replace("high eight us", "hiatus")  # no number
        heard = hearing.heard(clean(note["text"])).text
        if Counter(KEPT.findall(given.lower())) != Counter(KEPT.findall(heard.lower())):
            changed.append(note["id"])
    assert changed == []


def test_half_a_megabyte_of_one_word_is_heard(hearing: Hearing) -> None:
    """Words that begin like a term for ever, or like a mark: no endless look-ahead."""
    for word in ("fluoro ", "comma ", "sacral ", "medial bran ", "1 slash "):
        assert hearing.heard(clean(word * (500_000 // len(word)))).text
