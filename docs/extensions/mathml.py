"""Formulas as MathML, made while the site is built by docutils' own converter: no script, no font, no network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)


def formula(text: str, node: nodes.Node, *, block: bool) -> str:
    """LaTeX as MathML; what docutils cannot read is a warning that names the place, and shown as it was written."""
    try:
        return str(tex2mathml(text.strip(), as_block=block))
    except MathError as error:
        logger.warning("formula %r: %s", text, error, location=node)
        return f"<code>{text.replace('&', '&amp;').replace('<', '&lt;')}</code>"


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
