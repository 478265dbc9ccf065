"""Licensed descriptors: only from a file of the user's, in every way that a note is coded, and none shipped."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

import pytest

from extractor import Coder, cli
from extractor.coding import CodeBooks
from extractor.descriptors import Descriptors
from extractor.errors import InputError
from extractor.patterns import PatternFolder
from extractor.report import html_page, text_summary

SAMPLE = Path(__file__).parent.parent / "corpus" / "samples" / "01-medial-branch-block.txt"
ROWS = 'code,descriptor\n64493,"Ours, <one>"\n64494,Zweite \u2013 Ebene\n99999,Never given\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "licensed.csv"
    path.write_text(ROWS, encoding="utf-8")
    return path


def test_none_is_shipped(coder: Coder) -> None:
    result = coder.code(SAMPLE.read_text(encoding="utf-8"))
    assert result.lines
    assert [line.descriptor for line in result.lines] == [""] * len(result.lines)
    assert result.versions.descriptors == ""
    for path in PatternFolder().shipped.rglob("*.*"):
        assert not re.search(r"^descriptor\b|\bdescriptor,|,descriptor\b", path.read_text(encoding="utf-8"), re.M), path


def test_no_label_is_long_enough_to_be_a_descriptor() -> None:
    labels = [code.label for code in CodeBooks(PatternFolder()).newest.table.codes.values()]
    assert max(map(len, labels)) < 80


def test_lines_get_the_descriptors_of_the_file(file: Path) -> None:
    coder = Coder(descriptors=file)
    text = SAMPLE.read_text(encoding="utf-8")
    result = coder.code(text)
    assert {line.code: line.descriptor for line in result.lines} == {
        "64493": "Ours, <one>",
        "64494": "Zweite \u2013 Ebene",
    }
    assert result.versions.descriptors == hashlib.sha256(ROWS.encode()).hexdigest()[:12]
    assert "\n      Ours, <one>\n" in text_summary(result)
    assert "<br>Ours, &lt;one&gt;</td>" in html_page(result, text)
    plain = Coder().code(text)
    assert plain.lines[0].label == result.lines[0].label
    assert plain.claim == result.claim


def test_line_ends_and_a_mark_at_the_start_change_nothing(tmp_path: Path) -> None:
    one, two = tmp_path / "a.csv", tmp_path / "b.csv"
    one.write_bytes(ROWS.encode())
    two.write_bytes(ROWS.replace("\n", "\r\n").encode())
    assert Descriptors.load(one) == Descriptors.load(two)
    two.write_bytes(b"\xef\xbb\xbf" + ROWS.encode())
    assert Descriptors.load(two).texts == Descriptors.load(one).texts


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "row 1: the columns must be code,descriptor"),
        (b"code;descriptor\n64493;x\n", "row 1: the columns must be code,descriptor"),
        (b"descriptor,code\nx,64493\n", "row 1: the columns must be code,descriptor"),
        (b"code,descriptor\n64493,Secret, words\n", "row 2: 3 fields, not 2: a descriptor with a comma needs quotes"),
        (b"code,descriptor\n64493\n", "row 2: 1 fields, not 2"),
        (
            b"code,descriptor\n64493,x\n\n6449,Secret\n",
            "row 4: the code is no number of five digits or capital letters",
        ),
        (b"code,descriptor\n64493-50,Secret\n", "row 2: the code is no number of five digits or capital letters"),
        (b"code,descriptor\n64493,  \n", "row 2: the descriptor is empty"),
        (b"code,descriptor\n64493,x\n64493,Secret\n", "row 3: 64493 stands twice"),
        (b'code,descriptor\n64493,"Secret\n64494,x\n', "not readable as CSV"),
        (b"code,descriptor\n64493,Sec\0ret\n", ""),
        (b"code,descriptor\n64493," + b"x" * 200_000 + b"\n", "row 2: not readable as CSV"),
        (b"code,descriptor\n64493,\xff\xfe\n", "not UTF-8"),
        (ROWS.encode("utf-16"), "not UTF-8"),
    ],
)
def test_a_wrong_file_is_one_clear_line(data: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "licensed.csv"
    path.write_bytes(data)
    if not said:  # either way is good, as long as nothing breaks
        assert Descriptors.load(path).texts
        return
    with pytest.raises(InputError) as caught:
        Coder(descriptors=path)
    assert str(caught.value).startswith(str(path))
    assert said in str(caught.value)
    assert "Secret" not in str(caught.value)


def test_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.csv", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            Descriptors.load(path)


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_may_never_end_is_not_read(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "licensed.csv"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/null")
    with pytest.raises(InputError) as caught:
        Descriptors.load(path)
    assert str(caught.value) == f"{path}: cannot be read (not a regular file)"


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    return int(ended.value.code or 0)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_run_fills_them_with_any_number_of_workers(workers: str, file: Path, tmp_path: Path) -> None:
    notes, out = tmp_path / "notes.jsonl", tmp_path / "out.jsonl"
    text = SAMPLE.read_text(encoding="utf-8")
    count = 101 if workers == "2" else 2  # fewer are coded in the main process
    notes.write_text("".join(json.dumps({"id": str(n), "text": text}) + "\n" for n in range(count)), encoding="utf-8")
    assert run("run", str(notes), "-o", str(out), "--workers", workers, "--descriptors", str(file)) == 0
    found = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert len(found) == count
    assert {line["descriptor"] for result in found for line in result["lines"]} == {
        "Ours, <one>",
        "Zweite \u2013 Ebene",
    }


def test_a_run_does_not_go_on_with_other_descriptors(file: Path) -> None:
    from extractor.batch.command import Run, made_with

    call = {"inputs": ["x"], "out": "y", "profile": "cpt", "patterns": None, "day": None, "id_column": "id"}
    call |= {"text_column": "text", "max_chars": None, "summary": None, "workers": None, "note_timeout": None}
    without = made_with(Run(**call, descriptors=None))  # type: ignore[arg-type]
    first = made_with(Run(**call, descriptors=file))  # type: ignore[arg-type]
    file.write_text(ROWS + "64495,Third\n", encoding="utf-8")
    second = made_with(Run(**call, descriptors=file))  # type: ignore[arg-type]
    assert len({tuple(made) for made in (without, first, second)}) == 3


def test_a_wrong_file_ends_the_command(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "licensed.csv"
    path.write_text("code,descriptor\n64493,a,b\n", encoding="utf-8")
    assert run("code", str(SAMPLE), "--descriptors", str(path)) == 2
    shown = capfd.readouterr()
    assert shown.out == ""
    assert shown.err == f"facetcode: {path} row 2: 3 fields, not 2: a descriptor with a comma needs quotes\n"


def test_a_process_of_a_cluster_gets_them_as_bytes() -> None:
    from extractor.batch.spark import coder_of_process

    code = coder_of_process("cpt", None, ROWS.encode())
    result = code(SAMPLE.read_text(encoding="utf-8"))
    assert result.lines[0].descriptor == "Ours, <one>"
    assert coder_of_process("cpt", None, ROWS.encode()) is code
    other = coder_of_process("cpt", None, None)
    assert other(SAMPLE.read_text(encoding="utf-8")).lines[0].descriptor == ""
