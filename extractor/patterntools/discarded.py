"""Why something that stands in a note is not read, or read and not counted: one finding for each thing left out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from extractor.agents import injectate_names
from extractor.assembly.families import find
from extractor.assembly.statements import KIND_OF_NOUN
from extractor.assembly.zones import SPEAKING
from extractor.mentions import Cue, Hit, LevelHit, Sentence
from extractor.patterntools.origin import Origin
from extractor.patterntools.trace import Trace
from extractor.patterntools.trial_findings import Finding

if TYPE_CHECKING:
    from extractor.pipeline.assertion import CueMatch
    from extractor.pipeline.targets import RowMatch

_LOOKALIKES = frozenset({"none", "adverb"})
# cues that give a sentence its zone where its heading does not
_CUES_OF_ZONE = {
    "history": frozenset({"historical", "recounted", "copied"}),
    "plan": frozenset({"planned", "proposed"}),
    "planned": frozenset({"intended", "planned"}),
    "consent": frozenset({"consent", "explained"}),
    "finding": frozenset({"finding"}),
    "exam": frozenset({"exam"}),
    "teaching": frozenset({"teaching"}),
    "numbering": frozenset({"numbering"}),
}
_HALF_READ = frozenset({"planned", "laterality", "impression"})  # read where title and body leave something open
_ACTS = ("needlework", "performed", "located", "repeat", "generic", "each")
_NO_ACT = f"nothing in its sentence tells of an act (none of the cues {', '.join(_ACTS)})"
_TAKING_BACK = frozenset({"correction", "retraction"})
_BACK = 200  # characters behind a level within which the words stand that take it back
_NEAR = 12  # matches that begin beside one another
_ALONE = 4  # sentences back to which "nothing was injected there" refers
_ELSEWHERE = {
    "skin_anesthetic": "it numbs the skin only",
    "contrast": "it is contrast",
    "sedation": "it sedates",
    "prep": "it washes the skin",
    "flush": "it flushes or dilutes",
    "systemic": "it is given or taken elsewhere than at the target",
}
Reason = tuple[str, Iterable[Origin]]


def discarded(trace: Trace) -> tuple[Finding, ...]:
    """Everything left out, in order of the text."""
    rooms: Sequence[Callable[[Trace], Iterable[Finding]]] = (
        _matches,
        _targets,
        _imaging,
        _sides,
        Trace.refused,
        _levels,
        _drugs,
        _cues,
    )
    found = chain.from_iterable(room(trace) for room in rooms)
    return tuple(sorted(dict.fromkeys(found), key=lambda item: (item.start, item.end)))


# -- matches of rows ---------------------------------------------------------------------------------------------


def _matches(trace: Trace) -> Iterator[Finding]:
    """Matches that became no span."""
    kept: dict[str, list[RowMatch]] = {}
    for match in trace.row_matches:
        if match.fits and match[:4] in trace.kept:
            kept.setdefault(match.label, []).append(match)
    starts = {label: [match.start for match in found] for label, found in kept.items()}
    alike = [match for match in trace.row_matches if match.value in _LOOKALIKES and match.label == "Side"]
    alike_starts = [match.start for match in alike]
    for match in trace.row_matches:
        if match.fits and match[:4] in trace.kept:
            continue
        rows = trace.row(match)
        longer = _over(match, kept.get(match.label, []), starts.get(match.label, []))
        if not match.fits:
            why = "this row matches only with its capitals as they are written in it"
        elif longer and longer.end - longer.start > match.end - match.start:
            if longer.value == match.value:
                continue  # it says the same
            why = f"the longer row {trace.row(longer)[0]} is read here"
        elif match.value in _LOOKALIKES:
            why = "these words are no side, says this row"
        elif near := _over(match, alike, alike_starts):
            why = f"these words are no side, says {trace.row(near)[0]}"
        elif longer:
            why = f"{trace.row(longer)[0]} is read here"
        else:
            continue
        yield trace.at(match.start, match.end, match.label, match.value, rows, why)


def _over(match: RowMatch, kept: list[RowMatch], starts: list[int]) -> RowMatch | None:
    """One of some matches in order that overlaps this one."""
    place = bisect_right(starts, match.start)
    for other in kept[max(0, place - _NEAR) : place + _NEAR]:
        if other.start < match.end and match.start < other.end:
            return other
    return None


# -- where a sentence stands -------------------------------------------------------------------------------------


def because(trace: Trace, sentence: Sentence) -> Reason:
    """Why a sentence has its zone: its heading, or cues in it."""
    told = _CUES_OF_ZONE.get(sentence.zone, frozenset()) & sentence.cues
    if told:
        near = trace.cues_between(sentence.start, sentence.end)
        cues = [cue for cue in near if cue.category in told and trace.counts(cue)]
        if cues:
            words = ", ".join(f'"{trace.text[cue.start : cue.end]}"' for cue in cues)
            return f"zone {sentence.zone} by {words}", chain.from_iterable(map(trace.cue_row, cues))
    if sentence.section:
        return f'zone {sentence.zone} under the heading "{sentence.section}"', trace.section_row(sentence.start)
    return f"zone {sentence.zone}", ()


def _silent(trace: Trace, hit: Hit | LevelHit, allowed: frozenset[str]) -> Reason | None:
    """Why the sentence of a hit is not read as done, where it is not."""
    sentence = trace.sentences[hit.sentence]
    if sentence.zone in allowed:
        return None
    why, rows = because(trace, sentence)
    return f"its sentence is not read as done today: {why}", rows


def _touched(trace: Trace, hit: Hit | LevelHit, *categories: str) -> Reason | None:
    """The cue of one of the categories that touches a hit."""
    for category in categories:
        if category in hit.cues:
            return _by(trace, category, trace.deciding(hit.start, hit.end, category))
    return None


def _by(trace: Trace, category: str, cues: Sequence[CueMatch]) -> Reason:
    if not cues:
        return f"{category} by the line or table in which it stands", ()
    words = ", ".join(f'"{trace.text[cue.start : cue.end]}"' for cue in cues)
    return f"{category} by {words}", chain.from_iterable(map(trace.cue_row, cues))


def _unticked(hit: Hit | LevelHit) -> Reason | None:
    return ("its check box is empty", ()) if hit.boxed == "unchecked" else None


# -- targets, guidance, sides ------------------------------------------------------------------------------------


def _targets(trace: Trace) -> Iterator[Finding]:
    reading = trace.assembled.reading
    read = {(anchor.hit.start, anchor.hit.end) for anchor in find(reading).anchors}
    for hit in reading.targets:
        reason: Reason | None = None
        if (hit.start, hit.end) not in read:
            reason = (
                _unticked(hit)
                or _touched(trace, hit, "negated")
                or _silent(trace, hit, SPEAKING | _HALF_READ)
                or _touched(trace, hit, "historical", "planned")
                or ("it names nothing that was done", ())
            )
        elif hit.value.startswith("other:"):
            reason = "it names a procedure of another kind, which is not coded here", trace.own_row(hit)
        if reason:
            yield trace.at(hit.start, hit.end, hit.label, hit.value, reason[1], reason[0])


def _imaging(trace: Trace) -> Iterator[Finding]:
    used = {name for procedure in trace.assembled.procedures for name in procedure.imaging}
    for hit in trace.assembled.reading.imaging:
        if hit.value == "diagnostic":
            reason: Reason | None = ("this row names a study and never guidance", trace.own_row(hit))
        elif hit.value == "none":
            reason = "this row says that no imaging was used", trace.own_row(hit)
        else:
            reason = _unticked(hit) or _touched(trace, hit, "negated", "historical", "planned")
            if reason is None and hit.value not in used:
                reason = _silent(trace, hit, SPEAKING | _HALF_READ | {"guidance"})
        if reason:
            yield trace.at(hit.start, hit.end, hit.label, hit.value, reason[1], reason[0])


def _sides(trace: Trace) -> Iterator[Finding]:
    left = {(hit.start, hit.end) for hit in trace.raw.sides} - {(h.start, h.end) for h in trace.assembled.reading.sides}
    for hit in trace.raw.sides:
        reason = (
            _taken_back(trace, hit.end)
            if (hit.start, hit.end) in left
            else _unticked(hit)
            or _touched(trace, hit, "negated_side")
            or _silent(trace, hit, SPEAKING | _HALF_READ | {"diagnosis"})
        )
        if reason:
            yield trace.at(hit.start, hit.end, hit.label, hit.value, reason[1], reason[0])


def _taken_back(trace: Trace, end: int) -> Reason:
    cues = [cue for cue in trace.cues_between(end, end + _BACK) if cue.category in _TAKING_BACK]
    why, rows = _by(trace, "taken back", cues[:1])
    return why, rows


# -- levels ------------------------------------------------------------------------------------------------------


def _levels(trace: Trace) -> Iterator[Finding]:
    assembled = trace.assembled
    kept = {hit.start for hit in assembled.reading.levels}
    used = {
        span.start
        for procedure in assembled.procedures
        for site in (*procedure.joints, *procedure.nerves)
        for span in site.evidence
    }
    alone = {cue.sentence: cue for cue in assembled.reading.cues if cue.category == "nothing_there"}
    for hit in trace.raw.levels:
        if hit.start in kept and hit.start in used:
            continue
        reason = (
            _unticked(hit)
            or (None if hit.start in kept else _taken_back(trace, hit.end))
            or _touched(trace, hit, "negated")
            or _silent(trace, hit, SPEAKING | _HALF_READ)
            or _no_site(trace, hit)
            or _left_alone(trace, [alone[n] for n in range(hit.sentence, hit.sentence + _ALONE) if n in alone])
            or _not_used(trace, hit)
        )
        value = ", ".join(item.name for item in hit.mention.items)
        yield trace.at(hit.start, hit.end, "Level", value, reason[1], reason[0])


def _no_site(trace: Trace, hit: LevelHit) -> Reason | None:
    noun = hit.mention.noun
    if noun in KIND_OF_NOUN:
        return None
    return f"its noun is a {noun}, where no needle of these procedures goes", trace.noun(hit.mention)


def _left_alone(trace: Trace, said: Sequence[Cue]) -> Reason | None:
    near = trace.cues_between(said[0].start, said[0].end) if said else []
    found = [cue for cue in near if cue.category == "nothing_there"]
    return _by(trace, "left alone", found[:1]) if found else None


def _not_used(trace: Trace, hit: LevelHit) -> Reason:
    sentence = trace.sentences[hit.sentence]
    if hit.start not in trace.assembled.kinds:
        if not trace.assembled.procedures and not trace.assembled.kinds:
            return f"no procedure was read in the note: {trace.nothing_done}", ()
        bare = "" if hit.mention.noun else "no noun goes with it, and "
        return bare + (_NO_ACT if not sentence.cues & set(_ACTS) else "its words tell of no place of a needle"), ()
    if sentence.zone in _HALF_READ or sentence.zone == "title":
        return f"the body tells the levels, and this is the {sentence.zone}", ()
    if hit.mention.noun in ("", "level"):
        return "no noun goes with it, and levels with the noun of a joint, a nerve or a bone are read before it", ()
    return "it completes no joint of a procedure that was read", ()


# -- drugs -------------------------------------------------------------------------------------------------------


def _drugs(trace: Trace) -> Iterator[Finding]:
    reading = trace.assembled.reading
    listed = set(injectate_names(trace.assembled.agents))
    counted = {(agent.start, agent.end) for agent in trace.assembled.agents}
    for hit in reading.agents:
        reason = _drug(trace, hit.start, hit.end, hit.name in listed, (hit.start, hit.end) in counted)
        if reason:
            yield trace.at(hit.start, hit.end, hit.drug_class, hit.name, reason[1], reason[0])


def _drug(trace: Trace, start: int, end: int, listed: bool, counted: bool) -> Reason | None:
    known = trace.agent_reasons.get((start, end))
    if known is None:
        if start in trace.assembled.reading.denied_agents:
            return _by(trace, "negated", trace.deciding(start, end, "negated"))
        return "a general word inside a longer phrase of agent_roles.csv", ()
    if not known.done:
        sentence = trace.sentence(start)
        why, rows = because(trace, sentence) if sentence else ("", ())
        return f"its sentence is not read as done today: {why}", rows
    by = trace.role_row(known)
    if known.denied:
        return "said not to have been used", by
    if known.unticked:
        return "its check box is empty", ()
    if known.role is None:
        return "nothing says where it went", ()
    if known.role in _ELSEWHERE:
        return f"not at the target: {_ELSEWHERE[known.role]}", by or trace.drug_row(start, end)
    if listed and counted:
        return None
    if known.hit.drug_class in ("vehicle", "generic"):
        return f"a {known.hit.drug_class} word names no drug of its own", trace.drug_row(start, end)
    if not trace.assembled.procedures and not trace.assembled.agents:
        return "no procedure was read in the note", ()
    return None if counted else ("the body names the drugs, and this is not the body", ())


# -- cues --------------------------------------------------------------------------------------------------------


def _cues(trace: Trace) -> Iterator[Finding]:
    """Cues that do not count, but for those that say the same as the longer one over them."""
    kept = [cue for cue in trace.cue_matches if cue.fate == "kept"]
    starts = [cue.start for cue in kept]
    for cue in trace.cue_matches:
        if trace.counts(cue):
            continue
        rows = trace.cue_row(cue)
        if cue.fate == "aside":
            why = "it only gives a reason, or ends a denial"
        elif cue.fate == "kept":
            why = (
                "no cue is looked for: the note names no level and no target" if not trace.doc._.facetcode_cues else ""
            )
            why = why or "it stands in an option that is not ticked, or is a part of a level"
        else:
            place = bisect_right(starts, cue.start)
            near = kept[max(0, place - _NEAR) : place + _NEAR]
            over = [
                c for c in near if c.start < cue.end and cue.start < c.end and c.end - c.start >= cue.end - cue.start
            ]
            if not over or any(c.category == cue.category for c in over):
                continue
            why = f"the longer cue {next(iter(trace.cue_row(over[0])), over[0].category)} is read here"
        yield trace.at(cue.start, cue.end, "cue", cue.category, rows, why)
