"""Input at fault, from the command line: the right exit code, one message in words, nothing printed, nothing left."""

from __future__ import annotations

import functools
import gzip
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import passline
from passline import cli, datasets
from passline.solvers import estimate as estimate_module
from passline.solvers.newton import newton

STUDENTS = str(datasets.path("students"))
GOOD = "x,y\n1,0\n2,1\n3,0\n4,1\n5,1\n6,0\n"


@pytest.fixture(autouse=True)
def broken_pipes() -> Iterator[None]:
    """The command line changes what a broken pipe does; put it back."""
    before = signal.getsignal(signal.SIGPIPE)
    yield
    signal.signal(signal.SIGPIPE, before)


Refused = Callable[..., str]


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Refused:
    """Run a command that must fail with a code, one message and nothing else; gives the message."""

    def run(code: int, *arguments: str) -> str:
        before = files(tmp_path)
        assert cli.run(list(arguments)) == code, capsys.readouterr().err
        out, err = capsys.readouterr()
        assert out == ""
        assert files(tmp_path) == before
        assert err.startswith("passline: ")
        assert err.count("passline: ") == 1
        assert "Traceback" not in err
        assert len(err) > 30
        return err

    return run


@pytest.fixture
def model(tmp_path: Path) -> str:
    """A model with a number and a category."""
    path = tmp_path / "model.json"
    data = {"x": [1, 2, 3, 4, 5, 6], "g": list("ababab"), "y": [0, 1, 0, 1, 1, 0]}
    passline.fit("y ~ x + g", data).save(path)
    return str(path)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


TABLES: dict[str, tuple[int, bytes, str]] = {
    "empty": (2, b"", "empty"),
    "blank lines": (2, b"\n\n", ""),
    "header alone": (3, b"x,y\n", "no"),
    "header without an end": (3, b"x,y", "no"),
    "one row": (3, b"x,y\n1,0\n", ""),
    "one class": (3, b"x,y\n1,1\n2,1\n3,1\n", "1"),
    "no complete row": (3, b"x,y\nNA,1\n2,\n", ""),
    "ragged": (2, b"x,y\n1,0\n2,1,3\n3,0\n", "line 3"),
    "short row": (2, b"x,y,z\n1,0,1\n2,1\n3,0,1\n", "line 3"),
    "longer last row": (2, GOOD.encode() + b"7,1,1\n", "line 8"),
    "doubled header": (2, b"x,x,y\n1,2,0\n2,3,1\n", "'x'"),
    "blank header": (2, b"x,,y\n1,2,0\n2,3,1\n", ""),
    "unclosed quote": (2, b'x,y\n1,0\n"2,1\n3,0\n', "quote"),
    "a nul": (2, b"x,y\n1,0\n2\x00,1\n3,0\n", "NUL"),
    "latin 1": (2, b"x,y\n1,0\n2,\xe9\n3,0\n", "UTF-8"),
    "an infinity": (2, b"x,y\n1,0\ninf,1\n3,0\n", ""),
    "minus infinity": (2, b"x,y\n1,0\n-Infinity,1\n3,0\n", ""),
    "1e309": (2, b"x,y\n1,0\n1e309,1\n3,0\n", ""),
    "three labels": (2, b"x,y\n1,a\n2,b\n3,c\n", "y"),
    "fractions": (2, b"x,y\n1,0\n2,0.5\n3,1\n", "y"),
    "other numbers": (2, b"x,y\n1,0\n2,1\n3,2\n", "y"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_at_fault_is_refused_by_fit(name: str, refused: Refused, tmp_path: Path) -> None:
    code, content, word = TABLES[name]
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    message = refused(code, "fit", str(path), "y ~ x", "-o", str(tmp_path / "m.json"))
    assert word in message
    assert word in refused(code, "fit", str(path), "y ~ x", "--json")


@pytest.mark.parametrize("row", [2, 30_001, 70_000])
@pytest.mark.parametrize("cell", ["twelve", "1e999", "inf"])
def test_a_bad_cell_far_down_is_named_by_its_line(row: int, cell: str, refused: Refused, tmp_path: Path) -> None:
    lines = [f"{i % 97},{i % 2}" for i in range(80_000)]
    lines[row - 1] = f"{cell},1"
    path = tmp_path / "long.csv"
    path.write_text("x,y\n" + "\n".join(lines) + "\n")
    message = refused(2, "fit", str(path), "y ~ x", "-o", str(tmp_path / "m.json"))
    assert f"line {row + 1}" in message or f"line {row + 1:,}" in message or f"row {row}" in message
    assert "x" in message


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["fit", "nowhere.csv", "y ~ x"], 2, "nowhere.csv"),
        (["fit", ".", "y ~ x"], 2, ""),
        (["fit", "no*where.csv", "y ~ x"], 2, "no*where.csv"),
        (["fit", STUDENTS], 2, "FORMULA"),
        (["fit"], 2, "See: passline --help"),
        (["fit", STUDENTS, "passed ~"], 2, "^"),
        (["fit", STUDENTS, "passed ~ hours +"], 2, "^"),
        (["fit", STUDENTS, "passed ~ (hours"], 2, "^"),
        (["fit", STUDENTS, "passed ~ hours^2"], 2, "power"),
        (["fit", STUDENTS, "passed ~ hour"], 2, "'hours'"),
        (["fit", STUDENTS, "pass ~ hours"], 2, "passed"),
        (["fit", STUDENTS, "passed ~ log(hours - 1)"], 2, "^"),
        (["fit", STUDENTS, "passed ~ __import__('os')"], 2, "^"),
        (["fit", STUDENTS, ""], 2, ""),
        (["fit", STUDENTS, "passed ~ hours", "--l2", "-1"], 2, "l2"),
        (["fit", STUDENTS, "passed ~ hours", "--l2", "nan"], 2, "l2"),
        (["fit", STUDENTS, "passed ~ hours", "--l2", "much"], 2, "much"),
        (["fit", STUDENTS, "passed ~ hours", "--level", "0"], 2, "level"),
        (["fit", STUDENTS, "passed ~ hours", "--level", "1"], 2, "level"),
        (["fit", STUDENTS, "passed ~ hours", "--level", "95"], 2, "level"),
        (["fit", STUDENTS, "passed ~ hours", "--estimator", "bayes"], 2, "bayes"),
        (["fit", STUDENTS, "passed ~ hours", "--positive", "2"], 2, "2"),
        (["fit", STUDENTS, "passed ~ hours", "--missing", "fill"], 2, "fill"),
        (["fit", STUDENTS, "passed ~ hours", "--colour"], 2, "--colour"),
        (["fit", STUDENTS, "passed ~ hours", "more"], 2, "more"),
        (["fit", "--sql", "SELEC 1", "y ~ x"], 2, ""),
        (["fit", "--sql", "SELECT * FROM nowhere", "y ~ x"], 2, "nowhere"),
        (["fti"], 2, "fti"),
        (["predict", "nowhere.json", STUDENTS], 2, "nowhere.json"),
        (["predict", STUDENTS, STUDENTS], 2, "not a model"),
        (["boundary", "nowhere.json", "x"], 2, "nowhere.json"),
    ],
)
def test_a_slip_in_a_command_is_refused(arguments: list[str], code: int, word: str, refused: Refused) -> None:
    assert word in refused(code, *arguments)


