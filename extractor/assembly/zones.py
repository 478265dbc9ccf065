"""What each sentence is worth: the zone of a sentence decides which of its facts may support a code.

Zones: title (names what was done), planned (names what was to be done), body (tells what was done), neutral (no cue;
supports a title-like statement), addendum, and the silent ones (history, plan, consent, finding, exam, diagnosis,
teaching, ...), from which no line is ever made (ruling "Status": history, plan, consent, risks, teaching sentences,
findings and template residue).
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from extractor.assembly.governing import Governing
from extractor.assembly.seen import Seen
from extractor.assembly.titles import NUMBERED
from extractor.mentions import Reading, Sentence
from extractor.text import line_start

SPEAKING = frozenset({"title", "body", "neutral", "addendum"})
_SCAN = re.compile(
    r"\b(?:planning|scout|preliminary|limited|locali[sz]\w+|initial|pre-?procedur\w+)\s+(?:[\w-]+\s+){0,3}?"
    r"(?:scan|images?|ct|topogram)\b[^.;]{0,80}\b(?:demonstrat|show|reveal|confirm\w+ (?:marked|severe|moderate|mild))",
    re.IGNORECASE,
)
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
_ANNOUNCED = frozenset({"performed", "today"})  # "Two procedures were done today:"
_PLANS = frozenset({"plan", "impression"})
_APART = frozenset(
    {"correction", "negated", "explained", "intended", "discontinued", "nothing_there", "consent", "teaching"}
)
_FIRST, _FIRST_LISTED, _HEAD = 3, 5, 300  # sentences and characters at the head of a note
_SOON_AFTER = 3  # sentences behind a numbered item within which its needle is told of
_SOON = 60  # characters from the start of a sentence to the name of the procedure that it opens with
_HEADLINE = 48  # longest line that is a heading without a mark
_BEFORE_THE_ACT = frozenset(
    {"imaging_findings", "findings", "exam", "history", "indication", "medications", "allergies"}
)
_BESIDE = 2  # sentences on each side of one, among which there is needle work
_NEXT = 4  # sentences below an operation of old within which the procedure of today is named
_CLAUSE, _LONGEST_TITLE = 70, 160  # longest clause that goes on with a title on its line; longest title
SIDE_FIELD = re.compile(r"(?:right|left|bilateral|both|rt|lt)(?: sides?)?\s*:", re.IGNORECASE)
_COPIED = re.compile(r"\W{0,3}(?:copied|pulled|carried|imported|cloned|pasted)\b[^.:\n]{0,60}:", re.IGNORECASE)
_AGE = re.compile(r"\W*(?:pt |patient )?\d{1,3}[ -]?(?:y/?o\b|y\.o|yrs?\b|years?\b|[FM]\b)", re.IGNORECASE)


def with_zones(reading: Reading) -> Reading:
    """The reading with a zone in every sentence, and with the kind of section that really governs it."""
    seen = Seen.of(reading)
    governing = Governing(seen)
    zoned: list[Sentence] = []
    done_in_plan = False
    bodied = False  # a sentence of the body has been met
    copied = -1  # the paragraph below "copied from encounter of ...:"
    telling = seen.telling()
    plain: dict[str, str] = {}  # by the kind of section, the zone of a sentence that tells nothing
    for sentence in reading.sentences:
        bodied = bodied or bool(zoned) and zoned[-1].zone == "body"
        if sentence.first_in_section:
            done_in_plan = False
        kind, leaves = governing.kind_of(sentence, bodied)
        if leaves:
            _release(zoned, sentence)
        unmarked = copied < 0 and not done_in_plan and kind != "title"
        if unmarked and zoned and _is_plain(sentence, zoned[-1], telling):
            zone = plain.get(kind)
            if zone is None:
                zone = plain[kind] = _zone(seen, sentence, kind)
            zoned.append(sentence.in_zone(zone, kind))
            continue
        if sentence.paragraph == copied and not sentence.first_in_section:
            zoned.append(sentence._replace(zone="history"))
            continue
        if _named_in_exam(seen, sentence, kind):
            zoned.append(sentence._replace(zone="title", kind="title"))
            continue
        if _heads_needle_work(seen, sentence, kind, reading.sentences[sentence.index + 1 : sentence.index + 2]):
            zoned.append(sentence._replace(zone="title", kind="title"))
            continue
        after_plan = bool(zoned) and zoned[-1].zone == "plan"  # dictation that starts with the plan
        if not after_plan and _opens(seen, sentence, kind, bodied):
            zoned.append(sentence._replace(zone="title"))
            continue
        done_in_plan = done_in_plan or _done_in_plan(seen, sentence, kind)
        if done_in_plan and kind in _PLANS and "planned" not in sentence.cues:
            zoned.append(sentence._replace(zone="body", kind="body"))
            continue
        if "copied" in sentence.cues and _heads_copy(seen.text, sentence):
            copied = sentence.paragraph
            zoned.append(sentence._replace(zone="history"))
            continue
        copied = -1
        sentence = _with_needle(seen, sentence, kind)
        if zoned and _carries_on(seen, sentence, kind, zoned[-1]):
            zoned.append(sentence._replace(zone="title", kind=kind))
            continue
        sentence = _without_asides(seen, sentence, zoned)
        zoned.append(sentence.in_zone(_zone(seen, sentence, kind), kind))
    guided = frozenset(
        hit.sentence for hit in reading.imaging if hit.value not in {"diagnostic", "none"} and not hit.cues
    )
    return reading.with_sentences(_itemized(_headed(_smoothed(zoned, seen), seen, guided & seen.target), seen))


def _heads_copy(text: str, sentence: Sentence) -> bool:
    """True for "copied from encounter of 10/02:" and for ">> LAST PROCEDURE (auto-pulled)": a line of its own; and for
    a copy that follows on its line: "Copied from 9/30: ..."."""
    if text[sentence.end - 1] == ":" or _COPIED.match(text, sentence.start):
        return True
    signs = text[line_start(text, sentence.start) : sentence.start].strip() + text[sentence.start : sentence.start + 2]
    return text[sentence.end : sentence.end + 1] == "\n" and signs.startswith((">>", "--", "==", "##", "**"))


def _is_plain(sentence: Sentence, last: Sentence, telling: frozenset[int]) -> bool:
    """True for most sentences of most notes: nothing was read in one that decides a zone, and it carries nothing on.
    Its zone follows from the kind of its section alone, as the questions of `with_zones` would find one by one."""
    return not sentence.cues and sentence.index not in telling and last.zone != "title" and not last.cues >= _ANNOUNCED


def _named_in_exam(seen: Seen, sentence: Sentence, kind: str) -> bool:
    """True for the name of a study at the head of a note that names a procedure ("EXAM: CT-guided facet injection")."""
    if kind != "exam" or "exam" in sentence.cues:
        return False
    return sentence.index < _FIRST and sentence.first_in_section and sentence.index in seen.procedural


def _heads_needle_work(seen: Seen, sentence: Sentence, kind: str, following: Sequence[Sentence]) -> bool:
    """True for a procedure alone on its line below findings or a history, with needle work on the next: "LMBB #1 - lt |
    prone, drape"."""
    if kind not in _BEFORE_THE_ACT or sentence.index not in seen.procedural or sentence.cues & _TELLING:
        return False
    before = seen.text[line_start(seen.text, sentence.start) : sentence.start]
    own_line = not before.strip() and seen.text[sentence.end : sentence.end + 1] == "\n"
    short = sentence.end - sentence.start <= _HEADLINE and not sentence.first_in_section
    return own_line and short and any("needlework" in s.cues and s.line == sentence.line + 1 for s in following)


