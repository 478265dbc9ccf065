"""Doc -> Reading: everything that was read in a note, as plain records. spaCy ends here."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from extractor.field_groups import read as read_fields
from extractor.grids import Mark
from extractor.grids import read as read_grids
from extractor.literals import folded
from extractor.picks import picks
from extractor.records import LevelMention
from extractor.text import brackets, line_start, text_of

if TYPE_CHECKING:
    from spacy.tokens import Doc

    from extractor.agents import AgentHit


class Sentence(NamedTuple):
    """One sentence with the section it stands in and the kinds of cues in it.

    `zone` is what its facts are worth; it is filled in by `extractor.assembly.zones`.
    """

    index: int  # type: ignore[assignment]  # hides the method of tuple, which nobody calls
    start: int
    end: int
    section: str
    cues: frozenset[str]
    first_in_section: bool
    paragraph: int  # blank-line separated, counted through the note
    header_paragraph: int  # the paragraph in which its section's header stands
    line: int = 0  # line of the note
    header_line: int = 0  # line of its section's header
    spoken: bool = False  # its section's header was spoken inline
    kind: str = ""
    zone: str = ""

    def in_zone(self, zone: str, kind: str) -> Sentence:
        """The same sentence with another zone and kind; quicker than `_replace`, as this runs for every sentence."""
        return tuple.__new__(Sentence, (*self[:_KIND], kind, zone))


@dataclass(frozen=True, slots=True)
class Hit:
    """A target, modality or side: `value` from its row, `cues` the ConText categories that touch it."""

    label: str
    value: str
    start: int
    end: int
    sentence: int
    cues: frozenset[str] = frozenset()
    boxed: str = ""  # "checked" or "unchecked" when a check box stands before it


@dataclass(frozen=True, slots=True)
class LevelHit:
    """A level mention with its sentence and the ConText categories that touch it."""

    mention: LevelMention
    sentence: int
    cues: frozenset[str] = frozenset()
    boxed: str = ""

    @property
    def start(self) -> int:
        return self.mention.start

    @property
    def end(self) -> int:
        return self.mention.end


@dataclass(frozen=True, slots=True)
class Cue:
    """A cue as written: its category and where it stands."""

    category: str
    start: int
    end: int
    sentence: int


@dataclass(frozen=True, slots=True)
class Reading:
    """A note as read. All sequences are in order of the text."""

    text: str
    sentences: tuple[Sentence, ...]
    targets: tuple[Hit, ...]
    imaging: tuple[Hit, ...]
    sides: tuple[Hit, ...]
    levels: tuple[LevelHit, ...]
    agents: tuple[AgentHit, ...]
    cues: tuple[Cue, ...]
    denied_agents: frozenset[int] = frozenset()  # where agents begin that a cue denies

    def with_sentences(self, sentences: Iterable[Sentence]) -> Reading:
        """The same reading with other sentences (zones filled in)."""
        return replace(self, sentences=tuple(sentences))


_DAYS_APART = frozenset({"historical", "planned"})
_OTHER_DAYS = frozenset({"historical", "planned", "finding"})
_REASONED = frozenset({"exam", "finding", "historical"})
_REASON = re.compile(r"\b(?:because|since|as) (?:she|he|there|it|they|the|his|her)\b", re.IGNORECASE)
_ASIDE_IN = 120  # longest line whose bracket is an aside; in running prose a bracket dates its whole sentence
_LINE_END = re.compile(r"\n")
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_ITEMS_APART = 300  # characters between the letters of two items of one list
_SIDE_LETTER = re.compile(r"([RLBrlb])(?![\w'/]|\.\d)(?<![\w/'.-].)")  # the letter first, which is quick to look for
_LETTER_SIDES = {"r": "right", "l": "left", "b": "bilateral"}
_BESIDE_LETTER = re.compile(r"[CTLS]\d", re.IGNORECASE)
_PAIR_BEFORE = re.compile(r"\b[RL]\s?(?:then|and|&|\+)\s?$")  # "R then L"
_THAT_SIDE = re.compile(r"\bon (?:that|this) side\b", re.IGNORECASE)
_SIDE_WORD = re.compile(r"\b(?:left|right)\b", re.IGNORECASE)
_CELL_BEFORE = re.compile(r"\|[ \t]*$")
_CELL_AFTER = re.compile(r"[ \t]*(?:\([^()|\n]{0,12}\)[ \t]*)?(?:\||\n|$)")  # "| R (mL) |"
_PAIR_AFTER = re.compile(r"\s?(?:then|and|&|\+)\s?[RL](?![\w'/-])")
_TICKS = frozenset("\u2713\u2714")
_CELL = re.compile(r"\S+(?: {1,2}\S+)*")
_ITEM = re.compile(r"^\s*\(?\d{1,2}[.)]\s")
_LEVELLESS = frozenset({"sacroiliac_joint", "sacral_lateral_branch", "trigger_point", "epidural_caudal"})
_NESTED = re.compile(r"\n[ \t]+[-*\u2022\u25cb\u25e6\u25ba\u25b8] ")
_SIDE_TAIL = re.compile(r"(?:[RLB]|rt|lt|right|left|both|bilateral)\b.{0,12}", re.IGNORECASE)
_AFTER_LABEL = re.compile(
    r"\b(?:sides?|laterality|lat)(?: (?:performed|treated|injected|blocked|done))?"
    r"(?: {0,3}[:=] {0,12}| {2,40}|[ .]{4,40})$",
    re.IGNORECASE,
)
_ON_LETTER = re.compile(r"\bon (?:the )?$", re.IGNORECASE)
_LIMB_BEHIND = re.compile(
    r"[ -]?(?:sided )?(?:(?:upper|lower) )?(?:arm|thigh|leg|calf|hip|knee|foot|ankle|hand|wrist|elbow|forearm"
    r"|groin|shoulder|buttock|flank|extremity|limb|ext|UE|LE|ue|le|lateral decub(?:itus)?"
    r"|oblique|rotation|side (?:up|dn|down))\b"
)
_ROW_LETTER = re.compile(r"[ \t|]*[RL]")
_ACT_BEFORE = re.compile(r"\b(?:inj\w*|bl(?:oc)?ks?|rfa?|ablations?)\s$", re.IGNORECASE)
_LAID = re.compile(r"(?:[ -]?side(?: is| was)?)? (?:down|up|dn)\b", re.IGNORECASE)
_OWN_CELL_BEFORE, _OWN_CELL_AFTER = re.compile(r"(?: {2}|\t)$"), re.compile(r" {2}|\t|[ \t]*(?:\n|$)")
_ROW_LABEL = 18  # characters of a line before the level that its row is about
_ROW_GAP = 14  # characters between the letter of a row and its level
_LETTER_COLUMNS = re.compile(r"(?:(?<=\n)|(?<=  ))([RL]) {2,40}(?!\1)[RL](?= {2}|[ \t]*(?:\n|$))")
_LETTER_DONE = re.compile(r"\s+(?:done|first|only|treated|injected|blocked|burned|lesioned)\b")


_KIND = Sentence._fields.index("kind")  # and behind it the zone


def collect(doc: Doc) -> Reading:
    """All mentions of a doc that went through the pipeline."""
    text = text_of(doc)
    read = doc._
    spans = read.facetcode_sentences
    starts = [start for start, _ in spans]

    def sentence_of(offset: int) -> int:
        return max(0, bisect_right(starts, offset) - 1)

    cues = tuple(Cue(category, a, b, sentence_of(a)) for a, b, category, _ in read.facetcode_cues)
    cues = tuple(
        sorted((*cues, *(Cue(state, a, b, sentence_of(a)) for a, b, state in picks(text))), key=lambda cue: cue.start)
    )
    written = [(mention.start, mention.end) for mention in read.facetcode_levels]
    cues = tuple(cue for cue in cues if not (cue.category.startswith("counted") and _inside(written, cue.start)))
    boxes = _boxes(text, cues)
    cues = tuple(
        cue for cue in cues if cue.category in {"checked", "unchecked"} or _box_at(boxes, cue.start) != "unchecked"
    )
    touching: dict[tuple[int, int, str], set[str]] = {}
    for a, b, label, category, _, _ in read.facetcode_assertions:
        touching.setdefault((a, b, label), set()).add(category)
    hits: dict[str, list[Hit]] = {"Target": [], "Imaging": [], "Side": [], "Context": []}
    targets = sorted((s.start_char, s.end_char, s.label_) for s in doc.spans.get("facetcode_targets", ()))
    for a, b, category, _ in read.facetcode_cues:  # the target is a word of its cue: "before RFA"
        if category in _DAYS_APART:
            for target in targets[bisect_left(targets, (a,)) : bisect_left(targets, (b,))]:
                if target[1] <= b:
                    touching.setdefault(target, set()).add(category)
    for span in doc.spans.get("facetcode_targets", ()):
        a, b, label = span.start_char, span.end_char, span.label_
        touched = frozenset(touching.get((a, b, label), ()))
        hits[label].append(Hit(label, span.kb_id_, a, b, sentence_of(a), touched, _box_at(boxes, a)))
    levels = []
    for mention, span in zip(read.facetcode_levels, doc.spans.get("facetcode_levels", ()), strict=True):
        touched = frozenset(touching.get((span.start_char, span.end_char, "Level"), ()))
        boxed = _box_at(boxes, mention.start)
        levels.append(
            LevelHit(mention, sentence_of(mention.start), frozenset() if boxed == "checked" else touched, boxed)
        )
    named: list[Hit | LevelHit] = [*levels, *hits["Target"]]
    sided: list[Hit | LevelHit] = [*levels, *hits["Side"]]
    known = {hit.start for hit in named}
    ends = {hit.end for hit in named}
    taken = {i for hit in sided for i in range(hit.start, hit.end)}
    letters = (
        Hit(
            "Side",
            _LETTER_SIDES[m.group(1).lower()],
            m.start(),
            m.end(),
            sentence_of(m.start()),
            frozenset(),
            _box_at(boxes, m.start()),
        )
        for m in _SIDE_LETTER.finditer(text)
        if m.start() not in taken and _is_side_letter(text, m.start(), m.end(), known, ends, boxes)
    )
    meant = _that_side(text, spans, hits["Side"], sentence_of)
    hits["Side"] = sorted(
        (*_with_both(text, hits["Side"], levels, hits["Target"]), *letters, *meant), key=lambda hit: hit.start
    )
    hits["Side"] = _without_old(hits["Side"], cues)
    if (levels or hits["Target"]) and (len(boxes) > 1 or "|" in text or "   " in text):
        loose = _loose(text, hits["Target"], levels)
        hits["Side"], levels, unclear, gone = _with_grids(text, hits["Side"], levels, loose, cues, sentence_of)
        cues = (*cues, *unclear)
        hits["Target"] = [
            replace(hit, cues=hit.cues | {"negated"}) if line_start(text, hit.start) in gone else hit
            for hit in hits["Target"]
        ]
    if levels and ("=" in text or "|" in text or "__" in text or "   " in text or _NESTED.search(text)):
        hits["Side"], levels, rows = _with_groups(text, hits["Side"], levels, sentence_of)
        cues = (*cues, *rows)
    return Reading(
        text=text,
        sentences=_sentences(doc, spans, cues),
        targets=tuple(sorted((*hits["Target"], *hits["Context"]), key=lambda hit: (hit.start, hit.end))),
        imaging=tuple(hits["Imaging"]),
        sides=tuple(hits["Side"]),
        levels=tuple(levels),
        agents=tuple(read.facetcode_agents),
        cues=cues,
        denied_agents=frozenset(
            a for (a, _, label), found in touching.items() if label == "Agent" and "negated" in found
        ),
    )


def _inside(spans: list[tuple[int, int]], offset: int) -> bool:
    """True when one of the spans, which are in order, holds the offset ("l4 5 joint": no count of five)."""
    place = bisect_right(spans, (offset, 1 << 60)) - 1
    return place >= 0 and spans[place][0] <= offset < spans[place][1]


def _without_old(sides: list[Hit], cues: Sequence[Cue]) -> list[Hit]:
    """ "The left side was done in April, so today it is the right side": the side of another day counts as denied."""
    old = [(cue.start, cue.end) for cue in cues if cue.category == "side_of_old"]
    if not old:
        return sides
    return [
        replace(hit, cues=hit.cues | {"negated_side"}) if any(a < hit.end and hit.start < b for a, b in old) else hit
        for hit in sides
    ]


def _that_side(
    text: str, spans: Sequence[tuple[int, int]], sides: list[Hit], sentence_of: Callable[[int], int]
) -> list[Hit]:
    """ "The C-arm was rotated to the right and the same three nerves were blocked on that side": where the tube went
    names no side of its own, but the words that point back to it do."""
    found: list[Hit] = []
    small = folded(text)
    if "on that side" not in small and "on this side" not in small:
        return found
    for match in _THAT_SIDE.finditer(text):
        sentence = sentence_of(match.start())
        begin = spans[sentence][0]
        last = None
        for word in _SIDE_WORD.finditer(text, begin, match.start()):
            last = word
        if last is None or any(begin <= hit.start < match.start() and hit.value != "both" for hit in sides):
            continue
        found.append(Hit("Side", last.group().lower(), match.start(), match.end(), sentence))
    return found


def _with_both(text: str, sides: list[Hit], levels: list[LevelHit], targets: Sequence[Hit]) -> list[Hit]:
    """ "At L4-5 both joints were done": beside one pair alone they are its left and right joint, else two levels; so
    are "both L4-5 joints", and "the sacroiliac joints, both of them", as there are but two."""
    if not any(hit.value == "both" for hit in sides):
        return sides
    named: dict[int, list[str]] = {}
    single = {level.start for level in levels if [item.joined for item in level.mention.items] == ["pair"]}
    for level in levels:
        named.setdefault(level.sentence, []).extend(item.joined for item in level.mention.items)
    sacral = {hit.sentence for hit in targets if hit.value == "sacroiliac_joint"}
    joints = {hit.start for hit in targets if hit.value == "sacroiliac_joint"}  # "both sacroiliac joints"
    result = []
    for hit in sides:
        if hit.value != "both":
            result.append(hit)
        elif hit.boxed == "checked" or _AFTER_LABEL.search(text, max(0, hit.start - 40), hit.start):
            result.append(replace(hit, value="bilateral"))  # "Side: both"
        elif named.get(hit.sentence) == ["pair"] and hit.end - hit.start > len("both"):
            result.append(replace(hit, value="bilateral"))
        elif (
            hit.sentence in sacral
            and hit.sentence not in named
            and (hit.end - hit.start > len("both") or hit.end + 1 in joints)
        ):
            result.append(replace(hit, value="bilateral"))
        elif hit.end + 1 in single:
            result.append(replace(hit, value="bilateral"))  # "both L5-S1 joints"
    return result


def _loose(text: str, targets: Sequence[Hit], levels: Sequence[LevelHit]) -> list[Mark]:
    """Targets that have no level and begin a line of their own: "SI joint, intra-articular     [x]   [ ]"."""
    leveled = {line_start(text, hit.start) for hit in levels}
    found: dict[int, Mark] = {}
    for hit in targets:
        line = line_start(text, hit.start)
        if hit.value in _LEVELLESS and line not in leveled and not text[line : hit.start].strip(" \t|-*\u2022"):
            found.setdefault(line, Mark(hit.start, hit.end, ""))
    return list(found.values())


def _with_grids(
    text: str,
    sides: list[Hit],
    levels: list[LevelHit],
    loose: list[Mark],
    cues: tuple[Cue, ...],
    sentence_of: Callable[[int], int],
) -> tuple[list[Hit], list[LevelHit], list[Cue], set[int]]:
    """Sides and levels with every check-box grid read: ticks become sides, levels without a tick count as unchecked,
    and rows get a cue ("grid_row", or "open_cell" for an unclear cell); and where the lines begin whose row is off.
    `loose`: targets without a level that have a row."""
    boxes = [Mark(cue.start, cue.end, cue.category) for cue in cues if cue.category in {"checked", "unchecked"}]
    marks = sorted((*(Mark(hit.start, hit.end, "") for hit in levels), *loose), key=lambda mark: mark.start)
    grid = read_grids(
        text,
        [Mark(hit.start, hit.end, hit.value) for hit in sides],
        marks,
        boxes,
    )
    off = grid.denied_levels | {mark.start for mark in loose if mark.start in grid.unticked_levels}
    standing = {line_start(text, mark.start) for mark in marks if mark.start not in off | grid.unticked_levels}
    gone = {line_start(text, start) for start in off} - standing
    ticks = [Hit("Side", mark.value, mark.start, mark.end, sentence_of(mark.start)) for mark in grid.ticked]
    kept = [hit for hit in sides if hit.start not in grid.header_sides]
    read_levels = [
        replace(hit, boxed="unchecked" if hit.start in grid.unticked_levels else "checked", cues=frozenset())
        if hit.start in grid.unticked_levels or hit.start in grid.ticked_levels
        else replace(hit, cues=hit.cues | {"negated"})
        if hit.start in grid.denied_levels
        else hit
        for hit in levels
    ]
    unclear = [Cue("open_cell", mark.start, mark.end, sentence_of(mark.start)) for mark in grid.open_rows]
    rows = [*grid.ticked, *grid.done_rows, *(mark for mark in marks if mark.start in grid.denied_levels)]
    unclear += [Cue("grid_row", mark.start, mark.end, sentence_of(mark.start)) for mark in rows]
    return sorted((*kept, *ticks), key=lambda hit: hit.start), read_levels, unclear, gone


def _with_groups(
    text: str, sides: list[Hit], levels: list[LevelHit], sentence_of: Callable[[int], int]
) -> tuple[list[Hit], list[LevelHit], list[Cue]]:
    """Sides and levels with the fields read that belong to them: a side of its own, or that nothing was completed; with
    a cue for each level that has its own fields."""
    known = [Mark(hit.start, hit.end, hit.value) for hit in sides]
    fields = read_fields(text, known, [Mark(hit.start, hit.end, "") for hit in levels])
    if not fields.told and not fields.denied:
        return sides, levels, []
    told = {hit.start for hit in sides}
    added = [
        Hit("Side", mark.value, mark.start, mark.end, sentence_of(mark.start))
        for mark in fields.sided
        if mark.start not in told
    ]
    kept = [hit for hit in sides if hit.start not in fields.used_sides]
    read_levels = [replace(hit, cues=hit.cues | {"negated"}) if hit.start in fields.denied else hit for hit in levels]
    rows = [Cue("grid_row", mark.start, mark.end, sentence_of(mark.start)) for mark in fields.told]
    return sorted((*kept, *added), key=lambda hit: hit.start), read_levels, rows


def _sentences(doc: Doc, spans: tuple[tuple[int, int], ...], cues: tuple[Cue, ...]) -> tuple[Sentence, ...]:
    text = text_of(doc)
    sections = doc._.facetcode_sections
    section_starts = [section.start for section in sections]
    told = _told(doc, spans, cues, section_starts)
    never = len(text) + 1  # no sentence begins there
    section_starts = [*section_starts[1:], never]
    breaks = [*(match.start() for match in _BLANK_LINE.finditer(text)), never]
    lines = [*(match.start() for match in _LINE_END.finditer(text)), never]
    result = []
    none: frozenset[str] = frozenset()
    number = paragraph = line = 0
    last = -1  # the section of the sentence before
    header_paragraph = header_line = 0
    for index, (start, end) in enumerate(spans):
        while section_starts[number] <= start:
            number += 1
        while breaks[paragraph] <= start:
            paragraph += 1
        while lines[line] <= start:
            line += 1
        section = sections[number]
        if number != last:
            header_paragraph, header_line = bisect_right(breaks, section.text_start), bisect_right(lines, section.start)
        fields = (
            index,
            start,
            end,
            section.name,
            told.get(index, none),
            number != last,
            paragraph,
            header_paragraph,
            line,
            header_line,
            section.spoken,
            section.kind,
            "",
        )
        result.append(tuple.__new__(Sentence, fields))  # quicker than its own way: this runs for every sentence
        last = number
    return tuple(result)


def _told(
    doc: Doc, spans: tuple[tuple[int, int], ...], cues: tuple[Cue, ...], section_starts: list[int]
) -> dict[int, frozenset[str]]:
    """The kinds of cues of each sentence that has any."""
    if not cues:
        return {}
    sections = doc._.facetcode_sections
    by_sentence: dict[int, set[str]] = {}
    asides = brackets(text_of(doc))
    openings = [start for start, _ in asides]
    for cue in cues:
        if cue.category in _OTHER_DAYS and _aside(asides, openings, cue.start, spans[cue.sentence]):
            continue
        if cue.category in _REASONED and _is_reason(doc, spans[cue.sentence], cue.start):
            continue
        section = sections[max(0, bisect_right(section_starts, cue.start) - 1)]
        titled = cue.category == "performed" and cue.end <= section.text_start
        by_sentence.setdefault(cue.sentence, set()).add("headed_performed" if titled else cue.category)
    return {sentence: frozenset(kinds) for sentence, kinds in by_sentence.items()}


def _is_reason(doc: Doc, sentence: tuple[int, int], offset: int) -> bool:
    """True for what is only the reason of what was told before: "... the left L5-S1 joint, since there is no tenderness
    higher up"."""
    levels = [mention.end for mention in doc._.facetcode_levels if sentence[0] <= mention.start < offset]
    reason = _REASON.search(text_of(doc), levels[0], sentence[1]) if levels else None
    return reason is not None and reason.start() <= offset


