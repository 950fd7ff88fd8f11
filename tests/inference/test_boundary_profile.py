"""Profile-likelihood sets of the boundary: each end meets its equation, and the pieces are those of a brute search."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

import passline
from passline.inference.constrained import constrained_log_likelihood

QUANTILE = 3.841458820694124


def ratio(x: np.ndarray, y: np.ndarray, t: np.ndarray, eta: float) -> np.ndarray:
    """The likelihood ratios of eta(t) = eta against an intercept and a slope's supremum, by a search of its own."""

    def loss(b: np.ndarray) -> np.ndarray:
        at = eta + b[:, None] * (x - t[:, None])
        return np.sum(np.logaddexp(0.0, at) - y * at, axis=1)

    # The loss is convex in b: golden section between bounds that no optimum of these small tables leaves.
    low, high = np.full(len(t), -200.0), np.full(len(t), 200.0)
    golden = (math.sqrt(5) - 1) / 2
    for _ in range(80):
        a, b = high - golden * (high - low), low + golden * (high - low)
        left = loss(a) < loss(b)
        low, high = np.where(left, low, a), np.where(left, b, high)
    held = loss((low + high) / 2)
    best = minimize(
        lambda w: float(np.sum(np.logaddexp(0.0, w[0] + w[1] * x) - y * (w[0] + w[1] * x))),
        np.zeros(2),
        method="BFGS",
        options={"gtol": 1e-9},
    ).fun
    return 2.0 * (held - best)


def pieces_of(x: np.ndarray, y: np.ndarray, probability: float) -> tuple[tuple[float, float], ...]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = passline.fit("y ~ x", {"x": x, "y": y})
    return fit.boundary("x", probability, interval="profile").pieces


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-4, 4), st.integers(0, 1)), min_size=4, max_size=14),
    st.sampled_from([0.2, 0.5, 0.8]),
)
def test_the_set_holds_just_the_values_that_the_likelihood_ratio_test_keeps(
    points: list[tuple[int, int]], probability: float
) -> None:
    x, y = (np.array(column, dtype=float) for column in zip(*points, strict=True))
    if len(set(y)) < 2 or len(set(x)) < 2:
        return
    pieces = pieces_of(x, y, probability)
    eta = math.log(probability / (1 - probability))
    places = np.concatenate([np.linspace(-9.03, 9.07, 60), [-1e4, 1e4]])
    for t, found in zip(places, ratio(x, y, places, eta), strict=True):
        # Next to a jump the brute search, which keeps its slope within bounds, sees neither side of it.
        if abs(found - QUANTILE) > 0.02 and all(abs(t - end) > 0.02 for piece in pieces for end in piece):
            assert any(low <= t <= high for low, high in pieces) == (found < QUANTILE), (t, found)


