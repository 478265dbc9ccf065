"""The quick ways past slow looks: they may pass over nothing that the slow look would find."""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from string import ascii_lowercase

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from medspacy.custom_tokenizer import create_medspacy_tokenizer

from extractor import Coder, boxes, picks
from extractor import text as texts
from extractor.agent_names import DrugNames
from extractor.agent_view import AgentHit
from extractor.assembly import zones
from extractor.hearing import Hearing
from extractor.literals import Caseless, Present, Sought, folded, heads, needed
from extractor.mentions import _SIDE_LETTER
from extractor.patterns import PatternFolder
from extractor.pipeline import build
from extractor.pipeline.tokenizer import quick_infixes, quick_prefix, quick_suffix
from extractor.text import clean
from extractor.words import in_small, words_apart

CORPUS = Path(__file__).resolve().parent.parent / "corpus" / "notes"
CODER = Coder()
HEARING = Hearing(PatternFolder())
PLAIN = create_medspacy_tokenizer(build())  # medspaCy's tokenizer as it comes
WORDS = st.sampled_from(
    "L4-5 L5-S1 left right R L IA SI NS b/l facet joint medial branch block injection was injected not done had 2019 "
    "in March today , . : ; \n ( ) [ ] [x] * % 85 mL of lidocaine kenalog can a log floor oscopy under no drug given "
    "there each the two needles PLAN: HISTORY: PROCEDURE: on that side x-ray \u017fide \u0130n k\u0131nd".split(" ")
)
NOTES = st.lists(WORDS, max_size=40).map(" ".join)
NAMES = DrugNames(PatternFolder())
ODD = "\u0130\u0131\u017f\u212a\ud800\u0662\u00e9\u3000\u2028"  # i, s, k and 2 in other scripts, half a character
SIGNS = st.text("aAxXoO*yYnNdDsSiIkK2:?=.-|()[]{} \t\n\r\x00" + ODD, max_size=90)
WRITTEN = st.text("aAbBkKmMsSgG059.,-'/$%:()+US", min_size=1, max_size=9)


def notes() -> Iterator[str]:
    for path in sorted(CORPUS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)["text"]


def sought() -> list[Sought]:
    """Every expression that is tried only where one of its beginnings stands."""
    cues = [expression for _, expression in CODER.nlp.get_pipe("facetcode_assertion").regexes]
    return [*cues, *(expression for rows in CODER._entities._x.words_by_label.values() for _, expression in rows)]


def expressions() -> list[tuple[re.Pattern[str], tuple[tuple[str, ...], ...]]]:
    """Every expression that is passed over where what it needs is missing."""
    splitter = CODER.nlp.get_pipe("facetcode_sentences").splitter
    return [*((item.pattern, item.needs) for item in sought()), (splitter._spoken, splitter._spoken_needs)]


def spans(matches: Iterator[re.Match[str]]) -> list[tuple[tuple[int, int], tuple[str | None, ...]]]:
    return [(match.span(), match.groups()) for match in matches]


def test_expressions_are_passed_over_only_where_they_match_nothing() -> None:
    known = expressions()
    assert sum(bool(needs) for _, needs in known) > 0.9 * len(known)
    for text in notes():
        present = Present(text)
        for pattern, needs in known:
            if not present.allows(needs):
                assert pattern.search(text) is None, pattern.pattern


@given(NOTES)
def test_expressions_are_passed_over_only_where_they_match_nothing_in_any_text(text: str) -> None:
    present = Present(text)
    for pattern, needs in expressions():
        assert present.allows(needs) or pattern.search(text) is None, pattern.pattern


def test_expressions_are_tried_wherever_they_match() -> None:
    known = sought()
    assert sum(bool(item.heads) for item in known) > 0.8 * len(known)
    for text in notes():
        present = Present(text)
        for item in known:
            assert spans(item.matches(present)) == spans(item.pattern.finditer(text)), item.pattern.pattern


@given(NOTES)
def test_expressions_are_tried_wherever_they_match_in_any_text(text: str) -> None:
    present = Present(text)
    for item in sought():
        assert spans(item.matches(present)) == spans(item.pattern.finditer(text)), item.pattern.pattern


# long s, the letters i of a Turkish keyboard, the sign of Kelvin, a final sigma, digits that are none of ASCII
ODD = "\u017f\u0131\u0130i\u0307\u212a\u00e9\u00c9\u03c2\u0663\uff13\u00b2 \n"


