"""What a user's pattern folder does to the shipped tables: pure functions on parsed TOML, without reading a file.

An overlay is laid over the shipped rows in two steps. First what its `disabled.csv` names is taken out of the shipped
rows, then its own files are added. In a CSV file a row with the key of a shipped one replaces it; in a TOML file tables
are merged key by key, and an array gets the new items at its end:

>>> merged({"words": ["a", "b"], "reach": {"near": 3}}, {"words": ["b", "c"], "reach": {"near": 4, "far": 9}})
{'words': ['a', 'b', 'c'], 'reach': {'near': 4, 'far': 9}}

An array of numbers is one value and is replaced. So a whole copy of a shipped file changes nothing, and one payer
profile or one abbreviation needs no copy. What should go is named by its dotted path, an item of an array by the path
and the item in square brackets; an item that is a table is named by any text in it that no other item has:

>>> without({"words": ["a", "b"], "profiles": {"x": 1, "y": 2}}, "profiles.x")
{'words': ['a', 'b'], 'profiles': {'y': 2}}
>>> without({"words": ["a", "b"], "rows": [{"example": "one"}, {"example": "two"}]}, "rows[one]")
{'words': ['a', 'b'], 'rows': [{'example': 'two'}]}
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import Any

Table = dict[str, Any]
DISABLED = "disabled.csv"
_CODE_YEAR = re.compile(r"codes/[0-9]{4}\.toml")
_LONGEST_NAME = 200  # characters: a longer word is not compared with others, which takes the square of its length


class NoSuchItem(Exception):
    """An id names nothing, or more than one thing. The message says what to look at instead, or is empty."""


def near(word: str, words: Iterable[str]) -> str:
    """The word of `words` that is most like it, or "".

    >>> near("agent.csv", ["agents.csv", "sides.csv"])
    'agents.csv'
    """
    if len(word) > _LONGEST_NAME:
        return ""
    lowered = {known.lower(): known for known in words if len(known) <= _LONGEST_NAME}
    found = get_close_matches(word.lower(), lowered, 1)
    return lowered[found[0]] if found else ""


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """The end of a message about an unknown word.

    >>> did_you_mean("steriod", ["steroid", "contrast"])
    "; did you mean 'steroid'?"
    """
    close = near(word, words)
    return f"; did you mean {close!r}?" if close else ""


def is_known(name: str, shipped: Iterable[str]) -> bool:
    """Whether an overlay may hold a file of this name (with "/"): one that is shipped, or a code book of any year."""
    return name in {*shipped, DISABLED} or _CODE_YEAR.fullmatch(name) is not None


def merged(shipped: Table, own: Table) -> Table:
    """The shipped table with the user's laid over it."""
    result = dict(shipped)
    for key, value in own.items():
        result[key] = _merged_value(shipped[key], value) if key in shipped else value
    return result


def _merged_value(shipped: Any, own: Any) -> Any:
    if isinstance(shipped, dict) and isinstance(own, dict):
        return merged(shipped, own)
    if isinstance(shipped, list) and isinstance(own, list) and not _is_numbers(shipped):
        seen = {repr(item) for item in shipped}
        return shipped + [item for item in own if repr(item) not in seen]
    return own


def _is_numbers(items: list[Any]) -> bool:
    return bool(items) and all(isinstance(item, int | float) for item in items)


def without(table: Table, id_: str) -> Table:
    """The table without the key, table or item that `id_` names. NoSuchItem when there is none."""
    path, bracket, rest = id_.partition("[")
    if bracket and rest.endswith("]"):
        changed = _changed(table, path, lambda value: _without_item(value, rest[:-1]))
    else:
        changed = _changed(table, id_, None)
    if changed is None:
        raise NoSuchItem(did_you_mean(path, _paths(table)))
    return changed


def _changed(table: Table, path: str, change: Callable[[Any], Any] | None) -> Table | None:
    """The table with the value at a path changed, or taken out where `change` is None; None where nothing stands."""
    for key, value in table.items():
        if path == key:
            rest = {other: kept for other, kept in table.items() if other != key}
            return rest if change is None else {**table, key: change(value)}
        if path.startswith(f"{key}.") and isinstance(value, dict):
            inner = _changed(value, path[len(key) + 1 :], change)
            if inner is not None:
                return {**table, key: inner}
    return None


def _without_item(items: Any, name: str) -> list[Any]:
    if not isinstance(items, list):
        raise NoSuchItem("; that is no list")
    named = [item for item in items if name in _names(item)]
    if not named:
        raise NoSuchItem(did_you_mean(name, (text for item in items for text in _names(item))))
    if any(item != named[0] for item in named):
        raise NoSuchItem("; several items have this text, give one that only this item has")
    return [item for item in items if item != named[0]]


def _names(item: Any) -> list[str]:
    """The texts by which an item of an array can be named."""
    if isinstance(item, dict):
        return [text for value in item.values() for text in _names(value)]
    return [text for value in item for text in _names(value)] if isinstance(item, list) else [str(item)]


def _paths(table: Table, before: str = "") -> Iterator[str]:
    for key, value in table.items():
        yield before + key
        if isinstance(value, dict):
            yield from _paths(value, f"{before}{key}.")
