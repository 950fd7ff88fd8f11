"""The pages for people: the model tried by hand at /, the interface at /docs; each under a policy of its own hashes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from passline.show.page.bundle import Modules
from passline.show.page.document import document

PAGE = Path(__file__).with_name("page")


@dataclass(frozen=True)
class Page:
    """A page and the policy under which it runs. It holds nothing of a model: what it shows, it asks for."""

    html: bytes
    policy: str

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """What is sent with it."""
        return (
            (b"content-security-policy", f"{self.policy}; frame-ancestors 'none'".encode()),
            (b"x-frame-options", b"DENY"),
            (b"referrer-policy", b"no-referrer"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"cross-origin-resource-policy", b"same-origin"),
        )


@cache
def play_page() -> Page:
    """The page at /: a field for each column, the probability, and each term's share."""
    return _page("play.html", f"{Modules(PAGE).bundle('main.js')};\n")


@cache
def docs_page() -> Page:
    """The page at /docs: the interface in words and examples."""
    return _page("docs.html", "")


def _page(template: str, script: str) -> Page:
    style = (PAGE / "page.css").read_text(encoding="utf-8")
    text = (PAGE / template).read_text(encoding="utf-8")
    made = document(text, script=script, style=style, asks=True)
    # The page's own policy, which says its hashes, is sent with it too.
    policy = made.partition('http-equiv="Content-Security-Policy" content="')[2].partition('"')[0]
    assert policy
    return Page(made.encode(), policy)
