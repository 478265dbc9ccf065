"""`facetcode patterns check`: every kind of planted fault with its message, and no fault in the shipped patterns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from casefile import cases
from click.testing import CliRunner

from extractor.cli import cli
from extractor.patterns import PatternFolder
from extractor.patterntools import command
from extractor.patterntools.cells import spreadsheet_damage
from extractor.patterntools.check import check
from extractor.patterntools.doubles import Placed, out_of_order
from extractor.patterntools.examples import Rooms, places
from extractor.patterntools.files import CSV_FILES
from extractor.patterntools.idle import idle_rows
from extractor.patterntools.tables import line_of
from extractor.rows import ImagingRow

AGENTS = "phrase,name,drug_class,example\n"
GOOD = "zebracaine,zebracaine,local_anesthetic,0.5 mL of zebracaine was injected at each nerve.\n"


@pytest.mark.parametrize("case", cases("pattern_faults.jsonl", {"files", "faults"}, {"encoding", "notices"}))
def test_a_planted_fault_is_told(case: dict[str, Any], tmp_path: Path) -> None:
    for name, text in case["files"].items():
        (tmp_path / name).write_bytes(text.encode(case.get("encoding", "utf-8")))
    report = check(tmp_path, effects=False)
    assert [str(fault) for fault in report.faults] == case["faults"]
    assert [str(notice) for notice in report.notices] == case.get("notices", [])


def test_the_shipped_patterns_are_clean() -> None:
    report = check(None)
    assert [str(found) for found in report.faults + report.notices] == []
    assert (report.files, report.rows) == (len(PatternFolder().names), sum(map(len, rows_by_file().values())))


def rows_by_file() -> dict[str, tuple[Any, ...]]:
    return {name: PatternFolder().csv(name, file.model, file.key) for name, file in CSV_FILES.items()}


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """A fault hides no other: not in its row's file, not in other files, not one that only shows in the pipeline."""
    (tmp_path / "agents.csv").write_text(
        f"{AGENTS}{GOOD}4-Mar,zebracaine,steriod,It.\nzeuch,x,other,It.\n", encoding="utf-8"
    )
    (tmp_path / "sides.csv").write_text("phrase,side\nx,left\n", encoding="utf-8")
    (tmp_path / "profiles.toml").write_text('[profiles.cpt]\nlabel = 3\nthird = "once"\n', encoding="utf-8")
    (tmp_path / "side.csv").write_text("phrase\n", encoding="utf-8")
    found = [(fault.file, fault.row) for fault in check(tmp_path, effects=False).faults]
    assert found == [
        ("agents.csv", 3), ("agents.csv", 3), ("agents.csv", 4),
        ("profiles.toml", 2), ("profiles.toml", 3),
        ("side.csv", 0), ("sides.csv", 1),
    ]  # fmt: skip


def test_what_an_overlay_does_to_shipped_rows_is_told(tmp_path: Path) -> None:
    (tmp_path / "imaging.csv").write_text(
        "phrase,modality,example\nby ct,none,The needle was placed by ct.\nunder axial ct,mri,Placed under axial ct.\n",
        encoding="utf-8",
    )
    (tmp_path / "disabled.csv").write_text("file,id,reason\nagents.csv,bupi,not ours\n", encoding="utf-8")
    report = check(tmp_path)
    assert report.faults == []
    assert [str(notice).partition(". ")[0] for notice in report.notices] == [
        "disabled.csv row 2: 1 of the shipped agents.csv is disabled",
        "imaging.csv: the shipped row 'axial ct' no longer does in its example what it says",
        "imaging.csv row 2: replaces the shipped row 'by ct': modality 'ct' becomes 'none'",
    ]


def test_a_copy_of_a_shipped_file_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "muscles.csv").write_bytes((PatternFolder().shipped / "muscles.csv").read_bytes())
    report = check(tmp_path, effects=False)
    assert (len(report.faults), len(report.notices)) == (0, 1)


@pytest.mark.parametrize(
    "value", ["0.25%", "L4-5", "64493", "3-4", "may", "4 mg", "mar-a", "12/5", "t12-l1", "#2", "x=1"]
)
def test_what_is_no_damage(value: str) -> None:
    assert spreadsheet_damage(value) is None


def test_rows_out_of_order_are_told() -> None:
    rows = [ImagingRow(phrase=phrase, modality="ct", example="x") for phrase in ("a", "c", "b")]
    placed = [Placed(number, row) for number, row in enumerate(rows, start=2)]
    assert [str(found).partition(". ")[0] for found in out_of_order("imaging.csv", placed)] == [
        "imaging.csv row 4: 'b' stands behind 'c'"
    ]


