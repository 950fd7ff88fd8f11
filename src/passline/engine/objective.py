"""F = mean loss + penalty, as solvers see it: values, products and samples, never a row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from passline.engine.blocks import Blocks
from passline.engine.columns import is_sparse
from passline.engine.guide import rough_curvature
from passline.engine.likelihood import (
    bernoulli,
    curvature_diagonal,
    likelihood,
    linearised,
    weighted_product,
    weighted_squares,
)
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

    def near(self, w: Array) -> Near:
        """Loss and gradient at ``w``, and the curvature there by its products."""
        sums = self.blocks.sum(linearised, w)
        value = sums.value / self.total
        if self.ridge is not None:
            value = value + Value(self.penalty(w), self.ridge * w)
        rows = self.blocks.with_weight(np.concatenate(sums.curvature))
        return Near(float(value.loss), value.gradient, np.concatenate(sums.eta), rows, self.total, self.ridge)

    def diagonal(self, w: Array) -> Array:
        """The diagonal of the curvature at ``w``: (p,)."""
        diagonal = self.blocks.sum(curvature_diagonal, w) / self.total
        return diagonal if self.ridge is None else diagonal + self.ridge

    def loss(self, w: Array, eta: Array) -> float:
        """The objective at ``w`` from the rows' linear predictor there, (n,): no pass."""
        rows = self.blocks.all
        loss, _, _ = bernoulli(eta, rows.y)
        return float((loss if rows.weight is None else rows.weight * loss).sum()) / self.total + self.penalty(w)

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


@dataclass(frozen=True)
class Near:
    """The objective at one point: loss, gradient (p,), the rows' linear predictor eta (n,), and the curvature.

    Rows keep their weight in the curvature, so a product costs two products with the columns and nothing else.
    """

    loss: float
    gradient: Array
    eta: Array
    rows: Blocks
    total: float
    ridge: Array | None

    def product(self, v: Array) -> Array:
        """The curvature times ``v``: (p,) -> (p,)."""
        product = self.rows.sum(weighted_product, v)
        product /= self.total
        if self.ridge is not None:
            product += self.ridge * v
        return product

    def diagonal(self) -> Array:
        """The curvature's diagonal: (p,)."""
        diagonal = self.rows.sum(weighted_squares) / self.total
        return diagonal if self.ridge is None else diagonal + self.ridge
