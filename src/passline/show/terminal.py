"""What a fit, a boundary and a separation look like in a terminal: plain text, as wide as it has to be."""

from __future__ import annotations

import math

from passline.boundary import Boundary
from passline.given_coef import NOTE
from passline.model import Model
from passline.printed import columns, interval, number, p_value, terms_table

__all__ = ["boundary_text", "columns", "error_words", "interval", "number", "p_value", "set_text", "summary"]


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
    statistic = "z" if model.settings.get("df") is None else "t"
    return terms_table(
        model.terms, model.level, statistic=statistic, profile=model.settings.get("interval") == "profile"
    )


def _foot(model: Model) -> list[str]:
    g, c = model.glance, model.certificate
    if model.settings.get("given_coef"):
        return [f"{NOTE[0].upper()}{NOTE[1:]}."]
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
