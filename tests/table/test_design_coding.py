"""Terms become the columns that R's model.matrix makes, by the same names."""

import numpy as np
import pytest
from memory_tables import HOMES, learned, matrix

DATA = {
    "y": [0, 1, 0, 1, 1, 0, 1, 0],
    "x": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.5],
    "z": [0.5, -1.0, 2.0, 0.0, 1.5, 3.0, -2.0, 1.0],
    "a": ["p", "q", "r", "p", "q", "r", "p", "q"],
    "b": ["u", "v", "u", "v", "v", "u", "u", "v"],
    "t": [True, False, True, True, False, False, True, False],
    "n": [1, 10, 2, 2.5, 10, 1, 2, 2],
    "my col": ["k", "l", "k", "l", "k", "l", "k", "l"],
}

# Each right side with the column names R 4 gives for it.
R_NAMES = {
    "x": ["(Intercept)", "x"],
    "1": ["(Intercept)"],
    "a": ["(Intercept)", "aq", "ar"],
    "0 + a": ["ap", "aq", "ar"],
    "a - 1": ["ap", "aq", "ar"],
    "0 + x + a + b": ["x", "ap", "aq", "ar", "bv"],
    "0 + a + a:b": ["ap", "aq", "ar", "ap:bv", "aq:bv", "ar:bv"],
    "a:b": ["(Intercept)", "ap:bu", "aq:bu", "ar:bu", "ap:bv", "aq:bv", "ar:bv"],
    "a + a:b": ["(Intercept)", "aq", "ar", "ap:bv", "aq:bv", "ar:bv"],
    "a * b": ["(Intercept)", "aq", "ar", "bv", "aq:bv", "ar:bv"],
    "b + a + a:b": ["(Intercept)", "bv", "aq", "ar", "bv:aq", "bv:ar"],
    "x:a": ["(Intercept)", "x:ap", "x:aq", "x:ar"],
    "x + x:a": ["(Intercept)", "x", "x:aq", "x:ar"],
    "0 + x:a": ["x:ap", "x:aq", "x:ar"],
    "0 + x + x:a": ["x", "x:ap", "x:aq", "x:ar"],
    "a:x": ["(Intercept)", "ap:x", "aq:x", "ar:x"],
    "x * z": ["(Intercept)", "x", "z", "x:z"],
    "t": ["(Intercept)", "tTRUE"],
    "0 + t": ["tFALSE", "tTRUE"],
    "t:x": ["(Intercept)", "tFALSE:x", "tTRUE:x"],
    "`my col`": ["(Intercept)", "`my col`l"],
    "C(a)": ["(Intercept)", "C(a)q", "C(a)r"],
    'C(a, ref="q")': ["(Intercept)", 'C(a, ref = "q")p', 'C(a, ref = "q")r'],
    "C(n)": ["(Intercept)", "C(n)10", "C(n)2", "C(n)2.5"],
    'C(n, ref="2.5")': ["(Intercept)", 'C(n, ref = "2.5")1', 'C(n, ref = "2.5")10', 'C(n, ref = "2.5")2'],
    "power(x, 2) + log(x):b": ["(Intercept)", "power(x, 2)", "log(x):bu", "log(x):bv"],
    "a:a": ["(Intercept)", "aq", "ar"],
    "(a + x):b": ["(Intercept)", "ap:bu", "aq:bu", "ar:bu", "ap:bv", "aq:bv", "ar:bv", "bu:x", "bv:x"],
    "a:b + a:x": [
        "(Intercept)", "ap:bu", "aq:bu", "ar:bu", "ap:bv", "aq:bv", "ar:bv", "ap:x", "aq:x", "ar:x",
    ],
    "x:z:a": ["(Intercept)", "x:z:ap", "x:z:aq", "x:z:ar"],
    "a*b*t - a:b:t": [
        "(Intercept)", "aq", "ar", "bv", "tTRUE", "aq:bv", "ar:bv", "aq:tTRUE", "ar:tTRUE", "bv:tTRUE",
    ],
}  # fmt: skip


