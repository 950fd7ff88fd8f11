"""How much too steep slopes are where coefficients are many for the rows, by the theory of that limit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passline.engine.likelihood import bernoulli, mean
from passline.inference.existence import Outcome
from passline.inference.influence import leverage
from passline.inference.sample import Sample

Floats = NDArray[np.float64]

# Gauss-Hermite points a dimension: the integrands are smooth, and 40 leave six digits.
POINTS = 40
# The theory is that of a symmetric outcome; with a rarer one than this it says too little.
RARER = 0.25
# Where the search for the solution begins: the bias, and the share of signal in the deviation of the predictors.
STARTS = ((1.2, 0.6), (1.5, 0.8), (1.15, 0.3), (1.1, 0.9), (2.0, 0.8))


@dataclass(frozen=True)
class Inflated:
    """``bias``: the factor by which slopes come out too steep; ``signal``: standard deviation of the true log-odds."""

    bias: float
    signal: float


def slope_bias(sample: Sample, outcome: Outcome) -> Inflated | None:
    r"""The factor alpha by which maximum likelihood overstates slopes when p / n does not vanish.

    .. math:: \sigma^2 = \kappa^{-2} E[2 \rho'(Q_1) (\lambda \rho'(P))^2], \quad
        0 = E[\rho'(Q_1) Q_1 \lambda \rho'(P)], \quad 1 - \kappa = E[2 \rho'(Q_1) / (1 + \lambda \rho''(P))]

    with rho' the logistic function, P the proximal point of Q_2 (P + lambda rho'(P) = Q_2), kappa = p / n and normal
    Q_1, Q_2; what closes them is the variance of the linear predictors with each row left out. Supposes predictors that
    are about normal in combination, and rows that are single and equal. None where that is not so, or no solution is
    found. Sources: Sur and Candès (2019), PNAS 116; Yadlowsky, Yun, McLean and D'Amour (2021), NeurIPS (SLOE).
    """
    weighted = sample.trials is not None or sample.sampling is not None or sample.blocks.all.offset is not None
    n, y, c = sample.nobs, sample.y, sample.units
    share = float(c @ y) / float(c.sum())
    found = leverage(sample, outcome)
    if weighted or not RARER <= share <= 1 - RARER or np.isnan(found.hat).any() or not (found.hat < 1.0).all():
        return None
    _, residual, _ = bernoulli(outcome.eta, y)
    left = outcome.eta + found.se_fit**2 * residual / (1.0 - found.hat)
    middle = float(c @ left) / n
    eta = math.sqrt(float(c @ (left - middle) ** 2) / n)
    return limit((outcome.rank - int(sample.scaling.intercept)) / n, eta)


def limit(kappa: float, eta: float) -> Inflated | None:
    """The solution for p / n = ``kappa`` and linear predictors, each without its row, of deviation ``eta``."""
    from scipy.optimize import root  # slow to import, and rarely needed

    z, weight = np.polynomial.hermite_e.hermegauss(POINTS)
    weight = weight / weight.sum()
    w = np.outer(weight, weight)

    def equations(u: Floats) -> Floats:
        sigma, lam, gamma, alpha = math.exp(u[0]), math.exp(u[1]), math.exp(u[2]), u[3]
        q1 = gamma * z[:, None] + 0.0 * z
        q2 = -alpha * q1 + math.sqrt(kappa) * sigma * z
        at = _proximal(q2, lam)
        p, rising = mean(at), mean(q1)
        return np.array(
            [
                float((w * 2 * rising * (lam * p) ** 2).sum()) / (kappa * sigma) ** 2 - 1.0,
                float((w * rising * q1 * lam * p).sum()),
                float((w * 2 * rising / (1.0 + lam * p * (1.0 - p))).sum()) - 1.0 + kappa,
                (alpha**2 * gamma**2 + kappa * sigma**2) / eta**2 - 1.0,
            ]
        )

    with np.errstate(all="ignore"):
        for bias, share in STARTS:
            noise = eta * math.sqrt(1.0 - share**2) / math.sqrt(kappa)
            begin = np.array([math.log(noise), math.log(5 * kappa), math.log(share * eta / bias), bias])
            try:
                solution = root(equations, begin, method="hybr")
                left = float(np.abs(equations(solution.x)).max())
            except (ValueError, OverflowError):
                continue
            if left < 1e-6 and solution.x[3] >= 1.0:
                return Inflated(float(solution.x[3]), math.exp(float(solution.x[2])))
    return None


def _proximal(z: Floats, lam: float) -> Floats:
    """The t with t + lam / (1 + exp(-t)) = z: bisection brackets it in [z - lam, z], Newton's steps finish."""
    low, high = z - lam, z.copy()
    t = z - lam / 2
    for _ in range(60):
        p = mean(t)
        gap = t + lam * p - z
        low, high = np.where(gap < 0, t, low), np.where(gap < 0, high, t)
        step = t - gap / (1.0 + lam * p * (1.0 - p))
        new = np.where((step > low) & (step < high), step, (low + high) / 2)
        if float(np.abs(new - t).max()) < 1e-12:
            return new
        t = new
    return t
