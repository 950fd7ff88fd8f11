"""A model as a Python module of the standard library alone: logit(row), probability(row), terms(row)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from passline.model import ON_THE_EDGE
from passline.ship.infix import Language, group_texts, number
from passline.ship.plan import Category, Plan, Value, about, make_plan
from passline.table.columns import FALSE_WORDS, TRUE_WORDS

if TYPE_CHECKING:
    from passline.model import Model
    from passline.table.coding import Unseen

PYTHON = Language(
    functions={
        **{name: f"math.{name}" for name in ("log1p", "exp", "sqrt")},
        "ln": "math.log",
        "abs": "abs",
        "pow": "_power",
        "hinge cubed": "_hinge_cubed",
    },
    equal="==",
    nothing="math.nan",
    choice="({then} if {condition} else {otherwise})",
)


def python(model: Model, *, unseen: Unseen = "error") -> str:
    """The source of a module with the functions ``logit``, ``probability`` and ``terms`` of a row.

    A row maps columns to numbers, texts, truth values or None. Where a value is missing (None, NaN) the answers are
    NaN. A column that is not there, a level that was not there at fitting time (unless ``unseen`` is "baseline") and a
    value outside a function's domain raise a ValueError that names them. The source is ASCII.
    """
    return source(make_plan(model), unseen)


def source(plan: Plan, unseen: Unseen) -> str:
    """The module of a plan."""
    tables = [f"ABOUT = {_mapping(about(plan, unseen))}", *_tables(plan, unseen)]
    return _HEAD + "\n".join(tables) + "\n\n\n" + _design(plan) + _RUNTIME


def _tables(plan: Plan, unseen: Unseen) -> list[str]:
    terms, place = [], 0
    for term in plan.terms:
        last = place + len(term.groups)
        terms.append(f"({term.text!a}, {list(range(place, last))})")
        place = last
    weights = (_list(map(_numbers, group.weights.tolist())) for group in plan.groups)
    return [
        "",
        "# The levels of each category and their places, the reference first.",
        f"LEVELS = {_lines(_levels(plan, category) for category in plan.categories)}",
        "",
        "# First the coefficients; further rows are directions in which the estimates are infinite.",
        f"INTERCEPT = {None if plan.intercept is None else _numbers(plan.intercept.tolist())}",
        f"WEIGHTS = {_lines(weights)}",
        f"DIRECTIONS = {plan.directions}",
        f"EDGE = {number(ON_THE_EDGE)}",
        f"BASELINE = {unseen == 'baseline'}",
        "",
        "# Each term and which of the weights are its own.",
        f"TERMS = {_lines(terms)}",
    ]


def _numbers(values: Iterable[float]) -> str:
    return _list(map(number, values))


def _list(items: Iterable[str]) -> str:
    return f"[{', '.join(items)}]"


def _lines(items: Iterable[str]) -> str:
    listed = [f"    {item},\n" for item in items]
    return f"[\n{''.join(listed)}]" if listed else "[]"


def _mapping(values: Mapping[str, Any]) -> str:
    return "{\n" + "".join(f"    {key!a}: {value!a},\n" for key, value in values.items()) + "}"


def _levels(plan: Plan, category: Category) -> str:
    """Levels and their places; of a column of numbers the numbers themselves."""
    is_number = plan.inputs[category.input].kind == "number"
    keys = (number(float(level)) if is_number else ascii(level) for level in category.levels)
    return "{" + ", ".join(f"{key}: {place}" for place, key in enumerate(keys)) + "}"


def _design(plan: Plan) -> str:
    """The function from a row to the value and the place of each group of columns."""
    reader = {"number": "_number", "boolean": "_truth", "category": "_label"}
    lines = [f"c{i} = {reader[each.kind]}(row, {each.column!a})" for i, each in enumerate(plan.inputs)]
    if plan.inputs:
        lines += [f"if None in ({', '.join(f'c{i}' for i in range(len(plan.inputs)))},):", "    return None"]
    lines += [f"v{i} = {_value(value)}" for i, value in enumerate(plan.values)]
    for i, category in enumerate(plan.categories):
        name = plan.inputs[category.input].column
        lines.append(f"k{i} = _place(c{category.input}, LEVELS[{i}], {name!a})")
    pairs = [f"({value}, {place})" for value, place in group_texts(plan)]
    body = "\n    ".join([*lines, f"return [{', '.join(pairs)}]"])
    summary = '"""The value and the place of each group of weights; None where a column is missing."""'
    return f"def _design(row):\n    {summary}\n    {body}\n"


def _value(value: Value) -> str:
    if value.reads:
        return f"c{value.sources[0]}"
    sources = [f"v{place}" for place in value.sources]
    text = " * ".join(sources) if value.form is None else PYTHON.write(value.form, sources[0])
    return f"_finite({text}, {value.text!a}, {value.needs!a})"


_HEAD = '''\
"""A logistic regression as passline predicts with it: the probability of a row, a dict of columns.

