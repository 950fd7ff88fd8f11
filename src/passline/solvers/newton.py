"""Newton's method with a line search: quadratic convergence to the exact optimum of a smooth convex objective."""

from __future__ import annotations

import numpy as np

from passline.engine.value import Value
from passline.solvers.base import Descended, Floats, Report, Smooth, Solution, Status, Step
from passline.solvers.linear import NotPositiveDefiniteError, solve, solve_lifted

# Newton's decrement is twice the log-likelihood that is left to gain. 1e-24 is a step of 1e-12 standard errors: one
# full step more than any report shows, taken because the last step costs one pass and buys half of the digits.
DECREMENT_TOLERANCE = 1e-24
# From this many rows on a pass is no longer free, and a billionth of a standard error is enough.
LONG, LONG_TOLERANCE = 100_000, 1e-18
# Rounding puts a floor under the decrement; below this, a step that no longer shrinks it fourfold has reached it.
DECREMENT_FLOOR = 1e-12
# From here on an estimate that exists is reached quadratically, so a step that keeps its length tells of none.
SETTLED = 1e-6
MAX_STEPS = 200


def newton(
    objective: Smooth,
    start: Floats,
    *,
    patient: bool = False,
    report: Report | None = None,
    max_steps: int = MAX_STEPS,
) -> Solution:
    r"""Minimise the objective from ``start`` (p,), and stop where its exact gradient vanishes to rounding.

    .. math:: w \leftarrow w - t H(w)^{-1} g(w)

    with t halved from 1 until the loss falls enough (Armijo). A curvature that is numerically singular is lifted by a
    multiple of its diagonal. Status DIVERGING means that the loss has settled while the step keeps its length, as it
    does when the outcome is separated; ``patient`` goes on all the same. Source: Nocedal and Wright, Numerical
    Optimization (2006), 3.3 and 3.4.
    """
    w = start.copy()
    value: Value = objective(w, 2)
    trace: list[Step] = []
    tolerance = DECREMENT_TOLERANCE if objective.blocks.n < LONG else LONG_TOLERANCE
    previous, restless, length = np.inf, 0, 1.0
    status = Status.PASS_LIMIT
    for _ in range(max_steps):
        assert value.gradient is not None
        assert value.curvature is not None
        step = solve_lifted(value.curvature, value.gradient)
        slope = float(value.gradient @ step)
        decrement = objective.total * slope
        steepest = float(np.abs(value.gradient).max(initial=0.0))  # where every column is aliased there is none
        done = Step(objective.blocks.n, float(value.loss), steepest, decrement, length)
        trace.append(done)
        if report is not None:
            report(done)
        if decrement <= tolerance or (decrement < DECREMENT_FLOOR and decrement > previous / 4):
            status = Status.CONVERGED
            break
        restless = restless + 1 if decrement < SETTLED and not proves_overlap(objective, step) else 0
        if restless == 3 and not patient:
            status = Status.DIVERGING
            break
        previous = decrement
        found = _quadratic(objective, w, step, value, decrement) or _search(objective, w, step, value, slope)
        if found is None:
            # Rounding can hide the last decrease of the loss; the gradient then tells.
            status = Status.CONVERGED if decrement < DECREMENT_FLOOR else Status.STALLED
            break
        w, value, length = found
    assert value.gradient is not None
    assert value.curvature is not None
    return Solution(w, float(value.loss), value.gradient, value.curvature, status, "newton", tuple(trace))


def last_step(objective: Smooth, near: Descended) -> Solution | None:
    """The solution from a point so ``near`` it that the curvature there is the solution's; None where it is not.

    One pass for the curvature, and one for the exact gradient after the step it gives: that step is below 1e-6 standard
    errors, and moves the curvature by less than its rounding. Where the gradient is all rounding, no step is taken.
    """
    value = objective(near.coef, 2)
    assert value.gradient is not None
    assert value.curvature is not None
    try:
        step = solve(value.curvature, value.gradient)
    except NotPositiveDefiniteError:
        return None
    decrement = objective.total * float(value.gradient @ step)
    if not decrement <= DECREMENT_FLOOR:
        return None
    w, found, left = near.coef, value, decrement
    if decrement > LONG_TOLERANCE:
        trial = objective(w - step, 1)
        g = np.asarray(trial.gradient)
        after = objective.total * float(g @ solve(value.curvature, g))
        if after < decrement:
            w, found, left = w - step, trial, after
    g = np.asarray(found.gradient)
    trace = (*near.trace, Step(objective.blocks.n, float(found.loss), float(np.abs(g).max()), left, 1.0))
    solver = f"{near.solver}; newton's last step"
    return Solution(w, float(found.loss), g, value.curvature, Status.CONVERGED, solver, trace)


def proves_overlap(objective: Smooth, step: Floats) -> bool:
    """Whether a Newton step is so short that the outcome cannot be separated.

    At any w with Newton step s, the numbers lambda_i = |y_i - mu_i| - mu_i (1 - mu_i) |x_i' s| combine the rows,
    each times the sign of its outcome, to zero. If |x_i' s| < 1 in every row they are positive, and by Stiemke's
    lemma no direction separates. Columns are standardised, so sum_i (x_i' s)^2 <= n p |s|^2 bounds them all.
    A ridge would shorten the step and with it the proof, but an estimate then exists anyway.
    """
    blocks = objective.blocks
    return float(blocks.n) * blocks.p * float(step @ step) < 0.25


def _quadratic(
    objective: Smooth, w: Floats, step: Floats, value: Value, decrement: float
) -> tuple[Floats, Value, float] | None:
    """The full step at the end, where the loss drowns in its rounding: the gradient shows that it was right."""
    if decrement > SETTLED:
        return None
    trial = w - step
    found = objective(trial, 2)
    if not np.isfinite(found.loss):
        return None
    g = np.asarray(found.gradient)
    left = objective.total * float(g @ solve_lifted(np.asarray(value.curvature), g))
    return (trial, found, 1.0) if abs(left) < decrement / 16 else None


def _search(
    objective: Smooth, w: Floats, step: Floats, value: Value, slope: float
) -> tuple[Floats, Value, float] | None:
    noise = 8 * np.finfo(float).eps * max(1.0, abs(float(value.loss)))
    length = 1.0
    while length > 1e-12:
        trial = w - length * step
        found = objective(trial, 2)
        if np.isfinite(found.loss) and found.loss <= value.loss - 1e-4 * length * slope + noise:
            return trial, found, length
        length /= 2
    return None
