"""A formula meets rows: what is learned, what is refused and how, and what comes back from a file."""

import copy
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_tables import HOMES, MemorySource, expand, learned, matrix

from passline.errors import DataError, FormulaError, ModelFileError, NoRowsError, OneClassError, OptionError
from passline.table.design import Design
from passline.table.roles import Roles

homes = pytest.mark.parametrize("home", HOMES)

RICH = "y ~ rcs(log(x), 3) + scale(z) * g + C(n, ref='2') + t + `odd name`:g + power(x, -1)"


def rich_data(rows=80, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "y": [int(v) for v in rng.integers(0, 2, rows)],
        "x": [float(v) for v in rng.exponential(size=rows) + 0.1],
        "z": [None if v < 0.05 else float(v) for v in rng.random(rows)],
        "g": [None if v == "d" else str(v) for v in rng.choice(list("abcd"), rows, p=[0.4, 0.3, 0.2, 0.1])],
        "n": [int(v) for v in rng.integers(1, 4, rows)],
        "t": [bool(v) for v in rng.integers(0, 2, rows)],
        "odd name": [float(v) for v in rng.normal(size=rows)],
    }


def test_both_homes_of_the_rows_give_the_same_design():
    one, two = (learned(RICH, rich_data(), home) for home in HOMES)
    assert one.design == two.design
    assert (one.read, one.used, one.dropped) == (two.read, two.used, two.dropped)
    assert one.dropped > 0
    np.testing.assert_array_equal(one.y, two.y)
    np.testing.assert_array_equal(one.rows.kept(), two.rows.kept())
    np.testing.assert_allclose(matrix(one), matrix(two), rtol=1e-13, atol=1e-15)


@homes
def test_rows_with_a_missing_value_are_dropped_and_counted_in_order(home):
    data = {"y": [0, 1, None, 1, 1], "x": [1, None, 3, 4, 5], "g": ["a", "b", "b", None, "b"], "w": [1, 2, 3, 4, 5.0]}
    found = learned("y ~ x + g", data, home, roles=Roles(weights="w"))
    assert (found.read, found.used, found.dropped) == (5, 2, 3)
    assert found.rows.kept().tolist() == [True, False, False, False, True]
    assert matrix(found).tolist() == [[1, 1, 0], [1, 5, 1]]
    assert found.played.weights.tolist() == [1, 5]
    assert found.rows.where(1) == "the table, row 5"


@homes
def test_the_dot_leaves_out_the_outcome_and_the_extra_columns(home):
    data = {"a": [1, 2, 3], "w": [1, 1, 2], "y": [0, 1, 1], "B": [1, 5, 4]}
    found = learned("y ~ .", data, home, roles=Roles(weights="w"))
    assert found.design.formula == "y ~ a + B"
    assert found.design.variables == ("a", "B")


@homes
def test_names_are_told_apart_by_case(home):
    found = learned("y ~ x + X", {"y": [0, 1, 1], "x": [1, 2, 3], "X": [7, 8, 9]}, home)
    assert matrix(found)[:, 1:].tolist() == [[1, 7], [2, 8], [3, 9]]


BAD_COLUMNS = [
    ("y ~ agee", 4, "'age'"),
    ("y ~ AGE + g", 4, "'age'"),
    ("Y ~ age", 0, "'y'"),
    ("y ~ age + when", 10, "SOME TYPE"),
    ("y ~ .", 4, ". - when"),
    ("y ~ log(g)", 4, "category"),
    ("y ~ age + sqrt(t)", 10, "category"),
    ("when ~ age", 0, "SOME TYPE"),
]


@pytest.mark.parametrize(("text", "start", "word"), BAD_COLUMNS)
def test_a_column_that_cannot_be_used_is_refused_at_its_place(text, start, word):
    data = {"y": [0, 1], "age": [1, 2], "g": ["a", "b"], "t": [True, False], "when": [1, 2]}
    with pytest.raises(FormulaError) as caught:
        learned(text, data, kinds={"when": "other"})
    assert (caught.value.start, word in caught.value.reason) == (start, True), caught.value


def test_the_dot_takes_the_rest_once_an_unusable_column_is_taken_away():
    data = {"y": [0, 1], "age": [1, 2], "when": [1, 2]}
    found = learned("y ~ . - when", data, kinds={"when": "other"})
    assert found.design.names == ("(Intercept)", "age")
    assert Design.from_json(found.design.to_json()) == found.design


