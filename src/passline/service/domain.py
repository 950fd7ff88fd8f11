"""Between which numbers a model can compute: a column's range, taken back through the functions of the formula."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from passline.table.coding import NumericFactor
from passline.table.design import Design
from passline.table.functions import FUNCTIONS
from passline.table.tree import Call, Expression, Name, column_of

# Terms up to this size keep sums, products with coefficients and their squares far from overflow.
LARGEST = 1e100


@dataclass(frozen=True)
class Range:
    """The numbers from ``low`` to ``high``; ``above``: without ``low`` itself, as where a logarithm is taken."""

    low: float = -LARGEST
    high: float = LARGEST
    above: bool = False

    def __and__(self, other: Range) -> Range:
        low = max(self.low, other.low)
        above = any(each.above and each.low == low for each in (self, other))
        return Range(low, min(self.high, other.high), above)

    def holds(self, value: float) -> bool:
        """Whether a number is in it."""
        return self.low <= value <= self.high and not (self.above and value == self.low)

    @property
    def text(self) -> str:
        """In words, for messages."""
        if self.high == LARGEST and self.low != -LARGEST:
            return f"{'above' if self.above else 'at least'} {self.low:.6g}"
        if self.high != LARGEST and self.low == -LARGEST:
            return f"at most {self.high:.6g}"
        return f"between {self.low:.6g} and {self.high:.6g}"


def ranges(design: Design, summaries: Mapping[str, Any]) -> dict[str, Range]:
    """For each column that is used as a number: between which numbers every term of it is one, and not too large.

    What the rows of the fit held is always within. Where a function has a gap within (the logarithm of ``abs(x)``,
    a negative power) the range holds it, and the value
    is refused when it is met.
    """
    found: dict[str, Range] = {}
    for expression, many in _numbers(design):
        name = column_of(expression).name
        size = LARGEST ** (1.0 / many)
        found[name] = found.get(name, Range()) & _taken_back(expression, Range(-size, size))
    return {name: _with_seen(range_, summaries.get(name, {})) for name, range_ in found.items()}


def _with_seen(found: Range, summary: Mapping[str, Any]) -> Range:
    if summary.get("kind") != "number":
        return found
    low = min(found.low, float(summary["min"]))
    return Range(low, max(found.high, float(summary["max"])), found.above and low == found.low)


def _numbers(design: Design) -> Iterator[tuple[Expression, int]]:
    """The numeric expressions of the terms, and how many are multiplied there."""
    for term in design.terms:
        factors = [factor for factor in term.factors if isinstance(factor, NumericFactor)]
        for factor in factors:
            yield factor.expression, len(factors)


def _taken_back(expression: Expression, wanted: Range) -> Range:
    """For which numbers of the column the expression's value is in ``wanted``."""
    while isinstance(expression, Call):
        wanted = _argument(expression, wanted) & Range()
        expression = expression.argument
    assert isinstance(expression, Name)
    return wanted


def _argument(call: Call, wanted: Range) -> Range:
    function = FUNCTIONS[call.function]
    if function.inverse is None:  # a spline: cubes of the distance from its knots, in units of its width
        far = wanted.high ** (1.0 / 3.0) * (call.state[-1] - call.state[0]) ** (2.0 / 3.0)
        return Range(max(-wanted.high, call.state[0] - far), min(wanted.high, call.state[-1] + far))
    least, most = function.image(call.setting)
    low, high = max(wanted.low, least), min(wanted.high, most)
    above = wanted.above and low == wanted.low
    turn = function.monotone_above(call.setting)
    if call.function == "power" and float(call.setting or 0.0) <= 0:
        return Range()
    end = function.inverse(high, call.setting, call.state)
    if turn is not None and math.isfinite(_value(call, -1.0)):  # the same on either side of zero
        return Range(-end, end)
    start = function.inverse(low, call.setting, call.state)
    return Range(start, end, above or not math.isfinite(_value(call, start)))


def _value(call: Call, x: float) -> float:
    arrays = FUNCTIONS[call.function].arrays
    assert arrays is not None
    with np.errstate(all="ignore"):
        return float(arrays(np.array([x]), call.setting, call.state)[0][0])
