"""Spark for real, in local mode with two workers; skipped where PySpark is not installed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark")
pytest.importorskip("pyarrow")

import pyarrow
import pyarrow.parquet
from click.testing import CliRunner

from extractor import Coder
from extractor.batch.spark import code_notes
from extractor.cli import cli
from extractor.errors import InputError

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    from pyspark.sql import SparkSession

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("PYTHONPATH", str(ROOT))
        session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        yield session
        session.stop()


@pytest.fixture(scope="module")
def notes() -> list[dict[str, Any]]:
    """Notes of the development corpus, one with a profile of its own, one with a day."""
    text = (ROOT / "corpus/notes/set-01.jsonl").read_text(encoding="utf-8")
    found = [{key: json.loads(line)[key] for key in ("id", "text")} for line in text.splitlines()]
    for note in found:
        note |= {"profile": None, "date_of_service": None, "site": "A"}
    found[0]["profile"], found[1]["date_of_service"] = "medicare", "2025-03-01"
    return found


def by_id(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: str(row["id"]))


def frame(spark: Any, rows: list[dict[str, Any]], parts: int = 4) -> Any:
    schema = "id string, text string, profile string, date_of_service string, site string"
    return spark.createDataFrame(
        [tuple(row.get(n) for n in ("id", "text", "profile", "date_of_service", "site")) for row in rows], schema
    ).repartition(parts)


def test_rows_equal_those_of_one_machine(spark: Any, notes: list[dict[str, Any]], tmp_path: Path) -> None:
    given, alone = tmp_path / "notes.parquet", tmp_path / "alone.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(notes), given)
    ran = CliRunner().invoke(cli, ["run", str(given), "-o", str(alone), "--profile", "cpt"], standalone_mode=False)
    assert ran.exception is None
    wanted = by_id(pyarrow.parquet.read_table(alone).to_pylist())
    found = by_id(code_notes(frame(spark, notes)).toArrow().to_pylist())
    assert {row.pop("failure") for row in found} == {None}
    assert found == wanted
    assert len({row["status"] for row in found}) > 1


def test_a_bad_note_is_a_row(spark: Any, notes: list[dict[str, Any]]) -> None:
    rows = [notes[0], {"id": "empty", "text": " "}, {"id": None, "text": "x"}, {"id": "long", "text": "facet " * 9000}]
    rows.append({"id": "profile", "text": "x", "profile": "gold"})
    found = code_notes(frame(spark, rows), max_chars=50_000).toArrow().to_pylist()
    assert {row["id"]: row["failure"] for row in found} == {
        notes[0]["id"]: None,
        "empty": "text is empty",
        None: 'no key "id"',
        "long": "longer than 50000 characters",
        "profile": "no such profile; known profiles: cpt, medicare, medicare-asc, medicare-hopd",
    }
    assert all(row["status"] is None and row["lines"] is None for row in found if row["failure"])


def test_columns_may_have_other_names(spark: Any, notes: list[dict[str, Any]]) -> None:
    renamed = frame(spark, notes[:3], 1).toDF("key", "body", "profile", "date_of_service", "site")
    found = code_notes(renamed, id_column="key", text_column="body").toArrow().to_pylist()
    assert [row["id"] for row in found] == [note["id"] for note in notes[:3]]
    with pytest.raises(InputError, match='no column "id"'):
        code_notes(renamed)


def test_the_overlay_travels_with_the_job(spark: Any, notes: list[dict[str, Any]], tmp_path: Path) -> None:
    head = (ROOT / "patterns/agents.csv").read_text(encoding="utf-8").splitlines()[0]
    row = "zebracaine,bupivacaine,local_anesthetic,0.5 mL of zebracaine was injected at each nerve."
    (tmp_path / "agents.csv").write_text(f"{head}\n{row}\n", encoding="utf-8")
    wanted = Coder(patterns=tmp_path).code(notes[0]["text"]).versions.patterns
    laid = code_notes(frame(spark, notes[:2]), patterns=tmp_path)
    (tmp_path / "agents.csv").unlink()  # the executors have what was sent, not the folder
    found = laid.toArrow().to_pylist()
    assert {(row["failure"], row["versions"]["patterns"]) for row in found} == {(None, wanted)}
    assert wanted != Coder().code(notes[0]["text"]).versions.patterns


def test_the_command_writes_a_table(spark: Any, notes: list[dict[str, Any]], tmp_path: Path) -> None:
    given, out, summary = tmp_path / "notes.parquet", tmp_path / "results.parquet", tmp_path / "summary.json"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([*notes, {**notes[0], "id": "empty", "text": ""}]), given)
    call = ["run", str(given), "-o", str(out), "--engine", "spark", "--master", "local[2]", "--summary", str(summary)]
    ran = CliRunner().invoke(cli, call, standalone_mode=False)
    assert (ran.exception, ran.return_value) == (None, 1)
    figures = json.loads(summary.read_text())
    assert figures["notes"] == len(notes) + 1 == pyarrow.parquet.read_table(out).num_rows
    assert figures["failures"] == {"text is empty": 1}
    again = CliRunner().invoke(cli, call, standalone_mode=False)
    assert str(again.exception) == "Spark: PATH_ALREADY_EXISTS"
