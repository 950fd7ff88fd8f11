"""Rows walked in blocks: the sums do not depend on where the blocks end, and every walk is counted."""

from __future__ import annotations

import numpy as np
import pytest
from designs import KINDS, blocks

from passline.engine.blocks import Block, Blocks
from passline.engine.columns import Dense
from passline.engine.likelihood import likelihood
from passline.engine.penalty import Penalty
from passline.errors import OptionError


@pytest.mark.parametrize("kind", KINDS)
def test_a_sum_is_the_same_however_the_rows_are_split(kind: str) -> None:
    whole, X = blocks(kind, np.random.default_rng(1), 3000)
    tiny = Blocks(whole.all, block_bytes=1)
    w = np.random.default_rng(2).normal(size=X.shape[1])
    assert len(list(whole)) == 1
    assert len(list(tiny)) == 12  # 256 rows at least, else a walk costs more in calls than in sums
    a, b = whole.sum(likelihood, w, 2), tiny.sum(likelihood, w, 2)
    assert float(a.loss) == pytest.approx(float(b.loss), rel=1e-13)
    np.testing.assert_allclose(a.gradient, b.gradient, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(a.curvature, b.curvature, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(tiny.each_row(Block.eta, w), X @ w + whole.all.offset, rtol=1e-12, atol=1e-12)


def test_every_walk_over_all_rows_is_counted_whichever_columns_it_reads() -> None:
    rows, X = blocks("dense", np.random.default_rng(1))
    rows.sum(likelihood, np.zeros(4), 0)
    other = rows.with_columns(Dense(X[:, :2]))
    other.sum(likelihood, np.zeros(2), 0)
    assert rows.passes == other.passes == 2
    assert rows.select(slice(0, 5)).passes == 0


def test_the_total_is_the_sum_of_weights_or_the_number_of_rows() -> None:
    rows, _ = blocks("dense", np.random.default_rng(1))
    assert rows.total == pytest.approx(rows.all.weight.sum())
    assert Blocks(Block(Dense(np.ones((7, 1))), np.ones(7))).total == 7


def test_a_sample_has_distinct_rows_spread_over_the_table_and_is_the_same_each_time() -> None:
    n = 10_000
    rows = Blocks(Block(Dense(np.arange(n, dtype=float)[:, None]), np.zeros(n)))
    chosen = rows.sample(1000).all.columns.dense()[:, 0]
    assert len(set(chosen)) == len(chosen) > 900
    assert (np.histogram(chosen, bins=10, range=(0, n))[0] > 80).all()
    # A table that repeats every second, fifth or hundredth row must not show one of its phases only.
    for period in (2, 5, 100):
        assert (np.bincount(chosen.astype(int) % period, minlength=period) > 0).all()
    np.testing.assert_array_equal(rows.sample(1000).all.columns.dense()[:, 0], chosen)
    assert rows.sample(n) is rows


@pytest.mark.parametrize("l2", [-1.0, -1e-300, float("nan"), float("inf")])
def test_a_penalty_is_finite_and_not_negative(l2: float) -> None:
    with pytest.raises(OptionError, match="l2"):
        Penalty(l2=l2)
