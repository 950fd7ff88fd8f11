"""Profile-likelihood intervals: the values that a likelihood-ratio test does not reject, with ends at its equation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passline.errors import OptionError
from passline.inference.constrained import (
    Face,
    Held,
    Space,
    constrained_log_likelihood,
    hold,
    limiting_space,
    make_face,
    space,
)
from passline.inference.existence import Outcome
from passline.inference.sample import Sample
from passline.inference.separation import recession
from passline.inference.wald import chi2_p, normal_quantile
from passline.solvers.linear import NotPositiveDefiniteError, solve

__all__ = ["Held", "Profile", "Profiles", "constrained_log_likelihood", "profile_of", "profiles"]

Floats = NDArray[np.float64]

# A last step of 1e-7 standard errors leaves an error of its square.
LAST_STEP = 1e-14
DIRECT_STEPS, SEARCH_STEPS = 12, 200
# Half the tolerance that the ends promise in their equation, 2 (l_max - l_p) = z^2.
EQUATION = 1e-10


@dataclass(frozen=True)
class Profile:
    """The profile-likelihood interval of one number r'w, and the likelihood-ratio test of its being ``null``.

    Ends are infinite where the likelihood never falls that far on their side; NaN where the number is not determined
    by the design (an aliased term).
    """

    conf_low: float
    conf_high: float
    statistic: float
    p_value: float


@dataclass(frozen=True)
class Profiles:
    """Profiles of all coefficients, (p,) each; NaN where a term is aliased."""

    conf_low: Floats
    conf_high: Floats
    statistic: Floats
    p_value: Floats


def profiles(sample: Sample, outcome: Outcome, level: float) -> Profiles:
    r"""Profile-likelihood intervals of the coefficients, and the likelihood-ratio test of each.

    .. math:: \{ b : 2 (l_{max} - \max_{w_j = b} l(w)) \le \chi^2_{1, level} \}

    Raises OptionError for a level outside (0, 1), and where sampling weights leave no likelihood. Source: Venzon and
    Moolgavkar (1988), Applied Statistics 37.
    """
    z = normal_quantile(level)
    refuse_without_likelihood(sample, "profile intervals")
    p = len(sample.names)
    whole = space(sample, outcome)
    moves = np.zeros(p) if outcome.recession is None else outcome.recession.moves
    found = [
        _profile(whole, outcome, row, z, move=float(moves[j]), null=0.0)
        if outcome.status[j] != "aliased"
        else Profile(math.nan, math.nan, math.nan, math.nan)
        for j, row in enumerate(np.eye(p))
    ]
    columns = zip(*((f.conf_low, f.conf_high, f.statistic, f.p_value) for f in found), strict=True)
    return Profiles(*(np.array(column) for column in columns))


def profile_of(sample: Sample, outcome: Outcome, row: Floats, level: float, null: float = 0.0) -> Profile:
    """The profile of a linear combination row'w, ``row``: (p,). Raises OptionError as :func:`profiles` does."""
    z = normal_quantile(level)
    refuse_without_likelihood(sample, "profile intervals")
    return _profile(space(sample, outcome), outcome, row, z, move=move_of(sample, outcome, row), null=null)


def move_of(sample: Sample, outcome: Outcome, row: Floats) -> float:
    """Which way the cone of recession takes row'w: +1 or -1 where to infinity, 0 nowhere, NaN where it disagrees."""
    if outcome.recession is None:
        return 0.0
    whole = space(sample, outcome)
    return float(recession(whole.objective.blocks, row[None] @ whole.back).moves[0])


def refuse_without_likelihood(sample: Sample, what: str) -> None:
    """Raise OptionError where sampling weights leave no likelihood for ``what``."""
    if sample.sampling is not None:
        raise OptionError(
            f"{what} need a likelihood, and sampling weights leave none (only sandwich errors): choose Wald's, or give "
            "weights if these are counts"
        )


def _profile(whole: Space, outcome: Outcome, row: Floats, z: float, *, move: float, null: float) -> Profile:
    """The profile of row'w; ``move``: the way the cone of recession takes it, +1, -1, 0, or NaN for both."""
    a = row @ whole.back
    if not np.abs(a).max(initial=0.0) > 1e-12 * np.abs(row[:, None] * whole.back).max(initial=0.0):
        return Profile(math.nan, math.nan, math.nan, math.nan)
    if math.isnan(move):
        # Directions disagree, and a mixture of them holds any value while the likelihood rises to its supremum.
        return Profile(-math.inf, math.inf, 0.0, 1.0)
    where = whole
    if not move:
        limiting = limiting_space(outcome)
        assert limiting is not None  # where no row is left every number is moved
        where, a = limiting, row @ limiting.back
    face = make_face(where, a[None])
    held = hold(face, np.array([null]))
    statistic = max(2.0 * (outcome.log_likelihood - held.log_likelihood), 0.0)
    if move:
        low, high = _one_sided(face, held, null, z, move)
    else:
        low, high = (_end(face, a, z, sign) for sign in (-1.0, 1.0))
    return Profile(low, high, statistic, chi2_p(statistic, 1))


