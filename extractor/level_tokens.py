"""Tables and compiled expressions of the level grammar (patterns/levels.toml). Nothing here reads a note."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable

from extractor.literals import Caseless
from extractor.patterns import PatternFolder, Row
from extractor.rows import NounRow

LAST_NUMBER = {"C": 8, "T": 12, "L": 6, "S": 5}  # C8 is a nerve, L6 a lumbar-type vertebra
NEXT_REGION = {"C7": "T1", "C8": "T1", "T12": "L1", "L5": "S1", "L6": "S1"}
BLANK = r"[ ]{0,6}(?:\n[ ]{0,6})?"  # at most one line end: never across a paragraph


class Site(Row):
    """Phrases that name a level without a number, and the words that allow or forbid the reading."""

    phrases: tuple[str, ...]
    top: str
    bottom: str
    noun: str
    needs: tuple[str, ...] = ()
    unless_near: tuple[str, ...] = ()
    cased: bool = False  # only as written here ("TON")


class Joining(Row):
    range: tuple[str, ...]
    list: tuple[str, ...]
    filler: tuple[str, ...]
    over: tuple[str, ...]
    sacrum: tuple[str, ...]
    sacral_one: tuple[str, ...]
    misread_s1: tuple[str, ...]


class Sides(Row):
    words: tuple[str, ...]


class Guards(Row):
    joint_concepts: frozenset[str]
    nerve_concepts: frozenset[str]
    bare_concepts: frozenset[str]
    weak_concepts: frozenset[str]
    plain_concepts: frozenset[str]
    last_only: frozenset[str]
    may_follow: tuple[str, ...]
    units: tuple[str, ...]
    counted_things: tuple[str, ...]
    level_of: tuple[str, ...]
    led_by: tuple[str, ...]
    at_level: tuple[str, ...]
    between: tuple[str, ...]
    spaces: tuple[str, ...]
    strength: tuple[str, ...]
    heart: tuple[str, ...]
    sacral_context: tuple[str, ...]
    imaging: tuple[str, ...]
    not_thoracic: tuple[str, ...]
    not_cervical: tuple[str, ...]
    cervical_context: tuple[str, ...]
    spine_context: tuple[str, ...]
    not_dorsal: tuple[str, ...]
    places: tuple[str, ...]
    counted: tuple[str, ...]
    rami: tuple[str, ...]


class Attachment(Row):
    before: tuple[str, ...]
    abbreviations: tuple[str, ...]
    stop: tuple[str, ...]


class LevelWords(Row):
    """patterns/levels.toml."""

    source: str
    date: datetime.date
    letters: dict[str, str]
    spoken_letters: dict[str, str]
    region_words: dict[str, str]
    context_regions: dict[str, str]
    numbers: dict[str, int]
    homophones: dict[str, int]
    ordinals: dict[str, int]
    not_nouns: tuple[str, ...]
    sites: tuple[Site, ...]
    joining: Joining
    sides: Sides
    guards: Guards
    attachment: Attachment


def words_pattern(phrases: Iterable[str]) -> str:
    """A regular expression for any of the phrases, the longest first, shared beginnings read once.

    A blank in a phrase stands for blanks, a line end or a hyphen; a hyphen may also be left out.

    >>> bool(re.fullmatch(words_pattern(["medial branch", "medial"]), "medial\\nbranch"))
    True
    >>> re.match(words_pattern(["facet", "facet joint"]), "facet joint").group()
    'facet joint'
    """
    root: dict[str, object] = {}
    for phrase in phrases:
        node = root
        for character in phrase.lower():
            node = node.setdefault(character, {})  # type: ignore[assignment]
        node[""] = True
    return _branch(root)


def _branch(node: dict[str, object]) -> str:
    ends = "" in node
    parts = [_letter(key) + _branch(child) for key, child in sorted(node.items()) if key and isinstance(child, dict)]
    if not parts:
        return ""
    if len(parts) == 1 and not ends:
        return parts[0]
    return f"(?:{'|'.join(parts)})" + ("?" if ends else "")


def _letter(character: str) -> str:
    if character == " ":
        return r"[ \n-]{1,3}"
    if character == "-":
        return r"[ \n-]{0,2}"
    return re.escape(character)


def plain(phrase: str) -> str:
    """A phrase without case, blanks, line ends and hyphens, to look it up as written in a note.

    >>> plain("Medial\\nBranch-es")
    'medialbranches'
    """
    return "".join(character for character in phrase.lower() if character not in " -\n")


class Lexicon:
    """The tables of the grammar with their expressions, compiled once and never changed."""

    def __init__(self, patterns: PatternFolder) -> None:
        words = patterns.toml("levels.toml", LevelWords)
        rows = patterns.csv("level_nouns.csv", NounRow)
        self.words = words
        self.letter_of = {plain(k): v for k, v in (words.letters | words.spoken_letters | words.region_words).items()}
        self.number_of = words.numbers | words.homophones
        self.ordinal_of = words.ordinals
        self.sites = {plain(phrase): site for site in words.sites for phrase in site.phrases}
        self._concepts = {plain(row.phrase): row.concept for row in rows}
        self._compile(words, [row.phrase for row in rows])

    def _compile(self, words: LevelWords, nouns: list[str]) -> None:
        def of(pattern: str) -> re.Pattern[str]:
            return re.compile(pattern, re.IGNORECASE)

        letter, spoken = words_pattern(words.letters), words_pattern(words.spoken_letters)
        region, number = words_pattern(words.region_words), words_pattern(words.numbers)
        ordinal = f"(?:{words_pattern(words.ordinals)}|1[0-2](?=th)th|[1-9](?:st|nd|rd|th))\\b"
        noun = words_pattern([*nouns, *words.not_nouns]) + "(?:e?s)?"
        head = f"(?:(?P<letter>{letter})|(?P<spoken>{spoken})|(?P<word>{region}))(?P<gap>[ ]{{0,2}}-?[ ]{{0,2}}\\n?)"
        again = f"and[ ](?:{letter}|{spoken})[ -]?(?:{number}|\\d)"  # "L for and L five"
        homophone = f"{words_pattern(words.homophones)}(?=[ -](?:{number}|{noun}|\\d|{again})\\b)"
        follow = words_pattern([*words.guards.may_follow, *words.sides.words])
        # "C three and C for radiofrequency": right behind a number of the same list; "R and L for ..." stays a side
        listed = "|".join(rf"(?<=\b{name} and [cltCLT] )" for name in sorted(words.numbers))
        homophone += rf"|(?:{listed})(?:{words_pattern(words.homophones)})(?=[ ](?:{follow})\b)"
        joining, word = words.joining, f"(?:{number})\\b"
        self.vertebra = of(f"{head}(?:(?P<digits>[1-9]\\d{{0,4}})|(?P<number>(?:{number}\\b|{homophone})))")
        self.number = of(f"(?P<digits>1[0-2]|[1-9])(?!\\d)|(?P<number>{number})\\b")
        self.ordinal = of(ordinal)
        self.region_word = of(f"[ \\n]{{1,3}}(?P<word>{region})\\b")
        self.ramus = of(words_pattern(words.guards.rami))
        self.dash = of(r"[ ]{0,2}(?:-{1,2}|~)[ ]{0,2}\n?[ ]{0,4}|[ ]{0,2}\n[ ]{0,4}-(?=\S)")
        self.slash = of(r"[ ]{0,2}/[ ]{0,2}\n?[ ]{0,4}")
        self.blank = of(r"[ ]{1,3}\n?[ ]{0,4}|\n[ ]{0,4}")
        filler = f"(?:(?:{words_pattern(joining.filler)})[ ]{{1,2}})?"
        self.range = of(f"{BLANK}(?<=\\s)(?:{words_pattern(joining.range)})\\b{BLANK}(?<=\\s){filler}")
        conjunction = f"(?:\\b(?:{words_pattern(joining.list)})\\b|[&+])"
        self.listing = of(f"{BLANK}(?:,{BLANK}(?:{conjunction}{BLANK})?|{conjunction}{BLANK}){filler}")
        self.over = of(f"{BLANK}\\b(?:{words_pattern(joining.over)})\\b{BLANK}(?:the )?")
        self.sacrum = of(f"(?:{words_pattern(joining.sacrum)})\\b")
        self.misread_s1 = of(f"(?:{words_pattern(joining.misread_s1)})\\b")
        self.sacral_one = of(f"(?:{words_pattern(joining.sacral_one)})\\b")
        heard = rf"\d|{word}|(?:{words_pattern(words.homophones)})\b"
        level = rf"(?:{letter})[ -]?(?:{heard})|(?:{spoken})[ ](?:{heard})"
        closing = r"\s*(?:$|[;:)(\]&+\[*]|[.](?!\d)|,(?!\d\d\d)|/(?!\d)|-(?!\s?\d))"
        self.may_follow = of(rf"{closing}|[ \n]+(?:(?:{follow}|{noun}|{level})\b)|\s*\n")
        units = words_pattern(words.guards.units)
        things = words_pattern([*words.guards.units, *words.guards.counted_things])
        litre = rf"l\b(?![ -]{{0,2}}(?:{heard}))"  # "L three L for": no litres
        self.unit = of(rf"[ \n-]{{0,2}}(?:[%\"]|{litre}|(?:{units})\b(?!['-]))")
        self.counted_thing = of(rf"[ \n-]{{0,2}}(?:[%\"]|{litre}|(?:{things})\b(?!['-]))")
        self.led_by = of(rf"\b(?:{words_pattern(words.guards.led_by)})\s*$")
        self.at_level = of(rf"\b(?:{words_pattern(words.guards.at_level)})\s*$")
        self.of_level = of(r"\s+(?:of|at)\s+(?:the\s+)?[CTLS]\d")
        self.enclosed = of(rf"\b(?:{words_pattern(words.guards.between)})\s*$")
        self.spaced = of(rf"\b(?:{words_pattern(words.guards.spaces)})\s+(?:{words_pattern(words.guards.between)})\s*$")
        self.noun = of(rf"\b(?:{noun})\b")
        self.nouns = Caseless(self.noun.pattern)  # for all of a text
        self.glued_noun = of(rf"(?:{noun})\b")
        sides, attachment = words.sides.words, words.attachment
        led = words_pattern([*attachment.before, *sides])
        short = words_pattern(attachment.abbreviations)
        self.before = of(rf"(?:\b{short}|[\s,:()\[\]&+-]|\b(?:{led})\b)*+")
        linking = words_pattern([*sides, *joining.list, *joining.filler, "in", "x"])
        self.between = of(rf"(?:[\s,:(\[\]&+-]|\b(?:{linking})\b)*+")
        self.stop = of(rf"[;\n(]|[.](?!\d)|\b(?:{words_pattern(words.attachment.stop)})\b")
        self.place = of(rf"(?<![A-Za-z])(?:{words_pattern(words.guards.places)})\.?[ :#]{{1,3}}$")
        self.counted = of(rf"(?:[ \n]+[\w-]+){{0,4}}?[ \n]+(?:{words_pattern(words.guards.counted)})\b")
        self.context_region = Caseless(rf"\b(?:{words_pattern(words.context_regions)})\b")
        site = words_pattern([phrase for site in words.sites for phrase in site.phrases])
        digits = r"(?:1[0-2]|[1-9])(?=[ ]?[-/,&][ ]?\d|[ ](?:and[ ])?[1-9]\b|[ ]?[-/][ ]?s)"
        spelled = rf"(?:{number})(?=[ ,/-]{{1,2}}(?:and )?(?:{number})\b)"
        numbered = (
            rf"(?:{letter}|{spoken}|{region})[ -]{{0,4}}\n?(?:[1-9]|{word}|(?:{words_pattern(words.homophones)})\b)"
        )
        self.anchor = Caseless(
            rf"(?<![A-Za-z0-9_'])(?:(?P<vertebra>{numbered})|(?P<site>(?:{site})\b)"
            rf"|(?P<ordinal>{ordinal})|(?<![.,:/#$-])(?P<bare>{digits}|{spelled}))"
        )

    def concept_of(self, phrase: str) -> str:
        """The concept of a noun as written; "" for a phrase that is listed so as to be left alone.

        >>> Lexicon(PatternFolder()).concept_of("Transverse\\nProcesses")
        'transverse_process'
        """
        form = plain(phrase)
        for ending in ("", "s", "es"):
            if form.endswith(ending) and (concept := self._concepts.get(form.removesuffix(ending))):
                return concept
        return ""
