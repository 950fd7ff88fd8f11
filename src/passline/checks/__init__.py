"""A careful statistician's look at a fit: everything that is looked at, in which order, and what was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from passline.checks import data, estimate, shape
from passline.checks.finding import Finding, Findings
from passline.fitting import Fitted

__all__ = ["CHECKS", "Finding", "Findings", "check"]

# What is looked at, and the function that looks: findings, or why it cannot be told here. A new one is a line here.
CHECKS: dict[str, Callable[[Fitted], list[Finding] | str]] = {
    "separation": estimate.separation,
    "dropped rows": data.dropped,
    "leakage": data.leakage,
    "constant columns": data.constant,
    "rare levels": data.rare_levels,
    "events per term": estimate.events,
    "collinearity": estimate.collinearity,
    "large effects": estimate.large_effects,
    "influence": estimate.influential,
    "linearity": shape.linearity,
    "calibration": shape.calibration,
    "overdispersion": shape.overdispersion,
}


def check(fitted: Fitted, without: Mapping[str, str] | None = None) -> Findings:
    """Look at a fit and its rows; each finding says what it is, how much, and what to do.

    What it needs is the rows; nothing is refitted but the splines that straight lines are tested against. ``without``:
    what is not to be looked at, and why.
    """
    found: list[Finding] = []
    looked, left_out = [], {}
    for name, look in CHECKS.items():
        answer = without[name] if without and name in without else look(fitted)
        if isinstance(answer, str):
            left_out[name] = answer
        else:
            looked.append(name)
            found += answer
    found.sort(key=lambda finding: finding.severity != "warning")
    return Findings(fitted.model.design.formula, tuple(found), tuple(looked), left_out)
