"""Rows, and the one way to walk them: ``blocks.sum(f, *args)`` adds ``f(block, *args)`` over cache-sized blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from passline.engine.columns import Columns
from passline.engine.value import Array

P = ParamSpec("P")
T = TypeVar("T")

# About 4 MB of doubles: a block's second use (the gradient after the linear predictor) then comes from cache.
BLOCK_BYTES = 4_000_000


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

    def __init__(self, block: Block, *, block_bytes: int = BLOCK_BYTES, walks: list[int] | None = None) -> None:
        self.all = block
        self.n, self.p = block.columns.shape
        self.size = max(256, block_bytes // (8 * max(self.p, 1)))
        self.total = float(self.n if block.weight is None else block.weight.sum())
        self._walks = [0] if walks is None else walks

    @property
    def passes(self) -> int:
        """Walks over all rows so far, those over the same rows with other columns included."""
        return self._walks[0]

    def __iter__(self) -> Iterator[Block]:
        self._walks[0] += 1
        if self.n <= self.size:
            yield self.all
            return
        for start in range(0, self.n, self.size):
            yield self.all.rows(slice(start, start + self.size))

    def sum(self, f: Callable[Concatenate[Block, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The sum of ``f(block, *args)`` over the blocks, in the order of the rows; ``f``'s results must add."""
        total: Any = None
        for block in self:
            part = f(block, *args, **kwargs)
            total = part if total is None else total + part
        return total  # type: ignore[no-any-return]  # T: `+` keeps f's type, which no annotation can say

    def each_row(self, f: Callable[Concatenate[Block, P], Array], *args: P.args, **kwargs: P.kwargs) -> Array:
        """The answers of ``f(block, *args)`` a row, one under the other: (n,) or (n, k)."""
        return np.concatenate([f(block, *args, **kwargs) for block in self])

    def select(self, selection: slice | Array) -> Blocks:
        """Blocks over some of the rows."""
        return Blocks(self.all.rows(selection))

    def with_columns(self, columns: Columns) -> Blocks:
        """Blocks over the same rows with other columns."""
        return Blocks(Block(columns, self.all.y, self.all.weight, self.all.offset), walks=self._walks)

    def sample(self, m: int) -> Blocks:
        """About ``m`` rows, evenly spread over the table: the same rows each time."""
        if m >= self.n:
            return self
        # An even stride would fall into step with a table's own period; a golden-ratio sequence does not.
        at = np.unique((np.arange(m) * 0.6180339887498949 % 1.0 * self.n).astype(np.int64))
        return self.select(at)
