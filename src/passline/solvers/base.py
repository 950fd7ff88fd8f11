"""What every solver returns: the coefficients, a status, and the trace of the passes behind them."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import Blocks
from passline.engine.value import Array, Value

Floats = NDArray[np.float64]


class Status(enum.Enum):
    """How a solver ended."""

    CONVERGED = "converged"
    # The loss has settled and the coefficients have not: they may be on their way to infinity.
    DIVERGING = "diverging"
    PASS_LIMIT = "pass limit"
    STALLED = "stalled"


class Smooth(Protocol):
    """What Newton's method minimises: a mean over the rows of ``blocks``, times ``total`` a negative log-likelihood."""

    @property
    def blocks(self) -> Blocks: ...

    @property
    def total(self) -> float: ...

    def __call__(self, w: Array, order: int = 2) -> Value:
        """The value with its gradient (order 1) and curvature (order 2)."""
        ...


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
    curvature: Floats
    status: Status
    solver: str
    trace: tuple[Step, ...] = field(repr=False)

    @property
    def converged(self) -> bool:
        return self.status is Status.CONVERGED


@dataclass(frozen=True)
class Descended:
    """Where a solver stopped that never forms the curvature: a Solution without one."""

    coef: Floats
    loss: float
    gradient: Floats
    status: Status
    solver: str
    trace: tuple[Step, ...] = field(repr=False)

    @property
    def converged(self) -> bool:
        return self.status is Status.CONVERGED


# Called after each step of long work, for a progress line.
Report = Callable[[Step], None]
