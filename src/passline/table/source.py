"""What a source of rows is, and the two forms in which its columns are staged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb
    from numpy.typing import NDArray

Kind: TypeAlias = Literal["number", "boolean", "category", "mixed", "other"]


@dataclass(frozen=True)
class Column:
    name: str
    kind: Kind
    type_name: str
    order: tuple[str, ...] | None = None


class Source(Protocol):
    label: str
    columns: Mapping[str, Column]
    native: Literal["path", "pandas", "polars", "pyarrow", "dict"]

    def stage(self, names: Sequence[str], kinds: Mapping[str, Kind]) -> Relation | Frame: ...


@dataclass
class Relation:
    connection: duckdb.DuckDBPyConnection
    table: str
    identifiers: Mapping[str, str]
    columns: Mapping[str, Column]
    rows: int
    label: str

    def where(self, row: int) -> str:
        return f"{self.label}, row {row + 1}"


@dataclass
class Frame:
    arrays: Mapping[str, NDArray[Any]]
    values: Mapping[str, tuple[str, ...]]
    columns: Mapping[str, Column]
    rows: int
    label: str

    def where(self, row: int) -> str:
        return f"{self.label}, row {row + 1}"


_ = np
