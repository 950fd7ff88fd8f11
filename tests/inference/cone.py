"""The cone of recession by brute force, in exact integers: all extreme rays of a small integer table."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction

Row = tuple[int, ...]


@dataclass(frozen=True)
class Cone:
    """The verdict as exact arithmetic gives it; ``moves``: +1, -1, 0, or None where rays disagree."""

    kind: str
    separated: list[bool]
    moves: list[int | None]


def cone(X: list[Row], y: list[float]) -> Cone:
    """The cone {b: s_i x_i'b >= 0, and x_i'b = 0 in mixed rows} for a table of full column rank, p <= 3."""
    p = len(X[0])
    assert rank(X) == p <= 3
    mixed = [x for x, outcome in zip(X, y, strict=True) if 0 < outcome < 1]
    signed = [tuple(v if outcome == 1 else -v for v in x) for x, outcome in zip(X, y, strict=True) if outcome in (0, 1)]

    def inside(b: Row) -> bool:
        return all(dot(x, b) == 0 for x in mixed) and all(dot(x, b) >= 0 for x in signed)

    # The cone is pointed, so each extreme ray lies on p - 1 independent faces.
    faces = sorted(set(X))
    found = {b for chosen in itertools.combinations(faces, p - 1) for b in orthogonal(list(chosen), p) if inside(b)}
    separated = [any(dot(x, b) != 0 for b in found) for x in X]
    moves: list[int | None] = []
    for j in range(p):
        signs = {(b[j] > 0) - (b[j] < 0) for b in found} - {0}
        moves.append(None if len(signs) == 2 else signs.pop() if signs else 0)
    kind = "none" if not found else "complete" if all(separated) else "quasi"
    return Cone(kind, separated, moves)


def orthogonal(rows: list[Row], p: int) -> list[Row]:
    """Both directions that are orthogonal to p - 1 rows; none where these are dependent."""
    if p == 1:
        b: Row = (1,)
    elif p == 2:
        b = (-rows[0][1], rows[0][0])
    else:
        (a1, a2, a3), (b1, b2, b3) = rows
        b = (a2 * b3 - a3 * b2, a3 * b1 - a1 * b3, a1 * b2 - a2 * b1)
    return [b, tuple(-v for v in b)] if any(b) else []


def dot(x: Row, b: Row) -> int:
    return sum(u * v for u, v in zip(x, b, strict=True))


def rank(X: list[Row]) -> int:
    """The rank by elimination in fractions."""
    rows = [[Fraction(v) for v in x] for x in X]
    found = 0
    for j in range(len(X[0])):
        pivot = next((row for row in rows[found:] if row[j]), None)
        if pivot is None:
            continue
        rows.remove(pivot)
        rows.insert(found, pivot)
        rows[found + 1 :] = [
            [v - row[j] / pivot[j] * u for v, u in zip(row, pivot, strict=True)] for row in rows[found + 1 :]
        ]
        found += 1
    return found
