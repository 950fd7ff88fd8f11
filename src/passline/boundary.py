"""The boundary of a model: the value of a predictor at which the probability reaches a level, with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.errors import OptionError
from passline.inference.boundary import Line, Pieces, delta, fieller, shape
from passline.model import Model, number
from passline.section import Section, section
from passline.table.inverse import Inverse, inverse_of
from passline.table.tree import Expression

Floats = NDArray[np.float64]
METHODS = ("auto", "delta", "fieller")
# Points at which a curve that is not linear in one expression is searched for crossings.
GRID = 4_001


@dataclass(frozen=True)
class Boundary:
    """Where a probability is reached, and the values that the data do not rule out.

    ``estimate``: NaN where it is not reached. ``others``: further crossings of a curve that turns. ``pieces``: the
    confidence set as (low, high) pairs, with infinite ends where it has none. ``shape``: "bounded", "unbounded",
    "disjoint", "everything" or "empty". ``interval``: the method behind the set.
    """

    variable: str
    probability: float
    estimate: float
    std_error: float
    pieces: Pieces
    shape: str
    interval: str
    level: float
    held: Mapping[str, Any]
    others: tuple[float, ...] = ()
    note: str = ""

    @property
    def conf_low(self) -> float:
        """The lower end of a set in one piece, else NaN."""
        return self.pieces[0][0] if len(self.pieces) == 1 else math.nan

    @property
    def conf_high(self) -> float:
        """The upper end of a set in one piece, else NaN."""
        return self.pieces[0][1] if len(self.pieces) == 1 else math.nan

    def as_json(self) -> dict[str, Any]:
        """The document of ``boundary --json``; null where a number does not exist or is infinite."""
        return {
            "variable": self.variable,
            "probability": self.probability,
            "estimate": number(self.estimate),
            "std_error": number(self.std_error),
            "conf_low": number(self.conf_low),
            "conf_high": number(self.conf_high),
            "set": [[number(low), number(high)] for low, high in self.pieces],
            "shape": self.shape,
            "interval": self.interval,
            "level": self.level,
            "at": dict(self.held),
            "others": list(self.others),
            "note": self.note,
        }


def boundary(
    model: Model,
    variable: str,
    probability: float = 0.5,
    at: Mapping[str, Any] | None = None,
    *,
    interval: str = "auto",
    level: float = 0.95,
) -> Boundary:
    r"""The value of ``variable`` at which the probability is ``probability``, the other predictors held ``at``.

    .. math:: x^* = f^{-1}\left(\frac{\mathrm{logit}(p) - r_0^T w}{u^T w}\right)

    where every term with the variable uses the one expression f(x) (the variable itself, log(x), ...); else the
    curve is searched over the range of the data. ``interval``: "delta", "fieller", or "auto". Intervals are found on
    the scale of f(x) and taken back. Raises OptionError for a probability or level outside (0, 1), a variable that is
    not a number of the model, names in ``at`` that are not its others. Source: Finney, Probit Analysis (1971).
    """
    if not 0.0 < probability < 1.0:
        raise OptionError(f"the probability is {probability}: give a number between 0 and 1, such as 0.5")
    if interval not in METHODS:
        raise OptionError(f"the interval is {interval!r}: choose one of {', '.join(METHODS)}")
    z = model.quantile(level)
    along = section(model, variable, at)
    eta = math.log(probability / (1.0 - probability))
    method = "delta" if interval == "auto" else interval
    if len(model.directions):
        return _separated(model, along, probability, level)
    expression = along.expression()
    inverse = inverse_of(expression, along.low) if expression is not None else None
    if expression is None or inverse is None:
        if method != "delta":
            raise OptionError(
                f"the curve along {variable!r} is not linear in one expression: choose the delta interval"
            )
        return _searched(along, probability, z, level)
    line = line_of(along, expression)
    crossing = delta(line, model.coef, model.covariance, eta, z)
    pieces = crossing.pieces if method == "delta" else fieller(line, model.coef, model.covariance, eta, z)
    estimate = inverse.point(crossing.estimate)
    note = "" if math.isfinite(estimate) else f"no value of {variable} reaches a probability of {probability:g}"
    slope = along_derivative(along, expression, estimate) if math.isfinite(estimate) else math.nan
    pieces = inverse.pieces(pieces) if math.isfinite(estimate) or method != "delta" else ()
    return Boundary(
        variable=variable,
        probability=probability,
        estimate=estimate,
        std_error=crossing.std_error / abs(slope) if slope else math.nan,
        pieces=pieces,
        shape=shape(pieces),
        interval=method,
        level=level,
        held=along.held,
        note=note,
    )


def line_of(along: Section, expression: Expression) -> Line:
    """The linear predictor along the expression's value, from two rows of the design."""
    x = np.array([along.low, along.high])
    if along.low == along.high:
        x = x + np.array([0.0, 1.0])
    t = along.value(expression, x)
    rows = along.rows(x)
    slope = (rows[1] - rows[0]) / (t[1] - t[0])
    return Line(rows[0] - t[0] * slope, slope)


