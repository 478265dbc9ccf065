"""The review page with hostile notes, for readers who do not see it, on paper, in the dark and on a small screen.

That no other host is asked and the content security policy holds is checked after every test (see `page`).
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from browsing import ROOT, Page

SAMPLES = {path.stem: path.read_text("utf-8") for path in sorted((ROOT / "corpus" / "samples").glob("*.txt"))}
BLOCK = SAMPLES["01-medial-branch-block"]
HOSTILE = {
    "script": "<script>alert(1)</script>",
    "handlers": "</textarea></pre></div><img src=x onerror=alert(1)><svg onload=alert(1)>",
    "entities": "&lt;b&gt; &amp;amp; &#60;i&#62; <!-- <![CDATA[ ]]> <?php ?>",
    "attributes": "' onmouseover='alert(1) \" autofocus onfocus=\"alert(1)",
    "template": "{{constructor.constructor('alert(1)')()}} ${alert(1)} javascript:alert(1)",
    "direction": "\u202eevitcejni\u202c \u2066 \u2067 \u200f right \u202d left",
    "zero width": "L\u200b4-\u200dL\ufeff5 \u00ad \u2060 \u180e",
    "controls": "\x01\x07\x1b[31m \x7f \x85 \u2028 \u2029",
    "combining": "Z" + "\u0335\u0321\u034d" * 400 + " e\u0301",
    "scripts": "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 \U0001f468\u200d\U0001f469\u200d\U0001f467",
}
# Words whose colour and ground are computed by the browser; what is drawn by the style sheet counts with its element.
CONTRAST = """
const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
const light = (rgb) => rgb.slice(0, 3).map((v) => v / 255)
  .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const ground = (element) => {
  for (let e = element; e; e = e.parentElement) {
    if (e.tagName === "g") continue;
    const colour = parse(getComputedStyle(e).backgroundColor);
    if ((colour[3] ?? 1) > 0) return colour;
  }
  return parse(getComputedStyle(document.body).backgroundColor);
};
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node = walker.nextNode(); node; node = walker.nextNode()) {
  const element = node.parentElement;
  if (!node.data.trim() || element.closest("option, title, desc")) continue;
  if (!element.checkVisibility({opacityProperty: true})) continue;
  const style = getComputedStyle(element);
  const words = parse(element.closest("svg") ? style.fill : style.color);
  const [a, b] = [light(words), light(ground(element))];
  found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), element.className.baseVal ?? element.className,
              element.tagName, node.data.trim().slice(0, 30)]);
}
return found;
"""
NAMELESS = """
const name = (e) => (e.getAttribute("aria-label") || (e.getAttribute("aria-labelledby") ?? "").split(" ")
  .map((id) => document.getElementById(id)?.textContent ?? "").join(" ")
  || [...(e.labels ?? [])].map((l) => l.textContent).join(" ") || e.textContent).trim();
return [...document.querySelectorAll("a, button, input, select, textarea, summary, dialog, [role], section, nav")]
  .filter((e) => !["alert", "status"].includes(e.getAttribute("role")) && !name(e))
  .map((e) => e.outerHTML.slice(0, 90));
"""


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_note_shows_as_text(page: Page, hostile: str) -> None:
    note = f"{hostile}\n{BLOCK.replace('Right lumbar', f'Right {hostile} lumbar')}\n{hostile}"
    page.code(note)
    assert page.one("#problem").text == ""
    assert page.note() == note
    assert page.js("return document.querySelectorAll('main img, main script, main svg:not(.spine)').length") == 0
    assert {e.lower() for e in page.js("return [...document.querySelectorAll('#note *')].map((e) => e.tagName)")} <= {
        "div",
        "mark",
        "span",
    }


def test_characters_that_hide_are_named(page: Page) -> None:
    page.code(f"{BLOCK} \u202eleft\u202c \u200b\u200b\u200b")
    names = page.js("return [...document.querySelectorAll('.hidden-char')].map((e) => e.dataset.name)")
    assert names == ["U+202E", "U+202C", "U+200B and 2 more"]
    assert all(mark.size["width"] > 10 for mark in page.all(".hidden-char"))  # something is to be seen


def test_an_override_turns_no_words_around(page: Page) -> None:
    page.code(f"{BLOCK} \u202ealpha then omega")
    place = """
