"""Each kind of column against the matrix that it stands for."""

from __future__ import annotations

import numpy as np
import pytest
from designs import KINDS, coded, columns

from passline.engine.columns import Coded, Columns, Dense, Mixed

CLOSE = {"rtol": 1e-12, "atol": 1e-12}


@pytest.fixture(params=KINDS)
def both(request: pytest.FixtureRequest) -> tuple[Columns, np.ndarray]:
    return columns(request.param, np.random.default_rng(7))


def same(cols: Columns, X: np.ndarray) -> None:
    """All answers of ``cols`` are those of the matrix X."""
    rng = np.random.default_rng(1)
    n, p = X.shape
    assert cols.shape == X.shape
    np.testing.assert_array_equal(cols.dense(), X)
    for k in ((), (3,), (1,)):
        w, r = rng.normal(size=(p, *k)), rng.normal(size=(n, *k))
        np.testing.assert_allclose(cols.times(w), X @ w, **CLOSE)
        np.testing.assert_allclose(cols.transposed_times(r), X.T @ r, **CLOSE)
    d = rng.normal(size=n)
    np.testing.assert_allclose(cols.gram(d), X.T @ (d[:, None] * X), **CLOSE)


def test_the_three_products_are_those_of_the_matrix(both: tuple[Columns, np.ndarray]) -> None:
    same(*both)


@pytest.mark.parametrize("rows", [slice(3, 17), slice(0, 0), np.array([5, 2, 2, 59]), slice(None, None, 7)])
def test_rows_are_those_of_the_matrix(both: tuple[Columns, np.ndarray], rows: slice | np.ndarray) -> None:
    cols, X = both
    same(cols.rows(rows), X[rows])


def test_any_choice_of_columns_is_that_of_the_matrix(both: tuple[Columns, np.ndarray]) -> None:
    cols, X = both
    rng = np.random.default_rng(3)
    for _ in range(20):
        chosen = np.flatnonzero(rng.random(X.shape[1]) < 0.5)
        if len(chosen):
            same(cols.take(chosen), X[:, chosen])
            same(cols.take(chosen).rows(slice(4, 30)), X[4:30, chosen])


@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("right", [False, True])
def test_two_categories_cross_as_their_matrices_do(left: bool, right: bool) -> None:
    rng = np.random.default_rng(11)
    a, A = coded(rng, 80, 4, valued=left)
    b, B = coded(rng, 80, 6, valued=right)
    d = rng.normal(size=80)
    np.testing.assert_allclose(a.cross(b, d), A.T @ (d[:, None] * B), **CLOSE)
    Z = rng.normal(size=(80, 3))
    np.testing.assert_allclose(a.cross(Dense(Z), d), A.T @ (d[:, None] * Z), **CLOSE)


def test_a_level_that_no_row_has_is_a_column_of_zeros() -> None:
    part = Coded(np.array([0, -1, 2], dtype=np.int32), 4)
    same(Mixed([part, Dense(np.arange(3.0)[:, None])]), np.hstack([part.dense(), np.arange(3.0)[:, None]]))
    assert not part.dense()[:, [1, 3]].any()
    assert np.diagonal(part.gram(np.ones(3))).tolist() == [1, 0, 1, 0]


def test_rows_all_at_the_reference_add_nothing() -> None:
    part = Coded(np.full(5, -1, dtype=np.int32), 3, np.ones(5))
    assert not part.times(np.ones(3)).any()
    assert not part.transposed_times(np.ones(5)).any()
    assert not part.gram(np.ones(5)).any()
