"""Whether the maximum-likelihood estimate exists, decided by linear programmes, and what is left of it if not.

The log-likelihood has no maximum exactly where some direction b separates: s_i x_i' b >= 0 in every row, s_i = +1 for
a success and -1 for a failure (both, where a row holds both), with X b not zero (Albert and Anderson 1984; Konis
2007). These directions form the cone of recession. A term is infinite where every direction of the cone moves it one
way, undetermined where they disagree, and finite where none moves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import Blocks

Floats = NDArray[np.float64]
Kind = Literal["none", "quasi", "complete"]

# Rows are scaled to length one and columns are standardised: what a programme leaves below this is its rounding.
TOLERANCE = 1e-7
# An entry of a direction below this share of its largest is zero: columns are standardised.
NOTHING = 1e-9
# More constraints than this are brought in as they are violated, not all at once.
CONSTRAINTS = 4_000


@dataclass(frozen=True)
class Recession:
    """The cone of directions along which the likelihood rises for ever.

    ``separated``: (n,) bool, the rows that some direction tells apart strictly. ``moves``: (p,) +1 or -1 for an
    infinite term, 0 for a finite one, NaN for an undetermined one. ``directions``: (m, p) directions of the cone in the
    design's coordinates, the first in its relative interior; none where the estimate exists.
    """

    kind: Kind
    separated: NDArray[np.bool_]
    moves: Floats
    directions: Floats


def recession(blocks: Blocks, back: Floats) -> Recession:
    """The cone of recession of the rows in ``blocks``, whose columns must be independent.

    ``back``: (p, k), from the blocks' coefficients to those of the terms that are to be judged.
    """
    X, y = blocks.all.columns.dense(), blocks.all.y
    real = np.ones(len(y), dtype=bool) if blocks.all.weight is None else blocks.all.weight > 0
    length = np.linalg.norm(X, axis=1)
    U = X / np.where(length > 0, length, 1.0)[:, None]
    mixed = real & (y > 0) & (y < 1)
    pure = real & ~mixed
    A = U[pure] * np.where(y[pure] > 0.5, 1.0, -1.0)[:, None]
    E = _row_space(U[mixed])
    interior, strict = _widest(A, E)
    separated = np.zeros(len(y), dtype=bool)
    separated[np.flatnonzero(pure)[strict]] = True
    p = len(back)
    if interior is None:
        return Recession("none", separated, np.zeros(p), np.zeros((0, p)))
    N = _null_space(U[real & ~separated])
    interior = N @ (N.T @ interior)
    margin = float((A[strict] @ interior).min())
    if margin <= 0:
        # The programme's direction does not survive exact arithmetic on its own rows.
        return Recession("none", np.zeros(len(y), dtype=bool), np.zeros(p), np.zeros((0, p)))
    # Each term on a scale of its own: a column in dollars and one in billions of them get the same verdict.
    moves, extreme = _moves(A[strict] @ N, N.T @ interior, _unit_rows(back) @ N)
    extreme = _inside(A[strict] @ N, N.T @ interior, extreme)
    near = margin / 2 * np.concatenate([N.T, -N.T])  # rows have length one: still inside the cone
    directions = np.concatenate([interior[None], interior + near, extreme @ N.T])
    kind: Kind = "complete" if separated[real].all() else "quasi"
    small = np.abs(directions) <= NOTHING * np.abs(directions).max(axis=1, keepdims=True)
    return Recession(kind, separated, moves, np.where(small, 0.0, directions) @ back.T)


def _unit_rows(M: Floats) -> Floats:
    """The rows at length one, those of zeros as they are; the square of a row of 1e200 would leave the doubles."""
    largest = np.abs(M).max(axis=1, keepdims=True)
    M = M / np.where(largest > 0, largest, 1.0)
    length = np.linalg.norm(M, axis=1, keepdims=True)
    return np.asarray(M / np.where(length > 0, length, 1.0))


def _inside(A: Floats, interior: Floats, rays: Floats) -> Floats:
    """Rays of {u: A u >= 0} that a programme's rounding left outside, moved towards the interior until they are in."""
    if not len(rays):
        return rays
    interior = interior * (np.linalg.norm(rays, axis=1).max() / np.linalg.norm(interior))
    margin = float((A @ interior).min())
    outside = np.maximum(-(rays @ A.T).min(axis=1), 0.0)
    share = outside / (outside + margin) * (1 + 1e-9)
    return np.asarray(rays + share[:, None] * (interior - rays))


