"""The pipeline's rooms: components in a pipeline of one's own, silence, sentences, sections, and the clean view."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import spacy
from casefile import cases
from stubs import SECRET

from extractor import Coder
from extractor.pipeline import COMPONENTS, build
from extractor.pipeline.shared import reading
from extractor.records import LevelMention
from extractor.sections import Section, SectionReader
from extractor.sentences import SentenceSplitter
from extractor.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spacy.language import Language

ROOT = Path(__file__).parent.parent
ROWS = reading(None)
SPLITTER = SentenceSplitter(ROWS.table.sentences)
SECTIONS = SectionReader(ROWS.sections)
NOTE = (
    f"Patient: {SECRET}\n"
    "PROCEDURE: Right L4-5 facet joint injection with fluoroscopy.\n"
    "TECHNIQUE: The right L4-5 joint was entered and 1 mL of bupivacaine was injected. L5-S1 was not injected."
)

# -- components in a pipeline of one's own -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def own() -> Language:
    """A pipeline of the user's, with the plain tokenizer, to which every component is added by name."""
    nlp = spacy.blank("en")
    for name in COMPONENTS:
        nlp.add_pipe(name)
    return nlp


def test_components_stand_in_the_order_in_which_they_were_added(own: Language) -> None:
    assert tuple(own.pipe_names) == COMPONENTS


def test_sections_are_set(own: Language) -> None:
    sections = own(NOTE)._.facetcode_sections
    assert [type(section) for section in sections] == [Section] * 3
    assert [(section.kind, section.name) for section in sections] == [
        ("admin", "patient"),
        ("title", "procedure"),
        ("body", "technique"),
    ]


def test_sentences_are_set_and_a_header_begins_one(own: Language) -> None:
    doc = own(NOTE)
    starts = {token.idx for token in doc if token.is_sent_start}
    assert starts == {start for start, _ in doc._.facetcode_sentences}
    assert {section.start for section in doc._.facetcode_sections} <= starts
    assert [sentence.text.split()[0] for sentence in doc.sents] == ["Patient:", "PROCEDURE:", "TECHNIQUE:", "L5-S1"]


def test_targets_imaging_and_sides_are_a_span_group(own: Language) -> None:
    doc = own(NOTE)
    assert [(span.label_, span.kb_id_, span.text) for span in doc.spans["facetcode_targets"]][:3] == [
        ("Side", "right", "Right"),
        ("Target", "facet_injection", "facet joint injection"),
        ("Imaging", "fluoroscopy", "fluoroscopy"),
    ]


def test_levels_are_records_and_a_span_group(own: Language) -> None:
    doc = own(NOTE)
    mentions = doc._.facetcode_levels
    assert [type(mention) for mention in mentions] == [LevelMention] * 3
    assert [NOTE[mention.start : mention.end] for mention in mentions] == ["L4-5", "L4-5", "L5-S1"]
    assert len(doc.spans["facetcode_levels"]) == 3


def test_agents_are_hits_and_a_span_group(own: Language) -> None:
    doc = own(NOTE)
    assert [(hit.name, NOTE[hit.start : hit.end]) for hit in doc._.facetcode_agents] == [("bupivacaine", "bupivacaine")]
    assert [span.label_ for span in doc.spans["facetcode_agents"]] == ["Agent"]


def test_cues_and_what_they_touch_are_set(own: Language) -> None:
    doc = own(NOTE)
    negated = {
        (NOTE[a:b], label) for a, b, label, category, _, _ in doc._.facetcode_assertions if category == "negated"
    }
    assert negated == {("L5-S1", "Level")}
    assert "negated" in {category for _, _, category, _ in doc._.facetcode_cues}


@pytest.mark.parametrize("name", COMPONENTS)
def test_each_component_can_be_alone(name: str) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe(name)
    assert nlp(NOTE).text == NOTE


@pytest.mark.parametrize("text", ["", " ", "\n\n", ".", "L4-5"])
def test_tiny_texts_go_through(text: str, own: Language) -> None:
    assert own(text).text == text


