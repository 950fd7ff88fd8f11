"""The pages in a real browser: the model tried by hand, by mouse, keyboard and screen reader, whatever names hold."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import expect

import passline
from browser import SCREENSHOTS, grave_faults
from service.conftest import running

MARKUP = '<img src=x onerror="document.title=1">'
LEVELS = ["</script><b>bold", "quote\"'`", "\u202ereversed", "a" * 500]


@pytest.fixture
def opened(browser):
    """Opens a page; any error or word on the console fails the test."""
    wrong = []
    contexts = []

    def open_(address, width=1280, scheme="light", **more):
        context = browser.new_context(
            viewport={"width": width, "height": 844}, color_scheme=scheme, locale="en-GB", **more
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(address)
        return page

    yield open_
    for context in contexts:
        context.close()
    # A refusal is a word of the browser's own on the console, and so is what the policy forbids.
    assert [text for text in wrong if "status of 4" not in text and "Content Security Policy" not in text] == []


@pytest.fixture(scope="module")
def hostile(folder):
    """A service of a model whose names and levels hold markup, quotes, control signs, 500 letters."""
    generator = np.random.default_rng(3)
    table = {
        MARKUP: generator.normal(size=200).tolist(),
        'b\u0007e"l\\l': generator.normal(size=200).tolist(),
        "kind": generator.choice(LEVELS, 200).tolist(),
        "<i>y</i>": generator.choice(["<u>yes", "no"], 200).tolist(),
    }
    passline.fit("`<i>y</i>` ~ .", table).save(folder / "hostile.json")
    with running(folder, str(folder / "hostile.json")) as service:
        yield service


def settled(page):
    expect(page.locator("#answer")).not_to_have_class(re.compile("stale"))
    expect(page.locator("#probability")).to_have_text(re.compile("%"))
    return page


def test_the_page_says_what_predict_and_explain_say_and_follows_the_fields(opened, service, models):
    fit = passline.load(models["ship"])
    page = opened(service.address)
    page.select_option("#model", "ship")
    expect(page.locator("#lead")).to_contain_text("survived ~ sex * passengerClass")
    page.select_option("#field-0", label="female")
    page.select_option("#field-1", label="2nd")
    page.fill("#field-2", "33")
    expected = fit.predict({"sex": "female", "passengerClass": "2nd", "age": 33})[0]
    expect(page.locator("#probability")).to_have_text(f"{100 * expected:.2f} %")
    rows = page.locator("#shares tbody tr")
    expect(rows).to_have_count(4)
    terms = {row.locator("th").text_content() for row in rows.all()}
    assert terms == {term.text for term in fit.model.design.terms}
    sizes = [abs(float(row.locator("td").last.text_content().replace("−", "-"))) for row in rows.all()]
    assert sizes == sorted(sizes, reverse=True)
    expect(page.locator("#request")).to_contain_text('{"rows":[{"sex":"female","passengerClass":"2nd","age":33}]}')


def test_by_keyboard_alone_a_field_is_reached_and_changed(opened, service):
    page = opened(service.address)
    before = settled(page).locator("#probability").text_content()
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "range":
            break
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#probability")).not_to_have_text(before)
    assert page.input_value("#field-0") == page.evaluate(
        "String(Number(Number(document.activeElement.value).toPrecision(4)))"
    )


def test_a_field_without_a_number_and_one_beyond_the_fit_are_told(opened, service):
    page = settled(opened(service.address))
    page.fill("#field-0", "")
    expect(page.locator("#words")).to_have_text("hours has no number yet.")
    page.fill("#field-0", "40")
    expect(page.locator("#beyond")).to_contain_text("extrapolation")
    page.fill("#field-0", "1e200")
    expect(page.locator("#words")).to_contain_text("rows[0].hours: 1e+200 is outside")


def test_of_separated_data_it_says_why_there_are_no_shares(opened, service):
    page = opened(service.address)
    page.select_option("#model", "separated")
    expect(page.locator("#lead")).to_contain_text("y ~ x")
    page.fill("#field-0", "4")
    expect(page.locator("#probability")).to_have_text("100 %")
    expect(page.locator("#words")).to_contain_text("separated")


def test_hostile_names_are_text_and_can_be_asked_for(opened, hostile):
    page = settled(opened(hostile.address, 390))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert "passline" in page.title()
    assert page.locator("main img, main b, main i, main u").count() == 0
    expect(page.locator("#fields label").first).to_have_text(MARKUP)
    for place in range(4):
        page.select_option("#field-2", str(place))
        settled(page)
    page.fill("#field-1", "0.5")
    settled(page)


def test_a_token_is_asked_for_and_stays_in_the_page(opened, models, folder):
    (folder / "page-token").write_text("0123456789abcdef")
    with running(folder, str(models["students"]), "--token-file", str(folder / "page-token")) as service:
        page = opened(service.address)
        expect(page.get_by_label("token")).to_be_focused()
        page.keyboard.type("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("give the token")
        page.get_by_label("token").fill("0123456789abcdef")
        page.keyboard.press("Enter")
        settled(page)
        expect(page.get_by_label("token")).to_be_hidden()
        assert "0123456789abcdef" not in page.url
        assert page.evaluate("localStorage.length + sessionStorage.length + document.cookie.length") == 0


def test_its_policy_lets_no_other_script_run_and_no_other_host_be_asked(opened, service, ask):
    for path in ("/", "/docs"):
        answer = ask(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'sha256-" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-frame-options"] == "DENY"
    page = settled(opened(service.address))
    ran = page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.ran = true";
          document.body.append(script);
          return fetch("http://192.0.2.1/").then(() => "asked", () => String(window.ran));
        }"""
    )
    assert ran == "undefined"


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
@pytest.mark.parametrize("path", ["", "docs"])
def test_axe_finds_no_serious_fault_and_nothing_runs_off_the_screen(opened, service, path, width, scheme):
    # The policy forbids what axe puts into the page; the page itself runs the same without.
    page = opened(f"{service.address}{path}", width, scheme, bypass_csp=True)
    if not path:
        page.select_option("#model", "ship")
        expect(page.locator("#shares tbody tr")).to_have_count(4)
        page.locator("summary").click()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"service-{path or 'play'}-{width}-{scheme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert grave_faults(page) == []
