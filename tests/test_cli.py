"""The commands from end to end: what they print, in which words, and what they never import."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import passline
from passline import cli, datasets

STUDENTS = str(datasets.path("students"))
LESSON = str(datasets.path("lesson"))
BIRTHWT = str(datasets.path("birthwt"))
NUMBER = (int, float)
MAYBE = (int, float, type(None))

DOCUMENT: dict[str, Any] = {
    "formula": str,
    "outcome": str,
    "positive": str,
    "estimator": str,
    "rows": dict.fromkeys(("read", "used", "dropped", "patterns"), int),
    "terms": [
        {"term": str}
        | dict.fromkeys(("estimate", "std_error", "statistic", "p_value", "odds_ratio", "conf_low", "conf_high"), MAYBE)
        | {"status": str, "limit": (str, type(None))}
    ],
    "glance": {
        "nobs": int,
        "rank": int,
        **dict.fromkeys(("log_likelihood", "null_deviance", "deviance"), NUMBER),
        "df_residual": int,
        **dict.fromkeys(("aic", "bic", "auc_apparent"), MAYBE),
    },
    "certificate": {
        "converged": bool,
        "gradient_norm": NUMBER,
        "max_step_in_se": NUMBER,
        "gap": MAYBE,
        "passes": int,
        "solver": str,
        "seconds": NUMBER,
    },
    "separation": {"kind": str, "terms": [str]},
    "warnings": [str],
}


def shaped(value: Any, shape: Any) -> bool:
    """Whether a document has just the keys of a shape, in its order, with values of its types."""
    if isinstance(shape, dict):
        return list(value) == list(shape) and all(shaped(value[key], part) for key, part in shape.items())
    if isinstance(shape, list):
        return isinstance(value, list) and all(shaped(item, shape[0]) for item in value)
    return isinstance(value, shape) and (shape is bool or not isinstance(value, bool))


@pytest.fixture(autouse=True)
def broken_pipes() -> Iterator[None]:
    """The command line changes what a broken pipe does; put it back."""
    before = signal.getsignal(signal.SIGPIPE)
    yield
    signal.signal(signal.SIGPIPE, before)


@pytest.fixture
def model(tmp_path: Path) -> str:
    path = tmp_path / "students.json"
    passline.fit("passed ~ hours", STUDENTS).save(path)
    return str(path)


def strict(text: str) -> Any:
    """One JSON document, without NaN and infinities, which are no JSON."""

    def refuse(word: str) -> None:
        raise AssertionError(word)

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize(
    ("data", "formula", "options", "warned"),
    [
        (STUDENTS, "passed ~ hours", [], 0),
        (BIRTHWT, "low ~ age + C(race) * smoke", ["--level", "0.9"], 0),
        (BIRTHWT, "low ~ .", ["--l2", "0.1"], 0),
        (BIRTHWT, "low ~ .", ["--l1", "0.02"], 0),
        (LESSON, "passed ~ hours", [], 1),
        (str(datasets.path("titanic")), "survived ~ sex + age + passengerClass", ["--positive", "no"], 1),
        (str(datasets.path("endometrial")), "HG ~ NV + PI + EH", [], 1),
    ],
)
def test_fit_json_is_the_interfaces_document_and_nothing_else(
    data: str, formula: str, options: list[str], warned: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["fit", data, formula, *options, "--json"]) == 0
    out, err = capsys.readouterr()
    document = strict(out)
    assert shaped(document, DOCUMENT), document
    assert out.count("\n") == 1
    assert len(document["warnings"]) == warned
    assert err == "".join(f"warning: {text}\n" for text in document["warnings"])
    rows = document["rows"]
    assert rows["read"] == rows["used"] + rows["dropped"]
    if "--l2" in options:
        assert all(term["std_error"] is term["p_value"] is None for term in document["terms"])
    if "--positive" in options:
        assert document["positive"] == "no"


def test_the_shell_takes_both_penalties(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = str(tmp_path / "lasso.json")
    assert cli.run(["fit", BIRTHWT, "low ~ .", "--l1", "0.02", "--l2", "0.001", "-o", path, "--json"]) == 0
    document = strict(capsys.readouterr().out)
    fit = passline.fit("low ~ .", BIRTHWT, penalty=passline.Penalty(l1=0.02, l2=0.001))
    assert document["terms"] == fit.as_json()["terms"]
    assert "zero" in {row["status"] for row in document["terms"]}
    assert document["certificate"]["gap"] >= 0
    assert passline.load(path).model.penalty == passline.Penalty(l1=0.02, l2=0.001)
    assert cli.run(["fit", BIRTHWT, "low ~ age", "--l1", "-1"]) == 2
    assert "the penalty l1 is -1" in capsys.readouterr().err


def test_fit_prints_the_table_and_writes_the_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.json"
    assert cli.run(["fit", STUDENTS, "passed ~ hours", "-o", str(path)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for text in ("passed ~ hours", "20 rows", "-4.078", "1.505", "0.6287", "AUC 0.895", "Converged", str(path)):
        assert text in out
    assert passline.load(path).coef == passline.fit("passed ~ hours", STUDENTS).coef


def test_a_separated_table_is_fitted_warned_of_and_saved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "m.json")
    assert cli.run(["fit", LESSON, "passed ~ hours", "--output", path]) == 0
    out, err = capsys.readouterr()
    assert "+infinite" in out
    assert "completely separated" in err
    assert cli.run(["boundary", path, "hours"]) == 0
    assert "2.000000 to 3.000000" in capsys.readouterr().out


def test_predict_prints_a_probability_for_each_row_that_reads_back_bit_for_bit(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "new.csv"
    data.write_text("id,hours\na,1\nb,NA\nc,\nd,2.5\n")
    assert cli.run(["predict", model, str(data), "--interval"]) == 0
    out, err = capsys.readouterr()
    head, *lines = out.splitlines()
    assert (head, err) == ("probability,conf_low,conf_high", "")
    expected = passline.load(model).predict({"hours": [1, None, None, 2.5]}, interval="wald")
    cells = [[float(cell) if cell else np.nan for cell in line.split(",")] for line in lines]
    np.testing.assert_array_equal(np.array(cells).T, expected)


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_predict_writes_the_file_its_name_asks_for(
    ending: str, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"p.{ending}"
    assert cli.run(["predict", model, STUDENTS, "-o", str(path), "--scale", "logit"]) == 0
    assert capsys.readouterr() == ("", "")
    if ending == "parquet":
        import pyarrow.parquet

        found = pyarrow.parquet.read_table(path).to_pydict()
    else:
        head, *cells = path.read_text().splitlines()
        found = {head: [float(cell) for cell in cells]}
    expected = passline.load(model).predict(STUDENTS, scale="logit")
    np.testing.assert_array_equal(found["logit"], expected)


def test_boundary_json_is_one_document(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["boundary", model, "hours", "--probability", "0.9", "--interval", "fieller", "--json"]) == 0
    out, err = capsys.readouterr()
    document = strict(out)
    assert err == ""
    assert document["estimate"] == pytest.approx((np.log(9) + 4.07771343) / 1.50464543, rel=1e-8)
    assert document["interval"] == "fieller"
    assert document["conf_low"] < document["estimate"] < document["conf_high"]


def test_boundary_holds_the_others_where_at_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "m.json")
    assert cli.run(["fit", BIRTHWT, "low ~ lwt + C(race) + smoke", "-o", path]) == 0
    capsys.readouterr()
    assert cli.run(["boundary", path, "lwt", "--at", "race=2", "--at", "smoke=1", "--json"]) == 0
    assert strict(capsys.readouterr().out)["at"] == {"race": 2, "smoke": 1}


@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf"])
def test_plot_draws_a_picture(ending: str, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"curve{ending}"
    assert cli.run(["plot", model, "curve", "-o", str(path)]) == 0
    assert str(path) in capsys.readouterr().out
    assert path.read_bytes()[:4] in (b"\x89PNG", b"<?xm", b"%PDF")


def test_a_hyphen_is_standard_input(model: str) -> None:
    table = Path(STUDENTS).read_bytes()
    fit = passline_process(["fit", "-", "passed ~ hours", "--json"], table)
    assert fit.returncode == 0, fit.stderr
    assert strict(fit.stdout)["glance"]["nobs"] == 20
    predict = passline_process(["predict", model, "-"], b"hours\n2\n3\n")
    assert predict.stdout.count(b"\n") == 3


def test_sql_stands_in_for_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    query = f"SELECT hours, passed FROM '{STUDENTS}' WHERE hours > 1"
    assert cli.run(["fit", "--sql", query, "passed ~ hours", "--json"]) == 0
    assert strict(capsys.readouterr().out)["rows"]["read"] == 17


@pytest.mark.parametrize("command", [[], ["fit"], ["predict"], ["boundary"], ["plot"], ["lesson"]])
def test_help_is_printed_and_names_the_command(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([*command, "--help"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"Usage: passline {' '.join(command)}".rstrip())
    assert err == ""


def test_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out.strip() == passline.__version__


HEAVY = {"torch", "pandas", "polars", "pyarrow", "matplotlib", "sklearn"}


@pytest.mark.parametrize("command", ["--help", "fit", "predict", "evaluate", "boundary", "boundary --help"])
def test_the_fast_commands_import_no_torch_no_frames_and_no_pictures(command: str, model: str) -> None:
    words = {
        "fit": ["fit", STUDENTS, "passed ~ hours"],
        "predict": ["predict", model, STUDENTS],
        "evaluate": ["evaluate", model, STUDENTS, "--folds", "2", "--bootstrap", "10"],
        "boundary": ["boundary", model, "hours"],
    }.get(command, command.split())
    code = (
        "import sys\nfrom passline.cli import run\ncode = run(sys.argv[1:])\n"
        f"print(code, sorted({HEAVY} & set(sys.modules)), 'duckdb' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    reads = command in ("fit", "predict", "evaluate")
    assert done.stderr.splitlines()[-1].startswith("0 []"), done.stderr
    if not reads and command != "boundary":
        assert done.stderr.endswith("False\n")


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import passline, sys; print(sorted({'numpy', 'scipy', 'duckdb', 'torch', 'cyclopts'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_closed_pipe_ends_quietly(model: str, tmp_path: Path) -> None:
    data = tmp_path / "long.csv"
    data.write_text("hours\n" + "2\n" * 200_000)
    line = f"'{sys.executable}' -c 'import passline.cli as c; c.main()' predict '{model}' '{data}' | head -2"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("probability\n0.")
    assert done.stderr == ""


def passline_process(arguments: list[str], stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The command line as a process of its own."""
    code = "from passline.cli import main; main()"
    return subprocess.run([sys.executable, "-c", code, *arguments], input=stdin, capture_output=True, check=False)
