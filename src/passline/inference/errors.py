"""Which covariance a fit reports: the model's, a sandwich, or the model's times an estimated dispersion."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passline.engine.likelihood import mean
from passline.errors import OptionError
from passline.inference.existence import Outcome
from passline.inference.robust import check_kind, clusters_of, limiting_rows, robust_errors
from passline.inference.sample import Sample
from passline.inference.wald import chi2_p

Floats = NDArray[np.float64]
DISPERSIONS = ("one", "estimated")

# Below about forty clusters a sandwich is too small more often than not (Angrist and Pischke 2009, chapter 8).
FEW_CLUSTERS = 40
# The chi-squared reference of Pearson's statistic needs some expected successes and failures a row (Cochran 1954).
EXPECTED, OVERDISPERSED_P = 1.0, 1e-3


@dataclass(frozen=True)
class Errors:
    """The covariance (p, p) and the standard errors (p,), and what a reader should know of them.

    ``std_error`` is exact also where a column's unit has no square. ``robust``: None or the kind of sandwich;
    ``clusters``: how many, 0 without; ``df``: of Student's t where the dispersion is estimated, else None for the
    normal; ``dispersion``: Pearson's X^2 / df of grouped rows, else None.
    """

    covariance: Floats
    std_error: Floats
    robust: str | None
    clusters: int
    df: float | None
    dispersion: float | None
    notes: tuple[str, ...] = ()


def own_errors(outcome: Outcome) -> Errors:
    """Those of the estimator itself."""
    return Errors(outcome.covariance, outcome.std_error, None, 0, None, None)


def no_errors(p: int) -> Errors:
    """What a penalised estimate has."""
    return Errors(np.full((p, p), np.nan), np.full(p, np.nan), None, 0, None, None)


@dataclass(frozen=True)
class Pearson:
    """Pearson's goodness of fit of grouped rows: X^2, its degrees of freedom, the least expected count on average."""

    statistic: float
    df: int
    expected: float

    @property
    def dispersion(self) -> float:
        """X^2 / df; NaN without a degree of freedom."""
        return self.statistic / self.df if self.df > 0 else math.nan


def errors_of(sample: Sample, outcome: Outcome, robust: str | None, dispersion: str) -> Errors:
    """The covariance that was asked for; sampling weights and clusters mean a sandwich, hc0 unless another is named.

    Raises OptionError for words not listed, for robust with an estimated dispersion, and for an estimated dispersion
    of rows without trials.
    """
    clustered = sample.cluster is not None
    if robust is None and (clustered or sample.sampling is not None):
        robust = "hc0"
    if robust is not None:
        check_kind(robust, clustered=clustered)
    _check_dispersion(sample, robust, dispersion)
    fit = pearson(sample, outcome) if sample.grouped else None
    phi = None if fit is None else fit.dispersion
    clusters = clusters_of(sample, outcome)
    if robust is not None:
        notes = (_few(clusters),) if clustered and clusters < FEW_CLUSTERS else ()
        return Errors(*robust_errors(sample, outcome, robust, sample.cluster), robust, clusters, None, phi, notes)
    V, error = outcome.covariance, outcome.std_error
    if fit is None or phi is None:
        return own_errors(outcome)
    if dispersion == "estimated":
        if math.isnan(phi):
            raise OptionError(
                "dispersion='estimated': as many columns as rows, so nothing is left to estimate a dispersion from"
            )
        return Errors(V * phi, error * math.sqrt(phi), None, 0, float(fit.df), phi)
    return Errors(V, error, None, 0, None, phi, _overdispersed(fit))


def pearson(sample: Sample, outcome: Outcome) -> Pearson:
    r"""Pearson's statistic over units with a trial: R's dispersion of quasibinomial is X^2 / df.

    .. math:: X^2 = \sum_i m_i (y_i - \mu_i)^2 / (\mu_i (1 - \mu_i)), \quad df = n - k

    Under separation over the rows that nothing separates. Source: McCullagh and Nelder (1989), 4.5.
    """
    rows = limiting_rows(sample, outcome)
    rows = rows[sample.weight[rows] > 0]
    if outcome.estimate is None or not len(rows):
        return Pearson(math.nan, 0, 0.0)
    mu = mean(outcome.eta[rows])
    variance = mu * (1.0 - mu)
    weight, units = sample.weight[rows], sample.units[rows]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.square(sample.y[rows] - mu) / variance
    # A probability of 0 or 1 to rounding that agrees with its outcome has nothing to add.
    share = np.where((variance == 0) & (np.abs(sample.y[rows] - mu) < 1e-300), 0.0, share)
    trials = weight / units
    expected = float(units @ (trials * np.minimum(mu, 1.0 - mu)) / units.sum())
    return Pearson(float(weight @ share), int(units.sum()) - int(outcome.estimate.keep.sum()), expected)


def _check_dispersion(sample: Sample, robust: str | None, dispersion: str) -> None:
    if dispersion not in DISPERSIONS:
        raise OptionError(f"the dispersion is {dispersion!r}: choose one of {', '.join(DISPERSIONS)}")
    if dispersion == "one":
        return
    if sample.trials is None:
        raise OptionError(
            "dispersion='estimated' needs rows of several trials (trials): a single yes or no is never overdispersed"
        )
    if robust is not None:
        raise OptionError(
            "dispersion='estimated' and a robust covariance exclude each other: each is a cure for variance that the "
            "model does not have; choose one"
        )


def _few(clusters: int) -> str:
    return (
        f"{clusters} clusters: robust standard errors are on average too small with fewer than {FEW_CLUSTERS}; read "
        "intervals that barely exclude zero with care"
    )


def _overdispersed(fit: Pearson) -> tuple[str, ...]:
    if fit.df <= 0 or fit.expected < EXPECTED or not math.isfinite(fit.statistic):
        return ()
    p = chi2_p(fit.statistic, fit.df)
    if p >= OVERDISPERSED_P or fit.dispersion <= 1.0:
        return ()
    return (
        f"the rows vary more than their trials explain: Pearson's X^2 is {fit.statistic:.4g} on {fit.df} degrees of "
        f"freedom, {fit.dispersion:.3g} times what it should be, so standard errors are about "
        f"{math.sqrt(fit.dispersion):.2g} times too small; use dispersion='estimated', and look for a predictor that "
        "is missing",
    )
