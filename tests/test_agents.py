"""Drugs and their roles: cases/agents.jsonl, the examples of the pattern rows, and properties of the name matcher."""

from __future__ import annotations

import json
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.agents import AgentReader, SentenceView, injectate_names
from extractor.patterns import PatternFolder
from extractor.records import Agent

CASES = Path(__file__).parent / "cases" / "agents.jsonl"
KEYS = {"id", "text", "parts", "injectate", "skin", "other", "amounts", "xfail"}
ROLE_OF_CUE = {"injectate": "injectate", "each": "injectate", "skin_anesthetic": "skin_anesthetic", "flush": "flush"}


@cache
def reader() -> AgentReader:
    return AgentReader(PatternFolder())


def load() -> list[Any]:
    cases = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines() if line]
    ids = [case["id"] for case in cases]
    assert len(ids) == len(set(ids)), "duplicate ids"
    for case in cases:
        assert set(case) <= KEYS, f"{case['id']}: unknown keys"
        assert ("text" in case) != ("parts" in case), f"{case['id']}: either text or parts"
    return [pytest.param(case, id=case["id"], marks=marks(case)) for case in cases]


def marks(case: dict[str, Any]) -> list[Any]:
    return [pytest.mark.xfail(reason=case["xfail"], strict=True)] if "xfail" in case else []


def read(case: dict[str, Any]) -> tuple[Agent, ...]:
    parts = case.get("parts") or [[case["text"], "", "performed"]]
    ends = list(accumulate(len(part[0]) for part in parts))
    starts = [0, *ends]
    sentences = [
        SentenceView(start, end, section, assertion)
        for start, end, (_, section, assertion) in zip(starts, ends, parts, strict=False)
    ]
    return reader().read("".join(part[0] for part in parts), sentences)


@pytest.mark.parametrize("case", load())
def test_case(case: dict[str, Any]) -> None:
    agents = read(case)
    assert sorted(injectate_names(agents)) == case["injectate"]
    numbed = {
        agent.name
        for agent in agents
        if agent.role == "skin_anesthetic" and agent.drug_class not in ("vehicle", "generic")
    }
    assert sorted(numbed) == case["skin"]
    for name, role in case.get("other", {}).items():
        assert {agent.role for agent in agents if agent.name == name} == {role}, name
    for name, amounts in case.get("amounts", {}).items():
        first = next(agent for agent in agents if agent.name == name and agent.role == "injectate")
        assert [first.concentration, first.dose, first.volume, first.per] == amounts, name


def test_offsets_and_case() -> None:
    text = "Kenalog, KENALOG; kenalog."
    assert [text[hit.start : hit.end] for hit in reader().hits(text)] == ["Kenalog", "KENALOG", "kenalog"]


def test_names_stop_at_word_borders() -> None:
    assert reader().hits("depot dextrous lidocainesque epiglottis") == ()


@pytest.mark.parametrize("name", ["levobupivacaine", "dexmedetomidine", "dexamethasone", "prednisolone", "procaine"])
def test_false_friends(name: str) -> None:
    assert [hit.name for hit in reader().hits(name)] == [name]


def test_agent_offsets_are_those_of_the_name() -> None:
    text = "Then 0.5 mL of Marcaine 0.5% at each nerve."
    (agent,) = reader().read(text, [SentenceView(0, len(text), "body", "performed")])
    assert text[agent.start : agent.end] == "Marcaine"
    assert agent.section == "body"
    assert agent.drug_class == "local_anesthetic"


SALAD = [*"lidocaine bupivacaine kenalog 1% 0.5 mL [x] no skin each needle , . ; : and with joint".split(), "[ ]", "\n"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(SALAD), max_size=40))
def test_any_word_salad_gives_sound_agents(words: list[str]) -> None:
    text = " ".join(words)
    agents = reader().read(text, [SentenceView(0, len(text), "", "performed")])
    assert list(agents) == sorted(agents, key=lambda agent: agent.start)
    assert {(agent.start, agent.end) for agent in agents} <= {(hit.start, hit.end) for hit in reader().hits(text)}
