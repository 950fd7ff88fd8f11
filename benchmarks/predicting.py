"""How fast a loaded model predicts: one row, a list of rows as a service has them, a million rows against NumPy.

python benchmarks/predicting.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import passline

ROWS, COLUMNS = 1_000_000, 20


def main() -> None:
    """Print a line a measurement."""
    with tempfile.TemporaryDirectory() as folder:
        model = fitted(Path(folder), COLUMNS)
        row = {f"x{j}": 0.1 * j for j in range(COLUMNS)}
        print(f"one row, a dict of {COLUMNS} numbers: {1e6 * median(lambda: model.predict(row), 300):.1f} us")
        curved = fitted(Path(folder), 4, " + rcs(x0, 5) + log1p(x1) + g * x2")
        other = {"x0": 0.5, "x1": 0.25, "x2": 1.0, "x3": 2.0, "g": "b"}
        print(f"one row, spline, log1p, category: {1e6 * median(lambda: curved.predict(other), 300):.1f} us")
        five = fitted(Path(folder), 5)
        rows = [{f"x{j}": 0.1 * j + 0.001 * i for j in range(5)} for i in range(1000)]
        print(f"1000 rows of 5 numbers, dicts: {1e3 * median(lambda: five.predict(rows), 50):.2f} ms")
        print(f"... every value there: {1e3 * median(lambda: five.model.predict_records(rows), 50):.2f} ms")
        million(model)
        starts(Path(folder) / "model.json")


def million(model: passline.Fit) -> None:
    """A million rows from memory: columns of their own, and columns of one matrix in rows."""
    import pandas as pd

    X = np.random.default_rng(0).random((ROWS, COLUMNS))
    w = np.random.default_rng(1).random(COLUMNS)
    own = {f"x{j}": X[:, j].copy() for j in range(COLUMNS)}
    inside = {f"x{j}": X[:, j] for j in range(COLUMNS)}
    frame = pd.DataFrame(own)
    seconds = alternately(
        {
            "NumPy, a matrix that is there: 1 / (1 + exp(-(X @ w)))": lambda: 1 / (1 + np.exp(-(X @ w))),
            "passline, a dict of columns": lambda: model.predict(own),
            "passline, a dict of columns inside a matrix in rows": lambda: model.predict(inside),
            "passline, a pandas frame": lambda: model.predict(frame),
            "NumPy, columns made a matrix first": lambda: 1 / (1 + np.exp(-(np.column_stack(list(own.values())) @ w))),
        },
        9,
    )
    first, *_, second = seconds.values()
    print(f"{ROWS:,} rows of {COLUMNS} numbers:")
    for name, time_taken in seconds.items():
        print(f"  {1e3 * time_taken:7.1f} ms, {time_taken / first:.2f} and {time_taken / second:.2f} of NumPy: {name}")


def starts(path: Path) -> None:
    """A process that loads a model and predicts one row: seconds and memory."""
    code = (
        f"from passline import modelfile; m = modelfile.load({str(path)!r})\n"
        "m.predict({f'x{j}': 0.5 for j in range(5)})\n"
        # Of this process alone: what getrusage says is inherited from the one that started it.
        "print(next(int(l.split()[1]) for l in open('/proc/self/status') if l.startswith('VmHWM')) / 1024)"
    )
    runs, memory = [], ""
    for _ in range(5):
        begin = time.perf_counter()
        memory = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
        runs.append(time.perf_counter() - begin)
    print(f"a process that loads a model and predicts a row: {statistics.median(runs):.2f} s, {float(memory):.0f} MB")


def fitted(folder: Path, columns: int, more: str = "") -> passline.Fit:
    """A model of so many numbers, saved and loaded."""
    rng = np.random.default_rng(2)
    data: dict[str, object] = {f"x{j}": rng.random(2000) for j in range(columns)}
    data |= {"g": rng.choice(["a", "b", "c"], 2000), "y": rng.integers(0, 2, 2000)}
    formula = "y ~ " + " + ".join(f"x{j}" for j in range(columns)) + more
    passline.fit(formula, data).save(folder / "model.json")
    return passline.load(folder / "model.json")


def median(call: Callable[[], object], times: int) -> float:
    """The median seconds of a call."""
    return alternately({"": call}, times)[""]


def alternately(calls: dict[str, Callable[[], object]], times: int) -> dict[str, float]:
    """The median seconds of each call, made in turns."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(times):
        for name, call in calls.items():
            if len(calls) > 1:
                time.sleep(0.05)  # threads of BLAS wait in loops for a while, in the way of the next call's
            begin = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - begin)
    return {name: statistics.median(found) for name, found in seconds.items()}


if __name__ == "__main__":
    main()
