"""A model as a PyTorch module in doubles: probabilities from the columns of its design."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from passline.errors import MissingDependencyError
from passline.model import ON_THE_EDGE

try:
    import torch
except ImportError as error:
    raise MissingDependencyError(
        "an export to torch needs PyTorch, which is not installed. Install it: pip install 'passline[torch]'"
    ) from error

if TYPE_CHECKING:
    from passline.model import Model
    from passline.table.coding import Unseen


class LogisticModule(torch.nn.Module):
    """The probability of each row of the design's columns: 1 / (1 + exp(-(x^T w + b))).

    ``linear``: a torch.nn.Linear of doubles, whose weight (1, p) and bias (1,) are the coefficients; ``directions``:
    (m, 1 + p), those of separated data (the intercept's entry first), no rows where the estimate exists. ``names``: of
    the columns, (p,). A column of numbers in a formula without functions or categories is itself a column of the
    design; for any table ``columns(data)`` gives them.
    """

    directions: torch.Tensor

    def __init__(self, model: Model, *, unseen: Unseen = "error", flic: bool = True) -> None:
        super().__init__()
        k = int(model.design.intercept)
        coef, directions = model.predicting_coef(flic), model.directions
        bias = coef[0] if k else 0.0
        with warnings.catch_warnings():
            # A model without predictors has a weight of no elements, which torch finds odd to initialise.
            warnings.simplefilter("ignore")
            # On no device first: nothing is drawn from the caller's random numbers.
            empty = torch.nn.Linear(len(coef) - k, 1, dtype=torch.float64, device="meta")
        self.linear = empty.to_empty(device="cpu")
        with torch.no_grad():
            self.linear.weight.copy_(torch.from_numpy(coef[k:][None, :]))
            self.linear.bias.fill_(bias)
        start = directions[:, :1] if k else np.zeros((len(directions), 1))
        self.register_buffer("directions", torch.from_numpy(np.hstack([start, directions[:, k:]])))
        self.names = model.design.names[k:]
        self._model, self._unseen = model, unseen

    def forward(self, X: Any) -> Any:
        """Probabilities, (n,), of the design's columns (n, p)."""
        return torch.sigmoid(self.logits(X))

    def logits(self, X: Any) -> Any:
        """Log-odds, (n,): infinite where separating directions send a row, NaN where these disagree."""
        X = torch.as_tensor(X, dtype=torch.float64)
        eta = self.linear(X)[:, 0]
        if not len(self.directions):
            return eta
        X = torch.cat([torch.ones_like(X[:, :1]), X], dim=1)
        along, size = X @ self.directions.T, X.abs() @ self.directions.abs().T  # (n, m)
        sign = torch.where(along.abs() <= ON_THE_EDGE * size, 0.0, torch.sign(along))
        none_up, none_down = (sign <= 0).all(dim=1), (sign >= 0).all(dim=1)
        limit = torch.full_like(eta, torch.nan)
        limit = torch.where(none_up & none_down, eta, limit)
        limit = torch.where(none_down & (sign[:, 0] > 0), torch.inf, limit)
        return torch.where(none_up & (sign[:, 0] < 0), -torch.inf, limit)

    def columns(self, data: Any) -> Any:
        """The design's columns of a table, (n, p) in doubles: NaN in rows where a value is missing.

        Raises DataError as `predict` does.
        """
        model = self._model
        groups, complete = model.groups(model.frame(data), self._unseen)
        p = len(model.design.names)
        X = np.full((len(complete), p), np.nan)
        X[complete] = model.times(groups, int(complete.sum()), np.eye(p))
        return torch.from_numpy(X[:, int(model.design.intercept) :])
