"""How far a point can be from the minimum under an l1 penalty at most: the duality gap."""

from __future__ import annotations

import numpy as np

from passline.engine.likelihood import bernoulli, weighted_sums
from passline.engine.objective import Objective
from passline.solvers.base import Floats

# Coefficients that are next to free: their share of the gradient is below what rounding leaves of it.
NEXT_TO_FREE = 1e-13


def duality_gap(objective: Objective, l1: Floats, w: Floats, eta: Floats) -> float:
    r"""An upper bound of what the objective at ``w`` (p,) has above its minimum, by a point of its dual; one pass.

    .. math:: P(w) - D(u), \quad D(u) = \tfrac1N \sum_i c_i [h(y_i + u_i) + u_i o_i] - \sum_j \Omega_j^*(g_j),
        \quad g = \tfrac1N X^T (c u)

    with the entropy :math:`h(m) = -m \log m - (1 - m) \log(1 - m)` and, of a coefficient with both penalties,
    :math:`\Omega^*(g) = (|g| - l_1)_+^2 / (2 l_2)`; without l2 the dual asks for :math:`|g| \le l_1`, of the intercept
    for a residual u that sums to zero. The fitted residual gets there exactly: its positive or its negative part is
    shrunk until both sum up alike, then all of it until the largest g fits. ``eta``: (n,) the linear predictor. Source:
    Ndiaye, Fercoq, Gramfort and Salmon, Gap safe screening rules (2017), with an intercept. A coefficient whose penalty
    is below rounding is held to be at most 1 + 2 |w_j| in size.
    """
    rows = objective.blocks.all
    c = np.ones(len(eta)) if rows.weight is None else rows.weight
    loss, u, _ = bernoulli(eta, rows.y)
    ridge = np.zeros(len(w)) if objective.ridge is None else objective.ridge
    primal = float(c @ loss) / objective.total + objective.penalty(w) + float(l1 @ np.abs(w))
    if ((l1 == 0) & (ridge == 0)).any():
        u = _balanced(u, c)
    g = np.asarray(objective.blocks.with_weight(c * u).sum(weighted_sums)) / objective.total
    size, held = np.abs(g), l1 > NEXT_TO_FREE
    over = held & (size > l1)
    every = float((l1[over] / size[over]).min(initial=1.0))
    needed = over & (ridge == 0)
    shares = {every, float((l1[needed] / size[needed]).min(initial=1.0))}
    slack = np.where(held | (ridge > 0) | (l1 == 0), 0.0, np.maximum(size - l1, 0.0))

    def dual(share: float) -> float:
        m, rest = rows.y + share * u, (1.0 - rows.y) - share * u
        value = -(_x_log_x(m) + _x_log_x(rest))
        if rows.offset is not None:
            value = value + share * u * rows.offset
        beyond = np.where(ridge > 0, np.maximum(share * size - l1, 0.0), 0.0)
        conjugate = np.divide(beyond * beyond, 2.0 * ridge, out=np.zeros(len(w)), where=beyond > 0)
        return float(c @ value) / objective.total - float(conjugate.sum())

    best = max(dual(share) for share in shares)
    return max(primal - best, 0.0) + float(slack @ (1.0 + 2.0 * np.abs(w)))


def _balanced(u: Floats, c: Floats) -> Floats:
    """The residual with its larger part shrunk so that c'u is zero: still between an outcome and its probability."""
    up, down = float(c @ np.maximum(u, 0.0)), float(c @ np.maximum(-u, 0.0))
    if up > down:
        return np.where(u > 0, u * (down / up), u)
    return np.where(u < 0, u * (up / down), u) if down > up else u


def _x_log_x(x: Floats) -> Floats:
    x = np.maximum(x, 0.0)
    return x * np.log(np.where(x > 0, x, 1.0))
