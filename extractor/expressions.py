"""Whether an expression of a pattern file may take endlessly long on some text.

What is looked at is Python's own parsed form, so that no way of writing hides a repeat. That form is not public:
of its lists of (name, operand) only the names of repeats and their bounds are read, and tests hold that to be so.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

_REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})
MOST = 8  # turns of a repeat round another one; the time grows with their power


def runs_away(expression: str) -> bool:
    """True for a repeat of more than `MOST` turns round another repeat of a length that is not fixed: where the rest
    does not match, all ways to cut the text between the two are tried. `re.error` for what is no expression.

    Alternatives that match the same text (`(?:a|a)+`) are not looked for.

    >>> [runs_away(text) for text in (r"(?:\\w+\\s?)+!!", r"(?:\\w+\\s){0,3}!!", r"\\w+\\s*!!", r"(?:an?,)+")]
    [True, False, False, False]
    """
    parser = import_module("re._parser")  # loaded with re itself
    return _nested(parser.parse(expression, re.IGNORECASE), within=False)


def _nested(part: Any, within: bool) -> bool:
    """Whether there is such a repeat in a part of a parsed expression, which stands `within` a long one or not."""
    if isinstance(part, tuple) and len(part) == 2 and str(part[0]) in _REPEATS:
        least, most, body = part[1]
        if within and most > 1 and least != most:
            return True
        return _nested(body, within or most > MOST)
    inner = part if isinstance(part, tuple | list) else getattr(part, "data", ())
    return any(_nested(item, within) for item in inner)
