"""The figures of the evaluation against cases/evaluation.jsonl, nervaluate, the score of whole notes, definitions."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from casefile import cases
from hypothesis import given
from hypothesis import strategies as st
from nervaluate import Evaluator

from extractor.coding.codebook import CodeBook
from extractor.coding.lines import ClaimLine
from extractor.errors import InputError
from extractor.evaluation.agreement import agreement, cohen_kappa
from extractor.evaluation.codes import code_scores, sideless_codes
from extractor.evaluation.records import Coding, Document, Entity, Line, Relation
from extractor.evaluation.scores import Scores, score
from extractor.evaluation.spans import SCHEMES, Breakdown, Counts, Share, span_scores
from extractor.evaluation.uncertainty import bootstrap, bootstrap_sums, compare_runs, mcnemar, upper_bound
from extractor.patterns import PatternFolder

CASES = cases("evaluation.jsonl", {"kind", "given", "expect"})
SIDELESS = sideless_codes(CodeBook.load(PatternFolder()))
NO_SIDE = {"20552", "20553", "62320", "62321", "62322", "62323"}  # as the project's score has them


def of_kind(kind: str) -> pytest.MarkDecorator:
    found = [case for case in CASES if case.values[0]["kind"] == kind]
    assert found
    return pytest.mark.parametrize("case", found)


def test_every_kind_of_case_is_run() -> None:
    assert {case.values[0]["kind"] for case in CASES} == {"spans", "codes", "bound", "kappa", "mcnemar"}


# -- spans ---------------------------------------------------------------------------------------------------------


def entity(at: int, written: str) -> Entity:
    """'Level 0-4+6-9 value=L4-L5' as an entity."""
    label, fragments, *attributes = written.split()
    spans = [fragment.split("-") for fragment in fragments.split("+")]
    pairs = (attribute.split("=", 1) for attribute in attributes)
    return Entity(f"T{at}", label, tuple((int(a), int(b)) for a, b in spans), dict(pairs))


def annotated(entities: list[str], relations: list[str]) -> Document:
    links = [written.split() for written in relations]
    return Document(
        "n",
        "",
        tuple(entity(at, written) for at, written in enumerate(entities)),
        tuple(Relation(f"R{at}", label, f"T{head}", f"T{tail}") for at, (label, head, tail) in enumerate(links)),
    )


def five(counts: Counts) -> list[int]:
    return [counts.correct, counts.incorrect, counts.partial, counts.missed, counts.spurious]


def pair(share: Share) -> list[int]:
    return [share.hits, share.of]


@of_kind("spans")
def test_spans(case: dict[str, Any]) -> None:
    given = case["given"]
    scores = span_scores(
        [
            (
                annotated(given["gold"], given.get("gold_relations", [])),
                annotated(given["predicted"], given.get("predicted_relations", [])),
            )
        ]
    )
    found: dict[str, Any] = {name: five(getattr(scores, name).micro) for name in SCHEMES}
    found |= {name: five(getattr(scores, name).micro) for name in ("relations_strict", "relations_lenient")}
    found["attributes"] = {name: five(row.counts) for name, row in scores.attributes.items()}
    found["all_attributes"] = pair(scores.all_attributes)
    assert {name: found[name] for name in case["expect"]} == case["expect"]


def test_accuracy_of_an_attribute_is_of_the_spans_where_gold_has_it() -> None:
    gold = annotated(["Level 0-4 value=a", "Level 5-9 value=b", "Level 10-14", "Level 15-19"], [])
    found = annotated(["Level 0-4 value=a", "Level 5-9", "Level 10-14 value=x", "Level 15-19 value=y"], [])
    scores = span_scores([(gold, found)])
    assert pair(scores.attributes["value"].accuracy) == [1, 2]
    assert pair(scores.all_attributes) == [1, 4]


def test_figures_of_counts() -> None:
    counts = Counts(correct=2, incorrect=1, partial=2, missed=1, spurious=3)
    assert (counts.support, counts.predicted) == (6, 8)
    assert (counts.precision, counts.recall) == (3 / 8, 3 / 6)
    assert counts.f1 == 2 * (3 / 8 * 3 / 6) / (3 / 8 + 3 / 6)
    nothing = Counts()
    assert (nothing.precision, nothing.recall, nothing.f1, nothing.support) == (0.0, 0.0, 0.0, 0)
    assert Share().value is None


def test_macro_is_over_all_labels_even_those_only_predicted() -> None:
    rows = {"a": Counts(correct=1), "b": Counts(spurious=2), "c": Counts(correct=1, missed=1)}
    macro = Breakdown(rows, Counts()).macro
    assert (macro.precision, macro.recall) == (2 / 3, 1.5 / 3)
    assert macro.f1 == pytest.approx((1 + 0 + 2 / 3) / 3)
    assert Breakdown({}, Counts()).macro.f1 == 0.0


LABELS = st.sampled_from(["Level", "Nerve", "Side"])


@st.composite
def apart(draw: st.DrawFn) -> list[tuple[str, int, int]]:
    """(label, start, end) of spans that do not overlap, some of them long, in text order."""
    spans, at = [], 0
    for gap, length in draw(
        st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5) | st.integers(95, 205)), max_size=9)
    ):
        spans.append((draw(LABELS), at + gap, at + gap + length))
        at += gap + length
    return spans


def from_spans(spans: list[tuple[str, int, int]]) -> Document:
    return Document("n", "", tuple(Entity(f"T{at}", label, ((a, b),)) for at, (label, a, b) in enumerate(spans)))


NAMES = {"strict": "strict", "exact": "exact", "partial": "partial", "type": "ent_type"}


@given(st.lists(st.tuples(apart(), apart()), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_equal_to_nervaluate(notes: list[tuple[Any, Any]], random: Any) -> None:
    def listed(side: int) -> list[list[dict[str, Any]]]:  # nervaluate's `end` is the last character
        return [[{"label": label, "start": a, "end": b - 1} for label, a, b in note[side]] for note in notes]

    theirs = Evaluator(listed(0), listed(1), tags=["Level", "Nerve", "Side"], loader="dict").evaluate()

    def shuffled(spans: list[tuple[str, int, int]]) -> Document:  # our result must not depend on the order in a file
        return from_spans(random.sample(spans, len(spans)))

    ours = span_scores((shuffled(gold), shuffled(found)) for gold, found in notes)
    for scheme, name in NAMES.items():
        breakdown: Breakdown = getattr(ours, scheme)
        assert figures(breakdown.micro) == their_figures(theirs["overall"][name])
        assert breakdown.labels.keys() == theirs["entities"].keys()
        for label, counts in breakdown.labels.items():
            assert figures(counts) == their_figures(theirs["entities"][label][name])


def figures(counts: Counts) -> list[float]:
    return [*five(counts), counts.predicted, counts.support, counts.precision, counts.recall, counts.f1]


def their_figures(row: Any) -> list[float]:
    counts = [row.correct, row.incorrect, row.partial, row.missed, row.spurious, row.actual, row.possible]
    return [*counts, row.precision, row.recall, row.f1]


@st.composite
def anywhere(draw: st.DrawFn) -> Document:
    """Spans that overlap, nest, stand twice and have gaps."""
    entities = []
    for at in range(draw(st.integers(0, 7))):
        points = draw(st.lists(st.integers(0, 14), min_size=2, max_size=6, unique=True).map(sorted))
        fragments = tuple(zip(points[::2], points[1::2], strict=False))
        entities.append(Entity(f"T{at}", draw(LABELS), fragments))
    return Document("n", "", tuple(entities))


def points(item: Entity) -> frozenset[int]:
    return frozenset(at for start, end in item.fragments for at in range(start, end))


def slow_counts(gold: Document, found: Document, scheme: str) -> list[int]:
    """The rules of spans.py over all pairs and sets of code points."""

    def order(item: Entity) -> Any:
        merged = [at for at in sorted(points(item)) if at - 1 not in points(item)]
        ends = [at + 1 for at in sorted(points(item)) if at + 1 not in points(item)]
        return (item.start, item.end, tuple(zip(merged, ends, strict=True)), item.label)

    golds, predictions = sorted(gold.entities, key=order), sorted(found.entities, key=order)
    count = dict.fromkeys(("correct", "incorrect", "partial"), 0)
    worth = {"strict": "incorrect", "exact": "correct", "partial": "correct"}
    steps = [(lambda g, p: points(g) == points(p) and g.label == p.label, "correct")]
    if scheme != "type":
        steps.append((lambda g, p: points(g) == points(p), worth[scheme]))
        steps.append((lambda g, p: len(points(g) & points(p)) > 0, "partial" if scheme == "partial" else "incorrect"))
    for fits, outcome in steps:
        for prediction in list(predictions):
            partner = next((g for g in golds if fits(g, prediction)), None)
            if partner:
                golds.remove(partner)
                predictions.remove(prediction)
                count[outcome] += 1
    if scheme == "type":
        for prediction in list(predictions):
            near = [g for g in golds if points(g) & points(prediction)]
            same = [g for g in near if g.label == prediction.label]
            if near:
                distance = [abs(g.start - prediction.start) + abs(g.end - prediction.end) for g in same]
                golds.remove(same[distance.index(min(distance))] if same else near[0])
                predictions.remove(prediction)
                count["correct" if same else "incorrect"] += 1
    return [*count.values(), len(golds), len(predictions)]


@given(anywhere(), anywhere())
def test_overlapping_spans_follow_the_rule(gold: Document, found: Document) -> None:
    scores = span_scores([(gold, found)])
    assert {name: five(getattr(scores, name).micro) for name in SCHEMES} == {
        name: slow_counts(gold, found, name) for name in SCHEMES
    }


@given(anywhere(), anywhere())
def test_labels_are_scored_on_their_own(gold: Document, found: Document) -> None:
    scores = span_scores([(gold, found)])
    for label in {item.label for item in (*gold.entities, *found.entities)}:

        def only(document: Document, label: str = label) -> Document:
            return Document("n", "", tuple(item for item in document.entities if item.label == label))

        alone = span_scores([(only(gold), only(found))])
        for scheme in SCHEMES:
            assert getattr(scores, scheme).labels[label] == getattr(alone, scheme).micro


@given(anywhere())
def test_a_document_against_itself_is_all_right(document: Document) -> None:
    scores = span_scores([(document, document)])
    for scheme in SCHEMES:
        assert five(getattr(scores, scheme).micro) == [len(document.entities), 0, 0, 0, 0]


# -- codes ---------------------------------------------------------------------------------------------------------


def coding(row: dict[str, Any]) -> Coding:
    lines = [line.split() for line in row["lines"]]
    claim = [line.split() for line in row["claim"]] if "claim" in row else None
    layers = {name: tuple(row[name]) for name in ("imaging", "injectate", "target", "queries") if name in row}
    return Coding(
        row["status"],
        tuple(Line(code, side, tuple(joints)) for code, side, *joints in lines),
        None if claim is None else tuple(ClaimLine(code, tuple(m.split(",")), int(units)) for code, m, units in claim),
        **layers,
    )


def coded(id_: str, row: dict[str, Any], author: str = "") -> Document:
    carried = {"confidence": row["confidence"]} if "confidence" in row else {}
    return Document(id_, "", coding=coding(row), author=author, carried=carried)


def three(counts: Counts) -> list[int]:
    return [counts.correct, counts.missed, counts.spurious]


@of_kind("codes")
def test_codes(case: dict[str, Any]) -> None:
    pairs = [
        (coded(str(at), gold), coded(str(at), found) if found else None)
        for at, (gold, found) in enumerate(case["given"])
    ]
    scores = code_scores(pairs, SIDELESS)
    shares = ("right", "codes_right", "claim", "released", "released_precision")
    found: dict[str, Any] = {name: pair(getattr(scores, name)) for name in shares}
    for name in ("overcoding", "undercoding"):
        excess = getattr(scores, name)
        found[name] = [pair(excess.codes), pair(excess.notes)]
    for name in ("codes", "queries"):
        found[name] = {label: three(row) for label, row in getattr(scores, name).labels.items()}
    found |= {"status": scores.status, "missing": scores.missing, "lines": three(scores.lines)}
    found["overcoded_released"] = list(scores.overcoded_released)
    found["facts"] = {name: pair(share) for name, share in scores.facts.items()}
    found["risk_coverage"] = [[point.at, point.notes, point.wrong] for point in scores.risk_coverage]
    found |= {"codes_micro_f1": scores.codes.micro.f1, "codes_macro_f1": scores.codes.macro.f1}
    assert {name: found[name] for name in case["expect"]} == case["expect"]


def test_codes_without_a_side_come_from_the_code_book() -> None:
    assert SIDELESS == NO_SIDE


@pytest.mark.parametrize("wrong", ["high", True, float("nan"), float("inf"), 10**400, [1]])
def test_a_confidence_is_a_number(wrong: Any) -> None:
    row = {"status": "coded", "lines": []}
    with pytest.raises(InputError, match=r"^n: confidence is not a number$"):
        code_scores([(coded("n", row), coded("n", row | {"confidence": wrong}))], SIDELESS)


SETTLED = st.sampled_from(["coded", "review", "no_code"])
CODE_LINES = st.lists(
    st.fixed_dictionaries(
        {
            "code": st.sampled_from(["64493", "64494", "62323", "20553"]),
            "side": st.sampled_from(["left", "right", "unspecified"]),
            "joints": st.lists(st.sampled_from(["L4-L5", "L5-S1"]), max_size=2, unique=True),
        }
    ),
    max_size=3,
)
WORDS = st.lists(st.sampled_from(["none_documented", "a", "b"]), max_size=2)
FACTS = dict.fromkeys(("imaging", "injectate", "target"), WORDS)
GOLD = st.fixed_dictionaries({"status": SETTLED, "lines": CODE_LINES}, optional=FACTS)
RESULT = st.fixed_dictionaries(
    {"status": SETTLED, "lines": CODE_LINES, "summary": st.fixed_dictionaries({}, optional=FACTS)}
)


def reference(notes: list[tuple[Any, Any]]) -> dict[str, float | None]:
    """The project's score of whole notes, as it was before there was this room (score.py)."""

    def line_set(lines: list[Any]) -> set[Any]:
        return {
            (line["code"], "unspecified" if line["code"] in NO_SIDE else line["side"], tuple(sorted(line["joints"])))
            for line in lines
        }

    figures = dict.fromkeys(("right", "released", "released_right", "overcoded", "true", "predicted", "gold"), 0)
    facts = {name: [0, 0] for name in FACTS}
    for want, got in notes:
        if got is None:
            continue
        expected, found = line_set(want["lines"]), line_set(got["lines"])
        if want["status"] == "coded":
            right = got["status"] == "coded" and expected == found
        else:
            right = got["status"] == want["status"] and (want["status"] == "review" or not found)
        figures["right"] += right
        if got["status"] == "coded":
            figures["released"] += 1
            figures["released_right"] += want["status"] == "coded" and expected == found
            figures["overcoded"] += bool(found - expected)
        figures["true"] += len(expected & found)
        figures["predicted"] += len(found)
        figures["gold"] += len(expected)
        for name, tally in facts.items():
            if want.get(name) is not None and want["status"] != "no_code":
                tally[1] += 1
                wanted = set(want[name]) - {"none_documented"}
                tally[0] += wanted == set(got["summary"].get(name, [])) - {"none_documented"}
    precision = figures["true"] / figures["predicted"] if figures["predicted"] else 0.0
    recall = figures["true"] / figures["gold"] if figures["gold"] else 0.0
    return {
        "right": figures["right"] / len(notes),
        "released": figures["released"] / len(notes),
        "released_precision": figures["released_right"] / max(figures["released"], 1),
        "overcoded": figures["overcoded"],
        "line_f1": 2 * (precision * recall) / (precision + recall) if precision + recall else 0.0,
        **{name: hits / of if of else None for name, (hits, of) in facts.items()},
    }


