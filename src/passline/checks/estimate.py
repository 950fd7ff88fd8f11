"""What the estimate says of itself: existence, events for each term, collinearity, large effects, single rows."""

from __future__ import annotations

import math

import numpy as np

from passline.checks.finding import Finding, listed
from passline.fitting import Fitted
from passline.inference.collinearity import condition_number, inflation_of
from passline.inference.influence import dfbeta, leverage
from passline.inference.linearity import straight
from passline.inference.proportional import slope_bias
from passline.inference.verdict import describe
from passline.table.coding import CategoryFactor
from passline.table.tree import column_of

# Fewer of the rarer outcome for each coefficient, and estimates tend to be too large: Peduzzi et al. (1996).
EVENTS_PER_TERM = 10.0
# More coefficients for each row, and no number of rows mends the bias: Sur and Candès (2019).
TERMS_PER_ROW = 0.1
MANY_ROWS = 100
# Variance inflation for each column of a term from which on people say so, and from which on it hurts.
INFLATED, MUCH_INFLATED = 5.0, 10.0
# Cook's distance from which on a row is worth a look, and from which on it moves the answer (Cook and Weisberg 1982).
DISTANCE, FAR = 0.5, 1.0
LARGE_RATIO = 100.0
ROWS_SHOWN = 3


def separation(fitted: Fitted) -> list[Finding]:
    """Whether the estimate exists, and whether it was reached."""
    model, outcome = fitted.model, fitted.outcome
    if not model.certificate["converged"]:
        sentence = "The solver stopped before the gradient vanished: look for columns that nearly repeat others."
        return [Finding("convergence", "warning", (), sentence, {"gradient": model.certificate["gradient_norm"]})]
    if outcome.recession is None:
        terms = tuple(model.separation["terms"])
        if model.separation["kind"] == "none":
            return []
        sentence = (
            f"The outcome is separated, so maximum likelihood has no finite estimate of {listed(terms)}: how large "
            "these are is what the prior makes of it, and their intervals reach far on one side."
        )
        return [Finding("separation", "note", terms, sentence)]
    text = describe(model.design, fitted.sample, outcome.recession, outcome.status)
    units = fitted.sample.units
    numbers = {"separated": int(units[outcome.recession.separated].sum()), "rows": int(units.sum())}
    return [Finding("separation", "warning", tuple(model.separation["terms"]), text[0].upper() + text[1:], numbers)]


def events(fitted: Fitted) -> list[Finding]:
    """How many of the rarer outcome there are for each coefficient, and how many coefficients for each row."""
    sample, rank = fitted.sample, fitted.outcome.rank
    c = sample.units if sample.trials is None else sample.units * sample.trials
    n, rare = float(c.sum()), float(min(c @ sample.y, c @ (1.0 - sample.y)))
    df = rank - int(sample.scaling.intercept)
    if df < 1:
        return []
    each = rare / df
    numbers: dict[str, float | None] = {"events": rare, "coefficients": df, "events_per_term": each, "per_row": df / n}
    if too_many_terms(fitted):
        sentence = (
            f"{df} coefficients on {n:,.0f} rows ({df / n:.2f} for each row): the slopes are then too steep and Wald's "
            "intervals too short, and more rows in the same proportion do not mend it. With 200 terms on 1,000 rows "
            "slopes are 1.5 times too steep and intervals of 95 % cover 80 % (Sur and Candès 2019)"
        )
        bias = slope_bias(sample, fitted.outcome)
        if bias is not None:
            numbers["slope_bias"] = bias.bias
            sentence += (
                f". Here they are about {bias.bias:.2f} times too steep, if combinations of the predictors are about "
                "normal (Yadlowsky et al. 2021)"
            )
        return [Finding("few events", "warning", (), f"{sentence}. Use fewer terms, or a penalty.", numbers)]
    if each >= EVENTS_PER_TERM:
        return []
    counted = f"{rare:,.0f} {'row' if rare == 1 else 'rows'} of the rarer outcome for "
    counted += "1 coefficient" if df == 1 else f"{df} coefficients, {each:.1f} for each"
    sentence = f"{counted}: below about 10 the estimates tend to be too large, and intervals are not to be leant on"
    advice = 'Use estimator="firth"' + (", or fewer terms." if df > 1 else ".")
    return [Finding("few events", "note", (), f"{sentence}. {advice}", numbers)]


def too_many_terms(fitted: Fitted) -> bool:
    """Whether coefficients are so many for the rows that large-sample theory fails, however many rows there are."""
    sample, df = fitted.sample, fitted.outcome.rank - int(fitted.sample.scaling.intercept)
    n = float(sample.units.sum() if sample.trials is None else sample.units @ sample.trials)
    return df > TERMS_PER_ROW * n and n >= MANY_ROWS


