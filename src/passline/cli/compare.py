"""passline compare: two saved models of the same rows, and the test of one against the other."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from passline.cli.options import Json, ModelFile, print_json


def compare(
    first: ModelFile,
    second: ModelFile,
    /,
    *,
    data: Annotated[
        str | None, Parameter(help="The table of the fits; needed where terms do not show that one is nested.")
    ] = None,
    json: Json = False,
) -> None:
    """Compare two models of the same rows, in either order: likelihood-ratio test, AIC and BIC."""
    from passline import facade

    found = facade.load(first).compare(facade.load(second), data)
    if json:
        print_json(found.as_json())
        return
    from passline.show.comparison import comparison_text

    print(comparison_text(found))
