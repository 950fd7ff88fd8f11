"""Batches cut from gathered chunks hold the rows they should, in memory that is used again."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from passline.engine.batches import Rows, walk
from passline.engine.given import as_columns

KINDS: dict[str, Any] = {
    "float64": np.asarray,
    "float32": lambda X: X.astype(np.float32),
    "int8": lambda X: X.astype(np.int8),
    "fortran": np.asfortranarray,
    "csr": sparse.csr_array,
    "bfloat16": lambda X: torch.from_numpy(X).bfloat16(),
}


@settings(max_examples=80, deadline=None)
@given(
    n=st.integers(1, 300),
    p=st.integers(0, 5),
    size=st.integers(1, 400),
    kind=st.sampled_from(list(KINDS)),
    in_order=st.booleans(),
    some=st.booleans(),
    seed=st.integers(0, 99),
)
def test_batches_hold_every_row_that_counts_once_in_order_and_only_the_last_is_short(
    *, n: int, p: int, size: int, kind: str, in_order: bool, some: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    X = rng.integers(-9, 10, size=(n, p)).astype(float)
    at = np.flatnonzero(rng.random(n) < 0.6) if some else None
    used = np.arange(n) if at is None else at
    m = len(used)
    vectors = y, weight, offset = [rng.integers(0, 9, m) / 8 for _ in range(3)]
    rows = Rows(as_columns(KINDS[kind](X)), y, weight, offset, at)
    order = slice(None) if in_order else rng.permutation(m).astype(np.int32)
    times, transposed_times = rows.products()
    w, lengths, seen = rows.array(rng.integers(-3, 4, p)), [], []
    for chunk in walk(rows, order, size):
        for batch in chunk.batches:
            out, total = rows.empty(batch.rows), rows.empty(p)
            times(batch.X, w, out)
            transposed_times(batch.X, batch.sign, total)
            place = used[order][sum(lengths) : sum(lengths) + batch.rows]
            np.testing.assert_array_equal(np.asarray(out), X[place] @ np.asarray(w))
            np.testing.assert_array_equal(np.asarray(total), X[place].T @ np.asarray(batch.sign))
            seen.append([np.asarray(part).copy() for part in (batch.sign, batch.weight, batch.half_offset)])
            lengths.append(batch.rows)
    assert lengths == [size] * (m // size) + ([m % size] if m % size else [])
    if m:
        signs, weights, halves = np.concatenate(seen, axis=1)
        for found, wanted in zip(((signs + 1) / 2, weights, 2 * halves), vectors, strict=True):
            np.testing.assert_array_equal(found, wanted[order])


def test_chunks_gathered_ahead_are_not_overwritten_while_they_are_used() -> None:
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((60_000, 20)), np.arange(60_000) % 2
    rows = Rows(as_columns(X), y)
    order = np.random.default_rng(0).permutation(len(y))
    at = 0
    for chunk in walk(rows, order, 256):
        for batch in chunk.batches:
            np.testing.assert_array_equal(batch.X, X[order[at : at + batch.rows]])
            at += batch.rows
    assert at == len(y)
