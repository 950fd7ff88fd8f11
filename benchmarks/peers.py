"""Who takes part on arrays: how each solver is called, and what it is told so that all answer the same question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import hstack

Floats = NDArray[np.float64]
MANY = 100_000  # iterations: no solver is to stop for want of them once a tolerance is asked for


@dataclass(frozen=True)
class Setting:
    """How a run is set. ``tol`` None: the solver's own defaults in everything.

    ``double``: the matrix is copied to float64 first; ``scaled``: the columns are standardised first (no penalty
    only); both inside the clock.
    """

    tol: float | None = None
    double: bool = False
    scaled: bool = False

    def __str__(self) -> str:
        words = ["defaults" if self.tol is None else f"tol {self.tol:.0e}"]
        return ", ".join(words + ["in float64"] * self.double + ["standardised"] * self.scaled)


@dataclass(frozen=True)
class Problem:
    """What is in hand when the clock starts. X: (n, p) dense or CSR, y: (n,) of 0.0 and 1.0, l2 per row."""

    X: Any
    y: Floats
    l2: float
    threads: int

    @property
    def C(self) -> float:  # noqa: N802, scikit-learn's letter for 1 / (n l2)
        return 1 / (len(self.y) * self.l2) if self.l2 else np.inf


@dataclass(frozen=True)
class Answer:
    """Coefficients on the columns as given, (p,); the intercept; passes over the rows or iterations, if it says.

    ``names``: what a library that codes categories itself calls its columns; they are put in order after the clock.
    """

    coef: Floats
    intercept: float
    passes: int | None = None
    solver: str | None = None
    names: tuple[str, ...] | None = None


Fit = Callable[[Any, Problem, Setting], Answer]


def as_it_is(problem: Problem) -> Any:
    """The matrix itself: nothing is made before the clock."""
    return problem.X


@dataclass(frozen=True)
class Peer:
    """A contender: ``fit(prepared, problem, setting)`` is timed, ``prepare(problem)`` is not.

    ``kinds``: the kinds of shapes it can do; ``library``: what must be installed; ``columns``: beyond so many its
    curvature matrix, or its time, is out of reach, and it is left out.
    """

    name: str
    library: str
    kinds: frozenset[str]
    fit: Fit
    prepare: Callable[[Problem], Any] = as_it_is
    columns: int = 10_000_000


def passline_arrays(X: Any, problem: Problem, setting: Setting) -> Answer:
    import passline

    chosen = {} if setting.tol is None else {"tol": setting.tol}
    model = passline.LogisticRegression(C=problem.C, **chosen).fit(X, problem.y)
    certificate = model.certificate_
    return Answer(*_coefficients(model), certificate["passes"], certificate["solver"])


def scikit_learn(solver: str) -> Fit:
    """scikit-learn's LogisticRegression with one of its solvers."""

    def fit(X: Any, problem: Problem, setting: Setting) -> Answer:
        from sklearn.linear_model import LogisticRegression

        chosen: dict[str, Any] = {} if setting.tol is None else {"tol": setting.tol, "max_iter": MANY}
        C = problem.C
        if solver == "liblinear":
            # It knows no C without end and penalises its intercept: so little of both that neither is seen at 1e-8.
            C = min(C, 1e12 / len(problem.y))
            chosen |= {"intercept_scaling": 1e3 if problem.l2 else 1.0}
        if solver == "saga":
            chosen |= {"random_state": 0}
        model = LogisticRegression(C=C, solver=solver, **chosen).fit(X, problem.y)
        return Answer(*_coefficients(model), int(np.max(model.n_iter_)))

    return fit


def glum(X: Any, problem: Problem, setting: Setting) -> Answer:
    from glum import GeneralizedLinearRegressor

    chosen = {} if setting.tol is None else {"gradient_tol": setting.tol, "max_iter": 1000}
    model = GeneralizedLinearRegressor(family="binomial", alpha=problem.l2, l1_ratio=0, **chosen).fit(X, problem.y)
    return Answer(*_coefficients(model), int(model.n_iter_))


def statsmodels(X: Any, problem: Problem, setting: Setting) -> Answer:
    import statsmodels.api as sm

    chosen = {} if setting.tol is None else {"tol": setting.tol, "maxiter": 200}
    result = sm.Logit(problem.y, X).fit(method="newton", disp=0, **chosen)
    return Answer(result.params[1:], float(result.params[0]), int(result.mle_retvals["iterations"]))


def with_ones(problem: Problem) -> Any:
    """The matrix with the column of ones that statsmodels wants, made before the clock."""
    return np.column_stack([np.ones(len(problem.y), dtype=problem.X.dtype), problem.X])


def with_constant(problem: Problem) -> Any:
    """The matrix with a constant column, made before the clock: snapml's primal solver knows no intercept.

    A constant of 100 under a ridge, so that the penalty on its coefficient is no larger than 1e-4 of the ridge.
    """
    constant = np.full((len(problem.y), 1), 100.0 if problem.l2 else 1.0, dtype=problem.X.dtype)
    return (
        np.hstack([problem.X, constant]) if isinstance(problem.X, np.ndarray) else hstack([problem.X, constant], "csr")
    )


