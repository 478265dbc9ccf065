"""What stands in which sentence of a note: the sets that the zones ask again and again, made once a note."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Set
from dataclasses import dataclass, field

from extractor.assembly.titles import drugged_sentences, naming_sections
from extractor.mentions import Reading, Sentence
from extractor.text import brackets

PROCEDURAL = frozenset(
    {
        "facet_injection",
        "medial_branch_block",
        "thermal_rf",
        "cooled_rf",
        "pulsed_rf",
        "epidural_transforaminal",
        "epidural_interlaminar",
        "epidural_caudal",
        "epidural",
    }
)
_NERVED = frozenset({"medial_branch", "medial_branch_block"})
_STRETCH, _FULL = 6, 3  # of so many sentences so many tell of needle work
_INTRO = re.compile(
    r"(?:(?:so|ok|okay|alright|all right|um|uh|now) )*(?:this|here|that) is (?:a|an|the|for|our|my)\b", re.IGNORECASE
)
_YEAR = re.compile(
    r"(?<![\w.,#-])20(?P<full>[0-4]\d)(?![\w%]|[.,]\d|\s?(?:ml|mg|mcg|units?|h\b|hrs?\b|ohm|x\b))"
    r"|(?<![\w'\u2019])['\u2019](?P<short>[0-4]\d)(?![\w'\u2019\"])"
    r"|(?<![\w/.-])(?:\d{1,2}[/-]\d{1,2}[/-]|\d\d\.\d\d\.)(?:20)?(?P<day>[0-4]\d)(?![\w/-])"
    r"|(?<![\w/.-])20(?P<iso>[0-4]\d)-\d\d-\d\d(?!\d)",
    re.IGNORECASE,
)
_VERB = re.compile(r"\b(?:is|was|are|were|has|had|have)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Seen:
    """Indices of sentences by what they hold.

    level        a vertebral level                    target      a target of the families of this product
    named        any target, other operations too     family      facet joints or the name of a procedure
    procedural   the name of a procedure              surgical    an operation of today
    nerved       a medial branch                      diagnostic  a diagnostic study, not only in brackets
    drugged      a local anaesthetic or a steroid     worked      the head of a stretch full of needle work
    naming       title sections, each with the last sentence that still belongs to its title
    first_procedural  where in a sentence the first name of a procedure stands
    """

    text: str
    level: frozenset[int]
    target: frozenset[int]
    named: frozenset[int]
    family: frozenset[int]
    procedural: frozenset[int]
    surgical: frozenset[int]
    nerved: frozenset[int]
    diagnostic: frozenset[int]
    drugged: frozenset[int]
    worked: frozenset[int]
    naming: dict[tuple[str, int], int]
    first_procedural: dict[int, int]
    latest: list[int] = field(default_factory=list)  # the latest year that the note names, once it was asked for

    @classmethod
    def of(cls, reading: Reading) -> Seen:
        """The sets of one reading."""
        targets = reading.targets
        asides = brackets(reading.text)
        drugged = drugged_sentences(reading)
        procedural = [hit for hit in targets if hit.value in PROCEDURAL]
        return cls(
            text=reading.text,
            level=frozenset(hit.sentence for hit in reading.levels),
            target=frozenset(h.sentence for h in targets if not h.value.startswith(("other:", "intent:", "region:"))),
            named=frozenset(h.sentence for h in targets if not h.value.startswith(("intent:", "region:"))),
            family=frozenset(h.sentence for h in targets if h.value in PROCEDURAL or h.value == "facet_joint"),
            procedural=frozenset(hit.sentence for hit in procedural),
            surgical=frozenset(h.sentence for h in targets if h.value == "other:surgery" and not h.cues),
            nerved=frozenset(hit.sentence for hit in targets if hit.value in _NERVED),
            diagnostic=frozenset(
                h.sentence for h in reading.imaging if h.value == "diagnostic" and not _within(asides, h.start)
            ),
            drugged=frozenset(drugged),
            worked=_worked(reading, drugged),
            naming=naming_sections(reading, drugged),
            first_procedural={hit.sentence: hit.start for hit in reversed(procedural)},
        )

    def telling(self) -> frozenset[int]:
        """All sentences in which something was read that may decide a zone."""
        read = (self.level, self.named, self.family, self.procedural, self.nerved, self.diagnostic, self.drugged)
        return self.worked.union(self.target, self.surgical, *read)

    def of_old(self, sentence: Sentence) -> bool:
        """True for a sentence that names years, all of them before the latest of the note: "Facet inj L4-5 bilat 2024 -
        helped" in a note of 2026."""
        years = _years(self.text, sentence.start, sentence.end)
        if years and not self.latest:
            self.latest.append(max(_years(self.text, 0, len(self.text)), default=0))
        return bool(years) and max(years) < self.latest[0]

    def tells(self, sentence: Sentence) -> bool:
        """True for a sentence with a verb; "this is a lumbar facet block dictation" has none that counts."""
        intro = _INTRO.match(self.text, sentence.start)
        return _VERB.search(self.text, intro.end() if intro else sentence.start, sentence.end) is not None


def _years(text: str, start: int, end: int) -> list[int]:
    """The years of this century in a stretch of text: "2024", "'24", and those of days ("4/2/25")."""
    return [2000 + int(match[match.lastgroup or 0]) for match in _YEAR.finditer(text, start, end)]


def _within(asides: list[tuple[int, int]], offset: int) -> bool:
    """True for what is said in brackets only."""
    place = bisect_right(asides, (offset, 1 << 60)) - 1
    return place >= 0 and asides[place][0] <= offset < asides[place][1]


def _worked(reading: Reading, drugged: Set[int]) -> frozenset[int]:
    """Sentences with needle work at the head of a stretch that is full of it: a body, whatever header is above.

    Guidance and the wash of the skin count as such work too.
    """
    sentences = reading.sentences
    guided = {hit.sentence for hit in reading.imaging if hit.value not in {"diagnostic", "none"} and not hit.cues}
    wash = [hit.start for hit in reading.agents if hit.drug_class == "prep"]
    starts = [s.start for s in sentences] if wash else []
    washed = {bisect_right(starts, start) - 1 for start in wash}
    cued = [s for s in sentences if s.cues]
    given = {s.index for s in cued if "each" in s.cues} & drugged
    worked = guided | washed | given
    if len(worked.union(s.index for s in cued if "needlework" in s.cues)) < _FULL:
        return frozenset()
    plain = [
        ("needlework" in s.cues or s.index in worked)
        and not s.cues & {"historical", "planned", "exam", "consent", "negated", "explained"}
        for s in sentences
    ]
    return frozenset(s.index for s in sentences if plain[s.index] and sum(plain[s.index : s.index + _STRETCH]) >= _FULL)
