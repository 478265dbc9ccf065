"""Every request passes here: who asks, how much, how long it may come in; and what is written down of it.

The body is read before the application sees the request, up to its limit, so that no route can forget it. Whatever
is raised below ends here, and only its type is logged.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

from extractor.service import problems, security
from extractor.service.metrics import Metrics, shown_method
from extractor.service.problems import ServiceError
from extractor.service.settings import BODY_TIMEOUT, Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOG = logging.getLogger("facetcode.service")
_UNMATCHED = "unmatched"  # the route of what no route is for: a path may hold anything


class _Gone(Exception):
    """The client has gone before its request was whole."""


class Gate:
    """ASGI middleware around the whole service."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self._app, self._settings, self._metrics = app, settings, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        headers = _headers(scope)
        request_id = security.request_id(headers.get(b"x-request-id", b"").decode("latin-1"))
        scope.setdefault("state", {})["request_id"] = request_id
        answer = _Answer(send, request_id)
        try:
            try:
                self._admit(scope["path"], headers)
                body = await self._body(scope["path"], headers, receive)
                await self._app(scope, _Replay(body, receive), answer)
            except ServiceError as error:
                await _refuse(error, request_id, answer)
        except _Gone:
            return
        except Exception as error:  # its message may quote a note
            _LOG.error("a request ended with a fault (%s), request %s", type(error).__name__, request_id)
            if not answer.status:
                await _refuse(problems.of_status(500), request_id, answer)
        route = getattr(scope.get("route"), "path", None) or _UNMATCHED
        method = shown_method(scope["method"])
        self._metrics.answered(method, route, answer.status, time.perf_counter() - start)
        _LOG.info("%s %s %d", method, route, answer.status)

    def _admit(self, path: str, headers: dict[bytes, bytes]) -> None:
        if not security.allows_host(self._settings, headers.get(b"host", b"").decode("latin-1")):
            raise ServiceError("wrong-host", "This service answers to localhost, 127.0.0.1 and [::1] only.")
        if self._settings.token and not security.is_open(path):
            if not security.shows_token(self._settings, headers.get(b"authorization", b"")):
                hint = {"WWW-Authenticate": "Bearer"}
                raise ServiceError("no-token", "Send the header Authorization: Bearer TOKEN.", hint)

    async def _body(self, path: str, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        limit = self._settings.body_limit(path)
        too_large = ServiceError("too-large", f"The body may have {limit} bytes.", {"Connection": "close"})
        told = headers.get(b"content-length", b"0")
        if not told.isdigit() or len(told) > 15 or int(told) > limit:
            raise too_large
        parts, size = [], 0
        try:
            async with asyncio.timeout(BODY_TIMEOUT):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise _Gone
                    part: bytes = message.get("body", b"")
                    size += len(part)
                    if size > limit:
                        raise too_large
                    parts.append(part)
                    if not message.get("more_body", False):
                        return b"".join(parts)
        except TimeoutError:
            seconds = f"{BODY_TIMEOUT:g} seconds"
            raise ServiceError("request-timeout", f"It may take {seconds}.", {"Connection": "close"}) from None


class _Replay:
    """The body once more for the application, then what the client does."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


class _Answer:
    """`send` with the headers that every answer has."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._common = {**security.HEADERS, "X-Request-ID": request_id}
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given: list[tuple[bytes, bytes]] = list(message.get("headers", ()))
            names = {name.lower() for name, _ in given}
            given += [
                (name.lower().encode(), value.encode())
                for name, value in self._common.items()
                if name.lower().encode() not in names
            ]
            message = {**message, "headers": given}
        await self._send(message)


def _headers(scope: Scope) -> dict[bytes, bytes]:
    """The first of each header; a second Host or Content-Length does not come through the HTTP parser."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.lower(), value)
    return found


async def _refuse(error: ServiceError, request_id: str, send: Any) -> None:
    body = problems.body_of(error.problem(request_id))
    headers = {"content-type": problems.MEDIA_TYPE, "content-length": str(len(body)), **error.headers}
    listed = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": error.status, "headers": listed})
    await send({"type": "http.response.body", "body": body})
