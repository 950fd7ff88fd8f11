"""The default solver: it takes the way with the least work, and whatever the fast way cannot settle goes to Newton."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from passline.engine.blocks import Block, Blocks, spread
from passline.engine.columns import Dense
from passline.engine.objective import Objective
from passline.solvers import auto
from passline.solvers.auto import choose, newton_pays, solve
from passline.solvers.base import Descended, Status, Step
from passline.solvers.newton import newton
from passline.solvers.quasi import quasi_newton

Floats = NDArray[np.float64]


def outcome(X: Floats, w: Floats, seed: int = 1) -> Floats:
    rng = np.random.default_rng(seed)
    return (rng.random(len(X)) < 1 / (1 + np.exp(-X @ w))).astype(float)


def design(n: int, p: int, seed: int = 0) -> Floats:
    return np.column_stack([np.ones(n), np.random.default_rng(seed).normal(size=(n, p - 1))])


def objective(X: Floats, y: Floats, l2: float | None = None) -> Objective:
    ridge = None if l2 is None else np.r_[0.0, np.full(X.shape[1] - 1, l2)]
    return Objective(Blocks(Block(Dense(X), y)), ridge)


def table(n: int = 100_000, p: int = 8, l2: float | None = None) -> Objective:
    X = design(n, p)
    return objective(X, outcome(X, np.linspace(-1, 1, p)), l2)


def agree_with_newton(F: Objective, found: Any) -> None:
    plain = newton(F, np.zeros(F.p), patient=F.ridge is not None)
    assert found.converged
    np.testing.assert_allclose(found.coef, plain.coef, atol=1e-7)
    assert np.abs(F(found.coef, 1).gradient).max() <= 1e-8


def settled(F: Objective, found: Any) -> None:
    """The guided way was tried, did not settle, and Newton's method ended at the optimum."""
    assert found.solver == "newton, after a guided descent did not settle"
    agree_with_newton(F, found)


@pytest.mark.parametrize("l2", [None, 1e-8, 1e-2])
def test_a_long_table_is_guided_by_some_rows_to_newtons_answer(l2: float | None) -> None:
    F = table(l2=l2)
    seen: list[Step] = []
    found = solve(F, report=seen.append)
    assert found.solver == (
        f"quasi-newton: started from 20,000 rows, exact gradients, guided by the curvature of {guide_rows(F):,} rows"
    )
    assert F.blocks.passes <= 10
    assert tuple(seen) == found.trace
    assert {step.rows < F.blocks.n for step in found.trace} == {True, False}
    agree_with_newton(F, found)


def guide_rows(F: Objective) -> int:
    return choose(F.blocks.n, F.p).guide


def test_a_short_table_goes_by_newton() -> None:
    assert solve(table(5_000)).solver == "newton"


