"""The noisy twin of a corpus: its rates, what it leaves alone, where its annotations go, and tables it refuses."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import InputError
from extractor.evaluation import corpus
from extractor.evaluation.noise import PROTECTED, NoiseTable, noise_table, noisy, noisy_text
from extractor.evaluation.records import Document, Entity, Relation

ROOT = Path(__file__).parent.parent
SEEDS = ("1", "2", "3")


@pytest.fixture(scope="module")
def notes() -> list[Document]:
    """The test split of the annotated corpus."""
    return list(corpus.corpus(ROOT / "corpus" / "annotated" / "test"))


def protected(document: Document) -> list[tuple[int, int]]:
    return [part for entity in document.entities if entity.label in PROTECTED for part in entity.fragments]


def table(**changes: Any) -> NoiseTable:
    return NoiseTable.model_validate(noise_table().model_dump() | changes)


def busy(**changes: Any) -> NoiseTable:
    """A table by which every word that may have an error has one."""
    return table(errors_per_word=1, **changes)


def as_heard(words: str) -> re.Pattern[str]:
    """An expression for the words as they are, or as the homophones that the table has for them."""
    spoken = {**noise_table().homophones, **noise_table().spoken}

    def either(match: re.Match[str]) -> str:
        return f"(?:{'|'.join(map(re.escape, (match.group(), *spoken.get(match.group().lower(), ()))))})"

    parts = re.split(r"(\w+)", words)
    return re.compile("".join(re.sub(r"\w+", either, part) if part.isalnum() else re.escape(part) for part in parts))


# -- rates ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_rates(notes: list[Document], seed: str) -> None:
    """7.4 errors per 100 words in the shares of the table, although the spans that decide are left alone."""
    words = 0
    edits: list[tuple[str, str]] = []
    for document in notes:
        words += len(document.text.split())
        _, made = noisy_text(document.text, f"{seed}:{document.id}", None, protected(document))
        edits += [(document.text[start:end], new) for start, end, new in made]
    used = noise_table()
    shares = {
        "deletions": sum(not new for _, new in edits),
        "insertions": sum(not old for old, _ in edits),
        "homophone_share": sum(bool(new) and old.lower() in used.kept for old, new in edits),
    }
    assert 100 * len(edits) / words == pytest.approx(7.4, abs=0.6)
    for name, count in shares.items():
        assert count / len(edits) == pytest.approx(getattr(used, name), abs=0.02), name


# -- what decides stays --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_protected_spans_keep_their_words(notes: list[Document], seed: str) -> None:
    spans = changed = 0
    for document in notes:
        twin = noisy(document, seed)
        moved = {entity.id: entity for entity in twin.entities}
        for entity in document.entities:
            if entity.label in PROTECTED:
                old, new = entity.covered(document.text), moved[entity.id].covered(twin.text)
                assert as_heard(old).fullmatch(new), (document.id, old, new)
                spans, changed = spans + 1, changed + (old != new)
    assert changed > 0.02 * spans  # homophones do come


@pytest.mark.parametrize(
    "words",
    [
        "C4 to C7",
        "L three four down to L five",
        "T twelve through L two",
        "[x] R [ ] L",
        "bilat cervical and thoracic mbb",
        "no caudal epidural",
        "twenty to thirty",
        "cooled RF ablation, not PRP",
    ],
)
def test_bare_words_that_decide(words: str) -> None:
    """Without annotations the lists of the table do; the words stand in order whatever the seed."""
    for seed in range(40):
        text, _ = noisy_text(f"It was the {words} of the", str(seed), busy())
        assert as_heard(words).search(text), text


def test_a_protected_range_is_left_alone() -> None:
    note = "The quick needle of the patient was in the joint"
    start, end = note.index("quick"), note.index(" was")
    for seed in range(40):
        text, _ = noisy_text(note, str(seed), busy(), [(start + 2, end - 2), (start + 3, start + 4)])
        assert "quick needle of the patient" in text


def test_a_number_sounds_like_a_word_in_a_level_only() -> None:
    texts = {noisy_text("L two, then two cc on L side", str(seed), busy())[0] for seed in range(200)}
    assert any(text.startswith("el ") for text in texts)
    assert any(" to, " in text for text in texts)
    assert all("then two" in text and text.endswith("L side") for text in texts)


# -- annotations ---------------------------------------------------------------------------------------------------


def test_annotations_move_along(notes: list[Document]) -> None:
    """Spans that were not touched cover the same words; gold, ids and their order stay."""
    same = spans = 0
    for document in notes:
        twin = noisy(document, "spans")
        assert (twin.id, twin.coding, twin.author) == (document.id, document.coding, document.author)
        kept = {entity.id: entity.covered(twin.text) for entity in twin.entities}
        before = {entity.id: entity.covered(document.text) for entity in document.entities}
        assert list(kept) == [name for name in before if name in kept]
        same += sum(kept.get(name) == words for name, words in before.items())
        spans += len(before)
    assert same > 0.9 * spans


def test_a_span_whose_words_are_gone_goes() -> None:
    """Only where the label does not decide; its relations go with it, and the other spans are where their words are."""
    note = "gently the L5 nerve"
    entities = (Entity("T1", "Dose", ((0, 6),)), Entity("T2", "Level", ((11, 13),)), Entity("T3", "Dose", ((7, 13),)))
    document = Document("a", note, entities, (Relation("R1", "agent-site", "T1", "T2"),))
    twin = noisy(document, "1", busy(deletions=1, insertions=0, homophone_share=0))
    assert twin.text == "L5 nerve"
    assert [(entity.id, entity.fragments) for entity in twin.entities] == [("T2", ((0, 2),)), ("T3", ((0, 2),))]
    assert twin.relations == ()


@pytest.mark.parametrize("text", ["", " \n", "the", "The patient.", "--- the ---"])
def test_a_text_is_never_emptied(text: str) -> None:
    every = busy(deletions=1, insertions=0, homophone_share=0)
    assert noisy_text(text, "1", every) == (text, [])
    assert noisy(Document("a", text), "1", every).text == text


# -- determinism ---------------------------------------------------------------------------------------------------


def test_the_same_twin_every_time(notes: list[Document]) -> None:
    """In this process, and in others whose sets of words are in other orders."""
    assert [noisy(document, "1") for document in notes] == [noisy(document, "1") for document in notes]
    text = notes[0].text
    probe = "import sys; from extractor.evaluation.noise import noisy_text; print(noisy_text(sys.stdin.read(), '1'))"
    for salt in ("1", "2"):
        call = [sys.executable, "-c", probe]
        made = subprocess.run(
            call, input=text, capture_output=True, text=True, check=True, cwd=ROOT, env={"PYTHONHASHSEED": salt}
        )
        assert made.stdout.strip() == repr(noisy_text(text, "1"))


def test_seed_and_id_matter(notes: list[Document]) -> None:
    long = notes[0].text * 2
    assert noisy(Document("a", long), "1").text != noisy(Document("a", long), "2").text
    assert noisy(Document("a", long), "1").text != noisy(Document("b", long), "1").text


# -- tables that are refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"confusions": {"too": ("Two",)}}, "'two' for 'too'"),
        ({"confusions": {"wheal": ("wheel", "will")}}, "'will' for 'wheal'"),
        ({"confusions": {"into": ("in to",)}}, "'to' for 'into'"),
        ({"confusions": {"left": ("lift",)}}, "'left'"),
        ({"confusions": {"in the": ("on",)}}, "'in the'"),
        ({"inserted": ("uh", "no")}, "'no' among the inserted words"),
        ({"inserted": ("for",)}, "'for' among the inserted words"),
        ({"homophones": {"ride": ("right",)}}, "'right' for 'ride'"),
        ({"homophones": {"Facet": ("faucet",)}}, "'Facet'"),
        ({"deletions": 0.7}, "more than 1"),
    ],
)
def test_a_table_that_would_change_the_gold(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=r"^noise table: ") as raised:
        table(**changes)
    assert told in str(raised.value)
