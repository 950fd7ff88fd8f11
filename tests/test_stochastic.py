"""The face for minibatches: torch.optim's trajectories, batches over time, states, honest certificates, bad input."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import sparse

import passline
from passline import SGDLogisticRegression
from passline.errors import (
    ConvergenceWarning,
    DataError,
    NotConvergedError,
    OneClassError,
    OptionError,
)
from passline.schedules import Cosine, InverseScaling, Schedule, StepDecay
from torch_descent import METHODS, table, torch_loop


def both(model: SGDLogisticRegression) -> Any:
    return np.append(model.coef_[0], model.intercept_)


def torch_generator() -> torch.Generator:
    return torch.Generator().manual_seed(5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("dtype", "close"), [(np.float64, 1e-12), (np.float32, 1e-5)])
@pytest.mark.parametrize("l2", [0.0, 0.05])
def test_the_trajectory_is_that_of_torch_after_hundreds_of_steps(
    method: Any, dtype: Any, close: float, l2: float
) -> None:
    X, y = table(dtype=dtype)
    expected, losses = torch_loop(X, y, method, rate=0.05, epochs=12, size=32, l2=l2)
    model = SGDLogisticRegression(method, 0.05, l2=l2, epochs=12, batch_size=32, generator=torch_generator())
    model.fit(X, y)
    assert model.certificate_["steps"] == 12 * 32
    np.testing.assert_allclose(both(model), expected, rtol=0, atol=close)
    np.testing.assert_allclose(model.losses_, losses, atol=close)


@pytest.mark.parametrize("method", METHODS)
def test_from_the_same_start_and_in_the_rows_own_order_the_steps_are_torchs(method: Any) -> None:
    X, y = table()
    start = np.linspace(-1, 1, 8)
    expected, _ = torch_loop(X, y, method, rate=0.05, epochs=3, size=50, seed=None, start=start)
    model = SGDLogisticRegression(method, 0.05, epochs=3, batch_size=50, shuffle=False)
    model.fit(X, y, coef_init=start[:-1][None], intercept_init=start[-1])
    np.testing.assert_allclose(both(model), expected, rtol=0, atol=1e-12)


def test_weights_and_offsets_enter_as_in_torch() -> None:
    X, y = table()
    rng = np.random.default_rng(3)
    weight, offset = rng.uniform(0.5, 2, len(y)), rng.standard_normal(len(y))
    expected, _ = torch_loop(
        X, y, "momentum", rate=0.05, epochs=5, size=64, weight=weight / weight.mean(), offset=offset
    )
    model = SGDLogisticRegression("momentum", 0.05, epochs=5, batch_size=64, generator=torch_generator())
    model.fit(X, y, weight, offset=offset)
    np.testing.assert_allclose(both(model), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("schedule", [InverseScaling(50, 0.75), Cosine(100, 0.1), StepDecay(40, 0.5)])
def test_a_schedule_sets_the_rate_of_each_step(schedule: Schedule) -> None:
    X, y = table()
    expected, _ = torch_loop(X, y, "adam", rate=0.05, epochs=5, size=64, schedule=schedule)
    model = SGDLogisticRegression(
        "adam", 0.05, schedule=schedule, epochs=5, batch_size=64, generator=torch_generator()
    ).fit(X, y)
    np.testing.assert_allclose(both(model), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("standardise", [False, True])
def test_averaging_is_the_mean_of_torchs_coefficients_after_each_step(method: Any, standardise: bool) -> None:
    X, y = table(n=400)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    path: list[Any] = []
    torch_loop(X, y, method, rate=0.05, epochs=3, size=100, path=path)
    for start in (0, 1, 2):
        model = SGDLogisticRegression(
            method, 0.05, average_from=start, standardise=standardise, epochs=3, batch_size=100,
            generator=torch_generator(),
        ).fit(X, y)  # fmt: skip
        np.testing.assert_allclose(both(model), np.mean(path[4 * start :], axis=0), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_rows_gathered_ahead_by_a_thread_give_the_same_bits(kind: Any) -> None:
    X, y = table(n=50_000, p=20)
    found = []
    for threads in (1, 2, -1):
        model = SGDLogisticRegression("adam", 0.05, epochs=1, held_out=0.1, n_jobs=threads).fit(kind(X), y)
        found.append((both(model).tobytes(), model.certificate_))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["dense", "sparse", "tensor", "no intercept"])
def test_standardised_steps_are_torchs_on_standardised_columns(method: Any, kind: str) -> None:
    """The start, the penalty (here none) and the answer are those of the columns as given."""
    X, y = table()
    X = X * 10.0 ** np.arange(-3, 4) + [0, 5, 0, -2, 0, 1e5, 0]
    intercept = kind != "no intercept"
    center, scale = X.mean(axis=0) * intercept, np.sqrt(((X - X.mean(axis=0) * intercept) ** 2).mean(axis=0))
    Z = (X - center) / scale
    model = SGDLogisticRegression(
        method, 0.05, standardise=True, fit_intercept=intercept, epochs=4, batch_size=32, shuffle=False
    )
    given = {"sparse": sparse.csr_array, "tensor": torch.from_numpy}.get(kind, np.asarray)(X)
    model.fit(given, y, coef_init=np.ones(7) / scale, intercept_init=0.25 if intercept else 0.0)
    if intercept:
        start = np.append(np.ones(7), 0.25 + center @ (1 / scale))
        expected, _ = torch_loop(Z, y, method, rate=0.05, epochs=4, size=32, seed=None, start=start)
        found = both(model)
        np.testing.assert_allclose(found[-1] + center @ found[:-1], expected[-1], atol=1e-7)
        np.testing.assert_allclose(found[:-1] * scale, expected[:-1], rtol=0, atol=1e-7)
    else:
        plain = SGDLogisticRegression(method, 0.05, fit_intercept=False, epochs=4, batch_size=32, shuffle=False)
        plain.fit(Z, y, coef_init=np.ones(7))
        np.testing.assert_allclose(model.coef_[0] * scale, plain.coef_[0], rtol=0, atol=1e-9)
        assert model.intercept_ == 0


def test_the_penalty_of_standardised_steps_is_that_of_the_columns_as_given() -> None:
    X, y = table(n=500, p=3)
    X = X * [0.3, 1, 3] + [0, 1, 0]
    model = SGDLogisticRegression(rate=0.5, l2=0.05, standardise=True, epochs=3000, batch_size=500).fit(X, y)
    exact = passline.LogisticRegression(C=1 / (500 * 0.05)).fit(X, y)
    assert model.certificate_["converged"]
    assert repr(model).endswith(", the optimum")
    np.testing.assert_allclose(both(model), np.append(exact.coef_[0], exact.intercept_), atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("source", ["seed", "torch"])
@pytest.mark.parametrize("standardise", [False, True])
def test_a_state_kept_in_a_file_goes_on_bit_for_bit(
    method: Any, source: str, standardise: bool, tmp_path: Path
) -> None:
    X, y = table(dtype=np.float32)
    names = np.where(y == 1, "pass", "fail").astype(object)

    def model(epochs: int) -> SGDLogisticRegression:
        generator = 7 if source == "seed" else torch.Generator().manual_seed(7)
        return SGDLogisticRegression(
            method, 0.1, l2=0.01, schedule=InverseScaling(20), average_from=1, standardise=standardise,
            epochs=epochs, batch_size=50, held_out=0.2, patience=9, generator=generator,
        )  # fmt: skip

    whole = model(5).fit(X, names)
    first = model(2).fit(X, names)
    np.savez(tmp_path / "state.npz", **first.state_dict())
    with np.load(tmp_path / "state.npz", allow_pickle=False) as state:
        again = model(3).load_state_dict(state)
    assert both(again).tobytes() == both(first).tobytes()
    np.testing.assert_array_equal(again.predict(X), first.predict(X))
    again.fit(X, names)
    assert both(again).tobytes() == both(whole).tobytes()
    for name in ("losses_", "held_out_losses_", "n_iter_"):
        np.testing.assert_array_equal(getattr(again, name), getattr(whole, name))
    assert again.certificate_ == whole.certificate_


def test_a_fit_begins_anew_unless_it_starts_warm() -> None:
    X, y = table()
    once = SGDLogisticRegression(epochs=2).fit(X, y)
    twice = SGDLogisticRegression(epochs=2).fit(X, y).fit(X, y)
    assert both(twice).tobytes() == both(once).tobytes()
    warm = SGDLogisticRegression(epochs=2, warm_start=True).fit(X, y).fit(X, y)
    four = SGDLogisticRegression(epochs=4).fit(X, y)
    assert both(warm).tobytes() == both(four).tobytes()
    assert warm.n_iter_ == 4
    with pytest.raises(OptionError, match="goes on"):
        warm.fit(X, y, coef_init=np.zeros(7))


def test_parameters_changed_on_the_way_count_from_the_next_step() -> None:
    X, y = table()
    model = SGDLogisticRegression("adam", 0.1, epochs=1, warm_start=True, shuffle=False).fit(X, y)
    before = both(model)
    model.rate = 1e-9
    model.fit(X, y)
    np.testing.assert_allclose(both(model), before, atol=1e-7)
    model.method = "momentum"
    with pytest.raises(OptionError, match="'adam'"):
        model.partial_fit(X, y)


@pytest.mark.parametrize("method", METHODS)
def test_batches_that_arrive_over_time_are_a_fit_over_them_in_order(method: Any) -> None:
    X, y = table()
    names = np.where(y == 1, "yes", "no")
    whole = SGDLogisticRegression(method, 0.1, l2=0.02, epochs=1, batch_size=100, shuffle=False).fit(X, names)
    fed = SGDLogisticRegression(method, 0.1, l2=0.02)
    for a in range(0, len(y), 100):
        fed.partial_fit(X[a : a + 100], names[a : a + 100], classes=["yes", "no"])
    np.testing.assert_allclose(both(fed), both(whole), rtol=0, atol=1e-14)
    assert len(fed.losses_) == 11
    assert fed.losses_[0] == pytest.approx(np.log(2))
    assert not fed.certificate_["converged"]
    assert "the rows are not kept" in fed.certificate_["sentence"]
    assert repr(fed).endswith("0 epochs, 11 steps, not known to be the optimum")
    assert fed.certify(X, names)["gradient_norm"] == pytest.approx(whole.certificate_["gradient_norm"], rel=1e-9)


def test_the_first_batch_may_have_one_class_if_the_classes_are_told() -> None:
    model = SGDLogisticRegression()
    with pytest.raises(OneClassError, match=r"y is a in all 2 rows: .*give classes="):
        model.partial_fit([[1.0], [2.0]], ["a", "a"])
    model.partial_fit([[1.0], [2.0]], ["b", "b"], classes=["b", "a"])
    assert model.classes_.tolist() == ["a", "b"]
    assert model.coef_[0, 0] > 0
    model.partial_fit([[1.0]], ["a"])
    with pytest.raises(DataError, match=r"y is c in row 1 .*the classes are a and b"):
        model.partial_fit([[1.0], [2.0]], ["a", "c"])
    with pytest.raises(OptionError, match="leave it out"):
        model.partial_fit([[1.0]], ["a"], classes=["a", "z"])
    with pytest.raises(DataError, match="X has 2 features, but SGDLogisticRegression is expecting 1"):
        model.partial_fit([[1.0, 2.0]], ["a"])
    for classes in (["a"], ["a", "a"], "ab", [1, np.nan], 3, [[0, 1]], ["a", "b", "c"]):
        with pytest.raises(DataError):
            SGDLogisticRegression().partial_fit([[1.0]], ["a"], classes=classes)


def test_early_stopping_gives_the_epoch_whose_held_out_loss_was_least() -> None:
    """Sixty rows and forty columns of noise: the held-out loss soon rises."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((60, 40)), np.arange(60) % 2
    options: dict[str, Any] = {"rate": 0.1, "batch_size": 8, "held_out": 0.5, "patience": 3, "generator": 4}
    model = SGDLogisticRegression(epochs=200, **options).fit(X, y)
    best = int(np.argmin(model.held_out_losses_)) + 1
    assert model.n_iter_ == len(model.losses_) == best + 3 < 200
    assert model.certificate_["status"] == "held-out loss no longer falls"
    least = SGDLogisticRegression(epochs=best, **options).fit(X, y)
    assert both(least).tobytes() == both(model).tobytes()
    again = SGDLogisticRegression(**options).load_state_dict(model.state_dict())
    assert both(again).tobytes() == both(model).tobytes()


