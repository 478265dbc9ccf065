"""Which side each level was treated on: stated next to it, carried on from the words before, or copied ("same on
the left").

One pass over the speaking sentences in order. Within a sentence a side binds the levels that follow it, unless a side
stands behind a level in the manner of "L4-5 on the left" or "L4-5 (left)". A sentence with a side and no level sets
the side for what follows; with a word of repetition, or about "the other side", it copies what was done so far to
that side.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from extractor.assembly.zones import SPEAKING
from extractor.mentions import Hit, LevelHit, Reading, Sentence

OPPOSITE = {"left": "right", "right": "left"}
_JOIN = re.compile(r"[;.]|\b(?:and|then|with|to|for|needles?)\b", re.IGNORECASE)
_AND = re.compile(
    r"(?:\s*,?\s*(?:and(?:\s+(?:then|later|after|afterwards|subsequently|next))?|then|before|followed by|&|\+|/)\s*"
    r"(?:(?:one|two|three|four|five|six|\d)\s+(?:needles?\s+)?)?(?:(?:on|upon|in|at|to|into)\s+)?(?:the\s+)?|\s{2,})",
    re.IGNORECASE,
)
_NOT = re.compile(r"\b(?:not|never)\b|n't\b", re.IGNORECASE)
_DENIAL = re.compile(r"\b(?:not?|never|nothing|without|except)\b|n't\b", re.IGNORECASE)
_BARS = 2  # bars of a row of a table
_AFTER_SIDE = 24  # characters behind a side in which it may be denied
_TURN = re.compile(r"\bbut\b", re.IGNORECASE)
_POSTFIX_GAP = 48
_BESIDE = 12  # characters between a level and the side behind it
_REPEAT_REACH = 90  # characters between a word of repetition and the side that it speaks of
_SHORT = 60  # longest sentence that says which side alone was treated


@dataclass(frozen=True, slots=True)
class SidedLevel:
    """A level mention with its side ("" when the sentence and its context say none) and the words that gave it."""

    hit: LevelHit
    zone: str
    side: str
    source: tuple[int, int] | None = None
    fragment: bool = False  # the sentence is little more than the level
    short: bool = False  # ... or a short sentence
    running: bool = False  # a full sentence of running text outside a body section


@dataclass(frozen=True, slots=True)
class Copy:
    """From here on, what was done so far counts for `side` too ("bilateral": for both)."""

    side: str
    at: int
    zone: str
    source: tuple[int, int]
    weak: bool = False  # nothing says that something was repeated; the side is only worked on


@dataclass(frozen=True, slots=True)
class Sided:
    """The result of the pass."""

    levels: tuple[SidedLevel, ...]
    copies: tuple[Copy, ...]
    only: str  # the one side that was treated, where the note says so ("" when it does not)
    title_sides: tuple[Hit, ...]
    body_sides: tuple[Hit, ...]


def bind(reading: Reading, muscles: Collection[int] = ()) -> Sided:
    """Sides of all level mentions in the speaking zones (title, planned, laterality, body, neutral, addendum,
    impression). `muscles` are the sentences that name muscles: a side alone there is the side of a muscle."""
    levels_in = _by_sentence(reading.levels)
    sides_in = _by_sentence(hit for hit in reading.sides if hit.boxed != "unchecked" and "negated_side" not in hit.cues)
    elsewhere = {
        hit.sentence
        for hit in reading.targets
        if hit.value == "other:peripheral" and "needlework" not in reading.sentences[hit.sentence].cues
    } | set(muscles)
    repeats: dict[int, list[int]] = {}
    turns: dict[int, list[int]] = {}
    for cue in reading.cues:
        if cue.category == "repeat":
            repeats.setdefault(cue.sentence, []).append(cue.start)
        if cue.category in {"repeat", "other_side"}:
            turns.setdefault(cue.sentence, []).append(cue.start)
    bound: list[SidedLevel] = []
    copies: list[Copy] = []
    title_sides: list[Hit] = []
    body_sides: list[Hit] = []
    current = ""
    current_from: tuple[int, int] | None = None
    pending: Copy | None = None
    lone: tuple[Copy, int] | None = None  # the last sentence that named a side and no level
    last_zone = ""
    last_section = ""
    for sentence in reading.sentences:
        zone = sentence.zone
        if zone not in SPEAKING and zone not in {"planned", "laterality", "impression"}:
            continue
        if sentence.index in elsewhere and sentence.index not in levels_in:
            continue  # "knees done on both sides"
        levels: list[LevelHit] = [hit for hit in levels_in.get(sentence.index, ()) if hit.boxed != "unchecked"]
        sides: list[Hit] = list(sides_in.get(sentence.index, ()))
        if zone != last_zone and not {zone, last_zone} <= {"body", "neutral"}:
            current, current_from = "", None
        if zone == "title" and sentence.section != last_section:
            current, current_from = "", None
        last_zone, last_section = zone, sentence.section
        if not levels and not sides:
            if lone and sentence.index - lone[1] <= 2 and "repeat" in sentence.cues and zone in {"body", "neutral"}:
                copies.append(replace(lone[0], weak=False))
                pending = lone = None
            continue
        if not levels and "untreated_side" in sentence.cues and all(hit.value == "other_side" for hit in sides):
            continue  # "nothing was done on the other side"
        if not levels and "negated" in sentence.cues and not sentence.cues & {"repeat", "other_side"}:
            sides = _affirmed(reading.text, sentence, sides)
            if not sides:
                continue
        resolved = _resolve_other(reading.text, sides, current, levels)
        denied = bool(levels) and all("negated" in hit.cues for hit in levels)
        (
            title_sides if zone in {"title", "laterality"} else body_sides if zone in SPEAKING and not denied else []
        ).extend(_ticked_both([hit for hit, _ in resolved]) if zone == "laterality" else [hit for hit, _ in resolved])
        if levels:
            inherited = current, current_from
            again = min((at for at in repeats.get(sentence.index, ()) if at >= levels[-1].end), default=sentence.end)
            near = [pair for pair in resolved if pair[0].start < again]  # "... the same was then done on the left"
            for hit, side, source in _within(reading.text, sentence, levels, near, inherited):
                bound.append(
                    SidedLevel(
                        hit,
                        zone,
                        side,
                        source,
                        sentence.end - sentence.start < 32,
                        sentence.end - sentence.start < 50,
                        sentence.kind != "body" and sentence.end - sentence.start > 60,
                    )
                )
                turned = any(other.value == "other_side" for other in sides)
                if side and (turned or not hit.cues & {"negated"}):
                    current, current_from = side, source
                    if pending and pending.side in (side, "bilateral"):
                        pending = None
            trailing = [pair for pair in resolved if pair[0].start > levels[-1].end]
            told = trailing and (
                "negated" not in sentence.cues
                or not _DENIAL.search(reading.text, levels[-1].end, trailing[-1][0].end + _AFTER_SIDE)
            )
            if told and zone in {"body", "neutral"} and again < sentence.end:
                last, side = trailing[-1]
                copies.append(Copy(side, last.start, zone, (last.start, last.end)))
        elif zone in {"body", "neutral", "laterality"}:
            values = {side for _, side in resolved if side}
            first = resolved[0][0]
            if len(values) > 1 and _NOT.search(reading.text, sentence.start, sentence.end):
                continue  # "it was the right that I did; he did not want the left touched"
            side = "bilateral" if len(values) > 1 else next(iter(values), "")
            if zone == "laterality" or not side:
                turned = any(value.value == "other_side" for value in sides)
                spoken = any(abs(at - first.start) <= _REPEAT_REACH for at in turns.get(sentence.index, ()))
                if turned and (spoken or zone == "laterality"):
                    copies.append(Copy("other", first.start, zone, (first.start, first.end)))
                continue
            event = Copy(side, first.start, zone, (first.start, first.end))
            told = any(abs(at - first.start) <= _REPEAT_REACH for at in turns.get(sentence.index, ()))
            if told or side == "bilateral":
                copies.append(event)
                pending = None
            else:
                if pending and pending.side != side:
                    copies.append(pending)
                acts = bool(sentence.cues & {"performed", "needlework"}) and not sentence.cues & {
                    "discontinued",
                    "planned",
                    "untreated_side",
                }
                acts &= _NOT.search(reading.text, sentence.start, sentence.end) is None
                pending = replace(event, weak=True) if acts else None
            lone = (event, sentence.index)
            current, current_from = side, (first.start, first.end)
    if pending:
        copies.append(pending)
    only = _only(reading)
    if only and not any(_told(level, OPPOSITE[only]) for level in bound):
        copies = [copy for copy in copies if copy.side in (only, "")]
        bound = [_on_only(level, only, reading) for level in bound]
    return Sided(tuple(bound), tuple(copies), only, tuple(title_sides), tuple(body_sides))


def _only(reading: Reading) -> str:
    """The one side that the body says was treated ("right side only", "the right side was not injected")."""
    said: set[str] = set()
    leveled = {level.sentence for level in reading.levels}
    for hit in reading.sides:
        sentence = reading.sentences[hit.sentence]
        if hit.value not in OPPOSITE or sentence.zone not in {"body", "neutral", "plan"}:
            continue
        if hit.sentence in leveled:
            continue
        if "untreated_side" in sentence.cues and "historical" not in sentence.cues:
            said.add(OPPOSITE[hit.value])
        elif sentence.zone == "plan" or sentence.end - sentence.start > _SHORT:
            continue
        elif "only_side" in sentence.cues and not sentence.cues & {"negated", "historical"}:
            said.add(hit.value)
    return said.pop() if len(said) == 1 else ""


def _told(level: SidedLevel, side: str) -> bool:
    """True when the body names the level on that side in so many words."""
    near = level.source is not None and abs(level.source[0] - level.hit.start) <= _SHORT
    return near and level.side == side and level.zone == "body" and "negated" not in level.hit.cues


def _on_only(level: SidedLevel, only: str, reading: Reading) -> SidedLevel:
    """A side that only carried over from another sentence gives way to the one side treated, and so does "both sides"
    where no needle is told of."""
    near = level.source is not None and abs(level.source[0] - level.hit.start) <= _SHORT
    needled = level.zone != "title" and "needlework" in reading.sentences[level.hit.sentence].cues
    if level.side == "bilateral" and not needled and level.zone in {"title", "body", "neutral"}:
        return replace(level, side=only)
    if level.zone not in {"body", "neutral"} or near or level.side in (only, ""):
        return level
    return replace(level, side=only)


def _by_sentence(hits: Iterable) -> dict[int, list]:  # type: ignore[type-arg]
    result: dict[int, list] = {}  # type: ignore[type-arg]
    for hit in hits:
        result.setdefault(hit.sentence, []).append(hit)
    return result


def _ticked_both(sides: list[Hit]) -> list[Hit]:
    """Left and right, both with a tick in one field, are both sides: "Sides: R [x]  L [x]"."""
    ticked = [hit for hit in sides if hit.boxed == "checked"]
    if {hit.value for hit in ticked} == {"left", "right"} and len(ticked) == len(sides):
        return [replace(ticked[0], value="bilateral", end=ticked[-1].end)]
    return sides


def _affirmed(text: str, sentence: Sentence, sides: list[Hit]) -> list[Hit]:
    """The sides of a sentence with a denial that the denial does not reach: "I did not say it but ... on the right",
    and the first of a field for the side ("Side: Left    Session: therapeutic (RF declined by patient)")."""
    if sides and sentence.zone == "laterality" and not _NOT.search(text, sentence.start, sides[0].end + 1):
        return sides[:1]
    turn = _TURN.search(text, sentence.start, sentence.end)
    if turn is None or _NOT.search(text, turn.end(), sentence.end):
        return []
    return [hit for hit in sides if hit.start > turn.end()]


def _resolve_other(text: str, sides: Sequence[Hit], current: str, levels: Sequence[LevelHit]) -> list[tuple[Hit, str]]:
    """Each side mention with its value; "the other side" is the opposite of the side before it, if one is known.

    Two opposite sides joined by "and" ("the right and the left L4-5 joints") are one bilateral mention.
    """
    result: list[tuple[Hit, str]] = []
    before = current
    for hit in sides:
        apart = bool(result) and _each_has_its_own(result[-1][0], hit, levels)
        if (
            result
            and not apart
            and OPPOSITE.get(result[-1][1]) == hit.value
            and (_AND.fullmatch(text, result[-1][0].end, hit.start) or _listed_last(text, result[-1][0].end, hit))
        ):
            first = result.pop()[0]
            result.append((replace(first, value="bilateral", end=hit.end), "bilateral"))
            continue
        side = OPPOSITE.get(before, "") if hit.value == "other_side" else hit.value
        result.append((hit, side))
        if hit.value != "other_side":
            before = side or before
    return result


def _listed_last(text: str, start: int, hit: Hit) -> bool:
    """True for the second side of a list that ends its line: "L2 medial branch at L3 TP: right, left"."""
    return text[start : hit.start] == ", " and text[hit.end : hit.end + 1] in ("\n", ";", "")


def _each_has_its_own(first: Hit, second: Hit, levels: Sequence[LevelHit]) -> bool:
    """True for "L3-4 on the right and left L4-5": a level right before the one side and right behind the other."""
    before = any(0 <= first.start - level.end <= _BESIDE for level in levels)
    return before and any(0 <= level.start - second.end <= 2 for level in levels)


def _within(
    text: str,
    sentence: Sentence,
    levels: Sequence[LevelHit],
    sides: Sequence[tuple[Hit, str]],
    inherited: tuple[str, tuple[int, int] | None],
) -> list[tuple[LevelHit, str, tuple[int, int] | None]]:
    result: list[tuple[LevelHit, str, tuple[int, int] | None]] = []
    known = [(hit, side) for hit, side in sides if side]
    if len(known) == 1 and text.count("|", sentence.start, sentence.end) >= _BARS:
        hit, side = known[0]  # "2 | L3 medial branch | R | L4 TP | neg": one row, one side
        return [(level, side, (hit.start, hit.end)) for level in levels]
    if len(levels) == 1 and "negated" not in sentence.cues:
        behind = {side: hit for hit, side in known if hit.start >= levels[0].end}
        if behind.keys() >= {"left", "right"} and not any(hit.end <= levels[0].start for hit, _ in known):
            # "L4-5: the left joint was entered at once and the right joint after two corrections"
            return [(levels[0], "bilateral", (behind["left"].start, behind["left"].end))]
    behind_each = [next((pair for pair in known if 0 <= pair[0].start - level.end <= 2), None) for level in levels]
    if len(levels) > 1 and all(behind_each):  # "L4-5 left went in easy L4-5 right second try L5-S1 left"
        return [
            (level, pair[1], (pair[0].start, pair[0].end))
            for level, pair in zip(levels, behind_each, strict=True)
            if pair
        ]
    spent: Hit | None = None  # the side that an earlier level of the sentence took from behind
    for index, level in enumerate(levels):
        before = [pair for pair in known if pair[0].end <= level.start]
        after = [pair for pair in known if pair[0].start >= level.end]
        previous = before[-1] if before else None
        following = after[0] if after else None
        next_level = levels[index + 1].start if index + 1 < len(levels) else None
        chosen = None
        if following and _is_postfix(text, sentence, level, following[0], next_level):
            close = previous is not None and level.start - previous[0].end <= 14
            if not close or previous is None or previous[0] is spent or not _adjacent(levels, index, previous[0]):
                chosen = following
                spent = following[0]
        if chosen is None and following and previous is not None and following[0].start - level.end <= 1:
            if not _adjacent(levels, index, previous[0]) and not _is_prefix_of_level(following[0], levels):
                chosen = following  # "bilateral L4-5 TFESI and L5-S1 left TFESI"
        if chosen is None and previous is not None:
            chosen = previous
        if chosen is None and following is not None and not _is_prefix_of_level(following[0], levels):
            chosen = following
        if chosen is None:
            result.append((level, inherited[0], inherited[1]))
        else:
            result.append((level, chosen[1], (chosen[0].start, chosen[0].end)))
    return result


def _adjacent(levels: Sequence[LevelHit], index: int, side: Hit) -> bool:
    """True when no other level stands between the side and the level."""
    return not any(side.end <= other.start < levels[index].start for other in levels)


def _is_postfix(text: str, sentence: Sentence, level: LevelHit, side: Hit, next_level: int | None) -> bool:
    if next_level is not None and next_level < side.start:
        return False
    gap = text[level.end : side.start]
    if len(gap) > _POSTFIX_GAP or _JOIN.search(re.sub(r"\b(?:and|,)?\s*(?:left|right)\b", "", gap)):
        return False
    words = text[side.start : side.end].lower()
    if (
        words.startswith("on ")
        or words.endswith("ally")
        or "side" in words
        or gap.rstrip(" ").endswith(("(", " on", " on the", " at the"))
    ):
        return True
    following = text[side.end : sentence.end].lstrip(" ")
    return not following or following[0] in ",.;)]\n:/+" or following.startswith(("and ", "only", "x ", "side"))


def _is_prefix_of_level(side: Hit, levels: Sequence[LevelHit]) -> bool:
    return any(0 <= level.start - side.end <= 30 for level in levels)