@pytest.mark.parametrize("home", HOMES)
@pytest.mark.parametrize(("right", "names"), R_NAMES.items())
def test_columns_have_the_names_that_r_gives_them(right, names, home):
    if right == "(a + x):b":  # R orders a term's factors by first appearance: a, x, b
        names = [*names[:-2], "x:bu", "x:bv"]
    assert list(learned(f"y ~ {right}", DATA, home).design.names) == names


def _value(piece: str, row: int) -> float:
    """One factor of a column, read off its name."""
    for name in ("x", "z"):
        if piece == name:
            return DATA[name][row]
    if piece == "power(x, 2)":
        return DATA["x"][row] ** 2
    if piece == "log(x)":
        return float(np.log(DATA["x"][row]))
    for prefix in ('C(a, ref = "q")', 'C(n, ref = "2.5")', "C(a)", "C(n)", "`my col`", "a", "b", "t"):
        if piece.startswith(prefix):
            column = prefix.removeprefix("C(").split(",")[0].rstrip(")").strip("`")
            cell = DATA[column][row]
            text = str(cell).upper() if isinstance(cell, bool) else cell if isinstance(cell, str) else f"{cell:g}"
            return float(piece.removeprefix(prefix) == text)
    raise AssertionError(piece)


@pytest.mark.parametrize("home", HOMES)
@pytest.mark.parametrize("right", R_NAMES)
def test_every_column_holds_what_its_name_says(right, home):
    found = learned(f"y ~ {right}", DATA, home)
    names = found.design.names
    expected = [
        [1.0 if name == "(Intercept)" else np.prod([_value(p, row) for p in name.split(":")]) for name in names]
        for row in range(8)
    ]
    np.testing.assert_allclose(matrix(found), expected, rtol=1e-15)