def _opens(seen: Seen, sentence: Sentence, kind: str, bodied: bool) -> bool:
    """True for a sentence at the head of a note that names what was done, although no header says so."""
    text, index = seen.text, sentence.index
    if index >= _FIRST_LISTED or index not in seen.named or seen.of_old(sentence):
        return False
    if index and text[sentence.start] == "-" and text[sentence.end : sentence.end + 8].lstrip().startswith("-"):
        return False  # one item of a log of several
    listed = NUMBERED.match(text, sentence.start) is not None
    telling = seen.tells(sentence)
    aged = _AGE.match(text, sentence.start) is not None
    opening = (
        (index == 0 or not seen.naming)
        and not (telling and (index not in seen.family or index > 0))
        and not aged
        and index < (_FIRST_LISTED if listed else _FIRST)
        and (listed or not bodied)
        and (index in seen.target or index < 2)
        and sentence.start < _HEAD
        and (kind == "" and sentence.section == "" or kind == "body" and listed and sentence.header_line == 0)
        and index not in seen.diagnostic
    )
    named_first = opening and index < _FIRST and sentence.start + _SOON > seen.first_procedural.get(index, 1 << 30)
    operated = (
        kind == ""
        and not telling
        and index < _FIRST
        and index in seen.surgical
        and index not in seen.family
        and not any(near in seen.procedural for near in range(index + 1, index + _NEXT))
        and not aged
    )
    allowed = {"finding", "historical"} if "opener" in sentence.cues else {"finding"}
    if (named_first or operated) and not sentence.cues & (_TELLING - allowed):
        return True  # "transforaminal epidurals ... for radiculopathy"
    headline = index == 0 and not telling and text[sentence.end : sentence.end + 1] == "\n"
    silent = _TELLING if headline else _TELLING | {"performed"}  # "SIJ INJ LT - ASC"
    return opening and sentence.end - sentence.start < _LONGEST_TITLE and not sentence.cues & silent


