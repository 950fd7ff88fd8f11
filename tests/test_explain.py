"""Each term's share of a prediction's log-odds: sums, the average row, separated data, the command."""

from __future__ import annotations

import csv
import io
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import passline
from passline import datasets, modelfile
from passline.cli.app import run
from passline.errors import DataError, OptionError
from passline.explaining import explain

FITS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "numbers": ("passed ~ hours", "students", {}),
    "interactions": ("survived ~ sex * passengerClass + age:sex", "titanic", {}),
    "splines": ("lfp ~ rcs(age, 4) * wc + scale(inc) + log1p(k5) + hc", "mroz", {}),
    "no intercept": ("Kyphosis ~ 0 + Age + Start", "kyphosis", {}),
    "no intercept, categories": ("survived ~ 0 + sex + sex:age", "titanic", {}),
    "firth": ("HG ~ NV + PI + EH", "endometrial", {"estimator": "firth"}),
    "ridge": ("low ~ age + lwt + C(race)", "birthwt", {"penalty": passline.Penalty(l2=0.01)}),
}


def fitted(formula: str, data: Any, **options: Any) -> passline.Fit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return passline.fit(formula, data, **options)


@pytest.mark.parametrize("name", FITS)
def test_base_and_shares_add_up_to_the_logit_that_predict_gives(name: str) -> None:
    formula, table, options = FITS[name]
    fit = fitted(formula, datasets.path(table), **options)
    data = pd.read_csv(datasets.path(table))
    found = fit.explain(data)
    terms = [term.text for term in fit.model.design.terms]
    assert list(found.columns) == ["(base)", *terms, "(logit)", "(probability)"]
    logit = fit.predict(data, scale="logit")
    np.testing.assert_array_equal(found["(logit)"], logit)
    np.testing.assert_array_equal(found["(probability)"], fit.predict(data))
    total = found["(base)"] + found[terms].sum(axis=1, skipna=False)
    np.testing.assert_allclose(total, logit, rtol=1e-12, atol=1e-12)


def test_a_share_is_the_coefficients_times_the_distances_from_the_means() -> None:
    rng = np.random.default_rng(3)
    x, z, g = rng.normal(size=200), rng.normal(size=200), rng.choice(["a", "b", "c"], 200)
    y = (rng.random(200) < 1 / (1 + np.exp(-x + 0.5 * (g == "b")))).astype(int)
    fit = passline.fit("y ~ x * z + g", {"x": x, "z": z, "g": g, "y": y})
    w = fit.coef
    found = fit.explain({"x": 0.7, "z": -1.2, "g": "b"})
    expected = {
        "x": w["x"] * (0.7 - x.mean()),
        "z": w["z"] * (-1.2 - z.mean()),
        "g": w["gb"] * (1 - (g == "b").mean()) - w["gc"] * (g == "c").mean(),
        "x:z": w["x:z"] * (0.7 * -1.2 - (x * z).mean()),
    }
    assert list(found["shares"]) == ["x", "z", "g", "x:z"]
    assert found["shares"] == pytest.approx(expected, abs=1e-12)
    assert found["base"] == pytest.approx(
        w["(Intercept)"]
        + w["x"] * x.mean()
        + w["z"] * z.mean()
        + w["gb"] * (g == "b").mean()
        + w["gc"] * (g == "c").mean()
        + w["x:z"] * (x * z).mean(),
        abs=1e-12,
    )
    assert found["probability"] == fit.predict({"x": 0.7, "z": -1.2, "g": "b"})[0]
    assert found["infinite"] == []


def test_shares_are_the_shapley_values_of_independent_terms_by_their_definition() -> None:
    # A background in which every combination of values stands once: columns of different terms are independent.
    x, z = (column.ravel() for column in np.meshgrid([0.0, 1.0, 5.0], [-2.0, 4.0, 4.5, 7.0]))
    y = np.array([0, 1, 0, 0, 1, 1, 0, 1, 1, 0, 1, 0])
    fit = passline.fit("y ~ x + z", {"x": x, "z": z, "y": y})

    def value(known: dict[str, float]) -> float:
        """The mean log-odds over the background with the known predictors set."""
        rows = {"x": x, "z": z} | {name: np.full(len(x), v) for name, v in known.items()}
        return float(np.mean(fit.predict(rows, scale="logit")))

    row = {"x": 5.0, "z": -2.0}
    found = fit.explain(row)
    assert found["base"] == pytest.approx(value({}), abs=1e-12)
    for name, other in (("x", "z"), ("z", "x")):
        alone = value({name: row[name]}) - value({})
        with_other = value(row) - value({other: row[other]})
        assert found["shares"][name] == pytest.approx((alone + with_other) / 2, abs=1e-12)


