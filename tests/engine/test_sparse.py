"""Sparse columns: any CSR matrix as it was given, its moments, and walks that neither copy it nor depend on threads."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import sparse

import passline
from passline.engine.blocks import PARTS, Block, Blocks
from passline.engine.columns import Shifted
from passline.engine.given import array_blocks, as_columns, centred_first, refuse_not_finite, standardised
from passline.engine.likelihood import linearised
from passline.engine.moments import entries, moments
from passline.engine.objective import Objective
from passline.engine.sparse import Sparse
from passline.errors import DataError

Floats = NDArray[np.float64]
N, P = 83, 6


def values(seed: int = 0) -> Floats:
    rng = np.random.default_rng(seed)
    A = np.where(rng.random((N, P)) < 0.6, 0.0, rng.normal(size=(N, P)) * 3)
    A[:, 2] = 0.0
    A[5] = 0.0
    return np.round(A)


def raw(A: Floats, data: Any = None, indices: Any = None, indptr: Any = None) -> Any:
    """CSR of A with some of its arrays put in place of SciPy's, unchecked."""
    X = sparse.csr_array(A)
    X.data = X.data if data is None else data(X.data)
    X.indices = X.indices if indices is None else indices(X.indices)
    X.indptr = X.indptr if indptr is None else indptr(X.indptr)
    return X


def with_zeros(A: Floats) -> Any:
    X = sparse.csr_array(A + 100.0)
    X.data = X.data - 100.0
    return X


def twice(A: Floats) -> Any:
    """Each entry as two halves, and those backwards in their row."""
    X = sparse.csr_array(A)
    data, indices = np.repeat(X.data, 2) / 2, np.repeat(X.indices, 2)
    for a, b in zip(2 * X.indptr[:-1], 2 * X.indptr[1:], strict=True):
        data[a:b], indices[a:b] = data[a:b][::-1].copy(), indices[a:b][::-1].copy()
    return sparse.csr_array((data, indices, 2 * X.indptr), shape=A.shape)


def dense(kind: str, X: Any, A: Floats) -> Floats:
    """The matrix of a kind in doubles, by SciPy where it can."""
    return A if kind == "more room than entries" else np.asarray(X.toarray(), dtype=np.float64)


def frozen(A: Floats) -> Any:
    X = sparse.csr_array(A)
    for part in (X.data, X.indices, X.indptr):
        part.flags.writeable = False
    return X


MAKE: dict[str, Callable[[Floats], Any]] = {
    "plain": sparse.csr_array,
    "64-bit indices": lambda A: raw(A, indices=lambda i: i.astype(np.int64), indptr=lambda i: i.astype(np.int64)),
    "mixed indices": lambda A: raw(A, indptr=lambda i: i.astype(np.int64)),
    "float32": lambda A: sparse.csr_array(A.astype(np.float32)),
    "longdouble": lambda A: sparse.csr_array(A.astype(np.longdouble)),
    "int8": lambda A: sparse.csr_array(A.astype(np.int8)),
    "uint64": lambda A: sparse.csr_array(np.abs(A).astype(np.uint64)),
    "bool": lambda A: sparse.csr_array(A != 0),
    "explicit zeros": with_zeros,
    "more room than entries": lambda A: raw(
        A, lambda d: np.r_[d, 9.0, 9.0], lambda i: np.r_[i, 0, 99].astype(np.int32)
    ),
    "repeated and unsorted": twice,
    "read-only": frozen,
    "matrix": sparse.csr_matrix,
    "csc": sparse.csc_array,
    "coo": sparse.coo_array,
    "dia": sparse.dia_array,
    "bsr": sparse.bsr_array,
    "dok": sparse.dok_array,
}


