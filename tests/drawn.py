"""What the tests of pictures share: tables as lists, fits whose warnings are known, and every text of a picture."""

from __future__ import annotations

import warnings

from matplotlib.axes import Axes

import passline
from passline import datasets
from passline.errors import PasslineWarning


def table(name: str) -> dict[str, list[object]]:
    frame = datasets.load(name)
    return {column: list(frame[column]) for column in frame}


def quiet(formula: str, data: object, **options: object) -> passline.Fit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PasslineWarning)
        return passline.fit(formula, data, **options)  # type: ignore[arg-type]  # options of many types


def texts(ax: Axes) -> list[str]:
    found = [*ax.texts, ax.title, ax.xaxis.label, ax.yaxis.label, *ax.get_xticklabels(), *ax.get_yticklabels()]
    found += [ax._left_title]  # type: ignore[attr-defined]  # matplotlib gives no other way to its properties
    legend = ax.get_legend()
    return [text.get_text() for text in [*found, *(legend.get_texts() if legend else [])] if text.get_text()]
