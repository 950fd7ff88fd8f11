"""The benchmark of solvers: its shapes are what the documentation says, and its judge judges rightly."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT))  # benchmarks/ belongs to the repository and not to the package

from benchmarks import solvers  # noqa: E402
from benchmarks.gradient import BLOCK, gradient_norm  # noqa: E402
from benchmarks.peers import Answer, Problem, Setting, as_set  # noqa: E402
from benchmarks.shapes import SHAPES, load, make, size  # noqa: E402
from benchmarks.table import Result, summary, write_between  # noqa: E402
from benchmarks.timing import Contest, contenders, run  # noqa: E402
from benchmarks.worker import Job, Measured  # noqa: E402

MADE = [shape for shape in SHAPES.values() if shape.kind not in ("frame", "file")]


def direct(X, y, coef, intercept, l2):
    """The same gradient from the definition: standardise, then differentiate."""
    m, s = X.mean(axis=0), X.std(axis=0)
    Z, b = (X - m) / s, coef * s
    r = expit(X @ coef + intercept) - y
    return max(abs(r.mean()), np.abs(Z.T @ r / len(y) + l2 * b / s**2).max())


@pytest.mark.parametrize("shape", MADE, ids=lambda shape: shape.name)
def test_a_shape_is_the_same_each_time_and_of_the_size_it_says(shape, tmp_path):
    made = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        make(shape, 0.002, tmp_path / name)
        made.append(load(shape, tmp_path / name))
    (X, y), (again, y_again) = made
    assert X.shape == size(shape, 0.002) == (len(y), X.shape[1])
    assert set(np.unique(y)) == {0.0, 1.0}
    assert np.array_equal(y, y_again)
    assert (again != X).sum() == 0
    assert X.dtype == (np.float32 if shape.variant == "float32" else np.float64)


@pytest.mark.parametrize("shape", MADE, ids=lambda shape: shape.name)
def test_at_full_size_a_shape_has_the_rows_and_columns_of_its_row_in_the_table(shape):
    assert size(shape, 1.0) == (shape.rows, shape.columns)


def test_correlated_columns_are_correlated_099_and_scales_span_eight_decades(tmp_path):
    make(SHAPES["correlated"], 0.02, tmp_path)
    X, _ = load(SHAPES["correlated"], tmp_path)
    off = np.corrcoef(X.T)[np.triu_indices(X.shape[1], 1)]
    assert 0.985 < off.min() <= off.max() < 0.995
    make(SHAPES["scales"], 0.02, tmp_path)
    X, _ = load(SHAPES["scales"], tmp_path)
    assert X.std(axis=0)[-1] / X.std(axis=0)[0] == pytest.approx(1e8, rel=0.05)


def test_rare_positives_are_one_in_a_thousand_as_soon_as_500_of_them_are_left(tmp_path):
    make(SHAPES["rare"], 1.0, tmp_path)
    assert load(SHAPES["rare"], tmp_path)[1].sum() == pytest.approx(500, abs=100)


def test_a_sparse_row_has_its_50_columns_all_different_and_sorted(tmp_path):
    make(SHAPES["sparse"], 0.01, tmp_path)
    X, _ = load(SHAPES["sparse"], tmp_path)
    index = X.indices.reshape(X.shape[0], 50)
    assert (np.diff(index, axis=1) > 0).all()


@pytest.mark.parametrize("kind", ["dense", "sparse", "float32"])
@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_the_judge_agrees_with_the_definition_whatever_the_scales(kind, l2):
    random = np.random.default_rng(5)
    p = 40
    n = 3 * BLOCK // (8 * p) // 2  # two blocks, the second one short
    X = (random.standard_normal((n, p)) + 3) * np.logspace(-2, 2, p)
    X[random.random((n, p)) < 0.5] = 0.0
    if kind == "float32":
        X = X.astype(np.float32)
    y = (random.random(n) < 0.4).astype(np.float64)
    coef, intercept = random.standard_normal(p) / np.logspace(-2, 2, p), 0.7
    expected = direct(X.astype(np.float64), y, coef, intercept, l2)
    given = sparse.csr_matrix(X) if kind == "sparse" else X
    assert gradient_norm(given, y, coef, intercept, l2) == pytest.approx(expected, rel=1e-9)


def test_the_judge_lets_no_answer_pass_that_is_not_finite_and_counts_a_constant_column_as_it_is():
    X = np.column_stack([np.arange(8.0), np.full(8, 3.0)])
    y = np.array([0, 1] * 4, dtype=np.float64)
    assert np.isnan(gradient_norm(X, y, np.array([np.inf, 0.0]), 0.0, 0.0))
    assert np.isnan(gradient_norm(X, y, np.zeros(2), float("nan"), 0.0))
    assert np.isfinite(gradient_norm(X, y, np.zeros(2), 1.0, 0.0))


def test_an_answer_on_standardised_columns_is_mapped_back_to_the_columns_as_given():
    random = np.random.default_rng(6)
    X = random.standard_normal((50, 3)) * [1.0, 100.0, 0.01] + 5
    truth = np.array([1.0, 0.02, -30.0])

    def least_squares(Z, problem, setting):
        found = np.linalg.lstsq(np.column_stack([np.ones(len(Z)), Z]), problem.y, rcond=None)[0]
        return Answer(found[1:], float(found[0]))

    answer = as_set(least_squares, X, Problem(X, X @ truth + 2, 0.0, 1), Setting(scaled=True))
    assert answer.coef == pytest.approx(truth)
    assert answer.intercept == pytest.approx(2)


def test_a_fit_in_a_process_of_its_own_comes_back_with_its_time_and_its_judgement(tmp_path):
    shape = SHAPES["1e6x50"]
    make(shape, 0.002, tmp_path)
    measured = run(Job(shape.name, "passline", str(tmp_path), None, False, False, 2, 60))
    assert measured.failed is None
    assert measured.gradient <= 1e-8
    assert measured.seconds > 0
    assert measured.passes


def test_a_fit_that_outlasts_its_limit_is_ended_and_called_so(tmp_path):
    shape = SHAPES["1e6x50"]
    make(shape, 0.05, tmp_path)
    measured = run(Job(shape.name, "passline", str(tmp_path), None, False, False, 1, 1e-4))
    assert measured.failed == "> 0.0001 s"


def test_a_peer_that_did_not_reach_the_gradient_is_never_the_fastest():
    shape = SHAPES["1e6x50"]
    contests = [
        Contest("passline", None, Setting(), (Measured(1.0, 10**6, 1e-9, 6, "newton"),)),
        Contest("fast-and-wrong", None, Setting(), (Measured(0.1, 0, 2e-8),)),
        Contest("right", None, Setting(1e-8), (Measured(6.0, 0, 9e-9),)),
        Contest("endless", None, Setting(), (Measured(failed="> 9 s"),)),
    ]
    text = summary([Result(shape, 10, 5, contests, 0.02, [])])
    assert "| right 6 s | 6.0 | 5, 40 reads |" in text
    assert "50 (missed)" in text


def test_the_table_is_written_into_its_place_and_replaces_what_stood_there(tmp_path):
    document = tmp_path / "d.md"
    document.write_text("a\n<!-- results: x -->\nold\n<!-- end: x -->\nb\n", encoding="utf-8")
    for text in ("one", "two\\1"):
        write_between(document, "x", text)
    assert document.read_text(encoding="utf-8") == "a\n<!-- results: x -->\n\ntwo\\1\n\n<!-- end: x -->\nb\n"
    with pytest.raises(SystemExit, match="has no lines"):
        write_between(document, "y", "z")


def test_every_shape_has_passline_and_somebody_to_be_compared_with():
    for shape in SHAPES.values():
        able = contenders(shape, 1.0)
        assert able[0] == "passline"
        assert set(shape.targets) - {"fastest"} <= set(able)
        assert len(able) > 1


def test_a_shape_that_does_not_exist_is_refused_with_those_that_do(capsys):
    with pytest.raises(SystemExit):
        solvers.parse(["--shapes", "1e6x50,nonesuch"])
    message = capsys.readouterr().err
    assert "nonesuch" in message
    assert "sparse" in message


def test_a_job_survives_the_way_to_its_process():
    job = Job("sparse", "glum", "folder", 1e-8, True, False, 2, 60.0)
    assert Job(**json.loads(json.dumps(job.__dict__))) == job
