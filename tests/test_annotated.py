"""The annotated corpus as it is shipped: frozen, complete, by its own guideline."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

from extractor.evaluation import corpus
from extractor.evaluation.agreement import agreement
from extractor.evaluation.formats import brat
from extractor.evaluation.records import LABELS, Document

CORPUS = Path(__file__).parent.parent / "corpus"
SPLITS = ("train", "dev", "test")
ASSERTIONS = {"performed", "planned", "historical", "negated", "hypothetical", "discontinued"}
ROLES = {"injectate", "skin_anesthetic", "contrast", "sedation", "prep", "flush", "systemic"}
LEVELS = {"Level", "Nerve", "BoneSite"}
ENDS = {
    "level-side": (LEVELS, {"Side"}),
    "level-target": (LEVELS, {"Target"}),
    "agent-site": ({"Agent"}, LEVELS | {"Target"}),
}


@pytest.fixture(scope="module")
def documents() -> dict[str, list[Document]]:
    return {split: list(corpus.corpus(CORPUS / "annotated" / split)) for split in SPLITS}


@pytest.fixture(scope="module")
def everything(documents: dict[str, list[Document]]) -> list[Document]:
    return [document for split in SPLITS for document in documents[split]]


def test_no_file_has_changed() -> None:
    """The splits are frozen. A mended annotation is a new release: renew the sums and say so in the data card."""
    lines = (CORPUS / "checksums.sha256").read_text(encoding="utf-8").splitlines()
    listed = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    there = {
        path.relative_to(CORPUS).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in ("annotated", "second")
        for path in (CORPUS / folder).rglob("*")
        if path.is_file() and path.name != "annotation.conf"
    }
    assert there == listed


def test_splits_share_no_author(documents: dict[str, list[Document]]) -> None:
    named = json.loads((CORPUS / "annotated" / "splits.json").read_text(encoding="utf-8"))
    authors = {split: sorted({document.author for document in documents[split]}) for split in SPLITS}
    assert authors == {split: sorted(named[split]) for split in SPLITS}
    assert Counter(author for split in SPLITS for author in authors[split]).most_common(1)[0][1] == 1


def test_size_and_mix(everything: list[Document]) -> None:
    """At least 400 notes in 10 hands; a fifth to a quarter in review, a tenth to a seventh without a code."""
    assert len(everything) >= 400
    assert len({document.author for document in everything}) >= 10
    status = Counter(document.coding.status for document in everything if document.coding)
    assert status.total() == len(everything)
    assert 0.20 <= status["review"] / len(everything) <= 0.25
    assert 0.10 <= status["no_code"] / len(everything) <= 0.15
    negatives = sum(not any(line.code == "64493" for line in d.coding.lines) for d in everything if d.coding)
    assert negatives >= 60


def test_every_note_has_entities_and_they_keep_the_guideline(everything: list[Document]) -> None:
    wrong = []
    for document in everything:
        for entity in document.entities:
            words = entity.covered(document.text)
            known = (
                entity.label in LABELS
                and (entity.label == "Dose" or entity.attributes.get("assertion") in ASSERTIONS)
                and entity.attributes.get("role", "flush") in ROLES
                and (entity.label == "Agent" or "role" not in entity.attributes)
                and words == words.strip()
            )
            if not known:
                wrong.append((document.id, entity.id))
        if not document.entities:
            wrong.append((document.id, ""))
    assert wrong == []


def test_relations_link_what_the_guideline_names(everything: list[Document]) -> None:
    wrong = []
    for document in everything:
        labels = {entity.id: entity.label for entity in document.entities}
        for relation in document.relations:
            heads, tails = ENDS[relation.label]
            if labels[relation.head] not in heads or labels[relation.tail] not in tails:
                wrong.append((document.id, relation.id))
    assert wrong == []
    assert {relation.label for document in everything for relation in document.relations} == ENDS.keys()


def test_a_quarter_is_annotated_twice(everything: list[Document]) -> None:
    second = list(corpus.corpus(CORPUS / "second"))
    assert len(second) >= len(everything) / 4
    found = agreement(everything, second, frozenset())
    assert found.notes == len(second)
    assert found.kappa is not None
    assert found.kappa >= 0.9


@pytest.mark.parametrize("split", [*SPLITS, "../second"])
def test_written_again_it_is_the_same(split: str, tmp_path: Path) -> None:
    """The shipped files are what the brat writer makes of them."""
    folders = sorted((CORPUS / "annotated" / split).glob("hand-*"))
    assert folders
    for folder in folders:
        brat.write(brat.read(folder), tmp_path / folder.name)
        again = {path.name: path.read_bytes() for path in (tmp_path / folder.name).iterdir()}
        assert again == {path.name: path.read_bytes() for path in folder.iterdir()}
