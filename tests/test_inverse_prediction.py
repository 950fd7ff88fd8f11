"""The boundary as one asks for it: R's dose.p, published cases by name, transformed predictors, and its words."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import passline
from passline import datasets
from passline.cli import run
from passline.errors import OptionError
from passline.show.terminal import boundary_text
from reference import ReferenceTable, reference_tables

DOSED = [table for table in reference_tables() if "dose_p50_p90" in table.expected.get("r_glm", {})]


def budworm() -> passline.Fit:
    """Collett (1991), Modelling Binary Data, p. 75, on log2 of the dose as in MASS's help of dose.p."""
    data = datasets.load("budworm")
    return passline.fit("numdead ~ 0 + sex + ldose", data | {"ldose": np.log2(data["dose"])}, trials="total")


@pytest.mark.parametrize("table", DOSED, ids=lambda table: table.name)
def test_the_reference_tables_have_the_doses_of_r(table: ReferenceTable) -> None:
    """MASS 7.3, dose.p: six digits, five for its standard errors, which carry no more."""
    (name,) = table.predictors
    fit = passline.fit(table.formula, table.columns())
    expected = table.expected["r_glm"]["dose_p50_p90"]
    found = [fit.boundary(name, probability, interval="delta") for probability in (0.5, 0.9)]
    np.testing.assert_allclose([b.estimate for b in found], expected["estimate"], rtol=1e-6)
    np.testing.assert_allclose([b.std_error for b in found], expected["std_error_delta"], rtol=1e-5)


@pytest.mark.parametrize(
    ("sex", "doses", "errors"),
    [
        ("F", (2.23126465686, 3.26358740372, 4.29591015057), (0.2499089065, 0.2297538651, 0.2746874345)),
        ("M", (1.19693942330, 2.22926217016, 3.26158491701), (0.2635100167, 0.2259649179, 0.2549837847)),
    ],
)
def test_budworm_has_the_doses_of_dose_p_for_each_sex(
    sex: str, doses: tuple[float, ...], errors: tuple[float, ...]
) -> None:
    """R 4.2, MASS: dose.p(glm(cbind(numdead, 20 - numdead) ~ sex + ldose - 1), cf = ..., p = 1:3/4)."""
    found = [budworm().boundary("ldose", p, {"sex": sex}) for p in (0.25, 0.5, 0.75)]
    np.testing.assert_allclose([b.estimate for b in found], doses, rtol=1e-9)
    np.testing.assert_allclose([b.std_error for b in found], errors, rtol=1e-6)


def test_budworm_with_a_slope_for_each_sex() -> None:
    """R 4.2, MASS: dose.p(glm(... ~ 0 + sex + sex:ldose), cf = c("sexF", "sexF:ldose"), p = c(.5, .9))."""
    data = datasets.load("budworm")
    fit = passline.fit("numdead ~ sex * ldose", data | {"ldose": np.log2(data["dose"])}, trials="total")
    found = [fit.boundary("ldose", p, {"sex": "F"}) for p in (0.5, 0.9)]
    np.testing.assert_allclose([b.estimate for b in found], [3.30399709988, 5.72909226308], rtol=1e-9)
    np.testing.assert_allclose([b.std_error for b in found], [0.2602836088, 0.5629648034], rtol=1e-6)


def test_budworm_with_an_estimated_dispersion_has_the_errors_of_quasibinomial() -> None:
    """R 4.2, MASS: dose.p of the quasibinomial fit, males: 2.229262170155, 0.173501889206."""
    data = datasets.load("budworm")
    data = data | {"ldose": np.log2(data["dose"])}
    fit = passline.fit("numdead ~ 0 + sex + ldose", data, trials="total", dispersion="estimated")
    found = fit.boundary("ldose", at={"sex": "M"})
    assert found.interval == "delta"
    assert found.estimate == pytest.approx(2.229262170155, rel=1e-9)
    assert found.std_error == pytest.approx(0.173501889206, rel=1e-6)
    # Student's t on nine degrees of freedom.
    assert (found.conf_high - found.estimate) / found.std_error == pytest.approx(2.262157, rel=1e-6)


def test_budworm_profile_of_a_dose_on_its_logarithm() -> None:
    """R 4.2: the roots of the deviance of glm(... ~ 0 + I(ld - t) + male, offset = logit(.9)), as doses."""
    fit = passline.fit("numdead ~ log(dose) + sex", datasets.load("budworm"), trials="total")
    found = fit.boundary("dose", 0.9, {"sex": "F"})
    assert found.interval == "profile"
    np.testing.assert_allclose(
        [found.estimate, found.conf_low, found.conf_high], [40.1751887664, 26.0291454879, 71.4581057518], rtol=1e-9
    )


