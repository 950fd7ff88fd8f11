"""The default solver: it counts the work of full, sampled and no curvature, takes the least, and says what it did."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from passline.engine.objective import Objective
from passline.engine.threads import blas_alone
from passline.solvers.base import Descended, Floats, Report, Solution, Status
from passline.solvers.linear import NotPositiveDefiniteError, factor
from passline.solvers.newton import newton
from passline.solvers.newton_cg import newton_cg, one_sided
from passline.solvers.quasi import quasi_newton

# A sample this many times the number of columns has a curvature within a tenth or so of the whole table's.
SAMPLE_ROWS, SAMPLE_ROWS_A_COLUMN = 20_000, 25
# Newton on all rows takes about this many curvatures, a quasi-Newton from a sample's about so many passes.
NEWTON_STEPS, QUASI_PASSES = 8, 9
# A curvature of p columns costs p times a pass in operations, but a matrix product does this many more a second.
PRODUCT_SPEED = 12.0
# Forming and factoring a curvature wider than this costs more than products with it.
WIDEST = 2_500
# Of a sparse matrix a product costs less and a curvature more, since it is not sparse.
NARROW = 100


def solve(
    objective: Objective, *, tolerance: float = 1e-9, start: Floats | None = None, report: Report | None = None
) -> Solution | Descended:
    """Minimise the objective to a gradient of at most ``tolerance`` (in the solver's coordinates).

    Small tables: Newton. Long ones: Newton on a sample, then all rows with the sample's curvature and exact gradients;
    an optimum on a sample that overlaps also proves that all rows do. Wide ones: products with the curvature. Whatever
    the fast way does not settle (a separated or singular sample, a curvature that guides badly) goes to Newton.
    """
    p, n = objective.p, objective.blocks.n
    w = np.zeros(p) if start is None else start
    if p > (NARROW if objective.sparse else WIDEST):
        return _by_products(objective, w, tolerance, report)
    rows = sample_rows(p)
    if n < 4 * rows or not sampling_pays(n, p, rows):
        return newton(objective, w, patient=objective.ridge is not None, report=report)
    found = sampled(objective, w, rows, tolerance, report)
    if found is not None:
        return found
    return newton(objective, w, patient=objective.ridge is not None, report=report)


def sample_rows(p: int) -> int:
    """How many rows a sample for ``p`` columns has."""
    return max(SAMPLE_ROWS, SAMPLE_ROWS_A_COLUMN * p)


def sampling_pays(n: int, p: int, rows: int) -> bool:
    """Whether a sample's curvature costs less work than Newton's on all rows, in units of one pass over them."""
    gram = p / PRODUCT_SPEED
    newton_work = NEWTON_STEPS * (1.0 + gram)
    sampled_work = QUASI_PASSES + NEWTON_STEPS * (1.0 + gram) * rows / n
    return sampled_work < newton_work


def sampled(
    objective: Objective, start: Floats, rows: int, tolerance: float, report: Report | None = None
) -> Descended | None:
    """The optimum by the curvature of a sample; None where that is no guide."""
    penalised = objective.ridge is not None
    first = newton(objective.sample(rows), start, patient=penalised, report=report, max_steps=25)
    if first.status is not Status.CONVERGED:
        return None
    try:
        precondition = factor(first.curvature)
    except NotPositiveDefiniteError:
        return None
    found = quasi_newton(objective, first.coef, precondition, tolerance=tolerance, report=report)
    if not found.converged:
        return None
    return replace(found, solver=f"quasi-newton, curvature of {rows:,} rows", trace=first.trace + found.trace)


def _by_products(objective: Objective, w: Floats, tolerance: float, report: Report | None) -> Descended:
    with blas_alone():
        found = newton_cg(objective, w, tolerance=tolerance, separated=one_sided(objective), report=report)
    return replace(found, solver="newton-cg, curvature by products")
