"""The tables the solvers are timed on: how each is made from its seed, and what is asked of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit

Floats = NDArray[np.float64]
# Every generator starts from this and the shape's own number, so that a shape is the same alone and among others.
SEED = 20
NON_ZEROS = 50


@dataclass(frozen=True)
class Shape:
    """One row of the table of results.

    ``rows``, ``columns``: at full size; ``l2``: ridge per row (objective: mean loss + l2/2 |w|^2, columns as given);
    ``kind``: dense, sparse, frame (a data frame in hand), file (a Parquet file), small (repeated fits) or sgd;
    ``variant``: what is particular about the columns; ``targets``: the ratio asked for, by peer or "fastest";
    ``reads``: plain reads of the matrix that are allowed.
    """

    name: str
    number: int
    kind: str
    rows: int
    columns: int
    targets: dict[str, float]
    variant: str = "normal"
    l2: float = 0.0
    reads: float | None = None


SCIKIT_LEARN = dict.fromkeys(("sk-lbfgs", "sk-newton-cholesky", "sk-newton-cg", "sk-liblinear"), 1.0)
_EACH = (
    Shape("1e6x50", 1, "dense", 1_000_000, 50, {"fastest": 5}, reads=40),
    Shape("3e6x10", 2, "dense", 3_000_000, 10, {"fastest": 5}, reads=40),
    Shape("2e5x500", 3, "dense", 200_000, 500, {"fastest": 3}),
    Shape("1e5x1000", 4, "dense", 100_000, 1000, {"fastest": 2}),
    Shape("2e4x4000", 5, "dense", 20_000, 4000, {"fastest": 1}, l2=1e-4),
    Shape("float32", 6, "dense", 1_000_000, 50, {"fastest": 5}, variant="float32"),
    Shape("correlated", 7, "dense", 500_000, 50, {"fastest": 4}, variant="correlated"),
    Shape("scales", 8, "dense", 500_000, 50, {"fastest": 4}, variant="scales"),
    Shape("rare", 9, "dense", 500_000, 50, {"fastest": 4}, variant="rare"),
    Shape("sparse", 10, "sparse", 200_000, 50_000, {"fastest": 2}, l2=1e-5),
    Shape("flights", 11, "frame", 327_346, 47, {"glum": 5, "statsmodels": 20}, variant="flights"),
    Shape("military", 12, "file", 1_414_593, 10, {"fastest": 20}, variant="military"),
    Shape("100x5", 13, "small", 100, 5, SCIKIT_LEARN),
    Shape("1000x5", 14, "small", 1000, 5, SCIKIT_LEARN),
    Shape("sgd", 15, "sgd", 1_000_000, 50, {"torch-loop": 5, "sk-sgd": 1}),
)
SHAPES = {shape.name: shape for shape in _EACH}


def size(shape: Shape, scale: float) -> tuple[int, int]:
    """Rows and columns at a scale: rows shrink; columns only where too few rows would be left for each.

    At least 20 rows a column stay, or as many as there are at full size where those are fewer. Small shapes stay.
    """
    if shape.kind == "small":
        return shape.rows, shape.columns
    rows = max(100, round(shape.rows * scale))
    for_each = min(20, shape.rows // shape.columns)
    return rows, min(shape.columns, max(2, rows // for_each))


def make(shape: Shape, scale: float, folder: Path) -> None:
    """Write the data of a shape into a folder: X.npy or X.npz and y.npy, or table.parquet."""
    if shape.kind in ("frame", "file"):
        from benchmarks.tables import write_table  # pandas and the data are in the peers' environment only

        write_table(shape, scale, folder / "table.parquet")
        return
    rows, columns = size(shape, scale)
    random = np.random.default_rng([SEED, shape.number])
    if shape.kind == "sparse":
        S, y = _sparse(random, rows, columns)
        sparse.save_npz(folder / "X.npz", S, compressed=False)
    else:
        X, y = _COLUMNS[shape.variant](random, rows, columns)
        np.save(folder / "X.npy", X)
    np.save(folder / "y.npy", y)


def load(shape: Shape, folder: Path) -> tuple[NDArray[np.floating] | sparse.csr_matrix, Floats]:
    """Read what :func:`make` wrote, wholly into memory.

    Not as a memory map: its pages would be counted as memory of the solver that first touches them.
    """
    y = np.load(folder / "y.npy")
    if shape.kind == "sparse":
        return sparse.csr_matrix(sparse.load_npz(folder / "X.npz")), y
    return np.load(folder / "X.npy"), y


def _normal(random: np.random.Generator, n: int, p: int) -> tuple[Floats, Floats]:
    """Independent standard normal columns; coefficients N(0, 1/p), so that eta has a spread of about one."""
    X = random.standard_normal((n, p))  # (n, p)
    return X, _outcome(random, X @ _coefficients(random, p) - 0.5)


def _float32(random: np.random.Generator, n: int, p: int) -> tuple[NDArray[np.float32], Floats]:
    """As normal columns, rounded to float32 before the outcome is drawn."""
    X = random.standard_normal((n, p), dtype=np.float32)
    return X, _outcome(random, X @ _coefficients(random, p).astype(np.float32) - 0.5)


def _correlated(random: np.random.Generator, n: int, p: int) -> tuple[Floats, Floats]:
    """Every two columns are correlated 0.99: one normal variable in common, and a tenth of each column's own."""
    X = random.standard_normal((n, p))
    X *= np.sqrt(0.01)
    X += np.sqrt(0.99) * random.standard_normal((n, 1))
    return X, _outcome(random, X @ _coefficients(random, p) - 0.5)


