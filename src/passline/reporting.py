"""What a report asks of a fit: its figures, checks, effects and boundaries, each as far as time and rows allow."""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import TYPE_CHECKING, Any

import numpy as np

from passline import modelfile
from passline.boundary import Boundary, boundary
from passline.checks.finding import listed
from passline.effect_curves import EffectCurve, effect_at
from passline.engine.likelihood import mean
from passline.errors import PasslineError
from passline.evaluation.scored import Scored
from passline.evaluation.scores import Binning, into_bins
from passline.fitting import Fitted
from passline.inference.influence import leverage
from passline.model import Model
from passline.output import write_text
from passline.section import categorical
from passline.ship.javascript import javascript
from passline.show.report.content import Content, Influential, Made
from passline.show.report.markup import apart
from passline.show.report.page import MOST_SCRIPT, report_page
from passline.show.report.panel import why_not
from passline.show.report.summary import yes_or_no

if TYPE_CHECKING:
    from passline.assessment import Evaluation
    from passline.evaluation.scores import Bins
    from passline.facade import Fit

# Numbers (rows times columns) up to which the bootstrap refits unasked, and a boundary's set is a profile: what a
# report may take is a few seconds.
MOST_FOR_REFITS = 30_000
# Of the rarer outcome for each coefficient: with no more, many a refit is separated.
EVENTS_FOR_REFITS = 10
# Rows up to which single ones are looked at, and up to which checks walk them again for each predictor.
MOST_FOR_INFLUENCE, MOST_FOR_CHECKS = 100_000, 2_000_000
SLOW_CHECKS = ("leakage", "linearity", "influence")
# Predictors that are drawn, numbers whose boundary is looked for, rows that are named, bins of residuals.
MOST_EFFECTS, MOST_BOUNDARIES, MOST_INFLUENTIAL, MOST_BINS = 24, 12, 10, 40
# Coefficients up to which the model file, that holds the square of their number, is written to be hashed.
MOST_TO_HASH = 600
NO_ROWS = "a model file keeps no rows: give the table that the model was fitted to, and it is there"


@dataclass(frozen=True)
class Judged:
    """The rows that the figures are to be of, and how; ``data`` and ``sql`` None: those of the fit."""

    data: Any = None
    sql: str | None = None
    roles: Mapping[str, Any] = field(default_factory=dict)
    how: Mapping[str, Any] = field(default_factory=dict)
    unseen: str = "error"

    @property
    def given(self) -> bool:
        """Whether there is a table."""
        return self.data is not None or self.sql is not None


def write_report(fit: Fit, path: str | os.PathLike[str], judged: Judged, title: str | None = None) -> None:
    """Write the report of a fit: whole or not at all."""
    write_text(path, report_page(gather(fit, judged, title)))


def gather(fit: Fit, judged: Judged, title: str | None = None) -> Content:
    """Everything that the report of a fit says."""
    missing: dict[str, str] = {}
    fit, evaluation = _evaluated(fit, judged, missing)
    rows, model = fit.rows, fit.model
    if rows is None:
        missing |= {part: NO_ROWS for part in ("check", "residuals", "influence") if part not in missing}
    effects, more_effects = _effects(model)
    boundaries, more_boundaries = _boundaries(fit)
    fingerprinted = fit.fingerprinted()
    return Content(
        model=fingerprinted,
        title=title or _title(model),
        made=_made(fit, fingerprinted, judged, title),
        evaluation=evaluation,
        findings=None if rows is None else _check(rows),
        residuals=None if rows is None else _residuals(fit, missing),
        influential=() if rows is None else _influential(rows, missing),
        effects=effects,
        more_effects=more_effects,
        boundaries=boundaries,
        more_boundaries=more_boundaries,
        javascript=_javascript(model, missing),
        missing=missing,
    )


def _title(model: Model) -> str:
    design = model.design
    what = f"{apart(design.outcome)} = {apart(design.positive)}"
    if not design.variables:
        return what
    few = len(design.variables) <= 5
    shown = listed([apart(one) for one in design.variables]) if few else f"{len(design.variables):,} predictors"
    return f"{what} by {shown}"


def _evaluated(fit: Fit, judged: Judged, missing: dict[str, str]) -> tuple[Fit, Evaluation | None]:
    """The figures; and the fit, with its rows again where a loaded model was given them."""
    if not judged.given:
        if fit.rows is None:
            missing["evaluation"] = (
                "a model file keeps no rows: give the table that the model was fitted to, or one with new rows"
            )
            return fit, None
        how = dict(judged.how)
        if how.get("bootstrap") is None and not _quickly_refitted(fit.rows):
            how["bootstrap"] = 0
        return fit, fit.evaluate(**how)
    found = fit.evaluate(judged.data, sql=judged.sql, unseen=judged.unseen, **judged.roles, **judged.how)
    if found.own_rows and fit.rows is None:
        try:
            return fit.with_rows(judged.data, sql=judged.sql, **judged.roles), found
        except PasslineError as error:
            missing |= dict.fromkeys(("check", "residuals", "influence"), str(error))
    return fit, found


