"""Code books by year: which one a day has, what a wrong book is refused with, and days on which a code is not valid."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from casefile import cases

from extractor import Coder
from extractor.coding import CodeBook, CodeBooks, code_procedures
from extractor.coding.codetable import Validity
from extractor.coding.years import CodeYears
from extractor.errors import InputError, PatternError
from extractor.patterns import PatternFolder
from extractor.records import Agent, Procedure, SidedSite

NOTE = """PROCEDURE: Left L4-5 facet joint injection under fluoroscopy.
TECHNIQUE: Under fluoroscopic guidance the left L4-5 facet joint was entered and 0.5 mL of bupivacaine was injected."""
HEAD = 'source = "A test"\ndate = 2026-11-26\n'
NEXT = f'year = "2027"\nbased_on = "2026"\nfrom = 2027-01-01\nuntil = 2027-12-31\n{HEAD}'


def overlay(tmp_path: Path, **files: str) -> PatternFolder:
    (tmp_path / "codes").mkdir()
    for name, text in files.items():
        (tmp_path / "codes" / f"{name.removeprefix('y')}.toml").write_text(text, encoding="utf-8")
    return PatternFolder(tmp_path)


def block(*joints: str) -> Procedure:
    return Procedure(
        "facet",
        joints=tuple(SidedSite(name, "left") for name in joints),
        imaging=("fluoroscopy",),
        agents=(Agent("bupivacaine", "injectate", 0, 0),),
    )


def test_the_shipped_books_are_those_of_2020_to_2026_with_their_sources() -> None:
    years = CodeYears(PatternFolder())
    assert list(years.files) == [str(year) for year in range(2020, 2027)]
    for year in years.files:
        table = years.table(year)
        assert (table.first, table.last) == (date(int(year), 1, 1), date(int(year), 12, 31))
        assert table.source
        assert table.year == year
    CodeBooks(PatternFolder()).check()


def test_a_later_year_holds_only_what_changed() -> None:
    years = CodeYears(PatternFolder())
    own = {year: sorted(file.model_extra or {}) for year, file in years.files.items() if file.based_on}
    assert {year: keys for year, keys in own.items() if keys} == {"2025": ["ladders"]}
    assert len(own) == 6
    junction = {year: years.table(year).ladders.facet_guided.junction for year in years.files}
    assert [year for year, settled in junction.items() if settled] == ["2025", "2026"]
    assert years.table("2026").codes == years.table("2020").codes


@pytest.mark.parametrize(
    ("day", "year", "covered"),
    [
        ("1999-01-01", "2020", False),
        ("2019-12-31", "2020", False),
        ("2020-01-01", "2020", True),
        ("2024-02-29", "2024", True),
        ("2026-12-31", "2026", True),
        ("2027-01-01", "2026", False),
        ("9999-12-31", "2026", False),
    ],
)
def test_the_day_has_a_book_or_the_nearest(day: str, year: str, covered: bool) -> None:
    book = CodeBooks(PatternFolder()).of_day(date.fromisoformat(day))
    assert (book.year, book.table.covers(date.fromisoformat(day))) == (year, covered)


def test_books_are_put_together_once() -> None:
    books = CodeBooks(PatternFolder())
    assert books.of_day(date(2024, 5, 1)) is books.of_year("2024")
    assert books.of_day(None) is books.newest


@pytest.mark.parametrize("case", cases("dates.jsonl", {"date", "text", "status", "lines", "asks", "codes"}))
def test_the_day_chooses_the_book_of_a_note(case: dict[str, Any], coder: Coder) -> None:
    """`codes` is the year that the result names; `asks` are the ids of all queries."""
    result = coder.code(case["text"], date_of_service=case["date"])
    assert (result.status, [[line.code, line.side, line.joints] for line in result.lines]) == (
        case["status"],
        case["lines"],
    )
    assert sorted(query.id for query in result.queries) == sorted(case["asks"])
    assert (result.versions.codes, result.versions.date_of_service) == (case["codes"], case["date"])


@pytest.mark.parametrize("day", ["", "2026-02-30", "20260131", "2026-W05-6", "today", "2026-01-31T00:00"])
def test_a_date_that_is_none_is_refused_without_being_shown(day: str, coder: Coder) -> None:
    with pytest.raises(InputError, match=r"^the date of service is not a date like 2026-01-31$"):
        coder.code(NOTE, date_of_service=day)


def test_a_code_before_its_first_day_says_why(coder: Coder) -> None:
    note = NOTE.replace("L4-5 facet joint", "L5 dorsal ramus and S1, S2 and S3 lateral branches")
    note = note.replace("L4-5 facet joint injection", "L5 dorsal ramus and S1-S3 lateral branch block")
    result = coder.code(note, date_of_service="2019-06-01")
    assert (result.status, result.lines, result.claim) == ("review", [], [])
    assert {query.id for query in result.queries} >= {"no_code_book", "code_not_valid"}
    assert "Not valid on the date of service: 64451." in next(
        query.question for query in result.queries if query.id == "code_not_valid"
    )
    reasons = {item.code: item.reason for item in result.rejected}
    assert reasons["64451"] == "This code is valid from 2020-01-01 on, and the service was on 2019-06-01."
    assert next(query for query in result.queries if query.id == "code_not_valid").evidence


def with_validity(book: CodeBook, **rows: Validity) -> CodeBook:
    return dataclasses.replace(book, table=book.table.model_copy(update={"validity": rows}))


def ends(code: str, last: date) -> Validity:
    return Validity.model_validate({"codes": [code], "until": last, "source": "A test"})


def test_an_add_on_goes_with_its_first_level() -> None:
    book = with_validity(CodeBook.load(PatternFolder()), gone=ends("64493", date(2026, 6, 30)))
    day = date(2026, 7, 1)
    coding = code_procedures([block("L4-L5", "L5-S1"), block("C4-C5")], book, "cpt", day=day)
    assert [line.code for line in coding.lines] == ["64490"]
    reasons = {item.code: item.reason for item in coding.rejected}
    assert reasons["64493"] == "This code was valid until 2026-06-30, and the service was on 2026-07-01."
    assert reasons["64494"] == (
        "An add-on is reported with its first level only, and 64493 is not valid on the date of service."
    )
    assert (coding.status, [query.id for query in coding.queries]) == ("review", ["code_not_valid"])
    whole = code_procedures([block("L4-L5", "L5-S1")], book, "cpt", day=date(2026, 6, 30))
    assert (whole.status, [line.code for line in whole.lines]) == ("coded", ["64493", "64494"])
    assert code_procedures([block("L4-L5")], book, "cpt").status == "coded"  # no day is told


def test_an_add_on_below_the_junction_goes_with_the_first_level_above() -> None:
    joints = block("T12-L1", "L1-L2")
    book = CodeBook.load(PatternFolder())
    day = date(2026, 7, 1)
    gone = with_validity(book, gone=ends("64490", date(2026, 6, 30)))
    assert code_procedures([joints], gone, "cpt", day=day).lines == ()
    other = with_validity(book, gone=ends("64493", date(2026, 6, 30)))
    assert [line.code for line in code_procedures([joints], other, "cpt", day=day).lines] == ["64490", "64494"]


def test_a_refused_add_on_leaves_its_first_level() -> None:
    book = with_validity(CodeBook.load(PatternFolder()), gone=ends("64494", date(2026, 6, 30)))
    coding = code_procedures([block("L4-L5", "L5-S1")], book, "cpt", day=date(2026, 7, 1))
    assert (coding.status, [line.code for line in coding.lines]) == ("review", ["64493"])


def test_an_overlay_adds_a_year(tmp_path: Path) -> None:
    text = NEXT + 'removed = ["0213T", "0214T", "0215T", "0216T", "0217T", "0218T"]\n'
    text += '[ladders.facet_ultrasound]\nsource = "Gone"\n'
    for region in ("cervicothoracic", "lumbar"):
        text += f'[ladders.facet_ultrasound.{region}]\nfirst = "64999"\nsecond = "64999"\nfurther = "64999"\n'
    folder = overlay(tmp_path, y2027=text)
    books = CodeBooks(folder)
    books.check()
    table = books.of_day(date(2027, 3, 1)).table
    assert table.year == "2027"
    assert "0213T" not in table.codes
    assert "64493" in table.codes
    assert not any("0213T" in row.codes for row in table.validity.values())
    assert books.newest.year == "2026"  # notes without a date stay with the newest shipped year
    found = Coder(patterns=tmp_path).code(NOTE, date_of_service="2027-03-01")
    assert (found.status, found.versions.codes) == ("coded", "2027")


def test_an_overlay_changes_a_fact_of_one_year_and_those_based_on_it(tmp_path: Path) -> None:
    folder = overlay(tmp_path, y2023="[ladders.facet_guided]\njunction = true\n")
    years = CodeYears(folder)
    settled = [year for year in years.files if years.table(year).ladders.facet_guided.junction]
    assert settled == ["2023", "2024", "2025", "2026"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"y2027": NEXT.replace('"2027"', '"2028"')}, r"codes/2027\.toml: year: '2028' is not that of the file's name"),
        ({"y2027": NEXT.replace('"2026"', '"2028"')}, r"codes/2027\.toml: based_on: there is no codes/2028\.toml"),
        ({"y2027": NEXT.replace('"2026"', '"2027"')}, r"codes/2027\.toml: based_on: 2027 is no earlier book"),
        ({"y2024": 'based_on = "2025"\n'}, r"codes/2024\.toml: based_on: 2025 is no earlier book"),
        (
            {"y2027": NEXT.replace("from = 2027-01-01", "from = 2027-01-02")},
            r"codes/2027\.toml: from: 2027-01-02, but codes/2026\.toml ends 2026-12-31: there is a gap",
        ),
        (
            {"y2027": NEXT.replace("from = 2027-01-01", "from = 2026-12-31")},
            r"codes/2027\.toml: from: 2026-12-31, but codes/2026\.toml ends 2026-12-31: they overlap",
        ),
        (
            {"y2023": "until = 2023-11-30\n"},
            r"codes/2024\.toml: from: 2024-01-01, but codes/2023\.toml ends 2023-11-30",
        ),
        (
            {"y2027": NEXT.replace("until = 2027-12-31", "until = 2026-01-01")},
            r"codes/2027\.toml: until: 2026-01-01 is bef",
        ),
        ({"y2029": NEXT.replace("2027", "2029")}, r"codes/2029\.toml: from: 2029-01-01, but .* there is a gap"),
        ({"y2027": NEXT + 'removed = ["12345"]\n'}, r"codes/2027\.toml: removed: 12345 is no code of 2026"),
        ({"y2027": NEXT + 'removed = ["0213T"]\n'}, r"codes/2027\.toml: 0213T is used but not listed under codes"),
        ({"y2020": 'removed = ["0213T"]\n'}, r"codes/2020\.toml: removed: the book is based on no other"),
        (
            {"y2027": NEXT + '[validity.new]\ncodes = ["20552"]\nuntil = 2026-12-31\nsource = "x"\n'},
            r"codes/2027\.toml: 20552 was valid until 2026-12-31, and the book begins 2027-01-01: remove it",
        ),
        (
            {"y2020": "[validity.sacral-nerves]\nfrom = 2021-01-01\n"},
            r"codes/2020\.toml: 64451 is valid from 2021-01-01 only, and the book ends 2020-12-31: remove it",
        ),
        (
            {"y2027": NEXT + '[validity.new]\ncodes = ["64493"]\nuntil = 2030-12-31\nsource = "x"\n'},
            r"codes/2027\.toml: validity\.new: 64493 stands in validity\.facet already",
        ),
        (
            {"y2027": NEXT + '[validity.new]\ncodes = ["11111"]\nuntil = 2030-12-31\nsource = "x"\n'},
            r"codes/2027\.toml: validity\.new: 11111 is not listed under codes",
        ),
        (
            {"y2027": NEXT + '[validity.new]\ncodes = ["20552"]\nsource = "x"\n'},
            r"validity\.new: .*neither from nor until",
        ),
        (
            {"y2027": NEXT + '[validity.n]\ncodes = ["20552"]\nfrom = 2027-02-02\nuntil = 2027-02-01\nsource = "x"\n'},
            r"codes/2027\.toml: validity\.n: .*until is before from",
        ),
        ({"y2027": NEXT + '[substitutes.64493]\nlabel = "x"\nsource = "x"\n'}, r"substitutes: 64493 is a code itself"),
        ({"y2027": NEXT + "nonsense = 1\n"}, r"codes/2027\.toml: nonsense: "),
        ({"y2027": NEXT + '[codes.64493]\nunits = "week"\n'}, r"codes/2027\.toml: codes\.64493\.units: "),
        ({"y2027": NEXT + '[codes.64493]\nrule = "nowhere"\n'}, r"codes/2027\.toml: 64493: no rule 'nowhere'"),
        ({"y2022": '[codes.64493]\nunits = "week"\n'}, r"codes/2022\.toml: codes\.64493\.units: "),
        ({"y2027": 'year = "2027"\n'}, r"codes/2027\.toml: source: Field required"),
        (
            {"y2027": NEXT.replace('based_on = "2026"\n', "")},
            r"codes/2027\.toml: thermal_minimum_celsius: Field required",
        ),
    ],
)
def test_a_wrong_book_is_refused_by_its_name(files: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(PatternError, match=said):
        CodeBooks(overlay(tmp_path, **files)).check()


def test_a_wrong_book_of_a_later_year_is_told_before_the_first_note(tmp_path: Path) -> None:
    overlay(tmp_path, y2027=NEXT + "nonsense = 1\n")
    coder = Coder(patterns=tmp_path)
    with pytest.raises(PatternError, match=r"codes/2027\.toml"):
        coder.load()


def test_a_year_without_a_book_is_refused() -> None:
    with pytest.raises(PatternError, match="no code book of that year; known years: 2020, "):
        CodeBook.load(PatternFolder(), "1999")
