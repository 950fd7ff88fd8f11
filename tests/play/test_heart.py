"""The page computes what the lesson computes: in a real browser, against PyTorch and against passline itself."""

from __future__ import annotations

import math
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import passline
from passline.lesson import PassModel, train
from passline.lesson_truth import firth_line, limit_boundary, separation

THREE = ([1.0, 2.0, 3.0], [0, 0, 1])
STUDY = [0.50, 0.75, 1.00, 1.25, 1.50, 1.75, 1.75, 2.00, 2.25, 2.50]
STUDY += [2.75, 3.00, 3.25, 3.50, 4.00, 4.25, 4.50, 4.75, 5.00, 5.50]
TWENTY = (STUDY, [0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1])
LESSON = {"seed": 0, "rate": 0.01, "batch": 0, "reduction": "sum", "loss": "bce", "optimizer": "sgd", "ridge": 0}
LESSON["clear"] = True
RUN = """({begin, advance}, {points, settings, steps}) => {
  const run = begin(points, settings);
  advance(run, steps);
  return {w: run.w, b: run.b, losses: run.trace.losses, steps: run.trace.steps};
}"""

tables = st.lists(st.tuples(st.integers(-40, 40).map(lambda k: k / 4), st.integers(0, 1)), min_size=3, max_size=12)
two_classes = tables.filter(lambda rows: len({y for _, y in rows}) == 2 and len({x for x, _ in rows}) > 1)
in_browser = settings(max_examples=60, deadline=None)


def as_points(table):
    return [{"x": float(x), "y": int(y)} for x, y in zip(*table, strict=True)]


def descend(call, table, steps, **changed):
    return call("descent.js", RUN, {"points": as_points(table), "settings": LESSON | changed, "steps": steps})


def torch_descent(table, steps, *, seed, rate, batch, reduction, loss, optimizer, ridge, clear):
    """The lesson's loop in double precision, from its own parameters; and minibatches, ridge, no zero_grad."""
    x, y = (torch.tensor(column, dtype=torch.float64).reshape(-1, 1) for column in table)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = PassModel().double()
        criterion = {"bce": torch.nn.BCELoss, "mse": torch.nn.MSELoss}[loss](reduction=reduction)
        stepper = {
            "sgd": lambda p: torch.optim.SGD(p, lr=rate),
            "momentum": lambda p: torch.optim.SGD(p, lr=rate, momentum=0.9),
            "adam": lambda p: torch.optim.Adam(p, lr=rate),
        }[optimizer](model.parameters())
        losses, waiting = [], []
        for _ in range(steps):
            losses.append(criterion(model(x), y).item())
            if batch and not waiting:
                waiting = list(torch.randperm(len(x)).split(batch))
            rows = waiting.pop(0) if batch else slice(None)
            cost = criterion(model(x[rows]), y[rows])
            if ridge:
                scale = len(x[rows]) if reduction == "sum" else 1
                cost = cost + scale * ridge / 2 * model.linear.weight.square().sum()
            if clear:
                stepper.zero_grad()
            cost.backward()
            stepper.step()
    return losses, model.linear.weight.item(), model.linear.bias.item()


@pytest.mark.parametrize("seed", [0, 1, 40, 2**32 + 5, 2**53 - 1])
def test_a_thousand_steps_from_the_lessons_start_give_the_lessons_weight_and_bias(call, seed):
    lesson = train(seed=seed)
    found = descend(call, THREE, 1000, seed=seed)
    assert (found["w"], found["b"]) == pytest.approx((lesson.weight, lesson.bias), abs=1e-5)
    assert found["losses"][:1000] == pytest.approx(lesson.losses, abs=1e-5)


@pytest.mark.parametrize(
    ("table", "steps", "changed"),
    [
        (THREE, 1000, {}),
        (THREE, 1000, {"reduction": "mean", "seed": 3}),
        (THREE, 1000, {"loss": "mse", "seed": 5}),
        (THREE, 1000, {"optimizer": "momentum"}),
        (THREE, 1000, {"optimizer": "adam"}),
        (TWENTY, 1000, {"ridge": 0.3, "reduction": "mean", "rate": 0.1}),
        (TWENTY, 1000, {"ridge": 0.03, "optimizer": "adam"}),
        (TWENTY, 400, {"clear": False}),
        (TWENTY, 100, {"clear": False, "optimizer": "momentum", "rate": 0.0001}),
        (TWENTY, 1000, {"batch": 6, "seed": 11}),
        (TWENTY, 2000, {"batch": 1, "seed": 12, "optimizer": "adam", "reduction": "mean"}),
        (TWENTY, 700, {"batch": 7, "ridge": 0.1, "loss": "mse"}),
    ],
    ids=str,
)
def test_in_double_precision_on_both_sides_the_descent_is_pytorchs_to_1e_12(call, table, steps, changed):
    losses, w, b = torch_descent(table, steps, **(LESSON | changed))
    found = descend(call, table, steps, **changed)
    assert (found["w"], found["b"]) == pytest.approx((w, b), rel=1e-12, abs=1e-12)
    if not changed.get("ridge"):
        assert found["losses"][:100] == pytest.approx(losses[:100], rel=1e-11, abs=1e-12)


