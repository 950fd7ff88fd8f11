"""Back from an expression's value to its column's: log(dose) = 1.2 says which dose."""

from __future__ import annotations

import math
from dataclasses import dataclass

from passline.table.functions import FUNCTIONS
from passline.table.tree import Call, Expression, calls_of

Pieces = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Inverse:
    """The inverse of a monotone expression; ``calls`` are its functions, the innermost first."""

    calls: tuple[Call, ...]

    def point(self, value: float) -> float:
        """The column's value at which the expression is ``value``; NaN where it never is."""
        for call in reversed(self.calls):
            low, high = FUNCTIONS[call.function].image(call.setting)
            if not low <= value <= high:
                return math.nan
            value = self._back(call, value)
        return value if math.isfinite(value) else math.nan

    def pieces(self, pieces: Pieces) -> Pieces:
        """The column's values whose expression lies in ``pieces``."""
        out = []
        for piece in pieces:
            low, high = piece
            for call in reversed(self.calls):
                least, most = FUNCTIONS[call.function].image(call.setting)
                if high < least or low > most:
                    break
                ends = sorted(self._back(call, min(max(end, least), most)) for end in (low, high))
                low, high = ends[0], ends[1]
            else:
                out.append((low, high))
        return tuple(sorted(out))

    @staticmethod
    def _back(call: Call, value: float) -> float:
        inverse = FUNCTIONS[call.function].inverse
        assert inverse is not None
        return inverse(value, call.setting, call.state)


def inverse_of(expression: Expression, low: float) -> Inverse | None:
    """The inverse of an expression of a column whose least value is ``low``; None where it is not monotone there."""
    calls = tuple(calls_of(expression))
    for place, call in enumerate(calls):
        entry = FUNCTIONS[call.function]
        if entry.inverse is None:
            return None
        if entry.monotone_above is not None:
            floor = entry.monotone_above(call.setting)
            # Behind another function the argument's least value is not known.
            if floor is not None and (place > 0 or low < floor):
                return None
    return Inverse(calls)
