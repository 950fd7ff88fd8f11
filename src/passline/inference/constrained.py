"""The most that the likelihood reaches where linear combinations of the coefficients are held at given values.

Every likelihood-ratio test and every profile interval asks this question. It is answered in the solver's coordinates
v, w = back v: the held combinations A v = q leave v = base + N u, and Newton's method moves u alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passline.engine.columns import Dense
from passline.engine.objective import Objective
from passline.engine.value import Value
from passline.inference.existence import Outcome
from passline.inference.sample import Sample
from passline.inference.separation import recession
from passline.solvers.base import Solution
from passline.solvers.estimate import independent_columns
from passline.solvers.linear import NotPositiveDefiniteError, solve
from passline.solvers.newton import newton

Floats = NDArray[np.float64]

# Beyond this many (squared) standard errors the quadratic that points to a start is not trusted unseen.
FAR = 25.0
# A row whose free part is below this share of its length has none.
FIXED = 1e-11
# Newton's method settles in ten steps or so; where it has not in this many, the way there is cut into pieces, down to
# this share of it.
STEPS, SHORTEST = 40, 1e-3


@dataclass(frozen=True)
class Space:
    """The likelihood over independent columns of all rows, and the way back to the design: w = back v.

    ``back``: (p, k). ``peak``: (k,) the estimate, None where none exists; ``curvature``: (k, k) of the mean objective
    there. ``top``: the maximum of the log-likelihood, or its supremum.
    """

    objective: Objective
    back: Floats
    top: float
    peak: Floats | None
    curvature: Floats | None

    @property
    def separated(self) -> bool:
        """Whether the likelihood has no maximum, so that its sections may have none either."""
        return self.peak is None


def space(sample: Sample, outcome: Outcome) -> Space:
    """The space of a maximum-likelihood fit."""
    if outcome.recession is None:
        assert outcome.estimate is not None
        found = outcome.estimate
        return Space(found.objective, found.back, outcome.log_likelihood, found.solution.coef, found.solution.curvature)
    work = independent_columns(sample.blocks, sample.scaling)
    return Space(Objective(work.blocks), sample.scaling.restore(work.basis), outcome.log_likelihood, None, None)


def limiting_space(outcome: Outcome) -> Space | None:
    """The space of the rows that nothing separates; the whole one where the estimate exists, None where no row is left.

    What no direction of recession moves has the same likelihood here, and here it has a maximum.
    """
    found = outcome.estimate
    if found is None:
        return None
    return Space(found.objective, found.back, outcome.log_likelihood, found.solution.coef, found.solution.curvature)


@dataclass(frozen=True)
class Held:
    """The maximum (or supremum) of the log-likelihood where combinations of the coefficients are held.

    ``coef``: (p,) the design's coefficients there (one limiting choice, where there is only a supremum). ``inner``:
    (k,) the solver's coefficients, where the next search may start. ``separated``: whether the held model has no
    estimate of its own.
    """

    log_likelihood: float
    coef: Floats
    inner: Floats
    converged: bool
    separated: bool
    face: Face

    @property
    def space(self) -> Space:
        """Where it was found."""
        return self.face.space

    @property
    def slope(self) -> Floats:
        """By how much the log-likelihood grows with each held value, (m,); costs a pass over the rows."""
        objective, A = self.face.objective, self.face.A
        if objective is None or not len(A):
            return np.zeros(len(A))
        gradient = np.asarray(objective(self.inner, 1).gradient)
        return np.asarray(np.linalg.lstsq(A.T, -objective.total * gradient, rcond=None)[0])


@dataclass(frozen=True)
class Face:
    """The coefficients left free by held combinations, and the rows that these cannot send to infinity.

    ``A``: (m, k) the held combinations; ``N``: (k, f) orthonormal, the free directions that the rows left tell apart.
    ``objective``: over the rows left, None where there are none.
    """

    space: Space
    A: Floats
    N: Floats
    objective: Objective | None
    separated: bool


def constrained_log_likelihood(
    sample: Sample, outcome: Outcome, r: Floats, value: float | Floats, warm: Held | None = None
) -> Held:
    r"""The maximum of the log-likelihood subject to r'w = value; its supremum where that model is separated.

    .. math:: l_p(q) = \sup \{ l(w) : R w = q \}

    ``r``: (p,), or (m, p) with ``value`` (m,), in the design's coordinates; aliased columns count as zero. ``warm``:
    an answer to a neighbouring question about the same fit; its place is where the search starts. Minus infinity
    where no coefficients meet the constraint.
    """
    where = space(sample, outcome) if warm is None else warm.space
    A = np.atleast_2d(r) @ where.back
    face = warm.face if warm is not None and np.array_equal(A, warm.face.A) else make_face(where, A)
    return hold(face, np.atleast_1d(np.asarray(value, dtype=np.float64)), None if warm is None else warm.inner)


def make_face(where: Space, A: Floats, *, judge: bool = True) -> Face:
    """What the held combinations ``A`` (m, k) leave free, with its own verdict on separation.

    Without ``judge`` no linear programme is solved: Newton's method then runs up to a supremum step by step.
    """
    N = _complement(A)
    if not judge or not where.separated or not N.shape[1]:
        return Face(where, A, N, where.objective, separated=False)
    blocks = where.objective.blocks
    X = blocks.all.columns.dense()
    Z = X @ N
    # A row that the held combinations fix altogether has no free part; what rounding leaves of one would be a verdict.
    Z[np.linalg.norm(Z, axis=1) <= FIXED * np.linalg.norm(X, axis=1)] = 0.0
    free = blocks.with_columns(Dense(Z))
    found = recession(free, np.zeros((0, N.shape[1])))
    if found.kind == "none":
        return Face(where, A, N, where.objective, separated=False)
    rest = ~found.separated
    if blocks.all.weight is not None:
        rest &= blocks.all.weight > 0
    if not rest.any():
        return Face(where, A, N[:, :0], None, separated=True)
    left = blocks.select(np.flatnonzero(rest))
    return Face(where, A, N @ _row_space(Z[rest]), Objective(left), separated=True)


def hold(face: Face, q: Floats, start: Floats | None = None) -> Held:
    """The maximum over a face with A v = q, (m,), from the solver's coefficients ``start`` (k,) if they are near."""
    where, A = face.space, face.A
    base = _base(A, q)
    if len(A) and np.abs(A @ base - q).max() > 1e-9 * (np.abs(q).max() + np.abs(A).max() * np.abs(base).max()):
        return Held(-np.inf, where.back @ base, base, converged=True, separated=False, face=face)
    if face.objective is None:
        return Held(0.0, where.back @ base, base, converged=True, separated=face.separated, face=face)
    section = Slice(blocks=face.objective.blocks, base=base, N=face.N)
    if section.p:
        found = newton(section, _start(section, face, q, start), patient=True, max_steps=STEPS)
        if not found.converged:
            section, found = _walk(face, q)
        v, loss, converged = section.place(found.coef), found.loss, found.converged
    else:
        v, loss, converged = base, float(section(np.zeros(0), 0).loss), True
    return Held(-loss * section.total, where.back @ v, v, converged, face.separated, face)


