"""How good a model's probabilities are on some rows: the figures, what kind each is of, and what to know of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from passline.errors import OptionError
from passline.evaluation.classification import Confusion, Rule, curve
from passline.evaluation.discrimination import Ranked, delong, ranked
from passline.evaluation.measures import OF_PROBABILITIES, Measured, Part, measures
from passline.evaluation.remarks import of_refits
from passline.evaluation.resampling import MOST_TRIALS, decision_intervals
from passline.evaluation.scored import Scored
from passline.evaluation.scores import Binning, Bins, losses, mean_interval
from passline.evaluation.validation import Again, Fitting, cross_validated, optimism
from passline.inference.wald import normal_quantile
from passline.table.columns import Native
from passline.table.native import as_native

Figures = Mapping[str, Mapping[str, float]]
# The kinds of figures of a measure: of other rows than those of the fit, and of its own.
ON_OTHER_ROWS = ("value", "conf_low", "conf_high")
ON_OWN_ROWS = ("apparent", "cross_validated", "optimism", "corrected")


@dataclass(frozen=True)
class Decision:
    """What the threshold makes of the rows.

    ``threshold``: a probability of at least this is called positive; ``conf_low``, ``conf_high``: where the rows chose
    it, the bootstrap's interval, else NaN. ``rule``: how it was found. ``cost``: of a false positive and a false
    negative, ``mean_cost`` what a row costs at the threshold, or NaN.
    """

    threshold: float
    conf_low: float
    conf_high: float
    rule: str
    confusion: Confusion
    cost: tuple[float, float] | None = None

    @property
    def mean_cost(self) -> float:
        """What a row costs on average; NaN without costs."""
        if self.cost is None:
            return math.nan
        c = self.confusion
        return (self.cost[0] * c.false_positives + self.cost[1] * c.false_negatives) / sum(c.cells)

    def as_json(self) -> dict[str, Any]:
        """The decision as a document; None where a number does not exist."""
        c = self.confusion
        found = {
            "threshold": _number(self.threshold),
            "conf_low": _number(self.conf_low),
            "conf_high": _number(self.conf_high),
            "rule": self.rule,
            "true_positives": c.true_positives,
            "false_positives": c.false_positives,
            "true_negatives": c.true_negatives,
            "false_negatives": c.false_negatives,
        }
        return found if self.cost is None else found | {"cost": list(self.cost), "mean_cost": _number(self.mean_cost)}


@dataclass(frozen=True)
class Evaluation:
    """How good the probabilities of a model are on some rows.

    ``own_rows``: whether they are those of the fit; then a measure has the figures "apparent" (on the rows that the
    model was fitted to, so it flatters), "cross_validated", "optimism" and "corrected" (apparent - optimism), NaN where
    not asked for; else "value" with "conf_low" and "conf_high". ``measures["auc"]["value"]`` is one of them.
    ``rows``: how many were read, used and left out why; ``trials`` their weight, ``rate`` the share of successes.
    ``bins``: the calibration table; ``binning`` what its bins are. ``order``: the ranked scores in at most 1,000 cells,
    for curves; ``independent``: whether they count single trials (no clusters, no sampling weights).
    ``validation``: how the honest figures were made. ``notes``: what a reader should know.
    """

    formula: str
    outcome: str
    positive: str
    negative: str
    own_rows: bool
    rows: Mapping[str, int]
    trials: float
    rate: float
    measures: Figures
    decision: Decision
    bins: Bins
    order: Ranked
    binning: Binning
    level: float
    validation: Mapping[str, Any]
    notes: tuple[str, ...]
    native: Native = "path"
    independent: bool = True

    def __repr__(self) -> str:
        from passline.show.evaluation import evaluation_text  # rich is not needed to evaluate

        return evaluation_text(self)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The names of the figures of each measure."""
        return ON_OWN_ROWS if self.own_rows else ON_OTHER_ROWS

    def tidy(self) -> Any:
        """One row a measure, its figures beside it; a frame of the library that the fit's data came in."""
        columns: dict[str, list[Any]] = {"measure": list(self.measures)}
        for kind in self.kinds:
            columns[kind] = [figures[kind] for figures in self.measures.values()]
        return as_native(columns, self.native)

    def calibration(self) -> Any:
        """One row a bin: low, high, weight, predicted (mean probability), observed (share of successes); a frame."""
        rows = self.bin_rows()
        return as_native({name: [row[name] for row in rows] for name in rows[0]}, self.native)

    def curve(self) -> Any:
        """One row a threshold, from 0 up, with the four counts and their ratios: ROC, precision-recall, gains; a frame.

        At most 1,001 thresholds, where there are more scores evenly spread over the rows.
        """
        columns = {name: values.tolist() for name, values in curve(self.order).items()}
        return as_native(columns, self.native)

    def as_json(self) -> dict[str, Any]:
        """The document of ``passline evaluate --json``; None where a number does not exist."""
        return {
            "formula": self.formula,
            "outcome": self.outcome,
            "positive": self.positive,
            "own_rows": self.own_rows,
            "rows": dict(self.rows),
            "trials": self.trials,
            "rate": self.rate,
            "level": self.level,
            "measures": {
                name: {kind: _number(figures[kind]) for kind in self.kinds} for name, figures in self.measures.items()
            },
            "decision": self.decision.as_json(),
            "bins": {"kind": self.binning.kind, "asked": self.binning.bins, "rows": self.bin_rows()},
            "validation": {name: _plain(value) for name, value in self.validation.items()},
            "notes": list(self.notes),
        }

    def bin_rows(self) -> list[dict[str, float]]:
        """The calibration table, a dict a bin."""
        columns = ("low", "high", "weight", "predicted", "observed")
        values = [getattr(self.bins, name).tolist() for name in columns]
        return [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]


