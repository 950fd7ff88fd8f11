"""Fits under an l1 penalty, from a formula: zeros that say so, a gap, and nothing that breaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import passline
from passline import Penalty, datasets
from passline.errors import OptionError

Floats = NDArray[np.float64]

BIRTHWT = "low ~ age + lwt + smoke + C(race) + ptl + ht + ui + ftv"
TERMS = 9


@pytest.fixture(scope="module")
def lasso() -> passline.Fit:
    return passline.fit(BIRTHWT, datasets.path("birthwt"), penalty=Penalty(l1=0.02))


def objective(fit: passline.Fit, data: Any, penalty: Penalty, coef: Floats) -> float:
    """From the definition: mean loss + l1 |w|_1 + l2 / 2 |w|_2^2, the intercept free."""
    moved = coef - fit.model.coef
    eta = fit.predict(data, scale="logit") + (design_of(data) @ moved if moved.any() else 0.0)
    loss = np.mean(np.logaddexp(0, eta) - data["y"] * eta)
    return float(loss + penalty.l1 * np.abs(coef[1:]).sum() + penalty.l2 / 2 * np.square(coef[1:]).sum())


def design_of(data: Any) -> Floats:
    return np.column_stack([np.ones(len(data["a"])), data["a"], data["b"], data["c"]])


def small(n: int = 300) -> dict[str, Floats]:
    rng = np.random.default_rng(2)
    data = {"a": rng.normal(size=n), "b": 100 * rng.normal(size=n) + 700, "c": rng.normal(size=n) / 50}
    eta = data["a"] + (data["b"] - 700) / 200
    data["y"] = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    return data


@pytest.mark.parametrize("penalty", [Penalty(l1=0.01), Penalty(l1=0.003, l2=0.05), Penalty(0.05)])
def test_the_objective_is_least_on_the_columns_as_given(penalty: Penalty) -> None:
    data = small()
    fit = passline.fit("y ~ a + b + c", data, penalty=penalty)
    best = objective(fit, data, penalty, fit.model.coef)
    for j, scale in enumerate((1.0, 1.0, 0.01, 50.0)):
        for step in (-1e-3, 1e-3):
            moved = fit.model.coef.copy()
            moved[j] += step * scale
            assert objective(fit, data, penalty, moved) > best
    # b has the larger unit, so that its coefficient costs little; c the smaller, so that it is not worth having.
    assert fit.model.terms.status == ("ok", "ok", "ok", "zero")


def test_a_term_that_is_zero_says_so_and_has_no_inference(lasso: passline.Fit) -> None:
    terms = {row["term"]: row for row in lasso.as_json()["terms"]}
    zeros = [row for row in terms.values() if row["status"] == "zero"]
    assert 2 <= len(zeros) < TERMS
    assert all(row["estimate"] == 0.0 and row["odds_ratio"] == 1.0 for row in zeros)
    for row in terms.values():
        assert row["status"] in ("ok", "zero")
        for name in ("std_error", "statistic", "p_value", "conf_low", "conf_high", "limit"):
            assert row[name] is None
    assert (lasso.model.coef != 0).sum() == lasso.glance()["rank"] == TERMS + 1 - len(zeros)
    assert lasso.glance()["aic"] is None


def test_the_certificate_holds_the_gap(lasso: passline.Fit) -> None:
    proof = lasso.certificate
    assert proof.converged
    assert 0 <= proof.gap < 1e-8
    assert proof.gradient_norm <= 1e-9
    # The gap bounds what is left of the log-likelihood, and so the step in standard errors.
    assert proof.max_step_in_se == pytest.approx(np.sqrt(2 * 189 * proof.gap))
    assert passline.fit("low ~ age", datasets.path("birthwt"), penalty=Penalty(l2=0.1)).certificate.gap is None


def test_what_a_person_reads_shows_the_zeros(lasso: passline.Fit) -> None:
    shown = repr(lasso)
    zeros = lasso.model.terms.status.count("zero")
    assert f"Lasso penalty l1 = 0.02 a row: no standard errors, p-values or intervals. {zeros} of {TERMS}" in shown
    assert "duality gap" in shown
    mixed = repr(passline.fit("low ~ age", datasets.path("birthwt"), penalty=Penalty(l1=0.01, l2=0.1)))
    assert "Elastic net, l1 = 0.01, l2 = 0.1 a row" in mixed


def test_a_model_file_keeps_the_zeros_and_meets_its_rows_again(lasso: passline.Fit, tmp_path: Path) -> None:
    lasso.save(tmp_path / "m.json")
    loaded = passline.load(tmp_path / "m.json")
    assert loaded.as_json() == lasso.as_json()
    assert loaded.model.penalty == Penalty(l1=0.02)
    again = loaded.with_rows(datasets.path("birthwt"))
    assert again.rows is not None
    np.testing.assert_array_equal(again.rows.outcome.coef, lasso.model.coef)


def test_the_largest_penalty_leaves_the_exact_log_odds() -> None:
    fit = passline.fit(BIRTHWT, datasets.path("birthwt"), penalty=Penalty(l1=1e6))
    assert set(fit.model.terms.status[1:]) == {"zero"}
    assert fit.model.coef[0] == pytest.approx(np.log(59 / 130), rel=1e-15)
    assert fit.glance()["deviance"] == pytest.approx(fit.glance()["null_deviance"], rel=1e-14)
    found = fit.predict(datasets.path("birthwt"), interval="wald")
    assert isinstance(found, tuple)
    p, low, high = found
    np.testing.assert_allclose(p, 59 / 189)
    assert np.isnan(low).all()
    assert np.isnan(high).all()


def test_separation_and_more_columns_than_rows_are_no_trouble() -> None:
    x = np.arange(8.0)
    fit = passline.fit("y ~ x", {"x": x, "y": (x > 3.5) * 1.0}, penalty=Penalty(l1=1e-3))
    assert fit.separation.kind == "none"
    assert 0 < fit.model.coef[1] < 20
    rng = np.random.default_rng(0)
    data = {f"x{j}": rng.normal(size=12) for j in range(30)} | {"y": np.arange(12) % 2.0}
    wide = passline.fit("y ~ .", data, penalty=Penalty(l1=0.02))
    assert wide.certificate.converged
    assert 0 < (wide.model.coef[1:] != 0).sum() <= 12


def test_categories_kept_as_codes_and_rows_held_once_give_the_same_answer() -> None:
    rng = np.random.default_rng(1)
    n = 6_000
    level = rng.integers(0, 200, n)
    data = {
        "g": np.array([f"g{k:03d}" for k in level]),
        "x": rng.integers(0, 4, n).astype(float),
        "y": (rng.random(n) < 1 / (1 + np.exp(-np.where(level < 20, 1.5, 0.0)))).astype(float),
    }
    kept = passline.fit("y ~ g + x", data, penalty=Penalty(l1=2e-4))
    assert kept.certificate.converged
    # Written out, by the definition: the gradient of the mean loss is the penalty, or below it.
    p = kept.predict(data)
    r = p - data["y"]
    gradient = np.array([r[level == k].sum() / n for k in range(1, 200)])
    coef = kept.model.coef[1:200]
    assert 10 < (coef == 0).sum() < 199
    assert (np.abs(gradient[coef == 0]) <= 2e-4 + 1e-9).all()
    np.testing.assert_allclose(gradient[coef != 0], -2e-4 * np.sign(coef[coef != 0]), atol=1e-9)
    assert abs(r.mean()) < 1e-9


def test_counts_of_rows_are_rows_and_trials_are_trials() -> None:
    data = small(60)
    weight = np.where(np.arange(60) % 3 == 0, 3.0, 1.0)
    often = {name: np.repeat(values, weight.astype(int)) for name, values in data.items()}
    a = passline.fit("y ~ a + b + c", data, weights=weight, penalty=Penalty(l1=0.01))
    b = passline.fit("y ~ a + b + c", often, penalty=Penalty(l1=0.01))
    np.testing.assert_allclose(a.model.coef, b.model.coef, rtol=1e-6, atol=1e-9)


def test_evaluation_refits_under_the_same_penalty(lasso: passline.Fit) -> None:
    from passline.evaluation.refits import Refit

    assert lasso.rows is not None
    sample = lasso.rows.sample
    eta, separated = Refit(sample, penalty=lasso.model.penalty)(
        sample.weight * sample.y, sample.weight * (1 - sample.y)
    )
    assert not separated
    np.testing.assert_allclose(eta, lasso.rows.outcome.eta, atol=1e-7)


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"estimator": "firth"}, "leave l1 and l2 out"),
        ({"solver": "newton"}, "solver of its own"),
        ({"interval": "profile"}, "no profile intervals"),
        ({"robust": "hc0"}, "no standard errors"),
    ],
)
def test_what_does_not_go_with_a_penalty_is_refused(more: dict[str, Any], match: str) -> None:
    with pytest.raises(OptionError, match=match):
        passline.fit("low ~ age", datasets.path("birthwt"), penalty=Penalty(l1=0.1), **more)


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_a_penalty_that_is_none_is_refused(value: float) -> None:
    with pytest.raises(OptionError, match="the penalty l1 is"):
        Penalty(l1=value)


def test_questions_without_an_answer_under_a_penalty_say_so(lasso: passline.Fit) -> None:
    with pytest.raises(OptionError, match=r"penalised \(l1 = 0.02\)"):
        lasso.compare(passline.fit("low ~ age", datasets.path("birthwt")))
    found = lasso.boundary("lwt")
    assert np.isfinite(found.estimate)
    assert np.isnan(found.std_error)
