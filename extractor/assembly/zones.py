"""What each sentence is worth: the zone of a sentence decides which of its facts may support a code.

Zones: title (names what was done), planned (names what was to be done), body (tells what was done), neutral (no cue; supports a
title-like statement), addendum, and the silent ones (history, plan, consent, finding, exam, diagnosis, teaching, ...), from which no
line is ever made (ruling "Status": history, plan, consent, risks, teaching sentences, findings and template residue).
"""

from __future__ import annotations

from dataclasses import replace

from extractor.mentions import Reading, Sentence

SPEAKING = frozenset({"title", "body", "neutral", "addendum"})
_FREE = frozenset({"", "body", "comment", "complications", "timeout", "prep", "contrast", "skin", "injectate", "sedation", "anesthesia", "findings", "impression", "numbering"})
_LEAVABLE = frozenset({"history", "indication", "consent", "exam", "imaging_findings", "diagnosis", "medications", "allergies", "admin", "teaching", "timeout"})


def with_zones(reading: Reading) -> Reading:
    """The reading with a zone in every sentence."""
    zoned: list[Sentence] = []
    started = False  # a paragraph of the body has begun although its header says otherwise
    open_paragraph = -1
    has_level = {hit.sentence for hit in reading.levels}
    has_target = {hit.sentence for hit in reading.targets if not hit.value.startswith(("other:", "intent:", "region:"))}
    diagnostic = {hit.sentence for hit in reading.imaging if hit.value == "diagnostic"}
    naming = _naming_sections(reading)
    for sentence in reading.sentences:
        kind = sentence.kind
        if kind == "title" and (sentence.section, sentence.header_paragraph) not in naming:
            kind = ""
        if kind in _LEAVABLE and sentence.paragraph > sentence.header_paragraph:
            if started and sentence.paragraph == open_paragraph:
                kind = ""
            elif _starts_body(sentence):
                started, open_paragraph, kind = True, sentence.paragraph, ""
            elif started and sentence.paragraph > open_paragraph:
                kind = ""
        zone = _zone(sentence, kind, sentence.index in has_level, sentence.index in has_target, sentence.index in diagnostic)
        zoned.append(replace(sentence, zone=zone))
    return reading.with_sentences(zoned)


def _naming_sections(reading: Reading) -> set[tuple[str, int]]:
    """Title sections that name a procedure in their first two sentences; others are running text under such a header."""
    seen: dict[tuple[str, int], int] = {}
    named = {hit.sentence for hit in reading.targets if not hit.value.startswith(("intent:", "region:"))}
    levels = {hit.sentence for hit in reading.levels}
    naming = set()
    for sentence in reading.sentences:
        if sentence.kind != "title":
            continue
        key = (sentence.section, sentence.header_paragraph)
        seen[key] = seen.get(key, 0) + 1
        if seen[key] <= 3 and "needlework" not in sentence.cues and (sentence.index in named or sentence.index in levels):
            naming.add(key)
    return naming


def _starts_body(sentence: Sentence) -> bool:
    return "needlework" in sentence.cues and not sentence.cues & {"historical", "planned"}


def _zone(sentence: Sentence, kind: str, level: bool, target: bool, diagnostic: bool) -> str:
    cues = sentence.cues
    strong, weak = "needlework" in cues, "performed" in cues
    past, coming = "historical" in cues, "planned" in cues
    if kind == "title":
        return "body" if strong and not sentence.first_in_section else "title"
    if kind in {"planned", "laterality", "guidance", "addendum"}:
        return kind
    if kind == "diagnosis":
        return "diagnosis"
    if kind in {"plan", "discharge"}:
        return "body" if strong and "today" in cues and not coming else kind
    if kind in {"history", "indication"}:
        return "body" if strong and "today" in cues and not past else kind
    if kind not in _FREE:
        return kind
    if "teaching" in cues and not (strong and level):
        return "teaching"
    if "consent" in cues and not (strong and level):
        return "consent"
    if strong:
        if past and not weak and not level:
            return "body"
        if (past or coming) and _outweighed(cues, kind):
            return "history" if past else "plan"
        return "body"
    if kind == "impression":
        return "impression" if not coming else "plan"
    if coming and "today" not in cues:
        return "plan"
    if past and "today" not in cues:
        return "history"
    if ("finding" in cues or diagnostic) and not (weak and target):
        return "finding"
    if "exam" in cues and not weak:
        return "exam"
    if weak:
        return "body"
    if kind in {"findings", "complications"}:
        return kind
    return "neutral"


def _outweighed(cues: frozenset[str], kind: str) -> bool:
    """In running text without a body header, needle words next to a past or future cue tell of another day."""
    return kind != "body" and "today" not in cues and ("performed" not in cues or "historical" in cues and "planned" in cues)
