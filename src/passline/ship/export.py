"""Exports by name: made, proven on rows, and only then written."""

from __future__ import annotations

import math
import os
import pickle
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from passline import modelfile
from passline.errors import OptionError
from passline.output import whole_file
from passline.ship.javascript import script
from passline.ship.node import in_node, numbers, rows_of
from passline.ship.plan import Plan, make_plan
from passline.ship.proof import Answers, Columns, Proof, Runner, by_halves, prove, typed
from passline.ship.python import source

if TYPE_CHECKING:
    from passline.model import Model
    from passline.table.coding import Unseen

FILES = ("onnx", "sql", "python", "javascript")
OBJECTS = ("scikit-learn", "torch")
# Fails in a node that is too old for the modules.
TRIAL = "const own = Object.hasOwn({}, 'x'); export const probability = () => 0, logit = () => 0, terms = () => [];"


@dataclass(frozen=True)
class Exported:
    """An export and its proof.

    ``content``: the text, the bytes (ONNX) or the object. ``proven_by``: what ran it. ``rows``: on how many rows it
    was compared with `predict`, ``difference``: the largest of a probability.
    """

    to: str
    content: Any = field(repr=False)
    proven_by: str
    rows: int
    difference: float


@dataclass(frozen=True)
class _Made:
    content: Any
    run: Runner
    proven_by: str


@dataclass(frozen=True)
class _Asked:
    plan: Plan
    model: Model
    unseen: Unseen
    dialect: str
    table: str
    keep: tuple[str, ...]
    rename: Mapping[str, str]
    flic: bool


def export(
    model: Model,
    path: str | os.PathLike[str] | None = None,
    *,
    to: str,
    dialect: str | None = None,
    table: str = "data",
    keep: Sequence[str] = (),
    rename: Mapping[str, str] | None = None,
    unseen: str = "error",
    flic: bool = True,
    data: Any = None,
) -> Exported:
    """Make an export, prove it on rows, and write it to ``path`` if there is one.

    ``to``: "onnx", "sql", "python", "javascript", or, without a path, "scikit-learn" and "torch". ``dialect`` (of SQL,
    "duckdb" without), ``table`` (what the query reads), ``keep`` (columns it hands on) and ``rename`` (what the table
    calls columns of the model) are SQL's. ``unseen``:
    "error", or "baseline" to take a category that was not there at fitting time for the reference. ``flic``: predict
    from a Firth fit with its corrected intercept. ``data``: rows to compare on, beside those made up from the model.
    Raises OptionError for what cannot be exported so, MissingDependencyError without the library.
    """
    if to not in _MAKERS:
        raise OptionError(f"there is no export to {to!r}: choose one of {', '.join(_MAKERS)}")
    if to != "sql" and (dialect is not None or table != "data" or keep or rename):
        raise OptionError(f"dialect, table, keep and rename are for to='sql', not for {to!r}")
    if unseen not in ("error", "baseline"):
        raise OptionError(f"unseen is {unseen!r}: choose 'error' or 'baseline'")
    if to in OBJECTS and path is not None:
        raise OptionError(f"{to} is an object, not a file: leave the path out and take .content")
    plan = make_plan(model, flic=flic)
    asked = _Asked(
        plan, model, cast("Unseen", str(unseen)), dialect or "duckdb", table, tuple(keep), rename or {}, flic
    )
    made = _MAKERS[to](asked)
    proof: Proof = prove(model, plan, made.run, what=f"export to {to}", unseen=asked.unseen, flic=flic, data=data)
    if path is not None:
        with whole_file(path) as aside:
            aside.write_bytes(made.content if isinstance(made.content, bytes) else made.content.encode())
    return Exported(to, made.content, made.proven_by, proof.rows, proof.difference)


def run_python(text: str, columns: Columns, rows: int) -> Answers:
    """What an exported Python module says of rows: NaN where it refuses one."""
    module: dict[str, Any] = {}
    exec(compile(text, "<export>", "exec"), module)
    listed = rows_of(columns) or [{}] * rows
    return _each(module["probability"], listed), _each(module["logit"], listed)


def _each(function: Callable[[dict[str, Any]], float], rows: Sequence[dict[str, Any]]) -> Any:
    found = []
    for row in rows:
        try:
            found.append(function(row))
        except ValueError:
            found.append(math.nan)
    return np.array(found)


def run_duckdb(text: str, names: Sequence[str], kinds: Sequence[str], columns: Columns, rows: int) -> Answers:
    """What DuckDB's query says of rows of a table called ``data``."""
    import duckdb

    types = {"number": "DOUBLE", "boolean": "BOOLEAN", "category": "VARCHAR"}
    listed = [f"{_quoted(name)} {types[kind]}" for name, kind in zip(names, kinds, strict=True)]
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE data (passline_row BIGINT{''.join(f', {each}' for each in listed)})")
        places = ", ".join(f"unnest(${i + 1})" for i in range(len(names) + 1))
        connection.execute(f"INSERT INTO data SELECT {places}", [list(range(rows)), *columns.values()])
        return _ordered(connection.execute(text).fetchall())


