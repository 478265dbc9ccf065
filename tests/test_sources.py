"""Every input format: what stands in a file comes out, and whatever else stands there is one clear item, never a crash.

The cases hold the bytes of files as Latin-1. Files of real libraries are written and read back; random and spoiled
bytes go through every reader.
"""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import random
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import hl7
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from casefile import cases
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stubs import SECRET

from extractor.batch import sources
from extractor.batch.readers import streams
from extractor.batch.sources import READERS, BadRecord, Incoming, Item, Remark, open_sources, single_note
from extractor.errors import InputError

TEXTS = [
    "Left L4-5 facet\r\n\tjoint",
    'say "ah", L4\u20135; done|now',
    "\ufeff \U0001f9b4\u2028bone\x0b",
    "'",
    "a\\b\n\n",
]


@pytest.fixture(autouse=True)
def _in_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def shown(item: Item) -> dict[str, Any]:
    if isinstance(item, Incoming):
        return {"where": item.where} | item.note.model_dump(exclude_none=True)
    if isinstance(item, BadRecord):
        return {"bad": f"{item.where}: {item.reason}"}
    return {"remark": f"{item.where}: {item.text}"}


def read(*inputs: str, columns: tuple[str, str] = ("id", "text")) -> list[dict[str, Any]]:
    try:
        return [shown(item) for item in open_sources(inputs, *columns)]
    except InputError as error:
        return [{"error": str(error)}]


def texts(*inputs: str) -> dict[str, str]:
    return {item["id"]: item["text"] for item in read(*inputs)}


def numbered(values: list[str]) -> dict[str, str]:
    return {f"n{number}": value for number, value in enumerate(values)}


@pytest.mark.parametrize("case", cases("sources.jsonl", {"files", "items"}, {"inputs", "columns"}))
def test_read(case: dict[str, Any]) -> None:
    for name, content in case["files"].items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(content.encode("latin-1"))
    found = read(*case.get("inputs", case["files"]), columns=tuple(case.get("columns", ("id", "text"))))
    assert found == case["items"]
    assert not any(SECRET in line for item in found for key, line in item.items() if key in ("bad", "remark", "error"))


