"""The public names that no page has placed yet, so that a new one is in the reference from its first day."""

from __future__ import annotations

from inspect import isclass, ismodule
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


def always_read(_app: Sphinx, env: BuildEnvironment, *_: set[str]) -> list[str]:
    """The page of the commands is made from the application: no file of its own says when that has changed."""
    return [page for page in ("reference/command-line",) if page in env.found_docs]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("public-names", PublicNames)
    app.connect("env-get-outdated", always_read)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
