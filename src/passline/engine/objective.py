"""F = mean loss + penalty, as solvers see it: values, products and samples, never a row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from passline.engine.blocks import Blocks
from passline.engine.columns import is_sparse
from passline.engine.guide import rough_curvature
from passline.engine.likelihood import curvature_diagonal, curvature_product, likelihood
from passline.engine.value import Array, Value


@dataclass(frozen=True)
class Objective:
    r"""The mean loss over the rows plus a quadratic penalty.

    .. math:: F(w) = \frac{1}{\sum c_i} \sum_i c_i \ell(x_i^T w + o_i, y_i) + \tfrac12 \sum_j ridge_j w_j^2

    ``ridge``: (p,), zero at the intercept; in the solver's coordinates, which are not the user's (see Scaling).
    """

    blocks: Blocks
    ridge: Array | None = None  # (p,)

    @property
    def p(self) -> int:
        return self.blocks.p

    @property
    def total(self) -> float:
        """The sum of weights: F times this is the negative log-likelihood (plus its penalty)."""
        return self.blocks.total

    def penalty(self, w: Array) -> float:
        """What the objective has at ``w`` beyond the mean loss."""
        return 0.0 if self.ridge is None else 0.5 * float(self.ridge @ (w * w))

    def __call__(self, w: Array, order: int = 2) -> Value:
        value = self.blocks.sum(likelihood, w, order) / self.total
        if self.ridge is None:
            return value
        return value + Value(
            self.penalty(w),
            self.ridge * w if order >= 1 else None,
            np.diag(self.ridge) if order >= 2 else None,
        )

    @property
    def sparse(self) -> bool:
        """Whether the columns are kept sparse: a curvature would fill them in."""
        return is_sparse(self.blocks.all.columns)

    def diagonal(self, w: Array) -> Array:
        """The diagonal of the curvature at ``w``: (p,)."""
        diagonal = self.blocks.sum(curvature_diagonal, w) / self.total
        return diagonal if self.ridge is None else diagonal + self.ridge

    def product(self, w: Array, v: Array) -> Array:
        """The curvature at ``w`` times ``v``: (p,)."""
        product = self.blocks.sum(curvature_product, w, v) / self.total
        return product if self.ridge is None else product + self.ridge * v

    def sample(self, m: int) -> Objective:
        """The same objective on about m of the rows."""
        return Objective(self.blocks.sample(m), self.ridge)

    def balanced_sample(self, m: int) -> Objective:
        """The same objective, in expectation, on about m of the rows: half of them from an outcome that is rare."""
        return Objective(self.blocks.balanced_sample(m), self.ridge)

    def rough_curvature(self, w: Array, rows: int) -> Array:
        """A curvature that only guides, from about so many of the rows: (p, p)."""
        curvature = rough_curvature(self.blocks, w, rows)
        if self.ridge is not None:
            curvature[np.diag_indices(self.p)] += self.ridge
        return curvature
