"""Contrasts, by how much the log-odds change when predictors do, and joint tests of several of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.errors import OptionError
from passline.inference.existence import Outcome
from passline.inference.profile import move_of, profile_of
from passline.inference.sample import Sample
from passline.inference.term_tests import Hypothesis, joint_test
from passline.inference.wald import p_values
from passline.model import Model, number
from passline.section import default
from passline.table.formula import nearest

Floats = NDArray[np.float64]
Rows = tuple[Sample, Outcome]


@dataclass(frozen=True)
class Contrast:
    """A difference of log-odds with its error, test and interval.

    ``row``: (p,) what it is in the coefficients. ``status``: "ok", "infinite" (``estimate`` is then +-inf) or
    "undetermined" (NaN), as for terms. ``held``: the other predictors' values where it was taken. ``interval``: "wald",
    or "profile", whose ``p_value`` is the likelihood ratio's.
    """

    label: str
    estimate: float
    std_error: float
    statistic: float
    p_value: float
    conf_low: float
    conf_high: float
    status: str
    interval: str
    level: float
    held: Mapping[str, Any]
    row: Floats

    @property
    def odds_ratio(self) -> float:
        """exp(estimate): by what the odds are multiplied."""
        return math.inf if self.estimate > 700 else math.exp(self.estimate)

    def as_json(self) -> dict[str, Any]:
        """The contrast as plain values; None where a number does not exist or is infinite."""
        return {
            "contrast": self.label,
            "estimate": number(self.estimate),
            "std_error": number(self.std_error),
            "statistic": number(self.statistic),
            "p_value": number(self.p_value),
            "odds_ratio": number(self.odds_ratio),
            "conf_low": number(self.conf_low),
            "conf_high": number(self.conf_high),
            "status": self.status,
            "interval": self.interval,
            "level": self.level,
            "at": dict(self.held),
        }


def contrast(
    model: Model,
    changes: Mapping[str, Any],
    at: Mapping[str, Any] | None = None,
    *,
    interval: str = "wald",
    level: float = 0.95,
    rows: Rows | None = None,
) -> Contrast:
    r"""The change of the log-odds when predictors change as ``changes`` says.

    .. math:: d = (r_1 - r_0)^T w, \quad se = \sqrt{(r_1 - r_0)^T V (r_1 - r_0)}

    Each key is a predictor: with a number, it grows by so much from where ``at`` holds it (else its mean); with a pair
    (a, b), it is a against b. All change together, the others held ``at`` (else mean or most frequent level). A key
    that is no predictor is a term's name, and its number multiplies the coefficient. ``interval``: "wald", or
    "profile", which needs ``rows``. Raises OptionError for names the model does not have and values that do not fit.
    """
    z = model.quantile(level)
    if interval not in ("wald", "profile"):
        raise OptionError(f"the interval is {interval!r}: choose 'wald' or 'profile'")
    row, held = contrast_row(model, changes, at or {})
    label = ", ".join(_label(name, value) for name, value in changes.items())
    nothing = math.nan
    if not row.any():
        return Contrast(label, 0.0, 0.0, nothing, nothing, 0.0, 0.0, "ok", interval, level, held, row)
    estimate, status = _estimate(model, row, _move(model, row) if rows is None else move_of(*rows, row))
    used = row != 0
    variance = float(row[used] @ model.covariance[np.ix_(used, used)] @ row[used]) if status == "ok" else nothing
    error = math.sqrt(variance) if variance >= 0 else nothing
    statistic = estimate / error if error > 0 else nothing
    p = float(p_values(np.array([statistic]), model.settings.get("df"))[0])
    low, high = estimate - z * error, estimate + z * error
    if interval == "profile":
        if rows is None:
            raise OptionError(
                "a profile interval needs the rows of the fit, and a loaded model has none: choose 'wald'"
            )
        found = profile_of(*rows, row, level)
        low, high, p = found.conf_low, found.conf_high, found.p_value
    return Contrast(label, estimate, error, statistic, p, low, high, status, interval, level, held, row)


def joint(
    model: Model,
    hypothesis: Sequence[str] | Sequence[Mapping[str, float]] | Any,
    values: Any = None,
    rows: Rows | None = None,
) -> Hypothesis:
    """Test jointly that terms are zero, or that combinations of them have given values.

    ``hypothesis``: names of terms (a term of the formula stands for all its columns), or dicts of term names and
    factors, or a matrix (m, p); ``values``: (m,), zero if not said. Raises OptionError for a name that is none.
    """
    R = _matrix(model, hypothesis)
    q = np.zeros(len(R)) if values is None else np.atleast_1d(np.asarray(values, dtype=np.float64))
    if q.shape != (len(R),):
        raise OptionError(f"the hypothesis has {len(R)} rows and {q.size} values: give one value a row")
    if not (np.isfinite(R).all() and np.isfinite(q).all()):
        raise OptionError("the hypothesis holds a number that is not finite")
    if (open_ := _not_estimable(model, R)) and rows is None:
        raise OptionError(
            f"{open_} has no finite estimate: only the likelihood ratio tests it, and that needs the rows"
        )
    return joint_test(model.coef, model.covariance, R, q, rows, df=model.settings.get("df"))


def contrast_row(model: Model, changes: Mapping[str, Any], at: Mapping[str, Any]) -> tuple[Floats, dict[str, Any]]:
    """The difference of two rows of the design, (p,), and where the other predictors are held."""
    design = model.design
    if not changes:
        raise OptionError("a contrast needs something that changes, such as {'age': 10}")
    start: dict[str, Any] = {name: default(model.summaries[name]) for name in design.variables}
    for name, value in at.items():
        _known(name, design.variables, "predictor")
        start[name] = value if design.kinds[name] != "number" else _finite(name, value)
    end, row, moved = dict(start), np.zeros(len(design.names)), set()
    for name, value in changes.items():
        if name not in design.variables:
            row[_term(model, name)] += _finite(name, value)
            continue
        moved.add(name)
        pair = isinstance(value, tuple | list)
        if pair and len(value) != 2:
            raise OptionError(f"{name!r}: give a pair of values, the first against the second")
        if pair and name in at:
            raise OptionError(f"{name!r} cannot be held and be given as a pair")
        if pair:
            start[name], end[name] = (
                (_finite(name, v) if design.kinds[name] == "number" else v) for v in (value[1], value[0])
            )
        elif design.kinds[name] == "number" and not model.summaries[name].get("levels"):
            end[name] = start[name] + _finite(name, value)
        else:
            levels = ", ".join(repr(level) for level in model.summaries[name]["levels"][:8])
            raise OptionError(
                f"{name!r} is a category: give a pair of its levels ({levels}), the first against the second"
            )
    if moved:
        both = {name: [start[name], end[name]] for name in design.variables}
        groups, _ = model.groups(model.frame(both))
        X = model.times(groups, 2, np.eye(len(design.names)))
        row += X[1] - X[0]
    held = {name: value for name, value in start.items() if name not in moved} if moved else {}
    return row, held


def _estimate(model: Model, row: Floats, move: float) -> tuple[float, str]:
    """The number row'w, where separating directions leave it finite."""
    if math.isnan(move):
        return math.nan, "undetermined"
    return (move * math.inf, "infinite") if move else (float(row @ model.coef), "ok")


