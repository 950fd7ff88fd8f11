"""Every export says what `predict` says on every reference table with categories, SQL in three engines."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
import pytest
from postgres import ask, running

import passline
from passline.errors import PasslineWarning
from passline.ship import onnx
from passline.ship.export import Answers, run_duckdb, run_python, run_sqlite
from passline.ship.javascript import script
from passline.ship.node import in_node, numbers, rows_of
from passline.ship.plan import Plan, make_plan
from passline.ship.python import source
from passline.ship.sql import query, renamed
from reference import reference_tables

MOST_ROWS = 150


@dataclass(frozen=True)
class Case:
    """A table's fit with rows of it, and what `predict` says of them."""

    name: str
    plan: Plan
    columns: dict[str, list[Any]]
    rows: int
    probability: np.ndarray
    logit: np.ndarray

    @property
    def kinds(self) -> list[tuple[str, str]]:
        return [(each.column, each.kind) for each in self.plan.inputs]


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return [case(table) for table in reference_tables() if "cat" in table.predictors.values()]


def case(table: Any) -> Case:
    data = table.columns()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PasslineWarning)
        fit = passline.fit(table.formula, data)
    plan = make_plan(fit.model)
    n = len(data["y"])
    chosen = np.unique(np.linspace(0, n - 1, min(n, MOST_ROWS)).astype(int))
    # The last row's values, each column in turn missing.
    columns = {name: [data[name][i] for i in chosen] for name in fit.model.design.variables}
    for name in columns:
        for other, values in columns.items():
            values.append(None if other == name else data[other][0])
    rows = len(next(iter(columns.values())))
    typed = {
        name: np.array([math.nan if v is None else v for v in values]) if isinstance(data[name][0], float) else values
        for name, values in columns.items()
    }
    return Case(table.name, plan, columns, rows, fit.predict(typed), fit.predict(typed, scale="logit"))


def compare(cases: list[Case], ran: Callable[[Case], Answers]) -> None:
    """Every probability within 1e-12, every log-odds within 1e-12 of its size; NaN and infinities where they are."""
    wrong = {}
    for one in cases:
        probability, logit = ran(one)
        try:
            np.testing.assert_allclose(probability, one.probability, rtol=0, atol=1e-12)
            np.testing.assert_allclose(logit, one.logit, rtol=1e-12, atol=1e-11)
        except AssertionError as error:
            wrong[one.name] = str(error)
    assert len(cases) > 140
    assert wrong == {}


def test_python(cases: list[Case]) -> None:
    compare(cases, lambda one: run_python(source(one.plan, "error"), one.columns, one.rows))


def test_javascript(cases: list[Case]) -> None:
    answers = in_node([(script(one.plan, "error"), rows_of(one.columns)) for one in cases])
    assert answers is not None, "these tests run JavaScript in node: install Node.js 18 or newer"
    found = {
        one.name: (np.array(numbers(answer["probability"])), np.array(numbers(answer["logit"])))
        for one, answer in zip(cases, answers, strict=True)
    }
    compare(cases, lambda one: found[one.name])


def test_onnx(cases: list[Case]) -> None:
    compare(cases, lambda one: onnx.run(onnx.onnx_model(one.plan), one.plan, one.columns, one.rows))


# One table has columns `class` and `Class`, which are one to DuckDB and SQLite: there it calls one otherwise.
OTHERWISE = {"Class": "the Class"}


def test_duckdb(cases: list[Case]) -> None:
    def ran(one: Case) -> Answers:
        plan = renamed(one.plan, OTHERWISE)
        names, kinds = [each.column for each in plan.inputs], [each.kind for each in plan.inputs]
        return run_duckdb(query(plan, "duckdb", keep=("passline_row",)), names, kinds, one.columns, one.rows)

    compare(cases, ran)


def test_sqlite(cases: list[Case]) -> None:
    def ran(one: Case) -> Answers:
        plan = renamed(one.plan, OTHERWISE)
        text = query(plan, "sqlite", keep=("passline_row",))
        return run_sqlite(text, [each.column for each in plan.inputs], one.columns, one.rows)

    compare(cases, ran)


@pytest.fixture(scope="module")
def postgres() -> Iterator[psycopg.Connection]:
    with running() as connection:
        yield connection


def in_postgres(connection: psycopg.Connection, one: Case) -> Answers:
    text = query(one.plan, "postgres", keep=("id",))
    found = sorted(ask(connection, text, one.kinds, list(one.columns.values())))
    table = np.array([[math.nan if v is None else float(v) for v in row] for row in found])
    return table[:, 2], table[:, 1]


def test_postgresql(cases: list[Case], postgres: psycopg.Connection) -> None:
    compare(cases, lambda one: in_postgres(postgres, one))
