"""Which kinds of procedure were done: from the targets named in title and body, never from history, plan or
findings."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from extractor.assembly.seen import PROCEDURAL
from extractor.assembly.titles import drugged_sentences
from extractor.mentions import Hit, Reading
from extractor.records import Family, Technique

FAMILY_OF: dict[str, Family] = {
    "facet_joint": "facet",
    "facet_injection": "facet",
    "medial_branch": "facet",
    "medial_branch_block": "facet",
    "sacroiliac_joint": "sacroiliac_joint",
    "sacral_lateral_branch": "sacral_lateral_branch",
    "epidural_interlaminar": "interlaminar",
    "epidural": "interlaminar",
    "epidural_transforaminal": "transforaminal",
    "epidural_caudal": "caudal",
    "trigger_point": "trigger_point",
}
_TECHNIQUES = {"cold_or_laser", "thermal_rf", "cooled_rf", "pulsed_rf", "chemical_neurolysis", "prp"}
_EMPTY, _FORM = re.compile(r"[\[(\u2610][ _]?[\])]?"), 3  # an empty box; boxed rows that make a form
_FORAMINA, _FORAMEN_REACH = {"neural_foramen", "sacral_foramen"}, 6
_BESIDE = {"sacroiliac_joint", "trigger_point"}
_FACET_BLOCKS = {"medial_branch_block", "facet_injection"}
_ACTS = {"needlework", "performed", "handled", "each"}
_BURNT = re.compile(r"rf|ablat|radiofreq|denerv|neurot|rhizot", re.IGNORECASE)
_BURNS = {"thermal_rf", "cooled_rf", "pulsed_rf"}
_TICK, _TICK_REACH = re.compile(r"[\])\u2611\u2612\u2713\u2714] ?$"), 3
_OTHER_DAY = {"planned", "consent", "teaching"}
_EPIDURALS = {"interlaminar", "transforaminal", "caudal"}


@dataclass(frozen=True, slots=True)
class Anchor:
    """A target mention that tells of something done here, with the zone it stands in."""

    hit: Hit
    zone: str
    family: str  # a Family, "technique", "joint" (intra-articular words), "intent", or "other:..."


@dataclass(frozen=True, slots=True)
class Session:
    """What was done at this encounter, before levels and sides."""

    families: tuple[Family, ...]
    anchors: tuple[Anchor, ...]
    technique: Technique
    cooled: bool
    out_of_scope: str = ""
    mixed_technique: bool = False


def find(reading: Reading) -> Session:
    """The families and the technique of the session; no family when nothing in scope was done."""
    zones = [sentence.zone for sentence in reading.sentences]
    cues = [sentence.cues for sentence in reading.sentences]
    anchors: list[Anchor] = []
    empty = _empty_rows(reading)
    for hit in reading.targets:
        zone = zones[hit.sentence]
        if hit.sentence in empty:
            continue
        if zone not in {"title", "body", "neutral", "impression", "addendum", "planned"} or hit.boxed == "unchecked":
            continue
        if "negated" in hit.cues:
            continue
        other = hit.value.startswith("other:")
        here = cues[hit.sentence]
        if other and zone == "title" and reading.sentences[hit.sentence].first_in_section:
            anchors.append(Anchor(hit, zone, _kind(hit.value)))
            continue
        now = "needlework" in here or ("today" in here and "negated" not in here and "historical" not in hit.cues)
        if (
            zone == "title"
            and "historical" in hit.cues
            and not reading.sentences[hit.sentence].first_in_section
            and not now
        ):
            continue
        if (zone != "title" or other) and not now and hit.cues & {"historical", "planned"}:
            continue
        anchors.append(Anchor(hit, zone, _kind(hit.value)))
    # a tube is tilted caudal in any session: in a title alone the word names the epidural
    anchors = [
        replace(a, hit=replace(a.hit, value="epidural_caudal"), family="caudal") if _is_caudal(a) else a
        for a in anchors
    ]
    titled = [anchor for anchor in anchors if anchor.zone == "title"]
    if any(a.hit.value in FAMILY_OF and "planned" not in a.hit.cues for a in titled):
        # "Procedure: medial branch blocks (#2). Test block before RF."
        titled = [a for a in titled if a.family != "technique" or "planned" not in a.hit.cues]
    surgery = any(anchor.family == "other:surgery" for anchor in titled) and not any(
        anchor.hit.value in FAMILY_OF and anchor.hit.value not in {"facet_joint", "epidural"} for anchor in titled
    )
    cut = sum(a.family == "other:surgery" and not a.hit.cues for a in anchors)
    surgery |= any(anchor.family == "other:surgery" for anchor in titled) and cut > 2
    in_title = _families(titled)
    if surgery or (
        not in_title
        and any(anchor.family.startswith("other:") and anchor.family != "other:epidurogram" for anchor in titled)
    ):
        return Session((), tuple(anchors), "injection", False, out_of_scope="title")
    told = [anchor for anchor in anchors if anchor.zone in {"body", "neutral", "addendum"}]
    exact = [a for a in told if a.hit.value != "epidural"]
    worked = min((s.index for s in reading.sentences if s.zone == "body" and "needlework" in s.cues), default=1 << 30)
    sided = {hit.sentence for hit in reading.sides}
    done = [a for a in exact if a.zone == "body" or (a.hit.sentence > worked and a.hit.sentence in sided)]
    if done and all(a.hit.value in _BESIDE for a in done):
        imaged = {hit.sentence for hit in reading.imaging if hit.value not in {"diagnostic", "none"} and not hit.cues}
        done = [a for a in exact if a in done or (a.hit.sentence in imaged and not a.hit.cues)]  # what came before them
    in_body = _families(done) or _families(exact) or _families(told)
    families = (
        in_title or in_body or _families([a for a in anchors if a.zone == "impression" and a.hit.value in PROCEDURAL])
    )
    told_others = [a for a in told if a.family.startswith("other:") and a.family != "other:epidurogram"]
    operated = sum(a.family == "other:surgery" and a.zone == "body" and not a.hit.cues for a in told) > 1
    if not in_title and told_others and (operated or not _specific(told)):
        families = ()
    if in_title or families:
        families += tuple(family for family in _families(_done_beside(reading, told)) if family not in families)
    if families:
        families += tuple(family for family in _families(_ticked(reading, told)) if family not in families)
    families = _settle_epidurals(families, told)
    block_title = any(a.hit.value in {"medial_branch_block", "facet_injection"} for a in titled)
    if block_title:
        told = [a for a in told if a.family != "technique" or "needlework" in cues[a.hit.sentence]]
    geared = any(s.cues & {"heat", "rf_gear"} for s in reading.sentences if s.zone in {"body", "neutral"})
    if not geared:
        told = [a for a in told if a.family != "technique" or a.hit.value not in _BURNS]  # only spoken of
    burnt = [
        replace(a, hit=replace(a.hit, value="thermal_rf"), family="technique")
        for a in titled
        if a.hit.value == "sacral_lateral_branch" and _BURNT.search(reading.text, a.hit.start, a.hit.end)
    ]  # "SIJ RFA" names kind and technique in one word
    technique, cooled, mixed = _technique(
        [*titled, *burnt], [*told, *_hot(reading, told)], {hit.sentence for hit in reading.levels}, cues
    )
    if technique == "injection" and not block_title and _lesioned(reading):
        technique = "thermal_rf"
    return Session(tuple(families), tuple(anchors), technique, cooled, mixed_technique=mixed)


def _empty_rows(reading: Reading) -> frozenset[int]:
    """Rows of a form in which nothing is ticked, while another row that names a target has a tick: "A  FACET [ ] IA
    [ ] MBB | C  SI JOINT [X] Intra-articular"."""
    boxed = {s.index: s.cues & {"checked", "unchecked"} for s in reading.sentences if s.cues & {"checked", "unchecked"}}
    if len(boxed) < _FORM:
        return frozenset()
    named = {hit.sentence for hit in reading.targets if hit.value in FAMILY_OF}
    if not any("checked" in boxed[index] for index in named & boxed.keys()):
        return frozenset()
    leveled = {hit.sentence for hit in reading.levels}
    return frozenset(
        index
        for index, ticks in boxed.items()
        if ticks == {"unchecked"}
        and index not in leveled
        and len(_EMPTY.findall(reading.text, reading.sentences[index].start, reading.sentences[index].end)) > 1
    )


