"""The dispersion of grouped rows: R's quasibinomial, and the note where it was not asked for."""

from __future__ import annotations

import numpy as np
import pytest

import passline
from passline.errors import OptionError, PasslineWarning

path = passline.datasets.path


def test_quasi_binomial_menarche_orings_and_budworm_are_r_s() -> None:
    """summary(glm(..., quasibinomial)) of R 4.2.2, epsilon 1e-14, which carry six to seven digits."""
    fit = passline.fit("Menarche ~ Age", path("menarche"), trials="Total", dispersion="estimated")
    assert fit.glance()["dispersion"] == pytest.approx(0.9508632033, rel=3e-7)
    assert fit.model.terms.std_error == pytest.approx([0.75151287492, 0.05748654626], rel=3e-7)
    assert fit.model.terms.p_value == pytest.approx([2.335237093e-19, 2.084289446e-19], rel=3e-6)
    fit = passline.fit("damaged ~ temperature", path("orings"), trials="orings", dispersion="estimated")
    assert fit.glance()["dispersion"] == pytest.approx(1.336542105, rel=3e-7)
    assert fit.model.terms.std_error == pytest.approx([3.81077403640, 0.06147738768], rel=3e-7)
    assert fit.model.terms.p_value == pytest.approx([0.005938433749, 0.002047125384], rel=3e-6)
    t = 2.079613844727662  # qt(0.975, 21)
    reach = (fit.model.terms.conf_high - fit.model.terms.conf_low) / 2
    assert reach == pytest.approx(t * fit.model.terms.std_error, rel=1e-10)
    assert fit.glance()["aic"] is None
    assert fit.glance()["bic"] is None


def test_predictions_take_the_dispersion_and_students_t() -> None:
    """predict(glm(..., quasibinomial), se.fit=TRUE) of R: 0.1670540847, 0.5717600474, ten degrees of freedom."""
    fit = passline.fit("numdead ~ sex", path("budworm"), trials="total", dispersion="estimated")
    eta, low, high = fit.predict({"sex": "M"}, scale="logit", interval="wald")
    assert eta[0] == pytest.approx(0.1670540847, rel=3e-6)
    assert (high - low)[0] / 2 == pytest.approx(2.2281388519649385 * 0.5717600474, rel=3e-6)


def test_clear_overdispersion_is_said_until_it_is_used() -> None:
    with pytest.warns(PasslineWarning, match="X\\^2 is 97.39 on 10 degrees of freedom, 9.74 times"):
        fit = passline.fit("numdead ~ sex", path("budworm"), trials="total")
    assert fit.glance()["dispersion"] == pytest.approx(9.739180397, rel=3e-7)
    assert passline.fit("numdead ~ sex", path("budworm"), trials="total", dispersion="estimated").warnings == ()
    assert passline.fit("numdead ~ sex", path("budworm"), trials="total", robust="hc1").warnings == ()
    assert passline.fit("numdead ~ log(dose) + sex", path("budworm"), trials="total").warnings == ()


def test_rows_of_one_trial_say_nothing_of_overdispersion() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=300)
    y = (rng.random(300) < 1 / (1 + np.exp(-6 * x - 6))).astype(int)
    assert passline.fit("y ~ x", {"y": y, "x": x}, trials=np.ones(300)).warnings == ()


def test_a_group_that_is_counted_twice_is_two_units() -> None:
    data = {name: np.array(values) for name, values in passline.datasets.load("budworm").items()}
    twice = {name: np.repeat(values, 2) for name, values in data.items()}
    options = {"trials": "total", "dispersion": "estimated"}
    a = passline.fit("numdead ~ log(dose) + sex", data, weights=np.full(12, 2), **options)
    b = passline.fit("numdead ~ log(dose) + sex", twice, **options)
    assert a.glance()["dispersion"] == pytest.approx(b.glance()["dispersion"], rel=1e-11)
    assert a.model.terms.p_value == pytest.approx(b.model.terms.p_value, rel=3e-7)


def test_rows_without_a_trial_are_no_degrees_of_freedom() -> None:
    data = {name: np.array(values) for name, values in passline.datasets.load("budworm").items()}
    longer = {name: np.concatenate([values, values[:2]]) for name, values in data.items()}
    longer["numdead"][12:] = longer["total"][12:] = 0
    options = {"trials": "total", "dispersion": "estimated"}
    a = passline.fit("numdead ~ log(dose) + sex", longer, **options)
    b = passline.fit("numdead ~ log(dose) + sex", data, **options)
    assert a.glance()["dispersion"] == pytest.approx(b.glance()["dispersion"], rel=1e-11)
    assert a.model.settings["df"] == 9


def test_single_rows_have_no_dispersion() -> None:
    assert passline.fit("low ~ age", path("birthwt")).glance()["dispersion"] is None
    with pytest.raises(OptionError, match="needs rows of several trials"):
        passline.fit("low ~ age", path("birthwt"), dispersion="estimated")
    with pytest.raises(OptionError, match="exclude each other"):
        passline.fit("numdead ~ sex", path("budworm"), trials="total", dispersion="estimated", robust="hc0")
    with pytest.raises(OptionError, match="choose one of one, estimated"):
        passline.fit("low ~ age", path("birthwt"), dispersion="guessed")
    with pytest.raises(OptionError, match="as many columns as rows"):
        passline.fit("s ~ x", {"s": [3, 5], "n": [9, 9], "x": [0, 1]}, trials="n", dispersion="estimated")
