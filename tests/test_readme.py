"""Examples of the README, the data card and docs/ are true: python blocks run, console blocks print what they show."""

from __future__ import annotations

import doctest
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from extractor import cli

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CARD = (ROOT / "corpus" / "README.md").read_text(encoding="utf-8")
AUDIT = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
RULES = (ROOT / "docs" / "keeping-the-rules.md").read_text(encoding="utf-8")
CLINIC = ROOT / "docs" / "examples" / "clinic"


def blocks(kind: str, page: str = README) -> list[str]:
    found = re.findall(rf"^```{kind}\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    assert found, f"no {kind} block"
    return found


@pytest.mark.parametrize("block", [*blocks("python"), *blocks("python", AUDIT)])
def test_python(block: str) -> None:
    exec(compile(block, "README.md", "exec"), {})


@pytest.mark.parametrize("block", [block for page in (README, CARD, AUDIT, RULES) for block in blocks("console", page)])
def test_console(block: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    for step in block.removeprefix("$ ").split("\n$ "):
        command, expected = step.split("\n", 1)
        name, *arguments = shlex.split(command)
        assert name == "facetcode"
        with pytest.raises(SystemExit):
            cli.main(arguments)
        printed = capfd.readouterr().out
        assert doctest.OutputChecker().check_output(expected, printed, doctest.ELLIPSIS), printed


def test_rows_of_the_page_for_coders_are_those_of_its_folder() -> None:
    shown = [block for block in blocks("text", RULES) if "disabled" not in block and "file,id" not in block]
    written = {path.read_text(encoding="utf-8") for path in CLINIC.glob("*.csv")}
    assert set(shown) == written
    letters, profile = (tomllib.loads(block) for block in blocks("toml", RULES))
    assert letters == tomllib.loads((CLINIC / "levels.toml").read_text(encoding="utf-8"))
    assert profile == tomllib.loads((CLINIC / "profiles.toml").read_text(encoding="utf-8"))


def test_files_named_in_the_readme_exist() -> None:
    named = re.findall(
        r"`((?:extractor|patterns|tests|corpus|benchmarks|\.ci)/[\w./-]*|\./[a-z]+|[\w.]+\.lock)`", README
    )
    assert len(named) > 10
    missing = [name for name in named if not (ROOT / name).exists()]
    assert missing == []


def test_commands_of_the_command_line_are_in_the_readme() -> None:
    for name, command in cli.cli.commands.items():
        assert f"facetcode {name}" in README
        for option in command.params:
            long = [given for given in option.opts if given.startswith("--")]
            assert not long or long[0] in README or f" {option.opts[0]} " in README
