"""Two models of the same rows side by side: the likelihood-ratio test where one is nested in the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.errors import OptionError
from passline.inference.wald import chi2_p
from passline.model import Model, number

Floats = NDArray[np.float64]
Matrices = Callable[[], tuple[Floats, Floats]]

# A column counts as a combination of others when what they leave of it is below this share of its length.
NESTED = 1e-8


@dataclass(frozen=True)
class Standing:
    """What one of the compared models has to show; ``rank``: its independent columns."""

    formula: str
    nobs: int
    rank: int
    log_likelihood: float
    deviance: float
    aic: float
    bic: float
    separation: str


@dataclass(frozen=True)
class Comparison:
    """Two models of the same rows, the one with fewer columns first.

    ``nested``: whether the larger has all that the smaller says; else there is no test, and ``statistic``, ``df`` and
    ``p_value`` are NaN, 0 and NaN. ``aic`` and ``bic`` of the larger less those of the smaller are in the differences.
    """

    smaller: Standing
    larger: Standing
    nested: bool
    statistic: float
    df: int
    p_value: float
    note: str

    @property
    def aic_difference(self) -> float:
        """AIC of the larger model less that of the smaller: below zero where the larger one is better."""
        return self.larger.aic - self.smaller.aic

    @property
    def bic_difference(self) -> float:
        """BIC of the larger model less that of the smaller."""
        return self.larger.bic - self.smaller.bic

    def as_json(self) -> dict[str, Any]:
        """The document of ``compare --json``; null where there is no number."""
        return {
            "models": [
                {
                    "formula": one.formula,
                    "nobs": one.nobs,
                    "rank": one.rank,
                    "log_likelihood": number(one.log_likelihood),
                    "deviance": number(one.deviance),
                    "aic": number(one.aic),
                    "bic": number(one.bic),
                    "separation": one.separation,
                }
                for one in (self.smaller, self.larger)
            ],
            "nested": self.nested,
            "statistic": number(self.statistic),
            "df": self.df if self.nested else None,
            "p_value": number(self.p_value),
            "aic_difference": number(self.aic_difference),
            "bic_difference": number(self.bic_difference),
            "note": self.note,
        }


def compare(first: Model, second: Model, columns: Matrices | None = None) -> Comparison:
    r"""Compare two maximum-likelihood models of the same rows, in either order.

    .. math:: LR = 2 (l_1 - l_0) \sim \chi^2_{k_1 - k_0}

    Both need the fingerprint of their rows in their settings. Whether one is nested in the other is read off their
    terms; where these do not show it, off ``columns``, which gives the designs of both, (n, p) each. Raises OptionError
    where the rows differ, and for fits without a likelihood (sampling weights, a penalty, another estimator).
    """
    for model in (first, second):
        _check(model)
    _same_rows(first, second)
    turned = int(second.glance["rank"]) < int(first.glance["rank"])
    small, large = (second, first) if turned else (first, second)
    nested = _by_terms(small, large)
    if not nested and columns is not None:
        X, Z = columns()
        nested = _spanned(Z, X) if turned else _spanned(X, Z)
    a, b = _standing(small), _standing(large)
    df = b.rank - a.rank
    if not nested:
        what = (
            "neither model is nested in the other"
            if columns is not None
            else "their terms do not show that either model is nested in the other (pass the data to have the columns "
            "looked at)"
        )
        note = f"{what}: no test; AIC and BIC still compare them"
        return Comparison(a, b, nested, math.nan, 0, math.nan, note)
    statistic = max(2.0 * (b.log_likelihood - a.log_likelihood), 0.0)
    note = "" if df else "both models say the same of these rows"
    return Comparison(a, b, nested, statistic if df else 0.0, df, chi2_p(statistic, df), note)


def read_columns(first: Model, second: Model, data: Any) -> tuple[Floats, Floats]:
    """The designs of both models on the rows of ``data`` that are complete for both, (n, p) and (n, q).

    Raises OptionError where these are fewer than the models were fitted to, so that it must be another table.
    """
    made = []
    for model in (first, second):
        groups, complete = model.groups(model.frame(data))
        made.append((model.times(groups, int(complete.sum()), np.eye(len(model.design.names))), complete))
    (X, complete), (Z, also) = made
    both = complete & also
    used = first.rows["used"]
    if both.sum() < used:
        raise OptionError(
            f"the data have {both.sum()} complete rows, and the models were fitted to {used}: give the table of the fit"
        )
    return X[both[complete]], Z[both[also]]


def _check(model: Model) -> None:
    shown = model.design.formula
    if model.glance["log_likelihood"] is None:
        raise OptionError(f"{shown}: sampling weights leave no likelihood, so there is nothing to compare models by")
    if model.penalty:
        raise OptionError(
            f"{shown}: the fit is penalised ({model.penalty}), and the likelihood ratio of such fits has no known "
            "distribution; compare them on rows they have not seen"
        )
    if model.estimator != "ml":
        raise OptionError(
            f"{shown}: the estimator is {model.estimator!r}, and compare needs maximum-likelihood fits on both sides"
        )
    if "rows_sha256" not in model.settings:
        raise OptionError(f"{shown}: the model was saved without a fingerprint of its rows; fit and save it again")


def _same_rows(first: Model, second: Model) -> None:
    a, b = first.design, second.design
    if a.outcome != b.outcome:
        raise OptionError(f"the models have different outcomes, {a.outcome!r} and {b.outcome!r}: nothing compares them")
    if a.positive != b.positive:
        raise OptionError(
            f"one model is of the probability of {a.outcome} = {a.positive}, the other of {a.outcome} = {b.positive}: "
            "fit both with the same positive label"
        )
    used = first.rows["used"], second.rows["used"]
    if used[0] != used[1]:
        fewer, more = (a, b) if used[0] < used[1] else (b, a)
        extra = [name for name in fewer.variables if name not in more.variables]
        cause = (
            f"most likely values are missing in {', '.join(repr(name) for name in extra[:5])}, which only the model of "
            "fewer rows uses; fit both on the rows that are complete for both"
            if extra and (first.rows["dropped"] or second.rows["dropped"])
            else "fit both on one table"
        )
        raise OptionError(
            f"the models stand on different rows, {used[0]} and {used[1]} of them ({first.rows['dropped']} and "
            f"{second.rows['dropped']} were left out as incomplete). Likelihoods of different rows do not compare: "
            f"{cause}"
        )
    hashes = first.settings["rows_sha256"], second.settings["rows_sha256"]
    ours, theirs = (model.settings.get("data_sha256", {}) for model in (first, second))
    differ = [name for name in ours if name in theirs and ours[name] != theirs[name]]
    if hashes[0] != hashes[1] or differ:
        what = (
            f"the values of {', '.join(repr(name) for name in differ[:5])} differ"
            if differ
            else "their outcomes, weights, trials or offsets differ"
        )
        raise OptionError(
            f"the models stand on different rows, though on {used[0]} each: {what}, or their order does. Likelihoods "
            "of different rows do not compare; fit both on one table, and mind which values are missing"
        )


def _by_terms(small: Model, large: Model) -> bool:
    """Whether every column of the smaller model is one of the larger model's, made in the same way."""
    a, b = small.design, large.design
    if not set(a.names) <= set(b.names):
        return False
    return _agree(a.levels, b.levels) and _agree(a.states, b.states) and _agree(a.kinds, b.kinds)


def _agree(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    return all(theirs.get(key) == value for key, value in ours.items())


def _spanned(X: Floats, Z: Floats) -> bool:
    """Whether the columns of X are combinations of those of Z; (n, p) and (n, q)."""
    Z = Z / np.maximum(np.linalg.norm(Z, axis=0), np.finfo(float).tiny)
    X = X / np.maximum(np.linalg.norm(X, axis=0), np.finfo(float).tiny)
    left = X - Z @ np.linalg.lstsq(Z, X, rcond=1e-11)[0]
    return bool((np.linalg.norm(left, axis=0) <= NESTED).all())


def _standing(model: Model) -> Standing:
    g = model.glance
    return Standing(
        formula=model.design.formula,
        nobs=int(g["nobs"]),
        rank=int(g["rank"]),
        log_likelihood=float(g["log_likelihood"]),
        deviance=float(g["deviance"]),
        aic=math.nan if g["aic"] is None else float(g["aic"]),
        bic=math.nan if g["bic"] is None else float(g["bic"]),
        separation=str(model.separation["kind"]),
    )
