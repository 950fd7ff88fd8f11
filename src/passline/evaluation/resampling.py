"""Which rows a refit sees and which it does not: stratified folds and bootstrap samples, clusters kept whole.

A part of the rows is how many successes and failures each of them holds in it, (n,) each; so a row with counts, or of
several trials, is divided as if it had been written out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from passline.evaluation.classification import SAME, Rule, cut, ratios
from passline.evaluation.discrimination import Ranked, rounded
from passline.evaluation.scored import Scored

Floats = NDArray[np.float64]
Halves = tuple[Floats, Floats]  # successes and failures of each row, (n,) each

# Beyond this many trials NumPy's generators cannot deal them out.
MOST_TRIALS = 1e9
# Thresholds are resampled over at most this many cells of neighbouring scores.
CELLS = 5_000
# Numbers drawn at once: 32 MB of them.
DRAWN = 4_000_000


def folds(scored: Scored, count: int, generator: np.random.Generator) -> Iterator[Halves]:
    """Deal the trials out into ``count`` parts of the same size and the same share of successes, one after the other.

    Clusters stay whole: they are ordered by their rate and dealt out in turn. With sampling weights rows are dealt.
    """
    s, f = scored.successes, scored.failures
    if scored.groups is None:
        left = [s.astype(np.int64), f.astype(np.int64)]
        # The fold that gets one more success is not the one that gets one more failure.
        for fold in range(count):
            taken = []
            for side, turn in ((0, fold), (1, count - 1 - fold)):
                whole = int((s if side == 0 else f).sum())
                size = (turn + 1) * whole // count - turn * whole // count
                taken.append(_drawn(left[side], size, generator))
                left[side] = left[side] - taken[side]
            yield taken[0].astype(np.float64), taken[1].astype(np.float64)
        return
    codes = np.unique(scored.groups, return_inverse=True)[1]
    won, weight = np.bincount(codes, s), np.bincount(codes, s + f)
    shuffled = generator.permutation(len(won))
    rate = np.divide(won, weight, out=np.zeros_like(won), where=weight > 0)
    order = shuffled[np.argsort(rate[shuffled], kind="stable")]
    fold_of = np.empty(len(won), dtype=np.int64)
    # Each run of neighbours gives one cluster to every fold, in an order of its own.
    for start in range(0, len(order), count):
        run = order[start : start + count]
        fold_of[run] = generator.permutation(count)[: len(run)]
    for fold in range(count):
        there = fold_of[codes] == fold
        yield np.where(there, s, 0.0), np.where(there, f, 0.0)


def bootstrap_sample(scored: Scored, generator: np.random.Generator) -> Halves:
    """As many trials drawn with replacement; or as many clusters, or (with sampling weights) rows."""
    s, f = scored.successes, scored.failures
    if scored.groups is None:
        cells = np.concatenate([s, f])
        drawn = generator.multinomial(round(scored.total), cells / cells.sum())
        return drawn[: len(s)].astype(np.float64), drawn[len(s) :].astype(np.float64)
    codes = np.unique(scored.groups, return_inverse=True)[1]
    number = int(codes.max()) + 1
    times = np.bincount(generator.integers(number, size=number), minlength=number)[codes]
    return s * times, f * times


def decision_intervals(
    scored: Scored, rows: Ranked, rule: Rule, *, level: float, samples: int, generator: np.random.Generator
) -> dict[str, tuple[float, float]]:
    """Percentile bootstrap intervals of what a threshold gives, and of the threshold where the rows choose it.

    Trials (clusters, or rows with sampling weights) are drawn with replacement, the threshold is chosen again in each
    sample. Samples of one class are left out. ``rows``: ``scored``, sorted. Source: Efron and Tibshirani (1993),
    chapter 13.
    """
    cells = rows.cells(CELLS) if rule.chosen else _below_and_above(rows, rule.threshold(rows))
    found: dict[str, list[Floats]] = {"threshold": []}
    for won, lost in _resampled(scored, cells, samples, generator):
        real = (won.sum(axis=1) > 0) & (lost.sum(axis=1) > 0)
        successes, failures = won[real], lost[real]
        if rule.chosen:
            at = rule.choose(cells, successes, failures)
            found["threshold"].append(at)
            # The cell from which on a row is called positive.
            first = np.searchsorted(cells.score, [cut(t) for t in at])
        else:
            first = np.full(len(successes), 1)
        called = np.arange(len(cells.score)) >= first[:, None]
        tp, fp = (successes * called).sum(axis=1), (failures * called).sum(axis=1)
        for name, values in ratios(tp, fp, failures.sum(axis=1) - fp, successes.sum(axis=1) - tp).items():
            found.setdefault(name, []).append(values)
    ends = {name: percentiles(np.concatenate(values), level) for name, values in found.items() if values}
    # An interval without width (of a share of 1, say) is no knowledge but the bootstrap's blindness to what is rare.
    return {
        name: end if name == "threshold" or end[1] - end[0] > SAME else (math.nan, math.nan)
        for name, end in ends.items()
    }


def percentiles(values: Floats, level: float) -> tuple[float, float]:
    """The interval between two percentiles of what exists; NaN where fewer than nine in ten exist."""
    there = values[~np.isnan(values)]
    if len(there) < 0.9 * len(values) or not len(there):
        return math.nan, math.nan
    # Between a number and infinity nothing is interpolated.
    method: Literal["linear", "closest_observation"] = "linear" if np.isfinite(there).all() else "closest_observation"
    low, high = np.quantile(there, [(1.0 - level) / 2.0, (1.0 + level) / 2.0], method=method)
    return float(low), float(high)


def _below_and_above(rows: Ranked, threshold: float) -> Ranked:
    """Two cells, of what is called negative and positive."""
    first = int(np.searchsorted(rows.score, cut(threshold)))
    halves = slice(0, first), slice(first, None)
    return Ranked(
        np.array([-np.inf, cut(threshold)]),
        np.array([rows.successes[half].sum() for half in halves]),
        np.array([rows.failures[half].sum() for half in halves]),
        np.array([-np.inf, np.inf]),
    )


def _resampled(
    scored: Scored, cells: Ranked, samples: int, generator: np.random.Generator
) -> Iterator[tuple[Floats, Floats]]:
    """Weights of the cells in bootstrap samples, some samples at a time: (r, k) of successes and of failures."""
    k = len(cells.score)
    at_once = max(DRAWN // (2 * k), 1)
    if scored.groups is None:
        shares = np.concatenate([cells.successes, cells.failures])
        shares, trials = shares / shares.sum(), round(scored.total)
        for start in range(0, samples, at_once):
            drawn = generator.multinomial(trials, shares, size=min(at_once, samples - start)).astype(np.float64)
            yield drawn[:, :k], drawn[:, k:]
        return
    place = np.searchsorted(cells.score, rounded(scored.eta), side="right") - 1
    for start in range(0, samples, at_once):
        drawn_halves = [bootstrap_sample(scored, generator) for _ in range(min(at_once, samples - start))]
        yield tuple(np.array([np.bincount(place, half[i], k) for half in drawn_halves]) for i in (0, 1))  # type: ignore[misc]  # two of them


def _drawn(left: NDArray[np.int64], size: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """``size`` of the trials that are left, (n,) how many of each row."""
    total = int(left.sum())
    if size >= total:
        return left
    if int(left.max(initial=0)) <= 1:  # rows of single trials, which a shuffle deals out faster
        out = np.zeros_like(left)
        out[generator.choice(np.flatnonzero(left), size, replace=False)] = 1
        return out
    return generator.multivariate_hypergeometric(left, size, method="marginals")
