"""The l1 penalty: scikit-learn's minimum and a general method's, exact zeros, and a gap that is an upper bound."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize

from passline.engine.blocks import Block, Blocks
from passline.engine.columns import Columns, Dense
from passline.engine.given import standardised
from passline.engine.objective import Objective
from passline.engine.sparse import Sparse
from passline.solvers.base import Status, Step
from passline.solvers.duality import duality_gap
from passline.solvers.elastic_net import GAP, Sparsified, elastic_net, intercept_alone

Floats = NDArray[np.float64]


def outcome(eta: Floats, seed: int = 1) -> Floats:
    return (np.random.default_rng(seed).random(len(eta)) < 1 / (1 + np.exp(-eta))).astype(float)


def table(n: int, p: int, seed: int = 0, correlation: float = 0.5) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    for j in range(1, p):
        X[:, j] = correlation * X[:, j - 1] + np.sqrt(1 - correlation**2) * X[:, j]
    truth = np.where(np.arange(p) % 4 == 0, rng.normal(size=p), 0.0)
    eta = X @ truth
    return X, outcome(2.0 * eta / eta.std(), seed)


def problem(
    X: Any, y: Floats, l2: float = 0.0, *, intercept: bool = True, weight: Any = None, offset: Any = None
) -> Objective:
    """Columns as they are given, an intercept in front."""
    k = int(intercept)
    if sparse.issparse(X):
        whole = sparse.hstack([np.ones((len(y), 1)), X]).tocsr() if intercept else X.tocsr()
        columns: Columns = Sparse(whole)
    else:
        columns = Dense(np.column_stack([np.ones(len(y)), X]) if intercept else X)
    ridge = np.r_[np.zeros(k), np.full(X.shape[1], l2)] if l2 else None
    return Objective(Blocks(Block(columns, y, weight, offset)), ridge)


def penalty(F: Objective, l1: float, *, intercept: bool = True) -> Floats:
    return np.r_[np.zeros(int(intercept)), np.full(F.p - int(intercept), l1)]


def solved(F: Objective, l1: Floats, tolerance: float = 1e-9, **more: Any) -> Sparsified:
    found = elastic_net(F, l1, tolerance=tolerance, start=np.zeros(F.p), **more)
    assert found.status is Status.CONVERGED
    return found


def value(F: Objective, l1: Floats, w: Floats) -> float:
    return float(F(w, 0).loss) + float(l1 @ np.abs(w))


def largest(F: Objective) -> float:
    """The least l1 at which every coefficient is zero."""
    w = np.zeros(F.p)
    w[0], _ = intercept_alone(F)
    return float(np.abs(np.asarray(F(w, 1).gradient)[1:]).max())


def by_a_general_method(F: Objective, l1: Floats) -> float:
    """The minimum over w = u - v with u, v >= 0: smooth, so that L-BFGS-B finds it."""
    free = l1 == 0

    def split(uv: Floats) -> tuple[float, Floats]:
        w = uv[: F.p] - uv[F.p :]
        at = F(w, 1)
        g = np.asarray(at.gradient)
        return float(at.loss) + float(l1 @ (uv[: F.p] + uv[F.p :])), np.r_[g + l1, -g + l1]

    bounds = [(0.0, None)] * (2 * F.p)
    found = minimize(
        split,
        np.zeros(2 * F.p),
        jac=True,
        bounds=bounds,
        method="L-BFGS-B",
        options={"maxiter": 100_000, "maxfun": 200_000, "ftol": 1e-16, "gtol": 1e-12, "maxcor": 50},
    )
    assert free.sum() <= 1
    return float(found.fun)


KINDS = [(0.05, 0.0), (0.002, 0.0), (1e-5, 0.0), (0.02, 0.05), (1e-4, 1.0)]


@pytest.mark.parametrize(("l1", "l2"), KINDS)
@pytest.mark.parametrize("shape", [(300, 6), (60, 90), (200, 170)])
def test_no_general_method_finds_a_lower_value(shape: tuple[int, int], l1: float, l2: float) -> None:
    F = problem(*table(*shape), l2)
    each = penalty(F, l1)
    found = solved(F, each)
    other = by_a_general_method(F, each)
    assert found.loss == pytest.approx(value(F, each, found.coef), abs=1e-14)
    assert found.loss <= other + 1e-10
    assert other - found.loss <= 1e-4  # it is slow, but the problem is the same


@pytest.mark.parametrize(("l1", "ratio"), [(0.05, 1.0), (0.004, 1.0), (0.02, 0.5), (0.01, 0.1)])
def test_the_answer_is_scikit_learns(l1: float, ratio: float) -> None:
    from sklearn.linear_model import LogisticRegression

    X, y = table(400, 12)
    F = problem(X, y, l1 * (1 - ratio) / ratio)
    found = solved(F, penalty(F, l1))
    theirs = LogisticRegression(C=ratio / (400 * l1), l1_ratio=ratio, solver="saga", tol=1e-12, max_iter=100_000)
    theirs.fit(X, y)
    np.testing.assert_allclose(found.coef, np.r_[theirs.intercept_, theirs.coef_[0]], atol=1e-7)
    np.testing.assert_array_equal(found.coef[1:] == 0, np.abs(theirs.coef_[0]) < 1e-12)


@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_a_coefficient_is_zero_or_its_gradient_is_the_penalty(l2: float) -> None:
    X, y = table(500, 30)
    F = problem(X, y, l2)
    w = solved(F, penalty(F, 0.01), 1e-11).coef
    mu = 1 / (1 + np.exp(-(w[0] + X @ w[1:])))
    gradient = X.T @ (mu - y) / 500 + l2 * w[1:]
    zero = w[1:] == 0
    assert 5 < zero.sum() < 29
    assert (np.abs(gradient[zero]) <= 0.01 + 1e-10).all()
    np.testing.assert_allclose(gradient[~zero], -0.01 * np.sign(w[1:][~zero]), atol=1e-10)
    assert abs((mu - y).mean()) < 1e-10


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    l1=st.floats(1e-6, 0.3),
    l2=st.sampled_from([0.0, 1e-6, 0.1]),
    shape=st.sampled_from([(8, 3), (40, 5), (12, 30)]),
    intercept=st.booleans(),
    weighted=st.booleans(),
    shifted=st.booleans(),
    size=st.floats(0.0, 3.0),
)
def test_the_gap_is_never_less_than_what_is_left_to_gain(**drawn: Any) -> None:
    seed, l1, l2, shape, intercept = (drawn[name] for name in ("seed", "l1", "l2", "shape", "intercept"))
    rng = np.random.default_rng(seed)
    n, p = shape
    X, y = rng.normal(size=(n, p)), rng.random(n) if seed % 3 == 0 else np.r_[0.0, 1.0, rng.integers(0, 2, n - 2)]
    weight = rng.random(n) + 0.1 if drawn["weighted"] else None
    F = problem(X, y, l2, intercept=intercept, weight=weight, offset=rng.normal(size=n) if drawn["shifted"] else None)
    each = penalty(F, l1, intercept=intercept)
    best = solved(F, each)
    assert best.gap >= 0.0
    w = best.coef + drawn["size"] * rng.normal(size=F.p)
    gap = duality_gap(F, each, w, F.near(w).eta)
    assert gap >= value(F, each, w) - best.loss - 1e-12
    assert best.loss - best.gap <= value(F, each, w) + 1e-12


def test_the_gap_closes_with_the_distance() -> None:
    F = problem(*table(300, 10))
    each = penalty(F, 0.01)
    best = solved(F, each, 1e-12)
    gaps = []
    for step in (1e-2, 1e-4, 1e-6):
        w = np.where(best.coef != 0, best.coef + step, 0.0)
        gaps.append(duality_gap(F, each, w, F.near(w).eta))
    assert gaps[0] > 10 * gaps[1] > 100 * gaps[2] > 0
    assert gaps[2] < 1e-5
    assert best.gap < 1e-10


def test_at_the_largest_penalty_the_intercept_is_alone_and_exact() -> None:
    X, y = table(300, 20)
    F = problem(X, y)
    top = largest(F)
    for l1 in (top, 1.5 * top, 1e6, 1e300, np.inf):
        passes = F.blocks.passes
        found = solved(F, penalty(F, l1))
        assert F.blocks.passes - passes == 2  # one gradient, and one for the gap
        assert not found.coef[1:].any()
        assert found.coef[0] == np.log(y.sum()) - np.log((1 - y).sum())
        assert found.gap <= 1e-15
    just_below = solved(F, penalty(F, 0.99 * top))
    assert np.count_nonzero(just_below.coef[1:]) == 1


def test_sparse_columns_give_the_same_answer_as_dense_ones() -> None:
    rng = np.random.default_rng(3)
    X = sparse.random_array((400, 1000), density=0.02, format="csr", rng=rng)
    y = outcome(X @ rng.normal(size=1000) * 3)
    F, D = problem(X, y), problem(X.toarray(), y)
    l1 = penalty(F, 0.05 * largest(F))
    a, b = solved(F, l1), solved(D, l1)
    assert 10 < np.count_nonzero(a.coef) < 500
    np.testing.assert_allclose(a.coef, b.coef, atol=1e-9)


def test_standardised_columns_without_a_copy_give_the_same_answer_on_a_working_set() -> None:
    X, y = table(150, 400)
    X = X * np.linspace(1, 50, 400) + 3.0
    for given_as in (Dense(X), Sparse(sparse.csr_array(X))):
        S = standardised(given_as, True)
        F = Objective(Blocks(Block(S, y)))
        D = Objective(Blocks(Block(Dense(S.dense()), y)))
        l1 = penalty(F, 0.1 * largest(F))
        a = solved(F, l1)
        assert 1 < np.count_nonzero(a.coef) < 150
        np.testing.assert_allclose(a.coef, solved(D, l1).coef, atol=1e-9)


def test_a_row_of_weight_two_is_the_row_twice() -> None:
    X, y = table(120, 8)
    weight = np.where(np.arange(120) % 3 == 0, 2.0, 1.0)
    twice = np.repeat(np.arange(120), weight.astype(int))
    F, D = problem(X, y, weight=weight), problem(X[twice], y[twice])
    a, b = solved(F, penalty(F, 0.01)), solved(D, penalty(D, 0.01))
    np.testing.assert_allclose(a.coef, b.coef, atol=1e-9)
    assert a.loss == pytest.approx(b.loss, abs=1e-14)


def test_the_order_of_rows_does_not_matter() -> None:
    X, y = table(200, 40)
    order = np.random.default_rng(5).permutation(200)
    F, D = problem(X, y), problem(X[order], y[order])
    np.testing.assert_allclose(solved(F, penalty(F, 0.005)).coef, solved(D, penalty(D, 0.005)).coef, atol=1e-9)


def test_the_same_run_gives_the_same_bits() -> None:
    F = problem(*table(200, 300))
    a, b = solved(F, penalty(F, 0.005)), solved(F, penalty(F, 0.005))
    np.testing.assert_array_equal(a.coef, b.coef)
    assert a.gap == b.gap


@pytest.mark.parametrize("factor", [1e-6, 1e6, 1e12])
def test_a_rescaled_column_with_its_penalty_rescaled_is_the_same_column(factor: float) -> None:
    X, y = table(200, 6)
    F, l1 = problem(X, y), penalty(problem(X, y), 0.01)
    Z, other = X.copy(), l1.copy()
    Z[:, 0] *= factor
    other[1] *= factor
    D = problem(Z, y)
    a = solved(F, l1)
    b = elastic_net(D, other, tolerance=1e-9 * max(1.0, factor), start=np.zeros(D.p))
    assert a.coef[1] != 0
    assert b.coef[1] * factor == pytest.approx(a.coef[1], rel=1e-6)


def test_copies_and_constants_are_no_trouble() -> None:
    X, y = table(200, 5)
    F = problem(X, y)
    alone = solved(F, penalty(F, 0.01))
    Z = np.column_stack([X, X[:, 0], 0.5 * X[:, 1], np.zeros(200), np.full(200, 1.0)])
    D = problem(Z, y)
    found = solved(D, penalty(D, 0.01))
    # Halved copies cost twice as much, a constant costs and the intercept does not.
    assert found.loss == pytest.approx(alone.loss, abs=1e-10)
    np.testing.assert_array_equal(found.coef[-3:], 0.0)
    assert found.coef[1] + found.coef[6] == pytest.approx(alone.coef[1], abs=1e-6)


@pytest.mark.parametrize("l1", [1e-1, 1e-3, 1e-6, 1e-9])
def test_a_separated_outcome_has_a_finite_estimate(l1: float) -> None:
    x = np.arange(6.0)[:, None] - 2.5
    y = (x[:, 0] > 0).astype(float)
    F = problem(x, y)
    found = solved(F, penalty(F, l1))
    # By symmetry the intercept is zero, and one equation is left for the slope.
    slope = found.coef[1]
    assert abs(found.coef[0]) < 1e-9 * max(1.0, slope)
    if found.coef[1]:
        assert np.mean(np.abs(x[:, 0]) / (1 + np.exp(slope * np.abs(x[:, 0])))) == pytest.approx(l1, rel=2e-4)


def test_columns_that_nearly_repeat_each_other_converge() -> None:
    x = np.linspace(0, 1, 100)
    X = np.vander(x, 12)[:, :-1]
    F = Objective(Blocks(Block(standardised(Dense(X), True), outcome(4 * x - 2, 5))))
    for l1 in (1e-2, 1e-4, 1e-6):
        found = solved(F, penalty(F, l1))
        assert found.gap <= GAP


@pytest.mark.parametrize(
    ("shape", "l1", "most"), [((300, 6), 0.01, 10), ((2000, 60), 1e-4, 12), ((100, 1000), 0.02, 20)]
)
def test_few_steps_are_enough(shape: tuple[int, int], l1: float, most: int) -> None:
    F = problem(*table(*shape))
    seen: list[Step] = []
    found = solved(F, penalty(F, l1), report=seen.append)
    assert len(seen) == len(found.trace) <= most


def test_a_limit_of_passes_is_a_status_with_its_gap() -> None:
    F = problem(*table(300, 20))
    each = penalty(F, 1e-3)
    found = elastic_net(F, each, tolerance=1e-9, start=np.zeros(F.p), max_passes=3)
    assert found.status is Status.PASS_LIMIT
    assert not found.converged
    assert found.gap >= found.loss - solved(F, each).loss > 0


def test_a_start_at_the_answer_takes_no_step() -> None:
    F = problem(*table(300, 20))
    each = penalty(F, 1e-3)
    best = solved(F, each, 1e-12)
    again = elastic_net(F, each, tolerance=1e-9, start=best.coef)
    assert len(again.trace) == 1
    np.testing.assert_array_equal(again.coef, best.coef)


def test_curvature_by_products_gives_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    F = problem(*table(300, 20))
    each = penalty(F, 2e-3)
    best = solved(F, each)
    monkeypatch.setattr("passline.solvers.elastic_net.WIDEST", 5)
    found = solved(F, each)
    np.testing.assert_allclose(found.coef, best.coef, atol=1e-7)
    np.testing.assert_array_equal(found.coef == 0, best.coef == 0)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_one_class_alone_ends_at_its_own_side(label: float) -> None:
    X, _ = table(30, 3)
    F = problem(X, np.full(30, label))
    found = solved(F, penalty(F, 0.1))
    assert not found.coef[1:].any()
    assert found.coef[0] * (2 * label - 1) > 30


def test_rows_that_their_offsets_explain_leave_nothing_to_do() -> None:
    X, y = table(50, 3)
    F = problem(X, y, offset=1000.0 * (2 * y - 1))
    found = solved(F, penalty(F, 0.1))
    assert not found.coef[1:].any()
    assert found.gap <= 1e-15
