"""What every test module shares: one coder a session, because building the pipeline takes longer than most tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from spacy.language import Language

    from extractor import Coder


@pytest.fixture(scope="session")
def coder() -> Coder:
    """The shipped patterns under the default profile."""
    from extractor import Coder

    return Coder()


@pytest.fixture(scope="session")
def nlp(coder: Coder) -> Language:
    """The pipeline of `coder`."""
    return coder.nlp
