"""The service as it runs: its processes, its limits on the wire, its start and its end."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from service_server import ROOT, Server, served
from stubs import SECRET, load_nothing, load_rough, load_slow_reader

from extractor import Coder
from extractor.errors import InputError
from extractor.schema import Note
from extractor.service import command, keeper
from extractor.service.worker import Answer, Busy, FhirJob, Job, NoteFault, TooSlow
from extractor.service.workers import Pool

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


@pytest.fixture
def rough(tmp_path: Path) -> Iterator[Server]:
    """The stub as coder, two workers, a second for a note."""
    with served(tmp_path, rough=1.5) as server:
        yield server


def wait_for(condition: object, seconds: float = 60) -> None:
    """Until it holds; a time that only a hang reaches."""
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def waits(server: Server) -> bool:
    """Whether one note waits, so that all workers are at work."""
    return "facetcode_queue_length 1.0" in server.client.get("/metrics").text


# -- the pool by itself ----------------------------------------------------------------------------------------------


def job(text: str) -> Job:
    return Job(Note(id="n", text=text))


def test_the_pool_replaces_what_dies_or_hangs_and_refuses_what_is_too_much() -> None:
    replaced: list[str] = []
    pool = Pool(load_rough, 1, limit=1.5, queue_limit=1, replaced=replaced.append)
    assert not pool.serves
    pool.start()
    try:
        wait_for(lambda: pool.serves)
        assert pool.code_blocking(job("facet")).status == "coded"
        with pytest.raises(NoteFault, match=r"could not be coded \(ValueError\)") as fault:
            pool.code_blocking(job(f"crash {SECRET}"))
        assert SECRET not in str(fault.value)
        with pytest.raises(InputError, match="unknown profile"):
            pool.code_blocking(Job(Note(id="n", text="facet", profile="gold")))
        assert replaced == []
        with pytest.raises(NoteFault, match="the process that coded it died"):
            pool.code_blocking(job("die"))
        assert replaced == ["died", "died"]
        with pytest.raises(TooSlow, match=r"took longer than 1\.5 seconds"):
            pool.code_blocking(job("slow"))
        assert replaced == ["died", "died", "stopped"]

        async def three() -> list[Answer | BaseException]:
            slow = asyncio.create_task(pool.code(job("slow")))
            await asyncio.to_thread(wait_for, lambda: pool.waiting == 0 and pool.ready == 1)
            await asyncio.sleep(0.1)
            return await asyncio.gather(slow, pool.code(job("a")), pool.code(job("b")), return_exceptions=True)

        pool.code_blocking(job("facet"))  # the new worker is there
        outcomes = asyncio.run(three())
        assert [type(outcome) for outcome in outcomes] == [TooSlow, Busy, Busy]
        assert pool.code_blocking(job("facet")).status == "coded"
    finally:
        pool.close()
    with pytest.raises(Busy):
        pool.code_blocking(job("facet"))


def test_a_fhir_resource_that_takes_for_ever_to_read_is_given_up() -> None:
    replaced: list[str] = []
    pool = Pool(load_slow_reader, 1, limit=1.5, replaced=replaced.append)
    pool.start()
    try:
        wait_for(lambda: pool.serves)
        with pytest.raises(TooSlow):
            pool.code_blocking(FhirJob(b"{}", max_chars=10))
        assert replaced == ["stopped"]
        wait_for(lambda: pool.ready == 1)
        assert pool.code_blocking(job("facet")).status == "coded"
    finally:
        pool.close()


def test_a_pool_whose_coder_cannot_be_built_says_why_once() -> None:
    given_up: list[None] = []
    pool = Pool(load_nothing, 2, limit=5.0, given_up=lambda: given_up.append(None))
    pool.start()
    wait_for(lambda: pool.failure)
    with pytest.raises(Busy):
        pool.code_blocking(job("facet"))
    pool.close()
    assert (pool.failure, len(given_up)) == ("unknown profile gold", 1)


def die_at_once() -> object:
    os._exit(3)


def test_a_pool_whose_workers_die_before_they_are_ready_gives_up() -> None:
    pool = Pool(die_at_once, 1, limit=5.0)  # type: ignore[arg-type]
    pool.start()
    wait_for(lambda: pool.failure)
    pool.close()
    assert pool.failure == "workers cannot be started: they die before they are ready"


class Scarce:
    """multiprocessing's context on a machine that has no pipe and no process to spare for some tries."""

    def __init__(self, pool: Pool, tries: int) -> None:
        self._true, self._left = pool._context, tries

    def _spare(self) -> None:
        self._left -= 1
        if self._left >= 0:
            raise OSError(errno.EMFILE, "Too many open files")

    def Pipe(self) -> object:
        if self._left > 1:
            self._spare()
        return self._true.Pipe()

    def Process(self, **options: Any) -> object:
        process, spare = self._true.Process(**options), self._spare

        class Starting:  # around it, as the process itself is pickled
            def start(self) -> None:
                spare()
                process.start()

            def __getattr__(self, name: str) -> object:
                return getattr(process, name)

        return Starting()


