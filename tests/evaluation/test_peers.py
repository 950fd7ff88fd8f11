"""Every reference table against scikit-learn and R's pROC; make_peers.py wrote what they say."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path

import pytest

import passline
from passline.errors import SeparationWarning
from passline.evaluation.discrimination import delong, ranked
from passline.evaluation.scored import Scored
from reference import ReferenceTable, reference_tables

PEERS = json.loads((Path(__file__).parent / "peers.json").read_text(encoding="utf-8"))
TABLES = list(reference_tables())


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_gets_the_figures_of_scikit_learn_to_ten_digits_and_delongs_interval_of_proc_to_six(
    table: ReferenceTable,
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SeparationWarning)
        fit = passline.fit(table.formula, table.columns())
    measures, peer = fit.evaluate(folds=0, bootstrap=0).measures, PEERS[table.name]
    for name in ("auc", "average_precision", "brier", "log_loss", "mcc"):
        value = measures[name]["apparent"]
        # scikit-learn calls Matthews' correlation zero where nobody is called positive; here it does not exist.
        assert (0.0 if math.isnan(value) and name == "mcc" else value) == pytest.approx(peer[name], abs=1e-10), name
    assert fit.rows is not None
    rows = fit.rows.by_row
    scored = Scored.of(rows.outcome.eta, rows.sample.y)
    found = delong(scored, ranked(scored))
    assert found.std_error == pytest.approx(peer["std_error"], abs=1e-6)
    assert (found.conf_low, found.conf_high) == pytest.approx((peer["conf_low"], peer["conf_high"]), abs=1e-6)
