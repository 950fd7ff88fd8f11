"""What a fit answers of its own rows: residuals, influence, collinearity, calibration, and a statistician's look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from passline.errors import OptionError
from passline.fitting import Fitted
from passline.model import Model
from passline.table.columns import Native
from passline.table.native import as_native

if TYPE_CHECKING:
    from passline.checks import Findings
    from passline.inference.calibration import HosmerLemeshow, SumOfSquares
    from passline.inference.influence import Residual

Floats = NDArray[np.float64]


class Diagnosed:
    """The part of a Fit that looks at its rows; each method raises OptionError where the model was loaded without."""

    model: Model
    rows: Fitted | None
    native: Native

    def augment(self, generator: np.random.Generator | None = None) -> Any:
        """The data's rows, in their order, with .fitted, .logit, .se_fit, .resid, .hat, .cooksd and more beside them.

        A frame of the library the data came in; NaN in rows that were left out. See :func:`passline.augmented.augment`.
        """
        from passline.augmented import augment

        return as_native(augment(self._looked_at("augment"), generator), self.native)

    def residuals(self, kind: str = "deviance", generator: np.random.Generator | None = None) -> Floats:
        """The residuals of the rows used: "response", "pearson", "deviance", "standardized" or "quantile", (used,).

        See :func:`passline.inference.residuals.residuals`.
        """
        from passline.inference.residuals import residuals

        rows = self._looked_at("residuals")
        return residuals(rows.sample, rows.outcome, kind, generator)

    def dfbeta(self) -> Any:
        """How far each coefficient moves by each row used (a frame, one column a term): one Newton step."""
        from passline.inference.influence import dfbeta

        rows = self._looked_at("dfbeta")
        return self._by_term(dfbeta(rows.sample, rows.outcome))

    def dfbetas(self, residual: Residual = "pearson") -> Any:
        """The same in standard errors; ``residual="deviance"`` gives what R's dfbetas prints.

        See :func:`passline.inference.influence.dfbetas`.
        """
        from passline.inference.influence import dfbetas

        if residual not in ("pearson", "deviance"):
            raise OptionError(f"residual is {residual!r}: choose 'pearson' (one Newton step) or 'deviance' (as R)")
        rows = self._looked_at("dfbetas")
        return self._by_term(dfbetas(rows.sample, rows.outcome, residual))

    def vif(self) -> Any:
        """One row a term: gvif, df, and gvif ** (1 / (2 df)), the factor on the length of an interval (a frame)."""
        from passline.inference.collinearity import inflation

        rows = self._with_rows("vif")
        found = inflation(rows.sample, rows.outcome)
        columns: dict[str, list[Any]] = {
            "term": [item.term for item in found],
            "gvif": [item.gvif for item in found],
            "df": [item.df for item in found],
            "gvif_per_df": [item.per_df for item in found],
        }
        return as_native(columns, self.native)

    def condition_number(self) -> float:
        """Belsley's condition number of the design; see :func:`passline.inference.collinearity.condition_number`."""
        from passline.inference.collinearity import condition_number

        return condition_number(self._with_rows("condition_number").sample)

    def linearity(self) -> Any:
        """One row a number that enters as a line: the test of a spline in its place (a frame).

        See :func:`passline.inference.linearity.linearity`. Raises OptionError where there is no likelihood ratio.
        """
        from passline.inference.linearity import linearity

        rows = self._with_rows("linearity")
        if rows.sample.sampling is not None or self.model.penalty:
            raise OptionError("linearity compares likelihoods, which sampling weights and penalties do not have")
        outcome = rows.outcome
        if self.model.estimator != "ml":
            from passline.inference.existence import maximum_likelihood

            outcome = maximum_likelihood(rows.sample.blocks, rows.sample.scaling)
        found = linearity(rows.learned, rows.sample, outcome)
        names = ("term", "statistic", "df", "p_value", "separated")
        return as_native({name: [getattr(test, name) for test in found] for name in names}, self.native)

    def calibration_test(self) -> SumOfSquares:
        """The unweighted sum of squares test; see :func:`passline.inference.calibration.sum_of_squares`."""
        from passline.inference.calibration import sum_of_squares

        rows = self._looked_at("calibration_test")
        self._is_likely()
        return sum_of_squares(rows.sample, rows.outcome)

    def hosmer_lemeshow(self, groups: int = 10) -> HosmerLemeshow:
        """The test of Hosmer and Lemeshow, whose p-value depends on ``groups``: its ``note`` says how much.

        See :func:`passline.inference.calibration.hosmer_lemeshow`.
        """
        from passline.inference.calibration import hosmer_lemeshow

        rows = self._looked_at("hosmer_lemeshow")
        self._is_likely()
        return hosmer_lemeshow(rows.sample, rows.outcome, groups)

    def check(self) -> Findings:
        """What a careful statistician would say of this fit: a sequence of findings; print it to read it.

        See :func:`passline.checks.check`.
        """
        from passline.checks import check

        return check(self._looked_at("check"))

    def _by_term(self, moves: Floats) -> Any:
        return as_native({name: moves[:, j].tolist() for j, name in enumerate(self.model.terms.names)}, self.native)

    def _is_likely(self) -> None:
        if self.model.estimator != "ml":
            raise OptionError(f"the tests of calibration are for maximum likelihood, not {self.model.estimator!r}")

    def _looked_at(self, what: str) -> Fitted:
        """The rows, each by itself."""
        return self._with_rows(what).by_row

    def _with_rows(self, what: str) -> Fitted:
        """The rows as they were fitted: what only sums over them takes patterns with their counts."""
        if self.rows is None:
            raise OptionError(
                f"{what} needs the rows of the fit, and a model file keeps none: open them again with "
                "with_rows(data), the table that the model was fitted to"
            )
        return self.rows
