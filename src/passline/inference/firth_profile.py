"""Penalised profile intervals: the values that a penalised likelihood-ratio test does not reject."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passline.inference.firth import constrained, penalised_test
from passline.inference.wald import normal_quantile
from passline.solvers.estimate import Estimate

Floats = NDArray[np.float64]

# An end misses its own equation by no more than this (in the likelihood-ratio statistic).
EQUATION = 1e-9
STEPS = 100
# What is left of a Newton decrement at a point of the profile is an error of the statistic.
REST = 1e-12
EPS = float(np.finfo(float).eps)


@dataclass(frozen=True)
class FirthProfiles:
    """Penalised profile intervals and tests of the coefficients, (p,) each; NaN where a term is aliased.

    An end is infinite where the penalised likelihood does not fall that far within sixty doublings of Wald's reach.
    """

    conf_low: Floats
    conf_high: Floats
    statistic: Floats
    p_value: Floats


def firth_profiles(found: Estimate, level: float) -> FirthProfiles:
    r"""Profile intervals of the coefficients under Jeffreys' prior, and the penalised likelihood-ratio test of each.

    .. math:: \{ b : 2 [l^*(\hat w) - \max_{w_j = b} l^*(w)] \le \chi^2_{1, level} \}

    where l* is penalised by the information of the whole design. Both ends satisfy their equation to 1e-8. Raises
    OptionError for a level outside (0, 1). Source: Heinze and Schemper (2002), Statistics in Medicine 21.
    """
    z = normal_quantile(level)
    p = len(found.keep)
    low, high, statistic, p_value = np.full((4, p), np.nan)
    for j in np.flatnonzero(found.keep):
        low[j], high[j] = firth_profile_ends(found, found.back[j], z)
        statistic[j], _, p_value[j] = penalised_test(found, np.array([j]))
    return FirthProfiles(low, high, statistic, p_value)


def firth_profile_ends(found: Estimate, row: Floats, z: float) -> tuple[float, float]:
    """The interval's ends of ``row`` (k,) times the solver's coefficients, where the signed root is -z and z."""
    size = float(np.abs(row).max())
    low, high = (size * _end(found, row / size, z, sign) for sign in (-1.0, 1.0))
    return low, high


def _end(found: Estimate, row: Floats, z: float, sign: float) -> float:
    """The root of r(b) = sqrt(2 (l*max - l*p(b))) - z on one side: nearly a straight line, so Newton's method."""
    total, peak, top = found.objective.total, found.solution.coef, found.solution.loss
    middle = float(row @ peak)
    reach = z * float(np.linalg.norm(_root(found, row)))
    inside, outside = middle, math.inf * sign
    # Where the profile changes from one maximum to another, the points on both sides lead to both.
    reached = {False: peak}
    near: tuple[Floats, ...] = (peak,)
    b, before, at = middle + sign * reach, middle, peak
    for _ in range(STEPS):
        point = constrained(found, row[None], np.array([b]), near, rest=REST)
        fall = 2.0 * total * (point.loss - top)
        if abs(fall - z * z) <= EQUATION * max(1.0, z * z) and point.settled:
            return b
        known = math.isfinite(fall)
        beyond = fall > z * z or not known
        inside, outside = (inside, b) if beyond else (b, outside)
        root = math.sqrt(max(fall, 0.0)) if known else math.nan
        slope = total * float(point.slope[0]) / root if root else math.nan
        new = b - (root - z) / slope if slope * sign > 0 else math.nan
        if math.isinf(outside):
            limit = middle + 2.0 * (b - middle)
            new = limit if math.isnan(new) or abs(new - middle) > abs(limit - middle) else new
            if abs(b - middle) > 2.0**60 * reach:
                return math.inf * sign
        low, high = sorted((inside, outside))
        if not low < new < high:
            new = 0.5 * (low + high)
        if new == b or (math.isfinite(outside) and high - low <= 4.0 * EPS * max(abs(low), abs(high))):
            return b
        if known:
            reached[beyond] = point.coef
            straight_on = point.coef + (point.coef - at) * ((new - b) / (b - before))
            near = (straight_on, *(coef for side, coef in reached.items() if side != beyond))
            before, at = b, point.coef
        b = new
    return math.nan


def _root(found: Estimate, row: Floats) -> Floats:
    """A vector whose length is the Wald standard error of ``row`` times the solver's coefficients."""
    L = np.linalg.cholesky(found.solution.curvature * found.objective.total)
    error: Floats = np.linalg.solve(L, row)
    return error
