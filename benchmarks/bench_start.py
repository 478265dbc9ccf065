"""Start-up: the wall time of whole processes, against `import medspacy` alone.

python benchmarks/bench_start.py [NOTE] [--runs 7]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

SAMPLES = Path(__file__).resolve().parent.parent / "corpus" / "samples"


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("note", metavar="NOTE", nargs="?", default=str(min(SAMPLES.glob("*.txt"))))
    parser.add_argument("--runs", type=int, default=7)
    given = parser.parse_args()
    script = Path(sys.executable).with_name("facetcode")
    facetcode = [str(script)] if script.exists() else [sys.executable, "-m", "extractor"]
    commands = {
        "import medspacy": [sys.executable, "-c", "import medspacy"],
        "facetcode --help": [*facetcode, "--help"],
        "facetcode code NOTE": [*facetcode, "code", given.note],
    }
    for command in commands.values():  # fills the caches of the disk
        seconds(command)
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(given.runs):  # by turns, so that a busy machine slows all of them alike
        for name, command in commands.items():
            times[name].append(seconds(command))
    base = statistics.median(times["import medspacy"])
    print(f"median of {given.runs} runs")
    for name, taken in times.items():
        median = statistics.median(taken)
        print(f"  {name:<22}{median:>7.3f} s  {median / base:>6.2f} x import medspacy")


if __name__ == "__main__":
    main()