def written(id_: str, row: dict[str, Any]) -> Document:
    facts = {name: tuple(given) for name, given in (row | row.get("summary", {})).items() if name in FACTS}
    lines = tuple(Line(line["code"], line["side"], tuple(line["joints"])) for line in row["lines"])
    return Document(id_, "", coding=Coding(row["status"], lines, **facts))


WHOLE = ("right", "released", "released_precision", "overcoded")  # what a missing prediction counts in alike


@given(st.lists(st.tuples(GOLD, st.none() | RESULT), min_size=1, max_size=6))
def test_equal_to_the_score_of_whole_notes(notes: list[tuple[Any, Any]]) -> None:
    pairs = [
        (written(str(at), gold), None if found is None else written(str(at), found))
        for at, (gold, found) in enumerate(notes)
    ]
    scores, want = code_scores(pairs, SIDELESS), reference(notes)
    found: dict[str, float | None] = {
        "right": scores.right.value,
        "released": scores.released.value,
        "released_precision": scores.released_precision.value or 0.0,
        "overcoded": len(scores.overcoded_released),
        "line_f1": scores.lines.f1,
        **{name: share.value for name, share in scores.facts.items()},
    }
    # the lines and facts of a missing note were left out there, and count as not found here
    compared = WHOLE if any(got is None for _, got in notes) else tuple(want)
    assert {name: found[name] for name in compared} == {name: want[name] for name in compared}


