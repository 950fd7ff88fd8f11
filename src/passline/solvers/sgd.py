"""Stochastic gradient descent: the lesson's method for real sizes, with a certificate at its end."""

from __future__ import annotations

import enum
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from passline.engine.arrays import blame, make_rows
from passline.engine.batches import Rows
from passline.engine.value import Array
from passline.errors import DataError, NotConvergedError, OptionError
from passline.solvers.base import Floats
from passline.solvers.exact import Certificate, certify, mean_loss
from passline.solvers.schedules import positive, whole
from passline.solvers.stepping import Method, State, StepSettings, descend, finite, make_rule, make_state

# What the default solver calls converged: the largest entry of the exact gradient, columns standardised.
TOLERANCE = 1e-8


@dataclass(frozen=True)
class SGDSettings(StepSettings):
    """How to descend: every number of it; raises OptionError for one outside its range.

    ``method``: "sgd", "momentum" (mu = ``momentum``), "nesterov", "adam" (``betas``, ``eps``). ``rate``: the learning
    rate, times the ``schedule``'s factor. ``l2``: ridge per row, l2/2 |w|^2, the intercept left out.
    ``average_from``: from the end of this many epochs on, the answer is the mean of the coefficients after each step
    (Polyak and Ruppert; partial_fit averages from the start with 0); None: the last ones. ``intercept``: False for
    none.
    """

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise OptionError(f"method is {self.method!r}: choose one of {', '.join(get_args(Method))}.")
        positive("rate", self.rate, "such as 0.01")
        positive("eps", self.eps, "such as 1e-8")
        shares = {"momentum": self.momentum, **dict(zip(("betas[0]", "betas[1]"), self.betas, strict=True))}
        for name, share in shares.items():
            if not 0 <= share < 1:
                raise OptionError(f"{name} is {share!r}: give a number from 0 up to, and not including, 1.")
        if not 0 <= self.l2 < math.inf:
            raise OptionError(f"the penalty l2 is {self.l2!r}: give a number that is zero or positive.")
        if self.average_from is not None:
            whole("average_from", self.average_from, 0)


class Stopped(enum.Enum):
    """Why a run ended; none of them says that the optimum was reached, which the certificate does."""

    EPOCHS = "all epochs done"
    EARLY = "held-out loss no longer falls"
    DIVERGED = "loss no longer a number"


@dataclass(frozen=True)
class SGDResult:
    """Where a run ended, on the columns as given: ``coef`` (p,), ``intercept``, and the ``certificate`` there.

    ``losses``: the mean loss of each epoch so far (penalty left out), each row's taken just before the step that used
    it; ``held_out``: that of the rows held out, after each epoch. ``sentence`` says how it ended and what to do.
    """

    coef: Floats
    intercept: float
    losses: list[float]
    held_out: list[float]
    epochs: int
    steps: int
    stopped: Stopped
    certificate: Certificate | None
    sentence: str

    @property
    def converged(self) -> bool:
        """Whether the exact gradient vanishes, as the default solver means it."""
        return self.certificate is not None and self.certificate.gradient_norm <= TOLERANCE


