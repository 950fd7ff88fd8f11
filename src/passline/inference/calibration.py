"""Whether the probabilities of a fit hold on its own rows: the unweighted sum of squares, and Hosmer-Lemeshow."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import Block
from passline.engine.likelihood import bernoulli, likelihood, mean
from passline.errors import OptionError
from passline.inference.existence import Outcome
from passline.inference.sample import Sample
from passline.inference.wald import chi2_p
from passline.solvers.linear import NotPositiveDefiniteError, solve
from passline.table.functions import quantiles

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SumOfSquares:
    """The unweighted sum of squared residuals against what the model expects of it; NaN where it cannot deviate.

    ``statistic``: (sum_of_squares - expected) / std_error, standard normal where the model holds.
    """

    sum_of_squares: float
    expected: float
    std_error: float
    statistic: float
    p_value: float


@dataclass(frozen=True)
class HosmerLemeshow:
    """The statistic over groups of rows by fitted probability; one tuple entry a group.

    ``rows``: how many rows (trials) each group has, ``observed`` how many are positive, ``expected`` how many should
    be. ``df``: groups - 2.
    """

    statistic: float
    df: int
    p_value: float
    rows: tuple[float, ...]
    observed: tuple[float, ...]
    expected: tuple[float, ...]
    note: str = (
        "the p-value depends on the number of groups, which nothing determines: on birthwt (low ~ age + lwt + C(race) "
        "+ smoke) it runs from 0.004 to 0.43 between 5 and 20 groups. Do not rest on it; the unweighted sum of squares "
        "needs no groups"
    )


def sum_of_squares(sample: Sample, outcome: Outcome) -> SumOfSquares:
    r"""Test of calibration by the unweighted sum of squares, without groups.

    .. math:: S = \sum (y - \mu)^2, \quad E S = \sum \mu (1 - \mu), \quad
        \mathrm{var}(S - E S) = \min_g \sum \mu (1 - \mu) (1 - 2 \mu - x^T g)^2

    over trials written out. Raises OptionError with sampling weights, and where the estimate is not an unpenalised one
    that exists. Source: le Cessie and van Houwelingen (1991), Biometrics 47; Hosmer, Hosmer, le Cessie and Lemeshow
    (1997), Statistics in Medicine 16; residuals(type = "gof") of R's rms.
    """
    _check(sample, outcome)
    assert outcome.estimate is not None
    blocks, coef = outcome.estimate.objective.blocks, outcome.estimate.solution.coef
    c, y, mu = sample.weight, sample.y, mean(outcome.eta)
    _, _, d = bernoulli(outcome.eta, y)
    found = float(c @ (y * (1.0 - mu) ** 2 + (1.0 - y) * mu**2))
    expected = float(c @ d)
    skew = mean(-outcome.eta) - mu
    information = blocks.sum(likelihood, coef, 2).curvature
    assert information is not None
    try:
        g = solve(information, blocks.all.columns.transposed_times(c * d * skew))
    except NotPositiveDefiniteError:
        return SumOfSquares(found, expected, math.nan, math.nan, math.nan)
    rest = skew - blocks.each_row(_column, g)
    variance, whole = float(c @ (d * rest**2)), float(c @ d)
    # Where 1 - 2 mu is a combination of the columns (few patterns) the sum of squares cannot deviate.
    if variance <= 1e-10 * whole:
        return SumOfSquares(found, expected, 0.0, math.nan, math.nan)
    z = (found - expected) / math.sqrt(variance)
    return SumOfSquares(found, expected, math.sqrt(variance), z, math.erfc(abs(z) / math.sqrt(2.0)))


def hosmer_lemeshow(sample: Sample, outcome: Outcome, groups: int = 10) -> HosmerLemeshow:
    r"""The test of Hosmer and Lemeshow, over ``groups`` of rows between quantiles of the fitted probability.

    .. math:: \chi^2 = \sum_g \frac{(O_g - E_g)^2}{E_g (1 - E_g / n_g)}, \quad df = groups - 2

    Quantiles are R's type 7; equal ones make fewer groups. Raises OptionError for fewer than three groups, with
    sampling weights, and where the estimate is not an unpenalised one that exists. Source: Hosmer and Lemeshow (1980),
    Communications in Statistics A9.
    """
    if groups < 3:
        raise OptionError(f"groups is {groups}: the test has groups - 2 degrees of freedom, so give 3 or more")
    _check(sample, outcome)
    c, p = sample.weight, mean(outcome.eta)
    order = np.argsort(p, kind="stable")
    real = order[c[order] > 0]
    breaks = np.unique(quantiles(p[real], np.linspace(0.0, 1.0, groups + 1), c[real]))
    if len(breaks) < 4:
        raise OptionError(
            f"the fitted probabilities take too few different values for {groups} groups: {max(len(breaks) - 1, 1)} "
            "can be told apart, and the test needs three"
        )
    place = np.searchsorted(breaks[1:-1], p, side="left")
    count, observed, expected = (
        np.bincount(place, weights=values, minlength=len(breaks) - 1) for values in (c, c * sample.y, c * p)
    )
    there = count > 0
    count, observed, expected = count[there], observed[there], expected[there]
    statistic = float(((observed - expected) ** 2 / (expected * (1.0 - expected / count))).sum())
    df = len(count) - 2
    return HosmerLemeshow(
        statistic, df, chi2_p(statistic, df), tuple(count.tolist()), tuple(observed.tolist()), tuple(expected.tolist())
    )


def _check(sample: Sample, outcome: Outcome) -> None:
    if sample.sampling is not None:
        raise OptionError("a test of calibration supposes independent rows, and sampling weights are something else")
    if outcome.recession is not None:
        raise OptionError("the outcome is separated: probabilities of 0 and 1 leave nothing whose calibration to test")
    if outcome.estimate is None or outcome.estimate.penalised:
        raise OptionError("a penalty pulls the probabilities together: the tests of calibration are for fits without")


def _column(block: Block, g: Floats) -> Floats:
    column: Floats = block.columns.times(g)
    return column
