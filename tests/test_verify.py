"""`passline verify`: a file that agrees with itself and its rows, and each way in which one can fail to."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import passline
from passline import datasets, modelfile
from passline.cli.app import run
from passline.errors import ModelFileError
from passline.table.source import open_source
from passline.verifying import verify

OLD = sorted(p for p in (Path(__file__).parent / "models").rglob("*.json") if not p.name.endswith(".expected.json"))
Document = dict[str, Any]

FITS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "numbers": ("passed ~ hours", "students", {}),
    "terms": ("lfp ~ rcs(age, 4) * wc + scale(inc) + C(k5)", "mroz", {}),
    "separated": ("HG ~ NV + PI + EH", "endometrial", {}),
    "firth": ("HG ~ NV + PI + EH", "endometrial", {"estimator": "firth", "interval": "profile"}),
    "ridge": ("low ~ age + C(race)", "birthwt", {"penalty": passline.Penalty(l2=0.1)}),
    "trials": ("Menarche ~ Age", "menarche", {"trials": "Total", "dispersion": "estimated"}),
    "clusters": ("low ~ age + lwt", "birthwt", {"cluster": "race"}),
    "no intercept": ("Kyphosis ~ 0 + Age + Start", "kyphosis", {}),
}


def saved(name: str, folder: Path) -> Path:
    formula, table, options = FITS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        passline.fit(formula, datasets.path(table), **options).save(folder / "model.json")
    return folder / "model.json"


def failed(path: Path, table: str | None = None) -> dict[str, str]:
    found = verify(path, None if table is None else open_source(table))
    assert found.valid == all(check.passed for check in found.checks)
    return {check.name: check.detail for check in found.checks if not check.passed}


@pytest.mark.parametrize("name", FITS)
def test_a_saved_model_agrees_with_itself_and_with_its_rows(name: str, tmp_path: Path) -> None:
    path = saved(name, tmp_path)
    found = verify(path, open_source(datasets.path(FITS[name][1])))
    assert found.valid, found.checks
    details = {check.name: check.detail for check in found.checks}
    assert list(details) == ["file", "covariance", "table", "existence", "counts", "average row", "rows", "gradient"]
    assert "value for value" in details["rows"]


@pytest.mark.parametrize("path", OLD, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_files_of_earlier_versions_agree_with_themselves(path: Path) -> None:
    assert failed(path) == {}


def change(path: Path, alter: Callable[[Document], None]) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    del document["sha256"]
    alter(document)
    path.write_text(modelfile._sealed(document), encoding="utf-8")


def setting(*places: Any, to: Any) -> Callable[[Document], None]:
    def alter(document: Document) -> None:
        inner: Any = document
        for place in places[:-1]:
            inner = inner[place]
        inner[places[-1]] = to

    return alter


@pytest.mark.parametrize(
    ("alter", "check", "words"),
    [
        (setting("covariance", 0, 1, to=0.5), "covariance", "symmetric"),
        (setting("covariance", to=[[3.1009, 9.0], [9.0, 0.3952]]), "covariance", "semidefinite"),
        (setting("covariance", 1, 1, to=-1.0), "covariance", "negative"),
        (setting("covariance", 0, 1, to=None), "covariance", "in part"),
        (setting("coef", 1, to=1.0), "table", "not the coefficients"),
        (setting("terms", "std_error", 1, to=0.7), "table", "standard errors"),
        (setting("terms", "statistic", 1, to=9.0), "table", "statistics"),
        (setting("terms", "conf_low", 1, to=2.0), "table", "interval"),
        (setting("terms", "p_value", 1, to=1.5), "table", "p-value"),
        (setting("terms", "status", 1, to="aliased"), "table", "without an estimate"),
        (setting("terms", "limit", 1, to="+inf"), "existence", "limits"),
        (setting("directions", to=[[1.0, 0.0]]), "existence", "no separation"),
        (setting("separation", "kind", to="quasi"), "existence", "no direction"),
        (setting("rows", "used", to=21), "counts", "add up"),
        (setting("summaries", to={}), "counts", "summaries"),
        (setting("summaries", "hours", "mean", to=99.0), "counts", "range"),
        (setting("summaries", "hours", "positive", to=[9.0] * 20), "counts", "fit one another"),
        (setting("average", 0, to=0.5), "average row", "intercept"),
        (setting("average", 1, to=3.0), "average row", "hours"),
    ],
)
def test_numbers_that_do_not_fit_one_another_are_found(
    tmp_path: Path, alter: Callable[[Document], None], check: str, words: str
) -> None:
    path = saved("numbers", tmp_path)
    change(path, alter)
    found = failed(path)
    assert check in found
    assert words in found[check]


def test_names_that_are_not_those_of_the_formula_are_refused(tmp_path: Path) -> None:
    path = saved("numbers", tmp_path)
    change(path, setting("design", "names", to=["(Intercept)", "days"]))
    with pytest.raises(ModelFileError, match=r"names|columns"):
        verify(path)


def test_other_rows_are_not_those_of_the_fit(tmp_path: Path) -> None:
    path = saved("numbers", tmp_path)
    text = Path(datasets.path("students")).read_text()
    (tmp_path / "fewer.csv").write_text(text.rsplit("\n", 2)[0] + "\n")
    assert "rows" in failed(path, str(tmp_path / "fewer.csv"))["rows"]
    lines = text.splitlines()
    (tmp_path / "other.csv").write_text("\n".join([*lines[:-1], lines[-1].replace("5.5", "5.4")]) + "\n")
    assert (tmp_path / "other.csv").read_text() != text
    assert "deviance" in failed(path, str(tmp_path / "other.csv"))["rows"]


def test_rows_in_another_order_give_the_same_answers_and_another_hash(tmp_path: Path) -> None:
    path = saved("numbers", tmp_path)
    head, *rows = Path(datasets.path("students")).read_text().splitlines()
    (tmp_path / "turned.csv").write_text("\n".join([head, *rows[::-1]]) + "\n")
    found = verify(path, open_source(str(tmp_path / "turned.csv")))
    assert found.valid
    assert "order" in {check.name: check.detail for check in found.checks}["rows"]


def test_the_gradient_is_that_at_the_saved_coefficients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved("numbers", tmp_path)
    change(path, setting("coef", 1, to=1.5046456))
    monkeypatch.setattr("passline.reopening._check_same", lambda *_: None)
    found = failed(path, str(datasets.path("students")))
    assert "at the saved coefficients" in found["gradient"]


def test_the_command_says_what_a_model_is_and_that_it_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved("numbers", tmp_path)
    assert run(["verify", str(path), "--data", str(datasets.path("students"))]) == 0
    out = capsys.readouterr().out
    assert "passed ~ hours" in out
    assert "20 of 20 rows" in out
    assert "FAILED" not in out
    assert run(["verify", str(path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["valid"] is True
    assert document["version"] == modelfile.VERSION
    assert document["sha256"] == json.loads(path.read_text(encoding="utf-8"))["sha256"]


def test_names_that_would_move_the_cursor_are_shown_as_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "a\x1b[2J\nb"
    passline.fit(f"y ~ `{name}`", {name: [1.0, 2, 3, 4], "y": [0, 1, 0, 1]}).save(tmp_path / "m.json")
    assert run(["verify", str(tmp_path / "m.json")]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "y ~ `a [2J b`" in out


def test_the_command_ends_with_2_where_something_does_not_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved("numbers", tmp_path)
    change(path, setting("average", 1, to=3.0))
    assert run(["verify", str(path), "--json"]) == 2
    captured = capsys.readouterr()
    assert json.loads(captured.out)["valid"] is False
    assert "average row" in captured.err
    assert run(["verify", str(path)]) == 2
    assert "FAILED" in capsys.readouterr().out
    path.write_text(path.read_text(encoding="utf-8") + " ")
    assert run(["verify", str(path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "altered" in captured.err
    assert run(["verify", str(tmp_path / "none.json")]) == 2
