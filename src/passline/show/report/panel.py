"""The what-if panel: a field for each predictor, and what the page's script needs to explain a prediction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from passline.model import Model
from passline.section import categorical, default
from passline.show.report.content import Content
from passline.show.report.estimates import outcome
from passline.show.report.markup import LONGEST, Markup, clipped, element, joined, name, said
from passline.show.report.quality import absent
from passline.show.report.summary import yes_or_no

# Fields that a person can still fill in, and levels among which one can still choose.
MOST_FIELDS, MOST_LEVELS, MOST_SIGNS = 60, 2_000, 40_000


def why_not(model: Model) -> str | None:
    """Why a model has no panel; None where it has one."""
    if not model.design.variables:
        return "the model has no predictor to set"
    if len(model.design.variables) > MOST_FIELDS:
        return f"{len(model.design.variables):,} predictors are too many to be set by hand"
    for variable in model.design.variables:
        levels = model.summaries[variable].get("levels", ())
        if len(levels) > MOST_LEVELS or sum(map(len, levels)) > MOST_SIGNS:
            return f"a category with {len(levels):,} levels is too long to choose from"
    return None


def what_if(content: Content) -> Markup:
    """The panel, or why there is none."""
    if content.javascript is None:
        return absent(content.missing["what-if"])
    model = content.model
    intro = said(
        "Set the predictors, and see the probability of {} that the model gives, with the share of each term in the "
        "log-odds. It computes in this page what passline’s predict computes.",
        outcome(model),
    )
    fields = [_field(model, variable, i) for i, variable in enumerate(model.design.variables)]
    result = element(
        "div",
        element("p", element("output", id="what-if-probability"), class_="big"),
        element("p", id="what-if-words", role="status"),
        element("p", id="what-if-beyond", class_="warning", hidden=True),
    )
    form = element("form", *fields, element("button", "Back to the start", type="reset"), id="what-if-form")
    shares = element("div", id="what-if-shares", class_="chart")
    shown = element("div", form, element("div", result, shares), class_="two needs-script")
    offset = ""
    if "offset" in model.settings.get("roles", {}):
        offset = "The offset counts as 0 here, as it does in predict."
    return joined([element("p", intro), shown, element("p", offset, class_="foot") if offset else Markup("")])


def what_if_data(content: Content) -> dict[str, Any]:
    """What the script has to know of the model beside the function: the fields, and the average row's terms."""
    model = content.model
    fields: list[dict[str, Any]] = []
    for variable in model.design.variables:
        kind = "category" if categorical(model, variable) else "number"
        summary = model.summaries[variable]
        field: dict[str, Any] = {"column": variable, "kind": kind, "start": _start(summary)}
        if kind == "number":
            field |= {"min": summary["min"], "max": summary["max"]}
        else:
            # Of a number under C() the levels are numbers.
            read = float if model.design.kinds[variable] == "number" else str
            field |= {"levels": [read(level) for level in summary["levels"]]}
        fields.append(field)
    return {"fields": fields, "average": _average(model), "separated": bool(len(model.directions))}


def _average(model: Model) -> list[float] | None:
    """Each term's share in the log-odds of the average row, the intercept first; None in a model that knows none."""
    if model.average is None:
        return None
    share = model.average * model.predicting_coef()
    start = int(model.design.intercept)
    found = [float(share[0])] if start else []
    for term in model.design.terms:
        found.append(float(np.sum(share[start : start + len(term.names)])))
        start += len(term.names)
    return found


def _start(summary: Mapping[str, Any]) -> float | str:
    """Where a field begins: the mean to four digits, the more frequent of 0 and 1, the most frequent level."""
    held = default(summary)
    if yes_or_no(summary):
        return round(float(held))
    return float(f"{held:.4g}") if isinstance(held, float) else held


def _field(model: Model, variable: str, i: int) -> Markup:
    identity = f"what-if-{i}"
    summary = model.summaries[variable]
    start = _start(summary)
    if categorical(model, variable):
        # The browser sends the place of a level, so that no level has to survive being an attribute.
        options = [
            element("option", clipped(str(level)), value=str(place), selected=str(level) == start)
            for place, level in enumerate(summary["levels"])
        ]
        control = element("select", *options, id=identity)
    else:
        control = element(
            "input", id=identity, type="number", step="any", value=f"{float(start):.15g}", autocomplete="off"
        )
        low, high = float(summary["min"]), float(summary["max"])
        if low < high:
            slider = element(
                "input",
                id=f"{identity}-slider",
                type="range",
                min=repr(low),
                max=repr(high),
                step="1" if yes_or_no(summary) else "any",
                value=f"{float(start):.15g}",
                aria_label=clipped(f"{variable}, as a slider", LONGEST),
            )
            control = element("div", control, slider, class_="both")
    return element("div", element("label", name(variable, 80), for_=identity), control, class_="field")
