"""Answers as frames of the library that the data came in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from passline.table.columns import Native


def as_native(columns: Mapping[str, Sequence[Any]], native: Native) -> Any:
    """A pandas or polars frame or an Arrow table of ``columns``; for a dict of arrays a dict of lists.

    For a path pandas answers where it is installed, else a dict of lists.
    """
    if native == "polars":
        import polars

        return polars.DataFrame(dict(columns), strict=False)
    if native == "pyarrow":
        import pyarrow

        return pyarrow.table(dict(columns))
    if native in ("pandas", "path"):
        try:
            import pandas
        except ImportError:
            return dict(columns)
        # A missing number is NaN there, so that the column stays one of numbers.
        return pandas.DataFrame({name: pandas.Series(list(values)) for name, values in columns.items()})
    return dict(columns)
