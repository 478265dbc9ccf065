"""Drug supplies: from the note to HCPCS lines, units, waste and questions.

cases/supplies.jsonl: `supplies` ("J3301-JW x2 20 mg"), `asks` (ids of the queries that the option adds), `warns` (ids
of its warnings), and the `day` of service and `profile` where they matter.
"""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from casefile import cases
from click.testing import CliRunner

from extractor import Coder
from extractor.agent_names import DrugNames
from extractor.agents import AgentReader
from extractor.batch import command
from extractor.batch.spark import coder_of_process
from extractor.cli import cli
from extractor.coding import CodeBook
from extractor.coding.supplies import Total, total_of
from extractor.dose_items import DoseRow
from extractor.errors import InputError, PatternError
from extractor.patterns import PatternFolder
from extractor.records import Dose
from extractor.report import html_page, text_summary
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


def each(number: str, noun: str, **places: int | None) -> Total | str:
    told = Dose("triamcinolone", "triamcinolone acetonide", "each", Decimal(number), noun)
    return total_of([told], places)


def test_a_place_that_is_not_counted_is_asked() -> None:
    assert each("20", "joint", joint=3) == Total(Decimal(60), Decimal(20), 3)
    assert each("20", "level", joint=3, level=None) == "dose_unclear"
    assert each("20", "side") == "dose_unclear"


def test_a_dose_beyond_reason_is_asked() -> None:
    for amount in ("0", "100001"):
        told = Dose("triamcinolone", "triamcinolone acetonide", "total", Decimal(amount))
        assert total_of([told], {}) == "dose_unclear"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('{ code = "J3301", per = 0, source = "s" }', "per"),
        ('{ code = "J3301", per = 10, source = "s" }, { code = "J3302", per = 5, source = "s" }', "same days"),
        ('{ code = "J3301", per = 10, until = 2024-01-01, source = "s" }', "until"),
    ],
)
def test_a_wrong_row_of_the_table_stops_the_load(row: str, said: str, tmp_path: Path) -> None:
    shipped = (PatternFolder().shipped / "supplies.toml").read_text(encoding="utf-8")
    good = next(line for line in shipped.splitlines() if 'code = "J3301"' in line)
    (tmp_path / "supplies.toml").write_text(shipped.replace(good, f"codes = [{row}]"), encoding="utf-8")
    with pytest.raises(PatternError, match=rf"supplies\.toml.*{said}"):
        Coder(patterns=tmp_path, supplies=True).load()


def test_a_name_needs_a_usual_product(tmp_path: Path) -> None:
    rows = '[[drugs]]\nname = "triamcinolone"\nproduct = "another"\ncodes = [{ code = "J9999", per = 1, source = "s" }]'
    (tmp_path / "supplies.toml").write_text(rows, encoding="utf-8")
    with pytest.raises(PatternError, match="the usual one"):
        Coder(patterns=tmp_path, supplies=True).load()


def test_a_day_that_is_none_is_refused(supplying: Coder) -> None:
    with pytest.raises(InputError, match="not a date"):
        supplying.code(CASES[0].values[0]["text"], date_of_service="March 2024")


def test_a_clinic_adds_a_code_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "disabled.csv").write_text("file,id,reason\nsupplies.toml,drugs[hydrocortisone],has a code here\n")
    row = 'name = "hydrocortisone"\nproduct = "hydrocortisone"\ncodes = [{ code = "J1720", per = 100, source = "s" }]'
    (tmp_path / "supplies.toml").write_text(f"[[drugs]]\n{row}\n", encoding="utf-8")
    case = next(parameter.values[0] for parameter in CASES if parameter.values[0]["id"] == "unlisted")
    assert [shown(line) for line in coded(Coder(patterns=tmp_path, supplies=True), case).supplies] == ["J1720 x1 25 mg"]


# -- the option by every way in --------------------------------------------------------------------------------------


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "notes.jsonl"
    chosen = [parameter.values[0] for parameter in CASES[:3]]
    path.write_text("".join(json.dumps({"id": c["id"], "text": c["text"]}) + "\n" for c in chosen), encoding="utf-8")
    return path


def ran(*arguments: str) -> None:
    outcome = CliRunner().invoke(cli, ["run", *arguments], standalone_mode=False)
    assert outcome.exception is None


def test_run_with_and_without_the_option(notes: Path, tmp_path: Path, supplying: Coder, coder: Coder) -> None:
    plain, listed = tmp_path / "plain.jsonl", tmp_path / "listed.jsonl"
    ran(str(notes), "-o", str(plain), "--workers", "1")
    ran(str(notes), "-o", str(listed), "--workers", "2", "--supplies")
    given = [json.loads(line) for line in notes.read_text(encoding="utf-8").splitlines()]
    for path, maker in ((plain, coder), (listed, supplying)):
        wanted = [maker.code(note["text"], id=note["id"]).to_json() for note in given]
        assert path.read_text(encoding="utf-8").splitlines() == wanted
    assert plain.read_bytes() != listed.read_bytes()


def test_a_stopped_run_begins_anew_with_another_setting(notes: Path, tmp_path: Path) -> None:
    call = {"inputs": [str(notes)], "out": "o.jsonl", "profile": "cpt", "patterns": None, "day": None}
    call |= {"id_column": "id", "text_column": "text", "max_chars": None, "summary": None}
    call |= {"workers": 1, "note_timeout": None}
    without, listed = command.Run(**call), command.Run(**call, supplies=True)  # type: ignore[arg-type]
    assert command.made_with(without) != command.made_with(listed)
    assert len(set(map(tuple, (command.made_with(without), command.made_with(replace(listed, supplies=False)))))) == 1


def test_a_process_of_spark_keeps_the_settings_apart() -> None:
    text = CASES[0].values[0]["text"]
    assert coder_of_process("cpt", None, supplies=True)(text).supplies
    assert not coder_of_process("cpt", None)(text).supplies


def test_the_service_lists_supplies_where_it_was_asked(tmp_path: Path) -> None:
    pytest.importorskip("fastapi")
    from service_server import served

    with served(tmp_path, "--supplies", "--workers", "1") as server:
        answer = server.client.post("/v1/code", json={"text": CASES[0].values[0]["text"]})
    assert [line["code"] for line in answer.json()["supplies"]] == ["J3301"]


def test_reports_show_supplies(supplying: Coder) -> None:
    case = next(parameter.values[0] for parameter in CASES if parameter.values[0]["id"] == "waste-and-vial")
    result = coded(supplying, case)
    assert "supply: J3301-JW x2  triamcinolone 20 mg" in text_summary(result)
    page = html_page(result, case["text"])
    assert "<h2>Drug supplies</h2>" in page
    assert "J3301 x4  triamcinolone 40 mg" in page
