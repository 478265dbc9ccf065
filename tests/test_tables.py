"""Results as Parquet, CSV and SQLite: what the libraries of the world read back is what the JSONL says."""

from __future__ import annotations

import csv
import json
import sqlite3
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel
from stubs import SECRET, StubCoder

from extractor import Coder
from extractor.batch.sinks import result_line
from extractor.batch.tables import FORMS, require, result_schema, row_of, rows, rows_to_batch
from extractor.errors import InputError
from extractor.schema import CodingResult

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

Record = dict[str, Any]
ROOT = Path(__file__).parent.parent
SUFFIXES = sorted(FORMS)

HOSTILE = [
    'a "quoted", word',
    "line\nfeed\r\nand\rreturn",
    "\U0001f9b4 emoji, a\u0301 combining, \u2028 separator, \x85 next",
    "nul\x00inside",
    "\x00",
    "; a; list; of; it",
    "-- '); DROP TABLE notes; --",
    " blank at both ends ",
    "\ufeffmark",
    "'",
    '"',
    "",
]
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", '=HYPERLINK("http://x","y")']


def evidence(text: str, start: int = 0) -> Record:
    return {"start": start, "end": start + len(text), "text": text, "section": text}


def result(id: str, text: str = "facet", **fields: Any) -> Record:
    """A result with the text in every string that may hold any, and one thing of each kind."""
    line = {"code": "64493", "side": "left", "joints": ["L4-L5", "L5-S1"], "label": text, "descriptor": text}
    site = {"site": "L4-L5", "side": "left", "evidence": [evidence(text)]}
    agent = dict.fromkeys(("name", "role", "drug_class", "concentration", "dose", "volume", "per"), text)
    procedure = {"family": "facet", "technique": "injection", "targets": [text], "joints": [site], "nerves": [site]}
    more = {"side": "left", "imaging": [text], "agents": [{**agent, "evidence": evidence(text)}], "intent": text}
    suggestion = {"modifier": "59", "reason": text}
    supply = {"code": "J3301", "units": 4, "modifiers": ["JZ", text], "name": text}
    entity = {"label": "Side", **evidence(text), "value": text, "assertion": "performed", "attributes": {text: text}}
    return {
        "id": id,
        "status": "coded",
        "lines": [{**line, "rule": text, "reasons": [text, ""], "evidence": [evidence(text), evidence("x", 9)]}],
        "claim": [{"code": "64493", "modifiers": ["LT"], "units": 1, "suggested": [suggestion]}],
        "supplies": [{**supply, "amount": text, "reason": text, "evidence": [evidence(text)]}],
        "summary": {"imaging": ["ct"], "injectate": [text, "saline"], "target": ["facet_joint"]},
        "queries": [{"id": "missing_side", "question": text, "evidence": [evidence(text)]}],
        "warnings": [text],
        "rejected": [{"code": "64495", "reason": text}],
        "procedures": [{**procedure, **more, "discontinued": True, "evidence": [evidence(text)]}],
        "entities": [entity],
        "versions": versions(text),
        **fields,
    }


def versions(text: str) -> Record:
    own = {"patterns": "p", "overlay": text, "codes": "2026", "profile": "cpt", "profile_hash": "h"}
    return {"engine": "0", **own, "date_of_service": "2026-01-31", "descriptors": text}


def bare(id: str, **fields: Any) -> Record:
    """A result in which nothing was found."""
    empty: Record = {"lines": [], "claim": [], "summary": {"imaging": [], "injectate": [], "target": []}}
    rest: Record = {"supplies": [], "queries": [], "warnings": [], "rejected": [], "procedures": [], "entities": []}
    return {**result(id), "status": "no_code", **empty, **rest, **fields}


def jsonl(records: list[Record]) -> list[bytes]:
    return [json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records]


def write(suffix: str, records: list[Record], folder: Path) -> Path:
    path = folder / f"out{suffix}"
    assert FORMS[suffix](jsonl(records), path) == len(records)
    return path


# -- reading back with the libraries of the world ------------------------------------------------------------------


