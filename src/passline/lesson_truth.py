"""What is really so in the lesson: whether its points are separated, where a descent heads, and how to say it."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from passline.errors import DataError, OneClassError

if TYPE_CHECKING:
    from passline.lesson import Lesson

PLAIN = ("sgd", "momentum", "nesterov")  # every parameter steps by the same rate; the others scale each by itself
LARGEST_HOURS = 1e30  # the lesson computes in 32-bit numbers, which end at 3e38
MOST_LISTED = 5  # more students than this are counted, not listed


def explain(lesson: Lesson) -> str:
    """Say in plain words what the lesson reads off, and what is really so; every figure comes from the lesson."""
    if not all(map(math.isfinite, (lesson.losses[-1], lesson.weight, lesson.bias))):
        return (
            f"The learning rate {lesson.learning_rate:g} is too large: a step leapt beyond all numbers, "
            "and nothing was learned. Try 0.01."
        )
    sections = (("What the lesson reads off", _readings(lesson)), ("What is really so", _truths(lesson)))
    return "\n\n".join("\n".join([title, *map(_wrapped, facts)]) for title, facts in sections)


def as_json(lesson: Lesson) -> dict[str, object]:
    """Give the lesson as JSON can hold it, null for what is no number; `limit_boundary` is plain descent's on bce."""
    kind, low, high = separation(lesson.hours, lesson.passed)
    jeffreys = firth_line(lesson.hours, lesson.passed)
    return {
        "losses": [_finite(loss) for loss in lesson.losses],
        "weight": _finite(lesson.weight),
        "bias": _finite(lesson.bias),
        "boundary": _finite(lesson.boundary),
        "probabilities": {hours: _finite(p) for hours, p in lesson.probabilities.items()},
        "separation": kind,
        "limit_boundary": limit_boundary(low, high) if kind == "complete" else _finite(low),
        "firth": None if jeffreys is None else {"weight": jeffreys[0], "bias": jeffreys[1], "boundary": jeffreys[2]},
        "settings": {
            "epochs": lesson.epochs,
            "lr": lesson.learning_rate,
            "seed": lesson.seed,
            "reduction": lesson.reduction,
            "loss": lesson.loss,
            "optimizer": lesson.optimizer,
        },
    }


def checked_points(hours: Sequence[float], passed: Sequence[float]) -> tuple[list[float], list[float]]:
    """Give the points as numbers that a curve can be learned from; raise DataError or OneClassError otherwise."""
    try:
        xs, ys = [float(x) for x in hours], [float(y) for y in passed]
    except (TypeError, ValueError) as error:
        raise DataError(f"hours and passed must be numbers: {error}.") from error
    if len(xs) != len(ys):
        raise DataError(f"there are {len(xs)} hours and {len(ys)} outcomes: give one outcome for each.")
    if not all(abs(x) <= LARGEST_HOURS for x in xs) or not set(ys) <= {0.0, 1.0}:
        raise DataError("hours must be finite, and passed 0 or 1.")
    if len(set(ys)) < 2:
        raise OneClassError("all students have the same outcome: nothing tells who passes. Give at least one of each.")
    return xs, ys


def separation(hours: Sequence[float], passed: Sequence[float]) -> tuple[str, float, float]:
    """Whether one cut of the hours parts the outcomes: "complete", "quasi" (both at the cut) or "none"; and its gap.

    The gap is (low, high), low <= high; (nan, nan) for "none".
    """
    failing = [x for x, y in zip(hours, passed, strict=True) if y == 0]
    passing = [x for x, y in zip(hours, passed, strict=True) if y == 1]
    for below, above in ((failing, passing), (passing, failing)):
        low, high = max(below), min(above)
        if low < high:
            return "complete", low, high
        if low == high and min(below) < max(above):
            return "quasi", low, high
    return "none", math.nan, math.nan


def limit_boundary(low: float, high: float) -> float:
    """Where plain descent on the cross-entropy ends: the line of least w^2 + b^2 with margin 1 on both sides.

    That is the middle of the gap unless one side alone decides: with w high + b >= 1 and w low + b <= -1, the
    least solution for one side (x, 1) / (x^2 + 1) crosses zero at -1/x, and holds where it keeps the other too.
    Source: Soudry et al., The implicit bias of gradient descent on separable data, JMLR 19 (2018).
    """
    for x in (low, high):
        if low * high <= -(x * x + 2):
            return -1 / x
    return low + (high - low) / 2


