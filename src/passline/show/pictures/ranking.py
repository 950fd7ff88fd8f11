"""How well a score tells the outcomes apart: ROC, precision against recall, and gains, each with its intervals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from passline.evaluation.classification import curve
from passline.evaluation.pointwise import share_interval
from passline.show.pictures.style import CURVE, DOTS, ITEM, LINE, PALE, labelled, legend, percent, shown, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from passline.assessment import Evaluation

Floats = NDArray[np.float64]


def draw_roc(ax: Axes, found: Evaluation) -> None:
    """Sensitivity against 1 - specificity at every threshold, from the highest down."""
    at = curve(found.order)
    won, lost = at["true_positives"][::-1], at["false_positives"][::-1]
    positives, negatives = float(won[-1]), float(lost[-1])
    if positives and negatives:
        x = lost / negatives
        low, high = share_interval(won, np.full(len(won), positives), found.level)
        _line(ax, found, (x, won / positives), (low, high), "the sensitivity")
        decided = found.decision.confusion
        sensitivity, fall_out = decided.true_positives / positives, decided.false_positives / negatives
        if not math.isnan(found.decision.threshold):
            text = f"threshold {found.decision.threshold:.3g}"
            ax.plot([fall_out], [sensitivity], "o", color=LINE, markersize=6.5, label=text, zorder=5)
    ax.plot([0, 1], [0, 1], "--", color=DOTS, linewidth=1.1, zorder=1)
    _square(ax, "1 - specificity: negatives that are called positive", "Sensitivity: positives that are found")
    _told(ax, found, "auc", "AUC")
    legend(ax, loc="lower right")


def draw_precision_recall(ax: Axes, found: Evaluation) -> None:
    """Precision against recall at every threshold that somebody reaches, and the precision of calling everybody."""
    at = curve(found.order)
    called = (at["true_positives"] + at["false_positives"])[::-1]
    won = at["true_positives"][::-1]
    there = called > 0
    positives = float(won[-1])
    if positives:
        low, high = share_interval(won[there], called[there], found.level)
        recall, precision = won[there] / positives, won[there] / called[there]
        _line(ax, found, (recall, precision), (low, high), "the precision", steps=True)
        decided = found.decision.confusion
        if decided.called_positive > 0:
            point = decided.true_positives / positives, decided.true_positives / decided.called_positive
            text = f"threshold {found.decision.threshold:.3g}"
            ax.plot([point[0]], [point[1]], "o", color=LINE, markersize=6.5, label=text, zorder=5)
    text = f"the rate of {shown(found.outcome, ITEM)} = {shown(found.positive, ITEM)}"
    ax.axhline(found.rate, linestyle="--", color=DOTS, linewidth=1.1, label=text, zorder=1)
    _square(ax, "Recall: positives that are found", "Precision: how many that are called positive are")
    _told(ax, found, "average_precision", "average precision")
    legend(ax)


def draw_gains(ax: Axes, found: Evaluation, lift: bool) -> None:
    """What share of the positives is found among the rows of highest probability; or how many times as many."""
    at = curve(found.order)
    called = (at["true_positives"] + at["false_positives"])[::-1]
    won = at["true_positives"][::-1]
    share, positives = called / called[-1], float(won[-1])
    rate = found.rate
    if positives:
        low, high = share_interval(won, np.full(len(won), positives), found.level)
        gain = won / positives
        if lift:
            there = share > 0
            share, gain, low, high = (v[there] for v in (share, gain, low, high))
            gain, low, high = gain / share, low / share, high / share
        _line(ax, found, (share, gain), (low, high), "the lift" if lift else "the gain")
        best = np.linspace(1e-3 if lift else 0.0, 1.0, 400)
        ideal = np.minimum(best / rate, 1.0)
        ax.plot(
            best, ideal / best if lift else ideal, ":", color=DOTS, linewidth=1.3, label="a perfect order", zorder=1
        )
        if lift:
            ax.set_ylim(0.0, 1.15 * min(1.0 / rate, 1.6 * float(gain.max())))
    ax.plot([0, 1], [1, 1] if lift else [0, 1], "--", color=DOTS, linewidth=1.1, label="at random", zorder=1)
    who = f"{shown(found.outcome, ITEM)} = {shown(found.positive, ITEM)}"
    ax.set_xlim(-0.01, 1.01)
    gain_is = f"Times the rate of {who}" if lift else f"Share of {who} among them"
    labelled(ax, "Share of rows, the highest probability first", gain_is)
    if not lift:
        ax.set_ylim(-0.01, 1.03)
    _told(ax, found, "auc", "AUC")
    legend(ax, loc="upper right" if lift else "lower right")


def whose(found: Evaluation) -> str:
    """Whose rows these are: a reader of figures on the rows of the fit has to know that they flatter."""
    rows = found.rows["used"]
    text = f"{rows:,} row{'' if rows == 1 else 's'}"
    return f"apparent: on the rows of the fit ({text})" if found.own_rows else f"on another table ({text})"


def figures(found: Evaluation, measure: str, name: str) -> str:
    """A measure in words: the apparent one with the honest one beside it, or with its interval."""
    one = found.measures[measure]
    if found.own_rows:
        text = f"apparent {name} {_number(one['apparent'])}"
        honest = one["cross_validated"]
        return text if math.isnan(honest) else f"{text}, cross-validated {_number(honest)}"
    text = f"{name} {_number(one['value'])}"
    if one["conf_low"] < one["conf_high"]:
        text += f" ({_number(one['conf_low'])} to {_number(one['conf_high'])})"
    return text


def _number(value: float) -> str:
    return "none" if math.isnan(value) else f"{value:.3f}"


def _told(ax: Axes, found: Evaluation, measure: str, name: str) -> None:
    said = [figures(found, measure, name), whose(found)]
    if not found.independent:
        said.append("no band: rows that belong together or are weighted are no independent trials")
    if found.rate in (0.0, 1.0):
        said.append("there is only one outcome, so there is no curve")
    title(ax, "; ".join(said))


def _line(
    ax: Axes,
    found: Evaluation,
    points: tuple[Floats, Floats],
    band: tuple[Floats, Floats],
    what: str,
    *,
    steps: bool = False,
) -> None:
    x, y = points
    drawn = "steps-pre" if steps else "default"
    # A score of few values has corners, which are its only thresholds.
    marker = "o" if len(x) <= 25 else ""
    ax.plot(x, y, color=CURVE, linewidth=2.2, drawstyle=drawn, marker=marker, markersize=3.5, zorder=3)
    if found.independent:
        label = f"{percent(found.level)} interval of {what} at each threshold"
        ax.fill_between(
            x, *band, color=CURVE, alpha=PALE, linewidth=0, step="pre" if steps else None, label=label, zorder=2
        )


def _square(ax: Axes, x: str, y: str) -> None:
    ax.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.03), xlabel=x, ylabel=y)
