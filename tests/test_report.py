"""Reports of hostile notes: nothing of the note becomes markup, moves the cursor or is lost."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stubs import stub_code

from extractor.report import html_page, text_summary
from extractor.schema import ClaimLine, CodeLine, CodingResult, Evidence, Query, Rejected, Suggestion, Versions

VERSIONS = Versions(engine="0", patterns="0", codes="2026", profile="cpt")
OWN_TAGS = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "h1",
    "h2",
    "span",
    "p",
    "small",
    "pre",
    "mark",
    "ul",
    "li",
}
OWN_TAGS |= {"table", "thead", "tbody", "tr", "th", "td", "br"}


class Page(HTMLParser):
    """The tags of a page, the text of its <pre>, and its marks as (kind, title, text)."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.note = ""
        self.marks: list[list[str]] = []
        self._inside: list[str] = []
        self.feed(html)
        self.close()
        assert self.note.startswith("\n")
        self.note = self.note[1:]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self._inside.append(tag)
        if tag == "mark":
            given = dict(attrs)
            self.marks.append([given.get("class") or "", given["title"] or "", ""])

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "pre" in self._inside:
            self.note += data
        if "mark" in self._inside:
            self.marks[-1][2] += data


def result(*spans: tuple[str, int, int], note: str = "", name: str = "n", asks: bool = False) -> CodingResult:
    lines, queries = [], []
    for code, start, end in spans:
        evidence = [Evidence(start=start, end=end, text=note[start:end], section="body")]
        if asks:
            queries.append(Query(id=code, question="Which side?", evidence=evidence))
        else:
            lines.append(CodeLine(code=code, side="left", joints=["L4-L5"], evidence=evidence))
    return CodingResult(id=name, status="review", lines=lines, queries=queries, versions=VERSIONS)


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script> facet side?",
        "</pre></body><img src=x onerror=alert(1)> facet",
        "&lt;b&gt; facet &amp;amp; &#60;i&#62;",
        "' onmouseover='alert(1) \" facet",
        "<!-- facet --> <![CDATA[ side? ]]> <?php ?>",
        "facet\u202e evitcejni \u2066 \x1b[31m \x00 \x07",
    ],
)
def test_page_of_a_hostile_note(hostile: str) -> None:
    page = Page(html_page(stub_code(hostile, id=hostile), hostile))
    assert page.tags <= OWN_TAGS
    assert page.attributes <= {"lang", "charset", "http-equiv", "content", "name", "class", "title", "scope", "dir"}
    shown = [given if given.isprintable() or given.isspace() else "\ufffd" for given in hostile]
    assert page.note == "".join(shown)


@given(st.text())
def test_page_keeps_every_visible_character(text: str) -> None:
    visible = "".join(c if c.isprintable() or c.isspace() else "\ufffd" for c in text)
    assert Page(html_page(result(), text)).note == visible


def test_page_loads_and_runs_nothing() -> None:
    html = html_page(stub_code("facet side?"), "facet side?")
    assert "default-src 'none'" in html
    assert not {"script", "link", "img", "iframe", "object", "form"} & Page(html).tags
    assert "http://" not in html
    assert "https://" not in html
    assert "url(" not in html


def test_marks_of_overlapping_evidence() -> None:
    note = "right L4-5 facet joint"
    marks = Page(html_page(result(("64493", 0, 10), ("64494", 6, 16), ("64494", 6, 16), note=note), note)).marks
    assert marks == [["", "64493", "right "], ["", "64493, 64494", "L4-5"], ["", "64494", " facet"]]


def test_marks_of_questions_differ() -> None:
    note = "L4-5 facet"
    assert Page(html_page(result(("missing_side", 0, 4), note=note, asks=True), note)).marks == [
        ["query", "missing_side", "L4-5"]
    ]


def test_evidence_outside_the_note_marks_nothing() -> None:
    page = Page(html_page(result(("64493", 3, 99), ("64493", 2, 2), note="facet"), "facet"))
    assert (page.note, page.marks) == ("facet", [])


def test_summary_of_a_coded_note() -> None:
    assert text_summary(stub_code("left facet", id="n1")).splitlines() == [
        "n1: CODED (every line is supported and no question is open)",
        "  64493  left L4-L5  first",
        '      "facet" (5-10, body)',
    ]


def test_summary_tells_questions_warnings_and_rejected_neighbours() -> None:
    whole = stub_code("facet side?", id="n1").model_copy(
        update={"warnings": ["too many levels"], "rejected": [Rejected(code="64495", reason="two joints only")]}
    )
    assert text_summary(whole).splitlines()[3:] == [
        "  ask (missing_side): Which side?",
        '      "side?" (6-11)',
        "  not 64495: two joints only",
        "  warning: too many levels",
    ]


def claimed(reason: str) -> CodingResult:
    maybe = [Suggestion(modifier="59", reason=reason), Suggestion(modifier="KX", reason="the policy asks for it")]
    versions = VERSIONS.model_copy(
        update={"overlay": "0a", "profile_hash": "1b", "date_of_service": "2026-01-31", "descriptors": "2c"}
    )
    claim = [ClaimLine(code="64493", modifiers=["LT"], suggested=maybe), ClaimLine(code="20552")]
    return stub_code("left facet", id="n1").model_copy(update={"claim": claim, "versions": versions})


def test_suggested_modifiers_are_told_with_their_reasons_and_are_not_on_the_claim() -> None:
    assert text_summary(claimed("two sites")).splitlines()[3:] == [
        "  claim: 64493-LT, 20552",
        "  consider 59 on 64493-LT: two sites",
        "  consider KX on 64493-LT: the policy asks for it",
    ]
    html = html_page(claimed("<b>two\u202e sites"), "left facet")
    assert "<h2>Claim</h2>\n<ul><li>64493-LT</li><li>20552</li></ul>" in html
    told = "<li>59 on 64493-LT: &lt;b&gt;two\ufffd sites</li><li>KX on 64493-LT: the policy asks for it</li>"
    assert f"<h2>Modifiers to consider</h2>\n<ul>{told}</ul>" in html
    assert "Modifiers to consider" not in html_page(stub_code("left facet"), "left facet")


def test_the_foot_of_the_page_tells_the_stamps() -> None:
    foot = "facetcode 0, patterns 0, overlay 0a, codes 2026, profile cpt (row 1b), date of service 2026-01-31"
    foot += ", descriptors 2c"
    assert f"<p><small>{foot}</small></p>" in html_page(claimed("r"), "left facet")


def test_summary_lets_no_control_character_through() -> None:
    note = "facet\x1b]0;title\x07\r\n\u202efacet"
    summary = text_summary(result(("64493", 0, len(note)), note=note, name="n\x1b[2J\n"))
    assert all(line.isprintable() for line in summary.split("\n"))
    assert len(summary.split("\n")) == 3


def test_summary_cuts_long_quotes() -> None:
    note = "facet " * 1000
    quote = text_summary(result(("64493", 0, len(note)), note=note)).split("\n")[2].strip()
    assert quote == f'"{("facet " * 15)[:87]}..." (0-6000, body)'
