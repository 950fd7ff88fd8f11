"""How well a score tells the two outcomes apart: everything that the order of the rows decides, from one sort."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passline.engine.threads import later
from passline.evaluation.scored import Scored, variance_of_sum
from passline.inference.wald import normal_quantile

Floats = NDArray[np.float64]

# A product of a matrix rounds equal rows apart, according to where they stand in it; so scores are compared in
# multiples of 2^-34, or of 2^-36 of their own size where that is more.
STEPS = 2.0**34


@dataclass(frozen=True)
class Ranked:
    """The different scores in rising order, and what stands behind each: (k,) each.

    ``score``: rounded as :func:`rounded` does, in its steps; ``highest`` is another array only where neighbours were
    put into one cell: the cell's highest score, while ``score`` is its lowest.
    """

    score: Floats
    successes: Floats
    failures: Floats
    highest: Floats

    def cells(self, most: int) -> Ranked:
        """At most ``most`` cells of neighbours, of about equal weight."""
        if len(self.score) <= most:
            return self
        own = self.successes + self.failures
        mass = np.cumsum(own)
        cell = np.minimum((mass - own / 2) / mass[-1] * most, most - 1).astype(np.int64)
        starts = np.flatnonzero(np.concatenate([[True], cell[1:] != cell[:-1]]))
        ends = np.concatenate([starts[1:], [len(cell)]]) - 1
        return Ranked(
            self.score[starts],
            np.add.reduceat(self.successes, starts),
            np.add.reduceat(self.failures, starts),
            self.highest[ends],
        )


@dataclass(frozen=True)
class Interval:
    """A number with its standard error and interval; NaN where they do not exist."""

    estimate: float
    std_error: float
    conf_low: float
    conf_high: float


def ranked(scored: Scored) -> Ranked:
    """Sort rows by score, equal ones together."""
    s = rounded(scored.eta)
    order = np.argsort(s)
    s = s[order]
    starts = np.flatnonzero(np.concatenate([[True], s[1:] != s[:-1]]))
    score = s[starts]
    return Ranked(
        score,
        np.add.reduceat(scored.successes[order], starts),
        np.add.reduceat(scored.failures[order], starts),
        score,
    )


def auc(score: Floats, y: Floats, weight: Floats | None = None) -> float:
    r"""Area under the ROC curve: the share of (success, failure) pairs that the score puts in the right order.

    .. math:: P(s_1 > s_0) + \tfrac12 P(s_1 = s_0)

    ``score``: (n,), may be infinite; scores within rounding of each other are equal. ``y``: (n,) in [0, 1] (a
    proportion counts for both sides); ``weight``: (n,). NaN where one side is empty.
    Source: Hanley and McNeil (1982), Radiology 143.
    """
    if weight is not None or not bool(((y == 0) | (y == 1)).all()):
        return area(ranked(Scored.of(score, y, weight)))
    # Two sorts and two searches, a third of the time of what weights and proportions need.
    s = rounded(score)
    successes_later = later(np.sort, s[y == 1], size=len(s))
    failures, successes = np.sort(s[y == 0]), successes_later()
    pairs = float(len(failures)) * float(len(successes))
    below_later = later(np.searchsorted, failures, successes, "left", size=len(s))
    up_to = np.searchsorted(failures, successes, "right").sum(dtype=np.float64)
    below = below_later().sum(dtype=np.float64)
    ties = up_to - below
    return float(below + ties / 2) / pairs if pairs > 0 else float("nan")


def concordance(rows: Ranked) -> tuple[float, float]:
    """How many pairs of a success and a failure are in the right order (a tie is half a pair), and how many there are.

    Weights count as repetitions.
    """
    below = np.cumsum(rows.failures) - rows.failures
    pairs = float(rows.successes.sum()) * float(rows.failures.sum())
    return float(rows.successes @ (below + rows.failures / 2)), pairs


def area(rows: Ranked) -> float:
    """The area of :func:`auc`, of rows that are sorted already."""
    won, pairs = concordance(rows)
    return won / pairs if pairs > 0 else math.nan


def average_precision(rows: Ranked) -> float:
    r"""Average precision: the precision at each score, weighted by the successes that it adds.

    .. math:: \sum_k (R_k - R_{k-1}) P_k

    from the highest score down, ties together; scikit-learn's average_precision_score. NaN where one side is empty.
    """
    won, lost = float(rows.successes.sum()), float(rows.failures.sum())
    if won == 0 or lost == 0:
        return math.nan
    hit, called = np.cumsum(rows.successes[::-1]), np.cumsum((rows.successes + rows.failures)[::-1])
    there = called > 0
    return float(rows.successes[::-1][there] @ (hit[there] / called[there])) / won


def delong(scored: Scored, rows: Ranked, level: float = 0.95) -> Interval:
    r"""The area with DeLong's standard error and normal interval, cut off at 0 and 1.

    .. math:: var(A) = \frac{S_{10}}{m} + \frac{S_{01}}{n}, \quad V_{10}(i) = P(s_0 < s_i) + \tfrac12 P(s_0 = s_i)

    with S the variances of V_10 over the m successes and V_01 over the n failures. Where rows belong together, or
    weights are no counts, the same influences are summed in each of the G groups before they are squared, times
    G / (G - 1): Obuchowski (1997), Biometrics 53, but for the factor.
    ``rows``: ``scored``, sorted. NaN where an outcome has fewer than two trials; the standard error is 0, and the
    interval says nothing, where the order is perfect. Source: DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44;
    in O(n log n) by Sun and Xu (2014), IEEE Signal Processing Letters 21.
    """
    z = normal_quantile(level)
    m, n = float(rows.successes.sum()), float(rows.failures.sum())
    found = area(rows)
    if math.isnan(found) or (scored.groups is None and min(m, n) < 2):
        return Interval(found, math.nan, math.nan, math.nan)
    failures_below = np.cumsum(rows.failures) - rows.failures / 2
    successes_above = m - (np.cumsum(rows.successes) - rows.successes / 2)
    V10, V01 = failures_below / n - found, successes_above / m - found  # (k,), with mean zero over their own side
    if scored.groups is None:
        s10 = float(rows.successes @ np.square(V10)) / (m - 1.0)
        s01 = float(rows.failures @ np.square(V01)) / (n - 1.0)
        variance = s10 / m + s01 / n
    else:
        place = np.searchsorted(rows.score, rounded(scored.eta))
        variance = variance_of_sum(scored, V10[place] / m, V01[place] / n)
    error = math.sqrt(variance)
    return Interval(found, error, max(found - z * error, 0.0), min(found + z * error, 1.0))


def rounded(score: Floats) -> Floats:
    """Scores without their last digits, in steps of 2^-34; infinities stay."""
    out: Floats = np.rint(score * STEPS)
    large = np.isfinite(score) & (np.abs(score) > 4.0)
    if large.any():
        fraction, exponent = np.frexp(score[large])
        out[large] = np.ldexp(np.rint(np.ldexp(fraction, 36)), exponent - 2)  # on the same scale: 36 - 34
    return out
