"""All the measures of one set of rows, or of the held-out parts of one, by their names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passline.evaluation.classification import Confusion, confusion
from passline.evaluation.discrimination import Interval, Ranked, average_precision, concordance, ranked
from passline.evaluation.recalibration import in_the_large, line
from passline.evaluation.scored import Scored, together
from passline.evaluation.scores import (
    Binning,
    Bins,
    brier,
    brier_parts,
    expected_calibration_error,
    into_bins,
    log_loss,
    probabilities,
)

Floats = NDArray[np.float64]

# In the order of every table: of the probabilities, of their order, of the decisions at the threshold.
OF_PROBABILITIES = (
    "log_loss",
    "brier",
    "brier_reliability",
    "brier_resolution",
    "brier_uncertainty",
    "brier_within_variance",
    "brier_within_covariance",
    "expected_calibration_error",
    "calibration_in_the_large",
    "calibration_intercept",
    "calibration_slope",
)
OF_ORDER = ("auc", "average_precision")
OF_DECISIONS = ("accuracy", "sensitivity", "specificity", "precision", "f1", "mcc")
OVER_BINS = OF_PROBABILITIES[2:8]
MEASURES = (*OF_PROBABILITIES, *OF_ORDER, *OF_DECISIONS)


@dataclass(frozen=True)
class Part:
    """Rows scored by one fit, in their order and sorted, and the threshold that goes with the fit."""

    scored: Scored
    order: Ranked
    threshold: float


@dataclass(frozen=True)
class Measured:
    """Every measure by name, in the order of MEASURES, NaN where one does not exist; and what they were read off.

    ``scored``: the rows, of all parts; ``order``: sorted; ``p``: (n,) their probabilities; ``calibration``: in the
    large, intercept and slope, with intervals; ``confusion``: the decisions of all parts.
    """

    figures: dict[str, float]
    scored: Scored
    order: Ranked
    p: Floats
    bins: Bins
    calibration: tuple[Interval, Interval, Interval]
    confusion: Confusion


def measures(parts: Sequence[Part], binning: Binning, level: float = 0.95) -> Measured:
    """Measure the rows in ``parts``.

    Of several parts, each scored by another fit: the rows together, the decisions of each at its own threshold, and
    for the area only pairs within a part, since scores of different fits are on different scales.
    """
    scored = together([part.scored for part in parts])
    p = probabilities(scored)
    bins = into_bins(scored, p, binning)
    calibration = (in_the_large(scored, level), *line(scored, level))
    order = parts[0].order if len(parts) == 1 else ranked(scored)
    won, pairs = (sum(values) for values in zip(*(concordance(part.order) for part in parts), strict=True))
    none = Confusion(0.0, 0.0, 0.0, 0.0)
    decided = sum((confusion(part.order, part.threshold) for part in parts), none)
    found = {
        "log_loss": log_loss(scored),
        "brier": brier(scored, p),
        **brier_parts(bins),
        "expected_calibration_error": expected_calibration_error(bins),
        **dict(zip(OF_PROBABILITIES[-3:], (one.estimate for one in calibration), strict=True)),
        "auc": won / pairs if pairs > 0 else math.nan,
        "average_precision": average_precision(order),
        **decided.ratios(),
    }
    assert tuple(found) == MEASURES
    return Measured(found, scored, order, p, bins, calibration, decided)
