"""The FHIR room: a document in (DocumentReference, Composition, Bundle), a Bundle with the coding out.

`attachments` needs nothing beyond the package and serves the batch reader too; the rest writes with the extra `fhir`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extractor.fhir.answer import code_note, code_resource

__all__ = ["code_note", "code_resource"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from extractor.fhir import answer

    return getattr(answer, name)
