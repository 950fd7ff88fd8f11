"""Several outcomes of the same rows: each is solved as if alone, and what all ask of them is answered in one walk."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from threading import Condition
from typing import TypeVar

import numpy as np

from passline.engine.blocks import Blocks
from passline.engine.likelihood import likelihood
from passline.engine.objective import Objective
from passline.engine.threads import blas_alone
from passline.engine.value import Array, Value

T = TypeVar("T")

Join = Callable[[Objective], Objective]


def together(count: int, solve: Callable[[int, Join], T]) -> list[T]:
    """``solve(j, join)`` of each outcome j of ``count``, whose passes for a loss and a gradient are walks they share.

    ``join`` gives an objective, over the same standardised columns and weights for every outcome, a seat at the table:
    it is used like the one that it stands for. A walk begins when every outcome that is not finished has asked. Raises
    what any ``solve`` raises, the first outcome's first.
    """
    desk = _Desk(count)

    def one(j: int) -> T:
        try:
            return solve(j, lambda objective: desk.seat(j, objective))
        finally:
            desk.leave(j)

    # Each thread's own limits of BLAS are then nested in this one, whatever their order.
    with blas_alone(), ThreadPoolExecutor(count, thread_name_prefix="passline-outcome") as pool:
        running = [pool.submit(copy_context().run, one, j) for j in range(count)]
        return [each.result() for each in running]


@dataclass(frozen=True)
class _Seated(Objective):
    """An objective whose losses and gradients come from the desk; all else is its own."""

    ask: Callable[[Array], Value] = field(kw_only=True)

    def __call__(self, w: Array, order: int = 2) -> Value:
        if order != 1:
            return super().__call__(w, order)
        value = self.ask(w) / self.total
        return value if self.ridge is None else value + Value(self.penalty(w), self.ridge * w)


class _Desk:
    """Where outcomes ask for the sums at their coefficients, and wait until all have."""

    def __init__(self, count: int) -> None:
        self.turn = Condition()
        self.running = set(range(count))
        self.blocks: dict[int, Blocks] = {}
        self.asked: dict[int, Array] = {}
        self.answers: dict[int, Value] = {}
        self.failed: BaseException | None = None

    def seat(self, j: int, objective: Objective) -> Objective:
        self.blocks[j] = objective.blocks
        return _Seated(objective.blocks, objective.ridge, ask=lambda w: self.ask(j, w))

    def ask(self, j: int, w: Array) -> Value:
        with self.turn:
            self.asked[j] = w
            self._answer_if_all_have_asked()
            while j not in self.answers and self.failed is None:
                self.turn.wait()
            if self.failed is not None:
                raise self.failed
            return self.answers.pop(j)

    def leave(self, j: int) -> None:
        with self.turn:
            self.running.discard(j)
            self._answer_if_all_have_asked()

    def _answer_if_all_have_asked(self) -> None:
        if not self.asked or set(self.asked) != self.running:
            return
        order = sorted(self.asked)
        try:
            self.answers = _sums(
                [self.blocks[j] for j in order], np.stack([self.asked[j] for j in order], axis=1), order
            )
        except BaseException as error:
            self.failed = error
            raise
        finally:
            self.asked = {}
            self.turn.notify_all()


def _sums(blocks: list[Blocks], W: Array, order: list[int]) -> dict[int, Value]:
    """The loss and gradient of each outcome at its column of W (p, k): one walk."""
    first = blocks[0]
    if len(blocks) == 1:
        return {order[0]: first.sum(likelihood, W[:, 0], 1)}
    for other in blocks[1:]:
        other.walked()
    value = first.with_outcomes([each.all.y for each in blocks]).sum(likelihood, W, 1)
    gradient = np.asarray(value.gradient)
    return {j: Value(value.loss[k], np.ascontiguousarray(gradient[:, k])) for k, j in enumerate(order)}
