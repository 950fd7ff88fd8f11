"""Reports as files, and a reader that takes their tables apart."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import passline
from browser import browser, context, page, playwright

NASTY = (
    "<script>document.title='run'</script>",
    "<img src=x onerror=\"document.title='run'\">",
    "</script><script>document.title='run'</script>",
    "\"'><svg/onload=document.title='run'>&amp;{}",
    "a\u2069\u202eb\u2067c\u200f",
    "tab\tnew\nline\x01\x7f",
    "n" * 500,
)


def quiet(*arguments: Any, **options: Any) -> passline.Fit:
    """A fit whose warnings are not the test's subject."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return passline.fit(*arguments, **options)


def nasty_table(rows: int = 60) -> tuple[str, dict[str, Any]]:
    """A formula and a table whose names and levels are hostile."""
    generator = np.random.default_rng(1)
    levels = np.array(NASTY)
    columns: dict[str, Any] = {name: generator.normal(size=rows) for name in NASTY[:4]}
    columns[NASTY[4]] = levels[generator.integers(0, len(levels), rows)].tolist()
    columns[NASTY[6]] = generator.integers(0, 2, rows).astype(float)
    columns["<b>outcome"] = np.array(["<i>no", "<i>yes"])[generator.integers(0, 2, rows)].tolist()
    quoted = ["`" + name.replace("`", "``") + "`" for name in columns if name != "<b>outcome"]
    return "`<b>outcome` ~ " + " + ".join(quoted), columns


class _Tables(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.text: list[str] = []
        self._caption, self._rows, self._cell, self._skip = "", [], None, 0  # type: ignore[var-annotated]  # of lists

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag in ("script", "style"):
            self._skip += 1
        if tag == "table":
            self._rows = []
        if tag == "tr":
            self._rows.append([])
        if tag in ("td", "th", "caption"):
            self._cell = []

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._skip -= 1
        if tag == "caption":
            self._caption = "".join(self._cell or [])
        if tag in ("td", "th"):
            self._rows[-1].append("".join(self._cell or []))
        if tag == "table":
            self.tables[self._caption] = self._rows

    def handle_data(self, data: str) -> None:
        if not self._skip:
            self.text.append(data)
            if self._cell is not None:
                self._cell.append(data)


class Read:
    """What a person reads in a report: its tables by their captions, and all of its text."""

    def __init__(self, path: Path) -> None:
        self.source = path.read_text(encoding="utf-8")
        parser = _Tables()
        parser.feed(self.source)
        self.tables = parser.tables
        self.text = " ".join("".join(parser.text).split())


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Read]:
    """`read(fit, data, cost=(1, 4))`: the report of a fit, read."""

    def write(fit: passline.Fit, data: Any = None, **options: Any) -> Read:
        fit.report(tmp_path / "report.html", data, **options)
        return Read(tmp_path / "report.html")

    return write
