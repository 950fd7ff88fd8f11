"""The pieces of a query as sqlglot's expressions: numbers, cases, forms; no double of a row becomes a decimal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from passline.errors import MissingDependencyError
from passline.table.arithmetic import Argument, Choice, Form, Number, Operation, log1p_by_logarithm

Tree: TypeAlias = Any  # an expression of sqlglot's, which is imported when it is needed

GREATEST = 1.7976931348623157e308
# Where the exponential leaves the normal doubles, and where it leaves the doubles: PostgreSQL stops a query there.
SMALLEST_NORMAL, SMALLEST = -708.0, -745.0
_FUNCTIONS = {"ln": "Ln", "sqrt": "Sqrt", "abs": "Abs", "pow": "Pow"}
_ARITHMETIC = ("+", "-", "*", "/")
_SIGNS = {"+": "Add", "-": "Sub", "*": "Mul", "<": "LT", "<=": "LTE", "=": "EQ", ">": "GT", ">=": "GTE"}


def require_sqlglot() -> Any:
    """Import sqlglot."""
    try:
        import sqlglot
    except ImportError as error:
        raise MissingDependencyError(
            "an export to SQL needs sqlglot, which is not installed. Install it: pip install 'passline[export]'"
        ) from error
    return sqlglot


def number(value: float) -> Tree:
    """A double as a literal with an exponent, which stands for a double, not a decimal, nearly everywhere."""
    text = repr(abs(float(value))).removesuffix(".0")
    literal = _exp().Literal.number(text if "e" in text else f"{text}e0")
    return _exp().Neg(this=literal) if value < 0 else literal


def double(value: Tree) -> Tree:
    """A value as a double."""
    return _exp().Cast(this=value, to=_exp().DataType(this=_exp().DType.DOUBLE))


def text(value: str) -> Tree:
    """A literal of text."""
    return _exp().Literal.string(value)


def column(name: str) -> Tree:
    """A column of an earlier stage."""
    return _exp().column(name)


def two(sign: str, left: Tree, right: Tree) -> Tree:
    """``left sign right``, an operand in brackets where it is made of others."""
    exp = _exp()
    bare = sign not in _ARITHMETIC  # nothing binds looser than a comparison here
    pair = {
        name: value.copy() if bare else _bracketed(value) for name, value in (("this", left), ("expression", right))
    }
    if sign == "/":  # of doubles: no dialect has to guard or convert
        return exp.Div(**pair, typed=True, safe=False)
    return getattr(exp, _SIGNS[sign])(**pair)


def function(name: str, *arguments: Tree) -> Tree:
    """``ln(x)``, ``abs(x)``, ``pow(x, k)``."""
    pair = dict(zip(("this", "expression"), arguments, strict=False))
    return getattr(_exp(), _FUNCTIONS[name])(**pair)


def case(branches: Sequence[tuple[Tree, Tree]], otherwise: Tree | None = None, of: Tree | None = None) -> Tree:
    """``CASE [of] WHEN ... THEN ... ELSE ... END``; without ``otherwise`` NULL."""
    exp = _exp()
    return exp.Case(this=of, ifs=[exp.If(this=test, true=value) for test, value in branches], default=otherwise)


def missing(value: Tree) -> Tree:
    """``value IS NULL``."""
    return _exp().Is(this=value, expression=_exp().Null())


def both(sign: str, tests: Sequence[Tree]) -> Tree:
    """Tests joined by AND or OR, as a balanced tree: parsers bound the depth."""
    if len(tests) == 1:
        return tests[0]
    half = len(tests) // 2
    join = {"and": _exp().And, "or": _exp().Or}[sign]
    pair = {"this": both(sign, tests[:half]), "expression": both(sign, tests[half:])}
    return _exp().Paren(this=join(**pair))


def finite(value: Tree) -> Tree:
    """The value where it is finite, else NULL; NaN compares as no number, or as the greatest."""
    return case([(two("<=", function("abs", value), number(GREATEST)), value.copy())])


def exponential(x: Tree) -> Tree:
    """exp(x) for x <= 709.78; below the normal doubles zero, since PostgreSQL stops where a product underflows."""
    return case([(two("<", x, number(SMALLEST_NORMAL)), number(0.0))], _power_of_e(x))


def logistic(eta: Tree) -> Tree:
    """1 / (1 + exp(-eta)), where neither exponential overflows nor underflows; NULL where eta is."""
    half = two("/", eta, number(2.0))
    one, up, down = number(1.0), _power_of_e(_exp().Neg(this=eta.copy())), _power_of_e(eta)
    return case(
        [
            (two(">=", eta, number(-SMALLEST_NORMAL)), one),
            (two(">", eta, number(0.0)), two("/", one, two("+", one, up))),
            (two(">=", eta, number(SMALLEST_NORMAL)), two("/", down, two("+", one, down))),
            (two(">=", eta, number(SMALLEST)), two("*", _power_of_e(half), _power_of_e(half))),
            (two("<", eta, number(SMALLEST)), number(0.0)),
        ]
    )


def form(written: Form | None, argument: Callable[[], Tree]) -> Tree:
    """A form of an argument."""
    match written:
        case None:
            found = _exp().Null()
        case Argument():
            found = argument()
        case Number(value):
            found = number(value)
        case Operation("log1p", (x,)):  # which few dialects have
            found = form(log1p_by_logarithm(x), argument)
        case Operation("hinge cubed", (x,)):
            u = form(x, argument)
            cube = _exp().Mul(this=two("*", u, u), expression=_bracketed(u))
            found = case([(two("<=", u, number(0.0)), number(0.0))], cube)
        case Operation("exp", (x,)):
            found = exponential(form(x, argument))
        case Operation(("+" | "-" | "*" | "/") as sign, (left, right)):
            found = two(sign, form(left, argument), form(right, argument))
        case Operation(name, operands):
            found = function(name, *(form(operand, argument) for operand in operands))
        case Choice(left, comparison, right, then, otherwise):
            test = two(comparison, form(left, argument), form(right, argument))
            found = case([(test, form(then, argument))], None if otherwise is None else form(otherwise, argument))
    return found


def _bracketed(value: Tree) -> Tree:
    exp = _exp()
    value = value.copy()
    return exp.Paren(this=value) if isinstance(value, exp.Binary) else value


def _power_of_e(x: Tree) -> Tree:
    return _exp().Exp(this=x.copy())


def _exp() -> Any:
    return require_sqlglot().exp