def _done_in_plan(seen: Seen, sentence: Sentence, kind: str) -> bool:
    """True where a plan or impression begins to tell what was done today."""
    cues = sentence.cues
    if kind not in _PLANS or "planned" in cues:
        return False
    named = sentence.index in seen.target or cues & {"performed", "headed_performed"}
    if "today" in cues and named and "historical" not in cues:
        return True
    given = sentence.index in seen.drugged and cues >= {"needlework", "performed"}
    return given and not cues & {"historical", "explained", "consent"}


def _with_needle(seen: Seen, sentence: Sentence, kind: str) -> Sentence:
    """A drug that was given tells of needle work, whatever the words."""
    given = sentence.index in seen.drugged and sentence.cues & {"performed", "generic", "each"}
    if given and kind in _FREE and "historical" not in sentence.cues:
        return sentence._replace(cues=sentence.cues | {"needlework"})
    return sentence


def _carries_on(seen: Seen, sentence: Sentence, kind: str, last: Sentence) -> bool:
    """True for a sentence that carries on the title before it: a wrapped line, a second clause, a numbered item."""
    text, index, cues = seen.text, sentence.index, sentence.cues
    titled = last.zone == "title" and kind == last.kind
    announced = last.zone == "title" or last.cues >= _ANNOUNCED
    if not (titled or announced or kind == "title"):
        return False
    short = sentence.end - sentence.start < _LONGEST_TITLE
    listed = NUMBERED.match(text, sentence.start) is not None
    if titled and last.section == sentence.section and index in seen.target and not cues & _TELLING:
        if text[sentence.start].islower():
            return True
    telling = seen.tells(sentence)
    if titled and text[last.end - 1] == ";" and index in seen.level and not telling:
        if sentence.end - sentence.start <= _CLAUSE and not cues & (_TELLING - {"negated"}):
            return True  # "... L4-5 R + L; L5-S1 L only"
    if kind == "title" and listed and short:
        return True
    if not (listed and announced and short and kind in {"", "title"}) or telling:
        return False
    return index in seen.procedural & seen.level and not cues & _TELLING  # "Two procedures were done: 1. ... 2. ..."


def _without_asides(seen: Seen, sentence: Sentence, zoned: Sequence[Sentence]) -> Sentence:
    """The sentence without cues that say nothing of the day on which it was done."""
    index = sentence.index
    if index in seen.nerved & seen.level and SIDE_FIELD.match(seen.text, sentence.start):
        # "Right side: L3 and L4 medial branches only, as there is no tenderness below": nerves are not examined
        sentence = sentence._replace(cues=sentence.cues - {"exam", "finding"})
    treated = bool(zoned) and zoned[-1].zone == "body" and zoned[-1].cues >= {"performed", "today"}
    if treated and index in seen.drugged & seen.procedural and "needlework" in sentence.cues:
        # "I treated this man today. He had left facet joint injections ..."
        sentence = sentence._replace(cues=sentence.cues - {"historical"})
    return sentence


def _smoothed(zoned: list[Sentence], seen: Seen) -> list[Sentence]:
    """Needle work between needle work is of the same session, whatever word of another day stands beside it: "... MD
    states joint filled" in a log, "so that the cannulae might lie parallel" in a body."""
    result = list(zoned)
    for index in range(1, len(zoned) - 1):
        sentence = zoned[index]
        if sentence.zone not in {"history", "plan"} or sentence.kind not in _FREE:
            continue
        given = index in seen.drugged and sentence.cues & {"each", "performed", "handled"}
        if not ("needlework" in sentence.cues or given) or sentence.cues & _APART:
            continue
        near = zoned[max(0, index - _BESIDE) : index], zoned[index + 1 : index + 1 + _BESIDE]
        if all(any(_works(s) for s in side) for side in near):
            result[index] = sentence._replace(zone="body", cues=sentence.cues - {"historical", "planned"})
    return result


def _headed(zoned: list[Sentence], seen: Seen, guided: Set[int]) -> list[Sentence]:
    """A line without a known header that names procedure and level before the first needle is the title of a note that
    has no other: "Case name   FACET JOINT INJECTION LEFT L4-5, L5-S1". It names what the body may contradict. `guided`:
    sentences that name a target and how it was reached ("R L4-5 facet jts, US guid: ...")."""
    begun = next((s.index for s in zoned if _works(s)), None)
    if begun is None or any(s.zone in {"title", "planned"} and s.index in seen.family for s in zoned):
        return zoned
    for sentence in zoned[:begun]:
        named = sentence.index in (seen.procedural | guided) & seen.level
        bare = sentence.zone == "body" and sentence.kind == "" and sentence.cues <= {"performed"}
        if not named or not (bare or sentence.zone == "neutral"):
            continue
        own_line = not seen.text[line_start(seen.text, sentence.start) : sentence.start].strip()
        if own_line and not seen.tells(sentence) and not sentence.cues & _TELLING:
            zoned[sentence.index] = sentence._replace(zone="title")
            break
    return zoned