def snapml(X: Any, problem: Problem, setting: Setting) -> Answer:
    from snapml import LogisticRegression

    chosen = {} if setting.tol is None else {"tol": setting.tol, "max_iter": 1000}
    # Its objective is the sum of losses + regularizer/2 |w|^2, and the regularizer must not be zero.
    regularizer = max(problem.l2 * len(problem.y), 1e-6)
    model = LogisticRegression(regularizer=regularizer, n_jobs=problem.threads, dual=False, **chosen)
    model.fit(X, problem.y)
    coef, _ = _coefficients(model)
    return Answer(coef[:-1], float(coef[-1]) * (100.0 if problem.l2 else 1.0))


def liblinear_format(problem: Problem) -> Any:
    """LIBLINEAR's own copy of the data, a node a number, made before the clock; the bias is a column of ones."""
    from liblinear.liblinear import problem as own_format
    from scipy import sparse

    X = sparse.csr_matrix(problem.X)
    return own_format(problem.y, X, bias=1)


def liblinear(prepared: Any, problem: Problem, setting: Setting) -> Answer:
    from liblinear.liblinearutil import parameter, train

    # -s 0: l2-regularised logistic regression, primal, trust-region Newton; -R: the bias is not penalised.
    C = min(problem.C, 1e12 / len(problem.y))
    tol = "" if setting.tol is None else f" -e {setting.tol!r}"
    model = train(prepared, parameter(f"-s 0 -c {C!r} -B 1 -R -q{tol}"))
    coef, intercept = model.get_decfun(label_idx=0)
    sign = 1.0 if model.get_labels()[0] == 1 else -1.0
    return Answer(sign * np.array(coef), sign * intercept)


def torch_lbfgs(X: Any, problem: Problem, setting: Setting) -> Answer:
    """PyTorch's LBFGS, strong Wolfe line search, on the mean loss by autograd; float64 whatever the matrix is in."""
    import torch

    if hasattr(X, "indptr"):
        starts, indices, values = (torch.from_numpy(part) for part in (X.indptr, X.indices, X.data))
        matrix = torch.sparse_csr_tensor(starts, indices, values, size=X.shape, check_invariants=False)
    else:
        matrix = torch.from_numpy(X).to(torch.float64)
    y = torch.from_numpy(problem.y)
    w = torch.zeros(X.shape[1], dtype=torch.float64, requires_grad=True)
    b = torch.zeros((), dtype=torch.float64, requires_grad=True)
    tol = 1e-7 if setting.tol is None else setting.tol
    # Its own default is 20 iterations a step, meant to be called again and again.
    chosen: dict[str, Any] = {"max_iter": 500}
    if setting.tol is not None:
        chosen = {"max_iter": MANY, "max_eval": 2 * MANY, "tolerance_change": 0.0}
    optimizer = torch.optim.LBFGS([w, b], tolerance_grad=tol, line_search_fn="strong_wolfe", **chosen)
    passes = 0

    def closure() -> Any:
        nonlocal passes
        passes += 1
        optimizer.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(matrix @ w + b, y) + problem.l2 / 2 * (w @ w)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves these two untyped
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]  # as above
    return Answer(w.detach().numpy(), float(b.detach()), passes)


def as_set(fit: Fit, X: Any, problem: Problem, setting: Setting) -> Answer:
    """Fit after what a setting asks to be done to the columns, and map the answer back to the columns as given."""
    if setting.double:
        X = X.astype(np.float64)
    if not setting.scaled:
        return fit(X, problem, setting)
    assert not problem.l2, "a penalty on standardised columns asks another question"
    m, s = X.mean(axis=0), X.std(axis=0)
    answer = fit((X - m) / s, problem, setting)
    coef = answer.coef / s
    return replace(answer, coef=coef, intercept=answer.intercept - float(m @ coef))


def _coefficients(model: Any) -> tuple[Floats, float]:
    return np.asarray(model.coef_, dtype=np.float64).ravel(), float(np.ravel(model.intercept_)[0])


_ARRAYS = frozenset({"dense", "small"})
_BOTH = _ARRAYS | {"sparse"}
# Frames and files: passline, glum and statsmodels take the table as it is, the others pandas.get_dummies (table_peers).
_TABLES = _ARRAYS | {"frame", "file"}
_ANYWHERE = _TABLES | {"sparse"}

PEERS = (
    Peer("passline", "passline", _ANYWHERE, passline_arrays),
    Peer("sk-lbfgs", "sklearn", _ANYWHERE, scikit_learn("lbfgs")),
    Peer("sk-newton-cholesky", "sklearn", _TABLES, scikit_learn("newton-cholesky")),
    Peer("sk-newton-cg", "sklearn", _ANYWHERE, scikit_learn("newton-cg")),
    Peer("glum", "glum", _ANYWHERE, glum, columns=10_000),
    Peer("torch-lbfgs", "torch", _BOTH, torch_lbfgs),
    Peer("snapml", "snapml", _BOTH, snapml, with_constant),
    Peer("liblinear", "liblinear", _BOTH, liblinear, liblinear_format),
    Peer("sk-liblinear", "sklearn", _BOTH, scikit_learn("liblinear")),
    Peer("statsmodels", "statsmodels", _TABLES, statsmodels, with_ones),
    Peer("sk-saga", "sklearn", _BOTH, scikit_learn("saga")),
)
