"""The face for arrays: scikit-learn's LogisticRegression with its meaning of C, exact and certified."""

from __future__ import annotations

import math
import warnings
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.engine.given import array_blocks, refuse_not_finite, require_rows
from passline.engine.objective import Objective
from passline.errors import ConvergenceWarning, OptionError
from passline.linear_classifier import LinearClassifier, threads_of
from passline.solvers.auto import solve

Floats = NDArray[np.float64]


class LogisticRegression(LinearClassifier):
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
        self._check_parameters()
        blocks, shifted, classes = array_blocks(
            X, y, intercept=bool(self.fit_intercept), threads=threads_of(self.n_jobs)
        )
        n, p, k = blocks.n, blocks.p, int(bool(self.fit_intercept))
        if math.isinf(self.C):
            require_rows(n, p - k, bool(k))
        ridge = _ridge(self.C, n, shifted.scale, k)
        objective = Objective(blocks, ridge)
        start = np.zeros(p)
        if k:
            rate = float(blocks.all.y.mean())
            start[0] = math.log(rate / (1 - rate))
        asked = min(self.tol, 1e-8)
        with np.errstate(all="ignore"):  # what is not finite is named below
            found = solve(objective, tolerance=asked / 2, start=start)
        if not np.isfinite(found.coef).all() or not np.isfinite(found.loss):
            refuse_not_finite(shifted.columns)
        size = float(np.abs(found.gradient).max())
        # Under a ridge the gradient alone tells; without one it vanishes under separation too.
        converged = size <= asked and (found.converged or ridge is not None)
        w = found.coef[k:] / shifted.scale
        self.classes_ = classes
        self.coef_ = w[None]
        self.intercept_ = np.array([found.coef[0] - shifted.center @ w]) if k else np.zeros(1)
        self.n_features_in_ = p - k
        self.n_iter_ = np.array([blocks.passes])
        self.certificate_ = {
            "converged": converged,
            "gradient_norm": size,
            "passes": blocks.passes,
            "solver": found.solver,
            "status": found.status.value,
        }
        if not converged:
            warnings.warn(self._not_converged(found.status.value), ConvergenceWarning, stacklevel=2)
        return self

    def _check_parameters(self) -> None:
        for name, value in (("C", self.C), ("tol", self.tol)):
            if not isinstance(value, Real) or not value > 0:
                unbounded = ", or float('inf') for no penalty" if name == "C" else ""
                raise OptionError(f"{name} is {value!r}: give a positive number{unbounded}")

    def _not_converged(self, status: str) -> str:
        advice = "the outcome may be separated: use a finite C, or passline.fit for the verdict"
        return f"not converged ({status}): the gradient is {self.certificate_['gradient_norm']:.1e}; {advice}"


def _ridge(C: float, n: int, scale: Floats, k: int) -> Floats | None:
    """The penalty of each coefficient in the solver's coordinates, (k + p,): 1 / (n C scale^2), none for C = inf."""
    if math.isinf(C):
        return None
    with np.errstate(over="ignore", divide="ignore"):
        l2 = 1.0 / np.square(scale * np.sqrt(float(n)) * np.sqrt(float(C)))
    # Beyond this the coefficient is zero in all its digits, and an infinite penalty times it would be no number.
    return np.concatenate([np.zeros(k), np.minimum(l2, 1e100)])
