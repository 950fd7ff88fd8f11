"""LogisticRegression among scikit-learn's tools, and what its published examples do, with the import line changed."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV, CalibrationDisplay, calibration_curve
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, make_classification
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import RFE, RFECV, SelectFromModel, SelectKBest, SequentialFeatureSelector
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.inspection import DecisionBoundaryDisplay, permutation_importance
from sklearn.linear_model import LogisticRegression as Theirs
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    train_test_split,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import l1_min_c

import passline
from passline.errors import DataError

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def cancer() -> tuple[Floats, NDArray[np.int64]]:
    X, y = load_breast_cancer(return_X_y=True)
    return X[:, :8], y


def converged(**options: Any) -> Any:
    """scikit-learn's own class, driven to the optimum."""
    return Theirs(**({"solver": "newton-cholesky", "tol": 1e-12, "max_iter": 1000} | options))


def test_in_a_pipeline_and_a_grid_it_chooses_as_scikit_learns(cancer: tuple[Floats, Any]) -> None:
    found = []
    for face in (passline.LogisticRegression(), converged()):
        pipe = Pipeline([("scale", StandardScaler()), ("reduce", PCA()), ("fit", face)])
        grid = GridSearchCV(pipe, {"reduce__n_components": [2, 5], "fit__C": np.logspace(-3, 2, 6)}, cv=4)
        found.append(grid.fit(*cancer))
    assert found[0].best_params_ == found[1].best_params_
    np.testing.assert_allclose(found[0].cv_results_["mean_test_score"], found[1].cv_results_["mean_test_score"])
    np.testing.assert_allclose(found[0].predict_proba(cancer[0]), found[1].predict_proba(cancer[0]), atol=1e-6)


def test_predictions_of_folds_and_scores_are_scikit_learns(cancer: tuple[Floats, Any]) -> None:
    X, y = cancer
    for method in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        ours, theirs = (
            cross_val_predict(make_pipeline(StandardScaler(), face), X, y, cv=3, method=method)
            for face in (passline.LogisticRegression(), converged())
        )
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    for scoring in ("roc_auc", "neg_log_loss", "neg_brier_score", "f1"):
        ours, theirs = (
            cross_val_score(make_pipeline(StandardScaler(), face), X, y, cv=3, scoring=scoring)
            for face in (passline.LogisticRegression(), converged())
        )
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_it_is_calibrated_and_its_threshold_tuned(cancer: tuple[Floats, Any]) -> None:
    X, y = cancer
    X = StandardScaler().fit_transform(X)
    for method in ("sigmoid", "isotonic"):
        ours, theirs = (
            CalibratedClassifierCV(face, method=method, cv=3).fit(X, y).predict_proba(X)
            for face in (passline.LogisticRegression(), converged())
        )
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    frozen = CalibratedClassifierCV(FrozenEstimator(passline.LogisticRegression().fit(X, y))).fit(X, y)
    assert frozen.score(X, y) > 0.9
    tuned = TunedThresholdClassifierCV(passline.LogisticRegression(), scoring="balanced_accuracy", cv=3).fit(X, y)
    assert 0 < tuned.best_threshold_ < 1


def test_features_are_selected_by_its_coefficients(cancer: tuple[Floats, Any]) -> None:
    X, y = cancer
    X = StandardScaler().fit_transform(X)
    lasso = SelectFromModel(passline.LogisticRegression(l1_ratio=1.0, C=0.02, solver="liblinear")).fit(X, y)
    kept = Theirs(l1_ratio=1.0, C=0.02, solver="liblinear", tol=1e-12, max_iter=100_000).fit(X, y).coef_[0] != 0
    assert 0 < kept.sum() < len(kept)
    np.testing.assert_array_equal(lasso.get_support(), kept)
    for select in (lambda face: RFE(face, n_features_to_select=3), lambda face: RFECV(face, cv=3)):
        ours, theirs = (select(face).fit(X, y).ranking_ for face in (passline.LogisticRegression(), converged()))
        np.testing.assert_array_equal(ours, theirs)
    chosen = SequentialFeatureSelector(passline.LogisticRegression(), n_features_to_select=2, cv=2).fit(X[:, :4], y)
    assert chosen.get_support().sum() == 2
    seen = permutation_importance(passline.LogisticRegression().fit(X, y), X, y, n_repeats=2, random_state=0)
    assert seen.importances_mean.max() > 0


