"""How a page becomes one file: its parts put in, and a policy under which no other script or style can run."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from passline.show.page.bundle import SHARED


def document(
    template: str, *, script: str, style: str, parts: Mapping[str, str] | None = None, asks: bool = False
) -> str:
    """The page of a template: ``{policy}``, ``{style}``, ``{script}`` and the names of ``parts`` in braces put in.

    ``style`` comes after what all pages share. ``parts``: markup, which goes in as it is. Nothing that is put in is
    looked through for further names in braces. ``asks``: whether the page's script asks the server it came from.
    """
    style = (SHARED / "base.css").read_text(encoding="utf-8") + style
    assert "</script" not in script.lower()
    assert "<!--" not in script
    assert "</style" not in style.lower()
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src '{_digest(script)}'",
            f"style-src '{_digest(style)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            *(["connect-src 'self'"] if asks else []),
        ]
    )
    page, rest = "", template
    for name, text in {"policy": policy, "style": style, **(parts or {}), "script": script}.items():
        before, found, rest = rest.partition(f"{{{name}}}")
        assert found, f"the template has no place for {name}"
        page += before + text
    return page + rest


def data_element(name: str, value: Any) -> str:
    """A script element that holds ``value`` as JSON, for the page's script to read; ``name``: its id."""
    # Data in a script element end at the first "</script": no sign < is left in them.
    text = json.dumps(value, allow_nan=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{text}</script>\n'


def _digest(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
