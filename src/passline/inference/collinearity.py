"""How far the terms of a model repeat each other: generalised variance inflation, and the condition number."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passline.inference.existence import Outcome
from passline.inference.sample import Sample

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Inflation:
    """By how much a term's confidence region is larger for the other terms being there.

    ``gvif``: generalised variance inflation factor, NaN where none exists. ``df``: the term's columns. ``per_df``:
    gvif ** (1 / (2 df)), the factor on a standard error.
    """

    term: str
    gvif: float
    df: int

    @property
    def per_df(self) -> float:
        """The factor by which an interval is longer, comparable between terms of different sizes."""
        return float(self.gvif ** (1.0 / (2 * self.df))) if self.df else float("nan")


def inflation(sample: Sample, outcome: Outcome) -> list[Inflation]:
    r"""The generalised variance inflation factor of every term.

    .. math:: GVIF = \det R_{11} \det R_{22} / \det R

    where R is the correlation matrix of the coefficients without the intercept, R11 of the term's, R22 of the others.
    Aliased and infinite coefficients are left out; NaN under a penalty. Source: Fox and Monette (1992), JASA 87;
    car::vif.
    """
    return inflation_of(sample, outcome, {text: [text] for text in sample.columns})


def inflation_of(sample: Sample, outcome: Outcome, groups: Mapping[str, Sequence[str]]) -> list[Inflation]:
    """The same for groups of terms, by a name for each: terms made of one predictor inflate each other by design."""
    ok = np.array([word == "ok" for word in outcome.status])
    if sample.scaling.intercept:
        ok[0] = False
    penalised = outcome.estimate is not None and outcome.estimate.penalised
    V = outcome.covariance[np.ix_(ok, ok)]
    place = np.flatnonzero(ok)
    error = np.sqrt(np.diagonal(V))
    R = V / np.outer(error, error)
    found = []
    for name, terms in groups.items():
        members = np.concatenate([np.arange(*sample.columns[text].indices(len(ok))) for text in terms])
        mine = np.isin(place, members)
        found.append(Inflation(name, math.nan if penalised else _ratio(R, mine), int(mine.sum())))
    return found


def condition_number(sample: Sample) -> float:
    """Condition number of the design with its columns scaled to length one, the intercept among them.

    Infinite where columns are linearly dependent. From 30 on estimates are said to suffer. Source: Belsley, Kuh and
    Welsch, Regression Diagnostics (1980), 3.2.
    """
    scaling, blocks = sample.scaling, sample.blocks
    triangle = np.zeros((0, blocks.p))
    for block in blocks:
        Z = block.columns.dense()
        if block.weight is not None:
            Z = Z * np.sqrt(block.weight)[:, None]
        triangle = np.asarray(np.linalg.qr(np.concatenate([triangle, Z]), mode="r"))
    X = triangle[:, scaling.position] * scaling.scale
    if scaling.intercept:
        X[:, 1:] += np.outer(triangle[:, scaling.position[0]], scaling.center[1:])
    length = np.linalg.norm(X, axis=0)
    if not length.all():
        return float("inf")
    s = np.linalg.svd(X / length, compute_uv=False)
    return float(s[0] / s[-1]) if s[-1] > np.finfo(float).eps * s[0] else float("inf")


def _ratio(R: Floats, mine: NDArray[np.bool_]) -> float:
    if not mine.any() or not np.isfinite(R).all():
        return float("nan")
    logs = [np.linalg.slogdet(part) for part in (R[np.ix_(mine, mine)], R[np.ix_(~mine, ~mine)], R)]
    if any(sign <= 0 for sign, _ in logs):
        return float("inf")
    with np.errstate(over="ignore"):
        return float(np.exp(logs[0][1] + logs[1][1] - logs[2][1]))
