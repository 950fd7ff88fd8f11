"""A table meets a model as rows to be judged: its predictors give the score, its outcome what became of each row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.errors import DataError, NoRowsError
from passline.evaluation.scored import Scored
from passline.evaluation.scores import deviance
from passline.inference.fingerprint import fingerprint
from passline.model import Model
from passline.table.coding import read_unseen
from passline.table.columns import BOOLEAN_TEXTS, Kind, Source
from passline.table.design import Learned
from passline.table.formula import nearest
from passline.table.roles import Played, Roles, play, successes
from passline.table.rows import ReadRows, complete_rows
from passline.table.tree import Name, number_text

Floats = NDArray[np.float64]

# Deviances of the same rows in another order agree to rounding.
SAME_DEVIANCE = 1e-10


@dataclass(frozen=True)
class Counted:
    """What became of the rows of a table: ``read`` = ``used`` + the others.

    ``open``: rows whose probability a separated fit leaves open; ``weightless``: rows of weight zero, or of no trial.
    """

    read: int
    used: int
    missing_predictor: int
    missing_outcome: int
    weightless: int
    open: int

    def as_json(self) -> dict[str, int]:
        """The counts by name; ``incomplete`` are those with something missing."""
        incomplete = self.missing_predictor + self.missing_outcome
        return {
            "read": self.read,
            "used": self.used,
            "incomplete": incomplete,
            "weightless": self.weightless,
            "open": self.open,
            "missing_predictor": self.missing_predictor,
            "missing_outcome": self.missing_outcome,
        }


@dataclass(frozen=True)
class ScoredTable:
    """The rows of a table that can be judged, with what a reader should know of them.

    ``same_rows``: whether they are those of the fit, in whatever order; where a role of the fit is ``lost``, as far as
    predictors tell.
    """

    scored: Scored
    rows: Counted
    same_rows: bool
    lost: bool
    notes: tuple[str, ...]


def score_table(
    model: Model,
    source: Source,
    given: Mapping[str, Any] | None = None,
    unseen: str = "error",
    *,
    hashes: Callable[[], Mapping[str, Any]],
) -> ScoredTable:
    """Read the predictors, the outcome and the roles' columns of ``source``, and score its rows with ``model``.

    ``given``: columns or arrays that play a role (weights, sampling_weights, offset, trials, cluster); the others are
    found by the names they had in the fit. ``hashes`` gives those of the fit's rows, if they are needed. Rows with a
    missing predictor or outcome are counted and left out. Raises DataError for columns that are not there and for
    outcomes that the model does not know, NoRowsError where no row is left.
    """
    design = model.design
    _check(model, source, unseen)
    roles, notes = roles_in(model, source, given or {})
    roles.check(source)
    outcome_kind = _outcome_kind(model, source, counted=roles.trials is not None)
    kinds: dict[str, Kind] = {**roles.kinds(source), **design.kinds, design.outcome: outcome_kind}
    staged = source.stage(list(kinds), kinds)
    predicted = complete_rows(staged, design.variables)
    rows = complete_rows(staged, [design.outcome, *design.variables])
    if not rows.used:
        raise _nothing(rows, predicted.used, source.label, design.outcome)
    # A single cluster is refused where it stands for robust errors; here it only leaves no interval.
    played = play(replace(roles, cluster=None) if isinstance(roles.cluster, str) else roles, rows)
    dropped, weight = 0, played.weights if played.weights is not None else played.sampling_weights
    if weight is not None and not weight.all():
        dropped = int((weight == 0).sum())
        rows, played = rows.where_also(weight > 0), played.select(weight > 0)
    y = _outcome(model, rows, outcome_kind, played)
    eta = model.linear_predictor(list(design.groups(rows, read_unseen(unseen))), rows.used, model.predicting_coef())
    if played.offset is not None:
        eta = eta + played.offset
    scored = Scored.of(eta, y, mass(played), _groups(played, roles.cluster, rows))
    same = _same_rows(model, Learned(design, rows, y, played, 0, ()), scored, hashes, lost=bool(notes))
    scored = scored.real()  # a row without a trial was one of the fit's, and says nothing
    known = ~np.isnan(scored.eta)
    counted = Counted(
        read=rows.read,
        used=int(known.sum()),
        missing_predictor=rows.read - predicted.used,
        missing_outcome=predicted.used - rows.used - dropped,
        weightless=dropped + rows.used - len(known),
        open=int((~known).sum()),
    )
    if not counted.used:
        raise NoRowsError(f"the separated fit leaves the probability of every row of {source.label} open")
    return ScoredTable(
        scored if known.all() else scored.select(np.flatnonzero(known)), counted, same, bool(notes), notes
    )


def _check(model: Model, source: Source, unseen: str) -> None:
    """Refuse a table without the columns that are needed, and a word that says nothing of unseen categories."""
    read_unseen(unseen)
    design = model.design
    design.require(source.columns, source.label)
    if design.outcome not in source.columns:
        raise DataError(
            f"{source.label} has no column {design.outcome!r}, the outcome: without it there is nothing to compare the "
            f"probabilities with.{nearest(design.outcome, source.columns)}"
        )


def roles_in(model: Model, source: Source, given: Mapping[str, Any]) -> tuple[Roles, tuple[str, ...]]:
    """The roles that are given, and those of the fit by their names; what cannot be had is said, or refused."""
    found = {role: value for role, value in given.items() if value is not None}
    notes = []
    saved: Mapping[str, str] = model.settings.get("roles", {})
    for role, column in saved.items():
        if role in found or (role in _WEIGHTS and found.keys() & _WEIGHTS):
            continue
        if column and column in source.columns:
            found[role] = column
            continue
        was = f"column {column!r}" if column else "an array"
        if role == "offset":
            raise DataError(
                f"the model has an offset ({was}), and {source.label} has none: give it (offset), since the "
                "probabilities rest on it"
            )
        if role != "cluster":
            what = "one trial" if role == "trials" else "once"
            notes.append(f"{role} played {was} in the fit; {source.label} has none, so each row counts {what}")
    return Roles(**found), tuple(notes)


_WEIGHTS = frozenset({"weights", "sampling_weights"})


def _outcome_kind(model: Model, source: Source, *, counted: bool) -> Kind:
    kind = source.columns[model.design.outcome].kind
    if kind == "other":
        type_name = source.columns[model.design.outcome].type_name
        raise DataError(
            f"the outcome {model.design.outcome!r} of {source.label} holds {type_name}, which is no outcome"
        )
    if counted or (_numeric(model) and kind in ("number", "mixed", "boolean")):
        return "number"
    if {model.design.positive, model.design.negative} == set(BOOLEAN_TEXTS):
        return "boolean"  # true, t and 1 too, as files write it
    return "category" if kind == "mixed" else kind


def _numeric(model: Model) -> bool:
    """Whether the outcome's labels are numbers (successes of trials are counts)."""
    try:
        float(model.design.positive), float(model.design.negative)
    except ValueError:
        return "trials" in model.settings.get("roles", {})
    return True


