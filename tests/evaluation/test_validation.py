"""Honest figures against the fits written out by hand, and on noise, where nothing can be predicted."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import passline
from passline.errors import SeparationWarning
from passline.evaluation.classification import Rule
from passline.evaluation.discrimination import ranked
from passline.evaluation.measures import MEASURES, OVER_BINS, Part, measures
from passline.evaluation.refits import Refit
from passline.evaluation.resampling import bootstrap_sample, folds
from passline.evaluation.scored import Scored
from passline.evaluation.scores import Binning
from passline.evaluation.validation import Again, cross_validated, optimism

BIRTHWT = passline.datasets.path("birthwt")
FORMULA = "low ~ age + lwt + C(race) + smoke"


def rows_of(fit: passline.Fit) -> tuple[Scored, Refit]:
    assert fit.rows is not None
    sample = fit.rows.sample
    estimator = fit.model.estimator
    penalty = passline.Penalty(l2=fit.model.settings["l2"]) if fit.model.settings["l2"] else None
    return Scored.of(fit.rows.outcome.eta, sample.y, sample.weight, sample.cluster), Refit(sample, estimator, penalty)


@pytest.mark.parametrize(
    "options", [{}, {"estimator": "firth"}, {"penalty": passline.Penalty(l2=0.01)}], ids=["ml", "firth", "ridge"]
)
def test_a_refit_on_weights_is_the_fit_of_the_rows_written_out(options: dict[str, Any]) -> None:
    import pandas as pd

    table = pd.read_csv(BIRTHWT)
    fit = passline.fit(FORMULA, table, **options)
    scored, refit = rows_of(fit)
    s, f = bootstrap_sample(scored, np.random.default_rng(3))
    eta, separated = refit(s, f)
    again = passline.fit(FORMULA, table.loc[np.repeat(table.index, (s + f).astype(int))], **options)
    assert not separated
    assert eta == pytest.approx(again.predict(table, scale="logit"), abs=1e-8)


def test_a_refit_of_separated_rows_says_what_the_limit_says_of_every_row() -> None:
    x = np.array([1.0, 2, 3, 4, 5, 6])
    fit = passline.fit("y ~ x", {"x": x, "y": [0, 0, 1, 0, 1, 1]})
    scored, refit = rows_of(fit)
    kept = np.array([1.0, 1, 0, 0, 1, 1])
    eta, separated = refit(scored.successes * kept, scored.failures * kept)
    assert separated
    with pytest.warns(SeparationWarning):
        again = passline.fit("y ~ x", {"x": x[kept > 0], "y": scored.successes[kept > 0]})
    expected = again.predict({"x": x}, scale="logit")
    assert np.array_equal(eta, expected, equal_nan=True)
    assert np.isnan(eta[2:4]).all()


def test_cross_validation_is_a_fit_without_each_fold_that_then_predicts_it() -> None:
    import pandas as pd

    table = pd.read_csv(BIRTHWT)
    scored, refit = rows_of(passline.fit(FORMULA, table))
    found = cross_validated(scored, Again(refit, Rule(), Binning()), 5, np.random.default_rng(7)).figures
    eta = np.empty(len(table))
    for s, f in folds(scored, 5, np.random.default_rng(7)):
        out = s + f > 0
        eta[out] = passline.fit(FORMULA, table[~out]).predict(table[out], scale="logit")
    whole = Scored.of(eta, scored.successes)
    expected = measures([Part(whole, ranked(whole), 0.5)], Binning()).figures
    for name in set(MEASURES) - {"auc"}:  # which compares pairs within a fold only
        assert found[name] == pytest.approx(expected[name], rel=1e-6), name
    assert found["auc"] == pytest.approx(expected["auc"], abs=0.02)


def test_optimism_is_the_mean_of_what_a_sample_flatters_over_the_rows() -> None:
    scored, refit = rows_of(passline.fit(FORMULA, BIRTHWT))
    found = optimism(scored, Again(refit, Rule(), Binning()), 10, np.random.default_rng(8)).figures
    generator, gaps = np.random.default_rng(8), []
    for _ in range(10):
        s, f = bootstrap_sample(scored, generator)
        eta, _ = refit(s, f)
        own, test = Scored(eta, s, f).real(), Scored(eta, scored.successes, scored.failures)
        a, b = (measures([Part(one, ranked(one), 0.5)], Binning()).figures for one in (own, test))
        gaps.append([a[name] - b[name] for name in MEASURES])
    for name, gap in zip(MEASURES, np.mean(gaps, axis=0), strict=True):
        assert np.isnan(found[name]) if name in OVER_BINS else found[name] == pytest.approx(gap), name


def noise(n: int, p: int, seed: int) -> Mapping[str, Any]:
    generator = np.random.default_rng(seed)
    return {f"x{j}": generator.normal(size=n) for j in range(p)} | {"y": np.arange(n) % 2}


def test_where_nothing_can_be_predicted_honest_figures_say_so_and_apparent_ones_do_not() -> None:
    found = [passline.fit("y ~ .", noise(100, 8, seed)).evaluate(bootstrap=50).measures for seed in range(8)]
    apparent, crossed, corrected = (
        np.mean([one["auc"][kind] for one in found]) for kind in ("apparent", "cross_validated", "corrected")
    )
    assert apparent > 0.65
    assert crossed == pytest.approx(0.5, abs=0.06)
    assert corrected < 0.6
    slopes = [one["calibration_slope"]["cross_validated"] for one in found]
    assert np.mean(slopes) < 0.5


def test_a_threshold_that_rows_choose_is_chosen_again_in_every_refit() -> None:
    fit = passline.fit("y ~ .", noise(60, 5, 1))
    found = fit.evaluate(threshold="youden", bootstrap=40)
    gain = {
        kind: found.measures["sensitivity"][kind] + found.measures["specificity"][kind] - 1
        for kind in ("apparent", "cross_validated", "corrected")
    }
    assert gain["apparent"] > 0.2
    assert gain["cross_validated"] < gain["apparent"] - 0.1
    assert gain["corrected"] < gain["apparent"] - 0.1
    assert found.decision.conf_low < found.decision.threshold < found.decision.conf_high


def test_clusters_are_held_out_whole() -> None:
    """Each cluster's own predictor repeats its outcome; a row's siblings would give it away."""
    generator = np.random.default_rng(2)
    g = np.repeat(np.arange(12), 10)
    y = np.repeat(generator.permutation(12) % 2, 10)
    y = np.where(generator.random(120) < 0.1, 1 - y, y)
    table = {"g": g, "h": [f"c{k}" for k in g], "y": y}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clustered = passline.fit("y ~ h", table, cluster="g").evaluate(bootstrap=0)
        single = passline.fit("y ~ h", table).evaluate(bootstrap=0)
    assert single.measures["auc"]["cross_validated"] > 0.8
    assert clustered.measures["auc"]["cross_validated"] == pytest.approx(0.5, abs=0.15)


def test_separated_refits_are_counted_and_said() -> None:
    with pytest.warns(SeparationWarning):
        fit = passline.fit("HG ~ NV + PI + EH", passline.datasets.path("endometrial"))
    found = fit.evaluate(folds=5, bootstrap=10)
    assert any(note.startswith("5 of 5 refits (folds) are separated") for note in found.notes)
    assert any("calibration intercepts and slope do not exist" in note for note in found.notes)
