"""Columns seen through something: some of the rows only, or a tensor that NumPy cannot read where it lies."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from passline.engine.columns import Columns, Dense, Fetched, Given
from passline.engine.value import Array


@dataclass(frozen=True)
class Tensor(Given):
    """A torch tensor on another device, or of a type that NumPy lacks; its rows come as doubles, by the block."""

    def rows(self, selection: slice | Array) -> Dense:
        return Dense(_doubles(self.X[selection if isinstance(selection, slice) else _index(self.X, selection)]))

    def take(self, columns: Array) -> Dense:
        return Dense(_doubles(self.X[:, _index(self.X, columns)]))


@dataclass(frozen=True)
class Chosen(Fetched):
    """Some rows of other columns, by their index; a block of them is taken from there when it is asked for."""

    columns: Columns
    at: Array  # (m,) indices of rows

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.at), self.columns.shape[1]

    def rows(self, selection: slice | Array) -> Columns:
        return self.columns.rows(self.at[selection])

    def take(self, columns: Array) -> Columns:
        return self.columns.take(columns).rows(self.at)


def _index(X: Array, at: Array) -> Array:
    return sys.modules["torch"].as_tensor(np.asarray(at, np.int64), device=X.device)


def _doubles(X: Array) -> Array:
    return X.cpu().double().contiguous().numpy()