@pytest.mark.parametrize(
    ("name", "formula", "trials", "variable", "probability", "expected"),
    [
        (
            "orings",
            "damaged ~ temperature",
            "orings",
            "temperature",
            0.5,
            (53.9369748141, 45.6545543389, 57.6827494475),
        ),
        (
            "orings",
            "damaged ~ temperature",
            "orings",
            "temperature",
            0.9,
            (43.7756311291, 27.8779669143, 50.2975830796),
        ),
        ("menarche", "Menarche ~ Age", "Total", "Age", 0.5, (13.0066216837, 12.9307069807, 13.0823773231)),
        ("menarche", "Menarche ~ Age", "Total", "Age", 0.9, (14.3529863848, 14.235876759, 14.4771539065)),
        ("students", "passed ~ hours", None, "hours", 0.5, (2.71008262425, 1.79585089553, 3.70898784291)),
        ("students", "passed ~ hours", None, "hours", 0.9, (4.17037654859, 3.08943612117, 7.16286561612)),
    ],
)
def test_profile_sets_of_known_cases(  # noqa: PLR0917
    name: str, formula: str, trials: str | None, variable: str, probability: float, expected: tuple[float, ...]
) -> None:
    """Challenger (Dalal, Fowlkes and Hoadley 1989), menarche (Milicer and Szczotka 1966, in MASS), 20 students.

    R 4.2: the roots of the deviance of glm(y ~ 0 + I(x - t), offset = logit(p)), less that of the fit, less 3.8415.
    """
    found = passline.fit(formula, datasets.load(name), trials=trials).boundary(variable, probability)
    assert (found.interval, found.shape) == ("profile", "bounded")
    np.testing.assert_allclose([found.estimate, found.conf_low, found.conf_high], expected, rtol=1e-9)


def test_menarche_has_the_ages_of_dose_p() -> None:
    """R 4.2, MASS: dose.p(glm(cbind(Menarche, Total - Menarche) ~ Age, binomial), p = c(.5, .9))."""
    fit = passline.fit("Menarche ~ Age", datasets.load("menarche"), trials="Total")
    found = [fit.boundary("Age", p) for p in (0.5, 0.9)]
    np.testing.assert_allclose([b.estimate for b in found], [13.0066216837, 14.3529863848], rtol=1e-9)
    np.testing.assert_allclose([b.std_error for b in found], [0.03866582319, 0.06149763503], rtol=1e-5)


@pytest.mark.parametrize(
    ("term", "forward"),
    [
        ("log(x)", np.log),
        ("log1p(x)", np.log1p),
        ("sqrt(x)", np.sqrt),
        ("power(x, 3)", lambda v: v**3),
        ("power(x, 2)", lambda v: v**2),
        ("scale(x)", lambda v: v),
        ("exp(x)", np.exp),
        ("scale(log(x))", np.log),
    ],
)
@pytest.mark.parametrize("interval", ["delta", "fieller", "profile"])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_set_on_the_scale_of_a_function_is_taken_back_through_it(
    term: str, forward: Callable[[Any], Any], interval: str, sign: int
) -> None:
    rng = np.random.default_rng(8)
    x = rng.uniform(0.2, 3, 400)
    t = forward(x)
    middle = np.median(t)
    y = (rng.random(400) < 1 / (1 + np.exp(-sign * 2 * (t - middle) / t.std()))).astype(int)
    there = passline.fit(f"y ~ {term}", {"x": x, "y": y}).boundary("x", 0.6, interval=interval)
    plain = passline.fit("y ~ t", {"t": t, "y": y}).boundary("t", 0.6, interval=interval)
    assert there.shape == plain.shape == "bounded"
    assert forward(there.estimate) == pytest.approx(plain.estimate, rel=1e-9)
    np.testing.assert_allclose(forward(np.array(there.pieces)), plain.pieces, rtol=1e-7)
    step = 1e-5 * there.estimate
    slope = (forward(there.estimate + step) - forward(there.estimate - step)) / (2 * step)
    assert there.std_error == pytest.approx(plain.std_error / abs(slope), rel=1e-6)


def test_a_probability_out_of_reach_is_said_to_be() -> None:
    rng = np.random.default_rng(4)
    x = rng.uniform(0, 4, 300)
    y = (rng.random(300) < 1 / (1 + np.exp(-(1 - np.sqrt(x))))).astype(int)
    found = passline.fit("y ~ sqrt(x)", {"x": x, "y": y}).boundary("x", 0.95, interval="delta")
    assert math.isnan(found.estimate)
    assert (found.pieces, found.shape) == ((), "empty")
    assert "no value of x reaches a probability of 0.95" in boundary_text(found)