@pytest.mark.parametrize("name", CSV_FILES)
def test_shipped_rows_are_in_order(name: str) -> None:
    assert out_of_order(name, [Placed(0, row) for row in rows_by_file()[name]]) == []


def test_idle_rows_are_those_that_no_text_meets(nlp: Any) -> None:
    rooms = Rooms(PatternFolder(), nlp)
    note = (
        "Procedure: Right L4-5 facet joint injection by ct. Skin wheal with lidocaine. 1 mL of Kenalog in each joint.\n"
        "No complications. Trigger point in the piriformis."
    )
    idle, all_idle = idle_rows(rooms, [note]), idle_rows(rooms, [])
    met = {name: set(all_idle[name]) - set(idle[name]) for name in all_idle}
    wanted = {
        "targets.csv": "facet joint injection", "imaging.csv": "by ct", "sides.csv": "right",
        "cues.csv": "no (negated)", "sections.csv": "procedure",
        "agents.csv": "kenalog", "agent_roles.csv": "skin wheal (skin_anesthetic, both)",
        "level_nouns.csv": "facet joint", "muscles.csv": "piriformis",
    }  # fmt: skip
    assert {name: key for name, key in wanted.items() if key not in met[name]} == {}
    assert (met["hearing.toml"], met["reading.toml"]) == (set(), set())  # nothing is misspelt, and no cue counts
    assert 0 < len(met["entities.toml"]) < 10


def test_a_line_of_a_table_is_found() -> None:
    text = 'x = 1\n[a.b]\ny = 2\n"q r" = 3\n[[r]]\ny = 1\n[[r]]\nz = 2\n'
    wanted = {
        ("x",): 1,
        ("a", "b"): 2,
        ("a", "b", "y"): 3,
        ("a", "b", "q r"): 4,
        ("r", 1, "z"): 8,
        ("r", 1): 7,
        ("no",): 0,
    }
    assert {path: line_of(text, path) for path in wanted} == wanted


def test_places_are_words() -> None:
    assert (places("left", "cleft; LEFT."), places("left", "cleft")) == ((7, 11), (-1, -1))


# -- the command ---------------------------------------------------------------------------------------------------


@pytest.fixture
def no_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "corpus_folder", lambda: None)


def ran(*call: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["patterns", "check", *call], standalone_mode=False)
    assert done.exception is None
    return done.return_value or 0, done.stdout


@pytest.mark.usefixtures("no_corpus")
def test_the_command_tells_faults_and_exits_1(tmp_path: Path) -> None:
    (tmp_path / "agents.csv").write_text(f"{AGENTS}{GOOD.replace('_anesthetic', '')}", encoding="utf-8")
    code, said = ran("--patterns", str(tmp_path))
    assert (code, said.splitlines()) == (
        1,
        [
            "agents.csv row 2: the drug_class 'local' is none that is known. Use local_anesthetic, steroid, contrast, "
            "sedation, prep, neurolytic, biologic, vehicle, systemic, other, generic.",
            "1 files, 1 rows: 1 fault, no notices",
        ],
    )
    code, said = ran("--patterns", str(tmp_path), "--format", "json")
    report = json.loads(said)
    assert (code, report["faults"][0]["file"], report["faults"][0]["row"], report["idle"]) == (1, "agents.csv", 2, {})


@pytest.mark.usefixtures("no_corpus")
def test_the_command_exits_0_for_a_clean_folder(tmp_path: Path) -> None:
    (tmp_path / "agents.csv").write_text(AGENTS + GOOD, encoding="utf-8")
    assert ran("--patterns", str(tmp_path)) == (0, "1 files, 1 rows: no faults, no notices\n")


def test_idle_rows_are_counted_and_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "corpus/notes").mkdir(parents=True)
    (tmp_path / "corpus/notes/a.jsonl").write_text('{"text": "1 mL of bupivacaine."}\n', encoding="utf-8")
    monkeypatch.setattr(command, "corpus_folder", lambda: tmp_path / "corpus")
    (tmp_path / "own").mkdir()
    (tmp_path / "own/agents.csv").write_text(AGENTS + GOOD, encoding="utf-8")
    said = "note: agents.csv: 1 never met in 1 notes of the corpus"
    assert ran("--patterns", str(tmp_path / "own"))[1].splitlines()[0] == f"{said} (--idle lists them)."
    assert ran("--patterns", str(tmp_path / "own"), "--idle")[1].splitlines()[:2] == [f"{said}.", "  'zebracaine'"]
