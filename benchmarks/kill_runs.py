"""Kills `facetcode run` (all its processes, signal 9) at random moments and lets the same command go on, many times:
the output must be that of a run which nobody disturbed.

    python benchmarks/kill_runs.py NOTES.jsonl --times 50 [--workers 2] [--suffix .parquet]
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notes", type=Path)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--workers", default="2")
    parser.add_argument("--suffix", default=".jsonl", help="of OUT: .jsonl, .parquet, .csv, .sqlite")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as folder:
        whole, out = Path(folder, f"whole{given.suffix}"), Path(folder, f"out{given.suffix}")
        begun = time.monotonic()
        subprocess.run(command(given.notes, whole, given.workers), check=True, stdout=subprocess.DEVNULL)
        took = time.monotonic() - begun
        kills = rounds = 0
        while kills < given.times:
            process = subprocess.Popen(
                command(given.notes, out, given.workers), start_new_session=True, stdout=subprocess.DEVNULL
            )
            try:
                process.wait(timeout=chance.uniform(0.05, took * 1.05))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                kills += 1
                continue
            rounds += 1
            if out.read_bytes() != whole.read_bytes():
                print(f"DIFFERENT after {kills} kills")
                return 1
            out.unlink()
        subprocess.run(command(given.notes, out, given.workers), check=True, stdout=subprocess.DEVNULL)
        same = out.read_bytes() == whole.read_bytes()
        print(f"{kills} kills, {rounds + 1} runs came to their end, all bytes {'equal' if same else 'DIFFERENT'}")
        return 0 if same else 1


def command(notes: Path, out: Path, workers: str) -> list[str]:
    return [sys.executable, "-m", "extractor", "run", str(notes), "-o", str(out), "--workers", workers]


if __name__ == "__main__":
    sys.exit(main())
