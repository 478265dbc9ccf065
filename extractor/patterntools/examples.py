"""Does a row do what it says? Each kind of row has its test of a text, which the examples of its rows must pass and
their counter-examples must not.

`Rooms` are the readers of one pattern folder. `fires` tells whether a row does in a text what it says: it names the
target, decides the role of the drug, begins the section. `splits` tells of a phrase that the tokenizer cuts in another
way inside a note than alone, so that it can never be found.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from extractor.agent_view import Phrases
from extractor.agents import AgentReader, injectate_names
from extractor.assembly.neighbours import muscles_of
from extractor.assembly.zones import with_zones
from extractor.audit.reading import PhraseReader
from extractor.audit.rows import ChecklistRows
from extractor.dose_items import NOUNS, DoseRow, Items
from extractor.hearing import Hearing, Respelled
from extractor.levels import LevelGrammar
from extractor.mentions import Reading, collect
from extractor.patterns import PatternFolder, PhraseRow
from extractor.patterntools.files import LOOKALIKES
from extractor.rows import ReadingPatterns, RegexCue
from extractor.sections import SectionReader
from extractor.text import clean

if TYPE_CHECKING:
    from spacy.language import Language

_IN_SCOPE = "\n\nFacet joint."  # cues are looked for only in notes that name a target or a level
_NOWHERE = (-1, -1)
_ROLE_OF_CUE = {
    "injectate": "injectate",
    "each": "injectate",
    "skin_anesthetic": "skin_anesthetic",
    "flush": "flush",
    "systemic": "systemic",
}
_BY_TOKENS = frozenset({"targets.csv", "imaging.csv", "sides.csv", "cues.csv"})


class Rooms:
    """The readers of a pattern folder, each built when it is first needed."""

    def __init__(self, folder: PatternFolder, nlp: Language | None = None) -> None:
        self.folder = folder
        self._nlp = nlp

    @cached_property
    def nlp(self) -> Language:
        from extractor.loading import load_pipeline

        return self._nlp or load_pipeline(self.folder.overlay)

    @cached_property
    def rows(self) -> ReadingPatterns:
        return ReadingPatterns.load(self.folder)

    @cached_property
    def agents(self) -> AgentReader:
        return AgentReader(self.folder)

    @cached_property
    def levels(self) -> LevelGrammar:
        return LevelGrammar(self.folder)

    @cached_property
    def checklist(self) -> ChecklistRows:
        return ChecklistRows.load(self.folder)

    @cached_property
    def hearing(self) -> Hearing:
        return Hearing(self.folder)

    @cached_property
    def sections(self) -> SectionReader:
        return SectionReader(self.rows.sections, self.rows.table.spoken_headers)


def places(phrase: str, text: str) -> tuple[int, int]:
    """Where a text holds a phrase as words, in its clean view; (-1, -1) when it does not.

    >>> places("left side", "The LEFT SIDE.")
    (4, 13)
    """
    words, within = clean(phrase).text.lower(), clean(text).text.lower()
    found = re.search(rf"(?<!\w){re.escape(words)}(?!\w)", within)
    return found.span() if found else _NOWHERE


def holds(phrase: str, text: str) -> bool:
    """Whether a text holds a phrase as words."""
    return places(phrase, text) != _NOWHERE


def fires(rooms: Rooms, name: str, row: Any, text: str) -> bool:
    """Whether a row of a CSV file does in the text what it says."""
    return FIRES[name](rooms, row, text)


def _values(rooms: Rooms, row: PhraseRow, text: str, labels: set[str]) -> set[str]:
    """Values of the spans that overlap the phrase in a text."""
    doc = rooms.nlp(clean(text).text)
    start, end = places(row.phrase, text)
    found = doc.spans["facetcode_targets"]
    return {span.kb_id_ for span in found if span.label_ in labels and span.start_char < end and start < span.end_char}


def _target(rooms: Rooms, row: Any, text: str) -> bool:
    found = _values(rooms, row, text, {"Target", "Context"})
    return not found if row.concept in LOOKALIKES else row.concept in found


def _imaging(rooms: Rooms, row: Any, text: str) -> bool:
    return row.modality in _values(rooms, row, text, {"Imaging"})


def _side(rooms: Rooms, row: Any, text: str) -> bool:
    found = _values(rooms, row, text, {"Side"})
    return not found if row.side in LOOKALIKES else row.side in found


def _cue(rooms: Rooms, row: Any, text: str) -> bool:
    start, end = places(row.phrase, text)
    cues = rooms.nlp(clean(text).text + _IN_SCOPE)._.facetcode_cues
    category = row.category.removesuffix("_near")  # "_near" is the same cue with a reach of its own
    return any((c, d) == (category, row.direction) and a < end and start < b for a, b, c, d in cues)


def _section(rooms: Rooms, row: Any, text: str) -> bool:
    return (row.kind, row.phrase) in {(part.kind, part.name) for part in rooms.sections.read(clean(text).text)}


def _muscle(rooms: Rooms, row: Any, text: str) -> bool:
    return muscles_of(with_zones(collect(rooms.nlp(clean(text).text))), [row]).number == 1


def _noun(rooms: Rooms, row: Any, text: str) -> bool:
    return row.concept in {mention.noun for mention in rooms.levels.find(text)}


def _agent(rooms: Rooms, row: Any, text: str) -> bool:
    """A drug's other spellings, such as with a hyphen, are found as the drug as well."""
    found = {(hit.name, _letters(text[hit.start : hit.end])) for hit in rooms.agents.hits(text)}
    return (row.name, _letters(row.phrase)) in found


