"""Quasi-Newton from a curvature that is only good enough: the gradient is exact, so the answer is."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

import numpy as np

from passline.engine.objective import Objective
from passline.engine.value import Value
from passline.solvers.base import Descended, Floats, Report, Status, Step

# Pairs of steps and gradient changes that correct the curvature; more cost memory and gain nothing here.
MEMORY = 12
# Where outcomes are rare the curvature is small, and a small gradient still leaves a step: it must be as small as this.
LAST_STEP = 2e-8
ARMIJO, SHORTEST = 1e-4, 1e-6
# Passes that a guide has before its rate is judged, and over which the rate is taken.
TRIAL = 6
# Passes with a small enough gradient and a step that is not.
LATE = 6

Precondition = Callable[[Floats], Floats]


def quasi_newton(
    objective: Objective,
    start: Floats,
    precondition: Precondition,
    *,
    tolerance: float,
    enough: float = 0.0,
    worth: float = 60.0,
    max_passes: int = 200,
    value: Value | None = None,
    report: Report | None = None,
) -> Descended:
    """Minimise the objective from ``start`` (p,) by L-BFGS whose first inverse curvature is ``precondition``.

    Each step costs one pass for the loss and its exact gradient; ``value``: these at ``start``, where they are known.
    CONVERGED where the largest entry of the gradient is at most ``tolerance`` and the step that is left is negligible,
    or where Newton's decrement is at most ``enough``. STALLED where the guide points nowhere, or where at the rate of
    the last passes more than ``worth`` would follow, so that the caller takes another. Source: Nocedal and Wright,
    Numerical Optimization (2006), algorithm 7.4.
    """
    w = start.copy()
    value = objective(start, 1) if value is None else value
    pairs: deque[tuple[Floats, Floats, float]] = deque(maxlen=MEMORY)
    trace: list[Step] = []
    length, late, status = 1.0, 0, Status.PASS_LIMIT
    for _ in range(max_passes):
        gradient = np.asarray(value.gradient)
        size = float(np.abs(gradient).max())
        step = -_product(gradient, pairs, precondition)
        slope = float(gradient @ step)
        trace.append(Step(objective.blocks.n, float(value.loss), size, -objective.total * slope, length))
        if report is not None:
            report(trace[-1])
        small = size <= tolerance and bool((np.abs(step) <= LAST_STEP * np.maximum(1.0, np.abs(w))).all())
        if small or (slope < 0 and trace[-1].decrement <= enough):
            status = Status.CONVERGED
            break
        # A gradient that vanishes while the step stays is how a separated outcome shows.
        late += size <= tolerance
        guided = slope < 0 and late <= LATE and _passes_left(trace, tolerance) <= worth
        found = search(objective, w, step, value, slope) if guided else None
        if found is None:
            status = Status.STALLED
            break
        trial, value, length = found
        change = np.asarray(value.gradient) - gradient
        bend = float((trial - w) @ change)
        if bend > 1e-10 * float(np.linalg.norm(trial - w) * np.linalg.norm(change)):
            pairs.append((trial - w, change, 1.0 / bend))
        w = trial
    return Descended(w, float(value.loss), np.asarray(value.gradient), status, "quasi-newton", tuple(trace))


def _passes_left(trace: list[Step], tolerance: float) -> float:
    """The passes to a gradient of ``tolerance`` at the rate of the last few; none where there are too few to tell."""
    if len(trace) <= TRIAL:
        return 0.0
    now, before = trace[-1], trace[-1 - TRIAL]
    if now.gradient_norm <= tolerance or not 0.0 < now.decrement < before.decrement:
        return 0.0 if now.gradient_norm <= tolerance else math.inf
    # The decrement is a square, and falls more steadily than the largest entry.
    rate = math.log(before.decrement / now.decrement) / (2 * TRIAL)
    return math.log(now.gradient_norm / max(tolerance, 1e-300)) / rate


def search(
    objective: Objective, w: Floats, step: Floats, value: Value, slope: float
) -> tuple[Floats, Value, float] | None:
    """The first of the steps 1, 1/2, 1/4, ... that lowers the loss enough (Armijo); None where none does."""
    noise = 8 * np.finfo(float).eps * max(1.0, abs(float(value.loss)))
    length = 1.0
    while length >= SHORTEST:
        trial = objective(w + length * step, 1)
        if np.isfinite(trial.loss) and trial.loss <= value.loss + ARMIJO * length * slope + noise:
            return w + length * step, trial, length
        length /= 2
    return None


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
