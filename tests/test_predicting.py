"""The short way to a prediction is the general one: rows as dicts, columns, lists of rows; the same errors, no more."""

from __future__ import annotations

import copy
import math
import pickle
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import passline
from passline import datasets
from passline.engine.likelihood import mean
from passline.engine.runs import side_by_side
from passline.errors import DataError, PasslineError, SourceError
from passline.model import Model

ROWS = 400
FORMULAS = {
    "numbers": "y ~ a + b",
    "no intercept": "y ~ 0 + a + g",
    "intercept alone": "y ~ 1",
    "functions": "y ~ log(p) + log1p(p) + exp(b) + sqrt(p) + abs(b) + scale(a) + power(b, 2) + power(p, -1.5)",
    "nested": "y ~ log(exp(b)) + sqrt(abs(power(b, 3))) + scale(log(p))",
    "splines": "y ~ rcs(a, 4) * u + rcs(p, 7)",
    "categories": "y ~ g + h + u + C(k)",
    "interactions": "y ~ a * g * u + g:C(k) + a:b + b:h",
    "reference": 'y ~ C(g, ref = "y") + g + C(k, ref = "2"):a',
    "full": "y ~ 0 + g:u + a:h",
    "splines by categories": "y ~ g:rcs(b, 3):u",
    "one level": "y ~ a + one + p:one",
}


def table() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    data = pd.DataFrame({"a": rng.normal(50, 10, ROWS), "b": rng.normal(size=ROWS), "p": rng.gamma(2.0, size=ROWS)})
    data["k"] = rng.integers(1, 4, ROWS)
    data["u"] = rng.random(ROWS) < 0.4
    data["g"] = rng.choice(["x", "y", "żółw"], ROWS)
    data["h"] = pd.Categorical(rng.choice(["low", "mid", "high"], ROWS), ["low", "mid", "high"], ordered=True)
    data["one"] = "only"
    data["y"] = (rng.random(ROWS) < 0.5).astype(int)
    return data


@pytest.fixture(scope="module")
def models() -> dict[str, Model]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {name: passline.fit(formula, table()).model for name, formula in FORMULAS.items()}
        found["firth"] = passline.fit("y ~ a + g", table(), estimator="firth").model
        found["separated"] = passline.fit("HG ~ NV + PI + EH", datasets.path("endometrial")).model
    return found


NAMES = [*FORMULAS, "firth", "separated"]


def generally(model: Model, data: Any, unseen: str = "error") -> Any:
    """The linear predictors by way of the design's columns."""
    groups, complete = model.groups(model.frame(data), unseen)
    eta = np.full(len(complete), np.nan)
    eta[complete] = model.linear_predictor(groups, int(complete.sum()), model.predicting_coef())
    return eta


def answer(function: Any, *arguments: Any, **options: Any) -> Any:
    """What a function gives, or the error it raises."""
    try:
        return function(*arguments, **options)
    except PasslineError as error:
        return (type(error), str(error))


def assert_same(found: Any, expected: Any) -> None:
    if isinstance(expected, tuple):
        assert found == expected
        return
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    np.testing.assert_allclose(found, expected, rtol=1e-15, atol=0)


def new_rows(model: Model, n: int = 60) -> pd.DataFrame:
    """Rows the model has not seen, without gaps."""
    if "NV" in model.design.variables:
        return pd.read_csv(datasets.path("endometrial"))
    rng = np.random.default_rng(1)
    return table().sample(n, replace=True, random_state=1).assign(b=rng.normal(size=n)).reset_index(drop=True)


def as_dicts(data: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(k): v.item() if isinstance(v, np.generic) else v for k, v in r.items()} for r in data.to_dict("records")
    ]


@pytest.mark.parametrize("name", NAMES)
def test_one_row_as_a_dict_gives_what_the_general_way_gives(models: dict[str, Model], name: str) -> None:
    model = models[name]
    data = new_rows(model)
    expected = generally(model, data)
    for row, eta in zip(as_dicts(data), expected, strict=True):
        assert model.plan.one(row, False) is not None
        assert_same(model.predict(row, scale="logit"), np.array([eta]))
        assert_same(model.predict(row), mean(np.array([eta])))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("make", [pd.DataFrame, pl.from_pandas, pa.Table.from_pandas, "arrays", "lists", "records"])
def test_columns_give_bit_for_bit_what_the_general_way_gives(models: dict[str, Model], name: str, make: Any) -> None:
    model = models[name]
    data = new_rows(model)
    expected = generally(model, data)
    given: Any
    if make == "records":
        given = as_dicts(data)
    elif make in ("arrays", "lists"):
        given = {c: data[c].to_numpy() if make == "arrays" else data[c].tolist() for c in data}
    else:
        given = make(data)
    found = model.predict(given, scale="logit")
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(model.predict(given), mean(expected))


