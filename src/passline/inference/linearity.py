"""Whether the logit is a straight line in each number: a restricted cubic spline against the line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import Blocks
from passline.engine.columns import Columns, Dense, Mixed
from passline.engine.scaling import Scaling
from passline.errors import DataError
from passline.inference.existence import Outcome, maximum_likelihood
from passline.inference.sample import Sample
from passline.inference.wald import chi2_p
from passline.table.coding import NumericFactor
from passline.table.design import Learned
from passline.table.functions import FUNCTIONS
from passline.table.tree import Expression, column_of

Floats = NDArray[np.float64]
# Numbers with fewer different values than this are levels rather than a scale.
DISTINCT = 6
KNOTS = 4


@dataclass(frozen=True)
class Linearity:
    """The likelihood ratio test of a spline's curved columns beside a term's line.

    ``separated``: the curve separates the outcome where the line does not; the test then rests on the supremum.
    """

    term: str
    statistic: float
    df: int
    p_value: float
    separated: bool


def linearity(learned: Learned, sample: Sample, outcome: Outcome) -> list[Linearity]:
    """Test every numeric term that enters as one straight line, by a spline with 4 knots (Harrell's) in its place.

    ``outcome``: the maximum-likelihood estimate on the sample. Terms with fewer than 6 different values, and those
    whose predictor the formula already bends, are left out, as is a spline of which nobody can say that it has a
    maximum. Source: Harrell, Regression Modeling Strategies (2015),
    2.4 and 10.5.
    """
    found = []
    for text, expression in straight(learned):
        columns = _curved(learned.rows.numbers(expression), sample.units)
        if columns is None or sample.blocks.p + columns.shape[1] > sample.blocks.n:
            continue
        try:
            wide = maximum_likelihood(*with_columns(sample, columns))
        except ArithmeticError:  # a programme that cannot say whether the spline separates: no supremum to rest on
            continue
        df = wide.rank - outcome.rank
        statistic = max(2.0 * (wide.log_likelihood - outcome.log_likelihood), 0.0)
        separated = wide.recession is not None and outcome.recession is None
        found.append(Linearity(text, statistic, df, chi2_p(statistic, df), separated))
    return [test for test in found if test.df > 0]


def straight(learned: Learned) -> Iterator[tuple[str, Expression]]:
    """The terms that are one line in one number, where no other term bends the same predictor."""
    terms = learned.design.terms
    for term in terms:
        factor = term.factors[0]
        if len(term.factors) > 1 or len(term.names) > 1 or not isinstance(factor, NumericFactor):
            continue
        name = column_of(factor.expression).name
        others = [f for other in terms if other is not term for f in other.factors if isinstance(f, NumericFactor)]
        if not any(column_of(f.expression).name == name and f.expression != factor.expression for f in others):
            yield term.text, factor.expression


def with_columns(sample: Sample, X: Floats) -> tuple[Blocks, Scaling]:
    """The sample's rows with further columns (n, q) behind the design's, standardised, and the map that holds them."""
    scaling, q = sample.scaling, X.shape[1]
    c = sample.weight / sample.weight.sum()
    center = c @ X if scaling.intercept else np.zeros(q)
    Z = X - center
    spread = np.sqrt(c @ Z**2)
    spread = np.where(spread > 0, spread, 1.0)
    before = sample.blocks.all.columns
    parts: list[Columns] = [*before.parts] if isinstance(before, Mixed) else [before]
    wide = Scaling(
        scaling.intercept,
        np.concatenate([scaling.position, np.arange(scaling.p, scaling.p + q)]),
        np.concatenate([scaling.center, center]),
        np.concatenate([scaling.scale, spread]),
        np.concatenate([scaling.mean, c @ X]),
        np.concatenate([scaling.spread, spread]),
        np.concatenate([scaling.average, c @ X]),
    )
    return sample.blocks.with_columns(Mixed([*parts, Dense(np.asfortranarray(Z / spread))])), wide


def _curved(x: Floats, counts: Floats) -> Floats | None:
    """The spline's columns beyond the line, (n, q); None where its knots fall together."""
    spline = FUNCTIONS["rcs"]
    assert spline.learn is not None
    assert spline.arrays is not None
    if len(np.unique(x)) < DISTINCT:
        return None
    unit = float(np.abs(x).max()) or 1.0
    for knots in (KNOTS, 3):
        try:
            state = spline.learn(x / unit, knots, counts)
        except DataError:
            continue
        return np.stack(spline.arrays(x / unit, knots, state)[1:], axis=1)
    return None
