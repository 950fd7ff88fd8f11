"""The same fit on other weights of the same rows, by the exact solver: what it says of every row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import Block, Blocks
from passline.engine.penalty import Penalty
from passline.inference.existence import maximum_likelihood
from passline.inference.firth import intercept_shift
from passline.inference.sample import Sample
from passline.solvers.firth import firth

Floats = NDArray[np.float64]

# What a direction moves a row by, against the most that it moves any: below this it is rounding.
STILL = 1e-9


@dataclass(frozen=True)
class Refit:
    """How the model was fitted, and its rows: call it with the weights of a part of them.

    The columns stay as they were learned from all rows (levels, knots, means), as in R's rms: no outcome went into
    them.
    """

    sample: Sample
    estimator: str = "ml"
    penalty: Penalty | None = None

    def __call__(self, successes: Floats, failures: Floats) -> tuple[Floats, bool]:
        """The linear predictor of every row, (n,), and whether the part is separated.

        Then it is infinite where the limit decides, and NaN where it leaves the probability open.
        """
        weight = successes + failures
        real = np.flatnonzero(weight > 0)
        whole = self.sample.blocks.all
        part = Block(whole.columns, successes / np.where(weight > 0, weight, 1.0), weight, whole.offset).rows(real)
        blocks = Blocks(part, threads=self.sample.blocks.threads)
        if self.estimator == "firth":
            found = firth(blocks, self.sample.scaling)
            eta = self._predictor(np.nan_to_num(found.coef))
            if self.sample.scaling.intercept:
                eta = eta + intercept_shift(blocks, eta[real])
            return eta, False
        outcome = maximum_likelihood(blocks, self.sample.scaling, self.penalty)
        eta = self._predictor(outcome.coef)
        if outcome.recession is None:
            return eta, False
        return self._limit(eta, outcome.recession.directions), True

    def _predictor(self, coef: Floats) -> Floats:
        eta: Floats = self.sample.blocks.each_row(Block.eta, self.sample.scaling.internal(coef))
        return eta

    def _limit(self, eta: Floats, directions: Floats) -> Floats:
        """The linear predictor in the limit along separating directions, the first of them in their interior."""
        v = np.array([self.sample.scaling.internal(direction) for direction in directions]).T  # (p, m)
        along = self.sample.blocks.each_row(_columns_times, v)
        along = np.where(np.abs(along) <= STILL * np.abs(along).max(axis=0), 0.0, along)
        up = (along >= 0).all(axis=1) & (along[:, 0] > 0)
        down = (along <= 0).all(axis=1) & (along[:, 0] < 0)
        still = (along == 0).all(axis=1)
        return np.select([up, down, still], [np.inf, -np.inf, eta], np.nan)


def _columns_times(block: Block, v: Floats) -> Floats:
    moved: Floats = block.columns.times(v)
    return moved