def _letters(words: str) -> str:
    return words.lower().replace("-", " ").replace("'", "")


def _role(rooms: Rooms, row: Any, text: str) -> bool:
    agents = rooms.agents.read(text, ())
    roles = {agent.role for agent in agents}
    if row.role in _ROLE_OF_CUE:
        return _ROLE_OF_CUE[row.role] in roles
    if row.role == "not_used":
        return not roles - {"skin_anesthetic"}
    if row.role == "total":
        return {agent.per for agent in agents if agent.role == "injectate"} == {"total"}
    if row.role == "joiner":
        return len(injectate_names(agents)) == 2
    return holds(row.phrase, text)  # what the other roles do shows in no result by itself


def _checked(rooms: Rooms, row: Any, text: str) -> bool:
    reader = PhraseReader(rooms.folder, replace(rooms.checklist, phrases=(row,)))
    return row.shows in {found.shows for found in reader.read(reader.hear(text)).get(row.item, [])}


def _dose(rooms: Rooms, row: Any, text: str) -> bool:
    """A noun is found as what "each" is said of, every other row as a cue of its role."""
    items = Items(
        Reading(text, (), (), (), (), (), (), ()),
        rooms.agents.view(text, [], rooms.agents.hits(text)),
        Phrases({one.phrase: one for one in rooms.folder.csv("doses.csv", DoseRow)}),
        frozenset({"steroid"}),
    )
    return row.role in {item.noun if row.role in NOUNS else item.kind for item in (*items.all, *items.limits)}


FIRES: dict[str, Callable[[Rooms, Any, str], bool]] = {
    "targets.csv": _target,
    "doses.csv": _dose,
    "imaging.csv": _imaging,
    "sides.csv": _side,
    "checklist_phrases.csv": _checked,
    "cues.csv": _cue,
    "sections.csv": _section,
    "muscles.csv": _muscle,
    "level_nouns.csv": _noun,
    "agents.csv": _agent,
    "agent_roles.csv": _role,
}


def regex_fires(rooms: Rooms, row: RegexCue, text: str) -> bool:
    """Whether a [[regex]] of reading.toml is heard as its cue in a text."""
    found = re.search(row.pattern, text, re.IGNORECASE)
    if found is None:
        return False
    cues = rooms.nlp(clean(text).text + _IN_SCOPE)._.facetcode_cues
    category = re.compile(re.escape(row.category).replace(r"\#", r"\d+"))  # "#" stands for the number found
    return any(category.fullmatch(c) and a < found.end() and found.start() < b for a, b, c, _ in cues)


def respelled_fires(rooms: Rooms, row: Respelled, text: str) -> bool:
    """Whether a [[respelled]] of hearing.toml puts its term into a text that does not have it."""
    return row.term not in text and row.term in rooms.hearing.heard(clean(text)).text


def splits(rooms: Rooms, name: str, phrase: str) -> bool:
    """Whether the tokenizer cuts a phrase in another way between words of a note than alone. Only the files whose
    phrases are matched by tokens."""
    if name not in _BY_TOKENS:
        return False
    alone = [token.text for token in rooms.nlp.tokenizer(phrase.lower())]  # as the matcher cuts it
    doc = rooms.nlp.tokenizer(f"was {phrase} then")
    span = doc.char_span(len("was "), len("was ") + len(phrase))
    return span is None or [token.text.lower() for token in span] != alone


def head_is_lost(name: str, phrase: str) -> bool:
    """Whether a header can never be found: headers are looked up in small letters."""
    return name == "sections.csv" and phrase != phrase.lower()
