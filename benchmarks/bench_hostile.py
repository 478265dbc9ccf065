"""How time grows with the text, on input made to be slow: each figure is the ratio of 400 kB to 100 kB (linear: 4).

python benchmarks/bench_hostile.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

from extractor import Coder
from extractor.entity_table import EntityTable
from extractor.evaluation.noise import noisy_text
from extractor.patterns import PatternFolder

SMALL, LARGE = 100_000, 400_000
NOTE = "Under fluoroscopy the needle was then advanced to the right L four five facet joint and it was injected. "
UNITS = ("left ", "R ", "into the of the ", "[ ]", " ", "right" + 39 * " ", "L5 ", "no ")
WHOLE = (
    *("II. ", "\nII. A ", "| L4 ", "| L4 | 1 mL ", "L4  R  ", "  R  ", "L3 @ L4 ", "Level: *** ", "[X] MBB "),
    *("was a b c d e and no ", "\n2021  ", "feb -> ", "| - ", "Relevant imaging findings ", "L4" + 400 * " " + "R"),
)


def seconds(work: Callable[[str], object], text: str) -> float:
    start = time.perf_counter()
    work(text)
    return time.perf_counter() - start


def ratio(work: Callable[[str], object], unit: str) -> float:
    return seconds(work, unit * (LARGE // len(unit))) / seconds(work, unit * (SMALL // len(unit)))


def main() -> None:
    table = PatternFolder().toml("entities.toml", EntityTable)

    def words(text: str) -> None:
        for row in table.word:
            for _ in row.words.finditer(text):
                pass

    noisy_text(NOTE, "warm")  # reads the table
    print(f"noise, {NOTE[:20]!r}...  {ratio(lambda text: noisy_text(text, 'seed'), NOTE):5.1f}")
    for unit in UNITS:
        print(f"words of the entity layer, {unit[:20]!r}  {ratio(words, unit):5.1f}")
    coder = Coder()
    coder.load()
    for unit in WHOLE:
        print(f"a whole note, {unit[:20]!r}  {ratio(coder.code, unit):5.1f}", flush=True)


if __name__ == "__main__":
    main()
