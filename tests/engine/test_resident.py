"""Rows on another device: their sums are those of the same rows on the host.

No accelerator is needed: `elsewhere` says which tensors count as lying on one, and here every one does.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from passline.engine import resident as module
from passline.engine.blocks import Block, Blocks
from passline.engine.given import standardised_blocks
from passline.engine.likelihood import curvature_diagonal, likelihood, linearised
from passline.engine.objective import Objective
from passline.engine.resident import Resident, ResidentBlocks, resident
from passline.engine.views import Tensor
from passline.optimum import Task, optimum
from passline.solvers.auto import WIDEST, solve


@pytest.fixture
def anywhere(monkeypatch):
    monkeypatch.setattr(module, "elsewhere", lambda tensor: True)


def rows(n=9_000, p=70, seed=0, dtype=torch.float64, *, weighted=False):
    random = np.random.default_rng(seed)
    X = torch.tensor(random.normal(size=(n, p)) * random.uniform(0.01, 50, p) + random.normal(size=p) * 20).to(dtype)
    eta = (X.double().numpy() - 1) @ (random.normal(size=p) / 300)
    y = (random.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    return Tensor(X), y, random.uniform(0.2, 3, n) if weighted else None


def both(anywhere, **options):
    columns, y, weight = rows(**options)
    blocks, _ = standardised_blocks(columns, y, weight, intercept=True)
    there = resident(blocks)
    assert isinstance(there, ResidentBlocks)
    return blocks, there


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_value_gradient_curvature_and_diagonal_are_those_of_the_host(anywhere, dtype, weighted):
    host, there = both(anywhere, dtype=dtype, weighted=weighted)
    w = np.random.default_rng(1).normal(size=host.p) / 5
    for order in (0, 1, 2):
        here, far = host.sum(likelihood, w, order), there.sum(likelihood, w, order)
        assert float(far.loss) == pytest.approx(float(here.loss), rel=1e-13)
        for one, other in ((here.gradient, far.gradient), (here.curvature, far.curvature)):
            if one is not None:
                assert isinstance(other, np.ndarray)
                assert other == pytest.approx(one, rel=1e-11, abs=1e-9)
    assert there.sum(curvature_diagonal, w) == pytest.approx(host.sum(curvature_diagonal, w), rel=1e-11)
    assert there.each_row(Block.eta, w) == pytest.approx(host.each_row(Block.eta, w), rel=1e-11, abs=1e-11)
    sums, known = there.sum(linearised, w), host.sum(linearised, w)
    assert np.concatenate(sums.curvature) == pytest.approx(np.concatenate(known.curvature), rel=1e-11)


def test_rows_are_walked_in_blocks_and_every_walk_is_counted(anywhere, monkeypatch):
    monkeypatch.setattr(module, "BLOCK_NUMBERS", 100_000)
    host, there = both(anywhere)
    w = np.full(host.p, 0.01)
    before = host.passes
    value = there.sum(likelihood, w, 1)
    assert there.size == 100_000 // host.p
    assert (there.passes, host.passes) == (before + 1, before + 1)
    assert value.gradient == pytest.approx(host.sum(likelihood, w, 1).gradient, rel=1e-11, abs=1e-9)


def test_the_optimum_is_that_of_the_host_by_newtons_method_on_the_device(anywhere):
    columns, y, weight = rows(weighted=True)
    exact = {"tolerance": 1e-12}
    for task in (Task(C=2.0, **exact), Task(C=float("inf"), **exact), Task(C=0.1, intercept=False, **exact)):
        far = optimum(columns, y, weight, task)
        here = optimum(Tensor(columns.X).rows(slice(None)), y, weight, task)
        assert far.certificate["solver"] == "newton"
        assert far.certificate["converged"]
        assert far.coef == pytest.approx(here.coef, rel=1e-8, abs=1e-11)
        assert far.intercept == pytest.approx(here.intercept, rel=1e-8, abs=1e-9)
        if far.covariance is not None:
            assert far.covariance == pytest.approx(here.covariance, rel=1e-7, abs=1e-15)


def test_more_columns_than_a_curvature_is_formed_for_are_descended_by_their_own(anywhere):
    columns, y, _ = rows(n=300, p=WIDEST + 10)
    blocks, _ = standardised_blocks(columns, y, intercept=True)
    ridge = np.concatenate([[0.0], np.full(WIDEST + 10, 0.5)])
    there = resident(blocks)
    assert isinstance(there, ResidentBlocks)
    found = solve(Objective(there, ridge), tolerance=1e-9)
    assert found.converged
    known = solve(Objective(blocks, ridge), tolerance=1e-9)
    assert found.coef == pytest.approx(known.coef, abs=1e-7)


def test_separated_rows_are_judged_on_the_host(anywhere):
    columns, y, _ = rows(n=8_000)
    y = (columns.X[:, 3].numpy() > columns.X[:, 3].numpy().mean()).astype(float)
    found = optimum(columns, y, None, Task(C=float("inf")))
    assert found.separation == "complete"
    assert not found.certificate["converged"]


def test_tensors_on_the_host_and_small_tables_are_left_to_the_host():
    columns, y, _ = rows()
    blocks, _ = standardised_blocks(columns, y, intercept=True)
    assert resident(blocks) is blocks
    dense = Blocks(Block(Tensor(columns.X).rows(slice(None)), y))
    assert resident(dense) is dense


def test_columns_far_from_zero_lose_no_digits(anywhere):
    columns, y, _ = rows()
    far = Tensor(columns.X + 1e9)
    near = Tensor(far.X - 1e9)  # what is left of the columns once they lie so far out
    blocks, shifted = standardised_blocks(far, y, intercept=True)
    there = resident(blocks)
    assert isinstance(there.all.columns, Resident)
    w = np.full(blocks.p, 0.05)
    Z = (near.X.numpy() + 1e9 - shifted.center) / shifted.scale
    known = np.column_stack([np.ones(len(y)), Z]) @ w
    assert there.each_row(Block.eta, w) == pytest.approx(known, rel=1e-12, abs=1e-12)
