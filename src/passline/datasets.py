"""The tables in the box: their names, their files, and where each comes from."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from passline.errors import OptionError

Column: TypeAlias = "list[float] | list[str | None]"


@dataclass(frozen=True)
class Dataset:
    """A table in the box: its name, what a row is, a first formula, its source, whom to cite, its licence."""

    name: str
    row: str
    formula: str
    source: str
    citation: str
    licence: str
    trials: str | None = None

    def __str__(self) -> str:
        trials = f", trials {self.trials}" if self.trials else ""
        return (
            f"{self.name}: {self.row}\n"
            f"  begin with  {self.formula}{trials}\n"
            f"  source      {self.source}\n"
            f"  citation    {self.citation}\n"
            f"  licence     {self.licence}"
        )


def names() -> tuple[str, ...]:
    """The names of the tables in the box, in alphabetical order."""
    return tuple(sorted(_DATASETS))


def describe(name: str) -> Dataset:
    """What a row of a table is, where the table comes from, whom to cite, and its licence; print it to read it.

    Raises OptionError if there is no table of that name.
    """
    if name not in _DATASETS:
        raise OptionError(f"there is no table {name!r} in the box; choose one of {', '.join(names())}")
    return _DATASETS[name]


def path(name: str) -> Path:
    """The CSV file of a table, as it lies in the installed package.

    Raises OptionError if there is no table of that name.
    """
    return Path(__file__).with_name("data") / f"{describe(name).name}.csv"


def load(name: str) -> dict[str, Column]:
    """A table as a dict of columns: numbers as float (missing: nan), text as str (missing: None).

    A column is of numbers if every cell that is not missing (`NA` in the file) is one. All lists are as long as the
    table has rows. Raises OptionError if there is no table of that name.
    """
    with path(name).open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return {column: _column([row[place] for row in rows]) for place, column in enumerate(header)}


def _column(cells: list[str]) -> Column:
    try:
        return [math.nan if cell == "NA" else float(cell) for cell in cells]
    except ValueError:
        return [None if cell == "NA" else cell for cell in cells]


# Observations belong to nobody; who gathered or typed them is named all the same, and so is the carrier's licence.
_PACKAGE = "published figures; the R package that carries them is under the {}"

_DATASETS = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            name="lesson",
            row="a student: hours of revision, and whether the exam was passed (3 rows; completely separated)",
            formula="passed ~ hours",
            source="a well-known first lesson in PyTorch",
            citation="none needed: three points that anyone might write down",
            licence="the project's own",
        ),
        Dataset(
            name="students",
            row="a student: hours of study, and whether the exam was passed (20 rows)",
            formula="passed ~ hours",
            source="Wikipedia, 'Logistic regression', the example of hours of study",
            citation="Wikipedia contributors, 'Logistic regression', Wikipedia, The Free Encyclopedia",
            licence="CC BY-SA 4.0, as the article",
        ),
        Dataset(
            name="birthwt",
            row="a birth at Baystate Medical Center, Springfield, Massachusetts, 1986; low: under 2.5 kg (189 rows)",
            formula="low ~ age + lwt + C(race) + smoke + ptl + ht + ui + ftv",
            source="R package MASS, birthwt",
            citation="Hosmer, D. W. and Lemeshow, S. (1989) Applied Logistic Regression. Wiley",
            licence=_PACKAGE.format("GPL-2 or GPL-3"),
        ),
        Dataset(
            name="menarche",
            row="a group of girls in Warsaw of about one age: how many, and how many had menstruated "
            "(25 rows, 3,918 girls)",
            formula="Menarche ~ Age",
            trials="Total",
            source="R package MASS, menarche",
            citation="Milicer, H. and Szczotka, F. (1966) Age at menarche in Warsaw girls in 1965. "
            "Human Biology 38, 199-203",
            licence=_PACKAGE.format("GPL-2 or GPL-3"),
        ),
        Dataset(
            name="budworm",
            row="20 moths of one sex under one dose (micrograms) of trans-cypermethrin, and how many fell (12 rows)",
            formula="numdead ~ log(dose) + sex",
            trials="total",
            source="R package drc, H.virescens; the same figures as in the documentation of MASS, dose.p",
            citation="Collett, D. (1991) Modelling Binary Data. Chapman and Hall, p. 75; "
            "Venables, W. N. and Ripley, B. D. (2002) Modern Applied Statistics with S. 4th ed., Springer",
            licence=_PACKAGE.format("GPL-2 or later"),
        ),
        Dataset(
            name="orings",
            row="a flight of the space shuttle before Challenger: temperature (Fahrenheit) and how many of its six "
            "O-rings were damaged (23 rows)",
            formula="damaged ~ temperature",
            trials="orings",
            source="R package openintro, orings; orings is damaged + undamaged",
            citation="Presidential Commission on the Space Shuttle Challenger Accident (1986) Report, vol. 1, 129-131; "
            "Dalal, S. R., Fowlkes, E. B. and Hoadley, B. (1989) Risk analysis of the space shuttle. "
            "Journal of the American Statistical Association 84, 945-957",
            licence=_PACKAGE.format("GPL-3"),
        ),
        Dataset(
            name="kyphosis",
            row="a child after corrective surgery of the spine; Age in months (81 rows)",
            formula="Kyphosis ~ Age + Number + Start",
            source="R package rpart, kyphosis",
            citation="Chambers, J. M. and Hastie, T. J., eds. (1992) Statistical Models in S. Wadsworth and "
            "Brooks/Cole",
            licence=_PACKAGE.format("GPL-2 or GPL-3"),
        ),
        Dataset(
            name="mroz",
            row="a married woman in the United States, 1975; lfp: whether she is in the labour force (753 rows)",
            formula="lfp ~ k5 + k618 + age + wc + hc + lwg + inc",
            source="R package carData, Mroz",
            citation="Mroz, T. A. (1987) The sensitivity of an empirical model of married women's hours of work to "
            "economic and statistical assumptions. Econometrica 55, 765-799",
            licence=_PACKAGE.format("GPL-2 or later"),
        ),
        Dataset(
            name="titanic",
            row="a passenger of the Titanic, 1912; age is missing for 263 of them (1,309 rows)",
            formula="survived ~ sex + age + passengerClass",
            source="R package carData, TitanicSurvival, without the passengers' names",
            citation="Harrell, F. E. (2001) Regression Modeling Strategies. Springer; compiled by T. Cason",
            licence=_PACKAGE.format("GPL-2 or later"),
        ),
        Dataset(
            name="penguins",
            row="a penguin near Palmer Station, Antarctica, 2007 to 2009 (344 rows, some cells missing)",
            formula="sex ~ species + bill_length_mm + bill_depth_mm + flipper_length_mm + body_mass_g",
            source="R package palmerpenguins, penguins",
            citation="Gorman, K. B., Williams, T. D. and Fraser, W. R. (2014) Ecological sexual dimorphism and "
            "environmental variability within a community of Antarctic penguins (genus Pygoscelis). PLoS ONE 9(3), "
            "e90081; Horst, A. M., Hill, A. P. and Gorman, K. B. (2020) palmerpenguins",
            licence="CC0",
        ),
        Dataset(
            name="endometrial",
            row="a woman with endometrial cancer; HG: high grade; NV: neovasculation, present only in high grades, so "
            "that its coefficient is infinite (79 rows)",
            formula="HG ~ NV + PI + EH",
            source="Agresti, A. (2015) Foundations of Linear and Generalized Linear Models. Wiley: "
            "the data of the book",
            citation="Heinze, G. and Schemper, M. (2002) A solution to the problem of separation in logistic "
            "regression. Statistics in Medicine 21, 2409-2419; data by E. Asseryanis, Medical University of Vienna",
            licence=_PACKAGE.format("GPL-3 (brglm2)"),
        ),
    )
}
