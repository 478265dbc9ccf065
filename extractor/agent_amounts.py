"""Which concentration, dose and volume belong to which drug, and whether they were given at each site or in all."""

from __future__ import annotations

from bisect import bisect_left
from typing import Literal

from extractor.agent_doses import Quantity, quantities
from extractor.agent_view import View, Way

Amounts = tuple[str, str, str, Literal["", "joint", "total"]]

_REACH = 80
_STRAY = 6  # words of other kinds that may stand between a drug and an amount that follows it
_SHARED = 12


def amounts(view: View, hit: int) -> Amounts:
    """Concentration, dose, volume, and per joint or in total, of one drug of the note."""
    own = view.hits[hit]
    values = {"concentration": "", "dose": "", "volume": ""}
    for quantity in sorted(beside(view, hit), key=lambda q: max(own.start - q.end, q.start - own.end)):
        values[quantity.kind] = values[quantity.kind] or quantity.value
    return values["concentration"], values["dose"], values["volume"], _per(view, hit)


def beside(view: View, hit: int) -> list[Quantity]:
    """All amounts that belong to one drug, those before it first."""
    own = view.hits[hit]
    left = [q for q in _stretch(view, hit, "left") if q.end <= own.start]
    return [*left, *(q for q in _stretch(view, hit, "right") if q.start >= own.end)]


def _per(view: View, hit: int) -> Literal["", "joint", "total"]:
    """Per joint or in total, by the nearest such word; "" for parts of a stock ("1 mL of a mixture of 80 mg ...")."""
    sides: tuple[Way, Way] = ("left", "right")
    cues = [near for way in sides for near in view.walk(hit, way) if near.cost <= _SHARED]
    if any(near.row.role == "stock" for near in cues):
        return ""
    near = min(((near.cost, near.row.role) for near in cues if near.row.role in ("each", "total")), default=None)
    return "" if near is None else "joint" if near[1] == "each" else "total"


def _stretch(view: View, hit: int, way: Way) -> list[Quantity]:
    """Amounts on one side that no wall, needle or other drug cuts off; the gap to the next drug is divided."""
    first, last = view.spans[hit]
    own = view.hits[hit]
    index, stray = (first - 1, 0) if way == "left" else (last, 0)
    limit = 0 if way == "left" else _STRAY
    low, high = own.start, own.end
    reached = False
    while 0 <= index < len(view.words) and stray <= limit:
        border = view.border(index + 1 if way == "left" else index)
        offset = view.starts[index]
        if border > 6 or abs(offset - own.start) > _REACH + own.end - own.start:
            break
        if view.hit_of[index] >= 0:
            reached = True
            break
        cue = view.cue_of[index]
        if cue is not None and cue.has("needle", "clause"):
            break
        if cue is not None and cue.has("filler", "joiner", "correction", "each", "total"):
            pass
        elif not view.is_amount(index) and view.words[index] not in ",()/%:[]x+":
            stray += 1
        low, high = min(low, view.starts[index]), max(high, view.ends[index])
        index += -1 if way == "left" else 1
    found = list(quantities(view.text, low, own.start) if way == "left" else quantities(view.text, own.end, high))
    found = _corrected(view, found)
    neighbour = hit - 1 if way == "left" else hit + 1
    if not (reached and found):
        return found
    border_at = _divide(view, min(hit, neighbour), found)
    return [q for q in found if (q.start >= border_at if way == "left" else q.start < border_at)]


def _divide(view: View, left: int, found: list[Quantity]) -> int:
    """Where the gap between two drugs is cut: at its last joining word, else at its last comma, else by nearness."""
    start, stop = view.spans[left][1], view.spans[left + 1][0]
    joined, comma, other = -1, -1, -1
    for index in range(start, stop):
        if any(q.start <= view.starts[index] < q.end for q in found):
            continue
        cue = view.cue_of[index]
        if cue is not None and cue.has("joiner"):
            joined = view.starts[index]
        elif view.words[index] == ",":
            comma = view.starts[index]
        elif not view.is_amount(index) and (cue is None or not cue.has("filler")):
            other = view.starts[index]
    if joined >= 0 or comma >= 0 or other >= 0:
        return joined if joined >= 0 else comma if comma >= 0 else other
    directly = stop > start and view.words[stop - 1] == "of"
    return view.ends[start - 1] if directly else view.starts[stop]


def _corrected(view: View, found: list[Quantity]) -> list[Quantity]:
    """Amounts without those that were taken back: "40 mg, make that 20 mg"."""
    kept: list[Quantity] = []
    for quantity in found:
        if kept and kept[-1].kind == quantity.kind and takes_back(view, kept[-1].end, quantity.start):
            kept.pop()
        kept.append(quantity)
    return kept


def takes_back(view: View, start: int, end: int) -> bool:
    """True when a word of correction stands between two offsets."""
    first, last = bisect_left(view.starts, start), bisect_left(view.starts, end)
    return any(cue is not None and cue.has("correction") for cue in view.cue_of[first:last])
