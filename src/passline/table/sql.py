"""Tree -> SQL for DuckDB: a query for an expression's values over a table's own identifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passline.table.functions import FUNCTIONS
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
        printer = FUNCTIONS[call.function].sql
        assert printer is not None, f"{call.function}() has no values"
        value = printer("v", call.setting, call.state)[part if call is expression else 0]
        query = f"SELECT {value} AS v FROM ({query})"
        if call is not expression:
            # No call may turn the infinity of an inner one back into a number, as exp(log(0)) would.
            query = f"SELECT CASE WHEN isfinite(v) THEN v END AS v FROM ({query})"
    return query
