"""From blocks to a certified estimate: independent columns, the way to the optimum, and the way back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from passline.engine.blocks import Block, Blocks
from passline.engine.columns import Dense
from passline.engine.objective import Objective
from passline.engine.penalty import Penalty
from passline.engine.scaling import Floats, Scaling
from passline.engine.value import Array, Value
from passline.solvers.auto import descend
from passline.solvers.auto import solve as solve_by_work
from passline.solvers.base import Report, Solution, Status
from passline.solvers.elastic_net import elastic_net
from passline.solvers.linear import NotPositiveDefiniteError, inverse, solve
from passline.solvers.newton import last_step, newton
from passline.solvers.rank import independent

# A sample this many times the number of columns has an optimum within a standard error or so (of its own) of the
# whole table's; below five samples' worth of rows the detour costs more than it saves.
SAMPLE_ROWS, SAMPLE_ROWS_A_COLUMN = 20_000, 50
# The ways to the optimum that may be asked for.
Solver = Literal["auto", "newton", "lbfgs", "newton-cg"]
# From so many rows and columns on, a curvature of all rows costs more than the passes that do without one.
LONG, WIDE = 80_000, 30
# Newton's decrement (a step of 1e-8 standard errors, squared) at which a descent hands over.
LAST_DECREMENT = 1e-16
# The largest entry of the subgradient that an l1 penalty may leave.
L1_TOLERANCE = 1e-10
# Offsets beyond this leave next to no curvature at coefficients of zero.
FAR = 5.0


@dataclass(frozen=True)
class Estimate:
    """An estimate in the design's own coordinates, and what certifies it.

    ``coef``: (p,), NaN where aliased. ``covariance``: (p, p) inverse of the information, NaN rows and columns where
    aliased, or all NaN where the information is singular. ``std_error``: (p,) its diagonal's root, also of columns so
    large or small that their squares are no numbers. ``keep``: (p,) bool, the columns that are not aliased.
    ``gradient``: (p,) of the mean objective with respect to standardised columns.

    The solver worked on ``objective`` with coefficients v (k,); ``back`` (p, k) takes them to the design's: w = back v.
    Under an l1 penalty ``l1`` (p,) is that of each coefficient, ``gradient`` the subgradient closest to zero, and
    ``gap`` what the mean loss with all penalties is above its minimum at most.
    """

    coef: Floats
    covariance: Floats
    std_error: Floats
    gradient: Floats
    keep: Array
    solution: Solution
    objective: Objective
    back: Floats
    l1: Floats | None = None
    gap: float | None = None

    @property
    def penalised(self) -> bool:
        return self.objective.ridge is not None or self.l1 is not None

    @property
    def dropped(self) -> Array:
        """The columns whose coefficient an l1 penalty makes zero: (p,) bool."""
        return np.zeros(len(self.coef), dtype=bool) if self.l1 is None else (self.l1 > 0) & (self.coef == 0)

    @property
    def gradient_norm(self) -> float:
        return float(np.abs(self.gradient[self.keep]).max(initial=0.0))

    @property
    def log_likelihood(self) -> float:
        """The log-likelihood at the estimate, its penalty taken off again."""
        penalty = self.objective.penalty(self.solution.coef)
        if self.l1 is not None:
            penalty += float(self.l1 @ np.abs(self.coef))
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
    solver: Solver = "auto",
    patient: bool = False,
    report: Report | None = None,
) -> Estimate:
    """The maximum (penalised) likelihood estimate over the blocks' columns.

    ``patient``: the rows are known to overlap, so go on even while coefficients seem to grow for ever.
    """
    penalty = penalty or Penalty()
    # A ridge makes every column count, the dependent ones too.
    every = Worked(blocks, np.arange(blocks.p), np.eye(blocks.p))
    worked = every if penalty else independent_columns(blocks, scaling)
    objective = Objective(worked.blocks, _ridge(penalty, scaling))
    if penalty.l1:
        return _under_l1(objective, scaling, penalty.l1, report)
    solution = maximise(objective, solver, patient=patient, report=report)
    return in_design(worked, scaling, objective, solution, solution.curvature)


def maximise(
    objective: Objective, solver: Solver = "auto", *, patient: bool = False, report: Report | None = None
) -> Solution:
    """The optimum, with the curvature of all rows there.

    "auto" takes Newton's method, from the optimum of a sample where rows are many; where columns are many too, so that
    each curvature of all rows is dear, a descent that does without it up to the last step. "lbfgs" and "newton-cg" take
    such a descent anyway. What a descent does not settle goes to Newton's method.
    """
    n, p = objective.blocks.n, objective.p
    calm = patient or objective.ridge is not None  # an estimate exists, however long it takes
    if solver == "newton" or (solver == "auto" and (patient or n < LONG or p < WIDE)):
        return newton(objective, start(objective, report), patient=calm, report=report)
    # So small a gradient leaves a step of 1e-8 standard errors or so: Newton's last step then has nothing to correct.
    tolerance = min(1e-9, max(1e-13, np.sqrt(LAST_DECREMENT / (n * p))))
    begin = origin(objective)
    if solver == "auto":
        found = solve_by_work(objective, tolerance=tolerance, start=begin, report=report)
    else:
        found = descend(objective, solver, tolerance=tolerance, start=begin, report=report)
    if isinstance(found, Solution):
        return found
    if found.converged and (last := last_step(objective, found)) is not None:
        return last
    near = found.coef if np.isfinite(found.coef).all() and found.converged else start(objective, report)
    by_newton = newton(objective, near, patient=calm, report=report)
    return replace(by_newton, solver=f"{by_newton.solver}, after {found.solver}", trace=found.trace + by_newton.trace)


@dataclass(frozen=True)
class Worked:
    """The columns that a solver works on: ``kept`` of the blocks' columns (k,), turned by ``basis`` (p, k)."""

    blocks: Blocks
    kept: Array
    basis: Floats


