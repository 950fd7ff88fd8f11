"""How long `passline.fit` takes on a CSV of a million rows, beside DuckDB alone reading it; and the small commands.

Every run is a process of its own; the runs of the contenders alternate, so that a slow minute of the machine falls on
all of them. A table in Markdown is printed: medians, the range, the peak of resident memory.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv

PREDICTORS = [f"x{number}" for number in range(1, 11)]
STUDENTS = Path(__file__).resolve().parent.parent / "src" / "passline" / "data" / "students.csv"

_REPORT = """
import json, resource, sys
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps({"seconds": seconds, "peak": peak}))
"""
_DUCKDB = """
import duckdb, sys, time
began = time.perf_counter()
duckdb.execute("CREATE TABLE t AS SELECT * FROM " + sys.argv[2], [sys.argv[1]])
seconds = time.perf_counter() - began
"""
# A small fit first: what is imported on the way is not counted.
_FIT = """
import passline, sys, time
passline.fit("passed ~ hours", sys.argv[3])
began = time.perf_counter()
fit = passline.fit(sys.argv[2], sys.argv[1])
seconds = time.perf_counter() - began
assert fit.certificate.converged
"""


class Run(NamedTuple):
    """One process: seconds of what is measured, peak resident memory in bytes."""

    seconds: float
    peak: int


def main() -> None:
    """Make the table, run the contenders in turn, print the Markdown."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--runs", type=int, default=7)
    options.add_argument("--seed", type=int, default=20)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.csv"
        write_table(table, asked.rows, asked.seed)
        large = alternate(large_contenders(table), asked.runs)
        small = alternate(command_contenders(Path(folder)), asked.runs)
        size = table.stat().st_size
    print(machine())
    print(
        f"\n{asked.rows:,} rows, {len(PREDICTORS)} predictors, {size / 1e6:.0f} MB of CSV; {asked.runs} runs in turn.\n"
    )
    print_table(large, against="DuckDB alone, types given")
    print()
    print_table(small, against=None)


def write_table(path: Path, rows: int, seed: int) -> None:
    """A CSV file: y in {0, 1} from a logistic model of ten independent standard normal predictors, six decimals."""
    random = np.random.default_rng(seed)
    X = random.standard_normal((rows, len(PREDICTORS))).round(6)  # (n, p)
    eta = X @ np.linspace(-1, 1, len(PREDICTORS)) - 0.5
    y = (random.random(rows) < 1 / (1 + np.exp(-eta))).astype(np.int8)
    columns = {"y": y, **{name: X[:, place] for place, name in enumerate(PREDICTORS)}}
    pyarrow.csv.write_csv(pa.table(columns), path)


def large_contenders(table: Path) -> dict[str, Callable[[], Run]]:
    """Label -> a run on the large table."""
    kinds = ", ".join(["'y': 'BIGINT'", *(f"'{name}': 'DOUBLE'" for name in PREDICTORS)])
    typed = f"read_csv(?, auto_detect=false, header=true, delim=',', columns={{{kinds}}})"
    formula = "y ~ " + " + ".join(PREDICTORS)
    return {
        "DuckDB alone, types given": lambda: in_process(_DUCKDB, str(table), typed),
        "DuckDB alone, types guessed": lambda: in_process(_DUCKDB, str(table), "read_csv(?)"),
        "passline.fit": lambda: in_process(_FIT, str(table), formula, str(STUDENTS)),
    }


def command_contenders(folder: Path) -> dict[str, Callable[[], Run]]:
    """Label -> a small command as a whole process, its start and its imports included."""
    model = str(folder / "students.json")
    fit = ["fit", str(STUDENTS), "passed ~ hours", "-o", model]
    whole(fit)  # predict needs the model
    return {
        "passline --help": lambda: whole(["--help"]),
        "passline fit, 20 rows": lambda: whole(fit),
        "passline predict, 20 rows": lambda: whole(["predict", model, str(STUDENTS)]),
    }


def in_process(code: str, *arguments: str) -> Run:
    """Run code that leaves `seconds` behind, in a process of its own."""
    command = [sys.executable, "-c", code + _REPORT, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Run(**json.loads(done.stdout.splitlines()[-1]))


def whole(arguments: list[str]) -> Run:
    """Time a command from its start to its end."""
    command = [str(Path(sys.executable).with_name("passline")), *arguments]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
    return Run(seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def alternate(contenders: dict[str, Callable[[], Run]], runs: int) -> dict[str, list[Run]]:
    """Every contender once, then every one again; the first round warms the file cache and is not counted."""
    done: dict[str, list[Run]] = {label: [] for label in contenders}
    for round_ in range(runs + 1):
        for label, run in contenders.items():
            result = run()
            if round_:
                done[label].append(result)
    return done


def print_table(done: dict[str, list[Run]], against: str | None) -> None:
    """Medians as a Markdown table, as a multiple of one contender if one is named."""
    print(f"| what | median | range | {'times that | ' if against else ''}peak memory |")
    print(f"| --- | ---: | ---: | {'---: | ' if against else ''}---: |")
    for label, runs in done.items():
        seconds = [run.seconds for run in runs]
        median = statistics.median(seconds)
        ratio = f"{median / statistics.median(run.seconds for run in done[against]):.2f} | " if against else ""
        peak = max(run.peak for run in runs) / 1e6
        print(f"| {label} | {median:.3f} s | {min(seconds):.3f} to {max(seconds):.3f} s | {ratio}{peak:.0f} MB |")


def machine() -> str:
    """One line: processor, cores, system, versions."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = models[0] if models else platform.processor() or platform.machine()
    libraries = ", ".join(f"{name} {version(name)}" for name in ("passline", "duckdb", "numpy"))
    return f"{processor}, {os.cpu_count()} cores; {platform.system()}, Python {platform.python_version()}; {libraries}."


if __name__ == "__main__":
    main()