def test_a_column_of_numbers_with_slips_is_read_as_its_use_asks():
    asked = {}

    class Watched(MemorySource):
        def stage(self, names, kinds):
            asked.update(kinds)
            raise DataError("seen")

    from passline.table.design import learn
    from passline.table.formula import parse

    for right, kind in (("m", "number"), ("log(m)", "number"), ("C(m)", "category"), ("C(m) + m", "number")):
        with pytest.raises(DataError, match="seen"):
            learn(parse(f"y ~ {right}"), Watched({"y": [0, 1], "m": ["1", "x"]}, "frame", kinds={"m": "mixed"}))
        assert asked["m"] == kind


NOT_FINITE = [
    ("log(x)", 0.0, "log(x): x is 0 in the table, row 3; log() needs a number above 0"),
    ("log(x)", -1.0, "x is -1 in the table, row 3"),
    ("log1p(x)", -1.0, "log1p(x): x is -1 in the table, row 3; log1p() needs a number above -1"),
    ("sqrt(x)", -1.0, "sqrt(x): x is -1 in the table, row 3"),
    ("exp(x)", 1000.0, "exp(x): x is 1000 in the table, row 3"),
    ("power(x, -1)", 0.0, "power(x, -1): x is 0 in the table, row 3"),
    ("power(x, 0.5)", -2.0, "power(x, 0.5): x is -2 in the table, row 3"),
    ("power(x, 2)", 1e200, "power(x, 2): x is 1e+200 in the table, row 3"),
    ("scale(log(x))", 0.0, "log(x): x is 0 in the table, row 3"),
    ("rcs(log(x), 3)", 0.0, "log(x): x is 0 in the table, row 3"),
    ("log(log(x))", 0.5, "log(log(x)): log(x) is -0.69314718055994"),
    ("g:log(x)", 0.0, "log(x): x is 0 in the table, row 3"),
    ("x:z", 1e200, "x:z: the product is too large in the table, row 3"),
]


@homes
@pytest.mark.parametrize(("right", "value", "message"), NOT_FINITE)
def test_a_value_that_is_not_finite_names_term_row_and_value(right, value, message, home):
    data = {
        "y": [0, 1] * 5,
        "x": [2.0, None, value, 3, 4, 5, 6, 7, 8, 9],
        "z": [1.0, 1, 1e200, 1, 1, 1, 1, 1, 1, 1],
        "g": ["a", "b"] * 5,
    }
    with pytest.raises(DataError) as caught:
        matrix(learned(f"y ~ {right}", data, home))
    assert message in str(caught.value)


@homes
def test_an_incomplete_row_is_not_asked_for_its_logarithm(home):
    found = learned("y ~ log(x) + z", {"y": [0, 1, 1], "x": [1.0, 0.0, 2.0], "z": [1.0, None, 1.5]}, home)
    np.testing.assert_allclose(matrix(found)[:, 1], np.log([1, 2]))


@homes
def test_what_cannot_be_learned_is_refused_with_its_reason(home):
    data = {"y": [0, 1] * 20, "x": [0.1] * 40, "g": ["a", "b"] * 20, "few": [0, 1] * 20}
    for right, word in (
        ("scale(x)", "standard deviation is zero"),
        ("rcs(few, 4)", "too few distinct values"),
        ('C(g, ref="c")', "'c' is not a level of 'g'; its levels are 'a', 'b'"),
    ):
        with pytest.raises(DataError, match=word):
            learned(f"y ~ {right}", data, home)


OUTCOMES = [
    ([0, 1, 1], None, "1", "0", [0, 1, 1]),
    ([0, 1, 1], "0", "0", "1", [1, 0, 0]),
    ([0.0, 1.0, 1.0], "1.0", "1", "0", [0, 1, 1]),
    ([True, False, True], None, "TRUE", "FALSE", [1, 0, 1]),
    ([True, False, True], "false", "FALSE", "TRUE", [0, 1, 0]),
    (["no", "yes", "no"], None, "yes", "no", [0, 1, 0]),
    (["no", "yes", "no"], "no", "no", "yes", [1, 0, 1]),
    (["a", "B", "a"], None, "a", "B", [1, 0, 1]),
    ([2, 1, 2], None, "2", "1", [1, 0, 1]),
    ([-1, 1.5, -1], None, "1.5", "-1", [0, 1, 0]),
]


