"""What to look at before believing it: findings, the verdict on separation, residuals, rows that weigh much."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from passline.model import Model
from passline.show.report.content import Content
from passline.show.report.estimates import sentence
from passline.show.report.markup import Markup, chart, element, folded, joined, listing, name, plain, said, table
from passline.show.report.quality import absent
from passline.show.terminal import number

# Findings that are shown at once.
SHOWN = 12


def diagnostics(content: Content) -> Markup:
    """Everything that a careful reader would look at."""
    parts = [element("h3", "Separation"), *separation(content.model), element("h3", "What was looked at")]
    parts += _findings(content)
    parts += [element("h3", "Residuals by probability"), _residuals(content)]
    parts += [element("h3", "Rows that the estimate leans on"), _influence(content)]
    parts += [element("h3", "Convergence"), element("p", certificate(content.model))]
    return joined(parts)


def separation(model: Model) -> list[Markup]:
    """Whether finite estimates exist, in words."""
    kind, terms = model.separation["kind"], model.separation["terms"]
    if kind == "none":
        words = "The outcome is not separated: a finite maximum-likelihood estimate of each coefficient exists."
        if model.settings.get("l2") or model.settings.get("l1"):
            words = "Under a penalty the estimate is finite whether the outcome is separated or not."
        return [element("p", words)]
    word = {"quasi": "quasi-completely separated", "complete": "completely separated"}[kind]
    parts = [
        element(
            "p",
            said(
                "The outcome is {}: maximum likelihood has no finite estimate for {}.",
                word,
                listing([*map(name, terms)]),
            ),
            class_="warning",
        )
    ]
    parts += [element("p", sentence(text)) for text in model.warnings if "separated" in text]
    if model.estimator == "firth":
        parts.append(
            element("p", "Firth's estimates are finite; how large they are there is what the prior makes of it.")
        )
    return parts


def certificate(model: Model) -> str:
    """What proves that the optimum was reached."""
    c = model.certificate
    word = "Converged" if c["converged"] else "NOT CONVERGED: the numbers are not those of the optimum"
    return (
        f"{word}: the largest entry of the gradient is {c['gradient_norm']:.0e}, the step left "
        f"{c['max_step_in_se']:.0e} standard errors, after {c['passes']} passes over the rows ({c['solver']})."
    )


def _findings(content: Content) -> list[Markup]:
    found = content.findings
    if found is None:
        return [absent(content.missing["check"])]
    items = [
        element("li", element("strong", f"{one.severity}: {one.kind}. "), plain(one.sentence), class_=one.severity)
        for one in found
    ]
    parts = [element("ul", *items[:SHOWN], class_="findings")] if items else []
    if len(items) > SHOWN:
        parts.append(folded(f"{len(items) - SHOWN} more", element("ul", *items[SHOWN:], class_="findings")))
    if not items:
        parts.append(element("p", "Nothing was found that a reader of this fit would have to know."))
    parts.append(element("p", f"Looked at: {', '.join(found.looked_at)}.", class_="foot"))
    if found.left_out:
        left = "; ".join(f"{kind} ({why})" for kind, why in found.left_out.items())
        parts.append(element("p", sentence(f"Not looked at: {plain(left)}"), class_="foot"))
    return parts


def residual_data(content: Content) -> list[dict[str, float]]:
    r"""For each bin the mean residual, and two standard errors of it, :math:`2 \sqrt{p (1 - p) / n}`.

    Source: Gelman and Hill, Data Analysis Using Regression (2007), 5.6.
    """
    bins = content.residuals
    if bins is None:
        return []
    # The variance of an outcome whose probability varies within the bin: p (1 - p) less that of the probability.
    spread = np.maximum(bins.predicted * (1.0 - bins.predicted) - bins.variance, 0.0)
    error = 2.0 * np.sqrt(spread / bins.weight)
    columns = {
        "predicted": bins.predicted,
        "residual": bins.observed - bins.predicted,
        "two": error,
        "rows": bins.weight,
    }
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*(v.tolist() for v in columns.values()), strict=True)
    ]


def _residuals(content: Content) -> Markup:
    rows = residual_data(content)
    if not rows:
        return absent(content.missing["residuals"])
    outside = sum(abs(row["residual"]) > row["two"] for row in rows)
    words = (
        "Rows in bins of about equal numbers by their probability. If the model holds, about 19 in 20 bins lie between "
        f"the lines, two standard errors from zero: here {len(rows) - outside} of {len(rows)} do."
    )
    cells = [[_four(row[k]) for k in ("predicted", "residual", "two")] + [f"{row['rows']:,.6g}"] for row in rows]
    heads = ["mean probability", "mean residual", "two standard errors", "rows"]
    return joined(
        [
            element("p", words),
            chart("residuals", "Mean residual by mean probability", table("Binned residuals", heads, cells)),
        ]
    )


def _influence(content: Content) -> Markup:
    if "influence" in content.missing:
        return absent(content.missing["influence"])
    rows = [
        (
            plain(one.where),
            number(one.distance),
            number(one.leverage),
            _four(one.probability),
            f"{one.outcome:.4g}",
        )
        for one in content.influential
    ]
    words = (
        "The greatest Cook's distances: how far all coefficients move together without the row. From about 0.5 on a "
        "row is worth a look, from 1 on it moves the answer."
    )
    heads = ["row", "Cook's distance", "leverage", "probability", "outcome"]
    return joined([element("p", words), table("Influential rows", heads, rows)])


def _four(value: Any) -> str:
    return "" if math.isnan(value) else f"{value:.4f}".replace("-", "\N{MINUS SIGN}")