const node = [...document.querySelectorAll(".hidden-char")].at(-1).nextSibling;
const x = (word) => { const r = document.createRange(); const at = node.data.indexOf(word);
  r.setStart(node, at); r.setEnd(node, at + word.length); return r.getBoundingClientRect(); };
const [a, b] = [x("alpha"), x("then")];
return [a.y - b.y, b.x - a.x];
"""
    down, across = page.js(place)
    assert (down, across > 0) == (0, True)


def test_halves_of_characters_are_told_and_replaced(page: Page) -> None:
    page.write("")
    page.js(
        "const area = document.getElementById('text'); area.value = args[0] + ' \\ud800 x \\udfff \\ud83d\\ude00';"
        "area.dispatchEvent(new Event('input'))",
        BLOCK,
    )
    page.one("#code").click()
    page.drawn()
    assert page.note() == f"{BLOCK} \ufffd x \ufffd \U0001f600"
    assert "halves of characters" in page.one("#warnings").text


def test_a_megabyte_of_a_hostile_note(page: Page) -> None:
    dice = random.Random(5)
    parts = [BLOCK]
    while sum(map(len, parts)) < 1_000_000:
        parts += dice.choices([*HOSTILE.values(), "some words of a note ", "\n"], k=200)
    note = "".join(parts)[:1_050_000]
    page.code(note)
    assert page.one("#problem").text == ""
    assert page.note() == note
    assert page.js("return document.querySelectorAll('#note *').length") < len(note) / 10  # pieces, not characters
    assert page.js("return document.querySelectorAll('main img, main script').length") == 0
    page.one("#lines .code").click()  # it still answers
    assert page.js("return document.activeElement.matches('#note mark')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("sample", ["01-medial-branch-block", "02-bilateral-facet-joints", "04-side-missing"])
def test_words_can_be_read(page: Page, scheme: str, sample: str) -> None:
    page.emulate(prefers_color_scheme=scheme)
    page.code(SAMPLES[sample])
    for verdict in ("accepted", "edited", "rejected"):
        page.js("document.querySelector(`#lines .${args[0]}`).click()", verdict)
        page.one("#save").click()
        faint = [found for found in page.js(CONTRAST) if found[0] < 4.5]
        assert faint == []
    ground = page.js("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, ground[4:-1].split(","))) < 200) == (scheme == "dark")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_lit_words_and_every_line_colour_can_be_read(page: Page, scheme: str) -> None:
    page.emulate(prefers_color_scheme=scheme)
    page.code(BLOCK)
    for colour in range(6):
        page.js(
            "for (const e of document.querySelectorAll('#lines .line, .target, .branch')) e.dataset.line = args[0];"
            "for (const e of document.querySelectorAll('#note mark'))"
            "{ e.classList.add('lit'); e.dataset.lit = `l${args[0]}`; }",
            colour,
        )
        assert [found for found in page.js(CONTRAST) if found[0] < 4.5] == []
    page.js("for (const e of document.querySelectorAll('#note mark')) e.dataset.lit = 'q0'")
    assert [found for found in page.js(CONTRAST) if found[0] < 4.5] == []


def test_kinds_differ_by_more_than_colour(page: Page) -> None:
    page.code(BLOCK)
    looks = page.js("""
