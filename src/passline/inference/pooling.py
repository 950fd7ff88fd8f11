"""Rubin's rules: one answer from the fits to several tables whose gaps were filled by multiple imputation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passline.inference.wald import p_values, quantile

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rubin:
    """Pooled estimates, (p,) each: ``within`` and ``between`` variance, degrees of freedom, missing information.

    ``covariance``: (p, p) total. ``riv``: the relative increase of variance through what is missing; ``fmi``: the
    fraction of information that is.
    """

    estimate: Floats
    covariance: Floats
    within: Floats
    between: Floats
    df: Floats
    riv: Floats
    fmi: Floats

    @property
    def std_error(self) -> Floats:
        """The root of the total variance."""
        return np.sqrt(np.diagonal(self.covariance))

    def tested(self, level: float) -> tuple[Floats, Floats, Floats, Floats]:
        """Statistic, p-value and the interval's ends of each term, by Student's t on its own degrees of freedom."""
        t = self.estimate / self.std_error
        p = np.array([p_values(np.array([a]), b)[0] for a, b in zip(t, self.df.tolist(), strict=True)])
        reach = np.array([quantile(level, df) for df in self.df.tolist()]) * self.std_error
        return t, p, self.estimate - reach, self.estimate + reach


def rubin(estimates: Floats, covariances: Floats, df_complete: float) -> Rubin:
    r"""Pool m estimates, (m, p), with their covariances, (m, p, p).

    .. math:: T = \bar V + (1 + 1/m) B, \quad \lambda = (1 + 1/m) B / T, \quad
        \nu = \left[\frac{\lambda^2}{m - 1} + \frac{\nu_c + 3}{(\nu_c + 1) \nu_c (1 - \lambda)}\right]^{-1}

    ``df_complete``: the residual degrees of freedom that complete rows would have, nu_c. Without any spread between
    the fits nu is that of the complete rows. NaN where an estimate is NaN. Source: Rubin, Multiple Imputation (1987);
    Barnard and Rubin (1999), Biometrika 86; the fraction of missing information as in R's mice.
    """
    m = len(estimates)
    estimate = estimates.mean(axis=0)
    V = covariances.mean(axis=0)
    apart = estimates - estimate
    B = apart.T @ apart / (m - 1)
    total = V + (1.0 + 1.0 / m) * B
    within, between = np.diagonal(V), np.diagonal(B)
    extra = (1.0 + 1.0 / m) * between
    share = extra / np.diagonal(total)  # lambda
    observed = (df_complete + 1.0) / (df_complete + 3.0) * df_complete * (1.0 - share)
    df = 1.0 / (share**2 / (m - 1.0) + 1.0 / observed)
    riv = extra / within
    return Rubin(estimate, total, within, between, df, riv, (riv + 2.0 / (df + 3.0)) / (1.0 + riv))