def _itemized(zoned: list[Sentence], seen: Seen) -> list[Sentence]:
    """Numbered items that each name a procedure and are followed by its needle work are titles, where nothing else is:
    "1) facet jts: L3-4 IA both sides. 22G, ... | 2) R TF ESI at the L5-S1 foramen. 22G, ..."."""
    if any(s.zone in {"title", "planned"} and s.index in seen.family for s in zoned):
        return zoned
    items = [
        s
        for s in zoned
        if s.zone in {"neutral", "body"}
        and s.index in seen.target
        and s.end - s.start <= _LONGEST_TITLE
        and NUMBERED.match(seen.text, s.start)
        and not s.cues & (_TELLING - {"finding"})
        and any(n.zone == "body" and "needlework" in n.cues for n in zoned[s.index + 1 : s.index + 1 + _SOON_AFTER])
    ]
    if len(items) > 1:
        for item in items:
            zoned[item.index] = item._replace(zone="title")
    return zoned


def _works(sentence: Sentence) -> bool:
    return sentence.zone == "body" and "needlework" in sentence.cues


def _release(zoned: list[Sentence], sentence: Sentence) -> None:
    """The paragraph that turns out to be a body began before its first needle: its plain sentences are released too."""
    if sentence.paragraph == sentence.header_paragraph:
        return
    for index in range(len(zoned) - 1, -1, -1):
        earlier = zoned[index]
        if earlier.paragraph != sentence.paragraph or earlier.section != sentence.section:
            return
        if earlier.zone == earlier.kind and not earlier.cues & {"historical", "planned", "consent", "finding", "exam"}:
            zoned[index] = earlier._replace(zone="neutral", kind="")


def _zone(seen: Seen, sentence: Sentence, kind: str) -> str:
    cues = sentence.cues
    level, target = sentence.index in seen.level, sentence.index in seen.target
    diagnostic, procedural = sentence.index in seen.diagnostic, sentence.index in seen.procedural
    strong, weak = "needlework" in cues, bool(cues & {"performed", "handled", "located"})
    ticked = level and "checked" in cues  # a ticked line tells of today whatever it says behind the box
    past, coming = "historical" in cues and not ticked, "planned" in cues and not ticked
    if kind == "title" and not procedural and ("numbering" in cues or (diagnostic and level)):
        return "numbering"
    if kind == "title" and not procedural and ("finding" in cues or past) and not sentence.first_in_section:
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
    if kind == "admin" and procedural and sentence.section == "name":
        return "title"  # "PROCEDURE 1 OF 2 | Name: Facet joint injection"
    if kind not in _FREE:
        return kind
    if "carried_out" in cues and coming and not past:
        return "body"  # "We planned the upper set on the right and that is what I did"
    if "explained" in cues and "today" not in cues:
        return "consent"
    if "proposed" in cues:
        return "plan"
    if "recounted" in cues:
        return "history"
    if "teaching" in cues and not (strong and level):
        return "teaching"
    if "numbering" in cues and not strong and not (level and sentence.index in seen.family):
        return "numbering"
    if "intended" in cues and not strong and not weak:
        return "planned"
    if "consent" in cues and not ((strong or "performed" in cues) and (level or "after_consent" in cues)):
        return "consent"
    if cues >= {"nothing_there", "performed"} and level and not coming:
        return "body"  # "then the right L5-S1, tried from below, could not get in, nothing injected at that level"
    if "finding" in cues and not strong and not cues & {"performed", "handled", "grid_row"}:
        if _SCAN.search(seen.text, sentence.start, sentence.end):
            return "finding"  # "a planning scan demonstrates arthropathy at L4-L5"
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
    shown = "finding" in cues and not cues & {
        "performed",
        "handled",
        "grid_row",
    }  # "degeneration located at the L4-5 facet"
    row = "grid_row" in cues and not diagnostic  # "Lumbar facet L4-5    R    capsule bulge    YES"
    if shown or (("finding" in cues or diagnostic) and not (weak and target) and not row):
        return "finding"
    if "exam" in cues and not weak:
        return "exam"
    if not today and (level or sentence.index in seen.named) and seen.of_old(sentence):
        return "history"
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
