"""What `facetcode serve` was asked, checked before anything is loaded."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from extractor.batch.sources import printable
from extractor.errors import InputError

MAX_CHARS = 200_000
BATCH_LIMIT = 100
TIMEOUT = 10.0  # seconds
SHORTEST_TOKEN = 16  # characters
BODY_TIMEOUT = 30.0  # seconds in which a request must have come in
_ESCAPED = 6  # bytes of a character that JSON writes as \u00e9; in UTF-8 it has at most four
_FRAME = 65_536  # bytes for all that is not the note
_LARGE = 8  # a batch and a FHIR document may have so many times the bytes of one note


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`token` is what callers must show, "" for nothing; `timeout` is in seconds a note, `max_chars` in code points."""

    workers: int
    host: str = "127.0.0.1"
    port: int = 8000
    token: str = ""
    store: Path | None = None
    max_chars: int = MAX_CHARS
    batch_limit: int = BATCH_LIMIT
    timeout: float = TIMEOUT
    profile: str = "cpt"
    patterns: Path | None = None
    descriptors: Path | None = None

    @property
    def loopback(self) -> bool:
        return is_loopback(self.host)

    def body_limit(self, path: str) -> int:
        """Bytes that the body of a request to this path may have."""
        one = self.max_chars * _ESCAPED + _FRAME
        return one * _LARGE if path in ("/v1/code/batch", "/v1/fhir/code") else one


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address.

    >>> [is_loopback(host) for host in ("localhost", "127.0.0.1", "::1", "0.0.0.0", "example.org", "")]
    [True, True, True, False, False, False]
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def token_of(host: str, token_file: Path | None) -> str:
    """The token that callers must show. InputError: the address needs one and there is none, or it is no good one.

    The messages name the file and never its content.
    """
    if token_file is None:
        if not is_loopback(host):
            raise InputError(f"--host {printable(host)} can be reached from other machines: it needs --token-file")
        return ""
    shown = printable(str(token_file))
    try:
        token = token_file.read_text("utf-8").strip()
    except OSError as error:
        raise InputError(f"{shown}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{shown}: not UTF-8") from None
    if not token:
        raise InputError(f"{shown}: holds no token")
    if len(token) < SHORTEST_TOKEN:
        raise InputError(f"{shown}: the token is shorter than {SHORTEST_TOKEN} characters")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise InputError(f"{shown}: the token is not one word of printable ASCII, as a header needs it")
    return token