def _move(model: Model, row: Floats) -> float:
    """Which way separating directions move row'w, as far as those that the model keeps tell; NaN: both ways."""
    along = model.directions @ row
    size = np.abs(model.directions) @ np.abs(row)
    signs = set(np.where(np.abs(along) <= 1e-9 * size, 0.0, np.sign(along)).tolist()) - {0.0}
    return math.nan if len(signs) == 2 else signs.pop() if signs else 0.0


def _not_estimable(model: Model, R: Floats) -> str | None:
    for name, status, used in zip(model.terms.names, model.terms.status, np.abs(R).sum(axis=0), strict=True):
        if used > 0 and status in ("infinite", "undetermined"):
            return name
    return None


def _matrix(model: Model, hypothesis: Any) -> Floats:
    p = len(model.design.names)
    if isinstance(hypothesis, str | Mapping):
        hypothesis = [hypothesis]
    if isinstance(hypothesis, Sequence) and hypothesis and all(isinstance(one, str | Mapping) for one in hypothesis):
        rows = []
        for one in hypothesis:
            if isinstance(one, str):
                rows += [np.eye(p)[j] for j in _columns(model, one)]
            else:
                row = np.zeros(p)
                for name, factor in one.items():
                    row[_term(model, name)] += _finite(name, factor)
                rows.append(row)
        return np.array(rows)
    try:
        R = np.atleast_2d(np.asarray(hypothesis, dtype=np.float64))
    except (TypeError, ValueError):
        R = np.zeros((0, 0))
    if R.ndim != 2 or R.shape[1] != p or not len(R):
        raise OptionError(
            f"a hypothesis is a list of terms' names, of dicts such as {{'age': 1}}, or a matrix of {p} columns"
        )
    return R


def _columns(model: Model, name: str) -> list[int]:
    """The columns of a term by its column's name, or by the text of a term of the formula."""
    if name in model.design.names:
        return [model.design.names.index(name)]
    start = int(model.design.intercept)
    for term in model.design.terms:
        if term.text == name:
            return list(range(start, start + len(term.names)))
        start += len(term.names)
    return [_term(model, name)]


def _term(model: Model, name: str) -> int:
    _known(name, model.design.names, "term or predictor")
    return model.design.names.index(name)


def _known(name: str, names: Sequence[str], kind: str) -> None:
    if name not in names:
        shown = ", ".join(repr(one) for one in names[:12]) + (", ..." if len(names) > 12 else "")
        raise OptionError(f"the model has no {kind} {name!r}.{nearest(name, names)} It has {shown}")


def _finite(name: str, value: Any) -> float:
    try:
        out = float(value)
    except (TypeError, ValueError):
        out = math.nan
    if not math.isfinite(out):
        raise OptionError(f"{name!r} has {value!r}: give a finite number, or a pair of values")
    return out


def _label(name: str, value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"{name}: {value[0]} against {value[1]}"
    return f"{name} {float(value):+g}"
