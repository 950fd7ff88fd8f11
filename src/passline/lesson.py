"""The lesson, to be read from top to bottom: from how many hours on does one pass? Plain PyTorch, three points."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING

from passline.errors import MissingDependencyError, OptionError
from passline.lesson_truth import as_json, checked_points, explain, label
from passline.output import whole_file

try:
    import torch
except ImportError as error:
    raise MissingDependencyError("the lesson needs PyTorch. Install it with: pip install 'passline[lesson]'") from error

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Lesson", "PassModel", "as_json", "draw", "explain", "run", "train"]

# The data: three students, the hours that each revised, and whether each passed (1) or failed (0).
HOURS = (1.0, 2.0, 3.0)
PASSED = (0.0, 0.0, 1.0)


class PassModel(torch.nn.Module):
    """Probability of passing = sigmoid(weight * hours + bias); takes and gives a tensor of shape (n, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(1, 1)  # one number in, one number out: a weight and a bias

    def forward(self, hours: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.linear(hours))  # squeezed from the whole line into (0, 1)


# The loss: how wrong the probabilities are. bce is -(y log p + (1 - y) log(1 - p)); mse is (p - y)^2.
LOSSES: dict[str, Callable[..., torch.nn.Module]] = {"bce": torch.nn.BCELoss, "mse": torch.nn.MSELoss}
REDUCTIONS = ("sum", "mean")  # over the students

# The optimizer: how the parameters move once their gradients are known. sgd is w <- w - rate * dloss/dw.
OPTIMIZERS: dict[str, Callable[[Iterable[torch.nn.Parameter], float], torch.optim.Optimizer]] = {
    "sgd": lambda parameters, rate: torch.optim.SGD(parameters, lr=rate),
    "momentum": lambda parameters, rate: torch.optim.SGD(parameters, lr=rate, momentum=0.9),
    "nesterov": lambda parameters, rate: torch.optim.SGD(parameters, lr=rate, momentum=0.9, nesterov=True),
    "adam": lambda parameters, rate: torch.optim.Adam(parameters, lr=rate),
    "adamw": lambda parameters, rate: torch.optim.AdamW(parameters, lr=rate),
    "rmsprop": lambda parameters, rate: torch.optim.RMSprop(parameters, lr=rate),
    "adagrad": lambda parameters, rate: torch.optim.Adagrad(parameters, lr=rate),
}
WINDOWLESS = {"agg", "cairo", "pdf", "pgf", "ps", "svg", "template"}  # matplotlib's ways of drawing without a screen
NO_SCREEN = "show: there is no screen for a window. Ask for a file instead: --plot lesson.png"
LARGEST_RATE = 1e30  # the optimizers multiply it in 32-bit numbers, which end at 3e38


@dataclass(frozen=True)
class Lesson:
    """What was learned: one loss an epoch (before its step), the line, where it meets 0.5, and the settings."""

    losses: list[float]
    weight: float
    bias: float
    boundary: float | None  # hours; None where the line is flat or no longer a number
    probabilities: dict[str, float]  # by hours, "1" for 1.0
    hours: list[float]
    passed: list[float]
    epochs: int
    learning_rate: float
    seed: int
    reduction: str
    loss: str
    optimizer: str


def train(
    hours: Sequence[float] = HOURS,
    passed: Sequence[float] = PASSED,
    *,
    epochs: int = 1000,
    learning_rate: float = 0.01,
    seed: int = 0,
    reduction: str = "sum",
    loss: str = "bce",
    optimizer: str = "sgd",
    every: int = 100,
    report: Callable[[str], object] | None = None,
) -> Lesson:
    """Descend on the loss, and give the losses and the line; `report` gets a line of text every so many epochs.

    Raises OptionError for a setting outside its range, DataError or OneClassError for points it cannot learn from.
    """
    _check_whole("epochs", epochs, least=1)
    _check_whole("every", every, least=0)
    _check_whole("seed", seed, least=0)
    _check_word("reduction", reduction, REDUCTIONS)
    _check_word("loss", loss, LOSSES)
    _check_word("optimizer", optimizer, OPTIMIZERS)
    if not isinstance(learning_rate, (int, float)) or not 0 < learning_rate <= LARGEST_RATE:  # NaN is not above 0
        raise OptionError(f"lr, the learning rate, is {learning_rate!r}: give a number above 0, such as 0.01.")
    hours, passed = checked_points(hours, passed)
    x = torch.tensor(hours).reshape(-1, 1)  # (n, 1): a row for each student, a column for the hours
    y = torch.tensor(passed).reshape(-1, 1)  # (n, 1)

    with torch.random.fork_rng(devices=[]):  # leaves the caller's random numbers as they were
        torch.manual_seed(seed)
        model = PassModel()  # begins with random parameters
    criterion = LOSSES[loss](reduction=reduction)
    stepper = OPTIMIZERS[optimizer](model.parameters(), learning_rate)

    losses: list[float] = []
    for epoch in range(1, epochs + 1):
        predicted = model(x)  # 1. predict
        if not predicted.isfinite().all():  # the last step leapt beyond the numbers: nothing is left to descend
            losses.extend([math.nan] * (epochs - len(losses)))
            break
        cost = criterion(predicted, y)  # 2. how wrong is that?
        losses.append(cost.item())
        if report and every and (epoch % every == 0 or epoch == epochs):
            report(f"epoch {epoch:>{len(str(epochs))}}  loss {losses[-1]:.4f}")
        stepper.zero_grad()  # 3. forget the last epoch's gradients, which would add up
        cost.backward()  # 4. the gradient of the loss by each parameter
        stepper.step()  # 5. move each parameter a little against its gradient

    # Read off: the curve meets 0.5 where weight * hours + bias = 0.
    weight, bias = model.linear.weight.item(), model.linear.bias.item()
    boundary = -bias / weight if weight != 0 and math.isfinite(weight) and math.isfinite(bias) else None
    with torch.no_grad():
        probabilities = dict(zip(map(label, hours), model(x).flatten().tolist(), strict=True))
    return Lesson(
        losses, weight, bias, boundary, probabilities, hours, passed,
        epochs, learning_rate, seed, reduction, loss, optimizer,
    )  # fmt: skip


def draw(lesson: Lesson, path: str | Path | None = None, show: bool = False) -> Figure:
    """Draw the curve over 0 to 10 hours and the line at 0.5, into a file and a window if asked (else OptionError)."""
    target = _prepare_picture(path, show)
    from matplotlib import pyplot
    from matplotlib.figure import Figure

    new_figure = pyplot.figure if show else Figure  # pyplot's has a window to itself
    try:
        figure = new_figure(figsize=(8, 5), layout="constrained")
    except ImportError as error:  # a window was asked for by name (MPLBACKEND), and there is no screen
        raise OptionError(NO_SCREEN) from error
    axes = figure.add_subplot()

    first, last = min(0.0, *lesson.hours), max(10.0, *lesson.hours)
    hours = torch.linspace(first, last, 200)
    curve = torch.sigmoid(lesson.weight * hours + lesson.bias)
    axes.plot(hours.tolist(), curve.tolist(), color="#1d4e79", linewidth=2.5)
    axes.axhline(0.5, color="red", linewidth=1.2)
    for outcome, name, fill in ((0, "failed", "white"), (1, "passed", "#1d4e79")):
        at = [h for h, y in zip(lesson.hours, lesson.passed, strict=True) if y == outcome]
        axes.plot(at, [outcome] * len(at), "o", markersize=9, color="#1d4e79", markerfacecolor=fill, label=name)
    if lesson.boundary is not None and first <= lesson.boundary <= last:
        axes.plot([lesson.boundary] * 2, [0, 0.5], "o:", color="red", linewidth=1.2, markersize=6, markevery=[1])
        where = (lesson.boundary, 0.5)
        axes.annotate(f"0.5 at {where[0]:.2f} hours", where, (10, -16), textcoords="offset points", color="#a00000")
    axes.set(xlabel="Hours", ylabel="Probability of Pass", xlim=(first, last), ylim=(-0.05, 1.05))
    axes.set_title(f"After {lesson.epochs} epochs of {lesson.optimizer}", loc="left")
    axes.grid(alpha=0.35)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 0.08), frameon=False)

    if target:
        _write_picture(figure, target)
    if show:
        pyplot.show()
    return figure


