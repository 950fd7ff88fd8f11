"""A fitted model as numbers only: the design, coefficients, their covariance; prediction, and the file.

Nothing here needs the rows of the fit, and nothing here is code: a model file is JSON that is checked and read.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from passline.engine.likelihood import mean
from passline.engine.penalty import Penalty
from passline.engine.plain import as_columns
from passline.errors import OptionError
from passline.inference.existence import TermStatus
from passline.inference.wald import quantile
from passline.predicting import Plan
from passline.table.coding import read_unseen
from passline.table.design import CodedColumns, Design, Group
from passline.table.frames import FrameSource
from passline.table.records import is_records, stage_records
from passline.table.source import Frame, Source, open_source

Floats = NDArray[np.float64]

# Rows whose standard errors are formed at once: about 4 MB of doubles at 30 columns.
INTERVAL_ROWS = 16_384
# A row lies on the edge of a separating direction when its component along it is below this share of both lengths.
ON_THE_EDGE = 1e-11


@dataclass(frozen=True)
class Terms:
    """The coefficient table as columns, one entry a column of the design; NaN where a number does not exist.

    ``limit``: "+inf" or "-inf" where the status is infinite, else None.
    """

    names: tuple[str, ...]
    estimate: Floats
    std_error: Floats
    statistic: Floats
    p_value: Floats
    conf_low: Floats
    conf_high: Floats
    status: tuple[TermStatus, ...]
    limit: tuple[str | None, ...]

    @property
    def odds_ratio(self) -> Floats:
        """exp(estimate): by what the odds are multiplied when the column grows by one."""
        with np.errstate(over="ignore"):
            return np.exp(self.estimate)

    def rows(self) -> list[dict[str, Any]]:
        """One dict a term, in the words of the interface; None where a number does not exist."""
        columns: list[tuple[str, Sequence[Any]]] = [
            ("term", self.names),
            *((name, [number(v) for v in getattr(self, name)]) for name in _NUMBERS),
            ("status", self.status),
            ("limit", self.limit),
        ]
        return [
            dict(zip((name for name, _ in columns), values, strict=True))
            for values in zip(*(c for _, c in columns), strict=True)
        ]


_NUMBERS = ("estimate", "std_error", "statistic", "p_value", "odds_ratio", "conf_low", "conf_high")


@dataclass(frozen=True)
class Model:
    """Everything a fit says, without its rows.

    ``coef``: (p,) finite numbers, zero where aliased; where an estimate is infinite, those of the limiting model.
    ``covariance``: (p, p), NaN where none exists. ``directions``: (m, p), the separating directions, the first in the
    interior of their cone; (0, p) where the estimate exists. ``summaries``: for each predictor's column its range,
    mean or most frequent level, and binned counts for pictures. ``average``: (p,) the mean of each column of the design
    over the rows of the fit, as often as each counts, 1 at the intercept; None in a model file of version 1.
    """

    design: Design
    terms: Terms
    coef: Floats
    covariance: Floats
    directions: Floats
    estimator: str
    level: float
    rows: Mapping[str, int]
    glance: Mapping[str, Any]
    certificate: Mapping[str, Any]
    separation: Mapping[str, Any]
    summaries: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    average: Floats | None = None

    def as_json(self) -> dict[str, Any]:
        """The document of ``fit --json``."""
        return {
            "formula": self.design.formula,
            "outcome": self.design.outcome,
            "positive": self.design.positive,
            "estimator": self.estimator,
            "rows": dict(self.rows),
            "terms": self.terms.rows(),
            "glance": dict(self.glance),
            "certificate": dict(self.certificate),
            "separation": dict(self.separation),
            "warnings": list(self.warnings),
        } | self._beside()

    def _beside(self) -> dict[str, Any]:
        """What the document of a fit says more where it is not an ordinary one."""
        found: dict[str, Any] = {}
        if self.flic_intercept is not None:
            found["flic_intercept"] = self.flic_intercept
        if self.settings.get("robust") or self.settings.get("df") is not None:
            found["errors"] = {name: self.settings.get(name) for name in ("robust", "clusters", "dispersion", "df")}
        return found

    @property
    def penalty(self) -> Penalty | None:
        """The penalty that the coefficients were estimated under; None without one."""
        penalty = Penalty(l1=float(self.settings.get("l1", 0.0)), l2=float(self.settings.get("l2", 0.0)))
        return penalty or None

    @property
    def flic_intercept(self) -> float | None:
        """The intercept that makes the mean prediction the observed rate, with Firth's slopes; None for other fits."""
        found: float | None = self.settings.get("flic_intercept")
        return found

    def predicting_coef(self, flic: bool = True) -> Floats:
        """The coefficients behind predictions, (p,): ``coef``, the intercept FLIC's where there is one."""
        if not flic or self.flic_intercept is None:
            return self.coef
        return np.concatenate([[self.flic_intercept], self.coef[1:]])

    def predict(
        self,
        data: Any,
        *,
        scale: str = "probability",
        interval: str | bool | None = None,
        level: float = 0.95,
        unseen: str = "error",
        flic: bool = True,
    ) -> Floats | tuple[Floats, Floats, Floats]:
        r"""The probability of the positive label for each row of ``data``, or its logit.

        .. math:: p = 1 / (1 + \exp(-(x^T w))), \quad \text{interval: } x^T w \pm z \sqrt{x^T V x}
            \text{ on the logit scale}

        ``data``: path, frame, dict of arrays, list of dicts, or one row as a dict of single values. Returns (n,), NaN
        where a predictor is missing or separated data leave the probability open; with ``interval`` (p, low, high),
        each (n,).
        ``unseen``: "error", or "baseline" to take a category that was not there at fitting time for the reference.
        ``flic``: a Firth fit predicts with its corrected intercept, so that the mean prediction on the rows of the fit
        is the observed rate (Puhr et al. 2017); False for the estimates of the table, whose line `boundary` follows.
        The standard errors are those of the table either way.
        Raises DataError for missing columns and unseen categories, OptionError for words not listed here.
        """
        if scale not in ("probability", "logit"):
            raise OptionError(f"the scale is {scale!r}: choose 'probability' or 'logit'")
        read_unseen(unseen)
        if interval not in (None, False, True, "wald"):
            raise OptionError(f"the interval is {interval!r}: predictions have 'wald' intervals, or None")
        if not interval:
            found = self._quickly(data, scale, unseen, flic)
            if found is not None:
                return found
        groups, complete = self.groups(self.frame(data), unseen)
        n = len(complete)
        eta = np.full(n, np.nan)
        eta[complete] = self.linear_predictor(groups, int(complete.sum()), self.predicting_coef(flic))
        out = [eta]
        if interval:
            z = self.quantile(level)
            error = np.full(n, np.nan)
            error[complete] = z * self.standard_error(groups, int(complete.sum()))
            # Beyond the edge of separated rows the probability is 0 or 1 in the limit, with nothing around it.
            error[np.isinf(eta)] = 0.0
            out += [eta - error, eta + error]
        if scale == "probability":
            out = [mean(values) for values in out]
        return out[0] if len(out) == 1 else (out[0], out[1], out[2])

    def quantile(self, level: float) -> float:
        """How many standard errors an interval of ``level`` reaches: normal, or Student's t under a dispersion."""
        return quantile(level, self.settings.get("df"))

    def predict_records(
        self, rows: Sequence[Mapping[str, Any]], *, scale: str = "probability", unseen: str = "error"
    ) -> Floats:
        """The probability for each of some rows as dicts, or its logit, (n,), where every row has to be whole.

        Raises DataError, with the attributes ``row`` (from 0) and ``column``, where a predictor is missing or of
        another type than the model's, where a name is none of its predictors, and where a category is unseen.
        """
        frame = stage_records(rows, self.design.variables, self.design.kinds, whole=True)
        return cast("Floats", self.predict(frame, scale=scale, unseen=unseen))

    def probability(self, row: dict[str, Any]) -> float:
        """The probability of one row as ``predict`` has it, to the rounding of an exponential, and without arrays.

        NaN and errors as there.
        """
        one = self.plan.one(row, False)
        if one is None:
            return float(cast("Floats", self.predict(row))[0])
        eta = self._limit(*one)
        e = math.exp(-abs(eta))
        return 1 / (1 + e) if eta > 0 else e / (1 + e)

    @cached_property
    def plan(self) -> Plan:
        """What predicts rows without detours."""
        return Plan(self.design, self.predicting_coef())

    def __getstate__(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self)}  # what is derived is derived again

    def _quickly(self, data: Any, scale: str, unseen: str, flic: bool) -> Floats | None:
        """Predictions by the plan; None where the general way has to look."""
        if not flic and self.flic_intercept is not None:
            return None
        baseline = unseen == "baseline"
        finish = mean if scale == "probability" else _itself
        if type(data) is dict:
            one = self.plan.one(data, baseline)
            if one is not None:
                eta, columns = one
                return finish(np.array([self._limit(eta, columns)]))
        if len(self.directions):
            return None
        frame = self._columns(data)
        return None if frame is None else self.plan.many(frame, baseline, finish)

    def _limit(self, eta: float, columns: Sequence[tuple[int, float]]) -> float:
        """The linear predictor of one row as :meth:`linear_predictor` has it, from the columns that are not zero."""
        if not len(self.directions) or math.isnan(eta):
            return eta
        x = np.zeros(len(self.coef))
        x[: int(self.design.intercept)] = 1.0
        for j, value in columns:
            x[j] = value
        along, size = self.directions @ x, np.abs(self.directions) @ np.abs(x)
        return float(_to_the_limit(np.array([eta]), along[None, :], size[None, :])[0])

    def _columns(self, data: Any) -> Frame | None:
        """The predictors' columns, numbers unchecked; None where the general way has to read them."""
        if isinstance(data, Frame) or is_records(data):
            return self.frame(data)
        if isinstance(data, str | os.PathLike) or is_one_row(data):
            return None
        source = open_source(data)
        self.design.require(source.columns, source.label)
        if not isinstance(source, FrameSource):
            return None
        return source.stage(self.design.variables, self.design.kinds, check=False)

    def frame(self, data: Any) -> Frame:
        """The predictors' columns of ``data``, read as the kinds they had at fitting time."""
        if isinstance(data, Frame):
            return data
        if is_records(data):
            return stage_records(data, self.design.variables, self.design.kinds)
        if is_one_row(data):
            data = {name: [value] for name, value in data.items()}
        return self.staged(open_source(data))

    def staged(self, source: Source) -> Frame:
        """The predictors' columns of a source, read as the kinds they had at fitting time."""
        self.design.require(source.columns, source.label)
        staged = source.stage(self.design.variables, self.design.kinds)
        return staged if isinstance(staged, Frame) else staged.frame()

    def groups(self, frame: Frame, unseen: str = "error") -> tuple[list[Group], NDArray[np.bool_]]:
        """The design's columns on complete rows, and which rows those are."""
        groups, complete = self.design.predict_groups(frame, read_unseen(unseen))
        return list(groups), complete

    def times(self, groups: Sequence[Group], n: int, w: Floats) -> Floats:
        """X w for rows as groups of columns: (p,) -> (n,), or (p, k) -> (n, k)."""
        eta = np.zeros((n, *w.shape[1:]))
        j = 0
        if self.design.intercept:
            eta += w[0]
            j = 1
        for group in groups:
            columns = as_columns(group)
            eta += columns.times(w[j : j + columns.shape[1]])
            j += columns.shape[1]
        return eta

    def standard_error(self, groups: Sequence[Group], n: int) -> Floats:
        """Standard error of the linear predictor, sqrt(x' V x), for each row: (n,); NaN where V does not exist."""
        ok = np.array([word in ("ok", "zero") for word in self.terms.status])
        variances = np.diagonal(self.covariance)[ok]
        if not (np.isfinite(variances) & (variances > 0)).all():
            return np.full(n, np.nan)
        root = self._root
        out = np.empty(n)
        for start in range(0, n, INTERVAL_ROWS):
            stop = min(start + INTERVAL_ROWS, n)
            part = [_rows(group, slice(start, stop)) for group in groups]
            out[start:stop] = np.sqrt(np.square(self.times(part, stop - start, root)).sum(axis=1))
        return out

    @cached_property
    def _root(self) -> Floats:
        """R with R R' = V, (p, p), zeros where V does not exist; it takes p cubed, so it is kept."""
        values, vectors = np.linalg.eigh(np.nan_to_num(self.covariance))
        root: Floats = vectors * np.sqrt(np.maximum(values, 0.0))
        return root

    def linear_predictor(self, groups: Sequence[Group], n: int, coef: Floats) -> Floats:
        """The linear predictor, +-inf where a separating direction sends it there, NaN where directions disagree."""
        eta = self.times(groups, n, coef)
        if not len(self.directions):
            return eta
        along = self.times(groups, n, self.directions.T)  # (n, m)
        size = self.times([_absolute(group) for group in groups], n, np.abs(self.directions.T))
        return _to_the_limit(eta, along, size)


