"""The list of functions a formula may use: one entry holds a function's name, parameter, arithmetic and domain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from passline.errors import DataError
from passline.table.arithmetic import Choice, Form, Number, X, call

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Values: TypeAlias = NDArray[np.float64]
Setting: TypeAlias = float | int | str | None  # what stands after the comma: power's 2, rcs's 4, C's "a"
State: TypeAlias = tuple[float, ...]  # what a function learned from the rows: mean and deviation, knots

SPLINE_KNOTS = (3, 7)
DEFAULT_KNOTS = 5


@dataclass(frozen=True)
class Parameter:
    """What may stand after the comma; ``keyword`` is written before it (``ref=``), or nothing."""

    kind: Literal["number", "integer", "text"]
    keyword: str = ""
    required: bool = False
    low: int = 0
    high: int = 0


@dataclass(frozen=True)
class Function:
    """One function of formulas.

    ``forms`` and ``arrays`` give the function's columns, one, or several for a spline: as arithmetic that every
    language's printer renders (DuckDB's SQL, the exports), and on NumPy's arrays at once. Where the function has no
    finite value a form has none, or one that is not finite, as NumPy's. ``domain`` completes "log needs ...".
    ``learn`` finds the state from the values of the rows used and how often each row counts.
    """

    name: str
    usage: str
    domain: str = ""
    parameter: Parameter | None = None
    category: bool = False  # takes a column as a category: has levels, not values
    outermost: bool = False  # gives several columns, so nothing may stand around it
    forms: Callable[[Setting, State], tuple[Form, ...]] | None = None
    arrays: Callable[[Values, Setting, State], tuple[Values, ...]] | None = None
    learn: Callable[[Values, Setting, Values], State] | None = None
    valid: Callable[[Setting, State], bool] | None = None  # is this a state that `learn` could have found?
    suffixes: Callable[[str, State], tuple[str, ...]] | None = None  # argument's text -> what column names add
    inverse: Callable[[float, Setting, State], float] | None = (
        None  # where it is monotone; boundaries are taken back by it
    )
    image: Callable[[Setting], tuple[float, float]] = lambda _setting: (-math.inf, math.inf)  # its values there
    monotone_above: Callable[[Setting], float | None] = lambda _setting: None  # monotone from here on; None: everywhere


def literal(value: float) -> str:
    """A number as DuckDB reads it back, bit for bit."""
    return f"CAST('{float(value)!r}' AS DOUBLE)"


# --- functions of one number -----------------------------------------------------------------------------------


_ZERO = Number(0.0)
_GREATEST_EXPONENT = Number(709.782712893384)  # the exponential of the next double overflows
# Powers that are computed as products: exact to half a unit a step, and the same in every printer. pow() is not.
_PRODUCTS = (2.0, 3.0, 4.0)


def _power_forms(setting: Setting, _state: State) -> tuple[Form, ...]:
    k = float(setting or 0.0)
    if k in _PRODUCTS:
        product: Form = X * X
        for _ in range(int(k) - 2):
            product = product * X
        return (product,)
    power = call("pow", X, Number(k))
    if not k.is_integer():
        power = Choice(X, "<", _ZERO, None, power)
    return (Choice(X, "=", _ZERO, None, power) if k < 0 else power,)


def _power_arrays(x: Values, setting: Setting, _state: State) -> tuple[Values, ...]:
    k = float(setting or 0.0)
    if k in _PRODUCTS:
        result = x * x
        for _ in range(int(k) - 2):
            result = result * x
        return (result,)
    return (np.asarray(np.power(x, k)),)


def _odd(setting: Setting) -> bool:
    k = float(setting or 0.0)
    return k > 0 and k % 2.0 == 1.0


def _power_inverse(t: float, setting: Setting, _state: State) -> float:
    k = float(setting or 0.0)
    if t == 0.0 or math.isinf(t):
        size = math.inf if (t == 0.0) == (k < 0) else 0.0
    else:
        size = math.exp(math.log(abs(t)) / k) if k else math.nan
    return math.copysign(size, t)


def _exp(t: float) -> float:
    return math.exp(t) if t < 709.0 else math.inf


# --- scale -------------------------------------------------------------------------------------------------------


def _scale_learn(x: Values, _setting: Setting, counts: Values) -> State:
    low, high = float(x.min()), float(x.max())
    if low == high:
        raise DataError(f"is {low!r} in every row used, so its standard deviation is zero: leave the term out.")
    n = float(counts.sum())
    if n < 2:
        raise DataError("has one row, so it has no standard deviation: leave the term out.")
    # A power of two brings the largest value near one: sums and squares of 1e300 and of 1e-300 stay in range, exactly.
    unit = 2.0 ** float(np.clip(np.frexp(max(abs(low), abs(high)))[1], -1021, 1023))
    scaled = x / unit
    mean = float(counts @ scaled) / n
    mean += float(counts @ (scaled - mean)) / n
    difference = scaled - mean
    spread = 2.0 ** float(np.frexp(np.abs(difference).max())[1])
    deviation = float(np.sqrt(counts @ np.square(difference / spread) / (n - 1))) * spread * unit
    if not (np.isfinite(mean * unit) and np.isfinite(deviation) and deviation > 0):
        raise DataError("has values too far apart, or too close, for a standard deviation: rescale the column.")
    return (mean * unit, deviation)


def _scale_forms(_setting: Setting, state: State) -> tuple[Form, ...]:
    return ((X - Number(state[0])) / Number(state[1]),)


def _scale_arrays(x: Values, _setting: Setting, state: State) -> tuple[Values, ...]:
    return ((x - state[0]) / state[1],)


# --- restricted cubic spline ---------------------------------------------------------------------------------------


def quantiles(ordered: Values, probabilities: Values, counts: Values) -> Values:
    """Type-7 quantiles of values already sorted: the (1 + (n - 1) p)-th, linearly between neighbours.

    ``counts``: how often each value stands in a row of n = sum(counts), which is never written out.
    """
    ends = np.cumsum(counts)
    n = int(ends[-1])
    index = (n - 1) * probabilities
    below = np.floor(index + 4 * np.finfo(np.float64).eps * n).astype(np.intp)
    above = np.minimum(below + 1, n - 1)
    share = np.maximum(index - below, 0.0)
    low, high = (ordered[np.searchsorted(ends, place, side="right")] for place in (below, above))
    return np.where(low == high, low, (1.0 - share) * low + share * high)


def _knots(setting: Setting) -> int:
    return DEFAULT_KNOTS if setting is None else int(setting)


def _spline_learn(x: Values, setting: Setting, counts: Values) -> State:
    """Harrell's default knots (Hmisc, rcspline.eval): quantiles; under 100 rows the 5th value from either end."""
    count = _knots(setting)
    n = int(counts.sum())
    if n < 6:
        raise DataError(f"has {n} rows; a spline's knots need at least 6. Use the column itself.")
    outer = 0.10 if count == 3 else 0.05 if count < 7 else 0.025
    order = np.argsort(x, kind="stable")
    ordered, counts = x[order], counts[order]
    knots = quantiles(ordered, np.linspace(outer, 1.0 - outer, count), counts)
    if n < 100:
        knots[[0, -1]] = ordered[np.searchsorted(np.cumsum(counts), [4, n - 5], side="right")]
    distinct = np.unique(knots)  # sorted; equal knots count once, as in Hmisc
    if len(distinct) < 3:
        found = ", ".join(repr(float(t)) for t in distinct)
        raise DataError(
            f"has too few distinct values: its {count} knots fall on {len(distinct)} ({found}), and a spline needs 3. "
            "Use the column itself, or C() of it."
        )
    return tuple(float(t) for t in distinct)


