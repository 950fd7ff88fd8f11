"""From learned rows to a model: the verdict and the estimate, their table, and what sums up the rows."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import Blocks
from passline.engine.columns import Dense
from passline.engine.objective import Objective
from passline.engine.penalty import Penalty
from passline.engine.threads import blas_alone, limited
from passline.errors import OptionError, TooManyColumnsError
from passline.evaluation.discrimination import auc
from passline.inference.errors import DISPERSIONS, Errors, errors_of, no_errors, own_errors
from passline.inference.existence import Outcome, log_likelihood, maximum_likelihood
from passline.inference.firth import Penalised
from passline.inference.firth import penalised as penalised_fit
from passline.inference.firth_profile import firth_profiles
from passline.inference.profile import profiles
from passline.inference.robust import check_kind
from passline.inference.sample import Sample, make_sample
from passline.inference.verdict import describe
from passline.inference.wald import normal_quantile, p_values, quantile
from passline.model import Model, Terms, number
from passline.solvers.base import Report
from passline.solvers.estimate import Solver
from passline.solvers.newton import newton
from passline.table.design import Learned

Floats = NDArray[np.float64]

# Above this share of rows left out as incomplete, what is left may no longer be what one asked about.
DROPPED_SHARE = 0.05
SOLVERS: tuple[Solver, ...] = get_args(Solver)


@dataclass(frozen=True)
class Options:
    """What is asked of a fit beside its formula and data; checked when made.

    ``estimator``: "ml", or "firth" (Jeffreys' prior). ``level``: of the intervals, in (0, 1). ``interval``: "wald" or
    "profile". ``robust``: None, or "hc0" to "hc3". ``dispersion``: "one", or "estimated" from grouped rows. ``roles``:
    the columns that play one, and "" for arrays that do. ``solver``: one of ``SOLVERS``. ``threads``: None for all
    processors. Raises OptionError.
    """

    estimator: str = "ml"
    penalty: Penalty | None = None
    level: float = 0.95
    interval: str = "wald"
    robust: str | None = None
    dispersion: str = "one"
    roles: Mapping[str, str] = field(default_factory=dict)
    solver: Solver = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        self._check_work()
        if self.estimator not in ("ml", "firth"):
            raise OptionError(f"the estimator is {self.estimator!r}: choose 'ml' or 'firth'")
        if self.estimator == "firth" and self.penalty:
            raise OptionError(
                "Jeffreys' prior (firth) is a penalty already, with its own tests and intervals: leave l1 and l2 out, "
                "or take estimator='ml' with them"
            )
        if self.interval not in ("wald", "profile"):
            raise OptionError(f"the interval is {self.interval!r}: choose 'wald' or 'profile'")
        if self.interval == "profile" and self.penalty:
            raise OptionError(
                "a penalised fit (l1, l2) has no profile intervals: leave the penalty or the intervals out"
            )
        normal_quantile(self.level)
        if self.robust is not None:
            check_kind(self.robust, clustered="cluster" in self.roles)
        if self.dispersion not in DISPERSIONS:
            raise OptionError(f"the dispersion is {self.dispersion!r}: choose one of {', '.join(DISPERSIONS)}")
        asked = self.robust is not None or "cluster" in self.roles or self.dispersion != "one"
        if self.interval == "profile" and asked:
            raise OptionError(
                "profile intervals are those of the likelihood, which knows of no robust covariance and no dispersion: "
                "choose interval='wald' with them"
            )
        if asked and self.penalty:
            raise OptionError("a penalised estimate has no standard errors, robust or not: leave the penalty out")
        if asked and self.estimator != "ml":
            raise OptionError(
                "robust errors, clusters and an estimated dispersion are those of maximum likelihood: choose "
                "estimator='ml' with them"
            )

    def _check_work(self) -> None:
        if self.solver not in SOLVERS:
            raise OptionError(f"the solver is {self.solver!r}: choose one of {', '.join(SOLVERS)}")
        if self.estimator == "firth" and self.solver not in ("auto", "newton"):
            raise OptionError(f"Jeffreys' prior (firth) is maximised by Newton's method, not by {self.solver!r}")
        if self.penalty and self.penalty.l1 and self.solver != "auto":
            raise OptionError(f"a penalty with l1 has a solver of its own, not {self.solver!r}: leave solver at 'auto'")
        if self.threads is not None and (not isinstance(self.threads, int) or self.threads < 1):
            raise OptionError(f"threads is {self.threads!r}: give a whole number from 1 on, or None for all processors")


@dataclass(frozen=True)
class Fitted:
    """A model with the rows and the estimate behind it, as they were ``options``; rows that repeat may be held once."""

    model: Model
    learned: Learned
    sample: Sample
    outcome: Outcome
    options: Options

    @cached_property
    def by_row(self) -> Fitted:
        """The same with each row of the data by itself, for what is said of single rows or depends on their order."""
        learned = self.learned.by_row()
        return self if learned is self.learned else replace(fit_rows(learned, self.options), model=self.model)


def fit_rows(learned: Learned, options: Options, report: Report | None = None) -> Fitted:
    """Fit the rows of a learned design.

    Raises TooManyColumnsError where columns outnumber rows and no penalty holds the estimate.
    """
    with limited(options.threads), blas_alone():
        return _fit_rows(learned, options, report)


def _fit_rows(learned: Learned, options: Options, report: Report | None) -> Fitted:
    begin = time.perf_counter()
    penalised = bool(options.penalty)
    _check_columns(learned, penalised)
    sample, rows = make_sample(learned)
    firth = under_jeffreys_prior(sample, report) if options.estimator == "firth" else None
    if firth is None:
        outcome = verdict = maximum_likelihood(
            sample.blocks, sample.scaling, options.penalty, solver=options.solver, report=report
        )
    else:
        outcome, verdict = firth.outcome, firth.verdict
    if penalised:
        errors = no_errors(len(outcome.coef))
    elif firth is not None:
        errors = own_errors(outcome)
    else:
        errors = errors_of(sample, outcome, options.robust, options.dispersion)
    names = sample.names
    certificate = _certificate(outcome, sample.blocks, time.perf_counter() - begin)
    terms = wald_terms(names, outcome, errors, options.level)
    if options.interval == "profile":
        terms = profile_terms(terms, sample, outcome, options)
    model = Model(
        design=learned.design,
        terms=terms,
        coef=outcome.coef,
        average=sample.scaling.average,
        covariance=errors.covariance,
        directions=np.zeros((0, len(names))) if outcome.recession is None else outcome.recession.directions,
        estimator=options.estimator,
        level=options.level,
        rows={"read": learned.read, "used": learned.used, "dropped": learned.dropped, "patterns": learned.rows.size},
        glance=glance(outcome, sample, errors, penalised=penalised or firth is not None) | firth_glance(firth, sample),
        certificate=certificate,
        separation={
            "kind": "none" if verdict.recession is None else verdict.recession.kind,
            "terms": [
                name for name, word in zip(names, verdict.status, strict=True) if word in ("infinite", "undetermined")
            ],
        },
        summaries=rows.summaries(),
        settings=settings(options, errors, firth),
        warnings=(*_warnings(learned, sample, outcome), *errors.notes),
    )
    return Fitted(model, learned, sample, outcome, options)


def settings(options: Options, errors: Errors, firth: Penalised | None) -> dict[str, Any]:
    """What a saved model says of how it was made, so that it can meet its rows again."""
    return {
        "l1": options.penalty.l1 if options.penalty else 0.0,
        "l2": options.penalty.l2 if options.penalty else 0.0,
        "interval": options.interval,
        "robust": errors.robust,
        "clusters": errors.clusters,
        "dispersion": options.dispersion,
        "df": errors.df,
        "roles": dict(options.roles),
        "flic_intercept": None if firth is None else firth.flic_intercept,
    }


def wald_terms(names: tuple[str, ...], outcome: Outcome, errors: Errors, level: float) -> Terms:
    """The coefficient table with Wald's statistics; nothing where an estimate or its error does not exist."""
    z = quantile(level, errors.df)
    ok = np.array([word == "ok" for word in outcome.status])
    value = np.where(ok | (np.array(outcome.status) == "zero"), outcome.coef, np.nan)
    error = np.where(ok, errors.std_error, np.nan)
    statistic = value / error
    return Terms(
        names=names,
        estimate=value,
        std_error=error,
        statistic=statistic,
        p_value=p_values(statistic, errors.df),
        conf_low=value - z * error,
        conf_high=value + z * error,
        status=outcome.status,
        limit=outcome.limit,
    )


def profile_terms(terms: Terms, sample: Sample, outcome: Outcome, options: Options) -> Terms:
    """The table with profile intervals, and the p-values of the (penalised) likelihood-ratio tests beside them."""
    if options.estimator == "firth":
        assert outcome.estimate is not None
        ends = firth_profiles(outcome.estimate, options.level)
        return replace(terms, conf_low=ends.conf_low, conf_high=ends.conf_high, p_value=ends.p_value)
    found = profiles(sample, outcome, options.level)
    return replace(terms, conf_low=found.conf_low, conf_high=found.conf_high, p_value=found.p_value)


def under_jeffreys_prior(sample: Sample, report: Report | None = None) -> Penalised:
    """Firth's estimate; raises OptionError where sampling weights leave no likelihood to penalise."""
    if sample.sampling is not None:
        raise OptionError(
            "Jeffreys' prior (firth) penalises a likelihood, and sampling weights make none: choose estimator='ml' "
            "with them, or give weights if these are counts of equal rows"
        )
    return penalised_fit(sample, report)


def firth_glance(firth: Penalised | None, sample: Sample) -> dict[str, Any]:
    """What a fit under Jeffreys' prior says beyond the others: its own likelihood, and how far predictions miss."""
    if firth is None:
        return {}
    return {
        "penalised_log_likelihood": firth.log_likelihood + sample.log_constant(),
        "observed_rate": firth.observed_rate,
        "mean_predicted_rate": firth.mean_predicted_rate,
    }


def glance(outcome: Outcome, sample: Sample, errors: Errors, *, penalised: bool) -> dict[str, Any]:
    """One row a model: what R's glm prints under its table; ``dispersion`` is Pearson's, of grouped rows.

    Sampling weights make no likelihood, so everything that is one, or built on one, is None; an estimated dispersion
    leaves no criterion of information.
    """
    blocks, n, rank = sample.blocks, sample.nobs, outcome.rank
    saturated = sample.saturated()
    deviance = 2.0 * (saturated - outcome.log_likelihood)
    null = 2.0 * (saturated - null_log_likelihood(blocks, sample.scaling.intercept))
    log_like = outcome.log_likelihood + sample.log_constant()
    likely = sample.sampling is None
    informed = likely and not penalised and errors.df is None
    found: dict[str, Any] = {
        "nobs": n,
        "rank": rank,
        "log_likelihood": log_like if likely else None,
        "null_deviance": null if likely else None,
        "deviance": deviance if likely else None,
        "df_residual": n - rank,
        "aic": 2.0 * (rank - log_like) if informed else None,
        "bic": rank * math.log(n) - 2.0 * log_like if informed else None,
        "auc_apparent": number(auc(outcome.eta, blocks.all.y, blocks.all.weight)),
    }
    # Beside the interface's own keys, where there is one: single rows have no dispersion.
    return found | ({} if errors.dispersion is None else {"dispersion": number(errors.dispersion)})


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
        "gap": proof.gap,
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
        found.append(describe(learned.design, sample, outcome.recession, outcome.status))
    return found


def _check_columns(learned: Learned, penalised: bool) -> None:
    n, p = learned.used, len(learned.design.names)
    if p > n and not penalised:
        widest = max(learned.design.terms, key=lambda term: len(term.names))
        raise TooManyColumnsError(
            f"the formula makes {p} columns, and {n} {'row is' if n == 1 else 'rows are'} complete: no estimate is "
            f"unique. The widest term is {widest.text} with {len(widest.names)} columns; leave terms out, or add a "
            "penalty (l1 or l2)"
        )


def check_missing(missing: str) -> None:
    """Raise OptionError for a word that says nothing of incomplete rows."""
    if missing not in ("drop", "error"):
        raise OptionError(f"missing is {missing!r}: choose 'drop' or 'error'")


def refuse_dropped(learned: Learned, label: str) -> None:
    """Raise OptionError where rows were left out as incomplete."""
    if learned.dropped:
        raise OptionError(
            f"{learned.dropped} of {learned.read} rows of {label} are incomplete, and missing='error' asks for none: "
            "fill them, or use missing='drop'"
        )
