"""Sandwich covariances: what the errors of the estimate are where the model's variance is not taken on trust.

A unit is a row of the table written out: a row with counts is several, a row of successes out of trials is one, as
for cbind() in R. Everything is the same for counts as for the rows written out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import Block, Blocks
from passline.engine.columns import Coded
from passline.engine.likelihood import bernoulli
from passline.engine.value import Array
from passline.errors import OptionError
from passline.inference.existence import Outcome
from passline.inference.sample import Sample
from passline.solvers.linear import NotPositiveDefiniteError, inverse

Floats = NDArray[np.float64]
Kind = Literal["hc0", "hc1", "hc2", "hc3"]
KINDS = get_args(Kind)

# A unit whose leverage is this near to one decides its own fit, and leaves no residual to learn from.
WHOLE_LEVERAGE = 1e-9


def robust_covariance(sample: Sample, outcome: Outcome, kind: str, cluster: NDArray[np.int64] | None = None) -> Floats:
    r"""The sandwich covariance of the coefficients, (p, p): NaN where aliased, infinite or undetermined.

    .. math:: V \Big(\sum_i s_i s_i^T (1 - h_i)^{-a}\Big) V, \quad
        s_i = m_i (y_i - \mu_i) x_i, \quad h_i = m_i \mu_i (1 - \mu_i) x_i^T V x_i

    over units, V the inverse information, m_i the trials times the sampling weight, a = 0, 1, 2 for "hc0", "hc2",
    "hc3"; "hc1" is hc0 times n / (n - k), n units (those without a trial too) and k independent columns. With
    ``cluster``, (n,) codes from 0, scores are added up in each of the G clusters before they are squared, times
    G / (G - 1), and for "hc1" times (n - 1) / (n - k) also.

    Under separation they are those of the limiting model, on the rows that nothing separates. Raises OptionError for
    another word, for hc2 or hc3 with clusters, and where a unit's leverage is one. Source: White (1982),
    Econometrica 50; MacKinnon and White (1985), J. Econometrics 29; Zeileis, Koell and Graham (2020), J. Stat.
    Software 95 (sandwich's vcovHC and vcovCL, whose defaults for glm these are).
    """
    check_kind(kind, clustered=cluster is not None)
    p = len(outcome.coef)
    if outcome.estimate is None:
        return np.full((p, p), np.nan)
    found = outcome.estimate
    rows = limiting_rows(sample, outcome)
    blocks = found.objective.blocks
    counts, unit = sample.units[rows], unit_weight(sample)[rows]
    try:
        V = inverse(found.solution.curvature) / found.objective.total
    except NotPositiveDefiniteError:
        return np.full((p, p), np.nan)
    v = found.solution.coef
    n, k = float(counts.sum()), blocks.p
    if cluster is not None:
        meat, G = _clustered(blocks, v, unit * counts, cluster[rows])
        factor = G / (G - 1.0) if G > 1 else np.nan
        factor *= (n - 1.0) / (n - k) if kind == "hc1" and n > k else np.nan if kind == "hc1" else 1.0
    else:
        meat = _meat(blocks, v, counts, unit, (V, {"hc2": 1, "hc3": 2}.get(kind, 0)))
        factor = 1.0 if kind != "hc1" else n / (n - k) if n > k else np.nan
    half = found.back @ V @ root_of(factor * meat)
    covariance = half @ half.T  # as a square, so that no variance is negative by rounding
    ok = np.array([word == "ok" for word in outcome.status])
    covariance[~ok, :] = covariance[:, ~ok] = np.nan
    return covariance


def check_kind(kind: str, *, clustered: bool) -> None:
    """Raise OptionError for a word that is no kind, and for hc2 or hc3 with clusters."""
    if kind not in KINDS:
        raise OptionError(f"robust is {kind!r}: choose one of {', '.join(KINDS)}")
    if clustered and kind in ("hc2", "hc3"):
        raise OptionError(
            f"robust={kind!r} is for single rows, whose leverages it uses; with a cluster choose 'hc0' or 'hc1'"
        )


def root_of(V: Floats) -> Floats:
    """R with V = R R' for a symmetric V without negative eigenvalues but for rounding, (k, k); NaN where V has one."""
    if not np.isfinite(V).all():
        return np.full_like(V, np.nan)
    values, vectors = np.linalg.eigh(V)
    root: Floats = vectors * np.sqrt(np.maximum(values, 0.0))
    return root


def unit_weight(sample: Sample) -> Floats:
    """What one unit of each row weighs in the likelihood, (n,): trials times sampling weight, without the counts."""
    out = np.ones(sample.blocks.n)
    for factor in (sample.trials, sample.sampling):
        if factor is not None:
            out = out * factor
    return out


def limiting_rows(sample: Sample, outcome: Outcome) -> NDArray[np.intp]:
    """The rows behind the estimate: all, or under separation those that weigh and that no direction separates."""
    if outcome.recession is None:
        return np.arange(sample.blocks.n)
    return np.flatnonzero(~outcome.recession.separated & (sample.weight > 0))


def clusters_of(sample: Sample, outcome: Outcome) -> int:
    """How many clusters the rows behind the estimate fall into; none without a cluster column."""
    return 0 if sample.cluster is None else len(np.unique(sample.cluster[limiting_rows(sample, outcome)]))


def _meat(blocks: Blocks, v: Floats, counts: Floats, unit: Floats, leverage: tuple[Floats, int]) -> Floats:
    """The sum over units of s s' / (1 - h)^a, (k, k); ``leverage``: V and a."""
    V, a = leverage
    root = root_of(V)
    total = np.zeros((blocks.p, blocks.p))
    for block, c, m in _walk(blocks, counts, unit):
        eta = block.eta(v)
        _, residual, curvature = bernoulli(eta, block.y)
        score = np.square(m * residual)
        if a:
            h = m * curvature * np.square(block.columns.times(root)).sum(axis=1)
            if (h > 1.0 - WHOLE_LEVERAGE).any():
                raise OptionError(
                    f"hc{a + 1} divides by one minus the leverage, and a row's leverage is one (a level of a single "
                    "row, say): choose 'hc0' or 'hc1', or leave the term out"
                )
            score = score / (1.0 - h) ** a
        total += block.columns.gram(c * score)
    return total


def _clustered(blocks: Blocks, v: Floats, weight: Floats, cluster: NDArray[np.int64]) -> tuple[Floats, int]:
    """The sum over clusters of S S', S their scores' sum, (k, k); and how many clusters there are."""
    found, codes = np.unique(cluster, return_inverse=True)
    sums = np.zeros((len(found), blocks.p))
    for block, c, place in _walk(blocks, weight, codes):
        _, residual, _ = bernoulli(block.eta(v), block.y)
        sums += Coded(place, len(found)).transposed_times(block.columns.dense() * (c * residual)[:, None])
    return sums.T @ sums, len(found)


def _walk(blocks: Blocks, first: Array, second: Array) -> Iterator[tuple[Block, Array, Array]]:
    """The blocks, each with its rows of two arrays beside it."""
    start = 0
    for block in blocks:
        stop = start + len(block.y)
        yield block, first[start:stop], second[start:stop]
        start = stop
