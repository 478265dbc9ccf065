"""Runs of vertebrae -> the items of a mention: what is one joint, what is a list, once the noun is known."""

from __future__ import annotations

from typing import Literal

from extractor.anatomy import order
from extractor.level_numbers import Run, neighbours
from extractor.level_scanner import Reading
from extractor.level_tokens import Lexicon, Site
from extractor.records import LevelItem, LevelMention

Joined = Literal["", "pair", "chain", "range"]


def items_of(text: str, reading: Reading, concept: str, lexicon: Lexicon) -> tuple[LevelItem, ...]:
    """The items of a reading that modifies `concept`: "L four L five" is one joint before "facet", two nerves else."""
    guards, runs = lexicon.words.guards, list(reading.runs)
    nerves, joints = concept in guards.nerve_concepts, concept in guards.joint_concepts
    if not nerves:
        runs = _paired(runs, joints)
        if len(runs) == 2 and (_between(text, runs, lexicon, joints) or (joints and reading.over)):
            runs = [_pair(runs[0], runs[1])]  # "between L4 and L5", "the L4 on L5 joint"
    items: list[LevelItem] = []
    listed = any(piece.bare and not piece.how for piece in runs)  # "l three four and five": a list, whatever it names
    for piece in runs:
        if piece.how == "blank" and (nerves or listed or (len(piece.names) > 2 and not joints)):
            items += _singles(piece)
        else:
            items.append(_item(piece))
    return tuple(items)


def site_mention(start: int, end: int, site: Site) -> LevelMention:
    joined: Joined = "" if site.top == site.bottom else "pair"
    return LevelMention(start, end, (LevelItem(start, end, site.top, site.bottom, joined),), site.noun, start, end)


def _item(piece: Run) -> LevelItem:
    top, bottom = min(piece.names, key=order), max(piece.names, key=order)
    if len(piece.names) == 1:
        return LevelItem(piece.start, piece.end, top, bottom)
    joined: Joined = "range" if piece.how == "range" else "pair" if len(piece.names) == 2 else "chain"
    return LevelItem(piece.start, piece.end, top, bottom, joined)


def _pair(first: Run, second: Run) -> Run:
    return Run(first.start, second.end, (*first.names, *second.names), "join", worded=first.worded)


def _paired(runs: list[Run], joints: bool) -> list[Run]:
    """ "L four L five facet", "L5 S1": two neighbours parted by a blank only are one joint."""
    groups: list[list[Run]] = []
    for piece in runs:
        if piece.after_blank and not piece.how and groups and not groups[-1][-1].how:
            groups[-1].append(piece)
        else:
            groups.append([piece])
    pairs = any(piece.how in ("join", "blank", "range") for piece in runs)
    lone = any(len(group) == 1 and not group[0].how for group in groups)
    result: list[Run] = []
    for group in groups:
        couples = list(zip(group[::2], group[1::2], strict=False))
        even = len(group) % 2 == 0 and all(neighbours(a.names[0], b.names[0]) for a, b in couples)
        repeats = all(a[1].names == b[0].names for a, b in zip(couples, couples[1:], strict=False))
        crosses = even and len(group) == 2 and group[0].names[0][0] != group[1].names[0][0]
        if even and repeats and not lone and (joints or pairs or crosses or len(couples) > 1):
            result += [_pair(a, b) for a, b in couples]
        else:
            result += group
    return result


def _between(text: str, runs: list[Run], lexicon: Lexicon, joints: bool) -> bool:
    """ "the facet joint between L4 and L5", and with whatever noun "the space between C7 and T1"."""
    lead = text[max(0, runs[0].start - (14 if joints else 30)) : runs[0].start]
    singles = not runs[0].how and not runs[1].how
    said = lexicon.enclosed if joints else lexicon.spaced
    return singles and said.search(lead) is not None and neighbours(runs[0].names[0], runs[1].names[0])


def _singles(piece: Run) -> list[LevelItem]:
    """ "L2 3 4 MB": each number is an item of its own; the first keeps its letter."""
    return [LevelItem(start, end, name, name) for (start, end), name in zip(piece.spots, piece.names, strict=True)]
