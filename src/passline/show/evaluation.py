"""What an evaluation looks like in a terminal: its figures by what they judge, the decisions, and what to know."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

from passline.printed import columns, number

if TYPE_CHECKING:
    from passline.assessment import Evaluation

# As wide as a text is at most, and as narrow as its tables are.
WIDTH, NARROW = 100, 60
# A number this small is rounding where zero is perfect.
ZERO = 1e-9
# An equals sign at which no line ends.
EQUALS = "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}"
# Between these numbers have four decimals.
SMALL, LARGE = 1e-3, 1e4

SECTIONS = {
    "Probabilities": {"log_loss": "log loss", "brier": "Brier score"},
    "Calibration": {
        "calibration_in_the_large": "in the large",
        "calibration_intercept": "intercept",
        "calibration_slope": "slope",
        "expected_calibration_error": "expected error",
    },
    "Ranking": {"auc": "AUC", "average_precision": "average precision"},
    "Decisions": {
        "accuracy": "accuracy",
        "sensitivity": "sensitivity",
        "specificity": "specificity",
        "precision": "precision",
        "f1": "F1",
        "mcc": "MCC",
    },
}
KINDS = {"apparent": "apparent", "cross_validated": "cross-validated", "corrected": "corrected"}


def evaluation_text(found: Evaluation, width: int = WIDTH) -> str:
    """An evaluation in ``width`` characters, never less than 60."""
    width = min(max(width, NARROW), WIDTH)
    parts = [
        _wrapped(found.formula, width),
        *(_wrapped(line, width) for line in _head(found)),
        "",
        _measures(found),
        "",
        *([_wrapped(how_made(found), width), ""] if found.own_rows else []),
        _wrapped(_decision(found), width),
        *([] if math.isnan(found.decision.threshold) else [_counts(found)]),
        "",
        _wrapped(_brier(found), width),
    ]
    for note in found.notes:
        parts += ["", _wrapped(f"{note[0].upper()}{note[1:]}.", width, "note: ")]
    return "\n".join(parts)


def _head(found: Evaluation) -> list[str]:
    rows = found.rows
    whose = "the rows of the fit" if found.own_rows else "of another table than the fit's"
    used = f"{rows['used']:,} row{'' if rows['used'] == 1 else 's'}, {whose}"
    if abs(found.trials - rows["used"]) > 1e-6:
        used += f", which count as {found.trials:,.6g}"
    lines = [f"{used}; {100 * found.rate:.3g} % are {found.outcome}{EQUALS}{found.positive}."]
    left = left_out(found)
    return [*lines, f"Left out: {', '.join(left)}."] if left else lines


def left_out(found: Evaluation) -> list[str]:
    """How many rows were left out, and why."""
    rows = found.rows
    words = {
        "missing_predictor": "with a missing predictor",
        "missing_outcome": "with a missing outcome",
        "weightless": "that weigh nothing",
        "open": "whose probability the separated fit leaves open",
    }
    if "missing_predictor" not in rows:
        words = {"incomplete": "incomplete"} | words
    return [f"{rows[key]:,} {text}" for key, text in words.items() if rows.get(key)]


def _measures(found: Evaluation) -> str:
    table: list[tuple[str, ...]] = []
    if found.own_rows:
        kinds = [kind for kind in KINDS if kind == "apparent" or some(found, kind)]
        heads = ("", *(KINDS[kind] for kind in kinds))
    else:
        kinds, heads = ["value"], ("", "value", f"{100 * found.level:g} % interval")
    for section, names in SECTIONS.items():
        table.append((section, *("" for _ in heads[1:])))
        for name, shown in names.items():
            figures = found.measures[name]
            cells = [figure(figures[kind]) for kind in kinds]
            if not found.own_rows:
                cells.append(span(figures["conf_low"], figures["conf_high"]))
            table.append((f"  {shown}", *cells))
    return columns(table, heads)


def some(found: Evaluation, kind: str) -> bool:
    """Whether any measure has a figure of this kind."""
    return any(not math.isnan(figures[kind]) for figures in found.measures.values())


def figure(value: float) -> str:
    """Four decimals, so that columns can be read down; four digits of what is smaller, as with rare events."""
    if math.isnan(value):
        return "none"
    value = 0.0 if abs(value) < ZERO else round(value, 12)
    return f"{value:.4f}" if SMALL <= abs(value) < LARGE else number(value)


def span(low: float, high: float) -> str:
    """An interval of a measure; "" where it does not exist."""
    return f"{figure(low)} to {figure(high)}" if low < high else ""


def _decision(found: Evaluation) -> str:
    one = found.decision
    if math.isnan(one.threshold):
        return f"There is no threshold {one.rule}: it needs both outcomes."
    text = f"The threshold is {one.threshold:.4g}, {one.rule}"
    if not math.isnan(one.conf_low):
        text += f"; {100 * found.level:g} % bootstrap interval {span(one.conf_low, one.conf_high)}"
    text += f". A probability of at least that is called {found.positive}"
    if one.cost is not None:
        text += f"; on these rows a decision then costs {number(one.mean_cost)} on average"
    return f"{text}."


def _counts(found: Evaluation) -> str:
    c = found.decision.confusion
    rows = [
        (f"{found.outcome} = {found.positive}", count(c.true_positives), count(c.false_negatives)),
        (f"{found.outcome} = {found.negative}", count(c.false_positives), count(c.true_negatives)),
    ]
    return columns(rows, ("", f"called {found.positive}", f"called {found.negative}"))


def count(value: float) -> str:
    """A count of rows, which weights may make a fraction."""
    return f"{value:,.0f}" if abs(value - round(value)) < 1e-9 else f"{value:,.1f}"


def _brier(found: Evaluation) -> str:
    kind = "apparent" if found.own_rows else "value"
    part = {name: found.measures[f"brier_{name}"][kind] for name in _PARTS}
    within = part["within_variance"] - part["within_covariance"]
    return (
        f"{'Apparent ' if found.own_rows else ''}Brier score {figure(found.measures['brier'][kind])} = reliability "
        f"{figure(part['reliability'])} - resolution {figure(part['resolution'])} + uncertainty "
        f"{figure(part['uncertainty'])} {'-' if within < 0 else '+'} {figure(abs(within))} within bins. These and "
        f"the expected calibration error are over {found.binning.words}."
    )


_PARTS = ("reliability", "resolution", "uncertainty", "within_variance", "within_covariance")


def how_made(found: Evaluation) -> str:
    """How the honest figures were made, or that there are none."""
    folds, samples = found.validation["folds"], found.validation["bootstrap"]
    text = "Apparent: on the rows that the model was fitted to, so it flatters"
    if folds:
        text += f". Cross-validated: each row judged by a fit that has not seen it, in {folds} stratified folds"
    if samples:
        text += f". Corrected: less the optimism of {samples} bootstrap fits"
    return text + ("." if folds or samples else "; no other figures were made.")


def _wrapped(text: str, width: int, head: str = "") -> str:
    return textwrap.fill(
        head + text,
        width,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    ).replace(EQUALS, " = ")
