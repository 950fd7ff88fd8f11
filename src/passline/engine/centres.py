"""Mean and spread of dense columns: from a sample, and from all rows where a sample cannot tell."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import PARTS, spread
from passline.engine.columns import Columns
from passline.engine.threads import available, each

Floats = NDArray[np.float64]

# A spread below CONSTANT of the centre is rounding; squares of spreads outside TINY to HUGE are no longer doubles.
CONSTANT, TINY, HUGE = 1e-11, 1e-150, 1e150
# Rows from which centres and scales are taken: they only have to be near, since they are undone exactly. But the
# errors of many columns' centres add up to a direction of its own, so that columns ask for rows.
MOMENT_ROWS, MOMENT_ROWS_A_COLUMN = 20_000, 20
# Numbers that are held at once, by all threads together; and how few are looked at without them.
HELD, FEW = 4_000_000, 200_000
# The sum of squared squares over the squared sum of squares beyond which about ten rows make up a sample's spread.
OUTLYING = 0.1


def near_moments(columns: Columns, intercept: bool) -> tuple[Floats, Floats]:
    """Mean (zero without an intercept) and spread (one if there is none), (p,) each, from some rows if they can tell.

    All rows say where a column is constant in the sample, as rare indicators are; where its squares leave the doubles;
    and where a few rows of the sample make up most of its spread.
    """
    n, p = columns.shape
    chosen = spread(n, max(MOMENT_ROWS, MOMENT_ROWS_A_COLUMN * p))
    m = n if chosen is None else len(chosen)

    def rows(part: slice) -> Floats:
        return np.asarray(columns.rows(part if chosen is None else chosen[part]).dense())

    parts = _parts(m, p)
    center = _total(lambda part: rows(part).sum(axis=0), parts, m * p) / m if intercept else np.zeros(p)

    def powers(part: slice) -> Floats:
        square = rows(part) - center
        np.square(square, out=square)
        return np.stack([square.sum(axis=0), np.einsum("ij,ij->j", square, square)])

    second, fourth = _total(powers, parts, m * p)
    scale = np.sqrt(second / m)
    told = (scale > np.maximum(CONSTANT * np.abs(center), TINY)) & (scale < HUGE)
    if m < n:
        told &= fourth <= OUTLYING * np.square(second)
    if not told.all():
        doubtful = np.flatnonzero(~told)
        center[doubtful], scale[doubtful] = _whole_moments(columns, doubtful, center[doubtful], intercept)
    return center, np.where((scale > CONSTANT * np.abs(center)) & (scale < np.inf), scale, 1.0)


def _whole_moments(columns: Columns, chosen: NDArray[np.intp], about: Floats, intercept: bool) -> tuple[Floats, Floats]:
    """Mean and spread of the chosen columns over all rows, in units of their largest distance from ``about``."""
    n, p = columns.shape
    about = np.where(np.abs(about) < HUGE, about, 0.0)
    parts = _parts(n, p)

    def distance(part: slice) -> Floats:
        return np.asarray(columns.rows(part).dense())[:, chosen] - about

    unit = np.max(_each(lambda part: np.abs(distance(part)).max(axis=0), parts, n * p), axis=0)
    unit = np.where(unit > 0, unit, 1.0)

    def sums(part: slice) -> Floats:
        units = distance(part) / unit
        return np.stack([units.sum(axis=0), np.einsum("ij,ij->j", units, units)])

    first, second = _total(sums, parts, n * p) / n
    if not intercept:
        return np.zeros(len(chosen)), np.sqrt(second) * unit
    return about + first * unit, np.sqrt(np.maximum(second - first**2, 0.0)) * unit


def _parts(n: int, p: int) -> list[slice]:
    size = max(HELD // (PARTS * p), 1)
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


def _each(f: Callable[[slice], Floats], parts: list[slice], numbers: int) -> list[Floats]:
    return [f(part) for part in parts] if numbers < FEW else each(f, parts, available())


def _total(f: Callable[[slice], Floats], parts: list[slice], numbers: int) -> Floats:
    return np.asarray(np.sum(_each(f, parts, numbers), axis=0), dtype=np.float64)
