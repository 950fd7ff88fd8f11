"""A progress line for long work, on standard error, and only where that is a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from passline.solvers.base import Step

# Work that is done before this many seconds shows nothing.
QUIET = 1.0
CLEAR = "\r\x1b[2K"


@contextmanager
def progress() -> Iterator[Callable[[Step], None] | None]:
    """What a solver reports its steps to; the line is gone when the block ends."""
    if not sys.stderr.isatty():
        yield None
        return
    began, shown = time.perf_counter(), False

    def report(step: Step) -> None:
        nonlocal shown
        if time.perf_counter() - began > QUIET:
            shown = True
            line = f"{step.rows:,} rows  loss {step.loss:.6f}  gradient {step.gradient_norm:.1e}"
            print(f"{CLEAR}{line}", end="", file=sys.stderr, flush=True)

    try:
        yield report
    finally:
        if shown:
            print(CLEAR, end="", file=sys.stderr, flush=True)