const note = document.getElementById("note");
return ["Level", "Nerve", "BoneSite", "Side", "Target", "Technique", "Imaging", "Agent"].map((kind) => {
  const mark = document.createElement("mark");
  mark.dataset.kind = kind;
  note.append(mark);
  const style = getComputedStyle(mark);
  return [style.textDecorationStyle, style.textDecorationThickness].join(" ");
});""")
    assert len(set(looks)) == len(looks)


@pytest.mark.parametrize("view", ["one", "file"])
def test_everything_has_a_name(page: Page, view: str) -> None:
    page.open(view)
    if view == "one":
        page.code(SAMPLES["04-side-missing"])
        page.js("document.querySelector('#lines .edited').click(); document.getElementById('add-line').click()")
    assert page.js(NAMELESS) == []
    assert page.js("return document.documentElement.lang") == "en"
    ids = page.js("return [...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))
    refers = page.js(
        "return [...document.querySelectorAll('[for], [aria-labelledby], [aria-describedby], [list]')].flatMap((e) =>"
        "['for', 'aria-labelledby', 'aria-describedby', 'list'].flatMap((n) => (e.getAttribute(n) ?? '').split(' ')))"
    )
    assert set(filter(None, refers)) <= set(ids)
    assert page.js('return document.querySelectorAll(\'[tabindex]:not([tabindex="0"], [tabindex="-1"])\').length') == 0
    levels = page.js(
        "return [...document.querySelectorAll('main h2, main h3, header h1')].filter((e) => e.checkVisibility())"
        ".map((e) => Number(e.tagName[1]))"
    )
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))


def test_the_result_is_announced(page: Page) -> None:
    page.code(BLOCK)
    assert page.one("#live").get_attribute("role") == "status"
    assert page.texts("#live") == ["coded: 2 lines, 0 questions"]


def test_paper_shows_everything_and_no_controls(page: Page) -> None:
    page.code(BLOCK + "\nMore words.\n" * 300)
    page.one("#lines .rejected").click()
    page.one("#lines .reason-input").send_keys("one joint only")
    page.emulate("print")
    whole = page.js("const n = document.getElementById('note'); return [n.scrollHeight, n.clientHeight]")
    assert whole[0] <= whole[1] + 1
    for selector in ("#lines .line", "#lines .code", "#lines .reasons li", "#note mark", "#spine svg", ".claim tr"):
        assert page.all(selector)
        assert all(element.is_displayed() for element in page.all(selector)), selector
    assert "Rejected. Reason: one joint only" in page.texts("#lines .told")[0]
    assert page.one("#lines .told").is_displayed()
    for selector in ("#note-form", "nav", ".verdicts", "#save", ".fields", "#help"):
        assert not any(element.is_displayed() for element in page.all(selector)), selector


@pytest.mark.parametrize("view", ["one", "file"])
def test_a_small_screen_needs_no_sideways_scrolling(page: Page, view: str) -> None:
    metrics: dict[str, Any] = {"width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": False}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    page.open(view)
    if view == "one":
        page.code(SAMPLES["04-side-missing"])
        page.js("document.querySelector('#lines .edited').click(); document.getElementById('add-line').click()")
    assert page.js("return document.documentElement.scrollWidth") <= 320


def test_no_field_is_kept_or_spelled_by_the_browser(page: Page) -> None:
    page.code(SAMPLES["01-medial-branch-block"])
    page.js("for (const name of ['edited', 'rejected']) document.querySelector(`#lines .line .${name}`).click()")
    page.one("#add-line").click()
    fields = page.js(
        "return [...document.querySelectorAll('textarea, input:not([type=checkbox], [type=file])')]"
        ".map((e) => [e.id, e.className, e.type, e.autocomplete, e.spellcheck])"
    )
    assert "reason-input" in {classes for _, classes, *_ in fields}
    assert [field for field in fields if field[3] != "off" or (field[4] and field[2] in ("text", "textarea"))] == []


def test_the_page_keeps_nothing_in_the_browser(page: Page) -> None:
    page.code(BLOCK)
    kept = page.js(
        "return [localStorage.length, sessionStorage.length, document.cookie, (await caches.keys()).length,"
        "(await indexedDB.databases()).length, location.search]"
    )
    assert kept == [0, 0, "", 0, 0, ""]
