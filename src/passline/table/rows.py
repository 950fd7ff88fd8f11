"""The complete rows of a staged table: all that a design may ask of rows, the same over DuckDB and over arrays."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from passline.errors import DataError
from passline.table.arrays import to_arrays
from passline.table.functions import FUNCTIONS, Values
from passline.table.sql import to_query
from passline.table.staged import Frame, Relation, filled
from passline.table.tree import Expression, Name, calls_of, column_of, number_text, write

if TYPE_CHECKING:
    from collections.abc import Sequence
from copy import copy

Codes = NDArray[np.int32]

_SMALL = 4_000_000  # values, 32 MB: a table up to here is fetched whole
_BOOLEAN = ("FALSE", "TRUE")


class CompleteRows(Protocol):
    """Rows in which none of some columns is missing, in the source's order.

    ``read``: rows of the source, ``used``: the complete ones. Where rows that repeat are held once, ``size`` counts
    those that are held; it is the length of every array, and ``counts()`` says how often each stands in the source.
    """

    read: int
    used: int
    size: int

    def counts(self) -> Values | None:
        """How often each row held stands in the source, (size,); None: once each."""

    def numbers(self, expression: Expression, part: int = 0) -> Values:
        """Values of a numeric expression, or of the ``part``-th column of a spline, (size,).

        Raises DataError with expression, row and value where one is not finite.
        """

    def levels(self, name: str) -> tuple[str, ...]:
        """Distinct texts of a category in byte order, or in the column's own, those present only."""

    def codes(self, name: str, levels: Sequence[str]) -> Codes:
        """Each row's place in ``levels``, -1 where its text is none of them, (size,)."""

    def raw(self, name: str) -> Values:
        """A column of numbers in the rows used, as it stands, (size,): NaN where it is missing."""

    def groups_of(self, name: str) -> NDArray[np.int64]:
        """A code for each row, equal where the column's values are, (size,): -1 where it is missing."""

    def where_also(self, keep: NDArray[np.bool_]) -> CompleteRows:
        """The rows used for which ``keep`` (size,) holds."""

    def kept(self) -> NDArray[np.bool_]:
        """Which of the rows held before the incomplete ones were left out are used, (size before,)."""

    def missing(self) -> dict[str, int]:
        """How many values are missing, for each column that has to be complete."""

    def value(self, name: str, index: int) -> str:
        """The text of one value, for messages; ``index`` counts the rows held."""

    def where(self, index: int) -> str:
        """Where a row stands (first) in the source, for messages; ``index`` counts the rows held."""

    def place(self, index: int) -> int:
        """Which row of those that were staged it is, from 0; ``index`` counts the rows held."""


class ReadRows(CompleteRows, Protocol):
    """Complete rows that a source gave, so that the incomplete ones beside them can be had too."""

    def whole(self, name: str) -> Values | list[Any]:
        """A column in all rows read: numbers (read,), NaN where missing, else a list of texts or booleans, or None."""

    def names(self) -> tuple[str, ...]:
        """The columns that were read, in the order asked for."""

    def where_also(self, keep: NDArray[np.bool_]) -> ReadRows:
        """The rows used for which ``keep`` (size,) holds."""


def complete_rows(staged: Relation | Frame, names: Sequence[str]) -> ReadRows:
    """The rows of a staged table in which none of ``names`` is missing."""
    return RelationRows(staged, names) if isinstance(staged, Relation) else FrameRows(staged, names)


