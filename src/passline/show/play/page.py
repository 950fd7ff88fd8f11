"""The live lesson as one file, or a table of one's own in its place."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from passline.errors import OptionError
from passline.output import write_text
from passline.show.page.document import data_element, document
from passline.show.play.bundle import PAGE, bundle
from passline.show.play.table import PlayTable, play_table

LICENCE = PAGE / "vendor" / "LICENSE"


def play_page(table: PlayTable | None = None) -> str:
    """The live lesson, or a table of one's own, as HTML that needs nothing else: no network, server or installation."""
    if table is None:
        return _template().replace("{table}", "", 1)
    return _template().replace("{table}", data_element("table", table.as_json()), 1)


def play(path: str | os.PathLike[str], data: Any = None, formula: str | None = None) -> None:
    """Write the live lesson as one self-contained HTML file; with ``data`` and ``formula`` a table of one's own.

    ``data``: as for :func:`passline.fit`; ``formula``: ``outcome ~ x`` or ``outcome ~ x + z``, columns of numbers. The
    file is written whole or not at all. Raises OptionError where it cannot be, or one of the two is missing; InputError
    and CannotFitError where formula or data are at fault.
    """
    write_text(path, play_page(read_table(data, formula)))


def read_table(data: Any, formula: str | None) -> PlayTable | None:
    """The table that is asked for, None for the lesson; raises OptionError where one of the two is missing."""
    if data is None and formula is None:
        return None
    if data is None or formula is None:
        raise OptionError("play takes a table and a formula, such as 'passed ~ hours'; or neither, for the lesson.")
    return play_table(data, formula)


@cache
def _template() -> str:
    licence = LICENCE.read_text(encoding="utf-8")
    return document(
        (PAGE / "page.html").read_text(encoding="utf-8"),
        script=f"/*\nContains d3-array 3.2.4 and d3-contour 4.0.2.\n{licence}*/\n{bundle('main.js')};\n",
        style=(PAGE / "page.css").read_text(encoding="utf-8"),
    )