def run_sqlite(text: str, names: Sequence[str], columns: Columns, rows: int) -> Answers:
    """What SQLite's query says of rows of a table called ``data``."""
    with sqlite3.connect(":memory:") as connection:
        listed = "".join(f", {_quoted(name)}" for name in names)
        connection.execute(f"CREATE TABLE data (passline_row{listed})")
        places = ", ".join("?" * (len(names) + 1))
        values = zip(range(rows), *columns.values(), strict=True)
        connection.executemany(f"INSERT INTO data VALUES ({places})", values)
        return _ordered(connection.execute(text).fetchall())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _ordered(found: Sequence[tuple[Any, ...]]) -> Answers:
    """Rows of (row, logit, probability) as arrays in order."""
    table = np.array([[math.nan if v is None else float(v) for v in row] for row in sorted(found)])
    return table[:, 2], table[:, 1]


def _python(asked: _Asked) -> _Made:
    text = source(asked.plan, asked.unseen)
    return _Made(text, partial(run_python, text), "python")


def _javascript(asked: _Asked) -> _Made:
    text, twin = script(asked.plan, asked.unseen), source(asked.plan, asked.unseen)
    if in_node([(TRIAL, [{}])]) is None:
        return _Made(text, partial(run_python, twin), "the same steps in Python, since node is not there")

    def run(columns: Columns, rows: int) -> Answers:
        answers = in_node([(text, rows_of(columns) or [{}] * rows)])
        assert answers is not None, "node does not run the module"
        return np.array(numbers(answers[0]["probability"])), np.array(numbers(answers[0]["logit"]))

    return _Made(text, run, "node")


def _sql(asked: _Asked) -> _Made:
    from passline.ship.sql import query, renamed

    plan, unseen = asked.plan, asked.unseen
    unknown = [name for name in asked.rename if name not in asked.model.design.variables]
    if unknown:
        raise OptionError(
            f"there is no column {unknown[0]!r} to rename: the model needs {asked.model.design.variables}"
        )
    text = query(renamed(plan, asked.rename), asked.dialect, unseen, asked.table, asked.keep)
    # The proof's table has names of our own: those of the user's may be ones that DuckDB takes for one.
    plain = renamed(plan)
    names, kinds = [each.column for each in plain.inputs], [each.kind for each in plan.inputs]
    if asked.dialect == "sqlite" and _sqlite_calculates():
        proven = query(plain, "sqlite", unseen, keep=("passline_row",))
        return _Made(text, partial(run_sqlite, proven, names), "SQLite")
    proven = query(plain, "duckdb", unseen, keep=("passline_row",))
    who = (
        "DuckDB"
        if asked.dialect == "duckdb"
        else f"DuckDB, in whose dialect the same query was run, not {asked.dialect}"
    )
    return _Made(text, partial(run_duckdb, proven, names, kinds), who)


def _sqlite_calculates() -> bool:
    """Whether this Python's SQLite has mathematical functions."""
    with sqlite3.connect(":memory:") as connection:
        try:
            connection.execute("SELECT exp(1.0), ln(1.0), sqrt(1.0), power(1.0, 1.0)")
        except sqlite3.OperationalError:
            return False
    return True


def _onnx(asked: _Asked) -> _Made:
    from passline.ship import onnx

    content = onnx.onnx_model(asked.plan, asked.unseen)
    return _Made(content, partial(onnx.run, content, asked.plan), "onnxruntime")


def _torch(asked: _Asked) -> _Made:
    from passline.ship.torch import LogisticModule

    module = LogisticModule(asked.model, unseen=asked.unseen, flic=asked.flic)

    def ask(part: Any) -> Answers:
        X = module.columns(part)
        return module(X).detach().numpy(), module.logits(X).detach().numpy()

    return _Made(module, partial(_run_object, asked.model, ask), "PyTorch")


def _sklearn(asked: _Asked) -> _Made:
    from passline.ship.sklearn import FormulaClassifier

    made = FormulaClassifier(modelfile.dump(asked.model), unseen=asked.unseen, flic=asked.flic)
    again = pickle.loads(pickle.dumps(made))

    def ask(part: Any) -> Answers:
        return again.predict_proba(part)[:, 1], again.decision_function(part)

    return _Made(made, partial(_run_object, asked.model, ask), "scikit-learn, after a pickle")


def _run_object(model: Model, ask: Callable[[Any], Answers], columns: Columns, rows: int) -> Answers:
    """What an object says of rows: NaN where it refuses one."""
    table = np.full((2, rows), np.nan)

    def put(start: int, stop: int, part: Columns) -> None:
        table[:, start:stop] = ask(typed(model, part))

    if columns:
        by_halves(columns, rows, put)
    else:
        table[:] = ask({"": np.zeros(rows)})
    return table[0], table[1]


_MAKERS: dict[str, Callable[[_Asked], _Made]] = {
    "onnx": _onnx,
    "sql": _sql,
    "python": _python,
    "javascript": _javascript,
    "scikit-learn": _sklearn,
    "torch": _torch,
}
