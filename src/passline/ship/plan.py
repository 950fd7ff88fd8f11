"""A model as a list of small steps that every export prints: inputs, values, categories, weights."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from passline.table.arithmetic import Form
from passline.table.coding import CategoryFactor, NumericFactor, Term, first_fastest
from passline.table.columns import number_text
from passline.table.functions import FUNCTIONS
from passline.table.tree import Expression, Name, write

if TYPE_CHECKING:
    from passline.model import Model
    from passline.table.coding import Unseen
    from passline.table.columns import Kind

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Input:
    """A column of the table that predictions need; ``kind``: number, boolean or category (text)."""

    column: str
    kind: Kind


@dataclass(frozen=True)
class Value:
    """A number that is finite, or the row is refused.

    An input's own (``form`` None, ``sources`` one input), a form of an earlier value, or (``form`` None) the product of
    several earlier values. ``text`` as the formula has it, ``needs`` completes a message.
    """

    text: str
    sources: tuple[int, ...]
    form: Form | None = None
    needs: str = ""
    reads: bool = False


@dataclass(frozen=True)
class Category:
    """An input that has levels, the reference first."""

    input: int
    levels: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """Columns of the design that share a value: each row adds ``weights[:, place] * value``.

    ``value``: an index into the plan's values, None for 1. ``categories``: indices; the place is that of their levels
    together, the first varying fastest: 0 without any. ``weights``: (1 + m, places), the coefficients, then
    what each of m separating directions has there; zero at a reference level coded by contrasts.
    """

    value: int | None
    categories: tuple[int, ...]
    weights: Floats


@dataclass(frozen=True)
class PlannedTerm:
    """A term of the formula, and its groups of columns."""

    text: str
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Plan:
    """What a row goes through: inputs, values, levels, sums; the order of the sums is that of ``predict``.

    ``intercept``: (1 + m,), or None. A row with a missing input has no probability, whatever else it holds.
    """

    formula: str
    outcome: str
    positive: str
    digest: str
    inputs: tuple[Input, ...]
    values: tuple[Value, ...]
    categories: tuple[Category, ...]
    intercept: Floats | None
    terms: tuple[PlannedTerm, ...]

    @property
    def groups(self) -> list[Group]:
        """The groups of all terms, in the order of the design's columns."""
        return [group for term in self.terms for group in term.groups]

    @property
    def directions(self) -> int:
        """How many separating directions there are: none where the estimate exists."""
        weights = [self.intercept] if self.intercept is not None else [group.weights for group in self.groups]
        return len(weights[0]) - 1 if weights else 0

    def width(self, group: Group) -> list[int]:
        """How many levels each category of a group has."""
        return [len(self.categories[place].levels) for place in group.categories]


def make_plan(model: Model, *, flic: bool = True) -> Plan:
    """The steps of a model's ``predict``."""
    return _Planner(model, flic).plan()


def about(plan: Plan, unseen: Unseen) -> dict[str, Any]:
    """What an export says of itself: the formula, the columns it needs and their levels, a hash of its numbers."""
    columns: list[dict[str, Any]] = [{"name": each.column, "kind": each.kind} for each in plan.inputs]
    for category in plan.categories:
        columns[category.input]["levels"] = list(category.levels)
    return {
        "formula": plan.formula,
        "outcome": plan.outcome,
        "positive": plan.positive,
        "columns": columns,
        "unseen": unseen,
        "sha256": plan.digest,
    }


def number_of(level: str) -> float | None:
    """The number whose text is this level, if there is one."""
    try:
        value = float(level)
    except ValueError:
        return None
    return value if math.isfinite(value) and number_text(value) == level else None


class _Planner:
    def __init__(self, model: Model, flic: bool) -> None:
        self.model = model
        self.design = model.design
        # (1 + m, p): everything that is summed over a row's columns.
        self.weights = np.vstack([model.predicting_coef(flic)[None, :], model.directions])
        self.inputs = {name: place for place, name in enumerate(self.design.variables)}
        self.values: dict[tuple[str, int], int] = {}
        self.made: list[Value] = []
        self.categories: dict[Category, int] = {}

    def plan(self) -> Plan:
        start = int(self.design.intercept)
        terms = []
        for term in self.design.terms:
            stop = start + len(term.names)
            terms.append(PlannedTerm(term.text, tuple(self.groups(term, self.weights[:, start:stop]))))
            start = stop
        return Plan(
            formula=self.design.formula,
            outcome=self.design.outcome,
            positive=self.design.positive,
            digest=_digest(self.model, self.weights),
            inputs=tuple(Input(name, self.design.kinds[name]) for name in self.design.variables),
            values=tuple(self.made),
            categories=tuple(self.categories),
            intercept=self.weights[:, 0] if self.design.intercept else None,
            terms=tuple(terms),
        )

    def groups(self, term: Term, weights: Floats) -> list[Group]:
        if not term.names:
            return []
        factors = [f for f in term.factors if isinstance(f, CategoryFactor)]
        numerics = [f for f in term.factors if isinstance(f, NumericFactor)]
        found = [Category(self.inputs[f.column], f.levels) for f in factors]
        categories = tuple(self.categories.setdefault(category, len(self.categories)) for category in found)
        width, groups = prod(len(f.names) for f in factors), []
        for place, parts in enumerate(first_fastest([range(len(f.names)) for f in numerics])):
            mine = _of_all_levels(weights[:, place * width : (place + 1) * width], factors)
            groups.append(Group(self.product(term.text, numerics, parts), categories, mine))
        return groups

    def product(self, text: str, numerics: list[NumericFactor], parts: tuple[int, ...]) -> int | None:
        places = tuple(self.value(f.expression, part) for f, part in zip(numerics, parts, strict=True))
        if len(places) < 2:
            return places[0] if places else None
        return self.add((f"{text} {parts}", -1), Value(text, places, needs="the product is too large"))

    def value(self, expression: Expression, part: int = 0) -> int:
        text = write(expression)
        if (text, part) in self.values:
            return self.values[text, part]
        if isinstance(expression, Name):
            return self.add((text, part), Value(text, (self.inputs[expression.name],), reads=True))
        entry = FUNCTIONS[expression.function]
        assert entry.forms is not None, f"{entry.name}() has no values"
        argument = self.value(expression.argument)
        form = entry.forms(expression.setting, expression.state)[part]
        return self.add((text, part), Value(text, (argument,), form, f"{entry.name}() needs {entry.domain}"))

    def add(self, key: tuple[str, int], value: Value) -> int:
        self.made.append(value)
        self.values[key] = len(self.made) - 1
        return self.values[key]


def _of_all_levels(weights: Floats, factors: list[CategoryFactor]) -> Floats:
    """Weights of the columns, (k, width), as weights of all levels together: zero where a reference has no column."""
    k = len(weights)
    table = weights.reshape(k, *(len(f.names) for f in reversed(factors)))
    table = np.pad(table, [(0, 0), *((int(not f.full), 0) for f in reversed(factors))])
    return table.reshape(k, -1)


def _digest(model: Model, weights: Floats) -> str:
    """A hash of all that predictions depend on."""
    text = repr((model.design.to_json(), weights.tolist()))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
