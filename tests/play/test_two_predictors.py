"""Two predictors on the page: the descent against PyTorch, the exact answers against passline, and what is drawn."""

from __future__ import annotations

import io
import re
import warnings
from contextlib import redirect_stdout

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

import passline
from passline.show.play.page import play_page
from passline.show.play.table import play_table

from .conftest import Driver

LESSON = {"seed": 0, "rate": 0.01, "batch": 0, "reduction": "sum", "loss": "bce", "optimizer": "sgd", "ridge": 0}
LESSON["clear"] = True
RUN = """({begin, advance}, {points, settings, steps}) => {
  const run = begin(points, settings);
  advance(run, steps);
  return {w: run.w, v: run.v, b: run.b, losses: run.trace.losses};
}"""
EXACT = """({exactAnswers}, {points, ridge}) => {
  const {open, ...found} = exactAnswers(points, ridge);
  return found;
}"""

rows = st.tuples(st.integers(-4, 4), st.integers(-4, 4), st.integers(0, 1))
tables = st.lists(rows, min_size=4, max_size=14).filter(lambda table: len({y for *_, y in table}) == 2)
in_browser = settings(max_examples=80, deadline=None)


def as_points(table):
    return [{"x": float(x), "z": float(z), "y": int(y)} for x, z, y in table]


def exact(call, table, ridge=0):
    return call("truth.js", EXACT, {"points": as_points(table), "ridge": ridge})


def drawn(n=30, seed=4, slope=1.0):
    random = np.random.default_rng(seed)
    x, z = random.normal(size=(2, n))
    y = random.random(n) < 1 / (1 + np.exp(-slope * (x - 0.5 * z)))
    return list(zip(x.tolist(), z.tolist(), y.astype(int).tolist(), strict=True))


def torch_descent(table, steps, *, seed, rate, batch, reduction, loss, optimizer, ridge, clear):
    """The loop of the page's programme, written out."""
    data = torch.tensor(table, dtype=torch.float64)
    inputs, outcome = data[:, :2], data[:, 2:]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        linear = torch.nn.Linear(2, 1).double()
        criterion = {"bce": torch.nn.BCELoss, "mse": torch.nn.MSELoss}[loss](reduction=reduction)
        stepper = {
            "sgd": lambda p: torch.optim.SGD(p, lr=rate),
            "momentum": lambda p: torch.optim.SGD(p, lr=rate, momentum=0.9),
            "adam": lambda p: torch.optim.Adam(p, lr=rate),
        }[optimizer](linear.parameters())
        waiting = []
        for _ in range(steps):
            if batch and not waiting:
                waiting = list(torch.randperm(len(inputs)).split(batch))
            chosen = waiting.pop(0) if batch else slice(None)
            cost = criterion(torch.sigmoid(linear(inputs[chosen])), outcome[chosen])
            if ridge:
                scale = len(inputs[chosen]) if reduction == "sum" else 1
                cost = cost + scale * ridge / 2 * linear.weight.square().sum()
            if clear:
                stepper.zero_grad()
            cost.backward()
            stepper.step()
    return (*linear.weight.flatten().tolist(), linear.bias.item())


@pytest.mark.parametrize("seed", [0, 1, 40, 2**32 + 5])
def test_the_start_is_that_of_pytorchs_linear_layer_with_two_inputs(call, seed):
    torch.manual_seed(seed)
    layer = torch.nn.Linear(2, 1)
    found = call("descent.js", RUN, {"points": as_points(drawn()), "settings": LESSON | {"seed": seed}, "steps": 0})
    assert [found["w"], found["v"]] == layer.weight.flatten().tolist()
    assert found["b"] == layer.bias.item()


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"reduction": "mean", "seed": 3},
        {"loss": "mse", "optimizer": "momentum"},
        {"optimizer": "adam", "ridge": 0.03},
        {"batch": 7, "ridge": 0.1},
        {"clear": False, "rate": 0.0001},
    ],
    ids=str,
)
def test_a_thousand_steps_are_pytorchs_to_1e_12(call, changed):
    table = drawn()
    known = torch_descent(table, 1000, **(LESSON | changed))
    found = call("descent.js", RUN, {"points": as_points(table), "settings": LESSON | changed, "steps": 1000})
    assert (found["w"], found["v"], found["b"]) == pytest.approx(known, rel=1e-12, abs=1e-12)