class RelationRows:
    """Complete rows of a DuckDB table.

    Columns are fetched whole and the complete rows taken in NumPy: a filter in SQL would read every column that has
    to be complete again for each column asked for.
    """

    def __init__(self, relation: Relation, names: Sequence[str]) -> None:
        self._relation = relation
        self.read = relation.rows
        ids = relation.identifiers
        counts = self._query(", ".join(["count(*)", *(f"count({ids[n]})" for n in names)]), limit="").fetchone()
        present = dict(zip(names, counts[1:], strict=True))
        self._missing = {n: self.read - int(c) for n, c in present.items()}
        self._narrowed = False
        self._conditions = [f"{ids[n]} IS NOT NULL" for n, count in self._missing.items() if count]
        self._kept: NDArray[np.bool_] | None = None
        if self._conditions:
            self._kept = self._fetch(" AND ".join(self._conditions)).astype(bool)
        self.used = self.size = self.read if self._kept is None else int(np.count_nonzero(self._kept))

    def counts(self) -> None:
        return None

    def numbers(self, expression: Expression, part: int = 0) -> Values:
        values = self._values(expression, part)
        bad = first_not_finite(values)
        if bad is not None:
            name = column_of(expression).name
            argument = self._values(Name(name), 0)[bad]
            raise not_finite(self, expression, name, bad, float(argument))
        return values

    def levels(self, name: str) -> tuple[str, ...]:
        column = self._relation.columns[name]
        if column.kind == "number":
            return number_levels(self.numbers(Name(name)))
        identifier = self._relation.identifiers[name]
        where = " AND ".join([f"{identifier} IS NOT NULL", *self._conditions])
        found = self._query(f"DISTINCT {identifier}", limit=f" WHERE {where}").fetchall()
        texts = [_BOOLEAN[v] if column.kind == "boolean" else str(v) for (v,) in found]
        if self._narrowed:
            seen = np.bincount(self.codes(name, texts) + 1, minlength=len(texts) + 1)[1:] > 0
            texts = [text for text, there in zip(texts, seen, strict=True) if there]
        return in_order(texts, column.order)

    def codes(self, name: str, levels: Sequence[str]) -> Codes:
        kind = self._relation.columns[name].kind
        if kind == "number":
            return number_codes(self.numbers(Name(name)), levels)
        identifier = self._relation.identifiers[name]
        if kind == "boolean":
            found = self._take(self._fetch(f"coalesce({identifier}::INTEGER, -1)"))
            return cast("Codes", place_of(_BOOLEAN, levels)[found])
        if not levels:
            return np.full(self.size, -1, dtype=np.int32)
        # An ENUM is DuckDB's own dictionary of texts; made from a table of bound values, no text enters SQL.
        connection = self._relation.connection
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE passline_levels AS SELECT unnest($1::VARCHAR[]) AS level", [list(levels)]
        )
        connection.execute("CREATE OR REPLACE TEMP TYPE passline_level AS ENUM (SELECT level FROM passline_levels)")
        return self._take(self._fetch(f"coalesce(enum_code(TRY_CAST({identifier} AS passline_level))::INTEGER, -1)"))

    def raw(self, name: str) -> Values:
        return self._values(Name(name), 0)

    def groups_of(self, name: str) -> NDArray[np.int64]:
        if self._relation.columns[name].kind == "number":
            return number_groups(self.raw(name))
        return self.codes(name, self.levels(name)).astype(np.int64)

    def whole(self, name: str) -> Values | list[Any]:
        identifier = self._relation.identifiers[name]
        if self._relation.columns[name].kind == "number":
            return np.asarray(self._fetch(identifier), dtype=np.float64)
        return [value for (value,) in self._query(identifier, limit="").fetchall()]

    def names(self) -> tuple[str, ...]:
        return tuple(self._relation.columns)

    def where_also(self, keep: NDArray[np.bool_]) -> RelationRows:
        return cast("RelationRows", narrowed(self, keep))

    def kept(self) -> NDArray[np.bool_]:
        return np.ones(self.read, dtype=bool) if self._kept is None else self._kept

    def missing(self) -> dict[str, int]:
        return dict(self._missing)

    def value(self, name: str, index: int) -> str:
        column = self._relation.columns[name]
        if column.kind == "number":
            return number_text(float(self._values(Name(name), 0)[index]))
        identifier = self._relation.identifiers[name]
        found = self._query(identifier, limit=f" WHERE rowid = {self.place(index)}").fetchone()[0]
        return _BOOLEAN[found] if column.kind == "boolean" else str(found)

    def where(self, index: int) -> str:
        return self._relation.where(self.place(index))

    def place(self, index: int) -> int:
        return index if self._kept is None else int(np.flatnonzero(self._kept)[index])

    def _values(self, expression: Expression, part: int) -> Values:
        if isinstance(expression, Name) and self._is_small:
            return self._take(self._small[expression.name]).copy()
        query = to_query(expression, self._relation.table, self._relation.identifiers, part)
        return cast("Values", self._take(_column(self._relation.connection.execute(query))))

    @property
    def _is_small(self) -> bool:
        return self.read * len(self._relation.columns) <= _SMALL

    @cached_property
    def _small(self) -> dict[str, Values]:
        """All columns of numbers at once: a query for each would cost a small, wide table more than its values."""
        numbers = {n: i for n, i in self._relation.identifiers.items() if self._relation.columns[n].kind == "number"}
        found = self._query(", ".join(numbers.values()), limit="").fetchnumpy()
        return {name: filled(column) for name, column in zip(numbers, found.values(), strict=True)}

    def _take(self, column: NDArray[Any]) -> NDArray[Any]:
        return column if self._kept is None else column[self._kept]

    def _query(self, select: str, *, limit: str) -> Any:
        return self._relation.connection.execute(f"SELECT {select} FROM {self._relation.table}{limit}")

    def _fetch(self, sql: str) -> NDArray[Any]:
        return _column(self._query(f"{sql} AS v", limit=""))


