"""The maximum-likelihood estimate in 50 digits, by Newton's method: what the solvers' digits are counted against."""

from __future__ import annotations

import mpmath
import numpy as np


def maximum_likelihood(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and standard errors, (p,) each, of the columns as they stand in double precision."""
    with mpmath.workdps(50):
        rows = [[mpmath.mpf(float(v)) for v in row] for row in X]
        p = X.shape[1]
        w = mpmath.zeros(p, 1)
        for _ in range(60):
            g, H = mpmath.zeros(p, 1), mpmath.zeros(p, p)
            for row, outcome in zip(rows, y, strict=True):
                mu = 1 / (1 + mpmath.exp(-mpmath.fdot(row, w)))
                for i in range(p):
                    g[i] += row[i] * (mu - float(outcome))
                    for j in range(p):
                        H[i, j] += mu * (1 - mu) * row[i] * row[j]
            step = mpmath.lu_solve(H, g)
            w -= step
            if max(abs(s) / max(abs(v), mpmath.mpf(1e-30)) for s, v in zip(step, w, strict=True)) < 1e-40:
                break
        V = H**-1
        return np.array([float(v) for v in w]), np.array([float(mpmath.sqrt(V[j, j])) for j in range(p)])


def left_over(X: np.ndarray) -> list[float]:
    """What is left of each column beyond its predecessors, as a share of its length, in 50 digits."""
    with mpmath.workdps(50):
        basis: list[list[mpmath.mpf]] = []
        shares = []
        for column in X.T:
            x = [mpmath.mpf(float(v)) for v in column]
            length = mpmath.sqrt(mpmath.fdot(x, x))
            for q in basis:
                along = mpmath.fdot(q, x)
                x = [a - along * b for a, b in zip(x, q, strict=True)]
            rest = mpmath.sqrt(mpmath.fdot(x, x))
            shares.append(float(rest / length))
            if rest > 0:
                basis.append([a / rest for a in x])
        return shares
