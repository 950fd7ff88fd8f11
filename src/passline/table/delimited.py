"""Delimited text, read strictly: DuckDB parses with a layout and kinds that were found here, and guesses nothing."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from passline.errors import SourceError
from passline.table.columns import MISSING_WORDS, Column, Kind, Native, text_kind
from passline.table.conversions import SQL_TYPES, Reading, first_misfit, from_text, refuse_misfit, words
from passline.table.dialect import Dialect, find_dialect, first_fault, line_of, may_have_surplus_cells
from passline.table.scan import connect, new_table, not_finite, read_as, reason, select, staged
from passline.table.spool import TextFile, open_text, with_plain_line_ends

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import duckdb

    from passline.table.staged import Relation

SAMPLE_ROWS = 8_192

# A plain decimal number, or an infinity, which is an error later; blanks may stand around it.
_NUMBER = r"[ \t]*[+-]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+|(?i:inf|infinity))([eE][+-]?[0-9]+)?[ \t]*"  # no 01234
_CODE = r"[ \t]*[+-]?0[0-9]+[ \t]*"  # 01234: digits, but no quantity


@dataclass
class DelimitedFile:
    """One file: its text, its layout, and the parameters with which DuckDB reads it."""

    text: TextFile
    dialect: Dialect

    @property
    def label(self) -> str:
        return self.text.label

    def clause(self, types: Sequence[str]) -> str:
        """FROM clause that reads c0, c1, ... as SQL ``types``; its one parameter is the path."""
        columns = ", ".join(f"'c{position}': '{kind}'" for position, kind in enumerate(types))
        return (
            "read_csv($1, auto_detect=false, header=true, hive_partitioning=false, quote='\"', escape='\"', "
            f"delim='{self.dialect.delimiter}', skip={self.dialect.skip}, nullstr=[{words(MISSING_WORDS)}], "
            f"columns={{{columns}}})"
        )

    @property
    def parameters(self) -> tuple[str]:
        """The path, its glob characters taken literally."""
        path = str(self.text.path.absolute())
        return ("".join(f"[{c}]" if c in "*?[" else c for c in path),)

    def where(self, row: int) -> str:
        """Place of ``row`` (from 0): the line on which it starts."""
        return f"{self.label}, line {line_of(self.text.path, self.dialect, row)}"


@dataclass
class Delimited:
    """Delimited files of one header, as one source."""

    connection: duckdb.DuckDBPyConnection
    files: list[DelimitedFile]
    label: str
    columns: Mapping[str, Column]
    native: Native = "path"

    def stage(self, names: Sequence[str], kinds: Mapping[str, Kind]) -> Relation:
        """Read ``names`` as ``kinds``: at DuckDB's own speed first, and exactly where that meets something odd."""
        table = new_table()
        counts: list[int] = []
        for file in self.files:
            rows = 0
            if file.text.digit_underscore or any(kinds[name] == "boolean" for name in names):
                rows = self._exact(file, table, names, kinds, first=not counts)
            else:
                rows = self._fast(file, table, names, kinds, first=not counts)
            counts.append(rows)
        numbers = [name for name in names if kinds[name] == "number"]
        if not_finite(self.connection, table, numbers, names):
            for file in self.files:
                self._refuse(file, self._readings(names, kinds), kinds)
        columns = [read_as(self.columns[name], kinds[name]) for name in names]
        filled = [(file.where, count) for file, count in zip(self.files, counts, strict=True)]
        return staged(self.connection, table, columns, filled, self.label)

    def _fast(
        self, file: DelimitedFile, table: str, names: Sequence[str], kinds: Mapping[str, Kind], *, first: bool
    ) -> int:
        import duckdb

        types = [SQL_TYPES[kinds[name]] if name in names else "VARCHAR" for name in self.columns]
        plain = {name: Reading(f"c{self._position(name)}", None, "") for name in names}
        try:
            return self._fill(file, table, select(plain, file.clause(types)), first=first)
        except duckdb.ConversionException:
            return self._exact(file, table, names, kinds, first=first)

    def _exact(
        self, file: DelimitedFile, table: str, names: Sequence[str], kinds: Mapping[str, Kind], *, first: bool
    ) -> int:
        readings = self._readings(names, kinds)
        self._refuse(file, readings, kinds)
        return self._fill(file, table, select(readings, file.clause(self._texts)), first=first)

    def _fill(self, file: DelimitedFile, table: str, selected: str, *, first: bool) -> int:
        verb = f"CREATE TEMP TABLE {table} AS" if first else f"INSERT INTO {table}"
        rows = int(_run(self.connection, file, f"{verb} {selected}")[0][0])
        blank = _blank_lines_at_end(file.text.path) if len(self.columns) == 1 else 0
        if blank:
            # In a file of one column DuckDB reads them as missing values.
            last = f"(SELECT max(rowid) FROM {table})"
            self.connection.execute(f"DELETE FROM {table} WHERE rowid > {last} - {min(blank, rows)}")
        return rows - min(blank, rows)

    def _refuse(self, file: DelimitedFile, readings: Mapping[str, Reading], kinds: Mapping[str, Kind]) -> None:
        found = first_misfit(self.connection, file.clause(self._texts), file.parameters, readings)
        if found is not None:
            row, name, value = found
            raise refuse_misfit(file.where(row), name, value, kinds[name])

    def _readings(self, names: Sequence[str], kinds: Mapping[str, Kind]) -> dict[str, Reading]:
        return {name: from_text(f"c{self._position(name)}", kinds[name], missing_words=True) for name in names}

    def _position(self, name: str) -> int:
        return self._positions[name]

    @property
    def _texts(self) -> list[str]:
        return ["VARCHAR"] * len(self.columns)

    def __post_init__(self) -> None:
        self._positions = {name: position for position, name in enumerate(self.columns)}


