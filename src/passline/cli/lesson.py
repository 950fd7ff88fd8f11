"""passline lesson: three points, PyTorch, and the line at 0.5."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from passline.cli.options import Json, switch


def lesson(
    *,
    epochs: Annotated[int, Parameter(help="Passes over the three points.")] = 1000,
    lr: Annotated[float, Parameter(help="The learning rate.")] = 0.01,
    seed: Annotated[int, Parameter(help="Of the initial parameters (torch.manual_seed).")] = 0,
    reduction: Annotated[str, Parameter(help="Add the points' losses (sum) or average them (mean).")] = "sum",
    loss: Annotated[str, Parameter(help="Binary cross-entropy (bce) or mean squared error (mse).")] = "bce",
    optimizer: Annotated[str, Parameter(help="sgd, momentum, nesterov, adam, adamw, rmsprop or adagrad.")] = "sgd",
    every: Annotated[int, Parameter(help="Print the loss every so many epochs; 0 for never.")] = 100,
    plot: Annotated[str | None, Parameter(help="Write the picture here (PNG, SVG or PDF).")] = None,
    show: Annotated[bool, switch("Open a window with the picture.")] = False,
    json: Json = False,
) -> None:
    """Learn from three points, with PyTorch, from how many hours of revision on one passes."""
    from passline.lesson import run

    run(
        epochs=epochs,
        lr=lr,
        seed=seed,
        reduction=reduction,
        loss=loss,
        optimizer=optimizer,
        every=every,
        plot=plot,
        show=show,
        json=json,
    )