# -- uncertainty ---------------------------------------------------------------------------------------------------


@of_kind("bound")
def test_bound(case: dict[str, Any]) -> None:
    assert upper_bound(*case["given"]) == pytest.approx(case["expect"], rel=1e-5)


@given(st.integers(0, 12), st.integers(1, 40), st.sampled_from([0.8, 0.95, 0.975, 0.99]))
def test_so_few_errors_are_as_rare_as_they_should_be_at_the_bound(errors: int, more: int, level: float) -> None:
    """The definition, in exact fractions."""
    notes, rate = errors + more, Fraction(upper_bound(errors, errors + more, level))
    tail = sum(math.comb(notes, k) * rate**k * (1 - rate) ** (notes - k) for k in range(errors + 1))
    assert float(tail) == pytest.approx(1 - level, rel=1e-9)


@given(st.integers(1, 2000), st.floats(0.5, 0.999))
def test_bound_of_no_error_is_the_closed_form(notes: int, level: float) -> None:
    assert upper_bound(0, notes, level) == pytest.approx(1 - (1 - level) ** (1 / notes), rel=1e-9)


@given(st.integers(0, 60), st.integers(1, 60))
def test_bound_grows_with_errors_and_shrinks_with_notes(errors: int, more: int) -> None:
    notes = errors + more
    assert errors / notes < upper_bound(errors, notes) < upper_bound(errors + 1, notes) or errors + 1 == notes
    assert upper_bound(errors, notes + 1) < upper_bound(errors, notes)


