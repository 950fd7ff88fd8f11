"""Columns seen through an index or in a tensor answer as the rows written out, a block at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import sparse

from passline.engine.blocks import Block, Blocks
from passline.engine.columns import Columns
from passline.engine.given import as_columns, standardised
from passline.engine.views import Chosen, Tensor


def written() -> Any:
    return np.random.default_rng(0).integers(-3, 4, size=(600, 5)).astype(float)


KINDS: dict[str, Any] = {
    "dense": as_columns,
    "float32": lambda A: as_columns(A.astype(np.float32)),
    "sparse": lambda A: as_columns(sparse.csr_array(A)),
    "bfloat16": lambda A: as_columns(torch.from_numpy(A).bfloat16()),
    "tensor": lambda A: Tensor(torch.from_numpy(A).T.contiguous().T),
}


def check(columns: Columns, Z: Any) -> None:
    rng = np.random.default_rng(1)
    n, p = Z.shape
    d = rng.random(n)
    assert columns.shape == Z.shape
    for k in ((), (2,)):
        w, r = rng.normal(size=(p, *k)), rng.normal(size=(n, *k))
        np.testing.assert_allclose(columns.times(w), Z @ w, atol=1e-10)
        np.testing.assert_allclose(columns.transposed_times(r), Z.T @ r, atol=1e-10)
    np.testing.assert_allclose(columns.gram(d), (Z.T * d) @ Z, atol=1e-10)
    np.testing.assert_allclose(columns.square_sums(d), (Z * Z).T @ d, atol=1e-10)
    np.testing.assert_array_equal(columns.dense(), Z)


@pytest.mark.parametrize("kind", KINDS)
def test_some_rows_and_some_columns_answer_as_written_out(kind: str) -> None:
    A = written()
    columns = KINDS[kind](A)
    at = np.random.default_rng(2).permutation(600)[:500].astype(np.int32)
    for seen, Z in ((columns, A), (Chosen(columns, at), A[at])):
        check(seen, Z)
        check(seen.take(np.array([1, 4])), Z[:, [1, 4]])
        for rows in (slice(10, 40), slice(None, None, 7), np.array([3, 90, 3, 11])):
            check(seen.rows(rows), Z[rows])
        S = standardised(seen, True) if kind != "sparse" else None
        if S is not None:
            check(S, np.column_stack([np.ones(len(Z)), (Z - S.center) / S.scale]))


def test_blocks_walk_chosen_rows_without_a_copy_of_them_all() -> None:
    A = written()
    at = np.arange(0, 600, 2)

    class Watched(Tensor):
        asked: list[int] = []  # noqa: RUF012 (one list for all views of it)

        def rows(self, selection: Any) -> Any:
            block = super().rows(selection)
            self.asked.append(block.shape[0])
            return block

    columns = Watched(torch.from_numpy(A))
    blocks = Blocks(Block(Chosen(columns, at), np.zeros(300)), block_bytes=1, threads=1)
    total = blocks.sum(lambda block: block.columns.transposed_times(np.ones(block.columns.shape[0])))
    np.testing.assert_allclose(total, A[at].sum(axis=0))
    assert max(columns.asked) == blocks.size < 300
    assert sum(columns.asked) == 300