def test_a_worker_is_started_when_the_machine_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "_SCARCE_WAIT", 0.01)
    pool = Pool(load_rough, 1, limit=5.0)
    pool._context = Scarce(pool, 4)  # type: ignore[assignment]
    pool.start()
    try:
        wait_for(lambda: pool.serves)
        assert pool.code_blocking(job("facet")).status == "coded"
    finally:
        pool.close()


def test_a_machine_that_never_can_ends_the_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "_SCARCE_WAIT", 0.01)
    pool = Pool(load_rough, 1, limit=5.0)
    pool._context = Scarce(pool, 10_000)  # type: ignore[assignment]
    pool.start()
    wait_for(lambda: pool.failure)
    pool.close()
    assert pool.failure == "workers cannot be started: the machine has no process or file descriptor to spare"


def test_a_fault_of_a_keeper_answers_its_note_and_ends_the_pool() -> None:
    pool = Pool(load_rough, 1, limit=5.0)
    pool.start()
    wait_for(lambda: pool.serves)
    unsendable = Job(threading.Lock())  # type: ignore[arg-type]
    with pytest.raises(NoteFault, match="its worker cannot be used"):
        pool.code_blocking(unsendable)
    wait_for(lambda: pool.failure)
    pool.close()
    assert pool.failure == "the keeper of a worker ended (TypeError)"


# -- notes that die, hang, or wait -----------------------------------------------------------------------------------


def test_a_note_that_ends_its_worker_ends_nothing_else(rough: Server) -> None:
    before = rough.workers()
    with ThreadPoolExecutor(4) as threads:
        texts = ["die", "facet", "facet side?", "plain"]
        found = [answer.status_code for answer in threads.map(rough.code, texts)]
    assert found == [500, 200, 200, 200]
    wait_for(lambda: len(rough.workers()) == 2)
    assert rough.workers() != before
    assert 'facetcode_workers_replaced_total{reason="died"} 2.0' in rough.client.get("/metrics").text


def test_a_note_over_the_time_ends_as_422_and_holds_up_no_other(rough: Server) -> None:
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(rough.code, f"slow {SECRET}")
        others = [rough.code("facet").status_code for _ in range(5)]
        assert not slow.done()
        answer = slow.result()
    assert others == [200] * 5
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:facetcode:problem:note-too-slow")
    assert answer.json()["detail"].startswith("The note took longer than 1.5 seconds.")
    assert rough.code("facet").status_code == 200
    assert SECRET not in answer.text + rough.log


def test_an_idle_worker_that_is_killed_is_replaced(rough: Server) -> None:
    before = rough.workers()
    os.kill(before[0], signal.SIGKILL)
    wait_for(lambda: len(set(rough.workers()) - set(before)) == 1)
    rough.wait_until_ready()
    assert [rough.code("facet").status_code for _ in range(4)] == [200] * 4


