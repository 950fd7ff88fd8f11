"""What the model says: the coefficient table, the effects on the probability, and where it reaches one half."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from passline.boundary import Boundary
from passline.model import Model
from passline.show.report.content import Content
from passline.show.report.markup import (
    Markup,
    chart,
    clipped,
    code,
    element,
    folded,
    joined,
    label,
    listing,
    name,
    plain,
    said,
    table,
)
from passline.show.terminal import error_words, number, p_value, set_text

if TYPE_CHECKING:
    from passline.effect_curves import EffectCurve

# Terms that a table lists, those that are not folded away, and those that a chart has room for.
LISTED, OPEN, DRAWN = 200, 40, 30


def percent(level: float) -> str:
    """A level for reading."""
    return f"{100 * level:g}\N{NO-BREAK SPACE}%"


def coefficients(content: Content) -> Markup:
    """The coefficient table with its chart, and what stands under it."""
    model = content.model
    chosen = listed_terms(model)
    rows = [_term(model, i) for i in chosen]
    heads = ["term", "odds ratio", f"{percent(model.level)} interval", "log-odds", "std. error", _statistic(model), "p"]
    made = table("The coefficients", heads, rows)
    total = len(model.terms.names)
    if total > len(chosen):
        count = f"The {len(chosen)} of {total:,} terms with the greatest statistics (see the model file for all)"
        made = folded(count, made)
    elif total > OPEN:
        made = folded(f"All {total:,} terms", made)
    parts = [element("p", *_reading(model))]
    if _drawn(model):
        parts.append(
            element("figure", element("div", class_="chart", data_chart="odds", data_label=_odds_label(model)))
        )
    parts.append(made)
    return joined([*parts, *_notes(model)])


def listed_terms(model: Model) -> list[int]:
    """The places of the terms that are listed: all, or those with the greatest statistics, in the formula's order."""
    total = len(model.terms.names)
    if total <= LISTED:
        return list(range(total))
    z = np.abs(model.terms.statistic)
    weight = np.where(np.isnan(z), np.abs(model.coef), z)
    weight[[word in ("infinite", "undetermined") for word in model.terms.status]] = np.inf
    return sorted(np.argsort(-weight, kind="stable")[:LISTED].tolist())


def odds_data(model: Model) -> list[dict[str, Any]]:
    """What the chart of the odds ratios draws."""
    terms = model.terms
    return [
        {
            "term": label(terms.names[i]),
            "estimate": float(terms.estimate[i]),
            "low": _or_none(terms.conf_low[i]),
            "high": _or_none(terms.conf_high[i]),
        }
        for i in _drawn(model)
    ]


def effects(content: Content) -> Markup:
    """Each predictor's effect on the probability, the others held."""
    model = content.model
    if not model.design.variables:
        return element("p", "The model has no predictor, so every row has the same probability.")
    if not content.effects:
        why = "a function of the formula has no value where the predictors would be held"
        return element("p", f"No effect can be drawn: {why}.", class_="absent")
    held = "The other predictors are held at their means and most frequent levels."
    intro = said("The probability of {} along each predictor. ", outcome(model)) + Markup(
        held if len(model.design.variables) > 1 else ""
    )
    parts: list[Markup] = [element("p", Markup(intro))]
    panels = [
        element(
            "section",
            element("h3", name(curve.variable)),
            chart(f"effect-{i}", f"Probability along {plain(clipped(curve.variable, 60))}", _effect_table(curve)),
            *(element("p", sentence(note), class_="foot") for note in curve.notes),
            class_="panel",
        )
        for i, curve in enumerate(content.effects)
    ]
    parts.append(element("div", *panels, class_="panels"))
    if content.more_effects:
        parts.append(element("p", f"Not drawn: {content.more_effects:,} more.", class_="foot"))
    if any(":" in term.text and len(term.factors) > 1 for term in model.design.terms):
        parts.append(
            element(
                "p",
                "Some predictors interact: their effect is another where the others are held elsewhere. Try that under "
                "“What if”.",
                class_="foot",
            )
        )
    return joined(parts)


