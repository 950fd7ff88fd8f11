"""``passline.fit``: what changes nothing changes nothing, what data may look like, and the frames it answers in."""

from __future__ import annotations

import functools
import gzip
import math
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
from passline.engine import scaling as scaling_module
from passline.errors import (
    CannotFitError,
    ConvergenceWarning,
    DataError,
    DataWarning,
    InputError,
    OneClassError,
    OptionError,
    PasslineWarning,
    SeparationWarning,
    TooManyColumnsError,
)
from passline.solvers import estimate as estimate_module
from passline.solvers.newton import newton

BIRTHWT = datasets.load("birthwt")
FORMULA = "low ~ age + lwt + C(race) + smoke"
N = 80
TABLE_RNG = np.random.default_rng(12)
TABLE = {
    "a": TABLE_RNG.normal(size=N),
    "b": TABLE_RNG.normal(size=N),
    "g": [str(v) for v in TABLE_RNG.choice(["u", "v", "w"], N)],
}
Y = (TABLE_RNG.random(N) < 1 / (1 + np.exp(-TABLE["a"]))).astype(int)
PLAIN = passline.fit("y ~ a + b + g", {**TABLE, "y": Y})


def close(found: passline.Fit, expected: dict[str, float], rel: float = 1e-9) -> None:
    assert found.coef == pytest.approx(expected, rel=rel, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(N)))
def test_the_order_of_the_rows_does_not_matter(order: list[int]) -> None:
    shuffled = {name: [column[i] for i in order] for name, column in {**TABLE, "y": Y}.items()}
    found = passline.fit("y ~ a + b + g", shuffled)
    close(found, PLAIN.coef, 1e-11)
    assert found.glance() == pytest.approx(PLAIN.glance(), rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.integers(-290, 290), st.booleans())
def test_a_rescaled_column_rescales_its_estimate_and_nothing_else(power: int, negative: bool) -> None:
    factor = (-1.0 if negative else 1.0) * 10.0**power
    found = passline.fit("y ~ a + b + g", {**TABLE, "a": factor * TABLE["a"], "y": Y})
    assert found.coef["a"] * factor == pytest.approx(PLAIN.coef["a"], rel=1e-9)
    assert found.glance()["deviance"] == pytest.approx(PLAIN.glance()["deviance"], rel=1e-12)
    place = found.model.terms.names.index("a")
    assert found.model.terms.statistic[place] * math.copysign(1, factor) == pytest.approx(
        PLAIN.model.terms.statistic[place], rel=1e-8
    )


@pytest.mark.parametrize("shift", [-1e6, -3.0, 2020.0, 1e9])
def test_a_shifted_column_shifts_the_intercept_and_nothing_else(shift: float) -> None:
    found = passline.fit("y ~ a + b + g", {**TABLE, "a": TABLE["a"] + shift, "y": Y})
    rel = 1e-9 + 1e-15 * abs(shift)
    assert found.coef["(Intercept)"] == pytest.approx(PLAIN.coef["(Intercept)"] - shift * PLAIN.coef["a"], rel=rel)
    for name in ("a", "b", "gv", "gw"):
        assert found.coef[name] == pytest.approx(PLAIN.coef[name], rel=1e-6)


def test_flipped_labels_flip_every_sign() -> None:
    for found in (
        passline.fit("y ~ a + b + g", {**TABLE, "y": 1 - Y}),
        passline.fit("y ~ a + b + g", {**TABLE, "y": Y}, positive="0"),
    ):
        close(found, {name: -value for name, value in PLAIN.coef.items()}, 1e-11)
        assert found.glance() == pytest.approx(PLAIN.glance(), rel=1e-12)


@pytest.mark.parametrize(
    "extra", [np.full(N, 7.0), np.zeros(N), TABLE["a"], 1e5 * TABLE["a"] + 3, TABLE["a"] - 2 * TABLE["b"]]
)
def test_a_column_that_says_nothing_new_is_aliased_and_changes_nothing(extra: np.ndarray) -> None:
    found = passline.fit("y ~ a + b + c + g", {**TABLE, "c": extra, "y": Y})
    assert dict(zip(found.model.terms.names, found.model.terms.status, strict=True))["c"] == "aliased"
    assert math.isnan(found.coef["c"])
    assert {k: v for k, v in found.coef.items() if k != "c"} == pytest.approx(PLAIN.coef, rel=1e-9)
    assert found.glance() == pytest.approx(PLAIN.glance(), rel=1e-12)
    new = {**{name: column[:5] for name, column in TABLE.items()}, "c": [1e9] * 5}
    np.testing.assert_allclose(found.predict(new), PLAIN.predict(new), rtol=1e-9)


@pytest.mark.filterwarnings("ignore::passline.errors.DataWarning")
def test_a_design_kept_as_codes_gives_what_one_written_out_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    data = datasets.path("titanic")
    formula = "survived ~ sex * passengerClass + age + sex:age"
    written = passline.fit(formula, data)
    monkeypatch.setattr(scaling_module, "WRITE_OUT", 0)
    coded = passline.fit(formula, data)
    close(coded, written.coef)
    np.testing.assert_allclose(coded.covariance, written.covariance, rtol=1e-8)
    assert coded.glance() == pytest.approx(written.glance(), rel=1e-11)
    np.testing.assert_allclose(coded.predict(data), written.predict(data), rtol=1e-9)