@pytest.mark.parametrize("quoting", [csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC])
@pytest.mark.parametrize(("suffix", "delimiter"), [("csv", ","), ("csv", ";"), ("csv", "\t"), ("tsv", "\t")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_csv_as_python_writes_it(quoting: int, suffix: str, delimiter: str, encoding: str) -> None:
    notes = numbered(TEXTS)
    with open(f"n.{suffix}", "w", newline="", encoding=encoding) as stream:
        writer = csv.writer(stream, delimiter=delimiter, quoting=quoting)  # type: ignore[arg-type]
        writer.writerow(["site", "text", "id"])
        writer.writerows(["A", text, note_id] for note_id, text in notes.items())
    assert texts(f"n.{suffix}") == notes
    assert {item["site"] for item in read(f"n.{suffix}")} == {"A"}


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1).map(lambda text: f"facet {text}"), min_size=1))
def test_csv_round_trip_of_any_text(values: list[str]) -> None:
    notes = numbered([value.replace("\ufeff", "") for value in values])  # a mark at the start of a line is dropped
    with open("n.csv", "w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([("id", "text"), *notes.items()])
    assert texts("n.csv") == notes


def test_csv_with_a_field_of_five_megabytes() -> None:
    text = "lumbar\n" * 750_000 + "facet"
    Path("n.csv").write_text(f'id,text\na,"{text}"\n')
    assert texts("n.csv") == {"a": text}


def parquet(name: str = "n.parquet", row_group_size: int | None = None, **columns: Any) -> str:
    pq.write_table(pa.table(columns), name, row_group_size=row_group_size)
    return name


def test_parquet_as_arrow_writes_it() -> None:
    notes = numbered(TEXTS * 100)
    assert texts(parquet(id=list(notes), text=list(notes.values()), row_group_size=70)) == notes


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_parquet_kinds_of_strings(kind: Any) -> None:
    parquet(id=pa.array(["a"]).cast(kind), text=pa.array(["facet"]).cast(kind))
    assert texts("n.parquet") == {"a": "facet"}


def test_parquet_further_columns() -> None:
    count = 3
    parquet(
        id=pa.array([1, 2, 3]),
        text=["x", None, "y"],
        date_of_service=pa.array([datetime(2026, 1, 31, 8), None, None]),
        profile=["medicare", "", None],
        day=[date(2026, 1, 2)] * count,
        exact=pa.array([1] * count, pa.timestamp("ns")),
        far=pa.array([2**44] * count, pa.timestamp("s")),
        price=[Decimal("1.50")] * count,
        ratio=[0.5, float("nan"), float("inf")],
        nested=[{"a": [date(2026, 1, 2)], "b": True}] * count,
        pairs=pa.array([[("k", 1)]] * count, pa.map_(pa.string(), pa.int64())),
        scan=[b"x"] * count,
        scans=[[b"x"]] * count,
        **{"a.b": [1] * count},
    )
    carried = {
        "day": "2026-01-02",
        "exact": "1970-01-01T00:00:00.000000001",
        "far": None,
        "price": "1.50",
        "nested": {"a": ["2026-01-02"], "b": True},
        "pairs": [["k", 1]],
        "a.b": 1,
    }
    first, second, third, fourth = open_sources(["n.parquet"])
    assert first == Remark("n.parquet", "binary columns are left out (2)")
    assert isinstance(second, Incoming)
    assert second.note.carried == carried | {"ratio": 0.5}
    assert (second.note.id, second.note.date_of_service, second.note.profile) == ("1", "2026-01-31", "medicare")
    assert third == BadRecord("n.parquet row 2", 'key "text" is not a string')
    assert isinstance(fourth, Incoming)
    assert fourth.note.carried == carried | {"ratio": None}
    assert (fourth.where, fourth.note.date_of_service, fourth.note.profile) == ("n.parquet row 3", None, None)
    json.dumps(fourth.note.carried, allow_nan=False)


def test_parquet_columns_by_name() -> None:
    parquet(no=["a"], body=["x"], text=["T"])
    told = '"text" is not carried through, as the text is taken from "body"'
    assert read("n.parquet", columns=("no", "body")) == [
        {"remark": f"n.parquet: {told}"},
        {"where": "n.parquet row 1", "id": "a", "text": "x"},
    ]


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        ({"id": ["a"]}, 'no column "text"'),
        ({"text": ["x"]}, 'no column "id"'),
        ({"id": [1.5], "text": ["x"]}, 'column "id" does not hold strings or whole numbers'),
        ({"id": ["a"], "text": [b"x"]}, 'column "text" does not hold strings'),
    ],
)
def test_parquet_wrong_columns_stop_before_the_first_note(columns: dict[str, Any], line: str) -> None:
    Path("a.txt").write_text("facet")
    with pytest.raises(InputError) as error:
        open_sources(["a.txt", parquet(**columns)])  # not even read from
    assert str(error.value) == f"n.parquet: {line}"


def test_parquet_without_rows() -> None:
    parquet(id=pa.array([], pa.string()), text=pa.array([], pa.string()))
    assert read("n.parquet") == [{"bad": "n.parquet: no notes in this file"}]


def test_parquet_damaged_in_the_middle_keeps_the_rows_before() -> None:
    texts_ = [f"{number} facet" * 50 for number in range(200)]
    options: dict[str, Any] = {"compression": "none", "use_dictionary": False, "row_group_size": 100}
    pq.write_table(pa.table({"id": [str(n) for n in range(200)], "text": texts_}), "n.parquet", **options)
    data = bytearray(Path("n.parquet").read_bytes())
    begin = pq.ParquetFile("n.parquet").metadata.row_group(1).column(1).data_page_offset
    data[begin : begin + 40] = b"\xff" * 40
    Path("n.parquet").write_bytes(data)
    *good, last = read("n.parquet")
    assert [item["text"] for item in good] == texts_[: len(good)]
    assert len(good) >= 64
    assert last["bad"].endswith("the file is damaged, rows from here on cannot be read")


