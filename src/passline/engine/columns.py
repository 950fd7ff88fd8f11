"""The design's columns behind three products: times a vector, transposed times a vector, weighted Gram.

A model asks nothing else of its matrix (the same three as in tabmat), so a new kind of column is one class here.
Coefficients may be a vector (p,) or a matrix (p, k) everywhere; a Gram takes one weight a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from passline.engine.value import Array


class Columns(Protocol):
    """Some columns of the design, for some rows."""

    @property
    def shape(self) -> tuple[int, int]: ...

    def rows(self, selection: slice | Array) -> Columns:
        """The same columns on a slice or an index array of rows."""
        ...

    def take(self, columns: Array) -> Columns:
        """Some of the columns, by increasing index."""
        ...

    def times(self, w: Array) -> Array:
        """X w: (p,) -> (n,), (p, k) -> (n, k)."""
        ...

    def transposed_times(self, r: Array) -> Array:
        """X' r: (n,) -> (p,), (n, k) -> (p, k)."""
        ...

    def gram(self, d: Array) -> Array:
        """X' diag(d) X: (n,) -> (p, p)."""
        ...

    def dense(self) -> Array:
        """The columns written out, (n, p): for QR factors and per-row answers, a block at a time."""
        ...


@dataclass(frozen=True)
class Dense:
    """A matrix as it stands, NumPy or torch, in either order of memory."""

    X: Array  # (n, p)

    @property
    def shape(self) -> tuple[int, int]:
        n, p = self.X.shape
        return int(n), int(p)

    def rows(self, selection: slice | Array) -> Dense:
        return Dense(self.X[selection])

    def take(self, columns: Array) -> Dense:
        return Dense(self.X[:, columns])

    def times(self, w: Array) -> Array:
        return self.X @ w

    def transposed_times(self, r: Array) -> Array:
        return self.X.T @ r

    def gram(self, d: Array) -> Array:
        if isinstance(d, np.ndarray) and d.min(initial=0.0) >= 0.0:
            # Half of a symmetric product, once NumPy sees that both factors are one array.
            root = self.X * np.sqrt(d)[:, None]
            return root.T @ root
        return (self.X * d[:, None]).T @ self.X

    def dense(self) -> Array:
        return self.X


@dataclass(frozen=True)
class Coded:
    """Indicator columns kept as codes, each times an optional number: column j is ``(codes == j) * values``.

    Code -1 stands for a row that has zeros in all of them (the reference level). NumPy only.
    """

    codes: Array  # (n,) integers in [-1, width)
    width: int
    values: Array | None = None  # (n,), None for ones

    @property
    def shape(self) -> tuple[int, int]:
        return int(self.codes.shape[0]), self.width

    def rows(self, selection: slice | Array) -> Coded:
        return Coded(self.codes[selection], self.width, None if self.values is None else self.values[selection])

    def take(self, columns: Array) -> Coded:
        new = np.full(self.width + 1, -1, dtype=np.int32)  # the last entry answers for code -1
        new[columns] = np.arange(len(columns), dtype=np.int32)
        return Coded(new[self.codes], len(columns), self.values)

    def times(self, w: Array) -> Array:
        # One zero behind the end answers for code -1.
        out = np.concatenate([w, np.zeros_like(w[:1])])[self.codes]
        if self.values is None:
            return out
        return out * (self.values if out.ndim == 1 else self.values[:, None])

    def transposed_times(self, r: Array) -> Array:
        if r.ndim == 2:
            return np.stack([self.transposed_times(column) for column in r.T], axis=1)
        # Shifted by one, so that code -1 falls into a bin that is thrown away.
        return np.bincount(self.codes + 1, weights=self._weighted(r), minlength=self.width + 1)[1:]

    def gram(self, d: Array) -> Array:
        return np.diag(self.transposed_times(self._weighted(d)))

    def cross(self, other: Columns, d: Array) -> Array:
        """X' diag(d) Z for other columns Z: (width, q)."""
        d = self._weighted(d)
        if isinstance(other, Coded):
            wide = other.width + 1
            both = (self.codes + 1).astype(np.int64) * wide + (other.codes + 1)
            sums = np.bincount(both, weights=other._weighted(d), minlength=(self.width + 1) * wide)
            return sums.reshape(self.width + 1, wide)[1:, 1:]
        Z = other.dense()
        return np.stack(
            [np.bincount(self.codes + 1, weights=d * z, minlength=self.width + 1)[1:] for z in Z.T], axis=1
        ).reshape(self.width, Z.shape[1])

    def dense(self) -> Array:
        out = np.zeros((self.codes.shape[0], self.width), order="F")
        at = np.flatnonzero(self.codes >= 0)
        out[at, self.codes[at]] = 1.0 if self.values is None else self.values[at]
        return out

    def _weighted(self, d: Array) -> Array:
        return d if self.values is None else d * self.values


@dataclass(frozen=True)
class Mixed:
    """Several kinds side by side, in the design's order."""

    parts: Sequence[Columns]

    @property
    def shape(self) -> tuple[int, int]:
        return self.parts[0].shape[0], sum(part.shape[1] for part in self.parts)

    def rows(self, selection: slice | Array) -> Mixed:
        return Mixed([part.rows(selection) for part in self.parts])

    def take(self, columns: Array) -> Mixed:
        chosen = [columns[(columns >= at.start) & (columns < at.stop)] - at.start for _, at in self._places()]
        return Mixed([part.take(c) for part, c in zip(self.parts, chosen, strict=True) if len(c)])

    def times(self, w: Array) -> Array:
        products = [part.times(w[at]) for part, at in self._places()]
        return sum(products[1:], start=products[0])

    def transposed_times(self, r: Array) -> Array:
        return np.concatenate([part.transposed_times(r) for part in self.parts])

    def gram(self, d: Array) -> Array:
        p = self.shape[1]
        out = np.empty((p, p))
        places = self._places()
        for i, (part, at) in enumerate(places):
            out[at, at] = part.gram(d)
            for other, there in places[i + 1 :]:
                out[at, there] = _cross(part, other, d)
                out[there, at] = out[at, there].T
        return out

    def dense(self) -> Array:
        return np.concatenate([part.dense() for part in self.parts], axis=1)

    def _places(self) -> list[tuple[Columns, slice]]:
        ends = np.cumsum([0, *(part.shape[1] for part in self.parts)])
        return [(part, slice(ends[i], ends[i + 1])) for i, part in enumerate(self.parts)]


def _cross(a: Columns, b: Columns, d: Array) -> Array:
    if isinstance(a, Coded):
        return a.cross(b, d)
    if isinstance(b, Coded):
        return b.cross(a, d).T
    return (a.dense() * d[:, None]).T @ b.dense()
