"""The errors that users see: one clear line each, never with note text in it."""

from __future__ import annotations


class FacetcodeError(Exception):
    """Base of all errors that the project raises on purpose."""


class PatternError(FacetcodeError):
    """A row of the patterns is wrong. The message names the file and the row."""


class InputError(FacetcodeError):
    """A file or a record cannot be read. The message names the file and the record, never their text."""