@dataclass(frozen=True)
class Asked:
    """What is asked of an evaluation; raises OptionError where it cannot be had.

    ``folds``, ``bootstrap``: how many, 0 for none, None for what the size of the table allows.
    """

    rule: Rule
    binning: Binning
    level: float = 0.95
    folds: int | None = None
    bootstrap: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        normal_quantile(self.level)
        for name, least in (("folds", 2), ("bootstrap", 10)):
            value = getattr(self, name)
            if value is not None and not (_whole(value) and (value == 0 or least <= value <= 100_000)):
                raise OptionError(f"{name} is {value!r}: give a whole number from {least} on, or 0 for none")
        if not (_whole(self.seed) and self.seed >= 0):
            raise OptionError(f"seed is {self.seed!r}: give a whole number that is not negative")


@dataclass(frozen=True)
class Assessed:
    """What was found, before it is told for a reader."""

    measured: Measured
    figures: Figures
    decision: Decision
    validation: Mapping[str, Any]
    notes: tuple[str, ...]


NOTHING = math.nan, math.nan
# Cells of neighbouring scores that an answer keeps.
KEPT = 1_000
# Bootstrap samples of intervals that need no refit.
SAMPLES = 1_000
# Refits, where nobody says how many; and up to how many numbers (rows times columns) they are made unasked: what takes
# seconds is not worth a question, what takes minutes is.
FOLDS, REFITS, SEPARATED_REFITS = 10, 200, 50
MOST_FOR_FOLDS, MOST_FOR_REFITS = 10_000_000, 100_000


def of_other_rows(scored: Scored, asked: Asked) -> Assessed:
    """The measures of rows that the fit has not seen, each with its interval where there is one."""
    measured, threshold = _apparent(scored, asked)
    level, p = asked.level, measured.p
    ends = {
        "log_loss": mean_interval(scored, *losses(scored), level),
        "brier": mean_interval(scored, np.square(1.0 - p), np.square(p), level),
    }
    area = delong(scored, measured.order, level)
    for name, one in zip((*OF_PROBABILITIES[-3:], "auc"), (*measured.calibration, area), strict=True):
        ends[name] = one.conf_low, one.conf_high
    samples = SAMPLES if asked.bootstrap is None else asked.bootstrap
    if scored.total >= MOST_TRIALS or scored.one_class or not _several(scored):
        samples = 0  # nothing can be drawn that would tell more
    if samples:
        generator = np.random.default_rng(asked.seed)
        ends |= decision_intervals(
            scored, measured.order, asked.rule, level=level, samples=samples, generator=generator
        )
    figures = {
        name: dict(zip(ON_OTHER_ROWS, (value, *ends.get(name, NOTHING)), strict=True))
        for name, value in measured.figures.items()
    }
    decision = Decision(
        threshold, *ends.get("threshold", NOTHING), asked.rule.words, measured.confusion, asked.rule.cost
    )
    return Assessed(measured, figures, decision, {"bootstrap": samples, "seed": asked.seed}, ())


