"""Predictions as a table: CSV on standard output, or a file by its name."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from passline.errors import OptionError
from passline.output import whole_file

Columns = Mapping[str, NDArray[np.float64]]
# Rows that are formatted at once.
ROWS = 100_000


def write_predictions(columns: Columns, path: str | None) -> None:
    """Write the columns as CSV, TSV or Parquet, whole or not at all; without a path print them as CSV.

    Numbers are written so that they read back bit for bit, a missing one as an empty cell. Raises OptionError for
    another ending.
    """
    if path is None:
        for text in _lines(columns, ","):
            sys.stdout.write(text)
        return
    ending = Path(path).suffix.lower()
    if ending not in (".csv", ".tsv", ".parquet"):
        raise OptionError(f"cannot write {path}: the name of predictions ends in .csv, .tsv or .parquet")
    with whole_file(path) as aside:
        if ending == ".parquet":
            _write_parquet(columns, aside)
        else:
            with aside.open("w", encoding="utf-8", newline="") as file:
                file.writelines(_lines(columns, "," if ending == ".csv" else "\t"))


def _lines(columns: Columns, separator: str) -> Iterator[str]:
    yield separator.join(columns) + "\n"
    arrays = list(columns.values())
    for start in range(0, len(arrays[0]), ROWS):
        cells = [["" if math.isnan(v) else repr(v) for v in a[start : start + ROWS].tolist()] for a in arrays]
        yield "".join(separator.join(row) + "\n" for row in zip(*cells, strict=True))


def _write_parquet(columns: Columns, path: Path) -> None:
    import duckdb

    with duckdb.connect() as connection:
        names = ", ".join(f'"{name}" DOUBLE' for name in columns)
        connection.execute(f"CREATE TABLE predictions ({names})")
        frame = {name: np.ma.masked_invalid(values) for name, values in columns.items()}
        connection.execute("INSERT INTO predictions SELECT * FROM frame")
        connection.execute("COPY predictions TO ? (FORMAT parquet)", [str(path)])
        del frame
