"""A user's own patterns over the shipped ones: rows added, replaced and disabled, tables merged."""

from __future__ import annotations

import os
import shutil
import tomllib
from pathlib import Path

import pytest

from extractor import Coder
from extractor.coding import CodeBook
from extractor.errors import PatternError
from extractor.overlay import NoSuchItem, merged, without
from extractor.patterns import PatternFolder
from extractor.patterntools.check import check
from extractor.patterntools.files import CSV_FILES, table_model
from extractor.patterntools.own import arrays_without_effect
from extractor.rows import ReadingTable, TargetRow

SHIPPED = PatternFolder()
HEAD = "file,id,reason\n"
ACME = """
[profiles.acme]
label = "Acme"
source = "its manual"
date = 2026-01-01
bilateral_primary = "lines"
bilateral_add_on = "lines"
"""


def overlay(folder: Path, **files: str) -> PatternFolder:
    """A folder of files; "__" in a name stands for the full stop before its ending."""
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return PatternFolder(folder)


@pytest.mark.parametrize(
    ("shipped", "own", "wanted"),
    [
        pytest.param({"a": 1}, {"b": 2}, {"a": 1, "b": 2}, id="key-added"),
        pytest.param({"a": 1}, {"a": 2}, {"a": 2}, id="value-replaced"),
        pytest.param({"t": {"a": 1, "b": 1}}, {"t": {"b": 2}}, {"t": {"a": 1, "b": 2}}, id="tables-by-key"),
        pytest.param({"l": ["a", "b"]}, {"l": ["c", "a"]}, {"l": ["a", "b", "c"]}, id="new-items-at-the-end"),
        pytest.param({"l": [{"x": 1}]}, {"l": [{"x": 1}, {"x": 2}]}, {"l": [{"x": 1}, {"x": 2}]}, id="array-of-tables"),
        pytest.param({"l": [0.7, 0.8]}, {"l": [0.9, 0.8]}, {"l": [0.9, 0.8]}, id="numbers-are-one-value"),
        pytest.param({"l": ["a"]}, {"l": "a"}, {"l": "a"}, id="another-kind-of-value"),
        pytest.param({"l": ["1"]}, {"l": [1]}, {"l": ["1", 1]}, id="a-number-is-no-text"),
    ],
)
def test_merged(shipped: dict[str, object], own: dict[str, object], wanted: dict[str, object]) -> None:
    assert merged(shipped, own) == wanted
    assert merged(shipped, shipped) == shipped
    assert list(merged(shipped, own)) == list(wanted)


TABLE = {"t": {"a": 1, "full stop": ".", "x.y": 2}, "l": ["a", "[b]"], "r": [{"p": "one", "n": ["n"]}, {"p": "n2"}]}


@pytest.mark.parametrize(
    ("id_", "gone"),
    [
        pytest.param("t", {"l": TABLE["l"], "r": TABLE["r"]}, id="table"),
        pytest.param("t.a", {**TABLE, "t": {"full stop": ".", "x.y": 2}}, id="key"),
        pytest.param("t.full stop", {**TABLE, "t": {"a": 1, "x.y": 2}}, id="key-with-a-blank"),
        pytest.param("t.x.y", {**TABLE, "t": {"a": 1, "full stop": "."}}, id="key-with-a-stop"),
        pytest.param("l[a]", {**TABLE, "l": ["[b]"]}, id="item"),
        pytest.param("l[[b]]", {**TABLE, "l": ["a"]}, id="item-with-brackets"),
        pytest.param("r[one]", {**TABLE, "r": [{"p": "n2"}]}, id="item-by-a-text"),
        pytest.param("r[n]", {**TABLE, "r": [{"p": "n2"}]}, id="item-by-a-text-in-a-list"),
    ],
)
def test_without(id_: str, gone: dict[str, object]) -> None:
    assert without(TABLE, id_) == gone


@pytest.mark.parametrize(
    ("id_", "said"),
    [
        ("tt", "did you mean 't'?"),
        ("t.b", "did you mean"),
        ("l[c]", ""),
        ("t[a]", "no list"),
        ("", ""),
        ("x" * 10_000, ""),
    ],
)
def test_without_what_is_not_there(id_: str, said: str) -> None:
    with pytest.raises(NoSuchItem) as caught:
        without(TABLE, id_)
    assert said in str(caught.value)


def test_an_item_that_several_tables_have_is_ambiguous() -> None:
    with pytest.raises(NoSuchItem, match="several items"):
        without({"r": [{"p": "x", "q": "1"}, {"p": "x", "q": "2"}]}, "r[x]")


