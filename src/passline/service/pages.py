"""The pages for people: the model tried by hand at /, the interface at /docs; each under a policy of its own hashes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Page:
    """A page and the policy under which it runs."""

    html: str
    policy: str

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """What is sent with it."""
        return (
            (b"content-security-policy", self.policy.encode()),
            (b"x-frame-options", b"DENY"),
            (b"referrer-policy", b"no-referrer"),
            (b"cross-origin-opener-policy", b"same-origin"),
        )


@cache
def play_page() -> Page:
    """The page at /."""
    return Page("<!doctype html><title>passline</title>", "default-src 'none'")


@cache
def docs_page() -> Page:
    """The page at /docs."""
    return Page("<!doctype html><title>passline</title>", "default-src 'none'")
