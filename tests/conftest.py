"""What every test module shares: one coder and one browser a session, as each takes longer to start than most tests."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from browsing import Page
    from spacy.language import Language

    from extractor import Coder


@pytest.fixture(scope="session")
def coder() -> Coder:
    """The shipped patterns under the default profile."""
    from extractor import Coder

    return Coder()


@pytest.fixture(scope="session")
def nlp(coder: Coder) -> Language:
    """The pipeline of `coder`."""
    return coder.nlp


@pytest.fixture(scope="session")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the browser puts files."""
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="session")
def browser(downloads: Path) -> Iterator[Any]:
    """The browser."""
    from browsing import driver

    found = driver(downloads)
    yield found
    found.quit()


@pytest.fixture(scope="session")
def service() -> Iterator[str]:
    """The address of a service that keeps nothing and takes long notes."""
    from browsing import served

    with served("--max-chars", "1100000", "--timeout", "60") as address:
        yield address


@pytest.fixture
def page(browser: Any, service: str, downloads: Path) -> Iterator[Page]:
    """The review page, freshly loaded. Whatever a test does, the page must not offend."""
    from browsing import Page

    found = Page(browser, service, downloads).open()
    yield found
    assert found.offences() == []
    found.emulate()
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.fixture(autouse=True, scope="module")
def _no_frozen_garbage() -> Iterator[None]:
    """The command line freezes what it made, as its process ends; here the process goes on."""
    yield
    gc.unfreeze()
    gc.collect()
