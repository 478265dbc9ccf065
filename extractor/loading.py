"""How a process of the command line gets its coder: without what it never calls of spaCy and medspaCy."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.language import Language

    from extractor.batch.runner import CodeNote
    from extractor.coder import Coder


def load_coder(profile: str, patterns: Path | None, descriptors: Path | None = None) -> CodeNote:
    """A coder of this process. Raises InputError for an unknown profile and a wrong file of descriptors, PatternError
    for a wrong pattern row."""
    _import_medspacy()
    from extractor.coder import Coder

    coder = Coder(profile=profile, patterns=patterns, descriptors=descriptors)
    coder.load()  # a wrong pattern is told once, before the first note
    return coder.code


def load_pipeline(patterns: Path | None) -> Language:
    """The pipeline alone. Raises PatternError for a wrong pattern row."""
    _import_medspacy()
    from extractor.pipeline import build

    return build(str(patterns) if patterns is not None else None)


# modules that spaCy and medspaCy import for commands and a component of theirs, with the name that each one takes there
_UNUSED = (("spacy.cli", "info"), ("spacy.cli.info", "info"), ("quickumls", "spacy_component"))


def _import_medspacy() -> None:
    """medspaCy without what this command never calls: QuickUMLS (NLTK with it) and spaCy's own command line (typer,
    requests), a third of the start. For this process only; the library imports both packages as they are.
    """
    names = [name for name, _ in _UNUSED]
    if any(name in sys.modules for name in ("spacy", "medspacy", *names)):
        return
    for name, attribute in _UNUSED:
        sys.modules[name] = ModuleType(name)
        sys.modules[name].__dict__[attribute] = None
    try:
        import_module("extractor.pipeline")
    finally:
        for name in names:
            sys.modules.pop(name, None)


def load(profile: str, patterns: Path | None) -> Coder:
    """The coder itself, for those who ask it more than results. Raises what `load_coder` raises."""
    _import_medspacy()
    from extractor.coder import Coder

    coder = Coder(profile=profile, patterns=patterns)
    coder.load()
    return coder
