"""Which imaging guided the needle: never the diagnostic imaging of the history, never what was not available."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from extractor.mentions import Hit, Reading
from extractor.records import Span

_ZONES = frozenset(
    {
        "title",
        "body",
        "neutral",
        "guidance",
        "addendum",
        "impression",
        "contrast",
        "anesthesia",
        "timeout",
        "laterality",
        "comment",
        "complications",
        "prep",
        "findings",
        "injectate",
        "skin",
        "planned",
        "numbering",
    }
)
_NEEDS_ACT = frozenset(
    {"ct", "mri"}
)  # also names of diagnostic studies: outside a title they need an act in their sentence


_UNUSED = re.compile(r"\b(?:(?:did|do) not|didn.?t|never) us(?:e|ing)\b", re.IGNORECASE)
_FLUORO = re.compile(r"fluor|c-?arm|x-?ray", re.IGNORECASE)
_NEAR = 24  # characters before the name of the modality
_PLACE = re.compile(r"\s+(?:suite|room|table|lab|theatre)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Guidance:
    """Modalities used, with evidence; `denied` when the note says that none was used."""

    modalities: tuple[str, ...]
    evidence: tuple[Span, ...]
    denied: bool


def _is_place(reading: Reading, span: Span) -> bool:
    return _PLACE.match(reading.text, span.end) is not None


def _taken_back(reading: Reading, name: str) -> bool:
    """True for "... done under fluoro, no wait, we did not use fluoro at all": the use itself is denied."""
    return any(
        hit.value == name and "negated" in hit.cues and _UNUSED.search(reading.text, max(0, hit.start - _NEAR), hit.end)
        for hit in reading.imaging
        if reading.sentences[hit.sentence].zone in _ZONES
    )


def _denied_at_the_needle(reading: Reading, denials: Sequence[Hit]) -> bool:
    """True where a title or what was done says "without imaging"; a stray word does not outweigh it."""
    begun = next(
        (s.index for s in reading.sentences if s.zone == "body" and "needlework" in s.cues), len(reading.sentences)
    )
    return any(
        reading.sentences[hit.sentence].zone in {"title", "body"}
        or hit.boxed == "checked"
        or (reading.sentences[hit.sentence].zone == "neutral" and hit.sentence > begun)
        for hit in denials
    )


def _without_fluoroscopy(reading: Reading) -> bool:
    """True for "no fluoroscopy of any kind was used. Ultrasound only": said of the session, in title or body."""
    return any(
        hit.value == "none"
        and reading.sentences[hit.sentence].zone in {"title", "body", "guidance"}
        and _FLUORO.search(reading.text, hit.start, hit.end)
        for hit in reading.imaging
    )


def find(reading: Reading) -> Guidance:
    """The modalities used at this encounter."""
    used: dict[str, list[Span]] = {}
    told: set[str] = set()  # zones of the modalities used
    denied: list[Span] = []
    for hit in reading.imaging:
        sentence = reading.sentences[hit.sentence]
        if hit.value == "diagnostic" or hit.boxed == "unchecked" or sentence.zone not in _ZONES:
            continue
        if hit.value == "none":
            denied.append(Span(hit.start, hit.end, sentence.section))
            continue
        if "negated" in hit.cues:
            continue
        act = sentence.zone in {"title", "guidance"} or bool(sentence.cues & {"needlework", "performed"})
        act |= hit.boxed == "checked" or "guid" in reading.text[hit.start : hit.end].lower()  # "CT-guided"
        if (
            sentence.zone not in {"title", "guidance"}
            and hit.cues & {"historical", "planned"}
            and not sentence.cues & {"needlework", "today"}
        ):
            continue
        if hit.value in _NEEDS_ACT and not act:
            continue
        if sentence.zone == "neutral" and hit.cues & {"negated", "planned"}:
            continue
        told.add(sentence.zone)
        used.setdefault(hit.value, []).append(Span(hit.start, hit.end, sentence.section))
    if (
        "ct" in used
        and "fluoroscopy" in used
        and not any(reading.sentences[h.sentence].zone == "title" and h.value == "fluoroscopy" for h in reading.imaging)
    ):
        named = {h.value for h in reading.imaging if reading.sentences[h.sentence].zone == "title"}
        if "ct" in named:
            del used["fluoroscopy"]
        elif len(used["ct"]) < len(used["fluoroscopy"]):
            del used["ct"]
    if "ultrasound" in used and "fluoroscopy" in used and _without_fluoroscopy(reading):
        del used["fluoroscopy"]
    if len(used) > 1:
        for name in [name for name in used if _taken_back(reading, name)]:
            used.pop(name)
    felt = {hit.sentence + step for hit in reading.targets if hit.value == "trigger_point" for step in (0, 1)}
    denials = [hit for hit in reading.imaging if hit.value == "none" and hit.sentence not in felt]
    places = all(_is_place(reading, span) for spans in used.values() for span in spans)
    if denied and denials and (places or (told <= {"neutral"} and _denied_at_the_needle(reading, denials))):
        used = {}  # "she could not be brought to the fluoroscopy suite"
    order = [name for name in ("fluoroscopy", "ct", "ultrasound", "mri") if name in used]
    spans = [span for name in order for span in used[name]]
    return Guidance(tuple(order), tuple(spans) if order else tuple(denied), bool(denied) and not order)