def _widest(A: Floats, E: Floats) -> tuple[Floats | None, NDArray[np.bool_]]:
    """A direction b with A b >= 0, E b = 0 that is strict in as many rows as possible, and those rows.

    Each programme maximises the sum of A b over the rows not yet strict, in a box; its answers add up to a direction
    in the relative interior of the cone.
    """
    strict = np.zeros(len(A), dtype=bool)
    total: Floats | None = None
    while not strict.all():
        b = _programme(A[~strict].sum(axis=0), A, E)
        gains = A @ b
        new = ~strict & (gains > TOLERANCE)
        if not new.any():
            break
        strict |= new
        total = b if total is None else total + b
    return total, strict


def _moves(A: Floats, interior: Floats, terms: Floats) -> tuple[Floats, Floats]:
    """For each term which way the cone {u: A u >= 0} moves it, and extreme rays that show it.

    ``terms``: a row each, of length one before it was projected on the cone's coordinates. The cone is pointed, so its
    section {u: mean(A) u = 1} is bounded, and each term's least and greatest value on it is at an extreme ray.
    """
    moves = np.zeros(len(terms))
    rays: list[Floats] = []
    section = A.mean(axis=0)
    for j, c in enumerate(terms):
        length = float(np.linalg.norm(c))
        if length <= 1e-9:
            continue
        if len(interior) == 1:
            moves[j] = np.sign(c @ interior)
            continue
        ends = [_programme(sign * c / length, A, section[None], on=1.0) for sign in (1.0, -1.0)]
        rays += ends
        signs = {_sign(c / length, u) for u in ends} - {0}
        moves[j] = np.nan if len(signs) == 2 else signs.pop() if signs else 0.0
    return moves, np.array(rays).reshape(len(rays), len(interior))


def _sign(c: Floats, u: Floats) -> int:
    along = float(c @ u)
    return 0 if abs(along) <= TOLERANCE * float(np.linalg.norm(u)) else int(np.sign(along))


def _programme(c: Floats, A: Floats, E: Floats, on: float = 0.0) -> Floats:
    """Argmax c'b subject to A b >= 0 and E b = 0 in the box |b_j| <= 1, or E b = ``on`` without a box.

    Constraints join as they are violated, so that a million rows cost little more than a thousand.
    """
    size = float(np.abs(c).max(initial=0.0))
    if size == 0.0:
        return np.zeros(len(c))
    active = np.zeros(len(A), dtype=bool)
    active[np.linspace(0, len(A) - 1, min(len(A), CONSTRAINTS)).astype(int)] = True
    while True:
        # A subset of the constraints may leave the section unbounded; the box then keeps the next answer in sight.
        bounds = (None, None) if on and active.all() else (-1e6, 1e6) if on else (-1, 1)
        b = _solved(-c / size, -A[active], E, on, bounds)
        slack = A @ b
        violated = ~active & (slack < -1e-9)
        if not violated.any():
            return b
        worst = np.flatnonzero(violated)
        active[worst[np.argsort(slack[worst])[:CONSTRAINTS]]] = True


def _solved(c: Floats, A: Floats, E: Floats, on: float, bounds: tuple[float | None, float | None]) -> Floats:
    """Argmin c'b subject to A b <= 0, E b = ``on`` and bounds, by HiGHS; another way where one gives up."""
    from scipy.optimize import linprog  # slow to import, and rarely needed
    from scipy.sparse import csr_array

    message = ""
    if np.count_nonzero(A) < 0.2 * A.size:  # mostly indicators: the programme keeps them sparse
        A = csr_array(A)
    for method, tolerance in (("highs", 1e-9), ("highs-ds", 1e-9), ("highs-ipm", 1e-9), ("highs-ds", 1e-7)):
        found = linprog(
            c,
            A_ub=A,
            b_ub=np.zeros(A.shape[0]),
            A_eq=E if len(E) else None,
            b_eq=np.full(len(E), on) if len(E) else None,
            bounds=bounds,
            method=method,
            options={"primal_feasibility_tolerance": tolerance, "dual_feasibility_tolerance": tolerance},
        )
        if found.status == 0:
            return np.asarray(found.x)
        message = found.message
    raise ArithmeticError(f"the linear programme of the separation test ended with: {message}")


def _row_space(U: Floats) -> Floats:
    """A few rows that span the rows of U: (rank, k)."""
    if not len(U):
        return U
    R = np.asarray(np.linalg.qr(U, mode="r"))
    _, s, Vt = np.linalg.svd(R, full_matrices=False)
    rows: Floats = Vt[s > 1e-10 * s.max(initial=0.0)]
    return rows


def _null_space(U: Floats) -> Floats:
    """An orthonormal basis of {b: U b = 0}: (k, d)."""
    k = U.shape[1]
    if not len(U):
        return np.eye(k)
    R = np.linalg.qr(U, mode="r") if len(U) > k else U
    _, s, Vt = np.linalg.svd(R, full_matrices=True)
    rank = int((s > 1e-10 * s.max(initial=0.0)).sum())
    return Vt[rank:].T
