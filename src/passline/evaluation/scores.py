"""How far the probabilities are from what happened: log loss, Brier score and its parts, expected calibration error."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passline.engine.likelihood import mean
from passline.errors import OptionError
from passline.evaluation.scored import Scored, variance_of_sum
from passline.inference.wald import normal_quantile

Floats = NDArray[np.float64]
BINNINGS = ("width", "quantile")

# A probability this near below the edge of a bin is on the edge: equal rows are rounded apart.
NEAR = 9


@dataclass(frozen=True)
class Binning:
    """How probabilities are put into bins: ``bins`` of equal "width" on [0, 1], or of equal weight ("quantile").

    Raises OptionError.
    """

    bins: int = 10
    kind: str = "width"

    def __post_init__(self) -> None:
        if isinstance(self.bins, bool) or not (isinstance(self.bins, int) and 1 <= self.bins <= 10_000):
            raise OptionError(f"bins is {self.bins!r}: give a whole number from 1 to 10,000")
        if self.kind not in BINNINGS:
            raise OptionError(f"binning is {self.kind!r}: choose 'width' (equal widths) or 'quantile' (equal numbers)")

    @property
    def words(self) -> str:
        """The bins for a reader."""
        return f"{self.bins} bins of equal {'width' if self.kind == 'width' else 'numbers of rows'}"


@dataclass(frozen=True)
class Bins:
    """What each bin holds, (b,) each, bins without rows left out.

    ``low``, ``high``: its edges (of quantile bins its least and greatest probability), ``weight``, ``predicted`` the
    mean probability, ``observed`` the share of successes; ``variance`` and ``covariance``: those of the probability,
    and of it with the outcome, within the bin.
    """

    low: Floats
    high: Floats
    weight: Floats
    predicted: Floats
    observed: Floats
    variance: Floats
    covariance: Floats


def log_loss(scored: Scored) -> float:
    r"""The mean of -log of the probability that was given to what happened.

    .. math:: \frac{1}{T} \sum_i s_i \log(1 + e^{-\eta_i}) + f_i \log(1 + e^{\eta_i})

    Infinite where what happened had a probability of zero. No probability is formed.
    """
    if_success, if_failure = losses(scored)
    return (_dot(scored.successes, if_success) + _dot(scored.failures, if_failure)) / scored.total


def losses(scored: Scored) -> tuple[Floats, Floats]:
    """The loss of a success and of a failure of each row, (n,) each."""
    e = np.log1p(np.exp(-np.abs(scored.eta)))
    return e + np.maximum(-scored.eta, 0.0), e + np.maximum(scored.eta, 0.0)


def deviance(scored: Scored) -> float:
    """Twice what the log-likelihood lacks to one with a probability for each row; rows may weigh nothing."""
    y = scored.successes / np.where(scored.weight > 0, scored.weight, 1.0)
    inside = (y > 0) & (y < 1)
    p = np.where(inside, y, 0.5)
    entropy = np.where(inside, p * np.log(p) + (1.0 - p) * np.log1p(-p), 0.0)
    return 2.0 * (log_loss(scored) * scored.total + float(scored.weight @ entropy))


def brier(scored: Scored, p: Floats) -> float:
    r"""The mean of (probability - outcome)^2 over trials written out; ``p``: (n,) the probabilities.

    Source: Brier (1950), Monthly Weather Review 78.
    """
    return float(scored.successes @ np.square(1.0 - p) + scored.failures @ np.square(p)) / scored.total


def mean_interval(scored: Scored, if_success: Floats, if_failure: Floats, level: float) -> tuple[float, float]:
    """The normal interval of a mean loss, never below zero; NaN where it is infinite, or of a single unit."""
    center = (_dot(scored.successes, if_success) + _dot(scored.failures, if_failure)) / scored.total
    if not math.isfinite(center):
        return math.nan, math.nan
    # A loss that is infinite belongs to an outcome that the row does not have.
    a, b = (np.where(np.isfinite(loss), loss - center, 0.0) for loss in (if_success, if_failure))
    error = normal_quantile(level) * math.sqrt(variance_of_sum(scored, a, b)) / scored.total
    return max(center - error, 0.0), center + error


def into_bins(scored: Scored, p: Floats, binning: Binning) -> Bins:
    """Sum rows up by their probabilities ``p`` (n,)."""
    b, weight = binning.bins, scored.weight
    if binning.kind == "width":
        place = np.minimum(np.floor(np.round(p * b, NEAR)).astype(np.int64), b - 1)
    else:
        place = by_quantile(p, weight, b)
    count, p_sum, won = (np.bincount(place, values, b) for values in (weight, weight * p, scored.successes))
    there = count > 0
    safe = np.where(there, count, 1.0)
    predicted, observed = p_sum / safe, won / safe
    away = p - predicted[place]
    variance = np.bincount(place, weight * np.square(away), b) / safe
    covariance = np.bincount(place, (scored.successes - weight * observed[place]) * away, b) / safe
    low, high = np.full(b, np.inf), np.full(b, -np.inf)
    if binning.kind == "width":
        low, high = np.linspace(0.0, 1.0, b + 1)[:-1], np.linspace(0.0, 1.0, b + 1)[1:]
    else:
        real = weight > 0
        np.minimum.at(low, place[real], p[real])
        np.maximum.at(high, place[real], p[real])
    columns = (low, high, count, predicted, observed, variance, covariance)
    return Bins(*(np.asarray(column[there], dtype=np.float64) for column in columns))


def brier_parts(bins: Bins) -> dict[str, float]:
    r"""The parts of the Brier score, which add up to it exactly.

    .. math:: B = \underbrace{\sum_k w_k (\bar p_k - \bar y_k)^2}_{reliability}
        - \underbrace{\sum_k w_k (\bar y_k - \bar y)^2}_{resolution} + \underbrace{\bar y (1 - \bar y)}_{uncertainty}
        + \underbrace{\sum_k w_k var_k(p)}_{within\ variance}
        - \underbrace{2 \sum_k w_k cov_k(p, y)}_{within\ covariance}

    over bins with shares w_k. Source: Murphy (1973), J. Applied Meteorology 12; the within-bin terms: Stephenson,
    Coelho and Jolliffe (2008), Weather and Forecasting 23.
    """
    w = bins.weight / bins.weight.sum()
    rate = float(w @ bins.observed)
    return {
        "brier_reliability": float(w @ np.square(bins.predicted - bins.observed)),
        "brier_resolution": float(w @ np.square(bins.observed - rate)),
        "brier_uncertainty": rate * (1.0 - rate),
        "brier_within_variance": float(w @ bins.variance),
        "brier_within_covariance": 2.0 * float(w @ bins.covariance),
    }


def expected_calibration_error(bins: Bins) -> float:
    r"""The mean distance of probability and rate, \sum_k w_k |\bar p_k - \bar y_k|; it depends on the bins.

    Source: Naeini, Cooper and Hauskrecht (2015), AAAI 29.
    """
    return float(bins.weight @ np.abs(bins.predicted - bins.observed)) / float(bins.weight.sum())


def probabilities(scored: Scored) -> Floats:
    """The probability of each row, (n,)."""
    p: Floats = mean(scored.eta)
    return p


def by_quantile(p: Floats, weight: Floats, b: int) -> NDArray[np.int64]:
    """The bin of each row, equal probabilities in one bin: that in which the middle of their weight falls."""
    values, inverse = np.unique(np.round(p, NEAR + 3), return_inverse=True)
    mass = np.bincount(inverse, weight, len(values))
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    place: NDArray[np.int64] = np.minimum((middle * b).astype(np.int64), b - 1)[inverse]
    return place


def _dot(weight: Floats, loss: Floats) -> float:
    """The sum of weighted losses; an outcome that is not there loses nothing, be its loss infinite."""
    if np.isfinite(loss).all():
        return float(weight @ loss)
    there = weight > 0
    return float(weight[there] @ loss[there])