def test_a_mixed_table_goes_through_a_column_transformer() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"age": rng.normal(40, 12, 300), "fare": rng.exponential(30, 300), "port": rng.choice(["C", "Q", "S"], 300)}
    )
    frame.loc[::17, "age"] = np.nan
    y = np.where(rng.random(300) < 1 / (1 + np.exp(-(frame["fare"] - 30) / 20)), "yes", "no")
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    columns = ColumnTransformer(
        [
            ("number", numbers, ["age", "fare"]),
            ("text", OneHotEncoder(handle_unknown="ignore"), make_column_selector("port")),
        ]
    )
    ours, theirs = (make_pipeline(columns, face).fit(frame, y) for face in (passline.LogisticRegression(), converged()))
    np.testing.assert_allclose(ours.predict_proba(frame), theirs.predict_proba(frame), atol=1e-6)
    named = make_pipeline(
        ColumnTransformer([("number", numbers, ["age", "fare"])]), passline.LogisticRegression(C=np.inf)
    ).set_output(transform="pandas")
    assert named.fit(frame, y)[-1].feature_names_in_.tolist() == ["number__age", "number__fare"]
    assert "number__fare" in named[-1].summary()


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame])
def test_a_frames_names_are_kept_and_compared(library: Any, cancer: tuple[Floats, Any]) -> None:
    X, y = cancer
    names = [f"n{j}" for j in range(8)]
    frame = library(dict(zip(names, X.T, strict=True)))
    model = passline.LogisticRegression().fit(frame, y)
    assert model.feature_names_in_.tolist() == names
    np.testing.assert_allclose(model.coef_, passline.LogisticRegression().fit(X, y).coef_, rtol=1e-9)
    np.testing.assert_allclose(model.predict_proba(frame[:3]), model.predict_proba(frame)[:3])
    with pytest.raises(DataError, match="feature names should match"):
        model.predict(frame[names[::-1]])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(X)
    with pytest.raises(DataError, match="X has 7 features, but LogisticRegression is expecting 8"):
        passline.LogisticRegression().fit(X, y).predict(X[:, :7])
    mixed = pd.DataFrame(
        {"a": [1, 2, 3, 4], "b": [True, False, True, True], "c": pd.array([1, 2, 2, 1], dtype="Int64")}
    )
    assert passline.LogisticRegression().fit(mixed, [0, 1, 0, 1]).coef_.shape == (1, 3)


@pytest.mark.parametrize(
    "labels",
    [["b", "a"], [7, -3], [True, False], [2.0, 1.0], [np.datetime64("2024-01-02"), np.datetime64("2023-01-01")]],
    ids=str,
)
def test_labels_may_be_of_any_kind(labels: list[Any], cancer: tuple[Floats, Any]) -> None:
    X, y = cancer
    given = np.array(labels)[y]
    for target in (given, pd.Series(given), given.tolist() if given.dtype.kind != "M" else given, given.astype(object)):
        model = passline.LogisticRegression().fit(X, target)
        expected = np.unique(np.asarray(target))
        np.testing.assert_array_equal(model.classes_, expected)
        np.testing.assert_array_equal(np.unique(model.predict(X)), expected)


