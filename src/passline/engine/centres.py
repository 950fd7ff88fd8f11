"""Mean and spread of dense columns: from a sample, and from all rows where a sample cannot tell."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import PARTS, spread
from passline.engine.columns import Columns
from passline.engine.threads import available, each

Floats = NDArray[np.float64]

# A spread below CONSTANT of the centre is rounding; squares of spreads outside TINY to HUGE are no longer doubles.
CONSTANT, TINY, HUGE = 1e-11, 1e-150, 1e150
# Rows from which centres and scales are taken: they only have to be near, since they are undone exactly.
MOMENT_ROWS, MOMENT_NUMBERS = 20_000, 4_000_000
# The sum of squared squares over the squared sum of squares beyond which about ten rows make up a sample's spread.
OUTLYING = 0.1


def near_moments(columns: Columns, intercept: bool) -> tuple[Floats, Floats]:
    """Mean (zero without an intercept) and spread (one if there is none), (p,) each, from some rows if they can tell.

    All rows say where a column is constant in the sample, as rare indicators are; where its squares leave the doubles;
    and where a few rows of the sample make up most of its spread.
    """
    n, p = columns.shape
    chosen = spread(n, max(min(MOMENT_ROWS, MOMENT_NUMBERS // p), 1))
    sample = columns.rows(slice(None) if chosen is None else chosen).dense()
    center = sample.mean(axis=0) if intercept else np.zeros(p)
    square = sample - center
    np.square(square, out=square)
    variance = square.mean(axis=0)
    scale = np.sqrt(variance)
    told = (scale > np.maximum(CONSTANT * np.abs(center), TINY)) & (scale < HUGE)
    if len(sample) < n:
        told &= np.einsum("ij,ij->j", square, square) <= OUTLYING * np.square(len(sample) * variance)
    if not told.all():
        doubtful = np.flatnonzero(~told)
        center[doubtful], scale[doubtful] = _whole_moments(columns, doubtful, center[doubtful], intercept)
    return center, np.where((scale > CONSTANT * np.abs(center)) & (scale < np.inf), scale, 1.0)


def _whole_moments(columns: Columns, chosen: NDArray[np.intp], about: Floats, intercept: bool) -> tuple[Floats, Floats]:
    """Mean and spread of the chosen columns over all rows, in units of their largest distance from ``about``."""
    n, _ = columns.shape
    about = np.where(np.abs(about) < HUGE, about, 0.0)
    size = max(MOMENT_NUMBERS // (PARTS * columns.shape[1]), 1)
    starts = np.array_split(np.arange(0, n, size), PARTS)

    def distances(part: NDArray[np.intp]) -> Iterator[Floats]:
        for start in part.tolist():
            yield columns.rows(slice(start, min(start + size, n))).dense()[:, chosen] - about

    def largest_of(part: NDArray[np.intp]) -> Floats:
        found = np.zeros(len(chosen))
        for distance in distances(part):
            np.maximum(found, np.abs(distance).max(axis=0), out=found)
        return found

    unit = np.max(each(largest_of, starts, available()), axis=0)
    unit = np.where(unit > 0, unit, 1.0)

    def sums_of(part: NDArray[np.intp]) -> Floats:
        found = np.zeros((2, len(chosen)))
        for distance in distances(part):
            units = distance / unit
            found += units.sum(axis=0), np.einsum("ij,ij->j", units, units)
        return found

    first, second = np.sum(each(sums_of, starts, available()), axis=0) / n
    if not intercept:
        return np.zeros(len(chosen)), np.sqrt(second) * unit
    return about + first * unit, np.sqrt(np.maximum(second - first**2, 0.0)) * unit