def test_a_profile_needs_no_copy_of_the_file(tmp_path: Path) -> None:
    folder = overlay(tmp_path, profiles__toml=ACME)
    book = CodeBook.load(folder)
    assert set(book.profiles) == {*CodeBook.load(SHIPPED).profiles, "acme"}
    note = "Bilateral L4-5 facet joint injections under fluoroscopy. Bupivacaine was injected into each joint."
    result = Coder(profile="acme", patterns=tmp_path).code(note)
    assert [line.modifiers for line in result.claim] == [["RT"], ["LT"]]
    assert result.versions.overlay == folder.overlay_fingerprint != ""


def test_one_value_of_a_shipped_profile_is_changed(tmp_path: Path) -> None:
    book = CodeBook.load(overlay(tmp_path, profiles__toml='[profiles.cpt]\nthird_level = "each"\n'))
    assert (book.profile("cpt").third_level, book.profile("cpt").label) == (
        "each",
        CodeBook.load(SHIPPED).profile("cpt").label,
    )


def test_an_abbreviation_and_a_regex_are_added(tmp_path: Path) -> None:
    own = (
        '[sentences]\nabbreviations = ["zz"]\n'
        '[[regex]]\ncategory = "planned"\npattern = \'\\bzeuch\\d\'\nexample = "zeuch1"\n'
    )
    shipped = SHIPPED.toml("reading.toml", ReadingTable)
    table = overlay(tmp_path, reading__toml=own).toml("reading.toml", ReadingTable)
    assert table.sentences.abbreviations == shipped.sentences.abbreviations | {"zz"}
    assert (table.regex[:-1], table.regex[-1].example) == (shipped.regex, "zeuch1")


@pytest.mark.parametrize("name", [name for name in SHIPPED.names if name.endswith(".toml")])
def test_a_whole_copy_of_a_table_changes_nothing(name: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    shutil.copy(SHIPPED.shipped / name, tmp_path / name)
    model = table_model(name)
    assert model is not None
    assert PatternFolder(tmp_path).toml(name, model) == SHIPPED.toml(name, model)


def test_a_code_book_of_another_year_stands_alone(tmp_path: Path) -> None:
    (tmp_path / "codes").mkdir()
    text = (SHIPPED.shipped / "codes/2026.toml").read_text(encoding="utf-8")
    text = text.replace("2026-01-01", "2027-01-01").replace("2026-12-31", "2027-12-31").replace('"2026"', '"2027"')
    (tmp_path / "codes/2027.toml").write_text(text, encoding="utf-8")
    assert CodeBook.load(PatternFolder(tmp_path), "2027").year == "2027"


def test_rows_are_disabled_by_their_keys(tmp_path: Path) -> None:
    rows = (
        "agents.csv,bupi,not our word\ncues.csv,no (negated),try\nprofiles.toml,profiles.medicare-asc,no such claims\n"
    )
    folder = overlay(tmp_path, disabled__csv=f"{HEAD}{rows}reading.toml,sentences.abbreviations[dr],try\n")
    for name, key in (("agents.csv", "bupi"), ("cues.csv", "no (negated)")):
        file = CSV_FILES[name]
        shipped, kept = ([file.key_of(r) for r in f.csv(name, file.model, file.key)] for f in (SHIPPED, folder))
        assert (key in shipped, [k for k in shipped if k != key]) == (True, kept)
    assert "medicare-asc" not in CodeBook.load(folder).profiles
    assert "dr" not in folder.toml("reading.toml", ReadingTable).sentences.abbreviations


def test_what_is_disabled_may_be_written_anew(tmp_path: Path) -> None:
    """Disabled is taken out of the shipped table, so that one's own replaces it whole."""
    disabled = f"{HEAD}profiles.toml,profiles.medicare,ours differs\n"
    folder = overlay(tmp_path, disabled__csv=disabled, profiles__toml=ACME.replace("acme", "medicare"))
    profile = CodeBook.load(folder).profile("medicare")
    assert (profile.label, profile.coverage) == ("Acme", ())


def test_a_disabled_row_no_longer_counts_in_a_note(tmp_path: Path, coder: Coder) -> None:
    note = "Right L4-5 facet injection under fluoroscopy. 1 mL of bupi was injected into the joint."
    overlay(tmp_path, disabled__csv=f"{HEAD}agents.csv,bupi,not our word\n")
    own = Coder(patterns=tmp_path).code(note)
    assert (coder.code(note).summary.injectate, own.summary.injectate) == (["bupivacaine"], [])
    assert own.versions.overlay != ""


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("agents.csv,bupivacaaine,x", "row 2: agents.csv has no 'bupivacaaine'; did you mean 'bupivacaine'?"),
        ("agent.csv,bupi,x", "row 2: no shipped file 'agent.csv'; did you mean 'agents.csv'?"),
        ("rules.toml,rules.prpp,x", "row 2: rules.toml has no 'rules.prpp'; did you mean 'rules.prp'?"),
        ("agents.csv,bupi,", "row 2: reason: Field required"),
        ("agents.csv,bupi,x\nagents.csv,bupi,y", "row 3: key 'agents.csv: bupi' stands twice"),
    ],
)
def test_a_wrong_row_of_disabled_is_told(rows: str, said: str, tmp_path: Path) -> None:
    overlay(tmp_path, disabled__csv=f"{HEAD}{rows}\n")
    with pytest.raises(PatternError) as caught:
        Coder(patterns=tmp_path).load()
    assert str(caught.value) == f"overlay disabled.csv {said}"


