"""Pseudo-R^2 by name: how much better than the intercept alone the model says which rows are positive."""

from __future__ import annotations

import math

from passline.engine.likelihood import mean
from passline.inference.existence import Outcome
from passline.inference.sample import Sample


def pseudo_r2(sample: Sample, outcome: Outcome, null: float) -> dict[str, float]:
    r"""McFadden's, Cox and Snell's, Nagelkerke's and Tjur's, of the rows written out trial by trial.

    .. math:: 1 - \ell / \ell_0, \quad 1 - e^{2 (\ell_0 - \ell) / n}, \quad
        \frac{1 - e^{2 (\ell_0 - \ell) / n}}{1 - e^{2 \ell_0 / n}}, \quad \bar\mu_{y=1} - \bar\mu_{y=0}

    ``null``: the log-likelihood of the intercept alone, without binomial coefficients, as ``outcome`` has it; n is
    the number of trials, so that grouped rows give what their trials written out give. (R's pscl takes a row of trials
    for one, and its likelihood with binomial coefficients.) Sampling weights make no likelihood: NaN, but Tjur's.
    Source: McFadden (1974); Cox and Snell (1989); Nagelkerke (1991), Biometrika 78; Tjur (2009), American
    Statistician 63.
    """
    weight, y = sample.weight, sample.y
    mu = mean(outcome.eta)
    tjur = float((weight * y) @ mu / (weight @ y) - (weight * (1.0 - y)) @ mu / (weight @ (1.0 - y)))
    if sample.sampling is not None:
        return {"mcfadden": math.nan, "cox_snell": math.nan, "nagelkerke": math.nan, "tjur": tjur}
    n = float(weight.sum())
    cox_snell = -math.expm1(2.0 * (null - outcome.log_likelihood) / n)
    return {
        "mcfadden": 1.0 - outcome.log_likelihood / null,
        "cox_snell": cox_snell,
        "nagelkerke": cox_snell / -math.expm1(2.0 * null / n),
        "tjur": tjur,
    }
