"""What is added to the mean loss, on the scale of the columns as given; the intercept is never penalised."""

from __future__ import annotations

import math
from dataclasses import dataclass

from passline.errors import OptionError


@dataclass(frozen=True)
class Penalty:
    r"""Lasso and ridge penalty, per row and on the columns as given.

    .. math:: \text{mean loss} + l_1 \sum_j |w_j| + \tfrac{l_2}{2} \sum_j w_j^2

    ``l1`` = l1_ratio / (n C) and ``l2`` = (1 - l1_ratio) / (n C) for scikit-learn's ``C``; = lambda alpha and
    lambda (1 - alpha) for glmnet's. Raises OptionError if one is negative or not finite.
    """

    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        for name, value in (("l1", self.l1), ("l2", self.l2)):
            if not (math.isfinite(value) and value >= 0):
                raise OptionError(f"the penalty {name} is {value}: give a number that is zero or positive")

    def __bool__(self) -> bool:
        return self.l1 > 0 or self.l2 > 0

    def __str__(self) -> str:
        return ", ".join(f"{name} = {value:g}" for name, value in (("l1", self.l1), ("l2", self.l2)) if value)