def quietly(formula: str, data: Any, **options: Any) -> passline.Fit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return passline.fit(formula, data, **options)


def test_each_shape_is_said_in_plain_words() -> None:
    lesson = quietly("passed ~ hours", datasets.load("lesson")).boundary("hours")
    assert lesson.shape == "disjoint"
    assert "every value except -59.01142 to 1.137244; the data do not rule out a flat curve" in boundary_text(lesson)
    assert "in the limit every value in the gap (2 to 3) is as good as any other" in boundary_text(lesson)
    rng = np.random.default_rng(1)
    x, y = np.exp(rng.normal(size=30)), rng.integers(0, 2, 30)
    flat = passline.fit("y ~ log(x)", {"x": x, "y": y}).boundary("x")
    assert flat.shape == "everything"
    assert "every value; the data rule none out" in boundary_text(flat)
    students = passline.fit("passed ~ hours", datasets.load("students")).boundary("hours")
    assert "95 % profile set: 1.795851 to 3.708988." in boundary_text(students)


def test_the_json_names_method_and_shape_and_has_null_for_an_end_that_is_none() -> None:
    document = quietly("passed ~ hours", datasets.load("lesson")).boundary("hours").as_json()
    assert (document["interval"], document["shape"]) == ("profile", "disjoint")
    assert [document["estimate"], document["conf_low"], document["conf_high"]] == [None, None, None]
    assert document["set"] == [[None, pytest.approx(-59.0114, abs=1e-3)], [pytest.approx(1.13724, abs=1e-5), None]]


def test_without_rows_auto_is_delta_and_profile_asks_for_them(tmp_path: Path) -> None:
    fit = passline.fit("passed ~ hours", datasets.load("students"))
    fit.save(tmp_path / "model.json")
    loaded = passline.load(tmp_path / "model.json")
    assert loaded.boundary("hours").interval == "delta"
    with pytest.raises(OptionError, match="needs the rows of the fit"):
        loaded.boundary("hours", interval="profile")
    again = loaded.with_rows(datasets.load("students"))
    assert again.boundary("hours") == fit.boundary("hours")


def test_the_command_takes_the_table_for_a_profile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, model = str(datasets.path("students")), str(tmp_path / "model.json")
    assert run(["fit", table, "passed ~ hours", "-o", model]) == 0
    capsys.readouterr()
    assert run(["boundary", model, "hours", "--data", table, "--interval", "profile", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["interval"] == "profile"
    assert document["conf_low"] == pytest.approx(1.79585089553, rel=1e-9)
    assert run(["boundary", model, "hours", "--interval", "profile"]) == 2
    assert "--data DATA" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"penalty": passline.Penalty(l2=0.1)}, "penalised"),
        ({"sampling_weights": np.linspace(1, 2, 20)}, "robust"),
        ({"robust": "hc0"}, "robust"),
        ({"estimator": "firth"}, "maximum likelihood"),
    ],
)
def test_where_there_is_no_likelihood_to_profile_it_is_refused_and_auto_is_delta(
    options: dict[str, Any], words: str
) -> None:
    fit = passline.fit("passed ~ hours", datasets.load("students"), **options)
    assert fit.boundary("hours").interval == "delta"
    with pytest.raises(OptionError, match=words):
        fit.boundary("hours", interval="profile")


def test_the_boundary_of_a_firth_fit_is_that_of_its_own_line() -> None:
    """The three points of the lesson: weight 1.39814, bias -3.38844, so 2.4235."""
    found = quietly("passed ~ hours", datasets.load("lesson"), estimator="firth").boundary("hours")
    assert found.estimate == pytest.approx(2.4235, abs=1e-4)
    assert found.interval == "delta"
    assert found.std_error > 0


def test_a_robust_covariance_is_the_one_behind_the_error() -> None:
    data = datasets.load("students")
    robust = passline.fit("passed ~ hours", data, robust="hc0").boundary("hours", interval="fieller")
    plain = passline.fit("passed ~ hours", data).boundary("hours", interval="fieller")
    assert robust.estimate == pytest.approx(plain.estimate, rel=1e-9)
    assert robust.std_error != pytest.approx(plain.std_error, rel=1e-3)
    assert robust.pieces != plain.pieces


def test_an_aliased_column_leaves_the_error_as_it_is() -> None:
    data = datasets.load("students")
    twice = {**data, "again": 2 * np.array(data["hours"])}
    plain = passline.fit("passed ~ hours", data).boundary("hours", interval="delta")
    aliased = quietly("passed ~ hours + again", twice).boundary("hours", at={"again": 0.0}, interval="delta")
    assert aliased.std_error == pytest.approx(plain.std_error, rel=1e-9)
    np.testing.assert_allclose(aliased.pieces, plain.pieces, rtol=1e-9)
