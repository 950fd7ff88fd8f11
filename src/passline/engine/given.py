"""A caller's arrays, looked at without a copy: what can be used as it stands, and what is wrong with it."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import BLOCK_BYTES, BLOCK_ROWS, Block, Blocks
from passline.engine.centres import near_moments
from passline.engine.columns import Columns, Dense, Given, Shifted
from passline.engine.moments import entries, moments
from passline.engine.sparse import Sparse
from passline.engine.views import Tensor
from passline.errors import DataError, DataTypeError, NoRowsError, OneClassError, TooManyColumnsError

Floats = NDArray[np.float64]

# Centres so many times larger than scales cost a product too many digits.
STEEP = 1e4
# Beyond such scales a product of two entries may leave the doubles.
EXTREME = 1e100


def as_columns(X: Any) -> Columns:
    """A matrix as columns: NumPy of any real type and order, SciPy sparse, torch, a frame, or what becomes an array.

    Nothing is copied but a sparse matrix that is not CSR, which is turned into one. A tensor on another device stays
    there. Raises DataError for anything else.
    """
    if type(X).__module__.partition(".")[0] == "scipy" and hasattr(X, "tocsr"):
        _require_matrix(X.shape)
        return _csr(X)
    if np.ma.is_masked(X):
        raise DataError("X is a masked array with masked values: fill or drop such rows")
    if _is_tensor(X) and (X.device.type != "cpu" or X.dtype == sys.modules["torch"].bfloat16):
        _require_matrix(tuple(X.shape))
        if X.is_complex() or X.layout != sys.modules["torch"].strided or X.is_meta:
            raise DataError(f"X is a tensor of {X.dtype}, {X.layout}, on {X.device}: give a dense one of real numbers")
        return Tensor(X.detach())
    try:
        A = _as_array(X)
    except (ValueError, TypeError, RuntimeError) as error:
        raise DataError(f"X is no matrix of numbers ({error}): give rows of one length") from None
    _require_matrix(A.shape)
    if A.dtype == object:
        A = _numbers_of_objects(A)
    if A.dtype.kind not in "fiub":
        complex_ = "Complex data not supported: " if A.dtype.kind == "c" else ""
        raise DataError(
            f"{complex_}X holds {A.dtype}: give numbers; turn categories into indicators, or use passline.fit"
        )
    if A.dtype == np.float64 and (A.flags.c_contiguous or A.flags.f_contiguous):
        return Dense(A)
    return Given(A)


def as_labels(
    y: Any, n: int, *, classes: NDArray[Any] | None = None, at: NDArray[np.intp] | None = None, alone: str = ""
) -> tuple[Floats, NDArray[Any]]:
    """Labels as 0 and 1, (n,), and the two labels in order; y may be (n,) or (n, 1), of any type.

    ``classes``: the two labels, where they are known; y may then have one of them only. ``at``: the index of the rows
    that count, (m,); only those are looked at and given back. ``alone``: what to say where there is one label.
    Raises DataError for another length, a missing label or more than two labels, OneClassError for one.
    """
    if y is None:
        raise DataError("a classifier requires y to be passed, but the target y is None: give one label a row")
    labels = _one_a_row("y", y, n, "one label a row")
    if n == 0:
        raise NoRowsError("X has no rows: nothing can be fitted")
    if at is not None:
        labels = labels[at]
    _refuse_missing(labels, at)
    if classes is not None:
        positive = np.asarray(labels == classes[1])
        strange = ~(positive | (labels == classes[0]))
        if strange.any():
            row = int(np.flatnonzero(strange)[0])
            raise DataError(
                f"y is {labels[row]} in row {_of(row, at)} (counted from 0): the classes are {classes[0]} and "
                f"{classes[1]}"
            )
        return positive.astype(np.float64), classes
    classes, positive = _two(labels)
    if len(classes) == 1:
        counted = "" if at is None else " that have a weight"
        raise OneClassError(
            f"y is {classes[0]} in all {len(labels)} rows{counted}: that is 1 class, "
            f"and a logistic regression needs both{alone}"
        )
    if len(classes) > 2:
        shown = ", ".join(map(str, classes[:4])) + (", ..." if len(classes) > 4 else "")
        raise DataError(
            "Only binary classification is supported. The type of the target is multiclass: y has "
            f"{len(classes)} classes ({shown})"
        )
    return positive.astype(np.float64), classes


def as_classes(classes: Any) -> NDArray[Any]:
    """The two labels that a caller says there are, in order. Raises DataError unless they are two."""
    found = np.asarray(classes)
    if found.shape == (2,):
        _refuse_missing(found)
        found, _ = _two(found)
    if found.shape != (2,):
        raise DataError(f"classes is {classes!r}: give the two labels, such as [0, 1]")
    return found


def as_weights(sample_weight: Any, n: int) -> tuple[Floats | None, NDArray[np.intp] | None]:
    """Weights with mean one over the rows that have any, and the index of those; None for all alike, and for all.

    Raises DataError for another length, a weight below zero or one that is not finite; NoRowsError if all are zero.
    """
    if sample_weight is None:
        return None, None
    weight = _numbers("sample_weight", sample_weight, n)
    wrong = ~((weight >= 0) & (weight < np.inf))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"sample_weight is {weight[row]} in row {row} (counted from 0): give finite ones, zero or above"
        )
    at = None if bool((weight > 0).all()) else np.flatnonzero(weight)
    if at is not None:
        weight = weight[at]
    if n == 0:
        return weight, None
    if len(weight) == 0:
        raise NoRowsError("sample_weight is zero in every row: nothing is left to learn from")
    weight = weight / weight.max()  # so that the sum of the largest does not overflow
    return weight / weight.mean(), at


def total_weight(sample_weight: Any, n: int) -> float:
    """What the weights of n rows add up to. Raises DataError where that is no number."""
    with np.errstate(over="ignore"):
        total = float(_numbers("sample_weight", sample_weight, n).sum())
    if not np.isfinite(total):
        raise DataError(f"sample_weight adds up to {total}: give smaller weights")
    return total


def as_offset(offset: Any, n: int, at: NDArray[np.intp] | None = None) -> Floats | None:
    """Known parts of the linear predictor, (n,), or (m,) in the rows ``at``.

    Raises DataError for another length and for one that is not finite.
    """
    if offset is None:
        return None
    numbers = _numbers("offset", offset, n)
    numbers = numbers if at is None else numbers[at]
    if not np.isfinite(numbers).all():
        row = int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise DataError(f"offset is {numbers[row]} in row {_of(row, at)} (counted from 0): fill or drop such rows")
    return numbers


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

    Raises what :func:`as_columns`, :func:`require_columns` and :func:`as_labels` raise.
    """
    columns = as_columns(X)
    require_columns(columns)
    outcome, classes = as_labels(y, columns.shape[0])
    blocks, shifted = standardised_blocks(columns, outcome, intercept=intercept, threads=threads)
    return blocks, shifted, classes


