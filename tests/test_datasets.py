"""The tables in the box are what their sources say, and say where they come from."""

from __future__ import annotations

import csv
import math
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from passline import datasets
from passline.errors import OptionError

COLUMNS = {
    "birthwt": (189, "low age lwt race smoke ptl ht ui ftv bwt"),
    "budworm": (12, "dose numdead total sex"),
    "endometrial": (79, "NV PI EH HG"),
    "kyphosis": (81, "Kyphosis Age Number Start"),
    "lesson": (3, "hours passed"),
    "menarche": (25, "Age Total Menarche"),
    "mroz": (753, "lfp k5 k618 age wc hc lwg inc"),
    "orings": (23, "mission temperature damaged undamaged orings"),
    "penguins": (344, "species island bill_length_mm bill_depth_mm flipper_length_mm body_mass_g sex year"),
    "students": (20, "hours passed"),
    "titanic": (1309, "survived sex age passengerClass"),
}
TOTALS = {
    ("birthwt", "low"): 59,
    ("birthwt", "bwt"): 556_527,
    ("budworm", "numdead"): 111,
    ("budworm", "total"): 240,
    ("endometrial", "HG"): 30,
    ("endometrial", "NV"): 13,
    ("lesson", "passed"): 1,
    ("menarche", "Total"): 3918,
    ("menarche", "Menarche"): 2308,
    ("orings", "damaged"): 11,
    ("orings", "orings"): 138,
    ("students", "hours"): 55.75,
    ("students", "passed"): 10,
}
COUNTS = {
    ("kyphosis", "Kyphosis", "present"): 17,
    ("mroz", "lfp", "yes"): 428,
    ("penguins", "sex", None): 11,
    ("penguins", "species", "Adelie"): 152,
    ("titanic", "survived", "yes"): 500,
    ("titanic", "sex", "female"): 466,
}


def test_the_box_holds_these_tables_in_alphabetical_order() -> None:
    assert datasets.names() == tuple(COLUMNS)


@pytest.mark.parametrize("name", COLUMNS)
def test_a_table_has_the_rows_and_columns_of_its_source(name: str) -> None:
    rows, header = COLUMNS[name]
    table = datasets.load(name)
    assert list(table) == header.split()
    assert {len(column) for column in table.values()} == {rows}


@pytest.mark.parametrize(("name", "column"), TOTALS)
def test_a_column_adds_up_to_the_published_total(name: str, column: str) -> None:
    assert sum(datasets.load(name)[column]) == TOTALS[name, column]  # type: ignore[arg-type] -- a column of numbers


@pytest.mark.parametrize(("name", "column", "value"), COUNTS)
def test_a_value_occurs_as_often_as_the_source_says(name: str, column: str, value: str | None) -> None:
    assert datasets.load(name)[column].count(value) == COUNTS[name, column, value]  # type: ignore[arg-type] -- text


@pytest.mark.parametrize("name", COLUMNS)
def test_a_loaded_table_equals_its_file_cell_by_cell(name: str) -> None:
    with datasets.path(name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for column, cells in datasets.load(name).items():
        for row, cell in zip(rows, cells, strict=True):
            if isinstance(cell, float):
                assert math.isnan(cell) if row[column] == "NA" else cell == float(row[column])
            else:
                assert row[column] == ("NA" if cell is None else cell)


def test_missing_numbers_are_nan_and_missing_text_is_none() -> None:
    """The Titanic's ages and the penguins' sexes have gaps."""
    age = datasets.load("titanic")["age"]
    assert sum(isinstance(cell, float) and math.isnan(cell) for cell in age) == 263
    assert None in datasets.load("penguins")["sex"]


def test_the_budworm_figures_are_those_of_the_book() -> None:
    """Venables and Ripley (2002), 7.2: dead of 20 at doses 1 to 32, males and females."""
    table = datasets.load("budworm")
    assert table["dose"] == [1, 2, 4, 8, 16, 32] * 2
    assert table["numdead"] == [1, 4, 9, 13, 18, 20, 0, 2, 6, 10, 12, 16]
    assert table["sex"] == ["M"] * 6 + ["F"] * 6


@pytest.mark.parametrize("name", COLUMNS)
def test_a_table_names_its_source_citation_licence_and_columns_that_exist(name: str) -> None:
    about = datasets.describe(name)
    assert all((about.row, about.source, about.citation, about.licence))
    columns = set(COLUMNS[name][1].split())
    words = about.formula.replace("C(", " ").replace("log(", " ").replace(")", " ").replace("~", " ").replace("+", " ")
    assert set(words.split()) <= columns
    assert about.trials is None or about.trials in columns
    assert about.source in str(about)
    assert about.citation in str(about)


@pytest.mark.parametrize("name", COLUMNS)
def test_the_readme_beside_the_files_describes_every_table(name: str) -> None:
    readme = datasets.path(name).with_name("README.md").read_text(encoding="utf-8")
    about = datasets.describe(name)
    for fact in (f"## {name}\n", about.row, about.formula, about.source, about.citation, about.licence):
        assert fact in readme


@pytest.mark.parametrize("name", COLUMNS)
def test_a_file_is_packaged_and_small(name: str) -> None:
    resource = files("passline") / "data" / f"{name}.csv"
    assert resource.is_file()
    assert len(resource.read_bytes()) < 60_000
    assert datasets.path(name) == Path(str(resource))


def test_the_folder_holds_no_other_table() -> None:
    assert sorted(file.stem for file in datasets.path("lesson").parent.glob("*.csv")) == list(COLUMNS)


@pytest.mark.parametrize("ask", [datasets.load, datasets.path, datasets.describe])
@pytest.mark.parametrize("name", ["iris", "", "../data/lesson", "Lesson"])
def test_an_unknown_name_is_refused_with_the_list_of_names(ask: object, name: str) -> None:
    with pytest.raises(OptionError, match=r"there is no table .* choose one of birthwt, .*, titanic"):
        ask(name)  # type: ignore[operator] -- one of three functions


def test_reading_a_table_imports_no_library() -> None:
    """Neither NumPy nor DuckDB nor torch stands behind twenty lines of text."""
    code = "import sys; from passline import datasets; datasets.load('students'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "duckdb", "torch", "pandas"} & set(done.stdout.split())
