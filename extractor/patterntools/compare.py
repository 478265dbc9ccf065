"""What differs between two results of one note: status, lines, claim, supplies, questions and summary. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

FACTS = ("lines", "claim", "supplies", "queries", "summary")


class _Seen(BaseModel):
    """A part of a result that is compared; what other versions have besides is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Quote(_Seen):
    """Words of the note."""

    start: int
    end: int
    text: str
    section: str = ""


class Line(_Seen):
    """A code line."""

    code: str
    side: str = "unspecified"
    joints: tuple[str, ...] = ()
    evidence: tuple[Quote, ...] = ()


class Claim(_Seen):
    """A claim or supply line."""

    code: str
    modifiers: tuple[str, ...] = ()
    units: int = 1


class Query(_Seen):
    """An open question."""

    id: str
    question: str = ""
    evidence: tuple[Quote, ...] = ()


class Summary(_Seen):
    """What was used at the target."""

    imaging: tuple[str, ...] = ()
    injectate: tuple[str, ...] = ()
    target: tuple[str, ...] = ()


class Stamp(_Seen):
    """What a result was made with."""

    engine: str = ""
    patterns: str = ""
    overlay: str = ""
    codes: str = ""
    profile: str = ""


class Outcome(_Seen):
    """A result as far as it is compared."""

    id: str
    status: str
    lines: tuple[Line, ...] = ()
    claim: tuple[Claim, ...] = ()
    supplies: tuple[Claim, ...] = ()
    queries: tuple[Query, ...] = ()
    summary: Summary = Summary()
    versions: Stamp = Stamp()

    def facts(self) -> dict[str, Counter[str]]:
        """What is compared, as short words for people, by `FACTS`."""
        summary = ((name, getattr(self.summary, name)) for name in ("imaging", "injectate", "target"))
        return {
            "lines": Counter(map(_line, self.lines)),
            "claim": Counter(map(_claim, self.claim)),
            "supplies": Counter(map(_claim, self.supplies)),
            "queries": Counter(f"{query.id}: {query.question}" for query in self.queries),
            "summary": Counter(f"{name} {value}" for name, values in summary for value in values),
        }

    def quotes(self) -> dict[tuple[str, Quote], None]:
        """The evidence of lines and questions, each with what it is for."""
        found = [(line.code, quote) for line in self.lines for quote in line.evidence]
        found += [(f"ask {query.id}", quote) for query in self.queries for quote in query.evidence]
        return dict.fromkeys(found)

    def fits(self, text: str) -> bool:
        """False where the evidence is no part of this text: the result is of another note."""
        return all(text[quote.start : quote.end] == quote.text for _, quote in self.quotes())


@dataclass(frozen=True, slots=True)
class Change:
    """One note that comes out differently."""

    before: Outcome
    after: Outcome
    gone: dict[str, list[str]]
    new: dict[str, list[str]]
    evidence_gone: list[tuple[str, Quote]]
    evidence_new: list[tuple[str, Quote]]

    @property
    def kinds(self) -> list[str]:
        """What changed: "status" and names of `FACTS`."""
        moved = ["status"] if self.before.status != self.after.status else []
        return moved + [name for name in FACTS if self.gone[name] or self.new[name]]

    @property
    def move(self) -> str:
        """As in "review -> coded"."""
        return f"{self.before.status} -> {self.after.status}"

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "id": self.after.id,
            "changed": self.kinds,
            "before": _as_json(self.before),
            "after": _as_json(self.after),
            "gone": {name: found for name, found in self.gone.items() if found},
            "new": {name: found for name, found in self.new.items() if found},
            "evidence_gone": [{"of": of, **quote.model_dump()} for of, quote in self.evidence_gone],
            "evidence_new": [{"of": of, **quote.model_dump()} for of, quote in self.evidence_new],
        }


def outcome_of(line: bytes | str) -> Outcome:
    """A result from its JSON. ValueError when it is none; the message holds none of it.

    >>> outcome_of('{"id": "a", "status": "no_code", "site": "A"}').status
    'no_code'
    """
    try:
        return Outcome.model_validate_json(line)
    except ValidationError as error:
        place = ".".join(map(str, error.errors(include_input=False, include_url=False)[0]["loc"]))
        raise ValueError(f"no result: {place}" if place else "no result") from None


def compare(before: Outcome, after: Outcome) -> Change | None:
    """What differs; None where nothing does. Evidence alone is no difference."""
    old, new = before.facts(), after.facts()
    if before.status == after.status and old == new:
        return None
    was, now = before.quotes(), after.quotes()
    return Change(
        before,
        after,
        {name: list((old[name] - new[name]).elements()) for name in FACTS},
        {name: list((new[name] - old[name]).elements()) for name in FACTS},
        [quote for quote in was if quote not in now],
        [quote for quote in now if quote not in was],
    )


def _line(line: Line) -> str:
    side = "" if line.side == "unspecified" else line.side
    return " ".join(part for part in (line.code, side, ", ".join(line.joints)) if part)


def _claim(claim: Claim) -> str:
    return "-".join((claim.code, *claim.modifiers)) + (f" x{claim.units}" if claim.units != 1 else "")


def _as_json(outcome: Outcome) -> dict[str, Any]:
    told: dict[str, Any] = {"status": outcome.status}
    told["lines"] = [line.model_dump(exclude={"evidence"}) for line in outcome.lines]
    told["claim"] = [claim.model_dump() for claim in outcome.claim]
    told["supplies"] = [claim.model_dump() for claim in outcome.supplies]
    told["queries"] = [query.id for query in outcome.queries]
    return told | {"summary": outcome.summary.model_dump()}