def _lesioned(reading: Reading) -> bool:
    """True where the body tells of lesions made with heat, whatever they are called: "two lesions of 80 degrees Celsius
    for ninety seconds were made at each site"."""
    body = [s for s in reading.sentences if s.zone in {"body", "neutral"} and not s.cues & _OTHER_DAY]
    if any("lesion_dose" in s.cues for s in body):  # "80 C x 90 sec": nothing else is done at such a heat for so long
        return True
    geared = [s for s in reading.sentences if "rf_gear" in s.cues and s.zone in {"body", "neutral"}]
    tools = [s for s in geared if "heat" not in s.cues]  # the tube is turned by degrees too
    return len(geared) > 1 and bool(tools) and any("heat" in s.cues and not s.cues & _OTHER_DAY for s in geared)


def _is_caudal(anchor: Anchor) -> bool:
    return anchor.hit.value == "caudal_word" and anchor.zone == "title"


def _done_beside(reading: Reading, told: list[Anchor]) -> list[Anchor]:
    """Joints that the title leaves out and a sentence of the body tells in full: entered, and a drug given."""
    drugged = drugged_sentences(reading)
    sided = {hit.sentence for hit in reading.sides}
    leveled = {hit.sentence for hit in reading.levels if not hit.cues}
    imaged = {hit.sentence for hit in reading.imaging if hit.value != "diagnostic" and not hit.cues}
    return [
        anchor
        for anchor in told
        if (anchor.hit.value in _BESIDE and _needled_next(reading, anchor, drugged, imaged))
        or (anchor.hit.value == "epidural_transforaminal" and _foramen_next(reading, anchor, drugged))
        or (
            anchor.hit.value in _FACET_BLOCKS
            and anchor.zone == "body"
            and not anchor.hit.cues
            and anchor.hit.sentence in drugged & leveled
            and reading.sentences[anchor.hit.sentence].cues & _ACTS
            and not reading.sentences[anchor.hit.sentence].cues & _OTHER_DAY
        )
        or anchor.hit.value in _BESIDE
        and anchor.zone == "body"
        and {anchor.hit.sentence, anchor.hit.sentence + 1} & drugged
        and (
            reading.sentences[anchor.hit.sentence].cues >= {"needlework", "performed"}
            or (
                "needlework" in reading.sentences[anchor.hit.sentence].cues
                and (anchor.hit.value == "trigger_point" or anchor.hit.sentence in sided)
            )
        )
    ]


