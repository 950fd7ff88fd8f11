"""A caller's matrix behind the products, standardised: the same numbers as written out, without a copy of it."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import sparse

from passline.engine.columns import Columns, Dense, Given, Shifted, Sparse, is_sparse
from passline.engine.given import array_blocks, as_columns, as_labels, refuse_not_finite, standardised
from passline.errors import DataError, NoRowsError, OneClassError

N, P = 97, 5


def unsorted(A: NDArray[Any]) -> Any:
    """CSR of A with each row's entries backwards, each as two halves."""
    X = sparse.csr_array(A)
    data = np.repeat(X.data, 2) / 2
    indices = np.repeat(X.indices, 2)
    for a, b in zip(2 * X.indptr[:-1], 2 * X.indptr[1:], strict=True):
        data[a:b], indices[a:b] = data[a:b][::-1].copy(), indices[a:b][::-1].copy()
    return sparse.csr_array((data, indices, 2 * X.indptr), shape=A.shape)


def readonly(A: NDArray[Any]) -> NDArray[Any]:
    A = A.copy()
    A.flags.writeable = False
    return A


MAKE: dict[str, Any] = {
    "float64": lambda A: A,
    "float32": lambda A: A.astype(np.float32),
    "float16": lambda A: A.astype(np.float16),
    "big-endian": lambda A: A.astype(">f8"),
    "int8": lambda A: np.round(A).astype(np.int8),
    "uint64": lambda A: np.abs(np.round(A)).astype(np.uint64),
    "bool": lambda A: A > 0,
    "fortran": np.asfortranarray,
    "fortran float32": lambda A: np.asfortranarray(A.astype(np.float32)),
    "strided": lambda A: np.repeat(np.repeat(A, 2, axis=0), 3, axis=1)[::2, ::3],
    "backwards": lambda A: A[::-1, ::-1],
    "read-only": readonly,
    "np.matrix": lambda A: A.view(np.matrix),
    "list": lambda A: A.tolist(),
    "csr": sparse.csr_array,
    "csr_matrix": sparse.csr_matrix,
    "csr unsorted with duplicates": unsorted,
    "csr float32": lambda A: sparse.csr_array(A.astype(np.float32)),
    "csr int8": lambda A: sparse.csr_array(np.round(A).astype(np.int8)),
    "csr bool": lambda A: sparse.csr_array(A > 0),
    "csc": sparse.csc_array,
    "coo": sparse.coo_array,
    "lil": sparse.lil_array,
}


def values(seed: int = 0) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(N, P)) * [1.0, 3.0, 0.5, 2.0, 4.0] + [0.0, 5.0, 1.0, -4.0, 0.0]
    return np.where(rng.random((N, P)) < 0.3, 0.0, A)


def written(X: Any) -> NDArray[np.float64]:
    return np.asarray(X.toarray() if sparse.issparse(X) else X, dtype=np.float64)


def check(S: Columns, Z: NDArray[np.float64]) -> None:
    """All that a model asks of columns, against the matrix Z."""
    rng = np.random.default_rng(1)
    n, p = Z.shape
    d = rng.random(n)
    close = {"rtol": 1e-10, "atol": 1e-10}
    assert S.shape == Z.shape
    for k in ((), (1,), (3,)):
        w, r = rng.normal(size=(p, *k)), rng.normal(size=(n, *k))
        assert S.times(w).shape == (n, *k)
        assert S.transposed_times(r).shape == (p, *k)
        np.testing.assert_allclose(S.times(w), Z @ w, **close)
        np.testing.assert_allclose(S.transposed_times(r), Z.T @ r, **close)
    np.testing.assert_allclose(S.gram(d), (Z.T * d) @ Z, **close)
    np.testing.assert_allclose(S.square_sums(d), (Z * Z).T @ d, **close)
    np.testing.assert_allclose(S.dense(), Z, **close)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("kind", MAKE)
def test_every_kind_of_matrix_answers_as_the_written_out_standardised_one(kind: str, intercept: bool) -> None:
    X = MAKE[kind](values())
    A = written(X)
    columns = as_columns(X)
    S = standardised(columns, intercept)
    Z = (A - S.center) / S.scale
    Z = np.column_stack([np.ones(N), Z]) if intercept else Z
    assert is_sparse(S) == sparse.issparse(X)
    check(columns, A)
    check(S, Z)
    for rows in (slice(10, 40), slice(0, 0), slice(None, None, 7), np.array([3, 90, 3, 11])):
        check(S.rows(rows), Z[rows])
    some = np.arange(1, S.shape[1], 2)
    check(S.take(some), Z[:, some])
    check(columns.take(some[some < P]), A[:, some[some < P]])
    if not sparse.issparse(X):
        np.testing.assert_allclose(S.scale, np.sqrt(((A - S.center) ** 2).mean(axis=0)), rtol=1e-12)
        np.testing.assert_allclose(S.center, A.mean(axis=0) if intercept else 0.0, atol=1e-14)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 6), st.integers(0, 2**31), st.booleans(), st.sampled_from(["csr", "float32"]))
