"""Influence, residuals and augment: R's numbers on known tables, and the same from counts as from rows written out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import passline
from passline.errors import OptionError
from passline.inference.influence import dfbeta, dfbetas, leverage
from passline.inference.residuals import residuals

# R 4.2.2, glm with epsilon 1e-14: hatvalues, cooks.distance, rstandard of the first rows. R takes the weights from
# before its last step, so that six digits agree.
R_ROWS = {
    "birthwt": (
        [0.1030301742711, 0.0455469371704, 0.0281840767904, 0.0771074676993, 0.0679025952774],
        [0.005483715452356, 0.000819168595973, 0.001444250067587, 0.009341515483655, 0.007853515474259],
        [-0.891481236437, -0.563855290626, -0.901287150392, -1.239505871223, -1.221670836173],
    ),
    "kyphosis": (
        [0.0651586467410, 0.0360874082844, 0.0667641664723, 0.1333439778241, 0.0234337178405],
        [0.00644736520102, 0.00135513960977, 0.01970838409786, 0.03749798898121, 0.00018901248906],
        [-0.797201883256, -0.520642012493, 1.231121057093, -1.188807833771, -0.249127612914],
    ),
    "orings": (
        [0.5034480171906, 0.2550745531496, 0.2066495870480, 0.0873618530638, 0.0703160909443],
        [1.98053221130913, 0.18503537033632, 0.07638828152617, 0.00541767781505, 0.01797536269989],
        [2.086667881351, -1.104073427766, -0.808945712484, 0.321782059729, -0.957740293827],
    ),
}


def fit_of(name: str) -> passline.Fit:
    table = passline.datasets.describe(name)
    return passline.fit(table.formula, passline.datasets.load(name), trials=table.trials)


def counted(seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """A table of 30 rows with overlap, and how often each row counts."""
    random = np.random.default_rng(seed)
    x, z = random.normal(size=30), random.normal(size=30)
    y = (random.random(30) < 1 / (1 + np.exp(-0.5 * x))).astype(float)
    x[:2], z[:2], y[:2] = 0.3, -0.1, [0.0, 1.0]
    x[2:4], z[2:4], y[2:4] = -2.5, 2.0, [0.0, 1.0]
    x[4:6], z[4:6], y[4:6] = 2.5, 2.5, [0.0, 1.0]
    x[6:8], z[6:8], y[6:8] = 0.0, -2.5, [0.0, 1.0]
    return {"x": x, "z": z, "y": y}, random.integers(1, 4, size=30)


@pytest.mark.parametrize("name", list(R_ROWS))
def test_leverage_cooks_distance_and_standardised_residuals_are_those_of_r(name: str) -> None:
    fit = fit_of(name)
    assert fit.rows is not None
    rows = fit.rows.by_row
    found = leverage(rows.sample, rows.outcome)
    hat, cook, standard = R_ROWS[name]
    np.testing.assert_allclose(found.hat[:5], hat, rtol=1e-6)
    np.testing.assert_allclose(found.cooks_distance[:5], cook, rtol=1e-6)
    np.testing.assert_allclose(residuals(rows.sample, rows.outcome, "standardized")[:5], standard, rtol=1e-6)
    assert found.hat.sum() == pytest.approx(rows.outcome.rank, abs=1e-10)


def test_deviance_and_pearson_residuals_are_those_of_r_on_birthwt_and_on_rows_of_trials() -> None:
    fit = fit_of("birthwt")
    np.testing.assert_allclose(fit.residuals()[:3], [-0.844308426097, -0.550864705725, -0.888495402186], rtol=1e-6)
    np.testing.assert_allclose(
        fit.residuals("pearson")[:3], [-0.654384602563, -0.404773091997, -0.695670043173], rtol=1e-6
    )
    grouped = fit_of("orings")
    np.testing.assert_allclose(grouped.residuals()[:3], [1.470400668601, -0.952915437537, -0.720529727546], rtol=1e-6)
    pearson = grouped.residuals("pearson")
    np.testing.assert_allclose(pearson[:3], [1.392814745602, -0.897266839143, -0.682144134401], rtol=1e-6)
    assert pearson @ pearson == pytest.approx(28.0673795236, rel=1e-10)  # R: sum(residuals(m, "pearson")^2)
    np.testing.assert_allclose(fit.residuals("response")[:1], [-fit.augment()[".fitted"][0]], rtol=1e-12)


def test_dfbetas_can_be_those_that_r_prints() -> None:
    """R 4.2.2, dfbetas(glm): deviance residuals over a scale estimated without the row."""
    fit = fit_of("kyphosis")
    expected = [
        [-0.2165535638071, 0.0620931504650, 0.1656753135084, 0.1069865436116],
        [-0.0091196222822, -0.0451732060038, 0.0413872236278, -0.0356507202868],
    ]
    found = fit.dfbetas(residual="deviance")
    np.testing.assert_allclose(np.array([found[name][:2] for name in fit.coef]).T, expected, rtol=1e-6)
    grouped = fit_of("orings").dfbetas(residual="deviance")
    np.testing.assert_allclose(grouped["temperature"][:3], [-2.086587109243, 0.411489196759, 0.216119759084], rtol=1e-6)
    with pytest.raises(OptionError, match="residual"):
        fit.dfbetas(residual="response")  # type: ignore[arg-type]  # the wrong word is the test


def test_dfbetas_by_default_are_one_newton_step_in_standard_errors() -> None:
    """R 4.2.2: ((X * (y - mu) / (1 - h)) %*% vcov(m)) / sqrt(diag(vcov(m))), the first row of birthwt."""
    fit = fit_of("birthwt")
    expected = [0.0469908630378, 0.0245143153739, -0.1072885925179, -0.07923415033272, 0.0222546187555]
    expected += [0.0517982042691, 0.0216070408755, 0.04780235069884, -0.13203618885576, 0.0515741981641]
    found = fit.dfbetas()
    np.testing.assert_allclose([found[name][0] for name in fit.coef], expected, rtol=1e-6)


def test_dfbeta_is_near_to_what_leaving_the_row_out_does() -> None:
    table = {name: np.array(column) for name, column in passline.datasets.load("birthwt").items()}
    whole = passline.fit("low ~ age + lwt + smoke", table)
    step = whole.dfbeta()
    for row in (0, 50, 132):
        rest = passline.fit("low ~ age + lwt + smoke", {k: np.delete(v, row) for k, v in table.items()})
        for name, value in whole.coef.items():
            error = np.sqrt(whole.covariance[0, 0]) if name == "(Intercept)" else abs(value) + 1e-3
            assert value - rest.coef[name] == pytest.approx(step[name][row], abs=0.02 * error)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_counts_give_each_unit_what_the_rows_written_out_give_it(seed: int) -> None:
    table, count = counted(seed)
    short = passline.fit("y ~ x + z", table, weights=count).rows
    long = passline.fit("y ~ x + z", {k: np.repeat(v, count) for k, v in table.items()}).rows
    assert short is not None
    assert long is not None
    a, b = leverage(short.sample, short.outcome), leverage(long.sample, long.outcome)
    pairs = [(getattr(a, name), getattr(b, name)) for name in ("hat", "se_fit", "cooks_distance")]
    pairs += [
        (dfbeta(short.sample, short.outcome), dfbeta(long.sample, long.outcome)),
        (dfbetas(short.sample, short.outcome), dfbetas(long.sample, long.outcome)),
        (dfbetas(short.sample, short.outcome, "deviance"), dfbetas(long.sample, long.outcome, "deviance")),
    ]
    pairs += [
        (residuals(short.sample, short.outcome, kind), residuals(long.sample, long.outcome, kind))
        for kind in ("response", "pearson", "deviance", "standardized")
    ]
    for of_counts, written_out in pairs:
        np.testing.assert_allclose(np.repeat(of_counts, count, axis=0), written_out, rtol=1e-8, atol=1e-10)


def test_quantile_residuals_are_standard_normal_where_the_model_holds_and_repeat_with_their_generator() -> None:
    from scipy.stats import kstest

    random = np.random.default_rng(4)
    x, m = random.normal(size=4000), random.integers(0, 8, size=4000)
    s = random.binomial(m, 1 / (1 + np.exp(1 - x)))
    fit = passline.fit("s ~ x", {"x": x, "m": m, "s": s}, trials="m")
    z = fit.residuals("quantile")
    assert np.isnan(z[m == 0]).all()
    assert kstest(z[m > 0], "norm").pvalue > 0.01
    np.testing.assert_array_equal(z, fit.residuals("quantile", np.random.default_rng(0)))
    assert (z[m > 0] != fit.residuals("quantile", np.random.default_rng(1))[m > 0]).all()


def test_quantile_residuals_stay_finite_far_out_in_both_tails() -> None:
    x = np.concatenate([np.linspace(-300, 300, 400), [-300.0, 300.0]])
    y = np.concatenate([(x[:400] > 0).astype(float), [1.0, 0.0]])
    y[198:202] = [1, 0, 1, 0]
    z = passline.fit("y ~ 1", {"y": y}, offset=x).residuals("quantile")
    assert np.isfinite(z).all()
    assert abs(z[-1]) > 10
    assert abs(z[-2]) > 10


def test_augment_keeps_every_row_in_its_place_and_leaves_dropped_ones_without_numbers() -> None:
    data = pd.DataFrame(passline.datasets.load("titanic"))
    with pytest.warns(passline.errors.PasslineWarning, match="left out"):
        found = passline.fit("survived ~ sex + age + passengerClass", data).augment()
    assert isinstance(found, pd.DataFrame)
    assert len(found) == len(data) == 1309
    assert found["sex"].tolist() == data["sex"].tolist()
    np.testing.assert_array_equal(found["age"], data["age"])
    said = [name for name in found.columns if name.startswith(".")]
    assert said[:4] == [".fitted", ".logit", ".se_fit", ".resid"]
    gone = data["age"].isna()
    assert found.loc[gone, said].isna().all(axis=None)
    assert found.loc[~gone, said].notna().all(axis=None)


def test_augment_answers_in_the_library_of_the_data_and_knows_booleans() -> None:
    columns = {
        "y": [0, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1],
        "x": [1.0, 2.0, 2.5, 1.5, 3.0, 2.0, 1.0] * 3,
    }
    columns |= {"b": [True, False, True, False, True, True, False] * 3}
    columns["b"][0] = None  # one row of 21: under the 5 % that are warned of
    for frame, kind in ((pl.DataFrame(columns), pl.DataFrame), (pa.table(columns), pa.Table), (columns, dict)):
        found = passline.fit("y ~ x + b", frame).augment()
        assert isinstance(found, kind)
        flags = found["b"].to_pylist() if isinstance(found, pa.Table) else list(found["b"])
        assert flags == columns["b"]


def test_augment_of_a_separated_outcome_has_limiting_probabilities_and_no_influence() -> None:
    with pytest.warns(passline.errors.SeparationWarning):
        fit = passline.fit("HG ~ NV + PI + EH", pd.DataFrame(passline.datasets.load("endometrial")))
    found = fit.augment()
    sure = found["NV"] == 1
    assert (found.loc[sure, ".fitted"] == 1).all()
    assert (found.loc[sure, ".resid"] == 0).all()
    assert found.loc[~sure, ".fitted"].between(0, 1, inclusive="neither").all()
    assert found[[".hat", ".cooksd", ".se_fit", ".std_resid"]].isna().all(axis=None)


def test_a_penalty_leaves_residuals_and_no_influence() -> None:
    found = passline.fit(
        "low ~ age + lwt", passline.datasets.load("birthwt"), penalty=passline.Penalty(l2=0.1)
    ).augment()
    assert np.isfinite(found[".resid"]).all()
    assert np.isnan(found[".hat"]).all()


def test_a_loaded_model_says_that_it_needs_rows(tmp_path) -> None:
    fit_of("kyphosis").save(tmp_path / "m.json")
    model = passline.load(tmp_path / "m.json")
    for ask in (model.augment, model.residuals, model.dfbetas, model.vif, model.check, model.hosmer_lemeshow):
        with pytest.raises(OptionError, match="rows of the fit"):
            ask()


def test_a_kind_of_residuals_that_is_none_is_refused() -> None:
    with pytest.raises(OptionError, match="quantile"):
        fit_of("kyphosis").residuals("working")


def test_at_31_degrees_the_o_rings_of_challenger_would_have_failed() -> None:
    """Dalal, Fowlkes and Hoadley (1989); R 4.2.2: predict at 31 F gives 0.993034154788 (standard error 0.0115)."""
    fit = fit_of("orings")
    assert fit.predict({"temperature": 31})[0] == pytest.approx(0.993034154788, rel=1e-10)
    assert int(np.argmax(fit.augment()[".cooksd"])) == 0  # the coldest flight decides


def test_mroz_and_kyphosis_have_the_rows_of_most_influence_that_r_finds() -> None:
    mroz = np.array(fit_of("mroz").augment()[".cooksd"])
    assert (int(mroz.argmax()) + 1, float(mroz.max())) == (119, pytest.approx(0.0364226137174, rel=1e-6))
    assert int(np.argmax(fit_of("birthwt").augment()[".cooksd"])) + 1 == 94
