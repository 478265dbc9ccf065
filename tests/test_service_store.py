"""Decisions kept, and written as gold that `facetcode evaluate` reads."""

from __future__ import annotations

import json
import sqlite3
import stat
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from stubs import SECRET

from extractor import Coder
from extractor.cli import cli
from extractor.errors import InputError
from extractor.service import feedback
from extractor.service.models import ReviewedNote
from extractor.service.store import SCHEMA_VERSION, Store, last_reviews

VERSIONS = {"engine": "0", "patterns": "0", "codes": "2026", "profile": "cpt"}
FIRST = {"code": "64493", "side": "left", "joints": ["L4-L5"]}
DECISIONS = "CREATE TABLE decisions (review, place, decision, code, side, joints, proposed, reason)"
HOSTILE = "'); DROP TABLE reviews; --"
SECOND = {"code": "64494", "side": "left", "joints": ["L5-S1"]}


def decided(decision: str, line: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"decision": decision, **line, **more}


def review(id: str = "n1", lines: Sequence[dict[str, Any]] = (), **more: Any) -> ReviewedNote:
    given = {"id": id, "text": f"{SECRET} facet", "profile": "cpt", "versions": VERSIONS, "status": "coded"}
    return ReviewedNote.model_validate(given | {"lines": list(lines)} | more)


@pytest.mark.parametrize(
    ("lines", "more", "status", "kept"),
    [
        ([decided("accepted", FIRST)], {}, "coded", [FIRST]),
        ([decided("accepted", FIRST)], {"status": "review"}, "coded", [FIRST]),
        ([decided("accepted", FIRST), decided("rejected", SECOND, reason="not done")], {}, "coded", [FIRST]),
        ([decided("edited", SECOND, proposed=FIRST), decided("added", FIRST)], {}, "coded", [SECOND, FIRST]),
        ([decided("accepted", FIRST), decided("added", FIRST)], {}, "coded", [FIRST]),
        ([decided("rejected", FIRST)], {}, "no_code", []),
        ([], {"status": "no_code"}, "no_code", []),
        ([], {"status": "review"}, "no_code", []),
        ([decided("accepted", FIRST)], {"unsettled": True}, "review", [FIRST]),
        ([], {"unsettled": True}, "review", []),
    ],
)
def test_gold_follows_from_the_decisions(
    lines: list[dict[str, Any]], more: dict[str, Any], status: str, kept: list[dict[str, Any]]
) -> None:
    document = feedback.gold(review(lines=lines, reviewer="r", **more))
    assert document.coding is not None
    assert (document.author, document.coding.status) == ("r", status)
    found = [{"code": line.code, "side": line.side, "joints": list(line.joints)} for line in document.coding.lines]
    assert found == kept


