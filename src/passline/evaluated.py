"""What a fit is worth on rows: of its own, with honest figures beside the apparent ones, and on others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from passline.errors import OptionError, PasslineError
from passline.fitting import Fitted
from passline.model import Model
from passline.table.columns import Native
from passline.table.source import Source, open_source

if TYPE_CHECKING:
    from passline.assessment import Asked, Assessed, Evaluation
    from passline.evaluation.scored import Scored

# Rows of another table that are looked for among those of the fit.
LOOKED_AT = 10_000


@dataclass(frozen=True)
class Judged:
    """Rows with what the model says of each and what became of it; ``own_rows``: whether they are those of the fit."""

    scored: Scored
    own_rows: bool


class Evaluated:
    """The part of a Fit that measures its probabilities against outcomes."""

    model: Model
    rows: Fitted | None
    native: Native

    def _hashes(self) -> Mapping[str, Any]:
        """The hashes of the rows of the fit, in memory or in the file that was loaded."""
        if self.rows is None:
            return self.model.settings
        from passline.inference.fingerprint import fingerprint

        return fingerprint(self.rows.learned.by_row())

    def evaluate(
        self,
        data: Any = None,
        *,
        threshold: float | str | None = None,
        cost: tuple[float, float] | None = None,
        sensitivity: float | None = None,
        specificity: float | None = None,
        bins: int = 10,
        binning: str = "width",
        level: float = 0.95,
        folds: int | None = None,
        bootstrap: int | None = None,
        seed: int = 0,
        sql: str | None = None,
        weights: Any = None,
        sampling_weights: Any = None,
        offset: Any = None,
        trials: Any = None,
        cluster: Any = None,
        unseen: str = "error",
    ) -> Evaluation:
        """How good the probabilities are: log loss, Brier score, calibration, AUC, and decisions at a threshold.

        Without ``data`` on the rows of the fit. There every figure is apparent, and beside it stand the honest ones:
        by cross-validation (``folds``, stratified, clusters whole) and less its optimism (``bootstrap`` samples), all
        refitted exactly; None for what the table's size allows (see docs/how-to/evaluate.md), 0 for none. With
        ``data`` on other rows, with intervals; a table that is the one of the fit is known by its rows, and its
        figures are called apparent. Roles (``weights``, ...) are found by the names they had in the fit, or given.

        The threshold is 0.5, ``threshold``, "youden", by ``cost`` of a false positive and a false negative (FP / (FP +
        FN)), or the best with a ``sensitivity`` or ``specificity`` of at least so much. ``bins`` and ``binning``
        ("width" or "quantile") are those of the calibration error and of the Brier score's parts.

        Raises DataError for a table without the outcome or with other labels, OptionError for values out of range.
        """
        from passline.assessment import Asked
        from passline.evaluation.classification import make_rule
        from passline.evaluation.scores import Binning

        rule = make_rule(threshold, cost, sensitivity, specificity)
        asked = Asked(rule, Binning(bins, binning), level, folds, bootstrap, seed)
        if data is None and sql is None:
            if self.rows is None:
                raise OptionError(
                    "evaluate needs rows, and a model file keeps none: give a table, the one that the model was fitted "
                    "to for apparent and honest figures, or another"
                )
            return _on_own_rows(self.model, self.rows, asked, self.native)
        roles = {
            "weights": weights,
            "sampling_weights": sampling_weights,
            "offset": offset,
            "trials": trials,
            "cluster": cluster,
        }
        return _on_table(self, open_source(data, sql=sql), roles, asked, unseen)

    def quickly_evaluated(self, data: Any = None, *, level: float = 0.95, **options: Any) -> Evaluation:
        """What :meth:`evaluate` says, refitted only where that takes a moment: what pictures show.

        ``data``: as there, or an Evaluation, which is given back; ``options``: of :meth:`evaluate`. Raises OptionError
        where there are no rows.
        """
        from passline.assessment import MOST_FOR_REFITS, Evaluation

        if isinstance(data, Evaluation):
            return data
        if data is None and options.get("sql") is None and self.rows is None:
            raise OptionError(
                "this picture needs rows, and a model file keeps none: give a table (data=..., on the command line "
                "--data DATA), the one that the model was fitted to or another"
            )
        quick = self.model.rows["patterns"] * len(self.model.terms.names) <= MOST_FOR_REFITS
        refits = {"folds": None if quick else 0, "bootstrap": 0}
        return self.evaluate(data, level=level, **(refits | options))

    def judged(
        self,
        data: Any = None,
        *,
        sql: str | None = None,
        weights: Any = None,
        sampling_weights: Any = None,
        offset: Any = None,
        trials: Any = None,
        cluster: Any = None,
        unseen: str = "error",
    ) -> Judged:
        """The linear predictor of each row of ``data`` (without: of the fit) beside its outcome, for binned residuals.

        Roles as in :meth:`evaluate`; ``data`` may be what this gave before. Raises OptionError without rows, DataError
        for a table without the outcome.
        """
        if isinstance(data, Judged):
            return data
        if data is None and sql is None:
            if self.rows is None:
                raise OptionError("this needs rows, and a model file keeps none: give a table, data=...")
            return Judged(own_scores(self.model, self.rows), True)
        roles = {
            "weights": weights,
            "sampling_weights": sampling_weights,
            "offset": offset,
            "trials": trials,
            "cluster": cluster,
        }
        from passline.scoring import score_table

        table = score_table(self.model, open_source(data, sql=sql), roles, unseen, hashes=self._hashes)
        return Judged(table.scored, table.same_rows)


def own_scores(model: Model, fitted: Fitted) -> Scored:
    """The rows of the fit with the predictor that :meth:`Model.predict` gives them."""
    from passline.evaluation.scored import Scored

    sample = fitted.sample
    groups = sample.cluster
    if groups is None and sample.sampling is not None:
        groups = np.arange(sample.blocks.n)
    shift = model.predicting_coef()[0] - model.coef[0] if model.flic_intercept is not None else 0.0
    return Scored.of(fitted.outcome.eta + shift, sample.y, sample.weight, groups)


def _on_own_rows(model: Model, fitted: Fitted, asked: Asked, native: Native) -> Evaluation:
    from passline.assessment import of_own_rows
    from passline.evaluation.refits import Refit

    sample = fitted.sample
    refit = Refit(sample, model.estimator, model.penalty)
    found = of_own_rows(own_scores(model, fitted), refit, sample.blocks.n * sample.blocks.p, asked)
    counts, counting = fitted.learned.rows.counts(), sample.weight > 0
    used = int(np.count_nonzero(counting) if counts is None else counts[counting].sum())
    read, dropped = model.rows["read"], model.rows["dropped"]
    rows = {
        "read": read,
        "used": used,
        "incomplete": dropped,
        "weightless": read - dropped - used,
        "open": 0,
    }
    return _told(model, found, rows, asked, native, own=True)


def _on_table(fit: Evaluated, source: Source, roles: Mapping[str, Any], asked: Asked, unseen: str) -> Evaluation:
    from passline.assessment import of_other_rows, of_own_rows
    from passline.scoring import score_table

    model, fitted = fit.model, fit.rows
    table = score_table(model, source, roles, unseen, hashes=fit._hashes)
    notes = table.notes
    same = table.same_rows
    if same and table.lost and fitted is not None:
        same = np.array_equal(table.scored.successes > 0, fitted.by_row.sample.y > 0)
    if not same:
        found = of_other_rows(table.scored, asked)
        if fitted is not None and _mostly_seen(own_scores(model, fitted), fitted.sample.units, table.scored):
            notes += (
                "most of these rows have the predictors of a row of the fit: where they are rows of the fit, what they "
                "say is apparent, and flatters",
            )
        return _told(model, found, table.rows.as_json(), asked, source.native, own=False, notes=notes)
    if fitted is None:
        from passline.reopening import reopen

        try:
            fitted = reopen(model, source, roles)
        except PasslineError as error:
            notes += (f"nothing could be refitted, so all figures are apparent: {error}",)
            found = of_own_rows(table.scored, None, 0, asked)
            return _told(model, found, table.rows.as_json(), asked, source.native, own=True, notes=notes)
    return _on_own_rows(model, fitted, asked, source.native)


def _mostly_seen(own: Scored, units: NDArray[np.float64], other: Scored) -> bool:
    """Whether most rows repeat one of the fit, where its rows are so different that this is no accident."""
    from passline.evaluation.discrimination import rounded

    mine = np.unique(rounded(own.eta))
    if len(mine) <= float(units.sum()) / 2:
        return False
    looked_at = rounded(other.eta[:: max(len(other.eta) // LOOKED_AT, 1)])
    place = np.minimum(np.searchsorted(mine, looked_at), len(mine) - 1)
    return float((mine[place] == looked_at).mean()) > 0.5


def _told(
    model: Model,
    found: Assessed,
    rows: Mapping[str, int],
    asked: Asked,
    native: Native,
    *,
    own: bool,
    notes: tuple[str, ...] = (),
) -> Evaluation:
    """What was found with the sentences that a reader needs."""
    from passline.assessment import KEPT, Evaluation
    from passline.evaluation.remarks import of_decision, of_perfect_order, of_rows

    design, measured = model.design, found.measured
    said = [
        *notes,
        *of_rows(measured, design.outcome, design.positive, design.negative),
        *([] if own else of_perfect_order(measured)),
        *of_decision(measured, found.decision.threshold, asked.rule, design.positive, design.negative),
        *found.notes,
    ]
    return Evaluation(
        formula=design.formula,
        outcome=design.outcome,
        positive=design.positive,
        negative=design.negative,
        own_rows=own,
        rows=rows,
        trials=measured.scored.total,
        rate=measured.scored.rate,
        measures=found.figures,
        decision=found.decision,
        bins=measured.bins,
        order=measured.order.cells(KEPT),
        independent=measured.scored.groups is None,
        binning=asked.binning,
        level=asked.level,
        validation=found.validation,
        notes=tuple(said),
        native=native,
    )
