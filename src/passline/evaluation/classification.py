"""What a threshold makes of the rows: the four counts and their ratios, and the rules by which one is chosen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passline.engine.likelihood import mean
from passline.errors import OptionError
from passline.evaluation.discrimination import STEPS, Ranked, rounded

Floats = NDArray[np.float64]

# Shares that rounding alone tells apart are equal.
SAME = 1e-12


@dataclass(frozen=True)
class Confusion:
    """How much is called positive and negative, by what it was; counts where weights are."""

    true_positives: float
    false_positives: float
    true_negatives: float
    false_negatives: float

    def __add__(self, other: Confusion) -> Confusion:
        return Confusion(*(a + b for a, b in zip(self.cells, other.cells, strict=True)))

    @property
    def cells(self) -> tuple[float, float, float, float]:
        """The four of them: TP, FP, TN, FN."""
        return self.true_positives, self.false_positives, self.true_negatives, self.false_negatives

    @property
    def called_positive(self) -> float:
        """How much is called positive."""
        return self.true_positives + self.false_positives

    @property
    def called_negative(self) -> float:
        """How much is called negative."""
        return self.true_negatives + self.false_negatives

    def ratios(self) -> dict[str, float]:
        """The ratios of :func:`ratios`."""
        return {name: float(value[0]) for name, value in ratios(*(np.array([c]) for c in self.cells)).items()}


def ratios(tp: Floats, fp: Floats, tn: Floats, fn: Floats) -> dict[str, Floats]:
    r"""Accuracy, sensitivity (recall), specificity, precision, F1 and Matthews' correlation, for arrays of counts.

    .. math:: F_1 = \frac{2 TP}{2 TP + FP + FN}, \quad MCC = \frac{TP\,TN - FP\,FN}
        {\sqrt{(TP + FP)(TP + FN)(TN + FP)(TN + FN)}}

    NaN where a denominator is zero: nobody called positive has no precision. Source: Matthews (1975), BBA 405.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        # As a product of roots, so that counts of millions do not overflow what is exact.
        scale = np.sqrt(tp + fp) * np.sqrt(tp + fn) * np.sqrt(tn + fp) * np.sqrt(tn + fn)
        return {
            "accuracy": (tp + tn) / (tp + fp + tn + fn),
            "sensitivity": tp / (tp + fn),
            "specificity": tn / (tn + fp),
            "precision": tp / (tp + fp),
            "f1": 2.0 * tp / (2.0 * tp + fp + fn),
            "mcc": (tp * tn - fp * fn) / scale,
        }


def confusion(rows: Ranked, threshold: float) -> Confusion:
    """The counts where a probability of at least ``threshold`` is called positive; one within rounding of it is.

    Nothing is counted where there is no threshold (NaN).
    """
    if math.isnan(threshold):
        return Confusion(0.0, 0.0, 0.0, 0.0)
    first = int(np.searchsorted(rows.score, cut(threshold)))
    tp, fp = float(rows.successes[first:].sum()), float(rows.failures[first:].sum())
    return Confusion(tp, fp, float(rows.failures[:first].sum()), float(rows.successes[:first].sum()))


def cut(threshold: float) -> float:
    """A threshold of the probability on the scale of ranked scores."""
    if threshold <= 0.0:
        return -math.inf
    if not threshold < 1.0:
        return math.inf
    return float(rounded(np.array([math.log(threshold) - math.log1p(-threshold)]))[0])


