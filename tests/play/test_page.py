"""The live page, driven in a real browser from a file with the network off."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest
import torch
from playwright.sync_api import expect

from passline.lesson import train


def test_the_first_screen_shows_the_untrained_model_three_points_and_one_button(lesson):
    lesson.rest(0)
    assert lesson.hours() == [(1, False), (2, False), (3, True)]
    assert (lesson.w, lesson.b) == pytest.approx((-0.0075, 0.5364), abs=5e-5)
    shown = [button.inner_text() for button in lesson.page.locator("button:visible").all()]
    assert shown == ["中文", "Step", "More"]
    assert lesson.page.locator("#line").inner_text() == "predicted = model(hours)"
    assert lesson.page.locator(".flips").inner_text() == "flips at 71.65 hours"


def test_a_thousand_steps_from_the_lessons_start_end_at_its_weight_and_bias(lesson):
    known = train()
    lesson.page.click("#step")
    lesson.page.click("#guide-on")
    lesson.rest(1000)
    assert (lesson.w, lesson.b) == pytest.approx((known.weight, known.bias), abs=1e-5)
    assert lesson.page.locator(".flips").inner_text() == "flips at 2.419 hours"


def test_the_address_brings_back_a_descent_from_any_seed(lesson):
    known = train(seed=7, optimizer="adam", loss="mse")
    lesson.open("seed=7&optimizer=adam&loss=mse&steps=1000").rest(1000)
    assert (lesson.w, lesson.b) == pytest.approx((known.weight, known.bias), abs=1e-5)


def test_six_guided_steps_lead_from_the_first_step_to_the_best_curve(lesson):
    page = lesson.page
    seen = [page.locator("#guide h2").inner_text()]
    for press, steps in (("#step", 1), *[("#guide-on", n) for n in (1000, 10_000, 400, 6000)]):
        page.click(press)
        lesson.rest(steps)
        seen.append(page.locator("#guide h2").inner_text())
        if steps == 10_000:
            assert lesson.boundary == pytest.approx(2.453, abs=5e-4)
            assert page.locator("rect.gap").count() == page.locator("path.firth").count() == 1
        if steps == 400:
            assert "zero_grad" in page.locator("#notices").inner_text()
            assert page.locator(".loss-chart").is_visible()
    assert len(set(seen)) == 6
    assert lesson.notices() == ["converged"]
    assert lesson.boundary == pytest.approx(2.710083, abs=1e-3)
    page.click("#guide-on")
    lesson.rest(0)


@pytest.mark.parametrize("steps", [1000, 1_000_000])
def test_separated_points_raise_the_notice_and_are_never_called_converged(lesson, steps):
    lesson.open(f"steps={steps}").rest(steps)
    assert lesson.notices() == ["complete", "heading"]
    text = lesson.page.locator("#notices").inner_text()
    assert "The points are completely separated: nothing lies between 2 and 3 hours." in text
    assert "2.5 hours is where this descent is heading" in text


def test_a_point_is_dragged_and_the_boundary_follows_as_the_lesson_would(lesson):
    lesson.open("steps=1000").rest(1000)
    before = lesson.boundary
    lesson.drag(2, 120)
    (_, _, (moved, passed)) = lesson.hours()
    assert moved > 4
    assert passed
    lesson.rest(1000)
    known = train([1.0, 2.0, moved], [0, 0, 1])
    assert lesson.boundary == pytest.approx(known.boundary, abs=1e-4)
    assert lesson.boundary > before
    lesson.page.keyboard.press("Control+z")
    assert lesson.hours()[2] == (3, True)
    lesson.rest(1000)
    expect(lesson.page.locator(".flips")).to_have_text(re.compile("2.419"))


def test_the_story_steps_aside_while_one_tries_and_is_there_to_go_back_to(lesson):
    page = lesson.open("steps=1000&guide=3").rest(1000).page
    assert page.locator("#guide h2").inner_text() == "What the lesson reads off"
    lesson.drag(2, 120)
    expect(page.locator("#guide h2")).to_have_text("Your turn")
    page.click("#guide-on")
    lesson.rest(1000)
    assert lesson.hours() == [(1, False), (2, False), (3, True)]
    assert page.locator("#guide h2").inner_text() == "What the lesson reads off"


def test_a_point_dragged_over_the_red_line_flips(lesson):
    lesson.drag(0, 0, -250)
    assert lesson.hours()[0] == (1, True)


def test_a_point_dragged_out_of_the_picture_is_removed_and_undo_brings_it_back(lesson):
    lesson.drag(1, 30, 150)
    assert lesson.hours() == [(1, False), (3, True)]
    for _ in range(2):
        lesson.page.keyboard.press("Control+z")
    assert lesson.hours() == [(1, False), (2, False), (3, True)]


def test_the_programme_is_copied(context, lesson):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = lesson.open("more=1&steps=12").rest(12).page
    page.click("#copy")
    expect(page.locator("#copy")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#programme").text_content()


def test_a_click_at_an_edge_of_the_picture_adds_a_point_and_one_in_its_middle_does_not(lesson):
    box = lesson.page.locator(".curve-chart").bounding_box()
    lesson.page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + 16)
    assert len(lesson.hours()) == 4
    assert lesson.hours()[3][1]
    lesson.page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.4)
    assert len(lesson.hours()) == 4


def test_the_keyboard_alone_steps_moves_flips_deletes_and_undoes(lesson):
    keyboard = lesson.page.keyboard
    keyboard.press("Tab")
    keyboard.press("Tab")
    assert lesson.page.evaluate("document.activeElement.getAttribute('aria-valuetext')") == "1 hour, failed"
    keyboard.press("ArrowRight")
    keyboard.press("Shift+ArrowRight")
    assert lesson.hours()[0] == (2.1, False)
    keyboard.press("ArrowUp")
    assert lesson.hours()[0] == (2.1, True)
    keyboard.press("Enter")
    assert lesson.hours()[0] == (2.1, False)
    keyboard.press("Delete")
    assert lesson.hours() == [(2, False), (3, True)]
    assert lesson.page.evaluate("document.activeElement.getAttribute('role')") == "slider"
    keyboard.press("Control+z")
    assert len(lesson.hours()) == 3
    for _ in range(3):
        keyboard.press("Tab")
    assert lesson.page.evaluate("document.activeElement.id") == "step"
    keyboard.press("Enter")
    lesson.rest(1)


def test_the_language_switches_and_stays_in_the_address(lesson):
    page = lesson.page
    page.click("#language")
    expect(page.locator("#title")).to_have_text("复习多少小时以上才能及格？")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    expect(page).to_have_url(re.compile("lang=zh"))
    page.reload()
    expect(page.locator("#step")).to_have_text("走一步")
    assert not re.search(r"[A-Za-z]{12,}", page.locator("#guide").inner_text())


def test_both_languages_say_the_same_things(call):
    shape = """({makeWords}) => {
      const shape = (value) => value === null || typeof value !== "object" ? typeof value
        : Object.fromEntries(Object.keys(value).sort().map((key) => [key, shape(value[key])]));
      return [null, {x: "x", outcome: "y", positive: "1"}].map((table) => {
        const {en, zh} = makeWords(table);
        return [shape(en), shape(zh)];
      });
    }"""
    for english, chinese in call("words.js", shape):
        assert english == chinese


def test_the_controls_change_the_descent_and_say_what_they_cannot_take(lesson):
    page = lesson.open("more=1&steps=100").rest(100).page
    page.fill("#set-rate", "abc")
    expect(page.locator("#controls .wrong")).to_contain_text("Learning rate")
    page.fill("#set-rate", "0.05")
    assert page.locator("#controls .wrong").inner_text() == ""
    page.select_option("#set-optimizer", "momentum")
    page.select_option("#set-reduction", "mean")
    known = train(epochs=100, learning_rate=0.05, optimizer="momentum", reduction="mean")
    lesson.rest(100)
    assert (lesson.w, lesson.b) == pytest.approx((known.weight, known.bias), abs=1e-5)
    page.click("#reset")
    lesson.rest(0)
    page.click("#undo")
    lesson.rest(100)


def test_play_runs_until_it_is_paused_and_a_rate_too_large_is_said(lesson):
    page = lesson.open("more=1").page
    page.click("#play")
    expect(page.locator("#reading")).to_have_attribute("data-steps", re.compile(r"^\d{3,}$"))
    page.click("#play")
    expect(page.locator("#play")).to_have_text("Play")
    page.fill("#set-rate", "1000")
    expect(page.locator("#notices")).to_contain_text("too large")


def test_playing_ends_where_the_descent_arrives_and_goes_on_if_asked_again(lesson):
    page = lesson.open("more=1&rate=0.05&p=1:0_2:1_2.5:0_3:1_1.5:0").page
    page.select_option("#set-pace", "500")
    page.click("#play")
    expect(page.locator("#notices li")).to_have_attribute("data-key", "converged", timeout=20_000)
    expect(page.locator("#play")).to_have_text("Play")
    steps = int(lesson.steps)
    page.click("#play")
    expect(page.locator("#reading")).not_to_have_attribute("data-steps", str(steps))
    expect(page.locator("#play")).to_have_text("Pause")


def test_the_loss_has_its_value_under_the_pointer_and_the_arrow_keys(lesson):
    page = lesson.open("more=1&steps=1000").rest(1000).page
    chart = page.locator(".loss-chart")
    chart.focus()
    chart.press("Home")
    assert chart.get_attribute("aria-valuetext") == "step 0: loss 2.4485"
    assert page.locator(".reading").inner_text() == "step 0: loss 2.4485"
    chart.hover(position={"x": 200, "y": 60})
    assert re.fullmatch(r"step \d+: loss [\d.]+", page.locator(".reading").inner_text())
    assert page.locator(".reading").inner_text() != "step 0: loss 2.4485"


def test_the_next_step_in_numbers_is_the_step_that_is_then_taken(lesson):
    page = lesson.open("more=1&steps=5&optimizer=adam").rest(5).page
    announced = page.locator(".sums").inner_text()
    foretold = re.search(r"w: \S+ → (\S+)", announced)[1].replace("−", "-")
    page.click("#step")
    lesson.rest(6)
    assert lesson.w == pytest.approx(float(foretold), abs=1e-6)


@pytest.mark.parametrize(
    "fragment",
    [
        "steps=1000",
        "steps=300&optimizer=adam&seed=4&reduction=mean&rate=0.3",
        "steps=200&batch=2&ridge=0.1&seed=9&p=0.5:0_1e-7:1_2:0_3:1_-4.25:0",
        "steps=150&clear=false&loss=mse&optimizer=momentum&rate=0.001&reduction=mean&ridge=0.2",
    ],
)
def test_the_copied_programme_ends_where_the_page_stands(lesson, fragment):
    lesson.open(f"more=1&{fragment}").rest(int(re.search(r"steps=(\d+)", fragment)[1]))
    programme = lesson.page.locator("#programme").inner_text()
    known: dict = {}
    with torch.random.fork_rng(devices=[]), redirect_stdout(io.StringIO()):
        exec(programme, known)
    assert (lesson.w, lesson.b) == pytest.approx((known["w"], known["b"]), rel=1e-10, abs=1e-12)


def test_the_curve_is_saved_as_a_picture(lesson, tmp_path: Path):
    page = lesson.open("more=1&steps=1000").rest(1000).page
    with page.expect_download() as download:
        page.click("#picture")
    download.value.save_as(tmp_path / "curve.png")
    from matplotlib.image import imread

    pixels = imread(tmp_path / "curve.png")
    assert pixels.shape[1] > 800
    assert pixels.std() > 0.02  # something is drawn
