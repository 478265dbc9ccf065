"""`facetcode patterns diff`: which notes come out otherwise with other patterns, and nothing else."""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from casefile import cases

from extractor import Coder, cli
from extractor.batch.sources import Item, open_sources
from extractor.errors import InputError
from extractor.patterns import shipped_folder
from extractor.patterntools import diff
from extractor.patterntools.compare import compare, outcome_of

ROOT = Path(__file__).parent.parent
NOTES = ROOT / "corpus" / "notes" / "set-03.jsonl"
DONE = (
    "PROCEDURE: Right L4-5 facet joint injection under fluoroscopy.\nTECHNIQUE: A needle was advanced into the right"
    " L4-5 facet joint. Then 0.5 mL of DRUG was injected."
)
PLANTED = [
    {"id": "given", "text": DONE.replace("DRUG", "foocaine")},
    {"id": "not-named", "text": DONE.replace("DRUG", "bupivacaine")},
    {"id": "of-old", "text": "HISTORY: Foocaine was given last year.\n" + DONE.replace("DRUG", "bupivacaine")},
    {"id": "beside", "text": DONE.replace("DRUG", "bupivacaine and 1 mL of foocaine"), "facetcode_before": "carried"},
    {"id": "no-procedure", "text": "Foocaine 1% was discussed for the knee."},
]


