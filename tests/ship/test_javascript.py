"""The JavaScript module says what `predict` says, in node: every function, every kind of column, every refusal."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

import passline
from passline.errors import PasslineError, PasslineWarning
from passline.ship.javascript import javascript
from passline.ship.node import Answer, in_node, numbers, rows_of

RANDOM = np.random.default_rng(20261125)
N = 200
TABLE: dict[str, Any] = {
    "y": RANDOM.integers(0, 2, N).astype(float),
    "x": RANDOM.lognormal(0.0, 1.5, N),
    "z": RANDOM.normal(3.0, 2.0, N),
    "k": RANDOM.integers(0, 4, N).astype(float),
    "b": [bool(v) for v in RANDOM.integers(0, 2, N)],
    "g": [("a", "B", "b'\"`\n", "中\u202e", "TRUE", "5", "__proto__")[v] for v in RANDOM.integers(0, 7, N)],
    "</script>": RANDOM.normal(0.0, 1.0, N),
    "__proto__": RANDOM.normal(0.0, 1.0, N),
}
FORMULAS = [
    "y ~ 1",
    "y ~ 0 + g",
    "y ~ x + z + b + g",
    "y ~ log(x) + log1p(x) + exp(scale(z)) + sqrt(x) + abs(z)",
    "y ~ power(z, 2) + power(z, 3) + power(z, 4) + power(z, -1) + power(x, 0.5) + power(x, -1.5) + power(scale(z), 5)",
    "y ~ rcs(x, 4) + rcs(log(x), 3) + scale(log(sqrt(x)))",
    "y ~ b * C(k) + z:b",
    'y ~ C(k, ref="2"):b + x:z:b + 0',
    "y ~ `</script>` * `__proto__`",
    "y ~ rcs(z, 3):b + log(x):C(k)",
]


def fitted(formula: str, data: Any = None, **options: Any) -> passline.Fit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PasslineWarning)
        return passline.fit(formula, TABLE if data is None else data, **options)


def ran(jobs: list[tuple[str, list[dict[str, Any]]]]) -> list[Answer]:
    found = in_node(jobs)
    assert found is not None, "these tests run JavaScript in node: install Node.js 18 or newer"
    return found


def said(fit: passline.Fit, row: dict[str, Any], **options: Any) -> float:
    """What `predict` says of a row: NaN where a value is missing, and an error where it refuses the row."""
    return float(np.asarray(fit.predict({name: [value] for name, value in row.items()}, **options))[0])


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_row_gets_the_probability_and_the_log_odds_of_predict(formula: str) -> None:
    fit = fitted(formula)
    (found,) = ran([(javascript(fit.model), rows_of(TABLE))])
    np.testing.assert_allclose(numbers(found["probability"]), fit.predict(TABLE), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(numbers(found["logit"]), fit.predict(TABLE, scale="logit"), rtol=1e-12, atol=1e-12)
    shares = [sum(value for _, value in row) for row in found["terms"]]
    np.testing.assert_allclose(shares, fit.predict(TABLE, scale="logit"), rtol=1e-11, atol=1e-11)
    names = ["(Intercept)"] * fit.model.design.intercept + [term.text for term in fit.model.design.terms]
    assert [name for name, _ in found["terms"][0]] == names


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_value_that_predict_refuses_is_refused_and_a_missing_one_has_no_probability(formula: str) -> None:
    fit, rows = fitted(formula), rows_of(TABLE)[:1]
    rows += [rows[0] | {name: value} for name in TABLE for value in (None, -1.0, 0.0, 1e3, 1e160, -1e160, 1e-320)]
    rows = [row | {"b": row["b"] if isinstance(row["b"], bool | None) else None} for row in rows]
    (found,) = ran([(javascript(fit.model), rows)])
    refused = 0
    for row, answer in zip(rows, found["probability"], strict=True):
        try:
            expected = said(fit, row)
        except PasslineError:
            assert isinstance(answer, dict), (row, answer)
            refused += 1
        else:
            assert not isinstance(answer, dict), (row, answer)
            assert float(answer) == pytest.approx(expected, rel=1e-12, abs=1e-12, nan_ok=True)
    assert refused > 0 or not fit.model.design.variables or formula.startswith("y ~ `")


def test_an_unseen_level_is_an_error_that_names_column_and_value_or_the_baseline() -> None:
    fit = fitted("y ~ g + z")
    row = {"g": "new", "z": 1.0}
    strict, lenient = in_node([(javascript(fit.model), [row]), (javascript(fit.model, unseen="baseline"), [row])])
    (answer,) = strict["probability"]
    assert 'column "g" is "new"' in answer["error"]
    assert lenient["probability"][0] == pytest.approx(said(fit, row, unseen="baseline"), rel=1e-12)


def test_a_column_that_is_not_there_is_an_error_that_names_it_even_where_objects_inherit_one() -> None:
    fit = fitted("y ~ z + constructor", TABLE | {"constructor": TABLE["x"]})
    (found,) = ran([(javascript(fit.model), [{"z": 1.0}])])
    assert '"constructor"' in found["probability"][0]["error"]


@pytest.mark.parametrize("value", ["", " ", "0x10", "1_0", "abc", "Infinity", [], {}, [1]])
def test_what_is_no_number_never_becomes_one(value: Any) -> None:
    (found,) = ran([(javascript(fitted("y ~ z").model), [{"z": value}])])
    assert "no finite number" in found["probability"][0]["error"]


def test_numbers_and_truth_values_stand_for_the_levels_that_are_their_texts() -> None:
    fit = fitted("y ~ g + b + C(k)")
    base = {"g": "a", "b": True, "k": 1.0}
    same = [
        ({"g": 5}, {"g": "5"}),
        ({"g": True}, {"g": "TRUE"}),
        ({"b": 1}, {}),
        ({"b": " True"}, {}),
        ({"k": "1"}, {}),
    ]
    (found,) = ran([(javascript(fit.model), [base | row for pair in same for row in pair])])
    assert found["probability"][::2] == found["probability"][1::2]
    assert all(isinstance(answer, float) for answer in found["probability"])


@pytest.mark.parametrize("outcome", [[0, 0, 0, 1, 1, 1], [0, 0, 1, 0, 1, 1]], ids=["complete", "quasi"])
def test_separated_rows_have_the_probabilities_of_the_limit(outcome: list[int]) -> None:
    data = {"y": outcome, "x": [1.0, 2.0, 3.0, 3.0, 4.0, 5.0], "g": ["a", "a", "a", "a", "a", "b"]}
    fit = fitted("y ~ x + g", data)
    assert len(fit.model.directions)
    grid: dict[str, Any] = {"x": [0.0, 2.999, 3.0, 3.001, 9.0] * 2, "g": ["a"] * 5 + ["b"] * 5}
    (found,) = ran([(javascript(fit.model), rows_of(grid))])
    for scale in ("probability", "logit"):
        np.testing.assert_allclose(numbers(found[scale]), fit.predict(grid, scale=scale), rtol=1e-12)


def test_a_firth_fit_predicts_with_its_corrected_intercept() -> None:
    fit = fitted("y ~ z + g", estimator="firth")
    assert fit.model.flic_intercept is not None
    (found,) = ran([(javascript(fit.model), rows_of(TABLE))])
    np.testing.assert_allclose(numbers(found["probability"]), fit.predict(TABLE), rtol=1e-12)


def test_the_module_is_ascii_and_cannot_end_a_script_or_a_line_whatever_names_hold() -> None:
    name = "</script><script>alert(1)//\u2028\n`${x}`\u202e\x00\\"
    data = {"y": TABLE["y"], name: TABLE["z"], "g": [f"{name}{v % 2}" for v in range(N)]}
    fit = fitted("y ~ . ", data)
    text = javascript(fit.model)
    assert text.isascii()
    assert "</" not in text
    assert "\x00" not in text


def test_extreme_log_odds_neither_overflow_nor_lose_the_tail() -> None:
    fit = fitted("y ~ z")
    slope = fit.coef["z"]
    rows = [{"z": eta / slope} for eta in (-745.0, -700.0, -40.0, 40.0, 700.0, 1e5, -1e5)]
    (found,) = ran([(javascript(fit.model), rows)])
    expected = [said(fit, row) for row in rows]
    np.testing.assert_allclose(numbers(found["probability"]), expected, rtol=1e-11)
    assert math.isfinite(sum(expected))
