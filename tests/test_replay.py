"""facetcode replay: the same stamps give the same bytes, or what differs is named."""

from __future__ import annotations

import doctest
import gzip
import json
import os
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from casefile import cases
from stubs import SECRET, load_rough, stub_code

from extractor import Coder
from extractor import coder as coder_module
from extractor.audit import replay
from extractor.audit.differences import compare
from extractor.audit.results import Results
from extractor.batch import command
from extractor.batch.runner import CodeNote
from extractor.errors import InputError

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "corpus" / "samples"
NOTES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(SAMPLES.glob("*.txt"))}
IDS = list(NOTES)


# -- two lines -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "case",
    cases(
        "replay.jsonl",
        {"recorded", "here", "text", "verdict", "stamps", "fields"},
        {"other_text", "more", "rewritten"},
    ),
)
def test_two_lines(case: dict[str, Any]) -> None:
    """The values are what is shown of them: "" where nothing may be."""
    found = compare(json.dumps(case["recorded"]).encode(), json.dumps(case["here"]).encode(), case["text"])
    assert found.verdict == case["verdict"]
    assert [[one.path, one.recorded, one.here] for one in found.stamps] == case["stamps"]
    assert [[one.path, one.recorded, one.here] for one in found.fields] == case["fields"]
    rest = (found.other_text, found.more, found.rewritten)
    assert rest == (case.get("other_text", False), case.get("more", 0), case.get("rewritten", False))


def test_a_deep_record_is_compared() -> None:
    deep = '{"id":"n1","versions":{},"x":' + "[" * 900 + "%d" + "]" * 900 + "}"
    found = compare((deep % 1).encode(), (deep % 2).encode(), "")
    assert [(one.recorded, one.here) for one in found.fields] == [("1", "2")]


# -- a run, and its replay -----------------------------------------------------------------------------------------


def loaded(coder: Coder, profile: str = "cpt") -> Callable[[], CodeNote]:
    """A way to load that takes no time: under another profile the same coder does."""

    def code(text: str, id: str = "note", profile_: str | None = None, **more: Any) -> Any:
        return coder.code(text, id=id, profile=more.pop("profile", profile_) or profile, **more)

    return lambda: code


