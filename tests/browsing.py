"""A real browser on a real service, for the tests of the review page: the system's Chromium without a window."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NoReturn
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

ROOT = Path(__file__).parents[1]
WAIT = 60.0  # seconds until a test gives up; never how long something may take
NEEDED = "FACETCODE_NEEDS_BROWSER"  # set where a missing browser must fail

# Runs before any script of the page: what must never happen is written down.
WATCH = """
window.offences = [];
for (const name of ["alert", "prompt"]) window[name] = () => void window.offences.push(name);
document.addEventListener("securitypolicyviolation",
  (event) => window.offences.push(`policy ${event.violatedDirective} ${event.blockedURI}`));
addEventListener("error", (event) => window.offences.push(`error ${event.message}`));
addEventListener("unhandledrejection", (event) => window.offences.push(`rejection ${event.reason}`));
"""


def missing() -> str:
    """Why no browser can be had here, or ""."""
    for module in ("selenium", "fastapi", "uvicorn", "prometheus_client"):
        if find_spec(module) is None:
            return f"{module} is not installed"
    if not (chromium() and shutil.which("chromedriver")):
        return "no Chromium with its chromedriver on this machine"
    return ""


def chromium() -> str | None:
    """The browser's path."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def _give_up(why: str) -> NoReturn:
    if os.environ.get(NEEDED):
        pytest.fail(f"{NEEDED} is set, but {why}", pytrace=False)
    pytest.skip(f"the review page needs a browser: {why}", allow_module_level=True)


if _why := missing():  # skips the module that imports this one, and says why; fails where there has to be a browser
    _give_up(_why)


@contextmanager
def served(*options: str) -> Iterator[str]:
    """`facetcode serve` with these options, on a free port; its address."""
    command = [sys.executable, "-m", "extractor", "serve", "--port", "0", "--workers", "1", *options]
    place = {**os.environ, "PYTHONPATH": str(ROOT)}
    with TemporaryFile() as log, subprocess.Popen(command, stderr=log, cwd=ROOT, env=place) as process:

        def address() -> str:
            assert process.poll() is None, "the service did not start"
            found = re.search(rb"http://\S+", os.pread(log.fileno(), 10_000, 0))
            return found[0].decode() if found else ""

        try:
            here = _until(address)
            _until(lambda: _ready(here))
            yield here
        finally:
            process.terminate()


def _ready(address: str) -> bool:
    try:
        with urlopen(f"{address}/readyz") as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _until(true: Callable[[], Any]) -> Any:
    """What `true` gives as soon as it gives something. AssertionError after a minute."""
    end = time.monotonic() + WAIT
    while not (found := true()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    return found


def asked(address: str, text: str, **more: str) -> dict[str, Any]:
    """What the service itself says of a note, with offsets in UTF-16 code units."""
    body = json.dumps({"text": text, **more}).encode()
    request = Request(f"{address}/v1/code?offsets=utf16", body, {"Content-Type": "application/json"})
    with urlopen(request) as answer:
        result: dict[str, Any] = json.load(answer)
        return result


def driver(downloads: Path) -> Any:
    """A browser with an empty profile that keeps what it downloads in a folder."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = chromium() or ""
    for switch in (
        *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
        *("--disable-background-networking", "--disable-component-update", "--window-size=1440,1000"),
        f"--user-data-dir={downloads / 'profile'}",
    ):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    found = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    found.set_script_timeout(WAIT)
    found.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
    found.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)})
    return found


class Page:
    """The review page of one service, as a user meets it."""

    def __init__(self, browser: Any, address: str, downloads: Path) -> None:
        self.browser = browser
        self.address = address
        self.downloads = downloads

    def open(self, view: str = "one") -> Page:
        """Loads the page anew."""
        self.browser.get("about:blank")
        self.browser.get_log("performance")
        self.browser.get_log("browser")
        self.browser.get(f"{self.address}/#{view}")
        return self

    def js(self, script: str, *values: object) -> Any:
        """What a script in the page returns; `await` works in it."""
        body = f"const args = [...arguments], done = args.pop(); (async () => {{ {script} }})()"
        answer = self.browser.execute_async_script(
            f"{body}.then((v) => done([v ?? null, '']), (e) => done([null, String(e)]))", *values
        )
        assert not answer[1], answer[1]
        return answer[0]

    def one(self, selector: str) -> Any:
        """The first element."""
        return self.browser.find_element("css selector", selector)

    def all(self, selector: str) -> list[Any]:
        """All elements."""
        found: list[Any] = self.browser.find_elements("css selector", selector)
        return found

    def texts(self, selector: str) -> list[str]:
        """The text of each element as it is in the document."""
        found: list[str] = self.js("return [...document.querySelectorAll(args[0])].map((e) => e.textContent)", selector)
        return found

    def until(self, script: str, *values: object) -> Any:
        """Waits until the expression is true."""
        return _until(lambda: self.js(f"return {script}", *values))

    def write(self, text: str) -> None:
        """Puts a note into the text area, as a paste does."""
        self.until("document.querySelectorAll('#profile option').length")
        self.js(
            "const area = document.getElementById('text'); document.getElementById('input-part').open = true;"
            "area.value = args[0]; area.dispatchEvent(new Event('input', {bubbles: true}))",
            text,
        )

    def code(self, text: str) -> None:
        """Writes a note, has it coded and waits until all of it is drawn."""
        self.write(text)
        self.one("#code").click()
        self.drawn()

    def drawn(self) -> None:
        """Waits until the result is there with its whole text, or an error."""
        self.until("!document.getElementById('code').disabled")
        self.until("!document.getElementById('note').hasAttribute('aria-busy')")
        self.until(
            "document.getElementById('problem').textContent || performance.getEntriesByName('facetcode:paint').length"
        )

    def marks(self) -> list[tuple[int, set[str], str]]:
        """Each mark of the note: where it begins, whose it is, its words."""
        found = self.js(
            "return [...document.querySelectorAll('#note mark')]"
            ".map((m) => [Number(m.dataset.at), m.dataset.owners, m.textContent])"
        )
        return [(at, set(owners.split(" ")), words) for at, owners, words in found]

    def note(self) -> str:
        """The text of the note on the page."""
        return str(self.js("return document.getElementById('note').textContent"))

    def emulate(self, media: str = "", **features: str) -> None:
        """Paper, or another colour scheme; without arguments the usual screen again."""
        told = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": told})

    def downloaded(self, name: str) -> str:
        """The content of a downloaded file, which is then taken away."""
        path = self.downloads / name
        _until(path.exists)
        content = path.read_text("utf-8")
        path.unlink()
        return content

    def offences(self) -> list[str]:
        """What the page must never do: run a note's script, break its policy, ask another host, fail unseen."""
        found: list[str] = self.js("return window.offences")
        found += [entry["message"] for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"]
        own = urlsplit(self.address).netloc
        for entry in self.browser.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                url = urlsplit(message["params"]["request"]["url"])
                if url.scheme not in ("data", "blob", "about") and url.netloc != own:
                    found.append(f"asked {url.scheme}://{url.netloc}")
        return found
