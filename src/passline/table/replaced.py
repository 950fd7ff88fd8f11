"""Rows with one column set to one value in all of them: what would have been, had everybody been the same there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from passline.errors import DataError
from passline.table.arrays import to_arrays
from passline.table.functions import Values
from passline.table.rows import Codes, CompleteRows, place_of
from passline.table.tree import Expression, Name, column_of, number_text, write


class ReplacedRows:
    """Complete rows in which ``column`` is ``to`` everywhere: a number, or the text of a level."""

    def __init__(self, rows: CompleteRows, column: str, to: float | str) -> None:
        self.read, self.used, self.size = rows.read, rows.used, rows.size
        self._rows, self._column, self._to = rows, column, to
        self._text = to if isinstance(to, str) else number_text(to)

    def counts(self) -> Values | None:
        """How often each row held stands in the source."""
        return self._rows.counts()

    def numbers(self, expression: Expression, part: int = 0) -> Values:
        """Values of a numeric expression, (size,). Raises DataError where it has none at the value."""
        if column_of(expression).name != self._column:
            return self._rows.numbers(expression, part)
        value = to_arrays(expression, {self._column: np.array([float(self._to)])})[part][0]
        if not np.isfinite(value):
            raise DataError(f"{write(expression)} has no finite value at {write(Name(self._column))} = {self._text}")
        return np.full(self.size, value)

    def levels(self, name: str) -> tuple[str, ...]:
        """Distinct texts of a category."""
        return (self._text,) if name == self._column else self._rows.levels(name)

    def codes(self, name: str, levels: Sequence[str]) -> Codes:
        """Each row's place in ``levels``, (size,)."""
        if name != self._column:
            return self._rows.codes(name, levels)
        return np.full(self.size, place_of([self._text], levels)[0], dtype=np.int32)

    def raw(self, name: str) -> Values:
        """A column of numbers as it stands, (size,)."""
        return self.numbers(Name(name)) if name == self._column else self._rows.raw(name)

    def groups_of(self, name: str) -> NDArray[np.int64]:
        """A code for each row, equal where the column's values are, (size,)."""
        return np.zeros(self.size, dtype=np.int64) if name == self._column else self._rows.groups_of(name)

    def where_also(self, keep: NDArray[np.bool_]) -> ReplacedRows:
        """The rows for which ``keep`` (size,) holds."""
        return ReplacedRows(self._rows.where_also(keep), self._column, self._to)

    def kept(self) -> NDArray[np.bool_]:
        """Which of the rows held are used."""
        return self._rows.kept()

    def missing(self) -> dict[str, int]:
        """How many values are missing, by column."""
        return self._rows.missing()

    def value(self, name: str, index: int) -> str:
        """The text of one value, for messages."""
        return self._text if name == self._column else self._rows.value(name, index)

    def where(self, index: int) -> str:
        """Where a row stands in the source, for messages."""
        return self._rows.where(index)

    def place(self, index: int) -> int:
        """Which of the staged rows it is."""
        return self._rows.place(index)