def test_what_is_needed_cannot_be_disabled(tmp_path: Path) -> None:
    folder = overlay(tmp_path, disabled__csv=f"{HEAD}reading.toml,sentences.long_words,x\n")
    with pytest.raises(PatternError) as caught:
        folder.toml("reading.toml", ReadingTable)
    said = "reading.toml without what the overlay disables: sentences.long_words: Field required"
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("agent.csv", "overlay agent.csv: no pattern file has this name; did you mean 'agents.csv'?"),
        ("Agents.CSV", "overlay Agents.CSV: no pattern file has this name; did you mean 'agents.csv'?"),
        ("agents.tsv", "overlay agents.tsv: no pattern file has this name; did you mean 'agents.csv'?"),
        ("code/2026.toml", "overlay code/2026.toml: no pattern file has this name; did you mean 'codes/2026.toml'?"),
        ("notes/zzzzzzzz.csv", "overlay notes/zzzzzzzz.csv: no pattern file has this name"),
    ],
)
def test_a_file_of_an_unknown_name_is_refused(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("phrase\n", encoding="utf-8")
    with pytest.raises(PatternError) as caught:
        Coder(patterns=tmp_path)
    assert str(caught.value) == said


def odd_overlay(folder: Path, kind: str) -> None:
    """What is there instead of rows."""
    if kind == "words-only":
        (folder / "notes.md").write_text("phrase\n", encoding="utf-8")
    elif kind == "folder":
        (folder / "agents.csv").mkdir()
    elif kind == "dangling":
        (folder / "agents.csv").symlink_to(folder / "gone.csv")
    elif kind == "pipe":
        os.mkfifo(folder / "agents.csv")
    elif kind == "device":
        (folder / "profiles.toml").symlink_to("/dev/null")
    elif kind == "linked-folder":
        (folder / "elsewhere").mkdir()
        shutil.copy(SHIPPED.shipped / "codes/2026.toml", folder / "elsewhere/2026.toml")
        (folder / "ours").mkdir()
        (folder / "ours/codes").symlink_to(folder / "elsewhere")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("empty", "{}: holds no pattern file, as agents.csv or profiles.toml"),
        ("words-only", "{}: holds no pattern file, as agents.csv or profiles.toml"),
        ("folder", "overlay agents.csv: not a regular file"),
        ("dangling", "overlay agents.csv: not a regular file"),
        ("pipe", "overlay agents.csv: not a regular file"),
        ("device", "overlay profiles.toml: not a regular file"),
        ("linked-folder", "overlay codes: a folder that is a link is not read; put the folder itself there"),
    ],
)
def test_an_overlay_that_would_do_nothing_or_unseen_is_refused(kind: str, said: str, tmp_path: Path) -> None:
    odd_overlay(tmp_path, kind)
    folder = tmp_path / "ours" if kind == "linked-folder" else tmp_path
    for load in (PatternFolder, check):
        with pytest.raises(PatternError) as caught:
            load(folder)
        assert str(caught.value) == said.format(folder)


@pytest.mark.parametrize(
    ("name", "text", "paths"),
    [
        ("profiles.toml", "[profiles.medicare]\ncoverage = []\n", ["profiles.medicare.coverage"]),
        ("profiles.toml", "[profiles.cpt]\ncoverage = []\n", ["profiles.cpt.coverage"]),
        ("reading.toml", '[sentences]\nabbreviations = ["dr"]\n', ["sentences.abbreviations"]),
        ("reading.toml", '[sentences]\nabbreviations = ["dr", "zz"]\n', []),
        ("profiles.toml", ACME, []),
        ("profiles.toml", None, []),
        ("reading.toml", None, []),
    ],
    ids=[
        "empty",
        "empty-and-not-shipped",
        "all-there",
        "one-new",
        "a-new-table",
        "copy-of-profiles",
        "copy-of-reading",
    ],
)
def test_an_array_that_adds_nothing_is_told(name: str, text: str | None, paths: list[str]) -> None:
    shipped = (SHIPPED.shipped / name).read_text(encoding="utf-8")
    found = list(arrays_without_effect({name: tomllib.loads(text or shipped)}, SHIPPED))
    assert [finding.what.partition(" changes nothing: ")[0] for finding in found] == paths
    assert all(f"{path}[" in finding.mend for path, finding in zip(paths, found, strict=True))


