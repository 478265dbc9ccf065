"""`facetcode run --engine spark`: Parquet in and out on a Spark cluster, or on the cores of this machine."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from extractor.batch import progress
from extractor.batch.command import Call, tell
from extractor.batch.journal import State
from extractor.batch.sinks import STANDARD_OUTPUT
from extractor.batch.sources import STANDARD_INPUT
from extractor.errors import InputError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterRun(Call):
    """The call. Inputs and `out` are Parquet, under whatever name Spark knows (s3a://, hdfs://, abfss://, a path)."""

    master: str | None


def run(call: ClusterRun, say: Callable[[str], object]) -> int:
    """Codes all notes on the cluster; the number of those that failed, which are rows of `out` with `failure`.

    InputError: the call is wrong, PySpark is missing, an input or a column is not there, `out` is there already.
    """
    if STANDARD_INPUT in call.inputs or call.out == STANDARD_OUTPUT:
        raise InputError("--engine spark reads and writes Parquet, not standard input and output")
    if call.summary is not None:
        progress.check_summary(call.summary, call.out, [])
    try:
        from pyspark.errors import PySparkException
    except ImportError:
        raise InputError('--engine spark needs PySpark: pip install "facetcode[spark]"') from None
    from extractor.batch.spark import code_notes

    session = _session(call.master)
    try:
        results = code_notes(
            session.read.parquet(*call.inputs),
            id_column=call.id_column,
            text_column=call.text_column,
            profile=call.profile,
            patterns=call.patterns,
            descriptors=call.descriptors,
            date_of_service=call.day,
            max_chars=call.max_chars,
        )
        results.write.parquet(call.out)
        figures = progress.summary(_counted(session.read.parquet(call.out)))
    except PySparkException as error:  # its message may hold more than it should; its condition is a fixed word
        raise InputError(f"Spark: {error.getCondition() or type(error).__name__}") from None
    finally:
        session.stop()
    return tell(call, figures, say)


def _session(master: str | None) -> SparkSession:
    """The session of the call. Local workers run the Python that this is; a cluster has its own setting."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("facetcode")
    if master is not None:
        builder = builder.master(master)
        if master.startswith("local"):
            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    session: SparkSession = builder.config("spark.ui.showConsoleProgress", "false").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def _counted(results: DataFrame) -> State:
    """What the summary tells, counted where the rows lie."""
    from pyspark.sql.functions import coalesce, explode, lit

    def counts(values: DataFrame) -> Counter[str]:
        found: list[Any] = values.toDF("value").groupBy("value").count().collect()
        return Counter({row["value"]: row["count"] for row in found})

    state = State("")
    state.outcomes.update(counts(results.select(coalesce("status", lit("failed")))))
    state.records = sum(state.outcomes.values())
    state.codes.update(counts(results.select(explode("lines.code"))))
    state.queries.update(counts(results.select(explode("queries.id"))))
    state.reasons.update(counts(results.where("failure is not null").select("failure")))
    return state
