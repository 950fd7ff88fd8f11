"""Predictions as a table: CSV on standard output, or a file by its name."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from passline.errors import OptionError
from passline.output import whole_file

Columns = Mapping[str, NDArray[np.float64] | Sequence[str]]
# Rows that are formatted at once.
ROWS = 100_000


def write_predictions(columns: Columns, path: str | None) -> None:
    """Write the columns as CSV, TSV or Parquet, whole or not at all; without a path print them as CSV.

    Numbers are written so that they read back bit for bit, a missing one as an empty cell. Raises OptionError for
    another ending, and in Parquet for names that only case tells apart.
    """
    if path is None:
        for text in _lines(columns, ","):
            sys.stdout.write(text)
        return
    ending = Path(path).suffix.lower()
    if ending not in (".csv", ".tsv", ".parquet"):
        raise OptionError(f"cannot write {path}: the name of predictions ends in .csv, .tsv or .parquet")
    if ending == ".parquet" and len({name.casefold() for name in columns}) < len(columns):
        raise OptionError(
            f"cannot write {path}: names differ in case alone, which Parquet's readers mix up; write .csv"
        )
    with whole_file(path) as aside:
        if ending == ".parquet":
            _write_parquet(columns, aside)
        else:
            with aside.open("w", encoding="utf-8", newline="") as file:
                file.writelines(_lines(columns, "," if ending == ".csv" else "\t"))


def _lines(columns: Columns, separator: str) -> Iterator[str]:
    yield separator.join(_quoted(name, separator) for name in columns) + "\n"
    arrays = list(columns.values())
    for start in range(0, len(arrays[0]), ROWS):
        cells = [_cells(array[start : start + ROWS], separator) for array in arrays]
        yield "".join(separator.join(row) + "\n" for row in zip(*cells, strict=True))


def _cells(values: NDArray[np.float64] | Sequence[str], separator: str) -> list[str]:
    if isinstance(values, np.ndarray):
        return ["" if math.isnan(v) else repr(v) for v in values.tolist()]
    return [_quoted(text, separator) for text in values]


def _quoted(text: str, separator: str) -> str:
    """A text as a cell: in quotes where it holds what ends a cell or a line, or a quote."""
    if not any(c in text for c in (separator, '"', "\n", "\r")):
        return text
    return '"' + text.replace('"', '""') + '"'


def _write_parquet(columns: Columns, path: Path) -> None:
    import duckdb

    with duckdb.connect() as connection:
        # A file's columns have the names of terms, which only quotes make harmless here.
        kinds = {name: "DOUBLE" if isinstance(values, np.ndarray) else "VARCHAR" for name, values in columns.items()}
        names = ", ".join('"{}" {}'.format(name.replace('"', '""'), kind) for name, kind in kinds.items())
        connection.execute(f"CREATE TABLE predictions ({names})")
        frame = {
            f"c{i}": np.ma.masked_where(np.isnan(v), v) if isinstance(v, np.ndarray) else np.array(v, dtype=object)
            for i, v in enumerate(columns.values())
        }
        connection.execute("INSERT INTO predictions SELECT * FROM frame")
        connection.execute("COPY predictions TO ? (FORMAT parquet)", [str(path)])
        del frame