def test_what_is_kept_comes_back_and_the_last_review_counts(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.sqlite")
    notes = [
        review(
            "b",
            [decided("accepted", FIRST, reason=HOSTILE)],
            reviewer="r",
            date_of_service="2026-01-31",
        ),
        review("a", [decided("edited", SECOND, proposed=FIRST)], status="review"),
        review("b", [decided("rejected", FIRST, reason="not done"), decided("added", SECOND)], unsettled=True),
    ]
    assert [store.add(note) for note in notes] == [1, 1, 2]
    store.close()
    assert list(last_reviews(tmp_path / "s.sqlite")) == [notes[1], notes[2]]
    again = Store(tmp_path / "s.sqlite")
    assert again.add(notes[0]) == 3
    again.close()
    with sqlite3.connect(tmp_path / "s.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM reviews").fetchone() == (4,)
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_store_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    Store(path).close()
    for mode in (0o640, 0o604, 0o620):
        path.chmod(mode)
        with pytest.raises(InputError, match="others on this machine may read or write it; chmod 600 it first"):
            Store(path)
        assert stat.S_IMODE(path.stat().st_mode) == mode
    path.chmod(0o600)
    Store(path).close()


def test_a_store_is_a_file_whatever_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite would keep ":memory:" in memory, and nothing of it would be there after the answer 201."""
    monkeypatch.chdir(tmp_path)
    store = Store(Path(":memory:"))
    store.add(review())
    store.close()
    assert list(last_reviews(Path(":memory:"))) == [review()]
    assert [path.name for path in tmp_path.iterdir()] == [":memory:"]


def test_gold_keeps_the_day_that_chose_the_code_book() -> None:
    assert feedback.gold(review(date_of_service="2023-01-31")).carried == {"date_of_service": "2023-01-31"}
    assert feedback.gold(review()).carried == {}


def test_an_export_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path, out = tmp_path / "s.sqlite", tmp_path / "gold.jsonl"
    store = Store(path)
    store.add(review())
    store.close()
    for left in (out, tmp_path / "gold.jsonl.part"):
        left.touch(0o644)
    feedback.export(path, out)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_one_id_with_several_texts_is_several_notes(tmp_path: Path) -> None:
    path, out = tmp_path / "s.sqlite", tmp_path / "gold.jsonl"
    store = Store(path)
    first, other = [decided("accepted", FIRST)], [decided("accepted", SECOND)]
    for id_, text, lines, count in (
        ("note", "one", [], 1),
        ("note", "two", other, 1),
        ("note#2", "three", first, 1),
        ("note", "one", first, 2),
        ("note", "four", [], 1),
    ):
        assert store.add(review(id_, lines, text=text)) == count
    store.close()
    done = CliRunner().invoke(cli, ["feedback", "export", str(path), "-o", str(out)])
    assert (done.exit_code, done.stdout) == (0, "4 notes\n")
    assert done.stderr.startswith("facetcode: 2 notes came under the id of another note with another text")
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(record["id"], record["text"], record["gold"]["status"]) for record in records] == [
        ("note", "two", "coded"),
        ("note#3", "one", "coded"),
        ("note#4", "four", "no_code"),
        ("note#2", "three", "coded"),
    ]


def test_only_the_owner_may_read_the_store(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.sqlite")
    store.add(review())
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    store.close()
    assert "s.sqlite-wal" in modes
    assert set(modes.values()) == {0o600}


def test_threads_share_a_store_while_it_is_exported(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.sqlite")

    def add(number: int) -> None:
        for place in range(10):
            store.add(review(f"n{number}-{place}"))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    list(last_reviews(tmp_path / "s.sqlite"))
    for thread in threads:
        thread.join()
    assert len(list(last_reviews(tmp_path / "s.sqlite"))) == 40
    store.close()


def test_a_file_that_is_none_of_ours_is_left_alone(tmp_path: Path) -> None:
    text, other, later = tmp_path / "t", tmp_path / "o", tmp_path / "l"
    text.write_text(f"{SECRET} " * 200)
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE notes (id)")
    Store(later).close()
    with sqlite3.connect(later) as connection:
        connection.execute("PRAGMA user_version = 99")
    for path, why in ((text, "cannot be used"), (other, "is no store"), (later, "another version")):
        path.chmod(0o600)
        before = path.read_bytes()
        with pytest.raises(InputError, match=why) as error:
            Store(path)
        with pytest.raises(InputError):
            list(last_reviews(path))
        assert SECRET not in str(error.value)
        assert path.read_bytes() == before
    with pytest.raises(InputError, match="cannot be written"):
        Store(tmp_path / "gone" / "s.sqlite")
    with pytest.raises(InputError, match="no such file"):
        list(last_reviews(tmp_path / "gone.sqlite"))


def test_a_database_error_keeps_nothing_of_the_review_and_does_not_quote_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.sqlite")
    with sqlite3.connect(tmp_path / "s.sqlite") as connection:
        connection.execute("DROP TABLE decisions")
    with pytest.raises(InputError, match="OperationalError") as error:
        store.add(review(lines=[decided("accepted", FIRST)]))
    assert SECRET not in str(error.value)
    with sqlite3.connect(tmp_path / "s.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM reviews").fetchone() == (0,)
        connection.execute(DECISIONS)
    assert store.add(review(lines=[decided("accepted", FIRST)])) == 1  # it goes on when the file is well again
    store.close()


def test_the_way_from_a_note_to_a_figure(tmp_path: Path, coder: Coder) -> None:
    """Coded, reviewed, exported, evaluated: accepted as proposed is right, a line added by the reviewer is a miss."""
    text = (
        "PROCEDURE: Left L4-5 facet joint injection under fluoroscopy.\n"
        "Under fluoroscopic guidance 0.5 mL of bupivacaine was injected into the left L4-5 facet joint."
    )
    result = coder.code(text)
    proposed = [line.model_dump(include={"code", "side", "joints"}) for line in result.lines]
    assert [line["code"] for line in proposed] == ["64493"]
    store = Store(tmp_path / "s.sqlite")
    accepted = [decided("accepted", line) for line in proposed]
    edited = {**proposed[0], "side": "right"}
    versions = result.versions.model_dump()
    for id_, lines in (
        ("as-proposed", accepted),
        ("one-more", [*accepted, decided("added", SECOND, reason="told in the record")]),
        ("other-side", [decided("edited", edited, proposed=proposed[0], reason="right side")]),
        ("none", [decided("rejected", proposed[0], reason="cancelled")]),
    ):
        store.add(review(id_, lines, text=text, versions=versions, status=result.status, reviewer="coder-7"))
    store.close()
    out = tmp_path / "gold.jsonl"
    exported = CliRunner().invoke(cli, ["feedback", "export", str(tmp_path / "s.sqlite"), "-o", str(out)])
    assert (exported.exit_code, exported.output) == (0, "4 notes\n")
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(record["id"], record["author"], record["gold"]["status"]) for record in records] == [
        ("as-proposed", "coder-7", "coded"),
        ("none", "coder-7", "no_code"),
        ("one-more", "coder-7", "coded"),
        ("other-side", "coder-7", "coded"),
    ]
    assert records[2]["gold"]["why"] == "added 64494: told in the record"
    evaluated = CliRunner().invoke(cli, ["evaluate", str(out), "--format", "json"])
    assert evaluated.exit_code == 0
    codes = json.loads(evaluated.output)["coding"]
    assert (codes["notes"], codes["missing"], codes["right"]["hits"]) == (4, 0, 1)


def test_an_export_does_not_overwrite_its_store_nor_make_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    store = Store(path)
    with pytest.raises(InputError, match="no decisions"):
        feedback.export(path, tmp_path / "gold.jsonl")
    assert not (tmp_path / "gold.jsonl").exists()
    store.add(review())
    store.close()
    with pytest.raises(InputError, match="is an input too"):
        feedback.export(path, path)
    feedback.export(path, tmp_path / "gold.jsonl")
    first = (tmp_path / "gold.jsonl").read_bytes()
    feedback.export(path, tmp_path / "gold.jsonl")
    assert (tmp_path / "gold.jsonl").read_bytes() == first
