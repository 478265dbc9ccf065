"""What was diagnosed or agreed to on one side and done on the other: the body is coded, and the side is asked
(ruling 7: the body governs over indication and consent, a difference goes to review)."""

from __future__ import annotations

import re

from extractor.assembly.facet import Facets
from extractor.assembly.sides import OPPOSITE
from extractor.assembly.sites import joints_of
from extractor.levels import as_joints
from extractor.mentions import Reading, Sentence
from extractor.records import Flag, Span

_LATER = re.compile(
    r"\b(?:bring \w+ back|comes? back|return\w*|next|later|another (?:day|visit)|again)\b", re.IGNORECASE
)
_SHORT = 120  # longest sentence in which a side alone tells what was agreed to
_OTHER_DAY = frozenset({"historical", "planned", "finding", "negated", "exam"})


def doubts(reading: Reading, found: Facets) -> tuple[Flag, ...]:
    """A side_conflict where diagnosis, consent or a field for the side speak only of the side that was not treated."""
    joints = joints_of(found.joints, found.nerves)
    done = set(joints.values())
    if len(done) != 1 or not done <= set(OPPOSITE) or any(flag.query == "side_conflict" for flag in found.flags):
        return ()
    (side,) = done
    said = {"diagnosis": set[str](), "consent": set[str](), "planned": set[str](), "laterality": set[str]()}
    spans: list[Span] = []
    for hit in reading.sides:
        sentence = reading.sentences[hit.sentence]
        if sentence.zone not in said or hit.boxed == "unchecked" or "negated_side" in hit.cues:
            continue
        if sentence.cues & {"historical", "negated"} or "historical" in hit.cues:
            continue
        if sentence.zone == "planned" and _LATER.search(reading.text, sentence.start, sentence.end):
            continue  # "we will bring her back for the right"
        if sentence.zone == "diagnosis" and "planned" in sentence.cues:
            continue  # "right side if it ever needs it"
        if sentence.zone == "consent" and "consent" not in sentence.cues:
            continue  # what was talked about may be for another day
        if sentence.zone not in {"diagnosis", "laterality"} and not _agreed(reading, sentence, set(joints)):
            continue
        said[sentence.zone].add(hit.value)
        spans.append(Span(hit.start, hit.end, sentence.section))
    if any(values == {OPPOSITE[side]} for values in said.values()):
        return (Flag("side_conflict", tuple(spans)),)
    return ()


def _agreed(reading: Reading, sentence: Sentence, joints: set[str]) -> bool:
    """True for a consent or plan of today that names joints which were treated, or a side alone in few words."""
    named = [hit for hit in reading.levels if hit.sentence == sentence.index]
    if not named:
        return sentence.end - sentence.start <= _SHORT
    other = _OTHER_DAY - {"planned"} if sentence.zone == "planned" else _OTHER_DAY
    return any(joints & set(as_joints(hit.mention)) and not hit.cues & other for hit in named)
