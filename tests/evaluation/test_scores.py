"""Log loss, Brier score and its parts, calibration error: against their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passline.errors import OptionError
from passline.evaluation.discrimination import ranked
from passline.evaluation.measures import MEASURES, Part, measures
from passline.evaluation.scored import Scored
from passline.evaluation.scores import (
    Binning,
    brier,
    brier_parts,
    deviance,
    expected_calibration_error,
    into_bins,
    log_loss,
    losses,
    mean_interval,
    probabilities,
)

ROWS = st.lists(
    st.tuples(st.floats(-6, 6), st.sampled_from([0.0, 0.5, 1.0]), st.integers(1, 4)), min_size=1, max_size=40
)
BINNING = st.builds(Binning, st.integers(1, 12), st.sampled_from(["width", "quantile"]))


def scored_of(rows: list[tuple[float, float, int]]) -> Scored:
    eta, y, c = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return Scored.of(eta, y, c)


@settings(deadline=None)
@given(ROWS, BINNING)
def test_the_parts_of_the_brier_score_add_up_to_it_whatever_the_bins(
    rows: list[tuple[float, float, int]], binning: Binning
) -> None:
    scored = scored_of(rows)
    p = probabilities(scored)
    part = brier_parts(into_bins(scored, p, binning))
    total = part["brier_reliability"] - part["brier_resolution"] + part["brier_uncertainty"]
    total += part["brier_within_variance"] - part["brier_within_covariance"]
    assert total == pytest.approx(brier(scored, p), abs=1e-14)


@settings(deadline=None, max_examples=50)
@given(ROWS)
def test_every_measure_of_weighted_rows_is_that_of_the_rows_written_out(rows: list[tuple[float, float, int]]) -> None:
    scored = scored_of(rows)
    s, f = (2 * scored.successes).astype(int), (2 * scored.failures).astype(int)
    eta = np.concatenate([np.repeat(scored.eta, s), np.repeat(scored.eta, f)])
    written_out = Scored.of(eta, np.concatenate([np.ones(s.sum()), np.zeros(f.sum())]))
    a, b = (measures([Part(one, ranked(one), 0.4)], Binning()).figures for one in (scored, written_out))
    for name in MEASURES:
        assert a[name] == pytest.approx(b[name], rel=1e-6, abs=1e-9, nan_ok=True), name


def test_log_loss_forms_no_probability_and_is_infinite_where_the_impossible_happened() -> None:
    y = np.array([1.0, 0.0])
    assert log_loss(Scored.of(np.array([800.0, -800.0]), y)) == 0.0
    assert log_loss(Scored.of(np.array([-800.0, -800.0]), y)) == 400.0
    assert log_loss(Scored.of(np.array([np.inf, -np.inf]), y)) == 0.0
    assert math.isinf(log_loss(Scored.of(np.array([-np.inf, -np.inf]), y)))


def test_the_deviance_of_grouped_rows_is_what_they_lack_to_their_own_shares() -> None:
    y, m = np.array([0.25, 0.5]), np.array([4.0, 2.0])
    assert deviance(Scored.of(np.log(y / (1 - y)), y, m)) == pytest.approx(0.0, abs=1e-12)
    assert deviance(Scored.of(np.zeros(2), np.array([1.0, 0.0]))) == pytest.approx(4 * math.log(2))


def test_the_calibration_error_is_the_mean_distance_over_bins() -> None:
    p = np.array([0.05, 0.15, 0.15, 0.95])
    scored = Scored.of(np.log(p / (1 - p)), np.array([0.0, 1.0, 0.0, 1.0]))
    bins = into_bins(scored, p, Binning(10))
    assert bins.low.tolist() == pytest.approx([0.0, 0.1, 0.9])
    assert bins.weight.tolist() == [1.0, 2.0, 1.0]
    assert expected_calibration_error(bins) == pytest.approx((0.05 + 2 * 0.35 + 0.05) / 4)


def test_rounding_puts_no_row_below_the_edge_on_which_it_lies() -> None:
    below, on = np.nextafter(0.3, 0.0), 0.3
    scored = Scored.of(np.zeros(3), np.array([0.0, 1.0, 1.0]))
    assert len(into_bins(scored, np.array([below, on, 0.1 + 0.2]), Binning(10)).weight) == 1


def test_bins_of_equal_numbers_hold_equal_numbers_and_keep_equal_probabilities_together() -> None:
    p = np.linspace(0.01, 0.2, 100)
    scored = Scored.of(np.log(p / (1 - p)), np.zeros(100))
    assert into_bins(scored, p, Binning(5, "quantile")).weight.tolist() == [20.0] * 5
    alike = np.full(100, 0.3)
    assert into_bins(scored, alike, Binning(5, "quantile")).weight.tolist() == [100.0]


def test_the_interval_of_a_mean_is_the_normal_one_of_its_losses() -> None:
    generator = np.random.default_rng(0)
    eta, y = generator.normal(size=50), (generator.random(50) < 0.5).astype(float)
    scored = Scored.of(eta, y)
    loss = np.where(y == 1, *losses(scored))
    half = 1.959963984540054 * loss.std(ddof=1) / math.sqrt(50)
    assert mean_interval(scored, *losses(scored), 0.95) == pytest.approx((loss.mean() - half, loss.mean() + half))


@pytest.mark.parametrize("bins", [0, -1, 2.5, True, None])
def test_bins_that_are_no_number_of_bins_are_refused(bins: object) -> None:
    with pytest.raises(OptionError, match="bins is"):
        Binning(bins)


def test_a_binning_that_is_not_known_is_refused() -> None:
    with pytest.raises(OptionError, match="choose 'width'"):
        Binning(10, "kmeans")
