"""Puts the rows of the shipped CSV files in the order that `facetcode patterns check` wants. It changes no result."""

from __future__ import annotations

import csv
from pathlib import Path

from extractor.patterns import shipped_folder
from extractor.patterntools.files import CSV_FILES


def sort_file(path: Path, order: tuple[str, ...]) -> None:
    """Sorts the rows of a file by some of its columns."""
    with path.open(encoding="utf-8", newline="") as stream:
        head, *rows = list(csv.reader(stream))
    places = [head.index(column) for column in order]
    rows.sort(key=lambda row: [row[place] for place in places])
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([head, *rows])


if __name__ == "__main__":
    for name, file in CSV_FILES.items():
        sort_file(shipped_folder() / name, file.order)
