"""The pydantic models that leave the house. The published JSON Schema comes from here
(`CodingResult.model_json_schema()`)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

Side = Literal["left", "right", "bilateral", "unspecified"]
Status = Literal["coded", "review", "no_code"]
AssertionName = Literal["performed", "planned", "historical", "negated", "hypothetical", "discontinued"]


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Evidence(_Out):
    """Words of the note: `text == note[start:end]`, offsets in Unicode code points of the text as given."""

    start: int
    end: int
    text: str
    section: str = ""


class CodeLine(_Out):
    """One code with its side and joints, and why. `label` is our own short word for the code; `descriptor` is filled
    from a file of the user's and from nothing else."""

    code: str
    side: Side
    joints: list[str] = Field(default_factory=list)
    label: str = ""
    descriptor: str = ""
    rule: str = ""
    reasons: list[str] = Field(default_factory=list)
    evidence: list[Evidence] = Field(default_factory=list)


class Suggestion(_Out):
    """A modifier that the note does not settle, and when it would belong on the claim line."""

    modifier: str
    reason: str


class ClaimLine(_Out):
    """One line of the claim under the chosen profile. `suggested` modifiers are for a person to add or not."""

    code: str
    modifiers: list[str] = Field(default_factory=list)
    units: int = 1
    suggested: list[Suggestion] = Field(default_factory=list)


class SupplyLine(_Out):
    """One drug supplied with the procedure, where such lines are asked for: its HCPCS code with whole units, the drug's
    generic name, and the documented amount that the units come from ("40 mg")."""

    code: str
    units: int
    modifiers: list[str] = Field(default_factory=list)
    name: str
    amount: str = ""
    reason: str = ""
    evidence: list[Evidence] = Field(default_factory=list)


class Summary(_Out):
    """What was used at the target, over all procedures that were performed.

    `imaging`: fluoroscopy, ct, ultrasound, mri or none_documented. `injectate`: generic names in lower case of what was
    injected at the target, so no anaesthetic of the skin, contrast, sedation or prep. `target`: kinds of place, such as
    facet_joint, medial_branch, sacroiliac_joint, epidural_transforaminal.
    """

    imaging: list[str] = Field(default_factory=list)
    injectate: list[str] = Field(default_factory=list)
    target: list[str] = Field(default_factory=list)


class Query(_Out):
    """One open question to the physician."""

    id: str
    question: str
    evidence: list[Evidence] = Field(default_factory=list)


class Rejected(_Out):
    """A neighbouring code that was considered and not given, with the reason."""

    code: str
    reason: str


class AgentOut(_Out):
    """One drug as it was used."""

    name: str
    role: str
    drug_class: str = ""
    concentration: str = ""
    dose: str = ""
    volume: str = ""
    per: str = ""
    evidence: Evidence


class SiteOut(_Out):
    """A joint or nerve on one side."""

    site: str
    side: Side
    evidence: list[Evidence] = Field(default_factory=list)


class ProcedureOut(_Out):
    """One thing done (or begun) at this encounter, merged from all its mentions."""

    family: str
    technique: str
    targets: list[str] = Field(default_factory=list)
    joints: list[SiteOut] = Field(default_factory=list)
    nerves: list[SiteOut] = Field(default_factory=list)
    side: Side = "unspecified"
    imaging: list[str] = Field(default_factory=list)
    agents: list[AgentOut] = Field(default_factory=list)
    intent: str = ""
    discontinued: bool = False
    evidence: list[Evidence] = Field(default_factory=list)


class Entity(_Out):
    """One thing read in the note, performed or not."""

    label: str
    start: int
    end: int
    text: str
    value: str
    section: str = ""
    assertion: AssertionName = "performed"
    attributes: dict[str, str] = Field(default_factory=dict)


class Versions(_Out):
    """What the result was made with: enough to make the same bytes again.

    `patterns` is the hash of all pattern files, `overlay` that of the user's own ones (empty without), `codes` the year
    of the code book, `profile_hash` that of the profile's row, `date_of_service` the day that chose the book,
    `descriptors` the hash of the user's file of descriptors (empty without), `supplies` whether drug supplies were
    asked for, and `text` the digest of the note as given (`extractor.text.text_digest`): it names the text.
    """

    engine: str
    patterns: str
    overlay: str = ""
    codes: str
    profile: str
    profile_hash: str = ""
    date_of_service: str | None = None
    descriptors: str = ""
    supplies: StrictBool = False
    text: str = ""


class CodingResult(_Out):
    """The coding of one note (one JSON object a note). See the README for an example."""

    id: str
    status: Status
    lines: list[CodeLine] = Field(default_factory=list)
    claim: list[ClaimLine] = Field(default_factory=list)
    supplies: list[SupplyLine] = Field(default_factory=list)
    summary: Summary = Field(default_factory=Summary)
    queries: list[Query] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)
    rejected: list[Rejected] = Field(default_factory=list)
    procedures: list[ProcedureOut] = Field(default_factory=list)
    entities: list[Entity] = Field(default_factory=list)
    versions: Versions

    def to_json(self) -> str:
        """One line of JSON, the same bytes for the same result."""
        return self.model_dump_json()


class Note(BaseModel):
    """One note as it comes in. Further keys of the record are carried through to the result record."""

    model_config = ConfigDict(frozen=True, extra="allow")

    id: str
    text: str
    date_of_service: str | None = None
    profile: str | None = None

    @property
    def carried(self) -> dict[str, Any]:
        """The keys that facetcode does not know."""
        return dict(self.model_extra or {})
