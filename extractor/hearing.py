"""Speech recognition undone: spoken punctuation, and terms that the recogniser broke up or respelled.

"can a log" is read as Kenalog and "floor oscopy" as fluoroscopy, by sound: the same consonants, and most letters
alike. Numbers, sides and denials are never touched. The text as given keeps its offsets (`CleanText.rewritten`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from difflib import SequenceMatcher
from functools import lru_cache
from string import ascii_lowercase

from pydantic import Field

from extractor.literals import Caseless, folded
from extractor.patterns import ExpressionText, PatternFolder, Row
from extractor.text import CleanText
from extractor.words import Kept, in_small, words_apart

_WORD = re.compile(r"[A-Za-z]+")
_GAPS = " -\n"  # one of these stands between the words of a term
_MOST_WORDS = 4
_SLACK = 3  # letters by which a run of words may be longer or shorter than the term
_SHORTEST_KEY = 4  # consonants: fewer are shared by too many words
_LOOSE_KEY = 5  # ... and from this many on, one may differ
_AMOUNT_REACH = 50
_ROOT = 2  # consonants at the beginning that must agree
_SURE = 4  # consonants from which on every beginning of what a term can go on from is such, too
_MEMORY = 50_000
_FEW = 4_000  # of what is quickly found out again
_VOWELS = frozenset("aeiouy")
_CODES = str.maketrans("bcdgjmqvz", "pktkxnkfs", "aeiouyhw")  # voiced and unvoiced, m and n sound alike
_SOFT = re.compile(r"c(?=[eiy])")
_SOFT_G = re.compile(r"g(?=[eiy])")
_TWICE = re.compile(r"(.)\1+")
_CONSONANTS = "".join(sorted(set(ascii_lowercase.translate(_CODES))))
_STOP = "."
Edit = tuple[int, int, str]


class Marks(Row):
    """Spoken punctuation."""

    fewest: int = Field(ge=1)
    words: dict[str, str]
    not_after: frozenset[str]
    not_before: frozenset[str]


class Strokes(Row):
    """Spoken strokes between numbers."""

    words: dict[str, str]
    numbers: tuple[str, ...]


class Sounds(Row):
    """Terms that are known by their sound."""

    terms: tuple[str, ...]
    drugs: tuple[str, ...]
    amounts: tuple[str, ...]
    never: frozenset[str]
    edges: frozenset[str]
    closest_term: tuple[float, float]
    closest_drug: tuple[float, float]


@lru_cache(maxsize=_MEMORY)
def _likeness(letters: str, spelled: str) -> float:
    """The share of like letters, between 0 and 1."""
    return SequenceMatcher(None, letters, spelled, autojunk=False).ratio()


class Respelled(Row):
    """A misspelling as an expression; what its group "rest" matched (a plural s) stays."""

    pattern: ExpressionText
    term: str
    needs: tuple[str, ...]  # letters of which one stands in every match; looked for first
    example: str
    counter: str = ""


class HearingTable(Row):
    """patterns/hearing.toml."""

    source: str
    date: date
    marks: Marks
    strokes: Strokes
    respelled: tuple[Respelled, ...] = ()
    sounds: Sounds


@lru_cache(maxsize=_FEW)
def consonants(word: str) -> str:
    """The consonants of a word of letters, by sound; a vowel at its beginning counts as one.

    >>> consonants("kenalog"), consonants("canalog"), consonants("iohexol")
    ('knlk', 'knlk', 'aksl')
    """
    first = "a" if word[0] in _VOWELS else ""
    word = ("z" + word[1:] if word[0] == "x" else word).replace("igh", "i")
    word = word.replace("ph", "f").replace("ck", "k").replace("x", "ks")
    if "c" in word:
        word = _SOFT.sub("s", word)
    if "g" in word:
        word = _SOFT_G.sub("j", word)
    return first + _TWICE.sub(r"\1", word.replace("ch", "j").replace("sh", "j").translate(_CODES))


def _shorter(code: str) -> Iterable[str]:
    return (code[:index] + code[index + 1 :] for index in range(1, len(code)))


class Hearing:
    """Built once from the table; `heard` is a pure function of the text, linear in its length.

    >>> from extractor.text import clean
    >>> hearing = Hearing(PatternFolder())
    >>> note = hearing.heard(clean("under floor oscopy twenty milligrams of can a log"))
    >>> note.text
    'under fluoroscopy twenty milligrams of kenalog'
    >>> note.given[slice(*note.span(6, 17))]
    'floor oscopy'
    """

    def __init__(self, patterns: PatternFolder) -> None:
        table = patterns.toml("hearing.toml", HearingTable)
        self._marks, self._sounds = table.marks, table.sounds
        self.respelled = table.respelled
        self._respelled = [(Caseless(row.pattern), row.term, row.needs) for row in table.respelled]
        number = "|".join([*table.strokes.numbers, r"\d{1,2}"])
        words = "|".join(map(re.escape, table.strokes.words))
        self._strokes = table.strokes.words
        self._stroke = re.compile(rf"(?<=[a-z0-9]) (?P<word>{words}) (?=(?:[tls] ?)?(?:{number})\b)", re.IGNORECASE)
        self._number_last = re.compile(rf"\b(?:[ltcs]? ?)(?:{number})$", re.IGNORECASE)
        spoken = sorted(table.marks.words, key=len, reverse=True)
        self._mark = re.compile(rf" ?\b(?P<words>{'|'.join(map(re.escape, spoken))})\b", re.IGNORECASE)
        amounts = "|".join(re.escape(word) for word in sorted(table.sounds.amounts, key=len, reverse=True))
        self._amount = re.compile(rf"(?:(?<![A-Za-z])|(?<=\d))(?:{amounts})", re.IGNORECASE)
        self._drugs = frozenset(table.sounds.drugs)
        self._by_code: dict[str, list[tuple[str, str, str]]] = {}  # consonants -> (term, its letters, its consonants)
        self._exact: set[str] = set()
        codes: list[str] = []
        for term in (*table.sounds.terms, *table.sounds.drugs):
            letters = "".join(_WORD.findall(term))
            code = consonants(letters)
            codes.append(code)
            self._exact.add(term)
            for key in {code, *(_shorter(code) if len(code) >= _LOOSE_KEY else ())}:
                self._by_code.setdefault(key, []).append((term, letters, code))
        self._longest = max(len(term) for term in self._exact) + _SLACK
        self._beginnings = frozenset(code[:size] for code in codes for size in range(1, _ROOT + 1))
        self._beginnings |= {key[:size] for key in self._by_code for size in range(_ROOT + 1, len(key) + 1)}
        self._exact_letters = frozenset("".join(_WORD.findall(term)) for term in self._exact)
        self._stops = table.sounds.never | self._exact | {""}  # no term goes on with these
        # the last words of spoken marks and strokes; "" of such that have no plain letters
        self._spoken = {(_WORD.findall(said.lower()) or [""])[-1] for said in (*spoken, *table.strokes.words)}
        self._never_first = table.sounds.never | table.sounds.edges | {""}
        self._leads = Kept(self._can_lead, self._longest, _FEW)
        self._candidates = Kept(self._terms_like, self._longest)
        self._adds = Kept(self._added, self._longest)
        self._goes_on = Kept(self._consonants_after, self._longest)

    def _can_lead(self, code: str) -> bool:
        """True for consonants that a term can go on from, all of them or all but one."""
        return code in self._beginnings or (
            len(code) <= self._longest
            and code[:_ROOT] in self._beginnings
            and any(key in self._beginnings for key in _shorter(code))
        )

    def _terms_like(self, code: str) -> tuple[tuple[str, str, str], ...]:
        """The terms whose consonants are these, or all but one."""
        keys = (code, *_shorter(code)) if len(code) >= _LOOSE_KEY else (code,)
        return tuple(sorted({entry for key in keys for entry in self._by_code.get(key, ())}))

    def _added(self, word: str) -> str:
        """The consonants that a word adds to those before it; a stop for a word that no term goes on with."""
        return _STOP if word in self._stops or len(word) > self._longest else consonants(word).lstrip("a")

    def _consonants_after(self, word: str) -> str:
        """The first consonants of words with which a term may go on after this one, and the stop for a word that may be
        a term by itself; nothing for a word that begins none."""
        if word in self._never_first or len(word) > self._longest:
            return ""
        code = consonants(word)
        if not self._leads[code]:
            return ""
        if self._may_end(word, word, code):
            return _CONSONANTS + _STOP
        if len(code) < _SURE - 1:
            return _CONSONANTS
        return code[-1] + "".join(letter for letter in _CONSONANTS if self._can_lead(code + letter))

    def _may_sound(self, words: list[str], index: int) -> bool:
        """False where no term is heard from a word on, whatever stands around it: so it is nearly everywhere."""
        letters = words[index]
        if _STOP in self._goes_on[letters]:
            return True
        code = consonants(letters)
        for word in words[index + 1 : index + _MOST_WORDS]:
            added = self._adds[word]
            code += added[1:] if added[:1] == code[-1] else added
            if not self._leads[code]:  # so it is with a stop, too
                return False
            letters += word
            if len(code) >= _SHORTEST_KEY and self._may_end(word, letters, code):
                return True
        return False

    def _may_end(self, word: str, letters: str, code: str) -> bool:
        """True where words, of which this is the last, may be a term by themselves."""
        if len(code) < _SHORTEST_KEY or word in self._sounds.edges or not self._candidates[code]:
            return False
        return letters in self._exact_letters or any(self._likenesses(letters, code))

    @staticmethod
    def respells(row: Respelled, text: str, start: int, end: int) -> bool:
        """True where a row matches just this stretch of a text."""
        pattern, subject = Caseless(row.pattern).over(text)
        match = pattern.match(subject, start)
        return match is not None and match.end() == end

    def heard(self, note: CleanText) -> CleanText:
        """The note with spoken marks as marks and misheard terms as terms."""
        return list(self.steps(note))[-1][0]

    def steps(self, note: CleanText) -> Iterator[tuple[CleanText, list[Edit]]]:
        """The note after each of three steps (spoken marks, respelled words, words by their sound), with the edits that
        made it of the one before."""
        words = words_apart(in_small(note.text))
        spoken = sum(map(self._spoken.__contains__, words))
        edits = self._mark_edits(note.text) if spoken >= self._marks.fewest else []
        read = note.rewritten(edits)
        yield read, edits
        edits = self._respelled_edits(read.text, spoken > 0)
        read = read.rewritten(edits)
        yield read, edits
        if read is not note:
            words = words_apart(in_small(read.text))
        edits = self._term_edits(read.text, words)
        yield read.rewritten(edits), edits

    def _respelled_edits(self, text: str, spoken: bool) -> list[Edit]:
        small = folded(text)
        spoken = spoken and any(word in small for word in self._strokes)
        edits = [
            (match.start(), match.end(), self._strokes[match["word"].lower()])
            for match in (self._stroke.finditer(text) if spoken else ())
            if match["word"].lower() in self._strokes
            and self._number_last.search(text, max(0, match.start() - 8), match.start())
        ]
        for expression, term, needs in self._respelled:
            for letters in needs:
                if letters in small:
                    break
            else:
                continue
            pattern, subject = expression.over(text)
            for match in pattern.finditer(subject):
                start, end = match.span()
                rest = text[slice(*match.span("rest"))] if "rest" in pattern.groupindex else ""
                if text[start:end].lower() != term + rest:
                    edits.append((start, end, term + rest))
        return sorted(edits)

    def _mark_edits(self, text: str) -> list[Edit]:
        lowered = text.lower()
        if sum(map(lowered.count, self._marks.words)) < self._marks.fewest:
            return []
        edits: list[Edit] = []
        for match in self._mark.finditer(text):
            before = text[max(0, match.start() - 16) : match.start()].split()
            after = text[match.end() : match.end() + 16].split()
            if before and before[-1].lower() in self._marks.not_after:
                continue
            if after and after[0].lower() in self._marks.not_before:
                continue
            mark = self._marks.words.get(match.group("words").lower())
            if mark is not None:  # "per\u0131od" matches without regard to case and is no such word
                edits.append((match.start(), match.end(), mark))
        return edits if len(edits) >= self._marks.fewest else []

    def _term_edits(self, text: str, words: list[str]) -> list[Edit]:
        edits: list[Edit] = []
        ahead = place = before = 0  # the first word behind the last term; where a word begins, and which
        adds = self._adds
        told = [
            index
            for index, goes_on in enumerate(map(self._goes_on.__getitem__, words))
            if goes_on and adds[words[index + 1]][:1] in goes_on
        ]
        for index in told:
            if index < ahead or not self._may_sound(words, index):
                continue
            place += sum(map(len, words[before:index])) + index - before
            before = index
            found = self._term_at(text, words, index, place)
            if found is None:
                continue
            last, end, term = found
            if text[place:end].lower() != term:
                edits.append((place, end, term))
            ahead = last + 1
        return edits

    def _term_at(self, text: str, words: list[str], index: int, begin: int) -> tuple[int, int, str] | None:
        """The term that the words from `index` on, at `begin`, sound like, with the index of its last word and its
        end."""
        best: tuple[float, int, int, str] | None = None
        letters = code = ""
        end = begin - 1
        for last, word in enumerate(words[index : index + _MOST_WORDS], index):
            if last > index and (word in self._stops or text[end] not in _GAPS):
                break
            end += 1 + len(word)
            letters += word
            if len(letters) > self._longest:
                break  # before its consonants are looked for: it may be endless
            code = _joined(code, consonants(word)) if last > index else consonants(word)
            if not self._leads[code]:
                break
            if len(code) < _SHORTEST_KEY or word in self._sounds.edges:
                continue
            written = text[begin:end].lower()
            if written in self._exact:
                best = (2.0, last, end, written)  # written as it should be; a longer one may be too
                continue
            if best is None or best[0] < 1.5:
                closest = self._closest(text, letters, code, begin, end)
                if closest and (best is None or closest[0] > best[0]):
                    best = (closest[0], last, end, closest[1])
        return best[1:] if best else None

    def _likenesses(self, letters: str, code: str) -> Iterable[tuple[float, str]]:
        """The terms that letters sound like enough, each behind its likeness."""
        for term, spelled, own in self._candidates[code]:
            if own[0] != code[0] or abs(len(spelled) - len(letters)) > _SLACK:
                continue
            alike = _likeness(letters, spelled) + (0.1 if own == code else 0.0)
            needed = (self._sounds.closest_drug if term in self._drugs else self._sounds.closest_term)[own != code]
            if alike >= needed:
                yield alike, term

    def _closest(self, text: str, letters: str, code: str, start: int, end: int) -> tuple[float, str] | None:
        best: tuple[float, str] | None = None
        for alike, term in self._likenesses(letters, code):
            if best and (alike, term) <= best:
                continue
            if term in self._drugs and not self._amount.search(
                text, max(0, start - _AMOUNT_REACH), end + _AMOUNT_REACH
            ):
                continue
            best = (alike, term)
        return best


def _joined(code: str, part: str) -> str:
    """The consonants of two words behind each other; a vowel counts at the beginning only.

    >>> _joined("mtl", "aksl"), _joined("nn", "nt")
    ('mtlksl', 'nnt')
    """
    if part[:1] == "a":
        part = part[1:]
    return code + (part[1:] if part[:1] == code[-1:] else part)
