#!/usr/bin/env python3
"""Pictures of the review page for the docs, of a real service in the system's Chromium. Needs selenium and Pillow."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from browsing import Page, driver, served  # noqa: E402

MOST = 200_000  # bytes of one picture
SAMPLES = ROOT / "corpus" / "samples"
WIDE, NARROW, PAPER = (1440, 900), (320, 900), (760, 1070)


def main(out: Path) -> None:
    """Writes the pictures into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as scratch, served() as address:
        browser = driver(Path(scratch))
        page = Page(browser, address, Path(scratch))
        try:
            for name, size, take in (
                ("review-light", WIDE, _light),
                ("review-dark", WIDE, _dark),
                ("review-batch", WIDE, _batch),
                ("review-narrow", NARROW, _narrow),
                ("review-print", PAPER, _paper),
            ):
                _save(page, out / f"{name}.png", size, take)
        finally:
            browser.quit()


def _save(page: Page, path: Path, size: tuple[int, int], take: Callable[[Page], None]) -> None:
    screen = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    page.browser.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
    page.emulate(prefers_color_scheme="light")
    take(page)
    page.js("await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    picture = base64.b64decode(page.browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"])
    drawn = Image.open(BytesIO(picture)).convert("RGB")
    drawn.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE).save(path, optimize=True)
    if (size_now := path.stat().st_size) > MOST:
        raise SystemExit(f"{path.name} has {size_now} bytes; at most {MOST} may be kept")
    print(f"{path}: {size_now} bytes")


def _code(page: Page, sample: str) -> None:
    page.code((SAMPLES / f"{sample}.txt").read_text("utf-8"))
    page.js("document.activeElement.blur(); scrollTo(0, 0)")


def _light(page: Page) -> None:
    page.open()
    _code(page, "01-medial-branch-block")
    page.js("document.querySelector('#lines .accepted').click()")


def _dark(page: Page) -> None:
    page.open()
    page.emulate(prefers_color_scheme="dark")
    _code(page, "02-bilateral-facet-joints")
    page.js("document.querySelector('#lines .code').focus()")  # its words, joints and line are lit


def _narrow(page: Page) -> None:
    page.open()
    _code(page, "04-side-missing")
    page.js("document.querySelector('.middle').scrollIntoView()")


def _paper(page: Page) -> None:
    page.open()
    _code(page, "01-medial-branch-block")
    page.js("for (const e of document.querySelectorAll('#lines .accepted')) e.click()")
    page.js("document.getElementById('reviewer').value = 'A. Coder'")
    page.emulate("print")


def _batch(page: Page) -> None:
    from extractor import Coder

    coder, folder = Coder(), page.downloads
    notes = {path.stem: path.read_text("utf-8") for path in sorted(SAMPLES.glob("*.txt"))}
    results, texts = folder / "results.jsonl", folder / "notes.jsonl"
    results.write_text("".join(coder.code(text, name).to_json() + "\n" for name, text in notes.items()), "utf-8")
    page.open("file")
    texts.write_text("".join(json.dumps({"id": name, "text": text}) + "\n" for name, text in notes.items()), "utf-8")
    page.one("#results-file").send_keys(str(results))
    page.until("!document.getElementById('workspace').hidden")
    page.one("#notes-file").send_keys(str(texts))
    page.until("!document.getElementById('note-part').hidden")
    page.one("#queue").click()
    page.until("document.querySelector('.record-id').textContent.startsWith('04')")
    page.js("document.activeElement.blur(); scrollTo(0, 0)")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "img")
