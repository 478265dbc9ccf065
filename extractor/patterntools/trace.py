"""One note through the real pipeline, with the rows that fired: what `facetcode patterns try` shows.

Everything is read by the coder itself. The rooms are then asked by which rows they read (`matches` of the components,
`steps` of the hearing, `reasons` of the drugs, `refused` of the levels), so that nothing here matches by itself.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from extractor.agent_names import DrugNames
from extractor.agents import AgentReader, AgentReason
from extractor.assembly.encounter import drug_sentences, nothing_done, used_drugs
from extractor.assembly.families import FAMILY_OF, find, is_technique
from extractor.assembly.zones import with_zones
from extractor.boxes import plain_boxes
from extractor.coder import Coder
from extractor.entities import EntityReader
from extractor.hearing import Hearing, HearingTable
from extractor.level_tokens import LevelWords, plain
from extractor.levels import LevelGrammar
from extractor.mentions import Hit, Sentence, collect
from extractor.patterntools.origin import Origin, Origins
from extractor.patterntools.trial_findings import Finding, Findings
from extractor.records import LevelMention
from extractor.rows import MuscleRow, NounRow, alternation
from extractor.text import clean

if TYPE_CHECKING:
    from extractor.pipeline.assertion import CueMatch
    from extractor.pipeline.targets import RowMatch

_FILES = {"Target": "targets.csv", "Context": "targets.csv", "Imaging": "imaging.csv", "Side": "sides.csv"}
_PLURALS = ("", "s", "es")
_SPOKEN = ("anywhere", "first", "late")


def _plain_words(text: str) -> list[str]:
    return re.findall(r"[a-z]+|[0-9]+", text.lower())


class Trace:
    """One note, and what every room says of it. Offsets inside are of the clean text; `at` maps them back."""

    def __init__(self, coder: Coder, text: str) -> None:
        self.origins = Origins(coder.patterns)
        self._patterns = coder.patterns
        self._nlp = coder.nlp
        self.clean, self.doc = coder.read(text)
        self.raw = with_zones(collect(self.doc))  # before corrections take anything back
        self.assembled = coder.assemble(self.doc)
        self.text = self.clean.text
        self.sentences = self.assembled.reading.sentences
        self._starts = [sentence.start for sentence in self.sentences]

    # -- places ------------------------------------------------------------------------------------------------

    def sentence(self, offset: int) -> Sentence | None:
        """The sentence in which an offset stands."""
        index = bisect_right(self._starts, offset) - 1
        return self.sentences[index] if index >= 0 else None

    def at(self, start: int, end: int, label: str, value: str, rows: Iterable[Origin] = (), why: str = "") -> Finding:
        """A stretch of the clean text as a finding."""
        first, last = self.clean.span(start, end)
        sentence = self.sentence(start)
        section, zone = (sentence.section, sentence.zone) if sentence else ("", "")
        return Finding(first, last, self.clean.given[first:last], label, value, tuple(rows), section, zone, why)

    @cached_property
    def nothing_done(self) -> str:
        """Why nothing in the note was read as done; "" where something was."""
        reading = self.assembled.reading
        if self.assembled.procedures:
            return ""
        if not reading.levels and not any(hit.value in FAMILY_OF or is_technique(hit.value) for hit in reading.targets):
            return "no level and no target of these procedures is named"
        if nothing_done(reading, self.assembled.agents):
            return (
                "no sentence of the body tells of needle work (cues of the category needlework), and no measured drug"
                " goes to a target; or a cue says that nothing was done"
            )
        if find(reading).out_of_scope:
            return "the title names a procedure of another kind"
        return "what was done is none of the procedures that are coded here"

    # -- heard -------------------------------------------------------------------------------------------------

    def heard(self) -> Findings:
        """What was read otherwise than written."""
        table = self._patterns.toml("hearing.toml", HearingTable)
        before = clean(self.clean.given).seen_as(plain_boxes)
        found: list[Finding] = []
        for number, (after, edits) in enumerate(Hearing(self._patterns).steps(before)):
            for start, end, new in edits:
                first, last = before.span(start, end)
                kind, rows = self._heard_by(table, number, before.text, (start, end, new))
                found.append(Finding(first, last, before.given[first:last], kind, new.strip("\n ") or "new line", rows))
            before = after
        return tuple(sorted(found, key=lambda item: item.start))

    def _heard_by(
        self, table: HearingTable, step: int, text: str, edit: tuple[int, int, str]
    ) -> tuple[str, tuple[Origin, ...]]:
        start, end, new = edit
        written = " ".join(text[start:end].lower().split())
        if step == 0:
            return "spoken mark", self.origins.word("hearing.toml", "marks.words", written)
        if step == 2:
            kind = "drugs" if new in table.sounds.drugs else "terms"
            return "by its sound", self.origins.word("hearing.toml", f"sounds.{kind}", new)
        if written in table.strokes.words:
            return "spoken stroke", self.origins.word("hearing.toml", "strokes.words", written)
        for row in table.respelled:
            if new.startswith(row.term) and Hearing.respells(row, text, start, end):
                return "respelled", self.origins.item("hearing.toml", "respelled", term=row.term, pattern=row.pattern)
        return "respelled", ()

    # -- sections and sentences --------------------------------------------------------------------------------

    def sections(self) -> Findings:
        """Every header with the row that names it."""
        found = []
        for section in self.doc._.facetcode_sections:
            if section.name:
                rows = self.header(section.name, section.kind, section.spoken)
                whole = section.spoken or [row.key for row in rows] == [section.name]
                why = "spoken without a mark" if section.spoken else "" if whole else "by a part of it"
                found.append(self.at(section.start, section.text_start, "header", section.kind, rows, why))
        return tuple(replace(item, section="", zone="") for item in found)

    def header(self, name: str, kind: str, spoken: bool = False) -> tuple[Origin, ...]:
        """The row of a header; where none has all its words, the one of the longest part with its kind."""
        if spoken:
            for table in _SPOKEN:
                if rows := self.origins.word("reading.toml", f"spoken_headers.{table}", name):
                    return rows
        words = name.split()
        for size in range(len(words), 0, -1):
            for begin in range(len(words) - size + 1):
                part = " ".join(words[begin : begin + size])
                if rows := self.origins.csv("sections.csv", phrase=part, kind=kind):
                    return rows
        return ()

    def told(self) -> Findings:
        """Every sentence with its zone and the kinds of cues in it."""
        return tuple(self.at(s.start, s.end, "sentence", s.zone, (), ", ".join(sorted(s.cues))) for s in self.sentences)

    # -- matches -----------------------------------------------------------------------------------------------

    @cached_property
    def row_matches(self) -> list[RowMatch]:
        """Every match of a row of targets, imaging and sides, kept or not."""
        component: Any = self._nlp.get_pipe("facetcode_targets")
        found: list[RowMatch] = component.matches(self.doc)
        return found

    @cached_property
    def kept(self) -> set[tuple[int, int, str, str]]:
        """Start, end, label and value of the matches that became spans."""
        spans = self.doc.spans.get("facetcode_targets", ())
        return {(span.start_char, span.end_char, span.label_, span.kb_id_) for span in spans}

    def row(self, match: RowMatch) -> tuple[Origin, ...]:
        """The row of a match."""
        return self.origins.csv(_FILES[match.label], phrase=match.phrase)

    def own_row(self, hit: Hit) -> tuple[Origin, ...]:
        """The row by which a hit was found."""
        match = self._kept_at.get((hit.start, hit.end, hit.label))
        return self.row(match) if match else ()

    @cached_property
    def _kept_at(self) -> dict[tuple[int, int, str], RowMatch]:
        return {match[:3]: match for match in self.row_matches if match.fits and match[:4] in self.kept}

    def matches(self) -> Findings:
        """The matches that are read, in order of the text."""
        found = [
            self.at(match.start, match.end, match.label, match.value, self.row(match))
            for match in self.row_matches
            if match.fits and match[:4] in self.kept
        ]
        known = {(hit.start, hit.end) for hit in self.assembled.reading.sides} - {m[:2] for m in self.kept}
        for hit in self.assembled.reading.sides:
            if (hit.start, hit.end) in known and self.text[hit.start : hit.end].strip():
                found.append(
                    self.at(hit.start, hit.end, "Side", hit.value, (), "a letter or a mark, by what is beside it")
                )
        rows = {row.phrase: row for row in self._patterns.csv("muscles.csv", MuscleRow)}
        for named in alternation(tuple(rows)).finditer(self.text):
            row = rows[" ".join(named.group().lower().split())]
            origin = self.origins.csv("muscles.csv", phrase=row.phrase)
            found.append(self.at(named.start(), named.end(), "Muscle", row.muscle, origin))
        return tuple(sorted(found, key=lambda item: (item.start, item.end)))

    # -- levels ------------------------------------------------------------------------------------------------

    @cached_property
    def _nouns(self) -> dict[str, str]:
        return {plain(row.phrase): row.phrase for row in self._patterns.csv("level_nouns.csv", NounRow)}

    def noun(self, mention: LevelMention) -> tuple[Origin, ...]:
        """The row of the noun that levels modify, or of the site that is a level by itself."""
        if mention.noun_start >= 0:
            form = plain(self.text[mention.noun_start : mention.noun_end])
            for ending in _PLURALS:
                phrase = self._nouns.get(form.removesuffix(ending)) if form.endswith(ending) else None
                if phrase is not None:
                    return self.origins.csv("level_nouns.csv", phrase=phrase)
        return self._site_row(mention.start, mention.end)

    def _site_row(self, start: int, end: int) -> tuple[Origin, ...]:
        """The row of words that are a level by themselves."""
        phrase, phrases = self._sites.get(plain(self.text[start:end]), ("", ""))
        rows = self.origins.item("levels.toml", "sites", phrases=phrases) if phrase else ()
        return tuple(replace(row, key=phrase) for row in rows)

    @cached_property
    def _sites(self) -> dict[str, tuple[str, str]]:
        """The phrases that are a level by themselves, as they are looked up: each with its row's phrases."""
        sites = self._patterns.toml("levels.toml", LevelWords).sites
        return {plain(phrase): (phrase, str(list(site.phrases))) for site in sites for phrase in site.phrases}

    def levels(self) -> Findings:
        """Every level with its noun."""
        found = []
        for hit in self.raw.levels:
            mention = hit.mention
            value = ", ".join(item.name for item in mention.items)
            words = " ".join(self.text[mention.noun_start : mention.noun_end].split())
            why = f'{mention.noun} by "{words}"' if words else mention.noun or "no noun"
            kind = self.assembled.kinds.get(mention.start, "")
            why += f", taken as {kind}" if kind and kind != "bare" else ""
            found.append(self.at(mention.start, mention.end, "Level", value, self.noun(mention), why))
        return tuple(found)

    def refused(self) -> Findings:
        """What looks like a level and is none."""
        kept = [(hit.start, hit.end) for hit in self.raw.levels]
        return tuple(
            self.at(start, end, "Level", "", self._site_row(start, end), f"no level: {reason}")
            for start, end, reason in LevelGrammar(self._patterns).refused(self.text)
            if (start, end) not in kept
        )

    # -- drugs -------------------------------------------------------------------------------------------------

    @cached_property
    def agent_reasons(self) -> dict[tuple[int, int], AgentReason]:
        """What decided the role of each drug, by its place."""
        reading = self.assembled.reading
        found = AgentReader(self._patterns).reasons(self.text, drug_sentences(reading), used_drugs(reading))
        return {(reason.hit.start, reason.hit.end): reason for reason in found}

    @cached_property
    def _drug_names(self) -> DrugNames:
        return DrugNames(self._patterns)

    def drug_row(self, start: int, end: int) -> tuple[Origin, ...]:
        """The row of a drug's name."""
        row = self._drug_names.row_of(self.text[start:end])
        return self.origins.csv("agents.csv", phrase=row.phrase) if row else ()

    def role_row(self, reason: AgentReason) -> tuple[Origin, ...]:
        """The row that decided a drug's role, where one did."""
        row = reason.denied or reason.by
        if row is None:
            return ()
        return self.origins.csv("agent_roles.csv", phrase=row.phrase, role=row.role, direction=row.direction)

    def drugs(self) -> Findings:
        """Every drug with its role."""
        found = []
        for hit in self.assembled.reading.agents:
            reason = self.agent_reasons.get((hit.start, hit.end))
            rows = self.drug_row(hit.start, hit.end)
            role = (reason.role if reason else None) or "none"
            spelled = _plain_words(self.text[hit.start : hit.end])
            slip = "" if not rows or spelled == _plain_words(rows[0].key) else "; one letter off the name in its row"
            by = self.role_row(reason) if reason and not reason.denied else ()
            found.append(self.at(hit.start, hit.end, hit.drug_class, hit.name, (*rows, *by), f"role: {role}{slip}"))
        return tuple(found)

    # -- cues --------------------------------------------------------------------------------------------------

    @cached_property
    def cue_matches(self) -> list[CueMatch]:
        """Every match of a cue, kept or not."""
        component: Any = self._nlp.get_pipe("facetcode_assertion")
        found: list[CueMatch] = component.matches(self.doc)
        return found

    def cue_row(self, match: CueMatch) -> tuple[Origin, ...]:
        """The row of a cue."""
        words, category = match.row
        if match.is_regex:
            return self.origins.item("reading.toml", "regex", pattern=words, category=category)
        return self.origins.csv("cues.csv", phrase=words, category=category)

    @cached_property
    def _counted(self) -> set[tuple[int, int, str]]:
        return {(cue.start, cue.end, cue.category) for cue in self.raw.cues}

    def counts(self, match: CueMatch) -> bool:
        """True for a cue that is really read."""
        return match.fate == "kept" and (match.start, match.end, match.category) in self._counted

    def cues(self) -> Findings:
        """The cues that are read, and marks of forms that are read as such."""
        found = [
            self.at(cue.start, cue.end, cue.direction, cue.category, self.cue_row(cue))
            for cue in self.cue_matches
            if self.counts(cue)
        ]
        rows = {(cue.start, cue.end, cue.category) for cue in self.cue_matches}
        for place in sorted(self._counted - rows):
            found.append(self.at(*place[:2], "form", place[2], (), "read from the shape of the line"))
        return tuple(sorted(found, key=lambda item: (item.start, item.end, item.value)))

    def cues_between(self, start: int, end: int) -> list[CueMatch]:
        """The matches of cues that begin in a stretch, kept or not."""
        return self.cue_matches[bisect_left(self._cue_starts, start) : bisect_left(self._cue_starts, end)]

    @cached_property
    def _cue_starts(self) -> list[int]:
        return [cue.start for cue in self.cue_matches]

    def section_row(self, offset: int) -> tuple[Origin, ...]:
        """The row of the header under which an offset stands."""
        sections = self.doc._.facetcode_sections
        section = sections[max(0, bisect_right(self._section_starts, offset) - 1)]
        return self.header(section.name, section.kind, section.spoken) if section.name else ()

    @cached_property
    def _section_starts(self) -> list[int]:
        return [section.start for section in self.doc._.facetcode_sections]

    def deciding(self, start: int, end: int, category: str) -> list[CueMatch]:
        """The cues of a category that touch a span."""
        edges = self._edges.get(category, [])
        place = bisect_left(edges, (end,))
        found: dict[tuple[int, int], None] = {}
        while place > 0 and edges[place - 1][0] > start - self._longest:
            place -= 1
            _, last, *cue = edges[place]
            if last > start:
                found[cue[0], cue[1]] = None
        placed = self._placed_cues
        return [cue for key in reversed(found) for cue in placed.get(key, ()) if cue.category == category]

    @cached_property
    def _edges(self) -> dict[str, list[tuple[int, ...]]]:
        """What cues touch, by category and in order: (start, end, start and end of the cue)."""
        found: dict[str, list[tuple[int, ...]]] = {}
        for start, end, _, category, first, last in self.doc._.facetcode_assertions:
            found.setdefault(category, []).append((start, end, first, last))
        return {category: sorted(edges) for category, edges in found.items()}

    @cached_property
    def _longest(self) -> int:
        return max((edge[1] - edge[0] for edges in self._edges.values() for edge in edges), default=0) + 1

    @cached_property
    def _placed_cues(self) -> dict[tuple[int, int], list[CueMatch]]:
        found: dict[tuple[int, int], list[CueMatch]] = {}
        for cue in self.cue_matches:
            found.setdefault((cue.start, cue.end), []).append(cue)
        return found

    # -- what is left ------------------------------------------------------------------------------------------

    @cached_property
    def entities(self) -> EntityReader:
        """The reader of the entity layer."""
        return EntityReader(self._patterns)