def test_an_own_pipeline_may_have_other_components_too() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    for name in COMPONENTS:
        nlp.add_pipe(name)
    assert len(nlp(NOTE)._.facetcode_levels) == 3


def test_the_stream_of_docs_gives_what_single_calls_give(nlp: Language) -> None:
    texts = [NOTE, "Left L5-S1.", "", NOTE]
    streamed = [doc._.facetcode_cues for doc in nlp.pipe(texts)]
    assert streamed == [nlp(text)._.facetcode_cues for text in texts]


def test_build_has_all_components(nlp: Language) -> None:
    assert tuple(nlp.pipe_names) == COMPONENTS
    assert tuple(build().pipe_names) == COMPONENTS


# -- silence -------------------------------------------------------------------------------------------------------

PROBE = """
import sys, warnings
before = list(warnings.filters)
from extractor import Coder
text = sys.argv[1]
coder = Coder()
coder.code(text)
coder.code("")
coder.code("plain words with nothing in them")
assert warnings.filters == before, "warning filters changed"
"""
LOGS = """
import io, logging, sys
from loguru import logger
heard = []
class Ear(logging.Handler):
    def emit(self, record): heard.append(record.getMessage())
logging.getLogger().addHandler(Ear())
logging.getLogger().setLevel(1)
logger.remove()
logger.add(heard.append, level=0)
from extractor import Coder
Coder().code(sys.argv[1])
logger.info("still on")
assert [str(line) for line in heard if sys.argv[2] in str(line)] == [], "note text was logged"
assert len(heard) == 1 and "still on" in heard[0], heard
"""


