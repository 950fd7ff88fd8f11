"""The arithmetic of a function in a form that belongs to no language: what every printer of formulas renders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Operator: TypeAlias = Literal["+", "-", "*", "/", "ln", "log1p", "exp", "sqrt", "abs", "pow", "hinge cubed"]
Comparison: TypeAlias = Literal["<", "<=", "=", ">", ">="]


class _Written:
    """What can be calculated with: ``x * x`` of two forms is a form."""

    def __add__(self, other: Form) -> Form:
        return Operation("+", (_form(self), other))

    def __sub__(self, other: Form) -> Form:
        return Operation("-", (_form(self), other))

    def __mul__(self, other: Form) -> Form:
        return Operation("*", (_form(self), other))

    def __truediv__(self, other: Form) -> Form:
        return Operation("/", (_form(self), other))


@dataclass(frozen=True)
class Argument(_Written):
    """The value that a function is given: finite, or missing."""


@dataclass(frozen=True)
class Number(_Written):
    """A constant."""

    value: float


@dataclass(frozen=True)
class Operation(_Written):
    """An operation on doubles, rounded once; "hinge cubed" of u is max(u, 0)^3, as u * u * u."""

    operator: Operator
    operands: tuple[Form, ...]


@dataclass(frozen=True)
class Choice(_Written):
    """``then`` where ``left`` compares so with ``right``, else ``otherwise``; None: there is no value."""

    left: Form
    comparison: Comparison
    right: Form
    then: Form | None
    otherwise: Form | None


Form: TypeAlias = Argument | Number | Operation | Choice

X = Argument()


def call(operator: Operator, *operands: Form) -> Form:
    """An operation that is written as a function."""
    return Operation(operator, operands)


def log1p_by_logarithm(x: Form) -> Form:
    """log(1 + x) for x > -1 where a language has no log1p.

    ln(u) * x / (u - 1) with u = 1 + x rounded undoes the rounding of u; the quotient first, so that a large x does not
    overflow. Source: Higham, Accuracy and Stability of Numerical Algorithms (2002), section 1.14.1.
    """
    one = Number(1.0)
    u = one + x
    return Choice(u, "=", one, x, call("ln", u) * (x / (u - one)))


def _form(written: _Written) -> Form:
    assert isinstance(written, Argument | Number | Operation | Choice)
    return written
