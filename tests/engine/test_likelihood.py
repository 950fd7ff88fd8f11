"""The likelihood: its derivatives, its tails, and one statement for NumPy and torch."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import torch
from designs import KINDS, blocks
from hypothesis import given, settings
from hypothesis import strategies as st

from passline.engine.blocks import Block
from passline.engine.columns import Dense
from passline.engine.likelihood import bernoulli, likelihood, mean
from passline.engine.objective import Objective

ETA = st.floats(-1e4, 1e4)
SHARE = st.floats(0, 1)


@settings(deadline=None)
@given(ETA, SHARE)
def test_loss_and_derivatives_agree_with_50_digits(eta: float, y: float) -> None:
    loss, residual, curvature = (float(a[0]) for a in bernoulli(np.array([eta]), np.array([y])))
    with mpmath.workdps(5000 if abs(eta) > 100 else 60):
        e = mpmath.mpf(eta)
        mu = 1 / (1 + mpmath.exp(-e))
        assert loss == pytest.approx(float(mpmath.log(1 + mpmath.exp(e)) - mpmath.mpf(y) * e), rel=1e-14, abs=1e-11)
        # A difference of two doubles near one another keeps its absolute digits; for y of 0 and 1 the relative ones.
        exact = float(mu - mpmath.mpf(y))
        assert residual == pytest.approx(exact, rel=1e-14, abs=0 if y in (0.0, 1.0) and abs(eta) < 700 else 3e-16)
        assert curvature == pytest.approx(float(mu * (1 - mu)), rel=1e-14, abs=1e-307)
        assert float(mean(np.array([eta]))[0]) == pytest.approx(float(mu), rel=1e-14, abs=1e-307)


@pytest.mark.parametrize("eta", [-1e308, -1e4, -745.2, 0.0, 745.2, 1e4, 1e308])
@pytest.mark.parametrize("y", [0.0, 1.0])
def test_the_far_tails_neither_overflow_nor_cancel(eta: float, y: float) -> None:
    loss, residual, curvature = (float(a[0]) for a in bernoulli(np.array([eta]), np.array([y])))
    right = eta == 0 or (eta > 0) == (y == 1)
    assert all(math.isfinite(v) for v in (loss, residual, curvature))
    if eta:
        assert loss == pytest.approx(0.0 if right else abs(eta), abs=1e-300)
        assert residual == pytest.approx(0.0 if right else 1 - 2 * y, abs=1e-300)
    assert 0 <= float(mean(np.array([eta]))[0]) <= 1


def test_numpy_and_torch_give_the_same_numbers() -> None:
    rng = np.random.default_rng(5)
    eta, y = np.concatenate([rng.normal(size=200) * 5, [-1e4, 1e4, 0.0]]), rng.random(203)
    ours = bernoulli(eta, y)
    theirs = bernoulli(torch.from_numpy(eta), torch.from_numpy(y))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b.numpy(), rtol=4e-15, atol=1e-15)
    X, c, o, w = rng.normal(size=(203, 3)), rng.random(203), rng.normal(size=203), rng.normal(size=3)
    arrays = (X, y, c, o, w)
    mine = likelihood(Block(Dense(X), y, c, o), w, 2)
    tX, ty, tc, to, tw = (torch.from_numpy(a) for a in arrays)
    its = likelihood(Block(Dense(tX), ty, tc, to), tw, 2)
    assert isinstance(its.gradient, torch.Tensor)
    assert float(its.loss) == pytest.approx(float(mine.loss), rel=1e-14)
    np.testing.assert_allclose(its.gradient.numpy(), mine.gradient, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(its.curvature.numpy(), mine.curvature, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ridge", [False, True])
def test_gradient_and_curvature_are_the_finite_differences(kind: str, ridge: bool) -> None:
    rng = np.random.default_rng(2)
    rows, X = blocks(kind, rng)
    p = X.shape[1]
    F = Objective(rows, rng.random(p) if ridge else None)
    w, h = rng.normal(size=p), 1e-5
    value = F(w, 2)
    steps = h * np.eye(p)
    slope = [(float(F(w + s, 0).loss) - float(F(w - s, 0).loss)) / (2 * h) for s in steps]
    bend = [(F(w + s, 1).gradient - F(w - s, 1).gradient) / (2 * h) for s in steps]
    np.testing.assert_allclose(value.gradient, slope, atol=1e-8)
    np.testing.assert_allclose(value.curvature, bend, atol=1e-8)
    v = rng.normal(size=p)
    np.testing.assert_allclose(F.near(w).product(v), value.curvature @ v, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_matrix_of_coefficients_gives_what_its_columns_give_one_by_one(kind: str) -> None:
    rng = np.random.default_rng(4)
    rows, X = blocks(kind, rng)
    W = rng.normal(size=(X.shape[1], 3))
    together = rows.sum(likelihood, W, 2)
    for j in range(3):
        alone = rows.sum(likelihood, np.ascontiguousarray(W[:, j]), 2)
        assert float(together.loss[j]) == pytest.approx(float(alone.loss), rel=1e-13)
        np.testing.assert_allclose(together.gradient[:, j], alone.gradient, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(together.curvature[j], alone.curvature, rtol=1e-12, atol=1e-12)


def test_orders_give_no_more_than_they_are_asked_for() -> None:
    rows, X = blocks("mixed", np.random.default_rng(6))
    w = np.zeros(X.shape[1])
    assert rows.sum(likelihood, w, 0).gradient is None
    assert rows.sum(likelihood, w, 1).curvature is None
