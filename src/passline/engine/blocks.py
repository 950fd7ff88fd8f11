"""Rows, and the one way to walk them: ``blocks.sum(f, *args)`` adds ``f(block, *args)`` over cache-sized blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import numpy as np

from passline.engine.columns import Columns, is_sparse, stored
from passline.engine.threads import available, each
from passline.engine.value import Array

P = ParamSpec("P")
T = TypeVar("T")

# About 4 MB of doubles: a block's second use (the gradient after the linear predictor) then comes from cache, its
# intermediate results too. Fewer rows than BLOCK_ROWS would starve the matrix product of a wide design.
BLOCK_BYTES, BLOCK_ROWS = 4_000_000, 256
# The blocks of a walk are added up in this many parts, whatever the number of threads: so a sum has one value.
PARTS = 8
# A walk over fewer numbers than these is over before a second thread has begun, or before BLAS would start its own.
THREADED, ALONE = 200_000, 9_000
# A block of a sparse matrix stores about so many numbers a column.
SPARSE_BLOCK = 4
# An outcome is rare below this share of the rows: a sample that takes rows as they come then wastes most of them.
RARE = 0.1


@dataclass(frozen=True)
class Block:
    """Some rows: columns (n, p), outcome y (n,) in [0, 1], weight (n,) and offset (n,), each None where all alike."""

    columns: Columns
    y: Array
    weight: Array | None = None
    offset: Array | None = None

    def eta(self, w: Array) -> Array:
        """The linear predictor X w + offset: (n,), or (n, k) for a coefficient matrix."""
        eta = self.columns.times(w)
        if self.offset is None:
            return eta
        return eta + (self.offset[:, None] if eta.ndim == 2 else self.offset)

    def rows(self, selection: slice | Array) -> Block:
        return Block(
            self.columns.rows(selection),
            self.y[selection],
            None if self.weight is None else self.weight[selection],
            None if self.offset is None else self.offset[selection],
        )


class Blocks:
    """Rows in memory, walked a block at a time.

    ``total`` is the sum of weights: what a mean over rows divides by. ``passes`` counts walks over all rows, so that
    every number that is reported can be traced to one.
    """

    # Whether the rows lie where a curvature costs little more than a pass.
    cheap_gram = False

    def __init__(
        self,
        block: Block,
        *,
        block_bytes: int = BLOCK_BYTES,
        threads: int | None = None,
        walks: list[int] | None = None,
    ) -> None:
        self.all = block
        self.n, self.p = block.columns.shape
        self.numbers = stored(block.columns)
        self.size = _block_rows(block.columns, block_bytes)
        self.threads = threads or available()
        self.total = float(self.n if block.weight is None else block.weight.sum())
        self._walks = [0] if walks is None else walks

    @property
    def passes(self) -> int:
        """Walks over all rows so far, those over the same rows with other columns included."""
        return self._walks[0]

    def __iter__(self) -> Iterator[Block]:
        self._walks[0] += 1
        yield from self._between(0, self.n)

    def _between(self, start: int, stop: int) -> Iterator[Block]:
        if self.n <= self.size:
            yield self.all
            return
        for first in range(start, stop, self.size):
            yield self.all.rows(slice(first, min(first + self.size, stop)))

    def _parts(self, f: Callable[[Iterator[Block]], T]) -> list[T]:
        """``f`` of the blocks of each part of the rows, in order."""
        self._walks[0] += 1
        blocks = -(-self.n // self.size)
        ends = [min(-(-i * blocks // PARTS) * self.size, self.n) for i in range(PARTS + 1)]
        parts = [(a, b) for a, b in pairwise(ends) if b > a]
        if self.numbers < ALONE:
            return [f(self._between(*part)) for part in parts]
        threads = self.threads if self.numbers >= THREADED else 1
        return each(lambda part: f(self._between(*part)), parts, threads)

    def sum(self, f: Callable[Concatenate[Block, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The sum of ``f(block, *args)`` over the blocks; ``f``'s results must add.

        Blocks are added within parts and parts in order, so the sum is the same on any number of threads.
        """

        def total(values: Iterable[Any]) -> Any:
            return reduce(add, values)

        return cast("T", total(self._parts(lambda blocks: total(f(block, *args, **kwargs) for block in blocks))))

    def each_row(self, f: Callable[Concatenate[Block, P], Array], *args: P.args, **kwargs: P.kwargs) -> Array:
        """The answers of ``f(block, *args)`` a row, one under the other: (n,) or (n, k)."""
        parts = self._parts(lambda blocks: [f(block, *args, **kwargs) for block in blocks])
        return np.concatenate([answer for part in parts for answer in part])

    def select(self, selection: slice | Array) -> Blocks:
        """Blocks over some of the rows."""
        return Blocks(self.all.rows(selection), threads=self.threads)

    def with_columns(self, columns: Columns) -> Blocks:
        """Blocks over the same rows with other columns."""
        return Blocks(
            Block(columns, self.all.y, self.all.weight, self.all.offset), threads=self.threads, walks=self._walks
        )

    def with_weight(self, weight: Array | None) -> Blocks:
        """Blocks over the same rows with other weights (n,)."""
        block = Block(self.all.columns, self.all.y, weight, self.all.offset)
        return Blocks(block, threads=self.threads, walks=self._walks)

    def with_outcomes(self, outcomes: list[Array]) -> Blocks:
        """Blocks over the same rows with several outcomes, (n,) each: a coefficient matrix has a column for each."""
        # What a row adds beside its columns must find room in the cache as well.
        size = BLOCK_BYTES * self.p // (self.p + 3 * len(outcomes))
        block = Block(self.all.columns, np.stack(outcomes, axis=1), self.all.weight, self.all.offset)
        return Blocks(block, block_bytes=size, threads=self.threads, walks=self._walks)

    def walked(self) -> None:
        """Count a walk that was shared with others."""
        self._walks[0] += 1

    def sample(self, m: int) -> Blocks:
        """About ``m`` rows, evenly spread over the table: the same rows each time."""
        at = spread(self.n, m)
        return self if at is None else self.select(at)

    def balanced_sample(self, m: int) -> Blocks:
        """As :meth:`sample`, but half of it from an outcome that is rare, with weights that make up for it.

        A rare outcome's rows hold most of what a table tells. The weights keep the mean's expectation; a row of the
        rare outcome keeps its own, so that the sample tells what so many of them do.
        """
        rarer = self.all.y > 0.5
        count = int(np.count_nonzero(rarer))
        if 2 * count > self.n:
            rarer, count = ~rarer, self.n - count
        if m >= self.n or count >= RARE * self.n or count == 0:
            return self.sample(m)
        inside, outside = np.flatnonzero(rarer), np.flatnonzero(~rarer)
        few, many = spread(count, m // 2), spread(self.n - count, m - min(count, m // 2))
        inside, outside = inside if few is None else inside[few], outside if many is None else outside[many]
        at = np.concatenate([inside, outside])
        lighter = count / len(inside) * len(outside) / (self.n - count)
        weight = np.repeat([1.0, 1.0 / lighter], [len(inside), len(outside)])
        order = np.argsort(at)
        chosen = self.all.rows(at[order])
        weight = weight[order]
        if chosen.weight is not None:
            weight = weight * chosen.weight
        return Blocks(Block(chosen.columns, chosen.y, weight, chosen.offset), threads=self.threads)


def _block_rows(columns: Columns, block_bytes: int) -> int:
    n, p = columns.shape
    if not is_sparse(columns):
        numbers = stored(columns)
        rows = block_bytes * n // (8 * max(numbers, 1))
        # Codes are few numbers and much work: blocks for all threads, where these do not wait for one another longer.
        return max(rows if numbers == n * p or numbers < THREADED else min(rows, -(-n // PARTS)), BLOCK_ROWS)
    # A block's sums are p numbers, whatever it stores: it must store several times as many. An even number of blocks,
    # so that two threads have the same to do.
    blocks, numbers = 1, stored(columns)
    while numbers > 2 * blocks * max(3 * block_bytes // 16, SPARSE_BLOCK * p) or (blocks == 1 and numbers >= THREADED):
        blocks *= 2
    return max(-(-n // blocks), 1)


def spread(n: int, m: int) -> Array | None:
    """``m`` of ``n`` indices, one from each m-th part and rising, the same each time; None for all of them.

    An even stride would fall into step with a table's own period; places that a golden-ratio sequence gives do not.
    """
    if m >= n:
        return None
    ends = np.arange(m + 1) * n // m
    return ends[:-1] + (np.arange(m) * 0.6180339887498949 % 1.0 * np.diff(ends)).astype(np.int64)
