"""The probability along one number: its band, the rows as dots and ticks, the red line, and where they meet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from passline.engine.likelihood import mean
from passline.errors import OptionError
from passline.model import Model
from passline.section import Section, section
from passline.show.pictures.style import (
    CURVE,
    DOTS,
    ITEM,
    LINE,
    PALE,
    WORDS,
    ground,
    labelled,
    legend,
    percent,
    shown,
    title,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from passline.boundary import Boundary
    from passline.facade import Fit
    from passline.fitting import Fitted

Floats = NDArray[np.float64]
Rows = Literal["auto", "dots", "rug", "none"]

POINTS = 300
# Up to so many rows that are at hand each is a tick at the edge.
FEW_ROWS = 500
# Of more rows there are more values than can be told apart, and the bins say what they say.
MOST_ROWS = 1_000_000
BOTTOM, TOP = -0.06, 1.06


def draw_curve(
    ax: Axes, fit: Fit, variable: str | None, at: Mapping[str, Any] | None, *, level: float, rows: Rows
) -> None:
    """Draw the curve along ``variable`` (the model's first number if not said), the others held ``at``."""
    if rows not in get_args(Rows):
        raise OptionError(f"rows is {rows!r}: choose one of {', '.join(get_args(Rows))}")
    model = fit.model
    along = section(model, variable or _first_number(model), at)
    margin = 0.04 * (along.high - along.low) or 1.0
    x = _grid(along, along.low - margin, along.high + margin)
    _line_and_band(ax, model, along, x, level)
    own = _own(fit.rows, along.variable) if rows != "none" else None
    if rows in ("auto", "dots"):
        _dots(ax, model.summaries[along.variable], own)
    single = fit.rows is not None and not fit.rows.sample.grouped and fit.rows.learned.rows.size <= FEW_ROWS
    if rows == "rug" or (rows == "auto" and single):
        _rug(ax, own)
    ax.axhline(0.5, color=LINE, linewidth=1.2, zorder=1)
    ax.set(ylim=(BOTTOM, TOP))
    if len(model.directions):
        _gap(ax, fit.boundary(along.variable, at=at, interval="delta", level=level), x)
    else:
        _boundary(ax, fit.boundary(along.variable, at=at, level=level), x)
    design = model.design
    labelled(ax, shown(along.variable), probability_of(design.outcome, design.positive))
    if along.held:
        dots = "; the dots are all rows, whatever their other predictors" if rows in ("auto", "dots") else ""
        title(ax, f"held at {held_in_words(along.held)}{dots}")
    rises = float(along.rows(x[[0, -1]]) @ model.coef @ [-1.0, 1.0]) > 0  # its empty corner is below, or above
    corner = ("lower right", (1.0, 0.07)) if rises else ("upper right", (1.0, 0.93))
    legend(ax, loc=corner[0], bbox_to_anchor=corner[1])


def probability_of(outcome: str, positive: str) -> str:
    """The label of an axis of probabilities."""
    return f"Probability of {shown(outcome, ITEM)} = {shown(positive, ITEM)}"


def held_in_words(held: Mapping[str, Any]) -> str:
    """Which values the other predictors have, for a title."""
    return ", ".join(
        f"{shown(name, ITEM)} = {f'{value:.4g}' if isinstance(value, float) else shown(value, ITEM)}"
        for name, value in held.items()
    )


def _first_number(model: Model) -> str:
    for name in model.design.variables:
        if model.summaries[name]["kind"] == "number":
            return name
    raise OptionError(
        "the model has no predictor that is a number, so there is no curve to draw along one: draw the effect of a "
        "category (effect)"
    )


def _grid(along: Section, low: float, high: float) -> Floats:
    """Values from low to high; only the range of the data where a function ends there, as log does at zero."""
    expression = along.expression()
    if expression is None or not np.isfinite(along.value(expression, np.array([low, high]))).all():
        low, high = along.low, along.high
    return np.linspace(low, high, POINTS)


def _line_and_band(ax: Axes, model: Model, along: Section, x: Floats, level: float) -> None:
    data = {name: [value] * len(x) for name, value in along.held.items()} | {along.variable: x}
    # The line of the table, which the boundary lies on; the band is about it.
    ax.plot(x, model.predict(data, flic=False), color=CURVE, linewidth=2.4, zorder=3)
    if len(model.directions):
        return
    groups, _ = model.groups(model.frame(data))
    eta = model.linear_predictor(groups, len(x), model.coef)
    reach = model.quantile(level) * model.standard_error(groups, len(x))
    if np.isfinite(reach).all():
        label = f"{percent(level)} interval of the probability"
        ax.fill_between(
            x, mean(eta - reach), mean(eta + reach), color=CURVE, alpha=PALE, linewidth=0, label=label, zorder=2
        )


def _dots(ax: Axes, summary: Mapping[str, Any], own: tuple[Floats, Floats, Floats] | None) -> None:
    """Shares of the positive outcome by value where these are few, else by bins; their area is the number of rows."""
    values = np.unique(own[0]) if own is not None else np.zeros(0)
    if own is not None and len(values) <= len(summary["count"]):
        place = np.searchsorted(values, own[0])
        count, positive = np.bincount(place, own[2]), np.bincount(place, own[1] * own[2])
    else:
        count, positive = np.array(summary["count"]), np.array(summary["positive"])
        t = np.linspace(0.0, 1.0, len(count) + 1)
        edges = summary["min"] * (1.0 - t) + summary["max"] * t
        values = edges[:-1] / 2 + edges[1:] / 2
    there = count > 0
    area = 12 + 90 * count[there] / count.max()
    share = positive[there] / count[there]
    ax.scatter(values[there], share, s=area, facecolor="white", edgecolor=DOTS, linewidth=1.2, zorder=4)


def _own(fitted: Fitted | None, variable: str) -> tuple[Floats, Floats, Floats] | None:
    """The variable, the share of successes and the weight of the rows of the fit, where at hand and not too many."""
    if fitted is None or fitted.learned.rows.size > MOST_ROWS:
        return None
    return fitted.learned.rows.raw(variable), fitted.sample.y, fitted.sample.weight


def _rug(ax: Axes, own: tuple[Floats, Floats, Floats] | None) -> None:
    """Each row as a tick: above where its outcome is the positive one, below where it is not."""
    if own is None:
        raise OptionError(
            "a rug needs the rows of the fit, and a model file keeps none: open them again with with_rows(data), or "
            'draw dots (rows="dots")'
        )
    x, y, weight = own
    for positive, height in ((True, 1.035), (False, -0.035)):
        there = x[(weight > 0) & (y > 0 if positive else y < 1)]
        ax.plot(there, np.full(len(there), height), "|", color=DOTS, markersize=7, alpha=0.7, zorder=2)


def _boundary(ax: Axes, found: Boundary, x: Floats) -> None:
    low, high = float(x[0]), float(x[-1])
    crossings = [value for value in (found.estimate, *found.others) if math.isfinite(value)]
    for value in crossings:
        if low <= value <= high:
            ax.plot([value, value], [BOTTOM, 0.5], ":", color=LINE, linewidth=1.2, zorder=3)
            ax.plot([value], [0.5], "o", color=LINE, markersize=6, zorder=6)
            right = value > low + 0.72 * (high - low)
            _say(ax, f"0.5 at {value:.4g}", (value, 0.5), (-9 if right else 9, -15), right=right)
    inside = [piece for piece in found.pieces if piece[1] > low and piece[0] < high]
    for a, b in inside:
        _span(ax, (max(a, low), min(b, high)), (a < low, b > high))
    if inside:
        where = max(min(found.estimate, high), low) if crossings else (max(inside[0][0], low) + low) / 2
        right = where > low + 0.72 * (high - low)
        _say(ax, _interval(found), (where, 0.5), (-9 if right else 9, -28), right=right, small=True)
    if crossings and not any(low <= value <= high for value in crossings):
        beyond = found.estimate > high
        text = f"0.5 at {found.estimate:.4g}, beyond the data"
        _say(ax, text, (high if beyond else low, 0.5), (-6 if beyond else 6, -15), right=beyond)


def _span(ax: Axes, ends: tuple[float, float], open_ends: tuple[bool, bool]) -> None:
    """The boundary's interval as a bar on the red line; an arrow where it goes on beyond the picture."""
    ax.plot(ends, [0.5, 0.5], "-", color=LINE, linewidth=5, alpha=0.35, solid_capstyle="butt", zorder=4)
    for end, beyond, arrow in zip(ends, open_ends, "<>", strict=True):
        ax.plot([end], [0.5], arrow if beyond else "|", color=LINE, markersize=8, markeredgewidth=1.6, zorder=5)


def _interval(found: Boundary) -> str:
    texts = [_piece(low, high) for low, high in found.pieces]
    if found.shape == "everything":
        texts = ["every value"]
    return f"{percent(found.level)} interval: {' and '.join(texts)}"


def _piece(low: float, high: float) -> str:
    if math.isinf(low):
        return "every value" if math.isinf(high) else f"up to {high:.4g}"
    return f"{low:.4g} to {high:.4g}" if math.isfinite(high) else f"from {low:.4g} on"


def _gap(ax: Axes, found: Boundary, x: Floats) -> None:
    """Under separation: every value in the gap is as good as any other."""
    low, high = float(x[0]), float(x[-1])
    text = "separated: no boundary is determined"
    if found.pieces:
        a, b = found.pieces[0]
        text = f"separated: any value from {a:.4g} to {b:.4g}"
        ax.axvspan(max(a, low), min(b, high), facecolor=LINE, alpha=0.1, linewidth=0, zorder=0)
    middle = (max(found.pieces[0][0], low) + min(found.pieces[0][1], high)) / 2 if found.pieces else (low + high) / 2
    ax.annotate(
        text,
        (middle, 0.5),
        (0, 7),
        textcoords="offset points",
        ha="center",
        fontsize=9,
        color=WORDS,
        zorder=6,
        bbox=ground(),
    )


def _say(
    ax: Axes, text: str, where: tuple[float, float], away: tuple[float, float], *, right: bool, small: bool = False
) -> None:
    ax.annotate(
        text,
        where,
        away,
        textcoords="offset points",
        ha="right" if right else "left",
        fontsize=8.5 if small else 10,
        color=WORDS,
        zorder=6,
        bbox=ground(),
    )
