"""A source made of Python lists, staged as a frame or as a DuckDB table, for tests of what stands on either."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import duckdb
import numpy as np

from passline.table.columns import Column, Kind
from passline.table.design import Learned, learn
from passline.table.formula import parse
from passline.table.staged import Frame, Relation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HOMES = ("frame", "relation")


class MemorySource:
    """Columns given as lists, None for missing; the kind is read off the values unless it is given."""

    label = "the table"
    native: Literal["path", "pandas", "polars", "pyarrow", "dict"] = "dict"

    def __init__(
        self,
        data: Mapping[str, Sequence[Any]],
        home: str,
        *,
        kinds: Mapping[str, Kind] | None = None,
        orders: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.data, self.home = data, home
        self.columns: Mapping[str, Column] = {
            name: Column(name, (kinds or {}).get(name) or _kind(values), "SOME TYPE", (orders or {}).get(name))
            for name, values in data.items()
        }

    def stage(self, names: Sequence[str], kinds: Mapping[str, Kind]) -> Relation | Frame:
        columns = {name: replace(self.columns[name], kind=kinds[name]) for name in names}
        rows = len(next(iter(self.data.values()))) if self.data else 0
        return (self._frame if self.home == "frame" else self._relation)(columns, rows)

    def _frame(self, columns: Mapping[str, Column], rows: int) -> Frame:
        arrays: dict[str, Any] = {}
        values: dict[str, tuple[str, ...]] = {}
        for name, column in columns.items():
            cells = self.data[name]
            if column.kind == "number":
                arrays[name] = np.array([np.nan if v is None else float(v) for v in cells], dtype=np.float64)
                continue
            texts = [None if v is None else _text(v) for v in cells]
            values[name] = tuple(dict.fromkeys(t for t in reversed(texts) if t is not None))
            arrays[name] = np.array([-1 if t is None else values[name].index(t) for t in texts], dtype=np.int32)
        return Frame(arrays, values, columns, rows, self.label)

    def _relation(self, columns: Mapping[str, Column], rows: int) -> Relation:
        connection = duckdb.connect()
        types = {"number": "DOUBLE", "boolean": "BOOLEAN", "category": "VARCHAR"}
        identifiers = {name: f"c{i}" for i, name in enumerate(columns)}
        declared = ", ".join(f"c{i} {types[column.kind]}" for i, column in enumerate(columns.values()))
        connection.execute(f"CREATE TEMP TABLE staged ({declared})")
        if rows:
            marks = ", ".join("?" for _ in columns)
            cells = [list(row) for row in zip(*(self.data[name] for name in columns), strict=True)]
            connection.executemany(f"INSERT INTO staged VALUES ({marks})", cells)
        return Relation(connection, "staged", identifiers, columns, rows, self.label)


def learned(formula: str, data: Mapping[str, Sequence[Any]], home: str = "frame", **options: Any) -> Learned:
    """Learn a formula from lists."""
    kinds, orders = options.pop("kinds", None), options.pop("orders", None)
    return learn(parse(formula), MemorySource(data, home, kinds=kinds, orders=orders), **options)


def matrix(found: Learned) -> np.ndarray:
    """The design written out, with its zeros, (n, p)."""
    return expand(found.design.groups(found.rows), found.used, found.design.intercept)


def expand(groups: Any, rows: int, intercept: bool) -> np.ndarray:
    """Groups of columns as one matrix."""
    columns = [np.ones((rows, 1))] if intercept else [np.empty((rows, 0))]
    for group in groups:
        if not hasattr(group, "codes"):
            columns.append(group.values[:, None])
            continue
        assert group.codes.dtype == np.int32
        block = np.zeros((rows, group.width))
        hit = np.flatnonzero(group.codes >= 0)
        block[hit, group.codes[hit]] = 1.0 if group.values is None else group.values[hit]
        columns.append(block)
    return np.hstack(columns)


def _text(value: Any) -> str:
    return str(value).upper() if isinstance(value, bool) else str(value)


def _kind(values: Sequence[Any]) -> Kind:
    present = [v for v in values if v is not None]
    if present and all(isinstance(v, bool) for v in present):
        return "boolean"
    return "category" if any(isinstance(v, str) for v in present) else "number"
