"""From learned rows to a model: the verdict and the estimate, their table, and what sums up the rows."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import Blocks
from passline.engine.columns import Dense
from passline.engine.objective import Objective
from passline.engine.penalty import Penalty
from passline.errors import OptionError, TooManyColumnsError
from passline.evaluation.discrimination import auc
from passline.inference.existence import Outcome, log_likelihood, maximum_likelihood
from passline.inference.sample import Sample, make_sample
from passline.inference.verdict import describe
from passline.inference.wald import normal_quantile, p_values
from passline.model import Model, Terms, number
from passline.solvers.base import Report
from passline.solvers.newton import newton
from passline.table.design import Learned

Floats = NDArray[np.float64]

# Above this share of rows left out as incomplete, what is left may no longer be what one asked about.
DROPPED_SHARE = 0.05


@dataclass(frozen=True)
class Options:
    """What is asked of a fit beside its formula and data; checked when made.

    ``estimator``: "ml". ``level``: of the intervals, in (0, 1). Raises OptionError.
    """

    estimator: str = "ml"
    penalty: Penalty | None = None
    level: float = 0.95

    def __post_init__(self) -> None:
        if self.estimator != "ml":
            raise OptionError(f"the estimator is {self.estimator!r}: choose 'ml'")
        normal_quantile(self.level)


@dataclass(frozen=True)
class Fitted:
    """A model with the rows and the estimate behind it."""

    model: Model
    learned: Learned
    sample: Sample
    outcome: Outcome


def fit_rows(learned: Learned, options: Options, report: Report | None = None) -> Fitted:
    """Fit the rows of a learned design.

    Raises TooManyColumnsError where columns outnumber rows and no penalty holds the estimate.
    """
    begin = time.perf_counter()
    penalised = bool(options.penalty)
    _check_columns(learned, penalised)
    sample, rows = make_sample(learned)
    outcome = maximum_likelihood(sample.blocks, sample.scaling, options.penalty, report)
    covariance = np.full_like(outcome.covariance, np.nan) if penalised else outcome.covariance
    names = sample.names
    model = Model(
        design=learned.design,
        terms=wald_terms(names, outcome, covariance, options.level),
        coef=outcome.coef,
        covariance=covariance,
        directions=np.zeros((0, len(names))) if outcome.recession is None else outcome.recession.directions,
        estimator=options.estimator,
        level=options.level,
        rows={"read": learned.read, "used": learned.used, "dropped": learned.dropped, "patterns": learned.used},
        glance=glance(outcome, sample, penalised=penalised),
        certificate=_certificate(outcome, sample.blocks, time.perf_counter() - begin),
        separation={
            "kind": "none" if outcome.recession is None else outcome.recession.kind,
            "terms": [
                name for name, word in zip(names, outcome.status, strict=True) if word in ("infinite", "undetermined")
            ],
        },
        summaries=rows.summaries(),
        settings={"l2": options.penalty.l2 if options.penalty else 0.0, "interval": "wald"},
        warnings=tuple(_warnings(learned, sample, outcome)),
    )
    return Fitted(model, learned, sample, outcome)


def wald_terms(names: tuple[str, ...], outcome: Outcome, covariance: Floats, level: float) -> Terms:
    """The coefficient table with Wald's statistics; nothing where an estimate or its error does not exist."""
    z = normal_quantile(level)
    ok = np.array([word == "ok" for word in outcome.status])
    value = np.where(ok, outcome.coef, np.nan)
    error = np.sqrt(np.where(ok, np.diagonal(covariance), np.nan))
    if not np.isnan(covariance).all():
        # At 1e300 a variance is zero or has lost its digits, at 1e-300 infinite, and the standard error is neither.
        error = np.where(ok & ~((error > 1e-140) & (error < 1e140)), outcome.std_error, error)
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
    """One row a model: what R's glm prints under its table.

    Sampling weights make no likelihood, so everything that is one, or built on one, is None.
    """
    blocks, n, rank = sample.blocks, sample.nobs, outcome.rank
    saturated = sample.saturated()
    deviance = 2.0 * (saturated - outcome.log_likelihood)
    null = 2.0 * (saturated - null_log_likelihood(blocks, sample.scaling.intercept))
    log_like = outcome.log_likelihood + sample.log_constant()
    likely = sample.sampling is None
    found: dict[str, Any] = {
        "nobs": n,
        "rank": rank,
        "log_likelihood": log_like if likely else None,
        "null_deviance": null if likely else None,
        "deviance": deviance if likely else None,
        "df_residual": n - rank,
        "aic": 2.0 * (rank - log_like) if likely and not penalised else None,
        "bic": rank * math.log(n) - 2.0 * log_like if likely and not penalised else None,
        "auc_apparent": number(auc(outcome.eta, blocks.all.y, blocks.all.weight)),
    }
    return found


def null_log_likelihood(blocks: Blocks, intercept: bool) -> float:
    """The log-likelihood of the intercept alone, the offset held (of no term at all where there is no intercept)."""
    block = blocks.all
    offset = np.zeros(blocks.n) if block.offset is None else block.offset
    if not intercept:
        return log_likelihood(blocks, offset)
    p = float(block.y.mean() if block.weight is None else block.weight @ block.y / block.weight.sum())
    if block.offset is None:
        return blocks.total * (p * math.log(p) + (1 - p) * math.log1p(-p))
    start = np.array([math.log(p / (1 - p))])
    alone = Objective(blocks.with_columns(Dense(np.ones((blocks.n, 1)))))
    return log_likelihood(blocks, offset + newton(alone, start, patient=True).coef[0])


def _certificate(outcome: Outcome, blocks: Blocks, seconds: float) -> dict[str, Any]:
    proof = outcome.certificate
    return {
        "converged": proof.converged,
        "gradient_norm": proof.gradient_norm,
        "max_step_in_se": proof.max_step_in_se,
        "gap": None,
        "passes": blocks.passes,
        "solver": proof.solver,
        "seconds": seconds,
    }


def _warnings(learned: Learned, sample: Sample, outcome: Outcome) -> list[str]:
    found = list(learned.notes)
    if learned.dropped > DROPPED_SHARE * learned.read:
        missing = {name: count for name, count in learned.rows.missing().items() if count}
        worst = sorted(missing, key=lambda name: -missing[name])[:3]
        listed = ", ".join(f"{name!r} ({missing[name]})" for name in worst)
        found.append(
            f"{learned.dropped} of {learned.read} rows ({100 * learned.dropped / learned.read:.0f} %) were left out "
            f"because a value is missing, most in {listed}: what is left may differ from what was asked about; look at "
            "why they are missing, or fill them in (multiple imputation)"
        )
    if outcome.recession is not None:
        found.append(describe(learned.design, sample.blocks, sample.scaling, outcome.recession, outcome.status))
    return found


def _check_columns(learned: Learned, penalised: bool) -> None:
    n, p = learned.used, len(learned.design.names)
    if p > n and not penalised:
        widest = max(learned.design.terms, key=lambda term: len(term.names))
        raise TooManyColumnsError(
            f"the formula makes {p} columns, and {n} {'row is' if n == 1 else 'rows are'} complete: no estimate is "
            f"unique. The widest term is {widest.text} with {len(widest.names)} columns; leave terms out, or add a "
            "penalty (l2)"
        )
