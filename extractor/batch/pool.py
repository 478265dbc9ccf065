"""Worker processes that code chunks of notes. Only plain records cross: a spaCy pipeline cannot be pickled.

Each worker builds its own coder and reports note by note, so that the main process always knows which note a worker is
at. A worker that dies is replaced: the note it was at is tried once more alone, and fails when its worker dies again. A
note that takes longer than the limit fails, and its worker is replaced. Outcomes come in the order of the chunks.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from extractor.batch.sources import Incoming
from extractor.batch.work import Failed, LoadCoder, Outcome, code_item
from extractor.errors import FacetcodeError, InputError

CHUNKS_IN_FLIGHT = 3  # a worker: one at work, two ready, so that a slow note does not stall the others
_TRIES = 2
_START_LIMIT = 300.0  # seconds in which a worker must be ready
_STOPS_IN_A_ROW = 3  # workers that died before they were ready: the machine, not a note
Chunk = Sequence[Incoming]


@dataclass(slots=True)
class _Task:
    """Some notes of a chunk, by their places in it."""

    chunk: int
    places: list[int]


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    pipe: Connection
    task: _Task | None = None
    done: int = 0  # notes of the task that it has reported
    since: float = field(default_factory=time.monotonic)  # when it began with what it is at
    ready: bool = False


@dataclass(slots=True)
class _Open:
    """A chunk that is being coded: its notes, their outcomes, and how often each note was tried."""

    items: Chunk
    outcomes: list[Outcome | None]
    tries: dict[int, int] = field(default_factory=dict)


def usable_cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


class Pool:
    """`map` codes chunks; leave by `close`, whatever happens (`with Pool(...) as pool`)."""

    def __init__(self, load: LoadCoder, workers: int, day: str | None, note_timeout: float | None = None) -> None:
        self._load, self._day, self._limit = load, day, note_timeout
        self._context = multiprocessing.get_context("spawn")
        self._count = workers
        self._workers: list[_Worker] = []
        self._stops = 0

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends every worker, at work or not."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
            worker.pipe.close()
        self._workers.clear()

    def map(self, chunks: Iterable[Chunk]) -> Iterator[list[Outcome]]:
        """The outcomes of each chunk, in order. InputError when no worker can start."""
        source = enumerate(chunks)
        opened: dict[int, _Open] = {}
        tasks: deque[_Task] = deque()
        following, more = 0, True
        while len(self._workers) < self._count:
            self._workers.append(self._start())
        while True:
            while more and len(opened) < CHUNKS_IN_FLIGHT * self._count:
                entry = next(source, None)
                if entry is None:
                    more = False
                    break
                number, items = entry
                opened[number] = _Open(items, [None] * len(items))
                if items:
                    tasks.append(_Task(number, list(range(len(items)))))
            for worker in self._workers:
                if worker.ready and worker.task is None and tasks:
                    self._give(worker, tasks.popleft(), opened)
            while following in opened and all(outcome is not None for outcome in opened[following].outcomes):
                yield [outcome for outcome in opened.pop(following).outcomes if outcome is not None]
                following += 1
            if not opened and not more:
                return
            engaged = [worker.task is not None or not worker.ready for worker in self._workers]
            if all(engaged) or any(engaged) and not tasks:  # none at work: nothing to wait for, more can be opened
                self._listen(opened, tasks)

    def _start(self) -> _Worker:
        here, there = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(there, self._load, self._day), daemon=True)
        before = signal.signal(signal.SIGINT, signal.SIG_IGN) if _in_main_thread() else None  # workers inherit it
        try:
            process.start()
        finally:
            if before is not None:
                signal.signal(signal.SIGINT, before)
        there.close()
        return _Worker(process, here)

    def _give(self, worker: _Worker, task: _Task, opened: dict[int, _Open]) -> None:
        items = opened[task.chunk].items
        worker.task, worker.done, worker.since = task, 0, time.monotonic()
        with suppress(OSError):  # it has died; `_listen` sees that
            worker.pipe.send([items[place] for place in task.places])

    def _listen(self, opened: dict[int, _Open], tasks: deque[_Task]) -> None:
        """Waits until a worker reports, dies or is too late, and takes in what there is."""
        busy = {worker.pipe: worker for worker in self._workers if worker.task is not None or not worker.ready}
        for pipe in wait(list(busy), timeout=self._patience(busy.values())):
            assert isinstance(pipe, Connection)
            worker = busy[pipe]
            try:
                message = pipe.recv()
            except (EOFError, OSError):
                self._replace(worker, opened, tasks, "the process that coded it died")
                continue
            if isinstance(message, str):
                raise InputError(message)  # the coder cannot be built
            worker.since = time.monotonic()
            if message is None:
                worker.ready, self._stops = True, 0
                continue
            self._take(worker, message, opened)
        now = time.monotonic()
        for worker in list(self._workers):
            if worker.task is not None and worker.ready and self._limit and now - worker.since > self._limit:
                self._replace(worker, opened, tasks, f"took longer than {self._limit:g} seconds", again=False)
            elif not worker.ready and now - worker.since > _START_LIMIT:
                raise InputError(f"a worker was not ready after {_START_LIMIT:g} seconds")

    def _patience(self, workers: Iterable[_Worker]) -> float:
        if self._limit is None:
            return 60.0
        now = time.monotonic()
        return max(0.01, min([1.0, *(worker.since + self._limit - now for worker in workers if worker.ready)]))

    def _take(self, worker: _Worker, outcome: Outcome, opened: dict[int, _Open]) -> None:
        task = worker.task
        assert task is not None
        opened[task.chunk].outcomes[task.places[worker.done]] = outcome
        worker.done += 1
        if worker.done == len(task.places):
            worker.task = None

    def _replace(
        self, worker: _Worker, opened: dict[int, _Open], tasks: deque[_Task], reason: str, again: bool = True
    ) -> None:
        """A new worker for one that died or is stopped. Its notes go to the head of the queue, the one it was at by
        itself."""
        worker.process.kill()
        worker.process.join()
        worker.pipe.close()
        self._stops += not worker.ready
        if self._stops >= _STOPS_IN_A_ROW:
            raise InputError("workers cannot be started: they die before they are ready")
        self._workers[self._workers.index(worker)] = self._start()
        task = worker.task
        if task is None:
            return
        chunk, (at, *rest) = opened[task.chunk], task.places[worker.done :]
        if rest:
            tasks.appendleft(_Task(task.chunk, rest))
        chunk.tries[at] = chunk.tries.get(at, 0) + 1
        if again and chunk.tries[at] < _TRIES:
            tasks.appendleft(_Task(task.chunk, [at]))
        else:
            item = chunk.items[at]
            chunk.outcomes[at] = Failed(item.note.id, item.where, reason)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def end_with_parent() -> None:
    """Ends a worker whose main process was killed, however long its note still takes."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _serve(pipe: Connection, load: LoadCoder, day: str | None) -> None:
    """What a worker does until its pipe closes: None when it is ready, then one outcome a note, in order."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process decides what Ctrl-C means
    threading.Thread(target=end_with_parent, daemon=True).start()
    try:
        code = load()
    except FacetcodeError as error:
        pipe.send(str(error))
        return
    try:
        pipe.send(None)
        while True:
            for item in pipe.recv():
                pipe.send(code_item(item, code, day))
    except (EOFError, OSError):
        return  # the main process has gone
