"""Whether the probabilities hold: rates against probabilities by bins, the recalibration line, and who has which."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from passline.engine.likelihood import mean
from passline.evaluation.discrimination import STEPS
from passline.evaluation.pointwise import share_interval
from passline.show.pictures.ranking import figures, whose
from passline.show.pictures.style import CURVE, DOTS, ITEM, SECOND, legend, percent, shown, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from passline.assessment import Evaluation

BARS = 40
# Where the histogram stands under the diagonal: its ground, and how high its highest bar is.
GROUND, HEIGHT = -0.155, 0.095


def draw_calibration(ax: Axes, found: Evaluation) -> None:
    """Draw the reliability diagram, and under it the histogram of the probabilities by outcome."""
    ax.plot([0, 1], [0, 1], "--", color=DOTS, linewidth=1.1, label="perfect", zorder=1)
    _recalibration(ax, found)
    _bins(ax, found)
    _histogram(ax, found)
    who = f"{shown(found.outcome, ITEM)} = {shown(found.positive, ITEM)}"
    ax.set(
        xlim=(-0.02, 1.02),
        ylim=(GROUND - HEIGHT - 0.03, 1.04),
        xlabel=f"Probability of {who}",
        ylabel=f"Rate of {who}",
    )
    sides = [shown(found.negative, 12), shown(found.positive, 12)]
    rates = np.linspace(0.0, 1.0, 6)
    ax.set_yticks([GROUND - HEIGHT / 2, GROUND + HEIGHT / 2, *rates], [*sides, *(f"{rate:.1f}" for rate in rates)])
    said = [figures(found, "calibration_slope", "slope"), figures(found, "brier", "Brier score"), whose(found)]
    if not found.independent:
        said.append("no intervals: rows that belong together or are weighted are no independent trials")
    title(ax, "; ".join(said))
    legend(ax, loc="upper left")


def _bins(ax: Axes, found: Evaluation) -> None:
    bins = found.bins
    if found.independent:
        low, high = share_interval(bins.weight * bins.observed, bins.weight, found.level)
        ends = np.maximum(np.stack([bins.observed - low, high - bins.observed]), 0.0)
        label = f"{percent(found.level)} interval of the rate"
        ax.errorbar(bins.predicted, bins.observed, ends, fmt="none", ecolor=CURVE, elinewidth=1.3, capsize=3, zorder=3)
        ax.plot([], [], "|", color=CURVE, markersize=9, markeredgewidth=1.3, label=label)
    many, of_what = len(bins.weight), "width" if found.binning.kind == "width" else "numbers of rows"
    label = "1 bin" if many == 1 else f"{many} bins of equal {of_what}"
    ax.plot(bins.predicted, bins.observed, "o", color=CURVE, markersize=6, label=label, zorder=4)


def _recalibration(ax: Axes, found: Evaluation) -> None:
    kind = "apparent" if found.own_rows else "value"
    a, b = (found.measures[name][kind] for name in ("calibration_intercept", "calibration_slope"))
    if math.isnan(a) or math.isnan(b):
        return
    p = mean(found.order.score / STEPS)
    low, high = max(float(p[0]), 1e-6), min(float(p[-1]), 1 - 1e-6)
    if not low < high:
        return
    t = np.linspace(math.log(low / (1 - low)), math.log(high / (1 - high)), 200)
    label = f"recalibrated: logit = {round(a, 2) + 0.0:.2f} + {b:.2f} logit"
    ax.plot(mean(t), mean(a + b * t), color=SECOND, linewidth=2, label=label, zorder=2)


def _histogram(ax: Axes, found: Evaluation) -> None:
    """Bars of the positives upwards and of the negatives downwards, under the diagram."""
    p = mean(found.order.score / STEPS / 2 + found.order.highest / STEPS / 2)
    place = np.minimum((p * BARS).astype(int), BARS - 1)
    up, down = (np.bincount(place, values, BARS) for values in (found.order.successes, found.order.failures))
    tallest = float(max(up.max(), down.max()))
    left, width = np.arange(BARS) / BARS, 0.9 / BARS
    for values, sign, colour in ((up, 1.0, CURVE), (down, -1.0, DOTS)):
        height = sign * HEIGHT * values / tallest
        ax.bar(left, height, width, bottom=GROUND, align="edge", color=colour, alpha=0.75, linewidth=0, zorder=2)
    ax.axhline(GROUND, color=DOTS, linewidth=0.8, zorder=1)
