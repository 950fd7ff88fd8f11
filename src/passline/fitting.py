"""From learned rows to a model: the verdict and the estimate, their table, and what sums up the rows."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import Block, Blocks
from passline.engine.penalty import Penalty
from passline.engine.scaling import Scaling, assemble
from passline.errors import TooManyColumnsError
from passline.evaluation.discrimination import auc
from passline.inference.existence import Outcome, log_likelihood, maximum_likelihood
from passline.inference.verdict import describe
from passline.inference.wald import normal_quantile, p_values
from passline.model import Model, Terms, number
from passline.solvers.base import Report
from passline.table.design import Learned
from passline.table.summary import summarise

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """The rows of a fit, ready for a solver: what inference that needs rows works on; never saved."""

    learned: Learned
    blocks: Blocks
    scaling: Scaling


@dataclass(frozen=True)
class Fitted:
    """A model with the rows and the estimate behind it."""

    model: Model
    sample: Sample
    outcome: Outcome


def fit_rows(
    learned: Learned, *, penalty: Penalty | None = None, level: float = 0.95, report: Report | None = None
) -> Fitted:
    """Fit the rows of a learned design.

    Raises TooManyColumnsError where columns outnumber rows and no penalty holds the estimate, OptionError for a level
    outside (0, 1).
    """
    begin = time.perf_counter()
    z = normal_quantile(level)
    _check_columns(learned, penalty)
    design = learned.design
    n, p = learned.used, len(design.names)
    columns, scaling = assemble(design.groups(learned.rows), p, n, design.intercept, None)
    blocks = Blocks(Block(columns, learned.y))
    outcome = maximum_likelihood(blocks, scaling, penalty, report)
    sample = Sample(learned, blocks, scaling)
    warnings = list(learned.notes)
    if outcome.recession is not None:
        warnings.append(describe(design, blocks, scaling, outcome.recession, outcome.status))
    covariance = np.full((p, p), np.nan) if penalty else outcome.covariance
    model = Model(
        design=design,
        terms=wald_terms(design.names, outcome, covariance, z),
        coef=outcome.coef,
        covariance=covariance,
        directions=np.zeros((0, p)) if outcome.recession is None else outcome.recession.directions,
        estimator="ml",
        level=level,
        rows={"read": learned.read, "used": n, "dropped": learned.dropped, "patterns": n},
        glance=glance(outcome, sample, penalised=bool(penalty)),
        certificate=certificate(outcome, blocks, time.perf_counter() - begin),
        separation={
            "kind": "none" if outcome.recession is None else outcome.recession.kind,
            "terms": [
                name
                for name, word in zip(design.names, outcome.status, strict=True)
                if word in ("infinite", "undetermined")
            ],
        },
        summaries=summarise(learned),
        settings={"l2": penalty.l2 if penalty else 0.0, "interval": "wald"},
        warnings=tuple(warnings),
    )
    return Fitted(model, sample, outcome)


def wald_terms(names: tuple[str, ...], outcome: Outcome, covariance: Floats, z: float) -> Terms:
    """The coefficient table with Wald's statistics; nothing where an estimate or its error does not exist."""
    ok = np.array([word == "ok" for word in outcome.status])
    value = np.where(ok, outcome.coef, np.nan)
    error = np.sqrt(np.where(ok, np.diagonal(covariance), np.nan))
    if not np.isnan(covariance).all():
        # At 1e300 a variance is zero and at 1e-300 infinite, and the standard error is neither.
        error = np.where(ok & ~((error > 0) & np.isfinite(error)), outcome.std_error, error)
    statistic = value / error
    return Terms(
        names=names,
        estimate=value,
        std_error=error,
        statistic=statistic,
        p_value=p_values(statistic),
        conf_low=value - z * error,
        conf_high=value + z * error,
        status=outcome.status,
        limit=outcome.limit,
    )


def glance(outcome: Outcome, sample: Sample, *, penalised: bool) -> dict[str, Any]:
    """One row a model: what R's glm prints under its table."""
    blocks = sample.blocks
    n, rank, deviance = int(blocks.total), outcome.rank, -2.0 * outcome.log_likelihood
    return {
        "nobs": n,
        "rank": rank,
        "log_likelihood": outcome.log_likelihood,
        "null_deviance": -2.0 * null_log_likelihood(blocks, sample.scaling.intercept),
        "deviance": deviance,
        "df_residual": n - rank,
        "aic": None if penalised else deviance + 2 * rank,
        "bic": None if penalised else deviance + rank * math.log(n),
        "auc_apparent": number(auc(outcome.eta, blocks.all.y)),
    }


def null_log_likelihood(blocks: Blocks, intercept: bool) -> float:
    """The log-likelihood of the intercept alone (of no term at all where there is none)."""
    p = float(blocks.all.y.mean()) if intercept else 0.5
    return log_likelihood(blocks, np.full(blocks.n, math.log(p / (1 - p))))


def certificate(outcome: Outcome, blocks: Blocks, seconds: float) -> dict[str, Any]:
    """What proves the estimate: the exact gradient, the step that is left, and the passes they took.

    Where every row is separated the supremum itself is the answer, and nothing is left to certify.
    """
    certified = outcome.certified
    return {
        "converged": certified is None or certified.solution.converged,
        "gradient_norm": 0.0 if certified is None else certified.gradient_norm,
        "max_step_in_se": 0.0 if certified is None else certified.max_step_in_se,
        "gap": None,
        "passes": blocks.passes,
        "solver": "newton",
        "seconds": seconds,
    }


def _check_columns(learned: Learned, penalty: Penalty | None) -> None:
    n, p = learned.used, len(learned.design.names)
    if p > n and not penalty:
        widest = max(learned.design.terms, key=lambda term: len(term.names))
        raise TooManyColumnsError(
            f"the formula makes {p} columns, and {n} {'row is' if n == 1 else 'rows are'} complete: no estimate is "
            f"unique. The widest term is {widest.text} with {len(widest.names)} columns; leave terms out, or add a "
            "penalty (l2)"
        )
