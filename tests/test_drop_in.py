"""The drop-in for scikit-learn's LogisticRegression: its checks, its parameters, its answers on its own data sets."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import warnings
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import datasets, exceptions
from sklearn.linear_model import LogisticRegression as Theirs
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import passline
from passline import errors

Floats = NDArray[np.float64]
FACES = (passline.LogisticRegression, passline.SGDLogisticRegression)
CHECKS = [
    pytest.param(estimator, check, id=f"{type(estimator).__name__}-{check.func.__name__}-{number}")
    for face in FACES
    for number, (estimator, check) in enumerate(estimator_checks_generator(face()))
    # SciPy is told of it before it is imported, so this check has a process of its own below.
    if check.func.__name__ != "check_array_api_input"
]


@pytest.mark.parametrize(("estimator", "check"), CHECKS)
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")  # scikit-learn's own, of a NaN
def test_scikit_learns_check_of_an_estimator_passes(estimator: Any, check: Any) -> None:
    check(estimator)


def test_the_check_that_asks_for_scipys_array_api_passes_and_none_is_left_out() -> None:
    assert len(CHECKS) > 120
    program = """
import passline
from sklearn.utils.estimator_checks import estimator_checks_generator
for face in (passline.LogisticRegression, passline.SGDLogisticRegression):
    done = [check(estimator) for estimator, check in estimator_checks_generator(face())
            if check.func.__name__ == "check_array_api_input"]
    print(len(done))
"""
    environment = os.environ | {"SCIPY_ARRAY_API": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert run.stdout.split() == ["1", "1"], run.stderr


def test_parameters_stand_in_scikit_learns_order_with_its_defaults() -> None:
    ours, theirs = (inspect.signature(kind.__init__).parameters for kind in (passline.LogisticRegression, Theirs))
    assert [(p.name, p.kind, p.default) for p in ours.values()] == [
        (p.name, p.kind, p.default) for p in theirs.values()
    ]
    assert passline.LogisticRegression(**Theirs(C=2.0).get_params()).C == 2.0


@cache
def table(name: str) -> tuple[Floats, NDArray[np.int64]]:
    """One of scikit-learn's data sets, columns standardised, its last class against the one before."""
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    chosen = y >= y.max() - 1
    X = X[chosen]
    X = StandardScaler().fit_transform(X[:, X.std(axis=0) > 0])
    return X, (y[chosen] == y.max()).astype(np.int64)


@cache
def weights(name: str) -> Floats:
    return np.random.default_rng(3).uniform(0.2, 3.0, len(table(name)[1]))


