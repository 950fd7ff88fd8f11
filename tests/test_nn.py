"""passline.nn: modules that train as any other, and that know the exact answer."""

from __future__ import annotations

import copy
import io
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix
from sklearn.datasets import load_breast_cancer

import passline
from passline.errors import (
    ConvergenceWarning,
    DataError,
    OneClassError,
    OptionError,
    SeparationWarning,
    TooManyColumnsError,
)
from passline.lesson import PassModel
from passline.nn import LogisticHead, LogisticModel

STUDENTS = passline.datasets.path("students")


def drawn(n=400, p=6, k=3, seed=0, dtype=torch.float64):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, p)) * random.uniform(0.1, 20, p) + 3
    W = random.normal(size=(p, k)) / 4
    Y = random.random((n, k)) < 1 / (1 + np.exp(-(X - 3) @ W))
    return torch.tensor(X, dtype=dtype), torch.tensor(Y, dtype=dtype)


def test_probabilities_and_logits_have_the_shape_of_a_linear_layer():
    model, head = LogisticModel(3), LogisticHead(3, ["a", "b"])
    x = torch.randn(2, 5, 3)
    assert model(x).shape == model.logits(x).shape == (2, 5, 1)
    assert head(x).shape == (2, 5, 2)
    assert torch.equal(model(x), torch.sigmoid(model.linear(x)))


def test_the_start_and_the_names_of_the_state_are_those_of_the_lessons_module():
    torch.manual_seed(4)
    lesson = PassModel()
    torch.manual_seed(4)
    model = LogisticModel(1)
    for name, value in lesson.state_dict().items():
        assert torch.equal(model.state_dict()[name], value)
    lesson.load_state_dict(model.state_dict())


def test_it_trains_in_the_lessons_loop_as_the_lessons_module_does():
    hours, passed = torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([[0.0], [0.0], [1.0]])
    ends = []
    for make in (PassModel, lambda: LogisticModel(1)):
        torch.manual_seed(0)
        model = make()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        for _ in range(200):
            loss = torch.nn.BCELoss(reduction="sum")(model(hours), passed)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        ends.append([parameter.item() for parameter in model.parameters()])
    assert ends[0] == ends[1]


def test_fit_gives_the_estimate_of_the_table():
    table = passline.datasets.load("students")
    x = torch.tensor(np.asarray(table["hours"], dtype=float)).reshape(-1, 1)
    y = torch.tensor(np.asarray(table["passed"], dtype=float))
    model = LogisticModel(1, dtype=torch.float64)
    assert model.certificate is None
    assert model.fit(x, y) is model
    fit = passline.fit("passed ~ hours", STUDENTS)
    assert model.linear.weight.item() == pytest.approx(fit.coef["hours"], rel=1e-12)
    assert model.linear.bias.item() == pytest.approx(fit.coef["(Intercept)"], rel=1e-12)
    assert model.certificate.converged
    assert model(x).detach().numpy().ravel() == pytest.approx(fit.predict(STUDENTS), rel=1e-12)


def test_the_exact_answer_is_where_a_long_descent_would_end_and_stays_there():
    X, Y = drawn(k=1)
    X = (X - X.mean(0)) / X.std(0)
    model = LogisticModel(6, dtype=torch.float64).fit(X, Y)
    loss = torch.nn.BCELoss()(model(X), Y)
    loss.backward()
    assert all(parameter.grad.abs().max() < 1e-9 for parameter in model.parameters())
    assert all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize("penalty", [{}, {"l2": 0.01}, {"l1": 0.02}, {"l1": 0.01, "l2": 0.02}], ids=str)
