"""From the answer of the service to the painted result, on the review page in a real Chromium without a window.

    python benchmarks/page_paint.py [NOTE] [--runs 10]

The page is loaded once from a service of its own, and the note is coded again and again. Each time is that of the
page's own measure `facetcode:paint`, in milliseconds: from the answer to the second frame after it was drawn, as the
first one has then been painted. Needs selenium, pytest, and Chromium with its chromedriver.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from browsing import Page, driver, served  # type: ignore[import-not-found]  # noqa: E402

MEASURE = "facetcode:paint"


def paints(page: Page, text: str, runs: int) -> list[float]:
    """Milliseconds of each run. Exits when the page shows an error."""
    times: list[float] = []
    for _ in range(runs):
        page.js("performance.clearMeasures(args[0])", MEASURE)
        page.code(text)
        if problem := page.one("#problem").text:
            raise SystemExit(problem)
        [paint] = page.js("return performance.getEntriesByName(args[0]).map((measure) => measure.duration)", MEASURE)
        times.append(paint)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sample = min((ROOT / "corpus" / "samples").glob("*.txt"))
    parser.add_argument("note", metavar="NOTE", nargs="?", type=Path, default=sample)
    parser.add_argument("--runs", type=int, default=10)
    given = parser.parse_args()
    text = given.note.read_text("utf-8")
    with TemporaryDirectory(ignore_cleanup_errors=True) as scratch, served() as address:
        browser = driver(Path(scratch))
        try:
            times = paints(Page(browser, address, Path(scratch)).open(), text, given.runs)
        finally:
            browser.quit()
    print(f"{MEASURE} of {given.note.name}, {len(text)} characters, {given.runs} runs")
    print(f"  median {statistics.median(times):.1f} ms, maximum {max(times):.1f} ms")


if __name__ == "__main__":
    main()
