"""What a dialect of SQL can write and tell apart: names, levels, infinities; what it cannot is refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from passline.errors import OptionError
from passline.ship.expressions import Tree, require_sqlglot
from passline.table.formula import nearest

if TYPE_CHECKING:
    from passline.ship.plan import Plan

# How an infinite double is written; elsewhere the log-odds of a row that separation decides are NULL.
INFINITY = {"duckdb": "CAST('Infinity' AS DOUBLE)", "postgres": "CAST('Infinity' AS DOUBLE)", "sqlite": "9e999"}
# Texts compare without regard to case here, and to blanks at the end, unless a column's collation says otherwise.
FOLDING = ("mysql", "tsql", "fabric", "doris", "starrocks", "singlestore", "teradata")
LONGEST_NAME = {"postgres": 63, "redshift": 127, "mysql": 64, "oracle": 128, "tsql": 128}  # bytes; more is cut off
NOT_SQL = ("dax", "prql")  # languages that sqlglot reads, and cannot write
ANSWERS = ("logit", "probability")
_BRACKETS = re.compile(r"\(\n +((?:[^()\n]|\([^()\n]*\)){1,90})\n +\)")


def check_dialect(dialect: str) -> None:
    """Raise OptionError unless sqlglot speaks the dialect."""
    known = sorted(name for name in require_sqlglot().Dialect.classes if name and name not in NOT_SQL)
    if dialect not in known:
        hint = nearest(dialect, known)
        raise OptionError(f"there is no SQL dialect {dialect!r}.{hint} The dialects: {', '.join(known)}.")


def table(name: str, dialect: str) -> Tree:
    """A table's name, perhaps with its schema, as an expression."""
    glot = require_sqlglot()
    try:
        tokens = [token.text for token in glot.tokenize(name, read=dialect)]
        found = glot.exp.to_table(name, dialect=dialect)
    except (glot.errors.SqlglotError, ValueError):
        tokens, found = [], None
    # Names alone, joined by points: nothing that does anything.
    alternate = len(tokens) % 2 == 1 and all(token == "." for token in tokens[1::2])
    if not alternate or found is None or {key for key, part in found.args.items() if part} - {"this", "db", "catalog"}:
        raise OptionError(f"the table is {name!r}, which is no table's name in the dialect {dialect}")
    return found


def infinity(dialect: str, sign: str = "") -> Tree | None:
    """An infinite double, if the dialect has one."""
    glot = require_sqlglot()
    found = INFINITY.get(dialect)
    return None if found is None else glot.parse_one(f"{sign}{found}", dialect="duckdb")


def check_names(plan: Plan, dialect: str, keep: Sequence[str]) -> None:
    """Raise OptionError for names and levels that the dialect cannot tell apart."""
    for name in keep:
        if name.lower() in ANSWERS or list(keep).count(name) > 1:
            raise OptionError(f"the column {name!r} cannot be kept: the answer would have two columns of that name")
    names = list(dict.fromkeys([*(each.column for each in plan.inputs), *keep]))
    if _ignores_case(dialect):
        _refuse_equal(
            names,
            str.lower,
            f"the dialect {dialect} ignores the case of columns' names",
            "rename one in the table, and say so (rename)",
        )
    longest = LONGEST_NAME.get(dialect)
    if longest is not None:
        what = f"the dialect {dialect} cuts names after {longest} bytes"
        _refuse_equal(
            names, lambda name: name.encode("utf-8", "replace")[:longest].decode("utf-8", "ignore"), what, "shorten one"
        )
    for category in plan.categories if dialect in FOLDING else ():
        column = plan.inputs[category.input].column
        what = (
            f"the dialect {dialect} ignores case and blanks at the end of texts, and column {column!r} has the levels"
        )
        _refuse_equal(category.levels, lambda level: level.rstrip().casefold(), what, "fit with other levels")


def written(tree: Tree, dialect: str) -> str:
    """The text of a query, short brackets on one line.

    Raises OptionError where a text or a quoted name would not read back as it is.
    """
    glot = require_sqlglot()
    exp = glot.exp
    found = {(node.this, node) for node in tree.find_all(exp.Literal) if node.is_string}
    found |= {(node.this, node) for node in tree.find_all(exp.Identifier) if node.args.get("quoted")}
    for text, node in found:
        if "\0" in text or not _is_unicode(text):
            raise OptionError(f"SQL cannot hold the text {text!r}: it has a NUL, or half a character")
        if not _reads_back(node.sql(dialect=dialect), text, dialect):
            raise OptionError(f"the dialect {dialect} cannot write the text {text!r} so that it reads back")
    try:
        long: str = tree.sql(dialect=dialect, pretty=True, unsupported_level=glot.ErrorLevel.RAISE)
    except glot.errors.SqlglotError as error:
        raise OptionError(f"the dialect {dialect} has not what the model needs: {error}") from None
    if any("\n" in text for text, _ in found):
        return long  # not every line's end is ours
    short = _BRACKETS.sub(r"(\1)", long)
    while short != long:
        long, short = short, _BRACKETS.sub(r"(\1)", short)
    return short


def _reads_back(written: str, text: str, dialect: str) -> bool:
    glot = require_sqlglot()
    try:
        tokens = glot.tokenize(written, read=dialect)
    except glot.errors.SqlglotError:
        return False
    return [token.text for token in tokens] == [text]


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _ignores_case(dialect: str) -> bool:
    strategy = require_sqlglot().Dialect.get_or_raise(dialect).normalization_strategy
    return "CASE_INSENSITIVE" in strategy.name or dialect in FOLDING


def _refuse_equal(names: Sequence[str], folded: Any, what: str, cure: str) -> None:
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(folded(name), name)
        if other != name:
            raise OptionError(f"{what}: {other!r} and {name!r} would be one: {cure}.")