def parquet_records(path: Path) -> list[Record]:
    """The results as they were before they became a table."""
    found = []
    for row in pq.read_table(path).to_pylist():
        for entity in row["entities"]:
            entity["attributes"] = dict(entity["attributes"])  # pyarrow gives pairs
        carried = json.loads(row.pop("carried"))
        assert not carried.keys() & row.keys()
        found.append({**row, **carried})
    return found


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, strict=True))


def select(path: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query, values).fetchall()


def unguarded(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:2] in tuple("=+-@\t\r") else cell


def assert_csv_tells(found: list[dict[str, str]], records: list[Record]) -> None:
    """Every row of the CSV, worked out a second time and in another way from the JSONL."""
    expected = []
    for record in records:
        summary = {key: "; ".join(record["summary"][key]) for key in ("imaging", "injectate", "target")}
        queries = "; ".join(query["id"] for query in record["queries"])
        note = {"id": record["id"], "status": record["status"], **summary, "queries": queries}
        note["profile"] = record["versions"]["profile"]
        claim = []
        for item in record["claim"]:
            claim.append("-".join([item["code"], *item["modifiers"]]) + (f" x{item['units']}" * (item["units"] > 1)))
        note["claim"] = "; ".join(claim)
        if not record["lines"]:
            expected.append({**note, **dict.fromkeys(("line", "code", "side", "joints", "evidence"), "")})
        for index, line in enumerate(record["lines"]):
            spans = ";".join(f"{words['start']}-{words['end']}" for words in line["evidence"])
            own = {"line": str(index + 1), "code": line["code"], "side": line["side"], "evidence": spans}
            expected.append({**note, **own, "joints": "; ".join(line["joints"])})
    told = [{key: unguarded(row[key]) for key in row if key not in ("modifiers", "units")} for row in found]
    assert told == [{key: note[key] for key in told[0]} for note in expected]


def assert_sqlite_tells(path: Path, records: list[Record]) -> None:
    notes, lines, claim, spans, queries, rejected = [], [], [], [], [], []
    for position, record in enumerate(records, start=1):
        id, versions, summary = record["id"], record["versions"], record["summary"]
        used = ["; ".join(summary[key]) for key in ("imaging", "injectate", "target")]
        made_with = [versions[key] for key in ("engine", "patterns", "codes", "profile")]
        notes.append((id, position, record["status"], *used, "\n".join(record["warnings"]), *made_with))
        for number, line in enumerate(record["lines"], start=1):
            joints = "; ".join(line["joints"])
            lines.append((id, number, line["code"], line["side"], joints, line["label"], line["rule"]))
            spans += [(id, "line", number, *words.values()) for words in line["evidence"]]
        for number, item in enumerate(record["claim"], start=1):
            claim.append((id, number, item["code"], "; ".join(item["modifiers"]), item["units"]))
        for number, query in enumerate(record["queries"], start=1):
            queries.append((id, number, query["id"], query["question"]))
            spans += [(id, "query", number, *words.values()) for words in query["evidence"]]
        rejected += [(id, item["code"], item["reason"]) for item in record["rejected"]]
    told = "id, position, status, imaging, injectate, target, warnings, engine, patterns, codes, profile"
    assert select(path, f"SELECT {told} FROM notes ORDER BY position") == notes
    assert select(path, "SELECT note_id, line, code, side, joints, label, rule FROM lines ORDER BY rowid") == lines
    assert select(path, "SELECT * FROM claim ORDER BY rowid") == claim
    assert select(path, "SELECT * FROM evidence ORDER BY rowid") == spans
    assert select(path, "SELECT * FROM queries ORDER BY rowid") == queries
    assert select(path, "SELECT * FROM rejected ORDER BY rowid") == rejected
    carried = [
        {key: value for key, value in record.items() if key not in CodingResult.model_fields} for record in records
    ]
    assert [json.loads(text) for (text,) in select(path, "SELECT carried FROM notes ORDER BY position")] == carried
    assert select(path, "PRAGMA foreign_key_check") == []
    assert select(path, "PRAGMA integrity_check") == [("ok",)]
    assert select(path, "PRAGMA user_version") == [(1,)]