@pytest.mark.parametrize(
    ("n", "p", "newton_first", "started", "guide"),
    [
        (1_000, 5, True, False, "some"),
        (1_000_000, 50, False, True, "some"),
        (3_000_000, 10, False, True, "some"),
        (20_000, 300, False, False, "some"),
        (100_000, 1_000, False, True, "some"),
        (20_000, 4_000, False, False, "none"),
        (3_000, 2_400, False, False, "none"),
        (10_000_000, 3_000, False, False, "none"),
    ],
)
def test_the_way_is_chosen_by_counting_work(n: int, p: int, newton_first: bool, started: bool, guide: str) -> None:
    plan = choose(n, p)
    assert newton_pays(n, p) == newton_first
    assert (plan.start > 0) == started
    assert plan.start <= n / 4
    assert plan.guide <= n
    assert (plan.guide > 0) == (guide == "some")


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 10**8), st.integers(1, 10**5))
def test_every_size_of_table_has_a_plan_that_its_rows_can_fill(n: int, p: int) -> None:
    plan = choose(n, p)
    assert 0 <= plan.start <= max(n // 4, 0)
    assert 0 <= plan.guide <= n
    assert not (newton_pays(n, p) and p > auto.WIDEST)


@pytest.mark.parametrize(("n", "p"), [(150, 600), (400, 500)])
@pytest.mark.parametrize("l2", [1e-2, 1e-6])
def test_a_table_wider_than_long_forms_no_curvature_matrix(
    n: int, p: int, l2: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auto, "QUICK", 0.0)
    X = design(n, p) + 0.5
    F = objective(X, outcome(X[:, :5], np.ones(5)), l2)
    monkeypatch.setattr(Objective, "rough_curvature", None)
    found = solve(F, tolerance=1e-10)
    assert found.converged
    assert isinstance(found, Descended)
    assert np.abs(F(found.coef, 1).gradient).max() <= 1e-8


def test_more_rows_never_make_a_guide_of_fewer() -> None:
    for p in (2, 30, 400):
        guides = [choose(n, p).guide for n in (10_000, 100_000, 1_000_000, 10_000_000)]
        assert guides == sorted(guides)


def sample_places(F: Objective, rows: int = 20_000) -> NDArray[np.int64]:
    places = spread(F.blocks.n, rows)
    assert places is not None
    return places


def seen_rows(F: Objective) -> NDArray[np.int64]:
    """Rows that the start or the guide looks at."""
    return np.union1d(sample_places(F), sample_places(F, guide_rows(F)))


def test_a_sample_separated_by_chance_does_not_mislead() -> None:
    # A rare group: those that the sample sees all pass, the others do not.
    F = table()
    X, y = F.blocks.all.columns.dense(), F.blocks.all.y
    seen = sample_places(F)
    others = np.setdiff1d(np.arange(len(y)), seen)[:40]
    X[:, 7] = 0.0
    X[seen[:40], 7], y[seen[:40]] = 1.0, 1.0
    X[others, 7], y[others] = 1.0, 0.0
    F = objective(X, y)
    assert newton(F.sample(20_000), np.zeros(8), max_steps=25).status is Status.DIVERGING
    agree_with_newton(F, solve(F))


@pytest.mark.parametrize("count", [3, 12, 40])
def test_an_outcome_that_is_next_to_missing_is_found_by_the_sample(count: int) -> None:
    F = table()
    y = np.zeros(F.blocks.n)
    y[np.setdiff1d(np.arange(len(y)), seen_rows(F))[:count]] = 1.0
    F = objective(F.blocks.all.columns.dense()[:, :2], y)
    assert F.sample(20_000).blocks.all.y.max() == 0.0
    assert F.balanced_sample(20_000).blocks.all.y.sum() == count
    agree_with_newton(F, solve(F))


def test_a_column_that_the_guide_sees_as_constant_gets_a_usual_curvature() -> None:
    F = table()
    X, y = F.blocks.all.columns.dense(), F.blocks.all.y
    X[:, 3] = 0.0
    X[np.setdiff1d(np.arange(len(y)), seen_rows(F))[:200], 3] = np.sqrt(len(y) / 200)  # a spread of one
    F = objective(X, y)
    found = solve(F)
    assert found.solver.startswith("quasi-newton")
    assert F.blocks.passes <= 20
    agree_with_newton(F, found)


def heavy(n: int = 100_000) -> Floats:
    return np.column_stack([np.ones(n), np.random.default_rng(3).standard_cauchy(size=(n, 7))])


def outlying(n: int = 100_000) -> Floats:
    X = design(n, 8)
    X[77_777, 3], X[123, 5] = 1e6, -3e4
    return X


def saturated(n: int = 100_000) -> Floats:
    return design(n, 8) * np.r_[0.0, np.full(7, 60.0)] + np.r_[1.0, np.zeros(7)]


def near_duplicate(n: int = 100_000) -> Floats:
    X = design(n, 8)
    X[:, 5] = X[:, 4] + 1e-5 * X[:, 5]
    return X


def sorted_by_outcome(n: int = 100_000) -> Floats:
    X = design(n, 8)
    return X[np.argsort(X[:, 1])]


@pytest.mark.parametrize("l2", [None, 1e-6])
@pytest.mark.parametrize("kind", [heavy, outlying, saturated, near_duplicate, sorted_by_outcome])
def test_hard_columns_end_at_newtons_answer(kind: Any, l2: float | None) -> None:
    X = kind()
    w = np.full(8, 0.4)
    y = outcome(np.clip(X, -6, 6), w)
    F = objective(X, y, l2)
    found = solve(F)
    plain = newton(F, np.zeros(8), patient=True)
    assert found.converged
    assert np.abs(F(found.coef, 1).gradient).max() <= 1e-8
    np.testing.assert_allclose(X[::97] @ found.coef, X[::97] @ plain.coef, atol=1e-5, rtol=1e-6)


@pytest.mark.parametrize("far", [30.0, 700.0])
def test_a_far_offset_ends_at_newtons_answer(far: float) -> None:
    X = design(100_000, 4)
    offset = far * X[:, 1]
    y = outcome(X, np.array([0.2, 0.5, -0.5, 0.1]))
    F = Objective(Blocks(Block(Dense(X), y, None, offset)))
    found = solve(F)
    assert found.converged
    assert np.abs(F(found.coef, 1).gradient).max() <= 1e-8
    assert found.coef[1] == pytest.approx(0.5 - far, abs=0.1)


@pytest.mark.parametrize("guide", ["uphill", "nowhere", "not a number", "far too short", "random"])
def test_a_curvature_that_guides_badly_stalls_and_goes_to_newton(guide: str, monkeypatch: pytest.MonkeyPatch) -> None:
    turn = np.diag([1e-9, 1e9] * 4)
    bad: dict[str, Any] = {
        "uphill": lambda g: -g,
        "nowhere": lambda g: 0 * g,
        "not a number": lambda g: np.nan * g,
        "far too short": lambda g: 1e-14 * g,
        "random": lambda g: turn @ g,
    }
    monkeypatch.setattr(auto, "factor", lambda H: bad[guide])
    F = table(l2=1e-4)
    begin = np.ones(8)
    assert not quasi_newton(F, begin, bad[guide], tolerance=1e-9, max_passes=40).converged
    settled(F, solve(F))


@pytest.mark.parametrize("broken", ["not a number", "infinite", "indefinite"])
def test_a_curvature_that_has_no_inverse_goes_to_newton(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    H = {"not a number": np.full((8, 8), np.nan), "infinite": np.full((8, 8), np.inf), "indefinite": 1 - np.eye(8) / 2}
    monkeypatch.setattr(Objective, "rough_curvature", lambda self, w, rows: H[broken].copy())
    F = table()
    settled(F, solve(F))


def test_a_guide_that_is_slow_is_left_for_more_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    rough = Objective.rough_curvature

    def poor(self: Objective, w: Floats, rows: int) -> Any:
        asked.append(rows)
        H = rough(self, w, rows)
        turn = np.diag(np.logspace(-3, 3, 8))
        return H if rows >= self.blocks.n else turn @ H @ turn

    monkeypatch.setattr(Objective, "rough_curvature", poor)
    F = table()
    found = solve(F)
    assert found.solver.endswith("guided by the curvature of all rows")
    assert asked[1:] == sorted(set(asked[1:]))
    assert asked[-1] == F.blocks.n
    agree_with_newton(F, found)


def test_a_column_that_repeats_others_leaves_the_linear_predictor_as_it_is() -> None:
    F = table()
    X = F.blocks.all.columns.dense()
    X = np.column_stack([X, X[:, 1] + X[:, 2]])
    twice = objective(X, F.blocks.all.y)
    found = solve(twice)
    assert found.converged
    assert np.abs(twice(found.coef, 1).gradient).max() <= 1e-8
    np.testing.assert_allclose(X @ found.coef, X[:, :8] @ newton(F, np.zeros(8)).coef, atol=1e-6)


@pytest.mark.parametrize("n", [200, 100_000])
@pytest.mark.parametrize("kind", ["complete", "a rare column"])
def test_a_separated_table_never_converges(n: int, kind: str) -> None:
    X = design(n, 8)
    y = outcome(X, np.linspace(-1, 1, 8))
    if kind == "complete":
        y = (X[:, 1] > X[:, 2]).astype(float)
    else:
        X[:, 7] = 0.0
        X[-20:, 7], y[-20:] = np.sqrt(n / 20), 1.0
    found = solve(objective(X, y))
    assert found.status is Status.DIVERGING
    assert found.solver.startswith("newton")
    ridged = objective(X, y, 1e-3)
    agree_with_newton(ridged, solve(ridged))


def test_an_unproven_estimate_of_many_columns_is_proved_on_all_rows() -> None:
    X = design(6_000, 200, seed=8)
    F = objective(X, outcome(X, np.full(200, 0.1)))
    assert not choose(6_000, 200).start
    found = solve(F)
    assert found.solver.startswith("quasi-newton")
    agree_with_newton(F, found)
    separated = objective(X, (X[:, 3] > 0.1).astype(float))
    assert solve(separated).status is Status.DIVERGING


def test_the_number_of_threads_changes_no_bit() -> None:
    X = design(60_000, 40)
    y = outcome(X, np.linspace(-1, 1, 40) / 3)
    answers = [solve(Objective(Blocks(Block(Dense(X), y), threads=k))).coef for k in (1, 2, 3, 8)]
    for other in answers[1:]:
        np.testing.assert_array_equal(other, answers[0])


def test_quasi_newton_stops_at_its_limit_with_an_honest_status() -> None:
    F = table(500)
    found = quasi_newton(F, np.zeros(8), lambda g: g, tolerance=1e-12, max_passes=2)
    assert found.status is Status.PASS_LIMIT
    np.testing.assert_array_equal(found.gradient, F(found.coef, 1).gradient)


def test_a_start_at_the_optimum_takes_no_step() -> None:
    F = table(500)
    best = newton(F, np.zeros(8)).coef
    found = quasi_newton(F, best, lambda g: g, tolerance=1e-9)
    assert found.converged
    np.testing.assert_array_equal(found.coef, best)


def correlated(n: int, p: int, share: float) -> Objective:
    """Normal columns of which every two correlate by ``share``."""
    random = np.random.default_rng(4)
    X = np.sqrt(1 - share) * random.standard_normal((n, p)) + np.sqrt(share) * random.standard_normal((n, 1))
    y = (random.random(n) < 1 / (1 + np.exp(-X @ random.normal(size=p) / np.sqrt(p)))).astype(float)
    return Objective(Blocks(Block(Dense(X), y)))


@pytest.mark.parametrize(("share", "own"), [(0.0, True), (0.3, False)])
def test_columns_that_hardly_correlate_need_no_guide_but_their_own_curvature(share: float, own: bool) -> None:
    F = correlated(60_000, 300, share)
    found = solve(F, tolerance=1e-9)
    assert isinstance(found, Descended)
    assert found.converged
    assert ("each column's own curvature" in found.solver) == own
    safe = newton(F, found.coef, patient=True)
    np.testing.assert_allclose(found.coef, safe.coef, atol=1e-7)


def test_columns_whose_dependence_the_probe_does_not_see_end_at_newtons_answer() -> None:
    F = correlated(60_000, 300, 0.0)
    X = F.blocks.all.columns.dense().copy()
    rare = np.arange(0, 60_000, 997)  # 61 rows in which all columns are one
    X[rare] = 30.0 * np.random.default_rng(5).standard_normal((len(rare), 1))
    F = Objective(Blocks(Block(Dense(X), F.blocks.all.y)))
    found = solve(F, tolerance=1e-9)
    assert found.converged
    np.testing.assert_allclose(found.coef, newton(F, found.coef, patient=True).coef, atol=1e-6)
