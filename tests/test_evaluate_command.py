"""`passline evaluate`: what it prints, and what it refuses in one message."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import passline
from passline import cli, datasets

BIRTHWT = pd.read_csv(datasets.path("birthwt"))
FIT = passline.fit("low ~ age + lwt + C(race) + smoke", BIRTHWT[::2])
NEW = BIRTHWT[1::2]


@pytest.fixture
def files(tmp_path: Path) -> Iterator[tuple[str, str, str]]:
    """A model, its table, another table; and signals as they were, which `main` sets."""
    before = signal.getsignal(signal.SIGPIPE)
    model, own, other = (str(tmp_path / name) for name in ("model.json", "own.csv", "other.csv"))
    FIT.save(model)
    BIRTHWT[::2].to_csv(own, index=False)
    NEW.to_csv(other, index=False)
    yield model, own, other
    signal.signal(signal.SIGPIPE, before)


def test_the_command_prints_the_document_of_the_fit(
    files: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    model, own, other = files
    assert cli.run(["evaluate", model, other, "--cost", "1:5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == FIT.evaluate(NEW, cost=(1, 5)).as_json()
    assert cli.run(["evaluate", model, own, "--folds", "3", "--bootstrap", "0"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[1] == f"{len(BIRTHWT[::2])} rows, the rows of the fit; 31.6 % are low = 1."
    assert "cross-validated" in out


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--threshold", "half"], 2, "--threshold is 'half'"),
        (["--threshold", "2"], 2, "threshold is 2.0"),
        (["--cost", "5"], 2, "--cost is '5'"),
        (["--cost", "1:0"], 2, "two positive numbers"),
        (["--cost", "1:5", "--threshold", "0.2"], 2, "exclude each other"),
    ],
)
def test_the_command_refuses_in_one_message(
    files: tuple[str, str, str], capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, text: str
) -> None:
    assert cli.run(["evaluate", *files[::2], *arguments]) == code
    streams = capsys.readouterr()
    assert text in streams.err
    assert "Traceback" not in streams.err
    assert streams.out == ""


def test_the_command_needs_a_table(files: tuple[str, str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["evaluate", files[0]]) == 2
    assert "a model holds no rows" in capsys.readouterr().err