def _spline_forms(_setting: Setting, state: State) -> tuple[Form, ...]:
    width = (state[-1] - state[0]) ** (2.0 / 3.0)

    def cube(knot: float) -> Form:
        return call("hinge cubed", (X - Number(knot)) / Number(width))

    last, before = state[-1], state[-2]
    columns = [
        cube(t) + (Number(before - t) * cube(last) - Number(last - t) * cube(before)) / Number(last - before)
        for t in state[:-2]
    ]
    return (X, *columns)


def _spline_arrays(x: Values, _setting: Setting, state: State) -> tuple[Values, ...]:
    """Columns x and, for knots t_1 .. t_k, j <= k - 2: [u_j^3 + ((t_{k-1} - t_j) u_k^3 - (t_k - t_j) u_{k-1}^3)
    / (t_k - t_{k-1})], where u_j = max(x - t_j, 0) / (t_k - t_1)^(2/3).
    """
    width = (state[-1] - state[0]) ** (2.0 / 3.0)

    def cube(knot: float) -> Values:
        u: Values = np.maximum((x - knot) / width, 0.0)
        return u * u * u

    last, before = state[-1], state[-2]
    at_last, at_before = cube(last), cube(before)
    columns = [cube(t) + ((before - t) * at_last - (last - t) * at_before) / (last - before) for t in state[:-2]]
    return (x, *columns)


def _spline_valid(setting: Setting, state: State) -> bool:
    rising = all(a < b for a, b in pairwise(state))
    width = (state[-1] - state[0]) if state else 0.0
    return 3 <= len(state) <= _knots(setting) and rising and 0.0 < width < float("inf")


