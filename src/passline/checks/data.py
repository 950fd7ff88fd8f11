"""What the rows say before any estimate: left-out rows, constants, rare levels, identifiers, giveaways."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from passline.checks.finding import Finding, listed
from passline.evaluation.discrimination import auc
from passline.fitting import DROPPED_SHARE, Fitted
from passline.table.coding import CategoryFactor
from passline.table.tree import Name

Floats = NDArray[np.float64]

# A level on fewer rows than this has an estimate that one row decides.
RARE = 5
# A single column that ranks the outcomes this well was seldom known before them.
GIVEAWAY = 0.99
# With fewer of either outcome a column may rank them by chance.
ENOUGH = 5
# From this share of rows that have a level of their own on, a category names rows rather than groups.
OWN_LEVEL = 0.5


def dropped(fitted: Fitted) -> list[Finding]:
    """Rows that are left out because a value is missing."""
    learned = fitted.learned
    if not learned.dropped:
        return []
    share = learned.dropped / learned.read
    missing = {name: count for name, count in learned.rows.missing().items() if count}
    worst = sorted(missing, key=lambda name: -missing[name])[:3]
    most = ", ".join(f"{name} ({missing[name]})" for name in worst)
    much = share > DROPPED_SHARE
    end = (
        "what is left may differ from what was asked about. Look at why they are missing, or fill them in (multiple "
        "imputation)"
        if much
        else "few enough to matter little, unless they are missing for a reason that has to do with the outcome"
    )
    sentence = f"{learned.dropped} of {learned.read} rows ({_percent(share)}) are left out as incomplete, most for "
    numbers = {"dropped": learned.dropped, "read": learned.read, "missing": list(missing.values())}
    return [
        Finding("dropped rows", "warning" if much else "note", tuple(missing), f"{sentence}{most}: {end}.", numbers)
    ]


def constant(fitted: Fitted) -> list[Finding]:
    """Columns that are constant or a combination of others, and categories of one level."""
    model, scaling = fitted.model, fitted.sample.scaling
    aliased = [j for j, word in enumerate(model.terms.status) if word == "aliased"]
    still = [model.terms.names[j] for j in aliased if scaling.spread[j] == 0.0]
    still += [text for text, levels in model.design.levels.items() if len(levels) == 1]
    repeats = [model.terms.names[j] for j in aliased if scaling.spread[j] > 0.0]
    found = []
    if still:
        sentence = f"{listed(still)} {_is(still)} the same in every row used: nothing can be learned from that"
        found.append(Finding("constant columns", "note", tuple(still), f"{sentence}. Leave it out."))
    if repeats:
        sentence = (
            f"{listed(repeats)} {_is(repeats)} a combination of the terms before, and {_has(repeats)} no estimate"
        )
        advice = "Leave one of the columns that repeat each other out, the one you can explain least."
        found.append(Finding("constant columns", "warning", tuple(repeats), f"{sentence} of its own. {advice}"))
    return found


def rare_levels(fitted: Fitted) -> list[Finding]:
    """Levels of categories that few rows have."""
    found = []
    for name, levels, count in _categories(fitted):
        if _names_rows(count):
            continue
        rare = [(level, int(c)) for level, c in zip(levels, count, strict=True) if 0 < c < RARE]
        if rare:
            shown = listed([f"{level!r} ({c} {'row' if c == 1 else 'rows'})" for level, c in rare])
            sentence = f"{name} has levels that few rows have: {shown}. Their odds ratios rest on those rows alone"
            advice = "Join levels that mean alike, or say nothing about these."
            numbers = {"levels": [level for level, _ in rare], "rows": [c for _, c in rare]}
            found.append(Finding("rare levels", "note", (name,), f"{sentence}. {advice}", numbers))
    return found


def leakage(fitted: Fitted) -> list[Finding]:
    """Columns that give the outcome away, and columns that number or name the rows."""
    return [*_identifiers(fitted), *_giveaways(fitted)]


def _identifiers(fitted: Fitted) -> Iterator[Finding]:
    learned = fitted.learned
    advice = "It cannot tell anything about another row: leave it out."
    for name, levels, count in _categories(fitted):
        if _names_rows(count):
            sentence = f"{name} has {len(levels)} levels on {learned.used} rows, most on one row only: an identifier"
            yield Finding("leakage", "warning", (name,), f"{sentence}. {advice}", {"levels": len(levels)})
    for name, x in _numbers(fitted):
        different = np.unique(x)
        n = len(different)
        # Years without a gap are a time, and no numbering.
        whole = n == len(x) >= 20 and different[0] in (0.0, 1.0) and (x == np.rint(x)).all()
        if whole and different[-1] - different[0] == n - 1:
            sentence = f"{name} counts the rows, {different[0]:.0f} to {different[-1]:.0f} without a gap: a row number"
            yield Finding("leakage", "warning", (name,), f"{sentence}, and not a measurement. {advice}")


def _giveaways(fitted: Fitted) -> Iterator[Finding]:
    sample, design = fitted.sample, fitted.model.design
    c, y = sample.weight, sample.y
    if min(float(c @ y), float(c @ (1.0 - y))) < ENOUGH:
        return
    scores = dict(_numbers(fitted))
    for name, levels, count in _categories(fitted):
        # A level's own share of successes ranks rows well by itself where levels are small.
        if len(levels) > 1 and count.sum() >= 2 * RARE * len(levels):
            codes = fitted.learned.rows.codes(name, levels)
            share = np.bincount(codes, weights=c * y, minlength=len(levels)) / np.maximum(
                np.bincount(codes, weights=c, minlength=len(levels)), 1e-300
            )
            scores[name] = share[codes]
    for name, score in scores.items():
        area = auc(score, y, c)
        area = max(area, 1.0 - area)
        if area <= GIVEAWAY:
            continue
        if area == 1.0 and len(np.unique(score)) == 2:
            what = f"{name} is {design.outcome} itself under another name: the two agree in every row"
        elif area == 1.0:
            what = f"{name} alone tells {design.outcome} = {design.positive} from {design.negative} without an error"
        else:
            what = f"{name} alone ranks the outcomes almost without an error (AUC {area:.4f})"
        advice = (
            "Was it known before the outcome was? If it was measured later, or made from the outcome, leave it out."
        )
        yield Finding("leakage", "warning", (name,), f"{what}. {advice}", {"auc": area})


def _categories(fitted: Fitted) -> Iterator[tuple[str, tuple[str, ...], Floats]]:
    """Columns used as categories: name, levels, and how many units have each."""
    learned = fitted.learned
    # C(x) makes a category of a column of numbers.
    factors = [factor for term in learned.design.terms for factor in term.factors]
    coded = {factor.column for factor in factors if isinstance(factor, CategoryFactor)}
    for name in learned.design.variables:
        if name in coded:
            levels = learned.rows.levels(name)
            codes = learned.rows.codes(name, levels)
            count: Floats = np.bincount(codes, weights=fitted.sample.units, minlength=len(levels)).astype(np.float64)
            yield name, levels, count


def _numbers(fitted: Fitted) -> Iterator[tuple[str, Floats]]:
    learned = fitted.learned
    for name in learned.design.variables:
        if learned.design.kinds[name] == "number":
            yield name, learned.rows.numbers(Name(name))


def _names_rows(count: Floats) -> bool:
    return len(count) >= 10 and float((count == 1).sum()) >= OWN_LEVEL * float(count.sum())


def _percent(share: float) -> str:
    return "under 1 %" if share < 0.01 else f"{100 * share:.0f} %"


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _has(names: list[str]) -> str:
    return "has" if len(names) == 1 else "have"
