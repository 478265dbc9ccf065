"""The small, typed, immutable things that one room of the house hands to the next.

Everything here is plain Python: no spaCy, no pydantic. Offsets are 0-based and end-exclusive, in Unicode code points.
Up to assembly they refer to the *clean* text (see `extractor.text`); the coder maps them back to the text as given
before a result leaves the house.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

Side = Literal["left", "right", "bilateral", "unspecified"]
Assertion = Literal["performed", "planned", "historical", "negated", "hypothetical", "discontinued"]
Technique = Literal["injection", "thermal_rf", "pulsed_rf", "chemical_neurolysis", "prp", "cold_or_laser"]
Family = Literal[
    "facet",  # a facet (zygapophyseal) joint or the medial branches that supply it
    "sacroiliac_joint",
    "sacral_lateral_branch",  # L5 dorsal ramus with S1-S3 lateral branches, for the sacroiliac joint
    "transforaminal",
    "interlaminar",
    "caudal",
    "trigger_point",
]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the note with the section in which it stands."""

    start: int
    end: int
    section: str = ""


@dataclass(frozen=True, slots=True)
class SidedSite:
    """One joint ("L4-L5"), nerve ("L3") or foramen ("S1") on one side, with the words that say so."""

    site: str
    side: Side
    evidence: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Agent:
    """One drug as it was used: `name` is the generic name, `role` where it went."""

    name: str
    role: Literal["injectate", "skin_anesthetic", "contrast", "sedation", "prep", "flush", "systemic"]
    start: int
    end: int
    drug_class: str = ""  # local_anesthetic, steroid, contrast, neurolytic, biologic, vehicle, ...
    concentration: str = ""  # "0.5%", "40 mg/mL"
    dose: str = ""  # "20 mg"
    volume: str = ""  # "0.5 mL"
    per: Literal["", "joint", "total"] = ""
    section: str = ""


@dataclass(frozen=True, slots=True)
class Flag:
    """A doubt that assembly found: the id of the query to ask, and the words that raised it."""

    query: str  # an id of patterns/queries.toml: level_conflict, side_conflict, ambiguous_level, discontinued, ...
    evidence: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Procedure:
    """One thing that was done (or begun) at this encounter, merged from all its mentions.

    joints  joints that were treated themselves (transforaminal: the foramen as a pair or a sacral foramen "S1";
            interlaminar: the interspace)
    nerves  medial branches and dorsal rami by nerve name (never by bone site); for the sacral lateral branch family
            the nerves named, such as L5, S1, S2, S3
    region  "cervical", "thoracic" or "lumbar" when the note names one; needed only where no level does
    imaging guidance really used: fluoroscopy, ct, ultrasound, mri; empty when none is mentioned
    no_imaging  the note says that no imaging was used
    """

    family: Family
    technique: Technique = "injection"
    targets: tuple[str, ...] = ()  # summary targets: facet_joint, medial_branch, sacroiliac_joint, ...
    joints: tuple[SidedSite, ...] = ()
    nerves: tuple[SidedSite, ...] = ()
    side: Side = "unspecified"  # for families without levels (sacroiliac, caudal, trigger point)
    region: str = ""
    imaging: tuple[str, ...] = ()
    no_imaging: bool = False
    agents: tuple[Agent, ...] = ()
    intent: Literal["", "diagnostic", "therapeutic"] = ""
    discontinued: bool = False  # stopped before any joint was completed
    cooled: bool = False  # cooled radiofrequency (thermal whatever its set temperature)
    temperature: float | None = None  # degrees Celsius of the lesion, when stated
    muscles: int | None = None  # muscles injected (trigger points), when they can be counted
    flags: tuple[Flag, ...] = ()
    evidence: tuple[Span, ...] = ()  # the words that name the procedure itself
    guidance_evidence: tuple[Span, ...] = ()
    technique_evidence: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class LevelItem:
    """One run of vertebrae as written: "L4" (top == bottom), "L4-5", "L3-S1", "L3-4-5".

    `joined` tells how the ends were joined: "" for a single vertebra, "pair" for two neighbours, "chain" for
    three or more written one after another (L3-4-5, L3/4/5), "range" for ends with vertebrae left out (L3-S1, L3
    through L5).
    """

    start: int
    end: int
    top: str  # "L3"
    bottom: str  # "S1"
    joined: Literal["", "pair", "chain", "range"] = ""

    @property
    def name(self) -> str:
        """ "L4" or "L4-L5"."""
        return self.top if self.top == self.bottom else f"{self.top}-{self.bottom}"


@dataclass(frozen=True, slots=True)
class LevelMention:
    """One or more runs of vertebrae that belong together ("L3-4, 4-5 and 5-1"), and what they modify.

    `noun` is the concept of the noun that the levels modify (from patterns/level_nouns.csv), "" when none stands near.
    `noun_start`/`noun_end` are its offsets, or -1.
    """

    start: int
    end: int
    items: tuple[LevelItem, ...]
    noun: str = ""
    noun_start: int = -1
    noun_end: int = -1


@dataclass(frozen=True, slots=True)
class Mention:
    """One thing read in the note, as the pipeline hands it to assembly; spaCy ends here."""

    label: str  # Level, Nerve, BoneSite, Side, Imaging, Agent, Target, Technique, ...
    value: str
    start: int
    end: int
    section: str = ""
    assertion: Assertion = "performed"
    rule: str = ""
    cue: str = ""
    extra: tuple[tuple[str, str], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Dose:
    """One statement of how much of a drug went to the target (read only where drug supplies are asked for).

    kind     "total" for all places together; "each" for every `noun` ("joint", "site", ...; `count` of them where the
             note says how many); "stock" for what is in a mixture, `mixed` mL at most, of which `portion` mL went to
             every `noun`; "plain" where none of this is said; "unclear" where the note can be read in two ways
    amount   in mg; None where the drug is named without one that can be read
    place    the one place that its sentence tells of ("left L4-L5"), else ""
    """

    name: str
    product: str
    kind: Literal["total", "each", "stock", "plain", "unclear"] = "plain"
    amount: Decimal | None = None
    noun: str = ""
    count: int = 0
    portion: Decimal | None = None
    mixed: Decimal | None = None
    place: str = ""
    evidence: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Waste:
    """What the note says of drug that was thrown away. `product` is "" where it does not say of which drug.

    kind  "wasted" (`amount` in mg), "none", "multi_dose" (the vial is no single-dose container), "unclear" (something
          was thrown away, and it cannot be read how much), "mixture" (a part of the mixture was, so that less than all
          of the drug in it was given)
    """

    kind: Literal["wasted", "none", "multi_dose", "unclear", "mixture"]
    product: str = ""
    amount: Decimal | None = None
    evidence: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Doses:
    """All that a note says of the amounts of its drugs."""

    doses: tuple[Dose, ...] = ()
    wastes: tuple[Waste, ...] = ()
