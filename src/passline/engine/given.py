"""A caller's matrix and labels, looked at without a copy: what can be used as it stands, and what is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import BLOCK_BYTES, BLOCK_ROWS, Block, Blocks
from passline.engine.centres import near_moments
from passline.engine.columns import Columns, Dense, Given, Shifted
from passline.engine.moments import entries, moments
from passline.engine.sparse import Sparse
from passline.errors import DataError, NoRowsError, OneClassError, TooManyColumnsError

Floats = NDArray[np.float64]

# Centres so many times larger than scales cost a product too many digits.
STEEP = 1e4
# Beyond such scales a product of two entries may leave the doubles.
EXTREME = 1e100


def as_columns(X: Any) -> Columns:
    """A matrix as columns: NumPy of any real type and order, SciPy sparse, or what turns into an array.

    Nothing is copied but a sparse matrix that is not CSR, which is turned into one. Raises DataError for anything else.
    """
    if type(X).__module__.partition(".")[0] == "scipy" and hasattr(X, "tocsr"):
        _require_matrix(X.shape)
        return _csr(X)
    if np.ma.is_masked(X):
        raise DataError("X is a masked array with masked values: fill or drop such rows")
    try:
        A = np.asarray(X)  # no subclass either: a np.matrix would multiply in its own way
    except (ValueError, TypeError) as error:
        raise DataError(f"X is no matrix of numbers ({error}): give rows of one length") from None
    _require_matrix(A.shape)
    if A.dtype.kind not in "fiub":
        raise DataError(f"X holds {A.dtype}: give numbers; turn categories into indicators, or use passline.fit")
    if A.dtype == np.float64 and (A.flags.c_contiguous or A.flags.f_contiguous):
        return Dense(A)
    return Given(A)


def as_labels(y: Any, n: int) -> tuple[Floats, NDArray[Any]]:
    """Labels as 0 and 1, (n,), and the two labels in order; y may be (n,) or (n, 1), of any type.

    Raises DataError for another length, a missing label or more than two labels, OneClassError for one.
    """
    if np.ma.is_masked(y):
        raise DataError("y is a masked array with masked values: fill or drop such rows")
    try:
        labels = np.asarray(y)
    except (ValueError, TypeError) as error:
        raise DataError(f"y is no list of labels ({error}): give one label a row") from None
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels.reshape(-1)
    if labels.shape != (n,):
        raise DataError(f"y has the shape {labels.shape}, and X has {n} rows: give one label a row")
    if n == 0:
        raise NoRowsError("X has no rows: nothing can be fitted")
    _refuse_missing(labels)
    classes, positive = _two(labels)
    if len(classes) == 1:
        raise OneClassError(f"y is {classes[0]} in all {n} rows: a logistic regression needs both classes")
    if len(classes) > 2:
        shown = ", ".join(map(str, classes[:4])) + (", ..." if len(classes) > 4 else "")
        raise DataError(f"y has {len(classes)} classes ({shown}), and two are fitted here")
    return positive.astype(np.float64), classes


def standardised(columns: Columns, intercept: bool, threads: int | None = None) -> Shifted:
    """Columns seen with mean near zero and spread near one, with an intercept in front, without a copy.

    Of a sparse matrix they are exactly that, but for columns without spread.
    """
    if isinstance(columns, Sparse):
        return Shifted(columns, *moments(columns, intercept, threads), intercept)
    with np.errstate(all="ignore"):  # what is not finite is found, and named, by the first sum over the rows
        center, scale = near_moments(columns, intercept)
        steep = bool((np.abs(center) > STEEP * scale).any())
    return Shifted(columns, center, scale, intercept, steep)


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
    shifted = standardised(columns, intercept, threads)
    # A table of one block is written out: it is read several times, and costs no memory to speak of.
    small = 8 * n * p <= BLOCK_BYTES or (shifted.steep and n <= BLOCK_ROWS)
    with np.errstate(all="ignore"):
        seen = Dense(shifted.dense()) if small and not isinstance(columns, Sparse) else centred_first(shifted)
    return Blocks(Block(seen, outcome), threads=threads), shifted, classes


def centred_first(shifted: Shifted) -> Shifted:
    """The same columns, with a sparse matrix's steep or extreme ones standardised entry by entry, not in products."""
    center, scale = shifted.center, shifted.scale
    steep = np.abs(center) > STEEP * scale
    extreme = (scale < 1.0 / EXTREME) | (scale > EXTREME)
    if not isinstance(shifted.columns, Sparse) or not (steep.any() or extreme.any()):
        return shifted
    steep &= entries(shifted.columns) == shifted.columns.shape[0]
    shift, unit = np.where(steep, center, 0.0), np.where(extreme, scale, 1.0)
    columns = replace(shifted.columns, shift=shift, unit=unit)
    return replace(shifted, columns=columns, center=(center - shift) / unit, scale=scale / unit)


