"""What the probabilities are worth: ranking, calibration, and what a threshold makes of the rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from passline.engine.likelihood import mean
from passline.evaluation.classification import confusion, curve
from passline.evaluation.discrimination import STEPS
from passline.inference.wald import normal_quantile
from passline.show.evaluation import KINDS, SECTIONS, count, figure, how_made, left_out, some, span
from passline.show.report.content import Content
from passline.show.report.estimates import outcome, percent, sentence
from passline.show.report.markup import Markup, chart, element, folded, joined, name, plain, said, table

if TYPE_CHECKING:
    from passline.assessment import Evaluation

# Rows of a table that stands for a curve.
STEPS_SHOWN = 11
# What a threshold could be, for the table that needs no script.
THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


def whose(found: Evaluation) -> str:
    """Which rows the figures are of."""
    rows = found.rows
    text = f"{rows['used']:,} row{'' if rows['used'] == 1 else 's'}"
    text += " of the fit" if found.own_rows else " of another table than the fit's"
    if abs(found.trials - rows["used"]) > 1e-6:
        text += f", which count as {found.trials:,.6g}"
    return text


def absent(why: str) -> Markup:
    """A part that is not there, and why."""
    return element("p", sentence(f"This part is missing: {plain(why)}"), class_="absent")


def measures(found: Evaluation, sections: tuple[str, ...]) -> Markup:
    """The figures of some sections, with their kinds or their intervals."""
    if found.own_rows:
        kinds = [kind for kind in KINDS if kind == "apparent" or some(found, kind)]
        heads = ["measure", *(KINDS[kind] for kind in kinds)]
    else:
        kinds, heads = ["value"], ["measure", "value", f"{percent(found.level)} interval"]
    rows = []
    for section in sections:
        for key, shown in SECTIONS[section].items():
            figures = found.measures[key]
            cells = [_minus(figure(figures[kind])) for kind in kinds]
            if not found.own_rows:
                cells.append(_minus(span(figures["conf_low"], figures["conf_high"])))
            rows.append((shown, *cells))
    return table(f"Figures: {', '.join(sections)}", heads, rows)


def discrimination(content: Content) -> Markup:
    """How well the probabilities put the outcomes in order."""
    found = content.evaluation
    if found is None:
        return absent(content.missing["evaluation"])
    model = content.model
    intro = said(
        "Whether rows with {} get higher probabilities than the others. AUC is the share of such pairs that are in the "
        "right order: 0.5 is chance, 1 is perfect. Measured on {}.",
        outcome(model),
        whose(found),
    )
    points = _thinned(curve(found.order))
    heads = ["threshold", "sensitivity", "specificity", "precision"]
    rows = [
        [_share(points[key][i]) for key in ("threshold", "sensitivity", "specificity", "precision")]
        for i in range(len(points["threshold"]))
    ]
    parts = [element("p", intro), measures(found, ("Ranking", "Probabilities"))]
    if not math.isnan(found.measures["auc"]["apparent" if found.own_rows else "value"]):
        charts = [
            chart(
                "roc",
                "ROC curve: sensitivity against 1 - specificity",
                table("The ROC curve", heads[:3], _cut(rows, 3)),
            ),
            chart(
                "precision",
                "Precision against recall",
                table("Precision and recall", [heads[0], "recall", "precision"], [(r[0], r[1], r[3]) for r in rows]),
            ),
        ]
        parts.append(element("div", *charts, class_="panels"))
    if found.own_rows:
        parts.append(element("p", how_made(found), class_="foot"))
    return joined(parts)


def calibration(content: Content) -> Markup:
    """Whether what is said to happen in three of ten cases does."""
    found = content.evaluation
    if found is None:
        return absent(content.missing["evaluation"])
    intro = (
        "Of rows that get a probability of 0.3, three in ten should turn out positive. Points on the diagonal do. "
        "Intercept 0 and slope 1 are perfect; a slope below 1 says that the probabilities are too extreme."
    )
    rows = [
        (
            f"{row['low']:.3g} to {row['high']:.3g}",
            count(row["weight"]),
            _share(row["predicted"]),
            _share(row["observed"]),
            span(row["conf_low"], row["conf_high"]),
        )
        for row in calibration_data(found)
    ]
    heads = ["bin", "rows", "mean probability", "observed share", f"{percent(found.level)} interval"]
    words = f"The bins: {found.binning.words}. Intervals are Wilson's, of each bin by itself."
    return joined(
        [
            element("p", intro),
            measures(found, ("Calibration",)),
            chart("calibration", "Observed share against mean probability", table("The bins", heads, rows)),
            element(
                "p",
                words + ("" if not found.own_rows else " The chart is of the rows of the fit: apparent."),
                class_="foot",
            ),
        ]
    )


def calibration_data(found: Evaluation) -> list[dict[str, float]]:
    r"""The bins with Wilson's interval of the share in each.

    .. math:: \frac{p + z^2 / 2n \pm z \sqrt{p (1 - p) / n + z^2 / 4n^2}}{1 + z^2 / n}

    Source: Wilson (1927), J. American Statistical Association 22.
    """
    z = normal_quantile(found.level)
    rows = []
    for row in found.bin_rows():
        n, p = row["weight"], row["observed"]
        middle, reach = p + z * z / (2 * n), z * math.sqrt(max(p * (1 - p), 0.0) / n + z * z / (4 * n * n))
        low, high = ((middle + sign * reach) / (1 + z * z / n) for sign in (-1, 1))
        rows.append({**row, "conf_low": max(low, 0.0), "conf_high": min(high, 1.0)})
    return rows


def curve_data(found: Evaluation) -> dict[str, Any]:
    """The scores as cells, what stands in each, and the order's curves, for the slider and the charts."""
    order = found.order
    return {
        "low": mean(order.score / STEPS).tolist(),
        "successes": order.successes.tolist(),
        "failures": order.failures.tolist(),
    }


