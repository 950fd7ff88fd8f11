"""The exact gradient at any coefficients, over all rows of arrays in hand: what certifies a stochastic answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from passline.engine.batches import Rows
from passline.engine.likelihood import bernoulli
from passline.engine.scaling import R_TOLERANCE
from passline.engine.threads import available, each
from passline.engine.value import Array
from passline.solvers.base import Floats

# As for Blocks: the sum has one value whatever the number of threads, and a part's blocks come from cache twice.
PARTS, BLOCK_NUMBERS = 8, 125_000


@dataclass(frozen=True)
class Certificate:
    r"""Loss and gradient of mean loss + l2/2 |w|^2 over all rows, each row used once, in double precision.

    ``gradient``: (p + 1,), the intercept's last, on the columns as given. ``gradient_norm``: its largest entry with
    respect to standardised columns, :math:`|g_j - \bar x_j g_0| / s_j`.
    """

    loss: float
    gradient: Floats
    gradient_norm: float


@dataclass(frozen=True)
class _Sums:
    loss: float
    gradient: Floats  # (p + 1,)
    first: Floats  # (p,) sum of c (x - shift)
    second: Floats  # (p,) sum of c (x - shift)^2
    weight: float

    def __add__(self, other: _Sums) -> _Sums:
        return _Sums(
            self.loss + other.loss,
            self.gradient + other.gradient,
            self.first + other.first,
            self.second + other.second,
            self.weight + other.weight,
        )


def certify(rows: Rows, coef: Floats, intercept: float, *, l2: float = 0.0, has_intercept: bool = True) -> Certificate:
    """Walk all rows once at ``coef`` (p,) and ``intercept``; rows of weight zero add nothing."""
    n, p = rows.shape
    shift = _shift(rows)
    size = max(BLOCK_NUMBERS // max(p, 1), 1024)
    blocks = [(a, min(a + size, n)) for a in range(0, n, size)]
    parts = [part for k in range(PARTS) if (part := blocks[k * len(blocks) // PARTS : (k + 1) * len(blocks) // PARTS])]

    def total(part: list[tuple[int, int]]) -> _Sums:
        sums = _sums(rows, slice(*part[0]), coef, intercept, shift)
        for place in part[1:]:
            sums = sums + _sums(rows, slice(*place), coef, intercept, shift)
        return sums

    with np.errstate(all="ignore"):  # what overflows is in the answer, as an infinity
        found = each(total, parts, available() if rows.xp is np else 1)
        sums = found[0]
        for other in found[1:]:
            sums = sums + other
        gradient = sums.gradient / sums.weight
        gradient[:p] += l2 * coef
        rest = sums.first / sums.weight
        mean = shift + rest
        spread = np.sqrt(np.maximum(sums.second / sums.weight - rest**2, 0.0))
        if has_intercept:
            slopes = gradient[:p] - mean * gradient[p]
            constant = spread <= R_TOLERANCE * np.abs(mean)
        else:
            gradient[p] = 0.0
            slopes, spread = gradient[:p], np.hypot(spread, mean)
            constant = spread == 0
        scaled = np.where(constant, 0.0, np.abs(slopes) / np.where(constant, 1.0, spread))
        norm = float(np.max(np.append(scaled, abs(gradient[p]))))
        loss = sums.loss / sums.weight + 0.5 * l2 * float(coef @ coef)
    return Certificate(loss, gradient, norm)


def mean_loss(rows: Rows, at: Array, coef: Floats, intercept: float) -> float:
    """The mean loss over the rows ``at`` (an index array of NumPy's), each weighted, without the penalty."""
    size = max(BLOCK_NUMBERS // max(rows.shape[1], 1), 1024)
    loss = weight = 0.0
    with np.errstate(all="ignore"):
        for first in range(0, len(at), size):
            place = rows.index(at[first : first + size])
            X, y, c = _block(rows, place, coef, intercept)
            losses, _, _ = bernoulli(X[1], y)
            loss += float(losses.sum() if c is None else (losses * c).sum())
            weight += float(len(y) if c is None else c.sum())
    return loss / weight


def _shift(rows: Rows) -> Floats:
    """About the mean of each column, so that squares do not cancel; zero for a sparse matrix, whose zeros must stay."""
    n, p = rows.shape
    if rows.sparse or n == 0:
        return np.zeros(p)
    with np.errstate(all="ignore"):
        first = _double(rows, rows.X[:256]).mean(0)
    first = np.asarray(first if rows.xp is np else first.cpu(), np.float64)
    return np.where(np.isfinite(first), first, 0.0)


def _double(rows: Rows, values: Any) -> Any:
    if rows.xp is np:
        return np.asarray(values, np.float64)
    return values.double() if values.device.type != "mps" else values.float()


def _block(rows: Rows, place: Array | slice, coef: Floats, intercept: float) -> tuple[Any, Array, Array | None]:
    """((X, eta), y, weight), in double precision."""
    y = _double(rows, rows.y[place])
    c = None if rows.weight is None else _double(rows, rows.weight[place])
    X = rows.X[place] if rows.sparse else _double(rows, rows.X[place])
    w = coef if rows.xp is np else rows.xp.as_tensor(coef, dtype=X.dtype, device=X.device)
    eta = X @ w + intercept
    if rows.offset is not None:
        eta = eta + _double(rows, rows.offset[place])
    return (X, eta), y, c


def _sums(rows: Rows, place: slice, coef: Floats, intercept: float, shift: Floats) -> _Sums:
    (X, eta), y, c = _block(rows, place, coef, intercept)
    loss, residual, _ = bernoulli(eta, y)
    if c is not None:
        loss, residual = c * loss, c * residual
    if rows.sparse:
        ones = np.ones(len(y)) if c is None else c
        squares = X.copy()
        squares.data = np.asarray(squares.data, np.float64) ** 2
        slopes, first, second = X.T @ residual, X.T @ ones, squares.T @ ones
    else:
        D = X - (shift if rows.xp is np else rows.xp.as_tensor(shift, dtype=X.dtype, device=X.device))
        ones = rows.xp.ones_like(y) if c is None else c
        slopes, first = residual @ X, ones @ D
        D *= D
        second = ones @ D
    vectors = [v if rows.xp is np else v.cpu().numpy() for v in (slopes, first, second)]
    gradient = np.append(np.asarray(vectors[0], np.float64), float(residual.sum()))
    weight = float(len(y) if c is None else c.sum())
    return _Sums(float(loss.sum()), gradient, vectors[1], vectors[2], weight)
