"""The house rules that a machine can hold: size of files, docstrings, pins, what the wheel holds, what no file says."""

from __future__ import annotations

import ast
import importlib
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "passline"
SOURCES = sorted(PACKAGE.rglob("*.py"))
WRITTEN = sorted(file for folder in ("src", "tests", "benchmarks") for file in (ROOT / folder).rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FOLDERS = (".ci", "benchmarks", "docs", "requirements", "scripts", "src", "tests")


def label(file: Path) -> str:
    return str(file.relative_to(ROOT))


def definitions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node


def texts() -> Iterator[tuple[Path, str]]:
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*") if "__pycache__" not in file.parts]
    for file in [*files, *ROOT.glob("*.md"), *ROOT.glob("*.toml")]:
        if file.is_file() and file.suffix not in {".png", ".zip", ".pyc"}:
            yield file, file.read_text(encoding="utf-8")


@pytest.mark.parametrize("file", SOURCES, ids=label)
def test_every_module_and_every_public_thing_in_it_has_a_docstring(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    public = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]
    bare = [node.name for node in public if not ast.get_docstring(node)]
    assert ast.get_docstring(tree), "the module says nothing about itself"
    assert not bare


@pytest.mark.parametrize("file", WRITTEN, ids=label)
def test_a_file_has_under_400_lines_and_its_functions_under_60(file: Path) -> None:
    assert file.read_text(encoding="utf-8").count("\n") < 400
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in definitions(file)
        if not isinstance(node, ast.ClassDef) and node.end_lineno and node.end_lineno - node.lineno + 1 >= 60
    ]
    assert not long


@pytest.mark.parametrize("file", WRITTEN, ids=label)
def test_nothing_is_left_for_later_and_every_silenced_type_error_has_its_reason(file: Path) -> None:
    unfinished = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b|NotImplemented" r"Error")
    unexplained = re.compile(r"# type: ignore(\[[\w, -]+\])?\s*$")
    lines = file.read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if unfinished.search(line) or unexplained.search(line)]


def test_no_module_is_named_after_nothing() -> None:
    assert not {file.stem for file in SOURCES} & {"utils", "util", "helpers", "common", "misc"}


@pytest.mark.parametrize("file", SOURCES, ids=label)
def test_every_name_in_all_can_be_had(file: Path) -> None:
    parts = file.relative_to(ROOT / "src").with_suffix("").parts
    module = importlib.import_module(".".join(part for part in parts if part != "__init__"))
    names = getattr(module, "__all__", [])
    assert len(set(names)) == len(names)
    assert [name for name in names if not hasattr(module, name)] == []


def test_no_file_names_a_folder_of_one_machine_or_a_package_index() -> None:
    """Both would be true in one place only; where packages come from is each machine's own setting."""
    folder = re.compile(r"(?<![\w.$}/*])/(work|root|opt|home/\w+|Users/\w+)/\w")
    host = re.compile(
        r"(py" r"pi\.org|python" r"hosted\.org|download\.py" r"torch\.org|anaconda\.(org|com)|npm" r"js\.)"
    )
    found = [
        f"{label(file)}: {line.strip()[:100]}"
        for file, text in texts()
        for line in text.splitlines()
        if folder.search(line) or host.search(line)
    ]
    assert not found


def test_every_path_that_contributing_names_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:src|tests|scripts|docs|requirements|\.ci)/[\w./]+)", text)
    assert len(named) > 10
    assert [path for path in named if not (ROOT / path).exists()] == []


def pins() -> dict[str, str]:
    lines = (ROOT / "requirements" / "pins.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonical(name): version for name, version in pairs}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize(
    "line", [*PROJECT["dependencies"], *(line for extra in PROJECT["optional-dependencies"].values() for line in extra)]
)
def test_every_requirement_is_pinned_to_a_version_it_allows(line: str) -> None:
    requirement = Requirement(line)
    if requirement.name == PROJECT["name"]:
        assert requirement.extras <= set(PROJECT["optional-dependencies"])
    else:
        assert requirement.specifier.contains(pins()[canonical(requirement.name)])


def test_the_extra_all_is_the_sum_of_the_optional_parts() -> None:
    extras = PROJECT["optional-dependencies"]
    (everything,) = extras["all"]
    assert Requirement(everything).extras == set(extras) - {"all", "dev"}


@pytest.mark.parametrize("name", ["scripts/demo", "scripts/test", "scripts/check", "scripts/bench", ".ci/run"])
def test_a_script_can_be_run_and_parses(name: str) -> None:
    script = ROOT / name
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash\n")
    subprocess.run(["bash", "-n", script], check=True)


@pytest.mark.parametrize("wanted", ["demo", "test"])
def test_a_finished_set_up_for_the_tests_serves_the_demo_too_and_never_the_other_way(
    wanted: str, tmp_path: Path
) -> None:
    """With a stamp for `test` alone a folder is ready for both; with one for `demo` alone it is not for `test`."""
    for part in ("scripts/setup", "pyproject.toml", "requirements/pins.txt"):
        (tmp_path / part).parent.mkdir(exist_ok=True)
        (tmp_path / part).write_bytes((ROOT / part).read_bytes())
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    # The functions alone: the last lines of the script, which act, are left out.
    script = (tmp_path / "scripts" / "setup").read_text(encoding="utf-8").split("if ready_for")[0]
    (tmp_path / "scripts" / "functions").write_text(script, encoding="utf-8")
    ask = f'. scripts/functions; echo "$wanted_digest" >.venv/ready-for-{wanted}; for job in demo test; do '
    ask += 'if ready_for "$job"; then echo "$job"; fi; done'
    done = subprocess.run(["bash", "-c", ask], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.split() == (["demo", "test"] if wanted == "test" else ["demo"]), done.stderr


def test_the_wheel_holds_the_types_marker_the_data_and_the_licence(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        label(file).removeprefix("src/") for file in PACKAGE.rglob("*") if file.suffix in {".py", ".csv", ".typed"}
    }
    assert wanted <= held
    assert any(name.endswith("licenses/LICENSE") for name in held)
    assert not [name for name in held if name.startswith(("tests/", "benchmarks/"))]