def _spline_suffixes(argument: str, state: State) -> tuple[str, ...]:
    return tuple(argument + "'" * j for j in range(len(state) - 1))


_ENTRIES = (
    Function(
        "log",
        "log(x)",
        "a number above 0",
        forms=lambda _setting, _state: (Choice(X, ">", _ZERO, call("ln", X), None),),
        arrays=lambda x, _setting, _state: (np.log(x),),
        inverse=lambda t, _setting, _state: _exp(t),
    ),
    Function(
        "log1p",
        "log1p(x)",
        "a number above -1",
        forms=lambda _setting, _state: (Choice(X, ">", Number(-1.0), call("log1p", X), None),),
        arrays=lambda x, _setting, _state: (np.log1p(x),),
        inverse=lambda t, _setting, _state: _exp(t) - 1.0 if abs(t) > 1 else math.expm1(t),
    ),
    Function(
        "exp",
        "exp(x)",
        "a number of at most 709.78, or the result overflows",
        forms=lambda _setting, _state: (Choice(X, ">", _GREATEST_EXPONENT, None, call("exp", X)),),
        arrays=lambda x, _setting, _state: (np.exp(x),),
        inverse=lambda t, _setting, _state: math.log(t) if t > 0 else -math.inf,
        image=lambda _setting: (0.0, math.inf),
    ),
    Function(
        "sqrt",
        "sqrt(x)",
        "a number of at least 0",
        forms=lambda _setting, _state: (Choice(X, ">=", _ZERO, call("sqrt", X), None),),
        arrays=lambda x, _setting, _state: (np.sqrt(x),),
        inverse=lambda t, _setting, _state: t * t,
        image=lambda _setting: (0.0, math.inf),
    ),
    Function(
        "abs",
        "abs(x)",
        "a finite number",
        forms=lambda _setting, _state: (call("abs", X),),
        arrays=lambda x, _setting, _state: (np.abs(x),),
        inverse=lambda t, _setting, _state: t,
        image=lambda _setting: (0.0, math.inf),
        monotone_above=lambda _setting: 0.0,
    ),
    Function(
        "power",
        "power(x, 2)",
        "a finite result: no zero to a negative power, no negative number to a fractional one, no overflow",
        Parameter("number", required=True),
        forms=_power_forms,
        arrays=_power_arrays,
        inverse=_power_inverse,
        image=lambda setting: (-math.inf, math.inf) if _odd(setting) else (0.0, math.inf),
        monotone_above=lambda setting: None if _odd(setting) else 0.0,
    ),
    Function(
        "scale",
        "scale(x)",
        "a number within range of the mean",
        forms=_scale_forms,
        arrays=_scale_arrays,
        learn=_scale_learn,
        valid=lambda _setting, state: len(state) == 2 and state[1] > 0,
        inverse=lambda t, _setting, state: state[0] + t * state[1],
    ),
    Function(
        "rcs",
        "rcs(x, 4)",
        "a number within range of its knots",
        Parameter("integer", low=SPLINE_KNOTS[0], high=SPLINE_KNOTS[1]),
        outermost=True,
        forms=_spline_forms,
        arrays=_spline_arrays,
        learn=_spline_learn,
        valid=_spline_valid,
        suffixes=_spline_suffixes,
    ),
    Function("C", 'C(x, ref="a")', parameter=Parameter("text", keyword="ref"), category=True),
)

FUNCTIONS: Mapping[str, Function] = {entry.name: entry for entry in _ENTRIES}

# What people write in other languages, and what to write here.
ADVICE: Mapping[str, str] = {
    "I": "I(...) is not needed here: write power(x, 2) for I(x^2)",
    "factor": "write C(x) for factor(x)",
    "as.factor": "write C(x) for as.factor(x)",
    "ordered": "write C(x) for ordered(x)",
    "relevel": 'write C(x, ref="a") for relevel(x, "a")',
    "poly": "write x + power(x, 2) for poly(x, 2), or rcs(x, 4) for a smooth curve",
    "ns": "write rcs(x, 4) for ns(x, 3)",
    "bs": "write rcs(x, 4) for bs(x)",
    "cr": "write rcs(x, 4) for cr(x)",
    "s": "write rcs(x, 4) for s(x)",
    "log10": "write log(x): another base only rescales the coefficient",
    "log2": "write log(x): another base only rescales the coefficient",
    "ln": "write log(x), the natural logarithm",
    "center": "write scale(x)",
    "standardize": "write scale(x)",
    "pow": "write power(x, 2)",
    "offset": "an offset is given as an option (offset), not in the formula",
    "strata": "strata are not part of this model; C(x) gives each group its own intercept",
    "cbind": "counts of trials are given as an option (trials), not in the formula",
}
