"""How well a score tells the two outcomes apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# A product of a matrix rounds equal rows apart, according to where they stand in it; so scores are compared in
# multiples of 2^-34, or of 2^-36 of their own size where that is more.
STEPS = 2.0**34


def auc(score: Floats, y: Floats, weight: Floats | None = None) -> float:
    r"""Area under the ROC curve: the share of (success, failure) pairs that the score puts in the right order.

    .. math:: P(s_1 > s_0) + \tfrac12 P(s_1 = s_0)

    ``score``: (n,), may be infinite; scores within rounding of each other are equal. ``y``: (n,) in [0, 1] (a
    proportion counts for both sides); ``weight``: (n,). NaN where one side is empty.
    Source: Hanley and McNeil (1982), Radiology 143.
    """
    s = _rounded(score)
    if weight is None and bool(((y == 0) | (y == 1)).all()):
        # Two sorts and two searches, a third of the time of what weights and proportions need.
        failures, successes = np.sort(s[y == 0]), np.sort(s[y == 1])
        pairs = float(len(failures)) * float(len(successes))
        below = np.searchsorted(failures, successes, "left").sum(dtype=np.float64)
        ties = np.searchsorted(failures, successes, "right").sum(dtype=np.float64) - below
        return float(below + ties / 2) / pairs if pairs > 0 else float("nan")
    order = np.argsort(s)
    s, y = s[order], y[order]
    c = np.ones(len(s)) if weight is None else weight[order]
    starts = np.flatnonzero(np.concatenate([[True], s[1:] != s[:-1]]))
    successes = np.add.reduceat(c * y, starts)
    failures = np.add.reduceat(c * (1.0 - y), starts)
    below = np.cumsum(failures) - failures
    pairs = float(successes.sum()) * float(failures.sum())
    return float(successes @ (below + failures / 2)) / pairs if pairs > 0 else float("nan")


def _rounded(score: Floats) -> Floats:
    """Scores without their last digits; infinities stay."""
    out: Floats = np.rint(score * STEPS)
    large = np.isfinite(score) & (np.abs(score) > 4.0)
    if large.any():
        fraction, exponent = np.frexp(score[large])
        out[large] = np.ldexp(np.rint(np.ldexp(fraction, 36)), exponent - 2)  # on the same scale: 36 - 34
    return out
