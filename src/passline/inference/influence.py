"""What single rows do to an estimate: leverage, Cook's distance, and how far each coefficient moves without a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import Block, Blocks
from passline.engine.likelihood import bernoulli, likelihood
from passline.inference.existence import Outcome
from passline.inference.residuals import deviance_residuals, pearson_residuals
from passline.inference.sample import Sample
from passline.solvers.linear import NotPositiveDefiniteError, inverse

Floats = NDArray[np.float64]
Residual = Literal["pearson", "deviance"]


@dataclass(frozen=True)
class Leverage:
    """What the diagonal of the hat matrix says of each row used, (n,) each; NaN where no covariance exists.

    ``hat``: of one unit of the row; times the counts they add up to the rank. ``se_fit``: of the linear predictor.
    ``cooks_distance``: how far all coefficients move together without the unit, in units of their own covariance.
    """

    hat: Floats
    se_fit: Floats
    cooks_distance: Floats


def leverage(sample: Sample, outcome: Outcome) -> Leverage:
    r"""Leverage, standard error of the linear predictor and Cook's distance of each row.

    .. math:: h_i = c_i \mu_i (1 - \mu_i) x_i^T V x_i, \quad
        D_i = \frac{r_i^2}{k} \frac{h_i}{(1 - h_i)^2}

    with r Pearson's residuals, k the rank, and c the trials of a row (its counts enter V alone: what is left out is one
    of the equal rows). NaN under separation and under a penalty. Source: Pregibon (1981), Annals of Statistics 9;
    R's hatvalues and cooks.distance.
    """
    n = sample.blocks.n
    ground = _ground(sample, outcome)
    if ground is None:
        return Leverage(*(np.full(n, np.nan) for _ in range(3)))
    _, _, d = bernoulli(outcome.eta, sample.y)
    q = ground.blocks.each_row(_quadratic, ground.root)
    h = np.minimum(_size(sample) * d * q, 1.0)
    r = pearson_residuals(sample, outcome)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = r**2 * h / ((1.0 - h) ** 2 * outcome.rank)
    return Leverage(h, np.sqrt(q), np.where(h < 1.0, distance, np.nan))


def dfbeta(sample: Sample, outcome: Outcome, rows: NDArray[np.intp] | None = None) -> Floats:
    r"""How far each coefficient moves by one unit of a row: the estimate with it less the estimate without it, (n, p).

    .. math:: \hat w - \hat w_{(i)} \approx V x_i \frac{c_i (y_i - \mu_i)}{1 - h_i}

    One Newton step from the estimate, for the rows numbered ``rows`` (all, if None). NaN in aliased columns, and where
    no covariance exists. Source: Pregibon (1981), Annals of Statistics 9.
    """
    rows = np.arange(sample.blocks.n) if rows is None else rows
    out = np.full((len(rows), sample.scaling.p), np.nan)
    ground = _ground(sample, outcome)
    if ground is None:
        return out
    _, residual, _ = bernoulli(outcome.eta, sample.y)
    h = leverage(sample, outcome).hat
    with np.errstate(divide="ignore", invalid="ignore"):
        push = np.where(h < 1.0, -_size(sample) * residual / (1.0 - h), np.nan)
    Z = ground.blocks.all.columns.rows(rows).dense()
    moved = Z @ (ground.root @ ground.root.T @ ground.back.T) * push[rows, None]
    return np.where(_kept(outcome), moved, np.nan)


def dfbetas(sample: Sample, outcome: Outcome, residual: Residual = "pearson") -> Floats:
    r"""The changes :func:`dfbeta` in standard errors of the coefficients, (n, p).

    ``residual="pearson"`` is the one Newton step, in the model's own standard errors. ``"deviance"`` is what R's
    dfbetas prints for a glm: deviance residuals in place of Pearson's, over a scale estimated without the row,

    .. math:: s_{(i)}^2 = \frac{\sum_j e_j^2 - e_i^2 / (1 - h_i)}{n - k - 1}

    Source: Belsley, Kuh and Welsch, Regression Diagnostics (1980), 2.1; R's influence.glm.
    """
    change = dfbeta(sample, outcome)
    error = np.sqrt(np.where(_kept(outcome), np.diagonal(outcome.covariance), np.nan))
    moved: Floats = change / error
    if residual == "pearson":
        return moved
    e, r = deviance_residuals(sample, outcome), pearson_residuals(sample, outcome)
    h = leverage(sample, outcome).hat
    freedom = sample.nobs - outcome.rank - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.sqrt((sample.units @ e**2 - e**2 / (1.0 - h)) / freedom if freedom > 0 else np.nan)
        ratio = np.where(r == 0.0, 0.0, e / r)
        found: Floats = moved * (ratio / scale)[:, None]
    return found


@dataclass(frozen=True)
class _Ground:
    """The columns that an estimate stands on, a root of their inverse information, and the way to the design's."""

    blocks: Blocks
    root: Floats  # (k, k), root root' = inverse information
    back: Floats  # (p, k)


def _ground(sample: Sample, outcome: Outcome) -> _Ground | None:
    found = outcome.estimate
    if found is None or outcome.recession is not None or found.penalised:
        return None
    blocks = found.objective.blocks
    assert blocks.n == sample.blocks.n
    information = blocks.sum(likelihood, found.solution.coef, 2).curvature
    assert information is not None
    try:
        root = np.asarray(np.linalg.cholesky(inverse(information)), dtype=np.float64)
    except (NotPositiveDefiniteError, np.linalg.LinAlgError):
        return None
    return _Ground(blocks, root, found.back)


def _kept(outcome: Outcome) -> NDArray[np.bool_]:
    return np.array([word == "ok" for word in outcome.status])


def _size(sample: Sample) -> Floats:
    """What one unit of a row weighs in the likelihood: all but the counts, (n,)."""
    return sample.weight / sample.units


def _quadratic(block: Block, root: Floats) -> Floats:
    half: Floats = block.columns.times(root)
    q: Floats = np.square(half).sum(axis=1)
    return q
