"""What a report says is what the fit says, and where it cannot say something it says why."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import passline
from passline.errors import DataError, NoRowsError, OptionError
from passline.facade import Fit
from passline.model import Terms
from passline.show.evaluation import figure
from passline.show.report.estimates import signed
from passline.show.report.markup import closed
from passline.table.design import learn
from passline.table.formula import parse
from passline.table.source import open_source
from report.conftest import NASTY, nasty_table, quiet

BIRTHWT = pd.read_csv(passline.datasets.path("birthwt"))
FORMULA = "low ~ age + lwt + C(race) + smoke"
FAST = {"folds": 3, "bootstrap": 0}


@pytest.fixture(scope="module")
def birthwt() -> passline.Fit:
    return passline.fit(FORMULA, passline.datasets.path("birthwt"))


def test_the_coefficient_table_is_that_of_the_model(read, birthwt):
    rows = read(birthwt, **FAST).tables["The coefficients"][1:]
    terms = birthwt.model.terms
    assert [row[0] for row in rows] == list(terms.names)
    assert [row[1] for row in rows] == [signed(value) for value in terms.odds_ratio]
    assert [row[3] for row in rows] == [signed(value) for value in terms.estimate]
    assert [row[4] for row in rows] == [signed(value) for value in terms.std_error]
    ends = [f"{signed(np.exp(a))} to {signed(np.exp(b))}" for a, b in zip(terms.conf_low, terms.conf_high, strict=True)]
    assert [row[2] for row in rows] == ends


def test_the_figures_are_those_of_evaluate_apparent_and_honest(read, birthwt):
    found = birthwt.evaluate(**FAST)
    shown = read(birthwt, **FAST)
    for caption, measures in {
        "Figures: Ranking, Probabilities": {"AUC": "auc", "log loss": "log_loss", "Brier score": "brier"},
        "Figures: Calibration": {"slope": "calibration_slope", "expected error": "expected_calibration_error"},
        "Figures: Decisions": {"accuracy": "accuracy", "MCC": "mcc"},
    }.items():
        table = {row[0]: row[1:] for row in shown.tables[caption]}
        assert table["measure"] == ["apparent", "cross-validated"]
        for name, key in measures.items():
            expected = [figure(found.measures[key][kind]) for kind in ("apparent", "cross_validated")]
            assert table[name] == [text.replace("-", "−") for text in expected]
    assert "so it flatters" in shown.text


def test_the_effects_and_the_boundary_are_those_of_the_model(read):
    fit = passline.fit("passed ~ hours", passline.datasets.path("students"))
    shown = read(fit, **FAST)
    curve = shown.tables["Probability along hours"][1:]
    for value, probability, _ in (curve[0], curve[-1]):
        assert probability == f"{fit.predict({'hours': float(value)})[0]:.4f}"
    assert shown.tables["Where the probability is one half"][0][2] == "95\N{NO-BREAK SPACE}% set"
    (row,) = shown.tables["Where the probability is one half"][1:]
    found = fit.boundary("hours")
    assert row[0] == "hours"
    assert float(row[1]) == pytest.approx(found.estimate, abs=5e-5)
    assert [float(end) for end in row[2].split(" to ")] == pytest.approx([found.conf_low, found.conf_high], abs=5e-4)


def test_a_function_without_a_value_within_the_data_leaves_its_curve_out_and_no_more(read):
    x = np.concatenate([np.linspace(-15, -1, 15), np.ones(8), np.linspace(2, 15, 7)])
    y = np.tile([0, 1, 1, 0, 1], 6)
    table = {"x": x, "z": np.sin(np.arange(30.0)), "y": y}
    shown = read(passline.fit("y ~ power(x, -1) + z", table), **FAST)
    assert "Probability along x" not in shown.tables
    assert "Probability along z" in shown.tables
    assert "Not drawn: 1 more" in shown.text
    table["x"] = np.concatenate([np.linspace(-15, -1, 15), np.linspace(1, 15, 15)])  # held at zero
    assert "No effect can be drawn" in read(passline.fit("y ~ power(x, -1) + z", table), **FAST).text


def test_a_yes_or_no_written_as_a_number_has_no_boundary(read):
    shown = read(passline.fit("low ~ lwt + smoke", BIRTHWT), **FAST)
    assert [row[0] for row in shown.tables["Where the probability is one half"][1:]] == ["lwt"]


def test_the_summary_says_what_was_asked_what_was_found_how_sure_and_what_to_distrust(read, birthwt):
    text = read(birthwt, **FAST).text
    for words in (
        "How the probability of low = 1 (against 0) is associated with age, lwt, race and smoke",
        "smoke = 1 goes, against 0, with 2.870 times the odds of low = 1",
        "These rows do not tell whether age is associated",
        "p = 0.0012",
        "Whether changing a predictor would change the outcome, no table of this kind says",
    ):
        assert words in text
    assert "causes" not in text


def test_interactions_and_curves_are_not_told_by_single_coefficients(read):
    fit = passline.fit("low ~ age * smoke + rcs(lwt, 3)", BIRTHWT)
    text = read(fit, **FAST).text
    assert "not from single coefficients: age, smoke, rcs(lwt, 3) and age:smoke" in text
    assert "one unit more of age" not in text


def test_hashes_versions_and_lines_make_the_report_reproducible(read, birthwt, tmp_path):
    shown = read(birthwt, **FAST)
    birthwt.save(tmp_path / "model.json")
    assert hashlib.sha256((tmp_path / "model.json").read_bytes()).hexdigest() in shown.text
    assert birthwt.fingerprinted().settings["data_sha256"]["age"] in shown.text
    assert passline.__version__ in shown.text
    assert np.__version__ in shown.text
    assert f"passline fit birthwt.csv '{FORMULA}' --positive 1 -o model.json" in shown.text
    assert f"passline.fit('{FORMULA}', 'birthwt.csv', positive='1')" in shown.text
    assert read(birthwt, **FAST).source == shown.source


def test_the_lines_name_tables_in_memory_by_a_word_and_say_every_option(read):
    fit = passline.fit("low ~ age", BIRTHWT, estimator="firth", level=0.9)
    shown = read(fit, BIRTHWT[:60], cost=(1, 4), title="It's")
    assert "passline fit DATA 'low ~ age' --positive 1 --estimator firth --level 0.9 -o model.json" in shown.text
    assert "passline report model.json NEW_DATA --cost 1:4 --title" in shown.text
    assert "passline.fit('low ~ age', data, positive='1', estimator='firth', level=0.9)" in shown.text
    assert "fit.report('report.html', new_data, cost=(1, 4), title=\"It's\")" in shown.text


def test_other_rows_get_intervals_and_are_named_as_such(read, birthwt):
    half = passline.fit(FORMULA, BIRTHWT[::2])
    shown = read(half, BIRTHWT[1::2])
    auc = half.evaluate(BIRTHWT[1::2]).measures["auc"]
    row = next(row for row in shown.tables["Figures: Ranking, Probabilities"] if row[0] == "AUC")
    assert row[1:] == [figure(auc["value"]), f"{figure(auc['conf_low'])} to {figure(auc['conf_high'])}"]
    assert "of another table than the fit's" in shown.text
    assert "cross-validated" not in shown.text


def test_a_loaded_model_without_rows_says_what_is_missing_and_why(read, birthwt, tmp_path):
    birthwt.save(tmp_path / "model.json")
    shown = read(passline.load(tmp_path / "model.json"))
    assert shown.text.count("This part is missing: a model file keeps no rows: give the table that the model was") == 6
    assert "The coefficients" in shown.tables
    assert "Probability along age" in shown.tables
    assert "Figures: Decisions" not in shown.tables


def test_a_loaded_model_with_its_own_table_has_everything_again(read, birthwt, tmp_path):
    birthwt.save(tmp_path / "model.json")
    in_memory = read(birthwt, **FAST)
    loaded = read(passline.load(tmp_path / "model.json"), passline.datasets.path("birthwt"), **FAST)
    assert loaded.tables == in_memory.tables


@pytest.mark.parametrize("name", ["endometrial", "lesson"])
def test_under_separation_no_number_stands_where_there_is_none(read, name):
    formula = {"endometrial": "HG ~ NV + PI + EH", "lesson": "passed ~ hours"}[name]
    fit = quiet(formula, passline.datasets.path(name))
    shown = read(fit, **FAST)
    rows = {row[0]: row for row in shown.tables["The coefficients"][1:]}
    for term in fit.separation.terms:
        limit = fit.tidy().set_index("term")["limit"][term]
        assert rows[term][1] == ("∞" if limit == "+inf" else "0")
        assert rows[term][4] == ""
    assert {"quasi": "quasi-completely separated", "complete": "completely separated"}[
        fit.separation.kind
    ] in shown.text
    assert "no row has a Cook's distance" in shown.text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"penalty": passline.Penalty(l2=0.1)}, "The fit is penalised"),
        ({"estimator": "firth"}, "Predictions use the intercept"),
        ({"robust": "hc3"}, "Standard errors: robust (HC3)"),
        ({"interval": "profile"}, "profile-likelihood intervals"),
        ({"level": 0.8}, "80 % interval"),
    ],
)
def test_what_kind_of_estimate_it_is_stands_under_the_table(read, options, words):
    assert words in read(passline.fit("low ~ age + smoke", BIRTHWT, **options), **FAST).text


def test_columns_that_repeat_others_are_called_aliased(read):
    fit = quiet("low ~ age + twice", BIRTHWT.assign(twice=2 * BIRTHWT.age))
    rows = read(fit, **FAST).tables["The coefficients"]
    assert next(row for row in rows if row[0] == "twice")[1:4:2] == ["aliased", "repeats others"]


def test_weights_trials_and_an_offset_are_told(read):
    shown = read(passline.fit("numdead ~ sex + log(dose)", passline.datasets.path("budworm"), trials="total"), **FAST)
    assert "trials: of how many the outcome's successes are" in shown.text
    assert "which count as 240" in shown.text
    counted = BIRTHWT.assign(n=2, base=0.1)
    shown = read(passline.fit("low ~ age", counted, weights="n", offset="base"), **FAST)
    assert "counts: how often each row counts" in shown.text
    assert "The offset counts as 0 here" in shown.text


@pytest.mark.parametrize("formula", ["low ~ 1", "low ~ C(race)", "low ~ age", "low ~ 0 + age"])
def test_small_models_have_reports_too(read, formula):
    shown = read(passline.fit(formula, BIRTHWT), **FAST)
    assert "The coefficients" in shown.tables
    assert ("This part is missing: the model has no predictor to set" in shown.text) is (formula == "low ~ 1")


def test_new_rows_of_one_outcome_alone_leave_no_auc(read, birthwt):
    shown = read(passline.fit(FORMULA, BIRTHWT[::2]), BIRTHWT[1::2].query("low == 0"))
    row = next(row for row in shown.tables["Figures: Ranking, Probabilities"] if row[0] == "AUC")
    assert row[1] == "none"
    assert "every outcome here is low = 0" in shown.text.lower()


def test_an_empty_table_another_outcome_and_a_missing_folder_are_refused_and_leave_nothing(read, birthwt, tmp_path):
    with pytest.raises(NoRowsError):
        read(birthwt, BIRTHWT[:0])
    with pytest.raises(DataError):
        read(birthwt, BIRTHWT.drop(columns="low"))
    with pytest.raises(OptionError):
        birthwt.report(tmp_path / "no" / "report.html", **FAST)
    assert list(tmp_path.iterdir()) == []


def wide_model(levels: int, names: str = "level {}") -> passline.Fit:
    """A model with so many coefficients, without the minute that fitting them would take."""
    small = passline.fit("low ~ age + smoke", BIRTHWT).model
    texts = [names.format(i) for i in range(levels)]
    columns = {"g": texts, "x": np.linspace(0.0, 1.0, levels).tolist(), "low": [0, 1] * (levels // 2)}
    design = learn(parse("low ~ g + x"), open_source(columns)).design
    p = len(design.names)
    values = np.random.default_rng(0).normal(size=p)
    ones = np.ones(p)
    terms = Terms(design.names, values, ones, values, ones / 2, values - 2, values + 2, ("ok",) * p, (None,) * p)
    counts = {"count": [1.0] * levels, "positive": [0.5] * levels}
    summaries = {
        "g": {"kind": "category", "levels": list(design.levels["g"]), **counts},
        "x": {"kind": "number", "min": 0.0, "max": 1.0, "mean": 0.5, "count": [1.0] * 20, "positive": [0.5] * 20},
    }
    nothing = {"covariance": np.full((p, p), np.nan), "directions": np.zeros((0, p)), "average": None}
    return Fit(replace(small, design=design, terms=terms, coef=values, summaries=summaries, **nothing))


@pytest.mark.parametrize("names", ["level {}", "x" * 500 + "{}"])
def test_two_thousand_coefficients_stay_within_the_size_and_say_how_many_are_not_listed(read, names):
    fit = wide_model(2000, names)
    shown = read(fit)
    assert len(shown.source.encode()) <= 1_500_000
    assert len(shown.tables["The coefficients"]) == 201
    assert f"The 200 of {len(fit.model.terms.names):,} terms" in shown.text
    # Two thousand names of 500 signs are a megabyte: no page of this size can compute with them.
    assert ("too long to choose from" in shown.text) is (names != "level {}")


def test_hostile_names_are_text_in_the_source(read):
    formula, columns = nasty_table()
    shown = read(quiet(formula, columns), **FAST)
    body = shown.source[shown.source.index("<body>") : shown.source.index('<script type="application/json"')]
    assert set(re.findall(r"<(script|img|svg|b|i)\b", body)) == set()
    for name in NASTY[:4]:
        assert any(row[0] == name for row in shown.tables["The predictors"])
    assert "tab␉new␊line␁␡" in shown.text
    assert len(shown.source.encode()) <= 1_500_000


def test_the_policy_names_the_page_s_own_script_and_style_and_nothing_else(read, birthwt):
    source = read(birthwt, **FAST).source
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', source)[1]
    for kind, text in (
        ("script", re.search(r"<script>(.*)</script>", source, re.S)[1]),
        ("style", re.search(r"<style>(.*?)</style>", source, re.S)[1]),
    ):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    head = source[: source.index("<script>")]
    assert not re.search(r'(src|href)="(?!#|data:)', head)
    assert " style=" not in head


def test_the_command_writes_the_same_page(read, birthwt, tmp_path, capsys):
    from passline import cli

    birthwt.save(tmp_path / "model.json")
    path = str(passline.datasets.path("birthwt"))
    out = str(tmp_path / "by-command.html")
    assert (
        cli.run(
            [
                "report",
                str(tmp_path / "model.json"),
                path,
                "-o",
                out,
                "--folds",
                "3",
                "--bootstrap",
                "0",
                "--cost",
                "1:4",
            ]
        )
        == 0
    )
    assert f"The report is in {out}" in capsys.readouterr().out
    loaded = passline.load(tmp_path / "model.json")
    assert Path(out).read_text(encoding="utf-8") == read(loaded, path, cost=(1.0, 4.0), **FAST).source
    assert cli.run(["report", str(tmp_path / "model.json"), str(tmp_path / "none.csv"), "-o", out]) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("a\u202eb", "a\u202eb\u202c"),
        ("a\u2069b\u202c", "ab\u202c"),
        ("\u2067a\u202eb\u2069c", "\u2067a\u202eb\u2069c"),
        ("\u202ea\u2066b", "\u202ea\u2066b\u2069\u202c"),
    ],
)
def test_signs_of_direction_end_within_the_name_they_are_in(text, expected):
    assert closed(text) == expected


def test_the_heading_keeps_the_direction_of_each_name_within_it(read):
    names = {"y\u202e": [0, 1, 0, 1, 1, 0], "שעות": [1.0, 2.0, 3.0, 1.5, 4.0, 2.5]}
    fit = quiet("`y\u202e` ~ `שעות`", names)
    heading = re.search(r"<h1>(.*?)</h1>", read(fit, **FAST).source)[1]
    assert "\u2068y\u202e\u202c\u2069 = \u20681\u2069 by \u2068שעות\u2069" in heading


def test_every_minus_sign_of_the_coefficient_table_is_a_true_one(read):
    random = np.random.default_rng(0)
    x = random.normal(size=80)
    fit = passline.fit("y ~ x", {"x": x * 1e-3, "y": (random.random(80) < 1 / (1 + np.exp(x))).astype(int)})
    cells = [cell for row in read(fit, **FAST).tables["The coefficients"][1:] for cell in row[1:]]
    assert any("e−" in cell for cell in cells)
    assert not any("-" in cell for cell in cells)
