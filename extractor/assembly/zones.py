"""What each sentence is worth: the zone of a sentence decides which of its facts may support a code.

Zones: title (names what was done), planned (names what was to be done), body (tells what was done), neutral (no cue;
supports a title-like statement), addendum, and the silent ones (history, plan, consent, finding, exam, diagnosis,
teaching, ...), from which no line is ever made (ruling "Status": history, plan, consent, risks, teaching sentences,
findings and template residue).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection
from dataclasses import replace

from extractor.assembly.titles import NUMBERED, drugged_sentences, naming_sections
from extractor.mentions import Reading, Sentence
from extractor.text import brackets

_CONTAINERS = frozenset(
    {"title", "body", "history", "indication", "exam", "plan", "discharge", "impression", "findings"}
)
_FIELDS = frozenset(
    {
        "planned",
        "skin",
        "contrast",
        "anesthesia",
        "sedation",
        "prep",
        "guidance",
        "laterality",
        "complications",
        "timeout",
        "admin",
        "allergies",
        "injectate",
        "numbering",
        "comment",
    }
)
PROCEDURAL = frozenset(
    {
        "facet_injection",
        "medial_branch_block",
        "thermal_rf",
        "cooled_rf",
        "pulsed_rf",
        "epidural_transforaminal",
        "epidural_interlaminar",
        "epidural_caudal",
        "epidural",
    }
)
_SHORT_FIELDS = frozenset(
    {"skin", "contrast", "anesthesia", "sedation", "prep", "guidance", "complications", "timeout"}
)
SPEAKING = frozenset({"title", "body", "neutral", "addendum"})
_TELLING = frozenset(
    {
        "needlework",
        "historical",
        "planned",
        "finding",
        "exam",
        "consent",
        "teaching",
        "negated",
        "correction",
        "grid_row",
    }
)
_FREE = frozenset(
    {
        "",
        "body",
        "comment",
        "complications",
        "timeout",
        "prep",
        "contrast",
        "skin",
        "injectate",
        "sedation",
        "anesthesia",
        "findings",
        "impression",
        "numbering",
    }
)
_LEAVABLE = frozenset(
    {
        "history",
        "indication",
        "consent",
        "exam",
        "imaging_findings",
        "diagnosis",
        "medications",
        "allergies",
        "admin",
        "teaching",
        "timeout",
    }
)


_LISTS = frozenset({"medications", "allergies", "admin"})
_APART = frozenset(
    {"correction", "negated", "explained", "intended", "discontinued", "nothing_there", "consent", "teaching"}
)
_BESIDE = 2  # sentences on each side of one, among which there is needle work
_NEXT = 4  # sentences below an operation of old within which the procedure of today is named
_CLAUSE = 70  # longest clause that goes on with a title on its line
_STRETCH, _FULL = 6, 3  # of so many sentences so many tell of needle work
SIDE_FIELD = re.compile(r"(?:right|left|bilateral|both|rt|lt)(?: sides?)?\s*:", re.IGNORECASE)
_AGE = re.compile(r"\W*(?:pt |patient )?\d{1,3}[ -]?(?:y/?o\b|y\.o|yrs?\b|years?\b|[FM]\b)", re.IGNORECASE)
_INTRO = re.compile(
    r"(?:(?:so|ok|okay|alright|all right|um|uh|now) )*(?:this|here|that) is (?:a|an|the|for|our|my)\b", re.IGNORECASE
)
_VERB = re.compile(r"\b(?:is|was|are|were|has|had|have)\b", re.IGNORECASE)


def with_zones(reading: Reading) -> Reading:
    """The reading with a zone in every sentence, and with the kind of section that really governs it."""
    zoned: list[Sentence] = []
    has_level = {hit.sentence for hit in reading.levels}
    has_target = {hit.sentence for hit in reading.targets if not hit.value.startswith(("other:", "intent:", "region:"))}
    named_any = {hit.sentence for hit in reading.targets if not hit.value.startswith(("intent:", "region:"))}
    procedural = {hit.sentence for hit in reading.targets if hit.value in PROCEDURAL}
    surgical = {hit.sentence for hit in reading.targets if hit.value == "other:surgery" and not hit.cues}
    has_family = {hit.sentence for hit in reading.targets if hit.value in PROCEDURAL or hit.value == "facet_joint"}
    first_procedural = {hit.sentence: hit.start for hit in reversed(reading.targets) if hit.value in PROCEDURAL}
    nerved = {hit.sentence for hit in reading.targets if hit.value in {"medial_branch", "medial_branch_block"}}
    asides = brackets(reading.text)
    diagnostic = {
        hit.sentence for hit in reading.imaging if hit.value == "diagnostic" and not _within(asides, hit.start)
    }
    naming = naming_sections(reading)
    drugged = drugged_sentences(reading)
    left = False  # the text has left its section although no header says so
    container = ""  # the last kind that can hold field lines ("Skin: ...") within it
    done_in_plan = False
    bare_header = False  # the header stood alone: the next sentence is the first of its field
    worked = _worked(reading)
    first_worked = min(worked, default=0)
    bodied = False  # a sentence of the body has been met
    for sentence in reading.sentences:
        bodied = bodied or bool(zoned) and zoned[-1].zone == "body"
        opens = sentence.first_in_section or bare_header
        bare_header = sentence.first_in_section and sentence.end - sentence.start <= len(sentence.section) + 4
        bare_header &= reading.text[sentence.end - 1] == ":" or reading.text[sentence.end : sentence.end + 1] in (
            "\n",
            ":",
        )
        if sentence.first_in_section:
            left = done_in_plan = False
            container = container if sentence.kind in _FIELDS else ""
        kind = sentence.kind
        if kind == "study":
            kind = "title" if (sentence.section, sentence.header_paragraph) in naming else "exam"
        if kind == "title" and not naming.get((sentence.section, sentence.header_paragraph), -1) >= sentence.index:
            kind = ""
        if kind == "diagnosis" and sentence.spoken and not sentence.first_in_section:
            kind = ""  # a diagnosis that was only spoken ends with its clause
        if kind == "title" and "exam" in sentence.cues and sentence.index not in procedural:
            kind = "exam"
        if kind in _CONTAINERS and not left:
            container = kind if kind != "title" else ""
        if (
            kind in _FIELDS
            and not opens
            and (
                kind in _SHORT_FIELDS
                or sentence.spoken
                or sentence.line > sentence.header_line
                or "needlework" in sentence.cues
            )
        ):
            apart = sentence.paragraph > sentence.header_paragraph or kind == "planned"
            kind = "" if container in _LEAVABLE and apart else container
        early = kind == "plan" and not bodied
        if early and not left and (sentence.index in worked or _leaves(sentence, False, False)):
            left = True  # "Plan: L L4-5 facet inj" at the head of the note, and what was done below it
            container = ""
        elif early and not left and sentence.index < first_worked and sentence.index in has_target:
            kind = "planned"
        if kind == "plan" and left:
            kind = ""
        boxed = kind in _LISTS and sentence.paragraph > sentence.header_paragraph and sentence.index in has_target
        boxed &= bool(sentence.cues & {"checked", "unchecked"})  # a template's choices below an imported list
        injecting = kind == "imaging_findings" and sentence.index in drugged and "performed" in sentence.cues
        if (
            kind in _LEAVABLE
            and not left
            and (injecting or boxed or _leaves(sentence, sentence.index in worked, sentence.index in has_level))
        ):
            left = True
            container = ""
            _release(zoned, sentence)
        if left and kind in _LEAVABLE:
            kind = ""
        if (
            kind == "exam"
            and "exam" not in sentence.cues
            and sentence.index < 3
            and sentence.first_in_section
            and sentence.index in procedural
        ):
            kind = "title"
            zoned.append(replace(sentence, zone="title", kind=kind))
            continue
        target = sentence.index in has_target
        listed = NUMBERED.match(reading.text, sentence.start) is not None
        fresh = sentence.index < (5 if listed else 3) and (listed or not bodied)
        known = sentence.index in has_target or sentence.index < 2
        intro = _INTRO.match(reading.text, sentence.start)  # "this is a lumbar facet block dictation"
        telling = _VERB.search(reading.text, intro.end() if intro else sentence.start, sentence.end) is not None
        opening = (
            (sentence.index == 0 or not naming)
            and not (telling and (sentence.index not in has_family or sentence.index > 0))
            and not _AGE.match(reading.text, sentence.start)
            and fresh
            and known
            and sentence.start < 300
            and (kind == "" and sentence.section == "" or kind == "body" and listed and sentence.header_line == 0)
            and sentence.index in named_any
            and sentence.index not in diagnostic
        )
        named_first = (
            opening and sentence.index < 3 and sentence.start + 60 > first_procedural.get(sentence.index, 1 << 30)
        )
        allowed = {"finding", "historical"} if "opener" in sentence.cues else {"finding"}
        operated = (
            kind == ""
            and not telling
            and sentence.index < 3
            and sentence.index in surgical
            and sentence.index not in has_family
            and not any(index in procedural for index in range(sentence.index + 1, sentence.index + _NEXT))
            and not _AGE.match(reading.text, sentence.start)
        )
        if (named_first or operated) and not sentence.cues & (_TELLING - allowed):
            zoned.append(replace(sentence, zone="title"))  # "transforaminal epidurals ... for radiculopathy"
            continue
        headline = sentence.index == 0 and not telling and reading.text[sentence.end : sentence.end + 1] == "\n"
        silent = _TELLING if headline else _TELLING | {"performed"}  # "SIJ INJ LT - ASC"
        if opening and sentence.end - sentence.start < 160 and not sentence.cues & silent:
            zoned.append(replace(sentence, zone="title"))
            continue
        if kind in {"plan", "impression"} and "planned" not in sentence.cues:
            if (
                "today" in sentence.cues
                and (target or sentence.cues & {"performed", "headed_performed"})
                and "historical" not in sentence.cues
            ):
                done_in_plan = True
            if (
                sentence.index in drugged
                and sentence.cues >= {"needlework", "performed"}
                and not sentence.cues & {"historical", "explained", "consent"}
            ):
                done_in_plan = True
            if done_in_plan:
                zoned.append(replace(sentence, zone="body", kind="body"))
                continue
        if (
            sentence.index in drugged
            and sentence.cues & {"performed", "generic", "each"}
            and kind in _FREE
            and "historical" not in sentence.cues
        ):
            sentence = replace(sentence, cues=sentence.cues | {"needlework"})
        goes_on = (
            bool(zoned)
            and zoned[-1].zone == "title"
            and zoned[-1].section == sentence.section
            and kind == zoned[-1].kind
        )
        if goes_on and target and reading.text[sentence.start].islower() and not sentence.cues & _TELLING:
            zoned.append(replace(sentence, zone="title", kind=kind))
            continue
        clause = bool(zoned) and zoned[-1].zone == "title" and reading.text[zoned[-1].end - 1] == ";"
        if clause and kind == zoned[-1].kind and sentence.index in has_level and not telling:
            if sentence.end - sentence.start <= _CLAUSE and not sentence.cues & (_TELLING - {"negated"}):
                zoned.append(replace(sentence, zone="title"))  # "... L4-5 R + L; L5-S1 L only"
                continue
        if kind == "title" and listed and sentence.end - sentence.start < 160:
            zoned.append(replace(sentence, zone="title", kind=kind))
            continue
        announced = bool(zoned) and (zoned[-1].zone == "title" or zoned[-1].cues >= {"performed", "today"})
        if listed and announced and kind in {"", "title"} and sentence.index in procedural and not telling:
            if sentence.index in has_level and sentence.end - sentence.start < 160 and not sentence.cues & _TELLING:
                zoned.append(replace(sentence, zone="title", kind=kind))  # "Two procedures were done: 1. ... 2. ..."
                continue
        if sentence.index in nerved & has_level and SIDE_FIELD.match(reading.text, sentence.start):
            # "Right side: L3 and L4 medial branches only, as there is no tenderness below": nerves are not examined
            sentence = replace(sentence, cues=sentence.cues - {"exam", "finding"})
        treated = bool(zoned) and zoned[-1].zone == "body" and zoned[-1].cues >= {"performed", "today"}
        if treated and sentence.index in drugged and sentence.index in procedural and "needlework" in sentence.cues:
            sentence = replace(
                sentence, cues=sentence.cues - {"historical"}
            )  # "He had left facet joint injections ..."
        zone = _zone(
            sentence,
            kind,
            sentence.index in has_level,
            target,
            sentence.index in diagnostic,
            sentence.index in procedural,
        )
        zoned.append(replace(sentence, zone=zone, kind=kind))
    return reading.with_sentences(_smoothed(zoned, has_level, drugged))


def _smoothed(zoned: list[Sentence], has_level: Collection[int], drugged: Collection[int]) -> list[Sentence]:
    """Needle work between needle work is of the same session, whatever word of another day stands beside it: "... MD
    states joint filled" in a log, "so that the cannulae might lie parallel" in a body."""
    result = list(zoned)
    for index in range(1, len(zoned) - 1):
        sentence = zoned[index]
        if sentence.zone not in {"history", "plan"} or sentence.kind not in _FREE:
            continue
        given = index in drugged and sentence.cues & {"each", "performed", "handled"}
        if not ("needlework" in sentence.cues or given) or sentence.cues & _APART:
            continue
        near = zoned[max(0, index - _BESIDE) : index], zoned[index + 1 : index + 1 + _BESIDE]
        if all(any(_works(s) for s in side) for side in near):
            result[index] = replace(sentence, zone="body", cues=sentence.cues - {"historical", "planned"})
    return result


