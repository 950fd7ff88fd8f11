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
from passline.solvers.newton import MAX_STEPS, newton
from passline.solvers.newton_cg import newton_cg, one_sided
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
# Passes that Newton's method by conjugate gradients takes where that is slow.
WIDE_WORK = 100.0
# Rows of the guiding curvature, a column.
CHOICES = (5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 1000, 2000, 5000)
# Below so many nanoseconds of estimated work Newton's few calls are over first.
QUICK = 10e6
# Forming and factoring a curvature wider than this costs more than products with it, in time and in memory.
WIDEST = 2_500
# Of a sparse matrix a product costs less and a curvature more, since it is not sparse.
NARROW = 100
# So many columns are few, even where rows are fewer than twice as many.
FEW_COLUMNS = 200
# A start goes down by so many orders of magnitude, and takes so many passes over its sample for each of its guides.
START_ORDERS, START_PASSES = 2.0, 10
# Whether columns correlate is looked up on so many rows a column, where a guide costs more passes than that. They
# hardly do where the root of the sum of all squared correlations is at most this. A sample of so many rows a column
# then proves that an estimate exists, and is no start: its error lies in all directions, that of zero in few.
PROBED, DEAR, UNCORRELATED, PROVING = 2, 1.0, 0.5, 6
# A column with this share of the usual curvature is one that the rows of the guide do not see.
HIDDEN = 0.01
# A guide that is singular in single precision is lifted by these shares of its diagonal, one after the other.
LIFTS = (1e-6, 1e-4)
# Steps that a guided descent may take with one guide, and Newton's method by products in all.
MOST_GUIDED, MOST_BY_PRODUCTS = 200, 100


@dataclass(frozen=True)
class Plan:
    """What is to be done: ``start`` rows to start from (0: none), ``guide`` rows of the curvature (0: its diagonal)."""

    start: int
    guide: int


def solve(
    objective: Objective,
    *,
    tolerance: float = 1e-9,
    start: Floats | None = None,
    near: bool = False,
    max_steps: int | None = None,
    report: Report | None = None,
) -> Solution | Descended:
    """Minimise the objective to a gradient of at most ``tolerance`` (in the solver's coordinates).

    ``near``: the start is thought to be close, so none is sought on a sample. ``max_steps``: on all rows, by whatever
    solvers together; None leaves each its own limit.

    Small tables: Newton. Others: a start from a sample, then all rows, with exact gradients and a curvature that is
    only good enough to guide; an estimate's existence is proved on the sample or on all rows. Whatever this does not
    settle (a separated or singular table, a curvature that guides badly) goes to Newton, or where columns are many to
    Newton by conjugate gradients, from the best point so far.
    """
    w = np.zeros(objective.p) if start is None else start
    left = max_steps
    if objective.sparse and objective.p > NARROW:
        return _by_products(objective, w, tolerance, report, left)
    calm = objective.ridge is not None
    n, p = objective.blocks.n, objective.p
    if newton_pays(n, p) or (objective.blocks.cheap_gram and p <= WIDEST):
        return newton(objective, w, patient=calm, report=report, max_steps=_at_most(MAX_STEPS, left))
    with blas_alone():
        found = guided(objective, w, tolerance, report, near=near, max_steps=left)
    left = None if left is None else left - steps(found, n)
    if found.converged or left == 0:
        return found
    if np.isfinite(found.loss):
        w = found.coef
    if wide(n, p):
        products = _by_products(objective, w, tolerance, report, left)
        left = None if left is None else left - steps(products, n)
        if products.converged or p > WIDEST or left == 0:
            return replace(products, trace=found.trace + products.trace)
        w, found = products.coef, replace(found, trace=found.trace + products.trace)
    safe = newton(objective, w, patient=calm, report=report, max_steps=_at_most(MAX_STEPS, left))
    return replace(safe, solver="newton, after a guided descent did not settle", trace=found.trace + safe.trace)


def steps(found: Solution | Descended, n: int) -> int:
    """How many of a solver's steps looked at all n rows."""
    return sum(step.rows == n for step in found.trace)


