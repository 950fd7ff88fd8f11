"""Comparing models of the same rows, and refusing to compare those of different ones."""

from __future__ import annotations

import json
import math
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import passline
from passline import datasets
from passline.cli import run
from passline.errors import OptionError
from passline.show.comparison import comparison_text

PATH = str(datasets.path("birthwt"))


def test_nested_models_are_tested_as_r_does_in_either_order() -> None:
    """R 4.2.2: anova(g0, f, test = "LRT") gives 12.546153903 on 2 + 1 degrees of freedom, p 0.0057283."""
    small = passline.fit("low ~ age + lwt", PATH)
    large = passline.fit("low ~ age + lwt + C(race) + smoke", PATH)
    for found in (small.compare(large), large.compare(small)):
        assert found.nested
        assert found.smaller.formula == "low ~ age + lwt"
        assert found.statistic == pytest.approx(12.546153903, rel=1e-9)
        assert found.df == 3
        assert found.p_value == pytest.approx(0.0057283, rel=1e-4)
        assert found.aic_difference == pytest.approx(2 * 3 - 12.546153903, rel=1e-8)
        assert found.bic_difference == pytest.approx(math.log(189) * 3 - 12.546153903, rel=1e-8)


def test_interactions_of_grouped_rows_are_tested_as_r_does() -> None:
    """Budworm, R 4.2.2: anova(h, h2, test = "LRT") gives 1.76333692461."""
    path = str(datasets.path("budworm"))
    fits = [passline.fit(f"numdead ~ sex {sign} log(dose)", path, trials="total") for sign in "+*"]
    assert fits[0].compare(fits[1]).statistic == pytest.approx(1.76333692461, rel=1e-9)


def test_models_that_are_not_nested_keep_their_criteria_and_get_no_test() -> None:
    found = passline.fit("low ~ age + ptl", PATH).compare(passline.fit("low ~ age + lwt", PATH))
    assert not found.nested
    assert math.isnan(found.statistic)
    assert math.isnan(found.p_value)
    assert found.aic_difference == pytest.approx(227.12338843711223 - 224.2701, abs=1e-3)
    assert found.as_json()["df"] is None
    assert "neither model is nested" in found.note


def test_a_model_is_nested_when_its_columns_are_whatever_its_terms_are_called() -> None:
    """C(race) holds every function of race, the line in race included."""
    line, levels = passline.fit("low ~ race + age", PATH), passline.fit("low ~ C(race) + age", PATH)
    found = levels.compare(line)
    assert found.nested
    assert found.df == 1
    full = (line.glance()["log_likelihood"], levels.glance()["log_likelihood"])
    assert found.statistic == pytest.approx(2 * (full[1] - full[0]), rel=1e-9)


def test_two_spellings_of_one_model_say_the_same() -> None:
    one, other = passline.fit("low ~ age + lwt", PATH), passline.fit("low ~ lwt + age", PATH)
    found = one.compare(other)
    assert (found.nested, found.df, found.statistic) == (True, 0, 0.0)
    assert math.isnan(found.p_value)
    assert found.note


def test_separated_models_are_compared_by_their_suprema() -> None:
    path = str(datasets.path("endometrial"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = passline.fit("HG ~ NV + PI + EH", path).compare(passline.fit("HG ~ PI + EH", path))
    assert found.statistic == pytest.approx(9.3576, abs=1e-4)
    assert found.larger.separation == "quasi"
    assert "Model 2 is separated" in comparison_text(found)


def test_different_rows_are_refused_with_their_numbers_and_the_likely_cause() -> None:
    rng = np.random.default_rng(2)
    table = {"y": rng.integers(0, 2, 60), "x": rng.normal(size=60), "z": rng.normal(size=60)}
    table["z"][:7] = math.nan
    small = passline.fit("y ~ x", table)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        large = passline.fit("y ~ x + z", table)
    with pytest.raises(OptionError, match=re.compile(r"60 and 53 .*0 and 7 .*missing in 'z'", re.S)):
        small.compare(large)
    with pytest.raises(OptionError, match=re.compile(r"53 and 60", re.S)):
        large.compare(small)


def test_as_many_rows_but_others_are_refused() -> None:
    rng = np.random.default_rng(2)
    table = {"y": rng.integers(0, 2, 60), "x": rng.normal(size=60), "c": np.arange(60) % 3 + 1}
    fit = passline.fit("y ~ x", table)
    with pytest.raises(OptionError, match="values of 'x' differ"):
        fit.compare(passline.fit("y ~ x", {**table, "x": table["x"] + 1}))
    with pytest.raises(OptionError, match="outcomes, weights, trials or offsets differ"):
        fit.compare(passline.fit("y ~ 1", {**table, "y": table["y"][::-1]}))
    with pytest.raises(OptionError, match="outcomes, weights"):
        fit.compare(passline.fit("y ~ x", table, weights="c"))
    with pytest.raises(OptionError, match="positive label"):
        fit.compare(passline.fit("y ~ x", table, positive="0"))
    with pytest.raises(OptionError, match="different outcomes"):
        fit.compare(passline.fit("z ~ x", {"z": table["y"], "x": table["x"]}))


def test_the_rows_are_recognised_whatever_library_they_came_from(tmp_path: Path) -> None:
    import pandas
    import polars

    frame = pandas.read_csv(PATH)
    fits = [
        passline.fit("low ~ age", PATH),
        passline.fit("low ~ age + lwt", frame),
        passline.fit("low ~ age + lwt + smoke", polars.read_csv(PATH)),
        passline.fit("low ~ age", datasets.load("birthwt")),
    ]
    for fit in fits[1:]:
        assert fits[0].compare(fit).nested


def test_fits_without_a_likelihood_are_refused() -> None:
    fit = passline.fit("low ~ age", PATH)
    with pytest.raises(OptionError, match="sampling weights"):
        fit.compare(passline.fit("low ~ age + smoke", PATH, sampling_weights="lwt"))
    with pytest.raises(OptionError, match="penalised"):
        fit.compare(passline.fit("low ~ age + smoke", PATH, penalty=passline.Penalty(l2=0.1)))


def test_the_command_compares_saved_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, formula in (("a", "low ~ race"), ("b", "low ~ C(race)"), ("c", "low ~ C(race) + age")):
        passline.fit(formula, PATH).save(tmp_path / f"{name}.json")
    a, b, c = (str(tmp_path / f"{name}.json") for name in "abc")
    assert run(["compare", b, c, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["nested"] is True
    assert document["df"] == 1
    assert [model["rank"] for model in document["models"]] == [3, 4]
    assert run(["compare", a, b]) == 0
    assert "terms do not show" in capsys.readouterr().out
    assert run(["compare", a, b, "--data", PATH]) == 0
    text = capsys.readouterr().out
    assert "Likelihood ratio" in text
    assert "189 rows" in text
    assert run(["compare", a, b, "--data", str(datasets.path("endometrial"))]) == 2
    assert run(["compare", a, str(tmp_path / "none.json")]) == 2


def test_a_model_without_a_fingerprint_is_refused(tmp_path: Path) -> None:
    from passline import modelfile

    fit = passline.fit("low ~ age", PATH)
    modelfile.save(fit.model, tmp_path / "old.json")
    with pytest.raises(OptionError, match="fingerprint"):
        fit.compare(passline.load(tmp_path / "old.json"))
