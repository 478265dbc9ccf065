"""Corpus formats: what is written is read back, foreign files are read, an error names its place and no words."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extractor.coding.lines import ClaimLine
from extractor.errors import InputError
from extractor.evaluation import formats
from extractor.evaluation.formats import brat, cas, label_studio, native
from extractor.evaluation.records import Coding, Document, Entity, Line, Relation

SECRET = "Zygapophysis"  # the note text of the error cases: it must not show up in a message
few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# -- any document --------------------------------------------------------------------------------------------------

PIECES = [
    "L4-5",
    " ",
    "\r\n",
    "\n",
    "\r",
    "\t",
    "\U0001f642",
    "\U0001d49c",
    "e\u0301",
    "\u2028",
    "\x85",
    "\u00a0",
    "\\n",
]
CHARACTERS = st.characters(exclude_categories=("Cs",))
XML_CHARACTERS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
STATUSES = st.sampled_from(("coded", "review", "no_code"))
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
# Keys that mean something in one format or another are carried through all of them.
CARRIED_KEYS = st.text(max_size=3) | st.sampled_from(
    "style id text author label data meta status lines entities carried gold brat answer label_studio entity_keys "
    "gold_keys facetcode spans annotations predictions ids".split()
)


def tuples(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(values, max_size=2).map(tuple)


@st.composite
def documents(draw: st.DrawFn, characters: st.SearchStrategy[str], name: str) -> Document:
    words = st.text(characters, max_size=6)
    text = "".join(draw(st.lists(st.sampled_from(PIECES) | words, max_size=8)))
    entities: list[Entity] = []
    if text:
        odd_ids = st.text(characters, min_size=1, max_size=3)
        ids = draw(st.lists(st.sampled_from(["T1", "T2", "T10", "1", "A1"]) | odd_ids, max_size=4, unique=True))
        entities = [draw(entity(one, text, words)) for one in ids]
    relations: list[Relation] = []
    if entities:
        ends = st.sampled_from([one.id for one in entities])
        labels = st.sampled_from(["level-side", "agent-site"])
        for tie in draw(st.lists(st.sampled_from(["R1", "R2", "x y"]), max_size=3, unique=True)):
            relations.append(Relation(tie, draw(labels), draw(ends), draw(ends)))
    return Document(
        id=name,
        text=text,
        entities=tuple(entities),
        relations=tuple(relations),
        coding=draw(st.none() | codings(words)),
        author=draw(st.just("") | words),
        carried=draw(st.just({}) | st.dictionaries(CARRIED_KEYS, JSON_VALUES, max_size=2)),
    )


@st.composite
def entity(draw: st.DrawFn, name: str, text: str, words: st.SearchStrategy[str]) -> Entity:
    count = draw(st.integers(1, 3))
    offsets = st.integers(0, len(text))
    cuts = sorted(draw(st.lists(offsets, min_size=2, max_size=2 * count, unique=True)))
    fragments = tuple(zip(cuts[::2], cuts[1::2], strict=False))
    keys = st.sampled_from(["assertion", "role", "value", "section", "label", "text"]) | words
    values = words | st.sampled_from(["performed", "L4-L5, L5-S1", "", " x ", "a\\u000ab", "k=v", "two\nlines"])
    attributes = draw(st.dictionaries(keys, values, max_size=3))
    return Entity(name, draw(st.sampled_from(["Level", "Side", "Agent"])), fragments, attributes)


@st.composite
def codings(draw: st.DrawFn, words: st.SearchStrategy[str]) -> Coding:
    lists = st.none() | tuples(words)
    line = st.builds(Line, words, st.sampled_from(["left", "bilateral", "unspecified"]), tuples(words))
    return Coding(
        status=draw(STATUSES),
        lines=draw(tuples(line)),
        claim=draw(st.none() | tuples(st.builds(ClaimLine, words, tuples(words), st.integers(0, 9)))),
        imaging=draw(lists),
        injectate=draw(lists),
        target=draw(lists),
        queries=draw(lists),
        why=draw(words),
    )


@st.composite
def corpora(draw: st.DrawFn, characters: st.SearchStrategy[str] = CHARACTERS) -> list[Document]:
    odd = st.text(CHARACTERS, min_size=1, max_size=4).filter(str.strip)
    ids = draw(st.lists(st.sampled_from(["n1", "N1", "ward 3/7", "..", ".x", "a.b"]) | odd, max_size=3, unique=True))
    return [draw(documents(characters, one)) for one in ids]


def back(corpus: list[Document], form: str) -> list[Document]:
    """The corpus after it was written and read again."""
    suffix = {"label-studio": ".json", "prodigy": ".jsonl", "doccano": ".jsonl", "native": ".jsonl"}.get(form, "")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"corpus{suffix}"
        formats.write(corpus, path, form)
        if not corpus and not suffix:
            return []  # an empty folder is no corpus
        if corpus and not corpus[0].carried:  # a carried key may look like one of another format
            assert formats.guess(path) == form
        return list(formats.read(path, form))


def same(corpus: list[Document], form: str) -> None:
    read = back(corpus, form)
    if form in ("brat", "cas-xmi", "cas-json"):  # folders come in the order of their names
        read = sorted(read, key=lambda document: document.id)
        corpus = sorted(corpus, key=lambda document: document.id)
    assert read == corpus


@few
@given(corpora())
@pytest.mark.parametrize("form", ["native", "brat", "label-studio", "prodigy", "doccano"])
def test_what_is_written_is_read_back(form: str, corpus: list[Document]) -> None:
    same(corpus, form)


@few
@given(corpora())
def test_what_is_written_as_cas_json_is_read_back(corpus: list[Document]) -> None:
    pytest.importorskip("cassis")
    same(corpus, "cas-json")


@few
@given(corpora(XML_CHARACTERS))
def test_what_is_written_as_cas_xmi_is_read_back(corpus: list[Document]) -> None:
    pytest.importorskip("cassis")
    same(corpus, "cas-xmi")


def test_a_coding_says_nothing_or_nothing_there() -> None:
    """`None` (the layer does not say) and an empty list (there was none) are two things in every format."""
    coding = Coding("no_code", imaging=(), queries=None, claim=())
    document = Document("n1", "L4-5", coding=coding)
    for form in formats.FORMS:
        if not form.startswith("cas") or _has_cassis():
            assert back([document], form)[0].coding == coding


def _has_cassis() -> bool:
    try:
        import cassis  # noqa: F401
    except ImportError:
        return False
    return True


def test_one_format_to_the_next(tmp_path: Path) -> None:
    """A corpus that goes through all formats is the same at the end."""
    side = Entity("T1", "Side", ((0, 4), (9, 14)), {"value": "left, right", "assertion": "performed"})
    level = Entity("x1", "Level", ((15, 19),), {"value": "L4-L5"})
    document = Document(
        "ward 3/7",
        "left and right L4-5\r\n\U0001f642",
        (side, level),
        (Relation("R1", "level-side", "x1", "T1"),),
        Coding("coded", (Line("x", "left", ("L4-L5",)),), why="as told"),
        "hand-1",
        {"style": "op_note"},
    )
    corpus = [document]
    for form in formats.FORMS:
        if not form.startswith("cas") or _has_cassis():
            formats.write(corpus, tmp_path / form, form)
            corpus = list(formats.read(tmp_path / form, form))
    assert corpus == [document]


# -- foreign files -------------------------------------------------------------------------------------------------


def put(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_bytes(text.encode())
    return path


def brat_note(folder: Path, ann: str, text: str = "L4-5 and L5S1", **more: object) -> Path:
    put(folder / "n1.txt", text)
    put(folder / "n1.ann", ann)
    if more:
        put(folder / "n1.json", more)
    return folder


def test_brat_as_annotators_leave_it(tmp_path: Path) -> None:
    ann = (
        "A1\tNegated T1\r\n"  # before its span, without a value, with the line ends of Windows
        "T1\tLevel 0 4;9 13\tL4-5 L5S1\r\n"
        "T2\tSide 5 8\tand\r\n"
        "M1\tassertion T2 planned\r\n"
        "R1\tlevel-side Arg2:T2 Arg1:T1\t\r\n"
        "E1\tLevel:T1 Theme:T2\r\n"
        "M2\tSpeculation E1\r\n"
        "N1\tReference T1 UMLS:C0\tfacet\r\n"
        "*\tEquiv T1 T2\r\n"
        "#1\tAnnotatorNotes T1\tvalue=L4-L5 and L5-S1\r\n"
        "#2\tAnnotatorNotes T1\tlooks odd, value=?\r\n"
        "\r\n"
    )
    [document] = formats.read(brat_note(tmp_path, ann))
    first = {"Negated": "", "value": "L4-L5 and L5-S1"}
    assert document.entities == (
        Entity("T1", "Level", ((0, 4), (9, 13)), first),
        Entity("T2", "Side", ((5, 8),), {"assertion": "planned"}),
    )
    assert document.relations == (Relation("R1", "level-side", "T1", "T2"),)
    raw = document.carried["brat"]
    assert [line.split("\t")[0] for line in raw] == ["E1", "M2", "N1", "*", "#2"]
    formats.write([document], tmp_path / "out", "brat")
    written = (tmp_path / "out" / "n1.ann").read_text(encoding="utf-8").split("\n")
    assert set(raw) < set(written)
    assert "A1\tNegated T1" in written
    assert "#1\tAnnotatorNotes T1\tvalue=L4-L5 and L5-S1" in written


def test_brat_spans_over_line_ends(tmp_path: Path) -> None:
    [document] = formats.read(brat_note(tmp_path, "T1\tLevel 0 6\tL4  L5\n", "L4\r\nL5"))
    assert document.text == "L4\r\nL5"
    formats.write([document], tmp_path / "out", "brat")
    assert (tmp_path / "out" / "n1.txt").read_bytes() == b"L4\r\nL5"
    assert (tmp_path / "out" / "n1.ann").read_bytes() == b"T1\tLevel 0 6\tL4  L5\n"


def test_brat_coding_beside_the_note(tmp_path: Path) -> None:
    sidecar = {
        "author": "hand-1",
        "status": "review",
        "lines": [{"code": "x", "side": "left", "joints": ["L4-L5"]}],
        "claim": [{"code": "x", "modifiers": ["LT"], "units": 1}],
        "summary": {"imaging": ["ct"], "injectate": [], "target": ["joint"]},
        "queries": [{"id": "missing_side"}],
        "why": "no side",
        "site": "A",
    }
    [document] = formats.read(brat_note(tmp_path, "", **sidecar))
    assert (document.author, document.carried) == ("hand-1", {"site": "A"})
    line, claim = Line("x", "left", ("L4-L5",)), ClaimLine("x", ("LT",), 1)
    asked = ("missing_side",)
    assert document.coding == Coding("review", (line,), (claim,), ("ct",), (), ("joint",), asked, "no side")


def label_studio_task(spans: list[tuple[int, int, str | None]], text: str) -> dict[str, Any]:
    result = [
        {
            "id": f"r{number}",
            "type": "labels",
            "from_name": "label",
            "to_name": "text",
            "value": {"start": start, "end": end, "labels": ["Level"]} | ({} if words is None else {"text": words}),
        }
        for number, (start, end, words) in enumerate(spans)
    ]
    return {"id": 7, "data": {"text": text}, "annotations": [{"result": result}]}


EMOJI = "\U0001f642"


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        pytest.param([(2, 6, "L4-5")], [(2, 6)], id="code points"),
        pytest.param([(3, 7, "L4-5")], [(2, 6)], id="utf-16"),
        pytest.param([(2, 6, None)], [(2, 6)], id="no words"),
        pytest.param([(3, 7, "L4-5"), (8, 12, None)], [(2, 6), (7, 11)], id="one with words decides for all"),
        pytest.param([(2, 6, "L4-5"), (8, 12, "L5S1")], [(2, 6), (7, 11)], id="mixed"),
        pytest.param([(0, 2, EMOJI), (12, 15, f"\\n{EMOJI}")], [(0, 1), (11, 13)], id="line end as the browser has it"),
    ],
)
def test_label_studio_offsets(tmp_path: Path, spans: list[Any], expected: list[tuple[int, int]]) -> None:
    task = label_studio_task(spans, f"{EMOJI} L4-5 L5S1\n{EMOJI}")
    [document] = formats.read(put(tmp_path / "export.json", [task]))
    assert [(entity.start, entity.end) for entity in document.entities] == expected
    assert document.id == "7"


def test_label_studio_items(tmp_path: Path) -> None:
    task = label_studio_task([(0, 4, "L4-5"), (5, 9, "left")], "L4-5 left")
    result = task["annotations"][0]["result"]
    item = {"id": "r0", "to_name": "text"}
    rating = {"type": "rating", "from_name": "sure", "to_name": "text", "value": {"rating": 4}}
    result += [
        item | {"type": "choices", "from_name": "assertion", "value": {"choices": ["planned"]}},
        item | {"type": "textarea", "from_name": "value", "value": {"text": ["L4-L5"]}},
        {"type": "relation", "from_id": "r1", "to_id": "r0", "direction": "left", "labels": ["level-side"]},
        rating,
    ]
    [document] = formats.read(put(tmp_path / "tasks.jsonl", json.dumps(task) + "\n"))
    assert document.entities[0].attributes == {"assertion": "planned", "value": "L4-L5"}
    assert document.relations == (Relation("R1", "level-side", "r0", "r1"),)
    assert document.carried["label_studio"] == [rating]


def test_label_studio_chooses_an_annotation(tmp_path: Path) -> None:
    def result(label: str) -> list[dict[str, Any]]:
        return [{"id": "a", "type": "labels", "value": {"start": 0, "end": 2, "labels": [label]}}]

    def read(task: dict[str, Any], by: int | None = None) -> list[str]:
        path = put(tmp_path / "tasks.json", [task | {"id": 1, "data": {"text": "L4"}}])
        return [entity.label for document in label_studio.read(path, by) for entity in document.entities]

    skipped = {"completed_by": 1, "was_cancelled": True, "result": result("Skipped")}
    first = {"completed_by": 2, "result": result("First")}
    second = {"completed_by": {"id": 3}, "result": result("Second")}
    machine = {"predictions": [{"result": result("Machine")}]}
    assert read({"annotations": [skipped, first, second]} | machine) == ["First"]
    assert read({"annotations": [first, second | {"ground_truth": True}]}) == ["Second"]
    assert read({"annotations": [first, second]}, by=3) == ["Second"]
    assert read({"annotations": [skipped]} | machine) == []
    assert read(machine) == ["Machine"]


def test_prodigy_as_it_exports(tmp_path: Path) -> None:
    spans = [
        {"start": 0, "end": 4, "token_start": 0, "token_end": 0, "label": "Level"},
        {"start": 5, "end": 9, "token_start": 1, "token_end": 1, "label": "Side"},
    ]
    tie = {"head": 0, "child": 1, "head_span": spans[0], "child_span": spans[1], "label": "level-side"}
    good = {"text": "L4-5 left", "spans": spans, "relations": [tie], "answer": "accept", "_task_hash": 5}
    records = [good | {"answer": "reject"}, good, good | {"meta": {"id": 12, "score": 0.5}}]
    path = put(tmp_path / "set.jsonl", "\n".join(map(json.dumps, records)))
    first, second = formats.read(path)
    assert (first.id, second.id) == ("set-2", "12")
    assert [entity.label for entity in first.entities] == ["Level", "Side"]
    assert first.relations == (Relation("R1", "level-side", "T1", "T2"),)
    assert first.carried == {"answer": "accept", "_task_hash": 5}
    assert second.carried["meta"] == {"score": 0.5}


@pytest.mark.parametrize("key", ["label", "labels"])
@pytest.mark.parametrize("text", ["text", "data"])
def test_doccano_of_old(tmp_path: Path, key: str, text: str) -> None:
    [document] = formats.read(put(tmp_path / "a.jsonl", {"id": 3, text: "L4-5", key: [[0, 4, "Level"]]}))
    assert (document.id, document.text) == ("3", "L4-5")
    assert document.entities == (Entity("T1", "Level", ((0, 4),)),)


def test_doccano_numbers_spans_anew(tmp_path: Path) -> None:
    """Attributes and ids are found again after doccano gave its own numbers, and a span was added and one removed."""
    gone = Entity("T1", "Side", ((0, 4),), {"value": "left"})
    level = Entity("T2", "Level", ((5, 9),), {"value": "L4-L5"})
    target = Entity("T3", "Target", ((10, 15),))
    tie = Relation("R1", "level-target", "T2", "T3")
    path = tmp_path / "a.jsonl"
    formats.write([Document("n1", "left L4-5 facet", (gone, level, target), (tie,))], path, "doccano")
    record = json.loads(path.read_text(encoding="utf-8"))
    record["id"] = 55
    new = [(2, 10, 15, "Target"), (3, 5, 9, "Level"), (90, 5, 6, "Agent")]
    record["entities"] = [{"id": i, "start_offset": s, "end_offset": e, "label": label} for i, s, e, label in new]
    record["relations"] = [{"id": 71, "from_id": 3, "to_id": 2, "type": "level-target"}]
    [document] = formats.read(put(path, record))
    assert document.id == "n1"
    assert document.entities == (target, level, Entity("90", "Agent", ((5, 6),)))
    assert document.relations == (tie,)


def test_native_carries_keys_where_they_were(tmp_path: Path) -> None:
    record = {
        "id": "n1",
        "text": "L4-5 left",
        "style": "op_note",
        "entities": [
            {"id": "T1", "label": "Level", "start": 0, "end": 4, "text": "L4-5", "value": "L4-L5", "sure": 0.5},
            {"id": "T2", "label": "Side", "start": 5, "end": 9, "text": "left"},
        ],
        "relations": [{"id": "R1", "label": "level-side", "head": "T1", "tail": "T2", "by": "a"}],
        "gold": {"status": "coded", "lines": [], "checked_by": "b"},
    }
    path = put(tmp_path / "a.jsonl", record)
    formats.write(formats.read(path), tmp_path / "b.jsonl", "native")
    assert json.loads((tmp_path / "b.jsonl").read_text(encoding="utf-8")) == record


def test_results_of_a_run_are_predictions(tmp_path: Path) -> None:
    from extractor.schema import CodeLine, CodingResult, Query, Summary, Versions
    from extractor.schema import Entity as Found

    result = CodingResult(
        id="n1",
        status="review",
        lines=[CodeLine(code="x", side="left", joints=["L4-L5"], reasons=["because"])],
        summary=Summary(imaging=["ct"]),
        queries=[Query(id="missing_side", question="Which side?")],
        entities=[
            Found(label="Level", start=100, end=104, text="L4-5", value="L4-L5", section="body"),
            Found(label="Side", start=105, end=109, text="left", value="", attributes={"role": "r"}),
        ],
        versions=Versions(engine="0", patterns="0", codes="2026", profile="cpt"),
    )
    # The gold that came through the run with the note is not what was predicted.
    record = json.loads(result.to_json()) | {"gold": {"status": "coded"}, "style": "op_note"}
    path = put(tmp_path / "out.jsonl", record)
    for read in (native.predictions, formats.read):
        [document] = read(path)
        assert document.text == ""
        assert document.coding == Coding(
            "review", (Line("x", "left", ("L4-L5",)),), (), ("ct",), (), (), ("missing_side",)
        )
        assert [entity.attributes for entity in document.entities] == [
            {"value": "L4-L5", "assertion": "performed"},
            {"role": "r", "assertion": "performed"},
        ]
        assert document.carried["gold"] == {"status": "coded"}
        assert document.carried["entity_keys"] == {"T1": {"section": "body"}, "T2": {"section": ""}}
    formats.write([document], tmp_path / "again.jsonl", "native")
    assert list(native.predictions(tmp_path / "again.jsonl")) == [document]


def test_the_corpus_is_native() -> None:
    path = Path(__file__).parent.parent / "corpus" / "notes" / "set-00.jsonl"
    documents = list(formats.read(path))
    assert len(documents) == sum(1 for line in path.open(encoding="utf-8") if line.strip())
    assert all(document.coding and document.coding.queries is not None for document in documents)


# -- UIMA CAS ------------------------------------------------------------------------------------------------------


def inception(cassis: Any, text: str) -> Any:
    """A CAS as INCEpTION writes it: spans with `value`, a relation, a named entity, a layer of no interest."""
    types = cassis.TypeSystem()
    span = types.create_type("webanno.custom.Spine", "uima.tcas.Annotation")
    for feature, kind in (("value", "String"), ("assertion", "String"), ("sure", "Boolean")):
        types.create_feature(span, feature, f"uima.cas.{kind}")
    tie = types.create_type("webanno.custom.Link", "uima.tcas.Annotation")
    for end in ("Governor", "Dependent"):
        types.create_feature(tie, end, "uima.tcas.Annotation")
    types.create_feature(tie, "label", "uima.cas.String")
    types.create_type("org.example.Token", "uima.tcas.Annotation")
    plain = types.create_type("org.example.Mark", "uima.tcas.Annotation")
    cas = cassis.Cas(typesystem=types, sofa_string=text)
    first = span(begin=1, end=5, value="Level", assertion="performed", sure=True)
    second = span(begin=6, end=7, value="Side")
    cas.add_all([first, second, tie(begin=6, end=7, Governor=first, Dependent=second, label="level-side")])
    cas.add_all([types.get_type("org.example.Token")(begin=0, end=1), plain(begin=0, end=5)])
    return cas


@pytest.mark.parametrize("kind", ["xmi", "json"])
def test_cas_of_inception(tmp_path: Path, kind: str) -> None:
    cassis = pytest.importorskip("cassis")
    made = inception(cassis, f"{EMOJI}L4-5 {EMOJI}")
    if kind == "xmi":
        put(tmp_path / "TypeSystem.xml", made.typesystem.to_xml())
    put(tmp_path / "note" / f"admin.{kind}", made.to_xmi() if kind == "xmi" else made.to_json())
    [document] = formats.read(tmp_path)
    assert document.id == "note/admin"
    assert document.entities == (
        Entity("T1", "Level", ((1, 5),), {"assertion": "performed", "sure": "true"}),
        Entity("T2", "Side", ((6, 7),)),
    )
    assert document.relations == (Relation("R1", "level-side", "T1", "T2"),)
    read: Callable[..., Iterator[Document]] = cas.read_xmi if kind == "xmi" else cas.read_json
    [marked] = read(tmp_path, layers=["org.example.Mark"])
    assert marked.entities == (Entity("T1", "Mark", ((0, 5),)),)
    with pytest.raises(InputError, match=r"no layer org\.example\.Nothing"):
        list(read(tmp_path, layers=["org.example.Nothing"]))


@pytest.mark.parametrize("kind", ["xmi", "json"])
def test_cas_offsets_are_utf16_in_the_file(tmp_path: Path, kind: str) -> None:
    pytest.importorskip("cassis")
    document = Document("n1", f"{EMOJI}{EMOJI} L4", (Entity("T1", "Level", ((3, 5),)),))
    formats.write([document], tmp_path, f"cas-{kind}")
    written = (tmp_path / f"n1.{kind}").read_text(encoding="utf-8")
    expected = ['begin="5"', 'end="7"'] if kind == "xmi" else ['"begin": 5', '"end": 7']
    assert all(one in written for one in expected)
    assert list(formats.read(tmp_path)) == [document]
    broken = written.replace(expected[0], expected[0].replace("5", "1"))  # in the middle of the first emoji
    put(tmp_path / f"n1.{kind}", broken)
    with pytest.raises(InputError, match="middle of a character"):
        list(formats.read(tmp_path))


def test_cas_is_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cassis", None)
    for form in ("cas-xmi", "cas-json"):
        with pytest.raises(InputError, match=r"pip install facetcode\[formats\]"):
            formats.write([], tmp_path, form)
        with pytest.raises(InputError, match=r"pip install facetcode\[formats\]"):
            list(formats.read(tmp_path, form))


def test_xml_cannot_hold_control_characters(tmp_path: Path) -> None:
    pytest.importorskip("cassis")
    with pytest.raises(InputError, match=r"document n1: holds control characters, .* use cas-json"):
        formats.write([Document("n1", "page\x0cbreak")], tmp_path, "cas-xmi")


# -- errors --------------------------------------------------------------------------------------------------------

N = {"id": "n1", "text": SECRET}
SPAN = {"label": "Level", "start": 0, "end": 4}
LS_SPAN: dict[str, Any] = {"id": "a", "type": "labels", "value": {"start": 0, "end": 4, "labels": ["Level"]}}


def ls(*items: dict[str, Any], text: str = SECRET) -> list[Any]:
    return [{"id": 1, "data": {"text": text}, "annotations": [{"result": list(items)}]}]


def gold(**more: object) -> dict[str, Any]:
    return N | {"gold": {"status": "coded"} | more}


NATIVE: list[tuple[str, object, str]] = [
    ("broken JSON", f'{{"id": "n1", "text": "{SECRET}"', "line 1: not valid JSON"),
    ("NaN", '{"id": "n1", "text": NaN}', "line 1: not valid JSON"),
    ("no object", "[1]", "line 1: not a JSON object"),
    ("no records", "\n\n", "no records in this file"),
    ("no text", {"id": "n1"}, 'line 1: no key "text"'),
    ("text null", {"id": "n1", "text": None}, 'line 1: key "text" is not a string'),
    ("no id", {"text": SECRET}, 'line 1: no key "id"'),
    ("id blank", {"id": " ", "text": SECRET}, "line 1: the id is empty"),
    ("half a character", '{"id": "n1", "text": "\\ud83d"}', 'line 1: key "text" holds broken Unicode'),
    ("twice", f"{json.dumps(N)}\n\n{json.dumps(N)}", "line 3: id n1 stands twice (first: notes.jsonl line 1)"),
    ("beyond", N | {"entities": [SPAN | {"end": 40}]}, "line 1: T1 reaches beyond the text (0 to 40 of 12)"),
    ("empty span", N | {"entities": [SPAN | {"end": 0}]}, "line 1: T1 is empty"),
    ("negative", N | {"entities": [SPAN | {"start": -1}]}, "line 1: an offset is not a whole number from 0 on"),
    ("fraction", N | {"entities": [SPAN | {"end": 1.5}]}, "line 1: an offset is not a whole number from 0 on"),
    ("no end", N | {"entities": [{"label": "Level", "start": 0}]}, "line 1: an offset is not a whole number from 0 on"),
    ("no label", N | {"entities": [{"start": 0, "end": 4}]}, "line 1: a label is not a string"),
    ("words", N | {"entities": [SPAN | {"text": "Facet"}]}, "line 1: the words of T1 are not those at its offsets"),
    (
        "order",
        N | {"entities": [{"label": "Level", "fragments": [[4, 6], [0, 2]]}]},
        "line 1: the fragments of T1 are not in order",
    ),
    (
        "fragments",
        N | {"entities": [{"label": "Level", "fragments": [1, 2]}]},
        "line 1: fragments are not a list of pairs",
    ),
    (
        "attribute",
        N | {"entities": [SPAN | {"attributes": {"value": 1}}]},
        "line 1: T1: attributes are not an object of strings",
    ),
    (
        "two values",
        N | {"entities": [SPAN | {"value": "a", "attributes": {"value": "b"}}]},
        "line 1: T1 has two different attributes value",
    ),
    ("same ids", N | {"entities": [SPAN | {"id": "a"}] * 2}, "line 1: a is there twice"),
    (
        "same relations",
        N | {"entities": [SPAN], "relations": [{"id": "R", "label": "x", "head": "T1", "tail": "T1"}] * 2},
        "line 1: R is there twice",
    ),
    (
        "nowhere",
        N | {"relations": [{"label": "x", "head": "T1", "tail": "T2"}]},
        "line 1: R1 links to something that is not there",
    ),
    ("gold", N | {"gold": "coded"}, 'line 1: key "gold" is not an object'),
    ("status", N | {"gold": {"lines": []}}, 'line 1: no key "status"'),
    ("lines", gold(lines={}), 'line 1: key "lines" is not a list of objects'),
    ("code", gold(lines=[{"side": "left"}]), 'line 1: no key "code"'),
    ("joints", gold(lines=[{"code": "x", "joints": "L4-L5"}]), 'line 1: key "joints" is not a list of strings'),
    ("units", gold(claim=[{"code": "x", "units": "1"}]), 'line 1: key "units" is not a whole number'),
    ("queries", gold(queries=[1]), 'line 1: key "queries" is not a list of strings'),
]
PRODIGY: list[tuple[str, object, str]] = [
    ("no text", {"spans": []}, 'line 1: no key "text"'),
    ("spans", {"text": SECRET, "spans": {}}, 'line 1: key "spans" is not a list of objects'),
    (
        "words",
        {"text": SECRET, "spans": [SPAN | {"text": "Fa"}]},
        "line 1: the words of T1 are not those at its offsets",
    ),
    (
        "no span",
        {"text": SECRET, "spans": [SPAN], "relations": [{"label": "x", "head_span": SPAN, "child_span": {"start": 1}}]},
        "line 1: relation 1: its child_span is not one of the spans",
    ),
    (
        "twice",
        "\n".join([json.dumps({"text": SECRET, "spans": [], "meta": {"id": "a"}})] * 2),
        "line 2: id a stands twice (first: notes.jsonl line 1)",
    ),
]
DOCCANO: list[tuple[str, object, str]] = [
    ("no text", {"id": 1, "label": []}, 'line 1: no key "text"'),
    ("triple", {"text": SECRET, "label": [[0, 4]]}, 'line 1: key "label" is not a list of [start, end, label]'),
    (
        "nowhere",
        {
            "text": SECRET,
            "Comments": [],
            "entities": [],
            "relations": [{"id": 1, "from_id": 1, "to_id": 2, "type": "x"}],
        },
        "line 1: a relation links to something that is not there",
    ),
    (
        "twice",
        {"text": SECRET, "entities": [{"id": 1, "start_offset": 0, "end_offset": 4, "label": "x"}] * 2},
        "line 1: the id 1 is there twice",
    ),
    (
        "fragment",
        {
            "text": SECRET,
            "entities": [
                {"id": 1, "start_offset": 0, "end_offset": 4, "label": "x"},
                {"id": 2, "start_offset": 5, "end_offset": 6, "label": "y"},
            ],
            "relations": [{"id": 1, "from_id": 2, "to_id": 1, "type": "fragment-of"}],
        },
        "line 1: a relation fragment-of does not lead to a span of the same label",
    ),
]
LABEL_STUDIO: list[tuple[str, object, str]] = [
    ("broken JSON", f'[{{"data": "{SECRET}"', ": not valid JSON"),
    ("no task", ["x"], "task 1: not a JSON object"),
    ("no text", [{"id": 1, "data": {}}], 'task 1: no key "text"'),
    ("data", [{"id": 1, "data": SECRET}], 'task 1: key "data" is not an object'),
    ("no id", ls(LS_SPAN | {"id": None}), "task 1: the id of the span is neither a string nor a number"),
    ("labels", ls(LS_SPAN | {"value": {"start": 0, "end": 4, "labels": ["a", "b"]}}), "task 1: a: has 2 labels"),
    (
        "words",
        ls(LS_SPAN | {"value": LS_SPAN["value"] | {"text": "Facet"}}, text=SECRET + EMOJI),
        "task 1: a: its words are not those at its offsets, whether in code points or UTF-16 units",
    ),
    (
        "choices",
        ls(LS_SPAN, {"id": "a", "type": "choices", "from_name": "role", "value": {"choices": ["x", "y"]}}),
        "task 1: a: has 2 choices for role, one was expected",
    ),
    (
        "nowhere",
        ls(LS_SPAN, {"type": "relation", "from_id": "a", "to_id": "b", "labels": ["x"]}),
        "task 1: R1 links to something that is not there",
    ),
    ("twice", [*ls(), *ls()], "task 2: id 1 stands twice (first: notes.json task 1)"),
]
FILES = (
    [pytest.param("notes.jsonl", *case, id=f"native: {name}") for name, *case in NATIVE]
    + [pytest.param("notes.jsonl", *case, id=f"prodigy: {name}") for name, *case in PRODIGY]
    + [pytest.param("notes.jsonl", *case, id=f"doccano: {name}") for name, *case in DOCCANO]
    + [pytest.param("notes.json", *case, id=f"label studio: {name}") for name, *case in LABEL_STUDIO]
    + [
        pytest.param("notes.json", {"a": 1}, "not a corpus format that is known", id="json: an object"),
        pytest.param("notes.docx", "x", "not a corpus format that is known", id="another suffix"),
    ]
)


def message_of(read: Callable[[], object]) -> str:
    with pytest.raises(InputError) as caught:
        read()
    message = str(caught.value)
    assert "\n" not in message
    assert SECRET not in message
    assert SECRET[:4] not in message
    return message


@pytest.mark.parametrize(("name", "content", "expected"), FILES)
def test_what_is_wrong_with_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: object, expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path / name, content)
    message = message_of(lambda: list(formats.read(Path(name))))
    assert message.startswith(name)
    assert expected in message


@pytest.mark.parametrize(
    ("ann", "expected"),
    [
        (f"T1\tLevel 0 4\t{SECRET}\n", "line 1: the words of T1 are not those of the text at its offsets"),
        ("T1\tLevel 0 4\tZyga\nT1\tLevel 0 4\tZyga\n", "line 2: T1 is there twice"),
        ("\nT1\tLevel 0 40\tZyga\n", "line 2: T1 reaches beyond the text (0 to 40 of 12)"),
        ("T1\tLevel 4 4\t\n", "line 1: T1 is empty"),
        ("T1\tLevel 4 6;0 2\tpo Zy\n", "line 1: the fragments of T1 are not in order"),
        ("T1\tLevel zero 4\tZyga\n", "line 1: T1 is not written as a span"),
        ("T1\tLevel 0 4\n", "line 1: T1 is not written as a span"),
        (f"{SECRET}\n", "line 1: not a line of brat standoff"),
        ("A1\trole\n", "line 1: A1 is not written as an attribute"),
        ("A1\trole T1 x\n", "line 1: A1 is about something that is not there"),
        ("T1\tLevel 0 4\tZyga\nA1\trole T1 x\nA2\trole T1 y\n", "line 3: T1 has the attribute role twice"),
        ("T1\tLevel 0 4\tZyga\nR1\tx Arg1:T1 Arg2:T2\n", "line 2: R1 is about something that is not there"),
        ("T1\tLevel 0 4\tZyga\nR1\tx T1 T1\n", "line 2: R1 is not written as a relation"),
    ],
)
def test_what_is_wrong_with_brat(tmp_path: Path, ann: str, expected: str) -> None:
    folder = brat_note(tmp_path, ann, SECRET)
    message = message_of(lambda: list(formats.read(folder)))
    assert message == f"{folder / 'n1.ann'} {expected}"


def test_what_is_wrong_with_brat_files(tmp_path: Path) -> None:
    put(tmp_path / "a" / "n1.ann", "")
    assert message_of(lambda: list(formats.read(tmp_path / "a"))).endswith("n1.ann: there is no n1.txt beside it")
    brat_note(tmp_path / "b", "", lines=[])
    assert message_of(lambda: list(formats.read(tmp_path / "b"))).endswith('n1.json: no key "status"')
    brat_note(tmp_path / "c", "").joinpath("n1.txt").write_bytes(SECRET.encode() + b"\xff")
    assert message_of(lambda: list(formats.read(tmp_path / "c"))).endswith("n1.txt: not UTF-8")


def test_what_is_wrong_with_cas(tmp_path: Path) -> None:
    cassis = pytest.importorskip("cassis")
    made = inception(cassis, f"{SECRET} {EMOJI}")
    note = put(tmp_path / "n1.xmi", made.to_xmi())
    assert message_of(lambda: list(formats.read(note))) == f"{note}: there is no TypeSystem.xml beside it"
    types = put(tmp_path / "TypeSystem.xml", f"<{SECRET}")
    assert "not a type system that cassis can read" in message_of(lambda: list(formats.read(note)))
    put(types, made.typesystem.to_xml())
    put(note, made.to_xmi().replace("webanno/custom", "webanno/other"))
    assert "not a CAS that cassis can read (TypeNotFoundError)" in message_of(lambda: list(formats.read(note)))
    put(note, f"<{SECRET}")
    assert "not a CAS that cassis can read (XMLSyntaxError)" in message_of(lambda: list(formats.read(note)))
    broken = put(tmp_path / "n1.json", {"%FEATURE_STRUCTURES": [SECRET]})
    assert "not a CAS that cassis can read" in message_of(lambda: list(formats.read(broken)))


def test_what_cannot_be_written(tmp_path: Path) -> None:
    good = Document("n1", SECRET, (Entity("T1", "Level", ((0, 4),)),))
    beyond = replace(good, entities=(Entity("T1", "Level", ((0, 40),)),))
    blank = replace(good, entities=(Entity("T1", "Bone Site", ((0, 4),)),))
    taken = replace(good, relations=(Relation("R1", "fragment-of", "T1", "T1"),))

    def refused(documents: list[Document], form: str, name: str = "") -> str:
        return message_of(lambda: formats.write(documents, tmp_path / (name or f"{form}-{len(documents)}"), form))

    assert refused([good, good], "native") == "document n1: id n1 stands twice (first: document n1)"
    assert refused([beyond], "native") == "document n1: T1 reaches beyond the text (0 to 40 of 12)"
    assert refused([blank], "brat") == "document n1: brat cannot hold a label that is empty or holds blanks"
    for form in ("label-studio", "prodigy", "doccano"):
        assert refused([taken], form) == "document n1: the relation label fragment-of is taken for the pieces of a span"
    put(tmp_path / "full" / "old.txt", "")
    assert refused([good], "brat", "full").endswith("full: the folder is not empty")
    assert refused([good], "conll").startswith("conll: not a corpus format that is known (brat, cas-xmi, ")
    assert not (tmp_path / "native-2").exists()


def test_what_is_not_there(tmp_path: Path) -> None:
    assert message_of(lambda: formats.read(tmp_path / "x.jsonl")).endswith("x.jsonl: no such file or folder")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no corpus format is known" in message_of(lambda: formats.read(empty))
    assert message_of(lambda: list(brat.read(empty))).endswith("no .ann files in this folder")
    assert message_of(lambda: list(native.read(tmp_path / "x.jsonl"))).endswith("no such file or folder")
