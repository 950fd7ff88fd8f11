"""The verdict on separation in words: which columns, at which values, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from passline.engine.blocks import Block, Blocks
from passline.engine.scaling import Scaling
from passline.inference.sample import Sample
from passline.inference.separation import Recession
from passline.table.design import Design

Floats = NDArray[np.float64]
SHOWN = 4


def describe(design: Design, sample: Sample, found: Recession, status: Sequence[str]) -> str:
    """One message for a separated outcome: what separates it, which estimates do not exist, what to do instead."""
    yes, no = f"{design.outcome} = {design.positive}", f"{design.outcome} = {design.negative}"
    separated, n = int(sample.units[found.separated].sum()), int(sample.units.sum())
    share = "every row" if found.kind == "complete" else f"{separated} of {n} rows"
    reasons = list(_reasons(design, sample.blocks, sample.scaling, yes, no))
    if reasons:
        why = "; ".join(reasons[:SHOWN]) + ("; and more" if len(reasons) > SHOWN else "")
    else:
        movers = [name for name, word in zip(design.names, status, strict=True) if word in ("infinite", "undetermined")]
        movers = [name for name in movers if name != "(Intercept)"] or movers
        why = "a combination of " + _listed(movers) + f" tells {yes} from {no} there without an error"
    infinite = [name for name, word in zip(design.names, status, strict=True) if word == "infinite"]
    open_ = [name for name, word in zip(design.names, status, strict=True) if word == "undetermined"]
    parts = []
    if infinite:
        parts.append(f"{_listed(infinite)} {'is' if len(infinite) == 1 else 'are'} infinite")
    if open_:
        parts.append(f"{_listed(open_)} {'is' if len(open_) == 1 else 'are'} not determined")
    kind = "completely separated" if found.kind == "complete" else "quasi-completely separated"
    return (
        f"the outcome is {kind} ({share}): {why}. No finite maximum-likelihood estimate exists: {', '.join(parts)}. "
        f'Use estimator="firth" for finite odds ratios, or add a penalty (l1 or l2).'
    )


def gap(x: Floats, y: Floats) -> tuple[float, float, bool] | None:
    """Where one predictor alone separates: (low, high, rising) with nothing strictly between; None where it does not.

    ``x``, ``y``: (n,). ``low == high`` where both outcomes meet at one value (quasi-complete).
    """
    failures, successes = x[y < 1], x[y > 0]
    if not len(failures) or not len(successes):
        return None
    if failures.max() <= successes.min():
        return float(failures.max()), float(successes.min()), True
    if successes.max() <= failures.min():
        return float(successes.max()), float(failures.min()), False
    return None


def _reasons(design: Design, blocks: Blocks, scaling: Scaling, yes: str, no: str) -> Iterator[str]:
    """What single columns say: a number with a gap, a level with one outcome only."""
    y = blocks.all.y
    real = np.ones(len(y), dtype=bool) if blocks.all.weight is None else blocks.all.weight > 0
    for j, name in enumerate(design.names):
        if name == "(Intercept)":
            continue
        unit = np.zeros(blocks.p)
        unit[scaling.position[j]] = 1.0
        z: Floats = blocks.each_row(_column, unit)
        x = (scaling.center[j] + scaling.scale[j] * z)[real]
        values = np.unique(x[:1000]) if len(x) > 1000 else np.unique(x)
        if len(values) <= 2 and set(np.unique(x)) <= {0.0, 1.0}:
            yield from _level(name, x, y[real], yes, no)
            continue
        found = gap(x, y[real])
        if found is None or x.min() == x.max():
            continue
        low, high, rising = found
        below, above = (no, yes) if rising else (yes, no)
        if low == high:
            yield f"{name} < {low:.6g} has only {below} and {name} > {high:.6g} only {above}"
        else:
            yield f"{name} <= {low:.6g} has only {below} and {name} >= {high:.6g} only {above}"


def _level(name: str, x: Floats, y: Floats, yes: str, no: str) -> Iterator[str]:
    for value in (1.0, 0.0):
        at = x == value
        if not at.any() or at.all():
            continue
        only = yes if (y[at] == 1).all() else no if (y[at] == 0).all() else None
        if only is not None:
            count = int(at.sum())
            yield f"{name} = {value:.0f} ({count} {'row' if count == 1 else 'rows'}) has only {only}"


def _column(block: Block, unit: Floats) -> Floats:
    column: Floats = block.columns.times(unit)
    return column


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN} more"
