"""Tests of terms, columns and hypotheses, against R's drop1 and by their definitions."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import passline
from passline import datasets
from passline.errors import OptionError
from passline.inference.term_tests import droppable, term_tests, without
from passline.inference.wald import chi2_p
from reference import ReferenceTable, reference_tables

BIRTHWT = "low ~ age + lwt + C(race) + smoke"
TESTED = [table for table in reference_tables() if table.expected.get("r_glm", {}).get("lr_test")]


def quietly(*args: object, **kwargs: object) -> passline.Fit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return passline.fit(*args, **kwargs)


@pytest.fixture(scope="module")
def birthwt() -> passline.Fit:
    return passline.fit(BIRTHWT, str(datasets.path("birthwt")))


@pytest.mark.parametrize("table", TESTED, ids=lambda table: table.name)
def test_the_likelihood_ratio_of_each_term_agrees_with_drop1_to_eight_digits(table: ReferenceTable) -> None:
    fit = passline.fit(table.formula, table.columns())
    rows = fit.rows
    found = term_tests(rows.sample, rows.outcome, fit.covariance, droppable(fit.model.design), "lr")
    theirs = {name: np.atleast_1d(value) for name, value in table.expected["r_glm"]["lr_test"].items()}
    assert [one.df for one in found] == theirs["df"].tolist()
    ours, expected = np.array([one.statistic for one in found]), theirs["statistic"].astype(float)
    assert (np.abs(ours - expected) <= 1e-8 * np.maximum(np.abs(expected), 1e-8)).all()


def test_the_three_tests_of_each_term_of_birthwt_are_those_of_r(birthwt: passline.Fit) -> None:
    """R 4.2.2: drop1(f, test = "LRT"), drop1(f, test = "Rao"), and b' V^-1 b of race."""
    lr, score, wald = (birthwt.drop1(test) for test in ("lr", "score", "wald"))
    assert lr["term"].tolist() == ["age", "lwt", "C(race)", "smoke"]
    assert lr["df"].tolist() == [1, 1, 2, 1]
    assert lr["statistic"].tolist() == pytest.approx(
        [0.437422903341, 4.284962861286, 8.302118441421, 8.083402921058], rel=1e-9
    )
    assert lr["p_value"].tolist() == pytest.approx([0.5083689, 0.0384509, 0.0157477, 0.0044672], rel=1e-4)
    assert lr["aic"].tolist() == pytest.approx([225.0146574, 228.8621974, 230.8793530, 232.6606375], rel=1e-9)
    assert score["statistic"].tolist() == pytest.approx(
        [0.43359524244, 4.04465661215, 8.19950927333, 8.03429757476], rel=1e-8
    )
    assert wald["statistic"].tolist()[2] == pytest.approx(7.84258198042, rel=1e-9)


def test_grouped_rows_and_their_trials_are_tested_alike() -> None:
    """Budworm, R 4.2.2: likelihood ratios 10.2269684347 and 112.0415489868, Rao's 10.0084611589 and 95.8344421018."""
    fit = passline.fit("numdead ~ sex + log(dose)", str(datasets.path("budworm")), trials="total")
    assert fit.drop1()["statistic"].tolist() == pytest.approx([10.2269684347, 112.0415489868], rel=1e-9)
    assert fit.drop1("score")["statistic"].tolist() == pytest.approx([10.0084611589, 95.8344421018], rel=1e-8)
    assert fit.drop1()["aic"].tolist()[0] == pytest.approx(42.8674652336 - 2 + 10.2269684347, rel=1e-9)


def test_kyphosis_agrees_with_r() -> None:
    fit = passline.fit("Kyphosis ~ Age + Number + Start", str(datasets.path("kyphosis")), positive="present")
    assert fit.drop1()["statistic"].tolist() == pytest.approx([3.15654095913, 3.91913966322, 10.24663188074], rel=1e-9)
    assert fit.drop1("score")["statistic"].tolist() == pytest.approx(
        [3.06911522253, 3.67778196245, 11.26340013550], rel=1e-7
    )


def test_a_term_within_an_interaction_is_not_dropped() -> None:
    """R 4.2.2, low ~ age * smoke + lwt: drop1 speaks of lwt (4.378761917) and age:smoke (1.247414291) only."""
    fit = passline.fit("low ~ age * smoke + lwt", str(datasets.path("birthwt")))
    found = fit.drop1()
    assert found["term"].tolist() == ["lwt", "age:smoke"]
    assert found["statistic"].tolist() == pytest.approx([4.378761917, 1.247414291], rel=1e-8)


