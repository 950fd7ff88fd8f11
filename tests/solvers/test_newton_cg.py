"""Truncated Newton: Newton's answer from products alone, few of them, and never a word of an estimate that is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import sparse

import passline
from passline.engine.blocks import Block, Blocks
from passline.engine.columns import Columns, Dense
from passline.engine.given import standardised
from passline.engine.objective import Objective
from passline.engine.sparse import Sparse
from passline.errors import SeparationWarning
from passline.solvers import auto
from passline.solvers.auto import solve
from passline.solvers.base import Status, Step
from passline.solvers.newton import newton
from passline.solvers.newton_cg import newton_cg, one_sided, rough_rows

Floats = NDArray[np.float64]


def outcome(eta: Floats, seed: int = 1) -> Floats:
    return (np.random.default_rng(seed).random(len(eta)) < 1 / (1 + np.exp(-eta))).astype(float)


def objective(columns: Columns, y: Floats, l2: float | None = None) -> Objective:
    p = columns.shape[1]
    return Objective(Blocks(Block(columns, y)), None if l2 is None else np.r_[0.0, np.full(p - 1, l2)])


def wide(kind: str, n: int = 1500, p: int = 40, l2: float | None = None) -> Objective:
    rng = np.random.default_rng(4)
    S = sparse.random_array((n, p), density=0.2, format="csr", rng=rng)
    S = sparse.hstack([np.ones((n, 1)), S]).tocsr()
    y = outcome(S @ rng.normal(size=p + 1))
    return objective(Sparse(S) if kind == "sparse" else Dense(S.toarray()), y, l2)


def agree_with_newton(F: Objective, found: Any) -> None:
    plain = newton(F, np.zeros(F.p), patient=F.ridge is not None)
    assert found.converged
    np.testing.assert_allclose(found.coef, plain.coef, atol=1e-7)
    assert np.abs(F(found.coef, 1).gradient).max() <= 1e-8


@pytest.mark.parametrize("l2", [None, 1e-6, 1e-1])
@pytest.mark.parametrize("kind", ["sparse", "dense"])
def test_products_lead_to_newtons_answer(kind: str, l2: float | None) -> None:
    F = wide(kind, l2=l2)
    seen: list[Step] = []
    found = newton_cg(F, np.zeros(41), tolerance=1e-10, report=seen.append)
    assert tuple(seen) == found.trace
    agree_with_newton(F, found)


def test_sparse_tables_of_few_columns_form_the_curvature_and_others_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    F = wide("sparse")
    assert solve(F).solver == "newton"
    monkeypatch.setattr(auto, "NARROW", 30)
    assert solve(F).solver == "newton-cg, curvature by products"
    assert solve(wide("dense")).solver == "newton"


def test_products_and_the_diagonal_are_those_of_the_curvature() -> None:
    rng = np.random.default_rng(5)
    for kind in ("sparse", "dense"):
        F = wide(kind, l2=0.3)
        w, v = rng.normal(size=41), rng.normal(size=41)
        H = np.asarray(F(w, 2).curvature)
        near, value = F.near(w), F(w, 1)
        np.testing.assert_allclose(near.product(v), H @ v, rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(near.diagonal(), np.diagonal(H), rtol=1e-11)
        np.testing.assert_allclose(near.gradient, value.gradient, rtol=1e-12, atol=1e-15)
        assert near.loss == pytest.approx(float(value.loss), rel=1e-14)
        assert F.loss(w, near.eta) == pytest.approx(near.loss, rel=1e-14)


def test_weights_and_offsets_count_in_products_and_along_a_step() -> None:
    rng = np.random.default_rng(6)
    F = wide("sparse")
    block = F.blocks.all
    G = Objective(Blocks(Block(block.columns, block.y, rng.random(1500) + 0.5, rng.normal(size=1500))))
    w, v = rng.normal(size=41), rng.normal(size=41)
    near = G.near(w)
    np.testing.assert_allclose(near.product(v), np.asarray(G(w, 2).curvature) @ v, rtol=1e-11, atol=1e-13)
    assert G.loss(w, near.eta) == pytest.approx(float(G(w, 0).loss), rel=1e-14)
    agree_with_newton(G, newton_cg(G, np.zeros(41), tolerance=1e-10))


def test_a_start_at_the_optimum_takes_no_step() -> None:
    F = wide("sparse", l2=1e-3)
    best = newton(F, np.zeros(41), patient=True).coef
    found = newton_cg(F, best, tolerance=1e-9)
    assert found.converged
    np.testing.assert_array_equal(found.coef, best)


def test_limits_end_with_an_honest_status_and_gradient() -> None:
    F = wide("sparse")
    for limits in ({"max_products": 1}, {"max_steps": 2}):
        found = newton_cg(F, np.zeros(41), tolerance=1e-12, **limits)
        assert found.status is Status.PASS_LIMIT
        np.testing.assert_allclose(found.gradient, F(found.coef, 1).gradient, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("n", [2000, 20_000])
def test_independent_sparse_columns_take_few_passes(n: int) -> None:
    rng = np.random.default_rng(0)
    p = n // 4
    S = sparse.csr_array(
        (rng.normal(size=n * 20), rng.integers(0, p, n * 20, dtype=np.int32), np.arange(0, n * 20 + 1, 20))
    )
    y = outcome(S @ rng.normal(size=p) / 4)
    model = passline.LogisticRegression(C=1e5 / n).fit(S, y)
    assert model.certificate_["solver"] == "newton-cg, curvature by products"
    assert model.certificate_["gradient_norm"] <= 2.5e-9
    assert model.certificate_["passes"] <= 46


@pytest.mark.parametrize("shares", ["complete", "quasi"])
def test_products_alone_do_not_call_a_separated_table_converged(shares: str) -> None:
    F = wide("sparse", n=400, p=3)
    X, y = F.blocks.all.columns.dense(), F.blocks.all.y.copy()
    if shares == "complete":
        y = (X @ [-0.05, 1.0, -1.0, 0.2] > 0).astype(float)
    else:
        y[X[:, 1] > 0] = 1.0
    G = Objective(Blocks(Block(F.blocks.all.columns, y)))
    found = newton_cg(G, np.zeros(4), tolerance=1e-9)
    assert found.status is Status.DIVERGING
    assert newton(G, np.zeros(4)).status is Status.DIVERGING


def test_more_columns_than_information_separate_and_end_soon() -> None:
    # Every second row has a column of its own: those rows can be fitted at will.
    n = 4000
    S = sparse.hstack([sparse.eye_array(n).tocsc()[:, ::2], np.random.default_rng(0).normal(size=(n, 1))]).tocsr()
    y = (np.arange(n) % 3 == 0).astype(int)
    with pytest.warns(SeparationWarning, match="quasi-completely separated"):
        model = passline.LogisticRegression(C=np.inf).fit(S, y)
    assert model.certificate_["passes"] < 200
    ridged = passline.LogisticRegression(C=100.0).fit(S, y)
    assert ridged.certificate_["converged"]


def test_a_quasi_separation_of_two_columns_together_is_not_called_an_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    # Neither column is one-sided; their difference is zero or positive, and then y is 1.
    monkeypatch.setattr(auto, "NARROW", 1)
    rng = np.random.default_rng(3)
    a = rng.random(3000) < 0.02
    b = a & (rng.random(3000) < 0.5)
    y = np.where(a & ~b, 1, rng.integers(0, 2, 3000))
    X = sparse.csr_array(np.column_stack([a, b, rng.normal(size=3000)]).astype(float))
    with pytest.warns(SeparationWarning, match="quasi-completely separated.*'x0', 'x1' are infinite"):
        model = passline.LogisticRegression(C=np.inf).fit(X, y)
    assert not model.certificate_["converged"]


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 60), st.integers(1, 12), st.integers(0, 2**31), st.sampled_from([1e-6, 1e-3, 1.0]))
def test_any_sparse_table_with_a_ridge_has_newtons_optimum(n: int, p: int, seed: int, l2: float) -> None:
    rng = np.random.default_rng(seed)
    X = sparse.csr_array(rng.integers(-1, 2, size=(n, p)) * rng.choice([0.01, 1.0, 30.0], size=p))
    y = rng.integers(0, 2, n).astype(float)
    F = Objective(Blocks(Block(standardised(Sparse(X), True), y)), np.r_[0.0, np.full(p, l2)])
    found = newton_cg(F, np.zeros(p + 1), tolerance=1e-9)
    if 0 < y.sum() < n:
        assert found.converged
        best = newton(F, np.zeros(p + 1), patient=True)
        assert np.abs(found.gradient).max() <= 1e-9
        assert found.loss == pytest.approx(best.loss, abs=1e-12)


def test_a_rare_outcomes_coefficients_are_as_exact_as_a_common_ones() -> None:
    rng = np.random.default_rng(2)
    n, p = 20_000, 120
    X = sparse.random_array((n, p), density=0.05, rng=rng, format="csr")
    y = outcome(X @ rng.normal(size=p) - 7)
    F = Objective(Blocks(Block(standardised(Sparse(X), True), y)), np.r_[0.0, np.full(p, 1e-6)])
    found = newton_cg(F, np.zeros(p + 1), tolerance=2.5e-9)
    best = newton(F, np.zeros(p + 1), patient=True)
    assert y.mean() < 5e-3
    np.testing.assert_allclose(found.coef, best.coef, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("kind", [np.float32, np.float64, bool])
def test_products_in_single_precision_lead_to_the_same_exact_gradient(kind: type) -> None:
    rng = np.random.default_rng(0)
    n, p, k = 30_000, 3000, 8
    values = np.ones(n * k) if kind is bool else rng.normal(size=n * k)
    X = sparse.csr_array(
        (values.astype(kind), rng.integers(0, p, n * k, dtype=np.int32), np.arange(0, n * k + 1, k)), shape=(n, p)
    )
    y = outcome(X.astype(np.float64) @ rng.normal(size=p) / 2)
    F = Objective(Blocks(Block(standardised(Sparse(X), True), y)), np.r_[0.0, np.full(p, 1e-4)])
    near, rough = F.near(np.zeros(p + 1)), rough_rows(F)
    assert rough is not None
    v = rng.normal(size=p + 1)
    single = replace(near, rows=rough.with_weight(near.rows.all.weight)).product(v)
    exact = near.product(v)
    assert 0 < np.abs(single - exact).max() < 1e-5 * np.abs(exact).max()
    found = newton_cg(F, np.zeros(p + 1), tolerance=1e-9)
    assert found.converged
    assert np.abs(F(found.coef, 1).gradient).max() <= 1e-9


def test_scales_that_single_precision_does_not_hold_keep_double() -> None:
    X = sparse.random_array((500, 200), density=0.1, format="csr", rng=np.random.default_rng(0))
    for size in (1e-30, 1e30):
        F = Objective(
            Blocks(Block(standardised(Sparse(X * size), True), np.arange(500) % 2.0)), np.r_[0.0, np.ones(200)]
        )
        assert rough_rows(F) is None
        assert newton_cg(F, np.zeros(201), tolerance=1e-9).converged


SIDES = st.lists(st.tuples(st.sampled_from([-2.0, -1.0, 0.0, 0.5]), st.booleans()), min_size=2, max_size=8)


@settings(max_examples=80, deadline=None)
@given(SIDES)
def test_one_sided_columns_are_those_that_a_coefficient_separates(rows: list[tuple[float, bool]]) -> None:
    x, y = np.array([r[0] for r in rows]), np.array([float(r[1]) for r in rows])
    X = sparse.csr_array(np.column_stack([x, np.ones(len(x))]))
    toward = x * (2 * y - 1)
    expected = bool(toward.any() and ((toward >= 0).all() or (toward <= 0).all()))
    constant = len(set(y)) == 1
    F = Objective(Blocks(Block(standardised(Sparse(X), True), y)))
    assert one_sided(F) == (expected or constant)
    assert not one_sided(Objective(F.blocks, np.ones(3)))


def test_a_long_truncated_step_is_shortened_without_passes() -> None:
    # One far start from which a whole Newton step overshoots.
    x = np.linspace(-1, 1, 400)
    F = objective(Dense(np.column_stack([np.ones(400), x])), outcome(4 * x))
    far = np.array([0.0, -9.0])
    found = newton_cg(F, far, tolerance=1e-10)
    assert found.converged
    assert min(step.length for step in found.trace) < 1
    agree_with_newton(F, found)
