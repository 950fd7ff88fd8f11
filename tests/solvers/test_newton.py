"""Newton's method: few passes, an exact gradient, and an honest status."""

from __future__ import annotations

import numpy as np
import pytest

from passline.engine.blocks import Block, Blocks
from passline.engine.columns import Dense
from passline.engine.objective import Objective
from passline.solvers.base import Status, Step
from passline.solvers.estimate import start
from passline.solvers.linear import NotPositiveDefiniteError, inverse, solve
from passline.solvers.newton import newton, proves_overlap


def table(n: int, p: int, seed: int = 0, size: float = 1.0) -> Objective:
    """A standardised table with a known truth, whose outcomes overlap."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n), rng.normal(size=(n, p - 1))])
    w = size * rng.normal(size=p) / np.sqrt(p)
    y = (rng.random(n) < 1 / (1 + np.exp(-X @ w))).astype(float)
    return Objective(Blocks(Block(Dense(X), y)))


@pytest.mark.parametrize("size", [0.5, 2.0, 5.0])
@pytest.mark.parametrize(("n", "p"), [(300, 5), (5000, 20), (2000, 60)])
def test_twelve_passes_suffice_and_the_gradient_vanishes(n: int, p: int, size: float) -> None:
    F = table(n, p, size=size)
    found = newton(F, np.zeros(p))
    assert found.converged
    assert F.blocks.passes <= 12
    assert np.abs(F(found.coef, 1).gradient).max() < 1e-14
    assert np.abs(found.gradient).max() < 1e-14
    losses = np.array([step.loss for step in found.trace])
    assert (np.diff(losses) <= 1e-15 * n).all()


def test_every_step_is_reported() -> None:
    seen: list[Step] = []
    found = newton(table(200, 3), np.zeros(3), report=seen.append)
    assert tuple(seen) == found.trace
    assert seen[0].rows == 200


def test_a_long_table_starts_at_the_optimum_of_a_sample_and_then_needs_four_passes() -> None:
    F = table(120_000, 4)
    begin = start(F)
    assert begin.any()
    assert F.blocks.passes == 0
    found = newton(F, begin)
    assert found.converged
    assert F.blocks.passes <= 4
    cold = newton(F, np.zeros(4))
    np.testing.assert_allclose(found.coef, cold.coef, rtol=1e-11)


def test_a_short_table_starts_at_zero() -> None:
    assert not start(table(99_999, 4)).any()


def test_a_start_far_away_comes_back_by_the_line_search() -> None:
    F = table(300, 3)
    near, far = newton(F, np.zeros(3)), newton(F, np.array([40.0, -60.0, 50.0]))
    assert far.converged
    np.testing.assert_allclose(far.coef, near.coef, rtol=1e-10)


def test_separated_rows_are_diverging_and_never_converged() -> None:
    x = np.array([-1.0, 0.0, 1.0])
    F = Objective(Blocks(Block(Dense(np.column_stack([np.ones(3), x])), np.array([0.0, 0.0, 1.0]))))
    found = newton(F, np.zeros(2))
    assert found.status is Status.DIVERGING
    assert F.blocks.passes < 60


def test_a_pass_limit_is_a_status_of_its_own() -> None:
    assert newton(table(300, 5), np.zeros(5), max_steps=2).status is Status.PASS_LIMIT


def test_a_ridge_makes_even_separated_and_singular_rows_converge() -> None:
    x = np.array([-1.0, 0.0, 1.0])
    X = np.column_stack([np.ones(3), x, x])
    F = Objective(Blocks(Block(Dense(X), np.array([0.0, 0.0, 1.0]))), np.array([0.0, 1e-3, 1e-3]))
    found = newton(F, np.zeros(3), patient=True)
    assert found.converged
    assert found.coef[1] == pytest.approx(found.coef[2], rel=1e-9)
    assert np.abs(F(found.coef, 1).gradient).max() < 1e-12


@pytest.mark.parametrize("separated", [True, False])
def test_the_overlap_certificate_is_never_given_where_a_direction_separates(separated: bool) -> None:
    rng = np.random.default_rng(9)
    X = np.column_stack([np.ones(40), rng.normal(size=40)])
    y = (X[:, 1] > 0).astype(float)
    if not separated:
        y[:5] = 1 - y[:5]
    F = Objective(Blocks(Block(Dense(X), y)))
    w, given = np.zeros(2), False
    for _ in range(25):
        value = F(w, 2)
        step = solve(value.curvature, value.gradient)
        given = given or proves_overlap(F, step)
        w = w - step
        if given:
            break
    assert given is not separated


def test_systems_are_solved_whatever_the_scales_of_their_rows() -> None:
    rng = np.random.default_rng(1)
    A = rng.normal(size=(5, 5))
    d = np.array([1e-8, 1e8, 1.0, 1e4, 1e-3])
    H = (A @ A.T + np.eye(5)) * np.outer(d, d)
    g = rng.normal(size=5)
    plain = np.linalg.inv(A @ A.T + np.eye(5))
    np.testing.assert_allclose(d * solve(H, d * g), plain @ g, rtol=1e-9)
    np.testing.assert_allclose(inverse(H) * np.outer(d, d), plain, rtol=1e-9)
    np.testing.assert_allclose(solve(H, np.eye(5)), inverse(H), rtol=1e-9)


@pytest.mark.parametrize("H", [np.zeros((2, 2)), np.array([[1.0, 2.0], [2.0, 1.0]]), np.array([[np.nan]])])
def test_a_matrix_that_does_not_curve_everywhere_is_refused(H: np.ndarray) -> None:
    with pytest.raises(NotPositiveDefiniteError):
        solve(H, np.ones(len(H)))