@pytest.mark.parametrize("formula", ["y ~ x + u", "y ~ 0 + x + u", "y ~ x * u + power(x, 2)", "y ~ 0 + u + x:u"])
@pytest.mark.parametrize("rows", [60, 40_000])
def test_the_average_row_is_that_of_the_rows_written_out(formula: str, rows: int) -> None:
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"x": rng.integers(0, 4, rows) * 1.5, "u": rng.choice(["p", "q"], rows)})
    data["y"] = (rng.random(rows) < 0.4).astype(int)
    data["n"] = rng.integers(1, 4, rows)
    weighted = passline.fit(formula, data, weights="n")
    written = passline.fit(formula, data.loc[data.index.repeat(data["n"])])
    design, model = weighted.model.design, weighted.model
    columns = model.times(model.groups(model.frame(data))[0], rows, np.eye(len(design.names)))
    expected = np.average(columns, axis=0, weights=data["n"])
    np.testing.assert_allclose(model.average, expected, rtol=1e-12)
    np.testing.assert_allclose(written.model.average, expected, rtol=1e-12)
    assert model.average is not None
    assert not design.intercept or model.average[0] == 1.0


def test_trials_count_as_rows_of_their_own() -> None:
    grouped = pd.DataFrame({"x": [1.0, 2.0, 3.0], "s": [1, 3, 4], "m": [4, 5, 6]})
    single = pd.DataFrame({"x": np.repeat([1.0, 2.0, 3.0], [4, 5, 6])})
    single["y"] = [1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0]
    fit = passline.fit("s ~ x", grouped, trials="m")
    found, expected = fit.explain({"x": 2.5}), passline.fit("y ~ x", single).explain({"x": 2.5})
    assert found["base"] == pytest.approx(expected["base"], abs=1e-9)
    assert found["shares"] == pytest.approx(expected["shares"], abs=1e-9)


def test_extreme_columns_have_an_average() -> None:
    data = {"x": [1e300, 2e300, 0.5e300, 3e300, 1.5e300], "y": [0, 1, 1, 1, 0], "z": [0, 0, 0, 1e-300, 0]}
    assert fitted("y ~ x", data).model.average[1] == pytest.approx(1.6e300)
    assert fitted("y ~ 0 + x", data).model.average[0] == pytest.approx(1.6e300)


def test_the_base_of_a_firth_fit_has_the_intercept_that_predictions_have() -> None:
    fit = fitted(*FITS["firth"][:1], datasets.path("endometrial"), estimator="firth")
    assert fit.model.average is not None
    row = {"NV": 1, "PI": 20, "EH": 1.6}
    assert fit.explain(row)["base"] == pytest.approx(fit.model.predicting_coef() @ fit.model.average, abs=1e-12)
    table = fit.explain(row, flic=False)
    assert table["base"] == pytest.approx(fit.model.coef @ fit.model.average, abs=1e-12)
    assert table["base"] != fit.explain(row)["base"]
    assert table["shares"] == fit.explain(row)["shares"]


def test_separated_data_name_the_terms_whose_part_is_infinite() -> None:
    fit = fitted("HG ~ NV + PI + EH", datasets.path("endometrial"))
    still, gone = fit.explain({"NV": 0, "PI": 13, "EH": 1.6}), fit.explain({"NV": 1, "PI": 13, "EH": 1.6})
    assert still["infinite"] == []
    assert still["base"] + sum(still["shares"].values()) == pytest.approx(still["logit"], abs=1e-12)
    assert gone["infinite"] == ["NV"]
    assert gone["logit"] is None
    assert gone["probability"] == 1.0
    assert gone["shares"]["PI"] == still["shares"]["PI"]
    frame = fit.explain(pd.DataFrame({"NV": [0, 1], "PI": [13, 13], "EH": [1.6, 1.6]}))
    assert frame["(infinite)"].tolist() == ["", "NV"]
    assert frame["(logit)"].tolist()[1] == np.inf


def test_completely_separated_data_name_the_intercept_too() -> None:
    found = fitted("passed ~ hours", datasets.path("lesson")).explain({"hours": 3.0})
    assert found["infinite"] == ["(Intercept)", "hours"]


def test_a_missing_predictor_leaves_no_share() -> None:
    fit = fitted(FITS["numbers"][0], datasets.path("students"))
    found = fit.explain({"hours": [2.0, None]})
    assert np.isnan(found["hours"][1])
    assert np.isnan(found["(logit)"][1])
    alone = fit.explain({"hours": None})
    assert alone["shares"] == {"hours": None}
    assert alone["probability"] is None


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table, dict])
def test_the_answer_is_a_frame_of_the_datas_library(make: Any) -> None:
    fit = fitted(FITS["numbers"][0], datasets.path("students"))
    found = fit.explain(make({"hours": [2.0, 3.0]}))
    assert type(found) is type(make({"hours": [2.0]}))
    columns = found.column_names if make is pa.table else list(found.keys() if make is dict else found.columns)
    assert columns == ["(base)", "hours", "(logit)", "(probability)"]


def test_a_list_of_rows_is_explained_row_by_row() -> None:
    fit = fitted(FITS["numbers"][0], datasets.path("students"))
    rows = [{"hours": 2.0}, {"hours": 3.0}]
    assert fit.explain(rows) == [fit.explain(row) for row in rows]


