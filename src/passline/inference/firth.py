"""What Jeffreys' prior makes of a sample: the estimate, the tests of its own likelihood, the corrected intercept.

Firth's estimates are pulled towards no effect, and with them the predicted probabilities towards one half: their mean
misses the observed rate. FLIC estimates the intercept again by maximum likelihood, the slopes held.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import Block, Blocks
from passline.engine.columns import Dense
from passline.engine.likelihood import mean
from passline.engine.objective import Objective
from passline.inference.existence import (
    Outcome,
    TermStatus,
    certify,
    linear_predictor,
    maximum_likelihood,
)
from passline.inference.sample import Sample
from passline.inference.wald import chi2_p
from passline.solvers.base import Report, Solution
from passline.solvers.estimate import Estimate
from passline.solvers.firth import SMALL, Jeffreys, firth, maximise, scored
from passline.solvers.held import hold
from passline.solvers.linear import solve
from passline.solvers.newton import newton

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Penalised:
    """An estimate under Jeffreys' prior, and what maximum likelihood said of the same rows.

    ``outcome``: finite, its log-likelihood the unpenalised one. ``verdict``: the outcome of maximum likelihood.
    ``log_likelihood``: the penalised one, l + log|X'WX| / 2 over the design's own columns. ``flic_intercept``: None
    without an intercept. ``observed_rate``, ``mean_predicted_rate``: of successes a trial, the latter without FLIC.
    """

    outcome: Outcome
    verdict: Outcome
    log_likelihood: float
    flic_intercept: float | None
    observed_rate: float
    mean_predicted_rate: float


@dataclass(frozen=True)
class PenalisedTest:
    """The penalised likelihood-ratio test that the coefficients of a term are all zero."""

    term: str
    statistic: float
    df: int
    p_value: float


def penalised(sample: Sample, report: Report | None = None) -> Penalised:
    """Fit a sample under Jeffreys' prior.

    Source: Firth (1993), Biometrika 80; Heinze and Schemper (2002), Statistics in Medicine 21; Puhr, Heinze, Nold,
    Lusa and Geroldinger (2017), Statistics in Medicine 36 (FLIC).
    """
    blocks, scaling = sample.blocks, sample.scaling
    verdict = maximum_likelihood(blocks, scaling, report=report)
    known = verdict.estimate if verdict.recession is None else None
    found = firth(blocks, scaling, known, report)
    eta = linear_predictor(found)
    coef = np.nan_to_num(found.coef)
    status: tuple[TermStatus, ...] = tuple("ok" if kept else "aliased" for kept in found.keep)
    outcome = Outcome(
        coef=coef,
        covariance=found.covariance,
        std_error=found.std_error,
        status=status,
        limit=(None,) * len(status),
        eta=eta,
        log_likelihood=found.log_likelihood,
        rank=int(found.keep.sum()),
        certificate=replace(certify(found), solver="newton (firth)"),
        estimate=found,
        recession=None,
    )
    share = sample.weight / blocks.total
    return Penalised(
        outcome=outcome,
        verdict=verdict,
        log_likelihood=outcome.log_likelihood + 0.5 * log_determinant(found),
        flic_intercept=float(coef[0]) + intercept_shift(blocks, eta) if scaling.intercept else None,
        observed_rate=float(share @ sample.y),
        mean_predicted_rate=float(share @ mean(eta)),
    )


def log_determinant(found: Estimate) -> float:
    """The log determinant of the Fisher information of the design's columns that are not aliased."""
    objective = found.objective
    assert isinstance(objective, Jeffreys)
    _, size = np.linalg.slogdet(found.back[found.keep])
    return objective.log_determinant(found.solution.coef) - 2.0 * float(size)


def intercept_shift(blocks: Blocks, eta: Floats) -> float:
    """What added to ``eta`` (n,) in every row makes the mean probability the observed rate: the ML intercept."""
    block = blocks.all
    alone = Blocks(Block(Dense(np.ones((blocks.n, 1))), block.y, block.weight, eta))
    return float(newton(Objective(alone), np.zeros(1), patient=True).coef[0])


