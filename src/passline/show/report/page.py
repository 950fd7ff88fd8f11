"""The report as one file: its sections in their order, the data of its charts, its script and its style."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from passline.show.page.bundle import SHARED, Modules
from passline.show.page.document import data_element, document
from passline.show.report.content import Content
from passline.show.report.doubts import diagnostics, residual_data
from passline.show.report.estimates import (
    boundaries,
    coefficients,
    effects,
    effects_data,
    odds_data,
)
from passline.show.report.markup import Markup, element, joined, label, name, plain
from passline.show.report.origin import data, reproduce
from passline.show.report.panel import what_if, what_if_data
from passline.show.report.quality import calibration, calibration_data, curve_data, discrimination, threshold
from passline.show.report.summary import summary

PAGE = Path(__file__).with_name("page")
LIBRARIES = {"d3": SHARED / "vendor" / "d3.js", "plot": SHARED / "vendor" / "plot.js"}
# Above this a report is no report that can be sent.
MOST_BYTES = 1_500_000
# The model's function may take this much of it; a model with more has no what-if.
MOST_SCRIPT = 200_000

NO_MODEL = "".join(f"export function {name_}() {{}}\n" for name_ in ("logit", "probability", "terms"))

# Each section's name, heading and writer, in their order.
SECTIONS: dict[str, tuple[str, Callable[[Content], Markup]]] = {
    "summary": ("Summary", summary),
    "coefficients": ("Coefficients", coefficients),
    "effects": ("Effects on the probability", effects),
    "boundary": ("Where the probability is one half", boundaries),
    "discrimination": ("Discrimination", discrimination),
    "calibration": ("Calibration", calibration),
    "threshold": ("Threshold and costs", threshold),
    "what-if": ("What if", what_if),
    "diagnostics": ("Diagnostics", diagnostics),
    "data": ("Data", data),
    "reproduce": ("How to make this again", reproduce),
}


def report_page(content: Content) -> str:
    """The report as HTML that needs nothing else: no network, no server, no installation."""
    sections = [
        element(
            "section",
            element("h2", heading, id=f"{key}-heading"),
            write(content),
            id=key,
            aria_labelledby=f"{key}-heading",
        )
        for key, (heading, write) in SECTIONS.items()
    ]
    links = [element("li", element("a", heading, href=f"#{key}")) for key, (heading, _) in SECTIONS.items()]
    parts = {
        "title": element("title", plain(content.title)),
        "head": element("h1", name(content.title, 300)),
        "links": element("ul", *links),
        "sections": joined(sections),
        "data": Markup(data_element("report", chart_data(content))),
    }
    page = document(
        (PAGE / "page.html").read_text(encoding="utf-8"),
        script=script(content.javascript),
        style=(PAGE / "page.css").read_text(encoding="utf-8"),
        parts=parts,
    )
    if len(page.encode()) > MOST_BYTES and content.javascript is not None:
        missing = {**content.missing, "what-if": "with it the page would be larger than 1.5 MB"}
        return report_page(replace(content, javascript=None, missing=missing))
    assert len(page.encode()) <= MOST_BYTES
    return page


def script(javascript: str | None) -> str:
    """The page's script, with the function of the model as the module "model.js"."""
    licence = (SHARED / "vendor" / "LICENSE").read_text(encoding="utf-8")
    head = f"/*\nContains D3 7.9.2 and Observable Plot 0.6.17.\n{licence}*/\n"
    return f"{head}{modules(javascript).bundle('main.js')};\n"


def modules(javascript: str | None = None) -> Modules:
    """The modules of the page; without a model its function is one that is never called."""
    return Modules(PAGE, LIBRARIES, {"model.js": javascript or NO_MODEL})


def chart_data(content: Content) -> dict[str, Any]:
    """What the page's script draws and computes with."""
    model, found = content.model, content.evaluation
    return {
        "outcome": label(model.design.outcome),
        "positive": label(model.design.positive),
        "negative": label(model.design.negative),
        "odds": odds_data(model),
        "effects": effects_data(content),
        "scores": None if found is None else curve_data(found),
        "calibration": [] if found is None else calibration_data(found),
        "residuals": residual_data(content),
        "whatIf": None if content.javascript is None else what_if_data(content),
    }
