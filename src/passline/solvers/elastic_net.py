"""The minimum under an l1 penalty: Newton steps on the columns that matter, and a bound on what is left to gain."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from passline.engine.columns import Columns, Dense, Shifted
from passline.engine.likelihood import bernoulli, weighted_gram, weighted_sums
from passline.engine.objective import Near, Objective
from passline.engine.sparse import Sparse
from passline.engine.threads import blas_alone
from passline.engine.value import Array
from passline.solvers.base import Descended, Floats, Report, Status, Step
from passline.solvers.duality import duality_gap
from passline.solvers.newton import newton
from passline.solvers.signs import Formed, Products, Quadratic, closest, minimise_by_signs

# The gap may be this share of the mean loss of the intercept alone; and where rounding leaves no less, this.
GAP, ROUNDED_GAP = 1e-8, 1e-6
# The subgradient aimed at, as a share of the penalty.
SHARE = 1e-4
# Fewer columns than this are all worked on; else those that matter, at least so many, and at most so many times more
# than have a coefficient.
FEW, FIRST, GROWTH = 150, 100, 2
# The chosen columns are solved for until their subgradient is this share of the largest of all the others.
INNER = 0.1
# A curvature is kept while steps with it take the subgradient down by at least this factor.
KEPT = 0.1
# Above this subgradient the curvature of so many rows a column is enough, where rows are so many times more.
ROUGH, ROUGH_ROWS, MANY = 1e-3, 30, 4
# A curvature of k of p columns costs more than a pass from k^2 = DEAR p on.
DEAR = 20
# The quadratic is solved to this share of the subgradient.
QUADRATIC = 1e-2
ARMIJO, SHORTEST = 1e-4, 1e-8
# A subgradient that no step lowers by a factor of two any more so many times in a row is all rounding.
PATIENCE, ROUNDING = 3, 1e-15
# Wider curvatures are not formed; chosen sparse columns of at most so many numbers are written out.
WIDEST, WRITTEN = 5_000, 8_000_000
# A penalty so large leaves a coefficient at zero, and is a number still when it is multiplied.
LARGEST = 1e200


@dataclass(frozen=True)
class Sparsified(Descended):
    """Where a solver under an l1 penalty stopped: zeros are exact zeros.

    ``loss``: the objective with all its penalties; ``gradient``: (p,) the subgradient closest to zero; ``gap``: the
    duality gap, what the loss is above its minimum at most.
    """

    gap: float = math.inf


def elastic_net(
    objective: Objective,
    l1: Floats,
    *,
    tolerance: float,
    start: Floats,
    report: Report | None = None,
    max_passes: int = 500,
) -> Sparsified:
    r"""Minimise the objective plus an l1 norm from ``start`` (p,); ``l1``: (p,), zero at the intercept alone.

    .. math:: F(w) + \sum_j l1_j |w_j|

    Only columns that have a coefficient, or whose share of the gradient exceeds their penalty, are worked on. Each
    proximal Newton step minimises the quadratic model plus the l1 norm and is halved until the loss falls enough. Then
    a pass over all columns for the exact gradient says which others matter. CONVERGED where the largest entry of the
    subgradient closest to zero is at most ``tolerance`` and the duality gap at most ``GAP`` of the mean loss of the
    intercept alone; STALLED where rounding is in the way, PASS_LIMIT after so many gradients. Source: Friedman, Hastie
    and Tibshirani (2010); Yuan, Ho and Lin, An improved GLMNET (2012); Massias, Gramfort and Salmon, Celer (2018).
    """
    l1 = np.minimum(l1, LARGEST)
    with blas_alone(), np.errstate(over="ignore", invalid="ignore", under="ignore"):
        return _Search(objective, l1, tolerance, report, max_passes).run(start)


@dataclass(frozen=True)
class _Point:
    """Coefficients w (p,), the rows' linear predictor eta (n,), and of all columns the gradient (p,)."""

    w: Floats
    eta: Floats
    gradient: Floats


@dataclass
class _Part:
    """The chosen columns' objective and penalty, and the curvature that the last steps were taken with."""

    chosen: Array
    objective: Objective
    l1: Floats
    quadratic: Quadratic | None = None
    rough: bool = False
    before: float = math.inf

    def near(self, near: Near, w: Floats, size: float) -> Quadratic:
        """The curvature for a step from w, whose subgradient is of ``size``: the last one, where it still leads well.

        Far from the minimum, where it changes with every step anyway, that of some of the rows is as good.
        """
        if self.quadratic is None or self.rough or size > KEPT * self.before:
            F = self.objective
            rows = ROUGH_ROWS * F.p
            self.rough = size > ROUGH and MANY * rows <= F.blocks.n and F.p <= WIDEST and size <= 0.5 * self.before
            self.quadratic = Formed(F.rough_curvature(w, rows)) if self.rough else _quadratic(F, near)
        self.before = min(self.before, size) if not self.rough else size
        return self.quadratic


