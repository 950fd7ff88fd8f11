"""Every shape of table against every solver that can do it: time, ratio, memory, passes, and the exact gradient.

How each number comes about stands in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.machine import machine
from benchmarks.shapes import SHAPES, Shape, make, size
from benchmarks.table import Result, details, summary, write_between
from benchmarks.timing import ROOT, Plan, contenders, installed, measure, run
from benchmarks.worker import Job

DOCUMENT = ROOT / "docs" / "benchmarks.md"


def main(arguments: list[str] | None = None) -> None:
    """Make each shape, hold its contests, print the tables; also write them into the documentation if asked to."""
    asked = parse(arguments)
    plan = Plan(asked.limit, asked.runs, asked.threads)
    results: list[Result] = []
    for name in asked.shapes:
        results.append(contest(SHAPES[name], asked.scale, asked.peers, plan, asked.folder))
        print(f"\n{summary(results[-1:])}\n", flush=True)
    scale = "" if asked.scale == 1 else f" At {asked.scale:g} of the full size."
    text = f"{machine()}{scale} {plan.threads} threads.\n\n{summary(results)}\n\n{details(results)}"
    print(f"\n{text}")
    if asked.write:
        write_between(DOCUMENT, "solvers", text)


def contest(shape: Shape, scale: float, peers: list[str] | None, plan: Plan, folder: str | None) -> Result:
    """One shape: its data in a temporary folder, everybody who is asked for and installed, one plain read."""
    able = [peer for peer in contenders(shape, scale) if peers is None or peer in peers]
    present = [peer for peer in able if installed(peer)]
    rows, columns = size(shape, scale)
    print(f"{shape.name}: {rows:,} x {columns:,}; {', '.join(present)}", flush=True)
    with tempfile.TemporaryDirectory(dir=folder) as data:
        make(shape, scale, Path(data))
        held = measure(shape, present, Path(data), plan, lambda line: print(line, flush=True))
        read = float("nan")
        if shape.kind in ("dense", "sparse", "sgd"):
            read = run(Job(shape.name, "read", data, None, False, False, plan.threads, 60)).seconds
    return Result(shape, rows, columns, held, read, [peer for peer in able if peer not in present])


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options; names that do not exist are refused with those that do."""
    options = argparse.ArgumentParser(description=__doc__, prog="scripts/bench solvers")
    options.add_argument("--shapes", type=_names(list(SHAPES)), default=list(SHAPES), help="a,b,...: all by default")
    every = sorted({peer for shape in SHAPES.values() for peer in contenders(shape, 0.0)})
    options.add_argument("--peers", type=_names(every), default=None, help="a,b,...: all by default")
    options.add_argument("--scale", type=float, default=1.0, help="share of the rows: 0.1 for a quick look")
    options.add_argument("--runs", type=int, default=3, help="runs in alternation; fits under 2 s get two more")
    options.add_argument("--limit", type=float, default=120.0, help="seconds that a fit may take")
    options.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    options.add_argument("--folder", default=None, help="where the data are put meanwhile: up to 1 GB")
    options.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    return options.parse_args(arguments)


def _names(known: list[str]) -> Callable[[str], list[str]]:
    def chosen(text: str) -> list[str]:
        names = text.split(",")
        if wrong := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(f"{', '.join(wrong)}: choose from {', '.join(known)}")
        return names

    return chosen


if __name__ == "__main__":
    main()
