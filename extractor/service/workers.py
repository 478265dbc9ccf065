"""Worker processes that code single notes as they come in.

Each worker is looked after by a thread of its own, its keeper (`keeper.py`): it starts the process, hands it one note
at a time, stops it when a note takes too long, and replaces it. So a slow note holds up no other, and a note that ends
its process ends nothing else. A bulk run has another pool (`extractor.batch.pool`), which keeps the order of its input.

What is asked and answered crosses as plain data; the answer is JSON already, so that the server never rebuilds it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress

from extractor.batch.work import LoadCoder
from extractor.service.keeper import Keeper
from extractor.service.worker import Answer, AnyJob, Busy

QUEUE_LIMIT = 256  # notes that may wait: some seconds of work for a few cores

_Entry = tuple[AnyJob, "Future[Answer]"]


class Pool:
    """`code` and `code_blocking` code one note. Between `start` and `close`, as many processes as asked for work.

    `limit` is in seconds: the time that one note may be coded, and the time that it may wait for that. `replaced` is
    told of every worker that is replaced ("died" or "stopped"), `given_up` once when none can be started; `failure`
    then says why.
    """

    def __init__(
        self,
        load: LoadCoder,
        workers: int,
        limit: float,
        *,
        queue_limit: int = QUEUE_LIMIT,
        replaced: Callable[[str], object] = lambda reason: None,
        given_up: Callable[[], object] = lambda: None,
    ) -> None:
        self._load, self.workers, self._limit, self._most = load, workers, limit, queue_limit
        self._replaced, self._given_up = replaced, given_up
        self._context = multiprocessing.get_context("spawn")
        self._queue: queue.Queue[_Entry | None] = queue.Queue()
        self._waiting = 0  # in the queue and not given up
        self._counting = threading.Lock()
        self._keepers = [Keeper(self) for _ in range(workers)]
        self._closing = False
        self._was_ready = False
        self.failure = ""

    @property
    def ready(self) -> int:
        """Workers that have loaded and live."""
        return sum(keeper.ready for keeper in self._keepers)

    @property
    def waiting(self) -> int:
        """Notes that no worker has begun with."""
        return self._waiting

    @property
    def serves(self) -> bool:
        """Whether all workers have loaded once, and one of them is there now."""
        ready = self.ready
        self._was_ready = self._was_ready or ready == self.workers
        return self._was_ready and ready > 0 and not self._closing and not self.failure

    @property
    def full(self) -> bool:
        """Whether no further note would be taken."""
        return self.waiting >= self._most or self._closing or bool(self.failure)

    def start(self) -> None:
        """Begins to start the workers; does not wait for them."""
        for keeper in self._keepers:
            keeper.thread.start()

    def close(self) -> None:
        """Ends every worker, at work or not, and fails what waits."""
        self._closing = True
        for _ in self._keepers:
            self._queue.put(None)
        for keeper in self._keepers:
            keeper.stop()
        for keeper in self._keepers:
            if keeper.thread.ident is not None:
                keeper.thread.join()
        self._drain()

    async def code(self, job: AnyJob) -> Answer:
        """Codes a note. Raises Busy, TooSlow, NoteFault, TooLong, and InputError for what is wrong with the note."""
        future = self._submit(job)
        outcome = asyncio.wrap_future(future)
        done, _ = await asyncio.wait({outcome}, timeout=self._limit)
        if not done:
            self._withdraw(future)
        return await outcome

    def code_blocking(self, job: AnyJob) -> Answer:
        """The same for a thread that may wait."""
        future = self._submit(job)
        try:
            return future.result(timeout=self._limit)
        except TimeoutError:
            self._withdraw(future)
            return future.result()

    def _submit(self, job: AnyJob) -> Future[Answer]:
        future: Future[Answer] = Future()
        with self._counting:
            if self.full:
                raise Busy("too many notes wait to be coded")
            self._waiting += 1
            self._queue.put((job, future))
        return future

    def _withdraw(self, future: Future[Answer]) -> None:
        """Gives a note up that still waits. One that is being coded is left: its keeper sees to the time."""
        if future.cancel():
            with self._counting:
                self._waiting -= 1
            raise Busy("the note waited too long for its turn")

    def _begin(self, future: Future[Answer]) -> bool:
        """Whether a note from the queue is still wanted."""
        if not future.set_running_or_notify_cancel():
            return False
        with self._counting:
            self._waiting -= 1
        return True

    def _give_up(self, why: str) -> None:
        if not self.failure and not self._closing:
            self.failure = why
            self._given_up()
        self._drain()

    def _drain(self) -> None:
        with suppress(queue.Empty):
            while True:
                entry = self._queue.get_nowait()
                if entry is not None and self._begin(entry[1]):
                    entry[1].set_exception(Busy("the service is stopping"))