class _Search:
    """One minimisation: the problem, how far it has to go, and the trace of its passes."""

    def __init__(
        self, objective: Objective, l1: Floats, tolerance: float, report: Report | None, passes_left: int
    ) -> None:
        self.objective, self.l1, self.tolerance, self.report = objective, l1, tolerance, report
        self.passes_left = passes_left
        self.trace: list[Step] = []
        self.part: _Part | None = None

    def run(self, start: Floats) -> Sparsified:
        w, null = self._begin(start)
        here = self._look(w, None)
        # A subgradient of the size of a tiny penalty would leave its coefficients anywhere.
        goal = max(min(self.tolerance, SHARE * float(self.l1.max(initial=0.0))), ROUNDING)
        gap, before, still, status = math.inf, math.inf, 0, Status.PASS_LIMIT
        while self.passes_left > 0:
            pull = closest(here.gradient, here.w, self.l1)
            size = _largest(pull)
            if not math.isfinite(size):
                status = Status.STALLED
                break
            if size <= goal:
                gap = duality_gap(self.objective, self.l1, here.w, here.eta)
                if size <= self.tolerance and gap <= max(GAP * null, ROUNDING):
                    status = Status.CONVERGED
                    break
                goal = 0.1 * min(goal, max(size, ROUNDING))
            still = still + 1 if size > 0.5 * before else 0
            before = min(before, size)
            if still > PATIENCE and size <= max(self.tolerance, ROUNDING):
                status = Status.STALLED
                break
            chosen = self._choose(here, pull)
            here, moved = self._improve(here, chosen, max(INNER * size, 0.5 * goal) if len(chosen) < len(w) else goal)
            if not moved and (still or size <= ROUNDING):
                status = Status.STALLED
                break
        pull = closest(here.gradient, here.w, self.l1)
        if status is not Status.CONVERGED:
            gap = duality_gap(self.objective, self.l1, here.w, here.eta)
        if status is Status.STALLED and _largest(pull) <= self.tolerance and gap <= ROUNDED_GAP * null:
            status = Status.CONVERGED
        loss = self.objective.loss(here.w, here.eta) + float(self.l1 @ np.abs(here.w))
        # What is left to gain bounds Newton's decrement, which is twice that.
        self._record(loss, pull, 2.0 * self.objective.total * gap, 1.0)
        solver = "proximal newton with working sets"
        return Sparsified(here.w, loss, pull, status, solver, tuple(self.trace), gap)

    def _begin(self, start: Floats) -> tuple[Floats, float]:
        """Where to begin, and the mean loss of the intercept alone: with it, where no coefficient is given."""
        w = np.where(np.isfinite(start), start, 0.0)
        alone, null = intercept_alone(self.objective)
        free = np.flatnonzero(self.l1 == 0)
        if len(free) == 1 and self._unpenalised()[free[0]] and not np.delete(w, free[0]).any():
            w[free[0]] = alone
        return w, null

    def _unpenalised(self) -> Array:
        ridge = self.objective.ridge
        return (self.l1 == 0) & (True if ridge is None else ridge == 0)

    def _look(self, w: Floats, eta: Floats | None) -> _Point:
        """The exact gradient of all columns at w, whose linear predictor may be known: one pass."""
        self.passes_left -= 1
        if eta is None:
            near = self.objective.near(w)
            return _Point(w, near.eta, near.gradient)
        rows = self.objective.blocks.all
        _, residual, _ = bernoulli(eta, rows.y)
        weighted = residual if rows.weight is None else rows.weight * residual
        gradient = np.asarray(self.objective.blocks.with_weight(weighted).sum(weighted_sums)) / self.objective.total
        if self.objective.ridge is not None:
            gradient = gradient + self.objective.ridge * w
        return _Point(w, eta, gradient)

    def _choose(self, here: _Point, pull: Floats) -> Array:
        """The columns to work on, by increasing index: all with a coefficient, and those that pull hardest."""
        p = len(pull)
        if p <= FEW:
            return np.arange(p)
        inside = (here.w != 0) | (self.l1 == 0)
        room = max(FIRST, (GROWTH - 1) * int(inside.sum()))
        outside = np.flatnonzero(~inside & (pull != 0))
        if len(outside) > room:
            outside = outside[np.argsort(-np.abs(pull[outside]), kind="stable")[:room]]
        return np.union1d(np.flatnonzero(inside), outside)

    def _improve(self, here: _Point, chosen: Array, goal: float) -> tuple[_Point, bool]:
        """A point whose subgradient over the chosen columns is at most ``goal``, and whether it is another one.

        Where a curvature of the chosen columns costs more than a pass over all of them, after one step the pass says
        which columns matter now.
        """
        every = len(chosen) == len(here.w)
        if self.part is None or not np.array_equal(self.part.chosen, chosen):
            objective = self.objective if every else _restricted(self.objective, chosen)
            self.part = _Part(chosen, objective, self.l1[chosen])
        dear = not every and len(chosen) ** 2 >= DEAR * len(here.w)
        w, near = self._descend(self.part, here.w[chosen], goal, 1 if dear else self.passes_left)
        moved = not np.array_equal(w, here.w[chosen])
        whole = np.zeros_like(here.w)
        whole[chosen] = w
        if every:
            return _Point(whole, near.eta, near.gradient), moved
        return self._look(whole, near.eta), moved

    def _descend(self, part: _Part, w: Floats, goal: float, steps: int) -> tuple[Floats, Near]:
        """Proximal Newton steps over the columns of ``part``."""
        near, l1 = part.objective.near(w), part.l1
        before, still = math.inf, 0
        for _ in range(min(steps, self.passes_left)):
            pull = closest(near.gradient, w, l1)
            size = _largest(pull)
            still = still + 1 if size > 0.5 * before and size <= self.tolerance else 0
            if size <= goal or not math.isfinite(size) or still > PATIENCE:
                break
            before = min(before, size)
            quadratic = part.near(near, w, size)
            b = near.gradient - quadratic.times(w)
            z = minimise_by_signs(quadratic, b, l1, w, goal=max(QUADRATIC * size, 0.1 * goal))
            found = _search(part.objective, l1, w, z, near)
            if found is None:
                break
            self.passes_left -= 1
            gain = self.objective.total * _gain(near.gradient, l1, w, z)
            self._record(near.loss + float(l1 @ np.abs(w)), pull, gain, found[2])
            w, near, _ = found
        return w, near

    def _record(self, loss: float, pull: Floats, decrement: float, length: float) -> None:
        self.trace.append(Step(self.objective.blocks.n, loss, _largest(pull), decrement, length))
        if self.report is not None:
            self.report(self.trace[-1])


