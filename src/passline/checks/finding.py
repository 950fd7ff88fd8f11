"""What a look at a fit finds: one finding with its sentence and numbers, and all of them with what was looked at."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, overload

Severity = Literal["warning", "note"]


@dataclass(frozen=True)
class Finding:
    """One thing that a reader of the fit should know.

    ``kind``: what was looked at. ``severity``: "warning" where a conclusion may be wrong, else "note". ``terms``: the
    terms or columns it is about. ``sentence``: for people. ``numbers``: what it rests on, None where none exists.
    """

    kind: str
    severity: Severity
    terms: tuple[str, ...]
    sentence: str
    numbers: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The finding as one JSON object."""
        return {
            "kind": self.kind,
            "severity": self.severity,
            "terms": list(self.terms),
            "sentence": self.sentence,
            "numbers": {name: _plain(value) for name, value in self.numbers.items()},
        }


@dataclass(frozen=True, repr=False)
class Findings(Sequence[Finding]):
    """The findings, warnings first.

    ``looked_at``: what was looked at; ``left_out``: what was not, and why.
    """

    formula: str
    found: tuple[Finding, ...]
    looked_at: tuple[str, ...]
    left_out: Mapping[str, str]

    def __repr__(self) -> str:
        from passline.show.findings import findings_text  # rich is not needed to look

        return findings_text(self)

    def __len__(self) -> int:
        return len(self.found)

    @overload
    def __getitem__(self, index: int) -> Finding: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Finding, ...]: ...

    def __getitem__(self, index: int | slice) -> Finding | tuple[Finding, ...]:
        return self.found[index]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.found)

    def as_json(self) -> dict[str, Any]:
        """The document of ``passline check --json``."""
        return {
            "formula": self.formula,
            "findings": [finding.as_json() for finding in self.found],
            "looked_at": list(self.looked_at),
            "left_out": dict(self.left_out),
        }


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def listed(names: Sequence[str], shown: int = 4) -> str:
    """Names for a sentence: all of a few, or the first ones and how many more."""
    if len(names) > shown:
        return f"{', '.join(names[:shown])} and {len(names) - shown} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def p_text(p: float) -> str:
    """A p-value for a sentence."""
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.4f}" if p < 0.01 else f"p = {p:.2f}"
