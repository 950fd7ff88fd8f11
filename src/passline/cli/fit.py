"""passline fit: a table and a formula, a coefficient table and a model file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from passline.cli.options import (
    Cluster,
    Data,
    Json,
    Level,
    Offset,
    Positive,
    SamplingWeights,
    Trials,
    Weights,
    output,
    print_json,
)
from passline.cli.progress import progress
from passline.errors import NotConvergedError, OptionError

if TYPE_CHECKING:
    from passline.facade import Fit

Formula = Annotated[
    str | None,
    Parameter(help="outcome ~ terms; . for all other columns; + - * : ( ); log log1p exp sqrt abs power scale rcs C."),
]
Robust = Annotated[
    Literal["hc0", "hc1", "hc2", "hc3"] | None,
    Parameter(help="Errors that do not trust the model's variance; hc0 with clusters and sampling weights."),
]
Missing = Annotated[Literal["drop", "error"], Parameter(help="Drop incomplete rows (they are counted), or stop.")]
Solver = Annotated[
    Literal["auto", "newton", "lbfgs", "newton-cg"],
    Parameter(help="Which way to the optimum, the same for all; auto counts the work of each."),
]
Dispersion = Annotated[
    Literal["one", "estimated"], Parameter(help="Of grouped rows: one, or estimated from them (quasi-binomial).")
]
Estimator = Annotated[
    Literal["ml", "firth"], Parameter(help="Maximum likelihood, or with Jeffreys' prior (finite when separated).")
]
Interval = Annotated[
    Literal["wald", "profile"], Parameter(help="Of the terms; with profile their p is the likelihood ratio's.")
]


def fit(
    data: Data,
    formula: Formula = None,
    /,
    *,
    save_to: Annotated[str | None, output("Write the model here, as JSON.")] = None,
    sql: Annotated[
        str | None, Parameter(help="Read what this query gives; DATA may be left out, or be called data in the query.")
    ] = None,
    weights: Weights = None,
    sampling_weights: SamplingWeights = None,
    offset: Offset = None,
    trials: Trials = None,
    cluster: Cluster = None,
    positive: Positive = None,
    estimator: Estimator = "ml",
    l1: Annotated[float, Parameter(help="Lasso penalty a row, on the columns as given: some terms become zero.")] = 0.0,
    l2: Annotated[float, Parameter(help="Ridge penalty a row, on the columns as given.")] = 0.0,
    interval: Interval = "wald",
    level: Level = 0.95,
    robust: Robust = None,
    dispersion: Dispersion = "one",
    missing: Missing = "drop",
    solver: Solver = "auto",
    threads: Annotated[int | None, Parameter(help="How many threads; all processors by default.")] = None,
    json: Json = False,
) -> None:
    """Fit a logistic regression: passline fit birthwt.csv 'low ~ age + lwt + smoke'."""
    from passline import facade
    from passline.engine.penalty import Penalty

    source: str | None = data
    if formula is None:
        if sql is None:
            raise OptionError("fit needs DATA and FORMULA: passline fit birthwt.csv 'low ~ age + lwt'")
        source, formula = None, data
    with progress() as report:
        found = facade.fit(
            formula,
            source,
            sql=sql,
            weights=weights,
            sampling_weights=sampling_weights,
            offset=offset,
            trials=trials,
            cluster=cluster,
            positive=positive,
            estimator=estimator,
            interval=interval,
            penalty=Penalty(l1=l1, l2=l2),
            level=level,
            robust=robust,
            dispersion=dispersion,
            missing=missing,
            solver=solver,
            threads=threads,
            report=report,
        )
    _write(found, save_to, json)


def _write(found: Fit, save_to: str | None, json: bool) -> None:
    if not found.certificate["converged"]:
        raise NotConvergedError(
            f"not converged after {found.certificate['passes']} passes over the rows: the gradient is still "
            f"{found.certificate['gradient_norm']:.1e}; nothing was written. Look for columns that nearly repeat each "
            "other or differ in scale beyond reason, or add a penalty (--l1, --l2)"
        )
    if save_to is not None:
        found.save(save_to)
    if json:
        print_json(found.as_json())
        return
    print(found)
    if save_to is not None:
        print(f"The model is in {save_to}.")
