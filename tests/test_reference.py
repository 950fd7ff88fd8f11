"""368 real tables: the verdict on separation, certified estimates, what R's glm says; from a file and from columns."""

from __future__ import annotations

import functools
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import passline
from passline.errors import SeparationWarning
from reference import ReferenceTable, reference_tables

TABLES = {table.name: table for table in reference_tables()}
SEPARATED = [name for name, table in TABLES.items() if table.expected["separation"] != "none"]
CERTIFIED = [name for name, table in TABLES.items() if "certified" in table.expected]
DEFICIENT = [
    name
    for name, table in TABLES.items()
    if table.expected["rank"] < len(table.expected["terms"]) and table.expected["separation"] == "none"
]
IN_R = [name for name in CERTIFIED if "r_glm" in TABLES[name].expected]


@functools.cache
def fitted(name: str, folder: Path | None) -> passline.Fit:
    """A table's fit, from its file in ``folder`` or, without one, from its columns."""
    table: ReferenceTable = TABLES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SeparationWarning)
        return passline.fit(table.formula, table.columns() if folder is None else folder / f"{name}.csv")


def digits(found: Any, true: Any) -> float:
    """Digits of agreement, of the worst term, as the tables' README counts them."""
    a, b = np.array(found, dtype=float), np.array(true, dtype=float)
    return -math.log10(max(float(np.max(np.abs(a - b) / np.maximum(np.abs(b), 1e-8))), 1e-17))


def document(fit: passline.Fit) -> dict[str, Any]:
    """What ``fit --json`` prints, without the clock."""
    found = fit.as_json()
    return found | {"certificate": {k: v for k, v in found["certificate"].items() if k != "seconds"}}


@pytest.mark.parametrize("name", TABLES)
def test_a_file_and_a_dict_of_columns_give_one_answer_with_the_true_verdict_rank_and_names(
    name: str, reference_folder: Path
) -> None:
    fit, expected = fitted(name, reference_folder), TABLES[name].expected
    assert document(fit) == document(fitted(name, None))
    assert fit.separation.kind == expected["separation"]
    assert fit.glance()["rank"] == expected["rank"]
    assert list(fit.model.terms.names) == expected["terms"]
    assert fit.glance()["nobs"] == expected["n"]
    assert fit.certificate["converged"]
    assert fit.certificate["gradient_norm"] < 1e-8
    assert fit.certificate["max_step_in_se"] < 1e-5


def test_estimates_have_nine_digits_on_99_percent_of_the_certified_tables_and_never_less_than_six(
    reference_folder: Path,
) -> None:
    found = {
        name: digits(fitted(name, reference_folder).model.terms.estimate, TABLES[name].expected["certified"]["coef"])
        for name in CERTIFIED
    }
    assert len(found) > 250
    assert {name: d for name, d in found.items() if d < 6} == {}
    assert sum(d >= 9 for d in found.values()) >= 0.99 * len(found), {n: d for n, d in found.items() if d < 9}


@pytest.mark.parametrize("name", CERTIFIED)
def test_standard_errors_have_seven_digits_and_the_deviance_ten(name: str, reference_folder: Path) -> None:
    fit, certified = fitted(name, reference_folder), TABLES[name].expected["certified"]
    assert digits(fit.model.terms.std_error, certified["std_error"]) >= 7
    assert fit.glance()["deviance"] == pytest.approx(certified["deviance"], rel=1e-10)


@pytest.mark.parametrize("name", IN_R)
def test_the_glance_is_that_of_r(name: str, reference_folder: Path) -> None:
    glance, r = fitted(name, reference_folder).glance(), TABLES[name].expected["r_glm"]
    ours = {"null_deviance": "null_deviance", "aic": "aic", "bic": "bic", "auc": "auc_apparent"}
    assert {k: glance[ours[k]] for k in ours} == pytest.approx({k: r[k] for k in ours}, rel=1e-8)


@pytest.mark.parametrize("name", DEFICIENT)
def test_aliased_terms_are_those_of_r_and_the_others_have_its_estimates(name: str, reference_folder: Path) -> None:
    fit, r = fitted(name, reference_folder), TABLES[name].expected["r_glm"]
    terms = fit.model.terms
    assert terms.status == tuple("aliased" if value is None else "ok" for value in r["coef"])
    kept = [i for i, value in enumerate(r["coef"]) if value is not None]
    assert digits(terms.estimate[kept], [r["coef"][i] for i in kept]) > 4  # R stops at a relative change of 1e-8
    assert fit.glance()["deviance"] == pytest.approx(r["deviance"], rel=1e-8)
    assert fit.glance()["null_deviance"] == pytest.approx(r["null_deviance"], rel=1e-10)


@pytest.mark.parametrize("name", SEPARATED)
def test_a_separated_table_warns_and_shows_no_error_or_p_value_where_no_estimate_exists(
    name: str, reference_folder: Path
) -> None:
    table = TABLES[name]
    with pytest.warns(SeparationWarning, match="separated"):
        fit = passline.fit(table.formula, reference_folder / f"{name}.csv")
    without = [row for row in fit.as_json()["terms"] if row["status"] in ("infinite", "undetermined")]
    assert without
    assert [row["term"] for row in without] == list(fit.separation.terms)
    for row in without:
        assert row["estimate"] is row["std_error"] is row["p_value"] is row["conf_low"] is row["conf_high"] is None
        assert (row["limit"] in ("+inf", "-inf")) == (row["status"] == "infinite")
    if fit.separation.kind == "complete":
        assert fit.glance()["deviance"] == 0.0
        assert fit.glance()["auc_apparent"] == 1.0


@pytest.mark.parametrize("name", SEPARATED)
def test_a_separated_table_predicts_its_own_separated_rows_for_certain(name: str, reference_folder: Path) -> None:
    fit = fitted(name, reference_folder)
    p, y = fit.predict(reference_folder / f"{name}.csv"), np.array(TABLES[name].columns()["y"])
    assert fit.rows is not None
    outcome = fit.rows.by_row.outcome
    assert outcome.recession is not None
    separated = outcome.recession.separated
    np.testing.assert_array_equal(p[separated], y[separated])
    assert not np.isnan(p).any()
    np.testing.assert_array_equal(p, fit.predict(TABLES[name].columns()))
