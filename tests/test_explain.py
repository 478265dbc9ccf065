"""Why a line was given or not: the answer says what the result holds, and nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from casefile import cases

from extractor.explain import LineExplanation, explain, is_joint
from extractor.report import explanation_text
from extractor.schema import ClaimLine, CodeLine, CodingResult, Evidence, Query, Versions

if TYPE_CHECKING:
    from extractor import Coder
    from extractor.schema import Side

NOTE = """PLAN: Right C5-6 facet joint injection next month.
PROCEDURE: Bilateral L4-5 facet joint injections under fluoroscopy.
TECHNIQUE: The L4-5 facet joints were entered on both sides and 1 mL of bupivacaine was injected into each.
The left L5-S1 joint was not injected."""
FIRST, SECOND, THIRD, GUIDANCE, NECK, SACROILIAC = "64493", "64494", "64495", "77003", "64490", "27096"


NOTES = cases("notes.jsonl", {"text", "status", "lines"}, {"asks", "imaging", "injectate", "target"})


def asked(coder: Coder, code: str, side: Side | None = None, *joints: str, note: str = NOTE) -> LineExplanation:
    return explain(coder.code(note), code, side, joints, coder.book.table.codes)


@pytest.mark.parametrize(
    ("code", "side", "joints", "verdict"),
    [
        (FIRST, None, (), "given"),
        (FIRST, "bilateral", (), "given"),
        (FIRST, "bilateral", ("L4-L5",), "given"),
        (FIRST, None, ("L4-L5",), "given"),
        (FIRST, "left", (), "given"),
        (FIRST, "right", ("L4-L5",), "given"),
        (FIRST, "unspecified", (), "given_otherwise"),
        (FIRST, None, ("L5-S1",), "given_otherwise"),
        (FIRST, None, ("L4-L5", "L5-S1"), "given_otherwise"),
        (SECOND, None, (), "rejected"),
        (SECOND, "right", ("L5-S1",), "rejected"),
        (GUIDANCE, None, (), "rejected"),
        (NECK, "right", ("C5-C6",), "not_supported"),
        (THIRD, None, (), "not_supported"),
        ("00000", None, (), "unknown_code"),
        ("", None, ("no joint",), "unknown_code"),
    ],
)
def test_verdict(coder: Coder, code: str, side: Side | None, joints: tuple[str, ...], verdict: str) -> None:
    assert asked(coder, code, side, *joints).verdict == verdict


def test_a_given_line_comes_with_rule_reasons_evidence_claim_and_neighbours(coder: Coder) -> None:
    result = coder.code(NOTE)
    explained = asked(coder, FIRST, "bilateral", "L4-L5")
    assert explained.lines == [line for line in result.lines if line.code == FIRST]
    [line] = explained.lines
    assert (line.rule, line.reasons[-1]) == ("facet-lumbar-first", "L4-L5: the joint itself was treated.")
    assert all(NOTE[e.start : e.end] == e.text for e in line.evidence)
    assert [(c.code, c.modifiers) for c in explained.claim] == [(FIRST, ["50"])]
    assert {item.code for item in explained.neighbours} == {SECOND, GUIDANCE}
    assert (explained.rejected, explained.set_aside) == ([], [])


def test_a_claim_line_is_found_under_the_number_of_the_claim_form() -> None:
    result = CodingResult(
        id="n",
        status="coded",
        lines=[CodeLine(code=SACROILIAC, side="left"), CodeLine(code=FIRST, side="right", joints=["L4-L5"])],
        claim=[ClaimLine(code="G0260", modifiers=["LT"]), ClaimLine(code=FIRST, modifiers=["RT"])],
        versions=Versions(engine="0", patterns="0", codes="0", profile="medicare-asc"),
    )
    assert explain(result, SACROILIAC, None, [], ()).claim == result.claim[:1]
    assert explain(result, FIRST, None, [], ()).claim == result.claim[1:]


def test_a_line_in_review_is_a_candidate(coder: Coder) -> None:
    note = "PROCEDURE: L4-5 facet joint injection. Fluoroscopy. Bupivacaine was injected into the L4-5 facet joint."
    explained = asked(coder, FIRST, note=note)
    assert (explained.verdict, explained.status) == ("given", "review")
    assert explained.explanation.startswith("The best candidate")
    assert asked(coder, FIRST).explanation == "The note supports this line."


def test_what_was_planned_or_denied_is_told_for_a_line_that_was_not_given(coder: Coder) -> None:
    neck = asked(coder, NECK, "right", "C5-C6")
    assert [(item.value, item.assertion) for item in neck.set_aside] == [("C5-C6", "planned")]
    lower = asked(coder, SECOND, "left", "L5-S1")
    assert [(item.value, item.assertion) for item in lower.set_aside] == [("L5-S1", "negated")]
    anything = asked(coder, SECOND)
    assert [item.value for item in anything.set_aside] == ["C5-C6", "L5-S1"]


def test_nerves_of_a_joint_count_as_its_words(coder: Coder) -> None:
    note = (
        "PROCEDURE: Left L4-5 facet joint injection, fluoroscopy, bupivacaine.\nThe L5 medial branch was not blocked."
    )
    explained = asked(coder, SECOND, None, "L5-S1", note=note)
    assert [(item.label, item.value) for item in explained.set_aside] == [("Nerve", "L5")]


def test_a_question_goes_to_the_line_that_it_is_about() -> None:
    """Questions about the words of one line, of the other, of neither, and about no words at all."""
    words = [Evidence(start=start, end=start + 4, text="word") for start in (0, 10, 20)]
    result = CodingResult(
        id="n",
        status="review",
        lines=[
            CodeLine(code=NECK, side="left", joints=["C5-C6"], evidence=[words[0]]),
            CodeLine(code=FIRST, side="left", joints=["L4-L5"], evidence=[words[1]]),
        ],
        queries=[
            Query(id="neck", question="?", evidence=[words[0]]),
            Query(id="both", question="?", evidence=words[:2]),
            Query(id="elsewhere", question="?", evidence=[words[2]]),
            Query(id="nowhere", question="?"),
        ],
        versions=Versions(engine="0", patterns="0", codes="0", profile="cpt"),
    )
    assert [query.id for query in explain(result, NECK, None, [], ()).queries] == [
        "neck",
        "both",
        "elsewhere",
        "nowhere",
    ]
    assert [query.id for query in explain(result, FIRST, None, [], ()).queries] == ["both", "elsewhere", "nowhere"]
    assert len(explain(result, SECOND, None, [], ()).queries) == 4


def test_a_line_that_was_not_given_has_every_question(coder: Coder) -> None:
    note = "PROCEDURE: L4-5 facet joint injection. Fluoroscopy. Bupivacaine was injected into the L4-5 facet joint."
    assert asked(coder, THIRD, note=note).queries == coder.code(note).queries != []


@pytest.mark.parametrize("case", [pytest.param(case.values[0], id=case.id) for case in NOTES])
def test_every_line_of_a_result_is_given_and_every_rejected_code_rejected(coder: Coder, case: dict[str, str]) -> None:
    result = coder.code(case["text"])
    known = coder.book.table.codes
    for line in result.lines:
        explained = explain(result, line.code, line.side, line.joints, known)
        assert explained.verdict == "given"
        assert line in explained.lines
    given = {line.code for line in result.lines}
    for item in result.rejected:
        verdict = explain(result, item.code, None, [], known).verdict
        assert verdict == ("given" if item.code in given else "rejected")


def test_text_of_an_explanation(coder: Coder) -> None:
    text = explanation_text(asked(coder, SECOND, "left", "L5-S1"))
    assert text.splitlines()[0].startswith(f"{SECOND} left L5-S1: REJECTED. The code was considered")
    assert f"  not {SECOND}: Right and left of L4-L5 are not further levels." in text
    assert "  negated, so not counted:\n" in text
    hostile = NOTE.replace("L5-S1 joint", "L5\u200b-S1\u202e joint")
    shown = explanation_text(asked(coder, SECOND, "left", "L5-S1", note=hostile))
    assert "\u202e" not in shown
    assert shown.isprintable() or {c for c in shown if not c.isprintable()} == {"\n"}


@pytest.mark.parametrize("name", ["L4-L5", "C7-T1", "L6-S1"])
def test_joints(name: str) -> None:
    assert is_joint(name)


@pytest.mark.parametrize("name", ["", "-", "L4", "L4-5", "L4-L5-S1", "X1-X2"])
def test_no_joints(name: str) -> None:
    assert not is_joint(name)