def descend(
    objective: Objective,
    solver: str,
    *,
    tolerance: float,
    start: Floats,
    report: Report | None = None,
) -> Descended:
    """The optimum by the descent that is asked for: "lbfgs" guided by a rough curvature, or "newton-cg"."""
    if solver == "newton-cg":
        return _by_products(objective, start, tolerance, report)
    with blas_alone():
        return guided(objective, start, tolerance, report)


def choose(n: int, p: int) -> Plan:
    """The guided descent with the least work for a dense table of n rows and p columns.

    A guide from m rows has eigenvalues within about sqrt(p/m) of the truth, so that conjugate directions gain so much
    a pass. Source of the rate: Marchenko and Pastur (1967).
    """
    rows = min(START_ROWS, START_NUMBERS // p)
    start = rows if rows >= START_ROWS_A_COLUMN * p and rows <= START_SHARE * n else 0
    if wide(n, p):
        return Plan(start, 0)
    guide = guide_rows(n, p)
    return Plan(start, guide if guided_work(n, p, guide) < UNGUIDED else 0)


def newton_pays(n: int, p: int) -> bool:
    """Whether Newton's method on all rows is over before a guided descent, or so soon that it does not matter."""
    work = newton_work(p)
    guide = choose(n, p).guide
    return p <= WIDEST and (work * n * pass_time(p) < QUICK or work < (guided_work(n, p, guide) if guide else UNGUIDED))


def wide(n: int, p: int) -> bool:
    """Whether a curvature matrix is out of proportion: too many columns, or rows that hardly fill it."""
    return p > WIDEST or p > max(n // 2, FEW_COLUMNS)


def pass_time(p: int) -> float:
    """Nanoseconds a row that a pass for loss and gradient takes, as measured on one processor of 2023."""
    return 9.0 + 0.6 * p


def gram_passes(p: int) -> float:
    """Passes that a guiding curvature of all rows costs."""
    return p * (1.7 + 0.012 * p) / pass_time(p)


def guided_work(n: int, p: int, m: int, orders: float = ORDERS) -> float:
    """Passes over all n rows that a descent by so many orders of magnitude costs, guided by the curvature of m rows."""
    rate = 0.5 * math.log10(m / p) if m < n else 2.0
    return m / n * gram_passes(p) + orders / rate


def guide_rows(n: int, p: int, orders: float = ORDERS) -> int:
    """How many of n rows make the guide of least work."""
    return min((min(a * p, n) for a in CHOICES), key=lambda m: guided_work(n, p, m, orders))


def newton_work(p: int) -> float:
    """Passes over all rows that Newton's method costs: its curvature is in double precision."""
    return NEWTON_STEPS * (1.0 + 2.0 * gram_passes(p))


def guided(
    objective: Objective,
    w: Floats,
    tolerance: float,
    report: Report | None = None,
    *,
    near: bool = False,
    max_steps: int | None = None,
) -> Descended:
    """The optimum by a curvature that only guides; not converged where that does not get there.

    A guide that would take longer than a better one costs is left for the curvature of four times the rows. ``near``
    and ``max_steps``: as in :func:`solve`.
    """
    n, p = objective.blocks.n, objective.p
    plan = Plan(0, choose(n, p).guide) if near else choose(n, p)
    own = _own_curvature(objective, w, plan)
    if own is not None:
        plan = Plan(PROVING * p if plan.start else 0, 0)
    proven = objective.ridge is not None
    trace: tuple[Step, ...] = ()
    if plan.start:
        begun, sampled, trace = _start(objective, w, plan.start, own, report)
        w, proven = (begun if own is None else w), proven or sampled
    found = Descended(w, math.inf, np.full(p, np.nan), Status.STALLED, "quasi-newton", trace)
    value: Value | None = None
    rows, left = plan.guide, max_steps
    while True:
        guide = own if own is not None and not rows else _guide(objective, found.coef, rows)
        if guide is None:
            break
        more = 0 if wide(n, p) or rows >= n else min(max(4 * rows, 10 * p), n)
        worth = guided_work(n, p, more) if more else WIDE_WORK if wide(n, p) else newton_work(p)
        found = quasi_newton(
            objective,
            found.coef,
            guide,
            tolerance=tolerance,
            worth=max(worth, UNGUIDED),
            max_passes=_at_most(MOST_GUIDED, left),
            value=value,
            report=report,
        )
        trace += found.trace
        left = None if left is None else left - len(found.trace)
        if found.converged and not (proven or overlaps(objective, found.coef, found.gradient, guide)):
            found = replace(found, status=Status.STALLED)
            break
        if found.converged or not more or not np.isfinite(found.loss) or left == 0:
            break
        rows, value = more, Value(found.loss, found.gradient)
    return replace(found, solver=describe(plan.start if own is None else 0, rows, n), trace=trace)


def describe(start: int, guide: int, n: int) -> str:
    """What a guided descent did, in words."""
    of = f"the curvature of {guide:,} rows" if guide else "each column's own curvature"
    of = "the curvature of all rows" if guide >= n else of
    begun = f"started from {start:,} rows, " if start else ""
    return f"quasi-newton: {begun}exact gradients, guided by {of}"


def _own_curvature(objective: Objective, w: Floats, plan: Plan) -> Precondition | None:
    """Each column's own curvature, where a guide is dear and columns hardly correlate: it guides as well as any."""
    n, p = objective.blocks.n, objective.p
    if not plan.guide or plan.guide / n * gram_passes(p) < DEAR:
        return None
    H = objective.rough_curvature(w, PROBED * p)
    diagonal = np.diagonal(H).copy()
    if not (diagonal > HIDDEN * diagonal.mean()).all():
        return None
    correlations = np.square(H).dot(1.0 / diagonal) / diagonal
    return _by_column(diagonal) if float(correlations.sum()) - p <= UNCORRELATED**2 else None


def _start(
    objective: Objective, w: Floats, rows: int, own: Precondition | None, report: Report | None
) -> tuple[Floats, bool, tuple[Step, ...]]:
    """Near the optimum of a sample, whether the sample proves that an estimate exists, and the trace."""
    sample = objective.balanced_sample(rows)
    enough = ENOUGH * sample.p
    trace: tuple[Step, ...] = ()
    at = w
    for guide_of in (guide_rows(sample.blocks.n, sample.p, START_ORDERS), sample.blocks.n, sample.blocks.n):
        guide = _guide(sample, at, guide_of) if own is None else own
        if guide is None:
            break
        found = quasi_newton(sample, at, guide, tolerance=0.0, enough=enough, max_passes=START_PASSES, report=report)
        trace += found.trace
        at = found.coef
        if found.converged:
            proven = overlaps(sample, at, found.gradient, guide)
            return (at if proven or objective.ridge is not None else w), proven, trace
    # A sample that is separated, or seems so, points far out and says nothing of the table.
    return w, False, trace


def _guide(objective: Objective, w: Floats, rows: int) -> Precondition | None:
    """The inverse of the curvature of so many rows, or of its diagonal; None where it has none."""
    if not rows:
        return _by_column(objective.diagonal(w))
    H = objective.rough_curvature(w, rows)
    p, diagonal = len(H), np.diagonal(H).copy()
    if not np.isfinite(diagonal).all():
        return None
    # Columns have a spread of one, so one that hardly curves is constant, or in these rows: a column's usual curvature.
    hidden = np.flatnonzero(diagonal <= HIDDEN * diagonal.mean())
    H[hidden, :] = H[:, hidden] = 0.0
    diagonal[hidden] = diagonal.mean()
    for lift in (0.0, *LIFTS):
        H[np.diag_indices(p)] = diagonal * (1.0 + lift)
        try:
            return factor(H)
        except NotPositiveDefiniteError:
            continue
    return None


def _by_column(diagonal: Floats) -> Precondition:
    # A column of zeros has none, and no gradient either: any number will do.
    diagonal = np.where(diagonal > 0, diagonal, 1.0)
    return lambda g: g / diagonal


def _by_products(
    objective: Objective, w: Floats, tolerance: float, report: Report | None, left: int | None = None
) -> Descended:
    most = _at_most(MOST_BY_PRODUCTS, left)
    with blas_alone():
        separated = one_sided(objective)
        found = newton_cg(objective, w, tolerance=tolerance, max_steps=most, separated=separated, report=report)
    return replace(found, solver="newton-cg, curvature by products")


def _at_most(own: int, left: int | None) -> int:
    return own if left is None else min(own, left)