def _scales(random: np.random.Generator, n: int, p: int) -> tuple[Floats, Floats]:
    """Normal columns with a mean of one spread, in units from 1e-4 to 1e4; each matters as much as any other."""
    X = random.standard_normal((n, p)) + 1
    eta = X @ _coefficients(random, p) - 0.5
    X *= np.logspace(-4, 4, p)
    return X, _outcome(random, eta)


def _rare(random: np.random.Generator, n: int, p: int) -> tuple[Floats, Floats]:
    """Normal columns; one positive in a thousand, or more where fewer than 500 would be left (never above 0.2)."""
    X = random.standard_normal((n, p))
    eta = X @ _coefficients(random, p)
    rate = min(0.2, max(1e-3, 500 / n))
    low, high = -30.0, 30.0
    for _ in range(60):  # bisection on the intercept, whose mean probability is the rate
        middle = (low + high) / 2
        low, high = (middle, high) if expit(eta + middle).mean() < rate else (low, middle)
    return X, _outcome(random, eta + low)


_COLUMNS: dict[str, Callable[[np.random.Generator, int, int], tuple[NDArray[np.floating], Floats]]] = {
    "normal": _normal,
    "float32": _float32,
    "correlated": _correlated,
    "scales": _scales,
    "rare": _rare,
}


def _sparse(random: np.random.Generator, n: int, p: int) -> tuple[sparse.csr_matrix, Floats]:
    """CSR with 50 (or p/4) different columns a row, all equally likely; normal values; indices sorted, 32 bits."""
    k = min(NON_ZEROS, max(1, p // 4))
    index = np.sort(random.integers(0, p, (n, k), dtype=np.int32), axis=1)  # (n, k)
    while (again := (np.diff(index, axis=1) == 0).any(axis=1)).any():
        index[again] = np.sort(random.integers(0, p, (int(again.sum()), k), dtype=np.int32), axis=1)
    values = random.standard_normal(n * k)
    X = sparse.csr_matrix((values, index.ravel(), np.arange(0, n * k + 1, k, dtype=np.int32)), shape=(n, p))
    # k terms, not p, are added up in a row.
    return X, _outcome(random, X @ (_coefficients(random, p) * np.sqrt(p / k)) - 0.5)


def _coefficients(random: np.random.Generator, p: int) -> Floats:
    w: Floats = random.standard_normal(p) / np.sqrt(p)
    return w


def _outcome(random: np.random.Generator, eta: NDArray[np.floating]) -> Floats:
    y: Floats = (random.random(len(eta)) < expit(eta)).astype(np.float64)
    return y