def test_a_leap_into_saturation_is_stuck_as_the_lesson_is_at_a_loss_of_100_a_point(call):
    losses, w, b = torch_descent(THREE, 60, **(LESSON | {"rate": 1000.0}))
    found = descend(call, THREE, 60, rate=1000.0)
    assert (found["w"], found["b"]) == pytest.approx((w, b), rel=1e-9)
    assert found["losses"][:60] == pytest.approx(losses, rel=1e-9)
    assert max(losses) >= 100


def test_a_long_run_keeps_a_bounded_trace_whose_first_loss_is_of_the_start(call):
    found = descend(call, THREE, 100_000)
    assert len(found["steps"]) <= 2049
    assert (found["steps"][0], found["steps"][1] % 2) == (0, 0)
    assert -found["b"] / found["w"] == pytest.approx(2.479, abs=5e-4)


def test_a_descent_in_pieces_is_the_descent_at_once(call):
    at_once = descend(call, TWENTY, 500, batch=3)
    function = """({begin, advance}, {points, settings}) => {
      const run = begin(points, settings);
      for (const piece of [1, 99, 0, 250, 150]) advance(run, piece);
      return [run.w, run.b];
    }"""
    pieces = call("descent.js", function, {"points": as_points(TWENTY), "settings": LESSON | {"batch": 3}})
    assert pieces == [at_once["w"], at_once["b"]]


def test_steps_end_where_the_numbers_do(call):
    found = descend(call, THREE, 1000, rate=1e10, ridge=1)
    assert not math.isfinite(found["w"])
    assert found["steps"][-1] < 100


EXACT = "({exactAnswers}, points) => exactAnswers(points, 0)"


def test_the_twenty_students_have_the_published_estimate_and_profile_set(call):
    found = call("truth.js", EXACT, as_points(TWENTY))
    assert (found["best"]["b"], found["best"]["w"]) == pytest.approx((-4.077713, 1.504645), abs=5e-7)
    assert found["set"][0] == pytest.approx([1.7959, 3.7090], abs=5e-5)
    fit = passline.fit("passed ~ hours", passline.datasets.path("students"))
    known = fit.boundary("hours", interval="profile")
    assert found["set"] == [pytest.approx(piece, abs=1e-6) for piece in known.as_json()["set"]]


def test_the_three_points_have_no_estimate_but_firths_and_the_set_of_the_lesson(call):
    found = call("truth.js", EXACT, as_points(THREE))
    assert (found["kind"], found["low"], found["high"], found["best"]) == ("complete", 2, 3, None)
    assert (found["firth"]["w"], found["firth"]["b"]) == pytest.approx((1.39814, -3.38844), abs=5e-6)
    below, above = found["set"]
    assert below[1] == pytest.approx(-59.0, abs=0.05)
    assert above[0] == pytest.approx(1.137, abs=5e-4)


@in_browser
@given(rows=two_classes)
def test_separation_limit_and_firth_are_those_of_the_lesson_for_any_points(call, rows):
    x, y = [x for x, _ in rows], [y for _, y in rows]
    kind, low, high = separation(x, y)
    found = call("truth.js", EXACT, as_points((x, y)))
    assert found["kind"] == kind
    if kind != "none":
        assert (found["low"], found["high"]) == (low, high)
        limit = call("truth.js", "({limitBoundary}, [low, high]) => limitBoundary(low, high)", [low, high])
        assert limit == pytest.approx(limit_boundary(low, high))
    weight, bias, _ = firth_line(x, y)
    assert (found["firth"]["w"], found["firth"]["b"]) == pytest.approx((weight, bias), rel=1e-6, abs=1e-8)


