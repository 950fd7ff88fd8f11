"""The coefficient table as a picture: odds ratios with intervals, and words where there is no number."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from passline.errors import OptionError
from passline.model import Model, Terms
from passline.show.pictures.style import CURVE, DOTS, LINE, WORDS, labelled, percent, shown, title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

# Terms that one picture shows; of more those that are furthest from none in their standard errors.
MOST = 50
# An axis ends where an odds ratio says nothing any more.
FURTHEST = math.log(1e12)


def height(model: Model, intercept: bool) -> float:
    """How high the figure has to be, in inches."""
    return 1.35 + 0.31 * max(len(_chosen(model, intercept)), 3)


def draw_coefficients(ax: Axes, model: Model, intercept: bool) -> None:
    """Draw one line a term, the first of the table on top."""
    chosen, terms = _chosen(model, intercept), model.terms
    if not chosen:
        raise OptionError(
            "the model has no term but the intercept, so there is no odds ratio to draw; in Python intercept=True "
            "draws that of the intercept"
        )
    low, high = _reach(terms, chosen)
    for place, i in enumerate(chosen):
        _draw_term(ax, terms, i, place, (low, high))
    ax.axvline(1.0, color=LINE, linewidth=1.2, zorder=1)
    ax.set_xscale("log")
    _ticks(ax, low, high)
    ax.set_yticks(range(len(chosen)), [shown(terms.names[i], 34) for i in chosen])
    ax.set_ylim(len(chosen) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(math.exp(low), math.exp(high))
    design = model.design
    labelled(ax, f"Odds ratio for {shown(design.outcome, 30)} = {shown(design.positive, 30)}, for one unit more")
    title(ax, "; ".join(_said(model, chosen, intercept)))


def _chosen(model: Model, intercept: bool) -> list[int]:
    terms = model.terms
    every = [i for i in range(len(terms.names)) if intercept or not (i == 0 and model.design.intercept)]
    if len(every) <= MOST:
        return every
    size = np.abs(terms.statistic if np.isfinite(terms.statistic).any() else terms.estimate)
    odd = [i for i in every if terms.status[i] not in ("ok", "zero")]  # nothing without a number is dropped in silence
    far = sorted((i for i in every if i not in set(odd)), key=lambda i: -float(np.nan_to_num(size[i], nan=-1.0)))
    return sorted([*odd, *far][:MOST])


def _reach(terms: Terms, chosen: Sequence[int]) -> tuple[float, float]:
    """Where the axis begins and ends, as logarithms: all estimates, and intervals as far as these allow."""
    at = np.array(chosen)
    estimates = terms.estimate[at][np.isfinite(terms.estimate[at])]
    ends = np.concatenate([terms.conf_low[at], terms.conf_high[at]])
    ends = ends[np.isfinite(ends)]
    spread = max(float(np.abs(estimates).max(initial=0.0)), 0.35)
    # One endless interval must not press all others together.
    ends = ends[np.abs(ends) <= 4.0 * spread + 2.0]
    every = np.clip(np.concatenate([estimates, ends, [0.0]]), -FURTHEST, FURTHEST)
    low, high = float(every.min()), float(every.max())
    room = 0.08 * (high - low) + 0.08
    odd = any(terms.status[i] not in ("ok", "zero") for i in chosen)
    wide = 0.35 * (high - low) + 0.25 if odd else 0.0
    return low - room - (wide if "-inf" in [terms.limit[i] for i in chosen] else 0.0), high + room + wide


def _draw_term(ax: Axes, terms: Terms, i: int, place: int, reach: tuple[float, float]) -> None:
    status = terms.status[i]
    if status == "infinite":
        _draw_infinite(ax, up=terms.limit[i] == "+inf", place=place, reach=reach)
        return
    if status in ("undetermined", "aliased"):
        words = {"undetermined": "undetermined: separated", "aliased": "aliased: repeats other terms"}[status]
        ax.text(1.0, place, f"  {words}", va="center", fontsize=9, color=WORDS, style="italic", zorder=4)
        return
    value, low, high = (float(v[i]) for v in (terms.estimate, terms.conf_low, terms.conf_high))
    inside = [min(max(end, reach[0]), reach[1]) for end in (low, value, high)]
    if not (math.isnan(low) or math.isnan(high)):
        ax.plot(np.exp([inside[0], inside[2]]), [place, place], color=CURVE, linewidth=2, zorder=2)
        for end, edge, arrow in ((low, reach[0], "<"), (high, reach[1], ">")):
            beyond = end < edge if arrow == "<" else end > edge
            if beyond:
                ax.plot([math.exp(edge)], [place], arrow, color=CURVE, markersize=8, clip_on=False, zorder=4)
    if status == "zero":
        ax.text(1.0, place, "  zero: penalised away", va="center", fontsize=9, color=DOTS, style="italic", zorder=4)
    if not reach[0] <= value <= reach[1]:
        text = f"  beyond the axis: a coefficient of {value:.3g}"
        ax.text(1.0, place - 0.25, text, va="center", fontsize=9, color=WORDS, style="italic", zorder=4)
        return
    filled = CURVE if status == "ok" else "white"
    ax.plot([math.exp(inside[1])], [place], "o", color=CURVE, markerfacecolor=filled, markersize=7, zorder=5)


def _draw_infinite(ax: Axes, *, up: bool, place: int, reach: tuple[float, float]) -> None:
    end = math.exp(reach[1] if up else reach[0])
    ax.annotate(
        "",
        (end, place),
        (1.0, place),
        arrowprops={
            "arrowstyle": "-|>",
            "color": WORDS,
            "linewidth": 1.6,
            "linestyle": "--",
            "shrinkA": 0,
            "shrinkB": 0,
        },
        zorder=3,
    )
    ax.annotate(
        "infinite: separated" if up else "zero in the limit: separated",
        (1.0, place),
        (5 if up else -5, 5),
        textcoords="offset points",
        ha="left" if up else "right",
        fontsize=9,
        color=WORDS,
        style="italic",
        zorder=4,
    )


def _ticks(ax: Axes, low: float, high: float) -> None:
    """Ratios that people say: 1, 2, 5 of each ten where the axis is short, powers of ten where it is long."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

    decades = (high - low) / math.log(10.0)
    step = max(1, math.ceil(decades / 8))
    exponents = range(math.floor(low / math.log(10.0)), math.ceil(high / math.log(10.0)) + 1)
    if decades < 0.6:
        marks = [round(0.1 * k, 1) for k in range(1, 51)]
    elif decades <= 3.5:
        marks = [m * 10.0**e for e in exponents for m in (1, 2, 5)]
    else:
        marks = [10.0**e for e in exponents if e % step == 0]
    marks = [mark for mark in marks if math.exp(low) <= mark <= math.exp(high)]
    if not marks or marks == [1.0]:
        marks = sorted({float(f"{math.exp(low * 0.9):.3g}"), 1.0, float(f"{math.exp(high * 0.9):.3g}")})
    ax.xaxis.set_major_locator(FixedLocator(marks))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_minor_formatter(NullFormatter())


def _said(model: Model, chosen: Sequence[int], intercept: bool) -> list[str]:
    terms, settings = model.terms, model.settings
    said = []
    if any(math.isfinite(terms.conf_low[i]) or math.isfinite(terms.conf_high[i]) for i in chosen):
        kind = "profile" if settings.get("interval") == "profile" else "Wald"
        robust = settings.get("robust")
        said.append(f"{percent(model.level)} {kind} intervals" + (f", robust ({shown(robust, 8)})" if robust else ""))
    elif model.penalty:
        said.append("penalised: such estimates have no intervals")
    else:
        said.append("no intervals exist")
    every = len(terms.names) - int(model.design.intercept and not intercept)
    if len(chosen) < every:
        said.append(f"the {len(chosen)} of {every:,} terms furthest from none")
    return said
