"""The minimum of a quadratic plus an l1 norm: sweeps settle who is zero, linear systems what the others are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from passline.engine.value import Array
from passline.solvers.base import Floats
from passline.solvers.linear import solve_lifted

# Rounds that begin with sweeps; where columns nearly repeat each other those let in more than has to leave again, and
# from then on one coefficient enters a round.
SWEPT, MOST_ROUNDS = 10, 200
# Sweeps over the coordinates in a round, fewer where one changes no sign.
SWEEPS = 10
# A step of this share of the way to the solution is taken for the whole.
WHOLE = 0.9
# Conjugate gradients stop where the residual is this share of what they started from, or after so many products.
SHARE, MOST_PRODUCTS = 1e-3, 200


class Quadratic(Protocol):
    """A curvature H, (p, p), as the minimisation asks for it."""

    def times(self, v: Floats) -> Floats:
        """H v: (p,) -> (p,)."""
        ...

    def solve(self, at: Array, g: Floats) -> Floats:
        """H[at, at]^-1 g, or near it, for coordinates ``at`` (k,): (k,) -> (k,)."""
        ...

    def sweep(self, z: Floats, q: Floats, l1: Floats) -> Floats:
        """A point with a lower value than z (p,), where the quadratic's gradient is q (p,): (p,)."""
        ...


@dataclass(frozen=True)
class Formed:
    """A curvature that is written out."""

    H: Floats  # (p, p)

    def times(self, v: Floats) -> Floats:
        product: Floats = self.H @ v
        return product

    def solve(self, at: Array, g: Floats) -> Floats:
        return solve_lifted(self.H[np.ix_(at, at)], g)

    def sweep(self, z: Floats, q: Floats, l1: Floats) -> Floats:
        """Cyclic coordinate descent, over those that are not zero or want to leave it, until no sign changes."""
        q, out = q.copy(), z.tolist()
        H, diagonal, penalty = self.H, self.H.diagonal().tolist(), l1.tolist()
        for _ in range(SWEEPS):
            steady = True
            value = np.asarray(out)
            for j in np.flatnonzero((value != 0) | (np.abs(q) > l1)).tolist():
                bend, old = diagonal[j], out[j]
                if not bend > 0:
                    continue
                aim, held = bend * old - float(q[j]), penalty[j]
                new = (aim - held) / bend if aim > held else (aim + held) / bend if aim < -held else 0.0
                if new != old:
                    q += (new - old) * H[j]
                    steady = steady and new * old > 0
                    out[j] = new
            if steady:
                break
        return np.asarray(out)


@dataclass(frozen=True)
class Products:
    """A curvature by its products alone, with its diagonal (p,), which preconditions."""

    product: Callable[[Floats], Floats]
    diagonal: Floats

    def times(self, v: Floats) -> Floats:
        return self.product(v)

    def solve(self, at: Array, g: Floats) -> Floats:
        whole, diagonal = np.zeros(len(self.diagonal)), self.diagonal[at]
        s, r = np.zeros(len(at)), g.copy()
        d = r / diagonal
        rz = float(r @ d)
        goal = SHARE**2 * rz
        for _ in range(MOST_PRODUCTS):
            if not rz > goal:
                break
            whole[at] = d
            Hd = self.product(whole)[at]
            bend = float(d @ Hd)
            if not bend > 0:
                break
            s += rz / bend * d
            r -= rz / bend * Hd
            z = r / diagonal
            rz, before = float(r @ z), rz
            d = z + rz / before * d
        return s

    def sweep(self, z: Floats, q: Floats, l1: Floats) -> Floats:
        """A proximal gradient step in the metric of the diagonal, halved until that bounds the curvature on its way."""
        metric = self.diagonal
        while True:
            new = _shrunk(z - q / metric, l1 / metric)
            step = new - z
            if not float(step @ self.product(step)) > float(step @ (metric * step)):
                return new
            metric = 2.0 * metric


def closest(g: Floats, w: Floats, l1: Floats) -> Floats:
    """The subgradient that is closest to zero, of a function with gradient g (p,) at w (p,) plus sum_j l1_j |w_j|."""
    return np.where(w != 0, g + l1 * np.sign(w), _shrunk(g, l1))


