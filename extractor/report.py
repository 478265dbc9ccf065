"""A result for people: a short summary for the terminal, and one self-contained page with the evidence marked.

Note text is hostile input. On the terminal every character that does not print is replaced; in the page everything is
escaped, there is no script, and nothing is loaded from anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from extractor.explain import LineExplanation
from extractor.schema import CodeLine, CodingResult, Evidence

_MOST_QUOTED = 90
_STATUS = {
    "coded": "every line is supported and no question is open",
    "review": "a person must answer or decide first",
    "no_code": "nothing of these kinds was performed at this encounter",
}


def text_summary(result: CodingResult) -> str:
    """The summary for the terminal, without a line end at its end."""
    return "\n".join(_summary(result))


def _summary(result: CodingResult) -> Iterator[str]:
    yield f"{_plain(result.id)}: {result.status.upper()} ({_STATUS[result.status]})"
    for line in result.lines:
        yield "  " + "  ".join(part for part in (line.code, _sided(line), _plain(line.label)) if part)
        if line.descriptor:
            yield f"      {_plain(line.descriptor)}"
        yield from (f"      {_plain(reason)}" for reason in line.reasons)
        yield from _quotes(line.evidence)
    if result.claim:
        yield "  claim: " + ", ".join(_claim(c.code, c.modifiers, c.units) for c in result.claim)
    yield from (f"  consider {_plain(told)}" for told in _suggested(result))
    summary = result.summary
    for name, values in (("imaging", summary.imaging), ("injectate", summary.injectate), ("target", summary.target)):
        if values:
            yield f"  {name}: {_plain(', '.join(values))}"
    for query in result.queries:
        yield f"  ask ({query.id}): {_plain(query.question)}"
        yield from _quotes(query.evidence)
    yield from (f"  not {_plain(r.code)}: {_plain(r.reason)}" for r in result.rejected)
    yield from (f"  warning: {_plain(warning)}" for warning in result.warnings)


def explanation_text(explained: LineExplanation) -> str:
    """Why a line was given or not, in lines of plain text, without a line end at its end."""
    return "\n".join(_explanation(explained))


def _explanation(explained: LineExplanation) -> Iterator[str]:
    asked = (explained.code, explained.side or "any side", ", ".join(explained.joints) or "any joint")
    verdict = explained.verdict.replace("_", " ").upper()
    yield f"{_plain(' '.join(asked))}: {verdict}. {explained.explanation} Status of the note: {explained.status}."
    for line in explained.lines:
        yield "  " + "  ".join(part for part in (line.code, _sided(line), f"rule {_plain(line.rule)}") if part)
        yield from (f"      {_plain(reason)}" for reason in line.reasons)
        yield from _quotes(line.evidence)
    yield from (f"  not {_plain(r.code)}: {_plain(r.reason)}" for r in (*explained.rejected, *explained.neighbours))
    for query in explained.queries:
        yield f"  ask ({query.id}): {_plain(query.question)}"
        yield from _quotes(query.evidence)
    for item in explained.set_aside:
        yield f"  {item.assertion}, so not counted:"
        yield from _quotes([Evidence(start=item.start, end=item.end, text=item.text, section=item.section)])


def _sided(line: CodeLine) -> str:
    return " ".join(part for part in ("" if line.side == "unspecified" else line.side, ", ".join(line.joints)) if part)


def _claim(code: str, modifiers: Iterable[str], units: int) -> str:
    return "-".join((code, *modifiers)) + (f" x{units}" if units != 1 else "")


def _suggested(result: CodingResult) -> Iterator[str]:
    """What a person may add to the claim, and when."""
    for line in result.claim:
        for item in line.suggested:
            yield f"{item.modifier} on {_claim(line.code, line.modifiers, 1)}: {item.reason}"


def _quotes(evidence: Iterable[Evidence]) -> Iterator[str]:
    for e in evidence:
        quoted = _plain(" ".join(e.text[: 4 * _MOST_QUOTED].split()))
        quoted = quoted if len(quoted) <= _MOST_QUOTED else quoted[: _MOST_QUOTED - 3] + "..."
        yield f'      "{quoted}" ({e.start}-{e.end}{", " + _plain(e.section) if e.section else ""})'


def _plain(text: str) -> str:
    """The text with every character that could move the cursor or turn the writing direction replaced.

    >>> _plain("L4-5\\x1b[2J")
    'L4-5\\ufffd[2J'
    """
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
body { color: #1a1a1a; background: #fff }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 1.6rem }
table { border-collapse: collapse; width: 100% }
th, td { border: 1px solid #8a8a8a; padding: .3rem .6rem; text-align: left; vertical-align: top }
.status { border: 2px solid; border-radius: .3rem; padding: 0 .5rem }
.coded { color: #0b5d1e } .review { color: #8a3b00 } .no_code { color: #444 }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid #8a8a8a; padding: 1rem }
pre { font: 15px/1.7 ui-monospace, monospace }
mark { background: #ffe28a; color: inherit } mark.query { background: #ffc9b8; border-bottom: 2px dashed #8a3b00 }
"""