def collinearity(fitted: Fitted) -> list[Finding] | str:
    """Terms whose intervals are long because other terms repeat them."""
    if fitted.model.penalty or np.isnan(fitted.outcome.covariance).all():
        return "there is no covariance"
    groups = _by_predictor(fitted)
    if len(groups) < 2:
        return "there is one predictor"
    grouped = [item for item in inflation_of(fitted.sample, fitted.outcome, groups) if item.df]
    high = [item for item in grouped if item.per_df**2 > INFLATED]
    if not high:
        return []
    high.sort(key=lambda item: -item.per_df)
    names = [item.term for item in high]
    one, most = len(high) == 1, high[0].per_df
    what = f"{listed(names)} {'repeats' if one else 'repeat'} what other terms say: "
    what += "its interval is " if one else "their intervals are up to "
    what += f"{most:.1f} times" if math.isfinite(most) else "many times"
    sentence = (
        f"{what} as long as without them. The probabilities do not suffer; what each term says by itself does. Keep "
        "one of those that mean alike, or ask about them together (a joint test)."
    )
    numbers = {
        "gvif": [item.gvif for item in high],
        "times_as_long": [item.per_df for item in high],
        "condition_number": condition_number(fitted.sample),
    }
    much = high[0].per_df ** 2 > MUCH_INFLATED
    return [Finding("collinearity", "warning" if much else "note", tuple(names), sentence, numbers)]


def large_effects(fitted: Fitted) -> list[Finding]:
    """Odds ratios, between two levels or over two standard deviations of a number, beyond what one meets."""
    model, scaling = fitted.model, fitted.sample.scaling
    lines = {text for text, _ in straight(fitted.learned)}
    far: list[tuple[str, float, float]] = []
    for term in model.design.terms:
        category = len(term.factors) == 1 and isinstance(term.factors[0], CategoryFactor)
        if not (category or term.text in lines):
            continue
        at = fitted.sample.columns[term.text]
        for j in range(at.start, at.stop):
            step = 1.0 if category else 2.0 * scaling.spread[j]
            effect = float(model.coef[j]) * step
            if model.terms.status[j] == "ok" and abs(effect) > math.log(LARGE_RATIO):
                far.append((model.terms.names[j], math.exp(min(abs(effect), 700.0)), step))
    if not far:
        return []
    far.sort(key=lambda item: -item[1])
    names = tuple(name for name, _, _ in far)
    how_far = f"{_times(far[0][1])}-fold" if len(far) == 1 else f"100-fold to {_times(far[0][1])}-fold"
    sentence = (
        f"The odds change {how_far} with {listed(names)} (between levels, or over two standard deviations), which is "
        "seldom met. Look at how many rows that rests on, and whether each column was known before the outcome."
    )
    numbers = {"fold": [ratio for _, ratio, _ in far], "step": [step for _, _, step in far]}
    return [Finding("large effects", "note", names, sentence, numbers)]


def influential(fitted: Fitted) -> list[Finding] | str:
    """Rows without which the estimate would be another."""
    sample, outcome = fitted.sample, fitted.outcome
    if outcome.recession is not None:
        return "the outcome is separated"
    distance = leverage(sample, outcome).cooks_distance
    if np.isnan(distance).all():
        return "there is no covariance"
    # No coefficient moves by a standard error unless rank * distance is above one.
    order = np.argsort(-np.nan_to_num(distance))[:20]
    order = order[np.nan_to_num(distance[order]) > min(DISTANCE, 1.0 / max(outcome.rank, 1))]
    if not len(order):
        return []
    with np.errstate(invalid="ignore"):
        moves = dfbeta(sample, outcome, order) / np.sqrt(np.diagonal(outcome.covariance))
    if sample.scaling.intercept and moves.shape[1] > 1:
        moves[:, 0] = np.nan  # it says where zero lies, which nobody asked
    largest = np.nanmax(np.abs(moves), axis=1)
    worth = (distance[order] > DISTANCE) | (largest > 1.0)
    order, moves, largest = order[worth], moves[worth], largest[worth]
    if not len(order):
        return []
    parts, names = [], []
    for i, row, size in list(zip(order.tolist(), moves, largest, strict=True))[:ROWS_SHOWN]:
        name = fitted.model.terms.names[int(np.nanargmax(np.abs(row)))]
        names.append(name)
        parts.append(
            f"{fitted.learned.rows.where(i)} moves the coefficient of {name} by {size:.1f} standard errors (Cook's "
            f"distance {distance[i]:.2f})"
        )
    more = f"; and {len(order) - ROWS_SHOWN} more rows do the like" if len(order) > ROWS_SHOWN else ""
    what = "the row says what it should, and report the fit with and without it"
    if len(order) > 1:
        what = "the rows say what they should, and report the fit with and without them"
    sentence = f"{'; '.join(parts)}{more}. Look whether {what}."
    numbers = {
        "rows": [int(np.flatnonzero(fitted.learned.rows.kept())[i]) for i in order],
        "cooks_distance": distance[order].tolist(),
        "standard_errors": largest.tolist(),
    }
    far = bool((distance[order] > FAR).any())
    return [Finding("influence", "warning" if far else "note", tuple(dict.fromkeys(names)), sentence, numbers)]


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio < 1e6 else f"{ratio:.0e}"


def _by_predictor(fitted: Fitted) -> dict[str, list[str]]:
    """Terms that share a predictor together: a square or an interaction repeats its own line by design."""
    groups: list[tuple[set[str], list[str]]] = []
    for term in fitted.model.design.terms:
        mine = {f.column if isinstance(f, CategoryFactor) else column_of(f.expression).name for f in term.factors}
        texts = [term.text]
        apart = []
        for columns, members in groups:
            if columns & mine:
                mine |= columns
                texts = [*members, *texts]
            else:
                apart.append((columns, members))
        groups = [*apart, (mine, texts)]
    return {" + ".join(texts): texts for _, texts in groups}
