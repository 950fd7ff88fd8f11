"""Ten outcomes of the same embeddings: `LogisticHead` against one fit after the other, and scikit-learn's lbfgs.

python -m benchmarks.heads
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from passline.nn import LogisticHead, LogisticModel

ROWS, COLUMNS, OUTCOMES, L2, ROUNDS = 50_000, 384, 10, 1e-4, 5


def main() -> None:
    """Print a line a way of doing it: the median seconds of rounds in turn."""
    random = np.random.default_rng(0)
    mixing = np.eye(COLUMNS) + 0.3 * random.normal(size=(COLUMNS, COLUMNS)) / np.sqrt(COLUMNS)
    X = torch.tensor((random.normal(size=(ROWS, COLUMNS)) @ mixing).astype(np.float32))
    eta = X.numpy() @ (random.normal(size=(COLUMNS, OUTCOMES)) / np.sqrt(COLUMNS)) - 1
    Y = torch.tensor((random.random((ROWS, OUTCOMES)) < 1 / (1 + np.exp(-eta))).astype(np.float32))
    doubles = X.double().numpy()

    def together() -> None:
        LogisticHead(COLUMNS, OUTCOMES).fit(X, Y, l2=L2)

    def alone() -> None:
        for k in range(OUTCOMES):
            LogisticModel(COLUMNS).fit(X, Y[:, k], l2=L2)

    def sklearn() -> None:
        for k in range(OUTCOMES):
            LogisticRegression(C=1 / (ROWS * L2), tol=1e-8, max_iter=1000).fit(doubles, Y[:, k].numpy())

    ways: dict[str, Callable[[], None]] = {
        "LogisticHead": together,
        "one by one": alone,
        "scikit-learn, lbfgs": sklearn,
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - began)
    for name, taken in seconds.items():
        print(f"{name}: {statistics.median(taken):.2f} s ({min(taken):.2f} to {max(taken):.2f})")


if __name__ == "__main__":
    main()
