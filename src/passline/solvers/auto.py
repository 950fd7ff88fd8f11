"""The default solver: it counts the work of full, sampled and no curvature, takes the least, and says what it did."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from passline.engine.objective import Objective
from passline.engine.threads import blas_alone
from passline.engine.value import Value
from passline.solvers.base import Descended, Floats, Report, Solution, Status, Step
from passline.solvers.linear import NotPositiveDefiniteError, factor
from passline.solvers.newton import newton
from passline.solvers.newton_cg import newton_cg
from passline.solvers.overlap import overlaps
from passline.solvers.quasi import Precondition, quasi_newton

# A start is sought on this many rows, if they are seven a column and hold no more numbers than this.
START_ROWS, START_ROWS_A_COLUMN, START_NUMBERS = 20_000, 7, 10_000_000
# A start on so large a part of the table would cost more than it saves.
START_SHARE = 0.25
# On the sample, a Newton decrement of this share of the number of columns is far below the sample's own error.
ENOUGH = 0.01
# Evaluations that Newton's method takes on all rows; orders of magnitude that a guided descent has to go down.
NEWTON_STEPS, ORDERS = 7, 6.5
# Passes that a descent takes where nothing but each column's own curvature guides it, unless columns are correlated.
UNGUIDED = 25.0
# Rows of the guiding curvature, a column.
CHOICES = (5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 1000, 2000, 5000)
# Below so many nanoseconds of estimated work Newton's few calls are over first.
QUICK = 10e6
# Forming and factoring a curvature wider than this costs more than products with it, in time and in memory.
WIDEST = 2_500
ROUNDS = 8


@dataclass(frozen=True)
class Plan:
    """What is to be done: ``start`` rows to start from (0: none), ``guide`` rows of the curvature (0: its diagonal)."""

    start: int
    guide: int


def solve(
    objective: Objective, *, tolerance: float = 1e-9, start: Floats | None = None, report: Report | None = None
) -> Solution | Descended:
    """Minimise the objective to a gradient of at most ``tolerance`` (in the solver's coordinates).

    Small tables: Newton. Others: a start from a sample, then all rows, with exact gradients and a curvature that is
    only good enough to guide; an estimate's existence is proved on the sample or on all rows. Whatever this does not
    settle (a separated or singular table, a curvature that guides badly) goes to Newton, or where columns are many to
    Newton by conjugate gradients, from the best point so far.
    """
    w = np.zeros(objective.p) if start is None else start
    if objective.sparse:
        return _by_products(objective, w, tolerance, report)
    plan = choose(objective.blocks.n, objective.p)
    if plan is not None:
        with blas_alone():
            found = guided(objective, w, plan, tolerance, report)
        if found.converged:
            return found
        w = found.coef
    if objective.p > WIDEST:
        return _by_products(objective, w, tolerance, report)
    return newton(objective, w, patient=objective.ridge is not None, report=report)


def choose(n: int, p: int) -> Plan | None:
    """The plan with the least work for a dense table of n rows and p columns; None for Newton's method.

    A guide from m rows has eigenvalues within about sqrt(p/m) of the truth, so that conjugate directions gain so much
    a pass. Source of the rate: Marchenko and Pastur (1967).
    """
    if p <= WIDEST and newton_work(n, p) * n * pass_time(p) < QUICK:
        return None
    rows = min(START_ROWS, START_NUMBERS // p)
    start = rows if rows >= START_ROWS_A_COLUMN * p and rows <= START_SHARE * n else 0
    if p > WIDEST:
        return Plan(start, 0)
    guide = min((min(a * p, n) for a in CHOICES), key=lambda m: guided_work(n, p, m))
    work = guided_work(n, p, guide)
    if min(work, UNGUIDED) > newton_work(n, p):
        return None
    return Plan(start, guide if work < UNGUIDED else 0)


def pass_time(p: int) -> float:
    """Nanoseconds a row that a pass for loss and gradient takes, as measured on one processor of 2023."""
    return 9.0 + 0.6 * p


def gram_passes(p: int) -> float:
    """Passes that a guiding curvature of all rows costs."""
    return p * (1.7 + 0.012 * p) / pass_time(p)


def guided_work(n: int, p: int, m: int) -> float:
    """Passes over all n rows that a descent guided by the curvature of m rows costs."""
    rate = 0.5 * math.log10(m / p) if m < n else 2.0
    return m / n * gram_passes(p) + ORDERS / rate


def newton_work(n: int, p: int) -> float:
    """Passes over all rows that Newton's method costs: its curvature is in double precision."""
    return NEWTON_STEPS * (1.0 + 2.0 * gram_passes(p)) if n else 0.0


def guided(objective: Objective, w: Floats, plan: Plan, tolerance: float, report: Report | None = None) -> Descended:
    """The optimum by a curvature that only guides; not converged where that does not get there."""
    n, p = objective.blocks.n, objective.p
    trace: tuple[Step, ...] = ()
    proven = objective.ridge is not None
    if plan.start:
        w, sampled, trace = _start(objective, w, plan, report)
        proven = proven or sampled
    value: Value | None = None
    rows = plan.guide
    best: Descended | None = None
    for _ in range(ROUNDS):
        precondition = _guide(objective, w, rows)
        last = rows >= n or p > WIDEST
        worth = newton_work(n, p) if last else guided_work(n, p, min(max(4 * rows, 10 * p), n))
        if precondition is not None:
            best = quasi_newton(
                objective, w, precondition, tolerance=tolerance, worth=max(worth, UNGUIDED), value=value, report=report
            )
            trace += best.trace
            if best.converged:
                if not (proven or overlaps(objective, best.coef, best.gradient, precondition)):
                    best = replace(best, status=Status.STALLED)
                break
            w, value = best.coef, Value(best.loss, best.gradient)
        if last or not np.isfinite(w).all():
            break
        rows = min(max(4 * rows, 10 * p), n)
    if best is None:
        return Descended(w, math.inf, np.full(p, np.nan), Status.STALLED, "quasi-newton", trace)
    return replace(best, solver=describe(plan.start, rows, n), trace=trace)


def describe(start: int, guide: int, n: int) -> str:
    """What a guided descent did, in words."""
    of = f"the curvature of {guide:,} rows" if guide else "each column's own curvature"
    of = "the curvature of all rows" if guide >= n else of
    begun = f"started from {start:,} rows, " if start else ""
    return f"quasi-newton: {begun}exact gradients, guided by {of}"


def _start(
    objective: Objective, w: Floats, plan: Plan, report: Report | None
) -> tuple[Floats, bool, tuple[Step, ...]]:
    """Near the optimum of a sample, whether the sample proves that an estimate exists, and the trace."""
    sample = objective.balanced_sample(plan.start)
    trace: tuple[Step, ...] = ()
    at = w
    for _ in range(3):
        precondition = _guide(sample, at, sample.blocks.n)
        if precondition is None:
            break
        found = quasi_newton(
            sample, at, precondition, tolerance=0.0, enough=ENOUGH * sample.p, worth=math.inf, max_passes=8, report=report
        )
        trace += found.trace
        at = found.coef
        if found.converged:
            if overlaps(sample, at, found.gradient, precondition):
                return at, True, trace
            break
    # A sample that is separated, or seems so, points far out and says nothing of the table.
    return (at, False, trace) if objective.ridge is not None else (w, False, trace)


def _guide(objective: Objective, w: Floats, rows: int) -> Precondition | None:
    """The inverse of the curvature of so many rows, or of its diagonal; None where it has none."""
    if rows:
        try:
            return factor(objective.rough_curvature(w, rows))
        except NotPositiveDefiniteError:
            return None
    diagonal = objective.diagonal(w)
    # A column of zeros has none, and no gradient either: any number will do.
    diagonal = np.where(diagonal > 0, diagonal, 1.0)
    return lambda g: g / diagonal


def _by_products(objective: Objective, w: Floats, tolerance: float, report: Report | None) -> Descended:
    diagonal = objective.diagonal(w)
    # A column of zeros has none, and no gradient either: any number will do.
    diagonal = np.where(diagonal > 0, diagonal, 1.0)
    found = newton_cg(objective, w, diagonal, tolerance=tolerance, report=report)
    return replace(found, solver="newton-cg, curvature by products")