def open_delimited(paths: Sequence[tuple[Path | None, str]], label: str) -> Delimited:
    """Open files, given as (path or None for standard input, name for messages), of one and the same header."""
    with contextlib.ExitStack() as stack:
        files: list[DelimitedFile] = []
        for path, name in paths:
            text = open_text(path, name)
            stack.callback(text.close)
            files.append(DelimitedFile(text, find_dialect(text.path, name, _delimiter(path))))
            _same_header(files[0], files[-1])
            dialect = files[-1].dialect
            if may_have_surplus_cells(text.path, dialect) and (fault := first_fault(text.path, name, dialect)):
                raise fault
        connection = connect()
        names = files[0].dialect.names
        source = Delimited(connection, files, label, _columns(connection, files, names))
        stack.pop_all()  # the copies now live as long as the source
        return source


def _columns(
    connection: duckdb.DuckDBPyConnection, files: Sequence[DelimitedFile], names: Sequence[str]
) -> dict[str, Column]:
    """Kinds from the first rows; for a column with nothing there, from all of them."""
    everything = list(range(len(names)))
    counts = _count(connection, files, everything, SAMPLE_ROWS)
    empty = [position for position in everything if counts[position][0] == 0]
    if empty:
        counts |= _count(connection, files, empty, None)
    return {name: Column(name, text_kind(*counts[position]), "text") for position, name in enumerate(names)}


def _count(
    connection: duckdb.DuckDBPyConnection, files: Sequence[DelimitedFile], positions: Sequence[int], limit: int | None
) -> dict[int, tuple[int, int, int]]:
    """How many values, numbers and codes like 01234 each of the columns holds in the first ``limit`` rows."""
    counts = dict.fromkeys(positions, (0, 0, 0))
    tests = ", ".join(
        # A blank cell, or NA with blanks around it, is missing also where only the exact reading knows it.
        # CASE, not FILTER: the time of many filtered aggregates grows with their square.
        f"count(CASE WHEN trim(c{p}, ' \t') NOT IN ({words(MISSING_WORDS)}) THEN 1 END), "
        f"count(CASE WHEN regexp_full_match(c{p}, '{_NUMBER}') THEN 1 END), "
        f"count(CASE WHEN regexp_full_match(c{p}, '{_CODE}') THEN 1 END)"
        for p in positions
    )
    left = limit
    for file in files:
        if left == 0:
            break
        texts = file.clause(["VARCHAR"] * len(file.dialect.names))
        source = texts if left is None else f"(SELECT * FROM {texts} LIMIT {left})"
        rows, *found = _run(connection, file, f"SELECT count(*), {tests} FROM {source}")[0]
        for index, position in enumerate(positions):
            total, numbers, codes = counts[position]
            more = found[3 * index : 3 * index + 3]
            counts[position] = (total + more[0], numbers + more[1], codes + more[2])
        left = None if left is None else left - rows
    return counts


def _run(connection: duckdb.DuckDBPyConnection, file: DelimitedFile, sql: str) -> list[tuple[Any, ...]]:
    """Run ``sql`` over the file; a structural error becomes a SourceError with its line."""
    import duckdb

    for attempt in range(2):
        try:
            return connection.execute(sql, list(file.parameters)).fetchall()
        except (duckdb.InvalidInputException, duckdb.IOException) as error:
            fault = first_fault(file.text.path, file.label, file.dialect)
            if fault is not None:
                raise fault from error
            if attempt or not _mixes_line_ends(file.text.path):
                raise SourceError(f"{file.label} cannot be read: {reason(error)}") from error
            # Every record is sound, but DuckDB wants one kind of line end throughout.
            file.text = with_plain_line_ends(file.text)
    raise AssertionError("the second attempt returns or raises")


def _mixes_line_ends(path: Path) -> bool:
    ends: set[bytes] = set()
    with path.open("rb") as stream:
        for line in stream:
            ends.add(b"\r\n" if line.endswith(b"\r\n") else b"\n")
            if b"\r" in line.removesuffix(b"\r\n"):
                ends.add(b"\r")
            if len(ends) > 1:
                return True
    return False


def _blank_lines_at_end(path: Path) -> int:
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        length = 0
        tail = b""
        while length < size and not tail.strip(b"\r\n"):
            length = min(size, 2 * length + 1024)
            stream.seek(size - length)
            tail = stream.read(length)
    ends = tail[len(tail.rstrip(b"\r\n")) :].replace(b"\r\n", b"\n")
    return max(len(ends) - 1, 0)


def _delimiter(path: Path | None) -> str | None:
    name = path.name.lower() if path else ""
    return "\t" if name.removesuffix(".gz").endswith((".tsv", ".tab")) else None


def _same_header(first: DelimitedFile, other: DelimitedFile) -> None:
    if other.dialect.names != first.dialect.names:
        ours, theirs = first.dialect.names, other.dialect.names
        odd = [name for name in (*theirs, *ours) if (name in ours) != (name in theirs)]
        detail = f"'{odd[0]}' is in only one of them" if odd else "the order of columns differs"
        raise SourceError(
            f"{other.label}, line {other.dialect.skip + 1}: not the header of {first.label} ({detail}). "
            "Files that are read together need the same header."
        )
