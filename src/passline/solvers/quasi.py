"""Quasi-Newton from a curvature that is only good enough: the gradient is exact, so the answer is."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from passline.engine.objective import Objective
from passline.solvers.base import Floats, Report, Status, Step

# Pairs of steps and gradient changes that correct the curvature; more cost memory and gain nothing here.
MEMORY = 12
ARMIJO = 1e-4

Precondition = Callable[[Floats], Floats]


def quasi_newton(
    objective: Objective,
    start: Floats,
    precondition: Precondition,
    *,
    tolerance: float,
    max_passes: int = 200,
    report: Report | None = None,
) -> tuple[Floats, Floats, float, Status, tuple[Step, ...]]:
    """Minimise the objective from ``start`` (p,) by L-BFGS whose first inverse curvature is ``precondition``.

    Each step costs one pass for the loss and its exact gradient. Gives (coef, gradient, loss, status, trace); it
    stops where the largest entry of the gradient is at most ``tolerance``, where rounding hides further progress, or
    where the curvature proves no guide (STALLED): the caller then takes the safe way. Source: Nocedal and Wright,
    Numerical Optimization (2006), algorithm 7.4.
    """
    w = start.copy()
    value = objective(w, 1)
    loss, gradient = float(value.loss), np.asarray(value.gradient)
    pairs: deque[tuple[Floats, Floats, float]] = deque(maxlen=MEMORY)
    trace: list[Step] = []
    length, slow = 1.0, 0
    for _ in range(max_passes):
        size = float(np.abs(gradient).max())
        step = -_product(gradient, pairs, precondition)
        slope = float(gradient @ step)
        done = Step(objective.blocks.n, loss, size, -objective.total * slope, length)
        trace.append(done)
        if report is not None:
            report(done)
        if not np.isfinite(size):
            return w, gradient, loss, Status.STALLED, tuple(trace)
        if size <= tolerance:
            return w, gradient, loss, Status.CONVERGED, tuple(trace)
        if slope >= 0:
            return w, gradient, loss, Status.STALLED, tuple(trace)
        noise = 8 * np.finfo(float).eps * max(1.0, abs(loss))
        length = 1.0
        while True:
            trial = w + length * step
            value = objective(trial, 1)
            if np.isfinite(value.loss) and value.loss <= loss + ARMIJO * length * slope + noise:
                break
            length /= 2
            if length < 1e-6:
                return w, gradient, loss, Status.STALLED, tuple(trace)
        new = np.asarray(value.gradient)
        # A guide that does not halve the gradient in three steps out of four is none.
        slow = slow + 1 if np.abs(new).max() > 0.5 * size else max(slow - 1, 0)
        if slow > 12:
            return trial, new, float(value.loss), Status.STALLED, tuple(trace)
        move, change = trial - w, new - gradient
        curvature = float(move @ change)
        if curvature > 1e-10 * float(np.linalg.norm(move) * np.linalg.norm(change)):
            pairs.append((move, change, 1.0 / curvature))
        w, gradient, loss = trial, new, float(value.loss)
    return w, gradient, loss, Status.PASS_LIMIT, tuple(trace)


def _product(g: Floats, pairs: deque[tuple[Floats, Floats, float]], precondition: Precondition) -> Floats:
    """The inverse curvature's guess times g: the two-loop recursion."""
    q = g.copy()
    kept: list[float] = []
    for move, change, rho in reversed(pairs):
        a = rho * float(move @ q)
        q -= a * change
        kept.append(a)
    r = precondition(q)
    for (move, change, rho), a in zip(pairs, reversed(kept), strict=True):
        r = r + (a - rho * float(change @ r)) * move
    return r