class FrameRows:
    """Complete rows of columns in memory."""

    def __init__(self, frame: Frame, names: Sequence[str]) -> None:
        self._frame = frame
        self.read = _written(frame.counts, frame.rows)
        self._narrowed = False
        kept = np.ones(frame.rows, dtype=bool)
        self._missing = {}
        for name in dict.fromkeys(names):
            array = frame.arrays[name]
            gone = array < 0 if name in frame.values else np.isnan(array)
            found = int(np.count_nonzero(gone))
            if found:
                kept &= ~gone
            self._missing[name] = found if frame.counts is None else int(frame.counts[gone].sum())
        self.size = int(np.count_nonzero(kept))
        self._kept = None if self.size == frame.rows else kept
        self.used = _written(self.counts(), self.size)

    def counts(self) -> Values | None:
        counts = self._frame.counts
        return counts if counts is None or self._kept is None else counts[self._kept]

    def numbers(self, expression: Expression, part: int = 0) -> Values:
        name = column_of(expression).name
        # A column of a matrix in rows would be fetched a cache line a value, at each of its uses.
        column = np.ascontiguousarray(self._take(name))
        values = to_arrays(expression, {name: column})[part]
        bad = first_not_finite(values)
        if bad is not None:
            raise not_finite(self, expression, name, bad, float(column[bad]))
        return values

    def levels(self, name: str) -> tuple[str, ...]:
        if name not in self._frame.values:
            return number_levels(self.numbers(Name(name)))
        texts = self._frame.values[name]
        seen = np.bincount(self._take(name), minlength=len(texts)) > 0
        present = [text for text, there in zip(texts, seen, strict=True) if there]
        return in_order(present, self._frame.columns[name].order)

    def codes(self, name: str, levels: Sequence[str]) -> Codes:
        if name not in self._frame.values:
            return number_codes(self.numbers(Name(name)), levels)
        return cast("Codes", place_of(self._frame.values[name], levels)[self._take(name)])

    def raw(self, name: str) -> Values:
        return cast("Values", self._take(name))

    def groups_of(self, name: str) -> NDArray[np.int64]:
        column = self._take(name)
        return column.astype(np.int64) if name in self._frame.values else number_groups(column)

    def whole(self, name: str) -> Values | list[Any]:
        array = self._frame.arrays[name]
        if name not in self._frame.values:
            return np.array(array, dtype=np.float64)
        texts: list[Any] = [*self._frame.values[name], None]
        if self._frame.columns[name].kind == "boolean":
            texts = [None if text is None else text == _BOOLEAN[1] for text in texts]
        return [texts[code] for code in array.tolist()]

    def names(self) -> tuple[str, ...]:
        return tuple(self._frame.columns)

    def where_also(self, keep: NDArray[np.bool_]) -> FrameRows:
        return cast("FrameRows", narrowed(self, keep))

    def kept(self) -> NDArray[np.bool_]:
        return np.ones(self._frame.rows, dtype=bool) if self._kept is None else self._kept

    def missing(self) -> dict[str, int]:
        return dict(self._missing)

    def value(self, name: str, index: int) -> str:
        found = self._take(name)[index]
        return self._frame.values[name][found] if name in self._frame.values else number_text(float(found))

    def where(self, index: int) -> str:
        return self._frame.where(self.place(index))

    def place(self, index: int) -> int:
        return index if self._kept is None else int(np.flatnonzero(self._kept)[index])

    def _take(self, name: str) -> NDArray[Any]:
        array = self._frame.arrays[name]
        return array if self._kept is None else array[self._kept]


