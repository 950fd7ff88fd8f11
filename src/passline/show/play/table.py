"""A table of one's own for the live page: which rows it takes, and at what rate their descent can begin."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.errors import DataError, OptionError
from passline.table.design import Learned, NumericColumns, learn
from passline.table.formula import parse
from passline.table.source import open_source

Floats = NDArray[np.float64]

# What a page shows as points that can be dragged one by one, and the numbers it computes with.
MOST_ROWS = 1000
LARGEST = 1e30


@dataclass(frozen=True)
class PlayTable:
    """One predictor and the outcome of the rows that the page shows, (n,) each, and the names of things."""

    x: Floats
    y: Floats
    predictor: str
    outcome: str
    positive: str
    negative: str
    source: str
    read: int  # rows of the table; those with a missing value, and those beyond MOST_ROWS, are not shown

    @property
    def rate(self) -> float:
        r"""A learning rate at which the summed loss falls at every step, to one digit.

        .. math:: 1 / L, \quad L = \tfrac14 \lambda_{max}(\sum_i (1, x_i)^T (1, x_i))
        """
        X = np.column_stack([np.ones_like(self.x), self.x])
        steepest = float(np.linalg.eigvalsh(X.T @ X / 4)[-1])
        digit = 10.0 ** math.floor(math.log10(1 / steepest))
        return float(f"{math.floor(1 / steepest / digit) * digit:.0e}")

    def as_json(self) -> dict[str, Any]:
        """What the page's own.js reads."""
        names = {
            "x": self.predictor,
            "outcome": self.outcome,
            "positive": self.positive,
            "negative": self.negative,
            "source": self.source,
            "used": f"{len(self.x):,}",
            "read": f"{self.read:,}",
        }
        return {"names": names, "x": self.x.tolist(), "y": self.y.astype(int).tolist(), "rate": self.rate}


def play_table(data: Any, formula: str) -> PlayTable:
    """Read the rows of ``outcome ~ predictor``, the predictor one column of numbers; at most MOST_ROWS of them.

    Of more rows a sample is taken, at random with a fixed seed, in which both outcomes keep their shares. ``data``: as
    for :func:`passline.fit`. Raises InputError where formula or data are at fault, OptionError for any other number of
    columns, CannotFitError where nothing can be fitted.
    """
    source = open_source(data)
    learned = learn(parse(formula), source)
    x = _predictor(learned)
    y = np.asarray(learned.y, dtype=np.float64)
    largest = float(np.abs(x).max())
    if largest > LARGEST:
        raise DataError(
            f"the page computes with numbers up to {LARGEST:g}, and there is {largest:g}: rescale the column."
        )
    keep = _chosen(y)
    design = learned.design
    return PlayTable(
        x=x[keep],
        y=y[keep],
        predictor=design.names[-1],
        outcome=design.outcome,
        positive=design.positive,
        negative=design.negative,
        source=source.label,
        read=learned.read,
    )


def _predictor(learned: Learned) -> Floats:
    design = learned.design
    groups = list(design.groups(learned.rows)) if len(design.names) == 2 and design.intercept else []
    match groups:
        case [NumericColumns(values)] if np.size(values) == learned.used:
            return np.asarray(values, dtype=np.float64).reshape(-1)
    columns = [name for name in design.names if name != "(Intercept)"]
    found = "no intercept" if not design.intercept else f"{len(columns)} columns ({', '.join(columns[:5])})"
    raise OptionError(
        f"the live page shows one predictor that is a number, with an intercept, and this formula has {found}. Ask for "
        f"one column of numbers, such as '{design.outcome} ~ {design.variables[0] if design.variables else 'x'}'."
    )


def _chosen(y: Floats) -> NDArray[np.int64]:
    """The places of the rows to show, in their order."""
    n = len(y)
    if n <= MOST_ROWS:
        return np.arange(n)
    generator = np.random.default_rng(0)
    ones, zeros = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    wanted = min(max(1, round(MOST_ROWS * len(ones) / n)), MOST_ROWS - 1)
    parts = [generator.choice(ones, wanted, replace=False), generator.choice(zeros, MOST_ROWS - wanted, replace=False)]
    return np.sort(np.concatenate(parts))
