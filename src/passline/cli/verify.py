"""passline verify: whether a model file can be believed."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from passline.cli.options import Json, ModelFile, print_json


def verify(
    model: ModelFile,
    /,
    *,
    data: Annotated[str | None, Parameter(help="The table of the fit: check that the model is of its rows.")] = None,
    json: Json = False,
) -> None:
    """Check that a model file is whole and agrees with itself, and with --data that it is of those rows.

    Ends with 0 if everything holds, else with 2.
    """
    from passline.errors import ModelFileError
    from passline.verifying import verify as verified

    source = None
    if data is not None:
        from passline.table.source import open_source

        source = open_source(data)
    found = verified(model, source)
    if json:
        print_json(found.as_json())
    else:
        from passline.show.verified import verified_text

        print(verified_text(found))
    failed = [check.name for check in found.checks if not check.passed]
    if failed:
        raise ModelFileError(f"{model} cannot be believed: {', '.join(failed)} did not hold")
