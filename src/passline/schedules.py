"""How a step size changes with the number of steps taken: rate = settings.rate * schedule.factor(t), t = 0, 1, ..."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Protocol

from passline.errors import OptionError


class Schedule(Protocol):
    """A factor on the step size."""

    def factor(self, t: int) -> float:
        """The factor of the step after ``t`` steps: above or equal to zero."""
        ...


@dataclass(frozen=True)
class Constant:
    """factor = 1."""

    def factor(self, t: int) -> float:
        del t
        return 1.0


@dataclass(frozen=True)
class InverseScaling:
    r"""Robbins and Monro's: averages converge for a power in (1/2, 1].

    .. math:: (1 + t / t_0)^{-power}
    """

    t0: float = 1000.0
    power: float = 0.5

    def __post_init__(self) -> None:
        positive("t0", self.t0, "steps, such as 1000")
        positive("power", self.power, "such as 0.5")

    def factor(self, t: int) -> float:
        return float((1.0 + t / self.t0) ** -self.power)


@dataclass(frozen=True)
class Cosine:
    r"""From 1 down to ``floor`` in ``steps`` steps, and there from then on.

    .. math:: floor + (1 - floor) (1 + \cos(\pi t / steps)) / 2
    """

    steps: int
    floor: float = 0.0

    def __post_init__(self) -> None:
        whole("steps", self.steps)
        if self.floor != 1:
            share("floor", self.floor)

    def factor(self, t: int) -> float:
        share = min(t / self.steps, 1.0)
        return self.floor + (1 - self.floor) * (1 + math.cos(math.pi * share)) / 2


@dataclass(frozen=True)
class StepDecay:
    """factor = gamma^(t // every): a constant rate for ``every`` steps, then ``gamma`` times it, and so on."""

    every: int
    gamma: float = 0.1

    def __post_init__(self) -> None:
        whole("every", self.every)
        positive("gamma", self.gamma, "such as 0.1")

    def factor(self, t: int) -> float:
        return float(self.gamma ** (t // self.every))


def positive(name: str, number: float, example: str) -> None:
    """Raise OptionError unless ``number`` is finite and above zero."""
    if not _real(number) or not 0 < number < math.inf:
        raise OptionError(f"{name} is {number!r}: give a number above 0, {example}")


def share(name: str, number: float) -> None:
    """Raise OptionError unless ``number`` is zero or above and below one."""
    if not _real(number) or not 0 <= number < 1:
        raise OptionError(f"{name} is {number!r}: give a number from 0 up to, and not including, 1")


def whole(name: str, number: int, least: int = 1) -> None:
    """Raise OptionError unless ``number`` is a whole number, ``least`` or more."""
    if not isinstance(number, Integral) or isinstance(number, bool) or number < least:
        raise OptionError(f"{name} is {number!r}: give a whole number, {least} or more")


def _real(number: object) -> bool:
    return isinstance(number, Real) and not isinstance(number, bool)