def _outcome(model: Model, rows: ReadRows, kind: Kind, played: Played) -> Floats:
    """The share of successes of each row, (n,), by the labels of the fit."""
    design = model.design
    if played.trials is not None:
        return successes(rows.numbers(Name(design.outcome)), played.trials, rows, design.outcome)
    positive, negative = design.positive, design.negative
    if "trials" in model.settings.get("roles", {}):
        positive, negative = "1", "0"
    if kind == "number":
        values = rows.numbers(Name(design.outcome))
        y: Floats = (values == float(positive)).astype(np.float64)
        known = (y == 1.0) | (values == float(negative))
    else:
        codes = rows.codes(design.outcome, (negative, positive))
        y, known = (codes == 1).astype(np.float64), codes >= 0
    if not known.all():
        i = int(np.argmin(known))
        label = number_text(float(values[i])) if kind == "number" else rows.value(design.outcome, i)
        raise DataError(
            f"{rows.where(i)}: the outcome {design.outcome!r} is {label!r}, and the model knows {positive!r} (which "
            f"it predicts) and {negative!r}. Correct it, or write NA where it is missing"
            + ("; give trials if these are counts" if kind == "number" else "")
        )
    return y


def mass(played: Played) -> Floats | None:
    """What each row weighs, (n,); sampling weights have mean one."""
    sampling = played.sampling_weights
    if sampling is not None:
        sampling = sampling / sampling.mean()
    factors = [v for v in (played.weights, played.trials, sampling) if v is not None]
    return np.prod(factors, axis=0) if factors else None


def _groups(played: Played, cluster: Any, rows: ReadRows) -> NDArray[np.int64] | None:
    """Which rows are not independent; one cluster alone (a new hospital, say) is no mistake here."""
    if played.cluster is not None:
        return played.cluster
    if isinstance(cluster, str):
        codes = rows.groups_of(cluster)
        if (codes < 0).any():
            raise DataError(f"cluster: {rows.where(int(np.argmin(codes)))} has none; every row belongs to a cluster")
        return codes
    return np.arange(rows.used) if played.sampling_weights is not None else None


def _same_rows(
    model: Model, learned: Learned, scored: Scored, hashes: Callable[[], Mapping[str, Any]], *, lost: bool
) -> bool:
    """Whether these are the rows of the fit: as many, with the same deviance, in whatever order.

    Where there is no deviance, it says nothing (separation), or a role is ``lost``, hashes decide.
    """
    if learned.used != model.rows["used"] or (lost and "trials" in model.settings.get("roles", {})):
        return False
    then = model.glance["deviance"]
    if then is not None and not len(model.directions) and not lost:
        shift = model.predicting_coef()[0] - model.coef[0] if model.flic_intercept is not None else 0.0
        now = deviance(replace(scored, eta=scored.eta - shift))
        return bool(abs(now - then) <= SAME_DEVIANCE * max(abs(float(model.glance["null_deviance"])), 1.0))
    mine, theirs = fingerprint(learned), hashes()
    names = ("data_sha256",) if lost else ("data_sha256", "rows_sha256")
    return all(mine[name] == theirs.get(name) for name in names)


def _nothing(rows: ReadRows, predicted: int, label: str, outcome: str) -> NoRowsError:
    if rows.read == 0:
        return NoRowsError(f"{label} has no rows")
    if predicted:
        return NoRowsError(f"the outcome {outcome!r} is missing in every row of {label} whose predictors are complete")
    return NoRowsError(f"a predictor is missing in each of the {rows.read} rows of {label}")
