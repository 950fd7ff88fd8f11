"""passline explain: what each term adds to the log-odds of each row of a table, against the average row."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from passline.cli.options import Data, Json, ModelFile, Unseen, output, print_json


def explain(
    model: ModelFile,
    data: Data,
    /,
    *,
    write_to: Annotated[
        str | None, output("Write CSV, TSV or Parquet here, by the name, instead of printing CSV.")
    ] = None,
    unseen: Unseen = "error",
    flic: Annotated[
        bool, Parameter(help="Explain a Firth fit with its corrected intercept, or with that of its table.")
    ] = True,
    json: Json = False,
) -> None:
    """Say what each term adds to the log-odds of each row of DATA, against the average row of the fit."""
    import numpy as np

    from passline import modelfile
    from passline.explaining import INFINITE
    from passline.explaining import explain as explained
    from passline.predictions import write_predictions

    loaded = modelfile.load(model)
    found = explained(loaded, loaded.frame(data), unseen=unseen, flic=flic)
    if write_to is not None or not json:
        columns = found.columns().items()
        table = {name: values if name == INFINITE else np.array(values, dtype=np.float64) for name, values in columns}
        write_predictions(table, write_to)
    if json:
        print_json({"formula": loaded.design.formula, "positive": loaded.design.positive, "rows": found.rows()})
