"""What a predictor does to the probability, averaged over the rows: slopes, differences and ratios of risks.

Rows count as in the likelihood (a row of trials as that many, sampling weights as such), and are taken as they are: the
standard errors are those of the coefficients by the delta method.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.engine.columns import Columns
from passline.engine.likelihood import mean
from passline.engine.plain import plain_columns
from passline.engine.threads import blas_alone
from passline.errors import OptionError
from passline.inference.wald import p_values, quantile
from passline.table.coding import CategoryFactor, Term
from passline.table.design import Design
from passline.table.formula import nearest
from passline.table.replaced import ReplacedRows
from passline.table.rows import CompleteRows
from passline.table.tree import Name, number_text

Floats = NDArray[np.float64]

# Values that are averaged at a time, so that what is held beside the rows stays small.
TOGETHER = 8


@dataclass(frozen=True)
class Population:
    """The rows over which effects are averaged, and the coefficients with their covariance.

    ``offset``, ``weight``: (n,); ``coef``: (p,); ``covariance``: (p, p), NaN where none exists; ``fixed``: (p,) bool,
    aliased columns, whose coefficients are zero for certain; ``df``: of Student's t, None for the normal.
    """

    design: Design
    rows: CompleteRows
    offset: Floats
    weight: Floats
    coef: Floats
    covariance: Floats
    fixed: NDArray[np.bool_]
    df: float | None = None
    level: float = 0.95

    def std_error(self, gradient: Floats) -> float:
        """Of a function of the coefficients with this gradient, (p,)."""
        g = gradient[~self.fixed]
        variance = float(g @ self.covariance[np.ix_(~self.fixed, ~self.fixed)] @ g)
        return math.sqrt(variance) if variance >= 0 else math.nan


@dataclass(frozen=True)
class Effect:
    """One effect: on which scale, its standard error, test against none, and interval.

    ``kind``: "slope", "difference" or "ratio"; of a ratio ``std_error`` and ``statistic`` are those of its logarithm.
    ``contrast``: "dP/dx", or which value against which. ``risks``: the average probabilities behind a contrast.
    """

    variable: str
    kind: str
    contrast: str
    estimate: float
    std_error: float
    statistic: float
    p_value: float
    conf_low: float
    conf_high: float
    risks: tuple[float, float] | None = None

    def as_json(self) -> dict[str, Any]:
        """The effect as a document; None where a number does not exist."""
        values = {name: getattr(self, name) for name in EFFECT_COLUMNS}
        return {name: _finite(value) if isinstance(value, float) else value for name, value in values.items()}


EFFECT_COLUMNS = (
    "variable",
    "kind",
    "contrast",
    "estimate",
    "std_error",
    "statistic",
    "p_value",
    "conf_low",
    "conf_high",
)


@dataclass(frozen=True)
class _Average:
    value: float
    gradient: Floats  # (p,)


def marginal_effects(population: Population, variables: Iterable[str] | None = None) -> list[Effect]:
    r"""Average marginal effects: of a number the mean slope of the probability, of a category differences of risk.

    .. math:: \frac{\sum_i c_i \mu_i (1 - \mu_i)\, \partial \eta_i / \partial x}{\sum_i c_i}, \quad
        \frac{\sum_i c_i [P(y_i \mid x = a) - P(y_i \mid x = reference)]}{\sum_i c_i}

    ``variables``: all where None. Raises OptionError for a name that is no predictor. Source: Greene, Econometric
    Analysis (2012), 17.3.2; Leeper, margins.
    """
    design = population.design
    names = design.variables if variables is None else tuple(variables)
    found: list[Effect] = []
    for name in names:
        _check_variable(design, name)
        levels = _levels(design, name)
        if levels is None:
            found.append(_effect(population, (name, "slope", "dP/dx"), _slope(population, name)))
            continue
        base = _risk(population, name, levels[0])
        for level in levels[1:]:
            found.append(_difference(population, name, (level, levels[0]), (_risk(population, name, level), base)))
    return found


def risk_difference(population: Population, variable: str, high: Any = None, low: Any = None) -> Effect:
    r"""The average probability had all rows ``high``, less that had all ``low``, the rest as it is in each row.

    .. math:: \frac{\sum_i c_i [P(y_i \mid x = high) - P(y_i \mid x = low)]}{\sum_i c_i}

    A category of two levels needs neither value, nor does a number that is 0 or 1 in every row. Raises OptionError for
    a variable or value that the model does not have. Source: Robins (1986); Localio, Margolis and Berlin (2007),
    J. Clin. Epidemiology 60.
    """
    values = _pair(population, variable, high, low)
    risks = (_risk(population, variable, values[0]), _risk(population, variable, values[1]))
    return _difference(population, variable, values, risks)


def risk_ratio(population: Population, variable: str, high: Any = None, low: Any = None) -> Effect:
    """The ratio of the two average probabilities of :func:`risk_difference`; error and interval by its logarithm."""
    values = _pair(population, variable, high, low)
    top, bottom = (_risk(population, variable, value) for value in values)
    gradient = top.gradient / top.value - bottom.gradient / bottom.value
    log_ratio = _Average(math.log(top.value / bottom.value), gradient)
    head = (variable, "ratio", _against(values, "/"))
    return _effect(population, head, log_ratio, (top.value, bottom.value), transform=math.exp)


def average_probabilities(
    population: Population, variable: str, values: Sequence[float | str]
) -> tuple[Floats, Floats]:
    r"""The average probability had all rows each of the ``values``, the rest as it is: (k,), and gradients (p, k).

    .. math:: m(v) = \frac{\sum_i c_i P(y_i | x = v)}{\sum_i c_i}, \quad
        \nabla m(v) = \frac{\sum_i c_i \mu_i (1 - \mu_i) x_i}{\sum_i c_i}

    Columns that do not know the variable are read once for all values. Source: Friedman (2001), Annals of Statistics
    29 (partial dependence).
    """
    with blas_alone():
        return _averages(population, variable, values)


def _averages(population: Population, variable: str, values: Sequence[float | str]) -> tuple[Floats, Floats]:
    design, rows = population.design, population.rows
    knows = [any(f.column == variable for f in term.factors) for term in design.terms]
    width = [len(term.names) for term in design.terms]
    moved = np.concatenate([np.zeros(int(design.intercept), dtype=bool), np.repeat(knows, width)]).astype(bool)  # (p,)
    fixed = [term for term, moves in zip(design.terms, knows, strict=True) if not moves and term.names]
    moving = [term for term, moves in zip(design.terms, knows, strict=True) if moves and term.names]
    eta, still = population.offset, None
    if not moved.all():
        still = _columns(population, (group for term in fixed for group in term.groups(rows, "error")))
        eta = eta + still.times(population.coef[~moved])
    c = population.weight / population.weight.sum()
    means, gradients = np.empty(len(values)), np.empty((len(moved), len(values)))
    for start in range(0, len(values), TOGETHER):
        part = values[start : start + TOGETHER]
        bends = np.empty((rows.size, len(part)))
        for j, value in enumerate(part):
            there = ReplacedRows(rows, variable, value)
            groups = [group for term in moving for group in term.groups(there, "error")]
            columns = plain_columns(groups, rows.size, None) if groups else None
            mu = mean(eta if columns is None else eta + columns.times(population.coef[moved]))
            means[start + j] = c @ mu
            bends[:, j] = c * mu * (1.0 - mu)
            if columns is not None:
                gradients[moved, start + j] = columns.transposed_times(bends[:, j])
        if still is not None:
            gradients[~moved, start : start + len(part)] = still.transposed_times(bends)
    return means, gradients


def level_text(variable: str, value: Any, levels: Sequence[str]) -> str:
    """The text of a level that may be given as a number or a boolean; raises OptionError where there is none such."""
    if isinstance(value, bool | np.bool_):
        text = "TRUE" if value else "FALSE"
    elif isinstance(value, int | float | np.number):
        text = number_text(float(value))
    else:
        text = str(value)
    if text not in levels:
        listed = ", ".join(levels[:20]) + (", ..." if len(levels) > 20 else "")
        raise OptionError(f"{variable!r} has no level {text!r}; its levels are {listed}")
    return text


def _risk(population: Population, variable: str, value: float | str) -> _Average:
    means, gradients = average_probabilities(population, variable, [value])
    return _Average(float(means[0]), gradients[:, 0])


def _slope(population: Population, variable: str) -> _Average:
    X = _columns(population, population.design.groups(population.rows))
    D = _columns(population, population.design.slopes(population.rows, variable), constant=0.0)
    mu = mean(X.times(population.coef) + population.offset)
    with np.errstate(invalid="ignore"):
        slope = D.times(population.coef)
    c = population.weight / population.weight.sum()
    if (bad := np.flatnonzero(~np.isfinite(slope) & (c > 0))).size:
        row = int(bad[0])
        x = number_text(float(population.rows.numbers(Name(variable))[row]))
        raise OptionError(
            f"the slope along {variable!r} is infinite in {population.rows.where(row)}, where it is {x}: ask for a "
            "risk difference between two values instead"
        )
    slope = np.where(c > 0, slope, 0.0)
    bend = mu * (1.0 - mu)
    gradient = X.transposed_times(c * bend * (1.0 - 2.0 * mu) * slope) + D.transposed_times(c * bend)
    return _Average(float(c @ (bend * slope)), gradient)


def _columns(population: Population, groups: Iterable[Any], constant: float = 1.0) -> Columns:
    return plain_columns(groups, population.rows.size, constant if population.design.intercept else None)


def _difference(
    population: Population, variable: str, values: Sequence[float | str], risks: tuple[_Average, _Average]
) -> Effect:
    high, low = risks
    found = _Average(high.value - low.value, high.gradient - low.gradient)
    return _effect(population, (variable, "difference", _against(values, "-")), found, (high.value, low.value))


def _effect(
    population: Population,
    head: tuple[str, str, str],
    found: _Average,
    risks: tuple[float, float] | None = None,
    *,
    transform: Callable[[float], float] = float,
) -> Effect:
    error = population.std_error(found.gradient)
    reach = quantile(population.level, population.df) * error
    statistic = found.value / error if error > 0 else math.nan
    return Effect(
        *head,
        estimate=transform(found.value),
        std_error=error,
        statistic=statistic,
        p_value=float(p_values(np.array([statistic]), population.df)[0]),
        conf_low=transform(found.value - reach),
        conf_high=transform(found.value + reach),
        risks=risks,
    )


def _levels(design: Design, variable: str) -> tuple[str, ...] | None:
    """The levels of a variable that is used as a category, the reference first; None for a number."""
    for factor in _factors(design.terms):
        if factor.column == variable:
            return factor.levels
    return None


def _factors(terms: Iterable[Term]) -> Iterable[CategoryFactor]:
    return (f for term in terms for f in term.factors if isinstance(f, CategoryFactor))


def _check_variable(design: Design, variable: str) -> None:
    if variable not in design.variables:
        listed = ", ".join(repr(name) for name in design.variables)
        hint = nearest(variable, design.variables)
        raise OptionError(f"the model has no predictor {variable!r}; it has {listed}.{hint}")


def _pair(population: Population, variable: str, high: Any, low: Any) -> tuple[float | str, float | str]:
    """The two values of a contrast, checked."""
    _check_variable(population.design, variable)
    levels = _levels(population.design, variable)
    if levels is None:
        if high is None and low is None:
            x = population.rows.numbers(Name(variable))
            if not set(np.unique(x).tolist()) <= {0.0, 1.0}:
                raise OptionError(f"{variable!r} is a number: say from which value to which, high=... and low=...")
            high, low = 1.0, 0.0
        return _number(variable, high), _number(variable, low)
    low = levels[0] if low is None else low
    if high is None:
        if len(levels) != 2:
            raise OptionError(f"{variable!r} has the levels {', '.join(levels)}: say which, high=... and low=...")
        high = next(level for level in levels if level != low) if low in levels else levels[1]
    return level_text(variable, high, levels), level_text(variable, low, levels)


def _number(variable: str, value: Any) -> float:
    try:
        out = float(value)
    except (TypeError, ValueError):
        out = math.nan
    if not math.isfinite(out):
        raise OptionError(f"{variable!r} is a number in this model: give high and low as two finite numbers")
    return out


def _against(values: Sequence[float | str], sign: str) -> str:
    high, low = (value if isinstance(value, str) else number_text(value) for value in values)
    return f"{high} {sign} {low}"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