def run(probe: str, *arguments: str, flags: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONWARNINGS"}
    command = [sys.executable, *flags, "-c", probe, *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def ran() -> subprocess.CompletedProcess[str]:
    return run(PROBE, NOTE)


def test_running_prints_nothing(ran: subprocess.CompletedProcess[str]) -> None:
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_warning_filters_stay_as_they_were(ran: subprocess.CompletedProcess[str]) -> None:
    assert "warning filters changed" not in ran.stderr
    assert ran.returncode == 0


def test_nothing_is_logged_and_logging_stays_on() -> None:
    done = run(LOGS, NOTE, SECRET, flags=("-W", "ignore"))
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """Everything that reaches the root logger or loguru."""
    from loguru import logger

    lines: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    ear, root = Ear(), logging.getLogger()
    level = root.level
    root.addHandler(ear)
    root.setLevel(1)
    sink = logger.add(lambda message: lines.append(str(message)), level=0)
    yield lines
    root.removeHandler(ear)
    root.setLevel(level)
    logger.remove(sink)


@pytest.mark.parametrize("text", [NOTE, "\x00 {}[](", "no heading at all", "L9-10 " * 50])
def test_no_note_is_logged(text: str, nlp: Language, heard: list[str]) -> None:
    nlp(clean(text).text)
    assert heard == []


# -- sentences and sections ----------------------------------------------------------------------------------------

SENTENCES = cases("sentences.jsonl", {"text", "sentences"})


@pytest.mark.parametrize("case", SENTENCES)
def test_sentences(case: dict[str, Any]) -> None:
    text = case["text"]
    assert [text[start:end] for start, end in SPLITTER.split(text)] == case["sentences"]


@pytest.mark.parametrize("case", cases("sections.jsonl", {"text", "sections"}))
def test_sections(case: dict[str, Any]) -> None:
    text = case["text"]
    sections = SECTIONS.read(text)
    assert [[s.kind, s.name, text[s.text_start : s.end].strip()] for s in sections] == case["sections"]
    assert [s.start for s in sections[1:]] == [s.end for s in sections[:-1]]
    assert (sections[0].start, sections[-1].end) == (0, len(text))


def test_every_word_is_in_exactly_one_sentence() -> None:
    for parameter in SENTENCES:
        text = parameter.values[0]["text"]
        kept = "".join(text[start:end] for start, end in SPLITTER.split(text))
        assert "".join(kept.split()) == "".join(text.split())


def test_an_endless_sentence_is_cut() -> None:
    text = "word " * 5000
    spans = SPLITTER.split(text)
    assert max(end - start for start, end in spans) <= 3000
    assert sum(len(text[start:end].split()) for start, end in spans) == 5000


# -- the clean view ------------------------------------------------------------------------------------------------

CLEANED = [
    pytest.param("a\r\nb\rc\nd", "a\nb\nc\nd", id="line-ends"),
    pytest.param("L4\u00a0-\u20095", "L4 - 5", id="odd-blanks"),
    pytest.param("\ufeffL4\u200b-\u200d5\u00ad", "L4-5", id="zero-width"),
    pytest.param("L4\u20135 and L5\u2014S1 \u22121", "L4-5 and L5-S1 -1", id="dashes"),
    pytest.param("\ufb01lm of the \ufb02uoroscopy", "film of the fluoroscopy", id="ligatures"),
    pytest.param("\u00bd mL, 1\u00bc mL", "1/2 mL, 1 1/4 mL", id="fractions"),
    pytest.param("\u201cleft\u201d isn\u2019t", '"left" isn\'t', id="quotes"),
    pytest.param("\uff2c\uff14\uff0d\uff15", "L4-5", id="full-width"),
    pytest.param("a\tb\x0cc\x85d\u2028e", "a b\nc\nd\ne", id="tabs-and-feeds"),
    pytest.param("a\x00b\x07c\x1bd", "ab c d", id="control"),
    pytest.param("0.5\u00d710", "0.5x10", id="times"),
    pytest.param("80\u00b0C na\u00efve \u00b5g \U0001f600", "80\u00b0C na\u00efve \u00b5g \U0001f600", id="kept"),
]


@pytest.mark.parametrize(("given", "expected"), CLEANED)
def test_clean_view(given: str, expected: str) -> None:
    assert clean(given).text == expected


@pytest.mark.parametrize(("given", "expected"), CLEANED)
def test_every_place_of_the_clean_view_maps_back(given: str, expected: str) -> None:
    note = clean(given)
    places = [note.span(index, index + 1) for index in range(len(note.text))]
    assert places == sorted(places)
    for index, (start, end) in enumerate(places):
        assert clean(given[start:end]).text.lstrip(" ").startswith(note.text[index].strip()) or end - start == 1
    assert note.span(0, len(note.text))[1] <= len(given)


@pytest.mark.parametrize(
    ("given", "quoted"),
    [
        ("Right\r\nL4\u20135 facet joint", "L4\u20135"),
        ("Right\u00a0L4\u200b-\u200b5 facet", "L4\u200b-\u200b5"),
        ("\ufeff\u201cRight\u201d \uff2c4-5 facet", "\uff2c4-5"),
        ("1\u00bd mL at L4-5 facet", "L4-5"),
        ("\U0001f600 L4-5 facet", "L4-5"),
        ("The \ufb01rst was L4-5 facet", "L4-5"),
    ],
)
def test_evidence_quotes_the_text_as_given(given: str, quoted: str, coder: Any) -> None:
    [level] = [entity for entity in coder.code(given).entities if entity.label == "Level"]
    assert (level.text, given[level.start : level.end]) == (quoted, quoted)


# -- memory ----------------------------------------------------------------------------------------------------------


def test_pipeline_is_built_anew_when_it_holds_too_many_words(monkeypatch: pytest.MonkeyPatch) -> None:
    coder = Coder()
    first, pipeline = coder.code(NOTE).to_json(), coder.nlp
    assert coder.nlp is pipeline  # few words: it stays
    monkeypatch.setattr("extractor.coder.MOST_STRINGS", 10)
    assert coder.code(NOTE).to_json() == first
    assert coder.nlp is not pipeline
    assert coder.code(NOTE).to_json() == first
