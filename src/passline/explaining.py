"""Why a prediction is what it is: each term's share of its log-odds, against the average row of the fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.engine.columns import Columns
from passline.engine.likelihood import mean
from passline.engine.plain import as_columns
from passline.errors import OptionError
from passline.model import ON_THE_EDGE, Model, number
from passline.table.design import Group
from passline.table.staged import Frame

Floats = NDArray[np.float64]

# The columns beside the terms' own; no term's text begins with a bracket.
BASE, LOGIT, PROBABILITY, INFINITE = "(base)", "(logit)", "(probability)", "(infinite)"


@dataclass(frozen=True)
class Explanation:
    """The shares of the terms in the log-odds of some rows.

    ``base``: the log-odds of the average row. ``shares``: (n, k), those of ``terms``; a row sums to its logit less the
    base. ``logit``: (n,), as :meth:`passline.model.Model.predict` gives it. NaN in a row where a predictor is missing.
    ``infinite``: for each row the terms whose part of its log-odds is infinite, in a model of separated data; there
    base and shares are those of the limiting model, which the rows that nothing separates determine.
    """

    terms: tuple[str, ...]
    base: float
    shares: Floats
    logit: Floats
    infinite: tuple[tuple[str, ...], ...]
    separated: bool

    def columns(self) -> dict[str, list[Any]]:
        """One entry a row: (base), each term, (logit), (probability), and for separated data (infinite)."""
        n = len(self.logit)
        found: dict[str, list[Any]] = {BASE: [self.base] * n}
        found |= {text: self.shares[:, k].tolist() for k, text in enumerate(self.terms)}
        found |= {LOGIT: self.logit.tolist(), PROBABILITY: mean(self.logit).tolist()}
        if self.separated:
            found[INFINITE] = [" + ".join(names) for names in self.infinite]
        return found

    def rows(self) -> list[dict[str, Any]]:
        """One document a row: base, shares by term, logit, probability, infinite; None where a number is not finite.

        A logit that is infinite is None too: ``probability`` is 0 or 1 then, and ``infinite`` names its terms.
        """
        probability = mean(self.logit)
        return [
            {
                "base": self.base,
                "shares": dict(zip(self.terms, map(number, self.shares[i]), strict=True)),
                "logit": number(self.logit[i]),
                "probability": number(probability[i]),
                "infinite": list(self.infinite[i]),
            }
            for i in range(len(self.logit))
        ]


def explain(model: Model, frame: Frame, *, unseen: str = "error", flic: bool = True) -> Explanation:
    r"""Each term's share of a prediction's log-odds, against the average row of the fit.

    .. math:: \eta(x) = \bar x^T w + \sum_{t} \sum_{j \in t} w_j (x_j - \bar x_j)

    where t runs over the formula's terms, j over a term's columns in the design, and the average row holds the mean of
    each column over the rows of the fit, as often as each counts. ``frame``: rows as :meth:`Model.frame` gives them;
    ``unseen`` and ``flic`` are as for predictions; as there, an offset counts as zero. Raises OptionError for a model
    from a file of version 1, which has no average row, and what ``predict`` raises.

    These are the Shapley values of the log-odds where the columns of different terms are independent (linear SHAP:
    Lundberg and Lee 2017, section 4.1, corollary 1; Strumbelj and Kononenko 2014, section 3.1), with the columns of a
    term taken together. Where they depend on one another, a share says what the model adds for the term, not what would
    change if somebody changed it.
    """
    if model.average is None:
        raise OptionError(
            "this model is from a file of version 1, which knows no average row to explain against: fit it again with "
            "this passline, and save it"
        )
    design = model.design
    groups, complete = model.groups(frame, unseen)
    n, m = len(complete), int(complete.sum())
    coef = model.predicting_coef(flic)
    logit = np.full(n, np.nan)
    logit[complete] = model.linear_predictor(groups, m, coef)
    shares = np.full((n, len(design.terms)), np.nan)
    along = np.zeros((m, 1 + len(design.terms), len(model.directions)))  # what separating directions do to each term
    if design.intercept:
        along[:, 0] = model.directions[:, 0]
    rest, start = iter(groups), int(design.intercept)
    for k, term in enumerate(design.terms):
        at = slice(start, start + len(term.names))
        columns = _columns(rest, len(term.names))
        shares[complete, k] = sum(_times(columns, coef[at]), np.zeros(m)) - model.average[at] @ coef[at]
        along[:, 1 + k] = sum(_times(columns, model.directions[:, at].T), along[:, 1 + k])
        start = at.stop
    infinite: list[tuple[str, ...]] = [()] * n
    if len(model.directions):
        size = np.abs(along)
        moved = (size > ON_THE_EDGE * size.sum(axis=1, keepdims=True)).any(axis=2)
        names = ("(Intercept)", *(term.text for term in design.terms))
        for i, row in zip(np.flatnonzero(complete), moved, strict=True):
            if not np.isfinite(logit[i]):
                infinite[i] = tuple(name for name, there in zip(names, row, strict=True) if there)
    return Explanation(
        terms=tuple(term.text for term in design.terms),
        base=float(model.average @ coef),
        shares=shares,
        logit=logit,
        infinite=tuple(infinite),
        separated=bool(len(model.directions)),
    )


def _columns(groups: Iterator[Group], width: int) -> list[Columns]:
    """The next ``width`` columns."""
    found: list[Columns] = []
    while sum(columns.shape[1] for columns in found) < width:
        found.append(as_columns(next(groups)))
    return found


def _times(columns: list[Columns], w: Floats) -> Iterator[Floats]:
    start = 0
    for part in columns:
        yield part.times(w[start : start + part.shape[1]])
        start += part.shape[1]
