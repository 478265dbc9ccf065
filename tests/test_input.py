"""What strangers feed in: every trouble is one clear line, the rest is written, and no line holds text of a note."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from casefile import cases
from stubs import SECRET, StubCoder

from extractor import cli


@pytest.fixture(autouse=True)
def _stubbed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cli, "_coder", lambda profile, patterns, *others: StubCoder(profile, patterns).code)
    monkeypatch.chdir(tmp_path)


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    return int(stopped.value.code or 0)


def errors(capfd: pytest.CaptureFixture[str]) -> list[str]:
    lines = capfd.readouterr().err.splitlines()
    assert all(line.startswith("facetcode: ") and SECRET not in line for line in lines)
    return [line.removeprefix("facetcode: ") for line in lines]


def results(path: str = "out.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_bytes().decode().split("\n")[:-1]]


def jsonl(name: str, *records: dict[str, Any]) -> str:
    Path(name).write_text("".join(json.dumps(record) + "\n" for record in records))
    return name


@pytest.mark.parametrize("case", cases("input.jsonl", {"name", "latin1", "exit", "stderr", "ids"}))
def test_run(case: dict[str, Any], capfd: pytest.CaptureFixture[str]) -> None:
    Path(case["name"]).write_bytes(case["latin1"].encode("latin-1"))
    assert call("run", case["name"], "-o", "out.jsonl") == case["exit"]
    assert errors(capfd) == case["stderr"]
    if case["ids"] is None:
        assert not Path("out.jsonl").exists()
    else:
        assert [result["id"] for result in results()] == case["ids"]


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("one\r\ntwo\r\nfacet", 10),
        ("one\rfacet", 4),
        ("\x00\x00facet", 2),
        ("\ufefffacet", 0),
        ("L4\u20135 \U0001f9b4 facet", 7),
        ("\u2028\x85\x0cfacet", 3),
    ],
)
@pytest.mark.parametrize("form", ["txt", "jsonl"])
def test_offsets_refer_to_the_text_as_given(text: str, start: int, form: str) -> None:
    """A byte order mark of a file is no part of the text; in a JSON string it is an ordinary character."""
    if form == "txt":
        Path("n.txt").write_bytes(text.encode())
    else:
        jsonl("n.jsonl", {"id": "n", "text": text})
        start += text.startswith("\ufeff")
    assert call("run", f"n.{form}", "-o", "out.jsonl") == 0
    evidence = results()[0]["lines"][0]["evidence"][0]
    assert (evidence["start"], evidence["text"]) == (start, "facet")


@pytest.mark.parametrize("form", ["txt", "jsonl"])
def test_five_megabytes_in_one_line(form: str) -> None:
    text = "lumbar " * 750_000 + "facet"
    if form == "txt":
        Path("n.txt").write_text(text)
    else:
        jsonl("n.jsonl", {"id": "n", "text": text})
    assert call("run", f"n.{form}", "-o", "out.jsonl") == 0
    assert results()[0]["lines"][0]["evidence"][0]["start"] == 5_250_000


def test_folder_in_order_with_subfolders(capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("in/b.txt", "in/a.TXT", "in/sub/a.txt", "in/._a.txt", "in/readme.md"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("facet")
    Path("in/c.txt").write_text("")
    assert call("run", "in", "-o", "out.jsonl") == 1
    assert [result["id"] for result in results()] == ["a", "b", "sub/a"]
    assert errors(capfd) == ["in/c.txt: text is empty"]


def test_several_inputs_share_their_ids(capfd: pytest.CaptureFixture[str]) -> None:
    Path("a.txt").write_text("facet")
    jsonl("n.jsonl", {"id": "b", "text": "facet"}, {"id": "a", "text": "facet"})
    assert call("run", "a.txt", "n.jsonl", "-o", "out.jsonl") == 1
    assert [result["id"] for result in results()] == ["a", "b"]
    assert errors(capfd) == ["n.jsonl line 2: id a stands twice (first: a.txt)"]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["run", "gone.jsonl", "-o", "out.jsonl"], "gone.jsonl: no such file or folder"),
        (["run", "good.txt", "gone.txt", "-o", "out.jsonl"], "gone.txt: no such file or folder"),
        (["run", "empty", "-o", "out.jsonl"], "empty: no .txt or .rtf notes in this folder"),
        (["run", "good.txt", "-o", "gone/out.jsonl"], "gone/out.jsonl: cannot be written (No such file or directory)"),
        (["run", "good.txt", "-o", "empty"], "empty: is a folder, not a file to write"),
        (["run", "good.txt", "-o", "./good.txt"], "./good.txt: is an input too, it would be overwritten"),
        (["run", "good.txt", "-o", "out.jsonl", "--profile", "acme"], "unknown profile acme"),
        (
            ["run", "good.txt", "-o", "out.jsonl", "--date-of-service", "tomorrow"],
            "--date-of-service is not a date like 2026-01-31",
        ),
        (["run", "good.txt"], "Missing option '-o' / '--output'."),
        (["code", "gone.txt"], "gone.txt: no such file or folder"),
        (["code", "empty"], "empty: is a folder, use: facetcode run"),
        (["code", "notes.jsonl"], "notes.jsonl: holds many notes, use: facetcode run"),
        (["code", "good.txt", "--profile", "acme"], "unknown profile acme"),
        (
            ["code", "good.txt", "good.txt", "--format", "html"],
            "a page holds one note: give one NOTE with --format html",
        ),
        (
            ["code", "good.txt", "--format", "pdf"],
            "Invalid value for '--format': 'pdf' is not one of 'text', 'json', 'html', 'fhir'.",
        ),
        (["frobnicate"], "No such command 'frobnicate'."),
    ],
)
def test_wrong_call_is_one_line(arguments: list[str], line: str, capfd: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    Path("good.txt").write_text("facet")
    jsonl("notes.jsonl", {"id": "a", "text": "facet"})
    assert call(*arguments) == 2
    assert errors(capfd) == [line]
    assert not Path("out.jsonl").exists()
    assert not list(Path().glob("*.part"))
    assert Path("good.txt").read_text() == "facet"


def test_record_brings_its_own_profile_date_and_keys() -> None:
    own = {"id": "b", "text": "facet", "profile": "medicare", "date_of_service": "2025-05-05", "site": {"ü": [1, None]}}
    jsonl("n.jsonl", {"id": "a", "text": "facet"}, own)
    assert call("run", "n.jsonl", "-o", "out.jsonl", "--date-of-service", "2026-01-31") == 0
    first, second = results()
    assert (first["versions"]["profile"], first["versions"]["codes"]) == ("cpt", "2026-01-31")
    assert (second["versions"]["profile"], second["versions"]["codes"]) == ("medicare", "2025-05-05")
    assert second["site"] == {"ü": [1, None]}
    assert "text" not in second
    assert next(iter(second)) == "id"


def test_standard_streams(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    class Stdin:
        buffer = open(jsonl("n.jsonl", {"id": "a", "text": "facet ü"}), "rb")  # noqa: SIM115

    monkeypatch.setattr("sys.stdin", Stdin)
    assert call("run", "-", "-o", "-") == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["id"] == "a"
    assert err == ""


def test_output_appears_whole_and_the_part_is_kept_on_a_broken_run(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("out.jsonl").write_text("old\n")
    jsonl("n.jsonl", {"id": "a", "text": "facet"}, {"id": "b", "text": "stop"})

    def code(text: str, **others: Any) -> Any:
        if text == "stop":
            raise KeyboardInterrupt
        return StubCoder().code(text, **others)

    monkeypatch.setattr(cli, "_coder", lambda profile, patterns, *others: code)
    assert call("run", "n.jsonl", "-o", "out.jsonl") == 130
    assert Path("out.jsonl").read_text() == "old\n"
    assert [result["id"] for result in results("out.jsonl.part")] == ["a"]


def test_a_device_is_written_to_and_not_replaced() -> None:
    Path("n.txt").write_text("facet")
    assert call("run", "n.txt", "-o", "/dev/null") == 0
    assert Path("/dev/null").is_char_device()


def test_a_link_stays_a_link() -> None:
    Path("n.txt").write_text("facet")
    Path("true.jsonl").touch()
    Path("out.jsonl").symlink_to("true.jsonl")
    assert call("run", "n.txt", "-o", "out.jsonl") == 0
    assert Path("out.jsonl").is_symlink()
    assert [result["id"] for result in results("true.jsonl")] == ["n"]


@pytest.mark.parametrize("content", [b"", b" \r\n\t", b"\x00\x00"])
def test_code_of_a_blank_note(content: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    Path("n.txt").write_bytes(content)
    assert call("code", "n.txt") == 1
    assert errors(capfd) == ["n.txt: text is empty"]


def test_code_says_the_encoding_and_goes_on(capfd: pytest.CaptureFixture[str]) -> None:
    Path("n.note").write_bytes(b"facet L4\x965")
    assert call("code", "n.note", "--format", "json") == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["lines"][0]["code"] == "64493"
    assert err == "facetcode: n.note: not UTF-8, read as Windows-1252 (cp1252)\n"


def test_code_of_a_note_that_cannot_be_coded(capfd: pytest.CaptureFixture[str]) -> None:
    Path("n.txt").write_text(f"crash {SECRET}")
    Path("good.txt").write_text("facet")
    assert call("code", "n.txt", "good.txt") == 1
    out, err = capfd.readouterr()
    assert out.startswith("good: CODED")
    assert err == "facetcode: n.txt: note n could not be coded (ValueError)\n"
