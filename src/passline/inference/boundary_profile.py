"""Profile-likelihood sets of a crossing: the values at which the likelihood ratio test keeps eta(x) = eta.

Along a straight line nothing is left to a search. The log-likelihood, maximised over all else, is a concave function of
a = eta(0) and b = the slope; each t stands for the line a + t b = eta through the one point P = (eta, 0), and the
likelihood ratio at t is that of the best point on it. A level set of a concave function is convex, so the lines
through P that meet it fill one arc of the circle of directions (all of it, where P itself lies inside). On that circle,
t at infinity being the flat line b = 0, the ratio therefore falls from its greatest value to its least and rises again;
the greatest is at the line that touches the level set of P, whose direction the gradient at P gives. Each end lies in
an arc between the two, and is found there without a doubt.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from passline.inference.boundary import Line, Pieces
from passline.inference.constrained import Held, Space, hold, make_face

Floats = NDArray[np.float64]

# How well an end satisfies its own equation, as a difference of likelihood ratio statistics.
TOLERANCE = 1e-9
STEPS = 200
# Combinations that are closer to dependent than this say the same of the coefficients.
DEPENDENT = 1e-10
# A bracket so narrow (radians) at whose ends the ratio still differs by half of the quantile holds a jump.
JUMP = 1e-7
# Points at which the ratio is computed along a curve that is no straight line, before its ends are refined.
GRID = 161


@dataclass(frozen=True)
class Circle:
    """The pencil of lines through P: the constraint of direction theta in (-pi/2, pi/2], t = center + s tan(theta)."""

    space: Space
    base: Floats  # the row of the design at the center
    slope: Floats  # of the line, times s
    eta: float
    guesses: tuple[float, ...]  # directions of the estimate's crossing, or of what separating directions lead to

    def row(self, theta: float) -> Floats:
        return math.cos(theta) * self.base + math.sin(theta) * self.slope

    def ratio(self, theta: float, warm: Floats | None = None) -> tuple[float, float, Floats]:
        """The likelihood ratio statistic, its derivative in theta (by the multiplier), and a start for neighbours."""
        held = _held(self.space, self.row(theta)[None], np.array([math.cos(theta) * self.eta]), warm)
        turn = -math.sin(theta) * self.base + math.cos(theta) * self.slope
        excess = -math.sin(theta) * self.eta - float(turn @ (self.space.back @ held.inner))
        return 2.0 * (self.space.top - held.log_likelihood), -2.0 * float(held.slope[0]) * excess, held.inner


def _held(space: Space, A: Floats, q: Floats, warm: Floats | None = None) -> Held:
    """The greatest likelihood where A w = q, or its supremum; ``A``: (m, p)."""
    A = A @ space.back
    face = make_face(space, A, judge=False)
    held = hold(face, q, warm)
    if not held.converged and warm is not None:
        # Far out, as a neighbour of a separated section may be, the curvature is nothing but rounding.
        held = hold(face, q)
    # Steps along a separating direction leave a third of what is to be gained, so they do reach a supremum.
    return held if held.converged else hold(make_face(space, A), q)


def profile_line(
    space: Space,
    line: Line,
    eta: float,
    quantile: float,
    *,
    center: float,
    scale: float,
    near: Sequence[tuple[float, float]],
) -> Pieces:
    r"""The t at which the likelihood ratio test keeps eta(t) = eta, along a straight line.

    .. math:: \{t: 2 (\ell_{max} - \max_{r(t)^T w = \eta} \ell(w)) \le \chi^2_{1, level}\}

    ``quantile``: of chi-squared with one degree of freedom. ``center``, ``scale``: where t lives, for the numbers only.
    ``near``: pairs (base'w - eta, slope'w) of the estimate, (base'd, slope'd) of separating directions: their
    crossings are where the search for the set begins. Pieces with infinite ends where the set has none. Each end meets
    its equation to 1e-9, but for a jump of the ratio, which happens under separation.
    Source: Cox and Hinkley, Theoretical Statistics (1974), 9.2.
    """
    B, S = line.row(center), scale * line.slope
    circle = Circle(space, B, S, eta, tuple(math.atan2(-(a + center * b), scale * b) for a, b in near))
    if _dependent(np.stack([B, S]) @ space.back):
        return _one_number(circle, center, scale, quantile)
    flat = _held(space, np.stack([B, S]), np.array([eta, 0.0]))
    if 2.0 * (space.top - flat.log_likelihood) <= quantile:
        return ((-math.inf, math.inf),)
    top = _folded(math.atan2(flat.slope[1], flat.slope[0]))
    inside = _inside(circle, top, quantile)
    # Both arcs leave the inside and end at the top, one above and one below it on the circle.
    above = top if top > inside else top + math.pi
    low = _end(circle, inside, above - math.pi, quantile)
    high = _end(circle, inside, above, quantile)
    return _arc(low, high, center, scale)


def _dependent(A: Floats) -> bool:
    """Whether two combinations of the coefficients (2, k) say the same."""
    if A.shape[1] < 2:
        return True
    length = np.linalg.norm(A, axis=1)
    s = np.linalg.svd(A / np.where(length > 0, length, 1.0)[:, None], compute_uv=False)
    return bool(s[-1] <= DEPENDENT)


def _arc(low: float, high: float, center: float, scale: float) -> Pieces:
    """The values t of the directions from ``low`` up to ``high``, at most half a turn apart; infinity may be inside."""
    through = any(low <= at <= high for at in (-math.pi / 2, math.pi / 2))
    ends = [center + scale * math.tan(angle) for angle in (low, high)]
    if not through:
        return ((ends[0], ends[1]),)
    return ((-math.inf, ends[1]), (ends[0], math.inf))


def _folded(theta: float) -> float:
    """The same direction in (-pi/2, pi/2]."""
    theta = math.remainder(theta, math.pi)
    return math.pi / 2 if theta <= -math.pi / 2 else theta


def _inside(circle: Circle, top: float, quantile: float) -> float:
    """A direction in (top - pi, top) at which the ratio is below the quantile: a guess, or by golden section."""
    floor = top - math.pi
    found = [floor + math.fmod(guess - floor + 4 * math.pi, math.pi) for guess in circle.guesses]
    found += [(a + b) / 2 for a, b in pairwise(sorted(set(found)))]
    best = (math.inf, top - math.pi / 2)
    for theta in found:
        best = min(best, (circle.ratio(theta)[0], theta))
        if best[0] < quantile / 2:
            return best[1]
    golden = (math.sqrt(5) - 1) / 2
    low, high = floor, top
    a, b = high - golden * (high - low), low + golden * (high - low)
    at_a, at_b = circle.ratio(a)[0], circle.ratio(b)[0]
    for _ in range(STEPS):
        best = min(best, (at_a, a), (at_b, b))
        if best[0] < quantile / 2 or high - low < 1e-14:
            break
        if at_a < at_b:
            high, b, at_b = b, a, at_a
            a = high - golden * (high - low)
            at_a = circle.ratio(a)[0]
        else:
            low, a, at_a = a, b, at_b
            b = low + golden * (high - low)
            at_b = circle.ratio(b)[0]
    return best[1]


def _end(circle: Circle, inside: float, outside: float, quantile: float) -> float:
    """The direction between a place inside and one outside at which the ratio is the quantile.

    Newton's steps on the root of the ratio, nearly straight in theta, within a bracket that halves where they fail.
    Under separation the ratio may jump over the quantile, and does so at a guess: the edge of a gap.
    """
    warm: Floats | None = None
    target = math.sqrt(quantile)
    theta, kept = inside + (outside - inside) / 4, 0.0
    for _ in range(STEPS):
        ratio, slope, warm = circle.ratio(theta, warm)
        if abs(ratio - quantile) <= TOLERANCE:
            return theta
        if ratio < quantile:
            inside, kept = theta, ratio
        else:
            outside = theta
        low, high = min(inside, outside), max(inside, outside)
        if high - low <= JUMP and kept < quantile / 2:
            edges = (theta + math.remainder(guess - theta, math.pi) for guess in circle.guesses)
            return min(edges, key=lambda edge: abs(edge - theta), default=inside)
        if high - low <= 4 * np.finfo(float).eps * max(abs(low), abs(high), 1e-3):
            return inside
        root = math.sqrt(max(ratio, 0.0))
        step = theta + (target - root) * 2.0 * root / slope if slope else math.nan
        theta = step if low < step < high else (low + high) / 2
    return inside


def _one_number(circle: Circle, center: float, scale: float, quantile: float) -> Pieces:
    """Base and slope say the same of the coefficients (no intercept): eta(t) = (t - t0) b with one number b.

    At t0 the curve is zero whatever b; elsewhere b = eta / (t - t0) is tested, and t at infinity stands for b = 0.
    """
    back = circle.space.back
    b, s = circle.base @ back, circle.slope @ back
    if not s.any():
        ratio = circle.ratio(0.0)[0] if b.any() else 0.0 if circle.eta == 0.0 else math.inf
        return ((-math.inf, math.inf),) if ratio <= quantile else ()
    root = center - scale * float(b @ s) / float(s @ s)
    top = math.atan2(root - center, scale)
    if circle.eta == 0.0:
        kept = circle.ratio(math.pi / 2)[0] <= quantile
        return ((-math.inf, math.inf),) if kept else ((root, root),)
    # Beside t0 the slope grows beyond bounds on one side and the ratio with it: the two arcs start there.
    hair = 1e-9
    inside = _inside(circle, top - hair, quantile)
    low = _end(circle, inside, top - math.pi + hair, quantile)
    high = _end(circle, inside, top - hair, quantile)
    return _arc(low, high, center, scale)


def profile_curve(
    space: Space,
    rows: Callable[[Floats], Floats],
    eta: float,
    quantile: float,
    *,
    low: float,
    high: float,
    known: Sequence[float],
) -> Pieces:
    """The x from ``low`` to ``high`` at which the likelihood ratio test keeps eta(x) = eta, along any curve.

    ``rows``: x (m,) -> (m, p). ``known``: crossings, which the set holds. The ratio is computed on a grid, its least
    values between grid points are looked for, and the ends are refined until each meets its equation.
    """
    warm: Floats | None = None

    def ratio(x: float) -> float:
        nonlocal warm
        held = _held(space, rows(np.array([x])), np.array([eta]), warm)
        warm = held.inner
        return 2.0 * (space.top - held.log_likelihood) - quantile

    x = np.unique(np.concatenate([np.linspace(low, high, GRID), np.asarray(known, dtype=np.float64)]))
    value = np.array([ratio(point) for point in x])
    dips = [i for i in range(1, len(x) - 1) if 0 < value[i] <= min(value[i - 1], value[i + 1])]
    for i in reversed(dips):
        at, least = _least(ratio, x[i - 1], x[i + 1])
        if least < 0:
            place = int(np.searchsorted(x, at))
            x, value = np.insert(x, place, at), np.insert(value, place, least)
    pieces: list[tuple[float, float]] = []
    start: float | None = float(x[0]) if value[0] <= 0 else None
    for i in range(len(x) - 1):
        if (value[i] <= 0) == (value[i + 1] <= 0):
            continue
        end = _root(ratio, float(x[i]), float(x[i + 1]), float(value[i]), float(value[i + 1]))
        if start is None:
            start = end
        else:
            pieces.append((start, end))
            start = None
    if start is not None:
        pieces.append((start, float(x[-1])))
    return tuple(pieces)


def _least(f: Callable[[float], float], low: float, high: float) -> tuple[float, float]:
    """Where f is least between two points, by golden section, or the first place at which it is negative."""
    golden = (math.sqrt(5) - 1) / 2
    a, b = high - golden * (high - low), low + golden * (high - low)
    at_a, at_b = f(a), f(b)
    for _ in range(40):
        if min(at_a, at_b) < 0:
            break
        if at_a < at_b:
            high, b, at_b = b, a, at_a
            a = high - golden * (high - low)
            at_a = f(a)
        else:
            low, a, at_a = a, b, at_b
            b = low + golden * (high - low)
            at_b = f(b)
    return (a, at_a) if at_a < at_b else (b, at_b)


def _root(f: Callable[[float], float], a: float, b: float, at_a: float, at_b: float) -> float:
    """A root of f between points of different sign: secants that keep it between them (Illinois), then halving."""
    for step in range(STEPS):
        middle = (a * at_b - b * at_a) / (at_b - at_a) if step < 60 else (a + b) / 2
        if not min(a, b) < middle < max(a, b):
            middle = (a + b) / 2
        value = f(middle)
        if abs(value) <= TOLERANCE or middle in (a, b):
            return middle
        if (value > 0) == (at_b > 0):
            at_a /= 2
        else:
            a, at_a = b, at_b
        b, at_b = middle, value
    return b
