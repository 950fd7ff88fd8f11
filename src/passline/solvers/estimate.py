"""From blocks to a certified estimate: independent columns, a start on a sample, the solver, and the way back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from passline.engine.blocks import Blocks
from passline.engine.columns import Dense
from passline.engine.objective import Objective
from passline.engine.penalty import Penalty
from passline.engine.scaling import Floats, Scaling
from passline.engine.value import Array
from passline.solvers.base import Report, Solution, Status
from passline.solvers.linear import NotPositiveDefiniteError, inverse
from passline.solvers.newton import newton
from passline.solvers.rank import independent

# A sample this many times the number of columns has an optimum within a standard error or so (of its own) of the
# whole table's; below five samples' worth of rows the detour costs more than it saves.
SAMPLE_ROWS, SAMPLE_ROWS_A_COLUMN = 20_000, 50


@dataclass(frozen=True)
class Estimate:
    """An estimate in the design's own coordinates, and what certifies it.

    ``coef``: (p,), NaN where aliased. ``covariance``: (p, p) inverse of the information, NaN rows and columns where
    aliased, or all NaN where the information is singular. ``keep``: (p,) bool, the columns that are not aliased.
    ``gradient``: (p,) of the mean objective with respect to standardised columns. ``passes`` over all rows.
    """

    coef: Floats
    covariance: Floats
    gradient: Floats
    keep: Array
    solution: Solution
    passes: int

    @property
    def gradient_norm(self) -> float:
        return float(np.abs(self.gradient[self.keep]).max(initial=0.0))

    @property
    def max_step_in_se(self) -> float | None:
        """The largest Newton step that is left in any direction, in standard errors: sqrt(n g' H^-1 g)."""
        return float(np.sqrt(max(self.solution.trace[-1].decrement, 0.0)))


def estimate(
    blocks: Blocks, scaling: Scaling, penalty: Penalty | None = None, *, report: Report | None = None
) -> Estimate:
    """The maximum (penalised) likelihood estimate over the blocks' columns."""
    before = blocks.passes
    penalty = penalty or Penalty()
    rank = independent(blocks, scaling)
    ridge = _ridge(penalty, scaling)
    kept = rank.keep
    if penalty:
        # A ridge makes every column count, the dependent ones too.
        kept, work, basis = np.arange(blocks.p), blocks, None
    elif rank.triangle is not None:
        basis = np.linalg.solve(rank.triangle, np.eye(len(kept))) * np.sqrt(blocks.total)
        work = blocks.with_columns(Dense(blocks.all.columns.take(kept).dense() @ basis))
    else:
        work, basis = blocks, None
    objective = Objective(work, ridge)
    solution = newton(objective, start(objective, report), report=report)
    return _restored(solution, work, kept, basis, blocks, scaling, before)


def start(objective: Objective, report: Report | None = None) -> Floats:
    """Where to begin: the optimum of a sample, where the table is long enough for one to pay, else zero."""
    zero = np.zeros(objective.p)
    m = max(SAMPLE_ROWS, SAMPLE_ROWS_A_COLUMN * objective.p)
    if objective.blocks.n < 5 * m:
        return zero
    sampled = newton(objective.sample(m), zero, report=report, max_steps=12)
    # A separated sample points far out and says nothing of the table.
    return sampled.coef if sampled.status is Status.CONVERGED else zero


def _ridge(penalty: Penalty, scaling: Scaling) -> Floats | None:
    if not penalty:
        return None
    ridge = np.empty(scaling.p)
    ridge[scaling.position] = penalty.l2 / scaling.scale**2
    if scaling.intercept:
        ridge[scaling.position[0]] = 0.0
    return ridge


def _restored(
    solution: Solution,
    work: Blocks,
    kept: Array,
    basis: Floats | None,
    blocks: Blocks,
    scaling: Scaling,
    before: int,
) -> Estimate:
    passes = blocks.passes - before + (work.passes if work is not blocks else 0)
    p = blocks.p
    v, V = np.zeros(p), np.zeros((p, p))
    coef = solution.coef
    try:
        covariance = inverse(solution.curvature) / work.total
    except NotPositiveDefiniteError:
        covariance = np.full_like(solution.curvature, np.nan)
    gradient = solution.gradient
    if basis is not None:
        coef, covariance = basis @ coef, basis @ covariance @ basis.T
        gradient = np.linalg.solve(basis.T, gradient)
    g = np.zeros(p)
    v[kept], V[np.ix_(kept, kept)], g[kept] = coef, covariance, gradient
    keep = np.isin(scaling.position, kept)
    w, W = scaling.restore(v), scaling.restore_covariance(V)
    w[~keep] = np.nan
    W[~keep, :] = W[:, ~keep] = np.nan
    return Estimate(w, W, scaling.standardised_gradient(g), keep, replace(solution), passes)
