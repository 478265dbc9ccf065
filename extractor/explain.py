"""Why one code line stands in a result, or does not: read from the result alone, so that it never says more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from extractor.anatomy import is_vertebra, nerves_of_joint
from extractor.claimlinks import line_links
from extractor.schema import (
    ClaimLine,
    CodeLine,
    CodingResult,
    Entity,
    Evidence,
    Query,
    Rejected,
    Side,
    Status,
    Versions,
)

Verdict = Literal["given", "given_otherwise", "rejected", "not_supported", "unknown_code"]

_SAID: dict[Verdict, str] = {
    "given": "The note supports this line.",
    "given_otherwise": "The note supports this code, but with another side or with other joints.",
    "rejected": "The code was considered for this note and not given.",
    "not_supported": "Nothing that was read as performed in this note leads to this code.",
    "unknown_code": "The code is not in the code book: facetcode never gives it, which says nothing about the note.",
}
_GIVEN_IN_REVIEW = "The best candidate for what the note says: a person must answer or decide first."


class LineExplanation(BaseModel):
    """Why one line was given for a note, or was not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    side: Side | None = Field(default=None, description="The side that was asked about; none means any side.")
    joints: list[str] = Field(default_factory=list, description="The joints asked about; none means any joints.")
    verdict: Verdict
    explanation: str = Field(description="The verdict in one sentence.")
    status: Status = Field(description="The status of the whole note; review means that a person must answer first.")
    lines: list[CodeLine] = Field(
        default_factory=list, description="The lines of this code, with their rule, reasons and the words of the note."
    )
    claim: list[ClaimLine] = Field(
        default_factory=list, description="The claim lines of this code, whatever their number."
    )
    rejected: list[Rejected] = Field(default_factory=list, description="Why this code was not given.")
    neighbours: list[Rejected] = Field(default_factory=list, description="Other codes that were not given, and why.")
    queries: list[Query] = Field(default_factory=list, description="The open questions that concern this line.")
    set_aside: list[Entity] = Field(
        default_factory=list, description="Levels and nerves that the note names but not as treated at this encounter."
    )
    versions: Versions


def explain(
    result: CodingResult, code: str, side: Side | None, joints: Sequence[str], known_codes: Collection[str]
) -> LineExplanation:
    """Why `result` holds the line of that code, side and joints, or does not.

    `side` None and no `joints` mean any. `joints` are names as in results ("L4-L5"). `known_codes` are the numbers of
    the code book. Raises nothing: a code, side or joint that does not occur is an answer, not an error.
    """
    same = [line for line in result.lines if line.code == code]
    fitting = [line for line in same if _fits(line, side, joints)]
    covered = {name for line in fitting for name in line.joints}
    rejected = [item for item in result.rejected if item.code == code]
    verdict: Verdict
    if fitting and covered.issuperset(joints):
        verdict = "given"
    elif same:
        verdict = "given_otherwise"
    elif rejected:
        verdict = "rejected"
    else:
        verdict = "not_supported" if code in known_codes else "unknown_code"
    shown = fitting if verdict == "given" else same
    return LineExplanation(
        code=code,
        side=side,
        joints=list(joints),
        verdict=verdict,
        explanation=_GIVEN_IN_REVIEW if verdict == "given" and result.status == "review" else _SAID[verdict],
        status=result.status,
        lines=shown,
        claim=[
            item
            for item, lines in zip(result.claim, line_links(result), strict=True)
            if item.code == code or any(line.code == code for line in lines)
        ],
        rejected=rejected,
        neighbours=[item for item in result.rejected if item.code != code],
        queries=_concerned(result, shown) if verdict == "given" else list(result.queries),
        set_aside=[] if verdict == "given" else [item for item in result.entities if _was_set_aside(item, joints)],
        versions=result.versions,
    )


def _fits(line: CodeLine, side: Side | None, joints: Sequence[str]) -> bool:
    both = line.side == "bilateral" and side in ("left", "right")  # one line for both sides holds each of them
    return (both or side in (None, line.side)) and (not joints or not set(joints).isdisjoint(line.joints))


def _concerned(result: CodingResult, lines: Sequence[CodeLine]) -> list[Query]:
    """The questions about the words that these lines rest on, and those that are about the words of no line at all."""
    shown = [evidence for line in lines for evidence in line.evidence]
    every = [evidence for line in result.lines for evidence in line.evidence]
    return [q for q in result.queries if _touch(q.evidence, shown) or not _touch(q.evidence, every)]


def _touch(some: Iterable[Evidence], others: Sequence[Evidence]) -> bool:
    return any(a.start < b.end and b.start < a.end for a in some for b in others)


def _was_set_aside(entity: Entity, joints: Sequence[str]) -> bool:
    """True for a level or nerve that is planned, denied, of another day and so on; of the joints, where some are
    given."""
    if entity.label not in ("Level", "Nerve") or entity.assertion == "performed":
        return False
    sites = {*joints, *(nerve for name in joints if is_joint(name) for nerve in nerves_of_joint(name))}
    return not joints or not sites.isdisjoint(entity.value.replace(",", " ").split())


def is_joint(name: str) -> bool:
    """True for two vertebrae as joints are named in results.

    >>> is_joint("L4-L5"), is_joint("L4-5"), is_joint("L4")
    (True, False, False)
    """
    parts = name.split("-")
    return len(parts) == 2 and all(map(is_vertebra, parts))
