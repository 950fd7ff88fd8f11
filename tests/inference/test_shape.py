"""Collinearity, calibration and linearity: R's numbers, errors of the first kind, and counts as rows written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import passline
from passline.errors import OptionError
from passline.inference.calibration import sum_of_squares
from passline.inference.collinearity import inflation
from passline.inference.proportional import limit, slope_bias


def fit_of(name: str, formula: str | None = None) -> passline.Fit:
    table = passline.datasets.describe(name)
    return passline.fit(formula or table.formula, passline.datasets.load(name), trials=table.trials)


def test_variance_inflation_is_that_of_r() -> None:
    """car::vif, R 4.2.2."""
    found = fit_of("birthwt").vif()
    expected = [1.10000028108, 1.30349453963, 1.51027519468, 1.34826304871]
    expected += [1.08784656277, 1.16842640433, 1.06306110494, 1.08714536691]
    np.testing.assert_allclose(found["gvif"], expected, rtol=1e-6)
    assert found["df"] == [1, 1, 2, 1, 1, 1, 1, 1]
    assert found["gvif_per_df"][2] == pytest.approx(1.10857229930, rel=1e-6)
    mroz = [1.38889479710, 1.25862636784, 1.64860820885, 1.49724635709, 1.54791117431, 1.09355932774, 1.24213532605]
    np.testing.assert_allclose(fit_of("mroz").vif()["gvif"], mroz, rtol=1e-6)


def test_an_infinite_term_has_no_inflation_and_does_not_touch_the_others() -> None:
    with pytest.warns(passline.errors.SeparationWarning):
        fit = passline.fit("HG ~ NV + PI + EH", passline.datasets.load("endometrial"))
    found = fit.vif()
    assert math.isnan(found["gvif"][0])
    assert found["gvif"][1] == pytest.approx(found["gvif"][2])


def test_condition_number_is_that_of_the_columns_scaled_to_length_one() -> None:
    """R 4.2.2: kappa(X / column lengths, exact = TRUE) of birthwt; infinite where columns repeat each other."""
    assert fit_of("birthwt").condition_number() == pytest.approx(17.2076881921, rel=1e-9)
    data = {"y": [0, 1, 0, 1, 1, 0], "x": [1.0, 2, 3, 4, 5, 6], "z": [2.0, 4, 6, 8, 10, 12]}
    assert passline.fit("y ~ x + z", data).condition_number() == math.inf


# R 4.2.2: sum((y - p)^2), sum(p (1 - p)), the root of the weighted residual sum of squares of 1 - 2 p on X, z, p: the
# computation of residuals.lrm(type = "gof") in rms. O-rings with each of the 138 rings a row.
R_GOF = {
    "birthwt": (33.842383250627, 33.674620857853, 0.334404620347, 0.501674865018, 0.615896247868),
    "kyphosis": (9.714930756808, 9.620340340023, 0.290417602917, 0.325704832748, 0.744647687451),
    "orings": (7.0941096044605, 7.7455872065551, 0.3407213787048, -1.9120537859144, 0.0558692956024),
    "mroz": (156.106926952837, 156.302416767416, 0.473149653210, -0.413166982693, 0.679484276701),
}


@pytest.mark.parametrize("name", list(R_GOF))
def test_the_unweighted_sum_of_squares_is_that_of_r(name: str) -> None:
    found = fit_of(name).calibration_test()
    numbers = (found.sum_of_squares, found.expected, found.std_error, found.statistic, found.p_value)
    np.testing.assert_allclose(numbers, R_GOF[name], rtol=1e-7)


def test_the_calibration_test_keeps_its_level_and_sees_a_missing_curve() -> None:
    """600 samples of 200 rows: 5 % rejected under the model, give or take three standard errors; a parabola is seen."""
    random, rejected, seen = np.random.default_rng(11), 0, 0
    for sample in range(600):
        x, z = random.normal(size=200), random.normal(size=200)
        curve = x**2 - 1 if sample < 40 else 0.0
        u = random.random(200)
        for eta in [0.8 * x - 0.5 * z - 0.5] + ([0.3 * x + 1.2 * curve] if sample < 40 else []):
            rows = passline.fit("y ~ x + z", {"x": x, "z": z, "y": (u < 1 / (1 + np.exp(-eta))).astype(float)}).rows
            assert rows is not None
            p = sum_of_squares(rows.sample, rows.outcome).p_value
            if np.array_equal(eta, 0.8 * x - 0.5 * z - 0.5):
                rejected += p < 0.05
            else:
                seen += p < 0.05
    assert abs(rejected / 600 - 0.05) < 3 * math.sqrt(0.05 * 0.95 / 600)
    assert seen > 20


def test_the_calibration_test_has_nothing_to_say_of_a_saturated_model() -> None:
    found = passline.fit("y ~ g", {"y": [0, 1, 1, 0, 1, 0, 0], "g": list("aaabbbb")}).calibration_test()
    assert math.isnan(found.p_value)


def test_tests_of_calibration_are_refused_where_they_do_not_hold() -> None:
    data = passline.datasets.load("birthwt")
    w = np.linspace(0.5, 2, 189)
    for fit, reason in (
        (passline.fit("low ~ lwt", data, sampling_weights=w), "sampling weights"),
        (passline.fit("low ~ lwt", data, penalty=passline.Penalty(l2=0.1)), "penalty"),
    ):
        for ask in (fit.calibration_test, fit.hosmer_lemeshow):
            with pytest.raises(OptionError, match=reason):
                ask()
    with pytest.warns(passline.errors.SeparationWarning):
        separated = passline.fit("low ~ bwt", data)
    with pytest.raises(OptionError, match="separated"):
        separated.calibration_test()
    with pytest.raises(OptionError, match="3 or more"):
        passline.fit("low ~ lwt", data).hosmer_lemeshow(groups=2)
    with pytest.raises(OptionError, match="too few different"):
        passline.fit("low ~ smoke", data).hosmer_lemeshow()


def test_hosmer_lemeshow_is_that_of_r_and_says_how_its_p_runs_with_the_groups() -> None:
    """R 4.2.2, cut() between quantiles of the fitted values: the statistic of ResourceSelection::hoslem.test."""
    fit = fit_of("birthwt")
    statistics = {10: 3.9434154795, 11: 7.85785246687, 13: 24.1873939372, 20: 8.5594429807}
    for groups, statistic in statistics.items():
        assert fit.hosmer_lemeshow(groups).statistic == pytest.approx(statistic, rel=1e-6)
    assert fit.hosmer_lemeshow(13).p_value == pytest.approx(0.0119658826308, rel=1e-6)
    small = fit_of("birthwt", "low ~ age + lwt + C(race) + smoke")
    p = [small.hosmer_lemeshow(groups).p_value for groups in range(5, 21)]
    assert (round(min(p), 3), round(max(p), 2)) == (0.004, 0.43)
    found = small.hosmer_lemeshow()
    assert "0.004 to 0.43" in found.note
    assert sum(found.rows) == 189
    assert sum(found.observed) == 59 == pytest.approx(sum(found.expected))


# R 4.2.2: anova(m, update(m, . ~ . + rcs(x)), test = "LRT"), with the nonlinear columns of Hmisc's rcspline.eval.
R_LINES = {
    "birthwt": {"age": (5.010857196613, 0.081641), "lwt": (1.026996602074, 0.5984)},
    "kyphosis": {"Age": (6.985650516, 0.030415), "Number": (1.025221835, 0.59893), "Start": (5.105689109, 0.07786)},
    "mroz": {"age": (1.462936464, 0.4812), "lwg": (155.9352205, 0.0), "inc": (6.217345415, 0.04466)},
}


@pytest.mark.parametrize("name", list(R_LINES))
def test_a_spline_is_tested_against_the_line_as_in_r(name: str) -> None:
    found = fit_of(name).linearity()
    tests = {term: i for i, term in enumerate(found["term"])}
    for term, (statistic, p) in R_LINES[name].items():
        assert found["statistic"][tests[term]] == pytest.approx(statistic, rel=1e-6)
        assert found["p_value"][tests[term]] == pytest.approx(p, abs=5e-5)


def test_a_predictor_that_the_formula_bends_already_and_one_of_few_values_are_not_tested() -> None:
    fit = fit_of("birthwt", "low ~ age + power(age, 2) + smoke + rcs(lwt, 3) + ptl")
    assert fit.linearity()["term"] == []


def test_a_spline_that_separates_what_the_line_does_not_says_so() -> None:
    x = np.arange(24.0)
    y = ((x > 7) & (x < 16)).astype(float)
    found = passline.fit("y ~ x", {"x": x, "y": y}).linearity()
    assert found["separated"] == [True]
    # The supremum of the separated likelihood is that of certainty: zero.
    assert found["statistic"][0] == pytest.approx(passline.fit("y ~ x", {"x": x, "y": y}).glance()["deviance"])


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_counts_give_the_tests_of_the_rows_written_out(seed: int) -> None:
    random = np.random.default_rng(seed)
    x, z = random.normal(size=60), random.normal(size=60)
    y = (random.random(60) < 1 / (1 + np.exp(-0.4 * x))).astype(float)
    count = random.integers(1, 4, size=60)
    short = passline.fit("y ~ x + z", {"x": x, "z": z, "y": y}, weights=count)
    long = passline.fit("y ~ x + z", {"x": np.repeat(x, count), "z": np.repeat(z, count), "y": np.repeat(y, count)})
    assert short.condition_number() == pytest.approx(long.condition_number(), rel=1e-9)
    np.testing.assert_allclose(short.vif()["gvif"], long.vif()["gvif"], rtol=1e-8)
    np.testing.assert_allclose(short.linearity()["statistic"], long.linearity()["statistic"], rtol=1e-6, atol=1e-9)
    assert short.calibration_test().statistic == pytest.approx(long.calibration_test().statistic, rel=1e-6)
    assert short.hosmer_lemeshow(8).statistic == pytest.approx(long.hosmer_lemeshow(8).statistic, rel=1e-8)


def test_trials_give_the_calibration_of_the_trials_written_out() -> None:
    random = np.random.default_rng(3)
    x, m = random.normal(size=40), random.integers(1, 9, size=40)
    s = random.binomial(m, 1 / (1 + np.exp(-x)))
    short = passline.fit("s ~ x", {"x": x, "s": s, "m": m}, trials="m")
    y = np.concatenate([np.repeat([1.0, 0.0], [a, b - a]) for a, b in zip(s, m, strict=True)])
    long = passline.fit("y ~ x", {"x": np.repeat(x, m), "y": y})
    assert short.calibration_test().statistic == pytest.approx(long.calibration_test().statistic, rel=1e-8)
    assert short.hosmer_lemeshow(6).statistic == pytest.approx(long.hosmer_lemeshow(6).statistic, rel=1e-8)
    assert short.linearity()["term"] == ["x"]


def test_the_limit_of_many_terms_is_that_of_sur_and_candes() -> None:
    """Sur and Candès (2019), p. 3: for kappa = 0.2 and gamma^2 = 5 alpha is 1.4994 and sigma 4.7436."""
    found = limit(0.2, math.sqrt(1.4994**2 * 5 + 0.2 * 4.7436**2))
    assert found is not None
    assert found.bias == pytest.approx(1.4994, abs=2e-4)
    assert found.signal == pytest.approx(math.sqrt(5), abs=2e-3)


def test_the_bias_of_slopes_is_estimated_from_rows_and_not_where_the_theory_says_nothing() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(1000, 200))
    b = np.concatenate([random.choice([-1.0, 1.0], 100) * np.sqrt(0.05), np.zeros(100)])
    y = (random.random(1000) < 1 / (1 + np.exp(-X @ b))).astype(float)
    rows = passline.fit("y ~ .", {"y": y} | {f"x{j}": X[:, j] for j in range(200)}).rows
    assert rows is not None
    found = slope_bias(rows.sample, rows.outcome)
    assert found is not None
    assert found.bias == pytest.approx(1.5, abs=0.1)
    few = passline.fit("s ~ x", {"s": [1, 2, 1, 0], "x": [1.0, 2, 3, 4], "m": [3, 3, 3, 3]}, trials="m").rows
    assert few is not None
    assert slope_bias(few.sample, few.outcome) is None


def test_inflation_needs_no_rows_of_its_own() -> None:
    """The same from the sample's outcome as from R's formula over the covariance."""
    rows = fit_of("kyphosis").rows
    assert rows is not None
    V = rows.outcome.covariance[1:, 1:]
    expected = np.diagonal(np.linalg.inv(V)) * np.diagonal(V)
    np.testing.assert_allclose([item.gvif for item in inflation(rows.sample, rows.outcome)], expected, rtol=1e-9)