@pytest.mark.parametrize(
    "pattern",
    [
        r"\b(?:kiss|ki)s?\b",
        r"(?<![\w/])(?-i:K)i|(?-i:S)(?=s)",
        r"(?:the\s)?(?:is|sik)\w",
        r"(?:ki\d|)si\w?",
        r"(?:ki(?=s)|is)+",
        r"(?:k?i){1,2}ss?|[si]k",
        r"(?-i:[KS][is])|(?:(?<=i)|(?<!k))ks",
        r"ik(?:is)?(?:ki|)s*|ess",
        r"\d+k|(?<!\d)[1-3s]i",
        r"(?:1?[3-5]|s) ?(?:ki|i\d)|[\u0661-\u0664]s|[a-k3]s",
        "\u00e9k|ki\u00e9|is",
    ],
)
@settings(max_examples=300)
@given(st.text(st.sampled_from("kKiIsSthe 123/" + ODD), max_size=24))
def test_matches_are_those_of_a_plain_look(pattern: str, text: str) -> None:
    compiled = re.compile(pattern, re.IGNORECASE)
    assert spans(Sought(compiled).matches(Present(text))) == spans(compiled.finditer(text))


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"\bkiss\b", "i\u0307 kiss"),  # a letter of two signs, after which no offset of the small text is right
        (r"\bkiss\b", "\u0130 \u212ai\u017fs"),
        (r"\d+k", "1 \u0663k \uff13\u212a 2k"),
        (r"[1-3]k", "\u0663k \uff13k 2k 4k"),
    ],
)
def test_matches_are_those_of_a_plain_look_among_odd_letters(pattern: str, text: str) -> None:
    compiled = re.compile(pattern, re.IGNORECASE)
    assert spans(Sought(compiled).matches(Present(text))) == spans(compiled.finditer(text)) != []


@pytest.mark.parametrize(
    ("pattern", "begins"),
    [
        (r"\b(?:left|right) sides?", ("left side", "right side")),
        (r"(?:a\s)?bc", ()),  # a letter stands everywhere
        (r"(?:ab\s)?cd\d", ("ab", "cd")),
        (r"(?:ab\d|)cd\w", ("ab", "cd")),
        (r"(?:ab\d)?", ()),
        (r"(?<=x)(?-i:NS)\b|(?=y)5", ("NS", "5")),
        (r"\w+ab", ()),
        (r"\b[2-4]\d?x|ten", ("2", "3", "4", "ten")),
        (r"(a)\1", ()),
    ],
)
def test_what_an_expression_begins_with(pattern: str, begins: tuple[str, ...]) -> None:
    assert heads(pattern) == begins


@pytest.mark.parametrize(
    "pattern",
    [
        r"ab?c+d*(?:ef|gh){2,3}|ij",
        r"a(?:b|)c",
        r"x\d+(?:and|[/&+])y",
        r"(?P<n>one|two) ?(?:left|right)?(?=s)",
        r"[ab]c[^d]e|f{0,2}g",
        r"\.\(\[\]\\n[\].x-]",
        r"(?-i:AB|cd) (?i:ef)",
        r"k\w*s(?:i|ss)",
        r"a{,2}b{1}c{2,}",
    ],
)
@settings(max_examples=60)
@given(data=st.data())
def test_needs_stand_in_every_match(pattern: str, data: st.DataObject) -> None:
    compiled = re.compile(pattern, re.IGNORECASE)
    text = data.draw(st.from_regex(compiled))
    assert Present(text).allows(needed(pattern)), (needed(pattern), text)


@pytest.mark.parametrize("pattern", [r"(?i)ab", r"(a)\1", r"a(?#b)c", r"\x41b", r"(?(1)a|b)", r"a{2", "(ab", "[ab"])
def test_what_is_not_understood_needs_nothing(pattern: str) -> None:
    assert needed(pattern) == ()


WRITTEN_SIGNS = "o * : ? = ..... { } / n N no NO No. not y yes done , ; . L *R* L4-5 choose Imaging \u017f \u0131"
SIGNS = st.sampled_from([*WRITTEN_SIGNS.split(" "), "\n", "\n  ", "  ", "\n\n"])


@settings(max_examples=500)
@given(st.lists(st.tuples(SIGNS, st.sampled_from(["", " ", "\n"])), max_size=14))
def test_picks_are_the_same_both_ways(written: list[tuple[str, str]]) -> None:
    text = "".join(map("".join, written))
    quick = picks.picks(text)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(picks, "_HAS_BRIEF", picks._BRIEF)
        monkeypatch.setattr(picks, "_ENDS_DENIED", re.compile(""))
        monkeypatch.setattr(picks, "_MARK", re.compile(r"(?<![^\s:])(?P<mark>[o*])[ \t]{1,4}(?=[A-Za-z0-9])"))
        assert picks.picks(text) == quick


