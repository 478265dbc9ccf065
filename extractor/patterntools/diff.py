"""`facetcode patterns diff`: the notes that would come out otherwise with other patterns, before these go live.

Each note is coded with both pattern sets, or only with the new one where an earlier result file says what came out
before. Notes stream: nothing is kept of them but figures.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from extractor.batch.bulk import Bulk, outcomes
from extractor.batch.pool import usable_cores
from extractor.batch.runner import CodeNote
from extractor.batch.sources import Incoming, Item, open_sources, printable
from extractor.batch.work import Coded, Failed
from extractor.errors import InputError, PatternError
from extractor.loading import load_coder
from extractor.patterns import shipped_folder
from extractor.patterntools.compare import FACTS, Change, Outcome, Quote, Stamp, compare, outcome_of
from extractor.patterntools.results import Results
from extractor.patterntools.trial import quoted, safe
from extractor.schema import CodingResult, Note

BEFORE = "facetcode_before"  # the field of `Both`


class Both(CodingResult):
    """The result with the other patterns, and the one before it."""

    facetcode_before: CodingResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """The call. `patterns` is the overlay before, `other` the one after; without `inputs` the corpus is taken."""

    other: Path
    inputs: Sequence[str]
    results: Path | None
    patterns: Path | None
    profile: str
    day: str | None
    form: str
    workers: int | None


@dataclass(slots=True)
class Figures:
    """What is told at the end."""

    notes: int = 0
    changed: int = 0
    failed: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    moves: Counter[str] = field(default_factory=Counter)
    before: Stamp = field(default_factory=Stamp)
    after: Stamp = field(default_factory=Stamp)
    not_asked: int = 0  # earlier results that no note belongs to

    def count(self, change: Change | None) -> None:
        """Takes in a note that was compared."""
        self.notes += 1
        if change is not None:
            self.changed += 1
            self.kinds.update(change.kinds)
            self.moves[change.move] += 1


def run(call: Diff, say: Callable[[str], object], complain: Callable[[str], object]) -> Figures:
    """Tells every note that changes, and the figures. InputError, PatternError: the call or a row is wrong."""
    inputs = call.inputs or default_notes()
    if not call.other.is_dir():
        raise PatternError(f"{printable(str(call.other))}: no such patterns folder")
    if is_whole(call.other):
        complain(
            f"{printable(str(call.other))}: holds every shipped file and is laid over ours all the same: rows that it"
            " lacks stay"
        )
    items = map(bare, open_sources(inputs))
    load = partial(load_both, call.profile, call.patterns, call.other)
    if call.results is not None:
        load = partial(load_coder, call.profile, call.other)
    figures = Figures()
    with ExitStack() as stack:
        earlier = stack.enter_context(Results(call.results, complain)) if call.results else None
        figures.failed = earlier.failed if earlier else 0
        bulk = Bulk(
            inputs=inputs,
            items=items,
            load=load,
            here=load(),
            made_with=(),
            complain=complain,
            day=call.day,
            workers=call.workers or usable_cores(),
        )
        for change in _changes(bulk, earlier, figures):
            say(json.dumps(change.as_json(), ensure_ascii=False) if call.form == "json" else as_text(change))
        figures.not_asked = earlier.never_asked if earlier else 0
    say(json.dumps({"summary": as_json(figures)}) if call.form == "json" else "\n".join(told(figures)))
    return figures


def load_both(profile: str, patterns: Path | None, other: Path) -> CodeNote:
    """What codes a note with both pattern sets. Raises what `load_coder` raises."""
    first, second = load_coder(profile, patterns), load_coder(profile, other)

    def code(
        text: str, id: str = "note", profile: str | None = None, date_of_service: str | None = None
    ) -> CodingResult:
        before = first(text, id=id, profile=profile, date_of_service=date_of_service)
        after = second(text, id=id, profile=profile, date_of_service=date_of_service)
        return Both(**dict(after), facetcode_before=before)

    return code


def default_notes() -> list[str]:
    """The notes of the corpus that stands beside a checkout. InputError where there is none."""
    folder = Path(__file__).parents[2] / "corpus" / "notes"
    found = sorted(str(path) for path in folder.glob("*.jsonl"))
    if not found:
        raise InputError("there is no corpus beside this installation: give your notes with --notes")
    return found


def is_whole(folder: Path) -> bool:
    """True for a folder with every shipped pattern file."""
    shipped = shipped_folder()
    return all((folder / path.relative_to(shipped)).is_file() for path in shipped.rglob("*") if path.is_file())


def bare(item: Item) -> Item:
    """The record without the keys that are carried through: none of them is compared."""
    if not isinstance(item, Incoming) or not item.note.carried:
        return item
    note = item.note
    return replace(
        item, note=Note(id=note.id, text=note.text, date_of_service=note.date_of_service, profile=note.profile)
    )


def _changes(bulk: Bulk, earlier: Results | None, figures: Figures) -> Iterator[Change]:
    for item, outcome in outcomes(bulk):
        if outcome is None:
            bulk.complain(f"{item.where}: {getattr(item, 'text', '')}")  # a remark
            continue
        pair = _pair(item, outcome, earlier)
        if isinstance(pair, Failed):
            bulk.complain(f"{pair.where}: {pair.reason}")
            figures.failed += 1
            continue
        before, after = pair
        if not figures.notes:
            figures.before, figures.after = before.versions, after.versions
        change = compare(before, after)
        figures.count(change)
        if change is not None:
            yield change


def _pair(item: Item, outcome: Coded | Failed, earlier: Results | None) -> tuple[Outcome, Outcome] | Failed:
    """Both results of a note, or why there are not both."""
    if isinstance(outcome, Failed):
        return outcome
    if earlier is None:
        record = json.loads(outcome.line)
        return outcome_of(json.dumps(record.pop(BEFORE))), outcome_of(json.dumps(record))
    line = earlier.line(outcome.id)
    shown = printable(outcome.id)
    if line is None:
        return Failed(outcome.id, item.where, f"note {shown} has no earlier result")
    try:
        before = outcome_of(line)
    except ValueError as error:
        return Failed(outcome.id, item.where, f"the earlier result of note {shown} is {error}")
    if isinstance(item, Incoming) and not before.fits(item.note.text):
        return Failed(outcome.id, item.where, f"the earlier result of note {shown} is of another text")
    return before, outcome_of(outcome.line)


# -- shown -------------------------------------------------------------------------------------------------------


def as_text(change: Change) -> str:
    """A note that changes, in some lines."""
    return "\n".join(_lines(change))


def _lines(change: Change) -> Iterator[str]:
    moved = change.move if change.before.status != change.after.status else f"{change.after.status} as before"
    yield f"{safe(change.after.id)}: {moved}"
    for name in FACTS:
        word = {"lines": "line", "queries": "ask"}.get(name, name)
        yield from (f"  - {word} {safe(fact)}" for fact in change.gone[name])
        yield from (f"  + {word} {safe(fact)}" for fact in change.new[name])
    for sign, quotes in (("-", change.evidence_gone), ("+", change.evidence_new)):
        yield from (f"    {sign} {_quote(of, quote)}" for of, quote in quotes)


def _quote(of: str, quote: Quote) -> str:
    section = f", {safe(quote.section)}" if quote.section else ""
    return f'{safe(of)}: "{quoted(quote.text)}" ({quote.start}-{quote.end}{section})'


def told(figures: Figures) -> Iterator[str]:
    """The figures for people."""
    same = figures.notes - figures.changed
    yield f"{figures.notes} notes compared: {figures.changed} changed, {same} the same; {figures.failed} failed"
    for move, count in sorted(figures.moves.items()):
        yield f"  {count} {move}"
    if figures.kinds:
        kinds = (f"{kind} in {figures.kinds[kind]}" for kind in ("status", *FACTS) if figures.kinds[kind])
        yield f"  changed: {', '.join(kinds)}"
    if figures.not_asked:
        yield f"  {figures.not_asked} earlier results belong to none of these notes"
    yield f"before: {_stamp(figures.before)}"
    yield f"after:  {_stamp(figures.after)}"


def _stamp(stamp: Stamp) -> str:
    told = ((name, getattr(stamp, name)) for name in ("engine", "patterns", "overlay", "codes", "profile"))
    return ", ".join(f"{name} {safe(value)}" for name, value in told if value) or "no note was coded"


def as_json(figures: Figures) -> dict[str, Any]:
    """The figures as plain data."""
    return {
        "notes": figures.notes,
        "changed": figures.changed,
        "failed": figures.failed,
        "earlier_results_without_a_note": figures.not_asked,
        "kinds": dict(sorted(figures.kinds.items())),
        "moves": dict(sorted(figures.moves.items())),
        "before": figures.before.model_dump(),
        "after": figures.after.model_dump(),
    }
