"""Derivatives of the formula's functions: by how much an expression's columns grow when its column does."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from passline.table.arrays import to_arrays
from passline.table.functions import Setting, State, Values
from passline.table.tree import Expression, Name, column_of


def derivatives(expression: Expression, x: Values) -> tuple[Values, ...]:
    """The derivative of each of an expression's columns in its column, at the column's values x: (n,) each.

    Calls that learn must hold their state. Infinite where the function has no derivative (sqrt at 0), zero for abs at
    0, the mean of the two sides.
    """
    if isinstance(expression, Name):
        return (np.ones_like(x),)
    (inner,) = derivatives(expression.argument, x)
    (value,) = to_arrays(expression.argument, {column_of(expression).name: x})
    with np.errstate(all="ignore"):
        return tuple(
            outer * inner for outer in _RULES[expression.function](value, expression.setting, expression.state)
        )


def _power(x: Values, setting: Setting, _state: State) -> tuple[Values, ...]:
    k = float(setting or 0.0)
    slope: Values = k * np.power(x, k - 1.0) if k else np.zeros_like(x)
    return (slope,)


def _spline(x: Values, _setting: Setting, state: State) -> tuple[Values, ...]:
    """The derivative of Harrell's basis: each cube u^3 with u = (x - t) / width gives 3 u^2 / width."""
    width = (state[-1] - state[0]) ** (2.0 / 3.0)

    def slope(knot: float) -> Values:
        u = np.maximum((x - knot) / width, 0.0)
        cube: Values = 3.0 * u * u / width
        return cube

    last, before = state[-1], state[-2]
    at_last, at_before = slope(last), slope(before)
    columns = [slope(t) + ((before - t) * at_last - (last - t) * at_before) / (last - before) for t in state[:-2]]
    return (np.ones_like(x), *columns)


_RULES: Mapping[str, Callable[[Values, Setting, State], tuple[Values, ...]]] = {
    "log": lambda x, _setting, _state: (1.0 / x,),
    "log1p": lambda x, _setting, _state: (1.0 / (1.0 + x),),
    "exp": lambda x, _setting, _state: (np.exp(x),),
    "sqrt": lambda x, _setting, _state: (0.5 / np.sqrt(x),),
    "abs": lambda x, _setting, _state: (np.sign(x),),
    "power": _power,
    "scale": lambda x, _setting, state: (np.full_like(x, 1.0 / state[1]),),
    "rcs": _spline,
}
