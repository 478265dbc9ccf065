"""What a check has to tell: one fault or notice, with the file, the row and the mend."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """`row` is the row of a CSV file as a spreadsheet counts it, or the line of a TOML file; 0: the whole file.

    >>> print(Finding("agents.csv", 3, "the phrase ends with a blank", "Take it away"))
    agents.csv row 3: the phrase ends with a blank. Take it away.
    """

    file: str
    row: int
    what: str
    mend: str

    def __str__(self) -> str:
        unit = "line" if self.file.split(" ")[0].endswith(".toml") else "row"
        place = f"{self.file} {unit} {self.row}" if self.row else self.file
        return f"{place}: {self.what}. {self.mend}."

    @property
    def where(self) -> tuple[str, int]:
        return (self.file, self.row)


def at(file: str, row: int, found: Iterable[Finding]) -> list[Finding]:
    """Findings about a cell, put where the cell stands."""
    return [replace(finding, file=file, row=row) for finding in found]