def test_several_outcomes_have_each_the_optimum_of_scikit_learns_objective(penalty):
    X, Y = drawn()
    head = LogisticHead(6, ["a", "b", "c"], dtype=torch.float64).fit(X, Y, **penalty)
    strength = sum(penalty.values())
    for k in range(3):
        known = passline.LogisticRegression(
            C=1 / (len(X) * strength) if strength else np.inf,
            l1_ratio=penalty.get("l1", 0) / strength if strength else 0,
            tol=1e-10,
        ).fit(X.numpy(), Y[:, k].numpy())
        assert head.linear.weight[k].detach().numpy() == pytest.approx(known.coef_[0], rel=1e-6, abs=1e-9)
        assert head.linear.bias[k].item() == pytest.approx(known.intercept_[0], rel=1e-6, abs=1e-9)
        assert head.certificates[k].converged


def test_weight_decay_of_an_averaged_loss_is_l2():
    X, Y = drawn(k=1)
    X = (X - X.mean(0)) / X.std(0)
    model = LogisticModel(6, dtype=torch.float64).fit(X, Y, l2=0.05)
    loss = torch.nn.BCELoss()(model(X), Y) + 0.05 / 2 * model.linear.weight.square().sum()
    loss.backward()
    assert max(float(parameter.grad.abs().max()) for parameter in model.parameters()) < 1e-9


def test_outcomes_share_their_walks_over_the_rows():
    X, Y = drawn(n=40_000, p=30, k=4)
    alone = [LogisticModel(30, dtype=torch.float64).fit(X, Y[:, k]) for k in range(4)]
    head = LogisticHead(30, 4, dtype=torch.float64).fit(X, Y)
    for k in range(4):
        assert head.linear.weight[k].detach().numpy() == pytest.approx(
            alone[k].linear.weight[0].detach().numpy(), rel=1e-7, abs=1e-10
        )
        assert head.certificates[k].passes == alone[k].certificate.passes


def test_a_weight_of_two_is_the_row_twice_and_of_zero_the_row_left_out():
    X, Y = drawn(n=120)
    weight = torch.arange(120) % 3
    head = LogisticHead(6, 3, dtype=torch.float64).fit(X, Y, sample_weight=weight, l2=0.01)
    twice = LogisticHead(6, 3, dtype=torch.float64).fit(
        X.repeat_interleave(weight, 0), Y.repeat_interleave(weight, 0), l2=0.01
    )
    assert head.linear.weight.detach().numpy() == pytest.approx(twice.linear.weight.detach().numpy(), rel=1e-7)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_a_module_of_lower_precision_holds_the_exact_answer_rounded(dtype):
    X, Y = drawn(dtype=dtype)
    exact = LogisticHead(6, 3, dtype=torch.float64).fit(X, Y, l2=0.01)
    low = LogisticHead(6, 3, dtype=dtype).fit(X, Y, l2=0.01)
    assert torch.equal(low.linear.weight, exact.linear.weight.to(dtype))
    assert low.linear.weight.dtype == dtype


def test_arrays_frames_and_sparse_matrices_are_taken_too():
    data = load_breast_cancer(as_frame=True)
    X = (data.data - data.data.mean()) / data.data.std()
    model = LogisticModel(30, dtype=torch.float64)
    ends = [
        copy.deepcopy(model.fit(given, data.target, l2=0.01).state_dict())
        for given in (X, X.to_numpy(), csr_matrix(X.to_numpy()), torch.tensor(X.to_numpy()))
    ]
    for end in ends[1:]:
        assert end["linear.weight"].numpy() == pytest.approx(ends[0]["linear.weight"].numpy(), rel=1e-6, abs=1e-9)


def test_without_a_bias_the_plane_goes_through_zero():
    X, Y = drawn(k=1)
    model = LogisticModel(6, bias=False, dtype=torch.float64).fit(X, Y, l2=0.01)
    known = passline.LogisticRegression(C=1 / (400 * 0.01), fit_intercept=False, tol=1e-10).fit(X.numpy(), Y[:, 0])
    assert model.linear.bias is None
    assert model.linear.weight[0].detach().numpy() == pytest.approx(known.coef_[0], rel=1e-6)