class SGD:
    """A descent that can be run, run on, fed batch by batch, saved and resumed.

    ``coef`` (p,) and ``intercept``: where to begin (zeros). ``run`` after ``run`` continues, so run(3) and run(2) are
    run(5); so does a ``run`` or ``partial_fit`` after ``load_state_dict``, bit for bit.
    """

    def __init__(self, settings: SGDSettings | None = None, coef: Any = None, intercept: float = 0.0) -> None:
        self.settings = settings or SGDSettings()
        self._begin = None if coef is None else np.append(np.asarray(coef, np.float64).ravel(), float(intercept))
        self._state: State | None = None
        self._loaded: dict[str, Array] | None = None
        self._seed: int | None = None
        self._generator_state: Array | None = None  # of a torch.Generator, after the last epoch
        self._restore_generator = False
        self._held_seed: int | None = None
        self._best: Floats | None = None
        self._best_loss, self._best_epoch, self._waited = math.inf, 0, 0
        self._losses: list[float] = []
        self._held_out: list[float] = []

    def run(
        self,
        X: Any,
        y: Any,
        weight: Any = None,
        offset: Any = None,
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

        X (n, p), y, weight and offset as in ``make_rows`` (which also names the errors); the last batch may be short.
        ``shuffle``: one permutation an epoch from ``generator``: a seed, a NumPy Generator (asked for a seed once) or
        a torch.Generator (torch.randperm). ``held_out``: the share of rows kept aside; once their loss has not fallen
        for ``patience`` epochs the run ends, and the answer is the best epoch's. ``certificate``: whether to walk all
        rows once more for the exact gradient. ``report`` gets the epoch and its loss.
        """
        whole("epochs", epochs)
        whole("batch_size", batch_size)
        whole("patience", patience)
        if not 0 <= held_out < 1:
            raise OptionError(f"held_out is {held_out!r}: give the share of rows to keep aside, from 0 to below 1.")
        rows, chosen = make_rows(X, y, weight, offset)
        state = self._prepare(rows)
        self._seed_from(generator)
        train, held = self._split(rows.shape[0], chosen, held_out, generator)
        size = min(batch_size, rows.shape[0] if train is None else len(train))
        self._waited = 0 if self._waited >= patience else self._waited  # asked to go on, so go on
        stopped = Stopped.EPOCHS
        for _ in range(epochs):
            order = self._order(rows, train, shuffle, generator)
            kept = state.keep()
            loss = descend(state, self.settings, rows, order, size)
            if not _went_well(state, loss):
                state.restore(kept)
                blame(rows)
                stopped = Stopped.DIVERGED
                break
            state.epochs += 1
            self._losses.append(loss)
            if report is not None:
                report(state.epochs, loss)
            if held is not None and self._watch(rows, held) >= patience:
                stopped = Stopped.EARLY
                break
        return self._result(rows, stopped, certificate, held is not None)

    def partial_fit(self, X: Any, y: Any, weight: Any = None, offset: Any = None) -> float:
        """Take one step on these rows, and give their mean loss before it.

        Weights count relative to the batch's own mean. Raises as ``run`` does, except that one class will do; and
        NotConvergedError, nothing changed, where the step leads out of the numbers.
        """
        rows, chosen = make_rows(X, y, weight, offset, both_classes=False)
        state = self._prepare(rows)
        kept = state.keep()
        loss = descend(state, self.settings, rows, slice(None) if chosen is None else rows.index(chosen), rows.shape[0])
        if not _went_well(state, loss):
            state.restore(kept)
            blame(rows)
            raise NotConvergedError(self._too_fast(f"step {state.steps + 1}"))
        return loss

    @property
    def coef(self) -> Floats:
        """The coefficients now (p,): the average where one has begun."""
        return self._now()[:-1]

    @property
    def intercept(self) -> float:
        """The intercept now."""
        return float(self._now()[-1])

    def state_dict(self) -> dict[str, Array]:
        """All that the next step depends on, as NumPy arrays by name: what ``load_state_dict`` takes."""
        if self._state is None:
            if self._loaded is not None:
                return dict(self._loaded)
            raise OptionError("there is no state yet: call run or partial_fit first.")
        state = self._state
        best = np.empty(0) if self._best is None else self._best.copy()
        seed, held_seed = (np.array([] if s is None else [s], np.uint64) for s in (self._seed, self._held_seed))
        generator = np.empty(0, np.uint8) if self._generator_state is None else self._generator_state.copy()
        return {
            "method": np.array(self.settings.method),
            **state.arrays(),
            "counts": np.array([state.averaged, state.steps, state.epochs, self._best_epoch, self._waited]),
            "seed": seed, "held_seed": held_seed, "generator": generator,
            "best": best, "best_loss": np.array(self._best_loss),
            "losses": np.array(self._losses), "held_out": np.array(self._held_out),
        }  # fmt: skip

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what ``state_dict`` was taken of; a torch.Generator of the next run is set back as well.

        Raises OptionError for the state of another method, or one that is not whole.
        """
        loaded = {name: np.array(values) for name, values in state.items()}
        missing = {"method", "theta", "total", "counts", "seed", "held_seed", "generator", "best"} - set(loaded)
        missing |= {"best_loss", "losses", "held_out"} - set(loaded)
        if not missing:
            method = str(loaded["method"])
            if method != self.settings.method:
                raise OptionError(
                    f"the state is of method {method!r}, and the settings say {self.settings.method!r}: give the "
                    "settings that the state was made with."
                )
            missing = set(make_rule(self.settings, np, np.zeros(1)).vectors) - set(loaded)
        if missing:
            raise OptionError(f"the state lacks {', '.join(sorted(missing))}: give what state_dict() gave.")
        self._loaded, self._state = loaded, None
        self._seed, self._held_seed = (int(loaded[s][0]) if len(loaded[s]) else None for s in ("seed", "held_seed"))
        self._generator_state = loaded["generator"].astype(np.uint8) if len(loaded["generator"]) else None
        self._restore_generator = self._generator_state is not None
        self._best = loaded["best"].copy() if len(loaded["best"]) else None
        self._best_loss = float(loaded["best_loss"])
        self._best_epoch, self._waited = (int(count) for count in loaded["counts"][3:])
        self._losses, self._held_out = loaded["losses"].tolist(), loaded["held_out"].tolist()

    def _prepare(self, rows: Rows) -> State:
        """The state, made at the first rows or from what was loaded, in their type and place."""
        p = rows.shape[1]
        state = self._state
        if state is not None and not _fits(state, rows):
            self._loaded, state = self.state_dict(), None
        if state is None:
            saved = self._loaded or {}
            begin = np.zeros(p + 1) if self._begin is None else self._begin
            state = make_state(self.settings, rows, begin, saved)
        if len(state.theta) != p + 1:
            raise DataError(
                f"X has {p} columns, and there are {len(state.theta) - 1} coefficients: give the columns that they "
                "belong to."
            )
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
            if (
                not isinstance(generator, (int, np.integer))
                or isinstance(generator, bool)
                or not 0 <= generator < 2**63
            ):
                raise OptionError(
                    f"generator is {generator!r}: give a seed (a whole number from 0 on), a numpy.random.Generator or "
                    "a torch.Generator."
                )
            self._seed = int(generator)
        elif self._seed is None:
            self._seed = 0

    def _split(self, n: int, chosen: Array | None, share: float, generator: Any) -> tuple[Array | None, Array | None]:
        """The rows to train on (None: all) and those held out (None: none), the same ones at every call."""
        if not share:
            return chosen, None
        if self._held_seed is None:
            self._held_seed = self._draw(generator)
        used = np.arange(n) if chosen is None else chosen
        count = round(share * len(used))
        if not 0 < count < len(used):
            raise OptionError(
                f"held_out is {share:g}, which of {len(used)} rows keeps {count} aside: give a share that leaves rows "
                "on both sides."
            )
        mixed = np.random.default_rng([self._held_seed, 1]).permutation(len(used))
        return used[np.sort(mixed[count:])], used[np.sort(mixed[:count])]

    def _draw(self, generator: Any) -> int:
        if not _is_torch_generator(generator):
            assert self._seed is not None
            return self._seed
        torch = sys.modules["torch"]
        return int(torch.randint(2**62, (), generator=generator, device=generator.device))

    def _order(self, rows: Rows, train: Array | None, shuffle: bool, generator: Any) -> Array | slice:
        assert self._state is not None
        if not shuffle:
            return slice(None) if train is None else rows.index(train)
        n = rows.shape[0] if train is None else len(train)
        if _is_torch_generator(generator):
            mixed = sys.modules["torch"].randperm(n, generator=generator, device=generator.device).cpu().numpy()
            self._generator_state = generator.get_state().cpu().numpy().copy()
        else:
            # A generator for each epoch, so that a run resumed at any epoch draws what it would have drawn.
            rng = np.random.default_rng([self._seed or 0, 0, self._state.epochs])
            mixed = rng.permutation(np.arange(n, dtype=np.int32 if n < 2**31 else np.int64))  # half the memory to mix
        return rows.index(mixed if train is None else train[mixed])

    def _watch(self, rows: Rows, held: Array) -> int:
        """Look at the held-out rows, keep the best coefficients, and give the epochs since."""
        assert self._state is not None
        theta = self._state.answer()
        loss = mean_loss(rows, held, theta[:-1], float(theta[-1]))
        self._held_out.append(loss)
        if loss < self._best_loss:
            self._best, self._best_loss, self._best_epoch, self._waited = theta, loss, self._state.epochs, 0
        else:
            self._waited += 1
        return self._waited

    def _now(self) -> Floats:
        if self._state is not None:
            return self._state.answer()
        if self._loaded is not None:
            averaged = int(self._loaded["counts"][0])
            now = self._loaded["total"] / averaged if averaged else self._loaded["theta"]
            return np.array(now, np.float64)
        if self._begin is None:
            raise OptionError("there are no coefficients yet: call run or partial_fit first.")
        return np.array(self._begin, np.float64)

    def _result(self, rows: Rows, stopped: Stopped, wanted: bool, watched: bool) -> SGDResult:
        assert self._state is not None
        theta = self._best if watched and self._best is not None else self._state.answer()
        coef, intercept = theta[:-1].copy(), float(theta[-1])
        settings = self.settings
        found = certify(rows, coef, intercept, l2=settings.l2, has_intercept=settings.intercept) if wanted else None
        epochs = self._state.epochs
        if stopped is Stopped.DIVERGED:
            sentence = self._too_fast(f"epoch {epochs + 1}") + " The coefficients are those before that epoch."
        elif stopped is Stopped.EARLY:
            sentence = f"The held-out loss last fell in epoch {self._best_epoch}, whose coefficients these are."
        else:
            sentence = f"All epochs are done ({epochs} in all)."
        if found is not None and stopped is not Stopped.DIVERGED:
            sentence += f" The exact gradient is {found.gradient_norm:.1e} on standardised columns: "
            sentence += "the optimum." if found.gradient_norm <= TOLERANCE else (
                f"not the optimum ({TOLERANCE:g}). A falling rate, averaging or more epochs come nearer; the default "
                "solver is exact."
            )  # fmt: skip
        return SGDResult(
            coef, intercept, list(self._losses), list(self._held_out), epochs, self._state.steps, stopped, found,
            sentence,
        )  # fmt: skip

    def _too_fast(self, where: str) -> str:
        return (
            f"In {where} the steps led out of the numbers: the rate {self.settings.rate:g} is too large for columns of "
            "this size. Give a tenth of it, or standardise the columns."
        )


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
