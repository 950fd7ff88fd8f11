"""How a solver or a descent came down: the loss against passes, or epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from passline.errors import OptionError
from passline.show.pictures.style import CURVE, LINE, SECOND, legend, shown, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from passline.fitting import Fitted

Floats = NDArray[np.float64]


def draw_loss(ax: Axes, fitted: Fitted) -> None:
    """Draw the objective over the passes of the solver, and how far above its minimum it was."""
    estimate = fitted.outcome.estimate
    if estimate is None:
        raise OptionError(
            "every row is separated, so the loss falls towards zero for ever and no solver's way to a minimum can be "
            'drawn: estimator="firth" has one'
        )
    solution = estimate.solution
    whole = max(step.rows for step in solution.trace)
    steps = [(i + 1, step) for i, step in enumerate(solution.trace)]
    exact = [(i, step.loss) for i, step in steps if step.rows == whole]
    rough = [(i, step.loss) for i, step in steps if step.rows < whole]
    ax.plot(*zip(*exact, strict=True), "o-", color=CURVE, linewidth=2, markersize=5, label="all rows", zorder=3)
    if rough:
        ax.plot(*zip(*rough, strict=True), "o", color=SECOND, mfc="white", markersize=5, label="a sample", zorder=2)
        legend(ax)
    _passes(ax, len(steps))
    ax.axhline(solution.loss, color=LINE, linewidth=1.2, zorder=1)
    penalised = estimate.objective.ridge is not None or fitted.model.estimator == "firth"
    ax.set(xlabel="Pass over the rows", ylabel="Mean loss" + (" with its penalty" if penalised else ""))
    proof = fitted.model.certificate
    said = [
        f"{shown(proof['solver'])}, {'converged' if proof['converged'] else 'not converged'} at {solution.loss:.6g}",
        f"gradient {proof['gradient_norm']:.1e}",
    ]
    if fitted.outcome.recession is not None:
        said.append("separated: the loss of the rows that no direction separates")
    title(ax, "; ".join(said))


def draw_losses(ax: Axes, losses: Floats, held_out: Floats, unit: str) -> None:
    """Draw the mean loss of each epoch (or batch) of a descent, and that of the rows held out."""
    epochs = np.arange(1, len(losses) + 1)
    marker = "o" if len(losses) <= 40 else ""
    ax.plot(epochs, losses, color=CURVE, linewidth=2, marker=marker, markersize=4, label="rows learned from", zorder=3)
    if len(held_out):
        after = np.arange(1, len(held_out) + 1)
        ax.plot(after, held_out, "--", color=SECOND, linewidth=2, label="rows held out", zorder=3)
        legend(ax)
    _passes(ax, len(losses))
    ax.set(xlabel=unit, ylabel="Mean loss")


def _passes(ax: Axes, most: int) -> None:
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.set_xlim(0.6, most + 0.4)
