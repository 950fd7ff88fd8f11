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
    """One predictor, or two, and the outcome of the rows that the page shows, and the names of things.

    ``X``: (n, 1) or (n, 2); ``y``: (n,).
    """

    X: Floats
    y: Floats
    predictors: tuple[str, ...]
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
        X = np.column_stack([np.ones_like(self.y), self.X])  # (n, 2) or (n, 3)
        steepest = float(np.linalg.eigvalsh(X.T @ X / 4)[-1])
        digit = 10.0 ** math.floor(math.log10(1 / steepest))
        return float(f"{math.floor(1 / steepest / digit) * digit:.0e}")

    def as_json(self) -> dict[str, Any]:
        """What the page's own.js reads."""
        x, z = (*self.predictors, None)[:2]
        names = {
            "x": x,
            "z": z,
            "outcome": self.outcome,
            "positive": self.positive,
            "negative": self.negative,
            "source": self.source,
            "used": f"{len(self.y):,}",
            "read": f"{self.read:,}",
        }
        columns = dict(zip(("x", "z"), self.X.T.tolist(), strict=False))
        return {"names": names, **columns, "y": self.y.astype(int).tolist(), "rate": self.rate}


def play_table(data: Any, formula: str) -> PlayTable:
    """Read the rows of ``outcome ~ x`` or ``outcome ~ x + z``, each one column of numbers; at most MOST_ROWS of them.

    Of more rows a sample is taken, at random with a fixed seed, in which both outcomes keep their shares. ``data``: as
    for :func:`passline.fit`. Raises InputError where formula or data are at fault, OptionError for any other number of
    columns, CannotFitError where nothing can be fitted.
    """
    source = open_source(data)
    learned = learn(parse(formula), source)
    X = _predictors(learned)
    y = np.asarray(learned.y, dtype=np.float64)
    largest = float(np.abs(X).max())
    if largest > LARGEST:
        raise DataError(
            f"the page computes with numbers up to {LARGEST:g}, and there is {largest:g}: rescale the column."
        )
    keep = _chosen(y)
    design = learned.design
    return PlayTable(
        X=X[keep],
        y=y[keep],
        predictors=design.names[1:],
        outcome=design.outcome,
        positive=design.positive,
        negative=design.negative,
        source=source.label,
        read=learned.read,
    )


def _predictors(learned: Learned) -> Floats:
    """The columns of the predictors, (n, 1) or (n, 2)."""
    design, n = learned.design, learned.used
    few = design.intercept and 2 <= len(design.names) <= 3
    groups = list(design.groups(learned.rows)) if few else []
    if groups and all(isinstance(group, NumericColumns) for group in groups):
        values = [np.asarray(group.values, dtype=np.float64).reshape(n, -1) for group in groups]
        return np.column_stack(values)
    columns = [name for name in design.names if name != "(Intercept)"]
    shown = ", ".join(columns[:5])
    found = "no intercept" if not design.intercept else f"{len(columns)} columns ({shown})" if columns else "no columns"
    example = " + ".join(design.variables[:2]) or "x"
    raise OptionError(
        f"the live page shows one predictor or two, numbers both, with an intercept, and this formula has {found}. Ask "
        f"for columns of numbers, such as '{design.outcome} ~ {example}'."
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
