"""Linear predictors without detours: a design and its coefficients as a list of products, for a row or blocks of rows.

The general way is ``Design.predict_groups``. Here stands only what an ordinary row needs; whatever else comes along (a
value of another type, a level that was never seen, a result that is not finite) is left to the general way, which has
the words for it. Both evaluate the same expressions and add the same products, in the same order but for many rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product as combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.engine.runs import Run, run_of
from passline.engine.threads import SMALL, available, each
from passline.table.arrays import to_arrays
from passline.table.coding import CategoryFactor, NumericFactor, Term
from passline.table.columns import BOOLEAN_TEXTS, Kind
from passline.table.design import Design
from passline.table.rows import place_of
from passline.table.staged import Frame
from passline.table.tree import Call, Expression, column_of, number_text

Floats = NDArray[np.float64]
Codes = NDArray[np.int32]

# Rows of a block: some columns of them stay in the second cache.
BLOCK = 8_192
# Values that a dict may hold to be read as one row here, and those that are numbers.
_SINGLE = frozenset({float, int, str, bool, type(None), np.float64})
_NUMBERS = frozenset({float, int, np.float64})
_ABSENT = object()


@dataclass(frozen=True)
class _Level:
    """A category of the design: its column, the place of each value, and what contrasts take away from it."""

    column: str
    number: bool  # whether its column is one of numbers, under C()
    levels: tuple[str, ...]
    places: Mapping[str | float, int]
    shift: int
    width: int


@dataclass(frozen=True)
class _Product:
    """Columns of the design that are one product: numbers, times the indicators of categories; where they start."""

    start: int
    numbers: tuple[int, ...]
    levels: tuple[int, ...]


@dataclass(frozen=True)
class _Rows:
    """Rows to predict, and how: what finds each category's place, the columns that BLAS adds up, the other products."""

    frame: Frame
    places: tuple[Callable[[slice], Codes], ...]
    baseline: bool
    run: Run | None
    rest: Sequence[_Product]


