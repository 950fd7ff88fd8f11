"""Inverse prediction: at which value of a predictor the probability is what one asks, and how sure that is.

The field also says ED50, LD50, dose.p, calibration. Everything here speaks of the linear predictor along one number t,
eta(t) = r0'w + t u'w, on the scale on which it is linear; the facade turns t into the predictor's own values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Shape = Literal["bounded", "unbounded", "disjoint", "everything", "empty"]
Pieces = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Line:
    """A linear predictor along t: eta(t) = (base + t slope)'w; ``base``, ``slope``: (p,)."""

    base: Floats
    slope: Floats

    def row(self, t: float) -> Floats:
        return self.base + t * self.slope


@dataclass(frozen=True)
class Crossing:
    """Where the line meets a level, its standard error (delta method), and a confidence set of pieces."""

    estimate: float
    std_error: float
    pieces: Pieces


def delta(line: Line, w: Floats, V: Floats, eta: float, z: float) -> Crossing:
    r"""The crossing with its delta interval, t +- z se.

    .. math:: t = (\eta - r_0^T w) / u^T w, \quad se = \sqrt{r(t)^T V r(t)} / |u^T w|

    ``w``: (p,); ``V``: (p, p); ``eta``: the level. NaN where the slope is zero. Source: Finney, Probit Analysis
    (1971), and MASS's dose.p.
    """
    b = float(line.slope @ w)
    if b == 0.0:
        return Crossing(math.nan, math.nan, ())
    t = (eta - float(line.base @ w)) / b
    row = line.row(t)
    variance = float(row @ V @ row)
    error = math.sqrt(variance) / abs(b) if variance >= 0 else math.nan
    pieces = () if math.isnan(error) else ((t - z * error, t + z * error),)
    return Crossing(t, error, pieces)


def fieller(line: Line, w: Floats, V: Floats, eta: float, z: float) -> Pieces:
    r"""The values of t at which Wald's test does not reject eta(t) = eta: bounded only if it rejects a zero slope.

    .. math:: \{t: (r(t)^T w - \eta)^2 \le z^2 r(t)^T V r(t)\}

    Pieces (low, high) with infinite ends where the set is. Source: Fieller (1954), JRSS B 16.
    """
    a, b = float(line.base @ w) - eta, float(line.slope @ w)
    v00, v01, v11 = (
        float(r @ V @ s) for r, s in ((line.base, line.base), (line.base, line.slope), (line.slope, line.slope))
    )
    A, B, C = b * b - z * z * v11, a * b - z * z * v01, a * a - z * z * v00
    if not all(math.isfinite(value) for value in (A, B, C)):
        return ()
    discriminant = B * B - A * C
    if A > 0:
        root = math.sqrt(max(discriminant, 0.0))
        # The root without cancellation first, the other from their product.
        far = -B - math.copysign(root, B)
        ends = sorted((far / A, C / far if far != 0 else 0.0))
        return ((ends[0], ends[1]),)
    if discriminant <= 0 or A == 0.0:
        return ((-math.inf, math.inf),)
    root = math.sqrt(discriminant)
    far = -B - math.copysign(root, B)
    ends = sorted((far / A, C / far if far != 0 else 0.0))
    return ((-math.inf, ends[0]), (ends[1], math.inf))


def shape(pieces: Pieces) -> Shape:
    """The kind of a confidence set."""
    if not pieces:
        return "empty"
    if len(pieces) > 1:
        return "disjoint"
    low, high = pieces[0]
    if math.isinf(low) and math.isinf(high):
        return "everything"
    return "unbounded" if math.isinf(low) or math.isinf(high) else "bounded"
