"""The reference tables and what is known to be true of them; README.md names the source."""

from __future__ import annotations

import csv
import functools
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class ReferenceTable:
    """One table: its name, its CSV text (header, no missing cells, `y` in {0, 1}), its entry of expected.json."""

    name: str
    text: str
    expected: dict[str, Any]

    @property
    def predictors(self) -> dict[str, str]:
        """Column -> `num` or `cat`, in the order of the formula."""
        return self.expected["predictors"]

    @property
    def formula(self) -> str:
        """`y ~` all predictors, each in backticks."""
        return "y ~ " + " + ".join(f"`{name}`" for name in self.predictors)

    def columns(self) -> dict[str, list[float] | list[str]]:
        """The table as lists: `y` and the `num` predictors as float, the `cat` predictors as text."""
        header, *rows = csv.reader(io.StringIO(self.text, newline=""))
        return {
            name: [row[place] for row in rows]
            if self.predictors.get(name) == "cat"
            else [float(row[place]) for row in rows]
            for place, name in enumerate(header)
        }

    def write(self, folder: Path) -> Path:
        """Write the CSV file into a folder and say where it lies."""
        path = folder / f"{self.name}.csv"
        path.write_text(self.text, encoding="utf-8", newline="")
        return path


def reference_tables() -> Iterator[ReferenceTable]:
    """All tables, in the order of expected.json."""
    with zipfile.ZipFile(_HERE / "tables.zip") as tables:
        for expected in _expected():
            name = expected["name"]
            yield ReferenceTable(name, tables.read(f"{name}.csv").decode("utf-8"), expected)


@functools.cache
def _expected() -> list[dict[str, Any]]:
    return json.loads((_HERE / "expected.json").read_text(encoding="utf-8"))
