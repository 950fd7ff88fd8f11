"""The map between the solver's columns and the design's: there and back, gradients and covariances through it."""

from __future__ import annotations

import numpy as np
import pytest

from passline.engine import scaling as scaling_module
from passline.engine.scaling import assemble
from passline.table.design import CodedColumns, Group, NumericColumns

N = 40


def design(rng: np.random.Generator, intercept: bool) -> tuple[list[Group], np.ndarray]:
    """Groups of all kinds and the design's matrix, far from standardised."""
    a, b = 1e6 + rng.normal(size=N), 1e-5 * rng.normal(size=N)
    codes, values = rng.integers(-1, 3, N).astype(np.int32), 100 * rng.normal(size=N)
    indicator = (codes[:, None] == np.arange(3)).astype(float)
    groups = [
        NumericColumns(a.copy()),
        CodedColumns(codes, 3, None),
        NumericColumns(b.copy()),
        CodedColumns(codes, 3, values),
    ]
    first = [np.ones((N, 1))] if intercept else []
    return groups, np.hstack([*first, a[:, None], indicator, b[:, None], indicator * values[:, None]])


@pytest.fixture(params=[True, False], ids=["written out", "coded"])
def written(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    if not request.param:
        monkeypatch.setattr(scaling_module, "WRITE_OUT", 0)
    return bool(request.param)


@pytest.fixture(params=[None, "weighted"])
def weight(request: pytest.FixtureRequest) -> np.ndarray | None:
    return None if request.param is None else np.random.default_rng(8).random(N) + 0.1


@pytest.fixture(params=[True, False], ids=["intercept", "no intercept"])
def intercept(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_the_linear_predictor_is_the_same_in_both_coordinates(
    written: bool, weight: np.ndarray | None, intercept: bool
) -> None:
    rng = np.random.default_rng(3)
    groups, X = design(rng, intercept)
    columns, scaling = assemble(groups, X.shape[1], N, intercept, weight)
    Z = columns.dense()
    assert columns.shape == X.shape
    v = rng.normal(size=X.shape[1])
    np.testing.assert_allclose(X @ scaling.restore(v), Z @ v, rtol=1e-8, atol=1e-8)
    V = rng.normal(size=(X.shape[1], 2))
    np.testing.assert_allclose(scaling.restore(V)[:, 1], scaling.restore(np.ascontiguousarray(V[:, 1])))
    np.testing.assert_allclose(scaling.internal(scaling.restore(v)), v, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(scaling.length()[scaling.position] * scaling.scale, rms(X, weight), rtol=1e-9)


def test_numbers_are_centred_and_scaled(written: bool, weight: np.ndarray | None) -> None:
    groups, X = design(np.random.default_rng(3), True)
    columns, scaling = assemble(groups, X.shape[1], N, True, weight)
    Z = columns.dense()[:, scaling.position]
    c = np.ones(N) if weight is None else weight
    for j in (1, 5):  # the two numbers
        assert abs(c @ Z[:, j]) / c.sum() < 1e-14
        assert c @ Z[:, j] ** 2 / c.sum() == pytest.approx(1.0, rel=1e-12)


def test_the_standardised_gradient_is_that_of_standardised_columns(
    written: bool, weight: np.ndarray | None, intercept: bool
) -> None:
    rng = np.random.default_rng(5)
    groups, X = design(rng, intercept)
    columns, scaling = assemble(groups, X.shape[1], N, intercept, weight)
    c = np.ones(N) if weight is None else weight
    center = c @ X / c.sum() if intercept else np.zeros(X.shape[1])
    spread = rms(X - center, weight)
    if intercept:
        center[0], spread[0] = 0.0, 1.0
    r = rng.normal(size=N)
    direct = ((X - center) / spread).T @ r
    np.testing.assert_allclose(scaling.standardised_gradient(columns.transposed_times(r)), direct, rtol=1e-8, atol=1e-8)


def test_a_covariance_goes_back_as_the_map_does_on_both_sides(written: bool) -> None:
    groups, X = design(np.random.default_rng(3), True)
    _, scaling = assemble(groups, X.shape[1], N, True, None)
    p = X.shape[1]
    T = scaling.restore(np.eye(p))
    A = np.random.default_rng(4).normal(size=(p, p))
    V = A @ A.T
    found = scaling.restore_covariance(V)
    np.testing.assert_allclose(found, T @ V @ T.T, rtol=1e-10, atol=1e-10 * np.abs(found).max())


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1.0, 1e160, 1e300])
def test_squares_of_huge_and_tiny_numbers_neither_overflow_nor_vanish(size: float) -> None:
    x = size * np.array([1.0, 2.0, -4.0, 3.0])
    columns, scaling = assemble([NumericColumns(x.copy())], 2, 4, True, None)
    z = columns.dense()[:, 1]
    assert np.isfinite(z).all()
    assert z @ z / 4 == pytest.approx(1.0)
    np.testing.assert_allclose(scaling.center[1] + scaling.scale[1] * z, x, rtol=1e-14)


@pytest.mark.parametrize("value", [0.0, 5.0, 0.1, -1e300])
def test_a_constant_becomes_a_column_of_zeros(value: float) -> None:
    columns, scaling = assemble([NumericColumns(np.full(7, value))], 2, 7, True, None)
    assert not columns.dense()[:, 1].any()
    assert scaling.spread[1] == 0.0
    assert np.isfinite(scaling.standardised_gradient(np.ones(2))).all()


def rms(X: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """Root of the (weighted) mean square of each column."""
    c = np.ones(len(X)) if weight is None else weight
    return np.asarray(np.sqrt(c @ X**2 / c.sum()))
