"""A real browser for the page, the network switched off; there is no run of these tests without one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from passline.show.play.bundle import bundle

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def installed() -> str | None:
    """The system's Chromium; where there is none, Playwright's own is taken (None)."""
    return os.environ.get("PASSLINE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


# Not for the whole session: while Playwright runs, no other test can run an event loop of its own.
@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    # As root, which containers are, Chromium does not start with its own sandbox.
    browser = playwright.chromium.launch(executable_path=installed(), args=["--no-sandbox"])
    yield browser
    browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 800}, locale="en-GB")
    yield context
    context.close()


@pytest.fixture(scope="package")
def blank(browser: Browser) -> Iterator[Page]:
    """An empty page, on which modules are called by themselves."""
    page = browser.new_page()
    yield page
    page.close()


@pytest.fixture(scope="package")
def call(blank: Page) -> Callable[..., Any]:
    """`call("descent.js truth.js", "({begin}, points) => ...", points)`: what a function makes of modules."""

    def evaluate(modules: str, function: str, argument: Any = None) -> Any:
        return blank.evaluate(f"(argument) => ({function})({bundle(*modules.split())}, argument)", argument)

    return evaluate
