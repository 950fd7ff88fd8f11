"""Stochastic gradient descent: resumed runs, held-out rows, sparse rows, the certificate, and options out of range."""

from __future__ import annotations

import collections
import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy import sparse

from passline.engine.batches import Rows
from passline.engine.given import as_columns, as_labels, as_offset, as_weights
from passline.engine.views import Tensor
from passline.errors import DataError, NotConvergedError, OptionError
from passline.schedules import Constant, Cosine, InverseScaling, StepDecay
from passline.solvers.exact import certify
from passline.solvers.sgd import SGD, SGDResult, Stopped
from passline.solvers.stepping import SGDSettings, descend, make_state
from torch_descent import METHODS, table


def rows_of(X: Any, y: Any, weight: Any = None, offset: Any = None) -> Rows:
    columns = as_columns(X)
    n = columns.shape[0]
    weight, at = as_weights(weight, n)
    return Rows(columns, as_labels(y, n, classes=np.array([0, 1]), at=at)[0], weight, as_offset(offset, n, at), at)


def run(descent: SGD, X: Any, y: Any, weight: Any = None, offset: Any = None, **options: Any) -> SGDResult:
    return descent.run(rows_of(X, y, weight, offset), **options)


def both(result: SGDResult) -> Any:
    return np.append(result.coef, result.intercept)


def test_the_schedules_are_the_formulas_they_state() -> None:
    assert Constant().factor(10**6) == 1
    assert InverseScaling(100, 0.5).factor(300) == pytest.approx(0.5)
    assert [Cosine(10, 0.2).factor(t) for t in (0, 5, 10, 99)] == pytest.approx([1, 0.6, 0.2, 0.2])
    assert [StepDecay(3, 0.1).factor(t) for t in (0, 2, 3, 6)] == pytest.approx([1, 1, 0.1, 0.01])


@pytest.mark.parametrize(
    ("schedule", "torchs"),
    [
        (StepDecay(7, 0.5), lambda optimizer: torch.optim.lr_scheduler.StepLR(optimizer, 7, 0.5)),
        (Cosine(30, 0.1), lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 30, 0.2)),
    ],
)
def test_schedules_that_torch_has_are_torchs(schedule: Any, torchs: Any) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2.0)
    scheduler = torchs(optimizer)
    for t in range(30):
        assert 2.0 * schedule.factor(t) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12)
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("generator", ["seed", "torch"])
def test_a_resumed_run_is_bit_identical_to_one_that_was_never_stopped(method: Any, generator: str) -> None:
    X, y = table(dtype=np.float32)
    how = SGDSettings(method, rate=0.1, l2=0.01, schedule=InverseScaling(20), average_from=1)

    def source() -> Any:
        return 7 if generator == "seed" else torch.Generator().manual_seed(7)

    options: dict[str, Any] = {"batch_size": 50, "held_out": 0.2, "patience": 9}
    whole, first = SGD(how), SGD(how)
    expected = run(whole, X, y, epochs=5, generator=source(), **options)
    run(first, X, y, epochs=2, generator=source(), **options)
    second = SGD(how)
    second.load_state_dict({name: values.copy() for name, values in first.state_dict().items()})
    again = run(second, X, y, epochs=3, generator=source(), **options)
    assert both(again).tobytes() == both(expected).tobytes()
    assert (second.losses, second.held_out, second.steps) == (whole.losses, whole.held_out, whole.steps)


def test_run_after_run_is_one_run_and_a_state_holds_plain_arrays() -> None:
    X, y = table()
    whole = run(SGD(), X, y, epochs=5)
    parts = SGD()
    run(parts, X, y, epochs=3)
    state = parts.state_dict()
    assert both(run(parts, X, y, epochs=2)).tobytes() == both(whole).tobytes()
    assert all(type(values) is np.ndarray and values.dtype != object for values in state.values())
    loaded = SGD()
    loaded.load_state_dict(state)
    assert loaded.coef.tobytes() == run(SGD(), X, y, epochs=3).coef.tobytes()


@pytest.mark.parametrize("method", METHODS)
def test_partial_fit_of_batches_is_one_run_over_them(method: Any) -> None:
    X, y = table()
    how = SGDSettings(method, rate=0.1, l2=0.02, average_from=0)
    whole = run(SGD(how), X, y, epochs=1, batch_size=100, shuffle=False)
    fed = SGD(how)
    losses = [fed.partial_fit(rows_of(X[a : a + 100], y[a : a + 100])) for a in range(0, len(y), 100)]
    np.testing.assert_allclose(np.append(fed.coef, fed.intercept), both(whole), rtol=0, atol=1e-14)
    assert losses[0] == pytest.approx(math.log(2))


