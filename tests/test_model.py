"""What a fitted model says: the 20 students to six digits, the table of terms, predictions row by row."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

import passline
from passline import datasets
from passline.errors import DataError, OptionError

STUDENTS = datasets.path("students")


@pytest.fixture(scope="module")
def students() -> passline.Fit:
    return passline.fit("passed ~ hours", STUDENTS)


@pytest.fixture(scope="module")
def birthwt() -> passline.Fit:
    return passline.fit("low ~ age + lwt + C(race) + smoke", datasets.path("birthwt"))


def test_the_students_have_their_published_figures_to_six_digits(students: passline.Fit) -> None:
    document = students.as_json()
    intercept, hours = document["terms"]
    glance = document["glance"]
    six = {"rel": 5e-7, "abs": 5e-7}
    assert (intercept["estimate"], intercept["std_error"]) == pytest.approx((-4.077713, 1.760994), **six)
    assert (hours["estimate"], hours["std_error"]) == pytest.approx((1.504645, 0.628721), **six)
    assert hours["p_value"] == pytest.approx(0.017, abs=5e-4)
    assert hours["odds_ratio"] == pytest.approx(math.exp(hours["estimate"]), rel=1e-14)
    assert hours["conf_low"] == pytest.approx(hours["estimate"] - 1.959963984540054 * hours["std_error"], rel=1e-13)
    assert glance["log_likelihood"] == pytest.approx(-8.029878, **six)
    ratio = glance["null_deviance"] - glance["deviance"]
    assert ratio == pytest.approx(11.666130, **six)
    assert math.erfc(math.sqrt(ratio / 2)) == pytest.approx(0.000636, abs=5e-7)
    assert glance["aic"] == pytest.approx(glance["deviance"] + 4)
    assert glance["bic"] == pytest.approx(glance["deviance"] + 2 * math.log(20))


def test_the_students_boundary_has_its_published_figures_to_six_digits(students: passline.Fit) -> None:
    found = students.boundary("hours", interval="delta")
    assert (found.estimate, found.std_error) == pytest.approx((2.710083, 0.418833), abs=5e-7)
    z = 1.959963984540054
    assert (found.conf_low, found.conf_high) == pytest.approx((2.710083 - z * 0.418833, 2.710083 + z * 0.418833), 1e-6)
    fieller = students.boundary("hours", interval="fieller")
    assert (fieller.conf_low, fieller.conf_high) == pytest.approx((1.456475, 4.342595), abs=5e-7)
    assert fieller.estimate == found.estimate
    assert (fieller.shape, fieller.interval) == ("bounded", "fieller")


def test_the_probability_at_the_boundary_is_the_one_asked_for(birthwt: passline.Fit) -> None:
    for probability in (0.01, 0.3, 0.5, 0.9):
        held = {"age": 25, "race": 2, "smoke": 1}
        found = birthwt.boundary("lwt", probability, at=held)
        assert birthwt.predict({**held, "lwt": found.estimate})[0] == pytest.approx(probability, rel=1e-10)


def test_the_boundary_of_a_logarithm_is_found_on_its_scale_and_taken_back() -> None:
    data = datasets.load("students")
    fit = passline.fit("passed ~ log(hours)", data)
    found = fit.boundary("hours")
    assert found.estimate == pytest.approx(math.exp(-fit.coef["(Intercept)"] / fit.coef["log(hours)"]), rel=1e-9)
    logged = passline.fit("passed ~ t", {"passed": data["passed"], "t": np.log(data["hours"])}).boundary("t")
    assert (found.conf_low, found.conf_high) == pytest.approx(
        (math.exp(logged.conf_low), math.exp(logged.conf_high)), rel=1e-8
    )
    assert found.std_error == pytest.approx(logged.std_error * found.estimate, rel=1e-6)


def test_a_curve_that_turns_has_more_than_one_boundary() -> None:
    rng = np.random.default_rng(1)
    x = np.linspace(-3, 3, 300)
    y = (rng.random(300) < 1 / (1 + np.exp(-(1.5 - x**2)))).astype(float)
    fit = passline.fit("y ~ x + power(x, 2)", {"x": x, "y": y})
    found = fit.boundary("x")
    assert len(found.others) == 1
    np.testing.assert_allclose(fit.predict({"x": [found.estimate, *found.others]}), 0.5, rtol=1e-9)
    assert "more than once" in found.note
    with pytest.raises(OptionError, match="delta"):
        fit.boundary("x", interval="fieller")
    assert math.isnan(fit.boundary("x", probability=0.9999).estimate)


def test_the_boundary_of_separated_rows_is_their_gap() -> None:
    with pytest.warns(passline.errors.SeparationWarning):
        fit = passline.fit("passed ~ hours", datasets.path("lesson"))
    found = fit.boundary("hours")
    assert math.isnan(found.estimate)
    assert (found.interval, found.shape) == ("gap", "bounded")
    assert (found.conf_low, found.conf_high) == pytest.approx((2.0, 3.0), rel=1e-9)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"probability": 0.0}, "probability"),
        ({"probability": 1.0}, "probability"),
        ({"probability": math.nan}, "probability"),
        ({"level": 1.0}, "level"),
        ({"interval": "bayes"}, "interval"),
        ({"at": {"lwt": 3}}, "moves"),
        ({"at": {"weight": 3}}, "weight"),
        ({"at": {"age": "old"}}, "number"),
        ({"at": {"age": math.inf}}, "finite"),
    ],
)
def test_a_slip_in_a_boundary_is_an_option_error(birthwt: passline.Fit, options: dict[str, Any], word: str) -> None:
    with pytest.raises(OptionError, match=word):
        birthwt.boundary("lwt", **options)


@pytest.mark.parametrize("variable", ["race", "height", "low", ""])
def test_a_boundary_runs_along_a_number_of_the_model(birthwt: passline.Fit, variable: str) -> None:
    with pytest.raises(OptionError, match=r"category|no predictor"):
        birthwt.boundary(variable)


def test_predictions_are_the_formula_row_by_row(birthwt: passline.Fit) -> None:
    data = datasets.load("birthwt")
    w, V = birthwt.model.coef, birthwt.covariance
    X = np.column_stack(
        [
            np.ones(189),
            data["age"],
            data["lwt"],
            np.equal(data["race"], 2),
            np.equal(data["race"], 3),
            data["smoke"],
        ]
    )
    eta = X @ w
    error = np.sqrt(np.einsum("ij,jk,ik->i", X, V, X))
    np.testing.assert_allclose(birthwt.predict(data, scale="logit"), eta, rtol=1e-10, atol=1e-12)
    p, low, high = birthwt.predict(data, interval="wald", level=0.9)
    np.testing.assert_allclose(p, 1 / (1 + np.exp(-eta)), rtol=1e-12)
    z = 1.6448536269514722
    np.testing.assert_allclose(low, 1 / (1 + np.exp(-(eta - z * error))), rtol=1e-9)
    np.testing.assert_allclose(high, 1 / (1 + np.exp(-(eta + z * error))), rtol=1e-9)


def test_a_prediction_takes_a_row_a_table_or_a_file_and_keeps_its_rows(birthwt: passline.Fit) -> None:
    row = {"age": 20, "lwt": 120, "race": 1, "smoke": 0}
    one = birthwt.predict(row)
    assert one.shape == (1,)
    table = {name: [value, None, value] for name, value in row.items()}
    found = birthwt.predict(table)
    assert found[0] == found[2] == one[0]
    assert math.isnan(found[1])
    for name in row:
        assert math.isnan(birthwt.predict({**row, name: None})[0])
    assert birthwt.predict(datasets.path("birthwt")).shape == (189,)
    assert birthwt.predict({name: [] for name in row}).shape == (0,)


def test_a_prediction_refuses_what_it_cannot_use(birthwt: passline.Fit) -> None:
    row = {"age": 20, "lwt": 120, "race": 1, "smoke": 0}
    with pytest.raises(DataError, match="'race' is '4'"):
        birthwt.predict({**row, "race": 4})
    np.testing.assert_array_equal(
        birthwt.predict({**row, "race": 4}, unseen="baseline"), birthwt.predict({**row, "race": 1})
    )
    with pytest.raises(DataError, match="'lwt'"):
        birthwt.predict({name: value for name, value in row.items() if name != "lwt"})
    for options in ({"scale": "odds"}, {"interval": "profile"}, {"unseen": "skip"}, {"level": 2.0, "interval": True}):
        with pytest.raises(OptionError):
            birthwt.predict(row, **options)  # type: ignore[arg-type]  # the slip is the test


def test_no_number_of_the_document_is_nan_or_infinite() -> None:
    with pytest.warns(passline.errors.SeparationWarning):
        fit = passline.fit("y ~ x + z", {"x": [1, 2, 3, 4], "z": [7, 7, 7, 7], "y": [0, 0, 1, 1]})
    document = json.loads(json.dumps(fit.as_json(), allow_nan=False))
    assert [term["status"] for term in document["terms"]] == ["infinite", "infinite", "aliased"]
    assert [term["limit"] for term in document["terms"]] == ["-inf", "+inf", None]
    assert all(term["estimate"] is term["odds_ratio"] is term["statistic"] is None for term in document["terms"])
