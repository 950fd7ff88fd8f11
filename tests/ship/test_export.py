"""Every export is proven before it is written; what cannot be exported is refused with what to do."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import passline
from passline import cli
from passline.errors import DataError, OptionError, PasslineWarning
from passline.model import Model
from passline.ship import export as exports
from passline.ship.plan import make_plan
from passline.ship.rounding import doubt
from passline.table.design import Design

RANDOM = np.random.default_rng(6)
N = 120
TABLE: dict[str, Any] = {
    "y": [("no", "yes")[v] for v in RANDOM.integers(0, 2, N)],
    "x": RANDOM.lognormal(0.0, 1.0, N),
    "z": RANDOM.normal(0.0, 1.0, N),
    "g": [("a", "b", "c")[v] for v in RANDOM.integers(0, 3, N)],
}
FILES = {"onnx": "model.onnx", "sql": "model.sql", "python": "model.py", "javascript": "model.mjs"}
EVERYTHING = [*FILES, "scikit-learn", "torch"]
HARD_NAMES = {
    "quotes": 'it\'s "so" `called` \\ $1 %s {x}',
    "lines": "one\ntwo\r\n\tthree",
    "right-to-left": "\u202eabc\u2066 \u05d0",
    "markup": "</script><b>&amp;--/*",
    "unicode": "\u4e2d\u6587 \U0001f600 e\u0301",
    "long": "n" * 500,
    "words": "select",
    "own": "passline/0",
    "answers": "probability",
}


def fitted(formula: str, data: Any = None, **options: Any) -> passline.Fit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PasslineWarning)
        return passline.fit(formula, TABLE if data is None else data, **options)


@pytest.fixture(scope="module")
def fit() -> passline.Fit:
    return fitted("y ~ log(x) + z * g")


@pytest.mark.parametrize("to", EVERYTHING)
def test_an_export_says_on_how_many_rows_it_was_compared_and_how_far_it_is_from_predict(
    to: str, fit: passline.Fit
) -> None:
    alone, with_data = fit.export(to=to), fit.export(to=to, data=TABLE)
    assert alone.rows > 200
    assert with_data.rows == alone.rows + N
    assert with_data.difference < 1e-12


@pytest.mark.parametrize("to", FILES)
def test_a_file_holds_the_content(to: str, fit: passline.Fit, tmp_path: Path) -> None:
    path = tmp_path / FILES[to]
    content = fit.export(path, to=to).content
    assert path.read_bytes() == (content if isinstance(content, bytes) else content.encode())


def test_an_export_that_differs_is_a_fault_of_ours_and_nothing_is_written(
    fit: passline.Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = exports.source

    def wrong(*arguments: Any) -> str:
        text = right(*arguments)
        return text.replace("INTERCEPT = [", "INTERCEPT = [1e-9 + ")

    monkeypatch.setattr(exports, "source", wrong)
    with pytest.raises(AssertionError, match=r"gives the probability .* where predict gives"):
        fit.export(tmp_path / "model.py", to="python")
    assert list(tmp_path.iterdir()) == []


def test_without_node_a_module_is_proven_by_the_same_steps_in_python(
    fit: passline.Fit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "Python" in fit.export(to="javascript").proven_by
    monkeypatch.undo()
    assert fit.export(to="javascript").proven_by == "node"


@pytest.mark.parametrize("to", EVERYTHING)
@pytest.mark.parametrize("name", HARD_NAMES.values(), ids=HARD_NAMES)
def test_names_and_levels_are_text_whatever_they_hold(name: str, to: str) -> None:
    quoted = "`" + name.replace("`", "``") + "`"
    data = {"y": TABLE["y"], name: TABLE["z"], "g": [name + level for level in TABLE["g"]]}
    fit = fitted(f"y ~ {quoted} + g" if "\n" not in name else "y ~ .", data)
    assert fit.export(to=to, data=data).difference < 1e-12


@pytest.mark.parametrize("to", [each for each in EVERYTHING if each != "sql"])
def test_a_nul_in_a_level_is_text_and_sql_which_cannot_hold_one_refuses_it(to: str) -> None:
    fit = fitted("y ~ g", TABLE | {"g": [level + "\0" for level in TABLE["g"]]})
    assert fit.export(to=to).difference < 1e-12
    with pytest.raises(OptionError, match="SQL cannot hold the text"):
        fit.export(to="sql")


@pytest.fixture(scope="module")
def many_levels() -> Model:
    """A model of 2,000 levels, made of one of three: a fit's covariance would take longer than the exports."""
    model = fitted("y ~ g").model
    levels = [f"level {i}" for i in range(2000)]
    names = ["(Intercept)", *(f"g{level}" for level in levels[1:])]
    design = Design.from_json(model.design.to_json() | {"levels": {"g": levels}, "names": names})
    return replace(model, design=design, coef=RANDOM.normal(size=2000), directions=np.zeros((0, 2000)))


