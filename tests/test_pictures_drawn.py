"""Pictures as data: what is drawn are the numbers of the measures, read back from what was drawn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from matplotlib.container import BarContainer, ErrorbarContainer
from scipy.stats import binomtest

import passline
from drawn import quiet, table, texts
from passline import datasets
from passline.errors import OptionError
from passline.evaluation.binned_residuals import binned_residuals
from passline.evaluation.pointwise import share_interval
from passline.show.plots import loss_curve, new_axes

BIRTHWT = "low ~ age + log(lwt) + C(race) + smoke"


@pytest.fixture(scope="module")
def birthwt() -> passline.Fit:
    return passline.fit(BIRTHWT, datasets.path("birthwt"))


def test_exact_intervals_of_shares_are_those_of_clopper_and_pearson() -> None:
    s, n = np.array([0.0, 3.0, 10.0, 7.0]), np.array([5.0, 10.0, 10.0, 0.0])
    low, high = share_interval(s, n, 0.9)
    for i in range(3):
        exact = binomtest(int(s[i]), int(n[i])).proportion_ci(0.9, method="exact")
        assert (low[i], high[i]) == pytest.approx((exact.low, exact.high), abs=1e-12)
    assert math.isnan(low[3])
    with pytest.raises(OptionError):
        share_interval(s, n, 1.5)


def test_the_roc_curve_has_the_area_of_the_measure_and_the_band_of_its_counts(birthwt: passline.Fit) -> None:
    ax = birthwt.plot.roc()
    drawn = max(ax.lines, key=lambda line: len(line.get_xdata()))
    x, y = np.asarray(drawn.get_xdata()), np.asarray(drawn.get_ydata())
    assert float(np.trapezoid(y, x)) == pytest.approx(birthwt.glance()["auc_apparent"], abs=1e-12)
    (band,) = ax.collections
    edges = band.get_paths()[0].vertices
    positives = 59
    for height in np.unique(y)[[3, 20, -2]]:
        exact = binomtest(round(height * positives), positives).proportion_ci(0.95, method="exact")
        assert np.abs(edges[:, 1] - exact.low).min() < 1e-9
        assert np.abs(edges[:, 1] - exact.high).min() < 1e-9
    told = " ".join(ax.get_title(loc="left").split())
    assert f"apparent AUC {birthwt.glance()['auc_apparent']:.3f}" in told
    assert "cross-validated 0." in told
    assert "apparent: on the rows of the fit (189 rows)" in told
    point = next(line for line in ax.lines if line.get_color() == "red")
    decided = birthwt.evaluate(folds=0, bootstrap=0).measures
    assert point.get_ydata()[0] == pytest.approx(decided["sensitivity"]["apparent"])
    assert point.get_xdata()[0] == pytest.approx(1 - decided["specificity"]["apparent"])


def test_precision_and_recall_have_the_average_precision_of_the_measure(birthwt: passline.Fit) -> None:
    ax = birthwt.plot.precision_recall()
    drawn = max(ax.lines, key=lambda line: len(line.get_xdata()))
    recall, precision = np.asarray(drawn.get_xdata()), np.asarray(drawn.get_ydata())
    found = birthwt.evaluate(folds=0, bootstrap=0)
    average = float(np.diff(recall, prepend=0.0) @ precision)
    assert average == pytest.approx(found.measures["average_precision"]["apparent"], abs=1e-12)
    base = [line for line in ax.lines if line.get_label().startswith("the rate of")]
    assert base[0].get_ydata()[0] == pytest.approx(59 / 189)


def test_gains_are_shares_found_and_lift_their_ratio_to_chance(birthwt: passline.Fit) -> None:
    rows = birthwt.evaluate(folds=0, bootstrap=0).curve()
    called = (np.array(rows["true_positives"]) + np.array(rows["false_positives"]))[::-1] / 189
    won = np.array(rows["true_positives"])[::-1] / 59
    drawn = max(birthwt.plot.gains().lines, key=lambda line: line.get_linewidth())
    np.testing.assert_allclose(drawn.get_xdata(), called)
    np.testing.assert_allclose(drawn.get_ydata(), won)
    drawn = max(birthwt.plot.gains(lift=True).lines, key=lambda line: line.get_linewidth())
    np.testing.assert_allclose(drawn.get_ydata(), won[1:] / called[1:])


def test_calibration_shows_the_bins_of_the_measure_their_exact_intervals_and_every_row(birthwt: passline.Fit) -> None:
    half = {name: column[::2] for name, column in table("birthwt").items()}
    other = {name: column[1::2] for name, column in table("birthwt").items()}
    fit = quiet("low ~ age + lwt + smoke", half)
    found = fit.evaluate(other, bins=8, binning="quantile", bootstrap=0)
    for ax in (fit.plot.calibration(found), fit.plot.calibration(other, bins=8)):
        bins = found.bins
        (dots,) = [line for line in ax.lines if "bins of equal" in str(line.get_label())]
        np.testing.assert_allclose(dots.get_xdata(), bins.predicted)
        np.testing.assert_allclose(dots.get_ydata(), bins.observed)
        (bars,) = [c for c in ax.containers if isinstance(c, ErrorbarContainer)]
        for segment, share, weight in zip(bars[2][0].get_segments(), bins.observed, bins.weight, strict=True):
            exact = binomtest(round(share * weight), round(weight)).proportion_ci(0.95, method="exact")
            assert tuple(segment[:, 1]) == pytest.approx((exact.low, exact.high), abs=1e-9)
        slope, intercept = (found.measures[f"calibration_{name}"]["value"] for name in ("slope", "intercept"))
        (line,) = [line for line in ax.lines if "recalibrated" in str(line.get_label())]
        p, rate = (np.asarray(values)[50] for values in (line.get_xdata(), line.get_ydata()))
        assert math.log(rate / (1 - rate)) == pytest.approx(intercept + slope * math.log(p / (1 - p)))
        up, down = [c for c in ax.containers if isinstance(c, BarContainer)]
        tall = np.abs([patch.get_height() for patch in (*up, *down)])
        wins = sum(1 for value in other["low"] if value == 1)
        assert tall[:40].sum() / tall.sum() == pytest.approx(wins / len(other["low"]))
        assert "apparent" not in ax.get_title(loc="left")
    assert "apparent slope 1.000" in birthwt.plot.calibration().get_title(loc="left")


def test_coefficients_are_the_odds_ratios_of_the_table_with_their_intervals(birthwt: passline.Fit) -> None:
    ax = birthwt.plot.coefficients()
    terms = birthwt.model.terms
    assert [label.get_text() for label in ax.get_yticklabels()] == list(terms.names[1:])
    points = [line for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_allclose([p.get_xdata()[0] for p in points], terms.odds_ratio[1:])
    spans = [line for line in ax.lines if len(line.get_xdata()) == 2 and line.get_linewidth() == 2]
    np.testing.assert_allclose(
        [np.log(s.get_xdata()) for s in spans], np.stack([terms.conf_low, terms.conf_high]).T[1:]
    )
    assert "(Intercept)" in texts(birthwt.plot.coefficients(intercept=True))
    assert ax.get_xscale() == "log"


def test_binned_residuals_are_means_of_what_happened_less_the_probability(birthwt: passline.Fit) -> None:
    ax = birthwt.plot.residuals(bins=6)
    judged = birthwt.judged().scored
    p, y = 1 / (1 + np.exp(-judged.eta)), judged.successes
    order = np.argsort(p, kind="stable")
    found = binned_residuals(judged, bins=6)
    assert found.weight.sum() == 189
    start = 0
    for i, weight in enumerate(found.weight.astype(int)):
        rows = order[start : start + weight]
        start += weight
        assert found.residual[i] == pytest.approx(float(np.mean(y[rows] - p[rows])), abs=1e-12)
        assert found.along[i] == pytest.approx(float(np.mean(p[rows])))
        assert found.std_error[i] == pytest.approx(math.sqrt(float(np.sum(p[rows] * (1 - p[rows])))) / weight)
    drawn = np.concatenate([line.get_ydata() for line in ax.lines if line.get_marker() in ("o", "D")])
    np.testing.assert_allclose(np.sort(drawn), np.sort(found.residual))
    along = birthwt.plot.residuals(variable="age")
    assert along.get_xlabel() == "age"
    with pytest.raises(OptionError, match="no predictor"):
        birthwt.plot.residuals(variable="nothing")
    with pytest.raises(OptionError, match="1 to"):
        birthwt.plot.residuals(bins=0)


def test_influence_shows_leverage_and_standardised_residuals_and_names_the_largest(birthwt: passline.Fit) -> None:
    ax = birthwt.plot.influence()
    said = birthwt.augment()
    hat, distance, pearson = (np.asarray(said[name]) for name in (".hat", ".cooksd", ".pearson"))
    (dots,) = ax.collections
    at = np.asarray(dots.get_offsets())
    order = np.argsort(-distance, kind="stable")
    np.testing.assert_allclose(at[:, 0], hat[order])
    np.testing.assert_allclose(at[:, 1], (pearson / np.sqrt(1 - hat))[order])
    assert ax.texts[0].get_text() == f"line {order[0] + 2}"
    assert len(ax.texts) == 5


def test_the_loss_is_that_of_each_pass_down_to_the_likelihood(birthwt: passline.Fit) -> None:
    ax = birthwt.plot.loss()
    drawn = max(ax.lines, key=lambda line: line.get_linewidth())
    losses = np.asarray(drawn.get_ydata())
    assert losses[0] == pytest.approx(math.log(2))
    assert losses[-1] == pytest.approx(-birthwt.glance()["log_likelihood"] / 189, rel=1e-12)
    assert (np.diff(losses) <= 1e-12).all()
    ax = loss_curve([0.7, 0.5, 0.4], [0.8, 0.6, 0.55], ax=new_axes())
    assert [list(line.get_ydata()) for line in ax.lines] == [[0.7, 0.5, 0.4], [0.8, 0.6, 0.55]]
    with pytest.raises(OptionError, match="fit first"):
        loss_curve([])
    with pytest.raises(OptionError, match="no row of numbers"):
        loss_curve(["a"])


def test_effects_draw_the_numbers_of_the_effect_curve_and_one_panel_a_predictor(birthwt: passline.Fit) -> None:
    found = birthwt.effect_curve("age", averaged=True)
    ax = birthwt.plot.effect("age", averaged=True)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), found.probability)
    assert "averaged over 189 rows" in ax.get_title(loc="left")
    ax = birthwt.plot.effect("race")
    (bars,) = [c for c in ax.containers if isinstance(c, ErrorbarContainer)]
    found = birthwt.effect_curve("race")
    ends = np.array([segment[:, 1] for segment in bars[2][0].get_segments()])
    np.testing.assert_allclose(ends, np.stack([found.conf_low, found.conf_high]).T)
    axes = birthwt.plot.effects()
    assert [ax.get_xlabel() for ax in axes] == ["age", "lwt", "race", "smoke"]
    assert len({ax.figure for ax in axes}) == 1
    assert len(birthwt.plot.effects(["smoke"], at={"age": 20, "smoke": 1})) == 1
    generator = np.random.default_rng(3)
    many = {f"x{i}": generator.normal(size=200) for i in range(14)}
    axes = quiet("y ~ .", {**many, "y": generator.integers(0, 2, 200)}).plot.effects()
    assert len(axes) == 12
    assert "the first 12 of 14 predictors" in axes[0].figure.get_suptitle()


def test_the_curve_shows_the_boundary_with_its_interval_and_a_rug(birthwt: passline.Fit) -> None:
    fit = passline.fit("passed ~ hours", datasets.path("students"))
    ax = fit.plot.curve()
    found = fit.boundary("hours")
    (bar,) = [line for line in ax.lines if line.get_linewidth() == 5]
    np.testing.assert_allclose(bar.get_xdata(), [found.conf_low, found.conf_high])
    assert any(text.startswith("95 % interval: 1.796 to 3.709") for text in texts(ax))
    ticks = [line for line in ax.lines if line.get_marker() == "|" and len(line.get_xdata()) > 1]
    assert sum(len(line.get_xdata()) for line in ticks) == 20
    assert not [line for line in fit.plot.curve(rows="none").lines if len(line.get_xdata()) == 10]
    loaded = passline.Fit(fit.model)
    assert not loaded.plot.curve().get_title(loc="left")
    with pytest.raises(OptionError, match="rug needs the rows"):
        loaded.plot.curve(rows="rug")
    with pytest.raises(OptionError, match="choose one of"):
        loaded.plot.curve(rows="all")  # type: ignore[arg-type]  # a word that is none
    far = birthwt.plot.curve("lwt")
    assert any("beyond the data" in text for text in texts(far))


def test_a_label_longer_than_its_axis_is_broken_into_lines():
    name = "the time that a person has waited for an answer, in working days, from the day on which it was asked"
    fit = passline.fit(f"y ~ `{name}`", {name: [1.0, 2, 3, 4, 5, 6], "y": [0, 1, 0, 1, 0, 1]})
    ax = fit.plot.curve()
    figure = ax.get_figure(root=True)
    figure.canvas.draw()
    ends = ax.xaxis.label.get_window_extent()
    assert "\n" in ax.get_xlabel()
    assert ends.width <= figure.bbox.width
