"""passline check: what a careful statistician would say of a fit before reading its numbers."""

from __future__ import annotations

import warnings
from typing import Annotated

from cyclopts import Parameter

from passline.cli.options import Data, Json, print_json
from passline.cli.progress import progress
from passline.errors import OptionError


def check(
    data: Annotated[Data, Parameter(help="A table to fit FORMULA to; or, without FORMULA, a model file.")],
    formula: Annotated[str | None, Parameter(help="outcome ~ terms, as for fit.")] = None,
    /,
    *,
    rows: Annotated[str | None, Parameter(name="--data", help="With a model file: the table it was fitted to.")] = None,
    sql: Annotated[str | None, Parameter(help="Read what this query gives; DATA may be left out.")] = None,
    weights: Annotated[str | None, Parameter(help="Column that says how often each row counts.")] = None,
    sampling_weights: Annotated[
        str | None, Parameter(help="Column that says how many of the population each row stands for.")
    ] = None,
    offset: Annotated[str | None, Parameter(help="Column that is added to the linear predictor.")] = None,
    trials: Annotated[
        str | None, Parameter(help="Column of trials, where the outcome counts successes or is their share.")
    ] = None,
    positive: Annotated[str | None, Parameter(help="The label of the outcome that counts as yes.")] = None,
    json: Json = False,
) -> None:
    """Look for what would make a fit's numbers wrong: passline check birthwt.csv 'low ~ age + lwt + smoke'."""
    from passline import facade

    if formula is None and sql is None:
        found = facade.load(data)
        if rows is None:
            raise OptionError(f"{data}: a model holds no rows, and check needs them: give the table with --data")
        raise OptionError("check of a model file with --data comes with with_rows; give the table and FORMULA")
    if rows is not None:
        raise OptionError("--data goes with a model file; with a formula the table comes first")
    table, text = (data, formula) if formula is not None else (None, data)
    with progress() as report, warnings.catch_warnings():
        # What the fit would warn of is among the findings.
        warnings.simplefilter("ignore")
        found = facade.fit(
            str(text),
            table,
            sql=sql,
            weights=weights,
            sampling_weights=sampling_weights,
            offset=offset,
            trials=trials,
            positive=positive,
            report=report,
        )
    findings = found.check()
    if json:
        print_json(findings.as_json())
        return
    print(findings)
