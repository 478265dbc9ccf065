"""A worker process and the thread that looks after it: see `workers.py`."""

from __future__ import annotations

import queue
import signal
import threading
import time
from concurrent.futures import Future
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING

from extractor.service.worker import Answer, AnyJob, Busy, NoteFault, Reply, TooSlow, work

if TYPE_CHECKING:
    from extractor.service.workers import Pool

_TRIES = 2  # as in a bulk run: what ended the process may not have been the note
_START_LIMIT = 300.0  # seconds in which a worker must be ready
_STARTS_IN_VAIN = 3  # in a row: the machine, not a note
_SCARCE = 60  # starts in a row for which the machine had no process or file descriptor to spare
_SCARCE_WAIT = 0.5  # seconds to the next try
_LOOK = 1.0  # seconds between two looks at an idle worker


class Keeper:
    """One worker and the thread that looks after it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self.ready = False
        self.thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def stop(self) -> None:
        """Kills the worker; whoever waits for it sees that."""
        process, self.ready = self._process, False
        if process is not None:
            process.kill()

    def _run(self) -> None:
        pool = self._pool
        if hasattr(signal, "pthread_sigmask"):  # inherited: what Ctrl-C and a stop mean, the main process decides
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            self._keep()
        except Exception as error:  # a fault of ours; its message may quote a note
            self._end()
            pool._give_up(f"the keeper of a worker ended ({type(error).__name__})")

    def _keep(self) -> None:
        pool = self._pool
        while self._start():
            while self.ready:
                try:
                    entry = pool._queue.get(timeout=_LOOK)
                except queue.Empty:
                    if self._process is not None and not self._process.is_alive():
                        self._end("died")
                    continue
                if entry is None or pool._closing:
                    self._end()
                    return
                try:
                    self._answer(*entry)
                except Exception:
                    if not entry[1].done():  # nobody else would answer
                        entry[1].set_exception(NoteFault("its worker cannot be used"))
                    raise

    def _start(self) -> bool:
        """A worker that is ready; False when the pool closes or gives up."""
        pool = self._pool
        for _ in range(_STARTS_IN_VAIN):
            here = self._launch()
            if here is None:
                return False
            try:
                said = here.recv() if here.poll(_START_LIMIT) else f"a worker was not ready after {_START_LIMIT:g} s"
            except (EOFError, OSError):
                self._end()
                continue
            if said is None and not pool._closing:
                self.ready = True
                return True
            self._end()
            pool._give_up(str(said))
            return False
        pool._give_up("workers cannot be started: they die before they are ready")
        return False

    def _launch(self) -> Connection | None:
        """Our end of the pipe to a new process. None when the pool closes or gives up, as it does when the machine has
        had none to spare for half a minute."""
        pool = self._pool
        for _ in range(_SCARCE):
            if pool._closing or pool.failure:
                return None
            try:
                here, there = pool._context.Pipe()
            except OSError:
                time.sleep(_SCARCE_WAIT)
                continue
            with there:
                process = pool._context.Process(target=work, args=(there, pool._load), daemon=True)
                try:
                    process.start()
                except OSError:
                    here.close()
                    time.sleep(_SCARCE_WAIT)
                    continue
            self._process, self._pipe = process, here
            return here
        pool._give_up("workers cannot be started: the machine has no process or file descriptor to spare")
        return None

    def _answer(self, job: AnyJob, future: Future[Answer]) -> None:
        if not self._pool._begin(future):
            return
        for _ in range(_TRIES):
            if not self.ready and not self._start():
                future.set_exception(Busy("the service is stopping"))
                return
            assert self._pipe is not None
            try:
                self._pipe.send(job)
                if not self._pipe.poll(self._pool._limit):
                    self._end("stopped")
                    future.set_exception(TooSlow(f"took longer than {self._pool._limit:g} seconds"))
                    return
                reply: Reply = self._pipe.recv()
            except (EOFError, OSError):
                self._end("died")
                continue
            if isinstance(reply, Answer):
                future.set_result(reply)
            else:
                future.set_exception(reply)
            return
        future.set_exception(NoteFault("the process that coded it died"))

    def _end(self, reason: str = "") -> None:
        self.ready = False
        if self._process is not None and self._pipe is not None:
            self._process.kill()
            self._process.join()
            self._pipe.close()
        if reason and not self._pool._closing:
            self._pool._replaced(reason)
