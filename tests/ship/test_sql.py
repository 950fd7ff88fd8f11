"""SQL on tables that are not kind: missing and infinite values, odd names, deep functions, every dialect."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from typing import Any

import numpy as np
import psycopg
import pytest
import sqlglot
from postgres import ask, running
from test_javascript import FORMULAS, TABLE, fitted

import passline
from passline.errors import OptionError
from passline.ship.dialects import FOLDING, NOT_SQL
from passline.ship.export import run_sqlite
from passline.ship.plan import make_plan
from passline.ship.sql import query

DIALECTS = sorted(name for name in sqlglot.Dialect.classes if name and name not in NOT_SQL)


@pytest.fixture(scope="module")
def postgres() -> Iterator[psycopg.Connection]:
    with running() as connection:
        yield connection


def in_postgres(connection: psycopg.Connection, fit: passline.Fit, columns: dict[str, Any], **options: Any) -> Any:
    plan = make_plan(fit.model)
    kinds = [(each.column, each.kind) for each in plan.inputs]
    text = query(plan, "postgres", keep=("id",), **options)
    found = sorted(ask(connection, text, kinds, [columns[name] for name, _ in kinds]))
    return np.array([math.nan if p is None else p for _, _, p in found])


@pytest.mark.parametrize("formula", FORMULAS)
def test_postgresql_gives_the_probabilities_of_predict(formula: str, postgres: psycopg.Connection) -> None:
    fit = fitted(formula)
    found = in_postgres(postgres, fit, TABLE)
    np.testing.assert_allclose(found, fit.predict(TABLE)[: len(found)], rtol=1e-12, atol=1e-12)


def test_postgresql_gives_null_where_predict_has_no_answer_and_stops_at_no_exponential(
    postgres: psycopg.Connection,
) -> None:
    fit = fitted("y ~ log(x) + exp(z) + g")
    rows = [
        (1.0, 0.0, "a"),
        (-1.0, 0.0, "a"),
        (0.0, 0.0, "a"),
        (None, 0.0, "a"),
        (math.nan, 0.0, "a"),
        (math.inf, 0.0, "a"),
        (1.0, 0.0, "new"),
        (1.0, 0.0, None),
        (1.0, 710.0, "a"),
        (1.0, -744.0, "a"),
        (1.0, -1e6, "a"),
        (1.0, 700.0, "a"),
    ]
    columns = dict(zip("xzg", map(list, zip(*rows, strict=True)), strict=True))
    found = in_postgres(postgres, fit, columns)
    has_answer = [0, 9, 10, 11]
    assert np.flatnonzero(~np.isnan(found)).tolist() == has_answer
    kept = {name: [values[i] for i in has_answer] for name, values in columns.items()}
    np.testing.assert_allclose(found[has_answer], fit.predict(kept), rtol=1e-12, atol=1e-300)
    lenient = in_postgres(postgres, fit, columns, unseen="baseline")
    assert np.flatnonzero(~np.isnan(lenient)).tolist() == [0, 6, 9, 10, 11]
    row = {name: [values[6]] for name, values in columns.items()}
    assert lenient[6] == pytest.approx(fit.predict(row, unseen="baseline")[0], rel=1e-12)


def test_log_odds_of_any_size_neither_overflow_nor_underflow(postgres: psycopg.Connection) -> None:
    fit = fitted("y ~ z")
    z = [eta / fit.coef["z"] for eta in (-1e5, -746.0, -744.0, -709.0, -1.0, 0.0, 1.0, 707.0, 709.0, 1e5)]
    found = in_postgres(postgres, fit, {"z": z})
    np.testing.assert_allclose(found, fit.predict({"z": np.array(z)}), rtol=1e-9, atol=1e-320)


@pytest.mark.parametrize("name", ['it\'s "so"', "one\ntwo", "\u202eabc \u4e2d", "a`b\\", "%s $1", "select"])
def test_postgresql_reads_odd_names_and_levels(name: str, postgres: psycopg.Connection) -> None:
    data = {"y": TABLE["y"], name: TABLE["z"], "g": [f"{name}{v % 3}" for v in range(len(TABLE["y"]))]}
    fit = fitted("y ~ .", data)
    np.testing.assert_allclose(in_postgres(postgres, fit, data), fit.predict(data), rtol=1e-12)


def test_postgresql_tells_names_apart_by_case_and_refuses_those_that_it_cuts_to_one(
    postgres: psycopg.Connection,
) -> None:
    data = {"y": TABLE["y"], "a": TABLE["z"], "A": TABLE["x"]}
    fit = fitted("y ~ a + A", data)
    np.testing.assert_allclose(in_postgres(postgres, fit, data), fit.predict(data), rtol=1e-12)
    long = {"y": TABLE["y"], "n" * 63 + "1": TABLE["z"], "n" * 63 + "2": TABLE["x"]}
    with pytest.raises(OptionError, match="cuts names after 63 bytes"):
        query(make_plan(fitted("y ~ .", long).model), "postgres")


def test_functions_many_levels_deep_stay_a_short_query(postgres: psycopg.Connection) -> None:
    fit = fitted(f"y ~ {'log1p(sqrt(' * 8}x{'))' * 8}")
    np.testing.assert_allclose(in_postgres(postgres, fit, TABLE), fit.predict(TABLE), rtol=1e-12)
    text = query(make_plan(fit.model), "sqlite", keep=("passline_row",))
    found, _ = run_sqlite(text, ["x"], {"x": TABLE["x"].tolist()}, len(TABLE["y"]))
    np.testing.assert_allclose(found, fit.predict(TABLE), rtol=1e-12)


def test_text_in_a_column_of_numbers_is_null_in_sqlite_never_zero_and_a_wrong_name_an_error() -> None:
    text = query(make_plan(fitted("y ~ z").model), "sqlite", keep=("passline_row",))
    found, _ = run_sqlite(text, ["z"], {"z": ["abc", "", "5", 5, 5.0]}, 5)
    assert np.isnan(found).tolist() == [True, True, True, False, False]
    with pytest.raises(sqlite3.OperationalError, match="no such column"):
        run_sqlite(text, ["other"], {"other": [1.0]}, 1)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_has_a_query_that_reads_back_with_its_texts(dialect: str) -> None:
    data = {"y": TABLE["y"], 'it\'s "x"': TABLE["x"], "g": [f'it\'s \\ "{v % 3}"' for v in range(len(TABLE["y"]))]}
    plan = make_plan(fitted('y ~ log1p(`it\'s "x"`) + power(`it\'s "x"`, 0.5):g', data).model)
    text = query(plan, dialect)
    tree = sqlglot.parse_one(text, dialect=dialect)
    texts = {node.this for node in tree.find_all(sqlglot.exp.Literal) if node.is_string}
    assert {f'it\'s \\ "{v}"' for v in range(3)} <= texts
    assert 'it\'s "x"' in {node.this for node in tree.find_all(sqlglot.exp.Identifier)}


@pytest.mark.parametrize("dialect", ["duckdb", "sqlite", "mysql", "tsql"])
def test_names_that_differ_only_in_case_are_refused_where_an_engine_takes_them_for_one(dialect: str) -> None:
    fit = fitted("y ~ a + A", {"y": TABLE["y"], "a": TABLE["z"], "A": TABLE["x"]})
    with pytest.raises(OptionError, match="'a' and 'A' would be one"):
        query(make_plan(fit.model), dialect)


@pytest.mark.parametrize("dialect", FOLDING)
def test_levels_that_a_collation_takes_for_one_are_refused(dialect: str) -> None:
    fit = fitted("y ~ g", TABLE | {"g": [("a", "A", "b")[v % 3] for v in range(len(TABLE["y"]))]})
    with pytest.raises(OptionError, match="'A' and 'a' would be one"):
        query(make_plan(fit.model), dialect)
