"""How well a score tells the two outcomes apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def auc(score: Floats, y: Floats, weight: Floats | None = None) -> float:
    r"""Area under the ROC curve: the share of (success, failure) pairs that the score puts in the right order.

    .. math:: P(s_1 > s_0) + \tfrac12 P(s_1 = s_0)

    ``score``, ``y``: (n,), y in [0, 1] (a proportion counts for both sides); ``weight``: (n,). NaN where one side is
    empty. Source: Hanley and McNeil (1982), Radiology 143.
    """
    if weight is None and bool(((y == 0) | (y == 1)).all()):
        # Two sorts and two searches, a third of the time of what weights and proportions need.
        failures, successes = np.sort(score[y == 0]), np.sort(score[y == 1])
        pairs = float(len(failures)) * float(len(successes))
        below = np.searchsorted(failures, successes, "left").sum(dtype=np.float64)
        ties = np.searchsorted(failures, successes, "right").sum(dtype=np.float64) - below
        return float(below + ties / 2) / pairs if pairs > 0 else float("nan")
    order = np.argsort(score)
    s, y = score[order], y[order]
    c = np.ones(len(s)) if weight is None else weight[order]
    starts = np.flatnonzero(np.concatenate([[True], s[1:] != s[:-1]]))
    successes = np.add.reduceat(c * y, starts)
    failures = np.add.reduceat(c * (1.0 - y), starts)
    below = np.cumsum(failures) - failures
    pairs = float(successes.sum()) * float(failures.sum())
    return float(successes @ (below + failures / 2)) / pairs if pairs > 0 else float("nan")
