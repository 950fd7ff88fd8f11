"""What a model remembers of its predictors for pictures and defaults: range, mean, frequent level, binned counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from passline.table.coding import CategoryFactor
from passline.table.tree import Name

if TYPE_CHECKING:
    from passline.table.design import Learned
    from passline.table.functions import Values
    from passline.table.rows import CompleteRows

BINS = 20


def summarise(learned: Learned, weight: Values | None = None) -> dict[str, dict[str, Any]]:
    """For each predictor's column: a number's range, mean and counts in equal bins, a category's counts by level.

    ``count`` and ``positive`` are numbers of rows (of weight, where given), positive those with the positive outcome.
    """
    c = np.ones(learned.used) if weight is None else weight
    design = learned.design
    # Numbers under C() have levels, and their mean need not be one.
    categories = {f.column for term in design.terms for f in term.factors if isinstance(f, CategoryFactor)}
    return {
        name: _category(learned.rows, name, learned.y, c)
        if name in categories
        else _number(learned.rows, name, learned.y, c)
        for name in design.variables
    }


def _number(rows: CompleteRows, name: str, y: Values, c: Values) -> dict[str, Any]:
    x = rows.numbers(Name(name))
    low, high = float(x.min()), float(x.max())
    unit = max(abs(low), abs(high)) or 1.0  # so that a range of 1e300 stays a number
    width = high / unit - low / unit
    place = np.zeros(len(x), dtype=np.intp)
    if width > 0:
        place = np.minimum(((x / unit - low / unit) * (BINS / width)).astype(np.intp), BINS - 1)
    return {
        "kind": "number",
        "min": low,
        "max": high,
        "mean": float((c / c.sum()) @ (x / unit)) * unit,
        "count": np.bincount(place, weights=c, minlength=BINS).tolist(),
        "positive": np.bincount(place, weights=c * y, minlength=BINS).tolist(),
    }


def _category(rows: CompleteRows, name: str, y: Values, c: Values) -> dict[str, Any]:
    levels = rows.levels(name)
    codes = rows.codes(name, levels)
    return {
        "kind": "category",
        "levels": list(levels),
        "count": np.bincount(codes, weights=c, minlength=len(levels)).tolist(),
        "positive": np.bincount(codes, weights=c * y, minlength=len(levels)).tolist(),
    }
