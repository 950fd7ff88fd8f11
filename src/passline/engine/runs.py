"""Columns of numbers that lie apart, times their coefficients: as one matrix where memory has them so, else copied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Columns that are copied side by side at most, a block at a time.
COPIED = 32


@dataclass(frozen=True)
class Run:
    """Columns (n,) with a coefficient each; ``matrix``: (k, n), the same numbers, if they lie evenly in memory."""

    columns: Sequence[Floats]
    w: Floats
    matrix: Floats | None

    def space(self, rows: int) -> Floats:
        """What :meth:`times` writes over, for blocks of so many rows."""
        return np.empty((0 if self.matrix is not None else len(self.columns), rows))

    def times(self, at: slice, space: Floats) -> Floats:
        """The sum of the columns times their coefficients in a block of rows."""
        if self.matrix is not None:
            return np.asarray(self.w @ self.matrix[:, at])
        block = space[:, : at.stop - at.start]
        for column, row in zip(self.columns, block, strict=True):
            row[:] = column[at]
        return np.asarray(self.w @ block)


def run_of(columns: Sequence[Floats], w: Floats) -> Run | None:
    """The columns as a run; None where there are none, or so many that copies would not stay in a cache."""
    matrix = side_by_side(columns)
    return None if not columns or (matrix is None and len(columns) > COPIED) else Run(columns, w, matrix)


def side_by_side(columns: Sequence[Floats]) -> Floats | None:
    """The matrix (k, n) whose rows the columns are where they lie; None unless they lie evenly, and one way densely."""
    if len(columns) < 2:
        return None
    starts = [column.__array_interface__["data"][0] for column in columns]
    step, stride = starts[1] - starts[0], columns[0].strides[0]
    even = all(after - before == step for before, after in pairwise(starts))
    same = all(column.strides == (stride,) and column.dtype == np.float64 for column in columns)
    if not (even and same and min(step, stride) == 8 and step % 8 == stride % 8 == 0):
        return None
    # Every entry is one of the columns' own, which the caller holds.
    return np.lib.stride_tricks.as_strided(columns[0], (len(columns), len(columns[0])), (step, stride), writeable=False)
