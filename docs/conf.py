"""How the documentation becomes a site: ``sphinx-build -W -n docs out/docs``; it needs no network, built or read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

HERE = Path(__file__).parent
# The sources beside the documents, installed or not; the extensions are this project's own.
sys.path[:0] = [str(HERE.parent / "src"), str(HERE / "extensions")]

import passline  # noqa: E402  # found by the line above

project = "passline"
author = "the authors of passline"
project_copyright = "the authors of passline, BSD-3-Clause"
version = release = passline.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "cyclopts.ext.sphinx", "mathml", "outside", "public_names"]
exclude_patterns = ["extensions", "pictures/*.py"]
templates_path = ["_templates"]

myst_enable_extensions = ["colon_fence", "dollarmath", "deflist"]
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "mixed"
python_maximum_signature_line_length = 88
python_use_unqualified_type_names = True
add_module_names = False
nitpicky = True
# Types of other libraries have their references elsewhere, and nothing is fetched.
nitpick_ignore_regex = [("py:(class|data|obj|meth|attr)", r"(?!passline\.).*")]

html_theme = "furo"
pygments_dark_style = "github-dark"
html_title = "passline"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_extra_path = ["play.html"]  # the live lesson, as `passline play -o docs/play.html` writes it
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_theme_options = {
    "top_of_page_buttons": [],
    "light_css_variables": {"color-brand-primary": "#9d1c2f", "color-brand-content": "#9d1c2f"},
    "dark_css_variables": {"color-brand-primary": "#ff8f8f", "color-brand-content": "#ff9d9d"},
}
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/search.html",
        "sidebar/live.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}


def setup(app: Sphinx) -> None:
    app.connect("source-read", place_gallery)
    app.connect("html-page-context", make_scrollable)


def make_scrollable(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _tree: object) -> None:
    """What is wider than the screen can be scrolled by keyboard too."""
    if "body" in context:
        body = context["body"].replace("<pre>", '<pre tabindex="0">')
        context["body"] = body.replace('<div class="table-wrapper', '<div tabindex="0" class="table-wrapper')


def place_gallery(_app: Sphinx, page: str, source: list[str]) -> None:
    """The gallery has a place in the index from the day it is there."""
    if page == "index" and (HERE / "gallery.md").exists():
        source[0] = source[0].replace("\ncomparisons/index\n", "\ngallery\ncomparisons/index\n", 1)