def _quickly_refitted(rows: Fitted) -> bool:
    """Whether some hundred refits take a second; separated ones do not, since each takes linear programmes."""
    sample = rows.sample
    won = float(sample.weight @ sample.y)
    rare = min(won, float(sample.weight.sum()) - won)
    few = rare <= EVENTS_FOR_REFITS * (rows.outcome.rank - int(rows.model.design.intercept))
    return not few and sample.blocks.n * sample.blocks.p <= MOST_FOR_REFITS


def _check(rows: Fitted) -> Any:
    from passline.checks import check

    n = rows.sample.blocks.n
    why = f"{n:,} rows take too long for a report; ask fit.check()"
    return check(rows.by_row, dict.fromkeys(SLOW_CHECKS, why) if n > MOST_FOR_CHECKS else {})


def _residuals(fit: Fit, missing: dict[str, str]) -> Bins | None:
    rows = fit.rows
    assert rows is not None
    eta = rows.outcome.eta
    if not np.isfinite(eta).all():
        missing["residuals"] = "the outcome is separated, and some probabilities are 0 or 1 in the limit"
        return None
    shift = fit.model.predicting_coef()[0] - fit.model.coef[0] if fit.model.flic_intercept is not None else 0.0
    scored = Scored.of(eta + shift, rows.sample.y, rows.sample.weight).real()
    bins = min(MOST_BINS, max(int(np.sqrt(scored.total)), 2))
    return into_bins(scored, mean(scored.eta), Binning(bins, "quantile"))


def _influential(fitted: Fitted, missing: dict[str, str]) -> tuple[Influential, ...]:
    n = fitted.sample.blocks.n
    if n > MOST_FOR_INFLUENCE:
        missing["influence"] = f"of {n:,} rows no single one moves the answer much, so they were not looked at"
        return ()
    rows = fitted.by_row
    found = leverage(rows.sample, rows.outcome)
    if np.isnan(found.cooks_distance).all():
        why = "the outcome is separated" if rows.outcome.recession is not None else "there is no covariance"
        missing["influence"] = f"{why}, so no row has a Cook's distance"
        return ()
    distance = np.nan_to_num(found.cooks_distance)
    order = np.argsort(-distance, kind="stable")[:MOST_INFLUENTIAL]
    p = mean(rows.outcome.eta)
    return tuple(
        Influential(
            rows.learned.rows.where(int(i)),
            float(distance[i]),
            float(found.hat[i]),
            float(p[i]),
            float(rows.sample.y[i]),
        )
        for i in order
    )


def _effects(model: Model) -> tuple[tuple[EffectCurve, ...], int]:
    variables = model.design.variables
    curves = []
    for variable in variables[:MOST_EFFECTS]:
        # A function may have no value within the range of the data, as 1 / x at zero: then there is no curve.
        with suppress(PasslineError):
            curves.append(effect_at(model, variable, level=model.level))
    return tuple(curves), len(variables) - len(curves)


def _boundaries(fit: Fit) -> tuple[tuple[Boundary, ...], int]:
    model = fit.model
    numbers = [
        variable
        for variable in model.design.variables
        if not (categorical(model, variable) or yes_or_no(model.summaries[variable]))
    ]
    rows = fit.rows
    few = rows is not None and rows.sample.blocks.n * rows.sample.blocks.p <= MOST_FOR_REFITS
    behind = (rows.sample, rows.outcome) if rows is not None and few else None
    found = []
    for variable in numbers[:MOST_BOUNDARIES]:
        with suppress(PasslineError):  # as for effects
            found.append(boundary(model, variable, level=model.level, rows=behind))
    return tuple(found), len(numbers) - len(found)


def _javascript(model: Model, missing: dict[str, str]) -> str | None:
    why = why_not(model)
    text = "" if why else javascript(model)
    if not why and len(text) > MOST_SCRIPT:
        why = f"the model has {len(model.terms.names):,} coefficients, too many for a page"
    if why:
        missing["what-if"] = why
        return None
    return text


def _made(fit: Fit, fingerprinted: Model, judged: Judged, title: str | None) -> Made:
    p = len(fingerprinted.terms.names)
    digest = f"not computed for a file with {p:,} squared numbers: sha256sum model.json"
    if p <= MOST_TO_HASH:
        digest = hashlib.sha256(modelfile.dump(fingerprinted).encode()).hexdigest()
    versions = {"passline": _version("passline"), "numpy": np.__version__, "Python": python_version()}
    lines = _Lines(fit, judged, title)
    return Made(
        shell=lines.shell(),
        python=lines.python(),
        fit_source=fit.label,
        judged=_label(judged),
        sha256=digest,
        versions=versions,
        on=f"{datetime.now(UTC):%-d %B %Y}",
    )