def test_every_bad_cell_of_a_function_names_its_row(refused: Refused, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(GOOD + "0,1\n")
    assert "line 8" in refused(2, "fit", str(path), "y ~ log(x)")


def test_more_columns_than_rows_cannot_be_fitted_without_a_penalty(
    refused: Refused, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wide.csv"
    path.write_text("g,y\n" + "".join(f"l{i},{i % 2}\n" for i in range(6)) + "l0,1\n")
    assert cli.run(["fit", str(path), "y ~ g", "--l2", "0.1"]) == 0
    capsys.readouterr()
    path.write_text("a,b,c,y\n1,2,3,0\n2,1,5,1\n4,4,4,1\n")
    assert "penalty" in refused(3, "fit", str(path), "y ~ a + b + c")


@pytest.mark.parametrize(
    "slip",
    [
        ("x,g\n1,c\n", [], "'c'"),
        ("x\n1\n", [], "'g'"),
        ("z\n1\n", [], "'x', 'g'"),
        ("x,g\none,a\n", [], "x"),
        ("x,g\ninf,a\n", [], ""),
        ("x,g\n1,a\n1,a,a\n", [], "line 3"),
        ("", [], "empty"),
        ("x,g\n1,a\n", ["--scale", "odds"], "odds"),
        ("x,g\n1,a\n", ["--interval", "--level", "0"], "level"),
        ("x,g\n1,a\n", ["--unseen", "skip"], "skip"),
        ("x,g\n1,a\n", ["-o", "p.txt"], ".csv"),
    ],
)
def test_predict_refuses_rows_and_options_it_cannot_use(
    slip: tuple[str, list[str], str], refused: Refused, model: str, tmp_path: Path
) -> None:
    table, options, word = slip
    path = tmp_path / "new.csv"
    path.write_text(table)
    output = [] if "-o" in options else ["-o", str(tmp_path / "p.csv")]
    assert word in refused(2, "predict", model, str(path), *options, *output)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["g"], "category"),
        (["z"], "'z'"),
        (["x", "--probability", "0"], "probability"),
        (["x", "--probability", "1"], "probability"),
        (["x", "--probability", "nan"], "probability"),
        (["x", "--probability", "half"], "half"),
        (["x", "--level", "1"], "level"),
        (["x", "--at", "g"], "NAME=VALUE"),
        (["x", "--at", "=a"], "NAME=VALUE"),
        (["x", "--at", "h=1"], "'h'"),
        (["x", "--at", "x=1"], "'x'"),
        (["x", "--at", "g=c"], "'c'"),
        (["x", "--at", "g="], ""),
        (["x", "--interval", "exact"], "exact"),
    ],
)
def test_boundary_refuses_options_it_cannot_use(options: list[str], word: str, refused: Refused, model: str) -> None:
    assert word in refused(2, "boundary", model, *options)