def message(kind: str, note_id: str, text: str, ed: bool = False) -> str:
    """A message built and escaped by the library."""
    made = hl7.parse(f"MSH|^~\\&|A|B|C|D|20260131||{kind}|{note_id}|P|2.5.1\rOBX|1|{'ED' if ed else 'TX'}|||\r")
    if ed:
        made["OBX"][0][5] = made.create_field([f"A^TEXT^^Base64^{base64.b64encode(text.encode()).decode()}"])
    else:
        made["OBX"][0][5] = made.create_field([made.escape(text)])
    return str(made)


@pytest.mark.parametrize("ed", [False, True])
@pytest.mark.parametrize("kind", ["MDM^T02^MDM_T02", "ORU^R01"])
def test_hl7_as_the_library_writes_it(kind: str, ed: bool) -> None:
    notes = numbered(["Left L4-5 | 1^2 & 3 ~ 4 \\ 5", "caf\xe9", "one\ntwo"])
    Path("n.hl7").write_text("".join(message(kind, *note, ed=ed) for note in notes.items()), newline="")
    assert texts("n.hl7") == notes


def packed(name: str, data: bytes) -> str:
    content = gzip.compress(data) if name.endswith(".gz") else zstandard.ZstdCompressor().compress(data)
    Path(name).write_bytes(content)
    return name


def plain_files() -> dict[str, bytes]:
    document = {
        "resourceType": "DocumentReference",
        "id": "f",
        "content": [{"attachment": {"contentType": "text/plain", "data": base64.b64encode(b"facet").decode()}}],
    }
    return {
        "t.txt": b"facet",
        "r.rtf": b"{\\rtf1 facet}",
        "c.csv": b"id,text\nc,facet\n",
        "v.tsv": b"id\ttext\nv\tfacet\n",
        "j.jsonl": b'{"id": "j", "text": "facet"}\n',
        "d.ndjson": json.dumps(document).encode(),
        "h.hl7": message("MDM^T02", "h", "facet").encode(),
        "g.hl7v2": message("MDM^T02", "g", "facet").encode(),
    }


def test_every_format_is_tried_packed() -> None:
    assert {Path(name).suffix for name in plain_files()} == {name for name in READERS if READERS[name].may_be_packed}


@pytest.mark.parametrize("packing", [".gz", ".zst", ".GZ"])
@pytest.mark.parametrize("name", sorted(plain_files()))
def test_packed(name: str, packing: str) -> None:
    data = plain_files()[name]
    Path(name).write_bytes(data)
    Path(name + packing).write_bytes(
        gzip.compress(data) if packing != ".zst" else zstandard.ZstdCompressor().compress(data)
    )
    (plain,), (found,) = read(name), read(name + packing)
    assert plain["text"] == found["text"] == "facet"
    assert plain["id"] == found["id"]
    assert found["where"] == plain["where"].replace(name, name + packing)


