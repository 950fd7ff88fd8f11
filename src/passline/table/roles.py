"""What columns other than the terms are for: counts, sampling weights, an offset, trials, clusters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.errors import DataError, OptionError
from passline.table.columns import Kind, Source
from passline.table.formula import nearest
from passline.table.functions import Values
from passline.table.rows import CompleteRows
from passline.table.tree import number_text

# Successes that come from a proportion may miss a whole number by this, a rounding of the proportion's last digit.
WHOLE = 1e-6


@dataclass(frozen=True)
class Roles:
    """Names of columns, or arrays with one value for each row read; None where a role is not played.

    ``weights``: how often a row counts (whole numbers). ``sampling_weights``: how many of the population it stands
    for. ``offset``: added to the linear predictor. ``trials``: of how many the outcome's successes are. ``cluster``:
    rows with one value belong together.
    """

    weights: Any = None
    sampling_weights: Any = None
    offset: Any = None
    trials: Any = None
    cluster: Any = None

    def names(self) -> dict[str, str]:
        """The roles that a column of the source plays: role -> column."""
        return {role: value for role in _ROLES if isinstance(value := getattr(self, role), str)}

    def saved(self) -> dict[str, str]:
        """The roles that are played, by column; "" for those that an array plays, which no model file keeps."""
        given = {role: getattr(self, role) for role in _ROLES}
        return {role: value if isinstance(value, str) else "" for role, value in given.items() if value is not None}

    @property
    def by_row(self) -> bool:
        """Whether rows that are equal in the columns read may still differ in what they are for."""
        given = (getattr(self, role) for role in _ROLES)
        arrays = any(value is not None and not isinstance(value, str) for value in given)
        return arrays or self.cluster is not None or self.sampling_weights is not None

    def check(self, source: Source) -> None:
        """Raise OptionError for roles that exclude each other, DataError for columns that cannot play theirs."""
        if self.weights is not None and self.sampling_weights is not None:
            raise OptionError(
                "weights and sampling_weights exclude each other: weights are counts of equal rows, sampling weights "
                "say how many of the population a row stands for"
            )
        for role, name in self.names().items():
            if name not in source.columns:
                raise DataError(f"{role}: {source.label} has no column {name!r}.{nearest(name, source.columns)}")
            column = source.columns[name]
            if role != "cluster" and column.kind not in ("number", "mixed"):
                raise DataError(f"{role}: column {name!r} holds {column.type_name}, and numbers are needed")
            if column.kind == "other":
                raise DataError(f"{role}: column {name!r} holds {column.type_name}, which cannot be used")

    def kinds(self, source: Source) -> dict[str, Kind]:
        """How the columns with a role are to be read."""
        kinds: dict[str, Kind] = {}
        for role, name in self.names().items():
            kind = source.columns[name].kind
            kinds[name] = "number" if role != "cluster" else "category" if kind == "mixed" else kind
        return kinds


@dataclass(frozen=True)
class Played:
    """The roles' values in the rows used, (n,) each; None where a role is not played.

    ``cluster``: codes from 0 of the groups.
    """

    weights: Values | None = None
    sampling_weights: Values | None = None
    offset: Values | None = None
    trials: Values | None = None
    cluster: NDArray[np.int64] | None = None

    def repeated(self, counts: Values | None) -> Played:
        """The same where each row stands for ``counts`` (n,) equal ones."""
        if counts is None:
            return self
        return replace(self, weights=counts if self.weights is None else self.weights * counts)

    def select(self, kept: NDArray[np.bool_]) -> Played:
        """The same for some of the rows."""
        return Played(*(None if v is None else v[kept] for v in (getattr(self, role) for role in _ROLES)))


# How None and NaN read as text.
_MISSING = ("None", "nan", "<NA>", "NaT")
_ROLES = ("weights", "sampling_weights", "offset", "trials", "cluster")


def play(roles: Roles, rows: CompleteRows) -> Played:
    """The roles' values in the complete rows, checked.

    Raises DataError for a value that its role cannot take, naming the row, and OptionError for an array of another
    length than the table.
    """
    values = {role: _values(role, getattr(roles, role), rows) for role in _ROLES if role != "cluster"}
    for role, found in values.items():
        if found is not None:
            _check_values(role, found, rows)
    return Played(**values, cluster=_clusters(roles.cluster, rows))


def successes(y: Values, trials: Values, rows: CompleteRows, name: str) -> Values:
    """Successes as proportions of their trials, from counts or from proportions: (n,), zero where there is no trial.

    The outcome holds proportions where it has a fraction, else counts. Raises DataError for negative numbers, for
    successes above trials, and for proportions that are no whole number of successes.
    """
    if (bad := np.flatnonzero(y < 0)).size:
        raise DataError(
            f"the outcome {name!r} is {number_text(y[bad[0]])} in {rows.where(int(bad[0]))}: successes are not negative"
        )
    if np.equal(np.mod(y, 1.0), 0.0).all():
        if (bad := np.flatnonzero(y > trials)).size:
            i = int(bad[0])
            raise DataError(
                f"the outcome {name!r} has {number_text(y[i])} successes out of {number_text(trials[i])} trials in "
                f"{rows.where(i)}: successes cannot outnumber trials; look whether the two columns are exchanged"
            )
        return np.divide(y, trials, out=np.zeros_like(y), where=trials > 0)
    if (bad := np.flatnonzero(y > 1)).size:
        i = int(bad[0])
        raise DataError(
            f"the outcome {name!r} is {number_text(y[i])} in {rows.where(i)}, neither a count nor a proportion: with "
            "trials give whole successes in every row, or proportions between 0 and 1 in every row"
        )
    count = y * trials
    whole = np.rint(count)
    if (bad := np.flatnonzero(np.abs(count - whole) > WHOLE * np.maximum(trials, 1.0))).size:
        i = int(bad[0])
        raise DataError(
            f"the outcome {name!r} is {number_text(y[i])} of {number_text(trials[i])} trials in {rows.where(i)}, which "
            f"is {count[i]:.6g} successes and no whole number: give the successes themselves"
        )
    return np.divide(whole, trials, out=np.zeros_like(y), where=trials > 0)


def _values(role: str, given: Any, rows: CompleteRows) -> Values | None:
    if given is None:
        return None
    if isinstance(given, str):
        return rows.raw(given)
    try:
        array = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise OptionError(f"{role}: give a column's name, or an array of numbers") from None
    if array.shape != (rows.read,):
        raise OptionError(f"{role}: the array has shape {array.shape}, and the table has {rows.read} rows")
    return array[rows.kept()]


def _check_values(role: str, values: Values, rows: CompleteRows) -> None:
    def refuse(at: NDArray[np.bool_], why: str) -> None:
        if at.any():
            i = int(np.flatnonzero(at)[0])
            shown = "missing" if np.isnan(values[i]) else number_text(float(values[i]))
            raise DataError(f"{role}: {rows.where(i)} has {shown}; {why}")

    refuse(np.isnan(values), f"every row needs {_NEEDS[role]}; fill it, or drop the row")
    refuse(np.isinf(values), f"every row needs {_NEEDS[role]}, and infinity is none")
    if role == "offset":
        return
    refuse(values < 0, f"{_NEEDS[role]} is not negative")
    if role != "sampling_weights":
        advice = "If these are survey weights, give them as sampling_weights" if role == "weights" else "Give counts"
        refuse(values != np.rint(values), f"is that a count? {_NEEDS[role].capitalize()} is a whole number. {advice}")
    if not values.any():
        raise DataError(f"{role}: all are zero, so no row counts")


def _clusters(given: Any, rows: CompleteRows) -> NDArray[np.int64] | None:
    if given is None:
        return None
    if isinstance(given, str):
        codes: NDArray[Any] = rows.groups_of(given)
    else:
        array = np.asarray(given)
        if array.shape != (rows.read,):
            raise OptionError(f"cluster: the array has shape {array.shape}, and the table has {rows.read} rows")
        array = array[rows.kept()]
        missing = np.array([v is None or v in _MISSING for v in array.astype(str).tolist()], dtype=bool)
        codes = np.where(missing, -1, np.unique(array.astype(str), return_inverse=True)[1])
    if (bad := np.flatnonzero(codes < 0)).size:
        raise DataError(f"cluster: {rows.where(int(bad[0]))} has none; every row belongs to a cluster")
    if len(np.unique(codes)) < 2:
        raise DataError("cluster: all rows belong to one cluster, and robust errors need at least two, better forty")
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


_NEEDS = {
    "weights": "a count",
    "sampling_weights": "a sampling weight",
    "offset": "a number to add",
    "trials": "a number of trials",
}
