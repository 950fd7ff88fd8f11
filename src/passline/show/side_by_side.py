"""Several models in one table, written as text, Markdown, HTML and LaTeX; and the table of a pooled fit."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from passline.model import Model
from passline.show.terminal import columns, error_words, number, p_value


@dataclass(frozen=True)
class Side:
    """A model and the name it goes by."""

    name: str
    model: Model


@dataclass(frozen=True)
class SideTable:
    """What the formats write: heads over columns, ``terms`` and ``sums`` as rows of cells, the first cell a name."""

    heads: tuple[str, ...]
    terms: tuple[tuple[str, ...], ...]
    sums: tuple[tuple[str, ...], ...]
    note: str


def table_of(sides: Sequence[Side], *, ratio: bool, interval: bool) -> SideTable:
    """The cells of a table: one row a term, in the order in which the models bring them."""
    names = _merged([side.model.terms.names for side in sides])
    terms = tuple((name, *(_cell(side.model, name, ratio, interval) for side in sides)) for name in names)
    sums = [("Rows", *(f"{side.model.glance['nobs']:,}" for side in sides))]
    for head, key in (("Log-likelihood", "log_likelihood"), ("AIC", "aic"), ("BIC", "bic")):
        values = [side.model.glance[key] for side in sides]
        if any(value is not None for value in values):
            sums.append((head, *("" if value is None else f"{value:.2f}" for value in values)))
    words = [error_words(side.model) for side in sides]
    if any(words):
        sums.append(("Standard errors", *(word or "of the model" for word in words)))
    what = "Odds ratios" if ratio else "Log odds"
    level = f"{100 * sides[0].model.level:g} % intervals"
    around = level if interval else "standard errors of the log odds" if ratio else "standard errors"
    return SideTable(("", *(side.name for side in sides)), terms, tuple(sums), f"{what}, with {around} in brackets.")


def as_text(table: SideTable) -> str:
    """For a terminal."""
    rows = [[one_line(cell) for cell in row] for row in (*table.terms, ("",) * len(table.heads), *table.sums)]
    return columns(rows, [one_line(head) for head in table.heads]) + "\n" + table.note


def as_markdown(table: SideTable) -> str:
    """A pipe table, its names escaped."""
    align = "| --- |" + " ---: |" * (len(table.heads) - 1)
    lines = [_pipes([_markdown(head) for head in table.heads]), align]
    lines += [_pipes([_markdown(cell) for cell in row]) for row in (*table.terms, *table.sums)]
    return "\n".join([*lines, "", table.note]) + "\n"


def as_html(table: SideTable) -> str:
    """A table element with scopes for readers of the page aloud, its names escaped."""

    def line(row: Sequence[str]) -> str:
        first, *cells = (html.escape(cell) for cell in row)
        return f'<tr><th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"

    heads = "".join(f'<th scope="col">{html.escape(head)}</th>' for head in table.heads[1:])
    return "\n".join(
        [
            '<table class="passline-side-by-side">',
            f"<caption>{html.escape(table.note)}</caption>",
            f"<thead><tr><td></td>{heads}</tr></thead>",
            "<tbody>",
            *(line(row) for row in table.terms),
            "</tbody>",
            "<tbody>",
            *(line(row) for row in table.sums),
            "</tbody>",
            "</table>",
            "",
        ]
    )


def as_latex(table: SideTable) -> str:
    """A tabular that needs no package, its names escaped."""

    def line(row: Sequence[str]) -> str:
        return " & ".join(_latex(cell) for cell in row) + r" \\"

    return "\n".join(
        [
            r"\begin{tabular}{l" + "r" * (len(table.heads) - 1) + "}",
            r"\hline",
            line(table.heads),
            r"\hline",
            *(line(row) for row in table.terms),
            r"\hline",
            *(line(row) for row in table.sums),
            r"\hline",
            rf"\multicolumn{{{len(table.heads)}}}{{l}}{{{_latex(table.note)}}} \\",
            r"\end{tabular}",
            "",
        ]
    )


FORMATS: Mapping[str, Callable[[SideTable], str]] = {
    "text": as_text,
    "markdown": as_markdown,
    "html": as_html,
    "latex": as_latex,
}


def pooled_text(formula: str, fits: int, nobs: int, rows: Sequence[Mapping[str, Any]], level: float) -> str:
    """The table of a pooled fit."""
    heads = ("", "estimate", "std. error", "t", "df", "p", "odds ratio", f"{100 * level:g} % interval", "missing")
    cells = [
        [
            row["term"],
            number(row["estimate"]),
            number(row["std_error"]),
            "" if row["statistic"] is None else f"{row['statistic']:.2f}",
            "" if row["df"] is None else f"{row['df']:.1f}",
            p_value(row["p_value"]),
            number(row["odds_ratio"]),
            _interval(row["conf_low"], row["conf_high"], ratio=True),
            "" if row["fmi"] is None else f"{100 * row['fmi']:.0f} %",
        ]
        for row in rows
    ]
    foot = "Interval of the odds ratio; missing: the fraction of information that is (Rubin's rules)."
    return "\n".join([formula, f"{fits} imputed tables of {nobs:,} rows, pooled.", columns(cells, heads), foot])


def _cell(model: Model, name: str, ratio: bool, interval: bool) -> str:
    terms = model.terms
    if name not in terms.names:
        return ""
    i = terms.names.index(name)
    status, up = terms.status[i], terms.limit[i] == "+inf"
    if status == "infinite":
        return ("infinite" if up else "0") if ratio else ("+infinite" if up else "-infinite")
    if status != "ok":
        return {"aliased": "aliased", "undetermined": "undetermined"}.get(status, "0")
    value = float(terms.estimate[i])
    shown = number(_exp(value) if ratio else value)
    around = (
        _interval(terms.conf_low[i], terms.conf_high[i], ratio=ratio) if interval else number(float(terms.std_error[i]))
    )
    return f"{shown} ({around})" if around else shown


def _interval(low: float | None, high: float | None, *, ratio: bool) -> str:
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return ""
    ends = (_exp(low), _exp(high)) if ratio else (low, high)
    return f"{number(ends[0])} to {number(ends[1])}"


def _exp(value: float) -> float:
    return math.exp(value) if value < 700 else math.inf


def _merged(lists: Sequence[Sequence[str]]) -> list[str]:
    """All names, a new one before the next name that is there already, else at the end."""
    out: list[str] = []
    for names in lists:
        for place, name in enumerate(names):
            if name not in out:
                later = next((other for other in names[place + 1 :] if other in out), None)
                out.insert(len(out) if later is None else out.index(later), name)
    return out


def one_line(text: str) -> str:
    """On one line, without characters that move a terminal's cursor."""
    return "".join(c if c.isprintable() else " " for c in text)


def _pipes(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _markdown(text: str) -> str:
    # Between pipes a minus or a full stop means nothing; what means something is escaped, markup of pages included.
    return re.sub(r"([\\`*_{}\[\]<>|~#!&$^])", r"\\\1", one_line(text))


_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    **{c: "\\" + c for c in "&%$#_{}"},
}


def _latex(text: str) -> str:
    escaped = "".join(_LATEX.get(c, c) for c in one_line(text)).replace("--", "-{}-")  # no dash of two hyphens
    escaped = re.sub(r"(?<![\w)}])-(?=\d)", "$-$", escaped)  # a minus is longer than a hyphen
    # A line that begins with a bracket would be read as the option of the \\ before it.
    return "{}" + escaped if escaped.startswith("[") else escaped