def threshold(content: Content) -> Markup:
    """What calling rows positive from a probability on makes of them, and what it costs."""
    found = content.evaluation
    if found is None:
        return absent(content.missing["evaluation"])
    one = found.decision
    model = content.model
    positive = name(model.design.positive, 60)
    if math.isnan(one.threshold):
        first = said("There is no threshold {}: it needs both outcomes.", one.rule)
    else:
        first = said(
            "A row is called {} from a probability of {} on (the threshold, {}).",
            positive,
            f"{one.threshold:.4g}",
            one.rule,
        )
    costs = (
        "Where a false positive costs FP and a false negative FN, the threshold with the least expected cost is "
        "FP / (FP + FN), whatever the data: 0.5 only where both cost the same."
    )
    parts = [element("p", first, " ", costs), _controls(content, found), measures(found, ("Decisions",))]
    rows = []
    for at in THRESHOLDS:
        c = confusion(found.order, at)
        ratios = c.ratios()
        rows.append(
            [f"{at:g}", *(count(v) for v in c.cells), *(_share(ratios[k]) for k in ("sensitivity", "specificity"))]
        )
    heads = ["threshold", *_counts_heads(), "sensitivity", "specificity"]
    parts.append(folded("The counts at other thresholds", table("Counts by threshold", heads, rows)))
    parts += [element("p", sentence(note), class_="foot") for note in found.notes]
    return joined(parts)


def _controls(content: Content, found: Evaluation) -> Markup:
    """The slider with the counts and the costs; the counts of the threshold that was asked for are there without it."""
    one, design = found.decision, content.model.design
    cost = one.cost or (1.0, 1.0)
    at = 0.5 if not 0.0 <= one.threshold <= 1.0 else one.threshold
    c = confusion(found.order, at)
    yes, no = (
        joined([name(design.outcome, 40), " = ", name(level, 40)]) for level in (design.positive, design.negative)
    )
    rows = [
        (yes, *(element("span", count(v), id=key) for key, v in (("tp", c.true_positives), ("fn", c.false_negatives)))),
        (no, *(element("span", count(v), id=key) for key, v in (("fp", c.false_positives), ("tn", c.true_negatives)))),
    ]
    heads = ["in fact", joined(["called ", name(design.positive, 40)]), joined(["called ", name(design.negative, 40)])]
    fields = [
        _field("threshold-at", "Threshold", f"{at:.6g}", type="range", min="0", max="1", step="any"),
        _field("threshold-number", "The same as a number", f"{at:.6g}", type="number", min="0", max="1", step="any"),
        _field("cost-fp", "A false positive costs", f"{cost[0]:g}", type="number", min="0", step="any"),
        _field("cost-fn", "A false negative costs", f"{cost[1]:g}", type="number", min="0", step="any"),
    ]
    act = element("button", "Take FP / (FP + FN)", type="button", id="by-cost")
    return element(
        "div",
        element("div", *fields, class_="fields needs-script"),
        element("div", act, element("output", id="threshold-said", for_="threshold-at"), class_="needs-script act"),
        table("The four counts at the threshold", heads, rows),
        class_="panel",
        id="threshold-panel",
    )


def _field(identity: str, text: str, value: str, **attributes: str) -> Markup:
    return element(
        "div",
        element("label", text, for_=identity),
        element("input", id=identity, value=value, autocomplete="off", **attributes),
        class_="field",
    )


def _counts_heads() -> list[str]:
    return ["true positives", "false positives", "true negatives", "false negatives"]


def rows_line(found: Evaluation) -> str:
    """How many rows were judged and left out."""
    left = left_out(found)
    return f"{whose(found)}" + (f"; left out: {', '.join(left)}" if left else "")


def _thinned(points: dict[str, Any]) -> dict[str, Any]:
    k = len(points["threshold"])
    at = np.unique(np.round(np.linspace(0, k - 1, min(k, STEPS_SHOWN))).astype(int))
    return {key: values[at] for key, values in points.items()}


def _cut(rows: list[list[str]], columns: int) -> list[list[str]]:
    return [row[:columns] for row in rows]


def _share(value: float) -> str:
    return "none" if math.isnan(value) else "above 1" if math.isinf(value) else f"{value:.4f}"


def _minus(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")