def test_the_short_way_is_the_one_taken(models: dict[str, Model], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Any:
        raise AssertionError("the general way")

    monkeypatch.setattr(Model, "groups", refuse)
    for name in FORMULAS:
        data = new_rows(models[name])
        data.loc[3, "a"] = np.nan
        models[name].predict(data)
        models[name].predict({c: data[c].to_numpy() for c in data})
        models[name].predict(as_dicts(data)[0])
        models[name].predict(as_dicts(data.iloc[5:]))


@pytest.mark.parametrize("name", ["numbers", "functions", "interactions", "splines"])
def test_many_blocks_on_several_threads_give_what_the_general_way_gives(models: dict[str, Model], name: str) -> None:
    model = models[name]
    data = new_rows(model, 100_000)
    data.loc[[17, 40_000, 99_999], "a"] = np.nan
    data.loc[[18, 99_998], "g"] = None
    found, expected = model.predict(data, scale="logit"), generally(model, data)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    assert np.isnan(found).any()
    assert np.nanmax(np.abs(found - expected) / size_of(model, data)) < 2e-15


def size_of(model: Model, data: Any) -> Any:
    """The sum of the sizes of what a linear predictor adds up, NaN where a predictor is missing."""
    groups, complete = model.groups(model.frame(data))
    parts = model.times(groups, int(complete.sum()), np.diag(model.predicting_coef()))
    size = np.full(len(complete), np.nan)
    size[complete] = np.abs(parts).sum(axis=1)
    return size


@pytest.mark.parametrize("n", [2_000, 60_000])
def test_columns_of_a_matrix_in_rows_and_of_other_types(models: dict[str, Model], n: int) -> None:
    X = np.random.default_rng(0).normal(size=(n, 3))
    model = models["numbers"]
    expected = generally(model, {"a": X[:, 0].copy(), "b": X[:, 1].copy()})
    bound = {"rtol": 0, "atol": 2e-15 * np.max(size_of(model, {"a": X[:, 0], "b": X[:, 1]}))}
    T = np.asfortranarray(X)
    for a, b in ((X[:, 0], X[:, 1]), (T[:, 0], T[:, 1]), (X[:, 0].copy(), X[:, 1].copy())):
        np.testing.assert_allclose(model.predict({"a": a, "b": b}, scale="logit"), expected, **bound)
    turned = {"a": X[::-1, 0], "b": X[::-1, 1]}
    np.testing.assert_allclose(model.predict(turned, scale="logit"), expected[::-1], **bound)
    frame = pd.DataFrame(X[:, [1, 2, 0]], columns=["b", "other", "a"])
    np.testing.assert_allclose(model.predict(frame, scale="logit"), expected, **bound)
    whole = {"a": np.arange(5), "b": np.array([True, False, True, True, False])}
    np.testing.assert_array_equal(model.predict(whole, scale="logit"), generally(model, whole))
    single = {"a": np.array([1.5, np.nan], dtype=np.float32), "b": np.array([1, 2], dtype=np.uint8)}
    np.testing.assert_array_equal(model.predict(single, scale="logit"), generally(model, single))


def test_a_gap_in_a_column_without_weight_leaves_the_row_without_a_prediction() -> None:
    rng = np.random.default_rng(4)
    n = 60_000
    a = rng.normal(size=n)
    fit = passline.fit("y ~ a + twice + b", {"a": a, "twice": 2 * a, "b": rng.random(n), "y": rng.integers(0, 2, n)})
    assert fit.model.coef[2] == 0.0
    data = {"a": a, "twice": 2 * a, "b": rng.random(n)}
    data["twice"][7] = np.nan
    assert np.flatnonzero(np.isnan(fit.predict(data))).tolist() == [7]
    data["twice"][7] = np.inf
    with pytest.raises(DataError, match="infinite"):
        fit.predict(data)


def test_an_infinity_among_many_rows_is_refused_where_it_stands(models: dict[str, Model]) -> None:
    data = {name: np.zeros(60_000) for name in "ab"}
    data["b"][50_000] = -np.inf
    with pytest.raises(DataError, match="row 50001") as found:
        models["numbers"].predict(data)
    assert (found.value.row, found.value.column) == (50_000, "b")


def test_columns_are_taken_for_a_matrix_only_where_they_are_one() -> None:
    X = np.arange(24.0).reshape(8, 3)
    F = np.asfortranarray(X)
    apart = [X[:, j].copy() for j in range(3)]
    for columns in ([X[:, j] for j in range(3)], [F[:, j] for j in range(3)]):
        np.testing.assert_array_equal(side_by_side(columns), X.T)
    odd = (
        [X[:, 0]],
        [X[:, 0], X[:, 1], X[:, 1]],
        [F[:, 0], F[:, 2], F[:, 1]],
        [X[:, 0], F[:, 1], X[:, 2]],
        [X[:, 2], X[:, 1], X[:, 0]],
        [X[::-1, 0], X[::-1, 1]],
        [X[:, 0].astype(np.float32), X[:, 1].astype(np.float32)],
    )
    for columns in odd:
        found = side_by_side(columns)
        assert found is None or np.array_equal(found, np.array(columns))
    assert side_by_side(apart) is None or np.array_equal(side_by_side(apart), X.T)


VALUE = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.integers(-(10**400), 10**400) | st.integers(-5, 5),
    st.booleans(),
    st.none(),
    st.sampled_from(["x", "y", "żółw", "low", "high", "only", "1", "2", "2.0", "TRUE", "false", "", "NA", "nowhere"]),
    st.sampled_from([np.float64(1.5), np.float32(2.5), np.int64(3), np.bool_(True), np.float64("nan"), 1 + 2j, b"x"]),
)
PREDICTORS = ("a", "b", "p", "k", "u", "g", "h", "one")
LIKELY = {"a": 50.0, "b": 0.1, "p": 1.0, "k": 2, "u": True, "g": "x", "h": "mid", "one": "only"}