@pytest.mark.parametrize(("errors", "notes", "level"), [(-1, 5, 0.95), (6, 5, 0.95), (0, 5, 1.0), (0, 5, 0.0)])
def test_bound_of_nonsense(errors: int, notes: int, level: float) -> None:
    with pytest.raises(InputError):
        upper_bound(errors, notes, level)


@of_kind("mcnemar")
def test_mcnemar(case: dict[str, Any]) -> None:
    assert mcnemar(*case["given"]) == case["expect"]


def test_two_runs() -> None:
    first = {"a": True, "b": False, "c": True, "d": False, "e": True}
    second = {"e": False, "d": False, "c": True, "b": True, "a": False}
    compared = compare_runs(first, second)
    assert (compared.better, compared.worse) == (("b",), ("a", "e"))
    assert (compared.notes, compared.both_right, compared.both_wrong, compared.p) == (5, 1, 1, 1.0)
    with pytest.raises(InputError, match="2 are in one only"):
        compare_runs({"a": True}, {"b": True})
    with pytest.raises(InputError, match="no notes"):
        compare_runs({}, {})


RIGHT = [1, 0, 1, 1, 0, 1, 1, 1, 0, 1]
HANDS = ["a", "a", "a", "b", "b", "c", "c", "c", "d", "d"]


