"""Levels that only tell where the skin was anesthetized: "the skin over the right sacral ala was infiltrated".

Many notes name their levels there and nowhere else in the body ("The skin over the L4-5 and L5-S1 facets was
anesthetized, and needles were advanced to the joints"). So such a level is passed over only where another sentence of
the body names levels for the needles.
"""

from __future__ import annotations

from dataclasses import replace

from extractor.mentions import LevelHit, Reading

_SKIN = "skin_site"
_AWAY = frozenset({"negated", "planned", "historical", _SKIN})


def without_skin_sites(reading: Reading) -> Reading:
    """The reading without the levels of the skin, where the body names others for the needles."""
    skin = [hit for hit in reading.levels if _SKIN in hit.cues and not _of_needle(reading, hit)]
    if not skin or not any(_in_body(reading, hit) for hit in reading.levels):
        return reading
    return replace(reading, levels=tuple(hit for hit in reading.levels if hit not in skin))


def _of_needle(reading: Reading, hit: LevelHit) -> bool:
    """True where the sentence goes on to the needle: "the skin over L4-5 was numbed and a needle advanced to bone"."""
    return "needlework" in reading.sentences[hit.sentence].cues


def _in_body(reading: Reading, hit: LevelHit) -> bool:
    sentence = reading.sentences[hit.sentence]
    return sentence.zone == "body" and "needlework" in sentence.cues and not hit.cues & _AWAY
