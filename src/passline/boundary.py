"""The boundary of a model: the value of a predictor at which the probability reaches a level, with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.errors import OptionError
from passline.inference.boundary import Line, Pieces, Shape, delta, fieller, shape
from passline.inference.boundary_profile import profile_curve, profile_line
from passline.inference.constrained import space
from passline.inference.existence import Outcome
from passline.inference.sample import Sample
from passline.inference.wald import normal_quantile
from passline.model import Model, number
from passline.section import Section, section
from passline.table.inverse import Inverse, inverse_of
from passline.table.tree import Expression

Floats = NDArray[np.float64]
METHODS = ("auto", "delta", "fieller", "profile")
# "auto" takes the profile up to this many numbers in the design; a curve that has to be searched costs ten times more.
FEW, FEW_ON_CURVES = 1_000_000, 100_000
# Points at which a curve that is not linear in one expression is searched for crossings.
GRID = 4_001


@dataclass(frozen=True)
class Boundary:
    """Where a probability is reached, and the values that the data do not rule out.

    ``estimate``: NaN where it is not reached. ``others``: further crossings of a curve that turns. ``pieces``: the
    confidence set as (low, high) pairs, with infinite ends where it has none. ``shape``: "bounded", "unbounded",
    "disjoint", "everything" or "empty". ``interval``: the method behind the set. ``open_ends``: whether the set has no
    end (below, above): infinity, zero for a dose whose logarithm it is about, the edge of the data for a curve that was
    searched there.
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
    open_ends: tuple[bool, bool] = (False, False)

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
    rows: tuple[Sample, Outcome] | None = None,
) -> Boundary:
    r"""The value of ``variable`` at which the probability is ``probability``, the other predictors held ``at``.

    .. math:: x^* = f^{-1}\left(\frac{\mathrm{logit}(p) - r_0^T w}{u^T w}\right)

    where every term with the variable uses the one expression f(x) (the variable itself, log(x), ...); else the
    curve is searched over the range of the data. ``interval``: "delta", "fieller", "profile", or "auto": profile where
    the ``rows`` of a maximum-likelihood fit are at hand and few (a design of a million numbers), else delta. Intervals
    are found on the scale of f(x) and taken back. Raises OptionError for a probability or level outside (0, 1), a
    variable that is not a number of the model, names in ``at`` that are not its others, a profile without rows or
    without a likelihood. Source: Finney, Probit Analysis (1971).
    """
    if not 0.0 < probability < 1.0:
        raise OptionError(f"the probability is {probability}: give a number between 0 and 1, such as 0.5")
    if interval not in METHODS:
        raise OptionError(f"the interval is {interval!r}: choose one of {', '.join(METHODS)}")
    normal_quantile(level)
    along = section(model, variable, at)
    expression = along.expression()
    inverse = inverse_of(expression, along.low) if expression is not None else None
    straight = expression is not None and inverse is not None
    method = interval
    if interval == "auto":
        few = rows is not None and rows[0].blocks.n * rows[0].blocks.p <= (FEW if straight else FEW_ON_CURVES)
        method = "profile" if few and no_profile(model, rows) is None else "delta"
    elif interval == "profile" and (why := no_profile(model, rows)) is not None:
        raise OptionError(why)
    ask = Question(along, probability, level, method, rows if method == "profile" else None)
    if expression is not None and inverse is not None:
        return _straight(ask, expression, inverse)
    if method == "fieller":
        raise OptionError(
            f"the curve along {variable!r} is not linear in one expression: choose the delta or the profile interval"
        )
    return _searched(ask)


def no_profile(model: Model, rows: tuple[Sample, Outcome] | None) -> str | None:
    """Why a model has no profile likelihood at hand; None where it has."""
    settings = model.settings
    reasons = (
        (model.penalty, "the fit is penalised, and that makes no profile sets"),
        (model.estimator != "ml", f"profile sets are those of maximum likelihood, and this fit is {model.estimator!r}"),
        (settings.get("robust"), "the errors of this fit are robust, and a profile set knows nothing of that"),
        (settings.get("dispersion", "one") != "one", "a profile set knows nothing of an estimated dispersion"),
        (rows is not None and rows[0].sampling is not None, "sampling weights make no likelihood to profile"),
    )
    for found, why in reasons:
        if found:
            return f"{why}: choose the delta or the fieller interval"
    if rows is None:
        return "a profile set needs the rows of the fit: pass data=..., or on the command line --data DATA"
    return None


