"""Honest measures on the rows of the fit, from refits: by cross-validation and by the optimism bootstrap."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passline.evaluation.classification import Rule
from passline.evaluation.discrimination import ranked
from passline.evaluation.measures import MEASURES, OVER_BINS, Part, measures
from passline.evaluation.resampling import bootstrap_sample, folds, percentiles
from passline.evaluation.scored import Scored
from passline.evaluation.scores import Binning

Floats = NDArray[np.float64]
# From the successes and failures of each row to the linear predictor of all, and whether those rows are separated.
Fitting = Callable[[Floats, Floats], tuple[Floats, bool]]


@dataclass(frozen=True)
class Again:
    """What is done again with each part of the rows: fit, choose the threshold, measure."""

    fitting: Fitting
    rule: Rule
    binning: Binning


@dataclass(frozen=True)
class Validated:
    """What refits say: ``figures`` by measure, NaN where one does not exist.

    ``refits``: how many there were, ``separated``: how many of them had no finite estimate, ``skipped``: parts without
    one of the outcomes, ``open_rows``: held-out trials whose probability a separated refit leaves open.
    ``partial``: measures that do not exist in some of the refits, and in how many. ``threshold``: the interval of
    the threshold over the refits, where the rows choose it.
    """

    figures: dict[str, float]
    refits: int
    separated: int
    skipped: int
    open_rows: float = 0.0
    partial: dict[str, int] | None = None
    threshold: tuple[float, float] = (math.nan, math.nan)


def cross_validated(scored: Scored, again: Again, count: int, generator: np.random.Generator) -> Validated:
    """Every measure of rows that the fit which scored them has not seen, over ``count`` stratified folds.

    A threshold that rows choose is chosen on the rows of the fit, and applied to the others. Source: Stone (1974),
    J. Royal Statistical Society B 36.
    """
    parts: list[Part] = []
    separated = skipped = 0
    lost = 0.0
    for s, f in folds(scored, count, generator):
        rest_s, rest_f = scored.successes - s, scored.failures - f
        if not (rest_s.any() and rest_f.any()):
            skipped += 1
            continue
        eta, was_separated = again.fitting(rest_s, rest_f)
        separated += was_separated
        threshold = again.rule.threshold(ranked(_known(eta, rest_s, rest_f))) if again.rule.chosen else again.rule.value
        held_out = _known(eta, s, f)
        lost += float(s.sum() + f.sum()) - held_out.total
        if len(held_out.eta):
            parts.append(Part(held_out, ranked(held_out), threshold))
    figures = measures(parts, again.binning).figures if parts else dict.fromkeys(MEASURES, math.nan)
    return Validated(figures, count - skipped, separated, skipped, lost)


def optimism(
    scored: Scored, again: Again, samples: int, generator: np.random.Generator, level: float = 0.95
) -> Validated:
    r"""By how much every measure flatters, on average over bootstrap samples.

    .. math:: \frac1B \sum_b [m(\text{fit}_b, \text{sample}_b) - m(\text{fit}_b, \text{rows})]

    to be taken off the apparent measure, as validate of R's rms does. The measures over bins have none: the repeated
    rows of a sample fill bins unevenly, which is no optimism. Refits in which a measure does not exist (the log loss is
    infinite after a separated sample) are left out of its mean. Source: Efron (1983), JASA 78; Harrell, Regression
    Modeling Strategies (2015), 5.3.
    """
    differences: list[list[float]] = []
    thresholds: list[float] = []
    separated = skipped = 0
    lost = 0.0
    for _ in range(samples):
        s, f = bootstrap_sample(scored, generator)
        if not (s.any() and f.any()):
            skipped += 1
            continue
        eta, was_separated = again.fitting(s, f)
        separated += was_separated
        own, test = _known(eta, s, f), _known(eta, scored.successes, scored.failures)
        lost += scored.total - test.total
        order = ranked(own)
        threshold = again.rule.threshold(order) if again.rule.chosen else again.rule.value
        thresholds.append(threshold)
        a = measures([Part(own, order, threshold)], again.binning).figures
        b = measures([Part(test, ranked(test), threshold)], again.binning).figures
        differences.append([_difference(a[name], b[name]) if name not in OVER_BINS else math.nan for name in MEASURES])
    kept = len(differences)
    table = np.array(differences).reshape(kept, len(MEASURES))
    there = ~np.isnan(table)
    count = there.sum(axis=0)
    total = np.where(there, table, 0.0).sum(axis=0)
    figures = {name: float(total[j] / count[j]) if count[j] else math.nan for j, name in enumerate(MEASURES)}
    partial = {name: kept - int(count[j]) for j, name in enumerate(MEASURES) if 0 < count[j] < kept}
    interval = percentiles(np.array(thresholds), level) if again.rule.chosen and thresholds else (math.nan, math.nan)
    return Validated(figures, kept, separated, skipped, lost, partial, interval)


def _difference(a: float, b: float) -> float:
    return a - b if math.isfinite(a) and math.isfinite(b) else math.nan


def _known(eta: Floats, successes: Floats, failures: Floats) -> Scored:
    """The rows that hold something and whose probability is not left open."""
    there = np.flatnonzero((successes + failures > 0) & ~np.isnan(eta))
    return Scored(eta[there], successes[there], failures[there])
