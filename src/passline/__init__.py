"""passline: from yes/no data to a probability one can trust, and the line where it flips."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from passline import datasets, errors, nn, schedules
    from passline.assessment import Evaluation
    from passline.boundary import Boundary
    from passline.checks import Finding
    from passline.engine.penalty import Penalty
    from passline.estimator import LogisticRegression
    from passline.facade import Fit, fit, load
    from passline.several import Pooled, pool, side_by_side
    from passline.show.play.page import play
    from passline.stochastic import SGDLogisticRegression

__version__ = "0.1.0"

# Where each public name lives; it is imported when it is first asked for, so that no command pays for another.
_HOMES = {
    "Boundary": "passline.boundary",
    "Evaluation": "passline.assessment",
    "Finding": "passline.checks",
    "Fit": "passline.facade",
    "LogisticRegression": "passline.estimator",
    "Penalty": "passline.engine.penalty",
    "Pooled": "passline.several",
    "SGDLogisticRegression": "passline.stochastic",
    "datasets": "passline.datasets",
    "errors": "passline.errors",
    "fit": "passline.facade",
    "load": "passline.facade",
    "nn": "passline.nn",
    "play": "passline.show.play.page",
    "pool": "passline.several",
    "schedules": "passline.schedules",
    "side_by_side": "passline.several",
}

__all__ = [
    "Boundary",
    "Evaluation",
    "Finding",
    "Fit",
    "LogisticRegression",
    "Penalty",
    "Pooled",
    "SGDLogisticRegression",
    "__version__",
    "datasets",
    "errors",
    "fit",
    "load",
    "nn",
    "play",
    "pool",
    "schedules",
    "side_by_side",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'passline' has no attribute {name!r}")
    module = import_module(_HOMES[name])
    value = module if _HOMES[name] == f"passline.{name}" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
