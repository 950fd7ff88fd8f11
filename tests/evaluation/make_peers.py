"""Write peers.json: what scikit-learn and R's pROC say of the reference tables' fitted probabilities.

By hand, with a Python that has passline and scikit-learn, and R with pROC and jsonlite:
``PYTHONPATH=src:tests python tests/evaluation/make_peers.py``. Probabilities are rounded to twelve digits, so that
equal rows tie for the peers as they do here.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import warnings
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, matthews_corrcoef, roc_auc_score

import passline
from reference import reference_tables

HERE = Path(__file__).parent
DELONG = """
suppressMessages({library(pROC); library(jsonlite)})
files <- commandArgs(TRUE)
tables <- fromJSON(files[1])
write(toJSON(lapply(tables, function(t) {
  curve <- suppressWarnings(roc(t$y, t$p, levels = c(0, 1), direction = "<", quiet = TRUE))
  interval <- suppressWarnings(as.numeric(ci.auc(curve, method = "delong")))
  c(sqrt(suppressWarnings(var(curve, method = "delong"))), interval[1], interval[3])
}), digits = NA), files[2])
"""


def main() -> None:
    """Fit, hand over, write."""
    warnings.simplefilter("ignore")
    scores, found = {}, {}
    for table in reference_tables():
        columns = table.columns()
        p = passline.fit(table.formula, columns).predict(columns)
        y = np.asarray(columns["y"])
        there = ~np.isnan(p)
        p, y = np.array([float(f"{value:.12g}") for value in p[there]]), y[there]
        scores[table.name] = {"p": p.tolist(), "y": y.tolist()}
        found[table.name] = {
            "auc": roc_auc_score(y, p),
            "average_precision": average_precision_score(y, p),
            "brier": brier_score_loss(y, p),
            "log_loss": log_loss(y, p),
            "mcc": matthews_corrcoef(y, p >= 0.5),
        }
    with tempfile.TemporaryDirectory() as folder:
        given, answer = Path(folder) / "given.json", Path(folder) / "answer.json"
        given.write_text(json.dumps(scores), encoding="utf-8")
        subprocess.run(["Rscript", "-e", DELONG, str(given), str(answer)], check=True)
        for name, values in json.loads(answer.read_text(encoding="utf-8")).items():
            found[name] |= dict(zip(("std_error", "conf_low", "conf_high"), values, strict=True))
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(values)}" for name, values in found.items())
    (HERE / "peers.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
