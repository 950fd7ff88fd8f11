"""Residuals averaged over bins of rows: single ones of a yes or no say nothing, their averages do."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passline.engine.likelihood import mean
from passline.errors import OptionError
from passline.evaluation.scored import Scored
from passline.evaluation.scores import by_quantile

Floats = NDArray[np.float64]

MOST_BINS = 1_000


@dataclass(frozen=True)
class BinnedResiduals:
    """What each bin holds, (b,) each, in rising order of what the rows are binned by.

    ``along``: the mean of that; ``residual``: the mean of outcome minus probability; ``std_error``: what the model says
    that one deviates; ``weight``: of the rows.
    """

    along: Floats
    residual: Floats
    std_error: Floats
    weight: Floats

    @property
    def outside(self) -> float:
        """The share of bins further than two standard errors from zero; about 0.05 where the model holds."""
        return float(np.mean(np.abs(self.residual) > 2.0 * self.std_error))


def binned_residuals(scored: Scored, along: Floats | None = None, bins: int | None = None) -> BinnedResiduals:
    r"""Average residuals over bins of equal weight by the probability, or by another number ``along`` (n,).

    .. math:: \bar r_k = \frac{\sum_{i \in k} c_i (y_i - \mu_i)}{\sum_{i \in k} c_i}, \quad
        se_k = \frac{\sqrt{\sum_{i \in k} c_i \mu_i (1 - \mu_i)}}{\sum_{i \in k} c_i}

    ``bins``: by default the square root of the number of trials, from 100 on; 10 from 10 to 100; else half of them.
    Rows that are equal in what they are binned by share a bin. Raises OptionError for a number of bins out of range.
    Source: Gelman and Hill, Data Analysis Using Regression (2007), 5.6; binnedplot of R's arm.
    """
    scored_at = mean(scored.eta) if along is None else along
    b = _default(scored.total) if bins is None else bins
    if isinstance(b, bool) or not (isinstance(b, int) and 1 <= b <= MOST_BINS):
        raise OptionError(f"bins is {bins!r}: give a whole number from 1 to {MOST_BINS:,}")
    p, weight = mean(scored.eta), scored.weight
    place = by_quantile(scored_at / (np.abs(scored_at).max(initial=0.0) or 1.0), weight, b)
    count, total, rest, variance = (
        np.bincount(place, values, b)
        for values in (
            weight,
            weight * scored_at,
            scored.successes * mean(-scored.eta) - scored.failures * p,  # s (1 - p) - f p, which keeps its digits
            weight * p * mean(-scored.eta),
        )
    )
    there = count > 0
    n: Floats = count[there].astype(np.float64)
    return BinnedResiduals(total[there] / n, rest[there] / n, np.sqrt(variance[there]) / n, n)


def _default(trials: float) -> int:
    if trials >= 100:
        return min(math.isqrt(int(trials)), 100)
    return 10 if trials >= 10 else max(int(trials) // 2, 1)