@in_browser
@given(table=tables)
def test_verdict_optimum_and_firth_are_those_of_a_fit(call, table):
    found = exact(call, table)
    x, z, y = (list(column) for column in zip(*table, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = passline.fit("y ~ x + z", {"x": x, "z": z, "y": y})
        if fit.glance()["rank"] < 3:
            assert found["kind"] == "alike"
            return
        firth = passline.fit("y ~ x + z", {"x": x, "z": z, "y": y}, estimator="firth")
    assert found["kind"] == fit.separation.kind
    assert (found["best"] is None) == (found["kind"] != "none")
    for name, known in (("best", fit), ("firth", firth)):
        if found[name] is not None:
            line = (found[name]["b"], found[name]["w"], found[name]["v"])
            assert line == pytest.approx(tuple(known.coef.values()), rel=1e-6, abs=1e-8)
    assert found["firth"] is not None


@in_browser
@given(table=tables)
def test_a_separated_descent_heads_for_the_line_of_least_norm_with_margin_one(call, table):
    found = exact(call, table)
    if found["kind"] != "complete":
        assert found.get("limit") is None
        return
    data = np.array(table, dtype=float)
    signed = np.where(data[:, 2:] == 1, 1, -1) * np.column_stack([data[:, :2], np.ones(len(data))])
    known = minimize(
        lambda t: 0.5 * t @ t,
        np.zeros(3),
        jac=lambda t: t,
        constraints={"type": "ineq", "fun": lambda t: signed @ t - 1, "jac": lambda t: signed},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    line = np.array([found["limit"][name] for name in ("w", "v", "b")])
    assert (signed @ line).min() == pytest.approx(1, abs=1e-9)
    assert line @ line == pytest.approx(2 * known.fun, rel=1e-6)


@in_browser
@example(table=[(0, 0, 0), (0, 1, 0), (1, 0, 1)], at=(0.0, 0.0))
@given(table=tables, at=st.tuples(st.integers(-9, 9), st.integers(-9, 9)).map(lambda p: (p[0] / 2, p[1] / 2)))
def test_a_point_is_open_where_it_could_have_either_outcome_and_still_be_parted(call, table, at):
    function = """({partingOf}, {points, x, z}) => {
      const {kind, open} = partingOf(points);
      const more = (y) => partingOf([...points, {x, z, y}]).kind;
      return {kind, open: open === null ? null : open(x, z), either: [more(0), more(1)]};
    }"""
    found = call("parting.js", function, {"points": as_points(table), "x": at[0], "z": at[1]})
    if found["kind"] != "complete":
        assert found["open"] is None
    elif abs(found["open"]) > 1e-9:
        assert (found["open"] > 0) == (found["either"] == ["complete", "complete"])


def test_ridge_has_passlines_scale_on_both_weights(call):
    table = [(1.0, 0.0, 0), (2.0, 1.0, 0), (3.0, -1.0, 1)]
    found = exact(call, table, ridge=0.1)["best"]
    x, z, y = zip(*table, strict=True)
    fit = passline.fit("y ~ x + z", {"x": x, "z": z, "y": y}, penalty=passline.Penalty(l2=0.1))
    assert (found["b"], found["w"], found["v"]) == pytest.approx(tuple(fit.coef.values()), rel=1e-8)


STUDY = {
    "hours": [1.0, 2.0, 3.0, 4.0, 5.0, 2.5],
    "sleep": [8.0, 6.0, 5.0, 9.0, 7.0, 7.5],
    "passed": ["no", "no", "no", "yes", "yes", "yes"],
}
OVERLAP = {**STUDY, "passed": ["no", "yes", "no", "yes", "no", "yes"]}


@pytest.fixture
def plane(page, tmp_path):
    """Open the page of a table with two predictors; any word on its console fails the test."""

    def open_page(data, formula="passed ~ hours + sleep", fragment=""):
        file = tmp_path / "plane.html"
        file.write_text(play_page(play_table(data, formula)), encoding="utf-8")
        driver = Driver(page, file.as_uri())
        return driver.open(fragment)

    return open_page


def line_of(driver):
    return driver.drawn().locator("#flips").inner_text()


def test_two_predictors_descend_to_the_line_of_the_fit(plane):
    shown = plane(OVERLAP, fragment="steps=60000&optimizer=adam&rate=0.05&more=1").rest(60000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = passline.fit("passed ~ hours + sleep", OVERLAP)
    known = [fit.coef[name] for name in ("hours", "sleep", "(Intercept)")]
    assert [shown.w, shown.v, shown.b] == pytest.approx(known, abs=1e-4)
    assert shown.notices() == ["converged"]
    assert shown.page.locator("path.best").count() == shown.page.locator("path.half").count() == 1
    assert "Exact answer: weights" in shown.page.locator("#exact").inner_text()


def test_a_point_that_is_dragged_moves_both_ways_and_the_line_follows(plane):
    shown = plane(OVERLAP, fragment="steps=500")
    shown.rest(500)
    before, at = line_of(shown), shown.page.locator(".point title").nth(0).text_content()
    box = shown.page.locator(".plane-chart .point").nth(0).locator(".dot").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    shown.page.mouse.move(x, y)
    shown.page.mouse.down()
    shown.page.mouse.move(x + 120, y + 90, steps=4)
    shown.page.mouse.up()
    shown.rest(500)
    assert line_of(shown) != before
    moved = shown.page.locator(".point title").nth(0).text_content()
    assert at == "hours 1, sleep 8, passed = no"
    hours, sleep = (float(part.split()[-1]) for part in moved.split(", ")[:2])
    assert hours > 1
    assert sleep < 8


def test_the_keyboard_moves_flips_adds_and_deletes_points(plane):
    shown = plane(STUDY)
    point = shown.page.locator(".plane-chart .point").nth(1)
    point.focus()
    for key, said in (
        ("ArrowRight", "hours 2.1, sleep 6, passed = no"),
        ("Shift+ArrowUp", "hours 2.1, sleep 7, passed = no"),
        ("Enter", "hours 2.1, sleep 7, passed = yes"),
    ):
        shown.page.keyboard.press(key)
        assert shown.drawn().locator(".point title").nth(1).text_content() == said
    shown.page.keyboard.press("Delete")
    assert shown.drawn().locator(".point").count() == 5
    box = shown.page.locator("rect.edge").bounding_box()
    shown.page.mouse.click(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.1)
    assert shown.drawn().locator(".point").count() == 6


def test_separated_points_show_the_gap_firths_line_and_where_it_heads(plane):
    shown = plane(STUDY, fragment="steps=3000").rest(3000)
    assert shown.notices() == ["complete", "heading"]
    assert shown.page.locator("path.gap").count() == shown.page.locator("path.firth").count() == 1
    assert shown.page.locator("path.best").count() == 0
    signed = np.column_stack([STUDY["hours"], STUDY["sleep"], np.ones(6)])
    signed *= np.where(np.array(STUDY["passed"]) == "yes", 1, -1)[:, None]
    w, v, b = minimize(
        lambda t: 0.5 * t @ t,
        np.zeros(3),
        constraints={"type": "ineq", "fun": lambda t: signed @ t - 1},
        options={"ftol": 1e-14},
    ).x
    text = shown.page.locator('#notices li[data-key="heading"]').inner_text()
    constant, slope = re.search(r"sleep = (\S+) − (\S+) × hours", text).groups()
    assert (float(constant), float(slope)) == pytest.approx((-b / v, w / v), rel=2e-3)


def test_pointing_at_the_plane_reads_the_probability_there(plane):
    shown = plane(OVERLAP, fragment="steps=200").rest(200)
    box = shown.page.locator("rect.edge").bounding_box()
    shown.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    said = shown.drawn().locator("#curve .reading").inner_text()
    p = 1 / (1 + np.exp(-(shown.w * 3 + shown.v * 7 + shown.b)))
    assert said.startswith("hours 3, sleep 7: probability ")
    assert float(said.split()[-1]) == pytest.approx(p, abs=2e-3)


def test_the_programme_under_more_ends_where_the_page_does(plane):
    shown = plane(OVERLAP, fragment="steps=300&batch=2&more=1&seed=5").rest(300)
    out = io.StringIO()
    with torch.random.fork_rng(devices=[]), redirect_stdout(out):
        exec(shown.page.locator("#programme").inner_text(), {})
    assert f"weights {shown.w:.6f} and {shown.v:.6f}, bias {shown.b:.6f};" in out.getvalue()


def test_a_start_that_is_cut_off_is_said_to_be_stuck(plane):
    data = {"a": [900.0, 1000.0, 1100.0, 1200.0], "b": [5000.0, 1.0, 7000.0, 2.0], "passed": [0, 1, 0, 1]}
    assert plane(data, "passed ~ a + b", "steps=10").rest(10).notices()[:2] == ["stuck", "complete"]
    shown = plane(data, "passed ~ scale(a) + scale(b)", "steps=10").rest(10)
    assert "stuck" not in shown.notices()


def test_a_pasted_table_has_two_numbers_and_an_outcome_a_line(plane):
    shown = plane(STUDY, fragment="more=1")
    shown.page.fill("#pasted", "a b y\n1, 2, 0\n3 four 1")
    shown.page.click("#points-take")
    assert "Line 3: “3 four 1” is not two numbers and 0 or 1." in shown.drawn().locator("#points .wrong").inner_text()
    shown.page.fill("#pasted", "1, 2, 0\n3\t4\t1\n5;1e1;1")
    shown.page.click("#points-take")
    assert shown.drawn().locator(".point").count() == 3
    shown.page.wait_for_timeout(400)
    assert "p=1%3A2%3A0_3%3A4%3A1_5%3A10%3A1" in shown.page.evaluate("location.hash")