@settings(max_examples=500)
@given(st.text("RLBrlb.4/'-_ x\n\u0130\u00e9", max_size=20))
def test_side_letters_are_the_same_both_ways(text: str) -> None:
    plain = re.compile(r"(?<![\w/'.-])([RLBrlb])(?![\w'/]|\.\d)")
    assert spans(_SIDE_LETTER.finditer(text)) == spans(plain.finditer(text))


def test_tokens_of_the_corpus_are_those_of_medspacy() -> None:
    for text in notes():
        assert [token.text for token in CODER.nlp.make_doc(text)] == [token.text for token in PLAIN(text)]


@settings(max_examples=500)
@given(WRITTEN)
def test_affixes_are_those_of_medspacy(word: str) -> None:
    def length(match: re.Match[str] | None) -> int:
        return 0 if match is None else match.end() - match.start()

    assert length(quick_prefix(PLAIN.prefix_search)(word)) == length(PLAIN.prefix_search(word))
    assert length(quick_suffix(PLAIN.suffix_search)(word)) == length(PLAIN.suffix_search(word))
    quick = quick_infixes(PLAIN.infix_finditer)(word)
    assert [match.span() for match in quick] == [match.span() for match in PLAIN.infix_finditer(word)]


class Everything:
    def __contains__(self, word: str) -> bool:
        return True


