"""Truncated Newton: the curvature only by its products, for designs too wide to form it."""

from __future__ import annotations

import numpy as np

from passline.engine.blocks import Block
from passline.engine.objective import Objective
from passline.solvers.base import Descended, Floats, Report, Status, Step
from passline.solvers.quasi import LAST_STEP, search


def newton_cg(
    objective: Objective,
    start: Floats,
    diagonal: Floats,
    *,
    tolerance: float,
    max_steps: int = 100,
    max_products: int = 5_000,
    report: Report | None = None,
) -> Descended:
    r"""Minimise the objective from ``start`` (p,) by Newton steps that conjugate gradients solve just well enough.

    .. math:: \|H s + g\| \le \min(0.25, \sqrt{\|g\| / \|g_0\|})\, \|g\| \text{ in the norm of the diagonal's inverse}

    ``diagonal``: (p,) of the curvature somewhere near, to precondition with. Each product with the curvature is a
    pass. Stops where the gradient's largest entry is at most ``tolerance``: DIVERGING if the step that is left moves a
    row by as much as it would under separation. Source: Nocedal and Wright, Numerical Optimization (2006), algorithm
    7.1; Steihaug (1983).
    """
    w = start.copy()
    value = objective(w, 1)
    trace: list[Step] = []
    first, products, length = None, 0, 1.0
    status = Status.PASS_LIMIT
    for _ in range(max_steps):
        gradient = np.asarray(value.gradient)
        size = float(np.abs(gradient).max())
        norm = float(np.sqrt(gradient @ (gradient / diagonal)))
        first = norm if first is None else first
        trace.append(Step(objective.blocks.n, float(value.loss), size, objective.total * norm * norm, length))
        if report is not None:
            report(trace[-1])
        if size <= tolerance and np.abs(gradient / diagonal).max() <= LAST_STEP * max(1.0, np.abs(w).max()):
            status = Status.CONVERGED if _overlaps(objective, w, gradient, diagonal) else Status.DIVERGING
            break
        if products >= max_products or not np.isfinite(size):
            break
        step, used = _conjugate_gradients(objective, w, gradient, diagonal, min(0.25, np.sqrt(norm / first)))
        products += used
        slope = float(gradient @ step)
        found = search(objective, w, step, value, slope)
        if found is None:
            status = Status.STALLED
            break
        w, value, length = found
    return Descended(w, float(value.loss), np.asarray(value.gradient), status, "newton-cg", tuple(trace))


def _overlaps(objective: Objective, w: Floats, gradient: Floats, diagonal: Floats) -> bool:
    """Whether an estimate exists: by the ridge, or since Newton's next step moves no row's linear predictor by 1.

    Under separation the gradient vanishes too, and every step moves the separated rows by about 1; see
    :func:`passline.solvers.newton.proves_overlap`.
    """
    if objective.ridge is not None:
        return True
    step, _ = _conjugate_gradients(objective, w, gradient, diagonal, 1e-3)
    moved = objective.blocks.each_row(_moved, step)
    return bool(moved.max(initial=0.0) < 0.5)


def _moved(block: Block, step: Floats) -> Floats:
    moved: Floats = np.abs(block.columns.times(step))
    return moved


def _conjugate_gradients(
    objective: Objective, w: Floats, g: Floats, diagonal: Floats, share: float
) -> tuple[Floats, int]:
    """An approximate solution of H s = -g, and the products it took."""
    s = np.zeros_like(g)
    if not g.any():
        return s, 0
    r = -g
    z = r / diagonal
    d = z.copy()
    rz = float(r @ z)
    goal = (share**2) * rz
    for used in range(1, 251):
        Hd = objective.product(w, d)
        bend = float(d @ Hd)
        if bend <= 0:
            return (s if used > 1 else z), used
        a = rz / bend
        s += a * d
        r -= a * Hd
        z = r / diagonal
        new = float(r @ z)
        if new <= goal:
            return s, used
        d = z + (new / rz) * d
        rz = new
    return s, 250
