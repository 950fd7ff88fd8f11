"""The report in a real browser: drawn, sized for a phone and for paper, heard, and quiet about it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect

import passline
from browser import SCREENSHOTS, grave_faults
from passline.show.report.page import modules
from report.conftest import NASTY, nasty_table, quiet

BIRTHWT = pd.read_csv(passline.datasets.path("birthwt"))
CHARTS = {"odds", "effect-0", "effect-1", "effect-2", "effect-3", "roc", "precision", "calibration", "residuals"}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Reports of several kinds of fits, by name."""
    folder = tmp_path_factory.mktemp("reports")
    formula, columns = nasty_table()
    fits = {
        "birthwt": passline.fit("low ~ age + lwt + C(race) + smoke", passline.datasets.path("birthwt")),
        "separated": quiet("HG ~ NV + PI + EH", passline.datasets.path("endometrial")),
        "hostile": quiet(formula, columns),
    }
    for name, fit in fits.items():
        fit.report(folder / f"{name}.html", folds=3, bootstrap=0)
    return {name: (folder / f"{name}.html").as_uri() for name in fits}, fits


def opened(browser, address, width=1280, scheme="light", **more):
    # The policy of the page forbids what axe puts into it; the page itself runs the same without.
    context = browser.new_context(
        offline=True, viewport={"width": width, "height": 844}, color_scheme=scheme, bypass_csp=True, **more
    )
    page = context.new_page()
    page.goto(address)
    return page


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        ("birthwt", 390, "light"),
        ("birthwt", 1280, "dark"),
        ("separated", 390, "dark"),
        ("hostile", 390, "light"),
    ],
)
def test_axe_finds_no_serious_fault_and_nothing_runs_off_the_screen(browser, files, name, width, scheme):
    page = opened(browser, files[0][name], width, scheme)
    expect(page.locator("[data-chart] svg").first).to_be_visible()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"report-{name}-{width}-{scheme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    grave = grave_faults(page)
    page.context.close()
    assert grave == []


def test_every_chart_is_drawn_offline_from_a_file_without_a_word_on_the_console(page, files):
    page.goto(files[0]["birthwt"])
    for name in CHARTS:
        expect(page.locator(f"[data-chart='{name}'] svg")).to_have_attribute("role", "img")
    assert {one.get_attribute("data-chart") for one in page.locator("[data-chart]").all()} == CHARTS


def test_a_chart_says_its_values_on_hover(page, files):
    page.goto(files[0]["birthwt"])
    chart = page.locator("[data-chart='effect-1'] svg")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(chart).to_contain_text("probability 0.")


def test_the_slider_gives_the_counts_of_the_curve_at_every_threshold(page, files):
    addresses, fits = files
    page.goto(addresses["birthwt"])
    curve = fits["birthwt"].evaluate(folds=0, bootstrap=0).curve()
    shown = page.evaluate(
        """(thresholds) => thresholds.map((value) => {
          const slider = document.getElementById("threshold-at");
          slider.value = String(value);
          slider.dispatchEvent(new Event("input", { bubbles: true }));
          const count = (id) => Number(document.getElementById(id).textContent.replaceAll(",", ""));
          return ["tp", "fp", "tn", "fn"].map(count);
        })""",
        [value for value in curve["threshold"] if value <= 1],
    )
    names = ["true_positives", "false_positives", "true_negatives", "false_negatives"]
    expected = curve[curve["threshold"] <= 1][names].to_numpy()
    assert len(expected) > 100
    np.testing.assert_array_equal(shown, expected)


def test_costs_set_the_threshold_and_say_what_it_costs(page, files):
    addresses, fits = files
    page.goto(addresses["birthwt"])
    page.get_by_label("A false positive costs").fill("1")
    page.get_by_label("A false negative costs").fill("4")
    page.get_by_role("button", name="Take FP / (FP + FN)").click()
    assert page.get_by_label("The same as a number").input_value() == "0.2"
    found = fits["birthwt"].evaluate(cost=(1, 4), folds=0, bootstrap=0).decision
    assert page.locator("#tp").inner_text() == str(int(found.confusion.true_positives))
    total = found.confusion.false_positives + 4 * found.confusion.false_negatives
    expect(page.locator("#threshold-said")).to_contain_text(f"the threshold above costs {total:g}")
    page.get_by_label("A false negative costs").fill("0")
    expect(page.locator("#threshold-said")).to_contain_text("Give two costs above 0")


