"""The design's columns behind three products: times a vector, transposed times a vector, weighted Gram.

A model asks nothing else of its matrix (the same three as in tabmat), so a new kind of column is one class here.
Coefficients may be a vector (p,) or a matrix (p, k) everywhere; a Gram takes one weight a row.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from passline.engine.sparse import Sparse
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

    def square_sums(self, d: Array) -> Array:
        """The Gram's diagonal alone: (n,) -> (p,)."""
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
        return _dot(self.X, w)

    def transposed_times(self, r: Array) -> Array:
        return _dot(self.X.T, r)

    def gram(self, d: Array) -> Array:
        if isinstance(d, np.ndarray) and d.min(initial=0.0) >= 0.0:
            # Half of a symmetric product, once NumPy sees that both factors are one array.
            root = self.X * np.sqrt(d)[:, None]
            return root.T @ root
        return (self.X * d[:, None]).T @ self.X

    def square_sums(self, d: Array) -> Array:
        return _dot((self.X * self.X).T, d)

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

    def square_sums(self, d: Array) -> Array:
        return self.transposed_times(self._weighted(d))

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

    def square_sums(self, d: Array) -> Array:
        return np.concatenate([part.square_sums(d) for part in self.parts])

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


@dataclass(frozen=True)
class Shifted:
    """Columns of someone else's, seen standardised and with an intercept in front, without a copy.

    Column 0 is ones (if ``intercept``), column j is (x_j - center_j) / scale_j. NumPy only. Where centres are much
    larger than scales (``steep``) a product with x_j would lose the digits that its centre takes away again: a block
    of rows is then written out, centred first.
    """

    columns: Columns
    center: Array  # (p,), zeros where there is no intercept
    scale: Array  # (p,)
    intercept: bool
    steep: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        n, p = self.columns.shape
        return n, p + int(self.intercept)

    def rows(self, selection: slice | Array) -> Shifted | Dense:
        chosen = Shifted(self.columns.rows(selection), self.center, self.scale, self.intercept)
        return Dense(chosen.dense()) if self.steep else chosen

    def take(self, columns: Array) -> Columns:
        if not self.intercept:
            return Shifted(self.columns.take(columns), self.center[columns], self.scale[columns], False, self.steep)
        inner = columns[columns > 0] - 1
        taken = Shifted(self.columns.take(inner), self.center[inner], self.scale[inner], True, self.steep)
        # Without an intercept no product takes centres away: they are taken from the columns themselves.
        return taken if len(inner) < len(columns) else Dense(taken.dense()[:, 1:])

    def times(self, w: Array) -> Array:
        if not self.intercept:
            return self.columns.times(_by_row(w, 1.0 / self.scale))
        u = _by_row(w[1:], 1.0 / self.scale)
        return self.columns.times(u) + (w[0] - self.center @ u)

    def transposed_times(self, r: Array) -> Array:
        g = self.columns.transposed_times(r)
        if not self.intercept:
            return _by_row(g, 1.0 / self.scale)
        # In place where it can be: of a million columns every temporary counts.
        out = np.empty((self.shape[1], *r.shape[1:]))
        out[0] = r.sum(axis=0)
        np.subtract(g, np.multiply.outer(self.center, out[0], out=out[1:]), out=out[1:])
        out[1:] /= self.scale if r.ndim == 1 else self.scale[:, None]
        return out

    def gram(self, d: Array) -> Array:
        if isinstance(self.columns, (Dense, Given)):
            return Dense(self.dense()).gram(d)  # centred first: nothing cancels
        if isinstance(self.columns, Sparse) and self.columns.crowded:
            parts = (Dense(replace(self, columns=part).dense()).gram(d[at]) for at, part in self.columns.thin())
            return sum(parts, start=np.zeros((self.shape[1], self.shape[1])))
        out = np.empty((self.shape[1], self.shape[1]))
        inner = self.columns.gram(d)
        first = self.columns.transposed_times(d)
        k = int(self.intercept)
        centred = inner - np.outer(first, self.center) - np.outer(self.center, first)
        centred += np.outer(self.center, self.center) * d.sum()
        out[k:, k:] = centred / np.outer(self.scale, self.scale)
        if self.intercept:
            out[0, 0] = d.sum()
            out[0, 1:] = out[1:, 0] = (first - self.center * d.sum()) / self.scale
        return out

    def square_sums(self, d: Array) -> Array:
        if isinstance(self.columns, (Dense, Given)):
            return Dense(self.dense()).square_sums(d)
        total, k = d.sum(), int(self.intercept)
        out = np.empty(self.shape[1])
        out[:k] = total
        # center (center total - 2 x'd) + (x^2)'d, in place: of a million columns every temporary counts.
        each = out[k:]
        np.multiply(self.center, total, out=each)
        each -= 2.0 * self.columns.transposed_times(d)
        each *= self.center
        each += self.columns.square_sums(d)
        each /= self.scale
        each /= self.scale
        return out

    def dense(self) -> Array:
        n, p = self.shape
        out = np.empty((n, p))
        if self.intercept:
            out[:, 0] = 1.0
        np.subtract(self.columns.dense(), self.center, out=out[:, int(self.intercept) :])
        out[:, int(self.intercept) :] /= self.scale
        return out


