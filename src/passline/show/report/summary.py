"""The report in plain words: what was asked, what was found, how sure that is, and what to distrust."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from passline.inference.wald import chi2_p
from passline.model import Model
from passline.show.report.content import Content
from passline.show.report.estimates import formula, outcome, percent, sentence, short, signed
from passline.show.report.markup import Markup, element, joined, listing, name, plain, said
from passline.show.report.quality import whose
from passline.show.terminal import number
from passline.table.coding import CategoryFactor, Factor
from passline.table.tree import Name

# Associations and doubts that are told; the others are counted, and stand further below.
TOLD, DOUBTS = 6, 8
# Fewer of the rarer outcome for each coefficient, and estimates tend to be too large: Peduzzi et al. (1996).
EVENTS_PER_TERM = 10.0
WEAK_AUC = 0.6


def summary(content: Content) -> Markup:
    """The four paragraphs, and the key figures above them."""
    parts = {
        "What was asked": _asked(content),
        "What was found": _found(content),
        "How sure": _sure(content),
        "What to distrust": _doubts(content),
    }
    sections = [element("section", element("h3", head), body) for head, body in parts.items()]
    return joined([_key_figures(content), element("div", *sections, class_="paragraphs")])


def positives(content: Content) -> tuple[float, float] | None:
    """How much of the fit's rows is positive, and their total, weights counted; None where no summary says."""
    for held in content.model.summaries.values():
        return float(np.sum(held["positive"])), float(np.sum(held["count"]))
    found = content.evaluation
    return None if found is None or not found.own_rows else (found.rate * found.trials, found.trials)


def _key_figures(content: Content) -> Markup:
    model, found = content.model, content.evaluation
    items = [("rows used", f"{model.rows['used']:,}", f"of {model.rows['read']:,} read")]
    counted = positives(content)
    if counted is not None:
        items.append(
            (
                "are positive",
                f"{100 * counted[0] / counted[1]:.3g}\N{NO-BREAK SPACE}%",
                f"{counted[0]:,.6g} of {counted[1]:,.6g}",
            )
        )
    if found is not None:
        value, kind = _honest(content, "auc")
        items.append(("AUC", "none" if math.isnan(value) else f"{value:.3f}", kind))
        value, kind = _honest(content, "calibration_slope")
        items.append(("calibration slope", "none" if math.isnan(value) else f"{value:.2f}", kind))
    flips = [b for b in content.boundaries if math.isfinite(b.estimate)]
    if flips and len(model.design.variables) == 1:
        items.append(("is as likely as not at", number(flips[0].estimate), _short(flips[0].variable)))
    cards = [
        element("div", element("dt", what), element("dd", value), element("dd", more, class_="more"))
        for what, value, more in items
    ]
    return element("dl", *cards, class_="cards")


def _short(text: str) -> Markup:
    return name(text, 40)


def _honest(content: Content, measure: str) -> tuple[float, str]:
    """The figure of a measure that flatters least, and of which kind it is."""
    found = content.evaluation
    assert found is not None
    figures = found.measures[measure]
    if not found.own_rows:
        return figures["value"], "on other rows"
    for kind, words in (("cross_validated", "cross-validated"), ("corrected", "less its optimism")):
        if not math.isnan(figures[kind]):
            return figures[kind], words
    return figures["apparent"], "apparent: it flatters"


def _asked(content: Content) -> Markup:
    model = content.model
    predictors = model.design.variables
    with_ = said(" is associated with {}", listing([name(v, 60) for v in predictors])) if predictors else Markup("")
    text = said("How the probability of {} (against {}){}", outcome(model), name(model.design.negative), with_)
    source = said(" The rows are from {}.", name(content.made.fit_source)) if content.made.fit_source else Markup("")
    dropped = model.rows["dropped"]
    left = f"; {dropped:,} more were left out because a value is missing" if dropped else ""
    rows = f"{model.rows['used']:,} row{'' if model.rows['used'] == 1 else 's'} were used{left}."
    if model.rows["used"] == 1:
        rows = rows.replace("were", "was", 1)
    return joined([element("p", text, ". ", rows, source), element("p", "The formula: ", formula(model))])