def test_thinned_scores_count_as_the_evaluation_does(browser):
    """Of 3,000 rows the page holds 1,000 cells, and every count is that of the curve."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=3000)
    fit = passline.fit("y ~ x", {"x": x, "y": (generator.random(3000) < 1 / (1 + np.exp(-x))).astype(int)})
    found = fit.evaluate(folds=0, bootstrap=0)
    from passline.show.report.quality import curve_data

    page = browser.new_page()
    curve = found.curve()
    curve = {key: curve[key] for key in curve}
    scores = curve_data(found)
    shown = page.evaluate(
        f"([scores, at]) => at.map((t) => {modules().bundle('threshold.js')}.counts(scores, t))",
        [scores, [float(v) for v in curve["threshold"]][:-1]],
    )
    page.close()
    assert len(scores["low"]) == 1000
    np.testing.assert_array_equal([one["tp"] for one in shown], list(curve["true_positives"])[:-1])
    np.testing.assert_array_equal([one["fp"] for one in shown], list(curve["false_positives"])[:-1])


def test_hostile_names_run_nothing_and_are_read_as_text(page, files):
    page.goto(files[0]["hostile"])
    expect(page.locator("[data-chart] svg").first).to_be_visible()
    text = page.locator("main").inner_text()
    for name in NASTY[:4]:
        assert name in text
    assert page.evaluate("document.querySelectorAll('main script, main img, main b, main i').length") == 0
    assert page.title() != "run"


def test_marks_of_right_to_left_writing_reorder_nothing_around_them(page, files):
    page.goto(files[0]["hostile"])
    reads = page.evaluate(
        "() => [...document.querySelectorAll('bdi')].every((one) => getComputedStyle(one).unicodeBidi === 'isolate')"
    )
    assert reads
    forwards = page.evaluate(
        """() => {
          const words = "rows were used";
          const walker = document.createTreeWalker(document.getElementById("summary"), NodeFilter.SHOW_TEXT);
          while (!walker.nextNode().data.includes(words)) {}
          const at = walker.currentNode.data.indexOf(words);
          const place = (i) => {
            const range = document.createRange();
            range.setStart(walker.currentNode, i);
            range.setEnd(walker.currentNode, i + 1);
            return range.getBoundingClientRect().left;
          };
          return place(at) < place(at + 1) && place(at + 1) < place(at + 2);
        }"""
    )
    assert forwards
    drawn = page.locator("svg text, svg title").all_text_contents()
    assert not [text for text in drawn if any(sign in text for sign in "\u202e\u2067\u200f")]


def test_on_paper_everything_is_there_but_what_needs_a_hand(page, files):
    page.goto(files[0]["birthwt"])
    expect(page.locator("[data-chart='roc'] svg")).to_be_visible()
    page.emulate_media(media="print")
    for hidden in ("nav", "#what-if", "#threshold-panel .fields", "details"):
        expect(page.locator(hidden).first).to_be_hidden()
    for seen in ("#summary", "#coefficients table", "[data-chart='roc'] svg", "#reproduce pre"):
        expect(page.locator(seen).first).to_be_visible()
    pdf = page.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF")


def test_without_its_script_every_table_can_be_opened(browser, files):
    page = browser.new_context(offline=True, java_script_enabled=False).new_page()
    page.goto(files[0]["birthwt"])
    assert "need the page’s own script" in page.locator("noscript").inner_text()
    page.locator("#discrimination summary").first.click()
    expect(page.locator("#discrimination details table").first).to_be_visible()
    expect(page.locator(".chart").first).to_be_hidden()
    expect(page.locator("#what-if form")).to_be_hidden()
    page.context.close()


def test_the_keyboard_reaches_the_slider_and_moves_it(page, files):
    page.goto(files[0]["birthwt"])
    slider = page.locator("#threshold-at")
    slider.focus()
    before = page.locator("#threshold-number").input_value()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#threshold-number")).not_to_have_value(before)
