"""Symmetric positive definite systems, equilibrated so that rare categories cost no digits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class NotPositiveDefiniteError(ArithmeticError):
    """The curvature has a direction in which it does not curve."""


def inverse(H: Floats) -> Floats:
    """H^-1 of a symmetric positive definite H, (p, p); raises NotPositiveDefiniteError."""
    d, L = _factor(H)
    half = np.linalg.solve(L, np.diag(d))
    return half.T @ half


def whitener(H: Floats) -> tuple[Floats, float]:
    """(T, log det H) with T' H T the identity, of a symmetric positive definite H; raises NotPositiveDefiniteError."""
    d, L = _factor(H)
    T = d[:, None] * np.linalg.solve(L, np.eye(len(L))).T
    return T, 2.0 * float(np.log(np.diagonal(L)).sum() - np.log(d).sum())


def solve(H: Floats, g: Floats) -> Floats:
    """H^-1 g for a symmetric positive definite H, (p, p); raises NotPositiveDefiniteError."""
    d, L = _factor(H)
    scaled = d if g.ndim == 1 else d[:, None]
    return scaled * np.linalg.solve(L.T, np.linalg.solve(L, scaled * g))


def factor(H: Floats) -> Callable[[Floats], Floats]:
    """G -> H^-1 g for a symmetric positive definite H, (p, p), factored once; raises NotPositiveDefiniteError."""
    d, L = _factor(H)
    half = np.linalg.solve(L, np.diag(d))
    return lambda g: half.T @ (half @ g)


def _factor(H: Floats) -> tuple[Floats, Floats]:
    """(d, L) with diag(d) H diag(d) = L L' and a unit diagonal on the left."""
    diagonal = np.diagonal(H)
    if not (np.isfinite(H).all() and (diagonal > 0).all()):
        raise NotPositiveDefiniteError
    d = 1.0 / np.sqrt(diagonal)
    try:
        return d, np.asarray(np.linalg.cholesky(H * d[:, None] * d), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise NotPositiveDefiniteError from None