@pytest.mark.parametrize("home", HOMES)
def test_a_spline_is_named_and_computed_as_harrells(home):
    x = [float(v) for v in np.random.default_rng(3).normal(size=150)]
    found = learned("y ~ rcs(x, 4)", {"y": [0, 1] * 75, "x": x}, home)
    assert found.design.names == ("(Intercept)", "rcs(x, 4)x", "rcs(x, 4)x'", "rcs(x, 4)x''")
    t = np.quantile(x, [0.05, 0.35, 0.65, 0.95])
    np.testing.assert_allclose(found.design.states["rcs(x, 4)"], t, rtol=1e-14)
    cube = lambda v: np.maximum(v, 0) ** 3  # noqa: E731 - the formula's own shape
    v = np.array(x)
    for j in (0, 1):
        column = cube(v - t[j]) - cube(v - t[2]) * (t[3] - t[j]) / (t[3] - t[2])
        column = (column + cube(v - t[3]) * (t[2] - t[j]) / (t[3] - t[2])) / (t[3] - t[0]) ** 2
        np.testing.assert_allclose(matrix(found)[:, 2 + j], column, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("home", HOMES)
def test_under_100_rows_the_outer_knots_are_the_fifth_values_from_either_end(home):
    x = [float(v) for v in np.random.default_rng(4).exponential(size=60)]
    knots = learned("y ~ rcs(log(x), 5)", {"y": [0, 1] * 30, "x": x}, home).design.states["rcs(log(x), 5)"]
    ordered = np.sort(np.log(x))
    expected = [ordered[4], *np.quantile(ordered, [0.275, 0.5, 0.725]), ordered[-5]]
    np.testing.assert_allclose(knots, expected, rtol=1e-14)


@pytest.mark.parametrize("home", HOMES)
def test_scale_uses_the_mean_and_the_n_minus_1_deviation_of_the_rows_used(home):
    found = learned("y ~ scale(x) + z", {"y": [0, 1, 0, 1], "x": [1.0, 2.0, 6.0, 100.0], "z": [1, 2, 3, None]}, home)
    assert found.used == 3
    np.testing.assert_allclose(matrix(found)[:, 1], (np.array([1, 2, 6]) - 3) / np.std([1, 2, 6], ddof=1), rtol=1e-15)


@pytest.mark.parametrize("size", [1e300, 1.0, 1e-300, 5e307])
def test_scale_neither_overflows_nor_underflows(size):
    found = learned("y ~ scale(x)", {"y": [0, 1, 0], "x": [size, 2 * size, 3 * size]})
    np.testing.assert_allclose(matrix(found)[:, 1], [-1, 0, 1], atol=1e-15)


@pytest.mark.parametrize("home", HOMES)
def test_a_spline_with_a_category_gives_a_spline_for_each_level(home):
    rng = np.random.default_rng(5)
    data = {"y": [0, 1] * 60, "x": list(rng.normal(size=120)), "a": [str(v) for v in rng.choice(list("pqr"), 120)]}
    found = learned("y ~ rcs(x, 3):a", data, home)
    spline = matrix(learned("y ~ 0 + rcs(x, 3)", data, home))
    X = dict(zip(found.design.names, matrix(found).T, strict=True))
    assert len(X) == 7
    for part, suffix in enumerate(["x", "x'"]):
        for level in "pqr":
            there = np.array([v == level for v in data["a"]])
            np.testing.assert_array_equal(X[f"rcs(x, 3){suffix}:a{level}"], np.where(there, spline[:, part], 0.0))


@pytest.mark.parametrize("home", HOMES)
def test_an_ordered_categorys_own_first_level_is_the_reference(home):
    order = ("low", "mid", "high")
    data = {"y": [0, 1, 0, 1], "g": ["high", "low", "mid", "low"]}
    found = learned("y ~ g", data, home, orders={"g": order})
    assert found.design.references == {"g": "low"}
    assert found.design.names == ("(Intercept)", "gmid", "ghigh")
    assert learned("y ~ g", data, home).design.references == {"g": "high"}


@pytest.mark.parametrize("home", HOMES)
def test_levels_stand_in_byte_order(home):
    data = {"y": [0, 1, 0, 1, 0, 1], "g": ["é", "z", "Z", "10", "2", "\U0001f600"]}
    assert learned("y ~ g", data, home).design.levels["g"] == ("10", "2", "Z", "z", "é", "\U0001f600")


@pytest.mark.parametrize("home", HOMES)
def test_levels_that_only_dropped_rows_have_are_left_out(home):
    data = {"y": [0, 1, 0, 1], "g": ["a", "b", "c", "b"], "x": [1, 2, None, 4]}
    assert learned("y ~ g + x", data, home).design.levels["g"] == ("a", "b")


@pytest.mark.parametrize("home", HOMES)
def test_a_category_with_one_level_has_no_column_and_is_noted(home):
    data = {"y": [0, 1, 0], "g": ["k", "k", "k"], "x": [1, 2, 3]}
    found = learned("y ~ g + x + g:x", data, home)
    assert found.design.names == ("(Intercept)", "x")
    assert matrix(found).shape == (3, 2)
    assert found.notes == ("g is 'k' in every row used, so it has no column of its own.",)
    assert learned("y ~ 0 + g", data, home).design.names == ("gk",)


def test_indicator_columns_stay_codes():
    """2,000 x 50 levels in 100 rows: 100,000 columns, and no matrix of them."""
    rng = np.random.default_rng(1)
    data = {
        "y": [0, 1] * 1000,
        "g": [f"g{i}" for i in range(2000)],
        "h": [f"h{v}" for v in rng.integers(0, 50, 2000)],
        "x": list(rng.normal(size=2000)),
    }
    found = learned("y ~ 0 + g:h:x", data)
    (group,) = found.design.groups(found.rows)
    assert group.width == 100_000 == len(found.design.names)
    for row in (0, 7, 1999):
        assert found.design.names[group.codes[row]] == f"{'g'}{data['g'][row]}:h{data['h'][row]}:x"
    np.testing.assert_array_equal(group.values, data["x"])