def test_any_shape_answers_as_written_out(n: int, p: int, seed: int, intercept: bool, kind: str) -> None:
    X = MAKE[kind](np.random.default_rng(seed).integers(-3, 4, size=(n, p)).astype(np.float64))
    S = standardised(as_columns(X), intercept)
    Z = (written(X) - S.center) / S.scale
    check(S, np.column_stack([np.ones(n), Z]) if intercept else Z)


@pytest.mark.parametrize("ratio", [1e6, 1e9])
@pytest.mark.parametrize("dtype", [np.float64, np.int64])
def test_centres_far_larger_than_scales_cost_no_digits(ratio: float, dtype: type) -> None:
    rng = np.random.default_rng(5)
    X = np.round(rng.normal(size=(200_000, 3)) * 100 + 100 * ratio).astype(dtype)
    blocks, S, _ = array_blocks(X, rng.random(200_000) < 0.5, intercept=True)
    assert S.steep
    block = next(iter(blocks))
    m = block.columns.shape[0]
    Z = np.column_stack([np.ones(m), (X[:m] - S.center) / S.scale])
    d, w = rng.random(m), rng.normal(size=4)
    for seen in (block.columns.times(w) - Z @ w, block.columns.transposed_times(d) - Z.T @ d):
        assert np.abs(seen).max() < 1e-9
    whole = Shifted(Given(X[:m]), S.center, S.scale, True)
    np.testing.assert_allclose(whole.gram(d), (Z.T * d) @ Z, rtol=1e-10, atol=1e-7)
    np.testing.assert_allclose(whole.square_sums(d), (Z * Z).T @ d, rtol=1e-10)


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e160, 1e300, 1.7e308])
def test_scales_are_found_where_squares_leave_the_doubles(size: float) -> None:
    A = np.random.default_rng(6).uniform(-1, 1, size=(50, 2)) * size
    S = standardised(as_columns(A), True)
    np.testing.assert_allclose(S.scale / size, (A / size).std(axis=0), rtol=1e-12)


def test_a_column_constant_in_the_sample_takes_its_scale_from_all_rows() -> None:
    X = np.zeros((200_000, 2))
    X[:, 1] = np.arange(200_000)
    X[123_451:123_459, 0] = 1.0  # too few for the sample to see
    S = standardised(as_columns(X), True)
    assert S.scale[0] == pytest.approx(X[:, 0].std(), rel=1e-9)


@pytest.mark.parametrize("constant", [0.0, 1.0, 0.1, 1e10 / 3])
def test_a_constant_column_has_the_scale_one(constant: float) -> None:
    S = standardised(as_columns(np.full((1000, 1), constant)), True)
    assert S.scale[0] == 1.0
    assert np.abs(S.dense()[:, 1]).max() <= 1e-11 * max(1.0, constant)


@pytest.mark.parametrize("kind", [k for k in MAKE if k != "list"])
def test_nothing_of_the_callers_is_written(kind: str) -> None:
    X = MAKE[kind](values())
    raw = X.copy() if kind == "lil" or not sparse.issparse(X) else None
    kept = (
        None if raw is not None else {k: getattr(X, k).copy() for k in ("data", "indices", "indptr") if hasattr(X, k)}
    )
    y = readonly((np.arange(N) % 3 == 0).astype(np.int8))
    blocks, S, _ = array_blocks(X, y, intercept=True)
    blocks.all.columns.times(np.ones(P + 1))
    S.gram(np.ones(N))
    S.square_sums(np.ones(N))
    if kept is None:
        np.testing.assert_array_equal(written(X), written(raw))
    else:
        for name, array in kept.items():
            np.testing.assert_array_equal(getattr(X, name), array)


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_large_matrix_is_used_in_place(order: str) -> None:
    X = np.zeros((100, 3), order=order)
    columns = as_columns(X)
    assert isinstance(columns, Dense)
    assert np.shares_memory(columns.X, X)
    S = sparse.random_array((100, 3), density=0.5, format="csr", rng=np.random.default_rng(0))
    kept = as_columns(S)
    assert isinstance(kept, Sparse)
    assert np.shares_memory(kept.X.data, S.data)
    assert np.shares_memory(kept.rows(slice(10, 50)).X.data, S.data)