def test_metadata_is_routed_to_it(cancer: tuple[Floats, Any]) -> None:
    X, y = cancer
    weight = np.random.default_rng(0).uniform(0.5, 2.0, len(y))
    with sklearn.config_context(enable_metadata_routing=True):
        face = passline.LogisticRegression().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        done = cross_validate(face, X, y, cv=3, params={"sample_weight": weight}, return_estimator=True)
        theirs = converged().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        wanted = cross_validate(theirs, X, y, cv=3, params={"sample_weight": weight}, return_estimator=True)
        deaf = passline.LogisticRegression().set_fit_request(sample_weight=False)
        deaf.set_score_request(sample_weight=True)
        without = cross_validate(deaf, X, y, cv=3, params={"sample_weight": weight}, return_estimator=True)
    np.testing.assert_allclose(done["estimator"][0].coef_, wanted["estimator"][0].coef_, atol=1e-6)
    np.testing.assert_allclose(done["test_score"], wanted["test_score"])
    assert abs(done["estimator"][0].coef_ - without["estimator"][0].coef_).max() > 1e-3


def test_it_is_cloned_copied_and_drawn() -> None:
    model = passline.LogisticRegression(C=3.0, class_weight={0: 1.0, 1: 2.0}).fit([[0.0], [1.0], [2.0]], [0, 1, 0])
    fresh = clone(model)
    assert fresh.get_params() == model.get_params()
    assert not hasattr(fresh, "coef_")
    assert fresh.set_params(C=4.0).C == 4.0
    assert copy.deepcopy(model).predict([[0.5]]).tolist() == model.predict([[0.5]]).tolist()
    assert repr(model) == "LogisticRegression(C=3.0, class_weight={0: 1.0, 1: 2.0})"
    page = make_pipeline(StandardScaler(), model)._repr_html_()
    assert "LogisticRegression" in page
    for odd in ("<b>", '"><script>'):
        assert "<script>alert" not in passline.LogisticRegression(solver=f"{odd}alert")._repr_html_()


def test_other_meta_estimators_take_it() -> None:
    X, y = load_iris(return_X_y=True)
    several = OneVsRestClassifier(passline.LogisticRegression()).fit(X, y)
    assert several.score(X, y) > 0.9
    outcomes = np.column_stack([y == 0, y == 2])
    both = MultiOutputClassifier(passline.LogisticRegression()).fit(X, outcomes)
    assert both.predict(X).shape == outcomes.shape


def test_text_as_a_sparse_matrix_is_classified_as_by_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    words = np.array([f"w{k}" for k in range(300)])
    share = np.linspace(1, 3, 300)
    documents, y = [], np.arange(200) % 2
    for label in y:
        weights = share if label else share[::-1]
        documents.append(" ".join(rng.choice(words, 30, p=weights / weights.sum())))
    X = TfidfVectorizer().fit_transform(documents)
    assert sparse.issparse(X)
    ours, theirs = passline.LogisticRegression(C=5.0).fit(X, y), converged(C=5.0).fit(X, y)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6)
    for kind in (sparse.csc_array, sparse.coo_matrix, sparse.lil_matrix):
        np.testing.assert_allclose(passline.LogisticRegression(C=5.0).fit(kind(X), y).coef_, ours.coef_, atol=1e-9)


# What follows does what scikit-learn's gallery does with two classes and without a download.


def test_gallery_the_path_of_an_l1_penalty_begins_at_zero_and_fills_up() -> None:
    X, y = load_iris(return_X_y=True)
    X, y = X[y != 0] / X.max(), y[y != 0]
    strengths = l1_min_c(X, y, loss="log") * np.logspace(0, 4, 9)
    options: dict[str, Any] = {"l1_ratio": 1, "solver": "liblinear", "intercept_scaling": 10000.0, "max_iter": int(1e6)}
    model = passline.LogisticRegression(tol=1e-6, warm_start=True, **options)
    path = np.array([model.set_params(C=C).fit(X, y).coef_.ravel().copy() for C in strengths])
    used = (path != 0).sum(axis=1)
    assert used[0] == 0
    assert used[1] >= 1
    assert used[-1] > used[1]
    theirs = Theirs(tol=1e-10, random_state=0, C=strengths[4], **options).fit(X, y)
    np.testing.assert_allclose(path[4], theirs.coef_[0], atol=1e-4)


