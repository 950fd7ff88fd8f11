"""The area under the ROC curve against its definition, pair by pair."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passline.evaluation.discrimination import auc

ROWS = st.lists(
    st.tuples(st.integers(-3, 3), st.sampled_from([0.0, 0.25, 1.0]), st.integers(0, 3)), min_size=1, max_size=25
)


def pairs(score: np.ndarray, y: np.ndarray, c: np.ndarray) -> float:
    """The definition: a sum over all pairs of a success and a failure."""
    won = (score[:, None] > score) + 0.5 * (score[:, None] == score)
    share = np.outer(c * y, c * (1 - y))
    return float((share * won).sum() / share.sum()) if share.sum() > 0 else math.nan


@settings(deadline=None)
@given(ROWS)
def test_the_area_is_the_share_of_pairs_in_the_right_order(rows: list[tuple[int, float, int]]) -> None:
    score, y, c = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    assert auc(score, y, c) == pytest.approx(pairs(score, y, c), nan_ok=True)


def test_scores_that_only_rounding_tells_apart_are_equal() -> None:
    score = np.array([0.1 + 0.2, 0.3, 1e6, np.nextafter(1e6, 2e6), -1.0])
    y = np.array([1.0, 0.0, 0.0, 1.0, 0.0])
    assert score[0] != score[1]
    assert auc(score, y) == pairs(np.array([0.3, 0.3, 1e6, 1e6, -1.0]), y, np.ones(5))


def test_infinite_scores_stand_at_the_ends_and_equal_each_other() -> None:
    y = np.array([0.0, 1.0, 0.0, 1.0, 1.0])
    assert auc(np.array([-np.inf, -np.inf, 0.0, np.inf, np.inf]), y) == pytest.approx((2 + 2 + 0.5) / 6)
    assert auc(np.array([-np.inf, np.inf, -np.inf, np.inf, np.inf]), y) == 1.0


@pytest.mark.parametrize("y", [0.0, 1.0])
def test_one_class_alone_has_no_area(y: float) -> None:
    assert math.isnan(auc(np.arange(3.0), np.full(3, y)))