@homes
@pytest.mark.parametrize(("values", "asked", "expected"), [(v, asked, tuple(rest)) for v, asked, *rest in OUTCOMES])
def test_the_outcome_says_which_label_is_positive(values, asked, expected, home):
    found = learned("y ~ x", {"y": values, "x": [1, 2, 4]}, home, positive=asked)
    assert (found.design.positive, found.design.negative, found.y.tolist()) == expected


BAD_OUTCOMES = [
    ([0, 1, 2], None, DataError, "3 different values ('0', '1', '2')"),
    ([0.0, 0.25, 1.0], None, DataError, "trials"),
    (["a", "b", "c"], None, DataError, "3 different values ('a', 'b', 'c')"),
    ([1, 1, 1], None, OneClassError, "'1' in all 3 rows"),
    ([0, 0, None], None, OneClassError, "'0' in all 2 rows"),
    (["k", "k", "k"], "k", OneClassError, "'k' in all 3 rows"),
    ([True, True, True], None, OneClassError, "'TRUE'"),
    ([0, 1, 1], "yes", OptionError, "'0' and '1'"),
    (["no", "yes", "no"], "Yes", OptionError, "'no' and 'yes'"),
]


@homes
@pytest.mark.parametrize(("values", "asked", "error", "word"), BAD_OUTCOMES)
def test_an_outcome_without_two_values_is_refused(values, asked, error, word, home):
    with pytest.raises(error) as caught:
        learned("y ~ x", {"y": values, "x": [1, 2, 4]}, home, positive=asked)
    assert word in str(caught.value)


@homes
def test_without_complete_rows_the_column_that_is_missing_most_is_named(home):
    with pytest.raises(NoRowsError, match="has no rows"):
        learned("y ~ x", {"y": [], "x": []}, home)
    with pytest.raises(NoRowsError, match="'x' is missing most, in 2"):
        learned("y ~ x + z", {"y": [0, 1, 1], "x": [None, None, 3.0], "z": [1.0, 2.0, None]}, home)


@homes
def test_an_extra_column_must_be_there_and_hold_numbers(home):
    data = {"y": [0, 1], "x": [1, 2], "g": ["a", "b"]}
    with pytest.raises(DataError, match="no column 'w'"):
        learned("y ~ x", data, home, roles=Roles(offset="w"))
    with pytest.raises(DataError, match="'g' holds SOME TYPE"):
        learned("y ~ x", data, home, roles=Roles(offset="g"))


# --- prediction ----------------------------------------------------------------------------------------------------


@homes
def test_prediction_makes_the_same_columns_and_marks_incomplete_rows(home):
    found = learned(RICH, rich_data(), home)
    design = Design.from_json(json.loads(json.dumps(found.design.to_json())))
    staged = MemorySource(rich_data(), home).stage(design.variables, design.kinds)
    groups, complete = design.predict_groups(staged)
    X = expand(groups, int(complete.sum()), design.intercept)
    np.testing.assert_array_equal(complete, found.rows.kept())
    np.testing.assert_array_equal(X, matrix(found))


@homes
def test_an_unseen_level_is_refused_or_counts_as_the_reference(home):
    design = learned("y ~ g + 0 + C(n)", {"y": [0, 1, 1], "g": ["a", "b", "a"], "n": [1, 2, 2]}, home).design
    for data, word in (
        ({"g": ["b", None, "zz"], "n": [1, 1, 1]}, "column 'g' is 'zz' in the table, row 3"),
        ({"g": ["b", None, "a"], "n": [1, 1, 7]}, "column 'n' is '7' in the table, row 3"),
    ):
        staged = MemorySource(data, home).stage(["g", "n"], design.kinds)
        groups, complete = design.predict_groups(staged)
        assert complete.tolist() == [True, False, True]
        with pytest.raises(DataError, match=word):
            list(groups)
        groups, _ = design.predict_groups(staged, "baseline")
        assert expand(groups, 2, False).tolist() == [[0, 1, 0], [1, 0, 0]]


