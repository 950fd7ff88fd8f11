"""Names in the reference: public ones not placed on a page yet, docstrings that draw, references without an entry."""

from __future__ import annotations

from inspect import isclass, ismodule
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

import passline

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment


class PublicNames(SphinxDirective):
    """Entries for all of ``passline.__all__`` but the names in the content, which stand elsewhere."""

    has_content: ClassVar[bool] = True

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(passline.__file__)
        placed = set(" ".join(self.content).split())
        lines: list[str] = []
        for name in passline.__all__:
            if name not in placed:
                lines += entry(name)
        return self.parse_text_to_nodes("\n".join(lines))


def entry(name: str) -> list[str]:
    """What makes autodoc describe a public name and all that it has."""
    value = getattr(passline, name)
    if ismodule(value):
        return [f".. automodule:: {value.__name__}", "   :members:", ""]
    kind = "class" if isclass(value) else "function" if callable(value) else "data"
    options = ["   :members:", "   :inherited-members:"] if kind == "class" else []
    return [f".. auto{kind}:: passline.{name}", *options, ""]


def show_as_drawn(_app: Sphinx, _what: str, _name: str, _object: object, _options: object, lines: list[str]) -> None:
    """A docstring that draws a tree is shown as it was drawn."""
    drawn = [place for place, line in enumerate(lines) if "── " in line]
    if drawn:
        first = next(place for place in range(drawn[0], 0, -1) if not lines[place - 1].strip())
        lines[first:] = ["::", "", *(f"    {line}" for line in lines[first:])]


def as_code(_app: Sphinx, _env: BuildEnvironment, node: nodes.Element, shown: nodes.Element) -> nodes.Element | None:
    """A name of this project without an entry of its own stands as code; one that is not there stays an error."""
    if node.get("refdomain") != "py" or not node["reftarget"]:
        return None
    target = node["reftarget"]
    for name in (
        target,
        f"{node.get('py:module')}.{target}",
        f"{node.get('py:module')}.{node.get('py:class')}.{target}",
    ):
        if name.startswith("passline.") and is_there(name):
            return shown
    return None


def is_there(name: str) -> bool:
    """Whether a dotted name is a module of the package, or something in one."""
    try:
        resolve_name(name)
    except (ImportError, AttributeError, ValueError):
        return False
    return True


def always_read(_app: Sphinx, env: BuildEnvironment, *_: set[str]) -> list[str]:
    """The page of the commands is made from the application: no file of its own says when that has changed."""
    return [page for page in ("reference/command-line",) if page in env.found_docs]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("public-names", PublicNames)
    app.connect("env-get-outdated", always_read)
    app.connect("autodoc-process-docstring", show_as_drawn)
    app.connect("missing-reference", as_code)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
