"""Tree -> terms: the algebra of ``+ - * :``, in the order of R's terms(), and the dot's expansion."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from passline.errors import FormulaError
from passline.table.tree import (
    Call,
    Dot,
    Expression,
    Formula,
    Interaction,
    Intercept,
    Name,
    Node,
    Product,
    Sum,
    column_of,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

MAX_TERMS = 50_000

_Key: TypeAlias = tuple[int, ...]  # a term: the places of its factors in the order of first appearance


@dataclass(frozen=True)
class Terms:
    """What a formula adds up: terms of factors, by degree and then as written, and whether there is an intercept."""

    terms: tuple[tuple[Expression, ...], ...]
    intercept: bool


def expand_dot(formula: Formula, others: Iterable[str]) -> Formula:
    """The formula with each ``.`` replaced by the sum of the other columns."""
    names = tuple(others)

    def walk(node: Node) -> Node:
        match node:
            case Dot(span):
                if not names:
                    raise FormulaError("there is no other column for . to stand for.", formula.text, *span)
                parts = tuple(("+", Name(name, span)) for name in names)
                return Sum(parts, span) if len(parts) > 1 else parts[0][1]
            case Sum(parts):
                return replace(node, parts=tuple((sign, walk(part)) for sign, part in parts))
            case Product(parts) | Interaction(parts):
                return replace(node, parts=tuple(walk(part) for part in parts))
            case _:
                return node

    return replace(formula, right=walk(formula.right))


def find_terms(formula: Formula) -> Terms:
    """Multiply out the right side of a formula without a dot, as R's terms() does.

    Raises FormulaError where a term is taken away that is not there, where 0 or 1 is multiplied, where the outcome
    stands on the right, and where nothing is left to fit.
    """
    algebra = _Algebra(formula)
    total = algebra.value(formula.right)
    intercept = total.intercept is not False
    if not total.terms and not intercept:
        raise FormulaError(
            "nothing is left to fit: no term and no intercept.", formula.text, formula.right.span[0], len(formula.text)
        )
    factors = list(algebra.factors)
    ordered = sorted(total.terms, key=len)  # stable: by degree, then as written
    return Terms(tuple(tuple(factors[i] for i in key) for key in ordered), intercept)


@dataclass
class _Value:
    """The terms of a part of the formula, in order, and what it says of the intercept, if anything."""

    terms: dict[_Key, None]
    intercept: bool | None = None


class _Algebra:
    def __init__(self, formula: Formula) -> None:
        self.formula = formula
        self.factors: dict[Expression, int] = {}

    def fail(self, message: str, node: Node) -> FormulaError:
        return FormulaError(message, self.formula.text, *node.span)

    def value(self, node: Node) -> _Value:
        match node:
            case Name() | Call():
                if column_of(node) == self.formula.outcome:
                    raise self.fail("the outcome cannot stand on the right side too.", column_of(node))
                return _Value({(self.factors.setdefault(node, len(self.factors)),): None})
            case Intercept(present):
                return _Value({}, present)
            case Sum():
                return self.sum(node)
            case Product(parts):
                return self.fold(parts, self.cross)
            case Interaction(parts):
                return self.fold(parts, self.interact)
            case Dot():
                raise AssertionError("the dot is expanded before terms are found")

    def sum(self, node: Sum) -> _Value:
        total = _Value({})
        for sign, part in node.parts:
            value = self.value(part)
            if sign == "+":
                total.terms.update(value.terms)
                total.intercept = total.intercept if value.intercept is None else value.intercept
            else:
                self.subtract(total, value, part)
            self.check_count(len(total.terms), part)
        return total

    def subtract(self, total: _Value, value: _Value, part: Node) -> None:
        if value.intercept is False:
            raise self.fail("- 0 says nothing: write + 1 for the intercept, - 1 for none.", part)
        if value.intercept:
            total.intercept = False
        for key in value.terms:
            if key not in total.terms:
                raise self.fail(f"{self.text(key)} is not among the terms before it, so it cannot be taken away.", part)
            del total.terms[key]

    def fold(self, parts: Sequence[Node], combine: Callable[[_Value, _Value, Node], _Value]) -> _Value:
        total = self.factor(parts[0])
        for part in parts[1:]:
            total = combine(total, self.factor(part), part)
        return total

    def factor(self, node: Node) -> _Value:
        value = self.value(node)
        if value.intercept is not None:
            raise self.fail("0 and 1 stand for the intercept and can only be added or taken away.", node)
        return value

    def cross(self, left: _Value, right: _Value, part: Node) -> _Value:
        return _Value({**left.terms, **right.terms, **self.interact(left, right, part).terms})

    def interact(self, left: _Value, right: _Value, part: Node) -> _Value:
        self.check_count(len(left.terms) * len(right.terms), part)
        return _Value({tuple(sorted({*a, *b})): None for a in left.terms for b in right.terms})

    def check_count(self, count: int, part: Node) -> None:
        if count > MAX_TERMS:
            raise self.fail(f"this multiplies out to more than {MAX_TERMS:,} terms.", part)

    def text(self, key: _Key) -> str:
        factors = list(self.factors)
        return ":".join(write(factors[i]) for i in key)
