"""Self-corrections in dictation: what was taken back is no longer a mention.

"right, no scratch that, left" takes back the side before the cue; "L5-S1, correction, the L4-5 joint" the level
before it. A cue takes back only what the words right after it replace: a side for a side, a level for a level. A cue
that is a sentence of its own ("Strike that.") takes back what the sentence after it tells anew of the one before.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from extractor.mentions import Cue, Hit, LevelHit, Reading, Sentence

H = TypeVar("H", Hit, LevelHit)
_REACH_BEFORE = 60
_REACH_AFTER = 40
_FARTHEST = 200
_IDLE = 6  # characters beside a cue that make no words: "No, strike that."


def without_corrected(reading: Reading) -> Reading:
    """The reading without the sides and levels that the speaker took back."""
    reading = _without_retracted(reading)
    cues = _cue_runs([cue for cue in reading.cues if cue.category == "correction"])
    if not cues:
        return reading
    sides, levels = list(reading.sides), list(reading.levels)
    for start, end in cues:
        first, last = _reach(reading.sentences, start, end)
        side_after = _first_after(sides, end, last)
        level_after = _first_after(levels, end, last)
        side_before = _last_before(sides, start, first)
        level_before = _last_before(levels, start, first, level_after)
        if side_after and side_before and side_after.value != side_before.value:
            if not (level_before and level_before.start > side_before.end and not level_after):
                sides.remove(side_before)
            elif level_before:
                sides.remove(side_before)
        if level_after and level_before:
            items = level_before.mention.items
            if len(items) > len(level_after.mention.items) == 1:
                kept = items[:-1]
                mention = replace(level_before.mention, items=kept, end=kept[-1].end)
                levels[levels.index(level_before)] = replace(level_before, mention=mention)
            else:
                levels.remove(level_before)
                if side_after is None:
                    continue
                if (
                    side_before in sides
                    and side_before
                    and side_before.end <= level_before.start
                    and side_after.end <= level_after.start + 40
                ):
                    sides.remove(side_before)
    return replace(reading, sides=tuple(sides), levels=tuple(levels))


def _without_retracted(reading: Reading) -> Reading:
    """ "L3, L4, L5, no, erase L3": the vertebra named again after such a word leaves the list before it."""
    levels = list(reading.levels)
    for cue in (cue for cue in reading.cues if cue.category == "retraction"):
        after = next((hit for hit in levels if cue.end <= hit.start <= cue.end + 3), None)
        before = _last_before(levels, cue.start, cue.start - _REACH_BEFORE)
        if after is None or before is None or any(item.joined for item in after.mention.items):
            continue
        gone = {item.top for item in after.mention.items}
        kept = tuple(item for item in before.mention.items if item.joined or item.top not in gone)
        if len(kept) == len(before.mention.items):
            continue
        levels.remove(after)
        place = levels.index(before)
        if kept:
            levels[place] = replace(
                before, mention=replace(before.mention, items=kept, start=kept[0].start, end=kept[-1].end)
            )
        else:
            del levels[place]
    return replace(reading, levels=tuple(levels))


def _cue_runs(cues: list[Cue]) -> list[tuple[int, int]]:
    """Neighbouring cues ("no sorry, strike that") as one stretch."""
    runs: list[tuple[int, int]] = []
    for cue in cues:
        if runs and cue.start - runs[-1][1] <= 4:
            runs[-1] = (runs[-1][0], cue.end)
        else:
            runs.append((cue.start, cue.end))
    return runs


def _reach(sentences: Sequence[Sentence], start: int, end: int) -> tuple[int, int]:
    """How far before and after a cue the words stand that it is about."""
    first, last = start - _REACH_BEFORE, end + _REACH_AFTER
    index = bisect_right(sentences, start, key=lambda sentence: sentence.start) - 1
    if 0 < index < len(sentences) - 1:
        own, before, after = sentences[index], sentences[index - 1], sentences[index + 1]
        if start - own.start < _IDLE and own.end - end < _IDLE:
            first, last = min(first, max(before.start, start - _FARTHEST)), min(after.end, end + _FARTHEST)
    return first, last


def _first_after(hits: list[H], end: int, last: int) -> H | None:
    found = [hit for hit in hits if end <= hit.start <= last]
    return found[0] if found else None


def _last_before(hits: list[H], start: int, first: int, like: H | None = None) -> H | None:
    """The last one before the cue; with `like`, rather one written in the same way (pairs for pairs)."""
    found = [hit for hit in hits if first <= hit.end <= start]
    if isinstance(like, LevelHit):
        shape = like.mention.items[0].joined
        alike = [hit for hit in found if isinstance(hit, LevelHit) and hit.mention.items[0].joined == shape]
        found = alike or found
    return found[-1] if found else None
