"""Parquet and JSON: files whose values have types, scanned by DuckDB with columns addressed by position."""

from __future__ import annotations

import contextlib
import gzip
import json
from typing import TYPE_CHECKING, Any

from passline.errors import SourceError
from passline.table.columns import Column, Kind, text_kind
from passline.table.conversions import Reading, column_of, from_text, from_typed
from passline.table.scan import Part, Scan, connect, reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import duckdb

_JSON_NUMBERS = ("UBIGINT", "BIGINT", "DOUBLE", "HUGEINT", "UHUGEINT", "DECIMAL")


def open_parquet(paths: Sequence[tuple[Path, str]], label: str) -> Scan:
    """Open Parquet files of one schema."""
    connection = connect()
    parts, first = [], None
    for path, name in paths:
        _refuse_empty(path, name)
        columns = _parquet_columns(connection, path, name)
        first = first or columns
        _same_columns(first, columns, paths[0][1], name)
        aliases = ", ".join(f"c{position}" for position in range(len(columns)))
        clause = f"read_parquet($1, hive_partitioning=false) AS t({aliases})"
        numbered = f"read_parquet($1, hive_partitioning=false, file_row_number=true) AS t({aliases}, r)"
        parts.append(Part(clause, (literal_path(path),), name, numbered=numbered))
    return Scan(connection, parts, label, {column.name: column for column in first or ()})


def open_json(paths: Sequence[tuple[Path, str]], label: str) -> Scan:
    """Open files of JSON objects: one a line, or (``.json``) an array of them."""
    connection = connect()
    parts: list[Part] = []
    seen: dict[str, dict[str, int]] = {}
    for path, name in paths:
        _refuse_empty(path, name)
        lines = path.name.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson"))
        layout = "newline_delimited" if lines else "auto"
        objects = f"read_json_objects($1, format='{layout}', hive_partitioning=false) AS t(j)"
        for key, types in _json_types(connection, path, name, objects, lines=lines).items():
            counts = seen.setdefault(key, {})
            for kind, count in types.items():
                counts[kind] = counts.get(kind, 0) + count
        parts.append(Part(objects, (literal_path(path),), name, _line_locator(path, name) if lines else None))
    if not seen:
        raise SourceError(f"{label} holds objects without a single key: there are no columns.")
    columns = {key: _json_column(key, types) for key, types in seen.items()}
    # All paths at once, so that an object is parsed once.
    pointers = ", ".join(_pointer(key) for key in columns)
    texts = ", ".join(f"l[{position + 1}] AS c{position}" for position in range(len(columns)))
    extracted = f"SELECT json_extract_string(j, [{pointers}]) AS l FROM"
    parts = [Part(f"(SELECT {texts} FROM ({extracted} {p.clause}))", p.parameters, p.label, p.locate) for p in parts]
    return Scan(connection, parts, label, columns, read=_from_json)


