"""patterns/agents.toml: which local anesthetic is for the target where nothing says where it went."""

from __future__ import annotations

import re
from datetime import date
from functools import cached_property

from pydantic import Field

from extractor.patterns import Row

_PERCENT = re.compile(r"(\d{1,2}(?:\.\d{1,3})?) ?%")


class AnestheticTable(Row):
    """The table.

    >>> from extractor.patterns import PatternFolder
    >>> table = PatternFolder().toml("agents.toml", AnestheticTable)
    >>> table.blocks("lidocaine", "2%"), table.blocks("lidocaine", "1%")
    (True, False)
    """

    source: str
    date: date
    long_acting: frozenset[str]
    blocking_percent: float = Field(gt=0)
    skin: tuple[str, ...] = Field(min_length=1)

    @cached_property
    def skin_words(self) -> re.Pattern[str]:
        """Any word that says that a drug was for the skin."""
        return re.compile("|".join(map(re.escape, self.skin)), re.IGNORECASE)

    def blocks(self, name: str, concentration: str) -> bool:
        """True for a drug, or a strength of it, that nobody puts into the skin alone."""
        strength = _PERCENT.match(concentration)
        return name in self.long_acting or (strength is not None and float(strength[1]) >= self.blocking_percent)