def test_a_term_that_others_say_already_has_no_degree_of_freedom() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=40)
    fit = passline.fit("y ~ x + z + w", {"x": x, "z": 2 * x, "w": rng.normal(size=40), "y": rng.integers(0, 2, 40)})
    found = fit.drop1()
    assert found["df"] == [0, 0, 1]
    assert found["statistic"][:2] == [0.0, 0.0]
    assert all(math.isnan(p) for p in found["p_value"][:2])


def test_every_column_has_its_three_tests_and_they_are_the_terms_own_where_it_is_one_column(
    birthwt: passline.Fit,
) -> None:
    columns = birthwt.tests().set_index("term")
    for test in ("lr", "score", "wald"):
        terms = birthwt.drop1(test).set_index("term")
        for name in ("age", "lwt", "smoke"):
            assert columns.loc[name, test] == pytest.approx(terms.loc[name, "statistic"], rel=1e-8)
            assert columns.loc[name, f"{test}_p"] == pytest.approx(terms.loc[name, "p_value"], rel=1e-8)


def test_the_score_statistic_is_the_quadratic_form_of_the_score_at_the_null_model() -> None:
    """One predictor, no other: the score test is n r^2, Pearson's correlation of x and y."""
    table = datasets.load("birthwt")
    x, y = np.array(table["lwt"], dtype=float), np.array(table["low"], dtype=float)
    fit = passline.fit("low ~ lwt", table)
    assert fit.drop1("score")["statistic"][0] == pytest.approx(len(x) * np.corrcoef(x, y)[0, 1] ** 2, rel=1e-10)


def test_under_separation_the_likelihood_ratio_is_of_suprema_and_wald_does_not_exist() -> None:
    fit = quietly("HG ~ NV + PI + EH", str(datasets.path("endometrial")))
    lr, wald = fit.drop1(), fit.drop1("wald")
    assert lr["statistic"][0] == pytest.approx(9.3576, abs=1e-4)
    assert lr["separation"].tolist() == ["none", "quasi", "quasi"]
    assert math.isnan(wald["statistic"][0])
    assert math.isnan(wald["p_value"][0])
    assert wald["p_value"][2] < 0.001
    score = fit.drop1("score")
    assert score["statistic"][0] > 0
    assert math.isnan(score["statistic"][1])


@given(st.integers(0, 2**32 - 1), st.sampled_from(["lr", "score", "wald"]))
@settings(max_examples=25, deadline=None)
def test_counts_are_tested_as_the_rows_written_out(seed: int, test: str) -> None:
    rng = np.random.default_rng(seed)
    columns = {"x": rng.normal(size=25), "g": rng.choice(list("abc"), 25), "y": rng.integers(0, 2, 25)}
    c = rng.integers(1, 4, 25)
    if len(set(columns["y"])) < 2:
        return
    counted = quietly("y ~ x + g", {**columns, "c": c}, weights="c").drop1(test)
    written = quietly("y ~ x + g", {name: np.repeat(values, c) for name, values in columns.items()}).drop1(test)
    assert counted["df"] == written["df"]
    np.testing.assert_allclose(counted["statistic"], written["statistic"], rtol=1e-7, atol=1e-9)


def test_without_all_columns_the_offset_alone_speaks() -> None:
    rng = np.random.default_rng(5)
    y, o = rng.integers(0, 2, 30), rng.normal(size=30)
    fit = passline.fit("y ~ 0 + x", {"x": rng.normal(size=30), "y": y, "o": o}, offset="o")
    rest = without(fit.rows.sample, range(1))
    assert rest.rank == 0
    assert rest.log_likelihood == pytest.approx(-np.log1p(np.exp(np.where(y == 1, -o, o))).sum(), rel=1e-12)


