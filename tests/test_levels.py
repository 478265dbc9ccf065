"""The grammar of levels: written cases, every noun's example, and properties that hold for any way of writing."""

from __future__ import annotations

import doctest
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from extractor import (
    level_context,
    level_items,
    level_nouns,
    level_numbers,
    level_scanner,
    level_search,
    level_tokens,
    levels,
)
from extractor.anatomy import SPINE, below
from extractor.level_tokens import LevelWords
from extractor.levels import LevelGrammar, as_joints, as_vertebrae, bare_list_joints
from extractor.patterns import PatternFolder
from extractor.records import LevelMention

CASES = Path(__file__).parent / "cases" / "levels.jsonl"
KEYS = {"id", "text", "mentions", "xfail"}
GRAMMAR = LevelGrammar(PatternFolder())
MODULES = (
    level_context, level_items, level_nouns, level_numbers, level_scanner, level_search, level_tokens, levels
)  # fmt: skip


def load_cases(path: Path, marked: bool = True) -> list[Any]:
    """The cases as parameters; `marked`: with their strict xfails."""
    seen: set[str] = set()
    params: list[Any] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        if unknown := set(case) - KEYS:
            raise ValueError(f"{path.name}: unknown keys {sorted(unknown)}")
        if case["id"] in seen:
            raise ValueError(f"{path.name}: id {case['id']} stands twice")
        seen.add(case["id"])
        marks = [pytest.mark.xfail(reason=case["xfail"], strict=True)] if marked and "xfail" in case else []
        params.append(pytest.param(case, id=case["id"], marks=marks))
    return params


def written(mention: LevelMention) -> dict[str, Any]:
    """A mention in the form of the case file: [name] or [top-bottom, how joined] an item."""
    items = [[i.name] if i.top == i.bottom else [i.name, i.joined] for i in mention.items]
    return {"items": items, "noun": mention.noun}


@pytest.mark.parametrize("case", load_cases(CASES))
def test_case(case: dict[str, Any]) -> None:
    assert [written(mention) for mention in GRAMMAR.find(case["text"])] == case["mentions"]


@pytest.mark.parametrize("case", load_cases(CASES, marked=False))
def test_case_inside_a_note(case: dict[str, Any]) -> None:
    """Neutral lines around a case change neither what is read nor where."""
    alone = GRAMMAR.find(case["text"])
    lead = "Informed consent was signed.\n\n"
    inside = GRAMMAR.find(f"{lead}{case['text']}\n\nThe skin was cleaned.")
    shifted = [(m.start - len(lead), m.end - len(lead), written(m)) for m in inside]
    assert shifted == [(m.start, m.end, written(m)) for m in alone]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_doctests(module: Any) -> None:
    assert doctest.testmod(module).failed == 0


def test_the_case_file_is_large_enough() -> None:
    cases = [param.values[0] for param in load_cases(CASES)]
    assert (len(cases) >= 280, sum(not case["mentions"] for case in cases) >= 75) == (True, True)