def _aside(asides: list[tuple[int, int]], openings: list[int], offset: int, sentence: tuple[int, int]) -> bool:
    """True when an offset stands in brackets that hold only a part of its sentence."""
    place = bisect_right(openings, offset) - 1
    if place < 0:
        return False
    start, end = asides[place]
    whole = sentence[1] - sentence[0]
    return start <= offset < end and whole <= _ASIDE_IN and (start > sentence[0] + 2 or end < sentence[1] - 2)


def _boxes(text: str, cues: tuple[Cue, ...]) -> list[tuple[int, int, str]]:
    """(start, end, state) of what each check box governs: from the box to the next box or the end of its line."""
    marks = [cue for cue in cues if cue.category in {"checked", "unchecked"}]
    result = []
    breaks = [match.start() for match in _LINE_END.finditer(text)] if marks else []
    behind: dict[int, bool] = {}  # by the start of the line
    cells: dict[int, list[tuple[int, int, str]]] = {}
    for index, mark in enumerate(marks):
        line = bisect_right(breaks, mark.start)
        line_start = breaks[line - 1] + 1 if line else 0
        line_end = breaks[line] if line < len(breaks) else len(text)
        following = marks[index + 1].start if index + 1 < len(marks) else line_end
        previous = marks[index - 1] if index and marks[index - 1].start >= line_start else None
        if line_start not in cells:
            cells[line_start] = _ticked_cells(text, line_start, line_end, marks, index)
            result += cells[line_start]
        if cells[line_start]:
            continue
        if line_start not in behind:
            behind[line_start] = _boxes_stand_behind(text, line_start, line_end, marks, index)
        if behind[line_start]:
            begin = previous.end if previous else text.rfind(":", line_start, mark.start) + 1 or line_start
            result.append((begin, mark.start, mark.category))
        else:
            result.append((mark.end, min(line_end, following), mark.category))
    return result