def converged(theirs: Any, X: Floats, y: Any, weight: Any = None) -> Any:
    """scikit-learn's fit, driven as far as it goes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", exceptions.ConvergenceWarning)  # at its own limit of rounding
        return theirs.fit(X, y, weight)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weighted", ["rows alike", "sample weights", "balanced", "class weights", "both"])
@pytest.mark.parametrize("name", ["breast_cancer", "iris", "wine", "digits"])
def test_ridge_predictions_are_scikit_learns(name: str, weighted: str, intercept: bool) -> None:
    X, y = table(name)
    weight = weights(name) if weighted in ("sample weights", "both") else None
    classes = {"balanced": "balanced", "class weights": {0: 0.3, 1: 2.0}, "both": "balanced"}.get(weighted)
    options: dict[str, Any] = {"C": 0.7, "class_weight": classes, "fit_intercept": intercept}
    ours = passline.LogisticRegression(**options).fit(X, y, weight)
    theirs = converged(Theirs(solver="newton-cholesky", tol=1e-13, max_iter=1000, **options), X, y, weight)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6)
    np.testing.assert_allclose(ours.predict_log_proba(X), theirs.predict_log_proba(X), atol=1e-5)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    assert ours.score(X, y, weight) == pytest.approx(theirs.score(X, y, weight), abs=1e-12)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    assert (ours.coef_.shape, ours.intercept_.shape, ours.n_iter_.shape) == ((1, X.shape[1]), (1,), (1,))


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize(("name", "columns"), [("breast_cancer", 3), ("iris", 2), ("wine", 1), ("digits", 1)])
def test_without_a_penalty_predictions_are_scikit_learns(name: str, columns: int, intercept: bool) -> None:
    X, y = table(name)
    X = X[:, :columns]  # so few that the classes overlap
    weight = weights(name)
    ours = passline.LogisticRegression(C=np.inf, fit_intercept=intercept).fit(X, y, weight)
    theirs = converged(
        Theirs(C=np.inf, solver="newton-cholesky", tol=1e-13, max_iter=1000, fit_intercept=intercept), X, y, weight
    )
    assert ours.separation_.kind == "none"
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.4])
@pytest.mark.parametrize("name", ["breast_cancer", "iris", "wine", "digits"])
def test_under_an_l1_penalty_predictions_are_scikit_learns(name: str, l1_ratio: float) -> None:
    X, y = table(name)
    weight = weights(name)
    options: dict[str, Any] = {"C": 0.1, "l1_ratio": l1_ratio, "class_weight": "balanced", "fit_intercept": False}
    ours = passline.LogisticRegression(**options).fit(X, y, weight)
    assert ours.certificate_["converged"]
    assert 0 <= ours.certificate_["gap"] < 1e-8
    if l1_ratio == 1.0:
        solver: dict[str, Any] = {"solver": "liblinear", "tol": 1e-12, "max_iter": 100_000}
    else:
        solver = {"solver": "saga", "tol": 1e-11, "max_iter": 20_000}
    theirs = converged(Theirs(random_state=0, **solver, **options), X, y, weight)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6)
    np.testing.assert_array_equal(ours.coef_ == 0, theirs.coef_ == 0)
    assert (ours.coef_ == 0).any() or name == "iris"


@pytest.mark.parametrize("l1_ratio", [1.0, 0.4])
@pytest.mark.parametrize("name", ["breast_cancer", "digits"])
def test_under_an_l1_penalty_with_an_intercept_the_subgradient_vanishes(name: str, l1_ratio: float) -> None:
    X, y = table(name)
    X, c, C = X + 0.7, weights(name), 0.05
    model = passline.LogisticRegression(C=C, l1_ratio=l1_ratio).fit(X, y, c)
    w = model.coef_[0]
    residual = C * c * (1 / (1 + np.exp(-(X @ w + model.intercept_[0]))) - y)
    assert abs(residual.sum()) < 1e-7
    pull = X.T @ residual + (1 - l1_ratio) * w
    assert (np.abs(pull[w == 0]) <= l1_ratio + 1e-7).all()
    np.testing.assert_allclose(pull[w != 0], -l1_ratio * np.sign(w[w != 0]), atol=1e-6)
    assert 0 < (w == 0).sum() < len(w)


def test_penalties_and_weights_and_units_at_the_edge_of_the_numbers_are_no_failure() -> None:
    X, y = table("iris")
    X = X[:, :2]
    free = passline.LogisticRegression(C=np.inf).fit(X, y)
    for l1_ratio in (0.0, 1.0):
        for options, weight in (({"C": 1e-300}, None), ({}, np.full(len(y), 1e-300))):
            model = passline.LogisticRegression(l1_ratio=l1_ratio, **options).fit(X, y, weight)
            np.testing.assert_allclose(model.predict_proba(X)[:, 1], y.mean(), atol=1e-9)
        for options, weight in (({"C": 1e300}, None), ({}, np.full(len(y), 1e300))):
            model = passline.LogisticRegression(l1_ratio=l1_ratio, **options).fit(X, y, weight)
            np.testing.assert_allclose(model.coef_, free.coef_, rtol=1e-6)
    units = np.array([1e300, 1e-300])
    model = passline.LogisticRegression(C=np.inf).fit(X * units, y)
    np.testing.assert_allclose(model.std_error_[1:] * units, free.std_error_[1:], rtol=1e-8)
    with pytest.raises(errors.DataError, match="adds up to inf"):
        passline.LogisticRegression().fit(X, y, np.full(len(y), 1e308))


def test_objects_and_lists_of_numbers_are_numbers() -> None:
    X, y = table("iris")
    plain = passline.LogisticRegression().fit(X, y)
    for given in (X.astype(object), X.tolist(), [tuple(row) for row in X]):
        np.testing.assert_allclose(passline.LogisticRegression().fit(given, y.tolist()).coef_, plain.coef_, rtol=1e-12)
    holes = X.astype(object)
    holes[3, 1] = None
    with pytest.raises(errors.DataError, match="X is nan in row 3, column 1"):
        passline.LogisticRegression().fit(holes, y)


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
@pytest.mark.parametrize("scaling", [1.0, 5.0])
def test_liblinear_keeps_its_penalised_intercept(l1_ratio: float, scaling: float) -> None:
    X, y = table("breast_cancer")
    X = X[:, :4] + 0.5
    options: dict[str, Any] = {"C": 0.05, "l1_ratio": l1_ratio, "intercept_scaling": scaling, "solver": "liblinear"}
    ours = passline.LogisticRegression(**options).fit(X, y)
    theirs = converged(Theirs(tol=1e-12, max_iter=100_000, random_state=0, **options), X, y)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6)
    assert ours.intercept_[0] == pytest.approx(theirs.intercept_[0], abs=1e-5)
    free = passline.LogisticRegression(C=0.05, l1_ratio=l1_ratio).fit(X, y)
    assert abs(free.intercept_[0] - ours.intercept_[0]) > 1e-3


def test_every_solvers_name_and_dual_and_seed_end_at_the_one_optimum() -> None:
    X, y = table("wine")
    plain = passline.LogisticRegression().fit(X, y)
    for solver in ("lbfgs", "newton-cg", "newton-cholesky", "sag", "saga"):
        other = passline.LogisticRegression(solver=solver, random_state=4).fit(X, y)
        np.testing.assert_array_equal(other.coef_, plain.coef_)
    lib = passline.LogisticRegression(solver="liblinear", fit_intercept=False)
    dual = passline.LogisticRegression(solver="liblinear", fit_intercept=False, dual=True)
    np.testing.assert_array_equal(lib.fit(X, y).coef_, dual.fit(X, y).coef_)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"penalty": "l2", "C": 0.3}, {"C": 0.3}),
        ({"penalty": "l1", "C": 0.3}, {"C": 0.3, "l1_ratio": 1.0}),
        ({"penalty": "elasticnet", "l1_ratio": 0.5}, {"l1_ratio": 0.5}),
        ({"penalty": None}, {"C": np.inf}),
        ({"l1_ratio": None}, {}),
    ],
)
def test_what_scikit_learn_deprecates_still_works_and_warns_as_there(old: dict[str, Any], new: dict[str, Any]) -> None:
    X, y = table("iris")
    X = X[:, :2]
    with pytest.warns(FutureWarning, match="deprecated"):
        model = passline.LogisticRegression(**old).fit(X, y)
    np.testing.assert_array_equal(model.coef_, passline.LogisticRegression(**new).fit(X, y).coef_)


def test_a_weight_of_two_is_the_row_twice_and_of_zero_none() -> None:
    X, y = table("iris")
    X = X[:, :2]
    counts = np.random.default_rng(0).integers(0, 4, len(y))
    for options in ({"C": 0.5}, {"C": np.inf}, {"l1_ratio": 0.5, "C": 0.2}, {"class_weight": "balanced"}):
        weighted = passline.LogisticRegression(**options).fit(X, y, counts)
        repeated = passline.LogisticRegression(**options).fit(X.repeat(counts, axis=0), y.repeat(counts))
        np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-8)
        if weighted.std_error_ is not None:
            np.testing.assert_allclose(weighted.std_error_, repeated.std_error_, rtol=1e-6)
    alike = passline.LogisticRegression().fit(X, y, 2)
    np.testing.assert_allclose(alike.coef_, passline.LogisticRegression(C=2.0).fit(X, y).coef_, atol=1e-9)


def test_max_iter_limits_the_steps_and_says_when_it_did() -> None:
    X, y = table("breast_cancer")
    for options in ({}, {"l1_ratio": 1.0}, {"C": np.inf}):
        for limit in (0, 1, 3):
            model = passline.LogisticRegression(max_iter=limit, **options)
            with pytest.warns(errors.ConvergenceWarning, match=rf"max_iter={limit} steps were not enough"):
                model.fit(X[:, :3], y)
            assert model.n_iter_[0] <= limit
            assert not model.certificate_["converged"]
    assert passline.LogisticRegression().fit(X, y).n_iter_[0] < 20


def test_a_long_table_keeps_to_max_iter_too() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(120_000, 8))
    y = rng.random(120_000) < 1 / (1 + np.exp(-X[:, 0]))
    free = passline.LogisticRegression().fit(X, y)
    assert free.certificate_["solver"].startswith("quasi-newton")
    assert free.n_iter_[0] > 2
    with pytest.warns(errors.ConvergenceWarning, match="max_iter=2"):
        held = passline.LogisticRegression(max_iter=2).fit(X, y)
    assert held.n_iter_[0] == 2


def test_a_warm_start_begins_where_the_last_fit_ended() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(120_000, 8)) + 3.0
    y = rng.random(120_000) < 1 / (1 + np.exp(-X[:, 0] + 3))
    for options in ({}, {"l1_ratio": 1.0, "C": 0.01}):
        model = passline.LogisticRegression(warm_start=True, **options).fit(X, y)
        first, steps = model.coef_.copy(), model.n_iter_[0]
        model.fit(X, y)
        np.testing.assert_allclose(model.coef_, first, atol=1e-9)
        assert model.n_iter_[0] <= 2 < steps
        cold = passline.LogisticRegression(C=0.001, **({} if not options else {"l1_ratio": 1.0})).fit(X, y)
        model.set_params(C=0.001).fit(X, y)
        np.testing.assert_allclose(model.coef_, cold.coef_, atol=1e-7)
    model.fit(X[:, :3], y)  # other columns: nothing to begin at
    assert model.coef_.shape == (1, 3)


def test_warnings_and_errors_are_of_scikit_learns_kind_and_of_ours() -> None:
    X, y = table("iris")
    with pytest.warns(exceptions.ConvergenceWarning) as told:
        passline.LogisticRegression(max_iter=1).fit(X, y)
    assert issubclass(told[0].category, errors.ConvergenceWarning)
    assert told[0].filename == __file__
    with pytest.warns(exceptions.ConvergenceWarning) as told:
        passline.LogisticRegression(C=np.inf).fit(X[:, :1], X[:, 0] > 0)
    assert issubclass(told[0].category, errors.SeparationWarning)
    for asked in (lambda m: m.predict(X), lambda m: m.summary(), lambda m: m.sparsify(), lambda m: m.densify()):
        with pytest.raises(exceptions.NotFittedError) as failed:
            asked(passline.LogisticRegression())
        assert isinstance(failed.value, errors.PasslineError)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"penalty": "l3"}, "penalty is 'l3'"),
        ({"l1_ratio": 1.5}, r"l1_ratio is 1\.5"),
        ({"solver": "adam"}, "solver is 'adam': give one of lbfgs"),
        ({"max_iter": 1.5}, r"max_iter is 1\.5"),
        ({"fit_intercept": "no"}, "fit_intercept is 'no'"),
        ({"intercept_scaling": 0}, "intercept_scaling is 0"),
        ({"class_weight": "even"}, "class_weight is 'even'"),
        ({"class_weight": {0: -1.0}}, "finite weights"),
        ({"class_weight": {0: 0.0}}, "one class only"),
        ({"class_weight": {"a": 2.0}}, r"class_weight has 'a', and the classes are \[0, 1\]"),
        ({"verbose": -1}, "verbose is -1"),
        ({"random_state": "x"}, "random_state is 'x'"),
        ({"tol": float("nan")}, "tol is nan"),
    ],
    ids=str,
)
def test_a_parameter_that_means_nothing_is_refused_by_name(options: dict[str, Any], message: str) -> None:
    X, y = table("iris")
    with pytest.raises(ValueError, match=message):
        passline.LogisticRegression(**options).fit(X, y)


def test_three_classes_are_refused_with_their_number() -> None:
    X, y = datasets.load_iris(return_X_y=True)
    with pytest.raises(errors.DataError, match=r"Only binary classification.*y has 3 classes \(0, 1, 2\)"):
        passline.LogisticRegression().fit(X, y)
    with pytest.raises(errors.DataError, match="Unknown label type"):
        passline.LogisticRegression().fit(X, X[:, 0] * 1.1)


def test_verbose_prints_the_steps(capsys: pytest.CaptureFixture[str]) -> None:
    X, y = table("iris")
    model = passline.LogisticRegression(verbose=1).fit(X, y)
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == model.n_iter_[0]
    assert printed[-1].startswith("100 rows: loss 0.")
