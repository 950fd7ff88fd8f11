"""Rows of JSON -> columns in memory: read by a type made for the model, so that a thousand rows take a millisecond."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from passline.service.columns import TakenColumn
from passline.service.problems import Fault, Problem, shown, step
from passline.table.columns import Column
from passline.table.staged import Frame

# Faults that one answer lists.
MOST_FAULTS = 10


_AWKWARD = re.compile(r'[\x00-\x1f"\\]')

# Rows as a model predicts them: one as a dict, several as columns.
Taken = dict[str, Any] | Frame


class DoubtError(Exception):
    """A body is not as it should be, or may not be; it never leaves the service."""


class _Addressed(msgspec.Struct):
    """Of the body only whose rows they are."""

    model: str | msgspec.UnsetType = msgspec.UNSET


_ADDRESSED = msgspec.json.Decoder(_Addressed)
_ANYTHING = msgspec.json.Decoder()


@dataclass(frozen=True)
class RowReader:
    """Reads bodies ``{"rows": [{column: value, ...}, ...]}`` for one model, which they may name as ``model``.

    What it takes, and only that, is what the model's JSON Schema describes.
    """

    name: str
    columns: tuple[TakenColumn, ...]
    decoder: msgspec.json.Decoder[Any]
    getters: tuple[Callable[[Any], Any], ...]
    texts: tuple[Callable[[Any], Any], ...]  # those of the getters that give texts
    most_rows: int
    colons: int  # that the columns' names hold
    awkward: bool  # a name is none that msgspec has a type for: every body is looked at

    def read(self, body: bytes, looked_at: bool = False) -> Taken:
        """A body's rows, as a model predicts them: one as a dict, several as columns.

        Raises Problem where it is not JSON, DoubtError where :meth:`problem` has to look at it; ``looked_at``: it has.
        """
        try:
            found = self.decoder.decode(body)
        except msgspec.ValidationError as error:
            if looked_at:
                raise malformed(error) from None
            raise DoubtError from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise malformed(error) from None
        rows = found.rows
        n = len(rows)
        # What is left to doubt: more colons than the names that have to be there, and texts, hold.
        colons = 1 + (found.model is not msgspec.UNSET) + n * (len(self.columns) + self.colons)
        if not looked_at and (
            self.awkward
            or body.count(b":") != colons + (self._in_texts(rows) if self.texts else 0)
            or b"\\u003" in body
        ):
            raise DoubtError
        if n == 1:
            return self._one(rows[0])
        arrays: dict[str, NDArray[Any]] = {}
        values: dict[str, tuple[str, ...]] = {}
        for column, getter in zip(self.columns, self.getters, strict=True):
            if not column.levels:
                arrays[column.name] = np.fromiter(map(getter, rows), np.float64, n)
                continue
            try:
                arrays[column.name] = column.array(list(map(getter, rows)))
            except KeyError:
                raise DoubtError from None
            if column.kind != "number":
                values[column.name] = column.levels
        return framed(self.columns, arrays, values, n)

    def _one(self, row: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for column, getter in zip(self.columns, self.getters, strict=True):
            value = getter(row)
            if column.levels:
                code = column.codes.get(value)
                if code is None:
                    raise DoubtError
                if column.kind == "category":  # where JSON may have said a number
                    value = column.levels[code]
            found[column.name] = value
        return found

    def _in_texts(self, rows: list[Any]) -> int:
        """How many colons the values hold."""
        return sum(v.count(":") for getter in self.texts for v in map(getter, rows) if isinstance(v, str))

    def problem(self, body: bytes) -> Problem | None:
        """What is wrong with a body, looked for value by value, each with its path; None where all is well."""
        try:
            found = anything(body)
        except Problem as problem:
            return problem
        if not isinstance(found, dict):
            return Problem(422, f'the body is {shown(found)}, and has to be an object: {{"rows": [{{...}}, ...]}}')
        faults = list(self._envelope_faults(found))
        rows = found.get("rows")
        if isinstance(rows, list) and 0 < len(rows) <= self.most_rows:
            for place, row in enumerate(rows):
                if len(faults) >= MOST_FAULTS:
                    break
                faults += row_faults(self.columns, row, step("rows", place))
        if faults:
            return Problem(422, faults[:MOST_FAULTS])
        return repeated(body)

    def _envelope_faults(self, found: dict[str, Any]) -> Iterable[Fault]:
        if "rows" not in found:
            yield Fault("rows", "missing; it is a list of objects, one a row")
        elif not isinstance(found["rows"], list):
            yield Fault("rows", f"{shown(found['rows'])}, and rows are a list of objects")
        elif not found["rows"]:
            yield Fault("rows", "the list is empty: give at least one row")
        elif len(found["rows"]) > self.most_rows:
            told = f"{len(found['rows']):,} rows, and at most {self.most_rows:,} are taken at once"
            yield Fault("rows", f"{told}: send them in several requests")
        if found.get("model", self.name) != self.name:
            yield Fault("model", f"{shown(found['model'])}, and this is asked of {shown(self.name)}")
        for name in found:
            if name not in ("rows", "model"):
                yield Fault(step("", name), "there is no such member; there are rows and model")


def row_reader(name: str, columns: Sequence[TakenColumn], most_rows: int) -> RowReader:
    """The reader of rows with these columns, for the model of that name."""
    names = [column.name for column in columns]
    awkward = any(_AWKWARD.search(name) for name in names)
    row: Any = dict[str, Any]
    getters: list[Callable[[Any], Any]] = [itemgetter(name) for name in names]
    if not awkward:
        fields = [f"c{place}" for place in range(len(columns))]
        getters = [attrgetter(field) for field in fields]
        row = msgspec.defstruct(
            "Row",
            [(field, column.decoded) for field, column in zip(fields, columns, strict=True)],
            rename=dict(zip(fields, names, strict=True)),
            forbid_unknown_fields=True,
            gc=False,
        )
    rows = Annotated[list[row], msgspec.Meta(min_length=1, max_length=most_rows)]
    body = msgspec.defstruct(
        "Body",
        [("rows", rows), ("model", Literal[name] | msgspec.UnsetType, msgspec.UNSET)],
        forbid_unknown_fields=True,
        gc=False,
    )
    return RowReader(
        name=name,
        columns=tuple(columns),
        decoder=msgspec.json.Decoder(body),
        getters=tuple(getters),
        texts=tuple(get for column, get in zip(columns, getters, strict=True) if column.kind == "category"),
        most_rows=most_rows,
        colons=sum(name.count(":") for name in names),
        awkward=awkward,
    )


def addressed(body: bytes) -> str | None:
    """The model that a body names, None where it names none. Raises Problem where it is not JSON, or no object."""
    try:
        found = _ADDRESSED.decode(body).model
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(error) from None
    return None if found is msgspec.UNSET else found


def row_faults(columns: Sequence[TakenColumn], row: Any, path: str) -> Iterable[Fault]:
    """What is wrong with a row: columns that are missing, unknown, or hold what the model does not take."""
    if not isinstance(row, dict):
        yield Fault(path, f"{shown(row)}, and a row is an object of columns and values")
        return
    for column in columns:
        if column.name not in row:
            yield Fault(step(path, column.name), f"missing; the model needs {column.wanted}")
            continue
        wrong = column.fault(row[column.name])
        if wrong is not None:
            yield Fault(step(path, column.name), wrong)
    known = [column.name for column in columns]
    for name in row:
        if name not in known:
            yield Fault(
                step(path, name), f"the model has no such column; it has {', '.join(map(shown, known)) or 'none'}"
            )


def framed(
    columns: Sequence[TakenColumn],
    arrays: Mapping[str, NDArray[Any]],
    values: Mapping[str, tuple[str, ...]],
    rows: int,
) -> Frame:
    """Columns in memory, as the model's design reads them."""
    declared = {column.name: Column(column.name, column.kind, "JSON") for column in columns}  # type: ignore[arg-type]  # kinds of a design
    return Frame(arrays, values, declared, rows, "rows", lambda row: step("rows", row))