def minimise_by_signs(quadratic: Quadratic, b: Floats, l1: Floats, start: Floats, *, goal: float) -> Floats:
    r"""The minimum over z of a quadratic plus an l1 norm, from ``start`` (p,), with zeros that are exact: (p,).

    .. math:: \tfrac12 z^T H z + b^T z + \sum_j l1_j |z_j|

    A round sweeps over the coordinates, which settles soon which of them are zero, and then solves the linear system of
    the others, whose signs are known; on the way there it goes to the least value, past the points where coefficients
    change sign, or to one of them. Ends where the subgradient's largest entry is at most ``goal``, or where rounding
    lets no step gain. Source: Friedman, Hastie and Tibshirani (2010) for the sweeps; Lee, Battle, Raina and Ng,
    Efficient sparse coding algorithms (2006), for the system and the search on the way.
    """
    z = start.copy()
    for turn in range(MOST_ROUNDS):
        q = quadratic.times(z) + b
        pull = closest(q, z, l1)
        if not np.abs(pull).max(initial=0.0) > goal:
            break
        early = turn < SWEPT
        swept = quadratic.sweep(z, q, l1) if early else _strongest_enters(quadratic, z, pull)
        settled = _settle(quadratic, b, l1, swept, goal, steps=1 if early else len(z))
        if np.array_equal(settled, z):
            break
        z = settled
    return z


def _settle(quadratic: Quadratic, b: Floats, l1: Floats, z: Floats, goal: float, *, steps: int) -> Floats:
    """The minimum over the coefficients that are not zero: those that would change sign on the way may stop at zero."""
    for _ in range(steps):
        pull = closest(quadratic.times(z) + b, z, l1)
        at = np.flatnonzero((z != 0) | (l1 == 0))
        if not np.abs(pull[at]).max(initial=0.0) > 0.1 * goal:
            break
        d = np.zeros(len(z))
        d[at] = -quadratic.solve(at, pull[at])
        found = _least_on_the_way(z, d, float(pull @ d), float(d @ quadratic.times(d)), l1)
        if found is None:
            break
        length, hit = found
        z = z + length * d
        z[hit] = 0.0
        if not len(hit) and length > WHOLE:
            break
    return z


def _strongest_enters(quadratic: Quadratic, z: Floats, pull: Floats) -> Floats:
    """The least value along the one coefficient that wants to leave zero most: so the minimum is reached in the end."""
    outside = np.where(z == 0, np.abs(pull), 0.0)
    strongest = int(np.argmax(outside))
    if not outside[strongest] > 0:
        return z
    one = np.zeros(len(z))
    one[strongest] = 1.0
    bend = float(quadratic.times(one)[strongest])
    return z - pull[strongest] / bend * one if bend > 0 else z


def _least_on_the_way(z: Floats, d: Floats, slope: float, bend: float, l1: Floats) -> tuple[float, Array] | None:
    """How far along d the least value lies, and which coefficients are zero there; None where the way leads up.

    The slope rises by ``bend`` times the length, and by 2 l1 |d| where a coefficient passes zero.
    """
    if not slope < 0:
        return None
    crossing = np.flatnonzero((z * d < 0) & (l1 > 0))
    lengths = -z[crossing] / d[crossing]
    order = np.argsort(lengths, kind="stable")
    lengths, crossing = lengths[order], crossing[order]
    jumps = np.cumsum(2.0 * l1[crossing] * np.abs(d[crossing]))
    after = slope + bend * lengths + jumps
    turn = int(np.argmax(after >= 0)) if (after >= 0).any() else len(lengths)
    passed = float(jumps[turn - 1]) if turn else 0.0
    if turn < len(lengths) and slope + passed + bend * lengths[turn] < 0:
        return float(lengths[turn]), crossing[lengths == lengths[turn]]
    if not bend > 0:
        return None
    return -(slope + passed) / bend, crossing[:0]


def _shrunk(x: Floats, by: Floats) -> Floats:
    return np.sign(x) * np.maximum(np.abs(x) - by, 0.0)
