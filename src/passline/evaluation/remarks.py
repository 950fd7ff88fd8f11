"""What a reader of an evaluation should know before believing its numbers: the sentences, and when each is true."""

from __future__ import annotations

import math

import numpy as np

from passline.evaluation.classification import Rule
from passline.evaluation.measures import Measured
from passline.evaluation.validation import Validated


def of_rows(measured: Measured, outcome: str, positive: str, negative: str) -> list[str]:
    """What the rows themselves leave undone."""
    scored, found = measured.scored, []
    if scored.one_class:
        only = positive if scored.successes.any() else negative
        found.append(
            f"every outcome here is {outcome} = {only}: AUC, average precision and calibration compare two outcomes, "
            "and do not exist"
        )
        return found
    sure = np.isinf(scored.eta)
    if sure.any():
        found.append(
            f"the fit is separated, and gives {int(sure.sum()):,} rows a probability of 0 or 1: calibration intercepts "
            "and slope do not exist"
        )
        if math.isinf(measured.figures["log_loss"]):
            found.append(
                "the log loss is infinite: an outcome to which the fit gives a probability of 0 did happen. "
                'estimator="firth" gives finite odds'
            )
    elif np.ptp(scored.eta) == 0:
        found.append("every row has the same probability, so there is nothing to rank and no calibration slope")
    elif math.isnan(measured.figures["calibration_slope"]):
        found.append("the probabilities separate the outcomes of these rows, so the calibration slope is infinite")
    return found


def of_perfect_order(measured: Measured) -> list[str]:
    """DeLong's interval has no width where nothing is out of order."""
    if measured.figures["auc"] not in (0.0, 1.0):
        return []
    return ["every pair is in the same order, so DeLong's interval of the AUC has no width: read nothing into it"]


def of_decision(measured: Measured, threshold: float, rule: Rule, positive: str, negative: str) -> list[str]:
    """A threshold that tells nobody apart, and one that was chosen on the rows it is judged on."""
    found = []
    c, p = measured.confusion, measured.p
    if math.isnan(threshold):
        return [f"there is no threshold {rule.words}: it needs both outcomes"]
    if not c.called_positive or not c.called_negative:
        label, side = (positive, "smallest") if c.called_positive else (negative, "largest")
        extreme = p.min() if c.called_positive else p.max()
        share = measured.figures["accuracy"]
        found.append(
            f"at {threshold:.4g} every row is called {label} (the {side} probability is {extreme:.4g}): the accuracy "
            f"of {share:.4g} is merely the share of {label}"
            + ("" if rule.cost else ". Say what the errors cost, and the threshold follows")
        )
    if rule.chosen:
        found.append(
            "the threshold was chosen on these rows, so what it gives on them flatters, most of all where they are few"
        )
    return found


def of_refits(crossed: Validated | None, better: Validated | None) -> list[str]:
    """What went wrong in refits."""
    found = []
    for one, where in ((crossed, "folds"), (better, "bootstrap samples")):
        if one is None:
            continue
        if one.skipped:
            found.append(f"{one.skipped} of the {where} left one outcome alone and were not fitted")
        if one.separated:
            found.append(
                f"{one.separated} of {one.refits} refits ({where}) are separated, and give probabilities of 0 or 1"
            )
        if one.open_rows:
            found.append(
                f"they leave {one.open_rows:,.0f} held-out trials without a probability, which are not counted"
            )
    if better is not None and better.partial:
        lost = ", ".join(f"{name.replace('_', ' ')} in {count}" for name, count in better.partial.items())
        found.append(
            f"of {better.refits} bootstrap fits some do not give every measure ({lost}); its optimism is the mean over "
            "the others"
            + (", too small for the log loss, which is infinite there" if "log_loss" in better.partial else "")
        )
    return found
