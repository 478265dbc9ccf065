"""The review page with a result file of `facetcode run`: its list, its filters, the walk through it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browsing import ROOT, Page
from selenium.webdriver.common.action_chains import ActionChains

if TYPE_CHECKING:
    from extractor import Coder

SAMPLES = sorted((ROOT / "corpus" / "samples").glob("*.txt"))
COPIES = 20  # of each sample: more than a page of the list


@pytest.fixture(scope="module")
def notes() -> list[dict[str, str]]:
    """Notes that begin with a character of two UTF-16 units, so that offsets of the file are not those of the page."""
    return [
        {"id": f"{path.stem}/{copy}", "text": f"\U0001f614 {path.read_text('utf-8')}", "date_of_service": "2026-02-03"}
        for copy in range(COPIES)
        for path in SAMPLES
    ]


@pytest.fixture(scope="module")
def files(coder: Coder, notes: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The results of the notes, between lines that are none, and the notes."""
    folder = tmp_path_factory.mktemp("files")
    coded = {note["text"]: coder.code(note["text"]) for note in notes}
    lines = [coded[note["text"]].model_copy(update={"id": note["id"]}).to_json() for note in notes]
    lines.insert(3, '{"id": "failed", "source": "notes.jsonl:4", "reason": "took too long"}')
    lines.insert(5, '{"id": "cut off')
    results, texts = folder / "results.jsonl", folder / "notes.jsonl"
    results.write_text("\n".join(lines), "utf-8")
    texts.write_text("".join(json.dumps(note) + "\n" for note in reversed(notes)), "utf-8")
    return results, texts


@pytest.fixture
def opened(page: Page, files: tuple[Path, Path]) -> Page:
    """The page with the result file open."""
    page.open("file")
    page.one("#results-file").send_keys(str(files[0]))
    page.until("!document.getElementById('workspace').hidden")
    return page


def choose(page: Page, name: str, value: str) -> None:
    page.js(
        "const e = document.getElementById(args[0]); e.value = args[1]; e.dispatchEvent(new Event('input'))",
        f"filter-{name}",
        value,
    )


