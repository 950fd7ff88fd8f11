"""The face for PyTorch: modules that train in anyone's loop, and that also know the exact answer."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.engine.columns import Columns
from passline.engine.given import as_columns, as_labels, as_weights, require_columns, total_weight
from passline.engine.threads import limited
from passline.errors import (
    ConvergenceWarning,
    DataError,
    MissingDependencyError,
    OneClassError,
    OptionError,
    SeparationWarning,
)
from passline.given_coef import given_coef
from passline.model import Model
from passline.optimum import Optimum, Task, optimum
from passline.proof import Certificate
from passline.solvers.together import Join, together

try:
    import torch
except ModuleNotFoundError as error:
    if error.name is not None and error.name.partition(".")[0] != "torch":
        raise
    raise MissingDependencyError(
        "passline.nn holds PyTorch modules, and PyTorch is not installed. Install it with: pip install "
        "'passline[torch]' (passline.fit and passline.LogisticRegression do without)"
    ) from error

Floats = NDArray[np.float64]

# So many outcomes at a time, and no more than their curvatures have room for: bytes.
MOST_AT_ONCE, ROOM = 32, 1_000_000_000


class LogisticHead(torch.nn.Module):
    r"""Yes/no outcomes, each its own logistic regression on the same features: a linear probe on embeddings.

    .. math:: P(y_k = 1) = 1 / (1 + \exp(-(x^T w_k + b_k)))

    ``in_features``: p; ``outcomes``: k, or their names. ``linear`` is a ``torch.nn.Linear(p, k)`` with torch's own
    start, so that ``state_dict`` has "linear.weight" (k, p) and "linear.bias" (k,). ``bias``, ``device``, ``dtype``: as
    for that layer. After :meth:`fit`, ``certificates`` holds a dict an outcome: what proves its optimum.
    """

    def __init__(
        self,
        in_features: int,
        outcomes: int | Sequence[str] = 1,
        *,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        names = _names(outcomes)
        self.outcome_names: tuple[str, ...] = names
        self.linear = torch.nn.Linear(in_features, len(names), bias=bias, device=device, dtype=dtype)
        self.certificates: tuple[Certificate, ...] = ()

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        """The linear predictors: (..., p) -> (..., k)."""
        eta: torch.Tensor = self.linear(x)
        return eta

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The probabilities: (..., p) -> (..., k)."""
        return torch.sigmoid(self.logits(x))

    def fit(
        self,
        X: Any,
        y: Any,
        *,
        l1: float = 0.0,
        l2: float = 0.0,
        sample_weight: Any = None,
        tol: float = 1e-8,
        max_iter: int = 200,
        threads: int | None = None,
    ) -> Any:
        r"""Move the parameters to the exact optimum on rows X (n, p) with outcomes y (n, k), 0 or 1; gives the module.

        .. math:: \min_{w, b} \frac{1}{\sum c_i} \sum_i c_i \log(1 + e^{-s_i (x_i^T w + b)}) + l_1 |w|_1
            + \tfrac{l_2}{2} |w|_2^2

        for each outcome, the bias not penalised; so ``l2`` is the weight decay of a loss that is averaged. The work is
        done in double precision on the device where X lies (there the sums over its rows), whatever the module's
        ``dtype``; several outcomes share the walks over the rows. X: a tensor of any real type, or an array, dense or
        sparse, or a frame; ``y`` may be (n,) for one outcome. ``sample_weight`` (n,): how much a row counts. ``tol``:
        the largest entry that the gradient may keep, with respect to standardised columns. ``threads``: None for all
        processors.

        Raises DataError for what is no matrix of finite numbers, or outcomes that are not 0 and 1; OneClassError for an
        outcome with one value; TooManyColumnsError where columns outnumber rows and nothing is penalised. Warns
        (SeparationWarning) where an outcome has no finite optimum without a penalty: its parameters are then where the
        loss had settled; and (ConvergenceWarning) where a certificate does not hold.
        """
        _check(l1, l2, tol, max_iter)
        columns = _matrix(X, self.linear.in_features)
        rows = _Rows.of(columns, y, sample_weight, self.outcome_names)
        l1, l2 = float(l1), float(l2)
        strength = l1 + l2
        task = Task(
            C=1.0 / (rows.total * strength) if strength else math.inf,
            l1_ratio=l1 / strength if strength else 0.0,
            intercept=self.linear.bias is not None,
            tolerance=float(tol),
            max_steps=int(max_iter),
            threads=threads,
        )
        with limited(threads):
            found = _solve(rows, task)
        with torch.no_grad():
            self.linear.weight.copy_(torch.from_numpy(np.stack([one.coef for one in found])))
            if self.linear.bias is not None:
                self.linear.bias.copy_(torch.tensor([one.intercept for one in found], dtype=torch.float64))
        self.certificates = tuple(Certificate(one.certificate) for one in found)
        for name, one in zip(self.outcome_names, found, strict=True):
            _warn(name, one)
        return self

    def extra_repr(self) -> str:
        """What torch prints of the module."""
        proven = ", ".join("converged" if one.converged else "not converged" for one in self.certificates)
        return proven and f"exact fit: {proven}"


