"""Likelihood-ratio, score and Wald tests: of a term with all its columns, of each column, of any linear hypothesis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import Block, Blocks
from passline.engine.objective import Objective
from passline.engine.scaling import Scaling
from passline.errors import OptionError
from passline.inference.constrained import hold, make_face, space
from passline.inference.existence import Outcome, log_likelihood, maximum_likelihood
from passline.inference.profile import refuse_without_likelihood
from passline.inference.sample import Sample
from passline.inference.wald import chi2_p, wald_p
from passline.solvers.linear import NotPositiveDefiniteError, solve
from passline.table.coding import CategoryFactor
from passline.table.design import Design
from passline.table.tree import write

Floats = NDArray[np.float64]
TESTS = ("lr", "score", "wald")


@dataclass(frozen=True)
class Dropped:
    """A model with columns left out: what remains of the likelihood, on its own verdict.

    ``eta``: (n,) its linear predictor, infinite in rows that it separates.
    """

    log_likelihood: float
    rank: int
    separation: str
    eta: Floats


@dataclass(frozen=True)
class TermTest:
    """The test of one term: ``df`` columns that the others do not say already; NaN where there is no such number.

    ``aic`` and ``separation``: of the model without the term; NaN and "" for Wald's test, which does not fit it.
    """

    term: str
    df: int
    statistic: float
    p_value: float
    aic: float
    separation: str


@dataclass(frozen=True)
class ColumnTests:
    """The three tests of every column of the design, (p,) each: chi-square statistics on one degree of freedom.

    NaN where a column is aliased, where Wald's test has no finite estimate, and where the score test's null model is
    itself separated.
    """

    names: tuple[str, ...]
    lr: Floats
    lr_p: Floats
    score: Floats
    score_p: Floats
    wald: Floats
    wald_p: Floats


@dataclass(frozen=True)
class Hypothesis:
    """The joint test of R w = q, by Wald's statistic and by the likelihood ratio; NaN where one does not exist."""

    rows: Floats
    values: Floats
    df: int
    wald: float
    wald_p: float
    lr: float
    lr_p: float


def droppable(design: Design) -> tuple[str, ...]:
    """The terms that no other term of the formula contains: those of which R's drop1 speaks."""
    factors = {
        term.text: {f.text if isinstance(f, CategoryFactor) else write(f.expression) for f in term.factors}
        for term in design.terms
    }
    return tuple(text for text, mine in factors.items() if not any(mine < others for others in factors.values()))


def term_tests(
    sample: Sample,
    outcome: Outcome,
    covariance: Floats,
    terms: Sequence[str],
    test: str,
    *,
    df: float | None = None,
) -> list[TermTest]:
    r"""Test each of ``terms`` (texts of ``sample.columns``) against the model without it.

    .. math:: LR = 2 (l - l_0), \quad S = s_0^T I_0^{-1} s_0, \quad W = w_T^T V_{TT}^{-1} w_T

    each chi-square on as many degrees of freedom as the rank falls. ``covariance``: (p, p), for Wald's test. Raises
    OptionError for a test that is not listed, and for "lr" and "score" under sampling weights. Sources: McCullagh and
    Nelder (1989), 4.4; Rao (1948), Mathematical Proceedings of the Cambridge Philosophical Society 44.
    """
    if test not in TESTS:
        raise OptionError(f"the test is {test!r}: choose one of {', '.join(repr(name) for name in TESTS)}")
    if test == "wald":
        return [_wald_term(outcome, covariance, text, sample.columns[text], df) for text in terms]
    refuse_without_likelihood(sample, "likelihood-ratio and score tests")
    return [_refitted(sample, outcome, text, test) for text in terms]


def column_tests(sample: Sample, outcome: Outcome, covariance: Floats) -> ColumnTests:
    """All three tests of each column's coefficient being zero; raises OptionError under sampling weights."""
    refuse_without_likelihood(sample, "likelihood-ratio and score tests")
    where, p = space(sample, outcome), len(sample.names)
    lr, score, wald = np.full(p, np.nan), np.full(p, np.nan), np.full(p, np.nan)
    for j, status in enumerate(outcome.status):
        if status == "aliased":
            continue
        held = hold(make_face(where, where.back[j][None]), np.zeros(1))
        lr[j] = max(2.0 * (outcome.log_likelihood - held.log_likelihood), 0.0)
        if not held.separated:
            score[j] = _score(where.objective, held.inner)
        if status == "ok":
            wald[j] = outcome.coef[j] ** 2 / covariance[j, j]
    p_values = [np.array([chi2_p(value, 1) for value in column]) for column in (lr, score, wald)]
    return ColumnTests(sample.names, lr, p_values[0], score, p_values[1], wald, p_values[2])


