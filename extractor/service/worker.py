"""The worker's side of the pool: what is asked of it and answered, and how it codes until its pipe closes."""

from __future__ import annotations

import gc
import json
import signal
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection

from pydantic_core import to_json

from extractor.batch.pool import end_with_parent
from extractor.batch.runner import CodeNote, code_one
from extractor.batch.sources import BadRecord, Incoming
from extractor.batch.work import LoadCoder
from extractor.errors import FacetcodeError, InputError
from extractor.schema import CodingResult, Note
from extractor.service.offsets import Unit, convert

_FIRST_NOTE = "PROCEDURE: Left L4-5 facet joint injection under fluoroscopy."  # loads the pipeline


class Busy(FacetcodeError):
    """The note was not coded, as too many others wait. To try again later may help."""


class TooSlow(FacetcodeError):
    """The note took longer than the limit and was given up."""


class NoteFault(FacetcodeError):
    """A fault of ours in this note. The message names the kind of fault, never words of the note."""


class TooLong(FacetcodeError):
    """The note has more characters than the service takes."""


@dataclass(frozen=True, slots=True)
class Job:
    """A note, and the unit in which its offsets are wanted."""

    note: Note
    unit: Unit = "codepoint"


@dataclass(frozen=True, slots=True)
class FhirJob:
    """A FHIR resource as it came in; its note may have `max_chars` code points. What is not given is as in
    `extractor.fhir.code_resource`."""

    body: bytes
    max_chars: int
    profile: str | None = None
    date_of_service: str | None = None
    recorded: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The result, or the Bundle of a FHIR resource, as JSON, and what is counted of it."""

    body: bytes
    status: str
    queries: tuple[str, ...] = ()


AnyJob = Job | FhirJob
Reply = Answer | InputError | NoteFault | TooLong


def work(pipe: Connection, load: LoadCoder) -> None:
    """What a worker does until its pipe closes: None when it is ready, or why it cannot be; then one reply a job."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, daemon=True).start()
    try:
        code = load()
        code(_FIRST_NOTE)
    except FacetcodeError as error:
        pipe.send(str(error))
        return
    gc.collect()
    gc.freeze()  # the pipeline stays: no collection need look through it again
    try:
        pipe.send(None)
        while True:
            pipe.send(reply_to(pipe.recv(), code))
    except (EOFError, OSError):
        return  # the main process has gone


def reply_to(job: AnyJob, code: CodeNote) -> Reply:
    """The reply to one job, whatever happens in it."""
    try:
        if isinstance(job, FhirJob):
            return _of_resource(job, code)
        result = _coded(job.note, code)
        if job.unit == "codepoint":
            return _answer(result, result.to_json().encode())
        return _answer(result, to_json(convert(result.model_dump(), job.note.text, job.unit)))
    except InputError as error:
        return InputError(str(error))  # one that surely crosses the pipe
    except (NoteFault, TooLong) as error:
        return error
    except Exception as error:  # its message may quote the note
        return NoteFault(f"could not be coded ({type(error).__name__})")


def _of_resource(job: FhirJob, code: CodeNote) -> Answer:
    """The Bundle of a FHIR resource. Reading it may take as long as coding it, so it is done here, under the limit."""
    from extractor.fhir import code_resource

    found: list[CodingResult] = []

    def coded(note: Note) -> CodingResult:
        if len(note.text) > job.max_chars:
            raise TooLong(f"The text of the document may have {job.max_chars} characters")
        found.append(_coded(note.model_copy(update={"profile": job.profile}), code))
        return found[0]

    bundle = code_resource(job.body, coded, recorded=job.recorded, date_of_service=job.date_of_service)
    return _answer(found[0], json.dumps(bundle, ensure_ascii=False, separators=(",", ":")).encode())


def _coded(note: Note, code: CodeNote) -> CodingResult:
    outcome = code_one(Incoming("note", note), code)
    if isinstance(outcome, BadRecord):
        raise NoteFault(outcome.kind) if outcome.kind else InputError(outcome.reason)
    return outcome[1]


def _answer(result: CodingResult, body: bytes) -> Answer:
    return Answer(body, result.status, tuple(query.id for query in result.queries))
