"""Jeffreys' prior: estimates against R's on every reference table, published cases, roles, tests and intervals."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import passline
from passline import Penalty, datasets, modelfile
from passline.errors import ModelFileError, OptionError
from passline.inference.firth import constrained, penalised_test
from reference import reference_tables

TABLES = [table for table in reference_tables() if "firth" in table.expected]
# The least modulus at which digits of a coefficient count: the standard error of this one is 2.4, its own value 7e-6,
# and the reference's gradient there is 7e-13 where ours is 4e-17.
NEAR_ZERO = {"DAAG_socsupport": 4.5}


def digits(found, expected):
    """Digits of agreement as the reference tables count them."""
    found, expected = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    worst = float((np.abs(found - expected) / np.maximum(np.abs(expected), 1e-8)).max())
    return -math.log10(max(worst, 1e-16))


def firth(formula, data, **options):
    return passline.fit(formula, data, estimator="firth", **options)


def endometrial(**options):
    return firth("HG ~ NV + PI + EH", datasets.load("endometrial"), **options)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_coefficients_and_errors_are_those_of_the_reference_to_six_digits_and_nothing_is_infinite(table):
    fit = firth(table.formula, table.columns())
    terms, expected = fit.model.terms, table.expected["firth"]
    assert fit.certificate["converged"]
    assert fit.certificate["gradient_norm"] < 1e-11
    assert set(terms.status) == {"ok"}
    assert fit.separation.kind == table.expected["separation"]
    assert digits(terms.estimate, expected["coef"]) >= NEAR_ZERO.get(table.name, 6.0)
    # brglm2's errors are taken where its own iteration stopped.
    assert digits(terms.std_error, expected["std_error"]) >= min(6.0, expected["agreement_with_brglm2_digits"])


def test_endometrial_has_the_published_estimates_tests_and_profile_intervals():
    """Heinze and Schemper (2002), table II, with the digits that logistf prints."""
    fit = endometrial(interval="profile")
    terms = fit.model.terms
    assert_allclose(terms.estimate, [3.77455951, 2.92927330, -0.03475175, -2.60416387], atol=2e-5)
    assert_allclose(terms.std_error, [1.48869, 1.55076, 0.03957815, 0.77601], rtol=1e-4)
    assert_allclose(terms.conf_low[1:], [0.6097274, -0.1244587, -4.36518284], atol=5e-6)
    assert_allclose(terms.conf_high[1:], [7.85463171, 0.04045547, -1.23272106], atol=5e-6)
    assert_allclose(terms.p_value[1:], [0.009123668, 0.3874822, 2.506867e-05], rtol=1e-5)
    tests = fit.penalised_tests()
    assert tests["term"] == ["NV", "PI", "EH"]
    assert_allclose(tests["statistic"], [6.7984572, 0.7468285, 17.7593175], rtol=1e-6)
    assert fit.separation.terms == ("NV",)


def test_the_three_points_have_the_line_of_the_lesson_and_the_boundary_keeps_it():
    fit = firth("passed ~ hours", {"hours": [1, 2, 3], "passed": [0, 0, 1]})
    assert_allclose(fit.model.terms.estimate, [-3.38844, 1.39814], atol=5e-6)
    assert fit.boundary("hours").estimate == pytest.approx(2.4235, abs=5e-5)
    assert fit.separation.kind == "complete"


def test_trials_are_the_same_as_rows_written_out_and_as_brglm2():
    """brglm2 0.9 of cbind(numdead, total - numdead) ~ sex + log2(dose), AS_mean, epsilon 1e-12."""
    budworm = datasets.load("budworm")
    grouped = firth("numdead ~ sex + log(dose)", budworm, trials="total", interval="profile")
    assert_allclose(grouped.model.terms.estimate[:2], [-3.39480552798, 1.07667072428], rtol=1e-9)
    assert_allclose(grouped.model.terms.estimate[2] * math.log(2), 1.03997480648, rtol=1e-9)
    assert_allclose(grouped.model.terms.std_error[:2], [0.460118320532, 0.352140772563], rtol=1e-9)
    rows = [
        (dose, sex, outcome)
        for dose, dead, total, sex in zip(*(budworm[name] for name in ("dose", "numdead", "total", "sex")), strict=True)
        for outcome in [1] * int(dead) + [0] * int(total - dead)
    ]
    dose, sex, dead = (list(column) for column in zip(*rows, strict=True))
    single = firth("dead ~ sex + log(dose)", {"dose": dose, "sex": sex, "dead": dead}, interval="profile")
    same_table(grouped, single)


def test_counts_are_the_same_as_rows_written_out_and_rows_that_count_nothing_do_nothing():
    rng = np.random.default_rng(5)
    x, z, y, counts = rng.normal(size=40), rng.normal(size=40), rng.integers(0, 2, 40), rng.integers(0, 4, 40)
    weighted = firth("y ~ x + z", {"x": x, "z": z, "y": y, "w": counts}, weights="w", interval="profile")
    out = firth("y ~ x + z", {"x": x.repeat(counts), "z": z.repeat(counts), "y": y.repeat(counts)}, interval="profile")
    same_table(weighted, out)
    assert weighted.model.flic_intercept == pytest.approx(out.model.flic_intercept, rel=1e-9)


def same_table(a, b):
    for name in ("estimate", "std_error", "p_value", "conf_low", "conf_high"):
        assert_allclose(getattr(a.model.terms, name), getattr(b.model.terms, name), rtol=1e-7, atol=1e-8)
    assert a.glance()["mean_predicted_rate"] == pytest.approx(b.glance()["mean_predicted_rate"], rel=1e-9)


def test_an_offset_is_held_as_brglm2_holds_it():
    data = datasets.load("endometrial")
    offset = 0.1 * np.array(data["PI"]) - 1.0
    fit = firth("HG ~ NV + EH", data, offset=offset)
    assert_allclose(fit.model.terms.estimate, [2.95881943312, 3.17481769454, -3.00789073740], rtol=1e-8)
    assert_allclose(fit.model.terms.std_error, [1.351779397849, 1.687770980577, 0.876928508575], rtol=1e-8)
    far = firth("HG ~ NV + EH", data, offset=offset + 500.0)
    assert far.model.terms.estimate[0] == pytest.approx(2.95881943312 - 500.0, rel=1e-10)


def test_predictions_have_the_observed_rate_unless_the_tables_intercept_is_asked_for():
    fit, data = endometrial(), datasets.load("endometrial")
    observed = float(np.mean(data["HG"]))
    assert fit.predict(data).mean() == pytest.approx(observed, rel=1e-12)
    assert fit.glance()["observed_rate"] == pytest.approx(observed)
    plain = fit.predict(data, flic=False)
    assert plain.mean() == pytest.approx(fit.glance()["mean_predicted_rate"], rel=1e-12)
    shift = fit.predict(data, scale="logit") - fit.predict(data, scale="logit", flic=False)
    assert_allclose(shift, fit.model.flic_intercept - fit.coef["(Intercept)"], rtol=1e-9)


def test_a_saved_fit_predicts_with_the_same_intercept(tmp_path):
    fit, data = endometrial(), datasets.load("endometrial")
    fit.save(tmp_path / "model.json")
    assert (passline.load(tmp_path / "model.json").predict(data) == fit.predict(data)).all()


def test_a_model_file_whose_corrected_intercept_is_no_number_is_refused():
    model = endometrial().model
    altered = replace(model, settings={**model.settings, "flic_intercept": "3"})
    with pytest.raises(ModelFileError, match="corrected intercept"):
        modelfile.parse(modelfile.dump(altered).encode())


def test_an_intercept_alone_is_half_a_success_and_half_a_failure_more():
    """The known case: log((k + 1/2) / (n - k + 1/2)), and FLIC is the maximum of the likelihood."""
    fit = firth("y ~ 1", {"y": [1, 1, 1, 0, 0, 0, 0, 0]}, interval="profile")
    assert fit.coef["(Intercept)"] == pytest.approx(math.log(3.5 / 5.5), rel=1e-12)
    assert fit.model.flic_intercept == pytest.approx(math.log(3 / 5), rel=1e-12)
    for end in (fit.model.terms.conf_low[0], fit.model.terms.conf_high[0]):
        likelihood = [3.5 * b - 9 * math.log1p(math.exp(b)) for b in (math.log(3.5 / 5.5), end)]
        assert 2 * (likelihood[0] - likelihood[1]) == pytest.approx(3.841458820694124, abs=1e-8)


def test_without_an_intercept_there_is_none_to_correct():
    fit = firth("y ~ 0 + x", {"x": [1.0, 2.0, 3.0, -1.0], "y": [1, 1, 1, 0]})
    assert fit.model.flic_intercept is None
    assert (fit.predict({"x": [1.0]}) == fit.predict({"x": [1.0]}, flic=False)).all()
    assert "cannot be corrected" in repr(fit)


def test_the_glance_has_both_likelihoods_and_no_information_criterion():
    fit, data = endometrial(), datasets.load("endometrial")
    X = np.column_stack([np.ones(79), data["NV"], data["PI"], data["EH"]])
    eta, y = X @ fit.model.coef, np.array(data["HG"])
    likelihood = float((y * eta - np.logaddexp(0, eta)).sum())
    mu = 1 / (1 + np.exp(-eta))
    half = 0.5 * np.linalg.slogdet((X * (mu * (1 - mu))[:, None]).T @ X)[1]
    glance = fit.glance()
    assert glance["log_likelihood"] == pytest.approx(likelihood, rel=1e-12)
    assert glance["penalised_log_likelihood"] == pytest.approx(likelihood + half, rel=1e-10)
    assert (glance["aic"], glance["bic"]) == (None, None)


def test_the_modified_score_vanishes_at_the_estimate():
    fit, data = endometrial(), datasets.load("endometrial")
    X = np.column_stack([np.ones(79), data["NV"], data["PI"], data["EH"]])
    mu = 1 / (1 + np.exp(-X @ fit.model.coef))
    w = mu * (1 - mu)
    h = w * np.einsum("ij,jk,ik->i", X, np.linalg.inv((X * w[:, None]).T @ X), X)
    score = X.T @ (np.array(data["HG"]) - mu + h * (0.5 - mu))
    assert np.abs(score / np.abs(X).sum(axis=0)).max() < 1e-13


@pytest.mark.parametrize("formula", ["HG ~ NV + PI + EH", "HG ~ 0 + EH", "HG ~ NV * EH"])
def test_both_ends_of_a_profile_satisfy_their_own_equation(formula):
    level = 0.9
    fit = firth(formula, datasets.load("endometrial"), interval="profile", level=level)
    found, terms = fit.rows.outcome.estimate, fit.model.terms
    for j, ends in enumerate(zip(terms.conf_low, terms.conf_high, strict=True)):
        for end in ends:
            held = constrained(found, found.back[[j]], np.array([end]))
            statistic = 2 * found.objective.total * (held.loss - found.solution.loss)
            assert statistic == pytest.approx(2.705543454095414, abs=1e-8)  # the 0.9 quantile of chi-squared(1)
        assert ends[0] < terms.estimate[j] < ends[1]


@pytest.mark.parametrize("unit", [1e-200, 1e300])
def test_profiles_follow_the_units_of_a_column_however_large_or_small(unit):
    x, y = np.array([1.0, 2.0, -1.0, 0.0, 0.5]), [0, 1, 0, 1, 1]
    plain = firth("y ~ x", {"x": x, "y": y}, interval="profile").model.terms
    scaled = firth("y ~ x", {"x": x * unit, "y": y}, interval="profile").model.terms
    for name in ("conf_low", "conf_high"):
        assert_allclose(getattr(scaled, name) * [1.0, unit], getattr(plain, name), rtol=1e-7)


def test_a_term_of_several_columns_is_tested_as_one_and_an_aliased_column_is_left_out():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=60), rng.integers(0, 2, 60)
    group = np.array(["a", "b", "c"])[rng.integers(0, 3, 60)]
    fit = firth("y ~ x + g + x2", {"x": x, "g": group, "x2": 2 * x, "y": y}, interval="profile")
    tests = fit.penalised_tests()
    assert [int(df) for df in tests["df"]] == [1, 2, 0]
    assert math.isnan(tests["p_value"][2])
    assert fit.model.terms.status == ("ok", "ok", "ok", "ok", "aliased")
    found = fit.rows.outcome.estimate
    without = penalised_test(found, np.array([2, 3]))
    assert without[0] == pytest.approx(tests["statistic"][1])
    assert math.isnan(fit.model.terms.conf_low[4])


def test_of_two_maxima_the_higher_one_is_found():
    """MASS_ships has one near the maximum of the likelihood and another whose likelihood is higher by 0.2."""
    (table,) = (table for table in TABLES if table.name == "MASS_ships")
    assert digits(firth(table.formula, table.columns()).model.terms.estimate, table.expected["firth"]["coef"]) > 8


@settings(max_examples=25, deadline=None)
@given(
    y=st.lists(st.integers(0, 1), min_size=6, max_size=20).filter(lambda y: 0 < sum(y) < len(y)),
    seed=st.integers(0, 1000),
    scale=st.sampled_from([1e-12, 1e-3, 1.0, 1e6, 1e100]),
    shift=st.sampled_from([0.0, -7.5, 1e4]),
)
def test_every_outcome_of_both_classes_has_a_finite_estimate_that_follows_the_units(y, seed, scale, shift):
    x = np.random.default_rng(seed).normal(size=len(y))
    fit = firth("y ~ x", {"x": x, "y": y})
    assert fit.certificate["converged"]
    assert np.isfinite(fit.model.terms.estimate).all()
    assert np.isfinite(fit.model.terms.std_error).all()
    moved = firth("y ~ x", {"x": scale * (x + shift), "y": y})
    assert_allclose(moved.coef["x"] * scale, fit.coef["x"], rtol=1e-6, atol=1e-9)
    mirrored = firth("y ~ x", {"x": x, "y": [1 - value for value in y]})
    assert_allclose(mirrored.model.terms.estimate, -fit.model.terms.estimate, rtol=1e-7, atol=1e-9)


def test_long_tables_take_the_approximate_curvature_to_the_same_estimate(monkeypatch):
    exact = endometrial(interval="profile")
    monkeypatch.setattr("passline.solvers.firth.EXACT", 0)
    monkeypatch.setattr("passline.solvers.firth.SMALL", 0)
    approximate = endometrial(interval="profile")
    assert not approximate.rows.outcome.estimate.objective.exact
    for name in ("estimate", "std_error", "conf_low", "conf_high"):
        assert_allclose(getattr(approximate.model.terms, name), getattr(exact.model.terms, name), rtol=1e-7)


def test_what_excludes_jeffreys_prior_is_refused_with_its_reason():
    data = {"x": [1.0, 2.0, 3.0, 4.0], "y": [0, 1, 0, 1], "s": [1.5, 1.0, 2.0, 1.0]}
    with pytest.raises(OptionError, match="sampling weights make none"):
        firth("y ~ x", data, sampling_weights="s")
    with pytest.raises(OptionError, match="leave l1 and l2 out"):
        firth("y ~ x", data, penalty=Penalty(l2=0.1))
    with pytest.raises(OptionError, match="choose 'ml' or 'firth'"):
        passline.fit("y ~ x", data, estimator="bayes")
    with pytest.raises(OptionError, match="estimator='firth'"):
        passline.fit("y ~ x", data).penalised_tests()


def test_a_loaded_fit_says_that_tests_need_its_rows(tmp_path):
    endometrial().save(tmp_path / "model.json")
    with pytest.raises(OptionError, match="need the rows of the fit"):
        passline.load(tmp_path / "model.json").penalised_tests()


def test_the_terminal_says_why_which_rates_and_which_intercept():
    text = repr(endometrial(interval="profile"))
    assert "quasi-completely separated, and maximum likelihood has no finite estimate for NV" in text
    assert "Observed rate 0.3797, mean predicted rate 0.3783: predictions use the intercept 3.78608 (FLIC)" in text
    assert "penalised log-likelihood -24.0373" in text