@pytest.mark.parametrize("kind", MAKE)
def test_every_kind_of_sparse_matrix_answers_as_its_doubles_do(kind: str) -> None:
    X = MAKE[kind](values())
    A = dense(kind, X, values())
    columns = as_columns(X)
    assert isinstance(columns, Sparse)
    rng = np.random.default_rng(1)
    d = rng.random(N)
    shifted = standardised(columns, True)
    Z = np.column_stack([np.ones(N), (A - shifted.center) / shifted.scale])
    for seen, M in ((columns, A), (columns.rows(slice(0, N)), A), (shifted, Z), (shifted.rows(slice(0, N)), Z)):
        w, r = rng.normal(size=M.shape[1]), rng.normal(size=N)
        np.testing.assert_allclose(seen.times(w), M @ w, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(seen.transposed_times(r), M.T @ r, rtol=1e-12, atol=1e-11)
        np.testing.assert_allclose(seen.square_sums(d), (M * M).T @ d, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(seen.gram(d), (M.T * d) @ M, rtol=1e-11, atol=1e-11)
        np.testing.assert_array_equal(seen.rows(np.array([4, 2, 4])).dense(), seen.dense()[[4, 2, 4]])
    np.testing.assert_array_equal(entries(columns), np.count_nonzero(A, axis=0))


@pytest.mark.parametrize("kind", MAKE)
def test_every_kind_of_sparse_matrix_gives_the_dense_ones_estimate(kind: str) -> None:
    A = values()
    y = (np.arange(N) % 3 == 0).astype(int)
    X = MAKE[kind](A)
    Z = dense(kind, X, A)
    found, plain = (passline.LogisticRegression().fit(M, y) for M in (X, Z))
    np.testing.assert_allclose(found.coef_, plain.coef_, atol=1e-8)
    np.testing.assert_allclose(found.predict_proba(X), plain.predict_proba(Z), atol=1e-8)


@pytest.mark.parametrize("kind", ["plain", "repeated and unsorted", "float32", "bool", "64-bit indices", "read-only"])
def test_a_csr_matrix_is_used_in_place(kind: str) -> None:
    X = MAKE[kind](values())
    kept = [part.copy() for part in (X.data, X.indices, X.indptr)]
    columns = as_columns(X)
    assert isinstance(columns, Sparse)
    for part, other in ((columns.X.data, X.data), (columns.X.indices, X.indices), (columns.X.indptr, X.indptr)):
        assert np.shares_memory(part, other)
    assert np.shares_memory(columns.rows(slice(10, 50)).X.indices, X.indices)
    passline.LogisticRegression().fit(X, np.arange(N) % 2)
    for part, before in zip((X.data, X.indices, X.indptr), kept, strict=True):
        np.testing.assert_array_equal(part, before)


def long(kind: str, n: int = 400_000, p: int = 3000, k: int = 10) -> Any:
    rng = np.random.default_rng(0)
    indices = rng.integers(0, p, n * k, dtype=np.int32)  # unsorted, and some repeat
    data = {"float32": np.ones(n * k, np.float32), "bool": np.ones(n * k, bool)}.get(kind, rng.normal(size=n * k))
    X = sparse.csr_array((data, indices, np.arange(0, n * k + 1, k, dtype=np.int32)), shape=(n, p))
    if kind == "sorted":
        X.sum_duplicates()
    return X


@pytest.mark.parametrize("kind", ["sorted", "unsorted", "float32", "bool"])
def test_a_long_matrix_is_walked_without_a_copy(kind: str) -> None:
    X = long(kind)
    y = np.arange(400_000) % 2
    tracemalloc.start()
    try:
        blocks, _, _ = array_blocks(X, y, intercept=True, threads=1)
        near = Objective(blocks).near(np.zeros(3001))
        near.product(np.ones(3001))
        near.diagonal()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # In doubles the matrix takes 48 MB, a block of it 12, of which two may be there at a time; a vector of rows 3.
    assert peak < 50e6


@pytest.mark.parametrize(("n", "p", "k"), [(50, 3, 1), (30_000, 40, 10), (20_000, 100_000, 30), (500_000, 5, 2)])
def test_walks_are_in_few_blocks_of_many_entries(n: int, p: int, k: int) -> None:
    S = sparse.csr_array((np.ones(n * k), np.arange(n * k) % p, np.arange(0, n * k + 1, k)), shape=(n, p))
    blocks = Blocks(Block(Sparse(S), np.zeros(n)))
    stored = [block.columns.stored for block in blocks if isinstance(block.columns, Sparse)]
    assert sum(stored) == n * k
    assert len(stored) == 1 or (len(stored) % 2 == 0 and max(stored) <= max(n * k / 2, 8 * p, 1_500_000))
    assert len(stored) <= max(2, 2 * n * k / p)


def test_the_sums_do_not_depend_on_the_number_of_threads() -> None:
    X, y = long("unsorted"), np.arange(400_000) % 2 == 0
    assert len(list(Blocks(Block(as_columns(X), y)))) >= PARTS // 2
    w = np.random.default_rng(0).normal(size=3001)
    sums = [array_blocks(X, y, intercept=True, threads=t)[0].sum(linearised, w) for t in (1, 2, 3)]
    for other in sums[1:]:
        np.testing.assert_array_equal(other.value.gradient, sums[0].value.gradient)
        np.testing.assert_array_equal(np.concatenate(other.eta), np.concatenate(sums[0].eta))


def test_the_certificates_gradient_is_that_of_standardised_columns() -> None:
    rng = np.random.default_rng(0)
    n = 3000
    S = sparse.random_array((n, 400), density=0.01, rng=rng, format="csr")
    dense = np.column_stack([50 + rng.normal(size=n), rng.random(n) < 0.9, rng.random(n) < 0.001])
    X = sparse.hstack([S, dense]).tocsr()
    y = rng.random(n) < 0.4
    model = passline.LogisticRegression(C=2.0).fit(X, y)
    A = X.toarray()
    r = model.predict_proba(X)[:, 1] - y
    spread = np.where(A.std(axis=0) > 0, A.std(axis=0), 1.0)
    g = ((A - A.mean(axis=0)).T @ r / n + model.coef_[0] / (2.0 * n)) / spread
    size = np.abs(np.r_[r.mean(), g]).max()
    assert size <= 1e-8
    assert model.certificate_["gradient_norm"] == pytest.approx(size, rel=1e-3, abs=1e-14)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 30), st.integers(1, 5), st.integers(0, 2**31), st.booleans(), st.sampled_from([1e-200, 1.0, 1e200])
)
def test_moments_are_those_of_the_columns(n: int, p: int, seed: int, centred: bool, size: float) -> None:
    rng = np.random.default_rng(seed)
    A = rng.integers(-2, 3, size=(n, p)) * np.where(rng.random(p) < 0.3, size, 1.0)
    A[:, 0] += rng.choice([0.0, 1e6])
    center, scale = moments(Sparse(sparse.csr_array(A)), centred)
    unit = np.abs(A).max(axis=0)
    unit[unit == 0] = 1.0
    mean = (A / unit).mean(axis=0) if centred else np.zeros(p)
    spread = np.sqrt(np.square(A / unit - mean).mean(axis=0))
    np.testing.assert_allclose(center / unit, mean, rtol=1e-12, atol=1e-15)
    varies = spread > 1e-11 * np.abs(mean)
    np.testing.assert_allclose((scale / unit)[varies], spread[varies], rtol=1e-9)
    assert (scale[~varies] == 1.0).all()


