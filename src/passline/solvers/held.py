"""An objective of which some linear combinations of the coefficients are held: what profiles and nested tests fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from passline.engine.blocks import Blocks
from passline.engine.value import Array, Value
from passline.solvers.base import Floats, Smooth


@dataclass(frozen=True)
class Held:
    r"""The objective over u, at the coefficients v = ``origin`` + ``free`` u.

    .. math:: R(u) = F(v_0 + N u), \quad \nabla R = N^T \nabla F, \quad \nabla^2 R = N^T \nabla^2 F \, N

    ``origin``: (k,); ``free``: (k, k - m) with orthonormal columns. What F itself counts over all columns (a penalty,
    a determinant) it still counts over all.
    """

    objective: Smooth
    origin: Floats
    free: Floats

    @property
    def blocks(self) -> Blocks:
        """The rows of the objective."""
        return self.objective.blocks

    @property
    def total(self) -> float:
        """The sum of weights."""
        return self.objective.total

    def at(self, u: Array) -> Floats:
        """The objective's coefficients: (k - m,) -> (k,)."""
        v: Floats = self.origin + self.free @ u
        return v

    def __call__(self, w: Array, order: int = 2) -> Value:
        value = self.objective(self.at(w), order)
        g, H = value.gradient, value.curvature
        return Value(
            value.loss,
            None if g is None else self.free.T @ g,
            None if H is None else self.free.T @ H @ self.free,
        )


def hold(objective: Smooth, combinations: Floats, values: Floats, near: Floats) -> Held:
    """The objective with ``combinations`` (m, k) times the coefficients held at ``values`` (m,).

    The rows of ``combinations`` must be independent. u = 0 is the point that keeps the values and is closest to
    ``near`` (k,).
    """
    Q, R = np.linalg.qr(combinations.T, mode="complete")
    m = len(combinations)
    missing = np.linalg.solve(R[:m].T, values - combinations @ near)
    return Held(objective, near + Q[:, :m] @ missing, Q[:, m:])