def _column(result: Any) -> NDArray[Any]:
    """The column ``v`` of a query's result."""
    return filled(result.fetchnumpy()["v"])


def number_groups(values: Values) -> NDArray[np.int64]:
    """A code for each value, equal where the values are; -1 for NaN."""
    codes = np.unique(values, return_inverse=True)[1].astype(np.int64)
    return np.where(np.isnan(values), -1, codes)


def narrowed(rows: RelationRows | FrameRows, keep: NDArray[np.bool_]) -> RelationRows | FrameRows:
    """The same rows, fewer of them."""
    fewer = copy(rows)
    kept = rows.kept().copy()
    kept[kept] = keep
    fewer._kept = kept
    fewer._narrowed = True
    fewer.size = int(np.count_nonzero(kept))
    fewer.used = _written(fewer.counts(), fewer.size)
    return fewer


def _written(counts: Values | None, size: int) -> int:
    return size if counts is None else int(counts.sum())


def first_not_finite(values: Values) -> int | None:
    """The place of the first value that is not finite, if there is one."""
    if len(values) == 0 or np.isfinite(values).all():
        return None
    return int(np.flatnonzero(~np.isfinite(values))[0])


def not_finite(rows: CompleteRows, expression: Expression, name: str, index: int, start: float) -> DataError:
    """The error for a row in which an expression has no finite value: the function that failed, and on what."""
    where = rows.where(index)
    argument, value = write(Name(name)), start
    for call in calls_of(expression):
        results = to_arrays(call, {name: np.array([start])})
        if not all(np.isfinite(r).all() for r in results):
            needs = f"{call.function}() needs {FUNCTIONS[call.function].domain}"
            return DataError(
                f"{write(expression)}: {argument} is {number_text(value)} in {where}; {needs}.",
                row=rows.place(index),
                column=name,
            )
        argument, value = write(call), float(results[0][0])
    return DataError(
        f"{write(expression)}: {write(Name(name))} is {number_text(start)} in {where}; it gives no finite value.",
        row=rows.place(index),
        column=name,
    )


def in_order(texts: Sequence[str], order: Sequence[str] | None) -> tuple[str, ...]:
    """Texts in a given order, the others after them; without one in byte order of UTF-8."""
    place = {text: i for i, text in enumerate(order or ())}
    return tuple(sorted(texts, key=lambda t: (place.get(t, len(place)), t.encode("utf-8", "surrogatepass"))))


def number_levels(values: Values) -> tuple[str, ...]:
    """The distinct values of a column of numbers as texts, in byte order."""
    return in_order([number_text(float(v)) for v in np.unique(values)], None)


def number_codes(values: Values, levels: Sequence[str]) -> Codes:
    """Each number's place among levels that are texts of numbers; -1 where it is none of them."""
    distinct, inverse = np.unique(values, return_inverse=True)
    return place_of([number_text(float(v)) for v in distinct], levels)[inverse]


def place_of(texts: Sequence[str], levels: Sequence[str]) -> Codes:
    """For each text its place in ``levels``, or -1; one more -1 at the end, for the code -1."""
    place = {level: i for i, level in enumerate(levels)}
    return np.array([*(place.get(text, -1) for text in texts), -1], dtype=np.int32)
