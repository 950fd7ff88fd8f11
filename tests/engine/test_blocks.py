"""Rows walked in blocks: the sums do not depend on where the blocks end, and every walk is counted."""

from __future__ import annotations

import numpy as np
import pytest
from designs import KINDS, blocks
from hypothesis import given, settings
from hypothesis import strategies as st

from passline.engine.blocks import Block, Blocks, spread
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


@settings(deadline=None)
@given(st.integers(1, 10**6), st.integers(1, 5000))
def test_spread_places_are_one_from_each_of_as_many_parts_as_are_asked_for(n: int, m: int) -> None:
    places = spread(n, m)
    if m >= n:
        assert places is None
        return
    assert places is not None
    assert len(places) == m
    ends = np.arange(m + 1) * n // m
    assert (places >= ends[:-1]).all()
    assert (places < ends[1:]).all()


def rare(share: float, n: int = 40_000, weight: bool = False) -> Blocks:
    rng = np.random.default_rng(7)
    X = np.column_stack([np.ones(n), rng.normal(size=n)])
    y = (rng.random(n) < share).astype(float)
    return Blocks(Block(Dense(X), y, rng.random(n) if weight else None, rng.normal(size=n)))


@pytest.mark.parametrize("share", [0.002, 0.03, 0.98])
@pytest.mark.parametrize("weight", [False, True])
def test_a_balanced_sample_has_half_of_its_rows_from_a_rare_outcome_and_the_sums_expectation(
    share: float, weight: bool
) -> None:
    rows = rare(share, weight=weight)
    sample = rows.balanced_sample(4000)
    y = sample.all.y
    few = min(int(rows.all.y.sum()), int((1 - rows.all.y).sum()))
    assert min(y.sum(), len(y) - y.sum()) == pytest.approx(min(few, 2000), abs=1)
    assert len(y) == pytest.approx(4000, abs=2)
    whole, part = (b.sum(likelihood, np.array([-1.0, 0.3]), 1) / b.total for b in (rows, sample))
    assert float(part.loss) == pytest.approx(float(whole.loss), rel=0.05)
    np.testing.assert_allclose(part.gradient, whole.gradient, atol=0.03)
    again = rows.balanced_sample(4000)
    np.testing.assert_array_equal(again.all.weight, sample.all.weight)


def test_a_balanced_sample_of_outcomes_that_are_not_rare_is_a_plain_one() -> None:
    for share in (0.0, 0.3, 1.0):
        rows = rare(share)
        np.testing.assert_array_equal(rows.balanced_sample(500).all.offset, rows.sample(500).all.offset)
        assert rows.balanced_sample(10**6) is rows


@pytest.mark.parametrize("l2", [-1.0, -1e-300, float("nan"), float("inf")])
def test_a_penalty_is_finite_and_not_negative(l2: float) -> None:
    with pytest.raises(OptionError, match="l2"):
        Penalty(l2=l2)