@dataclass(frozen=True, kw_only=True)
class Slice(Objective):
    """The objective over v = base + N u, as a function of u: (f,)."""

    base: Floats  # (k,)
    N: Floats  # (k, f)

    @property
    def p(self) -> int:
        return int(self.N.shape[1])

    def place(self, u: Floats) -> Floats:
        """The solver's coefficients of ``u``."""
        v: Floats = self.base + self.N @ u
        return v

    def __call__(self, w: Floats, order: int = 2) -> Value:
        value = super().__call__(self.place(w), order)
        return Value(
            value.loss,
            None if value.gradient is None else self.N.T @ value.gradient,
            None if value.curvature is None else self.N.T @ value.curvature @ self.N,
        )


def _start(section: Slice, face: Face, q: Floats, start: Floats | None) -> Floats:
    """Where to begin on a face: near ``start``, else where a quadratic around the estimate has its maximum."""
    where, A = face.space, face.A
    if start is None:
        if where.peak is None or where.curvature is None:
            return _near_zero(section)
        if not len(A):
            return section.N.T @ (where.peak - section.base)
        toward = solve(where.curvature, A.T)
        gap = q - A @ where.peak
        pull = np.linalg.lstsq(A @ toward, gap, rcond=None)[0]
        start = np.asarray(where.peak + toward @ pull)
        if float(gap @ pull) * section.total <= FAR:
            return section.N.T @ (start - section.base)
    u: Floats = section.N.T @ (start - section.base)
    near_zero = _near_zero(section)
    return u if section(u, 0).loss <= section(near_zero, 0).loss else near_zero


def _near_zero(section: Slice) -> Floats:
    """Where the linear predictors are smallest, as far as one pass over the rows tells."""
    curvature = np.asarray(Objective.__call__(section, np.zeros(len(section.base)), 2).curvature)
    return _least(section.N, curvature, section.base)


def _least(N: Floats, curvature: Floats, base: Floats) -> Floats:
    """The u that makes (base + N u)' curvature (base + N u) least: (f,)."""
    try:
        return -solve(N.T @ curvature @ N, N.T @ curvature @ base)
    except NotPositiveDefiniteError:
        return np.zeros(N.shape[1])


def _walk(face: Face, q: Floats) -> tuple[Slice, Solution]:
    """The maximum at held values so far away that no start is near: by way of those between, each from the last."""
    assert face.objective is not None
    N, blocks = face.N, face.objective.blocks

    def reach(share: float, v: Floats) -> tuple[Slice, Solution]:
        section = Slice(blocks=blocks, base=_base(face.A, share * q), N=N)
        return section, newton(section, N.T @ (v - section.base), patient=True, max_steps=STEPS)

    done, step = 0.0, 0.25
    section, found = reach(0.0, np.zeros(len(N)))
    at = section, found
    while done < 1.0 and step > SHORTEST:
        v = section.place(found.coef)
        ahead = _base(face.A, min(step, 1.0 - done) * q)
        curvature = np.asarray(Objective.__call__(section, v, 2).curvature)
        at = reach(min(done + step, 1.0), v + ahead + N @ _least(N, curvature, ahead))
        if at[1].converged:
            section, found = at
            done, step = min(done + step, 1.0), 2.0 * step
        else:
            step /= 4.0
    return at


def _base(A: Floats, q: Floats) -> Floats:
    """The shortest v with A v = q (as nearly as there is one): (k,)."""
    return np.asarray(np.linalg.lstsq(A, q, rcond=None)[0]) if len(A) else np.zeros(A.shape[1])


def _complement(A: Floats) -> Floats:
    """An orthonormal basis of {v: A v = 0}: (k, k - rank)."""
    if not len(A) or not A.any():
        return np.eye(A.shape[1])
    _, s, Vt = np.linalg.svd(A / np.maximum(np.linalg.norm(A, axis=1), np.finfo(float).tiny)[:, None])
    rank = int((s > 1e-12 * s[0]).sum())
    return Vt[rank:].T


def _row_space(X: Floats) -> Floats:
    """An orthonormal basis of the span of the rows of X: (f, rank)."""
    R = np.linalg.qr(X, mode="r") if len(X) > X.shape[1] else X
    _, s, Vt = np.linalg.svd(R, full_matrices=False)
    rows: Floats = Vt[s > 1e-10 * s.max(initial=0.0)]
    return rows.T
