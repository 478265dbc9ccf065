"""What must hold for any note: sides and levels move together, history adds nothing, hostile text is only text."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from casefile import cases
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from extractor import Coder, CodingResult

FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NOTES = cases("notes.jsonl", {"text", "status", "lines"}, {"asks", "imaging", "injectate", "target"})
SOUND = [param.values[0] for param in NOTES if not param.marks]
CODED = [case for case in SOUND if case["status"] == "coded"]


@cache
def shared() -> Coder:
    return Coder()


@cache
def code(text: str) -> CodingResult:
    return shared().code(text)


def verdict(text: str) -> tuple[str, list[tuple[str, str, tuple[str, ...]]], set[str]]:
    result = code(text)
    lines = [(line.code, line.side, tuple(line.joints)) for line in result.lines]
    return result.status, lines, {query.id for query in result.queries}


# -- sides ---------------------------------------------------------------------------------------------------------

_SWAPS = {"left": "right", "right": "left", "Left": "Right", "Right": "Left", "LEFT": "RIGHT", "RIGHT": "LEFT"}
_SIDE_WORD = re.compile(r"\b(?:left|right)\b", re.IGNORECASE)


def swapped(text: str) -> str:
    """Every left and right exchanged; other words that stand for a side are left out by `can_swap`."""
    return _SIDE_WORD.sub(lambda match: _SWAPS[match.group()], text)


def can_swap(text: str) -> bool:
    """False where a side is written in another way (L, Lt, "left alone") or where the place of the words counts."""
    other = r"\b(?:lt|rt)\b|(?-i:\b[LR] (?:side|SIDE)\b)|\b(?:left|right) (?:alone|lateral)|was left|\[\w?\]|\u2611"
    other += r"|ever left"
    other += r"|(?-i:[|*o>:?]\s+[RL]\b|\b[rl] [CTL]\d|\b[RL] then\b|\b[RL],? (?:[CTL]\d|cerv|one\b)|, R\b|\d R {2})"
    other += r"|\u2612 [rl]\b|(?m: {2}[rl]$)|- [rl]: "
    other += r"|right to refuse|rigth|\bdx {2}|(?-i: {2}[RL] {2}|\b[RL] TF)"
    return re.search(other, text, re.IGNORECASE) is None


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in SOUND if can_swap(case["text"])])
def test_exchanging_left_and_right_exchanges_the_sides_and_nothing_else(case: dict[str, Any]) -> None:
    status, lines, asks = verdict(case["text"])
    mirrored = [(number, _SWAPS.get(side, side), joints) for number, side, joints in lines]
    turned_status, turned_lines, turned_asks = verdict(swapped(case["text"]))
    assert (turned_status, turned_lines, turned_asks) == (status, mirrored, asks)


# -- levels --------------------------------------------------------------------------------------------------------

SIDES = st.sampled_from(["right", "left"])
JOINT = ("L2-L3", "L3-L4", "L4-L5")
LOWER = {"L2-L3": "L3-L4", "L3-L4": "L4-L5", "L4-L5": "L5-S1"}
FRAMES = (
    "Procedure: {Side} {level} facet joint injection under fluoroscopy.\n"
    "Technique: A needle was advanced into the {side} {level} facet joint and 1 mL of bupivacaine was injected.",
    "PROCEDURE PERFORMED: Facet joint injection, {side} {level}, with fluoroscopic guidance.\n\n"
    "Prone, prepped. With the C-arm oblique, the {side} {level} facet joint was entered and 1 mL of 0.25% bupivacaine "
    "with 20 mg of triamcinolone was injected. No complications.",
    "Today I injected the {side} {level} facet joint under fluoroscopy with 1 mL of ropivacaine. She did well.",
    "{Side} {level} z-joint injection, CT guided. Skin: lidocaine. The needle was placed into the {side} {level} joint "
    "under CT. Depo-Medrol 40 mg and 1 mL of lidocaine were injected.",
)


@given(st.sampled_from(FRAMES), SIDES, st.sampled_from(JOINT))
@settings(max_examples=24, deadline=None)
def test_one_level_lower_is_one_joint_lower(frame: str, side: str, joint: str) -> None:
    def at(name: str) -> tuple[Any, ...]:
        return verdict(frame.format(side=side, Side=side.title(), level=name))

    assert at(joint) == ("coded", [("64493", side, (joint,))], set())
    assert at(LOWER[joint]) == ("coded", [("64493", side, (LOWER[joint],))], set())


SPELLINGS = {
    "L4-L5": ["L4-5", "L4-L5", "L4/5", "L4/L5", "L 4-5", "L4 - L5", "l4-5", "L4-\n5", "L4\u20135", "lumbar 4-5"],
    "L5-S1": ["L5-S1", "L5/S1", "L5 - S1", "l5-s1", "L5-\nS1", "L5\u2013S1", "L 5-S 1"],
}


@given(
    SIDES,
    st.lists(st.sampled_from(SPELLINGS["L4-L5"]), min_size=2, max_size=2),
    st.lists(st.sampled_from(SPELLINGS["L5-S1"]), min_size=2, max_size=2),
    st.sampled_from([" and ", ", ", " & ", " plus "]),
)
@FEW
def test_any_mixture_of_spellings_gives_the_same_lines(
    side: str, upper: list[str], lower: list[str], joiner: str
) -> None:
    text = (
        f"Procedure: {side.title()} {upper[0]}{joiner}{lower[0]} facet joint injections under fluoroscopy.\n"
        f"Technique: Under fluoroscopy needles were placed into the {side} {upper[1]} and {lower[1]} facet joints "
        "and 1 mL of bupivacaine was injected into each."
    )
    assert verdict(text) == ("coded", [("64493", side, ("L4-L5",)), ("64494", side, ("L5-S1",))], set())


BRANCHES = ["L3, L4 and L5", "L3, L4, L5", "L3/L4/L5", "L3 and L4 and L5", "L3-L5", "L3 through L5"]


@given(SIDES, st.sampled_from(BRANCHES), st.sampled_from(BRANCHES))
@FEW
def test_any_mixture_of_branch_lists_gives_the_same_lines(side: str, titled: str, told: str) -> None:
    text = (
        f"Procedure: {side.title()} {titled} medial branch blocks under fluoroscopy.\n"
        f"Technique: Under fluoroscopy needles were placed at the {side} {told} medial branches and 0.5 mL of "
        "bupivacaine was injected at each."
    )
    assert verdict(text) == ("coded", [("64493", side, ("L4-L5",)), ("64494", side, ("L5-S1",))], set())


# -- the text around -----------------------------------------------------------------------------------------------

HISTORY = (
    "She had bilateral L2-3 and L3-4 facet joint injections in 2021 with two months of relief.",
    "An L5-S1 interlaminar epidural steroid injection two years ago did not help.",
    "Prior left C5-6 facet joint injection at another hospital was of no use.",
    "Previous right L1 and L2 medial branch blocks gave 80% relief for five hours.",
    "He underwent L2-L3 laminectomy in 2015 and has had pain ever since.",
    "MRI of last spring showed facet arthropathy at L1-2 and a disc bulge at L2-3.",
    "Radiofrequency ablation of the left L1, L2 and L3 medial branches was done in May 2022 elsewhere.",
    "The right sacroiliac joint had been injected in 2020 without benefit.",
)
PLANS = (
    "If the pain returns we will do left L1 and L2 medial branch blocks.",
    "Consider radiofrequency ablation of the L1, L2 and L3 medial branches.",
    "She is scheduled for right L1-2 facet joint injection next month.",
    "Return in four weeks for a caudal epidural steroid injection.",
)
PLAIN = [case for case in CODED if re.match(r"(?:Procedure|Operation|Title)[a-z ]*:", case["text"], re.IGNORECASE)]


def at_place(text: str, history: list[str], plans: list[str], place: str) -> str:
    past, coming = " ".join(history), " ".join(plans)
    if place == "header":
        return f"HISTORY: {past}\n{text}\nPLAN: {coming}" if coming else f"HISTORY: {past}\n{text}"
    if place == "upper":
        return f"HISTORY OF PRESENT ILLNESS\n{past}\n\n{text}"
    return f"{past}\n\n{text}"


@given(
    st.sampled_from(PLAIN),
    st.lists(st.sampled_from(HISTORY), min_size=1, max_size=3, unique=True),
    st.lists(st.sampled_from(PLANS), max_size=2, unique=True),
    st.sampled_from(["header", "upper", "front"]),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_history_and_plan_change_no_line(
    case: dict[str, Any], history: list[str], plans: list[str], place: str
) -> None:
    assert verdict(at_place(case["text"], history, plans, place)) == verdict(case["text"])


ASIDES = (
    "Informed consent was obtained.",
    "Vital signs were stable throughout.",
    "The risks, such as bleeding and infection, were explained.",
    "Estimated blood loss was nil.",
    "He was discharged home with a driver.",
)


@given(st.sampled_from(PLAIN), st.lists(st.sampled_from(ASIDES), min_size=1, max_size=3, unique=True))
@FEW
def test_routine_sentences_at_the_end_change_no_line(case: dict[str, Any], asides: list[str]) -> None:
    assert verdict(f"{case['text']}\n{' '.join(asides)}") == verdict(case["text"])


def changed_by(change: Callable[[str], str]) -> list[str]:
    """The ids of the cases that are coded otherwise when their text is changed."""
    texts = [(case["id"], case["text"], change(case["text"])) for case in SOUND]
    return [id for id, text, other in texts if text != other and verdict(text) != verdict(other)]


@pytest.mark.parametrize("end", ["\r\n", "\r", "\u2028", "  \n", "\n  "])
def test_other_line_ends_change_no_line(end: str) -> None:
    assert not changed_by(lambda text: text.replace("\n", end))


@pytest.mark.parametrize("blank", ["\u00a0", "\u2009", "\t"])
def test_other_blanks_change_no_line(blank: str) -> None:
    assert not changed_by(lambda text: text.replace(" ", blank))


def wrapped(text: str, width: int) -> str:
    fold = textwrap.TextWrapper(width, break_long_words=False, break_on_hyphens=False).fill
    return "\n".join(fold(line) if len(line) > width else line for line in text.split("\n"))


FORMS = re.compile(
    r"[\[\]{}|\u2610\u2611]|\( \)|\S {5,}\S|(?m:^[o*] |^[A-Z]\w{2,12} {3,}\S|^ {2,}\S)"
)  # check boxes and tables: their lines are part of what they say
LAYOUTS: dict[str, tuple[Callable[[str], str], str]] = {
    "capitals": (str.upper, '"without" is torn from the imaging by a line break before a capital'),
    "two-blanks-after-a-stop": (lambda text: text.replace(". ", ".  "), ""),
    "two-blanks-everywhere": (lambda text: text.replace(" ", "  "), ""),
    "one-line": (lambda text: text.replace("\n", " "), "a planned field takes in all that follows on its line"),
    "wrapped-at-72": (lambda text: wrapped(text, 72), "phrases are not matched over a line break"),
    "wrapped-at-60": (lambda text: wrapped(text, 60), "a list of sides is torn by a line break before a capital"),
    "wrapped-at-40": (lambda text: wrapped(text, 40), "a list of sides is torn by a line break before a capital"),
}


@pytest.mark.parametrize(
    "layout",
    [
        pytest.param(name, marks=[pytest.mark.xfail(reason=why, strict=True)] if why else [])
        for name, (_, why) in LAYOUTS.items()
    ],
)
def test_layout_changes_no_line(layout: str) -> None:
    change, _ = LAYOUTS[layout]
    prose = [case for case in SOUND if not FORMS.search(case["text"])]
    assert [case["id"] for case in prose if verdict(change(case["text"])) != verdict(case["text"])] == []


# -- hostile text --------------------------------------------------------------------------------------------------

PIECES = [
    "right", "left", "bilateral", "L4-5", "L3, L4, L5", "T12-L1", "facet joint", "medial branch", "was injected",
    "needle", "fluoroscopy", "bupivacaine 0.5 mL", "PROCEDURE:", "PLAN:", "ADDENDUM:", "no", "not", "[x]", "[ ]",
    "***", "___", "\n", "\r\n", "\n\n", ".", ",", ":", "|", "(", "[[[", "{{", "<b>", "</td>", "&lt;", "\x00", "\u200b",
    "\u00bd", "\ufb01", "\U0001f600", "e\u0301", "\u05d0\u05d1", "L", "R", "-", "/", "scratch that", "correction",
    "same on the left", "80 degrees", "previous", "will",
]  # fmt: skip


def check_sound(text: str) -> None:
    """Every quote of a result is the text at its offsets, and the result survives its own JSON."""
    result = code(text)
    quotes = [item for line in result.lines for item in line.evidence]
    quotes += [item for query in result.queries for item in query.evidence]
    quotes += [item for procedure in result.procedures for item in procedure.evidence]
    quotes += [site for p in result.procedures for s in (*p.joints, *p.nerves) for site in s.evidence]
    quotes += [agent.evidence for p in result.procedures for agent in p.agents]
    for item in quotes:
        assert text[item.start : item.end] == item.text
        assert item.text
    for entity in result.entities:
        assert 0 <= entity.start < entity.end <= len(text)
        assert text[entity.start : entity.end] == entity.text
    assert (result.status == "no_code") <= (not result.lines)
    assert (result.status == "review") == bool(result.queries)
    assert CodingResult.model_validate_json(result.to_json()) == result


@given(st.text(max_size=300))
@settings(max_examples=120, deadline=None)
@example("")
@example("\x00")
@example("\ud7ff\ue000\U0010ffff")
@example("(" * 2000)
@example("[ ]" * 500)
@example("L" * 20000)
@example("L4-" * 3000)
@example("<div>" * 400 + "L4-5" + "</div>" * 400)
@example("a" * 50000 + " right L4-5 facet joint was injected")
@example("\n" * 5000 + "L4-5")
@example("{}{}{{%s%n}} $(ls) `id` ' OR 1=1 --")
def test_any_text_goes_through(text: str) -> None:
    check_sound(text)


@given(st.lists(st.sampled_from(PIECES), max_size=60), st.sampled_from([" ", "", "\n"]))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_word_salad_goes_through(words: list[str], joiner: str) -> None:
    check_sound(joiner.join(words))


@given(st.sampled_from(SOUND), st.integers(0, 2000), st.integers(0, 60))
@FEW
def test_a_note_with_a_hole_goes_through(case: dict[str, Any], start: int, length: int) -> None:
    check_sound(case["text"][:start] + case["text"][start + length :])


@given(st.sampled_from(SOUND))
@settings(max_examples=30, deadline=None)
def test_the_same_text_gives_the_same_bytes(case: dict[str, Any]) -> None:
    first, second = (shared().code(case["text"]).to_json() for _ in range(2))
    assert first == second
    assert json.loads(first)["status"] == case["status"]
