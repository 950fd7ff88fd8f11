"""Where the numbers come from: how rows were read, roles, versions, hashes, and the lines that make it again."""

from __future__ import annotations

from passline.model import Model
from passline.section import categorical
from passline.show.report.content import Content
from passline.show.report.estimates import LISTED, formula, percent, short
from passline.show.report.markup import Markup, clipped, element, folded, joined, listing, name, table
from passline.show.report.quality import rows_line
from passline.show.terminal import error_words, number

# Levels of a category that are named.
LEVELS = 8

_ROLES = {
    "weights": "counts: how often each row counts",
    "sampling_weights": "sampling weights: how many of the population each row stands for",
    "offset": "offset: added to the log-odds",
    "trials": "trials: of how many the outcome's successes are",
    "cluster": "clusters: which rows belong together",
}


def data(content: Content) -> Markup:
    """How the rows of the fit were read, and which rows were judged."""
    model = content.model
    rows = model.rows
    facts: list[tuple[str, str]] = [
        (
            "read from",
            name(content.made.fit_source) if content.made.fit_source else "not known: a model file keeps no rows",
        ),
        ("rows read", f"{rows['read']:,}"),
        ("rows used", f"{rows['used']:,}"),
        ("left out, a value missing", f"{rows['dropped']:,}"),
    ]
    if rows.get("patterns", rows["used"]) < rows["used"]:
        facts.append(("different rows", f"{rows['patterns']:,}, each held once with its count"))
    facts += [
        ("outcome", name(model.design.outcome)),
        ("counts as yes", name(model.design.positive)),
        ("counts as no", name(model.design.negative)),
    ]
    for role, column in model.settings.get("roles", {}).items():
        facts.append((_ROLES.get(role, role), name(column) if column else "an array"))
    if content.evaluation is not None:
        facts.append(("figures are of", rows_line(content.evaluation)))
        if content.made.judged:
            facts.append(("figures' rows read from", name(content.made.judged)))
    parts = [_facts(facts), _predictors(model)]
    return joined(parts)


def reproduce(content: Content) -> Markup:
    """What is needed to make the report again, and to know that it is the same."""
    made, model = content.made, content.model
    settings = model.settings
    facts: list[tuple[str, str]] = [
        ("formula", formula(model)),
        (
            "estimator",
            {"ml": "maximum likelihood", "firth": "Jeffreys' prior (Firth)"}.get(model.estimator, model.estimator),
        ),
        ("intervals", f"{percent(model.level)}, {settings.get('interval', 'wald')}"),
    ]
    if errors := error_words(model):
        facts.append(("standard errors", errors))
    for key in ("l1", "l2"):
        if settings.get(key):
            facts.append((f"penalty {key}", f"{settings[key]:g} a row"))
    facts += [
        ("model file, SHA-256", element("code", made.sha256)),
        *((f"version of {what}", version) for what, version in made.versions.items()),
        ("written on", made.on),
    ]
    if "rows_sha256" in settings:
        facts.append(("outcome and roles, SHA-256", element("code", settings["rows_sha256"])))
    hashes = settings.get("data_sha256", {})
    listed = [(name(column), element("code", digest)) for column, digest in list(hashes.items())[:LISTED]]
    parts = [_facts(facts)]
    if listed:
        parts.append(
            folded(
                "SHA-256 of each predictor's values",
                table("Hashes of columns", ["column", "SHA-256"], listed, words=(1,)),
            )
        )
    for what, lines in (("In a shell", made.shell), ("In Python", made.python)):
        text = joined([element("span", line) for line in lines], Markup("\n"))
        parts += [element("h3", what), element("pre", element("code", text), tabindex="0")]
    if content.model.glance["log_likelihood"] is not None:
        parts.append(element("p", _glance(model), class_="foot"))
    return joined(parts)


def _predictors(model: Model) -> Markup:
    rows = []
    for variable in model.design.variables[:LISTED]:
        summary = model.summaries[variable]
        if categorical(model, variable):
            levels = [str(level) for level in summary["levels"]]
            kind = {"number": "category (of numbers)", "boolean": "yes or no"}.get(
                model.design.kinds[variable], "category"
            )
            shown: str = joined([f"{len(levels):,} levels: ", listing([name(level, 60) for level in levels], LEVELS)])
        else:
            kind = "number"
            shown = f"{short(summary['min'])} to {short(summary['max'])}, mean {short(summary['mean'])}"
        rows.append((name(variable), kind, shown))
    if not rows:
        return element("p", "The formula has no predictor.")
    made = table("The predictors", ["predictor", "read as", "values in the rows used"], rows, words=(1, 2))
    more = len(model.design.variables) - len(rows)
    parts = [made] if len(rows) <= 40 else [folded(f"The predictors ({len(model.design.variables):,})", made)]
    if more:
        parts.append(element("p", f"{more:,} more predictors are not listed.", class_="foot"))
    references = [joined([name(text), " = ", name(level)]) for text, level in model.design.references.items()]
    if references:
        parts.append(element("p", "Reference levels: ", listing(references, 12), "."))
    return joined(parts)


def _facts(facts: list[tuple[str, str]]) -> Markup:
    items = [element("div", element("dt", what), element("dd", value)) for what, value in facts]
    return element("dl", *items, class_="facts")


def _glance(model: Model) -> str:
    g = model.glance
    text = f"Log-likelihood {number(g['log_likelihood'], 6)}; deviance {number(g['deviance'], 6)}"
    text += f" on {g['df_residual']:,} degrees of freedom; null deviance {number(g['null_deviance'], 6)}"
    if g["aic"] is not None:
        text += f"; AIC {number(g['aic'], 6)}; BIC {number(g['bic'], 6)}"
    return clipped(f"{text}.").replace("-", "\N{MINUS SIGN}").replace("Log\N{MINUS SIGN}", "Log-")