def test_moments_of_columns_that_never_vanish_take_no_more_than_two_walks() -> None:
    counted: list[int] = []
    X = Sparse(sparse.random_array((500, 40), density=0.1, format="csr", rng=np.random.default_rng(0)))
    original = Sparse.rows

    def rows(self: Sparse, selection: Any) -> Sparse:
        counted.append(1)
        return original(self, selection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sparse, "rows", rows)
        moments(X, True)
    assert len(counted) <= 2


@pytest.mark.parametrize("far", [1e6, 1e8])
@pytest.mark.parametrize("kind", ["plain", "repeated and unsorted", "float32"])
@pytest.mark.parametrize("p", [10, 300])
def test_a_column_far_from_zero_keeps_its_digits(p: int, kind: str, far: float) -> None:
    rng = np.random.default_rng(1)
    n = 3000
    z = np.round(rng.normal(size=n) * 8) / 8 if kind != "float32" else rng.integers(-2, 3, n) * 8.0
    A = np.column_stack([sparse.random_array((n, p), density=0.02, rng=rng).toarray(), z])
    y = rng.random(n) < 1 / (1 + np.exp(-z))
    near, away = A.copy(), A.copy()
    away[:, -1] += far
    X = MAKE[kind](away)
    for C in (1.0, np.inf) if p == 10 else (1.0,):
        plain = passline.LogisticRegression(C=C).fit(sparse.csr_array(near.astype(X.dtype)), y)
        model = passline.LogisticRegression(C=C).fit(X, y)
        assert model.certificate_["converged"]
        np.testing.assert_allclose(model.coef_, plain.coef_, atol=1e-6)
    seen = centred_first(standardised(as_columns(X), True))
    assert isinstance(seen, Shifted)
    assert seen.center[-1] == 0.0
    assert np.abs(seen.columns.rows(slice(0, 100)).dense()[:, -1]).max() < 100


