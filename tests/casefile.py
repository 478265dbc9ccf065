"""Cases as data: tests/cases/NAME.jsonl, one JSON object a line, each with a unique id and only known keys."""

from __future__ import annotations

import json
from collections.abc import Set
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "cases"


def cases(name: str, required: Set[str], optional: Set[str] = frozenset()) -> list[Any]:
    """The cases of a file as parameters of a test; `"xfail": "reason"` marks a known failure (strict)."""
    parameters, seen = [], set()
    for number, line in enumerate((FOLDER / name).read_text(encoding="utf-8").splitlines(), start=1):
        case = json.loads(line)
        where = f"{name} line {number}"
        wrong = (case.keys() - required - optional - {"id", "xfail"}) | ((required | {"id"}) - case.keys())
        assert not wrong, f"{where}: unknown or missing keys {sorted(wrong)}"
        assert case["id"] not in seen, f"{where}: id {case['id']!r} stands twice"
        seen.add(case["id"])
        marks = [pytest.mark.xfail(reason=case["xfail"], strict=True)] if "xfail" in case else []
        parameters.append(pytest.param(case, id=case["id"], marks=marks))
    assert parameters, f"{name}: no cases"
    return parameters
