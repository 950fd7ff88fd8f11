"""Tables inside a DuckDB or SQLite file, and queries over files, databases and frames."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np

from passline.errors import SourceError
from passline.table.columns import Column, Source
from passline.table.conversions import column_of
from passline.table.frames import FrameSource, frame_source, object_column
from passline.table.scan import Part, Scan, connect, new_table, open_database, reason
from passline.table.staged import Frame
from passline.table.typed_files import refuse_doubled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import duckdb

_SQLITE, _DUCKDB = b"SQLite format 3\0", b"DUCK"
_FETCH = 50_000


def database_kind(path: Path) -> str | None:
    """Return "sqlite" or "duckdb" by the first bytes of a file; None for any other file."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as stream:
            start = stream.read(16)
    except OSError:
        return None
    if start == _SQLITE:
        return "sqlite"
    return "duckdb" if start[8:12] == _DUCKDB else None


def open_duckdb_table(path: Path, table: str | None, label: str) -> Scan:
    """Open a ``table`` or view ("name" or "schema.name") of a DuckDB file, read-only; the only one if None."""
    connection = _attached(path, label)
    found = connection.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'source' UNION ALL "
        "SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = 'source' AND NOT internal ORDER BY ALL"
    ).fetchall()
    names = [name if schema == "main" else f"{schema}.{name}" for schema, name in found]
    schema, name = found[names.index(_chosen(names, table, label))]
    return _scan(connection, f"SELECT * FROM source.{_identifier(schema)}.{_identifier(name)}", label)


def open_sqlite(path: Path, table: str | None, label: str, sql: str | None = None) -> FrameSource:
    """Read a ``table`` of a SQLite file, or the rows of a query in SQLite's own SQL, read-only."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute("PRAGMA query_only = ON")
            if sql is None:
                rows = connection.execute(
                    "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name"
                )
                names = [row[0] for row in rows if not row[0].startswith("sqlite_")]
                sql = f"SELECT * FROM {_identifier(_chosen(names, table, label))}"
            return _sqlite_rows(connection.execute(sql), label)
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise SourceError(f"{label} cannot be read: {error}.") from error


def open_query(sql: str, database: tuple[Path, str] | None = None, data: Source | None = None) -> Scan:
    """Open a query that DuckDB reads: over files it names, the tables of a DuckDB file, or ``data``."""
    import duckdb

    connection = _attached(*database) if database else connect()
    if database:
        connection.execute("USE source")
    if data is not None:
        connection = _with_data(connection, data)
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise SourceError(f"the query cannot be read: {reason(error)}") from error
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise SourceError("the query is not one SELECT statement. Give exactly one.")
    return _scan(connection, statements[0].query.strip().rstrip(";"), "the query")


def _chosen(names: Sequence[str], table: str | None, label: str) -> str:
    if table is None and len(names) == 1:
        return names[0]
    listed = ", ".join(names[:12]) or "none"
    if table is None:
        raise SourceError(f"{label} is a database; say which table: {label}::TABLE. Its tables: {listed}.")
    matches = [name for name in names if name == table] or [n for n in names if n.lower() == table.lower()]
    if len(matches) != 1:
        raise SourceError(f"{label}: there is no table '{table}'. Its tables: {listed}.")
    return matches[0]


def _attached(path: Path, label: str) -> duckdb.DuckDBPyConnection:
    import duckdb

    connection = open_database()  # what is attached to a database is seen by all its connections
    try:
        quoted = str(path.absolute()).replace("'", "''")
        connection.execute(f"ATTACH '{quoted}' AS source (TYPE duckdb, READ_ONLY)")
    except duckdb.Error as error:
        raise SourceError(f"{label} cannot be opened: {reason(error)}") from error
    return connection


def _scan(connection: duckdb.DuckDBPyConnection, query: str, label: str) -> Scan:
    import duckdb

    try:
        # Described, not run. The line end closes a comment at the query's end.
        names = [str(row[0]) for row in connection.execute(f"DESCRIBE (\n{query}\n)").fetchall()]
        described = connection.execute(f"SELECT * FROM (\n{query}\n) LIMIT 0").description
    except duckdb.Error as error:
        raise SourceError(f"{label} cannot be read: {reason(error)}") from error
    # A subquery renames columns of one name, or of names that differ only in case; DESCRIBE does not.
    columns = [column_of(name, entry[1]) for name, entry in zip(names, described or (), strict=True)]
    refuse_doubled(names, label)
    aliases = ", ".join(f"c{position}" for position in range(len(columns)))
    part = Part(f"(\n{query}\n) AS t({aliases})", (), label)
    return Scan(connection, [part], label, {column.name: column for column in columns})


def _with_data(connection: duckdb.DuckDBPyConnection, data: Source) -> duckdb.DuckDBPyConnection:
    """Return a connection in which ``data`` is a table: the source's own, or the one given."""
    names = [column.name for column in data.columns.values() if column.kind != "other"]
    lowered = [name.lower() for name in names]
    for position, name in enumerate(names):
        if lowered.index(name.lower()) != position:
            other = names[lowered.index(name.lower())]
            raise SourceError(f"{data.label}: SQL cannot tell the columns '{other}' and '{name}' apart. Rename one.")
    usable = {column.name: column for column in data.columns.values() if column.kind != "other"}
    staged = data.stage(names, {name: "category" if c.kind == "mixed" else c.kind for name, c in usable.items()})
    if isinstance(staged, Frame):
        table, identifiers = _stored(connection, staged)
    else:
        connection, table, identifiers = staged.connection, staged.table, dict(staged.identifiers)
    listed = ", ".join(f"{identifiers[name]} AS {_identifier(name)}" for name in names)
    connection.execute(f"CREATE TEMP VIEW data AS SELECT {listed} FROM {table}")
    return connection


