"""Draw the pictures that docs/lesson.md and docs/lesson.zh-CN.md show, beside this file.

Run it from the repository: python docs/pictures/make_lesson.py
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from passline.lesson import HOURS, PASSED, PassModel, draw, train

FOLDER = Path(__file__).parent
RATE = 0.01
x, y = np.array(HOURS), np.array(PASSED)  # (3,)

Array = np.ndarray


def start(seed: int = 0) -> Array:
    """Give torch's own first weight and bias."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = PassModel()
    return np.array([model.linear.weight.item(), model.linear.bias.item()])


def bce_gradient(w: float, b: float) -> Array:
    error = 1 / (1 + np.exp(-(w * x + b))) - y
    return np.array([error @ x, error.sum()])


def mse_gradient(w: float, b: float) -> Array:
    p = 1 / (1 + np.exp(-(w * x + b)))
    slope = 2 * (p - y) * p * (1 - p)
    return np.array([slope @ x, slope.sum()])


def descend(gradient: Callable[[float, float], Array], epochs: int, rate: float = RATE) -> Array:
    """Every (w, b) of a plain descent, (epochs + 1, 2)."""
    path = [start()]
    for _ in range(epochs):
        path.append(path[-1] - rate * gradient(*path[-1]))
    return np.array(path)


def adam(epochs: int, rate: float = RATE) -> Array:
    """Every (w, b) of Adam on the summed cross-entropy, (epochs + 1, 2)."""
    path, mean, square = [start()], np.zeros(2), np.zeros(2)
    for epoch in range(1, epochs + 1):
        gradient = bce_gradient(*path[-1])
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        step = mean / (1 - 0.9**epoch) / (np.sqrt(square / (1 - 0.999**epoch)) + 1e-8)
        path.append(path[-1] - rate * step)
    return np.array(path)


def surfaces() -> Figure:
    """Both losses over (w, b) in the same colours, each with the path of its descent."""
    w, b = np.meshgrid(np.linspace(-3, 7, 300), np.linspace(-16, 6, 300))
    eta = w[..., None] * x + b[..., None]  # (300, 300, 3)
    losses = {
        "Binary cross-entropy, summed": ((np.logaddexp(0, eta) - y * eta).sum(-1), bce_gradient),
        "Squared error, summed": (((1 / (1 + np.exp(-eta)) - y) ** 2).sum(-1), mse_gradient),
    }
    levels = [0.03, 0.1, 0.2, 0.4, 0.7, 1, 1.5, 2, 3, 5, 10, 20, 40]
    figure = Figure(figsize=(11, 5), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, (title, (loss, gradient)) in zip(panels, losses.items(), strict=True):
        colours = axes.contourf(w, b, loss, levels, norm=LogNorm(0.03, 40), cmap="YlGnBu_r", extend="both")
        inks = ["white" if level < 0.7 else "#22384a" for level in levels]  # pale on dark, dark on pale
        lines = axes.contour(w, b, loss, levels, colors=inks, linewidths=0.6)
        axes.clabel(lines, fontsize=7, fmt="%g")
        axes.plot([0, 6.4], [0, -16], color="white", linewidth=1.1, linestyle="--", label="boundary at 2.5 hours")
        path = descend(gradient, 10_000)
        axes.plot(*path[:1001].T, color="red", linewidth=2.2, label="epochs 0 to 1000")
        axes.plot(*path[1000:].T, color="red", linewidth=2, linestyle=(0, (1, 1.2)), label="1000 to 10,000")
        axes.plot(*path[0], "o", color="white", markeredgecolor="red", markersize=7, label="where it begins")
        axes.set(title=title, xlabel="weight w", xlim=(-3, 7), ylim=(-16, 6))
    panels[0].set_ylabel("bias b")
    panels[0].legend(loc="lower left", fontsize=8, facecolor="#c3d5dd", framealpha=1)
    bar = figure.colorbar(colours, ax=panels, ticks=levels, label="loss", pad=0.01)
    bar.ax.set_yticklabels([f"{level:g}" for level in levels])
    bar.ax.minorticks_off()
    return figure


def boundaries() -> Figure:
    """Where the curve meets 0.5, epoch by epoch, for four ways of descending."""
    epochs = 100_000
    paths = {
        "sum": (descend(bce_gradient, epochs), "#1d4e79", "-"),
        "mean": (descend(bce_gradient, epochs, RATE / 3), "#c97b00", "-"),
        "squared error, sum": (descend(mse_gradient, epochs), "#5a8f3d", "--"),
        "Adam, sum": (adam(10_000), "#8a3d8f", "-."),
    }
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    axes = figure.add_subplot()
    axes.axhspan(2, 3, color="#1d4e79", alpha=0.07, linewidth=0)
    axes.axhline(2.5, color="red", linewidth=1.2)
    for name, (path, colour, line) in paths.items():
        rising = path[:, 0] > 0.02
        boundary = np.where(rising, -path[:, 1] / np.where(rising, path[:, 0], 1), np.nan)
        axes.plot(np.arange(len(path)), boundary, color=colour, linestyle=line, linewidth=2, label=name)
    axes.axvline(1000, color="grey", linewidth=0.9, linestyle=":")
    axes.annotate("the lesson stops", (1000, 1.9), (5, 0), textcoords="offset points", color="#444444", fontsize=9)
    axes.annotate("the gap: 2 to 3 hours", (5000, 2.9), color="#1d4e79", fontsize=9)
    axes.set(
        xscale="log", xlim=(60, epochs), ylim=(1.85, 3.15), xlabel="Epoch", ylabel="Hours at which the curve meets 0.5"
    )
    axes.grid(alpha=0.35)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper right", bbox_to_anchor=(1, 0.36), frameon=False, fontsize=9)
    return figure


def main() -> None:
    draw(train(), FOLDER / "lesson-curve.png")
    for name, figure in (("lesson-surfaces", surfaces()), ("lesson-boundary", boundaries())):
        figure.savefig(FOLDER / f"{name}.png", dpi=150)
    print(f"Wrote the lesson's pictures into {FOLDER}")


if __name__ == "__main__":
    main()
