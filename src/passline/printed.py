"""How numbers and coefficient tables look as plain text: as wide as they have to be, and safe in a terminal."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from passline.model import Terms


def terms_table(
    terms: Terms, level: float = 0.95, *, statistic: str = "z", profile: bool = False, errors: bool = True
) -> str:
    """The coefficient table: one row a term, with errors, tests and intervals of the odds ratio if ``errors``.

    ``statistic``: "z" or "t". ``profile``: whether an estimate that is not finite has a p-value and an interval.
    """
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    percent = f"{100 * level:g} %"
    heads = ["", "estimate", "std. error", statistic, "p", "odds ratio", f"{percent} interval of the odds ratio"]
    shown = range(len(heads)) if errors else (0, 1, 5)
    for place in shown:
        table.add_column(heads[place], justify="left" if place == 0 else "right", no_wrap=True)
    for i, name in enumerate(terms.names):
        cells = [one_line(name), *_cells(terms, i, profile)]
        table.add_row(*(Text(cells[place]) for place in shown))
    return _render(table)


def columns(rows: Sequence[Sequence[str]], heads: Sequence[str]) -> str:
    """A small table of texts, the first column to the left, the others to the right."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for place, head in enumerate(heads):
        table.add_column(Text(head), justify="left" if place == 0 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return _render(table)


def number(value: float | None, digits: int = 4) -> str:
    """A number for reading: four significant digits, without an exponent where it is short."""
    if value is None or math.isnan(value):
        return ""
    if value == 0:
        return "0"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    size = abs(value)
    if not 1e-4 <= size < 1e6:
        return f"{value:.{digits - 1}e}"
    return f"{value:.{max(digits - 1 - math.floor(math.log10(size)), 0)}f}"


def p_value(value: float | None) -> str:
    """A p-value for reading."""
    if value is None or math.isnan(value):
        return ""
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}"


def interval(low: float, high: float) -> str:
    """An interval for reading."""
    return f"{number(low)} to {number(high)}"


def one_line(text: str) -> str:
    """On one line, without characters that move a terminal's cursor."""
    return "".join(c if c.isprintable() else " " for c in text)


def _cells(terms: Terms, i: int, profile: bool) -> list[str]:
    if terms.status[i] == "ok":
        return [
            number(terms.estimate[i]),
            number(terms.std_error[i]),
            "" if math.isnan(terms.statistic[i]) else f"{terms.statistic[i]:.2f}",
            p_value(terms.p_value[i]),
            number(terms.odds_ratio[i]),
            "" if math.isnan(terms.conf_low[i]) else interval(_exp(terms.conf_low[i]), _exp(terms.conf_high[i])),
        ]
    cells = [_WORDS[terms.status[i]].format(limit=(terms.limit[i] or "").replace("inf", "infinite")), *[""] * 5]
    if profile and terms.status[i] != "aliased":
        cells[3], cells[5] = p_value(terms.p_value[i]), _open_interval(terms, i)
    return cells


def _open_interval(terms: Terms, i: int) -> str:
    """The interval of an estimate that is not finite, whose ends a model file leaves out where they are infinite."""
    low, high = terms.conf_low[i], terms.conf_high[i]
    return interval(0.0 if math.isnan(low) else _exp(low), math.inf if math.isnan(high) else _exp(high))


_WORDS = {
    "aliased": "aliased",
    "infinite": "{limit}",
    "undetermined": "undetermined",
    "zero": "0",
}


def _exp(value: float) -> float:
    return math.exp(value) if value < 700 else math.inf


def _render(table: Table) -> str:
    out = io.StringIO()
    # Names of columns decide the width, not the window: a table that is cut off is worse than one that wraps.
    Console(file=out, width=1000, no_color=True, highlight=False).print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip("\n").split("\n"))
