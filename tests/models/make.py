"""Write model files of the present version, and what they predict: run once, before the version changes.

    python tests/models/make.py FOLDER

Each NAME.json has beside it NAME.expected.json: rows, and the logits that the passline which wrote it gave for them.
The files of a version that was released are never written again.
"""

from __future__ import annotations

import json
import math
import sys
import warnings
from pathlib import Path
from typing import Any

import passline
from passline import datasets

# Name: formula, table in the box, options of fit, rows to predict (a missing value is None).
FITS: dict[str, tuple[str, str, dict[str, Any], dict[str, list[Any]]]] = {
    "plain": ("passed ~ hours", "students", {}, {"hours": [0.5, 2.7, 4, None]}),
    "categories": (
        "survived ~ sex * passengerClass + age",
        "titanic",
        {},
        {"sex": ["female", "male", "male"], "passengerClass": ["1st", "3rd", None], "age": [29.0, 40, 3.5]},
    ),
    "functions": (
        "lfp ~ rcs(age, 4) + scale(inc) + log1p(k5) + wc:hc + C(k618) + power(inc, 3) + exp(lwg)",
        "mroz",
        {},
        {
            "age": [30.5, 44.0, 61],
            "inc": [8.0, 21.5, 40],
            "k5": [0.0, 1, 2],
            "wc": ["yes", "no", "yes"],
            "hc": ["yes", "yes", "no"],
            "k618": [0.0, 2, 1],
            "lwg": [1.0, 0.25, -0.5],
        },
    ),
    "reference": ('low ~ age + lwt + C(race, ref="2")', "birthwt", {}, {}),
    "without an intercept": ("Kyphosis ~ 0 + Age + Start", "kyphosis", {}, {"Age": [12.0, 158], "Start": [5.0, 14.5]}),
    "firth": (
        "HG ~ NV + PI + EH",
        "endometrial",
        {"estimator": "firth", "interval": "profile"},
        {"NV": [0.0, 1], "PI": [13.0, 20], "EH": [1.64, 2.26]},
    ),
    "quasi separated": ("HG ~ NV + PI + EH", "endometrial", {}, {"NV": [0, 1], "PI": [13, 20], "EH": [1.64, 2.26]}),
    "completely separated": ("passed ~ hours", "lesson", {}, {"hours": [0.0, 1.5, 3.0]}),
    "ridge": ("low ~ age + lwt + smoke", "birthwt", {"penalty": passline.Penalty(l2=0.01)}, {}),
    "trials": (
        "Menarche ~ Age",
        "menarche",
        {"trials": "Total", "dispersion": "estimated"},
        {"Age": [11.0, 13.25, 15]},
    ),
    "robust": ("survived ~ sex + age", "titanic", {"robust": "hc1"}, {"sex": ["male", "female"], "age": [30, 2.0]}),
    "clustered": ("low ~ age + lwt", "birthwt", {"cluster": "race"}, {"age": [20, 33.0], "lwt": [100, 170]}),
    "weighted": ("y ~ a + u", "", {"weights": "w"}, {"a": [1.0, -2], "u": [True, False]}),
    "aliased": ("y ~ a + b + u", "", {}, {"a": [1.0, -2], "b": [3.0, 0.5], "u": [True, False]}),
}


def main(folder: Path) -> None:
    """Fit, save, predict."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (formula, table, options, rows) in FITS.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = passline.fit(formula, datasets.path(table) if table else aliased(), **options)
        if not rows:
            rows = {v: typical(summary) for v, summary in fit.model.summaries.items()}  # noqa: PLW2901
        path = folder / f"{name.replace(' ', '-')}.json"
        fit.save(path)
        logits = fit.predict(rows, scale="logit")
        expected = {"rows": rows, "logits": [word(v) for v in logits.tolist()], "document": fit.as_json()}
        path.with_suffix(".expected.json").write_text(
            json.dumps(expected, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )


def aliased() -> dict[str, list[Any]]:
    """A table in which b is twice a."""
    a = [float((7 * i) % 11) for i in range(40)]
    return {
        "a": a,
        "b": [2 * v for v in a],
        "u": [i % 3 == 0 for i in range(40)],
        "w": [1.0 + i % 4 for i in range(40)],
        "y": [int((5 * i) % 13 < 6) for i in range(40)],
    }


def typical(summary: dict[str, Any]) -> list[Any]:
    """Two values of a predictor; the levels of these tables are numbers."""
    return [float(v) for v in summary["levels"][:2]] if "levels" in summary else [summary["min"], summary["mean"]]


def word(value: float) -> float | str | None:
    """A logit for JSON: infinities as words, None where there is none."""
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else str(value)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
