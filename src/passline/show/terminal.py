"""What a fit, a boundary and a separation look like in a terminal: plain text, as wide as it has to be."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from passline.boundary import Boundary
from passline.model import Model, Terms

WIDTH = 100


def summary(model: Model) -> str:
    """The coefficient table with what stands above and below it."""
    return "\n".join([*_head(model), "", _table(model), "", *_foot(model)])


def boundary_text(found: Boundary) -> str:
    """A boundary in two or three lines."""
    at = f", at {', '.join(f'{name} = {_short(value)}' for name, value in found.held.items())}" if found.held else ""
    head = f"Probability {found.probability:g} is reached at {found.variable}"
    if math.isnan(found.estimate):
        lines = [f"No estimate{at}: {found.note}."]
        if found.interval == "gap":
            lines += [f"  The gap: {set_text(found)}."] if found.pieces else []
        elif found.pieces or found.interval != "delta":
            lines.append(f"  {100 * found.level:g} % {found.interval} set: {set_text(found)}.")
        return "\n".join(lines)
    lines = [f"{head} = {number(found.estimate, 7)}{at}."]
    error = "" if math.isnan(found.std_error) else f"standard error {number(found.std_error, 6)}; "
    lines.append(f"  {error}{100 * found.level:g} % {found.interval} set: {set_text(found)}.")
    if found.others:
        lines.append("  Also at " + ", ".join(number(value, 7) for value in found.others))
    if found.note:
        lines.append(f"  {found.note[0].upper()}{found.note[1:]}.")
    return "\n".join(lines)


def set_text(found: Boundary, digits: int = 7) -> str:
    """A confidence set in words, with what its shape means."""
    pieces = [(number(low, digits), number(high, digits)) for low, high in found.pieces]
    text = " and ".join(f"{low} to {high}" for low, high in pieces)
    if found.shape == "empty":
        text = "none" if found.interval == "delta" else "none; the data rule every value out"
    elif found.shape == "everything":
        text = "every value; the data rule none out"
    elif found.shape == "unbounded" and found.open_ends[0]:
        text = f"up to {pieces[0][1]}, with no lower end"
    elif found.shape == "unbounded":
        text = f"from {pieces[0][0]} up, with no upper end"
    elif found.shape == "disjoint" and len(pieces) == 2 and all(found.open_ends):
        text = f"every value except {pieces[0][1]} to {pieces[1][0]}; the data do not rule out a flat curve"
    elif found.shape == "disjoint":
        text += f", {len(pieces)} pieces"
    return text


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


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


def _head(model: Model) -> list[str]:
    rows, design = model.rows, model.design
    counted = f"{rows['used']:,} rows" + (
        f", {rows['dropped']:,} more left out as incomplete" if rows["dropped"] else ""
    )
    lines = [
        f"{design.formula}",
        f"{counted}. Probability of {design.outcome} = {design.positive} (against {design.negative}).",
    ]
    if design.references:
        shown = [f"{text} = {level}" for text, level in design.references.items()]
        lines.append("Reference levels: " + ", ".join(shown[:8]) + (", ..." if len(shown) > 8 else "") + ".")
    if model.estimator == "firth":
        lines.append(_firth(model))
    if model.penalty:
        lines.append(_penalised(model))
    return lines


def _penalised(model: Model) -> str:
    penalty = model.penalty
    kind = (
        "" if penalty is None or (penalty.l1 and penalty.l2) else "Lasso penalty " if penalty.l1 else "Ridge penalty "
    )
    line = f"{kind or 'Elastic net, '}{penalty} a row: no standard errors, p-values or intervals."
    if penalty is not None and penalty.l1:
        zeros = model.terms.status.count("zero")
        line += f" {zeros} of {len(model.terms.names) - int(model.design.intercept)} coefficients are exactly zero."
    return line


def _firth(model: Model) -> str:
    kind, terms = model.separation["kind"], model.separation["terms"]
    line = "Estimated under Jeffreys' prior (Firth)"
    if kind != "none":
        word = {"quasi": "quasi-completely", "complete": "completely"}[kind]
        shown = ", ".join(terms[:8]) + (", ..." if len(terms) > 8 else "")
        line += f": the outcome is {word} separated, and maximum likelihood has no finite estimate for {shown}"
    return line + "."


def _rates(model: Model) -> list[str]:
    g, flic = model.glance, model.flic_intercept
    line = f"Observed rate {number(g['observed_rate'])}, mean predicted rate {number(g['mean_predicted_rate'])}"
    if flic is None:
        return [line + "; without an intercept predictions cannot be corrected."]
    return [
        line + f": predictions use the intercept {number(flic, 6)} (FLIC), which makes them agree;",
        "the table and the boundary keep Firth's.",
    ]


def _table(model: Model) -> str:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    percent = f"{100 * model.level:g} %"
    z = "z" if model.settings.get("df") is None else "t"
    heads = ("", "estimate", "std. error", z, "p", "odds ratio", f"{percent} interval of the odds ratio")
    for place, head in enumerate(heads):
        table.add_column(head, justify="left" if place == 0 else "right", no_wrap=True)
    terms = model.terms
    ratio = terms.odds_ratio
    for i, name in enumerate(terms.names):
        if terms.status[i] == "ok":
            cells = [
                number(terms.estimate[i]),
                number(terms.std_error[i]),
                "" if math.isnan(terms.statistic[i]) else f"{terms.statistic[i]:.2f}",
                p_value(terms.p_value[i]),
                number(ratio[i]),
                "" if math.isnan(terms.conf_low[i]) else interval(_exp(terms.conf_low[i]), _exp(terms.conf_high[i])),
            ]
        else:
            cells = [_WORDS[terms.status[i]].format(limit=(terms.limit[i] or "").replace("inf", "infinite")), *[""] * 5]
            if model.settings.get("interval") == "profile" and terms.status[i] != "aliased":
                cells[3], cells[5] = p_value(terms.p_value[i]), _open_interval(terms, i)
        table.add_row(Text(name), *(Text(cell) for cell in cells))
    return _render(table)


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


def _foot(model: Model) -> list[str]:
    g, c = model.glance, model.certificate
    intercept = int(model.design.intercept)
    errors = error_words(model)
    lines = [f"Standard errors: {errors}."] if errors else []
    if g["log_likelihood"] is None:
        fit_line = "Sampling weights make no likelihood: there is no deviance, AIC or BIC"
    else:
        fit_line = (
            f"Log-likelihood {number(g['log_likelihood'], 6)}; deviance {number(g['deviance'], 6)} on "
            f"{g['df_residual']} degrees of freedom (null {number(g['null_deviance'], 6)} on {g['nobs'] - intercept})"
        )
    if g["aic"] is not None:
        fit_line += f"; AIC {number(g['aic'], 6)}; BIC {number(g['bic'], 6)}"
    if "penalised_log_likelihood" in g:
        fit_line += f"; penalised log-likelihood {number(g['penalised_log_likelihood'], 6)}"
    lines.append(fit_line + ".")
    if model.estimator == "firth":
        lines += _rates(model)
    if g["auc_apparent"] is not None:
        lines.append(f"AUC {g['auc_apparent']:.3f}, apparent: on the rows of the fit.")
    if model.settings.get("interval") == "profile":
        lines.append("Intervals are profile-likelihood intervals, p-values those of likelihood-ratio tests.")
    word = "Converged" if c["converged"] else "NOT CONVERGED"
    left = f"step left {c['max_step_in_se']:.0e} standard errors"
    if c["gap"] is not None:
        left = f"duality gap {c['gap']:.0e}"
    lines.append(
        f"{word}: gradient {c['gradient_norm']:.0e}, {left}, "
        f"{c['passes']} passes over the rows ({c['solver']}, {c['seconds']:.2g} s)."
    )
    return lines


def error_words(model: Model) -> str:
    """What the standard errors are where they are not the model's own; "" where they are."""
    settings = model.settings
    if settings.get("robust"):
        kind = f"robust ({settings['robust'].upper()})"
        return f"{kind}, {settings['clusters']} clusters" if settings.get("clusters") else kind
    if settings.get("df") is not None:
        return f"with the dispersion {number(model.glance['dispersion'])} of the rows; t on {settings['df']:.0f} df"
    return ""


def _exp(value: float) -> float:
    return math.exp(value) if value < 700 else math.inf


def _render(table: Table) -> str:
    out = io.StringIO()
    # Names of columns decide the width, not the window: a table that is cut off is worse than one that wraps.
    Console(file=out, width=1000, no_color=True, highlight=False).print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip("\n").split("\n"))


def columns(rows: Sequence[Sequence[str]], heads: Sequence[str]) -> str:
    """A small table of texts, the first column to the left, the others to the right."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for place, head in enumerate(heads):
        table.add_column(Text(head), justify="left" if place == 0 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return _render(table)
