"""What a model leaves of each row: response, Pearson, deviance, standardised and randomised quantile residuals."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from passline.engine.likelihood import bernoulli, mean
from passline.errors import OptionError
from passline.inference.existence import Outcome
from passline.inference.sample import Sample

Floats = NDArray[np.float64]
Kind = Literal["response", "pearson", "deviance", "standardized", "quantile"]


def residuals(
    sample: Sample, outcome: Outcome, kind: str = "deviance", generator: np.random.Generator | None = None
) -> Floats:
    r"""The residuals of the rows used, one for each unit of a row, (n,).

    .. math:: y - \mu, \quad \sqrt{c} \frac{y - \mu}{\sqrt{\mu (1 - \mu)}}, \quad
        \mathrm{sign}(y - \mu) \sqrt{2 c [\ell(y, \mu) - \ell(y, y)]}

    ``kind``: "response", "pearson", "deviance", "standardized" (deviance over the square root of 1 - h, as R's
    rstandard), or "quantile" (randomised with ``generator``, by default seed 0). y is the share of successes, c the
    row's trials (times its sampling weight). Raises OptionError for another kind. Sources: McCullagh and Nelder (1989),
    2.4; Dunn and Smyth (1996), Journal of Computational and Graphical Statistics 5.
    """
    if kind == "response":
        _, residual, _ = bernoulli(outcome.eta, sample.y)
        return np.where(np.isinf(outcome.eta), 0.0, -residual)
    if kind == "pearson":
        return pearson_residuals(sample, outcome)
    if kind == "deviance":
        return deviance_residuals(sample, outcome)
    if kind == "standardized":
        from passline.inference.influence import leverage  # which asks for residuals itself

        h = leverage(sample, outcome).hat
        with np.errstate(divide="ignore", invalid="ignore"):
            found: Floats = deviance_residuals(sample, outcome) / np.sqrt(np.where(h < 1.0, 1.0 - h, np.nan))
        return found
    if kind == "quantile":
        return quantile_residuals(sample, outcome, generator)
    raise OptionError(f"the kind of residuals is {kind!r}: choose one of {', '.join(get_args(Kind))}")


def pearson_residuals(sample: Sample, outcome: Outcome) -> Floats:
    """Pearson's residuals, (n,): zero in rows whose outcome the limiting probability has for certain."""
    eta, y = outcome.eta, sample.y
    # y - mu over its deviation, without forming either: neither cancels in the tails.
    with np.errstate(over="ignore", invalid="ignore"):
        up = np.where(y > 0, y * np.exp(-eta / 2), 0.0)
        down = np.where(y < 1, (1.0 - y) * np.exp(eta / 2), 0.0)
    return np.where(np.isinf(eta), 0.0, np.sqrt(sample.weight / sample.units) * (up - down))


def deviance_residuals(sample: Sample, outcome: Outcome) -> Floats:
    """Signed roots of each unit's share of the deviance, (n,)."""
    finite = np.isfinite(outcome.eta)
    eta, y = np.where(finite, outcome.eta, 0.0), sample.y
    loss, residual, _ = bernoulli(eta, y)
    inside = (y > 0) & (y < 1)
    share = np.where(inside, y, 0.5)
    least = np.where(inside, -share * np.log(share) - (1.0 - share) * np.log1p(-share), 0.0)
    half = np.maximum(loss - least, 0.0) * sample.weight / sample.units
    return np.where(finite, -np.sign(residual) * np.sqrt(2.0 * half), 0.0)


def quantile_residuals(sample: Sample, outcome: Outcome, generator: np.random.Generator | None = None) -> Floats:
    r"""Residuals that are standard normal, exactly, where the model holds: (n,).

    .. math:: \Phi^{-1}(u), \quad u \sim U(F(s - 1), F(s))

    with F the binomial distribution of a row's successes s. NaN for rows without a trial, and where the limiting
    probability has the outcome for certain.
    """
    from scipy.special import betainc, ndtri  # slow to import, and only these residuals need it

    v = 1.0 - (generator or np.random.default_rng(0)).random(sample.blocks.n)  # in (0, 1]
    m = np.ones(sample.blocks.n) if sample.trials is None else sample.trials
    s = np.rint(m * sample.y)
    finite = np.isfinite(outcome.eta) & (m > 0)
    eta = np.where(finite, outcome.eta, 0.0)
    mu, nu = mean(eta), mean(-eta)
    # The binomial's two tails as incomplete beta functions, each at its ends by itself.
    inner, outer = np.clip(s, 1, None), np.clip(m - s, 1, None)
    upto = np.where(s < m, betainc(outer, s + 1, nu), 1.0)
    above = np.where(s < m, betainc(s + 1, outer, mu), 0.0)
    below = np.where(s > 0, betainc(m - s + 1, inner, nu), 0.0)
    from_ = np.where(s > 0, betainc(inner, m - s + 1, mu), 1.0)
    # The smaller tail keeps its digits.
    low = upto < 0.5
    tail = np.where(low, below + v * (upto - below), above + v * (from_ - above))
    z: Floats = np.where(low, 1.0, -1.0) * ndtri(np.where(finite, tail, 0.5))
    return np.where(finite, z, np.nan)
