"""What the faces for arrays share as scikit-learn estimators: input and its names, predictions, errors of its kind."""

from __future__ import annotations

import warnings
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline import errors
from passline.engine.blocks import Block, Blocks
from passline.engine.columns import Columns
from passline.engine.given import as_columns, as_labels, refuse_not_finite, require_columns
from passline.engine.likelihood import mean
from passline.engine.threads import available
from passline.errors import DataError, DataTypeError, MissingDependencyError, OptionError

try:
    from sklearn import exceptions
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import validate_data
except ModuleNotFoundError as error:
    if error.name is not None and error.name.partition(".")[0] != "sklearn":
        raise
    raise MissingDependencyError(
        "LogisticRegression and SGDLogisticRegression are estimators of scikit-learn, which is not installed. Install "
        "it with: pip install 'passline[sklearn]' (passline.fit does without)"
    ) from error

Floats = NDArray[np.float64]


class ConvergenceWarning(errors.ConvergenceWarning, exceptions.ConvergenceWarning):  # type: ignore[misc]  # untyped base
    """The certificate does not hold; of scikit-learn's kind too, so that filters made for that see it."""


class SeparationWarning(errors.SeparationWarning, exceptions.ConvergenceWarning):  # type: ignore[misc]  # untyped base
    """No finite estimate exists; of scikit-learn's kind too, which a fit without an optimum raises there."""


class NotFittedError(OptionError, exceptions.NotFittedError):  # type: ignore[misc]  # untyped base
    """An answer is asked of an estimator before it was fitted."""


class LinearClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A model that, once fitted, has ``coef_`` (1, p), ``intercept_`` (1,), ``classes_`` (2,), ``n_features_in_``."""

    coef_: Any  # (1, p), an array or, after sparsify, a CSR matrix
    intercept_: Floats
    classes_: NDArray[Any]
    n_features_in_: int

    def decision_function(self, X: Any) -> Floats:
        """The linear predictor of each row: (n,)."""
        if not hasattr(self, "coef_"):
            raise NotFittedError(f"this {type(self).__name__} is not fitted yet: call fit(X, y) first")
        columns = self._columns(X, reset=False)
        n = columns.shape[0]
        if n == 0:
            return np.zeros(0)
        coef = self._dense_coef()
        with np.errstate(all="ignore"):
            # In blocks: another type of number is turned into doubles a block at a time.
            blocks = Blocks(Block(columns, np.broadcast_to(0.0, n)))
            eta = np.asarray(blocks.each_row(Block.eta, coef) + self.intercept_[0], dtype=np.float64)
        if not np.isfinite(eta).all():
            refuse_not_finite(columns)
        return eta

    def predict_proba(self, X: Any) -> Floats:
        """Probabilities of the two classes: (n, 2)."""
        p = mean(self.decision_function(X))
        return np.stack([1 - p, p], axis=1)

    def predict_log_proba(self, X: Any) -> Floats:
        """Logarithms of the probabilities of the two classes, exact where a probability rounds to 0: (n, 2)."""
        eta = self.decision_function(X)
        return np.stack([-np.logaddexp(0.0, eta), -np.logaddexp(0.0, -eta)], axis=1)

    def predict(self, X: Any) -> NDArray[Any]:
        """The more probable class of each row: (n,)."""
        positive = self.decision_function(X) > 0
        return self.classes_[positive.astype(np.intp)]

    def densify(self) -> Any:
        """Make ``coef_`` an array again."""
        self._require_fit("densify")
        if not isinstance(self.coef_, np.ndarray):
            self.coef_ = self.coef_.toarray()
        return self

    def sparsify(self) -> Any:
        """Make ``coef_`` a sparse matrix (CSR), which pays where most coefficients are zero, as under an l1 penalty."""
        self._require_fit("sparsify")
        from scipy.sparse import csr_matrix

        self.coef_ = csr_matrix(self.coef_)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_class = False
        return tags

    def _dense_coef(self) -> Floats:
        coef: Floats = (self.coef_ if isinstance(self.coef_, np.ndarray) else self.coef_.toarray())[0]
        return coef

    def _require_fit(self, method: str) -> None:
        if not hasattr(self, "coef_"):
            raise NotFittedError(f"this {type(self).__name__} is not fitted yet: call fit(X, y) before {method}()")

    def _columns(self, X: Any, *, reset: bool) -> Columns:
        """A caller's matrix as columns, without a copy; its number of columns and their names kept or compared."""
        columns = as_columns(X)
        if reset:
            require_columns(columns)
        # An array has no names. Looking for some all the same would take as long as some passes of a small fit.
        if isinstance(X, np.ndarray) and not hasattr(self, "feature_names_in_"):
            if reset:
                self.n_features_in_ = columns.shape[1]
            if self.n_features_in_ == columns.shape[1]:
                return columns
        try:
            validate_data(self, X, reset=reset, skip_check_array=True)
        except (ValueError, TypeError) as error:
            raise (DataError if isinstance(error, ValueError) else DataTypeError)(str(error)) from None
        return columns


def labels(y: Any, n: int, **known: Any) -> tuple[Floats, NDArray[Any]]:
    """As :func:`passline.engine.given.as_labels`, with scikit-learn's word for targets that are no classes."""
    if getattr(y, "ndim", 1) == 2 and y.shape[1] == 1:
        text = "A column-vector y was passed when a 1d array was expected: give y.ravel()"
        warnings.warn(text, exceptions.DataConversionWarning, stacklevel=4)
    try:
        return as_labels(y, n, **known)
    except DataError as refused:
        if str(refused).startswith("Only binary"):
            try:
                check_classification_targets(y)
            except ValueError as error:
                raise DataError(str(error)) from None
        raise


def threads_of(n_jobs: Any) -> int | None:
    """The number of threads that scikit-learn's ``n_jobs`` asks for; None: as many as there are processors."""
    if n_jobs is None or n_jobs == -1:
        return None
    if not isinstance(n_jobs, Integral) or n_jobs == 0:
        raise OptionError(
            f"n_jobs is {n_jobs!r}: give a number of threads, None or -1 for all processors, -2 for all but one"
        )
    jobs = int(n_jobs)
    return jobs if jobs > 0 else max(available() + 1 + jobs, 1)
