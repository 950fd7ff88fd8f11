"""Sandwich covariances against R 4.2.2 (sandwich 3.0, survey 4.1), and against rows written out."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import passline
from passline.errors import DataError, OptionError, PasslineWarning
from reference import ReferenceTable, reference_tables

# R's covariance is that of the step before its last, so that its errors carry seven digits.
DIGITS = 2e-7
KINDS = ("hc0", "hc1", "hc2", "hc3")
BUDWORM = {  # vcovHC of glm(cbind(numdead, total - numdead) ~ log(dose) + sex)
    "hc0": [0.3302365035, 0.1315450968, 0.2312458371],
    "hc1": [0.3813242684, 0.1518951940, 0.2670196926],
    "hc2": [0.3749587399, 0.1503992667, 0.2673443487],
    "hc3": [0.4266851848, 0.1725016908, 0.3098038008],
}
MENARCHE = {
    "hc0": [0.69663154271, 0.05336276785],
    "hc1": [0.72628858971, 0.05563453135],
    "hc2": [0.72547773962, 0.05558326645],
    "hc3": [0.75579569441, 0.05791766747],
}
MROZ = {  # the first five
    "hc0": [0.657736461698, 0.204863681806, 0.07171660607, 0.012763912103, 0.240462490191],
    "hc3": [0.667372675671, 0.208354867389, 0.072981753816, 0.012932395541, 0.244466098271],
}
WITH_OFFSET = {  # birthwt, low ~ age + lwt + smoke + offset(lwt / 100)
    "hc0": [1.021520671389, 0.029966991093, 0.006194573042, 0.328882066432],
    "hc1": [1.032505080446, 0.030289226068, 0.006261183269, 0.332418534416],
    "hc2": [1.03672334573, 0.03039394984, 0.00629173399, 0.33255271844],
    "hc3": [1.052222439558, 0.030829022010, 0.006390861367, 0.336279637870],
}


def path(name: str) -> Path:
    return passline.datasets.path(name)


def table(name: str) -> dict[str, Any]:
    return {column: np.array(values) for column, values in passline.datasets.load(name).items()}


def errors(*args: Any, **options: Any) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PasslineWarning)
        return passline.fit(*args, **options).model.terms.std_error


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_of_trials_is_one_unit_as_in_r_s_cbind(kind: str) -> None:
    found = errors("numdead ~ log(dose) + sex", path("budworm"), trials="total", robust=kind)
    assert found == pytest.approx(BUDWORM[kind], rel=DIGITS)
    found = errors("Menarche ~ Age", path("menarche"), trials="Total", robust=kind)
    assert found == pytest.approx(MENARCHE[kind], rel=DIGITS)


@pytest.mark.parametrize("kind", MROZ)
def test_rows_of_mroz_have_r_s_errors(kind: str) -> None:
    formula = "lfp ~ k5 + k618 + age + wc + hc + lwg + inc"
    assert errors(formula, path("mroz"), robust=kind)[:5] == pytest.approx(MROZ[kind], rel=DIGITS)


@pytest.mark.parametrize("kind", KINDS)
def test_an_offset_moves_errors_as_in_r(kind: str) -> None:
    data = table("birthwt")
    found = errors("low ~ age + lwt + smoke", data, offset=data["lwt"] / 100, robust=kind)
    assert found == pytest.approx(WITH_OFFSET[kind], rel=DIGITS)


def test_clusters_add_scores_before_they_are_squared_as_vcov_cl_does() -> None:
    formula = "lfp ~ k5 + k618 + age + wc + hc + lwg + inc"
    expected = [0.547263413244, 0.193386804423, 0.072944085611, 0.011287143218]
    expected += [0.224200893705, 0.209412119632, 0.151267904135, 0.007199665366]
    assert errors(formula, path("mroz"), cluster="age") == pytest.approx(expected, rel=DIGITS)
    expected = [0.549828438274, 0.194293208874, 0.073285974728, 0.011340046087]
    expected += [0.225251723873, 0.210393634777, 0.151976897192, 0.007233410216]
    assert errors(formula, path("mroz"), cluster="age", robust="hc1") == pytest.approx(expected, rel=DIGITS)
    pairs = np.repeat(np.arange(6), 2)
    found = errors("numdead ~ log(dose) + sex", path("budworm"), trials="total", cluster=pairs)
    assert found == pytest.approx([0.4213883273, 0.1737017769, 0.3248890750], rel=DIGITS)
    found = errors("numdead ~ log(dose) + sex", path("budworm"), trials="total", cluster=pairs, robust="hc1")
    assert found == pytest.approx([0.4658623242, 0.1920345398, 0.3591783867], rel=DIGITS)


def test_few_clusters_are_said_and_many_are_not() -> None:
    data = table("birthwt")
    with pytest.warns(PasslineWarning, match="3 clusters: robust standard errors are on average too small"):
        passline.fit("low ~ age", data, cluster="race")
    assert passline.fit("low ~ age", data, cluster=np.arange(189) // 2).warnings == ()


def test_every_row_its_own_cluster_is_hc0_times_its_factor() -> None:
    data = table("birthwt")
    alone = errors("low ~ age + lwt", data, cluster=np.arange(189))
    assert alone == pytest.approx(errors("low ~ age + lwt", data, robust="hc0") * np.sqrt(189 / 188), rel=1e-12)


def test_sampling_weights_mean_a_sandwich_that_is_svyglm_s_but_for_its_factor() -> None:
    """survey::svyglm: SE with n / (n - 1) more."""
    fit = passline.fit("low ~ age + smoke + ptl + ht + ui", path("birthwt"), sampling_weights="lwt")
    svyglm = [0.77533473876, 0.03085899517, 0.35347709180, 0.44228110915, 0.67152602275, 0.49878120627]
    assert fit.model.terms.std_error * np.sqrt(189 / 188) == pytest.approx(svyglm, rel=DIGITS)
    assert fit.model.settings["robust"] == "hc0"
    assert "Standard errors: robust (HC0)." in repr(fit)
    assert "no likelihood" in repr(fit)


def test_sampling_weights_with_clusters_are_svyglm_s_of_a_design_with_ids() -> None:
    found = errors("low ~ smoke + ptl + ht + ui", path("birthwt"), sampling_weights="lwt", cluster="age")
    svyglm = [0.2265818893, 0.3823871077, 0.3944172039, 0.6807679939, 0.4349221394]
    assert found == pytest.approx(svyglm, rel=DIGITS)


def test_only_ratios_of_sampling_weights_matter() -> None:
    data = table("birthwt")
    one = errors("low ~ age + smoke", data, sampling_weights=data["lwt"])
    assert errors("low ~ age + smoke", data, sampling_weights=data["lwt"] * 1e6) == pytest.approx(one, rel=1e-12)


def test_a_row_without_trials_changes_hc0_in_nothing_and_is_a_unit_of_hc1() -> None:
    data = table("budworm")
    longer = {name: np.concatenate([values, values[:3]]) for name, values in data.items()}
    longer["numdead"][12:] = longer["total"][12:] = 0
    formula = "numdead ~ log(dose) + sex"
    for kind, factor in (("hc0", 1.0), ("hc1", (15 / 12) / (12 / 9)), ("hc2", 1.0), ("hc3", 1.0)):
        found = errors(formula, longer, trials="total", robust=kind)
        assert found == pytest.approx(errors(formula, data, trials="total", robust=kind) * np.sqrt(factor), rel=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(KINDS), st.booleans())
def test_counts_are_the_rows_written_out(seed: int, kind: str, clustered: bool) -> None:
    rng = np.random.default_rng(seed)
    n = 40
    data = {"x": rng.normal(size=n).round(1), "g": rng.choice(["a", "b", "c"], n), "id": rng.integers(0, 9, n)}
    data["n"] = rng.integers(1, 5, n)
    data["y"] = (rng.random(n) < 1 / (1 + np.exp(-data["x"]))).astype(int)
    data["y"][:2] = 0, 1
    counts = rng.integers(0, 4, n)
    written = {name: np.repeat(values, counts) for name, values in data.items()}
    if len(set(written["y"])) < 2 or len(set(written["id"])) < 2:
        return
    extra: dict[str, Any] = {"cluster": "id"} if clustered else {}
    kind = kind if not clustered or kind in ("hc0", "hc1") else "hc0"
    a = errors("y ~ x + g", data, weights=counts, robust=kind, **extra)
    b = errors("y ~ x + g", written, robust=kind, **extra)
    assert a == pytest.approx(b, rel=1e-8, nan_ok=True)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(KINDS))
def test_errors_do_not_depend_on_scale_or_order(seed: int, kind: str) -> None:
    data = table("birthwt")
    order = np.random.default_rng(seed).permutation(189)
    other = {name: values[order] for name, values in data.items()} | {"lwt": data["lwt"][order] * 1e6 + 1e8}
    a = errors("low ~ age + lwt + smoke", data, robust=kind)
    b = errors("low ~ age + lwt + smoke", other, robust=kind)
    assert b[[1, 3]] == pytest.approx(a[[1, 3]], rel=1e-8)
    assert b[2] * 1e6 == pytest.approx(a[2], rel=1e-8)


def test_columns_kept_as_codes_give_what_columns_written_out_give(monkeypatch: pytest.MonkeyPatch) -> None:
    data = table("mroz")
    formula = "lfp ~ C(k618) + age + wc + hc + inc"
    dense = [errors(formula, data, robust=kind) for kind in KINDS] + [errors(formula, data, cluster="age")]
    monkeypatch.setattr("passline.engine.scaling.WRITE_OUT", 0)
    coded = [errors(formula, data, robust=kind) for kind in KINDS] + [errors(formula, data, cluster="age")]
    assert np.array(coded) == pytest.approx(np.array(dense), rel=1e-10, nan_ok=True)


@pytest.mark.filterwarnings("ignore::passline.errors.PasslineWarning")
def test_under_separation_finite_terms_have_errors_of_the_limiting_model() -> None:
    data = table("endometrial")
    fit = passline.fit("HG ~ NV + PI + EH", data, robust="hc3")
    kept = {name: values[data["NV"] == 0] for name, values in data.items()}
    limiting = errors("HG ~ PI + EH", kept, robust="hc3")
    found = fit.model.terms.std_error
    assert np.isnan(found[1])
    assert found[[0, 2, 3]] == pytest.approx(limiting, rel=1e-7)
    whole = passline.fit("passed ~ hours", passline.datasets.path("lesson"), robust="hc1")
    assert np.isnan(whole.model.terms.std_error).all()


def test_predictions_take_their_interval_from_the_robust_covariance() -> None:
    fit = passline.fit("low ~ age + lwt", path("birthwt"), robust="hc1")
    row = np.array([1.0, 30.0, 120.0])
    _, low, high = fit.predict({"age": 30, "lwt": 120}, scale="logit", interval="wald")
    expected = 2 * 1.959963984540054 * np.sqrt(row @ fit.covariance @ row)
    assert float(high[0] - low[0]) == pytest.approx(expected, rel=1e-12)
    assert fit.boundary("lwt", at={"age": 30}, interval="delta").std_error > 0


def test_refused() -> None:
    data = table("birthwt")
    with pytest.raises(OptionError, match="choose one of hc0, hc1, hc2, hc3"):
        passline.fit("low ~ age", data, robust="HC4")
    with pytest.raises(OptionError, match="choose 'hc0' or 'hc1'"):
        passline.fit("low ~ age", data, robust="hc3", cluster="race")
    with pytest.raises(OptionError, match="penalised estimate"):
        passline.fit("low ~ age", data, robust="hc0", penalty=passline.Penalty(l2=0.1))
    with pytest.raises(DataError, match="one cluster"):
        passline.fit("low ~ age", data, cluster=np.ones(189))


@pytest.mark.filterwarnings("ignore::passline.errors.PasslineWarning")
def test_a_leverage_of_one_is_refused_where_it_would_be_divided_by() -> None:
    data = {"s": [3, 4, 6, 2], "m": [10, 10, 10, 10], "g": ["a", "b", "b", "b"]}
    assert np.isfinite(errors("s ~ g", data, trials="m", robust="hc1")).all()
    with pytest.raises(OptionError, match="hc3 divides by one minus the leverage"):
        passline.fit("s ~ g", data, trials="m", robust="hc3")


REFERENCE = [
    reference for reference in reference_tables() if (reference.expected.get("r_glm") or {}).get("std_error_hc0")
]


@pytest.mark.parametrize("reference", REFERENCE, ids=lambda reference: reference.name)
def test_hc0_has_five_digits_of_r_on_every_reference_table(reference: ReferenceTable) -> None:
    expected = np.array(reference.expected["r_glm"]["std_error_hc0"], dtype=float)
    found = errors(reference.formula, reference.columns(), robust="hc0")
    there = np.isfinite(expected)
    error = np.abs(found - expected)[there] / np.maximum(np.abs(expected[there]), 1e-8)
    assert -np.log10(max(error.max(), 1e-17)) >= 5


def test_the_command_takes_robust_and_cluster_and_refuses_two_kinds_of_weights(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from passline.cli import run

    data = str(path("mroz"))
    assert run(["fit", data, "lfp ~ k5 + inc", "--robust", "hc1", "--cluster", "age", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["terms"][1]["std_error"]
    assert found == pytest.approx(errors("lfp ~ k5 + inc", data, robust="hc1", cluster="age")[1], rel=1e-12)
    assert run(["fit", str(path("budworm")), "numdead ~ sex", "--trials", "total", "--dispersion", "estimated"]) == 0
    assert "with the dispersion 9.739 of the rows; t on 10 df" in capsys.readouterr().out
    both = ["--weights", "k618", "--sampling-weights", "inc"]
    assert run(["fit", data, "lfp ~ k5", *both]) == 2
    assert "exclude each other" in capsys.readouterr().err
    assert run(["fit", data, "lfp ~ k5", "--cluster", "nobody"]) == 2
    assert "no column 'nobody'" in capsys.readouterr().err
