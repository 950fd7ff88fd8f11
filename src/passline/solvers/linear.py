"""Symmetric positive definite systems, equilibrated so that rare categories cost no digits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Triangles up to this many rows are inverted at once.
LEAF = 64


class NotPositiveDefiniteError(ArithmeticError):
    """The curvature has a direction in which it does not curve."""


def inverse(H: Floats) -> Floats:
    """H^-1 of a symmetric positive definite H, (p, p); raises NotPositiveDefiniteError."""
    d, L = _factor(H)
    half = triangle_inverse(L) * d
    return half.T @ half


def whitener(H: Floats) -> tuple[Floats, float]:
    """(T, log det H) with T' H T the identity, of a symmetric positive definite H; raises NotPositiveDefiniteError."""
    d, L = _factor(H)
    T = d[:, None] * triangle_inverse(L).T
    return T, 2.0 * float(np.log(np.diagonal(L)).sum() - np.log(d).sum())


def solve(H: Floats, g: Floats) -> Floats:
    """H^-1 g for a symmetric positive definite H, (p, p); raises NotPositiveDefiniteError."""
    return factor(H)(g)


def solve_lifted(H: Floats, g: Floats) -> Floats:
    """H^-1 g, (p,), of a curvature that may be singular to rounding: its diagonal is then lifted as far as it takes."""
    lift = 0.0
    diagonal = np.maximum(np.diagonal(H), np.finfo(float).tiny)
    while True:
        try:
            return solve(H if lift == 0.0 else H + np.diag(lift * diagonal), g)
        except NotPositiveDefiniteError:
            lift = 1e-12 if lift == 0.0 else 10.0 * lift
            if lift > 1e12:
                return g / diagonal


def factor(H: Floats) -> Callable[[Floats], Floats]:
    """G -> H^-1 g for a symmetric positive definite H, (p, p), factored once; raises NotPositiveDefiniteError."""
    d, L = _factor(H)
    half = triangle_inverse(L) * d
    return lambda g: half.T @ (half @ g)


def triangle_inverse(L: Floats) -> Floats:
    """The inverse of a lower triangular L, (p, p): by halves, so that nearly all work is products of matrices.

    NumPy's general solver would pivot, and take eight times the operations. Source: Higham, Accuracy and Stability of
    Numerical Algorithms (2002), 14.2.
    """
    p = len(L)
    if p <= LEAF:
        return np.asarray(np.linalg.solve(L, np.eye(p)), dtype=np.float64)
    h = p // 2
    out = np.zeros((p, p))
    out[:h, :h], out[h:, h:] = triangle_inverse(L[:h, :h]), triangle_inverse(L[h:, h:])
    out[h:, :h] = out[h:, h:] @ (-L[h:, :h] @ out[:h, :h])
    return out


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
