"""Which reader opens what a user calls data: a file of some kind, a glob, standard input, a query, a frame."""

from __future__ import annotations

import difflib
import glob
import gzip
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from passline.errors import SourceError
from passline.table.columns import Column, Kind, Source
from passline.table.staged import Frame, Relation

__all__ = ["Column", "Frame", "Kind", "Relation", "Source", "open_source"]

_Files = Sequence[tuple[Path, str]]


def open_source(data: Any, *, sql: str | None = None) -> Source:
    """Open ``data``, and look at its columns without reading its rows.

    ``data``: a path (CSV, TSV, Parquet, JSON, Arrow; a glob; ``-`` for standard input as CSV; ``file.duckdb::table``
    or ``file.sqlite::table``), a pandas or polars frame, an Arrow table, or a dictionary of columns. ``sql``: a query
    over the files it names, over the tables of ``data`` if that is a database, else over ``data`` by that name.
    Raises SourceError.
    """
    if sql is not None:
        return _open_query(data, sql)
    if not isinstance(data, (str, os.PathLike)):
        from passline.table.libraries import open_frame

        return open_frame(data)
    return _open_path(os.fspath(data))


def _open_path(name: str) -> Source:
    if name == "-":
        return _delimited([(None, "standard input")], "standard input")
    path, table = _split(name)
    if table is None and not path.exists() and any(c in name for c in "*?["):
        return _open_glob(str(path))
    _require_file(path, name)
    from passline.table.databases import database_kind, open_duckdb_table, open_sqlite

    label = path.name if table is None else f"{path.name}::{table}"
    if (kind := database_kind(path)) is not None:
        return (open_duckdb_table if kind == "duckdb" else open_sqlite)(path, table, label)
    if table is not None:
        raise SourceError(f"{path.name} is no DuckDB or SQLite file, so it has no table '{table}'. Leave '::' away.")
    return _reader(path)([(path, path.name)], path.name)


def _open_query(data: Any, sql: str) -> Source:
    from passline.table.databases import database_kind, open_query, open_sqlite

    if data is None:
        return open_query(sql)
    if isinstance(data, (str, os.PathLike)):
        path, table = _split(os.fspath(data))
        kind = database_kind(path)
        if table is None and kind == "duckdb":
            return open_query(sql, database=(path, path.name))
        if table is None and kind == "sqlite":
            return open_sqlite(path, None, f"the query of {path.name}", sql)
    return open_query(sql, data=open_source(data))


def _split(name: str) -> tuple[Path, str | None]:
    """Path and table of ``path::table``; a file of that very name goes first."""
    whole = Path(name).expanduser()
    if "::" not in name or whole.exists():
        return whole, None
    path, _, table = name.rpartition("::")
    return Path(path).expanduser(), table


def _require_file(path: Path, name: str) -> None:
    if path.is_dir():
        raise SourceError(f"{name} is a directory. Give a file, or a glob such as {os.path.join(name, '*.csv')}.")
    try:
        if path.exists():
            return
        near = difflib.get_close_matches(path.name, os.listdir(path.parent), n=3, cutoff=0.6)
    except (OSError, ValueError):  # the folder is not there either, or the name holds a NUL
        near = []
    hint = f"Near names there: {', '.join(near)}." if near else "Check the path."
    raise SourceError(f"there is no file {name!r}. {hint}")


def _open_glob(pattern: str) -> Source:
    paths = [Path(found) for found in sorted(glob.glob(pattern, recursive=True)) if not os.path.isdir(found)]
    if not paths:
        raise SourceError(f"no file matches {pattern!r}. Check the pattern.")
    readers = {_reader(path) for path in paths}
    if len(readers) > 1:
        raise SourceError(f"{pattern!r} matches files of several kinds, {paths[0].name} among them. Match only one.")
    names = [path.name for path in paths]
    distinct = len(set(names)) == len(names)
    labels = names if distinct else [os.path.relpath(path) for path in paths]
    return readers.pop()(list(zip(paths, labels, strict=True)), pattern if len(paths) > 1 else labels[0])


def _reader(path: Path) -> Callable[[_Files, str], Source]:
    """Reader for a file by its ending, or by its first bytes where the ending says nothing."""
    name = path.name.lower().removesuffix(".gz")
    if name.endswith((".parquet", ".pq")):
        return _parquet
    if name.endswith((".jsonl", ".ndjson", ".json")):
        return _json
    if name.endswith((".arrow", ".arrows", ".feather", ".ipc")):
        return _arrow
    if name.endswith((".xlsx", ".xls", ".ods", ".sav", ".dta", ".sas7bdat", ".rds", ".zip", ".zst", ".bz2", ".xz")):
        raise SourceError(f"{path.name}: files of this kind are not read. Save the table as CSV or Parquet.")
    if not name.endswith((".csv", ".tsv", ".tab", ".txt")) and path.is_file():
        try:
            with path.open("rb") as stream:
                start = stream.read(6)
        except OSError as error:
            raise SourceError(f"{path.name} cannot be read: {error.strerror or error}.") from error
        if start[:4] == b"PAR1":
            return _parquet
        if start == b"ARROW1":
            return _arrow
    return _delimited


def _delimited(files: Sequence[tuple[Path | None, str]], label: str) -> Source:
    from passline.table.delimited import open_delimited

    return open_delimited(files, label)


def _parquet(files: _Files, label: str) -> Source:
    from passline.table.typed_files import open_parquet

    return open_parquet(files, label)


def _json(files: _Files, label: str) -> Source:
    from passline.table.typed_files import open_json

    return open_json(files, label)


def _arrow(files: _Files, label: str) -> Source:
    """Arrow IPC files, also gzipped, mapped into memory where they are plain."""
    from passline.table.libraries import open_arrow, require_pyarrow

    pyarrow = require_pyarrow(label)
    from pyarrow import ipc

    tables = []
    for path, name in files:
        try:
            if path.name.lower().endswith(".gz"):
                with gzip.open(path) as stream:
                    data = pyarrow.py_buffer(stream.read())
            else:
                data = pyarrow.memory_map(str(path)) if path.stat().st_size else pyarrow.py_buffer(b"")
            if not (data.size if isinstance(data, pyarrow.Buffer) else data.size()):
                raise SourceError(f"{name} is empty: 0 bytes.")
            reader = pyarrow.BufferReader(data) if isinstance(data, pyarrow.Buffer) else data
            try:
                tables.append(ipc.open_file(reader).read_all())
            except pyarrow.ArrowInvalid:
                reader.seek(0)
                tables.append(ipc.open_stream(reader).read_all())
        except (pyarrow.ArrowException, OSError, EOFError) as error:
            raise SourceError(f"{name} is not an Arrow file that can be read: {error}.") from error
        if not tables[-1].schema.equals(tables[0].schema):
            raise SourceError(f"{name} has not the columns of {files[0][1]}. Files read together need the same.")
    source = open_arrow(pyarrow.concat_tables(tables), label)
    source.native = "path"
    return source
