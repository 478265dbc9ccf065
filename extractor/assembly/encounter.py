"""What holds for the whole encounter: guidance, agents, intent, temperature, blanks, and whether anything was done."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from extractor.agents import AgentHit, AgentReader, SentenceView, injectate_names
from extractor.assembly import guidance
from extractor.assembly.families import FAMILY_OF, Session
from extractor.assembly.seen import PROCEDURAL
from extractor.assembly.sides import Sided
from extractor.assembly.titles import drugged_sentences
from extractor.assembly.zones import SIDE_FIELD
from extractor.mentions import Hit, Reading, Sentence
from extractor.records import Agent, Procedure, Span
from extractor.text import line_start

_TEMPERATURE = re.compile(
    r"(?<![\d.])([3-9]\d)(?:\.\d)?\s*(?:\u00b0|degrees?|deg\b|celsius|centigrade|C\b)", re.IGNORECASE
)
_FRAME = re.compile(r"\*\* ?[^*\n]+\*\*")
_LISTED_BLANK = re.compile(r"\d\s*(?:,|/|&|\+|\band)\s*$", re.IGNORECASE)  # "L4-5 and ___"
_BLANK_FIELD = re.compile(
    r"\b(?:levels?|joints?|nerves?|sides?|laterality)(?:[^:\n]{0,20}:|[ \t]{1,3})[ \t]*$", re.IGNORECASE
)
_NOT_SO = re.compile(r"\b(?:not|never|rather than|instead of)\b[^.;,\n]{0,32}$", re.IGNORECASE)
_NOT_REACH = 44
_LABEL_LEAD = 4  # characters before a level that labels its line
_SITES = frozenset({"medial_branch", "facet_joint"})  # "the medial branches of C4 and C5 were blocked"
_AWAY = frozenset({"historical", "planned", "finding", "exam", "consent", "teaching", "numbering"})
_SHORT_LIST = 60  # longest list of sided levels that stands alone before its needle ("B L4-5, R L5-S1.")
_LIST_LINE = 90  # longest line of a list below its heading
_DX = re.compile(r"(?:pre-?op |post-?op )?d(?:x|iagnos[ie]s)\b", re.IGNORECASE)
_MEASURED = re.compile(r"\d\s*(?:mL|cc)\b", re.IGNORECASE)  # drawn up, not taken at home
_DRUG_KINDS = frozenset(
    {
        "body",
        "injectate",
        "skin",
        "contrast",
        "anesthesia",
        "sedation",
        "prep",
        "addendum",
        "impression",
        "findings",
        "complications",
        "comment",
    }
)


@dataclass(frozen=True, slots=True)
class Encounter:
    """Facts of the whole session."""

    guidance: guidance.Guidance
    agents: tuple[Agent, ...]
    injectate: tuple[Agent, ...]
    discontinued: bool
    unfilled: tuple[Span, ...]
    intent: str
    temperature: float | None
    title_side: str
    body_side: str
    generic: bool  # the body speaks of joints without naming them ("the remaining levels")
    each: bool  # ... or of "each target"
    planned_side: str  # the one side that was announced for today
    widened: bool  # a sentence of needle work without a level tells of both sides ("... on each side")
    both_spoken: bool  # the body speaks of work on both sides, and of no side left out


def only_contrast(procedure: Procedure, session: Session, shared: Encounter) -> bool:
    """True for an epidurogram: contrast through the foramen, and no drug."""
    titled = any(a.family == "other:epidurogram" and a.zone == "title" for a in session.anchors)
    return titled and procedure.family in {"transforaminal", "interlaminar", "caudal"} and not shared.injectate


def agents_of(reading: Reading, reader: AgentReader) -> tuple[Agent, ...]:
    return reader.read(reading.text, drug_sentences(reading), used_drugs(reading))


def used_drugs(reading: Reading) -> list[AgentHit]:
    """The drug names of a note without those that it denies."""
    return [hit for hit in reading.agents if hit.start not in reading.denied_agents]


def drug_sentences(reading: Reading) -> list[SentenceView]:
    """The sentences of a note as the reader of drugs sees them."""
    views = []
    for sentence in reading.sentences:
        zone = sentence.zone
        if zone in {"body", "neutral", "title", "addendum", "impression", "guidance", "laterality"}:
            kind = sentence.kind if sentence.kind in _DRUG_KINDS else "title" if zone == "title" else "body"
            views.append(SentenceView(sentence.start, sentence.end, kind, "performed"))
        elif zone == "medications" and _MEASURED.search(reading.text, sentence.start, sentence.end):
            views.append(SentenceView(sentence.start, sentence.end, "injectate", "performed"))
        elif zone in {"history", "plan", "consent", "finding", "exam", "teaching", "planned"}:
            assertion = (
                "planned" if zone in {"plan", "planned"} else "historical" if zone == "history" else "hypothetical"
            )
            views.append(SentenceView(sentence.start, sentence.end, sentence.kind or zone, assertion))
        else:
            views.append(SentenceView(sentence.start, sentence.end, sentence.kind or zone, "performed"))
    return views


def nothing_done(reading: Reading, drugs: Sequence[Agent]) -> bool:
    """True when the note says so, or when nothing in it tells of an act at this encounter."""
    told_apart = {s.index for s in reading.sentences if s.zone == "impression"}
    starts = [s.start for s in reading.sentences]
    given = [a for a in drugs if a.role == "injectate" and bisect_right(starts, a.start) - 1 not in told_apart]
    injected = bool(injectate_names(given)) and any(a.volume or a.dose or a.concentration for a in given)
    told = [s for s in reading.sentences if s.zone in {"body", "title", "neutral"}]
    leveled = {hit.sentence for hit in reading.levels if not hit.cues & _AWAY}
    blocked = {hit.sentence for hit in reading.targets if hit.value in _SITES and not hit.cues & _AWAY} & leveled
    acts = [
        s
        for s in told
        if ("needlework" in s.cues and s.zone == "body")
        or (s.cues >= {"performed", "today"} and not s.cues & {"historical", "planned"})
    ]
    acts += [s for s in told if s.cues >= {"heat", "rf_gear"} and not s.cues & _AWAY]  # "80 C 90 s lesions at ..."
    acts += [s for s in told if s.zone == "title" and s.cues & {"performed", "headed_performed"}]
    acts += [
        s for s in told if s.zone == "body" and "performed" in s.cues and s.index in blocked and not s.cues & _AWAY
    ]
    field = [s for s in told if injected and s.kind == "title" and s.zone == "title" and "each" in s.cues]
    acts += field
    placed = {hit.sentence for hit in reading.levels} | {hit.sentence for hit in reading.sides}
    placed |= {
        hit.sentence for hit in reading.targets if hit.value == "epidural_space"
    }  # "no needle was placed in ..."
    said = any(
        "nothing_done" in s.cues and s.index not in placed
        for s in reading.sentences
        if s.zone not in {"history", "consent"}
    )
    cancelled = any("cancelled" in s.cues for s in reading.sentences if s.zone not in {"history", "consent"})
    told_first = [s.cues for s in reading.sentences[:4]]
    needles = sum("needlework" in s.cues for s in told)
    drugged = drugged_sentences(reading)
    needles += sum(
        s.zone == "body"
        and s.index in drugged
        and s.cues >= {"needlework", "performed"}
        and not s.cues & {"historical", "planned"}
        for s in told
    )
    called = any(
        "contact" in cues and not ("today" in cues and not cues & {"planned", "historical"}) for cues in told_first
    )
    visited = any("visit" in cues and "today" not in cues for cues in told_first)
    if (called and needles < 3) or (visited and not field and needles < (2 if injected else 3)):
        return True
    stopped = any("discontinued" in s.cues for s in told)
    if (said and not stopped) or (cancelled and not injected and not begun(reading)):
        return True
    return not acts and not injected


def _intents(reading: Reading, session: Session, zones: set[str]) -> set[str]:
    """What an injection is for, as told in some zones and not denied ("this was not meant as a diagnostic test")."""
    return {
        a.hit.value.partition(":")[2]
        for a in session.anchors
        if a.family == "intent"
        and a.zone in zones
        and not _NOT_SO.search(reading.text, max(0, a.hit.start - _NOT_REACH), a.hit.start)
    }


def _ticked_intents(reading: Reading) -> set[str]:
    """What a ticked box says that the injection is for, wherever it stands: "( ) diagnostic (x) therapeutic"."""
    ticked = [hit for hit in reading.targets if hit.value.startswith("intent:") and hit.boxed == "checked"]
    return {hit.value.partition(":")[2] for hit in ticked}


def begun(reading: Reading) -> bool:
    """True where a needle was on its way to a level: what is cancelled after that was discontinued."""
    placed = {hit.sentence for hit in reading.levels if not hit.cues & _AWAY}
    return any(s.zone == "body" and "needlework" in s.cues and s.index in placed for s in reading.sentences)


def read(reading: Reading, session: Session, drugs: tuple[Agent, ...], sided: Sided) -> Encounter:
    starts = [s.start for s in reading.sentences]
    injectate = tuple(agent for agent in drugs if agent.role == "injectate")
    ends = {"discontinued", "cancelled"} if begun(reading) else {"discontinued"}
    stopped = any(
        s.cues & ends
        and s.zone in {"body", "neutral", "title", "complications", "findings", "planned", "comment", "impression"}
        for s in reading.sentences
    )
    intents = (
        _ticked_intents(reading)
        or _intents(reading, session, {"title", "body", "neutral"})
        or _intents(reading, session, {"impression"})
        or _intents(reading, session, {"planned"})
    )
    leveled = {hit.sentence for hit in reading.levels}
    return Encounter(
        guidance=guidance.find(reading),
        agents=drugs,
        injectate=injectate,
        discontinued=stopped and not injectate_names(drugs),
        unfilled=_unfilled(reading),
        intent="diagnostic" if intents == {"diagnostic"} else "therapeutic" if intents == {"therapeutic"} else "",
        temperature=_temperature(reading),
        title_side=single(of_all_regions(reading, sided.title_sides)),
        body_side=single(of_all_regions(reading, sided.body_sides)),
        planned_side=single(
            hit
            for hit in reading.sides
            if reading.sentences[hit.sentence].zone == "planned" and hit.boxed != "unchecked"
        ),
        widened=any(
            copy.side == "bilateral"
            and not copy.weak
            and "needlework" in reading.sentences[bisect_right(starts, copy.at) - 1].cues
            for copy in sided.copies
        ),
        both_spoken=not sided.only and {hit.value for hit in sided.body_sides} >= {"left", "right"},
        each=any("each" in s.cues and s.zone in {"body", "neutral"} for s in reading.sentences),
        generic=any(
            s.zone in {"body", "neutral"} and s.cues & {"repeat", "generic"} and s.index not in leveled
            for s in reading.sentences
        ),
    )


def _labels(reading: Reading) -> set[int]:
    """Sentences that begin with a level as a label: "L4-5: R in, arthrogram good. | L5-S1: R in w/ caudal tilt." """
    return {
        hit.sentence
        for hit in reading.levels
        if hit.start - reading.sentences[hit.sentence].start < _LABEL_LEAD
        and reading.text[hit.end : hit.end + 1] == ":"
        and not hit.cues & _AWAY
        and not reading.sentences[hit.sentence].cues & _AWAY
    }


def _drugged_rows(reading: Reading) -> set[int]:
    """Rows of a table that name a drug for a target: "| L2-3 | Kenalog 10 mg |"."""
    starts = [sentence.start for sentence in reading.sentences]
    drugs = [hit for hit in used_drugs(reading) if hit.drug_class in {"steroid", "local_anesthetic"}]
    rows = (reading.sentences[bisect_right(starts, hit.start) - 1] for hit in drugs)
    return {
        row.index
        for row in rows
        if row.zone in {"body", "neutral"} and not row.cues & _AWAY and "|" in reading.text[row.start : row.end]
    }


def acting(reading: Reading) -> tuple[frozenset[int], frozenset[int]]:
    """Sentences that tell of an act, name a target in scope, or stand under a header of their own in the body; and
    those of them that tell of an act or name a procedure.
    """
    named = {hit.sentence for hit in reading.targets if hit.value in FAMILY_OF}
    labels = _labels(reading)
    telling = {"needlework", "performed", "located", "repeat", "generic", "each", "checked", "grid_row"}
    acting = {
        s.index
        for s in reading.sentences
        if s.cues & telling
        or ("handled" in s.cues and not s.cues & {"historical", "planned"})
        or s.index in named
        or (s.kind == "body" and s.first_in_section)
    }
    if labels & acting:
        acting |= {index for index in labels if reading.sentences[index].zone in {"body", "neutral"}}
    doing = {hit.sentence for hit in reading.targets if hit.value in PROCEDURAL}
    telling_only = {s.index for s in reading.sentences if s.cues & telling or s.index in doing}
    telling_only |= {
        s.index for s in reading.sentences if s.zone == "body" and "handled" in s.cues and not s.cues & _AWAY
    }
    worked = {s.index for s in reading.sentences if "needlework" in s.cues}
    fields = {s.index for s in reading.sentences if s.zone == "neutral" and SIDE_FIELD.match(reading.text, s.start)}
    titles = {s.index for s in reading.sentences if s.zone == "title"}
    below = {s.index for s in reading.sentences if s.zone == "neutral" and s.index - 1 in titles and not s.cues & _AWAY}
    logged = {s.index for s in reading.sentences if s.zone == "neutral" and "rf_gear" in s.cues and not s.cues & _AWAY}
    following = logged & {hit.sentence for hit in reading.levels} & {hit.sentence for hit in reading.sides}
    following |= (
        (below | {index for index in fields if not reading.sentences[index].cues & _AWAY})
        & {hit.sentence for hit in reading.levels}
        & {hit.sentence for hit in reading.sides}
    )
    leveled = {hit.sentence for hit in reading.levels}
    following |= leveled & _drugged_rows(reading)
    sided = {hit.sentence for hit in reading.sides}
    heading: Sentence | None = None  # "Facet injections performed today:", with its list on the lines below
    for s in reading.sentences:
        if s.index in telling_only and reading.text[s.end - 1] == ":" and "negated" not in s.cues:
            heading = s
        elif heading and (s.section != heading.section or s.paragraph != heading.paragraph):
            heading = None
        elif heading and s.line > heading.line and s.end - s.start <= _LIST_LINE:
            following.add(s.index)
        goes_on = reading.text[s.start].islower()
        if s.index - 1 in worked or (goes_on and (s.index - 1 in telling_only or s.index - 1 in following)):
            if s.end - s.start <= (90 if goes_on else 45):
                following.add(s.index)
        short = s.end - s.start <= _SHORT_LIST and s.index in sided and not s.cues & _AWAY
        if (goes_on or short) and s.zone == "neutral" and s.index + 1 in worked - leveled:
            following.add(s.index)  # "then right L four five | needle in, half a cc"
    return frozenset(acting | following), frozenset(telling_only | following)


def of_all_regions(reading: Reading, sides: Sequence[Hit]) -> Sequence[Hit]:
    """The sides that speak of the whole session: where neck and low back were treated, none that stands with the levels
    of one of them ("C5-6 facet joint injection. Left L4-5 facet joint injection.")."""
    regions: dict[int, set[bool]] = {}  # by sentence, whether a level is one of the neck
    for hit in reading.levels:
        if reading.sentences[hit.sentence].zone in {"title", "body", "neutral"} and not hit.cues & _AWAY:
            regions.setdefault(hit.sentence, set()).update(item.top[0] == "C" for item in hit.mention.items)
    if len(set().union(*regions.values())) < 2:
        return sides
    return [side for side in sides if len(regions.get(side.sentence, ())) != 1]


def single(hits: Iterable[Hit]) -> str:
    """The one side that the mentions agree on ("" for none or several)."""
    values = {hit.value for hit in hits if hit.value in {"left", "right", "bilateral"}}
    if values == {"left", "right"} or "bilateral" in values and len(values) > 1:
        return ""
    return next(iter(values), "")


def _unfilled(reading: Reading) -> tuple[Span, ...]:
    """Template blanks that stand where a side or level belongs."""
    result = []
    filled = {hit.sentence for hit in reading.levels}
    named = {hit.sentence for hit in reading.targets if hit.value in FAMILY_OF}
    for cue in reading.cues:
        sentence = reading.sentences[cue.sentence]
        if cue.category == "open_cell":
            result.append(Span(cue.start, cue.end, sentence.section))
        if cue.category != "unfilled":
            continue
        begin = line_start(reading.text, cue.start)
        if (
            not reading.text[begin : cue.start].strip()
            or not reading.text[cue.end : cue.end + 1].strip(" \n*")
            and sentence.end - cue.end < 2
            and reading.text[begin : begin + 1] == "*"
        ):
            continue  # stars that frame a heading
        if reading.text[cue.start - 2 : cue.end + 2] == "  **  " or _FRAME.fullmatch(reading.text, begin, cue.end):
            continue  # stars between the parts of a heading, or around its first part
        listed = _LISTED_BLANK.search(reading.text, sentence.start, cue.start) is not None
        follows = listed or any(
            cue.end <= hit.start <= cue.end + 25
            for hit in reading.targets
            if hit.sentence == sentence.index and hit.value in FAMILY_OF
        )
        if sentence.zone in {"title", "body", "neutral"} and follows and sentence.index in filled:
            result.append(Span(cue.start, cue.end, sentence.section))
        elif (
            sentence.zone == "laterality"
            or _BLANK_FIELD.search(reading.text, begin, cue.start)
            or (
                sentence.zone in {"title", "body", "neutral"}
                and sentence.index in named
                and sentence.index not in filled
            )
        ):
            result.append(Span(cue.start, cue.end, sentence.section))
    return tuple(result)


def _temperature(reading: Reading) -> float | None:
    """The highest lesion temperature told in the body, in degrees Celsius."""
    found = [
        float(match.group(1))
        for sentence in reading.sentences
        if sentence.zone in {"body", "neutral", "title"}
        for match in _TEMPERATURE.finditer(reading.text, sentence.start, sentence.end)
    ]
    return max(found, default=None)


def diagnosis_side(reading: Reading) -> str:
    """The one side of the diagnosis, "" for none or both; an assessment and a line that begins with "Dx" count too."""

    def diagnosed(sentence: Sentence) -> bool:
        if sentence.zone == "finding":
            return sentence.kind == "impression" or _DX.match(reading.text, sentence.start) is not None
        return sentence.zone in {"diagnosis", "indication"}

    return single(hit for hit in reading.sides if diagnosed(reading.sentences[hit.sentence]))
