"""Random designs of every kind of column, beside the matrix written out by the definition."""

from __future__ import annotations

import numpy as np

from passline.engine.blocks import Block, Blocks
from passline.engine.columns import Coded, Columns, Dense, Mixed


def coded(rng: np.random.Generator, n: int, width: int, *, valued: bool) -> tuple[Coded, np.ndarray]:
    """Codes with -1 among them, and their indicator columns one cell at a time."""
    codes = rng.integers(-1, width, n).astype(np.int32)
    values = rng.normal(size=n) if valued else None
    X = np.zeros((n, width))
    for i in range(n):
        if codes[i] >= 0:
            X[i, codes[i]] = 1.0 if values is None else values[i]
    return Coded(codes, width, values), X


def columns(kind: str, rng: np.random.Generator, n: int = 60) -> tuple[Columns, np.ndarray]:
    """Columns of a kind and the matrix (n, p) they stand for."""
    if kind == "dense":
        X = rng.normal(size=(n, 4))
        return Dense(X), X
    if kind in ("coded", "valued"):
        return coded(rng, n, 5, valued=kind == "valued")
    X = rng.normal(size=(n, 3))
    Z = rng.normal(size=(n, 2))
    a, A = coded(rng, n, 4, valued=False)
    b, B = coded(rng, n, 3, valued=True)
    return Mixed([Dense(X), a, Dense(Z), b]), np.hstack([X, A, Z, B])


KINDS = ("dense", "coded", "valued", "mixed")


def blocks(kind: str, rng: np.random.Generator, n: int = 60, **options: int) -> tuple[Blocks, np.ndarray]:
    """Blocks with a proportion as outcome, a weight and an offset in every row."""
    cols, X = columns(kind, rng, n)
    return Blocks(Block(cols, rng.random(n), rng.random(n) + 0.5, rng.normal(size=n)), **options), X