def test_partial_fit_takes_a_batch_of_one_class_and_of_one_row() -> None:
    fed = SGD(SGDSettings(rate=1.0))
    fed.partial_fit(rows_of(np.array([[2.0]]), np.array([1])))
    assert (fed.coef[0], fed.intercept) == (1.0, 0.5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_sparse_matrix_gives_what_the_dense_one_does(method: Any, dtype: Any) -> None:
    X, y = table(dtype=dtype)
    X[np.random.default_rng(1).random(X.shape) < 0.7] = 0
    how = SGDSettings(method, rate=0.1, l2=0.01, average_from=2)
    dense = run(SGD(how), X, y, epochs=4, batch_size=64, held_out=0.1)
    for kind in (sparse.csr_matrix, sparse.csr_array, sparse.csc_array):
        result = run(SGD(how), kind(X), y, epochs=4, batch_size=64, held_out=0.1)
        np.testing.assert_allclose(both(result), both(dense), rtol=0, atol=1e-12 if dtype == np.float64 else 1e-5)
        assert result.certificate is not None
        assert dense.certificate is not None
        close = 1e-9 if dtype == np.float64 else 1e-5
        assert result.certificate.gradient_norm == pytest.approx(dense.certificate.gradient_norm, abs=close)


def test_rows_held_out_are_not_trained_on() -> None:
    """A held-out row with a huge predictor would throw the coefficients."""
    X, y = table(n=50, p=2)
    descent = SGD()
    run(descent, X, y, epochs=1, held_out=0.4)
    _, held = descent._split(50, 0.4, None)
    assert held is not None
    assert len(held) == 20
    X2 = X.copy()
    X2[held] *= 100
    again = SGD()
    run(again, X2, y, epochs=1, held_out=0.4)
    np.testing.assert_array_equal(again._state.theta, descent._state.theta)  # type: ignore[union-attr]  # both ran


def gradient_norm(X: Any, y: Any, coef: Any, intercept: float, l2: float) -> float:
    """By autograd, with respect to columns standardised with all rows' means and spreads."""
    w = torch.tensor(np.append(coef, intercept), requires_grad=True)
    eta = torch.from_numpy(X) @ w[:-1] + w[-1]
    loss = torch.nn.functional.binary_cross_entropy_with_logits(eta, torch.from_numpy(y)) + l2 / 2 * (w[:-1] ** 2).sum()
    loss.backward()
    assert w.grad is not None
    g = w.grad.numpy()
    return float(max(*np.abs((g[:-1] - X.mean(0) * g[-1]) / X.std(0)), abs(g[-1])))


def test_the_certificate_is_the_exact_gradient_and_only_a_vanishing_one_is_called_converged() -> None:
    X, y = table(n=300, p=3)
    Z = X * [1, 1e3, 1e-3] + [0, 50, 1]
    for kind in (np.asarray, sparse.csr_array):
        result = run(SGD(SGDSettings(rate=1e-3, l2=0.1)), kind(Z), y, epochs=2)
        assert result.certificate is not None
        assert not result.certificate.converged
        assert "not the optimum" in result.sentence
        norm = gradient_norm(Z, y, result.coef, result.intercept, 0.1)
        assert result.certificate.gradient_norm == pytest.approx(norm, rel=1e-9)
    full = run(SGD(SGDSettings(rate=1.5, l2=0.1)), X, y, epochs=400, batch_size=300, shuffle=False)
    assert full.certificate is not None
    assert full.certificate.converged
    assert "; the optimum: " in full.sentence


def test_the_gap_is_how_far_the_objective_lies_above_its_least_value() -> None:
    X, y = table(n=3000, p=3)
    for l2 in (0.0, 0.1):
        rows = rows_of(X, y)
        best = run(SGD(SGDSettings(rate=1.0, l2=l2)), X, y, epochs=300, batch_size=3000, shuffle=False)
        found = certify(rows, best.coef + 0.05, best.intercept, l2=l2)
        assert best.certificate is not None
        assert best.certificate.converged
        assert found.gap == pytest.approx(found.loss - best.certificate.loss, rel=0.1)


def test_coefficients_on_the_way_to_infinity_are_not_called_converged_though_their_gradient_vanishes() -> None:
    X = np.linspace(-1, 1, 100)[:, None]
    y = (X[:, 0] > 0).astype(float)
    found = certify(rows_of(X, y), np.array([1e5]), 0.0)
    assert found.gradient_norm < 1e-8
    assert not found.converged
    assert certify(rows_of(X, y), np.array([0.0]), 0.0).gap == pytest.approx(0.375, abs=0.01)


def test_a_rate_that_is_too_large_is_a_status_with_advice_and_the_last_good_coefficients() -> None:
    X, y = table(n=300)
    descent = SGD(SGDSettings(rate=1e3, l2=1e3))
    result = run(descent, X, y, epochs=500, batch_size=10)
    assert result.stopped is Stopped.DIVERGED
    assert result.certificate is not None
    assert not result.certificate.converged
    assert "rate 1000 is too large" in result.sentence
    assert np.isfinite(both(result)).all()
    with pytest.raises(NotConvergedError, match="too large"):
        collections.deque((descent.partial_fit(rows_of(X, y)) for _ in range(1000)), maxlen=0)
    assert np.isfinite(descent.coef).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, torch.from_numpy])
