"""For the tests of the service: a pool without processes, and the real service in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from stubs import stub_code

from extractor.batch.runner import CodeNote
from extractor.service.worker import Answer, AnyJob, reply_to
from extractor.service.workers import Pool

ROOT = Path(__file__).parent.parent
_ROUGH = """
import sys
from stubs import load_rough
from extractor.service.command import Serve, serve
say = lambda line: print(f"facetcode: {line}", file=sys.stderr, flush=True)
call = dict(host="127.0.0.1", port=0, workers=2, token_file=None, store=None, max_chars=5000, batch_limit=5,
    timeout=float(sys.argv[1]), profile="cpt", patterns=None)
serve(Serve(**call), say, load_rough)
"""


class InlinePool(Pool):
    """Codes in this process, with the stub or whatever coder is given."""

    def __init__(self, code: CodeNote = stub_code) -> None:
        super().__init__(lambda: code, 1, limit=10.0)
        self._code = code

    @property
    def ready(self) -> int:
        return 1

    def start(self) -> None:
        pass

    def close(self) -> None:
        pass

    async def code(self, job: AnyJob) -> Answer:
        return self.code_blocking(job)

    def code_blocking(self, job: AnyJob) -> Answer:
        reply = reply_to(job, self._code)
        if isinstance(reply, Answer):
            return reply
        raise reply


class Server:
    """A service that runs. `log` is all that it has written."""

    def __init__(self, process: subprocess.Popen[bytes], written: Path) -> None:
        self.process, self._written = process, written
        self.url = self._wait_for(r"serving on (\S+)")[1]
        self.client = httpx.Client(base_url=self.url, timeout=60)

    @property
    def log(self) -> str:
        return self._written.read_text("utf-8")

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def _wait_for(self, pattern: str) -> re.Match[str]:
        while (found := re.search(pattern, self.log)) is None:
            assert self.process.poll() is None, self.log
            time.sleep(0.02)
        return found

    def wait_until_ready(self) -> None:
        while self.client.get("/readyz").status_code != 200:
            assert self.process.poll() is None, self.log
            time.sleep(0.05)

    def code(self, text: str) -> httpx.Response:
        return self.client.post("/v1/code", json={"text": text})

    def workers(self) -> list[int]:
        """The processes that code notes (Linux)."""
        found = []
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(status.read_text().rpartition(")")[2].split()[1])
                command = (status.parent / "cmdline").read_bytes()
            except (OSError, IndexError):
                continue
            if parent == self.process.pid and b"spawn_main" in command:
                found.append(int(status.parent.name))
        return sorted(found)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=60)


@contextmanager
def served(tmp_path: Path, *options: str, rough: float = 0.0) -> Iterator[Server]:
    """`facetcode serve` with these options; or with the rough stub as its coder and `rough` seconds for a note."""
    command = [sys.executable, "-c", _ROUGH, str(rough)]
    if not rough:
        command = [sys.executable, "-m", "extractor", "serve", "--port", "0", *options]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
    written = tmp_path / "server.log"
    with written.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, env=environment)
        try:
            server = Server(process, written)
            server.wait_until_ready()
            yield server
            server.client.close()
        finally:
            process.kill()
            process.wait()
