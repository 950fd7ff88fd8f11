"""Stochastic gradient descent: torch.optim's trajectories, resumed runs, held-out rows, sparse rows, and bad input."""

from __future__ import annotations

import collections
import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy import sparse

from passline.engine.arrays import make_rows
from passline.engine.batches import Rows
from passline.errors import DataError, NoRowsError, NotConvergedError, OneClassError, OptionError
from passline.solvers.exact import certify
from passline.solvers.schedules import Constant, Cosine, InverseScaling, Schedule, StepDecay
from passline.solvers.sgd import SGD, SGDResult, SGDSettings, Stopped
from passline.solvers.stepping import descend, make_state

METHODS = ("sgd", "momentum", "nesterov", "adam")


def table(n: int = 1003, p: int = 7, seed: int = 0, dtype: Any = np.float64) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    y = rng.random(n) < 1 / (1 + np.exp(-(X @ rng.standard_normal(p) + 0.3)))
    return X.astype(dtype), y.astype(dtype)


def torch_optimizer(method: str, groups: Any, rate: float) -> torch.optim.Optimizer:
    if method == "adam":
        return torch.optim.Adam(groups, lr=rate)
    return torch.optim.SGD(groups, lr=rate, momentum=0.0 if method == "sgd" else 0.9, nesterov=method == "nesterov")


def torch_loop(
    X: Any, y: Any, method: str, *, rate: float, epochs: int, size: int,
    l2: float = 0.0, weight: Any = None, offset: Any = None, seed: int = 5, schedule: Schedule | None = None,
) -> Any:  # fmt: skip
    """A plain loop with autograd; coefficients and intercept, the mean loss of each epoch."""
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    w = torch.zeros(X.shape[1], dtype=X.dtype, requires_grad=True)
    b = torch.zeros(1, dtype=X.dtype, requires_grad=True)
    optimizer = torch_optimizer(method, [{"params": [w], "weight_decay": l2}, {"params": [b]}], rate)
    generator, losses, steps = torch.Generator().manual_seed(seed), [], 0
    for _ in range(epochs):
        order, total = torch.randperm(len(y), generator=generator), 0.0
        for first in range(0, len(y), size):
            at = order[first : first + size]
            c = None if weight is None else torch.from_numpy(weight)[at]
            eta = X[at] @ w + b + (0 if offset is None else torch.from_numpy(offset)[at])
            loss = torch.nn.BCEWithLogitsLoss(weight=c)(eta, y[at])
            optimizer.zero_grad()
            loss.backward()
            for group in optimizer.param_groups:
                group["lr"] = rate * (1 if schedule is None else schedule.factor(steps))
            optimizer.step()
            steps += 1
            total += loss.item() * len(at)
        losses.append(total / len(y))
    return np.append(w.detach().numpy(), b.detach().numpy()), losses


def both(result: SGDResult) -> Any:
    return np.append(result.coef, result.intercept)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("dtype", "close"), [(np.float64, 1e-12), (np.float32, 1e-5)])
@pytest.mark.parametrize("l2", [0.0, 0.05])
def test_the_trajectory_is_that_of_torch_after_hundreds_of_steps(
    method: Any, dtype: Any, close: float, l2: float
) -> None:
    X, y = table(dtype=dtype)
    expected, losses = torch_loop(X, y, method, rate=0.05, epochs=12, size=32, l2=l2)
    descent = SGD(SGDSettings(method=method, rate=0.05, l2=l2))
    result = descent.run(X, y, epochs=12, batch_size=32, generator=torch.Generator().manual_seed(5))
    assert result.steps == 12 * 32
    np.testing.assert_allclose(both(result), expected, rtol=0, atol=close)
    np.testing.assert_allclose(result.losses, losses, atol=close)


