"""Forms of arithmetic as text in languages with infix operators: one table of words a language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from passline.table.arithmetic import Argument, Choice, Form, Number, Operation

if TYPE_CHECKING:
    from passline.ship.plan import Plan


@dataclass(frozen=True)
class Language:
    """How a language spells operations: ``functions`` by operator, ``equal``, ``nothing`` (a number that is none).

    ``choice`` has the places {condition}, {then} and {otherwise}.
    """

    functions: Mapping[str, str]
    equal: str
    nothing: str
    choice: str

    def write(self, form: Form | None, argument: str) -> str:
        """A form whose argument is called ``argument``."""
        match form:
            case None:
                text = self.nothing
            case Argument():
                text = argument
            case Number(value):
                text = number(value)
            case Operation(("+" | "-" | "*" | "/") as sign, (left, right)):
                text = f"({self.write(left, argument)} {sign} {self.write(right, argument)})"
            case Operation(name, operands):
                text = f"{self.functions[name]}({', '.join(self.write(o, argument) for o in operands)})"
            case Choice(left, comparison, right, then, otherwise):
                compares = self.equal if comparison == "=" else comparison
                text = self.choice.format(
                    condition=f"{self.write(left, argument)} {compares} {self.write(right, argument)}",
                    then=self.write(then, argument),
                    otherwise=self.write(otherwise, argument),
                )
        return text


def number(value: float) -> str:
    """A double as text that Python and JavaScript read back bit for bit."""
    return repr(float(value))


def group_texts(plan: Plan) -> list[tuple[str, str]]:
    """Each group's value, ``v0`` or 1, and its place, of the places ``k0``, ``k1`` of its categories."""
    pairs = []
    for group in plan.groups:
        place = "0"
        for category, count in list(zip(group.categories, plan.width(group), strict=True))[::-1]:
            place = f"k{category}" if place == "0" else f"k{category} + {count} * ({place})"
        pairs.append(("1.0" if group.value is None else f"v{group.value}", place))
    return pairs
