"""Pictures of a fit, by matplotlib: each takes ``ax`` and gives the axes back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from passline.errors import OptionError
from passline.show.pictures.style import check_ending, dressed, new_axes, new_figure, styled, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from passline.facade import Fit
    from passline.fitting import Fitted
    from passline.show.pictures.curve import Rows

__all__ = ["Plots", "check_ending", "loss_curve", "new_axes", "write"]
Floats = NDArray[np.float64]

SQUARE = (5.6, 5.4)


class Plots:
    """The pictures of one fit: ``fit.plot.curve("hours")``.

    Each draws on ``ax``, or on new axes of a figure of its own, and returns them; :func:`write` and
    ``ax.figure.savefig`` write them. What needs rows takes ``data``; without it, it is about the rows of the fit,
    and its figures are called apparent.
    """

    def __init__(self, fit: Fit) -> None:
        self._fit = fit

    @styled
    def curve(
        self,
        variable: str | None = None,
        *,
        at: Mapping[str, Any] | None = None,
        level: float = 0.95,
        rows: Rows = "auto",
        ax: Axes | None = None,
    ) -> Axes:
        """The probability along one number, with its band, the red line at 0.5, where they meet and how sure that is.

        ``variable``: a number of the model (the first one if not said); the others are held ``at``, by default at
        their means and most frequent levels. ``rows``: "dots", shares of the positive outcome by bins of the variable,
        their area the number of rows; "rug", each row a tick, above where its outcome is the positive one; "none";
        "auto", dots, and the rug where the rows are at hand and few. The bar on the red line is the interval of
        :meth:`passline.Fit.boundary`. Raises OptionError for a name that the model has not.
        """
        from passline.show.pictures.curve import draw_curve

        ax = _on(ax)
        draw_curve(ax, self._fit, variable, at, level=level, rows=rows)
        return ax

    @styled
    def effect(
        self,
        variable: str | None = None,
        *,
        values: Iterable[Any] | None = None,
        at: Mapping[str, Any] | None = None,
        averaged: bool = False,
        data: Any = None,
        level: float = 0.95,
        ax: Axes | None = None,
        **roles: Any,
    ) -> Axes:
        """What a predictor does to the probability, the others held ``at``, or ``averaged`` over the rows.

        The numbers are those of :meth:`passline.Fit.effect_curve`, ``roles`` (and ``sql``) its options. Raises what
        that does.
        """
        from passline.show.pictures.effect import draw_effect

        name = variable if variable is not None else self._first()
        found = self._fit.effect_curve(name, values, at=at, averaged=averaged, data=data, level=level, **roles)
        ax = _on(ax)
        draw_effect(ax, found, self._fit)
        return ax

    @styled
    def effects(
        self,
        variables: Sequence[str] | None = None,
        *,
        at: Mapping[str, Any] | None = None,
        averaged: bool = False,
        data: Any = None,
        level: float = 0.95,
        **roles: Any,
    ) -> list[Axes]:
        """The effects of several predictors (all, up to twelve, if not said) side by side: their axes in one figure.

        A predictor that ``at`` holds is held in all panels but its own. Raises what :meth:`effect` does.
        """
        from passline.show.pictures.effect import PANELS, draw_effects

        names = list(self._fit.model.design.variables if variables is None else variables)
        if not names:
            raise OptionError("the model has no predictor, so there is no effect to draw")
        found = self._fit.effect_curves(names[:PANELS], at=at, averaged=averaged, data=data, level=level, **roles)
        columns = min(3, math.ceil(math.sqrt(len(found))))
        lines = math.ceil(len(found) / columns)
        figure = new_figure((max(3.6 * columns, 5.0), 2.9 * lines + 0.5))
        axes = [dressed(figure.add_subplot(lines, columns, i + 1)) for i in range(len(found))]
        draw_effects(axes, found, self._fit, columns=columns, of=len(names))
        return axes

    @styled
    def coefficients(self, *, intercept: bool = False, ax: Axes | None = None) -> Axes:
        """The terms as odds ratios with their intervals, on a logarithmic axis.

        What has no number is not left out: an infinite estimate is an arrow, an undetermined or aliased one a word. The
        level is that of the fit. ``intercept``: whether the intercept, which is no ratio of odds, is shown too.
        """
        from passline.show.pictures.coefficients import draw_coefficients, height

        ax = _on(ax, (7.2, height(self._fit.model, intercept)))
        draw_coefficients(ax, self._fit.model, intercept)
        return ax

    @styled
    def roc(self, data: Any = None, *, level: float = 0.95, ax: Axes | None = None) -> Axes:
        """The ROC curve, the exact interval of the sensitivity at each threshold, the threshold, the area.

        ``data``: a table, or an :class:`Evaluation` (so that roles, a cost or a threshold can be chosen there);
        without it the rows of the fit, where the area is called apparent, with the cross-validated one beside it if
        the table is small. No band where rows belong together or carry sampling weights. Raises what
        :meth:`passline.Fit.evaluate` does. Sources: Hanley and McNeil (1982), Radiology 143; Clopper and Pearson
        (1934), Biometrika 26.
        """
        from passline.show.pictures.ranking import draw_roc

        found = self._fit.quickly_evaluated(data, level=level)
        ax = _on(ax, SQUARE)
        draw_roc(ax, found)
        return ax

    @styled
    def precision_recall(self, data: Any = None, *, level: float = 0.95, ax: Axes | None = None) -> Axes:
        """Precision against recall, the exact interval of the precision at each threshold, and average precision.

        ``data`` as in :meth:`roc`.
        """
        from passline.show.pictures.ranking import draw_precision_recall

        found = self._fit.quickly_evaluated(data, level=level)
        ax = _on(ax, SQUARE)
        draw_precision_recall(ax, found)
        return ax

    @styled
    def gains(self, data: Any = None, *, lift: bool = False, level: float = 0.95, ax: Axes | None = None) -> Axes:
        """Which share of the positives is among the rows of highest probability; with ``lift`` over that at random.

        With the exact interval of the share at each threshold. ``data`` as in :meth:`roc`.
        """
        from passline.show.pictures.ranking import draw_gains

        found = self._fit.quickly_evaluated(data, level=level)
        ax = _on(ax)
        draw_gains(ax, found, lift)
        return ax

    @styled
    def calibration(
        self,
        data: Any = None,
        *,
        bins: int = 10,
        binning: str = "quantile",
        level: float = 0.95,
        ax: Axes | None = None,
    ) -> Axes:
        """Rates against mean probabilities by bins, the recalibration line, and the histogram of the probabilities.

        ``data`` as in :meth:`roc`; ``bins`` and ``binning`` ("quantile" or "width") as in
        :meth:`passline.Fit.evaluate`, those of an Evaluation where one is given. The intervals of the rates are exact
        (Clopper and Pearson). The histogram has the positives upwards, the negatives downwards. Source: Cox (1958),
        Biometrika 45; Steyerberg, Clinical Prediction Models (2019), chapter 15.
        """
        from passline.show.pictures.calibration import draw_calibration

        found = self._fit.quickly_evaluated(data, level=level, bins=bins, binning=binning)
        ax = _on(ax, (6.4, 6.0))
        draw_calibration(ax, found)
        return ax

    @styled
    def residuals(
        self, data: Any = None, *, variable: str | None = None, bins: int | None = None, ax: Axes | None = None
    ) -> Axes:
        """Mean residuals by bins of the probability, or along a predictor, and twice their standard error about zero.

        See :func:`passline.evaluation.binned_residuals.binned_residuals`. ``data``: a table or what
        :meth:`passline.Fit.judged` gives; ``variable``, a number of the model, needs the rows of the fit. Raises
        OptionError without rows.
        """
        from passline.show.pictures.rows import draw_residuals

        if variable is not None and data is not None:
            raise OptionError("residuals along a predictor are those of the rows of the fit: leave data out")
        along = None if variable is None else (variable, self._numbers(variable))
        judged = self._fit.judged(data)
        ax = _on(ax)
        draw_residuals(ax, self._fit, judged, along, bins)
        return ax

    @styled
    def influence(self, data: Any = None, *, ax: Axes | None = None) -> Axes:
        """Residuals of the rows against their leverage, their area Cook's distance, the largest by name.

        See :func:`passline.inference.influence.leverage`. ``data``: for a loaded model the table of the fit. Raises
        OptionError without the rows, and where there is no covariance (separation, a penalty).
        """
        from passline.show.pictures.rows import draw_influence

        fitted = self._own(data, "influence").by_row
        ax = _on(ax)
        draw_influence(ax, fitted)
        return ax

    @styled
    def loss(self, data: Any = None, *, ax: Axes | None = None) -> Axes:
        """The mean loss at each pass of the solver over the rows, down to its minimum.

        ``data``: for a loaded model the table of the fit. Raises OptionError without the rows, and where every row is
        separated. For a stochastic descent see :func:`loss_curve`.
        """
        from passline.show.pictures.loss import draw_loss

        fitted = self._own(data, "loss")
        ax = _on(ax)
        draw_loss(ax, fitted)
        return ax

    def _numbers(self, variable: str) -> Floats:
        """A predictor's numbers in the rows of the fit."""
        from passline.section import known

        known(self._fit.model, variable)
        if self._fit.model.design.kinds[variable] != "number":
            raise OptionError(f"{variable!r} is a category: residuals are binned along a number, or the probability")
        return self._own(None, "residuals along a predictor").learned.rows.raw(variable)

    def _own(self, data: Any, what: str) -> Fitted:
        """The rows of the fit, opened again where they are given."""
        fit = self._fit if data is None else self._fit.with_rows(data)
        if fit.rows is None:
            raise OptionError(
                f"the picture of {what} needs the rows of the fit, and a model file keeps none: give the table that "
                "the model was fitted to (data=..., on the command line --data DATA)"
            )
        return fit.rows

    def _first(self) -> str:
        names = self._fit.model.design.variables
        if not names:
            raise OptionError("the model has no predictor, so there is no effect to draw")
        return names[0]


@styled
def loss_curve(losses: Any, held_out: Any = (), *, unit: str = "Epoch", ax: Axes | None = None) -> Axes:
    """The mean loss of each epoch of a descent: ``loss_curve(model.losses_, model.held_out_losses_)``.

    ``losses``, ``held_out``: one number an epoch, such as an :class:`passline.SGDLogisticRegression` keeps, or the
    lesson. Raises OptionError where there is none, or where it is no row of numbers.
    """
    from passline.show.pictures.loss import draw_losses

    try:
        values, others = (np.asarray(given, dtype=np.float64).reshape(-1) for given in (losses, held_out))
    except (TypeError, ValueError):
        raise OptionError("the losses are no row of numbers: give losses_ of a fitted descent") from None
    if not len(values):
        raise OptionError("there is no loss yet: fit first")
    ax = _on(ax)
    draw_losses(ax, values, others, unit)
    return ax


def _on(ax: Axes | None, size: tuple[float, float] | None = None) -> Axes:
    return ax if ax is not None else new_axes() if size is None else new_axes(size)