def firth_line(hours: Sequence[float], passed: Sequence[float]) -> tuple[float, float, float | None] | None:
    """Weight, bias and boundary under Jeffreys' prior; None where all hours are alike, a None boundary where flat.

    Source: Firth, Bias reduction of maximum likelihood estimates, Biometrika 80 (1993).
    """
    import numpy as np  # what no epoch needs is imported when the epochs are over

    from passline.engine.blocks import Block, Blocks
    from passline.engine.scaling import assemble
    from passline.solvers.firth import firth
    from passline.table.design import NumericColumns

    if len(set(hours)) < 2:
        return None
    x, y = np.array(hours, dtype=np.float64), np.array(passed, dtype=np.float64)
    columns, scaling = assemble([NumericColumns(x)], 2, len(x), True, None)
    found = firth(Blocks(Block(columns, y)), scaling)
    bias, weight = found.coef.tolist()
    if not (found.solution.converged and math.isfinite(weight)):
        return None
    return weight, bias, _finite(-bias / weight) if weight else None


def label(hours: float) -> str:
    """Give the hours as a key: "1" for 1.0, "2.25" for 2.25."""
    return repr(hours).removesuffix(".0")


def _readings(lesson: Lesson) -> list[str]:
    facts = []
    for hours, p in lesson.probabilities.items() if len(lesson.hours) <= MOST_LISTED else ():
        verdict = "passes" if p > 0.5 else "fails" if p < 0.5 else "may do either"
        facts.append(
            f"{hours} {'hour' if hours == '1' else 'hours'}: {verdict}; the probability of passing is {p:.4f}."
        )
    if lesson.boundary is None:
        facts.append("The curve is flat: it meets 0.5 nowhere.")
    else:
        side = "from there on one passes" if lesson.weight > 0 else "it falls, so one passes up to there"
        facts.append(f"The curve meets 0.5 at {lesson.boundary:.4g} hours: {side}.")
    right = sum(
        (lesson.probabilities[label(x)] > 0.5) if y == 1 else (lesson.probabilities[label(x)] < 0.5)
        for x, y in zip(lesson.hours, lesson.passed, strict=True)
    )
    if right < len(lesson.hours):
        facts.append(f"Only {right} of {len(lesson.hours)} students are on their side of it.")
    return facts


def _truths(lesson: Lesson) -> list[str]:
    facts = []
    if lesson.losses[-1] > lesson.losses[0]:
        facts.append(
            f"The loss rose from {lesson.losses[0]:.4g} to {lesson.losses[-1]:.4g}: the learning rate "
            f"{lesson.learning_rate:g} is too large. Try a tenth of it."
        )
    kind, low, high = separation(lesson.hours, lesson.passed)
    if kind == "none":
        return [*facts, "The outcomes overlap: no number of hours parts those who passed from those who failed."]
    apart = f"completely separated: nothing lies between {low:g} and {high:g} hours"
    facts.append(
        f"The points are {apart if low < high else f'quasi-separated: both outcomes meet only at {low:g} hours'}."
    )
    facts.append(
        f"So no weight is the best (now it is {lesson.weight:.4g}): every steeper curve there has a smaller loss."
    )
    calm = lesson.losses[-1] <= min(lesson.losses) and lesson.losses[-1] < lesson.losses[0]
    if calm and lesson.optimizer in PLAIN and lesson.loss == "bce":
        where = limit_boundary(low, high) if low < high else low
        grow = "grow" if lesson.passed[lesson.hours.index(max(lesson.hours))] == 1 else "fall"
        middle = "here the middle of the gap" if where == (low + high) / 2 else "not the middle of the gap"
        least = f": the line of the least weight and bias together, {middle}" if low < high else ""
        facts.append(
            f"With more epochs the weight would {grow} for ever, and {where:.4g} hours is where this descent is "
            f"heading, ever more slowly{least}."
        )
    if low < high:
        facts.append(f"Every line between {low:g} and {high:g} hours would do as well: the points cannot choose.")
    jeffreys = firth_line(lesson.hours, lesson.passed)
    if jeffreys is not None and jeffreys[2] is not None:
        facts.append(
            f"One answer is finite: under Jeffreys' prior (Firth's method) the weight is {jeffreys[0]:.6g}, the bias "
            f"{jeffreys[1]:.6g}, and the curve meets 0.5 at {jeffreys[2]:.5g} hours."
        )
    facts.append("Where it stops is a matter of the epochs, the rate, sum or mean, the loss and the optimizer.")
    return facts


def _wrapped(fact: str) -> str:
    return textwrap.fill(fact, width=98, initial_indent="  ", subsequent_indent="    ")


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None
