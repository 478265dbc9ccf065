"""The rooms stay apart: who may import spaCy, and what may not stand in Python (house rules 1, 2 and 8)."""

from __future__ import annotations

import ast
import csv
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from extractor.patterns import shipped_folder

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "extractor"
MODULES = sorted(PACKAGE.rglob("*.py"))
HEAVY = {"spacy", "medspacy", "thinc", "numpy", "pandas", "pyarrow", "pyspark", "fastapi", "starlette", "uvicorn"}
NLP = {"spacy", "medspacy", "PyRuSH", "quickumls"}
CODE_NUMBER = re.compile(r"(?<!\d)(?:[0-9]{5}|[0-9]{4}T|[GJQ][0-9]{4})(?!\d)")


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def type_checking_only(tree: ast.AST) -> set[ast.AST]:
    """Every node below an `if TYPE_CHECKING:`."""
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)]
    return {inner for block in blocks for statement in block.body for inner in ast.walk(statement)}


def imports(path: Path) -> Iterator[str]:
    """Full names of all modules that are imported at run time, anywhere in the file."""
    tree = parsed(path)
    skipped = type_checking_only(tree)
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports are absolute"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_the_pipeline_imports_spacy(path: Path) -> None:
    found = {name.split(".")[0] for name in imports(path)} & NLP
    assert not found or path.parent.name == "pipeline"


def test_the_scan_sees_the_pipeline() -> None:
    """The scan above can fail: it does find the imports where they are allowed."""
    seen = {name.split(".")[0] for path in (PACKAGE / "pipeline").glob("*.py") for name in imports(path)}
    assert {"spacy", "medspacy"} <= seen


PURE = (
    "assembly",
    "coding",
    "mentions.py",
    "records.py",
    "anatomy.py",
    "schema.py",
    "result.py",
    "text.py",
    "levels.py",
)


@pytest.mark.parametrize("room", PURE)
def test_after_the_doc_nothing_comes_back_to_the_pipeline(room: str) -> None:
    paths = [PACKAGE / room] if room.endswith(".py") else sorted((PACKAGE / room).glob("*.py"))
    assert paths
    found = {(name_of(path), name) for path in paths for name in imports(path) if name.startswith("extractor.pipeline")}
    assert found == set()


def test_coding_reads_procedures_only() -> None:
    """Lines are decided from procedures, never straight from text: coding imports no reading room (rule 3)."""
    allowed = ("extractor.coding", "extractor.records", "extractor.anatomy", "extractor.patterns", "extractor.errors")
    wrong = {
        (name_of(path), name)
        for path in (PACKAGE / "coding").glob("*.py")
        for name in imports(path)
        if name.startswith("extractor") and not name.startswith((*allowed, "extractor.schema")) and name != "extractor"
    }
    assert wrong == set()


def test_assembly_does_not_know_the_code_book() -> None:
    paths = (PACKAGE / "assembly").glob("*.py")
    assert {name for path in paths for name in imports(path) if name.startswith("extractor.coding")} == set()


# -- what may not stand in Python ----------------------------------------------------------------------------------


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """String literals with their lines, docstrings left out."""
    tree = parsed(path)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings:
            yield node.lineno, node.value


def drug_names() -> set[str]:
    with (shipped_folder() / "agents.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    classes = {row["drug_class"] for row in rows}  # "steroid" and "contrast" are words of the house as well
    names = {row["name"] for row in rows} | {row["phrase"].lower() for row in rows if len(row["phrase"]) > 5}
    return names - classes


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_code_number_in_python(path: Path) -> None:
    assert [(line, value) for line, value in literals(path) if CODE_NUMBER.search(value)] == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_drug_name_in_python(path: Path) -> None:
    names = drug_names()
    assert len(names) > 300
    found = []
    for line, value in literals(path):
        words = value.lower()
        if words in names or any(word in names for word in re.findall(r"[a-z]{6,}", words)):
            found.append((line, value))
    assert found == []


# -- light at the door ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "entry", ["extractor", "extractor.cli", "extractor.coder", "extractor.schema", "extractor.batch.runner"]
)
def test_the_door_is_light(entry: str) -> None:
    probe = f"import sys, {entry}; print(*sorted(set(sys.modules) & {HEAVY!r}))"
    done = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