def test_a_separated_outcome_is_named_and_not_called_converged():
    X, Y = drawn()
    Y[:, 1] = (X[:, 0] > X[:, 0].median()).double()
    head = LogisticHead(6, ["a", "b", "c"], dtype=torch.float64)
    with pytest.warns(SeparationWarning, match="'b' is completely separated"):
        head.fit(X, Y)
    assert [one.converged for one in head.certificates] == [True, False, True]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        head.fit(X, Y, l2=1e-3)
    assert "converged, converged, converged" in repr(head)


def test_a_limit_on_steps_that_is_hit_is_said():
    X, Y = drawn(n=50_000, k=1)
    with pytest.warns(ConvergenceWarning, match=r"'y' has not converged .* Raise max_iter"):
        LogisticModel(6).fit(X, Y, l2=1e-4, max_iter=1)


def test_a_module_that_was_fitted_is_saved_copied_and_loaded_as_any_other():
    X, Y = drawn()
    head = LogisticHead(6, 3).fit(X.float(), Y, l2=0.01)
    file = io.BytesIO()
    torch.save(head.state_dict(), file)
    file.seek(0)
    again = LogisticHead(6, 3)
    again.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(again(X.float()), head(X.float()))
    assert torch.equal(copy.deepcopy(head)(X.float()), head(X.float()))


REFUSED = [
    (torch.ones(4, 2), [0, 1, 0, 1], {}, DataError, "2 columns, and this module 3 features"),
    (torch.ones(4), [0, 1, 0, 1], {}, DataError, "shape"),
    (torch.eye(4, 3), [0, 1, 0], {}, DataError, r"y has the shape \(3, 1\), and X has 4 rows"),
    (torch.eye(4, 3), [[0, 1]] * 4, {}, DataError, "for 1 outcomes"),
    (torch.eye(4, 3), [0, 1, 2, 1], {"l2": 1.0}, DataError, "outcome 'y': y is 2 in row 2"),
    (torch.eye(4, 3), [0, 1, 0.5, 1], {"l2": 1.0}, DataError, "0.5 in row 2"),
    (torch.eye(4, 3), [0, 1, float("nan"), 1], {"l2": 1.0}, DataError, "nan in row 2"),
    (torch.eye(4, 3), ["a", "b", "a", "b"], {"l2": 1.0}, DataError, "give 0 and 1"),
    (torch.eye(4, 3), [1, 1, 1, 1], {"l2": 1.0}, OneClassError, "'y' is 1 in all 4 rows"),
    (torch.full((4, 3), float("inf")), [0, 1, 0, 1], {"l2": 1.0}, DataError, "X is inf in row 0, column 0"),
    (torch.eye(3), [0, 1, 0], {}, TooManyColumnsError, "3 rows and 3 columns"),
    (torch.eye(4, 3), [0, 1, 0, 1], {"l2": -1}, OptionError, "l2 is -1"),
    (torch.eye(4, 3), [0, 1, 0, 1], {"tol": 0}, OptionError, "tol is 0"),
    (torch.eye(4, 3), [0, 1, 0, 1], {"max_iter": 0}, OptionError, "max_iter is 0"),
    (torch.eye(4, 3), [0, 1, 0, 1], {"l2": 1, "sample_weight": [1, 1, -1, 1]}, DataError, "-1.0 in row 2"),
    (torch.eye(4, 3), [0, 1, 0, 1], {"l2": 1, "sample_weight": [0, 0, 0, 0]}, ValueError, "zero in every row"),
]


