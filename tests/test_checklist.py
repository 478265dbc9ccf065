"""The audit checklist: states of items (tests/cases/checklist.jsonl), and every phrase row's example and counter."""

from __future__ import annotations

import time
from typing import Any

import pytest
from casefile import cases

from extractor import Coder
from extractor.audit.checklist import Checklist
from extractor.audit.reading import PhraseReader
from extractor.audit.rows import AuditTable, ChecklistPhrase, ChecklistRows
from extractor.errors import PatternError
from extractor.patterns import PatternFolder

ROWS = ChecklistRows.load(PatternFolder())


@pytest.fixture(scope="module")
def checklist(coder: Coder) -> Checklist:
    return Checklist(coder.patterns, AuditTable.load(coder.patterns))


@pytest.mark.parametrize("case", cases("checklist.jsonl", {"note", "items"}))
def test_items(case: dict[str, Any], coder: Coder, checklist: Checklist) -> None:
    result = coder.code(case["note"])
    checked = {item.id: item for item in checklist.check(case["note"], result, coder.book)}
    assert {name: checked[name].state for name in case["items"]} == case["items"]
    quotes = [words for item in checked.values() for words in item.evidence]
    assert [words.text for words in quotes] == [case["note"][words.start : words.end] for words in quotes]
    assert all(item.reason and item.source for item in checked.values())


def test_every_item_is_in_a_case() -> None:
    named = {name for parameter in cases("checklist.jsonl", {"note", "items"}) for name in parameter.values[0]["items"]}
    assert named == set(ROWS.table.items)


def test_silence_is_never_not_met(coder: Coder, checklist: Checklist) -> None:
    note = "PROCEDURE: L4-5 facet joint injection. The L4-5 facet joint was injected with bupivacaine."
    items = checklist.check(note, coder.code(note), coder.book)
    assert {item.state for item in items} == {"met", "not_stated", "not_applicable"}


@pytest.mark.parametrize(("words", "count"), [("left ", 20_000), ("History of fusion L2-L3. ", 8_000)])
def test_a_long_note_takes_linear_time(words: str, count: int, coder: Coder, checklist: Checklist) -> None:
    note = (
        "PROCEDURE: Left L4-5 facet joint injection.\n"
        "Under fluoroscopy the left L4-5 facet joint was entered and injected with bupivacaine.\n"
    ) + words * count
    result = coder.code(note)
    begun = time.process_time()
    checklist.check(note, result, coder.book)
    assert time.process_time() - begun < 6  # about 1 to 2 s; each held against every other takes 12 s and more


def _shown(row: ChecklistPhrase, text: str) -> list[str]:
    reader = PhraseReader(PatternFolder(), ChecklistRows(ROWS.table, (row,)))
    return [found.shows for found in reader.read(reader.hear(text)).get(row.item, [])]


@pytest.mark.parametrize("row", ROWS.phrases, ids=lambda row: f"{row.item}-{row.part}-{row.phrase[:30]}")
def test_example_and_counter(row: ChecklistPhrase) -> None:
    assert row.shows in _shown(row, row.example)
    assert row.shows not in _shown(row, row.counter)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("nothing,saved,images,met,,,,,images,", "no item 'nothing' in checklist.toml"),
        ("images,kept,images,met,,,,,images,", "item 'images' has no part 'kept'"),
        ("images,saved,images,met,,,,cellar,images,", "no kind of section 'cellar'"),
        ("images,saved,images ...,met,,,,,images,", "a phrase cannot end with a gap"),
        ("images,saved,images,maybe,,,,,images,", "shows"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Any, row: str, message: str) -> None:
    header = "item,part,phrase,shows,denied,least,less,only,example,counter"
    (tmp_path / "checklist_phrases.csv").write_text(f"{header}\n{row}\n")
    folder = PatternFolder(tmp_path)
    with pytest.raises(PatternError, match=r"checklist_phrases\.csv") as caught:
        Checklist(folder, AuditTable.load(folder))
    assert message in str(caught.value)


def test_a_clinic_adds_a_phrase(tmp_path: Any, coder: Coder) -> None:
    header = "item,part,phrase,shows,denied,least,less,only,example,counter"
    row = "consent,consent,permission slip,met,not_met,,,,Permission slip on the chart.,Consent."
    (tmp_path / "checklist_phrases.csv").write_text(f"{header}\n{row}\n")
    folder = PatternFolder(tmp_path)
    note = (
        "PROCEDURE: Right L4-5 facet joint injection.\n"
        "Permission slip on the chart. Under fluoroscopy the right L4-5 facet joint was entered and injected."
    )
    items = Checklist(folder, AuditTable.load(folder)).check(note, coder.code(note), coder.book)
    assert next(item.state for item in items if item.id == "consent") == "met"
