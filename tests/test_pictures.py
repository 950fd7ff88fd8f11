"""Pictures as data: what is drawn are the numbers of the measures, for every kind of fit, and names are only text."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.container import BarContainer, ErrorbarContainer
from scipy.stats import binomtest

import passline
from passline import datasets
from passline.assessment import Evaluation
from passline.errors import OptionError, PasslineWarning
from passline.evaluation.binned_residuals import binned_residuals
from passline.evaluation.pointwise import share_interval
from passline.show.pictures.style import shown
from passline.show.plots import loss_curve, new_axes, write

BIRTHWT = "low ~ age + log(lwt) + C(race) + smoke"


def table(name: str) -> dict[str, list[object]]:
    frame = datasets.load(name)
    return {column: list(frame[column]) for column in frame}


def quiet(formula: str, data: object, **options: object) -> passline.Fit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PasslineWarning)
        return passline.fit(formula, data, **options)  # type: ignore[arg-type]  # options of many types


@pytest.fixture(scope="module")
def birthwt() -> passline.Fit:
    return passline.fit(BIRTHWT, datasets.path("birthwt"))


def doubled() -> dict[str, list[object]]:
    data = table("birthwt")
    return {**data, "months": [12 * float(str(age)) for age in data["age"]]}


def odd_names() -> dict[str, list[object]]:
    data = table("birthwt")
    return {
        "l$o_w$": ["$x^2$" if value else "no\x07" for value in data["low"]],
        "\u202eage $\\frac{1$": data["age"],
        "<b>" + "n" * 500: data["lwt"],
        'quote"\n\t': [f"$\\sqrt{value}$" if value == 1 else f"\u200f{value}\x00" for value in data["race"]],
    }


FITS: dict[str, Callable[[], passline.Fit]] = {
    "ordinary": lambda: quiet(BIRTHWT, datasets.path("birthwt")),
    "one predictor": lambda: quiet("passed ~ hours", datasets.path("students")),
    "separated": lambda: quiet("HG ~ NV + PI + EH", datasets.path("endometrial")),
    "separated everywhere": lambda: quiet("passed ~ hours", datasets.path("lesson")),
    "trials": lambda: quiet("numdead ~ log(dose) * sex", datasets.path("budworm"), trials="total"),
    "weighted": lambda: quiet("low ~ age", {**table("birthwt"), "n": [i % 3 for i in range(189)]}, weights="n"),
    "clustered": lambda: quiet("low ~ age", {**table("birthwt"), "g": [i % 30 for i in range(189)]}, cluster="g"),
    "categories": lambda: quiet("survived ~ sex * passengerClass", datasets.path("titanic")),
    "rank-deficient": lambda: quiet("low ~ age + months + smoke", doubled()),
    "firth": lambda: quiet("HG ~ NV + PI + EH", datasets.path("endometrial"), estimator="firth"),
    "ridge": lambda: quiet(BIRTHWT, datasets.path("birthwt"), penalty=passline.Penalty(l2=0.1)),
    "profile": lambda: quiet("HG ~ NV + EH", datasets.path("endometrial"), interval="profile"),
    "odd names": lambda: quiet("`l$o_w$` ~ .", odd_names()),
}
REFUSED = {
    ("curve", "categories"): "no predictor that is a number",
    ("influence", "separated everywhere"): "no row has an influence",
    ("influence", "separated"): "no row has an influence",
    ("influence", "profile"): "no row has an influence",
    ("influence", "ridge"): "no row has an influence",
    ("loss", "separated everywhere"): "every row is separated",
    ("roc", "separated everywhere"): None,
}


@cache
def measured(fit: passline.Fit) -> Evaluation:
    return fit.evaluate(folds=0, bootstrap=0, bins=10, binning="quantile")


KINDS: dict[str, Callable[[passline.Fit, Axes | None], Axes]] = {
    "curve": lambda fit, ax: fit.plot.curve(ax=ax),
    "effect": lambda fit, ax: fit.plot.effect(ax=ax),
    "averaged": lambda fit, ax: fit.plot.effect(averaged=True, ax=ax),
    "coefficients": lambda fit, ax: fit.plot.coefficients(ax=ax),
    "roc": lambda fit, ax: fit.plot.roc(measured(fit), ax=ax),
    "precision_recall": lambda fit, ax: fit.plot.precision_recall(measured(fit), ax=ax),
    "calibration": lambda fit, ax: fit.plot.calibration(measured(fit), ax=ax),
    "gains": lambda fit, ax: fit.plot.gains(measured(fit), ax=ax),
    "lift": lambda fit, ax: fit.plot.gains(measured(fit), lift=True, ax=ax),
    "residuals": lambda fit, ax: fit.plot.residuals(ax=ax),
    "influence": lambda fit, ax: fit.plot.influence(ax=ax),
    "loss": lambda fit, ax: fit.plot.loss(ax=ax),
}


@pytest.fixture(scope="module")
def fits() -> dict[str, passline.Fit]:
    return {name: make() for name, make in FITS.items()}


def texts(ax: Axes) -> list[str]:
    found = [*ax.texts, ax.title, ax.xaxis.label, ax.yaxis.label, *ax.get_xticklabels(), *ax.get_yticklabels()]
    found += [ax._left_title]  # type: ignore[attr-defined]  # matplotlib gives no other way to its properties
    legend = ax.get_legend()
    return [text.get_text() for text in [*found, *(legend.get_texts() if legend else [])] if text.get_text()]


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_picture_of_every_kind_of_fit_is_drawn_on_the_axes_given_or_says_why_not(
    kind: str, fits: dict[str, passline.Fit]
) -> None:
    for name, fit in fits.items():
        ax = new_axes((6, 4))
        reason = REFUSED.get((kind, name))
        if reason:
            with pytest.raises(OptionError, match=reason):
                KINDS[kind](fit, ax)
            continue
        assert KINDS[kind](fit, ax) is ax, name
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing from")
            ax.figure.set_layout_engine("none")
            ax.figure.draw_without_rendering()  # every text is laid out, and no mathematics is met in a name
        for text in texts(ax):
            assert "$" not in text.replace(r"\$", ""), (name, text)
            assert all(c.isprintable() or c == "\n" for c in text), (name, text)
            assert len(text) < 500, (name, text)


def test_a_name_is_shown_as_text_with_what_is_not_seen_written_out() -> None:
    assert shown("a $x$ b") == r"a \$x\$ b"
    assert shown("a\x07\u202eb\n") == "a\\x07\\u202eb\\n"
    assert shown("n" * 500, 30) == "n" * 17 + "..." + "n" * 10
    assert shown("\u5b66\u751f") == "\u5b66\u751f"


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


def test_terms_without_a_number_are_shown_as_what_they_are(fits: dict[str, passline.Fit]) -> None:
    separated = fits["separated"].plot.coefficients()
    assert [label.get_text() for label in separated.get_yticklabels()] == ["NV", "PI", "EH"]
    assert "infinite: separated" in texts(separated)
    both = fits["separated everywhere"]
    assert both.model.terms.status == ("infinite", "infinite")
    assert {"infinite: separated", "zero in the limit: separated"} <= set(texts(both.plot.coefficients(intercept=True)))
    names = {"a": [1, 2, 3, 4, 5, 6], "b": [2, 1, 4, 3, 6, 5], "y": [0, 0, 0, 1, 1, 1]}
    assert "undetermined: separated" in texts(quiet("y ~ a + b", names).plot.coefficients())
    tiny = quiet("y ~ a", {"a": [1e-9, 2e-9, 3e-9, 4e-9], "y": [0, 1, 0, 1]})
    assert any("beyond the axis: a coefficient of 9.08e+08" in text for text in texts(tiny.plot.coefficients()))
    assert any("aliased" in text for text in texts(fits["rank-deficient"].plot.coefficients()))
    assert any("penalised" in text for text in texts(fits["ridge"].plot.coefficients()))
    wide = quiet("y ~ g", {"g": [f"g{i % 60:02}" for i in range(1200)], "y": [i * i % 7 % 2 for i in range(1200)]})
    ax = wide.plot.coefficients()
    assert len(ax.get_yticklabels()) == 50
    assert any("50 of 59 terms" in text for text in texts(ax))


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


def test_a_separated_curve_shows_the_gap_and_no_boundary(fits: dict[str, passline.Fit]) -> None:
    ax = fits["separated everywhere"].plot.curve()
    assert "separated: any value from 2 to 3" in texts(ax)
    assert not [line for line in ax.lines if line.get_linewidth() == 5]
    offsets = next(c.get_offsets() for c in ax.collections)
    np.testing.assert_array_equal(np.asarray(offsets), [[1, 0], [2, 0], [3, 1]])


def test_clusters_and_sampling_weights_have_no_band_and_say_so(fits: dict[str, passline.Fit]) -> None:
    for ax in (fits["clustered"].plot.roc(), fits["clustered"].plot.calibration()):
        assert "no independent trials" in " ".join(ax.get_title(loc="left").split())
        assert not [c for c in ax.collections if "interval" in str(c.get_label())]


def test_a_loaded_model_draws_what_needs_no_rows_and_the_rest_of_a_table(birthwt: passline.Fit, tmp_path: Path) -> None:
    birthwt.save(tmp_path / "model.json")
    loaded = passline.load(tmp_path / "model.json")
    data = datasets.path("birthwt")
    for kind in ("curve", "effect", "coefficients"):
        KINDS[kind](loaded, None)
    for draw in (
        loaded.plot.roc,
        loaded.plot.precision_recall,
        loaded.plot.gains,
        loaded.plot.calibration,
        loaded.plot.residuals,
        loaded.plot.influence,
        loaded.plot.loss,
    ):
        with pytest.raises(OptionError, match="keeps none: give"):
            draw()
        with_rows = draw(data)
        assert with_rows.lines
    other = {name: column[::2] for name, column in table("birthwt").items()}
    with pytest.raises(OptionError, match="not those of the fit"):
        loaded.plot.influence(other)
    assert "on another table (95 rows)" in loaded.plot.roc(other).get_title(loc="left")
    assert "apparent" in loaded.plot.roc(data).get_title(loc="left")


def test_the_same_picture_gives_the_same_bytes_and_whole_files(birthwt: passline.Fit, tmp_path: Path) -> None:
    ends = {"svg": b"</svg>\n", "pdf": b"%%EOF\n", "png": b"IEND\xaeB`\x82"}
    for ending, end in ends.items():
        files = [tmp_path / f"{i}.{ending}" for i in (1, 2)]
        for file in files:
            write(birthwt.plot.coefficients(), file)
        assert files[0].read_bytes() == files[1].read_bytes()
        assert files[0].read_bytes().endswith(end)


def test_one_outcome_or_no_predictor_is_said_not_drawn(birthwt: passline.Fit) -> None:
    one = {
        name: [v for v, low in zip(column, table("birthwt")["low"], strict=True) if low == 1]
        for name, column in table("birthwt").items()
    }
    for draw in (birthwt.plot.roc, birthwt.plot.precision_recall, birthwt.plot.gains):
        assert "only one outcome" in " ".join(draw(one).get_title(loc="left").split())
    birthwt.plot.calibration(one)
    alone = passline.fit("low ~ 1", datasets.path("birthwt"))
    for draw in (alone.plot.effect, alone.plot.effects):
        with pytest.raises(OptionError, match="no predictor"):
            draw()
    with pytest.raises(OptionError, match="intercept=True"):
        alone.plot.coefficients()
    assert alone.plot.coefficients(intercept=True).lines
