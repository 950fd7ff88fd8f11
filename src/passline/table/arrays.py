"""Tree -> NumPy values: an expression's columns from the arrays of its columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from passline.table.functions import FUNCTIONS, Values
from passline.table.tree import Call, Expression, Name

if TYPE_CHECKING:
    from collections.abc import Mapping


def to_arrays(expression: Expression, columns: Mapping[str, Values]) -> tuple[Values, ...]:
    """The values of each of an expression's columns, (n,) each.

    Missing values are NaN; a value outside a function's domain is NaN or infinite, without a warning. Calls that
    learn must hold their state.
    """
    with np.errstate(all="ignore"):
        return _evaluate(expression, columns)


def _evaluate(expression: Expression, columns: Mapping[str, Values]) -> tuple[Values, ...]:
    if isinstance(expression, Name):
        return (columns[expression.name],)
    (argument,) = _evaluate(expression.argument, columns)
    finite = np.isfinite(argument)
    # No call may turn an inner one's infinity, or that it has no value, into a number, as exp(log(0)) and
    # power(log(-1), 0) would: pow(nan, 0) is 1.
    undefined = isinstance(expression.argument, Call) and not finite.all()
    if undefined:
        argument = np.where(finite, argument, np.nan)
    printer = FUNCTIONS[expression.function].arrays
    assert printer is not None, f"{expression.function}() has no values"
    values = printer(argument, expression.setting, expression.state)
    return tuple(np.where(finite, each, np.nan) for each in values) if undefined else values
