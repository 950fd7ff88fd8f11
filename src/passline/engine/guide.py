"""A curvature that is good enough to guide a descent: of some of the rows, and in single precision where it can be."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import PARTS, Blocks, spread
from passline.engine.columns import Columns, Dense, Given, Shifted
from passline.engine.likelihood import curvature_weights
from passline.engine.threads import each
from passline.engine.value import Array

Floats = NDArray[np.float64]

# Numbers of a block of chosen rows: in cache where columns are few; at least two rows a column, else adding the
# products up would cost as much as forming them; no more memory than this.
CACHED, LARGEST = 250_000, 4_000_000
# Sums of wider products are held in fewer parts.
WIDE = 512


def rough_curvature(blocks: Blocks, w: Array, rows: int) -> Floats:
    r"""The curvature of a mean row at ``w`` (p,), from about ``rows`` of the rows, evenly spread: (p, p).

    .. math:: \sum_{i \in S} c_i \ell''_i x_i x_i^T / \sum_{i \in S} c_i

    drawn towards its diagonal by its sampling error, see :func:`shrunk`. Dense columns are centred in double and
    multiplied in single precision: half the work, and seven digits. It preconditions; it is never a covariance. The
    same on any number of threads.
    """
    n, p = blocks.n, blocks.p
    at = spread(n, rows)
    m = n if at is None else len(at)
    size = min(max(CACHED // p, 2 * p), max(LARGEST // p, 1))
    ends = np.linspace(0, m, (PARTS if p < WIDE else PARTS // 2) + 1).astype(int)

    def part(between: tuple[int, int]) -> tuple[Array, Array]:
        first, last = between
        total, weights = np.zeros((p, p), dtype=np.float32), np.zeros(2)
        for start in range(first, last, size):
            stop = min(start + size, last)
            block = blocks.all.rows(slice(start, stop) if at is None else at[start:stop])
            d = curvature_weights(block, w)
            total += _gram(block.columns, d)
            weights += d.sum(), d @ d
        return total, weights

    with np.errstate(all="ignore"):  # what is no number is found by who factors the sum
        sums = each(part, [(a, b) for a, b in pairwise(ends) if b > a], blocks.threads)
        curvature = sums[0][0].astype(np.float64)
        for other, _ in sums[1:]:
            curvature += other
        weight = blocks.all.weight
        curvature /= float(m) if weight is None else float((weight if at is None else weight[at]).sum())
        first, second = sum(weights for _, weights in sums)
        return shrunk(curvature, first * first / second) if at is not None else cast("Floats", curvature)


def shrunk(H: Floats, rows: float) -> Floats:
    r"""A curvature from ``rows`` rows drawn towards its diagonal by as much as its sampling error asks for: (p, p).

    .. math:: (1 - \lambda) R + \lambda I, \quad \lambda = \min(1, (p^2 - \|R\|^2) / (m \|R - I\|^2))

    of the curvature R with a unit diagonal. Source: Ledoit and Wolf, A well-conditioned estimator for large-dimensional
    covariance matrices (2004), the lengths of rows taken as equal.
    """
    p = len(H)
    diagonal = np.diagonal(H).copy()
    d = 1.0 / np.sqrt(diagonal)
    square = float(np.square(H * d[:, None] * d).sum())
    error, off = (p * p - square) / rows, square - p
    if not (error > 0 and off > 0):
        return H
    H = H * (1.0 - min(1.0, error / off))
    H[np.diag_indices(p)] = diagonal
    return H


def _gram(columns: Columns, d: Array) -> Array:
    """X' diag(d) X, in single precision where the columns are dense: (n,) -> (p, p)."""
    if isinstance(columns, Shifted) and isinstance(columns.columns, (Dense, Given)):
        k = int(columns.intercept)
        root = np.empty(columns.shape, dtype=np.float32)
        root[:, :k] = 1.0
        centred = columns.columns.dense() - columns.center
        np.multiply(centred, 1.0 / columns.scale, out=root[:, k:], casting="same_kind")
    elif isinstance(columns, (Dense, Given)):
        root = np.array(columns.dense(), dtype=np.float32, order="C")
    else:
        return columns.gram(d)
    root *= np.sqrt(d).astype(np.float32)[:, None]
    return root.T @ root
