"""Rows that repeat are held once: nothing is lost, nothing said of a row changes, and the order is the source's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import passline
from passline.errors import DataError, OneClassError
from passline.table.design import learn
from passline.table.formula import parse
from passline.table.patterns import LEAST_ROWS, ROWS_A_PATTERN, patterns_estimate, stage_patterns
from passline.table.source import open_source
from passline.table.staged import Frame


def repeating(n: int = 6_000, seed: int = 0) -> pd.DataFrame:
    """A table of at most 2 x 3 x 4 x 2 different rows, and a few incomplete ones."""
    random = np.random.default_rng(seed)
    a, b, k = random.choice(["u", "v", "w"], n), random.integers(0, 4, n).astype(float), random.integers(0, 2, n)
    y = (random.random(n) < 1 / (1 + np.exp(-0.5 * (b - 1.5) + (a == "u")))).astype(int)
    b[random.integers(0, n, 20)] = np.nan
    return pd.DataFrame({"y": y, "a": a, "b": b, "k": k})


def written(table: pd.DataFrame, folder: Path, kind: str) -> Any:
    """The table as a source of some kind."""
    if kind == "pandas":
        return table
    path = folder / f"t.{kind}"
    if kind == "csv":
        table.to_csv(path, index=False)
    elif kind == "parquet":
        table.to_parquet(path, index=False)
    elif kind == "jsonl":
        table.to_json(path, orient="records", lines=True)
    return path


KINDS = ["pandas", "csv", "parquet", "jsonl"]


@pytest.mark.parametrize("kind", KINDS)
def test_each_different_row_is_held_once_with_its_count_in_order_of_first_places(kind: str, tmp_path: Path) -> None:
    table = repeating()
    staged = stage_patterns(open_source(written(table, tmp_path, kind)), ["y", "b"], {"y": "number", "b": "number"})
    assert isinstance(staged, Frame)
    seen = table[["y", "b"]].astype(float).fillna(-9.0).groupby(["y", "b"], sort=False).size()
    assert staged.counts is not None
    np.testing.assert_array_equal(staged.counts, seen.to_numpy(float))
    np.testing.assert_array_equal(staged.arrays["y"], [y for y, _ in seen.index])
    np.testing.assert_array_equal(np.nan_to_num(staged.arrays["b"], nan=-9.0), [b for _, b in seen.index])


@pytest.mark.parametrize("kind", KINDS)
def test_a_fit_of_patterns_is_the_fit_of_the_rows(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = written(repeating(), tmp_path, kind)
    formula = "y ~ a + scale(b) + rcs(b, 3) + a:k"
    once = passline.fit(formula, source, robust="hc1")
    monkeypatch.setattr("passline.table.patterns.LEAST_ROWS", 10**9)
    each = passline.fit(formula, source, robust="hc1")
    assert once.as_json()["rows"]["patterns"] < 50
    assert once.as_json()["rows"] | {"patterns": 0} == each.as_json()["rows"] | {"patterns": 0}
    np.testing.assert_allclose(once.model.coef, each.model.coef, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(once.covariance, each.covariance, rtol=1e-8, atol=1e-13)
    for name, value in each.glance().items():
        assert once.glance()[name] == pytest.approx(value, rel=1e-10), name
    for name, summary in each.model.summaries.items():
        for what, value in summary.items():
            found = once.model.summaries[name][what]
            assert found == (value if what in ("kind", "levels") else pytest.approx(value)), (name, what)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_said_of_single_rows_is_said_of_each_in_its_place(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = written(repeating(), tmp_path, kind)
    once = passline.fit("y ~ a + b", source)
    monkeypatch.setattr("passline.table.patterns.LEAST_ROWS", 10**9)
    each = passline.fit("y ~ a + b", source)
    found, expected = pd.DataFrame(once.augment()), pd.DataFrame(each.augment())
    assert len(found) == 6_000
    numbers = [name for name in found if name.startswith(".")]
    pd.testing.assert_frame_equal(found[numbers], expected[numbers], rtol=1e-8, atol=1e-12)
    assert found["a"].tolist() == expected["a"].tolist()
    np.testing.assert_allclose(once.residuals("pearson"), each.residuals("pearson"), rtol=1e-8)
    assert once.fingerprinted().settings["rows_sha256"] == each.fingerprinted().settings["rows_sha256"]
    assert once.fingerprinted().settings["data_sha256"] == each.fingerprinted().settings["data_sha256"]


def test_nested_models_of_other_patterns_are_compared_on_the_rows() -> None:
    table = repeating()
    small, large = passline.fit("y ~ a", table.dropna()), passline.fit("y ~ a + b", table.dropna())
    assert small.as_json()["rows"]["patterns"] != large.as_json()["rows"]["patterns"]
    test = small.compare(large)
    assert test.df == 1
    assert test.statistic == pytest.approx(small.glance()["deviance"] - large.glance()["deviance"], rel=1e-9)


def test_counts_multiply_weights_and_rows_of_weight_zero_are_left_out() -> None:
    table = repeating().dropna()
    table["w"] = np.random.default_rng(3).integers(0, 3, len(table))
    found = passline.fit("y ~ a + b", table, weights="w")
    assert found.as_json()["rows"]["patterns"] < 100
    expected = passline.fit("y ~ a + b", table.loc[table.index.repeat(table["w"])].drop(columns="w"))
    np.testing.assert_allclose(found.model.coef, expected.model.coef, rtol=1e-9)
    assert found.glance()["nobs"] == expected.glance()["nobs"] == table["w"].sum()


@pytest.mark.parametrize("role", ["cluster", "sampling_weights", "weights"])
def test_roles_that_tell_equal_rows_apart_keep_every_row_by_itself(role: str) -> None:
    table = repeating().dropna()
    played = np.arange(len(table)) % 50 if role == "cluster" else np.ones(len(table))
    fit = passline.fit("y ~ a + b", table, **{role: played})
    assert fit.as_json()["rows"]["patterns"] == len(table)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_names_the_first_row_that_is_at_fault_and_counts_rows(kind: str, tmp_path: Path) -> None:
    table = repeating().dropna().reset_index(drop=True)
    table.loc[[1234, 3000], "b"] = -1.0
    table.loc[[777, 40], "b"] = -2.0
    with pytest.raises(DataError) as raised:
        passline.fit("y ~ log1p(b)", written(table, tmp_path, kind))
    place = {"csv": "line 42", "jsonl": "line 41"}.get(kind, "row 41")
    assert place in str(raised.value)
    assert "b is -2" in str(raised.value)
    with pytest.raises(OneClassError, match=f"all {len(table)} rows used"):
        passline.fit("y ~ k", written(table.assign(y=1), tmp_path, kind))


def test_missing_values_are_counted_in_rows() -> None:
    table = repeating()
    fit = passline.fit("y ~ a + b", table)
    gone = int(table["b"].isna().sum())
    assert fit.as_json()["rows"] == {"read": 6_000, "used": 6_000 - gone, "dropped": gone, "patterns": 24}
    assert fit.rows is not None
    assert fit.rows.learned.rows.missing()["b"] == gone


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_without_repeats_or_with_few_rows_is_left_as_it_is(kind: str, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    wide = pd.DataFrame({"y": random.integers(0, 2, 3_000), "b": random.normal(size=3_000)})
    few = repeating(LEAST_ROWS - 1)
    for table in (wide, few):
        staged = stage_patterns(open_source(written(table, tmp_path, kind)), ["y", "b"], {"y": "number", "b": "number"})
        assert staged.rows == len(table)
        assert getattr(staged, "counts", None) is None


def test_several_files_are_grouped_together_and_rows_keep_their_files(tmp_path: Path) -> None:
    table = repeating().dropna()
    for i, part in enumerate(np.array_split(np.arange(len(table)), 3)):
        table.iloc[part].to_parquet(tmp_path / f"part{i}.parquet", index=False)
    staged = stage_patterns(open_source(tmp_path / "part*.parquet"), ["y", "a"], {"y": "number", "a": "category"})
    assert isinstance(staged, Frame)
    assert staged.counts is not None
    assert staged.rows == 6
    assert staged.counts.sum() == len(table)
    assert staged.where(0) == "part0.parquet, row 1"


def test_a_sorted_file_whose_first_rows_repeat_is_not_taken_for_one_that_repeats(tmp_path: Path) -> None:
    n = 40_000
    b = np.where(np.arange(n) < n // 10, 0.0, np.arange(n))
    table = pd.DataFrame({"y": np.arange(n) % 2, "b": b})
    staged = stage_patterns(
        open_source(written(table, tmp_path, "parquet")), ["y", "b"], {"y": "number", "b": "number"}
    )
    assert staged.rows == n


def test_an_infinity_in_a_file_that_repeats_is_refused_with_its_row(tmp_path: Path) -> None:
    table = repeating().dropna().reset_index(drop=True)
    table.loc[17, "b"] = np.inf
    with pytest.raises(DataError, match="row 18"):
        passline.fit("y ~ b", written(table, tmp_path, "parquet"))


def test_a_parquet_column_called_like_the_row_number_is_only_a_column(tmp_path: Path) -> None:
    table = repeating().dropna().rename(columns={"b": "file_row_number"})
    table["r"] = table["k"]
    fit = passline.fit("y ~ file_row_number + r", written(table, tmp_path, "parquet"))
    expected = passline.fit("y ~ file_row_number + r", table)
    np.testing.assert_allclose(fit.model.coef, expected.model.coef, rtol=1e-9)


def test_a_file_that_has_changed_since_the_fit_is_not_taken_for_its_rows(tmp_path: Path) -> None:
    path = written(repeating(), tmp_path, "parquet")
    fit = passline.fit("y ~ a + b", path)
    repeating(5_000).to_parquet(path, index=False)
    with pytest.raises(DataError, match="changed since"):
        fit.augment()


def test_patterns_are_the_same_and_in_the_same_order_each_time(tmp_path: Path) -> None:
    path = written(repeating(50_000), tmp_path, "parquet")
    fits = [passline.fit("y ~ a + b", path) for _ in range(3)]
    assert len({fit.model.coef.tobytes() for fit in fits}) == 1


def test_a_separated_outcome_of_repeated_rows_is_told_in_rows(tmp_path: Path) -> None:
    table = pd.DataFrame({"y": [0, 1] * 2_000 + [1] * 1_000, "g": ["a"] * 4_000 + ["b"] * 1_000})
    with pytest.warns(passline.errors.SeparationWarning, match="1000 of 5000 rows"):
        fit = passline.fit("y ~ g", written(table, tmp_path, "parquet"))
    assert fit.separation.kind == "quasi"
    assert fit.as_json()["rows"]["patterns"] == 3


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 400), st.integers(0, 2**32 - 1))
def test_the_estimate_of_the_number_of_patterns_is_right_about_its_size(patterns: int, seed: int) -> None:
    sample = np.random.default_rng(seed).integers(0, patterns, 4_096)
    count = np.unique(sample, return_counts=True)[1]
    once, twice = (int((count == times).sum()) for times in (1, 2))
    found = patterns_estimate(4_096, len(count), once, twice, 10**6)
    assert len(count) <= found <= 1.2 * patterns
    assert patterns_estimate(4_096, 4_096, 4_096, 0, 10**6) == 10**6


def test_grouping_is_asked_for_where_rows_repeat_often_enough() -> None:
    n = 8_000
    for share, grouped in ((ROWS_A_PATTERN + 1, True), (ROWS_A_PATTERN - 1, False)):
        values = np.random.default_rng(0).permutation(np.repeat(np.arange(n // share), share)).astype(float)
        staged = stage_patterns(open_source({"b": values}), ["b"], {"b": "number"})
        assert (getattr(staged, "counts", None) is not None) == grouped


def test_connections_of_one_process_do_not_see_each_others_tables() -> None:
    from passline.table.scan import connect

    one, other = connect(), connect()
    one.execute("CREATE TEMP TABLE t AS SELECT 1")
    with pytest.raises(duckdb.Error):
        other.execute("SELECT * FROM t")


def test_a_learned_design_gives_its_rows_back_one_by_one() -> None:
    learned = learn(parse("y ~ a"), open_source(repeating()))
    assert learned.rows.size == 6
    again = learned.by_row()
    assert again.rows.size == again.used == learned.used == 6_000
    assert again.by_row() is again


def test_rows_held_once_are_evaluated_as_the_rows_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    table = repeating()
    once = passline.fit("y ~ a + b", table)
    own, again = once.evaluate(folds=0, bootstrap=0), once.evaluate(table, folds=0, bootstrap=0)
    monkeypatch.setattr("passline.table.patterns.LEAST_ROWS", 10**9)
    expected = passline.fit("y ~ a + b", table).evaluate(folds=0, bootstrap=0)
    assert dict(own.rows) == dict(again.rows) == dict(expected.rows)
    assert own.own_rows
    assert again.own_rows
    for name, value in expected.measures.items():
        assert own.measures[name]["apparent"] == pytest.approx(value["apparent"], rel=1e-9), name


def test_what_sums_over_rows_takes_patterns_and_asks_for_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    table = repeating().dropna()
    once = passline.fit("y ~ a + b", table)
    small = passline.fit("y ~ a", table)

    def refused(learned: object) -> None:
        raise AssertionError("the rows were asked for one by one")

    monkeypatch.setattr("passline.fitting.Fitted.by_row", property(refused))
    factors, condition, lines = once.vif(), once.condition_number(), once.linearity()
    test = small.compare(once)
    monkeypatch.undo()
    monkeypatch.setattr("passline.table.patterns.LEAST_ROWS", 10**9)
    each = passline.fit("y ~ a + b", table)
    pd.testing.assert_frame_equal(factors, each.vif(), rtol=1e-9)
    assert condition == pytest.approx(each.condition_number(), rel=1e-9)
    pd.testing.assert_frame_equal(lines, each.linearity(), rtol=1e-7)
    assert test.statistic == pytest.approx(passline.fit("y ~ a", table).compare(each).statistic, rel=1e-9)
