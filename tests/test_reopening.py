"""A loaded model meets its rows again, in any library, and refuses others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import passline
from passline.errors import OptionError, PasslineError

path = passline.datasets.path
CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "plain": ("birthwt", "low ~ age + lwt + C(race)", {}),
    "dot": ("birthwt", "low ~ . - bwt - race", {}),
    "level": ("birthwt", "low ~ scale(lwt) + rcs(age, 3)", {"level": 0.9}),
    "positive": ("mroz", "lfp ~ k5 + wc", {"positive": "no"}),
    "trials": ("budworm", "numdead ~ log(dose) * sex", {"trials": "total"}),
    "quasi": ("budworm", "numdead ~ log(dose) + sex", {"trials": "total", "dispersion": "estimated"}),
    "robust": ("birthwt", "low ~ age + smoke", {"robust": "hc3"}),
    "cluster": ("mroz", "lfp ~ k5 + inc", {"cluster": "age", "robust": "hc1"}),
    "survey": ("birthwt", "low ~ age + smoke", {"sampling_weights": "lwt"}),
    "offset": ("birthwt", "low ~ age", {"offset": "smoke"}),
    "ridge": ("birthwt", "low ~ age + lwt", {"penalty": passline.Penalty(l2=0.1)}),
    "missing": ("titanic", "survived ~ sex + age + passengerClass", {}),
    "separated": ("endometrial", "HG ~ NV + PI + EH", {}),
    "no intercept": ("birthwt", "low ~ 0 + age + lwt", {}),
}


@pytest.mark.filterwarnings("ignore::passline.errors.PasslineWarning")
@pytest.mark.parametrize("case", CASES)
def test_a_model_of_any_settings_finds_its_rows_again(case: str, tmp_path: Path) -> None:
    name, formula, options = CASES[case]
    fit = passline.fit(formula, path(name), **options)
    fit.save(tmp_path / "m.json")
    loaded = passline.load(tmp_path / "m.json")
    again = loaded.with_rows(path(name))
    assert again.model is loaded.model
    assert again.rows is not None
    assert fit.rows is not None
    np.testing.assert_array_equal(again.rows.outcome.coef, fit.rows.outcome.coef)
    assert again.pseudo_r2() == pytest.approx(fit.pseudo_r2(), nan_ok=True)
    if case != "separated":
        one, other = again.risk_difference, fit.risk_difference
        variable = fit.model.design.variables[0]
        values = () if fit.model.design.kinds[variable] != "number" else (3.0, 2.0)
        assert one(variable, *values).std_error == pytest.approx(other(variable, *values).std_error, nan_ok=True)


def test_a_frame_stands_for_the_file_it_was_read_from(tmp_path: Path) -> None:
    import pandas
    import polars

    passline.fit("lfp ~ k5 + wc + inc", path("mroz")).save(tmp_path / "m.json")
    loaded = passline.load(tmp_path / "m.json")
    assert isinstance(loaded.with_rows(pandas.read_csv(path("mroz"))).marginal_effects(), pandas.DataFrame)
    assert isinstance(loaded.with_rows(polars.read_csv(path("mroz"))).marginal_effects(), polars.DataFrame)


def test_arrays_are_asked_for_again(tmp_path: Path) -> None:
    data = passline.datasets.load("birthwt")
    counts = np.arange(189) % 3
    fit = passline.fit("low ~ age + smoke", data, weights=counts)
    fit.save(tmp_path / "m.json")
    loaded = passline.load(tmp_path / "m.json")
    with pytest.raises(OptionError, match="weights was an array when the model was fitted"):
        loaded.with_rows(data)
    assert loaded.with_rows(data, weights=counts).pseudo_r2() == fit.pseudo_r2()
    with pytest.raises(OptionError, match="not those of the fit"):
        loaded.with_rows(data, weights=counts + 1)


def test_other_rows_are_refused_with_what_differs(tmp_path: Path) -> None:
    data = {name: np.array(values) for name, values in passline.datasets.load("birthwt").items()}
    passline.fit("low ~ age + lwt + C(race)", data).save(tmp_path / "m.json")
    loaded = passline.load(tmp_path / "m.json")
    fewer = {name: values[1:] for name, values in data.items()}
    with pytest.raises(OptionError, match="it has 188 rows, and the fit had 189"):
        loaded.with_rows(fewer)
    gap = {**data, "age": np.where(np.arange(189) == 5, np.nan, data["age"])}
    with pytest.raises(OptionError, match="it has 188 complete rows, and the fit had 189"):
        loaded.with_rows(gap)
    moved = {**data, "lwt": data["lwt"] + (np.arange(189) == 5)}
    with pytest.raises(OptionError, match="they give a deviance of"):
        loaded.with_rows(moved)
    recoded = {**data, "race": np.where(data["race"] == 3, 4, data["race"])}
    with pytest.raises(OptionError, match="its categories have other levels"):
        loaded.with_rows(recoded)
    with pytest.raises(PasslineError, match="no column"):
        loaded.with_rows(path("mroz"))


def test_with_sampling_weights_other_rows_show_in_the_estimates(tmp_path: Path) -> None:
    data = {name: np.array(values) for name, values in passline.datasets.load("birthwt").items()}
    passline.fit("low ~ age", data, sampling_weights="lwt").save(tmp_path / "m.json")
    with pytest.raises(OptionError, match="they estimate"):
        passline.load(tmp_path / "m.json").with_rows({**data, "lwt": data["lwt"] + (np.arange(189) == 5)})