def intercept_alone(objective: Objective) -> tuple[float, float]:
    """The intercept's estimate where every coefficient is zero, and the mean loss there: no pass over the columns."""
    blocks = objective.blocks
    rows = blocks.all
    c = np.ones(blocks.n) if rows.weight is None else rows.weight
    if rows.offset is None:
        # Of one class alone there is no estimate; so far out nothing is left to gain.
        least = np.finfo(float).eps * objective.total
        alone = math.log(max(float(c @ rows.y), least)) - math.log(max(float(c @ (1.0 - rows.y)), least))
        eta = np.full(blocks.n, alone)
    else:
        ones = Objective(blocks.with_columns(Dense(np.ones((blocks.n, 1)))))
        alone = float(newton(ones, np.zeros(1), patient=True).coef[0])
        eta = rows.offset + alone
    loss, _, _ = bernoulli(eta, rows.y)
    return alone, float(c @ loss) / objective.total


def _restricted(objective: Objective, chosen: Array) -> Objective:
    """The objective of some of the columns, which are written out where they are few."""
    columns: Columns = objective.blocks.all.columns.take(chosen)
    inner = columns.columns if isinstance(columns, Shifted) else columns
    n, k = columns.shape
    if not isinstance(inner, Sparse) or n * k <= WRITTEN:
        columns = Dense(columns.dense())
    ridge = None if objective.ridge is None else objective.ridge[chosen]
    return Objective(objective.blocks.with_columns(columns), ridge)


def _quadratic(part: Objective, near: Near) -> Quadratic:
    if part.p <= WIDEST:
        H = np.asarray(near.rows.sum(weighted_gram)) / part.total
        if part.ridge is not None:
            H[np.diag_indices(part.p)] += part.ridge
        return Formed(H)
    diagonal = near.diagonal()
    return Products(near.product, np.where(diagonal > 0, diagonal, 1.0))


def _search(part: Objective, l1: Floats, w: Floats, z: Floats, near: Near) -> tuple[Floats, Near, float] | None:
    """The step to z, or the first of its halves, quarters, ... that lowers the loss enough; None where none does.

    At the end the loss drowns in its rounding, and a smaller subgradient shows that the step was right. Halves cost no
    pass: the rows' linear predictor is known all along the way.
    """
    before, size = near.loss + float(l1 @ np.abs(w)), _largest(closest(near.gradient, w, l1))
    gain = _gain(near.gradient, l1, w, z)
    noise = 8 * np.finfo(float).eps * max(1.0, abs(before))
    found = part.near(z)
    if math.isfinite(found.loss):
        if found.loss + float(l1 @ np.abs(z)) <= before - ARMIJO * gain:
            return z, found, 1.0
        if gain <= noise / ARMIJO and _largest(closest(found.gradient, z, l1)) < size:
            return z, found, 1.0
    move, length = found.eta - near.eta, 0.5
    while gain > 0 and length >= SHORTEST:
        trial = w + length * (z - w)
        loss = part.loss(trial, near.eta + length * move) + float(l1 @ np.abs(trial))
        if loss <= before - ARMIJO * length * gain:
            return trial, part.near(trial), length
        length /= 2
    return None


def _gain(gradient: Floats, l1: Floats, w: Floats, z: Floats) -> float:
    """By how much the objective falls from w to z to first order, the l1 norm as it is."""
    return -(float(gradient @ (z - w)) + float(l1 @ (np.abs(z) - np.abs(w))))


def _largest(v: Floats) -> float:
    return float(np.abs(v).max(initial=0.0))
