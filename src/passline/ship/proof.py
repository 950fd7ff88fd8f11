"""The proof of an export: rows on which it must say what `predict` says, and the comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from passline.engine.likelihood import mean
from passline.engine.plain import as_columns
from passline.errors import PasslineError
from passline.model import Floats
from passline.ship.rounding import doubt
from passline.table.columns import BOOLEAN_TEXTS

if TYPE_CHECKING:
    from passline.model import Model
    from passline.ship.plan import Plan
    from passline.table.coding import Group, Unseen

TOLERANCE = 1e-12
ROWS = 200  # probes within the ranges of the fit; more where a category has more levels
MOST_DATA = 10_000  # rows of the caller's data that are compared
EXTREME_ROWS = 400

Columns: TypeAlias = dict[str, list[Any]]  # numbers, texts, truth values; None is missing
Answers: TypeAlias = tuple[Floats, Floats]  # probabilities and log-odds, NaN where there is none
Runner: TypeAlias = Callable[[Columns, int], Answers]


@dataclass(frozen=True)
class Expected:
    """What `predict` says of rows: NaN where a value is missing or the row is refused.

    ``size``: (n,) the sum of the absolute terms of the log-odds, against which rounding is judged.
    """

    probability: Floats
    logit: Floats
    size: Floats


@dataclass(frozen=True)
class Proof:
    """That an export agrees: on how many rows, and the largest difference of a probability."""

    rows: int
    difference: float


def prove(model: Model, plan: Plan, run: Runner, *, what: str, unseen: Unseen, flic: bool, data: Any = None) -> Proof:
    """Run an export on rows and compare it with `predict`.

    The rows: a spread over the ranges and levels of the fit, extremes, missing values and unseen levels, and those of
    ``data``. Probabilities and log-odds must agree within 1e-12, relative to the size of what is added up, and beyond
    that by no more than the last digits of logarithms, exponentials and powers carry.
    Raises AssertionError, with the row that differs: a fault of ours, not of the caller's.
    """
    columns = probes(model, plan)
    if data is not None:
        given = _of_data(model, data)
        columns = {name: [*columns[name], *given[name]] for name in columns}
    rows = len(next(iter(columns.values()))) if columns else 1
    expected = _expected(model, columns, rows, unseen, flic)
    found = run(columns, rows)
    tolerance = TOLERANCE * (1.0 + np.nan_to_num(expected.size, nan=0.0, posinf=0.0)) + doubt(plan, columns, rows)
    pairs = (("probability", found[0], expected.probability), ("log-odds", found[1], expected.logit))
    for name, has, should in pairs:
        bad = np.flatnonzero(~_agrees(has, should, tolerance))
        if len(bad):
            row = int(bad[0])
            values = {column: listed[row] for column, listed in columns.items()}
            raise AssertionError(
                f"the {what} gives the {name} {has[row]!r} where predict gives {should[row]!r}, for the row "
                f"{values!r}; nothing was written. This is a bug of ours: please report it with the model file"
            )
    both = np.isfinite(found[0]) & np.isfinite(expected.probability)
    return Proof(rows, float(np.max(np.abs(found[0] - expected.probability), where=both, initial=0.0)))


def probes(model: Model, plan: Plan) -> Columns:
    """Rows to compare on: the ranges and all levels of the fit in a fixed mixture, then what is extreme or missing."""
    generator = np.random.default_rng(0)
    levels = {plan.inputs[category.input].column: category.levels for category in plan.categories}
    count = max([ROWS, *(len(found) for found in levels.values())]) if plan.inputs else 1
    columns: Columns = {}
    for each in plan.inputs:
        summary = model.summaries.get(each.column, {})
        known = levels.get(each.column) or summary.get("levels") or BOOLEAN_TEXTS
        if each.kind == "number" and "min" in summary:
            spread = np.linspace(summary["min"] / 2, summary["max"] / 2, count) * 2
            values: list[Any] = [summary["mean"], *spread[1:-1].tolist(), summary["min"], summary["max"]][-count:]
        else:
            values = [_as_kind(each.kind, known[i % len(known)]) for i in range(count)]
        columns[each.column] = [values[i] for i in generator.permutation(count)]
    return _with_extremes(plan, columns, count)


def _with_extremes(plan: Plan, columns: Columns, count: int) -> Columns:
    """Each column's extremes in turn, the other columns as in some row."""
    changes: list[tuple[str, Any]] = []
    for each in plan.inputs:
        changes.append((each.column, None))
        if each.kind == "number":
            low, high = min(columns[each.column]), max(columns[each.column])
            width = (high / 2 - low / 2) * 2
            further = [0.0, -1.0, 1.0, high + width, low - width, 1e-9, -1e-9, high + 1e3 * width, 710.0, -746.0, 1e100]
            changes += [(each.column, float(v)) for v in [*further, -1e100, 1e200] if np.isfinite(v)]
        elif each.kind == "category":
            changes.append((each.column, "\u2014 no level \u2014"))
        else:
            changes += [(each.column, True), (each.column, False)]
    step = max(1, -(-len(changes) // EXTREME_ROWS))
    for place, (name, value) in enumerate(changes[::step]):
        for column, listed in columns.items():
            listed.append(value if column == name else listed[place % count])
    return columns


def _as_kind(kind: str, level: str) -> Any:
    return level == BOOLEAN_TEXTS[1] if kind == "boolean" else float(level) if kind == "number" else level


def _of_data(model: Model, data: Any) -> Columns:
    """The rows of a table as `predict` reads them; of a long one some, evenly."""
    frame = model.frame(data)
    rows = np.unique(np.linspace(0, max(frame.rows - 1, 0), min(frame.rows, MOST_DATA)).astype(np.intp))
    columns: Columns = {}
    for name in model.design.variables:
        taken = frame.arrays[name][rows].tolist()
        if name in frame.values:
            kind, texts = model.design.kinds[name], frame.values[name]
            columns[name] = [None if code < 0 else _as_kind(kind, texts[code]) for code in taken]
        else:
            columns[name] = [None if value != value else value for value in taken]  # noqa: PLR0124 - NaN alone differs
    return columns


def by_halves(columns: Columns, rows: int, ask: Callable[[int, int, Columns], None]) -> None:
    """Ask about stretches of rows; where passline refuses one, about its halves, down to the rows it is refused for."""
    stretches = [(0, rows)]
    while stretches:
        start, stop = stretches.pop()
        try:
            ask(start, stop, {name: values[start:stop] for name, values in columns.items()})
        except PasslineError:
            middle = (start + stop) // 2
            stretches += [(start, middle), (middle, stop)] if stop - start > 1 else []


def _expected(model: Model, columns: Columns, rows: int, unseen: Unseen, flic: bool) -> Expected:
    coef = model.predicting_coef(flic)
    if not columns:
        eta = np.full(rows, coef[0] if len(coef) else 0.0)
        return Expected(cast("Floats", mean(eta)), eta, np.abs(eta))
    eta, size = np.full(rows, np.nan), np.full(rows, np.nan)

    def ask(start: int, _stop: int, part: Columns) -> None:
        groups, complete = model.groups(model.frame(typed(model, part)), unseen)
        n, at = int(complete.sum()), np.flatnonzero(complete) + start
        eta[at] = model.linear_predictor(groups, n, coef)
        size[at] = _size(model, groups, n, coef)

    by_halves(columns, rows, ask)
    return Expected(cast("Floats", mean(eta)), eta, size)


def _size(model: Model, groups: Sequence[Group], n: int, coef: Floats) -> Floats:
    """What is added up to the log-odds, in absolute values."""
    j = int(model.design.intercept)
    size = np.full(n, abs(coef[0]) if j else 0.0)
    for group in groups:
        columns = as_columns(group)
        size += np.abs(columns.times(coef[j : j + columns.shape[1]]))
        j += columns.shape[1]
    return size


def typed(model: Model, columns: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Columns as predict reads them, also where all values are missing."""
    return {
        name: np.array([np.nan if v is None else v for v in values], dtype=np.float64)
        if model.design.kinds[name] == "number"
        else list(values)
        for name, values in columns.items()
    }


def _agrees(found: Floats, expected: Floats, tolerance: Floats) -> Any:
    with np.errstate(invalid="ignore"):
        close = np.abs(found - expected) <= tolerance
    return close | (found == expected) | (np.isnan(found) & np.isnan(expected))
