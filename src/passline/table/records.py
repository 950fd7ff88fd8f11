"""Rows as a list of dictionaries, as JSON brings them: taken strictly, and what does not fit has its row and column."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.errors import DataError
from passline.table.columns import BOOLEAN_TEXTS, Column, Kind, misfit
from passline.table.formula import nearest
from passline.table.frames import coded_objects, object_text
from passline.table.staged import Frame

LABEL = "the list of rows"
_NUMBERS = frozenset({float, int})


def is_records(data: object) -> bool:
    """Whether ``data`` is a list of dictionaries, one a row."""
    return isinstance(data, list) and (set(map(type, data)) <= {dict} or all(isinstance(r, Mapping) for r in data))


def stage_records(
    rows: Sequence[Mapping[str, Any]], names: Sequence[str], kinds: Mapping[str, Kind], *, whole: bool = False
) -> Frame:
    """The columns ``names`` of rows, each as ``kinds`` says: numbers are numbers, yes/no is true or false.

    Numbers and yes/no stand for themselves where a category is asked for. None and NaN are missing. ``whole``: every
    value has to be there, and no name but ``names``. Raises DataError, with row and column, for anything else.
    """
    arrays: dict[str, NDArray[Any]] = {}
    values: dict[str, tuple[str, ...]] = {}
    frame = Frame(
        arrays,
        values,
        {name: Column(name, kinds[name], "JSON") for name in names},
        len(rows),
        LABEL,
        lambda row: f"row {row + 1}",
    )
    for name in names:
        try:
            column = [row[name] for row in rows]
        except KeyError:
            raise _absent(rows, name, names) from None
        if kinds[name] == "number":
            arrays[name] = _numbers(column, name, frame)
        else:
            arrays[name], values[name] = _texts(column, name, kinds[name], frame)
        if whole:
            _refuse_missing(arrays[name], name, kinds[name], frame)
    if whole and set(map(len, rows)) - {len(set(names))}:
        raise _unknown(rows, names)
    return frame


def _numbers(column: list[Any], name: str, frame: Frame) -> NDArray[np.float64]:
    if not set(map(type, column)) <= _NUMBERS:
        column = [_number(value, row, name, frame) for row, value in enumerate(column)]
    try:
        array = np.array(column, dtype=np.float64)
    except OverflowError:  # an integer beyond the largest float is an infinity
        array = np.array([value if abs(value) < 10**308 else math.inf for value in column], dtype=np.float64)
    infinite = np.isinf(array)
    if infinite.any():
        row = int(infinite.argmax())
        raise _misfit(column[row], row, name, "number", frame)
    return array


def _number(value: Any, row: int, name: str, frame: Frame) -> float | int:
    if value is None:
        return math.nan
    if isinstance(value, (float, int, np.floating, np.integer)) and not isinstance(value, bool):
        return float(value) if isinstance(value, (np.floating, np.integer)) else value
    raise _misfit(value, row, name, "number", frame)


def _texts(column: list[Any], name: str, kind: Kind, frame: Frame) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    missing = np.zeros(len(column), dtype=bool)
    if not set(map(type, column)) <= {str if kind == "category" else bool}:
        allowed = (str, bool, np.bool_, float, int, np.floating, np.integer) if kind == "category" else (bool, np.bool_)
        for row, value in enumerate(column):
            missing[row] = value is None or (isinstance(value, (float, np.floating)) and math.isnan(value))
            if not missing[row] and not isinstance(value, allowed):
                raise _misfit(value, row, name, kind, frame)
    if kind == "boolean":
        codes = np.array([-1 if gone else int(v) for v, gone in zip(column, missing, strict=True)], dtype=np.int32)
        return codes, BOOLEAN_TEXTS
    coded = coded_objects(column, missing)
    return coded.codes, coded.texts


def _misfit(value: Any, row: int, name: str, kind: Kind, frame: Frame) -> DataError:
    where = frame.where(row)
    shown = object_text(value) if isinstance(value, (str, bool, float, int)) else type(value).__name__
    if kind == "category":
        text = f"{where}: column {name!r} holds a {shown}, which is neither text, number nor yes/no. Give one of these."
    elif kind == "number" and isinstance(value, (str, bool)):
        text = f"{where}: column {name!r} holds {value!r}, which is not a number. Give a number, or null if missing."
    else:
        text = misfit(where, name, shown, kind)
    return DataError(text, row=row, column=name)


def _absent(rows: Sequence[Mapping[str, Any]], name: str, names: Sequence[str]) -> DataError:
    row = next(i for i, values in enumerate(rows) if name not in values)
    hint = nearest(name, [other for other in map(str, rows[row]) if other not in names])
    return DataError(f"row {row + 1} has no column {name!r}, which the model needs.{hint}", row=row, column=name)


def _unknown(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> DataError:
    known = set(names)
    row, name = next((i, name) for i, values in enumerate(rows) for name in values if name not in known)
    listed = ", ".join(repr(name) for name in names) or "none"
    return DataError(
        f"row {row + 1} has a column {name!r}, which the model does not know; its predictors are {listed}.",
        row=row,
        column=str(name),
    )


def _refuse_missing(array: NDArray[Any], name: str, kind: Kind, frame: Frame) -> None:
    missing = np.isnan(array) if kind == "number" else array < 0
    if missing.any():
        row = int(missing.argmax())
        raise DataError(f"{frame.where(row)}: column {name!r} has no value. Give one.", row=row, column=name)
