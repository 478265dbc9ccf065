"""Modifiers that the note does not settle: each on the claim line that it would belong to, with when it does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from extractor.coding.codebook import CodeBook
from extractor.coding.codetable import CodeTable
from extractor.coding.lines import Line, Suggestion
from extractor.coding.profiles import Group, Profile


def suggestions(line: Line, lines: Sequence[Line], book: CodeBook, profile: Profile) -> tuple[Suggestion, ...]:
    """What to consider on the claim line of `line`, one of all `lines` of the session; no modifier twice.

    Only a code that stands by itself gets any: an add-on follows its first level.
    """
    if book.code(line.code).add_on:
        return ()
    return combined((*_of_a_stop(line, book, profile), *_of_meetings(line, lines, book, profile)))


def combined(suggested: Iterable[Suggestion]) -> tuple[Suggestion, ...]:
    """The suggestions with the reasons of one modifier put together.

    >>> combined([Suggestion(*item) for item in (("59", "One."), ("52", "Two."), ("59", "Three."), ("59", "One."))])
    (Suggestion(modifier='59', reason='One. Three.'), Suggestion(modifier='52', reason='Two.'))
    """
    reasons: dict[str, dict[str, None]] = {}
    for item in suggested:
        reasons.setdefault(item.modifier, {})[item.reason] = None
    return tuple(Suggestion(modifier, " ".join(texts)) for modifier, texts in reasons.items())


def _of_a_stop(line: Line, book: CodeBook, profile: Profile) -> list[Suggestion]:
    """The profile's modifiers of a procedure that was broken off, but those that the note rules out."""
    if not line.stopped:
        return []
    found = []
    for modifier in profile.stopped:
        meaning = book.claims.meanings[modifier]
        if not (line.stopped == "after_anesthesia" and meaning.when == "before_anesthesia"):
            found.append(Suggestion(modifier, meaning.text))
    return found


def _of_meetings(line: Line, lines: Sequence[Line], book: CodeBook, profile: Profile) -> list[Suggestion]:
    """The profile's modifier of a distinct service where kinds of service meet (profiles.toml, meetings)."""
    if not profile.distinct:
        return []
    groups = _groups(book.table)
    found = []
    for meeting in book.claims.meetings.values():
        beside = frozenset(code for group in meeting.beside for code in groups[group])
        others = dict.fromkeys(other.code for other in lines if other.code in beside)
        if others and any(line.code in groups[group] for group in meeting.on):
            found.append(Suggestion(profile.distinct, book.reason(meeting.rule, codes=", ".join(others))))
    return found


def _groups(table: CodeTable) -> Mapping[Group, frozenset[str]]:
    """The codes of each kind of service that meetings speak of."""
    ladders = table.ladders
    return {
        "epidural": table.epidural.codes() | ladders.transforaminal.codes(),
        "block_upper": ladders.facet_guided.cervicothoracic.all() | ladders.facet_ultrasound.cervicothoracic.all(),
        "block_lumbar": ladders.facet_guided.lumbar.all() | ladders.facet_ultrasound.lumbar.all(),
        "denervation_upper": ladders.facet_denervation.cervicothoracic.all(),
        "denervation_lumbar": ladders.facet_denervation.lumbar.all(),
    }
