"""The likelihood of a yes/no outcome, stated once over the array namespace (NumPy or torch).

A new loss is one function beside :func:`bernoulli` with the same three results a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from array_api_compat import array_namespace

from passline.engine.value import Array, Value

if TYPE_CHECKING:
    from passline.engine.blocks import Block


def bernoulli(eta: Array, y: Array) -> tuple[Array, Array, Array]:
    r"""Loss of each row and its first two derivatives in the linear predictor.

    .. math:: \ell = \log(1 + e^{\eta}) - y \eta, \quad \ell' = \mu - y, \quad \ell'' = \mu (1 - \mu)

    ``eta``: (n,) or (n, k); ``y``: the same shape, in [0, 1] (a proportion, where a row holds several trials).
    No probability is formed before a logarithm is taken, and the residual is exact in both tails: nothing here
    overflows or cancels at eta = +-1e4. Source: McCullagh and Nelder, Generalized Linear Models (1989), 4.4.
    """
    loss, residual, tail = _with_tail(eta, y)
    return loss, residual, tail * (1 - tail)


def _with_tail(eta: Array, y: Array) -> tuple[Array, Array, Array]:
    """Loss, its derivative, and the smaller of mu and 1 - mu; with few temporaries, whose cost a narrow table shows."""
    xp = _namespace(eta)
    tail = xp.exp(-xp.abs(eta))  # in (0, 1]
    loss = xp.log1p(tail)
    loss += xp.maximum(eta, xp.zeros((), dtype=eta.dtype))
    loss -= y * eta
    tail /= 1 + tail
    # The step function less y is exact where y is 0 or 1, so that nothing cancels in either tail.
    residual = xp.astype(~xp.signbit(eta), eta.dtype) - y
    residual -= xp.copysign(tail, eta)
    return loss, residual, tail


def mean(eta: Array) -> Array:
    """The probability 1 / (1 + exp(-eta)), for any shape, without overflow."""
    xp = _namespace(eta)
    e = xp.exp(-xp.abs(eta))
    return xp.where(eta > 0, 1 / (1 + e), e / (1 + e))


def likelihood(block: Block, w: Array, order: int) -> Value:
    r"""Negative log-likelihood of a block's rows at ``w``, with its gradient (order 1) and curvature (order 2).

    .. math:: \sum_i c_i \ell(\eta_i, y_i), \quad \sum_i c_i \ell'_i x_i, \quad \sum_i c_i \ell''_i x_i x_i^T

    where c is the row's weight. ``w``: (p,) or (p, k); the curvature of a matrix is one (p, p) a column.
    """
    eta = block.eta(w)
    xp = _namespace(eta)
    wide = eta.ndim == 2
    y = block.y[:, None] if wide and block.y.ndim == 1 else block.y
    loss, residual, tail = _with_tail(eta, y)
    if block.weight is not None:
        c = block.weight[:, None] if wide else block.weight
        loss, residual = c * loss, c * residual
    total = xp.sum(loss, axis=0)
    if order == 0:
        return Value(total)
    gradient = block.columns.transposed_times(residual)
    if order == 1:
        return Value(total, gradient)
    curvature = tail * (1 - tail)
    if block.weight is not None:
        curvature = c * curvature
    if wide:
        gram = xp.stack([block.columns.gram(curvature[:, j]) for j in range(eta.shape[1])])
    else:
        gram = block.columns.gram(curvature)
    return Value(total, gradient, gram)


@dataclass(frozen=True)
class Linearised:
    """Loss and gradient of some rows, and what each row leaves for the curvature there: sums add, rows queue up.

    ``eta``: the linear predictor; ``curvature``: c mu (1 - mu), both (n,), a block at a time.
    """

    value: Value
    eta: tuple[Array, ...]
    curvature: tuple[Array, ...]

    def __add__(self, other: Linearised) -> Linearised:
        return Linearised(self.value + other.value, self.eta + other.eta, self.curvature + other.curvature)


def linearised(block: Block, w: Array) -> Linearised:
    """As :func:`likelihood` of order 1, with each row's linear predictor and curvature beside it; ``w``: (p,)."""
    eta = block.eta(w)
    loss, residual, curvature = bernoulli(eta, block.y)
    if block.weight is not None:
        loss, residual, curvature = block.weight * loss, block.weight * residual, block.weight * curvature
    value = Value(loss.sum(), block.columns.transposed_times(residual))
    return Linearised(value, (eta,), (curvature,))


def weighted_product(block: Block, v: Array) -> Array:
    """X' (c (X v)) with the rows' weights c: (p,) -> (p,)."""
    return block.columns.transposed_times(block.weight * block.columns.times(v))


def weighted_squares(block: Block) -> Array:
    """Sum of c x_j^2 with the rows' weights c: (p,)."""
    assert block.weight is not None
    return block.columns.square_sums(block.weight)


def weighted_sums(block: Block) -> Array:
    """X' c with the rows' weights c: (p,)."""
    assert block.weight is not None
    return block.columns.transposed_times(block.weight)


def weighted_gram(block: Block) -> Array:
    """X' diag(c) X with the rows' weights c: (p, p)."""
    assert block.weight is not None
    return block.columns.gram(block.weight)


def curvature_weights(block: Block, w: Array) -> Array:
    """What each row weighs in the curvature at ``w`` (p,): c mu (1 - mu), (n,)."""
    eta = block.eta(w)
    tail = _namespace(eta).exp(-abs(eta))
    d = tail / (1 + tail) ** 2
    return d if block.weight is None else d * block.weight


def curvature_diagonal(block: Block, w: Array) -> Array:
    """The diagonal of the curvature at ``w``: sum of c mu (1 - mu) x_j^2, (p,)."""
    return block.columns.square_sums(curvature_weights(block, w))


def _namespace(array: Array) -> Any:
    """The functions for an array: looking them up costs as much as ten sums over a small block."""
    return np if isinstance(array, np.ndarray) else array_namespace(array)
