"""The HTTP service: routes, and how they are put together. What happens to a note is told in `desk.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.telemetry import TelemetryConfig
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from extractor import __version__
from extractor.errors import InputError
from extractor.schema import CodingResult
from extractor.service import assets, metrics, openapi, problems
from extractor.service.desk import Desk
from extractor.service.gate import Gate
from extractor.service.metrics import Metrics
from extractor.service.models import (
    BatchRequest,
    BatchResponse,
    CodeRequest,
    ForDay,
    ForProfile,
    Health,
    Recorded,
    ReviewedNote,
    ServiceVersions,
    Stored,
)
from extractor.service.offsets import Unit
from extractor.service.problems import ServiceError
from extractor.service.settings import Settings
from extractor.service.store import Store
from extractor.service.workers import Pool

JSON = "application/json"
FHIR_JSON = "application/fhir+json"
_UNTRACED: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


class _JsonRoute(APIRoute):
    """A route whose body must be JSON by its Content-Type: so no page of another origin can send one unasked."""

    accepts: tuple[str, ...] = (JSON,)

    def get_route_handler(self) -> Callable[[Request], object]:  # type: ignore[override]
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            if "POST" in (self.methods or ()):
                given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
                if given not in self.accepts:
                    raise ServiceError("wrong-media-type", f"Send Content-Type: {' or '.join(self.accepts)}.")
            return await handle(request)

        return checked


class _FhirRoute(_JsonRoute):
    accepts = (JSON, FHIR_JSON)


def create_app(settings: Settings, pool: Pool, store: Store | None, figures: Metrics | None = None) -> FastAPI:
    """The service. It starts the pool when it starts, and closes it and the store when it stops.

    Raises InputError for a profile that is not known and PatternError for wrong patterns.
    """
    figures = figures or Metrics()
    figures.watch(pool)
    desk = Desk(settings, pool, figures)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        pool.start()
        try:
            yield
        finally:
            await run_in_threadpool(pool.close)
            if store is not None:
                store.close()

    app = FastAPI(
        title="facetcode",
        version=__version__,
        description="Codes dictated spine-procedure notes, with the evidence for each code.",
        openapi_url=None,  # a route of ours gives it; and no docs_url or redoc_url: both load scripts from elsewhere
        lifespan=lifespan,
        redirect_slashes=False,
        telemetry=_UNTRACED,  # it would record exceptions with their messages
    )
    app.include_router(_coding(desk))
    app.include_router(_watching(pool, figures))
    app.include_router(_page(assets.load()))
    if store is not None:
        app.include_router(_decisions(desk, store))
    if find_spec("fhir") and find_spec("fhir.resources") and find_spec("extractor.fhir"):
        app.include_router(_fhir(desk))
    _answer_errors_as_problems(app)
    openapi.install(app, settings, desk.versions)
    app.add_middleware(Gate, settings=settings, metrics=figures)
    return app


def _coding(desk: Desk) -> APIRouter:
    router = APIRouter(prefix="/v1", route_class=_JsonRoute, tags=["coding"])

    @router.post("/code", response_model=CodingResult, operation_id="code")
    async def code(note: CodeRequest, offsets: Unit = "codepoint") -> Response:
        """Codes one note. `offsets` is the unit of every start and end in the result."""
        answer = await desk.code(desk.checked(note), offsets)
        return Response(answer.body, media_type=JSON)

    async def few_notes(request: Request) -> None:
        with suppress(ValueError):  # of a body that is no JSON, which is told where it is read as a batch
            desk.check_batch(await request.json())  # read already; the request keeps it

    @router.post(
        "/code/batch", response_model=BatchResponse, operation_id="code_batch", dependencies=[Depends(few_notes)]
    )
    async def code_batch(request: Request, batch: BatchRequest, offsets: Unit = "codepoint") -> Response:
        """Codes several notes. A note that fails has an error in its place; the others have their results."""
        gone = request.is_disconnected
        body = await desk.batch(batch.notes, offsets, request.state.request_id, gone)
        return Response(body, media_type=JSON)

    @router.get("/versions", operation_id="versions")
    async def versions() -> ServiceVersions:
        """What results are made with, the profiles that may be asked for, and the limits."""
        return desk.versions

    return router


def _decisions(desk: Desk, store: Store) -> APIRouter:
    router = APIRouter(prefix="/v1", route_class=_JsonRoute, tags=["review"])

    @router.post("/decisions", status_code=201, operation_id="decisions")
    def decisions(note: ReviewedNote) -> Stored:
        """Keeps the decisions of a reviewer on one note, with the note. Only with `--store`."""
        desk.check_length(note.text)
        desk.check_profile(note.profile)
        try:
            return Stored(id=note.id, stored=store.add(note))
        except InputError:
            raise ServiceError("store-unavailable", "The decisions were not kept.") from None

    return router


def _fhir(desk: Desk) -> APIRouter:
    router = APIRouter(prefix="/v1/fhir", route_class=_FhirRoute, tags=["fhir"])

    @router.post("/code", operation_id="fhir_code", openapi_extra=openapi.FHIR, response_class=openapi.FhirResponse)
    async def fhir_code(
        request: Request, profile: ForProfile = None, date_of_service: ForDay = None, recorded: Recorded = None
    ) -> Response:
        """Codes the note of a FHIR DocumentReference, Composition or document Bundle; the answer is a Bundle."""
        answer = await desk.fhir(await request.body(), profile, date_of_service, recorded)
        return Response(answer.body, media_type=FHIR_JSON)

    return router


def _watching(pool: Pool, figures: Metrics) -> APIRouter:
    router = APIRouter(tags=["operation"])

    @router.get("/healthz", operation_id="healthz")
    async def healthz() -> Health:
        """Whether the process answers."""
        return Health(status="ok")

    @router.get("/readyz", operation_id="readyz")
    async def readyz() -> Health:
        """Whether notes can be coded: all workers have loaded once, and one of them is there."""
        if not pool.serves:
            raise ServiceError("not-ready", "The workers have not loaded yet.")
        return Health(status="ok")

    @router.get("/openapi.json", include_in_schema=False)
    async def description(request: Request) -> Response:
        return openapi.JsonResponse(request.app.openapi())

    @router.get("/metrics", operation_id="metrics", response_class=openapi.MetricsResponse)
    async def figures_now() -> Response:
        """Figures in the text format of Prometheus. Nothing of a note is in them."""
        return Response(figures.text(), media_type=metrics.MEDIA_TYPE)

    return router


def _page(files: Mapping[str, assets.Asset]) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    def file(name: str) -> Response:
        found = files.get(name)
        if found is None:
            raise problems.of_status(404)
        return Response(found.content, media_type=found.media_type, headers={"Cache-Control": "no-cache"})

    @router.get("/")
    async def index() -> Response:
        return file(assets.INDEX)

    @router.get("/page/{name:path}")
    async def asset(name: str) -> Response:
        return file(name)

    return router


def _answer_errors_as_problems(app: FastAPI) -> None:
    known = frozenset({"body", "query", "path", "header", "offsets", "recorded"}) | openapi.field_names()

    async def answer(request: Request, error: Exception) -> Response:
        if isinstance(error, RequestValidationError):
            found = problems.of_validation(error.errors(), known)
        elif isinstance(error, HTTPException):
            name = "not-json" if error.status_code == 400 else ""
            found = (
                ServiceError(name, "The body is not valid JSON.")
                if name
                else problems.of_status(error.status_code, error.headers)
            )
        else:
            assert isinstance(error, ServiceError)
            found = error
        body = problems.body_of(found.problem(request.state.request_id))
        return Response(body, found.status, found.headers, problems.MEDIA_TYPE)

    for kind in (RequestValidationError, HTTPException, ServiceError):
        app.add_exception_handler(kind, answer)
