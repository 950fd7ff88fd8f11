"""The judge: the exact gradient of anybody's answer, computed here and by nobody's solver."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit

Floats = NDArray[np.float64]
BLOCK = 1 << 22  # bytes of float64, so that a converted block stays in the cache


def gradient_norm(
    X: NDArray[np.floating] | sparse.csr_matrix, y: Floats, coef: Floats, intercept: float, l2: float
) -> float:
    r"""The largest entry of the gradient of mean loss + penalty with respect to standardised columns and the intercept.

    .. math:: g_0 = \bar r, \quad g_j = (\overline{x_j r} - m_j \bar r + l_2 w_j) / s_j, \quad r = \mu - y

    X: (n, p) dense or CSR, y: (n,), coef: (p,); m and s are the columns' means and spreads (1/n). In float64, whatever
    the columns are in. A column without spread counts as it is. NaN if the answer holds a number that is not finite.
    """
    n, p = X.shape
    if not (np.isfinite(coef).all() and np.isfinite(intercept)):
        return float("nan")
    sums = np.zeros((3, p))  # of x, x squared about the first row, x r
    shift = np.zeros(p) if sparse.issparse(X) else X[0].astype(np.float64)
    residual = 0.0
    step = n if sparse.issparse(X) else max(1, BLOCK // (8 * p))
    for start in range(0, n, step):
        block = X[start : start + step].astype(np.float64, copy=False)
        r = expit(block @ coef + intercept) - y[start : start + step]
        residual += r.sum()
        centred = block if sparse.issparse(block) else block - shift
        square = centred.multiply(centred) if isinstance(centred, sparse.csr_matrix) else centred * centred
        sums += [np.asarray(part).ravel() for part in (centred.sum(axis=0), square.sum(axis=0), centred.T @ r)]
    m = sums[0] / n  # about the shift
    s = np.sqrt(np.maximum(sums[1] / n - m * m, 0))
    s[s <= 1e-12 * np.abs(m + shift)] = 1.0
    g = (sums[2] / n - m * (residual / n) + l2 * coef) / s
    return float(max(abs(residual / n), np.abs(g).max(initial=0.0)))
