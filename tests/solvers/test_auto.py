"""The default solver: it takes the way with the least work, and whatever the fast way cannot settle goes to Newton."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from passline.engine.blocks import Block, Blocks
from passline.engine.columns import Dense
from passline.engine.objective import Objective
from passline.solvers import auto
from passline.solvers.auto import sample_rows, sampled, sampling_pays, solve
from passline.solvers.base import Status, Step
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


@pytest.mark.parametrize("l2", [None, 1e-8, 1e-2])
def test_a_long_table_goes_by_a_samples_curvature_to_newtons_answer(l2: float | None) -> None:
    F = table(l2=l2)
    seen: list[Step] = []
    found = solve(F, report=seen.append)
    assert found.solver == f"quasi-newton, curvature of {sample_rows(8):,} rows"
    assert F.blocks.passes <= 12
    assert tuple(seen) == found.trace
    assert {step.rows < F.blocks.n for step in found.trace} == {True, False}
    agree_with_newton(F, found)


def test_a_short_table_goes_by_newton() -> None:
    F = table(4 * sample_rows(8) - 1)
    assert solve(F).solver == "newton"


def test_a_sample_pays_on_long_tables_only() -> None:
    rows = sample_rows(50)
    assert sampling_pays(1_000_000, 50, rows)
    assert not sampling_pays(25_000, 50, rows)
    pays = [sampling_pays(n, 200, sample_rows(200)) for n in (20_000, 50_000, 200_000, 1_000_000, 10_000_000)]
    assert pays == sorted(pays)
    assert pays[-1]


def test_a_sample_separated_by_chance_goes_to_newton() -> None:
    # A rare group: those that the sample sees all pass, the others do not.
    F = table()
    X, y = F.blocks.all.columns.dense(), F.blocks.all.y
    seen = sample_places(F)
    others = np.setdiff1d(np.arange(len(y)), seen)[:40]
    X[:, 7] = 0.0
    X[seen[:40], 7], y[seen[:40]] = 1.0, 1.0
    X[others, 7], y[others] = 1.0, 0.0
    F = objective(X, y)
    first = newton(F.sample(sample_rows(8)), np.zeros(8), max_steps=25)
    assert first.status is Status.DIVERGING
    assert begun_fast(F)
    found = solve(F)
    assert found.solver == "newton"
    agree_with_newton(F, found)


def test_a_sample_of_one_class_goes_to_newton() -> None:
    F = table()
    y = np.zeros(F.blocks.n)
    at = np.flatnonzero(~np.isin(np.arange(F.blocks.n), sample_places(F)))[:40]
    y[at] = 1.0
    F = objective(F.blocks.all.columns.dense(), y)
    assert F.sample(sample_rows(8)).blocks.all.y.max() == 0.0
    found = solve(F)
    assert begun_fast(F)
    assert found.solver == "newton"
    agree_with_newton(F, found)


def sample_places(F: Objective) -> NDArray[np.int64]:
    n = F.blocks.n
    rows = Blocks(Block(Dense(np.arange(n, dtype=float)[:, None]), np.zeros(n)))
    return rows.sample(sample_rows(F.p)).all.columns.dense()[:, 0].astype(np.int64)


def test_a_column_that_the_sample_sees_as_zero_goes_to_newton() -> None:
    F = table()
    X, y = F.blocks.all.columns.dense(), F.blocks.all.y
    X[:, 3] = 0.0
    at = np.flatnonzero(~np.isin(np.arange(len(y)), sample_places(F)))[:200]
    X[at, 3] = 1.0
    F = objective(X, y)
    assert sampled(F, np.zeros(8), sample_rows(8), 1e-9) is None
    found = solve(F)
    assert begun_fast(F)
    assert found.solver == "newton"
    agree_with_newton(F, found)


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
    found = solve(F)
    assert begun_fast(F)
    assert found.solver == "newton"
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


def begun_fast(F: Objective) -> bool:
    """Whether the solver tries a sample's curvature before it falls back."""
    rows = sample_rows(F.p)
    return F.blocks.n >= 4 * rows and sampling_pays(F.blocks.n, F.p, rows)


@pytest.mark.parametrize("n", [200, 100_000])
def test_a_separated_table_never_converges(n: int) -> None:
    X = design(n, 8)
    found = solve(objective(X, (X[:, 1] > X[:, 2]).astype(float)))
    assert found.status is Status.DIVERGING
    assert found.solver == "newton"
    ridged = objective(X, (X[:, 1] > X[:, 2]).astype(float), 1e-3)
    agree_with_newton(ridged, solve(ridged))


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
