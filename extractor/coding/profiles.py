"""What a claim profile holds (patterns/profiles.toml), and the settings that no profile may have."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pydantic import Field

from extractor.patterns import Row

Bilateral = Literal["modifier", "twice", "lines"]
Group = Literal["epidural", "block_upper", "block_lumbar", "denervation_upper", "denervation_lumbar"]
_MODIFIER = re.compile(r"[0-9A-Z]{2}")


@dataclass(frozen=True)
class KnownNames:
    """What profiles may name: codes and substitutes of any year, warnings (queries of severity info) and rules."""

    codes: frozenset[str]
    substitutes: frozenset[str]
    warnings: frozenset[str]
    rules: frozenset[str]


class Profile(Row):
    """How lines become claim lines for one kind of claim."""

    label: str
    source: str
    date: dt.date
    claim: Literal["professional", "surgery_center", "hospital"] = "professional"
    bilateral_primary: Bilateral
    bilateral_add_on: Bilateral
    third_level: Literal["once", "each"] = "once"
    diagnostic: str = ""
    distinct: str = ""
    stopped: tuple[str, ...] = ()
    reduced: str = ""
    covered_levels: int = Field(default=2, ge=1, le=6)  # more than a payer ever names is a slip of the pen
    coverage: tuple[str, ...] = ()
    replace: dict[str, str] = Field(default_factory=dict)
    supplies: Literal["separate", "packaged"] = "separate"

    @cached_property
    def fingerprint(self) -> str:
        """A short hash of the row, for the result's `versions`."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]


class Modifiers(Row):
    """The modifiers of the sides."""

    left: str
    right: str
    both: str


class Meaning(Row):
    """When a modifier belongs on a line, in our own words; `claim` and `when` narrow it, where they are given."""

    text: str
    source: str
    claim: Literal["", "professional", "facility"] = ""
    when: Literal["", "before_anesthesia", "after_anesthesia"] = ""

    def fits(self, profile: Profile) -> bool:
        """True where the profile's kind of claim bears the modifier."""
        return self.claim in ("", "professional" if profile.claim == "professional" else "facility")


class Meeting(Row):
    """Kinds of service that get the profile's `distinct` modifier suggested (`on`) beside others (`beside`)."""

    on: tuple[Group, ...] = Field(min_length=1)
    beside: tuple[Group, ...] = Field(min_length=1)
    rule: str
    source: str


class ProfileTable(Row):
    """patterns/profiles.toml"""

    modifiers: Modifiers
    meanings: dict[str, Meaning]
    meetings: dict[str, Meeting]
    profiles: dict[str, Profile]

    def faults(self, known: KnownNames) -> Iterator[str]:
        """What does not fit together, a sentence each: within the profiles, and with the other tables."""
        for name in self.meanings:
            if not _MODIFIER.fullmatch(name):
                yield f"meanings: {name!r} is no modifier: two digits or capital letters"
        for name, meeting in self.meetings.items():
            if meeting.rule not in known.rules:
                yield f"meetings.{name}: no rule {meeting.rule!r} in rules.toml"
        for name, profile in self.profiles.items():
            unknown = [id_ for id_ in profile.coverage if id_ not in known.warnings]
            checks = (
                *_modifier_faults(profile, self),
                *_side_faults(profile),
                *_replace_faults(profile.replace, known),
                *(f"coverage: {id_!r} is no query of severity info in queries.toml" for id_ in unknown),
            )
            yield from (f"{name}: {fault}" for fault in checks)


def _modifier_faults(profile: Profile, table: ProfileTable) -> Iterator[str]:
    """Each modifier is known, is none of a side, fits the kind of claim, and means one thing only."""
    sides = {table.modifiers.left, table.modifiers.right, table.modifiers.both}
    named = [("diagnostic", profile.diagnostic), ("distinct", profile.distinct)]
    named += [("stopped", modifier) for modifier in profile.stopped]
    for key, modifier in (*named, ("reduced", profile.reduced)):
        if not modifier and key != "stopped":
            continue  # none wanted
        if not _MODIFIER.fullmatch(modifier):
            yield f"{key}: {modifier!r} is no modifier: two digits or capital letters"
        elif modifier in sides:
            yield f"{key}: {modifier} tells a side, which bilateral_primary and bilateral_add_on write"
        elif modifier not in table.meanings:
            yield f"{key}: {modifier} is not known: say under meanings.{modifier} when it belongs on a line"
        else:
            meaning = table.meanings[modifier]
            if not meaning.fits(profile):
                yield f"{key}: {modifier} is for {meaning.claim} claims, and claim is {profile.claim!r}"
    given = [modifier for _, modifier in named if modifier]
    for modifier in sorted({one for one in given if given.count(one) > 1}):
        yield f"the modifier {modifier} stands for more than one thing"


def _side_faults(profile: Profile) -> Iterator[str]:
    if profile.bilateral_add_on == "modifier" and profile.bilateral_primary != "modifier":
        yield (
            f"bilateral_add_on is 'modifier' and bilateral_primary is {profile.bilateral_primary!r}: an add-on cannot "
            "carry the modifier of both sides beside a first level without it"
        )


def _replace_faults(replace: Mapping[str, str], known: KnownNames) -> Iterator[str]:
    for old, new in replace.items():
        if old not in known.codes:
            yield f"replace: {old!r} is a code of no year"
        if new not in known.codes and new not in known.substitutes:
            yield f"replace: {new!r} is a code of no year: say under substitutes of a code book what it is"
        elif new == old or new in replace:
            yield f"replace: {old} is written {new}, which is replaced itself"
