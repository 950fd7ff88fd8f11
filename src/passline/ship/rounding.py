"""By how much log-odds may differ because another language rounds logarithms, exponentials and powers otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from passline.table.arithmetic import Argument, Choice, Form, Number, Operation

if TYPE_CHECKING:
    from passline.ship.plan import Floats, Plan

# Libraries of mathematics are within an ulp or two, in either direction; a few tries find how far that can carry.
NUDGES = tuple(k * float(np.finfo(np.float64).eps) for k in (-3, -2, -1, 1, 2, 3))
MARGIN = 4.0
_EXACT: Mapping[str, Callable[..., Any]] = {  # rounded once, to the same number everywhere
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "hinge cubed": lambda u: np.where(u <= 0, 0.0, u * u * u),
}
_ROUNDED: Mapping[str, Callable[..., Any]] = {"ln": np.log, "log1p": np.log1p, "exp": np.exp, "pow": np.power}
_COMPARISONS: Mapping[str, Callable[..., Any]] = {
    "<": np.less,
    "<=": np.less_equal,
    "=": np.equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def doubt(plan: Plan, columns: Mapping[str, Sequence[Any]], rows: int) -> Floats:
    """What the last digits of functions are worth in each row's log-odds: (rows,), zero where nothing is rounded twice.

    A spline of a logarithm far beyond its knots is a small difference of large cubes, whose digits are those that the
    logarithm's last digit moves. Found by moving it: every logarithm, exponential and power by a few units.
    """
    inputs = [_numbers(each.kind, columns[each.column]) for each in plan.inputs]
    total = np.zeros(rows)
    with np.errstate(all="ignore"):
        plain = _values(plan, inputs, 0.0)
        moved = [_values(plan, inputs, nudge) for nudge in NUDGES]
        for group in plan.groups:
            if group.value is not None:
                place = group.value
                most = np.max([np.abs(values[place] - plain[place]) for values in moved], axis=0)
                total += most * float(np.abs(group.weights[0]).max(initial=0.0))
    return MARGIN * np.nan_to_num(total, nan=0.0, posinf=0.0)


def _numbers(kind: str, values: Sequence[Any]) -> Floats:
    if kind != "number":
        return np.full(len(values), np.nan)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _values(plan: Plan, inputs: Sequence[Floats], nudge: float) -> list[Floats]:
    found: list[Floats] = []
    for value in plan.values:
        if value.reads:
            found.append(inputs[value.sources[0]])
        elif value.form is None:
            found.append(np.prod([found[place] for place in value.sources], axis=0))
        else:
            found.append(np.asarray(_calculated(value.form, found[value.sources[0]], 1.0 + nudge)))
    return found


def _calculated(form: Form | None, x: Floats, factor: float) -> NDArray[Any] | float:
    match form:
        case None:
            return np.nan
        case Argument():
            return x
        case Number(value):
            return value
        case Operation(name, operands):
            made = [_calculated(operand, x, factor) for operand in operands]
            return np.asarray(_EXACT[name](*made) if name in _EXACT else _ROUNDED[name](*made) * factor)
        case Choice(left, comparison, right, then, otherwise):
            test = _COMPARISONS[comparison](_calculated(left, x, factor), _calculated(right, x, factor))
            return np.where(test, _calculated(then, x, factor), _calculated(otherwise, x, factor))
