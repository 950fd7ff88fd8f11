"""Text -> tokens: names, numbers, quoted texts and signs, each with its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from passline.errors import FormulaError
from passline.table.tree import Span, continues_word, starts_word

TokenKind: TypeAlias = Literal["word", "backticked", "number", "string", "sign", "end"]


@dataclass(frozen=True)
class Token:
    """A piece of a formula: ``text`` is what it says (a name without its backticks), ``span`` where it stands."""

    kind: TokenKind
    text: str
    span: Span


def tokenize(text: str) -> list[Token]:
    """Split a formula into tokens, the last of kind ``end``."""
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        c = text[at]
        if c.isspace():
            at += 1
            continue
        if starts_word(c):
            token = _word(text, at)
        elif c == "`":
            token = _backticked(text, at)
        elif c in "\"'":
            token = _string(text, at)
        elif _is_digit(c) or (c == "." and _is_digit(text[at + 1 : at + 2])):
            token = _number(text, at)
        else:
            token = _sign(text, at)
        tokens.append(token)
        at = token.span[1]
    tokens.append(Token("end", "", (len(text), len(text))))
    return tokens


def _word(text: str, start: int) -> Token:
    end = start + 1
    while end < len(text) and continues_word(text[end]):
        end += 1
    return Token("word", text[start:end], (start, end))


def _backticked(text: str, start: int) -> Token:
    end = start + 1
    while True:
        end = text.find("`", end)
        if end < 0:
            raise FormulaError("this backtick is never closed.", text, start)
        if text[end + 1 : end + 2] != "`":
            break
        end += 2
    name = text[start + 1 : end].replace("``", "`")
    if not name:
        raise FormulaError("there is no name between these backticks.", text, start, end + 1)
    return Token("backticked", name, (start, end + 1))


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}


def _string(text: str, start: int) -> Token:
    quote, pieces, at = text[start], [], start + 1
    while at < len(text) and text[at] != quote:
        if text[at] == "\\":
            escaped = _ESCAPES.get(text[at + 1 : at + 2])
            if escaped is None:
                raise FormulaError("a backslash in quotes is written \\\\.", text, at)
            pieces.append(escaped)
            at += 2
        else:
            pieces.append(text[at])
            at += 1
    if at >= len(text):
        raise FormulaError("this quote is never closed.", text, start)
    return Token("string", "".join(pieces), (start, at + 1))


def _number(text: str, start: int) -> Token:
    end = start
    while end < len(text) and (_is_digit(text[end]) or text[end] == "."):
        end += 1
    if text[end : end + 1] in ("e", "E"):
        exponent = end + 2 if text[end + 1 : end + 2] in ("+", "-") else end + 1
        if _is_digit(text[exponent : exponent + 1]):
            end = exponent
            while end < len(text) and _is_digit(text[end]):
                end += 1
    if text[start:end].count(".") > 1:
        raise FormulaError(f"{text[start:end]} is not a number.", text, start, end)
    if end < len(text) and continues_word(text[end]):
        word = _word(text, start)
        raise FormulaError(
            f"a name that starts with a digit needs backticks: `{word.text}`.", text, start, word.span[1]
        )
    return Token("number", text[start:end], (start, end))


def _sign(text: str, start: int) -> Token:
    if text[start] == "." and start + 1 < len(text) and continues_word(text[start + 1]):
        word = _word(text, start)
        raise FormulaError(f"a name that starts with a dot needs backticks: `{word.text}`.", text, start, word.span[1])
    if text[start] == "%":
        close = text.find("%", start + 1)
        end = close + 1 if close > 0 else start + 1
    else:
        end = start + 2 if text[start : start + 2] in ("**", "==", "!=", "<=", ">=", "&&", "||") else start + 1
    return Token("sign", text[start:end], (start, end))


def _is_digit(c: str) -> bool:
    return bool(c) and c in "0123456789"
