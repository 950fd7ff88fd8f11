"""The range that is said of a column is the one with which the model computes: finite within, refused beyond."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import passline
from passline.service.domain import LARGEST, Range, ranges

FORMULAS = {
    "x": (-LARGEST, LARGEST, False),
    "x:z": (-1e50, 1e50, False),
    "log(x)": (0.0, LARGEST, True),
    "log1p(x)": (-1.0, LARGEST, True),
    "sqrt(x)": (0.0, LARGEST, False),
    "power(x, 0.5)": (0.0, LARGEST, False),
    "power(x, 2)": (-1e50, 1e50, False),
    "power(x, 3)": (-(1e100 ** (1 / 3)), 1e100 ** (1 / 3), False),
    "abs(x)": (-LARGEST, LARGEST, False),
    "exp(x)": (-LARGEST, math.log(LARGEST), False),
    "log(log(x))": (1.0, LARGEST, True),
    "log(sqrt(x))": (0.0, LARGEST, True),
    "scale(log(x))": (0.0, LARGEST, True),
    "rcs(x, 3)": None,
    "power(x, -1)": (-LARGEST, LARGEST, False),
}


@pytest.fixture(scope="module")
def models():
    generator = np.random.default_rng(5)
    table = {"x": generator.uniform(2, 9, 80), "z": generator.normal(size=80)}
    table["y"] = (table["x"] + 4 * generator.normal(size=80) > 5).astype(float)
    return {text: passline.fit(f"y ~ {text}", table).model for text in FORMULAS}


@pytest.mark.parametrize("text", [text for text, expected in FORMULAS.items() if expected is not None])
def test_a_range_is_that_of_the_mathematics(models, text):
    found = ranges(models[text].design, models[text].summaries)["x"]
    low, high, above = FORMULAS[text]
    assert (found.low, found.high) == (pytest.approx(low, rel=1e-9), pytest.approx(high, rel=1e-9))
    assert found.above is above


@given(share=st.floats(0, 1), text=st.sampled_from([text for text in FORMULAS if text != "power(x, -1)"]))
@settings(max_examples=150, deadline=None)
def test_within_a_range_every_prediction_is_a_number(models, share, text):
    model = models[text]
    found = ranges(model.design, model.summaries)["x"]
    for x in (found.low, found.high, found.low + share * (found.high - found.low), 10 ** (200 * share - 100)):
        if found.holds(x):
            assert 0 <= model.predict({"x": x, "z": 1.0})[0] <= 1


def test_what_the_rows_of_the_fit_held_is_within_however_large():
    table = {"x": [1e150, 2e150, 3e150, 4e150, 5e150], "y": [0, 1, 0, 1, 1]}
    model = passline.fit("y ~ x", table).model
    assert ranges(model.design, model.summaries)["x"] == Range(-LARGEST, 5e150)


def test_two_uses_of_a_column_leave_what_both_take():
    assert Range(0.0, 5.0, above=True) & Range(0.0, 9.0) == Range(0.0, 5.0, above=True)
    assert Range(1.0, 5.0) & Range(0.0, 9.0, above=True) == Range(1.0, 5.0)
    assert not Range(0.0, 5.0, above=True).holds(0.0)
