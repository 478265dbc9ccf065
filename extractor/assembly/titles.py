"""Where titles end, and which sentences name a drug: what the zones need to know beforehand."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Set

from extractor.mentions import Reading, Sentence

NUMBERED = re.compile(r"\(?(?:\d{1,2}|[a-z])[.)]\s")


def drugged_sentences(reading: Reading) -> set[int]:
    """Sentences that name a local anaesthetic or a steroid."""
    named = [hit.start for hit in reading.agents if hit.drug_class in {"local_anesthetic", "steroid"}]
    starts = [sentence.start for sentence in reading.sentences] if named else []
    return {max(0, bisect_right(starts, start) - 1) for start in named}


_GOES_ON = re.compile(r"(?:and|with|under|for|using|plus|at)\b", re.IGNORECASE)
_LONG_TITLE = 75  # a first sentence of more characters that names nothing is running text


def _goes_on(reading: Reading, sentence: Sentence) -> bool:
    """True for a sentence of dictation that only carries the title on ("under fluoroscopy")."""
    return _GOES_ON.match(reading.text, sentence.start) is not None and sentence.end - sentence.start < _LONG_TITLE


def naming_sections(reading: Reading, drugged: Set[int]) -> dict[tuple[str, int], int]:
    """Title sections that name a procedure, with the last sentence that still belongs to the title.

    A title ends with its first paragraph, or before the first sentence that tells of needle work; what follows is
    running text. `drugged`: the sentences that name a drug.
    """
    named = {hit.sentence for hit in reading.targets if not hit.value.startswith(("intent:", "region:"))}
    targeted = set(named)
    named |= {hit.sentence for hit in reading.levels}
    last: dict[tuple[str, int], int] = {}
    first_paragraph: dict[tuple[str, int], int] = {}
    closed: set[tuple[str, int]] = set()
    naming: set[tuple[str, int]] = set()
    for sentence in reading.sentences:
        if sentence.kind not in {"title", "study"}:
            continue
        key = (sentence.section, sentence.header_line)
        if key in closed:
            continue
        empty_header = sentence.first_in_section and sentence.end - sentence.start <= len(sentence.section) + 4
        paragraph = first_paragraph.get(key)
        if paragraph is None and not empty_header:
            paragraph = first_paragraph[key] = sentence.paragraph
        listed = NUMBERED.match(reading.text, sentence.start) is not None and sentence.end - sentence.start < 160
        given = "performed" in sentence.cues and sentence.index in drugged and sentence.line > sentence.header_line
        acts = ("needlework" in sentence.cues or given) and not sentence.first_in_section and not listed
        told = sentence.first_in_section and not empty_header and sentence.index not in named
        told &= sentence.end - sentence.start > _LONG_TITLE
        told |= sentence.spoken and not sentence.first_in_section and not _goes_on(reading, sentence)
        # "Inj: depo 40 mg" lists what was given, not what was done
        told |= sentence.first_in_section and not empty_header and sentence.index in drugged - named
        if acts or told or (paragraph is not None and sentence.paragraph != paragraph):
            closed.add(key)
            continue
        last[key] = sentence.index
        if sentence.index in (targeted if sentence.kind == "study" else named) and (
            "needlework" not in sentence.cues or listed or sentence.end - sentence.start < 160
        ):
            naming.add(key)
    return {key: index for key, index in last.items() if key in naming}
