"""Derivatives of the formula's functions agree with differences, in every term."""

from __future__ import annotations

import numpy as np
import pytest

from passline.engine.plain import plain_columns
from passline.table.derivative import derivatives
from passline.table.design import learn
from passline.table.formula import parse
from passline.table.functions import FUNCTIONS
from passline.table.replaced import ReplacedRows
from passline.table.source import open_source
from passline.table.tree import Name

X = np.array([0.3, 0.7, 1.1, 1.9, 2.6, 3.3, 4.2, 5.0, 6.1, 7.7, 8.4, 9.9])
DATA = {
    "y": [0, 1] * 6,
    "x": X,
    "z": np.cos(X) + 2,
    "g": ["a", "b", "c"] * 4,
}
FORMULAS = [
    "x",
    "log(x)",
    "log1p(x)",
    "exp(x)",
    "sqrt(x)",
    "abs(x)",
    "power(x, 3)",
    "power(x, -1)",
    "power(x, 0.5)",
    "power(x, 0)",
    "scale(x)",
    "rcs(x, 4)",
    "power(scale(x), 2)",
    "sqrt(log1p(x))",
    "x * z",
    "x:power(x, 2)",
    "x * g",
    "g:rcs(x, 3)",
    "z:g + x:z:g",
    "0 + g + x",
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_every_term_s_slope_is_the_limit_of_its_differences(formula: str) -> None:
    learned = learn(parse(f"y ~ z + {formula}"), open_source(DATA))
    design, n = learned.design, learned.used
    slopes = plain_columns(design.slopes(learned.rows, "x"), n, 0.0 if design.intercept else None).dense()
    step = 1e-5
    for i in range(n):
        ends = []
        for x in (X[i] - step, X[i] + step):
            rows = ReplacedRows(learned.rows, "x", float(x))
            ends.append(plain_columns(design.groups(rows), n, 1.0 if design.intercept else None).dense()[i])
        assert slopes[i] == pytest.approx((ends[1] - ends[0]) / (2 * step), rel=1e-6, abs=1e-6)


def test_every_function_of_numbers_has_a_derivative() -> None:
    for name, function in FUNCTIONS.items():
        if not function.category:
            learned = learn(parse(f"y ~ {function.usage}"), open_source(DATA))
            (factor,) = learned.design.terms[0].factors
            assert all(np.isfinite(d).all() for d in derivatives(factor.expression, X)), name


def test_a_column_s_own_derivative_is_one() -> None:
    assert derivatives(Name("x"), X)[0].tolist() == [1.0] * len(X)