@dataclass(frozen=True)
class Question:
    """What is asked for: along which section, at which level, by which method; ``rows`` where that is the profile."""

    along: Section
    probability: float
    level: float
    method: str
    rows: tuple[Sample, Outcome] | None

    @property
    def eta(self) -> float:
        """The linear predictor to be reached."""
        return math.log(self.probability / (1.0 - self.probability))

    @property
    def z(self) -> float:
        """How many standard errors an interval reaches: Student's t where the dispersion is estimated."""
        return self.along.model.quantile(self.level)

    @property
    def fall(self) -> float:
        """By how much twice the log-likelihood may fall within a profile set: chi-squared with one degree."""
        return normal_quantile(self.level) ** 2

    def covariance(self) -> Floats:
        """The model's, with zeros for aliased terms, which add nothing."""
        aliased = np.array([word == "aliased" for word in self.along.model.terms.status])
        V = self.along.model.covariance.copy()
        V[aliased, :] = V[:, aliased] = 0.0
        return V

    def answer(
        self,
        estimate: float,
        std_error: float,
        pieces: Pieces,
        *,
        open_ends: tuple[bool, bool] | None = None,
        interval: str | None = None,
        others: tuple[float, ...] = (),
        note: str = "",
    ) -> Boundary:
        if open_ends is None:
            open_ends = (bool(pieces) and math.isinf(pieces[0][0]), bool(pieces) and math.isinf(pieces[-1][1]))
        return Boundary(
            variable=self.along.variable,
            probability=self.probability,
            estimate=estimate,
            std_error=std_error,
            pieces=pieces,
            shape=_shape(pieces, open_ends),
            interval=interval or self.method,
            level=self.level,
            held=self.along.held,
            others=others,
            note=note,
            open_ends=open_ends,
        )


def _shape(pieces: Pieces, open_ends: tuple[bool, bool]) -> Shape:
    """The shape of a set whose outermost ends may be none."""
    ends = [list(piece) for piece in pieces]
    if ends and open_ends[0]:
        ends[0][0] = -math.inf
    if ends and open_ends[1]:
        ends[-1][1] = math.inf
    return shape(tuple((low, high) for low, high in ends))


def _straight(ask: Question, expression: Expression, inverse: Inverse) -> Boundary:
    """Where every term with the variable is linear in one expression of it, t = f(x)."""
    along, model = ask.along, ask.along.model
    line = line_of(along, expression)
    separated = len(model.directions) > 0
    crossing = delta(line, model.coef, ask.covariance(), ask.eta, ask.z)
    estimate = math.nan if separated else inverse.point(crossing.estimate)
    if separated:
        gap, note = _gap(model, line, inverse)
        if ask.method != "profile":
            return ask.answer(math.nan, math.nan, gap, interval="gap", note=note)
    else:
        note = (
            ""
            if math.isfinite(estimate)
            else f"no value of {along.variable} reaches a probability of {ask.probability:g}"
        )
    if ask.method == "profile":
        found = _profile_line(ask, line, expression)
    elif ask.method == "fieller":
        found = fieller(line, model.coef, ask.covariance(), ask.eta, ask.z)
    else:
        found = crossing.pieces if math.isfinite(estimate) else ()
    pieces = inverse.pieces(found)
    slope = along_derivative(along, expression, estimate) if math.isfinite(estimate) else math.nan
    error = crossing.std_error / abs(slope) if slope else math.nan
    return ask.answer(estimate, error, pieces, open_ends=_open(pieces, along, expression), note=note)


def _open(pieces: Pieces, along: Section, expression: Expression) -> tuple[bool, bool]:
    """Which outermost ends the expression never reaches: a dose of zero is none for log(dose)."""
    if not pieces:
        return False, False
    with np.errstate(all="ignore"):
        low, high = np.isfinite(along.value(expression, np.array([pieces[0][0], pieces[-1][1]])))
    return not low, not high


