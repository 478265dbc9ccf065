"""What only looks like a level: heart sounds, image weightings, tumour stages, thyroid, complement, muscle strength."""

from __future__ import annotations

import re
from collections.abc import Iterable

from extractor.level_scanner import Reading
from extractor.level_tokens import Lexicon, words_pattern

_PLACE, _NEAR, _FAR, _WIDE, _DICTATED = 14, 60, 150, 250, 1500
_NO_NOUN = "no noun of a level goes with it (level_nouns.csv)"
_SACRAL = f"{_NO_NOUN} or words of the sacrum (guards.sacral_context), or words of the heart do (guards.heart)"
_HIGH = f"{_NO_NOUN}, or it is a weighting of a scan or a stage (guards.imaging, guards.not_thoracic)"
_CERVICAL = f"{_NO_NOUN} or words of the neck (guards.cervical_context), or guards.not_cervical stand near"
_SPELLED = re.compile(r"(?<![A-Za-z'])[a-km-qs-z] $", re.IGNORECASE)


def _any(words: Iterable[str], whole: bool = False) -> re.Pattern[str]:
    """Any of the words; the beginning of a word counts unless `whole`."""
    return re.compile(
        rf"(?<![A-Za-z0-9])(?:{words_pattern(words)})" + (r"(?![A-Za-z])" if whole else ""), re.IGNORECASE
    )


