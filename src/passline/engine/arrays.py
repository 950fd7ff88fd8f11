"""From arrays in hand to checked rows: what a matrix, outcomes, weights and offsets must be."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import numpy as np

from passline.engine.batches import Rows
from passline.engine.value import Array
from passline.errors import DataError, NoRowsError, OneClassError


def make_rows(
    X: Any, y: Any, weight: Any = None, offset: Any = None, *, both_classes: bool = True
) -> tuple[Rows, Array | None]:
    """Rows over X (n, p), without a copy of it, and the index of those with weight (None: all of them).

    X: a NumPy array, whatever NumPy makes one of, a torch tensor on any device (one on the processor is read as
    NumPy's), or a SciPy sparse matrix (CSR as it is, others converted). Steps are taken in float32 or float64 as X
    is, else in float64. y: (n,) or (n, 1), 0/1, booleans or fractions. Weights are scaled to mean one over the rows
    that have any.
    Raises DataError, NoRowsError, and OneClassError unless one class will do.
    """
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(X, torch.Tensor) and X.device.type != "cpu":
        return _on_device(X, (y, weight, offset), both_classes)
    X, sparse = _matrix(X)
    n = int(X.shape[0])
    dtype = np.dtype(X.dtype.type) if X.dtype.type in (np.float32, np.float64) else np.dtype(np.float64)
    y = _outcome(y, n)
    weight, chosen = (None, None) if weight is None else _weights(weight, n)
    if offset is not None:
        offset = _vector("offset", offset, n)
        if not np.isfinite(offset).all():
            row = int(np.flatnonzero(~np.isfinite(offset))[0])
            raise DataError(f"offset, row {row}: {offset[row]} is not finite. Mend the offset or leave the row out.")
    if both_classes:
        _check_classes(y if chosen is None else y[chosen])
    return Rows(np, X, y, weight, offset, dtype, sparse), chosen


def blame(rows: Rows) -> None:
    """Raise DataError if X holds a value that is not finite; looked for when a loss no longer is a number."""
    n, _ = rows.shape
    for first in range(0, n, 65_536):
        at = slice(first, min(first + 65_536, n))
        part = rows.X[at]
        if rows.sparse:
            part = part.tocoo()
            bad = np.flatnonzero(~np.isfinite(part.data))
            if len(bad):
                _not_finite(first + int(part.row[bad[0]]), int(part.col[bad[0]]), part.data[bad[0]])
        elif not bool(rows.xp.isfinite(part).all()):
            part = np.asarray(part if rows.xp is np else part.double().cpu())
            row, column = np.argwhere(~np.isfinite(part))[0]
            _not_finite(first + int(row), int(column), part[row, column])


def _not_finite(row: int, column: int, value: Any) -> NoReturn:
    raise DataError(
        f"X, row {row}, column {column}: the value is {value}, and a slope needs finite numbers. Mend it, or leave "
        "the row out."
    )


def _matrix(X: Any) -> tuple[Any, bool]:
    sparse = sys.modules.get("scipy.sparse")
    if sparse is not None and sparse.issparse(X):
        if X.ndim != 2:
            raise DataError(f"X has {X.ndim} dimensions: give a matrix, one row for each outcome.")
        X, is_sparse = X.tocsr(), True
    else:
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(X, torch.Tensor):
            X = X.detach()
            X = (X.to(torch.float64) if X.dtype in (torch.bfloat16, torch.float16) else X).numpy()
        X, is_sparse = np.asarray(X), False
    if X.ndim != 2:
        advice = "X.reshape(-1, 1) makes one of a single column" if X.ndim == 1 else "one row for each outcome"
        raise DataError(f"X has {X.ndim} dimensions: give a matrix (n, p); {advice}.")
    if X.dtype.kind not in "biuf":
        raise DataError(f"X holds {X.dtype}: give numbers. Text and categories need a formula: passline.fit().")
    return X, is_sparse


def _vector(name: str, values: Any, n: int) -> Array:
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(values, torch.Tensor):
        values = values.detach().cpu()
        values = values.double() if values.dtype == torch.bfloat16 else values
    out = np.asarray(values)
    if out.ndim == 2 and out.shape[1] == 1:
        out = out[:, 0]
    if out.shape != (n,):
        raise DataError(f"{name} has shape {out.shape}, and X has {n} rows: give one number a row, shape ({n},).")
    if out.dtype.kind not in "biuf":
        raise DataError(f"{name} holds {out.dtype}: give numbers, such as 0 and 1 for an outcome.")
    return out.astype(np.float64) if out.dtype.kind in "bu" else out  # 2 y - 1 is below zero


def _outcome(y: Any, n: int) -> Array:
    y = _vector("y", y, n)
    if n == 0:
        raise NoRowsError("X has no rows: there is nothing to learn from. Give at least one row of each outcome.")
    if not (np.min(y) >= 0 and np.max(y) <= 1):  # NaN is neither
        row = int(np.flatnonzero(~((y >= 0) & (y <= 1)))[0])
        raise DataError(f"y, row {row}: the outcome is {y[row]}. Give 0 or 1 (or a fraction between them) in each row.")
    return y


def _weights(weight: Any, n: int) -> tuple[Array, Array | None]:
    """Weights with mean one over the rows that have any, and the index of those (None: all)."""
    weight = _vector("weight", weight, n)
    if not (np.min(weight) >= 0 and np.max(weight) < np.inf):
        row = int(np.flatnonzero(~((weight >= 0) & (weight < np.inf)))[0])
        raise DataError(f"weight, row {row}: {weight[row]} is no weight. Give finite numbers, zero or above.")
    chosen = None if np.all(weight > 0) else np.flatnonzero(weight > 0)
    used = n if chosen is None else len(chosen)
    if used == 0:
        raise NoRowsError("weight is zero in every row: nothing is left to learn from.")
    weight = weight / float(np.max(weight))  # so that the sum of the largest does not overflow
    return weight * (used / float(np.sum(weight, dtype=np.float64))), chosen


def _check_classes(y: Array) -> None:
    least, most = float(np.min(y)), float(np.max(y))
    if least == most and least in (0.0, 1.0):
        raise OneClassError(
            f"y is {least:g} in every row that counts: a boundary needs both outcomes. Check how y was coded, or "
            "collect rows of the other."
        )


def _on_device(X: Any, vectors: tuple[Any, Any, Any], both_classes: bool) -> tuple[Rows, Array | None]:
    """The same for a tensor beyond the processor: vectors are checked here, and sent there once."""
    import torch

    if X.ndim != 2:
        raise DataError(f"X has {X.ndim} dimensions: give a matrix (n, p), one row for each outcome.")
    # A matrix without columns has the shape, and none of the numbers.
    stand_in = np.empty((int(X.shape[0]), 0))
    checked, chosen = make_rows(stand_in, *vectors, both_classes=both_classes)
    dtype = X.dtype if X.dtype in (torch.float32, torch.float64) else torch.get_default_dtype()

    def send(values: Array | None) -> Array | None:
        return None if values is None else torch.as_tensor(values, device=X.device).to(dtype)

    rows = Rows(torch, X.detach(), send(checked.y), send(checked.weight), send(checked.offset), dtype, False)
    return rows, chosen