def test_the_certificate_tells_how_far_the_exact_optimum_is_and_no_fit_warns_of_it() -> None:
    X, y = table(n=5000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = SGDLogisticRegression(rate=0.1).fit(X, y)
    found = model.certificate_
    eta = passline.LogisticRegression(C=np.inf).fit(X, y).decision_function(X)
    gap = found["loss"] - np.mean(np.logaddexp(0, eta) - y * eta)
    assert not found["converged"]
    assert found["gap"] == pytest.approx(gap, rel=0.2)
    assert "not the optimum: the exact gradient is" in found["sentence"]
    assert ", not the optimum" in repr(model)
    assert SGDLogisticRegression(certificate=False).fit(X, y).certificate_["gradient_norm"] is None


def test_a_rate_that_is_too_large_warns_with_advice_and_batches_refuse_the_step() -> None:
    X, y = table(n=300)
    model = SGDLogisticRegression(rate=1e3, l2=1e3, epochs=500, batch_size=10)
    with pytest.warns(ConvergenceWarning, match="rate 1000 is too large"):
        model.fit(X, y)
    assert model.certificate_["status"] == "loss no longer a number"
    assert np.isfinite(both(model)).all()
    fed = SGDLogisticRegression(rate=1e300).partial_fit(X, y)
    before = both(fed)
    with pytest.raises(NotConvergedError, match="too large"):
        fed.partial_fit(X * 1e10, y)
    assert both(fed).tobytes() == before.tobytes()


def test_a_state_is_asked_for_after_a_fit_and_given_whole() -> None:
    X, y = table(n=50)
    for asked in (SGDLogisticRegression().state_dict, lambda: SGDLogisticRegression().certify(X, y)):
        with pytest.raises(OptionError, match="call fit"):
            asked()
    state = SGDLogisticRegression("adam").fit(X, y).state_dict()
    with pytest.raises(OptionError, match="lacks classes"):
        SGDLogisticRegression("adam").load_state_dict({k: v for k, v in state.items() if k != "classes"})
    with pytest.raises(OptionError, match="'adam', not standardised"):
        SGDLogisticRegression("adam", standardise=True).load_state_dict(state)
    strange = SGDLogisticRegression().fit(X, np.where(y == 1, 1, 0).astype(object))
    with pytest.raises(OptionError, match="neither numbers nor text"):
        strange.state_dict()


def test_the_repr_shows_what_was_changed_and_where_it_stands() -> None:
    X, y = table(n=50)
    model = SGDLogisticRegression("adam", 0.1, generator=np.random.default_rng(0))
    assert repr(model).startswith("SGDLogisticRegression(method='adam', rate=0.1, generator=Generator(PCG64)")
    assert "10 epochs, 10 steps, gradient " in repr(model.fit(X, y))
