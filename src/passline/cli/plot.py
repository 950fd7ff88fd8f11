"""passline plot: a picture of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from cyclopts import Parameter

from passline.cli.options import (
    At,
    Cluster,
    ModelFile,
    Offset,
    SamplingWeights,
    Table,
    Trials,
    Weights,
    output,
    switch,
)
from passline.errors import OptionError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from passline.facade import Fit

Kind = Literal[
    "curve",
    "effect",
    "effects",
    "coefficients",
    "roc",
    "precision-recall",
    "calibration",
    "gains",
    "lift",
    "residuals",
    "influence",
    "loss",
]
# The options that a kind knows, beside -o; the others are refused, so that none is without effect unnoticed.
_ROLES = ("weights", "sampling_weights", "offset", "trials", "cluster")
_TABLE = ("data", "sql", *_ROLES)
_AVERAGED = ("data", "sql", "weights", "sampling_weights", "offset", "trials")
_KNOWN: dict[str, tuple[str, ...]] = {
    "curve": ("variable", "at", "level", *_TABLE),
    "effect": ("variable", "at", "level", "averaged", *_AVERAGED),
    "effects": ("at", "level", "averaged", *_AVERAGED),
    "coefficients": _TABLE,
    "roc": ("level", *_TABLE),
    "precision-recall": ("level", *_TABLE),
    "calibration": ("level", "bins", *_TABLE),
    "gains": ("level", *_TABLE),
    "lift": ("level", *_TABLE),
    "residuals": ("variable", "bins", *_TABLE),
    "influence": _TABLE,
    "loss": _TABLE,
}


Picture = Annotated[
    Kind,
    Parameter(
        help="curve: the probability along one number, the line at 0.5 and where they meet. effect, effects: what one "
        "predictor, or each, does to the probability. coefficients: odds ratios. Of rows (--data): roc, "
        "precision-recall, calibration, gains, lift, residuals (by bins). Of the rows of the fit (--data): influence, "
        "loss (of each pass of the solver)."
    ),
]
Variable = Annotated[str | None, Parameter(help="The predictor along which to draw; the model's first if not said.")]
Averaged = Annotated[
    bool, switch("Average the effect over the rows of --data, as is done wherever --data is given for an effect.")
]


def plot(
    model: ModelFile,
    kind: Picture,
    /,
    *,
    write_to: Annotated[str, output("The picture: PNG, SVG or PDF, by the name.")],
    data: Table = None,
    sql: Annotated[str | None, Parameter(help="Read what this query gives; --data may be left out.")] = None,
    variable: Variable = None,
    at: At = None,
    averaged: Averaged = False,
    bins: Annotated[int | None, Parameter(help="Of the calibration or the residuals.")] = None,
    level: Annotated[float | None, Parameter(help="Of the intervals. [default: 0.95]")] = None,
    weights: Weights = None,
    sampling_weights: SamplingWeights = None,
    offset: Offset = None,
    trials: Trials = None,
    cluster: Cluster = None,
) -> None:
    """Draw a picture of a model: passline plot model.json roc --data new.csv -o roc.png."""
    from passline import facade
    from passline.show.plots import check_ending, write

    given: dict[str, Any] = {
        "variable": variable,
        "at": at or None,
        "averaged": averaged or None,
        "bins": bins,
        "level": level,
        "data": data,
        "sql": sql,
        "weights": weights,
        "sampling_weights": sampling_weights,
        "offset": offset,
        "trials": trials,
        "cluster": cluster,
    }
    asked = {name: value for name, value in given.items() if value is not None}
    check_ending(write_to)
    for name in asked:
        if name not in _KNOWN[kind]:
            option = name.replace("_", "-")
            kinds = ", ".join(each for each in get_args(Kind) if name in _KNOWN[each])
            raise OptionError(f"--{option} says nothing of {kind}: it is for {kinds}")
    write(_draw(facade.load(model), kind, asked), write_to)
    print(f"The picture is in {write_to}.")


def _draw(fit: Fit, kind: Kind, asked: dict[str, Any]) -> Axes:
    """The axes of the picture, drawn as the options say."""
    from passline.boundary import parse_at

    table = {name: asked.pop(name) for name in _TABLE if name in asked}
    if "at" in asked:
        asked["at"] = parse_at(asked["at"])
    if kind in ("curve", "effect", "effects", "coefficients"):
        return _of_model(fit, kind, asked, table)
    if not table:
        raise OptionError(f"a model holds no rows, and {kind} is a picture of rows: give --data")
    if kind in ("influence", "loss", "residuals"):
        return _of_rows(fit, kind, asked, table)
    return _of_evaluation(fit, kind, asked, table)


def _of_model(fit: Fit, kind: Kind, asked: dict[str, Any], table: dict[str, Any]) -> Axes:
    if kind in ("curve", "coefficients"):
        opened = (fit.with_rows(**table) if table else fit).plot
        return opened.curve(**asked) if kind == "curve" else opened.coefficients()
    if asked.get("averaged") and not table:
        raise OptionError("--averaged needs rows to average over, and a model holds none: give --data")
    asked["averaged"] = bool(table)
    if kind == "effect":
        return fit.plot.effect(**table, **asked)
    return fit.plot.effects(**table, **asked)[0]


def _of_rows(fit: Fit, kind: Kind, asked: dict[str, Any], table: dict[str, Any]) -> Axes:
    if kind == "residuals" and "variable" not in asked:
        return fit.plot.residuals(fit.judged(**table), **asked)
    opened = fit.with_rows(**table).plot
    if kind == "residuals":
        return opened.residuals(**asked)
    return opened.influence() if kind == "influence" else opened.loss()


def _of_evaluation(fit: Fit, kind: Kind, asked: dict[str, Any], table: dict[str, Any]) -> Axes:
    plots = fit.plot
    binned = {"bins": asked.pop("bins", 10), "binning": "quantile"} if kind == "calibration" else {}
    found = fit.quickly_evaluated(**table, **asked, **binned)
    if kind == "roc":
        return plots.roc(found)
    if kind == "precision-recall":
        return plots.precision_recall(found)
    if kind == "calibration":
        return plots.calibration(found)
    return plots.gains(found, lift=kind == "lift")
