"""One pool of threads for the walks over rows; BLAS keeps to one thread inside, so that no two pools fight."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar, copy_context
from functools import cache
from typing import Any, TypeVar, cast

from threadpoolctl import ThreadpoolController

# Work on fewer numbers than this is done before a thread has taken it up.
SMALL = 50_000
_limit: ContextVar[int | None] = ContextVar("passline_threads", default=None)

A = TypeVar("A")
T = TypeVar("T")


def available() -> int:
    """The processors that may be used: those of this process, or as many as :func:`limited` leaves."""
    limit = _limit.get()
    if limit is not None:
        return limit
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def limited(threads: int | None) -> Iterator[None]:
    """Use so many threads inside, None: no other number than outside."""
    token = None if threads is None else _limit.set(threads)
    try:
        yield
    finally:
        if token is not None:
            _limit.reset(token)


def each(f: Callable[[A], T], parts: Sequence[A], threads: int) -> list[T]:
    """``f`` of each part, in order, on ``threads`` threads.

    What comes out depends on the parts and not on the number of threads. BLAS's own threads wait in loops, which
    costs a busy machine more than they bring.
    """
    with blas_alone():
        if threads < 2 or len(parts) < 2:
            return [f(part) for part in parts]
        # A thread has a context of its own; NumPy's error state is part of it, and is the caller's to choose.
        contexts = [copy_context() for _ in parts]
        return list(_pool(threads).map(lambda context, part: context.run(f, part), contexts, parts))


def blas_alone() -> AbstractContextManager[object]:
    """A context in which BLAS keeps to one thread: for long vectors between walks, whose sums it would share out."""
    return cast("AbstractContextManager[object]", _controller().limit(limits=1, user_api="blas"))


def later(f: Callable[..., T], *args: Any, size: int) -> Callable[[], T]:
    """What gives ``f(*args)``, begun at once on the pool if it works on ``size`` numbers and they are many.

    For work on separate arrays that the caller need not wait for; what ``f`` raises is raised where it is asked for.
    """
    if size < SMALL or available() < 2:
        found = f(*args)
        return lambda: found
    return _pool(available()).submit(f, *args).result


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="passline")


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
