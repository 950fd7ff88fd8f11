"""passline plot: a picture of a model."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from passline.cli.options import At, Level, ModelFile, output


def plot(
    model: ModelFile,
    kind: Annotated[
        Literal["curve"],
        Parameter(help="curve: the probability along one predictor, its band, the line at 0.5 and where they meet."),
    ],
    /,
    *,
    write_to: Annotated[str, output("The picture: PNG, SVG or PDF, by the name.")],
    variable: Annotated[
        str | None, Parameter(help="The predictor along which to draw; the model's first number if not said.")
    ] = None,
    at: At = None,
    level: Level = 0.95,
) -> None:
    """Draw a picture of a model."""
    from passline import modelfile
    from passline.boundary import parse_at
    from passline.show.plots import Plots, check_ending, write

    check_ending(write_to)
    plots = Plots(modelfile.load(model))
    axes = {"curve": plots.curve}[kind](variable, at=parse_at(at or []), level=level)
    write(axes, write_to)
    print(f"The picture is in {write_to}.")
