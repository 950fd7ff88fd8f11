"""The outcome: which of two values counts as positive, and what to say when there are not two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from passline.errors import DataError, OneClassError, OptionError
from passline.table.roles import successes
from passline.table.rows import CompleteRows, in_order
from passline.table.tree import Name, number_text

if TYPE_CHECKING:
    from passline.table.columns import Kind
    from passline.table.functions import Values


@dataclass(frozen=True)
class Outcome:
    """The outcome as 0 and 1, (n,), and the labels these stand for."""

    y: Values
    positive: str
    negative: str


def read_outcome(rows: CompleteRows, name: str, kind: Kind, positive: str | None) -> Outcome:
    """The outcome in the rows used: 0/1, true/false, two labels of text or two numbers.

    Positive is ``positive``, else 1, TRUE, the later label in byte order (or in the column's own), the larger number.
    Raises DataError for more than two values, OneClassError for one, OptionError if ``positive`` is neither label.
    """
    if kind == "number":
        return _numbers(rows, name, positive)
    labels = rows.levels(name)
    chosen = _choose(rows, name, labels, positive, fold=kind == "boolean")
    y = (rows.codes(name, labels) == chosen).astype(np.float64)
    return Outcome(y, labels[chosen], labels[1 - chosen])


def read_successes(rows: CompleteRows, name: str, trials: Values, positive: str | None) -> Outcome:
    """The outcome as shares of successes, from counts or proportions of ``trials``, (n,).

    Raises OneClassError where all trials or none are successes, OptionError where a label is asked for.
    """
    if positive is not None:
        raise OptionError("positive names a label, and with trials the outcome counts successes: leave it out")
    y = successes(rows.numbers(Name(name)), trials, rows, name)
    total, won = float(trials.sum()), float(trials @ y)
    if won in (0.0, total):
        raise OneClassError(
            f"the outcome {name!r} has {'no success' if won == 0 else 'nothing but successes'} in {number_text(total)} "
            "trials: a logistic regression needs both outcomes"
        )
    return Outcome(y, "success", "failure")


def _numbers(rows: CompleteRows, name: str, positive: str | None) -> Outcome:
    values = rows.numbers(Name(name))
    low, high = float(values.min()), float(values.max())
    if not bool(((values == low) | (values == high)).all()):
        found = np.unique(values)
        raise _too_many(name, [number_text(float(v)) for v in found[:5]], len(found), numbers=True)
    found = np.array([low]) if low == high else np.array([low, high])
    labels = tuple(number_text(float(v)) for v in found)
    chosen = _choose(rows, name, labels, _as_number(positive))
    return Outcome((values == found[chosen]).astype(np.float64), labels[chosen], labels[1 - chosen])


def _as_number(positive: str | None) -> str | None:
    """The label as numbers are written: '1.0' is the label '1'."""
    try:
        return positive if positive is None else number_text(float(positive))
    except (ValueError, OverflowError):
        return positive


def _choose(rows: CompleteRows, name: str, labels: tuple[str, ...], positive: str | None, fold: bool = False) -> int:
    """The place of the positive label."""
    if len(labels) == 1:
        count = f"all {rows.used} rows used" if rows.used > 1 else "the one row used"
        raise OneClassError(
            f"the outcome {name!r} is {labels[0]!r} in {count}: a logistic regression needs both outcomes. "
            "Check the rows, and what was dropped as incomplete."
        )
    if len(labels) > 2:
        raise _too_many(name, list(labels[:5]), len(labels), numbers=False)
    if positive is None:
        return 1
    wanted = positive.upper() if fold else positive
    if wanted not in labels:
        raise OptionError(
            f"positive={positive!r} is not a label of the outcome {name!r}; "
            f"its labels are {labels[0]!r} and {labels[1]!r}."
        )
    return labels.index(wanted)


def _too_many(name: str, shown: list[str], count: int, *, numbers: bool) -> DataError:
    listed = ", ".join(repr(label) for label in (shown if numbers else in_order(shown, shown)))
    more = ", ..." if count > len(shown) else ""
    advice = (
        "For proportions or counts give the number of trials (trials); for a quantity make a column of 0 and 1 "
        "that says what counts as yes."
        if numbers
        else "Keep the rows of two of them, or make a column of 0 and 1 that says what counts as yes."
    )
    return DataError(
        f"the outcome {name!r} has {count} different values ({listed}{more}), and it must have two. {advice}"
    )
