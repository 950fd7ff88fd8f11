"""`Fit.evaluate`: whose rows they are, what is left out, what is said, what is refused."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars
import pytest

import passline
from passline import datasets
from passline.errors import DataError, NoRowsError, OptionError, SeparationWarning
from passline.show.evaluation import evaluation_text

BIRTHWT = pd.read_csv(datasets.path("birthwt"))
FORMULA = "low ~ age + lwt + C(race) + smoke"
# The table is sorted by its outcome, so that halves take every other row.
FIT = passline.fit(FORMULA, BIRTHWT[::2])
NEW = BIRTHWT[1::2]
QUICK: dict[str, int] = {"folds": 3, "bootstrap": 10}


@pytest.fixture
def loaded(tmp_path: Path) -> passline.Fit:
    FIT.save(tmp_path / "model.json")
    return passline.load(tmp_path / "model.json")


def about(notes: tuple[str, ...], text: str) -> bool:
    return any(text in note for note in notes)


def test_on_other_rows_a_figure_is_a_value_and_the_area_has_delongs_interval() -> None:
    found = FIT.evaluate(NEW)
    assert not found.own_rows
    assert list(found.measures["auc"]) == ["value", "conf_low", "conf_high"]
    auc = found.measures["auc"]
    assert auc["conf_low"] < auc["value"] < auc["conf_high"]
    p, y = FIT.predict(NEW), NEW["low"].to_numpy()
    assert found.measures["brier"]["value"] == pytest.approx(((p - y) ** 2).mean())
    assert found.decision.confusion.true_positives == ((p >= 0.5) & (y == 1)).sum()
    assert "AUC" in repr(found)


def test_on_the_rows_of_the_fit_a_figure_is_apparent_and_has_no_interval() -> None:
    found = FIT.evaluate(**QUICK)
    assert found.own_rows
    assert list(found.measures["auc"]) == ["apparent", "cross_validated", "optimism", "corrected"]
    assert found.measures["auc"]["apparent"] == pytest.approx(FIT.glance()["auc_apparent"])
    for figures in found.measures.values():
        if not math.isnan(figures["corrected"]):
            assert figures["corrected"] == pytest.approx(figures["apparent"] - figures["optimism"])
    text = repr(found)
    assert "apparent" in text
    assert "interval" not in text


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)], ids=["in their order", "in another"])
def test_a_table_that_is_the_one_of_the_fit_is_known_by_its_rows(loaded: passline.Fit, order: slice) -> None:
    for fit in (FIT, loaded):
        found = fit.evaluate(BIRTHWT[::2][order], **QUICK)
        assert found.own_rows
        assert not math.isnan(found.measures["auc"]["cross_validated"])


def test_a_loaded_model_finds_what_the_fit_itself_finds(loaded: passline.Fit) -> None:
    assert loaded.evaluate(BIRTHWT[::2], **QUICK).as_json() == FIT.evaluate(**QUICK).as_json()
    assert loaded.evaluate(NEW).as_json() == FIT.evaluate(NEW).as_json()


def test_a_table_of_the_same_size_with_one_other_value_is_another_table(loaded: passline.Fit) -> None:
    other = BIRTHWT[::2].copy()
    other.iloc[0, other.columns.get_loc("lwt")] += 1
    assert not loaded.evaluate(other).own_rows


def test_rows_that_were_part_of_the_fit_are_suspected() -> None:
    assert about(FIT.evaluate(BIRTHWT[::2][:40]).notes, "most of these rows")
    assert not about(FIT.evaluate(NEW).notes, "most of these rows")


def test_a_separated_fit_knows_its_rows_by_their_hash(tmp_path: Path) -> None:
    table = {"hours": [1.0, 2, 3], "passed": [0, 0, 1]}
    with pytest.warns(SeparationWarning):
        fit = passline.fit("passed ~ hours", table)
    fit.save(tmp_path / "m.json")
    for one in (fit, passline.load(tmp_path / "m.json")):
        assert one.evaluate(table).own_rows
        assert not one.evaluate({"hours": [0.0, 1, 4], "passed": [0, 0, 1]}).own_rows


def test_where_one_row_alone_has_an_outcome_nothing_is_called_honest() -> None:
    with pytest.warns(SeparationWarning):
        fit = passline.fit("passed ~ hours", {"hours": [1.0, 2, 3], "passed": [0, 0, 1]})
    found = fit.evaluate()
    assert all(math.isnan(figures["cross_validated"]) for figures in found.measures.values())
    assert all(math.isnan(figures["corrected"]) for figures in found.measures.values())
    assert about(found.notes, "all figures are apparent")


def test_rows_with_something_missing_are_counted_and_left_out() -> None:
    new = NEW.astype(float)
    new.iloc[:3, new.columns.get_loc("age")] = math.nan
    new.iloc[2:7, new.columns.get_loc("low")] = math.nan
    found = FIT.evaluate(new)
    assert dict(found.rows) == {
        "read": len(new),
        "used": len(new) - 7,
        "incomplete": 7,
        "weightless": 0,
        "open": 0,
        "missing_predictor": 3,
        "missing_outcome": 4,
    }
    assert found.measures["brier"] == FIT.evaluate(new[7:]).measures["brier"]
    assert "3 with a missing predictor, 4 with a missing outcome" in repr(found)


def test_rows_that_a_separated_fit_leaves_open_are_counted_and_a_wrong_certainty_costs_everything() -> None:
    with pytest.warns(SeparationWarning):
        fit = passline.fit("passed ~ hours", {"hours": [1.0, 2, 3, 4], "passed": [0, 0, 1, 1]})
    found = fit.evaluate({"hours": [0.0, 1, 2.5, 5], "passed": [1, 0, 1, 1]})
    assert found.rows["open"] == 1
    assert math.isinf(found.measures["log_loss"]["value"])
    assert found.as_json()["measures"]["log_loss"]["value"] is None
    assert about(found.notes, "the log loss is infinite")
    assert "Inf" in repr(found)


def test_one_outcome_alone_has_no_area_and_that_is_said() -> None:
    found = FIT.evaluate(NEW[NEW["low"] == 0])
    assert math.isnan(found.measures["auc"]["value"])
    assert math.isnan(found.measures["sensitivity"]["value"])
    assert found.measures["log_loss"]["value"] > 0
    assert about(found.notes, "every outcome here is low = 0")
    assert math.isnan(FIT.evaluate(NEW[NEW["low"] == 0], threshold="youden").decision.threshold)


def test_a_half_that_puts_everyone_into_one_class_is_said() -> None:
    rare = passline.fit("low ~ 1", BIRTHWT)
    found = rare.evaluate(**QUICK)
    assert about(found.notes, "at 0.5 every row is called 0 (the largest probability is 0.3122)")
    assert math.isnan(found.measures["precision"]["apparent"])
    assert not about(FIT.evaluate(NEW).notes, "every row is called")


def test_costs_set_the_threshold_and_what_a_row_costs_is_told() -> None:
    found = FIT.evaluate(NEW, cost=(1, 4))
    c = found.decision.confusion
    assert found.decision.threshold == pytest.approx(0.2)
    assert found.decision.mean_cost == pytest.approx((c.false_positives + 4 * c.false_negatives) / len(NEW))
    assert math.isnan(found.decision.conf_low)


@pytest.mark.parametrize("asked", [{"sensitivity": 0.8}, {"specificity": 0.8}, {"threshold": "youden"}])
def test_a_threshold_that_rows_chose_has_an_interval_and_is_said_to_flatter(asked: dict[str, Any]) -> None:
    found = FIT.evaluate(NEW, **asked)
    decision = found.decision
    assert decision.conf_low <= decision.threshold <= decision.conf_high
    assert about(found.notes, "was chosen on these rows")
    for name in ("sensitivity", "specificity"):
        assert found.measures[name]["value"] >= asked.get(name, 0.0)


@pytest.mark.parametrize(
    "outcome",
    [NEW["low"].astype(float), NEW["low"] == 1, NEW["low"].astype(str), NEW["low"].astype("category")],
    ids=["float", "boolean", "text", "category"],
)
def test_an_outcome_may_say_the_same_in_another_type(outcome: Any) -> None:
    assert FIT.evaluate(NEW.assign(low=outcome)).measures["auc"] == FIT.evaluate(NEW).measures["auc"]


@pytest.mark.parametrize("outcome", [NEW["low"] == 1, NEW["low"]], ids=["True and False", "0 and 1"])
def test_a_truth_may_stand_in_a_file_as_libraries_write_it(outcome: Any, tmp_path: Path) -> None:
    fit = passline.fit(FORMULA, BIRTHWT[::2].assign(low=BIRTHWT["low"] == 1))
    NEW.assign(low=outcome).to_csv(tmp_path / "new.csv", index=False)
    assert fit.evaluate(tmp_path / "new.csv").measures["auc"] == FIT.evaluate(NEW).measures["auc"]
    with pytest.raises(DataError, match="neither true nor false"):
        fit.evaluate(NEW.assign(low="perhaps"))


def test_weights_are_counts_and_rows_of_none_are_left_out() -> None:
    times = np.arange(len(NEW)) % 3
    weighted = FIT.evaluate(NEW.assign(n=times), weights="n", bootstrap=0)
    written_out = FIT.evaluate(NEW.loc[np.repeat(NEW.index, times)], bootstrap=0)
    for name, figures in weighted.measures.items():
        assert list(figures.values()) == pytest.approx(
            list(written_out.measures[name].values()), rel=1e-6, nan_ok=True
        ), name
    assert weighted.rows["weightless"] == (times == 0).sum()
    assert weighted.trials == times.sum()


def test_trials_are_rows_written_out() -> None:
    budworm = pd.read_csv(datasets.path("budworm"))
    grouped = passline.fit("numdead ~ dose + sex", budworm[::2], trials="total")
    found = grouped.evaluate(budworm[1::2], bootstrap=0)
    rows = budworm[1::2].loc[np.repeat(budworm[1::2].index, budworm[1::2]["total"])]
    dead = [int(i < k) for k, n in zip(budworm[1::2]["numdead"], budworm[1::2]["total"], strict=True) for i in range(n)]
    single = grouped.evaluate(rows.drop(columns="total").assign(numdead=dead), bootstrap=0)
    assert about(single.notes, "each row counts one trial")
    for name, figures in found.measures.items():
        assert list(figures.values()) == pytest.approx(list(single.measures[name].values()), rel=1e-6, nan_ok=True)


def test_a_row_without_a_trial_says_nothing_and_is_still_one_of_the_fit() -> None:
    table = {"y": [0, 1, 0, 2, 0, 1], "n": [0, 2, 1, 2, 1, 1], "x": [1.0, 2, 3, 4, 5, 6]}
    fit = passline.fit("y ~ x", table, trials="n")
    found = fit.evaluate(table, **QUICK)
    assert found.own_rows
    assert found.trials == 7
    assert (found.rows["used"], found.rows["weightless"]) == (5, 1)
    assert found.measures["brier"]["apparent"] == fit.evaluate(**QUICK).measures["brier"]["apparent"]
    other = fit.evaluate({"y": [0, 1, 2], "n": [0, 1, 2], "x": [1.0, 2, 4]})
    assert (other.rows["used"], other.rows["weightless"]) == (2, 1)


def test_the_offset_of_the_fit_is_part_of_the_score() -> None:
    table = BIRTHWT.assign(exposure=np.linspace(0, 1, len(BIRTHWT)))
    fit = passline.fit("low ~ lwt", table, offset="exposure")
    assert fit.evaluate(table, **QUICK).own_rows
    with pytest.raises(DataError, match="the model has an offset"):
        fit.evaluate(BIRTHWT)
    shifted = fit.evaluate(table.assign(exposure=table["exposure"] + 0.5))
    assert shifted.measures["calibration_in_the_large"]["value"] == pytest.approx(-0.5)


def test_firths_predictions_are_those_that_are_judged() -> None:
    fit = passline.fit(FORMULA, BIRTHWT[::2], estimator="firth")
    found = fit.evaluate(**QUICK)
    p, y = fit.predict(BIRTHWT[::2]), BIRTHWT[::2]["low"].to_numpy()
    assert found.own_rows
    assert found.measures["brier"]["apparent"] == pytest.approx(((p - y) ** 2).mean())
    assert found.measures["calibration_in_the_large"]["apparent"] == pytest.approx(0, abs=1e-9)
    assert fit.evaluate(BIRTHWT[::2], **QUICK).own_rows


def test_a_new_site_alone_has_figures_and_no_intervals() -> None:
    fit = passline.fit("low ~ lwt", BIRTHWT.assign(site=np.arange(len(BIRTHWT)) % 60), cluster="site")
    found = fit.evaluate(NEW.assign(site=99))
    assert math.isfinite(found.measures["auc"]["value"])
    assert all(math.isnan(figures["conf_low"]) for figures in found.measures.values())


def test_weights_that_were_an_array_are_missed_and_the_rows_of_the_fit_are_still_known(tmp_path: Path) -> None:
    fit = passline.fit("low ~ lwt", BIRTHWT, weights=np.full(len(BIRTHWT), 2))
    fit.save(tmp_path / "m.json")
    for one, refitted in ((fit, True), (passline.load(tmp_path / "m.json"), False)):
        found = one.evaluate(BIRTHWT, **QUICK)
        assert found.own_rows
        assert math.isnan(found.measures["auc"]["cross_validated"]) != refitted
        assert about(found.notes, "nothing could be refitted") != refitted
    assert not fit.evaluate(BIRTHWT.assign(low=1 - BIRTHWT["low"])).own_rows


def test_long_tables_are_refitted_only_where_that_is_asked_for() -> None:
    generator = np.random.default_rng(0)
    n = 60_000
    x = generator.normal(size=n)
    fit = passline.fit("y ~ x", {"x": x, "y": generator.random(n) < 1 / (1 + np.exp(-x))})
    found = fit.evaluate()
    assert dict(found.validation) == {"folds": 10, "bootstrap": 0, "seed": 0}
    assert found.measures["auc"]["cross_validated"] == pytest.approx(found.measures["auc"]["apparent"], abs=0.001)


def test_answers_come_as_frames_of_the_datas_library() -> None:
    found = FIT.evaluate(polars.from_pandas(NEW))
    assert isinstance(found.tidy(), polars.DataFrame)
    assert found.tidy().columns == ["measure", "value", "conf_low", "conf_high"]
    bins = FIT.evaluate(NEW, bins=4, binning="quantile").calibration()
    assert list(bins.columns) == ["low", "high", "weight", "predicted", "observed"]
    assert bins["weight"].sum() == len(NEW)


def test_the_curve_has_the_counts_of_every_threshold_and_the_area_under_it() -> None:
    found = FIT.evaluate(NEW)
    curve = found.curve()
    roc = curve.sort_values("threshold", ascending=False)
    assert np.trapezoid(roc["sensitivity"], 1 - roc["specificity"]) == pytest.approx(found.measures["auc"]["value"])
    p, y = FIT.predict(NEW), NEW["low"].to_numpy()
    for _, row in curve.iloc[::10].iterrows():
        assert row["true_positives"] == ((p >= row["threshold"]) & (y == 1)).sum()
        assert row["true_negatives"] == ((p < row["threshold"]) & (y == 0)).sum()


def test_a_long_curve_is_kept_short() -> None:
    generator = np.random.default_rng(1)
    x = generator.normal(size=5_000)
    fit = passline.fit("y ~ x", {"x": x[:500], "y": x[:500] + generator.normal(size=500) > 0})
    curve = fit.evaluate({"x": x, "y": x > 0}, bootstrap=0).curve()
    assert len(curve["threshold"]) == 1_001
    assert curve["true_positives"][0] == (x > 0).sum()
    assert curve["true_positives"][-1] == 0


@pytest.mark.parametrize("width", [20, 60, 100, 400])
def test_no_line_is_wider_than_the_terminal_or_sixty_characters(width: int) -> None:
    for found in (FIT.evaluate(NEW, cost=(1, 5)), FIT.evaluate(**QUICK)):
        assert max(map(len, evaluation_text(found, width).splitlines())) <= min(max(width, 60), 100)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"columns": ["low"]}, DataError, "has no column 'low', the outcome"),
        ({"columns": ["age", "smoke"]}, DataError, "has no columns 'age', 'smoke'"),
        ({"low": 2}, DataError, "the outcome 'low' is '2'"),
        ({"low": 0.5}, DataError, "the outcome 'low' is '0.5'"),
        ({"low": "yes"}, DataError, "the outcome 'low' is 'yes'"),
        ({"low": math.nan}, NoRowsError, "is missing in every row"),
        ({"age": math.nan}, NoRowsError, "a predictor is missing in each"),
        ({"race": 9}, DataError, "a level that was not there"),
        ({"age": math.inf}, DataError, "infinite"),
    ],
)
def test_a_table_that_cannot_be_judged_is_refused(change: dict[str, Any], error: type[Exception], text: str) -> None:
    columns = change.get("columns")
    table = NEW.drop(columns=columns) if columns else NEW.assign(**change)
    with pytest.raises(error, match=text):
        FIT.evaluate(table)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"level": 95}, "the level is 95"),
        ({"folds": 1}, "folds is 1"),
        ({"folds": 2.5}, "folds is 2.5"),
        ({"bootstrap": -1}, "bootstrap is -1"),
        ({"seed": -1}, "seed is -1"),
        ({"binning": "deciles"}, "binning is 'deciles'"),
        ({"unseen": "drop", "data": NEW}, "unseen is 'drop'"),
        ({"weights": [1, 2], "data": NEW}, "the array has shape"),
    ],
)
def test_an_option_out_of_range_is_refused(asked: dict[str, Any], text: str) -> None:
    with pytest.raises(OptionError, match=text):
        FIT.evaluate(**asked)


def test_a_loaded_model_without_a_table_says_what_it_needs(loaded: passline.Fit) -> None:
    with pytest.raises(OptionError, match="a model file keeps none"):
        loaded.evaluate()
