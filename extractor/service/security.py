"""Who may ask, and what every answer carries. Who may reach what is written in docs/threat-model.md."""

from __future__ import annotations

import hmac
import logging
import re
import uuid
from collections.abc import Mapping
from types import TracebackType

from extractor.service.settings import Settings

OPEN = ("/", "/page/", "/healthz", "/readyz", "/openapi.json")  # holds nothing of anybody; the page asks for the token
_HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(?::[0-9]{1,5})?", re.ASCII)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_BEARER = re.compile(rb"bearer +(\S+) *", re.IGNORECASE)

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",  # answers hold words of notes
}


def is_open(path: str) -> bool:
    """Whether the path needs no token."""
    return path in OPEN or path.startswith("/page/")


def shows_token(settings: Settings, authorization: bytes) -> bool:
    """Whether the Authorization header shows the token. Takes the same time wherever a wrong one differs."""
    match = _BEARER.fullmatch(authorization)
    shown = match[1] if match else b""
    return hmac.compare_digest(shown, settings.token.encode())


def allows_host(settings: Settings, host: str) -> bool:
    """Whether a request with this Host header is for us. On a loopback address a page of another name must not reach
    the service by a name that it has let point here (DNS rebinding).

    >>> here = Settings(workers=1)
    >>> [allows_host(here, host) for host in ("localhost:8000", "127.0.0.1", "[::1]:80", "evil.example", "")]
    [True, True, True, False, False]
    """
    if not settings.loopback:
        return True  # the name is not known here; a token is needed
    match = _HOST.fullmatch(host)
    own = f"[{settings.host}]" if ":" in settings.host else settings.host
    return match is not None and match["name"].lower() in ("localhost", "127.0.0.1", "[::1]", own)


def request_id(given: str) -> str:
    """The caller's id of the request where it is short and plain, else a new one."""
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


class PlainFormatter(logging.Formatter):
    """Log lines in which an exception is its type alone: its message and its traceback may quote a note."""

    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        return ei[0].__name__ if ei[0] is not None else ""

    def formatStack(self, stack_info: str) -> str:
        return ""


def log_config() -> dict[str, object]:
    """Logging of the server process: to standard error, without the access log of uvicorn, which would show queries."""
    quiet = {"handlers": [], "level": "CRITICAL", "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"plain": {"()": PlainFormatter, "format": "%(levelname)s %(name)s: %(message)s"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {"uvicorn.access": quiet, "uvicorn.error": {"level": "INFO"}, "facetcode": {"level": "INFO"}},
    }