def _ticked(reading: Reading, told: list[Anchor]) -> list[Anchor]:
    """What stands right behind a tick in a list of procedures: "[ ] MBB   [X] ESI-IL   [X] TPI"."""
    return [
        a
        for a in told
        if a.hit.boxed == "checked"
        and a.zone in {"body", "neutral"}
        and not a.hit.cues & _OTHER_DAY
        and _TICK.search(reading.text, max(0, a.hit.start - _TICK_REACH), a.hit.start)
    ]


def _needled_next(reading: Reading, anchor: Anchor, drugged: Collection[int], imaged: Collection[int]) -> bool:
    """True for what is named on its own and needled in the sentences after: "Next came the trigger points. I marked one
    in the right piriformis. Each was injected with 1 mL of lidocaine." A sacroiliac joint must have been imaged.
    """
    begin = anchor.hit.sentence
    if anchor.hit.cues or anchor.zone not in {"body", "neutral"}:
        return False
    if begin and reading.sentences[begin].cues & {"historical", "planned", "negated", "exam", "finding"}:
        return False
    if anchor.hit.value == "sacroiliac_joint" and begin not in imaged:
        return False
    following = reading.sentences[begin + 1 : begin + 4]
    leveled = {hit.sentence for hit in reading.levels}
    if any(s.index in leveled for s in following):
        return False
    given = any(s.index in drugged and s.zone in {"body", "neutral"} for s in following)
    return given and any(s.zone == "body" and "needlework" in s.cues for s in following)


