"""A curvature that only guides: near the exact one, drawn to its diagonal by its error, the same on any thread."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from designs import KINDS, blocks
from numpy.typing import NDArray

from passline.engine.blocks import Block, Blocks
from passline.engine.columns import Dense, Given, Shifted
from passline.engine.guide import rough_curvature, shrunk
from passline.engine.likelihood import likelihood
from passline.engine.objective import Objective

Floats = NDArray[np.float64]


def exact(rows: Blocks, w: Floats) -> Floats:
    return np.asarray(rows.sum(likelihood, w, 2).curvature) / rows.total


@pytest.mark.parametrize("kind", KINDS)
def test_the_curvature_of_all_rows_is_the_exact_one_to_seven_digits(kind: str) -> None:
    rows, X = blocks(kind, np.random.default_rng(1), 3000)
    w = np.random.default_rng(2).normal(size=X.shape[1])
    H = exact(rows, w)
    found = rough_curvature(rows, w, 10**9)
    np.testing.assert_allclose(found, H, atol=3e-6 * np.abs(H).max())


@pytest.mark.parametrize("make", [np.asarray, np.float32, np.asfortranarray, lambda X: X * 1e-100])
@pytest.mark.parametrize("intercept", [False, True])
def test_standardised_columns_are_centred_before_digits_are_dropped(make: Any, intercept: bool) -> None:
    X = make(np.random.default_rng(3).normal(size=(4000, 5)) + 1000.0)
    wide = np.asarray(X, dtype=np.float64)
    center = wide.mean(axis=0) if intercept else np.zeros(5)
    columns = Shifted(Given(X), center, np.sqrt(((wide - center) ** 2).mean(axis=0)), intercept)
    rows = Blocks(Block(columns, np.random.default_rng(4).integers(0, 2, 4000).astype(float)))
    w = np.full(rows.p, 0.2)
    np.testing.assert_allclose(rough_curvature(rows, w, 4000), exact(rows, w), atol=1e-6)


def test_some_rows_give_it_to_their_sampling_error() -> None:
    rng = np.random.default_rng(5)
    X = rng.normal(size=(60_000, 12))
    X[:, 1] += X[:, 0]
    rows = Blocks(Block(Dense(X), rng.integers(0, 2, 60_000).astype(float), rng.integers(1, 4, 60_000).astype(float)))
    w = np.full(12, 0.1)
    H = exact(rows, w)
    errors = [np.abs(rough_curvature(rows, w, m) - H).max() for m in (600, 6_000, 60_000)]
    assert errors[0] < 0.15
    assert errors[1] < 0.05
    assert errors[2] < 1e-6


def test_independent_columns_are_drawn_to_the_diagonal_and_correlated_ones_are_not() -> None:
    rng = np.random.default_rng(6)
    for common, least, most in ((0.0, 0.0, 0.45), (1.0, 0.9, 1.0)):
        X = rng.normal(size=(400, 80)) + common * rng.normal(size=(400, 1))
        H = X.T @ X / 400
        found = shrunk(H, 400)
        np.testing.assert_array_equal(np.diagonal(found), np.diagonal(H))
        off = ~np.eye(80, dtype=bool)
        assert least <= np.abs(found[off]).sum() / np.abs(H[off]).sum() <= most
        assert np.linalg.cond(found) <= np.linalg.cond(H)


def test_one_column_and_a_diagonal_are_left_as_they_are() -> None:
    for H in (np.array([[3.0]]), np.diag([1.0, 2.0, 4.0])):
        np.testing.assert_array_equal(shrunk(H.copy(), 10), H)


@pytest.mark.parametrize("p", [3, 600])
def test_the_number_of_threads_changes_no_bit(p: int) -> None:
    rng = np.random.default_rng(7)
    X, y = rng.normal(size=(3000, p)), rng.integers(0, 2, 3000).astype(float)
    found = [rough_curvature(Blocks(Block(Dense(X), y), threads=k), np.zeros(p), 1500) for k in (1, 2, 5)]
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


def test_the_objectives_ridge_is_on_the_diagonal() -> None:
    rows, X = blocks("dense", np.random.default_rng(1), 500)
    ridge = np.arange(float(X.shape[1]))
    w = np.zeros(X.shape[1])
    plain, ridged = (Objective(rows, r).rough_curvature(w, 500) for r in (None, ridge))
    np.testing.assert_allclose(ridged - plain, np.diag(ridge), atol=1e-12)


def test_a_column_beyond_single_precision_is_no_number_and_no_warning() -> None:
    X = np.ones((300, 2))
    X[5, 1] = 1e200
    found = rough_curvature(Blocks(Block(Dense(X), np.zeros(300))), np.zeros(2), 300)
    assert not np.isfinite(found).all()