def _profile_line(ask: Question, line: Line, expression: Expression) -> Pieces:
    assert ask.rows is not None
    sample, outcome = ask.rows
    ends = ask.along.value(expression, np.array([ask.along.low, ask.along.high]))
    near = [(float(line.base @ w) - ask.eta, float(line.slope @ w)) for w in (outcome.coef,)]
    if outcome.recession is not None:
        near += [(float(line.base @ d), float(line.slope @ d)) for d in outcome.recession.directions]
    return profile_line(
        space(sample, outcome),
        line,
        ask.eta,
        ask.fall,
        center=float(ends.mean()),
        scale=float(abs(ends[1] - ends[0])) / 2 or 1.0,
        near=[pair for pair in near if pair != (0.0, 0.0)],
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


def _searched(ask: Question) -> Boundary:
    """Crossings of a curve that is not a straight line in one expression: over the data's range, by bisection."""
    along, model = ask.along, ask.along.model
    within = f"within the data ({along.low:g} to {along.high:g})"
    found: list[float] = []
    note = "the outcome is separated: no boundary is determined"
    if not len(model.directions):
        x = np.linspace(along.low, along.high, GRID)
        height = along.rows(x) @ model.coef - ask.eta
        found = [
            _bisect(along, ask.eta, float(x[i]), float(x[i + 1])) for i in np.flatnonzero(height[:-1] * height[1:] < 0)
        ]
        found = sorted(found + x[height == 0.0].tolist())
        note = f"no value of {along.variable} {within} reaches it"
    middle = (along.low + along.high) / 2
    estimate = min(found, key=lambda value: abs(value - middle), default=math.nan)
    error = _searched_error(ask, estimate) if found else math.nan
    others = tuple(value for value in found if value != estimate)
    if found:
        note = "the curve crosses more than once; the estimate is the crossing nearest to the middle" if others else ""
    if ask.rows is None:
        pieces: Pieces = () if math.isnan(error) else ((estimate - ask.z * error, estimate + ask.z * error),)
        if pieces and (pieces[0][0] < along.low or pieces[0][1] > along.high):
            note = "; ".join(
                filter(None, (note, "the delta interval leaves the data, where this curve was not looked at"))
            )
        return ask.answer(estimate, error, pieces, others=others, note=note)
    pieces = profile_curve(
        space(*ask.rows),
        along.rows,
        ask.eta,
        ask.fall,
        low=along.low,
        high=along.high,
        known=found,
    )
    # Nothing was looked for beyond the data, so a set that goes up to their edge has no end there.
    open_ends = (bool(pieces) and pieces[0][0] <= along.low, bool(pieces) and pieces[-1][1] >= along.high)
    note = "; ".join(filter(None, (note, f"the set was looked for {within} only")))
    return ask.answer(estimate, error, pieces, open_ends=open_ends, others=others, note=note)


def _searched_error(ask: Question, estimate: float) -> float:
    """The standard error of a crossing by the delta method: that of eta there, over the curve's slope."""
    along = ask.along
    step = 6e-6 * (along.high - along.low)
    ends = max(estimate - step, along.low), min(estimate + step, along.high)  # of the slope, inside the data
    rows = along.rows(np.array([estimate, *ends]))
    slope = float((rows[2] - rows[1]) @ along.model.coef) / (ends[1] - ends[0])
    variance = float(rows[0] @ ask.covariance() @ rows[0])
    return math.sqrt(variance) / abs(slope) if slope and variance >= 0 else math.nan


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


def _gap(model: Model, line: Line, inverse: Inverse) -> tuple[Pieces, str]:
    """Under separation every value at which directions disagree is as good as any other: the gap, and so in words."""
    base, slope = model.directions @ line.base, model.directions @ line.slope
    gap: Pieces = ()
    if (slope > 0).all() or (slope < 0).all():
        ends = sorted(-base / slope)
        gap = inverse.pieces(((ends[0], ends[-1]),))
    if not gap:
        return gap, "the outcome is separated: no boundary is determined"
    where = f" ({gap[0][0]:.6g} to {gap[0][1]:.6g})"
    return gap, f"the outcome is separated: in the limit every value in the gap{where} is as good as any other"


def parse_at(pairs: Sequence[str]) -> dict[str, str]:
    """``NAME=VALUE`` texts as a dict; raises OptionError for a text without ``=``."""
    out: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise OptionError(f"--at {pair!r}: write NAME=VALUE, such as --at age=50")
        out[name] = value
    return out
