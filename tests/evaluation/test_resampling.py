"""Folds and bootstrap samples: what every one of them must keep, and what intervals come out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passline.evaluation.classification import Rule
from passline.evaluation.discrimination import ranked
from passline.evaluation.resampling import bootstrap_sample, decision_intervals, folds, percentiles
from passline.evaluation.scored import Scored

COUNTS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=3, max_size=40)


def scored_of(rows: list[tuple[int, int]], groups: np.ndarray | None = None) -> Scored:
    s, f = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return Scored(np.arange(float(len(s))), s, f, groups)


@settings(deadline=None)
@given(COUNTS, st.integers(2, 6), st.integers(0, 9))
def test_folds_part_the_trials_into_equal_numbers_of_successes_and_of_failures(
    rows: list[tuple[int, int]], count: int, seed: int
) -> None:
    scored = scored_of(rows)
    parts = list(folds(scored, count, np.random.default_rng(seed)))
    assert len(parts) == count
    assert sum(s for s, _ in parts).tolist() == scored.successes.tolist()
    assert sum(f for _, f in parts).tolist() == scored.failures.tolist()
    assert np.ptp([s.sum() for s, _ in parts]) <= 1
    assert np.ptp([f.sum() for _, f in parts]) <= 1
    assert min(min(s.min(), f.min()) for s, f in parts) >= 0


def test_successes_given_as_shares_of_their_trials_are_dealt_out_whole() -> None:
    m = np.arange(1.0, 60.0)
    k = np.floor(m * 0.7)
    scored = Scored.of(np.zeros(len(m)), k / m, m)
    assert scored.successes.tolist() == k.tolist()
    assert scored.failures.tolist() == (m - k).tolist()
    parts = list(folds(scored, 3, np.random.default_rng(0)))
    assert sum(s for s, _ in parts).tolist() == k.tolist()


def test_clusters_stay_whole_and_their_rates_are_spread_over_the_folds() -> None:
    codes = np.repeat(np.arange(20), 5)
    y = (np.arange(100) // 5 % 2).astype(float)  # every other cluster has nothing but successes
    scored = Scored.of(np.zeros(100), y, None, codes)
    for s, f in folds(scored, 5, np.random.default_rng(1)):
        there = (s + f).reshape(20, 5)
        assert set(there.sum(axis=1).tolist()) == {0.0, 5.0}
        assert s.sum() == f.sum() == 10


def test_a_cluster_without_a_trial_is_dealt_out_like_the_others() -> None:
    codes = np.repeat(np.arange(6), 3)
    weight = np.where(codes == 2, 0.0, 2.0)
    scored = Scored.of(np.zeros(18), np.tile([0.0, 1.0, 0.5], 6), weight, codes)
    parts = list(folds(scored, 3, np.random.default_rng(0)))
    assert sum(s for s, _ in parts).tolist() == scored.successes.tolist()


def test_the_same_seed_gives_the_same_folds_and_another_seed_others() -> None:
    scored = scored_of([(1, 0)] * 20 + [(0, 1)] * 20)
    first, again, other = (next(folds(scored, 4, np.random.default_rng(seed)))[0] for seed in (1, 1, 2))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


@settings(deadline=None)
@given(COUNTS, st.integers(0, 9))
def test_a_bootstrap_sample_has_as_many_trials_and_none_that_was_not_there(
    rows: list[tuple[int, int]], seed: int
) -> None:
    scored = scored_of(rows)
    if not scored.total:
        return
    s, f = bootstrap_sample(scored, np.random.default_rng(seed))
    assert s.sum() + f.sum() == scored.total
    assert not s[scored.successes == 0].any()
    assert not f[scored.failures == 0].any()


def test_a_bootstrap_of_clusters_repeats_whole_clusters() -> None:
    codes = np.repeat(np.arange(8) * 3, 4)
    scored = Scored.of(np.zeros(32), np.tile([0.0, 1.0], 16), None, codes)
    s, f = bootstrap_sample(scored, np.random.default_rng(0))
    times = (s + f).reshape(8, 4)
    assert (times == times[:, :1]).all()
    assert times[:, 0].sum() == 8


def test_the_bootstrap_interval_of_a_share_is_the_binomial_one() -> None:
    y = np.repeat([1.0, 1.0, 0.0, 0.0], [70, 30, 150, 50])
    eta = np.repeat([1.0, -1.0, -1.0, 1.0], [70, 30, 150, 50])
    scored = Scored.of(eta, y)
    ends = decision_intervals(
        scored, ranked(scored), Rule(), level=0.95, samples=4000, generator=np.random.default_rng(0)
    )
    half = 1.96 * math.sqrt(0.7 * 0.3 / 100)
    assert ends["sensitivity"] == pytest.approx((0.7 - half, 0.7 + half), abs=0.015)
    assert "threshold" not in ends


def test_the_interval_of_a_chosen_threshold_narrows_with_the_rows_and_holds_the_best_one() -> None:
    generator = np.random.default_rng(4)
    widths = []
    for n in (200, 20_000):
        eta = generator.normal(size=n)
        scored = Scored.of(eta, (generator.random(n) < 1 / (1 + np.exp(-2 * eta))).astype(float))
        ends = decision_intervals(scored, ranked(scored), Rule("youden"), level=0.95, samples=200, generator=generator)
        low, high = ends["threshold"]
        assert low < 0.5 < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 2


def test_intervals_of_weighted_rows_are_those_of_rows_and_of_their_groups_where_they_have_some() -> None:
    generator = np.random.default_rng(6)
    eta = np.repeat(generator.normal(size=40), 25)
    y = np.repeat((generator.random(40) < 0.5).astype(float), 25)
    rows = Scored.of(eta, y)
    groups = Scored.of(eta, y, None, np.repeat(np.arange(40), 25))
    widths = []
    for scored in (rows, groups):
        ends = decision_intervals(scored, ranked(scored), Rule(), level=0.95, samples=300, generator=generator)
        widths.append(ends["accuracy"][1] - ends["accuracy"][0])
    assert widths[1] == pytest.approx(5 * widths[0], rel=0.3)  # a cluster of 25 alike is one row: sqrt(25)


def test_a_share_of_one_has_no_interval_rather_than_one_without_width() -> None:
    scored = Scored.of(np.array([1.0, 1, -1, -1]), np.array([1.0, 1, 0, 0]))
    ends = decision_intervals(
        scored, ranked(scored), Rule(), level=0.95, samples=100, generator=np.random.default_rng(0)
    )
    assert all(math.isnan(low) for low, _ in ends.values())


def test_percentiles_of_what_rarely_exists_do_not_exist() -> None:
    assert all(math.isnan(end) for end in percentiles(np.array([1.0, np.nan]), 0.95))
    assert percentiles(np.arange(101.0), 0.9) == pytest.approx((5.0, 95.0))
