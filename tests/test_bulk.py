"""Bulk runs: workers that die or hang, runs that are stopped and go on, the same bytes whatever happens."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from stubs import SECRET, load_nothing, load_rough, rough_code

from extractor.batch import bulk, pool
from extractor.batch.journal import Journal, State, write_whole
from extractor.batch.pool import Pool
from extractor.batch.progress import Progress, summary, summary_table
from extractor.batch.sources import BadRecord, Incoming, Item, Remark
from extractor.batch.work import Coded, Outcome
from extractor.errors import InputError
from extractor.schema import ClaimLine, CodingResult, Note, Suggestion, SupplyLine


def note(number: int, text: str = "facet") -> Incoming:
    return Incoming(f"n.jsonl line {number}", Note(id=f"n{number}", text=f"{text} {number}"))


def ended(outcomes: list[Outcome]) -> list[str]:
    return [one.status if isinstance(one, Coded) else one.reason for one in outcomes]


# -- the pool ------------------------------------------------------------------------------------------------------


def test_outcomes_come_in_the_order_of_the_chunks() -> None:
    chunks = [[note(10 * at + i, "facet" if i % 2 else "plain") for i in range(at + 1)] for at in range(12)]
    with Pool(load_rough, 2, None) as pool:
        found = list(pool.map(chunks))
    assert [[one.id for one in chunk] for chunk in found] == [[item.note.id for item in chunk] for chunk in chunks]


def test_a_note_that_ends_its_worker_fails_alone() -> None:
    chunks = [[note(1), note(2, "die"), note(3)], [note(4)], [note(5, "die")], [], [note(6)]]
    with Pool(load_rough, 2, None) as pool:
        found = [ended(chunk) for chunk in pool.map(chunks)]
    dead = "the process that coded it died"
    assert found == [["coded", dead, "coded"], ["coded"], [dead], [], ["coded"]]


def test_a_note_that_takes_too_long_fails_alone() -> None:
    with Pool(load_rough, 1, None, note_timeout=1.0) as pool:
        found = [ended(chunk) for chunk in pool.map([[note(1), note(2, "slow"), note(3)]])]
    assert found == [["coded", "took longer than 1 seconds", "coded"]]


def test_a_coder_that_cannot_be_built_is_told_once() -> None:
    with Pool(load_nothing, 2, None) as pool, pytest.raises(InputError, match="unknown profile gold"):
        list(pool.map([[note(1)]]))


# -- runs ----------------------------------------------------------------------------------------------------------


def records(count: int) -> list[Item]:
    """Notes of all outcomes, with bad records and remarks between them."""
    kinds = ["facet", "plain", "facet side?", f"crash {SECRET}"]
    found: list[Item] = []
    for number in range(count):
        if number % 17 == 5:
            found.append(BadRecord(f"n.jsonl line {number}", "not valid JSON"))
        elif number % 23 == 7:
            found.append(Remark(f"n.jsonl line {number}", "not UTF-8"))
        else:
            found.append(note(number, kinds[number % 4]))
    return found


class Stopped(BaseException):
    """As Ctrl-C would."""


def job(items: Iterator[Item] | list[Item], lines: list[str], workers: int = 2, **options: object) -> bulk.Bulk:
    return bulk.Bulk(["-x-"], items, load_rough, ["v1"], rough_code, lines.append, workers=workers, **options)  # type: ignore[arg-type]


def finished(call: bulk.Bulk, out: Path) -> tuple[bytes, bytes, State]:
    journal = bulk.to_file(call, out, Progress(lambda line: None, bar=False))
    failures = out.with_name(out.name + ".failures.jsonl")
    os.replace(journal.finish(failures), out)
    journal.forget()
    return out.read_bytes(), failures.read_bytes() if failures.exists() else b"", journal.state


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_any_number_of_workers_writes_the_same_bytes(workers: int, tmp_path: Path) -> None:
    lines: list[str] = []
    one = finished(job(records(300), [], workers=1), tmp_path / "one.jsonl")
    many = finished(job(records(300), lines, workers=workers), tmp_path / "many.jsonl")
    assert many[:2] == one[:2]
    assert summary(many[2]) == summary(one[2])
    assert not any(SECRET in line for line in lines)
    failed = [json.loads(line) for line in one[1].splitlines()]
    assert {(record["source"], record["id"]) for record in failed} >= {
        ("n.jsonl line 5", None),
        ("n.jsonl line 3", "n3"),
    }
    assert not any(SECRET.encode() in part for part in one[:2])


@pytest.mark.parametrize("seed", range(6))
def test_a_stopped_run_goes_on_to_the_same_bytes(seed: int, tmp_path: Path) -> None:
    whole = finished(job(records(260), [], workers=1), tmp_path / "whole.jsonl")
    out = tmp_path / "out.jsonl"
    stops = sorted(random.Random(seed).sample(range(1, 260), 3))

    def until(stop: int) -> Iterator[Item]:
        for number, item in enumerate(records(260)):
            if number == stop:
                raise Stopped
            yield item

    for stop in stops:
        with pytest.raises(Stopped):
            finished(job(until(stop), [], workers=1 + seed % 2), out)
        assert not out.exists()
    assert finished(job(records(260), []), out)[:2] == whole[:2]
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("out")) == [
        "out.jsonl",
        "out.jsonl.failures.jsonl",
    ]


def test_what_was_written_behind_the_state_is_cut_off(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    journal = Journal(out, "call")
    journal.result(b'{"id":"a"}')
    journal.state.records = 1
    journal.checkpoint(now=True)
    journal.result(b'{"id":"half')
    journal.close()
    again = Journal(out, "call")
    assert (again.again, again.state.records) == (True, 1)
    again.result(b'{"id":"b"}')
    assert again.finish(tmp_path / "f").read_bytes() == b'{"id":"a"}\n{"id":"b"}\n'


@pytest.mark.parametrize("damage", ["other call", "no part", "no state", "broken state"])
def test_a_run_that_cannot_go_on_begins_anew(damage: str, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    journal = Journal(out, "call")
    journal.result(b"1")
    journal.state.records = 1
    journal.checkpoint(now=True)
    journal.close()
    if damage == "no part":
        out.with_name("out.jsonl.part").unlink()
    elif damage == "no state":
        out.with_name("out.jsonl.part.state").unlink()
    elif damage == "broken state":
        write_whole(out.with_name("out.jsonl.part.state"), b'{"form": 1')
    again = Journal(out, "other" if damage == "other call" else "call")
    assert again.state.records == 0
    again.result(b"2")
    assert again.finish(tmp_path / "f").read_bytes() == b"2\n"


def test_two_runs_do_not_write_one_file(tmp_path: Path) -> None:
    first = Journal(tmp_path / "out.jsonl", "call")
    with pytest.raises(InputError, match="another run is writing it"):
        Journal(tmp_path / "out.jsonl", "call")
    first.close()


def test_a_long_note_fails_where_a_limit_is_given(tmp_path: Path) -> None:
    items: list[Item] = [note(1), note(2, "facet " * 50), note(3)]
    _, failures, state = finished(job(items, [], max_chars=100), tmp_path / "out.jsonl")
    assert json.loads(failures) == {"id": "n2", "source": "n.jsonl line 2", "reason": "longer than 100 characters"}
    assert state.outcomes == {"coded": 2, "failed": 1}


def test_chunks_hold_about_as_many_characters() -> None:
    items = [note(n, "x" * (40_000 if n == 3 else 100)) for n in range(200)]
    sizes = [sum(len(i.note.text) for i in chunk if isinstance(i, Incoming)) for chunk in bulk.chunks(items)]
    assert sum(sizes) == sum(len(i.note.text) for i in items)
    assert max(sizes) <= bulk.CHUNK_CHARACTERS
    assert all(len(chunk) <= bulk.CHUNK_NOTES for chunk in bulk.chunks(items))


def test_other_files_or_options_are_another_call(tmp_path: Path) -> None:
    path = tmp_path / "n.jsonl"
    path.write_text("one")

    def print_of(**options: object) -> str:
        call = bulk.Bulk([str(path)], [], load_rough, ["v1"], rough_code, print, **options)  # type: ignore[arg-type]
        return bulk.fingerprint(call)

    first = print_of()
    assert print_of() == first
    assert print_of(workers=7) == first
    assert print_of(max_chars=5) != first
    path.write_text("other")
    assert print_of() != first


def test_the_summary_counts_lines_questions_and_failures(tmp_path: Path) -> None:
    figures = summary(finished(job(records(40), []), tmp_path / "out.jsonl")[2])
    assert figures["status"] == {"coded": 10, "review": 8, "no_code": 9, "failed": 11}
    assert figures["codes"] == {"64493": 18}
    assert figures["queries"] == {"missing_side": 8}
    assert summary_table(figures)[:4] == ["lines by code", "  64493        18", "questions", "  missing_side         8"]


def test_the_summary_counts_what_is_suggested_and_supplied(tmp_path: Path) -> None:
    """Also of a run that was stopped, whose figures went through the file of its state."""

    def made(text: str, id: str = "note", **_: object) -> CodingResult:
        maybe = [Suggestion(modifier=name, reason="r") for name in ("59", "XS")]
        claim = [ClaimLine(code="64493", suggested=maybe), ClaimLine(code="64494", suggested=maybe[:1])]
        supply = SupplyLine(code="J3301", units=4, name="triamcinolone")
        return rough_code(text, id).model_copy(update={"claim": claim, "supplies": [supply]})

    out = tmp_path / "out.jsonl"
    call = bulk.Bulk([], [note(1), note(2)], load_rough, [], made, print, workers=1)
    journal = bulk.to_file(call, out, Progress(lambda line: None, bar=False))
    journal.checkpoint(now=True)
    journal.close()
    figures = summary(Journal(out, bulk.fingerprint(call)).state)
    assert figures["suggested"] == {"64493-59": 2, "64493-XS": 2, "64494-59": 2}
    assert figures["supplies"] == {"J3301": 2}
    assert [line for line in summary_table(figures) if not line.startswith(" ")] == [
        "lines by code",
        "modifiers to consider",
        "drug supplies",
    ]


def test_a_stop_while_something_is_told_loses_no_record(tmp_path: Path) -> None:
    whole = finished(job(records(60), [], workers=1), tmp_path / "whole.jsonl")
    out = tmp_path / "out.jsonl"

    def complain(line: str) -> None:
        raise Stopped

    call = job(records(60), [], workers=1)
    with pytest.raises(Stopped):
        finished(bulk.Bulk(call.inputs, call.items, load_rough, call.made_with, rough_code, complain), out)
    assert finished(job(records(60), []), out)[:2] == whole[:2]


def test_a_table_that_cannot_be_made_costs_no_coding(tmp_path: Path) -> None:
    """The lines, with those of the failures, are kept until the table stands."""
    out = tmp_path / "out.csv"
    journal = bulk.to_file(job(records(60), [], workers=1), out, Progress(lambda line: None, bar=False))
    path, done = journal.lines(), journal.state.records
    with pytest.raises(InputError, match="another run is writing it"):
        Journal(out, journal.state.call)
    journal.close()
    again = Journal(out, journal.state.call)
    assert (again.state.records, again.lines().read_bytes()) == (done, path.read_bytes())
    again.close()


def test_a_note_that_ended_the_run_fails_alone_in_the_next(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    call = job([note(1), note(2, "die"), note(3)], [], workers=1)
    Journal(out, bulk.fingerprint(call)).close()  # what is left of the run that the note ended
    lines, failures, _ = finished(call, out)
    assert [json.loads(line)["id"] for line in lines.splitlines()] == ["n1", "n3"]
    assert json.loads(failures)["id"] == "n2"


def test_the_main_process_never_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[int] = []
    true_wait = pool.wait
    monkeypatch.setattr(pool, "wait", lambda pipes, timeout: waited.append(len(pipes)) or true_wait(pipes, timeout))
    chunks = [[note(0, "pause")], *([note(n)] for n in range(1, 40))]  # all others that are open end before the first
    with Pool(load_rough, 2, None) as workers:
        assert len(list(workers.map(chunks))) == 40
    assert min(waited) > 0


def test_results_in_the_folder_of_the_notes_change_no_call(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("facet")
    call = bulk.Bulk([str(tmp_path)], [], load_rough, ["v1"], rough_code, print)
    first = bulk.fingerprint(call)
    (tmp_path / "out.jsonl.part").write_text("1")
    assert bulk.fingerprint(call) == first


def test_failures_are_counted_by_kind(tmp_path: Path) -> None:
    items: list[Item] = [
        BadRecord("n line 2", f"id {n} stands twice (first: n line 1)", "id stands twice") for n in "ab"
    ]
    state = finished(job([*items, note(1, "crash")], []), tmp_path / "out.jsonl")[2]
    assert state.reasons == {"id stands twice": 2, "could not be coded (ValueError)": 1}


# -- kill -9 -------------------------------------------------------------------------------------------------------

SCRIPT = """
import sys
sys.path[:0] = {paths!r}
import time
from pathlib import Path
from stubs import load_rough, rough_code
import test_bulk
from extractor.batch import bulk

