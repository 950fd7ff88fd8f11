"""The page as one file: its parts put in, and a policy under which no other script or style can run."""

from __future__ import annotations

import os
from base64 import b64encode
from functools import cache
from hashlib import sha256

from passline.output import write_text
from passline.show.play.bundle import PAGE, bundle

LICENCE = PAGE / "vendor" / "LICENSE"


@cache
def lesson_page() -> str:
    """The live lesson as HTML that needs nothing else: no network, no server, no installation."""
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


def write_lesson(path: str | os.PathLike[str]) -> None:
    """Write the live lesson as one self-contained HTML file, whole or not at all.

    Raises OptionError where the file cannot be written.
    """
    write_text(path, lesson_page())


def _digest(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
