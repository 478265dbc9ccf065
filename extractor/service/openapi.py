"""The OpenAPI description: what FastAPI makes of routes and models, with the errors and limits that it cannot know."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi

from extractor.schema import Versions
from extractor.service import metrics, models, problems
from extractor.service.models import Problem, ServiceVersions
from extractor.service.settings import Settings

_EXAMPLES = Path(__file__).parent / "examples.json"
_LICENCE = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_ALWAYS = ("wrong-host",)
_BODY = ("not-json", "request-timeout", "too-large", "wrong-media-type", "wrong-request", "fault", "busy")
_BY_PATH = {"/readyz": ("not-ready",), "/v1/decisions": ("store-unavailable",)}
FHIR: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/fhir+json": {"schema": {"type": "object", "required": ["resourceType"]}}},
    }
}


class JsonResponse(Response):
    """Plain data as JSON."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


class FhirResponse(JsonResponse):
    """A FHIR resource."""

    media_type = "application/fhir+json"


class MetricsResponse(Response):
    """Figures for Prometheus."""

    media_type = metrics.MEDIA_TYPE


def field_names() -> frozenset[str]:
    """The names of all fields that a request may have."""
    known = (models.CodeRequest, models.BatchRequest, models.ReviewedNote, models.DecidedLine, Versions)
    return frozenset(name for model in known for name in model.model_fields)


@cache
def examples() -> dict[str, Any]:
    """Requests and answers by operation id; lists of an answer are shortened. The tests hold them against the coder."""
    found: dict[str, Any] = json.loads(_EXAMPLES.read_text("utf-8"))
    note, result = found["code"]["request"], found["code"]["200"]
    found["code_batch"] = {"request": {"notes": [note]}, "200": {"results": [{"id": note["id"], "result": result}]}}
    return found


def install(app: FastAPI, settings: Settings, versions: ServiceVersions) -> None:
    """Makes `/openapi.json` the full description."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app, settings, versions)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _described(app: FastAPI, settings: Settings, versions: ServiceVersions) -> dict[str, Any]:
    found = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, license_info=_LICENCE
    )
    components = found.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema()
    _limit(schemas, versions)
    for path, operations in found["paths"].items():
        for operation in operations.values():
            _add_problems(path, operation, bool(settings.token))
            _add_examples(operation)
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == "profile":
                    _limit_profile(parameter["schema"], versions)
    if settings.token:
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return found


def _limit(schemas: dict[str, Any], versions: ServiceVersions) -> None:
    for name in ("CodeRequest", "ReviewedNote"):
        if name in schemas:
            fields = schemas[name]["properties"]
            fields["text"]["maxLength"] = versions.limits.max_chars
            _limit_profile(fields["profile"], versions)
    schemas["BatchRequest"]["properties"]["notes"]["maxItems"] = versions.limits.batch


def _limit_profile(field: dict[str, Any], versions: ServiceVersions) -> None:
    for kind in field.get("anyOf", [field]):
        if kind.get("type") == "string":
            kind["enum"] = versions.profiles


def _add_problems(path: str, operation: dict[str, Any], token: bool) -> None:
    names = [*_ALWAYS, *_BY_PATH.get(path, ())]
    if "requestBody" in operation:
        names += _BODY
    if token and path not in ("/healthz", "/readyz"):
        names.append("no-token")
        operation["security"] = [{"token": []}]
    responses = operation["responses"]
    responses.pop("422", None)
    titles: dict[int, list[str]] = {}
    for name in names:
        status, title = problems.KINDS[name]
        titles.setdefault(status, []).append(title)
    for status, told in sorted(titles.items()):
        answer: dict[str, Any] = {
            "description": "; ".join(told),
            "content": {problems.MEDIA_TYPE: {"schema": _PROBLEM}},
        }
        if status == 503:
            answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
        responses[str(status)] = answer
    for answer in responses.values():
        answer.setdefault("headers", {})["X-Request-ID"] = {"schema": {"type": "string"}}


def _add_examples(operation: dict[str, Any]) -> None:
    for place, example in examples().get(operation["operationId"], {}).items():
        holder = operation["requestBody"] if place == "request" else operation["responses"][place]
        for content in holder["content"].values():
            content["example"] = example
