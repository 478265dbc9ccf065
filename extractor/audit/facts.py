"""What the coder already knows, as answers to items of the checklist. Nothing is read again from the text."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from extractor.audit.reading import Found, Heard, Shown
from extractor.audit.shelf import FACET, Shelf
from extractor.coding.codebook import CodeBook
from extractor.schema import CodingResult, Evidence, ProcedureOut

_EPIDURAL = frozenset({"transforaminal", "interlaminar", "caudal"})
_GUIDED = frozenset({"fluoroscopy", "ct"})
_CONTRADICTED: Mapping[str, str] = {"levels": "level_conflict", "sides": "side_conflict", "agents": "agent_conflict"}
_UNCLEAR: Mapping[str, frozenset[str]] = {
    "levels": frozenset({"missing_level", "ambiguous_level", "unfilled_template", "missing_region"}),
    "sides": frozenset({"missing_side"}),
    "agents": frozenset({"missing_agent"}),
}
_JUNCTION, _BELOW = "T12-L1", "L1-L2"
WHOLE = ""  # the part of a fact that answers for its whole item


@dataclass(frozen=True, slots=True)
class Facts:
    """A coded note: the result, the procedures that an item applies to, and the note as heard."""

    result: CodingResult
    procedures: tuple[ProcedureOut, ...]
    heard: Heard
    book: CodeBook
    shelf: Shelf

    def asked(self, item: str) -> Shown | bool | None:
        """What open questions say of an item: "not_met" for a contradiction, None for what is unclear, else True."""
        ids = {query.id for query in self.result.queries}
        if _CONTRADICTED.get(item) in ids:
            return "not_met"
        return None if ids & _UNCLEAR.get(item, frozenset()) else True


Reader = Callable[[Facts, Sequence[Found]], list[Found]]


def _whole(shows: Shown, evidence: Iterable[Evidence] = ()) -> list[Found]:
    return [Found(WHOLE, shows, tuple(evidence))]


def _unless_asked(name: str, facts: Facts, known: bool, evidence: Iterable[Evidence]) -> list[Found]:
    asked = facts.asked(name)
    if asked == "not_met":
        ids = _CONTRADICTED[name]
        return _whole("not_met", (e for query in facts.result.queries if query.id == ids for e in query.evidence))
    return _whole("met", evidence) if asked and known else []


def _sites(facts: Facts) -> list[Evidence]:
    sides = {(item.start, item.end) for item in facts.result.entities if item.label == "Side"}
    return [
        words
        for item in facts.procedures
        for site in (*item.joints, *item.nerves)
        for words in site.evidence
        if (words.start, words.end) not in sides
    ]


def _levels(facts: Facts, found: Sequence[Found]) -> list[Found]:
    known = all(item.joints or item.nerves for item in facts.procedures)
    return _unless_asked("levels", facts, known, _sites(facts))


def _sides(facts: Facts, found: Sequence[Found]) -> list[Found]:
    lines = [line for line in facts.result.lines if facts.book.code(line.code).side]
    known = bool(lines) and all(line.side != "unspecified" for line in lines)
    return _unless_asked("sides", facts, known, _entities(facts, "Side"))


def _entities(facts: Facts, label: str, value: str = "") -> list[Evidence]:
    return [
        Evidence(start=item.start, end=item.end, text=item.text, section=item.section)
        for item in facts.result.entities
        if item.label == label and item.assertion == "performed" and value in ("", item.value)
    ]


def _guidance(facts: Facts, found: Sequence[Found]) -> list[Found]:
    kinds = [set(item.imaging) for item in facts.procedures]
    if all(kind & _GUIDED for kind in kinds):
        return _whole("met", [e for name in sorted(_GUIDED) for e in _entities(facts, "Imaging", name)])
    others = set().union(*kinds) - _GUIDED
    if others:
        return _whole("not_met", [e for name in sorted(others) for e in _entities(facts, "Imaging", name)])
    denied = {item.code for item in facts.result.rejected if item.reason == facts.book.reason("imaging-needed")}
    return _whole("not_met") if denied else []


def _contrast(facts: Facts, found: Sequence[Found]) -> list[Found]:
    quotes = tuple(agent.evidence for item in facts.procedures for agent in item.agents if agent.role == "contrast")
    return [*found, *([Found("used", "met", quotes[:2])] if quotes else [])]


def _agents(facts: Facts, found: Sequence[Found]) -> list[Found]:
    """Each drug at the target needs a strength (concentration or dose) and a volume; a mixture may share its volume."""
    given = [
        agent
        for item in facts.procedures
        for agent in item.agents
        if agent.role == "injectate" and agent.drug_class != "vehicle"
    ]
    names = {agent.name for agent in given}
    strong = {agent.name for agent in given if agent.concentration or agent.dose}
    measured = any(agent.volume for agent in given) or _measured(found, [agent.evidence for agent in given], facts)
    known = bool(names) and names == strong and measured
    return _unless_asked("agents", facts, known, [agent.evidence for agent in given])


def _measured(found: Sequence[Found], agents: Sequence[Evidence], facts: Facts) -> bool:
    """True for a volume in the sentence of a drug ("1 mL of a mixture of ...")."""
    starts = sorted(agent.start for agent in agents)
    rooms = [facts.heard.given(one.sentence) for one in found if one.part == "volume" and one.sentence]
    return any(bisect_left(starts, start) < bisect_left(starts, end) for start, end in rooms)


def _approach(facts: Facts, found: Sequence[Found]) -> list[Found]:
    known = all({"facet_joint", "medial_branch"} & set(item.targets) for item in facts.procedures)
    return _whole("met", [e for item in facts.procedures for e in item.evidence][:2]) if known else []


def _intent(facts: Facts, found: Sequence[Found]) -> list[Found]:
    stated = [item for item in facts.procedures if item.intent]
    if not stated:
        return list(found)
    own = [one for one in found if one.part == "intent"]
    quotes = own[0].evidence if own else tuple(e for item in stated for e in item.evidence)[:2]
    return [Found("intent", "met", quotes)]


def _level_limit(facts: Facts, found: Sequence[Found]) -> list[Found]:
    joints: dict[tuple[str, str], set[str]] = {}
    for line in facts.result.lines:
        place = facts.shelf.place(line.code)
        if place and place.service in FACET:
            joints.setdefault((place.service, place.region), set()).update(line.joints)
    if not joints or not any(joints.values()):
        return []
    most = facts.book.profile(facts.result.versions.profile).covered_levels
    for (service, region), names in list(joints.items()):
        upper = joints.get((service, "cervicothoracic"), set())
        if region == "lumbar" and _BELOW in names and _JUNCTION in upper:
            names.add(_JUNCTION)  # with L1-L2 it counts as lumbar
            upper.discard(_JUNCTION)
    crowded = any(len(names) > most for names in joints.values())
    return _whole("not_met" if crowded else "met", _sites(facts))


def _one_kind(facts: Facts, found: Sequence[Found]) -> list[Found]:
    kinds = {"epidural" if item.family in _EPIDURAL else item.family for item in facts.result.procedures}
    quotes = [item.evidence[0] for item in facts.result.procedures if item.evidence]
    return _whole("met" if len(kinds) == 1 else "not_met", quotes if len(kinds) > 1 else ())


def _sedation(facts: Facts, found: Sequence[Found]) -> list[Found]:
    """A sedative that was given shows sedation, whatever else is said."""
    quotes = tuple(
        agent.evidence for item in facts.result.procedures for agent in item.agents if agent.role == "sedation"
    )
    return [*found, *([Found("light", "not_met", quotes[:3])] if quotes else [])]


def _fusion(facts: Facts, found: Sequence[Found]) -> list[Found]:
    """A fusion counts where its levels share a joint with those treated; at other levels it is none of these."""
    treated = {joint for line in facts.result.lines for joint in line.joints}
    levels = sorted(
        ((item.start, item.value) for item in facts.result.entities if item.label == "Level"), key=itemgetter(0)
    )
    starts = [start for start, _ in levels]
    fused: dict[tuple[int, int], frozenset[str]] = {}  # by sentence, which may tell of many fusions
    weighed: list[Found] = []
    for one in found:
        if one.part != "mention":
            weighed.append(one)
            continue
        if one.shows == "met":  # denied
            weighed.append(Found("none", "met", one.evidence, one.sentence))
            continue
        if one.sentence is None:
            continue
        room = (one.sentence.start, one.sentence.end)
        if room not in fused:
            start, end = facts.heard.given(one.sentence)
            inside = levels[bisect_left(starts, start) : bisect_left(starts, end)]
            fused[room] = frozenset(name for _, value in inside for name in value.replace(",", " ").split())
        if names := fused[room]:
            weighed.append(Found("none", "not_met" if names & treated else "met", one.evidence, one.sentence))
    return weighed


READERS: Mapping[str, Reader] = {
    "levels": _levels,
    "sides": _sides,
    "guidance": _guidance,
    "contrast": _contrast,
    "agents": _agents,
    "approach": _approach,
    "intent": _intent,
    "level_limit": _level_limit,
    "one_kind": _one_kind,
    "sedation": _sedation,
    "fusion": _fusion,
}
