"""The face for arrays: the optimum of scikit-learn's objective on every shape, and one clear message on bad input."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse
from sklearn.exceptions import DataConversionWarning

import passline
from passline.errors import (
    DataError,
    NoRowsError,
    OneClassError,
    OptionError,
    SeparationWarning,
    TooManyColumnsError,
)
from passline.solvers import auto

Floats = NDArray[np.float64]


def labels(X: Any, w: Floats, b: float, seed: int = 1) -> NDArray[np.int64]:
    eta = np.asarray(X @ w).ravel() + b
    return (np.random.default_rng(seed).random(len(eta)) < 1 / (1 + np.exp(-eta))).astype(np.int64)


def table(n: int, p: int, seed: int = 0) -> tuple[Floats, NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    return X, labels(X, rng.normal(size=p) / np.sqrt(p), -0.3)


def gradient(model: Any, X: Any, y: NDArray[Any], *, intercept: bool = True) -> float:
    """The largest entry of the gradient of scikit-learn's objective over n C, with respect to standardised columns."""
    dense = np.asarray(X.toarray() if sparse.issparse(X) else X, dtype=np.float64)
    n = len(dense)
    center = dense.mean(axis=0) if intercept else np.zeros(dense.shape[1])
    spread = dense - center
    scale = np.sqrt((spread**2).mean(axis=0))
    constant = scale <= 1e-11 * np.abs(center)
    scale = np.where(constant, 1.0, scale)
    w = model.coef_[0]
    eta = spread @ w + (model.intercept_[0] + center @ w)
    r = np.where(eta > 0, 1 / (1 + np.exp(-np.abs(eta))), 1 - 1 / (1 + np.exp(-np.abs(eta)))) - (y == y.max())
    ridge = 0.0 if np.isinf(model.C) else w / (n * model.C * scale)
    g = (spread / scale).T @ r / n + ridge
    return float(np.abs(np.append(g, r.mean() if intercept else 0.0)).max())


def correlated() -> tuple[Any, Any]:
    X, _ = table(3000, 6)
    X = 0.1 * X + np.sqrt(0.99) * X[:, :1]
    return X, labels(X, np.ones(6) / 3, 0.0)


def scales() -> tuple[Any, Any]:
    X, y = table(3000, 5)
    return X * 10.0 ** np.array([-4, -2, 0, 2, 4]), y


def rare() -> tuple[Any, Any]:
    X, _ = table(100_000, 4)
    return X, labels(X, np.array([0.7, -0.5, 0.2, 0.0]), -6.6)


def shifted(n: int) -> tuple[Any, Any]:
    X, y = table(n, 4)
    return X + 1e6, y


def sparse_table() -> tuple[Any, Any]:
    rng = np.random.default_rng(2)
    X = sparse.random_array((4000, 60), density=0.1, format="csr", rng=rng)
    return X, labels(X, rng.normal(size=60), -0.2)


