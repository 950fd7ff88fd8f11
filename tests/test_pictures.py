"""Every picture of every kind of fit: drawn, or said why not; names are only text, and files are whole."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes

import passline
from drawn import quiet, table, texts
from passline import datasets
from passline.assessment import Evaluation
from passline.errors import OptionError
from passline.show.pictures.style import shown
from passline.show.plots import new_axes, write

BIRTHWT = "low ~ age + log(lwt) + C(race) + smoke"


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


def test_terms_without_a_number_are_shown_as_what_they_are(fits: dict[str, passline.Fit]) -> None:
    separated = fits["separated"].plot.coefficients()
    assert [label.get_text() for label in separated.get_yticklabels()] == ["NV", "PI", "EH"]
    assert "infinite: separated" in texts(separated)
    both = fits["separated everywhere"]
    assert both.model.terms.status == ("infinite", "infinite")
    assert {"infinite: separated", "zero in the limit: separated"} <= set(texts(both.plot.coefficients(intercept=True)))
    names = {"a": [1, 2, 3, 4, 5, 6], "b": [2, 1, 4, 3, 6, 5], "y": [0, 0, 0, 1, 1, 1]}
    assert "  undetermined: separated" in texts(quiet("y ~ a + b", names).plot.coefficients())
    tiny = quiet("y ~ a", {"a": [1e-9, 2e-9, 3e-9, 4e-9], "y": [0, 1, 0, 1]})
    assert any("beyond the axis: a coefficient of 9.08e+08" in text for text in texts(tiny.plot.coefficients()))
    assert any("aliased" in text for text in texts(fits["rank-deficient"].plot.coefficients()))
    assert any("penalised" in text for text in texts(fits["ridge"].plot.coefficients()))
    wide = quiet("y ~ g", {"g": [f"g{i % 60:02}" for i in range(1200)], "y": [i * i % 7 % 2 for i in range(1200)]})
    ax = wide.plot.coefficients()
    assert len(ax.get_yticklabels()) == 50
    assert any("50 of 59 terms" in text for text in texts(ax))


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