class LogisticModel(LogisticHead):
    r"""One yes/no outcome: the lesson's module for any number of features, with the exact answer beside the loop.

    .. math:: P(y = 1) = 1 / (1 + \exp(-(x^T w + b)))

    ``in_features``: p. ``forward`` gives probabilities (..., 1), ``logits`` the linear predictor, as
    ``torch.nn.Linear(p, 1)`` shapes them; :meth:`fit` takes outcomes (n,) or (n, 1). ``state_dict`` has
    "linear.weight" (1, p) and "linear.bias" (1,).
    """

    def __init__(self, in_features: int, *, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(in_features, 1, bias=bias, device=device, dtype=dtype)

    @property
    def certificate(self) -> Certificate | None:
        """What proves the optimum of the last :meth:`fit`: converged, gradient_norm, passes; None before one."""
        return self.certificates[0] if self.certificates else None


@dataclass(frozen=True)
class _Rows:
    """The rows that count: columns, an outcome each (n,), weights with mean one and what they add up to."""

    columns: Columns
    outcomes: tuple[Floats, ...]
    weight: Floats | None
    total: float
    index: NDArray[np.intp] | None

    @classmethod
    def of(cls, columns: Columns, y: Any, sample_weight: Any, names: Sequence[str]) -> _Rows:
        """The rows of a caller's arrays, y (n, k) with an outcome for each of the names."""
        n = columns.shape[0]
        weight, at = as_weights(sample_weight, n)
        found = tuple(
            _outcome(column, n, at, name) for column, name in zip(_by_outcome(y, n, names), names, strict=True)
        )
        total = float(n) if sample_weight is None else total_weight(sample_weight, n)
        return cls(columns if at is None else columns.rows(at), found, weight, total, at)


def _solve(rows: _Rows, task: Task) -> list[Optimum]:
    """The optimum of each outcome; of several, by walks that they share."""

    def one(start: int, j: int, join: Join) -> Optimum:
        y = rows.outcomes[start + j]
        return optimum(rows.columns, y, rows.weight, task, total=rows.total, index=rows.index, join=join)

    count, p = len(rows.outcomes), rows.columns.shape[1]
    if count == 1:
        return [one(0, 0, lambda objective: objective)]
    most = int(min(MOST_AT_ONCE, max(ROOM // (32 * (p + 1) ** 2), 1)))
    found: list[Optimum] = []
    for start in range(0, count, most):
        size = min(most, count - start)
        found += together(size, partial(one, start))
    return found


def _names(outcomes: int | Sequence[str]) -> tuple[str, ...]:
    if isinstance(outcomes, int | np.integer):
        names = tuple(f"y{k}" for k in range(outcomes)) if outcomes != 1 else ("y",)
    elif isinstance(outcomes, str):
        names = (outcomes,)
    else:
        names = tuple(str(name) for name in outcomes)
    if not names or len(set(names)) != len(names):
        raise OptionError(f"outcomes is {outcomes!r}: give how many there are, one or more, or their names, each once")
    return names


def _check(l1: float, l2: float, tol: float, max_iter: int) -> None:
    for name, value in (("l1", l1), ("l2", l2)):
        if not (isinstance(value, Real) and 0 <= value < math.inf):
            raise OptionError(f"{name} is {value!r}: give a number that is zero or positive")
    if not (isinstance(tol, Real) and tol > 0):
        raise OptionError(f"tol is {tol!r}: give a positive number")
    if not (isinstance(max_iter, Integral) and max_iter > 0):
        raise OptionError(f"max_iter is {max_iter!r}: give a number of steps, one or more")


def _matrix(X: Any, p: int) -> Columns:
    if isinstance(X, torch.Tensor) and X.device.type == "mps":
        raise DataError(
            "X lies on a device without double precision (mps), and the exact answer needs it: give X.cpu()"
        )
    columns = as_columns(X)
    require_columns(columns)
    if columns.shape[1] != p:
        raise DataError(f"X has {columns.shape[1]} columns, and this module {p} features")
    return columns


def _by_outcome(y: Any, n: int, names: Sequence[str]) -> list[Any]:
    """The outcomes one by one, whatever holds them."""
    if isinstance(y, torch.Tensor) and (y.layout != torch.strided or y.is_meta):
        raise DataError(f"y is a tensor of {y.layout} on {y.device}: give a dense one with values (y.to_dense())")
    values = y.detach().cpu().float() if isinstance(y, torch.Tensor) and y.dtype == torch.bfloat16 else y
    values = np.asarray(values.detach().cpu() if isinstance(values, torch.Tensor) else values)
    if values.ndim == 1 and len(names) == 1:
        values = values[:, None]
    if values.shape != (n, len(names)):
        raise DataError(f"y has the shape {values.shape}, and X has {n} rows for {len(names)} outcomes: give (n, k)")
    return list(values.T)


def _outcome(values: NDArray[Any], n: int, at: NDArray[np.intp] | None, name: str) -> Floats:
    kind = values.dtype.kind
    classes = np.array([0, 1], dtype=values.dtype) if kind in "fiub" else None
    if classes is None:
        raise DataError(f"the outcome {name!r} holds {values.dtype}: give 0 and 1")
    try:
        y, _ = as_labels(values, n, classes=classes, at=at)
    except DataError as error:
        raise DataError(f"the outcome {name!r}: {error}") from None
    if not 0 < y.sum() < len(y):
        raise OneClassError(f"the outcome {name!r} is {y[0]:g} in all {len(y)} rows: a logistic regression needs both")
    return y


def _warn(name: str, found: Optimum) -> None:
    if found.separation in ("quasi", "complete"):
        words = "completely" if found.separation == "complete" else "quasi-completely"
        text = (
            f"the outcome {name!r} is {words} separated, and without a penalty no finite optimum exists: the "
            "parameters are where the loss had settled, and larger ones fit better still. Give l2 (or l1)"
        )
        warnings.warn(text, SeparationWarning, stacklevel=3)
    elif not found.certificate["converged"]:
        text = (
            f"the outcome {name!r} has not converged ({found.certificate['status']}): the gradient is "
            f"{found.certificate['gradient_norm']:.1e}. Raise max_iter, or give l2"
        )
        warnings.warn(text, ConvergenceWarning, stacklevel=3)


def state_of(model: Model) -> dict[str, torch.Tensor]:
    """The coefficients of a fitted model as the state of a :class:`LogisticModel`, in doubles.

    "linear.weight" (1, p) in the order of the design's columns, which `fit.export(to="torch").content.columns(data)`
    gives of any table, and "linear.bias" (1,), zero without an intercept. A Firth fit gives the intercept that it
    predicts with. Raises OptionError where data are separated: what predicts there is a limit, and no finite weights.
    """
    if len(model.directions):
        raise OptionError(
            "the outcome is separated, so the weights are infinite and no state holds them: fit with estimator='firth' "
            "or a penalty"
        )
    coef, k = model.predicting_coef(), int(model.design.intercept)
    return {
        "linear.weight": torch.from_numpy(coef[None, k:].copy()),
        "linear.bias": torch.tensor([coef[0] if k else 0.0]),
    }


def with_state(model: Model, state: Mapping[str, Any]) -> Model:
    """The model with coefficients from the state of a :class:`LogisticModel`; what was inferred of its own is gone.

    Raises OptionError where the state is not that of one outcome on the design's columns, or holds what is no number.
    """
    k = int(model.design.intercept)
    p = len(model.design.names) - k
    wanted = {"linear.weight": (1, p)} | ({"linear.bias": (1,)} if k else {})
    found = {name: np.asarray(torch.as_tensor(value).detach().cpu().double()) for name, value in state.items()}
    if not k and not found.get("linear.bias", np.ones(1)).any():
        del found["linear.bias"]  # a bias of zero is none
    if {name: value.shape for name, value in found.items()} != wanted:
        shapes = ", ".join(f"{name} {value.shape}" for name, value in found.items()) or "nothing"
        asked = " and ".join(f"{name} {shape}" for name, shape in wanted.items())
        raise OptionError(f"the state holds {shapes}, and this model takes {asked}")
    coef = np.concatenate([found["linear.bias"] if k else [], found["linear.weight"][0]])
    if not np.isfinite(coef).all():
        raise OptionError("the state holds infinite numbers or NaN: the training that made it has left the numbers")
    return given_coef(model, coef)