def test_a_joint_hypothesis_takes_terms_dicts_and_matrices(birthwt: passline.Fit) -> None:
    """The Wald statistic 7.84258198042 of race is R's, and its likelihood ratio drop1's."""
    by_columns = birthwt.joint(["C(race)2", "C(race)3"])
    by_term = birthwt.joint("C(race)")
    R = np.zeros((2, 6))
    R[0, 3] = R[1, 4] = 1
    by_matrix = birthwt.joint(R)
    for found in (by_columns, by_term, by_matrix):
        assert found.df == 2
        assert found.wald == pytest.approx(7.84258198042, rel=1e-9)
        assert found.lr == pytest.approx(8.302118441421, rel=1e-9)
        assert found.lr_p == pytest.approx(0.0157477, rel=1e-4)
    equal = birthwt.joint({"C(race)2": 1, "C(race)3": -1})
    assert equal.wald == pytest.approx((0.288408719788 / 0.5267565455) ** 2, rel=1e-8)
    merged = {**datasets.load("birthwt")}
    merged["race"] = ["white" if race == 1 else "other" for race in merged["race"]]
    smaller = passline.fit("low ~ age + lwt + race + smoke", merged)
    full, less = birthwt.glance()["log_likelihood"], smaller.glance()["log_likelihood"]
    assert equal.lr == pytest.approx(2 * (full - less), rel=1e-9)


def test_a_hypothesis_may_hold_values_other_than_zero(birthwt: passline.Fit) -> None:
    own = birthwt.joint(["age", "lwt"], [birthwt.coef["age"], birthwt.coef["lwt"]])
    assert own.wald == pytest.approx(0, abs=1e-12)
    assert own.lr == pytest.approx(0, abs=1e-9)
    repeated = birthwt.joint([{"age": 1}, {"age": 2}], [0.1, 0.2])
    assert repeated.df == 1


def test_a_hypothesis_that_names_no_term_is_refused_with_the_nearest(birthwt: passline.Fit) -> None:
    with pytest.raises(OptionError, match=r"no term or predictor 'smok'\. Did you mean 'smoke'"):
        birthwt.joint(["smok"])
    with pytest.raises(OptionError, match="matrix of 6 columns"):
        birthwt.joint(np.ones((1, 3)))
    with pytest.raises(OptionError, match="contradicts"):
        birthwt.joint([{"age": 1}, {"age": 2}], [0.1, 0.3])
    with pytest.raises(OptionError, match="says nothing"):
        birthwt.joint(np.zeros((1, 6)))
    with pytest.raises(OptionError, match="one value a row"):
        birthwt.joint(["age"], [0.0, 1.0])
    with pytest.raises(OptionError, match="not finite"):
        birthwt.joint(["age"], [math.nan])


def test_tests_that_need_a_likelihood_say_so_where_there_is_none(tmp_path: object, birthwt: passline.Fit) -> None:
    path = str(datasets.path("birthwt"))
    sampled = passline.fit("low ~ age + smoke", path, sampling_weights="lwt")
    for ask in (sampled.drop1, sampled.tests, lambda: sampled.drop1("score"), sampled.profile):
        with pytest.raises(OptionError, match="sampling weights"):
            ask()
    assert isinstance(sampled.drop1("wald"), pandas.DataFrame)
    assert math.isnan(sampled.joint(["age"]).lr)
    ridge = passline.fit("low ~ age", path, penalty=passline.Penalty(l2=0.1))
    with pytest.raises(OptionError, match="penalised"):
        ridge.drop1()
    with pytest.raises(OptionError, match="'likelihood'"):
        birthwt.drop1("likelihood")
    birthwt.save(f"{tmp_path}/m.json")
    loaded = passline.load(f"{tmp_path}/m.json")
    with pytest.raises(OptionError, match="rows of the fit"):
        loaded.drop1()
    assert math.isnan(loaded.joint(["age"]).lr)
    assert loaded.joint(["age"]).wald == pytest.approx(birthwt.joint(["age"]).wald, rel=1e-12)


def test_chi_square_tails_are_exact_far_out() -> None:
    """P(X > x) on 1, 2 and 4 degrees of freedom has a closed form."""
    assert chi2_p(3.841458820694124, 1) == pytest.approx(0.05, rel=1e-12)
    assert chi2_p(1400.0, 2) == pytest.approx(math.exp(-700), rel=1e-10)
    assert chi2_p(20.0, 4) == pytest.approx(math.exp(-10) * 11, rel=1e-12)
    assert math.isnan(chi2_p(1.0, 0))
    assert math.isnan(chi2_p(math.nan, 3))