@in_browser
@given(rows=two_classes)
def test_where_an_optimum_exists_it_is_the_fits_and_where_none_does_there_is_none(call, rows):
    x, y = [x for x, _ in rows], [y for _, y in rows]
    found = call("truth.js", EXACT, as_points((x, y)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = passline.fit("y ~ x", {"x": x, "y": y})
    assert (found["best"] is None) == (fit.separation.kind != "none")
    if found["best"] is not None:
        known = (fit.coef["(Intercept)"], fit.coef["x"])
        assert (found["best"]["b"], found["best"]["w"]) == pytest.approx(known, rel=1e-7, abs=1e-9)


def test_ridge_has_passlines_scale_and_a_finite_answer_on_separated_points(call):
    function = "({exactAnswers}, points) => exactAnswers(points, 0.1).best"
    found = call("truth.js", function, as_points(THREE))
    fit = passline.fit("y ~ x", {"x": THREE[0], "y": THREE[1]}, penalty=passline.Penalty(l2=0.1))
    assert (found["b"], found["w"]) == pytest.approx((fit.coef["(Intercept)"], fit.coef["x"]), rel=1e-8)


NOTICES = """({begin, advance, exactAnswers, notices}, {points, settings, steps}) => {
  const run = begin(points, settings);
  advance(run, steps);
  return notices(run, points, exactAnswers(points, settings.ridge)).map((notice) => notice.key);
}"""


@pytest.mark.parametrize(
    ("table", "steps", "changed", "expected"),
    [
        (THREE, 0, {}, ["complete"]),
        (THREE, 1000, {}, ["complete", "heading"]),
        (THREE, 1_000_000, {}, ["complete", "heading"]),
        (THREE, 1000, {"optimizer": "adam"}, ["complete"]),
        (THREE, 30, {"rate": 1000.0}, ["rose", "complete"]),
        (THREE, 20_000, {"ridge": 0.1}, ["converged"]),
        (TWENTY, 0, {}, ["overlap"]),
        (TWENTY, 1000, {"reduction": "mean"}, ["overlap"]),
        (TWENTY, 20_000, {}, ["converged"]),
        (TWENTY, 20_000, {"loss": "mse"}, ["converged"]),
        (TWENTY, 400, {"clear": False}, ["uncleared"]),
        (TWENTY, 50, {"rate": 0.1}, ["swings"]),
        (TWENTY, 50, {"rate": 1.0}, ["rose"]),
        (([1.0, 2.0], [1, 1]), 10, {}, ["one-class"]),
        (([2.0], [1]), 10, {}, ["one-class"]),
        (([2.0, 2.0], [0, 1]), 10, {}, ["alike"]),
        (([1.0, 2.0, 2.0, 3.0], [0, 0, 1, 1]), 10, {}, ["quasi", "heading"]),
        (THREE, 100, {"rate": 1e10, "ridge": 1}, ["beyond"]),
    ],
    ids=str,
)
def test_what_is_said_is_true_of_where_the_descent_stands(call, table, steps, changed, expected):
    argument = {"points": as_points(table), "settings": LESSON | changed, "steps": steps}
    said = call("descent.js truth.js", NOTICES, argument)
    assert said == expected


@in_browser
@given(rows=two_classes)
def test_the_set_of_the_boundary_is_the_profile_set_of_a_fit_of_the_same_points(call, rows):
    x, y = [x for x, _ in rows], [y for _, y in rows]
    found = call("truth.js", "({exactAnswers}, points) => exactAnswers(points, 0).set", as_points((x, y)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = passline.fit("y ~ x", {"x": x, "y": y})
        known = fit.boundary("x", interval="profile").as_json()["set"]
    if found is None:
        assert fit.separation.kind == "none"  # a flat best curve crosses nowhere
        return
    ends = [[-math.inf if low is None else low, math.inf if high is None else high] for low, high in known]
    assert len(found) == len(ends)
    for piece, end in zip(found, ends, strict=True):
        assert piece == pytest.approx(end, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize(
    ("number", "digits", "shown"),
    [
        (-1.7716e-8, 4, "−1.772e−8"),
        (-0.25, 4, "−0.25"),
        (123456789, 6, "123457000"),
        (1.2e13, 6, "1.2e13"),
        (-4.5e30, 4, "−4.5e30"),
        (999999999.9, 4, "1e9"),
    ],
)
def test_a_figure_has_true_minus_signs_and_a_power_of_ten_where_it_is_long(call, number, digits, shown):
    assert call("dom.js", "({figure}, [number, digits]) => figure(number, digits)", [number, digits]) == shown


def test_decimals_have_true_minus_signs_and_no_plus_in_their_power_of_ten(call):
    expected = ["−1.00e−6", "−2.5000", "1.2500e7", "−1.2500e7"]
    assert (
        call("dom.js", "({decimals}, all) => all.map((one) => decimals(one))", [-1e-6, -2.5, 1.25e7, -1.25e7])
        == expected
    )
