"""Whether the log odds hold: the intercept and the slope of the outcome on the linear predictor, by our own solver."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import Block, Blocks
from passline.engine.columns import Dense
from passline.engine.likelihood import mean
from passline.engine.scaling import assemble
from passline.evaluation.discrimination import Interval
from passline.evaluation.scored import Scored, variance_of_sum
from passline.inference.errors import errors_of
from passline.inference.existence import maximum_likelihood
from passline.inference.firth import intercept_shift
from passline.inference.sample import Sample
from passline.inference.wald import normal_quantile
from passline.table.design import NumericColumns

Floats = NDArray[np.float64]

NOTHING = Interval(math.nan, math.nan, math.nan, math.nan)


def in_the_large(scored: Scored, level: float = 0.95) -> Interval:
    r"""Calibration in the large: what has to be added to the log odds to make the mean probability the rate.

    .. math:: \mathrm{logit} P(y) = a + \eta

    Zero is perfect. Source: Cox (1958), Biometrika 45; Steyerberg, Clinical Prediction Models (2019), chapter 15.
    NaN where an outcome is not there, or a probability is 0 or 1.
    """
    if scored.one_class or not np.isfinite(scored.eta).all():
        return NOTHING
    shift = intercept_shift(_blocks(scored), scored.eta)
    mu = mean(scored.eta + shift)
    information = float(scored.weight @ (mu * (1.0 - mu)))
    if information <= 0:
        return Interval(shift, math.nan, math.nan, math.nan)
    if scored.groups is None:
        return _wald(shift, 1.0 / math.sqrt(information), level)
    return _wald(shift, math.sqrt(variance_of_sum(scored, 1.0 - mu, -mu)) / information, level)


def line(scored: Scored, level: float = 0.95) -> tuple[Interval, Interval]:
    r"""The calibration intercept and slope.

    .. math:: \mathrm{logit} P(y) = a + b \eta

    Zero and one are perfect; a slope below one says that the probabilities are too extreme. Sandwich errors where rows
    belong together. NaN where an outcome is not there, a probability is 0 or 1, all are alike, or the linear predictor
    separates the outcomes. Source: Cox (1958), Biometrika 45.
    """
    if scored.one_class or not np.isfinite(scored.eta).all() or np.ptp(scored.eta) == 0:
        return NOTHING, NOTHING
    weight = scored.weight
    columns, scaling = assemble([NumericColumns(scored.eta)], 2, len(weight), True, weight)
    blocks = Blocks(Block(columns, scored.successes / weight, weight))
    found = maximum_likelihood(blocks, scaling)
    if found.status != ("ok", "ok"):
        return NOTHING, NOTHING
    error = found.std_error
    if scored.groups is not None:
        sample = Sample(blocks, scaling, ("(Intercept)", "eta"), {}, counts=weight, cluster=scored.groups)
        error = errors_of(sample, found, "hc0", "one").std_error
    return _wald(float(found.coef[0]), float(error[0]), level), _wald(float(found.coef[1]), float(error[1]), level)


def _blocks(scored: Scored) -> Blocks:
    weight = scored.weight
    return Blocks(Block(Dense(np.ones((len(weight), 1))), scored.successes / weight, weight))


def _wald(estimate: float, error: float, level: float) -> Interval:
    z = normal_quantile(level)
    return Interval(estimate, error, estimate - z * error, estimate + z * error)
