"""The page is for everyone: axe finds no serious fault, it fits a phone, and it heeds what a person prefers."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from browser import SCREENSHOTS, grave_faults
from passline.show.play.page import play_page
from passline.show.play.table import play_table

STATES = {
    "first": "",
    "gap": "guide=4&steps=10000",
    "forgotten": "guide=5&steps=400&clear=false&p=1:0_2:1_2.5:0_3:1_1.5:0",
    "more": "guide=3&steps=1000&more=1",
    "overlapping": "guide=3&steps=3000&more=1&p=1:0_2:1_2.5:0_3:1_1.5:0",
    "chinese": "guide=4&steps=10000&more=1&lang=zh",
}
PLANE = {"plane": "steps=3000&more=1", "plane-chinese": "steps=3000&lang=zh"}
STUDY = {
    "hours": [1.0, 2.0, 3.0, 4.0, 5.0, 2.5],
    "sleep": [8.0, 6.0, 5.0, 9.0, 7.0, 7.5],
    "passed": ["no", "no", "no", "yes", "yes", "yes"],
}


@pytest.fixture(scope="session")
def addresses(address, tmp_path_factory):
    """The address of each state of the lesson, and of a table with two predictors."""
    file = tmp_path_factory.mktemp("plane") / "plane.html"
    file.write_text(play_page(play_table(STUDY, "passed ~ hours + sleep")), encoding="utf-8")
    lesson = {state: f"{address}#{fragment}" for state, fragment in STATES.items()}
    return lesson | {state: f"{file.as_uri()}#{fragment}" for state, fragment in PLANE.items()}


def opened(browser, address, width=1280, scheme="light", **more):
    # The policy of the page forbids what axe puts into it; the page itself runs the same without.
    context = browser.new_context(
        offline=True, viewport={"width": width, "height": 844}, color_scheme=scheme, bypass_csp=True, **more
    )
    page = context.new_page()
    page.goto(address)
    expect(page.locator("#after")).not_to_be_empty()
    return page


@pytest.mark.parametrize("state", [*STATES, *PLANE])
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_axe_finds_no_serious_fault_and_nothing_runs_off_the_screen(browser, addresses, state, width, scheme):
    page = opened(browser, addresses[state], width, scheme, reduced_motion="reduce")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{state}-{width}-{scheme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    grave = grave_faults(page)
    page.context.close()
    assert grave == []


def test_with_reduced_motion_a_guided_leap_is_there_at_once(browser, address):
    page = opened(browser, f"{address}#guide=2&steps=1", reduced_motion="reduce")
    drawn = page.evaluate(
        """() => new Promise((done) => {
          const seen = [];
          const look = () => seen.push(document.getElementById("reading").dataset.steps);
          new MutationObserver(look).observe(document.getElementById("reading"), { attributes: true });
          document.getElementById("guide-on").click();
          setTimeout(() => done(seen), 600);
        })"""
    )
    page.context.close()
    assert set(drawn) == {"1000"}


def test_a_finger_drags_a_point(browser, address):
    page = opened(browser, address, 390, has_touch=True, is_mobile=True)
    box = page.locator(".point .dot").nth(2).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = page.context.new_cdp_session(page)
    for kind, at in (("touchStart", x), ("touchMove", x + 30), ("touchMove", x + 80)):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": at, "y": y}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(page.locator(".point").nth(2)).to_have_attribute(
        "aria-valuetext", re.compile(r"^[5-7](\.\d+)? hours, passed")
    )
    page.context.close()


def test_without_its_script_the_page_still_says_what_is_so(browser, address):
    page = opened_without_script(browser, address)
    assert "completely separated" in page.locator("noscript").inner_text()
    page.context.close()


def opened_without_script(browser, address):
    page = browser.new_context(offline=True, java_script_enabled=False).new_page()
    page.goto(address)
    return page


def test_the_whole_story_can_be_read_without_touching_anything(browser, address):
    page = opened(browser, address)
    story = page.locator("#story").inner_text()
    page.context.close()
    assert len(page_items := re.findall(r"^\s*\S.+$", story, re.MULTILINE)) >= 13, page_items
    for number in (
        "−0.0075",
        "0.5364",
        "0.3857",
        "0.6556",
        "2.419",
        "4.053",
        "2.453",
        "2.4235",
        "1.504645",
        "2.710083",
    ):
        assert number in story