def _foramen_next(reading: Reading, anchor: Anchor, drugged: Collection[int]) -> bool:
    """True for "We started with the transforaminal. A needle was introduced to the L5-S1 foramen. ... Dexamethasone was
    injected": named, a foramen needled, a drug given before another thing is named."""
    if anchor.hit.cues or anchor.zone not in {"body", "neutral"}:
        return False
    begin = anchor.hit.sentence
    following = reading.sentences[begin : begin + _FORAMEN_REACH]
    entered = {hit.sentence for hit in reading.levels if hit.mention.noun in _FORAMINA and not hit.cues}
    needled = any(s.zone == "body" and "needlework" in s.cues and s.index in entered for s in following)
    return needled and any(s.index in drugged and s.zone in {"body", "neutral"} for s in following)


def _hot(reading: Reading, told: list[Anchor]) -> list[Anchor]:
    """Lesions told with their temperature: radiofrequency, however little else the note says of it."""
    return [
        replace(anchor, zone="body")
        for anchor in told
        if anchor.zone == "neutral"
        and anchor.family == "technique"
        and not anchor.hit.cues
        and reading.sentences[anchor.hit.sentence].cues & {"heat"}
    ]


def is_technique(value: str) -> bool:
    """True for a target that names how a nerve or joint was treated (radiofrequency, neurolysis, plasma)."""
    return value in _TECHNIQUES


def _kind(value: str) -> str:
    if value in _TECHNIQUES:
        return "technique"
    if value == "intra_articular":
        return "joint"
    if value.startswith("intent:"):
        return "intent"
    return FAMILY_OF.get(value, value)


def _families(anchors: list[Anchor]) -> tuple[Family, ...]:
    found: dict[Family, None] = {}
    for anchor in anchors:
        if anchor.hit.value in FAMILY_OF:
            found[FAMILY_OF[anchor.hit.value]] = None
    return tuple(found)


def _specific(anchors: list[Anchor]) -> bool:
    return any(anchor.hit.value in FAMILY_OF for anchor in anchors)


def _settle_epidurals(families: tuple[Family, ...], told: list[Anchor]) -> tuple[Family, ...]:
    """The general word "epidural" means the approach that the note names elsewhere."""
    approaches = [family for family in families if family in _EPIDURALS]
    if "interlaminar" in approaches and len(approaches) > 1:
        named = any(anchor.hit.value == "epidural_interlaminar" for anchor in told)
        if not named:
            return tuple(family for family in families if family != "interlaminar")
    if approaches == ["interlaminar"]:
        named_in_body = {anchor.hit.value for anchor in told}
        if "epidural_interlaminar" not in named_in_body:
            for value, family in (("epidural_transforaminal", "transforaminal"), ("epidural_caudal", "caudal")):
                if value in named_in_body:
                    return tuple(family if f == "interlaminar" else f for f in families)  # type: ignore[misc]
    return families


def _technique(
    titled: list[Anchor], told: list[Anchor], leveled: set[int], here: Sequence[frozenset[str]]
) -> tuple[Technique, bool, bool]:
    title = {anchor.hit.value for anchor in titled}
    body = {anchor.hit.value for anchor in told if anchor.zone == "body" and not anchor.hit.cues & {"planned"}}
    cooled = "cooled_rf" in title | body
    if "cold_or_laser" in title or ("cold_or_laser" in body and not title & _BURNS):
        return "cold_or_laser", False, False
    if "pulsed_rf" in title:
        return "pulsed_rf", cooled, "thermal_rf" in title
    named_pulsed = any(a.hit.value == "pulsed_rf" and "needlework" in a.hit.cues | here[a.hit.sentence] for a in told)
    if title & {"thermal_rf", "cooled_rf"} and not named_pulsed:
        lesioned = {a.hit.sentence for a in titled if a.family == "technique"}
        blocked_too = any(
            a.hit.value in {"medial_branch_block", "facet_injection"}
            and not a.hit.cues
            and a.hit.sentence in leveled - lesioned
            for a in titled
        )
        return "thermal_rf", cooled, blocked_too
    if "prp" in title:
        return "prp", False, False
    if "chemical_neurolysis" in title | body:
        return "chemical_neurolysis", False, False
    if "pulsed_rf" in body:
        return "pulsed_rf", cooled, False
    if body & {"thermal_rf", "cooled_rf"}:
        return "thermal_rf", cooled, False
    if "prp" in body:
        return "prp", False, False
    return "injection", False, False
