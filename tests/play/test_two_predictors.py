"""Two predictors on the page: the descent against PyTorch, the exact answers against passline, and what is drawn."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

import passline

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