def written(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    folder = tmp_path / "ours"
    folder.mkdir()
    (folder / "agents.csv").write_text(
        "phrase,name,drug_class,example\nfoocaine,foocaine,local_anesthetic,0.5 mL of foocaine\n", encoding="utf-8"
    )
    return folder


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return written(tmp_path / "notes.jsonl", PLANTED)


def command(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        cli.main(["patterns", "diff", *map(str, arguments)])
    return int(str(stop.value.code))


def changes(printed: str) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """What `--format json` printed: the changed notes by id, and the figures."""
    *found, last = map(json.loads, printed.splitlines())
    return {record["id"]: record for record in found}, last["summary"]


@pytest.mark.parametrize("case", cases("patterns_diff.jsonl", {"before", "after", "kinds", "gone", "new"}))
def test_compare(case: dict[str, Any]) -> None:
    before, after = (outcome_of(json.dumps({"id": "n", **case[side]})) for side in ("before", "after"))
    change = compare(before, after)
    assert (change.kinds if change else []) == case["kinds"]
    if change:
        told = change.as_json()
        assert (told["gone"], told["new"]) == (case["gone"], case["new"])


# -- planted rows --------------------------------------------------------------------------------------------------


def test_a_new_drug_changes_just_the_notes_in_which_it_was_given(
    notes: Path, overlay: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert command(str(overlay), "--notes", str(notes), "--notes", str(NOTES), "--format", "json") == 0
    found, figures = changes(capfd.readouterr().out)
    assert {id: record["changed"] for id, record in found.items()} == {
        "given": ["status", "queries", "summary"],
        "beside": ["summary"],
    }
    assert found["given"]["new"] == {"summary": ["injectate foocaine"]}
    assert {quote["of"] for quote in found["given"]["evidence_gone"]} == {"ask missing_agent"}
    count = len(PLANTED) + len(NOTES.read_text(encoding="utf-8").splitlines())
    assert (figures["notes"], figures["changed"], figures["failed"]) == (count, 2, 0)
    assert figures["moves"] == {"coded -> coded": 1, "review -> coded": 1}
    assert figures["before"]["overlay"] == "" != figures["after"]["overlay"]


def test_a_row_that_replaces_ours_changes_what_two_runs_find(
    tmp_path: Path, coder: Coder, capfd: pytest.CaptureFixture[str]
) -> None:
    """The same notes as two whole codings compared field by field."""
    folder = tmp_path / "mri"
    folder.mkdir()
    (folder / "imaging.csv").write_text(
        "phrase,modality,example\nfluoroscopy,ultrasound,under fluoroscopy\n", encoding="utf-8"
    )
    assert command(str(folder), "--notes", str(NOTES), "--format", "json") == 0
    found, figures = changes(capfd.readouterr().out)
    other = Coder(patterns=folder)
    expected = set()
    for line in NOTES.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        one, two = coder.code(record["text"]).model_dump(), other.code(record["text"]).model_dump()
        for result in (one, two):
            for code in result["lines"]:
                del code["evidence"], code["reasons"], code["rule"], code["label"]
            for query in result["queries"]:
                del query["evidence"]
        if any(one[key] != two[key] for key in ("status", "lines", "claim", "queries", "summary")):
            expected.add(record["id"])
    assert set(found) == expected
    assert 0 < len(expected) < figures["notes"]


def test_the_same_patterns_change_nothing(overlay: Path, notes: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert command(str(overlay), "--patterns", str(overlay), "--notes", str(notes), "--exit-code") == 0
    assert capfd.readouterr().out.startswith("5 notes compared: 0 changed, 5 the same; 0 failed\n")


def test_the_profile_and_the_day_are_those_of_the_call(
    overlay: Path, notes: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert command(str(overlay), "--notes", str(notes), "--profile", "medicare", "--format", "json") == 0
    _, figures = changes(capfd.readouterr().out)
    assert (figures["before"]["profile"], figures["after"]["profile"]) == ("medicare", "medicare")


def test_text_tells_before_and_after(overlay: Path, notes: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert command(str(overlay), "--notes", str(notes)) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == "given: review -> coded"
    assert lines[1].startswith("  - ask missing_agent: ")
    assert "  + summary injectate foocaine" in lines
    assert "beside: coded as before" in lines


# -- an earlier result file ----------------------------------------------------------------------------------------


def results(notes: Path, out: Path) -> list[dict[str, Any]]:
    with pytest.raises(SystemExit):
        cli.main(["run", str(notes), "-o", str(out), "--workers", "1"])
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def test_an_earlier_result_is_as_good_as_coding_anew(
    overlay: Path, notes: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    records = results(notes, tmp_path / "out.jsonl")
    written(tmp_path / "mixed.jsonl", list(reversed(records)))
    capfd.readouterr()
    printed = []
    for more in ((), ("--results", str(tmp_path / "out.jsonl")), ("--results", str(tmp_path / "mixed.jsonl"))):
        assert command(str(overlay), "--notes", str(notes), "--format", "json", *more) == 0
        printed.append(capfd.readouterr().out)
    assert printed[0] == printed[1] == printed[2]


def test_what_is_wrong_with_a_result_is_told_and_the_rest_is_done(
    overlay: Path, notes: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    records = {record["id"]: record for record in results(notes, tmp_path / "out.jsonl")}
    records["not-named"]["lines"][0]["evidence"][0]["text"] = "other words"
    records["beside"]["lines"] = 7
    del records["of-old"]
    path = written(tmp_path / "broken.jsonl", [*records.values(), records["given"], {"id": "stray"}])
    path.write_text(path.read_text() + "no json\n" + json.dumps(records["given"] | {"id": "elsewhere"}) + "\n")
    capfd.readouterr()
    assert command(str(overlay), "--notes", str(notes), "--results", str(path), "--format", "json") == 1
    printed = capfd.readouterr()
    found, figures = changes(printed.out)
    assert set(found) == {"given"}
    assert (figures["notes"], figures["failed"], figures["earlier_results_without_a_note"]) == (2, 6, 1)
    reasons = [line.partition(": ")[2].partition(": ")[2] for line in printed.err.splitlines() if "broken" in line]
    assert reasons == ["id given stands twice", "not a result of facetcode run", "not JSON"]
    assert "the earlier result of note not-named is of another text" in printed.err
    assert "note of-old has no earlier result" in printed.err
    assert "the earlier result of note beside is no result: lines" in printed.err
    assert "other words" not in printed.err


# -- failures, workers, streams ------------------------------------------------------------------------------------


def test_a_bad_record_fails_alone(overlay: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "notes.jsonl"
    path.write_text("{}\n" + json.dumps(PLANTED[0]) + "\n", encoding="utf-8")
    assert command(str(overlay), "--notes", str(path), "--format", "json") == 1
    printed = capfd.readouterr()
    found, figures = changes(printed.out)
    assert set(found) == {"given"}
    assert figures["failed"] == 1
    assert 'notes.jsonl line 1: no key "id"' in printed.err


def test_workers_change_no_byte(overlay: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    many = [{"id": f"n{number}", "text": PLANTED[number % 5]["text"]} for number in range(140)]
    notes = written(tmp_path / "many.jsonl", many)
    printed = []
    for workers in ("1", "2"):
        assert command(str(overlay), "--notes", str(notes), "--workers", workers) == 0
        printed.append(capfd.readouterr().out)
    assert printed[0] == printed[1]
    assert "140 notes compared: 56 changed" in printed[0]


def test_a_change_is_told_before_the_next_note_is_read(
    overlay: Path, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Item] = []

    def counted(inputs: list[str]) -> Iterator[Item]:
        for item in open_sources(inputs):
            read.append(item)
            yield item

    monkeypatch.setattr(diff, "open_sources", counted)
    said: list[tuple[str, int]] = []
    call = diff.Diff(
        other=overlay, inputs=[str(notes)], results=None, patterns=None, profile="cpt", day=None, form="text", workers=1
    )
    diff.run(call, lambda text: said.append((text.split(":")[0], len(read))), print)
    assert said[:2] == [("given", 1), ("beside", 4)]


def test_notes_from_standard_input(
    overlay: Path, notes: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(notes.read_bytes())))
    assert command(str(overlay), "--notes", "-", "--format", "json") == 0
    assert set(changes(capfd.readouterr().out)[0]) == {"given", "beside"}


# -- the call ------------------------------------------------------------------------------------------------------


def test_exit_code_tells_of_changes(overlay: Path, notes: Path) -> None:
    assert command(str(overlay), "--notes", str(notes)) == 0
    assert command(str(overlay), "--notes", str(notes), "--exit-code") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("no-such-folder",), "no such patterns folder"),
        (("OTHER", "--notes", "no-such-file.txt"), "no such file"),
        (("OTHER", "--results", "no-such-file.jsonl"), "cannot be read"),
        (("OTHER", "--results", "results.jsonl.gz"), "give the results as JSONL"),
        (("OTHER", "--patterns", "no-such-folder"), "no such patterns folder"),
        (("OTHER", "--profile", "nobody"), "no such profile"),
        (("OTHER", "--date-of-service", "yesterday"), "not a date"),
    ],
)
def test_a_wrong_call_is_one_line(
    arguments: tuple[str, ...], message: str, overlay: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    given = [str(overlay) if word == "OTHER" else word for word in arguments]
    assert command(*given) == 2
    printed = capfd.readouterr()
    assert message in printed.err
    assert len(printed.err.strip().splitlines()) == 1
    assert printed.out == ""


def test_a_wrong_row_of_the_other_patterns_stops_before_any_note(
    overlay: Path, notes: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (overlay / "sides.csv").write_text("phrase,side,example\nport,larboard,port\n", encoding="utf-8")
    assert command(str(overlay), "--notes", str(notes)) == 2
    assert "sides.csv row 2" in capfd.readouterr().err


def test_a_whole_folder_is_laid_over_ours_and_that_is_said(
    tmp_path: Path, notes: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(shipped_folder(), tmp_path / "whole")
    assert command(str(tmp_path / "whole"), "--notes", str(notes)) == 0
    printed = capfd.readouterr()
    assert "rows that it lacks stay" in printed.err
    assert printed.out.startswith("5 notes compared: 0 changed")


def test_without_notes_the_corpus_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert str(NOTES) in diff.default_notes()
    monkeypatch.setattr(diff, "__file__", str(tmp_path / "extractor" / "patterntools" / "diff.py"))
    with pytest.raises(InputError, match="--notes"):
        diff.default_notes()