# -- results of true notes -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def corpus(coder: Coder) -> list[Record]:
    """Results of some files of the corpus under two profiles, with keys that the records brought."""
    found = []
    for path in sorted((ROOT / "corpus" / "notes").glob("*.jsonl"))[::16]:
        for text in path.read_text(encoding="utf-8").splitlines():
            note = json.loads(text)
            for profile in ("cpt", "medicare-asc"):
                coded = coder.code(note["text"], id=f"{path.stem}/{profile}/{note['id']}", profile=profile)
                found.append(json.loads(result_line(coded, {"gold": note["gold"], "site": "Ü"})))
    assert len(found) > 100
    assert {record["status"] for record in found} == {"coded", "review", "no_code"}
    return found


def test_corpus_as_parquet(corpus: list[Record], tmp_path: Path) -> None:
    path = write(".parquet", corpus, tmp_path)
    assert parquet_records(path) == corpus
    assert pq.read_schema(path).equals(result_schema())
    status = pq.ParquetFile(path).metadata.row_group(0).column(1)
    assert (status.path_in_schema, "RLE_DICTIONARY" in status.encodings) == ("status", True)


def test_corpus_as_csv(corpus: list[Record], tmp_path: Path) -> None:
    found = csv_rows(write(".csv", corpus, tmp_path))
    assert_csv_tells(found, corpus)
    units = sum(int(row["units"]) for row in found if row["units"])
    coded = {(record["id"], line["code"]) for record in corpus for line in record["lines"]}
    claimed = [item["units"] for record in corpus for item in record["claim"] if (record["id"], item["code"]) in coded]
    assert units == sum(claimed)


@pytest.mark.parametrize("suffix", [".sqlite", ".db"])
def test_corpus_as_sqlite(suffix: str, corpus: list[Record], tmp_path: Path) -> None:
    path = write(suffix, corpus, tmp_path)
    assert_sqlite_tells(path, corpus)
    asked = "SELECT id, line, code, status, joints FROM code_lines ORDER BY position, line"
    expected = [
        (record["id"], number, line["code"], record["status"], "; ".join(line["joints"]))
        for record in corpus
        for number, line in enumerate(record["lines"], start=1)
    ]
    assert select(path, asked) == expected


# -- what strangers write ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile() -> list[Record]:
    texts = [text for text in (*HOSTILE, *FORMULAS) if text]
    records = [result(text, text, site=text, **{text + "!": [None, True, 1.5, {"deep": text}]}) for text in texts]
    return [*records, bare("nothing"), bare("carried", lines_="x", text="not of the note", carried={"a": 1})]


def test_hostile_as_parquet(hostile: list[Record], tmp_path: Path) -> None:
    assert parquet_records(write(".parquet", hostile, tmp_path)) == hostile


def test_hostile_as_csv(hostile: list[Record], tmp_path: Path) -> None:
    path = write(".csv", hostile, tmp_path)
    found = csv_rows(path)
    assert_csv_tells(found, hostile)
    assert not [cell for row in found for cell in row.values() if cell.startswith(tuple("=+-@\t\r"))]
    assert {f"'{formula}" for formula in FORMULAS} < {row["id"] for row in found}


def test_hostile_as_sqlite(hostile: list[Record], tmp_path: Path) -> None:
    assert_sqlite_tells(write(".sqlite", hostile, tmp_path), hostile)


@pytest.mark.parametrize("suffix", [".parquet", ".sqlite"])
def test_half_a_character_in_a_carried_key(suffix: str, tmp_path: Path) -> None:
    """JSON may hold it as an escape; so may the column."""
    line = json.dumps(bare("n1", site="ü \ud800")).encode()
    path = tmp_path / "out"
    assert FORMS[suffix]([line], path) == 1
    if suffix == ".parquet":
        carried = pq.read_table(path).column("carried")[0].as_py()
    else:
        ((carried,),) = select(path, "SELECT carried FROM notes")
    assert carried == r'{"site":"\u00fc \ud800"}'


# -- shapes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_notes_are_an_empty_table(suffix: str, tmp_path: Path) -> None:
    path = write(suffix, [], tmp_path)
    if suffix == ".parquet":
        assert pq.read_table(path).num_rows == 0
        assert pq.read_schema(path).equals(result_schema())
    elif suffix == ".csv":
        assert path.read_bytes().count(b"\n") == 1
    else:
        assert select(path, "SELECT count(*) FROM code_lines") == [(0,)]


