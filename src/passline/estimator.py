"""The face for arrays: scikit-learn's LogisticRegression, its parameters and meaning, exact and certified."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from passline import linear_classifier as kinds
from passline.engine.columns import Columns
from passline.engine.given import as_weights, total_weight
from passline.errors import DataError, OptionError
from passline.linear_classifier import LinearClassifier, labels, threads_of
from passline.optimum import Optimum, Task, optimum
from passline.proof import Certificate, Separation
from passline.solvers.base import Step

Floats = NDArray[np.float64]

SOLVERS = ("lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga")
PENALTIES = ("l1", "l2", "elasticnet", None)
# Names that a warning lists before it counts the rest, and characters of each.
SHOWN, LONGEST = 4, 40


class LogisticRegression(LinearClassifier):
    r"""Logistic regression on arrays: the exact optimum of scikit-learn's objective, in place of its class.

    .. math:: \min_{w, b} C \sum_i c_i \log(1 + e^{-s_i (x_i^T w + b)})
        + \rho |w|_1 + \tfrac{1 - \rho}{2} |w|_2^2, \quad \rho = \text{l1\_ratio}

    ``C``: inverse strength of the penalty (``C=inf``: none); the intercept is never penalised. ``l1_ratio``: 0 for
    ridge, 1 for lasso. ``class_weight``: None, "balanced", or weights by label. ``tol``: the largest entry that the
    gradient of the objective's mean may keep, with respect to standardised columns; at most 1e-8 is asked for.
    ``max_iter``: steps on all rows, whatever the solver. ``warm_start``: whether a fit starts where the last one ended.
    ``n_jobs``: threads, None for all processors; they change no digit. ``solver``: any of scikit-learn's names, all of
    which end at the one optimum; "liblinear" keeps its own objective, in which the intercept is ``intercept_scaling``
    times a coefficient that is penalised like the others. ``penalty``: deprecated, as in scikit-learn. ``verbose``: 1
    prints each step. ``dual`` and ``random_state`` change nothing here.

    After ``fit``: ``coef_`` (1, p), ``intercept_`` (1,), ``classes_`` (2,), ``n_features_in_``, ``feature_names_in_``
    (where X has names), ``n_iter_`` (1,) steps; ``certificate_`` (what proves the optimum), and without a penalty
    ``std_error_`` (1 + p,) and ``covariance_``, the intercept first if there is one, and ``separation_`` (``kind``:
    "none", "quasi", "complete", or "undecided"; ``terms``: those without a finite estimate). Under a penalty these
    three are None, the errors also under class weights and where the curvature is too dear to be formed. Where no
    finite optimum exists, ``coef_`` is where the loss had settled on its way to infinity.
    Source: Hastie, Tibshirani and Friedman (2009), 4.4; Albert and Anderson (1984).
    """

    def __init__(
        self,
        penalty: Literal["l1", "l2", "elasticnet", "deprecated"] | None = "deprecated",
        *,
        C: float = 1.0,
        l1_ratio: float | None = 0.0,
        dual: bool = False,
        tol: float = 1e-4,
        fit_intercept: bool = True,
        intercept_scaling: float = 1,
        class_weight: Any = None,
        random_state: Any = None,
        solver: str = "lbfgs",
        max_iter: int = 100,
        verbose: int = 0,
        warm_start: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        self.penalty = penalty
        self.C = C
        self.l1_ratio = l1_ratio
        self.dual = dual
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.random_state = random_state
        self.solver = solver
        self.max_iter = max_iter
        self.verbose = verbose
        self.warm_start = warm_start
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LogisticRegression:
        """Fit to a matrix (n, p), dense or sparse, labels (n,) of two kinds, and weights (n,); X is not copied.

        A weight of two counts as the row twice. Raises DataError, NoRowsError, OneClassError and TooManyColumnsError
        for what cannot be fitted, OptionError for parameters outside their range; warns (SeparationWarning) where no
        finite optimum exists and (ConvergenceWarning) where the certificate does not hold.
        """
        task = self._task()
        columns = self._columns(X, reset=True)
        rows = _Rows(columns, y, sample_weight, self.class_weight)
        start = self._last(columns.shape[1]) if self.warm_start else None
        found = optimum(
            rows.columns,
            rows.outcome,
            rows.weight,
            task if start is None else replace(task, near=True),
            total=rows.total,
            index=rows.index,
            start=start,
            report=_print if self.verbose else None,
        )
        self.classes_ = rows.classes
        self._learned(found, len(rows.outcome))
        self._warn(found, task)
        return self

    def summary(self, level: float = 0.95) -> str:
        """The coefficients as a table of text: with errors, tests and intervals where they exist, else with why not.

        Raises OptionError for a level outside (0, 1), and NotFittedError before ``fit``.
        """
        self._require_fit("summary")
        from passline.arrays_summary import summary  # rich is not needed to fit

        return summary(self, self._found, self._n_rows, level)

    def _task(self) -> Task:
        self._check_parameters()
        C, l1_ratio = self._penalty()
        lib = self.solver == "liblinear" and self.fit_intercept
        return Task(
            C=C,
            l1_ratio=l1_ratio,
            intercept=bool(self.fit_intercept),
            unit=float(self.intercept_scaling) if lib else None,
            tolerance=float(self.tol),
            max_steps=int(self.max_iter),
            threads=threads_of(self.n_jobs),
        )

    def _penalty(self) -> tuple[float, float]:
        """C and l1_ratio, whichever way they were said."""
        if self.penalty != "deprecated":
            text = (
                "penalty is deprecated in scikit-learn 1.8 and goes in 1.10: leave it out, and say l1_ratio=0 for "
                "'l2', l1_ratio=1 for 'l1', a number between for 'elasticnet', and C=inf for None"
            )
            warnings.warn(text, FutureWarning, stacklevel=4)
            if self.penalty is None:
                return math.inf, 0.0
            if self.penalty in ("l1", "l2"):
                return float(self.C), float(self.penalty == "l1")
            if self.l1_ratio is None:
                raise OptionError("penalty='elasticnet' needs an l1_ratio: give a number from 0 to 1")
        elif self.l1_ratio is None:
            text = "l1_ratio=None is deprecated in scikit-learn 1.8 and goes in 1.10: say l1_ratio=0"
            warnings.warn(text, FutureWarning, stacklevel=4)
            return float(self.C), 0.0
        assert self.l1_ratio is not None
        return float(self.C), float(self.l1_ratio)

    def _check_parameters(self) -> None:
        refuse = self._refuse
        self._check_strength()
        if not _real(self.tol) or not 0 <= self.tol < math.inf:
            refuse("tol", "a number, zero or positive")
        if not _real(self.intercept_scaling) or not 0 < self.intercept_scaling < math.inf:
            refuse("intercept_scaling", "a positive number")
        if not isinstance(self.max_iter, Integral) or self.max_iter < 0:
            refuse("max_iter", "a whole number of steps")
        if self.solver not in SOLVERS:
            refuse("solver", f"one of {', '.join(SOLVERS)}: all end at the one optimum")
        for name in ("dual", "fit_intercept", "warm_start"):
            if not isinstance(getattr(self, name), bool | np.bool_):
                refuse(name, "True or False")
        if not isinstance(self.verbose, Integral | np.bool_) or self.verbose < 0:
            refuse("verbose", "a whole number, 0 for silence")
        if not (self.random_state is None or isinstance(self.random_state, Integral | np.random.RandomState)):
            refuse("random_state", "None, a whole number or a RandomState; nothing here is random")

    def _check_strength(self) -> None:
        if self.penalty not in (*PENALTIES, "deprecated"):
            self._refuse("penalty", "'l1', 'l2', 'elasticnet' or None, or better leave it out")
        if not _real(self.C) or not self.C > 0:
            self._refuse("C", "a positive number, or float('inf') for no penalty")
        if self.l1_ratio is not None and not (_real(self.l1_ratio) and 0 <= self.l1_ratio <= 1):
            self._refuse("l1_ratio", "a number from 0 to 1")

    def _refuse(self, name: str, advice: str) -> NoReturn:
        raise OptionError(f"{name} is {getattr(self, name)!r}: give {advice}")

    def _last(self, p: int) -> tuple[Floats, float] | None:
        """Where the last fit ended, if it had as many columns."""
        if not hasattr(self, "coef_") or self.coef_.shape != (1, p):
            return None
        return self._dense_coef(), float(self.intercept_[0]) if self.fit_intercept else 0.0

    def _learned(self, found: Optimum, n: int) -> None:
        self._found, self._n_rows = found, n
        self.coef_ = found.coef[None]
        self.intercept_ = np.array([found.intercept])
        self.n_iter_ = np.array([found.certificate["steps"]], dtype=np.int32)
        self.certificate_ = Certificate(found.certificate)
        weighted = self.class_weight is not None  # such weights count no rows
        self.covariance_ = None if weighted else found.covariance
        self.std_error_ = None if weighted else found.std_error
        self.separation_ = None
        if found.separation is not None:
            open_ = [word in ("infinite", "undetermined") for word in found.status]
            names = [name for name, word in zip(self._term_names(), open_, strict=True) if word]
            self.separation_ = Separation(found.separation, tuple(names))

    def _term_names(self) -> list[str]:
        names = getattr(self, "feature_names_in_", None)
        named = [f"x{j}" for j in range(self.n_features_in_)] if names is None else [str(name) for name in names]
        return ["(Intercept)", *named] if self.fit_intercept else named

    def _warn(self, found: Optimum, task: Task) -> None:
        kind, proof = found.separation, self.certificate_
        if kind in ("quasi", "complete"):
            words = "completely" if kind == "complete" else "quasi-completely"
            text = (
                f"y is {words} separated, and without a penalty no finite optimum exists{_which(found, self)}. coef_ "
                "is where the loss had settled; larger coefficients fit better still. Use a finite C, or passline.fit "
                "with estimator='firth'"
            )
            warnings.warn(text, kinds.SeparationWarning, stacklevel=3)
        elif not proof["converged"]:
            spent = proof["steps"] >= task.max_steps
            advice = (
                f"max_iter={self.max_iter} steps were not enough: raise it"
                if spent
                else "look for columns that nearly repeat others"
                if task.penalised or kind == "none"
                else "the outcome may be separated: use a finite C, or passline.fit for the verdict"
            )
            size = proof["gradient_norm"]
            text = f"not converged ({proof['status']}): the gradient is {size:.1e}; {advice}"
            warnings.warn(text, kinds.ConvergenceWarning, stacklevel=3)


class _Rows:
    """The rows that count: their columns, outcomes as 0 and 1, weights with mean one and their true total."""

    def __init__(self, columns: Columns, y: Any, sample_weight: Any, class_weight: Any) -> None:
        n = columns.shape[0]
        if isinstance(sample_weight, Real):
            sample_weight = np.full(n, float(sample_weight))
        weight, at = as_weights(sample_weight, n)
        self.outcome, self.classes = labels(y, n, at=at)
        self.total = float(n) if sample_weight is None else total_weight(sample_weight, n)
        if class_weight is not None:
            factor = _class_factors(class_weight, self.classes, self.outcome, weight)[self.outcome.astype(np.intp)]
            before = factor if weight is None else weight * factor
            self.total *= float(before.mean())  # of weights with mean one
            weight, inside = as_weights(before, len(before))
            if inside is not None:
                raise DataError(f"class_weight is {class_weight!r}: a weight of zero leaves one class only")
        self.weight, self.index = weight, at
        self.columns = columns if at is None else columns.rows(at)


def _class_factors(class_weight: Any, classes: NDArray[Any], outcome: Floats, weight: Floats | None) -> Floats:
    """What a row of each of the two classes counts more: (2,)."""
    if isinstance(class_weight, str) and class_weight == "balanced":
        share = float(outcome.mean() if weight is None else weight @ outcome / weight.sum())
        return np.array([0.5 / (1 - share), 0.5 / share])
    if not isinstance(class_weight, dict):
        raise OptionError(f"class_weight is {class_weight!r}: give None, 'balanced' or a dict of weights by label")
    factors = [class_weight.get(label, 1.0) for label in classes.tolist()]
    known = [label for label in classes.tolist() if label in class_weight]
    if len(known) < 2 and len(known) < len(class_weight):
        strange = [label for label in class_weight if label not in known]
        raise OptionError(f"class_weight has {strange[0]!r}, and the classes are {classes.tolist()}")
    if not all(_real(factor) and 0 <= factor < math.inf for factor in factors):
        raise OptionError(f"class_weight is {class_weight!r}: give finite weights, zero or above")
    return np.array(factors, dtype=np.float64)


def _which(found: Optimum, model: LogisticRegression) -> str:
    """The terms without a finite estimate, in words; "" where none is known."""
    names = model._term_names()
    parts = []
    for word, said in (("infinite", "infinite"), ("undetermined", "not determined")):
        terms = [name for name, status in zip(names, found.status, strict=True) if status == word]
        if not terms:
            continue
        shown = [repr(name if len(name) <= LONGEST else f"{name[:LONGEST]}...") for name in terms[:SHOWN]]
        more = f" and {len(terms) - SHOWN} more" if len(terms) > SHOWN else ""
        parts.append(f"{', '.join(shown)}{more} {'is' if len(terms) == 1 else 'are'} {said}")
    return f": {'; '.join(parts)}" if parts else ""


def _real(value: Any) -> bool:
    try:
        return isinstance(value, Real) and not math.isnan(value)
    except OverflowError:  # a whole number beyond all doubles
        return False


def _print(step: Step) -> None:
    print(f"{step.rows} rows: loss {step.loss:.10g}, gradient {step.gradient_norm:.1e}", flush=True)
