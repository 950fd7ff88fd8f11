"""Profile-likelihood intervals: their own equation, R's ends, infinite ends under separation, weights, passes."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import passline
from passline import datasets
from passline.errors import OptionError, SeparationWarning
from passline.inference.constrained import constrained_log_likelihood
from passline.inference.profile import profile_of, profiles
from reference import ReferenceTable, reference_tables

CHI2_95 = 3.841458820694124
TABLES = list(reference_tables())


def quietly(*args: object, **kwargs: object) -> passline.Fit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return passline.fit(*args, **kwargs)


def behind(fit: passline.Fit) -> tuple:
    return fit.rows.sample, fit.rows.outcome


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_finite_end_satisfies_its_equation_to_1e_8_and_every_infinite_one_is_said_by_the_status(
    table: ReferenceTable,
) -> None:
    fit = quietly(table.formula, table.columns())
    sample, outcome = behind(fit)
    found = profiles(sample, outcome, 0.95)
    for j, row in enumerate(np.eye(len(outcome.coef))):
        ends = found.conf_low[j], found.conf_high[j]
        status, limit = outcome.status[j], outcome.limit[j]
        assert np.isnan(ends).all() == (status == "aliased")
        assert (ends[0] == -np.inf) == (status == "undetermined" or limit == "-inf")
        assert (ends[1] == np.inf) == (status == "undetermined" or limit == "+inf")
        for end in ends:
            if math.isfinite(end):
                held = constrained_log_likelihood(sample, outcome, row, end)
                assert 2 * (outcome.log_likelihood - held.log_likelihood) == pytest.approx(CHI2_95, abs=1e-8)


def test_the_ends_agree_with_those_that_r_interpolates() -> None:
    """MASS's confint; it interpolates its profile by splines, which costs it all but three digits, on a few more."""
    digits = []
    for table in TABLES:
        ends = table.expected.get("r_glm", {}).get("profile_ci_95")
        if ends is None:
            continue
        found = profiles(*behind(passline.fit(table.formula, table.columns())), 0.95)
        ours, theirs = np.array([found.conf_low, found.conf_high]), np.array(ends, dtype=float)
        wide = theirs[1] - theirs[0]
        digits.append(-np.log10((np.abs(ours - theirs) / wide).max()))
    assert len(digits) > 90
    assert np.quantile(digits, 0.05) > 3
    assert min(digits) > 2


# R 4.2.2, MASS 7.3-58: confint(glm(..., control = glm.control(epsilon = 1e-14))).
BY_NAME = {
    "birthwt": (
        "low ~ age + lwt + C(race) + smoke",
        {},
        [
            (-1.809249947, 2.56100150656),
            (-0.090901861, 0.04363017598),
            (-0.025863683, -0.00063889187),
            (0.220607930, 2.26488864642),
            (0.140074357, 1.78096219842),
            (0.323763550, 1.82224042616),
        ],
    ),
    "budworm": (
        "numdead ~ sex + log(dose)",
        {"trials": "total"},
        [(-4.4581438, -2.6136098), (0.4192265, 1.8204713), (1.1871517, 1.9318525)],
    ),
    "menarche": (
        "Menarche ~ Age",
        {"trials": "Total"},
        [(-22.7866033, -19.7638318), (1.5201029, 1.7513269)],
    ),
    "kyphosis": (
        "Kyphosis ~ Age + Number + Start",
        {"positive": "present"},
        [
            (-5.1097697341, 0.666532182),
            (-0.0010917772, 0.024680901),
            (0.0038765105, 0.897613502),
            (-0.3488837134, -0.079072279),
        ],
    ),
    "orings": (
        "damaged ~ temperature",
        {"trials": "orings"},
        [(5.57519513, 18.73759833), (-0.33265697, -0.12017899)],
    ),
}


@pytest.mark.parametrize("name", BY_NAME)
def test_the_known_cases_agree_with_r(name: str) -> None:
    formula, roles, ends = BY_NAME[name]
    fit = passline.fit(formula, str(datasets.path(name)), interval="profile", **roles)
    terms = fit.model.terms
    found = np.array([terms.conf_low, terms.conf_high]).T
    expected = np.array(ends)
    assert found == pytest.approx(expected, abs=2e-3 * float(np.diff(expected).max()))
    assert (np.abs(found - expected) <= 1e-3 * np.diff(expected)).all()


def test_an_infinite_estimate_has_one_finite_end_and_the_p_value_of_its_likelihood_ratio() -> None:
    """Endometrial cancer (Heinze and Schemper 2002): NV is separated; R's deviances give 9.3576 for it."""
    with pytest.warns(SeparationWarning):
        fit = passline.fit("HG ~ NV + PI + EH", str(datasets.path("endometrial")), interval="profile")
    row = fit.as_json()["terms"][1]
    assert row["term"] == "NV"
    assert row["status"] == "infinite"
    assert row["conf_low"] == pytest.approx(1.284, abs=1e-3)
    assert row["conf_high"] is None
    assert row["statistic"] is None
    assert row["p_value"] == pytest.approx(math.erfc(math.sqrt(9.3576 / 2)), abs=1e-5)
    assert fit.model.terms.conf_high[1] == math.inf


def test_three_separated_points_leave_the_slope_open_on_both_sides_where_directions_disagree() -> None:
    fit = quietly("y ~ x", {"x": [1.0, 2.0, 3.0], "y": [0, 0, 1]})
    found = profiles(*behind(fit), 0.95)
    assert found.conf_high.tolist()[1] == math.inf
    # Against a flat line the likelihood ratio is 2 (log 27 - log 4) = 3.8191 < 3.8415: zero is not ruled out.
    assert found.statistic[1] == pytest.approx(2 * (math.log(27) - math.log(4)), abs=1e-10)
    assert -1 < found.conf_low[1] < 0