def html_page(result: CodingResult, text: str) -> str:
    """One page: status, lines, claim, questions, and the note with the evidence marked. `text` is the note as given.

    A browser drops one line end right after <pre>; it is ours, so that the note keeps its own.
    """
    name = _safe(result.id)
    parts = [
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width">',
        f"<title>{name}</title><style>{_STYLE}</style></head><body>",
        f'<h1>{name} <span class="status {result.status}">{result.status}</span></h1>',
        f"<p>{_STATUS[result.status].capitalize()}.</p>",
        _line_table(result),
        _list("Claim", (_claim(c.code, c.modifiers, c.units) for c in result.claim)),
        _list("Modifiers to consider", _suggested(result)),
        _list("To ask", (f"{q.id}: {q.question}" for q in result.queries)),
        _list("Warnings", result.warnings),
        _list("Considered and not given", (f"{r.code}: {r.reason}" for r in result.rejected)),
        f'<h2>The note</h2>\n<pre dir="auto">\n{"".join(_marked(result, text))}</pre>',
        f"<p><small>facetcode {_safe(result.versions.engine)}, patterns {_safe(result.versions.patterns)}, "
        f"codes {_safe(result.versions.codes)}, profile {_safe(result.versions.profile)}</small></p>",
        "</body></html>\n",
    ]
    return "\n".join(part for part in parts if part)


def _line_table(result: CodingResult) -> str:
    if not result.lines:
        return ""
    rows = (
        f'<tr><th scope="row">{_safe(line.code)}</th><td>{line.side}</td><td>{_safe(", ".join(line.joints))}</td>'
        f"<td>{_broken(filter(None, (line.label, line.descriptor)))}</td><td>{_broken(line.reasons)}</td></tr>"
        for line in result.lines
    )
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("Code", "Side", "Joints", "What", "Why"))
    return f"<h2>Lines</h2>\n<table><thead><tr>{heads}</tr></thead><tbody>\n" + "\n".join(rows) + "\n</tbody></table>"


def _broken(texts: Iterable[str]) -> str:
    return "<br>".join(map(_safe, texts))


def _list(title: str, items: Iterable[str]) -> str:
    rows = "".join(f"<li>{_safe(item)}</li>" for item in items)
    return f"<h2>{title}</h2>\n<ul>{rows}</ul>" if rows else ""


def _marked(result: CodingResult, text: str) -> Iterator[str]:
    """The note cut at every border of evidence; overlapping evidence shares its pieces."""
    owners = [(line.code, False, line.evidence) for line in result.lines]
    owners += [(query.id, True, query.evidence) for query in result.queries]
    borders: dict[int, list[tuple[bool, tuple[str, bool]]]] = {}
    for name, asks, evidence in owners:
        for e in evidence:
            if 0 <= e.start < e.end <= len(text):
                borders.setdefault(e.start, []).append((True, (name, asks)))
                borders.setdefault(e.end, []).append((False, (name, asks)))
    open_marks: dict[tuple[str, bool], int] = {}  # how many stretches of each owner cover this place
    position = 0
    for border in (*sorted(borders), len(text)):
        yield _piece(text[position:border], [mark for mark, depth in open_marks.items() if depth])
        for opens, mark in borders.get(border, ()):
            open_marks[mark] = open_marks.get(mark, 0) + (1 if opens else -1)
        position = border


def _piece(text: str, marks: list[tuple[str, bool]]) -> str:
    if not text or not marks:
        return _safe(text)
    kind = ' class="query"' if any(asks for _, asks in marks) else ""
    return f'<mark{kind} title="{_safe(", ".join(name for name, _ in marks))}">{_safe(text)}</mark>'


def _safe(text: str) -> str:
    """Escaped, with every character replaced that has no place in a page or turns the writing direction.

    >>> _safe('<b title="x">\\u202e')
    '&lt;b title=&quot;x&quot;&gt;\\ufffd'
    """
    if text.isprintable():
        return escape(text, quote=True)
    return escape("".join(c if c.isprintable() or c.isspace() else "\ufffd" for c in text), quote=True)
