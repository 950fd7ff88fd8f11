"""The steps themselves: what a step depends on, and the hand-written gradient of one batch after another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

import numpy as np

from passline.engine.batches import Rows, walk
from passline.engine.threads import blas_alone
from passline.engine.value import Array
from passline.errors import OptionError
from passline.schedules import Constant, Schedule, positive, share, whole
from passline.solvers.base import Floats
from passline.solvers.descent import Adam, Momentum, Plain, Rule
from passline.solvers.exact import see

Method = Literal["sgd", "momentum", "nesterov", "adam"]


@dataclass(frozen=True)
class SGDSettings:
    """How to descend: every number of it; raises OptionError for one outside its range.

    ``method``: "sgd", "momentum" (mu = ``momentum``), "nesterov", "adam" (``betas``, ``eps``). ``rate``: the learning
    rate, times the ``schedule``'s factor. ``l2``: ridge per row, l2/2 |w|^2 on the columns as given, the intercept left
    out. ``average_from``: from the end of this many epochs on, the answer is the mean of the coefficients after each
    step (Polyak and Ruppert; 0: from the first step); None: the last ones. ``intercept``: False for none.
    ``standardise``: whether steps are taken on columns with mean zero and spread one, as the first rows have them.
    """

    method: Method = "sgd"
    rate: float = 0.01
    momentum: float = 0.9
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    l2: float = 0.0
    schedule: Schedule = field(default_factory=Constant)
    average_from: int | None = None
    intercept: bool = True
    standardise: bool = False

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise OptionError(f"method is {self.method!r}: choose one of {', '.join(get_args(Method))}")
        positive("rate", self.rate, "such as 0.01")
        positive("eps", self.eps, "such as 1e-8")
        share("momentum", self.momentum)
        if not isinstance(self.betas, (tuple, list)) or len(self.betas) != 2:
            raise OptionError(f"betas is {self.betas!r}: give two numbers, such as (0.9, 0.999)")
        share("betas[0]", self.betas[0])
        share("betas[1]", self.betas[1])
        if self.l2 != 0:
            positive("l2", self.l2, "or 0 for no penalty")
        if not callable(getattr(self.schedule, "factor", None)):
            raise OptionError(f"schedule is {self.schedule!r}: give one of passline.schedules, such as Cosine(1000)")
        if self.average_from is not None:
            whole("average_from", self.average_from, 0)


@dataclass(frozen=True)
class Units:
    """Standardised columns (x - center) / scale, and the coefficients there and of the columns as given.

    ``center``, ``scale``: (p,); coefficients are (p + 1,), the intercept last.
    """

    center: Floats
    scale: Floats

    def given(self, theta: Floats) -> Floats:
        """Of the columns as given, from those of the standardised ones."""
        with np.errstate(all="ignore"):  # who asks looks whether it is finite
            coef = theta[:-1] / self.scale
            return np.append(coef, theta[-1] - self.center @ coef)

    def standardised(self, theta: Floats) -> Floats:
        """The inverse of :meth:`given`."""
        with np.errstate(all="ignore"):
            return np.append(theta[:-1] * self.scale, theta[-1] + self.center @ theta[:-1])


@dataclass
class State:
    """All that a later step depends on, beside the settings; in standardised columns where there are ``units``."""

    theta: Array  # (p + 1,) coefficients, then the intercept
    rule: Rule
    total: Array  # (p + 1,) double: sum of the averaged thetas
    units: Units | None = None
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
        units = {} if self.units is None else vars(self.units)
        return {name: np.array(_here(v)) for name, v in {**self.vectors(), **units}.items()}

    def answer(self) -> Floats:
        """The coefficients to report, in double precision (p + 1,): the mean of the averaged ones, else the last."""
        theta = np.array(_here(self.total / self.averaged if self.averaged else self.theta), np.float64)
        return theta if self.units is None else self.units.given(theta)


def make_rule(settings: SGDSettings, xp: Any, like: Array) -> Rule:
    """The update rule of a method, its memory at zero."""
    if settings.method == "sgd":
        return Plain()
    if settings.method == "adam":
        return Adam(xp, like, settings.betas, settings.eps)
    return Momentum(xp, like, settings.momentum, settings.method == "nesterov")


def make_state(settings: SGDSettings, rows: Rows, begin: Floats, saved: Mapping[str, Array]) -> State:
    """A state at ``begin`` (p + 1,), of the columns as given, or as ``saved``; in the type and place of the rows."""
    units = None
    if "scale" in saved:
        units = Units(*(np.array(saved[name], np.float64) for name in ("center", "scale")))
    elif settings.standardise:
        seen = see(rows, settings.intercept)
        units = Units(seen.center, seen.scale)
        begin = units.standardised(begin)
    theta = rows.array(saved.get("theta", begin))
    total = np.array(saved.get("total", np.zeros(len(theta))), np.float64)
    if rows.xp is not np:
        total = rows.xp.as_tensor(total, device=theta.device)
    rule = make_rule(settings, rows.xp, theta)
    for name, vector in rule.vectors.items():
        if name in saved:
            vector[:] = rows.array(saved[name])
    averaged, steps, epochs = (int(count) for count in saved["counts"][:3]) if "counts" in saved else (0, 0, 0)
    return State(theta, rule, total, units, averaged, steps, epochs)


class _Lens:
    """The steps' coefficients in the columns as given, and the gradient there in the steps' coordinates, in place.

    Batches stay as they were given: of (x - center) / scale only two vectors of length p are ever formed.
    """

    def __init__(self, state: State, rows: Rows, settings: SGDSettings) -> None:
        self.xp, self.dot = rows.xp, cast("Any", rows.xp.dot)
        self.seen = state.units is not None
        self.ridge: Any = settings.l2
        if state.units is not None:
            center, scale = state.units.center, state.units.scale
            self.center, self.work, self.per_scale = rows.array(center), rows.array(center), rows.array(1.0 / scale)
            self.half_per_scale = self.per_scale * 0.5
            with np.errstate(all="ignore"):
                self.ridge = rows.array(np.minimum(settings.l2 / scale**2, 1e30))

    def halve(self, theta: Array, h: Array) -> None:
        """``h``: half the coefficients and the intercept of the columns as given."""
        if not self.seen:
            self.xp.multiply(theta, 0.5, out=h)
            return
        self.xp.multiply(theta[:-1], self.half_per_scale, out=h[:-1])
        h[-1] = 0.5 * theta[-1] - self.dot(self.center, h[:-1])

    def back(self, g: Array) -> None:
        """The gradient ``g`` in the columns as given, into that of the standardised ones."""
        if self.seen:
            self.xp.multiply(self.center, g[-1], out=self.work)
            g[:-1] -= self.work
            g[:-1] *= self.per_scale


def descend(state: State, settings: SGDSettings, rows: Rows, order: Array | slice, batch_size: int) -> float:
    r"""One step a batch along the rows in ``order``; the mean of the losses just before each step.

    .. math:: \mu - y = (\tanh(\eta / 2) - (2 y - 1)) / 2, \quad
        \ell = \log(1 + e^{-|\eta|}) + |\eta| / 2 - (2 y - 1) \eta / 2

    so that nothing overflows, and a batch costs two products, one function and a handful of short sums, all in
    memory that is there: no graph, no allocation. Leaves ``state`` beyond the numbers where the steps are too long.
    """
    xp, p = rows.xp, rows.shape[1]
    times, transposed_times = rows.products()
    theta, rule, lens = state.theta, state.rule, _Lens(state, rows, settings)
    # Without an intercept its gradient is never written, and stays zero under every rule.
    h, g, decay = xp.zeros_like(theta), xp.zeros_like(theta), xp.zeros_like(theta[:p])
    w, hw, hb, gw, gb = theta[:p], h[:p], h[p:], g[:p], g[p:].reshape(())
    dot = cast("Any", xp.dot)
    averaging = settings.average_from is not None and state.epochs >= settings.average_from
    rate, factor, steps = float(settings.rate), settings.schedule.factor, state.steps
    loss: Any = 0.0
    count = 0
    with blas_alone(), np.errstate(all="ignore"):
        lens.halve(theta, h)
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
                lens.back(g)
                g *= 0.5 / batch.rows
                if settings.l2:
                    xp.multiply(w, lens.ridge, out=decay)
                    gw += decay
                rule.step(theta, g, rate * factor(steps), steps)
                lens.halve(theta, h)
                steps += 1
                if averaging:
                    state.total += theta
                    state.averaged += 1
            loss = loss + _loss(xp, chunk.half, chunk.sign, chunk.weight)
            count += len(chunk.sign)
    state.steps = steps
    return float(loss) / count


def finite(state: State) -> bool:
    """Whether the coefficients still are numbers, in the steps' units and in the caller's."""
    theta = state.theta
    if not (np.isfinite(theta).all() if isinstance(theta, np.ndarray) else theta.isfinite().all()):
        return False
    return state.units is None or bool(np.isfinite(state.answer()).all())


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