@dataclass(frozen=True)
class Rule:
    """How the threshold is found: "fixed" at ``value``, by "cost", at a "sensitivity" or "specificity" of at least
    ``value``, or by "youden".

    ``cost``: of a false positive and of a false negative.
    """

    kind: str = "fixed"
    value: float = 0.5
    cost: tuple[float, float] | None = None

    @property
    def chosen(self) -> bool:
        """Whether rows decide on the threshold."""
        return self.kind in ("sensitivity", "specificity", "youden")

    @property
    def words(self) -> str:
        """The rule for a reader."""
        if self.cost is not None:
            return f"by cost, FP / (FP + FN) with FP = {self.cost[0]:g} and FN = {self.cost[1]:g}"
        return {
            "fixed": "as given",
            "youden": "by Youden: the greatest sensitivity + specificity",
        }.get(self.kind, f"by constraint: {self.kind} at least {self.value:g}")

    def threshold(self, rows: Ranked) -> float:
        r"""The threshold on the probability, from which on a row is called positive.

        By cost FP / (FP + FN), whatever the rows (Elkan 2001). By constraint the one that keeps it and is best on the
        other side; by Youden (1950) the maximum of sensitivity + specificity, the lowest of several. These lie halfway
        between two neighbouring probabilities (0 where all are called positive, infinite where nobody can be called
        negative otherwise). NaN where rows decide and one outcome is not there.
        """
        return self.value if not self.chosen else float(self.choose(rows, rows.successes[None], rows.failures[None])[0])

    def choose(self, rows: Ranked, successes: Floats, failures: Floats) -> Floats:
        """The thresholds for several weights (r, k) of the ranked scores: (r,)."""
        none = np.zeros((len(successes), 1))
        won, lost = successes.sum(axis=1), failures.sum(axis=1)
        with np.errstate(invalid="ignore"):
            # With the cut below cell j, for j = 0, ..., k.
            sensitivity = 1.0 - np.concatenate([none, np.cumsum(successes, axis=1)], axis=1) / won[:, None]
            specificity = np.concatenate([none, np.cumsum(failures, axis=1)], axis=1) / lost[:, None]
        at = thresholds(rows)
        possible = ~np.isnan(at)
        if self.kind == "sensitivity":
            kept = possible & (sensitivity >= self.value - SAME)
            j = kept.shape[1] - 1 - np.argmax(kept[:, ::-1], axis=1)
        elif self.kind == "specificity":
            j = np.argmax(possible & (specificity >= self.value - SAME), axis=1)
        else:
            total = np.where(possible, sensitivity + specificity, -np.inf)
            j = np.argmax(total >= total.max(axis=1, keepdims=True) - SAME, axis=1)
        return np.where((won > 0) & (lost > 0), at[j], np.nan)


def thresholds(rows: Ranked) -> Floats:
    """The threshold below each cell and above the last, (k + 1,); NaN where no double tells two neighbours apart."""
    low, high = mean(rows.score / STEPS), mean(rows.highest / STEPS)
    middle = (high[:-1] + low[1:]) / 2.0
    with np.errstate(divide="ignore"):
        cuts = rounded(np.log(middle) - np.log1p(-middle))
    middle = np.where((cuts > rows.highest[:-1]) & (cuts <= rows.score[1:]), middle, np.nan)
    top = (high[-1] + 1.0) / 2.0
    return np.concatenate([[0.0], middle, [top if high[-1] < top else math.inf]])


def curve(rows: Ranked) -> dict[str, Floats]:
    """What every threshold gives, from 0 up: threshold, the four counts, their ratios; (k + 1,) each or less."""
    none = np.zeros(1)
    fn = np.concatenate([none, np.cumsum(rows.successes)])
    tn = np.concatenate([none, np.cumsum(rows.failures)])
    at = thresholds(rows)
    there = ~np.isnan(at)
    tp, fp, tn, fn = (v[there] for v in (fn[-1] - fn, tn[-1] - tn, tn, fn))
    counts = {"true_positives": tp, "false_positives": fp, "true_negatives": tn, "false_negatives": fn}
    return {"threshold": at[there], **counts, **ratios(tp, fp, tn, fn)}


def make_rule(
    threshold: float | str | None,
    cost: tuple[float, float] | None,
    sensitivity: float | None,
    specificity: float | None,
) -> Rule:
    """The rule that is asked for; 0.5 where none is. Raises OptionError for two of them, and values out of range."""
    given = {"threshold": threshold, "cost": cost, "sensitivity": sensitivity, "specificity": specificity}
    asked = [name for name, value in given.items() if value is not None]
    if len(asked) > 1:
        raise OptionError(f"{' and '.join(asked)} exclude each other: each of them decides on the threshold")
    if cost is not None:
        return _by_cost(cost)
    for name, value in (("sensitivity", sensitivity), ("specificity", specificity)):
        if value is not None:
            return Rule(name, _share(name, value))
    if isinstance(threshold, str):
        if threshold != "youden":
            raise OptionError(f"threshold is {threshold!r}: give a probability, or 'youden'")
        return Rule("youden")
    return Rule("fixed", 0.5 if threshold is None else _share("threshold", threshold))


def _share(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0.0 <= float(value) <= 1.0:
        raise OptionError(f"{name} is {value!r}: give a number from 0 to 1")
    return float(value)


def _by_cost(cost: object) -> Rule:
    try:
        fp, fn = (float(value) for value in cost)  # type: ignore[attr-defined]  # what does not iterate is refused
    except (TypeError, ValueError):
        fp = fn = math.nan
    if not (math.isfinite(fp) and math.isfinite(fn) and fp > 0 and fn > 0):
        raise OptionError(
            f"cost is {cost!r}: give two positive numbers, what a false positive costs and what a false negative "
            "costs: (1, 5), or on the command line 1:5"
        )
    return Rule("cost", 1.0 / (1.0 + fn / fp), (fp, fn))
