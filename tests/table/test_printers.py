"""The two printers of the tree, SQL and NumPy, agree row by row, and neither raises or warns."""

import math

import duckdb
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from passline.errors import DataError
from passline.table.arrays import to_arrays
from passline.table.formula import parse
from passline.table.functions import FUNCTIONS, literal, quantiles
from passline.table.sql import to_query
from passline.table.tree import Call

STATES = {"scale": (0.3, 1.7), "rcs": (-1.25, 0.1, 0.75, 3.0)}

EXPRESSIONS = [
    "x", "log(x)", "log1p(x)", "exp(x)", "sqrt(x)", "abs(x)", "power(x, 2)", "power(x, 3)", "power(x, -1)",
    "power(x, 0.5)", "power(x, -2.5)", "power(x, 0)", "scale(x)", "rcs(x, 4)", "scale(log(x))", "rcs(log(x), 4)",
    "rcs(sqrt(scale(x)), 4)", "log(log(x))", "exp(exp(x))", "power(log1p(x), -1)", "sqrt(power(x, 3))", "abs(log(x))",
    "log(exp(x))",
]  # fmt: skip

PARTS = {"rcs": 3}

CONNECTION = duckdb.connect()


def expression(text):
    def learned(node):
        if not isinstance(node, Call):
            return node
        return Call(node.function, learned(node.argument), node.setting, STATES.get(node.function, ()))

    return learned(parse(f"y ~ {text}").right)


def in_sql(node, values):
    made = "CREATE OR REPLACE TEMP TABLE numbers AS SELECT unnest($1::DOUBLE[]) AS c0"
    CONNECTION.execute(made, [[float(v) for v in values]])
    return [fetch(to_query(node, "numbers", {"x": "c0"}, part)) for part in range(PARTS.get(node_function(node), 1))]


def fetch(query):
    return np.ma.filled(CONNECTION.execute(query).fetchnumpy()["v"].astype(float), np.nan)


def node_function(node):
    return node.function if isinstance(node, Call) else ""


_doubles = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-5, 5),
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e-300, 1e300, 5e-324, -1 + 2**-53, 709.782712893384, 709.79, 1e-17]),
)

# Both sides call a mathematics library of their own for log, exp and pow: a few units in the last place, which
# grow where functions stand inside one another; sums and products are the same operations on both sides.
# Measured over 100,000 numbers: log, exp, sqrt 2.2e-16, log1p 3.7e-16; NumPy's pow() is off by up to 1.7e-15.
ROUNDING = {"log": 1e-15, "log1p": 1e-15, "exp": 1e-15, "power": 5e-15}


@pytest.mark.parametrize("text", EXPRESSIONS)
@settings(max_examples=40, deadline=None)
@given(values=st.lists(_doubles, min_size=1, max_size=20))
@example(values=[0.0, -0.0, -1.0, 1e300, -1e300, 1e-300, 5e-324, 709.782712893384, 709.78271289338397, 1e-17, 2.5])
def test_sql_and_numpy_agree_row_by_row(text, values):
    node = expression(text)
    for sql, arrays in zip(in_sql(node, values), to_arrays(node, {"x": np.array(values)}), strict=True):
        finite = np.isfinite(arrays)
        np.testing.assert_array_equal(np.isfinite(sql), finite)
        # A function of a function multiplies the relative difference of the inner one by its condition number.
        nested = text.count("(") > 1
        slack = 1e-12 if nested else ROUNDING.get(node_function(node), 0.0)
        # Where the inner one is close to 1, a logarithm of it is as small as that function's rounding.
        least = 1e-15 if nested or "rcs" in text else 0
        np.testing.assert_allclose(sql[finite], arrays[finite], rtol=slack, atol=least)


