"""Drug supplies: from the note to HCPCS lines, units, waste and questions.

cases/supplies.jsonl: `supplies` ("J3301-JW x2 20 mg"), `asks` (ids of the queries that the option adds), `warns` (ids
of its warnings), and the `day` of service and `profile` where they matter.
"""

from __future__ import annotations

from typing import Any

import pytest
from casefile import cases

from extractor import Coder
from extractor.agent_names import DrugNames
from extractor.agent_view import Phrases
from extractor.agents import AgentReader
from extractor.coding import CodeBook
from extractor.dose_items import NOUNS, DoseRow, Items
from extractor.mentions import Reading
from extractor.patterns import PatternFolder
from extractor.schema import CodingResult, SupplyLine

CASES = cases("supplies.jsonl", {"text", "supplies", "asks", "warns"}, {"day", "profile"})


@pytest.fixture(scope="module")
def supplying() -> Coder:
    return Coder(supplies=True)


@pytest.fixture(scope="module")
def book() -> CodeBook:
    return CodeBook.load(PatternFolder())


def shown(line: SupplyLine) -> str:
    return f"{'-'.join((line.code, *line.modifiers))} x{line.units} {line.amount}"


def coded(coder: Coder, case: dict[str, Any]) -> CodingResult:
    return coder.code(case["text"], profile=case.get("profile"), date_of_service=case.get("day"))


@pytest.mark.parametrize("case", CASES)
def test_supplies(case: dict[str, Any], supplying: Coder, coder: Coder, book: CodeBook) -> None:
    without, result = coded(coder, case), coded(supplying, case)
    before = [query.id for query in without.queries]
    assert [shown(line) for line in result.supplies] == case["supplies"]
    assert [query.id for query in result.queries if query.id not in before] == case["asks"]
    told = [warning for warning in result.warnings if warning not in without.warnings]
    rows = [book.query(id_) for id_ in case["warns"]]
    assert len(told) == len(rows)
    for warning, row in zip(told, rows, strict=True):
        head = (row.question_sites or row.question).partition("{")[0]
        assert warning.startswith(head)
    assert result.status == ("review" if case["asks"] else without.status)
    assert without.supplies == []
    assert (result.lines, result.claim, result.procedures) == (without.lines, without.claim, without.procedures)


def test_evidence_is_of_the_note(supplying: Coder) -> None:
    for case in (parameter.values[0] for parameter in CASES):
        result = coded(supplying, case)
        for line in result.supplies:
            assert line.evidence
            assert all(case["text"][e.start : e.end] == e.text for e in line.evidence)
        for query in result.queries:
            assert query.id not in case["asks"] or query.evidence


READER, NAMES = AgentReader(PatternFolder()), DrugNames(PatternFolder())
ROWS = PatternFolder().csv("doses.csv", DoseRow)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.phrase)
def test_every_phrase_is_found_in_its_example(row: DoseRow) -> None:
    """A noun is found as what "each" is said of, every other row as a cue of its role."""
    note = Reading(row.example, (), (), (), (), (), (), ())
    view = READER.view(row.example, [], NAMES.hits(row.example))
    items = Items(note, view, Phrases({one.phrase: one for one in ROWS}), frozenset({"steroid"}))
    if row.role in NOUNS:
        assert row.role in {item.noun for item in items.all}
    else:
        assert row.role in {item.kind for item in items.all}
