"""The face for arrays: scikit-learn's LogisticRegression with its meaning of C, exact and certified."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import Block
from passline.engine.given import array_blocks, as_columns, refuse_not_finite, require_rows
from passline.engine.likelihood import mean
from passline.engine.objective import Objective
from passline.errors import ConvergenceWarning, OptionError
from passline.solvers.auto import solve

Floats = NDArray[np.float64]


class LogisticRegression:
    r"""Logistic regression on arrays: the exact optimum of scikit-learn's objective.

    .. math:: \min_w \tfrac12 |w|^2 + C \sum_i \log(1 + e^{-s_i (x_i^T w + b)})

    ``C``: inverse strength of the ridge (``C=inf``: none); the intercept is never penalised. ``tol``: the largest entry
    that the mean loss's gradient may keep, with respect to standardised columns; at most 1e-8 is asked for. After
    ``fit(X, y)``: ``coef_`` (1, p), ``intercept_`` (1,), ``classes_`` (2,), ``n_iter_`` passes, ``certificate_``.
    Raises OptionError for parameters outside their range. Source: Hastie, Tibshirani and Friedman (2009), 4.4.
    """

    def __init__(
        self, C: float = 1.0, *, tol: float = 1e-4, fit_intercept: bool = True, n_jobs: int | None = None
    ) -> None:
        self.C = C
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any) -> LogisticRegression:
        """Fit to a matrix (n, p), dense or sparse, and labels (n,) of two kinds; X is not copied."""
        if not self.C > 0:
            raise OptionError(f"C is {self.C!r}: give a positive number, or float('inf') for no penalty")
        if not self.tol > 0:
            raise OptionError(f"tol is {self.tol!r}: give a positive number")
        blocks, shifted, self.classes_ = array_blocks(X, y, intercept=self.fit_intercept, threads=self.n_jobs)
        n, p = blocks.n, blocks.p
        l2 = 0.0 if math.isinf(self.C) else 1.0 / (n * self.C)
        if l2 == 0.0:
            require_rows(n, p)
        k = int(self.fit_intercept)
        ridge = None
        if l2 > 0:
            ridge = np.concatenate([np.zeros(k), l2 / shifted.scale**2])
        objective = Objective(blocks, ridge)
        start = np.zeros(p)
        if k:
            rate = float(blocks.all.y.mean())
            start[0] = math.log(rate / (1 - rate))
        found = solve(objective, tolerance=min(self.tol, 1e-8) / 4, start=start)
        if not np.isfinite(found.coef).all() or not np.isfinite(found.loss):
            refuse_not_finite(shifted.columns)
        w = found.coef[k:] / shifted.scale
        self.coef_ = w[None]
        self.intercept_ = np.array([found.coef[0] - shifted.center @ w]) if k else np.zeros(1)
        self.n_features_in_ = p - k
        self.n_iter_ = np.array([blocks.passes])
        self.certificate_ = {
            "converged": found.converged,
            "gradient_norm": float(np.abs(found.gradient).max()),
            "passes": blocks.passes,
            "solver": found.solver,
            "status": found.status.value,
        }
        if not found.converged:
            warnings.warn(self._not_converged(found.status.value), ConvergenceWarning, stacklevel=2)
        return self

    def decision_function(self, X: Any) -> Floats:
        """The linear predictor of each row: (n,)."""
        columns = as_columns(X)
        if columns.shape[1] != self.n_features_in_:
            raise OptionError(f"X has {columns.shape[1]} columns, and the model was fitted to {self.n_features_in_}")
        eta: Floats = Block(columns.rows(slice(None)), np.zeros(0)).columns.times(self.coef_[0]) + self.intercept_[0]
        return eta

    def predict_proba(self, X: Any) -> Floats:
        """Probabilities of the two classes: (n, 2)."""
        p = mean(self.decision_function(X))
        return np.stack([1 - p, p], axis=1)

    def predict(self, X: Any) -> NDArray[Any]:
        """The more probable class of each row: (n,)."""
        return self.classes_[(self.decision_function(X) > 0).astype(np.intp)]

    def _not_converged(self, status: str) -> str:
        advice = "the outcome may be separated: use a finite C, or passline.fit for the verdict"
        return f"not converged ({status}): the gradient is {self.certificate_['gradient_norm']:.1e}; {advice}"
