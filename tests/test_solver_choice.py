"""Which way ``fit`` takes to the optimum: by itself, or the one that is asked for; the answer is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import passline
from passline.engine.objective import Objective
from passline.errors import OptionError, SeparationWarning
from passline.solvers import estimate as estimation
from passline.solvers.base import Descended, Status
from passline.solvers.estimate import LONG, WIDE


def table(n: int, p: int, seed: int = 0) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    X = random.standard_normal((n, p)) * np.logspace(-2, 2, p) + 3.0
    eta = (X - 3.0) / np.logspace(-2, 2, p) @ random.normal(size=p) / np.sqrt(p) - 0.4
    y = (random.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    return {"y": y} | {f"x{j}": X[:, j] for j in range(p)}


def same(found: passline.Fit, expected: passline.Fit) -> None:
    """Estimates to a billionth of a standard error, standard errors to nine digits."""
    error = np.sqrt(np.diagonal(expected.covariance))
    assert np.max(np.abs(found.model.coef - expected.model.coef) / error) < 1e-8
    np.testing.assert_allclose(np.sqrt(np.diagonal(found.covariance)), error, rtol=1e-9)
    assert found.certificate["converged"]
    assert found.certificate["max_step_in_se"] < 1e-8


@pytest.fixture(scope="module")
def long() -> tuple[dict[str, Any], passline.Fit]:
    data = table(LONG + 11, WIDE + 2)
    return data, passline.fit("y ~ .", data, solver="newton")


@pytest.mark.parametrize("solver", ["auto", "lbfgs", "newton-cg"])
def test_every_way_ends_at_the_optimum_of_a_long_table_with_its_curvature(
    solver: str, long: tuple[dict[str, Any], passline.Fit]
) -> None:
    data, expected = long
    found = passline.fit("y ~ .", data, solver=solver)
    same(found, expected)
    assert "newton's last step" in found.certificate["solver"]
    assert expected.certificate["solver"] == "newton"


@pytest.mark.parametrize("solver", ["newton", "lbfgs", "newton-cg"])
@pytest.mark.parametrize("penalty", [None, passline.Penalty(l2=0.01)])
def test_every_way_ends_at_the_optimum_of_a_short_table(solver: str, penalty: passline.Penalty | None) -> None:
    data = table(300, 4)
    found, expected = (passline.fit("y ~ .", data, solver=s, penalty=penalty) for s in (solver, "auto"))
    np.testing.assert_allclose(found.model.coef, expected.model.coef, rtol=1e-8, atol=1e-11)
    assert found.certificate["converged"]
    if penalty is None:
        same(found, expected)


def test_a_long_and_wide_table_forms_one_curvature_of_all_rows(
    monkeypatch: pytest.MonkeyPatch, long: tuple[dict[str, Any], passline.Fit]
) -> None:
    full = []
    call = Objective.__call__

    def counted(self: Objective, w: Any, order: int = 2) -> Any:
        if order == 2 and self.blocks.n > LONG:
            full.append(order)
        return call(self, w, order)

    monkeypatch.setattr(Objective, "__call__", counted)
    passline.fit("y ~ .", long[0])
    assert len(full) == 1


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg"])
def test_a_separated_table_gets_its_verdict_whatever_the_way(solver: str) -> None:
    data = table(500, 3)
    data["x0"] = data["y"] * 2.0 - 1.0 + 0.01 * data["x2"] / 100.0
    with pytest.warns(SeparationWarning):
        fit = passline.fit("y ~ .", data, solver=solver)
    assert fit.separation.kind == "complete"


def stalls(objective: Objective, *_: Any, start: Any, **__: Any) -> Descended:
    return Descended(start, np.inf, np.full(objective.p, np.nan), Status.STALLED, "a descent", ())


def lies(objective: Objective, *_: Any, start: Any, **__: Any) -> Descended:
    """Says that it has converged, far from the optimum."""
    value = objective(start, 1)
    return Descended(start, float(value.loss), np.asarray(value.gradient), Status.CONVERGED, "a descent", ())


@pytest.mark.parametrize("descent", [stalls, lies])
def test_a_descent_that_does_not_get_there_hands_over_to_newton(
    descent: Callable[..., Descended], monkeypatch: pytest.MonkeyPatch, long: tuple[dict[str, Any], passline.Fit]
) -> None:
    monkeypatch.setattr(estimation, "solve_by_work", descent)
    found = passline.fit("y ~ .", long[0])
    same(found, long[1])
    assert found.certificate["solver"] == "newton, after a descent"


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_number_of_threads_changes_nothing(threads: int, long: tuple[dict[str, Any], passline.Fit]) -> None:
    found, expected = (passline.fit("y ~ .", long[0], threads=k) for k in (threads, None))
    np.testing.assert_array_equal(found.model.coef, expected.model.coef)


def test_an_unknown_solver_and_no_threads_are_refused() -> None:
    data = table(50, 1)
    with pytest.raises(OptionError, match="auto, newton, lbfgs, newton-cg"):
        passline.fit("y ~ x0", data, solver="sag")  # type: ignore[arg-type]  # what is refused
    with pytest.raises(OptionError, match="Newton's method"):
        passline.fit("y ~ x0", data, solver="lbfgs", estimator="firth")
    for wrong in (0, -1, 1.5):
        with pytest.raises(OptionError, match="threads"):
            passline.fit("y ~ x0", data, threads=wrong)  # type: ignore[arg-type]  # what is refused
