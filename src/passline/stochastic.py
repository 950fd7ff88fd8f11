"""The face for minibatches: logistic regression by stochastic gradient descent, on arrays or as batches arrive."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.engine.batches import Rows
from passline.engine.columns import Columns
from passline.engine.given import (
    as_classes,
    as_offset,
    as_weights,
    refuse_not_finite,
)
from passline.engine.threads import limited
from passline.errors import OptionError
from passline.linear_classifier import ConvergenceWarning, LinearClassifier, NotFittedError, labels, threads_of
from passline.schedules import Constant, Schedule
from passline.solvers.exact import Certificate, certify
from passline.solvers.sgd import SGD, Stopped, distance
from passline.solvers.stepping import Method, SGDSettings

Floats = NDArray[np.float64]

UNKNOWN = "the rows are not kept, so how far the optimum is, is not known: certify(X, y) says it for rows at hand"


class SGDLogisticRegression(LinearClassifier):
    r"""Logistic regression by stochastic gradient descent: one step a batch, as PyTorch's optimizers take it.

    .. math:: \min_w \frac1n \sum_i \log(1 + e^{-s_i (x_i^T w + b)}) + \tfrac12 l_2 |w|^2

    ``method``: "sgd", "momentum" (with ``momentum``), "nesterov" or "adam" (with ``betas`` and ``eps``). ``rate``: the
    learning rate; ``schedule``, one of ``passline.schedules``, changes it from step to step. ``average_from``: from the
    end of so many epochs on, the answer is the mean of the coefficients after each step (0: from the first step).
    ``standardise``: take the steps on columns with mean zero and spread one; start, penalty and answer stay those of
    the columns as given. ``epochs``, ``batch_size``, ``shuffle`` (a new order each epoch, from ``generator``: a seed, a
    numpy.random.Generator or a torch.Generator). ``held_out``: a share of the rows to keep aside; once their loss has
    not fallen for ``patience`` epochs the fit ends with the coefficients of the best. ``certificate``: whether ``fit``
    ends with a pass over all rows, those held out too, for the exact gradient. ``warm_start``: whether a ``fit`` goes
    on from the last one. ``n_jobs``: threads, None for one a processor; the answer is the same to the last bit.

    After ``fit`` or ``partial_fit``: ``coef_`` (1, p), ``intercept_`` (1,), ``classes_`` (2,), ``n_features_in_``,
    ``feature_names_in_`` (where X has names), ``n_iter_`` epochs,
    ``losses_`` (the mean loss of each epoch, and of each batch of ``partial_fit``, each row's taken just before the
    step that used it, without the penalty), ``held_out_losses_`` (one an epoch) and ``certificate_``. Not reaching the
    optimum is no error here: ``certificate_`` and the ``repr`` say it.
    Source: Bottou, Curtis and Nocedal (2018), Optimization methods for large-scale machine learning.
    """

    # Not of the constructor's making, so that a clone is one that was never fitted.
    _descent: SGD | None = None
    _loaded = False

    def __init__(
        self,
        method: Method = "sgd",
        rate: float = 0.01,
        *,
        momentum: float = 0.9,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        l2: float = 0.0,
        schedule: Schedule | None = None,
        average_from: int | None = None,
        fit_intercept: bool = True,
        standardise: bool = False,
        epochs: int = 10,
        batch_size: int = 256,
        shuffle: bool = True,
        generator: Any = None,
        held_out: float = 0.0,
        patience: int = 5,
        certificate: bool = True,
        warm_start: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        self.method = method
        self.rate = rate
        self.momentum = momentum
        self.betas = betas
        self.eps = eps
        self.l2 = l2
        self.schedule = schedule
        self.average_from = average_from
        self.fit_intercept = fit_intercept
        self.standardise = standardise
        self.epochs = epochs
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.generator = generator
        self.held_out = held_out
        self.patience = patience
        self.certificate = certificate
        self.warm_start = warm_start
        self.n_jobs = n_jobs

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        offset: Any = None,
        coef_init: Any = None,
        intercept_init: float = 0.0,
        report: Callable[[int, float], object] | None = None,
    ) -> SGDLogisticRegression:
        """Walk a matrix (n, p), dense or sparse, and labels (n,) of two kinds for ``epochs`` epochs; X is not copied.

        Starts at ``coef_init`` (p,) and ``intercept_init`` (zeros), or where the last fit or a loaded state ended, if
        ``warm_start`` or just after ``load_state_dict``. A weight counts relative to the others'. ``offset`` (n,) is
        added to the linear predictor here, and nowhere in predictions. ``report`` gets each epoch's number and loss.
        Raises DataError, NoRowsError and OneClassError for rows that cannot be used, OptionError for a parameter
        outside its range; warns (ConvergenceWarning) where the rate is so large that the loss is no longer a number.
        """
        settings = self._settings()
        descent = self._going_on(settings) if self.warm_start or self._loaded else None
        classes = None if descent is None else self.classes_
        columns = self._columns(X, reset=descent is None)
        rows, classes = _read(columns, y, sample_weight, offset, classes=classes)
        begin, first = _start(coef_init, intercept_init, rows.shape[1])
        if descent is None:
            descent = SGD(settings, begin, first)
        elif begin is not None or first:
            raise OptionError(
                "coef_init and intercept_init are where a descent begins, and this one goes on: drop them"
            )
        with limited(threads_of(self.n_jobs)):
            result = descent.run(
                rows,
                epochs=self.epochs,
                batch_size=self.batch_size,
                shuffle=bool(self.shuffle),
                generator=self.generator,
                held_out=self.held_out,
                patience=self.patience,
                certificate=bool(self.certificate),
                report=report,
            )
        self._learned(descent, classes, result.coef, result.intercept)
        self.certificate_ = self._certified(result.certificate, result.stopped.value, result.sentence)
        if result.stopped is Stopped.DIVERGED:
            warnings.warn(result.sentence, ConvergenceWarning, stacklevel=2)
        return self

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None, *, offset: Any = None
    ) -> SGDLogisticRegression:
        """Take one step on a batch of rows, from where the last one, a fit or a loaded state ended.

        ``classes``: the two labels; needed once, at the first batch, if that may hold one of them only. Weights count
        within the batch. Raises as ``fit`` does, and NotConvergedError, nothing changed, where the rate is so large
        that the step leads out of the numbers.
        """
        settings = self._settings()
        descent = self._going_on(settings)
        known = as_classes(classes) if classes is not None else None
        if descent is not None:
            if known is not None and not np.array_equal(known, self.classes_):
                raise OptionError(f"classes is {classes!r}, and this descent has {self.classes_}: leave it out")
            known = self.classes_
        later = "; give classes=[...] if the other comes later"
        columns = self._columns(X, reset=descent is None)
        rows, known = _read(columns, y, sample_weight, offset, classes=known, alone=later)
        descent = SGD(settings) if descent is None else descent
        descent.partial_fit(rows)
        self._learned(descent, known, descent.coef, descent.intercept)
        self.certificate_ = self._certified(None, "batches", UNKNOWN)
        return self

    def certify(self, X: Any, y: Any, sample_weight: Any = None, *, offset: Any = None) -> dict[str, Any]:
        """What ``certificate_`` would be for these rows: the objective's exact value and gradient over all of them."""
        settings = self._fitted().settings
        columns = self._columns(X, reset=False)
        rows, _ = _read(columns, y, sample_weight, offset, classes=self.classes_)
        found = certify(
            rows, self.coef_[0], float(self.intercept_[0]), l2=settings.l2, has_intercept=settings.intercept
        )
        if not np.isfinite(found.loss):
            refuse_not_finite(rows.block().columns, rows.at)
        return self._certified(found, "certified", distance(found))

    @property
    def losses_(self) -> Floats:
        """The mean loss of each epoch of ``fit`` and of each batch of ``partial_fit``, in their order."""
        return np.array(self._trace("losses_").losses)

    @property
    def held_out_losses_(self) -> Floats:
        """The mean loss of the rows held out, after each epoch."""
        return np.array(self._trace("held_out_losses_").held_out)

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """All that the next step depends on, as arrays of numbers (and text) by name, for ``numpy.savez``; no rows."""
        descent, labels = self._fitted(), self.classes_
        if labels.dtype.kind in "OT":
            if not all(isinstance(label, str) for label in labels):
                raise OptionError(f"the classes {labels} are neither numbers nor text: a state cannot hold them")
            labels = np.array(labels.tolist(), dtype=np.str_)
        return {**descent.state_dict(), "classes": labels}

    def load_state_dict(self, state: Mapping[str, Any]) -> SGDLogisticRegression:
        """Become what ``state_dict`` was taken of: the next ``fit`` or ``partial_fit`` goes on from there, bit for bit.

        A torch.Generator is set back as well; other generators are remembered by their seed. Raises OptionError for a
        state that is not whole, or was made with another ``method`` or ``standardise``.
        """
        if not isinstance(state, Mapping) or "classes" not in state:
            raise OptionError("the state lacks classes: give what state_dict() gave")
        descent = SGD(self._settings())
        descent.load_state_dict({name: values for name, values in state.items() if name != "classes"})
        self._learned(descent, as_classes(state["classes"]), descent.coef, descent.intercept)
        self.certificate_ = self._certified(None, "loaded", UNKNOWN)
        self._loaded = True
        return self

    def __repr__(self) -> str:
        parameters = inspect.signature(type(self)).parameters.values()
        told = [f"{p.name}={getattr(self, p.name)!r}" for p in parameters if _differ(getattr(self, p.name), p.default)]
        name = f"{type(self).__name__}({', '.join(told)})"
        if self._descent is None:
            return name
        found = self.certificate_
        size = "" if found["gradient_norm"] is None else f", gradient {found['gradient_norm']:.1e}"
        end = "the optimum" if found["converged"] else "not known to be the optimum" if not size else "not the optimum"
        return f"{name}: {self._descent.epochs} epochs, {self._descent.steps} steps{size}, {end}"

    def _settings(self) -> SGDSettings:
        return SGDSettings(
            method=self.method,
            rate=self.rate,
            momentum=self.momentum,
            betas=self.betas,
            eps=self.eps,
            l2=self.l2,
            schedule=Constant() if self.schedule is None else self.schedule,
            average_from=self.average_from,
            intercept=bool(self.fit_intercept),
            standardise=bool(self.standardise),
        )

    def _fitted(self) -> SGD:
        if self._descent is None:
            raise NotFittedError(
                f"this {type(self).__name__} is not fitted yet: call fit(X, y) or partial_fit(X, y) first"
            )
        return self._descent

    def _trace(self, name: str) -> SGD:
        """The descent, for what is no attribute before there is one."""
        if self._descent is None:
            raise AttributeError(f"this {type(self).__name__} has no {name} yet: call fit(X, y) or partial_fit(X, y)")
        return self._descent

    def _going_on(self, settings: SGDSettings) -> SGD | None:
        """The descent so far, with the parameters as they are now."""
        if self._descent is None or self._descent.settings == settings:
            return self._descent
        descent = SGD(settings)
        descent.load_state_dict(self._descent.state_dict())
        return descent

    def _learned(self, descent: SGD, classes: NDArray[Any], coef: Floats, intercept: float) -> None:
        self._descent, self._loaded = descent, False
        self.classes_ = classes
        self.coef_ = coef[None]
        self.intercept_ = np.array([intercept])
        self.n_features_in_ = len(coef)
        self.n_iter_ = np.array([descent.epochs])

    def _certified(self, found: Certificate | None, status: str, sentence: str) -> dict[str, Any]:
        assert self._descent is not None
        return {
            "converged": found is not None and found.converged,
            "gradient_norm": None if found is None else found.gradient_norm,
            "loss": None if found is None else found.loss,
            "gap": None if found is None else found.gap,
            "passes": self._descent.epochs,
            "steps": self._descent.steps,
            "solver": self._descent.settings.method,
            "status": status,
            "sentence": sentence,
        }


def _read(
    columns: Columns,
    y: Any,
    sample_weight: Any,
    offset: Any,
    *,
    classes: NDArray[Any] | None,
    alone: str = "",
) -> tuple[Rows, NDArray[Any]]:
    n = columns.shape[0]
    weight, at = as_weights(sample_weight, n)
    outcome, classes = labels(y, n, classes=classes, at=at, alone=alone)
    return Rows(columns, outcome, weight, as_offset(offset, n, at), at), classes


def _start(coef: Any, intercept: Any, p: int) -> tuple[Floats | None, float]:
    try:
        begin = None if coef is None else np.asarray(coef, np.float64).reshape(-1)
        first = float(np.asarray(intercept, np.float64).reshape(()))
    except (ValueError, TypeError):
        raise OptionError("coef_init and intercept_init are no numbers: give (p,) of them and one") from None
    if begin is not None and len(begin) != p:
        raise OptionError(f"coef_init has {len(begin)} numbers, and X has {p} columns: give one a column")
    return begin, first


def _differ(value: Any, default: Any) -> bool:
    return value is not default and not (type(value) is type(default) and bool(value == default))
