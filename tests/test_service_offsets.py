"""Offsets in UTF-16 units and UTF-8 bytes, held against Python's own encoders."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stubs import stub_code

from extractor.schema import CodingResult, Note
from extractor.service.offsets import Unit, convert, translation
from extractor.service.worker import Answer, Job, reply_to

ANY = st.text(st.characters(exclude_categories=()), max_size=60)  # halves of characters too
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault
ENCODED = {"utf16": ("utf-16-le", 2), "utf8": ("utf-8", 1)}


@patient
@given(ANY, st.data(), st.sampled_from(["utf16", "utf8"]))
def test_places_are_those_of_the_encoded_text(text: str, data: st.DataObject, unit: Unit) -> None:
    places = data.draw(st.lists(st.integers(0, len(text))))
    encoding, width = ENCODED[unit]
    found = translation(text, places, unit)
    for place in places:
        assert found[place] == len(text[:place].encode(encoding, "surrogatepass")) // width


@patient
@given(ANY, st.data())
def test_spans_cut_the_same_words_out_of_the_encoded_text(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    for unit, (encoding, width) in ENCODED.items():
        span = convert({"start": start, "end": end}, text, unit)  # type: ignore[arg-type]
        cut = text.encode(encoding, "surrogatepass")[span["start"] * width : span["end"] * width]
        assert cut.decode(encoding, "surrogatepass") == text[start:end]


def test_a_half_of_a_character_counts_as_an_encoder_that_lets_it_pass_writes_it() -> None:
    assert translation("\ud800x\udc00", [1, 3], "utf8") == {0: 0, 1: 3, 3: 7}
    assert translation("\ud800x\udc00", [1, 3], "utf16") == {0: 0, 1: 1, 3: 3}


def test_code_points_stay() -> None:
    assert convert({"start": 1, "end": 2}, "\U0001f9b4\u00e9", "codepoint") == {"start": 1, "end": 2}


@pytest.mark.parametrize("unit", ["utf16", "utf8"])
def test_every_offset_of_a_result_is_converted(coder: Any, unit: Unit) -> None:
    """Whatever the models name `start` and `end`, at any depth; all else stays as it is."""
    text = "\U0001f9b4\u00e9 " + (
        "PROCEDURE: Facet joint injection at L4-5 under fluoroscopy.\n"
        "0.5 mL of bupivacaine 0.25% was injected into the L4-5 joint."
    )
    result: CodingResult = coder.code(text)
    reply = reply_to(Job(Note(id="note", text=text), unit), coder.code)
    assert isinstance(reply, Answer)
    encoding, width = ENCODED[unit]
    encoded, seen = text.encode(encoding), set()

    def compare(was: Any, now: Any, path: str) -> None:
        if isinstance(was, dict):
            assert was.keys() == now.keys()
            if "start" in was:
                seen.add(path)
                words = encoded[now["start"] * width : now["end"] * width].decode(encoding)
                assert words == was["text"] == now["text"]
                assert now["start"] > was["start"]
            for key in was.keys() - {"start", "end"}:
                compare(was[key], now[key], f"{path}.{key}")
        elif isinstance(was, list):
            assert len(was) == len(now)
            for one, other in zip(was, now, strict=True):
                compare(one, other, path)
        else:
            assert was == now

    compare(json.loads(result.to_json()), json.loads(reply.body), "")
    assert {".lines.evidence", ".queries.evidence", ".procedures.agents.evidence", ".entities"} <= seen


def test_the_bytes_are_those_of_the_library_where_nothing_moves() -> None:
    text = 'A "facet" \u007f\u0001 side?'
    ours = [reply_to(Job(Note(id="n", text=text), unit), stub_code) for unit in ("codepoint", "utf16", "utf8")]
    assert {reply.body for reply in ours if isinstance(reply, Answer)} == {stub_code(text, "n").to_json().encode()}
