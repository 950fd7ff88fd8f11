"""The closed tree of a formula: its nodes, and how each is written as text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from passline.table.functions import FUNCTIONS, Setting, State

Span: TypeAlias = tuple[int, int]  # characters of the formula, from 0, the end not included


@dataclass(frozen=True)
class Name:
    """A column."""

    name: str
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class Call:
    """A function of a column or of another call; ``state`` is what it learned from the rows (a mean, knots)."""

    function: str
    argument: Name | Call
    setting: Setting = None
    state: State = field(default=(), compare=False)
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class Dot:
    """All other columns."""

    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class Intercept:
    """The ``0`` or ``1`` of a formula."""

    present: bool
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class Sum:
    """``a + b - c``: nodes with the sign before each."""

    parts: tuple[tuple[str, Node], ...]
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class Product:
    """``a * b``: both and their interaction."""

    parts: tuple[Node, ...]
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class Interaction:
    """``a:b``."""

    parts: tuple[Node, ...]
    span: Span = field(default=(0, 0), compare=False)


Expression: TypeAlias = Name | Call
Node: TypeAlias = Name | Call | Dot | Intercept | Sum | Product | Interaction


@dataclass(frozen=True)
class Formula:
    """A parsed formula; ``text`` is what the user wrote, for messages."""

    text: str
    outcome: Name
    right: Node


def is_plain(name: str) -> bool:
    """Whether a name needs no backticks: a letter or an underscore, then letters, digits, ``_`` and ``.``."""
    return bool(name) and starts_word(name[0]) and all(continues_word(c) for c in name[1:])


def starts_word(c: str) -> bool:
    """Whether a plain word may start with this character."""
    return c == "_" or c.isalpha()


def continues_word(c: str) -> bool:
    """Whether a plain word may go on with this character."""
    return c == "." or ("a" + c).isidentifier()


def write(node: Node) -> str:
    """The canonical text of a node, as R deparses: ``C(x, ref = "a")``, ``a:b``, ``a * b``."""
    match node:
        case Name(name):
            text = name if is_plain(name) else "`" + name.replace("`", "``") + "`"
        case Call():
            text = f"{node.function}({write(node.argument)}{_write_setting(node)})"
        case Dot():
            text = "."
        case Intercept(present):
            text = "1" if present else "0"
        case Sum(parts):
            text = _write_sum(parts)
        case Product(parts):
            text = " * ".join(f"({write(p)})" if isinstance(p, Sum | Product) else write(p) for p in parts)
        case Interaction(parts):
            text = ":".join(write(p) if isinstance(p, Name | Call | Dot) else f"({write(p)})" for p in parts)
    return text


def write_formula(formula: Formula) -> str:
    """The canonical text of a whole formula."""
    return f"{write(formula.outcome)} ~ {write(formula.right)}"


def column_of(expression: Expression) -> Name:
    """The one column an expression is made of."""
    while isinstance(expression, Call):
        expression = expression.argument
    return expression


def calls_of(expression: Expression) -> list[Call]:
    """The calls of an expression, the innermost first."""
    calls = []
    while isinstance(expression, Call):
        calls.append(expression)
        expression = expression.argument
    return calls[::-1]


def number_text(value: float) -> str:
    """The shortest decimal that reads back as this number: ``1``, ``2.5``, ``1e+300``."""
    value = float(value) + 0.0  # minus zero is zero
    return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)


def quoted(text: str) -> str:
    """A text between double quotes, as the parser reads it back."""
    for character, escape in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r")):
        text = text.replace(character, escape)
    return f'"{text}"'


def _write_setting(call: Call) -> str:
    if call.setting is None:
        return ""
    parameter = FUNCTIONS[call.function].parameter
    keyword = f"{parameter.keyword} = " if parameter and parameter.keyword else ""
    value = quoted(call.setting) if isinstance(call.setting, str) else number_text(call.setting)
    return f", {keyword}{value}"


def _write_sum(parts: tuple[tuple[str, Node], ...]) -> str:
    pieces = []
    for place, (sign, node) in enumerate(parts):
        # A bracket matters where something is taken away: after a minus, or inside.
        bare = not isinstance(node, Sum) or (sign == "+" and all(s == "+" for s, _ in node.parts))
        text = write(node) if bare else f"({write(node)})"
        pieces.append(("-" if sign == "-" else "") + text if place == 0 else f" {sign} {text}")
    return "".join(pieces)
