"""Rows that stay on another device: each block's sums are formed there, and only sums come to the host."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import reduce
from operator import add
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import numpy as np

from passline.engine.blocks import Block, Blocks
from passline.engine.columns import Columns, Shifted
from passline.engine.value import Array
from passline.engine.views import Tensor

P = ParamSpec("P")
T = TypeVar("T")

# Numbers of a block on an accelerator: large enough to keep it busy, 256 MB with what a product needs beside it.
BLOCK_NUMBERS = 16_000_000


@dataclass(frozen=True)
class Resident:
    """A tensor's columns, standardised as they are read, with an intercept in front if ``intercept``.

    ``X``: (n, p), of any real type; ``center``, ``scale``: (p,) doubles on its device. Coefficients come as NumPy's,
    and sums over rows go back as NumPy's; what has a row stays where the rows are. Everything is in double precision.
    """

    X: Array
    center: Array
    scale: Array
    intercept: bool

    @property
    def shape(self) -> tuple[int, int]:
        n, p = self.X.shape
        return int(n), int(p) + int(self.intercept)

    def rows(self, selection: slice | Array) -> Resident:
        at = selection if isinstance(selection, slice) else self._tensor(np.asarray(selection, np.int64))
        return replace(self, X=self.X[at])

    def take(self, columns: Array) -> Columns:
        raise AssertionError(
            f"{len(columns)} columns are taken here, where only sums are formed: take them on the host"
        )

    def times(self, w: Array) -> Array:
        k = int(self.intercept)
        eta = self._standardised() @ self._tensor(w[k:])
        return eta + self._tensor(w[0]) if k else eta

    def transposed_times(self, r: Array) -> Array:
        return self._written().T @ r

    def gram(self, d: Array) -> Array:
        root = self._written()
        root *= d.sqrt()[:, None]
        return root.T @ root

    def square_sums(self, d: Array) -> Array:
        return self._written().square_().T @ d

    def dense(self) -> Array:
        return on_host(self._written())

    def _standardised(self) -> Array:
        # Centred first: nothing cancels, whatever the centre.
        return (self.X.double() - self.center) / self.scale

    def _written(self) -> Array:
        Z = self._standardised()
        if not self.intercept:
            return Z
        return _torch().cat([Z.new_ones((Z.shape[0], 1)), Z], dim=1)

    def _tensor(self, values: Array) -> Array:
        return _torch().as_tensor(values, device=self.X.device)


class ResidentBlocks(Blocks):
    """Blocks of a tensor's rows, worked on one after the other where they are; samples are taken from ``host``."""

    cheap_gram = True

    def __init__(self, block: Block, host: Blocks) -> None:
        rows = max(BLOCK_NUMBERS // max(block.columns.shape[1], 1), 1)
        super().__init__(block, block_bytes=8 * rows * block.columns.shape[1], threads=1, walks=host._walks)
        self.host = host
        self.total = host.total

    def _each(self, f: Callable[[Block], T]) -> Iterator[T]:
        return (on_host(f(block)) for block in self)

    def sum(self, f: Callable[Concatenate[Block, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return cast("T", reduce(add, cast("Any", self._each(lambda block: f(block, *args, **kwargs)))))

    def each_row(self, f: Callable[Concatenate[Block, P], Array], *args: P.args, **kwargs: P.kwargs) -> Array:
        return np.concatenate(list(self._each(lambda block: f(block, *args, **kwargs))))

    def select(self, selection: slice | Array) -> Blocks:
        return self.host.select(selection)

    def with_columns(self, columns: Columns) -> Blocks:
        return self.host.with_columns(columns)

    def with_weight(self, weight: Array | None) -> Blocks:
        return _placed(self.host.with_weight(weight), cast("Resident", self.all.columns))

    def with_outcomes(self, outcomes: list[Array]) -> Blocks:
        there = _torch().stack(outcomes, dim=1)
        return ResidentBlocks(Block(self.all.columns, there, self.all.weight, self.all.offset), self.host)

    def sample(self, m: int) -> Blocks:
        return self.host.sample(m)

    def balanced_sample(self, m: int) -> Blocks:
        return self.host.balanced_sample(m)


def elsewhere(tensor: Array) -> bool:
    """Whether a tensor lies on a device that the host's processors do not work on."""
    return bool(tensor.device.type != "cpu")


def resident(blocks: Blocks) -> Blocks:
    """The same rows worked on where they are: on their device, if a tensor's rows lie on another than the host's.

    ``blocks``: over standardised columns, their outcomes and weights on the host.
    """
    columns = blocks.all.columns
    if not (isinstance(columns, Shifted) and isinstance(columns.columns, Tensor) and elsewhere(columns.columns.X)):
        return blocks
    X = columns.columns.X

    def there(values: Array) -> Array:
        return _torch().as_tensor(values, dtype=_torch().float64, device=X.device)

    return _placed(blocks, Resident(X, there(columns.center), there(columns.scale), columns.intercept))


def on_host(found: T) -> T:
    """What a block's sum is, its tensors as NumPy's arrays: of a dataclass or a tuple, of each part."""
    if isinstance(found, tuple):
        return cast("T", tuple(on_host(one) for one in found))
    if is_dataclass(found) and not isinstance(found, type):
        return cast("T", replace(found, **{field.name: on_host(getattr(found, field.name)) for field in fields(found)}))
    if hasattr(found, "cpu"):
        array = found.cpu().numpy()
        return cast("T", array if array.ndim else array[()])
    return found


def _placed(host: Blocks, columns: Resident) -> ResidentBlocks:
    def there(values: Array | None) -> Array | None:
        # A copy: what is broadcast on the host, or read-only, is neither there.
        return None if values is None else columns._tensor(np.array(values, dtype=np.float64))

    block = host.all
    return ResidentBlocks(Block(columns, there(block.y), there(block.weight), there(block.offset)), host)


def _torch() -> Any:
    return sys.modules["torch"]