def joint_test(
    model_coef: Floats,
    covariance: Floats,
    R: Floats,
    q: Floats,
    rows: tuple[Sample, Outcome] | None,
    *,
    df: float | None = None,
) -> Hypothesis:
    r"""Test R w = q, (m, p) and (m,).

    .. math:: W = (R w - q)^T (R V R^T)^{-1} (R w - q)

    on as many degrees of freedom as R has independent rows; F with ``df`` below where the dispersion is estimated. The
    likelihood ratio needs ``rows``, and a likelihood. Raises OptionError where rows of R contradict each other.
    """
    R, q = _independent_rows(R, q)
    wald = _quadratic(covariance, R, R @ model_coef - q)
    lr = math.nan
    if rows is not None and rows[0].sampling is None:
        sample, outcome = rows
        where = space(sample, outcome)
        held = hold(make_face(where, R @ where.back), q)
        lr = max(2.0 * (outcome.log_likelihood - held.log_likelihood), 0.0)
    return Hypothesis(R, q, len(R), wald, wald_p(wald, len(R), df), lr, chi2_p(lr, len(R)))


def without(sample: Sample, columns: Sequence[int]) -> Dropped:
    """The model of the rows without some columns of the design."""
    blocks, scaling = sample.blocks, sample.scaling
    left = np.setdiff1d(np.arange(scaling.p), columns)
    if not len(left):
        offset = blocks.all.offset
        eta = np.zeros(blocks.n) if offset is None else offset
        return Dropped(log_likelihood(blocks, eta), 0, "none", eta)
    places = np.sort(scaling.position[left])
    found = maximum_likelihood(blocks.with_columns(blocks.all.columns.take(places)), _some(scaling, left))
    kind = "none" if found.recession is None else found.recession.kind
    return Dropped(found.log_likelihood, found.rank, kind, found.eta)


def _some(scaling: Scaling, left: NDArray[np.intp]) -> Scaling:
    """The scaling of some of the design's columns, by increasing index."""
    places = scaling.position[left]
    return replace(
        scaling,
        intercept=scaling.intercept and int(left[0]) == 0,
        position=np.argsort(np.argsort(places)),
        center=scaling.center[left],
        scale=scaling.scale[left],
        mean=scaling.mean[left],
        spread=scaling.spread[left],
    )


def _refitted(sample: Sample, outcome: Outcome, text: str, test: str) -> TermTest:
    at = sample.columns[text]
    rest = without(sample, range(at.start, at.stop))
    df = outcome.rank - rest.rank
    aic = 2.0 * (rest.rank - rest.log_likelihood - sample.log_constant())
    if test == "lr":
        statistic = max(2.0 * (outcome.log_likelihood - rest.log_likelihood), 0.0)
    elif rest.separation != "none":
        statistic = math.nan
    else:
        where = space(sample, outcome).objective.blocks
        block = Block(where.all.columns, where.all.y, where.all.weight, rest.eta)
        statistic = _score(Objective(Blocks(block)), np.zeros(where.p))
    if df == 0 and not math.isnan(statistic):
        statistic = 0.0
    return TermTest(text, df, statistic, chi2_p(statistic, df), aic, rest.separation)


def _wald_term(outcome: Outcome, covariance: Floats, text: str, at: slice, df: float | None) -> TermTest:
    columns = [j for j in range(at.start, at.stop) if outcome.status[j] != "aliased"]
    R = np.eye(len(outcome.coef))[columns]
    statistic = _quadratic(covariance, R, R @ outcome.coef) if columns else 0.0
    return TermTest(text, len(columns), statistic, wald_p(statistic, len(columns), df), math.nan, "")


def _score(objective: Objective, inner: Floats) -> float:
    """Rao's statistic s' I^-1 s at the solver's coefficients of the null model."""
    value = objective(inner, 2)
    g = np.asarray(value.gradient)
    try:
        return objective.total * max(float(g @ solve(np.asarray(value.curvature), g)), 0.0)
    except NotPositiveDefiniteError:
        return math.nan


def _quadratic(covariance: Floats, R: Floats, gap: Floats) -> float:
    """The form gap' (R V R')^-1 gap; NaN where a coefficient that R speaks of has no variance."""
    used = np.abs(R).any(axis=0)
    middle = R[:, used] @ covariance[np.ix_(used, used)] @ R[:, used].T
    try:
        return float(gap @ solve(middle, gap))
    except NotPositiveDefiniteError:
        return math.nan


def _independent_rows(R: Floats, q: Floats) -> tuple[Floats, Floats]:
    """The rows of R w = q that the rows before them do not say already."""
    kept: list[int] = []
    for i in range(len(R)):
        before, mine = R[kept], R[i]
        share = np.linalg.lstsq(before.T, mine, rcond=None)[0] if kept else np.zeros(0)
        if np.abs(mine - share @ before).max(initial=0.0) > 1e-9 * np.abs(mine).max(initial=0.0):
            kept.append(i)
        elif abs(q[i] - share @ q[kept]) > 1e-9 * max(abs(q[i]), np.abs(q[kept]).max(initial=0.0), 1e-300):
            raise OptionError(
                f"no coefficients can meet the hypothesis: its row {i + 1} contradicts the rows before it"
            )
    if not kept:
        raise OptionError("the hypothesis says nothing: all its rows are zero")
    return R[kept], q[kept]
