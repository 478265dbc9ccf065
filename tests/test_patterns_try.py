"""`facetcode patterns try`: what matched, by which row, and why something is not read."""

from __future__ import annotations

import io
import json
import random
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from casefile import cases

from extractor import Coder, cli
from extractor.patterns import PatternFolder
from extractor.patterntools.origin import Origin, Origins
from extractor.patterntools.trial import as_json, as_text, try_text
from extractor.patterntools.trial_findings import Trial

ROOT = Path(__file__).parent.parent
NOTE = (
    "PROCEDURE: Right L4-5 facet joint injection under fluoroscopy.\nTECHNIQUE: A needle was advanced into the right"
    " L4-5 facet joint. Then 0.5 mL of foocaine was injected."
)


def told(trial: Trial, group: str, words: str) -> list[list[Any]]:
    """What a group says of some words, without the places of rows, which move when a row is added."""
    return [
        [
            item.label,
            item.value,
            re.sub(r" (row|line) \d+", "", item.why),
            [f"{row.file} {row.key}" for row in item.rows],
        ]
        for item in trial.groups()[group]
        if item.text == words
    ]


@pytest.mark.parametrize("case", cases("patterns_try.jsonl", {"text", "group", "words", "found"}))
def test_case(case: dict[str, Any], coder: Coder) -> None:
    assert case["found"], "a case that expects nothing passes by itself"
    assert told(try_text(coder, case["text"]), case["group"], case["words"]) == case["found"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Follow-up of the right knee.", "no level and no target of these procedures is named"),
        ("L4-5 facet joint", "no sentence of the body tells of needle work"),
        (
            "PROCEDURE: L4-5 laminectomy.\nThe incision was made and the lamina drilled. The needle was counted.",
            "title",
        ),
        (NOTE, ""),
    ],
)
def test_why_nothing_is_read_as_done(text: str, reason: str, coder: Coder) -> None:
    trial = try_text(coder, text)
    assert reason in trial.note
    assert bool(trial.note) is bool(reason)


