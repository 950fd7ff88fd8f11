"""Estimates in the design's own coordinates: ill-conditioned tables in 50 digits, aliases, codes, penalties."""

from __future__ import annotations

import numpy as np
import pytest
from exact import maximum_likelihood
from scipy.optimize import minimize

from passline.engine import scaling as scaling_module
from passline.engine.blocks import Block, Blocks
from passline.engine.penalty import Penalty
from passline.engine.scaling import assemble
from passline.solvers.estimate import Estimate, estimate
from passline.table.design import CodedColumns, Group, NumericColumns


def estimated(X: np.ndarray, y: np.ndarray, penalty: Penalty | None = None) -> Estimate:
    """The estimate for an intercept and the columns of X."""
    n, p = X.shape
    columns, scaling = assemble([NumericColumns(np.array(c)) for c in X.T], p + 1, n, True, None)
    return estimate(Blocks(Block(columns, y)), scaling, penalty)


def outcome(X: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    z = (X[:, 0] - X[:, 0].mean()) / X[:, 0].std()
    return (rng.random(len(X)) < 1 / (1 + np.exp(-z))).astype(float)


def with_ones(X: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones(len(X)), X])


def powers(low: float, high: float, degree: int) -> np.ndarray:
    x = np.linspace(low, high, 60)
    return np.column_stack([x**k for k in range(1, degree + 1)])


ILL = {
    "years and their squares": powers(1990, 2020, 2),
    "a fifth degree": powers(1, 3, 5),
    "metres and nanometres": np.random.default_rng(3).normal(size=(60, 2)) * [1e-9, 1e9] + [1e-8, 1e9],
    "a large mean": 1e7 + np.random.default_rng(4).normal(size=(60, 1)),
}


@pytest.mark.parametrize("name", ILL)
def test_an_ill_conditioned_table_has_nine_digits_of_its_50_digit_estimate(name: str) -> None:
    X = ILL[name]
    y = outcome(X, 1)
    found = estimated(X, y)
    coef, error = maximum_likelihood(with_ones(X), y)
    np.testing.assert_allclose(found.coef, coef, rtol=1e-9)
    np.testing.assert_allclose(np.sqrt(np.diagonal(found.covariance)), error, rtol=1e-7)
    assert found.solution.converged
    assert found.gradient_norm < 1e-12


@pytest.mark.parametrize(("share", "digits"), [(1e-6, 8), (1e-9, 5)])
def test_nearly_dependent_columns_lose_no_more_digits_than_their_dependence_costs(share: float, digits: int) -> None:
    rng = np.random.default_rng(6)
    a, b, noise = rng.normal(size=(3, 80))
    X = np.column_stack([a, b, a + b + share * noise])
    y = outcome(X, 2)
    found = estimated(X, y)
    coef, error = maximum_likelihood(with_ones(X), y)
    np.testing.assert_allclose(found.coef, coef, rtol=10.0**-digits)
    np.testing.assert_allclose(np.sqrt(np.diagonal(found.covariance)), error, rtol=10.0**-digits)


def test_an_aliased_column_leaves_the_others_as_they_are_without_it() -> None:
    rng = np.random.default_rng(7)
    X = rng.normal(size=(50, 2))
    y = outcome(X, 3)
    plain = estimated(X, y)
    more = estimated(np.column_stack([X[:, 0], np.full(50, 4.0), X[:, 1], X[:, 0]]), y)
    assert more.keep.tolist() == [True, True, False, True, False]
    np.testing.assert_allclose(more.coef[more.keep], plain.coef, rtol=1e-10)
    assert np.isnan(more.coef[~more.keep]).all()
    np.testing.assert_allclose(more.covariance[np.ix_(more.keep, more.keep)], plain.covariance, rtol=1e-9)
    assert np.isnan(more.covariance[~more.keep]).all()


@pytest.mark.parametrize("penalty", [None, Penalty(l2=0.01)])
def test_columns_kept_as_codes_give_what_columns_written_out_give(
    penalty: Penalty | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(8)
    n = 600
    codes = rng.integers(-1, 6, n).astype(np.int32)
    other = rng.integers(-1, 2, n).astype(np.int32)
    x, slope = rng.normal(size=n), 50 + rng.normal(size=n)
    y = (rng.random(n) < 0.2 + 0.08 * (codes + 1)).astype(float)
    groups: list[Group] = [
        CodedColumns(codes, 6, None),
        NumericColumns(x),
        CodedColumns(other, 2, slope),
        CodedColumns(codes, 6, None),
    ]
    found = []
    for limit in (10**9, 0):
        monkeypatch.setattr(scaling_module, "WRITE_OUT", limit)
        columns, scaling = assemble(groups, 16, n, True, None)
        found.append(estimate(Blocks(Block(columns, y), block_bytes=1), scaling, penalty))
    written, coded = found
    assert written.keep.tolist() == coded.keep.tolist() == ([True] * 10 + [penalty is not None] * 6)
    np.testing.assert_allclose(written.coef, coded.coef, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(written.covariance, coded.covariance, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(written.gradient, coded.gradient, atol=1e-14)


@pytest.mark.parametrize("l2", [1e-3, 0.1, 10.0])
def test_a_penalty_is_on_the_columns_as_given_and_spares_the_intercept(l2: float) -> None:
    rng = np.random.default_rng(9)
    X = rng.normal(size=(60, 2)) * [1.0, 20.0] + [3.0, -50.0]
    y = outcome(X, 4)

    def objective(w: np.ndarray) -> float:
        eta = w[0] + X @ w[1:]
        return float((np.logaddexp(0, eta) - y * eta).mean() + l2 / 2 * w[1:] @ w[1:])

    found = estimated(X, y, Penalty(l2=l2))
    best = minimize(objective, found.coef + 0.01, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-15})
    assert objective(found.coef) <= best.fun + 1e-13
    np.testing.assert_allclose(found.coef, best.x, rtol=1e-4, atol=1e-5)
    assert found.gradient_norm < 1e-12


def test_columns_of_zeros_alone_are_aliased_and_leave_an_estimate_of_nothing() -> None:
    columns, scaling = assemble([NumericColumns(np.zeros(4))], 1, 4, False, None)
    found = estimate(Blocks(Block(columns, np.array([0.0, 1, 0, 1]))), scaling)
    assert np.isnan(found.coef).all()
    assert found.solution.converged
    assert found.gradient_norm == 0.0
    assert found.log_likelihood == pytest.approx(4 * np.log(0.5))
