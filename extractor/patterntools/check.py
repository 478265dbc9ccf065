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
from extractor.patterns import PatternFolder, no_pattern_file, pattern_files, refuse_unreadable
from extractor.patterntools import own
from extractor.patterntools.behaviour import (
    book_findings,
    from_error,
    heard_otherwise,
    shipped_rows_hurt,
    tried,
    tried_tables,
)
from extractor.patterntools.examples import Rooms
from extractor.patterntools.files import CSV_FILES
from extractor.patterntools.findings import Finding
from extractor.patterntools.idle import corpus_texts, idle_rows
from extractor.patterntools.layers import Layers, read_layers, write_sound

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


def check(overlay: Path | None, corpus: Path | None = None, effects: bool = True) -> Report:
    """Checks the user's folder, or the shipped one where there is none. `corpus` is where idle rows are looked for;
    without `effects` the shipped rows are not tried under the overlay, which takes ten seconds.

    PatternError: `overlay` is no folder that can be read whole, or holds no pattern file and none that was meant to be
    one, or (with an overlay) the shipped patterns themselves do not load.
    """
    if overlay is not None:
        refuse_unreadable(overlay)
        if not pattern_files(overlay):
            if not (unread := sorted(own.unread_files(overlay))):
                raise no_pattern_file(overlay)
            return Report(faults=unread)
    layers = read_layers(overlay)
    report = Report(layers.files, layers.number_of_rows, 0, list(layers.faults), list(layers.notices))
    with TemporaryDirectory() as folder:
        tried_folder = overlay
        if overlay is not None and layers.faults:
            write_sound(layers, tried_folder := Path(folder))
        rooms = Rooms(PatternFolder(tried_folder))
        try:
            report.faults += _tried(layers, rooms, overlay is not None)
            if overlay is not None:
                _own(layers, rooms, report, overlay)
            if overlay is not None and effects:
                report.notices += _effects(layers, rooms)
            if corpus is not None:
                _idle(layers, rooms, report, corpus, overlay is not None)
        except PatternError as error:  # rows that fit each by itself, but not together
            report.faults += [from_error(error)] if overlay is not None or not layers.faults else []
            what = "the rows were not tried, as the patterns do not load"
            report.notices.append(Finding("patterns", 0, what, "Mend the faults and check again"))
    report.faults = sorted(set(report.faults))
    report.notices = sorted(set(report.notices))
    return report


def _tried(layers: Layers, rooms: Rooms, over: bool) -> list[Finding]:
    """What the rows do in the pipeline, those of a user's folder `over` the shipped ones."""
    shipped = PatternFolder()
    years = [Path(name).stem for name in {*shipped.names, *layers.tables} if name.startswith("codes/")]
    found = book_findings(rooms, sorted(years))
    for name, placed in sorted(layers.sound().items()):
        found += tried(rooms, name, placed)
    below = {name: len(shipped.table(name).get(key, [])) for name, key in _LISTS.items()} if over else {}
    faulty = {finding.file for finding in layers.faults}
    texts = {name: text for name, text in layers.texts.items() if name not in faulty}
    return found + tried_tables(rooms, texts, below)


def _own(layers: Layers, rooms: Rooms, report: Report, overlay: Path) -> None:
    """What is asked of the user's rows alone."""
    sound, shipped = layers.sound(), PatternFolder()
    report.faults += own.cues_that_reach_nothing(rooms, sound.get("cues.csv", ()))
    report.faults += own.unread_files(overlay)
    report.faults += own.other_classes(sound.get("agents.csv", ()), shipped)
    report.faults += own.odd_phrases(sound)
    report.faults += own.limits_without_warning(layers.tables, shipped)
    report.notices += own.doubtful_drugs(sound.get("agents.csv", ()))
    report.notices += own.new_letters(layers.tables, shipped)
    report.notices += own.new_drugs(sound.get("agents.csv", ()), shipped)
    report.notices += own.replaced_values(layers.tables, shipped)
    report.notices += own.arrays_without_effect(layers.tables, shipped)


def _effects(layers: Layers, rooms: Rooms) -> list[Finding]:
    """What an overlay does to the shipped rows."""
    found: list[Finding] = []
    shipped = PatternFolder()
    for name, placed in layers.sound().items():
        found += heard_otherwise(rooms, name, placed)
    for name, file in CSV_FILES.items():
        own = {file.key_of(here.row) for here in layers.rows.get(name, [])}
        gone = layers.disabled.get(name, {})
        kept = [row for row in shipped.csv(name, file.model, file.key) if file.key_of(row) not in {*own, *gone}]
        found += shipped_rows_hurt(rooms, name, kept)
    for name, ids in layers.disabled.items():
        what = f"{len(ids)} of the shipped {name} {'is' if len(ids) == 1 else 'are'} disabled"
        found.append(Finding(DISABLED, min(ids.values()), what, "Nothing to mend if that is meant"))
    return found


def _idle(layers: Layers, rooms: Rooms, report: Report, corpus: Path, over: bool) -> None:
    """Rows, of an overlay only its own, that no note of the corpus meets."""
    texts = corpus_texts(corpus)
    report.notes = len(texts)
    if over:
        report.notices += own.common_phrases(layers.sound(), texts)
    found = idle_rows(rooms, texts)
    if over:
        mine = {name: {CSV_FILES[name].key_of(here.row) for here in rows} for name, rows in layers.rows.items()}
        found = {name: [key for key in keys if key in mine.get(name, ())] for name, keys in found.items()}
    report.idle = {name: keys for name, keys in found.items() if keys}