def _end(face: Face, a: Floats, z: float, sign: float) -> float:
    """One end, where the estimate exists: directly, and if that does not settle by a search along the profile."""
    where = face.space
    assert where.peak is not None
    assert where.curvature is not None
    found = _direct(where, a, sign * z)
    if found is not None:
        return found
    wald = math.sqrt(float(a @ solve(where.curvature, a)) / where.objective.total)
    middle = float(a @ where.peak)
    return _search(_Equation(face, where.top, z), middle + sign * z * wald, sign, wald, inside=middle)


def _direct(where: Space, a: Floats, z: float) -> float | None:
    r"""The end by Newton's method on both equations at once: the likelihood's fall, and the others' stationarity.

    .. math:: \delta = H^{-1} (\mu a - g), \quad \mu^2 = 2 (F^* - F + \tfrac12 g^T H^{-1} g) / a^T H^{-1} a

    The sign of ``z`` chooses the end; None where it does not settle. Source: Venzon and Moolgavkar (1988).
    """
    assert where.peak is not None
    assert where.curvature is not None
    objective = where.objective
    gap = z * z / (2.0 * objective.total)
    target = gap - where.top / objective.total
    v, g, H = where.peak, np.zeros(len(where.peak)), where.curvature
    previous = math.inf
    for _ in range(DIRECT_STEPS):
        try:
            both = solve(H, np.stack([g, a], axis=1))
        except NotPositiveDefiniteError:
            return None
        room = 2.0 * (gap + 0.5 * float(g @ both[:, 0]))
        if not room > 0.0:
            return None
        step = math.copysign(math.sqrt(room / float(a @ both[:, 1])), z) * both[:, 1] - both[:, 0]
        decrement = objective.total * float(step @ H @ step)
        v = v + step
        if decrement <= LAST_STEP:
            return float(a @ v)
        if decrement > 4.0 * previous:
            return None
        previous = decrement
        value = objective(v, 2)
        if not np.isfinite(value.loss):
            return None
        gap, g, H = target - float(value.loss), np.asarray(value.gradient), np.asarray(value.curvature)
    return None


def _one_sided(face: Face, held: Held, null: float, z: float, move: float) -> tuple[float, float]:
    """The interval of a number that is infinite: its finite end, and infinity."""
    equation = _Equation(face, face.space.top, z)
    unit = 1.0 / float(np.linalg.norm(face.A))  # columns are standardised: such a step moves eta by about one
    equation.warm = held.inner
    end = _search(equation, null, -move, unit, inside=None)
    return (end, math.inf) if move > 0 else (-math.inf, end)


@dataclass
class _Equation:
    """2 (top - l_p(b)) - z^2 as a function of b, with its slope; each answer starts from the one before."""

    face: Face
    top: float
    z: float
    warm: Floats | None = None

    def __call__(self, b: float) -> tuple[float, float]:
        held = hold(self.face, np.array([b]), self.warm)
        self.warm = held.inner
        return 2.0 * (self.top - held.log_likelihood) - self.z**2, -2.0 * float(held.slope[0])


def _search(
    f: Callable[[float], tuple[float, float]], start: float, sign: float, unit: float, *, inside: float | None
) -> float:
    """The root of a convex f on the side ``sign``, where it rises: Newton's method, kept inside a bracket.

    ``inside``: a point known to lie in the interval, None where infinity is the only one.
    """
    outside: float | None = None
    b, reach = start, 4.0 * unit
    for _ in range(SEARCH_STEPS):
        value, slope = f(b)
        if abs(value) <= EQUATION:
            return b
        if value > 0:
            outside = b
        else:
            inside = b
        new = b - value / slope if slope * sign > 0 else math.nan
        if inside is not None and outside is not None:
            low, high = sorted((inside, outside))
            if not low < new < high:
                new = (low + high) / 2.0
            if high - low <= 4.0 * np.finfo(float).eps * max(abs(low), abs(high)):
                return b
        else:
            # Only one side is known: go no further than twice as far as last time.
            ahead = sign if value < 0 else -sign
            move = reach if math.isnan(new) else min(abs(new - b), reach)
            new, reach = b + ahead * move, 2.0 * reach
        b = new
    return b
