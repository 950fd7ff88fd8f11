"""What a sum over rows adds up to: loss, gradient and curvature, and the rule for adding two of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# NumPy's and torch's arrays alike; the likelihood is stated once for both.
Array = Any


@dataclass(frozen=True)
class Value:
    """Loss, gradient and curvature of a sum of rows at one coefficient vector (or one a column of a matrix).

    ``loss``: float, or (k,) for a coefficient matrix. ``gradient``: (p,) or (p, k), None below order 1.
    ``curvature``: (p, p) or (k, p, p), None below order 2.
    """

    loss: Array
    gradient: Array | None = None
    curvature: Array | None = None

    def __add__(self, other: Value) -> Value:
        return Value(self.loss + other.loss, _add(self.gradient, other.gradient), _add(self.curvature, other.curvature))

    def __truediv__(self, total: float) -> Value:
        return Value(
            self.loss / total,
            None if self.gradient is None else self.gradient / total,
            None if self.curvature is None else self.curvature / total,
        )


def _add(a: Array | None, b: Array | None) -> Array | None:
    return None if a is None or b is None else a + b