def _found(content: Content) -> Markup:
    model = content.model
    alone = _alone(model)
    clear = [i for i in alone if _clear(model, i)]
    clear.sort(key=lambda i: -abs(float(model.terms.statistic[i])))
    told = [element("li", _association(model, i, alone[i])) for i in clear[:TOLD]]
    parts: list[Markup] = []
    if told:
        parts.append(element("p", "Associations whose intervals leave out “no difference”, the clearest first:"))
        parts.append(element("ul", *told))
        if len(clear) > TOLD:
            parts.append(element("p", f"{len(clear) - TOLD:,} more such terms are in the table."))
    unclear = [i for i in alone if model.terms.status[i] == "ok" and i not in clear]
    if unclear and _has_intervals(model):
        words = "These rows do not tell whether {} {} associated with more or with less of {}."
        verb = "is" if len(unclear) == 1 else "are"
        parts.append(element("p", said(words, _names(model, unclear), verb, outcome(model))))
    elif unclear:
        parts.append(
            element("p", "The estimates are in the table; they have no intervals, so none of them is called clear.")
        )
    without = [i for i in _slopes(model) if model.terms.status[i] in ("infinite", "undetermined")]
    if without:
        words = "The outcome is separated, and no finite estimate exists for {}."
        parts.append(element("p", said(words, _names(model, without))))
    tied = [term.text for term in model.design.terms if any(f.column in _shared(model) for f in term.factors)]
    if tied:
        words = "Curves and interactions are read from the effects, not from single coefficients: {}."
        parts.append(element("p", said(words, listing([name(text, 60) for text in tied]))))
    if not _slopes(model):
        parts.append(element("p", "The model has no predictor: it says the same probability for every row."))
    return joined([*parts, *_flips(content)])


def _names(model: Model, places: list[int]) -> Markup:
    return listing([name(model.terms.names[i], 60) for i in places])


def _shared(model: Model) -> set[str]:
    """Columns that no single coefficient speaks for: in several terms, or in several columns of numbers of one."""
    seen: set[str] = set()
    found: set[str] = set()
    for term in model.design.terms:
        for factor in term.factors:
            several = not isinstance(factor, CategoryFactor) and len(factor.names) > 1
            if factor.column in seen or len(term.factors) > 1 or several:
                found.add(factor.column)
            seen.add(factor.column)
    return found


def _alone(model: Model) -> dict[int, Factor]:
    """The terms that speak for their column by themselves, by place, each with its factor."""
    found: dict[int, Factor] = {}
    place, shared = int(model.design.intercept), _shared(model)
    for term in model.design.terms:
        if not any(factor.column in shared for factor in term.factors):
            found |= dict.fromkeys(range(place, place + len(term.names)), term.factors[0])
        place += len(term.names)
    return found


def _flips(content: Content) -> Iterator[Markup]:
    """Where the probability is one half, said for few predictors only."""
    model = content.model
    held = ", the others at their means and most frequent levels" if len(model.design.variables) > 1 else ""
    for found in content.boundaries[:2]:
        summary = model.summaries[found.variable]
        if math.isfinite(found.estimate) and summary["min"] <= found.estimate <= summary["max"]:
            interval = ""
            if len(found.pieces) == 1 and all(map(math.isfinite, found.pieces[0])):
                low, high = found.pieces[0]
                interval = f" ({percent(found.level)} set {short(low)} to {short(high)})"
            words = "The probability is one half at {} = {}{}{}."
            yield element("p", said(words, name(found.variable, 60), signed(found.estimate, 5), interval, held))
        elif found.interval == "gap" and found.pieces:
            low, high = found.pieces[0]
            words = "Every value of {} from {} to {} would do as the place where it flips."
            yield element("p", said(words, name(found.variable, 60), short(low), short(high)))


