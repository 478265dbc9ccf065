"""Files of billed lines: CSV and JSONL, read robustly, and `facetcode audit` as a command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from extractor import cli
from extractor.audit.claims import read_claims
from extractor.audit.models import AuditReport
from extractor.errors import InputError

PROFILES = ("cpt", "medicare")
NOTE = (
    "PROCEDURE: Bilateral L4-5 facet joint injections under fluoroscopy.\n"
    "Under fluoroscopy needles were advanced into the right and the left L4-5 facet joint and 0.5 mL of bupivacaine "
    "0.5% was injected into each joint. No complications."
)

_THREE = (("n1", "64493"), ("n1", "64494"), ("n2", "64490"))


def lines_of(path: Path) -> list[tuple[str, str, tuple[str, ...], int]]:
    claims, bad = read_claims(path, PROFILES)
    assert bad == []
    return [(claim.id, line.code, line.modifiers, line.units) for claim in claims.values() for line in claim.lines]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id,code,modifiers,units\nn1,64493,50,1\n", [("n1", "64493", ("50",), 1)]),
        ("id,code\nn1,64493\n", [("n1", "64493", (), 1)]),
        ("ID;Code;Modifiers\nn1; 64493 ;RT KX\n", [("n1", "64493", ("RT", "KX"), 1)]),
        ('id,code,modifiers\nn1,64493,"RT, KX"\n', [("n1", "64493", ("RT", "KX"), 1)]),
        ("id,code,modifiers\nn1,64493,rt-kx\n", [("n1", "64493", ("RT", "KX"), 1)]),
        ("id,code\nn1,64493-50\n", [("n1", "64493", ("50",), 1)]),
        ("id,code,modifier1,modifier2,units\nn1,64493.0,50.0,KX,1.0\n", [("n1", "64493", ("50", "KX"), 1)]),
        ("id,code,units\nn1,216t,\n", [("n1", "0216T", (), 1)]),
        ("\ufeffid\tcode\r\nn1\t64493\r\n\r\n", [("n1", "64493", (), 1)]),
        (
            "id,code,modifiers,units,note\nn1,64493,,2,x\nn2,64494,,,\n",
            [("n1", "64493", (), 2), ("n2", "64494", (), 1)],
        ),
        ("id,code\rn1,64493\rn1,64494\r", [("n1", "64493", (), 1), ("n1", "64494", (), 1)]),
        ("id,code\nn1,64493\rn1,64494\nn2,64490\r\n", [(id_, code, (), 1) for id_, code in _THREE]),
    ],
)
def test_csv(tmp_path: Path, text: str, expected: list[Any]) -> None:
    path = tmp_path / "claims.csv"
    path.write_text(text, encoding="utf-8")
    assert lines_of(path) == expected


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_a_cell_with_a_line_end_is_one_bad_row(tmp_path: Path, end: str) -> None:
    path = tmp_path / "claims.csv"
    path.write_bytes(f'id,code,note{end}n1,64493,"a{end}{end}b,c"{end}n2,64494,{end}'.encode())
    claims, bad = read_claims(path, PROFILES)
    reason = "a cell holds a line end; it runs to line 4"
    assert [(item.where, item.reason) for item in bad] == [(f"{path} line 2", reason)]
    assert list(claims) == ["n2"]


def test_jsonl(tmp_path: Path) -> None:
    path = tmp_path / "claims.jsonl"
    record = {"id": "n1", "claim": [{"code": "64493", "modifiers": ["50"], "units": 1}, {"code": 64494, "units": "2"}]}
    path.write_text(json.dumps(record) + "\n\n")
    assert lines_of(path) == [("n1", "64493", ("50",), 1), ("n1", "64494", (), 2)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",64493,,,,", "id is empty or not a string"),
        ("n1,,,,,", "code is empty or not a string"),
        ("n1,facet injection,,,,", "code is not five letters and digits"),
        ("n1,64493,fifty,,,", "a modifier is not two letters or digits"),
        ("n1,64493,,0,,", "units is not a whole number from 1 to 999"),
        ("n1,64493,,1.5,,", "units is not a whole number from 1 to 999"),
        ("n1,64493,,,03/14/2026,", "date_of_service is not a date like 2026-01-31"),
        ("n1,64493,,,,acme", "no such profile; known profiles: cpt, medicare"),
        ('n1,"64493,,,,', "quotes do not match"),
        ("n1,64493,,,,,,x", "8 columns, the first line has 6"),
    ],
)
def test_a_bad_row_is_told_and_the_rest_is_read(tmp_path: Path, row: str, reason: str) -> None:
    path = tmp_path / "claims.csv"
    path.write_text(f"id,code,modifiers,units,date_of_service,profile\n{row}\nn2,64494,,,2026-01-05,medicare\n")
    claims, bad = read_claims(path, PROFILES)
    assert [(item.where, item.reason) for item in bad] == [(f"{path} line 2", reason)]
    assert [(claim.id, claim.day, claim.profile) for claim in claims.values()] == [("n2", "2026-01-05", "medicare")]


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"id": "n1"}', '{"id": "n1", "claim": [7]}', '{"claim": [{"code": "1"}]}']
)
def test_a_bad_record_is_told(tmp_path: Path, line: str) -> None:
    path = tmp_path / "claims.jsonl"
    path.write_text(line + '\n{"id": "n2", "claim": [{"code": "64493"}]}\n')
    claims, bad = read_claims(path, PROFILES)
    assert ([item.where for item in bad], list(claims)) == ([f"{path} line 1"], ["n2"])


@pytest.mark.parametrize("text", ["", "note,code\nn1,64493\n", "id,code,code\nn1,64493,64494\n"])
def test_a_file_that_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "claims.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=r"claims\.csv"):
        read_claims(path, PROFILES)


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["audit", *arguments])
    return int(stopped.value.code or 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    notes = [{"id": "n1", "text": NOTE}, {"id": "n2", "text": NOTE}, {"id": "n3", "text": NOTE}]
    (tmp_path / "notes.jsonl").write_text("".join(json.dumps(note) + "\n" for note in notes))
    (tmp_path / "claims.csv").write_text(
        "id,code,modifiers,units,profile\nn1,64493,,1,\nn1,64494,,1,\nn2,64493,50,,medicare\nn2,99213,25,,\nn9,64493,,,\n"
    )
    return tmp_path


def test_json_report(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(str(folder / "notes.jsonl"), "--claims", str(folder / "claims.csv"), "--format", "json") == 0
    report = AuditReport.model_validate_json(capfd.readouterr().out)
    assert [[line.verdict for line in note.lines] for note in report.notes] == [
        ["supported", "overcoded"],
        ["supported", "not_judged"],
        [],
    ]
    assert [[found.kind for found in note.findings] for note in report.notes] == [["bilateral_as_levels"], [], []]
    assert [note.versions.profile for note in report.notes] == ["cpt", "medicare", "cpt"]
    assert (report.claims_without_note, report.notes_without_claim, report.unknown_codes) == (["n9"], ["n3"], ["99213"])
    figures = report.summary
    assert (figures.notes, figures.claims, figures.lines, figures.supported, figures.overcoded) == (3, 2, 4, 2, 1)
    assert figures.findings == {"bilateral_as_levels": 1}
    quotes = [words for note in report.notes for found in note.findings for words in found.evidence]
    assert quotes
    assert all(NOTE[words.start : words.end] == words.text for words in quotes)


def test_a_bad_row_gives_exit_1_and_the_rest_is_done(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    claims = folder / "claims.csv"
    claims.write_text(claims.read_text() + "n3,,,,\n")
    out = folder / "report.csv"
    assert run(str(folder / "notes.jsonl"), "--claims", str(claims), "--format", "csv", "-o", str(out)) == 1
    assert f"facetcode: {claims} line 7: code is empty or not a string" in capfd.readouterr().err
    rows = out.read_text().splitlines()
    assert rows[0].startswith("id,status,what,name,verdict,")
    assert [row for row in rows if row.startswith("n1,coded,finding,bilateral_as_levels")]


def test_the_same_call_gives_the_same_bytes(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    call = (str(folder / "notes.jsonl"), "--claims", str(folder / "claims.csv"), "--format", "json")
    outputs = []
    for _ in range(2):
        run(*call)
        outputs.append(capfd.readouterr().out)
    assert outputs[0] == outputs[1]


OTHER = """[profiles.other]
label = "A form with numbers of its own"
source = "A test"
date = 2026-11-26
bilateral_primary = "modifier"
bilateral_add_on = "twice"
replace = { "64493" = "64490" }
"""


def verdicts_of(folder: Path, capfd: pytest.CaptureFixture[str], *options: str) -> list[list[str]]:
    call = (str(folder / "notes.jsonl"), "--claims", str(folder / "claims.csv"), "--format", "json", *options)
    assert run(*call) == 0
    report = AuditReport.model_validate_json(capfd.readouterr().out)
    return [[line.verdict for line in note.lines] for note in report.notes]


def test_what_one_profile_writes_otherwise_changes_no_other(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "own").mkdir()
    (folder / "own/profiles.toml").write_text(OTHER)
    (folder / "claims.csv").write_text("id,code,modifiers\nn1,64493,50\nn2,64490,50\n")
    own = ("--patterns", str(folder / "own"))
    assert verdicts_of(folder, capfd, *own) == [["supported"], ["unsupported"], []]


def test_a_year_without_a_code_that_a_profile_writes_otherwise(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "own/codes").mkdir(parents=True)
    (folder / "own/codes/2027.toml").write_text(NEXT)
    day = ("--date-of-service", "2027-03-01", "--patterns", str(folder / "own"), "--profile", "medicare-asc")
    (folder / "claims.csv").write_text("id,code,modifiers\nn1,64493,RT\nn1,64493,LT\nn2,27096,50\n")
    assert verdicts_of(folder, capfd, *day) == [["supported", "supported"], ["not_judged"], []]


NEXT = """year = "2027"
based_on = "2026"
from = 2027-01-01
until = 2027-12-31
source = "A test"
date = 2026-11-26
removed = ["27096"]
[codes.27999]
label = "sacroiliac joint"
rule = "sacroiliac-joint"
[single]
sacroiliac_joint = "27999"
"""


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2026-02-01", "line 1: the claim has another date of service; judged under that of the note"),
        ("2026-01-31", ""),
        ("", ""),
    ],
)
def test_another_date_of_service_is_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], day: str, said: str
) -> None:
    note = {"id": "n1", "text": NOTE, "date_of_service": "2026-01-31"}
    (tmp_path / "notes.jsonl").write_text(json.dumps(note) + "\n")
    (tmp_path / "claims.csv").write_text(f"id,code,modifiers,date_of_service\nn1,64493,50,{day}\n")
    assert run(str(tmp_path / "notes.jsonl"), "--claims", str(tmp_path / "claims.csv"), "--format", "json") == 0
    written = capfd.readouterr()
    assert written.err == (f"facetcode: {tmp_path / 'notes.jsonl'} {said}\n" if said else "")
    assert AuditReport.model_validate_json(written.out).notes[0].versions.date_of_service == "2026-01-31"


def test_a_claims_file_that_is_not_there(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(str(folder / "notes.jsonl"), "--claims", str(folder / "none.csv")) == 2
    assert capfd.readouterr().err == f"facetcode: {folder / 'none.csv'}: no such file\n"


def test_a_formula_does_not_run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.jsonl").write_text(json.dumps({"id": "=1+1", "text": NOTE}) + "\n")
    assert run(str(tmp_path / "notes.jsonl"), "--format", "csv") == 0
    assert all(row.startswith("'=1+1,") for row in capfd.readouterr().out.splitlines()[1:])


def test_the_schema_has_a_word_for_each_model() -> None:
    schema = AuditReport.model_json_schema()
    assert {"NoteAudit", "CheckedItem", "BilledLine", "Finding", "AuditSummary"} <= schema["$defs"].keys()
    assert all(model["description"] for model in schema["$defs"].values() if model["type"] == "object")
