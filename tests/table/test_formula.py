"""Formulas are read into a closed tree, printed as R deparses them, and refused at the character of a slip."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passline.errors import FormulaError
from passline.table.formula import parse
from passline.table.functions import FUNCTIONS
from passline.table.terms import expand_dot, find_terms
from passline.table.tree import Name, is_plain, write, write_formula


def terms(text, others=("a", "b", "c")):
    """The terms of a formula as texts, `0` before them without an intercept."""
    found = find_terms(expand_dot(parse(text), others))
    return ([] if found.intercept else ["0"]) + [":".join(map(write, term)) for term in found.terms]


TERMS = {
    "y ~ a + b": ["a", "b"],
    "y ~ a * b * c": ["a", "b", "c", "a:b", "a:c", "b:c", "a:b:c"],
    "y ~ (a + b):c": ["a:c", "b:c"],
    "y ~ a:b + b:a + a": ["a", "a:b"],
    "y ~ b:a + a": ["a", "b:a"],
    "y ~ a:b + c": ["c", "a:b"],
    "y ~ a * b:c": ["a", "b:c", "a:b:c"],
    "y ~ (a + b) * c - b:c": ["a", "b", "c", "a:c"],
    "y ~ (a + b + c) - (a + c)": ["b"],
    "y ~ a + a + a": ["a"],
    "y ~ .": ["a", "b", "c"],
    "y ~ . - b": ["a", "c"],
    "y ~ .:a": ["a", "a:b", "a:c"],
    "y ~ d * .": ["d", "a", "b", "c", "d:a", "d:b", "d:c"],
    "y ~ 1": [],
    "y ~ 0 + a": ["0", "a"],
    "y ~ a + 0": ["0", "a"],
    "y ~ a - 1": ["0", "a"],
    "y ~ -1 + a": ["0", "a"],
    "y ~ a + 1": ["a"],
    "y ~ 0 + a + 1": ["a"],
    "y~a\n+\tb": ["a", "b"],
    "y ~ Sepal.Length + _x + straße": ["Sepal.Length", "_x", "straße"],
    "y ~ `a b` + `x``y` + `a`": ["`a b`", "`x``y`", "a"],
    "y ~ log + log(log)": ["log", "log(log)"],
    "y ~ C(x,ref='it''s')".replace("''", "\\'"): ['C(x, ref = "it\'s")'],
    'y ~ C(x, ref = "a\\"b\\\\")': ['C(x, ref = "a\\"b\\\\")'],
    "y ~ C(x, ref=2.0)": ['C(x, ref = "2")'],
    "y ~ power( x ,2.0)+power(x,-.5) + power(x, +3) + power(x, 2)": ["power(x, 2)", "power(x, -0.5)", "power(x, 3)"],
    "y ~ scale(log(abs(x))) + rcs(log1p(x),3) + rcs(x)": ["scale(log(abs(x)))", "rcs(log1p(x), 3)", "rcs(x)"],
}


@pytest.mark.parametrize(("text", "expected"), TERMS.items())
def test_a_formula_has_the_terms_and_the_order_that_r_gives_it(text, expected):
    assert terms(text) == expected


@pytest.mark.parametrize("text", TERMS)
def test_the_canonical_text_means_the_same_and_stays_itself(text):
    formula = expand_dot(parse(text), ("a", "b", "c"))
    canonical = write_formula(formula)
    assert find_terms(parse(canonical)) == find_terms(formula)
    assert write_formula(parse(canonical)) == canonical


def test_the_canonical_text_is_what_r_deparses():
    assert write_formula(parse("y~a*b-a:b+C(x,ref='k')")) == 'y ~ a * b - a:b + C(x, ref = "k")'
    assert write_formula(expand_dot(parse("`a y`~.-b+(b+c):d"), ("b", "e f"))) == "`a y` ~ b + `e f` - b + (b + c):d"


# A slip, the character (from 0) at which the message points, and a word of the advice.
SLIPS = [
    ("", 0, "empty"),
    ("   ", 3, "empty"),
    ("y", 1, "no ~"),
    ("y ~", 3, "right side is empty"),
    ("~ x", 0, "outcome is missing"),
    ("y ~ x ~ z", 6, "second ~"),
    ("y ~ x + ~", 8, "second ~"),
    ("y ~ x z", 6, "operator"),
    ("y ~ x (z)", 4, "no function x"),
    ("y ~ (x)(z)", 7, "operator"),
    ("y ~ x log(z)", 6, "operator"),
    ("y ~ (x + z", 4, "never closed"),
    ("y ~ log(x", 7, "never closed"),
    ("y ~ x)", 5, "never opened"),
    ("y ~ ()", 4, "nothing between"),
    ("y ~ x +", 6, "missing after '+'"),
    ("y ~ x * ", 6, "missing after '*'"),
    ("y ~ x + + z", 8, "missing before '+'"),
    ("y ~ + x", 4, "missing before '+'"),
    ("y ~ x:", 5, "missing after ':'"),
    ("y ~ x $ z", 6, "'$' is not part"),
    ("y ~ x & z", 6, "'&' is not part"),
    ("y ~ x^2", 5, "power(x, 2)"),
    ("y ~ x ** 2", 6, "power(x, 2)"),
    ("y ~ a %in% b", 6, "a:b"),
    ("y ~ a/b", 5, "a + a:b"),
    ("y ~ a | b", 6, "C(group)"),
    ("y ~ I(x^2)", 4, "power(x, 2) for I(x^2)"),
    ("y ~ factor(x)", 4, "C(x)"),
    ("y ~ ns(x, 3)", 4, "rcs(x, 4)"),
    ("y ~ bs(x)", 4, "rcs(x, 4)"),
    ("y ~ poly(x, 2)", 4, "rcs(x, 4)"),
    ("y ~ lgo(x)", 4, "'log'"),
    ("y ~ LOG(x)", 4, "'log'"),
    ("y ~ x + c(x)", 8, "'C'"),
    ("y ~ log(x + 1)", 10, "arithmetic"),
    ("y ~ log(2)", 8, "takes a column"),
    ("y ~ log()", 8, "takes a column"),
    ("y ~ log(x, 2)", 9, "nothing else"),
    ("y ~ power(x)", 11, "second value"),
    ("y ~ power(x, z)", 13, "value is missing"),
    ("y ~ power(x, 1e999)", 13, "too large"),
    ("y ~ rcs(x, 2)", 11, "3 to 7"),
    ("y ~ rcs(x, 4.5)", 11, "3 to 7"),
    ("y ~ rcs(x, -4)", 11, "3 to 7"),
    ("y ~ C(x, 'a')", 9, "ref="),
    ("y ~ C(x, ref a)", 13, "stands ="),
    ("y ~ C(x, ref=a)", 13, 'ref="a"'),
    ("y ~ C(x, ref='a)", 13, "quote is never closed"),
    ("y ~ C(log(x))", 6, "takes a column"),
    ("y ~ log(C(x))", 8, "category"),
    ("y ~ log(rcs(x))", 8, "several columns"),
    ("y ~ x - z", 8, "not among the terms"),
    ("y ~ - z", 6, "not among the terms"),
    ("y ~ a + b - a:b", 12, "not among the terms"),
    ("y ~ x - 0", 8, "+ 1"),
    ("y ~ x * 0", 8, "intercept"),
    ("y ~ (x - 1):z", 5, "intercept"),
    ("y ~ 2 + x", 4, "not a term"),
    ("y ~ x + y", 8, "outcome"),
    ("y ~ log(y)", 8, "outcome"),
    ("y ~ 0", 4, "nothing is left"),
    ("y ~ x - x - 1", 4, "nothing is left"),
    ("y ~ 2x", 4, "`2x`"),
    ("y ~ .x", 4, "`.x`"),
    ("y ~ 1.2.3", 4, "not a number"),
    ("y ~ 'x'", 4, "backticks"),
    ("y ~ `x", 4, "never closed"),
    ("y ~ ``", 4, "no name"),
    ("y ~ x, z", 5, "comma"),
    ("log(y) ~ x", 0, "without a function"),
    ("y + z ~ x", 2, "single column"),
    ("2 ~ x", 0, "starts with the outcome"),
    ("y = x", 2, "~"),
    ("y ~ x == 1", 6, "comparisons"),
    ("y ~ !x", 4, "missing before '!'"),
    ("y ~ __import__('os')", 4, "no function"),
    ("y ~ x\0", 5, "not part"),
]


@pytest.mark.parametrize(("text", "start", "word"), SLIPS)
def test_a_slip_is_refused_at_its_character_with_advice(text, start, word):
    with pytest.raises(FormulaError) as caught:
        find_terms(parse(text))
    assert (caught.value.start, word in caught.value.reason) == (start, True), caught.value


@pytest.mark.parametrize(
    "text",
    [
        "y ~ " + "(" * 10_000 + "x" + ")" * 10_000,
        "y ~ " + "log(" * 10_000 + "x" + ")" * 10_000,
        "y ~ " + "(" * 100_000,
        "y ~ " + " * ".join(f"a{i}" for i in range(40)),
        "y ~ (" + " + ".join(f"a{i}" for i in range(400)) + "):(" + " + ".join(f"b{i}" for i in range(400)) + ")",
    ],
    ids=["brackets", "functions", "open brackets", "product", "interaction"],
)
def test_a_formula_that_grows_without_bound_is_refused_with_a_message(text):
    with pytest.raises(FormulaError, match=r"deep|terms"):
        find_terms(parse(text))


def test_brackets_may_be_nested_as_deep_as_anyone_writes_them():
    assert terms("y ~ " + "(" * 50 + "x" + ")" * 50) == ["x"]


def test_five_thousand_terms_are_read_and_printed():
    text = "y ~ " + " + ".join(f"x{i}" for i in range(5000))
    assert write_formula(parse(text)) == text
    assert len(terms(text)) == 5000


def test_a_dot_without_other_columns_is_refused():
    with pytest.raises(FormulaError, match="no other column"):
        terms("y ~ .", ())


@given(st.text(min_size=1))
def test_any_name_survives_backticks(name):
    written = write(Name(name))
    assert parse(f"y ~ 0 + {written}").right.parts[1][1] == Name(name)
    assert is_plain(name) == (written == name)


@given(st.text())
def test_any_level_survives_quotes(level):
    formula = parse(f"y ~ C(x, ref={json.dumps('k')})")
    call = formula.right
    assert parse("y ~ " + write(type(call)("C", call.argument, level))).right.setting == level


_names = st.sampled_from(["a", "b", "c", "x.1", "`d e`", "log(a)", "power(b, -2)", "C(c)", "."])
_sums = st.recursive(
    _names,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" + ", " * ", ":"]), inner).map("".join), inner.map("({})".format)
    ),
    max_leaves=6,
)


@given(_sums)
def test_canonical_text_round_trips_for_any_formula(right):
    formula = expand_dot(parse(f"y ~ {right}"), ("a", "b"))
    again = parse(write_formula(formula))
    assert find_terms(again) == find_terms(formula)


_pieces = st.sampled_from([*"abyx.~+-*:()^|%`'\",01 =\\", *FUNCTIONS, "I(", "C(x, ref=", "rcs(x, 4)", "\0", "é", "２"])


@given(st.lists(_pieces, max_size=12).map("".join))
def test_whatever_is_written_parses_or_is_refused_inside_the_text(text):
    for whole in (text, f"y ~ {text}"):
        try:
            find_terms(expand_dot(parse(whole), ("a", "b")))
        except FormulaError as error:
            slip = error
        else:
            continue
        assert 0 <= slip.start <= len(whole)
        assert slip.start < slip.end
