"""What holds over the whole session: stopped parts, codes reported once, and targets that two procedures share."""

from __future__ import annotations

from collections.abc import Sequence

from extractor.coding.codebook import CodeBook
from extractor.coding.counting import minus, union
from extractor.coding.facts import sided, whole_side
from extractor.coding.families import code_family, code_single, single_code
from extractor.coding.lines import Ask, Line, Part, Rejected, joined, merged
from extractor.records import Family, Procedure, Side

_SHARED_NERVE = "L5"  # its dorsal ramus supplies L5-S1 and is one of the nerves to the sacroiliac joint


def without_stopped_parts(procedures: Sequence[Procedure]) -> tuple[list[Procedure], list[Ask]]:
    """Where a procedure of the same kind was completed, a stopped one adds nothing but a warning.

    >>> done, asks = without_stopped_parts([Procedure("facet"), Procedure("facet", discontinued=True)])
    >>> len(done), asks[0].query
    (1, 'discontinued_part')
    """
    completed = {(item.family, item.technique) for item in procedures if not item.discontinued}
    done: list[Procedure] = []
    asks: list[Ask] = []
    for item in procedures:
        if item.discontinued and (item.family, item.technique) in completed:
            asks.append(Ask("discontinued_part"))
            asks += [Ask(flag.query, (), flag.evidence) for flag in item.flags if flag.query != "discontinued"]
        else:
            done.append(item)
    return done, asks


def code_others(procedures: Sequence[Procedure], book: CodeBook) -> Part:
    """All families but facet, in the order in which they first come."""
    families: dict[Family, list[Procedure]] = {}
    for item in procedures:
        if item.family != "facet":
            families.setdefault(item.family, []).append(item)
    parts = []
    for family, items in families.items():
        plain = [item for item in items if single_code(item, book) is None]
        parts.append(code_single(items, book))
        parts += [code_family(family, plain, book)] if plain else []
    return joined(parts)


def reported_once(lines: Sequence[Line], book: CodeBook) -> tuple[tuple[Line, ...], tuple[Rejected, ...]]:
    """Codes outside the ladders are reported once a session: their lines become one, with the sides united.

    The two trigger point codes never stand together; the one for more muscles holds.
    """
    counted = book.table.ladder_codes()
    kept: dict[object, Line] = {}
    for index, line in enumerate(lines):
        key: object = index if line.code in counted else line.code
        kept[key] = merged(kept[key], line) if key in kept else line
    few, many = book.table.single.trigger_few, book.table.single.trigger_many
    if few in kept and many in kept:
        del kept[few]
        return tuple(kept.values()), (Rejected(few, book.reason("muscles-once")),)
    return tuple(kept.values()), ()


def shared_targets(procedures: Sequence[Procedure]) -> list[Ask]:
    """A dorsal ramus that serves a facet and the sacroiliac joint, and a sacroiliac joint burnt and injected."""
    sacral = [item for item in procedures if item.family == "sacral_lateral_branch"]
    asks: list[Ask] = []
    for item in procedures:
        if item.family != "facet":
            continue
        side = _side_of_shared(item)
        for other in sacral:
            theirs = _side_of_shared(other) if other.nerves else whole_side([other])
            if side and theirs and minus(side, theirs) != side:
                asks.append(Ask("technique_conflict", (), (*item.evidence, *other.evidence)))
    burnt = [item for item in sacral if item.technique != "injection"]
    for item in procedures:
        if item.family == "sacroiliac_joint" and item.technique == "injection" and burnt:
            spans = tuple(span for other in (item, *burnt) for span in other.evidence)
            asks.append(Ask("technique_conflict", (), spans))
    return asks


def _side_of_shared(procedure: Procedure) -> Side | None:
    side: Side | None = None
    for site in sided(procedure.nerves, procedure):
        if site.site == _SHARED_NERVE:
            side = union(side, site.side) if side else site.side
    return side