@pytest.mark.parametrize(
    "text", ["x", "abs(x)", "power(x, 2)", "power(x, 3)", "scale(x)", "rcs(x, 4)", "sqrt(x)", "rcs(scale(x), 4)"]
)
@settings(max_examples=40, deadline=None)
@given(values=st.lists(st.floats(0, 1e6), min_size=1, max_size=20))
def test_plain_arithmetic_is_the_same_to_the_last_bit(text, values):
    node = expression(text)
    for sql, arrays in zip(in_sql(node, values), to_arrays(node, {"x": np.array(values)}), strict=True):
        np.testing.assert_array_equal(sql, arrays)


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_a_missing_value_stays_missing_in_sql(text):
    node = expression(text)
    for part in range(PARTS.get(node_function(node), 1)):
        query = to_query(node, "(SELECT NULL::DOUBLE AS c0)", {"x": "c0"}, part)
        assert CONNECTION.execute(query).fetchone() == (None,)


@pytest.mark.parametrize(
    "text", ["exp(log(x))", "power(log(x), -1)", "power(log(x), 0)", "power(power(x, -2), -1)", "rcs(log(x), 4)"]
)
def test_no_function_turns_an_infinity_back_into_a_number(text):
    node = expression(text)
    for part in range(PARTS.get(node_function(node), 1)):
        CONNECTION.execute("CREATE OR REPLACE TEMP TABLE numbers AS SELECT 0::DOUBLE AS c0")
        assert np.isnan(fetch(to_query(node, "numbers", {"x": "c0"}, part))).all()
        assert np.isnan(to_arrays(node, {"x": np.zeros(1)})[part]).all()


def test_functions_sixty_deep_stay_a_short_query():
    node = expression("log1p(" * 50 + "x" + ")" * 50)
    assert len(to_query(node, "numbers", {"x": "c0"})) < 20_000
    assert in_sql(node, [2.0])[0] == pytest.approx(to_arrays(node, {"x": np.array([2.0])})[0], rel=1e-12)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_in_sql_reads_back_bit_for_bit(value):
    (found,) = CONNECTION.execute(f"SELECT {literal(value)}").fetchone()
    assert (found, math.copysign(1, found)) == (value, math.copysign(1, value))


@pytest.mark.parametrize("x", [1e-300, 1e-17, -1e-17, 1e-9, 1e-5, 0.5, -0.5, -1 + 2**-53, 1e10, 1e308])
def test_log1p_in_sql_is_accurate_for_tiny_and_huge_numbers(x):
    (found,) = in_sql(expression("log1p(x)"), [x])
    assert found[0] == pytest.approx(math.log1p(x), rel=4e-16)


def test_the_spline_is_linear_beyond_its_outer_knots():
    x = np.array([-9.0, -5.0, -1.25, 3.0, 5.0, 7.0, 9.0])
    for column in to_arrays(expression("rcs(x, 4)"), {"x": x})[1:]:
        assert (column[:3] == 0).all()
        np.testing.assert_allclose(np.diff(column[3:]), np.diff(column[3:])[0], rtol=1e-12)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(0, 1))
def test_quantiles_are_those_of_type_7(values, p):
    ordered = np.sort(values)
    found = quantiles(ordered, np.array([p]), np.ones(len(ordered)))[0]
    assert found == pytest.approx(np.quantile(ordered, p), rel=1e-9, abs=1e-9)
    assert ordered[0] <= found <= ordered[-1]


def test_every_function_has_both_printers_and_says_its_domain():
    for entry in FUNCTIONS.values():
        assert entry.category == (entry.forms is None) == (entry.arrays is None)
        assert entry.category or entry.domain
        assert (entry.learn is None) == (entry.valid is None)
        assert parse(f"y ~ {entry.usage}").right.function == entry.name


@pytest.mark.parametrize("values", [[1, 2, 3, 4, 5], [0] * 30 + [1] * 30, [0] * 98 + [1, 2]])
def test_a_spline_needs_rows_and_distinct_values(values):
    learn = FUNCTIONS["rcs"].learn
    with pytest.raises(DataError, match="knots"):
        learn(np.array(values, dtype=float), 4, np.ones(len(values)))