class Fetched(ABC):
    """Columns whose rows have to be fetched first: every product is that of the rows that are fetched."""

    @abstractmethod
    def rows(self, selection: slice | Array) -> Columns:
        """Some of the rows, as columns that multiply."""

    def times(self, w: Array) -> Array:
        return self.rows(slice(None)).times(w)

    def transposed_times(self, r: Array) -> Array:
        return self.rows(slice(None)).transposed_times(r)

    def gram(self, d: Array) -> Array:
        return self.rows(slice(None)).gram(d)

    def square_sums(self, d: Array) -> Array:
        return self.rows(slice(None)).square_sums(d)

    def dense(self) -> Array:
        return self.rows(slice(None)).dense()


@dataclass(frozen=True)
class Given(Fetched):
    """A caller's matrix in any real type and any order of memory; a block of its rows is turned into doubles.

    So single precision, integers and strided views are read once and never copied whole.
    """

    X: Array  # (n, p)

    @property
    def shape(self) -> tuple[int, int]:
        n, p = self.X.shape
        return int(n), int(p)

    def rows(self, selection: slice | Array) -> Dense:
        block = self.X[selection]
        if block.dtype == np.float64 and (block.flags.c_contiguous or block.T[0:1].flags.c_contiguous):
            return Dense(block)
        return Dense(np.ascontiguousarray(block, dtype=np.float64))

    def take(self, columns: Array) -> Dense:
        return Dense(np.asarray(self.X[:, columns], dtype=np.float64))


def is_sparse(columns: Columns) -> bool:
    """Whether columns are a sparse matrix, seen standardised or not."""
    return isinstance(columns, Sparse) or (isinstance(columns, Shifted) and is_sparse(columns.columns))


def stored(columns: Columns) -> int:
    """How many numbers a walk over the columns reads."""
    if isinstance(columns, Sparse):
        return columns.stored
    if isinstance(columns, Shifted):
        return stored(columns.columns)
    if isinstance(columns, Coded):
        return len(columns.codes) * (1 if columns.values is None else 2)
    if isinstance(columns, Mixed):
        return sum(stored(part) for part in columns.parts)
    n, p = columns.shape
    return n * p


def _dot(A: Array, b: Array) -> Array:
    """A b. NumPy's ``@`` keeps the interpreter locked where a transposed matrix meets a vector; ``dot`` does not."""
    return np.dot(A, b) if isinstance(A, np.ndarray) else A @ b


def _by_row(w: Array, factor: Array) -> Array:
    return w * factor if w.ndim == 1 else w * factor[:, None]
