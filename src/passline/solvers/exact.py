"""The exact objective at a stochastic answer, over all rows in double precision: what certifies it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from passline.engine.batches import Rows
from passline.engine.blocks import Block, Blocks
from passline.engine.columns import Shifted
from passline.engine.given import standardised
from passline.engine.likelihood import likelihood
from passline.engine.objective import Objective
from passline.engine.scaling import R_TOLERANCE
from passline.engine.value import Array
from passline.solvers.base import Floats

# What the default solver calls converged: the largest entry of the exact gradient, columns standardised.
TOLERANCE = 1e-8
# Where a gradient vanishes and Newton's step does not, the coefficients are on their way to infinity.
STEP = 1e-3
# Up to so many columns a curvature is cheap beside the epochs; a sample of so many rows tells the gap to a few percent.
CURVED, SAMPLE_ROWS, SAMPLE_ROWS_A_COLUMN = 300, 2_000, 20


@dataclass(frozen=True)
class Certificate:
    r"""Mean loss + l2/2 |w|^2 over all rows, each row used once, in double precision.

    ``gradient_norm``: the largest entry of its gradient, with respect to standardised columns. ``gap``: about how far
    the objective lies above its least value, :math:`g^T H^{-1} g / 2` with H of a sample; None where the columns are
    too many. ``converged``: whether the gradient vanishes as the default solver means it, and not on the way to
    infinity.
    """

    loss: float
    gradient_norm: float
    gap: float | None
    converged: bool


def certify(rows: Rows, coef: Floats, intercept: float, *, l2: float = 0.0, has_intercept: bool = True) -> Certificate:
    """Walk all rows once at ``coef`` (p,) and ``intercept``."""
    k = int(has_intercept)
    with np.errstate(all="ignore"):  # what overflows is in the answer, as an infinity
        seen = see(rows, has_intercept)
        v = coef * seen.scale
        if has_intercept:
            v = np.append(intercept + seen.center @ coef, v)
        block = rows.block()
        offset = block.offset
        if intercept and not has_intercept:  # one that was begun with, and stays
            offset = np.full(rows.shape[0], intercept) + (0.0 if offset is None else offset)
        # Under a penalty that is too large to be squared the coefficient is zero in all its digits.
        ridge = np.append(np.zeros(k), np.minimum(l2 / seen.scale**2, 1e100)) if l2 else None
        objective = Objective(Blocks(Block(seen, block.y, block.weight, offset)), ridge)
        value = objective(v, 1)
        gradient = np.asarray(value.gradient, np.float64)
        norm = float(np.abs(gradient).max(initial=0.0))
        gap, converged = None, norm <= TOLERANCE and l2 > 0
        if len(v) <= CURVED and np.isfinite(norm):
            settled = norm <= TOLERANCE and not l2
            m = rows.shape[0] if settled else max(SAMPLE_ROWS, SAMPLE_ROWS_A_COLUMN * len(v))
            step = _newton(np.asarray(objective.sample(m)(v, 2).curvature), gradient)
            gap = 0.5 * float(gradient @ step)
            converged = converged or (settled and float(np.abs(step).max(initial=0.0)) <= STEP)
    return Certificate(float(value.loss), norm, gap, converged)


def mean_loss(rows: Rows, among: Array, coef: Floats, intercept: float) -> float:
    """The mean loss over the rows ``among`` (an index array of NumPy's), each weighted, without the penalty."""
    block = rows.block(among)
    offset = np.broadcast_to(intercept, len(among)) if block.offset is None else block.offset + intercept
    blocks = Blocks(Block(block.columns, block.y, block.weight, offset))
    with np.errstate(all="ignore"):
        return float(blocks.sum(likelihood, coef, 0).loss) / blocks.total


def see(rows: Rows, intercept: bool) -> Shifted:
    """The rows' columns with mean near zero (where there is an intercept) and spread near one."""
    block = rows.block()
    if not rows.sparse:
        return standardised(block.columns, intercept)
    n, p = block.columns.shape
    with np.errstate(all="ignore"):  # a value that is not finite is found by what it leaves, and named then
        first, second = Blocks(Block(block.columns, block.y)).sum(_moments) / n
        center = first if intercept else np.zeros(p)
        variance = second - center**2
        # What is left of a constant column's square is rounding.
        scale = np.sqrt(np.where(variance > R_TOLERANCE * second, variance, 1.0))
    return Shifted(block.columns, center, np.where(scale < np.inf, scale, 1.0), intercept)


def _moments(block: Block) -> Floats:
    ones = np.ones(block.columns.shape[0])
    return np.stack([block.columns.transposed_times(ones), block.columns.square_sums(ones)])


def _newton(curvature: Floats, gradient: Floats) -> Floats:
    p = len(gradient)
    level = float(np.trace(curvature)) / max(p, 1)
    if not (level > 0 and np.isfinite(curvature).all()):
        return np.full(p, np.inf)
    # A trace of the identity, so that columns that repeat each other leave a system that can be solved.
    solvable = curvature / level + 1e-10 * np.eye(p)
    return np.asarray(np.linalg.solve(solvable, gradient) / level, np.float64)