def test_a_term_with_no_column_has_no_share() -> None:
    fit = fitted("y ~ x + g", {"x": [1.0, 2, 3, 4], "g": ["only"] * 4, "y": [0, 1, 0, 1]})
    assert fit.explain({"x": 2.0, "g": "only"})["shares"]["g"] == 0.0


def test_an_unseen_category_is_refused_or_is_the_reference() -> None:
    fit = fitted("survived ~ sex", datasets.path("titanic"))
    with pytest.raises(DataError, match="'other'"):
        fit.explain({"sex": "other"})
    assert fit.explain({"sex": "other"}, unseen="baseline") == fit.explain({"sex": "female"})
    with pytest.raises(OptionError, match="unseen"):
        fit.explain({"sex": "male"}, unseen="yes")


def test_a_model_without_an_average_says_what_to_do() -> None:
    model = modelfile.load(Path(__file__).parent / "models" / "v1" / "plain.json")
    with pytest.raises(OptionError, match=r"version 1.*fit it again"):
        explain(model, model.frame({"hours": [1.0]}))


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("explain") / "model.json"
    fitted("survived ~ sex + rcs(age, 3)", datasets.path("titanic")).save(path)
    return str(path)


def test_the_command_prints_csv_that_reads_back(model_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", model_file, str(datasets.path("titanic"))]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    expected = passline.load(model_file).explain(str(datasets.path("titanic")))
    assert list(rows[0]) == ["(base)", "sex", "rcs(age, 3)", "(logit)", "(probability)"]
    assert len(rows) == len(expected)
    for name in rows[0]:
        values = [float(row[name]) if row[name] else np.nan for row in rows]
        np.testing.assert_array_equal(values, expected[name])


def test_the_command_prints_json(model_file: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("sex,age\nmale,20\nfemale,\n")
    assert run(["explain", model_file, str(tmp_path / "rows.csv"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["formula"] == "survived ~ sex + rcs(age, 3)"
    first, second = document["rows"]
    assert first["base"] + sum(first["shares"].values()) == pytest.approx(first["logit"], abs=1e-12)
    assert second["probability"] is None


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_the_command_writes_the_file_its_name_asks_for(model_file: str, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out.{ending}"
    (tmp_path / "rows.csv").write_text("sex,age\nmale,20\nfemale,\n")
    assert run(["explain", model_file, str(tmp_path / "rows.csv"), "-o", str(path)]) == 0
    found = pd.read_parquet(path) if ending == "parquet" else pd.read_csv(path, sep="," if ending == "csv" else "\t")
    assert list(found) == ["(base)", "sex", "rcs(age, 3)", "(logit)", "(probability)"]
    assert found["(probability)"].isna().tolist() == [False, True]


def test_names_with_quotes_and_separators_are_written_as_cells(tmp_path: Path) -> None:
    name = 'a "b", c; DROP TABLE x\n'
    fit = fitted(f"y ~ `{name}`", {name: [1.0, 2, 3, 4], "y": [0, 1, 0, 1]})
    fit.save(tmp_path / "m.json")
    pd.DataFrame({name: [1.0]}).to_parquet(tmp_path / "rows.parquet")
    for ending, read in (("csv", pd.read_csv), ("parquet", pd.read_parquet)):
        path = tmp_path / f"out.{ending}"
        assert run(["explain", str(tmp_path / "m.json"), str(tmp_path / "rows.parquet"), "-o", str(path)]) == 0
        assert f"`{name}`" in list(read(path))


def test_separated_data_are_written_with_their_names(tmp_path: Path) -> None:
    fitted("HG ~ NV + PI + EH", datasets.path("endometrial")).save(tmp_path / "m.json")
    for ending, read in (("csv", pd.read_csv), ("parquet", pd.read_parquet)):
        path = tmp_path / f"out.{ending}"
        model, table = str(tmp_path / "m.json"), str(datasets.path("endometrial"))
        assert run(["explain", model, table, "-o", str(path)]) == 0
        found = read(path)
        assert set(found["(infinite)"].fillna("")) == {"", "NV"}
        assert np.isinf(found["(logit)"]).sum() == (found["(infinite)"] == "NV").sum() > 0


def test_names_that_differ_in_case_alone_are_refused_in_parquet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fitted("y ~ x + X", {"x": [1.0, 2, 3, 4, 9], "X": [3.0, 1, 1, 2, 2], "y": [0, 1, 0, 1, 0]}).save(tmp_path / "m")
    (tmp_path / "rows.csv").write_text("x,X\n1,2\n")
    arguments = ["explain", str(tmp_path / "m"), str(tmp_path / "rows.csv"), "-o"]
    assert run([*arguments, str(tmp_path / "out.parquet")]) == 2
    assert "case alone" in capsys.readouterr().err
    assert not (tmp_path / "out.parquet").exists()
    assert run([*arguments, str(tmp_path / "out.csv")]) == 0
