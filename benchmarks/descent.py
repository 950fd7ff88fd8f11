"""One epoch of minibatch descent, batches of 256: passline's, a plain PyTorch loop with autograd, SGDClassifier."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BATCH, RATE, SEED = 256, 0.1, 0
Clock = Callable[[Callable[[], Any]], tuple[Any, float, int]]


def descend(name: str, X: Any, y: Floats, clock: Clock) -> dict[str, Any]:
    """Time one epoch; the mean loss over all rows stands beside the time, so that speed is not bought with it."""
    run = DESCENTS[name]
    run(X[:2000], y[:2000])  # what is imported on the way is not counted
    (coef, intercept), seconds, taken = clock(lambda: run(X, y))
    eta = X @ coef + intercept
    return {"seconds": seconds, "memory": taken, "loss": float(np.mean(np.logaddexp(0, eta) - y * eta))}


def passline_descent(X: Floats, y: Floats) -> tuple[Floats, float]:
    """What passline does: the rows shuffled once, and one more pass for the certificate."""
    from passline import SGDLogisticRegression

    model = SGDLogisticRegression(rate=RATE, epochs=1, batch_size=BATCH, generator=SEED).fit(X, y)
    return model.coef_[0], float(model.intercept_[0])


def torch_loop(X: Floats, y: Floats) -> tuple[Floats, float]:
    """The lesson's loop on tensors that are cut, not loaded row by row: as well as plain PyTorch does it."""
    import torch

    torch.set_num_threads(1)  # a batch is too small to share: with two threads they wait for each other
    torch.manual_seed(SEED)
    rows, outcome = torch.from_numpy(X), torch.from_numpy(y)
    model = torch.nn.Linear(X.shape[1], 1, dtype=torch.float64)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    loss_of = torch.nn.BCEWithLogitsLoss()
    for batch in torch.split(torch.randperm(len(X)), BATCH):
        optimizer.zero_grad()
        loss_of(model(rows[batch]).squeeze(1), outcome[batch]).backward()
        optimizer.step()
    return model.weight.detach().numpy().ravel(), float(model.bias.detach())


def sgd_classifier(X: Floats, y: Floats) -> tuple[Floats, float]:
    """scikit-learn's, one row a step: one epoch at a constant rate of RATE / BATCH, the same movement an epoch."""
    from sklearn.linear_model import SGDClassifier

    settings = {"penalty": None, "learning_rate": "constant", "eta0": RATE / BATCH, "max_iter": 1, "tol": None}
    model = SGDClassifier(loss="log_loss", random_state=SEED, **settings).fit(X, y)
    return model.coef_.ravel(), float(model.intercept_[0])


DESCENTS = {"passline": passline_descent, "torch-loop": torch_loop, "sk-sgd": sgd_classifier}
