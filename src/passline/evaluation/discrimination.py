"""How well a score tells the two outcomes apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# A product of a matrix rounds equal rows apart, according to where they stand in it; scores this close are equal.
ROUNDING = 1e-11


def auc(score: Floats, y: Floats, weight: Floats | None = None) -> float:
    r"""Area under the ROC curve: the share of (success, failure) pairs that the score puts in the right order.

    .. math:: P(s_1 > s_0) + \tfrac12 P(s_1 = s_0)

    ``score``: (n,), may be infinite; scores within rounding of each other are equal. ``y``: (n,) in [0, 1] (a
    proportion counts for both sides); ``weight``: (n,). NaN where one side is empty.
    Source: Hanley and McNeil (1982), Radiology 143.
    """
    order = np.argsort(score)
    s, y = np.clip(score[order], -1e300, 1e300), y[order]  # infinities have no difference
    c = np.ones(len(s)) if weight is None else weight[order]
    apart = s[1:] - s[:-1] > ROUNDING * np.maximum(1.0, np.abs(s[:-1]))
    starts = np.flatnonzero(np.concatenate([[True], apart]))
    successes = np.add.reduceat(c * y, starts)
    failures = np.add.reduceat(c * (1.0 - y), starts)
    below = np.cumsum(failures) - failures
    pairs = float(successes.sum()) * float(failures.sum())
    return float(successes @ (below + failures / 2)) / pairs if pairs > 0 else float("nan")
