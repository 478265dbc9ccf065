"""What a reviewer decides on the review page: reasons, files, the store, other profiles, questions, the token."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browsing import ROOT, Page, asked, served
from selenium.webdriver.common.keys import Keys

if TYPE_CHECKING:
    from extractor import Coder

SAMPLES = {path.stem: path.read_text("utf-8") for path in sorted((ROOT / "corpus" / "samples").glob("*.txt"))}
BLOCK = SAMPLES["01-medial-branch-block"]
BOTH_SIDES = SAMPLES["02-bilateral-facet-joints"]
SIDE_MISSING = SAMPLES["04-side-missing"]


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
    with served("--store", str(store), "--profile", "medicare-asc") as address:
        page = Page(browser, address, downloads).open()
        yield page
        assert page.offences() == []


def test_a_saved_review_becomes_gold(keeping: Page, store: Path, tmp_path: Path) -> None:
    keeping.code(BLOCK)
    assert keeping.texts(".claim caption") == ["Profile medicare-asc"]  # the service's own, as none was chosen
    keeping.one("#note-id").send_keys("visit-1")
    keeping.one("#profile").send_keys("cpt")  # codes the note again, now with its id
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


def test_a_review_that_the_service_refuses_can_be_downloaded(keeping: Page, coder: Coder, tmp_path: Path) -> None:
    def refused() -> None:
        keeping.until("document.getElementById('problem').textContent.includes('HTTP 422')")
        assert "download the decisions" in keeping.one("#problem").text
        assert "Finished." in keeping.one("#progress").text
        keeping.browser.get_log("browser")  # it notes the refusal as an error

    keeping.code(BLOCK)
    keeping.js("document.getElementById('reviewer').value = 'x'.repeat(1000)")  # more than a service takes
    keeping.one("#accept-all").click()
    assert not keeping.one("#save-file").is_displayed()
    keeping.one("#save").click()
    refused()
    keeping.one("#save-file").click()
    decided = json.loads(keeping.downloaded(f"{keeping.one('.record-id').text}.decisions.json"))
    assert decided["text"] == BLOCK
    assert "Saved." in keeping.one("#progress").text
    assert not keeping.one("#save-file").is_displayed()

    result = coder.code(BLOCK).model_dump() | {"id": "visit-2"}
    result["versions"]["profile"] = "house-rules"  # of a run elsewhere
    results, notes = tmp_path / "results.jsonl", tmp_path / "notes.jsonl"
    results.write_text(json.dumps(result), "utf-8")
    notes.write_text(json.dumps({"id": "visit-2", "text": BLOCK}), "utf-8")
    keeping.open("file").one("#results-file").send_keys(str(results))
    keeping.until("!document.getElementById('workspace').hidden")
    keeping.one("#notes-file").send_keys(str(notes))
    keeping.until("!document.getElementById('note-part').hidden")
    keeping.one("#accept-all").click()
    keeping.one("#save").click()
    refused()
    assert not keeping.one("#save-file").is_displayed()  # that of the whole file is
    keeping.one("#save-all").click()
    [decided] = map(json.loads, keeping.downloaded("decisions.jsonl").splitlines())
    assert (decided["id"], decided["text"], decided["profile"]) == ("visit-2", BLOCK, "house-rules")


def test_a_text_that_nothing_ties_to_its_result_is_not_stored(keeping: Page, coder: Coder, tmp_path: Path) -> None:
    result = coder.code("Seen today.", "visit-4")
    assert not result.entities  # nothing to compare with a text
    older = result.versions.model_copy(update={"text": ""})  # without a digest
    result = result.model_copy(update={"versions": older})
    results, notes = tmp_path / "results.jsonl", tmp_path / "notes.jsonl"
    results.write_text(f"{result.to_json()}\n{result.model_copy(update={'id': 'visit-5'}).to_json()}\n", "utf-8")
    foreign = "The note of another patient."
    notes.write_text("".join(json.dumps({"id": f"visit-{n}", "text": foreign}) + "\n" for n in (4, 5)), "utf-8")
    keeping.open("file").one("#results-file").send_keys(str(results))
    keeping.until("!document.getElementById('workspace').hidden")
    keeping.one("#notes-file").send_keys(str(notes))
    keeping.until("!document.getElementById('note-part').hidden")
    assert keeping.note() == foreign
    assert "quotes no words" in keeping.one("#warnings").text
    keeping.one("#save").click()
    keeping.until("document.querySelector('.record-id').textContent === 'visit-5'")
    keeping.one("#record-before").click()
    keeping.until("document.querySelector('.record-id').textContent === 'visit-4'")
    assert "Finished." in keeping.one("#progress").text  # and not "Saved."
    assert "quotes no words" in keeping.one("#warnings").text
    keeping.one("#save-all").click()
    [decided] = map(json.loads, keeping.downloaded("decisions.jsonl").splitlines())
    assert decided["id"] == "visit-4"
    assert "text" not in decided


def test_another_profile_asks_again_and_keeps_the_decisions(page: Page, service: str) -> None:
    page.code(BOTH_SIDES)
    assert page.js("return document.getElementById('profile').value") == "cpt"  # that of the service: none was chosen
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


ANSWER = "window.questions = []; window.confirm = (words) => { window.questions.push(words); return args[0]; }"


def change_profile(page: Page, profile: str) -> None:
    script = "const p = document.getElementById('profile'); p.value = args[0]; p.dispatchEvent(new Event('change'))"
    page.js(script, profile)


def test_unsaved_decisions_are_not_lost_by_another_profile(page: Page) -> None:
    page.code(BLOCK)
    page.one("#accept-all").click()
    page.write(BOTH_SIDES)
    page.js(ANSWER, False)
    change_profile(page, "medicare")
    page.until("window.questions.length")
    page.until("!document.getElementById('code').disabled")
    assert page.texts("#lines .code") == ["64493", "64494"]
    assert page.texts("#lines .told") == ["Accepted.", "Accepted."]
    page.js(ANSWER, True)
    change_profile(page, "medicare-asc")
    page.until("document.querySelector('.claim caption')?.textContent === 'Profile medicare-asc'")
    assert page.texts("#lines .told") == ["Not decided"] * len(page.all("#lines .line"))
    assert len(page.js("return window.questions")) == 1


def test_decisions_made_while_the_answer_is_awaited_are_not_lost(page: Page) -> None:
    page.code(BLOCK)
    page.write(BOTH_SIDES)
    page.js(ANSWER, False)
    page.js("document.getElementById('code').click(); document.getElementById('accept-all').click()")
    page.until("!document.getElementById('code').disabled")
    assert len(page.js("return window.questions")) == 1
    assert page.texts("#lines .code") == ["64493", "64494"]
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


def test_a_service_that_did_not_answer_at_first_is_asked_again(browser: Any, downloads: Path, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("correct-horse-battery")
    path.chmod(0o600)
    with served("--token-file", str(path), "--store", str(tmp_path / "reviews.sqlite")) as address:
        page = Page(browser, address, downloads).open()
        page.until("document.getElementById('token-dialog').open")
        page.one("#token-cancel").click()
        page.until("document.getElementById('problem').textContent.includes('HTTP 401')")
        page.js("document.getElementById('text').value = args[0]", BLOCK)
        page.one("#note-id").send_keys("visit-9")
        page.one("#code").click()
        page.until("document.getElementById('token-dialog').open")
        page.one("#token").send_keys("correct-horse-battery", Keys.ENTER)
        page.until("!document.getElementById('workspace').hidden")
        assert page.one("#save").text == "Save review"
        assert len(page.all("#profile option")) > 1
        page.one("#accept-all").click()
        page.one("#save").click()
        page.until("document.getElementById('progress').textContent.includes('Saved.')")
        assert [*downloads.glob("visit-9*")] == []
        page.browser.get_log("browser")  # it notes each 401 as an error
        assert page.offences() == []


def test_a_file_is_not_saved_past_a_service_that_did_not_answer(
    browser: Any, coder: Coder, downloads: Path, tmp_path: Path
) -> None:
    result = coder.code(BLOCK, "visit-3")
    results, notes = tmp_path / "results.jsonl", tmp_path / "notes.jsonl"
    results.write_text(result.to_json(), "utf-8")
    notes.write_text(json.dumps({"id": "visit-3", "text": BLOCK}), "utf-8")
    path = tmp_path / "token"
    path.write_text("correct-horse-battery")
    path.chmod(0o600)
    store = tmp_path / "reviews.sqlite"
    with served("--token-file", str(path), "--store", str(store)) as address:
        page = Page(browser, address, downloads).open("file")
        page.until("document.getElementById('token-dialog').open")
        page.one("#token-cancel").click()
        page.one("#results-file").send_keys(str(results))
        page.until("!document.getElementById('workspace').hidden")
        page.one("#notes-file").send_keys(str(notes))
        page.until("!document.getElementById('note-part').hidden")
        page.one("#accept-all").click()
        page.one("#save").click()
        page.until("document.getElementById('token-dialog').open")
        page.one("#token").send_keys("correct-horse-battery", Keys.ENTER)
        page.until("document.getElementById('progress').textContent.includes('Saved.')")
        page.browser.get_log("browser")  # it notes each 401 as an error
        assert page.offences() == []