def _stored(connection: duckdb.DuckDBPyConnection, frame: Frame) -> tuple[str, dict[str, str]]:
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    expressions = []
    identifiers = {name: f"c{position}" for position, name in enumerate(frame.columns)}
    for name, column in frame.columns.items():
        here = identifiers[name]
        if column.kind == "number":
            arrays[here] = frame.arrays[name]
            expressions.append(f"CASE WHEN NOT isnan({here}) THEN {here} END AS {here}")
        elif column.kind == "boolean":
            arrays[here] = frame.arrays[name]
            expressions.append(f"CASE WHEN {here} >= 0 THEN {here} = 1 END AS {here}")
        else:
            arrays[here] = np.array([*frame.values[name], None], dtype=object)[frame.arrays[name]]
            expressions.append(f"CAST({here} AS VARCHAR) AS {here}")
    table, view = new_table(), f"{new_table()}_arrays"
    connection.register(view, arrays)
    connection.execute(f"CREATE TEMP TABLE {table} AS SELECT {', '.join(expressions)} FROM {view}")
    connection.unregister(view)
    return table, identifiers


def _sqlite_rows(cursor: sqlite3.Cursor, label: str) -> FrameSource:
    names = [str(entry[0]) for entry in cursor.description or ()]
    refuse_doubled(names, label)
    gathered = [_SqliteColumn() for _ in names]
    rows = 0
    while block := cursor.fetchmany(_FETCH):
        rows += len(block)
        for column, values in zip(gathered, zip(*block, strict=True), strict=True):
            column.add(values)
    columns = [column.finished(name) for name, column in zip(names, gathered, strict=True)]
    return frame_source(label, "path", rows, columns)


class _SqliteColumn:
    """A column on its way in: SQLite types each value, so the kind is known at the end only."""

    def __init__(self) -> None:
        self._kinds: dict[type, int] = {}
        self._blocks: list[Any] = []

    def add(self, values: tuple[Any, ...]) -> None:
        kinds = set(map(type, values))
        for kind in kinds:
            self._kinds[kind] = self._kinds.get(kind, 0) + sum(type(value) is kind for value in values)
        if kinds <= {int, float, type(None)}:
            self._blocks.append(np.array([np.nan if value is None else value for value in values], dtype=np.float64))
        else:
            self._blocks.append(values)

    def finished(self, name: str) -> tuple[Column, Any]:
        present = {kind: count for kind, count in self._kinds.items() if kind is not type(None)}
        if set(present) <= {int, float}:
            values = np.concatenate([np.zeros(0), *self._blocks])
            return Column(name, "number", "number"), lambda: values
        objects = [None if _gone(value) else value for block in self._blocks for value in block]
        missing = np.array([value is None for value in objects], dtype=bool)
        return object_column(name, objects, missing, "SQLite")


def _gone(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
