"""Delta and Fieller intervals: their formulas, their shapes, and how they move with the scale."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from passline.errors import OptionError
from passline.inference.boundary import Line, delta, fieller, shape
from passline.inference.wald import normal_quantile, p_values

ALONG = Line(np.array([1.0, 0.0]), np.array([0.0, 1.0]))  # eta(t) = w0 + t w1
NUMBER = st.floats(-5, 5).filter(lambda v: abs(v) > 1e-3)


def covariance(factor: tuple[float, float, float]) -> np.ndarray:
    a, b, c = factor
    L = np.array([[a, 0.0], [b, c]])
    return L @ L.T


COVARIANCE = st.tuples(st.floats(0.01, 2), st.floats(-2, 2), st.floats(0.01, 2)).map(covariance)


@settings(deadline=None)
@given(NUMBER, NUMBER, COVARIANCE, st.floats(-3, 3))
def test_fiellers_set_holds_just_the_values_that_walds_test_keeps(
    w0: float, w1: float, V: np.ndarray, eta: float
) -> None:
    w, z = np.array([w0, w1]), 1.96
    pieces = fieller(ALONG, w, V, eta, z)
    assert pieces
    for t in np.concatenate([np.linspace(-50, 50, 401), [(eta - w0) / w1]]):
        row = ALONG.row(float(t))
        excess = (row @ w - eta) ** 2 - z**2 * (row @ V @ row)
        size = (row @ w - eta) ** 2 + z**2 * (row @ V @ row)
        if abs(excess) > 1e-6 * size:
            assert any(low <= t <= high for low, high in pieces) == (excess < 0), t


@settings(deadline=None)
@given(NUMBER, NUMBER, COVARIANCE)
def test_fiellers_set_is_bounded_just_where_the_slope_is_not_zero_by_walds_test(
    w0: float, w1: float, V: np.ndarray
) -> None:
    z = abs(w1) / math.sqrt(V[1, 1])
    assume(abs(z - 1.96) > 1e-6)
    found = shape(fieller(ALONG, np.array([w0, w1]), V, 0.0, 1.96))
    assert (found == "bounded") == (z > 1.96)
    assert found in ("bounded", "disjoint", "everything")


@settings(deadline=None)
@given(NUMBER, NUMBER, COVARIANCE)
def test_the_delta_error_is_the_gradients_length_in_the_covariance(w0: float, w1: float, V: np.ndarray) -> None:
    w = np.array([w0, w1])
    found = delta(ALONG, w, V, 0.5, 1.96)
    t = (0.5 - w0) / w1
    gradient = np.array([-1 / w1, -t / w1])
    assert found.estimate == pytest.approx(t)
    assert found.std_error == pytest.approx(math.sqrt(gradient @ V @ gradient), rel=1e-6, abs=1e-9)
    ((low, high),) = found.pieces
    assert (low + high) / 2 == pytest.approx(t, abs=1e-9)
    assert high - low == pytest.approx(2 * 1.96 * found.std_error, abs=1e-9)


def test_without_a_slope_there_is_no_crossing() -> None:
    found = delta(ALONG, np.array([1.0, 0.0]), np.eye(2), 0.0, 1.96)
    assert math.isnan(found.estimate)
    assert found.pieces == ()
    assert shape(fieller(ALONG, np.array([1.0, 0.0]), np.eye(2), 0.0, 1.96)) == "everything"


def test_without_a_covariance_there_is_an_estimate_and_no_set() -> None:
    found = delta(ALONG, np.array([-1.0, 2.0]), np.full((2, 2), np.nan), 0.0, 1.96)
    assert found.estimate == 0.5
    assert math.isnan(found.std_error)
    assert found.pieces == fieller(ALONG, np.array([-1.0, 2.0]), np.full((2, 2), np.nan), 0.0, 1.96) == ()


@pytest.mark.parametrize(
    ("pieces", "word"),
    [
        ((), "empty"),
        (((0.0, 1.0),), "bounded"),
        (((-math.inf, 1.0),), "unbounded"),
        (((-math.inf, math.inf),), "everything"),
        (((-math.inf, 0.0), (1.0, math.inf)), "disjoint"),
    ],
)
def test_a_set_has_a_word_for_its_shape(pieces: tuple[tuple[float, float], ...], word: str) -> None:
    assert shape(pieces) == word


def test_p_values_keep_their_digits_far_out() -> None:
    found = p_values(np.array([0.0, 1.959963984540054, -10.0, 37.0, np.nan]))
    assert found[:4] == pytest.approx([1.0, 0.05, 1.5239706048320995e-23, 1.1451e-299], rel=1e-3)
    assert found[1] == pytest.approx(0.05, rel=1e-12)
    assert math.isnan(found[4])


@pytest.mark.parametrize("level", [0.0, 1.0, -0.5, 1.5, math.nan, 95])
def test_a_level_is_strictly_between_zero_and_one(level: float) -> None:
    with pytest.raises(OptionError, match="level"):
        normal_quantile(level)
