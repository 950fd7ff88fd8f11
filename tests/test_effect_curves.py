"""The numbers of effects on the probability: against predictions, sums written out, and differences of the average."""

from __future__ import annotations

import math

import numpy as np
import pytest

import passline
from passline import datasets
from passline.effect_curves import over_own_rows
from passline.errors import DataError, DataWarning, NoRowsError, OptionError, SeparationWarning

Table = dict[str, list[object]]
FORMULA = "low ~ age * smoke + log(lwt) + C(race)"


@pytest.fixture(scope="module")
def birthwt() -> passline.Fit:
    return passline.fit(FORMULA, datasets.path("birthwt"))


@pytest.fixture(scope="module")
def table() -> Table:
    frame = datasets.load("birthwt")
    return {name: list(frame[name]) for name in ("low", "age", "smoke", "lwt", "race")}


def test_held_at_it_is_the_prediction_with_its_interval(birthwt: passline.Fit) -> None:
    at = {"race": 2, "smoke": 1, "lwt": 120}
    found = birthwt.effect_curve("age", at=at, level=0.9)
    x = list(found.values)
    held = {name: [value] * len(x) for name, value in at.items()}
    p, low, high = birthwt.predict({"age": x, **held}, interval="wald", level=0.9)
    np.testing.assert_allclose(found.probability, p, rtol=1e-13)
    np.testing.assert_allclose(found.conf_low, low, rtol=1e-11)
    np.testing.assert_allclose(found.conf_high, high, rtol=1e-11)
    assert (x[0], x[-1]) == (14.0, 45.0)
    assert found.held == {"race": 2.0, "smoke": 1.0, "lwt": 120.0}
    assert found.method == "at"


def test_a_category_has_its_levels_in_their_order_and_a_yes_or_no_two_values(birthwt: passline.Fit) -> None:
    race = birthwt.effect_curve("race")
    assert (race.kind, race.values) == ("category", ("1", "2", "3"))
    assert race.held["age"] == pytest.approx(np.mean(datasets.load("birthwt")["age"]))
    assert birthwt.effect_curve("smoke").values == (0.0, 1.0)
    assert birthwt.effect_curve("race", [3, "1"]).values == ("3", "1")


@pytest.mark.parametrize("variable", ["age", "lwt", "smoke", "race"])
def test_an_average_is_that_of_predictions_with_the_column_replaced(
    birthwt: passline.Fit, table: Table, variable: str
) -> None:
    found = birthwt.effect_curve(variable, averaged=True)
    assert (found.rows, found.rows_of) == (189, 189)
    for value, p in zip(found.values, found.probability, strict=True):
        replaced = {**table, variable: [float(value)] * 189}
        assert p == pytest.approx(float(np.mean(birthwt.predict(replaced))), rel=1e-12)


def test_the_error_of_an_average_is_that_of_its_numerical_gradient(birthwt: passline.Fit, table: Table) -> None:
    found = birthwt.effect_curve("age", [20.0, 40.0], averaged=True)
    model, w = birthwt.model, birthwt.model.coef
    for i, value in enumerate((20.0, 40.0)):
        groups, _ = model.groups(model.frame({**table, "age": [value] * 189}))
        X = model.times(groups, 189, np.eye(len(w)))

        def average(coef: np.ndarray, X: np.ndarray = X) -> float:
            return float(np.mean(1 / (1 + np.exp(-X @ coef))))

        step = 1e-6 * np.sqrt(np.diagonal(model.covariance))
        ends = [average(w + d) - average(w - d) for d in np.diag(step)]
        gradient = np.array(ends) / (2 * step)
        error = math.sqrt(gradient @ model.covariance @ gradient)
        assert found.std_error[i] == pytest.approx(error, rel=1e-6)
        p = found.probability[i]
        reach = 1.959963984540054 * error / (p * (1 - p))
        low, high = (1 / (1 + math.exp(-(math.log(p / (1 - p)) + sign * reach))) for sign in (-1, 1))
        assert (found.conf_low[i], found.conf_high[i]) == pytest.approx((low, high), rel=1e-6)


def test_the_average_at_two_values_differs_by_the_risk_difference(birthwt: passline.Fit) -> None:
    found = birthwt.effect_curve("smoke", averaged=True)
    assert found.probability[1] - found.probability[0] == pytest.approx(birthwt.risk_difference("smoke").estimate)


def test_another_table_is_averaged_over_without_an_outcome_and_its_weights_count(table: Table) -> None:
    weighted = {**table, "n": [1 + i % 3 for i in range(189)]}
    fit = passline.fit("low ~ age + smoke", weighted, weights="n")
    other = {name: weighted[name][:50] for name in ("age", "smoke", "n")}
    found = fit.effect_curve("age", [30], averaged=True, data=other)
    p = fit.predict({"age": [30.0] * 50, "smoke": other["smoke"]})
    assert found.probability[0] == pytest.approx(float(np.average(p, weights=other["n"])), rel=1e-12)
    own = fit.effect_curve("age", [30], averaged=True)
    p = fit.predict({"age": [30.0] * 189, "smoke": table["smoke"]})
    assert own.probability[0] == pytest.approx(float(np.average(p, weights=weighted["n"])), rel=1e-12)
    other["smoke"] = [None] * 50
    with pytest.raises(NoRowsError, match="no row"):
        fit.effect_curve("age", averaged=True, data=other)
    with pytest.raises(DataError, match="smoke"):
        fit.effect_curve("age", averaged=True, data={"age": [3, 4]})