HOMES = {"dict": dict, "pandas": pd.DataFrame, "polars": pl.DataFrame, "arrow": pa.table}


@pytest.mark.parametrize("home", HOMES)
def test_every_kind_of_frame_gives_one_answer_and_gets_its_own_kind_back(home: str) -> None:
    data = {**TABLE, "y": Y}
    fit = passline.fit("y ~ a + b + g", HOMES[home](data))
    assert fit.as_json()["terms"] == PLAIN.as_json()["terms"]
    tidy = fit.tidy()
    assert isinstance(tidy, {"pandas": pd.DataFrame, "polars": pl.DataFrame, "arrow": pa.Table}.get(home, dict))
    names = list(tidy) if home == "dict" else list(getattr(tidy, "column_names", None) or tidy.columns)
    assert names == list(PLAIN.as_json()["terms"][0])
    np.testing.assert_array_equal(fit.predict(HOMES[home](data)), PLAIN.predict(data))


ENCODINGS: dict[str, bytes] = {
    "bom": b"\xef\xbb\xbfx,y\n1,0\n2,1\n3,0\n4,1\n",
    "utf-16": "x,y\n1,0\n2,1\n3,0\n4,1\n".encode("utf-16"),
    "crlf": b"x,y\r\n1,0\r\n2,1\r\n3,0\r\n4,1\r\n",
    "no last line end": b"x,y\n1,0\n2,1\n3,0\n4,1",
    "semicolons": b"x;y\n1;0\n2;1\n3;0\n4;1\n",
    "quotes": b'"x","y"\n"1","0"\n"2","1"\n"3","0"\n"4","1"\n',
    "gzip": gzip.compress(b"x,y\n1,0\n2,1\n3,0\n4,1\n"),
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_file_is_read_whatever_its_encoding(name: str, tmp_path: Path) -> None:
    path = tmp_path / ("t.csv.gz" if name == "gzip" else "t.csv")
    path.write_bytes(ENCODINGS[name])
    expected = passline.fit("y ~ x", {"x": [1, 2, 3, 4], "y": [0, 1, 0, 1]})
    close(passline.fit("y ~ x", path), expected.coef, 1e-12)


OUTCOMES: dict[str, tuple[list[Any], str]] = {
    "numbers": ([0, 1, 0, 1], "1"),
    "floats": ([0.0, 1.0, 0.0, 1.0], "1"),
    "booleans": ([False, True, False, True], "true"),
    "text": (["no", "yes", "no", "yes"], "yes"),
    "one and two": ([1, 2, 1, 2], "2"),
    "labels": (["alive", "dead", "alive", "dead"], "dead"),
    "unicode": (["ø", "ü", "ø", "ü"], "ü"),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_an_outcome_may_have_any_two_labels_and_the_fit_says_which_is_yes(name: str, tmp_path: Path) -> None:
    values, positive = OUTCOMES[name]
    expected = passline.fit("y ~ x", {"x": [1, 2, 3, 4], "y": [0, 1, 0, 1]})
    path = tmp_path / "t.csv"
    path.write_text("x,y\n" + "".join(f"{i},{v}\n" for i, v in enumerate(values, start=1)), encoding="utf-8")
    for data in ({"x": [1, 2, 3, 4], "y": values}, path):
        found = passline.fit("y ~ x", data)
        close(found, expected.coef, 1e-12)
        assert found.model.design.positive.lower() == positive


@pytest.mark.parametrize(
    "name", ["x", "X y", 'a "quoted" name', "größe", "y.1", "select", "a,b", "x;drop", "年齢", "\U0001f600"]
)
def test_a_column_may_have_any_name(name: str, tmp_path: Path) -> None:
    values = [1.0, 2, 3, 4, 5, 6]
    frame = pd.DataFrame({name: values, name.swapcase() + "'": values[::-1], "y": [0, 1, 0, 1, 1, 0]})
    path = tmp_path / "t.csv"
    frame.to_csv(path, index=False)
    for data in (frame, path):
        fit = passline.fit(f"y ~ `{name}`", data)
        assert set(fit.coef) == {"(Intercept)", name} or set(fit.coef) == {"(Intercept)", f"`{name}`"}
        assert fit.boundary(name).variable == name


def test_names_that_differ_in_case_only_are_two_columns(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,X,y\n1,9,0\n2,1,1\n3,4,0\n4,2,1\n5,7,1\n6,8,0\n")
    fit = passline.fit("y ~ x + X", path)
    assert passline.fit("y ~ X", path).coef["X"] != passline.fit("y ~ x", path).coef["x"]
    assert list(fit.coef) == ["(Intercept)", "x", "X"]


@pytest.mark.parametrize("size", [1e300, 1e-300, 1e150])
def test_values_up_to_1e300_are_fitted(size: float, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "x,y\n" + "".join(f"{v * size!r},{y}\n" for v, y in zip([1, 2, 3, 4, 5, 6.5], "010110", strict=True))
    )
    fit = passline.fit("y ~ x", path)
    plain = passline.fit("y ~ x", {"x": [1, 2, 3, 4, 5, 6.5], "y": [0, 1, 0, 1, 1, 0]})
    assert fit.coef["x"] * size == pytest.approx(plain.coef["x"], rel=1e-9)
    np.testing.assert_allclose(fit.model.terms.std_error * [1, size], plain.model.terms.std_error, rtol=1e-9)
    np.testing.assert_allclose(fit.model.terms.p_value, plain.model.terms.p_value, rtol=1e-9)
    assert fit.boundary("x").estimate / size == pytest.approx(plain.boundary("x").estimate, rel=1e-9)


def test_incomplete_rows_are_dropped_and_counted_or_refused() -> None:
    data = {"x": [1, 2, None, 4, 5, math.nan], "y": [0, 1, 0, None, 0, 1]}
    with pytest.warns(DataWarning, match="3 of 6 rows"):
        fit = passline.fit("y ~ x", data)
    assert dict(fit.model.rows) == {"read": 6, "used": 3, "dropped": 3, "patterns": 3}
    with pytest.raises(InputError, match="3 of 6"):
        passline.fit("y ~ x", data, missing="error")


def test_a_formula_without_predictors_or_without_an_intercept_is_a_model() -> None:
    empty = passline.fit("y ~ 1", {"y": [0, 1, 1, 1]})
    assert empty.coef == pytest.approx({"(Intercept)": math.log(3)})
    assert empty.glance()["null_deviance"] == pytest.approx(empty.glance()["deviance"])
    through = passline.fit("y ~ 0 + a", {**TABLE, "y": Y})
    assert list(through.coef) == ["a"]
    assert through.glance()["null_deviance"] == pytest.approx(2 * N * math.log(2))


def test_what_cannot_be_fitted_says_why() -> None:
    with pytest.raises(OneClassError):
        passline.fit("y ~ x", {"x": [1, 2], "y": [1, 1]})
    with pytest.raises(TooManyColumnsError, match="penalty"):
        passline.fit("y ~ a + b", {"a": [1, 2], "b": [3, 5], "y": [0, 1]})
    with pytest.raises(CannotFitError):
        passline.fit("y ~ x", {"x": [], "y": []})
    with pytest.raises(DataError):
        passline.fit("y ~ x", {"x": [1.0, math.inf, 3.0], "y": [0, 1, 0]})
    with pytest.raises(OptionError):
        passline.fit("y ~ x", {"x": [1, 2, 3], "y": [0, 1, 0]}, missing="ignore")
    with pytest.raises(OptionError, match="estimator"):
        passline.fit("y ~ x", {"x": [1, 2, 3], "y": [0, 1, 0]}, estimator="magic")


def test_a_penalty_leaves_no_inference_and_makes_separated_rows_finite() -> None:
    fit = passline.fit("passed ~ hours", datasets.path("lesson"), penalty=passline.Penalty(l2=0.01))
    assert fit.separation.kind == "none"
    assert fit.certificate["converged"]
    terms = fit.as_json()["terms"]
    assert all(term["estimate"] is not None and term["std_error"] is term["p_value"] is None for term in terms)
    assert fit.glance()["aic"] is None
    p, low, high = fit.predict({"hours": [1, 2]}, interval="wald")
    assert np.isfinite(p).all()
    assert np.isnan([low, high]).all()


def test_an_estimate_that_is_no_optimum_warns_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate_module, "newton", functools.partial(newton, max_steps=2))
    with pytest.warns(ConvergenceWarning, match="not converged after 5 passes") as caught:
        fit = passline.fit("passed ~ hours", datasets.path("students"))
    assert caught[0].filename == __file__
    assert not fit.certificate["converged"]
    assert fit.certificate["gradient_norm"] > 1e-6
    assert "NOT CONVERGED" in repr(fit)


def test_a_separation_warning_points_at_the_callers_line() -> None:
    with pytest.warns(SeparationWarning) as caught:
        passline.fit("passed ~ hours", datasets.path("lesson"))
    assert caught[0].filename == __file__
    assert issubclass(SeparationWarning, PasslineWarning)


def test_a_fit_shows_itself_and_what_it_holds() -> None:
    assert "(Intercept)" in repr(PLAIN)
    assert repr(PLAIN.separation) == "Separation(kind='none', terms=[])"
    assert PLAIN.covariance.shape == (5, 5)
    np.testing.assert_allclose(np.sqrt(np.diagonal(PLAIN.covariance)), PLAIN.model.terms.std_error)
    PLAIN.covariance[:] = 0.0
    assert PLAIN.covariance.any(), "a caller's copy is the caller's"


def test_the_passes_of_a_plain_fit_are_few() -> None:
    assert PLAIN.certificate["passes"] <= 12
    assert passline.fit(FORMULA, BIRTHWT).certificate["passes"] <= 12
