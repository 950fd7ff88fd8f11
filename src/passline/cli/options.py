"""Options that several commands share, each with the sentence that --help shows."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from cyclopts import Parameter


def _no_option(_type: object, value: str | None) -> None:
    # A lone hyphen is standard input; anything longer is an option with a slip in it.
    if value is not None and value.startswith("-") and value != "-":
        raise ValueError(f"there is no option {value}")


Data = Annotated[
    str,
    Parameter(
        allow_leading_hyphen=True,
        validator=_no_option,
        help="A file (CSV, TSV, Parquet, JSON lines, Arrow), a glob, - for standard input as CSV, or a DuckDB or "
        "SQLite file with ::table after it.",
    ),
]
Table = Annotated[
    str | None,
    Parameter(
        allow_leading_hyphen=True,
        validator=_no_option,
        help="A table, that of the fit or another, as passline fit reads it (- for standard input): a model has none.",
    ),
]
ModelFile = Annotated[str, Parameter(help="A model file that passline fit wrote.")]
Level = Annotated[float, Parameter(help="Of the intervals.")]
Json = Annotated[bool, Parameter(negative="", help="Print one JSON document and nothing else.")]
At = Annotated[
    list[str] | None,
    Parameter(
        negative="",
        help="NAME=VALUE: hold another predictor there (else at its mean or most frequent level). May be repeated.",
    ),
]

Weights = Annotated[str | None, Parameter(help="Column that says how often each row counts.")]
SamplingWeights = Annotated[
    str | None, Parameter(help="Column that says how many of the population each row stands for.")
]
Offset = Annotated[str | None, Parameter(help="Column that is added to the linear predictor.")]
Trials = Annotated[
    str | None, Parameter(help="Column of trials, where the outcome counts successes or is their share.")
]
Cluster = Annotated[
    str | None, Parameter(help="Column whose equal values mark rows that belong together; robust errors.")
]
Positive = Annotated[str | None, Parameter(help="The label of the outcome that counts as yes.")]
Unseen = Annotated[
    Literal["error", "baseline"],
    Parameter(help="A category that was not there at fitting time is an error, or counts as the reference level."),
]


def switch(text: str) -> Parameter:
    """A flag without a --no- form."""
    return Parameter(negative="", help=text)


def output(text: str) -> Parameter:
    """The option -o."""
    return Parameter(name=["-o", "--output"], help=text)


def print_json(document: dict[str, Any]) -> None:
    """Print one JSON document; a number that does not exist is null by now."""
    print(json.dumps(document, ensure_ascii=False, allow_nan=False))
