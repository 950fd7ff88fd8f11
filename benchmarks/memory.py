"""Resident memory of this process: now, and the most since a moment of one's choice."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def resident() -> int:
    """Bytes that are resident now; where the system does not say, the most there ever were."""
    return _status("VmRSS") or highest()


def restart_highest() -> None:
    """Let :func:`highest` count from now on, where the system can (Linux); elsewhere it counts from the start."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def highest() -> int:
    """The most resident bytes since :func:`restart_highest`."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return _status("VmHWM") or peak


def _status(name: str) -> int | None:
    if not _STATUS.exists():
        return None
    lines = (line.split() for line in _STATUS.read_text().splitlines())
    found = [int(words[1]) * 1024 for words in lines if words and words[0] == f"{name}:"]
    return found[0] if found else None