def independent_columns(blocks: Blocks, scaling: Scaling) -> Worked:
    """The columns that are not aliased, made orthogonal where a design is close to singular."""
    rank = independent(blocks, scaling)
    work, basis = blocks, np.eye(blocks.p)[:, rank.keep]
    if rank.triangle is not None:
        turn = np.linalg.solve(rank.triangle, np.eye(len(rank.keep))) * np.sqrt(blocks.total)
        work = blocks.with_columns(Dense(blocks.all.columns.take(rank.keep).dense() @ turn))
        basis = basis @ turn
    return Worked(work, rank.keep, basis)


def in_design(
    worked: Worked, scaling: Scaling, objective: Objective, solution: Solution, information: Floats
) -> Estimate:
    """A solution in the design's own coordinates; ``information`` (k, k) of a mean row makes the covariance."""
    kept, basis = worked.kept, worked.basis
    keep = np.isin(scaling.position, kept)
    back = scaling.restore(basis)
    g = np.zeros(scaling.p)
    g[kept] = np.linalg.solve(basis[kept].T, solution.gradient)
    coef = back @ solution.coef
    coef[~keep] = np.nan
    covariance, std_error = _covariance(information, objective.total, back)
    covariance[~keep, :] = covariance[:, ~keep] = std_error[~keep] = np.nan
    return Estimate(coef, covariance, std_error, scaling.standardised_gradient(g), keep, solution, objective, back)


def start(objective: Objective, report: Report | None = None) -> Floats:
    """Where to begin: the optimum of a sample, where the table is long enough for one to pay, else zero."""
    zero = origin(objective)
    m = max(SAMPLE_ROWS, SAMPLE_ROWS_A_COLUMN * objective.p)
    if objective.blocks.n < 5 * m:
        return zero
    sampled = newton(objective.sample(m), zero, report=report, max_steps=12)
    # A separated sample points far out and says nothing of the table.
    return sampled.coef if sampled.status is Status.CONVERGED else zero


def origin(objective: Objective) -> Floats:
    """Coefficients of zero, or where an offset lies far out those that bring the linear predictor closest to zero."""
    zero, offset = np.zeros(objective.p), objective.blocks.all.offset
    if offset is None or np.abs(offset).max() <= FAR:
        return zero
    sums = objective.blocks.sum(_least_squares)
    assert sums.gradient is not None
    assert sums.curvature is not None
    try:
        return 0.0 - solve(sums.curvature, sums.gradient)
    except NotPositiveDefiniteError:
        return zero


def _under_l1(objective: Objective, scaling: Scaling, l1: float, report: Report | None) -> Estimate:
    each = _in_blocks(l1, scaling, 1)
    found = elastic_net(objective, each, tolerance=L1_TOLERANCE, start=np.zeros(objective.p), report=report)
    nothing = np.full((objective.p, objective.p), np.nan)
    solution = Solution(found.coef, found.loss, found.gradient, nothing, found.status, found.solver, found.trace)
    return Estimate(
        coef=scaling.restore(found.coef),
        covariance=nothing,
        std_error=np.full(objective.p, np.nan),
        gradient=scaling.standardised_gradient(found.gradient),
        keep=np.ones(objective.p, dtype=bool),
        solution=solution,
        objective=objective,
        back=scaling.restore(np.eye(objective.p)),
        l1=np.r_[0.0, np.full(objective.p - 1, l1)] if scaling.intercept else np.full(objective.p, l1),
        gap=found.gap,
    )


def _least_squares(block: Block) -> Value:
    c = np.ones(len(block.y)) if block.weight is None else block.weight
    assert block.offset is not None
    return Value(0.0, block.columns.transposed_times(c * block.offset), block.columns.gram(c))


def _ridge(penalty: Penalty, scaling: Scaling) -> Floats | None:
    return _in_blocks(penalty.l2, scaling, 2) if penalty.l2 else None


def _in_blocks(penalty: float, scaling: Scaling, power: int) -> Floats:
    """A penalty on |w|^power of the design's coefficients, of each of the blocks': (p,), zero at the intercept."""
    each = np.empty(scaling.p)
    each[scaling.position] = penalty / scaling.scale**power
    if scaling.intercept:
        each[scaling.position[0]] = 0.0
    return each


def _covariance(information: Floats, total: float, back: Floats) -> tuple[Floats, Floats]:
    """The covariance (p, p) and the standard errors (p,); NaN where the information is singular."""
    try:
        V = inverse(information) / total
    except NotPositiveDefiniteError:
        return np.full((len(back), len(back)), np.nan), np.full(len(back), np.nan)
    # The square of a column's unit may be no number where the unit is one.
    unit = np.abs(back).max(axis=1, initial=0.0)
    unit = np.where(unit > 0, unit, 1.0)
    shape = back / unit[:, None]
    std_error = unit * np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", shape, V, shape), 0.0))
    with np.errstate(over="ignore", invalid="ignore"):
        return back @ V @ back.T, std_error
