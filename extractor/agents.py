"""Drugs of a note and where they went: into the target, the skin, a vein, the wash bowl.

`AgentReader.hits` finds drug names; `AgentReader.read` gives each its role from the nearest cue (`agent_view`), from
its partners in a mixture and, when nothing is said, from its place in the procedure. The words are rows of agents.csv
and agent_roles.csv.

>>> from extractor.patterns import PatternFolder
>>> reader = AgentReader(PatternFolder())
>>> note = "Skin wheal with lidocaine 1%. Then 0.5 mL of 0.5% Marcaine at each nerve."
>>> [(a.name, a.role, a.concentration) for a in reader.read(note, [SentenceView(0, len(note), "body", "performed")])]
[('lidocaine', 'skin_anesthetic', '1%'), ('bupivacaine', 'injectate', '0.5%')]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from extractor.agent_amounts import amounts
from extractor.agent_boxes import unticked
from extractor.agent_names import DrugNames
from extractor.agent_table import AnestheticTable
from extractor.agent_view import REACH, AgentHit, Near, Phrases, RoleRow, SentenceView, View, Way
from extractor.patterns import PatternFolder
from extractor.records import Agent

__all__ = ["AgentHit", "AgentReader", "SentenceView", "injectate_names"]

Role = Literal["injectate", "skin_anesthetic", "contrast", "sedation", "prep", "flush", "systemic"]

_NOT_DONE = frozenset(
    "history medications allergies plan planned consent imaging_findings exam indication discharge teaching admin"
    " timeout numbering".split()
)
_SECOND_HAND = frozenset({"title", "impression", "diagnosis", "comment"})  # used when the body names no drug
_BY_CLASS: dict[str, Role] = {"contrast": "contrast", "sedation": "sedation", "prep": "prep", "systemic": "systemic"}
_AT_TARGET = frozenset({"steroid", "neurolytic", "biologic"})  # not put anywhere else unless the note says so
_WAYS: tuple[Way, Way] = ("left", "right")
_LONGEST_MIXTURE = 12
_LONGEST_ROW, _FEWEST_BARS = 400, 3
_WIDE_GAP, _FEWEST_GAPS = re.compile(r" {2,}|\t"), 2
_TARGET_ROW = re.compile(r"^\W*(?:[CTLS]\d|(?:left|right)\b|facet|medial|nerve|joint)", re.IGNORECASE)
_SKIN_REACH = 10  # words between "skin" and "infiltrated"
_VOTES = frozenset({"injectate", "skin_anesthetic", "each", "flush"})
_UNNAMED = frozenset({"generic", "vehicle"})


@dataclass(frozen=True, slots=True)
class _Verdict:
    """The role of one drug; `sure` is False when only a verb or the place in the note spoke for it."""

    role: Role | None
    sure: bool = True


def injectate_names(agents: Iterable[Agent]) -> tuple[str, ...]:
    """Names of what was put at the target, in order of mention: no vehicles, and no words such as "steroid" alone.

    >>> saline, drug = Agent("saline", "injectate", 0, 6, "vehicle"), Agent("lidocaine", "injectate", 9, 18, "other")
    >>> injectate_names([saline, drug])
    ('lidocaine',)
    """
    return tuple(dict.fromkeys(a.name for a in agents if a.role == "injectate" and a.drug_class not in _UNNAMED))


class AgentReader:
    """Finds drugs and their roles; built once from the patterns, then read-only."""

    def __init__(self, patterns: PatternFolder) -> None:
        self._names = DrugNames(patterns)
        self._table = patterns.toml("agents.toml", AnestheticTable)
        by_phrase: dict[str, list[RoleRow]] = {}
        for cue in patterns.csv("agent_roles.csv", RoleRow, key="key"):
            by_phrase.setdefault(cue.phrase, []).append(cue)
        self._cues: Phrases[tuple[RoleRow, ...]] = Phrases({phrase: tuple(cues) for phrase, cues in by_phrase.items()})

    def hits(self, text: str) -> tuple[AgentHit, ...]:
        """All drug names of a text, longest first, without overlaps. Linear in the length of the text."""
        return self._names.hits(text)

    def read(
        self, text: str, sentences: Sequence[SentenceView], hits: Sequence[AgentHit] | None = None
    ) -> tuple[Agent, ...]:
        """Every drug that was used at this encounter, with its role and amounts."""
        found = self.hits(text) if hits is None else tuple(hits)
        return _Roles(self.view(text, sentences, found), self._table).agents() if found else ()

    def view(self, text: str, sentences: Sequence[SentenceView], hits: Sequence[AgentHit]) -> View:
        """The words around the drugs of a note."""
        whole = sentences or [SentenceView(0, len(text), "", "performed")]
        return View(text, whole, hits, self._cues)

    def reasons(
        self, text: str, sentences: Sequence[SentenceView], hits: Sequence[AgentHit]
    ) -> tuple[AgentReason, ...]:
        """Why each drug has its role or none, for those who ask; arguments as in `read`. A generic word that is a part
        of a longer phrase is left out."""
        return _Roles(View(text, sentences, hits, self._cues), self._table).reasons() if hits else ()


@dataclass(frozen=True, slots=True)
class AgentReason:
    """Why a drug has its role, or none: the row of agent_roles.csv that spoke, and whether it was done at all."""

    hit: AgentHit
    role: Role | None
    done: bool  # its sentence tells of this encounter
    denied: RoleRow | None  # the row that says that it was not used
    unticked: bool  # it stands beside an empty box
    by: RoleRow | None  # the nearest row that spoke for its role


class _Roles:
    """The decisions about one note."""

    def __init__(self, view: View, table: AnestheticTable) -> None:
        self.view = view
        self.table = table
        self.hits = view.hits
        self.partners = self._partners()
        self.walks: dict[Way, list[tuple[Near, ...]]] = {}
        self.reached: dict[Way, dict[int, int]] = {}  # cue -> least cost of a drug that reaches it going this way
        for way in _WAYS:
            walks = [tuple(view.walk(index, way, self.partners[index])) for index in range(len(self.hits))]
            self.walks[way], self.reached[way] = walks, {}
            for near in (near for walk in walks for near in walk):
                self.reached[way][near.cue.start] = min(near.cost, self.reached[way].get(near.cue.start, near.cost))
        self.done = [self._performed(index) for index in range(len(self.hits))]
        self.negated = self._negated()
        self.amounts = [amounts(view, index) for index in range(len(self.hits))]
        needles = [view.starts[cue.start] for cue in view.cues if cue.has("needle")]
        self.needles = (needles[0], needles[-1]) if needles else (len(view.text), 0)

    def agents(self) -> tuple[Agent, ...]:
        """All drugs with a role, in the order of the text."""
        verdicts = [self._verdict(index) for index in range(len(self.hits))]
        roles = self._settle(verdicts)
        agents: list[Agent] = []
        for index, role in enumerate(roles):
            if role is not None:
                hit = self.hits[index]
                agents.append(
                    Agent(
                        hit.name, role, hit.start, hit.end, hit.drug_class, *self.amounts[index], self._section(index)
                    )
                )
        named = [a for a in agents if a.section not in _SECOND_HAND]
        return tuple(agents if not injectate_names(named) else named)

    def reasons(self) -> tuple[AgentReason, ...]:
        """Each drug with what decided its role."""
        roles = self._settle([self._verdict(index) for index in range(len(self.hits))])
        result = []
        for index, role in enumerate(roles):
            ways: Sequence[Way] = _WAYS if self.negated[index] else ()
            said = [near.row for way in ways for near in self._walk(index, way) if near.row.role == "not_used"]
            best = self._best(index)
            result.append(
                AgentReason(
                    self.hits[index],
                    role,
                    self.done[index],
                    said[0] if said else None,
                    unticked(self.view, index),
                    best.row if best else None,
                )
            )
        return tuple(result)

    def _section(self, index: int) -> str:
        sentence = self.view.sentence(self.hits[index].start)
        return sentence.section if sentence else ""

    def _performed(self, index: int) -> bool:
        sentence = self.view.sentence(self.hits[index].start)
        return sentence is not None and sentence.assertion == "performed" and sentence.section not in _NOT_DONE

    def _partners(self) -> list[frozenset[int]]:
        """For each drug the others of its mixture: neighbours with only amounts and joining words between."""
        chains: list[list[int]] = []
        for index in range(len(self.hits)):
            if index and len(chains[-1]) < _LONGEST_MIXTURE and self.view.gap(index - 1, index, "filler", "joiner"):
                chains[-1].append(index)
            else:
                chains.append([index])
        return [partners for partners in map(frozenset, chains) for _ in partners]

    def _negated(self) -> list[bool]:
        """Drugs that the note says were not used: "no steroid or contrast", "[ ] ropivacaine", a corrected slip."""
        view, count = self.view, len(self.hits)
        negated = [self._denied(index, "left") for index in range(count)]
        for index in range(1, count):
            if negated[index - 1] and view.gap(index - 1, index, "filler", "alternative"):
                listed = index + 1 < count and view.gap_has(index, index + 1, "alternative")
                negated[index] |= listed or view.gap_has(index - 1, index, "alternative")
        for index in range(count - 1, -1, -1):
            follower = (
                index + 1 < count
                and negated[index + 1]
                and self._denied(index + 1, "right")
                and not view.text.startswith(":", self.hits[index + 1].end)  # "mepivacaine 0.7 mL    Steroid: no"
            )
            negated[index] |= self._denied(index, "right") or (
                follower and view.gap(index, index + 1, "filler", "alternative", "joiner")
            )
            if index + 1 < count and self.hits[index].drug_class == self.hits[index + 1].drug_class:
                slip = view.gap_has(index, index + 1, "correction")
                negated[index] |= slip and view.gap(index, index + 1, "filler", "correction")
            negated[index] |= unticked(view, index)
        return negated

    def _denied(self, index: int, way: Way) -> bool:
        for near in self._walk(index, way):
            if near.cost > 0:
                return False
            if near.row.role == "not_used" and not self._other_box(near, index):
                return True
        return False

    def _other_box(self, near: Near, index: int) -> bool:
        """True for the "no" of a ticked box or of another field ("Sedation: no  Lidocaine 1%")."""
        if near.cue.start > self.view.spans[index][0] or near.cue.start == 0:
            return False
        gap = self.view.text[self.view.ends[near.cue.end - 1] : self.view.starts[near.cue.end]]
        return self.view.words[near.cue.start - 1] == "]" or len(gap) > 1

    def _verdict(self, index: int) -> _Verdict:
        hit, section = self.hits[index], self._section(index)
        if not self.done[index] or self.negated[index]:
            return _Verdict(None)
        if hit.drug_class in _BY_CLASS:
            return _Verdict(_BY_CLASS[hit.drug_class])
        if self._systemic(index):
            return _Verdict("systemic")
        if hit.drug_class == "generic" and self._has(index, "right", "procedure_name", 0):
            return _Verdict(None)
        best = self._best(index)
        if hit.drug_class in _AT_TARGET:
            return _Verdict("injectate")
        if best is not None and best.row.role == "flush" and best.cost < 4:
            return _Verdict("flush")
        role, cost = self._voted(best)
        if role == "injectate" and best is not None and self._into_skin(best):
            return _Verdict("skin_anesthetic")
        partners = [other for other in self.partners[index] if not self.negated[other]]
        mixed = any(self.hits[other].drug_class in _AT_TARGET for other in partners)
        if role == "skin_anesthetic" and best is not None and best.row.weight == "strong" and cost <= 6:
            if not mixed or self._beside(best, index):
                return _Verdict("skin_anesthetic")
        if mixed:
            return _Verdict("injectate")
        told = role == "injectate" and best is not None and (best.row.weight == "strong" or best.row.role == "each")
        if section == "skin" or (section in ("anesthesia", "sedation") and not told):
            return _Verdict("skin_anesthetic" if hit.drug_class != "other" else "systemic")
        if section == "injectate" or self._in_row(hit):
            return _Verdict("injectate")
        return _Verdict(role, sure=best is not None and best.row.weight == "strong")

    def _systemic(self, index: int) -> bool:
        return self._has(index, "left", "systemic", 0) or self._has(index, "right", "systemic", 3)

    def _has(self, index: int, way: Way, role: str, reach: int) -> bool:
        return any(near.row.role == role for near in self._walk(index, way) if near.cost <= reach)

    def _best(self, index: int) -> Near | None:
        """The cue with the least cost; a weak cue must stand clearly nearer than a strong one."""
        best: Near | None = None
        for way in _WAYS:
            for near in self._walk(index, way):
                if near.row.role not in _VOTES or self._nearer_to_another(near, way):
                    continue
                cost = near.cost + (8 if near.row.weight == "weak" else 0) + (4 if near.row.role == "each" else 0)
                if cost <= REACH and (best is None or cost < best.cost):
                    best = Near(near.row, cost, near.cue)
        return best

    def _in_row(self, hit: AgentHit) -> bool:
        """True in the row of a table that holds a target: "| L3 medial branch | X | bupivacaine 0.5% | 0.5 mL |"."""
        text = self.view.text
        floor, ceiling = max(0, hit.start - _LONGEST_ROW), hit.end + _LONGEST_ROW
        start, end = text.rfind("\n", floor, hit.start), text.find("\n", hit.end, ceiling)
        line = text[start + 1 if start >= 0 else floor : end if end >= 0 else ceiling]
        columns = line.count("|") >= _FEWEST_BARS or len(_WIDE_GAP.findall(line.strip())) >= _FEWEST_GAPS
        return columns and _TARGET_ROW.search(line) is not None

    def _into_skin(self, near: Near) -> bool:
        """True for "the skin over the L3-4 joint was infiltrated with": the joint only tells where the skin is."""
        view, cue = self.view, near.cue
        words = view.words[max(0, cue.start - _SKIN_REACH) : cue.end]
        if "infiltrated" not in view.words[cue.start : cue.end] or "skin" not in words:
            return False
        skin = len(words) - 1 - words[::-1].index("skin")
        over = words[skin + 1 : skin + 2]
        begin = view.sentence(view.starts[cue.start])
        inside = begin is not None and view.starts[cue.end - len(words) + skin] >= begin.start
        return inside and over[:1] in (["over"], ["overlying"], ["above"], ["at"])

    def _beside(self, near: Near, index: int) -> bool:
        """True when no other drug stands between the cue and the drug."""
        spans, place = self.view.spans, near.cue.start
        left = spans[index - 1][0] if index else -1
        right = spans[index + 1][0] if index + 1 < len(spans) else place + 1
        return left < place < right

    def _walk(self, index: int, way: Way) -> tuple[Near, ...]:
        return self.walks[way][index]

    def _nearer_to_another(self, near: Near, way: Way) -> bool:
        """True when the cue stands nearer to the drug on its other side, as in "0.5 mL bupi each, skin lido"."""
        return self.reached["right" if way == "left" else "left"].get(near.cue.start, REACH + 1) < near.cost

    @staticmethod
    def _voted(best: Near | None) -> tuple[Role | None, int]:
        if best is None:
            return None, REACH
        return ("skin_anesthetic" if best.row.role == "skin_anesthetic" else "injectate"), best.cost

    def _settle(self, verdicts: Sequence[_Verdict]) -> list[Role | None]:
        """The roles, with those that no clear cue decided taken from the order of the procedure."""
        roles: list[Role | None] = []
        numbed: set[tuple[str, str]] = set()  # drug and strength that went into the skin so far
        last = max(
            (index for index in range(len(self.hits)) if self._may_be_target(index, verdicts[index])), default=-1
        )
        for index, verdict in enumerate(verdicts):
            hit, role = self.hits[index], verdict.role
            if not self.done[index] or self.negated[index]:
                roles.append(None)
                continue
            if hit.drug_class == "vehicle":
                role = role or self._vehicle(index, verdicts)
            elif hit.drug_class == "other":
                role = role or "systemic"
            elif not verdict.sure or (role is None and hit.drug_class == "local_anesthetic"):
                role = self._by_place(index, role, numbed, last)
            if role == "skin_anesthetic" and hit.drug_class != "generic":
                numbed.add((hit.name, self.amounts[index][0]))
            roles.append(role)
        if not any(
            role == "injectate" and hit.drug_class not in _UNNAMED for role, hit in zip(roles, self.hits, strict=True)
        ):
            roles = [
                "injectate" if self._only_for_target(index, role, verdicts[index]) else role
                for index, role in enumerate(roles)
            ]
        return roles

    def _only_for_target(self, index: int, role: Role | None, verdict: _Verdict) -> bool:
        """True for a drug that blocks nerves and is the only one of its note, in a field for the anesthetic that says
        nothing of skin ("Local anesthetic   bupivacaine 0.25 %" in the form of a block), or with no cue at all."""
        hit = self.hits[index]
        if role != "skin_anesthetic" or (verdict.role and self._section(index) not in ("skin", "anesthesia")):
            return False
        sentence = self.view.sentence(hit.start)
        if sentence is None or self.table.skin_words.search(self.view.text, sentence.start, sentence.end):
            return False
        return self.table.blocks(hit.name, self.amounts[index][0])

    def _may_be_target(self, index: int, verdict: _Verdict) -> bool:
        if not self.done[index] or self.negated[index] or verdict.role not in ("injectate", None):
            return False
        return self.hits[index].drug_class in ("local_anesthetic", "steroid", "generic")

    def _vehicle(self, index: int, verdicts: Sequence[_Verdict]) -> Role:
        near = [verdicts[other].role for other in sorted(self.partners[index]) if other != index]
        return next((role for role in near if role in ("injectate", "skin_anesthetic")), "flush")

    def _by_place(self, index: int, role: Role | None, numbed: set[tuple[str, str]], last: int) -> Role | None:
        """The role of a local anesthetic that no cue decided; `last` is the last drug that may be for the target."""
        hit = self.hits[index]
        strength, _, volume, _ = self.amounts[index]
        if hit.drug_class == "generic" and role is None:
            return None
        needle_before, needle_after = self.needles[0] < hit.start, self.needles[1] > hit.end
        if numbed:
            repeated = any(name == hit.name and strength in ("", given) for name, given in numbed)
            if role is None:
                return "injectate" if not repeated or (volume and needle_before) else "skin_anesthetic"
            return "injectate" if role == "injectate" or (needle_before and not repeated) else "skin_anesthetic"
        if role == "skin_anesthetic":
            return role
        if not needle_before and needle_after and (index < last or role is None):
            return "skin_anesthetic"
        return "injectate"
