"""The pure functions of the review page, held to their Python counterparts."""

from __future__ import annotations

import random

from browsing import Page

from extractor.anatomy import ALL_JOINTS, SPINE, nerve_at_bone, nerves_of_joint

SIX = ("L5-L6", "L6-S1")


def test_anatomy_is_that_of_the_library(page: Page) -> None:
    call = "const m = await import('/page/anatomy.js'); return args[0].map((name) => m[args[1]](name, args[2]))"
    joints = [*ALL_JOINTS]
    assert page.js(call, joints, "nervesOfJoint", False) == [list(nerves_of_joint(joint)) for joint in joints]
    assert page.js(call, SIX, "nervesOfJoint", True) == [list(nerves_of_joint(joint)) for joint in SIX]
    bones = [bone for bone in SPINE if bone not in ("C1", "C2") and nerve_at_bone(bone)]
    assert page.js(call, [nerve_at_bone(bone) for bone in bones], "boneOfNerve", False) == bones
    assert page.js(call, [nerve_at_bone(bone) for bone in ("L6", "S1")], "boneOfNerve", True)[0] == "L6"


def test_sites_as_people_type_them(page: Page) -> None:
    typed = {
        "L4-L5": "L4-L5",
        " l4-5 ": "L4-L5",
        "L4/5": "L4-L5",
        "L5-1": "L5-S1",
        "L5-S1": "L5-S1",
        "T12-L1": "T12-L1",
        "C7-T1": "C7-T1",
        "L5-6": "L5-L6",
        "L6-S1": "L6-S1",
        "S1": "S1",
        "T06-T07": "T6-T7",
        "L4-L6": None,
        "L3-L5": None,
        "L5-L4": None,
        "L9": None,
        "S1-S2": None,
        "L4-L5-S1": None,
        "": None,
        "<b>": None,
    }
    found = page.js("const {siteName} = await import('/page/anatomy.js'); return args[0].map(siteName)", [*typed])
    assert found == [*typed.values()]


def test_offsets_become_utf_16(page: Page) -> None:
    text = "a\U0001f614b\u00e9\U0001f614\U0001f614\r\nz"
    spans = [(start, end) for start in range(len(text) + 1) for end in range(start, len(text) + 1)]
    result = {"entities": [{"start": start, "end": end, "text": text[start:end]} for start, end in spans]}
    result |= {"lines": [{"evidence": [{"start": 99, "end": 100, "text": "beyond"}]}], "queries": []}
    script = (
        "const {toUtf16, misfits, codePoints} = await import('/page/offsets.js'); const r = toUtf16(args[0], args[1]);"
        "return [r.entities.map((e) => args[1].slice(e.start, e.end)), misfits(r, args[1]), codePoints(args[1])]"
    )
    words, wrong, length = page.js(script, result, text)
    assert words == [text[start:end] for start, end in spans]
    assert (wrong, length) == (1, len(text))


def test_segments_are_those_of_a_plain_count(page: Page) -> None:
    dice = random.Random(3)
    cases, expected = [], []
    for _ in range(150):
        length = dice.randrange(0, 30)
        spans = [
            {"start": dice.randrange(-2, 32), "end": dice.randrange(-2, 34), "owner": f"e{dice.randrange(4)}"}
            for _ in range(dice.randrange(0, 9))
        ]
        cases.append([length, spans])
        fit = [s for s in spans if 0 <= s["start"] < s["end"] <= length]
        borders = sorted({s[name] for s in fit for name in ("start", "end")})
        pieces = []
        for start, end in zip(borders, borders[1:], strict=False):
            owners = sorted({s["owner"] for s in fit if s["start"] <= start and end <= s["end"]})
            if owners:
                pieces.append([start, end, owners])
        expected.append(pieces)
    found = page.js(
        "const {cut} = await import('/page/segments.js'); return args[0].map(([n, spans]) =>"
        "cut(n, spans).map((s) => [s.start, s.end, [...s.owners].sort()]))",
        cases,
    )
    assert found == expected


