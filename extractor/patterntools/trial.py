"""`facetcode patterns try`: a phrase or a note on its way through every room, and why something in it is not read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from extractor.batch.readers.items import incoming
from extractor.batch.sources import STANDARD_INPUT, Incoming, Remark, single_note
from extractor.coder import Coder
from extractor.entities import EntityReader
from extractor.errors import InputError
from extractor.mentions import Sentence
from extractor.patterntools.discarded import because, discarded
from extractor.patterntools.trace import Trace
from extractor.patterntools.trial_findings import Finding, Findings, Trial
from extractor.report import text_summary
from extractor.result import decided

_MOST_QUOTED = 70
_TITLES = {
    "heard": "heard as",
    "sections": "sections",
    "sentences": "sentences",
    "matches": "matches",
    "levels": "levels",
    "drugs": "drugs",
    "cues": "cues",
    "assertion": "assertion",
    "discarded": "discarded",
    "unread": "words that no row reads",
}


def try_text(coder: Coder, text: str, id: str = "note", day: str | None = None) -> Trial:
    """What a note is read as, and by which rows. Raises what `Coder.code` raises."""
    result = coder.code(text, id=id, date_of_service=day)
    trace = Trace(coder, text)
    groups = {
        "heard": trace.heard(),
        "sections": trace.sections(),
        "sentences": trace.told(),
        "matches": trace.matches(),
        "levels": trace.levels(),
        "drugs": trace.drugs(),
        "cues": trace.cues(),
        "assertion": _assertions(trace, EntityReader(coder.patterns)),
    }
    left = discarded(trace)
    read = (item for name, group in groups.items() if name != "sentences" for item in group)
    unread = tuple(_unread(trace, [*read, *left]))
    return Trial(result, **groups, discarded=left, unread=unread, note=trace.nothing_done)


def _assertions(trace: Trace, reader: EntityReader) -> Findings:
    """Every span of the entity layer with how it is asserted, and what decided that."""
    result = []
    for item in reader.read(trace.assembled):
        sentence = trace.sentence(item.start)
        name, by = decided(sentence, item.cues, item.boxed)
        why, rows = _decision(trace, item.start, item.end, by, sentence)
        result.append(trace.at(item.start, item.end, f"{item.label} {item.value}", name, rows, why))
    return tuple(result)


def _decision(trace: Trace, start: int, end: int, by: str, sentence: Sentence | None) -> tuple[str, Sequence[Any]]:
    if by == "box":
        return "its check box is empty", ()
    if by == "word":
        return "its own words", ()
    if by == "cue":
        cues = trace.deciding(start, end, "negated")
        words = ", ".join(f'"{trace.text[cue.start : cue.end]}"' for cue in cues)
        rows = tuple(row for cue in cues for row in trace.cue_row(cue))
        return (f"negated by {words}" if cues else "negated by the words or the line around it"), rows
    if sentence is None:
        return "", ()
    why, found = because(trace, sentence)
    return why, tuple(found)


def _unread(trace: Trace, read: list[Finding]) -> Iterator[Finding]:
    """The words between those that some row matched, in runs."""
    taken = bytearray(len(trace.clean.given))
    for item in read:
        taken[item.start : item.end] = b"\1" * (item.end - item.start)
    for hit in trace.raw.levels:
        if hit.mention.noun_start >= 0:
            first, last = trace.clean.span(hit.mention.noun_start, hit.mention.noun_end)
            taken[first:last] = b"\1" * (last - first)
    given = trace.clean.given
    for sentence in trace.told():
        start = None
        for place in range(sentence.start, sentence.end + 1):
            free = place < sentence.end and not taken[place]
            if free and start is None:
                start = place
            elif not free and start is not None:
                if run := _words(given, start, place):
                    yield Finding(*run, given[slice(*run)], "words", "")
                start = None


def _words(given: str, start: int, end: int) -> tuple[int, int] | None:
    """The stretch without what is no letter at its ends; None where it has no letter."""
    letters = [place for place in range(start, end) if given[place].isalnum()]
    if not letters or not any(given[place].isalpha() for place in letters):
        return None
    return letters[0], letters[-1] + 1


def run(
    words: str | None,
    file: str | None,
    form: str,
    coder: Coder,
    day: str | None,
    say: Callable[[str], object],
    complain: Callable[[str], object],
) -> bool:
    """Tries `words`, or the note of a file or of standard input ("-"). False where the note cannot be read, which is
    told. InputError: the call is wrong."""
    if (words is None) == (file is None):
        raise InputError("give the words of a note, - for standard input, or --file FILE")
    name = STANDARD_INPUT if words == STANDARD_INPUT else file
    items = single_note(name) if name is not None else iter([incoming("the note", {"id": "note", "text": words})])
    for item in items:
        if isinstance(item, Incoming):
            trial = try_text(coder, item.note.text, item.note.id, day)
            say(as_json(trial) if form == "json" else as_text(trial))
        elif isinstance(item, Remark):
            complain(f"{item.where}: {item.text}")
        else:
            complain(f"{item.where}: {item.reason}")
            return False
    return True


# -- shown -------------------------------------------------------------------------------------------------------


def as_json(trial: Trial) -> str:
    """One JSON object: the groups, the result, and the reason for the whole note."""
    groups = {name: [item.as_json() for item in found] for name, found in trial.groups().items()}
    result = json.loads(trial.result.to_json())
    return json.dumps({**groups, "nothing_done": trial.note, "result": result}, ensure_ascii=False)


def as_text(trial: Trial) -> str:
    """The groups that hold anything, one thing a line, and the result."""
    return "\n".join(_lines(trial))


def _lines(trial: Trial) -> Iterator[str]:
    for name, found in trial.groups().items():
        if not found:
            continue
        yield _TITLES[name]
        if name == "unread":
            yield "  " + " | ".join(quoted(item.text) for item in found)
            continue
        for item in found:
            yield f"  {_line(name, item)}"
            yield from (f"      {safe(str(row))}" for row in item.rows)
    yield "result"
    if trial.note:
        yield f"  nothing was read as done: {trial.note}"
    yield from (f"  {line}" for line in text_summary(trial.result).split("\n"))


def _line(group: str, item: Finding) -> str:
    head = f'"{quoted(item.text)}" {item.start}-{item.end}'
    if group == "heard":
        return f'{head} as "{safe(item.value)}", {item.label}'
    if group == "sentences":
        return f"{head} zone {item.zone}" + (f", cues {item.why}" if item.why else ", no cue")
    where = f" ({item.zone})" if group in ("matches", "levels", "drugs") and item.zone else ""
    what = f"{item.label} {item.value}".strip()
    if group == "assertion":
        what = f"{item.label}: {item.value}"
    elif group == "cues":
        what = f"{item.value} ({item.label})"
    told = f"; {safe(item.why)}" if group != "discarded" and item.why else f": {safe(item.why)}" if item.why else ""
    return f"{head} {safe(what)}{where}{told}"


def quoted(text: str) -> str:
    """Words of a note on one line, no longer than fits there.

    >>> quoted("L4-5\\n\\x1b[2J facet")
    'L4-5 \\\\x1b[2J facet'
    """
    shown = safe(" ".join(text[: 4 * _MOST_QUOTED].split()))
    return shown if len(shown) <= _MOST_QUOTED else f"{shown[: _MOST_QUOTED - 3]}..."


def safe(text: str) -> str:
    """The text with every character that does not print written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
