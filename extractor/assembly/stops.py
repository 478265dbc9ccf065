"""What was stopped before anything was given, beside what was completed: one kind of procedure, or one level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from extractor.assembly.families import FAMILY_OF
from extractor.assembly.titles import drugged_sentences
from extractor.mentions import Reading
from extractor.records import Family, Procedure

_STOPS = frozenset({"discontinued", "nothing_there"})
_NOTHING = frozenset({"negated", "nothing_there", "planned"})
_TOLD_IN = frozenset({"title", "body", "neutral", "complications", "comment", "findings", "impression"})
_GIVEN = frozenset({"performed", "handled"})
_OTHER_DAYS = frozenset({"planned", "historical"})


def with_stopped_kinds(procedures: Sequence[Procedure], reading: Reading) -> list[Procedure]:
    """The procedures, with those marked as discontinued that the body says were stopped: "The sacroiliac injection was
    aborted" beside facet joints that were injected.

    A stop belongs to the kinds that its sentence names, or else to the kind that the body named last. It does not hold
    for a kind to which a drug was given.
    """
    if len({procedure.family for procedure in procedures}) < 2:
        return list(procedures)
    stopped = _stopped(reading, {p.family for p in procedures if p.joints or p.nerves})
    return [replace(p, discontinued=True) if p.family in stopped else p for p in procedures]


def _stopped(reading: Reading, leveled: set[Family]) -> set[Family]:
    """`leveled`: the kinds with levels that were done; where one level of theirs is denied, that one was stopped."""
    named: dict[int, set[Family]] = {}
    denied: set[int] = set()
    for hit in reading.targets:
        if hit.value in FAMILY_OF and not hit.cues & _OTHER_DAYS:
            named.setdefault(hit.sentence, set()).add(FAMILY_OF[hit.value])
            if "negated" in hit.cues:
                denied.add(hit.sentence)
    left_out = {hit.sentence for hit in reading.levels if "negated" in hit.cues}
    drugged = drugged_sentences(reading)
    last: set[Family] = set()
    stopped: set[Family] = set()
    given: set[Family] = set()
    for sentence in reading.sentences:
        if sentence.zone not in _TOLD_IN:
            continue
        here = named.get(sentence.index, set())
        if sentence.index in left_out:
            here, last = here - leveled, last - leveled
        denial = sentence.index in denied and "performed" in sentence.cues
        done = sentence.index in drugged and sentence.cues & {"needlework", "performed"}
        if done and not sentence.cues & _NOTHING:
            given |= here or last
        elif sentence.cues & _STOPS or denial or (here and "cancelled" in sentence.cues):
            about = here or last
            stopped |= about if len(about) == 1 else set()
        if here:
            last = here
    return stopped - given


def without_stopped_levels(reading: Reading) -> Reading:
    """The reading with those levels denied whose sentence ends in a stop, where other levels were worked on before:
    "the needle was advanced toward L5-S1, but the patient fainted and the procedure was terminated"."""
    stops = {cue.sentence: cue.start for cue in reading.cues if cue.category == "discontinued"}
    if not stops or not reading.levels:
        return reading
    drugged = drugged_sentences(reading)
    sentences = reading.sentences
    done = [
        hit.sentence
        for hit in reading.levels
        if sentences[hit.sentence].zone == "body" and _given_in(reading, hit.sentence, hit.sentence in drugged)
    ]
    if not done:
        return reading
    first = min(done)
    stopped = {
        hit.start
        for hit in reading.levels
        if hit.start < stops.get(hit.sentence, -1)
        and first < hit.sentence
        and sentences[hit.sentence].zone in {"body", "neutral"}
        and hit.sentence not in drugged
        and not any(c.sentence == hit.sentence and c.category in _GIVEN and c.start > hit.start for c in reading.cues)
    }
    if not stopped:
        return reading
    levels = (replace(hit, cues=hit.cues | {"negated"}) if hit.start in stopped else hit for hit in reading.levels)
    return replace(reading, levels=tuple(levels))


def _given_in(reading: Reading, index: int, drugged: bool) -> bool:
    cues = reading.sentences[index].cues
    return (drugged or "needlework" in cues) and "performed" in cues and not cues & (_NOTHING | _STOPS)