@pytest.mark.parametrize("seed", range(6))
def test_each_end_meets_its_own_equation_to_1e_8_other_terms_and_an_offset_included(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 120
    data = {"x": rng.normal(3, 2, n), "z": rng.normal(size=n), "o": rng.normal(size=n) / 2}
    data["g"] = rng.choice(["a", "b", "c"], n)
    data["y"] = (rng.random(n) < 1 / (1 + np.exp(-(0.7 * data["x"] - 2 + data["z"] + data["o"])))).astype(float)
    fit = passline.fit("y ~ x * g + z", data, offset="o")
    assert fit.rows is not None
    for probability in (0.1, 0.5, 0.9):
        at = {"z": 0.3, "g": "b"}
        found = fit.boundary("x", probability, at, interval="profile")
        assert found.pieces
        for end in (value for piece in found.pieces for value in piece if math.isfinite(value)):
            row = {"(Intercept)": 1.0, "x": end, "gb": 1.0, "x:gb": end, "z": 0.3}
            r = np.array([row.get(name, 0.0) for name in fit.coef])
            eta = math.log(probability / (1 - probability))
            held = constrained_log_likelihood(fit.rows.sample, fit.rows.outcome, r, eta)
            statistic = 2 * (fit.rows.outcome.log_likelihood - held.log_likelihood)
            assert statistic == pytest.approx(QUANTILE, abs=1e-8)


def test_three_points_leave_every_value_but_those_left_of_the_gap() -> None:
    """The likelihood ratio against a flat line is 3.819, below 3.841: so the set goes round by infinity."""
    pieces = pieces_of(np.array([1.0, 2.0, 3.0]), np.array([0.0, 0.0, 1.0]), 0.5)
    assert pieces == (
        (-math.inf, pytest.approx(-59.0114, abs=1e-3)),
        (pytest.approx(1.13724, abs=1e-5), math.inf),
    )


def test_the_set_jumps_at_a_value_where_both_outcomes_meet() -> None:
    """Left of 2 all fail and right of it all pass, with two of three at 2: there eta is log 2, and nothing else is."""
    x, y = np.array([0.0, 0.5, 1, 1.5, 2, 2, 2, 3, 3.5, 4, 4.5]), np.array([0.0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    ((low, high),) = pieces_of(x, y, 2 / 3)
    assert low < 2.0 < high
    np.testing.assert_allclose(ratio(x, y, np.array([low, high]), math.log(2)), QUANTILE, atol=1e-3)


@pytest.mark.parametrize("probability", [0.3, 0.5, 0.8])
def test_without_an_intercept_the_line_goes_through_zero(probability: float) -> None:
    rng = np.random.default_rng(5)
    x = rng.uniform(-2, 2, 300)
    y = (rng.random(300) < 1 / (1 + np.exp(-x))).astype(float)
    fit = passline.fit("y ~ 0 + x", {"x": x, "y": y})
    found = fit.boundary("x", probability, interval="profile")
    assert found.shape == "bounded"
    eta = math.log(probability / (1 - probability))
    if eta == 0.0:
        np.testing.assert_allclose(found.pieces, [(0.0, 0.0)], atol=1e-15)
        return
    ((low, high),) = found.pieces
    assert fit.rows is not None
    for end in (low, high):
        held = constrained_log_likelihood(fit.rows.sample, fit.rows.outcome, np.array([end]), eta)
        assert 2 * (fit.rows.outcome.log_likelihood - held.log_likelihood) == pytest.approx(QUANTILE, abs=1e-8)


def test_counts_give_the_set_of_the_rows_written_out() -> None:
    x, y, weights = [1.0, 2, 3, 4, 2, 3], [0, 0, 1, 1, 1, 0], [3, 2, 2, 4, 1, 1]
    grouped = passline.fit("y ~ x", {"x": x, "y": y, "w": weights}, weights="w").boundary("x")
    written = passline.fit("y ~ x", {"x": np.repeat(x, weights), "y": np.repeat(y, weights)}).boundary("x")
    assert grouped.interval == written.interval == "profile"
    np.testing.assert_allclose(grouped.pieces, written.pieces, rtol=1e-9)


def test_a_curve_that_turns_has_a_set_in_two_pieces_or_none() -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(-2, 2, 400)
    y = (rng.random(400) < 1 / (1 + np.exp(-(1 - x**2)))).astype(int)
    fit = passline.fit("y ~ x + power(x, 2)", {"x": x, "y": y})
    assert fit.rows is not None
    found = fit.boundary("x", 0.3)
    assert (found.interval, found.shape, len(found.pieces), len(found.others)) == ("profile", "disjoint", 2, 1)
    eta = math.log(0.3 / 0.7)
    for (low, high), crossing in zip(found.pieces, sorted([found.estimate, *found.others]), strict=True):
        assert low < crossing < high
        for end in (low, high):
            held = constrained_log_likelihood(fit.rows.sample, fit.rows.outcome, np.array([1.0, end, end * end]), eta)
            assert 2 * (fit.rows.outcome.log_likelihood - held.log_likelihood) == pytest.approx(QUANTILE, abs=1e-8)
    # The fitted curve stays below 0.75, and the data do not say that the true one does.
    peak = fit.boundary("x", 0.75)
    assert math.isnan(peak.estimate)
    assert peak.shape == "bounded"
    out_of_reach = fit.boundary("x", 0.95)
    assert (out_of_reach.pieces, out_of_reach.shape) == ((), "empty")


def test_a_spline_has_a_set_and_ends_at_the_edge_of_the_data_are_none() -> None:
    rng = np.random.default_rng(3)
    x = rng.uniform(0, 10, 300)
    y = (rng.random(300) < 1 / (1 + np.exp(-(x - 3)))).astype(int)
    fit = passline.fit("y ~ rcs(x, 4)", {"x": x, "y": y})
    found = fit.boundary("x", 0.5)
    assert (found.interval, found.shape, found.open_ends) == ("profile", "bounded", (False, False))
    assert found.conf_low < found.estimate < found.conf_high
    high = fit.boundary("x", 0.9999)
    assert (high.shape, high.open_ends) == ("unbounded", (False, True))
    assert "within the data" in high.note
