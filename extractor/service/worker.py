"""The worker's side of the pool: what is asked of it and answered, and how it codes until its pipe closes."""

from __future__ import annotations

import gc
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
from extractor.schema import Note
from extractor.service.offsets import Unit, convert

_FIRST_NOTE = "PROCEDURE: Left L4-5 facet joint injection under fluoroscopy."  # loads the pipeline


class Busy(FacetcodeError):
    """The note was not coded, as too many others wait. To try again later may help."""


class TooSlow(FacetcodeError):
    """The note took longer than the limit and was given up."""


class NoteFault(FacetcodeError):
    """A fault of ours in this note. The message names the kind of fault, never words of the note."""


@dataclass(frozen=True, slots=True)
class Job:
    """A note, and the unit in which its offsets are wanted."""

    note: Note
    unit: Unit = "codepoint"


@dataclass(frozen=True, slots=True)
class Answer:
    """The result as JSON, and what is counted of it."""

    body: bytes
    status: str
    queries: tuple[str, ...] = ()


Reply = Answer | InputError | NoteFault


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


def reply_to(job: Job, code: CodeNote) -> Reply:
    """The reply to one job, whatever happens in it."""
    try:
        outcome = code_one(Incoming("note", job.note), code)
        if isinstance(outcome, BadRecord):
            return NoteFault(outcome.kind) if outcome.kind else InputError(outcome.reason)
        _, result = outcome
        if job.unit == "codepoint":
            body = result.to_json().encode()
        else:
            body = to_json(convert(result.model_dump(), job.note.text, job.unit))
        return Answer(body, result.status, tuple(query.id for query in result.queries))
    except Exception as error:  # its message may quote the note
        return NoteFault(f"could not be coded ({type(error).__name__})")
