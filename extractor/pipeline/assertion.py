"""Assertion from typed cues: medspaCy's ConText graph, with our own rows and one small graph a sentence.

Every cue names what it may touch (`applies_to`), medspaCy's default rules are not loaded. A graph over one
sentence at a time keeps the work linear in the length of the note.

Sets Doc._.facetcode_cues: (start, end, category, direction) of every cue, and Doc._.facetcode_assertions:
(start, end, label, category, cue start, cue end) for each target, level, imaging and agent span that a cue touches.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from medspacy.common.medspacy_matcher import MedspacyMatcher
from medspacy.context.context_graph import ConTextGraph
from medspacy.context.context_modifier import ConTextModifier
from medspacy.context.context_rule import ConTextRule
from spacy.language import Language
from spacy.tokens import Doc, Span

from extractor.literals import Present, Sought
from extractor.pipeline.shared import drop_empty_matcher, extension, reading
from extractor.rows import ReadingPatterns, ReadingTable, RegexCue
from extractor.text import brackets, text_of

_NEGATED = "NEGATED"
_TURN = "(turn)"  # where a denial ends because the contrary follows
_NUMBERS, _DAY_TOKENS = re.compile(r"\d+"), 6
_ACTS = frozenset({"performed", "handled", "needlework"})
_OTHER_DAYS = frozenset({"HISTORICAL", "PLANNED"})
_SIDE_APART = 4  # words between a level and the side that is its own ("L4-5 facet joint on the left")
_LONGEST_REASON = 9  # words
_GROUPS = ("facetcode_targets", "facetcode_levels", "facetcode_agents")


_MEASURE_REACH = 6  # tokens between a measure and its drug: "a mL of 1 percent lidocaine"


_NUMBER, _MOST = "#", 12  # in the category of a cue that counts; the highest number counted


class CueMatch(NamedTuple):
    """Where a cue matches, whatever becomes of it. `row` is (phrase, category) of a row of cues.csv, or (pattern,
    category) of a [[regex]] of reading.toml."""

    start: int  # characters
    end: int
    category: str
    direction: str
    row: tuple[str, str]
    is_regex: bool
    fate: Literal["kept", "covered", "aside"]  # covered: by a longer cue; aside: what gives a reason, ends a denial


def _rule(cue: RegexCue, category: str, reach: Mapping[str, int]) -> ConTextRule:
    return ConTextRule(
        literal=category,
        category=category.upper(),
        direction=cue.direction.upper() or ("BIDIRECTIONAL" if category in reach else "PSEUDO"),
        allowed_types={"TARGET", "LEVEL", "IMAGING", "AGENT"},
        max_scope=reach.get(f"{category}_{cue.direction}", reach.get(category)),
        metadata={
            "direction": cue.direction or ("bidirectional" if category in reach else "sentence"),
            "category": category,
            "row": (cue.pattern, cue.category),
        },
    )


def _rules(cue: RegexCue, reach: Mapping[str, int]) -> list[ConTextRule]:
    """The rule of a cue; for a cue that counts, one for each number."""
    if _NUMBER not in cue.category:
        return [_rule(cue, cue.category, reach)]
    return [_rule(cue, cue.category.replace(_NUMBER, str(number)), reach) for number in range(_MOST + 1)]


Found = tuple[ConTextRule, int, int]  # a cue and its tokens


def _day(doc: Doc, end: int) -> tuple[int, ...]:
    """Month, day and year (without its century) that stand before a token."""
    words = doc[max(0, end - _DAY_TOKENS) : end].text
    return tuple(int(number[-2:]) for number in _NUMBERS.findall(words)[-3:])


class Assertion:
    """The ConText component."""

    def __init__(self, nlp: Language, patterns: ReadingPatterns) -> None:
        self.matcher = MedspacyMatcher(nlp, name="facetcode_assertion", prune=False)
        reach = patterns.table.context
        self.words = patterns.table
        self.exceptions = patterns.table.exceptions
        self.turn = ConTextRule(
            literal=_TURN,
            category="TERMINATE",
            direction="TERMINATE",
            allowed_types={"TARGET", "LEVEL", "IMAGING", "AGENT"},
            metadata={"direction": "terminate", "category": "terminate"},
        )
        rules = []
        for row in patterns.cues:
            sentence_wide = row.direction == "sentence"
            unlimited = sentence_wide or row.phrase.endswith(":")  # "not done: ..." heads a list
            rules.append(
                ConTextRule(
                    literal=row.phrase,
                    category=row.category.removesuffix("_near").upper(),
                    direction="PSEUDO" if sentence_wide else row.direction.upper(),
                    allowed_types={word.upper() for word in row.applies_to.split()},
                    max_scope=None
                    if unlimited
                    else reach.get(f"{row.category}_{row.direction}", reach.get(row.category)),
                    metadata={
                        "direction": row.direction,
                        "category": row.category.removesuffix("_near"),
                        "row": (row.phrase, row.category),
                    },
                )
            )
        drop_empty_matcher(self.matcher)
        self.matcher.add(rules)
        self.of_old = _rule(RegexCue(category="historical", pattern="", example=""), "historical", reach)
        self.regexes = [
            (_rules(cue, reach), Sought(re.compile(cue.pattern, re.IGNORECASE))) for cue in patterns.table.regex
        ]

    def __call__(self, doc: Doc) -> Doc:
        if not _in_scope(doc):
            doc._.facetcode_cues = doc._.facetcode_assertions = ()
            return doc
        begins = doc.to_array("SENT_START") == 1
        begins[:1] = True
        starts = begins.nonzero()[0].tolist()
        cues = self._cues(doc)
        doc._.facetcode_cues = tuple(
            (
                doc[start].idx,
                doc[end - 1].idx + len(doc[end - 1]),
                rule.metadata["category"],
                rule.metadata["direction"],
            )
            for rule, start, end in cues
        )
        asides = _asides(doc)
        acts = [start for rule, start, _ in cues if rule.metadata["category"] in _ACTS]
        by_sentence: dict[int, tuple[list[Span], list[tuple[ConTextRule, int, int]]]] = {}
        for name in _GROUPS:
            for span in doc.spans.get(name, ()):
                if span.label_ != "Context":
                    by_sentence.setdefault(bisect_right(starts, span.start), ([], []))[0].append(span)
        for rule, start, end in cues:
            found = by_sentence.get(bisect_right(starts, start))
            if found is not None and rule.metadata["direction"] != "sentence":
                found[1].append((rule, start, end))
        touched: list[tuple[int, int, str, str, int, int]] = []
        for number, (spans, matches) in by_sentence.items():
            if matches:
                begin = starts[number - 1]
                finish = starts[number] if number < len(starts) else len(doc)
                touched.extend(_touched(doc, begin, finish, spans, matches, asides, acts, self.words))
        doc._.facetcode_assertions = tuple(sorted(touched))
        return doc

    def matches(self, doc: Doc) -> list[CueMatch]:
        """Every match of every cue in order of the text: for those who ask which row decided, and why one did not."""
        every = self._found(doc)
        of_regexes = {id(rule) for rules, _ in self.regexes for rule in rules}
        longest = self._longest(every)
        kept = set(map(_placed, self._without_double(doc, longest)))
        uncovered = set(map(_placed, longest))
        result = []
        for rule, start, end in every:
            place = _placed((rule, start, end))
            told = rule.metadata
            result.append(
                CueMatch(
                    doc[start].idx,
                    doc[end - 1].idx + len(doc[end - 1]),
                    told["category"],
                    told["direction"],
                    told["row"],
                    id(rule) in of_regexes,
                    "kept" if place in kept else "aside" if place in uncovered else "covered",
                )
            )
        return sorted(result, key=lambda cue: (cue.start, cue.end))

    def _cues(self, doc: Doc) -> list[tuple[ConTextRule, int, int]]:
        """Cues in order; within one kind of cue the longest wins, and a pseudo cue beats every ConText cue that it
        covers."""
        return self._without_double(doc, self._longest(self._found(doc)))

    def _found(self, doc: Doc) -> list[tuple[ConTextRule, int, int]]:
        """All matches, the longest first."""
        strings = doc.vocab.strings
        found = [(self.matcher.rule_map[strings[match]], start, end) for match, start, end in self.matcher(doc)]
        present = Present(text_of(doc))
        for choices, sought in self.regexes:
            for match in sought.matches(present):
                span = doc.char_span(match.start(), match.end(), alignment_mode="expand")
                if span is not None:
                    number = match[match.lastgroup].lower() if match.lastgroup and len(choices) > 1 else "0"
                    rule = choices[self.words.counts.get(number) or int(number)]
                    found.append((rule, span.start, span.end))
        found = self._with_days(doc, found)
        found.sort(key=lambda cue: (cue[1] - cue[2], cue[1], cue[0].category))
        return found

    @staticmethod
    def _longest(found: list[tuple[ConTextRule, int, int]]) -> list[tuple[ConTextRule, int, int]]:
        kept: list[tuple[ConTextRule, int, int]] = []
        taken: dict[str, set[int]] = {}
        for rule, start, end in found:
            direction = rule.metadata["direction"]
            own = direction == "sentence" or rule.category == "NEGATED_SIDE"
            layer = taken.setdefault(rule.category if own else "context", set())
            tokens = range(start, end)
            if layer.isdisjoint(tokens):
                layer.update(tokens)
                kept.append((rule, start, end))
        kept.sort(key=lambda cue: (cue[1], cue[2]))
        return kept

    def _with_days(self, doc: Doc, found: list[Found]) -> list[Found]:
        """Days other than that of the note tell of old: "DOS: 3/5/26 ... MBB #1 12/4/25 left L3, L4"."""
        own = {_day(doc, end) for rule, _, end in found if rule.literal == "this_day"}
        if not own:
            return found
        return [
            (self.of_old if rule.literal == "day" and _day(doc, end) not in own else rule, start, end)
            for rule, start, end in found
        ]

    def _without_double(self, doc: Doc, cues: list[tuple[ConTextRule, int, int]]) -> list[tuple[ConTextRule, int, int]]:
        """ "except" after a denial in its sentence only ends that: "no vascular uptake, except at L4"."""
        result = []
        denied = -1  # where the last denial stands
        for rule, start, end in cues:
            if rule.literal.lower() in self.words.reason_words and _reason_end(doc, start) is not None:
                continue  # an aside: the list of what is denied goes on behind it
            if rule.literal.lower() in self.exceptions:
                between = range(denied + 1, start + 1)
                apart = any(doc[at].is_sent_start or doc[at].lower_ in self.words.every_words for at in between)
                if denied >= 0 and not apart:
                    rule = self.turn
            elif rule.category in {_NEGATED, "PSEUDO"}:
                denied = start
            result.append((rule, start, end))
        return result


def _placed(cue: tuple[ConTextRule, int, int]) -> tuple[int, int, int]:
    """What tells a match from all others."""
    rule, start, end = cue
    return id(rule), start, end


def _in_scope(doc: Doc) -> bool:
    """False where targets and levels were looked for and the doc holds none: nothing in it can be asserted."""
    if "facetcode_targets" not in doc.spans or "facetcode_levels" not in doc.spans:
        return True
    if len(doc.spans["facetcode_levels"]):
        return True
    return any(
        span.label_ == "Target" and not span.kb_id_.startswith("other:") for span in doc.spans["facetcode_targets"]
    )


def _asides(doc: Doc) -> list[tuple[int, int]]:
    """Token ranges in round brackets."""
    found = []
    for start, end in brackets(text_of(doc)):
        span = doc.char_span(start, end, alignment_mode="expand")
        if span is not None:
            found.append((span.start, span.end))
    return found


def _room(asides: list[tuple[int, int]], at: int, begin: int, finish: int) -> tuple[int, int]:
    """What a cue at token `at` can reach: its own brackets, or the sentence."""
    place = bisect_right(asides, (at, 1 << 60)) - 1
    if place >= 0 and asides[place][0] <= at < asides[place][1]:
        return max(begin, asides[place][0]), min(finish, asides[place][1])
    return begin, finish


def _of_a_side(doc: Doc, denied: Sequence[Span], sides: Sequence[Span], at: int) -> bool:
    """True for "... facet injections, left side not done": the side alone is denied, as no level stands close to it."""
    beside = [side for side in sides if side.end <= at <= side.end + 2]
    levels = [span for span in denied if span.label_ == "Level" and span.start < at]
    if beside and any(doc[place].is_punct for place in range(beside[-1].end, at)):
        return False  # "..., best seen on the right, was not injected"
    if not beside or any(level.start >= beside[-1].end for level in levels):
        return False
    last = max((level.end for level in levels if level.end <= beside[-1].start), default=0)
    return beside[-1].start - last > _SIDE_APART


def _guides(doc: Doc, modifier: ConTextModifier, imaging: Span, words: ReadingTable) -> bool:
    """True for "no wheal, under fluoroscopic guidance": what is denied stands before the "under"."""
    _, last = modifier.modifier_span
    if any(doc[at].lower_ in words.imaged_words for at in range(last, imaging.start)):
        return False
    return (
        any(doc[at].lower_ in words.under_words for at in range(last, imaging.start))
        or imaging[0].lower_ in words.under_words
    )


def _of_a_level(agent: Span, modifier: ConTextModifier, denied: Sequence[Span]) -> bool:
    """True for a drug before a level that the denial behind both is about: "1 mL each, L5-S1 was left alone"."""
    first, _ = modifier.modifier_span
    return any(span.label_ == "Level" and agent.end <= span.start < first for span in denied)


def _given(doc: Doc, agent: Span, modifier: ConTextModifier, words: ReadingTable) -> bool:
    """True for a drug measured out behind a plain "no": "no paresthesia, 0.3 mL of bupivacaine per nerve"."""
    if modifier.rule.literal.lower() not in words.plain_denials or agent.start < modifier.modifier_span[1]:
        return False
    nearest = max(modifier.modifier_span[1], agent.start - _MEASURE_REACH)
    return any(doc[at].lower_ in words.measure_words for at in range(nearest, agent.start))


def _in_reach(
    doc: Doc,
    span: Span,
    modifier: ConTextModifier,
    denied: Sequence[Span],
    sides: Sequence[Span],
    words: ReadingTable,
) -> bool:
    """A denial reaches the level nearest to it and those listed with that one: "L3-4 and L4-5 were not injected".

    True for every modifier that is no denial.
    """
    if not denied:
        return True
    first, last = modifier.modifier_span
    if span.start < first and _of_a_side(doc, denied, sides, first):
        return False
    levels = sorted((other for other in denied if other.label_ == "Level"), key=lambda other: other.start)
    if span.start < first:
        between = [(other.end, after.start) for other, after in pairwise(levels) if span.start <= other.start < first]
        between = [(low, high) for low, high in between if high <= first]
    else:
        between = [(other.end, after.start) for other, after in pairwise(levels) if last <= other.start < span.start]
    return all(_lists(doc, low, high, words) for low, high in between)


def _lists(doc: Doc, low: int, high: int, words: ReadingTable) -> bool:
    """True when the words between two levels only list them; a reason given aside is passed over."""
    at = low
    while at < high:
        end = _reason_end(doc, at) if doc[at].lower_ in words.reason_words else None
        if end is None and doc[at].lower_ not in words.list_words:
            return False
        at = at + 1 if end is None else end
    return True


def _reason_end(doc: Doc, start: int) -> int | None:
    """Where a reason ends that stands between levels of one denial: between commas, or before "or" ("we did not inject
    L4-5 because of hardware or L5-S1"). None for every other reason: it may be followed by what was done."""
    aside = start > 0 and doc[start - 1].text == ","
    for at in range(start + 1, min(start + _LONGEST_REASON, len(doc))):
        if doc[at].is_sent_start:
            return None
        if doc[at].lower_ in {"or", "nor"} or (aside and doc[at].text == ","):
            return at
    return None


def _resumes(doc: Doc, start: int, spans: Sequence[Span], acts: Sequence[int], words: ReadingTable) -> bool:
    """True for a denial whose subject was named before, with nothing done in between: "The left L3-4 joint looks awful
    but does not hurt and was not touched". It reaches back over what else ends a reach."""
    if doc[start - 1].lower_ not in words.resuming_words:
        return False
    last = max((span.end for span in spans if span.label_ == "Level" and span.end <= start), default=start)
    return bisect_left(acts, last) == bisect_left(acts, start)


def _touched(
    doc: Doc,
    begin: int,
    finish: int,
    spans: list[Span],
    matches: list[tuple[ConTextRule, int, int]],
    asides: list[tuple[int, int]],
    acts: list[int],
    words: ReadingTable,
) -> list[tuple[int, int, str, str, int, int]]:
    graph = ConTextGraph(targets=spans)
    resumed: list[tuple[ConTextModifier, int]] = []
    turns = [start for rule, start, _ in matches if rule.literal == _TURN]
    for rule, start, end in matches:
        low, high = begin, finish
        aside = _room(asides, start, begin, finish)
        if rule.category in _OTHER_DAYS or (
            rule.category == _NEGATED
            and any(aside[0] <= span.start < start for span in spans if span.label_ == "Level")
        ):
            low, high = aside  # "bilateral L4-L5 and L5-S1 (right L4-L5 not achieved)"
        reach = rule.max_scope
        if rule.direction == "FORWARD":
            low, high = end, min(high, end + reach) if reach else high
            high = min([high, *(turn for turn in turns if turn >= end)])
        elif rule.direction == "BACKWARD":
            low, high = max(low, start - reach) if reach else low, start
        elif reach:
            low, high = max(low, start - reach), min(high, end + reach)
        graph.modifiers.append(ConTextModifier(rule, start, end, doc, scope_start=low, scope_end=high))
        denies_before = rule.category == _NEGATED and rule.direction == "BACKWARD" and aside == (begin, finish)
        if denies_before and _resumes(doc, start, spans, acts, words):
            resumed.append((graph.modifiers[-1], low))
    graph.update_scopes()
    for modifier, low in resumed:
        modifier.update_scope(doc[low : modifier.modifier_span[0]])
    graph.apply_modifiers()
    result = []
    denied: dict[int, list[Span]] = {}
    sides = [span for span in spans if span.label_ == "Side"]
    for span, modifier in graph.edges:
        if modifier.rule.category == _NEGATED:
            denied.setdefault(id(modifier), []).append(span)
    for span, modifier in graph.edges:
        if span.label_ == "Imaging" and modifier.rule.literal == "no" and _guides(doc, modifier, span, words):
            continue
        denied_here = denied.get(id(modifier), ())
        if span.label_ == "Agent" and (_of_a_level(span, modifier, denied_here) or _given(doc, span, modifier, words)):
            continue
        if span.label_ == "Level" and not _in_reach(doc, span, modifier, denied_here, sides, words):
            continue
        first, last = modifier.modifier_span
        result.append(
            (
                span.start_char,
                span.end_char,
                span.label_,
                modifier.rule.metadata["category"],
                doc[first].idx,
                doc[last - 1].idx + len(doc[last - 1]),
            )
        )
    return result


@Language.factory("facetcode_assertion", default_config={"overlay": None})
def create(nlp: Language, name: str, overlay: str | None) -> Assertion:
    """Factory of the assertion component."""
    extension("facetcode_cues")
    extension("facetcode_assertions")
    return Assertion(nlp, reading(overlay))
