"""Bulk runs, measured: the ratio table, workers, end to end, Spark, memory and growth, as a table and as JSON.

    python benchmarks/bench_bulk.py NOTES.jsonl [--notes 5000] [--json FILE] [--plot docs/growth.svg]

NOTES.jsonl is repeated (with new ids) to --notes. First medspaCy's default pipeline, its bare tokenizer and facetcode
take turns in one process, on 200 of the notes; then `facetcode run` codes all of them: in one process, with one and
two workers, to Parquet, and on Spark in local mode with two workers where PySpark is installed. Seconds are wall time
of the whole command; `steady` is the time beyond that of a run of a tenth of the notes, so that starting does not
count.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from math import log10
from pathlib import Path
from typing import Any

import bench_speed

from extractor import Coder
from extractor.batch.sources import Incoming, open_sources


@dataclass(frozen=True)
class Ran:
    """One command: wall seconds, and the highest memory of one of its processes in MB."""

    seconds: float
    peak: float


def repeated(source: Path, count: int, target: Path) -> None:
    """`count` notes from those of `source`, over and over, each with an id of its own."""
    records = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    with target.open("w", encoding="utf-8") as stream:
        for number, record in enumerate(islice(cycle(records), count)):
            stream.write(json.dumps({"id": f"n{number}", "text": record["text"]}) + "\n")


def as_parquet(source: Path, target: Path) -> None:
    """The notes as a table, for Spark."""
    import pyarrow
    import pyarrow.parquet

    rows = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), target, row_group_size=1000)


def ran(arguments: Sequence[str]) -> Ran:
    """Runs facetcode. The memory is that of the largest of its processes (workers are its children)."""
    watched = (  # VmHWM, as ru_maxrss of a new process begins with the memory of the one that started it
        "import re, resource, runpy, sys; sys.argv = ['facetcode', *sys.argv[1:]]\n"
        "try: runpy.run_module('extractor', run_name='__main__')\n"
        "finally:\n"
        " own = int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read()).group(1))\n"
        " peak = max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
        " print(f'peak {peak}', file=sys.stderr)\n"
    )
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", watched, *arguments], capture_output=True, text=True)
    seconds = time.perf_counter() - begun
    if done.returncode not in (0, 1):
        raise SystemExit(f"facetcode {' '.join(arguments)}: {done.stderr}")
    return Ran(seconds, float(done.stderr.rsplit("peak ", 1)[1]) / 1024)


def coding_alone(path: Path) -> float:
    """Seconds to code the notes and nothing else, in this process."""
    texts = [item.note.text for item in open_sources([str(path)]) if isinstance(item, Incoming)]
    code = Coder().code
    code(texts[0])
    begun = time.perf_counter()
    for text in texts:
        code(text)
    return time.perf_counter() - begun


def ways(spark: bool) -> Iterator[tuple[str, str, list[str]]]:
    """Name, form of the output, options."""
    yield "1 worker, JSONL", ".jsonl", ["--workers", "1"]
    yield "2 workers, JSONL", ".jsonl", ["--workers", "2"]
    yield "1 worker, Parquet", ".parquet", ["--workers", "1"]
    if spark:
        yield "Spark local[2], Parquet", ".parquet", ["--engine", "spark", "--master", "local[2]"]


def bulk(folder: Path, source: Path, count: int) -> dict[str, Any]:
    """All ways on `count` notes and on a tenth of them."""
    few, many = folder / "few.jsonl", folder / "many.jsonl"
    for path, size in ((few, count // 10), (many, count)):
        repeated(source, size, path)
        as_parquet(path, path.with_suffix(".parquet"))
    figures: dict[str, Any] = {}
    for name, suffix, options in ways(importlib.util.find_spec("pyspark") is not None):
        times = []
        for path in (few, many):
            given = path.with_suffix(".parquet") if "spark" in options else path
            out = folder / f"{path.stem}-{len(figures)}{suffix}"
            times.append(ran(["run", str(given), "-o", str(out), *options]))
        short, long = times
        figures[name] = {
            "seconds": long.seconds,
            "notes_per_second": count / long.seconds,
            "steady_notes_per_second": (count - count // 10) / (long.seconds - short.seconds),
            "peak_mb": long.peak,
            "peak_mb_of_a_tenth": short.peak,
        }
        row = figures[name]
        print(
            f"  {name:<26}{row['seconds']:>8.1f} s{row['notes_per_second']:>9.1f} notes/s   steady "
            f"{row['steady_notes_per_second']:>8.1f}   peak {row['peak_mb']:>5.0f} MB (a tenth: {short.peak:.0f} MB)",
            flush=True,
        )
    alone = coding_alone(many)
    figures["coding alone, 1 process"] = {"seconds": alone, "notes_per_second": count / alone}
    one, two = figures["1 worker, JSONL"], figures["2 workers, JSONL"]
    figures["2 workers / 1 worker"] = one["seconds"] / two["seconds"]
    whole = figures["1 worker, Parquet"]
    figures["end to end / coding alone, steady"] = (count / whole["steady_notes_per_second"]) / alone
    print(f"  {'coding alone, 1 process':<26}{alone:>8.1f} s{count / alone:>9.1f} notes/s")
    print(f"  2 workers / 1 worker {figures['2 workers / 1 worker']:.2f} x")
    print(
        f"  end to end (read, code, Parquet; steady) / coding alone {figures['end to end / coding alone, steady']:.3f}"
    )
    return figures


def growth(folder: Path, source: Path, most: int) -> list[dict[str, float]]:
    """One worker on more and more notes."""
    rows = []
    print("  notes, 1 process: seconds, notes/s, peak")
    size = 100
    while size <= most:
        path = folder / f"grown-{size}.jsonl"
        repeated(source, size, path)
        took = ran(["run", str(path), "-o", str(folder / f"grown-{size}.out.jsonl"), "--workers", "1"])
        rows.append({"size": size, "seconds": took.seconds, "peak_mb": took.peak})
        print(f"  {size:>7} {took.seconds:>8.1f} s {size / took.seconds:>8.1f} {took.peak:>6.0f} MB", flush=True)
        size = size * 10 if size * 10 <= most or size == most else most
        if rows[-1]["size"] == most:
            break
    return rows


def panel(rows: Sequence[dict[str, float]], title: str, left: int) -> str:
    """Seconds against size, both axes logarithmic: a line of slope one is linear growth."""
    wide, high, pad = 480, 320, 48
    x_low, x_high = log10(rows[0]["size"]), log10(rows[-1]["size"])
    y_low, y_high = log10(min(row["seconds"] for row in rows)), log10(max(row["seconds"] for row in rows))

    def at(row: dict[str, float]) -> tuple[float, float]:
        x = left + pad + (log10(row["size"]) - x_low) / max(x_high - x_low, 1e-9) * (wide - 2 * pad)
        y = high - pad - (log10(row["seconds"]) - y_low) / max(y_high - y_low, 1e-9) * (high - 2 * pad)
        return x, y

    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"/><text x="{x:.1f}" y="{y - 8:.1f}" text-anchor="middle">'
        f"{row['size']:,.0f}: {row['seconds']:,.3g} s</text>"
        for row in rows
        for x, y in [at(row)]
    )
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(at, rows))
    return (
        f'<polyline points="{line}" fill="none" stroke="black"/>{dots}<text x="{left + wide / 2}" y="{high - 12}" '
        f'text-anchor="middle">{title}</text>'
    )


def plot(notes: Sequence[dict[str, float]], lengths: Sequence[dict[str, float]], path: Path) -> None:
    """Growth with the number of notes and with the length of one, side by side."""
    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 320" font-family="sans-serif" font-size="11">'
        '<rect width="960" height="320" fill="white"/>'
        + panel(notes, "notes, one process, start included (both axes logarithmic)", 0)
        + panel(lengths, "kB of one note (both axes logarithmic)", 480)
        + "</svg>\n",
        encoding="utf-8",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notes_file", metavar="NOTES.jsonl", type=Path)
    parser.add_argument("--notes", type=int, default=5000, help="of the bulk runs (default 5000)")
    parser.add_argument("--medspacy-notes", type=int, default=40, help="for the default pipeline (default 40)")
    parser.add_argument("--json", type=Path, help="the figures as JSON")
    parser.add_argument("--plot", type=Path, help="growth as a picture")
    given = parser.parse_args()
    os.environ.setdefault("PYTHONPATH", str(Path(__file__).resolve().parent.parent))
    records = [json.loads(line)["text"] for line in given.notes_file.read_text(encoding="utf-8").splitlines()]
    figures: dict[str, Any] = {"notes": given.notes, "cores": os.cpu_count(), "python": sys.version.split()[0]}
    step = max(1, len(records) // 200)
    figures["one process"] = bench_speed.compare(records[::step][:200], given.medspacy_notes)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"facetcode run on {given.notes:,} notes ({given.notes_file.name} repeated)")
        figures["runs"] = bulk(folder, given.notes_file, given.notes)
        figures["growth"] = growth(folder, given.notes_file, given.notes)
        figures["growth of one note"] = bench_speed.growth(records[0], (1, 10, 100, 1000))
    if given.plot:
        plot(figures["growth"], figures["growth of one note"], given.plot)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
