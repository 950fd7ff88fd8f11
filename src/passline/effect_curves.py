"""What a predictor does to the probability over its whole range: the numbers behind an effect's picture.

The other predictors are held, or left as they are in each of many rows and the probability averaged over these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import spread
from passline.engine.likelihood import mean
from passline.errors import NoRowsError, OptionError
from passline.fitting import Fitted
from passline.inference.effects import Population, average_probabilities, level_text
from passline.inference.wald import normal_quantile
from passline.model import Model, number
from passline.scoring import mass, roles_in
from passline.section import categorical, held_at, known
from passline.table.columns import Source
from passline.table.replaced import ReplacedRows
from passline.table.roles import play
from passline.table.rows import Codes, CompleteRows, complete_rows
from passline.table.tree import Expression

Floats = NDArray[np.float64]

# Values of a number, where nobody says which; the most frequent levels of a category; the most that one may ask for.
POINTS, LEVELS, MOST_VALUES = 31, 30, 1_000
# Rows over which a probability is averaged: of more rows so many, evenly spread over the table and the same each time.
# An average of probabilities over so many that were drawn by chance would have an error of 0.0011 at most.
AVERAGED_ROWS = 200_000


@dataclass(frozen=True)
class EffectCurve:
    """The probability at some values of one predictor, with its interval.

    ``kind``: "number" or "category"; ``method``: "at", the others held (``held``), or "averaged" over rows.
    ``values``: k numbers or levels; ``probability``, ``std_error`` (of the probability), ``conf_low``, ``conf_high``:
    (k,), NaN where they do not exist. ``rows``: how many stand behind an average, ``rows_of``: out of how many (both
    count patterns of equal rows once). ``notes``: what a reader should know.
    """

    variable: str
    kind: str
    method: str
    values: tuple[float, ...] | tuple[str, ...]
    probability: Floats
    std_error: Floats
    conf_low: Floats
    conf_high: Floats
    level: float
    held: Mapping[str, float | str]
    rows: int = 0
    rows_of: int = 0
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The curve as a document, one row a value; None where a number does not exist."""
        names = ("probability", "std_error", "conf_low", "conf_high")
        rows = [
            {"value": value} | {name: number(getattr(self, name)[i]) for name in names}
            for i, value in enumerate(self.values)
        ]
        return {
            "variable": self.variable,
            "kind": self.kind,
            "method": self.method,
            "level": self.level,
            "at": dict(self.held),
            "rows": self.rows,
            "rows_of": self.rows_of,
            "curve": rows,
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class Over:
    """Rows to average over, with what each counts for; ``of``: how many there were before some were taken."""

    rows: CompleteRows
    weight: Floats  # (n,)
    offset: Floats  # (n,)
    of: int


def effect_at(
    model: Model,
    variable: str,
    values: Iterable[Any] | None = None,
    at: Mapping[str, Any] | None = None,
    level: float = 0.95,
) -> EffectCurve:
    r"""The probability along ``variable``, the other predictors held ``at`` (means and most frequent levels).

    .. math:: p(v) = \mathrm{logit}^{-1}(x(v)^T w), \quad
        \text{interval: } \mathrm{logit}^{-1}\left(x^T w \pm z \sqrt{x^T V x}\right), \quad
        se = p (1 - p) \sqrt{x^T V x}

    ``values``: numbers, or levels; by default over the range of the data, or the most frequent levels in the model's
    order. What :meth:`Model.predict` says of such rows. Under separation these are limiting probabilities without an
    interval. Raises OptionError for names and values that the model does not have. Source: Fox (2003), J. Statistical
    Software 8 (effect displays).
    """
    normal_quantile(level)
    chosen, notes = _chosen(model, variable, values)
    held = held_at(model, variable, at)
    data: dict[str, list[Any]] = {name: [value] * len(chosen) for name, value in held.items()}
    moving = [float(v) for v in chosen] if model.design.kinds[variable] == "number" else list(chosen)
    groups, _ = model.groups(model.frame(data | {variable: moving}))
    eta = model.linear_predictor(groups, len(chosen), model.predicting_coef())
    error = np.full(len(chosen), np.nan) if len(model.directions) else model.standard_error(groups, len(chosen))
    p = mean(eta)
    if "offset" in model.settings.get("roles", {}):
        notes += ("the offset is held at 0",)
    return _curve(model, variable, chosen, (p, error), level=level, held=held, notes=notes)


def effect_averaged(
    model: Model,
    variable: str,
    over: Over,
    values: Iterable[Any] | None = None,
    level: float = 0.95,
) -> EffectCurve:
    r"""The average probability had all rows each value of ``variable``, the other predictors as they are in each row.

    .. math:: m(v) = \frac{\sum_i c_i \mu_i(v)}{\sum_i c_i}, \quad
        se = \sqrt{g^T V g}, \; g = \frac{\sum_i c_i \mu_i (1 - \mu_i) x_i}{\sum_i c_i}, \quad
        \text{interval: } \mathrm{logit}^{-1}\left(\mathrm{logit}\, m \pm z \frac{se}{m (1 - m)}\right)

    The rows are taken as they are: the error is that of the coefficients. Under separation it is the average of the
    limiting probabilities, without an interval, NaN where the fit leaves those of some rows open. Raises OptionError
    for names and values that the model does not have. Source: Friedman (2001), Annals of Statistics 29 (partial
    dependence); the delta method as in Stata's margins.
    """
    normal_quantile(level)
    chosen, notes = _chosen(model, variable, values)
    if over.rows.size < over.of:
        notes += (f"averaged over {over.rows.size:,} of {over.of:,} rows, evenly spread over the table",)
    if len(model.directions):
        p = np.array([_limiting_average(model, variable, value, over) for value in chosen])
        error = np.full(len(chosen), np.nan)
        if np.isnan(p).any():
            notes += ("where there is no probability the separated fit leaves that of some rows open",)
    else:
        population = population_of(model, over, level)
        p, gradients = average_probabilities(population, variable, chosen)
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.array([population.std_error(g) for g in gradients.T]) / (p * (1.0 - p))
    return _curve(model, variable, chosen, (p, error), level=level, over=over, notes=notes)


def over_own_rows(fitted: Fitted, most: int = AVERAGED_ROWS) -> Over:
    """The rows of a fit to average over, at most about ``most`` of them."""
    sample = fitted.sample
    block = sample.blocks.all
    offset = np.zeros(sample.blocks.n) if block.offset is None else block.offset
    return _spread(Over(fitted.learned.rows, sample.weight, offset, sample.blocks.n), most)


def over_table(model: Model, source: Source, roles: Mapping[str, Any] | None = None, most: int = AVERAGED_ROWS) -> Over:
    """The rows of another table to average over: those whose predictors are there; an outcome is not needed.

    Columns with a role (weights, an offset) are found by the names that they had in the fit, or given. Raises DataError
    for columns that are not there, NoRowsError where a predictor is missing in each row.
    """
    design = model.design
    design.require(source.columns, source.label)
    found, _ = roles_in(model, source, roles or {})
    found.check(source)
    kinds = {**found.kinds(source), **design.kinds}
    rows = complete_rows(source.stage(list(kinds), kinds), design.variables)
    if not rows.used:
        raise NoRowsError(f"{source.label} has no row whose predictors are all there")
    played = play(found, rows)
    weight = mass(played)
    weight = np.ones(rows.size) if weight is None else weight
    if not weight.any():
        raise NoRowsError(f"every row of {source.label} weighs nothing")
    offset = np.zeros(rows.size) if played.offset is None else played.offset
    return _spread(Over(rows, weight, offset, rows.size), most)


def population_of(model: Model, over: Over, level: float) -> Population:
    """The rows with the coefficients of a model and their covariance."""
    return Population(
        design=model.design,
        rows=over.rows,
        offset=over.offset,
        weight=over.weight,
        coef=model.predicting_coef(),
        covariance=model.covariance,
        fixed=np.array([word == "aliased" for word in model.terms.status]),
        df=model.settings.get("df"),
        level=level,
    )


class RememberedRows:
    """Complete rows whose columns are read once: averages over the same rows ask for them again and again."""

    def __init__(self, rows: CompleteRows) -> None:
        self._rows = rows
        self._numbers: dict[tuple[Expression, int], Floats] = {}
        self._codes: dict[tuple[str, tuple[str, ...]], Codes] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rows, name)

    def numbers(self, expression: Expression, part: int = 0) -> Floats:
        """As of the rows themselves."""
        if (expression, part) not in self._numbers:
            self._numbers[expression, part] = self._rows.numbers(expression, part)
        return self._numbers[expression, part]

    def codes(self, name: str, levels: Sequence[str]) -> Codes:
        """As of the rows themselves."""
        if (name, tuple(levels)) not in self._codes:
            self._codes[name, tuple(levels)] = self._rows.codes(name, levels)
        return self._codes[name, tuple(levels)]


