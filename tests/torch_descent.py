"""A plain training loop in PyTorch with autograd, and a table for it: what descents are compared with."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from passline.schedules import Schedule

METHODS = ("sgd", "momentum", "nesterov", "adam")


def table(n: int = 1003, p: int = 7, seed: int = 0, dtype: Any = np.float64) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    y = rng.random(n) < 1 / (1 + np.exp(-(X @ rng.standard_normal(p) + 0.3)))
    return X.astype(dtype), y.astype(dtype)


def torch_optimizer(method: str, groups: Any, rate: float) -> torch.optim.Optimizer:
    if method == "adam":
        return torch.optim.Adam(groups, lr=rate)
    return torch.optim.SGD(groups, lr=rate, momentum=0.0 if method == "sgd" else 0.9, nesterov=method == "nesterov")


def torch_loop(
    X: Any, y: Any, method: str, *, rate: float, epochs: int, size: int,
    l2: float = 0.0, weight: Any = None, offset: Any = None, seed: int | None = 5, schedule: Schedule | None = None,
    start: Any = None, path: list[Any] | None = None,
) -> Any:  # fmt: skip
    """A plain loop with autograd; coefficients and intercept, the mean loss of each epoch. No seed: rows in order.

    ``path`` gets the coefficients after each step.
    """
    torch.set_num_threads(1)  # a batch is too small to share: with two threads they wait for each other
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    begin = torch.zeros(X.shape[1] + 1) if start is None else torch.tensor(start)
    w, b = (part.to(X.dtype).clone().requires_grad_() for part in (begin[:-1], begin[-1:]))
    optimizer = torch_optimizer(method, [{"params": [w], "weight_decay": l2}, {"params": [b]}], rate)
    generator, losses, steps = torch.Generator().manual_seed(seed or 0), [], 0
    for _ in range(epochs):
        order = torch.arange(len(y)) if seed is None else torch.randperm(len(y), generator=generator)
        total = 0.0
        for first in range(0, len(y), size):
            at = order[first : first + size]
            c = None if weight is None else torch.from_numpy(weight)[at]
            eta = X[at] @ w + b + (0 if offset is None else torch.from_numpy(offset)[at])
            loss = torch.nn.BCEWithLogitsLoss(weight=c)(eta, y[at])
            optimizer.zero_grad()
            loss.backward()
            for group in optimizer.param_groups:
                group["lr"] = rate * (1 if schedule is None else schedule.factor(steps))
            optimizer.step()
            steps += 1
            if path is not None:
                path.append(np.append(w.detach().numpy(), b.detach().numpy()))
            total += loss.item() * len(at)
        losses.append(total / len(y))
    return np.append(w.detach().numpy(), b.detach().numpy()), losses
