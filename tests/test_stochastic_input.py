"""The face for minibatches and what it is given: every kind of matrix, labels and weights, and bad ones by name."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from scipy import sparse

import passline
from passline import SGDLogisticRegression
from passline.errors import DataError, NoRowsError, OneClassError, OptionError
from torch_descent import table


def both(model: SGDLogisticRegression) -> Any:
    return np.append(model.coef_[0], model.intercept_)


KINDS: dict[str, Any] = {
    "fortran": np.asfortranarray,
    "int64": lambda X: X.astype(np.int64),
    "uint8": lambda X: X.astype(np.uint8),
    "float16": lambda X: X.astype(np.float16),
    "big-endian": lambda X: X.astype(">f8"),
    "strided": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "list": lambda X: X.tolist(),
    "tensor": torch.from_numpy,
    "tensor with a gradient": lambda X: torch.from_numpy(X).requires_grad_(),
    "int tensor": lambda X: torch.from_numpy(X).long(),
    "pandas": pd.DataFrame,
    "pandas, mixed": lambda X: pd.DataFrame({"a": X[:, 0] > 0, "b": X[:, 1], "c": X[:, 2].astype(int), "d": X[:, 3]}),
    "pandas, nullable": lambda X: pd.DataFrame(X).astype("Int64"),
    "polars": pl.DataFrame,
    "csr": sparse.csr_array,
    "csc": sparse.csc_matrix,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("standardise", [False, True])
def test_every_kind_of_matrix_gives_the_answer_of_its_doubles(kind: str, standardise: bool) -> None:
    X, y = table(n=300, p=4)
    X = np.round(np.abs(3 * X))
    X[:, 0] = X[:, 0] > 2
    given = KINDS[kind](X)
    plain = SGDLogisticRegression(rate=0.1, standardise=standardise).fit(X, y)
    model = SGDLogisticRegression(rate=0.1, standardise=standardise).fit(given, y)
    np.testing.assert_allclose(both(model), both(plain), rtol=0, atol=1e-12)
    np.testing.assert_allclose(model.predict_proba(given), plain.predict_proba(X), atol=1e-12)
    exact = passline.LogisticRegression()
    np.testing.assert_allclose(exact.fit(given, y).coef_, exact.fit(X, y).coef_, atol=1e-8)


@pytest.mark.parametrize("standardise", [False, True])
def test_a_bfloat16_tensor_is_walked_by_both_faces(standardise: bool) -> None:
    X, y = table(n=300, p=4)
    given = torch.from_numpy(X).bfloat16().requires_grad_()
    rounded = given.detach().double().numpy()
    plain = SGDLogisticRegression(rate=0.1, standardise=standardise).fit(rounded, y)
    model = SGDLogisticRegression(rate=0.1, standardise=standardise).fit(given, torch.from_numpy(y).bfloat16())
    np.testing.assert_allclose(both(model), both(plain), rtol=0, atol=1e-5)
    assert model.certificate_["gradient_norm"] == pytest.approx(plain.certificate_["gradient_norm"], rel=1e-3)
    exact = passline.LogisticRegression()
    np.testing.assert_allclose(exact.fit(given, y).coef_, exact.fit(rounded, y).coef_, atol=1e-8)
    np.testing.assert_allclose(model.predict_proba(given), model.predict_proba(rounded), atol=1e-15)


@pytest.mark.parametrize(
    "labels",
    [
        lambda y: y.astype(bool),
        lambda y: y[:, None].tolist(),
        torch.from_numpy,
        lambda y: y.tolist(),
        lambda y: pd.Series(y, dtype="boolean"),
        pl.Series,
        lambda y: np.where(y == 1, "pass", "fail"),
        lambda y: pd.Series(np.where(y == 1, "pass", "fail")),
        lambda y: pd.Series(np.where(y == 1, "pass", "fail")).astype("category"),
        lambda y: 2 * y - 1,
    ],
)
def test_every_kind_of_labels_gives_the_same_answer_and_comes_back_in_predictions(labels: Any) -> None:
    X, y = table(n=200, p=3)
    plain = SGDLogisticRegression(rate=0.1).fit(X, y)
    model = SGDLogisticRegression(rate=0.1).fit(X, labels(y))
    assert both(model).tobytes() == both(plain).tobytes()
    assert (model.predict(X) == model.classes_[plain.predict(X).astype(int)]).all()


def test_rows_of_weight_zero_are_as_if_they_were_not_there() -> None:
    X, y = table(n=200)
    weight, label = np.ones(200), y.astype(object)
    weight[::3] = 0
    there = weight > 0
    X[0, 0], label[3] = np.nan, "unknown"
    label = np.where(there, np.where(y == 1, "b", "a"), label).astype(object)
    for kind in (np.asarray, sparse.csr_array):
        model = SGDLogisticRegression(standardise=True, held_out=0.2, batch_size=20).fit(kind(X), label, weight)
        without = SGDLogisticRegression(standardise=True, held_out=0.2, batch_size=20).fit(kind(X[there]), y[there])
        np.testing.assert_allclose(both(model), both(without), rtol=0, atol=1e-14)
        assert model.certificate_["gradient_norm"] == pytest.approx(without.certificate_["gradient_norm"], rel=1e-9)


def test_a_row_of_weight_two_in_a_batch_is_the_row_twice() -> None:
    X, y = table(n=40, p=3)
    counts = np.arange(40) % 3 + 1
    weighted = SGDLogisticRegression(rate=0.5, epochs=20, batch_size=40).fit(X, y, counts)
    repeated = SGDLogisticRegression(rate=0.5, epochs=20, batch_size=200).fit(X.repeat(counts, 0), y.repeat(counts))
    np.testing.assert_allclose(both(weighted), both(repeated), atol=1e-12)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("standardise", [False, True])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, torch.from_numpy, np.float32])
def test_a_value_that_is_not_finite_is_named_and_not_taken_for_a_large_rate(
    kind: Any, standardise: bool, value: float
) -> None:
    X, y = table(n=300)
    X[123, 4] = value
    weight = np.ones(300)
    weight[:50] = 0
    model = SGDLogisticRegression(standardise=standardise)
    for options in ({}, {"sample_weight": weight}):
        with pytest.raises(DataError, match=rf"X is {value} in row 123, column 4"):
            model.fit(kind(X), y, **options)
        with pytest.raises(DataError, match=rf"X is {value} in row 123, column 4"):
            model.partial_fit(kind(X), y, **options)
    held = SGDLogisticRegression(standardise=standardise, held_out=0.9)
    with pytest.raises(DataError, match=rf"X is {value} in row 123, column 4"):
        held.fit(kind(X), y)
    assert not hasattr(model, "coef_")
    good = model.fit(kind(np.nan_to_num(X, nan=0.0, posinf=0.0)), y)
    for asked in (lambda: good.certify(kind(X), y), lambda: good.predict_proba(kind(X))):
        with pytest.raises(DataError, match=rf"X is {value} in row 123, column 4"):
            asked()


@pytest.mark.parametrize(
    ("X", "y", "options", "error", "message"),
    [
        (np.ones((3, 1)), [1, 1, 1], {}, OneClassError, "y is 1 in all 3 rows"),
        (np.ones((3, 1)), [0, 1, 1], {"sample_weight": [0, 1, 1]}, OneClassError, "all 2 rows that have a weight"),
        (np.ones((0, 1)), [], {}, NoRowsError, "no rows"),
        (np.ones((3, 0)), [0, 1, 1], {}, DataError, "no columns"),
        (np.ones(3), [0, 1, 1], {}, DataError, "reshape"),
        (np.ones((3, 1)), [0, 1], {}, DataError, r"shape \(2,\), and X has 3 rows"),
        (np.ones((3, 1)), [0, 1, 2], {}, DataError, "3 classes"),
        (np.ones((3, 1)), [0, 1, np.nan], {}, DataError, "y is nan in row 2"),
        (np.array([["a"], ["b"]]), [0, 1], {}, DataError, "X holds"),
        (np.ones((2, 1)), [0, 1], {"sample_weight": [1, -1]}, DataError, "sample_weight is -1.* in row 1"),
        (np.ones((2, 1)), [0, 1], {"sample_weight": [1, np.nan]}, DataError, "sample_weight is nan in row 1"),
        (np.ones((2, 1)), [0, 1], {"sample_weight": [0, 0]}, NoRowsError, "zero in every row"),
        (np.ones((2, 1)), [0, 1], {"sample_weight": [1]}, DataError, r"sample_weight has the shape \(1,\)"),
        (np.ones((2, 1)), [0, 1], {"sample_weight": ["a", "b"]}, DataError, "sample_weight holds"),
        (np.ones((2, 1)), [0, 1], {"offset": [0, np.inf]}, DataError, "offset is inf in row 1"),
        (np.ones((2, 1)), [0, 1], {"coef_init": [1, 2]}, OptionError, "coef_init has 2 numbers, and X has 1"),
        (np.ones((2, 1)), [0, 1], {"coef_init": ["a"]}, OptionError, "no numbers"),
        (np.ones((2, 1)), [0, 1], {"coef_init": [np.nan]}, OptionError, "not finite"),
    ],
)  # fmt: skip
def test_wrong_input_is_refused_with_what_and_where(
    X: Any, y: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    model = SGDLogisticRegression()
    with pytest.raises(error, match=message):
        model.fit(X, y, **options)
    assert not hasattr(model, "coef_")


@pytest.mark.parametrize(
    "parameters",
    [
        {"rate": 0}, {"method": "adamw"}, {"epochs": 0}, {"batch_size": 2.5}, {"held_out": 1}, {"patience": 0},
        {"generator": "seed"}, {"schedule": "cosine"}, {"average_from": -1}, {"l2": -1.0}, {"betas": None},
        {"n_jobs": 0}, {"n_jobs": 1.5},
    ],
)  # fmt: skip
def test_a_parameter_outside_its_range_is_refused_by_name(parameters: dict[str, Any]) -> None:
    X, y = table(n=50)
    with pytest.raises(OptionError, match=f"{next(iter(parameters))} is "):
        SGDLogisticRegression(**parameters).fit(X, y)


@pytest.mark.parametrize("kind", ["float32", "fortran", "int8", "held out", "half of the rows", "one batch"])
def test_a_long_matrix_is_walked_without_a_copy(kind: str) -> None:
    X = np.random.default_rng(0).standard_normal((400_000, 20), dtype=np.float32)
    y = X[:, 0] > 0
    weight = np.arange(400_000) % 2 if kind == "half of the rows" else None
    X = {"fortran": np.asfortranarray, "int8": lambda X: X.astype(np.int8)}.get(kind, np.asarray)(X)
    options: dict[str, Any] = {"held out": {"held_out": 0.5}, "one batch": {"batch_size": 400_000}}.get(kind, {})
    model = SGDLogisticRegression(epochs=1, standardise=True, **options)
    tracemalloc.start()
    try:
        model.fit(X, y, weight)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.1 * X.nbytes + 24e6  # the matrix: 32 MB, 64 as doubles