def test_csv_has_a_row_for_a_note_without_lines(tmp_path: Path) -> None:
    (row,) = csv_rows(write(".csv", [bare("n1")], tmp_path))
    assert {key for key, cell in row.items() if cell} == {"id", "status", "profile"}


def test_csv_bytes(tmp_path: Path) -> None:
    claim = [{"code": "64493", "modifiers": ["50", "KX"], "units": 2}]
    path = write(".csv", [result("n,1", claim=claim)], tmp_path)
    header = "id,status,line,code,side,joints,modifiers,units,imaging,injectate,target,queries,evidence,profile,claim"
    row = (
        '"n,1",coded,1,64493,left,L4-L5; L5-S1,50 KX,2,ct,facet; saline,facet_joint,missing_side,'
        "0-5;9-10,cpt,64493-50-KX x2"
    )
    assert path.read_bytes().decode() == f"{header}\n{row}\n"


CLAIMS = [
    ("a line a side", ["A"], [("A", ["RT"], 1), ("A", ["LT"], 1)], [("RT; LT", 2)]),
    ("no modifiers", ["A"], [("A", [], 2)], [("", 2)]),
    ("one for two lines", ["A", "A", "B"], [("A", ["50"], 1), ("B", [], 1)], [("50", 1), ("", None), ("", 1)]),
    ("another number", ["A"], [("G", ["RT"], 1)], [("", None)]),
    ("no claim", ["A"], [], [("", None)]),
]


@pytest.mark.parametrize(("codes", "items", "expected"), [case[1:] for case in CLAIMS], ids=[c[0] for c in CLAIMS])
def test_modifiers_and_units_of_a_line(codes: Any, items: Any, expected: Any, tmp_path: Path) -> None:
    claim = [{"code": code, "modifiers": modifiers, "units": units} for code, modifiers, units in items]
    record = result("n1", claim=claim, lines=[{**result("n1")["lines"][0], "code": code} for code in codes])
    path = write(".sqlite", [record], tmp_path)
    assert select(path, "SELECT modifiers, units FROM code_lines ORDER BY line") == expected
    told = [(row["modifiers"], int(row["units"] or 0)) for row in csv_rows(write(".csv", [record], tmp_path))]
    assert told == [(modifiers, units or 0) for modifiers, units in expected]


def test_sqlite_indexes_are_used(tmp_path: Path) -> None:
    path = write(".sqlite", [result("n1")], tmp_path)
    conditions = {
        "notes": ("id", "status"),
        "lines": ("note_id", "code"),
        "evidence": ("note_id",),
        "queries": ("note_id",),
        "rejected": ("note_id", "code"),
    }
    for table, columns in conditions.items():
        for column in columns:
            plan = select(path, f"EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE {column} = ?", "x")
            assert "USING INDEX" in plan[0][3], (table, column)
        keys = select(path, f"PRAGMA foreign_key_list({table})")
        assert [(key[2], key[3], key[4]) for key in keys] == ([] if table == "notes" else [("notes", "note_id", "id")])


def shape_of(annotation: Any) -> Any:
    """A type of schema.py as nested names: what its column must look like."""
    if get_origin(annotation) is list:
        return [shape_of(get_args(annotation)[0])]
    if get_origin(annotation) is dict:
        return "map"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {name: shape_of(field.annotation) for name, field in annotation.model_fields.items()}
    return annotation.__name__ if annotation in (int, bool) else "str"


def shape_of_column(kind: Any) -> Any:
    if pa.types.is_list(kind):
        return [shape_of_column(kind.value_type)]
    if pa.types.is_map(kind):
        return "map"
    if pa.types.is_struct(kind):
        return {field.name: shape_of_column(field.type) for field in kind}
    return "int" if pa.types.is_integer(kind) else "bool" if pa.types.is_boolean(kind) else str(kind)[:3]