def anything(body: bytes) -> Any:
    """JSON of whatever form. Raises Problem where it is none."""
    try:
        return _ANYTHING.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(error) from None


def repeated(body: bytes) -> Problem | None:
    """The answer to an object that names one key twice: which of the values is meant, nobody can know."""
    twice: list[str] = []

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(found)
        if len(made) < len(found) and not twice:
            names = [name for name, _ in found]
            twice.append(next(name for place, name in enumerate(names) if name in names[:place]))
        return made

    json.loads(body, object_pairs_hook=pairs)
    return Problem(422, f"the name {shown(twice[0])} stands twice in one object") if twice else None


def malformed(error: Exception) -> Problem:
    """The answer to a body that is not JSON, or to JSON that is not as its type has it."""
    if isinstance(error, msgspec.ValidationError):
        # "Expected `str`, got `int` - at `$.inputs[0].name`"
        message, _, path = str(error).partition(" - at `$")
        return Problem(422, Fault(path.rstrip("`").removeprefix("."), message))
    if isinstance(error, RecursionError):
        return Problem(400, "the body is nested too deeply")
    if isinstance(error, UnicodeDecodeError):
        return Problem(400, "the body is not UTF-8")
    return Problem(400, f"the body is not JSON: {error}. NaN and Infinity are not numbers of JSON")