@settings(max_examples=400, deadline=None)
@given(
    name=st.sampled_from(list(FORMULAS)),
    odd=st.dictionaries(st.sampled_from([*PREDICTORS, "more"]), VALUE, max_size=4),
    gone=st.sets(st.sampled_from(PREDICTORS), max_size=1),
    unseen=st.sampled_from(["error", "baseline"]),
)
def test_whatever_a_row_holds_both_ways_say_the_same(
    models: dict[str, Model], name: str, odd: dict[str, Any], gone: set[str], unseen: str
) -> None:
    row = {k: v for k, v in (LIKELY | odd).items() if k not in gone}
    model = models[name]
    expected = answer(generally, model, row, unseen)
    assert_same(answer(model.predict, row, scale="logit", unseen=unseen), expected)


NUMBER = st.one_of(
    st.floats(-5, 5), st.just(math.nan), st.sampled_from([0.0, -0.0, math.inf, 1e308, -1e308, 1e-320, 709.0, 800.0])
)


@settings(max_examples=200, deadline=None)
@given(
    name=st.sampled_from(list(FORMULAS)),
    rows=st.lists(
        st.tuples(NUMBER, NUMBER, NUMBER, st.sampled_from([1.0, 2, 3, 4, math.nan]), st.sampled_from(["x", "y", "z"])),
        min_size=1,
        max_size=8,
    ),
    unseen=st.sampled_from(["error", "baseline"]),
)
def test_whatever_columns_hold_both_ways_say_the_same(
    models: dict[str, Model], name: str, rows: list[tuple[Any, ...]], unseen: str
) -> None:
    n = len(rows)
    columns = dict(zip("abpkg", map(list, zip(*rows, strict=True)), strict=True))
    data = {c: np.array(v, dtype=object if c == "g" else np.float64) for c, v in columns.items()}
    data |= {"u": np.arange(n) % 2 == 0, "h": np.array(["mid"] * n, dtype=object), "one": np.array(["only"] * n)}
    model = models[name]
    found = answer(model.predict, data, scale="logit", unseen=unseen)
    assert_same(found, answer(generally, model, data, unseen))


def test_a_dict_of_nothing_is_no_row(models: dict[str, Model]) -> None:
    model = models["intercept alone"]
    with pytest.raises(SourceError, match="no columns"):
        model.predict({})
    assert model.predict({"more": 1}).tolist() == model.predict([{}]).tolist() == [mean(model.coef)[0]]


def test_errors_of_rows_say_which_row_and_column(models: dict[str, Model]) -> None:
    good = dict(LIKELY)
    cases: list[tuple[str, dict[str, Any], str, str]] = [
        ("numbers", {"a": "12"}, "a", "not a number"),
        ("numbers", {"a": True}, "a", "not a number"),
        ("numbers", {"a": math.inf}, "a", "infinite"),
        ("numbers", {"a": 10**400}, "a", "infinite"),
        ("numbers", {"b": [1]}, "b", "not a number"),
        ("functions", {"p": -1.0}, "p", "needs a number above 0"),
        ("categories", {"g": "nowhere"}, "g", "not there when the model was fitted"),
        ("categories", {"g": {}}, "g", "neither text"),
        ("categories", {"u": "yes"}, "u", "neither true nor false"),
        ("categories", {"k": 7}, "k", "not there when the model was fitted"),
    ]
    for name, change, column, words in cases:
        with pytest.raises(DataError, match=words) as found:
            models[name].predict([good, good, good | change, good | change])
        assert (found.value.row, found.value.column) == (2, column)
        assert "row 3" in str(found.value)


