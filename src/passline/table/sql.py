"""Tree -> SQL for DuckDB: an expression's columns as text over a relation's own identifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passline.table.functions import FUNCTIONS
from passline.table.tree import Expression, Name

if TYPE_CHECKING:
    from collections.abc import Mapping


def to_sql(expression: Expression, identifiers: Mapping[str, str]) -> tuple[str, ...]:
    """The SQL text of each of an expression's columns.

    ``identifiers`` maps column names to SQL identifiers, so names never enter SQL. A value that is missing, or
    outside a function's domain, is NULL or not finite; nothing raises. Calls that learn must hold their state.
    """
    if isinstance(expression, Name):
        return (identifiers[expression.name],)
    (argument,) = to_sql(expression.argument, identifiers)
    printer = FUNCTIONS[expression.function].sql
    assert printer is not None, f"{expression.function}() has no values"
    return printer(argument, expression.setting, expression.state)
