"""What the faces for arrays share: linear predictors, probabilities and labels from coefficients."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import Block, Blocks
from passline.engine.given import as_columns, refuse_not_finite
from passline.engine.likelihood import mean
from passline.errors import OptionError

Floats = NDArray[np.float64]


class LinearClassifier:
    """A model that, once fitted, has ``coef_`` (1, p), ``intercept_`` (1,), ``classes_`` (2,), ``n_features_in_``."""

    coef_: Floats
    intercept_: Floats
    classes_: NDArray[Any]
    n_features_in_: int

    def decision_function(self, X: Any) -> Floats:
        """The linear predictor of each row: (n,)."""
        if not hasattr(self, "coef_"):
            raise OptionError(f"this {type(self).__name__} is not fitted yet: call fit(X, y) first")
        columns = as_columns(X)
        if columns.shape[1] != self.n_features_in_:
            raise OptionError(f"X has {columns.shape[1]} columns, and the model was fitted to {self.n_features_in_}")
        n = columns.shape[0]
        if n == 0:
            return np.zeros(0)
        with np.errstate(all="ignore"):
            # In blocks: another type of number is turned into doubles a block at a time.
            blocks = Blocks(Block(columns, np.broadcast_to(0.0, n)))
            eta = np.asarray(blocks.each_row(Block.eta, self.coef_[0]) + self.intercept_[0], dtype=np.float64)
        if not np.isfinite(eta).all():
            refuse_not_finite(columns)
        return eta

    def predict_proba(self, X: Any) -> Floats:
        """Probabilities of the two classes: (n, 2)."""
        p = mean(self.decision_function(X))
        return np.stack([1 - p, p], axis=1)

    def predict(self, X: Any) -> NDArray[Any]:
        """The more probable class of each row: (n,)."""
        positive = self.decision_function(X) > 0
        return self.classes_[positive.astype(np.intp)]


def threads_of(n_jobs: Any) -> int | None:
    """The number of threads that scikit-learn's ``n_jobs`` asks for; None: as many as there are processors."""
    if n_jobs is None or n_jobs == -1:
        return None
    if not isinstance(n_jobs, Integral) or n_jobs < 1:
        raise OptionError(f"n_jobs is {n_jobs!r}: give a number of threads, or None or -1 for all processors")
    return int(n_jobs)