@pytest.mark.parametrize("name", ["n.jsonl.gz", "n.jsonl.zst", "n.csv.gz", "n.csv.zst", "n.hl7.gz", "n.hl7.zst"])
def test_an_archive_that_breaks_off_keeps_the_records_before(name: str) -> None:
    given_ = [noise(3000, seed=number) for number in range(100)]
    if ".jsonl" in name:
        data = "".join(json.dumps({"id": str(n), "text": text}) + "\n" for n, text in enumerate(given_))
    elif ".csv" in name:
        data = "id,text\n" + "".join(f"{n},{text}\n" for n, text in enumerate(given_))
    else:
        data = "".join(message("MDM^T02", str(n), text) for n, text in enumerate(given_))
    packed(name, data.encode())
    whole = Path(name).read_bytes()
    assert len(read(name)) == 100
    for size in (len(whole) - 4, len(whole) * 2 // 3):
        Path(name).write_bytes(whole[:size])
        *good, last = read(name)
        assert [item["text"] for item in good] == given_[: len(good)]
        assert last == {"bad": f"{name}: the {'gzip' if name.endswith('.gz') else 'zstd'} archive is damaged"}
        assert good or size < len(whole) - 4


def test_archives_of_several_parts() -> None:
    lines = [b'{"id": "a", "text": "x"}\n', b'{"id": "b", "text": "y"}\n']
    Path("n.jsonl.gz").write_bytes(b"".join(map(gzip.compress, lines)))
    Path("n.jsonl.zst").write_bytes(b"".join(map(zstandard.ZstdCompressor().compress, lines)))
    assert texts("n.jsonl.gz") == texts("n.jsonl.zst") == {"a": "x", "b": "y"}


@pytest.mark.parametrize("name", ["n.jsonl", "n.jsonl.gz", "n.csv.zst", "n.txt", "n.txt.zst", "n.hl7.gz", "u.jsonl"])
def test_a_record_above_the_limit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_BYTES", 2**20)
    long, record = "x" * 2**21, json.dumps({"id": "b", "text": "y"})
    data = {
        "n.jsonl": f"{long}\n{record}\n",
        "u.jsonl": f"{long}\n{record}\n",
        "n.csv": f"id,text\na,{long}\n",
        "n.txt": long,
        "n.hl7": message("MDM^T02", "a", long) + message("MDM^T02", "b", "y"),
    }[name.removesuffix(".gz").removesuffix(".zst")]
    encoded = data.encode("utf-16" if name == "u.jsonl" else "utf-8")
    if name.endswith((".gz", ".zst")):
        packed(name, encoded)
    else:
        Path(name).write_bytes(encoded)
    first, *rest = read(name)
    assert "longer than 1 MB" in first["bad"]
    assert [item["id"] for item in rest] == ([] if ".txt" in name or ".csv" in name else ["b"])


def noise(length: int, seed: int = 0) -> str:
    """Text that hardly can be packed."""
    return base64.b64encode(random.Random(seed).randbytes(length)).decode()


def many(name: str, count: int) -> str:
    def text(number: int) -> str:
        return noise(900, seed=number)

    if ".parquet" in name:
        return parquet(name, id=[str(n) for n in range(count)], text=list(map(text, range(count))))
    if ".jsonl" in name:
        lines: Iterator[str] = (json.dumps({"id": str(n), "text": text(n)}) + "\n" for n in range(count))
    elif ".csv" in name:
        lines = (f'{n},"{text(n)}\n"\n' if n else "id,text\n" for n in range(count + 1))
    else:
        lines = (message("MDM^T02", str(n), text(n)) for n in range(count))
    data = "".join(lines).encode("utf-16" if name.startswith("u") else "utf-8")
    if name.endswith((".gz", ".zst")):
        return packed(name, data)
    Path(name).write_bytes(data)
    return name


@pytest.mark.parametrize("name", ["n.jsonl", "u.jsonl", "n.csv", "n.hl7", "n.parquet", "n.csv.gz", "n.jsonl.zst"])
def test_memory_does_not_grow_with_the_number_of_notes(name: str) -> None:
    many(name, 3000)  # 3.6 MB of text
    tracemalloc.start()
    try:
        assert sum(isinstance(item, Incoming) for item in open_sources([name])) == 3000
        assert tracemalloc.get_traced_memory()[1] < 2_000_000  # 0.5 MB of it are the ids
    finally:
        tracemalloc.stop()
    assert pa.total_allocated_bytes() < 2_000_000


def test_repeats_over_all_inputs() -> None:
    Path("in").mkdir()
    Path("in/a.txt").write_text("x")
    Path("n.csv").write_text("id,text\nb,x\na,x\n")
    Path("n.jsonl").write_text('\n{"id": "b", "text": "x"}\n')
    assert [item for item in read("in", "n.csv", "n.jsonl") if "bad" in item] == [
        {"bad": "n.csv line 3: id a stands twice (first: in/a.txt)"},
        {"bad": "n.jsonl line 2: id b stands twice (first: n.csv line 2)"},
    ]


def test_long_names_stay_apart() -> None:
    folder = Path("in", *["d" * 60] * 3)
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("x")
    (folder / "b.txt").write_text("y")
    assert len(texts("in")) == 2


def test_one_file_that_is_gone_or_locked_does_not_stop_the_others() -> None:
    for name in ("a.jsonl", "b.csv", "c.txt"):
        Path(name).write_text("id,text\nb,x\n")
    items = open_sources(["a.jsonl", "b.csv", "c.txt"])
    for name in ("a.jsonl", "b.csv"):
        Path(name).unlink()
    assert [shown(item) for item in items] == [
        {"bad": "a.jsonl: cannot be read (No such file or directory)"},
        {"bad": "b.csv: cannot be read (No such file or directory)"},
        {"where": "c.txt", "id": "c", "text": "id,text\nb,x\n"},
    ]


def test_standard_input_is_jsonl(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(b'{"no": "a", "body": "x"}\n')

    monkeypatch.setattr("sys.stdin", Stdin)
    assert read("-", columns=("no", "body")) == [{"where": "standard input line 1", "id": "a", "text": "x"}]


@pytest.mark.parametrize("name", ["r.rtf", "t.txt", "r.rtf.gz", "t.txt.zst", "t.note"])
def test_single_note(name: str) -> None:
    data = plain_files()["r.rtf" if "rtf" in name else "t.txt"]
    if name.endswith((".gz", ".zst")):
        packed(name, data)
    else:
        Path(name).write_bytes(data)
    (item,) = single_note(name)
    assert isinstance(item, Incoming)
    assert (item.note.id, item.note.text) == (name[0], "facet")


@pytest.mark.parametrize("name", ["c.csv", "h.hl7", "d.ndjson", "c.csv.gz"])
def test_single_note_of_a_format_with_many(name: str) -> None:
    Path(name).write_bytes(b"")
    with pytest.raises(InputError, match="holds many notes, use: facetcode run"):
        single_note(name)


@pytest.mark.parametrize(
    ("name", "missing"),
    [("n.rtf", "striprtf"), ("n.hl7", "hl7"), ("n.parquet", "pyarrow"), ("n.txt.zst", "zstandard"), ("in", "striprtf")],
)
def test_a_library_that_is_missing(name: str, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("in").mkdir()
    Path("in/a.rtf").touch()
    Path(name).touch()
    for module in [module for module in sys.modules if module.split(".")[0] == missing]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(InputError) as error:
        open_sources([name])
    file = "in/a.rtf" if name == "in" else name
    assert str(error.value) == f"{file}: reading it needs {missing}: pip install 'facetcode[batch]'"


def test_no_heavy_library_before_its_format() -> None:
    Path("n.csv").write_text("id,text\na,x\n")
    heavy = "pyarrow", "striprtf", "hl7", "zstandard"
    probe = (
        "import sys; from extractor.batch.sources import open_sources; list(open_sources(['n.csv']));"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    root = Path(sources.__file__).parents[2]
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(root)!r}); {probe}"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize(
    "rtf",
    [
        b"{\\rtf1{\\fonttbl" + b"\\f1\\fcharset1" * 20_000 + b"}x}",
        b"{\\rtf1{\\fonttbl" + b"\\f1 " * 20_000 + b";}x}",
        b"{\\rtf1" + b'{\\field{\\*\\fldinst{HYPERLINK "a"' * 20_000 + b"}" * 60_000 + b"x}",
    ],
    ids=["fonts", "fonts-without-charset", "links"],
)
def test_rtf_that_the_library_alone_would_take_hours_for(rtf: bytes) -> None:
    Path("n.rtf").write_bytes(rtf)
    assert texts("n.rtf") == {"n": "x"}


# Hostile input: whatever the bytes, a reader yields items or says that the call is wrong.

NAMES = sorted({f"x{suffix}" for suffix in READERS} | {f"x{s}{p}" for s in (".jsonl", ".csv") for p in (".gz", ".zst")})
FRAGMENTS = [
    b"MSH|^~\\&|A|B|C|D|20260131||MDM^T02|M1|P|2.5\r",
    b"MSH",
    b"MSH|",
    b"MSH^~|\\&|",
    b"OBX|1|TX|||",
    b"OBX|1|ED|||^TEXT^^Base64^",
    b"TXA|",
    b"\r",
    b"\n",
    b"\x0b",
    b"\x1c",
    b"\\",
    b"\\.br\\",
    b"\\XFF\\",
    b"{\\rtf1",
    b"{",
    b"}",
    b"\\u-1 ",
    b"\\uc",
    b"\\'ff",
    b"\\ansicpg0",
    b"\\ansicpg65001",
    b"\\fonttbl",
    b"\\f0\\fcharset999;",
    b"\\bin9",
    b"\\pict",
    b"id,text\n",
    b"id\ttext\n",
    b'"',
    b",",
    b"a,",
    b'{"id": "a", "text": "x"}',
    b'{"resourceType": "DocumentReference", "id": "a", "content": [{"attachment": ',
    b'{"contentType": "text/plain; charset=',
    b'", "data": "',
    b"eA==",
    b'"}}]}',
    b"null",
    b"[",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"PAR1",
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
    b"\x28\xb5\x2f\xfd",
]
hostile = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def survives(name: str, data: bytes) -> None:
    Path(name).write_bytes(data)
    try:
        items = list(open_sources([name]))
    except InputError:
        return
    for item in items:
        assert isinstance(item, Incoming | BadRecord | Remark)
        if isinstance(item, Incoming):
            item.note.text.encode()
        else:
            assert "\n" not in str(shown(item))


@pytest.mark.parametrize("name", NAMES)
@hostile
@given(data=st.binary(max_size=300) | st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=5)).map(b"".join))
def test_random_bytes(name: str, data: bytes) -> None:
    survives(name, data)


