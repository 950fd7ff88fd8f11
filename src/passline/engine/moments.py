"""Mean and spread of a sparse matrix's columns: one walk, and more only for columns whose squares tell too little."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import Block, Blocks
from passline.engine.sparse import Sparse
from passline.engine.value import Array

Floats = NDArray[np.float64]

# A variance that is this small a share of the mean square has lost too many digits to their difference.
CANCELLED = 1e-6
# Mean squares and entries outside these may have left the doubles.
TINY, HUGE = 1e-150, 1e150
# A spread below this share of the mean is rounding.
CONSTANT = 1e-11


def moments(columns: Sparse, centred: bool, threads: int | None = None) -> tuple[Floats, Floats]:
    r"""Centre (the mean, or zero) and scale (the spread about it) of each column, (p,) each; scale 1 where it is zero.

    .. math:: c_j = \frac1n \sum_i x_{ij}, \quad s_j^2 = \frac1n \sum_i (x_{ij} - c_j)^2
    """
    n, p = columns.shape
    blocks = Blocks(Block(columns, np.broadcast_to(0.0, n)), threads=threads)
    with np.errstate(all="ignore"):  # what is not finite is found, and named, by the first sum over the rows
        first, second = blocks.sum(_sums) / n, blocks.sum(_square_sums) / n
        center = first if centred else np.zeros(p)
        variance = second - center**2
        scale = np.sqrt(variance)
        # A column of zeros has nothing to mend, unless its squares were lost.
        poor = (second != 0) | ((second == 0).any() and _tiny_entries(blocks))
        poor &= ~((variance > CANCELLED * second) & (second > TINY) & (second < HUGE))
        if poor.any():
            center[poor], scale[poor] = _slowly(blocks, np.flatnonzero(poor), centred)
        varies = (scale > CONSTANT * np.abs(center)) & (scale < np.inf)
    return center, np.where(varies, scale, 1.0)


def entries(columns: Sparse, threads: int | None = None) -> Floats:
    """How many entries of each column are not zero: (p,)."""
    blocks = Blocks(Block(columns, np.broadcast_to(0.0, columns.shape[0])), threads=threads)
    return np.asarray(blocks.sum(_present), dtype=np.float64)


def _present(block: Block) -> Array:
    assert isinstance(block.columns, Sparse)
    return block.columns.sums_of(lambda data: (data != 0).astype(np.float64), np.ones(len(block.y)))


def _sums(block: Block) -> Array:
    return block.columns.transposed_times(np.ones(len(block.y)))


def _square_sums(block: Block) -> Array:
    return block.columns.square_sums(np.ones(len(block.y)))


def _tiny_entries(blocks: Blocks) -> bool:
    return any(((data != 0) & (np.abs(data) < TINY)).any() for _, data in _entries(blocks))


def _slowly(blocks: Blocks, chosen: NDArray[np.intp], centred: bool) -> tuple[Floats, Floats]:
    """Centre and scale of the chosen columns, each divided by its largest entry and centred before it is squared."""
    k = len(chosen)
    place = np.full(blocks.p, k)  # the last bin takes the entries of all other columns
    place[chosen] = np.arange(k)
    largest, total, count, square = (np.zeros(k + 1) for _ in range(4))
    for indices, data in _entries(blocks):
        np.maximum.at(largest, place[indices], np.abs(data))
    largest = np.where(largest > 0, largest, 1.0)
    for indices, data in _entries(blocks):
        at = place[indices]
        total += np.bincount(at, weights=data / largest[at], minlength=k + 1)
        count += np.bincount(at, minlength=k + 1)
    center = total / blocks.n if centred else np.zeros(k + 1)
    for indices, data in _entries(blocks):
        at = place[indices]
        square += np.bincount(at, weights=np.square(data / largest[at] - center[at]), minlength=k + 1)
    square += (blocks.n - count) * center**2  # the zeros that are not stored
    return (center * largest)[:k], (np.sqrt(square / blocks.n) * largest)[:k]


def _entries(blocks: Blocks) -> Iterator[tuple[Array, Array]]:
    """Columns and values of the entries, a block at a time; those of one place added up."""
    for block in blocks:
        assert isinstance(block.columns, Sparse)
        X = block.columns.rows(slice(None)).summed()
        yield X.indices, X.data