def _spread(over: Over, most: int) -> Over:
    at = spread(over.rows.size, most)
    if at is None:
        return over if over.rows.size > AVERAGED_ROWS else replace(over, rows=RememberedRows(over.rows))
    keep = np.zeros(over.rows.size, dtype=bool)
    keep[at] = True
    rows = RememberedRows(over.rows.where_also(keep))
    return Over(rows, over.weight[keep], over.offset[keep], over.of)


def _limiting_average(model: Model, variable: str, value: float | str, over: Over) -> float:
    rows = ReplacedRows(over.rows, variable, value)
    groups = list(model.design.groups(rows))
    p = mean(model.linear_predictor(groups, rows.size, model.predicting_coef()) + over.offset)
    there = over.weight > 0
    return float(over.weight[there] @ p[there]) / float(over.weight.sum())


def _curve(
    model: Model,
    variable: str,
    values: Sequence[float] | Sequence[str],
    found: tuple[Floats, Floats],
    *,
    level: float,
    held: Mapping[str, float | str] | None = None,
    over: Over | None = None,
    notes: tuple[str, ...],
) -> EffectCurve:
    """``found``: the probabilities, and the standard errors of their logits."""
    p, error = found
    with np.errstate(divide="ignore", invalid="ignore"):
        logit, reach = np.log(p) - np.log1p(-p), model.quantile(level) * error
        low, high = mean(logit - reach), mean(logit + reach)
    if len(model.directions):
        notes += ("the outcome is separated: these are limiting probabilities, and they have no interval",)
    elif model.penalty:
        notes += ("the fit is penalised, so the probabilities have no interval",)
    if _aliased(model, variable):
        notes += (f"a term with {variable} repeats others and counts as zero: its effect is in theirs",)
    return EffectCurve(
        variable=variable,
        kind="category" if categorical(model, variable) else "number",
        method="at" if over is None else "averaged",
        values=tuple(values),  # type: ignore[arg-type]  # all of one kind, which a tuple's type cannot say
        probability=p,
        std_error=error * p * (1.0 - p),
        conf_low=low,
        conf_high=high,
        level=level,
        held=dict(held or {}),
        rows=0 if over is None else over.rows.size,
        rows_of=0 if over is None else over.of,
        notes=notes,
    )


