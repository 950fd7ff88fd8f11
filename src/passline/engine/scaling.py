"""From the design's groups of columns to the blocks' standardised columns, and the way back.

Solvers work on columns with mean zero and spread one (without it L-BFGS takes 209 passes where 13 do, and lengths in
kilometres and grams make a curvature singular in double precision). The map is linear, so estimates, covariances and
gradients go through it exactly once, here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passline.engine.columns import Coded, Columns, Dense, Mixed
from passline.engine.threads import later
from passline.table.design import CodedColumns, Group

Floats = NDArray[np.float64]

# Below this many numbers a design is written out: one matrix product beats many small sums.
WRITE_OUT = 1_000_000
# Numbers of a column that are worked on at a time.
STRETCH = 8_192
# R's glm calls a column aliased when what its predecessors leave of it is below this share of its length.
R_TOLERANCE = 1e-11


@dataclass(frozen=True)
class Scaling:
    r"""The linear map between the solver's coefficients v and the design's w.

    .. math:: x_{solver} = (x - center) / scale, \quad w_j = v_j / scale_j, \quad w_0 = v_0 - \sum_j center_j w_j

    All arrays are (p,), in the design's order. Design column j is the blocks' column ``position[j]``. ``spread`` and
    ``mean`` are those of the columns as given (weighted), for the gradient with respect to standardised columns;
    without an intercept nothing is centred, and there mean is zero and spread the root mean square. ``average``: the
    weighted mean of each column, with an intercept or without, 1 at the intercept.
    """

    intercept: bool
    position: NDArray[np.intp]
    center: Floats
    scale: Floats
    mean: Floats
    spread: Floats
    average: Floats

    @property
    def p(self) -> int:
        return len(self.position)

    def length(self) -> Floats:
        """Root mean square of each blocks' column as it was before centring, in the blocks' units: (p,)."""
        out = np.empty(self.p)
        out[self.position] = np.hypot(self.spread, self.mean) / self.scale
        return out

    def restore(self, v: Floats) -> Floats:
        """Coefficients of the design's columns from the blocks': (p,) -> (p,), or (p, k) -> (p, k)."""
        v = v[self.position]
        w: Floats = v / (self.scale if v.ndim == 1 else self.scale[:, None])
        if self.intercept:
            w[0] -= self.center @ w
        return w

    def restore_covariance(self, V: Floats) -> Floats:
        """Covariance of the design's coefficients from that of the blocks': (p, p) -> (p, p)."""
        half = self.restore(V)
        return self.restore(np.ascontiguousarray(half.T))

    def internal(self, w: Floats) -> Floats:
        """The blocks' coefficients from the design's: the inverse of :meth:`restore`."""
        v = np.empty(self.p)
        v[self.position] = w * self.scale
        if self.intercept:
            v[self.position[0]] = w[0] + self.center @ w
        return v

    def standardised_gradient(self, g: Floats) -> Floats:
        """The gradient with respect to standardised columns, from the blocks' gradient: (p,), in the design's order."""
        g = g[self.position] * self.scale  # of the columns x - center
        if self.intercept:
            g = g - (self.mean - self.center) * g[0]
        return g / np.where(self.spread > 0, self.spread, 1.0)


def assemble(
    groups: Iterable[Group], p: int, n: int, intercept: bool, weight: Floats | None
) -> tuple[Columns, Scaling]:
    """Columns ready for a solver, and the map back to the design's.

    ``groups`` come in the design's order without the intercept; ``p`` counts all columns. Numbers are copied into one
    matrix with contiguous columns and standardised there; codes stay codes unless the whole design is small.
    """
    write_out = n * p <= WRITE_OUT
    X = np.empty((n, p), order="F")  # pages that no column fills are never touched
    center, scale, mean, spread = np.zeros(p), np.ones(p), np.zeros(p), np.ones(p)
    average = np.ones(p)
    numeric: list[int] = []
    coded: list[tuple[int, Coded]] = []
    moments: dict[int, Callable[[], tuple[float, float, float, float, float]]] = {}
    if intercept:
        X[:, 0] = 1.0
        numeric.append(0)
    j = int(intercept)
    for group in groups:
        if isinstance(group, CodedColumns):
            size = 1.0 if group.values is None else float(np.abs(group.values).max(initial=0.0)) or 1.0
            part = Coded(group.codes, group.width, None if group.values is None else group.values / size)
            at = slice(j, j + group.width)
            mean[at], spread[at], average[at] = (size * moment for moment in _coded_moments(part, weight, intercept))
            scale[at] = size
            if write_out:
                X[:, len(numeric) : len(numeric) + group.width] = part.dense()
                numeric.extend(range(at.start, at.stop))
            else:
                coded.append((j, part))
            j += group.width
        else:
            column = X[:, len(numeric)]
            # On the pool, while the next column is read.
            moments[j] = later(_standardise, column, group.values, weight, intercept, size=n)
            numeric.append(j)
            j += 1
    for j, found in moments.items():
        center[j], scale[j], mean[j], spread[j], average[j] = found()
    position = np.empty(p, dtype=np.intp)
    order = numeric + [start + k for start, part in coded for k in range(part.width)]
    position[order] = np.arange(p)
    parts: list[Columns] = [Dense(X[:, : len(numeric)])] if numeric else []
    parts += [part for _, part in coded]
    columns = parts[0] if len(parts) == 1 else Mixed(parts)
    return columns, Scaling(intercept, position, center, scale, mean, spread, average)


def _standardise(
    x: Floats, values: Floats, weight: Floats | None, centred: bool
) -> tuple[float, float, float, float, float]:
    """Write ``values``, centred and scaled, into ``x``: (center, scale, mean, spread, average) as in Scaling."""
    high, low = float(values.max(initial=0.0)), float(values.min(initial=0.0))
    size = max(high, -low)
    if size == 0.0:
        x[:] = 0.0
        return 0.0, 1.0, 0.0, 0.0, 0.0
    if 1e-100 < size < 1e100:
        size = 1.0
    else:  # so that squares neither overflow at 1e300 nor vanish at 1e-300
        values = values / size
    mean = _mean(values, weight) if centred else 0.0
    rest, square = _deviations(values, weight, mean)
    average = (mean + rest) * size  # what rounding left in the first mean with it
    rest = rest if centred else 0.0
    spread = math.sqrt(max(square - rest * rest, 0.0))
    first, mean = mean, mean + rest
    if spread <= R_TOLERANCE * abs(mean):  # constant but for rounding
        x[:] = 0.0
        return mean * size, size, mean * size, 0.0, average
    if spread == 0.0:  # all its weight lies on zeros
        x[:] = values
        return 0.0, size, 0.0, 0.0, average
    for at in _stretches(len(x)):
        z = np.subtract(values[at], first, out=x[at])
        z -= rest
        z /= spread
    return mean * size, spread * size, mean * size, spread * size, average


def _deviations(values: Floats, weight: Floats | None, mean: float) -> tuple[float, float]:
    """The mean of the deviations from ``mean``, and of their squares."""
    first = second = 0.0
    for at in _stretches(len(values)):
        z = values[at] - mean
        c = z if weight is None else weight[at] * z
        first += float(c.sum())
        second += float(c @ z)
    total = float(len(values) if weight is None else weight.sum())
    return first / total, second / total


def _stretches(n: int) -> Iterator[slice]:
    """Stretches of a column that stay in cache, and are too short for BLAS to share out."""
    return (slice(start, min(start + STRETCH, n)) for start in range(0, n, STRETCH))


def _coded_moments(part: Coded, weight: Floats | None, centred: bool) -> tuple[Floats, Floats, Floats]:
    """Mean and spread as in Scaling, and the average."""
    d = np.ones(part.shape[0]) if weight is None else weight
    total = float(d.sum())
    second: Floats = np.diagonal(part.gram(d)) / total
    # Of indicators the mean is that of their squares.
    first: Floats = second if part.values is None else part.transposed_times(d) / total
    if not centred:
        return np.zeros(part.width), np.sqrt(second), first
    return first, np.sqrt(np.maximum(second - first**2, 0.0)), first


def _mean(x: Floats, weight: Floats | None) -> float:
    if weight is None:
        return float(x.mean())
    return float(weight @ x) / float(weight.sum())
