"""passline evaluate: how good a model's probabilities are on a table."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Literal

from cyclopts import Parameter

from passline.cli.options import (
    Cluster,
    Data,
    Json,
    Level,
    ModelFile,
    Offset,
    SamplingWeights,
    Trials,
    Unseen,
    Weights,
    print_json,
)
from passline.errors import OptionError

Threshold = Annotated[
    str | None, Parameter(help="From this probability on a row is called positive; or the word youden.")
]
Cost = Annotated[
    str | None, Parameter(help="FP:FN, what a false positive and a false negative cost: sets the threshold.")
]
Sensitivity = Annotated[float | None, Parameter(help="Choose the best threshold that keeps at least this sensitivity.")]
Specificity = Annotated[float | None, Parameter(help="Choose the best threshold that keeps at least this specificity.")]
Bins = Annotated[int, Parameter(help="Of the calibration error and the Brier score's parts.")]
Binning = Annotated[Literal["width", "quantile"], Parameter(help="Bins of equal widths, or of equal numbers of rows.")]
Folds = Annotated[
    int | None, Parameter(help="Of the cross-validation on the rows of the fit; 0 for none. [default: 10 or 0]")
]
Bootstrap = Annotated[
    int | None, Parameter(help="Samples: of refits on the rows of the fit, of intervals on others; 0 for none.")
]


def evaluate(
    model: ModelFile,
    data: Data | None = None,
    /,
    *,
    threshold: Threshold = None,
    cost: Cost = None,
    sensitivity: Sensitivity = None,
    specificity: Specificity = None,
    bins: Bins = 10,
    binning: Binning = "width",
    level: Level = 0.95,
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
    json: Json = False,
) -> None:
    """Judge a model's probabilities on rows with known outcomes: passline evaluate model.json new.csv --cost 1:5.

    On the rows of the fit every figure is called apparent, and honest ones stand beside it.
    """
    from passline import facade

    loaded = facade.load(model)
    if data is None and sql is None:
        raise OptionError(f"{model}: a model holds no rows; give a table, the one of the fit or another")
    found = loaded.evaluate(
        data,
        threshold=read_threshold(threshold),
        cost=None if cost is None else read_cost(cost),
        sensitivity=sensitivity,
        specificity=specificity,
        bins=bins,
        binning=binning,
        level=level,
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
    if json:
        print_json(found.as_json())
        return
    from passline.show.evaluation import WIDTH, evaluation_text

    print(evaluation_text(found, os.get_terminal_size().columns if sys.stdout.isatty() else WIDTH))


def read_threshold(text: str | None) -> float | str | None:
    """The threshold that an option says; raises OptionError."""
    if text is None or text == "youden":
        return text
    try:
        return float(text)
    except ValueError:
        raise OptionError(f"--threshold is {text!r}: give a probability from 0 to 1, or youden") from None


def read_cost(text: str) -> tuple[float, float]:
    """The two costs that an option says; raises OptionError."""
    try:
        fp, fn = (float(part) for part in text.split(":"))
    except ValueError:
        raise OptionError(
            f"--cost is {text!r}: give FP:FN, what a false positive and a false negative cost, such as 1:5"
        ) from None
    return fp, fn