def refuse_not_finite(columns: Columns) -> None:
    """Raise DataError naming the first value of a matrix that is not finite."""
    n, _ = columns.shape
    for start in range(0, n, 8_192):
        block = columns.rows(slice(start, min(start + 8_192, n)))
        values = block.X.data if isinstance(block, Sparse) else block.dense()
        if np.isfinite(values).all():
            continue
        if isinstance(block, Sparse):
            at = int(np.flatnonzero(~np.isfinite(values))[0])
            value, column = values[at], int(block.X.indices[at])
            row = int(np.searchsorted(block.X.indptr, at, side="right")) - 1
        else:
            row, column = (int(i[0]) for i in np.nonzero(~np.isfinite(values)))
            value = values[row, column]
        raise DataError(f"X is {value} in row {start + row}, column {column} (counted from 0): fill or drop such rows")


def require_rows(n: int, p: int, intercept: bool) -> None:
    """Raise TooManyColumnsError where p columns, and the intercept, outnumber rows and there is no penalty."""
    if p + int(intercept) > n:
        extra = " and an intercept" if intercept else ""
        raise TooManyColumnsError(
            f"X has {n} rows and {p} columns{extra}: no estimate is unique. "
            "Use a penalty (a finite C), or fewer columns"
        )


def _require_matrix(shape: tuple[int, ...]) -> None:
    if len(shape) != 2:
        raise DataError(f"X has the shape {shape}: give a matrix of rows and columns, X.reshape(-1, 1) for one column")


def _two(labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """The labels there are, in order, and which rows have the last."""
    if labels.dtype.kind in "fiub":
        # Two comparisons instead of a sort: labels are almost always two numbers.
        low, high = labels.min(), labels.max()
        positive = labels == high
        classes = np.array([low, high]) if low != high else np.array([low])
        if not bool((positive | (labels == low)).all()):
            classes = np.unique(labels)
        return classes, positive
    try:
        classes, place = np.unique(labels, return_inverse=True)
    except TypeError:
        raise DataError("y mixes labels of several types: give numbers or texts, not both") from None
    return classes, place == len(classes) - 1


def _refuse_missing(labels: NDArray[Any]) -> None:
    kind = labels.dtype.kind
    if kind == "f":
        missing = ~np.isfinite(labels)
    elif kind in "mM":
        missing = np.isnat(labels)
    elif kind == "O":
        missing = np.fromiter((_absent(label) for label in labels), dtype=bool, count=len(labels))
    elif kind in "cV":
        raise DataError(f"y holds {labels.dtype}: give two numbers or two texts")
    else:
        return
    if missing.any():
        row = int(np.flatnonzero(missing)[0])
        raise DataError(f"y is {labels[row]} in row {row} (counted from 0): fill or drop such rows")


def _absent(label: Any) -> bool:
    try:
        return label is None or not bool(np.equal(label, label)) or (isinstance(label, float) and np.isinf(label))
    except (TypeError, ValueError):  # pandas' NA is neither equal to itself nor different
        return True


def _csr(X: Any) -> Sparse:
    A = X.tocsr()
    if A.dtype.kind not in "fiub" or not A.dtype.isnative or A.dtype == np.float16:
        raise DataError(f"X holds {A.dtype}: give numbers of a type that sparse matrices know, as X.astype(float) does")
    n, p = A.shape
    ends = A.indptr
    # SciPy's products trust these, and read beyond the matrix where they are wrong.
    if (
        len(ends) != n + 1
        or ends[0] != 0
        or (ends[1:] < ends[:-1]).any()
        or ends[-1] > min(len(A.indices), len(A.data))
    ):
        raise DataError("X is no CSR matrix: its indptr does not rise from 0 to the number of its entries")
    used = A.indices[: int(ends[-1])]
    if len(used) and (int(used.min()) < 0 or int(used.max()) >= p):
        wrong = int(used.min()) if int(used.min()) < 0 else int(used.max())
        raise DataError(f"X has an entry in column {wrong}, and its columns are 0 to {p - 1}")
    return Sparse(A, bool(A.has_canonical_format))