def test_a_row_without_a_column_is_named(models: dict[str, Model]) -> None:
    with pytest.raises(DataError, match=r"row 2 has no column 'b'.*'B'") as found:
        models["numbers"].predict([{"a": 1, "b": 2}, {"a": 1, "B": 2}])
    assert (found.value.row, found.value.column) == (1, "b")


def test_whole_rows_have_every_value_and_no_other_name(models: dict[str, Model]) -> None:
    model = models["numbers"]
    rows: list[dict[str, Any]] = [{"a": 1, "b": 2.5}, {"a": 3, "b": -1.0}]
    np.testing.assert_array_equal(model.predict_records(rows), model.predict(rows))
    for change, words in (({"b": None}, "no value"), ({"b": math.nan}, "no value"), ({"c": 1}, "does not know")):
        with pytest.raises(DataError, match=words) as found:
            model.predict_records([*rows, rows[0] | change])
        assert (found.value.row, found.value.column) == (2, next(iter(change)))
    assert model.predict([rows[0] | {"b": None}, rows[0] | {"c": 1}]).tolist()[1] == model.predict(rows[0])[0]
    assert model.predict_records([]).shape == model.predict([]).shape == (0,)


def test_a_list_that_is_no_list_of_rows_is_refused(models: dict[str, Model]) -> None:
    with pytest.raises(SourceError, match="no table"):
        models["numbers"].predict([[1.0, 2.0]])


def test_a_category_in_rows_may_be_written_as_a_number(models: dict[str, Model]) -> None:
    data = {"c": ["1", "2", "x", "1", "2", "x"], "y": [0, 1, 1, 1, 0, 0]}
    model = passline.fit("y ~ c", data).model
    np.testing.assert_array_equal(model.predict([{"c": 1}, {"c": 2.0}]), model.predict([{"c": "1"}, {"c": "2"}]))


def test_a_model_that_has_predicted_can_still_be_copied_and_pickled(models: dict[str, Model]) -> None:
    model = models["splines"]
    row = dict(LIKELY)
    expected = model.predict(row)
    for other in (pickle.loads(pickle.dumps(model)), copy.copy(model), copy.deepcopy(model)):
        assert "plan" not in vars(other)
        np.testing.assert_array_equal(other.predict(row), expected)
        assert other.as_json() == model.as_json()


def test_threads_that_predict_with_one_model_do_not_disturb_one_another(models: dict[str, Model]) -> None:
    model = copy.copy(models["interactions"])
    rows = as_dicts(new_rows(model, 200))
    expected = [models["interactions"].predict(row)[0] for row in rows]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda row: model.predict(row)[0], rows)) == expected


def test_loading_a_model_and_predicting_a_row_imports_no_large_library(tmp_path: Path) -> None:
    passline.fit("y ~ rcs(a, 4) + g + u", table()).save(tmp_path / "m.json")
    code = (
        "import sys; from passline import modelfile\n"
        f"model = modelfile.load({str(tmp_path / 'm.json')!r})\n"
        "row = {'a': 50.0, 'g': 'x', 'u': True}\n"
        "assert 0 < model.predict(row)[0] < 1 and 0 < model.predict([row, row])[1] < 1\n"
        "from passline.explaining import explain\n"
        "explain(model, model.frame(row)).rows()\n"
        "large = {'duckdb', 'scipy', 'pandas', 'matplotlib', 'torch', 'rich', 'sklearn', 'pyarrow', 'polars'}\n"
        "print(sorted(large & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("rows", [1, 3, 20_000])
def test_what_has_no_value_within_a_power_of_zero_is_an_error_that_names_the_row(rows):
    rng = np.random.default_rng(3)
    data = {"x": rng.uniform(1, 9, 200), "z": rng.normal(size=200), "y": rng.integers(0, 2, 200)}
    model = passline.fit("y ~ 0 + power(log(x), 0) + z", data)  # pow(nan, 0) is 1
    x = np.full(rows, 2.0)
    x[-1] = -1.0
    asked = {"x": -1.0, "z": 0.0} if rows == 1 else {"x": x, "z": np.zeros(rows)}
    with pytest.raises(passline.errors.DataError, match=rf"x is -1 in the dictionary, row {rows}; log\(\) needs"):
        model.predict(asked)
    with pytest.raises(passline.errors.DataError, match="row 1; log"):
        passline.fit("y ~ 0 + power(log(x), 0) + z", data | {"x": np.r_[-1.0, data["x"][1:]]})
