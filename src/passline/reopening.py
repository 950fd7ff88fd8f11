"""A model meets its rows again: the saved settings fit them anew, and rows that give another answer are refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from passline.errors import OptionError
from passline.fitting import Fitted, Options, fit_rows
from passline.inference.fingerprint import fingerprint
from passline.model import Model
from passline.table.design import learn
from passline.table.formula import parse
from passline.table.roles import Roles
from passline.table.source import Source

# Two fits of the same rows agree to rounding: what differs by more is of other rows.
SAME_DEVIANCE, SAME_STEP = 1e-9, 1e-6


def reopen(model: Model, source: Source, arrays: Mapping[str, Any] | None = None) -> Fitted:
    """The rows of ``source`` as those of ``model``, whose numbers stay as they were saved.

    ``arrays``: roles that were played by arrays, which no model file keeps. Raises OptionError where the rows are not
    those of the fit, saying what differs, and where an array is missing.
    """
    settings = model.settings
    saved: Mapping[str, str] = settings.get("roles", {})
    given = {role: value for role, value in (arrays or {}).items() if value is not None}
    lost = [role for role, column in saved.items() if not column and role not in given]
    if lost:
        raise OptionError(
            f"{lost[0]} was an array when the model was fitted, and a model file keeps no rows: give it again "
            f"({lost[0]}=...), or fit with a column of the table in its place"
        )
    roles = Roles(**{**{role: column for role, column in saved.items() if column}, **given})
    design = model.design
    learned = learn(
        parse(design.formula), source, positive=None if roles.trials is not None else design.positive, roles=roles
    )
    for what, now, then in (
        ("rows", learned.read, model.rows["read"]),
        ("complete rows", learned.used, model.rows["used"]),
    ):
        if now != then:
            raise _other(source, f"it has {now} {what}, and the fit had {then}")
    if learned.design.names != design.names or learned.design.levels != design.levels:
        raise _other(source, "its categories have other levels")
    if learned.design.negative != design.negative:
        raise _other(source, f"its outcome is {learned.design.negative!r} where the fit had {design.negative!r}")
    options = Options(
        estimator=model.estimator,
        penalty=model.penalty,
        level=model.level,
        robust=settings.get("robust"),
        dispersion=settings.get("dispersion", "one"),
        roles=saved,
    )
    found = fit_rows(learned, options)
    _check_same(model, found, source)
    return replace(found, model=model)


def _check_same(model: Model, found: Fitted, source: Source) -> None:
    """Refuse other rows: those that give other answers; readers of one file may differ in last digits.

    Under separation rows may change and no answer does: there the hash decides.
    """
    saved = {name: model.settings[name] for name in ("rows_sha256", "data_sha256") if name in model.settings}
    if saved and model.directions.size and saved != fingerprint(found.learned.by_row()):
        raise _other(source, "the outcome is separated, and the hash of their values is another")
    _check_answers(model, found, source)


def _check_answers(model: Model, found: Fitted, source: Source) -> None:
    then, now = model.glance["deviance"], found.model.glance["deviance"]
    if then is not None and now is not None:
        size = max(abs(float(model.glance["null_deviance"])), 1.0)
        if abs(then - now) > SAME_DEVIANCE * size:
            raise _other(source, f"they give a deviance of {now:.10g}, and the fit had {then:.10g}")
    if found.model.terms.status != model.terms.status:
        raise _other(source, "they separate otherwise")
    error = np.sqrt(np.diagonal(model.covariance))
    scale = np.where(np.isfinite(error) & (error > 0), error, np.maximum(np.abs(model.coef), 1e-8))
    ok = np.array([word == "ok" for word in model.terms.status])  # the others have no one value
    moved = np.abs(found.model.coef - model.coef) / scale
    # Errors show what estimates cannot: other clusters.
    other = np.sqrt(np.diagonal(found.model.covariance))
    moved = np.maximum(moved, np.nan_to_num(np.abs(other - error) / scale))
    step = np.where(ok, moved, 0.0)
    worst = int(np.argmax(step))
    if step[worst] > SAME_STEP:
        raise _other(
            source,
            f"they estimate {model.terms.names[worst]} as {found.model.coef[worst]:.8g} (standard error "
            f"{other[worst]:.6g}), and the fit had {model.coef[worst]:.8g} ({error[worst]:.6g})",
        )


def _other(source: Source, why: str) -> OptionError:
    return OptionError(
        f"the rows of {source.label} are not those of the fit: {why}. Give the table that the model was fitted to, or "
        "fit again"
    )
