"""passline check: what it finds, what it says, what it keeps quiet about, on known tables and on made ones."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import passline
from passline.checks import CHECKS, Finding, Findings
from passline.cli.app import run


def look(formula: str, data: Any, **options: Any) -> Findings:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", passline.errors.PasslineWarning)
        return passline.fit(formula, data, **options).check()


def known(name: str, formula: str | None = None) -> Findings:
    table = passline.datasets.describe(name)
    return look(formula or table.formula, passline.datasets.load(name), trials=table.trials)


def only(found: Findings, kind: str) -> Finding:
    (finding,) = [finding for finding in found if finding.kind == kind]
    return finding


def made(n: int = 400, seed: int = 0) -> dict[str, Any]:
    """A table that follows a plain model in x and z."""
    random = np.random.default_rng(seed)
    x, z = random.normal(size=n), random.normal(size=n)
    return {"y": (random.random(n) < 1 / (1 + np.exp(-x))).astype(float), "x": x, "z": z}


def test_a_plain_model_on_plain_rows_finds_nothing_and_says_what_was_looked_at() -> None:
    found = look("y ~ x + z", made())
    assert list(found) == []
    assert set(found.looked_at) | set(found.left_out) == set(CHECKS)
    assert set(found.left_out) == {"overdispersion"}
    assert "Nothing was found" in repr(found)
    assert "influence" in repr(found)


def test_challenger_s_coldest_flight_decides_the_fit() -> None:
    finding = only(known("orings"), "influence")
    assert finding.severity == "warning"
    assert finding.terms == ("temperature",)
    assert "row 1" in finding.sentence
    assert finding.numbers["cooks_distance"][0] == pytest.approx(1.98053221130913, rel=1e-6)


def test_kyphosis_has_few_events_and_one_row_worth_a_look() -> None:
    found = known("kyphosis")
    assert [finding.kind for finding in found] == ["few events", "influence"]
    assert found[0].numbers["events_per_term"] == pytest.approx(17 / 3)
    assert found[1].numbers["rows"] == [42]


def test_birthwt_has_few_events_and_birth_weight_gives_low_away() -> None:
    assert only(known("birthwt"), "few events").numbers == pytest.approx(
        {"events": 59, "coefficients": 9, "events_per_term": 59 / 9, "per_row": 9 / 189}
    )
    found = known("birthwt", "low ~ age + bwt")
    assert {finding.kind for finding in found} >= {"separation", "leakage"}
    assert only(found, "leakage").terms == ("bwt",)
    assert "bwt <= 2495" in only(found, "separation").sentence
    assert found.left_out["influence"] == "the outcome is separated"


def test_mroz_s_wages_are_no_straight_line() -> None:
    """Those of the women not in the labour force were imputed, so the curve gives them away."""
    finding = only(known("mroz"), "linearity")
    assert finding.severity == "warning"
    assert finding.terms == ("lwg",)
    assert finding.numbers["statistic"] == pytest.approx(155.9352205, rel=1e-6)


def test_dropped_rows_warn_above_five_percent_and_are_noted_below() -> None:
    finding = only(known("titanic"), "dropped rows")
    assert (finding.severity, finding.terms) == ("warning", ("age",))
    assert "263 of 1309 rows (20 %)" in finding.sentence
    data = made()
    data["z"][3] = np.nan
    assert only(look("y ~ x + z", data), "dropped rows").severity == "note"


def test_constant_columns_and_repeated_ones_are_told_apart() -> None:
    data = made() | {"one": np.full(400, 3.0), "level": ["a"] * 400}
    data["twice"] = 2 * data["x"] + 1
    constant, repeated = sorted(
        (f for f in look("y ~ x + one + level + twice", data) if f.kind == "constant columns"), key=lambda f: f.severity
    )
    assert set(constant.terms) == {"one", "level"}
    assert (repeated.severity, repeated.terms) == ("warning", ("twice",))


def test_rare_levels_are_named_with_their_rows() -> None:
    data = made() | {"g": ["a"] * 197 + ["b"] * 200 + ["rare"] * 3}
    data["y"][-3:] = [0, 1, 0]
    finding = only(look("y ~ x + g", data), "rare levels")
    assert finding.terms == ("g",)
    assert "'rare' (3 rows)" in finding.sentence


def test_identifiers_and_row_numbers_give_themselves_away() -> None:
    data = made(60)
    data |= {"id": np.arange(60.0), "who": [f"p{i // 2 if i < 20 else i}" for i in range(60)]}
    assert "row number" in only(look("y ~ x + id", data), "leakage").sentence
    found = [f for f in look("y ~ x + who", data) if f.kind == "leakage"]
    assert "identifier" in found[0].sentence


def test_the_outcome_under_another_name_is_found_and_a_good_predictor_is_not() -> None:
    data = made()
    data["same"] = ["yes" if y else "no" for y in data["y"]]
    assert "under another name" in only(look("y ~ x + same", data), "leakage").sentence
    data["near"] = data["y"] + np.random.default_rng(1).normal(scale=0.28, size=400)
    assert "almost without an error" in only(look("y ~ near", data), "leakage").sentence
    data["good"] = data["y"] + np.random.default_rng(1).normal(scale=0.7, size=400)
    assert not [f for f in look("y ~ good", data) if f.kind == "leakage"]


def test_collinear_terms_are_found_and_the_powers_of_one_predictor_are_not() -> None:
    data = made()
    data["again"] = data["x"] + np.random.default_rng(2).normal(scale=0.1, size=400)
    finding = only(look("y ~ x + again + z", data), "collinearity")
    assert (finding.severity, set(finding.terms)) == ("warning", {"x", "again"})
    assert finding.numbers["gvif"][0] > 50
    data["age"] = 40 + data["x"]
    assert not [f for f in look("y ~ age + power(age, 2) + z", data) if f.kind == "collinearity"]


def test_trials_that_vary_too_much_are_overdispersed_and_binomial_ones_are_not() -> None:
    random = np.random.default_rng(5)
    x, m = random.normal(size=80), np.full(80, 30)
    p = 1 / (1 + np.exp(-0.5 * x))
    plain = {"x": x, "m": m, "s": random.binomial(m, p)}
    assert not [f for f in look("s ~ x", plain, trials="m") if f.kind == "overdispersion"]
    spread = plain | {"s": random.binomial(m, random.beta(4 * p, 4 * (1 - p)))}
    finding = only(look("s ~ x", spread, trials="m"), "overdispersion")
    assert finding.numbers["dispersion"] > 3
    assert known("orings").left_out["overdispersion"] == "rows hold too few trials to tell"


def test_many_terms_for_the_rows_warn_and_silence_the_tests_that_then_fail() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(500, 75))
    y = (random.random(500) < 1 / (1 + np.exp(-X[:, :20].sum(axis=1) / 2))).astype(float)
    found = look("y ~ .", {"y": y} | {f"x{j}": X[:, j] for j in range(75)})
    finding = only(found, "few events")
    assert finding.severity == "warning"
    assert "1.5 times too steep" in finding.sentence
    assert finding.numbers["slope_bias"] == pytest.approx(1.3, abs=0.15)
    assert {"linearity", "calibration"} <= set(found.left_out)


def test_a_large_effect_is_noted() -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=800)
    y = (random.random(800) < 1 / (1 + np.exp(-3.5 * x))).astype(float)
    assert only(look("y ~ x", {"x": x, "y": y}), "large effects").terms == ("x",)


def test_sampling_weights_and_penalties_leave_out_what_needs_a_likelihood() -> None:
    data = made()
    weighted = look("y ~ x + z", data, sampling_weights=np.linspace(0.5, 2, 400))
    assert {"linearity", "calibration"} <= set(weighted.left_out)
    ridge = look("y ~ x + z", data, penalty=passline.Penalty(l2=0.1))
    assert {"linearity", "calibration", "influence", "collinearity"} <= set(ridge.left_out)


def test_counts_find_what_the_rows_written_out_find() -> None:
    data, count = made(80), np.random.default_rng(1).integers(1, 4, size=80)
    short = look("y ~ x + z", data, weights=count)
    long = look("y ~ x + z", {name: np.repeat(column, count) for name, column in data.items()})
    assert [finding.sentence for finding in short] == [finding.sentence for finding in long]
    assert short.left_out == long.left_out


@pytest.mark.parametrize("json_too", [False, True])
def test_the_command_ends_well_with_findings_and_without(json_too: bool, capsys: pytest.CaptureFixture[str]) -> None:
    for name, formula in (("endometrial", "HG ~ NV + PI + EH"), ("students", "passed ~ hours")):
        code = run(["check", str(passline.datasets.path(name)), formula, *(["--json"] if json_too else [])])
        out, error = capsys.readouterr()
        assert code == 0
        assert error == ""
        if json_too:
            document = json.loads(out)
            assert set(document) == {"formula", "findings", "looked_at", "left_out"}
            for finding in document["findings"]:
                assert set(finding) == {"kind", "severity", "terms", "sentence", "numbers"}
        else:
            assert all(len(line) <= 100 for line in out.splitlines())
            assert ("NV = 1 (13 rows) has only HG = 1" in out) == (name == "endometrial")


def test_the_command_needs_the_rows_of_a_model_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = tmp_path / "m.json"
    passline.fit("passed ~ hours", passline.datasets.load("students")).save(model)
    assert run(["check", str(model)]) == 2
    assert "--data" in capsys.readouterr().err


def test_a_table_given_twice_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    table = str(passline.datasets.path("students"))
    assert run(["check", table, "passed ~ hours", "--data", table]) == 2
    assert "--data goes with a model file" in capsys.readouterr().err
