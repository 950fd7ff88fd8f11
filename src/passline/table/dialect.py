"""How a delimited file is laid out: its delimiter, its header, and the line on which each record starts."""

from __future__ import annotations

import csv
import itertools
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import numpy as np

from passline.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DELIMITERS = (",", ";", "\t", "|")
_LF, _CR, _QUOTE = 10, 13, 34
_LOOK = 50  # records looked at to tell the delimiter


@dataclass(frozen=True)
class Dialect:
    """``skip`` blank lines, then a record of ``names``, then records split at ``delimiter``."""

    delimiter: str
    names: tuple[str, ...]
    skip: int


def find_dialect(path: Path, label: str, delimiter: str | None = None) -> Dialect:
    """Read the header of a UTF-8 file with a delimiter that is given or found.

    Raises SourceError for an unclosed quote in the header and for blank or doubled names.
    """
    found = delimiter or _find_delimiter(path)
    with _opened(path) as stream:
        reader = csv.reader(stream, delimiter=found, skipinitialspace=True, strict=True)
        skip = 0
        try:
            header = next(reader)
            while not header:
                skip = reader.line_num
                header = next(reader)
        except (csv.Error, StopIteration) as error:
            raise SourceError(_unclosed(label, skip + 1)) from error
    names = tuple(cell.strip() for cell in header)
    for position, name in enumerate(names):
        if not name:
            raise SourceError(
                f"{label}, line {skip + 1}: column {position + 1} of {len(names)} has no name. "
                "Give every column a name in the header."
            )
        if name in names[:position]:
            raise SourceError(
                f"{label}, line {skip + 1}: two columns are called '{name}' (columns {names.index(name) + 1} and "
                f"{position + 1}). Give every column its own name."
            )
    return Dialect(found, names, skip)


def first_fault(path: Path, label: str, dialect: Dialect) -> SourceError | None:
    """Error for the first record that is ragged or has an unclosed quote; None if every record is sound."""
    width = len(dialect.names)
    start = dialect.skip + 1
    with _opened(path) as stream:
        reader = csv.reader(stream, delimiter=dialect.delimiter, skipinitialspace=True, strict=True)
        try:
            for record in reader:
                if record and len(record) != width:
                    return SourceError(
                        f"{label}, line {start}: {_cells(len(record))} where the header has {width}. "
                        "Every row needs as many cells as the header; put quotes around a cell that holds "
                        f"{dialect.delimiter!r}."
                    )
                start = reader.line_num + 1
        except csv.Error:
            return SourceError(_unclosed(label, start))
    return None


def may_have_surplus_cells(path: Path, dialect: Dialect) -> bool:
    """Whether some line ends in an empty cell and holds as many delimiters as the header has names, or more.

    DuckDB drops empty cells beyond the last column without a word. Such a line is a suspect only: its delimiters may
    stand in quotes, and so may its end.
    """
    rest = b""
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            joined = rest + chunk
            rest = joined[max(joined.rfind(b"\n"), joined.rfind(b"\r")) + 1 :]
            if _has_suspect(joined, dialect):
                return True
    return _has_suspect(rest + b"\n", dialect)


def _has_suspect(text: bytes, dialect: Dialect) -> bool:
    delimiter, width = dialect.delimiter.encode(), len(dialect.names)
    if not any(_holds_pair(text, last + end) for last in (delimiter, b'"') for end in _line_ends(text)):
        return False
    codes = np.frombuffer(text, dtype=np.uint8)
    ends = np.flatnonzero((codes == _LF) | (codes == _CR) if b"\r" in text else codes == _LF)
    last, before = codes.take(ends - 1, mode="clip"), codes.take(ends - 2, mode="clip")
    suspects = np.flatnonzero((last == delimiter[0]) | ((last == _QUOTE) & (before == _QUOTE)))
    starts = np.append(0, ends + 1)  # of line i; its end is ends[i]
    for line in suspects:
        cells = text[starts[line] : ends[line]]
        if cells.count(delimiter) >= width or cells.count(b'"') % 2:
            return True
    return False


def _line_ends(text: bytes) -> tuple[bytes, ...]:
    return (b"\n", b"\r") if b"\r" in text else (b"\n",)


def _holds_pair(text: bytes, pair: bytes) -> bool:
    """``pair in text`` for two bytes, at the speed of memory: bytes' own search stops at every delimiter."""
    code = np.frombuffer(pair, dtype=np.uint16)[0]
    return any(
        bool((np.frombuffer(text, np.uint16, (len(text) - start) // 2, start) == code).any()) for start in (0, 1)
    )


def line_of(path: Path, dialect: Dialect, row: int) -> int:
    """Line on which the record of ``row`` (from 0) starts; quoted cells may hold line ends."""
    records = itertools.islice(_data_starts(path, dialect), row, None)
    return next(records)


def _data_starts(path: Path, dialect: Dialect) -> Iterator[int]:
    with _opened(path) as stream:
        reader = csv.reader(stream, delimiter=dialect.delimiter, skipinitialspace=True)
        start = 1
        header = True
        for record in reader:
            # DuckDB skips blank lines, except in a file of one column, where they are missing values.
            if record or (not header and len(dialect.names) == 1):
                if not header:
                    yield start
                header = False
            start = reader.line_num + 1


def _find_delimiter(path: Path) -> str:
    best, best_score = ",", (0.0, 1)
    for delimiter in _DELIMITERS:
        with _opened(path) as stream:
            records = []
            try:
                reader = csv.reader(stream, delimiter=delimiter, skipinitialspace=True)
                records = list(itertools.islice((record for record in reader if record), _LOOK))
            except csv.Error:
                continue  # a quote that is never closed is the header's or the rows' error, with its line
        widths = [len(record) for record in records]
        if widths and widths[0] > 1:
            score = (widths.count(widths[0]) / len(widths), widths[0])
            if score > best_score:
                best, best_score = delimiter, score
    return best


def _opened(path: Path) -> IO[str]:
    return path.open(encoding="utf-8-sig", newline="")


def _unclosed(label: str, line: int) -> str:
    return f"{label}, line {line}: a quote that is not closed, or text after a closing quote. Close it, or double it."


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"
