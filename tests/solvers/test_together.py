"""Several outcomes at one desk: each gets the answer that it would get alone, and they share their walks."""

from __future__ import annotations

import numpy as np
import pytest

from passline.engine.blocks import Block, Blocks
from passline.engine.columns import Dense
from passline.engine.likelihood import likelihood
from passline.engine.objective import Objective
from passline.errors import NotConvergedError
from passline.solvers.auto import solve
from passline.solvers.together import together


def tables(n=30_000, p=12, k=5, seed=0):
    random = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n), random.normal(size=(n, p))])
    W = random.normal(size=(p + 1, k)) * np.linspace(0.2, 1.5, k)
    Y = (random.random((n, k)) < 1 / (1 + np.exp(-X @ W))).astype(float)
    weight = random.uniform(0.5, 2, n)
    return [Objective(Blocks(Block(Dense(X), y, weight)), np.full(p + 1, 1e-4)) for y in Y.T.copy()]


def test_each_outcome_gets_what_it_would_get_alone():
    alone = [solve(objective) for objective in tables()]
    found = together(5, lambda j, join: solve(join(tables()[j])))
    for one, other in zip(found, alone, strict=True):
        assert one.converged
        assert one.coef == pytest.approx(other.coef, rel=1e-12, abs=1e-14)


def test_what_outcomes_ask_at_a_time_is_one_walk_over_the_rows(monkeypatch):
    objectives = tables(k=4)
    walks = []

    def counted(block, w, order):
        walks.append((block.y.ndim, len(block.y)))
        return likelihood(block, w, order)

    monkeypatch.setattr("passline.solvers.together.likelihood", counted)
    w = [np.random.default_rng(j).normal(size=13) for j in range(4)]

    def ask(j, join):
        seated = join(objectives[j])
        return [seated(w[j] * scale, 1) for scale in range(1, 2 + j)]  # the first asks once, the last four times

    answers = together(4, ask)
    rows = len(objectives[0].blocks.all.y)
    assert sum(n for _, n in walks) == 4 * rows  # ten values, in as many walks as the most that one asked for
    assert {objective.blocks.passes for objective in objectives} == {1, 2, 3, 4}
    for j, answer in enumerate(answers):
        for scale, value in enumerate(answer, 1):
            known = objectives[j](w[j] * scale, 1)
            assert value.loss == pytest.approx(known.loss, rel=1e-12)
            assert value.gradient == pytest.approx(known.gradient, rel=1e-10, abs=1e-13)


def test_an_error_in_one_outcome_or_in_the_walk_reaches_the_caller(monkeypatch):
    objectives = tables(n=300, k=3)

    def one_fails(j, join):
        seated = join(objectives[j])
        if j == 1:
            raise NotConvergedError("the second")
        return seated(np.zeros(13), 1).loss

    with pytest.raises(NotConvergedError, match="the second"):
        together(3, one_fails)

    def broken(*_):
        raise FloatingPointError("the walk")

    monkeypatch.setattr("passline.solvers.together.likelihood", broken)
    with pytest.raises(FloatingPointError, match="the walk"):
        together(3, lambda j, join: join(objectives[j])(np.zeros(13), 1))
