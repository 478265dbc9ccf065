"""Claims held against notes: verdicts, what is missing, and one finding for one fault (tests/cases/audit.jsonl)."""

from __future__ import annotations

from typing import Any

import pytest
from casefile import cases

from extractor import Coder
from extractor.audit.claims import Billed
from extractor.audit.compare import Rules, compare
from extractor.audit.rows import AuditTable
from extractor.audit.service import claimed

_KEYS = {"note", "profile", "claim", "verdicts", "findings", "undercoded"}


@pytest.fixture(scope="module")
def rules(coder: Coder) -> Rules:
    return Rules.of(coder.book, AuditTable.load(coder.patterns))


@pytest.mark.parametrize("case", cases("audit.jsonl", _KEYS))
def test_claim(case: dict[str, Any], coder: Coder, rules: Rules) -> None:
    result = coder.code(case["note"], profile=case["profile"])
    billed = [
        Billed(number, "claims.csv", code, tuple(modifiers), units)
        for number, (code, modifiers, units) in enumerate(case["claim"], start=1)
    ]
    outcome = compare(result, billed, rules)
    assert (
        sorted(found.kind for found in outcome.findings),
        [line.verdict for line in outcome.lines],
        list(map(claimed, outcome.undercoded)),
    ) == (case["findings"], case["verdicts"], case["undercoded"])