def test_weights_and_offsets_enter_as_in_torch() -> None:
    X, y = table()
    rng = np.random.default_rng(3)
    weight, offset = rng.uniform(0.5, 2, len(y)), rng.standard_normal(len(y))
    expected, _ = torch_loop(
        X, y, "momentum", rate=0.05, epochs=5, size=64, weight=weight / weight.mean(), offset=offset
    )
    descent = SGD(SGDSettings("momentum", rate=0.05))
    result = descent.run(X, y, weight, offset, epochs=5, batch_size=64, generator=torch.Generator().manual_seed(5))
    np.testing.assert_allclose(both(result), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("schedule", [InverseScaling(50, 0.75), Cosine(100, 0.1), StepDecay(40, 0.5)])
def test_a_schedule_sets_the_rate_of_each_step(schedule: Schedule) -> None:
    X, y = table()
    expected, _ = torch_loop(X, y, "adam", rate=0.05, epochs=5, size=64, schedule=schedule)
    descent = SGD(SGDSettings("adam", rate=0.05, schedule=schedule))
    result = descent.run(X, y, epochs=5, batch_size=64, generator=torch.Generator().manual_seed(5))
    np.testing.assert_allclose(both(result), expected, rtol=0, atol=1e-12)


def test_the_schedules_are_the_formulas_they_state() -> None:
    assert Constant().factor(10**6) == 1
    assert InverseScaling(100, 0.5).factor(300) == pytest.approx(0.5)
    assert [Cosine(10, 0.2).factor(t) for t in (0, 5, 10, 99)] == pytest.approx([1, 0.6, 0.2, 0.2])
    assert [StepDecay(3, 0.1).factor(t) for t in (0, 2, 3, 6)] == pytest.approx([1, 1, 0.1, 0.01])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("generator", ["seed", "torch"])
def test_a_resumed_run_is_bit_identical_to_one_that_was_never_stopped(method: Any, generator: str) -> None:
    X, y = table(dtype=np.float32)
    how = SGDSettings(method, rate=0.1, l2=0.01, schedule=InverseScaling(20), average_from=1)

    def source() -> Any:
        return 7 if generator == "seed" else torch.Generator().manual_seed(7)

    options: dict[str, Any] = {"batch_size": 50, "held_out": 0.2, "patience": 9}
    whole = SGD(how).run(X, y, epochs=5, generator=source(), **options)
    first = SGD(how)
    first.run(X, y, epochs=2, generator=source(), **options)
    second = SGD(how)
    second.load_state_dict({name: values.copy() for name, values in first.state_dict().items()})
    again = second.run(X, y, epochs=3, generator=source(), **options)
    assert both(again).tobytes() == both(whole).tobytes()
    assert (again.losses, again.held_out, again.steps) == (whole.losses, whole.held_out, whole.steps)


def test_run_after_run_is_one_run_and_a_state_holds_plain_arrays() -> None:
    X, y = table()
    whole = SGD().run(X, y, epochs=5)
    parts = SGD()
    parts.run(X, y, epochs=3)
    state = parts.state_dict()
    assert both(parts.run(X, y, epochs=2)).tobytes() == both(whole).tobytes()
    assert all(type(values) is np.ndarray and values.dtype != object for values in state.values())
    loaded = SGD()
    loaded.load_state_dict(state)
    assert loaded.coef.tobytes() == SGD().run(X, y, epochs=3).coef.tobytes()


@pytest.mark.parametrize("method", METHODS)
def test_partial_fit_of_batches_is_one_run_over_them(method: Any) -> None:
    X, y = table()
    how = SGDSettings(method, rate=0.1, l2=0.02, average_from=0)
    whole = SGD(how).run(X, y, epochs=1, batch_size=100, shuffle=False)
    fed = SGD(how)
    losses = [fed.partial_fit(X[a : a + 100], y[a : a + 100]) for a in range(0, len(y), 100)]
    np.testing.assert_allclose(np.append(fed.coef, fed.intercept), both(whole), rtol=0, atol=1e-14)
    assert losses[0] == pytest.approx(math.log(2))


def test_partial_fit_takes_a_batch_of_one_class_and_of_one_row() -> None:
    fed = SGD(SGDSettings(rate=1.0))
    fed.partial_fit(np.array([[2.0]]), np.array([1]))
    assert (fed.coef[0], fed.intercept) == (1.0, 0.5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_sparse_matrix_gives_what_the_dense_one_does(method: Any, dtype: Any) -> None:
    X, y = table(dtype=dtype)
    X[np.random.default_rng(1).random(X.shape) < 0.7] = 0
    how = SGDSettings(method, rate=0.1, l2=0.01, average_from=2)
    dense = SGD(how).run(X, y, epochs=4, batch_size=64, held_out=0.1)
    for kind in (sparse.csr_matrix, sparse.csr_array, sparse.csc_array):
        result = SGD(how).run(kind(X), y, epochs=4, batch_size=64, held_out=0.1)
        np.testing.assert_allclose(both(result), both(dense), rtol=0, atol=1e-12 if dtype == np.float64 else 1e-5)
        assert result.certificate is not None
        assert dense.certificate is not None
        np.testing.assert_allclose(result.certificate.gradient, dense.certificate.gradient, atol=1e-5)


def test_averaging_is_the_mean_of_the_coefficients_after_each_step() -> None:
    X, y = table(n=400)
    path = SGD(SGDSettings(rate=0.5))
    thetas = []
    for epoch in range(3):
        for a in range(0, 400, 100):
            path.partial_fit(X[a : a + 100], y[a : a + 100])
            if epoch >= 1:
                thetas.append(np.append(path.coef, path.intercept))
    averaged = SGD(SGDSettings(rate=0.5, average_from=1)).run(X, y, epochs=3, batch_size=100, shuffle=False)
    np.testing.assert_allclose(both(averaged), np.mean(thetas, axis=0), rtol=0, atol=1e-13)


def test_early_stopping_gives_the_epoch_whose_held_out_loss_was_least() -> None:
    """Sixty rows and forty columns of noise: the held-out loss soon rises."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((60, 40)), np.arange(60) % 2
    options: dict[str, Any] = {"batch_size": 8, "held_out": 0.5, "patience": 3, "generator": 4}
    result = SGD(SGDSettings(rate=0.1)).run(X, y, epochs=200, **options)
    assert result.stopped is Stopped.EARLY
    best = int(np.argmin(result.held_out)) + 1
    assert result.epochs == best + 3
    assert f"epoch {best}," in result.sentence
    assert both(SGD(SGDSettings(rate=0.1)).run(X, y, epochs=best, **options)).tobytes() == both(result).tobytes()


def test_rows_held_out_are_not_trained_on() -> None:
    """A held-out row with a huge predictor would throw the coefficients."""
    X, y = table(n=50, p=2)
    descent = SGD()
    descent.run(X, y, epochs=1, held_out=0.4)
    _, held = descent._split(50, None, 0.4, None)
    assert held is not None
    assert len(held) == 20
    X2 = X.copy()
    X2[held] *= 100
    again = SGD()
    again.run(X2, y, epochs=1, held_out=0.4)
    np.testing.assert_array_equal(again._state.theta, descent._state.theta)  # type: ignore[union-attr]  # both ran


def test_the_certificate_is_the_exact_gradient_and_only_a_vanishing_one_is_called_converged() -> None:
    X, y = table(n=300, p=3)
    result = SGD(SGDSettings(rate=0.5, l2=0.1)).run(X * [1, 1e3, 1e-3], y, epochs=2)
    assert result.certificate is not None
    assert not result.converged
    assert "not the optimum" in result.sentence
    w = torch.tensor(both(result), requires_grad=True)
    eta = torch.from_numpy(X * [1, 1e3, 1e-3]) @ w[:3] + w[3]
    loss = torch.nn.functional.binary_cross_entropy_with_logits(eta, torch.from_numpy(y)) + 0.05 * (w[:3] ** 2).sum()
    loss.backward()
    assert w.grad is not None
    g = w.grad.numpy()
    np.testing.assert_allclose(result.certificate.gradient, g, atol=1e-11)
    Z = X * [1, 1e3, 1e-3]
    norm = max(*np.abs((g[:3] - Z.mean(0) * g[3]) / Z.std(0)), abs(g[3]))
    assert result.certificate.gradient_norm == pytest.approx(norm, rel=1e-9)
    full = SGD(SGDSettings(rate=1.5, l2=0.1)).run(X, y, epochs=400, batch_size=300, shuffle=False)
    assert full.converged
    assert "the optimum." in full.sentence


def test_a_rate_that_is_too_large_is_a_status_with_advice_and_the_last_good_coefficients() -> None:
    X, y = table(n=300)
    descent = SGD(SGDSettings(rate=1e3, l2=1e3))
    result = descent.run(X, y, epochs=500, batch_size=10)
    assert result.stopped is Stopped.DIVERGED
    assert not result.converged
    assert "rate 1000 is too large" in result.sentence
    assert np.isfinite(both(result)).all()
    with pytest.raises(NotConvergedError, match="too large"):
        collections.deque((descent.partial_fit(X, y) for _ in range(1000)), maxlen=0)
    assert np.isfinite(descent.coef).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, torch.from_numpy])
def test_a_value_that_is_no_number_is_named_and_not_taken_for_a_large_rate(bad: float, kind: Any) -> None:
    X, y = table(n=300)
    X[123, 4] = bad
    with pytest.raises(DataError, match="row 123, column 4"):
        SGD().run(kind(X), y)


@pytest.mark.parametrize(
    ("X", "y", "error", "words"),
    [
        (np.ones((3, 1)), [1, 1, 1], OneClassError, "y is 1 in every row"),
        (np.ones((0, 1)), [], NoRowsError, "no rows"),
        (np.ones(3), [0, 1, 1], DataError, "1 dimensions"),
        (np.ones((3, 1)), [0, 1], DataError, r"shape \(2,\)"),
        (np.ones((3, 1)), [[0, 1]] * 3, DataError, r"shape \(3, 2\)"),
        (np.ones((3, 1)), [-1, 1, 1], DataError, "row 0"),
        (np.ones((3, 1)), [0, 1, np.nan], DataError, "row 2"),
        (np.array([["a"], ["b"]]), [0, 1], DataError, "X holds"),
        (np.ones((2, 1)), ["no", "yes"], DataError, "y holds"),
    ],
)
def test_wrong_input_is_refused_with_what_and_where(X: Any, y: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        SGD().run(X, y)


@pytest.mark.parametrize(
    "option",
    [
        {"rate": 0}, {"rate": math.nan}, {"method": "adamw"}, {"momentum": 1.0}, {"betas": (0.9, 1.0)}, {"eps": 0},
        {"l2": -1}, {"l2": math.inf}, {"average_from": -1},
    ],
)  # fmt: skip
def test_a_setting_outside_its_range_is_refused(option: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        SGDSettings(**option)


@pytest.mark.parametrize(
    "option",
    [
        {"epochs": 0}, {"batch_size": 0}, {"batch_size": 2.5}, {"held_out": 1.0}, {"held_out": 1e-9}, {"patience": 0},
        {"generator": "seed"}, {"generator": -1}, {"weight": [-1.0] * 50}, {"weight": [0.0] * 50},
        {"offset": [math.inf] * 50},
    ],
)  # fmt: skip
def test_an_option_of_a_run_outside_its_range_is_refused(option: dict[str, Any]) -> None:
    X, y = table(n=50)
    with pytest.raises((OptionError, DataError, NoRowsError)):
        SGD().run(X, y, **option)


def test_a_state_of_another_method_or_width_or_one_with_holes_is_refused() -> None:
    X, y = table(n=50)
    descent = SGD(SGDSettings("adam"))
    with pytest.raises(OptionError, match="no state yet"):
        descent.state_dict()
    descent.partial_fit(X, y)
    state = descent.state_dict()
    with pytest.raises(OptionError, match="'adam'"):
        SGD().load_state_dict(state)
    with pytest.raises(OptionError, match="lacks second"):
        SGD(SGDSettings("adam")).load_state_dict({k: v for k, v in state.items() if k != "second"})
    with pytest.raises(DataError, match="7 coefficients"):
        descent.partial_fit(X[:, :3], y)


def test_any_kind_of_matrix_and_outcome_gives_the_same_answer_and_is_left_as_it_was() -> None:
    X, y = table(n=200, p=4)
    X = np.round(X * 3)
    expected = both(SGD().run(X, y, epochs=2))
    locked = X.copy()
    locked.flags.writeable = False
    kinds: list[Any] = [
        np.asfortranarray(X), X.astype(np.int64), X.astype(">f8"), np.repeat(X, 2, axis=1)[:, ::2], locked,
        torch.from_numpy(X), X.tolist(), X.astype(np.float16),
    ]  # fmt: skip
    for kind in kinds:
        np.testing.assert_allclose(both(SGD().run(kind, y, epochs=2)), expected, rtol=0, atol=1e-13)
    for outcome in (y.astype(bool), y[:, None], y.astype(np.uint8), torch.from_numpy(y), y.tolist()):
        np.testing.assert_allclose(both(SGD().run(X, outcome, epochs=2)), expected, rtol=0, atol=1e-13)


def test_rows_of_weight_zero_are_as_if_they_were_not_there() -> None:
    X, y = table(n=200)
    weight = np.ones(200)
    weight[::3] = 0
    result = SGD().run(X, y, weight, epochs=3, shuffle=False, batch_size=20)
    without = SGD().run(X[weight > 0], y[weight > 0], epochs=3, shuffle=False, batch_size=20)
    np.testing.assert_allclose(both(result), both(without), rtol=0, atol=1e-14)
    assert result.certificate is not None
    assert without.certificate is not None
    assert result.certificate.gradient_norm == pytest.approx(without.certificate.gradient_norm, rel=1e-9)


def test_without_an_intercept_it_stays_where_it_began() -> None:
    X, y = table(n=200)
    result = SGD(SGDSettings("adam", intercept=False)).run(X, y, epochs=2)
    assert result.intercept == 0
    assert result.certificate is not None
    assert result.certificate.gradient[-1] == 0


@pytest.mark.parametrize("method", METHODS)
def test_torch_arrays_take_the_same_steps_as_numpys(method: Any) -> None:
    """The way of tensors on another device, walked here with tensors of this one."""
    X, y = table()
    weight, offset = np.random.default_rng(0).uniform(0.5, 2, (2, len(y)))
    how = SGDSettings(method, rate=0.1, l2=0.01, average_from=0)
    numpys, _ = make_rows(X, y, weight, offset)
    tensors = [torch.from_numpy(np.array(a)) for a in (numpys.X, numpys.y, numpys.weight, numpys.offset)]
    torchs = Rows(torch, *tensors, torch.float64, False)
    order = np.random.default_rng(1).permutation(len(y))
    answers = []
    for rows in (numpys, torchs):
        state = make_state(how, rows, np.zeros(8), {})
        loss = descend(state, how, rows, rows.index(order), 64)
        answers.append(np.append(state.answer(), loss))
    np.testing.assert_allclose(answers[1], answers[0], rtol=0, atol=1e-13)
    certificates = [certify(rows, answers[0][:7], answers[0][7], l2=0.1) for rows in (numpys, torchs)]
    assert certificates[1].gradient_norm == pytest.approx(certificates[0].gradient_norm, rel=1e-10)
