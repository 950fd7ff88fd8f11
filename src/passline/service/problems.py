"""What is wrong with a request, and where: the one shape in which the service refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

_PLAIN = re.compile(r"[A-Za-z_]\w*", re.ASCII)
# Names and values of a stranger are shown so far.
LONGEST = 100


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: ``path`` leads to it from the top of the body, as in ``rows[3].age``."""

    path: str
    message: str

    @property
    def text(self) -> str:
        """The path and what is wrong there, in one line."""
        return f"{self.path}: {self.message}" if self.path else self.message


class Problem(Exception):  # noqa: N818 - as HTTP calls it (RFC 9457)
    """A request that is refused: the status, the faults (the first is the message), headers beside it.

    It never leaves the service: the guard turns it into an answer.
    """

    def __init__(self, status: int, faults: str | Fault | Sequence[Fault], headers: Mapping[str, str] | None = None):
        if isinstance(faults, str):
            faults = Fault("", faults)
        self.status = status
        self.faults = (faults,) if isinstance(faults, Fault) else tuple(faults)
        self.headers = dict(headers or {})
        super().__init__(self.faults[0].text)

    def body(self) -> bytes:
        """The answer: ``{"error": text, "errors": [{"path": ..., "message": ...}]}``; V2 asks for the first."""
        errors = [{"path": fault.path, "message": fault.message} for fault in self.faults]
        return msgspec.json.encode({"error": self.faults[0].text, "errors": errors})


def step(path: str, key: str | int) -> str:
    """The path one step further in: ``rows[3]``, ``rows[3].age``, ``rows[3]["blood pressure"]``."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    if _PLAIN.fullmatch(key) and len(key) <= LONGEST:
        return f"{path}.{key}" if path else key
    return f"{path}[{shown(key)}]"


def shown(value: Any) -> str:
    """A value of a stranger, for a message: as JSON, in one line, and not too long."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**30:
        return "a number of very many digits"  # Python refuses to print thousands of them
    if isinstance(value, str) and len(value) > LONGEST:
        value = value[: LONGEST - 1] + "…"
    return json.dumps(value, ensure_ascii=False)
