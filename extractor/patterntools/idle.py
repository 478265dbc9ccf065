"""Rows whose words never come up in a corpus: what they do is known by their examples alone.

A target, side, modality or cue is met where it matches at all, even inside a longer one that wins. Drugs and their
roles, nouns and headers are met where they are found, and so not inside a longer phrase of their file.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from extractor.agent_view import Phrases, words_of
from extractor.boxes import plain_boxes
from extractor.entity_table import EntityTable
from extractor.level_tokens import plain
from extractor.literals import Present, Sought
from extractor.patterns import PhraseRow
from extractor.patterntools.examples import Rooms
from extractor.patterntools.files import CSV_FILES
from extractor.rows import alternation
from extractor.text import clean, unwrapped

_APART = frozenset({"checklist_phrases.csv", "doses.csv"})  # read for audits and drug supplies alone
_FOLDERS = ("notes", "samples", "annotated")
_ENDINGS = ("", "s", "es")  # of a noun, as the grammar of levels takes it


def corpus_folder() -> Path | None:
    """The corpus beside the package; a wheel has none."""
    folder = Path(__file__).parent.parent.parent / "corpus"
    return folder if folder.is_dir() else None


def corpus_texts(folder: Path) -> list[str]:
    """The notes of the corpus, each once."""
    texts: dict[str, None] = {}
    for name in _FOLDERS:
        for path in sorted((folder / name).rglob("*.txt")):
            texts[path.read_text(encoding="utf-8")] = None
        for path in sorted((folder / name).rglob("*.jsonl")):
            for line in path.read_text(encoding="utf-8").splitlines():
                text = json.loads(line).get("text")
                if isinstance(text, str):
                    texts[text] = None
    return list(texts)


class Meeting:
    """Collects the rows that notes meet: file -> keys, as `_keys` has them."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self.met: dict[str, set[str]] = defaultdict(set)
        rows = rooms.rows
        self._components: dict[str, Any] = dict(rooms.nlp.pipeline)
        spans = {"targets.csv": rows.targets, "imaging.csv": rows.imaging, "sides.csv": rows.sides}  # as they are added
        self._spans: list[tuple[str, PhraseRow]] = [(name, row) for name, kept in spans.items() for row in kept]
        roles: dict[str, list[PhraseRow]] = {}
        for row in self._all("agent_roles.csv"):
            roles.setdefault(row.phrase, []).append(row)
        self._roles = Phrases(roles)
        self._agents = {words_of(row.phrase): row for row in self._all("agents.csv")}
        self._nouns = {plain(row.phrase): row for row in self._all("level_nouns.csv")}
        self._muscles: dict[str, PhraseRow] = {row.phrase.lower(): row for row in self._all("muscles.csv")}

    def _all(self, name: str) -> tuple[Any, ...]:
        file = CSV_FILES[name]
        return self.rooms.folder.csv(name, file.model, file.key)

    @cached_property
    def _muscle(self) -> re.Pattern[str]:
        return alternation(tuple(self._muscles))

    @cached_property
    def _expressions(self) -> list[tuple[str, str, Sought]]:
        found = [("reading.toml", row.example, row.pattern) for row in self.rooms.rows.table.regex]
        sought = [(name, key, Sought(re.compile(pattern, re.IGNORECASE))) for name, key, pattern in found]
        table = self.rooms.folder.toml("entities.toml", EntityTable)
        return sought + [("entities.toml", row.words.pattern, Sought(row.words)) for row in table.word]

    def read(self, text: str) -> None:
        """One note, in the views in which its rows are looked for."""
        cleaned = clean(text).seen_as(plain_boxes)
        for row in self.rooms.hearing.respelled:
            heard = re.finditer(row.pattern, cleaned.text, re.IGNORECASE)
            if any(not match.group().lower().startswith(row.term) for match in heard):  # some match the term as well
                self.met["hearing.toml"].add(row.example)
        note = self.rooms.hearing.heard(cleaned).text
        self._tokens(unwrapped(note))
        for section in self.rooms.sections.read(note):
            self.met["sections.csv"].add(section.name)
        for hit in self.rooms.agents.hits(note):
            self._add("agents.csv", self._agents.get(words_of(note[hit.start : hit.end])))
        for _, _, cues in self._roles.all(words_of(note)):
            for cue in cues:
                self._add("agent_roles.csv", cue)
        for form in self.rooms.levels.nouns(note):
            found = (self._nouns.get(form.removesuffix(end)) for end in _ENDINGS if form.endswith(end))
            self._add("level_nouns.csv", next((row for row in found if row), None))
        for match in self._muscle.finditer(note):
            self._add("muscles.csv", self._muscles.get(" ".join(match.group().lower().split())))
        present = Present(note)
        for name, key, sought in self._expressions:
            if key not in self.met[name] and next(iter(sought.matches(present)), None):
                self.met[name].add(key)

    def _tokens(self, text: str) -> None:
        doc = self.rooms.nlp.make_doc(text)
        strings = doc.vocab.strings
        for match, start, end in self._components["facetcode_targets"].matcher(doc):
            name, row = self._spans[_position(strings[match])]
            if row.phrase.lower() == row.phrase or doc[start:end].text == row.phrase:
                self._add(name, row)
        for match, _, _ in self._components["facetcode_assertion"].matcher(doc):
            self._add("cues.csv", self.rooms.rows.cues[_position(strings[match])])

    def _add(self, name: str, row: PhraseRow | None) -> None:
        if row is not None:
            self.met[name].add(CSV_FILES[name].key_of(row))


def _position(rule: str) -> int:
    """Which row a rule of medspaCy's matcher was made of: its name ends in the number."""
    return int(rule.rpartition("_")[2])


def idle_rows(rooms: Rooms, texts: Iterable[str]) -> dict[str, list[str]]:
    """The keys of rows that no text meets, by file. Of a [[regex]] and the like its example or expression."""
    meeting = Meeting(rooms)
    for text in texts:
        meeting.read(text)
    return {name: [key for key in keys if key not in meeting.met[name]] for name, keys in _keys(rooms)}


def _keys(rooms: Rooms) -> Iterator[tuple[str, list[str]]]:
    for name, file in CSV_FILES.items():
        if name in _APART:
            continue
        yield name, [file.key_of(row) for row in rooms.folder.csv(name, file.model, file.key)]
    yield "reading.toml", [row.example for row in rooms.rows.table.regex]
    yield "hearing.toml", [row.example for row in rooms.hearing.respelled]
    table = rooms.folder.toml("entities.toml", EntityTable)
    yield "entities.toml", [row.words.pattern for row in table.word]