@pytest.mark.parametrize("to", [each for each in EVERYTHING if each != "scikit-learn"])  # that is a model file itself
@pytest.mark.parametrize("unseen", ["error", "baseline"])
def test_two_thousand_levels_all_keep_their_own(to: str, unseen: str, many_levels: Model) -> None:
    made = exports.export(many_levels, to=to, unseen=unseen)
    assert made.rows > 2000
    assert made.difference < 1e-12


@pytest.mark.parametrize("dialect", ["duckdb", "sqlite"])
def test_a_sum_of_seven_hundred_terms_is_within_what_a_parser_bears(dialect: str) -> None:
    X = RANDOM.normal(size=(900, 700))
    data = {"y": RANDOM.integers(0, 2, 900).astype(float), **{f"x{j}": X[:, j] for j in range(700)}}
    fit = fitted("y ~ .", data, penalty=passline.Penalty(l2=1.0))
    assert fit.export(to="sql", dialect=dialect).difference < 1e-12


@pytest.mark.parametrize("to", EVERYTHING)
def test_functions_inside_functions_lose_no_row(to: str) -> None:
    fit = fitted("y ~ log1p(log1p(sqrt(abs(log(exp(scale(x))))))) + rcs(log1p(sqrt(x)), 3)")
    assert fit.export(to=to, data=TABLE).difference < 1e-12


@pytest.mark.parametrize("to", EVERYTHING)
@pytest.mark.parametrize("formula", ["y ~ 1", "y ~ x + I2", "y ~ 0 + x", "y ~ one + x", "y ~ 0 + g + x:g"])
def test_models_of_every_shape_are_exported(to: str, formula: str) -> None:
    """Without predictors, with an aliased column, without an intercept, with a single level, with levels in full."""
    data = TABLE | {"I2": 2.0 * TABLE["x"], "one": ["only"] * N}
    assert fitted(formula, data).export(to=to).difference < 1e-12


@pytest.mark.parametrize("to", EVERYTHING)
def test_firth_and_a_fit_with_an_offset_predict_as_they_do_here(to: str) -> None:
    firth = fitted("y ~ x + g", estimator="firth")
    assert firth.export(to=to).difference < 1e-12
    assert firth.export(to=to, flic=False).difference < 1e-12
    assert fitted("y ~ x", offset="z").export(to=to).difference < 1e-12


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"to": "excel"}, "no export to 'excel': choose one of onnx, sql"),
        ({"to": "sql", "dialect": "postgresql"}, "no SQL dialect 'postgresql'"),
        ({"to": "python", "dialect": "duckdb"}, "are for to='sql'"),
        ({"to": "sql", "table": "a b; drop"}, "no table's name"),
        ({"to": "sql", "keep": ["Logit"]}, "two columns of that name"),
        ({"to": "sql", "rename": {"q": "r"}}, "no column 'q' to rename"),
        ({"to": "sql", "rename": {"x": "Z"}}, "'Z' and 'z' would be one"),
        ({"to": "python", "unseen": "drop"}, "choose 'error' or 'baseline'"),
        ({"to": "torch", "path": "model.pt"}, "an object, not a file"),
    ],
)
def test_an_option_that_cannot_be_is_refused_with_what_to_do(
    options: dict[str, Any], message: str, fit: passline.Fit
) -> None:
    with pytest.raises(OptionError, match=message):
        fit.export(**options)


def test_the_scikit_learn_object_works_in_a_pipeline_cloned_and_pickled(fit: passline.Fit) -> None:
    frame = pd.DataFrame(TABLE).drop(columns="y")
    made = fit.export(to="scikit-learn").content
    expected = fit.predict(frame)
    for one in (made, clone(made), pickle.loads(pickle.dumps(made))):
        pipeline = make_pipeline(FunctionTransformer(), one)
        np.testing.assert_array_equal(pipeline.predict_proba(frame)[:, 1], expected)
        assert pipeline.predict(frame).tolist() == ["yes" if p > 0.5 else "no" for p in expected]
    assert made.classes_.tolist() == ["no", "yes"]
    with pytest.raises(DataError, match="row 2 has no probability"):
        made.predict(frame.assign(z=[0.0, np.nan, *[0.0] * (N - 2)]))
    with pytest.raises(OptionError, match="has fitted"):
        made.fit(frame, TABLE["y"])