def literal_path(path: Path) -> str:
    """``path`` for DuckDB, its glob characters taken literally."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in str(path.absolute()))


def _refuse_empty(path: Path, label: str) -> None:
    try:
        empty = path.stat().st_size == 0
    except OSError as error:
        raise SourceError(f"{label} cannot be read: {error.strerror or error}.") from error
    if empty:
        raise SourceError(f"{label} is empty: 0 bytes.")


def _parquet_columns(connection: duckdb.DuckDBPyConnection, path: Path, label: str) -> tuple[Column, ...]:
    import duckdb

    try:
        # A scan renames columns that differ only in case; the schema, a tree in preorder, spells them as they are.
        tree = connection.execute("SELECT name, num_children FROM parquet_schema($1)", [literal_path(path)]).fetchall()
        scanned = connection.execute(
            "SELECT * FROM read_parquet($1, hive_partitioning=false) LIMIT 0", [literal_path(path)]
        ).description
    except duckdb.Error as error:
        raise SourceError(f"{label} is not a Parquet file that can be read: {reason(error)}") from error
    names, position = [], 1
    for _ in range(tree[0][1] or 0):
        names.append(tree[position][0])
        position = _after(tree, position)
    columns = tuple(column_of(name, kind[1]) for name, kind in zip(names, scanned or (), strict=True))
    refuse_doubled(names, label)
    return columns


def _after(tree: Sequence[tuple[Any, ...]], position: int) -> int:
    pending = 1
    while pending:
        pending += (tree[position][1] or 0) - 1
        position += 1
    return position


def refuse_doubled(names: Sequence[str], label: str) -> None:
    """Raise SourceError if two columns have one name, or a column has none."""
    for position, name in enumerate(names):
        if name in names[:position]:
            raise SourceError(f"{label}: two columns are called '{name}'. Give every column its own name.")
        if not name.strip():
            raise SourceError(f"{label}: column {position + 1} has no name. Give every column a name.")


def _same_columns(first: Sequence[Column], other: Sequence[Column], first_label: str, label: str) -> None:
    if [(c.name, c.type_name) for c in first] != [(c.name, c.type_name) for c in other]:
        odd = sorted({f"{c.name} {c.type_name}" for c in first} ^ {f"{c.name} {c.type_name}" for c in other})
        detail = f": {odd[0]} is in only one of them" if odd else ": the order of columns differs"
        raise SourceError(f"{label} has not the columns of {first_label}{detail}. Files read together need the same.")


def _json_types(
    connection: duckdb.DuckDBPyConnection, path: Path, label: str, objects: str, *, lines: bool
) -> dict[str, dict[str, int]]:
    """Count the types of each key's values, the keys in order of their first appearance."""
    import duckdb

    try:
        shapes = connection.execute(
            "SELECT json_type(j), count(*), min(row) FROM (SELECT j, row_number() OVER () AS row "
            f"FROM {objects}) GROUP BY 1 ORDER BY 3",
            [literal_path(path)],
        ).fetchall()
        for shape, _, row in shapes:
            if shape != "OBJECT":
                raise SourceError(
                    f"{label}, {'line' if lines else 'item'} {row}: {str(shape).lower()} where an object is needed, "
                    'such as {"x": 1, "y": "a"}.'
                )
        found = connection.execute(
            "SELECT key, json_type(value), count(*), min(id), count(*) FILTER (value::VARCHAR IN "
            "('\"\"', '\"NA\"', '\"NaN\"', '\"nan\"', 'NaN')) "
            "FROM (SELECT key, value, row_number() OVER () AS id FROM "
            f"(SELECT unnest(json_keys(j)) AS key, unnest(json_extract(j, '$.*')) AS value FROM {objects})) "
            "GROUP BY 1, 2 ORDER BY 4",
            [literal_path(path)],
        ).fetchall()
    except duckdb.Error as error:
        raise _json_error(path, label, reason(error), lines=lines) from error
    if not shapes:
        raise SourceError(f"{label} is empty: it holds no JSON object.")
    types: dict[str, dict[str, int]] = {}
    for key, kind, count, _, missing in found:
        counts = types.setdefault(key, {})
        counts[kind] = counts.get(kind, 0) + count - missing
    refuse_doubled(list(types), label)
    return types


def _json_error(path: Path, label: str, found: str, *, lines: bool) -> SourceError:
    if lines and not path.name.lower().endswith(".gz"):
        with contextlib.suppress(OSError), path.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                try:
                    if line.strip():
                        json.loads(line.decode())
                except (ValueError, RecursionError):
                    shown = line[:60].decode(errors="replace").strip()
                    return SourceError(f"{label}, line {number}: not a JSON object: {shown}")
    return SourceError(f"{label} cannot be read as JSON: {found}")


def _json_column(key: str, types: Mapping[str, int]) -> Column:
    present = {kind: count for kind, count in types.items() if kind != "NULL" and count}
    numbers = sum(count for kind, count in present.items() if kind in _JSON_NUMBERS)
    texts = present.get("VARCHAR", 0)
    total = sum(present.values())
    type_name = " and ".join(sorted({"number" if kind in _JSON_NUMBERS else kind.lower() for kind in present}))
    if present and set(present) == {"BOOLEAN"}:
        return Column(key, "boolean", "boolean")
    if numbers + texts < total:
        return Column(key, "other", f"JSON {type_name}")
    return Column(key, text_kind(total, numbers, 0), type_name or "null")


def _from_json(identifier: str, column: Column, kind: Kind) -> Reading:
    if column.kind == "boolean":
        return from_typed(f"CAST({identifier} AS BOOLEAN)", column, kind)
    return from_text(identifier, kind, missing_words=True)


def _pointer(key: str) -> str:
    """JSON pointer to ``key`` as an SQL literal: told apart by case, with any character."""
    return "'/" + key.replace("~", "~0").replace("/", "~1").replace("'", "''") + "'"


def _line_locator(path: Path, label: str) -> Any:
    def locate(row: int) -> str:
        opener = gzip.open if path.name.lower().endswith(".gz") else open
        with opener(path, "rb") as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    if row == 0:
                        return f"{label}, line {number}"
                    row -= 1
        return f"{label}, row {row + 1}"

    return locate