def along_derivative(along: Section, expression: Expression, x: float) -> float:
    """The derivative of the expression at x, by a central difference (exact where the expression is the column)."""
    if not hasattr(expression, "argument"):
        return 1.0
    step = 6e-6 * (abs(x) or 1.0)
    ends = along.value(expression, np.array([x - step, x + step]))
    return float(ends[1] - ends[0]) / (2.0 * step)


def _searched(along: Section, probability: float, z: float, level: float) -> Boundary:
    """Crossings of a curve that is not a straight line in one expression: over the data's range, by bisection."""
    model, eta = along.model, math.log(probability / (1.0 - probability))
    x = np.linspace(along.low, along.high, GRID)
    height = along.rows(x) @ model.coef - eta
    found = [_bisect(along, eta, x[i], x[i + 1]) for i in np.flatnonzero(height[:-1] * height[1:] < 0)]
    found += x[height == 0.0].tolist()
    found.sort()
    if not found:
        note = f"no value of {along.variable} within the data ({along.low:g} to {along.high:g}) reaches it"
        return Boundary(
            along.variable, probability, math.nan, math.nan, (), "empty", "delta", level, along.held, note=note
        )
    middle = (along.low + along.high) / 2
    estimate = min(found, key=lambda value: abs(value - middle))
    step = 6e-6 * (along.high - along.low)
    rows = along.rows(np.array([estimate, max(estimate - step, along.low), min(estimate + step, along.high)]))
    slope = float((rows[2] - rows[1]) @ model.coef) / (
        min(estimate + step, along.high) - max(estimate - step, along.low)
    )
    error = math.sqrt(max(float(rows[0] @ model.covariance @ rows[0]), 0.0)) / abs(slope) if slope else math.nan
    pieces: Pieces = () if math.isnan(error) else ((estimate - z * error, estimate + z * error),)
    others = tuple(value for value in found if value != estimate)
    note = "the curve crosses more than once; the estimate is the crossing nearest to the middle" if others else ""
    return Boundary(
        along.variable,
        probability,
        estimate,
        error,
        pieces,
        shape(pieces),
        "delta",
        level,
        along.held,
        others=others,
        note=note,
    )


def _bisect(along: Section, eta: float, low: float, high: float) -> float:
    model = along.model
    sign = np.sign(float(along.rows(np.array([low]))[0] @ model.coef) - eta)
    for _ in range(60):
        middle = (low + high) / 2
        if np.sign(float(along.rows(np.array([middle]))[0] @ model.coef) - eta) == sign:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _separated(model: Model, along: Section, probability: float, level: float) -> Boundary:
    """Under separation every value at which directions disagree is as good as any other: the gap."""
    gap: tuple[tuple[float, float], ...] = ()
    expression = along.expression()
    inverse: Inverse | None = inverse_of(expression, along.low) if expression is not None else None
    if expression is not None and inverse is not None:
        line = line_of(along, expression)
        base, slope = model.directions @ line.base, model.directions @ line.slope
        if (slope > 0).all() or (slope < 0).all():
            ends = sorted(-base / slope)
            gap = inverse.pieces(((ends[0], ends[-1]),))
    note = (
        "the outcome is separated: in the limit every value in the gap is as good as any other"
        if gap
        else "the outcome is separated: no boundary is determined"
    )
    return Boundary(
        along.variable,
        probability,
        math.nan,
        math.nan,
        gap,
        "bounded" if gap else "empty",
        "gap",
        level,
        along.held,
        note=note,
    )


def parse_at(pairs: Sequence[str]) -> dict[str, str]:
    """``NAME=VALUE`` texts as a dict; raises OptionError for a text without ``=``."""
    out: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise OptionError(f"--at {pair!r}: write NAME=VALUE, such as --at age=50")
        out[name] = value
    return out