def mean(values: Any) -> float:
    return sum(values) / len(values)


def test_both_bootstraps_draw_alike() -> None:
    by_notes = bootstrap(RIGHT, HANDS, mean, resamples=300, seed=3)
    rows = [(1, hit) for hit in RIGHT]
    by_sums = bootstrap_sums(rows, HANDS, {"mean": lambda sums: sums[1] / sums[0]}, resamples=300, seed=3)
    assert by_notes == by_sums["mean"]
    assert (by_notes.value, by_notes.clusters, by_notes.used) == (0.7, 4, 300)
    assert by_notes.low is not None
    assert by_notes.high is not None
    assert by_notes.low < 0.7 < by_notes.high


def test_bootstrap_depends_on_the_seed_and_not_on_the_order_of_notes() -> None:
    one = bootstrap(RIGHT, HANDS, mean, resamples=200, seed=1)
    assert one == bootstrap(RIGHT[::-1], HANDS[::-1], mean, resamples=200, seed=1)
    spread, each = [at**1.5 for at in range(10)], list("abcdefghij")
    assert bootstrap(spread, each, mean, seed=1) != bootstrap(spread, each, mean, seed=2)


def test_authors_are_resampled_whole() -> None:
    """Two authors, one always right and one never: a resample is all right, half right or all wrong."""
    seen: set[float] = set()

    def statistic(notes: Any) -> float:
        seen.add(mean(notes))
        return mean(notes)

    interval = bootstrap([1] * 50 + [0] * 50, ["a"] * 50 + ["b"] * 50, statistic, resamples=200)
    assert seen == {0.0, 0.5, 1.0}
    assert (interval.low, interval.high) == (0.0, 1.0)