def of_own_rows(scored: Scored, fitting: Fitting | None, size: int, asked: Asked) -> Assessed:
    """The apparent measures of the rows of the fit, and beside them the honest ones, from refits.

    ``scored``: all rows, as ``fitting`` knows them (None: they cannot be refitted); ``size``: how many numbers (rows
    times columns) a refit works on.
    """
    measured, threshold = _apparent(scored.real(), asked)
    folds, samples, notes = _how_many(scored, fitting, size, asked)
    crossed = better = None
    if fitting is not None:
        again = Again(fitting, asked.rule, asked.binning)
        crossed = cross_validated(scored, again, folds, np.random.default_rng(asked.seed)) if folds else None
        generator = np.random.default_rng([asked.seed, 1])
        better = optimism(scored, again, samples, generator, asked.level) if samples else None
    figures = {}
    for name, value in measured.figures.items():
        flattery = math.nan if better is None else better.figures[name]
        held_out = math.nan if crossed is None else crossed.figures[name]
        figures[name] = dict(zip(ON_OWN_ROWS, (value, held_out, flattery, value - flattery), strict=True))
    ends = NOTHING if better is None else better.threshold
    decision = Decision(threshold, *ends, asked.rule.words, measured.confusion, asked.rule.cost)
    validation = {"folds": folds, "bootstrap": samples, "seed": asked.seed}
    return Assessed(measured, figures, decision, validation, (*notes, *of_refits(crossed, better)))


def _apparent(scored: Scored, asked: Asked) -> tuple[Measured, float]:
    """The measures of rows as they stand, and the threshold."""
    order = ranked(scored)
    threshold = asked.rule.threshold(order)
    return measures([Part(scored, order, threshold)], asked.binning, asked.level), threshold


def _how_many(scored: Scored, fitting: Fitting | None, size: int, asked: Asked) -> tuple[int, int, tuple[str, ...]]:
    """How many folds and bootstrap samples there will be, and why not more."""
    if fitting is None:
        return 0, 0, ()
    notes = []
    fits, refits = asked.folds, asked.bootstrap
    if fits is None:
        fits = FOLDS if size <= MOST_FOR_FOLDS else 0
    if refits is None:
        # Each refit of separated rows takes linear programmes.
        refits = (SEPARATED_REFITS if np.isinf(scored.eta).any() else REFITS) if size <= MOST_FOR_REFITS else 0
    if (asked.folds, asked.bootstrap) == (None, None) and not fits:
        notes.append(
            "the table is long, so nothing was refitted unasked: give the number of folds (folds=10) for figures that "
            "are not apparent"
        )
    if scored.groups is None:
        least, what = min(float(scored.successes.sum()), float(scored.failures.sum())), "trials of the rarer outcome"
    else:
        least, what = float(len(np.unique(scored.groups))), "groups of rows"
    if scored.groups is None and scored.total >= MOST_TRIALS:
        notes.append(f"{scored.total:.3g} trials are too many to be dealt out: all figures are apparent")
        return 0, 0, tuple(notes)
    if least < 2:
        notes.append(f"all figures are apparent: with only one of the {what} nothing can be held out")
        return 0, 0, tuple(notes)
    if fits > least:
        notes.append(f"{least:.0f} folds and not {fits}: there are no more {what}")
        fits = int(least)
    return fits, refits, tuple(notes)


def _several(scored: Scored) -> bool:
    return scored.groups is None or len(np.unique(scored.groups)) > 1


def _whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _number(value: float) -> float | None:
    value = float(value)
    return value if math.isfinite(value) else None


def _plain(value: Any) -> Any:
    if isinstance(value, float | np.floating):
        return _number(float(value))
    return list(value) if isinstance(value, tuple) else value
