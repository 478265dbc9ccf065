"""Claim profiles: what a wrong one is refused with, and the example of a commercial payer."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from test_readme import README, blocks
from test_readme import test_console as run_console

from extractor import Coder, cli
from extractor.coding import CodeBook
from extractor.errors import PatternError
from extractor.patterns import PatternFolder

DOCS = Path(__file__).parent.parent / "docs"
EXAMPLE = DOCS / "examples" / "commercial-payer"
PAGE = (DOCS / "codes-and-payers.md").read_text(encoding="utf-8")
GOOD = """[profiles.mine]
label = "Mine"
source = "A test"
date = 2026-11-26
bilateral_primary = "modifier"
bilateral_add_on = "twice"
"""
NOTE = """PROCEDURE: Bilateral L2-3, L3-4, L4-5 and L5-S1 facet joint injections under fluoroscopy.
TECHNIQUE: Under fluoroscopic guidance needles were advanced into the L2-3, L3-4, L4-5 and L5-S1 facet joints on both
sides. 0.5 mL of bupivacaine 0.25% was injected into each joint."""


def load(tmp_path: Path, text: str) -> CodeBook:
    (tmp_path / "profiles.toml").write_text(text, encoding="utf-8")
    return CodeBook.load(PatternFolder(tmp_path))


def test_a_profile_of_ones_own_stands_beside_the_shipped_ones(tmp_path: Path) -> None:
    book = load(tmp_path, GOOD)
    assert sorted(book.profiles) == ["cpt", "medicare", "medicare-asc", "medicare-hopd", "mine"]
    mine = book.profile("mine")
    assert (mine.claim, mine.third_level, mine.distinct, mine.stopped) == ("professional", "once", "", ())


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('replace = { "11111" = "G0260" }', "replace: '11111' is a code of no year"),
        ('replace = { "27096" = "G9999" }', "replace: 'G9999' is a code of no year: say under substitutes"),
        ('replace = { "27096" = "27096" }', "replace: 27096 is written 27096, which is replaced itself"),
        ('replace = { "64493" = "64494", "64494" = "64495" }', "replace: 64493 is written 64494, which is replaced"),
        ('distinct = "ZZ"', "distinct: ZZ is not known: say under meanings.ZZ when it belongs on a line"),
        ('stopped = ["5"]', "stopped: '5' is no modifier: two digits or capital letters"),
        ('stopped = [""]', "stopped: '' is no modifier"),
        ('diagnostic = "KXX"', "diagnostic: 'KXX' is no modifier: two digits or capital letters"),
        ('diagnostic = "kx"', "diagnostic: 'kx' is no modifier"),
        ('distinct = "50"', "distinct: 50 tells a side, which bilateral_primary and bilateral_add_on write"),
        ('diagnostic = "RT"', "diagnostic: RT tells a side"),
        ('stopped = ["73"]', "stopped: 73 is for facility claims, and claim is 'professional'"),
        ('claim = "hospital"\nstopped = ["53"]', "stopped: 53 is for professional claims, and claim is 'hospital'"),
        ('claim = "surgery_center"\nstopped = ["74", "74"]', "the modifier 74 stands for more than one thing"),
        ('diagnostic = "59"\ndistinct = "59"', "the modifier 59 stands for more than one thing"),
        ('coverage = ["missing_side"]', "coverage: 'missing_side' is no query of severity info"),
        ('coverage = ["nowhere"]', "coverage: 'nowhere' is no query of severity info"),
        ('third_level = "twice"', "profiles.mine.third_level: "),
        ('claim = "clinic"', "profiles.mine.claim: "),
        ("covered_levels = 0", "profiles.mine.covered_levels: "),
        ("diagnostics = 1", "profiles.mine.diagnostics: "),
        ('[meanings.9]\ntext = "x"\nsource = "x"', "meanings: '9' is no modifier"),
        (
            '[meetings.m]\non = ["block_upper"]\nbeside = ["epidural"]\nrule = "no"\nsource = "x"',
            "no rule 'no' in rules",
        ),
        ('[meetings.m]\non = ["toe"]\nbeside = ["epidural"]\nrule = "no"\nsource = "x"', "meetings.m.on.0: "),
    ],
)
def test_a_wrong_profile_is_refused_with_the_reason(lines: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(PatternError) as caught:
        load(tmp_path, f"{GOOD}{lines}\n")
    assert "profiles.toml" in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize("primary", ["lines", "twice"])
def test_an_add_on_with_50_needs_a_first_level_with_50(primary: str, tmp_path: Path) -> None:
    text = GOOD.replace('"twice"', '"modifier"').replace('primary = "modifier"', f'primary = "{primary}"')
    with pytest.raises(
        PatternError, match=f"mine: bilateral_add_on is 'modifier' and bilateral_primary is '{primary}'"
    ):
        load(tmp_path, text)


@pytest.mark.parametrize("style", ["modifier", "twice", "lines"])
def test_other_ways_of_both_sides_go_together(style: str, tmp_path: Path) -> None:
    text = GOOD.replace('add_on = "twice"', 'add_on = "lines"').replace('primary = "modifier"', f'primary = "{style}"')
    assert load(tmp_path, text).profile("mine").bilateral_primary == style


def test_a_wrong_profile_is_told_when_the_coder_is_built(tmp_path: Path) -> None:
    (tmp_path / "profiles.toml").write_text(f'{GOOD}distinct = "50"\n', encoding="utf-8")
    with pytest.raises(PatternError, match="mine: distinct: 50"):
        Coder(patterns=tmp_path)


def test_a_substitute_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "codes").mkdir()
    row = '[substitutes.G9999]\nlabel = "Ours"\nsource = "A test"\n'
    (tmp_path / "codes" / "2020.toml").write_text(row, encoding="utf-8")
    assert load(tmp_path, GOOD + 'replace = { "27096" = "G9999" }\n').profile("mine").replace == {"27096": "G9999"}


def test_the_example_of_a_commercial_payer_writes_a_line_a_side() -> None:
    result = Coder(profile="commercial-example", patterns=EXAMPLE).code(NOTE)
    assert [(line.code, line.modifiers, line.units) for line in result.claim] == [
        ("64493", ["RT"], 1),
        ("64493", ["LT"], 1),
        ("64494", ["RT"], 1),
        ("64494", ["LT"], 1),
        ("64495", ["RT"], 2),
        ("64495", ["LT"], 2),
    ]
    assert result.versions.profile == "commercial-example"
    assert result.versions.overlay
    assert result.status == "coded"


def test_the_result_tells_what_to_consider(coder: Coder) -> None:
    note = """PROCEDURES: 1. L5-S1 interlaminar epidural steroid injection. 2. Right L3-4 facet joint injection.
TECHNIQUE: Under fluoroscopy the L5-S1 epidural space was entered and 80 mg of methylprednisolone was injected.
Under fluoroscopy the right L3-4 facet joint was entered and 0.5 mL of bupivacaine was injected."""
    result = coder.code(note, profile="medicare")
    found = {line.code: [(one.modifier, one.reason) for one in line.suggested] for line in result.claim}
    why = coder.book.reason("distinct-from-epidural", codes="62323")
    assert why.startswith("If the payer edits it against 62323 of the same session: ")
    assert found == {"64493": [("XS", why)], "62323": []}


@pytest.mark.parametrize("block", blocks("console", PAGE))
def test_the_page_shows_what_the_commands_print(
    block: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    run_console(block, monkeypatch, capfd)


def test_the_page_lists_the_shipped_profiles(coder: Coder) -> None:
    table = PAGE.partition("## Profiles")[2].partition("\n\nThe two")[0]
    assert re.findall(r"^\| `(\w[\w-]*)`", table, re.M) == list(coder.book.profiles)
    for name in coder.book.profiles:
        assert name in README
        assert name in cli.cli.commands["code"].get_help(click.Context(cli.cli.commands["code"]))
