"""A model as an estimator of scikit-learn's that is fitted already: predictions on frames, in pipelines, pickled."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from passline import modelfile
from passline.errors import DataError, MissingDependencyError, OptionError
from passline.ship.plan import number_of

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
except ImportError as error:
    raise MissingDependencyError(
        "an export to scikit-learn needs it, and it is not installed. Install it: pip install 'passline[sklearn]'"
    ) from error

if TYPE_CHECKING:
    from passline.model import Model


class FormulaClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """A fitted logistic regression for scikit-learn: a frame of the predictors in, probabilities out.

    ``model``: the text of a model file, so that clones and pickles hold no code. ``unseen``: "error", or "baseline" to
    take a category that was not there at fitting time for the reference; ``flic``: predict from a Firth fit with its
    corrected intercept. The outcome's labels are numbers where both read as one, else texts. A row in which a value is
    missing has the probability NaN, and no label.
    """

    def __init__(self, model: str = "", *, unseen: str = "error", flic: bool = True) -> None:
        self.model = model
        self.unseen = unseen
        self.flic = flic

    def fit(self, X: Any, y: Any = None) -> FormulaClassifier:  # noqa: ARG002 - scikit-learn's shape
        """Refused: it is fitted already, by passline.fit."""
        raise OptionError("this estimator is a model that passline.fit has fitted; to fit another one use that")

    def __sklearn_is_fitted__(self) -> bool:
        return bool(self.model)

    @property
    def classes_(self) -> NDArray[Any]:
        """The outcome's labels, the positive one second, (2,)."""
        labels = (self._parsed.design.negative, self._parsed.design.positive)
        numbers = [number_of(label) for label in labels]
        if None in numbers:
            return np.array(labels, dtype=object)
        found = np.array(numbers, dtype=np.float64)
        return found.astype(np.int64) if (found % 1 == 0).all() else found

    @property
    def feature_names_in_(self) -> NDArray[Any]:
        """The predictors' columns, (d,)."""
        return np.array(self._parsed.design.variables, dtype=object)

    @property
    def n_features_in_(self) -> int:
        """How many columns predictions need."""
        return len(self._parsed.design.variables)

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """The log-odds of the positive label, (n,)."""
        found = self._parsed.predict(self._named(X), scale="logit", unseen=self.unseen, flic=self.flic)
        return cast("NDArray[np.float64]", found)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """The probability of each label, (n, 2)."""
        p = cast("NDArray[np.float64]", self._parsed.predict(self._named(X), unseen=self.unseen, flic=self.flic))
        return np.column_stack([1.0 - p, p])

    def predict(self, X: Any) -> NDArray[Any]:
        """The more probable label, (n,).

        Raises DataError where a row has no probability.
        """
        p = self.predict_proba(X)[:, 1]
        if np.isnan(p).any():
            row = int(np.flatnonzero(np.isnan(p))[0])
            raise DataError(f"row {row + 1} has no probability: a value is missing, or separated data leave it open")
        return cast("NDArray[Any]", self.classes_[(p > 0.5).astype(int)])

    @property
    def _parsed(self) -> Model:
        return _parsed(self.model)

    def _named(self, X: Any) -> Any:
        """A matrix's columns by the names of the predictors, in their order; anything else as it is."""
        if not isinstance(X, np.ndarray):
            return X
        if X.ndim != 2 or X.shape[1] != self.n_features_in_:
            raise DataError(f"X has the shape {X.shape}; the model needs {self.n_features_in_} columns")
        return {str(name): X[:, i] for i, name in enumerate(self.feature_names_in_)}


@lru_cache(maxsize=8)
def _parsed(text: str) -> Model:
    return modelfile.parse(text.encode("utf-8", "surrogatepass"), "the estimator's model")
