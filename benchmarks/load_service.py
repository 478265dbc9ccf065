"""Load on the real service, by a real client: `facetcode serve` in a process of its own, asked over HTTP.

    python benchmarks/load_service.py [--words 500] [--requests 300] [--clients 50] [--workers N] [--json FILE]

1. One client asks for one note of so many words, again and again. The same note is coded by the library in this
   process, in turn with the requests, so that a busy machine slows both alike: the ratio is the price of the service.
2. So many clients ask at once, each for notes of the corpus, until all requests are made. Every answer must be 200.

Times are wall time in milliseconds, from the call to the whole answer, after some requests to warm up. The note is
made of notes of the corpus until it has so many words. Exit code 1: an answer was an error.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import IO

import httpx

from extractor import Coder
from extractor.batch.sources import Incoming, open_sources

ROOT = Path(__file__).resolve().parent.parent
WARM_UP = 20


@contextmanager
def service(workers: int | None) -> Iterator[str]:
    """The address of a service that is ready."""
    command = [sys.executable, "-m", "extractor", "serve", "--port", "0"]
    command += ["--workers", str(workers)] if workers else []
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        try:
            match = re.search(r"http://\S+", process.stderr.readline())
            assert match, "it did not start"
            with ThreadPoolExecutor(1) as reader:
                reader.submit(_empty, process.stderr)  # or its log would fill the pipe
                while httpx.get(f"{match[0]}/readyz").status_code != 200:
                    time.sleep(0.1)
                yield match[0]
                process.terminate()
        finally:
            process.terminate()
        if process.wait():
            raise SystemExit(f"the service ended with {process.returncode}")


def _empty(stream: IO[str]) -> None:
    for _ in stream:
        pass


def corpus_notes() -> list[str]:
    """The notes of the corpus that are not annotated."""
    paths = [str(path) for path in sorted((ROOT / "corpus" / "notes").glob("*.jsonl"))]
    return [item.note.text for item in open_sources(paths) if isinstance(item, Incoming)]


def long_note(notes: Sequence[str], words: int) -> str:
    """The note whose length is nearest to so many words, cut or lengthened by the next one to just these."""
    first = min(range(len(notes)), key=lambda place: abs(len(notes[place].split()) - words))
    pieces: list[str] = []
    for text in islice(cycle(notes), first, None):
        pieces += re.findall(r"\S+\s*", text)
        if len(pieces) >= words:
            return "".join(pieces[:words])
    raise AssertionError


def one_client(url: str, text: str, requests: int) -> dict[str, float]:
    """Milliseconds of the service and of the library, in turn, on one note."""
    code, times = Coder().code, {"service": list[float](), "library": list[float]()}
    with httpx.Client(base_url=url, timeout=60) as client:
        for number in range(-WARM_UP, requests):
            start = time.perf_counter()
            answer = client.post("/v1/code", json={"text": text})
            middle = time.perf_counter()
            body = code(text).to_json().encode()
            end = time.perf_counter()
            if answer.content != body:
                raise SystemExit(f"the service answered {answer.status_code}, and not with the bytes of the library")
            if number >= 0:
                times["service"].append(1000 * (middle - start))
                times["library"].append(1000 * (end - middle))
    found: dict[str, float] = {}
    for name, values in times.items():
        found |= {f"{name} {key}": value for key, value in percentiles(values).items()}
    return found | {"ratio p50": found["service p50"] / found["library p50"]}


def many_clients(url: str, notes: Sequence[str], clients: int, requests: int) -> dict[str, float]:
    """Milliseconds, notes a second and errors of so many clients at once."""

    def work(number: int) -> list[tuple[int, float]]:
        done = []
        with httpx.Client(base_url=url, timeout=120) as client:
            for text in islice(notes, number, requests, clients):
                start = time.perf_counter()
                try:
                    status = client.post("/v1/code", json={"text": text}).status_code
                except httpx.HTTPError:
                    status = 0
                done.append((status, 1000 * (time.perf_counter() - start)))
        return done

    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        answers = [answer for part in threads.map(work, range(clients)) for answer in part]
    seconds = time.perf_counter() - start
    figures = percentiles([taken for _, taken in answers])
    errors = sum(status != 200 for status, _ in answers)
    return figures | {"requests": len(answers), "errors": errors, "notes a second": len(answers) / seconds}


def percentiles(values: Sequence[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {"p50": cuts[49], "p95": cuts[94], "max": max(values)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=500, help="of the note of the one client (default 500)")
    parser.add_argument("--requests", type=int, default=300, help="of the one client (default 300)")
    parser.add_argument("--clients", type=int, default=50, help="at once (default 50)")
    parser.add_argument("--many-requests", type=int, default=2000, help="of all of them (default 2000)")
    parser.add_argument("--workers", type=int, help="of the service (default: all cores)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the figures as JSON")
    given = parser.parse_args()
    notes = corpus_notes()
    text = long_note(notes, given.words)
    asked = list(islice(cycle(notes), given.many_requests))
    with service(given.workers) as url:
        alone = one_client(url, text, given.requests)
        crowd = many_clients(url, asked, given.clients, given.many_requests)
    print(f"one client, one note of {len(text.split())} words ({len(text):,} characters), {given.requests} requests")
    for name, value in alone.items():
        print(f"  {name:<16}{value:>9.2f}" + (" ms" if name != "ratio p50" else ""))
    print(f"{given.clients} clients at once, notes of the corpus, {os.cpu_count()} cores for all")
    for name, value in crowd.items():
        print(f"  {name:<16}{value:>9.1f}" + (" ms" if name in ("p50", "p95", "max") else ""))
    if given.json:
        given.json.write_text(json.dumps({"one client": alone, "many clients": crowd}, indent=1) + "\n", "utf-8")
    sys.exit(1 if crowd["errors"] else 0)


if __name__ == "__main__":
    main()
