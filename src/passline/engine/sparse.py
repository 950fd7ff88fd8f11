"""Sparse columns: a SciPy CSR matrix as it was given, whose blocks of rows are views, and its moments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from passline.engine.value import Array

# So dense a matrix is written out, a few rows at a time, for its Gram: a product of matrices is the faster way.
DENSE = 0.1
# Numbers that are written out at a time.
WRITTEN = 250_000


@dataclass(frozen=True)
class Sparse:
    """A SciPy CSR matrix of any real type, indices in any order; a block of its rows is a view, or turned into doubles.

    ``unique``: no row holds two entries of one column. Entries that repeat add up, as everywhere in SciPy.
    """

    X: Array  # scipy.sparse.csr_array or csr_matrix, (n, p)
    unique: bool = True

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
            return Sparse(self.X[selection], self.unique)
        start, stop, _ = selection.indices(self.X.shape[0])
        ends = self.X.indptr[start : stop + 1]
        inside = slice(int(ends[0]), int(ends[-1]))
        doubles = self.X.data[inside].astype(np.float64, copy=False)
        return Sparse(_like(self.X, doubles, self.X.indices[inside], ends - ends[0]), self.unique)

    def take(self, columns: Array) -> Sparse:
        return Sparse(self.X[:, columns], self.unique)

    def times(self, w: Array) -> Array:
        return self._doubles() @ w

    def transposed_times(self, r: Array) -> Array:
        from scipy.sparse import csc_array

        X = self._doubles()
        return _view(csc_array, X.shape[::-1], X.data, X.indices, X.indptr) @ r

    def gram(self, d: Array) -> Array:
        if self.crowded:
            p = self.shape[1]
            return sum(((part.dense().T * d[at]) @ part.dense() for at, part in self.thin()), start=np.zeros((p, p)))
        X = self._doubles()
        weighted = _like(X, X.data * np.repeat(d, np.diff(X.indptr)), X.indices, X.indptr)
        return (weighted.T @ X).toarray()

    def square_sums(self, d: Array) -> Array:
        return self.squares().transposed_times(d)

    def squares(self) -> Sparse:
        """The matrix of the entries' squares."""
        X = self.summed()
        return Sparse(_like(X, X.data * X.data, X.indices, X.indptr))

    def signs(self) -> Sparse:
        """The matrix of the entries' signs: -1, 0 or 1."""
        X = self.summed()
        return Sparse(_like(X, np.sign(X.data), X.indices, X.indptr))

    def summed(self) -> Array:
        """The matrix in doubles, entries of one place added up."""
        X = self._doubles()
        if self.unique:
            return X
        X = X.copy()
        X.sum_duplicates()
        return X

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
        return X if X.dtype == np.float64 else _like(X, X.data.astype(np.float64), X.indices, X.indptr)


def _like(X: Array, data: Array, indices: Array, indptr: Array) -> Array:
    """A matrix of the kind and width of X, of these entries."""
    return _view(type(X), (len(indptr) - 1, X.shape[1]), data, indices, indptr)


def _view(kind: Callable[..., Array], shape: tuple[int, int], data: Array, indices: Array, indptr: Array) -> Array:
    # Not by SciPy's constructor, nor by .T, which calls it: it looks at all indices, as dear as half a product, and
    # copies those of 64 bits that 32 could hold.
    view = kind(shape, dtype=data.dtype)
    view.data, view.indices, view.indptr = data, indices, indptr
    return view
