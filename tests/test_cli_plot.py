"""passline plot: every kind of picture as a file, and one message where an option or a table does not fit."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from passline import datasets
from passline.cli.app import run
from passline.cli.plot import _KNOWN, Kind

DATA = str(datasets.path("birthwt"))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("model") / "model.json")
    assert run(["fit", DATA, "low ~ age + lwt + C(race)", "-o", path]) == 0
    return path


def test_every_kind_has_its_options() -> None:
    assert set(_KNOWN) == set(get_args(Kind))


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_kind_is_drawn_from_a_model_and_its_table(
    kind: str, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "picture.svg"
    assert run(["plot", model, kind, "--data", DATA, "-o", str(target)]) == 0
    assert target.read_text(encoding="utf-8").endswith("</svg>\n")
    assert capsys.readouterr().out == f"The picture is in {target}.\n"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("kind", ["curve", "effect", "effects", "coefficients"])
def test_what_needs_no_rows_is_drawn_without_a_table(kind: str, model: str, tmp_path: Path) -> None:
    assert run(["plot", model, kind, "-o", str(tmp_path / "picture.svg")]) == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["roc"], "roc is a picture of rows: give --data"),
        (["influence"], "influence is a picture of rows: give --data"),
        (["effect", "--averaged"], "give --data"),
        (["roc", "--variable", "age"], "--variable says nothing of roc: it is for curve, effect, residuals"),
        (["curve", "--variable", "height"], "no predictor 'height'"),
        (["curve", "--at", "lwt"], "write NAME=VALUE"),
        (["curve", "--level", "95"], "level"),
        (["influence", "--data", str(datasets.path("students"))], "no column"),
        (["residuals", "--data", DATA, "--variable", "race"], None),
        (["residuals", "--data", DATA, "--bins", "0"], "bins is 0"),
        (["calibration", "--data", "nowhere.csv"], "nowhere.csv"),
        (["rok"], "rok"),
    ],
)
def test_what_does_not_fit_is_told_in_one_message_and_nothing_is_written(
    arguments: list[str], told: str | None, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["plot", model, *arguments, "-o", str(tmp_path / "picture.png")])
    if told is None:
        assert code == 0
        return
    out = capsys.readouterr()
    assert (code, out.out) == (2, "")
    assert told in out.err
    assert "Traceback" not in out.err
    assert not list(tmp_path.iterdir())


def test_options_reach_the_picture(model: str, tmp_path: Path) -> None:
    def drawn(*arguments: str) -> bytes:
        target = tmp_path / "picture.svg"
        assert run(["plot", model, *arguments, "-o", str(target)]) == 0
        return target.read_bytes()

    plain = drawn("effect", "--variable", "lwt")
    assert drawn("effect", "--variable", "lwt") == plain
    assert len({plain, *(drawn("effect", "--variable", "lwt", *more) for more in (
        ("--at", "race=3"), ("--level", "0.5"), ("--data", DATA),
    ))}) == 4  # fmt: skip
    whole, some = drawn("roc", "--data", DATA), drawn("roc", "--sql", f"select * from '{DATA}' where smoke = 1")
    assert whole != some