def penalised_tests(sample: Sample, found: Estimate) -> tuple[PenalisedTest, ...]:
    """The penalised likelihood-ratio test of each term, in the formula's order; see :func:`penalised_test`."""
    return tuple(
        PenalisedTest(term, *penalised_test(found, np.arange(len(found.keep))[place]))
        for term, place in sample.columns.items()
    )


def penalised_test(found: Estimate, columns: NDArray[np.intp]) -> tuple[float, int, float]:
    r"""Twice the penalised log-likelihood that is lost when ``columns`` of the design have coefficients of zero.

    .. math:: 2 [l^*(\hat w) - \max_{w_J = 0} l^*(w)], \quad l^*(w) = l(w) + \tfrac12 \log |X^T W(w) X|

    with the information of the whole design on both sides, as logistf. Returns (statistic, df, p-value); NaN where all
    the columns are aliased.
    """
    kept = columns[found.keep[columns]]
    if not len(kept):
        return math.nan, 0, math.nan
    held = constrained(found, found.back[kept], np.zeros(len(kept)))
    statistic = max(2.0 * found.objective.total * (held.loss - found.solution.loss), 0.0)
    return statistic, len(kept), chi2_p(statistic, len(kept))


@dataclass(frozen=True)
class Constrained:
    """The best coefficients (k,) under a constraint, their objective, and how it falls along the constraint (m,)."""

    coef: Floats
    loss: float
    slope: Floats
    settled: bool


def constrained(
    found: Estimate, rows: Floats, values: Floats, near: Sequence[Floats] = (), *, rest: float = 0.0
) -> Constrained:
    """The maximum of the penalised likelihood with ``rows`` (m, k) times the solver's coefficients at ``values`` (m,).

    With a coefficient held two maxima are common where the outcome is separated, and the higher one counts: the search
    begins at each of ``near`` (k,), and in small tables at the estimate and at zero too. A decrement of ``rest`` is
    good enough.
    """
    objective = found.objective
    assert isinstance(objective, Jeffreys)
    size = np.abs(rows).max(axis=1)  # of columns in the order of 1e300 the squares are no numbers
    rows, values = rows / size[:, None], values / size
    aside = solve(found.solution.curvature, rows.T)
    across = aside @ np.linalg.inv(rows @ aside)
    small = objective.blocks.n * objective.p**3 <= SMALL
    peak = found.solution.coef
    ends: list[tuple[Solution, Floats]] = []
    starts = [*near, peak, np.zeros(objective.p)] if small else [*near] if near else [peak]
    for place, start in enumerate(starts):
        held = hold(objective, rows, values, start + across @ (values - rows @ start))
        u = np.zeros(held.free.shape[1])
        if len(u) == 0 or not np.isfinite(held(u, 0).loss):
            continue
        solution = maximise(held, u if place < len(near) or not small else scored(held, u), rest=rest)
        ends.append((solution, held.at(solution.coef)))
    if not ends:
        v = hold(objective, rows, values, peak).origin
        value = objective(v, 1)
        slope = _slope(rows, np.asarray(value.gradient)) / size
        return Constrained(v, float(value.loss), slope, len(rows) == objective.p)
    best, v = min(ends, key=lambda end: end[0].loss)
    slope = _slope(rows, np.asarray(objective(v, 1).gradient)) / size
    return Constrained(v, best.loss, slope, best.converged)


def _slope(rows: Floats, gradient: Floats) -> Floats:
    """How the constrained objective changes with each constraint's value (Lagrange's multipliers)."""
    if not np.isfinite(gradient).all():
        return np.full(len(rows), np.nan)
    return np.asarray(np.linalg.lstsq(rows.T, gradient, rcond=None)[0], dtype=np.float64)