@pytest.mark.parametrize("options", [["pie", "-o", "a.png"], ["curve"], ["curve", "-o", "a.gif"], ["curve", "-o", "a"]])
def test_plot_refuses_what_it_cannot_draw(options: list[str], refused: Refused, model: str) -> None:
    refused(2, "plot", model, *options)


@pytest.mark.parametrize("output", ["", "nowhere/out", "model.json/out"])
def test_an_output_that_cannot_be_written_is_refused(output: str, refused: Refused, model: str, tmp_path: Path) -> None:
    place = f"{tmp_path}/{output}"
    refused(2, "fit", STUDENTS, "passed ~ hours", "-o", place)
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "folder.png").mkdir()
    data = tmp_path / "new.csv"
    data.write_text("x,g\n1,a\n")
    refused(2, "predict", model, str(data), "-o", f"{place}.csv" if output else str(tmp_path / "folder.csv"))
    refused(2, "plot", model, "curve", "-o", f"{place}.png" if output else str(tmp_path / "folder.png"))


def test_a_model_file_that_is_cut_off_or_altered_is_refused_by_every_command(
    refused: Refused, model: str, tmp_path: Path
) -> None:
    data = Path(model).read_bytes()
    bad = tmp_path / "bad.json"
    for content in (data[:0], data[:1000], data[:-1], data.replace(b"0", b"1", 1), gzip.compress(data)):
        bad.write_bytes(content)
        refused(2, "predict", str(bad), STUDENTS, "-o", str(tmp_path / "p.csv"))
        refused(2, "boundary", str(bad), "x")
        refused(2, "plot", str(bad), "curve", "-o", str(tmp_path / "p.png"))


def test_a_fit_that_does_not_converge_is_refused_and_nothing_is_written(
    refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate_module, "newton", functools.partial(newton, max_steps=2))
    message = refused(3, "fit", STUDENTS, "passed ~ hours", "-o", str(tmp_path / "m.json"))
    assert "not converged after 5 passes" in message


def test_a_bug_of_ours_ends_with_one_and_the_lines_to_report(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("something that cannot be")

    monkeypatch.setattr("passline.facade.fit", broken)
    assert cli.run(["fit", STUDENTS, "passed ~ hours"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "RuntimeError: something that cannot be" in err
    assert "bug of ours" in err


@pytest.mark.parametrize(
    ("arguments", "stdin", "code"),
    [
        (["fit", "nowhere.csv", "y ~ x"], b"", 2),
        (["fit", "-", "y ~ x"], b"", 2),
        (["fit", "-", "y ~ x"], b"x,y\n", 3),
        (["fit", "-", "y ~ x", "--json"], b"x,y\n1,1\n2,1\n", 3),
        (["fit", "-", "y ~ x"], b"\x89PNG\r\n\x1a\n\x00\x00", 2),
        (["predict"], b"", 2),
    ],
)
def test_a_process_ends_with_the_code_and_one_message(arguments: list[str], stdin: bytes, code: int) -> None:
    program = "from passline.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program, *arguments], input=stdin, capture_output=True, check=False)
    assert done.returncode == code
    assert done.stdout == b""
    assert done.stderr.startswith(b"passline: ")
    assert b"Traceback" not in done.stderr
