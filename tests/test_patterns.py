"""The pattern rows: each one's example does in the pipeline what the row says, and a bad row stops the load."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from extractor import Coder
from extractor.agents import AgentReader
from extractor.coding import CodeBook
from extractor.errors import PatternError
from extractor.levels import LevelGrammar
from extractor.patterns import PatternFolder
from extractor.patterntools.behaviour import tried, tried_tables
from extractor.patterntools.doubles import Placed
from extractor.patterntools.examples import Rooms, fires
from extractor.patterntools.files import CSV_FILES, table_model
from extractor.rows import ReadingPatterns, ReadingTable

if TYPE_CHECKING:
    from spacy.language import Language

PATTERNS = PatternFolder()
ROWS = ReadingPatterns.load(PATTERNS)

# -- every row does what it says -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rooms(nlp: Language) -> Rooms:
    return Rooms(PATTERNS, nlp)


def rows_of(name: str) -> tuple[Any, ...]:
    file = CSV_FILES[name]
    return PATTERNS.csv(name, file.model, file.key)


@pytest.mark.parametrize("name", CSV_FILES)
def test_every_row_does_what_it_says(name: str, rooms: Rooms) -> None:
    """In its example, and not in its counter-example; the same as `facetcode patterns check` tells."""
    assert [str(found) for found in tried(rooms, name, [Placed(0, row) for row in rows_of(name)])] == []


def test_some_rows_have_counter_examples() -> None:
    assert sum(bool(row.counter) for name in CSV_FILES for row in rows_of(name)) >= 5


def test_every_row_of_a_table_does_what_it_says(rooms: Rooms) -> None:
    """The expressions of reading.toml and hearing.toml, and the reach of cues."""
    texts = {name: (PATTERNS.shipped / name).read_text(encoding="utf-8") for name in ("reading.toml", "hearing.toml")}
    assert [str(found) for found in tried_tables(rooms, texts, {})] == []


WITHOUT_CASE = ("targets.csv", "imaging.csv", "sides.csv")


@pytest.mark.parametrize("name", WITHOUT_CASE)
def test_phrases_in_small_letters_match_in_capitals(name: str, rooms: Rooms) -> None:
    missed = []
    for row in rows_of(name):
        if row.phrase.islower() and not fires(rooms, name, row, row.example.replace(row.phrase, row.phrase.upper())):
            missed.append(row.phrase)
    # an initial keeps its full stop ("FLOOR O.", "U/S."), so these two end a sentence in capitals unread
    assert missed == (["floor o", "u/s"] if name == "imaging.csv" else [])


BROKEN = "a phrase broken over a line is not matched: the line break is a token of its own"


@pytest.mark.parametrize("gap", [pytest.param("\n", id="line"), pytest.param("  ", id="two-blanks")])
@pytest.mark.parametrize("name", ["targets.csv", "imaging.csv", "cues.csv"])
@pytest.mark.xfail(reason=BROKEN, strict=True)
def test_phrases_match_across_a_line_break(name: str, gap: str, rooms: Rooms) -> None:
    missed = []
    for row in rows_of(name):
        if row.phrase.count(" ") == 1 and row.phrase in row.example and fires(rooms, name, row, row.example):
            broken = row.phrase.replace(" ", gap)
            moved = row.model_copy(update={"phrase": broken})
            if not fires(rooms, name, moved, row.example.replace(row.phrase, broken)):
                missed.append(row.phrase)
    assert missed == []


# -- a bad row stops the load --------------------------------------------------------------------------------------

HEAD = {
    "targets.csv": "phrase,concept,example",
    "imaging.csv": "phrase,modality,example",
    "sides.csv": "phrase,side,example",
    "sections.csv": "phrase,kind,example",
    "cues.csv": "phrase,category,direction,applies_to,example",
    "muscles.csv": "phrase,muscle,example",
}
BAD_ROWS = [
    ("targets.csv", "phrase,concept,example,weight\nzug,facet_joint,The zug.,3\n", ["targets.csv row 2", "weight"]),
    ("targets.csv", "phrase,concept\nzug,facet_joint\n", ["targets.csv", "example", "example"]),
    ("targets.csv", f"{HEAD['targets.csv']}\nzug,facet_joint\n", ["targets.csv row 2", "fewer fields"]),
    ("targets.csv", f"{HEAD['targets.csv']}\nzug,facet_joint,a,b\n", ["targets.csv row 2", "more fields"]),
    ("targets.csv", f"{HEAD['targets.csv']}\nzug,facet_joint,a\nzug,none,b\n", ["targets.csv row 3", "twice"]),
    ("targets.csv", f"{HEAD['targets.csv']}\nzug ,facet_joint,a\n", ["targets.csv row 2", "blank", "phrase"]),
    ("targets.csv", f"{HEAD['targets.csv']}\nzug,facet_joint, a\n", ["targets.csv row 2", "blank", "example"]),
    ("targets.csv", f"{HEAD['targets.csv']}\n,facet_joint,a\n", ["targets.csv row 2", "phrase"]),
    ("imaging.csv", f"{HEAD['imaging.csv']}\nzug,x-ray,a\n", ["imaging.csv row 2", "modality"]),
    ("sides.csv", f"{HEAD['sides.csv']}\na,left,a\nzug,upper,a\n", ["sides.csv row 3", "side"]),
    ("cues.csv", f"{HEAD['cues.csv']}\nzug,negated,sideways,level,a\n", ["cues.csv row 2", "direction"]),
    ("cues.csv", f"{HEAD['cues.csv']}\nzug,x,forward,level,a\nzug,x,backward,level,a\n", ["cues.csv row 3", "twice"]),
    ("cues.csv", f"{HEAD['cues.csv']}\nzug,x,forward,,a\n", ["cues.csv row 2: applies_to: empty", "touches nothing"]),
    ("cues.csv", f"{HEAD['cues.csv']}\nzug,x,forward,levels,a\n", ["cues.csv row 2: applies_to: 'levels'"]),
    ("cues.csv", f"{HEAD['cues.csv']}\nzug,x,sentence,level,a\n", ["cues.csv row 2: applies_to"]),
    ("agents.csv", "phrase,name,drug_class,example\n%,x,other,%\n", ["agents.csv row 2: phrase", "no letter"]),
    ("agent_roles.csv", "phrase,role,direction,weight,example\n-,flush,both,weak,-\n", ["agent_roles.csv row 2"]),
    ("sides.csv", f"{HEAD['sides.csv']}\n{'a' * 200_000},left,a\n", ["sides.csv row 1", "field larger than"]),
    ("sections.csv", f"{HEAD['sections.csv']}\nzug,title\n", ["sections.csv row 2"]),
    ("muscles.csv", f"{HEAD['muscles.csv']}\nzug,zug,a,b\n", ["muscles.csv row 2"]),
    ("reading.toml", "source = \n", ["reading.toml", "line 1"]),
    ("reading.toml", 'source = "s"\ndate = 2026-01-01\nmore = 1\n', ["reading.toml"]),
]


def load(folder: PatternFolder, name: str) -> Any:
    if name.endswith(".toml"):
        return folder.toml(name, ReadingTable)
    return folder.csv(name, CSV_FILES[name].model, CSV_FILES[name].key)


@pytest.mark.parametrize(("name", "content", "said"), BAD_ROWS)
def test_a_bad_row_stops_the_load(name: str, content: str, said: list[str], tmp_path: Path) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(PatternError) as caught:
        load(PatternFolder(tmp_path), name)
    assert [part for part in said if part not in str(caught.value)] == []


@pytest.mark.parametrize("name", CSV_FILES)
def test_the_shipped_files_load(name: str) -> None:
    assert len(load(PATTERNS, name)) > 50


def test_every_shipped_file_is_known_to_the_tools() -> None:
    tables = {name for name in PATTERNS.names if name.endswith(".toml") and table_model(name) is not None}
    assert {*CSV_FILES, *tables} == set(PATTERNS.names)


@pytest.mark.parametrize("name", ["agents.csv", "agent_roles.csv", "level_nouns.csv", "levels.toml"])
def test_a_bad_file_of_any_room_stops_its_reader(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("phrase,nonsense\nzug,x\n", encoding="utf-8")
    folder = PatternFolder(tmp_path)
    with pytest.raises(PatternError, match=re.escape(name)):
        (LevelGrammar if name.startswith("level") else AgentReader)(folder)


@pytest.mark.parametrize("name", ["queries.toml", "rules.toml", "profiles.toml", "codes/2026.toml"])
def test_a_broken_table_stops_the_code_book(name: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("[[[", encoding="utf-8")
    with pytest.raises(PatternError, match=re.escape(Path(name).name)):
        CodeBook.load(PatternFolder(tmp_path))


def test_a_file_that_is_not_utf8_stops_the_load(tmp_path: Path) -> None:
    (tmp_path / "sides.csv").write_bytes(f"{HEAD['sides.csv']}\nr\xe9,right,a\n".encode("latin-1"))
    with pytest.raises(PatternError, match=r"sides\.csv: not UTF-8"):
        load(PatternFolder(tmp_path), "sides.csv")


def test_a_missing_overlay_folder_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(PatternError, match="no such patterns folder"):
        PatternFolder(tmp_path / "nowhere")


def test_an_unknown_section_kind_stops_the_load(tmp_path: Path) -> None:
    (tmp_path / "sections.csv").write_text(f"{HEAD['sections.csv']}\nzug,titel,Zug: text\n", encoding="utf-8")
    with pytest.raises(PatternError, match=r"sections\.csv row 2"):
        load(PatternFolder(tmp_path), "sections.csv")


def test_a_broken_expression_stops_the_load(tmp_path: Path) -> None:
    shipped = (PATTERNS.shipped / "reading.toml").read_text(encoding="utf-8")
    broken = f'{shipped}\n[[regex]]\ncategory = "unfilled"\npattern = \'([\'\nexample = "(["\n'
    (tmp_path / "reading.toml").write_text(broken, encoding="utf-8")
    with pytest.raises(PatternError, match=r"reading\.toml"):
        load(PatternFolder(tmp_path), "reading.toml")


# -- overlays ------------------------------------------------------------------------------------------------------


def test_an_overlay_row_is_added(tmp_path: Path) -> None:
    (tmp_path / "targets.csv").write_text(
        f"{HEAD['targets.csv']}\nzwirbelgelenk,facet_joint,The right L4-5 zwirbelgelenk was entered.\n",
        encoding="utf-8",
    )
    overlaid = load(PatternFolder(tmp_path), "targets.csv")
    assert len(overlaid) == len(ROWS.targets) + 1
    assert overlaid[-1].phrase == "zwirbelgelenk"


def test_an_overlay_row_replaces_the_shipped_one(tmp_path: Path) -> None:
    shipped = ROWS.sides[0]
    (tmp_path / "sides.csv").write_text(f"{HEAD['sides.csv']}\n{shipped.phrase},none,x\n", encoding="utf-8")
    overlaid = load(PatternFolder(tmp_path), "sides.csv")
    assert (len(overlaid), overlaid[0].side) == (len(ROWS.sides), "none")


def test_an_overlay_changes_what_is_coded_and_the_fingerprint(tmp_path: Path, coder: Coder) -> None:
    text = "Procedure: Right L4-5 zwirbelspritze with fluoroscopy. A needle was placed and bupivacaine injected."
    row = "zwirbelspritze,facet_injection,Right L4-5 zwirbelspritze under fluoroscopy."
    (tmp_path / "targets.csv").write_text(f"{HEAD['targets.csv']}\n{row}\n", encoding="utf-8")
    own = Coder(patterns=tmp_path)
    lines = [(line.code, line.side, line.joints) for line in own.code(text).lines]
    assert lines == [("64493", "right", ["L4-L5"])]
    assert [hit.text for hit in own.code(text).entities if hit.label == "Target"] == ["zwirbelspritze"]
    assert [hit.text for hit in coder.code(text).entities if hit.label == "Target"] == []
    assert own.code(text).versions.patterns != coder.code(text).versions.patterns


def test_a_bad_overlay_row_stops_the_coder_with_file_and_row(tmp_path: Path) -> None:
    (tmp_path / "imaging.csv").write_text(f"{HEAD['imaging.csv']}\nzug,x-ray,a\n", encoding="utf-8")
    with pytest.raises(PatternError, match=r"imaging\.csv row 2: modality"):
        Coder(patterns=tmp_path).code("Nothing was done.")


def test_line_ends_do_not_change_the_fingerprint(tmp_path: Path) -> None:
    for folder, end in (("unix", "\n"), ("windows", "\r\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "sides.csv").write_bytes(f"{HEAD['sides.csv']}{end}zug,left,a{end}".encode())
    assert PatternFolder(tmp_path / "unix").fingerprint == PatternFolder(tmp_path / "windows").fingerprint
    assert PatternFolder(tmp_path / "unix").fingerprint != PATTERNS.fingerprint
