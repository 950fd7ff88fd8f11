"""What every solver returns: the coefficients, a status, and the trace of the passes behind them."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Status(enum.Enum):
    """How a solver ended."""

    CONVERGED = "converged"
    # The loss has settled and the coefficients have not: they may be on their way to infinity.
    DIVERGING = "diverging"
    PASS_LIMIT = "pass limit"
    STALLED = "stalled"


@dataclass(frozen=True)
class Step:
    """One pass of a solver: what it saw and what it did."""

    rows: int
    loss: float
    gradient_norm: float
    decrement: float  # Newton's: gradient' curvature^-1 gradient, times the sum of weights
    length: float  # the share of the step that was taken


@dataclass(frozen=True)
class Solution:
    """Where a solver stopped, with the exact gradient and curvature of the mean objective there.

    ``coef``, ``gradient``: (p,); ``curvature``: (p, p), all in the solver's coordinates; ``loss``: the objective.
    """

    coef: Floats
    loss: float
    gradient: Floats
    curvature: Floats | None  # None from a solver that never forms it
    status: Status
    solver: str
    trace: tuple[Step, ...] = field(repr=False)

    @property
    def converged(self) -> bool:
        return self.status is Status.CONVERGED


# Called after each step of long work, for a progress line.
Report = Callable[[Step], None]