def _works(sentence: Sentence) -> bool:
    return sentence.zone == "body" and "needlework" in sentence.cues


def _within(asides: list[tuple[int, int]], offset: int) -> bool:
    """True for what is said in brackets only."""
    place = bisect_right(asides, (offset, 1 << 60)) - 1
    return place >= 0 and asides[place][0] <= offset < asides[place][1]


def _release(zoned: list[Sentence], sentence: Sentence) -> None:
    """The paragraph that turns out to be a body began before its first needle: its plain sentences are released too."""
    if sentence.paragraph == sentence.header_paragraph:
        return
    for index in range(len(zoned) - 1, -1, -1):
        earlier = zoned[index]
        if earlier.paragraph != sentence.paragraph or earlier.section != sentence.section:
            return
        if earlier.zone == earlier.kind and not earlier.cues & {"historical", "planned", "consent", "finding", "exam"}:
            zoned[index] = replace(earlier, zone="neutral", kind="")


def _worked(reading: Reading) -> frozenset[int]:
    """Sentences with needle work at the head of a stretch that is full of it: a body, whatever header is above.

    Guidance and the wash of the skin count as such work too.
    """
    sentences = reading.sentences
    guided = {hit.sentence for hit in reading.imaging if hit.value not in {"diagnostic", "none"} and not hit.cues}
    starts = [s.start for s in sentences]
    washed = {bisect_right(starts, hit.start) - 1 for hit in reading.agents if hit.drug_class == "prep"}
    plain = [
        ("needlework" in s.cues or s.index in guided | washed)
        and not s.cues & {"historical", "planned", "exam", "consent", "negated", "explained"}
        for s in sentences
    ]
    return frozenset(s.index for s in sentences if plain[s.index] and sum(plain[s.index : s.index + _STRETCH]) >= _FULL)


