"""Links from a page to what is no page: the live lesson stands beside the pages, so a link to it opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform

if TYPE_CHECKING:
    from sphinx.application import Sphinx


class OpenInPlace(SphinxTransform):
    """Files that the site holds at their own place are opened there; all others (sources) stay downloads."""

    default_priority = 500  # before Sphinx gathers what there is to download

    def apply(self, **_: Any) -> None:
        kept = {path.rsplit("/", 1)[-1] for path in self.config.html_extra_path}
        for node in list(self.document.findall(addnodes.download_reference)):
            target = node["reftarget"]
            if target.rsplit("/", 1)[-1] in kept:
                link = nodes.reference("", "", *node.children, internal=True, refuri=target, classes=["to-file"])
                node.replace_self(link)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_transform(OpenInPlace)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