def test_the_result_is_that_of_the_coder(coder: Coder) -> None:
    for path in sorted((ROOT / "corpus" / "samples").glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        trial = try_text(coder, text, id="x", day="2026-02-03")
        assert trial.result == coder.code(text, id="x", date_of_service="2026-02-03")


def test_every_level_is_counted_or_has_a_reason(coder: Coder) -> None:
    """The coder who asks why a level is not read gets the answer, in any note."""
    lines = (ROOT / "corpus" / "notes" / "set-03.jsonl").read_text(encoding="utf-8").splitlines()
    for line in lines:
        trial = try_text(coder, json.loads(line)["text"])
        sites = [site for procedure in trial.result.procedures for site in (*procedure.joints, *procedure.nerves)]
        used = {quote.start for site in sites for quote in site.evidence}
        reasons = {item.start for item in trial.discarded if item.label == "Level" and item.why}
        assert {item.start for item in trial.levels} <= used | reasons


def test_every_finding_quotes_the_note_and_every_row_is_there(coder: Coder) -> None:
    files: dict[str, list[str]] = {}
    lines = (ROOT / "corpus" / "notes" / "set-03.jsonl").read_text(encoding="utf-8").splitlines()
    seen = 0
    for line in lines:
        text = json.loads(line)["text"]
        for found in try_text(coder, text).groups().values():
            for item in found:
                assert item.text == text[item.start : item.end]
                for row in item.rows:
                    seen += 1
                    if row.file not in files:
                        files[row.file] = (coder.patterns.shipped / row.file).read_text(encoding="utf-8").split("\n")
                    if row.file.endswith(".csv"):
                        assert row.key in files[row.file][row.row - 1].replace('""', '"')
                    elif row.row:
                        assert files[row.file][row.row - 1].startswith("[[")
    assert seen > 1000


def test_a_cue_and_a_drug_always_have_a_row(coder: Coder) -> None:
    lines = (ROOT / "corpus" / "notes" / "set-04.jsonl").read_text(encoding="utf-8").splitlines()
    for line in lines:
        trial = try_text(coder, json.loads(line)["text"])
        assert [item for item in (*trial.cues, *trial.drugs) if not item.rows and item.label != "form"] == []
        assert [item for item in trial.matches if not item.rows and not item.why] == []


# -- rows of the user's own ----------------------------------------------------------------------------------------


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    (tmp_path / "agents.csv").write_text(
        "phrase,name,drug_class,example\nfoocaine,foocaine,local_anesthetic,0.5 mL of foocaine\n", encoding="utf-8"
    )
    (tmp_path / "cues.csv").write_text(
        "phrase,category,direction,applies_to,example\nbarred,negated,forward,target level,barred L5-S1\n",
        encoding="utf-8",
    )
    return tmp_path


def test_a_row_of_the_overlay_is_named_as_such(overlay: Path) -> None:
    trial = try_text(Coder(patterns=overlay), f"{NOTE} Barred L5-S1.")
    [drug] = trial.drugs
    assert (drug.value, drug.rows[0]) == ("foocaine", Origin("agents.csv", 2, "foocaine", overlay=True))
    assert told(trial, "discarded", "L5-S1") == [["Level", "L5-S1", 'negated by "Barred"', ["cues.csv barred"]]]
    assert 'overlay cues.csv row 2 "barred"' in as_text(trial)
    assert json.loads(as_json(trial))["drugs"][0]["rows"][0]["overlay"] is True


def test_a_row_that_replaces_ours_is_the_overlays(tmp_path: Path) -> None:
    (tmp_path / "sides.csv").write_text("phrase,side,example\nleft,none,left\n", encoding="utf-8")
    assert Origins(PatternFolder(tmp_path)).csv("sides.csv", phrase="left")[0].overlay
    assert not Origins(PatternFolder(tmp_path)).csv("sides.csv", phrase="right")[0].overlay
    assert Origins(PatternFolder(tmp_path)).csv("sides.csv", phrase="no such row") == ()


# -- the command ---------------------------------------------------------------------------------------------------


def command(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        cli.main(["patterns", "try", *arguments])
    return int(str(stop.value.code))


def test_text_file_and_standard_input_say_the_same(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "note.txt").write_text(NOTE, encoding="utf-8")
    assert command("--file", str(tmp_path / "note.txt"), "--format", "json") == 0
    from_file = json.loads(capfd.readouterr().out)
    assert command(NOTE, "--format", "json") == 0
    from_words = json.loads(capfd.readouterr().out)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(NOTE.encode())))
    assert command("-", "--format", "json") == 0
    from_stream = json.loads(capfd.readouterr().out)
    assert from_file["result"].pop("id") == from_words["result"].pop("id") == from_stream["result"].pop("id") == "note"
    assert from_file == from_words == from_stream


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "give the words"),
        (("facet", "--file", "x.txt"), 2, "give the words"),
        (("--file", "no-such-file.txt"), 2, "no such file"),
        (("facet", "--profile", "nobody"), 2, "no such profile"),
        (("facet", "--patterns", "no-such-folder"), 2, "no such patterns folder"),
        (("facet", "--date-of-service", "yesterday"), 2, "not a date"),
        ((" \n ",), 1, "text is empty"),
    ],
)
def test_a_wrong_call_is_one_line(
    arguments: tuple[str, ...], code: int, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert command(*arguments) == code
    printed = capfd.readouterr()
    assert message in printed.err
    assert len(printed.err.strip().splitlines()) == 1
    assert printed.out == ""


def test_text_of_the_note_is_shown_as_text(coder: Coder) -> None:
    shown = as_text(try_text(coder, "L4-5 facet\x1b[2J joint \u202einjection\x07 at the left\r\nL5-S1 \x9b facet"))
    assert all(line.isprintable() for line in shown.split("\n"))
    assert "\\x1b[2J" in shown


def test_random_text_is_told_about_too(coder: Coder) -> None:
    chance = random.Random(7)
    words = [
        "L4-5",
        "facet",
        "no",
        "(",
        "[x]",
        "left",
        "can a log",
        "\n",
        "\r\n",
        "\t",
        "ala",
        "1/2",
        "½",
        "İ",
        "😀",
        ":",
    ]
    words += [
        "History",
        "was injected",
        "4-5",
        "period",
        "new line",
        "comma",
        "needle",
        "S1",
        "\x00",
        "",
        "scratch that",
    ]
    for _ in range(120):
        text = " ".join(chance.choices(words, k=chance.randint(1, 40)))
        trial = try_text(coder, text)
        assert json.loads(as_json(trial))["result"]["status"] == trial.result.status
        assert as_text(trial)