def test_every_missing_column_is_named():
    design = learned("y ~ a + b + c", {"y": [0, 1], "a": [1, 2], "b": [1, 2], "c": [1, 2]}).design
    staged = MemorySource({"B": [1], "c": [1]}, "frame").stage(["B", "c"], {"B": "number", "c": "number"})
    with pytest.raises(DataError, match="the table has no columns 'a', 'b'"):
        design.predict_groups(staged)


def test_a_logarithm_that_fails_in_prediction_names_its_row():
    design = learned("y ~ log(x)", {"y": [0, 1], "x": [1, 2]}).design
    staged = MemorySource({"x": [1.0, None, 0.0]}, "frame").stage(["x"], {"x": "number"})
    with pytest.raises(DataError, match="x is 0 in the table, row 3"):
        list(design.predict_groups(staged)[0])


# --- the saved form ---------------------------------------------------------------------------------------------------


def test_a_design_comes_back_from_json_as_it_was():
    design = learned(RICH, rich_data()).design
    text = json.dumps(design.to_json(), allow_nan=False)
    again = Design.from_json(json.loads(text))
    assert again == design
    assert json.dumps(again.to_json()) == text


def _changed(path, value):
    document = learned(RICH, rich_data()).design.to_json()
    at = document
    for key in path[:-1]:
        at = at[key]
    if value is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return document


ALTERED = [
    (("formula",), ...),
    (("formula",), 5),
    (("formula",), "y ~ x +"),
    (("formula",), "y ~ x"),
    (("formula",), "y ~ __import__('os')"),
    (("formula",), "y ~ ."),
    (("positive",), None),
    (("positive",), "0"),
    (("extra",), 1),
    (("kinds",), []),
    (("kinds", "x"), "other"),
    (("kinds", "x"), "category"),
    (("kinds", "x"), ["number"]),
    (("kinds", "g"), "number"),
    (("kinds", "g"), ...),
    (("kinds", "q"), "number"),
    (("states", "scale(z)"), ...),
    (("states", "scale(z)"), [1.0]),
    (("states", "scale(z)"), [1.0, 0.0]),
    (("states", "scale(z)"), [1.0, math.nan]),
    (("states", "scale(z)"), [1.0, math.inf]),
    (("states", "scale(z)"), [1.0, 10**400]),
    (("states", "scale(z)"), [1.0, True]),
    (("states", "scale(z)"), [1.0, "2"]),
    (("states", "scale(z)"), {"0": 1.0, "1": 2.0}),
    (("states", "rcs(log(x), 3)"), [1.0, 2.0]),
    (("states", "rcs(log(x), 3)"), [1.0, 2.0, 2.0]),
    (("states", "rcs(log(x), 3)"), [-1e308, 0.0, 1e308]),
    (("states", "rcs(log(x), 3)"), [1.0, 2.0, 3.0, 4.0]),
    (("states", "log(x)"), [1.0]),
    (("levels", "g"), []),
    (("levels", "g"), ["a", "a", "c"]),
    (("levels", "g"), ["a", "b"]),
    (("levels", "g"), "abc"),
    (("levels", "g"), ["a", 1, "c"]),
    (("levels", 'C(n, ref = "2")'), ["1", "2", "3"]),
    (("levels", "x"), ["1"]),
    (("names",), []),
    (("names", 1), "other"),
    (("names",), None),
]


@pytest.mark.parametrize(("path", "value"), ALTERED)
def test_an_altered_model_file_is_refused(path, value):
    with pytest.raises(ModelFileError):
        Design.from_json(_changed(path, value))


@pytest.mark.parametrize("document", [None, [], "x", 3, {}, {"formula": "y ~ x"}, {1: 2}])
def test_what_is_not_a_design_is_refused(document):
    with pytest.raises(ModelFileError):
        Design.from_json(document)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_SAVED = learned(RICH, rich_data()).design.to_json()


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(_SAVED)), _json)
def test_hostile_json_in_any_field_is_refused_and_nothing_else_happens(field, value):
    document = copy.deepcopy(_SAVED)
    if value == document[field] or (field in ("positive", "negative") and isinstance(value, str)):
        return  # a label may be any text
    document[field] = value
    with pytest.raises(ModelFileError):
        Design.from_json(document)
