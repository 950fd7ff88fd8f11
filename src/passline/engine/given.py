"""A caller's matrix and labels, looked at without a copy: what can be used as it stands, and what is wrong with it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import Block, Blocks
from passline.engine.columns import Columns, Dense, Given, Shifted, Sparse
from passline.errors import DataError, NoRowsError, OneClassError, TooManyColumnsError

Floats = NDArray[np.float64]

# Rows from which centres and scales are taken: they only have to be near, since they are undone exactly.
MOMENT_ROWS = 20_000


def as_columns(X: Any) -> Columns:
    """A matrix as columns: NumPy of any real type and order, SciPy sparse, or what turns into an array.

    Dense matrices are not copied. A sparse one that is not CSR, or holds duplicate entries, is turned into a CSR
    without them. Raises DataError for anything else.
    """
    if type(X).__module__.partition(".")[0] == "scipy" and hasattr(X, "tocsr"):
        return Sparse(_canonical(X))
    A = X if isinstance(X, np.ndarray) else np.asarray(X)
    if A.ndim != 2:
        raise DataError(
            f"X has the shape {A.shape}: give a matrix of rows and columns, X.reshape(-1, 1) for one column"
        )
    if A.dtype.kind not in "fiub":
        raise DataError(f"X holds {A.dtype}: give numbers; turn categories into indicators, or use passline.fit")
    if A.dtype == np.float64 and (A.flags.c_contiguous or A.flags.f_contiguous):
        return Dense(A)
    return Given(A)


def as_labels(y: Any, n: int) -> tuple[Floats, NDArray[Any]]:
    """Labels as 0 and 1, (n,), and the two labels in order; y may be (n,) or (n, 1), of any type.

    Raises DataError for another length, a missing label or more than two labels, OneClassError for one.
    """
    labels = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels.reshape(-1)
    if labels.shape != (n,):
        raise DataError(f"y has the shape {labels.shape}, and X has {n} rows: give one label a row")
    if n == 0:
        raise NoRowsError("X has no rows: nothing can be fitted")
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise DataError(f"y is {labels[~np.isfinite(labels)][0]} in row {int(np.flatnonzero(~np.isfinite(labels))[0])}")
    if labels.dtype.kind in "fiub":
        # Two comparisons instead of a sort: labels are almost always two numbers.
        low, high = labels.min(), labels.max()
        positive = labels == high
        classes = np.array([low, high]) if low != high else np.array([low])
        if not bool((positive | (labels == low)).all()):
            classes = np.unique(labels)
    else:
        classes, place = np.unique(labels, return_inverse=True)
        positive = place == len(classes) - 1
    if len(classes) == 1:
        raise OneClassError(f"y is {classes[0]!r} in all {n} rows: a logistic regression needs both classes")
    if len(classes) > 2:
        raise DataError(
            f"y has {len(classes)} classes ({', '.join(map(str, classes[:4]))}, ...), and two are fitted here"
        )
    return positive.astype(np.float64), classes


def standardised(columns: Columns, intercept: bool) -> Shifted:
    """Columns seen with mean near zero and spread near one, with an intercept in front, without a copy."""
    n, p = columns.shape
    step = max(1, n // MOMENT_ROWS)
    if isinstance(columns, Sparse):
        return Shifted(columns, np.zeros(p), _sparse_scale(columns), intercept)
    sample = columns.rows(slice(None, None, step)).dense()
    center = sample.mean(axis=0) if intercept else np.zeros(p)
    with np.errstate(over="ignore", invalid="ignore"):
        scale = np.sqrt(np.mean(np.square(sample - center), axis=0))
    if step > 1 and not (scale > 0).all():
        # A column that is constant in the sample, as rare indicators are: all rows say.
        for j in np.flatnonzero(~(scale > 0)):
            column = np.asarray(columns.take(np.array([j])).dense()[:, 0], dtype=np.float64)
            center[j] = column.mean() if intercept else 0.0
            scale[j] = np.sqrt(np.mean(np.square(column - center[j])))
    tiny = 1e-11 * np.abs(center)
    return Shifted(columns, center, np.where(scale > tiny, scale, 1.0), intercept)


def array_blocks(
    X: Any, y: Any, *, intercept: bool, threads: int | None = None
) -> tuple[Blocks, Shifted, NDArray[Any]]:
    """Blocks over a caller's arrays, their standardised columns, and the two labels.

    Raises DataError for a value that is not finite (found when the first sum over the rows is not), for no columns, and
    what :func:`as_columns` and :func:`as_labels` raise.
    """
    columns = as_columns(X)
    n, p = columns.shape
    if p == 0:
        raise DataError("X has no columns: nothing can be fitted")
    outcome, classes = as_labels(y, n)
    shifted = standardised(columns, intercept)
    return Blocks(Block(shifted, outcome), threads=threads), shifted, classes


def refuse_not_finite(columns: Columns) -> None:
    """Raise DataError naming the first value of a matrix that is not finite."""
    n, _ = columns.shape
    for start in range(0, n, 8_192):
        block = columns.rows(slice(start, min(start + 8_192, n)))
        values = block.X.data if isinstance(block, Sparse) else block.dense()
        if np.isfinite(values).all():
            continue
        if isinstance(block, Sparse):
            raise DataError("X holds a value that is NaN or infinite: fill or drop such rows")
        row, column = (int(i[0]) for i in np.nonzero(~np.isfinite(values)))
        raise DataError(f"X is {values[row, column]} in row {start + row}, column {column}: fill or drop such rows")


def require_rows(n: int, p: int) -> None:
    """Raise TooManyColumnsError where columns outnumber rows and there is no penalty."""
    if p > n:
        raise TooManyColumnsError(
            f"X has {n} rows and {p} columns: no estimate is unique. Use a penalty (a finite C), or fewer columns"
        )


def _canonical(X: Any) -> Any:
    A = X.tocsr()
    if A.dtype.kind not in "fiub":
        raise DataError(f"X holds {A.dtype}: give numbers")
    if not A.has_canonical_format:
        A = A.copy() if A is X else A
        A.sum_duplicates()
    return A if A.dtype.kind == "f" else A.astype(np.float64)


def _sparse_scale(columns: Sparse) -> Floats:
    n, _ = columns.shape
    mean_square: Floats = columns.square_sums(np.ones(n)) / n
    return np.where(mean_square > 0, np.sqrt(mean_square), 1.0)
