"""What single rows, and bins of them, say against a fit: residuals by bins, and influence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from passline.errors import OptionError
from passline.evaluation.binned_residuals import binned_residuals
from passline.inference.influence import leverage
from passline.inference.residuals import pearson_residuals
from passline.show.pictures.style import (
    CURVE,
    DOTS,
    ITEM,
    LINE,
    PALE,
    SECOND,
    WORDS,
    ground,
    labelled,
    legend,
    shown,
    title,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from passline.evaluated import Judged
    from passline.facade import Fit
    from passline.fitting import Fitted

Floats = NDArray[np.float64]

# Rows that one picture of influence shows, and those of them that get a number.
MOST_ROWS, NAMED = 5_000, 5


def draw_residuals(ax: Axes, fit: Fit, judged: Judged, along: tuple[str, Floats] | None, bins: int | None) -> None:
    """Draw mean residuals by bins of the probability, or of a predictor, with twice their standard error about zero."""
    found = binned_residuals(judged.scored, None if along is None else along[1], bins)
    x, reach = found.along, 2.0 * found.std_error
    ax.fill_between(x, -reach, reach, color=CURVE, alpha=PALE, linewidth=0, label="\u00b1 2 standard errors", zorder=1)
    ax.plot(x, reach, color=CURVE, linewidth=1, alpha=0.6, zorder=2)
    ax.plot(x, -reach, color=CURVE, linewidth=1, alpha=0.6, zorder=2)
    ax.axhline(0.0, color=LINE, linewidth=1.2, zorder=1)
    out = np.abs(found.residual) > reach
    ax.plot(x[~out], found.residual[~out], "o", color=CURVE, markersize=5.5, zorder=3)
    if out.any():
        ax.plot(x[out], found.residual[out], "D", color=SECOND, markersize=6, label="beyond them", zorder=4)
    # A bin of few rows, as ties leave them, has a wide interval that would press all others together.
    high = 1.25 * max(float(np.abs(found.residual).max()), float(np.quantile(reach, 0.9)), 1e-3)
    ax.set_ylim(-high, high)
    design = fit.model.design
    who = f"{shown(design.outcome, ITEM)} = {shown(design.positive, ITEM)}"
    x_is = f"Probability of {who}" if along is None else shown(along[0])
    labelled(ax, x_is, f"Rate of {who} less the mean probability")
    whose = "on the rows of the fit" if judged.own_rows else "on another table"
    k = len(x)
    many = f"{int(out.sum())} of {k} bin{'' if k == 1 else 's'} beyond two standard errors (about 5 % are by chance)"
    title(ax, f"{many}; {whose}")
    legend(ax)


def draw_influence(ax: Axes, fitted: Fitted) -> None:
    """Draw residuals against leverage, their area Cook's distance; raises OptionError where there is no influence."""
    sample, outcome = fitted.sample, fitted.outcome
    found = leverage(sample, outcome)
    hat, distance = found.hat, found.cooks_distance
    with np.errstate(divide="ignore", invalid="ignore"):
        residual = pearson_residuals(sample, outcome) / np.sqrt(np.where(hat < 1.0, 1.0 - hat, np.nan))
    there = np.flatnonzero(np.isfinite(hat) & np.isfinite(residual) & (sample.weight > 0))
    if not len(there):
        raise OptionError(
            "no row has an influence that can be drawn: under separation or a penalty there is no covariance "
            'to measure it in; estimator="firth" has one under separation'
        )
    order = there[np.argsort(-distance[there], kind="stable")]
    kept = order[:MOST_ROWS]
    area = 8 + 320 * distance[kept] / max(float(distance[kept[0]]), 1e-300)
    colour = [CURVE if y > 0.5 else DOTS for y in sample.y[kept]]
    ax.scatter(hat[kept], residual[kept], s=area, c=colour, alpha=0.55, linewidth=0, zorder=2)
    ax.axhline(0.0, color=LINE, linewidth=1.2, zorder=1)
    usual = outcome.rank / max(float(sample.units.sum()), 1.0)
    ax.axvline(2 * usual, linestyle=":", color=DOTS, linewidth=1.2, zorder=1)
    for place, i in enumerate(kept[:NAMED]):
        text = fitted.learned.rows.where(int(i)).rsplit(", ", 1)[-1]  # where in the table, without its name
        away = (7, -12 if place % 2 else 6)
        at = (hat[i], residual[i])
        ax.annotate(shown(text, 24), at, away, textcoords="offset points", fontsize=8.5, color=WORDS, bbox=ground())
    ax.margins(0.08)
    ax.set(xlabel="Leverage", ylabel="Standardised Pearson residual")
    text = f"area: Cook's distance, the largest {distance[kept[0]]:.3g}; dotted: twice the mean leverage"
    if len(kept) < len(order):
        text += f"; the {len(kept):,} most influential of {len(order):,} rows"
    title(ax, text)
