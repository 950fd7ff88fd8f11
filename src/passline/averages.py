"""What a fit says averaged over its rows: effects on the probability, and how much it explains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from passline.errors import OptionError
from passline.fitting import Fitted, null_log_likelihood
from passline.model import Model
from passline.table.columns import Native
from passline.table.native import as_native

if TYPE_CHECKING:
    from passline.inference.effects import Effect, Population


class Averaged:
    """The part of a Fit that averages over rows, and asks for them where it has none."""

    model: Model
    rows: Fitted | None
    native: Native

    def marginal_effects(self, variables: Sequence[str] | None = None, level: float = 0.95) -> Any:
        """One row a number (the mean slope of the probability) and a level (its risk against the reference's).

        A frame with variable, kind, contrast, estimate, std_error, statistic, p_value, conf_low, conf_high; see
        :func:`passline.inference.effects.marginal_effects`. Raises OptionError without rows or finite estimates.
        """
        from passline.inference.effects import EFFECT_COLUMNS, marginal_effects

        found = [effect.as_json() for effect in marginal_effects(self._population(level), variables)]
        return as_native({name: [row[name] for row in found] for name in EFFECT_COLUMNS}, self.native)

    def risk_difference(self, variable: str, high: Any = None, low: Any = None, level: float = 0.95) -> Effect:
        """The average probability had all rows ``high``, less that had all ``low``, with its standard error.

        See :func:`passline.inference.effects.risk_difference`. Raises OptionError without rows or finite estimates.
        """
        from passline.inference.effects import risk_difference

        return risk_difference(self._population(level), variable, high, low)

    def risk_ratio(self, variable: str, high: Any = None, low: Any = None, level: float = 0.95) -> Effect:
        """The ratio of the probabilities of :meth:`risk_difference`; standard error and interval by its logarithm."""
        from passline.inference.effects import risk_ratio

        return risk_ratio(self._population(level), variable, high, low)

    def pseudo_r2(self) -> dict[str, float]:
        """McFadden's, Cox and Snell's, Nagelkerke's and Tjur's; see :func:`passline.inference.explained.pseudo_r2`."""
        from passline.inference.explained import pseudo_r2

        rows = self._behind("pseudo_r2")
        return pseudo_r2(
            rows.sample, rows.outcome, null_log_likelihood(rows.sample.blocks, self.model.design.intercept)
        )

    def _behind(self, what: str) -> Fitted:
        """The rows behind the model; raises OptionError where it has none."""
        if self.rows is None:
            raise OptionError(
                f"{what} needs the rows of the fit, and a model file keeps none: open them again with "
                "with_rows(data), the table that the model was fitted to"
            )
        return self.rows

    def _population(self, level: float) -> Population:
        from passline.inference.effects import Population

        rows = self._behind("an average effect")
        if {"infinite", "undetermined"} & set(self.model.terms.status):
            raise OptionError(
                "the outcome is separated, so effects averaged over the rows have no standard errors, and some no "
                'value: use estimator="firth", or a penalty (l1 or l2)'
            )
        model, sample = self.model, rows.sample
        block = sample.blocks.all
        return Population(
            design=model.design,
            rows=rows.learned.rows,
            offset=np.zeros(sample.blocks.n) if block.offset is None else block.offset,
            weight=sample.weight,
            coef=model.predicting_coef(),
            covariance=model.covariance,
            fixed=np.array([word == "aliased" for word in model.terms.status]),
            df=model.settings.get("df"),
            level=level,
        )