def _clear(model: Model, i: int) -> bool:
    low, high = float(model.terms.conf_low[i]), float(model.terms.conf_high[i])
    return model.terms.status[i] == "ok" and (low > 0 or high < 0)


def _has_intervals(model: Model) -> bool:
    return any(not math.isnan(value) for value in model.terms.conf_low)


def _slopes(model: Model) -> list[int]:
    return list(range(int(model.design.intercept), len(model.terms.names)))


def _association(model: Model, i: int, factor: Factor) -> Markup:
    """One association in words."""
    terms = model.terms
    ends = (terms.estimate[i], terms.conf_low[i], terms.conf_high[i])
    ratio, low, high = (number(math.exp(min(float(value), 700.0))) for value in ends)
    interval = said("({} interval {} to {})", percent(model.level), low, high)
    times = said("{} times the odds of {} {}", ratio, outcome(model), interval)
    if isinstance(factor, CategoryFactor):
        level = name(terms.names[i].removeprefix(factor.text))
        if factor.full:
            return said("{} = {} has odds of {} {}", name(factor.text), level, ratio, interval)
        return said("{} = {} goes, against {}, with {}", name(factor.text), level, name(factor.levels[0]), times)
    if not isinstance(factor.expression, Name):
        return said("one more in {} goes with {}", name(terms.names[i]), times)
    if yes_or_no(model.summaries[factor.column]):
        return said("{} = 1 goes, against 0, with {}", name(factor.column), times)
    return said("one unit more of {} goes with {}", name(factor.column), times)


def yes_or_no(summary: Mapping[str, Any]) -> bool:
    """Whether a number is 0 or 1 in each row."""
    between = summary.get("count", [0.0])[1:-1]
    return (summary.get("min"), summary.get("max")) == (0.0, 1.0) and not any(between)


def _sure(content: Content) -> Markup:
    model, found = content.model, content.evaluation
    items: list[str] = []
    test = _against_nothing(model)
    if test is not None:
        chi2, df, p = test
        shown = "p < 0.0001" if p < 1e-4 else f"p = {p:.4f}"
        plural = "degree" if df == 1 else "degrees"
        words = "Against a model without predictors, twice the log-likelihood is higher by"
        items.append(f"{words} {number(chi2)} on {df:,} {plural} of freedom ({shown}).")
    if found is None:
        items.append(f"How well the probabilities hold is not known here: {plain(content.missing['evaluation'])}.")
    else:
        items += _of_figures(content)
    if not model.certificate["converged"]:
        items.append("The fit did not converge: the numbers are not those of the optimum.")
    if not _has_intervals(model) and _slopes(model):
        why = "there is no covariance"
        if model.settings.get("l2") or model.settings.get("l1"):
            why = "the fit is penalised, and no standard error would mean what it usually does"
        elif model.separation["kind"] != "none":
            why = "the outcome is separated"
        items.append(f"No coefficient has a standard error or an interval: {why}.")
    return element("ul", *(element("li", sentence(item)) for item in items))


