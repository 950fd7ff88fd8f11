"""The steps themselves: what a step depends on, and the hand-written gradient of one batch after another."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, cast

import numpy as np
from threadpoolctl import ThreadpoolController

from passline.engine.batches import Rows, walk
from passline.engine.value import Array
from passline.solvers.base import Floats
from passline.solvers.descent import Adam, Momentum, Plain, Rule
from passline.solvers.schedules import Constant, Schedule

Method = Literal["sgd", "momentum", "nesterov", "adam"]


@dataclass(frozen=True)
class StepSettings:
    """What a step is made of; SGDSettings describes and checks it."""

    method: Method = "sgd"
    rate: float = 0.01
    momentum: float = 0.9
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    l2: float = 0.0
    schedule: Schedule = field(default_factory=Constant)
    average_from: int | None = None
    intercept: bool = True


@dataclass
class State:
    """All that a later step depends on, and the settings that it was begun with."""

    theta: Array  # (p + 1,) coefficients, then the intercept
    rule: Rule
    total: Array  # (p + 1,) double: sum of the averaged thetas
    averaged: int = 0
    steps: int = 0
    epochs: int = 0

    def vectors(self) -> dict[str, Array]:
        return {"theta": self.theta, "total": self.total, **self.rule.vectors}

    def keep(self) -> tuple[list[Array], int, int]:
        """A copy to come back to."""
        vectors = [v.copy() if isinstance(v, np.ndarray) else v.clone() for v in self.vectors().values()]
        return vectors, self.averaged, self.steps

    def restore(self, kept: tuple[list[Array], int, int]) -> None:
        vectors, self.averaged, self.steps = kept
        for mine, old in zip(self.vectors().values(), vectors, strict=True):
            mine[:] = old

    def arrays(self) -> dict[str, Array]:
        """Copies for NumPy."""
        return {name: np.array(_here(v)) for name, v in self.vectors().items()}

    def answer(self) -> Floats:
        """The coefficients to report, in double precision (p + 1,): the mean of the averaged ones, else the last."""
        theta = self.total / self.averaged if self.averaged else self.theta
        return np.array(_here(theta), np.float64)


def make_rule(settings: StepSettings, xp: Any, like: Array) -> Rule:
    """The update rule of a method, its memory at zero."""
    if settings.method == "sgd":
        return Plain()
    if settings.method == "adam":
        return Adam(xp, like, settings.betas, settings.eps)
    return Momentum(xp, like, settings.momentum, settings.method == "nesterov")


def make_state(settings: StepSettings, rows: Rows, begin: Array, saved: Mapping[str, Array]) -> State:
    """A state at ``begin`` (p + 1,), or as ``saved``, in the type and the place of the rows."""
    theta = rows.array(saved.get("theta", begin))
    total = np.array(saved.get("total", np.zeros(len(theta))), np.float64)
    if rows.xp is not np:
        total = rows.xp.as_tensor(total, device=theta.device)
    rule = make_rule(settings, rows.xp, theta)
    for name, vector in rule.vectors.items():
        if name in saved:
            vector[:] = rows.array(saved[name])
    averaged, steps, epochs = (int(count) for count in saved["counts"][:3]) if "counts" in saved else (0, 0, 0)
    return State(theta, rule, total, averaged, steps, epochs)


def descend(state: State, settings: StepSettings, rows: Rows, order: Array | slice, batch_size: int) -> float:
    r"""One step a batch along the rows in ``order``; the mean of the losses just before each step.

    .. math:: \mu - y = (\tanh(\eta / 2) - (2 y - 1)) / 2, \quad
        \ell = \log(1 + e^{-|\eta|}) + |\eta| / 2 - (2 y - 1) \eta / 2

    so that nothing overflows, and a batch costs two products, one function and a handful of short sums, all in
    memory that is there: no graph, no allocation. Leaves ``state`` beyond the numbers where the steps are too long.
    """
    xp, p = rows.xp, rows.shape[1]
    times, transposed_times = rows.products()
    theta, rule = state.theta, state.rule
    h = theta * 0.5
    # Without an intercept its gradient is never written, and stays zero under every rule.
    g, decay = xp.zeros_like(theta), xp.zeros_like(theta[:p])
    w, hw, hb, gw, gb = theta[:p], h[:p], h[p:], g[:p], g[p:].reshape(())
    dot = cast("Any", xp.dot)
    averaging = settings.average_from is not None and state.epochs >= settings.average_from
    factor, steps = settings.schedule.factor, state.steps
    loss: Any = 0.0
    count = 0
    with one_thread(), np.errstate(all="ignore"):
        for chunk in walk(rows, order, batch_size):
            for batch in chunk.batches:
                half, r, X = batch.half, batch.residual, batch.X
                times(X, hw, half)
                half += hb
                if batch.half_offset is not None:
                    half += batch.half_offset
                xp.tanh(half, out=r)
                r -= batch.sign
                if batch.weight is not None:
                    r *= batch.weight
                transposed_times(X, r, gw)
                if settings.intercept:
                    dot(r, batch.ones, out=gb)
                g *= 0.5 / batch.rows
                if settings.l2:
                    xp.multiply(w, settings.l2, out=decay)
                    gw += decay
                rule.step(theta, g, settings.rate * factor(steps), steps)
                xp.multiply(theta, 0.5, out=h)
                steps += 1
                if averaging:
                    state.total += theta
                    state.averaged += 1
            loss = loss + _loss(xp, chunk.half, chunk.sign, chunk.weight)
            count += len(chunk.sign)
    state.steps = steps
    return float(loss) / count


def finite(state: State) -> bool:
    """Whether the coefficients still are numbers."""
    theta = state.theta
    return bool(np.isfinite(theta).all() if isinstance(theta, np.ndarray) else theta.isfinite().all())


def one_thread() -> AbstractContextManager[object]:
    """NumPy's BLAS on one thread: a batch's products are too short to share out."""
    return cast("AbstractContextManager[object]", _controller().limit(limits=1, user_api="blas"))


def _here(v: Array) -> Array:
    return v if isinstance(v, np.ndarray) else v.cpu().numpy()


def _loss(xp: Any, half: Array, sign: Array, weight: Array | None) -> Array:
    size = xp.abs(half)
    loss = xp.multiply(size, -2)
    xp.exp(loss, out=loss)
    xp.log1p(loss, out=loss)
    loss += size
    xp.multiply(sign, half, out=size)
    loss -= size
    if weight is not None:
        loss *= weight
    return loss.sum()


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
