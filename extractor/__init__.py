"""facetcode: dictated spine-procedure notes to CPT 64493-family codes, each with its evidence.

`Coder` and `CodingResult` are the public API. They are imported on first use, because spaCy takes its time to load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extractor.coder import Coder
    from extractor.schema import CodingResult

__version__ = "0.1.0"
__all__ = ["Coder", "CodingResult", "__version__"]

_HOMES = {"Coder": "extractor.coder", "CodingResult": "extractor.schema"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
