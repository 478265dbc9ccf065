"""What `facetcode patterns check` prints: faults, notices that are to be read, notes that need no mend, and a count."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from extractor.patterns import short
from extractor.patterntools.check import Report, check
from extractor.patterntools.idle import corpus_folder

FAULTS_FOUND = 1


def run(overlay: Path | None, form: str, idle: bool, say: Callable[[str], object]) -> int:
    """Checks and prints; the exit code of the command."""
    report = check(overlay, corpus_folder())
    say(_as_json(report) if form == "json" else _as_text(report, idle))
    return FAULTS_FOUND if report.faults else 0


def _as_json(report: Report) -> str:
    return json.dumps(asdict(report), ensure_ascii=False, indent=2)


def _as_text(report: Report, idle: bool) -> str:
    lines = [str(fault) for fault in report.faults]
    lines += [f"notice: {notice}" for notice in report.notices]
    for name, keys in sorted(report.idle.items()):
        hint = "" if idle else " (--idle lists them)"
        lines.append(f"note: {name}: {len(keys)} never met in {report.notes:,} notes of the corpus{hint}.")
        lines += [f"  {short(key)}" for key in keys] if idle else []
    lines.append(
        f"{report.files} files, {report.rows:,} rows: {_count(len(report.faults), 'fault')},"
        f" {_count(len(report.notices), 'notice')}{' to read' if report.notices else ''}"
    )
    return "\n".join(lines)


def _count(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"
