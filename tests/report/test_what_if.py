"""The what-if panel in a real browser says what predict says, and its shares what explain says."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pandas as pd
import pytest

import passline
from report.conftest import nasty_table, quiet

GENERATOR = np.random.default_rng(7)
N = 150
TABLE = pd.DataFrame(
    {
        "x": GENERATOR.normal(3, 1, N).clip(0.1),
        "z": GENERATOR.normal(0, 1e3, N),
        "tiny": GENERATOR.normal(0, 1e-9, N),
        "g": np.array(["a", "b", "c"])[GENERATOR.integers(0, 3, N)],
        "flag": GENERATOR.integers(0, 2, N).astype(bool),
        "k": GENERATOR.integers(1, 5, N),
        "base": GENERATOR.normal(size=N),
        "n": 3,
    }
)
TABLE["y"] = (GENERATOR.random(N) < 1 / (1 + np.exp(-(TABLE.x - 3)))).astype(int)
MODELS = {
    "numbers": ("y ~ x + z + tiny", {}),
    "functions": ("y ~ log(x) + sqrt(x) + abs(z) + exp(tiny) + log1p(x)", {}),
    "powers": ("y ~ power(x, 2) + power(x, -1.5) + power(z, 3)", {}),
    "scale": ("y ~ scale(x) + scale(log(x)) + scale(z)", {}),
    "spline": ("y ~ rcs(x, 4) + rcs(z, 3)", {}),
    "categories": ('y ~ g + C(k, ref="3") + flag', {}),
    "interactions": ("y ~ g * x + flag:z + C(k):rcs(x, 3)", {"penalty": passline.Penalty(l2=1e-3)}),
    "no intercept": ("y ~ 0 + g + x", {}),
    "offset": ("y ~ x + g", {"offset": "base"}),
    "trials": ("y ~ x + g", {"trials": "n"}),
    "Firth": ("y ~ x + g", {"estimator": "firth"}),
}
# Sets the fields, one row after the other, as a person would, and reads what the panel says.
FILL = """(rows) => rows.map((row) => {
  const fields = JSON.parse(document.getElementById("report").textContent).whatIf.fields;
  fields.forEach((field, i) => {
    const control = document.getElementById(`what-if-${i}`);
    const value = row[field.column];
    const place = field.kind === "number" ? value : field.levels.findIndex((level) => String(level) === String(value));
    control.value = String(place);
    control.dispatchEvent(new Event("input", { bubbles: true }));
  });
  const out = document.getElementById("what-if-probability");
  return [Number(out.dataset.probability), Number(out.dataset.logit)];
})"""


def said(page, path, fit, rows):
    """What the panel says of rows."""
    fit.report(path, folds=0, bootstrap=0)
    page.goto(path.as_uri())
    return np.array(page.evaluate(FILL, rows)).T


def rows_of(fit, table, count=12):
    """Rows as the panel is given them: numbers, and levels as texts."""
    model = fit.model
    some = table.iloc[:: max(len(table) // count, 1)]
    texts = {v: model.summaries[v]["levels"] for v in model.design.variables if "levels" in model.summaries[v]}
    found = []
    for row in some[list(model.design.variables)].to_dict("records"):
        found.append({v: _text(value, texts[v]) if v in texts else float(value) for v, value in row.items()})
    return some, found


def _text(value, levels):
    return next(level for level in levels if level in (str(value), str(value).upper()))


@pytest.mark.parametrize("name", MODELS)
def test_the_panel_equals_predict_to_1e_12(page, tmp_path, name):
    formula, options = MODELS[name]
    fit = quiet(formula, TABLE, **options)
    some, rows = rows_of(fit, TABLE)
    probability, logit = said(page, tmp_path / "report.html", fit, rows)
    np.testing.assert_allclose(probability, fit.predict(some), rtol=0, atol=1e-12)
    np.testing.assert_allclose(logit, fit.predict(some, scale="logit"), rtol=1e-12, atol=1e-12)


COMPLETE = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "y": [0, 0, 1, 1]})
QUASI = pd.DataFrame(
    {"x": [1.0, 2.0, 3.0, 4.0] * 3, "g": list("aaaabbbbcccc"), "y": [0, 1, 0, 1, 0, 0, 1, 1, 1, 1, 1, 1]}
)


@pytest.mark.parametrize(("formula", "table"), [("y ~ x", COMPLETE), ("y ~ x + g", QUASI)])
def test_separated_models_say_0_1_and_open_as_predict_does(page, tmp_path, formula, table):
    fit = quiet(formula, table)
    more = pd.concat([table, table.assign(x=table.x + 0.5), table.assign(x=2.5)])
    some, rows = rows_of(fit, more, len(more))
    probability, logit = said(page, tmp_path / "report.html", fit, rows)
    expected = fit.predict(some, scale="logit")
    assert np.isinf(expected).any()
    np.testing.assert_array_equal(np.isnan(logit), np.isnan(expected))
    np.testing.assert_allclose(logit, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(probability, fit.predict(some), rtol=0, atol=1e-12)


def test_hostile_names_and_levels_compute_too_and_run_nothing(page, tmp_path):
    formula, columns = nasty_table()
    fit = quiet(formula, columns)
    table = pd.DataFrame(columns)
    some, rows = rows_of(fit, table)
    probability, _ = said(page, tmp_path / "report.html", fit, rows)
    np.testing.assert_allclose(probability, fit.predict(some), rtol=0, atol=1e-12)
    assert "run" not in page.title().split()


def test_the_shares_are_those_of_explain(page, tmp_path):
    fit = passline.fit("y ~ x + g + flag", TABLE)
    row = {"x": 4.0, "g": "c", "flag": True}
    said(page, tmp_path / "report.html", fit, [{"x": 4.0, "g": "c", "flag": "TRUE"}])
    page.locator("#what-if-shares summary").click()
    cells = page.locator("#what-if-shares tbody tr").all_inner_texts()
    found = {
        term.strip("\u2068\u2069"): float(value.replace("−", "-")) for term, value in (c.split("\t") for c in cells)
    }
    shares = fit.explain(row)["shares"]
    assert found.keys() == shares.keys()
    for term, value in shares.items():
        assert found[term] == pytest.approx(value, rel=1e-4)


def test_a_missing_number_leaves_no_probability_and_one_beyond_the_rows_is_said_to_be(page, tmp_path):
    fit = passline.fit("y ~ x", TABLE)
    assert math.isnan(said(page, tmp_path / "report.html", fit, [{"x": ""}])[0, 0])
    assert "A number is missing" in page.locator("#what-if-words").inner_text()
    page.evaluate(FILL, [{"x": 100.0}])
    assert "This is an extrapolation" in page.locator("#what-if-beyond").inner_text()
    page.locator("#what-if-form button").click()
    page.wait_for_function("document.getElementById('what-if-beyond').hidden")


def test_a_value_outside_a_function_s_domain_is_said_in_words(page, tmp_path):
    fit = passline.fit("y ~ log(x)", TABLE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        said(page, tmp_path / "report.html", fit, [{"x": -1.0}])
    assert "log(x) has no finite value" in page.locator("#what-if-words").inner_text()