def effects_data(content: Content) -> list[dict[str, Any]]:
    """What the charts of the effects draw; levels and names as a chart shows them."""
    found = []
    for curve in content.effects:
        document = curve.as_json()["curve"]
        values = [label(str(v)) if curve.kind == "category" else v for v in curve.values]
        shown = [{**row, "value": value} for row, value in zip(document, values, strict=True)]
        at = [b.estimate for b in content.boundaries if b.variable == curve.variable and math.isfinite(b.estimate)]
        # A yes or no that is written as a number has nothing between its two values.
        kind = "category" if len(values) == 2 else curve.kind
        if kind != curve.kind:
            shown = [{**row, "value": short(float(row["value"]))} for row in shown]
        found.append({"variable": label(curve.variable), "kind": kind, "curve": shown, "boundary": at})
    return found


def boundaries(content: Content) -> Markup:
    """At which value of each number the probability is one half."""
    model = content.model
    if not content.boundaries:
        return element(
            "p",
            "The model has no number with more than two values, so there is no value at which it flips.",
        )
    rows = []
    for found in content.boundaries:
        low, high = _range(model, found.variable)
        estimate = "none" if math.isnan(found.estimate) else signed(found.estimate, 5)
        notes = [found.note] if found.note else []
        if math.isfinite(found.estimate) and not low <= found.estimate <= high:
            notes.append(f"the rows cover {short(low)} to {short(high)}: an extrapolation to {estimate}")
            estimate = "beyond the rows"
        rows.append(
            (name(found.variable), estimate, _set(found), found.interval, sentence("; ".join(notes)) if notes else "")
        )
    heads = ["predictor", "reaches 0.5 at", f"{percent(content.boundaries[0].level)} set", "interval", "to know"]
    intro = said(
        "The value of a predictor at which {} is as likely as {}, the others at their means and most frequent levels.",
        name(model.design.positive),
        name(model.design.negative),
    )
    parts = [element("p", intro), table("Where the probability is one half", heads, rows, words=(2, 4))]
    if content.more_boundaries:
        parts.append(element("p", f"{content.more_boundaries:,} more numbers are not listed.", class_="foot"))
    if model.flic_intercept is not None:
        parts.append(
            element("p", "These follow the table's intercept; predictions use the corrected one (FLIC).", class_="foot")
        )
    return joined(parts)


def outcome(model: Model) -> Markup:
    """The outcome and its positive label: "low = 1"."""
    return joined([name(model.design.outcome), " = ", name(model.design.positive)])


def sentence(text: str) -> str:
    """One of our own sentences, that others' names are part of: a capital, and a full stop."""
    text = plain(text)
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "?")) else ".")


def _term(model: Model, i: int) -> tuple[str, ...]:
    terms = model.terms
    low, high = (_exp(float(v)) for v in (terms.conf_low[i], terms.conf_high[i]))
    interval = "" if math.isnan(low) and math.isnan(high) else f"{_end(low, '0')} to {_end(high, '∞')}"
    if terms.status[i] in ("ok", "zero"):
        z = "" if math.isnan(terms.statistic[i]) else f"{terms.statistic[i]:.2f}".replace("-", "\N{MINUS SIGN}")
        cells = [signed(float(terms.odds_ratio[i])), interval, signed(float(terms.estimate[i]))]
        cells += [signed(float(terms.std_error[i])), z, p_value(terms.p_value[i])]
    else:
        words = {
            "infinite": ("∞", "+∞") if terms.limit[i] == "+inf" else ("0", "\N{MINUS SIGN}∞"),
            "undetermined": ("not determined", ""),
            "aliased": ("aliased", "repeats others"),
        }[terms.status[i]]
        cells = [words[0], interval, words[1], "", "", p_value(terms.p_value[i])]
    return (name(terms.names[i]), *cells)


def signed(value: float, digits: int = 4) -> str:
    """A number for reading, with a true minus sign."""
    return number(value, digits).replace("-", "\N{MINUS SIGN}")


def short(value: float) -> str:
    """A number for reading, four digits without zeros at its end."""
    return f"{value:.4g}".replace("-", "\N{MINUS SIGN}")


def _end(value: float, none: str) -> str:
    return none if math.isnan(value) else "∞" if math.isinf(value) else signed(value)


