"""Reads one mention of levels from a given place in the text: "L3-4, 4-5 and 5-1". Knows no nouns and no context."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from extractor.anatomy import order
from extractor.level_numbers import Numbers, Run, neighbours, valid
from extractor.level_tokens import NEXT_REGION, Lexicon

_NOTHING = re.compile("")
_REGION_WORD = 5  # letters of the shortest region word ("sacral"); letters of levels are fewer
_POINT = re.compile(r" point\b", re.IGNORECASE)
_BLOOD_TEST = re.compile(r"\ba ?(?:1|one) ?$", re.IGNORECASE)
_MOST_RUNS, _MOST_NAMES = 40, 8  # bounds that keep the reading of hostile text linear


@dataclass(frozen=True, slots=True)
class Reading:
    """The runs of one mention, before nouns and context are known."""

    runs: tuple[Run, ...]
    ordinal: bool = False
    over: bool = False  # "L4 on L5"

    @property
    def start(self) -> int:
        return self.runs[0].start

    @property
    def end(self) -> int:
        return self.runs[-1].end

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for run in self.runs for name in run.names)


class Scanner:
    """A hand-written reader over the expressions of a `Lexicon`."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._x, self._read = lexicon, Numbers(lexicon)

    def reading(self, text: str, start: int, hint: str = "") -> Reading | None:
        """The mention that starts at `start`; a `hint` ("L3") gives the region of a first number without a letter."""
        ordinals = self._ordinals(text, start)
        first = None if ordinals else self._item(text, start, hint, leading=True)
        runs = list(ordinals) or ([first] if first else [])
        if not runs:
            return None
        over = False
        while len(runs) < _MOST_RUNS:
            following = self._following(text, runs)
            if (
                not following
                and len(runs) == 1
                and not runs[0].how
                and (match := self._x.over.match(text, runs[0].end))
            ):
                run = self._item(text, match.end(), "")
                over = run is not None and run.how == "" and neighbours(runs[0].names[0], run.names[0])
                following = [run] if run and over else []
            if not following:
                break
            runs += following
        if text[runs[-1].end : runs[-1].end + 1] in ("-", "/") and text[runs[-1].end + 1 : runs[-1].end + 2].isdigit():
            runs.pop()  # part of a date, an accession number, a score
        return Reading(tuple(runs), bool(ordinals), over) if runs else None

    # -- the next run of a list ------------------------------------------------------------------------------

    def _following(self, text: str, runs: list[Run]) -> list[Run]:
        last, x = runs[-1], self._x
        hint = self._hint(runs)
        match = x.listing.match(text, last.end)
        if match:
            ordinals = self._ordinals(text, match.end())
            if ordinals:
                return ordinals
            run = self._item(text, match.end(), hint, leading=True)
            return [run] if run and self._may_join(last, run, text) else []
        match = x.slash.match(text, last.end)
        if match:
            run = self._item(text, match.end(), hint)
            if run and self._may_join(last, run, text) and (not run.bare or run.how or not last.how):
                return [run]
            return []
        match = x.blank.match(text, last.end)
        if match and ("\n" not in match.group() or last.worded):
            run = self._item(text, match.end(), hint if last.worded else "")
            if run and (not run.bare or (run.how and last.how)) and self._may_join(last, run, text):
                return [replace(run, after_blank=True)]
        return []

    @staticmethod
    def _hint(runs: list[Run]) -> str:
        """The vertebra that a number without a letter follows."""
        return runs[-1].names[-1] if not runs[-1].how else runs[-1].names[0]

    def _may_join(self, last: Run, run: Run, text: str) -> bool:
        if not last.how and not run.how:
            if last.names == run.names:
                return False  # "at L3, the L3 nerve": two different things
            if run.bare:
                # "at C3, two screws": a word after a digit counts something
                return order(run.names[0]) > order(last.names[0]) and (last.worded or not run.worded)
            return True
        if last.how == "blank" and last.worded and run.worded and run.bare and not run.how:
            return neighbours(last.names[-1], run.names[0])  # "l two three and four medial branches"
        return not (run.bare and not run.how)  # "L4-5, 5 ..." counts something

    # -- one run ---------------------------------------------------------------------------------------------

    def _item(self, text: str, start: int, hint: str, leading: bool = False) -> Run | None:
        run = self._read.one(text, start) or (self._read.bare(text, start, hint) if hint else None)
        if run is None:
            return None
        run = self._joined(text, run)
        if run is None:
            return None
        if run.how != "blank":
            run = self._ranged(text, run)
        if run.bare and not (run.how == "join" and self._closed_pair(text, run)) and not self._stands_alone(text, run):
            return None
        if run.spaced and not run.worded and run.how == "" and not self._stands_alone(text, run):
            return None
        named = text[run.start : run.start + _REGION_WORD].isalpha()  # "lumbar 3 level fusion"
        counts = self._x.counted_thing if (run.bare or named) and run.how == "" else self._x.unit
        if (run.spaced or run.bare) and counts.match(text, run.end):
            # "c six point three of lidocaine": a vertebra with its letter is no decimal, but "a one c six point three"
            decimal = run.bare or not run.worded or _BLOOD_TEST.search(text, max(0, run.start - 8), run.start)
            if decimal or _POINT.match(text, run.end) is None:
                return None
        return run

    def _ordinals(self, text: str, start: int) -> list[Run]:
        runs = self._read.ordinals(text, start)
        if len(runs) == 1 and not runs[0].how:
            runs = [self._ranged(text, self._joined(text, runs[0]) or runs[0])]
        return runs

    def _closed_pair(self, text: str, run: Run) -> bool:
        """A pair that ends in a numbered region of its own ("5-S1") cannot be a count."""
        return (
            not text[run.start : run.end].replace(" ", "").replace("-", "").replace("/", "").isdigit()
            and not run.worded
        )

    def _stands_alone(self, text: str, run: Run) -> bool:
        return (
            self._x.may_follow.match(text, run.end) is not None and self._x.counted_thing.match(text, run.end) is None
        )

    def _joined(self, text: str, run: Run) -> Run | None:
        """Adds what is joined by dash, slash, glue or blanks."""
        used = ""
        while len(run.names) < _MOST_NAMES:
            kind, match = self._connection(text, run.end)
            if match is None:
                break
            if kind == "blank" and used not in ("", "blank"):
                break
            if used == "dash" and kind == "slash":
                break  # "L4-5/L5-S1" are two
            if kind == "blank" and run.how == "join":
                break
            longer = self._add(text, run, match, kind)
            if longer is None:
                break
            run, used = longer, kind
            if run.how == "range":
                break
        return run

    def _connection(self, text: str, end: int) -> tuple[str, re.Match[str] | None]:
        x = self._x
        if match := x.dash.match(text, end):
            return "dash", match
        if match := x.slash.match(text, end):
            return "slash", match
        if (following := x.vertebra.match(text, end)) and following["digits"] and not following["gap"]:
            return "glue", _NOTHING.match(text, end)
        return "blank", x.blank.match(text, end)

    def _add(self, text: str, run: Run, match: re.Match[str], kind: str) -> Run | None:
        last, place = run.names[-1], match.end()
        found = self._read.one(text, place)
        if found is None and kind == "dash":
            found = self._named_second(text, place)
        if found is None and kind != "slash" and last == "L5" and (one := self._x.sacral_one.match(text, place)):
            return replace(run, end=one.end(), names=(*run.names, "S1"), how="join")
        if found is None and kind != "glue":
            found = self._bare_second(text, run, place, kind)
        if found is None or (kind == "blank" and not found.bare) or len(found.names) > 1:
            return None
        name = found.names[0]
        if found.bare and kind != "blank" and (" " in match.group() or run.spaced or run.bare):
            if self._x.unit.match(text, found.end) or (" " in match.group() and not self._level_follows(text, found)):
                return None
        worded = run.worded or found.worded
        if neighbours(last, name):
            how = "blank" if kind == "blank" else "join"
            spots = (*run.spots, (found.start, found.end))
            return replace(run, end=found.end, names=(*run.names, name), how=how, worded=worded, spots=spots)
        if len(run.names) > 1 or kind in ("slash", "glue", "blank"):
            return None
        upper, lower = (last, name) if order(last) < order(name) else (name, last)
        if upper == lower:
            return None
        how = "join" if neighbours(upper, lower) else "range"
        return replace(run, end=found.end, names=(upper, lower), how=how, worded=worded)

    def _named_second(self, text: str, place: int) -> Run | None:
        """After a dash: the sacrum by name, S1 misread as "SI", "first sacral"."""
        sacrum = self._x.sacrum.match(text, place) or self._x.misread_s1.match(text, place)
        if sacrum:
            return Run(place, sacrum.end(), ("S1",))
        ordinals = self._read.ordinals(text, place)
        return ordinals[0] if len(ordinals) == 1 and not ordinals[0].how else None

    def _level_follows(self, text: str, found: Run) -> bool:
        """After a number without a letter: more of the same list, or words that a count would not have."""
        return self._stands_alone(text, found) or self._x.dash.match(text, found.end) is not None

    def _bare_second(self, text: str, run: Run, place: int, kind: str) -> Run | None:
        """The number after "L4-": greater in the same region, or 1 for the next region ("L5-1")."""
        match = self._x.number.match(text, place)
        if match is None or (match["digits"] and not self._read.ends(text, match.end())):
            return None
        number, last = int(match["digits"] or self._x.number_of[match["number"].lower()]), run.names[-1]
        worded = bool(match["number"])
        found = Run(place, match.end(), (last,), bare=True, worded=worded)
        if number == 1 and last in NEXT_REGION:
            if kind == "blank" and not (worded == run.worded and (worded or run.bare)):
                return None
            found = replace(found, names=(NEXT_REGION[last],))
        elif (
            number == 1
            and last[0] == "L"
            and kind == "dash"
            and len(run.names) == 1
            and not run.bare
            and int(last[1:]) > 2
        ):
            found = replace(found, names=("S1",))  # "L3-1", "L4-1": to the sacrum
        elif valid(last[0], number) and (number > int(last[1:]) or number == int(last[1:]) - 1):
            found = replace(found, names=(f"{last[0]}{number}",))
        else:
            return None
        if kind == "blank":
            if not neighbours(last, found.names[0]):
                return None
            things = self._x.unit if worded and run.worded else self._x.counted_thing
            counted = things.match(text, found.end) is not None
            if counted or not ((worded and run.worded) or self._blank_follow(text, found)):
                return None
        return found

    def _blank_follow(self, text: str, found: Run) -> bool:
        if self._stands_alone(text, found):
            return True
        match = self._x.blank.match(text, found.end)
        return match is not None and self._x.number.match(text, match.end()) is not None

    def _ranged(self, text: str, run: Run) -> Run:
        """Adds "through S1", "to 5", "to L5-S1"; a dash too between two pairs ("L1/2-L4/5")."""
        match = self._x.range.match(text, run.end)
        if match is None and len(run.names) > 1 and run.how == "join":
            match = self._x.dash.match(text, run.end)
        if match is None:
            return run
        sacrum = self._x.sacrum.match(text, match.end())
        other = Run(match.end(), sacrum.end(), ("S1",)) if sacrum else self._read.one(text, match.end())
        if other is None and (ordinals := self._read.ordinals(text, match.end())) and len(ordinals) == 1:
            other = ordinals[0]
        if other is None and (number := self._bare_second(text, run, match.end(), "dash")):
            other = number
            if not (self._stands_alone(text, other) or self._connection(text, other.end)[0] != "blank"):
                return run
        if other is None:
            return run
        joined = self._joined(text, other)
        if joined is None or joined.how == "range":
            return run
        names = (*run.names, *joined.names)
        top, bottom = min(names, key=order), max(names, key=order)
        if top == bottom:
            return run
        how = "join" if neighbours(top, bottom) else "range"
        return replace(run, end=joined.end, names=(top, bottom), how=how, worded=run.worded or joined.worded)
