"""What the figures were taken on: processor, cores, memory, system, versions."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = (
    "passline",
    "numpy",
    "scipy",
    "duckdb",
    "torch",
    "scikit-learn",
    "glum",
    "tabmat",
    "statsmodels",
    "snapml",
    "liblinear-official",
    "pandas",
)


def machine(libraries: Iterable[str] = LIBRARIES) -> str:
    """One line; libraries that are not installed are left out."""
    models = _lines("/proc/cpuinfo", "model name")
    processor = models[0] if models else platform.processor() or platform.machine()
    total = _lines("/proc/meminfo", "MemTotal")
    memory = f", {int(total[0].split()[0]) / 2**20:.0f} GiB" if total else ""
    present = ", ".join(f"{name} {found}" for name in libraries if (found := _version(name)))
    system = f"{platform.system()}, Python {platform.python_version()}"
    return f"{processor}, {os.cpu_count()} cores{memory}; {system}; {present}."


def _lines(path: str, key: str) -> list[str]:
    file = Path(path)
    lines = file.read_text().splitlines() if file.exists() else []
    return [line.partition(":")[2].strip() for line in lines if line.startswith(key)]


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