def test_a_long_table_is_averaged_over_rows_spread_over_it_and_says_how_many(birthwt: passline.Fit) -> None:
    assert birthwt.rows is not None
    some = over_own_rows(birthwt.rows, 40)
    assert (some.rows.size, len(some.weight), some.of) == (40, 40, 189)
    from passline.effect_curves import effect_averaged

    found = effect_averaged(birthwt.model, "age", some)
    assert found.notes == ("averaged over 40 of 189 rows, evenly spread over the table",)
    every = birthwt.effect_curve("age", averaged=True)
    assert 0 < np.abs(found.probability - every.probability).max() < 0.1


def test_rows_that_repeat_and_an_offset_count_as_written_out() -> None:
    x, g = np.repeat([0.0, 1.0, 2.0, 3.0], 600), np.tile(["a", "b"], 1200)
    y = (np.random.default_rng(1).random(2400) < 1 / (1 + np.exp(1 - x))).astype(int)
    fit = passline.fit("y ~ x + g", {"x": x, "g": g, "y": y})
    assert fit.model.rows["patterns"] < 20
    found = fit.effect_curve("g", averaged=True)
    for level, p in zip(found.values, found.probability, strict=True):
        assert p == pytest.approx(float(np.mean(fit.predict({"x": x, "g": [level] * 2400}))), rel=1e-12)
    shift = np.linspace(-1, 1, 2400)
    fit = passline.fit("y ~ x", {"x": x, "y": y, "o": shift}, offset="o")
    found = fit.effect_curve("x", [2.0], averaged=True)
    eta = fit.coef["(Intercept)"] + 2 * fit.coef["x"] + shift
    assert found.probability[0] == pytest.approx(float(np.mean(1 / (1 + np.exp(-eta)))), rel=1e-12)
    assert fit.effect_curve("x").notes == ("the offset is held at 0",)


def test_a_separated_fit_has_limiting_probabilities_without_an_interval() -> None:
    with pytest.warns(SeparationWarning):
        fit = passline.fit("HG ~ NV + PI + EH", datasets.path("endometrial"))
    for averaged in (False, True):
        found = fit.effect_curve("NV", averaged=averaged)
        assert found.probability[1] == 1.0
        assert 0 < found.probability[0] < 1
        assert np.isnan(found.conf_low).all()
        assert any("limiting" in note for note in found.notes)


def test_penalised_and_rank_deficient_fits_say_what_they_lack(table: Table) -> None:
    ridge = passline.fit("low ~ age + smoke", table, penalty=passline.Penalty(l2=0.1))
    for averaged in (False, True):
        found = ridge.effect_curve("age", averaged=averaged)
        assert np.isnan(found.std_error).all()
        assert np.isfinite(found.probability).all()
        assert found.notes == ("the fit is penalised, so the probabilities have no interval",)
    doubled = {**table, "months": [12 * float(str(age)) for age in table["age"]]}
    fit = passline.fit("low ~ age + months", doubled)
    found = fit.effect_curve("age", averaged=True)
    assert np.isfinite(found.conf_low).all()
    assert "repeats others" in fit.effect_curve("months").notes[0]


def test_a_model_without_an_intercept_or_with_one_level_has_effects() -> None:
    data = {"x": [1.0, 2, 3, 4, 5, 6], "g": ["a"] * 6, "y": [0, 1, 0, 1, 1, 0]}
    fit = passline.fit("y ~ 0 + x", data)
    found = fit.effect_curve("x", [2.0], averaged=True)
    assert found.probability[0] == pytest.approx(float(fit.predict({"x": [2.0]})[0]))
    with pytest.warns(DataWarning, match="every row"):
        fit = passline.fit("y ~ x + g", data)
    found = fit.effect_curve("g", averaged=True)
    assert found.values == ("a",)
    assert found.probability[0] == pytest.approx(0.5)


def test_a_category_of_many_levels_shows_the_most_frequent() -> None:
    generator = np.random.default_rng(0)
    g = generator.integers(0, 40, 4000)
    fit = passline.fit("y ~ g", {"g": [f"l{i:02}" for i in g], "y": (generator.random(4000) < 0.5).astype(int)})
    found = fit.effect_curve("g")
    rare = np.argsort(-np.bincount(g), kind="stable")[30:]
    assert len(found.values) == 30
    assert not {f"l{i:02}" for i in rare} & set(found.values)
    assert found.notes == ("the 30 most frequent of 40 levels",)


def test_what_the_model_does_not_have_is_refused(birthwt: passline.Fit) -> None:
    with pytest.raises(OptionError, match="no predictor 'weight'"):
        birthwt.effect_curve("weight")
    with pytest.raises(OptionError, match="no level '9'"):
        birthwt.effect_curve("race", [9])
    with pytest.raises(OptionError, match="finite"):
        birthwt.effect_curve("age", ["old"])
    with pytest.raises(OptionError, match="give one of them"):
        birthwt.effect_curve("age", at={"smoke": 1}, averaged=True)
    with pytest.raises(OptionError, match="averaged=True"):
        birthwt.effect_curve("age", data=datasets.path("birthwt"))
    with pytest.raises(OptionError, match="1,000"):
        birthwt.effect_curve("age", [])
    loaded = passline.Fit(birthwt.model)
    with pytest.raises(OptionError, match="needs the rows of the fit"):
        loaded.effect_curve("age", averaged=True)
    found = loaded.effect_curve("age", averaged=True, data=datasets.path("birthwt"))
    np.testing.assert_allclose(found.probability, birthwt.effect_curve("age", averaged=True).probability, rtol=1e-12)


def test_the_document_of_a_curve_has_null_where_there_is_no_number() -> None:
    with pytest.warns(SeparationWarning):
        fit = passline.fit("passed ~ hours", datasets.path("lesson"))
    told = fit.effect_curve("hours", [1, 2.5, 3]).as_json()
    assert [row["probability"] for row in told["curve"]] == [0.0, None, 1.0]
    assert told["curve"][0]["conf_low"] is None
    assert told["variable"] == "hours"
