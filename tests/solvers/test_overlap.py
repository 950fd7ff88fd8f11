"""The proof that an estimate exists: given near one, withheld where a direction separates or the point is far."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passline.engine.blocks import Block, Blocks
from passline.engine.columns import Dense
from passline.engine.objective import Objective
from passline.solvers.linear import factor
from passline.solvers.newton import newton
from passline.solvers.overlap import overlaps


def table(n: int, p: int, seed: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n), rng.normal(size=(n, p - 1))])
    return X, (rng.random(n) < 1 / (1 + np.exp(-X.sum(axis=1)))).astype(float)


def proved(X: Any, y: Any, steps: int) -> bool:
    F = Objective(Blocks(Block(Dense(X), y)))
    near = newton(F, np.zeros(X.shape[1]), patient=True, max_steps=steps)
    guide = factor(np.asarray(F(np.zeros(X.shape[1]), 2).curvature))
    return overlaps(F, near.coef, near.gradient, guide)


def test_near_an_estimate_it_is_proved_and_far_from_it_not() -> None:
    X, y = table(2000, 5, 1)
    assert proved(X, y, 8)
    assert not proved(X, y, 1)


@pytest.mark.parametrize("guide", [lambda g: 0 * g, lambda g: -g, lambda g: np.nan * g])
def test_a_useless_guide_proves_nothing(guide: Any) -> None:
    X, y = table(500, 4, 2)
    F = Objective(Blocks(Block(Dense(X), y)))
    near = newton(F, np.zeros(4), max_steps=3)
    assert near.gradient.any()
    assert not overlaps(F, near.coef, near.gradient, guide)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["complete", "a group", "one row"]), st.integers(2, 25))
def test_a_separated_outcome_is_never_proved(seed: int, kind: str, steps: int) -> None:
    X, y = table(80, 3, seed)
    if kind == "complete":
        y = (X[:, 1] > 0.3 * X[:, 2]).astype(float)
    else:
        X = np.column_stack([X, np.arange(80) < (10 if kind == "a group" else 1)])
        y[X[:, 3] > 0] = 1.0
    assert not proved(X, y, steps)
