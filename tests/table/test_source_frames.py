"""Frames in hand: every library's spelling of numbers, yes/no, texts and missing values."""

import datetime
import decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from passline.errors import DataError, SourceError
from passline.table.source import open_source


def staged(data, **asked):
    source = open_source(data)
    return source.stage(list(asked), asked)


def kind(data):
    return next(iter(open_source(data).columns.values())).kind


def texts(found, name):
    return [None if code < 0 else found.values[name][code] for code in found.arrays[name]]


NUMBERS = [
    pd.DataFrame({"x": [1.0, np.nan]}),
    pd.DataFrame({"x": pd.array([1, None], dtype="Int64")}),
    pd.DataFrame({"x": pd.array([1, None], dtype="Float64")}),
    pd.DataFrame({"x": pd.array([1, None], dtype=pd.ArrowDtype(pa.int64()))}),
    pd.DataFrame({"x": pd.Series([1, None], dtype=object)}),
    pd.DataFrame({"x": pd.Series([decimal.Decimal(1), None], dtype=object)}),
    pl.DataFrame({"x": [1, None]}),
    pl.DataFrame({"x": [1.0, float("nan")]}),
    pl.DataFrame({"x": [decimal.Decimal(1), None]}),
    pl.DataFrame({"x": [1, None]}).lazy(),
    pa.table({"x": [1, None]}),
    pa.table({"x": pa.array([decimal.Decimal(1), None])}),
    pa.RecordBatch.from_pydict({"x": [1, None]}),
    {"x": [1, None]},
    {"x": [np.int8(1), float("nan")]},
    {"x": np.array([1.0, np.nan], dtype=np.float32)},
    {"x": np.ma.masked_array([1, 2], mask=[False, True])},
    {"x": pl.Series([1, None])},
    {"x": [1, pd.NA]},
]


@pytest.mark.parametrize("data", NUMBERS)
def test_numbers_of_every_library_become_float64_with_nan(data):
    assert kind(data) == "number"
    found = staged(data, x="number")
    assert found.arrays["x"].dtype == np.float64
    np.testing.assert_array_equal(found.arrays["x"], [1, np.nan])


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame({"x": [True, False]}),
        pd.DataFrame({"x": pd.array([True, False], dtype="boolean")}),
        pd.DataFrame({"x": pd.Series([True, False], dtype=object)}),
        pl.DataFrame({"x": [True, False]}),
        pa.table({"x": [True, False]}),
        {"x": [True, False]},
        {"x": np.array([True, False])},
    ],
)
def test_booleans_of_every_library_become_codes_of_false_and_true(data):
    assert kind(data) == "boolean"
    found = staged(data, x="boolean")
    assert found.values["x"] == ("FALSE", "TRUE")
    assert found.arrays["x"].tolist() == [1, 0]
    assert staged(data, x="number").arrays["x"].tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame({"x": ["b", None, "a", "b"]}),
        pd.DataFrame({"x": pd.Series(["b", None, "a", "b"], dtype=object)}),
        pd.DataFrame({"x": pd.Series(["b", None, "a", "b"], dtype=pd.ArrowDtype(pa.string()))}),
        pd.DataFrame({"x": pd.Categorical(["b", None, "a", "b"])}),
        pl.DataFrame({"x": ["b", None, "a", "b"]}),
        pl.DataFrame({"x": pl.Series(["b", None, "a", "b"], dtype=pl.Categorical)}),
        pa.table({"x": ["b", None, "a", "b"]}),
        pa.table({"x": pa.array(["b", None, "a", "b"]).dictionary_encode()}),
        pa.table({"x": pa.chunked_array([["b", None], ["a", "b"]])}),
        {"x": ["b", None, "a", "b"]},
        {"x": ["b", float("nan"), "a", "b"]},
    ],
)
def test_texts_of_every_library_become_codes(data):
    assert kind(data) == "category"
    found = staged(data, x="category")
    assert found.arrays["x"].dtype == np.int32
    assert texts(found, "x") == ["b", None, "a", "b"]


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame({"x": pd.Categorical(["a", "b"], categories=["b", "c", "a"], ordered=True)}),
        pl.DataFrame({"x": pl.Series(["a", "b"], dtype=pl.Enum(["b", "c", "a"]))}),
        pa.table({"x": pa.DictionaryArray.from_arrays(pa.array([2, 0]), pa.array(["b", "c", "a"]), ordered=True)}),
    ],
)
def test_an_ordered_category_keeps_its_own_order(data):
    assert open_source(data).columns["x"].order == ("b", "c", "a")
    assert texts(staged(data, x="category"), "x") == ["a", "b"]


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame({"x": pd.to_datetime(["2020-01-01"])}),
        pl.DataFrame({"x": [datetime.date(2020, 1, 1)]}),
        pl.DataFrame({"x": [[1]]}),
        pa.table({"x": [{"q": 1}]}),
        {"x": np.array([1j])},
        {"x": np.array(["2020-01-01"], dtype="M8[D]")},
        {"x": [b"bytes"]},
    ],
)
def test_a_column_of_another_type_is_refused_when_it_is_used(data):
    assert kind(data) == "other"
    with pytest.raises(DataError, match="column 'x' is of type"):
        staged(data, x="number")


