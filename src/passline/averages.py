"""What a fit says averaged over its rows: effects on the probability, and how much it explains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from passline.errors import OptionError
from passline.fitting import Fitted, null_log_likelihood
from passline.model import Model
from passline.table.columns import Native
from passline.table.native import as_native
from passline.table.source import open_source

if TYPE_CHECKING:
    from passline.effect_curves import EffectCurve, Over
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

    def effect_curve(
        self,
        variable: str,
        values: Iterable[Any] | None = None,
        *,
        at: Mapping[str, Any] | None = None,
        averaged: bool = False,
        data: Any = None,
        sql: str | None = None,
        weights: Any = None,
        sampling_weights: Any = None,
        offset: Any = None,
        trials: Any = None,
        level: float = 0.95,
    ) -> EffectCurve:
        """The probability along one predictor, with its interval: the numbers behind ``plot.effect``.

        The others are held ``at`` (else at their means and most frequent levels); or, ``averaged``, they stay as they
        are in each row of ``data`` (without: of the fit), and the probability is averaged. See
        :func:`passline.effect_curves.effect_at` and :func:`passline.effect_curves.effect_averaged`. Raises OptionError
        for names and values that the model does not have, and where rows are needed and there are none.
        """
        roles = {"weights": weights, "sampling_weights": sampling_weights, "offset": offset, "trials": trials}
        over = self._averaged_over(at, averaged, None if data is None and sql is None else (data, sql), roles)
        return self._effect(variable, values, at, over, level)

    def effect_curves(
        self,
        variables: Sequence[str] | None = None,
        *,
        at: Mapping[str, Any] | None = None,
        averaged: bool = False,
        data: Any = None,
        sql: str | None = None,
        level: float = 0.95,
        **roles: Any,
    ) -> list[EffectCurve]:
        """:meth:`effect_curve` of several predictors, of all where None; rows to average over are read once.

        A predictor that ``at`` holds is held in the curves of the others. ``roles``: weights, sampling_weights, offset,
        trials.
        """
        over = self._averaged_over(at, averaged, None if data is None and sql is None else (data, sql), roles)
        names = self.model.design.variables if variables is None else variables
        held = [{key: value for key, value in (at or {}).items() if key != name} for name in names]
        return [self._effect(name, None, others, over, level) for name, others in zip(names, held, strict=True)]

    def _effect(
        self,
        variable: str,
        values: Iterable[Any] | None,
        at: Mapping[str, Any] | None,
        over: Over | None,
        level: float,
    ) -> EffectCurve:
        from passline.effect_curves import effect_at, effect_averaged

        if over is None:
            return effect_at(self.model, variable, values, at, level)
        return effect_averaged(self.model, variable, over, values, level)

    def _averaged_over(
        self,
        at: Mapping[str, Any] | None,
        averaged: bool,
        table: tuple[Any, str | None] | None,
        roles: Mapping[str, Any],
    ) -> Over | None:
        """The rows to average over; None where nothing is averaged."""
        from passline.effect_curves import over_own_rows, over_table

        if not averaged:
            if table is not None:
                raise OptionError("rows are averaged over, and nothing is averaged here: ask for averaged=True")
            return None
        if at:
            raise OptionError("at holds the other predictors, and averaged leaves them as they are: give one of them")
        if table is None:
            return over_own_rows(self._behind("an average effect"))
        return over_table(self.model, open_source(table[0], sql=table[1]), roles)

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
        from passline.effect_curves import over_own_rows, population_of

        rows = self._behind("an average effect")
        if {"infinite", "undetermined"} & set(self.model.terms.status):
            raise OptionError(
                "the outcome is separated, so effects averaged over the rows have no standard errors, and some no "
                'value: use estimator="firth", or a penalty (l1 or l2)'
            )
        return population_of(self.model, over_own_rows(rows, most=rows.sample.blocks.n), level)
