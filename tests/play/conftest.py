"""The live lesson in a real browser: its page, its modules by themselves, and a driver for what a person does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from browser import browser, context, page, playwright
from passline.show.play.bundle import bundle
from passline.show.play.page import play_page


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
def lesson(page, address):
    return Driver(page, address).open()