def write_notes(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    return path


def records(**more: Any) -> list[dict[str, Any]]:
    return [{"id": name, "text": text, **more} for name, text in NOTES.items()]


def run(load: Callable[[], CodeNote], notes: Path, out: Path, **options: Any) -> Path:
    call = {
        "inputs": [str(notes)],
        "out": str(out),
        "profile": "cpt",
        "patterns": None,
        "descriptors": None,
        "day": None,
    }
    call |= {"id_column": "id", "text_column": "text", "max_chars": None, "summary": None}
    made = command.Run(**(call | {"workers": 1, "note_timeout": None} | options))  # type: ignore[arg-type]
    assert command.run(made, load, lambda line: None, lambda line: None) == 0
    return out


class Replay:
    """What a replay printed, complained of and gave back."""

    def __init__(self, load: Callable[[], CodeNote], result: Path, *notes: Path, form: str = "text", **more: Any):
        self.said: list[str] = []
        self.complaints: list[str] = []
        call = replay.Call(result=result, inputs=list(map(str, notes)), **({"workers": 1} | more))
        self.different = replay.run(call, form, load, self.said.append, self.complaints.append)

    @property
    def figures(self) -> str:
        """Equal, by stamps only, different, without a note, not replayed."""
        return " ".join(word for word in self.said[-1].replace(";", "").split() if word.isdigit())


ALL_EQUAL = "6 records: 6 equal, 0 differ by their stamps only, 0 differ, 0 without their note, 0 not replayed"


@pytest.fixture
def result(coder: Coder, tmp_path: Path) -> Path:
    """The results of the samples."""
    return run(loaded(coder), SAMPLES, tmp_path / "results.jsonl")


def test_a_folder(coder: Coder, result: Path) -> None:
    found = Replay(loaded(coder), result, SAMPLES)
    assert (found.said, found.complaints, found.different) == ([ALL_EQUAL], [], 0)


def test_records_with_carried_keys_days_and_profiles(coder: Coder, tmp_path: Path) -> None:
    """A clash ("lines") and a key that only JSON can hold too."""
    carried = {"site": "Ü \u2028", "visit": {"no": [1, 2.5, None]}, "lines": "of the hospital", "half": "\ud83e"}
    notes = records(**carried)
    notes[0] |= {"profile": "medicare-asc", "date_of_service": "2026-02-28"}
    path = tmp_path / "notes.jsonl"
    path.write_text("".join(json.dumps(note) + "\n" for note in notes), encoding="utf-8")
    results = run(loaded(coder), path, tmp_path / "out.jsonl", day="2026-01-31")
    stamps = [json.loads(line)["versions"] for line in results.read_bytes().splitlines()]
    assert [stamp["date_of_service"] for stamp in stamps] == ["2026-02-28"] + ["2026-01-31"] * 5
    assert stamps[0]["profile"] == "medicare-asc"
    found = Replay(loaded(coder, "medicare"), results, path)  # neither profile nor day are those of the call
    assert (found.said, found.different) == ([ALL_EQUAL], 0)


def test_a_note_that_brings_another_day_or_profile_than_its_record(coder: Coder, tmp_path: Path) -> None:
    """The bytes would be equal, as the record's stamps win; but the note no longer says what was coded."""
    results = run(loaded(coder), write_notes(tmp_path / "a.jsonl", records()), tmp_path / "out.jsonl", day="2026-01-31")
    notes = records()
    notes[0] |= {"date_of_service": "2026-01-31", "profile": "cpt"}
    notes[1] |= {"date_of_service": "2026-02-28"}
    notes[2] |= {"profile": "medicare"}
    path = write_notes(tmp_path / "b.jsonl", notes)
    found = Replay(loaded(coder), results, path)
    assert found.said[:-1] == [
        f"{results} line 2: {IDS[1]}: differs",
        "  the note's own date_of_service: 2026-01-31, here 2026-02-28",
        f"{results} line 3: {IDS[2]}: differs",
        "  the note's own profile: cpt, here medicare",
    ]
    assert (found.figures, found.different) == ("6 4 0 2 0 0", 2)
    parts = [json.loads(line) for line in Replay(loaded(coder), results, path, form="json").said]
    changed = [(part["id"], part["brought"]) for part in parts[:-1] if part["outcome"] == "differs"]
    day = {"path": "date_of_service", "recorded": "2026-01-31", "here": "2026-02-28"}
    assert changed == [(IDS[1], [day]), (IDS[2], [{"path": "profile", "recorded": "cpt", "here": "medicare"}])]


def test_a_table_with_names_of_its_own(coder: Coder, tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    cells = ["no,body,ward", *(f'{name},"{text.replace(chr(34), chr(34) * 2)}",7' for name, text in NOTES.items())]
    path.write_text("\n".join(cells) + "\n", encoding="utf-8")
    names = {"id_column": "no", "text_column": "body"}
    results = run(loaded(coder, "medicare"), path, tmp_path / "out.jsonl", **names)
    assert b'"ward":"7"' in results.read_bytes()
    assert Replay(loaded(coder), results, path, **names).said == [ALL_EQUAL]
    with pytest.raises(InputError, match="no column"):
        Replay(loaded(coder), results, path)


def test_the_order_of_the_notes_does_not_matter(coder: Coder, result: Path, tmp_path: Path) -> None:
    shuffled = records()[3:] + records()[:3]
    found = Replay(loaded(coder), result, write_notes(tmp_path / "notes.jsonl", shuffled))
    assert found.said == [ALL_EQUAL]


def test_notes_without_a_record_are_counted(coder: Coder, result: Path) -> None:
    kept = result.read_bytes().splitlines(keepends=True)
    result.write_bytes(b"".join(kept[:4]))
    found = Replay(loaded(coder), result, SAMPLES)
    assert found.said[-1].endswith("; 2 notes without a record")
    assert (found.figures, found.different) == ("4 4 0 0 0 0 2", 0)


def edited(result: Path, place: int, before: str, after: str) -> None:
    lines = result.read_text(encoding="utf-8").splitlines(keepends=True)
    assert before in lines[place]
    lines[place] = lines[place].replace(before, after, 1)
    result.write_text("".join(lines), encoding="utf-8")


def test_an_edited_line(coder: Coder, result: Path) -> None:
    edited(result, 0, '"code":"64493"', '"code":"64490"')
    edited(result, 3, '"status":"review"', f'"status":"review","by":"{SECRET}"')
    found = Replay(loaded(coder), result, SAMPLES)
    assert found.said == [
        f"{result} line 1: {IDS[0]}: differs",
        "  lines.0.code: 64490, here 64493",
        f"{result} line 4: {IDS[3]}: differs",
        "  by: other, here absent",
        "6 records: 4 equal, 0 differ by their stamps only, 2 differ, 0 without their note, 0 not replayed",
    ]
    assert found.different == 2


def test_an_edited_note(coder: Coder, result: Path, tmp_path: Path) -> None:
    """Behind all evidence, so that only the stamp of the text tells it."""
    notes = records()
    notes[1]["text"] += f" {SECRET}"
    found = Replay(loaded(coder), result, write_notes(tmp_path / "notes.jsonl", notes))
    assert found.said[:2] == [
        f"{result} line 2: {IDS[1]}: differs",
        "  the note is another text than the one that was coded",
    ]
    assert (found.figures, found.different) == ("6 5 0 1 0 0", 1)


def test_another_profile_row_and_other_patterns(coder: Coder, tmp_path: Path) -> None:
    """A drug that the overlay alone knows, and a row of its own for medicare."""
    overlay = tmp_path / "ours"
    overlay.mkdir()
    head = "phrase,name,drug_class,example\n"
    row = "zebucaine,zebucaine,local_anesthetic,0.5 mL of zebucaine was injected at each nerve.\n"
    (overlay / "agents.csv").write_text(head + row)
    theirs = Coder(profile="medicare", patterns=overlay)
    notes = records()[:2]
    notes[0]["text"] = notes[0]["text"].replace("bupivacaine", "zebucaine")
    path = write_notes(tmp_path / "notes.jsonl", notes)
    results = run(lambda: theirs.code, path, tmp_path / "out.jsonl")
    assert Replay(lambda: theirs.code, results, path).figures == "2 2 0 0 0 0"

    found = Replay(loaded(coder), results, path)
    here, there = coder.patterns, theirs.patterns
    stamps = [
        f"  stamp patterns: {there.fingerprint}, here {here.fingerprint}",
        f"  stamp overlay: {there.overlay_fingerprint}, here none",
    ]
    assert found.said[:3] == [f"{results} line 1: {IDS[0]}: differs", *stamps]
    assert "  summary.injectate: 1 of them, here 0 of them" in found.said
    assert found.said[-4:-1] == [f"{results} line 2: {IDS[1]}: differs by its stamps only", *stamps]
    assert (found.figures, found.different) == ("2 0 1 1 0 0", 2)

    table = (ROOT / "patterns" / "profiles.toml").read_text(encoding="utf-8")
    (overlay / "profiles.toml").write_text(table.replace("covered_levels = 2", "covered_levels = 3"))
    changed = Coder(patterns=overlay)
    assert changed.book.profile("medicare").fingerprint != coder.book.profile("medicare").fingerprint
    found = Replay(lambda: changed.code, results, path)
    assert found.figures == "2 0 2 0 0 0"
    ours = changed.book.profile("medicare").fingerprint
    theirs_row = theirs.book.profile("medicare").fingerprint
    assert found.said.count(f"  stamp profile_hash: {theirs_row}, here {ours}") == 2


def test_the_day_chooses_the_code_book(coder: Coder, tmp_path: Path) -> None:
    path = write_notes(tmp_path / "notes.jsonl", records())
    results = run(loaded(coder), path, tmp_path / "out.jsonl", day="2021-06-30")
    assert results.read_bytes().count(b'"codes":"2021"') == 6
    assert Replay(loaded(coder), results, path).said == [ALL_EQUAL]


def test_descriptors_that_are_not_given_again(coder: Coder, tmp_path: Path) -> None:
    """They are not ours, so their words are never told."""
    file = tmp_path / "descriptors.csv"
    file.write_text(f"code,descriptor\n64493,{SECRET}\n")
    theirs = Coder(descriptors=file)
    path = write_notes(tmp_path / "notes.jsonl", records()[:1])
    results = run(lambda: theirs.code, path, tmp_path / "out.jsonl")
    assert SECRET.encode() in results.read_bytes()
    assert Replay(lambda: theirs.code, results, path).figures == "1 1 0 0 0 0"
    assert Replay(loaded(coder), results, path).said[1:-1] == [
        f"  stamp descriptors: {theirs.code('').versions.descriptors}, here none",
        "  lines.0.descriptor",
    ]


def test_supplies_that_are_not_asked_for_again(coder: Coder, tmp_path: Path) -> None:
    note = records()[0]
    note["text"] = note["text"].replace("bupivacaine", "Kenalog 40 mg and bupivacaine")
    theirs = Coder(supplies=True)
    path = write_notes(tmp_path / "notes.jsonl", [note])
    results = run(lambda: theirs.code, path, tmp_path / "out.jsonl", supplies=True)
    assert Replay(lambda: theirs.code, results, path).figures == "1 1 0 0 0 0"
    assert Replay(loaded(coder), results, path).said[1] == "  stamp supplies: true, here false"


def test_another_engine(coder: Coder, result: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coder_module, "__version__", "9.9.9")
    found = Replay(loaded(coder), result, SAMPLES)
    assert (found.figures, found.different) == ("6 0 6 0 0 0", 6)
    assert found.said[1] == "  stamp engine: 0.1.0, here 9.9.9"


def test_a_profile_that_is_not_there(coder: Coder, result: Path) -> None:
    edited(result, 2, '"profile":"cpt"', '"profile":"gone"')
    found = Replay(loaded(coder), result, SAMPLES)
    assert found.said[0].startswith(f"{result} line 3: {IDS[2]}: not replayed: no such profile; known profiles: cpt,")
    assert (found.figures, found.different) == ("6 5 0 0 0 1", 1)


# -- what is wrong with files --------------------------------------------------------------------------------------


def test_missing_notes(coder: Coder, result: Path, tmp_path: Path) -> None:
    path = write_notes(tmp_path / "notes.jsonl", [records()[4], records()[1]])
    found = Replay(loaded(coder), result, path)
    gone = [f"{result} line {place + 1}: {IDS[place]}: its note is missing" for place in (0, 2, 3, 5)]
    assert found.said[:-1] == gone
    assert (found.figures, found.different) == ("6 2 0 0 4 0", 4)


def test_lines_that_hold_no_record(coder: Coder, result: Path) -> None:
    lines = result.read_bytes().splitlines(keepends=True)
    failure = {"id": "x", "source": "notes.jsonl line 9", "reason": "text is empty"}
    wrong = [b"not JSON\n", b"\xff\n", json.dumps(failure).encode() + b"\n", b"[1]\n", b"\n", lines[0]]
    wrong += [lines[1].replace(b'"date_of_service":null', b'"date_of_service":"' + SECRET.encode() + b'"')]
    result.write_bytes(b"".join([*lines[:-1], *wrong, lines[-1][:400]]))
    found = Replay(loaded(coder), result, SAMPLES)
    reasons = {
        6: "not valid JSON",
        7: "not valid JSON",
        8: "tells of a note that failed, and is no result",
        9: "no result of facetcode run",
        11: f"id {IDS[0]} stands twice (first: line 1)",
        12: "the date of service in its versions is no date like 2026-01-31",
        13: "not valid JSON (the file breaks off here)",
    }
    assert found.said[:-1] == [f"{result} line {line}: not replayed: {why}" for line, why in reasons.items()]
    assert (found.figures, found.different) == ("12 5 0 0 0 7 1", 7)


def test_a_last_line_without_its_line_feed_is_whole(coder: Coder, result: Path) -> None:
    result.write_bytes(result.read_bytes().removesuffix(b"\n"))
    assert Replay(loaded(coder), result, SAMPLES).said == [ALL_EQUAL]


def test_other_line_ends_are_other_bytes(coder: Coder, result: Path) -> None:
    result.write_bytes(result.read_bytes().replace(b"\n", b"\r\n"))
    found = Replay(loaded(coder), result, SAMPLES)
    assert found.said[1] == "  the same fields in other bytes: written anew, in another order or with another line end"
    assert found.figures == "6 0 0 6 0 0"


def test_what_is_wrong_with_notes_is_complained_of(coder: Coder, result: Path, tmp_path: Path) -> None:
    path = write_notes(tmp_path / "notes.jsonl", [*records(), records()[0], {"id": "empty", "text": ""}])
    found = Replay(loaded(coder), result, path)
    assert found.said == [ALL_EQUAL]
    assert found.complaints == [
        f"{path} line 7: id {IDS[0]} stands twice (first: {path} line 1)",
        f"{path} line 8: text is empty",
    ]


NO_JSONL = {
    "packed.jsonl.gz": (gzip.compress(b"{}"), "is packed, unpack it first"),
    "packed.jsonl": (gzip.compress(b"{}"), "is gzip; only the JSONL of facetcode run"),
    "out.parquet": (b"PAR1", "is Parquet; only the JSONL"),
    "out.csv": (b"id,status\n", "is CSV; only the JSONL"),
    "out.sqlite": (b"SQLite format 3\x00", "is SQLite; only the JSONL"),
    "hidden.jsonl": (b"SQLite format 3\x00...", "is SQLite; only the JSONL"),
    "marked.jsonl": (b"\xef\xbb\xbf{}", "begins with a byte order mark"),
    "empty.jsonl": (b" \n\n", "no results in this file"),
}


@pytest.mark.parametrize("name", [*NO_JSONL, "gone.jsonl", "folder"])
def test_a_file_that_is_no_jsonl_of_results(name: str, tmp_path: Path) -> None:
    data, reason = NO_JSONL.get(name, (b"", "no such file" if name == "gone.jsonl" else "is no file"))
    path = tmp_path / name
    if name == "folder":
        path.mkdir()
    elif name != "gone.jsonl":
        path.write_bytes(data)
    with pytest.raises(InputError) as raised:
        Replay(lambda: stub_code, path, SAMPLES)
    assert str(raised.value).startswith(f"{path}: {reason}")


def test_a_result_file_that_is_changed_meanwhile_names_no_text(result: Path) -> None:
    with Results(result) as results:
        assert list(results.read()) == []
        result.write_bytes(SECRET.encode() * 10_000)
        with pytest.raises(InputError, match=r"results\.jsonl: was changed while it was read$"):
            results.take(IDS[0])


# -- many notes ----------------------------------------------------------------------------------------------------


def test_workers_and_forms(tmp_path: Path) -> None:
    """More notes than one process takes on, one of which ends its worker now."""
    notes = [{"id": f"n{number}", "text": f"facet {number}"} for number in range(130)]
    path = write_notes(tmp_path / "notes.jsonl", notes)
    results = run(load_rough, path, tmp_path / "out.jsonl", workers=2)
    found = Replay(load_rough, results, path, workers=2, form="json")
    parts = [json.loads(line) for line in found.said]
    assert [part["id"] for part in parts[:-1]] == [note["id"] for note in notes]
    assert {part["outcome"] for part in parts[:-1]} == {"equal"}
    figures = {"records": 130, "equal": 130, "stamps": 0, "differs": 0, "missing": 0, "not_replayed": 0}
    assert parts[-1] == {"summary": {**figures, "other_notes": 0}}
    notes[7]["text"] = "die"
    notes[9]["text"] = f"crash {SECRET}"
    found = Replay(load_rough, results, write_notes(path, notes), workers=2)
    assert found.said[:-1] == [
        f"{results} line 8: n7: not replayed: the process that coded it died",
        f"{results} line 10: n9: not replayed: could not be coded (ValueError)",
    ]


def test_memory_does_not_grow_with_the_records(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        notes = [{"id": f"n{number}", "text": "facet " * 200} for number in range(count)]
        path = write_notes(tmp_path / "notes.jsonl", notes)
        results = run(lambda: stub_code, path, tmp_path / f"out{count}.jsonl")
        with results.open("ab") as stream:
            stream.write(b"damaged\n" * count)
        del notes
        call = replay.Call(result=results, inputs=[str(path)], workers=1)
        tracemalloc.start()
        replay.run(call, "json", lambda: stub_code, lambda line: None, lambda line: None)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(4000) < peak(500) + 400_000  # their lines alone are some 5 MB


# -- the command ---------------------------------------------------------------------------------------------------


def facetcode(*arguments: object) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    call = [sys.executable, "-m", "extractor", *map(str, arguments)]
    return subprocess.run(call, capture_output=True, env=environment, check=False, text=True)


def test_the_command(tmp_path: Path) -> None:
    result = tmp_path / "out.jsonl"
    assert facetcode("run", SAMPLES, "-o", result, "--profile", "medicare").returncode == 0
    done = facetcode("replay", result, SAMPLES)
    assert (done.returncode, done.stdout, done.stderr) == (0, ALL_EQUAL + "\n", "")
    edited(result, 0, '"units":1', '"units":2')
    done = facetcode("replay", result, SAMPLES)
    assert (done.returncode, done.stdout.splitlines()[1]) == (1, "  claim.0.units: 2, here 1")
    done = facetcode("replay", tmp_path / "gone.jsonl", SAMPLES)
    assert (done.returncode, done.stderr) == (2, f"facetcode: {tmp_path / 'gone.jsonl'}: no such file\n")


def steps_of_the_page() -> list[tuple[str, str]]:
    """The commands of docs/replay.md with what they print."""
    page = (ROOT / "docs" / "replay.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```console\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    steps = [step.partition("\n") for block in blocks for step in block.removeprefix("$ ").split("\n$ ")]
    return [(command_line, printed) for command_line, _, printed in steps]


def test_the_page_prints_what_it_shows(tmp_path: Path) -> None:
    """One after another in a folder with the corpus, by a shell."""
    (tmp_path / "corpus").symlink_to(ROOT / "corpus")
    shim = tmp_path / "facetcode"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m extractor "$@"\n')
    shim.chmod(0o755)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    steps = steps_of_the_page()
    assert len(steps) > 3
    for line, expected in steps:
        done = subprocess.run(line, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True)
        printed = done.stdout + done.stderr
        assert doctest.OutputChecker().check_output(expected, printed, doctest.ELLIPSIS), (line, printed)