Missing values (None, NaN) give NaN; what cannot be used raises a ValueError.
"""

import math

'''

_RUNTIME = '''

def _cell(row, name):
    if name not in row:
        raise ValueError(f"the row has no column {name!r}, which the model needs")
    value = row[name]
    value = value.item() if hasattr(value, "item") else value  # a number of NumPy's
    return None if isinstance(value, float) and math.isnan(value) else value


def _refuse(name, value, what):
    raise ValueError(f"column {name!r} is {value!r}, which is {what}")


def _number(row, name):
    value = _cell(row, name)
    if value is None:
        return None
    try:
        found = float(value) if isinstance(value, (int, float)) or "_" not in value else math.inf
    except (TypeError, ValueError, OverflowError):
        found = math.inf
    return found if math.isfinite(found) else _refuse(name, value, "no finite number")


def _truth(row, name):
    value = _cell(row, name)
    if value is None:
        return None
    word = str(value).strip().lower()
    if word in @TRUE@:
        return "TRUE"
    return "FALSE" if word in @FALSE@ else _refuse(name, value, "neither true nor false")


def _label(row, name):
    value = _cell(row, name)
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)) and math.isfinite(value):
        return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
    return value if value is None or isinstance(value, str) else _refuse(name, value, "neither a text nor a number")


def _place(value, levels, name):
    if value in levels:
        return levels[value]
    return 0 if BASELINE else _refuse(name, value, "a level that was not there when the model was fitted")


def _finite(value, text, needs):
    if not math.isfinite(value):
        raise ValueError(f"{text} has no finite value: {needs}")
    return value


def _power(x, k):
    try:
        return math.pow(x, k)
    except OverflowError:
        return math.inf


def _hinge_cubed(u):
    return 0.0 if u <= 0 else u * u * u


def _sum(found, k, size=float):
    total = 0.0 if INTERCEPT is None else size(INTERCEPT[k])
    for weights, (value, place) in zip(WEIGHTS, found):
        total += size(value) * size(weights[k][place])
    return total


def logit(row):
    """The log-odds of the positive label; infinite where separated rows send it there."""
    found = _design(row)
    if found is None:
        return math.nan
    signs = []
    for k in range(1, DIRECTIONS + 1):
        along = _sum(found, k)
        on_the_edge = abs(along) <= EDGE * _sum(found, k, abs)
        signs.append(0 if on_the_edge else math.copysign(1, along))
    if not any(signs):
        return _sum(found, 0)
    if signs[0] > 0 and min(signs) >= 0:
        return math.inf
    return -math.inf if signs[0] < 0 and max(signs) <= 0 else math.nan


def probability(row):
    """The probability of the positive label, 1 / (1 + exp(-logit)), without overflow."""
    eta = logit(row)
    e = math.exp(-abs(eta))
    return 1 / (1 + e) if eta > 0 else e / (1 + e)


def terms(row):
    """Each term's share of the log-odds, [(term, value), ...]; under separation that of the limiting model."""
    found = _design(row)
    shares = [] if INTERCEPT is None else [("(Intercept)", math.nan if found is None else INTERCEPT[0])]
    for term, groups in TERMS:
        value = math.nan
        if found is not None:
            value = sum((found[i][0] * WEIGHTS[i][0][found[i][1]] for i in groups), 0.0)
        shares.append((term, value))
    return shares
'''.replace("@TRUE@", repr(TRUE_WORDS)).replace("@FALSE@", repr(FALSE_WORDS))
