"""passline report: everything about a model on one page, as a file that can be sent."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from passline.cli.evaluate import Bootstrap, Cost, Folds, Threshold, read_cost, read_threshold
from passline.cli.options import Cluster, Data, ModelFile, Offset, SamplingWeights, Trials, Unseen, Weights, output


def report(
    model: ModelFile,
    data: Data | None = None,
    /,
    *,
    write_to: Annotated[str, output("The report: one HTML file that works offline, with nothing installed.")],
    title: Annotated[str | None, Parameter(help="What stands above it.")] = None,
    threshold: Threshold = None,
    cost: Cost = None,
    folds: Folds = None,
    bootstrap: Bootstrap = None,
    seed: Annotated[int, Parameter(help="Of folds and samples.")] = 0,
    sql: Annotated[str | None, Parameter(help="Read what this query gives; DATA may be left out.")] = None,
    weights: Weights = None,
    sampling_weights: SamplingWeights = None,
    offset: Offset = None,
    trials: Trials = None,
    cluster: Cluster = None,
    unseen: Unseen = "error",
) -> None:
    """Write a report of a model: passline report model.json birthwt.csv -o report.html.

    With the table of its fit everything is there; with another one the figures are of that; with none only what needs
    no rows.
    """
    from passline import facade

    facade.load(model).report(
        write_to,
        data,
        title=title,
        threshold=read_threshold(threshold),
        cost=None if cost is None else read_cost(cost),
        folds=folds,
        bootstrap=bootstrap,
        seed=seed,
        sql=sql,
        weights=weights,
        sampling_weights=sampling_weights,
        offset=offset,
        trials=trials,
        cluster=cluster,
        unseen=unseen,
    )
    print(f"The report is in {write_to}. Open it in a browser.")