class Plan:
    """What turns rows into linear predictors; made once for a model, and only read from then on."""

    def __init__(self, design: Design, coef: Floats) -> None:
        self._coef = [float(w) for w in coef]
        self._first = 0.0 + self._coef[0] if design.intercept else 0.0
        self._kinds: tuple[tuple[str, Kind], ...] = tuple((name, design.kinds[name]) for name in design.variables)
        self._slots: dict[tuple[Expression, int], int] = {}
        self._calls: dict[Call, list[int]] = {}
        self._levels: dict[_LevelKey, int] = {}
        self._categories: list[_Level] = []
        self._products: list[_Product] = []
        self._padded: dict[int, Floats] = {}  # a coded product's coefficients, and a zero that answers for code -1
        start = int(design.intercept)
        for term in design.terms:
            start = self._add(term, start, design.kinds)
        self._plain = tuple((e.name, slot) for (e, _), slot in self._slots.items() if not isinstance(e, Call))
        seen = {column_of(e).name for e, _ in self._slots} | {level.column for level in self._categories}
        self._all_seen = seen == set(design.variables)  # not where a term has no column

    def _add(self, term: Term, start: int, kinds: Mapping[str, Kind]) -> int:
        if not term.names:
            return start
        numerics = [f for f in term.factors if isinstance(f, NumericFactor)]
        levels = tuple(self._category(f, kinds) for f in term.factors if isinstance(f, CategoryFactor))
        width = math.prod(self._categories[i].width for i in levels)
        # The first varies fastest, as in Term.groups.
        for parts in combinations(*[range(len(f.names)) for f in numerics[::-1]]):
            pairs = zip(numerics, parts[::-1], strict=True)
            self._products.append(_Product(start, tuple(self._number(f, part) for f, part in pairs), levels))
            if levels:
                self._padded[start] = np.array([*self._coef[start : start + width], 0.0])
            start += width
        return start

    def _number(self, factor: NumericFactor, part: int) -> int:
        slot = self._slots.setdefault((factor.expression, part), len(self._slots))
        if isinstance(factor.expression, Call):
            self._calls.setdefault(factor.expression, [-1] * len(factor.names))[part] = slot
        return slot

    def _category(self, factor: CategoryFactor, kinds: Mapping[str, Kind]) -> int:
        key = (factor.column, factor.levels, factor.full)
        if key not in self._levels:
            number = kinds[factor.column] == "number"
            places: dict[str | float, int] = {level: i for i, level in enumerate(factor.levels)}
            if number:
                places = {float(text): i for text, i in places.items() if _is_number_text(str(text))}
            self._levels[key] = len(self._categories)
            self._categories.append(
                _Level(factor.column, number, factor.levels, places, 0 if factor.full else 1, len(factor.names))
            )
        return self._levels[key]

    # --- one row -----------------------------------------------------------------------------------------------

    def one(self, data: Mapping[str, Any], baseline: bool) -> tuple[float, list[tuple[int, float]]] | None:
        """The linear predictor of a row, NaN where a predictor is missing, and the columns that are not zero.

        ``baseline``: an unseen category counts as the reference. None: the general way has to look at this row.
        """
        values = self._values(data)
        if values is None:
            return None
        if len(values) < len(self._kinds):
            return math.nan, []
        codes = self._looked_up(values, baseline)
        numbers = self._evaluate(values)
        if codes is None or numbers is None:
            return None
        eta, columns = self._first, []
        for term in self._products:
            j, x = term.start, 1.0
            for slot in term.numbers:
                x *= numbers[slot]
            if not math.isfinite(x):
                return None
            if term.levels:
                code = self._code(term, codes)
                if code < 0:
                    continue
                j += code
            columns.append((j, x))
            eta += x * self._coef[j]
        return eta, columns

    def _values(self, data: Mapping[str, Any]) -> dict[str, Any] | None:
        """Each predictor's value, a float or a text, the missing ones left out; None for the general way."""
        if not data:
            return None
        for key, value in data.items():
            if type(value) not in _SINGLE or type(key) is not str:
                return None
        values: dict[str, Any] = {}
        for name, kind in self._kinds:
            value = data.get(name, _ABSENT)
            word = type(value)
            if value is None or (word is float and value != value):  # noqa: PLR0124 - NaN alone differs from itself
                continue
            if kind == "number":
                if word not in _NUMBERS or not -1.7e308 < value < 1.7e308:
                    return None
                values[name] = float(value)
            elif word is not (bool if kind == "boolean" else str):
                return None
            else:
                values[name] = BOOLEAN_TEXTS[value] if kind == "boolean" else value
        return values

    def _looked_up(self, values: Mapping[str, Any], baseline: bool) -> list[int] | None:
        codes = []
        for level in self._categories:
            place = level.places.get(values[level.column], 0 if baseline else None)
            if place is None:
                return None
            codes.append(place - level.shift)
        return codes

    def _evaluate(self, values: Mapping[str, Any]) -> list[float] | None:
        numbers = [0.0] * len(self._slots)
        for name, slot in self._plain:
            numbers[slot] = values[name]
        for call, slots in self._calls.items():
            name = column_of(call).name
            for slot, value in zip(slots, to_arrays(call, {name: values[name]}), strict=True):
                numbers[slot] = float(value)
                if not math.isfinite(numbers[slot]):
                    return None
        return numbers

    def _code(self, term: _Product, codes: Sequence[int]) -> int:
        code, width = 0, 1
        for i in term.levels:
            if codes[i] < 0:
                return -1
            code += width * codes[i]
            width *= self._categories[i].width
        return code

    # --- many rows ---------------------------------------------------------------------------------------------

    def many(self, frame: Frame, baseline: bool, finish: Callable[[Floats], Floats]) -> Floats | None:
        """``finish`` of the linear predictors of a frame's rows, (n,), NaN where a predictor is missing.

        The frame's numbers may hold infinities. None: the general way has to look at these rows. Few rows are added up
        in the general way's order; of many, BLAS adds the columns of plain numbers, in its own.
        """
        out = np.empty(frame.rows)
        few = frame.rows < SMALL
        run, rest = (None, self._products) if few else self._run(frame)
        rows = _Rows(frame, tuple(_places(level, frame) for level in self._categories), baseline, run, rest)

        def fill(part: slice) -> bool:
            size = min(BLOCK, frame.rows)
            work, space = np.empty(size), None if run is None else run.space(size)
            for start in range(part.start, part.stop, BLOCK):
                at = slice(start, min(start + BLOCK, part.stop))
                eta = out[at]
                eta[:] = self._first
                if run is not None and space is not None:
                    eta += run.times(at, space)
                if not self._block(rows, at, eta, work[: len(eta)]):
                    return False
                eta[:] = finish(eta)
            return True

        with np.errstate(all="ignore"):
            if few:
                done = fill(slice(0, frame.rows))
            else:
                step = BLOCK * max(frame.rows // (2 * available() * BLOCK), 1)
                parts = [slice(a, min(a + step, frame.rows)) for a in range(0, frame.rows, step)]
                done = all(each(fill, parts, available()))
        return out if done else None

    def _run(self, frame: Frame) -> tuple[Run | None, Sequence[_Product]]:
        """The columns that BLAS may add up, and the other products.

        Plain numbers, by coefficients that are not zero: a zero it may skip, and what is missing there with it.
        """
        names = {slot: name for name, slot in self._plain}
        terms = {
            term: names[term.numbers[0]]
            for term in self._products
            if not term.levels and len(term.numbers) == 1 and term.numbers[0] in names and self._coef[term.start] != 0.0
        }
        w = np.array([self._coef[term.start] for term in terms])
        run = run_of([frame.arrays[name] for name in terms.values()], w)
        return run, self._products if run is None else [term for term in self._products if term not in terms]

    def _block(self, rows: _Rows, at: slice, eta: Floats, work: Floats) -> bool:
        """Add the other products of a block to ``eta``; False where the general way has to look."""
        frame = rows.frame
        codes = [find(at) for find in rows.places]
        numbers, ordinary = self._numbers(frame, at, eta)
        missing: NDArray[np.bool_] | None = None
        if not (ordinary and all(code.min(initial=0) >= 0 for code in codes)):
            missing = self._missing(frame, at)
            if missing is None or (not rows.baseline and any((code[~missing] < 0).any() for code in codes)):
                return False
            codes = [np.maximum(code, np.int32(0)) for code in codes]
        self._add_up(rows.rest, numbers, codes, eta, work)
        if missing is None and not np.isfinite(eta).all():
            missing = self._missing(frame, at)
            if missing is None:
                return False
        if missing is not None:
            if not self._finite(numbers, ~missing):
                return False
            eta[missing] = np.nan
        return True

    def _numbers(self, frame: Frame, at: slice, fill: Floats) -> tuple[list[Floats], bool]:
        """The values of a block's expressions, and whether all that functions were given are numbers."""
        numbers, ordinary = [fill] * len(self._slots), self._all_seen
        for name, slot in self._plain:
            numbers[slot] = frame.arrays[name][at]
        for call, slots in self._calls.items():
            x = np.ascontiguousarray(frame.arrays[column_of(call).name][at])
            ordinary &= bool(np.isfinite(x).all())
            for slot, values in zip(slots, to_arrays(call, {column_of(call).name: x}), strict=True):
                numbers[slot] = values
        return numbers, ordinary

    def _add_up(
        self,
        products: Sequence[_Product],
        numbers: Sequence[Floats],
        codes: Sequence[Codes],
        eta: Floats,
        work: Floats,
    ) -> None:
        for term in products:
            if not term.levels and len(term.numbers) == 1:
                eta += np.multiply(numbers[term.numbers[0]], self._coef[term.start], out=work)
                continue
            x = self._times(numbers, term)
            found: Any = self._padded[term.start][self._codes(term, codes)] if term.levels else self._coef[term.start]
            eta += found if x is None else found * x

    def _times(self, numbers: Sequence[Floats], term: _Product) -> Floats | None:
        x: Floats | None = None
        for slot in term.numbers:
            x = numbers[slot] if x is None else x * numbers[slot]
        return x

    def _codes(self, term: _Product, codes: Sequence[Codes]) -> Codes:
        first = self._categories[term.levels[0]]
        code, width = codes[term.levels[0]] - np.int32(first.shift), first.width
        for i in term.levels[1:]:
            level = self._categories[i]
            other = codes[i] - np.int32(level.shift)
            code = np.where((code < 0) | (other < 0), np.int32(-1), code + np.int32(width) * other)
            width *= level.width
        return code

    def _missing(self, frame: Frame, at: slice) -> NDArray[np.bool_] | None:
        """Which rows lack a predictor; None where a number is infinite."""
        missing = np.zeros(at.stop - at.start, dtype=bool)
        for name, kind in self._kinds:
            x = frame.arrays[name][at]
            if kind != "number":
                missing |= x < 0
                continue
            gone = np.isnan(x)
            if not (np.isfinite(x) | gone).all():
                return None
            missing |= gone
        return missing

    def _finite(self, numbers: Sequence[Floats], complete: NDArray[np.bool_]) -> bool:
        """Whether functions and products have values in the complete rows."""
        for slots in self._calls.values():
            if not all(np.isfinite(numbers[slot][complete]).all() for slot in slots):
                return False
        products = (self._times(numbers, term) for term in self._products if len(term.numbers) > 1)
        return all(x is not None and np.isfinite(x[complete]).all() for x in products)


_LevelKey = tuple[str, tuple[str, ...], bool]


def _places(level: _Level, frame: Frame) -> Callable[[slice], Codes]:
    """What finds each row's place among the levels, -1 where it is none of them or missing."""
    array = frame.arrays[level.column]
    if not level.number:
        table = place_of(frame.values[level.column], level.levels)
        return lambda at: table[array[at]]
    if not level.places:
        return lambda at: np.full(len(array[at]), -1, dtype=np.int32)
    order = sorted(level.places.items())
    values = np.array([value for value, _ in order], dtype=np.float64)
    places = np.array([place for _, place in order], dtype=np.int32)

    def find(at: slice) -> Codes:
        x = array[at]
        near = np.minimum(np.searchsorted(values, x), len(values) - 1)
        return np.where(values[near] == x, places[near], np.int32(-1))

    return find


def _is_number_text(text: str) -> bool:
    try:
        return number_text(float(text)) == text
    except (ValueError, OverflowError):
        return False
