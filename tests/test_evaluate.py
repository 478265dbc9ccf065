"""`facetcode evaluate` and `facetcode annotate`: what is read, printed, written and refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from extractor import cli
from extractor.errors import InputError
from extractor.evaluation import corpus, formats, page
from extractor.evaluation.preannotate import document_of
from extractor.evaluation.records import Coding, Document, Entity, Line, Relation
from extractor.evaluation.relations import relations
from extractor.evaluation.scores import score

ROOT = Path(__file__).parent.parent
NOTE = """PROCEDURE: Right L4-5 facet joint injection.
Under fluoroscopy a needle was placed into the right L4-5 facet joint. 1 mL of 0.5% bupivacaine was injected."""
GOLD: dict[str, Any] = {
    "status": "coded",
    "lines": [{"code": "64493", "side": "right", "joints": ["L4-L5"]}],
    "imaging": ["fluoroscopy"],
    "injectate": ["bupivacaine"],
    "target": ["facet_joint"],
    "queries": [],
}
SECRET = "Zebediah"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Exit code, standard output, standard error of one call."""

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            cli.main([str(argument) for argument in arguments])
        printed = capfd.readouterr()
        code = stopped.value.code
        return (code if isinstance(code, int) else 0), printed.out, printed.err

    return call


def records(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Two notes of two authors, one that we read as gold does and one whose gold is another side."""
    wrong = GOLD | {"lines": [{"code": "64493", "side": "left", "joints": ["L4-L5"]}]}
    rows = [
        {"id": "a", "author": "one", "text": NOTE, "gold": GOLD},
        {"id": "b", "author": "two", "text": NOTE + f" {SECRET}.", "gold": wrong},
    ]
    return records(tmp_path / "small.jsonl", *rows)


# -- scoring -------------------------------------------------------------------------------------------------------


def test_our_own_run(run: Run, small: Path) -> None:
    code, out, err = run("evaluate", small)
    assert (code, err) == (0, "")
    assert "0.500 (1 of 2)" in out
    assert "wrong: b" in out
    assert SECRET not in out


def test_json_holds_the_same_figures(run: Run, small: Path) -> None:
    code, out, _ = run("evaluate", small, "--format", "json")
    found = json.loads(out)
    assert code == 0
    assert found["coding"]["right"] == {"hits": 1, "of": 2, "share": 0.5}
    assert [note["id"] for note in found["outcomes"] if not note["right"]] == ["b"]
    assert SECRET not in out


@pytest.mark.parametrize(
    ("floor", "code"),
    [("right=0.5", 0), ("right=0.6", 1), ("line_f1=0.1", 0), ("released=1", 0), ("Level=0.5", 1)],
    ids=str,
)
def test_floor(run: Run, small: Path, floor: str, code: int) -> None:
    assert run("evaluate", small, "--fail-under", floor)[0] == code


@pytest.mark.parametrize("floor", ["right", "right=high", "rihgt=0.5", "right=nan", "right=95", "right=-1", "=0.5"])
def test_floor_that_says_nothing(run: Run, small: Path, floor: str) -> None:
    code, out, err = run("evaluate", small, "--fail-under", floor)
    assert (code, out) == (2, "")
    assert "--fail-under" in err


def test_another_system_is_scored_and_compared(run: Run, small: Path, tmp_path: Path) -> None:
    """A rival that finds the left side in both notes is wrong where we are right, and the other way round."""
    lines = [{"code": "64493", "side": "left", "joints": ["L4-L5"]}]
    rival = records(tmp_path / "rival.jsonl", *({"id": name, "status": "coded", "lines": lines} for name in "ab"))
    code, out, _ = run("evaluate", small, "--predictions", rival)
    assert code == 0
    assert "wrong: a" in out
    code, out, _ = run("evaluate", small, "--against", rival)
    assert code == 0
    assert "1 notes better, 1 worse, McNemar p = 1.0000\n  better: a\n  worse: b" in out


def test_a_missing_prediction_is_wrong_and_named(run: Run, small: Path, tmp_path: Path) -> None:
    rows = ({"id": name, "status": "no_code", "lines": []} for name in ("a", "other"))
    code, out, _ = run("evaluate", small, "--predictions", records(tmp_path / "p.jsonl", *rows))
    assert code == 1
    assert "without a prediction: b" in out
    assert "predictions without a gold note: other" in out


def test_agreement(run: Run, small: Path) -> None:
    code, out, _ = run("evaluate", small, "--agreement", small)
    assert code == 0
    assert "1.000 (2 of 2)" in out
    code, out, _ = run("evaluate", small, "--agreement", small, "--format", "json")
    assert json.loads(out)["kappa"] == 1.0


def test_twice_gives_the_same_bytes(run: Run, small: Path, tmp_path: Path) -> None:
    pages = []
    for name in ("one.html", "two.html"):
        code, out, _ = run("evaluate", small, "--html", tmp_path / name, "--noise", "7")
        pages.append((code, out, (tmp_path / name).read_bytes()))
    assert pages[0] == pages[1]


def test_a_corpus_scored_against_itself_is_right(run: Run) -> None:
    """A folder of predictions is read like the corpus, gold.jsonl beside the texts included."""
    folder = ROOT / "corpus" / "annotated" / "dev"
    code, out, _ = run("evaluate", folder, "--predictions", folder, "--format", "json")
    found = json.loads(out)
    assert code == 0
    assert found["coding"]["right"]["share"] == found["spans"]["strict"]["micro"]["f1"] == 1.0
    code, out, _ = run("evaluate", folder / "hand-51", "--predictions", folder / "hand-51", "--format", "json")
    assert json.loads(out)["coding"]["right"] == {"hits": 24, "of": 24, "share": 1.0}


def test_gold_that_leaves_a_note_out_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    for name in "ab":
        (tmp_path / "c" / f"{name}.txt").write_text(NOTE, encoding="utf-8")
        (tmp_path / "c" / f"{name}.ann").write_text("", encoding="utf-8")
    records(tmp_path / "c" / "gold.jsonl", {"id": "a", "gold": GOLD})
    code, out, err = run("evaluate", tmp_path / "c")
    assert (code, out) == (2, "")
    assert "b is not in gold.jsonl" in err


def test_a_missed_floor_leaves_json_whole(run: Run, small: Path) -> None:
    code, out, err = run("evaluate", small, "--format", "json", "--fail-under", "right=0.9", "--against", small)
    assert code == 1
    assert json.loads(out)["compared"]["worse"] == ["b"]
    assert err == "facetcode: right is 0.5000, below 0.9\n"


@pytest.mark.parametrize(
    "options",
    [
        ("--agreement", "{}", "--fail-under", "right=1"),
        ("--agreement", "{}", "--html", "page.html"),
        ("--noise", "1", "--predictions", "{}"),
        ("--noise", "1", "--against", "{}"),
        ("--html", "{}"),
        ("--html", "no/such/folder.html"),
    ],
    ids=" ".join,
)
def test_options_that_do_not_go_together(run: Run, small: Path, options: tuple[str, ...]) -> None:
    before = small.read_bytes()
    code, _, err = run("evaluate", small, *(option.format(small) for option in options))
    assert code == 2
    assert err.count("\n") == 1
    assert small.read_bytes() == before


def test_ids_and_codes_are_no_markup_of_the_terminal(run: Run, tmp_path: Path) -> None:
    gold = GOLD | {"lines": [{"code": "[/x]", "side": "left", "joints": []}]}
    path = records(tmp_path / "c[bold]d.jsonl", {"id": "n\x1b[31m", "text": NOTE, "gold": gold})
    code, out, _ = run("evaluate", path)
    assert code == 0
    assert "[/x]" in out
    assert "c[bold]d.jsonl" in out
    assert "\x1b" not in out


def test_predictions_of_other_notes(run: Run, small: Path, tmp_path: Path) -> None:
    path = records(tmp_path / "p.jsonl", {"id": "other", "status": "no_code", "lines": []})
    code, out, err = run("evaluate", small, "--predictions", path)
    assert (code, out) == (2, "")
    assert "no prediction has the id" in err


# -- the page ------------------------------------------------------------------------------------------------------


def test_the_page_shows_what_is_wrong_and_nothing_is_markup() -> None:
    evil = "<script>alert(1)</script>\"'&"
    gold = Document(
        evil, f"left {evil}", (Entity("T1", "Side", ((0, 4),)),), (), Coding("coded", (Line(evil, evil, (evil,)),))
    )
    found = Document(evil, "", (Entity("T1", "Level", ((0, 30),)),), (), Coding("review", (), queries=(evil,)))
    scores = score([gold], [found])
    made = "".join(page.html_page(scores, evil, [(gold, found)]))
    assert "<script" not in made
    assert "default-src 'none'" in made
    assert '<mark class="l3" title="Side">left</mark>' in made
    assert '<mark class="l0" title="Level">left &lt;script&gt;' in made


def test_the_picture_is_one_svg_without_markup_of_its_title() -> None:
    note = Document("a", "left", (), (), Coding("coded", (Line("64493", "left", ("L4-L5",)),)))
    made = page.picture(score([note], [note]), "<b>&")
    assert made.startswith("<svg xmlns=")
    assert "<b>" not in made
    assert ">64493</text>" in made


def test_the_page_loads_nothing(run: Run, small: Path, tmp_path: Path) -> None:
    run("evaluate", small, "--html", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "http:" not in page
    assert "https:" not in page
    assert page.count("<svg") == 2
    assert SECRET in page  # the wrong note stands there


# -- what is refused -----------------------------------------------------------------------------------------------

BAD: list[tuple[str, str, str]] = [
    ("empty", "", "no records"),
    ("not-json", "{", "JSON"),
    ("gold-without-text", json.dumps({"id": "a", "gold": GOLD}), "text"),
    ("id-twice", "\n".join([json.dumps({"id": "a", "text": SECRET, "gold": GOLD})] * 2), "a"),
    (
        "span-of-other-words",
        json.dumps({"id": "a", "text": SECRET, "entities": [{"id": "T1", "label": "Side", "start": 0, "end": 99}]}),
        "T1",
    ),
    (
        "unknown-label",
        json.dumps({"id": "a", "text": SECRET, "entities": [{"id": "T1", "label": "Person", "start": 0, "end": 4}]}),
        "Person",
    ),
]


@pytest.mark.parametrize(("content", "told"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_bad_corpus(run: Run, tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(content, encoding="utf-8")
    code, out, err = run("evaluate", path)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert told in err
    assert "bad.jsonl" in err
    assert SECRET not in err


def test_foreign_labels_are_mapped(run: Run, tmp_path: Path) -> None:
    start = NOTE.index("right L4-5")
    entities = [
        {"id": "T1", "label": "LATERALITY", "start": start, "end": start + 5},
        {"id": "T2", "label": "PERSON", "start": 0, "end": 4},
    ]
    path = records(tmp_path / "foreign.jsonl", {"id": "a", "text": NOTE, "entities": entities})
    (tmp_path / "map.toml").write_text('[labels]\nLATERALITY = "Side"\nPERSON = ""\n', encoding="utf-8")
    documents = list(corpus.corpus(path, mapping=corpus.label_map(tmp_path / "map.toml")))
    assert [(entity.id, entity.label) for document in documents for entity in document.entities] == [("T1", "Side")]
    assert run("evaluate", path, "--labels", tmp_path / "map.toml")[0] == 0


@pytest.mark.parametrize("content", ["labels = 3", "[labels]\nA = 1", "[", "[other]\nA = 'b'", '[labels]\nA = "Foot"'])
def test_bad_map(tmp_path: Path, content: str) -> None:
    (tmp_path / "map.toml").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"map\.toml"):
        corpus.label_map(tmp_path / "map.toml")


def test_the_day_of_a_record_chooses_its_code_book(run: Run, tmp_path: Path) -> None:
    """Before any code book the note is one of review, whatever day is given for records without one."""
    gold = {"status": "review", "lines": []}
    rows = (
        {"id": "a", "text": NOTE, "gold": gold, "date_of_service": "2019-06-01"},
        {"id": "b", "text": NOTE, "gold": gold, "date_of_service": "06/01/2019"},
    )
    code, out, err = run(
        "evaluate", records(tmp_path / "n.jsonl", *rows), "--format", "json", "--date-of-service", "2026-01-01"
    )
    assert code == 1
    assert err.count("the date of service is not a date like 2026-01-31") == 1
    assert json.loads(out)["coding"]["right"]["hits"] == 1


# -- pre-annotation ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", sorted(formats.FORMS))
def test_annotations_come_back(run: Run, tmp_path: Path, form: str) -> None:
    """Every format takes what was read; scored against itself it is right."""
    notes = records(tmp_path / "notes.jsonl", {"id": "a", "text": NOTE})
    out = tmp_path / "out"
    assert run("annotate", notes, "-o", out, "--to", form) == (0, f"{out}: 1 of 1 notes written\n", "")
    (document,) = formats.read(out, form)
    assert document.text == NOTE
    assert {"Level", "Side", "Target", "Imaging", "Agent", "Dose"} <= {entity.label for entity in document.entities}
    code, printed, _ = run("evaluate", out, "--from", form, "--format", "json")
    assert code == 0
    assert json.loads(printed)["spans"]["strict"]["micro"]["f1"] == 1.0


def test_annotate_overwrites_nothing(run: Run, tmp_path: Path) -> None:
    notes = records(tmp_path / "notes.jsonl", {"id": "a", "text": NOTE})
    before = notes.read_bytes()
    code, _, err = run("annotate", notes, "-o", notes, "--to", "doccano")
    assert code == 2
    assert "is there already" in err
    assert notes.read_bytes() == before


def test_a_note_of_an_unknown_profile_fails_alone(run: Run, tmp_path: Path) -> None:
    rows = ({"id": "a", "text": NOTE, "profile": "nope"}, {"id": "b", "text": NOTE})
    code, out, err = run("annotate", records(tmp_path / "n.jsonl", *rows), "-o", tmp_path / "out")
    assert (code, out) == (1, f"{tmp_path / 'out'}: 1 of 2 notes written\n")
    assert "line 1" in err
    assert [document.id for document in formats.read(tmp_path / "out")] == ["b"]


def test_help_names_all_formats(run: Run) -> None:
    for name in ("evaluate", "annotate"):
        _, out, _ = run(name, "--help")
        assert all(form in "".join(out.split()) for form in formats.FORMS)


def test_a_bad_record_does_not_stop_the_rest(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    path.write_text("{\n" + json.dumps({"id": "a", "text": NOTE}) + "\n", encoding="utf-8")
    code, _, err = run("annotate", path, "-o", tmp_path / "out")
    assert code == 1
    assert "notes.jsonl" in err
    assert len(list(formats.read(tmp_path / "out"))) == 1


def test_relations_by_nearness() -> None:
    text = "Right L4-5 and left L5-S1 facet joints. Bupivacaine into L4-5."
    made = [("Side", "Right"), ("Level", "L4-5"), ("Side", "left"), ("Level", "L5-S1"), ("Target", "facet joints")]
    entities = []
    for number, (label, words) in enumerate(made, 1):
        start = text.index(words)
        entities.append(Entity(f"T{number}", label, ((start, start + len(words)),), {"assertion": "performed"}))
    role = {"assertion": "performed", "role": "injectate"}
    entities.append(Entity("T6", "Agent", ((40, 51),), role))
    entities.append(Entity("T7", "Level", ((57, 61),), {"assertion": "performed"}))
    assert relations(text, entities) == (
        Relation("R1", "level-side", "T2", "T1"),
        Relation("R2", "level-target", "T2", "T5"),
        Relation("R3", "level-side", "T4", "T3"),
        Relation("R4", "level-target", "T4", "T5"),
        Relation("R5", "agent-site", "T6", "T7"),
    )


# -- light at the door ---------------------------------------------------------------------------------------------


def test_help_is_light() -> None:
    probe = """
import sys
from extractor.cli import main
for name in ("evaluate", "annotate"):
    try:
        main([name, "--help"])
    except SystemExit as stopped:
        assert not stopped.code
heavy = {"spacy", "medspacy", "pydantic", "rich", "cassis", "numpy"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", probe], check=True, cwd=ROOT, capture_output=True)


def test_document_of_a_result_keeps_offsets() -> None:
    from extractor import Coder

    document = document_of(Coder().code("\U0001f600\r\n" + NOTE, id="x"), "\U0001f600\r\n" + NOTE)
    doses = [entity.covered(document.text) for entity in document.entities if entity.label == "Dose"]
    assert doses == ["1 mL", "0.5%"]
