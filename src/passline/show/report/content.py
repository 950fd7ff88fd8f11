"""What a report is made of: the model, what was found on rows, and why some of it is not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from passline.boundary import Boundary
from passline.model import Model

if TYPE_CHECKING:
    from passline.assessment import Evaluation
    from passline.checks import Findings
    from passline.effect_curves import EffectCurve
    from passline.evaluation.scores import Bins


@dataclass(frozen=True)
class Influential:
    """A row that the estimate leans on: where it stands, what the model says of it, and what became of it."""

    where: str
    distance: float
    leverage: float
    probability: float
    outcome: float


@dataclass(frozen=True)
class Made:
    """How the report came about, so that it can be made again.

    ``shell``, ``python``: the lines that do it; ``fit_source``, ``judged``: the labels of the tables, "" where there is
    none; ``sha256``: of the model file; ``versions``: of what computed it; ``on``: the day.
    """

    shell: tuple[str, ...]
    python: tuple[str, ...]
    fit_source: str
    judged: str
    sha256: str
    versions: Mapping[str, str]
    on: str


@dataclass(frozen=True)
class Content:
    """Everything that a report says.

    ``missing``: the parts that are not there, by name ("evaluation", "check", "residuals", "influence", "what-if"), and
    why. ``residuals``: bins of equal numbers of rows of the fit; ``influential``: the rows with the greatest Cook's
    distances; ``more_effects``, ``more_boundaries``: how many predictors were left out.
    """

    model: Model
    title: str
    made: Made
    evaluation: Evaluation | None = None
    findings: Findings | None = None
    residuals: Bins | None = None
    influential: tuple[Influential, ...] = ()
    effects: tuple[EffectCurve, ...] = ()
    more_effects: int = 0
    boundaries: tuple[Boundary, ...] = ()
    more_boundaries: int = 0
    javascript: str | None = None
    missing: Mapping[str, str] = field(default_factory=dict)
