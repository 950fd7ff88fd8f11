"""Text -> closed tree: the grammar of formulas, and what to say about a slip."""

from __future__ import annotations

import difflib
import math
from typing import TYPE_CHECKING, NoReturn

from passline.errors import FormulaError
from passline.table.functions import ADVICE, FUNCTIONS, Function, Setting
from passline.table.tokens import Token, tokenize
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
    Span,
    Sum,
    number_text,
    quoted,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_DEPTH = 60  # brackets and functions inside one another; the parser recurses, Python's stack does not last for ever


def parse(text: str) -> Formula:
    """Read a formula, ``outcome ~ terms``, into its tree.

    Raises FormulaError at the character of a slip.
    """
    return _Parser(text).formula()


def nearest(name: str, known: Iterable[str]) -> str:
    """What to add to a message about an unknown name: `` Did you mean 'age'?``, or nothing."""
    names = list(known)
    match = [k for k in names if k.casefold() == name.casefold()]
    match = match or difflib.get_close_matches(name, names[:2000], n=1, cutoff=0.6)
    return f" Did you mean {match[0]!r}?" if match else ""


_SIGN_ADVICE = {
    "^": "a power is written power(x, 2); for interactions write a * b.",
    "**": "a power is written power(x, 2); for interactions write a * b.",
    "/": "for a / b write a + a:b; a ratio has to be a column of the data.",
    "%in%": "for b %in% a write a:b.",
    "|": "groups after | are not part of this model; write C(group) for an intercept of each group's own.",
    "||": "groups after || are not part of this model; write C(group) for an intercept of each group's own.",
    "=": "a formula uses ~ , not = : outcome ~ terms.",
    "==": "comparisons are not part of a formula: make them a column of the data.",
    "!": "negation is not part of a formula: make it a column of the data.",
}


