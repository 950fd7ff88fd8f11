"""What a model remembers of its predictors for pictures and defaults: range, mean, frequent level, binned counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.engine.threads import later
from passline.table.coding import CategoryFactor
from passline.table.design import Learned
from passline.table.functions import Values
from passline.table.rows import Codes, CompleteRows
from passline.table.tree import Expression, Name

BINS = 20
STRETCH = 32_768  # values that are binned at a time, so that they stay in cache


class WatchedRows:
    """Complete rows that sum up each predictor's column as it passes by, so that none is read twice.

    ``weight``: (n,) what a row counts for in the sums, None for one each.
    """

    def __init__(self, learned: Learned, weight: Values | None) -> None:
        self._rows: CompleteRows = learned.rows
        self._learned = learned
        self._weight = weight
        self._seen: dict[str, Callable[[], dict[str, Any]]] = {}
        # Numbers under C() have levels, and their mean need not be one.
        self._categories = {
            f.column for term in learned.design.terms for f in term.factors if isinstance(f, CategoryFactor)
        }

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rows, name)

    def numbers(self, expression: Expression, part: int = 0) -> Values:
        """As of the rows themselves."""
        values = self._rows.numbers(expression, part)
        if isinstance(expression, Name) and expression.name not in self._seen.keys() | self._categories:
            # The values are only read, by the solver's matrix too.
            self._seen[expression.name] = later(_number, values, self._learned.y, self._weight, size=len(values))
        return values

    def codes(self, name: str, levels: Sequence[str]) -> Codes:
        """As of the rows themselves."""
        codes = self._rows.codes(name, levels)
        if name not in self._seen:
            self._seen[name] = later(_category, codes, levels, self._learned.y, self._weight, size=len(codes))
        return codes

    def summaries(self) -> dict[str, dict[str, Any]]:
        """For each predictor's column a number's range, mean and counts in equal bins, or a category's by level.

        ``count`` is the weight of rows, ``positive`` that of the positive outcome.
        """
        for name in self._learned.design.variables:
            if name in self._seen:
                continue
            if name in self._categories:
                self.codes(name, self._rows.levels(name))
            else:
                self.numbers(Name(name))
        return {name: self._seen[name]() for name in self._learned.design.variables}


def _number(x: Values, y: Values, c: Values | None) -> dict[str, Any]:
    low, high = float(x.min()), float(x.max())
    unit = 1.0
    size = max(abs(low), abs(high))
    if size > 0.0 and not 1e-100 < size < 1e100:  # so that a range of 1e300 or of 1e-320 stays a number
        unit = size
        x = x / unit
    width = high / unit - low / unit
    count = np.zeros((2, BINS + 1))
    for start in range(0, len(x), STRETCH):
        at = slice(start, start + STRETCH)
        place = np.zeros(len(x[at]), dtype=np.int32)
        if width > 0:
            scaled = x[at] - low / unit
            scaled *= BINS / width
            place = scaled.astype(np.int32)
        count += _counts(place, BINS + 1, y[at], None if c is None else c[at])
    # The greatest value stands at the end of the last bin, in one of its own until here.
    count[:, BINS - 1] += count[:, BINS]
    return {
        "kind": "number",
        "min": low,
        "max": high,
        "mean": float(x.mean() if c is None else (c / c.sum()) @ x) * unit,
        "count": count[0, :BINS].tolist(),
        "positive": count[1, :BINS].tolist(),
    }


def _category(codes: Codes, levels: Sequence[str], y: Values, c: Values | None) -> dict[str, Any]:
    count = _counts(codes, len(levels), y, c)
    return {"kind": "category", "levels": list(levels), "count": count[0].tolist(), "positive": count[1].tolist()}


def _counts(place: NDArray[np.int32], places: int, y: Values, c: Values | None) -> NDArray[np.float64]:
    """How much stands at each place, and how much of it is positive: (2, places)."""
    if c is None and (y == (positive := y > 0)).all():
        # Two places for each, by outcome: counting whole numbers takes a third of adding weights up.
        found = np.bincount(2 * place + positive, minlength=2 * places).reshape(places, 2)
        return np.stack([found.sum(axis=1), found[:, 1]]).astype(np.float64)
    count = np.bincount(place, weights=c, minlength=places)
    positives = np.bincount(place, weights=y if c is None else c * y, minlength=places)
    return np.stack([count, positives])