def test_a_value_that_is_no_number_is_named_and_not_taken_for_a_large_rate(bad: float, kind: Any) -> None:
    X, y = table(n=300)
    X[123, 4] = bad
    with pytest.raises(DataError, match="row 123, column 4"):
        run(SGD(), kind(X), y)


@pytest.mark.parametrize(
    "option",
    [
        {"rate": 0}, {"rate": math.nan}, {"method": "adamw"}, {"momentum": 1.0}, {"betas": (0.9, 1.0)}, {"eps": 0},
        {"l2": -1}, {"l2": math.inf}, {"l2": math.nan}, {"average_from": -1}, {"momentum": "a"}, {"betas": 0.9},
        {"betas": (0.9, 0.99, 0.999)}, {"schedule": "cosine"}, {"rate": "a"}, {"rate": True},
    ],
)  # fmt: skip
def test_a_setting_outside_its_range_is_refused(option: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        SGDSettings(**option)


@pytest.mark.parametrize(
    "option",
    [
        {"epochs": 0}, {"batch_size": 0}, {"batch_size": 2.5}, {"held_out": 1.0}, {"held_out": 1e-9}, {"patience": 0},
        {"generator": "seed"}, {"generator": -1}, {"held_out": "a"},
    ],
)  # fmt: skip
def test_an_option_of_a_run_outside_its_range_is_refused(option: dict[str, Any]) -> None:
    X, y = table(n=50)
    with pytest.raises(OptionError):
        run(SGD(), X, y, **option)


def test_a_state_of_another_method_or_width_or_one_with_holes_is_refused() -> None:
    X, y = table(n=50)
    descent = SGD(SGDSettings("adam"))
    with pytest.raises(OptionError, match="no state yet"):
        descent.state_dict()
    descent.partial_fit(rows_of(X, y))
    state = descent.state_dict()
    with pytest.raises(OptionError, match="'adam'"):
        SGD().load_state_dict(state)
    with pytest.raises(OptionError, match="lacks second"):
        SGD(SGDSettings("adam")).load_state_dict({k: v for k, v in state.items() if k != "second"})
    for name, values in (
        ("theta", state["theta"][None]), ("total", state["total"][:3]), ("second", state["second"] * np.nan),
        ("counts", np.array([1, 2])), ("counts", -state["counts"] - 1), ("seed", np.array([1, 2])),
        ("best", np.zeros(2)), ("best_loss", np.array("a")), ("losses", np.array([["a"]])),
    ):  # fmt: skip
        with pytest.raises(OptionError, match="the state"):
            SGD(SGDSettings("adam")).load_state_dict({**state, name: values})
    with pytest.raises(DataError, match="7 coefficients"):
        descent.partial_fit(rows_of(X[:, :3], y))


def test_rows_of_weight_zero_are_as_if_they_were_not_there() -> None:
    X, y = table(n=200)
    weight = np.ones(200)
    weight[::3] = 0
    result = run(SGD(), X, y, weight, epochs=3, shuffle=False, batch_size=20)
    without = run(SGD(), X[weight > 0], y[weight > 0], epochs=3, shuffle=False, batch_size=20)
    np.testing.assert_allclose(both(result), both(without), rtol=0, atol=1e-14)
    assert result.certificate is not None
    assert without.certificate is not None
    assert result.certificate.gradient_norm == pytest.approx(without.certificate.gradient_norm, rel=1e-9)


def test_without_an_intercept_it_stays_where_it_began() -> None:
    X, y = table(n=200)
    result = run(SGD(SGDSettings("adam", intercept=False)), X, y, epochs=2)
    assert result.intercept == 0
    assert result.certificate is not None


@pytest.mark.parametrize("method", METHODS)
def test_torch_arrays_take_the_same_steps_as_numpys(method: Any) -> None:
    """The way of tensors on another device, walked here with tensors of this one."""
    X, y = table()
    weight, offset = np.random.default_rng(0).uniform(0.5, 2, (2, len(y)))
    how = SGDSettings(method, rate=0.1, l2=0.01, average_from=0, standardise=True)
    numpys = rows_of(X, y, weight, offset)
    torchs = Rows(Tensor(torch.from_numpy(X)), numpys.y, numpys.weight, numpys.offset)
    order = np.random.default_rng(1).permutation(len(y))
    answers = []
    for rows in (numpys, torchs):
        state = make_state(how, rows, np.zeros(8), {})
        loss = descend(state, how, rows, order, 64)
        answers.append(np.append(state.answer(), loss))
    np.testing.assert_allclose(answers[1], answers[0], rtol=0, atol=1e-13)
    certificates = [certify(rows, answers[0][:7], answers[0][7], l2=0.1) for rows in (numpys, torchs)]
    assert certificates[1].gradient_norm == pytest.approx(certificates[0].gradient_norm, rel=1e-10)