def test_percentiles_of_an_even_spread() -> None:
    """A mean of many independent notes: the limits of the normal approximation, to two digits."""
    notes = [at % 2 for at in range(2500)]
    interval = bootstrap_sums([(n, 1) for n in notes], [str(at) for at in range(2500)], {"m": lambda s: s[0] / s[1]})[
        "m"
    ]
    assert interval.low == pytest.approx(0.5 - 1.96 * 0.01, abs=0.0015)
    assert interval.high == pytest.approx(0.5 + 1.96 * 0.01, abs=0.0015)


def test_one_author_has_no_interval() -> None:
    interval = bootstrap(RIGHT, ["a"] * 10, mean)
    assert (interval.value, interval.low, interval.high, interval.clusters) == (0.7, None, None, 1)


def test_resamples_without_the_figure_are_left_out() -> None:
    def released_precision(notes: Any) -> float | None:
        released = [right for right, out in notes if out]
        return mean(released) if released else None

    interval = bootstrap([(1, True), (0, False)], ["a", "b"], released_precision, resamples=400)
    assert (interval.value, interval.low, interval.high) == (1.0, 1.0, 1.0)
    assert 0 < interval.used < 400


def test_nothing_to_resample() -> None:
    with pytest.raises(InputError, match="no notes"):
        bootstrap([], [], mean)
    with pytest.raises(InputError, match="not of one length"):
        bootstrap([1], [], mean)
    with pytest.raises(InputError, match="at least one resample"):
        bootstrap([1], ["a"], mean, resamples=0)


# -- agreement -----------------------------------------------------------------------------------------------------


@of_kind("kappa")
def test_kappa(case: dict[str, Any]) -> None:
    one, *more = (written.split() for written in case["given"])
    assert cohen_kappa((first, second) for first, second in [one, *more]) == case["expect"]


def test_kappa_of_nothing() -> None:
    with pytest.raises(InputError, match="no notes"):
        cohen_kappa([])


