"""Tree -> SQL for DuckDB: a query for an expression's values over a table's own identifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passline.table.arithmetic import Argument, Choice, Form, Number, Operation, log1p_by_logarithm
from passline.table.functions import FUNCTIONS, literal
from passline.table.tree import Expression, calls_of, column_of

if TYPE_CHECKING:
    from collections.abc import Mapping


def to_query(expression: Expression, table: str, identifiers: Mapping[str, str], part: int = 0) -> str:
    """The query that gives an expression's values as ``v``, one a row; of a spline its ``part``-th column.

    ``identifiers`` maps column names to SQL identifiers, so names never enter SQL. A value that is missing, or
    outside a function's domain, is NULL or not finite; nothing raises. Calls that learn must hold their state.
    """
    # Each call is a query around the one before: printed into one another, texts that repeat their argument would
    # grow as a power of the depth.
    query = f"SELECT {identifiers[column_of(expression).name]} AS v FROM {table}"
    for call in calls_of(expression):
        forms = FUNCTIONS[call.function].forms
        assert forms is not None, f"{call.function}() has no values"
        value = forms(call.setting, call.state)[part if call is expression else 0]
        query = f"SELECT {_written(value)} AS v FROM ({query})"
        if call is not expression:
            # No call may turn the infinity of an inner one back into a number, as exp(log(0)) would.
            query = f"SELECT CASE WHEN isfinite(v) THEN v END AS v FROM ({query})"
    return query


def _written(form: Form) -> str:
    """A form as DuckDB's SQL, its argument called ``v``."""
    match form:
        case Argument():
            text = "v"
        case Number(value):
            text = literal(value)
        case Operation("log1p", (x,)):  # which DuckDB has not
            text = _written(log1p_by_logarithm(x))
        case Operation("hinge cubed", (x,)):
            u = _written(x)
            # Not greatest(u, 0): that would turn NULL into 0.
            text = f"(CASE WHEN {u} <= 0 THEN 0e0 ELSE {u} * {u} * {u} END)"
        case Operation(("+" | "-" | "*" | "/") as sign, (left, right)):
            text = f"({_written(left)} {sign} {_written(right)})"
        case Operation(name, operands):
            text = f"{name}({', '.join(map(_written, operands))})"
        case Choice(left, comparison, right, then, otherwise):
            yes, no = ("NULL" if value is None else _written(value) for value in (then, otherwise))
            text = f"(CASE WHEN {_written(left)} {comparison} {_written(right)} THEN {yes} ELSE {no} END)"
    return text