class _Parser:
    """Recursive descent over the tokens of one formula."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokenize(text)
        self.place = 0

    def peek(self) -> Token:
        return self.tokens[self.place]

    def at_sign(self, signs: str) -> bool:
        return self.peek().kind == "sign" and self.peek().text in signs and len(self.peek().text) == 1

    def advance(self) -> Token:
        token = self.peek()
        self.place += 1
        return token

    def fail(self, message: str, span: Span) -> NoReturn:
        raise FormulaError(message, self.text, *span)

    def formula(self) -> Formula:
        first = self.peek()
        if first.kind == "end":
            self.fail("the formula is empty; write outcome ~ terms.", first.span)
        if self.at_sign("~"):
            self.fail("the outcome is missing; write outcome ~ terms.", first.span)
        if first.kind not in ("word", "backticked"):
            self.fail("a formula starts with the outcome's name: outcome ~ terms.", first.span)
        self.advance()
        if not self.at_sign("~"):
            self.fail_before_tilde(first)
        self.advance()
        if self.peek().kind == "end":
            self.fail("the right side is empty; write terms after ~ , or 1 for the intercept alone.", self.peek().span)
        right = self.sum(0)
        if self.peek().kind != "end":
            self.unexpected()
        return Formula(self.text, Name(first.text, first.span), right)

    def fail_before_tilde(self, first: Token) -> NoReturn:
        if not any(t.kind == "sign" and t.text == "~" for t in self.tokens):
            if self.peek().kind == "sign" and self.peek().text in ("=", "=="):
                self.fail(_SIGN_ADVICE["="], self.peek().span)
            self.fail("there is no ~ ; write outcome ~ terms.", self.tokens[-1].span)
        if self.at_sign("("):
            self.fail(
                "the outcome is a single column without a function; make it a column of the data.",
                (first.span[0], self.peek().span[1]),
            )
        self.fail("the outcome is a single column; a name with other characters needs backticks.", self.peek().span)

    def sum(self, depth: int) -> Node:
        sign = "-" if self.at_sign("-") else "+"
        start = self.peek().span[0]
        if sign == "-":
            self.advance()
        parts: list[tuple[str, Node]] = [(sign, self.product(depth))]
        while self.at_sign("+-"):
            sign = self.advance().text
            parts.append((sign, self.product(depth)))
        if len(parts) == 1 and parts[0][0] == "+":
            return parts[0][1]
        return Sum(tuple(parts), (start, self.tokens[self.place - 1].span[1]))

    def product(self, depth: int) -> Node:
        parts = [self.interaction(depth)]
        while self.at_sign("*"):
            self.advance()
            parts.append(self.interaction(depth))
        return parts[0] if len(parts) == 1 else Product(tuple(parts), (parts[0].span[0], parts[-1].span[1]))

    def interaction(self, depth: int) -> Node:
        parts = [self.operand(depth)]
        while self.at_sign(":"):
            self.advance()
            parts.append(self.operand(depth))
        return parts[0] if len(parts) == 1 else Interaction(tuple(parts), (parts[0].span[0], parts[-1].span[1]))

    def operand(self, depth: int) -> Node:
        token = self.peek()
        if self.at_sign("("):
            self.check_depth(depth + 1)
            self.advance()
            if self.at_sign(")"):
                self.fail("there is nothing between these brackets.", (token.span[0], self.peek().span[1]))
            inner = self.sum(depth + 1)
            self.close(token)
            return inner
        if token.kind == "number":
            if token.text not in ("0", "1"):
                self.fail("a number is not a term; only 0 (no intercept) and 1 (the intercept) are.", token.span)
            self.advance()
            return Intercept(token.text == "1", token.span)
        if self.at_sign("."):
            self.check_depth(depth + 1)  # its expansion may stand in brackets
            self.advance()
            return Dot(token.span)
        if token.kind not in ("word", "backticked"):
            self.missing_operand()
        return self.expression(depth)

    def expression(self, depth: int) -> Expression:
        token = self.advance()
        if token.kind == "word" and self.at_sign("("):
            return self.call(token, depth + 1)
        return Name(token.text, token.span)

    def call(self, word: Token, depth: int) -> Call:
        entry = FUNCTIONS.get(word.text)
        if entry is None:
            self.unknown_function(word)
        self.check_depth(depth)
        bracket = self.advance()
        if self.peek().kind not in ("word", "backticked"):
            what = "a column" if entry.category else "a column or a function of one"
            self.fail(f"{entry.name}() takes {what}: {entry.usage}.", self.peek().span)
        argument = self.expression(depth)
        self.check_argument(entry, argument)
        setting: Setting = None
        if self.at_sign(","):
            comma = self.advance()
            setting = self.setting(entry, comma)
        elif entry.parameter is not None and entry.parameter.required and self.at_sign(")"):
            self.fail(f"{entry.name}() takes a second value: {entry.usage}.", self.peek().span)
        if self.peek().kind == "sign" and self.peek().text in ("+", "-", "*", ":", "/", "~"):
            self.fail(
                f"inside {entry.name}() stands one column or function, no arithmetic: make it a column of the data.",
                self.peek().span,
            )
        self.close(bracket)
        return Call(entry.name, argument, setting, (), (word.span[0], self.tokens[self.place - 1].span[1]))

    def check_argument(self, entry: Function, argument: Expression) -> None:
        if entry.category and isinstance(argument, Call):
            self.fail(f"{entry.name}() takes a column, not a function of one: {entry.usage}.", argument.span)
        if isinstance(argument, Call):
            inner = FUNCTIONS[argument.function]
            if inner.category:
                self.fail(f"{inner.name}() gives a category, and {entry.name}() needs numbers.", argument.span)
            if inner.outermost:
                self.fail(f"{inner.name}() gives several columns: nothing may stand around it.", argument.span)

    def setting(self, entry: Function, comma: Token) -> Setting:
        parameter = entry.parameter
        if parameter is None:
            self.fail(f"{entry.name}() takes one column and nothing else: {entry.usage}.", comma.span)
        if parameter.keyword:
            if not (self.peek().kind == "word" and self.peek().text == parameter.keyword):
                self.fail(f"after the comma stands {parameter.keyword}= : {entry.usage}.", self.peek().span)
            self.advance()
            if not self.at_sign("="):
                self.fail(f"after {parameter.keyword} stands = : {entry.usage}.", self.peek().span)
            self.advance()
        if parameter.kind == "text":
            return self.text_setting(entry)
        return self.number_setting(entry)

    def text_setting(self, entry: Function) -> str:
        token = self.peek()
        if token.kind == "word" and entry.parameter is not None:
            advice = f"{entry.parameter.keyword}={quoted(token.text)}"
            self.fail(f"a level stands in quotes: {advice}.", token.span)
        if token.kind == "string":
            return self.advance().text
        value, _ = self.signed_number(entry)
        return number_text(value)

    def number_setting(self, entry: Function) -> float | int:
        value, span = self.signed_number(entry)
        parameter = entry.parameter
        assert parameter is not None
        if parameter.kind == "number":
            return value
        if not value.is_integer() or not parameter.low <= value <= parameter.high:
            low, high = parameter.low, parameter.high
            self.fail(f"{entry.name}() takes a whole number from {low} to {high}: {entry.usage}.", span)
        return int(value)

    def signed_number(self, entry: Function) -> tuple[float, Span]:
        start = self.peek().span[0]
        negative = self.at_sign("-")
        if self.at_sign("+-"):
            self.advance()
        token = self.peek()
        if token.kind != "number":
            self.fail(f"a value is missing: {entry.usage}.", token.span)
        self.advance()
        value = float(token.text)
        if not math.isfinite(value):
            self.fail("this number is too large.", token.span)
        return (-value if negative else value), (start, token.span[1])

    def check_depth(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            self.fail(f"brackets and functions stand more than {MAX_DEPTH} deep here.", self.peek().span)

    def close(self, bracket: Token) -> None:
        if self.peek().kind == "end":
            self.fail("this bracket is never closed.", bracket.span)
        if not self.at_sign(")"):
            self.unexpected()
        self.advance()

    def unknown_function(self, word: Token) -> NoReturn:
        advice = ADVICE.get(word.text)
        if advice is not None:
            self.fail(f"{advice}.", word.span)
        listed = ", ".join(FUNCTIONS)
        hint = nearest(word.text, FUNCTIONS)
        self.fail(f"there is no function {word.text}().{hint} The functions are {listed}.", word.span)

    def missing_operand(self) -> NoReturn:
        """Something that cannot start a term stands where one is needed."""
        token = self.peek()
        before = self.tokens[self.place - 1]
        if token.kind == "string":
            self.fail("a name with other characters stands in backticks, not in quotes.", token.span)
        if token.kind == "end":
            self.fail(f"a term is missing after {before.text!r}.", before.span)
        if token.text == "~":
            self.fail("a second ~ : a formula has one, outcome ~ terms.", token.span)
        if token.text in "+-*:)," or token.text in _SIGN_ADVICE:
            self.fail(f"a term is missing before {token.text!r}.", token.span)
        self.fail(f"{token.text!r} is not part of a formula; a name that holds it needs backticks.", token.span)

    def unexpected(self) -> NoReturn:
        """A whole term stands before this token, and the token cannot follow it."""
        token = self.peek()
        if token.kind in ("word", "backticked", "number") or self.at_sign("(."):
            self.fail(f"an operator (+ - * :) is missing before {self.text[slice(*token.span)]!r}.", token.span)
        if token.kind == "string":
            self.fail("a name with other characters stands in backticks, not in quotes.", token.span)
        if token.text == "~":
            self.fail("a second ~ : a formula has one, outcome ~ terms.", token.span)
        if token.text == ")":
            self.fail("this bracket was never opened.", token.span)
        if token.text == ",":
            self.fail("a comma stands only inside a function; join terms with + .", token.span)
        advice = _SIGN_ADVICE.get(token.text)
        if advice is not None:
            self.fail(advice, token.span)
        self.fail(f"{token.text!r} is not part of a formula; a name that holds it needs backticks.", token.span)
