"""The facade: ``fit()`` from a formula and data to a Fit, and ``load()`` from a model file."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from passline import modelfile
from passline.averages import Averaged
from passline.boundary import Boundary, boundary
from passline.diagnostics import Diagnosed
from passline.engine.penalty import Penalty
from passline.errors import ConvergenceWarning, DataWarning, OptionError, SeparationWarning
from passline.evaluated import Evaluated
from passline.explaining import explain
from passline.fitting import Fitted, Options, check_missing, fit_rows, refuse_dropped
from passline.hypotheses import Tested
from passline.inference.firth import penalised_tests
from passline.model import Model, is_one_row
from passline.proof import Certificate, Separation
from passline.solvers.base import Report
from passline.solvers.estimate import Solver
from passline.table.columns import Native
from passline.table.design import learn
from passline.table.formula import parse
from passline.table.native import as_native
from passline.table.records import is_records
from passline.table.roles import Roles
from passline.table.source import open_source

if TYPE_CHECKING:
    from passline.ship.export import Exported
    from passline.show.plots import Plots

Floats = NDArray[np.float64]


def fit(
    formula: str,
    data: Any = None,
    *,
    weights: Any = None,
    sampling_weights: Any = None,
    offset: Any = None,
    trials: Any = None,
    cluster: Any = None,
    sql: str | None = None,
    positive: str | None = None,
    estimator: str = "ml",
    penalty: Penalty | None = None,
    level: float = 0.95,
    interval: str = "wald",
    robust: str | None = None,
    dispersion: str = "one",
    missing: str = "drop",
    solver: Solver = "auto",
    threads: int | None = None,
    report: Report | None = None,
) -> Fit:
    r"""Fit a logistic regression, the exact maximum of the likelihood, with a certificate.

    .. math:: P(y = positive) = 1 / (1 + \exp(-x^T w)), \quad
        \hat w = \arg\min_w \tfrac1n \sum_i [\log(1 + e^{x_i^T w}) - y_i x_i^T w]
        + l_1 |w|_1 + \tfrac{l_2}{2} |w|_2^2

    ``formula``: ``outcome ~ terms``. ``data``: a path (CSV, TSV, Parquet, JSON lines, Arrow, a glob, ``file::table`` of
    a DuckDB or SQLite file), a frame (pandas, polars, Arrow), a dict of arrays; with ``sql`` what the query reads.
    ``weights``: how often each row counts, ``sampling_weights``: how many of the population it stands for, ``offset``:
    what is added to the linear predictor, ``trials``: of how many the outcome's successes are, ``cluster``: which rows
    belong together; each a column's name or an array with one value a row. ``positive``: the outcome's label that
    counts as 1. ``estimator``: "ml", or "firth" for the estimate under Jeffreys' prior, finite for every separated
    outcome too. ``interval``: "wald" or "profile" (with the p-values of likelihood-ratio tests beside it). ``robust``:
    "hc0" to "hc3", a sandwich covariance; with clusters or sampling weights always one (hc0; R's svyglm has n / (n - 1)
    more). ``dispersion``: "estimated" from grouped rows (quasi-binomial). ``penalty``: l1 and l2 on the columns as they
    are given (lasso, ridge, elastic net), the intercept free. ``missing``: "drop" incomplete rows (they are counted),
    or "error". ``solver``: "auto" (Newton's method, or where rows and columns are many a descent that a sample's
    curvature guides; with l1 proximal Newton steps), "newton", "lbfgs" or "newton-cg": all end at one optimum, and the
    certificate says what was done. ``threads``: how many, None for all processors; the answer is the same. ``report``
    is called after each step.

    Warns (SeparationWarning) where no finite estimate exists, and (ConvergenceWarning) where the certificate does not
    hold. Raises InputError where formula or data are at fault, CannotFitError where nothing can be fitted. Source:
    McCullagh and Nelder, Generalized Linear Models (1989), chapter 4.
    """
    roles = Roles(weights=weights, sampling_weights=sampling_weights, offset=offset, trials=trials, cluster=cluster)
    options = Options(estimator, penalty, level, interval, robust, dispersion, roles.saved(), solver, threads)
    check_missing(missing)
    source = open_source(data, sql=sql)
    learned = learn(parse(formula), source, positive=positive, roles=roles)
    if missing == "error":
        refuse_dropped(learned, source.label)
    found = Fit.of_rows(fit_rows(learned, options, report), source.native, source.label)
    found.warn(stacklevel=3)
    return found


def load(path: str | os.PathLike[str]) -> Fit:
    """Read a model file written by :meth:`Fit.save`.

    Raises ModelFileError where it cannot be read, is cut off or was altered.
    """
    return Fit(modelfile.load(path))


class Fit(Averaged, Diagnosed, Evaluated, Tested):
    """A fitted model: its table, its predictions, and what can be asked of it.

    ``model`` is numbers only; ``rows`` the rows behind it, None for a model that was loaded.
    """

    def __init__(self, model: Model, rows: Fitted | None = None, native: Native = "path", label: str = "") -> None:
        self.model = model
        self.rows = rows
        self.native = native
        self.label = label

    @classmethod
    def of_rows(cls, rows: Fitted, native: Native, label: str = "") -> Fit:
        """A fit that still has its rows; ``native`` names the library whose frames it gives, ``label`` the table."""
        return cls(rows.model, rows, native, label)

    def __repr__(self) -> str:
        from passline.show.terminal import summary  # rich is not needed to fit

        return summary(self.model)

    @property
    def certificate(self) -> Certificate:
        """What proves the estimate: converged, the exact gradient's norm, the step that is left, passes, seconds."""
        return Certificate(self.model.certificate)

    @property
    def separation(self) -> Separation:
        """Whether the estimate exists: ``kind`` ("none", "quasi", "complete") and the ``terms`` without one."""
        return Separation(self.model.separation["kind"], tuple(self.model.separation["terms"]))

    @property
    def covariance(self) -> Floats:
        """Covariance of the coefficients, (p, p), in the order of the terms; NaN where none exists."""
        return self.model.covariance.copy()

    @property
    def coef(self) -> dict[str, float]:
        """The estimates by the names of their terms; NaN where one does not exist."""
        return dict(zip(self.model.terms.names, self.model.terms.estimate.tolist(), strict=True))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the numbers should know."""
        return self.model.warnings

    @property
    def plot(self) -> Plots:
        """Pictures of the fit: ``fit.plot.curve("hours")``."""
        from passline.show.plots import Plots  # matplotlib only where a picture is asked for

        return Plots(self)

    def tidy(self) -> Any:
        """One row a term: estimate, std_error, statistic, p_value, odds_ratio, conf_low, conf_high, status, limit.

        A frame of the library the data came in (pandas for paths, if it is there; else a dict of lists).
        """
        rows = self.model.terms.rows()
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        return as_native(columns, self.native)

    def glance(self) -> dict[str, Any]:
        """What R prints under its table: nobs, rank, log_likelihood, deviance, aic, bic, auc_apparent and more."""
        return dict(self.model.glance)

    def as_json(self) -> dict[str, Any]:
        """The document that ``passline fit --json`` prints."""
        return self.model.as_json()

    def predict(
        self,
        data: Any,
        scale: str = "probability",
        interval: str | bool | None = None,
        level: float = 0.95,
        *,
        unseen: str = "error",
        flic: bool = True,
    ) -> Floats | tuple[Floats, Floats, Floats]:
        """The probability of the positive label for each row; see :meth:`passline.model.Model.predict`."""
        return self.model.predict(data, scale=scale, interval=interval, level=level, unseen=unseen, flic=flic)

    def explain(self, data: Any, *, unseen: str = "error", flic: bool = True) -> Any:
        """Each term's share of a prediction's log-odds, against the average row; see :mod:`passline.explaining`.

        A frame of the library of ``data``, as :meth:`tidy`: a row for each of its rows, with the columns (base), one a
        term, (logit), (probability), and (infinite) where the data of the fit are separated. For one row as a dict, a
        dict: base, shares, logit, probability, infinite; for a list of such rows a list of them.
        """
        if is_one_row(data) or is_records(data):
            rows = explain(self.model, self.model.frame(data), unseen=unseen, flic=flic).rows()
            return rows if isinstance(data, list) else rows[0]
        source = open_source(data)
        found = explain(self.model, self.model.staged(source), unseen=unseen, flic=flic)
        return as_native(found.columns(), source.native)

    def boundary(
        self,
        variable: str,
        probability: float = 0.5,
        at: Mapping[str, Any] | None = None,
        interval: str = "auto",
        level: float = 0.95,
    ) -> Boundary:
        """The value of ``variable`` at which the probability is ``probability``; see :func:`boundary`."""
        rows = None if self.rows is None else (self.rows.sample, self.rows.outcome)
        return boundary(self.model, variable, probability, at, interval=interval, level=level, rows=rows)

    def with_rows(
        self,
        data: Any,
        *,
        sql: str | None = None,
        weights: Any = None,
        sampling_weights: Any = None,
        offset: Any = None,
        trials: Any = None,
        cluster: Any = None,
    ) -> Fit:
        """The model with the rows of its fit again, for one that was loaded; its numbers stay as they are.

        Columns that had a role are found by name; a role that an array played has to be given again. Raises
        OptionError where the rows are not those of the fit, saying what differs.
        """
        from passline.reopening import reopen  # a fit has its rows; only a loaded model looks for them

        source = open_source(data, sql=sql)
        arrays = {
            "weights": weights,
            "sampling_weights": sampling_weights,
            "offset": offset,
            "trials": trials,
            "cluster": cluster,
        }
        return Fit.of_rows(reopen(self.model, source, arrays), source.native, source.label)

    def state_dict(self) -> dict[str, Any]:
        """The coefficients as the state of a torch module, for :meth:`passline.nn.LogisticModel.load_state_dict`.

        "linear.weight" (1, p), in the order of the design's columns, and "linear.bias" (1,), in doubles. Raises
        OptionError where the data are separated, MissingDependencyError without PyTorch.
        """
        from passline.nn import state_of  # torch only where it is asked for

        return state_of(self.model)

    def with_state_dict(self, state: Mapping[str, Any]) -> Fit:
        """The design of this fit with the coefficients of a torch module's state, such as one that was trained further.

        It predicts, saves, exports and serves as any fit; errors, tests and the certificate of this fit are not those
        of other coefficients, and are gone. Raises OptionError where the state does not fit the design.
        """
        from passline.nn import with_state  # torch only where it is asked for

        return Fit(with_state(self.model, state), native=self.native)

    def penalised_tests(self) -> Any:
        """The penalised likelihood-ratio test of each term of a Firth fit: term, statistic, df, p_value.

        A frame as :meth:`tidy`. Raises OptionError for other estimators and for a model that was loaded.
        """
        if self.model.estimator != "firth":
            raise OptionError("penalised tests are those of estimator='firth'")
        if self.rows is None or self.rows.outcome.estimate is None:
            raise OptionError(
                "penalised tests need the rows of the fit, and a model file holds none: open them with with_rows"
            )
        tests = penalised_tests(self.rows.sample, self.rows.outcome.estimate)
        names = ("term", "statistic", "df", "p_value")
        return as_native({name: [getattr(test, name) for test in tests] for name in names}, self.native)

    def report(
        self,
        path: str | os.PathLike[str],
        data: Any = None,
        *,
        title: str | None = None,
        threshold: float | str | None = None,
        cost: tuple[float, float] | None = None,
        folds: int | None = None,
        bootstrap: int | None = None,
        seed: int = 0,
        sql: str | None = None,
        weights: Any = None,
        sampling_weights: Any = None,
        offset: Any = None,
        trials: Any = None,
        cluster: Any = None,
        unseen: str = "error",
    ) -> None:
        """Write a report of the fit as one HTML file that needs nothing else, at most 1.5 MB at any number of rows.

        Without ``data`` of the rows of the fit: every figure apparent, the honest ones beside it; of a loaded model
        only what needs no rows, and it says so. With ``data`` the figures are of that table, with intervals; a loaded
        model that is given the table of its fit has it all again. ``title`` heads the page. The other options are
        those of :meth:`evaluate`; where ``folds`` and ``bootstrap`` are None, what takes more than seconds is not done.
        Raises what :meth:`evaluate` raises for ``data``, OptionError where the file cannot be written.
        """
        from passline.reporting import Judged, write_report  # nothing of a page is needed to fit

        roles = {
            "weights": weights,
            "sampling_weights": sampling_weights,
            "offset": offset,
            "trials": trials,
            "cluster": cluster,
        }
        how = {"threshold": threshold, "cost": cost, "folds": folds, "bootstrap": bootstrap, "seed": seed}
        write_report(self, path, Judged(data, sql, roles, how, unseen), title)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model as JSON: numbers, binned summaries, hashes of its rows, never rows; whole or not at all."""
        modelfile.save(self.fingerprinted(), path)

    def export(self, path: str | os.PathLike[str] | None = None, *, to: str, **options: Any) -> Exported:
        """The model for another system, proven before it is written: ONNX, SQL, Python, JavaScript, objects.

        ``fit.export("model.sql", to="sql", dialect="postgres")``, ``fit.export(to="torch").content``; see
        :func:`passline.ship.export.export` for the options.
        """
        from passline.ship.export import export  # what only exports need

        return export(self.model, path, to=to, **options)

    def warn(self, stacklevel: int = 2) -> None:
        """Raise this fit's warnings as Python's."""
        if not self.model.certificate["converged"]:
            text = (
                f"not converged after {self.certificate['passes']} passes: the gradient is "
                f"{self.certificate['gradient_norm']:.1e}; look for columns that nearly repeat others"
            )
            warnings.warn(text, ConvergenceWarning, stacklevel=stacklevel)
        separated = self.model.separation["kind"] != "none"
        for text in self.model.warnings:
            kind = SeparationWarning if separated and "separated" in text else DataWarning
            warnings.warn(text, kind, stacklevel=stacklevel)
