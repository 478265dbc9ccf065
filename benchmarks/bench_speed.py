"""Speed, in one run and one process: facetcode against medspaCy's default pipeline and against its bare tokenizer.

    python benchmarks/bench_speed.py [NOTES ...] [--notes 200] [--medspacy-notes 30] [--sizes 1 10 100 1000]

NOTES are JSONL files, folders of .txt or .txt files. The three take turns on every 25 notes, so that a busy machine
slows all of them alike, and each has the processor's caches to itself for a while, as in a run over many notes;
medspaCy's default pipeline sees some of the notes, spread over the run, because it takes by far the longest. Every
note is read twice and the second reading counts: a run over many notes has met most of their words before. Then one
note is repeated to each size (in kB) to see how the time grows. Times are wall time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import medspacy
from loguru import logger

from extractor import Coder
from extractor.batch.sources import Incoming, open_sources

BLOCK = 25  # notes that one contender reads before the next one has its turn
CORPUS = Path(__file__).resolve().parent.parent / "corpus"


@dataclass
class Contender:
    """One way to read a note, with the seconds that it took for each, by text."""

    name: str
    read: Callable[[str], object]
    seconds: dict[str, float] = field(default_factory=dict)

    def time(self, text: str) -> None:
        start = time.perf_counter()
        self.read(text)
        self.seconds[text] = time.perf_counter() - start

    def rate(self) -> float:
        """Notes a second."""
        return len(self.seconds) / sum(self.seconds.values())


def default_notes() -> list[str]:
    """The notes of the corpus that are not annotated."""
    return [str(path) for path in sorted((CORPUS / "notes").glob("*.jsonl"))]


def compare(texts: Sequence[str], medspacy_notes: int) -> dict[str, float]:
    """Prints the table; notes a second of each, and how often `facetcode` is as fast as `default`."""
    logger.disable("PyRuSH")  # it logs every token; without this medspaCy would be slower still
    default = Contender("medspaCy, default pipeline", medspacy.load())
    tokenizer = Contender("medspaCy, bare tokenizer", medspacy.load(medspacy_enable={"medspacy_tokenizer"}))
    coder = Contender("facetcode", Coder().code)
    blocks = [range(start, min(start + BLOCK, len(texts))) for start in range(0, len(texts), BLOCK)]
    step = max(1, len(blocks) * BLOCK // max(medspacy_notes, BLOCK))
    shared = [number for block in blocks[::step] for number in block]
    for timed in (False, True):
        for place, block in enumerate(blocks):
            for contender in (default, tokenizer, coder) if place % step == 0 else (tokenizer, coder):
                for number in block:
                    (contender.time if timed else contender.read)(texts[number])
    characters = sum(map(len, texts))
    print(f"{len(texts)} notes, {characters / len(texts):,.0f} characters each on average; one process")
    for contender in (default, tokenizer, coder):
        print(f"  {contender.name:<28}{contender.rate():>10.1f} notes/s  ({len(contender.seconds)} notes)")
    ratio = sum(default.seconds[texts[number]] for number in shared) / sum(
        coder.seconds[texts[number]] for number in shared
    )
    print(f"  facetcode / default pipeline {ratio:>9.2f} x     (the same {len(shared)} notes)")
    print(f"  facetcode / bare tokenizer   {coder.rate() / tokenizer.rate():>9.3f} x")
    rates = {"default": default.rate(), "tokenizer": tokenizer.rate(), "facetcode": coder.rate()}
    return {**rates, "facetcode / default": ratio, "facetcode / tokenizer": coder.rate() / tokenizer.rate()}


def growth(text: str, sizes: Sequence[int]) -> list[dict[str, float]]:
    """Prints how the time grows with the length of one note; the same as rows of kB and seconds."""
    rows = []
    coder = Coder()
    coder.code(text)
    print("one note, repeated\n      size   seconds  seconds/MB")
    for size in sizes:
        length = size * 1000
        long = (text + "\n\n") * (length // (len(text) + 2) + 1)
        start = time.perf_counter()
        coder.code(long[:length])
        seconds = time.perf_counter() - start
        print(f"{size:>7} kB {seconds:>9.3f} {seconds / length * 1e6:>11.2f}")
        rows.append({"size": size, "seconds": seconds})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inputs", metavar="NOTES", nargs="*", default=default_notes())
    parser.add_argument("--notes", type=int, default=200, help="read at most so many (default 200)")
    parser.add_argument("--medspacy-notes", type=int, default=30, help="of these for the default pipeline (default 30)")
    parser.add_argument("--sizes", type=int, nargs="*", default=[1, 10, 100, 1000], help="kB of the growing note")
    given = parser.parse_args()
    items = (item for item in open_sources(given.inputs) if isinstance(item, Incoming))
    texts = [item.note.text for item in islice(items, given.notes)]
    if not texts:
        parser.error("no notes in the input")
    compare(texts, given.medspacy_notes)
    growth(texts[0], given.sizes)


if __name__ == "__main__":
    main()
