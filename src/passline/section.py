"""A section through a model: one predictor moves, the others are held; what curves and boundaries are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.errors import OptionError
from passline.model import Model
from passline.table.arrays import to_arrays
from passline.table.coding import CategoryFactor, NumericFactor
from passline.table.tree import Expression

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Section:
    """The rows of the design along one number, the other predictors held.

    ``held``: the others' values, those given and the defaults (a number's mean, a category's most frequent level).
    """

    model: Model
    variable: str
    held: Mapping[str, Any]
    low: float
    high: float

    def rows(self, x: Floats) -> Floats:
        """The design's rows at the values ``x``: (m,) -> (m, p). Raises DataError outside a function's domain."""
        data = {name: [value] * len(x) for name, value in self.held.items()} | {self.variable: x}
        groups, _ = self.model.groups(self.model.frame(data))
        return self.model.times(groups, len(x), np.eye(len(self.model.design.names)))

    def expression(self) -> Expression | None:
        """The one expression of the variable that every term with it uses once, so that eta is linear in it."""
        found: set[Expression] = set()
        for term in self.model.design.terms:
            mine = [f for f in term.factors if f.column == self.variable]
            if len(mine) > 1 or any(isinstance(f, CategoryFactor) or len(f.names) > 1 for f in mine):
                return None
            found |= {f.expression for f in mine if isinstance(f, NumericFactor)}
        return found.pop() if len(found) == 1 else None

    def value(self, expression: Expression, x: Floats) -> Floats:
        """The values of an expression of the variable: (m,)."""
        return to_arrays(expression, {self.variable: x})[0]


def section(model: Model, variable: str, at: Mapping[str, Any] | None = None) -> Section:
    """The section of ``model`` along ``variable``, the others held at ``at``, where it does not say at defaults.

    Raises OptionError for a variable that is not a number of the model, for names in ``at`` that are not its others.
    """
    known(model, variable)
    if categorical(model, variable):
        raise OptionError(
            f"{variable!r} is a category: a curve runs along a number. Hold it with at={{{variable!r}: ...}}"
        )
    summary = model.summaries[variable]
    return Section(model, variable, held_at(model, variable, at), float(summary["min"]), float(summary["max"]))


def known(model: Model, variable: str) -> None:
    """Raise OptionError unless ``variable`` is a predictor of the model."""
    if variable not in model.design.variables:
        listed = _listed(model.design.variables) or "none"
        raise OptionError(f"the model has no predictor {variable!r}; it has {listed}")


def categorical(model: Model, variable: str) -> bool:
    """Whether a predictor is used as a category: text, or a number under C()."""
    design = model.design
    return design.kinds[variable] != "number" or any(
        isinstance(f, CategoryFactor) and f.column == variable for term in design.terms for f in term.factors
    )


def held_at(model: Model, variable: str, at: Mapping[str, Any] | None = None) -> dict[str, float | str]:
    """The values of all predictors but ``variable``: those of ``at``, else their defaults. Raises OptionError."""
    design, summaries = model.design, model.summaries
    at = dict(at or {})
    for name, value in at.items():
        if name == variable:
            raise OptionError(f"{name!r} is the predictor that moves: it cannot be held as well")
        if name not in design.variables:
            raise OptionError(f"the model has no predictor {name!r} to hold; it has {_listed(design.variables)}")
        if design.kinds[name] == "number":
            at[name] = _number(name, value)
        else:
            at[name] = str(value)
    held: dict[str, float | str] = {}
    for name in design.variables:
        if name != variable:
            value = at.get(name, default(summaries[name]))
            held[name] = float(value) if design.kinds[name] == "number" else value  # a level of C() may be a number
    return held


def default(summary: Mapping[str, Any]) -> float | str:
    """Where a predictor is held when nobody says: a number's mean, a category's most frequent level."""
    if summary["kind"] == "number":
        return float(summary["mean"])
    return str(summary["levels"][int(np.argmax(summary["count"]))])


def _number(name: str, value: Any) -> float:
    try:
        out = float(value)
    except (TypeError, ValueError):
        raise OptionError(f"{name!r} is held at {value!r}, and it is a number in this model") from None
    if not np.isfinite(out):
        raise OptionError(f"{name!r} is held at {value!r}: give a finite number")
    return out


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(repr(name) for name in names)