def _ticked_cells(
    text: str, line_start: int, line_end: int, marks: list[Cue], index: int
) -> list[tuple[int, int, str]]:
    """The cells of a line on which a tick stands behind what was chosen, and nothing behind the rest:
    "Level :  L3-4          L4-5 \u2713          L5-S1 \u2713"."""
    here = []
    while index < len(marks) and marks[index].start < line_end:
        here.append(marks[index])
        index += 1
    if any(text[mark.start : mark.end] not in _TICKS for mark in here):
        return []
    begin = text.find(":", line_start, here[0].start) + 1 or line_start
    found = []
    for cell in _CELL.finditer(text, begin, line_end):
        ticks = [mark for mark in here if cell.start() <= mark.start < cell.end()]
        if any(text[mark.end : cell.end()].strip() for mark in ticks):
            if any(text[cell.start() : mark.start].strip() for mark in ticks):
                return []  # words on both sides of a tick
        found.append((cell.start(), cell.end(), "checked" if ticks else "unchecked"))
    chosen = [state for _, _, state in found]
    return found if {"checked", "unchecked"} <= set(chosen) else []


def _boxes_stand_behind(text: str, line_start: int, line_end: int, marks: list[Cue], index: int) -> bool:
    """True on a line whose words come before their boxes: "L3 [x]  L4 [x]  L5 [ ]"."""
    first = last = index
    while first and marks[first - 1].start >= line_start:
        first -= 1
    while last + 1 < len(marks) and marks[last + 1].start < line_end:
        last += 1
    label = _ITEM.sub("", text[line_start : marks[first].start].rpartition(":")[2]).strip()
    tail = text[marks[last].end : line_end].strip()
    if tail and _SIDE_TAIL.fullmatch(tail):
        return False  # "L4 medial branch (x) R  (x) L"
    if tail:
        return any(character.isdigit() for character in label)  # "L3 [x]  L4 [ ] not done"
    return bool(label)


