"""Which modules the live lesson is made of, and which libraries it takes."""

from __future__ import annotations

from pathlib import Path

from passline.show.page.bundle import Modules

PAGE = Path(__file__).with_name("page")
# Libraries as they were published, under the names by which modules import them.
VENDORED = {"d3-array": "vendor/d3-array.js", "d3-contour": "vendor/d3-contour.js"}


def bundle(*entries: str) -> str:
    """The script that runs modules of the page and all they need; see :meth:`Modules.bundle`."""
    return Modules(PAGE, {name: PAGE / file for name, file in VENDORED.items()}).bundle(*entries)
