"""Draw the pictures that docs/gallery.md shows, from the shipped tables: python docs/pictures/make_gallery.py."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from PIL import Image

import passline
from passline import datasets
from passline.errors import PasslineWarning
from passline.show.plots import loss_curve, write

FOLDER = Path(__file__).parent
# Small enough for a page of twenty of them, sharp enough for a screen.
DPI, COLOURS = 110, 96


@cache
def students() -> passline.Fit:
    return passline.fit("passed ~ hours", datasets.path("students"))


@cache
def birthwt() -> passline.Fit:
    return passline.fit("low ~ age + lwt + C(race) + smoke + ht", datasets.path("birthwt"))


@cache
def titanic() -> passline.Fit:
    return _quiet("survived ~ rcs(age, 4) * sex + passengerClass", datasets.path("titanic"))


@cache
def budworm() -> passline.Fit:
    return passline.fit("numdead ~ log(dose) + sex", datasets.path("budworm"), trials="total")


@cache
def endometrial() -> passline.Fit:
    return _quiet("HG ~ NV + PI + EH", datasets.path("endometrial"))


@cache
def lesson() -> passline.Fit:
    return _quiet("passed ~ hours", datasets.path("lesson"))


@cache
def half() -> tuple[passline.Fit, dict[str, list[object]]]:
    """A fit of every second row of the Titanic's table, and the rows that it has not seen."""
    table = datasets.load("titanic")
    seen, unseen = ({name: list(table[name])[start::2] for name in table} for start in (0, 1))
    return _quiet("survived ~ rcs(age, 4) * sex + passengerClass", seen), unseen


@cache
def descent() -> passline.SGDLogisticRegression:
    table = datasets.load("mroz")
    X = np.column_stack([np.asarray(table[name], dtype=np.float64) for name in ("k5", "age", "lwg", "inc")])
    model = passline.SGDLogisticRegression(rate=0.2, epochs=30, held_out=0.25, standardise=True, generator=1)
    return model.fit(X, np.asarray(table["lfp"]))


def pictures() -> dict[str, Callable[[], Axes]]:
    """What is drawn under which name; each is drawn when it is called."""
    fit, unseen = half()
    return {
        "curve": partial(students().plot.curve, "hours"),
        "curve-dose": partial(budworm().plot.curve, "dose", at={"sex": "M"}),
        "curve-separated": partial(lesson().plot.curve, "hours"),
        "coefficients": birthwt().plot.coefficients,
        "coefficients-separated": endometrial().plot.coefficients,
        "effect": partial(titanic().plot.effect, "age", at={"sex": "male"}),
        "effect-averaged": partial(birthwt().plot.effect, "lwt", averaged=True),
        "effects": lambda: titanic().plot.effects(averaged=True)[0],
        "roc": partial(fit.plot.roc, unseen),
        "precision-recall": partial(fit.plot.precision_recall, unseen),
        "calibration": partial(fit.plot.calibration, unseen),
        "gains": partial(fit.plot.gains, unseen),
        "lift": partial(fit.plot.gains, unseen, lift=True),
        "residuals": titanic().plot.residuals,
        "residuals-variable": partial(titanic().plot.residuals, variable="age"),
        "influence": birthwt().plot.influence,
        "loss": birthwt().plot.loss,
        "loss-epochs": lambda: loss_curve(descent().losses_, descent().held_out_losses_),
    }


def put(ax: Axes, target: Path) -> None:
    """Write one picture with few colours, which these are enough for and which make it small."""
    write(ax, target, dpi=DPI)
    with Image.open(target) as picture:
        few = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(target, optimize=True)


def make(name: str, folder: Path = FOLDER) -> Path:
    """Write one picture as gallery-<name>.png."""
    target = folder / f"gallery-{name}.png"
    put(pictures()[name](), target)
    return target


def main() -> None:
    """Write all of them, or those that are named."""
    for name in sys.argv[1:] or pictures():
        target = make(name)
        print(f"{target.name}: {target.stat().st_size / 1000:.0f} kB")


def _quiet(formula: str, data: object) -> passline.Fit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PasslineWarning)  # incomplete rows and separation, which the page speaks of
        return passline.fit(formula, data)


if __name__ == "__main__":
    main()
