"""The proof that an estimate exists, from a point near it: by products with the curvature, never forming it."""

from __future__ import annotations

import numpy as np

from passline.engine.blocks import Block
from passline.engine.objective import Near, Objective
from passline.solvers.base import Floats
from passline.solvers.quasi import Precondition

# The Newton step is solved for to this share, in at most so many products.
SHARE, PRODUCTS = 1e-3, 60


def overlaps(objective: Objective, w: Floats, gradient: Floats, precondition: Precondition) -> bool:
    """Whether Newton's next step from ``w`` (p,) moves no row's linear predictor by 1: then no direction separates.

    The lemma stands at :func:`passline.solvers.newton.proves_overlap`; here every row is looked at. False says only
    that this point proves nothing.
    """
    step = _newton_step(objective.near(w), gradient, precondition)
    if step is None:
        return False
    moved = objective.blocks.each_row(_moved, step)
    return bool(moved.max(initial=0.0) < 0.5)


def _moved(block: Block, step: Floats) -> Floats:
    moved: Floats = np.abs(block.columns.times(step))
    return moved


def _newton_step(near: Near, g: Floats, precondition: Precondition) -> Floats | None:
    """The solution of H s = -g by preconditioned conjugate gradients; None where they do not come to an end."""
    s, r = np.zeros_like(g), -g
    z = precondition(r)
    d, rz = z.copy(), float(r @ z)
    goal = SHARE**2 * rz
    if not rz > 0:
        return None if g.any() else s
    for _ in range(PRODUCTS):
        if not rz > goal:
            return s if rz >= 0 else None
        Hd = near.product(d)
        bend = float(d @ Hd)
        if not bend > 0:
            return None
        s += (rz / bend) * d
        r -= (rz / bend) * Hd
        z = precondition(r)
        rz, before = float(r @ z), rz
        d = z + (rz / before) * d
    return None