def test_blocks_are_the_whole_text(page: Page) -> None:
    texts = ["", "\n", "a\n" * 40, "word " * 30, "\U0001f614" * 30, "ab\n\n" + "\U0001f614" * 9 + "\nend"]
    script = (
        "const {blockEnds} = await import('/page/segments.js'); return args[0].map((t) => { let at = 0;"
        "return blockEnds(t, 7).map((end) => { const part = t.slice(at, end); at = end; return part; }); })"
    )
    for text, blocks in zip(texts, page.js(script, texts), strict=True):
        assert "".join(blocks) == text
        assert all(0 < len(block.encode("utf-16-le")) // 2 <= 7 for block in blocks)


def test_the_picture_of_other_notes(page: Page) -> None:
    sites = {
        "joints": [],
        "nerves": [{"site": name, "side": "left", "evidence": []} for name in ("TON", "C3", "C4")],
        "side": "unspecified",
        "family": "facet",
    }
    lone = {**sites, "nerves": [{"site": "L5", "side": "bilateral", "evidence": []}]}
    sacral = {**lone, "family": "sacral_lateral_branch"}
    stopped = {**sites, "nerves": [], "joints": [{"site": "L4-L5", "side": "unspecified", "evidence": []}]}

    def line(rule: str, side: str, *joints: str) -> dict[str, object]:
        return {"code": "x", "rule": rule, "side": side, "joints": joints}

    cases = {
        "Left: 3 nerves (TON, C3, C4) supply 2 joints (C2-C3, C3-C4).": (
            [line("facet-upper-first", "left", "C2-C3"), line("facet-upper-second", "left", "C3-C4")],
            sites,
        ),
        "Left: 1 nerve (L5) completes no facet joint. Right: 1 nerve (L5) completes no facet joint.": ([], lone),
        "Left: 1 nerve of the sacroiliac joint (L5). Right: 1 nerve of the sacroiliac joint (L5). "
        "x: right sacroiliac joint.": ([line("sacral-block", "right")], sacral),
        "Treated without a line: left L4-L5. Treated without a line: right L4-L5.": ([], stopped),
        "Side not documented: 1 joint treated (L4-L5).": (
            [line("facet-lumbar-first", "unspecified", "L4-L5")],
            {**stopped, "joints": []},
        ),
        "x: L5-S1, in the midline.": ([line("epidural-lumbar", "unspecified", "L5-S1")], {**stopped, "joints": []}),
        "x: right S1 foramen.": ([line("transforaminal-lumbar", "right", "S1")], {**stopped, "joints": []}),
        "": ([line("trigger-many", "unspecified")], {**stopped, "joints": []}),
    }
    script = (
        "const {modelOf} = await import('/page/spine-model.js');"
        "const {sentences} = await import('/page/spine-words.js');"
        "return args[0].map((result) => sentences(modelOf(result), result).join(' '))"
    )
    results = [{"lines": lines, "procedures": [procedure]} for lines, procedure in cases.values()]
    assert page.js(script, results) == [*cases]


def test_modifiers_to_consider_stand_below_the_claim(page: Page) -> None:
    page.code(
        "PROCEDURES: L5-S1 interlaminar epidural steroid injection and right L3-4 facet joint injection.\n"
        "TECHNIQUE: Under fluoroscopy the L5-S1 epidural space was entered and 80 mg of methylprednisolone was given. "
        "Under fluoroscopy the right L3-4 facet joint was entered and 0.5 mL of bupivacaine was injected."
    )
    [told] = page.texts(".suggested li")
    assert told.startswith("Consider 59 on 64493: If the payer edits it against 62323")
    assert page.all(".descriptor") == []  # none is shipped


def test_descriptors_and_suggestions_are_optional_in_files_and_must_be_whole(page: Page) -> None:
    line = {"code": "A", "side": "left", "joints": [], "label": "", "rule": "", "reasons": [], "evidence": []}
    claim = {"code": "A", "modifiers": [], "units": 1}
    empty: dict[str, object] = {name: [] for name in ("queries", "warnings", "rejected", "procedures", "entities")}
    versions = {"engine": "0", "patterns": "0", "codes": "2026", "profile": "cpt"}
    summary = {"imaging": [], "injectate": [], "target": []}
    result = {"id": "a", "status": "coded", "lines": [line], "claim": [claim], "summary": summary, "versions": versions}
    result |= empty
    whole = {"modifier": "59", "reason": "x"}
    cases = [
        (result, True),
        ({**result, "lines": [{**line, "descriptor": "x"}]}, True),
        ({**result, "lines": [{**line, "descriptor": 1}]}, False),
        ({**result, "claim": [{**claim, "suggested": [whole]}]}, True),
        ({**result, "claim": [{**claim, "suggested": [{"modifier": 59, "reason": "x"}]}]}, False),
        ({**result, "claim": [{**claim, "suggested": "x"}]}, False),
    ]
    found = page.js(
        "const {isResult} = await import('/page/shape.js'); return args[0].map(isResult)", [c for c, _ in cases]
    )
    assert found == [expected for _, expected in cases]
