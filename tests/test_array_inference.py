"""What LogisticRegression says beyond scikit-learn: errors, the verdict on separation, a summary, or why not."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import sparse
from sklearn.datasets import load_breast_cancer

import passline
from passline import optimum as module
from passline.errors import ConvergenceWarning, OptionError, SeparationWarning

Floats = NDArray[np.float64]


def table(n: int = 400, p: int = 3, seed: int = 0) -> tuple[Floats, NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * 10.0 ** np.arange(p) + 5.0
    eta = (X - 5.0) @ (10.0 ** -np.arange(p)) - 0.3
    return X, (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(np.int64)


def facade(X: Floats, y: NDArray[Any], **options: Any) -> Any:
    names = [f"x{j}" for j in range(X.shape[1])]
    return passline.fit("y ~ " + " + ".join(names), {"y": y, **dict(zip(names, X.T, strict=True))}, **options)


@pytest.mark.parametrize("kind", ["dense", "sparse", "long", "float32"])
def test_without_a_penalty_errors_are_those_of_statsmodels(kind: str) -> None:
    import statsmodels.api as sm

    X, y = table(120_000 if kind == "long" else 400, 6 if kind == "long" else 3)
    given: Any = {"sparse": sparse.csr_array, "float32": np.float32}.get(kind, np.asarray)(X)
    model = passline.LogisticRegression(C=np.inf).fit(given, y)
    dense = np.asarray(given.toarray() if kind == "sparse" else given, dtype=np.float64)
    spread = dense.std(axis=0)
    theirs = sm.Logit(y, sm.add_constant(dense / spread)).fit(disp=False, method="newton", maxiter=50, tol=1e-12)
    np.testing.assert_allclose(model.std_error_[1:] * spread, theirs.bse[1:], rtol=1e-6)
    assert model.std_error_[0] == pytest.approx(theirs.bse[0], rel=1e-6)
    size = np.r_[1.0, spread]
    np.testing.assert_allclose(model.covariance_ * np.outer(size, size), theirs.cov_params(), rtol=1e-5, atol=1e-9)


def test_weights_count_rows_in_the_errors_too() -> None:
    X, y = table()
    counts = np.random.default_rng(1).integers(1, 5, len(y))
    model = passline.LogisticRegression(C=np.inf).fit(X, y, counts)
    fit = facade(X, y, weights=counts)
    np.testing.assert_allclose(model.std_error_, np.asarray(fit.tidy()["std_error"]), rtol=1e-7)


def test_columns_that_repeat_are_aliased_and_the_others_keep_their_errors() -> None:
    X, y = table()
    Z = np.column_stack([X, X[:, 0] - 2 * X[:, 1], np.full(len(y), 3.0)])
    model = passline.LogisticRegression(C=np.inf).fit(Z, y)
    plain = passline.LogisticRegression(C=np.inf).fit(X, y)
    assert model.separation_.kind == "none"
    assert model.coef_[0, 3:].tolist() == [0.0, 0.0]
    np.testing.assert_allclose(model.coef_[0, :3], plain.coef_[0], rtol=1e-6)
    np.testing.assert_allclose(model.std_error_[:4], plain.std_error_, rtol=1e-6)
    assert np.isnan(model.std_error_[4:]).all()
    assert model.summary().count("aliased") == 2


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_the_verdict_on_separation_is_the_facades(kind: str) -> None:
    rng = np.random.default_rng(0)
    X, y = table(200)
    flag = (np.arange(200) < 15).astype(float)
    y[:15] = 1
    Z = np.column_stack([X, flag])
    given = sparse.csr_array(Z) if kind == "sparse" else Z
    with pytest.warns(SeparationWarning, match=r"quasi-completely separated.*'x3' is infinite\. coef_"):
        model = passline.LogisticRegression(C=np.inf).fit(given, y)
    with pytest.warns(SeparationWarning):
        fit = facade(Z, y)
    assert (model.separation_.kind, model.separation_.terms) == (fit.separation.kind, fit.separation.terms)
    table_ = fit.tidy()
    np.testing.assert_allclose(model.std_error_[:4], np.asarray(table_["std_error"], dtype=float)[:4], rtol=1e-6)
    assert np.isnan(model.std_error_[4])
    # Where the loss had settled: the finite estimates are as good as there, the infinite one is far out.
    np.testing.assert_allclose(
        model.coef_[0, :3], np.asarray(table_["estimate"], dtype=float)[1:4], atol=1e-3 * model.std_error_[1:4].max()
    )
    assert model.coef_[0, 3] > 8
    assert "+infinite" in model.summary()
    gap = np.where(X[:, 0] + rng.normal(size=200) * 0 > 5.0, "yes", "no")
    with pytest.warns(SeparationWarning, match="completely separated") as told:
        model = passline.LogisticRegression(C=np.inf).fit(X[:, :1], gap)
    assert len(told) == 1
    assert model.separation_.kind == "complete"
    assert model.predict(X[:, :1]).tolist() == gap.tolist()
    assert np.isfinite(model.coef_).all()


def test_a_table_too_large_for_programmes_still_gets_what_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROGRAMME", 10)
    X, _ = table()
    y = X[:, 0] + X[:, 1] / 10 > 5.5
    with pytest.warns(SeparationWarning, match=" completely separated.*'x2' are not determined"):
        model = passline.LogisticRegression(C=np.inf).fit(X, y)
    assert model.separation_.kind == "complete"
    rng = np.random.default_rng(0)
    S = sparse.random_array((400, 6), density=0.2, format="csr", rng=rng)
    y = rng.random(400) < 0.5
    y[S[:, [2]].toarray()[:, 0] > 0] = True
    with pytest.warns(SeparationWarning, match="quasi-completely separated.*'x2' is infinite"):
        model = passline.LogisticRegression(C=np.inf).fit(S, y)
    # Neither seen nor decided is no silence.
    flag = np.arange(400) < 20
    X, y = table()
    y[flag] = 1
    with pytest.warns(ConvergenceWarning, match="may be separated: use a finite C, or passline.fit for the verdict"):
        model = passline.LogisticRegression(C=np.inf).fit(np.column_stack([X, flag]), y)
    assert model.separation_.kind == "undecided"
    assert model.std_error_ is None
    assert "Standard errors need" in model.summary()


def test_where_each_term_would_take_too_long_the_kind_is_still_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROGRAMMES", 10)
    X, y = table(200)
    flag = (np.arange(200) < 15).astype(float)
    y[:15] = 1
    with pytest.warns(SeparationWarning, match=r"quasi-completely separated.*'x3' is not determined\. coef_"):
        model = passline.LogisticRegression(C=np.inf).fit(np.column_stack([X, flag]), y)
    assert (model.separation_.kind, model.separation_.terms) == ("quasi", ("x3",))


def test_the_summary_has_the_facades_numbers() -> None:
    data = load_breast_cancer(as_frame=True)
    X = data.data[["mean radius", "mean texture"]].set_axis(["radius", "texture"], axis=1)
    y = np.where(data.target, "benign", "malignant")
    model = passline.LogisticRegression(C=np.inf).fit(X, y)
    text = model.summary()
    fit = passline.fit("diagnosis ~ radius + texture", X.assign(diagnosis=y), positive="malignant")
    ours, theirs = (
        [line.split() for line in shown.splitlines() if line.startswith(("radius", "texture", "(Intercept)"))]
        for shown in (text, repr(fit))
    )
    assert len(ours) == 3
    assert ours == theirs
    assert "569 rows, 2 columns. Probability of malignant (against benign)." in text
    assert "95 % interval of the odds ratio" in text
    assert "90 % interval" in model.summary(level=0.9)
    assert "Converged: gradient" in text
    with pytest.raises(OptionError, match="level is 2"):
        model.summary(level=2)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, r"Penalised (ridge, C = 1): no standard errors, p-values or intervals"),
        ({"l1_ratio": 1, "C": 0.5}, "Penalised (lasso, C = 0.5)"),
        ({"l1_ratio": 0.25}, "Penalised (elastic net, l1_ratio = 0.25, C = 1)"),
        ({"C": np.inf, "class_weight": "balanced"}, "Class weights count no rows"),
    ],
    ids=str,
)
def test_where_there_are_no_errors_the_summary_says_why(options: dict[str, Any], reason: str) -> None:
    X, y = table()
    model = passline.LogisticRegression(**options).fit(X, y)
    text = model.summary()
    assert reason in text
    assert model.std_error_ is None
    assert model.covariance_ is None
    assert (model.separation_ is None) == ("class_weight" not in options)
    zeros = int((model.coef_ == 0).sum())
    assert (f"{zeros} of 3 coefficients are exactly zero" in text) == (model.l1_ratio > 0)
    assert "std. error" not in text
    assert "odds ratio" in text


def test_a_curvature_too_dear_to_be_formed_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = table(2000)
    given = sparse.csr_array(X)
    full = passline.LogisticRegression(C=np.inf).fit(given, y)
    monkeypatch.setattr(module, "SPARSE_WORK", 100)
    model = passline.LogisticRegression(C=np.inf).fit(given, y)
    assert model.certificate_["converged"]
    assert model.separation_.kind == "none"
    assert model.std_error_ is None
    assert "too dear to be formed" in model.summary()
    np.testing.assert_allclose(model.coef_, full.coef_, rtol=1e-9)


def test_hostile_names_and_labels_are_shown_as_text_on_one_line() -> None:
    X, y = table()
    names = ["a\x1b[31m\nb", "[bold]x[/bold]", "<script>" + "x" * 500]
    frame = pd.DataFrame(X, columns=names)
    labels = np.where(y, "yes\x1b]0;t\x07", "no\r\n")
    model = passline.LogisticRegression(C=np.inf).fit(frame, labels)
    text = model.summary()
    assert "\x1b" not in text
    assert "\r" not in text
    assert "[bold]x[/bold]" in text
    assert len(text.splitlines()) == len(passline.LogisticRegression(C=np.inf).fit(X, y).summary().splitlines())
    with pytest.warns(SeparationWarning) as told:
        passline.LogisticRegression(C=np.inf).fit(frame[[names[0]]], X[:, 0] > 5.0)
    assert "\x1b" not in str(told[0].message)


def test_a_fitted_model_is_pickled_with_all_it_says() -> None:
    X, y = table()
    for options in ({}, {"C": np.inf}):
        model = passline.LogisticRegression(**options).fit(X, y)
        again = pickle.loads(pickle.dumps(model))
        assert again.summary() == model.summary()
        assert again.certificate_.converged is True
        np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_the_certificate_counts_and_its_loss_is_the_objective() -> None:
    X, y = table()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for options in ({"C": 0.2}, {"C": 0.2, "l1_ratio": 0.5}, {"C": np.inf}):
            model = passline.LogisticRegression(**options).fit(X, y)
            eta = X @ model.coef_[0] + model.intercept_[0]
            loss = np.logaddexp(0, -np.where(y == 1, eta, -eta)).mean()
            w, share = model.coef_[0], model.l1_ratio
            pull = 0.0 if np.isinf(model.C) else (share * abs(w).sum() + (1 - share) / 2 * w @ w) / (model.C * len(y))
            assert model.certificate_["loss"] == pytest.approx(loss + pull, rel=1e-10)
            assert 1 <= model.n_iter_[0] == model.certificate_["steps"] <= model.certificate_["passes"]


def test_coefficients_become_sparse_and_dense_again() -> None:
    X, y = table(p=5)
    model = passline.LogisticRegression(l1_ratio=1.0, C=0.05).fit(X, y)
    expected = model.predict_proba(X)
    dense = model.coef_.copy()
    assert model.sparsify() is model
    assert sparse.issparse(model.coef_)
    assert model.coef_.nnz == np.count_nonzero(dense)
    np.testing.assert_array_equal(model.predict_proba(X), expected)
    assert "(Intercept)" in model.summary()
    np.testing.assert_array_equal(model.densify().coef_, dense)
