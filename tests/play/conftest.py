"""A real browser for the page, the network switched off; there is no run of these tests without one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from passline.show.play.bundle import bundle
from passline.show.play.page import play_page

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


class Driver:
    """The open page, and what it says of where its descent stands."""

    def __init__(self, page, address):
        self.page, self.address = page, address

    def open(self, fragment=""):
        self.page.goto(f"about:blank#{fragment}")
        self.page.goto(f"{self.address}#{fragment}" if fragment else self.address)
        expect(self.page.locator("#after")).not_to_be_empty()
        return self

    def rest(self, steps):
        """Wait until so many steps are taken."""
        expect(self.page.locator("#reading")).to_have_attribute("data-steps", str(steps), timeout=15_000)
        return self

    def drawn(self):
        """The page, once what was changed is drawn."""
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return self.page

    def __getattr__(self, name):
        self.drawn()
        return float(self.page.locator("#reading").get_attribute(f"data-{name}"))

    def drag(self, i, by_x, by_y=0):
        """Drag a point with the mouse by so many pixels."""
        box = self.page.locator(".curve-chart .point").nth(i).locator(".dot").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + by_x / 2, y + by_y / 2, steps=3)
        self.page.mouse.move(x + by_x, y + by_y, steps=3)
        self.page.mouse.up()

    def notices(self):
        return [item.get_attribute("data-key") for item in self.drawn().locator("#notices li").all()]

    def hours(self):
        points = self.drawn().locator(".curve-chart .point").all()
        return [(float(one.get_attribute("aria-valuenow")), "passed" in one.get_attribute("class")) for one in points]


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    file = tmp_path_factory.mktemp("page") / "lesson.html"
    file.write_text(play_page(), encoding="utf-8")
    return file.as_uri()


@pytest.fixture
def page(context):
    """A page on which any error, refused request or word on the console fails the test."""
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda asked: wrong.append(asked.url) if asked.url.startswith("http") else None)
    yield page
    assert wrong == []


@pytest.fixture
def lesson(page, address):
    return Driver(page, address).open()
