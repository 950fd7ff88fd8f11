"""The update rules of stochastic descent, in place on NumPy's or torch's vectors, step for step as torch.optim's."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Protocol

from passline.engine.value import Array


class Rule(Protocol):
    """An update rule; ``vectors`` is its whole memory beside the number of steps, by name."""

    vectors: dict[str, Array]

    def step(self, theta: Array, g: Array, rate: float, t: int) -> None:
        """Move ``theta`` (q,) against its gradient ``g`` (q,), which is used up; ``t`` steps came before."""
        ...


class Plain:
    """theta <- theta - rate g."""

    def __init__(self) -> None:
        self.vectors: dict[str, Array] = {}

    def step(self, theta: Array, g: Array, rate: float, t: int) -> None:
        del t
        g *= rate
        theta -= g


class Momentum:
    r"""Heavy ball, or Nesterov's form of it as torch.optim.SGD has it.

    .. math:: b \leftarrow \mu b + g, \quad \theta \leftarrow \theta - rate \; b \text{ or } rate \; (g + \mu b)

    Source: Sutskever, Martens, Dahl and Hinton (2013), On the importance of initialization and momentum.
    """

    def __init__(self, xp: ModuleType, like: Array, momentum: float, nesterov: bool) -> None:
        self.xp, self.momentum, self.nesterov = xp, momentum, nesterov
        self.vectors = {"velocity": xp.zeros_like(like)}
        self._work = xp.zeros_like(like)

    def step(self, theta: Array, g: Array, rate: float, t: int) -> None:
        del t
        b, work = self.vectors["velocity"], self._work
        b *= self.momentum
        b += g
        if self.nesterov:
            self.xp.multiply(b, self.momentum, out=work)
            work += g
            work *= rate
        else:
            self.xp.multiply(b, rate, out=work)
        theta -= work


class Adam:
    r"""Steps scaled by running moments of the gradient, both corrected for their start at zero.

    .. math:: m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad v \leftarrow \beta_2 v + (1 - \beta_2) g^2, \quad
        \theta \leftarrow \theta - \frac{rate}{1 - \beta_1^t} \frac{m}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}

    Source: Kingma and Ba (2015), Adam: a method for stochastic optimization.
    """

    def __init__(self, xp: ModuleType, like: Array, betas: tuple[float, float], eps: float) -> None:
        self.xp, self.betas, self.eps = xp, betas, eps
        self.vectors = {"first": xp.zeros_like(like), "second": xp.zeros_like(like)}
        self._work = xp.zeros_like(like)

    def step(self, theta: Array, g: Array, rate: float, t: int) -> None:
        m, v, work = self.vectors["first"], self.vectors["second"], self._work
        b1, b2 = self.betas
        self.xp.subtract(g, m, out=work)
        work *= 1 - b1
        m += work
        v *= b2
        g *= g
        g *= 1 - b2
        v += g
        self.xp.sqrt(v, out=work)
        work /= math.sqrt(1 - b2 ** (t + 1))
        work += self.eps
        self.xp.divide(m, work, out=work)
        work *= rate / (1 - b1 ** (t + 1))
        theta -= work
