"""Which code lines stand behind which line of the claim, read from a result alone."""

from __future__ import annotations

from extractor.schema import ClaimLine, CodeLine, CodingResult, Side

_SIDES: dict[str, Side] = {"LT": "left", "RT": "right"}  # modifiers of HCPCS Level II that tell a side


def line_links(result: CodingResult) -> list[list[CodeLine]]:
    """For each line of the claim the code lines that it comes from.

    A claim line with the modifier of a side comes from the lines of that side. A claim form may write a code with
    another number; such a line comes from the code lines that no claim line names.
    """
    claimed = {item.code for item in result.claim}
    renamed = [line for line in result.lines if line.code not in claimed]
    links = []
    for item in result.claim:
        same = [line for line in result.lines if line.code == item.code] or renamed
        side = claimed_side(item)
        links.append([line for line in same if side is None or line.side in (side, "bilateral")] or same)
    return links


def claimed_side(item: ClaimLine) -> Side | None:
    """The side that a modifier of a claim line tells."""
    return next((_SIDES[modifier] for modifier in item.modifiers if modifier in _SIDES), None)