def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the quick ways."""
    monkeypatch.setattr(Present, "allows", lambda self, needs: True)
    monkeypatch.setattr(Sought, "matches", lambda self, present: self.pattern.finditer(present.text))
    monkeypatch.setattr(Hearing, "_may_sound", lambda self, words, index: True)
    for hearing in (HEARING, CODER._hearing):
        first = dict.fromkeys(hearing._never_first, "")
        monkeypatch.setattr(hearing, "_goes_on", defaultdict(lambda: ascii_lowercase + ".", first))
        monkeypatch.setattr(hearing, "_spoken", Everything())
    monkeypatch.setattr(zones, "_is_plain", lambda sentence, last, telling: False)


def test_results_of_the_corpus_are_the_same_both_ways() -> None:
    quick = [CODER.code(text).to_json() for text in notes()]
    with pytest.MonkeyPatch.context() as monkeypatch:
        slowly(monkeypatch)
        for text, result in zip(notes(), quick, strict=True):
            assert CODER.code(text).to_json() == result


@settings(max_examples=200, deadline=None)
@given(NOTES)
def test_results_are_the_same_both_ways(text: str) -> None:
    quick = CODER.code(text).to_json()
    with pytest.MonkeyPatch.context() as monkeypatch:
        slowly(monkeypatch)
        assert CODER.code(text).to_json() == quick


@given(
    st.lists(st.sampled_from(sorted({word for term in HEARING._exact for word in term.split()})), max_size=3), st.data()
)
def test_broken_terms_are_heard_both_ways(terms: list[str], data: st.DataObject) -> None:
    """Terms broken at any letter, with one letter lost."""
    broken = []
    for term in terms:
        cut = data.draw(st.integers(0, len(term)))
        lost = data.draw(st.integers(0, len(term)))
        broken += [term[:lost] + term[lost + 1 : cut], term[cut:], "20 mg"]
    note = clean(" ".join(broken))
    quick = HEARING.heard(note).text
    with pytest.MonkeyPatch.context() as monkeypatch:
        slowly(monkeypatch)
        assert HEARING.heard(note).text == quick


@given(SIGNS)
def test_words_apart_are_those_of_an_expression(written: str) -> None:
    small = in_small(written)
    assert len(small) == len(written)
    assert [word for word in words_apart(small) if word] == re.findall("[a-z]+", small)
    for numbers in (False, True):
        words = words_apart(small, numbers)
        assert sum(map(len, words)) + len(words) - 1 == len(small) + 1
        places = [sum(map(len, words[:index])) + index for index in range(len(words))]
        assert all(small.startswith(word, place) for word, place in zip(words, places, strict=True) if word)


def names_one_by_one(written: str) -> list[AgentHit]:
    """Every word looked up with those behind it."""
    small = in_small(written)
    words = list(re.finditer(r"[a-z]+|\d+", small))
    found: list[AgentHit] = []
    index = 0
    while index < len(words):
        step = 1
        for name, row in NAMES._names_from(words[index].group()):
            run = words[index : index + len(name)]
            gaps = [small[a.end() : b.start()] for a, b in zip(run, run[1:], strict=False)]
            if tuple(word.group() for word in run) == name and all(
                re.fullmatch(r"[\s\-/.']{0,3}", gap) for gap in gaps
            ):
                found.append(AgentHit(run[0].start(), run[-1].end(), row.name, row.drug_class))
                step = len(name)
                break
        index += step
    return found


NAMED = st.sampled_from(
    [
        *sorted({word for entries in NAMES._rows.values() for words, _ in entries[:1] for word in words}),
        *"2 2\u0662 12 50 b12 lidocaine1 20mg bupivacainne triamcinolne nahco3 kenalog40 \u0130 \u212aenalog".split(),
    ]
)


@settings(max_examples=500)
@given(st.lists(st.tuples(NAMED, st.sampled_from(["", " ", "-", ". ", "\n", " - ", "    ", ", ", "\u0662", "\u00e9"]))))
def test_drug_names_are_those_of_every_word_looked_up(words: list[tuple[str, str]]) -> None:
    written = "".join(word + gap for word, gap in words)
    assert list(NAMES.hits(written)) == names_one_by_one(written)


@settings(max_examples=300)
@given(st.data())
def test_drug_names_in_any_spacing(data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.sampled_from([words for entries in NAMES._rows.values() for words, _ in entries])))
    gaps = st.sampled_from(["", " ", "-", ". ", " - ", "    ", ",", "\u0662", "2"])
    written = "".join(word + data.draw(gaps) for words in rows for word in words)
    assert list(NAMES.hits(written)) == names_one_by_one(written)


def test_drug_names_of_the_corpus_are_those_of_every_word_looked_up() -> None:
    for note in notes():
        assert list(NAMES.hits(note)) == names_one_by_one(note)


def caseless() -> list[Caseless]:
    """Every expression that is run over small letters."""
    lexicon = CODER.nlp.get_pipe("facetcode_levels").grammar._lexicon
    spoken = CODER.nlp.get_pipe("facetcode_sections").reader._spoken._phrases
    rows = [row[0] for row in HEARING._respelled]
    return [lexicon.anchor, lexicon.nouns, lexicon.context_region, spoken, *rows]


def same_over_small_letters(expression: Caseless, text: str) -> bool:
    pattern, subject = expression.over(text)
    plain = re.compile(expression.pattern, re.IGNORECASE)
    return [match.regs for match in pattern.finditer(subject)] == [match.regs for match in plain.finditer(text)]


def test_small_letters_hold_what_stands_in_any() -> None:
    assert all(same_over_small_letters(expression, text) for text in notes() for expression in caseless())


@pytest.mark.parametrize("expression", caseless(), ids=lambda expression: expression.pattern[:30])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_small_letters_hold_what_an_expression_is_made_of(expression: Caseless, data: st.DataObject) -> None:
    text = data.draw(st.text("LlRr4-5 ,\u0130\u212a", max_size=9) | st.just(""))
    text += data.draw(st.from_regex(re.compile(expression.pattern, re.IGNORECASE)))
    assert same_over_small_letters(expression, text)


@pytest.mark.parametrize("pattern", [r"(?-i:A)b", r"(?i:a)B", r"\Bx\S", "(?P<Name>A)", "[A-F]"])
def test_an_expression_about_capitals_is_still_that(pattern: str) -> None:
    assert same_over_small_letters(Caseless(pattern), "Ab aB AB ab xX Bx x9 f")


@given(st.from_regex(boxes._LATIN))
def test_columns_of_sides_are_passed_over_only_where_there_are_none(written: str) -> None:
    assert any(side in folded(written) for side in boxes._LATIN_NEEDS)


@given(SIGNS, st.integers(0, 90))
def test_lines_are_joined_as_after_all_looks(written: str, signs: int) -> None:
    for note in (written, written * 3, written + "." * signs + written):
        wraps = not texts.keeps_lines(note.split("\n"))
        plain = texts._RUN.sub(lambda match: match.group()[:-1] + " ", texts._WRAP.sub(" ", note) if wraps else note)
        assert texts.unwrapped(note) == plain


def test_every_character_is_a_blank_of_a_line_or_none() -> None:
    for character in map(chr, range(sys.maxunicode + 1)):
        for line in (f" a{character}b ", f"{character} a", f"a{character} b"):
            assert texts._filled(line) == " ".join(line.split())


def test_every_plain_character_but_one_stays_one() -> None:
    for character in map(chr, range(128)):
        plain = len(texts._TABLE.get(ord(character), character)) == 1
        assert texts._one_for_one(character, texts._TABLE) == plain


@given(SIGNS)
def test_running_lines_are_those_of_all_words(line: str) -> None:
    words = len(line.split()) > texts._FEW_WORDS or line.rstrip().endswith(".")
    assert texts._is_running(line) == ("   " not in line.strip() and words)
