"""Mean and spread of dense columns: near from a sample, right from all rows where a sample misleads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from passline.engine.blocks import spread
from passline.engine.centres import MOMENT_ROWS, near_moments
from passline.engine.columns import Dense, Given

N = 100_000


def columns() -> Any:
    X = np.random.default_rng(0).normal(size=(N, 4)) * [1.0, 1e-6, 1e6, 1.0] + [0.0, 1.0, -5e6, 0.0]
    seen = spread(N, MOMENT_ROWS)
    assert seen is not None
    X[seen[100], 3] = 1e5  # a sample that holds it would see a spread of 700, where that of all rows is 316
    return X


@pytest.mark.parametrize("kind", [Dense, Given])
@pytest.mark.parametrize("intercept", [True, False])
def test_a_sample_is_near_and_an_outlier_in_it_is_weighed_by_all_rows(kind: Any, intercept: bool) -> None:
    X = columns()
    center, scale = near_moments(kind(X), intercept)
    if intercept:
        np.testing.assert_allclose(center[:3], X.mean(axis=0)[:3], atol=0.05 * np.abs(X.std(axis=0)[:3]).max())
        assert center[3] == pytest.approx(X[:, 3].mean(), rel=1e-9)
    else:
        np.testing.assert_array_equal(center, 0.0)
    exact = X.std(axis=0) if intercept else np.sqrt((X**2).mean(axis=0))
    np.testing.assert_allclose(scale[:3], exact[:3], rtol=0.05)
    assert scale[3] == pytest.approx(exact[3], rel=1e-9)


def test_many_rare_indicators_take_two_walks_together(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    X = (rng.random((60_000, 50)) < 1e-4).astype(float)
    read = [0]
    rows = Dense.rows

    def counted(self: Dense, selection: Any) -> Dense:
        found = rows(self, selection)
        read[0] += found.shape[0]
        return found

    monkeypatch.setattr(Dense, "rows", counted)
    center, scale = near_moments(Dense(X), True)
    assert read[0] <= 2 * MOMENT_ROWS + 2 * len(X)
    np.testing.assert_allclose(center, X.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(scale, np.where(X.std(axis=0) > 0, X.std(axis=0), 1.0), rtol=1e-9)


def test_a_tables_own_period_does_not_hide_a_columns_spread() -> None:
    step = N // MOMENT_ROWS
    X = np.where(np.arange(N) % step == 0, 1.0, 100.0 * np.random.default_rng(2).normal(size=N))[:, None]
    _, scale = near_moments(Dense(X), True)
    assert scale[0] == pytest.approx(X.std(), rel=0.05)


def test_a_constant_column_and_a_row_alone_have_the_spread_one() -> None:
    for X in (np.full((N, 1), 1e10 / 3), np.ones((1, 3)), np.zeros((5, 2))):
        np.testing.assert_array_equal(near_moments(Dense(X), True)[1], 1.0)


def test_centres_of_many_columns_are_taken_from_as_many_rows_as_they_need() -> None:
    X = np.random.default_rng(3).normal(size=(25_000, 1_200)) + 3.0
    center, scale = near_moments(Dense(X), True)
    assert np.linalg.norm((center - X.mean(axis=0)) / scale) < 0.2  # the direction that centring leaves
    tall = Dense(np.broadcast_to(X[:, :1], (25_000, 1_300)))
    np.testing.assert_allclose(near_moments(tall, True)[0], X[:, 0].mean(), rtol=1e-12)