# -- the end ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_finishes_what_is_under_way(rough: Server, number: signal.Signals) -> None:
    workers = rough.workers()
    with ThreadPoolExecutor(3) as threads:
        under_way = [threads.submit(rough.code, "pause facet") for _ in range(3)]  # two at work, one waits
        wait_for(lambda: waits(rough))
        for pid in workers:
            os.kill(pid, number)  # a supervisor tells all processes, a terminal too
        assert rough.stop(number) == 0
        assert [answer.result().status_code for answer in under_way] == [200, 200, 200]
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]
    assert "Traceback" not in rough.log


def test_workers_end_with_a_service_that_is_killed(rough: Server) -> None:
    workers = rough.workers()
    assert len(workers) == 2
    with ThreadPoolExecutor(3) as threads:
        for _ in range(3):  # an idle worker would see its pipe close: two are at work, one note waits
            threads.submit(rough.code, "slow")
        wait_for(lambda: waits(rough))
        rough.process.kill()
    wait_for(lambda: not [pid for pid in workers if Path(f"/proc/{pid}").exists()])


# -- the wire --------------------------------------------------------------------------------------------------------

HEAD = b"POST /v1/code HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
LIMIT = 5000 * 6 + 65_536  # of a service for notes of 5000 characters
CHUNK = b"1000\r\n" + b"x" * 0x1000 + b"\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (HEAD + b"Content-Length: %d\r\n\r\n" % (LIMIT + 1), 413),  # not one byte of the body is waited for
        (HEAD + b"Content-Length: 99999999999999999999\r\n\r\n", 413),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNK * (LIMIT // 0x1000 + 1), 413),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNK + b"0\r\n\r\n", 400),
        (HEAD + b'Content-Length: 17\r\n\r\n{"text": "facet"}', 200),
        (HEAD + b"Content-Length: 0\r\n\r\n", 422),
        (HEAD + b"Content-Length: -1\r\n\r\n", 400),
        (HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{", 400),
        (HEAD + b"Host: evil.example\r\n\r\n", 400),
        (b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: %s\r\n\r\n" % (b"x" * 300_000), 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 not HTTP\r\n\r\n", 400),
    ],
    ids=range(14),
)
def test_what_comes_in_is_bounded(wire: Server, sent: bytes, status: int) -> None:
    with socket.create_connection(("127.0.0.1", wire.port), timeout=60) as connection:
        connection.sendall(sent)
        answer = connection.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:200]
    assert wire.client.get("/healthz").status_code == 200


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("wire"), rough=30) as server:
        yield server


def test_a_client_that_goes_before_it_has_told_all_leaves_no_trace(wire: Server) -> None:
    for part in (HEAD, HEAD + b"Content-Length: 50\r\n\r\n{", HEAD + b'Content-Length: 17\r\n\r\n{"text": "pause"}'):
        with socket.create_connection(("127.0.0.1", wire.port)) as connection:
            connection.sendall(part)
    assert wire.code("facet").status_code == 200
    assert "Traceback" not in wire.log
    assert " 500" not in wire.log


def test_fifty_clients_at_once_are_all_answered(wire: Server) -> None:
    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(wire.code, ["facet"] * 200))
    assert {answer.status_code for answer in answers} == {200}


# -- the true service ------------------------------------------------------------------------------------------------


def test_the_service_answers_with_the_bytes_of_the_library(tmp_path: Path) -> None:
    licensed = tmp_path / "licensed.csv"
    licensed.write_text("code,descriptor\n64493,Ours\n", encoding="utf-8")
    coder = Coder(profile="medicare", descriptors=licensed)
    text = f"Patient: {SECRET}\n" + (ROOT / "corpus/samples/02-bilateral-facet-joints.txt").read_text("utf-8")
    store = str(tmp_path / "s.sqlite")
    options = ("--workers", "1", "--profile", "medicare", "--store", store, "--descriptors", str(licensed))
    with served(tmp_path, *options) as server:
        answer = server.client.post(f"/v1/code?offsets=codepoint&x={SECRET}", json={"text": text, "id": "n1"})
        expected = coder.code(text, id="n1")
        assert expected.lines[0].descriptor == "Ours"
        assert answer.content == expected.to_json().encode()
        wrong = server.client.post("/v1/code", json={"text": text, SECRET: SECRET})
        assert wrong.status_code == 422
        assert server.client.get("/v1/versions").json()["store"] is True
        figures = server.client.get("/metrics").text
        assert server.stop() == 0
        told = server.log + figures + wrong.text
    assert "POST /v1/code 200" in told
    for word in SECRET.split():
        assert word not in told
    with (tmp_path / "s.sqlite").open("rb") as stored:
        assert SECRET.encode() not in stored.read()  # coding alone stores nothing


