"""The calibration intercept and slope: against the regression that they are."""

from __future__ import annotations

import math

import numpy as np
import pytest

import passline
from passline.evaluation.recalibration import in_the_large, line
from passline.evaluation.scored import Scored

GENERATOR = np.random.default_rng(5)
ETA = GENERATOR.normal(size=200) * 2
Y = (GENERATOR.random(200) < 1 / (1 + np.exp(0.3 - 0.6 * ETA))).astype(float)
WEIGHT = GENERATOR.integers(1, 4, size=200).astype(float)
CLUSTER = GENERATOR.integers(0, 20, size=200)
TABLE = {"y": Y, "eta": ETA, "n": WEIGHT, "g": CLUSTER}


def test_intercept_and_slope_are_the_regression_of_the_outcome_on_the_linear_predictor() -> None:
    fit = passline.fit("y ~ eta", TABLE, weights="n")
    found = line(Scored.of(ETA, Y, WEIGHT))
    for one, name in zip(found, ("(Intercept)", "eta"), strict=True):
        row = dict(zip(fit.tidy()["term"], fit.model.terms.rows(), strict=True))[name]
        assert one.estimate == pytest.approx(row["estimate"])
        assert one.std_error == pytest.approx(row["std_error"])
        assert (one.conf_low, one.conf_high) == pytest.approx((row["conf_low"], row["conf_high"]))


def test_in_the_large_the_linear_predictor_is_an_offset() -> None:
    fit = passline.fit("y ~ 1", TABLE, weights="n", offset="eta")
    found = in_the_large(Scored.of(ETA, Y, WEIGHT))
    assert found.estimate == pytest.approx(fit.model.coef[0])
    assert found.std_error == pytest.approx(fit.model.terms.std_error[0])


def test_with_clusters_the_errors_are_those_of_the_sandwich() -> None:
    scored = Scored.of(ETA, Y, WEIGHT, CLUSTER.astype(np.int64))
    slope, shift = line(scored)[1], in_the_large(scored)
    with pytest.warns(match="20 clusters"):
        fit = passline.fit("y ~ eta", TABLE, weights="n", cluster="g")
    assert slope.std_error == pytest.approx(fit.model.terms.std_error[1])
    with pytest.warns(match="20 clusters"):
        alone = passline.fit("y ~ 1", TABLE, weights="n", cluster="g", offset="eta")
    assert shift.std_error == pytest.approx(alone.model.terms.std_error[0])


@pytest.mark.parametrize(
    "scored",
    [
        Scored.of(np.array([-1.0, 2.0]), np.zeros(2)),
        Scored.of(np.array([-1.0, 2.0, -np.inf]), np.array([0.0, 1, 0])),
    ],
    ids=["one outcome alone", "a probability of zero"],
)
def test_calibration_does_not_exist_with(scored: Scored) -> None:
    assert math.isnan(in_the_large(scored).estimate)
    assert all(math.isnan(one.estimate) for one in line(scored))


def test_the_slope_does_not_exist_where_it_is_infinite_or_nothing_varies_but_the_shift_does() -> None:
    y = np.array([0.0, 0.0, 1.0])
    for eta in (np.array([-1.0, 0.0, 2.0]), np.zeros(3)):
        scored = Scored.of(eta, y)
        assert all(math.isnan(one.estimate) for one in line(scored))
        assert math.isfinite(in_the_large(scored).estimate)