def _leaves(sentence: Sentence, working: bool, level: bool) -> bool:
    """True for the first sentence of a body that stands under a header such as "Consent" or "Medications" without
    one of its own; `working`: it begins a stretch of needle work; `level`: it holds a level."""
    if sentence.cues & {"historical", "planned", "explained"}:
        return False
    if sentence.cues >= {"performed", "today"} and "exam" not in sentence.cues and sentence.line > sentence.header_line:
        return True
    if working and (sentence.line > sentence.header_line or sentence.kind in _FIELDS):
        return True
    if "needlework" not in sentence.cues:
        return False
    if sentence.spoken and not sentence.first_in_section:
        return True
    if sentence.paragraph > sentence.header_paragraph:
        return True
    if sentence.kind in {"consent", "timeout"} and "consent" not in sentence.cues:
        return True
    if level and not sentence.cues & {"finding", "exam", "negated"} and sentence.line > sentence.header_line:
        return True  # "#1: prone, 22G to L L5-S1 foramen" on a line below "Hx: ..."
    return sentence.line > sentence.header_line and sentence.kind not in {"history", "indication", "exam"}


def _zone(sentence: Sentence, kind: str, level: bool, target: bool, diagnostic: bool, procedural: bool) -> str:
    cues = sentence.cues
    strong, weak = "needlework" in cues, bool(cues & {"performed", "handled", "located"})
    ticked = level and "checked" in cues  # a ticked line tells of today whatever it says behind the box
    past, coming = "historical" in cues and not ticked, "planned" in cues and not ticked
    if kind == "title" and not procedural and ("numbering" in cues or (diagnostic and level)):
        return "numbering"
    if kind == "title" and not procedural and "finding" in cues and not sentence.first_in_section:
        return "finding"
    if kind == "title":
        return (
            "body"
            if strong and (not sentence.first_in_section or (level and target and "performed" in cues))
            else "title"
        )
    if (
        kind == "body"
        and target
        and not strong
        and not weak
        and sentence.first_in_section
        and sentence.end - sentence.start < 160
        and not cues & _TELLING
    ):
        return "title"
    if kind == "guidance" and level and (strong or target):
        return "body"
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
    if "explained" in cues and "today" not in cues:
        return "consent"
    if "teaching" in cues and not (strong and level):
        return "teaching"
    if "numbering" in cues and not strong:
        return "numbering"
    if "intended" in cues and not strong and not weak:
        return "planned"
    if "consent" in cues and not ((strong or "performed" in cues) and (level or "after_consent" in cues)):
        return "consent"
    if cues >= {"nothing_there", "performed"} and level and not coming:
        return "body"  # "then the right L5-S1, tried from below, could not get in, nothing injected at that level"
    if strong:
        if past and not weak and not level:
            return "body"
        if (past or coming) and _outweighed(cues, kind):
            return "history" if past else "plan"
        return "body"
    if kind == "impression":
        if coming:
            return "plan"
        return "finding" if ("finding" in cues or diagnostic) and not procedural else "impression"
    # "... ablation last year, and nothing was needed there today" tells of last year
    today = "today" in cues and not cues & {"negated", "nothing_there"}
    if coming and not today:
        return "plan"
    if past and not today:
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
    return (
        kind != "body"
        and "today" not in cues
        and ("performed" not in cues or "historical" in cues and "planned" in cues)
    )
