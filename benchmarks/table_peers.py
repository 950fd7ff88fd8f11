"""Who takes part on tables: from the data frame in hand, or from the Parquet file, to coefficients, all timed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.peers import Answer, Peer, Problem, Setting
from benchmarks.tables import Question, dummies, plain


def fit_table(peer: Peer, data: pd.DataFrame | Path, question: Question, setting: Setting, threads: int) -> Answer:
    """Fit a table; who codes categories himself names his columns, the rest have :func:`dummies`' order."""
    if peer.name == "passline":
        return _passline(data, question)
    frame = data if isinstance(data, pd.DataFrame) else pd.read_parquet(data)
    if peer.name == "glum":
        return _glum(frame, question, setting)
    if peer.name == "statsmodels":
        return _statsmodels(frame, question, setting)
    X, y, _ = dummies(frame, question)
    return peer.fit(X, Problem(X, y, 0.0, threads), setting)


def _passline(data: pd.DataFrame | Path, question: Question) -> Answer:
    import passline

    fit = passline.fit(question.formula, str(data) if isinstance(data, Path) else data)
    return _named(fit.coef, "(Intercept)", fit.certificate["passes"], fit.certificate["solver"])


def _glum(frame: pd.DataFrame, question: Question, setting: Setting) -> Answer:
    """Through glum's own categories (tabmat keeps them as codes): the columns become categorical inside the clock."""
    from glum import GeneralizedLinearRegressor

    chosen = {} if setting.tol is None else {"gradient_tol": setting.tol, "max_iter": 1000}
    X = frame[[*question.categories, *question.numbers]].astype(dict.fromkeys(question.categories, "category"))
    model = GeneralizedLinearRegressor(family="binomial", alpha=0.0, drop_first=True, **chosen)
    model.fit(X, frame[question.outcome].to_numpy(np.float64))
    return Answer(
        model.coef_, float(model.intercept_), int(model.n_iter_), names=tuple(plain(n) for n in model.feature_names_)
    )


def _statsmodels(frame: pd.DataFrame, question: Question, setting: Setting) -> Answer:
    """Through its formulas."""
    import statsmodels.formula.api as smf

    chosen = {} if setting.tol is None else {"tol": setting.tol, "maxiter": 200}
    result = smf.logit(question.formula, frame).fit(method="newton", disp=0, **chosen)
    return _named(dict(result.params.items()), "Intercept", int(result.mle_retvals["iterations"]), None)


def _named(coef: dict[str, float], intercept: str, passes: int | None, solver: str | None) -> Answer:
    terms = {plain(name): value for name, value in coef.items() if name != intercept}
    values = np.array(list(terms.values()), dtype=np.float64)
    return Answer(values, float(coef[intercept]), passes, solver, tuple(terms))
