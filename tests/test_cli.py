"""The command as it is installed: instant help, quiet, and the same by every way in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import extractor

if TYPE_CHECKING:
    from extractor import Coder

ROOT = Path(__file__).parent.parent
SAMPLES = sorted((ROOT / "corpus" / "samples").glob("*.txt"))


@pytest.fixture(scope="module")
def coder() -> Coder:
    return extractor.Coder()


def facetcode(*arguments: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "extractor", *arguments]
    return subprocess.run(command, capture_output=True, env=environment, check=False, **options)  # type: ignore[call-overload]


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["--version"], ["code", "--help"], ["run", "--help"]])
def test_help_needs_nothing_heavy(arguments: list[str]) -> None:
    probe = f"""
import sys
from extractor.cli import main
try:
    main({arguments!r})
except SystemExit as stopped:
    assert not stopped.code
heavy = {{"spacy", "medspacy", "pydantic", "numpy", "loguru", "asyncio"}} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", probe], check=True, cwd=ROOT, capture_output=True)


def test_version() -> None:
    done = facetcode("--version")
    assert done.stdout.decode().strip() == f"facetcode, version {extractor.__version__}"


def test_public_names() -> None:
    assert {"Coder", "CodingResult", "__version__"} <= set(dir(extractor))
    assert extractor.CodingResult.__name__ == "CodingResult"
    with pytest.raises(AttributeError, match="no attribute 'Decoder'"):
        extractor.Decoder  # noqa: B018


def test_samples_are_coded_quietly_and_alike_by_every_way_in(tmp_path: Path) -> None:
    """Nothing on standard error: medspaCy's sentence splitter would log the note there."""
    one_by_one = facetcode("code", *map(str, SAMPLES), "--format", "json")
    assert (one_by_one.returncode, one_by_one.stderr) == (0, b"")
    out = tmp_path / "out.jsonl"
    many = facetcode("run", str(ROOT / "corpus" / "samples"), "-o", str(out))
    assert (many.returncode, many.stderr) == (0, b"")
    assert out.read_bytes() == one_by_one.stdout
    from_stdin = facetcode("code", "-", "--format", "json", input=SAMPLES[0].read_bytes())
    first = json.loads(one_by_one.stdout.split(b"\n")[0])
    assert json.loads(from_stdin.stdout) == first | {"id": "note"}


@pytest.mark.parametrize(
    ("sample", "status", "lines"),
    [
        ("01", "coded", [("64493", "right", ["L4-L5"]), ("64494", "right", ["L5-S1"])]),
        ("02", "coded", [("64493", "bilateral", ["L4-L5"]), ("64494", "bilateral", ["L5-S1"])]),
        ("03", "coded", [("64490", "left", ["T12-L1"])]),
        ("04", "review", [("64493", "unspecified", ["L4-L5"])]),
        ("05", "no_code", []),
        ("06", "coded", [("64635", "left", ["L4-L5"]), ("64636", "left", ["L5-S1"])]),
    ],
)
def test_samples(coder: Coder, sample: str, status: str, lines: list[tuple[str, str, list[str]]]) -> None:
    path = next(path for path in SAMPLES if path.name.startswith(sample))
    text = path.read_bytes().decode()
    result = coder.code(text)
    assert (result.status, [(line.code, line.side, line.joints) for line in result.lines]) == (status, lines)
    for line in result.lines:
        assert line.evidence
        assert all(text[e.start : e.end] == e.text for e in line.evidence)


def test_unknown_profile_is_one_line() -> None:
    done = facetcode("code", str(SAMPLES[0]), "--profile", "acme")
    assert done.returncode == 2
    assert done.stderr.decode().count("\n") == 1
    assert "profile" in done.stderr.decode()


def test_missing_patterns_folder_is_one_line() -> None:
    done = facetcode("code", str(SAMPLES[0]), "--patterns", "gone")
    assert (done.returncode, done.stderr) == (2, b"facetcode: gone: no such patterns folder\n")


def test_the_command_leaves_out_what_it_never_calls_and_nothing_is_missing_later() -> None:
    """QuickUMLS and spaCy's command line are not imported by ours, and can still be imported in the same process."""
    probe = (
        "import sys; from extractor import loading; loading._import_medspacy()\n"
        "assert not {'nltk', 'typer', 'quickumls', 'spacy.cli'} & set(sys.modules)\n"
        "import quickumls.spacy_component; from spacy.cli import info; assert callable(info)"
    )
    subprocess.run([sys.executable, "-c", probe], check=True, cwd=ROOT, capture_output=True)


@pytest.mark.parametrize("command", [["code"], ["run", "-o", "{out}"], ["run", "--workers", "2", "-o", "{out}"]])
def test_wrong_pattern_is_told_once_and_before_any_note(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "reading.toml").write_text("source = 3\n", encoding="utf-8")
    arguments = [part.format(out=tmp_path / "out.jsonl") for part in command]
    done = facetcode(*arguments, *map(str, SAMPLES), "--patterns", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert done.stderr.startswith(b"facetcode: overlay reading.toml: ")
    assert not list(tmp_path.glob("out.jsonl*"))
