"""What each predictor does to the probability: a curve with its band, or points with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from passline.effect_curves import EffectCurve
from passline.show.pictures.curve import held_in_words, probability_of
from passline.show.pictures.style import (
    CURVE,
    DOTS,
    ITEM,
    PALE,
    WORDS,
    labelled,
    legend,
    percent,
    shown,
    title,
    wrapped,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from matplotlib.axes import Axes

    from passline.facade import Fit

# With so many levels or more their names are written aslant.
MANY = 6
# Predictors that one figure of all of them shows.
PANELS = 12


def draw_effect(ax: Axes, found: EffectCurve, fit: Fit) -> None:
    """Draw one predictor's effect."""
    design = fit.model.design
    if isinstance(found.values[0], str) or len(found.values) <= 2:
        _draw_points(ax, found, fit.model.summaries[found.variable])
    else:
        _draw_line(ax, found, fit.model.summaries[found.variable])
    ax.set_ylim(-0.03, 1.03)
    labelled(ax, shown(found.variable), probability_of(design.outcome, design.positive))
    if not np.isfinite(found.probability).any():
        words = "separated: no probability is determined"
        ax.text(
            0.5, 0.5, words, transform=ax.transAxes, ha="center", color=WORDS, style="italic", fontsize=9, wrap=True
        )
    title(ax, "; ".join([_how(found), *(shown(note, 200) for note in found.notes)]))
    legend(ax)


def draw_effects(axes: Sequence[Axes], found: Sequence[EffectCurve], fit: Fit, *, columns: int, of: int) -> None:
    """Draw several predictors' effects side by side; the words that hold for all stand above them once."""
    for i, (ax, one) in enumerate(zip(axes, found, strict=True)):
        draw_effect(ax, one, fit)
        ax.set(title="", xlabel=shown(one.variable, ITEM))
        ax.set_title("", loc="left")
        if (drawn := ax.get_legend()) is not None:
            drawn.remove()
        if i % columns:
            ax.set_ylabel("")
    figure = axes[0].get_figure(root=True)
    assert figure is not None
    said = dict.fromkeys(shown(note, 200) for one in found for note in one.notes)
    averaged = found[0].method == "averaged"
    how = _how(found[0]) if averaged else "the others held at their means and most frequent levels, or as asked"
    band = f"{percent(found[0].level)} intervals"
    some = [f"the first {len(found)} of {of} predictors"] if of > len(found) else []
    figure.suptitle(
        wrapped("; ".join([*some, how, band, *said]), 46 * columns), x=0.01, ha="left", fontsize=9, color=DOTS
    )


def _how(found: EffectCurve) -> str:
    if found.method == "averaged":
        return f"averaged over {found.rows:,} rows, the other predictors as they are in each"
    return f"held at {held_in_words(found.held)}" if found.held else "the only predictor"


def _draw_line(ax: Axes, found: EffectCurve, summary: Mapping[str, Any]) -> None:
    x = np.array(found.values, dtype=np.float64)
    ax.plot(x, found.probability, color=CURVE, linewidth=2.4, zorder=3)
    if np.isfinite(found.conf_low).any():
        label = f"{percent(found.level)} interval"
        ax.fill_between(x, found.conf_low, found.conf_high, color=CURVE, alpha=PALE, linewidth=0, label=label, zorder=2)
    # Where the rows are: a strip that is darker the more of them a bin holds.
    count = np.array(summary["count"], dtype=np.float64) if "min" in summary else np.zeros(0)
    if count.any():
        edges = np.linspace(summary["min"], summary["max"], len(count) + 1)
        for a, b, share in zip(edges[:-1], edges[1:], count / count.max(), strict=True):
            ax.axvspan(a, b, 0.0, 0.022, facecolor=DOTS, alpha=0.9 * share**0.5, linewidth=0, zorder=1)


def _draw_points(ax: Axes, found: EffectCurve, summary: Mapping[str, Any]) -> None:
    place = np.arange(len(found.values))
    if np.isfinite(found.conf_low).any():
        ends = np.stack([found.probability - found.conf_low, found.conf_high - found.probability])
        label = f"{percent(found.level)} interval"
        ax.errorbar(
            place, found.probability, ends, fmt="none", ecolor=CURVE, elinewidth=1.6, capsize=4, label=label, zorder=2
        )
    ax.plot(place, found.probability, "o", color=CURVE, markersize=7, zorder=3)
    count = dict(zip((str(level) for level in summary.get("levels", ())), summary.get("count", ()), strict=False))
    names = [shown(value, 18) if isinstance(value, str) else f"{value:g}" for value in found.values]
    if count and len(names) < MANY:
        names = [f"{text}\n({count[str(value)]:,.6g} rows)" for text, value in zip(names, found.values, strict=True)]
    aslant = len(names) >= MANY
    ax.set_xticks(
        place,
        names,
        rotation=35 if aslant else 0,
        ha="right" if aslant else "center",
        rotation_mode="anchor" if aslant else "default",
        fontsize=9,
    )
    ax.set_xlim(-0.6, len(place) - 0.4)
