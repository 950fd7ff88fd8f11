"""What a model takes in a row: for each of its columns the kind, the range or the levels, and how JSON says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from passline.model import Model
from passline.service.domain import LARGEST, Range, ranges
from passline.service.problems import shown
from passline.table.coding import CategoryFactor
from passline.table.columns import BOOLEAN_TEXTS, number_text

# Levels that a message or a description lists.
LISTED = 10


@dataclass(frozen=True)
class TakenColumn:
    """One column of the rows that a model takes.

    ``kind``: "number", "boolean" or "category". ``levels``: the texts of a category; of a number too where the formula
    takes it as one (``C(x)``). ``codes``: where each value of JSON stands among the levels.
    """

    name: str
    kind: str
    range: Range
    levels: tuple[str, ...]
    codes: Mapping[str | float | bool, int]

    def array(self, said: Sequence[Any]) -> NDArray[Any]:
        """Values as the design's rows hold them: numbers, or places among the levels. KeyError for an unknown level."""
        codes = self.codes
        place = [codes[value] for value in said] if self.levels else []
        return np.array(said, dtype=np.float64) if self.kind == "number" else np.array(place, dtype=np.int32)

    @property
    def decoded(self) -> Any:
        """The type by which msgspec reads a value: strict, a number within its range."""
        if self.kind == "boolean":
            return bool
        if self.levels:
            return str | float if any(isinstance(value, str) for value in self.codes) else float
        low, high = self.range.low, self.range.high
        return Annotated[float, msgspec.Meta(gt=low, le=high) if self.range.above else msgspec.Meta(ge=low, le=high)]

    def fault(self, value: Any) -> str | None:
        """What is wrong with a value, in words; None where the model takes it."""
        misfit = f"{shown(value)}, and the model needs {self.wanted}"
        if value is None:
            return f"{misfit}; there is no prediction where a predictor is missing"
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if self.kind == "boolean":
            return None if isinstance(value, bool) and value in self.codes else misfit
        if not (number or (isinstance(value, str) and self._texts)):
            return misfit
        if self.levels:
            told = f"{shown(value)} was not there when the model was fitted; it knows {self._listed}"
            return None if value in self.codes else told
        told = f"{shown(value)} is outside what the model can compute with: give a number {self.range.text}"
        return None if self.range.holds(value) else told

    @property
    def wanted(self) -> str:
        """What stands in this column, in words."""
        if self.levels:
            return f"one of {self._listed}"
        return "a number"

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of a value: exactly what is taken."""
        if self.levels:
            return {"enum": [_whole(value) for value in self.codes]}
        low = {"exclusiveMinimum" if self.range.above else "minimum": _whole(self.range.low)}
        return {"type": "number", **low, "maximum": _whole(self.range.high)}

    @cached_property
    def _texts(self) -> bool:
        return any(isinstance(value, str) for value in self.codes)

    @property
    def _listed(self) -> str:
        listed = ", ".join(shown(_whole(value)) for value in list(self.codes)[:LISTED])
        more = len(self.codes) - LISTED
        return f"{listed} and {more:,} more" if more > 0 else listed


def taken_columns(model: Model) -> tuple[TakenColumn, ...]:
    """The columns that a row needs, in the order of the formula."""
    design = model.design
    within = ranges(design, model.summaries)
    levels: dict[str, tuple[str, ...]] = {}
    for factor in (factor for term in design.terms for factor in term.factors if isinstance(factor, CategoryFactor)):
        # The same column may stand under C() twice, with another reference: its levels are the same.
        levels.setdefault(factor.column, tuple(sorted(factor.levels, key=_in_order)))
    found = []
    for name in design.variables:
        kind, own = design.kinds[name], levels.get(name, ())
        found.append(TakenColumn(name, kind, within.get(name, Range()), own, _codes(kind, own)))
    return tuple(found)


def _codes(kind: str, levels: tuple[str, ...]) -> dict[str | float | bool, int]:
    if kind == "boolean":
        return {text == BOOLEAN_TEXTS[1]: code for code, text in enumerate(levels)}
    if kind == "number":
        return {float(text): code for code, text in enumerate(levels)}
    codes: dict[str | float | bool, int] = {text: code for code, text in enumerate(levels)}
    for code, text in enumerate(levels):
        number = _number(text)
        if number is not None:  # levels such as 1, 2, 3 that were text: JSON may say them as numbers
            codes[number] = code
    return codes


def _in_order(level: str) -> tuple[float, str]:
    number = _number(level)
    return (LARGEST if number is None else number, level)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) <= LARGEST and number_text(value) == text else None


def _whole(value: Any) -> Any:
    """A number as JSON writes it shortest: 1 for 1.0."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value