SHAPES: dict[str, Any] = {
    "small": lambda: table(150, 3),
    "long": lambda: table(120_000, 8),
    "sparse": sparse_table,
    "correlated 0.99": correlated,
    "scales 1e-4 to 1e4": scales,
    "positives 1:500": rare,
    "centres of a million sds": lambda: shifted(3000),
    "centres of a million sds, long": lambda: shifted(120_000),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_without_a_penalty_the_answer_is_the_facades(shape: str) -> None:
    X, y = SHAPES[shape]()
    model = passline.LogisticRegression(C=np.inf).fit(X, y)
    assert model.certificate_["converged"]
    assert gradient(model, X, y) <= 1e-8
    dense = X.toarray() if sparse.issparse(X) else X
    names = [f"x{j}" for j in range(dense.shape[1])]
    fit = passline.fit("y ~ " + " + ".join(names), {"y": y, **dict(zip(names, dense.T, strict=True))})
    terms = fit.glance()["rank"]
    assert terms == len(names) + 1
    # Coefficients in units of their column's spread; the intercept is that of centred columns.
    scale = dense.std(axis=0)
    w = np.asarray(fit.tidy()["estimate"], dtype=np.float64)
    np.testing.assert_allclose(model.coef_[0] * scale, w[1:] * scale, atol=1e-7)
    center = dense.mean(axis=0)
    assert model.intercept_[0] + center @ model.coef_[0] == pytest.approx(w[0] + center @ w[1:], abs=1e-7)


@pytest.mark.parametrize("C", [1e-3, 1.0, 1e4])
@pytest.mark.parametrize("shape", SHAPES)
def test_with_a_penalty_the_gradient_of_scikit_learns_objective_vanishes(shape: str, C: float) -> None:
    X, y = SHAPES[shape]()
    model = passline.LogisticRegression(C=C).fit(X, y)
    assert model.certificate_["converged"]
    assert model.certificate_["gradient_norm"] <= 1e-8
    assert gradient(model, X, y) <= 1e-8


def test_a_long_table_takes_twelve_passes_and_says_what_it_did() -> None:
    X, y = SHAPES["long"]()
    for C in (1.0, np.inf):
        model = passline.LogisticRegression(C=C).fit(X, y)
        assert model.certificate_["solver"].startswith("quasi-newton")
        assert model.n_iter_[0] <= model.certificate_["passes"] <= (12 if C == 1.0 else 13)


@pytest.mark.parametrize("C", [0.1, np.inf])
def test_a_wide_table_is_solved_without_a_curvature_matrix(C: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auto, "WIDEST", 30)
    X, y = table(2000, 40)
    model = passline.LogisticRegression(C=C).fit(X + 5.0, y)
    assert model.certificate_["solver"].endswith("guided by each column's own curvature")
    assert gradient(model, X + 5.0, y) <= 1e-8
    monkeypatch.undo()
    again = passline.LogisticRegression(C=C).fit(X + 5.0, y)
    assert again.certificate_["solver"] == "newton"
    np.testing.assert_allclose(model.coef_, again.coef_, atol=1e-7)


@pytest.mark.parametrize("kind", ["float32", "int8", "bool", "fortran", "strided", "frame", "csc", "big-endian"])
def test_every_kind_of_matrix_gives_the_answer_of_its_doubles(kind: str) -> None:
    X, y = table(500, 4)
    X = np.round(3 * X)
    import pandas as pd

    given: Any = {
        "float32": lambda: X.astype(np.float32),
        "int8": lambda: X.astype(np.int8),
        "bool": lambda: X > 0,
        "fortran": lambda: np.asfortranarray(X),
        "strided": lambda: np.repeat(X, 2, axis=1)[:, ::2],
        "frame": lambda: pd.DataFrame(X),
        "csc": lambda: sparse.csc_array(X),
        "big-endian": lambda: X.astype(">f8"),
    }[kind]()
    dense = np.asarray(given.toarray() if sparse.issparse(given) else given, dtype=np.float64)
    model = passline.LogisticRegression().fit(given, y)
    plain = passline.LogisticRegression().fit(dense, y)
    np.testing.assert_allclose(model.coef_, plain.coef_, atol=1e-7)
    np.testing.assert_allclose(model.predict_proba(given), plain.predict_proba(dense), atol=1e-7)


@pytest.mark.parametrize("C", [1.0, np.inf])
def test_a_constant_column_has_the_coefficient_zero(C: float) -> None:
    X, y = table(400, 3)
    for value in (0.0, 1.0, 1e7 / 3):
        Z = np.column_stack([X, np.full(400, value)])
        model = passline.LogisticRegression(C=C).fit(Z, y)
        assert model.certificate_["converged"]
        assert abs(model.coef_[0, 3]) * max(1.0, value) < 1e-7
        np.testing.assert_allclose(model.coef_[0, :3], passline.LogisticRegression(C=C).fit(X, y).coef_[0], atol=1e-7)


def test_an_empty_sparse_column_has_the_coefficient_zero() -> None:
    X, y = sparse_table()
    Z = sparse.hstack([X, sparse.csr_array((X.shape[0], 1))]).tocsr()
    for C in (1.0, np.inf):
        model = passline.LogisticRegression(C=C).fit(Z, y)
        assert model.coef_[0, 60] == 0.0
        assert gradient(model, X=Z, y=y) <= 1e-8


@pytest.mark.parametrize("size", [1e-120, 1e120, 1e300])
def test_the_answer_does_not_depend_on_a_columns_unit(size: float) -> None:
    X, y = table(300, 3)
    plain = passline.LogisticRegression(C=np.inf).fit(X, y)
    model = passline.LogisticRegression(C=np.inf).fit(X * [1.0, size, 1.0], y)
    np.testing.assert_allclose(model.coef_[0] * [1.0, size, 1.0], plain.coef_[0], atol=1e-9)


def test_without_an_intercept_columns_are_not_centred() -> None:
    X, y = table(500, 3)
    model = passline.LogisticRegression(fit_intercept=False).fit(X + 0.5, y)
    assert model.intercept_.tolist() == [0.0]
    assert gradient(model, X + 0.5, y, intercept=False) <= 1e-8


@pytest.mark.parametrize("shape", ["small", "long", "sparse", "centres of a million sds, long"])
def test_runs_and_threads_give_the_same_bits(shape: str) -> None:
    X, y = SHAPES[shape]()
    answers = [passline.LogisticRegression(n_jobs=jobs).fit(X, y) for jobs in (1, 2, 2, None, -1)]
    for other in answers[1:]:
        np.testing.assert_array_equal(other.coef_, answers[0].coef_)
        np.testing.assert_array_equal(other.intercept_, answers[0].intercept_)


def test_predictions_are_the_sigmoid_of_the_linear_predictor_and_the_callers_labels() -> None:
    X, y = table(200, 3)
    names = np.where(y == 1, "pass", "fail")
    model = passline.LogisticRegression().fit(X, names)
    eta = X @ model.coef_[0] + model.intercept_[0]
    assert model.classes_.tolist() == ["fail", "pass"]
    np.testing.assert_allclose(model.decision_function(X), eta, rtol=1e-12)
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], 1 / (1 + np.exp(-eta)), rtol=1e-12)
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
    np.testing.assert_array_equal(model.predict(X), np.where(eta > 0, "pass", "fail"))
    assert model.predict_proba(np.zeros((0, 3))).shape == (0, 2)


