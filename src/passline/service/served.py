"""A model as it is served: its name and file, what it takes, its answers, and how it describes itself."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from passline import modelfile
from passline.engine.likelihood import mean
from passline.errors import DataError, ModelFileError, OptionError
from passline.explaining import explain
from passline.model import Model
from passline.section import default
from passline.service.columns import TakenColumn, taken_columns
from passline.service.problems import Fault, Problem, shown, step
from passline.service.rows import RowReader, Taken, row_reader
from passline.service.settings import Limits

# Two files of which one has replaced the other differ in one of these.
Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Served:
    """One model under its name, as it was read from its file. A request keeps the one it began with."""

    name: str
    path: Path
    stamp: Stamp
    model: Model
    columns: tuple[TakenColumn, ...]
    reader: RowReader

    def probabilities(self, rows: Taken) -> list[float]:
        """The probability of each row. Raises Problem for a row of which the model cannot say one."""
        try:
            if isinstance(rows, dict):
                probabilities = [self.model.probability(rows)]
            else:
                found = self.model.predict(rows)
                assert not isinstance(found, tuple)
                probabilities = found.tolist()
        except DataError as error:  # a value within its range at which a function has a gap
            raise Problem(422, str(error)) from None
        if math.isnan(sum(probabilities)):
            row = next(place for place, probability in enumerate(probabilities) if math.isnan(probability))
            raise Problem(409, Fault(step("rows", row), _OPEN))
        return probabilities

    def explained(self, rows: Taken) -> dict[str, Any]:
        """Each term's share of each row's log-odds. Raises Problem for a row whose log-odds are open, or infinite."""
        try:
            found = explain(self.model, self.model.frame(rows))
        except DataError as error:
            raise Problem(422, str(error)) from None
        except OptionError as error:  # a file of version 1
            raise Problem(409, str(error)) from None
        answers = []
        for row, (logit, shares) in enumerate(zip(found.logit.tolist(), found.shares.tolist(), strict=True)):
            if math.isnan(logit):
                raise Problem(409, Fault(step("rows", row), _OPEN))
            if math.isinf(logit):
                named = ", ".join(shown(name) for name in found.infinite[row])
                told = "the log-odds are infinite here, since the data of the fit were separated: no share of"
                told = f"{told} {named} is a number"
                raise Problem(409, Fault(step("rows", row), told))
            answers.append({"logit": logit, "probability": 0.0, "shares": dict(zip(found.terms, shares, strict=True))})
        for answer, probability in zip(answers, mean(found.logit).tolist(), strict=True):
            answer["probability"] = probability
        return {"base": found.base, "rows": answers}

    def described(self) -> dict[str, Any]:
        """What a person, or the page at /, needs to know of the model."""
        design, summaries = self.model.design, self.model.summaries
        return {
            "name": self.name,
            "formula": design.formula,
            "outcome": design.outcome,
            "positive": design.positive,
            "negative": design.negative,
            "estimator": self.model.estimator,
            "rows_used": self.model.rows.get("used"),
            "columns": [_described(column, summaries.get(column.name, {})) for column in self.columns],
        }


_OPEN = (
    "the probability is open here: the data of the fit were separated, and their separating directions disagree about "
    "this row. Fit with estimator='firth' for a finite answer"
)


def stamp_of(path: Path) -> Stamp:
    """What tells a file from the one it replaced. Raises OSError where there is none."""
    found = os.stat(path)
    return found.st_mtime_ns, found.st_ino, found.st_size


def load_served(name: str, path: Path, limits: Limits) -> Served:
    """Read a model file for serving. Raises ModelFileError where it cannot be read, or cannot be served."""
    try:
        stamp = stamp_of(path)  # before it is read: what replaces it meanwhile is noticed
    except OSError as error:
        raise ModelFileError(f"cannot read the model file {path}: {error.strerror}") from None
    model = modelfile.load(path)
    columns = taken_columns(model)
    if not columns:
        raise ModelFileError(f"{path} has no predictor: every row would have the same probability, so it is not served")
    return Served(name, path, stamp, model, columns, row_reader(name, columns, limits.rows))


def _described(column: TakenColumn, summary: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"name": column.name, "kind": column.kind}
    if column.levels:
        found["levels"] = column.schema["enum"] if column.kind != "category" else list(column.levels)
    if summary.get("kind") == "number":
        found |= {"min": summary["min"], "max": summary["max"]}
    if summary:
        found["default"] = _as_taken(column, default(summary))
    return found


def _as_taken(column: TakenColumn, value: float | str) -> Any:
    """A default as JSON says it in a row: a level of numbers as a number, of booleans as a boolean."""
    if not column.levels:
        return value
    if column.kind == "category":
        return value
    code = column.levels.index(str(value)) if str(value) in column.levels else 0
    return next(said for said, place in column.codes.items() if place == code)
