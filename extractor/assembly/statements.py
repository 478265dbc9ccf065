"""Sided level mentions -> statements about joints, nerves or bone sites, with copies ("same on the left") carried
out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from extractor import anatomy
from extractor.assembly.sides import OPPOSITE, Copy, SidedLevel
from extractor.assembly.titles import drugged_sentences
from extractor.levels import as_joints, as_vertebrae, bare_list_joints
from extractor.mentions import LevelHit, Reading, Sentence
from extractor.records import LevelMention

Kind = Literal["joint", "nerve", "bone", "bare", "sacral", "foramen", "interspace"]

KIND_OF_NOUN: dict[str, Kind] = {
    "facet_joint": "joint",
    "medial_branch": "nerve",
    "dorsal_ramus": "nerve",
    "nerve": "nerve",
    "third_occipital_nerve": "nerve",
    "transverse_process": "bone",
    "superior_articular_process": "bone",
    "articular_pillar": "bone",
    "sacral_ala": "bone",
    "lateral_branch": "sacral",
    "sacral_foramen": "sacral",
    "neural_foramen": "foramen",
    "nerve_root": "foramen",
    "interlaminar": "interspace",
    "epidural": "interspace",
    "level": "bare",
    "": "bare",
}


_THEN = re.compile(r"(?:and|then|next|finally|lastly|also)\b", re.IGNORECASE)
_LEAD = 24  # characters before a level that goes on with the list of the sentence before
_LEAD_TO_ALA = 40  # "the L5 cannula was laid across the ala"
_COVERED = re.compile(
    r"\b(?:hardware|screws?|rods?|fusion|graft|metal|cement|implant)(?: \w+){0,4}"
    r" (?:over|on|covers?|covering|at) (?:the )?(?:left |right )?$",
    re.IGNORECASE,
)
_COUNTED_FROM = re.compile(
    r"\bcount\w*(?: (?:up|down|upwards?|downwards?|cephalad|caudad))? from (?:the )?$", re.IGNORECASE
)
_LIST_SIGN = re.compile(r"[,;&+]|\band\b", re.IGNORECASE)
_ON_BONE = re.compile(r"\s*(?:at|on|over|@)\s+(?:the\s+)?(?:(?:left|right)\s+)?", re.IGNORECASE)
_DONE = frozenset({"needlework", "performed", "repeat", "located"})
_ANAPHOR = 4  # sentences over which "there" or "that level" reaches back
_OF_JOINTS = frozenset({"superior_articular_process", "articular_pillar"})  # between two of them lies a joint
_ASIDE = re.compile(r"\s*[(=@-]\s*|\s+at\s+(?:the\s+)?", re.IGNORECASE)
_FOR = re.compile(r"\(|\bfor\b|\bwhere\b|\bto (?:reach|meet|block)\b|=|->", re.IGNORECASE)
_LIST_GOES_ON = re.compile(
    r"[\s,;]*(?:(?:[\[(][ x\u2713\u2714]?[\])]|[\u2612\u2611\u2713\u2714])\s*$"
    r"|(?:and|then|&|\+|another|plus|a (?:second|third|fourth)|the (?:second|third|fourth|next))\b)",
    re.IGNORECASE,
)
_SHOWN = re.compile(
    r"\b(?:outline|arthrogra\w+|contrast|spread|pattern|images?)\b[^.;]{0,60}"
    r"\bexcept (?:at |in |for |the |that |on )?(?:left |right )?$",
    re.IGNORECASE,
)
_LABELLED = 60  # characters between a label and the bone site that it is about
_FAR, _MOST_BONES = 400, 40  # characters and bone sites back to which a bare list of nerves refers


@dataclass(frozen=True, slots=True)
class Statement:
    """What one level mention says: `kind` by its noun, `side` as bound ("" unknown), zone and whether it is denied."""

    mention: LevelMention
    kind: Kind
    side: str
    zone: str
    sentence: int
    denied: bool
    source: tuple[int, int] | None = None
    copied: bool = False
    tight: bool = False  # two neighbours written side by side ("L four L five"): a pair where joints are meant

    @property
    def joints(self) -> tuple[str, ...]:
        """Joints named by pairs, chains and ranges."""
        return as_joints(self.mention)

    @property
    def vertebrae(self) -> tuple[str, ...]:
        """Every vertebra (or nerve) named."""
        return as_vertebrae(self.mention)

    @property
    def listed(self) -> tuple[str, ...]:
        """Joints that a bare list of vertebrae customarily means."""
        return bare_list_joints(self.mention)

    @property
    def pairs_only(self) -> bool:
        """True when every item is a pair of neighbours ("L3-4, L4-5")."""
        return all(item.joined == "pair" for item in self.mention.items)

    @property
    def nerves(self) -> tuple[str, ...]:
        """Nerves: by name, or by the bone site on which they lie."""
        if self.mention.noun == "third_occipital_nerve":
            return ("TON",)
        if self.kind == "bone":
            return tuple(n for v in self.vertebrae if (n := anatomy.nerve_at_bone(v)))
        return self.vertebrae


_NERVE_TARGETS = frozenset({"medial_branch", "medial_branch_block", "facet_joint", "facet_injection"})


def make(
    reading: Reading,
    sided: Iterable[SidedLevel],
    acting: frozenset[int],
    doing: frozenset[int],
    begun: int,
    bones: re.Pattern[str],
    injected: bool = True,
) -> list[Statement]:
    """Statements of the mentions whose noun can be a site; findings, fractures, discs and dermatomes are none.

    A level without a noun counts in the body only where its sentence (one of `acting`) tells of an act or names a
    target; so does any level in a full sentence outside a body section, as long as no needle work has `begun` (index
    of its first sentence). Where nothing was `injected` at all, the levels that were begun stay for the question.
    """
    text, sentences = reading.text, reading.sentences
    sided_rows = list(sided)
    spared = _spared(reading, {row.hit.sentence for row in sided_rows}) if injected else set()
    result: list[Statement] = []
    spaces = {hit.sentence for hit in reading.targets if hit.value == "epidural_space"}
    targeted = {hit.sentence for hit in reading.targets if hit.value in _NERVE_TARGETS}
    refused = {
        (row.hit.sentence, name)
        for row in sided_rows
        if "negated" in row.hit.cues
        for name in as_vertebrae(row.hit.mention)
    }
    for level in sided_rows:
        cues = sentences[level.hit.sentence].cues
        kind = KIND_OF_NOUN.get(level.hit.mention.noun)
        last = result[-1] if result else None
        if (
            kind == "bare"
            and level.fragment
            and last
            and last.sentence == level.hit.sentence - 1
            and not last.pairs_only
        ):
            kind = last.kind  # "... at the transverse process of L4. And at L5."
        if (
            kind == "bare"
            and last
            and last.kind == "bone"
            and last.sentence == level.hit.sentence - 1
            and not any(item.joined for item in level.hit.mention.items)
            and _THEN.match(text, sentences[level.hit.sentence].start, level.hit.start)
            and level.hit.start - sentences[level.hit.sentence].start <= _LEAD
        ):
            kind = "bone"  # "... of the left C four pillar | then left C five | then left C six contact with bone"
        if kind == "bone" and _COVERED.search(text, max(0, level.hit.start - 2 * _LEAD_TO_ALA), level.hit.start):
            continue  # "the hardware is over the sacral ala"
        if (
            "negated" in level.hit.cues
            and not cues & {"needlework", "performed"}
            and _SHOWN.search(text, sentences[level.hit.sentence].start, level.hit.start)
        ):
            continue  # "an outline was seen at all except left L5-S1": of the contrast, not of the injection
        if kind == "bare" and "correction" in cues and "negated" not in level.hit.cues:
            if all((level.hit.sentence, name) in refused for name in as_vertebrae(level.hit.mention)):
                continue  # "to the L2 correction start at L3 I did not do the L2"
        past = "historical" in level.hit.cues & cues and not cues & _DONE
        if past and kind == "bare" and level.zone in {"body", "neutral"}:
            continue  # "he comes in today for his injections, he had a neck ablation at C5-6 years ago"
        if _COUNTED_FROM.search(text, max(0, level.hit.start - _LEAD_TO_ALA), level.hit.start):
            continue  # "the pillars were counted down from C2 and the waists of C4, C5 and C6 marked"
        if kind == "bare" and "numbering" in cues and "needlework" not in cues:
            continue  # "counting from T12 upward"
        if (
            kind == "bare"
            and last
            and last.kind == "bone"
            and last.sentence == level.hit.sentence - 1
            and "repeat" in cues
            and not level.hit.mention.items[0].joined
        ):
            kind = "bone"  # "two others were similarly passed to L3 and to L4"
        if (
            kind == "bare"
            and last
            and last.sentence == level.hit.sentence
            and _continues(text, last, level.hit.mention)
        ):
            kind = last.kind  # "to the medial branch of L3 and then to that of L4"
        if (
            kind == "bare"
            and last
            and last.sentence == level.hit.sentence
            and _named_by_bones(text, result, level.hit.mention)
        ):
            kind = "nerve"  # "at the transverse processes of L2 and L3 for L1 and L2"
        if kind == "bare" and level.hit.sentence in spaces and level.hit.sentence not in targeted:
            kind = "interspace"  # "at the L5-S1 inter space loss of resistance to saline"
        if kind == "bare" and "grid_row" in cues and _beside_its_bone(reading, level.hit):
            kind = "nerve"  # "| L3 | L4 TP | ok | ok |"
        if (
            kind == "bare"
            and last
            and last.kind == "nerve"
            and "grid_row" in cues & sentences[last.sentence].cues
            and not level.hit.mention.items[0].joined
        ):
            kind = "nerve"  # the rows of one table
        if kind == "bare" and _under_nerves(sentences[level.hit.sentence]) and not level.hit.mention.items[0].joined:
            kind = "nerve"  # "NERVES: L1:N  L2:N  L3:Y", "Nerves blocked: | L2 [x]  L3 [x]"
        if kind is None and level.hit.mention.noun == "vertebra" and last and last.kind == "bone":
            if last.sentence == level.hit.sentence and _continues(text, last, level.hit.mention):
                kind = "bone"  # "... of the L4 vertebra, a second at the same junction of the L5 vertebra"
        chained = bool(
            last
            and last.sentence == level.hit.sentence - 1
            and level.hit.mention.items[0].joined == "pair"
            and (level.short or all(text[sentences[n].start] == "-" for n in (last.sentence, level.hit.sentence)))
        )
        if kind is None or (
            not chained and level.zone in {"body", "neutral"} and _idle(level, kind == "bare", acting, doing, begun)
        ):
            continue
        if kind == "bare" and _on_bones(reading, level, sided_rows, bones):
            kind = "bone"  # "the transverse process was targeted at L3, at L4 and at L5"
        if kind == "bone" and level.hit.mention.noun in _OF_JOINTS and _pairs(level.hit.mention):
            kind = "joint"  # "the gap between the articular processes at L4-5"
        denied = bool(level.hit.cues & {"negated"}) or level.hit.sentence in spared
        if kind == "bone" and last and last.sentence == level.hit.sentence and _nerve_of(text, last, level.hit.mention):
            result[-1] = replace(last, kind="nerve")
        if (
            kind == "bone"
            and last
            and last.sentence == level.hit.sentence
            and _ala_of_nerves(text, last, level.hit.mention)
        ):
            result[-1] = replace(last, kind="nerve")
        if kind == "nerve" and last and last.sentence == level.hit.sentence and _site_of(text, last, level.hit.mention):
            result[-1] = replace(last, kind="bone")
        result.append(
            Statement(
                level.hit.mention,
                kind,
                level.side,
                level.zone,
                level.hit.sentence,
                denied,
                level.source,
                tight=_tight(text, level.hit.mention),
            )
        )
    return result


def _spared(reading: Reading, leveled: set[int]) -> set[int]:
    """Sentences whose level was left alone, as a later one says without naming it ("nothing was injected there"), or
    as its own end says ("L5-S1 looked degenerate too, but it was left alone")."""
    sentences = reading.sentences
    levels: dict[int, list[int]] = {}
    for hit in reading.levels:
        levels.setdefault(hit.sentence, []).append(hit.mention.end)
    drugged = drugged_sentences(reading)
    found = {
        cue.sentence
        for cue in reading.cues
        if cue.category == "nothing_there"
        and [end <= cue.start for end in levels.get(cue.sentence, ())] == [True]
        and not sentences[cue.sentence].cues & {"planned", "historical"}
        and not ("needlework" in sentences[cue.sentence].cues and cue.sentence in drugged)
    }
    sided = {hit.sentence for hit in reading.sides if hit.value in OPPOSITE}
    for s in sentences:
        if "nothing_there" not in s.cues or s.index in levels:
            continue
        goes_on = s.index - 1 in leveled and sentences[s.index - 1].zone == "body"
        if s.cues & {"planned", "historical"} and not goes_on and "performed" not in s.cues:
            continue
        before = [index for index in range(s.index - 1, max(-1, s.index - 1 - _ANAPHOR), -1) if index in leveled]
        if before and not any(before[0] < index <= s.index for index in sided):
            found.update(before[:1])  # else it is a side that was left out
    return found


def _beside_its_bone(reading: Reading, hit: LevelHit) -> bool:
    """True for a vertebra in a row that also names the bone on which the nerve of that number lies."""
    here = as_vertebrae(hit.mention)
    return any(
        other.sentence == hit.sentence
        and KIND_OF_NOUN.get(other.mention.noun) == "bone"
        and tuple(anatomy.nerve_at_bone(v) for v in as_vertebrae(other.mention)) == here
        for other in reading.levels
    )


def _under_nerves(sentence: Sentence) -> bool:
    """True in the line of a heading that names nerves, and in the line below it."""
    return sentence.section.startswith("nerve") and sentence.line - sentence.header_line <= 1


def _pairs(mention: LevelMention) -> bool:
    return all(item.joined == "pair" for item in mention.items)


def _on_bones(reading: Reading, level: SidedLevel, levels: Sequence[SidedLevel], bones: re.Pattern[str]) -> bool:
    """True for bare vertebrae in a sentence that names bone sites before them, and neither nerves nor joints."""
    if level.zone not in {"body", "neutral"} or any(item.joined for item in level.hit.mention.items):
        return False
    sentence = reading.sentences[level.hit.sentence]
    if not bones.search(reading.text, sentence.start, level.hit.start):
        return False
    if any(other.hit.sentence == sentence.index and other.hit.mention.noun not in {"", "level"} for other in levels):
        return False
    return not any(hit.sentence == sentence.index and hit.value in _NERVE_TARGETS for hit in reading.targets)


def _tight(text: str, mention: LevelMention) -> bool:
    items = mention.items
    if len(items) != 2 or any(item.joined for item in items):
        return False
    return not text[items[0].end : items[1].start].strip() and anatomy.adjacent(items[0].top, items[1].top)


def _idle(level: SidedLevel, bare: bool, acting: frozenset[int], doing: frozenset[int], begun: int) -> bool:
    """True when nothing in or before the sentence of a level tells that something was done."""
    if bare:
        return level.hit.sentence not in acting and not level.hit.boxed
    return level.running and not level.hit.boxed and level.hit.sentence < begun and level.hit.sentence not in doing


def _continues(text: str, last: Statement, mention: LevelMention) -> bool:
    """True when a bare vertebra goes on with the list that the statement before it began."""
    if (last.pairs_only and last.mention.noun != "third_occipital_nerve") or any(item.joined for item in mention.items):
        return False
    gap = text[
        max(last.mention.end, last.mention.noun_end if last.mention.noun_end < mention.start else 0) : mention.start
    ]
    if gap.strip() == ",":
        return last.kind == "nerve"
    return len(gap) <= 60 and _LIST_GOES_ON.match(gap) is not None


def _nerve_of(text: str, last: Statement, bone: LevelMention) -> bool:
    """True for "L1 (TP L2)", "L3 at the L4 TP" and "L3: needle to the L4 TP": the bare vertebra is the nerve that lies
    on the bone."""
    gap = text[last.mention.end : bone.start]
    labelled = gap.startswith(":") and len(gap) <= _LABELLED
    if last.mention.noun not in {"", "level"} or not (labelled or "(" in gap[:4] or _ON_BONE.fullmatch(gap)):
        return False
    return tuple(anatomy.nerve_at_bone(v) for v in as_vertebrae(bone)) == last.vertebrae


def _ala_of_nerves(text: str, last: Statement, ala: LevelMention) -> bool:
    """True for "L3, L4, L5 (ala)": the ala only explains where the last nerve of a bare list was met."""
    if ala.noun != "sacral_ala" or last.kind != "bare" or last.vertebrae[-1:] != ("L5",):
        return False
    gap = text[last.mention.end : ala.start]
    laid = last.vertebrae == ("L5",) and len(gap) <= _LEAD_TO_ALA and _LIST_SIGN.search(gap) is None
    return laid or _ASIDE.fullmatch(gap) is not None


def _named_by_bones(text: str, before: Sequence[Statement], mention: LevelMention) -> bool:
    """True when bare vertebrae name the nerves of the bone sites just before them in the sentence."""
    last = before[-1]
    gap = mention.start - last.mention.end
    if last.kind != "bone" or gap > _FAR or not _FOR.search(text, last.mention.end, mention.start):
        return False
    near = before[-_MOST_BONES:]
    bones = [s for s in near if s.sentence == last.sentence and s.kind == "bone"]
    return bool(bones) and {n for s in bones for n in s.nerves} >= set(as_vertebrae(mention))


def _site_of(text: str, last: Statement, nerve: LevelMention) -> bool:
    """True when the vertebra before a nerve is the bone on which the nerve lies: "at L2 for the L1 branch", "L2
    (L1 branch)"."""
    if nerve.noun == "third_occipital_nerve":
        return False
    borrowed = last.mention.noun_start >= nerve.start  # its noun is really the nerve's
    if (last.mention.noun not in {"", "level"} and not borrowed) or len(last.vertebrae) != len(as_vertebrae(nerve)):
        return False
    gap = text[last.mention.end : nerve.start]
    if len(gap) > 70 or not _FOR.search(gap):
        return False
    return tuple(anatomy.nerve_at_bone(v) for v in last.vertebrae) == as_vertebrae(nerve)