def test_agreement() -> None:
    line, other = Line("64493", "left", ("L4-L5",)), Line("64493", "right", ("L4-L5",))
    level, wider = Entity("T1", "Level", ((0, 4),)), Entity("T1", "Level", ((0, 6),))
    side = Entity("T2", "Side", ((7, 9),))
    first = [
        Document("a", "", (level, side), coding=Coding("coded", (line,))),
        Document("b", "", (level,), coding=Coding("review", (line,))),
        Document("c", "", (), coding=Coding("coded")),
        Document("d", ""),
    ]
    second = [
        Document("d", ""),
        Document("b", "", (wider,), coding=Coding("coded", (other,))),
        Document("a", "", (level,), coding=Coding("coded", (line,))),
        Document("e", ""),
    ]
    found = agreement(first, second, SIDELESS)
    assert (found.notes, found.one_only, found.coded) == (3, ("c", "e"), 2)
    assert (pair(found.status), pair(found.lines), found.kappa) == ([1, 2], [1, 2], 0.0)
    assert (found.spans.strict, found.spans.lenient, found.spans.spans) == (0.4, 0.8, (3, 2))
    assert (found.labels["Level"].strict, found.labels["Level"].lenient) == (0.5, 1.0)
    assert (found.labels["Side"].strict, found.labels["Side"].spans) == (0.0, (1, 0))


def test_agreement_without_codings_or_notes() -> None:
    assert agreement([Document("a", "")], [Document("a", "")], SIDELESS).kappa is None
    with pytest.raises(InputError, match="no note in common"):
        agreement([Document("a", "")], [Document("b", "")], SIDELESS)
    with pytest.raises(InputError, match="a: the note is there twice"):
        agreement([Document("a", "")] * 2, [], SIDELESS)


@given(anywhere(), anywhere())
def test_agreement_is_the_same_from_both_sides(one: Document, other: Document) -> None:
    there, back = agreement([one], [other], SIDELESS), agreement([other], [one], SIDELESS)
    assert there.spans.strict == pytest.approx(back.spans.strict)
    assert there.spans.lenient == pytest.approx(back.spans.lenient)
    assert there.labels.keys() == back.labels.keys()


# -- all of it -----------------------------------------------------------------------------------------------------


def some_notes(wrong: int = 0) -> list[Document]:
    """Twelve notes of three authors; the first `wrong` have a side too many."""
    row = {"status": "coded", "lines": ["64493 left L4-L5"]}
    bad = {"status": "coded", "lines": ["64493 left L4-L5", "64493 right L4-L5"]}
    return [coded(f"n{at}", bad if at < wrong else row, author="abc"[at % 3]) for at in range(12)]


def test_scores_of_a_run() -> None:
    scores = score(some_notes(), some_notes(wrong=3), resamples=50)
    assert scores.coding is not None
    assert (scores.notes, pair(scores.coding.right), scores.spans) == (12, [9, 12], None)
    assert scores.coding.overcoded_released == ("n0", "n1", "n2")
    assert scores.overcoded_bound == upper_bound(3, 12)
    assert scores.intervals["right"].value == 0.75
    assert scores.intervals["right"].clusters == 3
    assert scores.intervals["line_f1"].value == pytest.approx(scores.coding.lines.f1)
    assert scores.intervals["overcoded_of_released"].value == 0.25
    assert [id_ for id_, right in scores.right().items() if not right] == ["n0", "n1", "n2"]


def streamed(documents: list[Document], ahead: list[str]) -> Iterator[Document]:
    for document in documents:
        ahead.append(document.id)
        yield document


def test_predictions_come_as_mapping_or_stream_in_any_order() -> None:
    found = some_notes(wrong=2)
    want = score(some_notes(), {document.id: document for document in found}, resamples=20)
    assert score(some_notes(), found, resamples=20) == want
    assert score(iter(some_notes()), reversed(found), resamples=20) == want


def test_streams_are_read_side_by_side() -> None:
    read: list[str] = []

    def gold() -> Iterator[Document]:
        for at, document in enumerate(some_notes()):
            assert len(read) == at
            yield document

    score(gold(), streamed(some_notes(), read), resamples=5)
    assert len(read) == 12


