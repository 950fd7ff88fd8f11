"""The design's columns as they stand, neither centred nor scaled: what a coefficient of the table multiplies."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from passline.engine.columns import Coded, Columns, Dense, Mixed
from passline.table.design import CodedColumns, Group


def as_columns(group: Group) -> Columns:
    """A group of the design as the engine's columns."""
    if isinstance(group, CodedColumns):
        return Coded(group.codes, group.width, group.values)
    return Dense(group.values[:, None])


def plain_columns(groups: Iterable[Group], n: int, constant: float | None) -> Columns:
    """All groups side by side, (n, p), behind a first column of ``constant`` (None: there is no intercept)."""
    first: list[Columns] = [] if constant is None else [Dense(np.full((n, 1), constant))]
    return Mixed([*first, *(as_columns(group) for group in groups)])