def test_the_schema_has_every_field_of_a_result() -> None:
    """A field that is new in schema.py and not in the table would be lost without a word."""
    columns = {field.name: shape_of_column(field.type) for field in result_schema()}
    assert columns.pop("carried") == "str"
    assert columns == shape_of(CodingResult)
    assert list(columns) == list(CodingResult.model_fields)


def test_a_row_of_a_mapping_leaves_it_as_it_is() -> None:
    record = result("n1", site="A")
    before = json.dumps(record)
    row = row_of(record)
    assert row == row_of(before.encode())
    assert list(row) == result_schema().names
    assert json.dumps(record) == before
    assert rows_to_batch([row, row]).num_rows == 2


def test_an_older_result_has_empty_lists_and_nulls(tmp_path: Path) -> None:
    record = result("n1")
    for key in ("summary", "procedures", "rejected"):
        del record[key]
    del record["lines"][0]["reasons"]
    (found,) = parquet_records(write(".parquet", [record], tmp_path))
    assert (found["procedures"], found["rejected"]) == ([], [])
    assert found["summary"] == {"imaging": [], "injectate": [], "target": []}
    assert found["lines"][0]["reasons"] is None
    assert csv_rows(write(".csv", [record], tmp_path))[0]["code"] == "64493"
    assert select(write(".db", [record], tmp_path), "SELECT count(*) FROM lines") == [(1,)]


# -- bytes, memory, order ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_lines_give_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    """Also when the file stood there before, with line feeds or without, and with blank lines between."""
    lines = jsonl([result(f"n{number}") for number in range(30)])
    first, second = tmp_path / "a.part", tmp_path / "b.part"
    assert FORMS[suffix](lines, first) == 30
    second.write_bytes(b"left by an earlier run")
    assert FORMS[suffix]([b"", *(line.rstrip(b"\n") for line in lines), b" \n"], second) == 30
    assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.part", "b.part"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_batches_keep_the_order(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BATCH_NOTES", 7)
    ids = [f"n{number}" for number in range(40, 0, -1)]
    path = write(suffix, [result(id) for id in ids], tmp_path)
    if suffix == ".parquet":
        assert pq.read_table(path).column("id").to_pylist() == ids
        assert pq.ParquetFile(path).num_row_groups == 6
    elif suffix == ".csv":
        assert [row["id"] for row in csv_rows(path)] == ids
    else:
        assert [id for (id,) in select(path, "SELECT id FROM notes ORDER BY position")] == ids


