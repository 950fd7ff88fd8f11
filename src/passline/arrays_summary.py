"""What a fitted estimator for arrays looks like as text: its table, and why numbers one may look for are not there."""

from __future__ import annotations

from typing import Any

import numpy as np

from passline.inference.existence import TermStatus
from passline.inference.wald import normal_quantile, p_values
from passline.model import Terms
from passline.optimum import Optimum
from passline.printed import number, one_line, terms_table

KINDS = {"quasi": "quasi-completely", "complete": "completely"}


def summary(model: Any, found: Optimum, n: int, level: float) -> str:
    """The table of a fitted LogisticRegression of ``n`` rows, with what stands above and below it."""
    z = normal_quantile(level)
    errors = model.std_error_ is not None
    lines = [*_head(model, found, n), "", terms_table(_terms(model, found, z), level, errors=errors), ""]
    return "\n".join([*lines, *_foot(model)])


def _terms(model: Any, found: Optimum, z: float) -> Terms:
    names = model._term_names()
    k, p = int(model.fit_intercept), len(names)
    estimate = np.concatenate([model.intercept_[:k], model._dense_coef()])
    status = found.status or tuple(_status(value, found.task.l1_ratio) for value in estimate)
    ok = np.array([word in ("ok", "zero") for word in status])
    estimate = np.where(ok, estimate, np.nan)
    error = np.full(p, np.nan) if model.std_error_ is None else np.where(ok, model.std_error_, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = estimate / error
    return Terms(
        names=tuple(names),
        estimate=estimate,
        std_error=error,
        statistic=statistic,
        p_value=p_values(statistic),
        conf_low=estimate - z * error,
        conf_high=estimate + z * error,
        status=status,
        limit=found.limit or (None,) * p,
    )


def _status(value: float, l1_ratio: float) -> TermStatus:
    """A coefficient that an l1 penalty left at zero is not one that happens to be small."""
    return "zero" if l1_ratio > 0 and value == 0.0 else "ok"


def _head(model: Any, found: Optimum, n: int) -> list[str]:
    low, high = (one_line(str(label)) for label in model.classes_)
    p = model.n_features_in_
    lines = [f"{n:,} rows, {p:,} column{'' if p == 1 else 's'}. Probability of {high} (against {low})."]
    if found.separation is None:
        share = found.task.l1_ratio
        kind = "ridge" if share == 0 else "lasso" if share == 1 else f"elastic net, l1_ratio = {share:g}"
        lines += [
            f"Penalised ({kind}, C = {found.task.C:g}): no standard errors, p-values or intervals. A penalty pulls",
            "estimates towards zero on purpose, and no standard error says how far; with C=inf they have them.",
        ]
        if share > 0:
            lines.append(f"{int((model._dense_coef() == 0).sum()):,} of {p:,} coefficients are exactly zero.")
    elif model.class_weight is not None:
        lines += [
            "Class weights count no rows, so the estimates have no standard errors, p-values or intervals: leave",
            "class_weight out, or give sample_weight where rows stand for several.",
        ]
    elif model.std_error_ is None:
        lines.append("Standard errors need a certified optimum, and a curvature that is not too dear to be formed.")
    if found.separation in KINDS:
        lines.append(
            f"The outcome is {KINDS[found.separation]} separated: no finite optimum exists, and coef_ is where the "
            "loss had settled."
        )
    return lines


def _foot(model: Any) -> list[str]:
    c = model.certificate_
    word = "Converged" if c["converged"] else "NOT CONVERGED"
    gap = "" if c["gap"] is None else f", duality gap {c['gap']:.0e}"
    return [
        f"Mean loss {number(c['loss'], 6)} a row{', penalty included' if model.separation_ is None else ''}.",
        f"{word}: gradient {c['gradient_norm']:.0e}{gap}, {c['steps']} steps, {c['passes']} passes over the rows "
        f"({c['solver']}).",
    ]