def _of_figures(content: Content) -> list[str]:
    found = content.evaluation
    assert found is not None
    items = []
    auc, kind = _honest(content, "auc")
    if not math.isnan(auc):
        text = "Of a positive and a negative row, the positive one gets the higher probability in "
        text += f"{100 * auc:.1f}\N{NO-BREAK SPACE}% of pairs (AUC, {kind}"
        if found.own_rows and kind[:8] != "apparent":
            text += (
                f"; {100 * found.measures['auc']['apparent']:.1f}\N{NO-BREAK SPACE}% on the rows of the fit themselves"
            )
        if not found.own_rows:
            low, high = found.measures["auc"]["conf_low"], found.measures["auc"]["conf_high"]
            text += (
                ""
                if math.isnan(low)
                else f", {percent(found.level)} interval {100 * low:.1f} to {100 * high:.1f}\N{NO-BREAK SPACE}%"
            )
        items.append(text + "); 50\N{NO-BREAK SPACE}% is chance.")
    slope, kind = _honest(content, "calibration_slope")
    if not math.isnan(slope) and not (found.own_rows and kind.startswith("apparent")):
        if slope < 0.9:
            words = "the probabilities of new rows will tend to be too extreme"
        elif slope > 1.1:
            words = "the probabilities of new rows will tend to be too close to the average"
        else:
            words = "the probabilities are about as extreme as they should be"
        items.append(f"The calibration slope is {slope:.2f} ({kind}; 1 is perfect): {words}.")
    if found.own_rows:
        return items
    loss, _ = _honest(content, "log_loss")
    items.append(f"These figures are of {whose(found)}, which the fit has not seen, as far as can be known.")
    if math.isinf(loss):
        items.append("The log loss is infinite: an outcome to which the fit gives a probability of 0 did happen.")
    return items


def _against_nothing(model: Model) -> tuple[float, int, float] | None:
    """The likelihood-ratio test of all terms together, where there is a likelihood and an estimate."""
    g, df = model.glance, model.glance["rank"] - int(model.design.intercept)
    plain_fit = model.estimator == "ml" and not (model.settings.get("l2") or model.settings.get("l1"))
    robust = model.settings.get("robust") or model.settings.get("df") is not None
    if not plain_fit or robust or g["deviance"] is None or df < 1 or model.separation["kind"] != "none":
        return None
    chi2 = max(float(g["null_deviance"]) - float(g["deviance"]), 0.0)
    return chi2, df, float(chi2_p(chi2, df))


def _doubts(content: Content) -> Markup:
    items = [element("li", one) for one in _doubtful(content)]
    shown = items[:DOUBTS]
    if len(items) > DOUBTS:
        shown.append(element("li", f"{len(items) - DOUBTS:,} more are under “Diagnostics”."))
    return element("ul", *shown, *(element("li", one) for one in _always(content)))


def _doubtful(content: Content) -> Iterator[str]:
    model = content.model
    yield from map(sentence, model.warnings)
    told = {"separation", "convergence", "dropped rows"} if model.warnings else {"convergence"}
    if content.findings is not None:
        yield from (plain(one.sentence) for one in content.findings if one.kind not in told)
    elif few := _few_events(content):
        yield few
    if content.evaluation is not None:
        yield from _of_evaluation(content)
    for part, words in (("check", "Nobody looked at diagnostics"), ("evaluation", "Nothing was evaluated")):
        if part in content.missing:
            yield sentence(f"{words}: {plain(content.missing[part])}")


def _of_evaluation(content: Content) -> Iterator[str]:
    found = content.evaluation
    assert found is not None
    if found.own_rows and not any(found.validation.get(key) for key in ("folds", "bootstrap")):
        yield "Every figure of quality is apparent, on the rows that the model was fitted to: it flatters."
    auc, _ = _honest(content, "auc")
    if auc < WEAK_AUC:
        yield f"An AUC of {auc:.2f} is near chance: do not decide about single cases by these probabilities."
    yield from map(sentence, found.notes)


def _few_events(content: Content) -> str:
    counted, df = positives(content), content.model.glance["rank"] - int(content.model.design.intercept)
    if counted is None or df < 1:
        return ""
    rare = min(counted[0], counted[1] - counted[0])
    if rare / df >= EVENTS_PER_TERM:
        return ""
    return (
        f"There are {rare:,.6g} of the rarer outcome for {df:,} coefficient{'' if df == 1 else 's'}: below about 10 "
        "for each, estimates tend to be too large."
    )


def _always(content: Content) -> list[str]:
    """What is true of every report."""
    found = [
        "These are associations. Whether changing a predictor would change the outcome, no table of this kind says."
    ]
    if any(held["kind"] == "number" for held in content.model.summaries.values()):
        found.append("Outside of the ranges that the rows cover (see “Data”) every probability is an extrapolation.")
    return found