def standardised_blocks(
    columns: Columns,
    outcome: Floats,
    weight: Floats | None = None,
    *,
    intercept: bool,
    centred: bool = True,
    threads: int | None = None,
) -> tuple[Blocks, Shifted]:
    """Blocks over columns seen standardised, and these columns; ``outcome`` (n,) is 0 or 1, ``weight`` (n,) or None.

    ``centred``: whether the intercept takes the columns' means on; only where it is not penalised. A value that is not
    finite is found when the first sum over the rows is not: see :func:`refuse_not_finite`.
    """
    n, p = columns.shape
    shifted = standardised(columns, intercept and centred, threads)
    if intercept and not centred:
        shifted = replace(shifted, intercept=True)
    # A table of one block is written out: it is read several times, and costs no memory to speak of.
    small = 8 * n * p <= BLOCK_BYTES or (shifted.steep and n <= BLOCK_ROWS)
    with np.errstate(all="ignore"):
        seen = Dense(shifted.dense()) if small and not isinstance(columns, Sparse) else centred_first(shifted)
    return Blocks(Block(seen, outcome, weight), threads=threads), shifted


def require_columns(columns: Columns) -> None:
    """Raise DataError where there is no column at all."""
    if columns.shape[1] == 0:
        raise DataError(
            f"X has no columns, 0 feature(s) (shape={columns.shape}) while a minimum of 1 is required: nothing can be "
            "fitted"
        )


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


def refuse_not_finite(columns: Columns, index: NDArray[np.intp] | None = None) -> None:
    """Raise DataError naming the first value of a matrix that is not finite; ``index``: the rows' own numbers."""
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
        row = _of(start + row, index)
        raise DataError(
            f"X is {value} in row {row}, column {column} (counted from 0): fill or drop rows with NaN or inf"
        )


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
        raise DataError(
            f"X has the shape {shape}: give a matrix of rows and columns. Reshape your data: X.reshape(-1, 1) makes "
            "one column of it, X.reshape(1, -1) one row"
        )


def _is_tensor(values: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(values, torch.Tensor)


def _as_array(values: Any) -> NDArray[Any]:
    """What NumPy makes of a list, a frame, a tensor; a view where it can be one."""
    if _is_tensor(values):
        values = values.detach().cpu()
        return np.asarray(values.float() if values.dtype == sys.modules["torch"].bfloat16 else values)
    A = np.asarray(values)  # no subclass either: a np.matrix would multiply in its own way
    # pandas makes objects of columns of numbers and of truth values side by side, and of its own nullable ones.
    if A.dtype == object and A.ndim == 2 and hasattr(values, "dtypes"):
        kinds = {getattr(kind, "kind", "O") for kind in values.dtypes}
        if kinds <= set("fiub"):
            return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))
    return A


def _numbers_of_objects(A: NDArray[Any]) -> Floats:
    """Objects that are numbers, as doubles; None becomes NaN, as in a frame."""
    try:
        return A.astype(np.float64)
    except TypeError as error:
        raise DataTypeError(f"X holds an object that is no number: {error}") from None
    except ValueError as error:
        raise DataError(
            f"X holds {A.dtype} that is no number ({error}): turn categories into indicators, or use passline.fit"
        ) from None


def _one_a_row(name: str, values: Any, n: int, what: str) -> NDArray[Any]:
    if np.ma.is_masked(values):
        raise DataError(f"{name} is a masked array with masked values: fill or drop such rows")
    try:
        out = _as_array(values)
    except (ValueError, TypeError, RuntimeError) as error:
        raise DataError(f"{name} is no list of values ({error}): give {what}") from None
    if out.ndim == 2 and out.shape[1] == 1:
        out = out.reshape(-1)
    if out.shape != (n,):
        raise DataError(f"{name} has the shape {out.shape}, and X has {n} rows: give {what}")
    return out


def _numbers(name: str, values: Any, n: int) -> Floats:
    out = _one_a_row(name, values, n, "one number a row")
    if out.dtype.kind not in "fiub":
        raise DataError(f"{name} holds {out.dtype}: give numbers")
    return out.astype(np.float64, copy=False)


def _of(row: int, at: NDArray[np.intp] | None) -> int:
    return row if at is None else int(at[row])


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


def _refuse_missing(labels: NDArray[Any], at: NDArray[np.intp] | None = None) -> None:
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
        raise DataError(f"y is {labels[row]} in row {_of(row, at)} (counted from 0): fill or drop such rows")


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
