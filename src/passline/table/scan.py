"""Reading some columns of anything DuckDB can scan into one temporary table, in the source's order."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from passline.errors import SourceError
from passline.table.columns import Column, Kind, Native
from passline.table.conversions import Reading, first_misfit, from_typed, refuse_misfit, refuse_unusable
from passline.table.staged import Relation

if TYPE_CHECKING:
    import duckdb

_tables = itertools.count()


def connect() -> duckdb.DuckDBPyConnection:
    """Open a connection of its own, with temporary tables that no other sees, to this process's DuckDB in memory."""
    return _database(os.getpid()).cursor()


@cache
def _database(process: int) -> duckdb.DuckDBPyConnection:  # noqa: ARG001 - a fork must not use its parent's threads
    """The database of this process: to open another takes 15 ms."""
    return open_database()


def open_database() -> duckdb.DuckDBPyConnection:
    """Open a private DuckDB in memory that fetches no extension and sees no Python variable."""
    import duckdb

    return duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
            # The default spills into the working directory.
            "temp_directory": os.path.join(tempfile.gettempdir(), f"passline-spill-{os.getpid()}"),
        },
    )


def reason(error: Exception) -> str:
    """First line of DuckDB's message, without its prefix."""
    line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return line.split(" Error: ", 1)[-1].rstrip(" .!") + "."


def new_table() -> str:
    """Return a name for a temporary table that no other has."""
    return f"staged_{next(_tables)}"


@dataclass(frozen=True)
class Part:
    """One of the files of a scan: a FROM clause that calls its columns c0, c1, ..., and the name for messages.

    ``numbered``: the same with each row's number as one more column r, where the file can be read twice cheaply.
    """

    clause: str
    parameters: tuple[Any, ...]
    label: str
    locate: Callable[[int], str] | None = None
    numbered: str | None = None

    def where(self, row: int) -> str:
        """Place of this part's ``row``, from 0."""
        return self.locate(row) if self.locate else f"{self.label}, row {row + 1}"


Place = Callable[[int], str]
Reader = Callable[[str, Column, Kind], Reading]


@dataclass
class Scan:
    """A source that DuckDB scans: one part a file, all of the same columns."""

    connection: duckdb.DuckDBPyConnection
    parts: Sequence[Part]
    label: str
    columns: Mapping[str, Column]
    native: Native = "path"
    read: Reader = from_typed

    def stage(self, names: Sequence[str], kinds: Mapping[str, Kind]) -> Relation:
        """Read ``names`` as ``kinds`` into a temporary table."""
        for name in names:
            refuse_unusable(self.columns[name], self.label)
        positions = {name: position for position, name in enumerate(self.columns)}
        readings = {name: self.read(f"c{positions[name]}", self.columns[name], kinds[name]) for name in names}
        table = new_table()
        counts: list[int] = []
        import duckdb

        for part in self.parts:
            selected = select(readings, part.clause)
            verb = f"INSERT INTO {table}" if counts else f"CREATE TEMP TABLE {table} AS"
            try:
                self.connection.execute(f"{verb} {selected}", list(part.parameters))
                counts.append(_rows(self.connection, table) - sum(counts))
                infinite = not_finite(self.connection, table, [name for name in names if readings[name].late], names)
                suspects = {name: r for name, r in readings.items() if not r.late or name in infinite}
                misfit = first_misfit(self.connection, part.clause, part.parameters, suspects)
            except duckdb.Error as error:
                raise SourceError(f"{part.label} cannot be read: {reason(error)}") from error
            if misfit is not None:
                row, name, value = misfit
                raise refuse_misfit(part.where(row), name, value, kinds[name])
        columns = [read_as(self.columns[name], kinds[name]) for name in names]
        filled = [(part.where, count) for part, count in zip(self.parts, counts, strict=True)]
        return staged(self.connection, table, columns, filled, self.label)


def select(readings: Mapping[str, Reading], clause: str) -> str:
    """Select the readings of ``clause``, named c0, c1, ... in their order."""
    values = ", ".join(f"{reading.value} AS c{position}" for position, reading in enumerate(readings.values()))
    return f"SELECT {values or '0 AS c0'} FROM {clause}"


def staged(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: Sequence[Column],
    filled: Sequence[tuple[Place, int]],
    label: str,
) -> Relation:
    """Relation over a ``table`` of ``columns`` that was filled part by part: the places of its rows, and how many."""

    def locate(row: int) -> str:
        for where, count in filled:
            if row < count:
                return where(row)
            row -= count
        raise AssertionError(f"row {row} lies beyond the table")

    return Relation(
        connection=connection,
        table=table,
        identifiers={column.name: f"c{position}" for position, column in enumerate(columns)},
        columns={column.name: column for column in columns},
        rows=sum(count for _, count in filled),
        label=label,
        locate=locate,
    )


def read_as(column: Column, kind: Kind) -> Column:
    """Return ``column`` as it was read: an order belongs to categories alone."""
    return replace(column, kind=kind, order=column.order if kind == "category" else None)


def not_finite(
    connection: duckdb.DuckDBPyConnection, table: str, checked: Sequence[str], names: Sequence[str]
) -> set[str]:
    """Those of the DOUBLE columns ``checked`` of a ``table`` of ``names`` that hold an infinity or a NaN."""
    if not checked:
        return set()
    tests = ", ".join(f"coalesce(bool_or(NOT isfinite(c{names.index(name)})), false)" for name in checked)
    found = connection.execute(f"SELECT {tests} FROM {table}").fetchone()
    assert found is not None
    return {name for name, hit in zip(checked, found, strict=True) if hit}


def _rows(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    found = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert found is not None
    return int(found[0])
