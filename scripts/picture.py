"""Renews corpus/test-split.svg, the picture of the README: the extractor on the test split."""

from __future__ import annotations

from pathlib import Path

from extractor import Coder
from extractor.evaluation import corpus, page
from extractor.evaluation.preannotate import document_of
from extractor.evaluation.scores import score

CORPUS = Path(__file__).resolve().parent.parent / "corpus"
TITLE = "Test split, 144 synthetic notes: F1 and support by code; share of wrong notes among the surest"


def main() -> None:
    coder = Coder()
    gold = list(corpus.corpus(CORPUS / "annotated" / "test"))
    found = [document_of(coder.code(note.text, id=note.id), note.text) for note in gold]
    (CORPUS / "test-split.svg").write_text(page.picture(score(gold, found), TITLE), encoding="utf-8")


if __name__ == "__main__":
    main()