@pytest.mark.parametrize("kind", ["float64", "fortran", "float32"])
def test_a_long_matrix_is_walked_without_a_copy(kind: str) -> None:
    X = MAKE[kind](np.random.default_rng(0).normal(size=(200_000, 20)))
    y = X[:, 0] > 0
    tracemalloc.start()
    try:
        blocks, _, _ = array_blocks(X, y, intercept=True, threads=1)
        for block in blocks:
            block.columns.transposed_times(block.columns.times(np.ones(21)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.1 * 200_000 * 20 * 8 + 8e6


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros(5), r"shape \(5,\)"),
        (np.zeros((2, 2, 2)), r"shape \(2, 2, 2\)"),
        (3.0, r"shape \(\)"),
        (np.zeros((3, 2), dtype=complex), "complex128"),
        (np.array([["a", "b"]]), "<U1"),
        (np.array([[1, "a"]], dtype=object), "object"),
        (np.array([["2020-01-01"]], dtype="datetime64[D]"), "datetime64"),
        ([[1.0, 2.0], [3.0]], "rows of one length"),
        (np.ma.masked_array(np.ones((2, 1)), mask=[[True], [False]]), "masked"),
        (sparse.csr_array(np.eye(2) * 1j), "complex128"),
        (sparse.coo_array(np.ones(4)), r"shape \(4,\)"),
    ],
    ids=str,
)
def test_what_is_no_matrix_of_numbers_is_refused_by_name(X: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        as_columns(X)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", ["float64", "float32", "fortran", "strided", "csr", "csc"])
def test_a_value_that_is_not_finite_is_named_by_row_and_column(kind: str, value: float) -> None:
    A = np.random.default_rng(0).normal(size=(20_001, 3))
    A[20_000, 2] = value
    with pytest.raises(DataError, match=rf"{value} in row 20000, column 2"):
        refuse_not_finite(as_columns(MAKE[kind](A)))
    A[20_000, 2] = 0.0
    refuse_not_finite(as_columns(MAKE[kind](A)))


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        ([0, 1, 1], [0, 1]),
        ([[0], [1], [1]], [0, 1]),
        ([False, True, True], [False, True]),
        (["no", "yes", "yes"], ["no", "yes"]),
        (np.array(["no", "yes", "yes"], dtype=object), ["no", "yes"]),
        ([-1.0, 1.0, 1.0], [-1.0, 1.0]),
        (np.array([7, 200, 200], dtype=np.uint8), [7, 200]),
        (np.array(["2020-01-01", "2021-01-01", "2021-01-01"], dtype="datetime64[D]"), None),
    ],
    ids=str,
)
def test_two_labels_of_any_kind_become_zero_and_one(y: Any, classes: list[Any] | None) -> None:
    outcome, found = as_labels(y, 3)
    np.testing.assert_array_equal(outcome, [0.0, 1.0, 1.0])
    assert outcome.dtype == np.float64
    if classes is not None:
        assert found.tolist() == classes


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        ([0.0, np.nan, 1.0], DataError, "nan in row 1"),
        ([0.0, 1.0, np.inf], DataError, "inf in row 2"),
        (np.array(["a", None, "b"], dtype=object), DataError, "None in row 1"),
        (np.array([0, float("nan"), 1], dtype=object), DataError, "nan in row 1"),
        (np.array(["2020", "NaT", "2021"], dtype="datetime64[Y]"), DataError, "NaT in row 1"),
        (np.ma.masked_array([0, 1, 1], mask=[True, False, False]), DataError, "masked"),
        (np.array([0, "a", 1], dtype=object), DataError, "several types"),
        ([0, 1j, 0], DataError, "complex128"),
        ([[0, 1], [1, 0], [0, 1]], DataError, r"shape \(3, 2\)"),
        ([[0, 1, 1]], DataError, r"shape \(1, 3\)"),
        ([[0], [1, 2], [1]], DataError, "one label a row"),
        ([0, 1], DataError, r"shape \(2,\), and X has 3 rows"),
        (1, DataError, r"shape \(\)"),
        ([0, 1, 2], DataError, r"3 classes \(0, 1, 2\)"),
        (list("abc"), DataError, r"3 classes \(a, b, c\)"),
        ([1, 1, 1], OneClassError, "y is 1 in all 3 rows"),
        (["a", "a", "a"], OneClassError, "y is a in all 3 rows"),
    ],
    ids=str,
)
def test_labels_that_cannot_be_used_are_refused_by_name(y: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        as_labels(y, 3)


def test_no_rows_and_no_columns_are_refused() -> None:
    with pytest.raises(NoRowsError, match="no rows"):
        array_blocks(np.zeros((0, 2)), [], intercept=True)
    with pytest.raises(DataError, match="no columns"):
        array_blocks(np.zeros((3, 0)), [0, 1, 1], intercept=True)
    with pytest.raises(DataError, match="no columns"):
        array_blocks(sparse.csr_array((3, 0)), [0, 1, 1], intercept=True)
