"""The likelihood where linear combinations of the coefficients are held, or its supremum where it has no maximum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passline.engine.columns import Dense
from passline.engine.objective import Objective
from passline.engine.value import Array, Value
from passline.inference.sample import Sample
from passline.solvers.newton import newton
from passline.solvers.rank import independent

Floats = NDArray[np.float64]

# Combinations that are closer to dependent than this hold less than they seem to.
DEPENDENT = 1e-10


@dataclass(frozen=True)
class Restricted(Objective):
    """An objective on the flat v = origin + Z u: its coefficients are u. ``Z``: (k, d); ``origin``: (k,)."""

    Z: Array = None
    origin: Array = None

    @property
    def p(self) -> int:
        return int(self.Z.shape[1])

    def __call__(self, w: Array, order: int = 2) -> Value:
        value = super().__call__(self.origin + self.Z @ w, order)
        g, H = value.gradient, value.curvature
        return Value(value.loss, None if g is None else self.Z.T @ g, None if H is None else self.Z.T @ H @ self.Z)


@dataclass(frozen=True)
class Peak:
    """The greatest log-likelihood under constraints A w = c.

    ``v``: where it is, in the solver's coordinates: a start for a neighbour. ``multipliers``: (m,), how fast it
    would grow with each of c; -inf and NaN where no coefficients meet the constraints.
    """

    log_likelihood: float
    v: Floats
    multipliers: Floats


@dataclass(frozen=True)
class Constrained:
    """A sample's likelihood over its independent columns; ``back``: (p, k) from the solver's coefficients to w."""

    objective: Objective
    back: Floats

    @classmethod
    def of(cls, sample: Sample) -> Constrained:
        """The likelihood of all rows of a sample, whether or not anything separates them."""
        blocks = sample.blocks
        rank = independent(blocks, sample.scaling)
        basis = np.eye(blocks.p)[:, rank.keep]
        work = blocks
        if rank.triangle is not None:
            turn = np.linalg.solve(rank.triangle, np.eye(len(rank.keep))) * np.sqrt(blocks.total)
            work = blocks.with_columns(Dense(blocks.all.columns.take(rank.keep).dense() @ turn))
            basis = basis @ turn
        return cls(Objective(work), sample.scaling.restore(basis))

    def rank(self, A: Floats) -> int:
        """How many of the combinations ``A`` (m, p) say something of their own about the independent columns."""
        s = np.linalg.svd(_unit(A @ self.back), compute_uv=False)
        return int((s > DEPENDENT).sum())

    def maximum(self, A: Floats, c: Floats, warm: Floats | None = None) -> Peak:
        r"""The greatest log-likelihood among the coefficients that meet A w = c; its supremum where it has none.

        .. math:: \max_w \ell(w) \text{ subject to } A w = c; \quad \nabla \ell = A^T \lambda \text{ there}

        ``A``: (m, p) of rank m on the independent columns; ``c``: (m,); ``warm``: (k,) to begin near. Newton's method
        on the flat; along a direction that separates each step gains what is left but for a third of it, so that the
        supremum is met to rounding without naming the direction.
        """
        M = A @ self.back  # (m, k)
        length = np.linalg.norm(M, axis=1)
        Q, R = np.linalg.qr((M / length[:, None]).T, mode="complete")
        m = len(A)
        particular = Q[:, :m] @ np.linalg.solve(R[:m].T, c / length)
        Z = Q[:, m:]
        v = particular + Z @ _highest(Restricted(self.objective.blocks, None, Z, particular), warm)
        value = self.objective(v, 1)
        slope = np.linalg.solve(R[:m], Q[:, :m].T @ np.asarray(value.gradient)) / length
        total = self.objective.total
        return Peak(-total * float(value.loss), v, -total * slope)


def _highest(flat: Restricted, warm: Floats | None) -> Floats:
    """The coefficients on a flat at which the likelihood is greatest: (d,)."""
    zero = np.zeros(flat.p)
    if not flat.p:
        return zero
    if warm is not None:
        found = newton(flat, flat.Z.T @ warm, patient=True)
        # Far out along a separating direction the curvature is nothing but rounding, and a step from there may fail.
        if found.converged:
            return found.coef
    return newton(flat, zero, patient=True).coef


def _unit(M: Floats) -> Floats:
    length = np.linalg.norm(M, axis=1)
    unit: Floats = M / np.where(length > 0, length, 1.0)[:, None]
    return unit
