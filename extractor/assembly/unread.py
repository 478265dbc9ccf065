"""What the body tells with needle work and for which nothing was read: it is asked about, never left out in silence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from extractor.agents import injectate_names
from extractor.assembly.families import FAMILY_OF
from extractor.mentions import Hit, LevelHit, Reading, Sentence
from extractor.records import Agent, Family, Flag, Procedure, Span
from extractor.rows import AssemblyRows, alternation

_ASKED: frozenset[Family] = frozenset({"sacroiliac_joint", "trigger_point", "transforaminal", "caudal"})
_ELSEWHERE = frozenset({"historical", "planned", "negated", "exam", "finding", "consent", "teaching", "nothing_there"})
_PLACE = re.compile(r"\s+(?:region|area|cleft|fold|crease|line|fascia|skin)\b", re.IGNORECASE)
# the nerves of the sacroiliac joint are told with the name of the joint
_SAME: dict[str, frozenset[str]] = {"sacroiliac_joint": frozenset({"sacral_lateral_branch"})}


_NOUNS = frozenset({"facet_joint", "medial_branch", "dorsal_ramus", "transverse_process", ""})
_LEAST_WORK = 2  # sentences with needle work


def asked(procedures: Sequence[Procedure], reading: Reading, rows: AssemblyRows) -> list[Procedure]:
    """The procedures, the first with a question (performed_unclear) for each such mention: of another target, or of a
    muscle that was needled."""
    read = {procedure.family for procedure in procedures}
    spans = []
    for hit in reading.targets:
        family = FAMILY_OF.get(hit.value)
        if family not in _ASKED or family in read or read & _SAME.get(family, frozenset()) or hit.boxed == "unchecked":
            continue
        sentence = reading.sentences[hit.sentence]
        if sentence.zone == "body" and "needlework" in sentence.cues and not (hit.cues | sentence.cues) & _ELSEWHERE:
            spans.append(Span(hit.start, hit.end, sentence.section))
    if "trigger_point" not in read:
        muscle = alternation(tuple(row.phrase for row in rows.muscles))
        spans += [
            Span(match.start(), match.end(), s.section)
            for s in reading.sentences
            if s.zone == "body" and "needlework" in s.cues and not s.cues & _ELSEWHERE
            for match in muscle.finditer(reading.text, s.start, s.end)
            if " " in match.group()
            and "multifid" not in match.group().lower()  # "prepped lumbar through gluteal"
            and _PLACE.match(reading.text, match.end()) is None
        ]
    spans += _passed_over(procedures, reading)
    if not spans or not procedures:
        return list(procedures)
    first = procedures[0]
    return [replace(first, flags=(*first.flags, Flag("performed_unclear", tuple(spans)))), *procedures[1:]]


def _passed_over(procedures: Sequence[Procedure], reading: Reading) -> list[Span]:
    """Levels that were sought right before needle work and that no procedure has: words of the past there ("I had ...
    lined up") may be the physician's way of telling the session."""
    treated = {site.site for procedure in procedures for site in (*procedure.joints, *procedure.nerves)}
    sentences = reading.sentences
    return [
        Span(level.start, level.end, sentences[level.sentence].section)
        for level in reading.levels
        if 0 < level.sentence < len(sentences) - 1
        and sentences[level.sentence].zone == "history"
        and "located" in sentences[level.sentence].cues
        and _works(sentences[level.sentence + 1])
        and sentences[level.sentence - 1].zone in {"body", "neutral", "prep", "skin"}
        and treated.isdisjoint(item.name for item in level.mention.items)
    ]


def _works(sentence: Sentence) -> bool:
    return sentence.zone == "body" and "needlework" in sentence.cues


def unnamed(reading: Reading, drugs: Sequence[Agent]) -> tuple[Procedure, ...]:
    """A facet procedure of unknown extent where needles were placed, a drug was given, a level or target of these
    families is named and nothing says which procedure it was; nothing where another kind of procedure is named."""
    zones = [s.zone for s in reading.sentences]
    work = sum(s.zone == "body" and "needlework" in s.cues for s in reading.sentences)
    if work < _LEAST_WORK or not injectate_names(drugs):
        return ()
    if any(hit.value.startswith("other:") and not hit.cues for hit in reading.targets):
        return ()
    speaking = {"body", "title", "neutral"}
    targets = [
        hit
        for hit in reading.targets
        if hit.value in FAMILY_OF and hit.value != "epidural" and not hit.cues and hit.boxed != "unchecked"
    ]
    mentions: list[Hit | LevelHit] = [*reading.levels, *targets]
    named = [
        Span(hit.start, hit.end, reading.sentences[hit.sentence].section)
        for hit in mentions
        if zones[hit.sentence] in speaking and not hit.cues and _of_these(hit)
    ]
    if not named:
        return ()
    flag = Flag("performed_unclear", tuple(named))
    return (Procedure(family="facet", agents=tuple(drugs), flags=(flag,), evidence=tuple(named)),)


def _of_these(hit: Hit | LevelHit) -> bool:
    return isinstance(hit, Hit) or hit.mention.noun in _NOUNS
