"""SQL that reads a value of one kind as another, and the search for the first value that does not fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from passline.errors import DataError
from passline.table.columns import FALSE_WORDS, MISSING_WORDS, TRUE_WORDS, Column, Kind, misfit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

SQL_TYPES: Mapping[str, str] = {"number": "DOUBLE", "boolean": "BOOLEAN", "category": "VARCHAR"}

_NUMBERS = {
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"),
}


@dataclass(frozen=True)
class Reading:
    """How one column is read: ``value`` gives NULL for what is missing; ``bad`` is true where a value does not fit.

    ``shown`` is the value as text for messages; ``bad`` is None where every value fits. With ``late``, what does not
    fit is an infinity, and the staged value still shows it.
    """

    value: str
    bad: str | None
    shown: str
    late: bool = False


def column_of(name: str, kind: duckdb.sqltypes.DuckDBPyType) -> Column:
    """Column ``name`` of the DuckDB type ``kind``."""
    text = str(kind)
    if kind.id == "enum":
        return Column(name, "category", text, order=tuple(str(text) for text in _enum_texts(kind)))
    if text in _NUMBERS or kind.id == "decimal":
        return Column(name, "number", text)
    if text == "BOOLEAN":
        return Column(name, "boolean", text)
    if text == "VARCHAR":
        return Column(name, "category", text)
    # A column of nothing but NULL fits anything.
    return Column(name, "number" if "NULL" in text else "other", text)


def _enum_texts(kind: duckdb.sqltypes.DuckDBPyType) -> Sequence[str]:
    texts = dict(kind.children)["values"]
    assert isinstance(texts, list), kind
    return texts


def words(texts: Sequence[str]) -> str:
    """``texts``, which are our own constants, as a list of SQL literals."""
    return ", ".join(f"'{text}'" for text in texts)


def from_text(identifier: str, kind: Kind, *, missing_words: bool) -> Reading:
    """Read a VARCHAR as ``kind``; with ``missing_words``, "", NA and NaN are missing, with blanks around or without."""
    trimmed = f"trim({identifier}, ' \t')"
    missing = f"{trimmed} IN ({words(MISSING_WORDS)})" if missing_words else "false"
    if kind == "category":
        # Texts keep their blanks; only a cell that is exactly a missing word is missing.
        value = f"CASE WHEN {identifier} NOT IN ({words(MISSING_WORDS)}) THEN {identifier} END"
        return Reading(value if missing_words else identifier, None, identifier)
    if kind == "boolean":
        lowered = f"lower({trimmed})"
        value = (
            f"CASE WHEN {lowered} IN ({words(TRUE_WORDS)}) THEN true WHEN {lowered} IN ({words(FALSE_WORDS)}) "
            "THEN false END"
        )
        fits = f"{lowered} IN ({words((*TRUE_WORDS, *FALSE_WORDS))})"
        return Reading(value, f"({identifier} IS NOT NULL AND NOT ({missing}) AND NOT {fits})", identifier)
    number = f"TRY_CAST({trimmed} AS DOUBLE)"
    value = f"CASE WHEN NOT ({missing}) THEN {number} END"
    # DuckDB takes 1_000 for a thousand; here it is text.
    fits = f"(coalesce(isfinite({number}), false) AND NOT contains({identifier}, '_'))"
    return Reading(value, f"({identifier} IS NOT NULL AND NOT ({missing}) AND NOT {fits})", identifier)


def from_typed(identifier: str, column: Column, kind: Kind) -> Reading:
    """Read the typed ``column`` as ``kind``."""
    text = f"CAST({identifier} AS VARCHAR)"
    if column.kind == "category":
        return from_text(text if column.order else identifier, kind, missing_words=False)
    if column.kind == "boolean":
        as_text = f"CASE WHEN {identifier} THEN 'TRUE' WHEN NOT {identifier} THEN 'FALSE' END"
        value = {"number": f"CAST({identifier} AS DOUBLE)", "boolean": identifier, "category": as_text}[kind]
        return Reading(value, None, text)
    assert column.kind == "number", column
    double = f"CAST({identifier} AS DOUBLE)"
    floating = column.type_name in ("FLOAT", "DOUBLE")
    present = f"({identifier} IS NOT NULL AND NOT isnan({double}))" if floating else f"({identifier} IS NOT NULL)"
    if kind == "category":
        whole = f"({double} = trunc({double}) AND abs({double}) < 1e15)"
        plain = f"CASE WHEN {whole} THEN CAST(TRY_CAST({double} AS BIGINT) AS VARCHAR) ELSE {text} END"
        decimal = column.type_name.startswith("DECIMAL")
        shortest = plain if floating or decimal else text
        return Reading(f"CASE WHEN {present} THEN {shortest} END", None, text)
    if kind == "boolean":
        fits = f"{identifier} IN (0, 1)"
        return Reading(f"CASE WHEN {present} THEN {identifier} <> 0 END", f"({present} AND NOT {fits})", text)
    if not floating:
        return Reading(double, None, text)
    return Reading(f"CASE WHEN {present} THEN {double} END", f"coalesce(isinf({double}), false)", text, late=True)


def first_misfit(
    connection: duckdb.DuckDBPyConnection, source: str, parameters: Sequence[Any], readings: Mapping[str, Reading]
) -> tuple[int, str, str] | None:
    """Row (from 0), column name and shown value of the first value in ``source`` that does not fit its reading."""
    checked = {name: reading for name, reading in readings.items() if reading.bad is not None}
    if not checked:
        return None
    # On all cores whether there is one at all; then, in the source's order, where.
    any_bad = ", ".join(f"coalesce(bool_or({reading.bad}), false)" for reading in checked.values())
    hits = connection.execute(f"SELECT {any_bad} FROM {source}", list(parameters)).fetchone()
    assert hits is not None
    guilty = [name for name, hit in zip(checked, hits, strict=True) if hit]
    if not guilty:
        return None
    tests = ", ".join(f"{checked[name].bad} AS b{i}, {checked[name].shown} AS s{i}" for i, name in enumerate(guilty))
    # The window streams: rows are numbered in the source's order, and the search stops at the first that is bad.
    found = connection.execute(
        f"SELECT * FROM (SELECT row_number() OVER () - 1 AS row, {tests} FROM {source}) "
        f"WHERE {' OR '.join(f'b{i}' for i in range(len(guilty)))} LIMIT 1",
        list(parameters),
    ).fetchone()
    assert found is not None
    for position, name in enumerate(guilty):
        if found[1 + 2 * position]:
            return int(found[0]), name, str(found[2 + 2 * position])
    raise AssertionError("a row was found, and no column of it")


def refuse_unusable(column: Column, label: str) -> None:
    """Raise DataError for a column of a type that no formula can use."""
    if column.kind == "other":
        raise DataError(
            f"{label}: column '{column.name}' is of type {column.type_name}, which is neither number, yes/no nor text. "
            "Leave it out, or turn it into one of these first.",
            column=column.name,
        )


def refuse_misfit(where: str, name: str, value: str, kind: Kind) -> DataError:
    """Error for a ``value`` that cannot be read as ``kind``."""
    return DataError(misfit(where, name, value, kind))
