"""Stochastic gradient descent: the lesson's method for real sizes, with a certificate at its end."""

from __future__ import annotations

import enum
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from passline.engine.batches import Rows
from passline.engine.given import refuse_not_finite
from passline.engine.value import Array
from passline.errors import DataError, NotConvergedError, OptionError
from passline.schedules import share, whole
from passline.solvers.base import Floats
from passline.solvers.exact import TOLERANCE, Certificate, certify, mean_loss
from passline.solvers.saved_state import checked
from passline.solvers.stepping import SGDSettings, State, Units, descend, finite, make_state


class Stopped(enum.Enum):
    """Why a run ended; none of them says that the optimum was reached, which the certificate does."""

    EPOCHS = "all epochs done"
    EARLY = "held-out loss no longer falls"
    DIVERGED = "loss no longer a number"


@dataclass(frozen=True)
class SGDResult:
    """Where a run ended, on the columns as given: ``coef`` (p,), ``intercept``, and the ``certificate`` there.

    ``sentence`` says how it ended, how far from the optimum, and what to do.
    """

    coef: Floats
    intercept: float
    stopped: Stopped
    certificate: Certificate | None
    sentence: str


class SGD:
    """A descent that can be run, run on, fed batch by batch, saved and resumed.

    ``coef`` (p,) and ``intercept``: where to begin (zeros). ``run`` after ``run`` continues, so run(3) and run(2) are
    run(5); so does a ``run`` or ``partial_fit`` after ``load_state_dict``, bit for bit. ``losses``: the mean loss of
    each epoch or batch so far (penalty left out), each row's taken just before the step that used it; ``held_out``:
    that of the rows held out, after each epoch.
    """

    def __init__(self, settings: SGDSettings | None = None, coef: Floats | None = None, intercept: float = 0.0) -> None:
        self.settings = settings or SGDSettings()
        self.losses: list[float] = []
        self.held_out: list[float] = []
        self._coef, self._intercept = coef, intercept
        self._state: State | None = None
        self._loaded: dict[str, Array] | None = None
        self._seed: int | None = None
        self._generator_state: Array | None = None  # of a torch.Generator, after the last epoch
        self._restore_generator = False
        self._held_seed: int | None = None
        self._best: Floats | None = None
        self._best_loss, self._best_epoch, self._waited = math.inf, 0, 0

    def run(
        self,
        rows: Rows,
        *,
        epochs: int = 10,
        batch_size: int = 256,
        shuffle: bool = True,
        generator: Any = None,
        held_out: float = 0.0,
        patience: int = 5,
        certificate: bool = True,
        report: Callable[[int, float], object] | None = None,
    ) -> SGDResult:
        r"""Take ``epochs`` walks over the rows in batches, each batch one step along its mean gradient.

        .. math:: g = \frac{1}{m} \sum_i c_i (\mu_i - y_i) x_i + \lambda w

        The last batch may be short. ``shuffle``: one permutation an epoch from ``generator``: a seed, a NumPy Generator
        (asked for a seed once) or a torch.Generator (torch.randperm). ``held_out``: the share of rows kept aside; once
        their loss has not fallen for ``patience`` epochs the run ends, and the answer is the best epoch's.
        ``certificate``: whether to walk all rows once more for the exact gradient. ``report`` gets the epoch and its
        loss. Raises OptionError for an option outside its range, DataError for a value in X that is not finite.
        """
        whole("epochs", epochs)
        whole("batch_size", batch_size)
        whole("patience", patience)
        share("held_out", held_out)
        state = self._prepare(rows)
        self._seed_from(generator)
        train, held = self._split(rows.shape[0], held_out, generator)
        if held is None:
            self._forget_best()
        self._waited = 0 if self._waited >= patience else self._waited  # asked to go on, so go on
        stopped = Stopped.EPOCHS
        for _ in range(epochs):
            order = self._order(rows, train, shuffle and batch_size < rows.shape[0], generator)
            kept = state.keep()
            loss = descend(state, self.settings, rows, order, batch_size)
            if not _went_well(state, loss):
                state.restore(kept)
                refuse_not_finite(rows.block().columns, rows.at)
                stopped = Stopped.DIVERGED
                break
            state.epochs += 1
            self.losses.append(loss)
            if report is not None:
                report(state.epochs, loss)
            if held is not None and self._watch(rows, held) >= patience:
                stopped = Stopped.EARLY
                break
        return self._result(rows, stopped, certificate)

    def partial_fit(self, rows: Rows) -> float:
        """Take one step on these rows, and give their mean loss before it.

        Weights count relative to the batch's own mean. Raises as ``run`` does, and NotConvergedError, nothing
        changed, where the step leads out of the numbers.
        """
        state = self._prepare(rows)
        kept = state.keep()
        loss = descend(state, self.settings, rows, slice(None), rows.shape[0])
        if not _went_well(state, loss):
            state.restore(kept)
            refuse_not_finite(rows.block().columns, rows.at)
            raise NotConvergedError(self._too_fast(f"step {state.steps + 1}"))
        self.losses.append(loss)
        self._forget_best()
        return loss

    @property
    def coef(self) -> Floats:
        """The coefficients now (p,): the best epoch's where rows are held out, the average where one has begun."""
        return self._now()[:-1]

    @property
    def intercept(self) -> float:
        """The intercept now."""
        return float(self._now()[-1])

    @property
    def epochs(self) -> int:
        """Epochs done so far."""
        return self._counts()[2]

    @property
    def steps(self) -> int:
        """Steps taken so far."""
        return self._counts()[1]

    def state_dict(self) -> dict[str, Array]:
        """All that the next step depends on, as NumPy arrays by name: what ``load_state_dict`` takes."""
        if self._state is None:
            if self._loaded is not None:
                return dict(self._loaded)
            raise OptionError("there is no state yet: call run or partial_fit first")
        state = self._state
        best = np.empty(0) if self._best is None else self._best.copy()
        seed, held_seed = (np.array([] if s is None else [s], np.uint64) for s in (self._seed, self._held_seed))
        generator = np.empty(0, np.uint8) if self._generator_state is None else self._generator_state.copy()
        return {
            "method": np.array(self.settings.method),
            **state.arrays(),
            "counts": np.array([*self._counts(), self._best_epoch, self._waited]),
            "seed": seed, "held_seed": held_seed, "generator": generator,
            "best": best, "best_loss": np.array(self._best_loss),
            "losses": np.array(self.losses), "held_out": np.array(self.held_out),
        }  # fmt: skip

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what ``state_dict`` was taken of; a torch.Generator of the next run is set back as well.

        Raises OptionError for the state of another method, or one that is not whole.
        """
        loaded = checked(state, self.settings)
        self._loaded, self._state = loaded, None
        self._seed, self._held_seed = (int(loaded[s][0]) if len(loaded[s]) else None for s in ("seed", "held_seed"))
        self._generator_state = loaded["generator"].astype(np.uint8) if len(loaded["generator"]) else None
        self._restore_generator = self._generator_state is not None
        self._best = loaded["best"].copy() if len(loaded["best"]) else None
        self._best_loss = float(loaded["best_loss"])
        self._best_epoch, self._waited = (int(count) for count in loaded["counts"][3:])
        self.losses, self.held_out = loaded["losses"].tolist(), loaded["held_out"].tolist()

    def _counts(self) -> tuple[int, int, int]:
        """Averaged steps, steps, epochs."""
        if self._state is not None:
            return self._state.averaged, self._state.steps, self._state.epochs
        averaged, steps, epochs = (0, 0, 0) if self._loaded is None else self._loaded["counts"][:3]
        return int(averaged), int(steps), int(epochs)

    def _prepare(self, rows: Rows) -> State:
        """The state, made at the first rows or from what was loaded, in their type and place."""
        p = rows.shape[1]
        state = self._state
        if state is not None and not _fits(state, rows):
            self._loaded, state = self.state_dict(), None
        if state is None:
            begin = np.append(np.zeros(p) if self._coef is None else self._coef, self._intercept)
            state = make_state(self.settings, rows, begin, self._loaded or {})
        if len(state.theta) != p + 1:
            raise DataError(
                f"X has {p} columns, and there are {len(state.theta) - 1} coefficients: give the columns that they "
                "belong to"
            )
        if not finite(state):
            refuse_not_finite(rows.block().columns, rows.at)
            raise OptionError("the coefficients to begin with are not finite numbers: give finite ones")
        self._state, self._loaded = state, None
        return state

    def _seed_from(self, generator: Any) -> None:
        if isinstance(generator, np.random.Generator):
            if self._seed is None:
                self._seed = int(generator.integers(2**63))
        elif _is_torch_generator(generator):
            if self._restore_generator and self._generator_state is not None:
                generator.set_state(sys.modules["torch"].as_tensor(self._generator_state))
            self._restore_generator = False
        elif generator is not None:
            if not isinstance(generator, Integral) or isinstance(generator, bool) or not 0 <= int(generator) < 2**63:
                raise OptionError(
                    f"generator is {generator!r}: give a seed (a whole number from 0 on), a numpy.random.Generator or "
                    "a torch.Generator"
                )
            self._seed = int(generator)
        elif self._seed is None:
            self._seed = 0

    def _split(self, n: int, share: float, generator: Any) -> tuple[Array | None, Array | None]:
        """The rows to train on (None: all) and those held out (None: none), the same ones at every call."""
        if not share:
            return None, None
        if self._held_seed is None:
            self._held_seed = self._draw(generator)
        count = round(share * n)
        if not 0 < count < n:
            raise OptionError(
                f"held_out is {share:g}, which of {n} rows keeps {count} aside: give a share that leaves rows on both "
                "sides"
            )
        mixed = np.random.default_rng([self._held_seed, 1]).permutation(n)
        return np.sort(mixed[count:]), np.sort(mixed[:count])

    def _draw(self, generator: Any) -> int:
        if not _is_torch_generator(generator):
            assert self._seed is not None
            return self._seed
        torch = sys.modules["torch"]
        return int(torch.randint(2**62, (), generator=generator, device=generator.device))

    def _order(self, rows: Rows, train: Array | None, shuffle: bool, generator: Any) -> Array | slice:
        assert self._state is not None
        if not shuffle:
            return slice(None) if train is None else train
        n = rows.shape[0] if train is None else len(train)
        if _is_torch_generator(generator):
            mixed = sys.modules["torch"].randperm(n, generator=generator, device=generator.device).cpu().numpy()
            self._generator_state = generator.get_state().cpu().numpy().copy()
        else:
            # A generator for each epoch, so that a run resumed at any epoch draws what it would have drawn.
            rng = np.random.default_rng([self._seed or 0, 0, self._state.epochs])
            mixed = rng.permutation(np.arange(n, dtype=np.int32 if n < 2**31 else np.int64))  # half the memory to mix
        return mixed if train is None else train[mixed]

    def _watch(self, rows: Rows, held: Array) -> int:
        """Look at the held-out rows, keep the best coefficients, and give the epochs since."""
        assert self._state is not None
        theta = self._state.answer()
        loss = mean_loss(rows, held, theta[:-1], float(theta[-1]))
        if not math.isfinite(loss):
            refuse_not_finite(rows.block().columns, rows.at)
        self.held_out.append(loss)
        if loss < self._best_loss:
            self._best, self._best_loss, self._best_epoch, self._waited = theta, loss, self._state.epochs, 0
        else:
            self._waited += 1
        return self._waited

    def _forget_best(self) -> None:
        self._best, self._best_loss, self._best_epoch, self._waited = None, math.inf, 0, 0

    def _now(self) -> Floats:
        if self._best is not None:
            return self._best
        if self._state is not None:
            return self._state.answer()
        if self._loaded is not None:
            averaged = int(self._loaded["counts"][0])
            now = np.array(self._loaded["total"] / averaged if averaged else self._loaded["theta"], np.float64)
            return Units(self._loaded["center"], self._loaded["scale"]).given(now) if "scale" in self._loaded else now
        raise OptionError("there are no coefficients yet: call run or partial_fit first")

    def _result(self, rows: Rows, stopped: Stopped, wanted: bool) -> SGDResult:
        coef, intercept, epochs, settings = self.coef.copy(), self.intercept, self.epochs, self.settings
        found = certify(rows, coef, intercept, l2=settings.l2, has_intercept=settings.intercept) if wanted else None
        if stopped is Stopped.DIVERGED:
            sentence = self._too_fast(f"epoch {epochs + 1}") + "; the coefficients are those before that epoch"
        elif stopped is Stopped.EARLY:
            sentence = f"the held-out loss last fell in epoch {self._best_epoch}, whose coefficients these are"
        else:
            sentence = f"all epochs are done ({epochs} in all)"
        if found is not None and stopped is not Stopped.DIVERGED:
            sentence += f"; {distance(found)}"
        return SGDResult(coef, intercept, stopped, found, sentence)

    def _too_fast(self, where: str) -> str:
        cure = "" if self.settings.standardise else ", or standardise=True"
        return (
            f"in {where} the steps led out of the numbers: the rate {self.settings.rate:g} is too large for columns of "
            f"this size; give a tenth of it{cure}"
        )


def distance(found: Certificate) -> str:
    """How far from the exact optimum an answer is, in a sentence."""
    if found.converged:
        return f"the optimum: the exact gradient is {found.gradient_norm:.1e} on standardised columns"
    gap = "" if found.gap is None else f", the objective about {found.gap:.1e} above its least value"
    away = "on the way to infinity: the outcome may be separated" if found.gradient_norm <= TOLERANCE else (
        "a falling rate, averaging or more epochs come nearer, passline.LogisticRegression is exact"
    )  # fmt: skip
    return f"not the optimum: the exact gradient is {found.gradient_norm:.1e} on standardised columns{gap}; {away}"


def _went_well(state: State, loss: float) -> bool:
    return math.isfinite(loss) and finite(state)


def _fits(state: State, rows: Rows) -> bool:
    here = isinstance(state.theta, np.ndarray)
    if here != (rows.xp is np) or state.theta.dtype != rows.dtype:
        return False
    return here or bool(state.theta.device == rows.X.device)


def _is_torch_generator(generator: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(generator, torch.Generator)