def test_the_check_tells_an_array_that_adds_nothing(tmp_path: Path) -> None:
    overlay(tmp_path, profiles__toml="[profiles.medicare]\ncoverage = []\n")
    assert [notice.what.split()[0] for notice in check(tmp_path, effects=False).notices] == [
        "profiles.medicare.coverage"
    ]


@pytest.mark.parametrize(
    ("expression", "refused"),
    [
        (r"(?:\w+\s?)+!!", True),
        (r"(\w+)*!!", True),
        (r"(?:\w+?\s?)+?!!", True),
        (r"(?:\w{1,3}\s?)+!!", True),
        (r"(?:\w+\s?){1,40}!!", True),
        (r"x(?=(?:a|(?:\w+)){2,})", True),
        (r"(?:(?:\w+ ){2}){9,}", True),
        (r"(?:\w+\s){0,8}!!", False),
        (r"\bzeuch\w*\s+\d+", False),
        (r"(?:\d{2},?)+", False),
    ],
)
def test_an_expression_that_may_run_without_end_is_refused(expression: str, refused: bool, tmp_path: Path) -> None:
    own = f'[[regex]]\ncategory = "planned"\npattern = \'{expression}\'\nexample = "x"\n'
    folder = overlay(tmp_path, reading__toml=own)
    if not refused:
        assert folder.toml("reading.toml", ReadingTable).regex[-1].pattern == expression
        return
    with pytest.raises(PatternError, match=r"overlay reading\.toml: regex\.\d+\.pattern: may run without end: "):
        folder.toml("reading.toml", ReadingTable)
    faults = [fault for fault in check(tmp_path, effects=False).faults if "without end" in fault.what]
    assert [(fault.file, fault.row) for fault in faults] == [("reading.toml", 3)]


def test_a_check_of_files_that_are_not_read_tells_them(tmp_path: Path) -> None:
    (tmp_path / "agents.txt").write_text("phrase\n", encoding="utf-8")
    assert [(fault.file, fault.row) for fault in check(tmp_path).faults] == [("agents.txt", 0)]
    with pytest.raises(PatternError, match="holds no pattern file"):
        PatternFolder(tmp_path)


def test_links_to_files_and_to_the_whole_overlay_are_read_and_hashed(tmp_path: Path) -> None:
    """As where a folder is mounted into a container."""
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data/profiles.toml").write_text(ACME, encoding="utf-8")
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours/profiles.toml").symlink_to(tmp_path / "..data/profiles.toml")
    (tmp_path / "link").symlink_to(tmp_path / "ours")
    folder = PatternFolder(tmp_path / "link")
    before = folder.overlay_fingerprint
    assert "acme" in CodeBook.load(folder).profiles
    (tmp_path / "..data/profiles.toml").write_text(ACME.replace("Acme", "Other"), encoding="utf-8")
    assert PatternFolder(tmp_path / "link").overlay_fingerprint != before


@pytest.mark.parametrize("name", ["README.md", ".git/agent.csv", "._agents.csv", "~$agents.xlsx"])
def test_files_that_are_no_patterns_are_left_alone(name: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("x", encoding="utf-8")
    (tmp_path / "disabled.csv").write_text(HEAD, encoding="utf-8")
    folder = PatternFolder(tmp_path)
    assert folder.csv("targets.csv", TargetRow) == SHIPPED.csv("targets.csv", TargetRow)
    (tmp_path / name).write_text("y", encoding="utf-8")
    assert PatternFolder(tmp_path).fingerprint == folder.fingerprint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[profiles.acme]\nlabel = 3\n", "overlay profiles.toml: profiles.acme.label: Input should be a valid string"),
        ("x = " + "[" * 5000, "overlay profiles.toml: nested too deeply"),
        ("x = 9" + "9" * 5000, "overlay profiles.toml: "),
        ("x = 2026-13-01", "overlay profiles.toml: "),
    ],
)
def test_a_wrong_table_is_told_with_the_file_of_the_overlay(text: str, said: str, tmp_path: Path) -> None:
    folder = overlay(tmp_path, profiles__toml=text)
    with pytest.raises(PatternError) as caught:
        CodeBook.load(folder)
    assert str(caught.value).startswith(said)
