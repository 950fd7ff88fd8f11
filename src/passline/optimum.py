"""The exact optimum of scikit-learn's objective on a caller's columns, with what proves it; scikit-learn not needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import Block, Blocks
from passline.engine.columns import Columns, Shifted, is_sparse
from passline.engine.given import refuse_not_finite, require_rows, standardised_blocks
from passline.engine.objective import Objective
from passline.engine.resident import resident
from passline.engine.scaling import Scaling
from passline.inference.existence import Outcome, TermStatus, maximum_likelihood
from passline.inference.separation import CONSTRAINTS
from passline.solvers.auto import WIDEST, solve, steps
from passline.solvers.base import Descended, Report, Solution
from passline.solvers.elastic_net import Sparsified, elastic_net
from passline.solvers.estimate import restored_covariance
from passline.solvers.linear import NotPositiveDefiniteError, inverse
from passline.solvers.newton_cg import one_sided_columns
from passline.solvers.together import Join

Floats = NDArray[np.float64]
Kind = Literal["none", "quasi", "complete", "undecided"]

# A gradient is never asked to be smaller than this: below it rounding decides.
SMALLEST = 1e-12
# Linear programmes decide on separation of tables with so many numbers, so many of them in a programme; and a programme
# for each term is solved up to so many numbers in all of them: about two seconds of work each.
DECIDABLE, PROGRAMME, PROGRAMMES = 10_000_000, 200_000, 500_000
# A column whose variance the others inflate by more than this may be one of their combinations: a closer look tells.
INFLATED = 1e8
# Products of two entries of one row that a sparse matrix's curvature may take: a second or two.
SPARSE_WORK = 2e7
# Beyond this a coefficient is zero in all its digits, and an infinite penalty times it would be no number.
STRONGEST = 1e100
# Against the curvature, which is at most 1/4 a standardised column, a ridge like this leaves a coefficient no digit.
OVERWHELMING = 1e16


@dataclass(frozen=True)
class Task:
    r"""What is to be minimised, and how well.

    .. math:: \min_{w, b} C \sum_i c_i \log(1 + e^{-s_i (x_i^T w + b)})
        + \rho |w|_1 + \tfrac{1 - \rho}{2} |w|_2^2, \quad \rho = \text{l1\_ratio}

    ``C``: inf for no penalty. ``unit``: None, or the value of the constant column whose coefficient is penalised like
    the others and makes the intercept (LIBLINEAR's). ``tolerance``: the largest entry that the gradient of the mean
    objective may keep, with respect to standardised columns. ``max_steps``: on all rows. ``near``: the start is thought
    to be close.
    """

    C: float = 1.0
    l1_ratio: float = 0.0
    intercept: bool = True
    unit: float | None = None
    tolerance: float = 1e-8
    max_steps: int = 100
    near: bool = False
    threads: int | None = None

    @property
    def penalised(self) -> bool:
        """Whether there is a penalty."""
        return not math.isinf(self.C)

    def strength(self, total: float, share: float, power: int, scale: Floats) -> Floats | None:
        """A part of the penalty of each coefficient a unit of weight, in the solver's coordinates; None for none."""
        if not self.penalised or share == 0.0:
            return None
        length = np.concatenate([[math.inf if self.unit is None else self.unit] if self.intercept else [], scale])
        with np.errstate(over="ignore", divide="ignore"):
            # Roots first: the square of a scale may be no number where the penalty is one.
            root: Floats = length * (total / share * self.C) ** (1 / power)
            strength: Floats = np.minimum(root**-power, STRONGEST)
        return strength


@dataclass(frozen=True)
class Optimum:
    """Where the objective is least, or seemed to be: ``coef`` (p,) and ``intercept``, on the columns as given.

    ``certificate``: converged, gradient_norm, gap, loss (the mean), passes, steps, solver, status. ``covariance``:
    (k + p, k + p), the intercept first, NaN where none exists; None where there is none to be had. ``std_error``:
    (k + p,), its diagonal's root, also where a column's unit has no square. ``separation``: None under a penalty.
    ``status`` and ``limit``, one a term, the intercept first.
    """

    task: Task
    coef: Floats
    intercept: float
    certificate: dict[str, Any]
    covariance: Floats | None = None
    std_error: Floats | None = None
    separation: Kind | None = None
    status: tuple[TermStatus, ...] = ()
    limit: tuple[str | None, ...] = ()


def optimum(
    columns: Columns,
    y: Floats,
    weight: Floats | None,
    task: Task,
    *,
    total: float | None = None,
    index: NDArray[np.intp] | None = None,
    start: tuple[Floats, float] | None = None,
    report: Report | None = None,
    join: Join = lambda objective: objective,
) -> Optimum:
    """Minimise over columns (n, p), outcomes 0 and 1 (n,), and weights (n,) with mean one that add up to ``total``.

    ``index``: the rows' own numbers, for messages. ``start``: coefficients (p,) and intercept to begin at. ``join``: as
    in :func:`passline.solvers.together.together`, where several outcomes of the same columns are at work. Raises
    DataError for a value that is not finite, TooManyColumnsError where columns outnumber rows and nothing is penalised.
    """
    n, p = columns.shape
    total = float(n) if total is None else total
    if not task.penalised:
        require_rows(n, p, task.intercept)
    centred = task.unit is None or not task.penalised
    blocks, shifted = standardised_blocks(
        columns, y, weight, intercept=task.intercept, centred=centred, threads=task.threads
    )
    objective = Objective(blocks, task.strength(total, 1.0 - task.l1_ratio, 2, shifted.scale))
    asked = max(min(task.tolerance, 1e-8), SMALLEST)
    with np.errstate(all="ignore"):  # what is not finite is named below
        begin, l1 = _begin(blocks, shifted, start), task.strength(total, task.l1_ratio, 1, shifted.scale)
        found: Solution | Descended
        if l1 is not None:
            found = elastic_net(
                objective, l1, tolerance=asked / 10, start=begin, max_passes=task.max_steps, report=report
            )
        else:
            # A verdict without a penalty asks for more than sums can give: of wide tables only the host has it.
            near_rows = task.penalised or blocks.p <= WIDEST
            found = solve(
                join(replace(objective, blocks=resident(blocks)) if near_rows else objective),
                tolerance=asked / 2,
                start=begin,
                near=task.near,
                max_steps=task.max_steps,
                report=report,
            )
    if not np.isfinite(found.coef).all() or not np.isfinite(found.loss):
        refuse_not_finite(columns, index)
    size = float(np.abs(found.gradient[_free(objective, l1)]).max(initial=0.0))
    # Under a ridge alone the gradient tells; without one it vanishes under separation too, and under an l1 penalty the
    # gap has a say.
    converged = size <= asked and (found.converged or (task.penalised and l1 is None))
    solved = _Solved(task, objective, shifted, found, converged, task.max_steps - steps(found, n))
    return Optimum(task, *solved.back(), solved.certificate()) if task.penalised else _unpenalised(solved, total)


def _free(objective: Objective, l1: Floats | None) -> NDArray[np.bool_]:
    """Coefficients that a penalty leaves any digit: of the others the gradient says nothing."""
    free = np.ones(objective.p, dtype=bool)
    for penalty in (objective.ridge, l1):
        if penalty is not None:
            free &= penalty < OVERWHELMING
    return free


@dataclass(frozen=True)
class _Solved:
    task: Task
    objective: Objective
    shifted: Shifted
    found: Solution | Descended
    converged: bool
    left: int

    def certificate(self, **changes: Any) -> dict[str, Any]:
        blocks = self.objective.blocks
        return {
            "converged": self.converged,
            "gradient_norm": float(np.abs(self.found.gradient).max()),
            "gap": self.found.gap if isinstance(self.found, Sparsified) else None,
            "loss": float(self.found.loss),
            "passes": blocks.passes,
            "steps": min(steps(self.found, blocks.n), self.task.max_steps),
            "solver": self.found.solver,
            "status": self.found.status.value,
        } | changes

    def back(self) -> tuple[Floats, float]:
        """Coefficients and intercept on the columns as given."""
        k = int(self.shifted.intercept)
        w = self.found.coef[k:] / self.shifted.scale
        return w, float(self.found.coef[0] - self.shifted.center @ w) if k else 0.0

    @cached_property
    def scaling(self) -> Scaling:
        """The map between the solver's coefficients and those of the columns as given."""
        k = int(self.shifted.intercept)
        center, scale = np.zeros(self.objective.p), np.ones(self.objective.p)
        center[k:], scale[k:] = self.shifted.center, self.shifted.scale
        # Its averages are for shares of a prediction, which nobody asks of this map.
        return Scaling(bool(k), np.arange(self.objective.p), center, scale, center, scale, average=center)


def _unpenalised(solved: _Solved, total: float) -> Optimum:
    """With standard errors and the verdict on separation."""
    objective, n, p = solved.objective, solved.objective.blocks.n, solved.objective.p
    size = min(n, CONSTRAINTS) * p
    if solved.converged:
        V = _inverse_curvature(objective, solved.found)
        if V is not None:
            with np.errstate(over="ignore"):  # an extreme unit may have no covariance, and has a standard error
                errors = restored_covariance(V / total, solved.scaling.restore(np.eye(p)))
            return _told(solved, "none", ["ok"] * p, errors=errors)
        if not _formed(objective):
            return _told(solved, "none", ["ok"] * p)
    elif solved.left <= 0:
        return _told(solved, "undecided", ["ok"] * p)
    elif n * p > DECIDABLE or size > PROGRAMME:
        return _seen(solved)
    try:
        outcome = maximum_likelihood(objective.blocks, solved.scaling, each_term=size * p <= PROGRAMMES)
    except ArithmeticError:  # the linear programmes gave up
        return _seen(solved)
    return _of_outcome(solved, outcome, objective.total / total)


def _inverse_curvature(objective: Objective, found: Solution | Descended) -> Floats | None:
    """The inverse of the mean curvature at the optimum, (p, p); None where it is too dear, or columns may repeat."""
    if not _formed(objective):
        return None
    H = found.curvature if isinstance(found, Solution) else objective(found.coef, 2).curvature
    assert H is not None
    try:
        V = inverse(H)
    except NotPositiveDefiniteError:
        return None
    return V if bool((np.diagonal(V) * np.diagonal(H) < INFLATED).all()) else None


def _formed(objective: Objective) -> bool:
    """Whether a curvature of all rows is worth its time, which no step to the optimum may have needed."""
    blocks = objective.blocks
    if not is_sparse(blocks.all.columns):
        return objective.p <= WIDEST
    return blocks.numbers * (blocks.numbers / blocks.n) <= SPARSE_WORK and objective.p <= WIDEST


def _of_outcome(solved: _Solved, outcome: Outcome, per_row: float) -> Optimum:
    """What the table's own fit decides; under separation the coefficients stay where the loss had settled."""
    covariance, std_error = outcome.covariance * per_row, outcome.std_error * math.sqrt(per_row)
    if outcome.recession is not None:
        return _told(solved, outcome.recession.kind, outcome.status, outcome.limit, errors=(covariance, std_error))
    proof = outcome.certificate
    certificate = solved.certificate(
        converged=proof.converged,
        gradient_norm=proof.gradient_norm,
        loss=-outcome.log_likelihood / solved.objective.total,
        solver=proof.solver,
        status="converged" if proof.converged else solved.found.status.value,
    )
    k = int(solved.shifted.intercept)
    kind: Kind = "none" if proof.converged else "undecided"
    return Optimum(
        solved.task,
        outcome.coef[k:],
        float(outcome.coef[0]) if k else 0.0,
        certificate,
        covariance,
        std_error,
        kind,
        outcome.status,
        outcome.limit,
    )


def _seen(solved: _Solved) -> Optimum:
    """The verdict on a table too large for linear programmes: what can be seen in a walk over its rows, or none."""
    objective, p = solved.objective, solved.objective.p
    moves, sides = np.zeros(p), one_sided_columns(objective)
    if sides is not None:
        moves[p - len(sides) :] = sides
    eta = objective.blocks.each_row(Block.eta, solved.found.coef)
    positive = objective.blocks.all.y > 0.5
    if bool((eta[positive] > 0).all() and (eta[~positive] < 0).all()):
        # Then so does anything close to the coefficients: all of them can move.
        return _told(solved, "complete", ["undetermined" if scale else "ok" for scale in _moving(solved)])
    status: list[TermStatus] = ["infinite" if move else "ok" for move in moves]
    limit = [("+inf" if move > 0 else "-inf") if move else None for move in moves]
    return _told(solved, "quasi" if moves.any() else "undecided", status, limit)


def _moving(solved: _Solved) -> NDArray[np.bool_]:
    """Which terms differ from zero: the intercept, and columns that are not constant."""
    k = int(solved.shifted.intercept)
    return np.concatenate([np.ones(k, dtype=bool), solved.found.coef[k:] != 0])


def _told(
    solved: _Solved,
    kind: Kind,
    status: Sequence[TermStatus],
    limit: Sequence[str | None] = (),
    *,
    errors: tuple[Floats | None, Floats | None] = (None, None),
) -> Optimum:
    w, b = solved.back()
    limits = tuple(limit) or (None,) * solved.objective.p
    return Optimum(solved.task, w, b, solved.certificate(), *errors, kind, tuple(status), limits)


def _begin(blocks: Blocks, shifted: Shifted, start: tuple[Floats, float] | None) -> Floats:
    """Where to start, in the solver's coordinates: the given coefficients, or the rate of the outcome alone."""
    k = int(shifted.intercept)
    v = np.zeros(blocks.p)
    if start is not None:
        w, b = start
        v[k:] = w * shifted.scale
        v[:k] = b + shifted.center @ w
        return v
    if k:
        block = blocks.all
        rate = float(block.y.mean() if block.weight is None else block.weight @ block.y / block.weight.sum())
        v[0] = math.log(rate / (1 - rate))
    return v
