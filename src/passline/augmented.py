"""The rows of a fit with what the model says of each: broom's augment, one row for each row of the data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.engine.likelihood import mean
from passline.fitting import Fitted
from passline.inference.influence import leverage
from passline.inference.residuals import residuals

Floats = NDArray[np.float64]


def augment(fitted: Fitted, generator: np.random.Generator | None = None) -> dict[str, Any]:
    """The columns used, in all rows read and in their order, and beside them what the model says of each row.

    ``.fitted``: the probability, ``.logit`` and its standard error ``.se_fit``; ``.resid`` (deviance), ``.pearson``,
    ``.std_resid`` (deviance, standardised), ``.quantile_resid`` (randomised with ``generator``, by default seed 0);
    ``.hat``, ``.cooksd``. NaN in rows that were left out, and where a number does not exist: under separation, which
    leaves limiting probabilities, there is no influence.
    """
    sample, outcome, rows = fitted.sample, fitted.outcome, fitted.learned.rows
    kept = rows.kept()

    def spread(values: Floats) -> Floats:
        out = np.full(rows.read, np.nan)
        out[kept] = values
        return out

    found = leverage(sample, outcome)
    said = {
        ".fitted": mean(outcome.eta),
        ".logit": outcome.eta,
        ".se_fit": found.se_fit,
        ".resid": residuals(sample, outcome, "deviance"),
        ".pearson": residuals(sample, outcome, "pearson"),
        ".std_resid": residuals(sample, outcome, "standardized"),
        ".quantile_resid": residuals(sample, outcome, "quantile", generator),
        ".hat": found.hat,
        ".cooksd": found.cooks_distance,
    }
    return {name: rows.whole(name) for name in rows.names()} | {name: spread(v) for name, v in said.items()}
