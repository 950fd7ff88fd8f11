"""Average effects against R 4.2.2 by hand (glm with epsilon 1e-14, gradients written out), and pseudo-R^2 by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import passline
from passline.errors import DataError, OptionError
from passline.inference.effects import Effect, marginal_effects

BIRTHWT = "low ~ age + lwt + C(race) + smoke + ptl + ht + ui"


def path(name: str) -> Path:
    return passline.datasets.path(name)


def table(name: str) -> dict[str, Any]:
    return {column: np.array(values) for column, values in passline.datasets.load(name).items()}


def effects(fit: passline.Fit) -> dict[tuple[str, str], Effect]:
    return {(e.variable, e.contrast): e for e in marginal_effects(fit._population(0.95))}


def test_birthwt_s_average_effects_are_r_s() -> None:
    found = effects(passline.fit(BIRTHWT, path("birthwt")))
    for key, estimate, error in (
        (("age", "dP/dx"), -0.004825504053, 0.006474404908),
        (("lwt", "dP/dx"), -0.002706469005, 0.001183472200),
        (("race", "2 - 1"), 0.23279000421, 0.09956960225),
        (("race", "3 - 1"), 0.15100004922, 0.07606080352),
    ):
        assert found[key].estimate == pytest.approx(estimate, rel=1e-8)
        assert found[key].std_error == pytest.approx(error, rel=1e-6)


def test_birthwt_s_risk_differences_and_ratios_are_r_s() -> None:
    fit = passline.fit(BIRTHWT, path("birthwt"))
    found = fit.risk_difference("smoke")
    assert found.risks == pytest.approx((0.41627111999, 0.24580599595), rel=1e-9)
    assert (found.estimate, found.std_error) == pytest.approx((0.17046512404, 0.07295715622), rel=1e-6)
    ratio = fit.risk_ratio("smoke", 1, 0)
    assert (ratio.estimate, ratio.std_error) == pytest.approx((1.69349457232, 0.22188526773), rel=1e-6)
    assert ratio.conf_low == pytest.approx(ratio.estimate * np.exp(-1.959963984540054 * ratio.std_error), rel=1e-12)
    found = fit.risk_difference("lwt", high=150, low=110)
    assert (found.estimate, found.std_error) == pytest.approx((-0.10845777998, 0.04776850513), rel=1e-6)
    assert found.contrast == "150 - 110"
    assert fit.risk_ratio("lwt", 150, 110).std_error == pytest.approx(0.16505302607, rel=1e-6)


def test_a_slope_goes_through_every_term_that_holds_the_number() -> None:
    """R: low ~ log(lwt) * smoke + I(age^2), the slope in lwt by differences of the fitted probabilities."""
    fit = passline.fit("low ~ log(lwt) * smoke + power(age, 2)", path("birthwt"))
    found = effects(fit)["lwt", "dP/dx"]
    assert (found.estimate, found.std_error) == pytest.approx((-0.003320734527, 0.001420245344), rel=1e-5)


def test_one_predictor_s_slope_in_closed_form() -> None:
    """With an intercept and one category a risk difference is the difference of the observed rates."""
    data = table("birthwt")
    found = passline.fit("low ~ smoke", data).risk_difference("smoke")
    rates = [data["low"][data["smoke"] == k].mean() for k in (1, 0)]
    sizes = [(data["smoke"] == k).sum() for k in (1, 0)]
    assert found.risks == pytest.approx(rates, rel=1e-10)
    variance = sum(p * (1 - p) / n for p, n in zip(rates, sizes, strict=True))
    assert found.std_error == pytest.approx(np.sqrt(variance), rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_gradients_are_the_limit_of_differences(seed: int) -> None:
    """The delta method needs d(effect)/d(coef); here it is found by moving the coefficients."""
    rng = np.random.default_rng(seed)
    n = 60
    data = {"x": rng.normal(size=n), "g": rng.choice(["a", "b", "c"], n), "o": rng.normal(size=n) * 0.2}
    data["y"] = rng.permutation(np.arange(n) % 2)
    fit = passline.fit("y ~ x * g + power(x, 2)", data, offset="o")
    population = fit._population(0.95)
    p = len(population.coef)
    found = marginal_effects(population)
    for place, effect in enumerate(found):
        gradient = np.empty(p)
        for j in range(p):
            ends = []
            for step in (-1e-5, 1e-5):
                moved = population.coef.copy()
                moved[j] += step
                other = type(population)(**{**population.__dict__, "coef": moved})
                ends.append(marginal_effects(other)[place].estimate)
            gradient[j] = (ends[1] - ends[0]) / 2e-5
        expected = float(np.sqrt(gradient @ fit.covariance @ gradient))
        assert effect.std_error == pytest.approx(expected, rel=1e-5, abs=1e-9)


def test_weights_are_rows_written_out_and_trials_too() -> None:
    data = table("birthwt")
    counts = np.random.default_rng(1).integers(0, 4, 189)
    written = {name: np.repeat(values, counts) for name, values in data.items()}
    formula = "low ~ age + C(race) + smoke"
    a, b = passline.fit(formula, data, weights=counts), passline.fit(formula, written)
    for one, other in zip(effects(a).values(), effects(b).values(), strict=True):
        assert (one.estimate, one.std_error) == pytest.approx((other.estimate, other.std_error), rel=1e-8)
    assert a.pseudo_r2() == pytest.approx(b.pseudo_r2(), rel=1e-10)
    grouped = table("budworm")
    shots = {"dose": np.repeat(grouped["dose"], 20), "sex": np.repeat(grouped["sex"], 20)}
    shots["y"] = np.concatenate([np.arange(20) < dead for dead in grouped["numdead"]]).astype(int)
    a = passline.fit("numdead ~ log(dose) + sex", grouped, trials="total")
    b = passline.fit("y ~ log(dose) + sex", shots)
    for one, other in zip(effects(a).values(), effects(b).values(), strict=True):
        assert (one.estimate, one.std_error) == pytest.approx((other.estimate, other.std_error), rel=1e-8)
    assert a.pseudo_r2() == pytest.approx(b.pseudo_r2(), rel=1e-10)


def test_robust_errors_and_students_t_reach_the_effects() -> None:
    data = path("budworm")
    plain = passline.fit("numdead ~ log(dose) + sex", data, trials="total").risk_difference("sex")
    fit = passline.fit("numdead ~ log(dose) + sex", data, trials="total", dispersion="estimated")
    quasi = fit.risk_difference("sex")
    assert quasi.std_error == pytest.approx(plain.std_error * np.sqrt(fit.glance()["dispersion"]), rel=1e-12)
    assert (quasi.conf_high - quasi.estimate) / quasi.std_error == pytest.approx(2.262157162740992, rel=1e-10)


def test_aliased_terms_do_not_spoil_the_errors() -> None:
    data = table("birthwt")
    data["lwt2"] = data["lwt"] * 2
    found = passline.fit("low ~ age + lwt + lwt2", data).risk_difference("age", 30, 20)
    assert found.std_error == pytest.approx(
        passline.fit("low ~ age + lwt", data).risk_difference("age", 30, 20).std_error, rel=1e-8
    )


def test_the_table_is_a_frame_of_the_data_s_library() -> None:
    import pandas

    fit = passline.fit("low ~ age + smoke", pandas.DataFrame(table("birthwt")))
    found = fit.marginal_effects(["age"], level=0.9)
    assert list(found.columns[:4]) == ["variable", "kind", "contrast", "estimate"]
    assert found["variable"].tolist() == ["age"]


def test_a_boolean_needs_no_values() -> None:
    data = table("birthwt")
    fit = passline.fit("low ~ age + smoke", {**data, "smoke": data["smoke"] == 1})
    found = fit.risk_difference("smoke")
    assert found.contrast == "TRUE - FALSE"
    assert fit.risk_difference("smoke", False, True).estimate == -found.estimate


def test_what_cannot_be_averaged_is_refused() -> None:
    fit = passline.fit(BIRTHWT, path("birthwt"))
    with pytest.raises(OptionError, match=r"no predictor 'agee'.*Did you mean 'age'"):
        fit.marginal_effects(["agee"])
    with pytest.raises(OptionError, match="say from which value to which"):
        fit.risk_difference("lwt")
    with pytest.raises(OptionError, match="has no level '7'"):
        fit.risk_difference("race", 7, 1)
    with pytest.raises(OptionError, match="the levels 1, 2, 3"):
        fit.risk_difference("race")
    with pytest.raises(OptionError, match="two finite numbers"):
        fit.risk_difference("lwt", "heavy", 100)
    with pytest.raises(OptionError, match="the level is 95"):
        fit.marginal_effects(level=95)
    with pytest.raises(DataError, match="no finite value at dose = 0"):
        passline.fit("numdead ~ log(dose)", path("budworm"), trials="total").risk_difference("dose", 1, 0)
    roots = passline.fit("y ~ sqrt(x)", {"y": [0, 1, 0, 1, 1, 0], "x": [0, 1, 2, 3, 4, 5]})
    with pytest.raises(OptionError, match="is infinite in the dictionary, row 1, where it is 0"):
        roots.marginal_effects()


@pytest.mark.filterwarnings("ignore::passline.errors.SeparationWarning")
def test_a_separated_fit_has_no_average_effects_but_its_limits_have_pseudo_r2() -> None:
    fit = passline.fit("HG ~ NV + PI + EH", path("endometrial"))
    with pytest.raises(OptionError, match="separated"):
        fit.marginal_effects()
    assert 0 < fit.pseudo_r2()["mcfadden"] < 1
    perfect = passline.fit("passed ~ hours", path("lesson")).pseudo_r2()
    assert perfect == pytest.approx({"mcfadden": 1, "nagelkerke": 1, "tjur": 1, "cox_snell": perfect["cox_snell"]})


def test_a_penalised_fit_has_effects_without_errors() -> None:
    fit = passline.fit("low ~ age + smoke", path("birthwt"), penalty=passline.Penalty(l2=0.01))
    found = fit.risk_difference("smoke")
    assert 0 < found.estimate < 1
    assert np.isnan(found.std_error)
    assert found.as_json()["conf_low"] is None


def test_pseudo_r2_of_birthwt_and_mroz_are_r_s() -> None:
    """pscl::pR2 (McFadden, r2ML, r2CU) and the difference of mean fitted values (Tjur 2009)."""
    found = passline.fit(BIRTHWT, path("birthwt")).pseudo_r2()
    expected = {"mcfadden": 0.141666008423, "cox_snell": 0.161297906558, "nagelkerke": 0.226830927643}
    assert found == pytest.approx({**expected, "tjur": 0.167061738378}, rel=1e-8)
    fit = passline.fit("lfp ~ k5 + k618 + age + wc + hc + lwg + inc", path("mroz"))
    assert fit.pseudo_r2()["mcfadden"] == pytest.approx(0.1208846112, rel=1e-9)


def test_sampling_weights_leave_only_tjur_s() -> None:
    found = passline.fit("low ~ age + smoke", path("birthwt"), sampling_weights="lwt").pseudo_r2()
    assert 0 < found.pop("tjur") < 1
    assert all(np.isnan(value) for value in found.values())


def test_a_loaded_model_says_that_it_needs_its_rows(tmp_path: Path) -> None:
    passline.fit("low ~ age", path("birthwt")).save(tmp_path / "m.json")
    loaded = passline.load(tmp_path / "m.json")
    for ask in (loaded.marginal_effects, loaded.pseudo_r2, lambda: loaded.risk_difference("age", 30, 20)):
        with pytest.raises(OptionError, match=r"needs the rows of the fit.*with_rows\(data\)"):
            ask()
