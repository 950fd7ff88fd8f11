"""From blocks to a certified estimate: independent columns, a start on a sample, the solver, and the way back."""

from __future__ import annotations

from dataclasses import dataclass

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
    aliased, or all NaN where the information is singular. ``std_error``: (p,) its diagonal's root, also of columns so
    large or small that their squares are no numbers. ``keep``: (p,) bool, the columns that are not aliased.
    ``gradient``: (p,) of the mean objective with respect to standardised columns.

    The solver worked on ``objective`` with coefficients v (k,); ``back`` (p, k) takes them to the design's: w = back v.
    """

    coef: Floats
    covariance: Floats
    std_error: Floats
    gradient: Floats
    keep: Array
    solution: Solution
    objective: Objective
    back: Floats

    @property
    def gradient_norm(self) -> float:
        return float(np.abs(self.gradient[self.keep]).max(initial=0.0))

    @property
    def log_likelihood(self) -> float:
        """The log-likelihood at the estimate, its penalty taken off again."""
        ridge, v = self.objective.ridge, self.solution.coef
        penalty = 0.0 if ridge is None else 0.5 * float(ridge @ (v * v))
        return 0.0 - self.objective.total * (self.solution.loss - penalty)

    @property
    def max_step_in_se(self) -> float:
        """The largest Newton step that is left in any direction, in standard errors: sqrt(n g' H^-1 g)."""
        return float(np.sqrt(max(self.solution.trace[-1].decrement, 0.0)))


def estimate(
    blocks: Blocks,
    scaling: Scaling,
    penalty: Penalty | None = None,
    *,
    patient: bool = False,
    report: Report | None = None,
) -> Estimate:
    """The maximum (penalised) likelihood estimate over the blocks' columns.

    ``patient``: the rows are known to overlap, so go on even while coefficients seem to grow for ever.
    """
    penalty = penalty or Penalty()
    if penalty:
        # A ridge makes every column count, the dependent ones too.
        kept, work, basis = np.arange(blocks.p), blocks, np.eye(blocks.p)
    else:
        rank = independent(blocks, scaling)
        kept, work, basis = rank.keep, blocks, np.eye(blocks.p)[:, rank.keep]
        if rank.triangle is not None:
            turn = np.linalg.solve(rank.triangle, np.eye(len(kept))) * np.sqrt(blocks.total)
            work = blocks.with_columns(Dense(blocks.all.columns.take(kept).dense() @ turn))
            basis = basis @ turn
    objective = Objective(work, _ridge(penalty, scaling))
    solution = newton(objective, start(objective, report), patient=patient or bool(penalty), report=report)
    keep = np.isin(scaling.position, kept)
    back = scaling.restore(basis)
    g = np.zeros(blocks.p)
    g[kept] = np.linalg.solve(basis[kept].T, solution.gradient)
    coef = back @ solution.coef
    coef[~keep] = np.nan
    covariance, std_error = _covariance(solution, objective, back)
    covariance[~keep, :] = covariance[:, ~keep] = std_error[~keep] = np.nan
    return Estimate(coef, covariance, std_error, scaling.standardised_gradient(g), keep, solution, objective, back)


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


def _covariance(solution: Solution, objective: Objective, back: Floats) -> tuple[Floats, Floats]:
    """The covariance (p, p) and the standard errors (p,); NaN where the information is singular."""
    try:
        V = inverse(solution.curvature) / objective.total
    except NotPositiveDefiniteError:
        return np.full((len(back), len(back)), np.nan), np.full(len(back), np.nan)
    # The square of a column's unit may be no number where the unit is one.
    unit = np.abs(back).max(axis=1)
    unit = np.where(unit > 0, unit, 1.0)
    shape = back / unit[:, None]
    std_error = unit * np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", shape, V, shape), 0.0))
    with np.errstate(over="ignore", invalid="ignore"):
        return back @ V @ back.T, std_error
