"""Batches cut from gathered chunks hold the rows they should, in memory that is used again."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from passline.engine.batches import Rows, walk
from passline.engine.given import as_columns


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 300), p=st.integers(0, 5), size=st.integers(1, 400), data=st.data())
def test_batches_hold_every_row_once_in_order_and_only_the_last_is_short(
    n: int, p: int, size: int, data: st.DataObject
) -> None:
    X = np.arange(n * p, dtype=float).reshape(n, p)
    y = np.arange(n) / max(n, 1)
    order = np.random.default_rng(data.draw(st.integers(0, 99))).permutation(n)
    rows = Rows(as_columns(X), y)
    seen, signs, lengths = [], [], []
    for chunk in walk(rows, order, size):
        for batch in chunk.batches:
            seen.append(batch.X.copy())
            signs.append(batch.sign.copy())
            lengths.append(batch.rows)
    np.testing.assert_array_equal(np.concatenate(seen), X[order])
    np.testing.assert_array_equal(np.concatenate(signs), 2 * y[order] - 1)
    assert lengths == [size] * (n // size) + ([n % size] if n % size else [])


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
