"""Which columns count as combinations of those before them: R's rule, in R's order, against 50 digits."""

from __future__ import annotations

import numpy as np
import pytest
from exact import left_over
from hypothesis import given, settings
from hypothesis import strategies as st

from passline.engine import scaling as scaling_module
from passline.engine.blocks import Block, Blocks
from passline.engine.scaling import assemble
from passline.solvers.rank import Rank, independent
from passline.table.design import CodedColumns, Group, NumericColumns


def kept(groups: list[Group], n: int, **options: int) -> tuple[list[int], Rank]:
    """The independent columns of intercept and groups, as places in the design."""
    p = 1 + sum(group.width if isinstance(group, CodedColumns) else 1 for group in groups)
    columns, scaling = assemble(groups, p, n, True, None)
    found = independent(Blocks(Block(columns, np.zeros(n)), block_bytes=1), scaling, **options)
    return np.flatnonzero(np.isin(scaling.position, found.keep)).tolist(), found


def numbers(X: np.ndarray) -> list[Group]:
    return [NumericColumns(np.array(column)) for column in X.T]


@pytest.mark.parametrize(("share", "stays"), [(1e-5, True), (1e-9, True), (1e-10, True), (1e-13, False), (0.0, False)])
def test_a_column_is_aliased_where_its_predecessors_leave_less_than_1e_11_of_it(share: float, stays: bool) -> None:
    rng = np.random.default_rng(1)
    a, b, noise = rng.normal(size=(3, 400))
    X = np.column_stack([a, b, a + b + share * noise])
    left = left_over(np.column_stack([np.ones(400), X]))[3]
    assert (left > 1e-11) == stays
    assert kept(numbers(X), 400)[0] == ([0, 1, 2, 3] if stays else [0, 1, 2])


def test_of_dependent_columns_the_later_is_aliased() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(2, 50))
    assert kept(numbers(np.column_stack([a, b, a - 2 * b, np.full(50, 3.0), a])), 50)[0] == [0, 1, 2]
    assert kept(numbers(np.column_stack([np.full(50, 3.0), a - 2 * b, a, b])), 50)[0] == [0, 2, 3]


@pytest.mark.parametrize("written", [True, False])
def test_categories_in_full_beside_an_intercept_lose_their_last_level(
    written: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not written:
        monkeypatch.setattr(scaling_module, "WRITE_OUT", 0)
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 3, 60).astype(np.int32)
    number = rng.normal(size=60)
    assert kept([CodedColumns(codes, 3, None), NumericColumns(number)], 60)[0] == [0, 1, 2, 4]
    # The same level twice, and a level that no row has.
    other = np.where(codes == 1, 0, -1).astype(np.int32)
    assert kept([CodedColumns(codes, 3, None), CodedColumns(other, 2, None)], 60)[0] == [0, 1, 2]


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(0, 3))
def test_small_integer_columns_are_judged_as_exact_arithmetic_judges_them(seed: int, p: int, spare: int) -> None:
    rng = np.random.default_rng(seed)
    n = p + 2 + spare
    X = rng.integers(-2, 3, (n, p)).astype(float)
    X[:, rng.integers(p)] = X @ rng.integers(-1, 2, p)
    full = np.column_stack([np.ones(n), X])
    exact = [j for j in range(p + 1) if rank_of(full[:, : j + 1]) > rank_of(full[:, :j])]
    assert kept(numbers(X), n)[0] == exact


def test_a_sample_settles_a_plain_design_and_never_a_dependent_one() -> None:
    rng = np.random.default_rng(4)
    n = 4000
    X = rng.normal(size=(n, 3))
    assert kept(numbers(X), n, sample=500)[1].triangle is None
    twin = X[:, 0].copy()
    assert kept(numbers(np.column_stack([X, twin])), n, sample=500)[0] == [0, 1, 2, 3]
    # Differs from the first in one row only, which the sample does not see.
    twin[1] += 1.0
    assert kept(numbers(np.column_stack([X, twin])), n, sample=500)[0] == [0, 1, 2, 3, 4]


def rank_of(X: np.ndarray) -> int:
    return int(np.linalg.matrix_rank(X)) if X.shape[1] else 0