def test_what_a_held_combination_leaves_has_its_own_verdict() -> None:
    """The points 1, 2, 3 with outcomes 0, 0, 1: through one half at x, the supremum is 1 only between 2 and 3."""
    sample, outcome = behind(quietly("y ~ x", {"x": [1.0, 2.0, 3.0], "y": [0, 0, 1]}))
    at = {x: constrained_log_likelihood(sample, outcome, np.array([1.0, x]), 0.0) for x in (2.0, 2.5, 3.0, 1.0)}
    assert at[2.5].log_likelihood == 0.0
    assert at[2.5].separated
    assert at[2.0].log_likelihood == pytest.approx(-math.log(2), abs=1e-12)
    assert at[3.0].log_likelihood == pytest.approx(-math.log(2), abs=1e-12)
    assert not at[1.0].separated


def test_a_constraint_that_no_coefficients_meet_has_no_likelihood() -> None:
    sample, outcome = behind(quietly("y ~ x + z", {"x": [1.0, 2, 3, 4], "z": [2.0, 4, 6, 8], "y": [0, 1, 0, 1]}))
    assert outcome.status[2] == "aliased"
    assert constrained_log_likelihood(sample, outcome, np.array([0.0, 0, 1]), 1.0).log_likelihood == -math.inf


def test_a_constraint_met_far_away_is_reached_all_the_same() -> None:
    sample, outcome = behind(passline.fit("low ~ age + lwt", str(datasets.path("birthwt"))))
    warm = constrained_log_likelihood(sample, outcome, np.array([0.0, 1, 0]), 0.0)
    for value in (1.0, 30.0, -30.0):
        held = constrained_log_likelihood(sample, outcome, np.array([0.0, 1, 0]), value, warm)
        assert held.converged
        assert held.coef[1] == pytest.approx(value, rel=1e-9)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_counts_give_the_same_ends_as_the_rows_written_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y, c = rng.normal(size=20).round(1), rng.integers(0, 2, 20), rng.integers(1, 4, 20)
    if len(set(y)) < 2:
        return
    counted = quietly("y ~ x", {"x": x, "y": y, "c": c}, weights="c")
    written = quietly("y ~ x", {"x": np.repeat(x, c), "y": np.repeat(y, c)})
    ours, theirs = (profiles(*behind(fit), 0.9) for fit in (counted, written))
    for one, other in zip(
        (ours.conf_low, ours.conf_high, ours.p_value), (theirs.conf_low, theirs.conf_high, theirs.p_value), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-7)


@given(st.floats(-6, 6), st.floats(-3, 3))
@settings(max_examples=20, deadline=None)
def test_ends_follow_a_column_that_is_rescaled(exponent: float, shift: float) -> None:
    table = datasets.load("birthwt")
    age, scale = np.array(table["age"], dtype=float), 10.0**exponent
    plain, scaled = (
        profile_of(*behind(passline.fit("low ~ age + lwt", {**table, "age": values})), np.array([0.0, 1, 0]), 0.95)
        for values in (age, age * scale + shift * scale)
    )
    assert scaled.conf_low * scale == pytest.approx(plain.conf_low, rel=1e-7)
    assert scaled.conf_high * scale == pytest.approx(plain.conf_high, rel=1e-7)
    assert scaled.p_value == pytest.approx(plain.p_value, rel=1e-7)


def test_all_intervals_take_a_dozen_passes_a_term() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(1000, 12))
    y = rng.uniform(size=1000) < 1 / (1 + np.exp(1 - X @ rng.normal(size=12) * 0.3))
    sample, outcome = behind(passline.fit("y ~ .", {**{f"x{j}": X[:, j] for j in range(12)}, "y": y.astype(int)}))
    before = sample.blocks.passes
    profiles(sample, outcome, 0.95)
    assert sample.blocks.passes - before <= 13 * 13


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, 2.0, math.nan])
def test_a_level_outside_zero_and_one_is_refused(level: float) -> None:
    with pytest.raises(OptionError, match="level"):
        passline.fit("low ~ age", str(datasets.path("birthwt")), level=level, interval="profile")


def test_a_fit_without_a_likelihood_has_no_profile_and_says_why() -> None:
    path = str(datasets.path("birthwt"))
    with pytest.raises(OptionError, match="sampling weights"):
        passline.fit("low ~ age", path, sampling_weights="lwt", interval="profile")
    with pytest.raises(OptionError, match="penal"):
        passline.fit("low ~ age", path, penalty=passline.Penalty(l2=1.0), interval="profile")
    with pytest.raises(OptionError, match="choose 'wald' or 'profile'"):
        passline.fit("low ~ age", path, interval="likelihood")


def test_a_saved_model_keeps_its_profile_intervals(tmp_path: object) -> None:
    fit = quietly("HG ~ NV + PI + EH", str(datasets.path("endometrial")), interval="profile")
    fit.save(f"{tmp_path}/model.json")
    again = passline.load(f"{tmp_path}/model.json")
    assert again.as_json()["terms"] == fit.as_json()["terms"]
    assert repr(again) == repr(fit)
    assert "3.611 to Inf" in repr(again)
    with pytest.raises(OptionError, match="rows of the fit"):
        again.profile()
