"""passline boundary: at which value of a predictor the probability is what one asks."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from passline.cli.options import At, Json, Level, ModelFile, print_json


def boundary(
    model: ModelFile,
    variable: Annotated[str, Parameter(help="The predictor that moves; a number.")],
    /,
    *,
    probability: Annotated[float, Parameter(help="The level to reach.")] = 0.5,
    at: At = None,
    interval: Annotated[
        Literal["auto", "delta", "fieller", "profile"],
        Parameter(help="How the set is found; auto is profile where --data is given and not long, else delta."),
    ] = "auto",
    data: Annotated[
        str | None, Parameter(help="The table of the fit, which the profile needs; another one is refused.")
    ] = None,
    level: Level = 0.95,
    json: Json = False,
) -> None:
    """Say at which value of a predictor the probability is what you ask."""
    from passline import modelfile
    from passline.boundary import boundary as find
    from passline.boundary import parse_at

    held, loaded = parse_at(at or []), modelfile.load(model)
    if data is None:
        found = find(loaded, variable, probability, held, interval=interval, level=level)
    else:
        from passline.facade import Fit

        found = Fit(loaded).with_rows(data).boundary(variable, probability, held, interval, level)
    if json:
        print_json(found.as_json())
        return
    from passline.show.terminal import boundary_text

    print(boundary_text(found))
