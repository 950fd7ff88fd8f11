"""Sparse columns: a SciPy CSR matrix as it was given, whose blocks of rows are views, and its moments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from passline.engine.value import Array

# So dense a matrix is written out, a few rows at a time, for its Gram: a product of matrices is the faster way.
DENSE = 0.1
# Numbers that are written out at a time; entries of which a function is held at a time, or as many as columns.
WRITTEN, PIECE = 250_000, 500_000
# A copy in single precision may take so many bytes, in place of the vectors that fewer columns need less of.
ROUGH, ROUGH_COLUMN = 64_000_000, 160


@dataclass(frozen=True)
class Sparse:
    """A SciPy CSR matrix of any real type, indices in any order; a block of its rows is a view, or turned into doubles.

    ``unique``: no row holds two entries of one column. Entries that repeat add up, as everywhere in SciPy.
    ``shift``: what is taken from each column's entries, zero but for columns that have an entry in every row: so a
    column far from zero is seen centred, and keeps its digits; with it ``unit``, what entries are then divided by, so
    that squares of 1e300 are numbers. ``single``: its two products are in single precision.
    """

    X: Array  # scipy.sparse.csr_array or csr_matrix, (n, p)
    unique: bool = True
    shift: Array | None = None  # (p,)
    unit: Array | None = None  # (p,)
    single: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        n, p = self.X.shape
        return int(n), int(p)

    @property
    def stored(self) -> int:
        """How many entries there are."""
        return int(self.X.indptr[-1])

    @property
    def crowded(self) -> bool:
        """Whether so many entries are stored that a Gram is quicker of the matrix written out."""
        n, p = self.shape
        return self.stored > DENSE * n * p

    def rows(self, selection: slice | Array) -> Sparse:
        if not isinstance(selection, slice) or selection.step not in (None, 1):
            return replace(self, X=self.X[selection])
        start, stop, _ = selection.indices(self.X.shape[0])
        ends = self.X.indptr[start : max(start, stop) + 1]
        inside = slice(int(ends[0]), int(ends[-1]))
        part = _like(self.X, self.X.data[inside], self.X.indices[inside], ends - ends[0])
        if self.single:
            return replace(self, X=part)
        part = replace(self, X=part)._doubles()
        return Sparse(part, self.unique or self.shift is not None)

    def take(self, columns: Array) -> Sparse:
        shift, unit = (None if v is None else v[columns] for v in (self.shift, self.unit))
        return replace(self, X=self.X[:, columns], shift=shift, unit=unit)

    def times(self, w: Array) -> Array:
        return self.X @ w.astype(np.float32) if self.single else self._doubles() @ w

    def transposed_times(self, r: Array) -> Array:
        from scipy.sparse import csc_array

        X, r = (self.X, r.astype(np.float32)) if self.single else (self._doubles(), r)
        return _view(csc_array, X.shape[::-1], X.data, X.indices, X.indptr) @ r

    def gram(self, d: Array) -> Array:
        if self.crowded:
            p = self.shape[1]
            return sum(((part.dense().T * d[at]) @ part.dense() for at, part in self.thin()), start=np.zeros((p, p)))
        X = self._doubles()
        weighted = _like(X, X.data * np.repeat(d, np.diff(X.indptr)), X.indices, X.indptr)
        return (weighted.T @ X).toarray()

    def square_sums(self, d: Array) -> Array:
        return self.sums_of(np.square, d)

    def rough(self) -> Sparse | None:
        """The same columns for products in single precision, a quarter quicker; None where the copy would be too large.

        Seven digits are enough for the conjugate gradients of a Newton step, whose gradient is exact.
        """
        if self.shift is not None:
            return None
        if self.X.dtype == np.float32:
            return replace(self, single=True)
        if 4 * self.stored + ROUGH_COLUMN * self.shape[1] > ROUGH:
            return None
        return replace(
            self, X=_like(self.X, self.X.data.astype(np.float32), self.X.indices, self.X.indptr), single=True
        )

    def sums_of(self, f: Callable[[Array], Array], r: Array) -> Array:
        """f(X)' r for a function of the entries with f(0) = 0: (n,) -> (p,)."""
        n, p = self.shape
        pieces = max(1, self.stored // max(p, PIECE))
        size = -(-n // pieces)
        total = np.zeros(p)
        for start in range(0, n, max(size, 1)):
            at = slice(start, start + size)
            X = self.rows(at).summed()
            total += Sparse(_like(X, f(X.data), X.indices, X.indptr)).transposed_times(r[at])
        return total

    def summed(self) -> Array:
        """The matrix in doubles, entries of one place added up."""
        X = self._doubles()
        return X if self.unique or self.shift is not None else _summed(X)

    def thin(self) -> Iterator[tuple[slice, Sparse]]:
        """A few rows at a time, which may be written out."""
        n, p = self.shape
        size = max(1, WRITTEN // max(p, 1))
        for start in range(0, n, size):
            at = slice(start, min(start + size, n))
            yield at, self.rows(at)

    def dense(self) -> Array:
        return self._doubles().toarray()

    def _doubles(self) -> Array:
        X = self.X
        if X.dtype != np.float64:
            X = _like(X, X.data.astype(np.float64), X.indices, X.indptr)
        if self.shift is None:
            return X
        X = X if self.unique else _summed(X)
        data = X.data - self.shift[X.indices]
        return _like(X, data if self.unit is None else data / self.unit[X.indices], X.indices, X.indptr)


def _summed(X: Array) -> Array:
    X = X.copy()
    X.sum_duplicates()
    return X


def _like(X: Array, data: Array, indices: Array, indptr: Array) -> Array:
    """A matrix of the kind and width of X, of these entries."""
    return _view(type(X), (len(indptr) - 1, X.shape[1]), data, indices, indptr)


def _view(kind: Callable[..., Array], shape: tuple[int, int], data: Array, indices: Array, indptr: Array) -> Array:
    # Not by SciPy's constructor, nor by .T, which calls it: it looks at all indices, as dear as half a product, and
    # copies those of 64 bits that 32 could hold.
    view = kind(shape)
    view.data, view.indices, view.indptr = data, indices, indptr
    return view
