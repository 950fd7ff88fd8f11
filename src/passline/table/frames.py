"""Frames in hand: pandas, polars, Arrow tables and dictionaries of columns become arrays, without DuckDB."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from passline.errors import DataError, SourceError
from passline.table.columns import (
    BOOLEAN_TEXTS,
    FALSE_WORDS,
    TRUE_WORDS,
    Column,
    Kind,
    Native,
    misfit,
    number_text,
    text_kind,
)
from passline.table.conversions import refuse_unusable
from passline.table.scan import read_as
from passline.table.staged import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Coded:
    """A category in memory: ``codes`` (n,) int32 into ``texts``, -1 for missing."""

    codes: NDArray[np.int32]
    texts: tuple[str, ...]


@dataclass
class FrameSource:
    """A frame whose columns are turned into arrays one by one, when they are asked for."""

    label: str
    columns: Mapping[str, Column]
    native: Native
    rows: int
    load: Mapping[str, Callable[[], NDArray[np.float64] | Coded]] = field(repr=False)

    def stage(self, names: Sequence[str], kinds: Mapping[str, Kind], *, check: bool = True) -> Frame:
        """Turn ``names`` into arrays, each as ``kinds`` says; without ``check`` numbers may be infinite."""
        arrays: dict[str, NDArray[Any]] = {}
        values: dict[str, tuple[str, ...]] = {}
        frame = Frame(
            arrays,
            values,
            {name: read_as(self.columns[name], kinds[name]) for name in names},
            self.rows,
            self.label,
        )
        for name in names:
            refuse_unusable(self.columns[name], self.label)
            loaded = self.load[name]()
            if kinds[name] == "number":
                arrays[name] = _as_numbers(loaded, name, frame) if check or isinstance(loaded, Coded) else loaded
                continue
            as_kind = _as_booleans if kinds[name] == "boolean" else _as_category
            coded = as_kind(loaded, name, frame)
            arrays[name], values[name] = coded.codes, coded.texts
        return frame


def _as_numbers(loaded: NDArray[np.float64] | Coded, name: str, frame: Frame) -> NDArray[np.float64]:
    if isinstance(loaded, Coded):
        if loaded.texts == BOOLEAN_TEXTS:
            return np.array([0.0, 1.0, np.nan])[loaded.codes]
        table = np.array([_parsed(text) for text in loaded.texts] + [np.nan])
        bad = ~np.isfinite(table[:-1])
        _refuse_codes(loaded, bad, name, "number", frame)
        return table[loaded.codes]
    infinite = np.isinf(loaded)
    if infinite.any():
        row = int(infinite.argmax())
        raise DataError(misfit(frame.where(row), name, repr(float(loaded[row])), "number"), row=row, column=name)
    return loaded


def _as_booleans(loaded: NDArray[np.float64] | Coded, name: str, frame: Frame) -> Coded:
    coded = _as_category(loaded, name, frame)
    if coded.texts == BOOLEAN_TEXTS:
        return coded
    lowered = [text.strip().lower() for text in coded.texts]
    _refuse_codes(coded, np.array([t not in (*TRUE_WORDS, *FALSE_WORDS) for t in lowered]), name, "boolean", frame)
    table = np.array([int(text in TRUE_WORDS) for text in lowered] + [-1], dtype=np.int32)
    return Coded(table[coded.codes], BOOLEAN_TEXTS)


def _as_category(loaded: NDArray[np.float64] | Coded, name: str, frame: Frame) -> Coded:  # noqa: ARG001 - one shape for all three
    if isinstance(loaded, Coded):
        return loaded
    present = ~np.isnan(loaded)
    found, inverse = np.unique(loaded[present], return_inverse=True)
    codes = np.full(len(loaded), -1, dtype=np.int32)
    codes[present] = inverse
    return Coded(codes, tuple(number_text(float(value)) for value in found))


def _refuse_codes(coded: Coded, bad: NDArray[np.bool_], name: str, kind: Kind, frame: Frame) -> None:
    rows = np.append(bad, False)[coded.codes] if bad.any() else np.zeros(0, dtype=bool)
    if rows.any():
        row = int(rows.argmax())
        raise DataError(misfit(frame.where(row), name, coded.texts[coded.codes[row]], kind), row=row, column=name)


def _parsed(text: str) -> float:
    try:
        return float(text) if "_" not in text else np.inf
    except ValueError:
        return np.inf


def frame_source(
    label: str, native: Native, rows: int, columns: Sequence[tuple[Column, Callable[[], NDArray[np.float64] | Coded]]]
) -> FrameSource:
    """Source over ``columns``, each with the function that turns it into an array."""
    named: dict[str, Column] = {}
    for column, _ in columns:
        if column.name in named:
            raise SourceError(f"{label}: two columns are called '{column.name}'. Give every column its own name.")
        named[column.name] = column
    if not named:
        raise SourceError(f"{label} has no columns.")
    return FrameSource(label, named, native, rows, {column.name: load for column, load in columns})


def number_column(
    name: str, type_name: str, load: Callable[[], NDArray[Any]]
) -> tuple[Column, Callable[[], NDArray[np.float64]]]:
    """Make a number column whose values ``load`` gives in any floating or integer type."""
    return Column(name, "number", type_name), lambda: np.asarray(load(), dtype=np.float64)


def object_column(
    name: str, values: Sequence[Any] | NDArray[Any], missing: NDArray[np.bool_], type_name: str
) -> tuple[Column, Callable[[], NDArray[np.float64] | Coded]]:
    """Column of Python objects: its kind is that of the objects which are not ``missing``."""
    kinds = {type(value) for value, gone in zip(values, missing, strict=True) if not gone}
    if all(issubclass(kind, (bool, np.bool_)) for kind in kinds) and kinds:
        return Column(name, "boolean", type_name), lambda: Coded(_mapped(int, values, missing, -1), BOOLEAN_TEXTS)
    if all(_is_number(kind) for kind in kinds):
        return Column(name, "number", type_name), lambda: _mapped(_float, values, missing, np.nan)
    if all(issubclass(kind, str) or _is_number(kind) for kind in kinds):
        total = len(missing) - int(missing.sum())
        texts = sum(isinstance(value, str) for value, gone in zip(values, missing, strict=True) if not gone)
        kind = text_kind(total, total - texts, 0)
        return Column(name, kind, type_name), lambda: coded_objects(values, missing)
    words = " and ".join(sorted(kind.__name__ for kind in kinds))
    return Column(name, "other", f"{type_name} of {words}"), lambda: coded_objects(values, missing)


def coded_objects(values: Sequence[Any] | NDArray[Any], missing: NDArray[np.bool_]) -> Coded:
    """Codes of objects, in order of their first appearance."""
    known: dict[str, int] = {}
    codes = np.full(len(missing), -1, dtype=np.int32)
    for row, (value, gone) in enumerate(zip(values, missing, strict=True)):
        if not gone:
            codes[row] = known.setdefault(object_text(value), len(known))
    return Coded(codes, tuple(known))


def object_text(value: Any) -> str:
    """Text of a category's value: numbers as the shortest decimal, true as TRUE."""
    if isinstance(value, (bool, np.bool_)):
        return BOOLEAN_TEXTS[int(value)]
    return number_text(float(value)) if isinstance(value, (float, np.floating)) else str(value)


def recoded(codes: NDArray[Any], texts: Sequence[str]) -> Coded:
    """``codes`` into ``texts`` that may repeat, as codes into distinct texts."""
    distinct = tuple(dict.fromkeys(texts))
    if len(distinct) == len(texts):
        return Coded(np.asarray(codes, dtype=np.int32), distinct)
    place = {text: code for code, text in enumerate(distinct)}
    return Coded(np.array([place[text] for text in texts] + [-1], dtype=np.int32)[codes], distinct)


def _mapped(
    read: Callable[[Any], float], values: Sequence[Any] | NDArray[Any], missing: NDArray[np.bool_], absent: float
) -> NDArray[Any]:
    mapped = [absent if gone else read(value) for value, gone in zip(values, missing, strict=True)]
    return np.array(mapped, dtype=np.int32 if isinstance(absent, int) else np.float64)


def _is_number(kind: type) -> bool:
    return issubclass(kind, (int, float, np.integer, np.floating, Decimal)) and not issubclass(kind, bool)


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer beyond the largest float is an infinity, refused when it is used
        return np.inf