@pytest.mark.parametrize("size", [1e-300, 1e-120, 1e120, 1e300])
@pytest.mark.parametrize("p", [5, 200])
def test_the_answer_does_not_depend_on_a_columns_unit(p: int, size: float) -> None:
    rng = np.random.default_rng(1)
    X = sparse.random_array((2000, p), density=0.1, rng=rng, format="csr")
    y = rng.random(2000) < 1 / (1 + np.exp(1 - 2 * X.toarray()[:, 0]))
    units = np.ones(p)
    units[0] = size
    plain = passline.LogisticRegression(C=np.inf).fit(X, y)
    model = passline.LogisticRegression(C=np.inf).fit((X @ sparse.diags_array(units)).tocsr(), y)
    assert model.certificate_["converged"]
    np.testing.assert_allclose(model.coef_[0] * units, plain.coef_[0], atol=1e-6)


def test_a_far_column_with_a_gap_is_not_centred_entry_by_entry() -> None:
    X = sparse.csr_array(np.r_[np.full(50, 1e6), 0.0][:, None] + np.r_[np.arange(50) % 2, 0.0][:, None])
    forced = Shifted(Sparse(X), np.array([1e6]), np.array([0.5]), True)
    assert centred_first(forced).center[0] == 1e6


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda X: setattr(X, "indices", X.indices + 3), rf"entry in column {P + 2}, and its columns are 0 to {P - 1}"),
        (lambda X: setattr(X, "indices", X.indices - 1), "entry in column -1"),
        (lambda X: setattr(X, "indptr", X.indptr[::-1].copy()), "indptr"),
        (lambda X: setattr(X, "indptr", X.indptr + 1), "indptr"),
        (lambda X: setattr(X, "data", X.data[:-1]), "indptr"),
    ],
)
def test_a_matrix_that_points_beyond_itself_is_refused(spoil: Callable[[Any], None], message: str) -> None:
    X = sparse.csr_array(np.ones((N, P)))
    spoil(X)
    with pytest.raises(DataError, match=message):
        as_columns(X)


@pytest.mark.parametrize("dtype", [">f8", np.float16, complex, object])
def test_a_type_that_sparse_matrices_do_not_know_is_refused(dtype: Any) -> None:
    X = raw(values(), data=lambda d: d.astype(dtype))
    with pytest.raises(DataError, match=str(np.dtype(dtype))):
        as_columns(X)


@pytest.mark.parametrize("kind", ["plain", "repeated and unsorted", "64-bit indices"])
@pytest.mark.parametrize("p", [4, 300])
def test_a_stored_value_that_is_not_finite_is_named(p: int, kind: str) -> None:
    A = np.zeros((900, p))
    A[:, 1] = 1e6 + np.arange(900) % 7  # a far column beside it
    A[77, 2] = np.nan
    with pytest.raises(DataError, match="X is nan in row 77, column 2"):
        passline.LogisticRegression().fit(MAKE[kind](A), np.arange(900) % 2)
    with pytest.raises(DataError, match="X is nan in row 77, column 2"):
        refuse_not_finite(as_columns(MAKE[kind](A)))


def test_a_million_columns_most_of_them_empty_work() -> None:
    rng = np.random.default_rng(0)
    n, p = 3000, 1_000_000
    used = rng.choice(p, 500, replace=False)
    X = sparse.csr_array((np.ones(n * 4), used[rng.integers(0, 500, n * 4)], np.arange(0, 4 * n + 1, 4)), shape=(n, p))
    y = rng.random(n) < 1 / (1 + np.exp(-(X @ rng.normal(size=p))))
    model = passline.LogisticRegression().fit(X, y)
    assert model.certificate_["converged"]
    small = passline.LogisticRegression().fit(X[:, used], y)
    np.testing.assert_allclose(model.coef_[0, used], small.coef_[0], atol=1e-7)
    empty = np.ones(p, dtype=bool)
    empty[used] = False
    assert not model.coef_[0, empty].any()
