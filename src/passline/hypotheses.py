"""What a fit answers about hypotheses: tests of terms, profile intervals, contrasts, and another model of its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.comparison import Comparison, compare, read_columns
from passline.contrast import Contrast, contrast, joint
from passline.errors import OptionError
from passline.fitting import Fitted
from passline.inference.fingerprint import fingerprint
from passline.inference.profile import profiles, refuse_without_likelihood
from passline.inference.term_tests import Hypothesis, column_tests, droppable, term_tests
from passline.model import Model
from passline.table.columns import Native
from passline.table.native import as_native

Floats = NDArray[np.float64]


class Tested:
    """The part of a fit that tests hypotheses; its state is the fit's."""

    model: Model
    rows: Fitted | None
    native: Native

    def drop1(self, test: str = "lr") -> Any:
        """Test each term that no other term contains, as R's drop1 does: "lr", "score" (Rao) or "wald".

        A frame with term, df, statistic, p_value, and of the model without the term aic and separation (Wald's test
        does not fit it); under separation the likelihood ratio is of suprema, and Wald's statistic does not exist.
        Raises OptionError for fits without a likelihood and without rows; see
        :func:`passline.inference.term_tests.term_tests`.
        """
        if test != "wald":
            self._likelihood(f"a {test} test")
        self._unpenalised("tests of terms")
        rows = self._rows("drop1")
        found = term_tests(
            rows.sample,
            rows.outcome,
            self.model.covariance,
            droppable(self.model.design),
            test,
            df=self.model.settings.get("df"),
        )
        names = ("term", "df", "statistic", "p_value") + (("aic", "separation") if test != "wald" else ())
        return as_native({name: [getattr(one, name) for one in found] for name in names}, self.native)

    def tests(self) -> Any:
        """Likelihood-ratio, score and Wald tests of each coefficient: a frame with term, lr, lr_p, score, and so on."""
        self._likelihood("a likelihood-ratio test")
        rows = self._rows("tests")
        found = column_tests(rows.sample, rows.outcome, self.model.covariance)
        names = ("lr", "lr_p", "score", "score_p", "wald", "wald_p")
        columns: dict[str, Sequence[Any]] = {"term": list(found.names)}
        return as_native({**columns, **{name: getattr(found, name).tolist() for name in names}}, self.native)

    def profile(self, level: float = 0.95) -> Any:
        """Profile-likelihood intervals of the coefficients: a frame with term, conf_low, conf_high, statistic, p_value.

        The last two are the likelihood-ratio test of zero. Ends are infinite where the likelihood never falls so far.
        """
        self._likelihood("a profile interval")
        rows = self._rows("profile")
        found = profiles(rows.sample, rows.outcome, level)
        names = ("conf_low", "conf_high", "statistic", "p_value")
        columns: dict[str, Sequence[Any]] = {"term": list(self.model.terms.names)}
        return as_native({**columns, **{name: getattr(found, name).tolist() for name in names}}, self.native)

    def contrast(
        self,
        changes: Mapping[str, Any],
        at: Mapping[str, Any] | None = None,
        interval: str = "wald",
        level: float = 0.95,
    ) -> Contrast:
        """The change of the log-odds per so many units, or of one level against another.

        ``fit.contrast({"age": 10})``, ``fit.contrast({"race": ("black", "white")}, at={"smoke": "yes"})``; see
        :func:`passline.contrast.contrast`.
        """
        if interval == "profile":
            self._likelihood("a profile interval")
        rows = (self.rows.sample, self.rows.outcome) if self.rows is not None else None
        return contrast(self.model, changes, at, interval=interval, level=level, rows=rows)

    def joint(self, hypothesis: Any, values: Any = None) -> Hypothesis:
        """Test jointly that terms are zero, or that R w = values; see :func:`passline.contrast.joint`."""
        self._unpenalised("tests of hypotheses")
        likely = self.rows is not None and self._no_likelihood() is None
        rows = (self.rows.sample, self.rows.outcome) if likely and self.rows is not None else None
        return joint(self.model, hypothesis, values, rows)

    def compare(self, other: Tested, data: Any = None) -> Comparison:
        """The likelihood-ratio test of this fit against another of the same rows, one nested in the other.

        AIC and BIC are compared even where neither is. ``data``: the table, for models that were loaded and whose
        terms do not show that they are nested. Raises OptionError where the rows differ.
        """
        mine, theirs = self.fingerprinted(), other.fingerprinted()
        if data is not None:
            return compare(mine, theirs, lambda: read_columns(mine, theirs, data))
        if (own := self.rows) is not None and (others := other.rows) is not None:
            # Patterns of one model are not those of the other; rows are, and most comparisons need neither.
            return compare(mine, theirs, lambda: (_design(own.by_row.sample), _design(others.by_row.sample)))
        return compare(mine, theirs)

    def fingerprinted(self) -> Model:
        """The model with hashes of its rows among its settings."""
        if self.rows is None or "rows_sha256" in self.model.settings:
            return self.model
        return replace(self.model, settings={**self.model.settings, **fingerprint(self.rows.learned.by_row())})

    def _rows(self, what: str) -> Fitted:
        if self.rows is None:
            raise OptionError(
                f"{what} needs the rows of the fit, and a model file keeps none: open them again with with_rows(data)"
            )
        return self.rows

    def _likelihood(self, what: str) -> None:
        """Raise OptionError where the fit has no likelihood of its own to test by."""
        self._unpenalised(what)
        if (reason := self._no_likelihood()) is not None:
            raise OptionError(f"{what} needs a likelihood, and {reason}")
        if self.rows is not None:
            refuse_without_likelihood(self.rows.sample, what)

    def _no_likelihood(self) -> str | None:
        model = self.model
        if model.glance["log_likelihood"] is None:
            return "sampling weights leave none: choose Wald's"
        if model.settings.get("clusters"):
            return "rows of one cluster are not independent, so this fit has none: choose Wald's"
        if model.settings.get("df") is not None:
            return "an estimated dispersion leaves none: choose Wald's"
        if model.estimator != "ml":
            return f"that of estimator={model.estimator!r} is penalised: it has tests and intervals of its own"
        return None

    def _unpenalised(self, what: str) -> None:
        if self.model.penalty:
            raise OptionError(
                f"the fit is penalised ({self.model.penalty}), and {what} would say nothing true of such an estimate"
            )


def _design(sample: Any) -> Floats:
    X: Floats = sample.blocks.all.columns.dense()
    return X
