"""The curve as data: its line, band, dots and mark are those of the model; files are whole or not there."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import passline
from passline import datasets
from passline.errors import MissingDependencyError, OptionError, SeparationWarning
from passline.show.plots import new_axes, write


@pytest.fixture(scope="module")
def students() -> passline.Fit:
    return passline.fit("passed ~ hours", datasets.path("students"))


def test_the_curve_is_the_models_probability_and_marks_its_boundary(students: passline.Fit) -> None:
    ax = students.plot.curve("hours")
    curve, line, *marks = sorted(ax.lines, key=lambda drawn: -len(drawn.get_xdata()))
    x, p = np.asarray(curve.get_xdata()), np.asarray(curve.get_ydata())
    np.testing.assert_array_equal(p, students.predict({"hours": x}))
    assert x[0] < 0.5
    assert x[-1] > 5.5
    half = next(drawn for drawn in (line, *marks) if list(drawn.get_ydata()) == [0.5, 0.5])
    assert half.get_color() == "red"
    point = next(drawn for drawn in marks if len(drawn.get_xdata()) == 1)
    assert point.get_xdata()[0] == pytest.approx(students.boundary("hours").estimate, rel=1e-9)
    assert ax.texts[0].get_text() == "0.5 at 2.71"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("hours", "Probability of passed = 1")


def test_the_band_is_the_interval_of_the_predictions(students: passline.Fit) -> None:
    ax = students.plot.curve("hours", level=0.8)
    (band,) = [c for c in ax.collections if c.get_label().startswith("80 %")]
    edge = band.get_paths()[0].vertices
    x = edge[:, 0]
    _, low, high = students.predict({"hours": x}, interval="wald", level=0.8)
    off = np.minimum(np.abs(edge[:, 1] - low), np.abs(edge[:, 1] - high))
    assert off.max() < 1e-9


def test_the_dots_are_shares_of_the_rows_of_the_fit(students: passline.Fit) -> None:
    ax = students.plot.curve()
    (dots,) = [c for c in ax.collections if not c.get_label().endswith("probability")]
    shares = np.asarray(dots.get_offsets())[:, 1]
    summary = students.model.summaries["hours"]
    assert sum(summary["count"]) == 20
    assert sum(summary["positive"]) == 10
    assert ((shares >= 0) & (shares <= 1)).all()
    assert shares[0] == 0.0
    assert shares[-1] == 1.0


def test_the_other_predictors_are_held_and_named_in_the_title() -> None:
    fit = passline.fit("low ~ age + lwt + C(race) + smoke", datasets.path("birthwt"))
    ax = fit.plot.curve("lwt", at={"race": 2, "smoke": 1, "age": 30})
    curve = max(ax.lines, key=lambda drawn: len(drawn.get_xdata()))
    x = np.asarray(curve.get_xdata())
    held = {"race": [2] * len(x), "smoke": [1] * len(x), "age": [30] * len(x)}
    np.testing.assert_array_equal(curve.get_ydata(), fit.predict({"lwt": x, **held}))
    title = ax.get_title(loc="left")
    for text in ("age = 30", "race = 2", "smoke = 1"):
        assert text in title
    assert fit.plot.curve().get_xlabel() == "age"


def test_a_curve_stays_where_its_function_has_values() -> None:
    fit = passline.fit("passed ~ log(hours)", datasets.path("students"))
    curve = max(fit.plot.curve("hours").lines, key=lambda drawn: len(drawn.get_xdata()))
    assert min(curve.get_xdata()) > 0
    assert np.isfinite(np.asarray(curve.get_ydata(), dtype=float)).all()


def test_a_separated_or_penalised_fit_has_a_curve_without_a_band() -> None:
    with pytest.warns(SeparationWarning):
        separated = passline.fit("passed ~ hours", datasets.path("lesson"))
    ridge = passline.fit("passed ~ hours", datasets.path("lesson"), penalty=passline.Penalty(l2=0.1))
    for fit in (separated, ridge):
        ax = fit.plot.curve()
        assert not [c for c in ax.collections if c.get_label().endswith("probability")]
        assert ax.get_legend() is None


def test_a_constant_predictor_has_a_curve_of_some_width() -> None:
    fit = passline.fit("y ~ a + b", {"a": [1, 2, 3, 4, 5, 6], "b": [5] * 6, "y": [0, 1, 0, 1, 1, 0]})
    low, high = fit.plot.curve("b").get_xlim()
    assert low < 5 < high


def test_a_model_of_categories_alone_has_no_curve() -> None:
    fit = passline.fit("y ~ g", {"g": list("aabbaabb"), "y": [0, 1, 0, 1, 1, 1, 0, 0]})
    with pytest.raises(OptionError, match="no predictor that is a number"):
        fit.plot.curve()
    with pytest.raises(OptionError, match="category"):
        fit.plot.curve("g")


def test_axes_that_are_given_are_drawn_on_and_given_back(students: passline.Fit) -> None:
    ax = new_axes()
    assert students.plot.curve(ax=ax) is ax


def test_a_picture_is_whole_or_not_there(students: passline.Fit, tmp_path: Path) -> None:
    ax = students.plot.curve()
    for ending in ("png", "SVG", "pdf"):
        write(ax, tmp_path / f"curve.{ending}")
        assert (tmp_path / f"curve.{ending}").stat().st_size > 5000
    with pytest.raises(OptionError, match=r"\.png"):
        write(ax, tmp_path / "curve.gif")
    with pytest.raises(OptionError, match="does not exist"):
        write(ax, tmp_path / "nowhere" / "curve.png")
    assert len(list(tmp_path.iterdir())) == 3


def test_without_matplotlib_the_message_says_what_to_install(
    students: passline.Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'passline\[plot\]'"):
        students.plot.curve()
