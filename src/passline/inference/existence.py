"""The estimate where it exists, and where it does not what remains of it: the limiting model and its limits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import Block, Blocks
from passline.engine.likelihood import bernoulli
from passline.engine.penalty import Penalty
from passline.engine.scaling import Scaling
from passline.inference.separation import Recession, recession
from passline.solvers.base import Report, Status
from passline.solvers.estimate import Estimate, Solver, estimate

Floats = NDArray[np.float64]
TermStatus = Literal["ok", "aliased", "infinite", "undetermined", "zero"]

# What a term adds to a direction, against what the largest adds, on average over the rows.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Certificate:
    """What proves an estimate: its exact gradient (with respect to standardised columns) and the step that is left.

    ``gap``: under an l1 penalty what the mean objective is above its minimum at most. Where every row is separated the
    supremum itself is the answer, and nothing is left to certify.
    """

    converged: bool = True
    gradient_norm: float = 0.0
    max_step_in_se: float = 0.0
    solver: str = "newton"
    gap: float | None = None


@dataclass(frozen=True)
class Outcome:
    """An estimate with its verdict.

    ``coef``: (p,) finite, zero where aliased; under separation those of the limiting model, on the rows that no
    direction separates. ``covariance``: (p, p), NaN where none exists; ``std_error``: (p,), as exact where a column's
    unit has no square. ``eta``: (n,), +-inf in separated rows. ``log_likelihood``: without the binomial coefficients
    of grouped rows. ``estimate``: the one whose gradient vanishes (None where every row is separated).
    ``recession``: None where the estimate exists.
    """

    coef: Floats
    covariance: Floats
    std_error: Floats
    status: tuple[TermStatus, ...]
    limit: tuple[str | None, ...]
    eta: Floats
    log_likelihood: float
    rank: int
    certificate: Certificate
    estimate: Estimate | None
    recession: Recession | None


def maximum_likelihood(
    blocks: Blocks,
    scaling: Scaling,
    penalty: Penalty | None = None,
    *,
    solver: Solver = "auto",
    report: Report | None = None,
) -> Outcome:
    """Maximise the (penalised) likelihood; where it has no maximum, decide so by linear programmes and take the limit.

    The log-likelihood is then its supremum: separated rows contribute nothing, the others their maximum. Source:
    Albert and Anderson (1984), Biometrika 71; Konis (2007), thesis, Oxford.
    """
    first = estimate(blocks, scaling, penalty, solver=solver, report=report)
    if first.solution.status is Status.DIVERGING:
        found = recession(first.objective.blocks, first.back)
        if found.kind != "none":
            return _limiting(blocks, scaling, first, found)
        first = estimate(blocks, scaling, penalty, solver=solver, patient=True, report=report)
    eta = linear_predictor(first)
    status = tuple(map(_word, first.keep.tolist(), first.dropped.tolist()))
    return Outcome(
        coef=np.nan_to_num(first.coef),
        covariance=first.covariance,
        std_error=first.std_error,
        status=status,
        limit=(None,) * len(status),
        eta=eta,
        log_likelihood=first.log_likelihood,
        rank=int((first.keep & ~first.dropped).sum()),
        certificate=certify(first),
        estimate=first,
        recession=None,
    )


def certify(found: Estimate) -> Certificate:
    """The certificate of a solver's estimate."""
    solution = found.solution
    return Certificate(solution.converged, found.gradient_norm, found.max_step_in_se, solution.solver, found.gap)


def linear_predictor(found: Estimate) -> Floats:
    """The linear predictor of each row of an estimate, (n,)."""
    eta: Floats = found.objective.blocks.each_row(Block.eta, found.solution.coef)
    return eta


def log_likelihood(blocks: Blocks, eta: Floats) -> float:
    """The log-likelihood of the rows at ``eta`` (n,); a row sent to infinity by its own outcome contributes nothing."""
    loss, _, _ = bernoulli(np.where(np.isinf(eta), 0.0, eta), blocks.all.y)
    loss = np.where(np.isinf(eta), 0.0, loss)
    return 0.0 - float(loss.sum() if blocks.all.weight is None else blocks.all.weight @ loss)


def _limiting(blocks: Blocks, scaling: Scaling, first: Estimate, found: Recession) -> Outcome:
    p = scaling.p
    status = tuple(_status(kept, move) for kept, move in zip(first.keep, found.moves, strict=True))
    ok = np.array([word == "ok" for word in status])
    eta = np.where(blocks.all.y > 0.5, np.inf, -np.inf)
    coef, covariance, std_error, limiting = np.zeros(p), np.full((p, p), np.nan), np.full(p, np.nan), None
    rest = ~found.separated
    if blocks.all.weight is not None:
        rest &= blocks.all.weight > 0
    if rest.any():
        # Aliased columns differ here, but what no direction moves is the same however the others are chosen.
        limiting = estimate(blocks.select(np.flatnonzero(rest)), scaling, patient=True)
        coef = np.nan_to_num(limiting.coef)
        eta[rest] = linear_predictor(limiting)
        covariance[np.ix_(ok, ok)] = limiting.covariance[np.ix_(ok, ok)]
        std_error[ok] = limiting.std_error[ok]
    return Outcome(
        coef=coef,
        covariance=covariance,
        std_error=std_error,
        status=status,
        limit=tuple(_limit(word, move) for word, move in zip(status, found.moves, strict=True)),
        eta=eta,
        log_likelihood=log_likelihood(blocks, eta),
        rank=int(first.keep.sum()),
        certificate=Certificate() if limiting is None else certify(limiting),
        estimate=limiting,
        recession=replace(found, directions=_without_rounding(found.directions, scaling)),
    )


def _without_rounding(directions: Floats, scaling: Scaling) -> Floats:
    """Directions with zeros for terms that move rows less than rounding does, else one of these alone decides a row."""
    share = np.abs(directions) * np.hypot(scaling.spread, scaling.mean)
    return np.where(share <= ROUNDING * share.max(axis=1, keepdims=True), 0.0, directions)


def _word(kept: bool, dropped: bool) -> TermStatus:
    if not kept:
        return "aliased"
    return "zero" if dropped else "ok"


def _status(kept: bool, move: float) -> TermStatus:
    if not kept:
        return "aliased"
    if np.isnan(move):
        return "undetermined"
    return "infinite" if move else "ok"


def _limit(status: TermStatus, move: float) -> str | None:
    if status != "infinite":
        return None
    return "+inf" if move > 0 else "-inf"
