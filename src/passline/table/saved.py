"""What of a design is written to a file, and the checks before anything read back is believed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from passline.errors import ModelFileError
from passline.table.functions import FUNCTIONS, State
from passline.table.tree import Call, Expression, calls_of, column_of, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from passline.table.columns import Kind

_KINDS = ("number", "boolean", "category")


@dataclass(frozen=True)
class SavedDesign:
    """A formula's text and what was learned for it."""

    formula: str
    positive: str
    negative: str
    kinds: Mapping[str, Kind]
    states: Mapping[str, State]
    levels: Mapping[str, tuple[str, ...]]
    names: list[str]

    def check(self, factors: Iterable[Expression], categories: Mapping[Expression, object]) -> None:
        """Raise ModelFileError unless there is exactly what these factors need."""
        columns, states, levels = set(), set(), set()
        for factor in factors:
            column = column_of(factor).name
            columns.add(column)
            if factor in categories:
                levels.add(write(factor))
                self._check_levels(factor)
                continue
            if self.kinds.get(column) != "number":
                raise _altered(f"the kind of column {column!r}")
            for call in calls_of(factor):
                if FUNCTIONS[call.function].learn is not None:
                    states.add(write(call))
                    self._check_state(call)
        for what, needed, there in (
            ("its columns", columns, self.kinds),
            ("what its functions learned", states, self.states),
            ("its levels", levels, self.levels),
        ):
            if needed != set(there):
                raise _altered(what)

    def _check_levels(self, factor: Expression) -> None:
        text = write(factor)
        levels = self.levels.get(text, ())
        reference = factor.setting if isinstance(factor, Call) else None
        if not levels or len(set(levels)) != len(levels) or (reference is not None and levels[0] != reference):
            raise _altered(f"the levels of {text}")

    def _check_state(self, call: Call) -> None:
        text = write(call)
        valid = FUNCTIONS[call.function].valid
        if text not in self.states or (valid is not None and not valid(call.setting, self.states[text])):
            raise _altered(f"what {text} learned")


def read_saved(document: object) -> SavedDesign:
    """The saved design of a JSON document, its types and numbers checked.

    Raises ModelFileError for anything that is not one.
    """
    fields = _mapping(document, "the design")
    expected = {"formula", "positive", "negative", "kinds", "states", "levels", "names"}
    if set(fields) != expected:
        odd = ", ".join(sorted(expected ^ set(fields)))
        raise _altered(f"the design's fields ({odd})")
    kinds = {name: _text(kind, "a kind") for name, kind in _mapping(fields["kinds"], "the kinds").items()}
    if not set(kinds.values()) <= set(_KINDS):
        raise _altered("a column's kind")
    positive, negative = _text(fields["positive"], "a label"), _text(fields["negative"], "a label")
    if positive == negative:
        raise _altered("the labels of the outcome")
    return SavedDesign(
        formula=_text(fields["formula"], "the formula"),
        positive=positive,
        negative=negative,
        kinds=cast("dict[str, Kind]", kinds),
        states={text: _numbers(state, text) for text, state in _mapping(fields["states"], "the states").items()},
        levels={text: tuple(_texts(v, text)) for text, v in _mapping(fields["levels"], "the levels").items()},
        names=_texts(fields["names"], "the names"),
    )


def _altered(what: str) -> ModelFileError:
    return ModelFileError(
        f"the model file was altered or cut off: {what} cannot be right. Fit and save the model again."
    )


def _mapping(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise _altered(what)
    return value


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise _altered(what)
    return value


def _texts(value: object, what: str) -> list[str]:
    if not isinstance(value, list):
        raise _altered(what)
    return [_text(item, what) for item in value]


def _numbers(value: object, what: str) -> State:
    if not isinstance(value, list):
        raise _altered(what)
    for item in value:
        if isinstance(item, bool) or not isinstance(item, float | int) or not _finite(item):
            raise _altered(what)
    return tuple(float(item) for item in value)


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer of hundreds of digits
        return False
