"""Rows with a score: the linear predictor of each, and how much of either outcome stands behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Successes this near to a whole number, relative to it, are one.
WHOLE = 1e-12


@dataclass(frozen=True)
class Scored:
    """Rows by what a model says of them and what became of them.

    ``eta``: (n,) the linear predictor, may be infinite, never NaN. ``successes``, ``failures``: (n,) the weight of
    each outcome, so a row of several trials holds both. ``groups``: (n,) codes of rows that are not independent
    (clusters), or whose weights are no counts (each row its own); None where every success and failure is one
    independent trial.
    """

    eta: Floats
    successes: Floats
    failures: Floats
    groups: NDArray[np.int64] | None = None

    @classmethod
    def of(
        cls, eta: Floats, y: Floats, weight: Floats | None = None, groups: NDArray[np.int64] | None = None
    ) -> Scored:
        """Rows with a share ``y`` (n,) in [0, 1] of successes in their ``weight`` (n,), one each without."""
        if weight is None:
            return cls(eta, y, 1.0 - y, groups)
        successes = weight * y
        # Three of seven trials are 3.0000000000000004 by way of their share, and have to be dealt out one by one.
        whole = np.rint(successes)
        near = np.abs(successes - whole) <= WHOLE * np.maximum(whole, 1.0)
        successes = np.where(near, whole, successes)
        return cls(eta, successes, weight - successes, groups)

    @property
    def weight(self) -> Floats:
        """What each row weighs, (n,)."""
        return self.successes + self.failures

    @property
    def total(self) -> float:
        """The weight of all rows."""
        return float(self.successes.sum() + self.failures.sum())

    @property
    def rate(self) -> float:
        """The share of successes."""
        return float(self.successes.sum()) / self.total

    @property
    def one_class(self) -> bool:
        """Whether one of the outcomes is not there."""
        return not (self.successes.any() and self.failures.any())

    def real(self) -> Scored:
        """The rows that weigh something."""
        there = self.weight > 0
        return self if there.all() else self.select(np.flatnonzero(there))

    def select(self, rows: NDArray[np.intp]) -> Scored:
        """Some of the rows."""
        groups = None if self.groups is None else self.groups[rows]
        return Scored(self.eta[rows], self.successes[rows], self.failures[rows], groups)


def together(parts: Sequence[Scored]) -> Scored:
    """The rows of all parts, one under the other; groups are left behind."""
    if len(parts) == 1:
        return parts[0]
    return Scored(
        np.concatenate([part.eta for part in parts]),
        np.concatenate([part.successes for part in parts]),
        np.concatenate([part.failures for part in parts]),
    )


def group_sums(groups: NDArray[np.int64], values: Floats) -> Floats:
    """The sum of ``values`` (n,) in each group, (G,); codes that no row has are left out."""
    sums = np.bincount(groups, weights=values)
    there = np.bincount(groups) > 0
    return np.asarray(sums[there], dtype=np.float64)


def variance_of_sum(scored: Scored, if_success: Floats, if_failure: Floats) -> float:
    r"""The variance of the sum of contributions that have mean zero over all rows.

    .. math:: \frac{T}{T - 1} \sum_i (s_i a_i^2 + f_i b_i^2), \quad \text{with groups } \frac{G}{G - 1} \sum_g
        \Big(\sum_{i \in g} s_i a_i + f_i b_i\Big)^2

    ``if_success``, ``if_failure``: (n,) a and b, what one success or failure of the row contributes. NaN where one
    trial or one group is all there is.
    """
    s, f = scored.successes, scored.failures
    if scored.groups is None:
        units = scored.total
        square = float(s @ np.square(if_success) + f @ np.square(if_failure))
    else:
        sums = group_sums(scored.groups, s * if_success + f * if_failure)
        units, square = float(len(sums)), float(sums @ sums)
    return square * units / (units - 1.0) if units > 1 else float("nan")