def _label(judged: Judged) -> str:
    if judged.sql is not None:
        return "a query"
    if isinstance(judged.data, str | os.PathLike):
        return "standard input" if judged.data == "-" else os.path.basename(os.fspath(judged.data))
    return "" if judged.data is None else "a table in memory"


def _version(name: str) -> str:
    from passline import __version__

    try:
        return __version__ if name == "passline" else version(name)
    except PackageNotFoundError:
        return "unknown"


def _shell(words: list[str]) -> str:
    """Words as a shell reads them; those with signs that nobody can see or type, as bash does."""
    return " ".join(shlex.quote(word) if word.isprintable() else _escaped(word) for word in words)


def _escaped(word: str) -> str:
    signs = (f"\\{c}" if c in "\\'" else c if c.isprintable() else f"\\U{ord(c):08x}" for c in word)
    return f"$'{''.join(signs)}'"


@dataclass(frozen=True)
class _Lines:
    """The lines that make a report again; DATA stands for a table that has no file."""

    fit: Fit
    judged: Judged
    title: str | None

    def shell(self) -> tuple[str, ...]:
        """For a shell."""
        model, settings = self.fit.model, self.fit.model.settings
        words = ["passline", "fit", self._file() or "DATA", model.design.formula]
        for role, column in settings.get("roles", {}).items():
            words += [f"--{role.replace('_', '-')}", column or "COLUMN"]
        if "trials" not in settings.get("roles", {}):
            words += ["--positive", model.design.positive]
        for option, value, usual in self._options():
            if value != usual:
                words += [f"--{option}", str(value)]
        again = ["passline", "report", "model.json"]
        again.append((self._judged() or "NEW_DATA") if self.judged.given else (self._file() or "DATA"))
        for option, value in self._how():
            again += [f"--{option}", ":".join(map(str, value)) if option == "cost" else str(value)]
        if self.title:
            again += ["--title", self.title]
        return _shell([*words, "-o", "model.json"]), _shell([*again, "-o", "report.html"])

    def python(self) -> tuple[str, ...]:
        """For Python."""
        model, settings = self.fit.model, self.fit.model.settings
        options = {role: column or "an array" for role, column in settings.get("roles", {}).items()}
        if "trials" not in options:
            options["positive"] = model.design.positive
        given = [f"{name}={value!r}" for name, value in options.items()]
        penalties = [
            f"{option}={value!r}"
            for option, value, usual in self._options()
            if option[0] == "l" and option[1:].isdigit() and value != usual
        ]
        if penalties:
            given.append(f"penalty=passline.Penalty({', '.join(penalties)})")
        given += [
            f"{option}={value!r}"
            for option, value, usual in self._options()
            if value != usual and not option[1:].isdigit()
        ]
        judged = self._judged()
        again = [] if not self.judged.given else ["new_data" if judged is None else repr(judged)]
        again += [f"{option}={value!r}" for option, value in self._how()]
        if self.title:
            again.append(f"title={self.title!r}")
        file = self._file()
        data = "data" if file is None else repr(file)
        return (
            "import passline",
            f"fit = passline.fit({', '.join([repr(model.design.formula), data, *given])})",
            f"fit.report({', '.join([repr('report.html'), *again])})",
        )

    def _file(self) -> str | None:
        """The name of the fit's file; None where the table had none, or it is not known."""
        label = self.fit.label
        return label if label and self.fit.native == "path" and not label.startswith("the ") else None

    def _judged(self) -> str | None:
        """The name of the file whose rows were judged; None where they had none."""
        data = self.judged.data
        return (
            None
            if not isinstance(data, str | os.PathLike)
            else "-"
            if data == "-"
            else os.path.basename(os.fspath(data))
        )

    def _how(self) -> list[tuple[str, Any]]:
        """How the rows were judged, as far as it was said."""
        return [
            (name, value)
            for name, value in self.judged.how.items()
            if value is not None and (name, value) != ("seed", 0)
        ]

    def _options(self) -> list[tuple[str, Any, Any]]:
        """The options of the fit: name, value, what it is where nobody says."""
        model, settings = self.fit.model, self.fit.model.settings
        robust = settings.get("robust")
        return [
            ("estimator", model.estimator, "ml"),
            ("l1", settings.get("l1", 0.0), 0.0),
            ("l2", settings.get("l2", 0.0), 0.0),
            ("interval", settings.get("interval", "wald"), "wald"),
            ("level", model.level, 0.95),
            ("robust", robust, "hc0" if {"cluster", "sampling_weights"} & set(settings.get("roles", {})) else None),
            ("dispersion", settings.get("dispersion", "one"), "one"),
        ]