def test_loader_rejects_a_repeated_id(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text('{"id": "a", "text": "", "mentions": []}\n' * 2, encoding="utf-8")
    with pytest.raises(ValueError, match="stands twice"):
        load_cases(path)


def test_loader_rejects_an_unknown_key(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text('{"id": "a", "text": "", "mention": []}\n', encoding="utf-8")
    with pytest.raises(ValueError, match="unknown keys"):
        load_cases(path)


# -- offsets -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "items", "noun"),
    [
        ("right L3-4, 4-5 and\n5-1 facets", ["L3-4", "4-5", "5-1"], "facets"),
        ("MBB at L2, 3 and 4.", ["L2", "3", "4"], "MBB"),
        ("L2 3 4 MB", ["L2", "3", "4"], "MB"),
        ("el three four five medial branches", ["el three", "four", "five"], "medial branches"),
        ("third and fourth lumbar medial branches", ["third", "fourth lumbar"], "medial branches"),
        ("L3 through S1 facet joints", ["L3 through S1"], "facet joints"),
        ("L4DR", ["L4"], "DR"),
    ],
)
def test_offsets(text: str, items: list[str], noun: str) -> None:
    [mention] = GRAMMAR.find(text)
    assert [text[i.start : i.end] for i in mention.items] == items
    assert text[mention.noun_start : mention.noun_end] == noun


def test_a_mention_without_a_noun_has_no_noun_offsets() -> None:
    [mention] = GRAMMAR.find("L4-5")
    assert (mention.noun, mention.noun_start, mention.noun_end) == ("", -1, -1)


@pytest.mark.parametrize(
    ("text", "joints", "vertebrae", "listed"),
    [
        ("L3-S1", ("L3-L4", "L4-L5", "L5-S1"), ("L3", "L4", "L5", "S1"), ()),
        ("L3-4, 4-5 and 5-1", ("L3-L4", "L4-L5", "L5-S1"), ("L3", "L4", "L5", "S1"), ()),
        ("L4, L5, S1", (), ("L4", "L5", "S1"), ("L4-L5", "L5-S1")),
        ("L3, L5", (), ("L3", "L5"), ()),
        ("C7, C8 of the neck", (), ("C7", "C8"), ()),
        ("C7-C8, neck", (), ("C7", "C8"), ()),
        ("L5-L6 and L6-S1", ("L5-L6", "L6-S1"), ("L5", "L6", "S1"), ()),
        ("L4/L5", ("L4-L5",), ("L4", "L5"), ()),
    ],
)
def test_readings(text: str, joints: tuple[str, ...], vertebrae: tuple[str, ...], listed: tuple[str, ...]) -> None:
    [mention] = GRAMMAR.find(text)
    assert (as_joints(mention), as_vertebrae(mention), bare_list_joints(mention)) == (joints, vertebrae, listed)


# -- properties ----------------------------------------------------------------------------------------------------

_WORDS = {number: word for word, number in PatternFolder().toml("levels.toml", LevelWords).numbers.items()}
JOINTS = [(a, b) for a, b in zip(SPINE, SPINE[1:], strict=False) if a[0] != "S"]


def _speak(name: str) -> str:
    return f"{name[0]} {_WORDS[int(name[1:])]}"


FORMS = (
    lambda a, b: f"{a}-{b}",
    lambda a, b: f"{a}/{b}",
    lambda a, b: f"{a.lower()}-{b.lower()}",
    lambda a, b: f"{a} - {b}",
    lambda a, b: f"{a}-\n{b}",
    lambda a, b: f"{a}-{b[1:]}",
    lambda a, b: f"{a}/{b[1:]}",
    lambda a, b: f"{a[0]} {a[1:]}-{b[1:]}",
    lambda a, b: f"{a[0]}-{a[1:]}/{b[0]}-{b[1:]}",
    lambda a, b: f"{a} to {b}",
    lambda a, b: f"{_speak(a)} {_speak(b)}",
    lambda a, b: f"{_speak(a)} {_WORDS[int(b[1:])]}",
)


@given(st.lists(st.tuples(st.sampled_from(JOINTS), st.sampled_from(FORMS)), min_size=1, max_size=1))
@settings(max_examples=300, deadline=None)
def test_every_form_of_a_joint_is_that_joint(chosen: list[tuple[tuple[str, str], Any]]) -> None:
    [((upper, lower), form)] = chosen
    [mention] = GRAMMAR.find(f"right {form(upper, lower)} facet joint of the spine")
    assert (as_joints(mention), mention.noun) == ((f"{upper}-{lower}",), "facet_joint")


@given(
    st.integers(0, len(JOINTS) - 1),
    st.lists(st.sampled_from(FORMS[:4]), min_size=1, max_size=5),
    st.sampled_from([", ", " and ", ", and ", " & ", " + ", ",\n"]),
)
@settings(max_examples=200, deadline=None)
def test_mixed_forms_in_a_list_give_the_same_joints(first: int, forms: list[Any], separator: str) -> None:
    pairs = JOINTS[first : first + len(forms)]
    text = separator.join(form(a, b) for form, (a, b) in zip(forms, pairs, strict=False))
    [mention] = GRAMMAR.find(f"facet joint injections at {text} under fluoroscopy")
    assert as_joints(mention) == tuple(f"{a}-{b}" for a, b in pairs)


@given(
    st.integers(0, len(SPINE) - 6),
    st.integers(2, 4),
    st.sampled_from(["-", " through ", " to ", " thru ", " down to "]),
)
@settings(max_examples=150, deadline=None)
def test_a_range_moved_down_by_one_reads_one_lower(first: int, length: int, word: str) -> None:
    def vertebrae(at: int) -> tuple[str, ...]:
        [mention] = GRAMMAR.find(f"the {SPINE[at]}{word}{SPINE[at + length]} vertebrae")
        return as_vertebrae(mention)

    assert vertebrae(first) == SPINE[first : first + length + 1]
    assert vertebrae(first + 1) == tuple(below(name) for name in vertebrae(first))


@given(
    st.lists(st.sampled_from(SPINE[3:24]), min_size=2, max_size=5, unique=True),
    st.sampled_from([", ", " and ", "; also ", " / "]),
)
@settings(max_examples=150, deadline=None)
def test_names_and_offsets_are_kept_for_any_list(names: list[str], separator: str) -> None:
    text = "medial branches of " + separator.join(f"{name} nerve" for name in names)
    mentions = GRAMMAR.find(text)
    assert [text[m.start : m.end] for m in mentions] == names
    assert [m.items[0].top for m in mentions] == names


_PIECES = st.sampled_from(
    [
        "L4",
        "L",
        "-",
        "/",
        "5",
        "S1",
        " ",
        "\n",
        ",",
        "and",
        "to",
        "four",
        "el",
        "lumbar",
        "fifth",
        "facet",
        "joint",
        "1",
        "12",
        ".",
        "T",
        "(",
        "C7",
        "medial branch",
        "first",
        "levels",
        "3-4",
        "ala",
        "x",
    ]
)


@given(
    st.lists(_PIECES, max_size=40).map("".join) | st.lists(_PIECES, max_size=40).map(" ".join) | st.text(max_size=60)
)
@settings(max_examples=500, deadline=None)
@example("lumbar levels 3-4, 4-5, " * 30)
@example("C9 L7 S9 T13 C89")
def test_any_text_gives_ordered_mentions_with_true_offsets(text: str) -> None:
    last = 0
    for mention in GRAMMAR.find(text):
        assert last <= mention.start < mention.end <= len(text)
        last = mention.end
        assert (mention.start, mention.end) == (mention.items[0].start, mention.items[-1].end)
        places = [place for item in mention.items for place in (item.start, item.end)]
        assert places == sorted(places)
        assert len(as_vertebrae(mention)) > len(as_joints(mention)) - len(mention.items)
        assert (mention.noun == "") == (mention.noun_start == -1)