def run(
    *,
    epochs: int = 1000,
    lr: float = 0.01,
    seed: int = 0,
    reduction: str = "sum",
    loss: str = "bce",
    optimizer: str = "sgd",
    every: int = 100,
    plot: str | Path | None = None,
    show: bool = False,
    json: bool = False,
) -> None:
    """Do the whole lesson and print it; with `json` one JSON document and nothing else."""
    if plot is not None or show:
        _prepare_picture(plot, show)  # a wrong path should not be found out at the end
    lesson = train(
        epochs=epochs, learning_rate=lr, seed=seed, reduction=reduction, loss=loss, optimizer=optimizer, every=every,
        report=None if json else print,
    )  # fmt: skip
    print(dumps(as_json(lesson), allow_nan=False) if json else "\n" * (every > 0) + explain(lesson))
    if plot is not None or show:
        draw(lesson, plot, show)
    if plot is not None and not json:
        print(f"\nThe picture is in {plot}")


def _check_whole(name: str, number: int, least: int) -> None:
    if not isinstance(number, int) or isinstance(number, bool) or not least <= number < 2**63:
        raise OptionError(f"{name} is {number!r}: give a whole number, {least} or more (and below 2^63).")


def _check_word(name: str, word: str, choices: Iterable[str]) -> None:
    if word not in choices:
        raise OptionError(f"{name} is {word!r}, which is unknown: choose one of {', '.join(choices)}.")


def _prepare_picture(path: str | Path | None, show: bool) -> Path | None:
    """Give the file to write, once all that can go wrong without drawing was tried."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise MissingDependencyError("pictures need matplotlib. Install: pip install 'passline[lesson]'") from error
    if show and pyplot.get_backend().lower() in WINDOWLESS:
        raise OptionError(NO_SCREEN)
    if path is None:
        return None
    target = Path(path)
    if target.suffix.lower() not in {".png", ".svg", ".pdf"}:
        raise OptionError(f"plot: {target} does not say what to write. End the name in .png, .svg or .pdf.")
    if target.is_dir() or not target.parent.is_dir():
        wrong = f"{target} is a folder" if target.is_dir() else f"there is no folder {target.parent}"
        raise OptionError(f"plot: {wrong}. Name a file in a folder that exists.")
    return target


def _write_picture(figure: Figure, target: Path) -> None:
    """All or nothing: a reader of the file never meets half a picture."""
    with whole_file(target) as draft:
        figure.savefig(draft, format=target.suffix[1:].lower(), dpi=150)
