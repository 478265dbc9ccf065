"""`facetcode serve`: the call checked, the address taken, the server run until it is told to stop."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from extractor.batch.pool import usable_cores
from extractor.batch.sources import printable
from extractor.descriptors import Descriptors
from extractor.errors import InputError
from extractor.loading import load_coder
from extractor.service.settings import Settings, token_of

if TYPE_CHECKING:
    from extractor.batch.work import LoadCoder

_NEEDED = ("fastapi", "uvicorn", "prometheus_client")
_BACKLOG = 512
_KEEP_ALIVE = 30  # seconds an idle connection is kept
_MOST_HEADERS = 65_536  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Serve:
    """What the command line asks. Without `workers`, one for each core."""

    host: str
    port: int
    workers: int | None
    token_file: Path | None
    store: Path | None
    max_chars: int
    batch_limit: int
    timeout: float
    profile: str
    patterns: Path | None
    descriptors: Path | None = None


def serve(call: Serve, say: Callable[[str], object], load: LoadCoder | None = None) -> None:
    """Serves until SIGTERM or Ctrl-C, finishes what is under way, and returns. `say` gets a line for people.

    InputError: the call is wrong, the address cannot be had, or the workers cannot be started.
    """
    if not all(find_spec(name) for name in _NEEDED):
        raise InputError("facetcode serve needs `pip install 'facetcode[api]'`")
    token = token_of(call.host, call.token_file)
    settings = Settings(
        host=call.host,
        port=call.port,
        workers=call.workers or usable_cores(),
        token=token,
        store=call.store,
        max_chars=call.max_chars,
        batch_limit=call.batch_limit,
        timeout=call.timeout,
        profile=call.profile,
        patterns=call.patterns,
        descriptors=call.descriptors,
    )
    for line in _warnings(settings, call.token_file):
        say(line)
    if settings.descriptors is not None:
        Descriptors.load(settings.descriptors)  # what is wrong with it is told before anything starts
    _run(settings, load or partial(load_coder, settings.profile, settings.patterns, settings.descriptors), say)


def _run(settings: Settings, load: LoadCoder, say: Callable[[str], object]) -> None:
    import uvicorn

    from extractor.service.app import create_app
    from extractor.service.metrics import Metrics
    from extractor.service.security import log_config
    from extractor.service.store import Store
    from extractor.service.workers import Pool

    figures = Metrics()
    server: uvicorn.Server | None = None

    def stop(*_: object) -> None:
        if server is not None:
            server.should_exit = True

    pool = Pool(load, settings.workers, settings.timeout, replaced=figures.replaced, given_up=stop)
    store = None if settings.store is None else Store(settings.store)
    app = create_app(settings, pool, store, figures)
    listener = _listener(settings.host, settings.port)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http="h11",
            loop="asyncio",
            ws="none",
            lifespan="on",
            log_config=log_config(),
            access_log=False,  # it would show queries; gate.py has its own
            server_header=False,
            proxy_headers=False,
            backlog=_BACKLOG,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=int(2 * settings.timeout) + 5,  # a note waits, is coded; a long batch is cut
            h11_max_incomplete_event_size=_MOST_HEADERS,
        )
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)  # uvicorn raises the signal once more when it has stopped: that is no reason to die
    host, port = listener.getsockname()[:2]
    shown, count = f"[{host}]" if ":" in host else host, settings.workers
    say(f"serving on http://{shown}:{port} with {count} worker{'' if count == 1 else 's'}")
    try:
        server.run(sockets=[listener])
    finally:
        pool.close()
        listener.close()
    if pool.failure:
        raise InputError(pool.failure)


def _listener(host: str, port: int) -> socket.socket:
    shown = f"{printable(host)} port {port}"
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
        listener = socket.socket(family, kind, protocol)  # without the protocol asyncio leaves Nagle's delay on: 40 ms
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(_BACKLOG)  # what comes from here on waits
        except OSError:
            listener.close()
            raise
        return listener
    except OSError as error:
        raise InputError(f"{shown}: cannot be listened on ({error.strerror})") from None


def _warnings(settings: Settings, token_file: Path | None) -> list[str]:
    found = []
    if token_file is not None and token_file.stat().st_mode & 0o077:
        found.append(f"{printable(str(token_file))}: others on this machine may read it")
    if not settings.loopback:
        found.append("notes cross the network as plain HTTP: put a proxy with TLS in front")
    return found
