"""Truncated Newton: the curvature only by its products, for designs too wide to form it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from passline.engine.blocks import Block, Blocks
from passline.engine.columns import Shifted
from passline.engine.moments import entries
from passline.engine.objective import Near, Objective
from passline.engine.sparse import Sparse
from passline.solvers.base import Descended, Floats, Report, Status, Step
from passline.solvers.newton import SETTLED
from passline.solvers.quasi import ARMIJO, LAST_STEP, SHORTEST

# Conjugate gradients stop where the residual is this share of the gradient, and of the gradient aimed at.
LOOSEST, ENOUGH = 0.25, 0.3
# So many products in one step, and a diagonal of the curvature there, which costs about two, is worth it.
WORTH = 10
# A gradient that is small enough may leave a step that is not, where outcomes are rare: so many steps more for that,
# each solved to this share, and no more products than it took to get there.
POLISH, POLISHED = 8, 0.1
MOST_PRODUCTS = 1_000
# A step of more products than this needs their digits; single precision holds no columns of other scales than these.
EASY, RANGE = 30, 1e12
# Newton's step under separation moves the separated rows' linear predictor by about 1, however far out they are.
LONG_MOVE, RESTLESS = 0.5, 3
# Where no estimate exists there is no more to gain than this, in units of the log-likelihood.
KNOWN = 1e-2


def newton_cg(
    objective: Objective,
    start: Floats,
    *,
    tolerance: float,
    max_steps: int = 100,
    max_products: int = 10_000,
    separated: bool = False,
    report: Report | None = None,
) -> Descended:
    r"""Minimise the objective from ``start`` (p,) by Newton steps that conjugate gradients solve just well enough.

    .. math:: \|H s + g\| \le \min(0.25, \sqrt{\|g\| / \|g_0\|})\, \|g\| \text{ in the norm of the diagonal's inverse}

    Columns should be standardised: the curvature's diagonal, which preconditions, is then known where rows weigh
    alike. CONVERGED where the gradient's largest entry is at most ``tolerance`` and, without a ridge, the step that is
    left moves no row as one would under separation; DIVERGING where steps go on moving rows while the loss has settled;
    PASS_LIMIT after so many steps or products. ``separated``: it is known that no estimate exists. Source: Nocedal
    and Wright, Numerical Optimization (2006), algorithm 7.1; Steihaug (1983).
    """
    w, near = start, objective.near(start)
    diagonal, rough = _first_diagonal(near), rough_rows(objective)
    trace: list[Step] = []
    products, reached, restless, small, length = 0, 0, 0, 0, 1.0
    first, status = None, Status.PASS_LIMIT
    for _ in range(max_steps):
        g = near.gradient
        size, norm = _largest(g), float(np.sqrt(g @ (g / diagonal)))
        first = norm if first is None else first
        trace.append(Step(objective.blocks.n, near.loss, size, objective.total * norm * norm, length))
        if report is not None:
            report(trace[-1])
        small = small + 1 if size <= tolerance else 0
        reached = products if small == 1 else reached
        polished = small > POLISH or (small > 1 and products > 2 * reached)
        if polished or (small and _largest(g / diagonal) <= LAST_STEP * max(1.0, _largest(w))):
            status = Status.CONVERGED if not separated and _overlaps(objective, near) else Status.DIVERGING
            break
        if products >= max_products or not np.isfinite(size):
            break
        share, enough = (POLISHED, 0.0) if small else (min(LOOSEST, np.sqrt(norm / first)), ENOUGH * tolerance)
        step, used = _conjugate_gradients(near if small else _roughly(near, rough), diagonal, share, enough)
        rough = rough if used <= EASY else None
        products += used
        found = _search(objective, w, step, near)
        if found is None:
            status = Status.STALLED
            break
        if objective.ridge is None:
            gain = -objective.total * float(g @ step)
            separated = separated or _separates(objective, found[1])
            restless = restless + 1 if gain < SETTLED and _moves(near, found) > LONG_MOVE else 0
            status = Status.DIVERGING if restless == RESTLESS or (separated and gain < KNOWN) else status
        w, near, length = found
        if status is Status.DIVERGING:
            break
        if used >= WORTH or small:
            diagonal = _positive(near.diagonal())
    return Descended(w, near.loss, near.gradient, status, "newton-cg", tuple(trace))


def one_sided(objective: Objective) -> bool:
    """Whether some sparse column separates by itself, and nothing is penalised: no estimate exists then."""
    sides = one_sided_columns(objective) if objective.ridge is None else None
    return sides is not None and bool(sides.any())


def one_sided_columns(objective: Objective) -> Floats | None:
    """Which sparse columns' entries have one sign in the rows of 1 and the other in those of 0, (p,): 1, -1, else 0.

    The larger the coefficient of such a column (the smaller, where -1), the likelier are its rows, and the others stay.
    None where columns are not sparse.
    """
    columns = objective.blocks.all.columns
    if not isinstance(columns, Shifted) or not isinstance(columns.columns, Sparse):
        return None
    X = replace(columns.columns, shift=None, unit=None)
    balance, count = objective.blocks.with_columns(X).sum(_balance), entries(X, objective.blocks.threads)
    return np.where((np.abs(balance) == count) & (count > 0), np.sign(balance), 0.0)


def _balance(block: Block) -> Floats:
    """Of each column, entries for less those against a larger coefficient, (p,)."""
    assert isinstance(block.columns, Sparse)
    toward: Floats = block.columns.sums_of(np.sign, 2.0 * block.y - 1.0)
    return toward


def rough_rows(objective: Objective) -> Blocks | None:
    """The rows with columns that multiply in single precision, where they are sparse and their scales allow it."""
    columns = objective.blocks.all.columns
    if not isinstance(columns, Shifted) or not isinstance(columns.columns, Sparse):
        return None
    if columns.scale.min() < 1.0 / RANGE or columns.scale.max() > RANGE:
        return None
    X = columns.columns.rough()
    return None if X is None else objective.blocks.with_columns(replace(columns, columns=X))


def _roughly(near: Near, rough: Blocks | None) -> Near:
    return near if rough is None else replace(near, rows=rough.with_weight(near.rows.all.weight))


def _first_diagonal(near: Near) -> Floats:
    """The curvature's diagonal: for standardised columns and rows of like weight that is the mean weight."""
    d = near.rows.all.weight
    assert d is not None
    if d.min() < 0.5 * d.max():
        return _positive(near.diagonal())
    flat = np.full(len(near.gradient), d.sum() / near.total)
    return flat if near.ridge is None else flat + near.ridge


def _positive(diagonal: Floats) -> Floats:
    # A column of zeros has no curvature, and no gradient either: any number will do.
    diagonal[~(diagonal > 0)] = 1.0
    return diagonal


def _largest(v: Floats) -> float:
    """The largest entry's size, without an array of sizes; not a number where an entry is none."""
    return float(max(v.max(), -v.min()))


def _overlaps(objective: Objective, near: Near) -> bool:
    """Whether an estimate exists: by the ridge, or since Newton's next step moves no row's linear predictor by 1.

    Under separation the gradient vanishes too, and every step moves the separated rows by about 1; see
    :func:`passline.solvers.newton.proves_overlap`.
    """
    if objective.ridge is not None:
        return True
    step, _ = _conjugate_gradients(near, _positive(near.diagonal()), 1e-3, 0.0)
    return _largest(objective.blocks.each_row(_moved, step)) < LONG_MOVE


def _moved(block: Block, step: Floats) -> Floats:
    moved: Floats = block.columns.times(step)
    return moved


def _moves(near: Near, found: tuple[Floats, Near, float]) -> float:
    """The most by which the whole step moves a row's linear predictor."""
    return _largest(found[1].eta - near.eta) / found[2]


def _separates(objective: Objective, near: Near) -> bool:
    """Whether the coefficients put every row on its side: then so does any multiple, and the larger the likelier."""
    block = objective.blocks.all
    if block.offset is not None:
        return False
    return bool((near.eta[block.y > 0] > 0).all() and (near.eta[block.y < 1] < 0).all())


def _search(objective: Objective, w: Floats, step: Floats, near: Near) -> tuple[Floats, Near, float] | None:
    """The whole step if it lowers the loss enough (Armijo), else the best of its halves; None where none does.

    Once the whole step has been seen, the rows' linear predictors are known all along it: halves cost no pass.
    """
    noise = 8 * np.finfo(float).eps * max(1.0, abs(near.loss))
    slope = float(near.gradient @ step)

    def enough(loss: float, length: float) -> bool:
        return bool(loss <= near.loss + ARMIJO * length * slope + noise)

    found = objective.near(w + step)
    if enough(found.loss, 1.0):
        return w + step, found, 1.0
    move = found.eta - near.eta
    length, loss = 1.0, found.loss
    while length >= SHORTEST:
        half = objective.loss(w + length / 2 * step, near.eta + length / 2 * move)
        if enough(loss, length) and not half < loss:
            found = objective.near(w + length * step)
            return (w + length * step, found, length) if enough(found.loss, length) else None
        length, loss = length / 2, half
    return None


def _conjugate_gradients(near: Near, diagonal: Floats, share: float, enough: float) -> tuple[Floats, int]:
    """An approximate solution of H s = -g, and the products it took.

    Until the residual is ``share`` of the gradient in the norm of the diagonal's inverse, or its largest entry at most
    ``enough``.
    """
    s, r = np.zeros_like(near.gradient), -near.gradient
    if not r.any():
        return s, 0
    d = r / diagonal
    rz = float(r @ d)
    goal = share**2 * rz
    for used in range(1, MOST_PRODUCTS + 1):
        Hd = near.product(d)
        bend = float(d @ Hd)
        if not bend > 0:
            return (s if used > 1 else d), used
        a = rz / bend
        s += a * d
        Hd *= a
        r -= Hd
        z = np.divide(r, diagonal, out=Hd)
        rz, before = float(r @ z), rz
        if rz <= goal or _largest(r) <= enough:
            return s, used
        d *= rz / before
        d += z
    return s, MOST_PRODUCTS
