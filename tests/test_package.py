"""The wheel holds what an installation needs: the patterns, the type marker, the licence, the command."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    pytest.importorskip("hatchling", reason="set up with requirements.lock")
    out = tmp_path_factory.mktemp("wheel")
    build = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(out)], check=True, cwd=ROOT, capture_output=True)
    return zipfile.ZipFile(next(out.glob("facetcode-*.whl")))


def test_wheel_holds_all_patterns(wheel: zipfile.ZipFile) -> None:
    inside = {name.removeprefix("extractor/_patterns/") for name in wheel.namelist() if "/_patterns/" in name}
    shipped = {path.relative_to(ROOT / "patterns").as_posix() for path in (ROOT / "patterns").rglob("*.*")}
    assert shipped
    assert {name for name in inside if name.endswith((".csv", ".toml"))} == {
        name for name in shipped if name.endswith((".csv", ".toml"))
    }


def test_wheel_holds_the_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert {"extractor/py.typed", "extractor/cli.py", "extractor/batch/runner.py"} <= set(names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"extractor", "facetcode"}
    info = next(name for name in names if name.endswith("entry_points.txt"))
    assert wheel.read(info).decode().split("\n")[:2] == ["[console_scripts]", "facetcode = extractor.cli:main"]
    assert any(name.endswith("/LICENSE") for name in names)


def test_patterns_of_the_wheel_are_the_ones_that_load(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path)
    probe = "from extractor.patterns import shipped_folder; print(shipped_folder())"
    command = [sys.executable, "-c", probe]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()) == tmp_path / "extractor" / "_patterns"