@pytest.mark.parametrize("name", NAMES)
@hostile
@given(spoil=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=5), cut=st.booleans())
def test_spoiled_files(name: str, spoil: list[tuple[int, int]], cut: bool) -> None:
    suffix = Path(name.removesuffix(".gz").removesuffix(".zst")).suffix
    if suffix == ".parquet":
        stream = io.BytesIO()
        pq.write_table(
            pa.table({"id": ["a", "b"], "text": ["x", "y"], "n": [1, 2], "d": [date(2026, 1, 1)] * 2}), stream
        )
        data = bytearray(stream.getvalue())
    else:
        data = bytearray(next(data for known, data in plain_files().items() if known.endswith(suffix)) * 3)
    if name.endswith(".gz"):
        data = bytearray(gzip.compress(data))
    elif name.endswith(".zst"):
        data = bytearray(zstandard.ZstdCompressor().compress(data))
    for place, value in spoil:
        data[place % len(data)] = value
    survives(name, bytes(data[: spoil[0][0] % len(data)] if cut else data))


@pytest.mark.parametrize("name", ["x.jsonl", "x.ndjson", "x.jsonl.gz"])
@hostile
@given(
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    ["resourceType", "id", "content", "attachment", "data", "contentType", "context", "period", "start"]
                ),
                inner | st.sampled_from(["DocumentReference", "text/plain;charset=utf-16", "text/rtf", "eA=="]),
            )
        ),
    )
)
def test_fhir_of_any_shape(name: str, record: Any) -> None:
    lines = [record, {"resourceType": "DocumentReference", "id": "a", "content": record}]
    data = "\n".join(map(json.dumps, lines)).encode()
    survives(name, gzip.compress(data) if name.endswith(".gz") else data)