def _aliased(model: Model, variable: str) -> bool:
    columns = [term for term in model.design.terms for _ in term.names]
    status = model.terms.status[len(model.terms.status) - len(columns) :]
    return any(
        word == "aliased" and any(f.column == variable for f in term.factors)
        for term, word in zip(columns, status, strict=True)
    )


def _chosen(
    model: Model, variable: str, values: Iterable[Any] | None
) -> tuple[list[float] | list[str], tuple[str, ...]]:
    """The values at which the effect is looked at, and what is to be said of their choice."""
    known(model, variable)
    summary = model.summaries[variable]
    given = None if values is None else [values] if isinstance(values, str) else list(values)
    if given is not None and not 1 <= len(given) <= MOST_VALUES:
        raise OptionError(f"{len(given)} values of {variable!r} are asked for: give 1 to {MOST_VALUES:,}")
    if categorical(model, variable):
        levels = [str(level) for level in summary["levels"]]
        if given is not None:
            return [level_text(variable, value, levels) for value in given], ()
        if len(levels) <= LEVELS:
            return levels, ()
        most = sorted(np.argsort(-np.array(summary["count"]), kind="stable")[:LEVELS].tolist())
        return [levels[i] for i in most], (f"the {LEVELS} most frequent of {len(levels):,} levels",)
    if given is not None:
        return [_value(variable, value) for value in given], ()
    return _grid(summary), ()


def _grid(summary: Mapping[str, Any]) -> list[float]:
    """Values from the least to the greatest of a number."""
    low, high = float(summary["min"]), float(summary["max"])
    # A constant has one value, and a yes or no that is written as a number has nothing in between.
    if low == high or ((low, high) == (0.0, 1.0) and not np.any(summary["count"][1:-1])):
        return sorted({low, high})
    t = np.linspace(0.0, 1.0, POINTS)
    return [float(value) for value in low * (1.0 - t) + high * t]


def _value(variable: str, value: Any) -> float:
    try:
        out = float(value)
    except (TypeError, ValueError):
        out = float("nan")
    if not np.isfinite(out):
        raise OptionError(f"{variable!r} is a number in this model, and {value!r} is none: give finite numbers")
    return out
