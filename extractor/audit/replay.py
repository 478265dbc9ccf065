"""`facetcode replay`: each record of a result file is made again from its note, and must come out with the same bytes.

Profile and date of service are those that the record is stamped with; the line is made by the code that `facetcode run`
makes it with (`extractor.batch.work.code_item`), with the keys that the note's record brings. A profile or a date that
the note itself brings and that is another is a difference. What this installation
would stamp is read off the line made again, so that there is one place that stamps.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from extractor.audit.differences import Comparison, Difference, compare, with_note
from extractor.audit.results import Results, parsed, stamped
from extractor.batch import bulk
from extractor.batch.pool import usable_cores
from extractor.batch.sources import BadRecord, Incoming, Item, open_sources, printable
from extractor.batch.work import Coded, Failed, LoadCoder
from extractor.schema import Note

Outcome = Literal["equal", "stamps", "differs", "missing", "not_replayed"]
_SAID = {
    "equal": "equal",
    "stamps": "differ by their stamps only",
    "differs": "differ",
    "missing": "without their note",
    "not_replayed": "not replayed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The call. Without `workers`, all cores work."""

    result: Path
    inputs: Sequence[str]
    id_column: str = "id"
    text_column: str = "text"
    workers: int | None = None


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of one record. `id` is "" where the line does not tell it; `reason` says why it was not replayed."""

    id: str
    where: str
    outcome: Outcome
    comparison: Comparison | None = None
    reason: str = ""


def run(call: Call, form: str, load: LoadCoder, say: Callable[[str], object], complain: Callable[[str], object]) -> int:
    """Replays a file and says what came of it, as "text" or "json" (one object a line, the figures last); the number of
    records that are not equal.

    InputError: the call or a file is wrong. What is wrong with single notes is complained of.
    """
    items = open_sources(call.inputs, call.id_column, call.text_column)
    counts: Counter[str] = Counter()
    with Results(call.result) as results:
        for one in replayed(results, items, load, call.workers or usable_cores(), complain, counts):
            counts[one.outcome] += 1
            for line in [as_json(one)] if form == "json" else as_text(one):
                say(line)
    say(_figures_as_json(counts) if form == "json" else _figures(counts))
    return sum(counts[name] for name in _SAID if name != "equal")


def replayed(
    results: Results,
    items: Iterable[Item],
    load: LoadCoder,
    workers: int,
    complain: Callable[[str], object],
    counts: Counter[str],
) -> Iterator[Replayed]:
    """Every record of the file with what became of it: first the lines that hold none, then the records in the order of
    their notes, then those without a note. `counts["other_notes"]` is the number of notes that no record is of."""
    here = load()
    yield from (Replayed("", bad.where, "not_replayed", reason=bad.reason) for bad in results.read())
    waiting: deque[tuple[str, bytes, Note]] = deque()  # what the items that were handed out are compared with

    def handed() -> Iterator[Item]:
        for item in items:
            if isinstance(item, Incoming):
                found = results.take(item.note.id)
                if found is None:
                    counts["other_notes"] += 1
                    continue
                waiting.append((*found, item.note))
                yield _as_stamped(item, found[1])
            else:
                complain(f"{item.where}: {item.reason if isinstance(item, BadRecord) else item.text}")

    job = bulk.Bulk(inputs=(), items=handed(), load=load, made_with=(), here=here, complain=complain, workers=workers)
    for item, outcome in bulk.outcomes(job):
        assert isinstance(item, Incoming)
        where, line, note = waiting.popleft()
        if isinstance(outcome, Coded):
            comparison = with_note(compare(line, outcome.line, note.text), note, stamped(parsed(line)))
            yield Replayed(item.note.id, where, comparison.verdict, comparison)
        else:
            assert isinstance(outcome, Failed)
            yield Replayed(item.note.id, where, "not_replayed", reason=outcome.kind or outcome.reason)
    yield from (Replayed(id_, where, "missing") for id_, where in results.left())


def _as_stamped(item: Incoming, line: bytes) -> Incoming:
    """The note with the profile and the day of its record."""
    made = stamped(parsed(line))
    update = {"profile": made.profile, "date_of_service": made.date_of_service}
    return Incoming(item.where, item.note.model_copy(update=update))


def as_text(one: Replayed) -> Iterator[str]:
    """What there is to say of a record, for people; nothing of one that is equal."""
    name = f"{one.where}: {printable(one.id)}" if one.id else one.where
    if one.outcome == "missing":
        yield f"{name}: its note is missing"
    elif one.outcome == "not_replayed":
        yield f"{name}: not replayed: {one.reason}"
    elif one.comparison is not None and one.outcome != "equal":
        found = one.comparison
        yield f"{name}: differs{' by its stamps only' if one.outcome == 'stamps' else ''}"
        yield from (f"  stamp {_told(difference)}" for difference in found.stamps)
        yield from (f"  the note's own {_told(difference)}" for difference in found.brought)
        if found.other_text:
            yield "  the note is another text than the one that was coded"
            return
        yield from (f"  {_told(difference)}" for difference in found.fields)
        if found.more:
            yield f"  and {found.more} more"
        if found.rewritten:
            yield "  the same fields in other bytes: written anew, in another order or with another line end"


def _told(difference: Difference) -> str:
    if not (difference.recorded or difference.here):
        return difference.path
    return f"{difference.path}: {difference.recorded or 'other'}, here {difference.here or 'other'}"


def as_json(one: Replayed) -> str:
    """The same as one line of JSON; `outcome` is one of `Outcome`."""
    found = one.comparison or Comparison("equal")
    shown = {name: value for name, value in asdict(found).items() if name != "verdict"}
    return json.dumps(
        {"id": one.id, "where": one.where, "outcome": one.outcome, "reason": one.reason, **shown},
        ensure_ascii=False,
        separators=(",", ":"),
    )


def _figures(counts: Counter[str]) -> str:
    told = ", ".join(f"{counts[name]} {words}" for name, words in _SAID.items())
    others = f"; {counts['other_notes']} notes without a record" if counts["other_notes"] else ""
    return f"{sum(counts[name] for name in _SAID)} records: {told}{others}"


def _figures_as_json(counts: Counter[str]) -> str:
    figures = {name: counts[name] for name in (*_SAID, "other_notes")}
    return json.dumps({"summary": {"records": sum(counts[name] for name in _SAID), **figures}}, separators=(",", ":"))