def items():
    for item in test_bulk.records(400):
        time.sleep(0.002)
        yield item

if __name__ == "__main__":
    test_bulk.finished(test_bulk.job(items(), [], workers={workers}), Path({out!r}))
"""


def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    whole = finished(job(records(400), [], workers=1), tmp_path / "whole.jsonl")
    out = tmp_path / "out.jsonl"
    script = tmp_path / "run.py"
    here = Path(__file__).parent
    script.write_text(SCRIPT.format(paths=[str(here), str(here.parent)], workers=2, out=str(out)))
    chance = random.Random(7)
    for _ in range(3):
        process = subprocess.Popen([sys.executable, str(script)], start_new_session=True)
        time.sleep(chance.uniform(0.5, 2.0))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    subprocess.run([sys.executable, str(script)], check=True)
    failures = out.with_name("out.jsonl.failures.jsonl")
    assert (out.read_bytes(), failures.read_bytes()) == whole[:2]


ORPHANS = """
import sys
sys.path[:0] = {paths!r}
from stubs import load_rough
from extractor.batch.pool import Pool
from extractor.batch.sources import Incoming
from extractor.schema import Note

if __name__ == "__main__":
    with Pool(load_rough, 1, None) as pool:
        outcomes = pool.map([[Incoming("a", Note(id="a", text="facet"))], [Incoming("b", Note(id="b", text="slow"))]])
        next(outcomes)
        print(pool._workers[0].process.pid, flush=True)
        next(outcomes)
"""


def is_running(process: Path) -> bool:
    """False for a process that has ended, whether or not somebody has asked how."""
    try:
        return process.joinpath("stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_workers_end_with_a_killed_main_process(tmp_path: Path) -> None:
    """Also one that is at a note which never ends."""
    script = tmp_path / "run.py"
    here = Path(__file__).parent
    script.write_text(ORPHANS.format(paths=[str(here), str(here.parent)]))
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    worker = Path("/proc", process.stdout.readline().strip())
    assert is_running(worker)
    process.kill()
    process.wait()
    for _ in range(300):  # the note takes 60 seconds
        if not is_running(worker):
            break
        time.sleep(0.1)
    assert not is_running(worker)