@pytest.mark.parametrize("kind", ["dense", "sparse", "wide"])
def test_a_separated_outcome_without_a_penalty_warns_with_advice(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    X, _ = table(300, 3)
    y = X[:, 0] - 0.5 * X[:, 1] > 0.2
    if kind == "wide":
        monkeypatch.setattr(auto, "WIDEST", 2)
    given = sparse.csr_array(X) if kind == "sparse" else X
    with pytest.warns(SeparationWarning, match=r"completely separated.*Use a finite C, or passline\.fit"):
        model = passline.LogisticRegression(C=np.inf).fit(given, y)
    assert not model.certificate_["converged"]
    assert model.certificate_["status"] != "converged"
    ridged = passline.LogisticRegression(C=10.0).fit(given, y)
    assert gradient(ridged, X, y) <= 1e-8


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_a_quasi_separated_outcome_is_never_silent(kind: str) -> None:
    X, y = table(300, 2)
    indicator = (np.arange(300) < 20).astype(float)
    y[:20] = 1
    Z = np.column_stack([X, indicator])
    with pytest.warns(SeparationWarning, match="'x2' is infinite"):
        passline.LogisticRegression(C=np.inf).fit(sparse.csr_array(Z) if kind == "sparse" else Z, y)


def test_more_columns_than_rows_need_a_penalty() -> None:
    X, y = table(40, 60)
    for given in (X, sparse.csr_array(X)):
        with pytest.raises(TooManyColumnsError, match=r"40 rows and 60 columns and an intercept: .*finite C"):
            passline.LogisticRegression(C=np.inf).fit(given, y)
        model = passline.LogisticRegression().fit(given, y)
        assert gradient(model, X, y) <= 1e-8
    with pytest.raises(TooManyColumnsError, match="40 rows and 40 columns and an intercept"):
        passline.LogisticRegression(C=np.inf).fit(X[:, :40], y)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", ["small", "wide", "long", "sparse", "float32"])
def test_a_value_that_is_not_finite_is_named(kind: str, value: float) -> None:
    X, y = table({"long": 100_001, "wide": 20}.get(kind, 300), 30 if kind == "wide" else 4)
    good = passline.LogisticRegression().fit(X, y)
    row = 77 if kind != "wide" else 7  # not among the rows that a sample takes
    X[row, 2] = value
    given = {"sparse": sparse.csr_array, "float32": np.float32}.get(kind, np.asarray)(X)
    for C in (1.0,) if kind == "wide" else (1.0, np.inf):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(DataError, match=rf"X is {value} in row {row}, column 2"):
                passline.LogisticRegression(C=C).fit(given, y)
    for predict in (good.decision_function, good.predict_proba, good.predict):
        with pytest.raises(DataError, match=rf"X is {value} in row {row}, column 2"):
            predict(given)


X5, Y5 = np.arange(10.0).reshape(5, 2), np.array([0, 1, 0, 1, 1])


@pytest.mark.parametrize(
    ("X", "y", "error", "message"),
    [
        (X5, [0, 1, np.nan, 1, 1], DataError, "y is nan in row 2"),
        (X5, [0, 1, 2, 1, 1], DataError, "3 classes"),
        (X5, np.ones(5), OneClassError, "all 5 rows"),
        (X5, Y5[:4], DataError, "X has 5 rows"),
        (X5[:, :0], Y5, DataError, "no columns"),
        (X5[:0], Y5[:0], NoRowsError, "no rows"),
        (X5 + 1j, Y5, DataError, "complex128"),
        (np.where(X5 > 3, "a", X5).astype(object), Y5, DataError, "object"),
        (np.where(X5 > 3, {"a": 1}, X5), Y5, TypeError, "no number"),
        (X5[:, 0], Y5, DataError, "reshape"),
        (X5, np.column_stack([Y5, Y5]), DataError, r"shape \(5, 2\)"),
    ],
)
def test_bad_tables_are_refused_with_one_message(X: Any, y: Any, error: type[Exception], message: str) -> None:
    model = passline.LogisticRegression()
    with pytest.raises(error, match=message):
        model.fit(X, y)
    assert not hasattr(model, "coef_")
    assert not hasattr(model, "classes_")


@pytest.mark.parametrize(
    "bad",
    [
        {"C": 0.0},
        {"C": -1.0},
        {"C": float("nan")},
        {"C": "1"},
        {"C": None},
        {"C": 10**400},
        {"tol": -1e-4},
        {"tol": float("nan")},
        {"n_jobs": 0},
        {"n_jobs": 1.5},
    ],
    ids=str,
)
def test_a_parameter_outside_its_range_is_refused_by_name(bad: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match=f"{next(iter(bad))} is "):
        passline.LogisticRegression(**bad).fit(X5, Y5)


def test_prediction_needs_a_fit_and_its_number_of_columns() -> None:
    with pytest.raises(OptionError, match="call fit"):
        passline.LogisticRegression().predict(X5)
    model = passline.LogisticRegression().fit(X5, Y5)
    with pytest.raises(DataError, match="X has 3 features, but LogisticRegression is expecting 2 features"):
        model.predict_proba(np.zeros((4, 3)))
    with pytest.raises(DataError, match="reshape"):
        model.predict(X5[0])


def test_labels_of_shape_n_by_1_and_booleans_give_the_same_answer() -> None:
    plain = passline.LogisticRegression().fit(X5, Y5)
    with pytest.warns(DataConversionWarning, match="1d array"):
        np.testing.assert_array_equal(passline.LogisticRegression().fit(X5, Y5[:, None]).coef_, plain.coef_)
    for y in (Y5 == 1, Y5.astype(np.float32), Y5.tolist()):
        np.testing.assert_array_equal(passline.LogisticRegression().fit(X5, y).coef_, plain.coef_)
