"""Columns that have been read, in a DuckDB table or in arrays, and where each row stood in its source."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from passline.table.columns import BOOLEAN_TEXTS, Column

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import duckdb
    from numpy.typing import NDArray


@dataclass
class Frame:
    """Columns in memory, in the source's order of rows.

    ``arrays``: a number column is float64 (n,) with NaN for missing; a category or boolean is int32 (n,) of codes into
    ``values[name]`` with -1 for missing. ``locate`` gives a row's place for messages where the source knows better.
    Where rows that repeat are held once, ``counts`` (n,) says how often each stands in the source, and ``written``
    gives them all again; the order is that of each one's first place.
    """

    arrays: Mapping[str, NDArray[Any]]
    values: Mapping[str, tuple[str, ...]]
    columns: Mapping[str, Column]
    rows: int
    label: str
    locate: Callable[[int], str] | None = field(default=None, repr=False)
    counts: NDArray[np.float64] | None = field(default=None, repr=False)
    written: Callable[[], Relation | Frame] | None = field(default=None, repr=False)

    def where(self, row: int) -> str:
        """Return the place of ``row`` (from 0) in words."""
        return self.locate(row) if self.locate else f"{self.label}, row {row + 1}"


@dataclass
class Relation:
    """A DuckDB temporary table with rowid 0 .. rows - 1 in the source's order.

    Numbers are DOUBLE, booleans BOOLEAN, categories VARCHAR; missing is NULL, never NaN. ``identifiers`` maps a
    column's name to its SQL identifier: names of users never enter SQL.
    """

    connection: duckdb.DuckDBPyConnection
    table: str
    identifiers: Mapping[str, str]
    columns: Mapping[str, Column]
    rows: int
    label: str
    locate: Callable[[int], str] | None = field(default=None, repr=False)

    def where(self, row: int) -> str:
        """Return the place of ``row`` (from 0) in words: the file and, for delimited files, the line."""
        return self.locate(row) if self.locate else f"{self.label}, row {row + 1}"

    def frame(self) -> Frame:
        """Fetch the table as arrays."""
        arrays: dict[str, NDArray[Any]] = {}
        values: dict[str, tuple[str, ...]] = {}
        for name, column in self.columns.items():
            if column.kind == "number":
                arrays[name] = self._fetch(f"coalesce({self.identifiers[name]}, 'nan'::DOUBLE)")
            elif column.kind == "boolean":
                arrays[name] = self._fetch(f"coalesce({self.identifiers[name]}::INTEGER, -1)::INTEGER")
                values[name] = BOOLEAN_TEXTS
            else:
                arrays[name], values[name] = self._codes(name, column.order)
        return Frame(arrays, values, self.columns, self.rows, self.label, self.locate)

    def _codes(self, name: str, order: tuple[str, ...] | None) -> tuple[NDArray[np.int32], tuple[str, ...]]:
        identifier = self.identifiers[name]
        distinct = f"SELECT DISTINCT {identifier} AS v FROM {self.table} WHERE {identifier} IS NOT NULL ORDER BY v"
        texts = tuple(row[0] for row in self.connection.execute(distinct).fetchall())
        if order is not None:  # the declared order may name texts that no row holds, and a re-read file new ones
            texts = (*order, *(text for text in texts if text not in set(order)))
        if not texts:
            return np.full(self.rows, -1, dtype=np.int32), ()
        # An enumeration turns texts into codes while the rows stream by, in their order, without a join.
        kind = f"enum_{self.table}_{identifier}"
        literals = ", ".join("'" + text.replace("'", "''") + "'" for text in texts)
        self.connection.execute(f"CREATE OR REPLACE TEMP TYPE {kind} AS ENUM ({literals})")
        codes = self._fetch(f"coalesce(enum_code({identifier}::{kind})::INTEGER, -1)::INTEGER")
        return codes, texts

    def _fetch(self, expression: str) -> NDArray[Any]:
        # One column at a time: memory holds at most one copy of a column beside the arrays.
        return np.ascontiguousarray(
            self.connection.execute(f"SELECT {expression} AS v FROM {self.table}").fetchnumpy()["v"]
        )


def filled(found: NDArray[Any]) -> NDArray[Any]:
    """A column as DuckDB gives it, NaN for NULL."""
    if not isinstance(found, np.ma.MaskedArray):
        return np.asarray(found)
    values = np.asarray(found.data, dtype=np.float64)
    values[np.ma.getmaskarray(found)] = np.nan
    return values
