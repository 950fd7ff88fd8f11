"""Symmetric positive definite systems: equilibrated, inverted by halves, and refused where they are not definite."""

from __future__ import annotations

import numpy as np
import pytest

from passline.solvers.linear import NotPositiveDefiniteError, factor, inverse, solve, triangle_inverse, whitener


def definite(p: int, spread: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(p)
    X = rng.normal(size=(3 * p + 5, p)) * np.logspace(0, spread, p)
    return X.T @ X


@pytest.mark.parametrize("p", [1, 2, 63, 64, 65, 200, 301])
def test_a_triangle_times_its_inverse_is_the_identity(p: int) -> None:
    L = np.linalg.cholesky(definite(p))
    found = triangle_inverse(L)
    np.testing.assert_allclose(found @ L, np.eye(p), atol=1e-11)
    assert not np.triu(found, 1).any()


@pytest.mark.parametrize("p", [1, 6, 130])
@pytest.mark.parametrize("spread", [0.0, 8.0])
def test_systems_are_solved_whatever_the_units(p: int, spread: float) -> None:
    H = definite(p, spread)
    d = np.sqrt(np.diagonal(H))
    g = np.random.default_rng(1).normal(size=p) * d
    for x in (solve(H, g), factor(H)(g), inverse(H) @ g):
        np.testing.assert_allclose((H @ x - g) / d, 0.0, atol=1e-9)
    np.testing.assert_allclose(solve(H, np.stack([g, 2 * g], axis=1))[:, 1], 2 * solve(H, g), rtol=1e-9)
    T, log_determinant = whitener(H)
    np.testing.assert_allclose(T.T @ H @ T, np.eye(p), atol=1e-9)
    assert log_determinant == pytest.approx(np.linalg.slogdet(H / np.outer(d, d))[1] + 2 * np.log(d).sum(), abs=1e-7)


@pytest.mark.parametrize("H", [np.zeros((2, 2)), 1 - np.eye(3), np.full((2, 2), np.nan), np.diag([1.0, np.inf])])
def test_what_is_not_positive_definite_is_refused(H: np.ndarray) -> None:
    for f in (inverse, whitener, factor, lambda H: solve(H, np.ones(len(H)))):
        with pytest.raises(NotPositiveDefiniteError):
            f(H)
