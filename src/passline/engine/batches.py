"""Minibatches without a loader: rows are gathered many batches at a time, and the batches are cut from there."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import ModuleType
from typing import Any, cast

import numpy as np

from passline.engine.blocks import Block
from passline.engine.columns import Columns, is_sparse
from passline.engine.threads import available
from passline.engine.value import Array
from passline.engine.views import Chosen, Tensor

# Rows of a chunk of batches: gathered at once, so that the cost of a call is paid once for many batches, and few
# enough that they are still in the processor's cache when their turn comes.
CHUNK_BYTES = 2_000_000
# Chunks that a thread gathers ahead while the steps go on (gathering takes about as long as they do, and waits for
# memory where they compute); below so many numbers a walk is over before a thread has begun.
AHEAD, THREADED = 1, 400_000


@dataclass(frozen=True)
class Batch:
    """Views of the rows of one step: X (m, p), the others (m,).

    ``sign`` is 2 y - 1; ``half`` takes half the linear predictor, ``residual`` its outcome's, ``half_offset`` half the
    offset. ``ones`` sums a vector by a product, which is quicker than a sum. A sparse X is a pair, X and its
    transpose, of the same memory.
    """

    X: Any
    sign: Array
    half: Array
    residual: Array
    ones: Array
    weight: Array | None
    half_offset: Array | None
    rows: int


@dataclass(frozen=True)
class Chunk:
    """Consecutive batches, and the vectors (rows,) that they are cut from."""

    batches: list[Batch]
    sign: Array
    half: Array
    weight: Array | None


@dataclass(frozen=True)
class Rows:
    """Rows that batches are cut from: columns (n, p) as a caller gave them, y (m,) in [0, 1], maybe weight and offset.

    ``at``: the index of the m rows that count, None for all n. ``weight`` has mean one over them. The vectors are
    NumPy's; batches are of ``xp``, torch for a tensor that NumPy cannot read, and of ``dtype``, that of the steps:
    single or double precision as X is, else double (torch's default type for other tensors).
    """

    columns: Columns
    y: Array
    weight: Array | None = None
    offset: Array | None = None
    at: Array | None = None

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.y), self.columns.shape[1]

    @property
    def X(self) -> Any:  # noqa: N802 (mathematics keeps its letters)
        return cast("Any", self.columns).X

    @property
    def sparse(self) -> bool:
        return is_sparse(self.columns)

    @property
    def xp(self) -> ModuleType:
        return sys.modules["torch"] if isinstance(self.columns, Tensor) else np

    @property
    def dtype(self) -> Any:
        own = self.X.dtype
        if isinstance(self.columns, Tensor):
            torch = sys.modules["torch"]
            return own if own in (torch.float32, torch.float64) else torch.get_default_dtype()
        return np.dtype(own.type if own.type in (np.float32, np.float64) else np.float64)

    def block(self, among: Array | None = None) -> Block:
        """All the rows as one block (or those ``among``, by index), for sums over them; only vectors are copied."""
        if among is None:
            columns = self.columns if self.at is None else Chosen(self.columns, self.at)
            return Block(columns, self.y, self.weight, self.offset)
        weight, offset = (None if v is None else v[among] for v in (self.weight, self.offset))
        return Block(Chosen(self.columns, self.place(among)), self.y[among], weight, offset)

    def place(self, chosen: Array | slice) -> Array:
        """Where the rows ``chosen`` among the m that count (an index array, or a slice) lie in X."""
        return chosen if self.at is None else self.at[chosen]

    def sent(self, values: Array | None) -> Array | None:
        """A vector of NumPy's in the namespace of the batches, where X lies."""
        return values if values is None or self.xp is np else self.array(values)

    def index(self, at: Array | slice) -> Array | slice:
        """An index of NumPy's in the namespace of the batches, where X lies."""
        return (
            at if self.xp is np or isinstance(at, slice) else self.xp.as_tensor(at.astype(np.int64)).to(self.X.device)
        )

    def empty(self, *shape: int) -> Array:
        """An uninitialised array of the steps' type, where the rows are."""
        if self.xp is np:
            return np.empty(shape, self.dtype)
        return self.xp.empty(shape, dtype=self.dtype, device=self.X.device)

    def array(self, values: Any) -> Array:
        """A copy of numbers as an array of the steps' type, where the rows are."""
        if self.xp is np:
            return np.array(values, self.dtype)
        return self.xp.tensor(np.asarray(values), dtype=self.dtype, device=self.X.device)

    def products(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """``times(X, w, out)`` and ``transposed_times(X, r, out)`` for a batch's X."""
        if self.sparse:
            return _sparse_times, _sparse_transposed_times
        if self.xp is np:  # np.dot asks less than np.matmul
            return (lambda X, w, out: np.dot(X, w, out=out)), (lambda X, r, out: np.dot(r, X, out=out))
        mv = cast("Callable[..., Any]", self.xp.mv)
        return (lambda X, w, out: mv(X, w, out=out)), (lambda X, r, out: mv(X.T, r, out=out))


def walk(rows: Rows, order: Array | slice, batch_size: int) -> Iterator[Chunk]:
    """The rows in ``order`` (an index array, or a slice of step one), in batches; the last one may be short.

    A chunk's arrays are used again: it holds until the next one is asked for.
    """
    n, p = rows.shape
    if isinstance(order, slice):
        first, stop, _ = order.indices(n)
        total = stop - first
    else:
        first, total = 0, len(order)
    width = p if not rows.sparse else int(rows.X.nnz / max(rows.X.shape[0], 1)) + 1
    size = batch_size * max(1, CHUNK_BYTES // (8 * (width + 6) * batch_size))
    places: list[Array | slice] = [
        slice(first + a, min(first + a + size, first + total))
        if isinstance(order, slice)
        else order[a : min(a + size, total)]
        for a in range(0, total, size)
    ]
    lengths = [min(size, total - a) for a in range(0, total, size)]
    ahead = min(AHEAD, len(places) - 1)
    threaded = rows.xp is np and not isinstance(order, slice) and total * width >= THREADED and available() > 1
    if not threaded or ahead < 1:
        buffer = _Buffer(rows, min(size, total), batch_size)
        for place, length in zip(places, lengths, strict=True):
            yield buffer.fill(place, length)
        return
    buffers = [_Buffer(rows, size, batch_size) for _ in range(ahead + 1)]
    with ThreadPoolExecutor(ahead, thread_name_prefix="passline-batches") as pool:
        waiting: deque[Future[Chunk]] = deque()
        for k, (place, length) in enumerate(zip(places, lengths, strict=True)):
            # Into the buffer of the chunk that was given last: its reader has come back for more.
            waiting.append(pool.submit(buffers[k % len(buffers)].fill, place, length))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


class _Buffer:
    """Memory for one chunk, cut into batches once."""

    def __init__(self, rows: Rows, size: int, batch_size: int) -> None:
        self.rows, self.size, self.batch_size = rows, size, batch_size
        self.sign, self.half, self.residual = (rows.empty(size) for _ in range(3))
        self.ones = rows.array(np.ones(size))
        self.vectors = [rows.sent(values) for values in (rows.y, rows.weight, rows.offset)]
        self.weight = None if rows.weight is None else rows.empty(size)
        self.offset = None if rows.offset is None else rows.empty(size)
        self.X: Array | None = None
        self.cut: list[Batch] | None = None

    def fill(self, place: Array | slice, length: int) -> Chunk:
        with np.errstate(over="ignore"):  # a thread has an error state of its own; an infinity is found by the loss
            return self._fill(place, length)

    def _fill(self, place: Array | slice, length: int) -> Chunk:
        rows, (y, weights, offsets) = self.rows, self.vectors
        at = rows.index(place)
        sign = self.sign[:length]
        _gather(y, at, sign)
        sign *= 2
        sign -= 1
        weight = None
        if self.weight is not None:
            weight = self.weight[:length]
            _gather(weights, at, weight)
        if self.offset is not None:
            _gather(offsets, at, self.offset[:length])
            self.offset[:length] *= 0.5
        return Chunk(self._batches(rows.index(rows.place(place)), length), sign, self.half[:length], weight)

    def _batches(self, place: Array | slice, length: int) -> list[Batch]:
        rows = self.rows
        if rows.sparse:
            return self._cut(_SparseRows(cast("Any", rows.columns.rows(place)).X), length)
        if isinstance(place, slice) and rows.X.dtype == rows.dtype:  # in the table's own order: nothing to gather
            return self._cut(rows.X[place], length)
        if self.X is None:
            self.X = rows.empty(self.size, rows.shape[1])
        _gather(rows.X, place, self.X[:length])
        if length < self.size:
            return self._cut(self.X, length)
        if self.cut is None:
            self.cut = self._cut(self.X, length)
        return self.cut

    def _cut(self, X: Any, length: int) -> list[Batch]:
        ends = [(a, min(a + self.batch_size, length)) for a in range(0, length, self.batch_size)]
        return [
            Batch(
                X[a:b], self.sign[a:b], self.half[a:b], self.residual[a:b], self.ones[a:b],
                None if self.weight is None else self.weight[a:b],
                None if self.offset is None else self.offset[a:b],
                b - a,
            )
            for a, b in ends
        ]  # fmt: skip


class _SparseRows:
    """Rows of a CSR matrix, cut into a pair for each batch: the rows, and their transpose in the same memory."""

    def __init__(self, X: Any) -> None:
        self.X = X

    def __getitem__(self, at: slice) -> tuple[Any, Any]:
        from scipy.sparse import csc_array, csr_array

        ends = self.X.indptr[at.start : at.stop + 1]
        inside = slice(int(ends[0]), int(ends[-1]))
        parts = self.X.data[inside], self.X.indices[inside], ends - ends[0]
        m, p = at.stop - at.start, self.X.shape[1]
        return csr_array(parts, shape=(m, p)), csc_array(parts, shape=(p, m))


def _sparse_times(X: tuple[Any, Any], w: Array, out: Array) -> None:
    out[:] = X[0] @ w


def _sparse_transposed_times(X: tuple[Any, Any], r: Array, out: Array) -> None:
    out[:] = X[1] @ r


def _gather(source: Any, place: Array | slice, out: Array) -> None:
    """``out = source[place]``, without a copy on the way where the kinds agree."""
    if not isinstance(place, slice) and isinstance(source, np.ndarray) and _plain(source, out):
        # Clipping (the indices are ours, and inside) lets take write to `out` directly.
        np.take(source, place, axis=0, out=out, mode="clip")
    else:  # take would first copy the whole of a matrix in another order
        out[:] = source[place]


def _plain(source: Array, out: Array) -> bool:
    return source.dtype == out.dtype and bool(source.flags.c_contiguous)
