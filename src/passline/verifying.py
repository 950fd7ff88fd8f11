"""Whether a model file can be believed: what it says of itself, and whether it is of the rows that one has in hand."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline import modelfile
from passline.engine.objective import Objective
from passline.errors import InputError
from passline.fitting import Fitted
from passline.inference.fingerprint import fingerprint
from passline.model import Model
from passline.reopening import reopen
from passline.table.source import Source

Floats = NDArray[np.float64]

# What rounding may leave: of a covariance's two halves, of its least eigenvalue as a correlation, of a table's numbers.
ASYMMETRY, NEGATIVE, ROUNDING = 1e-8, 1e-6, 1e-9
# The largest gradient of the mean loss on standardised columns at which an estimate is one.
GRADIENT = 1e-8


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; ``detail`` says what was found."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Verified:
    """A model with what was looked at."""

    model: Model
    version: int
    sha256: str
    checks: tuple[Check, ...]

    @property
    def valid(self) -> bool:
        """Whether everything held."""
        return all(check.passed for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """The document of ``passline verify --json``."""
        model = self.model
        return {
            "valid": self.valid,
            "version": self.version,
            "sha256": self.sha256,
            "formula": model.design.formula,
            "outcome": model.design.outcome,
            "positive": model.design.positive,
            "estimator": model.estimator,
            "terms": len(model.coef),
            "rows": dict(model.rows),
            "separation": model.separation["kind"],
            "checks": [{"name": c.name, "passed": c.passed, "detail": c.detail} for c in self.checks],
        }


def verify(path: str | os.PathLike[str], source: Source | None = None) -> Verified:
    """Check a model file, and with ``source`` that it is of those rows.

    The file: its hash, its version's schema, that its names are those of its formula (all of which loading asks for
    too), and that its numbers agree with one another. The rows: that fitting them gives the same answers, whether their
    hashes are those of the fit, and that the gradient vanishes on them at the saved coefficients. Raises
    ModelFileError where the file cannot be loaded, and InputError where the rows cannot be read.
    """
    data = modelfile.read(path)
    model = modelfile.parse(data, os.fspath(path))
    version, sha256 = modelfile.seal(data)
    checks = [
        Check("file", True, f"of version {version}, unaltered, and as its schema says"),
        *(Check(name, found is None, found or good) for name, good, look in _looks(model) for found in [look(model)]),
    ]
    if source is not None:
        checks += _rows(model, source)
    return Verified(model, version, sha256, tuple(checks))


def _covariance(model: Model) -> str | None:
    V = model.covariance
    there = np.isfinite(np.diagonal(V))
    inner = V[np.ix_(there, there)]
    if not np.isnan(V[~there]).all() or not np.isfinite(inner).all():
        return "a row of the covariance is there in part"
    error = np.sqrt(np.abs(np.diagonal(inner)))
    if (np.diagonal(inner) < 0).any():
        return "a variance is negative"
    unit = np.where(error > 0, error, 1.0)
    R = inner / unit[:, None] / unit
    if np.abs(R - R.T).max(initial=0.0) > ASYMMETRY:
        return "the covariance is not symmetric"
    if len(R) and np.linalg.eigvalsh((R + R.T) / 2).min() < -NEGATIVE:
        return "the covariance is not positive semidefinite"
    return None


def _table(model: Model) -> str | None:
    terms = model.terms
    words = np.array(terms.status)
    ok = words == "ok"
    estimate, error, statistic = terms.estimate[ok], terms.std_error[ok], terms.statistic[ok]
    diagonal = np.sqrt(np.abs(np.diagonal(model.covariance)))[ok]
    # Where a square leaves the doubles, the error is exact and the covariance is not.
    both = np.isfinite(error) & np.isfinite(diagonal) & (diagonal > 1e-150)
    known = np.isfinite(statistic) & np.isfinite(error)
    wrong = {
        "the table's estimates are not the coefficients": not np.array_equal(estimate, model.coef[ok]),
        "a term without an estimate has one": not np.isnan(terms.estimate[~ok & (words != "zero")]).all(),
        "the standard errors are not those of the covariance": not np.allclose(error[both], diagonal[both], rtol=1e-6),
        "a standard error is negative": bool((error < 0).any()),
        "the statistics are not estimate / standard error": not np.allclose(
            (statistic * error)[known], estimate[known], rtol=ROUNDING, atol=1e-300
        ),
        "an interval does not hold its estimate": bool(
            ((terms.conf_low > terms.estimate) | (terms.conf_high < terms.estimate)).any()
        ),
        "a p-value is no probability": bool(((terms.p_value < 0) | (terms.p_value > 1)).any()),
    }
    return next((text for text, found in wrong.items() if found), None)


def _existence(model: Model) -> str | None:
    found = {n for n, word in zip(model.terms.names, model.terms.status, strict=True) if word in _OPEN}
    kind = model.separation["kind"]
    if not found <= set(model.terms.names) or (found and found != set(model.separation["terms"])):
        return "the terms without an estimate are not those of the separation"
    if len(model.directions) and kind == "none":
        return "there are separating directions, and no separation"
    if kind != "none" and not len(model.directions) and model.estimator == "ml":
        return "there is separation, and no direction of it"
    infinite = [word == "infinite" for word in model.terms.status]
    if infinite != [limit is not None for limit in model.terms.limit]:
        return "the limits are not those of infinite terms"
    return None


_OPEN = ("infinite", "undetermined")


def _counts(model: Model) -> str | None:
    rows = model.rows
    if rows["used"] + rows["dropped"] > rows["read"] or rows["patterns"] > rows["used"]:
        return f"its rows do not add up: {dict(rows)}"
    if set(model.summaries) != set(model.design.variables):
        return "its summaries are not those of its predictors"
    for name, summary in model.summaries.items():
        count, positive = np.array(summary["count"]), np.array(summary["positive"])
        if len(count) != len(positive) or (positive < 0).any() or (positive > count * (1 + ROUNDING)).any():
            return f"the counts of {name!r} do not fit one another"
        if summary["kind"] == "category" and len(summary["levels"]) != len(count):
            return f"{name!r} has other counts than levels"
        if summary["kind"] == "number":
            low, mean, high = (float(summary[part]) for part in ("min", "mean", "max"))
            slack = ROUNDING * max(abs(low), abs(high))
            if not low - slack <= mean <= high + slack:
                return f"the mean of {name!r} is outside its range"
    return None


def _average(model: Model) -> str | None:
    average, summaries = model.average, model.summaries
    assert average is not None, "files of version 1 are not asked"
    if model.design.intercept and average[0] != 1.0:
        return "the average row has no 1 at the intercept"
    for name, value in zip(model.design.names, average.tolist(), strict=True):
        summary = summaries.get(name, {})
        if summary.get("kind") == "number":
            size = max(abs(summary["min"]), abs(summary["max"]))
            if abs(value - summary["mean"]) > ROUNDING * size:
                return f"the average row has {value!r} for {name!r}, whose mean is {summary['mean']!r}"
    return None


# Name, what to say when it holds, and what finds out.
_LOOKS: tuple[tuple[str, str, Callable[[Model], str | None]], ...] = (
    ("covariance", "symmetric and positive semidefinite where it exists", _covariance),
    ("table", "estimates, errors, statistics and intervals fit one another", _table),
    ("existence", "statuses, limits and separating directions fit one another", _existence),
    ("counts", "rows, levels and binned counts add up", _counts),
    ("average row", "the means of the columns are those of the summaries", _average),
)


def _looks(model: Model) -> list[tuple[str, str, Callable[[Model], str | None]]]:
    return [one for one in _LOOKS if one[2] is not _average or model.average is not None]


def _rows(model: Model, source: Source) -> Iterator[Check]:
    try:
        found = reopen(model, source)
    except InputError as error:
        yield Check("rows", False, str(error))
        return
    saved = {name: model.settings[name] for name in ("rows_sha256", "data_sha256") if name in model.settings}
    same = saved == fingerprint(found.learned.by_row())
    yield Check(
        "rows",
        True,
        f"{source.label} holds the rows of the fit, value for value"
        if same
        else f"{source.label} gives the answers of the fit; its values differ in last digits or in their order",
    )
    norm = gradient_norm(model, found)
    if norm is None:
        proof = found.outcome.certificate
        said = f"fitted again: {proof.gradient_norm:.1e} at the optimum of these rows, and the coefficients are its own"
        yield Check("gradient", proof.converged, said)
    else:
        yield Check("gradient", norm <= GRADIENT, f"{norm:.1e} at the saved coefficients; {GRADIENT:.0e} may be left")


def gradient_norm(model: Model, found: Fitted) -> float | None:
    """The largest entry of the gradient of the objective, on standardised columns, at the model's coefficients.

    None where it is not the gradient of this objective that vanishes: in the limit of separated data, and under
    Jeffreys' prior.
    """
    if model.estimator != "ml" or len(model.directions) or found.options.penalty:
        return None
    sample = found.sample
    scaling = sample.scaling
    gradient = Objective(sample.blocks)(scaling.internal(model.coef), 1).gradient
    ok = np.array([word != "aliased" for word in model.terms.status])
    return float(np.abs(scaling.standardised_gradient(np.asarray(gradient))[ok]).max(initial=0.0))
