"""Whether the model has the right shape: straight lines, calibration on its own rows, spread of rows of trials."""

from __future__ import annotations

import numpy as np

from passline.checks.estimate import too_many_terms
from passline.checks.finding import Finding, p_text
from passline.engine.likelihood import mean
from passline.errors import OptionError
from passline.fitting import Fitted
from passline.inference.calibration import sum_of_squares
from passline.inference.existence import maximum_likelihood
from passline.inference.linearity import Linearity
from passline.inference.linearity import linearity as test_lines
from passline.inference.residuals import pearson_residuals
from passline.inference.wald import chi2_p

DOUBT, CERTAIN = 0.05, 0.001
# Rows of trials with fewer expected successes (or failures) on average follow no chi-squared distribution.
EXPECTED = 1.0


def linearity(fitted: Fitted) -> list[Finding] | str:
    """Numbers in which the logit is no straight line, p-values adjusted for how many were tested (Holm)."""
    sample, outcome = fitted.sample, fitted.outcome
    if sample.sampling is not None:
        return "sampling weights have no likelihood ratio"
    if fitted.model.penalty:
        return "a penalty has no likelihood ratio"
    if too_many_terms(fitted):
        return "coefficients are too many for the rows, and likelihood ratios then too large"
    if fitted.model.estimator != "ml":
        outcome = maximum_likelihood(sample.blocks, sample.scaling)
    tests = test_lines(fitted.learned, sample, outcome)
    if not tests:
        return "no number enters as a straight line with enough different values"
    return [
        _bend(test, adjusted, len(tests))
        for test, adjusted in zip(tests, _holm([test.p_value for test in tests]), strict=True)
        if adjusted < DOUBT
    ]


def calibration(fitted: Fitted) -> list[Finding] | str:
    """Whether the probabilities hold on the rows of the fit, by the unweighted sum of squares."""
    if fitted.model.estimator != "ml":
        return "its test is one for maximum likelihood"
    if too_many_terms(fitted):
        return "coefficients are too many for the rows"
    try:
        test = sum_of_squares(fitted.sample, fitted.outcome)
    except OptionError as error:
        return str(error).split(":")[0]
    if np.isnan(test.p_value):
        return "the model has a probability for every pattern of its predictors"
    if test.p_value >= DOUBT:
        return []
    more = "more" if test.statistic > 0 else "less"
    sentence = (
        f"The outcomes stray {more} from the probabilities than the model allows: squared residuals add up to "
        f"{test.sum_of_squares:.4g}, and {test.expected:.4g} are expected ({p_text(test.p_value)}, unweighted sum of "
        "squares). A curve, an interaction or a predictor may be missing."
    )
    numbers = {"statistic": test.statistic, "p_value": test.p_value}
    return [Finding("calibration", "warning" if test.p_value < CERTAIN else "note", (), sentence, numbers)]


def overdispersion(fitted: Fitted) -> list[Finding] | str:
    """Whether rows of trials vary more than binomial counts do, by Pearson's chi-squared."""
    sample, outcome = fitted.sample, fitted.outcome
    if sample.trials is None:
        return "rows are single trials"
    if outcome.recession is not None:
        return "the outcome is separated"
    real = sample.trials > 0
    df = sample.nobs - outcome.rank
    expected = sample.trials * mean(-np.abs(outcome.eta))
    if df < 1 or float(sample.units[real] @ expected[real]) < EXPECTED * sample.nobs:
        return "rows hold too few trials to tell"
    r = pearson_residuals(sample, outcome) / np.sqrt(1.0 if sample.sampling is None else sample.sampling)
    statistic = float(sample.units[real] @ r[real] ** 2)
    p = chi2_p(statistic, df)
    if p >= 0.01:
        return []
    spread = statistic / df
    sentence = (
        f"Rows of trials vary {spread:.1f} times as much as the binomial allows (Pearson's chi-squared {statistic:.1f} "
        f"on {df} degrees of freedom, {p_text(p)}): standard errors should be {spread**0.5:.2f} times as large. Trials "
        "of one row are alike, or a predictor is missing; use quasi-binomial or robust errors."
    )
    return [Finding("overdispersion", "warning", (), sentence, {"dispersion": spread, "p_value": p, "df": df})]


def _bend(test: Linearity, adjusted: float, tests: int) -> Finding:
    known = f" after adjusting for {tests} tests" if tests > 1 else ""
    sentence = (
        f"The log-odds are no straight line in {test.term}: a spline in its place fits better (chi-squared "
        f"{test.statistic:.1f} on {test.df} {'degree' if test.df == 1 else 'degrees'} of freedom, {p_text(adjusted)}"
        f"{known}). Try rcs({test.term}, 4), and look at the curve."
    )
    if test.separated:
        sentence += " The spline separates the outcome, so its own estimates are infinite."
    numbers = {"statistic": test.statistic, "df": test.df, "p_value": test.p_value, "p_adjusted": adjusted}
    return Finding("linearity", "warning" if adjusted < CERTAIN else "note", (test.term,), sentence, numbers)


def _holm(p: list[float]) -> list[float]:
    """Holm's (1979) adjusted p-values."""
    adjusted, running = [1.0] * len(p), 0.0
    for place, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        running = max(running, min((len(p) - place) * p[i], 1.0))
        adjusted[i] = running
    return adjusted
