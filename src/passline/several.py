"""Several fits at once: pooled over multiply imputed tables, or side by side in one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passline.errors import OptionError
from passline.facade import Fit
from passline.inference.pooling import Rubin, rubin
from passline.inference.wald import normal_quantile
from passline.model import number
from passline.table.columns import Native
from passline.table.native import as_native

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pooled:
    """The pooled answer of ``fits`` fits to ``nobs`` rows each, its terms by ``names``; ``rubin`` has the numbers."""

    formula: str
    names: tuple[str, ...]
    fits: int
    nobs: int
    level: float
    rubin: Rubin
    native: Native

    def __repr__(self) -> str:
        from passline.show.side_by_side import pooled_text  # rich is not needed to pool

        return pooled_text(self.formula, self.fits, self.nobs, self.rows(), self.level)

    @property
    def coef(self) -> dict[str, float]:
        """The pooled estimates by the names of their terms; NaN where aliased."""
        return dict(zip(self.names, self.rubin.estimate.tolist(), strict=True))

    @property
    def covariance(self) -> Floats:
        """The total covariance, (p, p)."""
        return self.rubin.covariance.copy()

    def rows(self) -> list[dict[str, Any]]:
        """One dict a term; None where a number does not exist."""
        statistic, p, low, high = self.rubin.tested(self.level)
        found = self.rubin
        with np.errstate(over="ignore"):
            ratio = np.exp(found.estimate)
        columns = {
            "estimate": found.estimate,
            "std_error": found.std_error,
            "statistic": statistic,
            "df": found.df,
            "p_value": p,
            "odds_ratio": ratio,
            "conf_low": low,
            "conf_high": high,
            "within": found.within,
            "between": found.between,
            "fmi": found.fmi,
        }
        return [
            {"term": name, **{head: number(values[i]) for head, values in columns.items()}}
            for i, name in enumerate(self.names)
        ]

    def tidy(self) -> Any:
        """One row a term: estimate, std_error, statistic, df, p_value, odds_ratio, the interval, and the variances.

        A frame of the library that the first fit's data came in.
        """
        rows = self.rows()
        return as_native({name: [row[name] for row in rows] for name in rows[0]}, self.native)

    def as_json(self) -> dict[str, Any]:
        """The pooled table as a document."""
        head = {"formula": self.formula, "fits": self.fits, "nobs": self.nobs, "level": self.level}
        return {**head, "terms": self.rows()}


def pool(fits: Sequence[Fit], level: float = 0.95) -> Pooled:
    """Pool the fits of one formula to m multiply imputed tables by Rubin's rules, with Barnard and Rubin's df.

    Estimates are on the scale of log odds. Raises OptionError for fewer than two fits, for fits of different terms,
    outcomes, rows or kinds of errors, and for fits without standard errors (separated or penalised).
    """
    normal_quantile(level)
    fits = list(fits)
    if len(fits) < 2:
        raise OptionError("pool needs the fits of at least two imputed tables, better twenty")
    for place, fit in enumerate(fits, 1):
        if not isinstance(fit, Fit):
            raise OptionError(f"pool takes fits, and number {place} is a {type(fit).__name__}")
        _check_one(fit, place)
        _check_alike(fits[0], fit, place)
    first = fits[0].model
    estimates = np.array([fit.model.terms.estimate for fit in fits])
    found = rubin(
        estimates,
        np.array([fit.model.covariance for fit in fits]),
        float(min(fit.model.glance["df_residual"] for fit in fits)),
    )
    return Pooled(
        first.design.formula, first.terms.names, len(fits), int(first.glance["nobs"]), level, found, fits[0].native
    )


def side_by_side(
    fits: Mapping[str, Fit],
    format: str = "text",  # noqa: A002  # the word that readers of tables expect
    *,
    ratio: bool = True,
    errors: str = "interval",
) -> str:
    """Several models in one table, a column each: as "text", "markdown", "html" or "latex".

    ``ratio``: odds ratios, else log odds. ``errors``: "interval" (as each fit has it) or "std_error", which is that of
    the log odds. Below stand the rows, the log-likelihood, AIC and BIC. Names are escaped as the format needs it.
    Raises OptionError for another word, and for fits whose intervals are of different levels.
    """
    from passline.show.side_by_side import FORMATS, Side, table_of

    if format not in FORMATS:
        raise OptionError(f"the format is {format!r}: choose one of {', '.join(FORMATS)}")
    if errors not in ("interval", "std_error"):
        raise OptionError(f"errors is {errors!r}: choose 'interval' or 'std_error'")
    if not isinstance(fits, Mapping) or not fits:
        raise OptionError("side_by_side takes the fits by name: side_by_side({'crude': fit, 'adjusted': other})")
    for name, fit in fits.items():
        if not isinstance(fit, Fit):
            raise OptionError(f"side_by_side takes fits, and {name!r} is a {type(fit).__name__}")
    levels = {fit.model.level for fit in fits.values()}
    if errors == "interval" and len(levels) > 1:
        listed = ", ".join(f"{level:g}" for level in sorted(levels))
        raise OptionError(f"the fits have intervals of different levels ({listed}): fit them with one level")
    sides = [Side(str(name), fit.model) for name, fit in fits.items()]
    return FORMATS[format](table_of(sides, ratio=ratio, interval=errors == "interval"))


def _check_one(fit: Fit, place: int) -> None:
    if {"infinite", "undetermined"} & set(fit.model.terms.status):
        raise OptionError(
            f"fit {place} is separated: an infinite estimate cannot be pooled, and to leave the fit out would bias the "
            'others. Use estimator="firth" for all of them'
        )
    ok = np.array([word != "aliased" for word in fit.model.terms.status])
    if not np.isfinite(np.diagonal(fit.model.covariance)[ok]).all():
        raise OptionError(f"fit {place} has no standard errors (a penalised fit has none), so it cannot be pooled")


def _check_alike(first: Fit, fit: Fit, place: int) -> None:
    a, b = first.model, fit.model
    for what, one, other in (
        ("terms", ", ".join(a.terms.names), ", ".join(b.terms.names)),
        ("reference levels", str(a.design.references), str(b.design.references)),
        ("an outcome", f"{a.design.outcome} = {a.design.positive}", f"{b.design.outcome} = {b.design.positive}"),
        ("an estimator", a.estimator, b.estimator),
        ("aliased terms", str(a.terms.status), str(b.terms.status)),
        ("robust errors", str(a.settings.get("robust")), str(b.settings.get("robust"))),
        ("a dispersion", str(a.settings.get("dispersion")), str(b.settings.get("dispersion"))),
        ("a number of rows", str(a.glance["nobs"]), str(b.glance["nobs"])),
    ):
        if one != other:
            raise OptionError(
                f"fits 1 and {place} differ in {what} ({one} against {other}): Rubin's rules pool one model over "
                "tables with the same rows, their gaps filled"
            )
    _check_scales(first, fit, place)


def _check_scales(first: Fit, fit: Fit, place: int) -> None:
    """What scale() and rcs() learn from imputed values differs a little, and with it what a coefficient means."""
    if first.model.design.states != fit.model.design.states:
        changed = [t for t, state in first.model.design.states.items() if fit.model.design.states.get(t) != state]
        raise OptionError(
            f"fits 1 and {place} learned {', '.join(changed)} from different values, so their coefficients do not mean "
            "the same: compute the column in all tables from the same mean, deviation or knots, and use it as it is"
        )