def _box_at(boxes: list[tuple[int, int, str]], offset: int) -> str:
    place = bisect_right(boxes, (offset, 1 << 60, "")) - 1
    if place >= 0:
        start, end, state = boxes[place]
        if start <= offset < end:
            return state
    return ""


def _is_side_letter(
    text: str, start: int, end: int, known: set[int], ends: set[int], boxes: list[tuple[int, int, str]]
) -> bool:
    """True for a lone R or L that stands for a side: next to a level or target, before "side", in brackets, or in
    a check box."""
    if text[start] in "bB" and text[end : end + 1] == ")" and not text[line_start(text, start) : start].strip():
        return False  # "a) ... b) L5: ..."
    first = {"(b)": "(a)", "(B)": "(A)"}.get(text[max(0, start - 1) : end + 1])
    if first and first in text[max(0, start - _ITEMS_APART) : start]:
        return False  # "(a) L5-S1   (b) S1"
    if text[start - 1 : start] == "[" and text[end : end + 1] == "]" and start - 1 in ends:
        return True  # "SI joint[R]: entered"
    if text[end : end + 1] in (".", ";", "\n", "") and text[max(0, start - 2) : start] == ", " and start - 2 in ends:
        return True  # "L2 MB + L3 MB, L."
    after = end
    while after < len(text) and after < end + 3 and text[after] in " .-)":
        after += 1
    if _ROW_LETTER.fullmatch(text, line_start(text, start), end) and any(
        at in known for at in range(end + 2, end + _ROW_GAP)
    ):
        return True  # "  R     L2 MB   60 C": the first column
    if text[start].islower():  # "r L3 mb": typed without capitals, and only before a level that has its letter
        return after > end and after in known and _BESIDE_LETTER.match(text, after) is not None
    if (
        columns := _LETTER_COLUMNS.search(text, max(0, start - 44), end + 44)
    ) and columns.start() <= start < columns.end():
        return True
    if _LIMB_BEHIND.match(text, end):
        return False  # "Grounding pad R thigh [x]"
    if _OWN_CELL_BEFORE.search(text, max(0, start - 4), start) and _OWN_CELL_AFTER.match(text, end):
        line = line_start(text, start)
        if any(at in known for at in range(line, min(line + _ROW_LABEL, start))):
            return True  # "L1 MB       R        TP L2": a column of sides
    if after > end and after in known:
        return True
    window = text[max(0, start - 60) : start]
    if text[end : end + 1] in (" ", "\n", "", ",", ".", ";", ")") and (
        _AFTER_LABEL.search(window) or (_ON_LETTER.search(window) and text[start] != "B")
    ):
        return True
    if text[start] == "B":
        act = _ACT_BEFORE.search(text, max(0, start - 14), start)
        place = act.start() if act else start
        beside = {place - 1, place} & ends and text[end : end + 1] in (",", ";", ".", ")", "\n")
        return (
            bool(beside)
            or (  # "SIJ inj B, fluoro"
                re.match(r"\s+(?:lumb|cerv|thor|facet|fct|FJ|medial|MBB?|SI|TF|RFA?|FJI|IA|LS)", text[end : end + 9])
                is not None
            )
        )
    if _LETTER_DONE.match(text, end):
        return True
    if _LAID.match(text, end):
        return False  # "L side down, R up": how the patient lies
    if re.match(r"[ -]?(?:side|sided)\b", text[end : end + 7], re.IGNORECASE):
        return True
    if re.match(r"\s?:", text[end : end + 2]) and not text[line_start(text, start) : start].strip(" -*|"):
        return True
    if re.match(
        r"\s+(?:(?:dx|diag|diagnostic|tx|therapeutic)\s+)?(?:lumb(?:ar)?|cerv(?:ical)?|thor(?:acic)?|lower|upper|neck|artic(?:ular)?|pillars?|facets?|fct|FJ|medial|MBB?|SIJ?|TF|RFA?|LBB|FJI|IA|IL|LS|ILESI|TFESI|z-?j|intra|lat(?:eral)?\s+branch|x\s?\d)\b",
        text[end : end + 28],
    ):
        return True
    if _CELL_BEFORE.search(text, max(0, start - 12), start) and _CELL_AFTER.match(text, end):
        return True  # "Joint | R | L |"
    if _PAIR_BEFORE.search(text, max(0, start - 8), start) or _PAIR_AFTER.match(text, end):
        return True
    before = start
    while before > 0 and before > start - 3 and text[before - 1] in " (":
        before -= 1
    follows = text[end : end + 1]
    if text[before - 1 : before] == ":" and before - 1 in ends and follows in (",", ";", ".", "\n"):
        return True  # "SIJ: L, 22g"
    if before in ends and before < start and follows in (")", ",", ".", ";", ":", "\n", "", " "):
        return True
    return bool(_box_at(boxes, start)) and follows in (" ", "\n", "", ";", ",")
