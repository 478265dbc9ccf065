"""The review page in a real browser: from a pasted note to the decisions on it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import ROOT, Page, asked, served
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

SAMPLES = {path.stem: path.read_text("utf-8") for path in sorted((ROOT / "corpus" / "samples").glob("*.txt"))}
BLOCK = SAMPLES["01-medial-branch-block"]
BOTH_SIDES = SAMPLES["02-bilateral-facet-joints"]
SIDE_MISSING = SAMPLES["04-side-missing"]
BEYOND_BMP = f"Pain \U0001f614\U0001f614 for years.\r\n\r\n{BLOCK}"  # two units each in a browser, one code point each


def test_a_note_is_pasted_and_coded(page: Page) -> None:
    page.until("document.querySelectorAll('#profile option').length")
    page.browser.execute_cdp_cmd(
        "Browser.grantPermissions",
        {"origin": page.address, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]},
    )
    page.one("#text").click()
    page.js("await navigator.clipboard.writeText(args[0])", BLOCK)
    page.one("#text").send_keys(Keys.CONTROL, "v")
    page.one("#code").click()
    page.drawn()
    assert page.texts("#lines .code") == ["64493", "64494"]
    assert page.texts("#lines .where") == ["right L4-L5", "right L5-S1"]
    assert page.one("#result-head .status").text == "Coded"
    assert page.texts("#rejected dt") == ["64495", "77003"]
    assert page.note() == BLOCK.strip("\n") + "\n" * (len(BLOCK) - len(BLOCK.rstrip("\n")))


def test_an_opened_file_is_sent_as_it_is(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "visit 7.txt"
    path.write_bytes(BEYOND_BMP.encode())
    page.until("document.querySelectorAll('#profile option').length")
    page.one("#note-file").send_keys(str(path))
    page.until("document.getElementById('note-id').value")
    page.one("#code").click()
    page.drawn()
    assert page.one(".record-id").text == "visit 7"
    assert page.note() == BEYOND_BMP  # its line ends too, which a text area would change


def test_a_file_can_be_dropped(page: Page) -> None:
    page.until("document.querySelectorAll('#profile option').length")
    page.js(
        "const dataTransfer = new DataTransfer(); dataTransfer.items.add(new File([args[0]], 'dropped.txt'));"
        "document.body.dispatchEvent(new DragEvent('drop', {dataTransfer, bubbles: true, cancelable: true}))",
        BLOCK,
    )
    page.until("document.getElementById('note-id').value === 'dropped'")
    page.one("#code").click()
    page.drawn()
    assert page.note() == BLOCK


def test_one_view_leaves_the_other_alone(page: Page) -> None:
    page.code(BLOCK)
    page.one("#accept-all").click()
    page.one("#to-file").click()
    page.until("document.getElementById('workspace').hidden")
    ActionChains(page.browser).send_keys("s", "x").perform()  # nothing is shown that they could act on
    page.one("#to-one").click()
    page.until("!document.getElementById('workspace').hidden")
    assert page.texts("#lines .told") == ["Accepted.", "Accepted."]
    assert "Not saved." in page.one("#progress").text


@pytest.mark.parametrize("text", [*SAMPLES.values(), BEYOND_BMP], ids=[*SAMPLES, "beyond the BMP"])
def test_the_marks_are_the_evidence(page: Page, service: str, text: str) -> None:
    page.code(text.replace("\r\n", "\n"))
    result = asked(service, text.replace("\r\n", "\n"))
    marks = page.marks()
    owned = [(f"l{i}", e) for i, line in enumerate(result["lines"]) for e in line["evidence"]]
    owned += [(f"q{i}", e) for i, query in enumerate(result["queries"]) for e in query["evidence"]]
    owned += [(f"e{i}", entity) for i, entity in enumerate(result["entities"])]
    assert owned
    for owner, evidence in owned:
        inside = [words for at, owners, words in marks if evidence["start"] <= at < evidence["end"] and owner in owners]
        assert "".join(inside) == evidence["text"], (owner, evidence)
    for _, owners, _ in marks:
        assert owners <= {owner for owner, _ in owned} | {o for o in owners if o.startswith("p")}
    assert page.js("return performance.getEntriesByName('facetcode:paint').length") == 1


def test_what_was_not_done_says_so(page: Page, service: str) -> None:
    page.code(BLOCK)
    [planned] = [e for e in asked(service, BLOCK)["entities"] if e["assertion"] == "planned"]
    mark = page.one(f'mark[data-at="{planned["start"]}"]')
    assert "not-done" in mark.get_attribute("class")
    drawn = page.js("return getComputedStyle(args[0], '::after').content", mark)
    assert "planned" in drawn or "attr(data-told)" in drawn and mark.get_attribute("data-told") == "planned"
    ActionChains(page.browser).move_to_element(mark).perform()
    assert "(planned, in " in page.one("#inspector").text


def test_pointing_at_a_line_lights_its_words_and_the_other_way_round(page: Page) -> None:
    page.code(BLOCK)
    marks = "[...document.querySelectorAll('#note mark')]"
    lit = f"return {marks}.map((m) => [m.dataset.owners, m.classList.contains('lit')])"
    ActionChains(page.browser).move_to_element(page.all("#lines .line .label")[1]).perform()
    states = page.js(lit)
    assert any(on for _, on in states)
    assert all(on == ("l1" in owners.split()) for owners, on in states)
    assert page.one('.target[data-site="L5-S1"]').get_attribute("class").split()[-1] == "lit"
    words = next(m for m in page.all("#note mark") if m.get_attribute("data-owners").split()[0] == "l0")
    ActionChains(page.browser).move_to_element(words).perform()
    cards = ["lit" in card.get_attribute("class").split() for card in page.all("#lines .line")]
    assert cards == [owner in words.get_attribute("data-owners").split() for owner in ("l0", "l1")]
    assert cards[0]
    ActionChains(page.browser).move_to_element(page.one("h1")).perform()
    assert page.all(".lit") == []
    page.one("#lines .code").send_keys(Keys.SHIFT)  # focus does what the pointer does
    assert page.all("#note mark.lit")


def test_a_nerve_of_the_picture_leads_to_its_words(page: Page) -> None:
    page.code(BLOCK)
    page.one('[data-nerve="L3"]').send_keys(Keys.ENTER)
    assert page.js("return document.activeElement.matches('#note mark[data-owners~=p0n0]')")


def test_three_nerves_are_two_joints(page: Page) -> None:
    page.code(BLOCK)
    assert page.texts(".spine-told li") == ["Right: 3 nerves (L3, L4, L5) supply 2 joints (L4-L5, L5-S1)."]
    assert "the patient's left is on the left" in page.texts(".spine desc")[0].lower()
    place = (
        "const box = (e) => { const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; };"
        "return Object.fromEntries([...document.querySelectorAll(args[0])].map((e) => [e.dataset[args[1]]"
        " ?? e.textContent, box(args[2] ? e.querySelector(args[2]) : e)]))"
    )
    bones = page.js(place, ".spine .vertebra-name", "none")
    spots = page.js(place, "[data-nerve]", "nerve", ".spot")
    joints = page.js(place, ".target", "site", ".mark")
    height = bones["L5"][1] - bones["L4"][1]
    for nerve, bone in (("L3", "L4"), ("L4", "L5"), ("L5", "S1")):  # on the bone below its number
        assert abs(spots[nerve][1] - bones[bone][1]) < height / 4
        assert spots[nerve][0] > bones[bone][0]  # seen from behind, right is right
    assert list(joints) == ["L4-L5", "L5-S1"]
    assert bones["L4"][1] < joints["L4-L5"][1] < bones["L5"][1] < joints["L5-S1"][1]
    supply = page.js("return [...document.querySelectorAll('.target')].map((e) => e.getAttribute('aria-label'))")
    assert supply[0] == "L4-L5 64493, right; supplied by L3 and L4"


def test_keys_alone_are_enough(page: Page) -> None:
    page.until("document.querySelectorAll('#profile option').length")

    def press(*keys: str) -> None:
        ActionChains(page.browser).send_keys(*keys).perform()

    focus = "return document.activeElement.id || document.activeElement.className"
    press(Keys.TAB)
    assert page.js(focus) == "skip"
    press("/")
    assert page.js(focus) == "text"
    page.js("document.activeElement.value = args[0]", BLOCK)
    ActionChains(page.browser).key_down(Keys.CONTROL).send_keys(Keys.ENTER).key_up(Keys.CONTROL).perform()
    page.drawn()
    assert page.js(focus) == "result-head"
    press("j")
    assert page.js("return document.activeElement.textContent") == "64493"
    press(Keys.ENTER)  # to the words of the line
    assert page.js("return document.activeElement.matches('#note mark.for-line')")
    first = page.js("return document.activeElement.dataset.at")
    press(Keys.ARROW_RIGHT)
    assert int(page.js("return document.activeElement.dataset.at")) > int(first)
    press(Keys.HOME, Keys.ENTER)  # and back to the line
    assert page.js("return document.activeElement.textContent") == "64493"
    press("a", "j", "x")
    assert page.js("return document.activeElement.matches('#lines .reason-input')")
    press(*"as told by phone: join")  # letters in a field are letters
    press(Keys.SHIFT + Keys.TAB + Keys.NULL, "s")
    decided = json.loads(page.downloaded(f"{page.one('.record-id').text}.decisions.json"))
    assert [line["decision"] for line in decided["lines"]] == ["accepted", "rejected"]
    assert decided["lines"][1]["reason"] == "as told by phone: join"
    press("?")
    assert page.one("#help-dialog").is_displayed()
    press(Keys.ESCAPE)
    assert not page.one("#help-dialog").is_displayed()


def test_single_keys_can_be_switched_off(page: Page) -> None:
    page.code(BLOCK)
    page.one("#help").click()
    page.one("#keys-on").click()
    page.one("#help-close").click()
    ActionChains(page.browser).send_keys("a").perform()
    assert page.texts("#lines .told") == ["Not decided", "Not decided"]


def test_tab_reaches_every_control_in_the_order_of_the_page(page: Page) -> None:
    page.code(SIDE_MISSING)
    page.js("document.activeElement.blur(); scrollTo(0, 0); getSelection().removeAllRanges()")
    page.one("h1").click()
    order = page.js(
        "window.seen = [...document.querySelectorAll('a, button, input, select, summary, [tabindex=\"0\"]')]"
        ".filter((e) => e.checkVisibility({visibilityProperty: true}) && !e.disabled); return window.seen.length"
    )
    reached = []
    for _ in range(order + 12):  # a date has several parts
        ActionChains(page.browser).send_keys(Keys.TAB).perform()
        at = page.js("return window.seen.indexOf(document.activeElement)")
        if reached and at <= 0 and len(reached) > 1:
            break
        if at >= 0 and (not reached or reached[-1] != at):
            reached.append(at)
    assert set(range(1, order)) <= set(reached)
    assert reached == sorted(reached)


def test_decisions_need_reasons_and_are_downloaded(page: Page) -> None:
    page.code(BLOCK)
    page.one("#reviewer").send_keys("coder 1")
    first, second = page.all("#lines .line")
    first.find_element("css selector", ".edited").click()
    page.one("#save").click()
    assert "64494: not decided" in page.one("#missing").text
    assert "Nothing is edited yet" in page.one("#missing").text
    assert page.js("return document.activeElement.matches('#lines .code-input')")
    side, joints = (first.find_element("css selector", f".{name}-input") for name in ("side", "joints"))
    side.send_keys("left")
    joints.clear()
    joints.send_keys("L3-5")
    assert "No joint: L3-5" in first.text
    joints.clear()
    joints.send_keys("l3-4")
    assert "Give a reason" in first.text
    first.find_element("css selector", ".reason-input").send_keys("addendum")
    second.find_element("css selector", ".rejected").click()
    assert "Give a reason" in second.text
    second.find_element("css selector", ".reason-input").send_keys("Not documented as done")
    page.one("#add-line").click()
    page.one("#added .code-input").send_keys("77002")
    assert page.texts("#lines .told, #added .told")[0] == "Edited: 64493 left L3-L4. Reason: addendum"
    page.one("#save").click()
    assert page.texts("#missing, #problem") == ["", ""]
    decided = json.loads(page.downloaded(f"{page.one('.record-id').text}.decisions.json"))
    assert decided["lines"] == [
        {
            "decision": "edited",
            "code": "64493",
            "side": "left",
            "joints": ["L3-L4"],
            "proposed": {"code": "64493", "side": "right", "joints": ["L4-L5"]},
            "reason": "addendum",
        },
        {
            "decision": "rejected",
            "code": "64494",
            "side": "right",
            "joints": ["L5-S1"],
            "reason": "Not documented as done",
        },
        {"decision": "added", "code": "77002", "side": "unspecified", "joints": [], "reason": ""},
    ]
    assert (decided["text"], decided["reviewer"], decided["status"]) == (BLOCK, "coder 1", "coded")
    assert "unsettled" not in decided


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store") / "reviews.sqlite"


@pytest.fixture
def keeping(browser: Any, store: Path, downloads: Path) -> Iterator[Page]:
    """The page of a service that keeps decisions."""
    with served("--store", str(store)) as address:
        page = Page(browser, address, downloads).open()
        yield page
        assert page.offences() == []


def test_a_saved_review_becomes_gold(keeping: Page, store: Path, tmp_path: Path) -> None:
    keeping.code(BLOCK)
    keeping.one("#note-id").send_keys("visit-1")
    keeping.one("#profile").send_keys("medicare")  # codes the note again, now with its id
    keeping.until("document.querySelector('.record-id').textContent === 'visit-1'")
    keeping.one("#reviewer").send_keys("coder 1")
    keeping.all("#lines .accepted")[0].click()
    keeping.all("#lines .rejected")[1].click()
    keeping.one("#lines .reason-input").send_keys("one joint only")
    assert keeping.one("#save").text == "Save review"
    keeping.one("#save").click()
    keeping.until("document.getElementById('progress').textContent.includes('Saved.')")
    gold = tmp_path / "gold.jsonl"
    subprocess.run(
        [sys.executable, "-m", "extractor", "feedback", "export", str(store), "-o", str(gold)],
        check=True,
        cwd=ROOT,
    )
    [record] = map(json.loads, gold.read_text("utf-8").splitlines())
    assert (record["id"], record["text"]) == ("visit-1", BLOCK)
    assert [line["code"] for line in record["gold"]["lines"]] == ["64493"]


def test_another_profile_asks_again_and_keeps_the_decisions(page: Page, service: str) -> None:
    page.code(BOTH_SIDES)
    page.one("#accept-all").click()
    for profile in ("medicare-asc", "medicare", "cpt"):
        page.js(
            "const p = document.getElementById('profile'); p.value = args[0]; p.dispatchEvent(new Event('change'))",
            profile,
        )
        page.until("document.querySelector('.claim caption')?.textContent === `Profile ${args[0]}`", profile)
        claim = asked(service, BOTH_SIDES, profile=profile)["claim"]
        expected = [f"{c['code']}{', '.join(c['modifiers']) or 'none'}{c['units']}" for c in claim]
        assert page.texts(".claim tbody tr") == expected
        assert page.texts("#lines .told") == ["Accepted.", "Accepted."]


def test_questions_are_ready_to_send(page: Page, service: str) -> None:
    page.browser.execute_cdp_cmd(
        "Browser.grantPermissions",
        {"origin": page.address, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]},
    )
    page.code(SIDE_MISSING)
    queries = asked(service, SIDE_MISSING)["queries"]
    assert page.texts(".question") == [query["question"] for query in queries]
    page.one(".query .copy").click()
    page.until("document.querySelector('.query .copy').textContent === 'Copied'")
    copied = page.js("return await navigator.clipboard.readText()")
    assert queries[0]["question"] in copied
    assert queries[0]["evidence"][0]["text"] in copied
    assert page.one("#unsettled").is_selected()  # a question is open: the review does not settle the note


def test_a_kind_can_be_hidden(page: Page) -> None:
    page.code(BLOCK)
    button = page.one('.kind[data-kind="Nerve"]')
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    decorated = "return getComputedStyle(document.querySelector('mark[data-kind=Nerve]')).textDecorationLine"
    assert page.js(decorated) == "none"
    button.click()
    assert page.js(decorated) == "underline"


def test_errors_are_told_in_words(page: Page) -> None:
    page.code("   ")
    assert page.one("#problem").text == "Paste a note or open one first."
    page.code("x" * 1_100_001)
    assert "1,100,001 characters" in page.one("#problem").text
    page.browser.execute_cdp_cmd("Network.enable", {})
    offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    page.browser.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    page.write(BLOCK)
    page.one("#code").click()
    page.until("document.getElementById('problem').textContent.includes('does not answer')")
    page.browser.execute_cdp_cmd("Network.emulateNetworkConditions", {**offline, "offline": False})
    page.browser.get_log("browser")  # the browser itself notes the failed request
    page.code(BLOCK)
    assert page.one("#problem").text == ""


def test_the_token_is_asked_for_and_kept_in_memory(browser: Any, downloads: Path, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("correct-horse-battery")
    path.chmod(0o600)
    with served("--token-file", str(path)) as address:
        page = Page(browser, address, downloads).open()
        page.until("document.getElementById('token-dialog').open")
        for token, refused in (("wrong-wrong-wrong-wrong", True), ("correct-horse-battery", False)):
            page.one("#token").send_keys(token, Keys.ENTER)
            if refused:
                page.until("document.getElementById('token-refused').textContent")
        page.code(BLOCK)
        assert page.texts("#lines .code") == ["64493", "64494"]
        kept = page.js("return [localStorage.length, sessionStorage.length, document.cookie, location.href]")
        assert kept == [0, 0, "", f"{address}/#one"]
        assert "correct-horse" not in page.js(
            "return document.documentElement.outerHTML + document.getElementById('token').value"
        )
        page.browser.get_log("browser")  # it notes each 401 as an error
        assert page.offences() == []