@pytest.mark.parametrize(("X", "y", "more", "error", "said"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_fitted_is_refused_in_words_and_nothing_moves(X, y, more, error, said):
    model = LogisticModel(3)
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(error, match=said):
        model.fit(X, y, **more)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("outcomes", [0, -1, [], ["a", "a"]], ids=str)
def test_outcomes_are_one_or_more_each_with_its_name(outcomes):
    with pytest.raises(OptionError, match="outcomes is"):
        LogisticHead(3, outcomes)


def test_importing_passline_and_its_name_imports_no_torch_before_it_is_asked_for():
    text = "import passline, sys; assert 'torch' not in sys.modules; passline.nn; assert 'torch' in sys.modules"
    subprocess.run([sys.executable, "-c", text], check=True)


BIRTHWT = passline.datasets.path("birthwt")
FORMULA = "low ~ age + scale(lwt) + C(race) * smoke"


def test_a_fit_becomes_a_module_and_a_module_a_fit_again(tmp_path):
    fit = passline.fit(FORMULA, BIRTHWT)
    columns = fit.export(to="torch").content.columns(BIRTHWT)
    model = LogisticModel(columns.shape[1], dtype=torch.float64)
    model.load_state_dict(fit.state_dict())
    assert model(columns).detach().numpy().ravel() == pytest.approx(fit.predict(BIRTHWT), rel=1e-13)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    low = torch.tensor(np.asarray(passline.datasets.load("birthwt")["low"], dtype=float)).reshape(-1, 1)
    (torch.nn.BCELoss()(model(columns), low) + model.linear.weight.square().sum()).backward()
    optimizer.step()
    moved = fit.with_state_dict(model.state_dict())
    assert moved.predict(BIRTHWT) == pytest.approx(model(columns).detach().numpy().ravel(), rel=1e-13)
    assert moved.coef != fit.coef
    assert not moved.certificate.converged
    assert np.isnan(moved.covariance).all()
    assert moved.tidy()["p_value"].isna().all()
    assert "given, not estimated" in repr(moved)
    moved.save(tmp_path / "moved.json")
    again = passline.load(tmp_path / "moved.json")
    assert again.coef == moved.coef
    assert np.array_equal(again.predict(BIRTHWT), moved.predict(BIRTHWT))
    assert again.evaluate(BIRTHWT).tidy() is not None


def test_a_firth_fit_gives_the_intercept_that_it_predicts_with():
    fit = passline.fit("HG ~ NV + PI + EH", passline.datasets.path("endometrial"), estimator="firth")
    state = fit.state_dict()
    assert state["linear.bias"].item() == fit.model.flic_intercept
    assert state["linear.weight"].shape == (1, 3)


def test_separated_weights_have_no_state():
    with pytest.warns(SeparationWarning):
        fit = passline.fit("HG ~ NV + PI + EH", passline.datasets.path("endometrial"))
    with pytest.raises(OptionError, match="infinite and no state holds them"):
        fit.state_dict()


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({}, "the state holds nothing"),
        ({"linear.weight": torch.ones(1, 2), "linear.bias": torch.ones(1)}, r"linear.weight \(1, 2\)"),
        ({"linear.weight": torch.ones(1, 1)}, r"takes linear.weight \(1, 1\) and linear.bias \(1,\)"),
        ({"weight": torch.ones(1, 1), "linear.bias": torch.ones(1)}, "weight"),
        ({"linear.weight": torch.full((1, 1), torch.nan), "linear.bias": torch.ones(1)}, "NaN"),
    ],
    ids=["nothing", "too wide", "no bias", "another name", "no number"],
)
def test_a_state_that_does_not_fit_is_refused(state, said):
    with pytest.raises(OptionError, match=said):
        passline.fit("passed ~ hours", STUDENTS).with_state_dict(state)


@pytest.mark.parametrize("kind", [torch.Tensor.to_sparse, lambda t: t.to("meta")], ids=["sparse", "meta"])
def test_outcomes_in_no_dense_tensor_are_refused_with_what_to_give(kind):
    X, Y = drawn(n=60, p=2)
    with pytest.raises(DataError, match="give a dense one"):
        LogisticHead(2, 3).fit(X, kind(Y))


def test_options_may_be_numbers_of_numpy():
    X, Y = drawn(n=200, p=2, k=2)
    head = LogisticHead(2, np.int64(2)).fit(X, Y, l2=np.float32(0.5), max_iter=np.int64(50), tol=np.float64(1e-9))
    plain = LogisticHead(2, 2).fit(X, Y, l2=0.5)
    torch.testing.assert_close(head.linear.weight, plain.linear.weight)
    assert all(proof.converged for proof in head.certificates)