def test_gallery_an_l1_penalty_leaves_more_zeros_than_an_elastic_net_and_this_more_than_ridge() -> None:
    X, y = load_digits(return_X_y=True)
    X, y = StandardScaler().fit_transform(X), (y > 4).astype(int)
    for C in (0.1, 0.01):
        zeros, scores = [], []
        for l1_ratio in (1, 0.5, 0):
            model = passline.LogisticRegression(C=C, l1_ratio=l1_ratio, tol=0.01, solver="saga").fit(X, y)
            zeros.append(float(np.mean(model.coef_ == 0)))
            scores.append(model.score(X, y))
        assert zeros[0] > zeros[1] > zeros[2]
        assert min(scores) > 0.8


def test_gallery_few_rows_are_calibrated_on_many() -> None:
    X, y = make_classification(20_000, n_features=20, n_informative=2, n_redundant=2, random_state=42)
    X_train, X_test, y_train, y_test = train_test_split(X, y, shuffle=False, test_size=19_800)
    grid = GridSearchCV(passline.LogisticRegression(), {"C": np.logspace(-4, 4, 9)}, scoring="neg_log_loss", cv=5)
    grid.fit(X_train, y_train)
    shares, predicted = calibration_curve(y_test, grid.predict_proba(X_test)[:, 1], n_bins=10)
    assert np.abs(shares - predicted).max() < 0.15
    raw = passline.LogisticRegression(C=1e6).fit(X_train, y_train)
    assert log_loss(y_test, grid.predict_proba(X_test)) <= log_loss(y_test, raw.predict_proba(X_test))
    assert brier_score_loss(y_test, grid.predict_proba(X_test)[:, 1]) < 0.2


def test_gallery_pictures_are_drawn_from_the_estimator() -> None:
    import matplotlib as mpl

    mpl.use("agg")
    X, y = make_classification(200, n_features=2, n_redundant=0, random_state=1)
    model = passline.LogisticRegression().fit(X, y)
    shown = DecisionBoundaryDisplay.from_estimator(model, X, response_method="predict_proba")
    assert shown.response.min() >= 0
    display = CalibrationDisplay.from_estimator(model, X, y, n_bins=5)
    assert len(display.prob_true) <= 5
    mpl.pyplot.close("all")


def test_gallery_a_pipeline_of_features_learned_without_labels() -> None:
    X, y = load_digits(return_X_y=True)
    chosen = y < 2
    X, y = X[chosen] / 16, y[chosen]
    features = BernoulliRBM(n_components=12, learning_rate=0.06, n_iter=3, random_state=0)
    model = Pipeline([("features", features), ("fit", passline.LogisticRegression(C=100, solver="newton-cg"))])
    assert model.fit(X, y).score(X, y) > 0.95


def test_gallery_selection_inside_a_pipeline_and_a_learning_curve(cancer: tuple[Floats, Any]) -> None:
    X, y = cancer
    model = make_pipeline(StandardScaler(), SelectKBest(k=4), passline.LogisticRegression())
    sizes, train, test = learning_curve(model, X, y, cv=StratifiedKFold(3), train_sizes=[0.2, 1.0])
    assert len(sizes) == len(train) == len(test) == 2
    assert model.fit(X, y)[-1].coef_.shape == (1, 4)


def test_without_scikit_learn_the_face_says_how_to_install_it_and_fit_never_asks() -> None:
    program = """
import sys
sys.modules["sklearn"] = None
import passline
passline.fit("y ~ x", {"y": [0, 1, 0, 1], "x": [1.0, 2.0, 3.0, 4.0]})
import passline.optimum
for name in ("LogisticRegression", "SGDLogisticRegression"):
    try:
        getattr(passline, name)
    except passline.errors.MissingDependencyError as error:
        print(error)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.stdout.count("pip install 'passline[sklearn]'") == 2, run.stderr
    program = "import sys, passline; passline.fit('y ~ x', {'y': [0, 1, 0, 1], 'x': [1., 2., 3., 4.]}); "
    program += "print([name for name in sys.modules if name.partition('.')[0] == 'sklearn'])"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.stdout == "[]\n", run.stderr