def _to_the_limit(eta: Floats, along: Floats, size: Floats) -> Floats:
    """Linear predictors (n,), where the components along separating directions (n, m) send them."""
    sign = np.where(np.abs(along) <= ON_THE_EDGE * size, 0.0, np.sign(along))
    up = (sign >= 0).all(axis=1) & (sign[:, 0] > 0)
    down = (sign <= 0).all(axis=1) & (sign[:, 0] < 0)
    still = (sign == 0).all(axis=1)
    return np.select([up, down, still], [np.inf, -np.inf, eta], np.nan)


def _itself(values: Floats) -> Floats:
    return values


def number(value: float) -> float | None:
    """A number for JSON: None where it is not finite."""
    value = float(value)
    return value if math.isfinite(value) else None


def _rows(group: Group, rows: slice) -> Group:
    changes = {
        f.name: getattr(group, f.name)[rows] for f in fields(group) if isinstance(getattr(group, f.name), np.ndarray)
    }
    return type(group)(**{f.name: changes.get(f.name, getattr(group, f.name)) for f in fields(group)})


def _absolute(group: Group) -> Group:
    if isinstance(group, CodedColumns):
        return CodedColumns(group.codes, group.width, None if group.values is None else np.abs(group.values))
    return type(group)(np.abs(group.values))


def is_one_row(data: Any) -> bool:
    """Whether ``data`` is one row: a dict whose values are single ones."""
    return isinstance(data, Mapping) and bool(data) and all(_single(value) for value in data.values())


def _single(value: Any) -> bool:
    return value is None or isinstance(value, str | bytes) or np.ndim(value) == 0
