"""The coding room: procedures -> codes.

The cases stand in cases/mapping.jsonl, one JSON object a line: `given` (procedures in short form, see `procedure_of`),
then what must come out: status, lines ("64493 right L4-L5,L5-S1"), queries (ids), and, where they matter, claim by
profile ("64493-50-KX", "64494 x2"), suggested by profile (modifiers of each claim line that has any), rejected (codes)
and warnings of the profile cpt (ids; [] when left out). `date` is the date of service. Ids wx-01 to wx-66 are the
worked examples of the coding rules; those that do not belong to this room stand in OUT_OF_SCOPE with the reason.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.coding import CodeBook, CodeBooks, Coding, code_procedures
from extractor.coding.years import day_of
from extractor.errors import InputError, PatternError
from extractor.patterns import PatternFolder
from extractor.records import Agent, Family, Flag, Procedure, Side, SidedSite, Span

CASES = Path(__file__).parent / "cases" / "mapping.jsonl"
OUT_OF_SCOPE = {
    "wx-63": "drug supply codes",
    "wx-64": "drug supply codes",
    "wx-65": "drug supply codes",
}
CASE_KEYS = {
    "id", "note", "given", "status", "lines", "queries", "claim", "rejected", "warnings", "profile_options",
    "planned_only", "xfail", "date", "suggested",
}  # fmt: skip
PLAIN_KEYS = {field.name for field in dataclasses.fields(Procedure)} - {"joints", "nerves", "agents", "flags"}


def load_cases() -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = []
    for number, line in enumerate(CASES.read_text(encoding="utf-8").splitlines(), 1):
        case = json.loads(line)
        unknown = case.keys() - CASE_KEYS
        assert not unknown, f"{CASES.name} line {number}: unknown keys {sorted(unknown)}"
        cases.append(case)
    ids = [case["id"] for case in cases]
    assert len(ids) == len(set(ids)), f"{CASES.name}: an id stands twice"
    return cases


def sites_of(by_side: dict[str, list[str]]) -> tuple[SidedSite, ...]:
    assert by_side.keys() <= set(get_args(Side))
    return tuple(SidedSite(name, side) for side, names in by_side.items() for name in names)  # type: ignore[arg-type]


def procedure_of(data: dict[str, Any]) -> Procedure:
    """A procedure in short form: facet, fluoroscopy and bupivacaine at the target unless said otherwise."""
    unknown = data.keys() - PLAIN_KEYS - {"joints", "nerves", "agents", "flags"}
    assert not unknown, f"unknown keys {sorted(unknown)}"
    plain = {"family": "facet", "imaging": ["fluoroscopy"], **{key: data[key] for key in data.keys() & PLAIN_KEYS}}
    plain["imaging"] = tuple(plain["imaging"])
    assert plain["family"] in get_args(Family)
    agents = [name.partition(":") for name in data.get("agents", ["bupivacaine"])]
    return Procedure(
        **plain,
        joints=sites_of(data.get("joints", {})),
        nerves=sites_of(data.get("nerves", {})),
        agents=tuple(Agent(name, role or "injectate", 0, 0) for name, _, role in agents),
        flags=tuple(Flag(name) for name in data.get("flags", [])),
    )


def shown_lines(coding: Coding) -> list[str]:
    return [" ".join((line.code, line.side, ",".join(line.joints))).strip() for line in coding.lines]


def shown_claim(coding: Coding) -> list[str]:
    return [
        "-".join((item.code, *item.modifiers)) + (f" x{item.units}" if item.units > 1 else "") for item in coding.claim
    ]


def shown_suggestions(coding: Coding) -> dict[str, list[str]]:
    shown = zip(shown_claim(coding), coding.claim, strict=True)
    return {name: [item.modifier for item in line.suggested] for name, line in shown if line.suggested}


def warnings_of(book: CodeBook, ids: Iterable[str]) -> list[str]:
    return [book.queries[id_].question for id_ in ids]


def book_of(book: CodeBook, options: dict[str, Any]) -> CodeBook:
    profiles = {name: profile.model_copy(update=options) for name, profile in book.profiles.items()}
    return dataclasses.replace(book, claims=book.claims.model_copy(update={"profiles": profiles}))


@pytest.fixture(scope="module")
def books() -> CodeBooks:
    return CodeBooks(PatternFolder())


@pytest.fixture(scope="module")
def book(books: CodeBooks) -> CodeBook:
    return books.newest


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            case,
            id=case["id"],
            marks=[pytest.mark.xfail(reason=case["xfail"], strict=True)] if "xfail" in case else [],
        )
        for case in load_cases()
    ],
)
def test_mapping(case: dict[str, Any], books: CodeBooks) -> None:
    procedures = [procedure_of(data) for data in case["given"]]
    day = day_of(case["date"]) if "date" in case else None
    book = book_of(books.of_day(day), case.get("profile_options", {}))
    coding = code_procedures(procedures, book, "cpt", planned_only=case.get("planned_only", False), day=day)
    assert (coding.status, shown_lines(coding)) == (case["status"], case["lines"])
    assert sorted(query.id for query in coding.queries) == sorted(case.get("queries", []))
    assert list(coding.warnings) == warnings_of(book, case.get("warnings", []))
    if "rejected" in case:
        assert [item.code for item in coding.rejected] == case["rejected"]
    for profile, claim in case.get("claim", {}).items():
        assert shown_claim(code_procedures(procedures, book, profile, day=day)) == claim, profile
    for profile, suggested in case.get("suggested", {}).items():
        assert shown_suggestions(code_procedures(procedures, book, profile, day=day)) == suggested, profile


def test_all_worked_examples_are_there() -> None:
    """Those about what is read in a note, before there are procedures, are cases of test_notes.py."""
    notes = (CASES.parent / "notes.jsonl").read_text(encoding="utf-8").splitlines()
    names = [case["id"] for case in (*load_cases(), *map(json.loads, notes))]
    ids = {name[:5] for name in names if name.startswith("wx-")}
    assert ids.isdisjoint(OUT_OF_SCOPE)
    assert ids | OUT_OF_SCOPE.keys() == {f"wx-{number:02}" for number in range(1, 67)}


def test_codes_do_not_depend_on_the_profile(book: CodeBook) -> None:
    for case in load_cases():
        procedures = [procedure_of(data) for data in case["given"]]
        results = [code_procedures(procedures, book, name) for name in book.profiles]
        assert len({(result.status, result.lines, result.queries, result.rejected) for result in results}) == 1


def test_unknown_profile_names_the_known_ones(book: CodeBook) -> None:
    with pytest.raises(InputError, match="cpt, medicare, medicare-asc"):
        code_procedures([], book, "aetna")


def test_flag_without_a_query_is_an_error_of_the_tables(book: CodeBook) -> None:
    procedure = procedure_of({"joints": {"left": ["L4-L5"]}, "flags": ["no_such_query"]})
    with pytest.raises(PatternError, match=r"queries\.toml: no query 'no_such_query'"):
        code_procedures([procedure], book, "cpt")


def test_every_ruled_query_has_a_question(book: CodeBook) -> None:
    ruled = (
        "missing_level missing_side missing_imaging missing_agent ambiguous_level level_conflict side_conflict "
        "single_nerve incomplete_joint discontinued unfilled_template region_mix unlisted_technique guidance_conflict"
    )
    assert {id_ for id_ in ruled.split() if book.query(id_).severity == "review"} == set(ruled.split())


def test_evidence_of_a_line_is_that_of_its_sites_and_procedure(book: CodeBook) -> None:
    right = Procedure(
        "facet",
        nerves=tuple(
            SidedSite(name, "right", (Span(start, start + 2, "body"),))
            for name, start in (("L5", 70), ("L4", 60), ("L3", 50))
        ),
        imaging=("fluoroscopy",),
        agents=(Agent("bupivacaine", "injectate", 80, 91),),
        evidence=(Span(10, 30), Span(10, 30)),
        guidance_evidence=(Span(32, 43),),
    )
    other = dataclasses.replace(
        right, nerves=(), joints=(SidedSite("L1-L2", "left", (Span(200, 205),)),), evidence=(Span(190, 199),)
    )
    coding = code_procedures([right, other], book, "cpt")
    starts = {line.joints[0]: [span.start for span in line.evidence] for line in coding.lines}
    assert starts == {"L1-L2": [32, 190, 200], "L4-L5": [10, 32, 50, 60], "L5-S1": [10, 32, 60, 70]}


def test_reasons_say_rule_and_joint(book: CodeBook) -> None:
    line = code_procedures([procedure_of({"nerves": {"left": ["L3", "L4"]}})], book, "cpt").lines[0]
    assert line.rule == "facet-lumbar-first"
    assert line.reasons == (
        book.reason("facet-lumbar-first"),
        "L4-L5: both its nerves (L3, L4) were treated.",
    )


def test_rejected_neighbour_says_why(book: CodeBook) -> None:
    coding = code_procedures([procedure_of({"nerves": {"left": ["L3", "L4", "L5"]}})], book, "cpt")
    assert coding.rejected[0].code == "64495"
    assert coding.rejected[0].reason == (
        "The nerves L3, L4, L5 supply only L4-L5, L5-S1; nerves and needles are not levels."
    )


def test_query_names_the_sites_and_keeps_the_evidence(book: CodeBook) -> None:
    procedure = Procedure(
        "facet",
        nerves=(SidedSite("L3", "left", (Span(4, 6),)), SidedSite("L5", "left", (Span(8, 10),))),
        imaging=("ct",),
        agents=(Agent("ropivacaine", "injectate", 20, 31),),
    )
    query = code_procedures([procedure], book, "cpt").queries[0]
    assert query.question == "These nerves complete no facet joint: L3, L5. Was a neighbouring nerve treated as well?"
    assert query.evidence == (Span(4, 6), Span(8, 10))


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("codes/2020.toml", 'first = "64490"', 'first = "64489"', "64489 is used but not listed"),
        ("codes/2020.toml", 'rule = "facet-lumbar-first"', 'rule = "nowhere"', "64493: no rule 'nowhere'"),
        ("rules.toml", "{joint}: the joint itself", "{note}: the joint itself", "unknown placeholder"),
        ("profiles.toml", '"coverage_levels"', '"missing_side"', "is no query of severity info"),
    ],
)
def test_tables_that_do_not_fit_stop_the_load(tmp_path: Path, name: str, old: str, new: str, message: str) -> None:
    text = (PatternFolder().shipped / name).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(PatternError, match=message):
        CodeBook.load(PatternFolder(tmp_path))


# Properties. Sites stay in the middle of the lumbar spine, so that a shift by one joint stays in the family.

SIDES = st.sampled_from(["left", "right", "bilateral"])
JOINTS = st.lists(st.tuples(st.sampled_from(["L1-L2", "L2-L3", "L3-L4", "L4-L5"]), SIDES), max_size=5)
NERVES = st.lists(st.tuples(st.sampled_from(["T12", "L1", "L2", "L3", "L4"]), SIDES), max_size=6)
TECHNIQUES = st.sampled_from(["injection", "thermal_rf"])
MIRROR: dict[str, str] = {"left": "right", "right": "left", "bilateral": "bilateral", "unspecified": "unspecified"}
VERTEBRAE = ["T12", "L1", "L2", "L3", "L4", "L5", "S1"]
BOOK = CodeBook.load(PatternFolder())


def build(joints: Iterable[tuple[str, str]], nerves: Iterable[tuple[str, str]], technique: str) -> Procedure:
    return Procedure(
        "facet",
        technique=technique,  # type: ignore[arg-type]
        joints=tuple(SidedSite(*site) for site in joints),  # type: ignore[arg-type]
        nerves=tuple(SidedSite(*site) for site in nerves),  # type: ignore[arg-type]
        imaging=("fluoroscopy",),
        agents=(Agent("bupivacaine", "injectate", 0, 0),),
    )


def outcome(procedure: Procedure) -> tuple[str, list[tuple[str, Side, tuple[str, ...]]], list[str]]:
    coding = code_procedures([procedure], BOOK, "cpt")
    lines = [(line.code, line.side, line.joints) for line in coding.lines]
    return coding.status, lines, sorted(query.id for query in coding.queries)


def down(site: str) -> str:
    return "-".join(VERTEBRAE[VERTEBRAE.index(name) + 1] for name in site.split("-"))


@settings(max_examples=60, deadline=None)
@given(JOINTS, NERVES, TECHNIQUES)
def test_mirrored_sides_mirror_the_lines(
    joints: list[tuple[str, str]], nerves: list[tuple[str, str]], technique: str
) -> None:
    mirrored_joints, mirrored_nerves = ([(name, MIRROR[side]) for name, side in sites] for sites in (joints, nerves))
    status, lines, queries = outcome(build(joints, nerves, technique))
    other_status, other_lines, other_queries = outcome(build(mirrored_joints, mirrored_nerves, technique))
    assert (other_status, other_queries) == (status, queries)
    assert [(code, MIRROR[side], where) for code, side, where in other_lines] == lines


@settings(max_examples=60, deadline=None)
@given(JOINTS, NERVES, TECHNIQUES, st.randoms(use_true_random=False))
def test_order_of_sites_does_not_matter(
    joints: list[tuple[str, str]], nerves: list[tuple[str, str]], technique: str, random: Any
) -> None:
    before = outcome(build(joints, nerves, technique))
    random.shuffle(joints)
    random.shuffle(nerves)
    assert outcome(build(joints, nerves, technique)) == before


@settings(max_examples=60, deadline=None)
@given(JOINTS, NERVES, TECHNIQUES)
def test_one_joint_further_down_is_the_same_code(
    joints: list[tuple[str, str]], nerves: list[tuple[str, str]], technique: str
) -> None:
    lower_joints, lower_nerves = ([(down(name), side) for name, side in sites] for sites in (joints, nerves))
    status, lines, queries = outcome(build(joints, nerves, technique))
    expected = [(code, side, tuple(down(name) for name in where)) for code, side, where in lines]
    assert outcome(build(lower_joints, lower_nerves, technique)) == (status, expected, queries)
