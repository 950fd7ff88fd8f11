"""A lasso at 0.02 of the largest penalty against scikit-learn's solvers: seconds, and what each is above the minimum.

By hand: python benchmarks/lasso.py [SHAPE ...]. LIBLINEAR penalises the intercept too, so that it gets a column of 1000
for one, and is above the minimum by the little that this costs.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.machine import machine
from passline.engine.given import array_blocks
from passline.engine.objective import Objective
from passline.solvers.elastic_net import elastic_net, intercept_alone

Floats = NDArray[np.float64]
# Rows, columns, and how many times saga goes over the rows at most.
SHAPES = {"long": (100_000, 100, 100), "wide": (500, 20_000, 100), "square": (5_000, 5_000, 20)}
SHARE, CORRELATION, RUNS = 0.02, 0.5, 3

Answer = tuple[Floats, float]


def main(names: list[str]) -> None:
    """Print one line a shape and solver."""
    print(machine())
    print("| shape | solver | seconds | times ours | above the minimum | coefficients |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in names or list(SHAPES):
        n, p, epochs = SHAPES[name]
        X, y = table(n, p)
        blocks, shifted, _ = array_blocks(X, y, intercept=True)
        F = Objective(blocks)
        origin = np.zeros(F.p)
        origin[0], _ = intercept_alone(F)
        l1 = SHARE * float(np.abs(np.asarray(F(origin, 1).gradient)[1:] * shifted.scale).max())

        solvers: dict[str, Callable[[], Answer]] = {
            "passline": partial(ours, X, y, l1),
            "liblinear": partial(theirs, X, y, l1, solver="liblinear", intercept_scaling=1000.0, tol=1e-6),
            "saga": partial(theirs, X, y, l1, solver="saga", tol=1e-8, max_iter=epochs),
        }
        seconds, answers = contest(solvers)
        values = {solver: value(X, y, l1, answer) for solver, answer in answers.items()}
        for solver, answer in answers.items():
            ratio = seconds[solver] / seconds["passline"]
            above, kept = values[solver] - min(values.values()), np.count_nonzero(answer[0])
            print(
                f"| {n:,} x {p:,} | {solver} | {seconds[solver]:.2f} | {ratio:.1f} | {above:.1e} | {kept:,} |",
                flush=True,
            )


def contest(solvers: dict[str, Callable[[], Answer]]) -> tuple[dict[str, float], dict[str, Answer]]:
    """The least time of each, in alternation."""
    seconds = dict.fromkeys(solvers, float("inf"))
    answers = {}
    for _ in range(RUNS):
        for name, solve in solvers.items():
            begin = time.perf_counter()
            answers[name] = solve()
            seconds[name] = min(seconds[name], time.perf_counter() - begin)
    return seconds, answers


def value(X: Floats, y: Floats, l1: float, answer: Answer) -> float:
    """The objective, from its definition."""
    eta = X @ answer[0] + answer[1]
    return float(np.mean(np.logaddexp(0, eta) - y * eta)) + l1 * float(np.abs(answer[0]).sum())


def ours(X: Floats, y: Floats, l1: float) -> Answer:
    """From the arrays to the certified answer."""
    blocks, shifted, _ = array_blocks(X, y, intercept=True)
    F = Objective(blocks)
    found = elastic_net(F, np.r_[0.0, l1 / shifted.scale], tolerance=5e-9, start=np.zeros(F.p))
    assert found.converged
    w = found.coef[1:] / shifted.scale
    return w, float(found.coef[0] - shifted.center @ w)


def theirs(X: Floats, y: Floats, l1: float, **options: Any) -> Answer:
    """scikit-learn's answer, converged or not."""
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = LogisticRegression(C=1.0 / (len(y) * l1), l1_ratio=1.0, random_state=0, **options).fit(X, y)
    return found.coef_[0], float(found.intercept_[0])


def table(n: int, p: int) -> tuple[Floats, Floats]:
    """Neighbouring columns correlate, at most 50 have a coefficient, and the outcome is noisy."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, p))
    for j in range(1, p):
        X[:, j] = CORRELATION * X[:, j - 1] + np.sqrt(1 - CORRELATION**2) * X[:, j]
    truth = np.zeros(p)
    truth[rng.choice(p, min(p // 10, 50), replace=False)] = rng.normal(size=min(p // 10, 50))
    eta = X @ truth
    y = rng.random(n) < 1 / (1 + np.exp(-2.0 * eta / eta.std()))
    return X, y.astype(np.float64)


if __name__ == "__main__":
    main(sys.argv[1:])