def results(files: tuple[Path, Path]) -> list[dict[str, object]]:
    found = []
    for line in files[0].read_text("utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return [record for record in found if "status" in record]


def test_the_list_says_what_the_file_holds(opened: Page, files: tuple[Path, Path]) -> None:
    total = len(results(files))
    state = opened.one("#results-state").text
    assert state == f"{total} results; 1 lines are no result; 1 lines are no JSON"
    assert len(opened.all("#records tr")) == 50  # of however many, so that the page stays quick
    opened.one("#page-after").click()
    assert opened.one("#page-number").text.startswith("Page 2 of ")


def test_filters(opened: Page, files: tuple[Path, Path]) -> None:
    records = results(files)
    code, query = "64635", records[3]["queries"][0]["id"]  # type: ignore[index]
    expected = {
        ("status", "review"): [r["id"] for r in records if r["status"] == "review"],
        ("code", code): [r["id"] for r in records if any(line["code"] == code for line in r["lines"])],  # type: ignore[attr-defined]
        ("query", query): [r["id"] for r in records if any(q["id"] == query for q in r["queries"])],  # type: ignore[attr-defined]
        ("id", "05-NO"): [r["id"] for r in records if "05-no" in str(r["id"])],
    }
    for (name, value), ids in expected.items():
        assert ids
        choose(opened, name, str(value))
        assert opened.texts("#records .record") == ids[:50]
        assert opened.one("#shown").text == f"{len(ids)} of {len(records)}"
        choose(opened, name, "")


def test_evidence_is_quoted_without_the_notes_and_marked_with_them(opened: Page, files: tuple[Path, Path]) -> None:
    [record] = [r for r in results(files) if r["id"] == "01-medial-branch-block/7"]
    choose(opened, "id", "block/7")
    opened.one("#records .record").click()
    opened.until("document.querySelector('.record-id').textContent === args[0]", record["id"])
    evidence = record["lines"][0]["evidence"]  # type: ignore[index]
    assert not opened.one("#note-part").is_displayed()
    assert opened.texts("#lines .line:first-child q") == [e["text"] for e in evidence]
    assert opened.one("#lines q").is_displayed()
    opened.one("#notes-file").send_keys(str(files[1]))
    opened.until("!document.getElementById('note-part').hidden")
    opened.until("!document.getElementById('note').hasAttribute('aria-busy')")
    note = opened.note()
    assert note.startswith("\U0001f614 PROCEDURE NOTE")
    marks = opened.marks()
    for e in evidence:
        start, end = (len(note[: e[name]].encode("utf-16-le")) // 2 for name in ("start", "end"))
        assert "".join(words for at, owners, words in marks if start <= at < end and "l0" in owners) == e["text"]


def test_notes_that_do_not_fit_are_not_shown(opened: Page, files: tuple[Path, Path], tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.jsonl"
    records = results(files)
    wrong.write_text("".join(json.dumps({"id": r["id"], "text": "Another note."}) + "\n" for r in records))
    opened.one("#notes-file").send_keys(str(wrong))
    opened.until("document.getElementById('warnings').textContent.includes('does not fit')")
    assert not opened.one("#note-part").is_displayed()


def opened_with(page: Page, records: list[dict[str, Any]], notes: list[dict[str, str]], folder: Path) -> None:
    """The page with these records, and then with these notes."""
    results, texts = folder / "some.jsonl", folder / "some-notes.jsonl"
    results.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    texts.write_text("".join(json.dumps(note) + "\n" for note in notes), "utf-8")
    page.open("file")
    page.one("#results-file").send_keys(str(results))
    page.until("!document.getElementById('workspace').hidden")
    page.one("#notes-file").send_keys(str(texts))
    page.until("document.getElementById('notes-state').textContent.endsWith('notes')")


def test_a_note_is_known_by_its_digest_where_a_result_quotes_nothing(page: Page, coder: Coder, tmp_path: Path) -> None:
    texts = {"seen": "Seen today, \U0001f614.\r\n", "again": "Seen again."}
    records = [json.loads(coder.code(text, id=name).to_json()) for name, text in texts.items()]
    assert not [record for record in records if record["entities"]]
    notes = [{"id": name, "text": text} for name, text in texts.items()]
    notes[1]["text"] += " Of another day."
    opened_with(page, records, notes, tmp_path)
    page.until("!document.getElementById('note-part').hidden")
    assert not page.one("#warnings").is_displayed()
    page.one("#record-after").click()
    page.until("document.getElementById('warnings').textContent.includes('another text')")
    assert not page.one("#note-part").is_displayed()
    for number in range(2):
        page.one("#save").click()
        page.until("document.getElementById('save-all').textContent.includes(args[0])", f"({number + 1})")
        page.one("#record-before").click()
    page.one("#save-all").click()
    decided = [json.loads(line) for line in page.downloaded("decisions.jsonl").splitlines()]
    assert [record.get("text") for record in decided] == [texts["seen"], None]


def test_another_text_behind_the_quotes_is_told(page: Page, coder: Coder, tmp_path: Path) -> None:
    text = SAMPLES[0].read_text("utf-8")
    record = json.loads(coder.code(text, id="n").to_json())
    opened_with(page, [record], [{"id": "n", "text": text + "Addendum: none."}], tmp_path)
    page.until("document.getElementById('warnings').textContent.includes('another text')")
    assert not page.one("#note-part").is_displayed()


def test_suggested_modifiers_and_stamps(page: Page, coder: Coder, tmp_path: Path) -> None:
    text = SAMPLES[0].read_text("utf-8")
    record = json.loads(coder.code(text, id="n", profile="medicare", date_of_service="2026-01-31").to_json())
    record["claim"][0]["suggested"] = [{"modifier": "59", "reason": "Two <b>families</b> met."}]
    record["claim"][1]["suggested"] = []
    record["versions"]["overlay"] = "0123456789ab"
    opened_with(page, [record], [{"id": "n", "text": text}], tmp_path)
    page.until("!document.getElementById('note-part').hidden")
    code = record["claim"][0]["code"]
    assert page.texts("#claim .suggested li") == [f"Consider 59 on {code}: Two <b>families</b> met."]
    assert not [row for row in page.texts(".claim tbody tr") if "59" in row]
    stamps = record["versions"]
    assert page.one("#versions").text == (
        f"Coded with facetcode {stamps['engine']}, patterns {stamps['patterns']}, overlay 0123456789ab, "
        f"codes {stamps['codes']}, profile medicare (row {stamps['profile_hash']}), date of service 2026-01-31, "
        f"text {stamps['text']}."
    )
    page.one("#accept-all").click()
    page.one("#save").click()
    page.one("#save-all").click()
    [decided] = map(json.loads, page.downloaded("decisions.jsonl").splitlines())
    assert (decided["versions"], decided["date_of_service"]) == (stamps, "2026-01-31")


def test_a_result_of_an_older_version_is_shown(page: Page, coder: Coder, tmp_path: Path) -> None:
    text = SAMPLES[0].read_text("utf-8")
    record = json.loads(coder.code(text, id="n").to_json())
    del record["supplies"]
    for line in record["lines"]:
        del line["descriptor"]
    for item in record["claim"]:
        del item["suggested"]
    record["versions"] = {name: record["versions"][name] for name in ("engine", "patterns", "codes", "profile")}
    opened_with(page, [record], [{"id": "n", "text": text}], tmp_path)
    page.until("!document.getElementById('note-part').hidden")
    assert page.one("#results-state").text == "1 results"
    assert page.one("#versions").text.endswith("profile cpt.")
    assert len(page.all(".claim tbody tr")) == len(record["claim"])


def test_walking_the_review_queue(opened: Page, files: tuple[Path, Path]) -> None:
    opened.one("#notes-file").send_keys(str(files[1]))
    opened.until("document.getElementById('notes-state').textContent.endsWith('notes')")
    queue = [str(r["id"]) for r in results(files) if r["status"] == "review"]
    opened.one("#queue").click()

    def at(place: int) -> None:
        opened.until("document.querySelector('.record-id').textContent === args[0]", queue[place])
        assert opened.one("#position").text == f"Record {place + 1} of {len(queue)}"

    def press(key: str) -> None:
        ActionChains(opened.browser).send_keys(key).perform()

    at(0)
    for key, place in (("n", 1), ("n", 2), ("p", 1)):
        press(key)
        at(place)
    lines = len(opened.all("#lines .line"))
    for _ in range(lines):
        press("a")
    press("s")  # done with this one, on to the next
    at(2)
    assert opened.one("#save-all").text == "Download decisions (1)"
    opened.one("#save-all").click()
    [decided] = map(json.loads, opened.downloaded("decisions.jsonl").splitlines())
    assert (decided["id"], decided["unsettled"], decided["date_of_service"]) == (queue[1], True, "2026-02-03")
    assert [line["decision"] for line in decided["lines"]] == ["accepted"] * lines
    assert decided["text"].startswith("\U0001f614 ")
    press("p")
    at(1)
    assert opened.texts("#lines .told") == ["Accepted."] * lines  # what was decided stays
    opened.one("#queue").click()
    at(0)


def test_decisions_get_the_text_of_notes_opened_later(opened: Page, files: tuple[Path, Path]) -> None:
    for _ in range(2):
        opened.one("#accept-all").click()
        opened.one("#save").click()
        opened.until("document.getElementById('progress').textContent.includes('0 of')")
    opened.one("#lines .accepted").click()  # decided, not finished
    opened.one("#save-all").click()
    without = [json.loads(line) for line in opened.downloaded("decisions.jsonl").splitlines()]
    assert [record["id"] for record in without] == [str(r["id"]) for r in results(files)[:2]]
    assert not any("text" in record for record in without)
    opened.one("#notes-file").send_keys(str(files[1]))
    opened.until("!document.getElementById('note-part').hidden")
    assert opened.texts("#lines .told")[0] == "Accepted."
    opened.one("#save-all").click()
    with_text = [json.loads(line) for line in opened.downloaded("decisions.jsonl").splitlines()]
    texts = {note["id"]: note["text"] for note in map(json.loads, files[1].read_text("utf-8").splitlines())}
    day = {"date_of_service": "2026-02-03"}
    assert with_text == [{**record, "text": texts[record["id"]], **day} for record in without]


def test_a_file_that_is_no_result_file(page: Page, tmp_path: Path) -> None:
    page.open("file")
    for name, content, words in (
        ("empty.jsonl", b"", "No result is in this file"),
        ("notes.jsonl", b'{"id": "1", "text": "<img src=x onerror=alert(1)>"}\n', "No result is in this file"),
        ("packed.jsonl", b"\x1f\x8b\x08\x00rest", "compressed"),
        ("binary.jsonl", bytes(range(256)) * 50, "No result is in this file"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        page.one("#results-file").send_keys(str(path))
        page.until("document.getElementById('problem').textContent.includes(args[0])", words)


def test_damaged_records_are_counted_and_the_others_shown(page: Page, files: tuple[Path, Path], tmp_path: Path) -> None:
    good = results(files)[0]
    line, *_ = good["lines"]  # type: ignore[misc]
    damage: list[dict[str, object]] = [
        {"lines": [None]},
        {"lines": [{name: value for name, value in line.items() if name != "joints"}]},
        {"lines": [{**line, "evidence": [None]}]},
        {"claim": [{}]},
        {"claim": [{"code": "64493", "modifiers": [], "units": 1, "suggested": ["59"]}]},
        {"supplies": [{"code": "J3301"}]},
        {"lines": [{**line, "descriptor": 7}]},
        {"versions": {**good["versions"], "text": 7}},
        {"queries": ["q"]},
        {"rejected": [None]},
        {"warnings": [{}]},
        {"procedures": [{"joints": None}]},
        {"entities": [{"label": "Level", "start": 0, "end": 1, "text": "x", "attributes": None}]},
        {"status": "constructor"},
        {"summary": None},
        {"versions": []},
    ]
    path = tmp_path / "damaged.jsonl"
    path.write_text("".join(json.dumps({**good, **part}) + "\n" for part in [*damage, {"id": "whole"}]), "utf-8")
    page.open("file")
    page.one("#results-file").send_keys(str(path))
    page.until("!document.getElementById('workspace').hidden")
    assert page.one("#results-state").text == f"1 results; {len(damage)} lines are no result"
    assert page.one(".record-id").text == "whole"


def test_a_file_that_changes_under_the_page_is_told(page: Page, files: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "changing.jsonl"
    path.write_bytes(files[0].read_bytes())
    page.open("file")
    page.one("#results-file").send_keys(str(path))
    page.until("!document.getElementById('workspace').hidden")
    path.write_text("another content", "utf-8")
    page.one("#record-after").click()
    page.until("document.getElementById('problem').textContent.includes('no longer be read')")
    assert not page.one("#workspace").is_displayed()  # it would be that of another record
    page.js("Blob.prototype.arrayBuffer = async () => { throw new DOMException('gone', 'NotReadableError'); }")
    for name, words in (("results", "This file could not be read"), ("notes", "The notes could not be read")):
        page.one(f"#{name}-file").send_keys(str(files[0]))
        page.until("document.getElementById('problem').textContent.includes(args[0])", words)
    assert page.one("#results-state").text.startswith(f"{len(results(files))} results")


def test_decisions_made_while_a_file_is_read_are_not_lost(opened: Page, tmp_path: Path) -> None:
    path = tmp_path / "other.jsonl"
    path.write_text("{}\n", "utf-8")
    opened.js(
        "window.questions = 0; window.confirm = () => { window.questions += 1; return false; };"
        "const read = Blob.prototype.arrayBuffer;"
        "window.slow = new Promise((resolve) => { window.goOn = resolve; });"
        "Blob.prototype.arrayBuffer = async function () { await window.slow; return read.call(this); };"
    )
    state = opened.one("#results-state").text
    opened.one("#results-file").send_keys(str(path))
    opened.one("#accept-all").click()
    lines = opened.texts("#lines .told")
    assert lines == ["Accepted."] * len(lines) != []
    opened.js("window.goOn()")
    opened.until("window.questions")
    assert opened.texts("#lines .told") == lines
    assert opened.one("#results-state").text == state
    opened.one("#record-after").click()
    opened.until("document.getElementById('position').textContent.startsWith('Record 2 ')")
    opened.one("#record-before").click()
    opened.until("document.getElementById('position').textContent.startsWith('Record 1 ')")
    assert opened.texts("#lines .told") == lines


def test_markup_in_a_result_file_stays_text(page: Page, files: tuple[Path, Path], tmp_path: Path) -> None:
    markup = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    record = results(files)[0]

    def infected(value: object, key: str = "") -> object:
        if isinstance(value, dict):
            return {name: infected(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [infected(inner, key) for inner in value]
        return value + markup if isinstance(value, str) and key not in ("side", "status") else value

    path = tmp_path / "infected.jsonl"
    path.write_text(json.dumps(infected(record)))
    page.open("file")
    page.one("#results-file").send_keys(str(path))
    page.until("!document.getElementById('workspace').hidden")
    assert page.js("return document.querySelectorAll('main img, main script').length") == 0
    assert markup in page.texts("#lines .label")[0]
