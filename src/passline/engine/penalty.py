"""What is added to the mean loss, on the scale of the columns as given; the intercept is never penalised."""

from __future__ import annotations

import math
from dataclasses import dataclass

from passline.errors import OptionError


@dataclass(frozen=True)
class Penalty:
    r"""Ridge penalty of the objective, per row and on the columns as given: mean loss plus

    .. math:: \tfrac12 l_2 |w|_2^2

    ``l2`` = 1 / (n C) for scikit-learn's ``C``; = lambda (1 - alpha) for glmnet's. Raises OptionError if negative or
    not finite.
    """

    l2: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.l2) and self.l2 >= 0):
            raise OptionError(f"the penalty l2 is {self.l2}: give a number that is zero or positive")

    def __bool__(self) -> bool:
        return self.l2 > 0
