"""Measure how long a report takes after the fit, how large it is, and what memory it needs.

    python -m benchmarks.report [--rows 20 10000 10000000]

The table has three numbers and a category of four levels, drawn from a known model with a fixed seed; each size is
fitted and reported in a process of its own. What is asked: 2 s at 20 rows, 3 s at 10,000, 60 s at 10 million, each
under 1.5 MB.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

import passline

SIZES = (20, 10_000, 10_000_000)
# Seconds by rows: up to so many rows, so many seconds.
ASKED = {20: 2.0, 10_000: 3.0, 10_000_000: 60.0}
LARGEST = 1_500_000


@dataclass(frozen=True)
class Measured:
    """One size: seconds of the fit and of the report after it, the report's bytes, the process's largest memory."""

    rows: int
    fit: float
    report: float
    processor: float
    size: int
    memory: float  # GB


def table(rows: int) -> dict[str, np.ndarray]:
    """The table, three numbers, a category, and an outcome that all of them have a part in."""
    generator = np.random.default_rng(5)
    x1, x2 = generator.normal(size=rows), generator.normal(size=rows)
    x3 = generator.integers(0, 5, rows).astype(np.float64)
    g = np.array(["a", "b", "c", "d"])[generator.integers(0, 4, rows)]
    eta = -1 + 0.8 * x1 - 0.5 * x2 + 0.2 * x3 + 0.4 * (g == "b")
    y = (generator.random(rows) < 1 / (1 + np.exp(-eta))).astype(np.float64)
    return {"x1": x1, "x2": x2, "x3": x3, "g": g, "y": y}


def measure(rows: int) -> Measured:
    """Fit so many rows and report them."""
    warnings.simplefilter("ignore")
    data = table(rows)
    start = time.perf_counter()
    fit = passline.fit("y ~ x1 + x2 + x3 + g", data)
    fitted = time.perf_counter()
    spent = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        fit.report(path)
        done = time.perf_counter()
        size = path.stat().st_size
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return Measured(rows, fitted - start, done - fitted, time.process_time() - spent, size, memory)


def main() -> None:
    """Measure each size and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=list(SIZES))
    print("| rows | fit, s | report, s | processor, s | asked, s | size, kB | largest memory, GB |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for rows in parser.parse_args().rows:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            found = pool.submit(measure, rows).result()
        asked = next((seconds for most, seconds in ASKED.items() if rows <= most), None)
        shown = "" if asked is None else f"{asked:g}"
        print(
            f"| {rows:,} | {found.fit:.2f} | {found.report:.2f} | {found.processor:.2f} | {shown} "
            f"| {found.size / 1000:,.0f} | {found.memory:.2f} |",
            flush=True,
        )
        assert found.size < LARGEST


if __name__ == "__main__":
    main()
