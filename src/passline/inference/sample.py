"""The rows of a fit, ready for a solver, with what each of them counts for; what inference that needs rows works on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import Block, Blocks
from passline.engine.scaling import Scaling, assemble
from passline.inference.summary import WatchedRows
from passline.table.design import Learned

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Rows in blocks, and their roles, (n,) each and None where not played.

    A row is one unit that is written ``counts`` times, of ``trials`` trials; its weight in the likelihood is
    counts * trials * ``sampling`` (scaled to mean one, since only their ratios matter). ``y``: the share of successes.
    ``columns``: the design's columns of each term, by its text, in the formula's order.
    """

    blocks: Blocks
    scaling: Scaling
    names: tuple[str, ...]
    columns: Mapping[str, slice]
    counts: Floats | None = None
    trials: Floats | None = None
    sampling: Floats | None = None
    cluster: NDArray[np.int64] | None = None

    @property
    def y(self) -> Floats:
        """Outcome in [0, 1], (n,)."""
        y: Floats = self.blocks.all.y
        return y

    @property
    def weight(self) -> Floats:
        """Weight of each row in the likelihood, (n,)."""
        weight = self.blocks.all.weight
        return np.ones(self.blocks.n) if weight is None else weight

    @property
    def units(self) -> Floats:
        """How often each row stands in the table written out, (n,)."""
        return np.ones(self.blocks.n) if self.counts is None else self.counts

    @property
    def nobs(self) -> int:
        """Units with at least one trial: R's nobs, and the n of BIC."""
        if self.counts is None and self.trials is None:
            return self.blocks.n
        return int(self.units.sum() if self.trials is None else self.units[self.trials > 0].sum())

    @property
    def grouped(self) -> bool:
        """Whether rows hold several trials each."""
        return self.trials is not None

    def log_constant(self) -> float:
        """What the log-likelihood of grouped rows has beyond that of their trials: log binomial coefficients."""
        if self.trials is None:
            return 0.0
        from scipy.special import gammaln  # slow to import, and only grouped rows need it

        m, s = self.trials, self.trials * self.y
        return float(self.units @ (gammaln(m + 1) - gammaln(s + 1) - gammaln(m - s + 1)))

    def saturated(self) -> float:
        """The log-likelihood of a model with a probability for each row, without its constant."""
        if self.trials is None:
            return 0.0  # each row is one trial, and its outcome is certain
        y = self.y
        inside = (y > 0) & (y < 1)
        p = np.where(inside, y, 0.5)
        entropy = np.where(inside, p * np.log(p) + (1 - p) * np.log1p(-p), 0.0)
        return float(self.weight @ entropy)


def make_sample(learned: Learned) -> tuple[Sample, WatchedRows]:
    """The complete rows of a learned design in blocks, and what sums up their columns."""
    design, played = learned.design, learned.played
    sampling = played.sampling_weights
    if sampling is not None:
        sampling = sampling / sampling.mean()
    factors = [v for v in (played.weights, played.trials, sampling) if v is not None]
    weight = np.prod(factors, axis=0) if factors else None
    n, p = learned.rows.size, len(design.names)
    rows = WatchedRows(learned, weight)
    columns, scaling = assemble(design.groups(rows), p, n, design.intercept, weight)
    places, start = {}, int(design.intercept)
    for term in design.terms:
        places[term.text] = slice(start, start + len(term.names))
        start += len(term.names)
    sample = Sample(
        blocks=Blocks(Block(columns, learned.y, weight, played.offset)),
        scaling=scaling,
        names=design.names,
        columns=places,
        counts=played.weights,
        trials=played.trials,
        sampling=sampling,
        cluster=played.cluster,
    )
    return sample, rows
