"""passline check: what a careful statistician would say of a fit before reading its numbers."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from passline.cli.options import Data, Json, print_json
from passline.cli.progress import progress
from passline.errors import OptionError

if TYPE_CHECKING:
    from passline.facade import Fit


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

    roles: dict[str, Any] = {
        "weights": weights,
        "sampling_weights": sampling_weights,
        "offset": offset,
        "trials": trials,
    }
    if formula is None and (sql is None or rows is not None):
        found = _reopened(data, rows, sql, roles)
    elif rows is not None:
        raise OptionError("--data goes with a model file; with a formula the table comes first")
    else:
        table, text = (data, formula) if formula is not None else (None, data)
        with progress() as report, warnings.catch_warnings():
            # What the fit would warn of is among the findings.
            warnings.simplefilter("ignore")
            found = facade.fit(text, table, sql=sql, positive=positive, report=report, **roles)
    findings = found.check()
    if json:
        print_json(findings.as_json())
        return
    print(findings)


def _reopened(model: str, rows: str | None, sql: str | None, roles: Mapping[str, Any]) -> Fit:
    from passline import facade

    found = facade.load(model)
    if rows is None:
        raise OptionError(f"{model}: a model holds no rows, and check needs them: give the table with --data")
    return found.with_rows(rows, sql=sql, **roles)
