"""Sets of sided sites: how statements add up and how two views of one thing are compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from extractor import anatomy
from extractor.records import Side, SidedSite, Span

_MOST = 60  # places that are quoted for one site
_SIDES: dict[str, Side] = {"left": "left", "right": "right", "bilateral": "bilateral", "": "unspecified"}


@dataclass
class SiteSet:
    """Sites with sides and evidence, in order of first mention."""

    spans: dict[tuple[str, str], list[Span]] = field(default_factory=dict)

    def add(self, site: str, side: str, evidence: Iterable[Span]) -> None:
        """Add a site on a side ("", "left", "right" or "bilateral")."""
        found = self.spans.setdefault((site, side), [])
        if len(found) < _MOST:
            found.extend(span for span in evidence if span not in found)

    def __bool__(self) -> bool:
        return bool(self.spans)

    @property
    def names(self) -> set[str]:
        """The sites, whatever their side."""
        return {site for site, _ in self.spans}

    @property
    def sides(self) -> set[str]:
        """All sides given."""
        return {side for _, side in self.spans if side}

    def on(self, side: str) -> set[str]:
        """Sites on one side (left or right), bilateral ones included."""
        return {site for site, where in self.spans if where in (side, "bilateral")}

    def side_of(self, site: str) -> str:
        """The side of a site: "" unknown, "bilateral" when both are given."""
        sides = {side for name, side in self.spans if name == site and side}
        if "bilateral" in sides or {"left", "right"} <= sides:
            return "bilateral"
        return next(iter(sides), "")

    def without(self, other: SiteSet) -> SiteSet:
        """Without the sites of `other`; a side there takes away only that side."""
        result = SiteSet()
        for (site, side), evidence in self.spans.items():
            denied = {where for name, where in other.spans if name == site}
            if not denied:
                result.add(site, side, evidence)
            elif "" in denied or "bilateral" in denied or side in denied:
                continue
            elif side == "bilateral" and denied:
                rest = {"left", "right"} - denied
                for where in rest:
                    result.add(site, where, evidence)
            elif side:
                result.add(site, side, evidence)
        return result

    def joined(self, other: SiteSet) -> SiteSet:
        """The sites of both."""
        result = SiteSet({key: list(spans) for key, spans in self.spans.items()})
        for (site, side), evidence in other.spans.items():
            result.add(site, side, evidence)
        return result

    def filled(self, like: SiteSet, default: str) -> SiteSet:
        """Unknown sides taken from the same site in `like`, else from `default`."""
        result = SiteSet()
        for (site, side), evidence in self.spans.items():
            if not side and self.side_of(site):
                side = self.side_of(site)
            result.add(site, side or like.side_of(site) or default, evidence)
        return result

    def quoting(self, others: Iterable[SiteSet]) -> SiteSet:
        """The same sites with the words that name them in other places of the note as further evidence."""
        result = SiteSet({key: list(spans) for key, spans in self.spans.items()})
        for other in others:
            for (site, _), spans in other.spans.items():
                for key in result.spans:
                    if key[0] == site:
                        result.add(*key, spans)
        return result

    def widened(self, like: SiteSet) -> SiteSet:
        """Sites that stand on both sides in `like`, on both sides here too."""
        result = SiteSet()
        for (site, side), evidence in self.spans.items():
            result.add(site, "bilateral" if like.side_of(site) == "bilateral" else side, evidence)
        return result

    def sided_sites(self) -> tuple[SidedSite, ...]:
        """Frozen records, cranial to caudal."""
        merged: dict[str, tuple[str, list[Span]]] = {}
        for (site, _), evidence in self.spans.items():
            kept = merged.setdefault(site, (self.side_of(site), []))[1]
            kept.extend(span for span in evidence if span not in kept)
        ordered = sorted(merged.items(), key=lambda entry: _order(entry[0]))
        return tuple(
            SidedSite(site, _SIDES[side], tuple(sorted(evidence, key=lambda s: (s.start, s.end))))
            for site, (side, evidence) in ordered
        )


def joints_of(joints: SiteSet, nerves: SiteSet) -> dict[str, str]:
    """Joint -> side ("" unknown) of everything treated: joints themselves and joints both of whose nerves are there."""
    result: dict[str, set[str]] = {}
    for site, side in joints.spans:
        result.setdefault(site, set()).add(side)
    for side in ("left", "right", ""):
        names = {site for site, where in nerves.spans if where == side or (side and where == "bilateral")}
        for joint in anatomy.joints_supplied(names):
            result.setdefault(joint, set()).add(side)
    merged = {}
    for joint, sides in result.items():
        known = sides - {""}
        both = "bilateral" in known or {"left", "right"} <= known
        merged[joint] = "bilateral" if both else next(iter(known), "")
    return merged


def _order(site: str) -> float:
    return 2.5 if site == "TON" else anatomy.joint_order(site)