class Context:
    """Decides whether a reading is a level at all, by its letters and the words around it."""

    def __init__(self, lexicon: Lexicon) -> None:
        guards = lexicon.words.guards
        self._x = lexicon
        self._strength = _any(guards.strength)
        self._heart, self._sacral = _any(guards.heart), _any(guards.sacral_context)
        self._imaging, self._stage = _any([w for w in guards.imaging if len(w) > 2]), _any(guards.not_thoracic)
        self._weight = re.compile(rf"[ -]?(?:[/,&]|and|or)?[ ]?(?:{words_pattern(guards.imaging)})", re.IGNORECASE)
        self._complement, self._cervical = _any(guards.not_cervical), _any(guards.cervical_context)
        self._spine = _any(guards.spine_context)
        self._dorsal = _any(guards.not_dorsal, whole=True)

    def objection(self, text: str, reading: Reading, concept: str) -> str:
        """Why a reading only looks like a level; "" for a level. `concept` is the noun that it modifies, if any."""
        start, end, names = reading.start, reading.end, reading.names
        if not self._starts_clean(text, start):
            return "it begins inside another number or name"
        if reading.runs[0].spaced and self._measured(text, reading):
            return "it measures something (guards.strength)"
        if reading.ordinal and self._counts_procedures(text, reading):
            return "the ordinal counts the procedure (guards.counted)"
        letters = {name[0] for name in names}
        alone = all(not run.how for run in reading.runs)
        strong = concept not in ("", "level")
        if len(names) == 1 and not strong and self._x.place.search(text, max(0, start - _PLACE), start):
            return "it numbers a sheet or a room (guards.places)"
        first = text[start].lower()
        if (
            first == "d"
            and text[start + 1 : start + 2].lower() != "o"
            and not self._dorsal_level(text, reading, strong)
        ):
            return "a D is a level only with a noun or a range, and not near guards.not_dorsal"
        spelled = _SPELLED.search(text[max(0, start - 3) : start]) is not None
        if reading.runs[0].spaced and letters != {"L"} and spelled:
            return "the letter belongs to letters that are spelled out"  # "v a s two", "c s f"
        if letters == {"S"}:
            if reading.runs[0].worded and alone and not concept:
                return _NO_NOUN
            return "" if self._sacral_level(text, start, end, strong) else _SACRAL
        if letters == {"T"} and all(int(name[1:]) <= 4 for name in names):
            return "" if self._high_thoracic_level(text, reading, concept, alone) else _HIGH
        if letters == {"C"}:
            return "" if self._cervical_level(text, start, end, strong, alone, reading) else _CERVICAL
        if letters == {"T"} and alone and not concept:
            near = self._spine.search(text, max(0, start - _WIDE), end + _WIDE)
            return "" if near else f"{_NO_NOUN}, and no word of the spine stands near (guards.spine_context)"
        if letters == {"T"} and text[start + 1 : reading.runs[0].end].isdigit() and reading.runs[0].how and not strong:
            return _NO_NOUN  # "T56" may be anything
        return ""

    @staticmethod
    def _starts_clean(text: str, start: int) -> bool:
        before = text[max(0, start - 3) : start]
        if before[-1:] == "-" and before[-2:-1].isdigit():
            return False  # inside a number such as 24-L4512
        if before[-1:] == "." and before[-2:-1].isalpha() and not before[-3:-2].isalpha():
            return before[-2] in "RLrl"  # a side, not a longer abbreviation
        return before[-1:] not in ("#", "$", "@")

    def _measured(self, text: str, reading: Reading) -> bool:
        """ "O2 2 L 4", "L 4/5 strength": litres and muscle power."""
        start, run = reading.start, reading.runs[0]
        bare_letter = not text[start + 1 : start + 2].isalnum()
        if re.search(r"\d ?$", text[max(0, start - 3) : start]) and not run.worded and bare_letter:
            return True
        written = text[run.start : run.end]
        if "/" in written and len(reading.runs) == 1:
            line_start = text.rfind("\n", max(0, start - 90), start) + 1 or max(0, start - 90)
            line_end = text.find("\n", reading.end, reading.end + 40)
            return bool(self._strength.search(text, line_start, line_end if line_end >= 0 else reading.end + 40))
        return False

    def _counts_procedures(self, text: str, reading: Reading) -> bool:
        """ "second lumbar medial branch block": an ordinal that numbers the procedure."""
        numbers = [int(name[1:]) for name in reading.names]
        if len(numbers) == 1 and numbers[0] > 4:
            return False
        if len(numbers) > 1 and not set(numbers) <= {1, 2, 3} or len(numbers) > 2:
            return False
        if any(name[0] == "S" for name in reading.names) and len(numbers) > 1:
            return False
        tail = text[reading.end : reading.end + 60]
        return self._x.counted.match(tail) is not None

    def _dorsal_level(self, text: str, reading: Reading, strong: bool) -> bool:
        start, end = reading.start, reading.end
        if self._dorsal.search(text, max(0, start - 25), end + 25):
            return False
        letters = sum(character.isalpha() for character in text[start:end])
        return strong or (letters > 1 and any(run.how in ("join", "range") for run in reading.runs))

    def _sacral_level(self, text: str, start: int, end: int, strong: bool) -> bool:
        if strong and not self._heart.search(text, max(0, start - 12), end + 12):
            return True
        if self._heart.search(text, max(0, start - _NEAR), end + _NEAR):
            return False
        return self._sacral.search(text, max(0, start - _FAR), end + _FAR) is not None

    def _high_thoracic_level(self, text: str, reading: Reading, concept: str, alone: bool) -> bool:
        start, end = reading.start, reading.end
        if self._weight.match(text, end) or self._stage.search(text, max(0, start - 25), end + 25):
            return False
        if self._imaging.search(text, max(0, start - 15), start) and (alone or not concept):
            return False
        if not alone:
            return True
        if concept == "level":
            return self._x.at_level.search(text[max(0, start - 8) : start]) is not None
        return concept != ""

    def _cervical_level(self, text: str, start: int, end: int, strong: bool, alone: bool, reading: Reading) -> bool:
        first = text[reading.runs[0].start : reading.runs[0].end]
        spoken = reading.runs[0].worded or reading.runs[0].spaced
        if strong and not spoken and not alone:
            return True  # "the carotid sheath ... C3-C4 facet joint"
        if self._complement.search(text, max(0, start - _NEAR), end + _NEAR):
            return False
        if strong and not spoken:
            return True
        if not alone and not spoken and not first[1:].isdigit():
            return True
        reach = _DICTATED if spoken else _WIDE  # a dictation says the region once
        return self._cervical.search(text, max(0, start - reach), end + _WIDE) is not None and (
            not first[1:].isdigit() or alone
        )