# -- the start -------------------------------------------------------------------------------------------------------


def serve(*options: str) -> subprocess.CompletedProcess[bytes]:
    given = [sys.executable, "-m", "extractor", "serve", *options]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(given, capture_output=True, env=environment, check=False, timeout=120)


def test_a_start_that_cannot_be_is_one_clear_line(tmp_path: Path) -> None:
    token, store, bad = tmp_path / "token", tmp_path / "other.sqlite", tmp_path / "patterns"
    token.write_text(f"{SECRET[:8]}")
    store.write_text("no database, but some words of somebody" * 9)
    store.chmod(0o600)
    bad.mkdir()
    (bad / "agents.csv").write_text("nonsense\n1\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for options, why in (
            (("--host", "0.0.0.0"), b"--host 0.0.0.0 can be reached from other machines: it needs --token-file"),
            (("--host", "0.0.0.0", "--token-file", str(token)), b"the token is shorter than 16 characters"),
            (("--token-file", str(tmp_path / "gone")), b"gone: cannot be read (No such file or directory)"),
            (("--port", port), b"127.0.0.1 port %s: cannot be listened on (Address already in use)" % port.encode()),
            (("--profile", "gold"), b"no such profile; known profiles: cpt, medicare, medicare-asc, medicare-hopd"),
            (("--descriptors", str(tmp_path / "gone.csv")), b"gone.csv: cannot be read (No such file or directory)"),
            (("--store", str(store)), b"other.sqlite: cannot be used (DatabaseError)"),
            (("--port", "0", "--patterns", str(tmp_path / "nowhere")), b"nowhere: no such patterns folder"),
        ):
            done = serve(*options)
            assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1), done.stderr
            assert why in done.stderr
            assert SECRET[:8].encode() not in done.stderr
    done = serve("--port", "0", "--patterns", str(bad), "--workers", "1")  # the workers find that out
    assert done.returncode == 2
    assert done.stderr.rstrip().split(b"\n")[-1].startswith(b"facetcode: overlay agents.csv: the first line must name")


def test_answers_are_not_held_back_by_nagle() -> None:
    """asyncio turns its delay (40 ms an answer) off for sockets only that name their protocol."""
    with command._listener("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP
        assert listener.getsockname()[0] == "127.0.0.1"
    with command._listener("localhost", 0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
    with pytest.raises(InputError, match=r"no-such-host\.invalid port 1: cannot be listened on"):
        command._listener("no-such-host.invalid", 1)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_NEEDED", ("json", "no_such_module"))
    with pytest.raises(InputError, match=r"facetcode serve needs `pip install 'facetcode\[api\]'`"):
        command.serve(None, print)  # type: ignore[arg-type]


@pytest.mark.parametrize("arguments", [["serve", "--help"], ["feedback", "export", "--help"]])
def test_help_needs_nothing_heavy(arguments: list[str]) -> None:
    probe = f"""
import sys
from extractor.cli import main
try:
    main({arguments!r})
except SystemExit as stopped:
    assert not stopped.code
heavy = {{"spacy", "pydantic", "fastapi", "uvicorn", "starlette", "prometheus_client", "sqlite3"}} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", probe], check=True, cwd=ROOT, capture_output=True)


def test_workers_and_the_export_need_no_web_framework() -> None:
    probe = """
import sys
import extractor.service.workers, extractor.service.feedback
heavy = {"fastapi", "uvicorn", "starlette", "prometheus_client"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", probe], check=True, cwd=ROOT, capture_output=True)
