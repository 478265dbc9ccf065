"""What the service takes and gives besides `CodingResult`. The OpenAPI description comes from these models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from extractor.batch.sources import is_date
from extractor.schema import CodingResult, Side, Status, Versions

LONGEST_ID = 256
LONGEST_REASON = 2_000
MOST_LINES = 200
MOST_JOINTS = 64
_DAY = (
    "Day of the encounter, YYYY-MM-DD. It is taken for notes that span code years; the code book has one year, so it "
    "changes nothing yet."
)
_MOST_KEYS = 32  # more than any object here has

Decision = Literal["accepted", "edited", "rejected", "added"]


def _few_keys(value: object) -> object:
    """Before anything else is looked at: every unknown key makes an error of its own."""
    if isinstance(value, dict) and len(value) > _MOST_KEYS:
        raise PydanticCustomError("many_keys", "An object with too many keys")
    return value


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    _bounded = model_validator(mode="before")(_few_keys)


def _day(value: str) -> str:
    if not is_date(value):
        raise PydanticCustomError("day", "Not a day of the calendar like 2026-01-31")
    return value


Day = Annotated[str, AfterValidator(_day), Field(json_schema_extra={"format": "date"})]
ForProfile = Annotated[str | None, Field(description="Claim profile; without one, that of the server.")]
ForDay = Annotated[Day | None, Field(description="Day of the encounter, for a document that tells none of its own.")]
Recorded = Annotated[  # its form is checked where it is written
    str | None,
    Field(
        max_length=40,
        description="Instant for Provenance.recorded and Claim.created; without it they say that it is not known.",
        json_schema_extra={"format": "date-time"},
    ),
]
NoteId = Annotated[str, Field(min_length=1, max_length=LONGEST_ID, pattern=r"\S")]
Words = Annotated[str, Field(min_length=1, pattern=r"\S")]
Joint = Annotated[str, Field(min_length=1, max_length=40)]
Joints = Annotated[list[Joint], Field(max_length=MOST_JOINTS)]
Code = Annotated[str, Field(pattern="^[0-9]{4}[0-9A-Z]$", description="A CPT code number.")]


class CodeRequest(_Model):
    """One note to be coded."""

    text: Words = Field(description="The note as it is. Offsets of the result refer to it.")
    id: NoteId = "note"
    profile: ForProfile = None
    date_of_service: Day | None = Field(None, description=_DAY)


class BatchNote(CodeRequest):
    """One note of a batch. One that is too long, or of a profile that is not known, fails alone."""


class BatchRequest(_Model):
    """Several notes to be coded."""

    notes: list[BatchNote]


class Problem(BaseModel):
    """What went wrong (RFC 9457). It never holds words of the request."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
    request_id: str


class Coded(_Model):
    """A note of a batch that was coded."""

    id: str
    result: CodingResult


class NotCoded(_Model):
    """A note of a batch that was not coded."""

    id: str
    error: Problem


class BatchResponse(_Model):
    """One outcome a note, in the order of the request."""

    results: list[Coded | NotCoded]


class Limits(_Model):
    """What one request may hold."""

    max_chars: int = Field(description="Unicode code points of one note.")
    batch: int = Field(description="Notes of one batch.")


class ServiceVersions(_Model):
    """What results are made with, and what may be asked."""

    engine: str
    patterns: str
    codes: str
    profiles: list[str]
    limits: Limits
    store: bool = Field(description="Whether decisions are kept (POST /v1/decisions).")


class Health(_Model):
    """Whether the service lives, or can code notes."""

    status: Literal["ok"]


class Proposed(_Model):
    """A line as facetcode proposed it."""

    code: Code
    side: Side
    joints: Joints = Field(default_factory=list)


_EDITED: JsonDict = {  # what `_edited_from` checks, for the JSON Schema
    "if": {"properties": {"decision": {"const": "edited"}}},
    "then": {"required": ["proposed"], "properties": {"proposed": {"type": "object"}}},
}


class DecidedLine(Proposed):
    """What the reviewer made of one line. An edited line brings what was proposed."""

    model_config = ConfigDict(json_schema_extra=_EDITED)

    decision: Decision
    proposed: Proposed | None = None
    reason: str = Field("", max_length=LONGEST_REASON)

    @model_validator(mode="after")
    def _edited_from(self) -> DecidedLine:
        if self.decision == "edited" and self.proposed is None:
            raise PydanticCustomError("edited", "An edited line needs what was proposed")
        return self


class ReviewedNote(_Model):
    """One note with the decisions of its reviewer. `status` is the one that was proposed."""

    id: NoteId
    text: Words
    profile: str
    date_of_service: Day | None = None
    versions: Annotated[Versions, BeforeValidator(_few_keys)]
    status: Status
    lines: list[DecidedLine] = Field(max_length=MOST_LINES)
    reviewer: str = Field("", max_length=LONGEST_ID)
    unsettled: StrictBool = Field(False, description="The reviewer cannot settle it: the note stays in review.")


class Stored(_Model):
    """That the decisions are kept."""

    id: str
    stored: int = Field(description="How often this note (id and text) was reviewed; the last one counts.")
