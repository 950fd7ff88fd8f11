"""The area under the ROC curve against its definition, pair by pair."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passline.evaluation.discrimination import auc, average_precision, delong, ranked
from passline.evaluation.scored import Scored

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


def test_average_precision_adds_the_precision_of_each_score_weighted_by_its_successes() -> None:
    y = np.array([1.0, 0.0, 1.0, 1.0, 0.0])
    rows = ranked(Scored.of(np.array([4.0, 3.0, 2.0, 1.0, 1.0]), y))
    assert average_precision(rows) == pytest.approx((1 + 2 / 3 + 3 / 5) / 3)


@settings(deadline=None)
@given(ROWS)
def test_weights_are_counts_for_the_area_its_error_and_the_average_precision(
    rows: list[tuple[int, float, int]],
) -> None:
    score, y, c = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    weighted = Scored.of(score, np.round(y), c).real()
    times = c.astype(int)
    written_out = Scored.of(np.repeat(score, times), np.round(np.repeat(y, times)))
    if not len(weighted.eta):
        return
    a, b = (delong(one, ranked(one)) for one in (weighted, written_out))
    for name in ("estimate", "std_error", "conf_low", "conf_high"):
        assert getattr(a, name) == pytest.approx(getattr(b, name), nan_ok=True)
    one, other = average_precision(ranked(weighted)), average_precision(ranked(written_out))
    assert one == pytest.approx(other, nan_ok=True)


def test_delongs_variance_is_that_of_the_definition_over_pairs() -> None:
    generator = np.random.default_rng(1)
    s = np.round(generator.normal(size=60), 1)
    y = (generator.random(60) < 0.4).astype(float)
    psi = (s[y == 1][:, None] > s[y == 0]) + 0.5 * (s[y == 1][:, None] == s[y == 0])
    m, n = psi.shape
    variance = psi.mean(axis=1).var(ddof=1) / m + psi.mean(axis=0).var(ddof=1) / n
    scored = Scored.of(s, y)
    assert delong(scored, ranked(scored)).std_error == pytest.approx(math.sqrt(variance))


def test_a_row_that_is_its_own_group_has_nearly_delongs_error_and_doubled_rows_in_groups_have_that_of_single_ones() -> (
    None
):
    generator = np.random.default_rng(2)
    s, y = generator.normal(size=400), (generator.random(400) < 0.4).astype(float)
    alone = Scored.of(s, y, None, np.arange(400))
    doubled = Scored.of(np.tile(s, 2), np.tile(y, 2), None, np.tile(np.arange(400), 2))
    plain = Scored.of(s, y)
    error = delong(plain, ranked(plain)).std_error
    assert delong(alone, ranked(alone)).std_error == pytest.approx(error, rel=0.01)
    assert delong(doubled, ranked(doubled)).std_error == pytest.approx(delong(alone, ranked(alone)).std_error)


def test_one_success_alone_leaves_delong_without_an_error() -> None:
    scored = Scored.of(np.arange(5.0), np.array([0.0, 0, 1, 0, 0]))
    found = delong(scored, ranked(scored))
    assert found.estimate == 0.5
    assert math.isnan(found.std_error)


def test_cells_keep_all_the_weight_and_the_order() -> None:
    generator = np.random.default_rng(3)
    rows = ranked(Scored.of(generator.normal(size=1000), (generator.random(1000) < 0.3).astype(float)))
    cells = rows.cells(10)
    assert len(cells.score) == 10
    assert cells.successes.sum() == rows.successes.sum()
    assert (cells.highest[:-1] < cells.score[1:]).all()
    assert np.ptp(cells.successes + cells.failures) <= 1
