"""A fitted model's design with coefficients from elsewhere: it predicts, and nothing that was inferred goes with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.inference.existence import TermStatus
from passline.model import Model, Terms

NOTE = (
    "these coefficients were given, not estimated: no errors, tests, likelihood or certificate go with them; evaluate "
    "them on rows"
)
# What of a fit's settings is about its rows, and stays.
_KEPT = ("roles",)
# What the rows of the fit were, and stays so.
_COUNTED = ("nobs", "rank", "df_residual", "null_deviance")


def given_coef(model: Model, coef: NDArray[np.float64]) -> Model:
    """The model with ``coef`` (p,) in place of its own, in the order of its terms; the rows it knows of stay those."""
    p = len(model.terms.names)
    none = np.full(p, np.nan)
    ok: TermStatus = "ok"
    terms = Terms(model.terms.names, coef, none, none, none, none, none, (ok,) * p, (None,) * p)
    proof: dict[str, Any] = {"converged": False, "gradient_norm": None, "max_step_in_se": None, "gap": None}
    return replace(
        model,
        terms=terms,
        coef=coef,
        covariance=np.full((p, p), np.nan),
        directions=np.zeros((0, p)),
        estimator="ml",
        glance={name: model.glance[name] if name in _COUNTED else None for name in model.glance},
        certificate=proof | {"passes": 0, "solver": "none: the coefficients were given", "seconds": 0.0},
        separation={"kind": "none", "terms": []},
        settings={name: value for name, value in model.settings.items() if name in _KEPT} | {"given_coef": True},
        warnings=(NOTE,),
    )