def _statistic(model: Model) -> str:
    return "z" if model.settings.get("df") is None else "t"


def _reading(model: Model) -> list[Markup]:
    parts = [
        said(
            "An odds ratio above 1 goes with more of {}, one below 1 with less, when the term grows by one (or a level "
            "is compared with its reference) and the others stay as they are.",
            outcome(model),
        )
    ]
    references = [joined([name(text), " = ", name(level)]) for text, level in model.design.references.items()]
    if references:
        parts.append(joined([" Reference levels: ", listing(references, 8), "."]))
    return parts


def _notes(model: Model) -> list[Markup]:
    notes = []
    settings = model.settings
    errors = error_words(model)
    if errors:
        notes.append(f"Standard errors: {errors}.")
    if settings.get("interval") == "profile":
        notes.append("Intervals are profile-likelihood intervals, p-values those of likelihood-ratio tests.")
    if settings.get("l2") or settings.get("l1"):
        given = " and ".join(f"{k} = {settings[k]:g}" for k in ("l1", "l2") if settings.get(k))
        notes.append(
            f"The fit is penalised ({given} a row): its estimates are drawn towards zero on purpose, and have no "
            "standard errors, p-values or intervals that would mean what they usually do."
        )
    if model.estimator == "firth":
        notes.append("Estimated under Jeffreys' prior (Firth), which is finite for every separated outcome too.")
    if model.flic_intercept is not None:
        notes.append(
            f"Predictions use the intercept {signed(model.flic_intercept, 6)} (FLIC), which makes the mean probability "
            "the observed rate; the table keeps Firth's."
        )
    if "aliased" in model.terms.status:
        notes.append("Aliased: the column repeats what others say, so it counts as zero and they speak for it.")
    if {"infinite", "undetermined"} & set(model.terms.status):
        notes.append(
            "An infinite or undetermined term has no finite maximum-likelihood estimate, since the outcome is "
            "separated; the other terms stand for the rows that nothing separates."
        )
    return [element("p", note, class_="foot") for note in notes]


def _drawn(model: Model) -> list[int]:
    """The terms of the chart: those with an estimate, without the intercept."""
    ok = [
        i
        for i in listed_terms(model)
        if model.terms.status[i] == "ok" and model.terms.names[i] != "(Intercept)" and model.design.names[i]
    ]
    return ok if len(ok) <= DRAWN else sorted(sorted(ok, key=lambda i: -abs(_rank(model, i)))[:DRAWN])


def _rank(model: Model, i: int) -> float:
    z = float(model.terms.statistic[i])
    return float(model.coef[i]) if math.isnan(z) else z


def _odds_label(model: Model) -> str:
    return f"Odds ratios with {percent(model.level)} intervals"


def _effect_table(curve: EffectCurve) -> Markup:
    rows = []
    step = max(len(curve.values) // 11, 1) if curve.kind == "number" else 1
    for i in range(0, len(curve.values), step):
        value = curve.values[i]
        text = name(value) if isinstance(value, str) else short(float(value))
        p, low, high = (float(v[i]) for v in (curve.probability, curve.conf_low, curve.conf_high))
        interval = "" if math.isnan(low) else f"{low:.4f} to {high:.4f}"
        rows.append((text, "not determined" if math.isnan(p) else f"{p:.4f}", interval))
    return table(
        f"Probability along {plain(clipped(curve.variable, 60))}",
        ["value", "probability", f"{percent(curve.level)} interval"],
        rows,
    )


def _set(found: Boundary) -> str:
    text = set_text(found, 4).replace("-", "\N{MINUS SIGN}") if found.pieces else ""
    return text or ("none" if math.isnan(found.estimate) else "")


def _range(model: Model, variable: str) -> tuple[float, float]:
    summary = model.summaries[variable]
    return float(summary["min"]), float(summary["max"])


def _exp(value: float) -> float:
    return value if math.isnan(value) else math.exp(value) if value < 700 else math.inf


def _or_none(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def formula(model: Model) -> Markup:
    """The formula as code, cut where it is endless."""
    return code(clipped(model.design.formula, 600))
