"""What lies between a request and the workers: limits that depend on how the service was started, and the counting."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

from extractor import __version__
from extractor.coding import CodeBook
from extractor.errors import FacetcodeError, InputError
from extractor.patterns import PatternFolder
from extractor.schema import Note
from extractor.service import problems
from extractor.service.metrics import FAILED, Metrics
from extractor.service.models import BatchNote, CodeRequest, Limits, ServiceVersions
from extractor.service.offsets import Unit
from extractor.service.problems import ServiceError
from extractor.service.settings import Settings
from extractor.service.worker import Answer, FhirJob, Job, TooLong
from extractor.service.workers import Pool

_IN_FLIGHT = 2  # notes of one batch for each worker: it stays busy, and others get their turn


class Desk:
    """Hands notes to the pool. InputError at once for a profile that is not known, PatternError for wrong patterns."""

    def __init__(self, settings: Settings, pool: Pool, metrics: Metrics) -> None:
        self._settings, self._pool, self._metrics = settings, pool, metrics
        patterns = PatternFolder(settings.patterns)
        book = CodeBook.load(patterns)
        book.profile(settings.profile)
        self.versions = ServiceVersions(
            engine=__version__,
            patterns=patterns.fingerprint,
            codes=book.year,
            profiles=sorted(book.profiles),
            limits=Limits(max_chars=settings.max_chars, batch=settings.batch_limit),
            store=settings.store is not None,
        )

    def checked(self, request: CodeRequest, field: str = "body") -> Note:
        """The note of a request, or a ServiceError."""
        self.check_length(request.text, field)
        if request.profile is not None:
            self.check_profile(request.profile, field)
        return Note(**request.model_dump())

    def check_length(self, text: str, field: str = "body") -> None:
        if len(text) > self._settings.max_chars:
            raise ServiceError("too-large", f"{field}.text: It may have {self._settings.max_chars} characters.")

    def check_profile(self, profile: str, field: str = "body") -> None:
        if profile not in self.versions.profiles:
            raise ServiceError("wrong-request", f"{field}.profile: One of {', '.join(self.versions.profiles)}.")

    async def code(self, note: Note, unit: Unit) -> Answer:
        """One note coded, or a ServiceError."""
        try:
            answer = await self._pool.code(Job(note, unit))
        except FacetcodeError as error:
            raise self._failed(error) from None
        self._metrics.coded(answer.status, answer.queries)
        return answer

    async def fhir(self, body: bytes, profile: str | None, day: str | None, recorded: str | None) -> Answer:
        """The Bundle for a FHIR resource, or a ServiceError. `day` is for documents that bring none of their own."""
        if profile is not None:
            self.check_profile(profile, "query")
        job = FhirJob(body, self._settings.max_chars, profile, day, recorded)
        try:
            answer = await self._pool.code(job)
        except InputError as error:
            raise ServiceError("wrong-request", f"{error}.") from None
        except FacetcodeError as error:
            raise self._failed(error) from None
        self._metrics.coded(answer.status, answer.queries)
        return answer

    def _failed(self, error: FacetcodeError) -> ServiceError:
        if not isinstance(error, InputError | TooLong):
            self._metrics.coded(FAILED)
        return problems.of_coding(error)

    def check_batch(self, body: object) -> None:
        """Refuses a batch of too many notes as plain data: to make millions of them takes long and much memory."""
        notes = body.get("notes") if isinstance(body, dict) else None
        if isinstance(notes, list) and len(notes) > self._settings.batch_limit:
            raise ServiceError("too-large", f"body.notes: At most {self._settings.batch_limit} notes.")

    async def batch(
        self, requests: list[BatchNote], unit: Unit, request_id: str, gone: Callable[[], Awaitable[bool]]
    ) -> bytes:
        """The outcomes of a batch as JSON, in order. A note that fails has a problem and hinders no other. Ends early
        when the client is `gone`."""
        if self._pool.full:
            raise ServiceError("busy", "Too many notes wait to be coded.")
        places = asyncio.Semaphore(_IN_FLIGHT * self._pool.workers)

        async def outcome(number: int, request: BatchNote) -> bytes:
            async with places:
                if await gone():
                    return b""
                try:
                    answer = await self.code(self.checked(request, f"body.notes.{number}"), unit)
                    key, value = b"result", answer.body
                except ServiceError as error:
                    key, value = b"error", problems.body_of(error.problem(request_id))
            return b'{"id":%s,"%s":%s}' % (json.dumps(request.id, ensure_ascii=False).encode(), key, value)

        outcomes = await asyncio.gather(*(outcome(number, request) for number, request in enumerate(requests)))
        return b'{"results":[%s]}' % b",".join(outcomes)