@pytest.mark.parametrize("suffix", [".csv", ".sqlite", ".parquet"])
def test_memory_does_not_grow_with_the_notes(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BATCH_NOTES", 200)
    line = json.dumps(result("ID", "x" * 200)).encode()

    def peak(notes: int) -> int:
        tracemalloc.start()
        FORMS[suffix]((line.replace(b"ID", b"%d" % number, 1) for number in range(notes)), tmp_path / "out")
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    one_batch = peak(rows.BATCH_NOTES)
    assert peak(8 * rows.BATCH_NOTES) < 1.2 * one_batch + 500_000


def test_a_batch_ends_by_its_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = jsonl([bare("n1"), bare("n2"), bare("n3")])
    monkeypatch.setattr(rows, "BATCH_BYTES", len(lines[0]) + 1)
    assert [[row["id"] for row in batch] for batch in rows.batches(lines)] == [["n1", "n2"], ["n3"]]


# -- what goes wrong -----------------------------------------------------------------------------------------------

WRONG_LINES = [
    ("no JSON", b'{"id": "Zebediah Quince', "result line 2: not valid JSON"),
    ("no UTF-8", b'{"id": "\xff"}', "result line 2: not valid JSON"),
    ("too deep", b"[" * 100_000, "result line 2: not valid JSON"),
    ("no object", b'["Zebediah Quince"]', "result line 2: not a JSON object"),
    ("no id", b'{"text": "Zebediah Quince"}', 'result line 2: key "id" is not a string'),
    ("no status", b'{"id": "a"}', 'result line 2: key "status" is not a string'),
    (
        "no list",
        b'{"id": "a", "status": "coded", "lines": "Zebediah Quince"}',
        'result line 2: key "lines" is not a list',
    ),
    ("no versions", b'{"id": "a", "status": "coded"}', 'result line 2: key "versions" is not an object'),
]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(("line", "message"), [case[1:] for case in WRONG_LINES], ids=[case[0] for case in WRONG_LINES])
def test_a_wrong_line_is_named(suffix: str, line: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        FORMS[suffix]([*jsonl([result("n1")]), line], tmp_path / "out")
    assert str(raised.value) == message
    assert list(tmp_path.iterdir()) == []


WRONG_FIELDS: list[Record] = [
    {"queries": [{"id": SECRET, "question": {}, "evidence": [{"start": SECRET, "end": 1, "text": "", "section": ""}]}]},
    {"claim": [{"code": [SECRET], "modifiers": [], "units": 1}]},
    {"lines": [SECRET]},
    {"summary": {"imaging": [[SECRET]], "injectate": [], "target": []}},
    {"claim": [{"code": SECRET, "modifiers": [], "units": SECRET}]},
    {"queries": [{"id": SECRET + "\ud800", "question": "", "evidence": []}]},
    {"lines": [{**result("n2")["lines"][0], "evidence": [{**evidence(SECRET), "start": 2**70}]}]},
]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("fields", WRONG_FIELDS, ids=range(len(WRONG_FIELDS)))
def test_a_misshapen_result_is_named_and_never_quoted(suffix: str, fields: Record, tmp_path: Path) -> None:
    if suffix == ".csv" and "lines" in fields and fields["lines"] != [SECRET]:
        pytest.skip("an offset of any size can be written down")
    if suffix == ".csv" and fields.get("queries", [{}])[0].get("question") == {}:
        pytest.skip("questions are not in the CSV")
    lines = [json.dumps(record).encode() for record in (result("n1"), result("n2\n", **fields), result("n3"))]
    with pytest.raises(InputError) as raised:
        FORMS[suffix](lines, tmp_path / "out")
    assert str(raised.value) == r"result n2\n: not in the shape that facetcode run writes"
    assert (raised.value.__cause__, raised.value.__suppress_context__) == (None, True)
    assert list(tmp_path.iterdir()) == []


def test_an_id_that_stands_twice_cannot_be_a_key(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^result n1: this id stands twice$"):
        write(".sqlite", [result("n1"), result("n2"), result("n1")], tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_place_that_cannot_be_written(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / "gone" / f"out{suffix}"
    with pytest.raises(InputError) as raised:
        FORMS[suffix](jsonl([result("n1")]), path)
    assert str(raised.value).startswith(f"{path}: cannot be written (")
    with pytest.raises(InputError, match="cannot be written"):
        FORMS[suffix]([], tmp_path)
    assert tmp_path.is_dir()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_interrupted_table_is_removed(suffix: str, tmp_path: Path) -> None:
    def lines() -> Iterator[bytes]:
        yield from jsonl([result("n1")])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        FORMS[suffix](lines(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_device_stays(suffix: str) -> None:
    assert FORMS[suffix](jsonl([result("n1")]), Path("/dev/null")) == 1
    assert Path("/dev/null").is_char_device()


def test_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    message = "Parquet needs pyarrow: pip install 'facetcode[batch]'"
    for call in (
        lambda: FORMS[".parquet"]([], tmp_path / "out"),
        lambda: rows_to_batch([]),
        lambda: require(".parquet"),
    ):
        with pytest.raises(InputError) as raised:
            call()
        assert str(raised.value) == message
    for suffix in (".csv", ".sqlite", ".db"):
        require(suffix)
        write(suffix, [result("n1")], tmp_path)
    assert not (tmp_path / "out").exists()


def test_the_module_is_light() -> None:
    probe = "import sys, extractor.batch.tables; print(*{'pyarrow', 'numpy', 'spacy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_results_of_the_stub(tmp_path: Path) -> None:
    """What the model writes, not what a test made up."""
    coded = [StubCoder().code(text, id=text) for text in ("facet", "side?", "nothing")]
    lines = [one.to_json().encode() for one in coded]
    path = tmp_path / "out.parquet"
    assert FORMS[".parquet"](lines, path) == 3
    assert parquet_records(path) == [one.model_dump() for one in coded]
