"""passline predict: a row of probabilities for each row of a table."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from passline.cli.options import Data, Level, ModelFile, Unseen, output, switch


def predict(
    model: ModelFile,
    data: Data,
    /,
    *,
    write_to: Annotated[
        str | None, output("Write CSV, TSV or Parquet here, by the name, instead of printing CSV.")
    ] = None,
    scale: Annotated[
        Literal["probability", "logit"], Parameter(help="Probabilities, or their logits.")
    ] = "probability",
    interval: Annotated[bool, switch("Two more columns, conf_low and conf_high.")] = False,
    level: Level = 0.95,
    unseen: Unseen = "error",
    flic: Annotated[
        bool, Parameter(help="Predict from a Firth fit with its corrected intercept, or with that of its table.")
    ] = True,
) -> None:
    """Predict with a model, one row for each row of DATA; a missing predictor gives a missing probability."""
    from passline import modelfile
    from passline.predictions import write_predictions

    found = modelfile.load(model).predict(
        data, scale=scale, interval="wald" if interval else None, level=level, unseen=unseen, flic=flic
    )
    values = found if isinstance(found, tuple) else (found,)
    write_predictions(dict(zip((scale, "conf_low", "conf_high"), values, strict=False)), write_to)