def with_copies(statements: Sequence[Statement], copies: Sequence[Copy], title_side: str) -> list[Statement]:
    """The statements with every copy carried out: what stands before it on the opposite side counts for its side
    too."""
    result = list(statements)
    for copy in copies:
        told = [s for s in result if s.zone in {"body", "neutral"}]
        if copy.weak and (
            title_side in OPPOSITE and title_side != copy.side or any(s.side in (copy.side, "bilateral") for s in told)
        ):
            continue
        before = [
            s
            for s in result
            if s.mention.start < copy.at and s.zone in {"body", "neutral"} and not s.denied and not s.copied
        ]
        if copy.side in OPPOSITE:
            opposite = [s for s in before if s.side == OPPOSITE[copy.side]]
            have = {(s.mention.start, s.side) for s in result}
            result += [
                replace(s, side=copy.side, source=copy.source, copied=True)
                for s in opposite
                if (s.mention.start, copy.side) not in have
            ]
            if not opposite and not any(s.side == copy.side for s in before) and title_side != copy.side:
                # "... at each. He is tender on the right, and it was the right that I did": no word of repetition
                told_late = replace(copy, side=copy.side if copy.weak else "bilateral")
                result = [_on(s, told_late) if s in before and not s.side else s for s in result]
        elif copy.side in {"bilateral", "other"}:
            both = replace(copy, side="bilateral")
            result = [_on(s, both) if s in before and (not s.side or copy.side == "other") else s for s in result]
    return result


def _on(statement: Statement, copy: Copy) -> Statement:
    return replace(statement, side=copy.side, source=copy.source)
