"""What a fit says of itself: the certificate of its estimate, and whether there is one."""

from __future__ import annotations

from typing import Any


class Certificate(dict[str, Any]):
    """What proves an estimate; its entries are attributes too: ``fit.certificate.converged``."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the certificate has no {name!r}; it has {', '.join(self)}") from None


class Separation:
    """The verdict on existence: ``kind`` is "none", "quasi" or "complete"; ``terms`` have no finite estimate."""

    def __init__(self, kind: str, terms: tuple[str, ...]) -> None:
        self.kind = kind
        self.terms = terms

    def __repr__(self) -> str:
        return f"Separation(kind={self.kind!r}, terms={list(self.terms)!r})"
