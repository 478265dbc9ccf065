"""What a person sees of a bulk run: a bar on a terminal, a plain line now and then elsewhere, a table at the end."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extractor.batch.journal import FAILURES, PART_FILES, State, write_whole
from extractor.batch.sinks import check_output
from extractor.batch.sources import printable
from extractor.errors import InputError

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

STATUSES = ("coded", "review", "no_code", "failed")
_FIRST_LINE, _LINE_EVERY = 30.0, 60.0  # seconds
_BAR_EVERY = 0.1
_TITLES = (
    ("lines by code", "codes"),
    ("modifiers to consider", "suggested"),
    ("drug supplies", "supplies"),
    ("questions", "queries"),
    ("failures", "failures"),
)


class Progress:
    """Told after every record; shows something only when the time has come."""

    def __init__(self, say: Callable[[str], object], total: int | None = None, bar: bool | None = None) -> None:
        self._say, self._total = say, total
        self._wants_bar = (sys.stderr is not None and sys.stderr.isatty()) if bar is None else bar
        self._bar: Bar | None = None
        self._task: Any = None
        self._begun = self._next = 0.0
        self._before = 0

    def begin(self, state: State) -> None:
        """At the first record, or where an earlier run was stopped."""
        self._begun = time.monotonic()
        self._before = state.records
        if state.records:
            self._say(f"goes on behind {state.records:,} records of an earlier run")
        self._next = self._begun + (_BAR_EVERY if self._wants_bar else _FIRST_LINE)

    def step(self, state: State) -> None:
        """After a record."""
        now = time.monotonic()
        if now < self._next:
            return
        if self._wants_bar:
            self._show(state)
            self._next = now + _BAR_EVERY
        else:
            self._say(self.line(state, now - self._begun))
            self._next = now + _LINE_EVERY

    def line(self, state: State, seconds: float) -> str:
        """One plain line: how many, how fast, how long still, how they ended."""
        rate = (state.records - self._before) / max(seconds, 1e-9)
        parts = [f"{state.records:,} records", f"{rate:,.0f} a second"]
        if self._total and rate:
            parts.append(f"about {_span((self._total - state.records) / rate)} to go")
        parts += [f"{state.outcomes[name]:,} {name}" for name in STATUSES]
        return ", ".join(parts)

    def end(self) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _show(self, state: State) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as RichProgress

            columns = (
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}/s"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[counts]}"),
            )
            self._bar = RichProgress(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("", total=self._total, rate="", counts="", completed=state.records)
            self._bar.start()
        rate = (state.records - self._before) / max(time.monotonic() - self._begun, 1e-9)
        counts = "  ".join(f"{state.outcomes[name]:,} {name}" for name in STATUSES)
        self._bar.update(self._task, completed=state.records, rate=f"{rate:,.0f}", counts=counts)


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def summary(state: State) -> dict[str, Any]:
    """The run in figures: notes by status, lines by code, suggested modifiers by code, supplies by code, queries by id,
    failures by reason; most frequent first."""
    return {
        "notes": sum(state.outcomes.values()),
        "status": {name: state.outcomes[name] for name in STATUSES},
        "codes": _ranked(state.codes),
        "suggested": _ranked(state.suggested),
        "supplies": _ranked(state.supplies),
        "queries": _ranked(state.queries),
        "failures": _ranked(state.reasons),
    }


def _ranked(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def summary_table(figures: dict[str, Any], most: int = 12) -> list[str]:
    """The summary as plain lines, in columns."""
    lines = []
    for title, key in _TITLES:
        rows: Sequence[tuple[str, int]] = list(figures[key].items())
        if not rows:
            continue
        lines.append(title)
        width = max(len(name) for name, _ in rows[:most])
        lines += [f"  {name:<{width}}  {count:>8,}" for name, count in rows[:most]]
        if len(rows) > most:
            lines.append(f"  and {len(rows) - most} more kinds")
    return lines


def check_summary(path: Path, out: str, inputs: Sequence[str]) -> None:
    """InputError when the figures cannot be written there, or would replace notes or results."""
    target = check_output(str(path), inputs)
    own = os.path.realpath(out)
    if target is not None and str(target) in {own, *(own + end for end in (*PART_FILES, FAILURES))}:
        raise InputError(f"{printable(str(path))}: is a file of the run itself")


def write_figures(figures: dict[str, Any], path: Path) -> None:
    """The summary as a JSON file; a device or a pipe is written to as it is."""
    data = (json.dumps(figures, indent=1, ensure_ascii=False) + "\n").encode()
    if path.exists() and not path.is_file():
        path.write_bytes(data)
    else:
        write_whole(Path(os.path.realpath(path)), data)


def status_line(figures: dict[str, Any]) -> str:
    """How many notes, and how they ended."""
    return f"{figures['notes']} notes: " + ", ".join(f"{figures['status'][name]} {name}" for name in STATUSES)
