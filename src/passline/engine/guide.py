"""A curvature that is good enough to guide a descent: of some of the rows, and in single precision where it can be."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import PARTS, Block, Blocks, spread
from passline.engine.columns import Columns, Dense, Given, Shifted
from passline.engine.likelihood import bernoulli
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

    Dense columns are centred in double and multiplied in single precision: half the work, and seven digits. It
    preconditions; it is never a covariance. The same on any number of threads.
    """
    n, p = blocks.n, blocks.p
    at = spread(n, rows)
    m = n if at is None else len(at)
    size = min(max(CACHED // p, 2 * p), max(LARGEST // p, 1))
    parts = PARTS if p < WIDE else PARTS // 2
    ends = np.linspace(0, m, parts + 1).astype(int)

    def part(between: tuple[int, int]) -> Floats:
        first, last = between
        total = np.zeros((p, p), dtype=np.float32)
        for start in range(first, last, size):
            stop = min(start + size, last)
            block = blocks.all.rows(slice(start, stop) if at is None else at[start:stop])
            total += _gram(block.columns, _second(block, w))
        return total

    with np.errstate(all="ignore"):  # what is no number is found by who factors the sum
        sums = each(part, [(a, b) for a, b in pairwise(ends) if b > a], blocks.threads)
        curvature = sums[0].astype(np.float64)
        for other in sums[1:]:
            curvature += other
    weight = blocks.all.weight
    total = float(m) if weight is None else float((weight if at is None else weight[at]).sum())
    curvature /= total
    return cast("Floats", curvature)


def _second(block: Block, w: Array) -> Array:
    d = bernoulli(block.eta(w), block.y)[2]
    return d if block.weight is None else d * block.weight


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
