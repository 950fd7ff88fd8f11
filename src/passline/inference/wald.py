"""Wald's z statistics, p-values and intervals, from estimates and standard errors."""

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


def p_values(z: Floats) -> Floats:
    """Two-sided P(|Z| >= |z|), accurate far out in the tail; NaN for NaN."""
    return np.array([math.erfc(abs(value) / math.sqrt(2.0)) for value in z])


def chi2_p(statistic: float, df: int) -> float:
    """P(X >= statistic) for a chi-square X with ``df`` degrees of freedom; NaN for NaN and where df is 0."""
    if df < 1 or math.isnan(statistic):
        return math.nan
    if df == 1:
        return math.erfc(math.sqrt(max(statistic, 0.0) / 2.0))
    from scipy.special import gammaincc  # slow to import, and one degree of freedom needs none

    return float(gammaincc(df / 2.0, max(statistic, 0.0) / 2.0))
