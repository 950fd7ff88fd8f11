"""Pictures of a fit, by matplotlib: each takes ``ax`` and gives the axes back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from passline.engine.likelihood import mean
from passline.errors import MissingDependencyError, OptionError
from passline.inference.wald import normal_quantile
from passline.model import Model
from passline.output import whole_file
from passline.section import Section, section

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CURVE, LINE, DOTS = "#1d4e79", "red", "#5b6b7a"
FORMATS = (".png", ".svg", ".pdf")
POINTS = 300


class Plots:
    """The pictures of one model: ``fit.plot.curve("hours")``."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def curve(
        self,
        variable: str | None = None,
        *,
        at: Mapping[str, Any] | None = None,
        level: float = 0.95,
        ax: Axes | None = None,
    ) -> Axes:
        """The probability along one number, with its band, the red line at 0.5 and where they meet.

        ``variable``: a number of the model (the first one if not said); the others are held ``at``, by default at
        their means and most frequent levels. Dots are shares of the positive outcome in the fit's rows, by bins of
        the variable, their area the number of rows. Raises OptionError for a name that the model has not.
        """
        along = section(self._model, variable or _first_number(self._model), at)
        ax = ax if ax is not None else new_axes()
        margin = 0.04 * (along.high - along.low) or 1.0
        x = _grid(along, along.low - margin, along.high + margin)
        _band(ax, self._model, along, x, level)
        _dots(ax, self._model.summaries[along.variable])
        ax.axhline(0.5, color=LINE, linewidth=1.2, zorder=1)
        _mark_boundary(ax, self._model, along, x)
        design = self._model.design
        ax.set(xlabel=along.variable, ylabel=f"Probability of {design.outcome} = {design.positive}", ylim=(-0.05, 1.05))
        if along.held:
            held = ", ".join(f"{name} = {_short(value)}" for name, value in along.held.items())
            ax.set_title(_clipped(f"held at {held}"), loc="left", fontsize=9, color=DOTS)
        return ax


def new_axes() -> Axes:
    """Axes of a figure that no window shows and no global state knows."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingDependencyError(
            "pictures need matplotlib; install it with: pip install 'passline[plot]'"
        ) from None
    figure: Figure = Figure(figsize=(7.2, 4.5), layout="constrained")
    ax: Axes = figure.add_subplot()
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def write(ax: Axes, path: str | os.PathLike[str]) -> None:
    """Write the figure of ``ax`` as PNG, SVG or PDF, by the ending of ``path``: whole or not at all."""
    check_ending(path)
    with whole_file(path) as aside:
        figure = ax.get_figure(root=True)
        assert figure is not None
        figure.savefig(aside, dpi=150, format=Path(path).suffix[1:].lower())


def check_ending(path: str | os.PathLike[str]) -> None:
    """Raise OptionError unless ``path`` ends as a picture that can be written."""
    if Path(path).suffix.lower() not in FORMATS:
        raise OptionError(f"cannot write {path}: a picture's name ends in {', '.join(FORMATS)}")


def _first_number(model: Model) -> str:
    for name in model.design.variables:
        if model.summaries[name]["kind"] == "number":
            return name
    raise OptionError("the model has no predictor that is a number, so there is no curve to draw along one")


def _grid(along: Section, low: float, high: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Values from low to high; only the range of the data where a function ends there, as log does at zero."""
    expression = along.expression()
    if expression is None or not np.isfinite(along.value(expression, np.array([low, high]))).all():
        low, high = along.low, along.high
    return np.linspace(low, high, POINTS)


def _band(ax: Axes, model: Model, along: Section, x: np.ndarray[Any, np.dtype[np.float64]], level: float) -> None:
    data = {name: [value] * len(x) for name, value in along.held.items()} | {along.variable: x}
    p = model.predict(data, flic=False)  # the line of the table, which the boundary lies on
    ax.plot(x, p, color=CURVE, linewidth=2.4, zorder=3)
    rows = along.rows(x)
    variance = (
        np.einsum("ij,jk,ik->i", rows, model.covariance, rows) if not len(model.directions) else np.full(len(x), np.nan)
    )
    if np.isfinite(variance).all():
        eta, reach = rows @ model.coef, normal_quantile(level) * np.sqrt(np.maximum(variance, 0.0))
        label = f"{100 * level:g} % interval of the probability"
        ax.fill_between(
            x, mean(eta - reach), mean(eta + reach), color=CURVE, alpha=0.15, linewidth=0, label=label, zorder=2
        )
        ax.legend(loc="best", frameon=False, fontsize=9)


def _dots(ax: Axes, summary: Mapping[str, Any]) -> None:
    count, positive = np.array(summary["count"]), np.array(summary["positive"])
    edges = np.linspace(summary["min"], summary["max"], len(count) + 1)
    there = count > 0
    share = positive[there] / count[there]
    area = 12 + 90 * count[there] / count.max()
    ax.scatter(
        ((edges[:-1] + edges[1:]) / 2)[there], share, s=area, facecolor="white", edgecolor=DOTS, linewidth=1.2, zorder=4
    )


def _mark_boundary(ax: Axes, model: Model, along: Section, x: np.ndarray[Any, np.dtype[np.float64]]) -> None:
    eta = along.rows(x) @ model.coef
    if len(model.directions):
        return
    for i in np.flatnonzero(np.sign(eta[:-1]) * np.sign(eta[1:]) < 0):
        where = x[i] - eta[i] * (x[i + 1] - x[i]) / (eta[i + 1] - eta[i])
        ax.plot([where, where], [-0.05, 0.5], ":", color=LINE, linewidth=1.2, zorder=3)
        ax.plot([where], [0.5], "o", color=LINE, markersize=6, zorder=5)
        ax.annotate(
            f"0.5 at {where:.4g}", (where, 0.5), (9, -15), textcoords="offset points", color="#a00000", zorder=5
        )


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _clipped(text: str) -> str:
    return text if len(text) <= 110 else text[:107] + "..."