def test_a_float64_column_is_not_copied():
    array = np.array([1.0, np.nan, 3.0])
    assert staged({"x": array}, x="number").arrays["x"] is array
    data = pd.DataFrame({"x": array})
    assert np.shares_memory(staged(data, x="number").arrays["x"], data["x"].to_numpy())


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table, dict])
def test_an_infinity_is_named_with_its_row(make):
    with pytest.raises(DataError, match="row 2: column 'x' holds '-inf', which is infinite"):
        staged(make({"x": [1.0, -np.inf]}), x="number")
    assert texts(staged(make({"y": [1.0, 2.5]}), y="category"), "y") == ["1", "2.5"]


def test_an_integer_beyond_every_float_is_an_infinity():
    with pytest.raises(DataError, match="infinite"):
        staged({"x": [1, 10**400]}, x="number")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"x": [1, 2], "y": [1]}, "differ in length: 'x' 2, 'y' 1"),
        ({"x": np.zeros((2, 2))}, "2 x 2"),
        ({"x": [[1], [1, 2]]}, "more than one dimension"),
        ({"x": [1, 2], "y": 3}, "column 'y' is a single value"),
        ({"x": {1, 2}}, "is a set"),
        ({1: [1], "1": [2]}, "two columns are called '1'"),
        (pd.DataFrame([[1, 2]], columns=["x", "x"]), "two columns are called 'x'"),
        (pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"]), "two columns are called 'x'"),
        ({}, "no columns"),
        (pd.DataFrame(), "no columns"),
        (5, "which is no table"),
        (pd.Series([1]), "which is no table"),
    ],
)
def test_what_is_no_table_is_refused(data, words):
    with pytest.raises(SourceError, match=words):
        open_source(data)


def test_names_that_are_not_strings_are_their_text():
    assert list(open_source(pd.DataFrame({0: [1], ("a", 1): [2]})).columns) == ["0", "('a', 1)"]


def test_a_dictionary_of_values_is_one_row():
    found = staged({"x": 2.5, "s": "a", "m": None}, x="number", s="category", m="number")
    assert (found.rows, found.arrays["x"].tolist(), texts(found, "s")) == (1, [2.5], ["a"])


def test_numbers_among_texts_are_mixed_and_a_category_on_request():
    data = pd.DataFrame({"x": pd.Series([1, 2.0, "three", None], dtype=object)})
    assert kind(data) == "mixed"
    assert texts(staged(data, x="category"), "x") == ["1", "2", "three", None]
    with pytest.raises(DataError, match="row 3: column 'x' holds 'three'"):
        staged(data, x="number")


def test_texts_of_numbers_and_of_yes_no_convert_where_they_can():
    assert staged({"x": ["1", "2.5", None]}, x="number").arrays["x"][:2].tolist() == [1, 2.5]
    assert texts(staged({"x": ["true", "F", None]}, x="boolean"), "x") == ["TRUE", "FALSE", None]
    assert texts(staged({"x": [1, 0, None]}, x="boolean"), "x") == ["TRUE", "FALSE", None]
    for bad in ("1_000", "inf", "nan ", "x"):
        with pytest.raises(DataError, match="row 1: column 'x'"):
            staged({"x": [bad, "2"]}, x="number")


def test_categories_of_one_text_share_a_code():
    data = pd.DataFrame({"x": pd.Categorical([1, "1"], categories=[1, "1"])})
    assert texts(staged(data, x="category"), "x") == ["1", "1"]


def test_the_library_of_a_frame_is_known():
    natives = [open_source(make({"x": [1]})).native for make in (pd.DataFrame, pl.DataFrame, pa.table, dict)]
    assert natives == ["pandas", "polars", "pyarrow", "dict"]


@given(st.lists(st.none() | st.floats(allow_infinity=False) | st.integers(-(10**15), 10**15), min_size=1))
def test_every_library_agrees_on_a_column_of_numbers(values):
    plain = [None if value is None else float(value) for value in values]
    expected = np.array([np.nan if value is None else value for value in plain])
    for data in (
        {"x": values},
        pd.DataFrame({"x": plain}, dtype="Float64"),
        pl.DataFrame({"x": plain}, {"x": pl.Float64}),
    ):
        np.testing.assert_array_equal(staged(data, x="number").arrays["x"], expected)
