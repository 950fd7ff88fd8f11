"""Wald's statistics, p-values and intervals, from estimates and standard errors; and the tails they need."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from passline.errors import OptionError

Floats = NDArray[np.float64]


def normal_quantile(level: float) -> float:
    """Z with P(|Z| <= z) = level for a standard normal Z; raises OptionError for a level outside (0, 1)."""
    if not 0.0 < level < 1.0:
        raise OptionError(f"the level is {level}: give a share between 0 and 1, such as 0.95")
    return NormalDist().inv_cdf(0.5 + level / 2)


def quantile(level: float, df: float | None = None) -> float:
    """Q with P(|T| <= q) = level, for Student's t with ``df`` degrees of freedom, or a normal T where it is None.

    Raises OptionError for a level outside (0, 1).
    """
    z = normal_quantile(level)
    if df is None or math.isinf(df):
        return z
    from scipy.special import stdtrit  # slow to import, and only an estimated dispersion needs it

    return float(stdtrit(df, 0.5 + level / 2))


def p_values(statistic: Floats, df: float | None = None) -> Floats:
    """Two-sided P(|T| >= |t|), accurate far out in the tail; NaN for NaN. Normal, or Student's t on ``df``."""
    if df is None or math.isinf(df):
        return np.array([math.erfc(abs(value) / math.sqrt(2.0)) for value in statistic])
    from scipy.special import stdtr

    return np.asarray(2.0 * stdtr(df, -np.abs(statistic)))


def wald_p(statistic: float, m: int, df: float | None = None) -> float:
    """P-value of Wald's chi-square of ``m`` constraints; by F(m, df) where the dispersion was estimated on ``df``."""
    if df is None or math.isinf(df) or m < 1 or math.isnan(statistic):
        return chi2_p(statistic, m)
    from scipy.special import fdtrc  # slow to import, and only an estimated dispersion needs it

    return float(fdtrc(m, df, max(statistic, 0.0) / m))


def chi2_p(statistic: float, df: int) -> float:
    """P(X >= statistic) for a chi-square X with ``df`` degrees of freedom; NaN for NaN and where df is 0."""
    if df < 1 or math.isnan(statistic):
        return math.nan
    if df == 1:
        return math.erfc(math.sqrt(max(statistic, 0.0) / 2.0))
    from scipy.special import gammaincc  # slow to import, and one degree of freedom needs none

    return float(gammaincc(df / 2.0, max(statistic, 0.0) / 2.0))
