"""`facetcode patterns check`: all that is wrong with the shipped patterns, or with a user's laid over them.

First the files are read as they are, row by row, so that one fault hides no other (`layers`). Then the rows without a
fault are tried in the pipeline (`behaviour`), and the corpus tells which rows it never meets (`idle`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from extractor.errors import PatternError
from extractor.overlay import DISABLED
from extractor.patterns import PatternFolder
from extractor.patterntools.behaviour import book_findings, shipped_rows_hurt, tried, tried_tables
from extractor.patterntools.files import CSV_FILES
from extractor.patterntools.findings import Finding
from extractor.patterntools.idle import corpus_texts, idle_rows
from extractor.patterntools.layers import Layers, read_layers, write_sound
from extractor.patterntools.trials import Rooms

_LISTS = {"reading.toml": "regex", "hearing.toml": "respelled"}


@dataclass
class Report:
    """What a check found. `idle` has for each file the rows that none of the `notes` meets."""

    files: int = 0
    rows: int = 0
    notes: int = 0
    faults: list[Finding] = field(default_factory=list)
    notices: list[Finding] = field(default_factory=list)
    idle: dict[str, list[str]] = field(default_factory=dict)


def check(overlay: Path | None, corpus: Path | None = None) -> Report:
    """Checks the user's folder, or the shipped one where there is none. `corpus` is where idle rows are looked for.

    PatternError: `overlay` is no folder, or (with an overlay) the shipped patterns themselves do not load.
    """
    if overlay is not None and not overlay.is_dir():
        raise PatternError(f"{overlay}: no such patterns folder")
    layers = read_layers(overlay)
    report = Report(layers.files, layers.number_of_rows, 0, list(layers.faults), list(layers.notices))
    if overlay is None and layers.faults:
        what = "examples were not tried, as these patterns cannot be loaded"
        report.notices.append(Finding("patterns", 0, what, "Mend the faults and check again"))
    elif overlay is not None and layers.faults:
        with TemporaryDirectory() as folder:
            write_sound(layers, Path(folder))
            _try(layers, Path(folder), report, overlay, corpus)
    else:
        _try(layers, overlay, report, overlay, corpus)
    report.faults = sorted(set(report.faults))
    report.notices = sorted(set(report.notices))
    return report


def _try(layers: Layers, sound: Path | None, report: Report, overlay: Path | None, corpus: Path | None) -> None:
    """What the rows do in the pipeline. `sound` is the folder to try: that of the user without its faults."""
    shipped = PatternFolder()
    rooms = Rooms(PatternFolder(sound))
    years = [Path(name).stem for name in {*shipped.names, *layers.tables} if name.startswith("codes/")]
    wrong = book_findings(rooms, sorted(years))
    report.faults += wrong
    rows = layers.sound()
    try:
        for name, placed in sorted(rows.items()):
            report.faults += tried(rooms, name, placed)
        below = {name: len(shipped.table(name).get(key, [])) for name, key in _LISTS.items()} if overlay else {}
        faulty = {finding.file for finding in layers.faults}
        texts = {name: text for name, text in layers.texts.items() if name not in faulty}
        report.faults += tried_tables(rooms, texts, below)
    except PatternError as error:  # rows that fit each by itself, but not together
        file, _, what = str(error).removeprefix("overlay ").partition(": ")
        report.faults.append(Finding(file, 0, what, "Write it as the shipped files do"))
        return
    if overlay is not None:
        _effects(layers, rooms, shipped, report)
    if corpus is not None:
        own = {name: {CSV_FILES[name].key_of(here.row) for here in placed} for name, placed in rows.items()}
        _idle(rooms, report, corpus, own if overlay is not None else None)


def _effects(layers: Layers, rooms: Rooms, shipped: PatternFolder, report: Report) -> None:
    """What an overlay does to the shipped rows."""
    for name, file in CSV_FILES.items():
        own = {file.key_of(here.row) for here in layers.rows.get(name, [])}
        gone = layers.disabled.get(name, {})
        kept = [row for row in shipped.csv(name, file.model, file.key) if file.key_of(row) not in {*own, *gone}]
        report.notices += shipped_rows_hurt(rooms, name, kept)
    for name, ids in layers.disabled.items():
        what = f"{len(ids)} of the shipped {name} {'is' if len(ids) == 1 else 'are'} disabled"
        report.notices.append(Finding(DISABLED, min(ids.values()), what, "Nothing to mend if that is meant"))


def _idle(rooms: Rooms, report: Report, corpus: Path, own: dict[str, set[str]] | None) -> None:
    """Rows, of an overlay only its own, that no note of the corpus meets."""
    texts = corpus_texts(corpus)
    report.notes = len(texts)
    found = idle_rows(rooms, texts)
    if own is not None:
        found = {name: [key for key in keys if key in own.get(name, ())] for name, keys in found.items()}
    report.idle = {name: keys for name, keys in found.items() if keys}