def test_the_torch_module_has_the_coefficients_as_its_state_and_gradients_to_its_columns() -> None:
    fit = fitted("y ~ x + z")
    module = fit.export(to="torch").content
    state = module.state_dict()
    np.testing.assert_array_equal(state["linear.weight"].numpy()[0], fit.model.coef[1:])
    X = torch.tensor(np.column_stack([TABLE["x"], TABLE["z"]]), requires_grad=True)
    p = module(X)
    np.testing.assert_allclose(p.detach().numpy(), fit.predict(TABLE), rtol=1e-12)
    p.sum().backward()
    assert torch.isfinite(X.grad).all()
    again = fitted("y ~ x + z", TABLE | {"z": -TABLE["z"]}).export(to="torch").content
    again.load_state_dict(state)
    assert torch.equal(again(X), p)


@pytest.fixture(scope="module")
def model_file(fit: passline.Fit, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("model") / "model.json"
    fit.save(path)
    return str(path)


@pytest.mark.parametrize("to", FILES)
def test_the_command_writes_the_file_and_says_how_it_was_proven(
    to: str, model_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / FILES[to]
    assert cli.run(["export", model_file, "--to", to, "-o", str(path)]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "agrees with predict on" in said.err
    assert path.stat().st_size > 500


def test_the_command_prints_text_without_a_file_and_hands_its_options_on(
    model_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["export", model_file, "--to", "sql", "--dialect", "postgres", "--table", "s.t", "--keep", "id"]
    assert cli.run([*command, "--rename", "x=the x", "--quiet"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "FROM s.t AS t" in said.out
    assert 't."the x"' in said.out
    assert 'k0 AS "id"' in said.out


@pytest.mark.parametrize(
    "options",
    [
        ["--to", "excel"],
        ["--to", "sql", "--dialect", "klingon"],
        ["--to", "onnx"],
        ["--to", "sql", "--rename", "x"],
        ["--to", "python", "-o", "no/such/folder/model.py"],
        ["--to", "python", "--data", "no-such-file.csv"],
        [],
    ],
)
def test_the_commands_bad_input_is_exit_2_with_one_message(
    options: list[str], model_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["export", model_file, *options]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.strip()
    assert "Traceback" not in said.err


def test_an_export_imports_neither_torch_nor_scikit_learn(model_file: str, tmp_path: Path) -> None:
    code = (
        "import sys; from passline.cli.app import run; "
        f"assert all(run(['export', {model_file!r}, '--to', to, '-o', {str(tmp_path)!r} + '/' + to]) == 0 "
        "for to in ('onnx', 'sql', 'python', 'javascript')); "
        "print([name for name in ('torch', 'sklearn', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("to", FILES)
@pytest.mark.parametrize("formula", ["y ~ rcs(log(x), 4)", "y ~ rcs(scale(log(x)), 5)", "y ~ rcs(log1p(x), 7)"])
def test_a_spline_of_a_logarithm_far_beyond_its_knots_is_no_fault_of_an_export(formula, to):
    rng = np.random.default_rng(2)
    x = rng.lognormal(2.0, 1.0, 400)
    y = rng.random(400) < 1 / (1 + np.exp(-4 * np.sin(3 * np.log(x))))
    made = passline.fit(formula, {"x": x, "y": y.astype(int)}).export(to=to)
    assert made.difference < 1e-9


def test_only_what_is_rounded_twice_leaves_room_for_another_answer():
    x = np.linspace(1.0, 9.0, 60)
    data = {"x": x, "g": ["a", "b", "c"] * 20, "y": [0, 1, 1, 0, 1, 0] * 10}

    def room(formula: str, asked: list[Any]) -> Any:
        plan = make_plan(passline.fit(formula, data).model)
        columns = {each.column: asked if each.column == "x" else ["a"] * len(asked) for each in plan.inputs}
        return doubt(plan, columns, len(asked))

    assert not room("y ~ rcs(x, 4) + scale(x):g + sqrt(x) + power(x, 3)", [2.0, 1e100, None]).any()
    near, far, missing, outside = room("y ~ rcs(log(x), 4)", [2.0, 1e100, None, -1.0])
    assert 0 < near < 1e-12 < far
    assert missing == outside == 0