def test_missing_and_ignored() -> None:
    found = [document for document in some_notes() if document.id not in ("n3", "n7")]
    extra = [Document("x2", ""), *found, Document("x1", "")]
    for predicted in (extra, {document.id: document for document in extra}):
        scores = score(some_notes(), predicted, resamples=20)
        assert scores.coding is not None
        assert (scores.missing, scores.ignored) == (("n3", "n7"), ("x1", "x2"))
        assert (pair(scores.coding.right), scores.coding.missing) == ([10, 12], 2)


def test_a_corpus_of_spans_only() -> None:
    gold = [Document("a", "left L4-5", (Entity("T1", "Side", ((0, 4),)),)), Document("b", "left")]
    found = [Document("a", "left L4-5"), Document("b", "left", (Entity("T1", "Side", ((0, 4),)),))]
    scores = score(gold, found, resamples=20)
    assert scores.spans is not None
    assert five(scores.spans.strict.micro) == [0, 0, 0, 1, 1]
    assert (scores.coding, scores.outcomes, scores.overcoded_bound) == (None, (), None)
    assert list(scores.intervals) == ["strict_f1"]


def test_a_corpus_without_spans_says_nothing_about_predicted_ones() -> None:
    found = [Document("a", "left", (Entity("T1", "Side", ((0, 4),)),))]
    assert score([Document("a", "left")], found, resamples=5).spans is None


def test_nothing_released_has_no_bound() -> None:
    row = {"status": "review", "lines": []}
    scores = score([coded("a", row)], [coded("a", row)], resamples=5)
    assert scores.coding is not None
    assert (scores.overcoded_bound, scores.coding.released_precision.value) == (None, None)
    assert scores.intervals["released_precision"].value is None


@pytest.mark.parametrize(
    ("gold", "predicted", "message"),
    [
        ([], [], "there is no gold note to score against"),
        (["a", "a"], [], "a: the gold note is there twice"),
        (["a"], ["a", "a"], "a: the prediction is there twice"),
        (["a"], ["x", "x", "a"], "x: the prediction is there twice"),
        (["a"], ["a", "x", "x"], "x: the prediction is there twice"),
    ],
)
def test_streams_that_cannot_be_scored(gold: list[str], predicted: list[str], message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}$"):
        score([Document(id_, "") for id_ in gold], [Document(id_, "") for id_ in predicted])


@pytest.mark.parametrize("before", [[], [Document("b", "")]], ids=["in order", "held back"])
def test_a_prediction_of_another_text(before: list[Document]) -> None:
    gold, end = Document("a", "secret words"), Document("b", "")
    for same in ("secret words", ""):
        assert score([end, gold], [Document("a", same), end], resamples=5).missing == ()
    with pytest.raises(InputError) as caught:
        score([*before, gold], [Document("a", "other words"), *before])
    assert str(caught.value) == "a: the prediction is of another text than the gold note"


def test_json_is_plain_and_stable() -> None:
    entities = (Entity("T1", "Side", ((0, 4),), {"value": "left"}), Entity("T2", "Level", ((5, 9),)))
    relations = (Relation("R1", "level-side", "T2", "T1"),)
    gold = [*some_notes(), Document("s", "left L4-5", entities, relations)]

    def run() -> Scores:
        return score(gold, [*some_notes(wrong=2), Document("s", "left L4-5", entities, relations)], resamples=20)

    plain = run().to_json()
    assert json.dumps(plain) == json.dumps(run().to_json())
    assert json.loads(json.dumps(plain)) == plain
    assert plain["coding"]["right"] == {"hits": 10, "of": 12, "share": 10 / 12}
    assert plain["spans"]["strict"]["labels"]["Side"]["f1"] == 1.0
    assert plain["spans"]["relations_strict"]["micro"]["support"] == 1
    assert plain["spans"]["attributes"]["value"]["accuracy"] == {"hits": 1, "of": 1, "share": 1.0}
    assert plain["outcomes"][0]["id"] == "n0"
