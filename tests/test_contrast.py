"""Contrasts: per so many units, one level against another, and combinations of terms."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

import passline
from passline import datasets
from passline.errors import DataError, OptionError

PATH = str(datasets.path("birthwt"))


@pytest.fixture(scope="module")
def birthwt() -> passline.Fit:
    table = datasets.load("birthwt")
    names = {1: "white", 2: "black", 3: "other"}
    table["race"] = [names[int(race)] for race in table["race"]]
    table["smoke"] = ["yes" if s else "no" for s in table["smoke"]]
    return passline.fit('low ~ age + lwt + C(race, ref="white") + smoke', table)


def test_ten_units_move_the_log_odds_by_ten_coefficients(birthwt: passline.Fit) -> None:
    """R 4.2.2: 10 * coef(f)["age"] is -0.224782798746."""
    found = birthwt.contrast({"age": 10})
    assert found.estimate == pytest.approx(-0.224782798746, rel=1e-9)
    assert found.odds_ratio == pytest.approx(math.exp(-0.224782798746), rel=1e-9)
    row = birthwt.tidy()
    assert found.std_error == pytest.approx(10 * row["std_error"][1], rel=1e-10)
    assert found.conf_low == pytest.approx(10 * row["conf_low"][1], rel=1e-10)
    assert found.p_value == pytest.approx(row["p_value"][1], rel=1e-10)
    assert found.label == "age +10"


def test_one_level_against_another_is_the_first_less_the_second(birthwt: passline.Fit) -> None:
    """R 4.2.2: race2 - race3 is 0.288408719788, its standard error 0.5267565455."""
    found = birthwt.contrast({"race": ("black", "other")})
    assert found.estimate == pytest.approx(0.288408719788, rel=1e-9)
    assert found.std_error == pytest.approx(0.5267565455, rel=1e-8)
    back = birthwt.contrast({"race": ("other", "black")})
    assert back.estimate == -found.estimate
    assert found.label == "race: black against other"


def test_names_of_terms_make_any_combination(birthwt: passline.Fit) -> None:
    name = 'C(race, ref = "white")'
    found = birthwt.contrast({f"{name}black": 1, f"{name}other": -1})
    assert found.estimate == pytest.approx(0.288408719788, rel=1e-9)
    mixed = birthwt.contrast({"smokeyes": 1, "age": 5})
    assert mixed.estimate == pytest.approx(birthwt.coef["smokeyes"] + 5 * birthwt.coef["age"], rel=1e-12)


def test_within_an_interaction_the_other_predictor_is_held() -> None:
    """R 4.2.2, low ~ age * smoke + lwt: age's slope is -0.0723213824824, and 0.0735923303401 more for smokers."""
    fit = passline.fit("low ~ age * smoke + lwt", PATH)
    none, smokers = (fit.contrast({"age": 1}, at={"smoke": value}) for value in (0, 1))
    assert none.estimate == pytest.approx(-0.0723213824824, rel=1e-9)
    assert smokers.estimate == pytest.approx(-0.0723213824824 + 0.0735923303401, rel=1e-8)
    variance = 2.10332630384e-03 + 4.39594674708e-03 - 2 * 2.08000805908e-03
    assert smokers.std_error == pytest.approx(math.sqrt(variance), rel=1e-8)
    assert smokers.held["smoke"] == 1.0


def test_a_curved_predictor_is_taken_between_its_two_values() -> None:
    fit = passline.fit("numdead ~ sex + log(dose)", str(datasets.path("budworm")), trials="total")
    doubled = fit.contrast({"dose": (8, 4)})
    assert doubled.estimate == pytest.approx(math.log(2) * fit.coef["log(dose)"], rel=1e-12)
    assert fit.contrast({"dose": 4}, at={"dose": 4}).estimate == pytest.approx(doubled.estimate, rel=1e-12)


def test_a_profile_interval_has_the_likelihood_ratios_p(birthwt: passline.Fit) -> None:
    found = birthwt.contrast({"age": 10}, interval="profile")
    own = birthwt.profile()
    assert own["term"][1] == "age"
    assert found.conf_low == pytest.approx(10 * own["conf_low"][1], rel=1e-9)
    assert found.conf_high == pytest.approx(10 * own["conf_high"][1], rel=1e-9)
    assert found.p_value == pytest.approx(own["p_value"][1], rel=1e-9)
    assert found.interval == "profile"


def test_under_separation_a_contrast_has_its_own_verdict() -> None:
    rng = np.random.default_rng(4)
    g = np.repeat(["a", "b", "c"], 20)
    y = np.where(g == "a", rng.integers(0, 2, 60), 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = passline.fit("y ~ g + x", {"g": g, "x": rng.normal(size=60), "y": y})
    against = fit.contrast({"g": ("b", "a")}, interval="profile")
    assert (against.estimate, against.status, against.conf_high) == (math.inf, "infinite", math.inf)
    assert math.isfinite(against.conf_low)
    assert math.isnan(against.std_error)
    assert against.as_json()["estimate"] is None
    assert fit.contrast({"g": ("c", "b")}, interval="profile").status == "undetermined"
    assert fit.contrast({"x": 1}).status == "ok"
    assert fit.contrast({"x": 2}).std_error == pytest.approx(2 * fit.tidy()["std_error"][3], rel=1e-10)


def test_a_contrast_of_nothing_is_zero(birthwt: passline.Fit) -> None:
    found = birthwt.contrast({"race": ("black", "black")})
    assert (found.estimate, found.std_error) == (0.0, 0.0)
    assert math.isnan(found.p_value)


def test_what_the_model_does_not_have_is_refused_with_the_nearest(birthwt: passline.Fit) -> None:
    with pytest.raises(OptionError, match=r"'ages'\. Did you mean 'age'"):
        birthwt.contrast({"ages": 1})
    with pytest.raises(OptionError, match="no predictor 'agee'"):
        birthwt.contrast({"age": 1}, at={"agee": 1})
    with pytest.raises(OptionError, match="is a category: give a pair"):
        birthwt.contrast({"race": 1})
    with pytest.raises(OptionError, match="pair of values"):
        birthwt.contrast({"race": ("a", "b", "c")})
    with pytest.raises(DataError, match="'purple'"):
        birthwt.contrast({"race": ("purple", "black")})
    with pytest.raises(OptionError, match="finite number"):
        birthwt.contrast({"age": math.inf})
    with pytest.raises(OptionError, match="something that changes"):
        birthwt.contrast({})
    with pytest.raises(OptionError, match="'wald' or 'profile'"):
        birthwt.contrast({"age": 1}, interval="fieller")
    with pytest.raises(OptionError, match="level"):
        birthwt.contrast({"age": 1}, level=1.5)


def test_a_loaded_model_forms_the_same_contrasts_and_says_what_needs_rows(
    birthwt: passline.Fit, tmp_path: object
) -> None:
    birthwt.save(f"{tmp_path}/m.json")
    loaded = passline.load(f"{tmp_path}/m.json")
    assert loaded.contrast({"age": 10}).as_json() == birthwt.contrast({"age": 10}).as_json()
    with pytest.raises(OptionError, match="needs the rows"):
        loaded.contrast({"age": 10}, interval="profile")
