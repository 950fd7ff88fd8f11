"""Formulas as MathML, made while the site is built by docutils' own converter: no script, no font, no network."""

from __future__ import annotations

import re
from itertools import cycle
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator

FRACTION = re.compile(r"\\([dt]?frac)\s*(\d)\s*([0-9a-zA-Z])")
# A function's name before anything but a bracket; a bar that is not sized by what it holds.
FUNCTION = re.compile(r'<mo>&ApplyFunction;</mo>(?!\s*<mo stretchy="false">[(\[])')
BAR = re.compile(r'<mo stretchy="false">\|</mo>')
logger = logging.getLogger(__name__)


def formula(text: str, node: nodes.Node, *, block: bool) -> str:
    """LaTeX as MathML; what docutils cannot read is a warning that names the place, and shown as it was written."""
    try:
        return spaced(tex2mathml(braced(text.strip()), as_block=block))
    except MathError as error:
        logger.warning("formula %r: %s", text, error, location=node)
        return f"<code>{text.replace('&', '&amp;').replace('<', '&lt;')}</code>"


def braced(text: str) -> str:
    """LaTeX with braces around the two halves of a short fraction, which docutils would read as one number."""
    return FRACTION.sub(r"\\\1{\2}{\3}", text)


def spaced(mathml: str) -> str:
    """MathML with the space that browsers leave out after ``log``, and without that around bars that are brackets."""
    mathml = FUNCTION.sub(r"\g<0><mspace width='0.17em'></mspace>", mathml)
    if len(BAR.findall(mathml)) % 2 == 0:  # an odd one is a "given", and keeps its space
        forms = cycle(("prefix", "postfix"))
        mathml = BAR.sub(lambda _: f'<mo stretchy="false" form="{next(forms)}">|</mo>', mathml)
    return mathml


def visit_inline(translator: HTML5Translator, node: nodes.math) -> None:
    translator.body.append(formula(node.astext(), node, block=False))
    raise nodes.SkipNode


def visit_block(translator: HTML5Translator, node: nodes.math_block) -> None:
    shown = formula(node.astext(), node, block=True)
    translator.body.append(translator.starttag(node, "div", CLASS="formula", tabindex="0"))
    translator.body.append(f"{shown}</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_html_math_renderer("mathml", inline_renderers=(visit_inline, None), block_renderers=(visit_block, None))
    app.config.html_math_renderer = "mathml"
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
