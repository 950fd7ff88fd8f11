"""Exact intervals of shares: what the points of a curve, and the bins of a picture, are worth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from passline.inference.wald import normal_quantile

Floats = NDArray[np.float64]


def share_interval(successes: Floats, total: Floats, level: float = 0.95) -> tuple[Floats, Floats]:
    r"""The exact interval of each share ``successes / total``, both (k,): (low, high), NaN where the total is zero.

    .. math:: \mathrm{Beta}^{-1}(\tfrac{\alpha}{2}; s, n - s + 1), \quad
        \mathrm{Beta}^{-1}(1 - \tfrac{\alpha}{2}; s + 1, n - s)

    It covers at least ``level``, for counts of independent trials; counts that are not whole are taken as they are.
    Raises OptionError for a level outside (0, 1). Source: Clopper and Pearson (1934), Biometrika 26.
    """
    from scipy.special import betaincinv  # slow to import

    normal_quantile(level)
    alpha = 1.0 - level
    s, n = np.maximum(successes, 0.0), total
    f = np.maximum(n - s, 0.0)
    low = np.where(s > 0, betaincinv(np.where(s > 0, s, 1.0), f + 1.0, alpha / 2), 0.0)
    high = np.where(f > 0, betaincinv(s + 1.0, np.where(f > 0, f, 1.0), 1.0 - alpha / 2), 1.0)
    return np.where(n > 0, low, np.nan), np.where(n > 0, high, np.nan)
