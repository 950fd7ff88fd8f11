"""The page as one file: its parts put in, and a policy under which no other script or style can run."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from functools import cache
from hashlib import sha256
from typing import Any

from passline.errors import OptionError
from passline.output import write_text
from passline.show.play.bundle import PAGE, bundle
from passline.show.play.table import PlayTable, play_table

LICENCE = PAGE / "vendor" / "LICENSE"


def play_page(table: PlayTable | None = None) -> str:
    """The live lesson, or a table of one's own, as HTML that needs nothing else: no network, server or installation."""
    if table is None:
        return _template().replace("{table}", "", 1)
    # Data in a script element end at the first "</script": no sign < is left in them.
    document = json.dumps(table.as_json(), allow_nan=False).replace("<", "\\u003c")
    return _template().replace("{table}", f'<script type="application/json" id="table">{document}</script>\n', 1)


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
    script = f"/*\nContains d3-array 3.2.4 and d3-contour 4.0.2.\n{licence}*/\n{bundle('main.js')};\n"
    style = (PAGE / "page.css").read_text(encoding="utf-8")
    assert "</script" not in script.lower()
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src '{_digest(script)}'",
            f"style-src '{_digest(style)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    page = (PAGE / "page.html").read_text(encoding="utf-8")
    for name, text in {"policy": policy, "style": style, "script": script}.items():
        page = page.replace(f"{{{name}}}", text, 1)
    return page


def _digest(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
